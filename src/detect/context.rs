//! Words that stand near a match and speak for it or against it.

use super::places::Places;
use super::words::{Word, join, words};

/// Words and phrases of at most three words, ready for look-up.
#[derive(Default)]
pub(super) struct Phrases {
    hashes: Vec<u64>,
    /// A bit for each hash: most words end here.
    likely: [u64; ROWS],
    /// The words of the longest.
    longest: usize,
}

impl Phrases {
    /// Compiles phrases; only the last three words of a longer one count.
    pub(super) fn of(phrases: &[String]) -> Self {
        let mut hashes: Vec<u64> = phrases.iter().filter_map(|phrase| key(phrase)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let longest = phrases.iter().map(|phrase| words(phrase).len()).max().unwrap_or(0);
        let mut likely = [0; ROWS];
        for (row, bit) in hashes.iter().map(|hash| likely_bit(*hash)) {
            likely.get_mut(row).into_iter().for_each(|bits| *bits |= bit);
        }
        Self { hashes, likely, longest }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn has(&self, hash: u64) -> bool {
        let (row, bit) = likely_bit(hash);
        self.likely.get(row).is_some_and(|bits| bits & bit != 0) && self.hashes.binary_search(&hash).is_ok()
    }

    /// The word that ends a phrase, nearest first: before `start`, at most `reach` bytes away.
    pub(super) fn before<'w>(&self, near: Near<'w>, start: usize, reach: usize) -> Option<&'w Word> {
        self.before_word(near, near.words.partition_point(|w| w.end <= start), start, reach)
    }

    /// The same where `upto` is known to be the first word that does not end before `start`.
    pub(super) fn before_word<'w>(
        &self,
        near: Near<'w>,
        upto: usize,
        start: usize,
        reach: usize,
    ) -> Option<&'w Word> {
        if self.is_empty() {
            return None;
        }
        let words = near.words;
        let ends = near.ends.within(upto.saturating_sub(MOST_WORDS), upto.checked_sub(1)?).rev();
        ends.take_while(|i| words.get(*i).is_some_and(|w| start - w.end <= reach))
            .find(|i| self.ends_at(words, *i))
            .and_then(|i| words.get(i))
    }

    /// The same after `end`.
    pub(super) fn after<'w>(&self, near: Near<'w>, end: usize, reach: usize) -> Option<&'w Word> {
        self.after_word(near, near.words.partition_point(|w| w.start < end), end, reach)
    }

    /// The same where `from` is known to be the first word that starts after `end`.
    pub(super) fn after_word<'w>(
        &self,
        near: Near<'w>,
        from: usize,
        end: usize,
        reach: usize,
    ) -> Option<&'w Word> {
        if self.is_empty() {
            return None;
        }
        let words = near.words;
        let ends = near.ends.within(from, from + MOST_WORDS - 1);
        ends.take_while(|i| words.get(*i).is_some_and(|w| w.start - end <= reach))
            .find(|i| self.ends_at(words, *i))
            .and_then(|i| words.get(i))
    }

    /// Whether a phrase of three words ends with the word at `index`.
    pub(super) fn three_end_at(&self, words: &[Word], index: usize) -> bool {
        let word = |back: usize| index.checked_sub(back).and_then(|i| words.get(i)).map(|w| w.hash);
        let (Some(third), Some(second), Some(last)) = (word(2), word(1), word(0)) else { return false };
        self.longest > 2 && self.has(join(join(third, second), last))
    }

    /// Whether a phrase ends with the word at `index`.
    pub(super) fn ends_at(&self, words: &[Word], index: usize) -> bool {
        let word = |back: usize| index.checked_sub(back).and_then(|i| words.get(i)).map(|w| w.hash);
        let Some(last) = word(0) else { return false };
        if self.has(last) {
            return true;
        }
        if self.longest < 2 {
            return false;
        }
        let Some(second) = word(1) else { return false };
        let three = |third| self.has(join(join(third, second), last));
        self.has(join(second, last)) || (self.longest > 2 && word(2).is_some_and(three))
    }
}

/// The row of a hash, and its bit there.
const fn likely_bit(hash: u64) -> (usize, u64) {
    ((hash >> 60) as usize, 1_u64.wrapping_shl((hash >> 54) as u32))
}

/// So many rows of bits that hardly a word is asked for which is not there.
const ROWS: usize = 16;

/// The words of a text, and those among them that end a phrase of any recogniser.
#[derive(Clone, Copy)]
pub(super) struct Near<'w> {
    pub(super) words: &'w [Word],
    pub(super) ends: &'w Places,
}

/// The look-up key of a word or phrase.
pub(super) fn key(phrase: &str) -> Option<u64> {
    let parts = words(phrase);
    let skip = parts.len().saturating_sub(3);
    parts.iter().skip(skip).map(|w| w.hash).reduce(join)
}

/// Context further away than this many words does not count.
const MOST_WORDS: usize = 12;

/// Many words, hashed with [`literal`](super::words::literal).
pub(super) struct Listed<const N: usize> {
    hashes: [u64; N],
    /// A bit for each of them: most words end here.
    likely: [u64; ROWS],
}

impl<const N: usize> Listed<N> {
    /// These words.
    pub(super) const fn of(hashes: [u64; N]) -> Self {
        let mut likely = [0; ROWS];
        let mut rest = hashes.as_slice();
        while let [hash, others @ ..] = rest {
            let (row, bit) = likely_bit(*hash);
            let (_, from) = likely.as_mut_slice().split_at_mut(row);
            if let [bits, ..] = from {
                *bits |= bit;
            }
            rest = others;
        }
        Self { hashes, likely }
    }

    /// Whether a word is one of them.
    pub(super) fn has(&self, word: Option<&Word>) -> bool {
        word.is_some_and(|w| {
            let (row, bit) = likely_bit(w.hash);
            self.likely.get(row).is_some_and(|bits| bits & bit != 0) && self.hashes.contains(&w.hash)
        })
    }
}

/// Whether a word is one of those hashed with [`literal`](super::words::literal).
pub(super) fn is(word: Option<&Word>, any_of: &[u64]) -> bool {
    word.is_some_and(|w| any_of.contains(&w.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_near_and_not_far() {
        let phrases = Phrases::of(&["bsn".to_owned(), "date of birth".to_owned()]);
        let text = "Mijn BSN is 12 en date of birth daar";
        let cut = words(text);
        let (mut ends, none) = (Places::default(), Places::default());
        ends.push(u64::MAX);
        let near = Near { words: &cut, ends: &ends };
        assert!(phrases.before(near, 12, 60).is_some());
        assert!(phrases.before(near, 12, 2).is_none());
        assert!(phrases.after(near, 14, 30).is_some());
        assert!(phrases.after(near, 14, 5).is_none());
        assert!(phrases.before(Near { ends: &none, ..near }, 12, 60).is_none());
    }
}
