//! The parser behind [`Json`](super::json::Json): one pass that checks and notes where each value stands.

use super::json::{Kind, Node};
use super::json_blocks::{BLOCK, special};
use std::ops::Range;

/// Deeper nesting than this is never read, whatever the limit asked for: parsing recurses.
const DEPTH_CEILING: usize = 512;
/// More values than this in one unit are refused: it bounds the node list to about 128 MiB.
const NODES_MAX: usize = 8 << 20;

/// What is wrong with a piece of JSON. Never names what stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// The text ends inside a value.
    #[error("it ends in the middle of a value")]
    Truncated,
    /// A character that cannot stand here.
    #[error("an unexpected character")]
    Unexpected,
    /// A control character inside a string.
    #[error("a control character inside a string")]
    Control,
    /// A backslash with something that is no escape.
    #[error("a wrong escape in a string")]
    Escape,
    /// Something after the end of the value.
    #[error("something follows the end of the value")]
    Trailing,
    /// Arrays and objects nested deeper than the limit.
    #[error("nested deeper than the limit")]
    Depth,
    /// More values than a unit may hold.
    #[error("too many values in one piece")]
    Size,
}

/// The nodes of one value with white space around it, outermost first. The error says at which byte.
///
/// They are put into the memory of `nodes`, whose own are given up.
pub(super) fn nodes(
    text: &str,
    depth_max: usize,
    mut nodes: Vec<Node>,
) -> Result<Vec<Node>, (usize, JsonFault)> {
    nodes.clear();
    nodes.reserve(text.len() / 12);
    let mut parser = Parser { bytes: text.as_bytes(), at: 0, nodes, block: 0..0, special: 0 };
    if u32::try_from(text.len()).is_err() {
        return Err((0, JsonFault::Size));
    }
    let outcome = parser.value(depth_max.min(DEPTH_CEILING)).and_then(|()| {
        parser.blank();
        if parser.at == parser.bytes.len() { Ok(()) } else { Err(JsonFault::Trailing) }
    });
    match outcome {
        Ok(()) => Ok(parser.nodes),
        Err(fault) => Err((parser.at, fault)),
    }
}

struct Parser<'t> {
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    /// The block that was last looked at, and what of it means something in a string.
    block: Range<usize>,
    special: u64,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Adds a node that starts here; its end is filled in by [`close`](Self::close).
    fn open(&mut self, kind: Kind) -> Result<usize, JsonFault> {
        if self.nodes.len() >= NODES_MAX {
            return Err(JsonFault::Size);
        }
        self.nodes.push(Node { start: narrow(self.at), end: 0, next: 0, kind });
        Ok(self.nodes.len() - 1)
    }

    /// Adds a value that holds no others, from `start` up to here.
    #[inline]
    fn leaf(&mut self, start: usize, kind: Kind) -> Result<(), JsonFault> {
        if self.nodes.len() >= NODES_MAX {
            return Err(JsonFault::Size);
        }
        let next = narrow(self.nodes.len() + 1);
        self.nodes.push(Node { start: narrow(start), end: narrow(self.at), next, kind });
        Ok(())
    }

    fn close(&mut self, index: usize) {
        let (end, next) = (narrow(self.at), narrow(self.nodes.len()));
        if let Some(node) = self.nodes.get_mut(index) {
            node.end = end;
            node.next = next;
        }
    }

    fn value(&mut self, depth_left: usize) -> Result<(), JsonFault> {
        self.blank();
        match self.peek().ok_or(JsonFault::Truncated)? {
            b'{' => self.container(Kind::Object, b'}', depth_left),
            b'[' => self.container(Kind::Array, b']', depth_left),
            b'"' => self.string(),
            b't' => self.word(b"true", Kind::True),
            b'f' => self.word(b"false", Kind::False),
            b'n' => self.word(b"null", Kind::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(JsonFault::Unexpected),
        }
    }

    fn container(&mut self, kind: Kind, closing: u8, depth_left: usize) -> Result<(), JsonFault> {
        let depth_left = depth_left.checked_sub(1).ok_or(JsonFault::Depth)?;
        let index = self.open(kind)?;
        self.at += 1;
        self.blank();
        if self.peek() == Some(closing) {
            self.at += 1;
            self.close(index);
            return Ok(());
        }
        loop {
            if kind == Kind::Object {
                self.name()?;
            }
            self.value(depth_left)?;
            self.blank();
            match self.peek().ok_or(JsonFault::Truncated)? {
                b',' => self.at += 1,
                byte if byte == closing => break,
                _ => return Err(JsonFault::Unexpected),
            }
        }
        self.at += 1;
        self.close(index);
        Ok(())
    }

    fn name(&mut self) -> Result<(), JsonFault> {
        self.blank();
        self.expect(b'"', false)?;
        self.string()?;
        self.blank();
        self.expect(b':', true)
    }

    fn expect(&mut self, wanted: u8, pass: bool) -> Result<(), JsonFault> {
        match self.peek() {
            Some(byte) if byte == wanted => {
                self.at += usize::from(pass);
                Ok(())
            }
            Some(_) => Err(JsonFault::Unexpected),
            None => Err(JsonFault::Truncated),
        }
    }

    fn string(&mut self) -> Result<(), JsonFault> {
        let (start, mut kind) = (self.at, Kind::Text);
        self.at += 1;
        loop {
            self.skip_to_special();
            match self.peek().ok_or(JsonFault::Truncated)? {
                b'"' => break,
                b'\\' => {
                    self.escape()?;
                    kind = Kind::EscapedText;
                }
                _ => return Err(JsonFault::Control),
            }
        }
        self.at += 1;
        self.leaf(start, kind)
    }

    /// Passes over what means nothing in a string.
    #[inline]
    fn skip_to_special(&mut self) {
        loop {
            if !self.block.contains(&self.at) {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                if rest.is_empty() {
                    return;
                }
                self.special = special(rest);
                self.block = self.at..self.at + BLOCK.min(rest.len());
            }
            let ahead = self.special >> (self.at - self.block.start);
            if ahead != 0 {
                self.at += ahead.trailing_zeros() as usize;
                return;
            }
            self.at = self.block.end;
        }
    }

    fn escape(&mut self) -> Result<(), JsonFault> {
        match self.bytes.get(self.at + 1).ok_or(JsonFault::Truncated)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.bytes.get(self.at + 2..self.at + 6).ok_or(JsonFault::Truncated)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(JsonFault::Escape);
                }
                self.at += 6;
            }
            _ => return Err(JsonFault::Escape),
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), JsonFault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(if word.starts_with(rest) { JsonFault::Truncated } else { JsonFault::Unexpected });
        }
        let start = self.at;
        self.at += word.len();
        self.leaf(start, kind)
    }

    fn number(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        self.leaf(start, Kind::Number)
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > from => Ok(()),
            Some(_) => Err(JsonFault::Unexpected),
            None => Err(JsonFault::Truncated),
        }
    }
}

