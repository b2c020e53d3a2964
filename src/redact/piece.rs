//! Redacted text as structure: pieces of source text and placeholders.

use crate::model::{EntityType, ExemptionCode, SubjectRef};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a person has looked at a redaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Set by the detector.
    Provisional,
    /// Set or confirmed by a person.
    Assessed,
}

/// Stands where personal data stood. Holds no value, no length, no hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placeholder {
    /// What kind of personal data.
    pub entity: EntityType,
    /// The person of this conversation, when one is meant: a random reference, different elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRef>,
    /// Why it is redacted.
    pub exemption: ExemptionCode,
    /// Whether a person has looked.
    pub status: Status,
}

/// A run of source text, or a placeholder. Structure, so that no text can pretend to be a placeholder.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Source text, unchanged; never empty.
    Text(String),
    /// Something redacted.
    Placeholder(Placeholder),
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Placeholder(placeholder) => placeholder.fmt(f),
        }
    }
}

/// Text outside the findings, with placeholders inside. Still citizens' words: `Debug` hides them.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedactedText {
    pieces: Vec<Piece>,
}

impl RedactedText {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// The pieces, in the order of the text.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The runs of source text, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Placeholder(_) => None,
        })
    }

    /// The placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Placeholder(placeholder) => Some(placeholder),
        })
    }
}
