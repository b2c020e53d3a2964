//! What an export was prepared of, whether that still is what is published, and the package that a second person let go.

use super::{Room, RoomWriter};
use crate::model::{ExportId, GrantId};
use crate::redact::copy::sha256_hex;
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, list};
use crate::store::{Database, StoreError};
use sqlx::{Any, AssertSqlSafe, Transaction};

/// Says of every export that was prepared of one of these projections that it is not what is published any more. The pieces of
/// its package go in the same transaction: what is withdrawn is not handed out a moment longer.
pub(super) async fn mark_changed(
    tx: &mut Transaction<'static, Any>,
    numbers: &[i64],
) -> Result<(), StoreError> {
    let mut marked = 0;
    for chunk in numbers.chunks(LISTED_MAX) {
        let sql = format!(
            "UPDATE export_member SET changed = 1 WHERE changed = 0 AND projection IN ({})",
            list(1, chunk.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
        for number in chunk {
            query = query.bind(*number);
        }
        let done =
            query.execute(&mut **tx).await.map_err(StoreError::database("withdrawing from exports"))?;
        marked += done.rows_affected();
    }
    if marked > 0 { take_packages_back(tx).await } else { Ok(()) }
}

/// The same of the exports of one grant, which does not cover the projection any more.
pub(super) async fn mark_uncovered(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    number: i64,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE export_member SET changed = 1 WHERE changed = 0 AND projection = $1 AND reference IN \
         (SELECT reference FROM grant_record WHERE reading_grant = $2 AND projection = $1)",
    )
    .bind(number)
    .bind(bytes(grant.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("withdrawing from exports"))?;
    if done.rows_affected() > 0 { take_packages_back(tx).await } else { Ok(()) }
}

async fn take_packages_back(tx: &mut Transaction<'static, Any>) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM export_chunk WHERE export IN (SELECT DISTINCT export FROM export_member WHERE changed = 1)",
    )
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("withdrawing a package"))?;
    Ok(())
}

const CHANGED: &str = "SELECT 1 AS one FROM export_member WHERE export = $1 AND changed = 1 LIMIT 1";

/// Whether a statement about an export finds a row.
async fn is_there(db: &Database, sql: &'static str, export: ExportId) -> Result<bool, StoreError> {
    let row = sqlx::query(sql)
        .bind(bytes(export.uuid()))
        .fetch_optional(db.read())
        .await
        .map_err(StoreError::database("reading an export"))?;
    Ok(row.is_some())
}

impl RoomWriter {
    /// Keeps what an export is prepared of: everything that its grant names now. What an earlier preparation said is forgotten.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn prepare_export(&self, export: ExportId, grant: GrantId) -> Result<(), StoreError> {
        let mut tx = self.database().begin().await?;
        for statement in
            ["DELETE FROM export_member WHERE export = $1", "DELETE FROM export_row WHERE export = $1"]
        {
            sqlx::query(statement)
                .bind(bytes(export.uuid()))
                .execute(&mut *tx)
                .await
                .map_err(StoreError::database("preparing an export"))?;
        }
        sqlx::query(
            "INSERT INTO export_member (export, reference, projection) \
             SELECT $1, reference, projection FROM grant_record WHERE reading_grant = $2",
        )
        .bind(bytes(export.uuid()))
        .bind(bytes(grant.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("preparing an export"))?;
        Effect::RoomExportPrepared.of(tx.commit()).await.map_err(StoreError::database("preparing an export"))
    }

    /// Whether something that an export was prepared of is not as it was: withdrawn, not covered, or published with other words.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export_changed(&self, export: ExportId) -> Result<bool, StoreError> {
        is_there(self.database(), CHANGED, export).await
    }

    /// Whether anything is kept of what an export was prepared of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_prepared(&self, export: ExportId) -> Result<bool, StoreError> {
        is_there(self.database(), "SELECT 1 AS one FROM export_member WHERE export = $1 LIMIT 1", export)
            .await
    }

    /// How many pieces of a package are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export_chunks(&self, export: ExportId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM export_chunk WHERE export = $1")
            .bind(bytes(export.uuid()))
            .fetch_one(self.database().read())
            .await
            .map_err(StoreError::database("reading a package"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or_default())
    }

    /// Puts a piece of a package down, with its digest. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export_chunk(&self, export: ExportId, place: u64, piece: Vec<u8>) -> Result<(), StoreError> {
        let written = sqlx::query(
            "INSERT INTO export_chunk (export, place, sha256, bytes) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (export, place) DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes",
        )
        .bind(bytes(export.uuid()))
        .bind(i64::try_from(place).unwrap_or(i64::MAX))
        .bind(sha256_hex(&piece))
        .bind(piece);
        let done = Effect::RoomPackagePut.of(written.execute(self.database().write())).await;
        done.map_err(StoreError::database("publishing a package"))?;
        Ok(())
    }

    /// Takes the package of an export away, what it was prepared of, and what its rows show less.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn forget_export(&self, export: ExportId) -> Result<(), StoreError> {
        self.forget(
            export,
            &[
                "DELETE FROM export_chunk WHERE export = $1",
                "DELETE FROM export_member WHERE export = $1",
                "DELETE FROM export_row WHERE export = $1",
            ],
        )
        .await
    }

    /// Takes the package of an export away and nothing else: it is put down anew.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn forget_package(&self, export: ExportId) -> Result<(), StoreError> {
        self.forget(export, &["DELETE FROM export_chunk WHERE export = $1"]).await
    }

    async fn forget(&self, export: ExportId, statements: &[&'static str]) -> Result<(), StoreError> {
        let mut tx = self.database().begin().await?;
        for statement in statements {
            sqlx::query(*statement)
                .bind(bytes(export.uuid()))
                .execute(&mut *tx)
                .await
                .map_err(StoreError::database("withdrawing a package"))?;
        }
        Effect::RoomPackageGone.of(tx.commit()).await.map_err(StoreError::database("withdrawing a package"))
    }

    /// The exports of which something is there: pieces, what they were prepared of, what rows show less.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exports_there(&self) -> Result<Vec<ExportId>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT export FROM export_chunk UNION SELECT DISTINCT export FROM export_member \
             UNION SELECT DISTINCT export FROM export_row",
        )
        .fetch_all(self.database().read())
        .await
        .map_err(StoreError::database("listing packages"))?;
        rows.iter().map(|row| Ok(ExportId::from_uuid(row.id("export")?))).collect()
    }
}

impl Room {
    /// Whether something that an export was prepared of is not as it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export_changed(&self, export: ExportId) -> Result<bool, StoreError> {
        is_there(self.database(), CHANGED, export).await
    }

    /// A piece of a released package, as the vault wrote it; `None` past its end, and when it is gone.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is not as it was written; when the database fails.
    pub async fn export_chunk(&self, export: ExportId, place: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT bytes, sha256 FROM export_chunk WHERE export = $1 AND place = $2")
            .bind(bytes(export.uuid()))
            .bind(i64::try_from(place).unwrap_or(i64::MAX))
            .fetch_optional(self.database().read())
            .await
            .map_err(StoreError::database("reading a package"))?;
        let Some(row) = row else { return Ok(None) };
        let piece = row.blob("bytes")?;
        if sha256_hex(&piece) != row.text("sha256")? {
            return Err(StoreError::Corrupt { what: "piece of a package" });
        }
        Ok(Some(piece))
    }
}
