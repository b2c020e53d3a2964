//! A text cut into words: runs of letters and digits, with the look of each and its hash in lower case without marks.

use super::classes::{Classes, Run};
use super::lexicon::{Flags, Lexicon};
use unicode_normalization::UnicodeNormalization;

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// No capital at the start.
    Lower,
    /// A capital at the start, and something in lower case after it.
    Capital,
    /// One capital letter.
    Initial,
    /// Two or more letters, all capitals.
    Caps,
    /// Holds a digit.
    Number,
}

/// One word of a text; offsets are bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) hash: u64,
    /// What the lists say of it; none when it was cut without a list.
    pub(super) flags: Flags,
    pub(super) look: Look,
}

impl Word {
    /// Whether it starts with a capital.
    pub(super) const fn capital(&self) -> bool {
        matches!(self.look, Look::Capital | Look::Initial | Look::Caps)
    }

    /// Length in bytes.
    pub(super) const fn len(&self) -> usize {
        self.end - self.start
    }
}

/// The words of a text, in order, without what lists say of them.
pub(super) fn words(text: &str) -> Vec<Word> {
    cut(text, &Classes::of(text)).words
}

/// A text cut into words.
pub(super) struct Cut {
    pub(super) words: Vec<Word>,
    /// Whether it may hold words that are spelled out or numbers with letters in them.
    pub(super) odd: bool,
}

/// The words of a text, in order, without what lists say of them.
pub(super) fn cut(text: &str, classes: &Classes) -> Cut {
    let mut words = Vec::with_capacity(text.len() / 4 + 4);
    let (mut odd, mut singles) = (false, 0_u32);
    for (start, end, run) in classes.runs() {
        let len = end.wrapping_sub(start);
        if run.wide {
            cut_wide(text, start, end, &mut words);
            continue;
        }
        singles = if len == 1 { singles.wrapping_add(1) } else { 0 };
        odd |=
            singles == SPELLED_MIN || (run.digit != 0 && run.digit != ones(len) && may_be_swapped(run, len));
        let hash = hash_at(text.as_bytes(), start, end);
        words.push(Word { start, end, hash, flags: Flags::NONE, look: look_of(run, len) });
    }
    Cut { words, odd }
}

#[cold]
const fn may_be_swapped(run: Run, len: usize) -> bool {
    run.digit.count_ones() as usize >= SWAPPED_MIN || len == 2
}

impl Cut {
    /// Looks every word up. A pass of its own: look-ups that do not wait for one another overlap.
    pub(super) fn look_up(&mut self, known: &Lexicon) {
        for word in &mut self.words {
            word.flags = known.flags(word.hash);
        }
    }
}

/// The least letters apart that are taken for a word.
pub(super) const SPELLED_MIN: u32 = 4;
/// The least digits of a number in which letters are taken for digits.
pub(super) const SWAPPED_MIN: usize = 5;

const fn look_of(run: Run, len: usize) -> Look {
    if run.digit != 0 {
        Look::Number
    } else if run.upper & 1 == 0 {
        Look::Lower
    } else if len == 1 {
        Look::Initial
    } else if run.upper == ones(len) {
        Look::Caps
    } else {
        Look::Capital
    }
}

/// As many bits as there are bytes in a run.
const fn ones(len: usize) -> u64 {
    if len < 64 { (1_u64 << len).wrapping_sub(1) } else { u64::MAX }
}

/// Cuts a run with bytes outside ASCII (or a very long one) at what is no letter, digit or accent.
fn cut_wide(text: &str, start: usize, end: usize, found: &mut Vec<Word>) {
    let mut rest = text.get(start..end).unwrap_or("");
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}');
    while let Some(from) = rest.find(inside) {
        rest = rest.get(from..).unwrap_or("");
        let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(len);
        let hash = hash(word);
        let at = end - rest.len();
        found.push(Word { start: at, end: at + len, hash, flags: Flags::NONE, look: look_wide(word) });
        rest = after;
    }
}

fn look_wide(word: &str) -> Look {
    let first_upper = word.chars().next().is_some_and(char::is_uppercase);
    let (mut upper, mut lower) = (0, 0);
    for c in word.chars() {
        if c.is_numeric() {
            return Look::Number;
        }
        upper += usize::from(c.is_uppercase());
        lower += usize::from(c.is_lowercase());
    }
    match (first_upper, upper, lower) {
        (false, ..) => Look::Lower,
        (_, 1, 0) => Look::Initial,
        (_, _, 0) => Look::Caps,
        _ => Look::Capital,
    }
}

