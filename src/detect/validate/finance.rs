//! Accounts and cards: IBAN, BIC, payment cards, American routing numbers.

use super::Check;
use super::characters::{Characters, fits, length};
use super::digits::{Digits, luhn, mod97, number, weighted};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "iban",
        about: "structure of the country in the SWIFT registry, and mod 97 (ISO 13616)",
        accepts: iban,
    },
    Check {
        name: "luhn",
        about: "payment card: a network's first digits and length, and Luhn (ISO/IEC 7812)",
        accepts: card,
    },
    Check {
        name: "bic",
        about: "four letters, a country, two characters, and none or three more (ISO 9362)",
        accepts: bic,
    },
    Check {
        name: "aba-routing",
        about: "nine digits, a prefix in use, weights 3 7 1, sum divisible by 10 (American Bankers Association)",
        accepts: |c| routing(&Digits::of(c)),
    },
];

/// Country and what follows country and check digits.
const IBAN_SHAPES: &[(&str, &str)] = &[
    ("AD", "8n12c"),
    ("AE", "19n"),
    ("AL", "8n16c"),
    ("AT", "16n"),
    ("AZ", "4a20c"),
    ("BA", "16n"),
    ("BE", "12n"),
    ("BG", "4a6n8c"),
    ("BH", "4a14c"),
    ("BI", "23n"),
    ("BR", "23n1a1c"),
    ("BY", "4c4n16c"),
    ("CH", "5n12c"),
    ("CR", "18n"),
    ("CY", "8n16c"),
    ("CZ", "20n"),
    ("DE", "18n"),
    ("DJ", "23n"),
    ("DK", "14n"),
    ("DO", "4c20n"),
    ("EE", "16n"),
    ("EG", "25n"),
    ("ES", "20n"),
    ("FI", "14n"),
    ("FK", "2a12n"),
    ("FO", "14n"),
    ("FR", "10n11c2n"),
    ("GB", "4a14n"),
    ("GE", "2a16n"),
    ("GI", "4a15c"),
    ("GL", "14n"),
    ("GR", "7n16c"),
    ("GT", "24c"),
    ("HN", "4a20n"),
    ("HR", "17n"),
    ("HU", "24n"),
    ("IE", "4a14n"),
    ("IL", "19n"),
    ("IQ", "4a15n"),
    ("IS", "22n"),
    ("IT", "1a10n12c"),
    ("JO", "4a4n18c"),
    ("KW", "4a22c"),
    ("KZ", "3n13c"),
    ("LB", "4n20c"),
    ("LC", "4a24c"),
    ("LI", "5n12c"),
    ("LT", "16n"),
    ("LU", "3n13c"),
    ("LV", "4a13c"),
    ("LY", "21n"),
    ("MC", "10n11c2n"),
    ("MD", "20c"),
    ("ME", "18n"),
    ("MK", "3n10c2n"),
    ("MN", "16n"),
    ("MR", "23n"),
    ("MT", "4a5n18c"),
    ("MU", "4a19n3a"),
    ("NI", "4a20n"),
    ("NL", "4a10n"),
    ("NO", "11n"),
    ("OM", "3n16c"),
    ("PK", "4a16c"),
    ("PL", "24n"),
    ("PS", "4a21c"),
    ("PT", "21n"),
    ("QA", "4a21c"),
    ("RO", "4a16c"),
    ("RS", "18n"),
    ("RU", "14n15c"),
    ("SA", "2n18c"),
    ("SC", "4a20n3a"),
    ("SD", "14n"),
    ("SE", "20n"),
    ("SI", "15n"),
    ("SK", "20n"),
    ("SM", "1a10n12c"),
    ("SO", "19n"),
    ("ST", "21n"),
    ("SV", "4a20n"),
    ("TL", "19n"),
    ("TN", "20n"),
    ("TR", "6n16c"),
    ("UA", "6n19c"),
    ("VA", "18n"),
    ("VG", "4a16n"),
    ("XK", "16n"),
    ("YE", "4a4n18c"),
];

fn iban(candidate: &str) -> bool {
    // Most candidates are out by their first two letters, at one look, and the others by their length: a long match is offered at
    // many ends, of which one may have that of the country.
    let coded = candidate.as_bytes().first_chunk::<2>().map(|c| c.map(|b| b.to_ascii_uppercase()));
    let Some((shape, wanted)) = coded.and_then(iban_shape) else { return false };
    if candidate.len() < wanted || candidate.bytes().filter(u8::is_ascii_alphanumeric).count() != wanted {
        return false;
    }
    let kept = Characters::of(candidate);
    let Some((country, rest)) = kept.slice().split_at_checked(2) else { return false };
    let Some((check, account)) = rest.split_at_checked(2) else { return false };
    let numbered = check.iter().all(u8::is_ascii_digit);
    numbered
        && fits(account, shape)
        && mod97(account.iter().chain(country).chain(check).copied()) == 1
        && account.iter().any(|b| *b != b'0')
}

