//! Values that a label names: `zaaknummer: 2023-00123`, `wachtwoord is …`. The finding is the value, not the label.
//!
//! The words of labels carry [`Flags::LABEL`] and its like in the word table, and the cutter lists where a label may end, so a text
//! without one costs nothing here. From a label the value is sought to the right: over spaces, signs and words such as `is`
//! and `nr`, and over as many other words as the recogniser allows, but not beyond the sentence. A value before
//! the label counts when the two are tied together: `12345678 is mijn klantnummer`, `12345678 (klantnummer)`.
//!
//! Each try is anchored and bounded, and a label tries a bounded number of places: time is in proportion to the text.

use super::bytes::{at, before};
use super::context::is;
use super::error::RulesetFault;
use super::joint::{Joint, more, tied};
use super::label_words::{MOST_WORDS, phrases};
use super::lane::{Entry, Lane, WINDOW, bit};
use super::lexicon::Flags;
use super::people::View;
use super::spec::{After, Recogniser};
use super::words::{Keyed, hash, join, literal, words};
use crate::model::RecogniserId;
use smallvec::SmallVec;

/// The labels of a ruleset and the patterns of the values they name.
pub(super) struct Labels {
    lane: Lane,
    /// By pattern of the lane: the rules that share it.
    sharing: Vec<Vec<Owner>>,
    labels: Keyed<Label>,
    /// By recogniser: the evidence that a label of it is.
    ids: Vec<Option<RecogniserId>>,
}

/// What a label promises.
#[derive(Default)]
struct Label {
    named: Vec<Named>,
    /// Which patterns of the lane its values have.
    patterns: u128,
    /// The bytes with which a value may start, a bit each: most that stand behind a label are none.
    opens: [u64; 4],
}

impl Label {
    /// Whether a value may start with a byte.
    #[inline]
    fn opens(&self, byte: u8) -> bool {
        let row = self.opens.get(usize::from(byte / 64)).copied().unwrap_or(0);
        row.wrapping_shr((byte % 64).into()) & 1 != 0
    }
}

/// Whose a value of a pattern is, and what must stand before it.
#[derive(Clone, Copy)]
struct Owner {
    rule: usize,
    recogniser: usize,
    after: After,
}

/// A recogniser that a label is of.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Named {
    recogniser: usize,
    within: usize,
}

/// A value that stands at a label.
pub(super) struct Value {
    pub(super) rule: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the label stands.
    pub(super) label: (usize, usize),
    /// Whose label it is.
    pub(super) recogniser: usize,
}

/// Labels while they are compiled.
#[derive(Default)]
pub(super) struct LabelSpecs {
    labels: Keyed<Label>,
    owners: Vec<Owner>,
    words: Vec<(u64, Flags)>,
}

impl LabelSpecs {
    /// Reads the labels of every recogniser of the kind.
    pub(super) fn of(recognisers: &[(String, Recogniser)]) -> Self {
        let mut made = Self::default();
        let mut rule = 0;
        for (index, (_, r)) in recognisers.iter().enumerate() {
            let values = r.patterns.iter().enumerate().filter(|(_, p)| r.at_label(p));
            made.owners.extend(values.map(|(n, p)| Owner {
                rule: rule + n,
                recogniser: index,
                after: p.after,
            }));
            r.labels.iter().flat_map(|l| phrases(l)).for_each(|p| made.add(&p, index, r.within));
            rule += r.patterns.len();
        }
        made
    }

    fn add(&mut self, phrase: &str, recogniser: usize, within: usize) {
        let parts = words(phrase);
        let (Some(key), Some(last)) = (parts.iter().map(|w| w.hash).reduce(join), parts.last()) else {
            return;
        };
        match parts.iter().rev().nth(1) {
            None => self.words.push((last.hash, Flags::LABEL)),
            Some(lead) => {
                self.words.extend([(last.hash, Flags::LABEL_END), (lead.hash, Flags::LABEL_LEAD)]);
            }
        }
        let named = &mut self.labels.entry(key).or_default().named;
        let this = Named { recogniser, within };
        if !named.contains(&this) {
            named.push(this);
        }
    }

    /// The words of all labels that say where to look, for the word table.
    pub(super) fn flags(&self) -> impl Iterator<Item = (u64, Flags)> {
        self.words.iter().copied()
    }

