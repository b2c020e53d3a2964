//! Finds every match of a pattern as Python's `finditer` does, without the empty ones.
//!
//! A pattern that needs no backtracking runs in time linear in the text. Any other is tried at each place in turn
//! with a bounded number of steps; too many are an error, never a match that goes missing.

use super::python_regex::{self, Flags, translate};
use fancy_regex::{
    CompileError, Error as FancyError, Regex as Fancy, RegexBuilder as FancyBuilder, RegexInput,
};
use regex_automata::meta::{BuildError, Config, Regex as Linear};
use regex_automata::util::syntax;

/// A compiled pattern.
pub(super) enum Matcher {
    Linear(Linear),
    Backtracking(Box<Fancy>),
    /// Matches nothing but the empty text.
    Never,
}

/// Why a search was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// More steps at one place than are allowed.
    Steps,
    /// The caller's time is over.
    Time,
    /// The receiver of matches has enough.
    Enough,
}

/// Largest compiled pattern, in bytes.
const COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most instructions of a pattern that backtracks.
const INSTRUCTIONS_MAX: usize = 20_000;

impl Matcher {
    /// Compiles a Python pattern for texts of at most `text_bytes`.
    ///
    /// # Errors
    /// What is wrong with the pattern, in one line.
    pub(super) fn new(pattern: &str, flags: Flags, text_bytes: usize) -> Result<Self, String> {
        Self::build(&translate(pattern, flags)?, text_bytes, false)
    }

    /// The same, but empty matches count: for [`is_match`](Self::is_match).
    pub(super) fn or_empty(pattern: &str, flags: Flags, text_bytes: usize) -> Result<Self, String> {
        Self::build(&translate(pattern, flags)?, text_bytes, true)
    }

    /// Any of these words that no letter, digit or `_` touches; the first of the list that fits.
    pub(super) fn of_words(words: &[String], flags: Flags, text_bytes: usize) -> Result<Self, String> {
        Self::build(&python_regex::any_of(words, flags), text_bytes, false)
    }

    fn build(pattern: &str, text_bytes: usize, empty_counts: bool) -> Result<Self, String> {
        if let Ok(parsed) = syntax::parse_with(pattern, &syntax::Config::new())
            && (empty_counts || parsed.properties().minimum_len().is_none_or(|least| least > 0))
        {
            let config = Config::new().nfa_size_limit(Some(COMPILED_BYTES_MAX));
            let built = Linear::builder().configure(config).build_from_hir(&parsed);
            return built.map(Self::Linear).map_err(|error| too_large(&error));
        }
        let built = FancyBuilder::new(pattern)
            .find_not_empty(!empty_counts)
            .backtrack_limit(steps_max(text_bytes))
            .delegate_size_limit(COMPILED_BYTES_MAX)
            .max_prog_size(INSTRUCTIONS_MAX)
            .build();
        match built {
            Ok(built) => Ok(Self::Backtracking(Box::new(built))),
            Err(FancyError::CompileError(error)) if matches!(*error, CompileError::PatternCanNeverMatch) => {
                Ok(Self::Never)
            }
            Err(error) => Err(one_line(&error.to_string())),
        }
    }

    /// Hands every match that is not empty to `found`, in bytes, until it says no.
    ///
    /// # Errors
    /// [`Stop`]: the search did not come to the end of the text.
    pub(super) fn find_all(
        &self,
        text: &str,
        go_on: &dyn Fn() -> bool,
        found: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<(), Stop> {
        match self {
            Self::Never => Ok(()),
            Self::Linear(regex) => {
                for one in regex.find_iter(text) {
                    if !go_on() {
                        return Err(Stop::Time);
                    }
                    if !found(one.start(), one.end()) {
                        return Err(Stop::Enough);
                    }
                }
                Ok(())
            }
            Self::Backtracking(regex) => find_each(regex, text, go_on, found),
        }
    }

    /// Whether there is a match.
    pub(super) fn is_match(&self, text: &str) -> Result<bool, Stop> {
        match self {
            Self::Never => Ok(false),
            Self::Linear(regex) => Ok(regex.is_match(text)),
            Self::Backtracking(regex) => regex.is_match(text).map_err(|_| Stop::Steps),
        }
    }
}

fn find_each(
    regex: &Fancy,
    text: &str,
    go_on: &dyn Fn() -> bool,
    found: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<(), Stop> {
    let mut free_from = 0;
    for (place, _) in text.char_indices() {
        if !go_on() {
            return Err(Stop::Time);
        }
        if place < free_from {
            continue;
        }
        let input = RegexInput::new(text).from_pos(place).anchored(true);
        let Some(one) = regex.find_input(input).map_err(|_| Stop::Steps)? else { continue };
        free_from = one.end();
        if one.start() < one.end() && !found(one.start(), one.end()) {
            return Err(Stop::Enough);
        }
    }
    Ok(())
}

/// Steps allowed at one place. One step can look through the rest of the text: the product is what is bounded.
pub(super) fn steps_max(text_bytes: usize) -> usize {
    (STEPS_TIMES_BYTES_MAX / text_bytes.max(1)).clamp(10_000, 1_000_000)
}

const STEPS_TIMES_BYTES_MAX: usize = 10_000_000_000;

fn too_large(error: &BuildError) -> String {
    match error.size_limit() {
        Some(most) => format!("compiled it would be larger than {most} bytes; use smaller repetitions"),
        None => one_line(&error.to_string()),
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
