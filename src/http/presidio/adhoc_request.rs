//! Ad-hoc recognisers as a client sends them, read as Presidio's `PatternRecognizer.from_dict` reads them: its defaults,
//! its order of checks, its words.

use super::Refusal;
use crate::detect::adhoc::{AdHocSpec, PatternSpec};
use crate::redact::presidio_operators::python::{is_true, text, type_name};
use serde_json::{Map, Value};

/// Ignore case, many lines, dot matches all: 2, 8 and 16.
pub(super) const DEFAULT_FLAGS: i64 = 26;

/// Reads the list under `ad_hoc_recognizers`.
pub(super) fn read(given: Option<&Value>) -> Result<Vec<AdHocSpec>, Refusal> {
    let Some(given) = given.filter(|value| is_true(value)) else { return Ok(Vec::new()) };
    match given {
        Value::Array(items) => items.iter().map(recogniser).collect(),
        Value::Object(_) | Value::String(_) => Err(Refusal::no_attribute("str", "copy")),
        other => Err(Refusal::not_iterable(type_name(other))),
    }
}

fn recogniser(given: &Value) -> Result<AdHocSpec, Refusal> {
    let fields = match given {
        Value::Object(fields) => fields,
        Value::Array(_) => return Err(Refusal::no_attribute("list", "get")),
        other => return Err(Refusal::no_attribute(type_name(other), "copy")),
    };
    let patterns = match fields.get("patterns").filter(|value| is_true(value)) {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(pattern).collect::<Result<_, _>>()?,
        Some(Value::Object(_) | Value::String(_)) => return Err(not_a_mapping("str")),
        Some(other) => return Err(Refusal::not_iterable(type_name(other))),
    };
    let entity = entity(fields)?;
    let deny_list = deny_list(fields.get("deny_list"))?;
    if patterns.is_empty() && deny_list.is_empty() {
        return Err(Refusal::exception(
            "Pattern recognizer should be initialized with patterns or with deny list",
        ));
    }
    country_code(fields.get("country_code"))?;
    let deny_list_score = match fields.get("deny_list_score") {
        Some(given) if !deny_list.is_empty() => score(given)?,
        _ => 1.0,
    };
    Ok(AdHocSpec {
        name: fields.get("name").filter(|name| !name.is_null()).map_or("PatternRecognizer".to_owned(), text),
        entity,
        language: fields.get("supported_language").map_or("en".to_owned(), text),
        patterns,
        deny_list,
        deny_list_score,
        context: words(fields.get("context"))?,
        regex_flags: regex_flags(fields.get("global_regex_flags"))?,
    })
}

/// Checks the names of fields, and finds the entity type under either of its names.
fn entity(fields: &Map<String, Value>) -> Result<String, Refusal> {
    const KNOWN: &[&str] = &[
        "supported_entity",
        "name",
        "supported_language",
        "patterns",
        "deny_list",
        "context",
        "deny_list_score",
        "global_regex_flags",
        "version",
        "country_code",
        "supported_entities",
    ];
    let (one, many) = (fields.get("supported_entity"), fields.get("supported_entities"));
    if one.is_some() && many.is_some() {
        return Err(Refusal::exception(
            "Both 'supported_entity' and 'supported_entities' are present in the input dictionary. Only one should be provided.",
        ));
    }
    if let Some(unknown) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Refusal::type_error(format!(
            "PatternRecognizer.__init__() got an unexpected keyword argument '{unknown}'"
        )));
    }
    let first = match many {
        Some(Value::Array(items)) => items.first().cloned(),
        Some(Value::String(text)) => text.chars().next().map(|c| Value::String(c.to_string())),
        _ => None,
    };
    match one.cloned().or(first) {
        None => Err(missing("PatternRecognizer", &["supported_entity"])),
        Some(entity) if !is_true(&entity) => {
            Err(Refusal::exception("Pattern recognizer should be initialized with entity"))
        }
        Some(entity) => Ok(text(&entity)),
    }
}

