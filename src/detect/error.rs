//! What can be wrong with a ruleset.

use std::fmt;

/// One mistake in one file, with the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesetFault {
    /// The file as the caller named it.
    pub file: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and how to mend it.
    pub what: String,
}

impl fmt::Display for RulesetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// A ruleset that cannot be used. No rule is ever skipped in silence: one fault refuses the whole.
#[derive(Debug, thiserror::Error)]
pub enum RulesetError {
    /// The pattern files have faults; every one that was seen is listed.
    #[error("the pattern files have {} fault(s):\n{}", .0.len(), lines(.0))]
    Faults(Vec<RulesetFault>),
}

fn lines(faults: &[RulesetFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
