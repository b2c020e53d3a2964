//! Random samples of automatic decisions, and what people's judgements say of detectors and of each other.

use super::Catalogue;
use super::reviewing::{ReviewTask, insert_tasks};
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{ChannelId, OrganisationId, QueueKind, Timestamp, VersionId};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes};
use serde::Serialize;
use uuid::Uuid;

/// An automatic decision that may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which version.
    pub version: VersionId,
}

/// One drawing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrawRow {
    /// Its id.
    pub id: Uuid,
    /// Whose records.
    #[serde(skip)]
    pub organisation: OrganisationId,
    /// Of which channel.
    pub channel: ChannelId,
    /// What decided which are drawn, in hexadecimal digits: with it the drawing can be done again.
    pub seed: String,
    /// How many of a thousand are drawn.
    pub permille: u32,
    /// Of those drawn, how many of a thousand two people judge.
    pub twofold_permille: u32,
    /// Decided after this moment.
    pub from: Timestamp,
    /// Decided at this moment or before.
    pub until: Timestamp,
    /// How many could be drawn.
    pub candidates: u64,
    /// How many were.
    pub drawn: u64,
    /// When.
    pub made_at: Timestamp,
}

/// What a person and, before, a detector or another person said of the same thing, counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pairing {
    /// Whether it was drawn at random; else it was in the queue because something was in doubt.
    pub sampled: bool,
    /// What was asked: a step, or `finding`.
    pub asked: String,
    /// Of findings: what they are.
    pub entity: Option<String>,
    /// By which detector, definition or ruleset.
    pub by_what: String,
    /// What one said; none when a detector saw nothing.
    pub one: Option<String>,
    /// What the other said.
    pub other: String,
}

/// People's work on items of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// As which kind of item.
    pub kind: QueueKind,
    /// How many people did it.
    pub people: u64,
    /// Items of which the time was told.
    pub timed: u64,
    /// Seconds they took together.
    pub seconds: u64,
    /// Items that were judged, timed or not.
    pub judged: u64,
}

impl Catalogue {
    /// Automatic decisions of a channel in a span of time that nobody touched and no drawing held before: after `from`, at
    /// `until` or before. Who only said that it is a formal message, or none, touched it not: that can be said of any record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sample_candidates(
        &self,
        organisation: &OrganisationId,
        channel: &ChannelId,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Vec<Candidate>, StoreError> {
        let rows = sqlx::query(
            "SELECT r.version FROM record r JOIN decision d ON d.record = r.id AND d.version = r.version \
             WHERE r.organisation = $1 AND r.channel = $2 AND r.own = 0 AND r.kind NOT IN ('page', 'attachment') AND r.outcome <> 'unsure' \
             AND r.destroyed_at IS NULL AND d.decided_at > $3 AND d.decided_at <= $4 \
             AND NOT EXISTS (SELECT 1 FROM step_answer s WHERE s.version = r.version AND s.asked <> 'formal') \
             AND NOT EXISTS (SELECT 1 FROM review_task t WHERE t.version = r.version AND t.kind = 'sample') \
             ORDER BY r.version",
        )
        .bind(organisation.to_string())
        .bind(channel.to_string())
        .bind(from.micros())
        .bind(until.micros())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading automatic decisions"))?;
        rows.iter().map(|row| Ok(Candidate { version: VersionId::from_uuid(row.id("version")?) })).collect()
    }

    /// Writes a drawing with what was drawn, each with how many people judge it.
    ///
    /// # Errors
    /// When the database fails; nothing is then drawn.
    pub async fn add_draw(
        &self,
        log: &Origin,
        draw: &DrawRow,
        drawn: &[(VersionId, u32)],
        pending: Pending,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.db.begin().await?;
        sqlx::query(
            "INSERT INTO review_draw (id, organisation, channel, seed, permille, twofold_permille, from_at, until_at, \
             candidates, drawn, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(bytes(draw.id))
        .bind(draw.organisation.to_string())
        .bind(draw.channel.to_string())
        .bind(hex::decode(&draw.seed).unwrap_or_default())
        .bind(i64::from(draw.permille))
        .bind(i64::from(draw.twofold_permille))
        .bind(draw.from.micros())
        .bind(draw.until.micros())
        .bind(i64::try_from(draw.candidates).unwrap_or(i64::MAX))
        .bind(i64::try_from(draw.drawn).unwrap_or(i64::MAX))
        .bind(draw.made_at.micros())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("drawing a sample"))?;
        let kind = QueueKind::Sample;
        let tasks: Vec<ReviewTask> = drawn
            .iter()
            .map(|(version, people)| ReviewTask { version: *version, kind, people: *people })
            .collect();
        insert_tasks(&mut tx, &tasks, Some(draw.id), draw.made_at).await?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::FlagsJudged.of(tx.commit()).await.map_err(StoreError::database("drawing a sample"))?;
        Ok(journal::after_commit(added))
    }

