//! Letters and digits of a candidate without what separates them, and shapes they must fit.

/// The ASCII letters and digits of a candidate, in capitals; more than forty are counted but not kept.
pub(super) struct Characters {
    values: [u8; MOST],
    count: usize,
}

const MOST: usize = 40;

impl Characters {
    pub(super) fn of(candidate: &str) -> Self {
        let mut made = Self { values: [0; MOST], count: 0 };
        for byte in candidate.bytes().filter(u8::is_ascii_alphanumeric) {
            if let Some(slot) = made.values.get_mut(made.count) {
                *slot = byte.to_ascii_uppercase();
            }
            made.count += 1;
        }
        made
    }

    /// The characters; none when there are more than forty.
    pub(super) fn slice(&self) -> &[u8] {
        self.values.get(..self.count).unwrap_or(&[])
    }

    /// The characters when there are exactly `N`.
    pub(super) fn exactly<const N: usize>(&self) -> Option<[u8; N]> {
        self.slice().try_into().ok()
    }
}

/// Whether characters fit a shape such as `4a10n`: counts of `n` digits, `a` letters, `c` either; a capital stands for itself.
pub(super) fn fits(characters: &[u8], shape: &str) -> bool {
    let mut left = characters;
    let mut count = 0_usize;
    for class in shape.bytes() {
        let inside = |b: &u8| match class {
            b'n' => b.is_ascii_digit(),
            b'a' => b.is_ascii_uppercase(),
            b'c' => b.is_ascii_digit() || b.is_ascii_uppercase(),
            letter => *b == letter,
        };
        if class.is_ascii_digit() {
            count = count * 10 + usize::from(class - b'0');
            continue;
        }
        let Some((head, tail)) = left.split_at_checked(count.max(1)) else { return false };
        if !head.iter().all(inside) {
            return false;
        }
        left = tail;
        count = 0;
    }
    left.is_empty()
}

/// How many characters a shape of counted classes has, such as `4a10n`.
pub(super) const fn length(shape: &str) -> usize {
    let (mut all, mut count) = (0, 0);
    let mut left = shape.as_bytes();
    while let [class, rest @ ..] = left {
        match class.is_ascii_digit() {
            true => count = count * 10 + (*class - b'0') as usize,
            false => (all, count) = (all + count, 0),
        }
        left = rest;
    }
    all
}

/// The value of a digit, or of a letter with A = 10.
pub(super) fn value(character: u8) -> u32 {
    match character {
        b'0'..=b'9' => u32::from(character - b'0'),
        b'A'..=b'Z' => u32::from(character - b'A') + 10,
        _ => 0,
    }
}

/// The digits among the characters at `from..to`, as values; `None` when a letter is among them.
pub(super) fn digits_at<const N: usize>(characters: &[u8], from: usize) -> Option<[u8; N]> {
    let part: [u8; N] = characters.get(from..from + N)?.try_into().ok()?;
    part.iter().all(u8::is_ascii_digit).then(|| part.map(|b| b - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_counts_of_classes() {
        for (text, shape, yes) in [
            ("ABNA0417164300", "4a10n", true),
            ("ABN10417164300", "4a10n", false),
            ("ABNA041716430", "4a10n", false),
            ("U12345678", "U8n", true),
            ("V12345678", "U8n", false),
            ("", "1n", false),
        ] {
            assert_eq!(fits(Characters::of(text).slice(), shape), yes, "{text} {shape}");
        }
    }
}
