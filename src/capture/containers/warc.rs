//! WARC (ISO 28500, also 0.17 to 1.1): record after record, each with a head, a block and two line ends.
//!
//! Answers of HTTP servers are decoded and read by what they are; resources and conversions likewise. Requests, what is
//! said of the archive, and revisits (the payload stands elsewhere) are sealed and not read. A wrong Content-Length
//! costs one record at most: reading goes on at the next line that begins one.

use super::fault::ContainerFault;
use super::head::{Found, Head};
use super::tap::Tap;
use super::warc_record::{Record, Source};
use super::within::{Step, StepKind};
use super::{CHUNK, Input, Units, refusal, tiles};
use crate::capture::gather::{JsonReading, unread};
use crate::capture::unit::{CutKind, Refusal, Unit};
use crate::capture::{CaptureError, Format, Limits};
use crate::model::Platform;
use std::collections::VecDeque;

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
        let source = Source { tap: &self.tap, limits: self.limits, depth: self.depth };
        let record = source.record(step, &head)?;
        Ok(State::Inside(Box::new(record)))
    }

    /// Gives on what was read and refuses something of it.
    fn refuse(&mut self, refusal: Refusal) {
        self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), CutKind::Residue, vec![refusal]));
    }

    /// One step in a record: a unit of its body, or the bytes after it. True at its end.
    fn step(&mut self, record: &mut Record<'a>) -> Result<bool, CaptureError> {
        let Some(body) = &mut record.body else {
            return self.drain(record);
        };
        match body.next() {
            Ok(Some(unit)) => {
                record.tells |= tiles::tells(&unit);
                tiles::give(
                    &mut self.queue,
                    &self.tap,
                    unit,
                    record.in_place,
                    (record.step, CutKind::Encoded),
                );
            }
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

#[cfg(test)]
#[path = "warc_tests.rs"]
mod tests;
