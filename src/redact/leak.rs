//! The last gate: is a covered value present after all, in any form?

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::borrow::Cow;

/// Values of fewer bytes are in half of all words and are not looked for.
const VALUE_BYTES_MIN: usize = 4;
/// Base64 of fewer characters than this is met by chance.
const BASE64_CHARS_MIN: usize = 6;

/// The index of a value that is present in `projection_json` in UTF-8, UTF-16, JSON-escaped,
/// percent-encoded, HTML-encoded (also in mixtures), hexadecimal or base64 (any alignment) form;
/// without regard to case except in base64. Values under four bytes are not looked for. It does not
/// decompress, and it looks at everything, names of fields too: give it values that occur nowhere else.
#[must_use]
pub fn leaks(projection_json: &str, values: &[&str]) -> Option<usize> {
    if values.iter().all(|value| value.len() < VALUE_BYTES_MIN) {
        return None;
    }
    let readings = readings(projection_json);
    let forms: Vec<&str> =
        std::iter::once(projection_json).chain(readings.iter().map(String::as_str)).collect();
    search(&forms, values)
}

/// The characters that an escape begins with, and the zeros of UTF-16: a text without them has no other reading.
#[must_use]
pub const fn is_escape(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&' | b'+' | 0)
}

/// How many bytes of a text an escape is made of at most, from its first character to its end, or to the first of the next one
/// within it: `\u0026#x000000eb;`, and some to spare.
pub const ESCAPE_BYTES_MAX: usize = 32;

/// A text with its escapes undone: those of JSON, of addresses, of HTML, in both orders, and without the zeros of UTF-16. Only
/// readings that are not the text itself, each once.
#[must_use]
pub fn readings(text: &str) -> Vec<String> {
    let plain = json_unescaped(text);
    let percent = percent_decoded(&plain);
    let html = html_decoded(&percent);
    let other_order = html_decoded(&plain);
    let mixed = percent_decoded(&other_order);
    let without_nul = match plain.contains('\0') {
        true => Cow::Owned(plain.replace('\0', "")),
        false => Cow::Borrowed(&*plain),
    };
    let mut distinct: Vec<&str> = Vec::with_capacity(5);
    for reading in [&*plain, &*percent, &*html, &*mixed, &*without_nul] {
        if reading != text && !distinct.contains(&reading) {
            distinct.push(reading);
        }
    }
    distinct.into_iter().map(str::to_owned).collect()
}

/// The same for text that is not JSON.
pub(super) fn leaks_in_text(text: &str, values: &[&str]) -> bool {
    let encoded = text.contains(['%', '&', '\\', '\0']);
    if encoded { leaks(text, values).is_some() } else { search(&[text], values).is_some() }
}

fn search(forms: &[&str], values: &[&str]) -> Option<usize> {
    let run_max = forms.iter().map(|form| longest_run(form)).max().unwrap_or_default();
    let needles = Needles::of(values, run_max);
    let bytes = forms.iter().map(|form| form.len()).max().unwrap_or_default();
    let lowered = Searcher::of(&needles.lowered, bytes);
    let exact = Searcher::of(&needles.exact, bytes);
    forms.iter().find_map(|form| lowered.find(&lower(form)).or_else(|| exact.find(form)))
}

/// What is looked for, with the index of its value.
#[derive(Default)]
struct Needles {
    /// In the text in lower case: the values, and their hexadecimal forms.
    lowered: Vec<(String, usize)>,
    /// In the text as it is: base64.
    exact: Vec<(String, usize)>,
}

