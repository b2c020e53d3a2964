//! A text cut into words: runs of letters and digits, with the look of each and its hash in lower case without marks.

use super::blocks::{BLOCK, Block, between, bits};
use super::lexicon::{Flags, Lexicon};
use super::names::{CUES, LISTED};
use super::tokens::LONG;
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
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
        self.end.wrapping_sub(self.start) // never ends before it starts
    }
}

/// The words of a text, in order, without what lists say of them.
pub(super) fn words(text: &str) -> Vec<Word> {
    cut(text, |_| false).map(|cut| cut.words).unwrap_or_default()
}

/// A text cut into words.
#[derive(Default)]
pub(super) struct Cut {
    pub(super) words: Vec<Word>,
    /// Where a closer look is worth it: the first digit of every run of digits, `@` and `:`, and `.`, `(` and `[` before a
    /// letter; in order.
    pub(super) places: SmallVec<[usize; 16]>,
    /// The words that some stage wants to see, by their place among all: those with a capital or a digit, those that lists
    /// name, that follow a cue or are long. Most words are none of these.
    pub(super) notable: SmallVec<[u32; 24]>,
    /// Whether there is a digit.
    pub(super) digits: bool,
    /// Whether it may hold words that are spelled out or numbers with letters in them.
    pub(super) odd: bool,
    /// The flags of all words together.
    pub(super) flags: Flags,
    /// How many words of one letter stand in a row at the end.
    singles: u32,
}

/// Cuts a text, in one pass over its bytes. `changes` is asked about every `&`, `%` and character outside ASCII that may not be
/// what it looks like; the first for which it says so ends the pass.
pub(super) fn cut(text: &str, mut changes: impl FnMut(usize) -> bool) -> Result<Cut, usize> {
    let room = text.len() / 5 + 4;
    let mut cut = Cut { words: Vec::with_capacity(room), ..Cut::default() };
    let mut run = Run::default();
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    // What is left is shorter than a block: the zero after it ends the last word.
    let mut last = [0; BLOCK];
    last.get_mut(..rest.len()).into_iter().for_each(|slot| slot.copy_from_slice(rest));
    let mut base = 0_usize;
    for block in blocks.iter().chain(std::iter::once(&last)) {
        cut.block(text, base, &Block::of(block), &mut run, &mut changes)?;
        base = base.wrapping_add(BLOCK);
    }
    Ok(cut)
}

/// A run of letters, digits and bytes outside ASCII, as far as it was seen.
#[derive(Default)]
struct Run {
    open: bool,
    start: usize,
    digits: u32,
    wide: bool,
    lowers: bool,
    capital: bool,
    /// Whether the block before ended with a digit.
    digit: bool,
}

impl Run {
    /// A run that starts at the bit `from` of the block at `base`, with its part in that block.
    #[inline]
    fn at(block: &Block, base: usize, from: usize, part: u64) -> Self {
        let capital = block.upper.wrapping_shr(from as u32) & 1 != 0;
        let mut made = Self { open: true, start: base.wrapping_add(from), capital, ..Self::default() };
        made.take(block, part);
        made
    }

    /// Takes in a part of the run.
    #[inline]
    fn take(&mut self, block: &Block, part: u64) {
        self.lowers |= block.letter & !block.upper & part != 0;
        self.wide |= block.wide & part != 0;
        if block.digit & part != 0 {
            self.digits = self.digits.wrapping_add((block.digit & part).count_ones());
        }
    }
}

impl Cut {
    /// Takes in the block that starts at `base`.
    #[inline]
    fn block(
        &mut self,
        text: &str,
        base: usize,
        block: &Block,
        run: &mut Run,
        changes: &mut impl FnMut(usize) -> bool,
    ) -> Result<(), usize> {
        if block.asked != 0
            && let Some(from) = bits(block.asked).map(|bit| base.wrapping_add(bit)).find(|at| changes(*at))
        {
            return Err(from);
        }
        let numbers = block.digit & !(block.digit << 1 | u64::from(run.digit));
        // Whether a letter follows the last byte is not seen here.
        let marks = block.sign | block.mark & (block.letter >> 1 | 1 << (BLOCK - 1));
        self.places.extend(bits(numbers | marks).map(|bit| base.wrapping_add(bit)));
        self.digits |= block.digit != 0;
        let digit = block.digit >> (BLOCK - 1) != 0;
        let inside = block.letter | block.digit | block.wide;
        let mut edges = bits(inside ^ (inside << 1 | u64::from(run.open)));
        if run.open {
            let end = edges.next();
            run.take(block, between(0, end.unwrap_or(BLOCK)));
            let Some(end) = end else {
                run.digit = digit;
                return Ok(());
            };
            self.word(text, base.wrapping_add(end), run);
        }
        *run = Run { digit, ..Run::default() };
        let special = block.upper | block.digit | block.wide;
        while let Some(from) = edges.next() {
            let Some(to) = edges.next() else {
                *run = Run { digit, ..Run::at(block, base, from, between(from, BLOCK)) };
                break;
            };
            let part = between(from, to);
            if special & part == 0 {
                self.push(text, base.wrapping_add(from), base.wrapping_add(to), Look::Lower);
            } else {
                self.word(text, base.wrapping_add(to), &Run::at(block, base, from, part));
            }
        }
        Ok(())
    }

