//! Writing and reading whole segments. A segment holds sealed fragments and no key.

use super::index::{
    ENVELOPE_HEADER_BYTES, Fields, IndexEntry, MAGIC, SegmentError, SegmentIndex, TRAILER_BYTES, Trailer,
    VERSION,
};
use crate::ledger::{Hash, leaf_hash};
use crate::model::{FragmentId, SegmentId};

/// Puts sealed fragments one after another. In memory: the caller starts a new segment in time.
#[derive(Debug)]
pub struct SegmentWriter {
    bytes: Vec<u8>,
    index: SegmentIndex,
}

/// A finished segment, to be written once and never changed.
#[derive(Debug)]
pub struct SealedSegment {
    /// The whole segment.
    pub bytes: Vec<u8>,
    /// What stands where in it.
    pub index: SegmentIndex,
}

impl SegmentWriter {
    /// An empty segment under an id that the caller drew.
    #[must_use]
    pub fn new(segment: SegmentId) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(segment.as_bytes());
        Self { bytes, index: SegmentIndex::new(segment) }
    }

    /// Adds what [`seal_fragment`](super::seal_fragment) made.
    ///
    /// # Errors
    /// [`SegmentError::Twice`]; the segment is as it was.
    pub fn add(&mut self, fragment: FragmentId, sealed: &[u8]) -> Result<IndexEntry, SegmentError> {
        if self.index.holds(fragment) {
            return Err(SegmentError::Twice);
        }
        let start = self.bytes.len();
        let sealed_length = sealed.len() as u64;
        self.bytes.extend_from_slice(fragment.as_bytes());
        self.bytes.extend_from_slice(&sealed_length.to_be_bytes());
        self.bytes.extend_from_slice(sealed);
        let entry = IndexEntry {
            fragment,
            offset: start as u64,
            length: sealed_length + ENVELOPE_HEADER_BYTES,
            hash: leaf_hash(self.bytes.get(start..).unwrap_or_default()),
        };
        self.index.push(entry)?;
        Ok(entry)
    }

    /// Bytes so far, without index and trailer.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Fragments so far.
    #[must_use]
    pub fn fragments(&self) -> usize {
        self.index.entries().len()
    }

    /// Closes the segment with its index and trailer.
    #[must_use]
    pub fn finish(mut self) -> SealedSegment {
        let index_offset = self.bytes.len() as u64;
        self.index.close();
        self.index.write(&mut self.bytes);
        let index_length = self.bytes.len() as u64 - index_offset;
        Trailer { index_offset, index_length }.write(&mut self.bytes);
        SealedSegment { bytes: self.bytes, index: self.index }
    }
}

/// A whole segment in memory, its structure checked. Fixity of the envelopes is checked when one is
/// taken, or for all by [`verify`](Self::verify).
#[derive(Debug)]
pub struct SegmentReader<'a> {
    bytes: &'a [u8],
    index: SegmentIndex,
}

impl<'a> SegmentReader<'a> {
    /// Reads header, trailer and index.
    ///
    /// # Errors
    /// Any [`SegmentError`] but those of one envelope.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SegmentError> {
        let segment = header(bytes)?;
        let missing = |missing| SegmentError::NotASegment { missing };
        let (_, trailer) =
            bytes.split_last_chunk::<{ TRAILER_BYTES as usize }>().ok_or(missing("the trailer"))?;
        let trailer = Trailer::parse(trailer, bytes.len() as u64)?;
        let at = slice(bytes, trailer.index_offset, trailer.index_length).ok_or(missing("the index"))?;
        let index = SegmentIndex::parse(at, trailer)?;
        if index.segment() != segment {
            return Err(SegmentError::Damaged { what: "header and index name different segments" });
        }
        Ok(Self { bytes, index })
    }

    /// What stands where.
    #[must_use]
    pub const fn index(&self) -> &SegmentIndex {
        &self.index
    }

    /// The sealed fragment, its fixity checked.
    ///
    /// # Errors
    /// [`SegmentError::NoFragment`], [`SegmentError::EnvelopeDamaged`].
    pub fn sealed(&self, fragment: FragmentId) -> Result<&'a [u8], SegmentError> {
        let entry = self.index.find(fragment)?;
        let envelope = slice(self.bytes, entry.offset, entry.length).unwrap_or_default();
        self.index.sealed(fragment, envelope)
    }

    /// Checks every byte and gives the root, to be compared with the one the catalogue keeps.
    /// Needs no key.
    ///
    /// # Errors
    /// [`SegmentError::EnvelopeDamaged`], naming the first.
    pub fn verify(&self) -> Result<Hash, SegmentError> {
        for entry in self.index.entries() {
            self.sealed(entry.fragment)?;
        }
        Ok(self.index.root())
    }
}

