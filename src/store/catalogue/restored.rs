//! What is withheld after a backup was put back, until a person has judged it again.

use super::Catalogue;
use super::commit::{OutboxRow, insert_outbox, mark_stale};
use super::reviewing::{ReviewTask, insert_tasks};
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{ConversationId, OrganisationId, ProjectionId, QueueKind, RecordId, Timestamp, VersionId};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes};

/// A record that goes out of sight.
#[derive(Debug, Clone)]
pub struct Withdrawn {
    /// Which.
    pub record: RecordId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Its version in force.
    pub version: VersionId,
    /// Its thread.
    pub conversation: ConversationId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
}

impl Catalogue {
    /// Those of these records that are here and were not destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdrawable(&self, records: &[RecordId]) -> Result<Vec<Withdrawn>, StoreError> {
        let head = "SELECT id, organisation, version, conversation, projection FROM record \
                    WHERE destroyed_at IS NULL AND version IS NOT NULL AND id IN";
        let rows = self.listed(head, records.iter().map(|record| record.uuid())).await?;
        rows.iter()
            .map(|row| {
                Ok(Withdrawn {
                    record: RecordId::from_uuid(row.id("id")?),
                    organisation: row.term("organisation")?,
                    version: VersionId::from_uuid(row.id("version")?),
                    conversation: ConversationId::from_uuid(row.id("conversation")?),
                    projection: ProjectionId::from_uuid(row.id("projection")?),
                })
            })
            .collect()
    }

    /// Withholds records from every view until a reviewer has judged them again: what waits in the queue, what is withdrawn and
    /// the entry stand together.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn withhold_restored(
        &self,
        log: &Origin,
        records: &[Withdrawn],
        pending: Pending,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.db.begin().await?;
        let kind = QueueKind::Restored;
        let tasks: Vec<ReviewTask> =
            records.iter().map(|one| ReviewTask { version: one.version, kind, people: 1 }).collect();
        insert_tasks(&mut tx, &tasks, None, now).await?;
        for one in records {
            sqlx::query(
                "UPDATE review_task SET held = 1 WHERE version = $1 AND kind = $2 AND settled_at IS NULL",
            )
            .bind(bytes(one.version.uuid()))
            .bind(kind.as_str())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("withholding records"))?;
        }
        let gone: Vec<ProjectionId> = records.iter().map(|one| one.projection).collect();
        let payload = serde_json::to_string(&gone).unwrap_or_default();
        insert_outbox(&mut tx, &[OutboxRow { kind: "withdrawal", payload }], now).await?;
        let conversations: Vec<ConversationId> = records.iter().map(|one| one.conversation).collect();
        mark_stale(&mut tx, &conversations, now).await?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::FlagsJudged.of(tx.commit()).await.map_err(StoreError::database("withholding records"))?;
        Ok(journal::after_commit(added))
    }
}
