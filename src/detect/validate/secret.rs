//! Values that a label announces and that have no checksum: references, passwords, keys, account names.

use super::Check;
use super::date::date;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "reference",
        about: "three digits at least, 4 to 40 letters and digits, and no year or day",
        accepts: reference,
    },
    Check {
        name: "password",
        about: "no ordinary word: a digit, a sign, or a capital after the first letter",
        accepts: password,
    },
    Check {
        name: "key",
        about: "sixteen characters at least, with letters, digits and eight different ones",
        accepts: key,
    },
    Check {
        name: "jwt",
        about: "three parts, of which the first two start with eyJ (RFC 7519)",
        accepts: jwt,
    },
    Check {
        name: "account-name",
        about: "an account name that is no ordinary word: a digit or a sign in it",
        accepts: account_name,
    },
];

fn reference(candidate: &str) -> bool {
    let digits = candidate.bytes().filter(u8::is_ascii_digit).count();
    let all = candidate.bytes().filter(u8::is_ascii_alphanumeric).count();
    digits >= 3 && (4..=40).contains(&all) && !is_time(candidate)
}

/// A year, two years, or a day.
fn is_time(candidate: &str) -> bool {
    let year = |part: &str| part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
    let mut parts = candidate.split(['-', '/', '.']);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(first), None, ..) => year(first),
        (Some(first), Some(second), None, _) => year(first) && year(second),
        (Some(day), Some(month), Some(last), None) => {
            day.len() <= 2 && month.len() <= 2 && (year(last) || last.len() == 2) && date(candidate)
        }
        _ => false,
    }
}

fn password(candidate: &str) -> bool {
    let digit = candidate.bytes().any(|b| b.is_ascii_digit());
    let sign = candidate
        .bytes()
        .any(|b| b.is_ascii_graphic() && !b.is_ascii_alphanumeric() && b != b'\'' && b != b'-');
    let capital =
        candidate.chars().skip(1).any(char::is_uppercase) && candidate.chars().any(char::is_lowercase);
    digit || sign || capital
}

fn key(candidate: &str) -> bool {
    let different = (0..=127_u8).filter(|b| candidate.as_bytes().contains(b)).count();
    let lines = candidate.lines().next_back().map_or(0, str::len) < candidate.len();
    let first = candidate.lines().next().map_or(0, str::len);
    candidate.len() >= 16
        && (!lines || first >= KEY_LINE)
        && different >= 8
        && candidate.bytes().any(|b| b.is_ascii_digit())
        && candidate.bytes().any(|b| b.is_ascii_alphabetic())
}

/// A key over several lines fills its first.
const KEY_LINE: usize = 40;

fn jwt(candidate: &str) -> bool {
    let mut parts = candidate.split('.');
    let opens = |part: Option<&str>| part.is_some_and(|p| p.starts_with("eyJ"));
    opens(parts.next()) && opens(parts.next()) && parts.next().is_some() && parts.next().is_none()
}

fn account_name(candidate: &str) -> bool {
    let marked = |b: u8| b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'#');
    (3..=40).contains(&candidate.len())
        && candidate.bytes().any(marked)
        && candidate.bytes().any(|b| b.is_ascii_alphabetic())
}
