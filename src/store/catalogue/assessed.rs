//! What people said of findings and steps: written with its ledger entry and everything that follows from it, or not at all.

use super::Catalogue;
use super::commit::{DecisionRow, OutboxRow, insert_outbox, mark_stale};
use super::formal::{FormalFound, set_found};
use super::insert::set_aside;
use super::queue::{insert_step_answer, replace_decision};
use super::reviewing::settle_task;
use super::statements::{DecisionSetRow, insert_set};
use crate::ledger::{EntryId, Origin, Pending, Recorded};
use crate::model::{
    ActorId, AppointmentId, ConversationId, EntityType, ExemptionCode, FindingVerdict, OrganisationId,
    ProjectionId, QueueKind, RecordId, Span, Timestamp, VersionId,
};
use crate::redact::{Assessed, Said};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal::{self, SealedBody};
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::HashMap;

/// What a person said of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentRow {
    /// As which kind of item.
    pub kind: QueueKind,
    /// What was asked: a step by its name in a tree, or [`AssessmentRow::FINDING`].
    pub asked: String,
    /// The answer, or the verdict.
    pub answer: String,
    /// Of a finding: where, and as what.
    pub place: Option<FindingPlace>,
    /// What had been said without people, if anything.
    pub automatic: Option<String>,
    /// By which detector, definition or ruleset, with its version.
    pub by_what: String,
}

/// Where a finding stands, and as what it is redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingPlace {
    /// Which passage, from 0.
    pub passage: usize,
    /// Where in it, in UTF-8 bytes.
    pub span: Span,
    /// What it is.
    pub entity: EntityType,
    /// Why it is redacted.
    pub exemption: ExemptionCode,
}

impl AssessmentRow {
    /// What is asked of a finding.
    pub const FINDING: &'static str = "finding";
}

/// Who said it, when, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenRow {
    /// Who, by pseudonym.
    pub actor: ActorId,
    /// The assignment of an external agency whose file was taken in, if so.
    pub appointment: Option<AppointmentId>,
    /// When they said it.
    pub said_at: Timestamp,
    /// In how many seconds, if that was told.
    pub seconds: Option<u32>,
    /// The how many-th person to judge it.
    pub round: u32,
    /// Whether it holds.
    pub in_force: bool,
}

/// What follows from answers to steps that hold.
#[derive(Debug)]
pub struct DecidedAnew {
    /// The decision.
    pub row: DecisionRow,
    /// What the ledger commits to of it.
    pub set: DecisionSetRow,
    /// The steps and their answers.
    pub answers: Vec<(String, &'static str)>,
    /// Whether that makes it a formal message, when that was asked.
    pub formal: Option<FormalFound>,
}

/// What one person said of one item, with everything that follows from it.
#[derive(Debug)]
pub struct AssessedItem {
    /// Which version.
    pub version: VersionId,
    /// Its record.
    pub record: RecordId,
    /// Its thread.
    pub conversation: ConversationId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
    /// What was said.
    pub rows: Vec<AssessmentRow>,
    /// By whom.
    pub given: GivenRow,
    /// What is decided now, when a step was answered that holds; and the steps.
    pub decision: Option<DecidedAnew>,
    /// Tasks that wait no longer.
    pub settled: Vec<QueueKind>,
    /// How many people are to judge it now, when that changed.
    pub people: Option<u32>,
    /// Whether it is withheld from every view until it is settled.
    pub hold: bool,
    /// Whether what was published of it goes at once.
    pub withdraw: bool,
    /// Its entry.
    pub pending: Pending,
    /// Reason, weighing and what was published before, sealed.
    pub body: SealedBody,
}

/// A step with its answer, or a place in a passage with the verdict on it.
pub type SaidOf = (String, Option<(usize, Span)>, String);

/// What someone said of a sampled item before: for comparing, never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// The how many-th person.
    pub round: u32,
    /// Who.
    pub actor: ActorId,
    /// What, in an order that does not depend on who said it.
    pub said: Vec<SaidOf>,
}

/// An assessment that stands: whose, when, in which entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierAssessment {
    /// Its entry: the body holds what was published before.
    pub entry: EntryId,
    /// Who.
    pub actor: ActorId,
    /// When.
    pub said_at: Timestamp,
}

