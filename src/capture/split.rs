//! Splitting a stream into pieces without parsing it: lines, elements of arrays, events.
//!
//! Memory is bounded by the largest piece. Whether a piece is sound JSON is found out when it is parsed.
//! Every byte of the stream is in exactly one [`Raw`].

use super::CaptureError;
use super::documents::{Opened, Scanner};
use super::json::Node;
use super::json_parse::JsonFault;
use super::source::Source;
use super::table::{Heading, RowEnd, without_end};
use super::unit::{Place, Refusal, RefusalReason};
use crate::model::ByteRange;
use std::fmt;
use std::io::BufRead;
use std::ops::Range;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How a file is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One JSON value a line.
    Lines,
    /// One or more JSON documents whose outer arrays are taken apart.
    Documents,
    /// Server-sent events.
    Events,
    /// Rows of a table, the first of which are its heading.
    Rows,
}

/// An unread piece of the stream.
pub(super) struct Raw {
    /// Where it starts in the stream.
    pub(super) offset: u64,
    /// Line it starts on, from 1.
    pub(super) line: u64,
    /// Its length in the stream.
    pub(super) length: u64,
    /// Its bytes; none when it was longer than the limit.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Where in `bytes` the value stands that is to be parsed; empty when there is none.
    pub(super) value: Range<usize>,
    /// Which element of an array it is.
    pub(super) element: Option<Element>,
    /// Whether it is the last element of its array (or no element at all).
    pub(super) last: bool,
    /// Whether it passed the limit and has no bytes.
    pub(super) too_long: bool,
    /// The parsed value, when it was parsed to recognise the format.
    pub(super) nodes: Option<Vec<Node>>,
}

/// An element of an array that is taken apart. Written as a JSON pointer.
#[derive(Clone, Copy)]
pub(super) struct Element {
    /// The object that holds the list, when it is not the outermost.
    pub(super) holder: Option<&'static str>,
    /// The list that it stands in, when that stands in an object.
    pub(super) list: Option<&'static str>,
    /// Its number, from 0.
    pub(super) index: u64,
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.holder.iter().chain(&self.list) {
            write!(f, "/{step}")?;
        }
        write!(f, "/{}", self.index)
    }
}

impl Raw {
    /// The list in an object that it is an element of.
    pub(super) fn list(&self) -> Option<&'static str> {
        self.element.and_then(|element| element.list)
    }

    /// A piece that begins here.
    pub(super) fn at(offset: u64, line: u64) -> Self {
        Self {
            offset,
            line,
            length: 0,
            bytes: Zeroizing::default(),
            value: 0..0,
            element: None,
            last: true,
            too_long: false,
            nodes: None,
        }
    }

    /// Line and byte of a place within the bytes.
    pub(super) fn place(&self, at: usize) -> Place {
        let before = self.bytes.get(..at).unwrap_or_default();
        let lines = before.iter().filter(|&&byte| byte == b'\n').count() as u64;
        Place {
            within: None,
            line: self.line + lines,
            offset: self.offset + at as u64,
            pointer: self.element.map(|element| element.to_string()),
        }
    }

    /// A range within the bytes, in the file.
    pub(super) fn in_file(&self, range: &Range<usize>) -> ByteRange {
        ByteRange { start: self.offset + range.start as u64, end: self.offset + range.end as u64 }
    }

    /// All of it, in the file.
    pub(super) fn whole(&self) -> ByteRange {
        ByteRange { start: self.offset, end: self.offset + self.length }
    }

    fn refusal(&self, at: usize, reason: RefusalReason) -> CaptureError {
        let range = self.in_file(&(0..self.bytes.len()));
        CaptureError::Refused(Refusal { place: self.place(at), range, reason })
    }
}

/// What is set aside for a piece before it is read.
const RESERVED_MAX: usize = 16 << 10;

/// Takes a stream apart.
pub(super) struct Splitter<R> {
    source: Source<R>,
    layout: Layout,
    scanner: Scanner,
    limit: usize,
    script: bool,
    /// How long the piece before was: the next is likely no longer.
    before: usize,
    /// The heading of a table, and how many rows it takes that were not read yet.
    heading: Option<(Arc<Heading>, usize)>,
}

impl<R: BufRead> Splitter<R> {
    /// Documents that a script assigns.
    pub(super) fn script(source: Source<R>, limit: usize) -> Self {
        Self {
            source,
            layout: Layout::Documents,
            scanner: Scanner::new(Opened::Nothing).in_script(),
            limit,
            script: true,
            before: 0,
            heading: None,
        }
    }

    /// The rows of a table, the first `rows` of which are its heading.
    pub(super) fn table(source: Source<R>, heading: Heading, rows: usize, limit: usize) -> Self {
        let heading = Some((Arc::new(heading), rows));
        let scanner = Scanner::default();
        Self { source, layout: Layout::Rows, scanner, limit, script: false, before: 0, heading }
    }

