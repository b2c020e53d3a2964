//! Decisions as they were made, one after another, and what the ledger committed to of them.

use super::Catalogue;
use super::commit::DecisionRow;
use crate::ledger::{EntryId, Hash};
use crate::model::{RecordId, Timestamp, VersionId};
use crate::store::StoreError;
use crate::store::rows::{RowValues, bytes};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

/// What one entry committed to: the salted hashes of its decisions, in their order.
#[derive(Debug)]
pub struct DecisionSetRow {
    /// The entry.
    pub entry: EntryId,
    /// When they were made.
    pub decided_at: Timestamp,
    /// The hashes.
    pub commitments: Vec<Hash>,
}

impl Catalogue {
    /// Every decision on a record as it was made; those that a later one took the place of too. First the one in force, then those
    /// before it on the same version, then those on other versions: each newest first. A version that came in later than the one
    /// in force, and is older, decides nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions_made(&self, record: RecordId) -> Result<Vec<DecisionRow>, StoreError> {
        let columns = "record, version, outcome, tree, tree_version, path, decided_at, ending, keep, salt";
        let place = |of: u8| {
            format!(
                "CASE WHEN version = (SELECT r.version FROM record r WHERE r.id = $1) THEN {of} ELSE 2 END"
            )
        };
        let sql = format!(
            "SELECT {columns}, {} AS place FROM decision WHERE record = $1 UNION ALL \
             SELECT {columns}, {} AS place FROM decision_before WHERE record = $1 ORDER BY place, decided_at DESC",
            place(0),
            place(1)
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(bytes(record.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading decisions"))?;
        rows.iter().map(decision_of).collect()
    }

    /// The decisions that stand, in the order in which their versions came in: those behind the version of number `after`, at
    /// most so many, each with that number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions_standing(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<(i64, DecisionRow)>, StoreError> {
        let rows = sqlx::query(
            "SELECT v.number, r.id AS record, v.id AS version, g.outcome, g.tree, g.tree_version, \
             COALESCE(v.path, g.path) AS path, COALESCE(v.decided_at, d.observed_at) AS decided_at, g.ending, \
             NULLIF(g.keep, '') AS keep, v.salt FROM version_row v JOIN record_row r ON r.number = v.record \
             JOIN ruling g ON g.number = v.ruling JOIN delivery d ON d.number = v.delivery \
             WHERE v.number > $1 AND r.destroyed_at IS NULL ORDER BY v.number LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading decisions"))?;
        rows.iter().map(|row| Ok((row.number("number")?, decision_of(row)?))).collect()
    }

    /// Records, not destroyed, of which a decision was replaced by a later one: those behind `after`, at most so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decided_again(
        &self,
        after: Option<RecordId>,
        most: u32,
    ) -> Result<Vec<RecordId>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT b.record FROM decision_before b JOIN record_row r ON r.id = b.record \
             WHERE b.record > $1 AND r.destroyed_at IS NULL ORDER BY b.record LIMIT $2",
        )
        .bind(after.map(|record| bytes(record.uuid())).unwrap_or_default())
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading decisions"))?;
        rows.iter().map(|row| Ok(RecordId::from_uuid(row.id("record")?))).collect()
    }

    /// What was committed to at that moment: usually one entry.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decision_sets(&self, decided_at: Timestamp) -> Result<Vec<DecisionSetRow>, StoreError> {
        let rows =
            sqlx::query("SELECT entry, decided_at, commitments FROM decision_set WHERE decided_at = $1")
                .bind(decided_at.micros())
                .fetch_all(self.db.read())
                .await
                .map_err(StoreError::database("reading commitments"))?;
        rows.iter().map(set_of).collect()
    }
}

pub(super) async fn insert_set(
    tx: &mut Transaction<'static, Any>,
    set: &DecisionSetRow,
) -> Result<(), StoreError> {
    let commitments: Vec<u8> = set.commitments.iter().flat_map(|hash| *hash.as_bytes()).collect();
    sqlx::query("INSERT INTO decision_set (entry, decided_at, commitments) VALUES ($1, $2, $3)")
        .bind(bytes(set.entry.uuid()))
        .bind(set.decided_at.micros())
        .bind(commitments)
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("keeping commitments"))?;
    Ok(())
}

fn set_of(row: &AnyRow) -> Result<DecisionSetRow, StoreError> {
    let (commitments, rest) = row.blob("commitments").map(split)?;
    if rest {
        return Err(StoreError::Corrupt { what: "commitments" });
    }
    Ok(DecisionSetRow {
        entry: EntryId::from_uuid(row.id("entry")?),
        decided_at: row.time("decided_at")?,
        commitments,
    })
}

fn split(all: Vec<u8>) -> (Vec<Hash>, bool) {
    let (hashes, rest) = all.as_chunks::<{ Hash::LEN }>();
    (hashes.iter().map(|bytes| Hash::from_bytes(*bytes)).collect(), !rest.is_empty())
}

fn decision_of(row: &AnyRow) -> Result<DecisionRow, StoreError> {
    Ok(DecisionRow {
        record: RecordId::from_uuid(row.id("record")?),
        version: VersionId::from_uuid(row.id("version")?),
        outcome: row.term("outcome")?,
        tree: row.text("tree")?,
        tree_version: row.text("tree_version")?,
        path: row.text("path")?,
        ending: row.text("ending")?,
        keep: row.text_or_null("keep")?,
        salt: row.blob_or_null("salt")?.unwrap_or_default(),
        decided_at: row.time("decided_at")?,
    })
}
