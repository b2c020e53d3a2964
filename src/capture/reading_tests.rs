//! Readings that the tests of every format share.

use super::{Format, Item, Limits, PassageRole, Reader, Unit};
use crate::model::PrivateText;

/// The units of a capture, its format recognised.
pub(super) fn read(text: &str) -> Vec<Unit> {
    Reader::new(text.as_bytes(), None, Limits::default()).unwrap().map(Result::unwrap).collect()
}

/// The same of a capture that must be recognised as `format`.
pub(super) fn read_as(format: Format, text: &str) -> Vec<Unit> {
    let reader = Reader::new(text.as_bytes(), None, Limits::default()).unwrap();
    assert_eq!(reader.format(), format, "{text}");
    reader.map(Result::unwrap).collect()
}

/// The items of units of which nothing was refused.
pub(super) fn items_of(units: Vec<Unit>) -> Vec<Item> {
    assert!(units.iter().all(|unit| unit.refused.is_empty()));
    units.into_iter().flat_map(|unit| unit.items).collect()
}

pub(super) fn names(texts: &[PrivateText]) -> Vec<&str> {
    texts.iter().map(PrivateText::expose).collect()
}

pub(super) fn said(item: &Item) -> Vec<(PassageRole, &str)> {
    item.passages.iter().map(|passage| (passage.role, passage.text.expose())).collect()
}
