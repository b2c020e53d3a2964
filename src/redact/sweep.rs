//! A value redacted once must be absent: finds covered values wherever else they occur.

use super::RedactError;
use super::fold::{Folded, fold, is_invisible};
use super::piece::Placeholder;
use crate::model::Span;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::HashMap;
use unicode_normalization::char::is_combining_mark;

/// Covered values of fewer characters (folded) than this are not searched for elsewhere: they are
/// in half of all words.
pub(super) const VALUE_CHARS_MIN: usize = 4;

/// The covered values of one record, to be covered wherever they stand.
pub(super) struct Sweep {
    values: Option<AhoCorasick>,
    placeholders: Vec<Placeholder>,
}

impl Sweep {
    /// From covered values with their placeholders. A value of two people is swept without a person.
    ///
    /// # Errors
    /// When there are more values than can be searched for: withhold.
    pub(super) fn new<'v>(
        covered: impl Iterator<Item = (&'v str, &'v Placeholder)>,
    ) -> Result<Self, RedactError> {
        let mut known: HashMap<String, usize> = HashMap::new();
        let (mut patterns, mut placeholders): (Vec<String>, Vec<Placeholder>) = Default::default();
        for (value, placeholder) in covered {
            let Some(value) = sweepable(value) else { continue };
            match known.get(&value).and_then(|at| placeholders.get_mut(*at)) {
                Some(first) if first.subject != placeholder.subject => first.subject = None,
                Some(_) => {}
                None => {
                    known.insert(value.clone(), patterns.len());
                    patterns.push(value);
                    placeholders.push(placeholder.clone());
                }
            }
        }
        let values =
            if patterns.is_empty() { None } else { Some(build(&patterns).ok_or(RedactError::Leak)?) };
        Ok(Self { values, placeholders })
    }

    /// Whether nothing needs to be searched for.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_none()
    }

    /// Occurrences of the values in `text` that do not lie wholly in one of `covers` (sorted, disjoint),
    /// each widened to whole words (`Jong` in `jongeren` would tell the name), sorted and disjoint.
    pub(super) fn find(&self, text: &str, covers: &[Span]) -> Vec<(Span, &Placeholder)> {
        let Some(values) = &self.values else { return Vec::new() };
        let folded: Folded = fold(text);
        let mut found: Vec<(Span, &Placeholder)> = Vec::new();
        let mut last_end = 0;
        let mut cover = 0;
        for hit in values.find_iter(&folded.text) {
            let (start, end) = folded.source(hit.start(), hit.end());
            while covers.get(cover).is_some_and(|span| span.end() <= start) {
                cover += 1;
            }
            let inside = covers.get(cover).is_some_and(|span| span.start() <= start && end <= span.end());
            if inside || end <= last_end {
                continue;
            }
            let (start, end) = (word_start(text, start.max(last_end), last_end), word_end(text, end));
            if let (Some(span), Some(placeholder)) =
                (Span::new(start, end), self.placeholders.get(hit.pattern().as_usize()))
            {
                found.push((span, placeholder));
                last_end = end;
            }
        }
        found
    }
}

/// The folded form of a value that is long enough to be searched for.
pub(super) fn sweepable(value: &str) -> Option<String> {
    let value = fold(value.trim()).text;
    (value.chars().count() >= VALUE_CHARS_MIN).then_some(value)
}

fn build(patterns: &[String]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::NoncontiguousNFA))
        .prefilter(false)
        .build(patterns)
        .ok()
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || is_invisible(c)
}

fn word_start(text: &str, start: usize, not_before: usize) -> usize {
    if !text.get(start..).and_then(|rest| rest.chars().next()).is_some_and(in_word) {
        return start;
    }
    let before = text.get(not_before..start).unwrap_or_default();
    let outside = before.char_indices().rev().find(|(_, c)| !in_word(*c));
    outside.map_or(not_before, |(at, c)| not_before + at + c.len_utf8())
}

fn word_end(text: &str, end: usize) -> usize {
    if !text.get(..end).and_then(|head| head.chars().next_back()).is_some_and(in_word) {
        return end;
    }
    let rest = text.get(end..).unwrap_or_default();
    rest.char_indices().find(|(_, c)| !in_word(*c)).map_or(text.len(), |(at, _)| end + at)
}
