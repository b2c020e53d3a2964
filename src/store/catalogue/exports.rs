//! Exports, and what the vault must know of the records in them.

use super::Catalogue;
use super::commit::{OutboxRow, insert_outbox};
use crate::ledger::{EntryId, Origin, Pending};
use crate::model::{
    ActorId, ChannelId, ConversationId, ExportId, ExportState, GrantId, ItemDigest, OrganisationId,
    ProjectionId, RecordId, RequestId, SubjectRef, Timestamp, VersionId,
};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use serde::Serialize;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::HashMap;

/// An export as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportJob {
    /// Its id.
    pub id: ExportId,
    /// Under which grant.
    pub grant: GrantId,
    /// The request that the grant came of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// Whose records are in it.
    pub organisation: OrganisationId,
    /// Who asked for it.
    pub requester: ActorId,
    /// Where it stands.
    pub state: ExportState,
    /// What the reading room says it made.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub built: Value,
    /// What the leak gate found: counts and codes.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub report: Value,
    /// The ledger's entries of it, in order.
    #[serde(skip)]
    pub steps: Vec<EntryId>,
    /// Who let it go, or did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<ActorId>,
    /// Why.
    pub said: String,
    /// What the entry of its release commits to.
    #[serde(skip)]
    pub bound: Value,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// Until when it can be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Since when its files may have been built: what is in them was published before or is known to have changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_at: Option<Timestamp>,
}

/// A step of an export: what changes with it, together.
#[derive(Debug)]
pub struct ExportChange<'a> {
    /// Where it stood; `None` for a new one.
    pub before: Option<ExportState>,
    /// As it stands after it.
    pub export: &'a ExportJob,
    /// What goes down for it.
    pub down: Vec<OutboxRow>,
    /// The message of the reading room that it follows on.
    pub message: Option<i64>,
    /// Which projections are in its files, once the leak gate knows.
    pub holds: &'a [ProjectionId],
    /// Who gets them from now on.
    pub leaves_to: Option<ActorId>,
}

impl<'a> ExportChange<'a> {
    /// A step that tells nothing of what is in the files, nor to whom they go.
    #[must_use]
    pub const fn new(before: Option<ExportState>, export: &'a ExportJob) -> Self {
        Self { before, export, down: Vec::new(), message: None, holds: &[], leaves_to: None }
    }
}

/// What is known of the record behind a projection.
#[derive(Debug, Clone)]
pub struct ExportFacts {
    /// Which record.
    pub record: RecordId,
    /// Its version in force.
    pub version: VersionId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Of which channel.
    pub channel: ChannelId,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// When it was posted.
    pub posted_at: Option<Timestamp>,
    /// Findings of the version in force (JSON), without words.
    pub findings: String,
}

