//! Heads of WARC records and HTTP messages: a first line, and named fields up to a blank line.

use super::tap::Tap;
use std::io;

/// Longest head that is read.
const HEAD_MAX: usize = 256 << 10;

/// What came of reading a head.
pub(super) enum Found {
    Head(Head),
    /// Longer than [`HEAD_MAX`], or not to be read.
    Broken,
    /// The stream ended in it.
    Ended,
}

/// A first line with fields. Bytes that are not UTF-8 read as U+FFFD: what matters is ASCII.
pub(super) struct Head {
    first: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// Reads a head of at most `length` bytes. `already` was read before; what was read goes to `bytes`.
    pub(super) fn read(tap: &Tap<'_>, already: &[u8], length: u64, bytes: &mut Vec<u8>) -> io::Result<Found> {
        bytes.extend_from_slice(already);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        loop {
            let blank = bytes.ends_with(b"\r\n\r\n") || bytes.ends_with(b"\n\n") || **bytes == *b"\r\n";
            if blank {
                return Ok(Self::of(bytes).map_or(Found::Broken, Found::Head));
            }
            if bytes.len() >= HEAD_MAX.min(length) {
                // A message may be a head and nothing else, without the blank line.
                let whole = bytes.len() == length && bytes.ends_with(b"\n");
                return Ok(Self::of(bytes).filter(|_| whole).map_or(Found::Broken, Found::Head));
            }
            // A line at a time: a head can end nowhere else.
            let room = HEAD_MAX.min(length) - bytes.len();
            let read = tap.read_with(|buffer| {
                let buffer = buffer.get(..room).unwrap_or(buffer);
                let used = memchr::memchr(b'\n', buffer).map_or(buffer.len(), |end| end + 1);
                bytes.extend_from_slice(buffer.get(..used).unwrap_or_default());
                (used, used)
            })?;
            if read == 0 {
                return Ok(Found::Ended);
            }
        }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let first = lines.next()?.trim_end().to_owned();
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines.map(str::trim_end).filter(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                // A folded line goes on with the field before it.
                let (_, value) = fields.last_mut()?;
                value.push(' ');
                value.push_str(line.trim_start());
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        Some(Self { first, fields })
    }

    pub(super) fn first(&self) -> &str {
        &self.first
    }

    /// The value of the field `name`, which is given in lower case.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A length; none when it is absent or no number.
    pub(super) fn length(&self, name: &str) -> Option<u64> {
        let value = self.field(name)?;
        value.bytes().all(|b| b.is_ascii_digit()).then(|| value.parse().ok()).flatten()
    }

    /// The words of a list field, in lower case.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let values = self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let words = values.flat_map(|value| value.split(',')).map(|word| word.trim().to_ascii_lowercase());
        words.filter(|word| !word.is_empty()).collect()
    }
}
