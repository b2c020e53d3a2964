//! Words: runs of letters and digits, with the look of each and its hash in lower case without marks.

use super::cut::Cut;
use super::lexicon::Flags;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use unicode_normalization::UnicodeNormalization;

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Look {
    /// No capital at the start.
    #[default]
    Lower,
    /// Holds a digit.
    Number,
    /// A capital at the start, and something in lower case after it.
    Capital,
    /// One capital letter.
    Initial,
    /// Two or more letters, all capitals.
    Caps,
}

/// One word of a text; offsets are bytes.
#[derive(Debug, Clone, Copy, Default)]
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
        self.look as u8 >= Look::Capital as u8
    }

    /// Length in bytes.
    pub(super) const fn len(&self) -> usize {
        self.end.wrapping_sub(self.start) // never ends before it starts
    }
}

/// The words of a text, in order, without what lists say of them.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut cut = Cut::default();
    cut.all(text);
    cut.words.all().to_vec()
}

/// The bit that makes a letter lower case, in every byte.
const SPACES: u128 = 0x2020_2020_2020_2020_2020_2020_2020_2020;

/// Whether a character belongs to a word: a letter, a digit or an accent. Those met most are told without a table.
pub(super) fn inside(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => c.is_ascii_alphanumeric(),
        '\u{c0}'..='\u{24f}' => !matches!(c, '×' | '÷'),
        '\u{300}'..='\u{36f}' => true,
        // Punctuation, emoji and their selectors.
        '\u{2000}'..='\u{206f}'
        | '\u{2600}'..='\u{2775}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{1f300}'..='\u{1faff}' => false,
        _ => c.is_alphanumeric(),
    }
}

/// The look of a word that holds something else than ASCII.
pub(super) fn look_wide(word: &str) -> Look {
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

/// The hash of the bytes `start..end`, sixteen at a time, without regard to ASCII case.
pub(super) fn hash_at(text: &[u8], start: usize, end: usize) -> u64 {
    let (mut at, mut hash) = (start, SEED);
    let mut left = end.saturating_sub(start);
    while left > PAIR {
        hash = mix(hash, pair_at(text, at) | SPACES);
        (at, left) = (at.wrapping_add(PAIR), left.wrapping_sub(PAIR));
    }
    if left == 0 { hash } else { last_mix(hash, pair_at(text, at), left) }
}

/// The hash of a word of one to sixteen bytes at the start of sixteen.
#[inline]
pub(super) fn hash_short(pair: u128, len: usize) -> u64 {
    last_mix(SEED, pair, len)
}

/// Mixes the last one to sixteen bytes in; those past the end count as zero.
#[inline]
fn last_mix(hash: u64, pair: u128, left: usize) -> u64 {
    mix(hash, (pair | SPACES) & LOWEST.get(left).copied().unwrap_or(u128::MAX))
}

/// So many bytes are mixed in at once: a pair of eight.
pub(super) const PAIR: usize = 16;

/// By their number, the lowest bytes of a pair.
const LOWEST: [u128; PAIR + 1] = {
    let (mut made, mut all) = ([0; PAIR + 1], 0);
    let mut rest = made.as_mut_slice();
    while let [slot, slots @ ..] = rest {
        (*slot, rest) = (all, slots);
        all = all << 8 | 0xff;
    }
    made
};

/// Sixteen bytes from `at` on, the first lowest; zero past the end.
fn pair_at(text: &[u8], at: usize) -> u128 {
    u128::from(chunk_at(text, at)) | u128::from(chunk_at(text, at.saturating_add(8))) << 64
}

/// Eight bytes from `at` on, the first lowest; zero past the end.
#[inline]
pub(super) fn chunk_at(text: &[u8], at: usize) -> u64 {
    match text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => last_chunk(text, at),
    }
}

/// The same where fewer than eight bytes are left.
fn last_chunk(text: &[u8], at: usize) -> u64 {
    let left = text.len().saturating_sub(at);
    match text.last_chunk::<8>() {
        Some(chunk) if left > 0 => u64::from_le_bytes(*chunk) >> ((8 - left) * 8),
        _ => text.get(at..).unwrap_or(&[]).iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)),
    }
}

/// The hash of a plain lower-case ASCII word, at compile time.
pub(super) const fn literal(word: &str) -> u64 {
    let (mut rest, mut hash) = (word.as_bytes(), SEED);
    while !rest.is_empty() {
        let (mut pair, mut place) = (0_u128, 0);
        while place < PAIR
            && let [byte, tail @ ..] = rest
        {
            pair |= ((*byte | 0x20) as u128) << (place * 8);
            rest = tail;
            place += 1;
        }
        hash = mix(hash, pair);
    }
    hash
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const TURN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Folds the product of both halves of a pair. Neither factor of the first sixteen bytes is ever 0: each constant has a byte
/// without the bit that [`SPACES`] sets in every byte of a text.
const fn mix(hash: u64, pair: u128) -> u64 {
    let product = (hash ^ pair as u64) as u128 * (TURN ^ (pair >> 64) as u64) as u128;
    (product as u64) ^ (product >> 64) as u64
}

/// Adds another word to a hash, for keys of several words.
pub(super) const fn join(left: u64, right: u64) -> u64 {
    mix(left.rotate_left(23), right as u128)
}

/// A map from hashes of words to something.
pub(super) type Keyed<T> = HashMap<u64, T, BuildHasherDefault<Hashed>>;

/// A set of hashes of words.
pub(super) type Hashes = HashSet<u64, BuildHasherDefault<Hashed>>;

/// Passes a key on that is a hash already.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |n, b| n << 8 | u64::from(*b));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
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
        for length in 1..=50 {
            let word = &"burgerservicenummersgoedemorgenzestienachtstraatjan"[..length];
            assert_eq!(literal(word), hash(word), "{word}");
            let upper = word.to_uppercase();
            for (text, place) in [
                (format!("x {upper}, en nog wat tekst erachter"), 1),
                (format!("nog wat tekst ervoor {upper}"), 4),
                (upper.clone(), 0),
            ] {
                assert_eq!(words(&text).get(place).unwrap().hash, hash(word), "{text}");
            }
        }
        assert_ne!(join(literal("a"), literal("b")), join(literal("b"), literal("a")));
    }

    #[test]
    fn a_character_is_inside_when_it_is_a_letter_a_digit_or_an_accent() {
        for c in '\0'..=char::MAX {
            assert_eq!(inside(c), c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}'), "{c:?}");
        }
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