    /// Compiles the patterns of the values.
    pub(super) fn compile(
        mut self,
        recognisers: &[(String, Recogniser)],
        id: impl Fn(&str) -> RecogniserId,
    ) -> Result<Labels, RulesetFault> {
        let patterns: Vec<_> =
            recognisers.iter().flat_map(|(file, r)| r.patterns.iter().map(move |p| (file, p))).collect();
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let mut sharing: Vec<Vec<Owner>> = Vec::new();
        for owner in &self.owners {
            let Some((file, p)) = patterns.get(owner.rule) else { continue };
            match entries.iter().zip(&mut sharing).find(|(e, _)| e.regex == p.regex) {
                Some((_, owners)) => owners.push(*owner),
                None => {
                    entries.push(Entry { file, regex: &p.regex, rule: sharing.len(), weak: false });
                    sharing.push(vec![*owner]);
                }
            }
        }
        let lane = Lane::build(&entries, TOGETHER)?;
        let opening: Vec<u128> = (0..=u8::MAX).map(|byte| lane.opening(byte)).collect();
        for label in self.labels.values_mut() {
            let names = |o: &Owner| label.named.iter().any(|n| n.recogniser == o.recogniser);
            let patterns = sharing.iter().enumerate().filter(|(_, owners)| owners.iter().any(names));
            label.patterns = patterns.fold(0, |all, (pattern, _)| all | bit(pattern));
            label.opens = rows(&opening, label.patterns);
        }
        let ids =
            recognisers.iter().map(|(_, r)| (!r.labels.is_empty()).then(|| id(&format!("label.{}", r.id()))));
        Ok(Labels { lane, sharing, labels: self.labels, ids: ids.collect() })
    }
}

/// A bit for each byte with which a value of some of these patterns may start.
fn rows(opening: &[u128], patterns: u128) -> [u64; 4] {
    let mut rows = [0; 4];
    for (row, bytes) in rows.iter_mut().zip(opening.chunks(64)) {
        *row = bytes.iter().rev().fold(0, |row, opens| row << 1 | u64::from(opens & patterns != 0));
    }
    rows
}

impl Labels {
    /// The evidence that a label of a recogniser is.
    pub(super) fn evidence(&self, recogniser: usize) -> Option<&RecogniserId> {
        self.ids.get(recogniser)?.as_ref()
    }

    /// Offers `accept` every value that stands at a label, the longest of a place first, until it takes one.
    pub(super) fn find(&self, view: &View<'_>, mut accept: impl FnMut(Value) -> bool) {
        for index in view.cut.labels.iter() {
            self.at_label(view, index, &mut accept);
        }
        for index in &view.cut.lettered {
            self.glued(view, *index, &mut accept);
        }
    }

    fn at_label(&self, view: &View<'_>, last: usize, accept: &mut impl FnMut(Value) -> bool) {
        let Some(word) = view.words.get(last) else { return };
        let Some((first, promise)) = self.phrase(view, last, word.hash) else { return };
        let label = (view.words.get(first).map_or(word.start, |w| w.start), word.end);
        let mut seeker = Seeker { labels: self, view, promise, label, tie: Tie::of(view, first), accept };
        if !seeker.forward(word.end, last + 1) {
            seeker.backward(first);
        }
    }

    /// A label that its value is glued to: `bsn999990019`.
    fn glued(&self, view: &View<'_>, index: usize, accept: &mut impl FnMut(Value) -> bool) {
        let Some(word) = view.words.get(index) else { return };
        let text = view.text.get(word.start..word.end).unwrap_or("");
        let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
        if !(2..=MOST_GLUED).contains(&letters) {
            return;
        }
        let Some((first, promise)) = self.phrase(view, index, hash(text.get(..letters).unwrap_or(""))) else {
            return;
        };
        let start = view.words.get(first).map_or(word.start, |w| w.start);
        let label = (start, word.start + letters);
        let mut seeker = Seeker { labels: self, view, promise, label, tie: Tie::of(view, first), accept };
        seeker.try_to(label.1, None, seeker.tie);
    }

