//! A stream that several layers read from, which keeps the bytes that went through until they are taken.

use super::Input;
use std::cell::RefCell;
use std::io::{self, BufRead, ErrorKind, Read};
use std::rc::Rc;
use zeroize::Zeroizing;

/// A stream of one container. Clones share it.
#[derive(Clone)]
pub(super) struct Tap<'a>(Rc<RefCell<Stream<'a>>>);

struct Stream<'a> {
    inner: Input<'a>,
    /// Bytes read so far.
    offset: u64,
    /// Read and not yet taken, after the first `gone` of them: the bytes up to `offset`.
    kept: Zeroizing<Vec<u8>>,
    gone: usize,
}

impl<'a> Tap<'a> {
    pub(super) fn new(inner: Input<'a>) -> Self {
        Self(Rc::new(RefCell::new(Stream { inner, offset: 0, kept: Zeroizing::default(), gone: 0 })))
    }

    /// Bytes read so far.
    pub(super) fn offset(&self) -> u64 {
        self.0.borrow().offset
    }

    /// How many bytes were read and not yet taken.
    pub(super) fn kept(&self) -> usize {
        let stream = self.0.borrow();
        stream.kept.len() - stream.gone
    }

    /// Shows what the stream has ready (nothing only at its end) and reads as much as `look` says, beside its answer.
    pub(super) fn read_with<T>(&self, look: impl FnOnce(&[u8]) -> (usize, T)) -> io::Result<T> {
        let mut stream = self.0.borrow_mut();
        let Stream { inner, offset, kept, .. } = &mut *stream;
        while let Err(error) = inner.fill_buf() {
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
        }
        let buffer = inner.fill_buf()?;
        let (used, answer) = look(buffer);
        let used = used.min(buffer.len());
        kept.extend_from_slice(buffer.get(..used).unwrap_or_default());
        *offset += used as u64;
        inner.consume(used);
        Ok(answer)
    }

    /// The next byte; none at the end.
    pub(super) fn byte(&self) -> io::Result<Option<u8>> {
        self.read_with(|bytes| (1, bytes.first().copied()))
    }

    /// The next byte, without reading it.
    pub(super) fn peek(&self) -> io::Result<Option<u8>> {
        self.read_with(|bytes| (0, bytes.first().copied()))
    }

    /// The next `N` bytes; none when the stream ends before.
    pub(super) fn array<const N: usize>(&self) -> io::Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        for slot in &mut bytes {
            match self.byte()? {
                Some(byte) => *slot = byte,
                None => return Ok(None),
            }
        }
        Ok(Some(bytes))
    }

    /// The next `length` bytes, fewer at the end of the stream.
    pub(super) fn up_to(&self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let left = length - bytes.len();
            let more = self.read_with(|buffer| {
                let used = buffer.len().min(left);
                bytes.extend_from_slice(buffer.get(..used).unwrap_or_default());
                (used, used)
            })?;
            if more == 0 {
                break;
            }
        }
        Ok(bytes)
    }

    /// Lets go of what was read before the place `upto` and not taken yet, when that is `known` to whoever takes it. False
    /// when it is not as long.
    pub(super) fn passed(&self, upto: u64, known: usize) -> bool {
        let mut stream = self.0.borrow_mut();
        let Stream { offset, kept, gone, .. } = &mut *stream;
        let from = *offset - (kept.len() - *gone) as u64;
        if from + known as u64 != upto || *gone + known > kept.len() {
            return false;
        }
        *gone += known;
        shed(kept, gone);
        true
    }

    /// Takes what was read before the place `upto` of the stream and not taken yet, with the place it starts at.
    pub(super) fn taken(&self, upto: u64) -> (u64, Zeroizing<Vec<u8>>) {
        let mut stream = self.0.borrow_mut();
        let Stream { offset, kept, gone, .. } = &mut *stream;
        let length = kept.len() - *gone;
        let from = *offset - length as u64;
        let count = usize::try_from(upto.saturating_sub(from)).unwrap_or(usize::MAX).min(length);
        if *gone == 0 && count == length {
            return (from, std::mem::take(kept));
        }
        let bytes = kept.get(*gone..*gone + count).unwrap_or_default().to_vec();
        *gone += count;
        shed(kept, gone);
        (from, Zeroizing::new(bytes))
    }
}

/// Moves what is left together once more was taken than is left, so that it takes linear time.
fn shed(kept: &mut Vec<u8>, gone: &mut usize) {
    if *gone > kept.len() / 2 {
        kept.drain(..*gone);
        *gone = 0;
    }
}

impl Read for Tap<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.read_with(|bytes| {
            let used = bytes.len().min(to.len());
            let pair = to.get_mut(..used).zip(bytes.get(..used));
            pair.into_iter().for_each(|(to, from)| to.copy_from_slice(from));
            (used, used)
        })
    }
}
