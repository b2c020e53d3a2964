//! A text cut into words in one pass over its bytes, sixty-four at a time, and what is worth a closer look in it.
//!
//! What can be worked out for all words of a block at once is, and what is true of few of them, such as a capital, is looked for
//! in the bits of the block and not in each word.

use super::blocks::{BLOCK, Block, between, bits};
use super::lexicon::{Dictionary, Flags, Lexicon};
use super::names::{JOINS, LEADS, STARTS};
use super::noted::Noted;
use super::places::Places;
use super::runs::{Held, Runs};
use super::tokens::LONG;
use super::words::{Look, PAIR, Word, hash, hash_at, hash_short, inside, look_wide};
use wide::bytemuck::cast;
use wide::{i8x16, i16x8};

/// A text cut into words. Made once and used for many texts, so that most need no memory of their own: it keeps
/// places and hashes of texts before, no text. Places are bytes, words are named by their place among all.
#[derive(Default)]
pub(super) struct Cut {
    pub(super) words: Noted<Word>,
    /// Where a closer look is worth it: the first digit of every run of digits, `@`, `:` and `^`, and `.`, `(`, `[` and `+`
    /// before a letter; in order.
    pub(super) places: Noted<usize>,
    /// Where a code may start, a bit a byte and sixty-four bytes together: at a word of ASCII and at the signs above.
    pub(super) starts: Places,
    /// The words at which a name may start: those that lists of names hold, that have a capital and are no everyday words, or that
    /// something leads up to.
    pub(super) names: Places,
    /// The words that may end a label.
    pub(super) labels: Places,
    /// The words that end a phrase which speaks for or against a match.
    pub(super) near: Places,
    /// The words that hold a digit.
    pub(super) numbers: Noted<usize>,
    /// Those among them that start with a letter of ASCII.
    pub(super) lettered: Vec<usize>,
    /// The words with a capital first and no digit.
    capitals: Noted<usize>,
    /// The words that are longer than people write.
    pub(super) long: Vec<usize>,
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
    /// Whether the block ended in a run, and where that started.
    open: bool,
    start: usize,
    /// What that run is known to hold so far.
    held: Held<bool>,
    /// Whether it ended with a digit.
    digit: bool,
    /// Whether it ended with a letter or digit of ASCII.
    plain: bool,
    /// How many words of one letter it held.
    singles: u32,
}

/// The look of a run of ASCII with a digit or a capital first, by three bits: a digit, a small letter, one byte only.
const LOOKS: [Look; 7] = {
    use Look::{Capital, Caps, Initial, Number};
    [Caps, Number, Capital, Number, Initial, Number, Number]
};

