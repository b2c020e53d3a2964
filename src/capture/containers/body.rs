//! Undoing what a body is wrapped in: chunks (RFC 9112, 7.1) and content codings (RFC 9110, 8.4).

use super::digest::Check;
use super::fault::ContainerFault;
use super::tap::Tap;
use super::{DECODED_FREE, RATIO_MAX};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::cell::RefCell;
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;
use zeroize::Zeroizing;

/// What is known of a block while it is read.
#[derive(Default)]
pub(super) struct Flow {
    /// Bytes of the block not yet read.
    pub(super) remaining: u64,
    /// Of the whole block.
    pub(super) block: Option<Check>,
    /// Of the payload: as it stands, without its chunks, and decoded (writers differ in which they mean).
    pub(super) raw: Option<Check>,
    pub(super) unchunked: Option<Check>,
    pub(super) decoded: Option<Check>,
    /// The payload as it stands, to be decoded again if its digest is none of the others.
    pub(super) replay: Option<Replay>,
    /// The first thing found wrong.
    pub(super) fault: Option<ContainerFault>,
    /// Whether the stream ended inside the block.
    pub(super) cut_short: bool,
    /// Whether the payload ended by itself, inside the block.
    pub(super) complete: bool,
    /// What is left of the body by the HTTP head, if that says so.
    pub(super) body_left: Option<u64>,
    /// Bytes of payload read, as they stand.
    consumed: u64,
    /// The stream itself could not be read.
    pub(super) lost: Option<io::Error>,
}

pub(super) type Shared = Rc<RefCell<Flow>>;

impl Flow {
    pub(super) fn blame(&mut self, fault: ContainerFault) {
        self.fault.get_or_insert(fault);
    }

    /// Counts bytes that nobody read as a body.
    pub(super) fn drained(&mut self, bytes: &[u8]) {
        self.pass(bytes);
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
        self.consumed += bytes.len() as u64;
        self.body_left = self.body_left.map(|left| left.saturating_sub(bytes.len() as u64));
        for check in [&mut self.block, &mut self.raw].into_iter().flatten() {
            check.update(bytes);
        }
        if let Some(replay) = &mut self.replay {
            replay.bytes.extend_from_slice(bytes);
        }
    }

    /// Puts off the digest of the decoded payload, which is mostly not what was stated, where the payload is short.
    pub(super) fn put_off(&mut self, transfer: &[String], content: &[String]) {
        if self.remaining > REPLAY_BYTES_MAX || content.is_empty() {
            return;
        }
        self.replay = self.decoded.take().map(|check| Replay {
            check,
            bytes: Zeroizing::default(),
            body: self.body_left,
            codings: (transfer.to_vec(), content.to_vec()),
        });
    }
}

/// Longest payload that is kept to be decoded again.
const REPLAY_BYTES_MAX: u64 = 1 << 20;

/// A payload kept as it stands.
pub(super) struct Replay {
    check: Check,
    bytes: Zeroizing<Vec<u8>>,
    body: Option<u64>,
    codings: (Vec<String>, Vec<String>),
}

impl Replay {
    /// Whether the decoded payload has the digest.
    pub(super) fn holds(self) -> bool {
        let (flow, (transfer, content)) = (Shared::default(), self.codings);
        {
            let mut flow = flow.borrow_mut();
            (flow.remaining, flow.body_left) = (self.bytes.len() as u64, self.body);
            flow.decoded = Some(self.check);
        }
        let tap = Tap::new(Box::new(Cursor::new(self.bytes)));
        let block = Block { tap, flow: Rc::clone(&flow), kept_max: usize::MAX };
        let decoded = decode(block, &transfer, &content);
        let whole = decoded.is_ok_and(|mut decoded| read_through(&mut decoded.stream));
        whole && flow.borrow_mut().decoded.take().is_some_and(Check::holds)
    }
}

/// Reads to the end; whether there was one.
fn read_through(stream: &mut impl Read) -> bool {
    let mut piece = [0; 8192];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

/// The bytes of a block as they stand. Ends early, with a fault, rather than keep more than `kept_max` bytes.
pub(super) struct Block<'a> {
    pub(super) tap: Tap<'a>,
    pub(super) flow: Shared,
    pub(super) kept_max: usize,
}

