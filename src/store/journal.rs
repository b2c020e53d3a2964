//! The journal: pending entries become durable with the transaction that made them; a sequencer numbers and
//! signs them. This is the only place that turns [`Pending`] into [`Recorded`], and only after a commit.

use super::catalogue::{SeenRow, insert_seen};
use super::effect::Effect;
use super::group_commit::{Beside, GroupCommit, Wanted};
use super::rows::{LISTED_MAX, RowValues, bytes, placeholders, whole_list};
use super::{Database, StoreError};
use crate::ledger::{
    Appended, Checkpoint, Edge, EntryId, Hash, JournalRow, LedgerError, LogKey, Origin, Pending, Receipt,
    Recorded, Tile, TileRef, TileSet, inclusion_proof, inclusion_tiles, leaf_hash,
};
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// A body as it is stored: sealed by the caller, erasable on its own.
#[derive(Debug)]
pub struct SealedBody(pub Vec<u8>);

/// An entry that its transaction holds, and that is not durable before that transaction commits.
#[derive(Debug)]
#[must_use = "an entry is recorded only after its transaction committed"]
pub struct Added {
    pending: Pending,
    row: JournalRow,
}

/// Adds an entry to a transaction of the archive plane.
pub(super) async fn add(
    tx: &mut Transaction<'static, Any>,
    log: &Origin,
    pending: Pending,
    body: Option<SealedBody>,
) -> Result<Added, StoreError> {
    let mut rows = add_all(tx, std::iter::once((log, &pending, body.as_ref()))).await?;
    let row = rows.pop().ok_or(NO_NUMBER)?;
    Ok(Added { pending, row })
}

const NO_NUMBER: StoreError = StoreError::Corrupt { what: "journal number" };

/// Entries in one statement.
const ADDED_AT_ONCE: usize = 64;

/// Adds entries, in their order; nothing is durable before the transaction commits.
pub(super) async fn add_all<'a>(
    tx: &mut Transaction<'static, Any>,
    entries: impl Iterator<Item = (&'a Origin, &'a Pending, Option<&'a SealedBody>)>,
) -> Result<Vec<JournalRow>, StoreError> {
    let entries: Vec<_> = entries.collect();
    let mut numbers = Vec::with_capacity(entries.len());
    for chunk in entries.chunks(ADDED_AT_ONCE) {
        let values = placeholders(tx, 4, chunk.len());
        let sql = format!("INSERT INTO journal_pending (id, log, leaf, body) VALUES {values} RETURNING seq");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (log, pending, body) in chunk {
            query = query
                .bind(bytes(pending.entry().id().uuid()))
                .bind(log.as_str().to_owned())
                .bind(pending.leaf().to_vec())
                .bind(body.map(|body| body.0.clone()));
        }
        let rows = query.fetch_all(&mut **tx).await.map_err(StoreError::database("adding to the journal"))?;
        let mut given = rows.iter().map(|row| row.number("seq")).collect::<Result<Vec<_>, _>>()?;
        // Numbers rise with the order of the rows, in whatever order they are told.
        given.sort_unstable();
        if given.len() != chunk.len() {
            return Err(NO_NUMBER);
        }
        for number in given {
            numbers.push(JournalRow::new(u64::try_from(number).map_err(|_| NO_NUMBER)?));
        }
    }
    Ok(numbers)
}

/// Evidence that the entry is durable: called where its transaction has just committed, nowhere else.
pub(super) fn after_commit(added: Added) -> Recorded {
    committed(added.pending, added.row)
}

/// As [`after_commit`], for an entry of a group.
pub(super) fn committed(pending: Pending, row: JournalRow) -> Recorded {
    pending.committed(row)
}

/// The head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Leaves.
    pub size: u64,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// The journal and the logs of one vault. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Journal {
    pub(super) db: Database,
    group: GroupCommit,
    wake: Arc<Notify>,
    rounds: watch::Sender<u64>,
}

/// Entries numbered in one transaction.
const ROUND_MOST: u32 = 4_096;

