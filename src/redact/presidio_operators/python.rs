//! JSON values as Python sees them: what is true, what a type is called, what `str()` gives. Presidio's checks and
//! messages are made of these.

use serde_json::Value;

/// Whether Python takes a value for true: not empty, not zero, not null.
#[must_use]
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64().is_none_or(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// The name of its type.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// Python's `str()` of a value.
#[must_use]
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => literal(other),
    }
}

/// Python's `repr()` of a value, for messages.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("'{name}': {}", literal(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
    }
}

/// What Presidio says of a parameter of the wrong type; `wanted` is a type's name in JSON, if it has one.
#[must_use]
pub fn wrong_type(parameter: &str, wanted: Option<&str>, value: &Value) -> String {
    let given = match type_name(value) {
        "str" => Some("string"),
        "bool" => Some("boolean"),
        "int" => Some("number"),
        "list" => Some("array"),
        _ => None,
    };
    match (wanted, given) {
        (Some(wanted), Some(given)) => {
            format!("Invalid parameter value for {parameter}. Expecting '{wanted}', but got '{given}'.")
        }
        _ => format!("Invalid parameter value for '{parameter}'."),
    }
}