/// The hash of a word in lower case and without marks: `José`, `JOSE` and `josé` are one.
pub(super) fn hash(word: &str) -> u64 {
    if word.is_ascii() {
        return hash_at(word.as_bytes(), 0, word.len());
    }
    let mut plain = String::with_capacity(word.len());
    let bare = word.nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).flat_map(char::to_lowercase);
    plain.extend(bare.filter(|c| *c != '\u{307}').map(|c| match c {
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ə' => 'e',
        'ß' => 's',
        c => c,
    }));
    hash_at(plain.as_bytes(), 0, plain.len())
}

/// The hash of the bytes `start..end`, eight at a time, without regard to ASCII case.
#[inline]
fn hash_at(text: &[u8], start: usize, end: usize) -> u64 {
    let (mut at, mut hash) = (start, SEED);
    loop {
        let left = end.saturating_sub(at);
        let chunk = match text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => last_chunk(text, at),
        };
        hash = mix(hash, lower(chunk, left));
        at = at.wrapping_add(8);
        if left <= 8 {
            return hash;
        }
    }
}

/// The bytes from `at` on, where fewer than eight are left.
fn last_chunk(text: &[u8], at: usize) -> u64 {
    match text.last_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk) >> ((8 - text.len().saturating_sub(at).min(8)) * 8).min(63),
        None => text.get(at..).unwrap_or(&[]).iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)),
    }
}

/// The first `len` bytes of a chunk (at most eight) in lower case, the rest zero.
const fn lower(chunk: u64, len: usize) -> u64 {
    let mask = if len >= 8 { u64::MAX } else { (1_u64 << (len as u32 * 8)).wrapping_sub(1) };
    (chunk | 0x2020_2020_2020_2020) & mask
}

/// The same for a plain lower-case ASCII word, at compile time.
pub(super) const fn literal(word: &str) -> u64 {
    let (mut rest, mut hash) = (word.as_bytes(), SEED);
    loop {
        let (mut chunk, mut place) = (0_u64, 0);
        let len = rest.len();
        while place < 8
            && let [byte, tail @ ..] = rest
        {
            chunk |= (*byte as u64) << (place * 8);
            rest = tail;
            place += 1;
        }
        hash = mix(hash, lower(chunk, len));
        if len <= 8 {
            return hash;
        }
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// Folds the product of both, so that every bit of the input moves every bit of the hash.
const fn mix(hash: u64, chunk: u64) -> u64 {
    let product = (hash ^ chunk) as u128 * 0x9e37_79b9_7f4a_7c15_u128;
    (product as u64) ^ (product >> 64) as u64
}

/// Adds another word to a hash, for keys of several words.
pub(super) const fn join(left: u64, right: u64) -> u64 {
    mix(left.rotate_left(23), right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_bounds_and_look() {
        let text = "Hé JAN 😀b'A. x2 Łukasz·ok";
        let cut: Vec<_> = words(text).iter().map(|w| (&text[w.start..w.end], w.look)).collect();
        use Look::*;
        assert_eq!(
            cut,
            [
                ("Hé", Capital),
                ("JAN", Caps),
                ("b", Lower),
                ("A", Initial),
                ("x2", Number),
                ("Łukasz", Capital),
                ("ok", Lower)
            ]
        );
    }

    #[test]
    fn a_literal_has_the_hash_of_its_word_wherever_it_stands() {
        for word in ["a", "straat", "goedemorgen", "burgerservicenummers", "achtacht", "zestienzestien00"] {
            let text = format!("x {}, en nog wat tekst erachter", word.to_uppercase());
            assert_eq!(literal(word), hash(word), "{word}");
            assert_eq!(words(&text).get(1).unwrap().hash, hash(word), "{word}");
        }
        assert_ne!(join(literal("a"), literal("b")), join(literal("b"), literal("a")));
    }

    #[test]
    fn a_very_long_run_is_one_word() {
        let text = format!("{} x", "Ab".repeat(500));
        let cut: Vec<_> = words(&text).iter().map(|w| (w.start, w.end, w.look)).collect();
        assert_eq!(cut, [(0, 1000, Look::Capital), (1001, 1002, Look::Lower)]);
    }

    #[test]
    fn a_hash_forgets_case_and_marks() {
        assert_eq!(hash("José"), words("JOSE").first().unwrap().hash);
        assert_eq!(hash("Yılmaz"), hash("yilmaz"));
        assert_ne!(hash("jan"), hash("jam"));
    }
}
