//! National numbers of other countries of Europe, and of Turkey.

use super::Check;
use super::characters::{Characters, digits_at, fits, value};
use super::date::day_in;
use super::digits::{Digits, luhn, number, weighted};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "be-national",
        about: "rijksregisternummer: day of birth, serial, 97 less the rest of division by 97 (IBZ)",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| belgium(&d)),
    },
    Check {
        name: "es-nif",
        about: "eight digits and the letter of the rest after division by 23 (Ministerio del Interior)",
        accepts: nif,
    },
    Check { name: "es-nie", about: "X, Y or Z, seven digits and the letter of the NIF", accepts: nie },
    Check {
        name: "it-fiscal-code",
        about: "codice fiscale: sixteen characters with month and day, and the check letter (Agenzia delle Entrate)",
        accepts: fiscal_code,
    },
    Check {
        name: "pl-pesel",
        about: "eleven digits with a day of birth, weights 1 3 7 9 (Ministerstwo Cyfryzacji)",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| pesel(&d)),
    },
    Check {
        name: "fi-hetu",
        about: "day of birth, sign of the century, serial, and the character of the rest after division by 31 (DVV)",
        accepts: hetu,
    },
    Check {
        name: "se-personnummer",
        about: "day of birth (or plus 60, a samordningsnummer), serial, Luhn (Skatteverket)",
        accepts: personnummer,
    },
    Check {
        name: "se-organisationsnummer",
        about: "ten digits, the third at least 2, Luhn (Bolagsverket)",
        accepts: |c| {
            Digits::of(c).exactly::<10>().is_some_and(|d| luhn(&d) && matches!(d, [_, _, 2..=9, ..]))
        },
    },
    Check {
        name: "tr-national",
        about: "eleven digits, the first not 0, both check digits (NVI)",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| turkey(&d)),
    },
];

/// Months go up by 20 or 40 for those without a registration (BIS).
fn belgium(d: &[u8; 11]) -> bool {
    let [_, _, tens, units, day_tens, day_units, ..] = *d;
    let (base, check) = d.split_at_checked(9).unwrap_or((&[], &[]));
    let month = [tens % 2, units];
    let right = |base: u64| 97 - base % 97 == number(check);
    tens < 6
        && day_in(&[day_tens, day_units], &month)
        && (right(number(base)) || right(2_000_000_000 + number(base)))
}

const NIF_LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";

fn nif_letter(base: u64) -> Option<&'static u8> {
    NIF_LETTERS.get(usize::try_from(base % 23).ok()?)
}

fn nif(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let digits: Option<[u8; 8]> = digits_at(kept.slice(), 0);
    fits(kept.slice(), "8n1a") && digits.is_some_and(|d| nif_letter(number(&d)) == kept.slice().last())
}

fn nie(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let lead = match kept.slice().first() {
        Some(b'X') => 0,
        Some(b'Y') => 10_000_000,
        Some(b'Z') => 20_000_000,
        _ => return false,
    };
    let digits: Option<[u8; 7]> = digits_at(kept.slice(), 1);
    fits(kept.slice(), "1a7n1a")
        && digits.is_some_and(|d| nif_letter(lead + number(&d)) == kept.slice().last())
}

/// What a character at an odd place counts, by its value; a letter counts as the digit of the same rank.
const ODD_PLACES: [u32; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

fn fiscal_code(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let kept = kept.slice();
    // Digits may be replaced by letters where two people would have one code.
    let shaped = fits(kept, "6a2c1a2c1a3c1a");
    let month = kept.get(8).is_some_and(|b| b"ABCDEHLMPRST".contains(b));
    let rank = |b: &u8| if b.is_ascii_digit() { value(*b) } else { value(*b) - 10 };
    let share = |(place, b): (usize, &u8)| match place % 2 {
        0 => usize::try_from(rank(b)).ok().and_then(|r| ODD_PLACES.get(r)).copied().unwrap_or(0),
        _ => rank(b),
    };
    let sum: u32 = kept.iter().take(15).enumerate().map(share).sum();
    shaped && month && kept.last().is_some_and(|b| rank(b) == sum % 26)
}

/// The century is in the month: 80 for 1800, 0, 20, 40, 60 for 1900 to 2200.
fn pesel(d: &[u8; 11]) -> bool {
    let [_, _, tens, units, day_tens, day_units, ..] = *d;
    let [.., last] = *d;
    let sum = weighted(d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    day_in(&[day_tens, day_units], &[tens % 2, units]) && (10 - sum % 10) % 10 == i32::from(last)
}

fn hetu(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    // Without the sign of the century: `-` and `+` are no characters, letters are.
    let (digits, serial) = match kept.slice() {
        all if all.len() == 10 => all.split_at_checked(6).unwrap_or((&[], &[])),
        [digits @ .., _, a, b, c, check] if digits.len() == 6 => (digits, &[*a, *b, *c, *check][..]),
        _ => return false,
    };
    let serial: [u8; 4] = serial.try_into().unwrap_or([0; 4]);
    let (Some(d), Some(n)) = (digits_at::<6>(digits, 0), digits_at::<3>(&serial, 0)) else { return false };
    let [day, month, _] = [[d.first(), d.get(1)], [d.get(2), d.get(3)], [d.get(4), d.get(5)]]
        .map(|pair| pair.map(|d| d.copied().unwrap_or(0)));
    let rest = (number(&d) * 1000 + number(&n)) % 31;
    let check = usize::try_from(rest).ok().and_then(|r| b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(r));
    day_in(&day, &month) && check == serial.last()
}

fn personnummer(candidate: &str) -> bool {
    let digits = Digits::of(candidate);
    let ten = match digits.slice() {
        [1, 9, rest @ ..] | [2, 0, rest @ ..] if rest.len() == 10 => rest,
        rest => rest,
    };
    let [_, _, m1, m2, d1, d2, ..] = ten else { return false };
    let day = [if *d1 >= 6 { d1 - 6 } else { *d1 }, *d2];
    ten.len() == 10 && day_in(&day, &[*m1, *m2]) && luhn(ten)
}

fn turkey(d: &[u8; 11]) -> bool {
    let [a, b, c, e, f, g, h, i, j, tenth, last] = d.map(i32::from);
    let odd = a + c + f + h + j;
    let even = b + e + g + i;
    a != 0 && (odd * 7 - even).rem_euclid(10) == tenth && (odd + even + tenth) % 10 == last
}
