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
    let numbers: SmallVec<[u32; 4]> =
        candidate.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let named = month_by_name(candidate);
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

fn month_by_name(candidate: &str) -> Option<u32> {
    let word = candidate.split(|c: char| !c.is_ascii_alphabetic()).find_map(|w| w.get(..3))?;
    let month = match word.to_ascii_lowercase().as_str() {
        "jan" => 1,
        "feb" => 2,
        "maa" | "mrt" | "mar" => 3,
        "apr" => 4,
        "mei" | "may" => 5,
        "jun" => 6,
        "jul" => 7,
        "aug" => 8,
        "sep" => 9,
        "okt" | "oct" => 10,
        "nov" => 11,
        "dec" => 12,
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
