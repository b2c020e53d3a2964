//! What was destroyed, as it is copied to where a lost database does not take it along.

use super::Catalogue;
use crate::model::{ConversationId, ItemDigest, RecordId};
use crate::store::StoreError;
use crate::store::rows::{RowValues, bytes, insert_all};
use sqlx::any::AnyRow;

/// Something that was destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destroyed {
    /// A record.
    Record(RecordId),
    /// A name of one, as a digest under the suppression key, with its thread.
    Name(ItemDigest, ConversationId),
}

impl Destroyed {
    pub(super) fn name(&self) -> Vec<u8> {
        match self {
            Self::Record(record) => bytes(record.uuid()),
            Self::Name(name, _) => name.as_bytes().to_vec(),
        }
    }

    pub(super) fn thread(&self) -> Option<Vec<u8>> {
        match self {
            Self::Record(_) => None,
            Self::Name(_, thread) => Some(bytes(thread.uuid())),
        }
    }
}

const COPYING: &str = "reading what was destroyed";

impl Catalogue {
    /// What was destroyed and not copied since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn destroyed_uncopied(&self) -> Result<Vec<Destroyed>, StoreError> {
        let sql = "SELECT name, conversation FROM destroyed_uncopied ORDER BY name";
        let rows = sqlx::query(sql).fetch_all(self.db.read()).await.map_err(StoreError::database(COPYING))?;
        rows.iter().map(uncopied_of).collect()
    }

    /// Everything that was ever destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn destroyed_all(&self) -> Result<Vec<Destroyed>, StoreError> {
        let records = sqlx::query("SELECT id FROM record_row WHERE destroyed_at IS NOT NULL ORDER BY id")
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database(COPYING))?;
        let names = sqlx::query("SELECT digest, conversation FROM suppression ORDER BY digest")
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database(COPYING))?;
        let record = |row: &AnyRow| Ok(Destroyed::Record(RecordId::from_uuid(row.id("id")?)));
        records.iter().map(record).chain(names.iter().map(name_of)).collect()
    }

    /// These are copied now.
    ///
    /// # Errors
    /// When the database fails: they are copied once more.
    pub async fn destroyed_copied(&self, copied: &[Destroyed]) -> Result<(), StoreError> {
        const FAILED: &str = "marking what was copied";
        let mut tx = self.db.begin().await?;
        for one in copied {
            sqlx::query("DELETE FROM destroyed_uncopied WHERE name = $1")
                .bind(one.name())
                .execute(&mut *tx)
                .await
                .map_err(StoreError::database(FAILED))?;
        }
        tx.commit().await.map_err(StoreError::database(FAILED))
    }

    /// Refuses these names from now on, as those of something destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suppress_again(&self, names: &[(ItemDigest, ConversationId)]) -> Result<(), StoreError> {
        const FAILED: &str = "refusing what was destroyed";
        let mut tx = self.db.begin().await?;
        let head = "INSERT INTO suppression (digest, conversation) VALUES";
        insert_all(&mut tx, head, 2, "ON CONFLICT (digest) DO NOTHING", names, |query, (name, thread)| {
            query.bind(name.as_bytes().to_vec()).bind(bytes(thread.uuid()))
        })
        .await?;
        tx.commit().await.map_err(StoreError::database(FAILED))
    }
}

fn uncopied_of(row: &AnyRow) -> Result<Destroyed, StoreError> {
    Ok(match row.id_or_null("conversation")? {
        Some(thread) => Destroyed::Name(row.digest("name")?, ConversationId::from_uuid(thread)),
        None => Destroyed::Record(RecordId::from_uuid(row.id("name")?)),
    })
}

fn name_of(row: &AnyRow) -> Result<Destroyed, StoreError> {
    Ok(Destroyed::Name(row.digest("digest")?, ConversationId::from_uuid(row.id("conversation")?)))
}