impl Cut {
    /// Cuts a text. `changes` is asked about every `&`, `%` and character outside ASCII; the first of which it says that it is not
    /// what it looks like ends the pass.
    pub(super) fn until(&mut self, text: &str, mut changes: impl FnMut(usize) -> bool) -> Result<(), usize> {
        self.clear();
        let (bytes, source) = (text.as_bytes(), Source::of(text));
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
            self.words_of(&source, base, &block, &mut carry);
            if last {
                break;
            }
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
        if self.words.room().max(self.places.room()) > KEPT_MAX {
            *self = Self::default();
        }
        self.words.clear();
        for list in [&mut self.places, &mut self.numbers, &mut self.capitals] {
            list.clear();
        }
        for list in [&mut self.lettered, &mut self.long] {
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
        self.places.add_bits(base, numbers | marks);
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

    /// Adds the words of the runs that end in the block that starts at `base`: a run of ASCII is one, another may hold several or
    /// none.
    #[inline]
    fn words_of(&mut self, source: &Source<'_>, base: usize, block: &Block, carry: &mut Carry) {
        let inside = block.inside();
        let before = inside << 1 | u64::from(carry.open);
        let (opens, mut ends) = (inside & !before, before & !inside);
        let held = carry.held.of(inside, block, opens);
        let mut runs = Runs { base, opens, start: carry.start };
        if !carry.open {
            runs.next();
        }
        for bit in bits(held.wide) {
            let upto = u64::MAX.wrapping_shl(bit as u32);
            self.plain(source, &mut runs, ends & !upto, &held);
            self.push_wide(source.text, runs.start, base.wrapping_add(bit));
            runs.next();
            ends &= upto << 1;
        }
        self.plain(source, &mut runs, ends, &held);
        (carry.start, carry.open) = (runs.start, inside >> (BLOCK - 1) != 0);
    }

    /// Adds the words of runs of ASCII, a bit each where they end.
    #[inline]
    fn plain(&mut self, source: &Source<'_>, runs: &mut Runs, ends: u64, held: &Held<u64>) {
        let (first, mut left) = (self.words.all().len(), ends);
        let Runs { base, mut opens, mut start } = *runs;
        let mut long = false;
        self.words.reserve(BLOCK);
        self.words.fill(|| {
            if left == 0 {
                return None;
            }
            let (from, end) = (start, base.wrapping_add(left.trailing_zeros() as usize));
            let len = end.wrapping_sub(from);
            let hash = if len < LONG.min(PAIR) {
                hash_short(source.pair(from), len)
            } else {
                long = true;
                hash_at(source.text.as_bytes(), from, end)
            };
            start = base.wrapping_add(opens.trailing_zeros() as usize);
            opens &= opens.wrapping_sub(1);
            left &= left.wrapping_sub(1);
            Some(Word { start: from, end, hash, flags: Flags::NONE, look: Look::Lower })
        });
        debug_assert!(left == 0, "there is room for all words");
        (runs.opens, runs.start) = (opens, start);
        if long {
            let added = self.words.all().iter().enumerate().skip(first);
            self.long.extend(added.filter(|(_, word)| word.len() >= LONG).map(|(at, _)| at));
        }
        for bit in bits((held.digit | held.capital) & ends) {
            let upto = ends & ((1 << bit) - 1);
            let index = first.wrapping_add(upto.count_ones() as usize);
            let Some(word) = self.words.all_mut().get_mut(index) else { break };
            let holds = |runs: u64| (runs >> bit & 1) as usize;
            let (digit, letter) = (holds(held.digit), holds(held.letter));
            let initial = usize::from(word.len() == 1);
            let look = digit | holds(held.lower) << 1 | initial << 2;
            word.look = LOOKS.get(look).copied().unwrap_or(Look::Number);
            for (list, count) in [(&mut self.numbers, digit), (&mut self.capitals, 1 - digit)] {
                list.reserve(1);
                list.add(index, count);
            }
            if digit & letter != 0 {
                self.mixed(source.text.as_bytes(), index);
            }
        }
    }

    /// Looks again at a word of ASCII that holds letters and digits.
    #[cold]
    fn mixed(&mut self, bytes: &[u8], index: usize) {
        let Some(word) = self.words.all().get(index) else { return };
        let body = bytes.get(word.start..word.end).unwrap_or(&[]);
        self.odd |= body.len() == 2 || body.iter().filter(|b| b.is_ascii_digit()).count() >= SWAPPED_MIN;
        if body.first().is_some_and(u8::is_ascii_alphabetic) {
            self.lettered.push(index);
        }
    }

    /// Cuts a run with bytes outside ASCII at what is no letter, digit or accent.
    #[inline(never)]
    fn push_wide(&mut self, text: &str, start: usize, end: usize) {
        let mut rest = text.get(start..end).unwrap_or("");
        while let Some(from) = rest.find(inside) {
            rest = rest.get(from..).unwrap_or("");
            let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(len);
            let (at, look) = (end - rest.len(), look_wide(word));
            let index = self.words.all().len();
            if look == Look::Number {
                self.numbers.push(index);
                if word.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    self.lettered.push(index);
                }
            }
            if len >= LONG {
                self.long.push(index);
            }
            let word = Word { start: at, end: at + len, hash: hash(word), flags: Flags::NONE, look };
            if word.capital() {
                self.capitals.push(index);
            }
            self.words.push(word);
            rest = after;
        }
    }

    /// Looks every word up, those with a capital among everyday words too, and lists those that stages look at. What is known of
    /// sixty-four words is gathered first, without a branch, so that look-ups do not wait for one another.
    pub(super) fn look_up(&mut self, known: &Lexicon, common: &Dictionary) {
        let (mut led, mut label_led, mut all) = (0, 0, Flags::NONE);
        let mut capitalised = self.capitals.all();
        for (words, first) in self.words.all_mut().chunks_mut(BLOCK).zip((0_usize..).step_by(BLOCK)) {
            let mut kinds = [0_u8; BLOCK];
            for (word, kind) in words.iter_mut().zip(&mut kinds) {
                word.flags = known.flags(word.hash);
                all = all.with(word.flags);
                *kind = word.flags.kinds();
            }
            let [starts, surnames, joins, leads, labels, label_ends, label_leads, near] =
                columns(&kinds, words.len());
            let (mut capitals, mut ordinary) = (0_u64, 0_u64);
            while let Some((at, others)) = capitalised.split_first()
                && let Some(word) = words.get_mut(at.wrapping_sub(first))
            {
                let bit = 1_u64.wrapping_shl(*at as u32);
                capitals |= bit;
                if common.has(word.hash) {
                    word.flags = word.flags.with(Flags::COMMON);
                    ordinary |= if word.look == Look::Initial { 0 } else { bit };
                }
                capitalised = others;
            }
            let mut names =
                starts | surnames & joins | capitals & (surnames | joins | !ordinary) | leads << 1 | led;
            if self.caret {
                names |= capitals | surnames;
            }
            let whole = if words.len() < BLOCK { between(0, words.len()) } else { u64::MAX };
            self.names.push(names & whole);
            self.labels.push(labels | label_ends & (label_leads << 1 | label_led));
            self.near.push(near);
            (led, label_led) = (leads >> (BLOCK - 1), label_leads >> (BLOCK - 1));
        }
        self.flags = all;
    }
}

/// What the stages that have a list of their words ask of a word, a bit each.
pub(super) fn kinds(flags: Flags) -> u8 {
    let labels = [Flags::LABEL, Flags::LABEL_END, Flags::LABEL_LEAD];
    let asked = [STARTS, Flags::SURNAME, JOINS, LEADS].into_iter().chain(labels).chain([Flags::NEAR]);
    asked.zip(0_u32..).fold(0, |all, (any, bit)| all | u8::from(flags.any(any)) << bit)
}

/// How many bits [`kinds`] has.
const KINDS: usize = 8;

/// For each bit of the first `count` bytes which of them have it, the first lowest.
#[inline]
fn columns(bytes: &[u8; BLOCK], count: usize) -> [u64; KINDS] {
    let mut columns = [0; KINDS];
    let (parts, _) = bytes.as_chunks::<16>();
    for (part, shift) in parts.iter().zip((0_u32..).step_by(16)).take(count.div_ceil(16)) {
        let mut part: i16x8 = cast(*part);
        for column in columns.iter_mut().rev() {
            // The sign of a byte is its highest bit: one place further each time.
            let set = cast::<_, i8x16>(part).to_bitmask();
            *column |= u64::from(set).wrapping_shl(shift);
            part <<= 1;
        }
    }
    columns
}

/// A text of which sixteen bytes can be had from any place on.
struct Source<'t> {
    text: &'t str,
    /// Its last bytes and zeros behind them, and where they start.
    tail: [u8; 2 * PAIR],
    from: usize,
}

