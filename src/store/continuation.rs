//! Continuing a log with what was recorded and signed after the database was copied: entries that a mirror holds.

use super::StoreError;
use super::effect::Effect;
use super::journal::{
    Journal, Waiting, fetch_tiles, head_of, ledger_error, write_entries, write_head, write_tiles,
};
use super::log_source::LogSource;
use super::rows::{RowValues, bytes};
use crate::ledger::{
    Checkpoint, Edge, Entry, Hash, VerifierKey, consistency_proof, consistency_tiles, leaf_hash,
    verify_consistency,
};
use sqlx::{Any, Transaction};

/// Entries in one round.
const ROUND_MOST: u32 = 4_096;

impl Journal {
    /// Takes in what `mirror` holds of a log beyond its head here, up to the checkpoint that the mirror is signed with,
    /// and returns those entries. All in one transaction, and only if together with what is here they give the root that
    /// was signed. Bodies are not in a mirror: those of entries that were pending here are kept, the others are lost.
    ///
    /// # Errors
    /// When the mirror is not of this log, is signed by another key, or does not continue what is here; nothing is then
    /// changed.
    pub async fn continue_from(
        &self,
        mirror: &dyn LogSource,
        key: &VerifierKey,
    ) -> Result<Vec<Entry>, StoreError> {
        let Some(head) = mirror.head().await? else { return Ok(Vec::new()) };
        let signed = Checkpoint::verify(&head.checkpoint, key).map_err(ledger_error)?;
        let mut tx = self.db.begin_exclusive().await?;
        let had = head_of(&mut tx, key.origin()).await?.map_or(0, |head| head.size);
        if had >= signed.size() {
            // What was signed last may not have been copied: then what lies there must be the beginning of what is here.
            return contains(&mut tx, had, &signed).await.map(|()| Vec::new());
        }
        let entries = take_in(&mut tx, mirror, had, &signed).await?;
        write_head(&mut tx, key.origin(), had, signed.size(), &head.checkpoint).await?;
        Effect::EntriesNumbered.of(tx.commit()).await.map_err(StoreError::database("continuing a log"))?;
        Ok(entries)
    }
}

fn not_its_continuation(signed: &Checkpoint) -> StoreError {
    let origin = signed.origin();
    StoreError::Ledger(format!(
        "what the second place holds of {origin} does not continue what the backup holds"
    ))
}

async fn contains(
    tx: &mut Transaction<'static, Any>,
    size: u64,
    signed: &Checkpoint,
) -> Result<(), StoreError> {
    let wanted = consistency_tiles(signed.size(), size).map_err(ledger_error)?;
    let tiles = fetch_tiles(tx, signed.origin(), wanted.into_iter().chain(Edge::tiles(size))).await?;
    let root = Edge::read(size, &tiles).map_err(ledger_error)?.root();
    let proof = consistency_proof(signed.size(), size, &tiles).map_err(ledger_error)?;
    verify_consistency(signed.size(), &signed.root(), size, &root, &proof)
        .map_err(|_| not_its_continuation(signed))
}

/// Entries from number `had` on, with their tiles; their root must be the signed one.
async fn take_in(
    tx: &mut Transaction<'static, Any>,
    mirror: &dyn LogSource,
    had: u64,
    signed: &Checkpoint,
) -> Result<Vec<Entry>, StoreError> {
    let log = signed.origin();
    let tiles = fetch_tiles(tx, log, Edge::tiles(had)).await?;
    let mut edge = Edge::read(had, &tiles).map_err(ledger_error)?;
    let mut entries = Vec::new();
    while edge.size() < signed.size() {
        let (from, left) = (edge.size(), signed.size() - edge.size());
        let most = u32::try_from(left).unwrap_or(ROUND_MOST).min(ROUND_MOST);
        let leaves = mirror.leaves(from, most).await?;
        if leaves.len() as u64 != u64::from(most) || leaves.first().is_none_or(|(place, _)| *place != from) {
            return Err(StoreError::Ledger(format!("entry {from} of {log} is missing in the second place")));
        }
        let hashes: Vec<Hash> = leaves.iter().map(|(_, leaf)| leaf_hash(leaf)).collect();
        let appended = edge.append(&hashes).map_err(ledger_error)?;
        write_tiles(tx, log, &appended).await?;
        let mut numbered = Vec::with_capacity(leaves.len());
        for (_, leaf) in leaves {
            let entry = Entry::parse(&leaf).map_err(ledger_error)?;
            let body = take_pending(tx, &entry).await?;
            numbered.push(Waiting { seq: 0, id: bytes(entry.id().uuid()), leaf, body });
            entries.push(entry);
        }
        write_entries(tx, log, from, &numbered).await?;
    }
    if edge.root() == signed.root() { Ok(entries) } else { Err(not_its_continuation(signed)) }
}

/// An entry that waited here for its number has it now: its body, if it has one, goes with it.
async fn take_pending(
    tx: &mut Transaction<'static, Any>,
    entry: &Entry,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query("DELETE FROM journal_pending WHERE id = $1 RETURNING body")
        .bind(bytes(entry.id().uuid()))
        .fetch_optional(&mut **tx)
        .await
        .map_err(StoreError::database("clearing the journal"))?;
    row.map_or(Ok(None), |row| row.blob_or_null("body"))
}
