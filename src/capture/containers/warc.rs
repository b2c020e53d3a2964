//! WARC (ISO 28500, also 0.17 to 1.1): record after record, each with a head, a block and two line ends.
//!
//! Answers of HTTP servers are decoded and read by what they are; resources and conversions likewise. Requests, what is
//! said of the archive, and revisits (the payload stands elsewhere) are sealed and not read. A wrong Content-Length
//! costs one record at most: reading goes on at the next line that begins one.

use super::body::{Block, Flow, Shared, decode};
use super::digest::Check;
use super::fault::ContainerFault;
use super::head::{Found, Head};
use super::tap::Tap;
use super::within::{Step, StepKind};
use super::{CHUNK, Input, Units, begin, refusal, tiles};
use crate::capture::gather::{JsonReading, unread};
use crate::capture::page::{self, Address};
use crate::capture::unit::{CutKind, Refusal, Unit};
use crate::capture::{CaptureError, Format, Limits, RefusalReason};
use crate::model::Platform;
use std::collections::VecDeque;
use std::io::BufReader;
use std::rc::Rc;

pub(in crate::capture) const READING: JsonReading = unread("warc", Platform::Web);

const MARK: &[u8] = b"\nWARC/";

/// Reads a WARC stream.
pub(super) struct Warc<'a> {
    tap: Tap<'a>,
    limits: Limits,
    depth: usize,
    state: State<'a>,
    number: u64,
    queue: VecDeque<Unit>,
}

enum State<'a> {
    /// A record comes next; the first bytes of it may have been read.
    Between {
        begun: bool,
    },
    Inside(Box<Record<'a>>),
    /// Looking for the next record; how much of the mark was seen.
    Seeking(usize),
    Ended,
}

/// The record being read.
struct Record<'a> {
    step: Step,
    flow: Shared,
    /// Who reads the body, until it ends.
    body: Option<Box<dyn Units + 'a>>,
    /// Where the body starts, when it stands as it is.
    in_place: Option<u64>,
    tells: bool,
    /// Whether the body was read to its end.
    whole: bool,
    refused: Vec<Refusal>,
    /// How much of the mark was seen in what follows a payload that ended by itself.
    seen: usize,
}

impl<'a> Warc<'a> {
    pub(super) fn new(input: Input<'a>, limits: Limits, depth: usize) -> Self {
        let state = State::Between { begun: false };
        Self { tap: Tap::new(input), limits, depth, state, number: 0, queue: VecDeque::new() }
    }

