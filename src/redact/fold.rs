//! Text folded for comparison, with a map back to the source.
//!
//! Compatibility decomposition, lower case, without diacritics and invisible characters, one source
//! character at a time: so that `José`, `JOSE` and `Jo\u{ad}se` compare equal. Not for display.

use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A folded text. `starts` maps folded to source offsets; empty when they are the same (ASCII).
pub(super) struct Folded {
    pub text: String,
    starts: Vec<(usize, usize)>,
    source_len: usize,
}

/// A text as values are compared: in one case, without diacritics and invisible characters.
#[must_use]
pub fn folded(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    fold_into(source, &mut text);
    text
}

/// Folds a text behind what is in `into` already.
pub fn fold_into(source: &str, into: &mut String) {
    let mut rest = source;
    loop {
        // Most of most texts is ASCII, which is copied in long runs.
        let run = match rest.is_ascii() {
            true => rest.len(),
            false => rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len()),
        };
        let (ascii, other) = rest.split_at_checked(run).unwrap_or((rest, ""));
        let from = into.len();
        into.push_str(ascii);
        if let Some(copied) = into.get_mut(from..) {
            copied.make_ascii_lowercase();
        }
        let mut chars = other.chars();
        let Some(c) = chars.next() else { return };
        fold_char(c, into);
        rest = chars.as_str();
    }
}

/// Folds a text.
pub(super) fn fold(source: &str) -> Folded {
    let source_len = source.len();
    if source.is_ascii() {
        return Folded { text: source.to_ascii_lowercase(), starts: Vec::new(), source_len };
    }
    let mut text = String::with_capacity(source.len());
    let mut starts = Vec::with_capacity(source.len());
    for (at, c) in source.char_indices() {
        let before = text.len();
        fold_char(c, &mut text);
        if text.len() > before {
            starts.push((before, at));
        }
    }
    Folded { text, starts, source_len }
}

/// Folds one character behind what is in `into` already.
pub fn fold_char(c: char, into: &mut String) {
    if c.is_ascii() {
        into.push(c.to_ascii_lowercase());
    } else if let Some(known) = KNOWN.of(c) {
        into.push_str(known);
    } else {
        fold_anew(c, into);
    }
}

/// As Unicode says it.
fn fold_anew(c: char, into: &mut String) {
    if !is_invisible(c) {
        let parts = std::iter::once(c).nfkd().filter(|part| !is_combining_mark(*part));
        into.extend(parts.flat_map(char::to_lowercase).filter(|part| !is_combining_mark(*part)));
    }
}

/// What the characters of the first plane fold to, asked of Unicode once: half a megabyte, and ten times as fast.
static KNOWN: LazyLock<Known> = LazyLock::new(Known::made);

/// Foldings, one behind the other.
struct Known {
    text: String,
    /// Where that of each character begins, by its code; one more at the end.
    starts: Vec<u32>,
}

impl Known {
    fn made() -> Self {
        let mut known = Self { text: String::new(), starts: Vec::new() };
        for code in 0..=0x1_0000_u32 {
            known.starts.push(u32::try_from(known.text.len()).unwrap_or(u32::MAX));
            if let Some(c) = char::from_u32(code) {
                fold_anew(c, &mut known.text);
            }
        }
        known
    }

    fn of(&self, c: char) -> Option<&str> {
        let code = c as usize;
        let (from, to) = (self.starts.get(code)?, self.starts.get(code + 1)?);
        self.text.get(*from as usize..*to as usize)
    }
}

/// Characters that readers do not see: zero width, soft hyphen, direction and variation marks, tags.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

impl Folded {
    /// The source bytes behind folded bytes `start..end` (not empty): whole source characters.
    pub(super) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        if self.starts.is_empty() {
            return (start.min(self.source_len), end.min(self.source_len));
        }
        let after = |folded: usize| self.starts.partition_point(|(at, _)| *at <= folded);
        let from = after(start).checked_sub(1).and_then(|i| self.starts.get(i)).map_or(0, |(_, at)| *at);
        let to = self.starts.get(after(end.saturating_sub(1))).map_or(self.source_len, |(_, at)| *at);
        (from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_known_is_what_unicode_says(source in "(?s:[ -~]{0,40}.{0,20})*") {
            let mut anew = String::new();
            source.chars().for_each(|c| match c.is_ascii() {
                true => anew.push(c.to_ascii_lowercase()),
                false => fold_anew(c, &mut anew),
            });
            prop_assert_eq!(&folded(&source), &anew);
            prop_assert_eq!(&fold(&source).text, &anew);
        }
    }

    #[test]
    fn a_place_in_the_folded_text_leads_back_to_whole_characters() {
        let table = [
            ("Jan Vos", "vos", "Vos"),
            ("zei José Pérez.", "perez", "Pérez"),
            ("zei Jose\u{301} hier", "jose", "Jose\u{301}"),
            ("ＪＡＮ Ｖ.", "jan", "ＪＡＮ"),
            ("V\u{200b}os é", "vos", "V\u{200b}os"),
            ("İnci é", "inci", "İnci"),
        ];
        for (source, folded, expected) in table {
            let text = fold(source);
            let at = text.text.find(folded).expect(source);
            let (from, to) = text.source(at, at + folded.len());
            assert_eq!(&source[from..to], expected);
        }
    }
}
