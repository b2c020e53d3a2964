//! Words that stand near a match and speak for it or against it.

use super::lexicon::Flags;
use super::words::{Word, join, words};

/// Words and phrases of at most three words, ready for look-up.
#[derive(Default)]
pub(super) struct Phrases {
    hashes: Vec<u64>,
}

impl Phrases {
    /// Compiles phrases; only the last three words of a longer one count.
    pub(super) fn of(phrases: &[String]) -> Self {
        let mut hashes: Vec<u64> = phrases.iter().filter_map(|phrase| key(phrase)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self { hashes }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn has(&self, hash: u64) -> bool {
        self.hashes.binary_search(&hash).is_ok()
    }

    /// The word that ends a phrase, nearest first: before `start`, at most `reach` bytes away. The words must have been looked
    /// up: those that end no phrase of any recogniser are passed over by their flags.
    pub(super) fn before<'w>(&self, words: &'w [Word], start: usize, reach: usize) -> Option<&'w Word> {
        let upto = words.partition_point(|w| w.end <= start);
        (0..upto)
            .rev()
            .take(MOST_WORDS)
            .take_while(|i| words.get(*i).is_some_and(|w| start - w.end <= reach))
            .find(|i| is_near(words, *i) && self.ends_at(words, *i))
            .and_then(|i| words.get(i))
    }

    /// The same after `end`.
    pub(super) fn after<'w>(&self, words: &'w [Word], end: usize, reach: usize) -> Option<&'w Word> {
        let from = words.partition_point(|w| w.start < end);
        (from..words.len())
            .take(MOST_WORDS)
            .take_while(|i| words.get(*i).is_some_and(|w| w.start - end <= reach))
            .find(|i| is_near(words, *i) && self.ends_at(words, *i))
            .and_then(|i| words.get(i))
    }

    /// Whether a phrase ends with the word at `index`.
    pub(super) fn ends_at(&self, words: &[Word], index: usize) -> bool {
        let word = |back: usize| index.checked_sub(back).and_then(|i| words.get(i)).map(|w| w.hash);
        let Some(last) = word(0) else { return false };
        if self.has(last) {
            return true;
        }
        let Some(second) = word(1) else { return false };
        self.has(join(second, last)) || word(2).is_some_and(|third| self.has(join(join(third, second), last)))
    }
}

fn is_near(words: &[Word], index: usize) -> bool {
    words.get(index).is_some_and(|w| w.flags.any(Flags::NEAR))
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
        let mut cut = words(text);
        cut.iter_mut().for_each(|w| w.flags = Flags::NEAR);
        assert!(phrases.before(&cut, 12, 60).is_some());
        assert!(phrases.before(&cut, 12, 2).is_none());
        assert!(phrases.after(&cut, 14, 30).is_some());
        assert!(phrases.after(&cut, 14, 5).is_none());
    }
}
