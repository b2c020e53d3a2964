//! A text cut into words in one pass over its bytes, sixty-four at a time, and what is worth a closer look in it.

use super::blocks::{BLOCK, Block, between, bits};
use super::lexicon::{Dictionary, Flags, Lexicon};
use super::names::{JOINS, LEADS, STARTS};
use super::places::Places;
use super::tokens::LONG;
use super::words::{Look, Word, chunk_at, hash, hash_at, hash_short, inside, kept, look_wide};
use std::mem::take;
use wide::bytemuck::cast;
use wide::{i8x16, i16x8};

/// A text cut into words. Made once and used for many texts, so that most need no memory of their own: until the next it keeps
/// places and hashes of the last, no text. Places are bytes, words are named by their place among all.
#[derive(Default)]
pub(super) struct Cut {
    pub(super) words: Vec<Word>,
    /// Where a closer look is worth it: the first digit of every run of digits, `@`, `:` and `^`, and `.`, `(`, `[` and `+`
    /// before a letter; in order.
    pub(super) places: Vec<usize>,
    /// Where a code may start, a bit a byte and sixty-four bytes together: at a word of ASCII and at the signs above.
    pub(super) starts: Places,
    /// The words at which a name may start: those that lists of names hold, that have a capital and are no everyday words, or that
    /// something leads up to.
    pub(super) names: Places,
    /// The words that end a label.
    pub(super) labels: Places,
    /// The words that end a phrase which speaks for or against a match.
    pub(super) near: Places,
    /// The words that hold a digit.
    pub(super) numbers: Vec<usize>,
    /// Those among them that start with a letter of ASCII.
    pub(super) lettered: Vec<usize>,
    /// The words that are longer than people write.
    pub(super) long: Vec<usize>,
    /// Where runs of letters and digits start and end, in turn; more room than was used.
    edges: Vec<usize>,
    /// The runs with a digit or a capital first.
    marked: Vec<usize>,
    /// The runs that hold something else than ASCII.
    wide: Vec<usize>,
    /// Whether it holds a `^`.
    caret: bool,
    /// Whether it may hold words that are spelled out or numbers with letters in them.
    pub(super) odd: bool,
    /// The flags of all words together.
    pub(super) flags: Flags,
}

/// What of a block matters to the next.
#[derive(Default)]
struct Carry {
    /// Whether the block ended in a run.
    open: bool,
    /// Whether it ended with a digit.
    digit: bool,
    /// Whether it ended with a letter or digit of ASCII.
    plain: bool,
    /// How many words of one letter it held.
    singles: u32,
    /// How many edges there are up to its end.
    edges: usize,
}

/// The look of a word of ASCII without digits, by its length, whether it starts with a capital and whether it holds a small letter.
const fn look(len: usize, capital: bool, lowers: bool) -> Look {
    match (capital, lowers, len) {
        (false, ..) => Look::Lower,
        (_, true, _) => Look::Capital,
        (_, _, 1) => Look::Initial,
        _ => Look::Caps,
    }
}

impl Cut {
    /// Cuts a text. `changes` is asked about every `&`, `%` and character outside ASCII; the first of which it says that it is not
    /// what it looks like ends the pass.
    pub(super) fn until(&mut self, text: &str, mut changes: impl FnMut(usize) -> bool) -> Result<(), usize> {
        self.clear();
        let bytes = text.as_bytes();
        let (mut carry, mut base) = (Carry::default(), 0_usize);
        loop {
            // The last block is shorter than a block, so that a zero ends the last word.
            let last = bytes.len().wrapping_sub(base) < BLOCK;
            let mut block = Block::at(bytes, base);
            for bit in bits(block.asked) {
                let from = base.wrapping_add(bit);
                if bit <= BLOCK - EMOJI && is_emoji(bytes, from) {
                    block.wide &= !between(bit, bit + EMOJI);
                } else if changes(from) {
                    return Err(from);
                }
            }
            if block.sign != 0 {
                self.caret |= bits(block.sign).any(|bit| bytes.get(base.wrapping_add(bit)) == Some(&b'^'));
            }
            self.note(base, &block, &mut carry);
            self.edges(base, &block, &mut carry);
            if last {
                break;
            }
            base = base.wrapping_add(BLOCK);
        }
        self.words_between(text, &carry);
        Ok(())
    }

