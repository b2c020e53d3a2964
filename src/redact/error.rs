//! Why something is withheld, or a policy file cannot be used.

/// Every variant but the last two means: withhold the record, and have someone look. None holds
/// anything of the record but positions in the list of findings.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RedactError {
    /// A finding lies outside the text or cuts a character: detector and text do not belong together.
    #[error("finding {index} does not fit the text; detect the text again")]
    OffText {
        /// Position in the findings given, from 0.
        index: usize,
    },
    /// Two findings contradict each other: they cross, or name one span differently.
    #[error("finding {index} contradicts another one; resolve the findings first")]
    Overlap {
        /// Position in the findings given, from 0.
        index: usize,
    },
    /// After redaction a covered value still stands in the text in another form.
    #[error("a covered value stands elsewhere in another form; withheld until a person has looked")]
    Leak,
    /// A metadata field or passage role that the policy does not let through.
    #[error("`{field}` may not be projected: {why}")]
    Field {
        /// The field's name (a name of the service, never of the record).
        field: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A policy file that is not YAML of the expected shape.
    #[error("`{file}`, line {line}: {detail}")]
    Syntax {
        /// The file as the caller named it.
        file: String,
        /// Line from 1; 0 when the parser names none.
        line: u64,
        /// What the parser says.
        detail: String,
    },
    /// A policy file that contradicts itself. Every problem at once.
    #[error("`{file}`: {}", .problems.join("; "))]
    Invalid {
        /// The file as the caller named it.
        file: String,
        /// What to mend, in the order of the file.
        problems: Vec<String>,
    },
}

/// Reads YAML, with the file and line in the error.
pub(super) fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, RedactError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        RedactError::Syntax {
            file: file.to_owned(),
            line: error.location().map_or(0, |at| at.line()),
            detail: error.to_string().lines().next().unwrap_or("not readable").to_owned(),
        }
    })
}

/// `Ok` when there is nothing to mend.
pub(super) fn sound(file: &str, problems: Vec<String>) -> Result<(), RedactError> {
    if problems.is_empty() { Ok(()) } else { Err(RedactError::Invalid { file: file.to_owned(), problems }) }
}