impl Journal {
    /// A journal over an opened vault database. Must be made inside a runtime: the task that commits lives on it.
    #[must_use]
    pub fn new(db: Database) -> Self {
        let group = GroupCommit::start(db.clone());
        Self { db, group, wake: Arc::new(Notify::new()), rounds: watch::Sender::new(0) }
    }

    /// Records a step that stands on its own; it shares a commit with others that are recorded at the same time.
    ///
    /// # Errors
    /// When the database fails: the step must then not be taken.
    pub async fn record(
        &self,
        log: &Origin,
        pending: Pending,
        body: Option<SealedBody>,
    ) -> Result<Recorded, StoreError> {
        self.record_beside(log, pending, body, None, Effect::EntryRecorded).await
    }

    /// As [`record`](Self::record), with rows that stand or fall with the entry.
    pub(super) async fn record_beside(
        &self,
        log: &Origin,
        pending: Pending,
        body: Option<SealedBody>,
        beside: Option<Beside>,
        effect: Effect,
    ) -> Result<Recorded, StoreError> {
        let recorded = self.group.record(Wanted { log: log.clone(), pending, body, beside, effect }).await?;
        self.wake();
        Ok(recorded)
    }

    /// Records what came up from the reading room, who was shown what, and how far the inbox has been taken up, together.
    ///
    /// # Errors
    /// When the database fails; it is then taken up again later.
    pub async fn take_up(
        &self,
        log: &Origin,
        entries: Vec<Pending>,
        seen: &[SeenRow],
        up_to: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let head = "INSERT INTO journal_pending (id, log, leaf) VALUES";
        super::rows::insert_all(&mut tx, head, 3, "", &entries, |query, pending| {
            let id = bytes(pending.entry().id().uuid());
            query.bind(id).bind(log.as_str().to_owned()).bind(pending.leaf().to_vec())
        })
        .await?;
        insert_seen(&mut tx, seen).await?;
        move_cursor(&mut tx, up_to).await?;
        Effect::InboxTakenUp.of(tx.commit()).await.map_err(StoreError::database("taking up the inbox"))?;
        self.wake();
        Ok(())
    }

