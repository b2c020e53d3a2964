//! What waits for people, what they answered, and links to the letter system.

use super::Catalogue;
use super::commit::OutboxRow;
use super::commit::{DecisionRow, insert_outbox, mark_stale};
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{
    ActorId, ConversationId, ItemDigest, ItemKind, OrganisationId, Outcome, ProjectionId, RecordId,
    Timestamp, VersionId,
};
use crate::store::StoreError;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes};
use serde::Serialize;
use sqlx::{Any, Transaction};

/// A person's answer to a step, with the decision that follows from it.
#[derive(Debug)]
pub struct StepAnswered {
    /// Which record.
    pub record: RecordId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
    /// Its thread.
    pub conversation: ConversationId,
    /// What was asked, by its name in a tree or the step's id.
    pub asked: String,
    /// The answer.
    pub answer: &'static str,
    /// Who answered.
    pub actor: ActorId,
    /// What is decided now.
    pub decision: DecisionRow,
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

/// A link to the letter system.
#[derive(Debug)]
pub struct LetterRow {
    /// Which record.
    pub record: RecordId,
    /// Which system.
    pub system: String,
    /// Keyed digest of system and case number.
    pub case: ItemDigest,
    /// The day it was registered there.
    pub registered_on: String,
    /// Who registered it.
    pub registrar: ActorId,
    /// What was taken over, in words.
    pub taken_over: String,
}

/// A link as it is shown: the case number is not kept.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterLink {
    /// Which record.
    pub record: RecordId,
    /// Which system.
    pub system: String,
    /// The day it was registered there.
    pub registered_on: String,
    /// What was taken over.
    pub taken_over: String,
    /// When the link was made.
    pub linked_at: Timestamp,
    /// When the system confirmed it.
    pub confirmed_at: Option<Timestamp>,
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
        let decision = &answered.decision;
        let done = sqlx::query(
            "UPDATE record SET outcome = $1 WHERE id = $2 AND version = $3 AND destroyed_at IS NULL",
        )
        .bind(decision.outcome.as_str())
        .bind(bytes(answered.record.uuid()))
        .bind(bytes(decision.version.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("answering a step"))?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let StepAnswered { record, asked, answer, actor, .. } = answered;
        insert_step_answer(&mut tx, (*record, asked, answer, *actor), &pending, now).await?;
        replace_decision(&mut tx, decision, now).await?;
        if decision.outcome != Outcome::Archive {
            let payload = serde_json::to_string(&[answered.projection]).unwrap_or_default();
            insert_outbox(&mut tx, &[OutboxRow { kind: "withdrawal", payload }], now).await?;
        }
        mark_stale(&mut tx, &[answered.conversation], now).await?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        tx.commit().await.map_err(StoreError::database("answering a step"))?;
        Ok(Some(journal::after_commit(added)))
    }

    /// Links a record to a case of the letter system. `false` when it has a link already.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn link_letter(
        &self,
        log: &Origin,
        letter: &LetterRow,
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let added = sqlx::query(
            "INSERT INTO letter (record, system, case_digest, registered_on, registrar, taken_over, linked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (record) DO NOTHING",
        )
        .bind(bytes(letter.record.uuid()))
        .bind(letter.system.clone())
        .bind(letter.case.as_bytes().to_vec())
        .bind(letter.registered_on.clone())
        .bind(bytes(letter.registrar.uuid()))
        .bind(letter.taken_over.clone())
        .bind(now.micros())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("linking a letter"))?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        tx.commit().await.map_err(StoreError::database("linking a letter"))?;
        Ok(true)
    }

    /// Notes that the letter system confirmed its case. How many links that concerned.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn confirm_letter(
        &self,
        log: &Origin,
        organisation: &OrganisationId,
        case: ItemDigest,
        pending: Pending,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "UPDATE letter SET confirmed_at = $1 WHERE case_digest = $2 AND confirmed_at IS NULL \
             AND record IN (SELECT id FROM record WHERE organisation = $3)",
        )
        .bind(now.micros())
        .bind(case.as_bytes().to_vec())
        .bind(organisation.to_string())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("confirming a letter"))?
        .rows_affected();
        if done > 0 {
            let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
            tx.commit().await.map_err(StoreError::database("confirming a letter"))?;
        }
        Ok(done)
    }

    /// Links of an organisation: of one case, or all that were not confirmed yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn letters(
        &self,
        organisation: &OrganisationId,
        case: Option<ItemDigest>,
    ) -> Result<Vec<LetterLink>, StoreError> {
        let sql = match case {
            Some(_) => {
                "SELECT l.* FROM letter l JOIN record r ON r.id = l.record \
                        WHERE r.organisation = $1 AND l.case_digest = $2 ORDER BY l.linked_at"
            }
            None => {
                "SELECT l.* FROM letter l JOIN record r ON r.id = l.record \
                     WHERE r.organisation = $1 AND l.case_digest <> $2 AND l.confirmed_at IS NULL ORDER BY l.linked_at"
            }
        };
        let rows = sqlx::query(sql)
            .bind(organisation.to_string())
            .bind(case.map(|case| case.as_bytes().to_vec()).unwrap_or_default())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing letters"))?;
        rows.iter()
            .map(|row| {
                Ok(LetterLink {
                    record: RecordId::from_uuid(row.id("record")?),
                    system: row.text("system")?,
                    registered_on: row.text("registered_on")?,
                    taken_over: row.text("taken_over")?,
                    linked_at: row.time("linked_at")?,
                    confirmed_at: row.time_or_null("confirmed_at")?,
                })
            })
            .collect()
    }
}

/// Keeps a person's answer: of which record, to what, which answer, whose.
pub(super) async fn insert_step_answer(
    tx: &mut Transaction<'static, Any>,
    (record, asked, answer, actor): (RecordId, &str, &'static str, ActorId),
    pending: &Pending,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO step_answer (entry, record, asked, answer, actor, answered_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(bytes(pending.entry().id().uuid()))
    .bind(bytes(record.uuid()))
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
    sqlx::query(
        "UPDATE decision SET outcome = $1, tree = $2, tree_version = $3, path = $4, decided_at = $5, ending = $6, keep = $7, \
         salt = $8 WHERE record = $9 AND version = $10",
    )
    .bind(decision.outcome.as_str())
    .bind(decision.tree.clone())
    .bind(decision.tree_version.clone())
    .bind(decision.path.clone())
    .bind(decision.decided_at.micros())
    .bind(decision.ending.clone())
    .bind(decision.keep.clone())
    .bind(decision.salt.clone())
    .bind(bytes(decision.record.uuid()))
    .bind(bytes(decision.version.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(failed())?;
    Ok(())
}
