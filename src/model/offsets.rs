//! Offsets in the units that the edges speak. Inside, a place in a text is always UTF-8 bytes.

use super::{ModelError, Span};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// What an offset counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OffsetUnit {
    /// UTF-8 bytes, as inside this program, Rust and Go.
    Bytes,
    /// Unicode code points, as Python and Presidio.
    #[default]
    Chars,
    /// UTF-16 code units, as JavaScript, Java and C#.
    Utf16,
}

impl OffsetUnit {
    /// Every unit.
    pub const ALL: &'static [Self] = &[Self::Bytes, Self::Chars, Self::Utf16];

    /// The word as typed and written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Chars => "chars",
            Self::Utf16 => "utf16",
        }
    }

    /// Length of a text in this unit.
    #[must_use]
    pub fn length(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Chars => text.chars().count(),
            // A character takes two UTF-16 units exactly when its UTF-8 form takes four bytes.
            Self::Utf16 => text.chars().count() + text.bytes().filter(|byte| *byte >= 0xf0).count(),
        }
    }

    /// What one character adds.
    fn width(self, c: char) -> usize {
        match self {
            Self::Bytes => c.len_utf8(),
            Self::Chars => 1,
            Self::Utf16 => c.len_utf16(),
        }
    }

    /// Whether offsets in this unit are byte offsets, in that text.
    fn is_bytes(self, text: &str) -> bool {
        self == Self::Bytes || text.is_ascii()
    }

    /// Byte offsets of a text in this unit, in the order given: one walk over the text however many there are.
    ///
    /// # Errors
    /// [`OffsetError`] for the first, in the order of the text, that lies outside it or cuts a character.
    pub fn of_bytes(self, text: &str, bytes: &[usize]) -> Result<Vec<usize>, OffsetError> {
        let (mut at, mut counted) = (0, 0);
        in_order(bytes, |index, byte| {
            let step = text.get(at..byte).ok_or(OffsetError { index, offset: byte, unit: Self::Bytes })?;
            counted += if self.is_bytes(step) { step.len() } else { self.length(step) };
            at = byte;
            Ok(counted)
        })
    }

    /// The other way: byte offsets of offsets in this unit, in the order given, in one walk over the text.
    ///
    /// # Errors
    /// [`OffsetError`] for the first, in the order of the text, that lies outside it or cuts a character.
    pub fn to_bytes(self, text: &str, offsets: &[usize]) -> Result<Vec<usize>, OffsetError> {
        let same = self.is_bytes(text);
        let mut ahead = text.char_indices();
        let (mut at, mut counted) = (0, 0);
        in_order(offsets, |index, offset| {
            let wrong = OffsetError { index, offset, unit: self };
            if same {
                return text.is_char_boundary(offset).then_some(offset).ok_or(wrong);
            }
            while counted < offset {
                let Some((start, c)) = ahead.next() else { return Err(wrong) };
                counted += self.width(c);
                at = start + c.len_utf8();
            }
            if counted == offset { Ok(at) } else { Err(wrong) }
        })
    }

    /// Spans of a text as ranges in this unit, in the order given, in one walk.
    ///
    /// # Errors
    /// [`OffsetError`] when a span does not fit the text; its index counts starts and ends: two a span.
    pub fn of_spans(self, text: &str, spans: &[Span]) -> Result<Vec<Range<usize>>, OffsetError> {
        let bytes: Vec<usize> = spans.iter().flat_map(|span| [span.start(), span.end()]).collect();
        let converted = self.of_bytes(text, &bytes)?;
        let (pairs, _) = converted.as_chunks::<2>();
        Ok(pairs.iter().map(|[start, end]| *start..*end).collect())
    }
}

/// Calls `convert` with each offset in ascending order; the answers stand in the order given.
fn in_order(
    offsets: &[usize],
    mut convert: impl FnMut(usize, usize) -> Result<usize, OffsetError>,
) -> Result<Vec<usize>, OffsetError> {
    let mut order: Vec<(usize, usize)> =
        offsets.iter().enumerate().map(|(index, offset)| (*offset, index)).collect();
    order.sort_unstable();
    let mut converted = vec![0; offsets.len()];
    for (offset, index) in order {
        let answer = convert(index, offset)?;
        if let Some(place) = converted.get_mut(index) {
            *place = answer;
        }
    }
    Ok(converted)
}

impl fmt::Display for OffsetUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OffsetUnit {
    type Err = ModelError;
    fn from_str(given: &str) -> Result<Self, ModelError> {
        Self::ALL.iter().copied().find(|unit| unit.as_str() == given).ok_or_else(|| ModelError::Term {
            what: "offset unit",
            given: given.chars().take(80).collect(),
            expected: "bytes, chars, utf16".to_owned(),
        })
    }
}

