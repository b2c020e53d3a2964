//! Numbers of Germany.

use super::Check;
use super::characters::{Characters, digits_at, fits, value};
use super::date::day_in;
use super::digits::{Digits, mod_11_10, weighted};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "de-tax-id",
        about: "eleven digits, one of the first ten two or three times, ISO 7064 mod 11,10 (Bundeszentralamt für Steuern)",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| tax_id(&d)),
    },
    Check {
        name: "de-document",
        about: "passport or identity card: nine characters without vowels, and the check digit where it is written (ICAO 9303)",
        accepts: document,
    },
    Check {
        name: "de-health-insurance",
        about: "a letter and nine digits, weights 1 and 2 (GKV-Spitzenverband)",
        accepts: health_insurance,
    },
    Check {
        name: "de-social-security",
        about: "area, day of birth, letter, serial and check digit (Deutsche Rentenversicherung)",
        accepts: social_security,
    },
    Check {
        name: "de-lanr",
        about: "nine digits, weights 4 and 9 over the first six (Kassenärztliche Bundesvereinigung)",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| lanr(&d)),
    },
];

fn tax_id(d: &[u8; 11]) -> bool {
    let [base @ .., _] = d;
    let times = |digit: u8| base.iter().filter(|d| **d == digit).count();
    let repeated = (0..=9).filter(|digit| times(*digit) > 1).count();
    let most = (0..=9).map(times).max().unwrap_or(0);
    base.first() != Some(&0) && repeated == 1 && most <= 3 && mod_11_10(d)
}

fn document(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let Some((base, tail)) = kept.slice().split_at_checked(9) else { return false };
    let allowed = |b: &u8| b.is_ascii_digit() || b"CFGHJKLMNPRTVWXYZ".contains(b);
    let sum: u32 = base.iter().zip([7, 3, 1].into_iter().cycle()).map(|(b, w)| value(*b) * w).sum();
    let checked = match tail {
        [] | [b'D'] => base.iter().filter(|b| b.is_ascii_digit()).count() >= 3,
        [check] | [check, b'D'] => check.is_ascii_digit() && sum % 10 == value(*check),
        _ => false,
    };
    base.first().is_some_and(u8::is_ascii_uppercase) && base.iter().all(allowed) && checked
}

/// The digit sums of digits times weights that repeat.
fn cross_sum(digits: &[u8], weights: &[u32]) -> u32 {
    let share = |(d, w): (&u8, &u32)| {
        let product = u32::from(*d) * w;
        product / 10 + product % 10
    };
    digits.iter().zip(weights.iter().cycle()).map(share).sum()
}

/// A letter as two digits: A is 01.
fn two_digits(letter: u8) -> [u8; 2] {
    let place = letter.wrapping_sub(b'A').wrapping_add(1);
    [place / 10, place % 10]
}

fn health_insurance(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let (Some(digits), Some(letter)) = (digits_at::<9>(kept.slice(), 1), kept.slice().first()) else {
        return false;
    };
    let [rest @ .., last] = digits;
    let all = [two_digits(*letter).as_slice(), &rest].concat();
    fits(kept.slice(), "1a9n") && cross_sum(&all, &[1, 2]) % 10 == u32::from(last)
}

fn social_security(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let kept = kept.slice();
    let (Some(first), Some(letter), Some([a, b, last])) =
        (digits_at::<8>(kept, 0), kept.get(8), digits_at::<3>(kept, 9))
    else {
        return false;
    };
    let [_, _, d1, d2, m1, m2, ..] = first;
    let all = [first.as_slice(), &two_digits(*letter), &[a, b]].concat();
    let sum = cross_sum(&all, &[2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]);
    kept.len() == 12
        && letter.is_ascii_uppercase()
        && day_in(&[d1, d2], &[m1, m2])
        && sum % 10 == u32::from(last)
}

fn lanr(d: &[u8; 9]) -> bool {
    let [base @ .., check, _, _] = d;
    (10 - weighted(base, &[4, 9, 4, 9, 4, 9]) % 10) % 10 == i32::from(*check)
}
