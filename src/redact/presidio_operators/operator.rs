//! One operator: its parameters, checked, and what it makes of a value.

use super::python::{is_true, text, type_name, wrong_type};
use super::{OperatorError, Random, aes};
use aws_lc_rs::digest::{Algorithm, Context, SHA256, SHA512};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

pub(super) const ANONYMIZERS: &[&str] = &["custom", "encrypt", "hash", "keep", "mask", "redact", "replace"];
pub(super) const DEANONYMIZERS: &[&str] = &["decrypt", "deanonymize_keep"];

/// An operator as a client configures it: not checked before it is used.
#[derive(Clone, PartialEq)]
pub struct Configuration {
    name: String,
    parameters: Map<String, Value>,
}

impl std::fmt::Debug for Configuration {
    // Parameters hold keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Configuration({})", self.name)
    }
}

impl Configuration {
    /// Reads `{"type": "mask", ...}`.
    ///
    /// # Errors
    /// [`OperatorError`] when it is no object or has no type.
    pub fn read(value: &Value) -> Result<Self, OperatorError> {
        let mut parameters = value.as_object().ok_or(OperatorError::Failed)?.clone();
        match parameters.remove("type").filter(is_true) {
            Some(name) => Ok(Self { name: text(&name), parameters }),
            None => Err(parameter("Invalid input, operator config must contain operator_name")),
        }
    }

    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), parameters: Map::new() }
    }

    /// Which operator.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A parameter; JSON's null counts as none.
    fn given(&self, name: &str) -> Option<&Value> {
        self.parameters.get(name).filter(|value| !value.is_null())
    }

    fn needed(&self, name: &str) -> Result<&Value, OperatorError> {
        self.given(name).ok_or_else(|| parameter(&format!("Expected parameter {name}")))
    }
}

/// An operator whose parameters are in order.
pub(super) enum Operator {
    Replace(Option<String>),
    Redact,
    Keep,
    Mask { with: String, chars: usize, from_end: bool },
    Hash { algorithm: &'static Algorithm, salt: Option<Zeroizing<Vec<u8>>> },
    Encrypt(Zeroizing<Vec<u8>>),
    Decrypt(Zeroizing<Vec<u8>>),
}

impl Operator {
    /// Checks a configuration in Presidio's order.
    pub(super) fn of(configuration: &Configuration, known: &[&str]) -> Result<Self, OperatorError> {
        let name = configuration.name();
        if !known.contains(&name) {
            return Err(parameter(&format!("Invalid operator class '{name}'.")));
        }
        match name {
            "replace" => replace(configuration),
            "redact" => Ok(Self::Redact),
            "keep" | "deanonymize_keep" => Ok(Self::Keep),
            "mask" => mask(configuration),
            "hash" => hash(configuration),
            "encrypt" => key(configuration).map(Self::Encrypt),
            "decrypt" => key(configuration).map(Self::Decrypt),
            _ => Err(parameter("New value must be a callable function")),
        }
    }

