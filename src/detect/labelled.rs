//! Values that a label names: `zaaknummer: 2023-00123`, `wachtwoord is …`. The finding is the value, not the label.
//!
//! The first word of every label carries [`Flags::LABEL`] in the word table, so a text without such a word costs one
//! look at each flag. From a label the value is sought to the right: over spaces, signs and words such as `is`
//! and `nr`, and over as many other words as the recogniser allows, but not beyond the sentence. A value before
//! the label counts when the two are tied together: `12345678 is mijn klantnummer`, `12345678 (klantnummer)`.
//!
//! Each try is anchored and bounded, and a label tries a bounded number of places: time is in proportion to the text.

use super::bytes::{at, before};
use super::context::is;
use super::joint::{Joint, more, tied};
use super::label_table::{Label, LabelTable, Values};
use super::lane::WINDOW;
use super::lexicon::Flags;
use super::people::View;
use super::spec::After;
use super::words::{Look, hash, literal};
use crate::model::RecogniserId;

/// A value that stands at a label.
pub(super) struct Value<'l> {
    pub(super) rule: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the label stands.
    pub(super) label: (usize, usize),
    /// The evidence that the label is.
    pub(super) id: &'l RecogniserId,
}

impl LabelTable {
    /// Offers `accept` every value that stands at a label, the longest of a place first, until it takes one.
    pub(super) fn find(&self, view: &View<'_>, mut accept: impl FnMut(Value<'_>) -> bool) {
        let mut next = 0;
        let is_label = |flags: &Flags| flags.any(Flags::LABEL);
        while let Some(offset) = view.flags.get(next..).and_then(|rest| rest.iter().position(is_label)) {
            self.at_label(view, next + offset, &mut accept);
            next += offset + 1;
        }
        for (index, word) in view.words.iter().enumerate().filter(|(_, w)| w.look == Look::Number) {
            if at(view.text.as_bytes(), word.start).is_ascii_alphabetic() {
                self.glued(view, index, &mut accept);
            }
        }
    }

    fn at_label(&self, view: &View<'_>, first: usize, accept: &mut impl FnMut(Value<'_>) -> bool) {
        let Some((last, label)) = self.starting(view, first) else { return };
        let (Some(opening), Some(closing)) = (view.words.get(first), view.words.get(last)) else { return };
        let place = (opening.start, closing.end);
        let mut seeker = Seeker { table: self, view, label, place, tie: Tie::of(view, first), accept };
        if !seeker.forward(closing.end, last + 1) {
            seeker.backward(first);
        }
    }

    /// A label that its value is glued to: `bsn999990019`.
    fn glued(&self, view: &View<'_>, index: usize, accept: &mut impl FnMut(Value<'_>) -> bool) {
        let Some(word) = view.words.get(index) else { return };
        let text = view.text.get(word.start..word.end).unwrap_or("");
        let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
        if !(2..=MOST_GLUED).contains(&letters) {
            return;
        }
        let Some((first, label)) = self.ending(view, index, hash(text.get(..letters).unwrap_or(""))) else {
            return;
        };
        let start = view.words.get(first).map_or(word.start, |w| w.start);
        let place = (start, word.start + letters);
        let mut seeker = Seeker { table: self, view, label, place, tie: Tie::of(view, first), accept };
        seeker.try_to(place.1, None, seeker.tie);
    }
}

/// Looks for the value of one label.
struct Seeker<'s, 'v, F> {
    table: &'s LabelTable,
    view: &'s View<'v>,
    label: &'s Label,
    /// Where the label stands.
    place: (usize, usize),
    /// What ties a value that follows right after.
    tie: Tie,
    accept: &'s mut F,
}

