//! Days of the calendar, and ages.

use super::Check;
use super::digits::{Digits, number};
use smallvec::SmallVec;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "date",
        about: "a day that exists, with a year from 1900 to 2039, or of two digits, or none",
        accepts: date,
    },
    Check {
        name: "date-compact",
        about: "a day that exists, as DDMMYYYY, YYYYMMDD or DDMMYY",
        accepts: |c| compact(Digits::of(c).slice()),
    },
    Check {
        name: "age",
        about: "from 0 to 115",
        accepts: |c| matches!(Digits::of(c).slice(), d @ [_, ..] if number(d) <= 115),
    },
];

pub(super) fn date(candidate: &str) -> bool {
    let (numbers, named) = (numbers(candidate), month_by_name(candidate));
    match (numbers.as_slice(), named) {
        ([year @ 1900..=2039], Some(month)) => day_exists(1, month, *year),
        ([day, year], Some(month)) => day_exists(*day, month, *year),
        ([a, b, c], None) if *a > 1000 => day_exists(*c, *b, *a),
        ([day], Some(month)) => day_exists(*day, month, 0),
        ([day, month], None) => day_exists(*day, *month, 0),
        ([a, b, c], None) => day_exists(*a, *b, *c) || day_exists(*b, *a, *c),
        _ => false,
    }
}

fn compact(d: &[u8]) -> bool {
    let part = |from: usize, to: usize| u32::try_from(number(d.get(from..to).unwrap_or(&[]))).unwrap_or(0);
    match d.len() {
        6 => day_exists(part(0, 2), part(2, 4), part(4, 6)),
        8 => day_exists(part(0, 2), part(2, 4), part(4, 8)) || day_exists(part(6, 8), part(4, 6), part(0, 4)),
        _ => false,
    }
}

/// The numbers of a candidate, in order, without those that are too large for any part of a date.
fn numbers(candidate: &str) -> SmallVec<[u32; 4]> {
    let add = |n: u64, digit: &u8| n.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')));
    let groups = candidate.as_bytes().split(|b| !b.is_ascii_digit()).filter(|group| !group.is_empty());
    groups.filter_map(|group| u32::try_from(group.iter().fold(0, add)).ok()).collect()
}

fn month_by_name(candidate: &str) -> Option<u32> {
    let mut words = candidate.as_bytes().split(|b| !b.is_ascii_alphabetic());
    let first = words.find_map(|word| word.first_chunk::<3>())?;
    let month = match &first.map(|b| b.to_ascii_lowercase()) {
        b"jan" => 1,
        b"feb" => 2,
        b"maa" | b"mrt" | b"mar" => 3,
        b"apr" => 4,
        b"mei" | b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"okt" | b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    };
    Some(month)
}

/// Whether a day exists; a year below 100 is not looked at.
pub(super) fn day_exists(day: u32, month: u32, year: u32) -> bool {
    let longest = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=longest).contains(&day) && (year < 100 || (1900..2040).contains(&year))
}

/// The same for digits `DDMM` or `MMDD` of an identifier.
pub(super) fn day_in(day: &[u8], month: &[u8]) -> bool {
    let small = |d: &[u8]| u32::try_from(number(d)).unwrap_or(0);
    day_exists(small(day), small(month), 0)
}