/// An offset that is no place in the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset} ({unit}) lies outside the text or cuts a character")]
pub struct OffsetError {
    /// Position in the offsets given, from 0.
    pub index: usize,
    /// The offset.
    pub offset: usize,
    /// In which unit.
    pub unit: OffsetUnit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_text_in_three_units() {
        // a: 1 byte; é: 2; 家: 3; 👍: 4 and two UTF-16 units; the mark that follows is a character of its own.
        let text = "aé家👍🏽b";
        let table = [
            (OffsetUnit::Bytes, [0, 1, 3, 6, 10, 14, 15]),
            (OffsetUnit::Chars, [0, 1, 2, 3, 4, 5, 6]),
            (OffsetUnit::Utf16, [0, 1, 2, 3, 5, 7, 8]),
        ];
        let bytes = table[0].1;
        for (unit, expected) in table {
            assert_eq!(unit.of_bytes(text, &bytes).unwrap(), expected, "{unit}");
            assert_eq!(unit.to_bytes(text, &expected).unwrap(), bytes, "{unit}");
            assert_eq!(unit.length(text), expected[6]);
        }
        let spans = [Span::new(10, 14).unwrap(), Span::new(1, 3).unwrap()];
        assert_eq!(OffsetUnit::Utf16.of_spans(text, &spans).unwrap(), [5..7, 1..2]);
    }

    #[test]
    fn what_is_no_place_in_the_text_is_named() {
        let wrong = |index, offset, unit| Some(OffsetError { index, offset, unit });
        assert_eq!(
            OffsetUnit::Chars.of_bytes("é!", &[0, 3, 1]).err(),
            wrong(2, 1, OffsetUnit::Bytes),
            "in a character"
        );
        assert_eq!(OffsetUnit::Chars.of_bytes("é!", &[4]).err(), wrong(0, 4, OffsetUnit::Bytes));
        assert_eq!(
            OffsetUnit::Utf16.to_bytes("👍", &[2, 1]).err(),
            wrong(1, 1, OffsetUnit::Utf16),
            "half a pair"
        );
        assert_eq!(OffsetUnit::Chars.to_bytes("é!", &[3]).err(), wrong(0, 3, OffsetUnit::Chars));
        assert_eq!(OffsetUnit::Bytes.to_bytes("é!", &[1]).err(), wrong(0, 1, OffsetUnit::Bytes));
        assert_eq!(OffsetUnit::Utf16.to_bytes("abc", &[4]).err(), wrong(0, 4, OffsetUnit::Utf16));
        assert_eq!(
            OffsetUnit::Chars.to_bytes("é", &[usize::MAX]).err(),
            wrong(0, usize::MAX, OffsetUnit::Chars)
        );
        let message = OffsetUnit::Chars.to_bytes("é!", &[3]).unwrap_err().to_string();
        assert_eq!(message, "offset 3 (chars) lies outside the text or cuts a character");
    }

    #[test]
    fn units_read_back_what_they_write() {
        for unit in OffsetUnit::ALL {
            assert_eq!(unit.as_str().parse::<OffsetUnit>(), Ok(*unit));
        }
        assert!("codepoints".parse::<OffsetUnit>().is_err());
    }

    proptest! {
        #[test]
        fn every_unit_counts_as_its_own_encoding_and_round_trips(
            text in "([a-z]|é|家|👍|\u{301}|\\PC){0,40}",
            picks in proptest::collection::vec(0_usize..41, 0..12),
        ) {
            let places: Vec<usize> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let bytes: Vec<usize> = picks.iter().map(|pick| places[pick % places.len()]).collect();
            for unit in OffsetUnit::ALL {
                let naive: Vec<usize> = bytes.iter().map(|byte| match unit {
                    OffsetUnit::Bytes => *byte,
                    OffsetUnit::Chars => text[..*byte].chars().count(),
                    OffsetUnit::Utf16 => text[..*byte].encode_utf16().count(),
                }).collect();
                let converted = unit.of_bytes(&text, &bytes).unwrap();
                prop_assert_eq!(&converted, &naive);
                prop_assert_eq!(unit.to_bytes(&text, &converted).unwrap(), bytes.clone());
                prop_assert_eq!(unit.length(&text), unit.of_bytes(&text, &[text.len()]).unwrap()[0]);
            }
        }

        #[test]
        fn any_number_is_answered_with_a_boundary_or_an_error(
            text in "(a|é|👍){0,12}", offsets in proptest::collection::vec(0_usize..60, 0..8),
        ) {
            for unit in OffsetUnit::ALL {
                for offset in &offsets {
                    if let Ok(bytes) = unit.to_bytes(&text, &[*offset]) {
                        prop_assert!(text.is_char_boundary(bytes[0]));
                        prop_assert_eq!(unit.of_bytes(&text, &bytes).unwrap(), vec![*offset]);
                    }
                }
            }
        }
    }
}
