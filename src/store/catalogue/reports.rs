//! Reports of readers, and what reviewers correct: places and codes, no words of any text.

use super::Catalogue;
use super::commit::{OutboxRow, insert_outbox, mark_stale};
use super::reviewing::{ReviewTask, insert_tasks, reports_judged};
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{
    ActorId, ChannelId, ConversationId, EntityType, ExemptionCode, GrantId, OrganisationId, ProjectionId,
    QueueKind, RecordId, ReportId, ReportKind, ReportOutcome, Span, Timestamp, VersionId,
};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes, insert_all};
use serde::Serialize;
use sqlx::any::AnyRow;

/// A report of a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportRow {
    /// Its id.
    pub id: ReportId,
    /// Whose record.
    pub organisation: OrganisationId,
    /// Of which channel.
    pub channel: ChannelId,
    /// Which record.
    pub record: RecordId,
    /// The version that was in force when it came in.
    pub version: VersionId,
    /// Under which grant it was read.
    pub grant: GrantId,
    /// Who reports, as the ledger knows them.
    pub reporter: ActorId,
    /// What is wrong.
    pub kind: ReportKind,
    /// In which text of the record, from 0, when the reader says.
    pub passage: Option<u32>,
    /// When it came in.
    pub received_at: Timestamp,
    /// What a reviewer said of it.
    pub outcome: Option<ReportOutcome>,
    /// When.
    pub judged_at: Option<Timestamp>,
}

/// What is done to the findings of a version by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrectionAct {
    /// Something is personal data that no recogniser found.
    Add,
    /// Something is none.
    Drop,
}

impl CorrectionAct {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Drop => "drop",
        }
    }
}

/// One place that a reviewer corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// In which text, from 0.
    pub passage: usize,
    /// Where, in bytes.
    pub span: Span,
    /// What.
    pub act: CorrectionAct,
    /// What kind of personal data.
    pub entity: EntityType,
    /// Why it is redacted.
    pub exemption: ExemptionCode,
}

/// Where the record of a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    /// Its name in the reading room.
    pub projection: ProjectionId,
    /// Its thread.
    pub conversation: ConversationId,
}

/// A reviewer's word on a report.
#[derive(Debug)]
pub struct ReportJudgement<'a> {
    /// Of which report.
    pub report: &'a ReportRow,
    /// Its thread.
    pub conversation: ConversationId,
    /// What.
    pub outcome: ReportOutcome,
    /// Which places are corrected, in which version.
    pub corrections: &'a [Correction],
    /// Who.
    pub actor: ActorId,
}

/// Says in SQL that a record `r` is withheld because somebody sees a name in it and nobody has judged that.
pub(super) const REPORTED: &str = "SELECT 'reported' FROM report p WHERE p.record = r.id AND p.kind = 'name-visible' \
    AND p.outcome IS NULL LIMIT 1";