    /// How far the inbox has been taken up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inbox_cursor(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT seq FROM inbox_cursor WHERE id = 1")
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("reading the inbox cursor"))?;
        row.number("seq")
    }

    /// Asks the sequencer to start a round now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Returns when someone asked for a round, or after `at_most`.
    pub async fn asked(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.wake.notified()).await;
    }

    /// Numbers and signs what is pending in a log, oldest first. Returns how many; 0 when nothing was.
    ///
    /// # Errors
    /// When the database fails (nothing is then numbered), or the log does not continue where its head says.
    pub async fn sequence(&self, key: &LogKey) -> Result<usize, StoreError> {
        let log = key.verifier().origin().clone();
        let mut tx = self.db.begin_exclusive().await?;
        let pending = oldest_pending(&mut tx, &log).await?;
        if pending.is_empty() {
            return Ok(0);
        }
        let size = head_of(&mut tx, &log).await?.map_or(0, |head| head.size);
        let tiles = fetch_tiles(&mut tx, &log, Edge::tiles(size)).await?;
        let hashes: Vec<Hash> = pending.iter().map(|entry| leaf_hash(&entry.leaf)).collect();
        let appended =
            Edge::read(size, &tiles).and_then(|mut edge| edge.append(&hashes)).map_err(ledger_error)?;
        let note =
            Checkpoint::new(log.clone(), appended.size, appended.root).sign(key).map_err(ledger_error)?;
        write_entries(&mut tx, &log, size, &pending).await?;
        clear_pending(&mut tx, &pending).await?;
        write_tiles(&mut tx, &log, &appended).await?;
        write_head(&mut tx, &log, size, appended.size, &note).await?;
        Effect::EntriesNumbered.of(tx.commit()).await.map_err(StoreError::database("numbering entries"))?;
        self.rounds.send_modify(|round| *round += 1);
        Ok(pending.len())
    }

    /// Whether entries of a log wait for their numbers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_waiting(&self, log: &Origin) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT seq FROM journal_pending WHERE log = $1 LIMIT 1")
            .bind(log.as_str().to_owned())
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading the journal"))?;
        Ok(row.is_some())
    }

    /// The head of a log; `None` while it is empty.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self, log: &Origin) -> Result<Option<Head>, StoreError> {
        let row = sqlx::query("SELECT size, checkpoint FROM ledger_head WHERE log = $1")
            .bind(log.as_str().to_owned())
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading the head"))?;
        row.as_ref().map(read_head).transpose()
    }

    /// Leaves `from..from + most` of a log, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leaves(
        &self,
        log: &Origin,
        from: u64,
        most: u32,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let rows = sqlx::query(
            "SELECT place, leaf FROM ledger_entry WHERE log = $1 AND place >= $2 ORDER BY place LIMIT $3",
        )
        .bind(log.as_str().to_owned())
        .bind(i64::try_from(from).unwrap_or(i64::MAX))
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading entries"))?;
        rows.iter()
            .map(|row| Ok((u64::try_from(row.number("place")?).unwrap_or_default(), row.blob("leaf")?)))
            .collect()
    }

    /// The stored hashes of these tiles, for a verifier.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tiles(&self, log: &Origin, wanted: Vec<TileRef>) -> Result<TileSet, StoreError> {
        let mut tx = self.db.begin_reading().await?;
        fetch_tiles(&mut tx, log, wanted).await
    }

    /// The receipt of an entry; `None` until it has been numbered.
    ///
    /// # Errors
    /// When the database fails or the tree cannot be read.
    pub async fn receipt(&self, log: &Origin, entry: EntryId) -> Result<Option<Receipt>, StoreError> {
        let mut tx = self.db.begin_reading().await?;
        let row = sqlx::query("SELECT place, leaf FROM ledger_entry WHERE id = $1 AND log = $2")
            .bind(bytes(entry.uuid()))
            .bind(log.as_str().to_owned())
            .fetch_optional(&mut *tx)
            .await
            .map_err(StoreError::database("reading an entry"))?;
        let (Some(row), Some(head)) = (row, head_of(&mut tx, log).await?) else { return Ok(None) };
        let index = u64::try_from(row.number("place")?).unwrap_or_default();
        let wanted = inclusion_tiles(head.size, index).map_err(ledger_error)?;
        let tiles = fetch_tiles(&mut tx, log, wanted).await?;
        let proof = inclusion_proof(head.size, index, &tiles).map_err(ledger_error)?;
        Ok(Some(Receipt::new(log.clone(), &row.blob("leaf")?, index, proof, head.checkpoint)))
    }

    /// The receipt of an entry, waiting for its number for at most `patience`.
    ///
    /// # Errors
    /// As [`receipt`](Self::receipt); [`StoreError::Busy`] when patience ran out: ask for it again later.
    pub async fn receipt_when_numbered(
        &self,
        log: &Origin,
        entry: EntryId,
        patience: Duration,
    ) -> Result<Receipt, StoreError> {
        let mut rounds = self.rounds.subscribe();
        let wait = async {
            loop {
                rounds.mark_unchanged();
                if let Some(receipt) = self.receipt(log, entry).await? {
                    return Ok(receipt);
                }
                self.wake();
                let _ = tokio::time::timeout(Duration::from_millis(250), rounds.changed()).await;
            }
        };
        tokio::time::timeout(patience, wait)
            .await
            .unwrap_or_else(|_| Err(StoreError::Busy("the entry has no number yet".to_owned())))
    }

    /// Erases the body of an entry, its salt with it, and records that: the leaf stays, and says nothing of the body
    /// any more. `false`, and nothing recorded, when there is none.
    ///
    /// # Errors
    /// When the database fails; nothing is then erased.
    pub async fn erase_body(
        &self,
        log: &Origin,
        entry: EntryId,
        erased: Pending,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let mut gone = 0;
        for statement in [
            "DELETE FROM ledger_body WHERE id = $1",
            "UPDATE journal_pending SET body = NULL WHERE id = $1 AND body IS NOT NULL",
        ] {
            let done = sqlx::query(statement).bind(bytes(entry.uuid())).execute(&mut *tx).await;
            gone += done.map_err(StoreError::database("erasing a body"))?.rows_affected();
        }
        if gone == 0 {
            return Ok(false);
        }
        let _durable_with_this_transaction = add(&mut tx, log, erased, None).await?;
        Effect::BodyErased.of(tx.commit()).await.map_err(StoreError::database("erasing a body"))?;
        self.wake();
        Ok(true)
    }

    /// The sealed body of an entry, numbered or not, unless it was erased or never had one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn body(&self, entry: EntryId) -> Result<Option<SealedBody>, StoreError> {
        // What waits for its number first: it may get it in between.
        for statement in [
            "SELECT body FROM journal_pending WHERE id = $1 AND body IS NOT NULL",
            "SELECT body FROM ledger_body WHERE id = $1",
        ] {
            let row = sqlx::query(statement)
                .bind(bytes(entry.uuid()))
                .fetch_optional(self.db.read())
                .await
                .map_err(StoreError::database("reading a body"))?;
            if let Some(row) = row {
                return Ok(Some(SealedBody(row.blob("body")?)));
            }
        }
        Ok(None)
    }
}

