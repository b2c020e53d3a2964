//! Decimal digits of a candidate, and the sums that checks are made of.

/// The decimal digits of a candidate; more than twenty are counted but not kept.
pub(super) struct Digits {
    values: [u8; MOST],
    count: usize,
}

const MOST: usize = 20;

impl Digits {
    pub(super) fn of(candidate: &str) -> Self {
        Self::among(candidate.bytes())
    }

    /// The same of bytes.
    pub(super) fn among(bytes: impl Iterator<Item = u8>) -> Self {
        let mut digits = Self { values: [0; MOST], count: 0 };
        for byte in bytes.filter(u8::is_ascii_digit) {
            if let Some(slot) = digits.values.get_mut(digits.count) {
                *slot = byte - b'0';
            }
            digits.count += 1;
        }
        digits
    }

    /// The digits; none when there are more than twenty.
    pub(super) fn slice(&self) -> &[u8] {
        self.values.get(..self.count).unwrap_or(&[])
    }

    /// The digits when there are exactly `N`, and not all the same.
    pub(super) fn exactly<const N: usize>(&self) -> Option<[u8; N]> {
        self.slice().try_into().ok().filter(|d: &[u8; N]| !one_digit(d))
    }
}

/// Whether all digits are the same.
pub(super) fn one_digit(d: &[u8]) -> bool {
    d.windows(2).all(|w| matches!(w, [a, b] if a == b))
}

/// The sum of digits times weights, over the shorter of the two.
pub(super) fn weighted(d: &[u8], weights: &[i32]) -> i32 {
    d.iter().zip(weights).map(|(d, w)| i32::from(*d) * w).sum()
}

/// The digits as a number.
pub(super) fn number(d: &[u8]) -> u64 {
    d.iter().fold(0, |n, d| n * 10 + u64::from(*d))
}

/// Luhn's sum over digits (ISO/IEC 7812): right when divisible by ten.
pub(super) fn luhn_sum(d: &[u8]) -> u32 {
    let share = |(place, digit): (usize, &u8)| {
        let doubled = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
        if doubled > 9 { doubled - 9 } else { doubled }
    };
    d.iter().rev().enumerate().map(share).sum()
}

/// Whether the last digit is right by Luhn.
pub(super) fn luhn(d: &[u8]) -> bool {
    luhn_sum(d).is_multiple_of(10)
}

/// Whether the last digit is right by ISO 7064 mod 11,10.
pub(super) fn mod_11_10(d: &[u8]) -> bool {
    let Some((last, rest)) = d.split_last() else { return false };
    let product = rest.iter().fold(10, |product, d| {
        let sum = (u32::from(*d) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*last)
}

/// The rest of letters (A = 10) and digits after division by 97 (ISO 7064).
pub(super) fn mod97(characters: impl Iterator<Item = u8>) -> u32 {
    characters.fold(0, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        _ => (rest * 100 + u32::from(b.saturating_sub(b'A')) + 10) % 97,
    })
}
