//! Where escapes stand in a text, with what is around them.

use super::forms::encodes;
use crate::redact::{ESCAPE_BYTES_MAX, is_escape};

/// Bytes of one character at most: what stands right beside a value decides whether it is part of a longer word.
const CHAR_BYTES_MAX: usize = 4;

/// The parts of a text in which escapes stand, each with so much around it that a value of up to `reach` bytes (in one case, without
/// marks) of which an escape is part, or which stands right beside one, is in it as a whole. They do not overlap, and cut no word
/// and no run of base64.
///
/// Undoing escapes changes what is in these parts, and nothing of the rest.
pub(super) fn around_escapes(text: &str, reach: usize) -> Vec<&str> {
    let bytes = text.as_bytes();
    let reach = reach.saturating_add(CHAR_BYTES_MAX);
    let (mut parts, mut part) = (Vec::new(), None);
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| is_escape(**byte)) {
        let (from, end) = part.unwrap_or_else(|| (before(bytes, 0, at, reach), at));
        let behind = if end < at { after(bytes, end, at, reach) } else { at };
        let ahead = before(bytes, behind, at, reach);
        let from = match ahead > behind {
            true => {
                parts.push((from, behind));
                ahead
            }
            false => from,
        };
        part = Some((from, at + ESCAPE_BYTES_MAX));
    }
    parts.extend(part.map(|(from, end)| (from, after(bytes, end, bytes.len(), reach))));
    // What cannot be cut is read as a whole.
    parts.into_iter().map(|(from, to)| text.get(from..to).unwrap_or(text)).collect()
}

/// Where a part ends that reaches behind `from`: at a sign, or at `most`.
fn after(bytes: &[u8], from: usize, most: usize, reach: usize) -> usize {
    let ahead = bytes.get(from..most).unwrap_or_default();
    reached(ahead.iter(), reach).map_or(most, |passed| from + passed)
}

/// Where a part begins that reaches before `to`: behind a sign, or at `least`.
fn before(bytes: &[u8], least: usize, to: usize, reach: usize) -> usize {
    let back = bytes.get(least..to).unwrap_or_default();
    reached(back.iter().rev(), reach).map_or(least, |passed| to - passed)
}

/// How many bytes are passed to have `reach` bytes of folded text and stand at a sign; `None` when there are no more before that.
/// Of what is not ASCII it is not known how much is left when it is folded: it may be nothing.
fn reached<'b>(bytes: impl Iterator<Item = &'b u8>, reach: usize) -> Option<usize> {
    let mut folded = 0;
    for (passed, byte) in bytes.enumerate() {
        if folded >= reach && byte.is_ascii() && !encodes(*byte) {
            return Some(passed);
        }
        folded += usize::from(byte.is_ascii());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{folded, readings};
    use proptest::prelude::*;

    /// The values of a text of so many bytes, each with what is right beside it.
    fn stand_in(text: &str, bytes: usize) -> Vec<(Option<char>, String, Option<char>)> {
        let text = folded(text);
        let starts = text.char_indices().map(|(at, _)| at);
        let values = starts.filter_map(|at| Some((at, text.get(at..at + bytes)?)));
        let beside = values.map(|(at, value)| {
            let (before, after) = (text[..at].chars().next_back(), text[at + bytes..].chars().next());
            let edge = |c: Option<char>| c.filter(|c| c.is_alphanumeric());
            (edge(before), value.to_owned(), edge(after))
        });
        beside.collect()
    }

    proptest! {
        #[test]
        fn what_stands_in_a_reading_stands_in_that_of_a_part_or_in_the_text(
            text in r"([a-c ]{0,30}|[é\u{301}\u{200b} a]{0,9}|\\u00(e9|26|25)|&#(x25|38;|233)|%(26|C3%A9|41|)|\\|&(amp;)?|\+|\x00|#[0-9]){0,12}",
            bytes in 1..12_usize,
        ) {
            let mut somewhere = stand_in(&text, bytes);
            let parts = around_escapes(&text, bytes);
            for part in &parts {
                somewhere.extend(readings(part).iter().chain([&(*part).to_owned()]).flat_map(|one| stand_in(one, bytes)));
            }
            let somewhere: std::collections::HashSet<_> = somewhere.into_iter().collect();
            let mut all = std::collections::HashSet::new();
            for reading in readings(&text) {
                all.extend(stand_in(&reading, bytes));
            }
            for value in &all {
                prop_assert!(somewhere.contains(value), "{value:?} in {parts:?}");
            }
            // And a part tells of nothing that stands nowhere.
            let all: std::collections::HashSet<_> = all.into_iter().chain(stand_in(&text, bytes)).collect();
            for value in &somewhere {
                prop_assert!(all.contains(value), "{value:?} of {parts:?}");
            }
        }
    }

    #[test]
    fn a_text_without_escapes_has_no_parts_and_one_far_from_them_is_left_out() {
        assert!(around_escapes("a b c", 10).is_empty());
        let far = "woord ".repeat(20);
        let text = format!("{far}\\n{far}");
        let parts = around_escapes(&text, 10);
        assert!(parts.len() == 1 && parts[0].contains("\\n") && parts[0].len() < 100, "{parts:?}");
        assert!(parts[0].starts_with("woord ") && parts[0].ends_with(" woord"), "{parts:?}");
    }
}