impl Read for Block<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut flow = self.flow.borrow_mut();
        if flow.remaining == 0 || to.is_empty() {
            return Ok(0);
        }
        if flow.body_left == Some(0) {
            flow.complete = true;
            return Ok(0);
        }
        if self.tap.kept() > self.kept_max {
            flow.blame(ContainerFault::Body);
            return Ok(0);
        }
        let left = flow.body_left.unwrap_or(u64::MAX).min(flow.remaining);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(to.len());
        let read = to.get_mut(..most).map_or(Ok(0), |to| self.tap.read(to));
        match read {
            Ok(0) => flow.cut_short = true,
            Ok(count) => flow.pass(to.get(..count).unwrap_or_default()),
            Err(error) => {
                flow.lost = Some(error);
                return Ok(0);
            }
        }
        Ok(read.unwrap_or_default())
    }
}

/// A body with its codings undone, and whether any had to be.
pub(super) struct Decoded<'a> {
    pub(super) stream: Box<dyn Read + 'a>,
    pub(super) in_place: bool,
}

/// Undoes `transfer` and then `content` codings, as an HTTP head lists them. Archives are seen that keep the head and
/// store the body decoded: a body that begins as text is taken as it stands.
pub(super) fn decode<'a>(
    block: Block<'a>,
    transfer: &[String],
    content: &[String],
) -> Result<Decoded<'a>, ContainerFault> {
    let flow = Rc::clone(&block.flow);
    let mut head = block.tap.read_with(|bytes| (0, bytes.get(..LOOKED_AT).unwrap_or(bytes).to_vec()));
    let begins_chunk = |head: &[u8]| head.first().is_some_and(u8::is_ascii_hexdigit);
    let chunked =
        transfer.iter().any(|word| word == "chunked") && head.as_ref().is_ok_and(|head| begins_chunk(head));
    // As they were put on; the last is undone first.
    let codings: Vec<&str> = content
        .iter()
        .chain(transfer)
        .map(String::as_str)
        .filter(|word| *word != "chunked" && *word != "identity")
        .collect();
    let mut stream: Box<dyn Read + 'a> = Box::new(block);
    if chunked {
        stream = Box::new(Chunks {
            inner: stream,
            flow: Rc::clone(&flow),
            left: 0,
            state: Chunk::Size,
            digits: 0,
        });
        let looked = looked_at(stream);
        stream = looked.0;
        head = Ok(looked.1);
    } else {
        flow.borrow_mut().unchunked = None;
    }
    let as_text = codings.last().is_none_or(|outer| is_text(&head.unwrap_or_default(), outer));
    if chunked || (as_text && !codings.is_empty()) {
        flow.borrow_mut().body_left = None;
    }
    if codings.is_empty() || as_text {
        flow.borrow_mut().decoded = None;
        return Ok(Decoded { stream, in_place: !chunked });
    }
    for coding in codings.iter().rev() {
        let (inner, head) = looked_at(stream);
        stream = match *coding {
            "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(buffered(inner, &flow))),
            // Sent with and without the zlib head that the standard asks for.
            "deflate" if head.first().is_some_and(|byte| byte & 0x0F == 8) => {
                Box::new(ZlibDecoder::new(buffered(inner, &flow)))
            }
            "deflate" => Box::new(DeflateDecoder::new(buffered(inner, &flow))),
            "br" => Box::new(brotli_decompressor::Decompressor::new(inner, 1 << 14)),
            _ => return Err(ContainerFault::Coding),
        };
    }
    Ok(Decoded { stream: Box::new(Lenient { inner: stream, flow, made: 0 }), in_place: false })
}

/// With a buffer that is no longer than what comes: setting up a long one takes longer than reading a short body.
pub(super) fn buffered<R: Read>(stream: R, flow: &Shared) -> BufReader<R> {
    let left = usize::try_from(flow.borrow().remaining).unwrap_or(usize::MAX);
    BufReader::with_capacity(left.clamp(1 << 12, 1 << 16), stream)
}

/// How many bytes are looked at to tell a coded body from one that stands decoded.
const LOOKED_AT: usize = 32;

/// Whether a body that is said to be coded begins as text does. What is coded may by chance begin with the same byte.
fn is_text(head: &[u8], coding: &str) -> bool {
    let printed = |byte: &u8| *byte >= b' ' || matches!(byte, b'\t' | b'\r' | b'\n');
    let marked = match head {
        [] => true,
        [b'<', b'!' | b'/' | b'?', ..] => true,
        [b'<', next, ..] => next.is_ascii_alphabetic(),
        [b'{', next, ..] => matches!(next, b'"' | b'}') || next.is_ascii_whitespace(),
        [b'[', next, ..] => b"{[\"]-0123456789tfn".contains(next) || next.is_ascii_whitespace(),
        [b'{' | b'[' | b'<'] => true,
        // Gzip always begins with its mark.
        _ => matches!(coding, "gzip" | "x-gzip"),
    };
    marked && head.iter().all(printed)
}

