//! Checks that a candidate must pass: checksums, number plans, dates, sidecodes.
//!
//! A validator sees the matched bytes as written, separators included, and never allocates more than
//! a few bytes. Sources: the elfproef of RvIG, ISO 13616 (IBAN), ISO/IEC 7812 (Luhn), RDW sidecodes,
//! the numbering plan of ACM.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A check by name, as pattern files write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validator {
    /// BSN or RSIN: eight or nine digits, weights 9..2 and -1, sum divisible by 11, not all zero.
    Elfproef,
    /// IBAN: country length and mod 97.
    Iban,
    /// Payment card: 13 to 19 digits, a known first digit, Luhn.
    Luhn,
    /// A-number: ten digits, neighbours differ, both sums of the BRP.
    ANumber,
    /// Dutch VAT number: mod 97 over the whole, or elfproef on the nine digits.
    VatNl,
    /// Licence plate: one of the fourteen sidecodes.
    Plate,
    /// A day that exists, with a year from 1900 to 2039 or of two digits.
    Date,
    /// Dutch phone number: area code or mobile and the right count of digits; no service numbers.
    PhoneNl,
    /// International phone number: `+` or `00`, a country code, 8 to 15 digits; no Dutch service numbers.
    PhoneInternational,
    /// Postcode: not SA, SD or SS.
    Postcode,
    /// IPv4 address, not 0.0.0.0 nor a netmask.
    Ipv4,
    /// IPv6 address with at least two colons.
    Ipv6,
}

impl Validator {
    /// Every validator, with the name that pattern files use.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("elfproef", Self::Elfproef),
        ("iban", Self::Iban),
        ("luhn", Self::Luhn),
        ("a-number", Self::ANumber),
        ("vat-nl", Self::VatNl),
        ("plate", Self::Plate),
        ("date", Self::Date),
        ("phone-nl", Self::PhoneNl),
        ("phone-international", Self::PhoneInternational),
        ("postcode", Self::Postcode),
        ("ipv4", Self::Ipv4),
        ("ipv6", Self::Ipv6),
    ];

    /// The validator's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, v)| *v == self).map_or("", |(name, _)| name)
    }

    /// Whether the candidate passes.
    #[must_use]
    pub fn accepts(self, candidate: &str) -> bool {
        match self {
            Self::Elfproef => elfproef(&Digits::of(candidate)),
            Self::Iban => iban(candidate),
            Self::Luhn => luhn(&Digits::of(candidate)),
            Self::ANumber => a_number(&Digits::of(candidate)),
            Self::VatNl => vat_nl(candidate),
            Self::Plate => plate(candidate),
            Self::Date => date(candidate),
            Self::PhoneNl => phone_nl(&Digits::of(candidate)),
            Self::PhoneInternational => phone_international(candidate),
            Self::Postcode => postcode(candidate),
            Self::Ipv4 => ipv4(candidate),
            Self::Ipv6 => ipv6(candidate),
        }
    }
}

impl FromStr for Validator {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        Self::ALL.iter().find(|(name, _)| *name == given).map(|(_, v)| *v).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|(name, _)| *name).collect();
            let given: String = given.chars().take(40).collect();
            format!("validator `{given}` is not known; use one of: {}", names.join(", "))
        })
    }
}

const MOST_DIGITS: usize = 20;

/// The decimal digits of a candidate; more than twenty are counted but not kept.
struct Digits {
    values: [u8; MOST_DIGITS],
    count: usize,
}

impl Digits {
    fn of(candidate: &str) -> Self {
        let mut digits = Self { values: [0; MOST_DIGITS], count: 0 };
        for byte in candidate.bytes().filter(u8::is_ascii_digit) {
            if let Some(slot) = digits.values.get_mut(digits.count) {
                *slot = byte - b'0';
            }
            digits.count += 1;
        }
        digits
    }

    fn slice(&self) -> &[u8] {
        self.values.get(..self.count).unwrap_or(&[])
    }
}

fn elfproef(digits: &Digits) -> bool {
    let d = digits.slice();
    let start = match d.len() {
        8 => 8,
        9 => 9,
        _ => return false,
    };
    let weights = (2..=start).rev().chain([-1]);
    let sum: i32 = weights.zip(d).map(|(w, d)| w * i32::from(*d)).sum();
    sum % 11 == 0 && d.iter().any(|x| *x != 0) && !one_digit(d)
}

