//! Where in a text something stands that a person adds: given in code points, or as the words themselves.

use crate::model::Span;

/// The place of the code points `start` to `end` (exclusive) of a text; `None` when they do not stand in it.
pub(in crate::vault) fn of_code_points(text: &str, start: usize, end: usize) -> Option<Span> {
    if start >= end {
        return None;
    }
    let byte = |wanted: usize| {
        let starts = text.char_indices().map(|(at, _)| at);
        starts.chain([text.len()]).nth(wanted)
    };
    Span::new(byte(start)?, byte(end)?)
}

/// The code points of a place of a text; `None` when it does not lie in it.
pub(in crate::vault) fn in_code_points(text: &str, span: Span) -> Option<(usize, usize)> {
    let count = |upto: usize| text.get(..upto).map(|before| before.chars().count());
    Some((count(span.start())?, count(span.end())?))
}

/// Everywhere that these words stand in a text, as whole words, whatever the case.
pub(super) fn of_words(text: &str, words: &str) -> Vec<Span> {
    let words = words.trim();
    let mut found: Vec<Span> = Vec::new();
    if words.is_empty() {
        return found;
    }
    for (at, _) in text.char_indices() {
        let Some(rest) = text.get(at..) else { continue };
        let Some(long) = prefix(rest, words) else { continue };
        let whole = whole_word(text, at, at + long);
        let apart = found.last().is_none_or(|last| last.end() <= at);
        if let Some(span) = Span::new(at, at + long).filter(|_| whole && apart) {
            found.push(span);
        }
    }
    found
}

/// How many bytes of `text` are `words`, whatever the case, if it begins with them.
fn prefix(text: &str, words: &str) -> Option<usize> {
    let mut left = text.chars();
    for wanted in words.chars() {
        let here = left.next()?;
        if here != wanted && !here.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(text.len() - left.as_str().len())
}

fn whole_word(text: &str, start: usize, end: usize) -> bool {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (before, within) = (text.get(..start), text.get(start..end));
    let first = letter(within.and_then(|t| t.chars().next()));
    let last = letter(within.and_then(|t| t.chars().next_back()));
    let joined_before = first && letter(before.and_then(|t| t.chars().next_back()));
    let joined_after = last && letter(text.get(end..).and_then(|t| t.chars().next()));
    !joined_before && !joined_after
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn code_points_and_bytes_are_told_apart() {
        let text = "👍 Zoë";
        let span = of_code_points(text, 2, 5).unwrap();
        assert_eq!(span.of(text), Some("Zoë"));
        assert_eq!(in_code_points(text, span), Some((2, 5)));
        assert_eq!(of_code_points(text, 2, 6), None);
        assert_eq!(of_code_points(text, 3, 3), None);
    }

    #[test]
    fn words_are_found_whole_wherever_they_stand() {
        let found = |text: &str, words: &str| {
            of_words(text, words).iter().map(|span| span.of(text).unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("Vos, VOS en vossen", "vos"), ["Vos", "VOS"]);
        assert_eq!(found("Jan de Vos belt", " jan de vos "), ["Jan de Vos"]);
        assert_eq!(found("@vos_83!", "@vos_83"), ["@vos_83"]);
        assert_eq!(found("niets", ""), Vec::<String>::new());
        assert_eq!(found("Élodie élodie", "élodie"), ["Élodie", "élodie"]);
    }

    proptest! {
        #[test]
        fn whatever_is_found_lies_in_the_text(text in ".{0,40}", words in ".{0,6}", a in 0_usize..50, b in 0_usize..50) {
            for span in of_words(&text, &words) {
                prop_assert!(span.of(&text).is_some());
            }
            if let Some(span) = of_code_points(&text, a, b) {
                prop_assert!(span.of(&text).is_some());
                prop_assert_eq!(in_code_points(&text, span), Some((a, b)));
            }
        }
    }
}
