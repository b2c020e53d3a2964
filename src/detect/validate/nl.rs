//! Dutch numbers: BSN, RSIN, A-number, education number, licence plates, postcodes, documents.

use super::Check;
use super::characters::{Characters, digits_at, fits};
use super::digits::{Digits, mod97, one_digit, weighted};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "elfproef",
        about: "BSN or RSIN: eight or nine digits, weights 9 to 2 and -1, sum divisible by 11 (RvIG)",
        accepts: |c| elfproef(&Digits::of(c)),
    },
    Check {
        name: "tax-number-nl",
        about: "nine digits that pass the elfproef, a letter and what follows (Belastingdienst)",
        accepts: |c| Digits::of(c).slice().first_chunk::<9>().is_some_and(|d| elfproef_rest(d) == Some(0)),
    },
    Check {
        name: "a-number",
        about: "ten digits, the first not 0, neighbours differ, both sums of the BRP",
        accepts: |c| a_number(&Digits::of(c)),
    },
    Check {
        name: "education-number",
        about: "nine digits: a BSN, or 10 and elfproef with rest 5 (DUO)",
        accepts: |c| education_number(&Digits::of(c)),
    },
    Check {
        name: "plate",
        about: "one of the fourteen sidecodes of RDW, and no date with its month written out",
        accepts: plate,
    },
    Check {
        name: "postcode",
        about: "not SA, SD or SS; no ordinary word after a number (PostNL)",
        accepts: postcode,
    },
    Check {
        name: "document-nl",
        about: "passport or identity card: two letters, six letters or digits, a digit, no letter O (RvIG)",
        accepts: document,
    },
    Check {
        name: "vat-nl",
        about: "NL, nine digits, B, two digits: mod 97 over the whole, or elfproef",
        accepts: vat,
    },
];

fn elfproef(digits: &Digits) -> bool {
    elfproef_rest(digits.slice()) == Some(0)
}

/// The rest of the elfproef; none when the digits are no eight or nine, or all the same.
fn elfproef_rest(d: &[u8]) -> Option<i32> {
    let weights: &[i32] = match d.len() {
        8 => &[8, 7, 6, 5, 4, 3, 2, -1],
        9 => &[9, 8, 7, 6, 5, 4, 3, 2, -1],
        _ => return None,
    };
    (!one_digit(d)).then(|| weighted(d, weights).rem_euclid(11))
}

fn education_number(digits: &Digits) -> bool {
    match elfproef_rest(digits.slice()) {
        Some(0) => true,
        Some(5) => digits.slice().starts_with(&[1, 0]) && digits.slice().len() == 9,
        _ => false,
    }
}

fn a_number(digits: &Digits) -> bool {
    let Some(d) = digits.exactly::<10>() else { return false };
    if d.first() == Some(&0) || d.windows(2).any(|w| matches!(w, [a, b] if a == b)) {
        return false;
    }
    let sum: u32 = d.iter().map(|x| u32::from(*x)).sum();
    let powers: u32 = d.iter().enumerate().map(|(i, x)| u32::from(*x) << i).sum();
    matches!(sum % 11, 0 | 5) && powers.is_multiple_of(11)
}

fn vat(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let kept = kept.slice();
    let nine: Option<[u8; 9]> = digits_at(kept, 2);
    fits(kept, "NL9nB2n")
        && (mod97(kept.iter().copied()) == 1 || nine.is_some_and(|d| elfproef_rest(&d) == Some(0)))
}

fn document(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    fits(kept.slice(), "2a6c1n") && !kept.slice().contains(&b'O')
}

const SIDECODES: &str =
    "XX9999 9999XX 99XX99 XX99XX XXXX99 99XXXX 99XXX9 9XXX99 XX999X X999XX XXX99X X99XXX 9XX999 999XX9";
const MONTHS: &str = "JAN FEB MRT MAR MAA APR MEI MAY JUN JUL AUG SEP OKT OCT NOV DEC";

fn plate(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let Some(plate) = kept.exactly::<6>() else { return false };
    let shape = plate.map(|b| if b.is_ascii_digit() { b'9' } else { b'X' });
    let month = match plate {
        [b'0'..=b'9', a, b, c, b'0'..=b'9', b'0'..=b'9']
        | [b'0'..=b'9', b'0'..=b'9', a, b, c, b'0'..=b'9'] => {
            MONTHS.split_ascii_whitespace().any(|m| m.as_bytes() == [a, b, c])
        }
        _ => false,
    };
    !month && SIDECODES.split_ascii_whitespace().any(|code| code.as_bytes() == shape)
}

/// Words and units that follow a year or an amount: `in 2024 is`.
const TWO_LETTER_WORDS: &str = "en is op te de in er om of ik je we ze nu al na kg km mm cm ml kb mb gb tb eu ct ms nm pk up zo ie dd st \
    tm el nl me he ha ja ok or an at to by as it be so do go no on if ff dm kw mw wh pm am pp cc bv vs ca";

/// Whether a candidate may be a postcode: four digits without leading zero, letters that are no word in small letters.
fn postcode(candidate: &str) -> bool {
    let loose = || candidate.contains(' ') && candidate.bytes().any(|b| b.is_ascii_lowercase());
    postcode_letters(candidate).is_some_and(|letters| !(loose() && ordinary(letters)))
}

/// The same behind a street and a number, where words follow years alone: `Kerkweg 5, 1234 en`, but `Kerkweg 5, 2024 is`.
pub(in crate::detect) fn postcode_after_street(candidate: &str) -> bool {
    let year = candidate.starts_with("19") || candidate.starts_with("20");
    postcode(candidate) || (!year && postcode_letters(candidate).is_some())
}

/// The same with letters that are no word however they are written.
pub(in crate::detect) fn postcode_beyond_doubt(candidate: &str) -> bool {
    postcode_letters(candidate).is_some_and(|letters| !ordinary(letters))
}

/// The letters of what has the form of a postcode, small: four digits and two letters, with a sign between them or none.
fn postcode_letters(candidate: &str) -> Option<[u8; 2]> {
    let (digits, rest) = candidate.as_bytes().split_first_chunk::<4>()?;
    let letters = match rest {
        [first, second] => [*first, *second],
        [sign, first, second] if !sign.is_ascii_alphanumeric() => [*first, *second],
        _ => return None,
    };
    let fits = !digits.starts_with(b"0")
        && digits.iter().all(u8::is_ascii_digit)
        && letters.iter().all(u8::is_ascii_alphabetic);
    let letters = letters.map(|b| b.to_ascii_lowercase());
    (fits && !matches!(&letters, b"sa" | b"sd" | b"ss")).then_some(letters)
}

fn ordinary(letters: [u8; 2]) -> bool {
    TWO_LETTER_WORDS.as_bytes().chunks(3).any(|word| word.starts_with(&letters))
}
