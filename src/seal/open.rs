//! The only way to plaintext.

use super::{Aad, ENVELOPE_VERSION, KeyError, Original, SealedFragment, SealedOriginal};
use crate::access::{Permit, SystemPermit};
use crate::ledger::Recorded;
use crate::model::{CaptureId, OrganisationId, PermitId, RecordId};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// Why an original was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The evidence records another opening than the permit allows: nothing was opened.
    #[error("the recorded entry is not of this permit")]
    NotRecorded,
    /// The sealed original is of a record the permit does not cover: nothing was opened.
    #[error("the sealed original is not of a record this permit covers")]
    OtherRecord,
    /// A key does not unwrap.
    #[error("a key of fragment {position} does not open: {source}")]
    Key {
        /// Place of the fragment in the original.
        position: usize,
        /// Why.
        source: KeyError,
    },
    /// A fragment was changed, or is not of this organisation and capture.
    #[error("fragment {position} is not what was sealed")]
    Altered {
        /// Place of the fragment in the original.
        position: usize,
    },
    /// A fragment was sealed by a newer program.
    #[error("fragment {position} has an envelope version this program does not know")]
    Version {
        /// Place of the fragment in the original.
        position: usize,
    },
    /// The layout does not fit the fragments: the catalogue is damaged.
    #[error("the layout of the original does not fit its fragments")]
    Layout,
}

/// The originals of a batch in the order given, each with its record and a result of its own.
pub type OpenedBatch = Vec<(RecordId, Result<Original, OpenError>)>;

/// Opens one original for a person. Consumes permit, evidence and sealed record: each opening takes
/// its own.
///
/// # Errors
/// [`OpenError::NotRecorded`] unless `recorded` was made for this permit and its record,
/// [`OpenError::OtherRecord`] unless `sealed` is that record's and of the permit's organisation; else what is wrong with the seals.
pub fn open(permit: Permit, recorded: Recorded, sealed: SealedOriginal) -> Result<Original, OpenError> {
    match_one(permit.id(), permit.record(), permit.organisation(), &recorded, &sealed)?;
    unseal(sealed)
}

/// Opens a batch of originals as a system act: every version of every record in it that is given.
/// An original that does not open leaves the others as they are, so each has a result of its own.
///
/// # Errors
/// [`OpenError::NotRecorded`] unless `recorded` was made for this permit and exactly its records,
/// [`OpenError::OtherRecord`] unless all of `sealed` are of those records and of the permit's organisation; then nothing is opened.
pub fn open_system(
    permit: SystemPermit,
    recorded: Recorded,
    sealed: Vec<SealedOriginal>,
) -> Result<OpenedBatch, OpenError> {
    match_batch(permit.id(), permit.records(), permit.organisation(), &recorded, &sealed)?;
    Ok(sealed.into_iter().map(|one| (one.record, unseal(one))).collect())
}

fn match_one(
    permit: PermitId,
    record: RecordId,
    organisation: &OrganisationId,
    recorded: &Recorded,
    sealed: &SealedOriginal,
) -> Result<(), OpenError> {
    if !recorded.is_opening(permit, record) {
        return Err(OpenError::NotRecorded);
    }
    if sealed.record == record && sealed.organisation == *organisation {
        Ok(())
    } else {
        Err(OpenError::OtherRecord)
    }
}

fn match_batch(
    permit: PermitId,
    records: &BTreeSet<RecordId>,
    organisation: &OrganisationId,
    recorded: &Recorded,
    sealed: &[SealedOriginal],
) -> Result<(), OpenError> {
    if !recorded.is_system_opening(permit, records) {
        return Err(OpenError::NotRecorded);
    }
    let covered = sealed.iter().all(|one| records.contains(&one.record) && one.organisation == *organisation);
    if covered { Ok(()) } else { Err(OpenError::OtherRecord) }
}

fn unseal(sealed: SealedOriginal) -> Result<Original, OpenError> {
    let SealedOriginal { organisation, capture, fragments, parts, .. } = sealed;
    let plain = fragments
        .iter()
        .enumerate()
        .map(|(position, fragment)| unseal_fragment(&organisation, capture, position, fragment))
        .collect::<Result<Vec<_>, _>>()?;
    Original::assemble(parts, &plain).ok_or(OpenError::Layout)
}

