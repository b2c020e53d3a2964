//! What a request lets stand: words as they are, or patterns.

use super::matcher::{Matcher, Stop};
use super::python_regex::Flags;
use super::{AdHocError, LIST_WORDS_MAX, PATTERN_CHARS_MAX, stopped};
use std::collections::HashSet;

/// An allow list.
pub enum AllowList {
    /// A finding is let stand when it is one of these, letter by letter.
    Exact(HashSet<String>),
    /// A finding is let stand when a pattern is found in it.
    Regex(AllowPattern),
}

/// All patterns of an allow list as one.
pub struct AllowPattern(Option<Matcher>);

impl AllowList {
    /// Words as they are.
    ///
    /// # Errors
    /// [`AdHocError::TooMany`].
    pub fn exact(words: impl IntoIterator<Item = String>) -> Result<Self, AdHocError> {
        let words: HashSet<String> = words.into_iter().collect();
        if words.len() > LIST_WORDS_MAX {
            return Err(AdHocError::TooMany { what: "words of an allow list", most: LIST_WORDS_MAX });
        }
        Ok(Self::Exact(words))
    }

    /// Patterns in Python's syntax, read with the sum of its flags; empty ones do not count.
    ///
    /// # Errors
    /// [`AdHocError`]: what is wrong with the patterns, or too many.
    pub fn regex(patterns: &[String], regex_flags: i64, text_bytes: usize) -> Result<Self, AdHocError> {
        let fault = |what| AdHocError::AllowList { what };
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
        if patterns.is_empty() {
            return Ok(Self::Regex(AllowPattern(None)));
        }
        let joined = patterns.join("|");
        if joined.chars().count() > PATTERN_CHARS_MAX {
            return Err(AdHocError::TooMany { what: "characters of an allow list", most: PATTERN_CHARS_MAX });
        }
        let flags = Flags::from_bits(regex_flags).map_err(fault)?;
        let matcher = Matcher::or_empty(&joined, flags, text_bytes).map_err(fault)?;
        Ok(Self::Regex(AllowPattern(Some(matcher))))
    }

    /// Whether a finding with these words is let stand.
    pub(super) fn allows(&self, words: &str, go_on: &dyn Fn() -> bool) -> Result<bool, AdHocError> {
        let failed = |stop| stopped(stop, "allow_list", words.len());
        match self {
            Self::Exact(allowed) => Ok(allowed.contains(words)),
            Self::Regex(AllowPattern(None)) => Ok(false),
            Self::Regex(AllowPattern(Some(_))) if !go_on() => Err(failed(Stop::Time)),
            Self::Regex(AllowPattern(Some(matcher))) => matcher.is_match(words).map_err(failed),
        }
    }
}
