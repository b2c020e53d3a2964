//! Verification: the logs, their checkpoints, the fixity of every segment, and that keys and segments meet.
//! Names the first thing that is wrong.

use super::{Archive, VaultError};
use crate::ledger::{
    Checkpoint, Edge, Entry, Hash, LEAF_BYTES_MAX, Origin, Receipt, ReceiptError, TileReader, VerifiedEntry,
    VerifierKey, leaf_hash,
};
use crate::model::SegmentId;
use crate::seal::SegmentReader;
use crate::store::catalogue::{FragmentPlace, SegmentPlace};
use serde::Serialize;
use std::collections::HashSet;

/// What was looked at, and the first thing that is wrong with it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Entries of both logs whose place in the tree was checked.
    pub entries: u64,
    /// Segments of which every byte was checked.
    pub segments: u64,
    /// Bytes of those segments.
    pub segment_bytes: u64,
    /// Objects in storage that no key belongs to: they count as destroyed and may be swept.
    pub orphans: u64,
    /// The first thing that is wrong; `None` when all is well.
    pub first_wrong: Option<String>,
}

/// Leaves read at a time.
const LEAVES: u32 = 4_096;

/// Verifies everything. `progress` hears how many segments are done, of how many.
///
/// # Errors
/// When storage cannot be read at all; what is read and wrong is named in the result.
pub async fn verify(
    archive: &Archive,
    keys: &[VerifierKey],
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Verification, VaultError> {
    let mut seen = Verification::default();
    for key in keys {
        if let Some(wrong) = verify_log(archive, key, &mut seen).await? {
            seen.first_wrong = Some(wrong);
            return Ok(seen);
        }
    }
    seen.first_wrong = verify_segments(archive, &mut seen, progress).await?;
    Ok(seen)
}

/// Walks a log from its first leaf: every leaf an entry, every tile what the leaves make, the root as signed.
async fn verify_log(
    archive: &Archive,
    key: &VerifierKey,
    seen: &mut Verification,
) -> Result<Option<String>, VaultError> {
    let origin = key.origin();
    let Some(head) = archive.journal.head(origin).await? else { return without_head(archive, origin).await };
    let checkpoint = match Checkpoint::verify(&head.checkpoint, key) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Ok(Some(format!("checkpoint of {origin}: {error}"))),
    };
    if checkpoint.size() != head.size {
        return Ok(Some(format!("head of {origin}: size {} but signed {}", head.size, checkpoint.size())));
    }
    let mut edge = Edge::new();
    while edge.size() < head.size {
        // No more than was signed: entries may be numbered meanwhile.
        let left = u32::try_from(head.size - edge.size()).unwrap_or(LEAVES);
        let leaves = archive.journal.leaves(origin, edge.size(), left.min(LEAVES)).await?;
        let wrong = first_wrong_leaf(origin.as_str(), edge.size(), &leaves);
        if wrong.is_some() {
            return Ok(wrong);
        }
        let hashes: Vec<Hash> = leaves.iter().map(|(_, leaf)| leaf_hash(leaf)).collect();
        seen.entries += hashes.len() as u64;
        let appended = edge.append(&hashes)?;
        let wanted = appended.tiles.iter().map(|tile| tile.at).collect();
        let stored = archive.journal.tiles(origin, wanted).await?;
        for tile in &appended.tiles {
            // Tiles agree with the leaves, so a proof made from them is a proof of these leaves.
            if stored.tile(tile.at.level, tile.at.index, tile.at.width).ok().as_ref() != Some(&tile.bytes) {
                let first = tile.at.index * 256;
                return Ok(Some(format!(
                    "tile {} of {origin} does not agree with the entries (first entry {first} at level {})",
                    tile.at.path(),
                    tile.at.level
                )));
            }
        }
    }
    if edge.root() != checkpoint.root() {
        return Ok(Some(format!("the entries of {origin} do not give the signed root")));
    }
    Ok(None)
}

/// A log without a head has no entries; one that has lost its head has.
async fn without_head(archive: &Archive, origin: &Origin) -> Result<Option<String>, VaultError> {
    let entries = archive.journal.leaves(origin, 0, 1).await?;
    // Its first entries may have been numbered meanwhile, together with a head.
    let lost = !entries.is_empty() && archive.journal.head(origin).await?.is_none();
    Ok(lost.then(|| format!("head of {origin} is missing")))
}

fn first_wrong_leaf(origin: &str, from: u64, leaves: &[(u64, Vec<u8>)]) -> Option<String> {
    if leaves.is_empty() {
        return Some(format!("entry {from} of {origin} is missing"));
    }
    for (expected, (place, leaf)) in (from..).zip(leaves) {
        if *place != expected {
            return Some(format!("entry {expected} of {origin} is missing"));
        }
        if leaf.len() > LEAF_BYTES_MAX || Entry::parse(leaf).is_err() {
            return Some(format!(
                "entry {expected} of {origin} was changed: it is no entry in canonical form"
            ));
        }
    }
    None
}

async fn verify_segments(
    archive: &Archive,
    seen: &mut Verification,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Option<String>, VaultError> {
    let known = archive.catalogue.segments().await?;
    let all = known.len() as u64;
    for segment in &known {
        let wrong = wrong_in_segment(archive, segment).await?;
        if wrong.is_some() {
            return Ok(wrong);
        }
        seen.segments += 1;
        seen.segment_bytes += segment.size_bytes;
        progress(seen.segments, all);
    }
    let named: HashSet<SegmentId> = known.iter().map(|segment| segment.id).collect();
    let stored = archive.blobs.list().await?;
    seen.orphans = stored.iter().filter(|(id, _)| !named.contains(id)).count() as u64;
    Ok(None)
}

/// The first thing that is wrong with a segment, read whole; `None` when it is what was written.
///
/// # Errors
/// When storage cannot be reached. A segment that is not there is no error: it is wrong.
pub(super) async fn wrong_in_segment(
    archive: &Archive,
    segment: &SegmentPlace,
) -> Result<Option<String>, VaultError> {
    let Some(bytes) = archive.blobs.segment(segment.id).await? else {
        return Ok(Some(format!("segment {} is missing", segment.id)));
    };
    let fragments = archive.catalogue.fragments_of_segment(segment.id).await?;
    let wanted = segment.clone();
    Ok(tokio::task::spawn_blocking(move || first_wrong_in_segment(&bytes, &wanted, &fragments)).await?)
}

fn first_wrong_in_segment(bytes: &[u8], known: &SegmentPlace, fragments: &[FragmentPlace]) -> Option<String> {
    let id = known.id;
    let reader = match SegmentReader::parse(bytes) {
        Ok(reader) => reader,
        Err(error) => return Some(format!("segment {id}: {error}")),
    };
    match reader.verify() {
        Ok(root) if *root.as_bytes() == known.digest => {}
        Ok(_) => return Some(format!("segment {id} is not the one that was written")),
        Err(error) => return Some(format!("segment {id}: {error}")),
    }
    for fragment in fragments {
        let stands = reader.index().find(fragment.id);
        if !stands.is_ok_and(|at| at.offset == fragment.place && at.length == fragment.size_bytes) {
            return Some(format!("segment {id}: fragment {} does not stand where its key says", fragment.id));
        }
    }
    None
}

/// Confirms a receipt offline. The key always comes from who verifies.
///
/// # Errors
/// [`ReceiptError`], by what does not hold first.
pub fn verify_receipt(json: &str, key: &VerifierKey) -> Result<VerifiedEntry, ReceiptError> {
    let receipt: Receipt = serde_json::from_str(json).map_err(|_| ReceiptError::Malformed)?;
    receipt.verify(key)
}
