//! The words around a term, as sets of positions: one bit a word, the first word of the window lowest.
//!
//! Position `n` lies before the window's word `n`. A word "stands at" the position before it; phrases of a few
//! words stand at the position before their first.

use super::Flagging;
use super::frame::{List, bit};
use crate::detect::words::{Word, join};

/// Words read on either side of a term, within its sentence.
const REACH: usize = 24;

/// A gap in bytes between two words that ends a sentence whatever it holds.
const GAP_BYTES_MAX: usize = 64;

/// The list of words that no gap goes over.
pub(super) const BARRIERS: List = 0;

/// Longest phrase of a list, in words.
pub(super) const PHRASE_WORDS_MAX: usize = 5;

/// For each length in words from one: where phrases of a list stand.
type Places = [u64; PHRASE_WORDS_MAX];

/// What stands where in the sentence around a term: at most 49 words. Used again for the next term.
pub(super) struct Window {
    first: usize,
    count: usize,
    /// Positions with neither the end of a clause nor of a sentence.
    strict: u64,
    /// Positions with no end of a sentence.
    loose: u64,
    someone: u64,
    /// Holds the sentence to both its ends: what it holds is right for every word of it.
    whole: bool,
    lists: Vec<Places>,
    /// The lists that hold something.
    touched: Vec<List>,
}

impl Window {
    /// An empty window for lists of these rules.
    pub(super) fn new(flagging: &Flagging) -> Self {
        let lists = vec![Places::default(); flagging.list_count];
        Self { first: 0, count: 0, strict: 0, loose: 0, someone: 0, whole: false, lists, touched: Vec::new() }
    }

    /// Reads the words around the one at `at`, unless they are what it holds.
    pub(super) fn read(
        &mut self,
        flagging: &Flagging,
        text: &str,
        words: &[Word],
        at: usize,
        someone: &dyn Fn(&Word) -> bool,
    ) {
        if self.whole && (self.first..self.first + self.count).contains(&at) {
            return;
        }
        self.clear();
        let (mut first, mut last) = (at, at);
        while at - first < REACH && !edge(text, words, first).sentence {
            first -= 1;
        }
        while last - at < REACH && !edge(text, words, last + 1).sentence {
            last += 1;
        }
        let near = words.get(first..=last).unwrap_or_default();
        (self.first, self.count) = (first, near.len());
        self.whole = edge(text, words, first).sentence && edge(text, words, last + 1).sentence;
        for position in 0..=near.len() {
            let edge = edge(text, words, first + position);
            self.strict |= if edge.clause || edge.sentence { 0 } else { bit(position) };
            self.loose |= if edge.sentence { 0 } else { bit(position) };
        }
        for (position, word) in near.iter().enumerate() {
            if someone(word) {
                self.someone |= bit(position);
            }
            self.read_phrases(flagging, near, position);
        }
    }

    fn clear(&mut self) {
        (self.strict, self.loose, self.someone) = (0, 0, 0);
        for list in self.touched.drain(..) {
            if let Some(places) = self.lists.get_mut(usize::from(list)) {
                *places = Places::default();
            }
        }
    }

    /// The phrases that begin at a position.
    fn read_phrases(&mut self, flagging: &Flagging, near: &[Word], position: usize) {
        let mut key = None;
        for (more, word) in near.iter().skip(position).take(PHRASE_WORDS_MAX).enumerate() {
            if more > 0 && self.strict & bit(position + more) == 0 {
                return;
            }
            let hash = key.map_or(word.hash, |left| join(left, word.hash));
            key = Some(hash);
            // The beginning of every phrase is known, so what is not known begins none.
            let Some(lists) = flagging.lists_of(hash) else { return };
            for list in lists {
                if let Some(at) = self.lists.get_mut(usize::from(*list)).and_then(|of| of.get_mut(more)) {
                    *at |= bit(position);
                    self.touched.push(*list);
                }
            }
        }
    }

    /// Index of the window's first word in the text.
    pub(super) const fn first(&self) -> usize {
        self.first
    }

    /// Words of the text as positions of the window, when they lie inside it.
    pub(super) fn within(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let (start, end) = (start.checked_sub(self.first)?, end.checked_sub(self.first)?);
        (end <= self.count).then_some((start, end))
    }

    /// Positions that a step can go over.
    pub(super) const fn pass(&self, loose: bool) -> u64 {
        if loose { self.loose } else { self.strict }
    }

    /// Words that a gap can hold.
    pub(super) fn free(&self) -> u64 {
        !self.list(BARRIERS).first().copied().unwrap_or(0)
    }

    /// Where first names stand.
    pub(super) const fn someone(&self) -> u64 {
        self.someone
    }

    /// Positions where a clause starts or ends.
    pub(super) const fn edge(&self) -> u64 {
        !self.strict
    }

    /// Where the phrases of a list stand, by their length in words from one.
    pub(super) fn list(&self, list: List) -> Places {
        self.lists.get(usize::from(list)).copied().unwrap_or_default()
    }

    /// Whether a phrase of the list stands in the clauses that the words touch.
    pub(super) fn clause_has(&self, words: (usize, usize), list: List) -> bool {
        let ends = !self.strict;
        let upto = |position: usize| bit(position + 1).wrapping_sub(1);
        let start = 63_u32.saturating_sub((ends & upto(words.0) | 1).leading_zeros());
        let end = (ends & !upto(words.1 - 1) | bit(self.count)).trailing_zeros();
        let inside = !bit(start as usize).wrapping_sub(1) & bit(end as usize).wrapping_sub(1);
        self.list(list).iter().any(|at| at & inside != 0)
    }
}

/// What ends between two words.
struct Ends {
    clause: bool,
    sentence: bool,
}

/// What ends before the word at `at`; before the first and after the last word everything does.
fn edge(text: &str, words: &[Word], at: usize) -> Ends {
    let left = at.checked_sub(1).and_then(|left| words.get(left));
    match left.zip(words.get(at)).and_then(|(left, right)| text.get(left.end..right.start)) {
        Some(" ") => Ends { clause: false, sentence: false },
        Some(between) if between.len() <= GAP_BYTES_MAX => Ends {
            clause: between.contains([',', '(', ')', '"', '“', '”', '„']) || between.contains(" - "),
            sentence: between.contains(['.', '!', '?', ';', ':', '\n', '…']),
        },
        _ => Ends { clause: true, sentence: true },
    }
}
