//! The receiving end: frames become units again, each with its bytes.

use super::check::sound;
use super::read::{Announced, Fields};
use super::{BEGUN, END, FAILED, HEAD, Heading, ParserFault, UNIT, bytes_max, fields_max};
use crate::capture::{CaptureError, Format, Limits, Unit, Within};
use std::io::{self, BufRead, Read};
use zeroize::Zeroizing;

/// A capture that another process reads: the same units as [`open`](crate::capture::open) gives.
///
/// The file's own bytes are taken from `own`, never from the sender: what is sealed is what was delivered, whatever the
/// sender says of it. Units must follow each other and cover the file; derived bytes are the sender's.
pub struct Received<F, O> {
    frames: F,
    own: O,
    limits: Limits,
    format: Format,
    /// How far the units have come in the file.
    at: u64,
    /// The furthest place that a derived unit says its container starts at.
    furthest: u64,
    heading: Heading,
    ended: bool,
}

impl<F: Read, O: BufRead> Received<F, O> {
    /// Begins to receive. `frames` is what [`send`](super::send) writes on reading the same bytes as `own` gives, with
    /// the same limits.
    ///
    /// # Errors
    /// As [`open`](crate::capture::open), and [`CaptureError::Parser`] when the frames are none.
    pub fn begin(mut frames: F, own: O, limits: Limits) -> Result<Self, CaptureError> {
        let frame = frame(&mut frames, limits)?;
        if frame.kind == FAILED {
            return Err(failure(&frame.fields));
        }
        let mut fields = Fields(&frame.fields);
        let format = fields.coded().filter(|_| frame.kind == BEGUN && frame.follows == 0);
        let format = format.zip(fields.done()).ok_or(ParserFault::Nonsense)?.0;
        Ok(Self { frames, own, limits, format, at: 0, furthest: 0, heading: None, ended: false })
    }

    /// The format given or recognised.
    pub const fn format(&self) -> Format {
        self.format
    }

    fn unit(&mut self) -> Result<Option<Unit>, CaptureError> {
        let frame = frame(&mut self.frames, self.limits)?;
        match frame.kind {
            UNIT => {}
            FAILED if frame.follows == 0 => return Err(failure(&frame.fields)),
            END if frame.follows == 0 && frame.fields.is_empty() => return self.end(),
            _ => return Err(ParserFault::Nonsense.into()),
        }
        let mut fields = Fields(&frame.fields);
        let announced = fields.unit(&mut self.heading).zip(fields.done()).map(|(announced, ())| announced);
        let announced = announced.filter(sound).ok_or(ParserFault::Nonsense)?;
        let derived = announced.unit.within.as_ref().map(Within::offset);
        let Some(container) = derived else { return self.own(announced, frame.follows).map(Some) };
        self.furthest = self.furthest.max(container);
        let Announced { mut unit, extent, kept } = announced;
        if frame.follows != if kept { extent } else { 0 } {
            return Err(ParserFault::Nonsense.into());
        }
        unit.bytes = exactly(&mut self.frames, frame.follows).map_err(gone)?;
        Ok(Some(unit))
    }

    /// Gives a unit of the file its bytes, out of the file.
    fn own(&mut self, announced: Announced, follows: u64) -> Result<Unit, CaptureError> {
        let Announced { mut unit, extent, kept } = announced;
        if unit.offset != self.at || follows != 0 || (kept && extent > bytes_max(self.limits)) {
            return Err(ParserFault::Nonsense.into());
        }
        if kept {
            unit.bytes = exactly(&mut self.own, extent).map_err(too_short)?;
        } else if skipped(&mut self.own, extent)? != extent {
            return Err(ParserFault::Nonsense.into());
        }
        self.at += extent;
        Ok(unit)
    }

    /// The sender says that it is done: then so must the file be.
    fn end(&mut self) -> Result<Option<Unit>, CaptureError> {
        let done = self.own.fill_buf()?.is_empty() && self.furthest <= self.at;
        if done { Ok(None) } else { Err(ParserFault::Nonsense.into()) }
    }
}

impl<F: Read, O: BufRead> Iterator for Received<F, O> {
    type Item = Result<Unit, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let unit = self.unit().transpose();
        self.ended = !matches!(unit, Some(Ok(_)));
        unit
    }
}

struct Frame {
    kind: u8,
    fields: Zeroizing<Vec<u8>>,
    /// How many bytes follow the fields.
    follows: u64,
}

/// Reads the head and the fields of a frame. Neither may be longer than the limits allow.
fn frame(from: &mut impl Read, limits: Limits) -> Result<Frame, CaptureError> {
    let mut head = [0; HEAD];
    from.read_exact(&mut head).map_err(gone)?;
    let [kind, numbers @ ..] = head;
    let (fields, follows) = numbers.split_at(size_of::<u64>());
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map_err(|_| ParserFault::Nonsense);
    let (fields, follows) = (number(fields)?, number(follows)?);
    if fields > fields_max(limits) || follows > bytes_max(limits) {
        return Err(ParserFault::Nonsense.into());
    }
    Ok(Frame { kind, fields: exactly(from, fields).map_err(gone)?, follows })
}

fn failure(fields: &[u8]) -> CaptureError {
    let mut fields = Fields(fields);
    let error = fields.error().zip(fields.done());
    error.map_or_else(|| ParserFault::Nonsense.into(), |(error, ())| error)
}

/// Reads so many bytes; what was announced and does not come takes no memory.
fn exactly(from: &mut impl Read, length: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let first = usize::try_from(length.min(1 << 20)).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(first));
    if from.take(length).read_to_end(&mut bytes)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// The sender no longer sends.
fn gone(error: io::Error) -> CaptureError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ParserFault::Ended.into(),
        _ => error.into(),
    }
}

/// The file is shorter than the sender says.
fn too_short(error: io::Error) -> CaptureError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ParserFault::Nonsense.into(),
        _ => error.into(),
    }
}

/// Passes over at most so many bytes; how many there were.
fn skipped(from: &mut impl BufRead, most: u64) -> io::Result<u64> {
    let mut passed = 0;
    while passed < most {
        let here = from.fill_buf()?.len() as u64;
        if here == 0 {
            break;
        }
        let step = here.min(most - passed);
        from.consume(usize::try_from(step).unwrap_or(usize::MAX));
        passed += step;
    }
    Ok(passed)
}
