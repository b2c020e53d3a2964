//! A text cut into words in one pass over its bytes, sixty-four at a time, and what is worth a closer look in it.

use super::blocks::{BLOCK, Block, between, bits};
use super::lexicon::{Dictionary, Flags, Lexicon};
use super::names::{JOINS, LEADS, STARTS};
use super::tokens::LONG;
use super::words::{Look, Word, hash, hash_at, hash_short, inside, look_wide};

/// A text cut into words. Made once and used for many texts, so that most need no memory of their own: until the next it keeps
/// places and hashes of the last, no text. Places are bytes, words are named by their place among all.
#[derive(Default)]
pub(super) struct Cut {
    pub(super) words: Vec<Word>,
    /// Where a closer look is worth it: the first digit of every run of digits, `@`, `:` and `^`, and `.`, `(`, `[` and `+`
    /// before a letter; in order.
    pub(super) places: Vec<usize>,
    /// Where a code may start, a bit a byte and sixty-four bytes together: at a word of ASCII and at the signs above.
    starts: Vec<u64>,
    /// The words at which a name may start: those that lists of names hold, that have a capital and are no everyday words, or that
    /// something leads up to.
    pub(super) names: Vec<usize>,
    /// The words that end a label.
    pub(super) labels: Vec<usize>,
    /// The words that end a phrase which speaks for or against a match.
    pub(super) near: Vec<usize>,
    /// The words that hold a digit.
    pub(super) numbers: Vec<usize>,
    /// The words that are longer than people write.
    pub(super) long: Vec<usize>,
    /// Whether it may hold words that are spelled out or numbers with letters in them.
    pub(super) odd: bool,
    /// The flags of all words together.
    pub(super) flags: Flags,
}

/// What of a block matters to the next.
#[derive(Default)]
struct Carry {
    /// Whether the block ended in a run, where that starts and what it is made of so far.
    open: bool,
    start: usize,
    made: Made,
    /// Whether the block ended with a digit.
    digit: bool,
    /// Whether it ended with a letter or digit of ASCII.
    plain: bool,
    /// How many words of one letter it held.
    singles: u32,
}

/// What a run of letters, digits and bytes outside ASCII is made of.
#[derive(Clone, Copy, Default)]
struct Made {
    digits: u32,
    /// Whether it starts with a capital letter of ASCII.
    capital: bool,
    /// Whether a small letter of ASCII is in it.
    lowers: bool,
    /// Whether a byte outside ASCII is in it.
    wide: bool,
}

impl Made {
    /// Of the part of a block whose first byte is `from`.
    #[inline]
    fn of(block: &Block, from: usize, part: u64) -> Self {
        let capital = block.upper.wrapping_shr(from as u32) & 1 != 0;
        let mut made = Self { capital, ..Self::default() };
        made.take(block, part);
        made
    }

    /// Takes in another part.
    #[inline]
    fn take(&mut self, block: &Block, part: u64) {
        self.lowers |= block.letter & !block.upper & part != 0;
        self.wide |= block.wide & part != 0;
        if block.digit & part != 0 {
            self.digits = self.digits.wrapping_add((block.digit & part).count_ones());
        }
    }

    /// The look of a word of ASCII without digits.
    #[inline]
    fn look(self, len: usize) -> Look {
        let row = usize::from(self.capital) | usize::from(self.lowers) << 1 | usize::from(len == 1) << 2;
        LOOKS.get(row).copied().unwrap_or(Look::Lower)
    }
}

/// By capital first, then a small letter in it, then a single letter.
const LOOKS: [Look; 8] = [
    Look::Lower,
    Look::Caps,
    Look::Lower,
    Look::Capital,
    Look::Lower,
    Look::Initial,
    Look::Lower,
    Look::Capital,
];

impl Cut {
    /// Cuts a text. `changes` is asked about every `&`, `%` and character outside ASCII; the first of which it says that it is not
    /// what it looks like ends the pass.
    pub(super) fn until(&mut self, text: &str, mut changes: impl FnMut(usize) -> bool) -> Result<(), usize> {
        self.clear();
        let mut carry = Carry::default();
        let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
        // What is left is shorter than a block: the zero after it ends the last word.
        let mut last = [0; BLOCK];
        last.get_mut(..rest.len()).into_iter().for_each(|slot| slot.copy_from_slice(rest));
        let mut base = 0_usize;
        for block in blocks.iter().chain(std::iter::once(&last)) {
            let block = Block::of(block);
            if block.asked != 0
                && let Some(from) =
                    bits(block.asked).map(|bit| base.wrapping_add(bit)).find(|at| changes(*at))
            {
                return Err(from);
            }
            self.note(base, &block, &mut carry);
            self.block(text, base, &block, &mut carry);
            base = base.wrapping_add(BLOCK);
        }
        Ok(())
    }