fn header(bytes: &[u8]) -> Result<SegmentId, SegmentError> {
    const MISSING: SegmentError = SegmentError::NotASegment { missing: "the header" };
    let mut rest = Fields(bytes);
    if rest.take::<8>() != Some(MAGIC) {
        return Err(MISSING);
    }
    let found = u16::from_be_bytes(*rest.take::<2>().ok_or(MISSING)?);
    if found != VERSION {
        return Err(SegmentError::Version { found });
    }
    if rest.take::<2>().ok_or(MISSING)? != &[0, 0] {
        return Err(SegmentError::Damaged { what: "reserved bytes of the header" });
    }
    rest.id().map(SegmentId::from_uuid).ok_or(MISSING)
}

fn slice(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    bytes.get(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn fragment(n: usize) -> FragmentId {
        FragmentId::from_uuid(Uuid::from_u128(1000 + n as u128))
    }

    fn written(parts: &[Vec<u8>]) -> SealedSegment {
        let mut writer = SegmentWriter::new(SegmentId::from_uuid(Uuid::from_u128(7)));
        for (n, part) in parts.iter().enumerate() {
            writer.add(fragment(n), part).unwrap();
        }
        writer.finish()
    }

    /// Structure and every envelope.
    fn verified(bytes: &[u8]) -> Result<Hash, SegmentError> {
        SegmentReader::parse(bytes)?.verify()
    }

    #[test]
    fn an_empty_segment_is_sound() {
        let segment = written(&[]);
        assert_eq!(segment.bytes.len(), 28 + 64 + 24);
        assert_eq!(verified(&segment.bytes), Ok(Hash::empty()));
    }

    #[test]
    fn a_fragment_stands_once() {
        let mut writer = SegmentWriter::new(SegmentId::from_uuid(Uuid::from_u128(7)));
        writer.add(fragment(1), b"one").unwrap();
        let size = writer.size();
        assert_eq!(writer.add(fragment(1), b"two"), Err(SegmentError::Twice));
        assert_eq!((writer.size(), writer.fragments()), (size, 1));
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let segment = written(&[b"first".to_vec(), vec![], b"third".to_vec()]);
        for bit in 0..segment.bytes.len() * 8 {
            let mut bytes = segment.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(verified(&bytes) != Ok(segment.index.root()), "bit {bit}");
        }
        for cut in 0..segment.bytes.len() {
            assert!(verified(&segment.bytes[..cut]).is_err(), "cut at {cut}");
        }
        let longer = [segment.bytes.as_slice(), b"x"].concat();
        assert!(verified(&longer).is_err());
    }

    #[test]
    fn the_first_damaged_envelope_is_named_and_the_others_are_read() {
        let mut segment = written(&[b"first".to_vec(), b"second".to_vec(), b"third".to_vec()]);
        let second = segment.index.entries()[1];
        segment.bytes[(second.offset + second.length) as usize - 1] ^= 1;
        let damaged = SegmentError::EnvelopeDamaged { position: 1, fragment: fragment(1) };
        let reader = SegmentReader::parse(&segment.bytes).unwrap();
        assert_eq!(reader.verify(), Err(damaged.clone()));
        assert_eq!(reader.sealed(fragment(1)), Err(damaged));
        assert_eq!(reader.sealed(fragment(2)), Ok(b"third".as_slice()));
        assert_eq!(reader.sealed(fragment(3)), Err(SegmentError::NoFragment));
    }

    #[test]
    fn one_fragment_can_be_read_by_ranges() {
        let segment = written(&[b"first".to_vec(), b"second".to_vec()]);
        let range = |offset: u64, length: u64| &segment.bytes[offset as usize..(offset + length) as usize];
        let size = segment.bytes.len() as u64;
        let trailer = Trailer::parse(range(size - TRAILER_BYTES, TRAILER_BYTES), size).unwrap();
        let index = SegmentIndex::parse(range(trailer.index_offset, trailer.index_length), trailer).unwrap();
        assert_eq!(index, segment.index);
        let entry = index.find(fragment(1)).unwrap();
        assert_eq!(index.sealed(fragment(1), range(entry.offset, entry.length)), Ok(b"second".as_slice()));
        let first = index.find(fragment(0)).unwrap();
        assert!(index.sealed(fragment(1), range(first.offset, first.length)).is_err());
    }

    proptest! {
        #[test]
        fn what_was_added_is_read(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..60)) {
            let segment = written(&parts);
            let reader = SegmentReader::parse(&segment.bytes).unwrap();
            prop_assert_eq!(reader.verify(), Ok(segment.index.root()));
            for (n, part) in parts.iter().enumerate() {
                prop_assert_eq!(reader.sealed(fragment(n)), Ok(part.as_slice()));
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            at in any::<prop::sample::Index>(), put in any::<[u8; 8]>(),
        ) {
            let _ = verified(&bytes);
            let _ = Trailer::parse(&bytes, bytes.len() as u64);
            let length = bytes.len() as u64;
            let _ = SegmentIndex::parse(&bytes, Trailer { index_offset: 28, index_length: length });
            let mut segment = written(&[bytes.clone(), bytes]).bytes;
            let start = at.index(segment.len() - 7);
            segment[start..start + 8].copy_from_slice(&put);
            let _ = verified(&segment);
        }
    }
}
