//! Gzip around anything: one member or many, each a unit of the file with a key of its own when items stand in it.

use super::fault::ContainerFault;
use super::tap::Tap;
use super::within::{Step, StepKind, Within};
use super::{CHUNK, DECODED_FREE, Input, RATIO_MAX, Units, begin, refusal, tiles};
use crate::capture::unit::{CutKind, Unit};
use crate::capture::{CaptureError, Format, Limits};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

/// Reads what is in a gzip stream, and gives the stream itself as units.
pub(super) struct Gzip<'a> {
    tap: Tap<'a>,
    members: Rc<RefCell<Members>>,
    inner: Box<dyn Units + 'a>,
    queue: VecDeque<Unit>,
    ended: bool,
}

/// What the inflating side knows and the container needs.
#[derive(Default)]
struct Members {
    /// Members whose bytes were not all given on.
    list: VecDeque<Member>,
    number: u64,
    /// Bytes decoded so far.
    decoded: u64,
    /// What ended the reading before the end of the file, and where.
    fault: Option<(u64, ContainerFault)>,
}

struct Member {
    step: Step,
    /// Where it starts in the decoded stream.
    begins: u64,
    /// Where it ends: in the file, and in the decoded stream.
    ends: Option<(u64, u64)>,
    tells: bool,
}

impl<'a> Gzip<'a> {
    pub(super) fn new(
        input: Input<'a>,
        format: Option<Format>,
        limits: Limits,
        depth: usize,
    ) -> Result<Self, CaptureError> {
        let (tap, members) = (Tap::new(input), Rc::<RefCell<Members>>::default());
        let kept_max = limits.unit_bytes_max.saturating_mul(2).saturating_add(CHUNK);
        let stream = Inflate {
            tap: tap.clone(),
            members: Rc::clone(&members),
            state: State::Header,
            inflater: Decompress::new(false),
            crc: Crc::new(),
            kept_max,
        };
        let decoded: Input<'a> = Box::new(BufReader::with_capacity(1 << 16, stream));
        let inner = begin(decoded, format, limits, depth + 1);
        let inner = inner.map_err(|error| blamed(error, &members.borrow()))?;
        Ok(Self { tap, members, inner, queue: VecDeque::new(), ended: false })
    }

    fn take(&mut self, unit: Unit) {
        let reached = tiles::reaches(&unit);
        let at = unit.within.as_ref().map_or(unit.offset, Within::offset);
        let step = self.members.borrow_mut().told(at, tiles::tells(&unit));
        self.flush(reached);
        self.queue.extend(tiles::derived(unit, step));
    }

    /// Gives on the members that nothing more can come of, and of a long one what there is of it.
    fn flush(&mut self, reached: u64) {
        let mut members = self.members.borrow_mut();
        while let Some(member) = members.list.pop_front_if(|m| m.ends.is_some_and(|(_, end)| end <= reached))
        {
            let kind = if member.tells { CutKind::Encoded } else { CutKind::Residue };
            let end = member.ends.map_or(0, |(end, _)| end);
            self.queue.push_back(tiles::own(self.tap.taken(end), kind, Vec::new()));
        }
        if self.tap.kept() > CHUNK {
            let end = members.list.front().and_then(|member| member.ends).map(|(end, _)| end);
            let end = end.unwrap_or_else(|| self.tap.offset());
            self.queue.push_back(tiles::own(self.tap.taken(end), CutKind::Encoded, Vec::new()));
        }
        self.queue.retain(|unit| !unit.bytes.is_empty() || unit.within.is_some() || !unit.refused.is_empty());
    }

    /// What is left of the file when nothing more comes out of it.
    fn rest(&mut self) -> Result<(), CaptureError> {
        self.flush(u64::MAX);
        let tells = self.members.borrow().list.iter().any(|member| member.tells);
        let kind = if tells { CutKind::Encoded } else { CutKind::Residue };
        while self.tap.read_with(|bytes| (bytes.len().min(CHUNK), !bytes.is_empty()))?
            && self.tap.kept() < CHUNK
        {}
        let rest = self.tap.taken(u64::MAX);
        self.ended = rest.1.is_empty();
        let fault = if self.ended { self.members.borrow_mut().fault.take() } else { None };
        if let Some((at, fault)) = fault
            && !self.inner.forgives()
            && fault != ContainerFault::GzipTrailing
        {
            return Err(refusal(None, at, fault).into());
        }
        let refused = fault.map(|(at, fault)| refusal(None, at, fault)).into_iter().collect();
        self.queue.push_back(tiles::own(rest, kind, refused));
        Ok(())
    }
}

impl Units for Gzip<'_> {
    fn next(&mut self) -> Result<Option<Unit>, CaptureError> {
        loop {
            if let Some(unit) = self.queue.pop_front() {
                return Ok(Some(unit));
            }
            if self.ended {
                return Ok(None);
            }
            match self.inner.next() {
                Ok(Some(unit)) => self.take(unit),
                Ok(None) => self.rest()?,
                Err(error) => return Err(blamed(error, &self.members.borrow())),
            }
        }
    }

    fn format(&self) -> Format {
        self.inner.format()
    }

    fn forgives(&self) -> bool {
        self.inner.forgives()
    }
}

/// What is to blame for an error of what is in the stream: the stream, if it is broken, else the place in it.
fn blamed(error: CaptureError, members: &Members) -> CaptureError {
    match (error, members.fault) {
        (CaptureError::Read(error), None) => error.into(),
        (_, Some((at, fault))) if fault != ContainerFault::GzipTrailing => refusal(None, at, fault).into(),
        (CaptureError::Refused(refusal), _) => {
            let at = refusal.place.within.as_ref().map_or(refusal.place.offset, Within::offset);
            tiles::behind(refusal, members.of(at)).into()
        }
        (error, _) => error,
    }
}