impl Catalogue {
    /// An export; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export(&self, id: ExportId) -> Result<Option<ExportJob>, StoreError> {
        let row = sqlx::query("SELECT * FROM export_job WHERE id = $1")
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading an export"))?;
        row.as_ref().map(export_of).transpose()
    }

    /// The exports of an organisation, or of all; those that changed last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exports(&self, of: Option<&OrganisationId>) -> Result<Vec<ExportJob>, StoreError> {
        let query = match of {
            Some(organisation) => {
                sqlx::query("SELECT * FROM export_job WHERE organisation = $1 ORDER BY changed_at DESC, id")
                    .bind(organisation.to_string())
            }
            None => sqlx::query("SELECT * FROM export_job ORDER BY changed_at DESC, id"),
        };
        let rows = query.fetch_all(self.db.read()).await.map_err(StoreError::database("listing exports"))?;
        rows.iter().map(export_of).collect()
    }

    /// The exports that stand so, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exports_in(&self, states: &[ExportState]) -> Result<Vec<ExportJob>, StoreError> {
        let sql = format!(
            "SELECT * FROM export_job WHERE state IN ({}) ORDER BY asked_at, id",
            list(1, states.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for state in states {
            query = query.bind(state.as_str());
        }
        let rows = query.fetch_all(self.db.read()).await.map_err(StoreError::database("listing exports"))?;
        rows.iter().map(export_of).collect()
    }

    /// Takes a step of an export: the export, what is in it, who gets it, what goes down and the ledger's entry, together. `false`,
    /// and nothing changed, when it does not stand where it stood before.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn step_export(
        &self,
        log: &Origin,
        change: ExportChange<'_>,
        pending: Pending,
    ) -> Result<bool, StoreError> {
        let ExportChange { before, export, down, message, holds, leaves_to } = change;
        let mut tx = self.db.begin().await?;
        let sql = match before {
            None => {
                "INSERT INTO export_job (state, built, report, steps, decided_by, said, bound, changed_at, until_at, built_at, \
                 id, access_grant, request, organisation, requester, asked_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (id) DO NOTHING"
            }
            Some(_) => {
                "UPDATE export_job SET state = $1, built = $2, report = $3, steps = $4, decided_by = $5, said = $6, \
                 bound = $7, changed_at = $8, until_at = $9, built_at = $10 WHERE id = $11 AND state = $12"
            }
        };
        let steps: Vec<String> = export.steps.iter().map(ToString::to_string).collect();
        let mut query = sqlx::query(sql)
            .bind(export.state.as_str())
            .bind(export.built.to_string())
            .bind(export.report.to_string())
            .bind(steps.join(" "))
            .bind(export.decided_by.map(|actor| bytes(actor.uuid())))
            .bind(export.said.clone())
            .bind(export.bound.to_string())
            .bind(export.changed_at.micros())
            .bind(export.until.map(Timestamp::micros))
            .bind(export.built_at.map(Timestamp::micros))
            .bind(bytes(export.id.uuid()));
        query = match before {
            Some(before) => query.bind(before.as_str()),
            None => query
                .bind(bytes(export.grant.uuid()))
                .bind(export.request.map(|request| bytes(request.uuid())))
                .bind(export.organisation.to_string())
                .bind(bytes(export.requester.uuid()))
                .bind(export.asked_at.micros()),
        };
        let done = query.execute(&mut *tx).await.map_err(StoreError::database("writing an export"))?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        insert_outbox(&mut tx, &down, export.changed_at).await?;
        insert_held(&mut tx, export.id, holds).await?;
        if let Some(actor) = leaves_to {
            note_exported(&mut tx, export, actor).await?;
        }
        if let Some(message) = message {
            journal::move_cursor(&mut tx, message).await?;
        }
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        Effect::ExportStepTaken
            .of(tx.commit())
            .await
            .map_err(StoreError::database("taking a step of an export"))?;
        Ok(true)
    }

    /// Whether something is on its way down that may change what the reading room shows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changes_wait(&self) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT 1 AS one FROM outbox WHERE kind IN ('conversation', 'withdrawal', 'revocation') LIMIT 1",
        )
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("reading the outbox"))?;
        Ok(row.is_some())
    }

    /// Whether a conversation of which an export holds something is to be computed anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export_is_stale(&self, id: ExportId) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT 1 AS one FROM stale_conversation s JOIN record r ON r.conversation = s.conversation \
             JOIN export_projection e ON e.projection = r.projection WHERE e.export = $1 LIMIT 1",
        )
        .bind(bytes(id.uuid()))
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("reading an export"))?;
        Ok(row.is_some())
    }

    /// How many projections are in the files of an export.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export_holds(&self, id: ExportId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM export_projection WHERE export = $1")
            .bind(bytes(id.uuid()))
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("reading an export"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or_default())
    }

    /// What is known of the records behind projections; one whose record is gone is absent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export_facts(
        &self,
        projections: &[ProjectionId],
    ) -> Result<HashMap<ProjectionId, ExportFacts>, StoreError> {
        let mut found = HashMap::with_capacity(projections.len());
        for chunk in projections.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT r.projection, r.id, r.version, r.organisation, r.channel, r.conversation, r.posted_at, v.findings \
                 FROM record r JOIN version v ON v.id = r.version \
                 WHERE r.destroyed_at IS NULL AND r.projection IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for projection in chunk {
                query = query.bind(bytes(projection.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading records"))?;
            for row in rows {
                let facts = ExportFacts {
                    record: RecordId::from_uuid(row.id("id")?),
                    version: VersionId::from_uuid(row.id("version")?),
                    organisation: row.term("organisation")?,
                    channel: row.term("channel")?,
                    conversation: ConversationId::from_uuid(row.id("conversation")?),
                    posted_at: row.time_or_null("posted_at")?,
                    findings: row.text("findings")?,
                };
                found.insert(ProjectionId::from_uuid(row.id("projection")?), facts);
            }
        }
        Ok(found)
    }

    /// The projections of records.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn projections_of(
        &self,
        records: &[RecordId],
    ) -> Result<HashMap<RecordId, ProjectionId>, StoreError> {
        let mut found = HashMap::with_capacity(records.len());
        for chunk in records.chunks(LISTED_MAX) {
            let sql = format!("SELECT id, projection FROM record WHERE id IN ({})", list(1, chunk.len()));
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for record in chunk {
                query = query.bind(bytes(record.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading records"))?;
            for row in rows {
                found.insert(
                    RecordId::from_uuid(row.id("id")?),
                    ProjectionId::from_uuid(row.id("projection")?),
                );
            }
        }
        Ok(found)
    }

    /// The persons of conversations, by their references in them: the keyed digest by which they are known everywhere.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn persons(
        &self,
        conversations: &[ConversationId],
    ) -> Result<HashMap<(ConversationId, SubjectRef), ItemDigest>, StoreError> {
        let mut found = HashMap::new();
        for chunk in conversations.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT conversation, digest, reference FROM subject WHERE conversation IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for conversation in chunk {
                query = query.bind(bytes(conversation.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading persons"))?;
            for row in rows {
                let number = u32::try_from(row.number("reference")?)
                    .map_err(|_| StoreError::Corrupt { what: "reference of a person" })?;
                let conversation = ConversationId::from_uuid(row.id("conversation")?);
                found.insert((conversation, SubjectRef::from_u32(number)), row.digest("digest")?);
            }
        }
        Ok(found)
    }
}

async fn insert_held(
    tx: &mut Transaction<'static, Any>,
    export: ExportId,
    holds: &[ProjectionId],
) -> Result<(), StoreError> {
    let head = "INSERT INTO export_projection (projection, export) VALUES";
    let tail = "ON CONFLICT (projection, export) DO NOTHING";
    insert_all(tx, head, 2, tail, holds, |query, projection| {
        query.bind(bytes(projection.uuid())).bind(bytes(export.uuid()))
    })
    .await
}

/// Keeps that everything in the files goes to somebody, as it stood when they were built: an incident names who has it.
async fn note_exported(
    tx: &mut Transaction<'static, Any>,
    export: &ExportJob,
    actor: ActorId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO seen (projection, access_grant, actor, how, first_at) \
         SELECT projection, $1, $2, 'exported', $3 FROM export_projection WHERE export = $4 \
         ON CONFLICT (projection, access_grant, actor, how) DO NOTHING",
    )
    .bind(bytes(export.grant.uuid()))
    .bind(bytes(actor.uuid()))
    .bind(export.built_at.unwrap_or(export.asked_at).micros())
    .bind(bytes(export.id.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("keeping who has an export"))?;
    Ok(())
}

fn export_of(row: &AnyRow) -> Result<ExportJob, StoreError> {
    let json = |column: &'static str| {
        serde_json::from_str::<Value>(&row.text(column)?).map_err(|_| StoreError::Corrupt { what: "export" })
    };
    let steps = row.text("steps")?;
    let steps: Result<Vec<EntryId>, _> = steps.split_whitespace().map(str::parse).collect();
    Ok(ExportJob {
        id: ExportId::from_uuid(row.id("id")?),
        grant: GrantId::from_uuid(row.id("access_grant")?),
        request: row.id_or_null("request")?.map(RequestId::from_uuid),
        organisation: row.term("organisation")?,
        requester: ActorId::from_uuid(row.id("requester")?),
        state: row.term("state")?,
        built: json("built")?,
        report: json("report")?,
        steps: steps.map_err(|_| StoreError::Corrupt { what: "steps of an export" })?,
        decided_by: row.id_or_null("decided_by")?.map(ActorId::from_uuid),
        said: row.text("said")?,
        bound: json("bound")?,
        asked_at: row.time("asked_at")?,
        changed_at: row.time("changed_at")?,
        until: row.time_or_null("until_at")?,
        built_at: row.time_or_null("built_at")?,
    })
}