impl Needles {
    /// Encoded forms longer than `run_max`, the longest run of their characters in the text, cannot be
    /// there and are not made.
    fn of(values: &[&str], run_max: usize) -> Self {
        let mut needles = Self::default();
        for (owner, value) in values.iter().enumerate().filter(|(_, value)| value.len() >= VALUE_BYTES_MIN) {
            needles.lowered.push((lower(value), owner));
            if base64_len_min(value.len()) > run_max {
                continue;
            }
            let mut cases = vec![(*value).to_owned(), lower(value), value.to_uppercase()];
            cases.dedup();
            for bytes in cases.iter().flat_map(|value| encodings(value)) {
                if bytes.len() * 2 <= run_max {
                    needles.lowered.push((hex::encode(&bytes), owner));
                }
                if base64_len_min(bytes.len()) <= run_max {
                    needles.exact.extend(base64_forms(&bytes).into_iter().map(|form| (form, owner)));
                }
            }
        }
        needles
    }
}

/// Up to this many needles times bytes are searched one by one: building an automaton costs more.
const ONE_BY_ONE_MAX: usize = 1 << 16;

enum Searcher<'n> {
    OneByOne(&'n [(String, usize)]),
    Together(AhoCorasick, &'n [(String, usize)]),
    /// It cannot be searched, which counts as found.
    Found(usize),
}

impl<'n> Searcher<'n> {
    fn of(needles: &'n [(String, usize)], bytes: usize) -> Self {
        if needles.len().saturating_mul(bytes) <= ONE_BY_ONE_MAX {
            return Self::OneByOne(needles);
        }
        let patterns = needles.iter().map(|(needle, _)| needle);
        match AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(patterns) {
            Ok(together) => Self::Together(together, needles),
            Err(_) => Self::Found(needles.first().map_or(0, |(_, owner)| *owner)),
        }
    }

    fn find(&self, text: &str) -> Option<usize> {
        match self {
            Self::OneByOne(needles) => {
                needles.iter().find(|(needle, _)| text.contains(needle.as_str())).map(|(_, owner)| *owner)
            }
            Self::Together(together, needles) => {
                let hit = together.find(text)?;
                needles.get(hit.pattern().as_usize()).map(|(_, owner)| *owner)
            }
            Self::Found(owner) => Some(*owner),
        }
    }
}

/// The longest run of characters that base64 (both alphabets) and hexadecimal are made of.
fn longest_run(text: &str) -> usize {
    let encodes = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    text.as_bytes().split(|byte| !encodes(byte)).map(<[u8]>::len).max().unwrap_or_default()
}

/// The least number of base64 characters that depend on `len` bytes alone, whatever the alignment;
/// hexadecimal is longer.
fn base64_len_min(len: usize) -> usize {
    (len * 8 / 6).saturating_sub(2)
}

/// One character at a time, so that a part of a text lowers as it does in the whole.
fn lower(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.chars().flat_map(char::to_lowercase).collect()
    }
}

fn encodings(value: &str) -> [Vec<u8>; 3] {
    let little = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big = value.encode_utf16().flat_map(u16::to_be_bytes).collect();
    [value.as_bytes().to_vec(), little, big]
}

/// What of the base64 of `bytes` does not depend on the bytes around, at each of the three alignments.
fn base64_forms(bytes: &[u8]) -> Vec<String> {
    let mut forms = Vec::with_capacity(6);
    for before in 0..3_usize {
        let mut padded = vec![0_u8; before];
        padded.extend_from_slice(bytes);
        let (start, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            match encoded.get(start..end) {
                Some(form) if form.len() >= BASE64_CHARS_MIN && !forms.iter().any(|known| known == form) => {
                    forms.push(form.to_owned());
                }
                _ => {}
            }
        }
    }
    forms
}

