//! The forms in which bytes can hide a text: UTF-8 and UTF-16, escapes of JSON, HTML and addresses, base64 at any alignment,
//! hexadecimal, gzip, and these inside each other. Forms are undone, so that a value needs to be looked for in one form only.
//!
//! What is undone is not the whole of the bytes where a part says the same: escapes are undone with what stands around them, as far
//! as the longest value reaches, and a run of base64 that stands there again is not undone again.

use super::around::around_escapes;
use super::letters::Letters;
use crate::redact::{fold_into, is_escape, readings};
use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use flate2::bufread::{GzDecoder, MultiGzDecoder};
use memchr::memmem::Finder as Bytes;
use std::collections::HashSet;
use std::io::Read;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// Forms inside forms that are undone.
const DEPTH_MAX: u8 = 3;
/// Bytes that come out of one gzip member at most: more is not looked at, and counts as found.
const INFLATED_BYTES_MAX: u64 = 64 << 20;
/// What came out of a member and is longer than this is undone on one core at a time: a post can make much of little.
const INFLATED_TOGETHER_MAX: u64 = 1 << 20;
static ALONE: Mutex<()> = Mutex::new(());
/// Shortest line of base64 or hexadecimal that goes on in the next: mail and keys have 64 or 76 characters in each.
const LINE_MIN: usize = 48;
/// Shortest run of base64 that can hold six bytes.
const BASE64_MIN: usize = 8;
/// Shortest run of hexadecimal digits that can.
const HEX_MIN: usize = 12;
/// What a gzip member begins with, and the bytes before anything is compressed in it.
static GZIP: LazyLock<Bytes<'static>> = LazyLock::new(|| Bytes::new(&[0x1f, 0x8b, 8]));
const GZIP_HEAD: usize = 10;

/// What is known of the values that are looked for, so that what cannot hold one is not read.
#[derive(Clone, Default)]
pub(super) struct Sought {
    /// Bytes of the longest.
    pub reach: usize,
    /// Of which characters they are made.
    pub letters: Letters,
}