impl Catalogue {
    /// Writes what people said, all of it or nothing. `None`, and nothing written, when one of the records was edited or
    /// destroyed meanwhile.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn assess(
        &self,
        log: &Origin,
        items: Vec<AssessedItem>,
        beside: Option<Pending>,
        now: Timestamp,
    ) -> Result<Option<Vec<Recorded>>, StoreError> {
        let mut tx = self.db.begin().await?;
        let mut added = Vec::with_capacity(items.len() + 1);
        for item in items {
            if !insert_assessed(&mut tx, &item, now).await? {
                return Ok(None);
            }
            added.push(journal::add(&mut tx, log, item.pending, Some(item.body)).await?);
        }
        if let Some(pending) = beside {
            added.push(journal::add(&mut tx, log, pending, None).await?);
        }
        Effect::FlagsJudged.of(tx.commit()).await.map_err(StoreError::database("assessing"))?;
        Ok(Some(added.into_iter().map(journal::after_commit).collect()))
    }

    /// What people said that holds of these versions, in the order in which they said it: reviewers of items in their queue,
    /// and of places in reports of readers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn assessed_of(
        &self,
        versions: &[VersionId],
    ) -> Result<HashMap<VersionId, Vec<Assessed>>, StoreError> {
        let mut found: HashMap<VersionId, Vec<Assessed>> = HashMap::new();
        for chunk in versions.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT version, answer, passage, start_at, end_at, entity, exemption FROM \
                 (SELECT version, answer, passage, start_at, end_at, entity, exemption, said_at, recorded_at, entry AS who, place \
                 FROM assessment WHERE in_force = 1 AND asked = 'finding' AND passage IS NOT NULL UNION ALL \
                 SELECT version, CASE act WHEN 'drop' THEN 'reject' ELSE 'add' END, passage, start_at, end_at, entity, exemption, \
                 made_at, made_at, actor, start_at FROM correction) said \
                 WHERE version IN ({}) ORDER BY said_at, recorded_at, who, place",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for version in chunk {
                query = query.bind(bytes(version.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading assessments"))?;
            for row in &rows {
                let version = VersionId::from_uuid(row.id("version")?);
                found.entry(version).or_default().push(assessed_of(row)?);
            }
        }
        Ok(found)
    }

    /// What was said of a version as a sample, each person's by itself, the first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn opinions(&self, version: VersionId) -> Result<Vec<Opinion>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM assessment WHERE version = $1 AND kind = 'sample' ORDER BY round, entry, place",
        )
        .bind(bytes(version.uuid()))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading assessments"))?;
        let mut opinions: Vec<Opinion> = Vec::new();
        for row in &rows {
            let round = u32::try_from(row.number("round")?).unwrap_or(u32::MAX);
            if opinions.last().is_none_or(|last| last.round != round) {
                let actor = ActorId::from_uuid(row.id("actor")?);
                opinions.push(Opinion { round, actor, said: Vec::new() });
            }
            let said = (row.text("asked")?, place_of(row)?, row.text("answer")?);
            if let Some(last) = opinions.last_mut() {
                last.said.push(said);
            }
        }
        opinions.iter_mut().for_each(|opinion| opinion.said.sort());
        Ok(opinions)
    }

    /// Whether this person said something of a version at that moment: a file that is taken in twice adds nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_assessed(
        &self,
        version: VersionId,
        actor: ActorId,
        said_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM assessment WHERE version = $1 AND actor = $2 AND said_at = $3",
        )
        .bind(bytes(version.uuid()))
        .bind(bytes(actor.uuid()))
        .bind(said_at.micros())
        .fetch_one(self.db.read())
        .await
        .map_err(StoreError::database("reading assessments"))?;
        Ok(row.number("n")? > 0)
    }

    /// Every assessment that held of a record, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn assessments_of(
        &self,
        organisation: &OrganisationId,
        record: RecordId,
    ) -> Result<Vec<EarlierAssessment>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.entry, a.actor, a.said_at, MAX(a.recorded_at) AS recorded FROM assessment a JOIN record r ON r.id = a.record \
             WHERE a.record = $1 AND r.organisation = $2 AND a.in_force = 1 GROUP BY a.entry, a.actor, a.said_at \
             ORDER BY recorded DESC, a.entry",
        )
        .bind(bytes(record.uuid()))
        .bind(organisation.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading assessments"))?;
        rows.iter()
            .map(|row| {
                Ok(EarlierAssessment {
                    entry: EntryId::from_uuid(row.id("entry")?),
                    actor: ActorId::from_uuid(row.id("actor")?),
                    said_at: row.time("said_at")?,
                })
            })
            .collect()
    }

    /// How many originals a person opened on this legal basis since a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn opened_since(
        &self,
        actor: ActorId,
        basis: &str,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM disclosure WHERE actor = $1 AND legal_basis = $2 AND created_at >= $3",
        )
        .bind(bytes(actor.uuid()))
        .bind(basis.to_owned())
        .bind(since.micros())
        .fetch_one(self.db.read())
        .await
        .map_err(StoreError::database("counting openings"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or(u64::MAX))
    }
}