fn one_digit(d: &[u8]) -> bool {
    d.windows(2).all(|w| matches!(w, [a, b] if a == b))
}

/// Country and total length, from the SWIFT registry.
const IBAN_LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 \
    ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 \
    LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 \
    SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";

fn iban(candidate: &str) -> bool {
    let kept = || candidate.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase());
    let country: Vec<u8> = kept().take(2).collect();
    let length = kept().count();
    let known = IBAN_LENGTHS.split_ascii_whitespace().any(|entry| {
        entry.as_bytes().starts_with(&country) && entry.get(2..).and_then(|n| n.parse().ok()) == Some(length)
    });
    known && mod97(kept().skip(4).chain(kept().take(4))) == 1
}

fn mod97(letters: impl Iterator<Item = u8>) -> u32 {
    letters.fold(0, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        _ => (rest * 100 + u32::from(b.saturating_sub(b'A')) + 10) % 97,
    })
}

fn luhn(digits: &Digits) -> bool {
    let d = digits.slice();
    if !(13..=19).contains(&d.len()) || !matches!(d.first(), Some(2..=6)) {
        return false;
    }
    let sum: u32 = d.iter().rev().enumerate().map(|(i, d)| luhn_share(i, u32::from(*d))).sum();
    sum.is_multiple_of(10) && !one_digit(d)
}

fn luhn_share(place: usize, digit: u32) -> u32 {
    let doubled = if place % 2 == 1 { digit * 2 } else { digit };
    if doubled > 9 { doubled - 9 } else { doubled }
}

fn a_number(digits: &Digits) -> bool {
    let d = digits.slice();
    if d.len() != 10 || d.first() == Some(&0) || d.windows(2).any(|w| matches!(w, [a, b] if a == b)) {
        return false;
    }
    let sum: u32 = d.iter().map(|x| u32::from(*x)).sum();
    let powers: u32 = d.iter().enumerate().map(|(i, x)| u32::from(*x) << i).sum();
    matches!(sum % 11, 0 | 5) && powers.is_multiple_of(11)
}

fn vat_nl(candidate: &str) -> bool {
    let kept: Vec<u8> =
        candidate.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()).collect();
    let nine = kept.get(2..11).and_then(|d| std::str::from_utf8(d).ok()).unwrap_or("");
    kept.len() == 14 && (mod97(kept.iter().copied()) == 1 || elfproef(&Digits::of(nine)))
}

const SIDECODES: &str =
    "XX9999 9999XX 99XX99 XX99XX XXXX99 99XXXX 99XXX9 9XXX99 XX999X X999XX XXX99X X99XXX 9XX999 999XX9";

fn plate(candidate: &str) -> bool {
    let shape: String = candidate
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|b| if b.is_ascii_digit() { '9' } else { 'X' })
        .collect();
    SIDECODES.split_ascii_whitespace().any(|code| code == shape)
}

fn date(candidate: &str) -> bool {
    let numbers: Vec<u32> =
        candidate.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let named = month_by_name(candidate);
    match (numbers.as_slice(), named) {
        ([day, year], Some(month)) => day_exists(*day, month, *year),
        ([a, b, c], None) if *a > 1000 => day_exists(*c, *b, *a),
        ([day], Some(month)) => day_exists(*day, month, 0),
        ([day, month], None) => day_exists(*day, *month, 0),
        ([a, b, c], None) => day_exists(*a, *b, *c) || day_exists(*b, *a, *c),
        _ => false,
    }
}