    /// The longest label that ends with the word `last`, whose hash is given, and what it names.
    fn phrase(&self, view: &View<'_>, last: usize, hash: u64) -> Option<(usize, &Label)> {
        let tied =
            |i: usize| matches!(view.gap(i), " " | "-" | "  " | ". " | "." | "_" | "/" | " & " | "&" | "'");
        let back = |n: usize| last.checked_sub(n).filter(|first| (*first..last).all(tied));
        let key = |first: usize| {
            let before = view.words.get(first..last).unwrap_or(&[]).iter().map(|w| w.hash);
            before.chain([hash]).reduce(join)
        };
        // A label of several words has one before the last that says so.
        let led = last.checked_sub(1).is_some_and(|i| view.flag(i).any(Flags::LABEL_LEAD));
        (0..if led { MOST_WORDS } else { 1 })
            .rev()
            .filter_map(back)
            .find_map(|first| Some((first, self.labels.get(&key(first)?)?)))
    }
}

/// Looks for the value of one label.
struct Seeker<'s, 'v, F> {
    labels: &'s Labels,
    view: &'s View<'v>,
    promise: &'s Label,
    /// Where the label stands.
    label: (usize, usize),
    /// What ties a value that follows right after.
    tie: Tie,
    accept: &'s mut F,
}

impl<F: FnMut(Value) -> bool> Seeker<'_, '_, F> {
    /// To the right from `from`, where the word `next` is the first; whether a value was found.
    fn forward(&mut self, mut from: usize, mut next: usize) -> bool {
        let most = self.promise.named.iter().map(|n| n.within).max().unwrap_or(0);
        let (mut tie, mut passed, mut fillers) = (self.tie, 0, 0);
        while let Some(joint) = Joint::at(self.view.text, from) {
            tie = Tie { sign: tie.sign || joint.sign, bracket: joint.bracket, passed, ..tie };
            let word = self.view.words.get(next).filter(|w| w.start == joint.end);
            let filler = is(word, FILLERS) && fillers < MOST_FILLERS;
            if !filler && let Some(end) = self.try_to(joint.end, None, tie) {
                self.list(end, tie);
                return true;
            }
            let Some(word) = word else { return false };
            fillers += usize::from(filler);
            passed += usize::from(!filler);
            if passed > most {
                return false;
            }
            from = word.end;
            next += 1;
        }
        false
    }

    /// More values of the same label, tied to it as the first: `12345678, 23456789 en 34567890`.
    fn list(&mut self, mut end: usize, tie: Tie) {
        while let Some(start) = more(self.view.text, end) {
            match self.try_to(start, None, tie) {
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
        let Self { labels, view, promise, label, accept, .. } = self;
        if !promise.opens(at(view.text.as_bytes(), start)) {
            return None;
        }
        let rest = view.text.get(start..)?;
        let mut taken: SmallVec<[(usize, usize); 4]> = SmallVec::new();
        labels.lane.wanted_at(rest, 0, promise.patterns, |pattern, length| {
            let mut stop = None;
            for owner in labels.sharing.get(pattern).map_or(&[][..], Vec::as_slice) {
                let near = |n: &Named| n.recogniser == owner.recogniser && tie.passed <= n.within;
                let fresh = !taken.iter().any(|(r, _)| *r == owner.recogniser);
                if !fresh || !tie.allows(owner.after) || !promise.named.iter().any(near) {
                    continue;
                }
                let stop = *stop.get_or_insert_with(|| start + whole(rest, length));
                let value =
                    Value { rule: owner.rule, start, end: stop, label: *label, recogniser: owner.recogniser };
                if end.is_none_or(|end| stop == end) && accept(value) {
                    taken.push((owner.recogniser, stop));
                }
            }
            false
        });
        taken.into_iter().map(|(_, end)| end).max()
    }
}

/// The length of a value of which `length` bytes matched: a key may be longer than the window.
fn whole(rest: &str, length: usize) -> usize {
    let cut = length + 2 >= WINDOW || rest.get(..length).is_some_and(|value| value.contains('\n'));
    if cut { length + run_on(rest, length) } else { length }
}

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
        let owned = before.is_some_and(|i| view.spaced(i) && is(view.words.get(i), OWNERS));
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

/// A label wants few patterns: so many are compiled together.
const TOGETHER: usize = 16;
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