/// Writes one item. `false` when it is no longer the version in force.
async fn insert_assessed(
    tx: &mut Transaction<'static, Any>,
    item: &AssessedItem,
    now: Timestamp,
) -> Result<bool, StoreError> {
    // An outcome of none is that of what is archived; without a decision it stays as it is.
    let outcome = item.decision.as_ref().map(|decided| decided.row.outcome);
    let done = sqlx::query(
        "UPDATE record_row SET outcome = CASE WHEN $4 = 1 THEN $1 ELSE outcome END WHERE id = $2 AND destroyed_at IS NULL \
         AND version = (SELECT number FROM version_row WHERE id = $3)",
    )
    .bind(outcome.and_then(set_aside))
    .bind(bytes(item.record.uuid()))
    .bind(bytes(item.version.uuid()))
    .bind(i64::from(outcome.is_some()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("assessing"))?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    insert_rows(tx, item, now).await?;
    if let Some(decided) = &item.decision {
        for (asked, answer) in &decided.answers {
            let (of, said) = ((item.record, item.version), (asked.as_str(), *answer, item.given.actor));
            insert_step_answer(tx, of, said, &item.pending, now).await?;
        }
        if let Some(found) = &decided.formal {
            set_found(tx, item.record, found).await?;
        }
        replace_decision(tx, &decided.row, now).await?;
        insert_set(tx, &decided.set).await?;
    }
    for kind in &item.settled {
        settle_task(tx, item.version, *kind, now).await?;
    }
    if let Some(people) = item.people {
        change_sample(tx, "UPDATE review_task SET people = $1 WHERE version = $2", people, item).await?;
    }
    if item.hold {
        change_sample(tx, "UPDATE review_task SET held = $1 WHERE version = $2", 1, item).await?;
    }
    if item.withdraw {
        let payload = serde_json::to_string(&[item.projection]).unwrap_or_default();
        insert_outbox(tx, &[OutboxRow { kind: "withdrawal", payload }], now).await?;
    }
    if item.given.in_force || item.hold {
        mark_stale(tx, &[item.conversation], now).await?;
    }
    Ok(true)
}

async fn change_sample(
    tx: &mut Transaction<'static, Any>,
    head: &'static str,
    to: u32,
    item: &AssessedItem,
) -> Result<(), StoreError> {
    let sql = format!("{head} AND kind = 'sample' AND settled_at IS NULL");
    sqlx::query(AssertSqlSafe(sql))
        .bind(i64::from(to))
        .bind(bytes(item.version.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("changing a task"))?;
    Ok(())
}

async fn insert_rows(
    tx: &mut Transaction<'static, Any>,
    item: &AssessedItem,
    now: Timestamp,
) -> Result<(), StoreError> {
    let head = "INSERT INTO assessment (entry, place, version, record, kind, asked, answer, passage, start_at, end_at, entity, \
                exemption, automatic, by_what, actor, appointment, round, in_force, seconds, said_at, recorded_at) VALUES";
    let entry = item.pending.entry().id().uuid();
    let given = &item.given;
    let rows: Vec<(usize, &AssessmentRow)> = item.rows.iter().enumerate().collect();
    insert_all(tx, head, 21, "", &rows, |query, (number, row)| {
        let at = |offset: usize| i64::try_from(offset).unwrap_or(i64::MAX);
        let place = row.place.as_ref();
        query
            .bind(bytes(entry))
            .bind(at(*number))
            .bind(bytes(item.version.uuid()))
            .bind(bytes(item.record.uuid()))
            .bind(row.kind.as_str())
            .bind(row.asked.clone())
            .bind(row.answer.clone())
            .bind(place.map(|place| at(place.passage)))
            .bind(place.map(|place| at(place.span.start())))
            .bind(place.map(|place| at(place.span.end())))
            .bind(place.map(|place| place.entity.to_string()))
            .bind(place.map(|place| place.exemption.to_string()))
            .bind(row.automatic.clone())
            .bind(row.by_what.clone())
            .bind(bytes(given.actor.uuid()))
            .bind(given.appointment.map(|id| bytes(id.uuid())))
            .bind(i64::from(given.round))
            .bind(i64::from(given.in_force))
            // Once for the whole item, so that times can be added up.
            .bind(given.seconds.filter(|_| *number == 0).map(i64::from))
            .bind(given.said_at.micros())
            .bind(now.micros())
    })
    .await
}

fn place_of(row: &AnyRow) -> Result<Option<(usize, Span)>, StoreError> {
    let damaged = StoreError::Corrupt { what: "place of a finding" };
    let number = |column| {
        let number: Option<i64> = row.number_or_null(column)?;
        Ok::<_, StoreError>(number.and_then(|number| usize::try_from(number).ok()))
    };
    match (number("passage")?, number("start_at")?, number("end_at")?) {
        (Some(passage), Some(start), Some(end)) => Ok(Some((passage, Span::new(start, end).ok_or(damaged)?))),
        _ => Ok(None),
    }
}

fn assessed_of(row: &AnyRow) -> Result<Assessed, StoreError> {
    let (passage, span) = place_of(row)?.ok_or(StoreError::Corrupt { what: "place of a finding" })?;
    let said = match row.term::<FindingVerdict>("answer")? {
        FindingVerdict::Reject => Said::Read,
        FindingVerdict::Confirm | FindingVerdict::Add => {
            Said::Redact { entity: row.term("entity")?, exemption: row.term("exemption")? }
        }
    };
    Ok(Assessed { passage, span, said })
}