    /// Cuts a text whose every character is what it looks like.
    pub(super) fn all(&mut self, text: &str) {
        let cut = self.until(text, |_| false);
        debug_assert!(cut.is_ok(), "nothing changes");
    }

    /// Forgets the text before. What a very long one took up is given back.
    fn clear(&mut self) {
        if self.words.capacity().max(self.places.capacity()).max(self.edges.len()) > KEPT_MAX {
            *self = Self::default();
        }
        self.words.clear();
        for list in [&mut self.places, &mut self.numbers, &mut self.lettered, &mut self.long] {
            list.clear();
        }
        for list in [&mut self.marked, &mut self.wide] {
            list.clear();
        }
        for places in [&mut self.starts, &mut self.names, &mut self.labels, &mut self.near] {
            places.clear();
        }
        (self.caret, self.odd, self.flags) = (false, false, Flags::NONE);
    }

    /// Notes the places in a block that starts at `base`, and whether its words of one letter may be a word spelled out.
    #[inline]
    fn note(&mut self, base: usize, block: &Block, carry: &mut Carry) {
        let numbers = block.digit & !(block.digit << 1 | u64::from(carry.digit));
        // Whether a letter follows the last byte is not seen here.
        let marks = block.sign | block.mark & (block.letter >> 1 | 1 << (BLOCK - 1));
        for bit in bits(numbers | marks) {
            self.places.push(base.wrapping_add(bit));
        }
        carry.digit = block.digit >> (BLOCK - 1) != 0;
        let plain = block.letter | block.digit;
        self.starts.push(plain & !(plain << 1 | u64::from(carry.plain)) | block.sign | block.mark);
        carry.plain = plain >> (BLOCK - 1) != 0;
        let inside = block.inside();
        let single = inside & !(inside << 1 | u64::from(carry.open)) & !(inside >> 1) & !block.wide;
        let singles = if single == 0 { 0 } else { single.count_ones() };
        self.odd |= carry.singles.wrapping_add(singles) >= SPELLED_MIN;
        carry.singles = singles;
    }

    /// Notes where runs start and end in the block that starts at `base`, eight places at a time so that their number hardly matters,
    /// and which runs are to be looked at again.
    #[inline]
    fn edges(&mut self, base: usize, block: &Block, carry: &mut Carry) {
        let (inside, open) = (block.inside(), u64::from(carry.open));
        let opens = inside & !(inside << 1 | open);
        let first = carry.edges.wrapping_add(1) / 2;
        let digits = block.digit & !(block.digit << 1);
        let wide = block.wide & !(block.wide << 1);
        for (list, set) in [(&mut self.marked, digits | block.upper & opens), (&mut self.wide, wide)] {
            for bit in bits(set) {
                let upto = opens & (u64::MAX >> (BLOCK - 1 - bit));
                let run = first.wrapping_add(upto.count_ones() as usize).wrapping_sub(1);
                if list.last() != Some(&run) {
                    list.push(run);
                }
            }
        }
        let mut set = inside ^ (inside << 1 | open);
        let count = set.count_ones() as usize;
        if self.edges.len() < carry.edges.wrapping_add(BLOCK) {
            self.edges.resize(carry.edges.wrapping_add(BLOCK).wrapping_mul(2), 0);
        }
        let (eights, _) = self.edges.get_mut(carry.edges..).unwrap_or(&mut []).as_chunks_mut::<8>();
        for eight in eights {
            for slot in eight {
                *slot = base.wrapping_add(set.trailing_zeros() as usize);
                set &= set.wrapping_sub(1);
            }
            if set == 0 {
                break;
            }
        }
        carry.edges = carry.edges.wrapping_add(count);
        carry.open = inside >> (BLOCK - 1) != 0;
    }

