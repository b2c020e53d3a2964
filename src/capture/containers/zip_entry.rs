//! One ZIP entry being read.

use super::entry::Stream;
use super::fault::ContainerFault;
use super::within::Step;
use super::zip_header::Header;
use super::{Units, refusal, tiles};
use crate::capture::unit::{CutKind, Refusal};
use crate::capture::{CaptureError, RefusalReason};

/// An entry, from its header to its end.
pub(super) struct Entry<'a> {
    pub(super) step: Step,
    pub(super) header: Header,
    pub(super) stream: Stream<'a>,
    /// Whether the data was read as it should be, so that checksum and lengths can be compared.
    pub(super) read: bool,
    pub(super) body: Option<Box<dyn Units + 'a>>,
    /// Whether it is a picture, film or sound.
    pub(super) is_file: bool,
    pub(super) in_place: Option<u64>,
    pub(super) tells: bool,
    pub(super) refused: Vec<Refusal>,
}

impl Entry<'_> {
    pub(super) fn kind(&self) -> CutKind {
        if self.tells && self.in_place.is_none() { CutKind::Encoded } else { CutKind::Residue }
    }

    /// What to say of an entry that could not be read (further). What is nothing known is no fault.
    pub(super) fn fail(&mut self, error: CaptureError) {
        match error {
            CaptureError::Refused(refusal) => self.refused.push(tiles::behind(refusal, self.step)),
            CaptureError::Utf16 => {
                let mut refusal = refusal(Some(self.step), 0, ContainerFault::Body);
                refusal.reason = RefusalReason::NotUtf8;
                self.refused.push(refusal);
            }
            CaptureError::Read(_)
            | CaptureError::Empty
            | CaptureError::UnknownFormat
            | CaptureError::Parser(_) => {}
        }
    }
}