/// How many characters country and check digits have.
const COUNTRY_AND_CHECK: usize = 4;

/// The shape of the accounts of a country by its two capitals, and how many characters they have.
fn iban_shape([first, second]: [u8; 2]) -> Option<(&'static str, usize)> {
    let letter = |byte: u8| usize::from(byte.wrapping_sub(b'A'));
    let (place, length) = *IBAN_COUNTRIES.get(letter(first))?.get(letter(second))?;
    let (_, shape) = IBAN_SHAPES.get(usize::from(place)).filter(|_| length > 0)?;
    Some((shape, usize::from(length)))
}

/// By both letters of a country's code, the place of its shape and the length of its accounts; 0 where there is none.
static IBAN_COUNTRIES: [[(u8, u8); 26]; 26] = {
    let mut countries = [[(0, 0); 26]; 26];
    let (mut place, mut left) = (0, IBAN_SHAPES);
    while let [(code, shape), rest @ ..] = left {
        if let [first, second] = code.as_bytes() {
            let (_, from) = countries.split_at_mut((*first - b'A') as usize);
            if let [seconds, ..] = from {
                let (_, from) = seconds.split_at_mut((*second - b'A') as usize);
                if let [slot, ..] = from {
                    *slot = (place, (COUNTRY_AND_CHECK + length(shape)) as u8);
                }
            }
        }
        (place, left) = (place + 1, rest);
    }
    countries
};

/// Visa 4; Mastercard 51 to 55 and 2221 to 2720; American Express 34, 37; Diners 300 to 305, 36, 38; Discover 6011, 644 to 65;
/// JCB 3528 to 3589; UnionPay 62; Maestro 50, 56 to 58, 6.
fn card(candidate: &str) -> bool {
    let digits = Digits::of(candidate);
    let d = digits.slice();
    let first = |n| number(d.get(..n).unwrap_or(&[]));
    let lengths: &[usize] = match (first(1), first(2), first(3), first(4)) {
        (4, ..) => &[13, 16, 19],
        (_, 51..=55, ..) | (_, _, _, 2221..=2720) => &[16],
        (_, 34 | 37, ..) => &[15],
        (_, 36 | 38, ..) | (_, _, 300..=305, _) => &[14, 16],
        (_, _, _, 3528..=3589) => &[16],
        (_, 50 | 56..=58, ..) => &[16, 18, 19],
        (_, 60 | 62..=65 | 67, ..) => &[16, 18, 19],
        _ => &[],
    };
    lengths.contains(&d.len()) && luhn(d) && digits_vary(d)
}

/// Whether at least three different digits occur; `4000 0000 0000 0002` is right, `5555...` is not.
fn digits_vary(d: &[u8]) -> bool {
    (0..=9).filter(|n| d.contains(n)).count() >= 2
}

/// ISO 3166-1 alpha-2, and XK.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY \
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY \
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP \
    NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY \
    SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

fn bic(candidate: &str) -> bool {
    let kept = Characters::of(candidate);
    let kept = kept.slice();
    let country = kept.get(4..6).unwrap_or(&[]);
    (fits(kept, "6a2c") || fits(kept, "6a5c"))
        && COUNTRIES.split_ascii_whitespace().any(|code| code.as_bytes() == country)
}

fn routing(digits: &Digits) -> bool {
    let Some(d) = digits.exactly::<9>() else { return false };
    let prefix = number(d.get(..2).unwrap_or(&[]));
    matches!(prefix, 0..=12 | 21..=32 | 61..=72 | 80) && weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_with_accounts_are_those_of_the_table() {
        for first in b'A'..=b'Z' {
            for second in b'A'..=b'Z' {
                let listed = IBAN_SHAPES.iter().find(|(code, _)| code.as_bytes() == [first, second]);
                let wanted = listed.map(|(_, shape)| (*shape, COUNTRY_AND_CHECK + length(shape)));
                assert_eq!(iban_shape([first, second]), wanted);
            }
        }
        for no in [*b"1L", *b"N1", *b"N[", *b"@L", [0xc3, 0xa9]] {
            assert_eq!(iban_shape(no), None);
        }
    }
}
