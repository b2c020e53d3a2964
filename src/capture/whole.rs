//! A body that is one item from its first byte to its last: a page of the web, a picture.

use super::containers::{Input, Units};
use super::item::Item;
use super::unit::{Cut, CutKind, Place, Refusal, RefusalReason, Unit};
use super::{CaptureError, Format, Limits};
use crate::model::ByteRange;
use std::io::{BufRead, Read};
use zeroize::Zeroizing;

/// Makes the item of the bytes; it has names.
type Make<'a> = Box<dyn FnOnce(&[u8]) -> Item + 'a>;

/// Reads a body as one unit. One that is longer than a unit may be is told and stays with the bytes of what holds it.
pub(super) struct Whole<'a> {
    input: Input<'a>,
    format: Format,
    limits: Limits,
    /// None once it was made.
    make: Option<Make<'a>>,
    /// Bytes read.
    offset: u64,
}

impl<'a> Whole<'a> {
    pub(super) fn new(
        input: Input<'a>,
        format: Format,
        limits: Limits,
        make: impl FnOnce(&[u8]) -> Item + 'a,
    ) -> Self {
        Self { input, format, limits, make: Some(Box::new(make)), offset: 0 }
    }
}

impl Units for Whole<'_> {
    fn next(&mut self) -> Result<Option<Unit>, CaptureError> {
        let limit = self.limits.unit_bytes_max;
        let mut bytes = Zeroizing::new(Vec::new());
        let reached = self.input.by_ref().take(limit as u64).read_to_end(&mut bytes)?;
        if reached == 0 {
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += reached as u64;
        let whole = ByteRange { start: offset, end: offset + reached as u64 };
        let fits = reached < limit || self.input.fill_buf()?.is_empty();
        let mut unit = Unit { format: Some(self.format), ..Unit::bare(offset, bytes) };
        match self.make.take() {
            Some(make) if fits => {
                unit.items.push(Item { range: whole, ..make(&unit.bytes) });
                unit.cuts.push(Cut { kind: CutKind::Own { item: 0 }, ranges: vec![whole] });
                return Ok(Some(unit));
            }
            Some(_) => {
                let place = Place { within: None, line: 0, offset, pointer: None };
                let range = ByteRange { start: offset, end: offset };
                unit.refused.push(Refusal { place, range, reason: RefusalReason::TooLong { limit } });
            }
            None => {}
        }
        unit.cuts.push(Cut { kind: CutKind::Residue, ranges: vec![whole] });
        Ok(Some(unit))
    }

    fn format(&self) -> Format {
        self.format
    }

    fn forgives(&self) -> bool {
        true
    }
}
