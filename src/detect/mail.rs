//! Where the local part of an e-mail address starts, also with letters outside ASCII and with `punt` written out.

use super::bytes::{at, before};

/// The longest local part, in bytes.
const MOST: usize = 64;
/// What a local part may hold where a dot or dash is written out.
const SPOKEN: &[&str] = &[" punt ", " dot ", " underscore ", " streepje ", " liggend streepje ", " min "];
const MOST_SPOKEN: usize = 3;
/// What may stand between a local part and an `at` that is written out.
const OPENING: &[u8] = b" ([{<*";

/// The start of the local part that ends at `until` or before the brackets there; `until` when there is none.
pub(super) fn local_start(text: &str, until: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = until;
    while end > 0 && until - end < 3 && OPENING.contains(&before(bytes, end)) {
        end -= 1;
    }
    let mut start = run_back(text, end);
    for _ in 0..MOST_SPOKEN {
        let Some(spoken) = spoken_before(text, start) else { break };
        let earlier = run_back(text, start - spoken);
        if earlier + spoken >= start {
            break;
        }
        start = earlier;
    }
    if start < end { start } else { until }
}

/// Back over what a local part holds, then forward to its first letter or digit.
fn run_back(text: &str, end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut start = end;
    while start > 0 && end - start < MOST {
        let byte = before(bytes, start);
        let step = if byte < 0x80 {
            usize::from(
                byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\''),
            )
        } else {
            text.get(..start)
                .and_then(|t| t.chars().next_back())
                .filter(|c| c.is_alphanumeric())
                .map_or(0, char::len_utf8)
        };
        if step == 0 {
            break;
        }
        start -= step;
    }
    while start < end && at(bytes, start) < 0x80 && !at(bytes, start).is_ascii_alphanumeric() {
        start += 1;
    }
    start
}

/// The length of a written-out dot or dash right before `start`.
fn spoken_before(text: &str, start: usize) -> Option<usize> {
    SPOKEN.iter().map(|word| word.len()).zip(SPOKEN).find_map(|(length, word)| {
        let from = start.checked_sub(length)?;
        text.get(from..start).filter(|t| t.eq_ignore_ascii_case(word)).map(|_| length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_part_starts_where_a_reader_sees_it() {
        for (text, upto, wanted) in [
            ("mail jan.v@x", "@", "jan.v"),
            ("mail andré.é@x", "@", "andré.é"),
            ("zie: 😀jan@x", "@", "jan"),
            ("jan punt jansen (at) x", "at", "jan punt jansen ("),
            ("van jan underscore 92 apenstaartje x", " apen", "jan underscore 92"),
            ("-- @x", "@", ""),
        ] {
            let until = text.find(upto).unwrap();
            assert_eq!(&text[local_start(text, until)..until], wanted, "{text}");
        }
    }
}
