//! Candidates: the cutter names the places worth a closer look, and the lanes take it from there.
//!
//! A place is a digit, an `@`, a `:` before `//`, or a dot between letters. Everything else costs nothing here.

use super::bytes::{at, before};
use super::cut::Cut;
use super::lane::{Lane, WINDOW};
use super::mail::local_start;

/// The lanes of a ruleset.
pub(super) struct Lanes {
    pub(super) code: Lane,
    pub(super) mail: Lane,
    pub(super) handle: Lane,
    pub(super) link: Lane,
}

impl Lanes {
    /// Offers `found(rule, start, end)` every match of every lane, the longest of a start first, until it takes one.
    pub(super) fn scan(
        &self,
        text: &str,
        cut: &Cut,
        context: bool,
        mut found: impl FnMut(usize, usize, usize) -> bool,
    ) {
        let bytes = text.as_bytes();
        let mut tried = Tried { context, ..Tried::default() };
        for &pos in cut.places.all() {
            match at(bytes, pos) {
                b'0'..=b'9' => self.digits(text, cut, pos, &mut tried, &mut found),
                b'@' => self.at_sign(text, pos, &mut tried, &mut found),
                b':' if at(bytes, pos + 1) == b'/' => self.link(text, pos, &mut tried, &mut found),
                b'.' if dotted(bytes, pos) => self.link(text, pos, &mut tried, &mut found),
                b'(' | b'[' if is_at(bytes, pos + 1) => self.written_at(text, pos, &mut tried, &mut found),
                _ => {}
            }
        }
    }

    /// Tries the mail lane for an `at` written as a word at `pos`.
    pub(super) fn word_at(&self, text: &str, pos: usize, mut found: impl FnMut(usize, usize, usize) -> bool) {
        self.mail_from(
            text,
            pos.saturating_sub(1),
            &mut Tried { context: true, ..Tried::default() },
            &mut found,
        );
    }

    /// Tries every start around the first digit of a run, at `pos`.
    fn digits(
        &self,
        text: &str,
        cut: &Cut,
        pos: usize,
        tried: &mut Tried,
        found: &mut impl FnMut(usize, usize, usize) -> bool,
    ) {
        let bytes = text.as_bytes();
        let from = tried.code.max(pos.saturating_sub(REACH_BACK));
        for start in cut.starts.within(from, pos) {
            let byte = at(bytes, start);
            let plus = byte == b'+' && !before(bytes, start).is_ascii_digit();
            if byte.is_ascii_alphanumeric() || plus || matches!(byte, b'(' | b':') {
                self.code.matches_at(text, start, tried.context, |rule, end| found(rule, start, end));
            }
        }
        tried.code = pos + 1;
    }

    fn at_sign(
        &self,
        text: &str,
        pos: usize,
        tried: &mut Tried,
        found: &mut impl FnMut(usize, usize, usize) -> bool,
    ) {
        let bytes = text.as_bytes();
        let left = before(bytes, pos);
        if left.is_ascii_alphanumeric() || left >= 0x80 || matches!(left, b'.' | b'_' | b'-' | b'+' | b' ') {
            let until = if left == b' ' { pos - 1 } else { pos };
            self.mail_from(text, until, tried, found);
        }
        if !left.is_ascii_alphanumeric() && left != b'_' && left != b'@' {
            self.handle.matches_at(text, pos, tried.context, |rule, end| found(rule, pos, end));
        }
    }

    fn written_at(
        &self,
        text: &str,
        pos: usize,
        tried: &mut Tried,
        found: &mut impl FnMut(usize, usize, usize) -> bool,
    ) {
        let until = if before(text.as_bytes(), pos) == b' ' { pos - 1 } else { pos };
        self.mail_from(text, until, tried, found);
    }

    /// Tries the mail lane from the start of the local part that ends at `until`.
    fn mail_from(
        &self,
        text: &str,
        until: usize,
        tried: &mut Tried,
        found: &mut impl FnMut(usize, usize, usize) -> bool,
    ) {
        let start = local_start(text, until);
        if start < until && start >= tried.mail {
            tried.mail = start + 1;
            self.mail.matches_at(text, start, tried.context, |rule, end| found(rule, start, end));
        }
    }

    fn link(
        &self,
        text: &str,
        pos: usize,
        tried: &mut Tried,
        found: &mut impl FnMut(usize, usize, usize) -> bool,
    ) {
        let bytes = text.as_bytes();
        let host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        let mut start = run_back(bytes, pos, HOST_MAX, host);
        while start < pos && !at(bytes, start).is_ascii_alphanumeric() {
            start += 1;
        }
        if start < pos && start >= tried.link && before(bytes, start) != b'@' {
            self.link.matches_at(text, start, tried.context, |rule, end| {
                let end = if end + 2 >= start + WINDOW { end + run_on(bytes, end) } else { end };
                tried.link = tried.link.max(end);
                found(rule, start, end)
            });
            tried.link = tried.link.max(start + 1);
        }
    }
}

/// How far each lane has been tried: a start is tried once.
#[derive(Default)]
struct Tried {
    /// Whether the text has a word that patterns in need of context wait for.
    context: bool,
    code: usize,
    mail: usize,
    link: usize,
}

/// How far before the first digit of a run a match may start.
const REACH_BACK: usize = 10;
const HOST_MAX: usize = 100;

fn run_back(bytes: &[u8], end: usize, most: usize, inside: impl Fn(u8) -> bool) -> usize {
    let run =
        bytes.get(..end).map_or(0, |left| left.iter().rev().take(most).take_while(|b| inside(**b)).count());
    end - run
}

/// The length of what still belongs to a link that is longer than the window.
fn run_on(bytes: &[u8], end: usize) -> usize {
    bytes.get(end..).map_or(0, |rest| {
        rest.iter().take_while(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"')).count()
    })
}

/// A dot with a letter or digit before it and a letter after it.
fn dotted(bytes: &[u8], pos: usize) -> bool {
    before(bytes, pos).is_ascii_alphanumeric() && at(bytes, pos + 1).is_ascii_alphabetic()
}

fn is_at(bytes: &[u8], pos: usize) -> bool {
    bytes.get(pos..pos + 2).is_some_and(|b| {
        b.eq_ignore_ascii_case(b"at") || b.eq_ignore_ascii_case(b"a)") || b.eq_ignore_ascii_case(b"a]")
    })
}
