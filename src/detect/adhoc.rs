//! Recognisers that come with one request, and detection with them, as Presidio does it.
//!
//! A caller brings patterns in Python's syntax and lists of words. They are compiled for the one request, run beside
//! the ruleset, their scores are raised by words of context, and what is found twice or allowed is left out:
//! the steps and numbers of Presidio 2.2.363, so that its clients get what they know.
//!
//! Invariants: a pattern that does not compile, or takes more steps or time than it may, is an error; none is
//! skipped. Numbers and sizes of what a request brings are bounded. Errors name recognisers and patterns, never text.

mod allow;
mod analysis;
mod context;
mod found;
mod matcher;
mod python_regex;
mod words;

#[cfg(test)]
mod tests;

pub use allow::AllowList;
pub use analysis::{Analysis, Language};
pub use found::{Explanation, Found, in_code_points};

use crate::model::Span;
use found::Source;
use matcher::{Matcher, Stop};
use python_regex::Flags;
use std::sync::Arc;

/// A recogniser as a request states it (Presidio's `PatternRecognizer`).
#[derive(Debug, Clone, PartialEq)]
pub struct AdHocSpec {
    /// What it is called in explanations.
    pub name: String,
    /// What it finds: any text, not only the names Knik knows.
    pub entity: String,
    /// The language of requests it takes part in.
    pub language: String,
    /// Its patterns.
    pub patterns: Vec<PatternSpec>,
    /// Words found as they are, when no letter, digit or `_` touches them.
    pub deny_list: Vec<String>,
    /// How sure a word of that list is, 0 to 1.
    pub deny_list_score: f64,
    /// Words that raise the score of what stands after them.
    pub context: Vec<String>,
    /// How the patterns are read: the sum of Python's flags.
    pub regex_flags: i64,
}

/// One pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternSpec {
    /// What it is called in explanations.
    pub name: String,
    /// In the syntax of Python's `regex` module.
    pub regex: String,
    /// How sure a match is, 0 to 1.
    pub score: f64,
}

/// Why a request cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdHocError {
    /// A pattern is not what it should be; what Python says of it where Python says it too.
    #[error("Invalid regex pattern: {what}")]
    Pattern {
        /// What is wrong and where.
        what: String,
    },
    /// The allow list as a pattern is not what it should be.
    #[error("{what}")]
    AllowList {
        /// What is wrong and where.
        what: String,
    },
    /// Nothing here finds what was asked for in that language.
    #[error("No matching recognizers were found to serve the request.")]
    NoRecogniser,
    /// More of something than is taken.
    #[error("{what}: at most {most} are taken in one request")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        most: usize,
    },
    /// A pattern tries too many ways to match at one place.
    #[error(
        "pattern `{pattern}` takes more than {most} steps at one place; make it simpler or the text shorter"
    )]
    Steps {
        /// Which.
        pattern: String,
        /// How many it may take.
        most: usize,
    },
    /// The time for the request is over.
    #[error("pattern `{pattern}` ran out of time; make it simpler or the text shorter")]
    Time {
        /// Which was running.
        pattern: String,
    },
}

/// Most recognisers of a request, and most patterns of all of them together.
pub const PATTERNS_MAX: usize = 100;
/// Longest pattern, in characters.
pub const PATTERN_CHARS_MAX: usize = 10_000;
/// Most words in deny lists and allow lists together.
pub const LIST_WORDS_MAX: usize = 20_000;
/// Most findings of one request.
pub const FINDINGS_MAX: usize = 100_000;

/// A recogniser ready to run.
pub struct AdHocRecogniser {
    name: Arc<str>,
    entity: Arc<str>,
    language: String,
    rules: Vec<Rule>,
    context: Vec<String>,
    flags: i64,
}

struct Rule {
    name: Arc<str>,
    /// As the explanation shows it.
    pattern: Arc<str>,
    score: f64,
    matcher: Matcher,
}

