//! VAT numbers of the Union, the United Kingdom and Switzerland, with their country in front.

use super::Check;
use super::characters::{Characters, fits};
use super::digits::{Digits, luhn, mod_11_10, number, weighted};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "vat-eu",
        about: "form of the country in VIES (European Commission), and its check digits where they are public",
        accepts: vat_eu,
    },
    Check {
        name: "vat-it",
        about: "partita IVA: eleven digits, Luhn (Agenzia delle Entrate)",
        accepts: |c| Digits::of(c).exactly::<11>().is_some_and(|d| luhn(&d)),
    },
];

/// Country, shapes of what follows, and the test of its digits.
type Row = (&'static str, &'static [&'static str], fn(&[u8]) -> bool);

const COUNTRIES: &[Row] = &[
    ("AT", &["U8n"], austria),
    ("BE", &["10n"], belgium),
    ("BG", &["9n", "10n"], any),
    ("CHE", &["9n", "9nMWST", "9nTVA", "9nIVA"], switzerland),
    ("CY", &["8n1a"], any),
    ("CZ", &["8n", "9n", "10n"], any),
    ("DE", &["9n"], mod_11_10),
    ("DK", &["8n"], |d| weighted(d, &[2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0),
    ("EE", &["9n"], |d| weighted(d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0),
    ("EL", &["9n"], greece),
    ("ES", &["1a7n1c", "8n1a"], any),
    ("FI", &["8n"], |d| weighted(d, &[7, 9, 10, 5, 8, 4, 2, 1]) % 11 == 0),
    ("FR", &["11n", "2c9n"], france),
    ("GB", &["9n", "12n"], united_kingdom),
    ("HR", &["11n"], mod_11_10),
    ("HU", &["8n"], |d| weighted(d, &[9, 7, 3, 1, 9, 7, 3, 1]) % 10 == 0),
    ("IE", &["7n1a", "7n2a", "1n1c5n1a"], any),
    ("IT", &["11n"], luhn),
    ("LT", &["9n", "12n"], any),
    ("LU", &["8n"], luxembourg),
    ("LV", &["11n"], any),
    ("MT", &["8n"], |d| weighted(d, &[3, 4, 6, 7, 8, 9, 10, 1]) % 37 == 0),
    ("PL", &["10n"], |d| weighted(d, &[6, 5, 7, 2, 3, 4, 5, 6, 7, -1]) % 11 == 0),
    ("PT", &["9n"], portugal),
    ("RO", &["8n", "9n", "10n", "7n", "6n"], any),
    ("SE", &["12n"], sweden),
    ("SI", &["8n"], slovenia),
    ("SK", &["10n"], |d| number(d).is_multiple_of(11)),
    ("XI", &["9n", "12n"], united_kingdom),
];

fn vat_eu(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let digits = Digits::of(candidate);
    COUNTRIES.iter().any(|(country, shapes, check)| {
        kept.slice()
            .strip_prefix(country.as_bytes())
            .is_some_and(|rest| shapes.iter().any(|shape| fits(rest, shape)) && check(digits.slice()))
    })
}

fn any(_: &[u8]) -> bool {
    true
}

fn austria(d: &[u8]) -> bool {
    let Some((last, rest)) = d.split_last() else { return false };
    let doubled = |d: &u8| u32::from(d / 5 + d * 2 % 10);
    let plain: u32 = rest.iter().step_by(2).map(|d| u32::from(*d)).sum();
    let twice: u32 = rest.iter().skip(1).step_by(2).map(doubled).sum();
    (10 - (plain + twice + 4) % 10) % 10 == u32::from(*last)
}

fn belgium(d: &[u8]) -> bool {
    d.split_at_checked(8).is_some_and(|(base, check)| (number(base) + number(check)).is_multiple_of(97))
        && matches!(d.first(), Some(0 | 1))
}

fn switzerland(d: &[u8]) -> bool {
    let rest = weighted(d, &[5, 4, 3, 2, 7, 6, 5, 4]) % 11;
    d.get(8).is_some_and(|last| (11 - rest) % 11 == i32::from(*last))
}

fn greece(d: &[u8]) -> bool {
    let sum = weighted(d, &[256, 128, 64, 32, 16, 8, 4, 2]);
    d.get(8).is_some_and(|last| sum % 11 % 10 == i32::from(*last))
}

/// The key is checked when it has no letter.
fn france(d: &[u8]) -> bool {
    match d.len() {
        11 => d
            .split_at_checked(2)
            .is_some_and(|(key, siren)| (12 + 3 * (number(siren) % 97)) % 97 == number(key)),
        _ => true,
    }
}

fn united_kingdom(d: &[u8]) -> bool {
    let sum = weighted(d, &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
    matches!(sum, 0 | 42 | 55)
}

fn luxembourg(d: &[u8]) -> bool {
    d.split_at_checked(6).is_some_and(|(base, check)| number(base) % 89 == number(check))
}

fn portugal(d: &[u8]) -> bool {
    let rest = weighted(d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    d.get(8).is_some_and(|last| (11 - rest) % 11 % 10 == i32::from(*last))
}

fn sweden(d: &[u8]) -> bool {
    d.split_at_checked(10).is_some_and(|(organisation, tail)| luhn(organisation) && number(tail) > 0)
}

fn slovenia(d: &[u8]) -> bool {
    let rest = 11 - weighted(d, &[8, 7, 6, 5, 4, 3, 2]) % 11;
    d.first() != Some(&0) && d.get(7).is_some_and(|last| rest % 10 == i32::from(*last) && rest < 11)
}
