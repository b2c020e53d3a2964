//! Numbers of the United States.

use super::Check;
use super::characters::{Characters, fits};
use super::digits::{Digits, luhn_sum, number, one_digit};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "us-ssn",
        about: "nine digits; area not 000, 666 or 9xx, group not 00, serial not 0000 (Social Security Administration)",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| ssn(&d)),
    },
    Check {
        name: "us-itin",
        about: "nine digits, 9xx, with a group from 50 on that the IRS gives out",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| itin(&d)),
    },
    Check {
        name: "us-bank",
        about: "eight to seventeen digits, not all the same",
        accepts: |c| {
            let digits = Digits::of(c);
            (8..=17).contains(&digits.slice().len()) && !one_digit(digits.slice())
        },
    },
    Check {
        name: "us-npi",
        about: "ten digits from 1 or 2, Luhn with 80840 before them (CMS)",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| npi(&d)),
    },
    Check {
        name: "us-mbi",
        about: "eleven characters in the form of the Medicare Beneficiary Identifier (CMS)",
        accepts: mbi,
    },
    Check {
        name: "us-dea",
        about: "two letters and seven digits with the sum of the DEA; the second may be a 9",
        accepts: dea,
    },
    Check {
        name: "us-passport",
        about: "nine digits, or a letter and eight digits (Department of State)",
        accepts: |c| {
            let kept = Characters::of(c);
            (fits(kept.slice(), "1c8n")) && !one_digit(kept.slice())
        },
    },
];

fn ssn(d: &[u8; 9]) -> bool {
    let [a, b, c, d, e, f, g, h, i] = *d;
    let area = number(&[a, b, c]);
    !matches!(area, 0 | 666 | 900..) && (d, e) != (0, 0) && (f, g, h, i) != (0, 0, 0, 0)
}

fn itin(d: &[u8; 9]) -> bool {
    let [a, _, _, d, e, ..] = *d;
    a == 9 && matches!(d * 10 + e, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// The digits of 80840 add 24 to the sum.
fn npi(d: &[u8; 10]) -> bool {
    matches!(d.first(), Some(1 | 2)) && (luhn_sum(d) + 24).is_multiple_of(10)
}

fn mbi(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    fits(kept.slice(), "1n1a1c1n1a1c1n2a2n")
        && kept.slice().first() != Some(&b'0')
        && !kept.slice().iter().any(|b| b"SLOIBZ".contains(b))
}

fn dea(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let second = kept.slice().get(1).is_some_and(|b| *b == b'9' || b.is_ascii_uppercase());
    let digits = kept.slice().get(2..).map_or([0; 7], |d| d.try_into().unwrap_or([0; 7]));
    let [a, b, c, d, e, f, g] = digits.map(|b: u8| u32::from(b.wrapping_sub(b'0')));
    second
        && fits(kept.slice(), "1a1c7n")
        && !kept.slice().first().is_some_and(|b| b"INOQVWYZ".contains(b))
        && (a + c + e + 2 * (b + d + f)) % 10 == g
}