impl AdHocRecogniser {
    /// Compiles recognisers for texts of at most `text_bytes`.
    ///
    /// # Errors
    /// [`AdHocError`]: the first pattern that cannot be used, or more than is taken.
    pub fn compile(specs: &[AdHocSpec], text_bytes: usize) -> Result<Vec<Self>, AdHocError> {
        let too_many = |what, most| Err(AdHocError::TooMany { what, most });
        if specs.len() > PATTERNS_MAX {
            return too_many("ad-hoc recognisers", PATTERNS_MAX);
        }
        if specs.iter().map(|spec| spec.patterns.len()).sum::<usize>() > PATTERNS_MAX {
            return too_many("patterns", PATTERNS_MAX);
        }
        if specs.iter().map(|spec| spec.deny_list.len()).sum::<usize>() > LIST_WORDS_MAX {
            return too_many("words of deny lists", LIST_WORDS_MAX);
        }
        let patterns = || specs.iter().flat_map(|spec| &spec.patterns);
        if patterns().any(|pattern| pattern.regex.chars().count() > PATTERN_CHARS_MAX) {
            return too_many("characters of a pattern", PATTERN_CHARS_MAX);
        }
        specs.iter().map(|spec| Self::new(spec, text_bytes)).collect()
    }

    fn new(spec: &AdHocSpec, text_bytes: usize) -> Result<Self, AdHocError> {
        let fault = |what| AdHocError::Pattern { what };
        let flags = Flags::from_bits(spec.regex_flags).map_err(fault)?;
        let mut rules = Vec::with_capacity(spec.patterns.len() + 1);
        for pattern in &spec.patterns {
            rules.push(Rule {
                name: pattern.name.as_str().into(),
                pattern: pattern.regex.as_str().into(),
                score: pattern.score,
                matcher: Matcher::new(&pattern.regex, flags, text_bytes).map_err(fault)?,
            });
        }
        if !spec.deny_list.is_empty() {
            rules.push(Rule {
                name: "deny_list".into(),
                pattern: python_regex::deny_list(&spec.deny_list).into(),
                score: spec.deny_list_score,
                matcher: Matcher::of_words(&spec.deny_list, flags, text_bytes).map_err(fault)?,
            });
        }
        Ok(Self {
            name: spec.name.as_str().into(),
            entity: spec.entity.as_str().into(),
            language: spec.language.clone(),
            rules,
            context: spec.context.clone(),
            flags: spec.regex_flags,
        })
    }

    /// Everything its patterns match, without what lies in another match of at least its score.
    fn find(&self, index: usize, text: &str, go_on: &dyn Fn() -> bool) -> Result<Vec<Found>, AdHocError> {
        let mut all = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.score > 0.0) {
            let mut found = |start, end| {
                all.extend(Span::new(start, end).map(|span| self.found(index, rule, span)));
                all.len() <= FINDINGS_MAX
            };
            let searched = rule.matcher.find_all(text, go_on, &mut found);
            searched.map_err(|stop| stopped(stop, &rule.name, text.len()))?;
        }
        Ok(found::without_duplicates(all))
    }

    fn found(&self, index: usize, rule: &Rule, span: Span) -> Found {
        Found {
            span,
            entity: Arc::clone(&self.entity),
            score: rule.score,
            explanation: Explanation {
                recognizer: Arc::clone(&self.name),
                pattern_name: Some(Arc::clone(&rule.name)),
                pattern: Some(Arc::clone(&rule.pattern)),
                original_score: rule.score,
                score: rule.score,
                textual_explanation: format!("Detected by `{}` using pattern `{}`", self.name, rule.name)
                    .into(),
                score_context_improvement: 0.0,
                supportive_context_word: "".into(),
                validation_result: None,
                regex_flags: Some(self.flags),
            },
            source: Source::AdHoc(index),
        }
    }
}

fn stopped(stop: Stop, pattern: &str, text_bytes: usize) -> AdHocError {
    let pattern = pattern.to_owned();
    match stop {
        Stop::Steps => AdHocError::Steps { pattern, most: matcher::steps_max(text_bytes) },
        Stop::Time => AdHocError::Time { pattern },
        Stop::Enough => AdHocError::TooMany { what: "findings", most: FINDINGS_MAX },
    }
}