fn pattern(given: &Value) -> Result<PatternSpec, Refusal> {
    const KNOWN: [&str; 3] = ["name", "regex", "score"];
    let Value::Object(fields) = given else { return Err(not_a_mapping(type_name(given))) };
    if let Some(unknown) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Refusal::type_error(format!(
            "Pattern.__init__() got an unexpected keyword argument '{unknown}'"
        )));
    }
    let (Some(name), Some(regex), Some(given_score)) =
        (fields.get("name"), fields.get("regex"), fields.get("score"))
    else {
        let absent: Vec<&str> = KNOWN.into_iter().filter(|name| !fields.contains_key(*name)).collect();
        return Err(missing("Pattern", &absent));
    };
    let Value::String(regex) = regex else {
        return Err(match regex {
            Value::Array(_) | Value::Object(_) => {
                Refusal::type_error(format!("unhashable type: '{}'", type_name(regex)))
            }
            _ => Refusal::type_error("first argument must be a string or compiled pattern"),
        });
    };
    Ok(PatternSpec { name: text(name), regex: regex.clone(), score: score(given_score)? })
}

/// A number from 0 to 1.
fn score(given: &Value) -> Result<f64, Refusal> {
    let number = match given {
        Value::Number(number) => number.as_f64().unwrap_or(f64::INFINITY),
        Value::Bool(one) => f64::from(u8::from(*one)),
        other => {
            let kind = type_name(other);
            return Err(Refusal::type_error(format!(
                "'<' not supported between instances of '{kind}' and 'int'"
            )));
        }
    };
    if !(0.0..=1.0).contains(&number) {
        return Err(Refusal::exception(format!(
            "Invalid score: {}. Score should be between 0 and 1",
            text(given)
        )));
    }
    Ok(number)
}

fn deny_list(given: Option<&Value>) -> Result<Vec<String>, Refusal> {
    match given.filter(|value| is_true(value)) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let word = |item: &Value| match item {
                Value::String(word) => Ok(word.clone()),
                other => Err(Refusal::not_iterable(type_name(other))),
            };
            items.iter().map(word).collect()
        }
        Some(Value::String(text)) => Ok(text.chars().map(String::from).collect()),
        Some(Value::Object(fields)) => Ok(fields.keys().cloned().collect()),
        Some(other) => Err(Refusal::not_iterable(type_name(other))),
    }
}

/// Words of context: a list, or a text of which each character is one.
pub(super) fn words(given: Option<&Value>) -> Result<Vec<String>, Refusal> {
    match given.filter(|value| is_true(value)) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let word = |item: &Value| match item {
                Value::String(word) => Ok(word.clone()),
                other => Err(Refusal::no_attribute(type_name(other), "lower")),
            };
            items.iter().map(word).collect()
        }
        Some(Value::String(text)) => Ok(text.chars().map(String::from).collect()),
        Some(Value::Object(fields)) => Ok(fields.keys().cloned().collect()),
        Some(other) => Err(Refusal::not_iterable(type_name(other))),
    }
}

/// The sum of Python's flags, 26 when none is given.
pub(super) fn regex_flags(given: Option<&Value>) -> Result<i64, Refusal> {
    match given {
        None => Ok(DEFAULT_FLAGS),
        Some(Value::Bool(one)) => Ok(i64::from(*one)),
        Some(Value::Number(number)) if number.is_i64() => Ok(number.as_i64().unwrap_or_default()),
        Some(other) => {
            let kind = type_name(other);
            Err(Refusal::type_error(format!("unsupported operand type(s) for &: '{kind}' and 'RegexFlag'")))
        }
    }
}

fn country_code(given: Option<&Value>) -> Result<(), Refusal> {
    match given {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(code)) if code.trim().is_empty() => {
            Err(Refusal::exception(format!("country_code must be a non-empty string; got '{code}'.")))
        }
        Some(Value::String(_)) => Ok(()),
        Some(other) => Err(Refusal::type_error(format!(
            "country_code must be a string or None, got {}: {}.",
            type_name(other),
            text(other)
        ))),
    }
}

fn not_a_mapping(type_name: &str) -> Refusal {
    Refusal::type_error(format!(
        "presidio_analyzer.pattern.Pattern() argument after ** must be a mapping, not {type_name}"
    ))
}

/// What Python says of arguments that are not given.
fn missing(class: &str, names: &[&str]) -> Refusal {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let (plural, listed) = match quoted.as_slice() {
        [one] => ("", one.clone()),
        [one, two] => ("s", format!("{one} and {two}")),
        [first @ .., last] => ("s", format!("{}, and {last}", first.join(", "))),
        [] => ("s", String::new()),
    };
    Refusal::type_error(format!(
        "{class}.__init__() missing {} required positional argument{plural}: {listed}",
        names.len()
    ))
}