    /// What stands in place of a value.
    pub(super) fn apply(&self, old: &str, entity: &str, random: Random<'_>) -> Result<String, OperatorError> {
        match self {
            Self::Replace(Some(new)) => Ok(new.clone()),
            Self::Replace(None) => Ok(format!("<{entity}>")),
            Self::Redact => Ok(String::new()),
            Self::Keep => Ok(old.to_owned()),
            Self::Mask { with, chars, from_end } => Ok(masked(old, with, *chars, *from_end)),
            Self::Hash { algorithm, salt } => {
                let mut digest = Context::new(algorithm);
                digest.update(old.as_bytes());
                match salt {
                    Some(salt) => digest.update(salt),
                    None => digest.update(&random()),
                }
                Ok(hex::encode(digest.finish()))
            }
            Self::Encrypt(key) => aes::encrypt(key, old, random()),
            Self::Decrypt(key) => aes::decrypt(key, old),
        }
    }
}

fn replace(configuration: &Configuration) -> Result<Operator, OperatorError> {
    match configuration.given("new_value").filter(|value| is_true(value)) {
        None => Ok(Operator::Replace(None)),
        Some(Value::String(new)) => Ok(Operator::Replace(Some(new.clone()))),
        Some(other) => Err(parameter(&wrong_type("new_value", Some("string"), other))),
    }
}

fn mask(configuration: &Configuration) -> Result<Operator, OperatorError> {
    let with = configuration.needed("masking_char")?;
    let with = match with {
        Value::String(with) if with.chars().count() > 1 => {
            return Err(parameter("Invalid input, masking_char must be a character"));
        }
        Value::String(with) => with.clone(),
        other if is_true(other) => return Err(parameter(&wrong_type("masking_char", Some("string"), other))),
        _ => return Err(OperatorError::Failed),
    };
    let chars = configuration.needed("chars_to_mask")?;
    if is_true(chars) && !matches!(type_name(chars), "int" | "bool") {
        return Err(parameter(&wrong_type("chars_to_mask", Some("number"), chars)));
    }
    let from_end = configuration.needed("from_end")?;
    if is_true(from_end) && !from_end.is_boolean() {
        return Err(parameter(&wrong_type("from_end", Some("boolean"), from_end)));
    }
    let chars = match chars {
        Value::Bool(one) => u64::from(*one),
        Value::Number(count) => count.as_u64().unwrap_or(0),
        _ => return Err(OperatorError::Failed),
    };
    let chars = usize::try_from(chars).unwrap_or(usize::MAX);
    Ok(Operator::Mask { with, chars, from_end: is_true(from_end) })
}

fn masked(old: &str, with: &str, chars: usize, from_end: bool) -> String {
    let length = old.chars().count();
    let covered = chars.min(length);
    let first = if from_end { length - covered } else { covered };
    let at = old.char_indices().nth(first).map_or(old.len(), |(at, _)| at);
    let (before, after) = old.split_at_checked(at).unwrap_or((old, ""));
    let cover = with.repeat(covered);
    if from_end { format!("{before}{cover}") } else { format!("{cover}{after}") }
}

fn hash(configuration: &Configuration) -> Result<Operator, OperatorError> {
    let algorithm = match configuration.parameters.get("hash_type") {
        None => &SHA256,
        Some(Value::Null) => return Err(parameter("Expected parameter hash_type")),
        Some(Value::String(name)) if name == "sha256" => &SHA256,
        Some(Value::String(name)) if name == "sha512" => &SHA512,
        Some(other) => {
            return Err(parameter(&format!(
                "Parameter hash_type value {} is not in range of values ['sha256', 'sha512']",
                text(other)
            )));
        }
    };
    let bytes = match configuration.parameters.get("salt") {
        None => return Ok(Operator::Hash { algorithm, salt: None }),
        Some(Value::String(salt)) => salt.len(),
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(fields)) => fields.len(),
        Some(_) => return Err(OperatorError::Failed),
    };
    match (bytes, configuration.parameters.get("salt")) {
        (0, _) => Err(parameter(
            "Salt parameter cannot be empty. Either omit the salt parameter to auto-generate a random salt, or provide a salt of at least 16 bytes (128 bits).",
        )),
        (1..16, _) => Err(parameter(&format!(
            "Salt must be at least 16 bytes (128 bits). Provided salt is {bytes} bytes."
        ))),
        (_, Some(Value::String(salt))) => {
            Ok(Operator::Hash { algorithm, salt: Some(Zeroizing::new(salt.as_bytes().to_vec())) })
        }
        _ => Err(OperatorError::Failed),
    }
}

/// The key of `encrypt` and `decrypt`: 16, 24 or 32 bytes of UTF-8.
fn key(configuration: &Configuration) -> Result<Zeroizing<Vec<u8>>, OperatorError> {
    let wrong_size = || parameter("Invalid input, key must be of length 128, 192 or 256 bits");
    match configuration.needed("key")? {
        Value::String(key) if matches!(key.len(), 16 | 24 | 32) => {
            Ok(Zeroizing::new(key.as_bytes().to_vec()))
        }
        Value::String(_) => Err(wrong_size()),
        other if is_true(other) => Err(parameter(&wrong_type("key", None, other))),
        Value::Array(_) | Value::Object(_) => Err(wrong_size()),
        _ => Err(OperatorError::Failed),
    }
}

fn parameter(what: &str) -> OperatorError {
    OperatorError::Parameter(what.to_owned())
}
