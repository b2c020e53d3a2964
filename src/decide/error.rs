//! What can be wrong with the files this room reads.

use crate::model::day;
use serde_saphyr::Spanned;
use std::fmt;

/// A file of this room that cannot be used. Nothing of an archive is ever in it: the files are policy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecideError {
    /// Not YAML of the expected shape.
    #[error("`{file}`, line {line}: {detail}")]
    Syntax {
        /// The file as the caller named it.
        file: String,
        /// Line from 1; 0 when the parser names none.
        line: u64,
        /// What the parser says.
        detail: String,
    },
    /// Well-formed, but it cannot be followed. Every problem at once.
    #[error("`{file}`: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// The file as the caller named it.
        file: String,
        /// What to mend, in the order of the file.
        problems: Vec<Problem>,
    },
}

/// One thing to mend in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line from 1; 0 for the file as a whole.
    pub line: u64,
    /// What is wrong and how to mend it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

/// The day from which a file holds, with the fault when it is written in another form than `2026-01-01`: one that reads as a day
/// and stands elsewhere in the order of days would never be in force.
pub(super) fn valid_from(given: &Spanned<String>, problems: &mut Vec<Problem>) -> jiff::civil::Date {
    day(&given.value).unwrap_or_else(|| {
        let what = format!(
            "`valid_from` is `{}`, which is no day in the form it must have; write one such as 2026-01-01",
            given.value.chars().take(40).collect::<String>()
        );
        problems.push(Problem { line: given.referenced.line(), what });
        jiff::civil::Date::ZERO
    })
}

/// Reads YAML, with the file and line in the error.
pub(super) fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, DecideError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        DecideError::Syntax {
            file: file.to_owned(),
            line: error.location().map_or(0, |at| at.line()),
            detail: error.to_string().lines().next().unwrap_or("not readable").to_owned(),
        }
    })
}