    /// Cuts the words between the edges: a run of ASCII is one, another may hold several or none.
    fn words_between(&mut self, text: &str, carry: &Carry) {
        let (edges, wide, marked) = (take(&mut self.edges), take(&mut self.wide), take(&mut self.marked));
        let (mut runs, _) = edges.get(..carry.edges).unwrap_or(&[]).as_chunks::<2>();
        let (mut left, mut first) = (marked.as_slice(), 0);
        for at in &wide {
            let (plain, rest) = runs.split_at(at.wrapping_sub(first).min(runs.len()));
            let upto = left.partition_point(|marked| marked < at);
            self.plain(text, plain, first, left.get(..upto).unwrap_or(&[]));
            if let Some(([start, end], rest)) = rest.split_first() {
                self.push_wide(text, *start, *end);
                (runs, first) = (rest, at.wrapping_add(1));
            }
            left = left.get(left.partition_point(|marked| *marked < first)..).unwrap_or(&[]);
        }
        self.plain(text, runs, first, left);
        (self.edges, self.wide, self.marked) = (edges, wide, marked);
    }

    /// Adds the words of runs of ASCII, of which the first has the number `first`, and gives the marked among them their looks.
    fn plain(&mut self, text: &str, runs: &[[usize; 2]], first: usize, marked: &[usize]) {
        let (bytes, before) = (text.as_bytes(), self.words.len());
        let mut long = false;
        self.words.extend(runs.iter().map(|[start, end]| {
            let (start, end, len) = (*start, *end, end.wrapping_sub(*start));
            let hash = match bytes.get(start..).and_then(<[u8]>::first_chunk::<8>) {
                Some(chunk) if len <= 8 => hash_short(chunk, len),
                _ => {
                    long |= len >= LONG;
                    hash_at(bytes, start, end)
                }
            };
            Word { start, end, hash, flags: Flags::NONE, look: Look::Lower }
        }));
        for run in marked {
            let at = before.wrapping_add(run.wrapping_sub(first));
            let Some(word) = self.words.get_mut(at) else { break };
            let (len, (digits, lowers)) = (word.len(), tally(bytes, word.start, word.end));
            if digits == 0 {
                word.look = look(len, true, lowers);
            } else {
                word.look = Look::Number;
                self.numbers.push(at);
                if digits < len {
                    self.odd |= digits >= SWAPPED_MIN || len == 2;
                    if bytes.get(word.start).is_some_and(u8::is_ascii_alphabetic) {
                        self.lettered.push(at);
                    }
                }
            }
        }
        if long {
            let added = self.words.iter().enumerate().skip(before);
            self.long.extend(added.filter(|(_, word)| word.len() >= LONG).map(|(at, _)| at));
        }
    }

    /// Cuts a run with bytes outside ASCII at what is no letter, digit or accent.
    fn push_wide(&mut self, text: &str, start: usize, end: usize) {
        let mut rest = text.get(start..end).unwrap_or("");
        while let Some(from) = rest.find(inside) {
            rest = rest.get(from..).unwrap_or("");
            let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(len);
            let (at, look) = (end - rest.len(), look_wide(word));
            let number = look == Look::Number;
            let lettered = number && word.starts_with(|c: char| c.is_ascii_alphabetic());
            let lists =
                [(&mut self.numbers, number), (&mut self.lettered, lettered), (&mut self.long, len >= LONG)];
            for (list, _) in lists.into_iter().filter(|(_, listed)| *listed) {
                list.push(self.words.len());
            }
            self.words.push(Word { start: at, end: at + len, hash: hash(word), flags: Flags::NONE, look });
            rest = after;
        }
    }

    /// Looks every word up, those with a capital among everyday words too, and lists those that stages look at. What is known of
    /// sixty-four words is gathered first, without a branch, so that look-ups do not wait for one another.
    pub(super) fn look_up(&mut self, known: &Lexicon, common: &Dictionary) {
        let (mut led, mut all) = (0, Flags::NONE);
        for words in self.words.chunks_mut(BLOCK) {
            let mut kinds = [0_u8; BLOCK];
            for (word, kind) in words.iter_mut().zip(&mut kinds) {
                word.flags = known.flags(word.hash);
                all = all.with(word.flags);
                *kind = word.flags.kinds() | u8::from(word.capital()) << CAPITALS;
            }
            let [starts, surnames, joins, leads, labels, near, capitals] = columns(&kinds, words.len());
            let mut ordinary = 0_u64;
            for place in bits(capitals) {
                let Some(word) = words.get_mut(place) else { break };
                if common.has(word.hash) {
                    word.flags = word.flags.with(Flags::COMMON);
                    ordinary |= u64::from(word.look != Look::Initial).wrapping_shl(place as u32);
                }
            }
            let mut names =
                starts | surnames & joins | capitals & (surnames | joins | !ordinary) | leads << 1 | led;
            if self.caret {
                names |= capitals | surnames;
            }
            led = leads >> 63;
            let whole = if words.len() < BLOCK { between(0, words.len()) } else { u64::MAX };
            self.names.push(names & whole);
            self.labels.push(labels);
            self.near.push(near);
        }
        self.flags = all;
    }
}

