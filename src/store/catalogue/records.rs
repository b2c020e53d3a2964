//! Captures as they come in, and what officials and records managers see of records: never content.

use super::Catalogue;
use crate::model::{
    CaptureId, ChannelId, ConversationId, ItemDigest, ItemKind, OrganisationId, Outcome, ProjectionId,
    RecordId, Timestamp, Visibility,
};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{RowValues, bytes};
use serde::Serialize;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// How far a capture has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureState {
    /// Coming in.
    Open,
    /// Whole.
    Complete,
    /// Broken off: what had come in stays, the rest came or will come in another capture.
    Interrupted,
}

impl CaptureState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A record as an official or records manager sees it in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordSummary {
    /// Its id in the vault.
    pub id: RecordId,
    /// Its name in the reading room.
    #[serde(skip)]
    pub projection: ProjectionId,
    /// Its thread.
    pub conversation: ConversationId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Which channel.
    pub channel: ChannelId,
    /// What it is.
    pub kind: ItemKind,
    /// Who could see it.
    pub visibility: Visibility,
    /// The day it was posted.
    pub day: Option<String>,
    /// Whether the organisation posted it.
    pub own: bool,
    /// Why no view of it exists, if so.
    pub withheld: Option<String>,
    /// What was decided.
    pub outcome: Outcome,
    /// What was left out of it before it was sealed, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<Filtered>,
}

/// That a record was filtered at intake: under which profile, and what was left out. Never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filtered {
    /// Id and version of the minimisation profile.
    pub profile: String,
    /// Members by name, and how many.
    pub left_out: BTreeMap<String, u64>,
}

/// A decision with its path.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionSummary {
    /// On which record.
    pub record: RecordId,
    /// What was decided.
    pub outcome: Outcome,
    /// By which tree.
    pub tree: String,
    /// In which version.
    pub tree_version: String,
    /// The steps taken.
    pub path: serde_json::Value,
    /// When.
    pub decided_at: Timestamp,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Records.
    pub records: u64,
    /// Versions of records.
    pub versions: u64,
    /// Captures.
    pub captures: u64,
    /// Segments.
    pub segments: u64,
    /// Fragments, each with a key.
    pub fragments: u64,
    /// Conversations that wait to be computed anew.
    pub stale_conversations: u64,
    /// Things that wait to go down to the reading room.
    pub outbox: u64,
}

