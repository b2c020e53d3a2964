//! Documents as they are stored: what many say alike once, and the rest in as few bytes as it takes.
//!
//! A document is JSON of passages, metadata and ruleset. Its *frame* is that text with its passages, the author's
//! reference and the day taken out, which then is the same for many; the passages are lists: role, then each piece, a text as
//! it is and a placeholder as its object. Put together again it is the same text, byte for byte: a document for which that
//! does not hold is stored whole.

use crate::store::StoreError;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What stands in a frame for what was taken out: characters that JSON does not let stand in a text.
const PASSAGES: char = '\u{1}';
const AUTHOR: char = '\u{2}';
const DAY: char = '\u{3}';

/// A document taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// What many documents say alike.
    pub frame: String,
    /// The author's reference, when the frame has a place for it.
    pub author: Option<i64>,
    /// The passages, or the whole document when the frame is nothing but their place.
    pub passages: String,
}

#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow)]
    passages: &'d RawValue,
    #[serde(borrow)]
    metadata: BTreeMap<&'d str, &'d RawValue>,
}

#[derive(Deserialize)]
struct Passage<'d> {
    #[serde(borrow)]
    role: &'d RawValue,
    #[serde(borrow)]
    text: Vec<Piece<'d>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Piece<'d> {
    #[serde(borrow)]
    Text(&'d RawValue),
    #[serde(borrow)]
    Placeholder(&'d RawValue),
}

impl Packed {
    /// Takes a document apart; `day` is the one its row has.
    pub(super) fn of(document: &str, day: &str) -> Self {
        let whole = || Self { frame: PASSAGES.to_string(), author: None, passages: document.to_owned() };
        take_apart(document, day)
            .filter(|packed| packed.document(day).is_ok_and(|again| again == document))
            .unwrap_or_else(whole)
    }

    /// The document as it was.
    ///
    /// # Errors
    /// When what is stored is not what [`of`](Self::of) makes.
    pub(super) fn document(&self, day: &str) -> Result<String, StoreError> {
        let Some((before, after)) = self.frame.split_once(PASSAGES) else {
            return Err(StoreError::Corrupt { what: "frame of a projection" });
        };
        if before.is_empty() && after.is_empty() {
            return Ok(self.passages.clone());
        }
        let mut whole = String::with_capacity(self.frame.len() + self.passages.len() * 2);
        self.fill(before, day, &mut whole)?;
        expand(&self.passages, &mut whole)?;
        self.fill(after, day, &mut whole)?;
        Ok(whole)
    }

    fn fill(&self, part: &str, day: &str, to: &mut String) -> Result<(), StoreError> {
        for stretch in part.split_inclusive([AUTHOR, DAY]) {
            to.push_str(stretch.trim_end_matches([AUTHOR, DAY]));
            if stretch.ends_with(AUTHOR) {
                let author = self.author.ok_or(StoreError::Corrupt { what: "author of a projection" })?;
                to.push_str(&author.to_string());
            } else if stretch.ends_with(DAY) {
                to.push('"');
                to.push_str(day);
                to.push('"');
            }
        }
        Ok(())
    }
}

fn take_apart(document: &str, day: &str) -> Option<Packed> {
    let read: Document<'_> = serde_json::from_str(document).ok()?;
    let mut holes = vec![(hole(document, read.passages)?, PASSAGES)];
    let author = read
        .metadata
        .get("authorSubject")
        .and_then(|value| value.get().parse::<u32>().ok().zip(hole(document, value)));
    holes.extend(author.map(|(_, at)| (at, AUTHOR)));
    let quoted = format!("\"{day}\"");
    let on_the_day = read.metadata.get("day").filter(|value| value.get() == quoted);
    holes.extend(on_the_day.and_then(|value| hole(document, value)).map(|at| (at, DAY)));
    holes.sort_unstable();
    let mut frame = String::with_capacity(document.len());
    let mut reached = 0;
    for ((start, end), mark) in holes {
        frame.push_str(document.get(reached..start)?);
        frame.push(mark);
        reached = end;
    }
    frame.push_str(document.get(reached..)?);
    let passages = shorten(read.passages)?;
    Some(Packed { frame, author: author.map(|(number, _)| i64::from(number)), passages })
}

/// Where in the document a value of it stands.
fn hole(document: &str, value: &RawValue) -> Option<(usize, usize)> {
    let start = (value.get().as_ptr() as usize).checked_sub(document.as_ptr() as usize)?;
    Some((start, start.checked_add(value.get().len())?))
}

fn shorten(passages: &RawValue) -> Option<String> {
    let read: Vec<Passage<'_>> = serde_json::from_str(passages.get()).ok()?;
    let mut short = String::with_capacity(passages.get().len());
    for (n, passage) in read.iter().enumerate() {
        short.push_str(if n == 0 { "[[" } else { ",[" });
        short.push_str(passage.role.get());
        for piece in &passage.text {
            let (Piece::Text(said) | Piece::Placeholder(said)) = piece;
            short.push(',');
            short.push_str(said.get());
        }
        short.push(']');
    }
    short.push_str(if read.is_empty() { "[]" } else { "]" });
    Some(short)
}

fn expand(short: &str, to: &mut String) -> Result<(), StoreError> {
    let corrupt = || StoreError::Corrupt { what: "passages of a projection" };
    let passages: Vec<Vec<&RawValue>> = serde_json::from_str(short).map_err(|_| corrupt())?;
    for (n, passage) in passages.iter().enumerate() {
        let (role, pieces) = passage.split_first().ok_or_else(corrupt)?;
        to.push_str(if n == 0 { "[{\"role\":" } else { ",{\"role\":" });
        to.push_str(role.get());
        to.push_str(",\"text\":[");
        for (m, piece) in pieces.iter().enumerate() {
            let kind = if piece.get().starts_with('"') { "{\"text\":" } else { "{\"placeholder\":" };
            to.push_str(if m == 0 { "" } else { "," });
            to.push_str(kind);
            to.push_str(piece.get());
            to.push('}');
        }
        to.push_str("]}");
    }
    to.push_str(if passages.is_empty() { "[]" } else { "]" });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"passages":[{"role":"body","text":[{"text":"Dag \"buur\" é"},{"placeholder":{"entity":"PERSON","subject":7,"exemption":"woo-5.1.2e","status":"provisional"}},{"text":"."}]},{"role":"alt-text","text":[]}],"metadata":{"authorRole":"citizen","authorSubject":4000000000,"day":"2026-05-04","kind":"post"},"ruleset":"r1"}"#;

    #[test]
    fn a_document_comes_back_byte_for_byte() {
        let own = PLAIN.replace("4000000000", "null");
        let undated = PLAIN.replace("\"2026-05-04\"", "null");
        let empty = r#"{"passages":[],"metadata":{},"ruleset":"r1"}"#;
        for document in [PLAIN, &own, &undated, empty] {
            let packed = Packed::of(document, "2026-05-04");
            assert_eq!(packed.document("2026-05-04").unwrap(), document);
            assert_ne!(packed.frame, "\u{1}", "taken apart: {document}");
        }
    }

    #[test]
    fn what_differs_from_record_to_record_is_not_of_the_frame() {
        let other = PLAIN.replace("4000000000", "5").replace("Dag", "Hoi").replace("05-04", "05-05");
        let (first, second) = (Packed::of(PLAIN, "2026-05-04"), Packed::of(&other, "2026-05-05"));
        assert_eq!(first.frame, second.frame);
        assert_eq!(first.author, Some(4_000_000_000));
        assert!(first.passages.len() < 130, "{}", first.passages);
        let elsewhere = Packed::of(PLAIN, "");
        assert_ne!(elsewhere.frame, first.frame, "a day that is not the row's stays in the frame");
        assert_eq!(elsewhere.document("").unwrap(), PLAIN);
    }

    #[test]
    fn what_does_not_come_back_alike_is_kept_whole() {
        for document in [
            r#"{"passages":[{"text":[{"text":"Dag"}],"role":"body"}],"metadata":{},"ruleset":"r1"}"#,
            r#"{"passages":[ ],"metadata":{},"ruleset":"r1"}"#,
            r#"{"passages":[{"role":"body","text":[{"text":7}]}],"metadata":{},"ruleset":"r1"}"#,
            "not JSON at all",
        ] {
            let packed = Packed::of(document, "");
            assert_eq!((packed.frame.as_str(), packed.passages.as_str()), ("\u{1}", document));
            assert_eq!(packed.document("").unwrap(), document);
        }
    }
}
