//! The languages that people read the service in.

use super::ModelError;
use std::str::FromStr;

/// The languages of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Dutch (`nl`).
    #[default]
    Dutch,
    /// English (`en`).
    English,
}

impl FromStr for Language {
    type Err = ModelError;
    fn from_str(given: &str) -> Result<Self, ModelError> {
        match given {
            "nl" => Ok(Self::Dutch),
            "en" => Ok(Self::English),
            _ => Err(ModelError::Term {
                what: "language",
                given: given.chars().take(80).collect(),
                expected: "nl, en".to_owned(),
            }),
        }
    }
}