pub(super) fn unseal_fragment(
    organisation: &OrganisationId,
    capture: CaptureId,
    position: usize,
    sealed: &SealedFragment,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (version, boxed) = sealed.sealed.split_first_chunk::<2>().ok_or(OpenError::Altered { position })?;
    let version = u16::from_be_bytes(*version);
    if version != ENVELOPE_VERSION {
        return Err(OpenError::Version { position });
    }
    let fragment = sealed.fragment;
    let key = sealed
        .segment_key
        .unwrap(organisation, sealed.segment, fragment, &sealed.key)
        .and_then(|key| key.cipher())
        .map_err(|source| OpenError::Key { position, source })?;
    let aad = Aad { organisation, capture, fragment, version }.to_bytes();
    key.open(&aad, boxed).map_err(|_| OpenError::Altered { position })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, EntryId, EntryKind, Pending, Thing, recorded_in_test};
    use crate::model::{ByteRange, FragmentId, SegmentId};
    use crate::seal::{
        FragmentKey, Nonce, PartLayout, Piece, SegmentKey, SegmentReader, SegmentWriter, WrappedKey,
        seal_fragment,
    };
    use bytes::Bytes;
    use proptest::prelude::*;
    use std::sync::Arc;
    use uuid::Uuid;

    const CAPTURE: CaptureId = CaptureId::from_uuid(Uuid::from_u128(3));
    const SEGMENT: SegmentId = SegmentId::from_uuid(Uuid::from_u128(4));

    fn organisation() -> OrganisationId {
        "bzk".parse().unwrap()
    }

    fn record(n: u128) -> RecordId {
        RecordId::from_uuid(Uuid::from_u128(n))
    }

    fn permit(n: u128) -> PermitId {
        PermitId::from_uuid(Uuid::from_u128(n))
    }

    fn intent(kind: EntryKind, by: u128, records: &[u128]) -> Entry {
        Entry::new(EntryId::from_uuid(Uuid::from_u128(1)), kind, "2026-05-04T09:30:00Z".parse().unwrap())
            .under(permit(by))
            .about(records.iter().map(|n| Thing::Record(record(*n))))
    }

    fn one(by: u128, n: u128) -> Recorded {
        let entry = intent(EntryKind::DisclosureIntended, by, &[n]);
        recorded_in_test(Pending::opening(permit(by), record(n), entry).unwrap())
    }

    fn batch(by: u128, records: &[u128]) -> Recorded {
        let entry = intent(EntryKind::SystemOpeningIntended, by, records);
        let all = records.iter().map(|n| record(*n)).collect();
        recorded_in_test(Pending::system_opening(permit(by), all, entry).unwrap())
    }

    /// Seals the texts as fragments of one record, through a segment and back; the item is all of
    /// them joined backwards, and each is a further part.
    fn sealed(of: u128, texts: &[Vec<u8>]) -> SealedOriginal {
        let segment_key = Arc::new(SegmentKey::from_bytes(&[9; 32]));
        let mut writer = SegmentWriter::new(SEGMENT);
        let mut keys = Vec::new();
        for (n, text) in (0_u8..).zip(texts) {
            let fragment = FragmentId::from_uuid(Uuid::from_u128(n.into()));
            let organisation = organisation();
            let aad = Aad { organisation: &organisation, capture: CAPTURE, fragment, version: 1 };
            let (key, nonce) = (FragmentKey::from_bytes(&[n; 32]), || Nonce::from_bytes([n; 12]));
            writer.add(fragment, &seal_fragment(&key, &aad, nonce(), text).unwrap()).unwrap();
            keys.push((fragment, segment_key.wrap(&organisation, SEGMENT, fragment, &key, nonce()).unwrap()));
        }
        let segment = writer.finish();
        let reader = SegmentReader::parse(&segment.bytes).unwrap();
        let fragments = keys.into_iter().map(|(fragment, key)| SealedFragment {
            fragment,
            segment: SEGMENT,
            segment_key: Arc::clone(&segment_key),
            key,
            sealed: Bytes::copy_from_slice(reader.sealed(fragment).unwrap()),
        });
        let whole =
            |n: usize| Piece { fragment: n, range: ByteRange { start: 0, end: texts[n].len() as u64 } };
        let mut parts =
            vec![PartLayout { role: "item".into(), pieces: (0..texts.len()).rev().map(whole).collect() }];
        parts.extend((0..texts.len()).map(|n| PartLayout { role: "part".into(), pieces: vec![whole(n)] }));
        let fragments = fragments.collect();
        SealedOriginal {
            record: record(of),
            organisation: organisation(),
            capture: CAPTURE,
            fragments,
            parts,
        }
    }

    fn two() -> SealedOriginal {
        sealed(5, &[b"first".to_vec(), b"second".to_vec()])
    }

    #[test]
    fn permit_evidence_and_record_must_agree() {
        let (yes, no, other) = (Ok(()), Err(OpenError::NotRecorded), Err(OpenError::OtherRecord));
        let one_of = |by, of, recorded: &Recorded, sealed: &SealedOriginal| {
            match_one(permit(by), record(of), &organisation(), recorded, sealed)
        };
        assert_eq!(one_of(1, 5, &one(1, 5), &two()), yes);
        assert_eq!(one_of(2, 5, &one(1, 5), &two()), no);
        assert_eq!(one_of(1, 6, &one(1, 5), &two()), no);
        assert_eq!(one_of(1, 6, &one(1, 6), &two()), other);
        assert_eq!(one_of(1, 5, &batch(1, &[5]), &two()), no);
        let elsewhere = SealedOriginal { organisation: "rws".parse().unwrap(), ..two() };
        assert_eq!(one_of(1, 5, &one(1, 5), &elsewhere), other);
    }

    #[test]
    fn permit_evidence_and_batch_must_agree() {
        let (yes, no, other) = (Ok(()), Err(OpenError::NotRecorded), Err(OpenError::OtherRecord));
        let all_of = |by, of: &[u128], recorded: &Recorded, sealed: &[SealedOriginal]| {
            let records = of.iter().map(|n| record(*n)).collect();
            match_batch(permit(by), &records, &organisation(), recorded, sealed)
        };
        let given = [two(), sealed(6, &[])];
        assert_eq!(all_of(1, &[5, 6], &batch(1, &[5, 6]), &given), yes);
        assert_eq!(all_of(2, &[5, 6], &batch(1, &[5, 6]), &given), no);
        assert_eq!(all_of(1, &[5, 6], &batch(1, &[5]), &given), no);
        assert_eq!(all_of(1, &[5], &batch(1, &[5]), &given), other);
        assert_eq!(all_of(1, &[5], &one(1, 5), &given[..1]), no);
        let elsewhere = [SealedOriginal { organisation: "rws".parse().unwrap(), ..two() }];
        assert_eq!(all_of(1, &[5], &batch(1, &[5]), &elsewhere), other);
    }

    #[test]
    fn what_was_changed_or_moved_does_not_open() {
        type Change = fn(&mut SealedOriginal);
        let cases: [(Change, OpenError); 8] = [
            (
                |s| s.organisation = "rws".parse().unwrap(),
                OpenError::Key { position: 0, source: KeyError::Mismatch },
            ),
            (|s| s.capture = CaptureId::from_uuid(Uuid::from_u128(8)), OpenError::Altered { position: 0 }),
            (|s| s.fragments.swap(0, 1), OpenError::Layout),
            (
                |s| s.fragments[1].segment = SegmentId::from_uuid(Uuid::from_u128(8)),
                OpenError::Key { position: 1, source: KeyError::Mismatch },
            ),
            (|s| s.fragments[1].sealed = s.fragments[0].sealed.clone(), OpenError::Altered { position: 1 }),
            (|s| s.fragments[1].sealed = Bytes::from_static(&[0]), OpenError::Altered { position: 1 }),
            (|s| s.fragments[1].sealed = Bytes::from_static(&[0, 2, 0]), OpenError::Version { position: 1 }),
            (|s| s.parts.clear(), OpenError::Layout),
        ];
        for (n, (change, expected)) in cases.into_iter().enumerate() {
            let mut original = two();
            change(&mut original);
            assert_eq!(unseal(original).unwrap_err(), expected, "case {n}");
        }
    }

    #[test]
    fn every_changed_bit_of_an_envelope_or_key_is_noticed() {
        for bit in 0..two().fragments[1].sealed.len() * 8 {
            let mut original = two();
            let mut bytes = original.fragments[1].sealed.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            original.fragments[1].sealed = bytes.into();
            assert!(unseal(original).is_err(), "bit {bit} of the envelope");
        }
        for bit in 8..WrappedKey::LEN * 8 {
            let mut original = two();
            let mut bytes = *original.fragments[1].key.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            original.fragments[1].key = WrappedKey::from_bytes(&bytes).unwrap();
            assert!(unseal(original).is_err(), "bit {bit} of the key");
        }
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let original = unseal(sealed(5, &texts)).unwrap();
            let backwards: Vec<u8> = texts.iter().rev().flatten().copied().collect();
            prop_assert_eq!(original.item(), backwards);
            let parts: Vec<&[u8]> = original.parts().skip(1).map(|(_, bytes)| bytes).collect();
            prop_assert_eq!(parts, texts);
        }
    }
}
