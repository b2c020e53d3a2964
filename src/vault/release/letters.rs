//! Which characters the values that are looked for are made of: most of what is no text at all, and is read as UTF-16 all the same,
//! is in characters that none of them holds.

use crate::redact::fold_char;
use std::collections::HashSet;

/// Characters of the first plane.
const PLANE: u32 = 0x1_0000;

/// The characters of some values.
#[derive(Clone, Default)]
pub(super) struct Letters {
    /// Those beyond ASCII.
    held: HashSet<char>,
    /// A bit for each character that becomes only others than these in one case and without marks; empty when there are no values.
    strange: Vec<u64>,
}

impl Letters {
    /// Those of more values, in one case and without marks.
    pub(super) fn and<'v>(mut self, values: impl Iterator<Item = &'v str>) -> Self {
        self.held.extend(values.filter(|value| !value.is_ascii()).flat_map(str::chars));
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

    /// Hands characters to `see`, and of those in a row of which no value is made only the first and the last: no value stands there,
    /// and these two are right beside what stands before and behind.
    pub(super) fn worth_reading(&self, chars: impl Iterator<Item = char>, mut see: impl FnMut(char)) {
        let (mut in_row, mut last) = (false, None);
        for c in chars {
            match (self.is_strange(c), in_row) {
                (true, true) => last = Some(c),
                (true, false) => {
                    in_row = true;
                    see(c);
                }
                (false, _) => {
                    in_row = false;
                    last.take().into_iter().for_each(&mut see);
                    see(c);
                }
            }
        }
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
        let letters = Letters::default().and(["zoë jansen", "иван", "zoe", "二月"].into_iter());
        for (text, read) in [
            ("zoe jansen", "zoe jansen"),
            ("一一一zoe一一一一иван一", "一一zoe一一иван一"),
            ("三四五六zoe七八九十", "三六zoe七"),
            ("Иван ИВАН", "Иван ИВАН"),
            // This one is written with what a value is made of.
            ("三㈡四", "三㈡四"),
            ("三\u{200b}四五六", "三\u{200b}四"),
            ("😀😀😀", "😀😀😀"),
        ] {
            let mut seen = String::new();
            letters.worth_reading(text.chars(), |c| seen.push(c));
            assert_eq!(seen, read, "{text}");
        }
    }
}
