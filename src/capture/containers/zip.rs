//! ZIP archives, read forward from entry to entry: an upload need not be sought in, and nothing is unpacked to a disk.
//!
//! Each local header and its data are read as they come; the directory at the end is compared with them, so that an
//! archive which shows one reader other files than another is refused. Names are checked though nothing is written
//! under them, and never told.

use super::entry::{Data, Stream};
use super::fault::ContainerFault;
use super::tap::Tap;
use super::wacz::Contents;
use super::within::{Step, StepKind};
use super::zip_entry::Entry;
use super::zip_header::{DIRECTORY, ENTRY, Header};
use super::{CHUNK, DECODED_FREE, ENTRIES_MAX, HEAD, Input, RATIO_MAX, Units, begin, refusal, tiles};
use crate::capture::attachment;
use crate::capture::gather::{JsonReading, unread};
use crate::capture::unit::{CutKind, Unit};
use crate::capture::{CaptureError, Format, Limits};
use crate::model::Platform;
use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;
use zeroize::Zeroizing;

pub(in crate::capture) const READING: JsonReading = unread("zip", Platform::Web);

/// Reads a ZIP archive.
pub(super) struct Zip<'a> {
    tap: Tap<'a>,
    limits: Limits,
    depth: usize,
    state: State<'a>,
    number: u64,
    queue: VecDeque<Unit>,
    /// Entries in their order, as the directory must name them.
    seen: Vec<Seen>,
    names: HashSet<Vec<u8>>,
    /// Bytes made of all entries so far.
    made: u64,
    /// Of a WACZ: what its list is compared with.
    contents: Option<Contents>,
}

/// What the directory is compared with: place, checksum, lengths (none where the data was not read) and name.
struct Seen {
    offset: u64,
    summary: Option<(u32, u64, u64)>,
    name: Vec<u8>,
}

enum State<'a> {
    Between,
    Inside(Box<Entry<'a>>),
    /// In the directory; how many of its headers went by.
    Directory(usize),
    /// Passing over what is after the last thing that could be read.
    Rest,
    Ended,
}

impl<'a> Zip<'a> {
    pub(super) fn new(input: Input<'a>, wacz: bool, limits: Limits, depth: usize) -> Self {
        Self {
            tap: Tap::new(input),
            limits,
            depth,
            state: State::Between,
            number: 0,
            queue: VecDeque::new(),
            seen: Vec::new(),
            names: HashSet::new(),
            made: 0,
            contents: wacz.then(Contents::default),
        }
    }

