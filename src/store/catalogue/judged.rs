//! Records with everything that was stored of how they were judged: for comparing trees without opening an original.

use super::Catalogue;
use crate::decide::{Answer, AnsweredBy, Given, Verdict};
use crate::model::{
    ChannelId, ConversationId, EntityType, ItemKind, OrganisationId, Outcome, ProjectionId, RecordId,
    SubjectRef, Timestamp, Visibility,
};
use crate::store::StoreError;
use crate::store::rows::{RowValues, bytes};
use serde::Deserialize;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};

/// A record with facts and answers.
#[derive(Debug)]
pub struct JudgedRecord {
    /// Which.
    pub id: RecordId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
    /// Its thread.
    pub conversation: ConversationId,
    /// On which channel.
    pub channel: ChannelId,
    /// What it is.
    pub kind: ItemKind,
    /// Who could see it.
    pub visibility: Visibility,
    /// When it was posted, if stated.
    pub posted_at: Option<Timestamp>,
    /// When it came in.
    pub captured_at: Timestamp,
    /// Whether the organisation posted it.
    pub own: bool,
    /// Whether its author changed it.
    pub edited: bool,
    /// Whether it was deleted on the platform.
    pub deleted: bool,
    /// Whether it was registered elsewhere or forwarded.
    pub registered: bool,
    /// What was decided.
    pub outcome: Outcome,
    /// What detectors and definitions said, by what was asked.
    pub answers: BTreeMap<String, Given>,
    /// What people said of its version in force, by what was asked.
    pub people: BTreeMap<String, Answer>,
    findings: String,
}

impl JudgedRecord {
    /// The answer to what is asked: a person's before a detector's, `unsure` when nobody gave one.
    #[must_use]
    pub fn answer(&self, asked: &str) -> Answer {
        let person = self.people.get(asked).copied();
        person.or_else(|| self.answers.get(asked).map(|given| given.verdict.answer)).unwrap_or(Answer::Unsure)
    }

    /// The spans of personal data that were found in it: of which type, about which person of its thread if one is meant.
    /// Findings that cannot be read are none.
    #[must_use]
    pub fn spans(&self) -> Vec<(EntityType, Option<SubjectRef>)> {
        if self.findings == "[]" {
            return Vec::new();
        }
        let found: Vec<Vec<FoundSpan>> = serde_json::from_str(&self.findings).unwrap_or_default();
        found.into_iter().flatten().map(|span| (span.entity, span.subject)).collect()
    }
}