/// The stream with its first bytes looked at.
fn looked_at<'a>(mut stream: Box<dyn Read + 'a>) -> (Box<dyn Read + 'a>, Vec<u8>) {
    let mut head = Vec::with_capacity(LOOKED_AT);
    // What is wrong with the stream shows again when it is read.
    drop(stream.by_ref().take(LOOKED_AT as u64).read_to_end(&mut head));
    (Box::new(Cursor::new(head.clone()).chain(stream)), head)
}

/// Ends where the coding is broken, and says so in the flow; refuses bombs; digests what comes out.
struct Lenient<'a> {
    inner: Box<dyn Read + 'a>,
    flow: Shared,
    made: u64,
}

impl Read for Lenient<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to);
        let mut flow = self.flow.borrow_mut();
        let Ok(count) = read else {
            flow.blame(ContainerFault::Body);
            return Ok(0);
        };
        self.made += count as u64;
        if self.made > DECODED_FREE && self.made / RATIO_MAX > flow.consumed {
            flow.blame(ContainerFault::Bomb);
            return Ok(0);
        }
        if let Some(check) = &mut flow.decoded {
            check.update(to.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

#[derive(Clone, Copy)]
enum Chunk {
    /// In the size, before its extensions.
    Size,
    /// Past the size, up to the line's end.
    Extension,
    Data,
    /// After data, up to the line's end.
    DataEnd,
    /// After the last chunk: trailer fields; the flag is whether the line is empty so far.
    Trailer(bool),
    End,
}

/// A chunked body without its chunks.
struct Chunks<'a> {
    inner: Box<dyn Read + 'a>,
    flow: Shared,
    left: u64,
    state: Chunk,
    digits: u32,
}

impl Chunks<'_> {
    /// One byte of what stands between the data. None where it cannot stand.
    fn between(&mut self, byte: u8) -> Option<()> {
        self.state = match (self.state, byte) {
            (Chunk::Size, _) if byte.is_ascii_hexdigit() => {
                self.digits += 1;
                let digit = char::from(byte).to_digit(16)?;
                self.left = self.left.checked_mul(16)?.checked_add(u64::from(digit))?;
                Chunk::Size
            }
            (Chunk::Size, _) if self.digits == 0 => return None,
            (Chunk::Size | Chunk::Extension, b'\n') if self.left == 0 => Chunk::Trailer(true),
            (Chunk::Size | Chunk::Extension, b'\n') => Chunk::Data,
            (Chunk::Size, b';' | b' ' | b'\t' | b'\r') | (Chunk::Extension, _) => Chunk::Extension,
            (Chunk::Size, _) => return None,
            (Chunk::DataEnd, b'\n') => {
                self.digits = 0;
                Chunk::Size
            }
            (Chunk::DataEnd, b'\r') => Chunk::DataEnd,
            (Chunk::Trailer(true), b'\n') => Chunk::End,
            (Chunk::Trailer(empty), b'\r') => Chunk::Trailer(empty),
            (Chunk::Trailer(_), _) => Chunk::Trailer(byte == b'\n'),
            (Chunk::DataEnd | Chunk::Data | Chunk::End, _) => return None,
        };
        Some(())
    }

    fn end(&mut self, sound: bool) {
        self.state = Chunk::End;
        let mut flow = self.flow.borrow_mut();
        flow.complete = sound;
        if !sound {
            flow.blame(ContainerFault::Http);
        }
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                Chunk::End => return Ok(0),
                Chunk::Data => {
                    let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(to.len());
                    let count = to.get_mut(..most).map_or(Ok(0), |to| self.inner.read(to))?;
                    self.left -= count as u64;
                    if self.left == 0 {
                        self.state = Chunk::DataEnd;
                    } else if count == 0 && most > 0 {
                        self.end(false);
                    }
                    if let Some(check) = &mut self.flow.borrow_mut().unchunked {
                        check.update(to.get(..count).unwrap_or_default());
                    }
                    return Ok(count);
                }
                _ => {
                    let mut byte = [0];
                    let count = self.inner.read(&mut byte)?;
                    let done = matches!(self.state, Chunk::Trailer(_)) && count == 0;
                    if done || count == 0 || self.between(byte[0]).is_none() {
                        self.end(done);
                    } else if matches!(self.state, Chunk::End) {
                        self.end(true);
                    }
                }
            }
        }
    }
}
