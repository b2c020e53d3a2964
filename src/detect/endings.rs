//! Endings of words, told apart by their last four bytes: a word is compared with few of them whole.

/// What a word may end with, in lower case.
pub(super) struct Ending {
    text: &'static str,
    /// Its last four bytes, and which bits of them count.
    tail: u32,
    counts: u32,
}

impl Ending {
    /// These endings.
    pub(super) const fn all<const N: usize>(texts: [&'static str; N]) -> [Self; N] {
        let mut made = [const { Self { text: "", tail: 0, counts: 0 } }; N];
        let (mut left, mut rest) = (made.as_mut_slice(), texts.as_slice());
        while let ([slot, slots @ ..], [text, texts @ ..]) = (left, rest) {
            let counts = counts(text.len());
            *slot = Self { text, tail: tail(text.as_bytes()) & counts, counts };
            (left, rest) = (slots, texts);
        }
        made
    }

    fn ends(&self, word: &[u8], tail: u32) -> bool {
        let end = || word.len().checked_sub(self.text.len()).and_then(|from| word.get(from..));
        tail & self.counts == self.tail
            && end().is_some_and(|end| end.eq_ignore_ascii_case(self.text.as_bytes()))
    }
}

/// Whether a word ends with one of these and has at least so many bytes before it, without regard to ASCII case.
pub(super) fn ends_with(word: &str, endings: &[Ending], before: usize) -> bool {
    let word = word.as_bytes();
    let tail = tail(word);
    endings.iter().any(|ending| ending.ends(word, tail) && word.len() >= ending.text.len() + before)
}

/// The last four bytes in lower case, the last highest; zero before the start.
pub(super) const fn tail(text: &[u8]) -> u32 {
    match text.last_chunk::<4>() {
        Some(chunk) => u32::from_le_bytes(*chunk) | 0x2020_2020,
        None => {
            let (mut rest, mut tail) = (text, 0);
            while let [byte, bytes @ ..] = rest {
                (rest, tail) = (bytes, tail >> 8 | ((*byte | 0x20) as u32) << 24);
            }
            tail
        }
    }
}

/// Which bits of [`tail`] an ending of so many bytes has.
pub(super) const fn counts(len: usize) -> u32 {
    match len {
        0 => 0,
        1..=3 => u32::MAX << (32 - 8 * len),
        _ => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_ends_with_what_it_ends_with() {
        const ENDINGS: [Ending; 3] = Ending::all(["straat", "weg", "e"]);
        for (word, before, ends) in [
            ("Dorpsstraat", 3, true),
            ("DORPSSTRAAT", 6, false),
            ("\u{e9}weg", 2, true),
            ("weg", 0, true),
            ("weg", 1, false),
            ("e", 0, true),
            ("traat", 0, false),
            ("eg", 0, false),
            ("", 0, false),
        ] {
            assert_eq!(ends_with(word, &ENDINGS, before), ends, "{word}");
        }
    }
}
