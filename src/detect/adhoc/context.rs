//! Words around a match that raise its score: 0.35 more, at least 0.4, at most 1; from the word the match starts in
//! (or the next that counts, when that one does not), five words before it that count, and the words the request brings.

use super::AdHocRecogniser;
use super::found::{Found, Source};
use super::words::{Tongue, Word, words};
use crate::detect::Recogniser;
use std::sync::Arc;

const BOOST: f64 = 0.35;
const LEAST: f64 = 0.4;
/// Five words before the match, and the word it starts in.
const WORDS: usize = 6;

/// What scores are raised by.
pub(super) struct Context<'a> {
    pub(super) adhoc: &'a [AdHocRecogniser],
    pub(super) ruleset: &'a [&'a Recogniser],
    /// The request's own words, in lower case.
    pub(super) given: Vec<String>,
}

impl Context<'_> {
    /// Raises scores of what a word of its recogniser's context supports.
    pub(super) fn raise(&self, text: &str, tongue: Tongue, all: &mut [Found]) {
        let mut cut: Option<Vec<Word>> = None;
        for found in all {
            let supported = match found.source {
                Source::AdHoc(index) => {
                    self.adhoc.get(index).filter(|r| !r.context.is_empty()).and_then(|r| {
                        let words = cut.get_or_insert_with(|| words(text, tongue));
                        let near =
                            near(words, found.span.start()).chain(self.given.iter().map(String::as_str));
                        supportive(&r.context, &near.collect::<Vec<_>>())
                    })
                }
                // The text around was looked at when the ruleset ran.
                Source::Ruleset(index, false) if !self.given.is_empty() => {
                    let given: Vec<&str> = self.given.iter().map(String::as_str).collect();
                    self.ruleset.get(index).and_then(|r| supportive(&r.context, &given))
                }
                Source::Ruleset(..) => None,
            };
            if let Some(word) = supported {
                lift(found, word.into());
            }
        }
    }
}

fn lift(found: &mut Found, word: Arc<str>) {
    found.score = (found.score + BOOST).clamp(LEAST, 1.0);
    found.explanation.supportive_context_word = word;
    found.explanation.score = found.score;
    found.explanation.score_context_improvement = found.score - found.explanation.original_score;
}

/// The words that count: the one at `start` and those before it; when that one does not count, the next that does.
fn near(words: &[Word], start: usize) -> impl Iterator<Item = &str> {
    let at = words.partition_point(|word| word.end <= start);
    let upto = if at < words.len() { at + 1 } else { 0 };
    let counts = |word: &&Word| word.counts;
    let before = words.get(..upto).unwrap_or_default().iter().rev().filter(counts).take(WORDS);
    let after = words.get(at..).unwrap_or_default().iter().find(counts);
    before.chain(after).map(|word| word.text.as_str())
}

/// The first word of a recogniser's context that one of these contains.
fn supportive<'c>(context: &'c [String], near: &[&str]) -> Option<&'c str> {
    let found = context.iter().find(|word| {
        let word = word.to_lowercase();
        near.iter().any(|near| near.contains(&word))
    });
    found.map(String::as_str).filter(|word| !word.is_empty())
}
