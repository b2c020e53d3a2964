//! Telling from the first bytes how a file is divided.

use super::CaptureError;
use super::documents::{Opened, Scanner};
use super::source::Source;
use super::split::{Layout, Raw, Splitter};
use super::streamed;
use super::table::{HEADING_BYTES_MAX, Heading};
use super::{Format, Limits, RefusalReason};
use std::io::BufRead;

/// Looks at the head of a stream and makes the splitter that fits it.
///
/// An object on the first line is a line of many when the line is whole or the next line is a whole object;
/// else it is the beginning of a document. What begins otherwise is read by lines, if the format is
/// named: the first may be the only bad one.
pub(super) fn splitter<R: BufRead>(
    input: R,
    format: Option<Format>,
    limits: Limits,
) -> Result<Splitter<R>, CaptureError> {
    let named = format.is_some();
    let mut source = Source::new(input);
    let start = start(&mut source, limits)?;
    if let Some((heading, rows)) = heading(&mut source, start, format)? {
        return Ok(Splitter::table(source, heading, rows, limits.unit_bytes_max));
    }
    if is_script(&mut source, start)? {
        return Ok(Splitter::script(source, limits.unit_bytes_max));
    }
    if format.is_some_and(Format::is_table) {
        return Err(CaptureError::UnknownFormat);
    }
    let nothing = Opened::Nothing;
    let (layout, opened) = match source.head().get(start).copied() {
        Some(b'[') => (Layout::Documents, nothing),
        Some(b'{') if begins_with_streamed(&mut source, start)? => (Layout::Documents, Opened::Context),
        Some(b'{') if is_large(&mut source, start, format)? => (Layout::Documents, Opened::Large),
        Some(b'{') if is_line(&mut source, start, limits)? => (Layout::Lines, nothing),
        Some(b'{') => (Layout::Documents, nothing),
        Some(_) if is_event(&mut source, start)? => (Layout::Events, nothing),
        Some(_) if named => (Layout::Lines, nothing),
        _ => return Err(CaptureError::UnknownFormat),
    };
    Ok(Splitter::new(source, layout, opened, limits.unit_bytes_max))
}

/// The place of the first byte that means something.
fn start<R: BufRead>(source: &mut Source<R>, limits: Limits) -> Result<usize, CaptureError> {
    while source.head().len() < 4 && source.look_further()? {}
    let head = source.head();
    let utf16 = head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]);
    if utf16 || matches!(head, [0, b, ..] | [b, 0, ..] if *b > 0) {
        return Err(CaptureError::Utf16);
    }
    let mut at = if head.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
    loop {
        let rest = source.head().get(at..).unwrap_or_default();
        if let Some(found) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) {
            return Ok(at + found);
        }
        at = source.head().len();
        if at > limits.unit_bytes_max {
            return Err(CaptureError::UnknownFormat);
        }
        if !source.look_further()? {
            return Err(CaptureError::Empty);
        }
    }
}

/// Makes sure that `wanted` bytes of the head are there, if the stream has them.
fn ensure<R: BufRead>(source: &mut Source<R>, wanted: usize) -> Result<(), CaptureError> {
    while source.head().len() < wanted && source.look_further()? {}
    Ok(())
}

/// The heading of a table that a format knows. What begins like JSON is none.
fn heading<R: BufRead>(
    source: &mut Source<R>,
    start: usize,
    format: Option<Format>,
) -> Result<Option<(Heading, usize)>, CaptureError> {
    let first = source.head().get(start).copied();
    if matches!(first, Some(b'{' | b'[')) || start > 3 {
        return Ok(None);
    }
    let ends = |head: &[u8]| head.iter().skip(start).filter(|&&byte| byte == b'\n').count() > 1;
    while source.head().len() < start + HEADING_BYTES_MAX && !ends(source.head()) && source.look_further()? {}
    let head = source.head().get(start..).unwrap_or_default();
    Ok(Heading::at(head.get(..HEADING_BYTES_MAX).unwrap_or(head), format))
}

/// Whether a script of an account archive begins here.
fn is_script<R: BufRead>(source: &mut Source<R>, start: usize) -> Result<bool, CaptureError> {
    ensure(source, start + 16)?;
    let head = source.head().get(start..).unwrap_or_default();
    Ok([&b"window.YTD."[..], b"window.__THAR", b"YTD.", b"Grailbird."]
        .iter()
        .any(|mark| head.starts_with(mark)))
}