    /// The heading of a table.
    pub(super) fn heading(&self) -> Option<Arc<Heading>> {
        self.heading.as_ref().map(|(heading, _)| Arc::clone(heading))
    }

    /// Whether a script assigns the documents.
    pub(super) const fn is_script(&self) -> bool {
        self.script
    }

    /// `opened`: what is taken apart at its members.
    pub(super) fn new(source: Source<R>, layout: Layout, opened: Opened, limit: usize) -> Self {
        Self { source, layout, scanner: Scanner::new(opened), limit, script: false, before: 0, heading: None }
    }

    /// Whether the document is a large object that is taken apart.
    pub(super) fn is_large_object(&self) -> bool {
        self.scanner.opens_large()
    }

    pub(super) const fn layout(&self) -> Layout {
        self.layout
    }

    /// The next piece; none at the end of a stream that ends where it may.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, CaptureError> {
        let mut raw = Raw::at(self.source.offset(), self.source.line());
        raw.bytes.reserve(self.before);
        match self.layout {
            Layout::Lines => self.line(&mut raw)?,
            Layout::Events => self.event(&mut raw)?,
            Layout::Rows => self.row(&mut raw)?,
            Layout::Documents => self.document(&mut raw)?,
        }
        raw.length = self.source.offset() - raw.offset;
        self.before = raw.bytes.len().min(RESERVED_MAX);
        Ok(Some(raw).filter(|raw| raw.length > 0))
    }

    fn line(&mut self, raw: &mut Raw) -> Result<(), CaptureError> {
        raw.too_long = self.source.take_line(&mut raw.bytes, self.limit)?;
        let mark = if raw.offset == 0 && raw.bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let line = raw.bytes.get(mark..).unwrap_or_default();
        let length = line.trim_ascii_end().len();
        let start = mark + length - line.get(..length).unwrap_or_default().trim_ascii_start().len();
        raw.value = start..mark + length;
        Ok(())
    }

    /// Lines up to and with the next blank one.
    fn event(&mut self, raw: &mut Raw) -> Result<(), CaptureError> {
        loop {
            let before = raw.bytes.len();
            raw.too_long = self.source.take_line(&mut raw.bytes, self.limit)?;
            let line = raw.bytes.get(before..).unwrap_or_default();
            if raw.too_long || line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                break;
            }
        }
        raw.value = 0..raw.bytes.len();
        Ok(())
    }

    /// A row with its line end. One that does not end takes the rest of the file with it, so it ends the reading.
    fn row(&mut self, raw: &mut Raw) -> Result<(), CaptureError> {
        let Some((heading, ahead)) = &mut self.heading else { return Ok(()) };
        let mut end = RowEnd::new(heading.dialect);
        let is_heading = *ahead > 0;
        *ahead = ahead.saturating_sub(1);
        let mut done = false;
        while !done {
            let buffer = self.source.buffer()?;
            if buffer.is_empty() {
                break;
            }
            let (used, ended) = end.scan(buffer);
            if raw.bytes.len().saturating_add(used) > self.limit {
                return Err(raw.refusal(0, RefusalReason::TooLong { limit: self.limit }));
            }
            raw.bytes.extend_from_slice(buffer.get(..used).unwrap_or_default());
            self.source.consume(used);
            done = ended;
        }
        if !end.at_rest() {
            return Err(raw.refusal(0, RefusalReason::OpenQuotes));
        }
        let length = without_end(&raw.bytes).len();
        let blank = raw.bytes.iter().all(u8::is_ascii_whitespace);
        raw.value = 0..if is_heading || blank { 0 } else { length };
        Ok(())
    }

    fn document(&mut self, raw: &mut Raw) -> Result<(), CaptureError> {
        loop {
            let base = raw.bytes.len();
            let buffer = self.source.buffer()?;
            if buffer.is_empty() {
                let sound = self.scanner.at_rest();
                return if sound { Ok(()) } else { Err(raw.refusal(base, RefusalReason::Truncated)) };
            }
            let room = self.limit.saturating_sub(base);
            if room == 0 {
                return Err(raw.refusal(0, RefusalReason::TooLong { limit: self.limit }));
            }
            let buffer = buffer.get(..room).unwrap_or(buffer);
            let (used, outcome) = match self.scanner.scan(buffer, base, raw) {
                Ok(scanned) => (scanned.used, Ok(scanned.done)),
                Err(at) => (at, Err(RefusalReason::Broken(JsonFault::Unexpected))),
            };
            raw.bytes.extend_from_slice(buffer.get(..used).unwrap_or_default());
            self.source.consume(used);
            match outcome {
                Ok(false) => {}
                Ok(true) => return Ok(()),
                Err(reason) => return Err(raw.refusal(base + used, reason)),
            }
        }
    }
}