impl Catalogue {
    /// Records of an organisation with what was stored of how they were judged, in the order they came in, after `after`;
    /// of those that were destroyed nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn judged(
        &self,
        organisation: &OrganisationId,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        after: Option<RecordId>,
        most: u32,
    ) -> Result<Vec<JudgedRecord>, StoreError> {
        let after = after.map_or_else(|| vec![0; 16], |id| bytes(id.uuid()));
        let rows = sqlx::query(
            "SELECT r.id, r.projection, r.conversation, r.channel, r.kind, r.visibility, r.posted_at, v.observed_at, r.own, r.edited_at, \
             r.withheld, r.outcome, v.findings, \
             (SELECT COUNT(*) FROM letter l WHERE l.record = r.id AND l.confirmed_at IS NOT NULL) + \
             (SELECT COUNT(*) FROM formal_message f WHERE f.record = r.id AND f.done IS NOT NULL) AS registered \
             FROM record r JOIN version v ON v.id = r.version WHERE r.organisation = $1 AND r.id > $2 \
             AND r.destroyed_at IS NULL AND r.kind NOT IN ('page', 'attachment') \
             AND COALESCE(r.posted_at, v.observed_at) >= $3 AND COALESCE(r.posted_at, v.observed_at) < $4 \
             ORDER BY r.id LIMIT $5",
        )
        .bind(organisation.to_string())
        .bind(after.clone())
        .bind(from.map_or(i64::MIN, Timestamp::micros))
        .bind(until.map_or(i64::MAX, Timestamp::micros))
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading judged records"))?;
        let mut records = rows.iter().map(judged_of).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = records.last().map(|record| bytes(record.id.uuid())) else { return Ok(records) };
        let mut answers = self.stored_answers(organisation, after.clone(), last.clone()).await?;
        let mut people = self.people_answers(organisation, after, last).await?;
        for record in &mut records {
            record.answers = answers.remove(&record.id).unwrap_or_default();
            record.people = people.remove(&record.id).unwrap_or_default();
        }
        Ok(records)
    }

    async fn stored_answers(
        &self,
        organisation: &OrganisationId,
        after: Vec<u8>,
        last: Vec<u8>,
    ) -> Result<BTreeMap<RecordId, BTreeMap<String, Given>>, StoreError> {
        let rows = sqlx::query(
            "SELECT r.id, a.asked, a.answer, a.answered_by, a.by_what, a.permille FROM record r \
             JOIN answer a ON a.version = r.version WHERE r.organisation = $1 AND r.id > $2 AND r.id <= $3",
        )
        .bind(organisation.to_string())
        .bind(after)
        .bind(last)
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading stored answers"))?;
        let mut all: BTreeMap<RecordId, BTreeMap<String, Given>> = BTreeMap::new();
        for row in &rows {
            let of = all.entry(RecordId::from_uuid(row.id("id")?)).or_default();
            of.insert(row.text("asked")?, given_of(row)?);
        }
        Ok(all)
    }

    /// What people answered of the versions in force. An answer on an earlier one says nothing of what stands there now.
    async fn people_answers(
        &self,
        organisation: &OrganisationId,
        after: Vec<u8>,
        last: Vec<u8>,
    ) -> Result<BTreeMap<RecordId, BTreeMap<String, Answer>>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.record, s.asked, s.answer FROM step_answer s JOIN record r ON r.id = s.record AND r.version = s.version \
             WHERE r.organisation = $1 AND r.id > $2 AND r.id <= $3 ORDER BY s.answered_at, s.entry",
        )
        .bind(organisation.to_string())
        .bind(after)
        .bind(last)
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading people's answers"))?;
        let mut all: BTreeMap<RecordId, BTreeMap<String, Answer>> = BTreeMap::new();
        for row in &rows {
            let of = all.entry(RecordId::from_uuid(row.id("record")?)).or_default();
            of.insert(row.text("asked")?, row.term("answer")?);
        }
        Ok(all)
    }

    /// One record with everything that was stored of how it was judged; `None` when there is none, or it was destroyed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn judged_record(
        &self,
        organisation: &OrganisationId,
        id: RecordId,
    ) -> Result<Option<JudgedRecord>, StoreError> {
        let before = id.uuid().as_u128().checked_sub(1).map(uuid::Uuid::from_u128).map(RecordId::from_uuid);
        let found = self.judged(organisation, None, None, before, 1).await?;
        Ok(found.into_iter().find(|record| record.id == id))
    }

    /// Whether the organisation of a record answered it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_answered(&self, record: RecordId) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM record o JOIN name n ON n.digest = o.answers \
             WHERE n.record = $1 AND o.own = 1 AND o.organisation = (SELECT organisation FROM record WHERE id = $1)",
        )
        .bind(bytes(record.uuid()))
        .fetch_one(self.db.read())
        .await
        .map_err(StoreError::database("reading whether it was answered"))?;
        Ok(row.number("n")? > 0)
    }

    /// The records of an organisation that it answered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered(&self, organisation: &OrganisationId) -> Result<BTreeSet<RecordId>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT n.record FROM record o JOIN name n ON n.digest = o.answers \
             WHERE o.organisation = $1 AND o.own = 1 AND n.record IS NOT NULL",
        )
        .bind(organisation.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading what was answered"))?;
        rows.iter().map(|row| Ok(RecordId::from_uuid(row.id("record")?))).collect()
    }
}

/// A stored finding, as far as it is counted.
#[derive(Deserialize)]
struct FoundSpan {
    entity: EntityType,
    subject: Option<SubjectRef>,
}

fn judged_of(row: &AnyRow) -> Result<JudgedRecord, StoreError> {
    Ok(JudgedRecord {
        id: RecordId::from_uuid(row.id("id")?),
        projection: ProjectionId::from_uuid(row.id("projection")?),
        conversation: ConversationId::from_uuid(row.id("conversation")?),
        channel: row.term("channel")?,
        kind: row.term("kind")?,
        visibility: row.term("visibility")?,
        posted_at: row.time_or_null("posted_at")?,
        captured_at: row.time("observed_at")?,
        own: row.number("own")? == 1,
        edited: row.number_or_null("edited_at")?.is_some(),
        deleted: row.text_or_null("withheld")?.is_some_and(|why| why == "deleted"),
        registered: row.number("registered")? > 0,
        outcome: row.term("outcome")?,
        answers: BTreeMap::new(),
        people: BTreeMap::new(),
        findings: row.text("findings")?,
    })
}

/// A stored answer as it was given; the words that decided are not kept.
fn given_of(row: &AnyRow) -> Result<Given, StoreError> {
    let answered_by = match row.text("answered_by")?.as_str() {
        "detector" => AnsweredBy::Detector,
        "definition" => AnsweredBy::Definition,
        _ => return Err(StoreError::Corrupt { what: "stored answer" }),
    };
    let permille = u16::try_from(row.number("permille")?).unwrap_or_default();
    let verdict = Verdict {
        answer: row.term("answer")?,
        confidence: f32::from(permille) / 1000.0,
        evidence: Vec::new(),
    };
    Ok(Given { answered_by, by: row.text("by_what")?, verdict })
}
