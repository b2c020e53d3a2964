//! Fetching sealed originals: everything an opening needs, except permission.

use super::layout::Layout;
use super::{Archive, VaultError};
use crate::model::{FragmentId, RecordId, SegmentId};
use crate::seal::{
    ENVELOPE_HEADER_BYTES, MasterKeyring, SealedFragment, SealedOriginal, SegmentKey, WrappedKey,
    WrappedSegmentKey,
};
use crate::store::StoreError;
use crate::store::catalogue::{FragmentPlace, OriginalPlace};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A sealed original with the format it is read in.
pub struct Fetched {
    /// The word of the format: its own, or else its capture's.
    pub format: String,
    /// The sealed original.
    pub sealed: SealedOriginal,
}

/// Fetches the sealed originals of these records, in the order of `records`; one that is not there is left out.
///
/// # Errors
/// When storage or the keyring fails, or the catalogue is damaged.
pub async fn fetch(archive: &Archive, records: &[RecordId]) -> Result<Vec<Fetched>, VaultError> {
    // An epoch does not end between a key's row and its use.
    let _no_turn = archive.turning.read().await;
    let mut places: HashMap<RecordId, OriginalPlace> =
        archive.catalogue.originals(records).await?.into_iter().map(|p| (p.record, p)).collect();
    let places: Vec<OriginalPlace> = records.iter().filter_map(|r| places.remove(r)).collect();
    let layouts = places
        .iter()
        .map(|p| Layout::from_bytes(&p.parts).ok_or(StoreError::Corrupt { what: "layout of an original" }))
        .collect::<Result<Vec<_>, _>>()?;
    let wanted: Vec<FragmentId> = {
        let mut ids: Vec<_> = layouts.iter().flat_map(|l| l.fragments.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let rows = archive.catalogue.fragments(&wanted).await?;
    let envelopes = envelopes(archive, rows.values()).await?;
    let mut keys = SegmentKeys::default();
    let mut fetched = Vec::with_capacity(places.len());
    for (place, layout) in places.into_iter().zip(layouts) {
        let mut fragments = Vec::with_capacity(layout.fragments.len());
        for id in &layout.fragments {
            let row = rows.get(id).ok_or(VaultError::Absent { what: "a key of the original" })?;
            let sealed = envelopes.get(id).cloned().unwrap_or_default();
            fragments.push(SealedFragment {
                fragment: *id,
                segment: row.segment,
                segment_key: keys.of(archive, row.segment).await?,
                key: WrappedKey::from_bytes(&row.wrapped_key)?,
                sealed,
            });
        }
        let OriginalPlace { record, organisation, capture, format, .. } = place;
        let format = layout.format.map_or(format, |own| own.to_string());
        let sealed = SealedOriginal { record, organisation, capture, fragments, parts: layout.parts };
        fetched.push(Fetched { format, sealed });
    }
    Ok(fetched)
}

/// Reads the envelopes, one request a segment, without their headers.
async fn envelopes(
    archive: &Archive,
    rows: impl Iterator<Item = &FragmentPlace>,
) -> Result<HashMap<FragmentId, Bytes>, VaultError> {
    let mut by_segment: BTreeMap<SegmentId, Vec<&FragmentPlace>> = BTreeMap::new();
    rows.for_each(|row| by_segment.entry(row.segment).or_default().push(row));
    let mut found = HashMap::new();
    for (segment, rows) in by_segment {
        let ranges: Vec<_> =
            rows.iter().map(|r| r.place + ENVELOPE_HEADER_BYTES..r.place + r.size_bytes).collect();
        let read = archive.blobs.ranges(segment, &ranges).await?;
        found.extend(rows.iter().map(|r| r.id).zip(read));
    }
    Ok(found)
}

/// Segment keys unwrapped for one fetch.
#[derive(Default)]
struct SegmentKeys(HashMap<SegmentId, Arc<SegmentKey>>);

impl SegmentKeys {
    async fn of(&mut self, archive: &Archive, segment: SegmentId) -> Result<Arc<SegmentKey>, VaultError> {
        if let Some(known) = self.0.get(&segment) {
            return Ok(Arc::clone(known));
        }
        let row =
            archive.catalogue.segment(segment).await?.ok_or(VaultError::Absent { what: "a segment" })?;
        let wrapped = WrappedSegmentKey::from_bytes(&row.wrapped_key)?;
        let key = Arc::new(archive.keyring.unwrap_segment_key(&row.organisation, segment, &wrapped)?);
        self.0.insert(segment, Arc::clone(&key));
        Ok(key)
    }
}
