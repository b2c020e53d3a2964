//! The labels of a ruleset, compiled: which phrase names which recognisers, and the patterns of the values.

use super::error::RulesetFault;
use super::label_words::{MOST_WORDS, phrases};
use super::lane::{Entry, Lane};
use super::lexicon::Flags;
use super::people::View;
use super::spec::{After, Recogniser};
use super::validate::Validator;
use super::words::{join, words};
use crate::model::RecogniserId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Labels while they are compiled.
#[derive(Default)]
pub(super) struct LabelSpecs {
    phrases: Phrases,
    labels: Vec<Label>,
    first_words: Vec<u64>,
}

/// The labels of a ruleset and the patterns of the values they name.
pub(super) struct LabelTable {
    phrases: Phrases,
    labels: Vec<Label>,
    /// Values that start with a digit.
    pub(super) numbers: Values,
    /// All others.
    pub(super) words: Values,
}

/// Where the label of a phrase stands in the list, by the hash of the phrase.
type Phrases = HashMap<u64, usize, BuildHasherDefault<Hashed>>;

/// What a label promises.
#[derive(Default)]
pub(super) struct Label {
    /// Recognisers, each with how many words may stand before its value.
    named: Vec<(usize, usize)>,
    /// The largest of those counts.
    pub(super) within: usize,
    /// Which patterns of [`LabelTable::numbers`] its values have, a bit each.
    pub(super) numbers: u128,
    /// Which patterns of [`LabelTable::words`].
    pub(super) words: u128,
    /// Whether a value may hold no digit at all.
    pub(super) letters: bool,
}

impl Label {
    /// Whether it names the recogniser of a value that stands after `passed` other words.
    pub(super) fn names(&self, recogniser: usize, passed: usize) -> bool {
        self.named.iter().any(|(named, within)| *named == recogniser && passed <= *within)
    }
}

/// Patterns of values. Recognisers that write the same pattern share it.
pub(super) struct Values {
    pub(super) lane: Lane,
    /// By pattern of the lane.
    pub(super) owners: Vec<Vec<Owner>>,
}

/// Whose a value is.
pub(super) struct Owner {
    pub(super) rule: usize,
    pub(super) recogniser: usize,
    pub(super) after: After,
    /// The evidence that a label is.
    pub(super) id: RecogniserId,
}

impl LabelSpecs {
    /// Reads the labels of all recognisers.
    pub(super) fn of(recognisers: &[(String, Recogniser)]) -> Self {
        let mut made = Self::default();
        for (index, (_, r)) in recognisers.iter().enumerate() {
            let letters = !r.validator().ok().flatten().is_some_and(Validator::wants_digit);
            r.labels.iter().flat_map(|l| phrases(l)).for_each(|p| made.add(&p, index, r.within, letters));
        }
        made
    }

    fn add(&mut self, phrase: &str, recogniser: usize, within: usize, letters: bool) {
        let parts = words(phrase);
        let (Some(key), Some(first)) = (parts.iter().map(|w| w.hash).reduce(join), parts.first()) else {
            return;
        };
        self.first_words.push(first.hash);
        let place = *self.phrases.entry(key).or_insert(self.labels.len());
        if place == self.labels.len() {
            self.labels.push(Label::default());
        }
        if let Some(label) = self.labels.get_mut(place) {
            label.named.push((recogniser, within));
            label.within = label.within.max(within);
            label.letters |= letters;
        }
    }

    /// The first words of all labels, for the word table.
    pub(super) fn flags(&self) -> impl Iterator<Item = (u64, Flags)> {
        self.first_words.iter().map(|hash| (*hash, Flags::LABEL))
    }

    /// Compiles the patterns of the values.
    pub(super) fn compile(
        mut self,
        recognisers: &[(String, Recogniser)],
        id: impl Fn(&str) -> RecogniserId,
    ) -> Result<LabelTable, RulesetFault> {
        let numbers = Values::build(recognisers, &id, is_number)?;
        let words = Values::build(recognisers, &id, |regex| !is_number(regex))?;
        for label in &mut self.labels {
            label.numbers = numbers.of(label);
            label.words = words.of(label);
        }
        Ok(LabelTable { phrases: self.phrases, labels: self.labels, numbers, words })
    }
}