/// What the stages that have a list of their words ask of a word, a bit each.
pub(super) fn kinds(flags: Flags) -> u8 {
    let asked = [STARTS, Flags::SURNAME, JOINS, LEADS, LABELS, Flags::NEAR];
    asked.into_iter().zip(0_u32..).fold(0, |all, (any, bit)| all | u8::from(flags.any(any)) << bit)
}

/// The bit behind those of [`kinds`]: a word with a capital.
const CAPITALS: usize = 6;

/// For each bit of the first `count` bytes which of them have it, the first lowest.
#[inline]
fn columns(bytes: &[u8; BLOCK], count: usize) -> [u64; CAPITALS + 1] {
    let mut columns = [0; CAPITALS + 1];
    let (parts, _) = bytes.as_chunks::<16>();
    for (part, shift) in parts.iter().zip((0_u32..).step_by(16)).take(count.div_ceil(16)) {
        let mut part: i16x8 = cast(*part);
        for column in columns.iter_mut().rev() {
            // The sign of a byte is its highest bit: one place further each time.
            part <<= 1;
            let set = cast::<_, i8x16>(part).to_bitmask();
            *column |= u64::from(set).wrapping_shl(shift);
        }
    }
    columns
}

/// How many digits a word of ASCII letters and digits has, and whether a small letter is in it; eight bytes at a time.
fn tally(bytes: &[u8], start: usize, end: usize) -> (usize, bool) {
    let (mut letters, mut lowers) = (0, 0);
    for at in (start..end).step_by(8) {
        let chunk = chunk_at(bytes, at) & kept(end.wrapping_sub(at).min(8));
        // Letters have the bit of 64, small ones that of 32 as well.
        let found = chunk >> 6 & ONES;
        // Every byte counts one at most, and the highest byte of the product is the sum of all.
        letters += (found.wrapping_mul(ONES) >> 56) as usize;
        lowers |= found & chunk >> 5;
    }
    (end.saturating_sub(start).saturating_sub(letters), lowers != 0)
}

/// The lowest bit of every byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Whether an emoji of four bytes stands at a place: no letter, and what it looks like.
#[inline]
fn is_emoji(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at..), Some([0xf0, 0x9f, 0x8c..=0xab, _, ..]))
}

/// How many bytes such an emoji has.
const EMOJI: usize = 4;

/// What a word carries that may end a label.
pub(super) const LABELS: Flags = Flags::LABEL.with(Flags::LABEL_END);