fn begins_with_streamed<R: BufRead>(source: &mut Source<R>, start: usize) -> Result<bool, CaptureError> {
    ensure(source, start + 256)?;
    let inside = source.head().get(start + 1..).unwrap_or_default().trim_ascii_start();
    let name = inside.strip_prefix(b"\"").unwrap_or_default();
    Ok(streamed::OF_A_CONTEXT
        .iter()
        .any(|known| name.strip_prefix(known.as_bytes()).is_some_and(|rest| rest.starts_with(b"\""))))
}

/// Whether an object does not end for long and a list that is known (of this format, when it is named) begins in what
/// was seen of it.
fn is_large<R: BufRead>(
    source: &mut Source<R>,
    start: usize,
    format: Option<Format>,
) -> Result<bool, CaptureError> {
    let mut scanner = Scanner::new(Opened::Large);
    let (mut at, mut wanted) = (start, start + (4 << 10));
    loop {
        ensure(source, wanted)?;
        let rest = source.head().get(at..).unwrap_or_default();
        if rest.is_empty() || at - start > streamed::LARGE_BYTES_MIN {
            break;
        }
        match scanner.scan(rest, 0, &mut Raw::at(1, 1)) {
            Ok(scanned) => at += scanned.used,
            Err(_) => return Ok(false),
        }
        // The object has ended, or may have: what follows is looked at by other means.
        if scanner.at_rest() {
            return Ok(false);
        }
        wanted = wanted.max(at + 1).max(at.saturating_mul(2).min(start + streamed::LARGE_BYTES_MIN + 1));
    }
    let known = scanner.list().map(streamed::format_of);
    let large = at - start > streamed::LARGE_BYTES_MIN;
    Ok(large && known.is_some_and(|known| known.is_none() || format.is_none() || known == format))
}

fn is_line<R: BufRead>(source: &mut Source<R>, start: usize, limits: Limits) -> Result<bool, CaptureError> {
    // A line too long to look at is passed over as one; whether more lines follow will show.
    let Some(end) = line_end(source, start, limits)? else { return Ok(true) };
    let whole = |source: &Source<R>, start, end| source.head().get(start..end).is_some_and(is_whole);
    if whole(source, start, end) {
        return Ok(true);
    }
    ensure(source, end + 2)?;
    if source.head().get(end + 1) != Some(&b'{') {
        return Ok(false);
    }
    let Some(next) = line_end(source, end + 1, limits)? else { return Ok(true) };
    Ok(whole(source, end + 1, next))
}

/// Whether a line holds one value and nothing else, as far as brackets and quotes tell.
fn is_whole(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let scanned = Scanner::new(Opened::Nothing).scan(line, 0, &mut Raw::at(0, 1));
    scanned.is_ok_and(|scanned| scanned.done && scanned.used == line.len())
}

/// Where the line that begins at `start` ends; none when it is longer than a unit may be.
fn line_end<R: BufRead>(
    source: &mut Source<R>,
    start: usize,
    limits: Limits,
) -> Result<Option<usize>, CaptureError> {
    let mut at = start;
    loop {
        let rest = source.head().get(at..).unwrap_or_default();
        if let Some(found) = memchr::memchr(b'\n', rest) {
            return Ok(Some(at + found));
        }
        at = source.head().len();
        if at - start > limits.unit_bytes_max {
            return Ok(None);
        }
        if !source.look_further()? {
            return Ok(Some(at));
        }
    }
}

fn is_event<R: BufRead>(source: &mut Source<R>, start: usize) -> Result<bool, CaptureError> {
    ensure(source, start + 8)?;
    let rest = source.head().get(start..).unwrap_or_default();
    Ok([&b":"[..], b"event:", b"data:", b"id:", b"retry:"].iter().any(|field| rest.starts_with(field)))
}

/// Whether a reason to refuse is about one piece only.
pub(super) const fn concerns_one_piece(layout: Layout, reason: &RefusalReason) -> bool {
    matches!(layout, Layout::Lines | Layout::Events | Layout::Rows)
        || matches!(
            reason,
            RefusalReason::NotRecognised | RefusalReason::Excessive | RefusalReason::Field { .. }
        )
}
