//! The body of `/analyze`, read as Presidio reads it.

use super::body::bounded;
use super::{Refusal, adhoc_request};
use crate::detect::adhoc::{AdHocSpec, AllowList, Language};
use crate::redact::presidio_operators::python::{is_true, text, type_name};
use serde_json::{Map, Value};

/// A request that can be served.
pub(super) struct AnalyzeRequest {
    pub(super) texts: Vec<String>,
    /// Whether a list was sent, and so a list of lists is wanted.
    pub(super) many: bool,
    pub(super) language: Language,
    pub(super) entities: Option<Vec<String>>,
    pub(super) adhoc: Vec<AdHocSpec>,
    pub(super) context: Vec<String>,
    pub(super) threshold: Threshold,
    pub(super) allow: Option<AllowList>,
    /// Whether reasons are wanted.
    pub(super) explain: bool,
}

/// The least score.
pub(super) enum Threshold {
    Score(f64),
    /// Something that scores cannot be compared with: an error as soon as there is a score.
    Incomparable(&'static str),
}

impl AnalyzeRequest {
    /// Reads a body.
    pub(super) fn read(body: &Value) -> Result<Self, Refusal> {
        let Value::Object(fields) = body else { return Err(Refusal::no_attribute(type_name(body), "get")) };
        let adhoc = adhoc_request::read(fields.get("ad_hoc_recognizers"))?;
        let given = fields.get("text").filter(|text| is_true(text));
        let given = given.ok_or_else(|| Refusal::exception("No text provided"))?;
        let texts = texts(given)?;
        let longest = texts.iter().map(String::len).max().unwrap_or(0);
        Ok(Self {
            texts,
            many: given.is_array(),
            language: language(fields.get("language"))?,
            adhoc,
            entities: entities(fields.get("entities"))?,
            context: adhoc_request::words(fields.get("context"))?,
            threshold: threshold(fields.get("score_threshold")),
            allow: allow(fields, longest)?,
            explain: fields.get("return_decision_process").is_some_and(is_true),
        })
    }
}

/// A text, or several; numbers and the like as Python writes them.
fn texts(given: &Value) -> Result<Vec<String>, Refusal> {
    let items = given.as_array().map_or(std::slice::from_ref(given), Vec::as_slice);
    let one = |item: &Value| {
        if matches!(item, Value::Array(_) | Value::Object(_)) && is_true(item) {
            return Err(Refusal::exception(
                "Analyzer.analyze_iterator only works on primitive types (int, float, bool, str). Lists of objects are not yet supported.",
            ));
        }
        let text = text(item);
        bounded(&text)?;
        Ok(text)
    };
    items.iter().map(one).collect()
}

fn language(given: Option<&Value>) -> Result<Language, Refusal> {
    let given = given.filter(|language| is_true(language));
    let given = given.ok_or_else(|| Refusal::exception("No language provided"))?;
    Ok(given.as_str().unwrap_or_default().parse()?)
}

/// Names of entity types; what is no text is none.
fn entities(given: Option<&Value>) -> Result<Option<Vec<String>>, Refusal> {
    let names = match given.filter(|value| is_true(value)) {
        None => return Ok(None),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) => text.chars().map(String::from).collect(),
        Some(Value::Object(fields)) => fields.keys().cloned().collect(),
        Some(other) => return Err(Refusal::not_iterable(type_name(other))),
    };
    Ok(Some(names))
}

fn threshold(given: Option<&Value>) -> Threshold {
    match given {
        None | Some(Value::Null) => Threshold::Score(0.0),
        Some(Value::Number(number)) => Threshold::Score(number.as_f64().unwrap_or(f64::INFINITY)),
        Some(Value::Bool(one)) => Threshold::Score(f64::from(u8::from(*one))),
        Some(other) => Threshold::Incomparable(type_name(other)),
    }
}

fn allow(fields: &Map<String, Value>, longest: usize) -> Result<Option<AllowList>, Refusal> {
    let Some(list) = fields.get("allow_list").filter(|list| is_true(list)) else { return Ok(None) };
    let Value::Array(items) = list else {
        return Err(Refusal::type_error(format!("allow_list must be a list, not {}", type_name(list))));
    };
    let kind = fields.get("allow_list_match").map_or(Some("exact"), Value::as_str);
    match kind {
        Some("exact") => {
            Ok(Some(AllowList::exact(items.iter().filter_map(Value::as_str).map(str::to_owned))?))
        }
        Some("regex") => {
            let patterns = items.iter().filter(|item| is_true(item)).enumerate().map(pattern);
            let patterns = patterns.collect::<Result<Vec<_>, _>>()?;
            let flags = match patterns.is_empty() {
                true => adhoc_request::DEFAULT_FLAGS,
                false => adhoc_request::regex_flags(fields.get("regex_flags"))?,
            };
            Ok(Some(AllowList::regex(&patterns, flags, longest)?))
        }
        _ => Err(Refusal::exception("allow_list_match must either be set to 'exact' or 'regex'.")),
    }
}

fn pattern((index, item): (usize, &Value)) -> Result<String, Refusal> {
    item.as_str().map(str::to_owned).ok_or_else(|| {
        let kind = type_name(item);
        Refusal::type_error(format!("sequence item {index}: expected str instance, {kind} found"))
    })
}