/// How many bytes come before one that means something in a string: a quote, a backslash, a control character. Eight
/// bytes at a time: in each byte of `found` the highest bit is set at the first such byte, and never before it.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5C)) | control) & (ONES << 7);
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20).unwrap_or(rest.len())
}

/// Offsets fit: the length was checked before parsing, and nodes are fewer than bytes.
pub(super) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<(usize, JsonFault)> {
        nodes(text, 4, Vec::new()).err()
    }

    #[test]
    fn broken_json_is_named_with_its_place() {
        for (text, expected) in [
            ("", (0, JsonFault::Truncated)),
            ("[1,", (3, JsonFault::Truncated)),
            ("[1,]", (3, JsonFault::Unexpected)),
            ("{\"a\"}", (4, JsonFault::Unexpected)),
            ("\"a\u{1}\"", (2, JsonFault::Control)),
            (r#""\x""#, (1, JsonFault::Escape)),
            (r#""\u12"#, (1, JsonFault::Truncated)),
            ("{} {}", (3, JsonFault::Trailing)),
            ("[[[[[]]]]]", (4, JsonFault::Depth)),
            ("tru", (0, JsonFault::Truncated)),
            ("01", (1, JsonFault::Trailing)),
            ("-", (1, JsonFault::Truncated)),
            ("1.", (2, JsonFault::Truncated)),
            ("1.x", (2, JsonFault::Unexpected)),
            ("\0", (0, JsonFault::Unexpected)),
        ] {
            assert_eq!(fault(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_first_byte_that_means_something_is_found_at_any_place() {
        for mark in [0, 0x1F, b'"', b'\\'] {
            for at in 0..20 {
                let mut bytes: Vec<u8> =
                    b"\x7F\xFF\x80 !#[]abc\xA0\xA2\xDC".iter().copied().cycle().take(40).collect();
                assert_eq!(plain(&bytes), 40);
                bytes[at] = mark;
                bytes[at + 9] = b'"';
                assert_eq!(plain(&bytes), at, "{mark} at {at}");
            }
        }
    }

    #[test]
    fn a_million_brackets_are_refused_not_recursed_into() {
        assert_eq!(
            nodes(&"[".repeat(1_000_000), usize::MAX, Vec::new()).err(),
            Some((512, JsonFault::Depth))
        );
    }
}