    /// Cuts a text whose every character is what it looks like.
    pub(super) fn all(&mut self, text: &str) {
        let cut = self.until(text, |_| false);
        debug_assert!(cut.is_ok(), "nothing changes");
    }

    /// Forgets the text before. What a very long one took up is given back.
    fn clear(&mut self) {
        if self.words.capacity().max(self.places.capacity()).max(self.starts.capacity()) > KEPT_MAX {
            *self = Self::default();
        }
        self.words.clear();
        for list in [
            &mut self.places,
            &mut self.names,
            &mut self.labels,
            &mut self.near,
            &mut self.numbers,
            &mut self.long,
        ] {
            list.clear();
        }
        self.starts.clear();
        (self.odd, self.flags) = (false, Flags::NONE);
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

    /// Cuts the block that starts at `base`.
    #[inline]
    fn block(&mut self, text: &str, base: usize, block: &Block, carry: &mut Carry) {
        let inside = block.inside();
        let mut edges = bits(inside ^ (inside << 1 | u64::from(carry.open)));
        if carry.open {
            let end = edges.next();
            carry.made.take(block, between(0, end.unwrap_or(BLOCK)));
            let Some(end) = end else { return };
            self.run(text, carry.start, base.wrapping_add(end), carry.made);
        }
        carry.open = false;
        let special = block.digit | block.wide;
        while let Some(from) = edges.next() {
            let start = base.wrapping_add(from);
            let Some(to) = edges.next() else {
                let made = Made::of(block, from, between(from, BLOCK));
                *carry = Carry { open: true, start, made, ..*carry };
                return;
            };
            let (end, part) = (base.wrapping_add(to), between(from, to));
            if special & part == 0 {
                let capital = block.upper.wrapping_shr(from as u32) & 1 != 0;
                let made =
                    Made { capital, lowers: block.letter & !block.upper & part != 0, ..Made::default() };
                self.push(text, start, end, made.look(to.wrapping_sub(from)));
            } else {
                self.run(text, start, end, Made::of(block, from, part));
            }
        }
    }

    /// A run becomes one word, or several if it holds something else than ASCII.
    fn run(&mut self, text: &str, start: usize, end: usize, made: Made) {
        if made.wide {
            return self.push_wide(text, start, end);
        }
        let (len, digits) = (end.wrapping_sub(start), made.digits as usize);
        if digits == 0 {
            return self.push(text, start, end, made.look(len));
        }
        self.numbers.push(self.words.len());
        self.odd |= digits < len && (digits >= SWAPPED_MIN || len == 2);
        self.push(text, start, end, Look::Number);
    }

    /// Adds a word of ASCII.
    #[inline]
    fn push(&mut self, text: &str, start: usize, end: usize, look: Look) {
        let (bytes, len) = (text.as_bytes(), end.wrapping_sub(start));
        let hash = match bytes.get(start..).and_then(<[u8]>::first_chunk::<8>) {
            Some(chunk) if len <= 8 => hash_short(chunk, len),
            _ => {
                if len >= LONG {
                    self.long.push(self.words.len());
                }
                hash_at(bytes, start, end)
            }
        };
        self.words.push(Word { start, end, hash, flags: Flags::NONE, look });
    }

    /// Cuts a run with bytes outside ASCII at what is no letter, digit or accent.
    fn push_wide(&mut self, text: &str, start: usize, end: usize) {
        let mut rest = text.get(start..end).unwrap_or("");
        while let Some(from) = rest.find(inside) {
            rest = rest.get(from..).unwrap_or("");
            let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(len);
            let (at, look) = (end - rest.len(), look_wide(word));
            let lists = [(&mut self.numbers, look == Look::Number), (&mut self.long, len >= LONG)];
            for (list, _) in lists.into_iter().filter(|(_, listed)| *listed) {
                list.push(self.words.len());
            }
            self.words.push(Word { start: at, end: at + len, hash: hash(word), flags: Flags::NONE, look });
            rest = after;
        }
    }

    /// Where a code may start from `from` on up to and with `last`, which lies less than sixty-four bytes further.
    pub(super) fn starts_within(&self, from: usize, last: usize) -> impl Iterator<Item = usize> {
        let (row, place) = (last / BLOCK, last % BLOCK);
        let here = self.starts.get(row).copied().unwrap_or(0);
        let before = row.checked_sub(1).and_then(|row| self.starts.get(row)).copied().unwrap_or(0);
        let first = (last + 1).saturating_sub(BLOCK);
        let both = u128::from(here) << BLOCK | u128::from(before);
        // Without a row before, the bits of this one start where the text does.
        let set = if row == 0 { here & between(0, place + 1) } else { (both >> (place + 1)) as u64 };
        let asked = u64::MAX.wrapping_shl(from.saturating_sub(first) as u32);
        bits(set & asked).map(move |bit| first.wrapping_add(bit))
    }

    /// Looks every word up, those with a capital among everyday words too, and lists those that stages look at. Of sixty-four words first those are told that the lists may
    /// know, so that look-ups do not wait for one another.
    pub(super) fn look_up(&mut self, text: &str, known: &Lexicon, common: &Dictionary) {
        let caret = self.places.iter().any(|at| text.as_bytes().get(*at) == Some(&b'^'));
        let (mut first, mut led) = (0_usize, 0);
        for words in self.words.chunks_mut(64) {
            let (mut found, mut capitals) = (0_u64, 0_u64);
            for (word, bit) in words.iter().zip(0_u32..64) {
                found |= u64::from(known.may_know(word.hash)).wrapping_shl(bit);
                capitals |= u64::from(word.capital()).wrapping_shl(bit);
            }
            let mut ordinary = 0_u64;
            for place in bits(capitals) {
                let Some(word) = words.get_mut(place) else { break };
                if common.has(word.hash) {
                    word.flags = Flags::COMMON;
                    ordinary |= u64::from(word.look != Look::Initial).wrapping_shl(place as u32);
                }
            }
            let (mut starts, mut surnames, mut joins) = (0_u64, 0_u64, 0_u64);
            let (mut leads, mut labels, mut near) = (0_u64, 0_u64, 0_u64);
            for place in bits(found) {
                let Some(word) = words.get_mut(place) else { break };
                let flags = known.flags(word.hash);
                word.flags = word.flags.with(flags);
                self.flags = self.flags.with(flags);
                let bit = 1_u64.wrapping_shl(place as u32);
                let when = |any: Flags| if flags.any(any) { bit } else { 0 };
                starts |= when(STARTS);
                surnames |= when(Flags::SURNAME);
                joins |= when(JOINS);
                leads |= when(LEADS);
                labels |= when(LABELS);
                near |= when(Flags::NEAR);
            }
            let mut names =
                starts | surnames & joins | capitals & (surnames | joins | !ordinary) | leads << 1 | led;
            if caret {
                names |= capitals | surnames;
            }
            led = leads >> 63;
            let all = if words.len() < 64 { between(0, words.len()) } else { u64::MAX };
            let lists = [(&mut self.names, names & all), (&mut self.labels, labels), (&mut self.near, near)];
            for (list, set) in lists {
                for place in bits(set) {
                    list.push(first.wrapping_add(place));
                }
            }
            first = first.wrapping_add(64);
        }
    }
}

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
            let known = Lexicon::build(&[(hash("jan"), Flags::FIRST), (hash("de"), LEADS)]);
            let common = Dictionary::build([hash("ns")].into_iter());
            used.all(&before);
            used.look_up(&before, &known, &common);
            for cut in [&mut used, &mut fresh] {
                cut.all(&text);
                cut.look_up(&text, &known, &common);
            }
            prop_assert_eq!((&used.places, &used.numbers, &used.long), (&fresh.places, &fresh.numbers, &fresh.long));
            prop_assert_eq!((&used.names, &used.odd), (&fresh.names, &fresh.odd));
            let listed = |at: usize| {
                let (of, word) = (|at: usize| known.flags(used.words[at].hash), used.words[at]);
                let ordinary = common.has(word.hash) && word.look != Look::Initial;
                let capital = word.capital() && (!ordinary || text.contains('^'));
                capital || of(at).any(STARTS) || at.checked_sub(1).is_some_and(|at| of(at).any(LEADS))
            };
            prop_assert_eq!(&used.names, &(0..used.words.len()).filter(|at| listed(*at)).collect::<Vec<_>>());
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
                    prop_assert_eq!(used.starts_within(from, last).collect::<Vec<_>>(), wanted);
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
