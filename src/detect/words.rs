//! A text cut into words: runs of letters and digits, with the look of each and its hash in lower case without marks.

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
    pub(super) look: Look,
    pub(super) hash: u64,
}

impl Word {
    /// Whether it starts with a capital.
    pub(super) fn capital(&self) -> bool {
        matches!(self.look, Look::Capital | Look::Initial | Look::Caps)
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<Word> {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(bytes.len() / 5 + 4);
    let mut pos = 0;
    while let Some(&byte) = bytes.get(pos) {
        if byte.is_ascii_alphanumeric() || byte >= 0x80 {
            let word = scan(text, pos);
            pos = word.end.max(pos + 1);
            if word.len() > 0 {
                found.push(word);
            } else {
                pos = next_char(text, pos);
            }
        } else {
            pos += 1;
        }
    }
    found
}

fn next_char(text: &str, mut pos: usize) -> usize {
    while !text.is_char_boundary(pos) {
        pos += 1;
    }
    pos
}

/// The word at `pos`; empty when a character outside ASCII there is no letter or digit.
fn scan(text: &str, pos: usize) -> Word {
    let bytes = text.as_bytes();
    let (mut end, mut hash, mut upper, mut lower, mut digit) = (pos, SEED, 0_u32, 0_u32, false);
    let first_upper = bytes.get(pos).is_some_and(u8::is_ascii_uppercase);
    while let Some(&b) = bytes.get(end) {
        match b {
            b'a'..=b'z' => lower += 1,
            b'A'..=b'Z' => upper += 1,
            b'0'..=b'9' => digit = true,
            0x80.. => return scan_wide(text, pos),
            _ => break,
        }
        hash = mix(hash, b | 0x20);
        end += 1;
    }
    Word { start: pos, end, look: look(first_upper, upper, lower, digit), hash }
}

fn scan_wide(text: &str, pos: usize) -> Word {
    let rest = text.get(pos..).unwrap_or("");
    let inside = |c: &char| c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}');
    let len: usize = rest.chars().take_while(inside).map(char::len_utf8).sum();
    let word = rest.get(..len).unwrap_or("");
    let upper = word.chars().filter(|c| c.is_uppercase()).count();
    let lower = word.chars().filter(|c| c.is_lowercase()).count();
    let first_upper = word.chars().next().is_some_and(char::is_uppercase);
    let digit = word.chars().any(char::is_numeric);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Word {
        start: pos,
        end: pos + len,
        look: look(first_upper, count(upper), count(lower), digit),
        hash: hash(word),
    }
}

fn look(first_upper: bool, upper: u32, lower: u32, digit: bool) -> Look {
    match (digit, first_upper, upper, lower) {
        (true, ..) => Look::Number,
        (_, false, ..) => Look::Lower,
        (_, _, 1, 0) => Look::Initial,
        (_, _, _, 0) => Look::Caps,
        _ => Look::Capital,
    }
}

/// The hash of a word in lower case and without marks: `José`, `JOSE` and `josé` are one.
pub(super) fn hash(word: &str) -> u64 {
    if word.is_ascii() {
        return word.bytes().fold(SEED, |h, b| mix(h, if b.is_ascii_uppercase() { b | 0x20 } else { b }));
    }
    let mut buffer = [0; 4];
    word.nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).flat_map(char::to_lowercase).fold(
        SEED,
        |h, c| {
            let plain = match c {
                'ı' => 'i',
                'ł' => 'l',
                'ø' => 'o',
                'đ' => 'd',
                'ə' => 'e',
                'ß' => 's',
                '\u{307}' => return h,
                c => c,
            };
            plain.encode_utf8(&mut buffer).bytes().fold(h, mix)
        },
    )
}

/// The same for a plain lower-case ASCII word, at compile time.
pub(super) const fn literal(word: &str) -> u64 {
    let (mut rest, mut hash) = (word.as_bytes(), SEED);
    while let [byte, tail @ ..] = rest {
        hash = mix(hash, *byte);
        rest = tail;
    }
    hash
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

const fn mix(hash: u64, byte: u8) -> u64 {
    (hash.rotate_left(5) ^ byte as u64).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// Adds a space and another word to a hash, for keys of several words.
pub(super) const fn join(left: u64, right: u64) -> u64 {
    mix(left, b' ').rotate_left(23) ^ right
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
    fn a_hash_forgets_case_and_marks() {
        assert_eq!(hash("José"), words("JOSE").first().unwrap().hash);
        assert_eq!(hash("Yılmaz"), hash("yilmaz"));
        assert_ne!(hash("jan"), hash("jam"));
    }
}