impl<'t> Source<'t> {
    fn of(text: &'t str) -> Self {
        let (bytes, mut tail) = (text.as_bytes(), [0; 2 * PAIR]);
        match (bytes.last_chunk::<PAIR>(), tail.first_chunk_mut::<PAIR>()) {
            (Some(last), Some(slots)) => *slots = *last,
            _ => tail.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte),
        }
        Self { text, tail, from: text.len().saturating_sub(PAIR) }
    }

    /// Sixteen bytes from a place on, the first lowest, with zeros past the end: for many places of one text.
    #[inline]
    fn pair(&self, start: usize) -> u128 {
        let sixteen = |bytes: &[u8], at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).copied();
        let found = sixteen(self.text.as_bytes(), start)
            .or_else(|| sixteen(&self.tail, start.wrapping_sub(self.from)));
        found.map_or(0, u128::from_le_bytes)
    }
}

/// Whether an emoji of four bytes stands at a place: no letter, and what it looks like.
#[inline]
fn is_emoji(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at..), Some([0xf0, 0x9f, 0x8c..=0xab, _, ..]))
}

/// How many bytes such an emoji has.
const EMOJI: usize = 4;

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
            prop_assert_eq!((used.places.all(), used.numbers.all(), &used.long), (fresh.places.all(), fresh.numbers.all(), &fresh.long));
            prop_assert!(used.names.iter().eq(fresh.names.iter()) && used.odd == fresh.odd);
            let listed = |at: usize| {
                let (of, word) = (|at: usize| known.flags(used.words.all()[at].hash), used.words.all()[at]);
                let ordinary = common.has(word.hash) && word.look != Look::Initial;
                let capital = word.capital() && (!ordinary || text.contains('^'));
                capital || of(at).any(STARTS) || at.checked_sub(1).is_some_and(|at| of(at).any(LEADS))
            };
            prop_assert!(used.names.iter().eq((0..used.words.all().len()).filter(|at| listed(*at))));
            let number = |at: &usize| used.words.all()[*at].look == Look::Number;
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
            prop_assert_eq!(used.numbers.all(), (0..used.words.all().len()).filter(number).collect::<Vec<_>>());
            let long = |at: &usize| used.words.all()[*at].len() >= LONG;
            prop_assert_eq!(&used.long, &(0..used.words.all().len()).filter(long).collect::<Vec<_>>());
        }
    }

    /// Every run, wherever it lies to the blocks it is read in and wherever in it stands what makes it more than small letters.
    #[test]
    fn runs_are_cut_alike_whatever_blocks_they_lie_in() {
        let fillers = ["b", "5", "Q"];
        let lengths = (1..4).chain(15..18).chain(62..67).chain(126..131).chain([200]);
        for (length, offset) in
            lengths.flat_map(|length| [0, 1, 30, 62, 63, 64, 65].map(|offset| (length, offset)))
        {
            let edge = BLOCK.saturating_sub(offset).min(length);
            let places = [0, 1, edge.saturating_sub(1), edge, length / 2, length - 1];
            for (filler, marker) in
                fillers.iter().flat_map(|filler| ["7", "Z", "a", "\u{e9}"].map(|marker| (*filler, marker)))
            {
                for place in places.into_iter().filter(|place| *place < length) {
                    let run = [&filler.repeat(place), marker, &filler.repeat(length - place - 1)].concat();
                    let text = format!("{}{run} x", " ".repeat(offset));
                    let mut cut = Cut::default();
                    cut.all(&text);
                    let words = cut.words.all();
                    assert!(words.iter().map(|w| (w.start, w.end, w.hash)).eq(naive(&text)), "{text}");
                    let looks = words.iter().map(|w| w.look);
                    assert!(looks.eq([naive_look(&run), Look::Lower]), "{text}");
                    let number = run.contains(char::is_numeric);
                    assert_eq!(cut.numbers.all(), &[0][..usize::from(number)], "{text}");
                    let lettered = number && run.starts_with(|c: char| c.is_ascii_alphabetic());
                    assert_eq!(cut.lettered, &[0][..usize::from(lettered)], "{text}");
                    let digits = run.bytes().filter(u8::is_ascii_digit).count();
                    let mixed = run.is_ascii() && number && digits < length;
                    assert_eq!(cut.odd, mixed && (digits >= SWAPPED_MIN || length == 2), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_ends_a_label_or_a_phrase_is_listed_in_every_row() {
        let flags = [
            ("lead", Flags::LABEL_LEAD),
            ("end", Flags::LABEL_END),
            ("label", Flags::LABEL),
            ("near", Flags::NEAR),
            ("von", JOINS),
            ("berg", Flags::SURNAME),
        ];
        let known = Lexicon::build(&flags.map(|(word, flags)| (hash(word), flags)), kinds);
        for before in (0..4).chain(56..70).chain(120..132) {
            let text = format!("{}lead end label end lead near end Jan von berg", "w ".repeat(before));
            let mut cut = Cut::default();
            cut.all(&text);
            cut.look_up(&known, &Dictionary::default());
            let at = |places: &Places| places.iter().map(|at| at - before).collect::<Vec<_>>();
            assert_eq!((at(&cut.labels), at(&cut.near)), (vec![1, 2], vec![5]), "{before}");
            assert_eq!(at(&cut.names), [7], "{before}");
        }
    }

    #[test]
    fn places_are_the_first_digits_and_the_signs() {
        let mut cut = Cut::default();
        let text = format!("{} 06-12 a@b c:d x.y z. (a) [1", "x".repeat(60));
        cut.all(&text);
        let at: Vec<&str> = cut.places.all().iter().map(|at| &text[*at..=*at]).collect();
        assert_eq!(at, ["0", "1", "@", ":", ".", "(", "1"]);
    }
}