    /// Channels of which something was decided after the last drawing, and at this moment or before: those whose turn it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channels_to_draw(&self, before: Timestamp) -> Result<Vec<ChannelId>, StoreError> {
        let rows = sqlx::query(
            "SELECT c.id FROM channel c WHERE EXISTS (SELECT 1 FROM capture k WHERE k.channel = c.id AND k.received_at <= $1 \
             AND k.received_at > COALESCE((SELECT MAX(d.until_at) FROM review_draw d WHERE d.channel = c.id), 0)) \
             AND NOT EXISTS (SELECT 1 FROM review_draw d WHERE d.channel = c.id AND d.until_at > $2) ORDER BY c.id",
        )
        .bind(before.micros())
        .bind(before.micros())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("looking for what to draw"))?;
        rows.iter().map(|row| row.term("id")).collect()
    }

    /// Drawings of an organisation, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn draws(
        &self,
        organisation: &OrganisationId,
        channel: Option<&ChannelId>,
        most: u32,
    ) -> Result<Vec<DrawRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM review_draw WHERE organisation = $1 AND ($2 = 0 OR channel = $3) \
             ORDER BY until_at DESC, id LIMIT $4",
        )
        .bind(organisation.to_string())
        .bind(i64::from(channel.is_some()))
        .bind(channel.map(ToString::to_string).unwrap_or_default())
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading drawings"))?;
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        let small = |n: i64| u32::try_from(n).unwrap_or_default();
        rows.iter()
            .map(|row| {
                Ok(DrawRow {
                    id: row.id("id")?,
                    organisation: row.term("organisation")?,
                    channel: row.term("channel")?,
                    seed: hex::encode(row.blob("seed")?),
                    permille: small(row.number("permille")?),
                    twofold_permille: small(row.number("twofold_permille")?),
                    from: row.time("from_at")?,
                    until: row.time("until_at")?,
                    candidates: number(row.number("candidates")?),
                    drawn: number(row.number("drawn")?),
                    made_at: row.time("made_at")?,
                })
            })
            .collect()
    }

    /// What people said beside what had been said without them, of an organisation's records in a span of time, counted. Of
    /// several people the first: the others are compared with each other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn beside_detectors(
        &self,
        organisation: &OrganisationId,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<(Pairing, u64)>, StoreError> {
        let sql = "SELECT CASE WHEN a.kind = 'sample' THEN 1 ELSE 0 END AS sampled, a.asked, a.entity, a.by_what, \
                   a.automatic AS one, a.answer AS other, COUNT(*) AS n FROM assessment a JOIN record r ON r.id = a.record \
                   WHERE r.organisation = $1 AND a.round = 1 AND a.said_at >= $2 AND a.said_at < $3 \
                   GROUP BY sampled, a.asked, a.entity, a.by_what, a.automatic, a.answer";
        self.pairings(sql, organisation, span).await
    }

    /// What a second person said beside the first, of the same thing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn beside_each_other(
        &self,
        organisation: &OrganisationId,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<(Pairing, u64)>, StoreError> {
        let sql = "SELECT 1 AS sampled, b.asked, b.entity, b.by_what, a.answer AS one, b.answer AS other, COUNT(*) AS n \
                   FROM assessment b JOIN record r ON r.id = b.record \
                   JOIN assessment a ON a.version = b.version AND a.kind = b.kind AND a.asked = b.asked AND a.round = 1 \
                   AND COALESCE(a.passage, -1) = COALESCE(b.passage, -1) AND COALESCE(a.start_at, -1) = COALESCE(b.start_at, -1) \
                   AND COALESCE(a.end_at, -1) = COALESCE(b.end_at, -1) \
                   WHERE r.organisation = $1 AND b.round = 2 AND b.kind = 'sample' AND b.said_at >= $2 AND b.said_at < $3 \
                   GROUP BY b.asked, b.entity, b.by_what, a.answer, b.answer";
        self.pairings(sql, organisation, span).await
    }

    async fn pairings(
        &self,
        sql: &'static str,
        organisation: &OrganisationId,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Vec<(Pairing, u64)>, StoreError> {
        let rows = sqlx::query(sql)
            .bind(organisation.to_string())
            .bind(from.micros())
            .bind(until.micros())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("comparing assessments"))?;
        rows.iter()
            .map(|row| {
                let pairing = Pairing {
                    sampled: row.number("sampled")? == 1,
                    asked: row.text("asked")?,
                    entity: row.text_or_null("entity")?,
                    by_what: row.text("by_what")?,
                    one: row.text_or_null("one")?,
                    other: row.text("other")?,
                };
                Ok((pairing, u64::try_from(row.number("n")?).unwrap_or_default()))
            })
            .collect()
    }

    /// How long people worked on items, by kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn work_done(
        &self,
        organisation: &OrganisationId,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Vec<Work>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.kind, COUNT(a.seconds) AS timed, CAST(COALESCE(SUM(a.seconds), 0) AS BIGINT) AS seconds, COUNT(DISTINCT a.entry) AS judged, \
             COUNT(DISTINCT a.actor) AS people \
             FROM assessment a JOIN record r ON r.id = a.record WHERE r.organisation = $1 AND a.said_at >= $2 \
             AND a.said_at < $3 GROUP BY a.kind ORDER BY a.kind",
        )
        .bind(organisation.to_string())
        .bind(from.micros())
        .bind(until.micros())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("adding up work"))?;
        let number = |row: &sqlx::any::AnyRow, column| {
            Ok::<_, StoreError>(u64::try_from(row.number(column)?).unwrap_or_default())
        };
        rows.iter()
            .map(|row| {
                Ok(Work {
                    kind: row.term("kind")?,
                    people: number(row, "people")?,
                    timed: number(row, "timed")?,
                    seconds: number(row, "seconds")?,
                    judged: number(row, "judged")?,
                })
            })
            .collect()
    }
}
