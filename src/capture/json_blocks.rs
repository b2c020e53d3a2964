//! Sixty-four bytes of JSON at once: what each of them is, a bit each, the first byte lowest.

use wide::bytemuck::cast;
use wide::{i8x16, u8x16};

/// How many bytes a block has.
pub(super) const BLOCK: usize = 64;

/// The bytes of a block that may mean something to who looks for the end of a value.
pub(super) struct Brackets {
    quote: u64,
    backslash: u64,
    open: u64,
    close: u64,
}

/// Whether what comes next stands in a string, and whether a backslash took its meaning away (outside strings, where a
/// backslash cannot stand, too: the parser finds it).
#[derive(Clone, Copy, Default)]
pub(super) struct Carry {
    inside: bool,
    escaped: bool,
}

impl Brackets {
    fn of(bytes: &[u8; BLOCK]) -> Self {
        let mut made = Self { quote: 0, backslash: 0, open: 0, close: 0 };
        for part in bytes.as_chunks::<16>().0.iter().rev() {
            let bytes = u8x16::from(*part);
            // Square and curly brackets differ by this bit only.
            let folded: i8x16 = cast(bytes | u8x16::splat(0x20));
            for (bits, found) in [
                (&mut made.quote, is(cast(bytes), b'"')),
                (&mut made.backslash, is(cast(bytes), b'\\')),
                (&mut made.open, is(folded, b'{')),
                (&mut made.close, is(folded, b'}')),
            ] {
                *bits = *bits << 16 | u64::from(found.to_bitmask());
            }
        }
        made
    }

    /// Brackets that open and that close outside strings, of the first 64 bytes of `rest` (what is missing reads as blank), and how
    /// many bytes that were.
    #[inline]
    pub(super) fn outside(rest: &[u8], carry: &mut Carry) -> (u64, u64, usize) {
        let (block, length) = match rest.first_chunk() {
            Some(bytes) => (Self::of(bytes), BLOCK),
            None => (Self::of(&padded(rest)), rest.len()),
        };
        let quotes = block.quote & !escaped(block.backslash, length, &mut carry.escaped);
        let inside = parity(quotes) ^ if carry.inside { u64::MAX } else { 0 };
        carry.inside = inside >> (length.max(1) - 1) & 1 == 1;
        (block.open & !inside, block.close & !inside, length)
    }
}

/// Bytes that mean something in a string: quotes, backslashes, control characters; of the first 64 of `rest`.
#[inline]
pub(super) fn special(rest: &[u8]) -> u64 {
    let of = |bytes: &[u8; BLOCK]| {
        let mut special = 0;
        for part in bytes.as_chunks::<16>().0.iter().rev() {
            let bytes = u8x16::from(*part);
            // Bytes are compared as signed numbers: those under 0x20 are moved to the lowest.
            let low: i8x16 = cast(bytes ^ u8x16::splat(0x80));
            let control = low.simd_lt(i8x16::splat(-0x60));
            let found = control | is(cast(bytes), b'"') | is(cast(bytes), b'\\');
            special = special << 16 | u64::from(found.to_bitmask());
        }
        special
    };
    rest.first_chunk().map_or_else(|| of(&padded(rest)), of)
}

#[inline]
fn is(bytes: i8x16, byte: u8) -> i8x16 {
    bytes.simd_eq(i8x16::splat(byte as i8))
}

fn padded(rest: &[u8]) -> [u8; BLOCK] {
    let mut bytes = [b' '; BLOCK];
    bytes.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    bytes
}

/// The bytes that a backslash stands before, of the first `length`.
#[inline]
fn escaped(mut backslash: u64, length: usize, carry: &mut bool) -> u64 {
    let mut escaped = u64::from(std::mem::take(carry));
    backslash &= !escaped;
    while backslash != 0 {
        let at = backslash.trailing_zeros() as usize;
        if at + 1 >= length {
            *carry = true;
            break;
        }
        escaped |= 2 << at;
        backslash &= !(3 << at);
    }
    escaped
}

/// Each bit is whether the number of bits up to and with it is odd.
#[inline]
const fn parity(mut bits: u64) -> u64 {
    let mut by = 1;
    while by < 64 {
        bits ^= bits << by;
        by *= 2;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, byte by byte.
    fn plainly(bytes: &[u8], carry: &mut Carry) -> (u64, u64) {
        let (mut open, mut close) = (0, 0);
        for (at, byte) in bytes.iter().enumerate() {
            let escaped = std::mem::take(&mut carry.escaped);
            match byte {
                b'\\' if !escaped => carry.escaped = true,
                b'"' if !escaped => carry.inside = !carry.inside,
                b'{' | b'[' if !carry.inside => open |= 1 << at,
                b'}' | b']' if !carry.inside => close |= 1 << at,
                _ => {}
            }
        }
        (open, close)
    }

    proptest::proptest! {
        #[test]
        fn blocks_say_what_bytes_say(text in "[\\[\\]{}\"\\\\a;:\u{1}é]{0,300}", step in 1_usize..70) {
            let (mut blocks, mut bytes) = (Carry::default(), Carry::default());
            for part in text.as_bytes().chunks(step) {
                let mut rest = part;
                while !rest.is_empty() {
                    let (open, close, length) = Brackets::outside(rest, &mut blocks);
                    let (now, after) = rest.split_at(length);
                    proptest::prop_assert_eq!((open, close), plainly(now, &mut bytes));
                    proptest::prop_assert_eq!((blocks.inside, blocks.escaped), (bytes.inside, bytes.escaped));
                    rest = after;
                }
            }
        }
    }

    #[test]
    fn every_byte_that_means_something_is_found_at_every_place() {
        for byte in 0..=u8::MAX {
            for at in [0, 15, 16, 40, 63] {
                let mut bytes = [b'a'; BLOCK];
                bytes[at] = byte;
                let means = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(special(&bytes), u64::from(means) << at, "{byte} at {at}");
                assert_eq!(special(&bytes[..=at]), u64::from(means) << at, "{byte} at {at}");
            }
        }
    }
}
