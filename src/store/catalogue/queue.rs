//! What waits for people, and what they answered.

use super::Catalogue;
use super::anew::forget_anew;
use super::commit::{DecisionRow, OutboxRow, insert_outbox, mark_stale};
use super::formal::{FormalFound, set_found};
use super::insert::{decided, set_aside};
use super::numbers::Lookup;
use super::statements::{DecisionSetRow, insert_set};
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{
    ActorId, ConversationId, ItemKind, Outcome, ProjectionId, RecordId, Timestamp, VersionId,
};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes};
use serde::Serialize;
use sqlx::{Any, Transaction};

/// Another decision on a record, with what the ledger commits to of it.
#[derive(Debug)]
pub struct DecisionChange {
    /// Which record.
    pub record: RecordId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
    /// Its thread.
    pub conversation: ConversationId,
    /// What is decided now.
    pub decision: DecisionRow,
    /// What the entry commits to.
    pub set: DecisionSetRow,
}

/// A person's answer to a step, with the decision that follows from it.
#[derive(Debug)]
pub struct StepAnswered {
    /// What was asked, by its name in a tree or the step's id.
    pub asked: String,
    /// The answer.
    pub answer: &'static str,
    /// Who answered.
    pub actor: ActorId,
    /// Whether that makes it a formal message, when that was asked.
    pub formal: Option<FormalFound>,
    /// What is decided now.
    pub change: DecisionChange,
}

/// One member of a thread, as a proposal shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadMember {
    /// Which record.
    pub record: RecordId,
    /// What it is.
    pub kind: ItemKind,
    /// Whether the organisation posted it.
    pub own: bool,
    /// What was decided.
    pub outcome: Outcome,
    /// Why no view of it exists, if so.
    pub withheld: Option<String>,
}

impl Catalogue {
    /// The version in force of a record, for deciding on it anew; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn version_in_force(&self, record: RecordId) -> Result<Option<VersionId>, StoreError> {
        let row = sqlx::query("SELECT version FROM record WHERE id = $1 AND destroyed_at IS NULL")
            .bind(bytes(record.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a record"))?;
        row.map(|row| Ok(VersionId::from_uuid(row.id("version")?))).transpose()
    }

    /// The members of a thread.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn thread(&self, conversation: ConversationId) -> Result<Vec<ThreadMember>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, kind, own, outcome, withheld FROM record WHERE conversation = $1 ORDER BY posted_at, id",
        )
        .bind(bytes(conversation.uuid()))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading a thread"))?;
        rows.iter()
            .map(|row| {
                Ok(ThreadMember {
                    record: RecordId::from_uuid(row.id("id")?),
                    kind: row.term("kind")?,
                    own: row.number("own")? == 1,
                    outcome: row.term("outcome")?,
                    withheld: row.text_or_null("withheld")?,
                })
            })
            .collect()
    }

    /// Writes a person's answer with what follows from it: the decision before is kept, the projection is withdrawn or
    /// computed anew. `None` when the record was edited meanwhile: then nothing changes.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn answer_step(
        &self,
        log: &Origin,
        answered: &StepAnswered,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Option<Recorded>, StoreError> {
        let mut tx = self.db.begin().await?;
        if !decide_otherwise(&mut tx, &answered.change, now).await? {
            return Ok(None);
        }
        let StepAnswered { asked, answer, actor, change, .. } = answered;
        let of = (change.record, change.decision.version);
        insert_step_answer(&mut tx, of, (asked, answer, *actor), &pending, now).await?;
        if let Some(found) = &answered.formal {
            set_found(&mut tx, answered.change.record, found).await?;
        }
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::StepAnswered.of(tx.commit()).await.map_err(StoreError::database("answering a step"))?;
        Ok(Some(journal::after_commit(added)))
    }

    /// Writes another decision, because a fact changed: the record waits for it no longer. As [`answer_step`](Self::answer_step),
    /// without an answer.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn change_decision(
        &self,
        log: &Origin,
        change: &DecisionChange,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Option<Recorded>, StoreError> {
        let mut tx = self.db.begin().await?;
        if !decide_otherwise(&mut tx, change, now).await? {
            return Ok(None);
        }
        forget_anew(&mut tx, change.record).await?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::DecisionChanged.of(tx.commit()).await.map_err(StoreError::database("deciding anew"))?;
        Ok(Some(journal::after_commit(added)))
    }
}

/// `false` when the record has another version in force meanwhile, or was destroyed.
async fn decide_otherwise(
    tx: &mut Transaction<'static, Any>,
    change: &DecisionChange,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let decision = &change.decision;
    let done = sqlx::query(
        "UPDATE record_row SET outcome = $1 WHERE id = $2 AND destroyed_at IS NULL \
         AND version = (SELECT number FROM version_row WHERE id = $3)",
    )
    .bind(set_aside(decision.outcome))
    .bind(bytes(change.record.uuid()))
    .bind(bytes(decision.version.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("deciding anew"))?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    replace_decision(tx, decision, now).await?;
    insert_set(tx, &change.set).await?;
    if decision.outcome != Outcome::Archive {
        let payload = serde_json::to_string(&[change.projection]).unwrap_or_default();
        insert_outbox(tx, &[OutboxRow { kind: "withdrawal", payload }], now).await?;
    }
    mark_stale(tx, &[change.conversation], now).await?;
    Ok(true)
}

/// Keeps a person's answer: of which version of which record; to what, which answer, whose.
pub(super) async fn insert_step_answer(
    tx: &mut Transaction<'static, Any>,
    (record, version): (RecordId, VersionId),
    (asked, answer, actor): (&str, &'static str, ActorId),
    pending: &Pending,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO step_answer (entry, record, version, asked, answer, actor, answered_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(bytes(pending.entry().id().uuid()))
    .bind(bytes(record.uuid()))
    .bind(bytes(version.uuid()))
    .bind(asked.to_owned())
    .bind(answer)
    .bind(bytes(actor.uuid()))
    .bind(now.micros())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("answering a step"))?;
    Ok(())
}

/// The decision before goes to those before it.
pub(super) async fn replace_decision(
    tx: &mut Transaction<'static, Any>,
    decision: &DecisionRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("replacing a decision");
    sqlx::query(
        "INSERT INTO decision_before (record, version, outcome, tree, tree_version, path, decided_at, ending, keep, salt, \
         replaced_at) SELECT record, version, outcome, tree, tree_version, path, decided_at, ending, keep, salt, $1 \
         FROM decision WHERE record = $2 AND version = $3",
    )
    .bind(now.micros())
    .bind(bytes(decision.record.uuid()))
    .bind(bytes(decision.version.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(failed())?;
    let anew = decided(tx, &mut Lookup::default(), decision).await?;
    sqlx::query(
        "UPDATE version_row SET ruling = $1, path = $2, decided_at = $3, salt = $4 WHERE id = $5 \
         AND record = (SELECT number FROM record_row WHERE id = $6)",
    )
    .bind(anew.ruling)
    .bind(anew.path)
    .bind(anew.at.micros())
    .bind(anew.salt)
    .bind(bytes(decision.version.uuid()))
    .bind(bytes(decision.record.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(failed())?;
    Ok(())
}
