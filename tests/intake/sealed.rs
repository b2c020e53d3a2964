//! Everything that was sealed of a capture, opened as the vault opens it: with a system permit that was recorded.

use crate::support::TestVault;
use knik::access::{SystemAct, SystemActKind, SystemPermit};
use knik::ledger::{Entry, EntryKind, Pending, Recorded, Thing};
use knik::model::{ByteRange, CaptureId, OrganisationId, PermitId, RecordId};
use knik::seal::{
    ENVELOPE_HEADER_BYTES, MasterKeyring, Original, PartLayout, Piece, SealedFragment, SealedOriginal,
    WrappedKey, WrappedSegmentKey, open_system,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A permit for the batch and the evidence that its opening is recorded.
pub async fn permitted(
    vault: &TestVault,
    organisation: &OrganisationId,
    records: &[RecordId],
) -> (SystemPermit, Recorded) {
    let sources = &vault.archive.sources;
    let id = PermitId::from_uuid(sources.random_id().unwrap());
    let batch: BTreeSet<RecordId> = records.iter().copied().collect();
    let act = SystemAct {
        kind: SystemActKind::CheckIntegrity,
        organisation: organisation.clone(),
        records: batch.clone(),
    };
    let permit = vault.rules.access.authorise_system(act, id).unwrap();
    let entry = Entry::new(sources.entry_id().unwrap(), EntryKind::SystemOpeningIntended, sources.now())
        .of(organisation.clone())
        .under(id)
        .about(records.iter().map(|record| Thing::Record(*record)));
    let pending = Pending::system_opening(id, batch, entry).unwrap();
    let recorded =
        vault.archive.journal.record(vault.archive.logs.vault_origin(), pending, None).await.unwrap();
    (permit, recorded)
}

/// All fragments of a capture as one sealed original of `record`, and where in the file each stood.
pub async fn sealed_capture(
    vault: &TestVault,
    capture: CaptureId,
    organisation: &OrganisationId,
    record: RecordId,
) -> (SealedOriginal, Vec<ByteRange>) {
    let archive = &vault.archive;
    let rows = archive.catalogue.fragments_of_capture(capture).await.unwrap();
    let (mut fragments, mut places, mut pieces) = (Vec::new(), Vec::new(), Vec::new());
    for (n, row) in rows.iter().enumerate() {
        let segment = archive.catalogue.segment(row.segment).await.unwrap().unwrap();
        let wrapped = WrappedSegmentKey::from_bytes(&segment.wrapped_key).unwrap();
        let segment_key = archive.keyring.unwrap_segment_key(organisation, row.segment, &wrapped).unwrap();
        let envelope = row.place + ENVELOPE_HEADER_BYTES..row.place + row.size_bytes;
        let sealed = archive.blobs.ranges(row.segment, &[envelope]).await.unwrap().remove(0);
        let stood = ranges(&row.ranges);
        let length = stood.iter().map(|range| range.len()).sum();
        pieces.push(Piece { fragment: n, range: ByteRange { start: 0, end: length } });
        places.extend(stood);
        fragments.push(SealedFragment {
            fragment: row.id,
            segment: row.segment,
            segment_key: Arc::new(segment_key),
            key: WrappedKey::from_bytes(&row.wrapped_key).unwrap(),
            sealed,
        });
    }
    let parts = vec![PartLayout { role: "item".to_owned(), pieces }];
    (SealedOriginal { record, organisation: organisation.clone(), capture, fragments, parts }, places)
}

/// Everything of a capture in the order in which it is sealed, in the clear, and where each stretch stood.
pub async fn opened_capture(
    vault: &TestVault,
    capture: CaptureId,
    organisation: &OrganisationId,
) -> (Original, Vec<ByteRange>) {
    let record = RecordId::from_uuid(vault.archive.sources.random_id().unwrap());
    let (sealed, places) = sealed_capture(vault, capture, organisation, record).await;
    let (permit, recorded) = permitted(vault, organisation, &[record]).await;
    let mut opened = open_system(permit, recorded, vec![sealed]).unwrap();
    (opened.remove(0).1.unwrap(), places)
}

/// The file of a capture, put together from its fragments; panics when they overlap. `None` where no fragment was.
pub fn rejoined(original: &Original, places: &[ByteRange], size: usize) -> Vec<Option<u8>> {
    let mut file = vec![None; size];
    let mut plain = original.item().iter();
    for place in places {
        let (start, end) = (usize::try_from(place.start).unwrap(), usize::try_from(place.end).unwrap());
        for (cell, byte) in file[start..end].iter_mut().zip(plain.by_ref()) {
            assert_eq!(*cell, None, "fragments overlap");
            *cell = Some(*byte);
        }
    }
    assert_eq!(plain.next(), None, "every byte has its place");
    file
}

/// Where in a file a fragment stood, read as `docs/segment-format.md` says.
pub fn ranges(stored: &[u8]) -> Vec<ByteRange> {
    if stored.first() == Some(&1) {
        let mut rest = stored[1..].iter();
        let mut number = || {
            let (mut n, mut shift) = (0_u64, 0);
            loop {
                let byte = *rest.next()?;
                n |= u64::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    return Some(n);
                }
                shift += 7;
            }
        };
        let (mut found, mut reached) = (Vec::new(), 0);
        while let Some(gap) = number() {
            let start = reached + gap;
            reached = start + number().unwrap();
            found.push(ByteRange { start, end: reached });
        }
        return found;
    }
    assert_eq!(stored.len() % 16, 0);
    let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap());
    stored.chunks(16).map(|pair| ByteRange { start: number(&pair[..8]), end: number(&pair[8..]) }).collect()
}
