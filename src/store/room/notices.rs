//! What readers of a grant must know: a recall of what they read.

use super::{Room, RoomWriter};
use crate::model::{GrantId, IncidentId, ProjectionId, RecordRef, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, list};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A recall on its way down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedRecall {
    /// The notice's id.
    pub id: Uuid,
    /// The incident it comes from.
    pub incident: IncidentId,
    /// When.
    pub at: Timestamp,
    /// Which grants have what of it.
    pub grants: BTreeMap<GrantId, Vec<ProjectionId>>,
    /// What readers are told, in Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
}

impl RoomWriter {
    /// Tells the readers of each grant, by the names that the grant has for the records: what it names no longer is
    /// counted. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn recall(&self, recall: &PublishedRecall) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for (grant, of) in &recall.grants {
            let records = names_of(&mut tx, *grant, of).await?;
            let document = json!({
                "id": recall.id, "kind": "recall", "grant": grant, "incident": recall.incident, "at": recall.at,
                "records": records, "notNamed": of.len().saturating_sub(records.len()),
                "text": { "nl": recall.nl, "en": recall.en },
            });
            sqlx::query(
                "INSERT INTO notice (id, reading_grant, at, document) SELECT $1, $2, $3, $4 FROM reading_grant \
                 WHERE id = $2 ON CONFLICT (id, reading_grant) DO NOTHING",
            )
            .bind(bytes(recall.id))
            .bind(bytes(grant.uuid()))
            .bind(recall.at.micros())
            .bind(document.to_string())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("publishing a notice"))?;
        }
        Effect::RoomRequest.of(tx.commit()).await.map_err(StoreError::database("publishing a notice"))
    }
}

/// The names that a grant has for some projections.
async fn names_of(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    projections: &[ProjectionId],
) -> Result<Vec<RecordRef>, StoreError> {
    let mut found = Vec::with_capacity(projections.len());
    for chunk in projections.chunks(LISTED_MAX) {
        let sql = format!(
            "SELECT g.reference FROM grant_record g JOIN projection p ON p.number = g.projection \
             WHERE g.reading_grant = $1 AND p.id IN ({})",
            list(2, chunk.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(bytes(grant.uuid()));
        for projection in chunk {
            query = query.bind(bytes(projection.uuid()));
        }
        let rows = query.fetch_all(&mut **tx).await.map_err(StoreError::database("publishing a notice"))?;
        for row in rows {
            found.push(RecordRef::from_uuid(row.id("reference")?));
        }
    }
    found.sort_unstable();
    Ok(found)
}

impl Room {
    /// What somebody must know of what they read under their grants, also those that ended (JSON); newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notices(&self, issuer: &str, subject: &str) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT n.document FROM reader r JOIN grant_reader t ON t.reader = r.id \
             JOIN notice n ON n.reading_grant = t.reading_grant \
             WHERE r.issuer = $1 AND r.subject = $2 ORDER BY n.at DESC, n.id",
        )
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .fetch_all(self.database().read())
        .await
        .map_err(StoreError::database("listing notices"))?;
        rows.iter().map(|row| row.text("document")).collect()
    }
}
