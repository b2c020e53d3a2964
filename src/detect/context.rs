//! Words that stand near a match and speak for it or against it.

use super::places::Places;
use super::words::{Word, join, words};

/// Words and phrases of at most three words, ready for look-up.
#[derive(Default)]
pub(super) struct Phrases {
    hashes: Vec<u64>,
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
        Self { hashes, longest }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn has(&self, hash: u64) -> bool {
        self.hashes.binary_search(&hash).is_ok()
    }

    /// The word that ends a phrase, nearest first: before `start`, at most `reach` bytes away.
    pub(super) fn before<'w>(&self, near: Near<'w>, start: usize, reach: usize) -> Option<&'w Word> {
        if self.is_empty() {
            return None;
        }
        let words = near.words;
        let upto = words.partition_point(|w| w.end <= start);
        let ends = near.ends.within(upto.saturating_sub(MOST_WORDS), upto.checked_sub(1)?).rev();
        ends.take_while(|i| words.get(*i).is_some_and(|w| start - w.end <= reach))
            .find(|i| self.ends_at(words, *i))
            .and_then(|i| words.get(i))
    }

    /// The same after `end`.
    pub(super) fn after<'w>(&self, near: Near<'w>, end: usize, reach: usize) -> Option<&'w Word> {
        if self.is_empty() {
            return None;
        }
        let words = near.words;
        let from = words.partition_point(|w| w.start < end);
        let ends = near.ends.within(from, from + MOST_WORDS - 1);
        ends.take_while(|i| words.get(*i).is_some_and(|w| w.start - end <= reach))
            .find(|i| self.ends_at(words, *i))
            .and_then(|i| words.get(i))
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