impl Catalogue {
    /// Makes a capture known before its first batch.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_capture(
        &self,
        id: CaptureId,
        organisation: &OrganisationId,
        channel: &ChannelId,
        format: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let opening = sqlx::query(
            "INSERT INTO capture (id, organisation, channel, format, state, size_bytes, received_at) \
             VALUES ($1, $2, $3, $4, 'open', 0, $5)",
        )
        .bind(bytes(id.uuid()))
        .bind(organisation.to_string())
        .bind(channel.to_string())
        .bind(format.to_owned())
        .bind(now.micros());
        Effect::CaptureOpened
            .of(opening.execute(self.db.write()))
            .await
            .map_err(StoreError::database("opening a capture"))?;
        Ok(())
    }

    /// Closes a capture: its size, how it ended, and the keyed digest of its bytes with the profile under
    /// which they came in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_capture(
        &self,
        id: CaptureId,
        state: CaptureState,
        read: Option<(ItemDigest, &str)>,
        size_bytes: u64,
    ) -> Result<(), StoreError> {
        let closing = sqlx::query(
            "UPDATE capture SET state = $1, digest = $2, came_under = $3, size_bytes = $4 WHERE id = $5",
        )
        .bind(state.as_str())
        .bind(read.map(|(digest, _)| digest.as_bytes().to_vec()))
        .bind(read.map(|(_, under)| under.to_owned()))
        .bind(i64::try_from(size_bytes).unwrap_or(i64::MAX))
        .bind(bytes(id.uuid()));
        Effect::CaptureClosed
            .of(closing.execute(self.db.write()))
            .await
            .map_err(StoreError::database("closing a capture"))?;
        Ok(())
    }

    /// The whole capture with these bytes that came in on this channel before, under the same profile:
    /// another may let in what was refused then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn same_capture(
        &self,
        channel: &ChannelId,
        digest: ItemDigest,
        under: &str,
    ) -> Result<Option<CaptureId>, StoreError> {
        let row = sqlx::query(
            "SELECT id FROM capture WHERE digest = $1 AND channel = $2 AND came_under = $3 AND state = 'complete' \
             ORDER BY id LIMIT 1",
        )
        .bind(digest.as_bytes().to_vec())
        .bind(channel.to_string())
        .bind(under.to_owned())
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("looking up a capture"))?;
        row.map(|row| Ok(CaptureId::from_uuid(row.id("id")?))).transpose()
    }

    /// After a stop in the middle: captures left open are marked interrupted; what waits to be computed anew waits no
    /// longer, also when the clock was set back since. Returns how many captures there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(&self, now: Timestamp) -> Result<u64, StoreError> {
        sqlx::query("UPDATE stale_conversation SET since = $1 WHERE since > $1")
            .bind(now.micros())
            .execute(self.db.write())
            .await
            .map_err(StoreError::database("looking through what waits"))?;
        let done = sqlx::query("UPDATE capture SET state = 'interrupted' WHERE state = 'open'")
            .execute(self.db.write())
            .await
            .map_err(StoreError::database("marking captures interrupted"))?;
        Ok(done.rows_affected())
    }

    /// Whose a record is; `None` when there is none. What is asked before anything is decided: it reads so little that it
    /// takes as long for a record that is there as for one that is not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owner(&self, id: RecordId) -> Result<Option<OrganisationId>, StoreError> {
        let row = sqlx::query(
            "SELECT s.organisation FROM record_row r JOIN shelf s ON s.number = r.shelf WHERE r.id = $1",
        )
        .bind(bytes(id.uuid()))
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("reading a record"))?;
        row.map(|row| row.term("organisation")).transpose()
    }

    /// Whose a record is that was not destroyed: only to such a one can anything be done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holder(&self, id: RecordId) -> Result<Option<OrganisationId>, StoreError> {
        let row = sqlx::query(
            "SELECT s.organisation FROM record_row r JOIN shelf s ON s.number = r.shelf WHERE r.id = $1 AND r.destroyed_at IS NULL",
        )
        .bind(bytes(id.uuid()))
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("reading a record"))?;
        row.map(|row| row.term("organisation")).transpose()
    }

    /// One record; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&self, id: RecordId) -> Result<Option<RecordSummary>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!("{SUMMARIES} WHERE r.id = $1")))
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a record"))?;
        row.as_ref().map(summary_of).transpose()
    }

    /// Records of one organisation, in the order they came in, after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn records(
        &self,
        organisation: &OrganisationId,
        outcome: Option<Outcome>,
        after: Option<RecordId>,
        most: u32,
    ) -> Result<Vec<RecordSummary>, StoreError> {
        let after = after.map_or_else(|| vec![0; 16], |id| bytes(id.uuid()));
        let condition = match outcome {
            Some(Outcome::Archive) => "r.outcome = $2",
            // There is an index of what is not archived.
            Some(_) => "r.set_aside = $2",
            None => "r.outcome <> $2",
        };
        let sql = format!(
            "{SUMMARIES} WHERE r.organisation = $1 AND {condition} AND r.id > $3 ORDER BY r.id LIMIT $4"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(organisation.to_string())
            .bind(outcome.map_or("", Outcome::as_str))
            .bind(after)
            .bind(i64::from(most))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing records"))?;
        rows.iter().map(summary_of).collect()
    }

    /// The decisions on the versions of a record: that on the one in force first, then newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions(&self, record: RecordId) -> Result<Vec<DecisionSummary>, StoreError> {
        let rows = sqlx::query(
            "SELECT d.* FROM decision d JOIN record r ON r.id = d.record WHERE d.record = $1 \
             ORDER BY CASE WHEN d.version = r.version THEN 0 ELSE 1 END, d.decided_at DESC",
        )
        .bind(bytes(record.uuid()))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading decisions"))?;
        rows.iter().map(decision_of).collect()
    }

    /// How many records of an organisation have each outcome.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outcomes(&self, organisation: &OrganisationId) -> Result<Vec<(Outcome, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT outcome, COUNT(*) AS n FROM record WHERE organisation = $1 GROUP BY outcome ORDER BY outcome",
        )
        .bind(organisation.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("counting outcomes"))?;
        rows.iter()
            .map(|row| Ok((row.term("outcome")?, u64::try_from(row.number("n")?).unwrap_or_default())))
            .collect()
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM record_row) AS records, (SELECT COUNT(*) FROM version_row) AS versions, \
             (SELECT COUNT(*) FROM capture) AS captures, (SELECT COUNT(*) FROM segment) AS segments, \
             (SELECT COUNT(*) FROM fragment) AS fragments, \
             (SELECT COUNT(*) FROM stale_conversation) AS stale, (SELECT COUNT(*) FROM outbox) AS waiting",
        )
        .fetch_one(self.db.read())
        .await
        .map_err(StoreError::database("counting"))?;
        let number = |column| row.number(column).map(|n| u64::try_from(n).unwrap_or_default());
        Ok(Counts {
            records: number("records")?,
            versions: number("versions")?,
            captures: number("captures")?,
            segments: number("segments")?,
            fragments: number("fragments")?,
            stale_conversations: number("stale")?,
            outbox: number("waiting")?,
        })
    }
}

/// Records with what was left out of the version in force.
const SUMMARIES: &str = "SELECT r.*, NULLIF(d.profile, '') AS profile, v.left_out FROM record r \
     LEFT JOIN version_row v ON v.id = r.version LEFT JOIN delivery d ON d.number = v.delivery";

fn summary_of(row: &AnyRow) -> Result<RecordSummary, StoreError> {
    Ok(RecordSummary {
        id: RecordId::from_uuid(row.id("id")?),
        projection: ProjectionId::from_uuid(row.id("projection")?),
        conversation: ConversationId::from_uuid(row.id("conversation")?),
        organisation: row.term("organisation")?,
        channel: row.term("channel")?,
        kind: row.term("kind")?,
        visibility: row.term("visibility")?,
        day: row.time_or_null("posted_at")?.map(Timestamp::day),
        own: row.number("own")? == 1,
        withheld: row.text_or_null("withheld")?,
        outcome: row.term("outcome")?,
        filtered: filtered_of(row)?,
    })
}

fn filtered_of(row: &AnyRow) -> Result<Option<Filtered>, StoreError> {
    let Some((profile, left_out)) = row.text_or_null("profile")?.zip(row.text_or_null("left_out")?) else {
        return Ok(None);
    };
    let left_out = serde_json::from_str(&left_out).map_err(|_| StoreError::Corrupt { what: "left out" })?;
    Ok(Some(Filtered { profile, left_out }))
}

fn decision_of(row: &AnyRow) -> Result<DecisionSummary, StoreError> {
    Ok(DecisionSummary {
        record: RecordId::from_uuid(row.id("record")?),
        outcome: row.term("outcome")?,
        tree: row.text("tree")?,
        tree_version: row.text("tree_version")?,
        path: serde_json::from_str(&row.text("path")?)
            .map_err(|_| StoreError::Corrupt { what: "decision path" })?,
        decided_at: row.time("decided_at")?,
    })
}