    /// A run that ends at `end` becomes one word, or several if it holds something else than ASCII.
    fn word(&mut self, text: &str, end: usize, run: &Run) {
        if run.wide {
            self.singles = 0;
            return cut_wide(text, run.start, end, &mut self.words);
        }
        let (len, digits) = (end.wrapping_sub(run.start), run.digits as usize);
        let look = match (digits, run.capital, run.lowers) {
            (1.., ..) => Look::Number,
            (_, false, _) => Look::Lower,
            (_, true, true) => Look::Capital,
            (_, true, false) if len == 1 => Look::Initial,
            (_, true, false) => Look::Caps,
        };
        if digits > 0 {
            self.odd |= digits < len && (digits >= SWAPPED_MIN || len == 2);
        }
        self.push(text, run.start, end, look);
    }

    /// Adds a word of ASCII.
    #[inline]
    fn push(&mut self, text: &str, start: usize, end: usize, look: Look) {
        if end.wrapping_sub(start) == 1 {
            self.singles = self.singles.wrapping_add(1);
            self.odd |= self.singles == SPELLED_MIN;
        } else {
            self.singles = 0;
        }
        let (bytes, len) = (text.as_bytes(), end.wrapping_sub(start));
        let hash = match bytes.get(start..).and_then(<[u8]>::first_chunk::<8>) {
            Some(chunk) if len <= 8 => last_mix(SEED, u64::from_le_bytes(*chunk), len),
            _ => hash_at(bytes, start, end),
        };
        self.words.push(Word { start, end, hash, flags: Flags::NONE, look });
    }

    /// Looks every word up and notes those that stages look at. A pass of its own: look-ups that do not wait for one another
    /// overlap.
    pub(super) fn look_up(&mut self, known: &Lexicon) {
        let (mut all, mut before) = (Flags::NONE, Flags::NONE);
        for (row, words) in (0_u32..).zip(self.words.chunks_mut(64)) {
            let (mut notable, mut bit) = (0, 1_u64);
            for word in words {
                word.flags = known.flags(word.hash);
                let listed = word.flags.any(NOTABLE) | before.any(CUES);
                if listed | (word.look != Look::Lower) | (word.len() >= LONG) {
                    notable |= bit;
                }
                bit = bit.wrapping_add(bit);
                before = word.flags;
                all = all.with(before);
            }
            let first = row.wrapping_mul(64);
            self.notable.extend(bits(notable).map(|bit| first.wrapping_add(bit as u32)));
        }
        self.flags = all;
    }
}

/// What lists say of a word that some stage wants to see.
const NOTABLE: Flags = LISTED.with(Flags::LABEL).with(Flags::LABEL_END).with(Flags::AT);

/// The least letters apart that are taken for a word.
pub(super) const SPELLED_MIN: u32 = 4;
/// The least digits of a number in which letters are taken for digits.
pub(super) const SWAPPED_MIN: usize = 5;

/// The bit that makes a letter lower case, in every byte.
const SPACES: u64 = 0x2020_2020_2020_2020;

/// Cuts a run with bytes outside ASCII (or a very long one) at what is no letter, digit or accent.
fn cut_wide(text: &str, start: usize, end: usize, found: &mut Vec<Word>) {
    let mut rest = text.get(start..end).unwrap_or("");
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

/// Whether a character belongs to a word: a letter, a digit or an accent. Those met most are told without a table.
fn inside(c: char) -> bool {
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
fn hash_at(text: &[u8], start: usize, end: usize) -> u64 {
    let (mut at, mut hash) = (start, SEED);
    let mut left = end.saturating_sub(start);
    if left == 0 {
        return hash;
    }
    while left > 8 {
        hash = mix(hash, chunk_at(text, at) | SPACES);
        (at, left) = (at.wrapping_add(8), left.wrapping_sub(8));
    }
    last_mix(hash, chunk_at(text, at), left)
}

/// Mixes the last one to eight bytes in; those past the end count as zero.
#[inline]
const fn last_mix(hash: u64, chunk: u64, left: usize) -> u64 {
    let kept = u64::MAX.wrapping_shr((left as u32).wrapping_mul(8).wrapping_neg());
    mix(hash, (chunk | SPACES) & kept)
}

/// Eight bytes from `at` on, the first lowest; zero past the end.
#[inline]
fn chunk_at(text: &[u8], at: usize) -> u64 {
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

/// The same for a plain lower-case ASCII word, at compile time.
pub(super) const fn literal(word: &str) -> u64 {
    let (mut rest, mut hash) = (word.as_bytes(), SEED);
    while !rest.is_empty() {
        let (mut chunk, mut place) = (0_u64, 0);
        while place < 8
            && let [byte, tail @ ..] = rest
        {
            chunk |= ((*byte | 0x20) as u64) << (place * 8);
            rest = tail;
            place += 1;
        }
        hash = mix(hash, chunk);
    }
    hash
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
        for word in ["a", "straat", "goedemorgen", "burgerservicenummers", "achtacht", "zestienzestien00"] {
            let text = format!("x {}, en nog wat tekst erachter", word.to_uppercase());
            assert_eq!(literal(word), hash(word), "{word}");
            assert_eq!(words(&text).get(1).unwrap().hash, hash(word), "{word}");
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