impl Catalogue {
    /// The record behind a projection, with its version in force; `None` when it is not there, or was destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn behind(
        &self,
        projection: ProjectionId,
    ) -> Result<Option<(RecordId, VersionId, ConversationId, OrganisationId, ChannelId)>, StoreError> {
        let row = sqlx::query(
            "SELECT id, version, conversation, organisation, channel FROM record \
             WHERE projection = $1 AND destroyed_at IS NULL",
        )
        .bind(bytes(projection.uuid()))
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("finding a record"))?;
        row.map(|row| {
            Ok((
                RecordId::from_uuid(row.id("id")?),
                VersionId::from_uuid(row.id("version")?),
                ConversationId::from_uuid(row.id("conversation")?),
                row.term("organisation")?,
                row.term("channel")?,
            ))
        })
        .transpose()
    }

    /// What was found in a version when it was looked at last, as JSON.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn findings(&self, version: VersionId) -> Result<String, StoreError> {
        let row = sqlx::query("SELECT findings FROM version WHERE id = $1")
            .bind(bytes(version.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading findings"))?;
        row.map_or_else(|| Ok("[]".to_owned()), |row| row.text("findings"))
    }

    /// Takes a report up with its entry and the cursor of the inbox, together. A record in which a name is seen is
    /// withdrawn at once and computed anew. One that came up before changes nothing but the cursor.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn take_report(
        &self,
        log: &Origin,
        report: &ReportRow,
        at: Reported,
        pending: Pending,
        message: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "INSERT INTO report (id, organisation, channel, record, version, access_grant, reporter, kind, passage, \
             received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
        )
        .bind(bytes(report.id.uuid()))
        .bind(report.organisation.to_string())
        .bind(report.channel.to_string())
        .bind(bytes(report.record.uuid()))
        .bind(bytes(report.version.uuid()))
        .bind(bytes(report.grant.uuid()))
        .bind(bytes(report.reporter.uuid()))
        .bind(report.kind.as_str())
        .bind(report.passage.map(i64::from))
        .bind(report.received_at.micros())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("taking up a report"))?;
        if done.rows_affected() == 1 {
            if report.kind == ReportKind::NameVisible {
                let payload = serde_json::to_string(&[at.projection]).unwrap_or_default();
                insert_outbox(&mut tx, &[OutboxRow { kind: "withdrawal", payload }], report.received_at)
                    .await?;
                mark_stale(&mut tx, &[at.conversation], report.received_at).await?;
            }
            let task = ReviewTask { version: report.version, kind: QueueKind::ReaderReport, people: 1 };
            insert_tasks(&mut tx, &[task], None, report.received_at).await?;
            let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        }
        journal::move_cursor(&mut tx, message).await?;
        Effect::InboxTakenUp.of(tx.commit()).await.map_err(StoreError::database("taking up a report"))
    }

    /// Reports on the records of an organisation, oldest first: those that wait, or those that were judged.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reports(
        &self,
        organisation: &OrganisationId,
        judged: bool,
        most: u32,
    ) -> Result<Vec<ReportRow>, StoreError> {
        let waiting = "SELECT * FROM report WHERE organisation = $1 AND outcome IS NULL ORDER BY received_at, id LIMIT $2";
        let done = "SELECT * FROM report WHERE organisation = $1 AND outcome IS NOT NULL ORDER BY received_at, id LIMIT $2";
        let rows = sqlx::query(if judged { done } else { waiting })
            .bind(organisation.to_string())
            .bind(i64::from(most))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing reports"))?;
        rows.iter().map(report_of).collect()
    }

    /// One report; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn report(&self, id: ReportId) -> Result<Option<ReportRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM report WHERE id = $1")
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a report"))?;
        row.as_ref().map(report_of).transpose()
    }

    /// Judges a report: its outcome, the corrections, the mark that the conversation is to be computed anew and the
    /// entry stand or fall together. `None`, and nothing changed, when it was judged before.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn judge_report(
        &self,
        log: &Origin,
        judgement: &ReportJudgement<'_>,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Option<Recorded>, StoreError> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "UPDATE report SET outcome = $1, judged_by = $2, judged_at = $3 WHERE id = $4 AND outcome IS NULL",
        )
        .bind(judgement.outcome.as_str())
        .bind(bytes(judgement.actor.uuid()))
        .bind(now.micros())
        .bind(bytes(judgement.report.id.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("judging a report"))?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let head = "INSERT INTO correction (version, passage, start_at, end_at, act, entity, exemption, actor, made_at) VALUES";
        let tail = "ON CONFLICT (version, passage, start_at, end_at) DO UPDATE SET act = excluded.act, \
                    entity = excluded.entity, exemption = excluded.exemption, actor = excluded.actor, made_at = excluded.made_at";
        let offset = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        insert_all(&mut tx, head, 9, tail, judgement.corrections, |query, correction| {
            query
                .bind(bytes(judgement.report.version.uuid()))
                .bind(offset(correction.passage))
                .bind(offset(correction.span.start()))
                .bind(offset(correction.span.end()))
                .bind(correction.act.as_str())
                .bind(correction.entity.to_string())
                .bind(correction.exemption.to_string())
                .bind(bytes(judgement.actor.uuid()))
                .bind(now.micros())
        })
        .await?;
        reports_judged(&mut tx, judgement.report.record, now).await?;
        mark_stale(&mut tx, &[judgement.conversation], now).await?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::FlagsJudged.of(tx.commit()).await.map_err(StoreError::database("judging a report"))?;
        Ok(Some(journal::after_commit(added)))
    }
}

fn report_of(row: &AnyRow) -> Result<ReportRow, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "report" };
    Ok(ReportRow {
        id: ReportId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        channel: row.term("channel")?,
        record: RecordId::from_uuid(row.id("record")?),
        version: VersionId::from_uuid(row.id("version")?),
        grant: GrantId::from_uuid(row.id("access_grant")?),
        reporter: ActorId::from_uuid(row.id("reporter")?),
        kind: row.term("kind")?,
        passage: row
            .number_or_null("passage")?
            .map(|n| u32::try_from(n).map_err(|_| corrupt()))
            .transpose()?,
        received_at: row.time("received_at")?,
        outcome: row.text_or_null("outcome")?.map(|word| word.parse().map_err(|_| corrupt())).transpose()?,
        judged_at: row.time_or_null("judged_at")?,
    })
}
