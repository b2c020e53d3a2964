//! Signs that a text tells something of a special category (AVG 9 and 10) or of a minor: flags on the record.
//!
//! A word of a rule's `terms` is looked up in one table; only where one stands is anything else read: what must stand
//! near it (someone it is said of, in the order of a frame), and what speaks against. General talk has no one it is
//! said of and raises no flag. Invariants: flags are sorted, those of one kind do not overlap, their spans lie on
//! character boundaries of the text as given; time grows with the length of the text; no text makes it panic.

mod file;
mod frame;
mod window;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;

pub(super) use file::FlagFile;
pub use file::{FlagExample, FlagRule};

use super::lexicon::Flags as Known;
use super::ruleset::{CheckFailure, Ruleset};
use super::shadow::Shadow;
use super::words::{Keyed, Word};
use crate::model::{Finding, RecordFlag, Span};
use frame::{Frame, List};
use window::Window;

/// Flag rules, compiled.
#[derive(Default)]
pub(super) struct Flagging {
    rules: Vec<Compiled>,
    /// What may follow from a word, by the word's hash.
    triggers: Keyed<Vec<Trigger>>,
    /// The lists that a word or phrase stands in, by its hash; beginnings of phrases are there too.
    lists: Keyed<Vec<List>>,
    list_count: usize,
}

struct Compiled {
    rule: FlagRule,
    near: Vec<Frame>,
    against: List,
}

/// A term or phrase, looked up by its longest word.
struct Trigger {
    rule: usize,
    words: Vec<u64>,
    /// Which of the words it is looked up by.
    anchor: usize,
    /// A phrase that is flagged as it stands.
    whole: bool,
}

/// Words `start..end` of the text, by the rule with that index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sign {
    rule: usize,
    start: usize,
    end: usize,
}

impl Ruleset {
    /// Signs of special categories (AVG 9 and 10) and of minors in one text: sorted by start, at most one of a kind
    /// over the same words, spans in bytes on character boundaries. Of names it knows first names by list.
    ///
    /// A sign is no finding: nothing is redacted by it. The record is to be withheld until a person judged it.
    /// Political opinion is no flag.
    #[must_use]
    pub fn flags(&self, text: &str) -> Vec<RecordFlag> {
        let (shadow, cut) = self.read(text);
        self.flags_of(&shadow, cut.words.all(), &|word| self.is_first_name(word))
    }

    /// The same, where the findings of the text say who is named in it: whoever they are, and whatever lists know of
    /// them. Two texts that differ in redacted names alone are flagged alike.
    #[must_use]
    pub fn flags_among(&self, text: &str, findings: &[Finding]) -> Vec<RecordFlag> {
        let (shadow, cut) = self.read(text);
        let named = |f: &&Finding| matches!(f.entity.as_str(), "PERSON" | "USERNAME" | "PUBLIC_OFFICIAL");
        let people: Vec<Span> = findings.iter().filter(named).map(|finding| finding.span).collect();
        self.flags_of(&shadow, cut.words.all(), &|word| {
            let (start, end) = shadow.source(word.start, word.end);
            let before = people.partition_point(|span| span.start() <= start);
            before.checked_sub(1).and_then(|n| people.get(n)).is_some_and(|span| end <= span.end())
        })
    }

    fn flags_of(
        &self,
        shadow: &Shadow<'_>,
        words: &[Word],
        someone: &dyn Fn(&Word) -> bool,
    ) -> Vec<RecordFlag> {
        let signs = self.flagging.signs(shadow.text(), words, someone);
        let flags = signs.into_iter().filter_map(|sign| self.flag(shadow, words, sign));
        let mut flags: Vec<RecordFlag> = flags.collect();
        flags.sort_by_key(|flag| (flag.span.start(), std::cmp::Reverse(flag.span.end()), flag.kind));
        one_of_a_kind(flags)
    }