    /// Reads a record's head and sets about its body.
    fn begin_record(&mut self, begun: bool) -> Result<State<'a>, CaptureError> {
        let mark = MARK.get(1..).unwrap_or_default();
        let start = self.tap.offset() - if begun { mark.len() as u64 } else { 0 };
        if !begun {
            for (at, expected) in mark.iter().enumerate() {
                let next = self.tap.peek()?;
                if next.is_none() && at == 0 {
                    return Ok(State::Ended);
                }
                if next != Some(*expected) {
                    self.refuse(refusal(None, start, ContainerFault::WarcNoRecord));
                    return Ok(State::Seeking(0));
                }
                self.tap.byte()?;
            }
        }
        self.number += 1;
        let step = Step { kind: StepKind::Warc, number: self.number, offset: start };
        let head = match Head::read(&self.tap, mark, u64::MAX, &mut Vec::new())? {
            Found::Head(head) if head.length("content-length").is_some() => head,
            Found::Head(_) | Found::Broken => {
                self.refuse(refusal(Some(step), 0, ContainerFault::WarcHeader));
                return Ok(State::Seeking(0));
            }
            Found::Ended => {
                self.refuse(refusal(Some(step), 0, ContainerFault::WarcTruncated));
                return Ok(State::Ended);
            }
        };
        let record = self.block(step, &head)?;
        Ok(State::Inside(Box::new(record)))
    }

    /// Gives on what was read and refuses something of it.
    fn refuse(&mut self, refusal: Refusal) {
        self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), CutKind::Residue, vec![refusal]));
    }

    /// Looks at a record's block: what is in it, and who reads that.
    fn block(&self, step: Step, head: &Head) -> Result<Record<'a>, CaptureError> {
        let flow = Shared::default();
        let kind = head.field("warc-type").unwrap_or_default().to_ascii_lowercase();
        let mut record = Record {
            step,
            flow: Rc::clone(&flow),
            body: None,
            in_place: None,
            tells: false,
            whole: false,
            refused: Vec::new(),
            seen: 0,
        };
        flow.borrow_mut().remaining = head.length("content-length").unwrap_or_default();
        flow.borrow_mut().block = record.stated(head.field("warc-block-digest"));
        let payload = head.field("warc-payload-digest").filter(|_| kind != "revisit");
        let content = head.field("content-type").unwrap_or_default().to_ascii_lowercase();
        if head.field("warc-segment-number").is_some() {
            record.refuse(ContainerFault::Segmented);
            return Ok(record);
        }
        let http = content.starts_with("application/http");
        let message = if http { self.message(&mut record)? } else { None };
        if http && message.is_none() {
            return Ok(record);
        }
        {
            let mut flow = flow.borrow_mut();
            flow.raw = record.stated(payload);
            flow.unchunked = payload.and_then(Check::of);
            flow.decoded = payload.and_then(Check::of);
            flow.body_left = message.as_ref().and_then(|message| message.length("content-length"));
        }
        let answer = match (&message, kind.as_str()) {
            (Some(message), "response") => {
                message.first().split(' ').nth(1).is_some_and(|s| s.starts_with('2'))
            }
            (None, "resource" | "conversion" | "response") => true,
            _ => false,
        };
        let content =
            message.as_ref().map_or(Some(content.as_str()), |message| message.field("content-type"));
        let content = content.unwrap_or_default().to_ascii_lowercase();
        if answer && may_be_read(&content) {
            let lists = message.as_ref().map(|m| (m.list("transfer-encoding"), m.list("content-encoding")));
            let address = Address::of(head.field("warc-target-uri"), head.field("warc-date"));
            self.body(&mut record, &content, &lists.unwrap_or_default(), address);
        } else {
            let mut flow = flow.borrow_mut();
            (flow.decoded, flow.unchunked, flow.body_left) = (None, None, None);
        }
        Ok(record)
    }

    /// The HTTP message's head. None, and a refusal, when it cannot be read.
    fn message(&self, record: &mut Record<'a>) -> Result<Option<Head>, CaptureError> {
        let mut flow = record.flow.borrow_mut();
        let mut bytes = Vec::new();
        let found = Head::read(&self.tap, &[], flow.remaining, &mut bytes)?;
        flow.remaining = flow.remaining.saturating_sub(bytes.len() as u64);
        if let Some(check) = &mut flow.block {
            check.update(&bytes);
        }
        match found {
            Found::Head(head) => Ok(Some(head)),
            Found::Broken => {
                flow.blame(ContainerFault::Http);
                Ok(None)
            }
            Found::Ended => {
                flow.cut_short = true;
                Ok(None)
            }
        }
    }

    /// Undoes the body's codings and finds who reads it; nobody when it is nothing that is known.
    fn body(
        &self,
        record: &mut Record<'a>,
        content: &str,
        (transfer, codings): &(Vec<String>, Vec<String>),
        address: Address,
    ) {
        let kept_max = self.limits.unit_bytes_max.saturating_mul(2).saturating_add(CHUNK);
        let block = Block { tap: self.tap.clone(), flow: Rc::clone(&record.flow), kept_max };
        let starts = self.tap.offset();
        let decoded = match decode(block, transfer, codings) {
            Ok(decoded) => decoded,
            Err(fault) => return record.refuse(fault),
        };
        let stream: Input<'a> = Box::new(BufReader::with_capacity(1 << 16, decoded.stream));
        let html = content.contains("html");
        let body: Result<Box<dyn Units + 'a>, _> = if html {
            Ok(Box::new(page::Page::new(stream, address, self.limits)))
        } else {
            begin(stream, None, self.limits, self.depth + 1)
        };
        record.in_place = decoded.in_place.then_some(starts);
        match body {
            Ok(body) => record.body = Some(body),
            Err(error) => record.fail(error),
        }
    }

    /// One step in a record: a unit of its body, or the bytes after it. True at its end.
    fn step(&mut self, record: &mut Record<'a>) -> Result<bool, CaptureError> {
        let Some(body) = &mut record.body else {
            return self.drain(record);
        };
        match body.next() {
            Ok(Some(unit)) => self.give(record, unit),
            Ok(None) => (record.body, record.whole) = (None, true),
            Err(error) => {
                record.body = None;
                record.fail(error);
            }
        }
        if let Some(error) = record.flow.borrow_mut().lost.take() {
            return Err(error.into());
        }
        Ok(false)
    }

    fn give(&mut self, record: &mut Record<'a>, unit: Unit) {
        record.tells |= tiles::tells(&unit);
        let Some(starts) = record.in_place else {
            if self.tap.kept() > CHUNK {
                self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), CutKind::Encoded, Vec::new()));
            }
            self.queue.extend(tiles::derived(unit, record.step));
            return;
        };
        let before = self.tap.taken(starts);
        if !before.1.is_empty() {
            self.queue.push_back(tiles::own(before, CutKind::Residue, Vec::new()));
        }
        let tap = self.tap.clone();
        self.queue.push_back(tiles::in_place(unit, starts, record.step, |upto| tap.taken(upto).1));
    }

    /// Reads what is left of the block. Where the payload ended by itself, what follows may be the next record.
    fn drain(&mut self, record: &mut Record<'a>) -> Result<bool, CaptureError> {
        let mut flow = record.flow.borrow_mut();
        let suspicious = flow.complete;
        let mut found = false;
        while flow.remaining > 0 && self.tap.kept() <= CHUNK && !flow.cut_short && !found {
            let most = usize::try_from(flow.remaining).unwrap_or(usize::MAX);
            let seen = &mut record.seen;
            let read = self.tap.read_with(|bytes| {
                let bytes = bytes.get(..most).unwrap_or(bytes);
                let stop = if suspicious { mark_end(bytes, seen) } else { None };
                let bytes = bytes.get(..stop.unwrap_or(bytes.len())).unwrap_or_default();
                flow.drained(bytes);
                (bytes.len(), (bytes.len(), stop.is_some()))
            })?;
            found = read.1;
            flow.cut_short = read.0 == 0;
        }
        let ended = flow.remaining == 0 || flow.cut_short || found;
        drop(flow);
        if !ended {
            let kind = record.kind();
            self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), kind, Vec::new()));
            return Ok(false);
        }
        self.state = self.after(record, found)?;
        Ok(true)
    }

    /// After a block: two line ends and the next record, or the end.
    fn after(&mut self, record: &mut Record<'a>, found: bool) -> Result<State<'a>, CaptureError> {
        let cut_short = record.flow.borrow().cut_short;
        let mut lines = 0;
        while !found && let Some(byte @ (b'\r' | b'\n')) = self.tap.peek()? {
            lines += u32::from(byte == b'\n');
            self.tap.byte()?;
        }
        let next = self.tap.peek()?;
        let sound = lines > 0 && matches!(next, None | Some(b'W')) || next.is_none();
        let state = match () {
            () if found => State::Between { begun: true },
            () if cut_short => State::Ended,
            () if sound => State::Between { begun: false },
            () => State::Seeking(usize::from(lines > 0)),
        };
        if cut_short {
            record.refuse(ContainerFault::WarcTruncated);
        } else if found || !sound {
            record.refuse(ContainerFault::WarcLength);
        } else {
            record.check();
        }
        if let Some(fault) = record.flow.borrow_mut().fault.take() {
            record.refused.push(refusal(Some(record.step), 0, fault));
        }
        let upto = self.tap.offset() - if found { MARK.len() as u64 - 1 } else { 0 };
        let refused = std::mem::take(&mut record.refused);
        self.queue.push_back(tiles::own(self.tap.taken(upto), record.kind(), refused));
        Ok(state)
    }

    /// Passes over bytes that are of no record. True when one begins.
    fn seek(&mut self, mut seen: usize) -> Result<State<'a>, CaptureError> {
        let (used, found) = self.tap.read_with(|bytes| {
            let found = mark_end(bytes, &mut seen);
            let used = found.unwrap_or(bytes.len());
            (used, (used, found.is_some()))
        })?;
        if used == 0 {
            self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), CutKind::Residue, Vec::new()));
            return Ok(State::Ended);
        }
        let before = if found { MARK.len() as u64 - 1 } else { 0 };
        if found || self.tap.kept() > CHUNK {
            let stray = self.tap.taken(self.tap.offset().saturating_sub(before));
            self.queue.push_back(tiles::own(stray, CutKind::Residue, Vec::new()));
        }
        Ok(if found { State::Between { begun: true } } else { State::Seeking(seen) })
    }
}