/// Up to here the inbox has been taken up.
pub(super) async fn move_cursor(tx: &mut Transaction<'static, Any>, up_to: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE inbox_cursor SET seq = $1 WHERE id = 1")
        .bind(up_to)
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("moving the inbox cursor"))?;
    Ok(())
}

/// An entry on its way to its number.
pub(super) struct Waiting {
    pub(super) seq: i64,
    pub(super) id: Vec<u8>,
    pub(super) leaf: Vec<u8>,
    pub(super) body: Option<Vec<u8>>,
}

async fn oldest_pending(
    tx: &mut Transaction<'static, Any>,
    log: &Origin,
) -> Result<Vec<Waiting>, StoreError> {
    let rows =
        sqlx::query("SELECT seq, id, leaf, body FROM journal_pending WHERE log = $1 ORDER BY seq LIMIT $2")
            .bind(log.as_str().to_owned())
            .bind(i64::from(ROUND_MOST))
            .fetch_all(&mut **tx)
            .await
            .map_err(StoreError::database("reading the journal"))?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                seq: row.number("seq")?,
                id: row.blob("id")?,
                leaf: row.blob("leaf")?,
                body: row.blob_or_null("body")?,
            })
        })
        .collect()
}

pub(super) async fn head_of(
    tx: &mut Transaction<'static, Any>,
    log: &Origin,
) -> Result<Option<Head>, StoreError> {
    let row = sqlx::query("SELECT size, checkpoint FROM ledger_head WHERE log = $1")
        .bind(log.as_str().to_owned())
        .fetch_optional(&mut **tx)
        .await
        .map_err(StoreError::database("reading the head"))?;
    row.as_ref().map(read_head).transpose()
}

fn read_head(row: &sqlx::any::AnyRow) -> Result<Head, StoreError> {
    let size = u64::try_from(row.number("size")?).map_err(|_| StoreError::Corrupt { what: "ledger size" })?;
    Ok(Head { size, checkpoint: row.text("checkpoint")? })
}