    /// The rules by which records are flagged, in the order of the file.
    pub fn flag_rules(&self) -> impl Iterator<Item = &FlagRule> {
        self.flagging.rules.iter().map(|compiled| &compiled.rule)
    }

    /// The examples and counter-examples of flag rules that do not hold.
    pub(super) fn check_flags(&self) -> Vec<CheckFailure> {
        let mut failures = Vec::new();
        for rule in self.flag_rules() {
            let wanted = rule.examples().iter().map(|e| (e.text.as_str(), e.flags.clone()));
            let none = rule.counter_examples().iter().map(|text| (text.as_str(), Vec::new()));
            for (text, wanted) in wanted.chain(none) {
                let flags = self.flags(text);
                let mine = flags.iter().filter(|flag| flag.rule == *rule.id());
                let found: Vec<String> =
                    mine.filter_map(|flag| flag.span.of(text)).map(str::to_owned).collect();
                if found != wanted {
                    failures.push(CheckFailure {
                        recogniser: rule.id().clone(),
                        text: text.to_owned(),
                        wanted,
                        found,
                    });
                }
            }
        }
        failures
    }

    fn is_first_name(&self, word: &Word) -> bool {
        word.capital() && self.known.flags(word.hash).any(Known::FIRST.with(Known::FOREIGN))
    }

    fn flag(&self, shadow: &Shadow<'_>, words: &[Word], sign: Sign) -> Option<RecordFlag> {
        let rule = &self.flagging.rules.get(sign.rule)?.rule;
        let last = words.get(sign.end.checked_sub(1)?)?;
        let (start, end) = shadow.source(words.get(sign.start)?.start, last.end);
        Some(RecordFlag { kind: rule.kind(), span: Span::new(start, end)?, rule: rule.id().clone() })
    }
}

/// Of flags of one kind that overlap, the first and longest. Expects them sorted.
fn one_of_a_kind(flags: Vec<RecordFlag>) -> Vec<RecordFlag> {
    let mut kept: Vec<RecordFlag> = Vec::with_capacity(flags.len());
    let mut ends = [0_usize; crate::model::FlagKind::ALL.len()];
    for flag in flags {
        if let Some(end) = ends.get_mut(flag.kind as usize)
            && flag.span.start() >= *end
        {
            *end = flag.span.end();
            kept.push(flag);
        }
    }
    kept
}

impl Flagging {
    /// Every sign, in the order of the words that gave rise to it.
    fn signs(&self, text: &str, words: &[Word], someone: &dyn Fn(&Word) -> bool) -> Vec<Sign> {
        let mut signs = Vec::new();
        let mut window: Option<Window> = None;
        for (at, word) in words.iter().enumerate() {
            let Some(triggers) = self.triggers.get(&word.hash) else { continue };
            let window = window.get_or_insert_with(|| Window::new(self));
            window.read(self, text, words, at, someone);
            signs.extend(triggers.iter().filter_map(|trigger| self.sign(trigger, window, words, at)));
        }
        signs
    }

    fn sign(&self, trigger: &Trigger, window: &Window, words: &[Word], at: usize) -> Option<Sign> {
        let start = at.checked_sub(trigger.anchor)?;
        let end = start + trigger.words.len();
        let said = words.get(start..end)?;
        if !said.iter().map(|word| &word.hash).eq(&trigger.words) {
            return None;
        }
        let rule = self.rules.get(trigger.rule)?;
        let term = window.within(start, end)?;
        let found = match trigger.whole {
            true => Some(term),
            false => rule.near.iter().find_map(|frame| window.frame(frame, term)),
        }?;
        (!window.clause_has(found, rule.against)).then(|| Sign {
            rule: trigger.rule,
            start: window.first() + found.0,
            end: window.first() + found.1,
        })
    }

    /// The lists that a word or phrase of this hash stands in; none for the beginning of a longer one; nothing for a
    /// word or words with which no phrase begins.
    fn lists_of(&self, hash: u64) -> Option<&[List]> {
        self.lists.get(&hash).map(Vec::as_slice)
    }
}
