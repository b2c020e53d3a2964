//! Words that are spelled out (`S a n n e`, `j-a-n`) and numbers with letters for digits (`O6-l2345678`).
//!
//! Seen on the words of a text, undone as one more layer of its shadow.

use super::cut::{SPELLED_MIN, SWAPPED_MIN};
use super::words::{Look, Word};

/// What must be replaced in the text: start, end and with what; in order and apart. Empty for nearly every text.
pub(super) fn tricks(text: &str, words: &[Word]) -> Vec<(usize, usize, &'static str)> {
    let mut found = Vec::new();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        if word.len() == 1
            && words.get(index + LETTERS_MIN).is_some_and(|w| w.len() == 1 && w.start < word.end + REACH)
        {
            let taken = run(text, words.get(index..).unwrap_or(&[]), &mut found);
            index += taken.max(1);
        } else {
            if word.look == Look::Number {
                let follows =
                    words.get(index + 1).is_some_and(|w| w.look == Look::Number && w.start <= word.end + 1);
                swaps(text, word, follows, &mut found);
            }
            index += 1;
        }
    }
    found
}

/// One letter fewer than the least that is taken for a spelled-out word.
const LETTERS_MIN: usize = SPELLED_MIN as usize - 1;
/// The most that this many letters with their separators take up.
const REACH: usize = LETTERS_MIN * 4;

/// Reads a run of single letters from the first word on; how many words it spans.
fn run(text: &str, words: &[Word], found: &mut Vec<(usize, usize, &'static str)>) -> usize {
    let gap = |i: usize| match (words.get(i), words.get(i + 1)) {
        (Some(a), Some(b)) if b.len() == 1 => text.get(a.end..b.start),
        _ => None,
    };
    let Some(separator) = gap(0).filter(|g| [" ", "-", "_", ".", "*"].contains(g)) else { return 1 };
    let mut count = 1;
    while let Some(between) = gap(count - 1)
        && joins(between, separator).is_some()
    {
        count += 1;
    }
    let letters = words.get(..count).unwrap_or(&[]);
    let lower = letters.iter().skip(1).filter(|w| w.look == Look::Lower).count();
    let alphabetic = letters.iter().filter(|w| w.look != Look::Number).count();
    // `J.P.R.M. de Wit` has initials; digits apart are read by the patterns themselves.
    let initials = separator == "." && lower < 2;
    if count > LETTERS_MIN && alphabetic >= LETTERS_MIN && !initials {
        for pair in letters.windows(2) {
            if let [a, b] = pair
                && let Some(with) = joins(text.get(a.end..b.start).unwrap_or(""), separator)
            {
                found.push((a.end, b.start, with));
            }
        }
    }
    count
}

/// What a gap within a run stands for.
fn joins(gap: &str, separator: &str) -> Option<&'static str> {
    match gap {
        _ if gap == separator => Some(""),
        "  " | "   " if separator == " " => Some(" "),
        " @ " if separator == " " => Some("@"),
        " . " if separator == " " => Some("."),
        " - " if separator == " " => Some("-"),
        " _ " if separator == " " => Some("_"),
        _ => None,
    }
}

/// `O` for 0 and `l` or `I` for 1, in a word that is otherwise digits, or in the `O6` of a phone number.
fn swaps(text: &str, word: &Word, number_follows: bool, found: &mut Vec<(usize, usize, &'static str)>) {
    let body = text.get(word.start..word.end).unwrap_or("");
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    let fake = |b: u8| matches!(b, b'o' | b'O' | b'l' | b'I');
    let mobile = number_follows && body.eq_ignore_ascii_case("o6");
    if (digits < SWAPPED_MIN && !mobile)
        || digits == body.len()
        || !body.bytes().all(|b| b.is_ascii_digit() || fake(b))
    {
        return;
    }
    for (at, byte) in body.bytes().enumerate().filter(|(_, b)| fake(*b)) {
        let with = if matches!(byte, b'o' | b'O') { "0" } else { "1" };
        found.push((word.start + at, word.start + at + 1, with));
    }
}

#[cfg(test)]
mod tests {
    use super::super::shadow::Shadow;
    use super::super::words::words;
    use super::*;

    #[test]
    fn what_is_spelled_out_is_read_whole_and_the_rest_is_left() {
        for (text, read) in [
            ("ik ben S a n n e  d e  W i t hoor", "ik ben Sanne de Wit hoor"),
            ("mail j a n @ v o o r b e e l d . n l", "mail jan@voorbeeld.nl"),
            ("dat was S-a-n-n-e weer", "dat was Sanne weer"),
            ("de heer J.P.R.M. de Wit", "de heer J.P.R.M. de Wit"),
            ("bel O6-l2345678", "bel 06-12345678"),
            ("app A3 en x2o en 1 2 3 4 5", "app A3 en x2o en 1 2 3 4 5"),
        ] {
            let plain = Shadow::plain(text);
            let tricks = tricks(text, &words(text));
            let made = if tricks.is_empty() { plain } else { plain.replaced(&tricks) };
            assert_eq!(made.text(), read);
        }
    }

    #[test]
    fn a_place_in_a_spelled_out_word_maps_back_to_its_letters() {
        let text = "&lt;ik ben S a n n e!";
        let first = Shadow::from(text, 0);
        let made = first.replaced(&tricks(first.text(), &words(first.text())));
        let start = made.text().find("Sanne").unwrap();
        let (a, b) = made.source(start, start + 5);
        assert_eq!(&text[a..b], "S a n n e");
    }
}
