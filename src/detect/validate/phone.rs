//! Phone numbers: the Dutch numbering plan, E.164, and other countries' ways of writing.

use super::Check;
use super::digits::{Digits, one_digit};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "phone-nl",
        about: "ten digits with a Dutch area code or 06, or nine from 6; no services (0800, 0900, 088) and no number tied to no place (ACM)",
        accepts: national,
    },
    Check {
        name: "phone-nl-anywhere",
        about: "ten digits that start with 084, 085, 087 or 091: numbers tied to no place (ACM)",
        accepts: |c| together(c) && Digits::of(c).slice().strip_prefix(&[0]).is_some_and(anywhere),
    },
    Check {
        name: "phone-international",
        about: "`+` or `00`, a country code, 8 to 15 digits (ITU-T E.164); no Dutch services",
        accepts: international,
    },
    Check {
        name: "phone-abroad",
        about: "three groups: 9 to 11 digits that start with 0, or ten with area and exchange from 2 as in North America (NANPA), no 080, 088, 090; mobile numbers of Britain (Ofcom) and Germany (Bundesnetzagentur)",
        accepts: |c| together(c) && foreign(Digits::of(c).slice(), grouped(c)),
    },
];

/// With the leading zero, or a mobile number without.
fn national(candidate: &str) -> bool {
    match Digits::of(candidate).slice() {
        _ if starts_with_date(candidate) || !together(candidate) => false,
        [0, rest @ ..] | rest @ [6, ..] => subscriber(rest),
        _ => false,
    }
}

/// Whether a date such as `06-12-2023` and an hour make up the digits.
fn starts_with_date(candidate: &str) -> bool {
    let mut parts = candidate.as_bytes().split(|b| !b.is_ascii_digit());
    let mut next = || parts.next().unwrap_or(&[]);
    let (day, month, year) = (next(), next(), next());
    day.len() == 2
        && month.len() == 2
        && year.len() == 4
        && (year.starts_with(b"19") || year.starts_with(b"20"))
}

/// The nine digits after the leading zero of a number that belongs to someone.
fn subscriber(d: &[u8]) -> bool {
    let area = match d {
        [1, second, ..] => matches!(second, 0 | 1 | 3 | 5..=8),
        [6, second, ..] => *second != 0,
        [first, ..] => (2..=7).contains(first),
        [] => false,
    };
    d.len() == 9 && area && !one_digit(d)
}

fn anywhere(d: &[u8]) -> bool {
    d.len() == 9 && matches!(d, [8, 4 | 5 | 7, ..] | [9, 1, ..])
}

fn international(candidate: &str) -> bool {
    let (before, after) = candidate.split_once("(0)").unwrap_or((candidate, ""));
    let digits = Digits::among(before.bytes().chain(after.bytes()));
    let d = digits.slice();
    let d = if candidate.trim_start_matches('(').starts_with("00") { d.get(2..).unwrap_or(&[]) } else { d };
    match d {
        [3, 1, 0, rest @ ..] | [3, 1, rest @ ..] => {
            together(candidate) && (subscriber(rest) || anywhere(rest))
        }
        [0, ..] => false,
        _ => (8..=15).contains(&d.len()) && !one_digit(d) && together(candidate),
    }
}

/// Whether brackets close, and no more than a few signs stand between two digits.
fn together(candidate: &str) -> bool {
    let (mut brackets, mut between) = (0_isize, 0_usize);
    for byte in candidate.bytes() {
        brackets += isize::from(byte == b'(') - isize::from(byte == b')');
        between = if byte.is_ascii_digit() { 0 } else { between + 1 };
        if between > MOST_BETWEEN {
            return false;
        }
    }
    brackets == 0
}

/// `) - (0)` and the like.
const MOST_BETWEEN: usize = 4;

/// Whether the digits stand in three groups at least.
fn grouped(candidate: &str) -> bool {
    candidate.as_bytes().split(|b| !b.is_ascii_digit()).filter(|group| !group.is_empty()).count() > 2
}

/// Mobile numbers of Britain and Germany are told by their first digits, others by being written in groups.
fn foreign(d: &[u8], grouped: bool) -> bool {
    let british = matches!(d, [0, 7, 1..=5 | 7..=9, ..] if d.len() == 11);
    let german = matches!(d, [0, 1, 5..=7, ..] if (11..=12).contains(&d.len()));
    british || german || grouped && abroad(d)
}

fn abroad(d: &[u8]) -> bool {
    let american = matches!(d, [2..=9, _, _, 2..=9, ..] if d.len() == 10);
    let service = matches!(d, [0, 8, 0 | 8, ..] | [0, 9, 0, ..]);
    let trunk = matches!(d, [0, 1..=9, ..]) && (9..=11).contains(&d.len()) && !service;
    (american || trunk) && !one_digit(d.get(1..).unwrap_or(&[]))
}