impl Members {
    /// The member that byte `at` of the decoded stream is of.
    fn of(&self, at: u64) -> Step {
        let found = self.list.iter().rfind(|member| member.begins <= at).or(self.list.front());
        found.map_or(Step { kind: StepKind::Gzip, number: self.number, offset: 0 }, |member| member.step)
    }

    /// As [`of`](Self::of), and notes that something was read out of it.
    fn told(&mut self, at: u64, tells: bool) -> Step {
        let step = self.of(at);
        if let Some(member) = self.list.iter_mut().find(|member| member.step == step) {
            member.tells |= tells;
        }
        step
    }
}

enum State {
    /// A member, or the end of the file, comes next.
    Header,
    Data,
    Ended,
}

/// The decoded stream. It ends where the file is broken; [`Members::fault`] says why.
struct Inflate<'a> {
    tap: Tap<'a>,
    members: Rc<RefCell<Members>>,
    state: State,
    /// Of the member being read; used again for the next.
    inflater: Decompress,
    crc: Crc,
    kept_max: usize,
}

impl Inflate<'_> {
    fn fail(&mut self, fault: ContainerFault) {
        self.state = State::Ended;
        self.members.borrow_mut().fault = Some((self.tap.offset(), fault));
    }

    fn failed(&mut self, fault: ContainerFault) -> io::Result<()> {
        self.fail(fault);
        Ok(())
    }

    fn header(&mut self) -> io::Result<()> {
        let offset = self.tap.offset();
        let first = self.members.borrow().number == 0;
        match self.tap.peek()? {
            None => {
                self.state = State::Ended;
                return Ok(());
            }
            Some(0x1F) => {}
            Some(_) if !first => return self.failed(ContainerFault::GzipTrailing),
            Some(_) => return self.failed(ContainerFault::GzipBroken),
        }
        let Some([0x1F, 0x8B, 8, flags, ..]) = self.tap.array::<10>()? else {
            return self.failed(ContainerFault::GzipTruncated);
        };
        if flags & 0xE0 != 0 || !self.header_fields(flags)? {
            return self.failed(ContainerFault::GzipBroken);
        }
        let mut members = self.members.borrow_mut();
        members.number += 1;
        let step = Step { kind: StepKind::Gzip, number: members.number, offset };
        let begins = members.decoded;
        members.list.push_back(Member { step, begins, ends: None, tells: false });
        self.state = State::Data;
        self.inflater.reset(false);
        self.crc.reset();
        Ok(())
    }

    /// The optional fields; false when the stream ends in them.
    fn header_fields(&self, flags: u8) -> io::Result<bool> {
        if flags & 4 != 0 {
            let Some(length) = self.tap.array::<2>()? else { return Ok(false) };
            let length = usize::from(u16::from_le_bytes(length));
            if self.tap.up_to(length)?.len() < length {
                return Ok(false);
            }
        }
        for _ in 0..(flags >> 3 & 1) + (flags >> 4 & 1) {
            loop {
                match self.tap.byte()? {
                    None => return Ok(false),
                    Some(0) => break,
                    Some(_) => {}
                }
            }
        }
        Ok(flags & 2 == 0 || self.tap.array::<2>()?.is_some())
    }

    /// Inflates into `to`: how many bytes.
    fn data(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let (inflater, crc) = (&mut self.inflater, &mut self.crc);
        let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
        let (status, dry) = self.tap.read_with(|bytes| {
            let status = inflater.decompress(bytes, to, FlushDecompress::None);
            let used = usize::try_from(inflater.total_in() - before_in).unwrap_or(usize::MAX);
            (used, (status, bytes.is_empty()))
        })?;
        let made = usize::try_from(inflater.total_out() - before_out).unwrap_or_default();
        crc.update(to.get(..made).unwrap_or_default());
        let decoded = {
            let mut members = self.members.borrow_mut();
            members.decoded += made as u64;
            members.decoded
        };
        match status {
            Ok(Status::StreamEnd) => self.trailer()?,
            Ok(_) if dry && made == 0 => self.fail(ContainerFault::GzipTruncated),
            Err(_) => self.fail(ContainerFault::GzipBroken),
            Ok(_) => {}
        }
        if decoded > DECODED_FREE && decoded / RATIO_MAX > self.tap.offset() {
            self.fail(ContainerFault::Bomb);
        } else if self.tap.kept() > self.kept_max {
            self.fail(ContainerFault::Body);
        }
        Ok(made)
    }

    fn trailer(&mut self) -> io::Result<()> {
        let (sum, amount) = (self.crc.sum(), self.crc.amount());
        let Some(trailer) = self.tap.array::<8>()? else {
            return self.failed(ContainerFault::GzipTruncated);
        };
        let told = u64::from_le_bytes(trailer);
        if told != u64::from(amount) << 32 | u64::from(sum) {
            return self.failed(ContainerFault::GzipBroken);
        }
        let mut members = self.members.borrow_mut();
        let ends = (self.tap.offset(), members.decoded);
        if let Some(member) = members.list.back_mut() {
            member.ends = Some(ends);
        }
        self.state = State::Header;
        Ok(())
    }
}

impl Read for Inflate<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        loop {
            match &self.state {
                State::Ended => return Ok(0),
                State::Header => self.header()?,
                State::Data => {
                    let made = self.data(to)?;
                    if made > 0 {
                        return Ok(made);
                    }
                }
            }
        }
    }
}
