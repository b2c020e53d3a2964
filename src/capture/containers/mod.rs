//! Containers: gzip, WARC, ZIP and WACZ around captures of any format, and CAR around records of Bluesky.
//!
//! [`open`] recognises a container by its first bytes and reads what is in it with the reader of its format. The
//! container's own bytes come as units that tile the file; a body that stands in the file as it is (a stored ZIP
//! entry, a plain WARC block) is cut in its place; what stands encoded comes as derived units beside it (see
//! [`Unit`]). `docs/captures/containers.md` says why.
//!
//! Everything is read forward, once: memory is bounded by the largest unit of each layer, whatever the container's
//! size, and an upload need not be sought in. Hostile input gives refusals; a container is sealed whole all the same.

mod body;
mod car;
mod car_tree;
mod digest;
mod entry;
mod fault;
mod gzip;
mod head;
mod tap;
mod tiles;
pub(super) mod wacz;
pub(super) mod warc;
mod warc_record;
mod within;
pub(super) mod zip;
mod zip_entry;
mod zip_header;

#[cfg(test)]
mod build;
#[cfg(test)]
pub(super) mod tests;

pub use fault::ContainerFault;
pub use within::{Step, StepKind, Within};

use super::page;
use super::reader::Reader;
use super::unit::{Place, Refusal, RefusalReason, Unit};
use super::{CaptureError, Format, Limits};
use crate::model::ByteRange;
use std::io::{BufRead, Cursor, Read};
use zeroize::Zeroizing;

/// A stream that a layer reads.
pub(super) type Input<'a> = Box<dyn BufRead + 'a>;

/// How many times its own size a body may decode to, once it has decoded to [`DECODED_FREE`] bytes. Deflate reaches
/// 1,032; a capture of posts 5 to 60.
pub(super) const RATIO_MAX: u64 = 200;
/// What any body may decode to.
const DECODED_FREE: u64 = 64 << 20;
/// How deep containers may stand in one another: a WARC of gzip members in a ZIP in a gzip stream is three.
pub(super) const NESTED_MAX: usize = 4;
/// How many entries of a ZIP archive are read.
pub(super) const ENTRIES_MAX: usize = 1 << 18;
/// A container's own bytes are given on in units of about this size.
const CHUNK: usize = 1 << 20;
/// How many bytes are looked at to tell what a stream is.
const HEAD: u64 = 128;

/// A capture being read: a stream of [`Unit`]s, as [`Reader`] gives, out of a file that may be a container.
pub struct Opened<'a> {
    units: Box<dyn Units + 'a>,
    ended: bool,
}

/// Begins to read a capture, in a container or not.
///
/// `format` names the format of the capture, or of the container; a container is recognised also when the format of
/// what is in it was named. Gzip around a single capture is no format of its own: the capture's is given.
///
/// # Errors
/// As [`Reader::new`].
pub fn open<'a>(
    input: impl BufRead + 'a,
    format: Option<Format>,
    limits: Limits,
) -> Result<Opened<'a>, CaptureError> {
    Ok(Opened { units: begin(Box::new(input), format, limits, 0)?, ended: false })
}

impl Opened<'_> {
    /// The format given or recognised: that of the container, or of the capture in a gzip stream.
    #[must_use]
    pub fn format(&self) -> Format {
        self.units.format()
    }
}

impl Iterator for Opened<'_> {
    type Item = Result<Unit, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let unit = self.units.next().transpose();
        self.ended = !matches!(unit, Some(Ok(_)));
        unit
    }
}

/// What a stream is read as: units that tile it, and derived ones between them.
pub(super) trait Units {
    /// The next unit; none at the end.
    fn next(&mut self) -> Result<Option<Unit>, CaptureError>;
    fn format(&self) -> Format;
    /// Whether what is wrong in it is a refusal in a unit, never an error.
    fn forgives(&self) -> bool;
}

impl<R: BufRead> Units for Reader<R> {
    fn next(&mut self) -> Result<Option<Unit>, CaptureError> {
        Iterator::next(self).transpose()
    }

    fn format(&self) -> Format {
        Self::format(self)
    }

    fn forgives(&self) -> bool {
        false
    }
}

/// Looks at the head of a stream and makes the reader that fits it.
fn begin<'a>(
    mut input: Input<'a>,
    format: Option<Format>,
    limits: Limits,
    depth: usize,
) -> Result<Box<dyn Units + 'a>, CaptureError> {
    let mut head = Zeroizing::new(Vec::new());
    input.by_ref().take(HEAD).read_to_end(&mut head)?;
    let found = Container::of(&head);
    let named = format.filter(|format| matches!(format, Format::Zip | Format::Warc));
    let wacz = zip_header::begins_wacz(&head) || format == Some(Format::Wacz);
    let is_page = page::begins(&head);
    let input: Input<'a> = Box::new(Cursor::new(head).chain(input));
    if found.is_some() && depth >= NESTED_MAX {
        return Err(CaptureError::Refused(refusal(None, 0, ContainerFault::Nested)));
    }
    Ok(match (found, named) {
        (Some(Container::Gzip), _) => Box::new(gzip::Gzip::new(input, format, limits, depth)?),
        (Some(Container::Warc), _) => Box::new(warc::Warc::new(input, limits, depth)),
        (Some(Container::Car), _) => Box::new(car::Car::new(input, limits)),
        (Some(Container::Zip), _) => Box::new(zip::Zip::new(input, wacz, limits, depth)),
        (None, Some(_)) => return Err(CaptureError::UnknownFormat),
        (None, None) if format == Some(Format::WebPage) || (format.is_none() && is_page) => {
            Box::new(page::reader(input, page::Address::default(), limits))
        }
        (None, None) => Box::new(Reader::new(input, format, limits)?),
    })
}

#[derive(Clone, Copy)]
enum Container {
    Gzip,
    Warc,
    Zip,
    Car,
}

impl Container {
    fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [b'W', b'A', b'R', b'C', b'/', ..] => Some(Self::Warc),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ if car::begins(head) => Some(Self::Car),
            _ => None,
        }
    }
}

/// A refusal of something in a container, which is sealed all the same: its range is empty.
fn refusal(step: Option<Step>, offset: u64, fault: ContainerFault) -> Refusal {
    let within = step.map(|step| Within::behind(step, None));
    Refusal {
        place: Place { within, line: 0, offset, pointer: None },
        range: ByteRange { start: offset, end: offset },
        reason: RefusalReason::Container(fault),
    }
}
