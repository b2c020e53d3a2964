//! Writing: units and errors to frames.

use super::codes::Coded;
use super::{BEGUN, END, FAILED, Heading, UNIT, fields_max};
use crate::capture::{
    Account, CaptureError, ContainerFault, Cut, CutKind, Deletion, Format, Item, Limits, Place, Refusal,
    RefusalReason, Removal, Unit, Within, open,
};
use crate::model::{ByteRange, PrivateText, Timestamp};
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// Reads a capture as [`open`] does and writes what it finds as frames.
///
/// # Errors
/// When `output` takes no more. What is wrong with the capture is written as a frame.
pub fn send(
    input: impl BufRead,
    output: &mut impl Write,
    format: Option<Format>,
    limits: Limits,
) -> io::Result<()> {
    let mut frames = Frames { output, fields: Zeroizing::new(Vec::new()), heading: None, limits };
    match frames.all(input, format) {
        Ok(()) => frames.frame(END, &[])?,
        Err(Broken::Capture(error)) => {
            frames.error(&error);
            frames.frame(FAILED, &[])?;
        }
        Err(Broken::Output(error)) => return Err(error),
    }
    output.flush()
}

enum Broken {
    Capture(CaptureError),
    Output(io::Error),
}

impl From<CaptureError> for Broken {
    fn from(error: CaptureError) -> Self {
        Self::Capture(error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

struct Frames<'o, W> {
    output: &'o mut W,
    /// The fields of the frame being made.
    fields: Zeroizing<Vec<u8>>,
    /// The heading sent last.
    heading: Heading,
    limits: Limits,
}

impl<W: Write> Frames<'_, W> {
    fn all(&mut self, input: impl BufRead, format: Option<Format>) -> Result<(), Broken> {
        let mut units = open(input, format, self.limits)?;
        self.coded(units.format());
        self.frame(BEGUN, &[])?;
        for unit in &mut units {
            let unit = unit?;
            self.unit(&unit);
            if self.fields.len() as u64 > fields_max(self.limits) {
                self.fields.zeroize();
                return Err(excessive(&unit).into());
            }
            // The file's own bytes are there already, at the other end.
            let bytes = unit.within.as_ref().map_or(&[][..], |_| &unit.bytes);
            self.frame(UNIT, bytes)?;
        }
        Ok(())
    }

    /// Sends the fields written so far, and bytes behind them.
    fn frame(&mut self, kind: u8, bytes: &[u8]) -> io::Result<()> {
        let mut head = [0; super::HEAD];
        let lengths = [self.fields.len() as u64, bytes.len() as u64];
        let numbers = lengths.into_iter().flat_map(u64::to_le_bytes);
        head.iter_mut().zip(std::iter::once(kind).chain(numbers)).for_each(|(to, from)| *to = from);
        self.output.write_all(&head)?;
        self.output.write_all(&self.fields)?;
        self.output.write_all(bytes)?;
        self.fields.clear();
        Ok(())
    }

    fn error(&mut self, error: &CaptureError) {
        match error {
            CaptureError::Empty => self.byte(0),
            CaptureError::Utf16 => self.byte(1),
            CaptureError::UnknownFormat => self.byte(2),
            CaptureError::Refused(refusal) => {
                self.byte(3);
                self.refusal(refusal);
            }
            CaptureError::Read(_) | CaptureError::Parser(_) => self.byte(4),
        }
    }

    fn unit(&mut self, unit: &Unit) {
        self.option(unit.format, Self::coded);
        self.option(unit.within.as_ref(), Self::within);
        self.number(unit.offset);
        self.number(extent(unit));
        self.byte(u8::from(!unit.bytes.is_empty()));
        self.many(&unit.items, Self::item);
        self.many(&unit.acts, |to, act| {
            to.coded(act.kind);
            to.private(&act.name);
        });
        self.many(&unit.deletions, Self::deletion);
        self.many(&unit.stubs, Self::private);
        self.heading(unit.heading.as_ref());
        self.many(&unit.cuts, Self::cut);
        self.many(&unit.refused, Self::refusal);
    }

    fn item(&mut self, item: &Item) {
        self.coded(item.platform);
        self.coded(item.kind);
        self.many(&item.names, Self::private);
        self.range(&item.range);
        self.many(&item.shared, |to, cut| to.number(*cut as u64));
        self.option(item.author.as_ref(), Self::account);
        self.many(&item.passages, |to, passage| {
            to.coded(passage.role);
            to.private(&passage.text);
        });
        self.many(&item.links, Self::private);
        self.many(&item.mentions, Self::account);
        self.many(&item.media, |to, kind| to.coded(*kind));
        self.many(&item.media_size_bytes, |to, size| to.number(*size));
        self.many(&item.attached, Self::private);
        self.option(item.file_sha256, |to, digest| to.bytes(&digest));
        self.option(item.posted_at, Self::time);
        self.option(item.posted_as, |to, stated| {
            to.coded(stated.precision);
            to.coded(stated.zone);
        });
        self.option(item.edited_at, Self::time);
        self.option(item.in_reply_to.as_ref(), Self::private);
        self.option(item.quotes.as_ref(), Self::private);
        self.option(item.conversation.as_ref(), Self::private);
        self.coded(item.visibility);
        self.option(item.language.as_deref(), |to, tag| to.bytes(tag.as_bytes()));
        self.many(&item.supersedes, Self::private);
        self.byte(u8::from(item.superseded));
        self.option(item.deletion, Self::removal);
    }

    fn account(&mut self, account: &Account) {
        self.option(account.native_id.as_ref(), Self::private);
        self.private(&account.handle);
        self.private(&account.display_name);
    }

    fn deletion(&mut self, deletion: &Deletion) {
        self.many(&deletion.names, Self::private);
        self.removal(deletion.removal);
    }

    fn removal(&mut self, removal: Removal) {
        self.option(removal.at, Self::time);
        self.coded(removal.by);
    }

    /// A heading goes once, however many rows stand under it.
    fn heading(&mut self, heading: Option<&Arc<[u8]>>) {
        match heading {
            None => self.byte(0),
            Some(same) if self.heading.as_ref() == Some(same) => self.byte(1),
            Some(other) => {
                self.byte(2);
                self.bytes(other);
                self.heading = Some(Arc::clone(other));
            }
        }
    }

    fn cut(&mut self, cut: &Cut) {
        match cut.kind {
            CutKind::Own { item } => {
                self.byte(0);
                self.number(item as u64);
            }
            CutKind::Shared(role) => {
                self.byte(1);
                self.coded(role);
            }
            CutKind::Encoded => self.byte(2),
            CutKind::Residue => self.byte(3),
        }
        self.many(&cut.ranges, Self::range);
    }

    fn refusal(&mut self, refusal: &Refusal) {
        let Place { within, line, offset, pointer } = &refusal.place;
        self.option(within.as_ref(), Self::within);
        self.number(*line);
        self.number(*offset);
        self.option(pointer.as_ref(), |to, pointer| to.bytes(pointer.as_bytes()));
        self.range(&refusal.range);
        self.reason(&refusal.reason);
    }

    fn reason(&mut self, reason: &RefusalReason) {
        match reason {
            RefusalReason::Truncated => self.byte(0),
            RefusalReason::Broken(fault) => {
                self.byte(1);
                self.coded(*fault);
            }
            RefusalReason::NotUtf8 => self.byte(2),
            RefusalReason::TooLong { limit } => {
                self.byte(3);
                self.number(*limit as u64);
            }
            RefusalReason::Excessive => self.byte(4),
            RefusalReason::Container(fault) => {
                self.byte(5);
                self.container(*fault);
            }
            RefusalReason::OpenQuotes => self.byte(6),
            RefusalReason::Fields { found, expected } => {
                self.byte(7);
                self.number(*found as u64);
                self.number(*expected as u64);
            }
            RefusalReason::Field { field, mend } => {
                self.byte(8);
                self.bytes(field.as_bytes());
                self.bytes(mend.as_bytes());
            }
            RefusalReason::NotRecognised => self.byte(9),
        }
    }

    fn container(&mut self, fault: ContainerFault) {
        let (kind, resource) = match fault {
            ContainerFault::WaczMissing(resource) => (1, resource),
            ContainerFault::WaczHash(resource) => (2, resource),
            ContainerFault::WaczAlgorithm(resource) => (3, resource),
            plain => (0, u64::from(plain.code())),
        };
        self.byte(kind);
        self.number(resource);
    }

    fn within(&mut self, within: &Within) {
        self.many(within.steps(), |to, step| {
            to.coded(step.kind);
            to.number(step.number);
            to.number(step.offset);
        });
    }

    fn range(&mut self, range: &ByteRange) {
        self.number(range.start);
        self.number(range.end);
    }

    fn time(&mut self, at: Timestamp) {
        self.fields.extend_from_slice(&at.micros().to_le_bytes());
    }

    fn private(&mut self, text: &PrivateText) {
        self.bytes(text.expose().as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.fields.extend_from_slice(bytes);
    }

    fn many<T>(&mut self, all: &[T], mut one: impl FnMut(&mut Self, &T)) {
        self.number(all.len() as u64);
        all.iter().for_each(|each| one(self, each));
    }

    fn option<T>(&mut self, value: Option<T>, some: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            some(self, value);
        }
    }

    fn coded(&mut self, one: impl Coded) {
        self.byte(one.code());
    }

    fn number(&mut self, number: u64) {
        self.fields.extend_from_slice(&number.to_le_bytes());
    }

    fn byte(&mut self, byte: u8) {
        self.fields.push(byte);
    }
}

/// How far a unit reaches, also when its bytes were passed over.
fn extent(unit: &Unit) -> u64 {
    if !unit.bytes.is_empty() {
        return unit.bytes.len() as u64;
    }
    let ranges = unit.refused.iter().map(|refusal| refusal.range);
    let reached = ranges.filter(|range| !range.is_empty()).map(|range| range.end).max();
    reached.unwrap_or_default().saturating_sub(unit.offset)
}

/// More was read out of the unit than any sound one holds.
fn excessive(unit: &Unit) -> CaptureError {
    let place = Place { within: unit.within.clone(), line: 0, offset: unit.offset, pointer: None };
    let range = ByteRange { start: unit.offset, end: unit.offset + extent(unit) };
    CaptureError::Refused(Refusal { place, range, reason: RefusalReason::Excessive })
}
