//! Numbers that are none of anybody: cut out of a longer number, or an amount.

use super::bytes::{at, before};

/// Whether a number match at `start..end` is cut out of a longer number such as `1.234-999990019`.
pub(super) fn inside_number(bytes: &[u8], start: usize, end: usize) -> bool {
    let left = at(bytes, start).is_ascii_digit() && glued_before(bytes, start);
    let right = before(bytes, end).is_ascii_digit() && glued_after(bytes, end);
    left || right
}

fn glued_before(bytes: &[u8], start: usize) -> bool {
    let Some(sign) = start.checked_sub(1) else { return false };
    match at(bytes, sign) {
        b'.' | b'-' => before(bytes, sign).is_ascii_digit(),
        b',' => before(bytes, sign).is_ascii_digit() && !ends_list_item(bytes, sign),
        _ => false,
    }
}

fn glued_after(bytes: &[u8], end: usize) -> bool {
    match at(bytes, end) {
        b'.' | b'-' => at(bytes, end + 1).is_ascii_digit(),
        b',' => at(bytes, end + 1).is_ascii_digit() && !starts_list_item(bytes, end),
        _ => false,
    }
}

/// Whether the comma stands between two long numbers without a space: `0612345678,0687654321`.
fn starts_list_item(bytes: &[u8], comma: usize) -> bool {
    bytes.iter().skip(comma + 1).take_while(|b| b.is_ascii_digit()).count() >= LIST_ITEM
}

fn ends_list_item(bytes: &[u8], comma: usize) -> bool {
    let left = bytes.get(..comma).unwrap_or(&[]);
    left.iter().rev().take_while(|b| b.is_ascii_digit() || **b == b'-').count() >= LIST_ITEM
}

/// From this many digits on, what stands beside a comma is a number of its own and no decimals or thousands.
const LIST_ITEM: usize = 8;

/// Whether digits alone at `start..end` are an amount or a share: `€ 12345678`, `12 %`, `1500,-`.
pub(super) fn is_amount(text: &str, start: usize, end: usize) -> bool {
    let digits = |b: u8| b.is_ascii_digit();
    let bytes = text.as_bytes();
    if !digits(at(bytes, start)) || !digits(before(bytes, end)) {
        return false;
    }
    let (mut left, mut right) = (start, end);
    while before(bytes, left) == b' ' {
        left -= 1;
    }
    while at(bytes, right) == b' ' {
        right += 1;
    }
    // The bytes that may stand there are few; what they belong to is asked of those alone.
    let (last, first) = (before(bytes, left), at(bytes, right));
    let sign = |sign: &str| bytes.get(right..).is_some_and(|rest| rest.starts_with(sign.as_bytes()));
    let ends = |sign: &str| bytes.get(..left).is_some_and(|rest| rest.ends_with(sign.as_bytes()));
    match (last, first) {
        (b'$', _) | (_, b'%') => true,
        (0xac | 0xa3, _) if ends("€") || ends("£") => true,
        (_, b',') => sign(",-"),
        (_, 0xe2) => sign("€") || sign("‰"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_longer_number_is_told_from_a_list() {
        for (text, part, inside) in [
            ("1.234-999990019", "999990019", true),
            ("999990019.50", "999990019", true),
            ("999990019.", "999990019", false),
            ("12345678,90", "12345678", true),
            ("0612345678,0687654321", "0612345678", false),
            ("0612345678,0687654321", "0687654321", false),
            ("06-12345678,06-87654321", "06-87654321", false),
        ] {
            let start = text.find(part).unwrap();
            assert_eq!(inside_number(text.as_bytes(), start, start + part.len()), inside, "{text}");
        }
    }

    #[test]
    fn amounts_are_told_by_their_signs() {
        for (text, part, amount) in [
            ("€ 12345678", "12345678", true),
            ("12345678 %", "12345678", true),
            ("1500,- kost het", "1500", true),
            ("$1234", "1234", true),
            ("x 12345678 y", "12345678", false),
        ] {
            let start = text.find(part).unwrap();
            assert_eq!(is_amount(text, start, start + part.len()), amount, "{text}");
        }
    }
}
