//! The data of one ZIP entry, read forward: stored or deflated, with its length known before or only after.

use super::digest::Hash;
use super::fault::ContainerFault;
use super::tap::Tap;
use super::zip_header::{DESCRIPTOR, Fields, Header};
use super::{DECODED_FREE, RATIO_MAX};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;
use zeroize::Zeroizing;

/// Largest entry that is kept whole beside being read: the lists of a WACZ.
const KEPT_MAX: usize = 16 << 20;

/// How the data is packed.
enum Packing {
    /// As it is, so many bytes.
    Stored(u64),
    /// As it is, up to the descriptor whose checksum and length fit; bytes that were looked at and are data.
    StoredUntil(VecDeque<u8>),
    /// Deflated; how many bytes at most.
    Deflated(Box<Decompress>, u64),
    Ended,
}

/// What is known of an entry's data while it is read.
pub(super) struct Data {
    packing: Packing,
    crc: Crc,
    /// Bytes read and bytes made of them.
    packed: u64,
    pub(super) made: u64,
    /// Digests, for a WACZ.
    pub(super) hashes: Vec<(&'static str, Hash)>,
    /// The data itself, where it is wanted and not too long.
    pub(super) kept: Option<Zeroizing<Vec<u8>>>,
    pub(super) fault: Option<ContainerFault>,
    pub(super) cut_short: bool,
    /// Whether a descriptor was read with the data.
    described: bool,
    /// Whether it is passed over as it is, so that its length when unpacked is not known.
    opaque: bool,
    kept_max: usize,
}

impl Data {
    /// None when the packing is not known.
    pub(super) fn new(header: &Header, kept_max: usize) -> Option<Self> {
        let unknown = header.described_after() && header.packed == 0;
        let packing = match header.method {
            0 if unknown => Packing::StoredUntil(VecDeque::new()),
            0 => Packing::Stored(header.packed),
            8 => Packing::Deflated(
                Box::new(Decompress::new(false)),
                if unknown { u64::MAX } else { header.packed },
            ),
            _ => return None,
        };
        Some(Self::of(packing, kept_max))
    }

    fn of(packing: Packing, kept_max: usize) -> Self {
        Self {
            packing,
            crc: Crc::new(),
            packed: 0,
            made: 0,
            hashes: Vec::new(),
            kept: None,
            fault: None,
            cut_short: false,
            described: false,
            opaque: false,
            kept_max,
        }
    }

    /// Data that is passed over as it is.
    pub(super) fn opaque(length: u64) -> Self {
        Self { opaque: true, ..Self::of(Packing::Stored(length), usize::MAX) }
    }

    fn fail(&mut self, fault: ContainerFault) {
        self.fault.get_or_insert(fault);
        self.packing = Packing::Ended;
    }

