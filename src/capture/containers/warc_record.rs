//! One WARC record: what its head says of its block, and who reads that.

use super::body::{Block, Flow, Replay, Shared, buffered, decode};
use super::digest::Check;
use super::fault::ContainerFault;
use super::head::{Found, Head};
use super::tap::Tap;
use super::within::Step;
use super::{CHUNK, Input, Units, begin, refusal, tiles};
use crate::capture::page::{self, Address};
use crate::capture::unit::{CutKind, Refusal};
use crate::capture::{CaptureError, Limits, RefusalReason};
use std::rc::Rc;

/// The record being read.
pub(super) struct Record<'a> {
    pub(super) step: Step,
    pub(super) flow: Shared,
    /// Who reads the body, until it ends.
    pub(super) body: Option<Box<dyn Units + 'a>>,
    /// Where the body starts, when it stands as it is.
    pub(super) in_place: Option<u64>,
    pub(super) tells: bool,
    /// Whether the body was read to its end.
    pub(super) whole: bool,
    pub(super) refused: Vec<Refusal>,
    /// How much of the mark was seen in what follows a payload that ended by itself.
    pub(super) seen: usize,
}

/// Where a record's block comes from.
pub(super) struct Source<'s, 'a> {
    pub(super) tap: &'s Tap<'a>,
    pub(super) limits: Limits,
    pub(super) depth: usize,
}

impl<'a> Source<'_, 'a> {
    /// Looks at a record's block: what is in it, and who reads that.
    pub(super) fn record(&self, step: Step, head: &Head) -> Result<Record<'a>, CaptureError> {
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
        let found = Head::read(self.tap, &[], flow.remaining, &mut bytes)?;
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
        record.flow.borrow_mut().put_off(transfer, codings);
        let decoded = match decode(block, transfer, codings) {
            Ok(decoded) => decoded,
            Err(fault) => return record.refuse(fault),
        };
        let mut stream: Input<'a> = Box::new(buffered(decoded.stream, &record.flow));
        // Servers are seen that call their JSON a page.
        let html = content.contains("html") && !stream.fill_buf().is_ok_and(begins_json);
        let body: Result<Box<dyn Units + 'a>, _> = if html {
            Ok(Box::new(page::reader(stream, address, self.limits)))
        } else {
            begin(stream, None, self.limits, self.depth + 1)
        };
        record.in_place = decoded.in_place.then_some(starts);
        match body {
            Ok(body) => record.body = Some(body),
            Err(error) => record.fail(error),
        }
    }
}

impl Record<'_> {
    pub(super) fn refuse(&mut self, fault: ContainerFault) {
        self.refused.push(refusal(Some(self.step), 0, fault));
    }

    /// What to say of a body that could not be read (further). What is nothing known is no fault: an archive of the
    /// web holds much else.
    pub(super) fn fail(&mut self, error: CaptureError) {
        match error {
            CaptureError::Refused(refusal) => self.refused.push(tiles::behind(refusal, self.step)),
            CaptureError::Utf16 => {
                let mut refusal = refusal(None, 0, ContainerFault::Body);
                refusal.reason = RefusalReason::NotUtf8;
                self.refused.push(tiles::behind(refusal, self.step));
            }
            CaptureError::Read(_)
            | CaptureError::Empty
            | CaptureError::UnknownFormat
            | CaptureError::Parser(_) => {}
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
    pub(super) fn check(&mut self) {
        let (block, payload) = {
            let Flow { block, raw, unchunked, decoded, replay, .. } = &mut *self.flow.borrow_mut();
            let block = block.take().is_none_or(Check::holds);
            let coded = unchunked.is_some() || decoded.is_some() || replay.is_some();
            let untold = raw.is_none() || (coded && !self.whole);
            let any = [raw.take(), unchunked.take(), decoded.take()].into_iter().flatten().any(Check::holds);
            (block, any || untold || replay.take().is_some_and(Replay::holds))
        };
        if !block {
            self.refuse(ContainerFault::BlockDigest);
        } else if !payload {
            self.refuse(ContainerFault::PayloadDigest);
        }
    }

    pub(super) fn kind(&self) -> CutKind {
        if self.tells && self.in_place.is_none() { CutKind::Encoded } else { CutKind::Residue }
    }
}

/// Whether a body begins as JSON that can hold posts.
fn begins_json(body: &[u8]) -> bool {
    match body.trim_ascii_start() {
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start(), [b'"' | b'}', ..]),
        [b'[', rest @ ..] => matches!(rest.trim_ascii_start(), [b'{' | b']', ..]),
        _ => false,
    }
}

/// Whether a body of this media type can hold posts. Pictures, sound, films, fonts and styles cannot.
fn may_be_read(content: &str) -> bool {
    let main = content.split('/').next().unwrap_or_default();
    !matches!(main, "image" | "audio" | "video" | "font") && !content.starts_with("text/css")
}
