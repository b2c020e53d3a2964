//! Numbers of the United Kingdom.

use super::Check;
use super::characters::{Characters, digits_at, fits};
use super::date::day_in;
use super::digits::{Digits, weighted};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "uk-nhs",
        about: "ten digits, weights 10 to 2, modulus 11 (NHS Data Dictionary)",
        accepts: |c| Digits::of(c).exactly().is_some_and(|d| nhs(&d)),
    },
    Check { name: "uk-nino", about: "prefix in use, six digits, suffix A to D (HMRC)", accepts: nino },
    Check {
        name: "uk-postcode",
        about: "one of the six forms, letters where they may stand (Royal Mail)",
        accepts: postcode,
    },
    Check {
        name: "uk-driving-licence",
        about: "sixteen characters with a date of birth in them (DVLA)",
        accepts: licence,
    },
];

fn nhs(d: &[u8; 10]) -> bool {
    let rest = 11 - weighted(d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let [.., last] = *d;
    rest != 10 && rest % 11 == i32::from(last)
}

fn nino(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let Some([first, second, .., last]) = kept.exactly::<9>() else { return false };
    let never = ["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].iter().any(|p| p.as_bytes() == [first, second]);
    fits(kept.slice(), "2a6n1a")
        && !never
        && !b"DFIQUV".contains(&first)
        && !b"DFIQUVO".contains(&second)
        && (b'A'..=b'D').contains(&last)
}

fn postcode(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let kept = kept.slice();
    let Some((outward, inward)) = kept.len().checked_sub(3).and_then(|at| kept.split_at_checked(at)) else {
        return false;
    };
    let forms = ["1a1n", "1a2n", "2a1n", "2a2n", "1a1n1a", "2a1n1a"];
    forms.iter().any(|form| fits(outward, form))
        && fits(inward, "1n2a")
        && !outward.first().is_some_and(|b| b"QVX".contains(b))
        && !inward.iter().any(|b| b"CIKMOV".contains(b))
}

/// Five of the surname, decade, month (plus 50 for women), day, year, two initials, and three to tell apart.
fn licence(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let kept = kept.slice();
    let Some([_, tens, units, day_tens, day_units, _]) = digits_at::<6>(kept, 5) else { return false };
    let month = [if tens >= 5 { tens - 5 } else { tens }, units];
    kept.len() == 16
        && fits(kept.get(..5).unwrap_or(&[]), "5c")
        && kept.first().is_some_and(u8::is_ascii_uppercase)
        && fits(kept.get(11..).unwrap_or(&[]), "3c2a")
        && day_in(&[day_tens, day_units], &month)
}