/// Whether the values of an expression start with a digit; what is not sure counts as no.
fn is_number(regex: &str) -> bool {
    let digit = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_digit())
            || ["\\d", "[1-9]", "[12]", "[0-9]"].iter().any(|class| part.starts_with(class))
    };
    alternatives(regex).all(digit)
}

/// The alternatives of an expression that stand outside every bracket.
fn alternatives(regex: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut escaped) = (0_usize, false);
    regex.split(move |c| {
        let plain = !escaped;
        escaped = plain && c == '\\';
        match c {
            '(' | '[' if plain => depth += 1,
            ')' | ']' if plain => depth = depth.saturating_sub(1),
            _ => {}
        }
        plain && c == '|' && depth == 0
    })
}

impl Values {
    fn build(
        recognisers: &[(String, Recogniser)],
        id: &impl Fn(&str) -> RecogniserId,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, RulesetFault> {
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let mut owners: Vec<Vec<Owner>> = Vec::new();
        let patterns = recognisers
            .iter()
            .enumerate()
            .flat_map(|(index, (file, r))| r.patterns.iter().map(move |p| (index, file, r, p)));
        for (rule, (recogniser, file, r, p)) in patterns.enumerate() {
            if !r.at_label(p) || !wanted(&p.regex) {
                continue;
            }
            let owner = Owner { rule, recogniser, after: p.after, id: id(&format!("label.{}", r.id())) };
            match entries.iter().zip(&mut owners).find(|(e, _)| e.regex == p.regex) {
                Some((_, sharing)) => sharing.push(owner),
                None => {
                    entries.push(Entry { file, regex: &p.regex, rule: owners.len() });
                    owners.push(vec![owner]);
                }
            }
        }
        Ok(Self { lane: Lane::build(&entries)?, owners })
    }

    /// The patterns that the recognisers of a label have, a bit each.
    fn of(&self, label: &Label) -> u128 {
        let named = |owners: &Vec<Owner>| owners.iter().any(|o| label.names(o.recogniser, 0));
        self.owners
            .iter()
            .enumerate()
            .filter(|(_, o)| named(o))
            .fold(0, |bits, (pattern, _)| bits | 1 << pattern)
    }
}

impl LabelTable {
    /// The longest label that starts with the word `first`: its last word, and what it promises.
    pub(super) fn starting(&self, view: &View<'_>, first: usize) -> Option<(usize, &Label)> {
        let mut key = view.words.get(first)?.hash;
        let mut found = self.label(key).map(|label| (first, label));
        for last in first + 1..first + MOST_WORDS {
            let Some(word) = view.words.get(last).filter(|_| joins(view.gap(last - 1))) else { break };
            key = join(key, word.hash);
            found = self.label(key).map(|label| (last, label)).or(found);
        }
        found
    }

    /// The longest label that ends with a word of which only the hash is given, at the place of word `last`: its first word.
    pub(super) fn ending(&self, view: &View<'_>, last: usize, hash: u64) -> Option<(usize, &Label)> {
        let earlier = last.checked_sub(1).filter(|i| joins(view.gap(*i)));
        let longer = earlier.and_then(|i| {
            let key = join(view.words.get(i)?.hash, hash);
            self.label(key).map(|label| (i, label))
        });
        longer.or_else(|| self.label(hash).map(|label| (last, label)))
    }

    fn label(&self, key: u64) -> Option<&Label> {
        self.phrases.get(&key).and_then(|place| self.labels.get(*place))
    }
}

/// Whether what stands between two words leaves them one label.
fn joins(gap: &str) -> bool {
    matches!(gap, " " | "-" | "  " | ". " | "." | "_" | "/" | " & " | "'")
}

/// Takes a hash as it is: keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_other_values() {
        for (regex, number) in [
            (r"\d{4}", true),
            (r"\d{3} (jaar|jr)", true),
            (r"\d{9}|[a-z]\d{8}", false),
            (r"\d{9}|[1-9]\d{3}", true),
            (r"[1-9a-z]+", false),
            (r"31 ?6", true),
            (r"\(?0\d", false),
            (r"\d\|x", true),
        ] {
            assert_eq!(is_number(regex), number, "{regex}");
        }
    }
}
