//! The forms in which bytes can hide a text: UTF-8 and UTF-16, escapes of JSON, HTML and addresses, base64 at any alignment,
//! hexadecimal, gzip, and these inside each other. Forms are undone, so that a value needs to be looked for in one form only.

use crate::redact::{folded, readings};
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Forms inside forms that are undone.
const DEPTH_MAX: u8 = 3;
/// Bytes that come out of one gzip member at most: more is not looked at, and counts as found.
const INFLATED_BYTES_MAX: u64 = 64 << 20;
/// Shortest run of base64 that can hold six bytes.
const BASE64_MIN: usize = 8;
/// Shortest run of hexadecimal digits that can.
const HEX_MIN: usize = 12;

/// A reading of bytes, in one case and without marks.
pub(super) enum Reading<'t> {
    /// As they stand.
    Plain(&'t str),
    /// With a form undone.
    Undone(&'t str),
    /// They cannot be undone to their end.
    Broken,
}

/// Hands every reading of `bytes` to `see`, the plain one first.
pub(super) fn every(bytes: &[u8], see: &mut dyn FnMut(Reading<'_>)) {
    see(Reading::Plain(&folded(&String::from_utf8_lossy(bytes))));
    undo(bytes, 0, see);
}

/// Hands every reading of what is compressed in `bytes` to `see`: of a file as a whole, since it may be longer than what is read
/// at a time.
pub(super) fn compressed(bytes: &[u8], see: &mut dyn FnMut(Reading<'_>)) {
    gzip(bytes, 0, see);
}

fn undo(bytes: &[u8], depth: u8, see: &mut dyn FnMut(Reading<'_>)) {
    let text = String::from_utf8_lossy(bytes);
    if depth > 0 {
        say(&text, see);
    }
    if text.contains(['\\', '%', '&', '+', '\0']) {
        for reading in readings(&text) {
            say(&reading, see);
            if depth < DEPTH_MAX && reading.len() < bytes.len() {
                inside(reading.as_bytes(), depth, see);
            }
        }
    }
    if bytes.iter().filter(|byte| **byte == 0).take(4).count() == 4 {
        for from in 0..2 {
            utf16(bytes.get(from..).unwrap_or_default(), see);
        }
    }
    if depth < DEPTH_MAX {
        inside(bytes, depth, see);
        gzip(bytes, depth, see);
    }
}

fn say(text: &str, see: &mut dyn FnMut(Reading<'_>)) {
    see(Reading::Undone(&folded(text)));
}

fn utf16(bytes: &[u8], see: &mut dyn FnMut(Reading<'_>)) {
    let pairs = || bytes.chunks_exact(2).map(|pair| <[u8; 2]>::try_from(pair).unwrap_or_default());
    for units in [
        pairs().map(u16::from_le_bytes).collect::<Vec<u16>>(),
        pairs().map(u16::from_be_bytes).collect::<Vec<u16>>(),
    ] {
        say(&String::from_utf16_lossy(&units), see);
    }
}

/// Runs of base64 and hexadecimal, decoded.
fn inside(bytes: &[u8], depth: u8, see: &mut dyn FnMut(Reading<'_>)) {
    let encodes = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    // The names that a grant draws are everywhere, and hold nothing.
    let wanted = |run: &&[u8]| run.len() >= BASE64_MIN && !is_name(run);
    for run in bytes.split(|byte| !encodes(byte)).filter(wanted) {
        if looks_encoded(run) {
            base64(run, depth, see);
            // What parts names of files is a sign of one alphabet and none of the other: `records-H4sI….csv`.
            for parted in [b"-_", b"+/"] {
                let pieces =
                    || run.split(|byte| parted.contains(byte)).filter(|piece| piece.len() >= BASE64_MIN);
                if pieces().any(|piece| piece.len() < run.len()) {
                    pieces().filter(|piece| looks_encoded(piece)).for_each(|piece| base64(piece, depth, see));
                }
            }
        }
        for digits in run.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= HEX_MIN) {
            for from in 0..2 {
                let even = digits.get(from..).unwrap_or_default();
                let even = even.get(..even.len() / 2 * 2).unwrap_or_default();
                if let Ok(decoded) = hex::decode(even) {
                    undo(&decoded, depth + 1, see);
                }
            }
        }
    }
}

/// Whether a run is a UUID as names are written.
fn is_name(run: &[u8]) -> bool {
    run.len() == 36 && uuid::Uuid::try_parse_ascii(run).is_ok()
}

/// Words are no base64: that has capitals in its midst, or digits.
fn looks_encoded(run: &[u8]) -> bool {
    run.iter().skip(1).any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn base64(run: &[u8], depth: u8, see: &mut dyn FnMut(Reading<'_>)) {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let url = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = GeneralPurpose::new(if url { &URL_SAFE } else { &STANDARD }, config);
    for from in 0..4 {
        let shifted = run.get(from..).unwrap_or_default();
        // A length of 4n + 1 is of no bytes: the last character says nothing.
        let whole = shifted.len() - usize::from(shifted.len() % 4 == 1);
        if let Some(Ok(decoded)) = shifted.get(..whole).map(|run| engine.decode(run)) {
            undo(&decoded, depth + 1, see);
        }
    }
}

fn gzip(bytes: &[u8], depth: u8, see: &mut dyn FnMut(Reading<'_>)) {
    for at in memchr::memmem::find_iter(bytes, &[0x1f, 0x8b, 8]) {
        let mut inflated = Vec::new();
        let member = MultiGzDecoder::new(bytes.get(at..).unwrap_or_default());
        // What came out before it broke off is looked at all the same.
        let _broken_off = member.take(INFLATED_BYTES_MAX + 1).read_to_end(&mut inflated);
        if inflated.len() as u64 > INFLATED_BYTES_MAX {
            see(Reading::Broken);
        }
        if !inflated.is_empty() {
            undo(&inflated, depth + 1, see);
        }
    }
}