/// Backslash escapes of JSON undone wherever they stand; what is no escape stays.
fn json_unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    // Escapes that follow each other may be halves of one character.
    let (mut out, mut units) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('\\') {
        if !plain.is_empty() {
            flush(&mut units, &mut out);
            out.push_str(plain);
        }
        let (unit, used) = match after.chars().next() {
            Some('u') => match after.get(1..5).and_then(|hex| u16::from_str_radix(hex, 16).ok()) {
                Some(unit) => (unit, 5),
                None => (u16::from(b'\\'), 0),
            },
            Some('n') => (10, 1),
            Some('t') => (9, 1),
            Some('r') => (13, 1),
            Some(c @ ('"' | '\\' | '/')) => (c as u16, 1),
            _ => (u16::from(b'\\'), 0),
        };
        units.push(unit);
        rest = after.get(used..).unwrap_or_default();
    }
    flush(&mut units, &mut out);
    out.push_str(rest);
    Cow::Owned(out)
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    out.extend(char::decode_utf16(units.drain(..)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    let mut rest = text.as_bytes();
    if memchr::memchr2(b'%', b'+', rest).is_none() {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((plain, from)) = memchr::memchr2(b'%', b'+', rest).and_then(|at| rest.split_at_checked(at))
    {
        bytes.extend_from_slice(plain);
        let Some((first, after)) = from.split_first() else { break };
        let mut byte = [0];
        let is_pair = after.get(..2).is_some_and(|pair| hex::decode_to_slice(pair, &mut byte).is_ok());
        let [byte] = byte;
        rest = match first {
            b'%' if is_pair => {
                bytes.push(byte);
                after.get(2..).unwrap_or_default()
            }
            b'%' => {
                bytes.push(b'%');
                after
            }
            _ => {
                bytes.push(b' ');
                after
            }
        };
    }
    bytes.extend_from_slice(rest);
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Numeric character references and the five named ones of XML undone.
fn html_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('&') {
        out.push_str(plain);
        match reference(after) {
            Some((c, used)) => {
                out.push(c);
                rest = after.get(used..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn reference(after: &str) -> Option<(char, usize)> {
    for (name, c) in [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')] {
        if after.strip_prefix(name).is_some_and(|rest| rest.starts_with(';')) {
            return Some((c, name.len() + 1));
        }
    }
    let number = after.strip_prefix('#')?;
    let (radix, digits, before) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits, 2),
        None => (10, number, 1),
    };
    let len = digits.chars().take(8).take_while(|c| c.is_digit(radix)).count();
    let code = u32::from_str_radix(digits.get(..len)?, radix).ok()?;
    let closed = usize::from(digits.get(len..).is_some_and(|rest| rest.starts_with(';')));
    Some((char::from_u32(code)?, before + len + closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_base64_form_is_shorter_than_its_bound() {
        for len in 1..40 {
            let forms = base64_forms(&vec![b'x'; len]);
            assert!(forms.iter().all(|form| form.len() >= base64_len_min(len)), "{len}");
        }
    }

    #[test]
    fn a_value_is_found_in_every_form() {
        let value = "Zoë Kwik";
        let utf16: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let forms = [
            "x Zoë Kwik x".to_owned(),
            "ZOË KWIK".to_owned(),
            r#"{"t":"Zo\u00eb Kwik"}"#.to_owned(),
            r#"{"t":"\u005ao\u00EB\u0020Kwik"}"#.to_owned(),
            "q=Zo%C3%AB%20Kwik".to_owned(),
            "q=%5Ao%c3%ab+Kwik".to_owned(),
            "Zo&#235; Kwik".to_owned(),
            "Zo&#xEB;&#32Kwik".to_owned(),
            "q=Zo%26%23235%3B Kwik".to_owned(),
            hex::encode(value),
            hex::encode_upper(value),
            hex::encode(&utf16),
            STANDARD_NO_PAD.encode(value),
            STANDARD_NO_PAD.encode(format!("a{value} en meer")),
            URL_SAFE_NO_PAD.encode(format!("ab{value} en meer")),
            STANDARD_NO_PAD.encode([b"xy".as_slice(), &utf16].concat()),
            value.chars().map(|c| format!("{c}\\u0000")).collect(),
        ];
        for form in forms {
            assert_eq!(leaks(&form, &["absent value", value]), Some(1), "{form}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let table = [("Zoë Kwi", "Zoë Kwik"), ("", "Kwik"), ("abc", "abc"), ("% & \\ \\u00 &#; %4", "Kwik")];
        for (text, value) in table {
            assert_eq!(leaks(text, &[value]), None, "{text}");
        }
        assert_eq!(leaks("iets", &[]), None);
    }
}