pub(super) async fn write_entries(
    tx: &mut Transaction<'static, Any>,
    log: &Origin,
    from: u64,
    entries: &[Waiting],
) -> Result<(), StoreError> {
    let numbered: Vec<(i64, &Waiting)> = (i64::try_from(from).unwrap_or(i64::MAX)..).zip(entries).collect();
    let head = "INSERT INTO ledger_entry (log, place, id, leaf) VALUES";
    super::rows::insert_all(tx, head, 4, "", &numbered, |query, (place, entry)| {
        query.bind(log.as_str().to_owned()).bind(*place).bind(entry.id.clone()).bind(entry.leaf.clone())
    })
    .await?;
    let bodies: Vec<&Waiting> = entries.iter().filter(|entry| entry.body.is_some()).collect();
    super::rows::insert_all(
        tx,
        "INSERT INTO ledger_body (id, body) VALUES",
        2,
        "",
        &bodies,
        |query, entry| query.bind(entry.id.clone()).bind(entry.body.clone()),
    )
    .await?;
    Ok(())
}

/// Exactly these: on a server an entry with a lower number may have become visible since they were read.
async fn clear_pending(tx: &mut Transaction<'static, Any>, entries: &[Waiting]) -> Result<(), StoreError> {
    for chunk in entries.chunks(LISTED_MAX) {
        let sql = format!("DELETE FROM journal_pending WHERE seq IN ({})", whole_list(tx, chunk.len()));
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
        for entry in chunk {
            query = query.bind(entry.seq);
        }
        query.execute(&mut **tx).await.map_err(StoreError::database("clearing the journal"))?;
    }
    Ok(())
}

pub(super) async fn write_tiles(
    tx: &mut Transaction<'static, Any>,
    log: &Origin,
    appended: &Appended,
) -> Result<(), StoreError> {
    let head = "INSERT INTO ledger_tile (log, level, place, hashes) VALUES";
    let tail = "ON CONFLICT (log, level, place) DO UPDATE SET hashes = excluded.hashes";
    let mut widest: HashMap<(u8, u64), &Tile> = HashMap::new();
    for tile in &appended.tiles {
        widest.insert((tile.at.level, tile.at.index), tile);
    }
    let tiles: Vec<&Tile> = widest.into_values().collect();
    super::rows::insert_all(tx, head, 4, tail, &tiles, |query, tile| {
        query
            .bind(log.as_str().to_owned())
            .bind(i64::from(tile.at.level))
            .bind(i64::try_from(tile.at.index).unwrap_or(i64::MAX))
            .bind(tile.bytes.clone())
    })
    .await
}

pub(super) async fn write_head(
    tx: &mut Transaction<'static, Any>,
    log: &Origin,
    before: u64,
    size: u64,
    checkpoint: &str,
) -> Result<(), StoreError> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let written = sqlx::query(
        "INSERT INTO ledger_head (log, size, checkpoint) VALUES ($1, $2, $3) ON CONFLICT (log) DO UPDATE \
         SET size = excluded.size, checkpoint = excluded.checkpoint WHERE ledger_head.size = $4",
    )
    .bind(log.as_str().to_owned())
    .bind(number(size))
    .bind(checkpoint.to_owned())
    .bind(number(before))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("writing the head"))?;
    if written.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Ledger("the head moved while entries were numbered".to_owned()))
    }
}

/// The stored tiles among those wanted: the pure rooms read without waiting.
pub(super) async fn fetch_tiles(
    tx: &mut Transaction<'static, Any>,
    log: &Origin,
    wanted: impl IntoIterator<Item = TileRef>,
) -> Result<TileSet, StoreError> {
    let mut fetched = TileSet::default();
    for at in wanted.into_iter().filter(|at| at.width > 0) {
        let row = sqlx::query("SELECT hashes FROM ledger_tile WHERE log = $1 AND level = $2 AND place = $3")
            .bind(log.as_str().to_owned())
            .bind(i64::from(at.level))
            .bind(i64::try_from(at.index).unwrap_or(i64::MAX))
            .fetch_optional(&mut **tx)
            .await
            .map_err(StoreError::database("reading a tile"))?;
        if let Some(row) = row {
            fetched.put(at.level, at.index, row.blob("hashes")?);
        }
    }
    Ok(fetched)
}

pub(super) fn ledger_error(error: LedgerError) -> StoreError {
    StoreError::Ledger(error.to_string())
}
