//! What is known of the keeping: when each segment was read back, and when the archive was verified and backed up.

use super::Catalogue;
use super::originals::{SegmentPlace, segment_of};
use crate::model::{SegmentId, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{RowValues, bytes};
use serde::Serialize;

/// Something that keeps the archive, and is done again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// Ledger and segments were verified.
    Verify,
    /// Every segment was read back.
    Scrub,
    /// A backup was made.
    Backup,
}

impl Milestone {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Scrub => "scrub",
            Self::Backup => "backup",
        }
    }
}

/// When a milestone was reached last, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reached {
    /// When.
    pub at: Timestamp,
    /// What came of it, in a few words without content.
    pub detail: String,
}

/// How far the reading back is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fixity {
    /// Segments in all.
    pub segments: u64,
    /// Of these, read back since the moment that was asked about.
    pub checked: u64,
    /// Of all, found wrong when they were read back last.
    pub wrong: u64,
}

impl Catalogue {
    /// Segments that were not read back since `since`, those that waited longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unchecked_segments(
        &self,
        since: Timestamp,
        most: u32,
    ) -> Result<Vec<SegmentPlace>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.*, c.organisation FROM segment s JOIN capture c ON c.id = s.capture \
             LEFT JOIN fixity f ON f.segment = s.id WHERE f.checked_at IS NULL OR f.checked_at < $1 \
             ORDER BY COALESCE(f.checked_at, 0), s.id LIMIT $2",
        )
        .bind(since.micros())
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("listing segments to read back"))?;
        rows.iter().map(segment_of).collect()
    }

    /// Writes that a segment was read back at `now`, and what was wrong with it.
    ///
    /// # Errors
    /// When the database fails: it is then read back once more.
    pub async fn segment_checked(
        &self,
        segment: SegmentId,
        wrong: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let checked = sqlx::query(
            "INSERT INTO fixity (segment, checked_at, wrong) VALUES ($1, $2, $3) ON CONFLICT (segment) \
             DO UPDATE SET checked_at = excluded.checked_at, wrong = excluded.wrong",
        )
        .bind(bytes(segment.uuid()))
        .bind(now.micros())
        .bind(wrong.map(str::to_owned));
        let done = Effect::SegmentChecked.of(checked.execute(self.db.write())).await;
        done.map_err(StoreError::database("writing what was read back"))?;
        Ok(())
    }

    /// How far the reading back is, counted from `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fixity(&self, since: Timestamp) -> Result<Fixity, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS segments, COUNT(CASE WHEN f.checked_at >= $1 THEN 1 END) AS checked, \
             COUNT(f.wrong) AS wrong FROM segment s LEFT JOIN fixity f ON f.segment = s.id",
        )
        .bind(since.micros())
        .fetch_one(self.db.read())
        .await
        .map_err(StoreError::database("counting what was read back"))?;
        let number = |column| row.number(column).map(|n| u64::try_from(n).unwrap_or_default());
        Ok(Fixity { segments: number("segments")?, checked: number("checked")?, wrong: number("wrong")? })
    }

    /// Bytes that were sealed of captures received since `since`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sealed_bytes_since(&self, since: Timestamp) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(s.size_bytes), 0) AS BIGINT) AS sealed FROM segment s \
             JOIN capture c ON c.id = s.capture WHERE c.received_at >= $1",
        )
        .bind(since.micros())
        .fetch_one(self.db.read())
        .await
        .map_err(StoreError::database("adding up what was sealed"))?;
        Ok(u64::try_from(row.number("sealed")?).unwrap_or_default())
    }

    /// When the first capture came in; `None` while there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_capture_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT MIN(received_at) AS first FROM capture")
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("finding the first capture"))?;
        row.time_or_null("first")
    }

    /// Writes that a milestone was reached.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reach(&self, milestone: Milestone, detail: &str, now: Timestamp) -> Result<(), StoreError> {
        let reached = sqlx::query(
            "INSERT INTO milestone (name, reached_at, detail) VALUES ($1, $2, $3) ON CONFLICT (name) \
             DO UPDATE SET reached_at = excluded.reached_at, detail = excluded.detail",
        )
        .bind(milestone.as_str())
        .bind(now.micros())
        .bind(detail.to_owned());
        let done = Effect::MilestoneReached.of(reached.execute(self.db.write())).await;
        done.map_err(StoreError::database("writing a milestone"))?;
        Ok(())
    }

    /// When a milestone was reached last; `None` when it never was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reached(&self, milestone: Milestone) -> Result<Option<Reached>, StoreError> {
        let row = sqlx::query("SELECT reached_at, detail FROM milestone WHERE name = $1")
            .bind(milestone.as_str())
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a milestone"))?;
        row.map(|row| Ok(Reached { at: row.time("reached_at")?, detail: row.text("detail")? })).transpose()
    }
}