impl Units for Warc<'_> {
    fn next(&mut self) -> Result<Option<Unit>, CaptureError> {
        loop {
            if let Some(unit) = self.queue.pop_front() {
                if unit.bytes.is_empty() && unit.refused.is_empty() {
                    continue;
                }
                return Ok(Some(unit));
            }
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(None),
                State::Between { begun } => self.state = self.begin_record(begun)?,
                State::Seeking(seen) => self.state = self.seek(seen)?,
                State::Inside(mut record) => {
                    if !self.step(&mut record)? {
                        self.state = State::Inside(record);
                    }
                }
            }
        }
    }

    fn format(&self) -> Format {
        Format::Warc
    }

    fn forgives(&self) -> bool {
        true
    }
}

impl Record<'_> {
    fn refuse(&mut self, fault: ContainerFault) {
        self.refused.push(refusal(Some(self.step), 0, fault));
    }

    /// What to say of a body that could not be read (further). What is nothing known is no fault: an archive of the
    /// web holds much else.
    fn fail(&mut self, error: CaptureError) {
        match error {
            CaptureError::Refused(refusal) => self.refused.push(tiles::behind(refusal, self.step)),
            CaptureError::Utf16 => {
                let mut refusal = refusal(None, 0, ContainerFault::Body);
                refusal.reason = RefusalReason::NotUtf8;
                self.refused.push(tiles::behind(refusal, self.step));
            }
            CaptureError::Read(_) | CaptureError::Empty | CaptureError::UnknownFormat => {}
        }
    }

    fn stated(&mut self, digest: Option<&str>) -> Option<Check> {
        let digest = digest?;
        let check = Check::of(digest);
        if check.is_none() {
            self.refuse(ContainerFault::DigestForm);
        }
        check
    }

    /// Compares the digests once all bytes went by.
    fn check(&mut self) {
        let (block, payload) = {
            let Flow { block, raw, unchunked, decoded, .. } = &mut *self.flow.borrow_mut();
            let block = block.take().is_none_or(Check::holds);
            let coded = unchunked.is_some() || decoded.is_some();
            let untold = raw.is_none() || (coded && !self.whole);
            let any = [raw.take(), unchunked.take(), decoded.take()].into_iter().flatten().any(Check::holds);
            (block, any || untold)
        };
        if !block {
            self.refuse(ContainerFault::BlockDigest);
        } else if !payload {
            self.refuse(ContainerFault::PayloadDigest);
        }
    }

    fn kind(&self) -> CutKind {
        if self.tells && self.in_place.is_none() { CutKind::Encoded } else { CutKind::Residue }
    }
}

/// Where in the bytes a line that begins a record is known, if it is; `seen` goes on from the bytes before.
fn mark_end(bytes: &[u8], seen: &mut usize) -> Option<usize> {
    for (at, byte) in bytes.iter().enumerate() {
        *seen = match MARK.get(*seen) {
            Some(expected) if expected == byte => *seen + 1,
            _ => usize::from(*byte == b'\n'),
        };
        if *seen == MARK.len() {
            *seen = 0;
            return Some(at + 1);
        }
    }
    None
}

/// Whether a body of this media type can hold posts. Pictures, sound, films, fonts and styles cannot.
fn may_be_read(content: &str) -> bool {
    let main = content.split('/').next().unwrap_or_default();
    !matches!(main, "image" | "audio" | "video" | "font") && !content.starts_with("text/css")
}

#[cfg(test)]
#[path = "warc_tests.rs"]
mod tests;
