//! The index of a segment: which fragment stands where, and what its bytes hash to.

use crate::ledger::{Hash, leaf_hash, root_of};
use crate::model::{FragmentId, SegmentId};
use std::collections::BTreeMap;

/// First bytes of a segment.
pub(super) const MAGIC: &[u8; 8] = b"KNIKSEG1";
/// Version of the segment's form.
pub(super) const VERSION: u16 = 1;
/// Magic, version, two reserved bytes, segment id.
pub(super) const HEADER_BYTES: u64 = 28;
/// What stands before a sealed fragment: its id and its length.
pub const ENVELOPE_HEADER_BYTES: u64 = 24;
/// Length of the trailer: the last bytes of a segment, from which a reader by range starts.
pub const TRAILER_BYTES: u64 = 24;

const INDEX_MAGIC: &[u8; 8] = b"KNIKIDX1";
const TRAILER_MAGIC: &[u8; 8] = b"KNIKEND1";

/// Why bytes are no sound segment, or why a segment cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Not a segment at all, or not to its end.
    #[error("not a whole segment: {missing} is not where it should be")]
    NotASegment {
        /// Which part.
        missing: &'static str,
    },
    /// Written by a newer program.
    #[error("segment version {found} is not known")]
    Version {
        /// The version found.
        found: u16,
    },
    /// Header, index or trailer were changed.
    #[error("the segment is damaged: {what}")]
    Damaged {
        /// What disagrees.
        what: &'static str,
    },
    /// One envelope was changed; the others may be sound.
    #[error("envelope {position} of the segment is damaged (fragment {fragment})")]
    EnvelopeDamaged {
        /// Its place in the index, from 0.
        position: usize,
        /// The fragment in it.
        fragment: FragmentId,
    },
    /// The segment holds no such fragment.
    #[error("the segment does not hold this fragment")]
    NoFragment,
    /// The same fragment twice in one segment.
    #[error("the segment holds this fragment already")]
    Twice,
}

/// Where one envelope stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// The fragment in it.
    pub fragment: FragmentId,
    /// First byte of the envelope in the segment.
    pub offset: u64,
    /// Length of the envelope with its header, in bytes.
    pub length: u64,
    /// RFC 6962 leaf hash of the envelope with its header.
    pub hash: Hash,
}

/// The last 24 bytes of a segment: where the index stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// First byte of the index.
    pub index_offset: u64,
    /// Length of the index in bytes.
    pub index_length: u64,
}

impl Trailer {
    /// Reads the last [`TRAILER_BYTES`] of a segment of `size` bytes.
    ///
    /// # Errors
    /// [`SegmentError::NotASegment`] unless index and trailer end exactly where the segment ends.
    pub fn parse(bytes: &[u8], size: u64) -> Result<Self, SegmentError> {
        const MISSING: SegmentError = SegmentError::NotASegment { missing: "the trailer" };
        let mut rest = Fields(bytes);
        let (index_offset, index_length) = (rest.number().ok_or(MISSING)?, rest.number().ok_or(MISSING)?);
        let end = index_offset.checked_add(index_length).and_then(|end| end.checked_add(TRAILER_BYTES));
        let sound = rest.0 == TRAILER_MAGIC && end == Some(size) && index_offset >= HEADER_BYTES;
        if sound { Ok(Self { index_offset, index_length }) } else { Err(MISSING) }
    }

    pub(super) fn write(self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.index_offset.to_be_bytes());
        to.extend_from_slice(&self.index_length.to_be_bytes());
        to.extend_from_slice(TRAILER_MAGIC);
    }
}

/// What a segment holds, without the bytes of the envelopes: enough to fetch one by range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentIndex {
    segment: SegmentId,
    entries: Vec<IndexEntry>,
    places: BTreeMap<FragmentId, usize>,
    root: Hash,
}

