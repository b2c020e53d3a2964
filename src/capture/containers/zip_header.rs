//! The headers of a ZIP archive (APPNOTE.TXT 6.3.10), as far as they matter.

use super::tap::Tap;
use std::io;

pub(super) const ENTRY: [u8; 4] = *b"PK\x03\x04";
pub(super) const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
pub(super) const DIRECTORY: [u8; 4] = *b"PK\x01\x02";

/// What marks a file or folder of a WACZ: one of them is its first entry.
const WACZ: [&[u8]; 7] =
    [b"archive/", b"indexes/", b"pages/", b"datapackage", b"fuzzy.json", b"logs/", b"data/archive/"];

/// Whether the head of a ZIP archive is that of a WACZ, by the name of its first entry.
pub(super) fn begins_wacz(head: &[u8]) -> bool {
    let name = head.get(30..).unwrap_or_default();
    head.starts_with(&ENTRY) && WACZ.iter().any(|known| name.starts_with(known))
}

/// A local header, or what a central one says of the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) name: Vec<u8>,
    /// Whether sizes have 8 bytes.
    pub(super) wide: bool,
    /// Where the entry starts; of a central header only.
    pub(super) offset: u64,
}

impl Header {
    /// Reads a local header after its mark. None when the stream ends in it.
    pub(super) fn local(tap: &Tap<'_>) -> io::Result<Option<Self>> {
        let Some(fixed) = tap.array::<26>()? else { return Ok(None) };
        let mut header = Self::fixed(&mut Fields(fixed.get(2..).unwrap_or_default()));
        let mut lengths = Fields(fixed.get(22..).unwrap_or_default());
        let (name, extra) = (lengths.short().into(), lengths.short().into());
        header.variable(tap, name, extra, 0)
    }

    /// Reads a central header after its mark.
    pub(super) fn central(tap: &Tap<'_>) -> io::Result<Option<Self>> {
        let Some(fixed) = tap.array::<42>()? else { return Ok(None) };
        let mut header = Self::fixed(&mut Fields(fixed.get(4..).unwrap_or_default()));
        let mut lengths = Fields(fixed.get(24..).unwrap_or_default());
        let (name, extra) = (lengths.short().into(), lengths.short().into());
        let comment = usize::from(lengths.short());
        header.offset = Fields(fixed.get(38..).unwrap_or_default()).long().into();
        header.variable(tap, name, extra, comment)
    }

    fn fixed(fields: &mut Fields<'_>) -> Self {
        let (flags, method) = (fields.short(), fields.short());
        let _time = fields.long();
        let crc = fields.long();
        let (packed, size) = (fields.long().into(), fields.long().into());
        Self { flags, method, crc, packed, size, name: Vec::new(), wide: false, offset: 0 }
    }

    fn variable(
        &mut self,
        tap: &Tap<'_>,
        name: usize,
        extra: usize,
        comment: usize,
    ) -> io::Result<Option<Self>> {
        let bytes = tap.up_to(name + extra + comment)?;
        if bytes.len() < name + extra + comment {
            return Ok(None);
        }
        self.name = bytes.get(..name).unwrap_or_default().to_vec();
        let mut extra = Fields(bytes.get(name..name + extra).unwrap_or_default());
        while extra.0.len() >= 4 {
            let (id, length) = (extra.short(), usize::from(extra.short()));
            let mut field = Fields(extra.0.get(..length).unwrap_or_default());
            extra.0 = extra.0.get(length..).unwrap_or_default();
            if id == 1 {
                self.wide = true;
                for value in [&mut self.size, &mut self.packed, &mut self.offset] {
                    if *value == u64::from(u32::MAX) && field.0.len() >= 8 {
                        *value = field.wide();
                    }
                }
            }
        }
        Ok(Some(self.clone()))
    }

    pub(super) const fn encrypted(&self) -> bool {
        self.flags & 0x2041 != 0
    }

    /// Whether checksum and sizes come after the data.
    pub(super) const fn described_after(&self) -> bool {
        self.flags & 8 != 0
    }

    /// Whether the name leads out of the folder the archive would be unpacked in.
    pub(super) fn leads_out(&self) -> bool {
        let parts = || self.name.split(|byte| matches!(byte, b'/' | b'\\'));
        let drive = matches!(self.name.as_slice(), [_, b':', ..]);
        let absolute = self.name.first().is_none_or(|byte| matches!(byte, b'/' | b'\\'));
        absolute || drive || self.name.contains(&0) || parts().any(|part| part == b"..")
    }

    /// A folder, or what a file system added of its own.
    pub(super) fn is_no_file(&self) -> bool {
        let last = self.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        last.is_empty() || last.starts_with(b"._") || last == b".DS_Store" || last == b"Thumbs.db"
    }
}

/// Little-endian numbers; 0 past the end (lengths are checked before).
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *field
    }

    pub(super) fn short(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    pub(super) fn long(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(super) fn wide(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}