impl<F: FnMut(Value<'_>) -> bool> Seeker<'_, '_, F> {
    /// To the right from `from`, where the word `next` is the first; whether a value was found.
    fn forward(&mut self, mut from: usize, mut next: usize) -> bool {
        let (mut tie, mut passed, mut fillers) = (self.tie, 0, 0);
        while let Some(joint) = Joint::at(self.view.text, from) {
            tie = Tie { sign: tie.sign || joint.sign, bracket: joint.bracket, passed, ..tie };
            let word = self.view.words.get(next).filter(|w| w.start == joint.end);
            let filler = is(word, FILLERS) && fillers < MOST_FILLERS;
            if !filler && let Some(end) = self.try_to(joint.end, None, tie) {
                self.list(end);
                return true;
            }
            let Some(word) = word else { return false };
            fillers += usize::from(filler);
            passed += usize::from(!filler);
            if passed > self.label.within {
                return false;
            }
            from = word.end;
            next += 1;
        }
        false
    }

    /// More values of the same label: `12345678, 23456789 en 34567890`.
    fn list(&mut self, mut end: usize) {
        while let Some(start) = more(self.view.text, end) {
            match self.try_to(start, None, self.tie) {
                Some(next) => end = next,
                None => return,
            }
        }
    }

    /// The value before the label, when something ties them.
    fn backward(&mut self, first: usize) {
        let Some(end) = tied(self.view, first) else { return };
        let bytes = self.view.text.as_bytes();
        let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'_');
        let mut start = end;
        while start > 0 && end - start < MOST_BACK && inside(before(bytes, start)) {
            start -= 1;
        }
        while start < end && !at(bytes, start).is_ascii_alphanumeric() {
            start += 1;
        }
        self.try_to(start, Some(end), Tie { owned: true, ..Tie::default() });
    }

    /// Tries the values that start at `start`, and end at `end` if given; the end of the longest that was taken.
    fn try_to(&mut self, start: usize, end: Option<usize>, tie: Tie) -> Option<usize> {
        let rest = self.view.text.get(start..)?;
        let (table, label) = (self.table, self.label);
        let digit = rest.bytes().next().is_some_and(|b| b.is_ascii_digit());
        if digit && label.numbers != 0 {
            let found = self.try_values(&table.numbers, label.numbers, (start, rest), end, tie);
            if found.is_some() {
                return found;
            }
        }
        let promising = label.words != 0 && (label.letters || digit_near(rest));
        if promising { self.try_values(&table.words, label.words, (start, rest), end, tie) } else { None }
    }

    fn try_values(
        &mut self,
        values: &Values,
        wanted: u128,
        (start, rest): (usize, &str),
        end: Option<usize>,
        tie: Tie,
    ) -> Option<usize> {
        let mut taken = Vec::new();
        values.lane.matches_at(rest, 0, |pattern, length| {
            if wanted >> pattern & 1 == 0 {
                return false;
            }
            let cut = length + 2 >= WINDOW || rest.get(..length).is_some_and(|value| value.contains('\n'));
            let length = if cut { length + run_on(rest, length) } else { length };
            let stop = start + length;
            if end.is_some_and(|end| stop != end) {
                return false;
            }
            for owner in values.owners.get(pattern).map_or(&[][..], Vec::as_slice) {
                let meant = self.label.names(owner.recogniser, tie.passed) && tie.allows(owner.after);
                if meant && !taken.iter().any(|(r, _)| *r == owner.recogniser) {
                    let value =
                        Value { rule: owner.rule, start, end: stop, label: self.place, id: &owner.id };
                    if (self.accept)(value) {
                        taken.push((owner.recogniser, stop));
                    }
                }
            }
            false
        });
        taken.into_iter().map(|(_, end)| end).max()
    }
}

/// Whether a digit stands in the first word of a text.
fn digit_near(text: &str) -> bool {
    text.bytes().take(MOST_BACK).take_while(|b| !b.is_ascii_whitespace()).any(|b| b.is_ascii_digit())
        || text.bytes().skip(1).take(FIRST_GROUP).any(|b| b.is_ascii_digit())
}

/// How far the digits of a value whose letters stand apart may be: `AB CD 12`.
const FIRST_GROUP: usize = 7;

/// How far a key that is longer than the window goes on, over lines of letters and digits.
fn run_on(text: &str, from: usize) -> usize {
    let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-');
    let bytes = text.as_bytes();
    let bytes = bytes.get(..from + MOST_KEY).unwrap_or(bytes);
    let mut end = from;
    loop {
        end += bytes.iter().skip(end).take_while(|b| inside(b)).count();
        let gap = bytes.iter().skip(end).take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let next = bytes.iter().skip(end + gap).take_while(|b| b.is_ascii_alphanumeric()).count();
        if gap == 0 || next < LINE {
            return end - from;
        }
        end += gap;
    }
}

/// The longest key, in bytes.
const MOST_KEY: usize = 4096;
/// A line of a key starts with this many letters and digits.
const LINE: usize = 4;

/// How a value is tied to its label.
#[derive(Clone, Copy, Default)]
struct Tie {
    sign: bool,
    bracket: bool,
    /// Whether the label is said to be somebody's.
    owned: bool,
    /// Other words between.
    passed: usize,
}

impl Tie {
    /// What stands before the label whose first word is `first`.
    fn of(view: &View<'_>, first: usize) -> Self {
        let before = first.checked_sub(1);
        let owned = before.is_some_and(|i| view.gap(i) == " " && is(view.words.get(i), OWNERS));
        Self { owned, ..Self::default() }
    }

    fn allows(self, after: After) -> bool {
        match after {
            After::Any => true,
            After::Sign => self.sign && self.passed == 0,
            After::Bracket => self.bracket,
            After::Owned => self.owned || (self.sign && self.passed == 0),
        }
    }
}

/// The longest label that may be glued to its value, in letters.
const MOST_GLUED: usize = 24;
/// The longest value before a label, in bytes.
const MOST_BACK: usize = 40;
const MOST_FILLERS: usize = 4;

/// Words that make what follows somebody's.
const OWNERS: &[u64] = &[
    literal("mijn"),
    literal("mn"),
    literal("n"),
    literal("onze"),
    literal("ons"),
    literal("uw"),
    literal("jouw"),
    literal("zijn"),
    literal("haar"),
    literal("hun"),
    literal("my"),
    literal("our"),
    literal("your"),
    literal("his"),
    literal("her"),
    literal("their"),
];

/// Words between a label and its value that say nothing.
const FILLERS: &[u64] = &[
    literal("is"),
    literal("was"),
    literal("nr"),
    literal("no"),
    literal("num"),
    literal("nummer"),
    literal("number"),
    literal("luidt"),
    literal("dus"),
    literal("mijn"),
    literal("my"),
    literal("namelijk"),
];