impl SegmentIndex {
    /// Reads the bytes that `trailer` points to. Envelopes must follow one another without gaps,
    /// each fragment once, and the root must be that of their hashes.
    ///
    /// # Errors
    /// [`SegmentError::NotASegment`], [`SegmentError::Damaged`].
    pub fn parse(bytes: &[u8], trailer: Trailer) -> Result<Self, SegmentError> {
        const MISSING: SegmentError = SegmentError::NotASegment { missing: "the index" };
        let mut rest = Fields(bytes);
        if bytes.len() as u64 != trailer.index_length || rest.take::<8>() != Some(INDEX_MAGIC) {
            return Err(MISSING);
        }
        let mut index = Self::new(SegmentId::from_uuid(rest.id().ok_or(MISSING)?));
        let count = rest.number().ok_or(MISSING)?;
        for _ in 0..count {
            let entry = rest.entry().ok_or(MISSING)?;
            if entry.offset != index.end() || entry.length < ENVELOPE_HEADER_BYTES {
                return Err(SegmentError::Damaged { what: "an offset or length in the index" });
            }
            entry.offset.checked_add(entry.length).ok_or(MISSING)?;
            index.push(entry).map_err(|_| SegmentError::Damaged { what: "a fragment stands twice" })?;
        }
        let root = Hash::from_bytes(*rest.take::<32>().ok_or(MISSING)?);
        index.close();
        if !rest.0.is_empty() || index.end() != trailer.index_offset {
            return Err(SegmentError::Damaged { what: "index and envelopes do not meet" });
        }
        if index.root != root {
            return Err(SegmentError::Damaged { what: "root of the index" });
        }
        Ok(index)
    }

    pub(super) fn new(segment: SegmentId) -> Self {
        Self { segment, entries: Vec::new(), places: BTreeMap::new(), root: Hash::empty() }
    }

    pub(super) fn push(&mut self, entry: IndexEntry) -> Result<(), SegmentError> {
        if self.places.insert(entry.fragment, self.entries.len()).is_some() {
            return Err(SegmentError::Twice);
        }
        self.entries.push(entry);
        Ok(())
    }

    pub(super) fn holds(&self, fragment: FragmentId) -> bool {
        self.places.contains_key(&fragment)
    }

    /// Computes the root once all entries are in.
    pub(super) fn close(&mut self) {
        let hashes: Vec<Hash> = self.entries.iter().map(|entry| entry.hash).collect();
        self.root = root_of(&hashes);
    }

    /// One past the last envelope.
    fn end(&self) -> u64 {
        self.entries.last().map_or(HEADER_BYTES, |last| last.offset.saturating_add(last.length))
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(INDEX_MAGIC);
        to.extend_from_slice(self.segment.as_bytes());
        to.extend_from_slice(&(self.entries.len() as u64).to_be_bytes());
        for entry in &self.entries {
            to.extend_from_slice(entry.fragment.as_bytes());
            to.extend_from_slice(&entry.offset.to_be_bytes());
            to.extend_from_slice(&entry.length.to_be_bytes());
            to.extend_from_slice(entry.hash.as_bytes());
        }
        to.extend_from_slice(self.root.as_bytes());
    }

    /// Which segment.
    #[must_use]
    pub const fn segment(&self) -> SegmentId {
        self.segment
    }

    /// Every envelope, in the order of the segment.
    #[must_use]
    pub fn entries(&self) -> &[IndexEntry] {
        &self.entries
    }

    /// Merkle root (RFC 6962) over the envelopes: what the catalogue keeps to know the segment by.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// Where a fragment's envelope stands.
    ///
    /// # Errors
    /// [`SegmentError::NoFragment`].
    pub fn find(&self, fragment: FragmentId) -> Result<IndexEntry, SegmentError> {
        let place = self.places.get(&fragment).and_then(|place| self.entries.get(*place));
        place.copied().ok_or(SegmentError::NoFragment)
    }

    /// The sealed fragment in an envelope that was fetched by range, its fixity checked.
    ///
    /// # Errors
    /// [`SegmentError::NoFragment`], [`SegmentError::EnvelopeDamaged`].
    pub fn sealed<'a>(&self, fragment: FragmentId, envelope: &'a [u8]) -> Result<&'a [u8], SegmentError> {
        let position = *self.places.get(&fragment).ok_or(SegmentError::NoFragment)?;
        let entry = self.find(fragment)?;
        let damaged = SegmentError::EnvelopeDamaged { position, fragment };
        let mut rest = Fields(envelope);
        let same_header = rest.id() == Some(fragment.uuid())
            && rest.number() == entry.length.checked_sub(ENVELOPE_HEADER_BYTES)
            && envelope.len() as u64 == entry.length;
        if same_header && leaf_hash(envelope) == entry.hash { Ok(rest.0) } else { Err(damaged) }
    }
}

/// Bytes read field by field from the front.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(field)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        self.take().map(|bytes| u64::from_be_bytes(*bytes))
    }

    pub(super) fn id(&mut self) -> Option<uuid::Uuid> {
        self.take().map(|bytes| uuid::Uuid::from_bytes(*bytes))
    }

    fn entry(&mut self) -> Option<IndexEntry> {
        Some(IndexEntry {
            fragment: FragmentId::from_uuid(self.id()?),
            offset: self.number()?,
            length: self.number()?,
            hash: Hash::from_bytes(*self.take()?),
        })
    }
}
