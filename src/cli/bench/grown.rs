//! Small captures made large: what is measured is then reading, not the start of a reader.
//!
//! The records of a sample are repeated where they stand (elements of its array, rows under a heading, lines, records
//! of a WARC), and each copy has ids of its own, so that every record counts.

use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A capture of at least `bytes_min` bytes that reads as `sample` repeated; the sample itself when it is that long or
/// cannot be repeated in place (an archive with a directory).
pub(super) fn grown(sample: &[u8], bytes_min: usize) -> Vec<u8> {
    if sample.is_empty() || sample.len() >= bytes_min || sample.starts_with(b"PK") {
        return sample.to_vec();
    }
    let text = std::str::from_utf8(sample).ok().filter(|text| !text.starts_with("WARC/"));
    let Some(text) = text else { return sample.repeat(bytes_min.div_ceil(sample.len())) };
    let (before, piece, after, between) = parts(text);
    let copies = bytes_min.saturating_sub(before.len() + after.len()).div_ceil(piece.len().max(1) + 1);
    let mut out = String::with_capacity(bytes_min + sample.len() + copies);
    out.push_str(before);
    for copy in 0..copies {
        if copy > 0 {
            out.push_str(between);
        }
        renumber(piece, copy as u64, &mut out);
    }
    out.push_str(after);
    out.into_bytes()
}

/// What stands before the piece to repeat, the piece, what stands after it, and what to put between two.
fn parts(text: &str) -> (&str, &str, &str, &str) {
    let nothing = (text, "");
    let script = text.split_once("= [").filter(|(name, _)| name.starts_with("window.YTD"));
    if let Some((name, rest)) = script {
        let (inside, after) = rest.rsplit_once(']').unwrap_or((rest, ""));
        return (text.get(..name.len() + 3).unwrap_or(text), inside, after_from(text, after, 1), ",");
    }
    if let Some(array) = array(text) {
        let start = array.as_ptr() as usize - text.as_ptr() as usize;
        let (before, rest) = text.split_at_checked(start + 1).unwrap_or(nothing);
        let (inside, after) = rest.split_at_checked(array.len().saturating_sub(2)).unwrap_or(nothing);
        return (before, inside, after, ",");
    }
    let table = !text.trim_start().starts_with(['{', '[', ':', 'e', 'd', 'i']) || text.starts_with("Date");
    match text.split_once('\n').filter(|_| table) {
        Some((heading, rows)) => {
            let before = text.get(..=heading.len()).unwrap_or(text);
            (before, rows.trim_end(), "\n", "\n")
        }
        None => ("", text.trim_end(), "\n", if text.starts_with('{') { "\n" } else { "\n\n" }),
    }
}

/// The end of `text` that `after` is, with so many bytes before it.
fn after_from<'t>(text: &'t str, after: &str, more: usize) -> &'t str {
    text.get(text.len().saturating_sub(after.len() + more)..).unwrap_or_default()
}

/// The array that makes up most of a document, if it is one.
fn array(text: &str) -> Option<&str> {
    let whole: &RawValue = serde_json::from_str(text).ok()?;
    let mut inside = whole.get();
    while inside.starts_with('{') {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(inside).ok()?;
        inside = members.values().map(|value| value.get()).max_by_key(|value| value.len())?;
    }
    let long = inside.starts_with('[') && inside.len() > 2 && inside.len() * 2 > text.len();
    // A list inside one record is no list of records.
    let records = serde_json::from_str::<Vec<&RawValue>>(inside)
        .is_ok_and(|elements| elements.iter().all(|element| element.get().starts_with(['{', '['])));
    (long && records).then_some(inside)
}

/// Longer runs of letters and digits with digits in them are ids, or times in numbers.
const ID_BYTES_MIN: usize = 9;

/// Writes a piece with `by` added to the last digits of every id, so that ids that were equal stay so.
fn renumber(piece: &str, by: u64, out: &mut String) {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let mut rest = piece;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (token, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        out.push_str(before);
        let escape = before.ends_with('\\');
        if token.len() >= ID_BYTES_MIN && !escape && token.bytes().any(|b| b.is_ascii_digit()) {
            add(token, by, out);
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    out.push_str(rest);
}

/// Adds to the digits of a token as if they stood together, from the last; a carry out of the first is lost. The first
/// digit of a number stays, so that it begins with no zero.
fn add(token: &str, by: u64, out: &mut String) {
    let mut bytes = token.as_bytes().to_vec();
    let mut carry = by;
    for byte in bytes.iter_mut().skip(1).rev().filter(|byte| byte.is_ascii_digit()) {
        carry += u64::from(*byte - b'0');
        *byte = b'0' + u8::try_from(carry % 10).unwrap_or_default();
        carry /= 10;
    }
    out.push_str(&String::from_utf8_lossy(&bytes));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Limits, Tally, open};

    #[test]
    fn a_grown_capture_holds_its_records_over_and_over() {
        for (sample, each) in [
            (r#"{"knik":1,"id":"forum/700000001","kind":"reaction","text":"Dag"}"#, 1),
            (r#"[{"id":"1576994746135764992","text":"x","author_id":"2"}]"#, 1),
            (
                r#"{"data":[{"id":"17858154961981086","text":"Mooi","timestamp":"2020-06-01T10:56:52+0000"}],"paging":{}}"#,
                1,
            ),
            ("Date,Link,Message\n2026-05-04 10:00:00,https://l.example/urn%3Ali%3A123456789,Dag\n", 1),
            (
                "window.YTD.tweets.part0 = [ {\"tweet\":{\"id_str\":\"1576994746135764992\",\"full_text\":\"x\"}} ]",
                1,
            ),
        ] {
            let large = grown(sample.as_bytes(), 20_000);
            assert!(large.len() >= 20_000 - 200 && large.len() < 21_000, "{}", large.len());
            let mut tally = Tally::default();
            for unit in open(&large[..], None, Limits::default()).unwrap() {
                let unit = unit.unwrap();
                assert!(unit.refused.is_empty(), "{sample}: {:?}", unit.refused);
                tally.add(&unit).unwrap();
            }
            let copies = large.len() as u64 / (sample.len() as u64 + 1);
            let records = tally.counts().unwrap().records;
            assert!(records >= copies * each, "{sample}: {records} of {copies}");
        }
    }
}
