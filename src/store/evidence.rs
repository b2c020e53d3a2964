//! What others said of checkpoints: cosignatures of witnesses and time-stamps, kept beside them.

use super::StoreError;
use super::journal::Journal;
use super::rows::RowValues;
use crate::ledger::Origin;

/// A checkpoint with the line of a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedRow {
    /// Leaves of the checkpoint.
    pub size: u64,
    /// The witness's name.
    pub witness: String,
    /// The log's signed note.
    pub note: String,
    /// The witness's signature line.
    pub line: String,
}

/// A checkpoint with the answer of a time-stamp authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampRow {
    /// Leaves of the checkpoint.
    pub size: u64,
    /// The log's signed note.
    pub note: String,
    /// The TimeStampResp.
    pub response: Vec<u8>,
}

impl Journal {
    /// Keeps a cosignature that was checked; one of that witness over a checkpoint of that size is replaced.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_cosignature(&self, log: &Origin, row: &CosignedRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO ledger_cosignature (log, size, witness, note, line) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (log, size, witness) DO UPDATE SET note = excluded.note, line = excluded.line",
        )
        .bind(log.as_str().to_owned())
        .bind(stored(row.size))
        .bind(row.witness.clone())
        .bind(row.note.clone())
        .bind(row.line.clone())
        .execute(self.db.write())
        .await
        .map_err(StoreError::database("keeping a cosignature"))?;
        Ok(())
    }

    /// Every cosignature that is kept of a log, by size.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cosignatures(&self, log: &Origin) -> Result<Vec<CosignedRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT size, witness, note, line FROM ledger_cosignature WHERE log = $1 ORDER BY size, witness",
        )
        .bind(log.as_str().to_owned())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading cosignatures"))?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(CosignedRow {
                size: size(row.number("size")?)?,
                witness: row.text("witness")?,
                note: row.text("note")?,
                line: row.text("line")?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Keeps a time-stamp that was checked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_timestamp(&self, log: &Origin, row: &TimestampRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO ledger_timestamp (log, size, note, response) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (log, size) DO NOTHING",
        )
        .bind(log.as_str().to_owned())
        .bind(stored(row.size))
        .bind(row.note.clone())
        .bind(row.response.clone())
        .execute(self.db.write())
        .await
        .map_err(StoreError::database("keeping a time-stamp"))?;
        Ok(())
    }

    /// Every time-stamp that is kept of a log, by size.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn timestamps(&self, log: &Origin) -> Result<Vec<TimestampRow>, StoreError> {
        let rows =
            sqlx::query("SELECT size, note, response FROM ledger_timestamp WHERE log = $1 ORDER BY size")
                .bind(log.as_str().to_owned())
                .fetch_all(self.db.read())
                .await
                .map_err(StoreError::database("reading time-stamps"))?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(TimestampRow {
                size: size(row.number("size")?)?,
                note: row.text("note")?,
                response: row.blob("response")?,
            })
        };
        rows.iter().map(row).collect()
    }
}

fn stored(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn size(stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(|_| StoreError::Corrupt { what: "size of a checkpoint" })
}
