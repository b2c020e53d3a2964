//! An original, sealed and opened: an ordered list of parts made of pieces of fragments.

use super::{SegmentKey, WrappedKey};
use crate::model::{ByteRange, CaptureId, FragmentId, OrganisationId, RecordId, SegmentId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The most bytes one original may have when opened.
pub const ORIGINAL_BYTES_MAX: u64 = 1 << 30;

/// One record's original as it lies in storage, with what is needed to open it except permission.
///
/// That these fragments are this record's is what the catalogue says; the seals bind fragments to
/// organisation and capture, not to a record, because records share fragments.
pub struct SealedOriginal {
    /// Which record.
    pub record: RecordId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The capture its fragments were cut from.
    pub capture: CaptureId,
    /// The fragments, in any order; pieces name them by their place here.
    pub fragments: Vec<SealedFragment>,
    /// How the original is put together. Part 0 is the item itself.
    pub parts: Vec<PartLayout>,
}

impl fmt::Debug for SealedOriginal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedOriginal").field("record", &self.record).finish_non_exhaustive()
    }
}

/// One fragment with the keys above it.
pub struct SealedFragment {
    /// Which fragment.
    pub fragment: FragmentId,
    /// In which segment it lies.
    pub segment: SegmentId,
    /// The segment's key, from a [`MasterKeyring`](super::MasterKeyring); shared by the fragments of a segment.
    pub segment_key: Arc<SegmentKey>,
    /// The fragment's key, from the key table.
    pub key: WrappedKey,
    /// The sealed fragment as the segment holds it, without the envelope's header.
    pub sealed: Bytes,
}

impl fmt::Debug for SealedFragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFragment").field("fragment", &self.fragment).finish_non_exhaustive()
    }
}

/// How one part of an original is put together: its pieces joined, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartLayout {
    /// What the part is to the item: `item`, `author`, `media`. A word of the format, never content.
    pub role: String,
    /// The pieces.
    pub pieces: Vec<Piece>,
}

/// A range of one fragment's plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Place of the fragment in the list of fragments.
    pub fragment: usize,
    /// Bytes within the fragment's plaintext (not within the capture).
    pub range: ByteRange,
}

/// An opened original: exact bytes as captured. Not `Clone`, not `Display`, not `Serialize`;
/// `Debug` hides it; the memory is wiped on drop. What is done with the bytes is the caller's part.
pub struct Original {
    parts: Vec<OriginalPart>,
}

/// One part of an opened original.
pub struct OriginalPart {
    role: String,
    bytes: Zeroizing<Vec<u8>>,
}

impl Original {
    /// Every part: its role and its bytes, the item itself first.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.parts.iter().map(|part| (part.role.as_str(), part.bytes.as_slice()))
    }

    /// The bytes of the item itself.
    #[must_use]
    pub fn item(&self) -> &[u8] {
        self.parts.first().map(|part| part.bytes.as_slice()).unwrap_or_default()
    }

    /// Joins pieces of plaintext; `None` when the layout does not fit the fragments, has no part, or
    /// is larger than [`ORIGINAL_BYTES_MAX`].
    pub(super) fn assemble(layout: Vec<PartLayout>, plain: &[Zeroizing<Vec<u8>>]) -> Option<Self> {
        let pieces = || layout.iter().flat_map(|part| &part.pieces);
        let total = pieces().try_fold(0_u64, |sum, piece| sum.checked_add(piece.range.len()))?;
        if layout.is_empty() || total > ORIGINAL_BYTES_MAX {
            return None;
        }
        let parts = layout.into_iter().map(|part| OriginalPart::join(part, plain));
        parts.collect::<Option<Vec<_>>>().map(|parts| Self { parts })
    }
}

impl OriginalPart {
    /// Reserves first, so that no copy of the plaintext stays behind in a smaller buffer.
    fn join(layout: PartLayout, plain: &[Zeroizing<Vec<u8>>]) -> Option<Self> {
        let slices = layout.pieces.iter().map(|piece| piece.of(plain)).collect::<Option<Vec<_>>>()?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(slices.iter().map(|slice| slice.len()).sum()));
        slices.into_iter().for_each(|slice| bytes.extend_from_slice(slice));
        Some(Self { role: layout.role, bytes })
    }
}

impl Piece {
    fn of(self, plain: &[Zeroizing<Vec<u8>>]) -> Option<&[u8]> {
        let start = usize::try_from(self.range.start).ok()?;
        let end = usize::try_from(self.range.end).ok()?;
        plain.get(self.fragment)?.get(start..end)
    }
}

impl fmt::Debug for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Original(..)")
    }
}

impl fmt::Debug for OriginalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OriginalPart(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(pieces: &[(usize, u64, u64)]) -> PartLayout {
        let piece =
            |&(fragment, start, end): &(usize, u64, u64)| Piece { fragment, range: ByteRange { start, end } };
        PartLayout { role: "item".into(), pieces: pieces.iter().map(piece).collect() }
    }

    fn plain() -> Vec<Zeroizing<Vec<u8>>> {
        vec![Zeroizing::new(b"outer{}post".to_vec()), Zeroizing::new(b"quote".to_vec()), Zeroizing::default()]
    }

    #[test]
    fn a_quote_is_put_back_in_its_place() {
        let parts =
            vec![layout(&[(0, 0, 6), (1, 0, 5), (0, 6, 11)]), layout(&[]), layout(&[(2, 0, 0), (1, 1, 2)])];
        let original = Original::assemble(parts, &plain()).unwrap();
        let parts: Vec<&[u8]> = original.parts().map(|(_, bytes)| bytes).collect();
        assert_eq!(parts, [b"outer{quote}post".as_slice(), b"", b"u"]);
        assert_eq!(original.item(), b"outer{quote}post");
        assert_eq!(format!("{original:?}"), "Original(..)");
    }

    #[test]
    fn a_layout_that_does_not_fit_is_refused() {
        let too_much = vec![(0, 0, ORIGINAL_BYTES_MAX), (0, 0, 1)];
        for bad in
            [vec![(3, 0, 0)], vec![(0, 0, 12)], vec![(0, 3, 2)], vec![(0, u64::MAX, u64::MAX)], too_much]
        {
            assert!(Original::assemble(vec![layout(&bad)], &plain()).is_none(), "{bad:?}");
        }
        assert!(Original::assemble(vec![], &plain()).is_none());
    }
}