/// A reading of bytes with a form undone.
pub(super) enum Reading<'t> {
    /// In one case and without marks.
    Undone(&'t str),
    /// The same, of what came out of base64, hexadecimal or gzip: what stands beside a value may be anything.
    Decoded(&'t str),
    /// They cannot be undone to their end.
    Broken,
}

/// Bytes as they stand, in one case and without marks.
pub(super) fn plain(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    fold_bytes(bytes, &mut text);
    text
}

/// Hands every other reading of `bytes` to `see`, as far as it can hold one of the values that does not stand in [`plain`].
pub(super) fn undone(bytes: &[u8], sought: &Sought, see: &mut dyn FnMut(Reading<'_>)) {
    Undoing::of(sought, see).undo(bytes, 0);
}

/// Hands every reading of what is compressed in `bytes` to `see`: of a file as a whole, since it may be longer than what is read
/// at a time.
pub(super) fn compressed(bytes: &[u8], sought: &Sought, see: &mut dyn FnMut(Reading<'_>)) {
    Undoing::of(sought, see).gzip(bytes, 0);
}

/// The undoing of some bytes.
struct Undoing<'s> {
    sought: &'s Sought,
    see: &'s mut dyn FnMut(Reading<'_>),
    /// The reading that is looked at, for its memory.
    folded: String,
    /// Runs that were undone where they stand in the bytes themselves: keys and times are in every row.
    known: HashSet<Box<[u8]>>,
    /// Held from the first long member to the end of this.
    alone: Option<MutexGuard<'static, ()>>,
}

impl<'s> Undoing<'s> {
    fn of(sought: &'s Sought, see: &'s mut dyn FnMut(Reading<'_>)) -> Self {
        Self { sought, see, folded: String::new(), known: HashSet::new(), alone: None }
    }

    fn undo(&mut self, bytes: &[u8], depth: u8) {
        if depth > 0 {
            self.say(depth, |folded| fold_bytes(bytes, folded));
        }
        if bytes.iter().any(|byte| is_escape(*byte)) {
            let text = String::from_utf8_lossy(bytes);
            for piece in around_escapes(&text, self.sought.reach) {
                for reading in readings(piece) {
                    self.say(depth, |folded| fold_into(&reading, folded));
                    self.inside(reading.as_bytes(), depth);
                }
            }
        }
        if self.sought.letters.may_be_utf16(bytes) {
            for from in 0..2 {
                self.utf16(bytes.get(from..).unwrap_or_default(), depth);
            }
        }
        self.inside(bytes, depth);
        self.gzip(bytes, depth);
    }

    fn say(&mut self, depth: u8, fold: impl FnOnce(&mut String)) {
        self.folded.clear();
        fold(&mut self.folded);
        let reading = if depth > 0 { Reading::Decoded } else { Reading::Undone };
        (self.see)(reading(&self.folded));
    }

    fn utf16(&mut self, bytes: &[u8], depth: u8) {
        for unit in [u16::from_le_bytes, u16::from_be_bytes] {
            let units = bytes.as_chunks().0.iter().map(|pair| unit(*pair));
            let chars = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
            let letters = &self.sought.letters;
            self.say(depth, |folded| letters.fold_worthwhile(chars, folded));
        }
    }

    /// Runs of base64 and hexadecimal, decoded.
    fn inside(&mut self, bytes: &[u8], depth: u8) {
        if depth >= DEPTH_MAX {
            return;
        }
        let mut decoded = Vec::new();
        // The names that a grant draws are everywhere, and hold nothing.
        let wanted = |run: &&[u8]| run.len() >= BASE64_MIN && !is_name(run);
        for run in bytes.split(|byte| !encodes(*byte)).filter(wanted) {
            self.run(run, depth, &mut decoded);
        }
        for lines in joined_lines(bytes) {
            self.run(&lines, depth, &mut decoded);
        }
    }

    /// One run of characters that encode.
    fn run(&mut self, run: &[u8], depth: u8, decoded: &mut Vec<u8>) {
        let is_encoded = looks_encoded(run);
        let digits = || run.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= HEX_MIN);
        // Most runs are words.
        let may_hold = is_encoded || digits().next().is_some();
        if !may_hold || (depth == 0 && !self.is_new(run)) {
            return;
        }
        if is_encoded {
            self.base64(run, depth, decoded);
            // What parts names of files is a sign of one alphabet and none of the other: `records-H4sI….csv`.
            for parted in [b"-_", b"+/"] {
                let pieces =
                    || run.split(|byte| parted.contains(byte)).filter(|piece| piece.len() >= BASE64_MIN);
                if pieces().any(|piece| piece.len() < run.len()) {
                    let pieces = pieces().filter(|piece| looks_encoded(piece));
                    pieces.for_each(|piece| self.base64(piece, depth, decoded));
                }
            }
        }
        for digits in digits() {
            for from in 0..2 {
                let even = digits.get(from..).unwrap_or_default();
                let even = even.get(..even.len() / 2 * 2).unwrap_or_default();
                if let Ok(decoded) = hex::decode(even) {
                    self.undo(&decoded, depth + 1);
                }
            }
        }
    }

    /// Whether a run that could be decoded was not met before.
    fn is_new(&mut self, run: &[u8]) -> bool {
        !self.known.contains(run) && self.known.insert(run.into())
    }

    fn base64(&mut self, run: &[u8], depth: u8, decoded: &mut Vec<u8>) {
        let url = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
        let engine = if url { &BASE64_OF_ADDRESSES } else { &BASE64 };
        for from in 0..4 {
            let shifted = run.get(from..).unwrap_or_default();
            // A length of 4n + 1 is of no bytes: the last character says nothing.
            let whole = shifted.len() - usize::from(shifted.len() % 4 == 1);
            decoded.clear();
            if shifted.get(..whole).is_some_and(|run| engine.decode_vec(run, decoded).is_ok()) {
                self.undo(decoded, depth + 1);
            }
        }
    }

    fn gzip(&mut self, bytes: &[u8], depth: u8) {
        if depth >= DEPTH_MAX || bytes.len() <= GZIP_HEAD {
            return;
        }
        // What follows a member was read with it, up to here.
        let mut read_to = 0;
        for at in GZIP.find_iter(bytes) {
            let from = bytes.get(at..).unwrap_or_default();
            let mut inflated = Vec::new();
            if at < read_to {
                self.inflate(&mut GzDecoder::new(from), &mut inflated);
            } else {
                let mut members = MultiGzDecoder::new(from);
                self.inflate(&mut members, &mut inflated);
                read_to = bytes.len() - members.into_inner().len();
            }
            if inflated.len() as u64 > INFLATED_BYTES_MAX {
                (self.see)(Reading::Broken);
            }
            if !inflated.is_empty() {
                self.undo(&inflated, depth + 1);
            }
        }
    }

    /// What comes out before it ends or breaks off.
    fn inflate(&mut self, member: &mut dyn Read, inflated: &mut Vec<u8>) {
        let mut member = member.take(INFLATED_TOGETHER_MAX);
        if member.read_to_end(inflated).is_ok() && member.limit() == 0 {
            self.alone.get_or_insert_with(|| ALONE.lock().unwrap_or_else(PoisonError::into_inner));
            member.set_limit(INFLATED_BYTES_MAX + 1 - INFLATED_TOGETHER_MAX);
            // What came out before it broke off is looked at all the same.
            let _broken_off = member.read_to_end(inflated);
        }
    }
}

/// Runs of characters that encode which go on in the next line, joined.
fn joined_lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !open.is_empty() {
            let head = line.iter().take_while(|byte| encodes(**byte)).count();
            open.extend_from_slice(line.get(..head).unwrap_or_default());
            if head == line.len() && head >= LINE_MIN {
                continue;
            }
            found.push(std::mem::take(&mut open));
        }
        let tail = line.iter().rev().take_while(|byte| encodes(**byte)).count();
        if tail >= LINE_MIN {
            open.extend_from_slice(line.get(line.len() - tail..).unwrap_or_default());
        }
    }
    found.extend((!open.is_empty()).then_some(open));
    found
}

/// Folds what is UTF-8 in these bytes, with a sign for what is not.
fn fold_bytes(bytes: &[u8], into: &mut String) {
    for chunk in bytes.utf8_chunks() {
        fold_into(chunk.valid(), into);
        if !chunk.invalid().is_empty() {
            into.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

const fn either_padding(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

static BASE64: GeneralPurpose = either_padding(&STANDARD);
static BASE64_OF_ADDRESSES: GeneralPurpose = either_padding(&URL_SAFE);

/// Whether base64 or hexadecimal is made of these.
pub(super) const fn encodes(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Whether a run is a UUID as names are written.
fn is_name(run: &[u8]) -> bool {
    run.len() == 36 && uuid::Uuid::try_parse_ascii(run).is_ok()
}

/// Words are no base64: that has capitals in its midst, or digits.
fn looks_encoded(run: &[u8]) -> bool {
    run.iter().skip(1).any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
