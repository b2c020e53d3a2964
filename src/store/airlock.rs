//! The airlock: files on their way up from the reading room, held until a second person lets them go.

use super::effect::Effect;
use super::rows::{RowValues, bytes};
use super::{Database, StoreError};
use crate::model::ExportId;

/// Bytes of a piece of a file.
pub const PIECE_BYTES: usize = 1 << 20;

/// Files that wait to be released. The reading room adds to it; the vault reads it and takes things out.
#[derive(Debug, Clone)]
pub struct Airlock {
    db: Database,
}

impl Airlock {
    /// The airlock over an opened inbox.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    /// Adds a piece of a file. One that is there already stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(
        &self,
        export: ExportId,
        file: &str,
        place: u64,
        piece: Vec<u8>,
    ) -> Result<(), StoreError> {
        // Without a named conflict the role needs to read nothing for it.
        let written = sqlx::query(
            "INSERT INTO airlock (export, file, place, bytes) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(bytes(export.uuid()))
        .bind(file.to_owned())
        .bind(i64::try_from(place).unwrap_or(i64::MAX))
        .bind(piece);
        let done = Effect::AirlockFilled.of(written.execute(self.db.write())).await;
        done.map_err(StoreError::database("filling the airlock"))?;
        Ok(())
    }

    /// The names of the files of an export that are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files(&self, export: ExportId) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT DISTINCT file FROM airlock WHERE export = $1 ORDER BY file")
            .bind(bytes(export.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading the airlock"))?;
        rows.iter().map(|row| row.text("file")).collect()
    }

    /// The exports of which files are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exports(&self) -> Result<Vec<ExportId>, StoreError> {
        let rows = sqlx::query("SELECT DISTINCT export FROM airlock")
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading the airlock"))?;
        rows.iter().map(|row| Ok(ExportId::from_uuid(row.id("export")?))).collect()
    }

    /// A piece of a file; `None` past its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn piece(
        &self,
        export: ExportId,
        file: &str,
        place: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT bytes FROM airlock WHERE export = $1 AND file = $2 AND place = $3")
            .bind(bytes(export.uuid()))
            .bind(file.to_owned())
            .bind(i64::try_from(place).unwrap_or(i64::MAX))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading the airlock"))?;
        row.map(|row| row.blob("bytes")).transpose()
    }

    /// A whole file of at most `most` bytes; `None` when it is not there or longer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file(&self, export: ExportId, file: &str, most: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let (mut whole, mut place) = (Vec::new(), 0);
        while let Some(piece) = self.piece(export, file, place).await? {
            whole.extend_from_slice(&piece);
            if whole.len() as u64 > most {
                return Ok(None);
            }
            place += 1;
        }
        Ok((place > 0).then_some(whole))
    }

    /// Takes everything of an export out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear(&self, export: ExportId) -> Result<(), StoreError> {
        let gone = sqlx::query("DELETE FROM airlock WHERE export = $1").bind(bytes(export.uuid()));
        let done = Effect::AirlockEmptied.of(gone.execute(self.db.write())).await;
        done.map_err(StoreError::database("emptying the airlock"))?;
        Ok(())
    }
}