    /// What comes next: an entry, the directory, or nothing that belongs here.
    fn between(&mut self) -> io::Result<State<'a>> {
        let offset = self.tap.offset();
        let Some(mark) = self.tap.array::<4>()? else {
            return Ok(self.stop(offset, ContainerFault::ZipTruncated));
        };
        match mark {
            ENTRY => self.entry(offset),
            DIRECTORY => self.directory(0),
            // The end of an archive without entries.
            [b'P', b'K', 5, 6] => self.finish(0),
            _ => Ok(self.stop(offset, ContainerFault::ZipBroken)),
        }
    }

    /// Refuses the rest of the archive.
    fn stop(&mut self, offset: u64, fault: ContainerFault) -> State<'a> {
        let refused = vec![refusal(None, offset, fault)];
        self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), CutKind::Residue, refused));
        self.contents = None;
        State::Rest
    }

    fn entry(&mut self, offset: u64) -> io::Result<State<'a>> {
        let Some(header) = Header::local(&self.tap)? else {
            return Ok(self.stop(offset, ContainerFault::ZipTruncated));
        };
        self.number += 1;
        if self.seen.len() >= ENTRIES_MAX {
            return Ok(self.stop(offset, ContainerFault::ZipEntries));
        }
        let step = Step { kind: StepKind::Zip, number: self.number, offset };
        let kept_max = self.limits.unit_bytes_max.saturating_mul(2).saturating_add(CHUNK);
        let data = Data::new(&header, kept_max);
        let fault = match () {
            () if header.encrypted() => Some(ContainerFault::ZipEncrypted),
            () if data.is_none() => Some(ContainerFault::ZipMethod),
            () if header.leads_out() => Some(ContainerFault::ZipPath),
            () if !self.names.insert(header.name.clone()) => Some(ContainerFault::ZipTwice),
            () => None,
        };
        let opaque = header.encrypted() || data.is_none();
        if opaque && header.described_after() && header.packed == 0 {
            // Where it ends only its data could tell.
            return Ok(self.stop(offset, fault.unwrap_or(ContainerFault::ZipBroken)));
        }
        let data = data.filter(|_| !opaque).unwrap_or_else(|| Data::opaque(header.packed));
        let stream = Stream { tap: self.tap.clone(), data: Rc::new(RefCell::new(data)) };
        let refused = fault.map(|fault| refusal(Some(step), 0, fault)).into_iter().collect();
        let mut entry = Entry {
            step,
            header,
            stream,
            read: !opaque,
            body: None,
            is_file: false,
            in_place: None,
            tells: false,
            refused,
        };
        if let Some(contents) = &self.contents {
            contents.prepare(&entry.header.name, &mut entry.stream.data.borrow_mut());
        }
        let wanted = self.contents.as_ref().is_none_or(|_| Contents::holds_capture(&entry.header.name));
        if fault.is_none() && wanted && !entry.header.is_no_file() {
            self.open(&mut entry);
        }
        Ok(State::Inside(Box::new(entry)))
    }

    /// Finds who reads the entry; nobody when it is nothing that is known.
    fn open(&self, entry: &mut Entry<'a>) {
        entry.in_place = (entry.header.method == 0).then(|| self.tap.offset());
        let stream: Input<'a> = Box::new(BufReader::with_capacity(1 << 16, entry.stream.clone()));
        match self.body(stream, &entry.header.name) {
            Ok(body) => {
                entry.is_file = body.format() == Format::File;
                entry.body = Some(body);
            }
            Err(error) => entry.fail(error),
        }
    }

    /// What an entry is read as: a file that is attached to something, or a capture.
    fn body(&self, mut stream: Input<'a>, name: &[u8]) -> Result<Box<dyn Units + 'a>, CaptureError> {
        let mut head = Zeroizing::new(Vec::new());
        stream.by_ref().take(HEAD).read_to_end(&mut head)?;
        let kind = attachment::begins(&head);
        let stream: Input<'a> = Box::new(Cursor::new(head).chain(stream));
        match kind {
            Some(kind) => Ok(Box::new(attachment::reader(stream, kind, name, self.limits))),
            None => begin(stream, None, self.limits, self.depth + 1),
        }
    }

    /// One step in an entry. True at its end.
    fn step(&mut self, entry: &mut Entry<'a>) -> Result<bool, CaptureError> {
        let Some(body) = &mut entry.body else {
            return self.drain(entry);
        };
        match body.next() {
            Ok(Some(unit)) => {
                entry.tells |= tiles::tells(&unit);
                // A file is one item or, when it is too long, none: then nothing stands encoded in its entry.
                let kind = if entry.is_file && !entry.tells { CutKind::Residue } else { CutKind::Encoded };
                tiles::give(&mut self.queue, &self.tap, unit, entry.in_place, (entry.step, kind));
            }
            Ok(None) => entry.body = None,
            Err(CaptureError::Read(error)) => return Err(error.into()),
            Err(error) => {
                entry.body = None;
                entry.fail(error);
            }
        }
        Ok(false)
    }

    /// Reads what is left of the data, and closes the entry. True when it is closed.
    fn drain(&mut self, entry: &mut Entry<'a>) -> Result<bool, CaptureError> {
        let mut buffer = vec![0; 1 << 14];
        let mut ended = false;
        while self.tap.kept() <= CHUNK && !ended {
            ended = entry.stream.read(&mut buffer)? == 0;
        }
        if !ended {
            self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), entry.kind(), Vec::new()));
            return Ok(false);
        }
        let mut data = entry.stream.data.borrow_mut();
        self.made += data.made;
        let broken = data
            .fault
            .is_some_and(|fault| fault != ContainerFault::ZipChecksum && fault != ContainerFault::Body);
        let closed = if data.cut_short || broken { None } else { data.close(&self.tap, &entry.header)? };
        let fault = match (data.fault, closed) {
            (Some(fault), _) => Some(fault),
            (None, None) => Some(ContainerFault::ZipTruncated),
            (None, Some(false)) if entry.read => Some(ContainerFault::ZipChecksum),
            (None, Some(_)) => None,
        };
        entry.refused.extend(fault.map(|fault| refusal(Some(entry.step), 0, fault)));
        let summary = data.summary();
        if let Some(contents) = &mut self.contents {
            contents.add(&entry.header.name, &mut data);
        }
        drop(data);
        let (refused, kind) = (std::mem::take(&mut entry.refused), entry.kind());
        let name = std::mem::take(&mut entry.header.name);
        let summary = (entry.read && closed.is_some()).then_some(summary);
        self.seen.push(Seen { offset: entry.step.offset, summary, name });
        self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), kind, refused));
        let bomb = self.made > DECODED_FREE && self.made / RATIO_MAX > self.tap.offset();
        self.state = match closed {
            Some(_) if bomb => self.stop(self.tap.offset(), ContainerFault::Bomb),
            Some(_) => State::Between,
            None => {
                self.contents = None;
                State::Rest
            }
        };
        Ok(true)
    }

    /// One header of the directory, after its mark, and what follows it.
    fn directory(&mut self, n: usize) -> io::Result<State<'a>> {
        let offset = self.tap.offset();
        let Some(header) = Header::central(&self.tap)? else {
            return Ok(self.stop(offset, ContainerFault::ZipTruncated));
        };
        let agrees = self.seen.get(n).is_some_and(|seen| {
            let same = seen.summary.is_none_or(|found| found == (header.crc, header.packed, header.size));
            seen.offset == header.offset && seen.name == header.name && same
        });
        if !agrees {
            return Ok(self.stop(offset, ContainerFault::ZipDirectory));
        }
        match self.tap.array::<4>()? {
            None => Ok(self.stop(offset, ContainerFault::ZipTruncated)),
            Some(DIRECTORY) => Ok(State::Directory(n + 1)),
            Some([b'P', b'K', 5, 6] | [b'P', b'K', 6, 6 | 7]) => self.finish(n + 1),
            Some(_) => Ok(self.stop(offset, ContainerFault::ZipBroken)),
        }
    }

    /// The end of the directory: it must name every entry.
    fn finish(&mut self, named: usize) -> io::Result<State<'a>> {
        if named != self.seen.len() {
            let offset = self.tap.offset();
            return Ok(self.stop(offset, ContainerFault::ZipDirectory));
        }
        Ok(State::Rest)
    }

    /// Passes on the rest of the file. A WACZ is judged at its end: an invalid one is an error.
    fn rest(&mut self) -> Result<State<'a>, CaptureError> {
        let more = self.tap.read_with(|bytes| (bytes.len(), !bytes.is_empty()))?;
        if more && self.tap.kept() <= CHUNK {
            return Ok(State::Rest);
        }
        self.queue.push_back(tiles::own(self.tap.taken(u64::MAX), CutKind::Residue, Vec::new()));
        if more {
            return Ok(State::Rest);
        }
        if let Some(fault) = self.contents.take().and_then(|contents| contents.verify().err()) {
            return Err(refusal(None, 0, fault).into());
        }
        Ok(State::Ended)
    }
}

impl Units for Zip<'_> {
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
                State::Between => self.state = self.between()?,
                State::Directory(n) => self.state = self.directory(n)?,
                State::Rest => self.state = self.rest()?,
                State::Inside(mut entry) => {
                    if !self.step(&mut entry)? {
                        self.state = State::Inside(entry);
                    }
                }
            }
        }
    }

    fn format(&self) -> Format {
        if self.contents.is_some() { Format::Wacz } else { Format::Zip }
    }

    fn forgives(&self) -> bool {
        true
    }
}

#[cfg(test)]
#[path = "zip_tests.rs"]
mod tests;