/// The least letters apart that are taken for a word.
pub(super) const SPELLED_MIN: u32 = 4;
/// The least digits of a number in which letters are taken for digits.
pub(super) const SWAPPED_MIN: usize = 5;
/// Room for so many words or places is kept from one text to the next.
const KEPT_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;
    use proptest::prelude::*;

    /// Words as they are defined, a character at a time; an accent does not make a run of itself.
    fn naive(text: &str) -> Vec<(usize, usize, u64)> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some(from) = rest.find(inside) {
            rest = &rest[from..];
            let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
            let start = text.len() - rest.len();
            found.push((start, start + len, hash(&rest[..len])));
            rest = &rest[len..];
        }
        found
    }

    fn naive_look(word: &str) -> Look {
        let letters: Vec<char> = word.chars().collect();
        let upper = letters.iter().filter(|c| c.is_uppercase()).count();
        let lower = letters.iter().filter(|c| c.is_lowercase()).count();
        match letters.first() {
            _ if letters.iter().any(|c| c.is_numeric()) => Look::Number,
            Some(first) if !first.is_uppercase() => Look::Lower,
            _ if upper == 1 && lower == 0 => Look::Initial,
            _ if lower == 0 => Look::Caps,
            _ => Look::Capital,
        }
    }

    fn text() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            " ",
            "a",
            "Z",
            "7",
            "de",
            "Jan",
            "NS",
            "06",
            "x2",
            "\u{e9}",
            "\u{c9}t",
            "\u{1f600}",
            "@",
            "^",
            "+",
            "ns",
            ".",
            "burgerservicenummer",
            "12345678901234567890",
            "-",
            "\n",
            "A\u{301}",
            "\u{3a9}",
            "goedemorgen",
        ]);
        prop_oneof![
            prop::collection::vec(pieces, 0..80).prop_map(|pieces| pieces.concat()),
            "[a-zA-Z0-9 .,@:()]{0,200}",
            "\\PC{0,100}",
        ]
    }

    proptest! {
        #[test]
        fn words_are_those_that_a_walk_over_characters_gives(text in text()) {
            let cut = words(&text);
            let got: Vec<_> = cut.iter().map(|w| (w.start, w.end, w.hash)).collect();
            prop_assert_eq!(got, naive(&text));
            for word in cut {
                prop_assert_eq!(word.look, naive_look(&text[word.start..word.end]), "{}", &text[word.start..word.end]);
            }
        }

        #[test]
        fn what_a_cut_held_before_changes_nothing(before in text(), text in text()) {
            let (mut used, mut fresh) = (Cut::default(), Cut::default());
            let known = Lexicon::build(&[(hash("jan"), Flags::FIRST), (hash("de"), LEADS)], kinds);
            let common = Dictionary::build([hash("ns")].into_iter());
            used.all(&before);
            used.look_up(&known, &common);
            for cut in [&mut used, &mut fresh] {
                cut.all(&text);
                cut.look_up(&known, &common);
            }
            prop_assert_eq!((&used.places, &used.numbers, &used.long), (&fresh.places, &fresh.numbers, &fresh.long));
            prop_assert!(used.names.iter().eq(fresh.names.iter()) && used.odd == fresh.odd);
            let listed = |at: usize| {
                let (of, word) = (|at: usize| known.flags(used.words[at].hash), used.words[at]);
                let ordinary = common.has(word.hash) && word.look != Look::Initial;
                let capital = word.capital() && (!ordinary || text.contains('^'));
                capital || of(at).any(STARTS) || at.checked_sub(1).is_some_and(|at| of(at).any(LEADS))
            };
            prop_assert!(used.names.iter().eq((0..used.words.len()).filter(|at| listed(*at))));
            let number = |at: &usize| used.words[*at].look == Look::Number;
            for last in 0..text.len() {
                let bytes = text.as_bytes();
                let opens = |at: &usize| {
                    let left = at.checked_sub(1).map_or(0, |at| bytes[at]);
                    let opens = bytes[*at].is_ascii_alphanumeric() && !left.is_ascii_alphanumeric();
                    opens || b"@:^.([+".contains(&bytes[*at])
                };
                for reach in [0, 10, 63] {
                    let from = last.saturating_sub(reach);
                    let wanted: Vec<usize> = (from..=last).filter(opens).collect();
                    prop_assert_eq!(used.starts.within(from, last).collect::<Vec<_>>(), wanted);
                }
            }
            prop_assert_eq!(&used.numbers, &(0..used.words.len()).filter(number).collect::<Vec<_>>());
            let long = |at: &usize| used.words[*at].len() >= LONG;
            prop_assert_eq!(&used.long, &(0..used.words.len()).filter(long).collect::<Vec<_>>());
        }
    }

    #[test]
    fn places_are_the_first_digits_and_the_signs() {
        let mut cut = Cut::default();
        let text = format!("{} 06-12 a@b c:d x.y z. (a) [1", "x".repeat(60));
        cut.all(&text);
        let at: Vec<&str> = cut.places.iter().map(|at| &text[*at..=*at]).collect();
        assert_eq!(at, ["0", "1", "@", ":", ".", "(", "1"]);
    }
}
