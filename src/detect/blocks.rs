//! Sixty-four bytes at once: what each of them is, a bit each, the first byte lowest.

use wide::bytemuck::cast;
use wide::{i8x16, i16x8, u8x16};

/// How many bytes a block has.
pub(super) const BLOCK: usize = 64;

/// What the bytes of a block are to the cutter.
#[derive(Default)]
pub(super) struct Block {
    /// ASCII letters.
    pub(super) letter: u64,
    /// Those in upper case.
    pub(super) upper: u64,
    /// ASCII digits.
    pub(super) digit: u64,
    /// Bytes outside ASCII.
    pub(super) wide: u64,
    /// `&` and `%`, and the first byte of each character outside ASCII.
    pub(super) asked: u64,
    /// `@`, `:` and `^`.
    pub(super) sign: u64,
    /// `.`, `(`, `[` and `+`.
    pub(super) mark: u64,
}

impl Block {
    /// Bytes that belong to a word or may.
    #[inline]
    pub(super) const fn inside(&self) -> u64 {
        self.letter | self.digit | self.wide
    }

    /// The block of a text that starts at `base`; past its end stand zeros.
    pub(super) fn at(text: &[u8], base: usize) -> Self {
        let rest = text.get(base..).unwrap_or(&[]);
        match (rest.first_chunk(), text.last_chunk()) {
            (Some(whole), _) => Self::of(whole, 0),
            _ if rest.is_empty() => Self::default(),
            (_, Some(last)) => Self::of(last, BLOCK - rest.len()),
            _ => {
                let mut padded = [0; BLOCK];
                padded.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
                Self::of(&padded, 0)
            }
        }
    }

    /// The bytes without the first few, of which there are less than sixty-four.
    fn of(bytes: &[u8; BLOCK], without: usize) -> Self {
        let mut made = Self::default();
        let (parts, _) = bytes.as_chunks::<16>();
        for part in parts.iter().rev() {
            made.put(*part);
        }
        made.upper &= made.letter;
        if made.wide != 0 {
            // The bytes with which a character begins.
            let first = |part: &[u8; 16]| i8x16::from(part.map(u8::cast_signed)).simd_gt(i8x16::splat(-0x41));
            let firsts =
                parts.iter().rev().fold(0, |all, part| all << 16 | u64::from(first(part).to_bitmask()));
            made.asked |= made.wide & firsts;
        }
        let Self { letter, upper, digit, wide, asked, sign, mark } = &mut made;
        for bits in [letter, upper, digit, wide, asked, sign, mark] {
            *bits = bits.wrapping_shr(without as u32);
        }
        made
    }

    /// Puts sixteen bytes before those that are here.
    #[inline]
    fn put(&mut self, part: [u8; 16]) {
        let bytes = u8x16::from(part);
        // Bytes are compared as signed numbers, which is one step: a range is moved to the end of them.
        let signed: i8x16 = cast(bytes);
        let lower: i8x16 = cast(bytes | u8x16::splat(0x20));
        let upto = |bytes: i8x16, last: u8, count: i8| {
            (bytes + i8x16::splat(i8::MAX.wrapping_sub_unsigned(last))).simd_gt(i8x16::splat(i8::MAX - count))
        };
        let is = |byte: u8| signed.simd_eq(i8x16::splat(byte as i8));
        let case: i8x16 = cast(cast::<_, i16x8>(!bytes) << 2);
        for (bits, found) in [
            (&mut self.letter, upto(lower, b'z', 26)),
            (&mut self.upper, case),
            (&mut self.digit, upto(signed, b'9', 10)),
            (&mut self.wide, signed),
            (&mut self.asked, upto(signed, b'&', 2)),
            (&mut self.sign, is(b'@') | is(b':') | is(b'^')),
            (&mut self.mark, is(b'.') | is(b'(') | is(b'[') | is(b'+')),
        ] {
            *bits = *bits << 16 | u64::from(found.to_bitmask());
        }
    }
}

/// The places of the bits that are set, lowest first.
#[inline]
pub(super) fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (set != 0).then(|| set.trailing_zeros() as usize);
        set &= set.wrapping_sub(1);
        lowest
    })
}

/// The bits `from..to` of a block; `from` is less than `to`, and `to` at most 64.
#[inline]
pub(super) const fn between(from: usize, to: usize) -> u64 {
    let above = if to < BLOCK { 1_u64.wrapping_shl(to as u32) } else { 0 };
    above.wrapping_sub(1_u64.wrapping_shl(from as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_what_it_is() {
        for byte in 0..=u8::MAX {
            for place in [0, 15, 16, 40, 63] {
                let mut bytes = [b' '; BLOCK];
                bytes[place] = byte;
                let block = Block::at(&bytes, 0);
                let bit = |is: bool| u64::from(is) << place;
                assert_eq!(block.letter, bit(byte.is_ascii_alphabetic()), "{byte}");
                assert_eq!(block.upper, bit(byte.is_ascii_uppercase()), "{byte}");
                assert_eq!(block.digit, bit(byte.is_ascii_digit()), "{byte}");
                assert_eq!(block.wide, bit(byte >= 0x80), "{byte}");
                assert_eq!(block.asked, bit(byte >= 0xC0 || b"&%".contains(&byte)), "{byte}");
                assert_eq!(block.sign, bit(b"@:^".contains(&byte)), "{byte}");
                assert_eq!(block.mark, bit(b".([+".contains(&byte)), "{byte}");
            }
        }
        assert_eq!(bits(0b1001 | 1 << 63).collect::<Vec<_>>(), [0, 3, 63]);
        assert_eq!((between(0, 64), between(3, 5), between(63, 64)), (u64::MAX, 0b11000, 1 << 63));
    }
}
