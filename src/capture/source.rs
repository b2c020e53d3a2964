//! The stream under a capture, with a head that can be looked at before it is read.

use std::io::{self, BufRead, ErrorKind};
use zeroize::Zeroizing;

/// A stream that knows where it stands.
pub(super) struct Source<R> {
    head: Zeroizing<Vec<u8>>,
    /// How much of the head has been read.
    at: usize,
    inner: R,
    offset: u64,
    line: u64,
}

impl<R: BufRead> Source<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { head: Zeroizing::default(), at: 0, inner, offset: 0, line: 1 }
    }

    /// Bytes read so far.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Line the next byte stands on, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// What has been looked at; only before anything is read.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Looks further ahead by what the stream has ready; false at its end.
    pub(super) fn look_further(&mut self) -> io::Result<bool> {
        let more = fill(&mut self.inner)?;
        let used = more.len();
        self.head.extend_from_slice(more);
        self.inner.consume(used);
        Ok(used > 0)
    }

    /// The next bytes, at least one unless the stream is at its end.
    pub(super) fn buffer(&mut self) -> io::Result<&[u8]> {
        if self.at < self.head.len() {
            return Ok(self.head.get(self.at..).unwrap_or_default());
        }
        fill(&mut self.inner)
    }

    /// Marks `used` bytes of the buffer as read.
    pub(super) fn consume(&mut self, used: usize) {
        let lines = self
            .buffer()
            .map_or(0, |buffer| memchr::memchr_iter(b'\n', buffer.get(..used).unwrap_or_default()).count());
        self.line += lines as u64;
        self.offset += used as u64;
        if self.at < self.head.len() {
            self.at += used;
            if self.at >= self.head.len() {
                self.head = Zeroizing::default();
                self.at = 0;
            }
        } else {
            self.inner.consume(used);
        }
    }

    /// Appends a line with its line feed (the last may have none). True when `bytes` would have passed
    /// `limit`: then the line is passed over, in no more memory, and `bytes` is empty.
    pub(super) fn take_line(&mut self, bytes: &mut Zeroizing<Vec<u8>>, limit: usize) -> io::Result<bool> {
        let mut too_long = false;
        loop {
            let buffer = self.buffer()?;
            let end = memchr::memchr(b'\n', buffer);
            let used = end.map_or(buffer.len(), |end| end + 1);
            too_long |= bytes.len().saturating_add(used) > limit;
            if too_long {
                *bytes = Zeroizing::default();
            } else {
                bytes.extend_from_slice(buffer.get(..used).unwrap_or_default());
            }
            self.consume(used);
            if end.is_some() || used == 0 {
                return Ok(too_long);
            }
        }
    }
}

fn fill<R: BufRead>(inner: &mut R) -> io::Result<&[u8]> {
    // Called again on success, as the borrow of the first call cannot leave the loop.
    while let Err(error) = inner.fill_buf() {
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
    inner.fill_buf()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn a_long_line_is_passed_over_and_the_next_one_read() {
        let text = "a\nbbbbbbbbbb\nc";
        let mut source = Source::new(BufReader::with_capacity(3, text.as_bytes()));
        assert!(source.look_further().unwrap());
        let mut lines = Vec::new();
        loop {
            let mut bytes = Zeroizing::default();
            let from = (source.offset(), source.line());
            let too_long = source.take_line(&mut bytes, 4).unwrap();
            if source.offset() == from.0 {
                break;
            }
            lines.push((from, bytes.to_vec(), too_long));
        }
        let expected =
            [((0, 1), b"a\n".to_vec(), false), ((2, 2), vec![], true), ((13, 3), b"c".to_vec(), false)];
        assert_eq!(lines, expected);
    }
}