    /// Reads data; 0 at its end, or where it is broken.
    fn read(&mut self, tap: &Tap<'_>, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        if tap.kept() > self.kept_max {
            self.fault.get_or_insert(ContainerFault::Body);
            return Ok(0);
        }
        let count = match &mut self.packing {
            Packing::Ended => 0,
            Packing::Stored(left) => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX).min(to.len());
                let count = to.get_mut(..most).map_or(Ok(0), |to| tap.clone().read(to))?;
                *left -= count as u64;
                self.packed += count as u64;
                self.cut_short = count == 0 && *left > 0;
                count
            }
            Packing::StoredUntil(_) => self.until_descriptor(tap, to)?,
            Packing::Deflated(..) => self.inflate(tap, to)?,
        };
        self.pass(to.get(..count).unwrap_or_default());
        if self.made > DECODED_FREE && self.made / RATIO_MAX > self.packed {
            self.fail(ContainerFault::Bomb);
        }
        Ok(count)
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.made += bytes.len() as u64;
        self.hashes.iter_mut().for_each(|(_, hash)| hash.update(bytes));
        if let Some(kept) = &mut self.kept {
            if kept.len().saturating_add(bytes.len()) > KEPT_MAX {
                self.kept = None;
            } else {
                kept.extend_from_slice(bytes);
            }
        }
    }

    fn inflate(&mut self, tap: &Tap<'_>, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let Packing::Deflated(inflater, left) = &mut self.packing else { return Ok(0) };
            let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            let (status, dry) = tap.read_with(|bytes| {
                let bytes = bytes.get(..most).unwrap_or(bytes);
                let status = inflater.decompress(bytes, to, FlushDecompress::None);
                let used = usize::try_from(inflater.total_in() - before_in).unwrap_or(usize::MAX);
                (used, (status, bytes.is_empty()))
            })?;
            let used = inflater.total_in() - before_in;
            let made = usize::try_from(inflater.total_out() - before_out).unwrap_or_default();
            *left = left.saturating_sub(used);
            let left = *left;
            self.packed += used;
            match status {
                Ok(Status::StreamEnd) => {
                    self.packing =
                        if left > 0 && left < u64::MAX / 2 { Packing::Stored(left) } else { Packing::Ended };
                    if let Packing::Stored(_) = self.packing {
                        self.fail(ContainerFault::ZipChecksum);
                        self.packing = Packing::Stored(left);
                    }
                    return Ok(made);
                }
                Err(_) => {
                    self.fail(ContainerFault::ZipBroken);
                    return Ok(made);
                }
                Ok(_) if made > 0 => return Ok(made),
                Ok(_) if dry => {
                    self.cut_short = left > 0;
                    self.fail(if left > 0 {
                        ContainerFault::ZipTruncated
                    } else {
                        ContainerFault::ZipChecksum
                    });
                    return Ok(0);
                }
                Ok(_) => {}
            }
        }
    }

    fn until_descriptor(&mut self, tap: &Tap<'_>, to: &mut [u8]) -> io::Result<usize> {
        let Packing::StoredUntil(pending) = &mut self.packing else { return Ok(0) };
        if pending.is_empty() {
            // Everything before a byte that may begin the mark is data.
            let count = tap.read_with(|bytes| {
                let stop = bytes.iter().position(|byte| *byte == DESCRIPTOR[0]).unwrap_or(bytes.len());
                let count = stop.min(to.len());
                to.iter_mut().zip(bytes).take(count).for_each(|(to, from)| *to = *from);
                (count, (count, bytes.is_empty()))
            })?;
            self.packed += count.0 as u64;
            if count.1 {
                self.cut_short = true;
                self.fail(ContainerFault::ZipTruncated);
                return Ok(0);
            }
            if count.0 > 0 {
                return Ok(count.0);
            }
        }
        let Packing::StoredUntil(pending) = &mut self.packing else { return Ok(0) };
        for (n, expected) in DESCRIPTOR.iter().enumerate() {
            if look(pending, tap, n)? != Some(*expected) {
                return Ok(self.one_pending(to));
            }
        }
        for wide in [false, true] {
            let length = if wide { 24 } else { 16 };
            if look(pending, tap, length - 1)?.is_none() {
                continue;
            }
            let bytes: Vec<u8> = pending.iter().copied().skip(4).take(length - 4).collect();
            let mut fields = Fields(&bytes);
            let crc = fields.long();
            let mut size = || if wide { fields.wide() } else { u64::from(fields.long()) };
            let (packed, size) = (size(), size());
            if crc == self.crc.sum() && packed == self.made && size == self.made {
                let exact = pending.len() == length;
                self.described = true;
                self.packing = Packing::Ended;
                if !exact {
                    self.fail(ContainerFault::ZipBroken);
                }
                return Ok(0);
            }
        }
        Ok(self.one_pending(to))
    }

    /// One byte that was looked at and turned out to be data.
    fn one_pending(&mut self, to: &mut [u8]) -> usize {
        let Packing::StoredUntil(pending) = &mut self.packing else { return 0 };
        match (pending.pop_front(), to.first_mut()) {
            (Some(byte), Some(slot)) => {
                *slot = byte;
                self.packed += 1;
                1
            }
            _ => 0,
        }
    }

    /// After the data: reads the descriptor, where there is one, and compares. None when the stream ends in it.
    pub(super) fn close(&mut self, tap: &Tap<'_>, header: &Header) -> io::Result<Option<bool>> {
        let sum = self.crc.sum();
        if self.described {
            return Ok(Some(true));
        }
        if !header.described_after() {
            return Ok(Some(sum == header.crc && self.made == header.size && self.packed == header.packed));
        }
        let Some(mut first) = tap.array::<4>()? else { return Ok(None) };
        if first == DESCRIPTOR {
            let Some(next) = tap.array::<4>()? else { return Ok(None) };
            first = next;
        }
        let Some(mut sizes) = tap.array::<8>()?.map(Vec::from) else { return Ok(None) };
        let mut fields = Fields(&sizes);
        let fits = fields.long() == self.packed as u32 && (self.opaque || fields.long() == self.made as u32);
        if header.wide || !fits {
            let Some(more) = tap.array::<8>()? else { return Ok(None) };
            sizes.extend(more);
            let mut fields = Fields(&sizes);
            let fits = fields.wide() == self.packed && (self.opaque || fields.wide() == self.made);
            return Ok(Some(fits && u32::from_le_bytes(first) == sum));
        }
        Ok(Some(u32::from_le_bytes(first) == sum))
    }

    /// Checksum and lengths, as the directory at the end must name them.
    pub(super) fn summary(&self) -> (u32, u64, u64) {
        (self.crc.sum(), self.packed, self.made)
    }
}

/// Byte `n` of what comes, without taking it as data.
fn look(pending: &mut VecDeque<u8>, tap: &Tap<'_>, n: usize) -> io::Result<Option<u8>> {
    while pending.len() <= n {
        match tap.byte()? {
            Some(byte) => pending.push_back(byte),
            None => return Ok(None),
        }
    }
    Ok(pending.get(n).copied())
}

/// The data as a stream. Clones go on where the others stopped.
#[derive(Clone)]
pub(super) struct Stream<'a> {
    pub(super) tap: Tap<'a>,
    pub(super) data: Rc<RefCell<Data>>,
}

impl Read for Stream<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.data.borrow_mut().read(&self.tap, to)
    }
}
