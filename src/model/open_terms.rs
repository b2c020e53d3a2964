//! Open vocabularies, of which files say the members: entity types, codes, recognisers; and how sure one of these is.

use super::ModelError;
use super::as_text::as_text;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

macro_rules! open_term {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The term as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ModelError;
            fn from_str(given: &str) -> Result<Self, ModelError> {
                let allowed: fn(char) -> bool = $allowed;
                if !given.is_empty() && given.len() <= 64 && given.chars().all(allowed) {
                    Ok(Self(Arc::from(given)))
                } else {
                    Err(ModelError::Term {
                        what: $what,
                        given: given.chars().take(80).collect(),
                        expected: $expected.to_owned(),
                    })
                }
            }
        }

        as_text!($name);
    };
}

open_term!(
    /// A kind of personal data: Presidio's name where it has one, `NL_` for national ones.
    EntityType, "entity type", "capitals, digits and '_', such as NL_BSN",
    |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
);
open_term!(
    /// Why a passage is redacted (uitzonderingsgrond), such as `woo-5.1.2e`.
    ExemptionCode, "exemption", "a-z, 0-9, '.' and '-', such as woo-5.1.2e",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-'
);
open_term!(
    /// Why an original is opened (grondslag), such as `avg-15`.
    LegalBasisCode, "legal basis", "a-z, 0-9, '.' and '-', such as avg-15",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-'
);
open_term!(
    /// Which recogniser made a finding, such as `nl-bsn`.
    RecogniserId, "recogniser", "a-z, 0-9, '.', '_' and '-', such as nl-bsn",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_')
);

/// How sure a recogniser is, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Score(f32);

impl Score {
    /// A score; values outside 0 to 1 (and NaN) are brought inside.
    #[must_use]
    pub fn new(score: f32) -> Self {
        Self(if score.is_nan() { 0.0 } else { score.clamp(0.0, 1.0) })
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_stays_between_zero_and_one() {
        assert_eq!(Score::new(7.0).value(), 1.0);
        assert_eq!(Score::new(f32::NAN).value(), 0.0);
    }
}