fn month_by_name(candidate: &str) -> Option<u32> {
    let word: String =
        candidate.chars().filter(char::is_ascii_alphabetic).take(3).collect::<String>().to_ascii_lowercase();
    let month = match word.as_str() {
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

fn day_exists(day: u32, month: u32, year: u32) -> bool {
    let longest = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=longest).contains(&day) && (year < 100 || (1900..2040).contains(&year))
}

fn phone_nl(digits: &Digits) -> bool {
    digits.slice().strip_prefix(&[0]).is_some_and(subscriber_nl)
}

/// The nine digits after the leading zero. 080, 088 and 09x are services.
fn subscriber_nl(d: &[u8]) -> bool {
    let area = match d {
        [1, second, ..] => matches!(second, 0 | 1 | 3 | 5..=8),
        [6, second, ..] => *second != 0,
        [8, second, ..] => *second == 5,
        [first, ..] => (2..=7).contains(first),
        [] => false,
    };
    d.len() == 9 && area && !one_digit(d)
}

fn phone_international(candidate: &str) -> bool {
    let without_trunk = candidate.replacen("(0)", "", 1);
    let digits = Digits::of(&without_trunk);
    let d = digits.slice();
    let d = if candidate.trim_start().starts_with("00") { d.get(2..).unwrap_or(&[]) } else { d };
    match d {
        [3, 1, 0, rest @ ..] | [3, 1, rest @ ..] => subscriber_nl(rest),
        [0, ..] => false,
        _ => (8..=15).contains(&d.len()) && !one_digit(d),
    }
}

/// Words and units that follow a year or an amount: `in 2024 is`.
const TWO_LETTER_WORDS: &str = "en is op te de in er om of ik je we ze nu al na kg km mm cm ml kb mb gb tb eu ct pk up zo ie dd st \
    tm el nl me he hé ha ja ok or an at to by as it be so do go no on if ff dm kw mw wh pm am pp cc bv vs ca";

fn postcode(candidate: &str) -> bool {
    let letters: String =
        candidate.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_uppercase() as char).collect();
    let loose = candidate.contains(' ') && candidate.bytes().any(|b| b.is_ascii_lowercase());
    let ordinary = TWO_LETTER_WORDS.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(&letters));
    let never = matches!(letters.as_str(), "SA" | "SD" | "SS");
    !(never || loose && ordinary)
}

fn ipv4(candidate: &str) -> bool {
    candidate
        .parse::<Ipv4Addr>()
        .is_ok_and(|ip| !ip.is_unspecified() && !ip.is_broadcast() && ip.octets().first() != Some(&0))
}

fn ipv6(candidate: &str) -> bool {
    candidate.bytes().filter(|b| *b == b':').count() >= 2 && candidate.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_validator_takes_what_is_right_and_refuses_what_is_not() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "elfproef",
                &["999990019", "9999.90.342", "999 990 408", "000009921"],
                &["999998620", "000000000", "12345", "111111111"],
            ),
            (
                "iban",
                &["NL91 ABNA 0417 1643 00", "nl91abna0417164300", "DE89 3704 0044 0532 0130 00"],
                &["NL91ABNA0417164301", "NL91ABNA041716430"],
            ),
            (
                "luhn",
                &["4111 1111 1111 1111", "5555-5555-5555-4444"],
                &["4111111111111112", "0000000000000000"],
            ),
            ("plate", &["AB-12-34", "1-ABC-23", "g001bb"], &["A-1-B", "ABCDEF", "123456"]),
            (
                "date",
                &["31-12-1990", "1990-12-31", "9-5-'10", "20 maart 2007"],
                &["31-02-1990", "32-12-1990", "13-13-13", "1-1-1200"],
            ),
            (
                "phone-nl",
                &["06-12345678", "(020) 5551234", "0223 123456"],
                &["0800-1234", "0900-1234567", "06-1234567", "0881234567"],
            ),
            (
                "phone-international",
                &["+31 6 12345678", "0031612345678", "+31(0)6 12345678", "+32 470 12 34 56"],
                &["+31 800 1234", "+31 6 1234"],
            ),
            ("postcode", &["1234 AB"], &["1234 SS", "1234sa", "2024 is"]),
            ("ipv4", &["192.168.1.1"], &["256.1.1.1", "0.0.0.0", "01.2.3.4"]),
            ("ipv6", &["fe80::1", "2001:db8:0:0:1:2:3:4"], &["12:30", "1:2:3"]),
            ("vat-nl", &["NL999990019B01"], &["NL123456780B01"]),
        ];
        for (name, good, bad) in cases {
            let validator: Validator = name.parse().unwrap();
            good.iter().for_each(|text| assert!(validator.accepts(text), "{name} {text}"));
            bad.iter().for_each(|text| assert!(!validator.accepts(text), "{name} {text}"));
        }
        assert!("elf".parse::<Validator>().unwrap_err().contains("elfproef"));
    }
}
