//! Which characters the values that are looked for are made of: most of what is no text at all, and is read as UTF-16 all the same,
//! is in characters that none of them holds.

use crate::redact::fold_char;
use std::collections::HashSet;

/// Characters of the first plane.
const PLANE: u32 = 0x1_0000;
/// The upper byte of letters and digits of full width, which become those of ASCII.
const FULL_WIDTH: u8 = 0xff;
/// Units of UTF-16 in the shortest value that is looked for.
const UNITS_MIN: usize = 4;

/// The characters of some values.
#[derive(Clone, Default)]
pub(super) struct Letters {
    /// Those beyond ASCII.
    held: HashSet<char>,
    /// The upper bytes that these and ASCII have in UTF-16, and those of full width.
    upper: [u64; 4],
    /// A bit for each character that becomes only others than these in one case and without marks; empty when there are no values.
    strange: Vec<u64>,
    /// Bytes of the shortest value.
    shortest: Option<usize>,
}

impl Letters {
    /// Those of more values, in one case and without marks.
    pub(super) fn and<'v>(mut self, values: impl Iterator<Item = &'v str>) -> Self {
        for value in values {
            self.shortest = Some(self.shortest.map_or(value.len(), |shortest| shortest.min(value.len())));
            self.held.extend(value.chars().filter(|c| !c.is_ascii()));
            value.encode_utf16().for_each(|unit| self.is_used(unit.to_be_bytes()[0]));
        }
        [0, FULL_WIDTH].into_iter().for_each(|byte| self.is_used(byte));
        let mut folded = String::new();
        let mut is_strange = |code: u32| {
            folded.clear();
            if let Some(c) = char::from_u32(code) {
                fold_char(c, &mut folded);
            }
            !folded.is_empty() && folded.chars().all(|c| !c.is_ascii() && !self.held.contains(&c))
        };
        self.strange = (0..PLANE / 64)
            .map(|word| (0..64).fold(0, |bits, bit| bits | u64::from(is_strange(word * 64 + bit)) << bit))
            .collect();
        self
    }

    /// Folds characters into a text, without what is too short to hold a value between characters of which no value is made. What
    /// stands right beside the rest stays: it decides whether a value is part of a longer word.
    pub(super) fn fold_worthwhile(&self, chars: impl Iterator<Item = char>, into: &mut String) {
        let shortest = self.shortest.unwrap_or_default();
        // Where what may be left out begins; where the characters of values begin in that; what stands right before these.
        let (mut from, mut run, mut beside) = (into.len(), into.len(), None);
        for c in chars {
            if !self.is_strange(c) {
                if let Some(strange) = beside.take() {
                    fold_char(strange, into);
                    run = into.len();
                }
                fold_char(c, into);
                continue;
            }
            if into.len() - run >= shortest {
                fold_char(c, into);
                from = into.len();
            } else {
                into.truncate(from);
                beside = Some(c);
            }
            run = into.len();
        }
    }

    fn is_used(&mut self, upper: u8) {
        if let Some(bits) = self.upper.get_mut(usize::from(upper / 64)) {
            *bits |= 1 << (upper % 64);
        }
    }

    /// Whether enough bytes are upper ones for UTF-16 of a value to be among them.
    pub(super) fn may_be_utf16(&self, bytes: &[u8]) -> bool {
        bytes
            .iter()
            .filter(|byte| {
                self.upper.get(usize::from(**byte / 64)).is_some_and(|bits| bits >> (**byte % 64) & 1 == 1)
            })
            .take(UNITS_MIN)
            .count()
            == UNITS_MIN
    }

    fn is_strange(&self, c: char) -> bool {
        let code = c as usize;
        self.strange.get(code / 64).is_some_and(|bits| bits >> (code % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_value_is_made_of_is_passed_over_and_what_stands_beside_values_is_not() {
        let letters = Letters::default().and(["zoë jansen", "иван", "zoe 12", "二月 2026"].into_iter());
        for (text, read) in [
            ("zoe jansen", "zoe jansen"),
            ("一一一zoe 12一一一一иван 1一", "一zoe 12一一иван 1一"),
            ("三四五六zoe 12七八九十", "六zoe 12七"),
            // Too short for a value.
            ("三四zo五六", ""),
            ("三四zo五六zoe 12七八zo九十zoe 34", "六zoe 12七十zoe 34"),
            ("Иван ИВАН", "иван иван"),
            // This one is written with what a value is made of.
            ("三㈡㈡㈡四", "三(二)(二)(二)四"),
            ("三\u{200b}四五六", ""),
            ("😀😀😀", "😀😀😀"),
        ] {
            let mut folded = String::new();
            letters.fold_worthwhile(text.chars(), &mut folded);
            assert_eq!(folded, read, "{text}");
        }
    }
}
