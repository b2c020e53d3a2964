//! What is held of a channel, in counts: captures that came in, records by day of posting, and why some have no view.

use super::{CaptureState, Catalogue};
use crate::model::{ChannelId, Outcome, Timestamp, Visibility};
use crate::store::StoreError;
use crate::store::rows::RowValues;
use std::collections::BTreeMap;

/// Captures of one format in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturesHeld {
    /// The format.
    pub format: String,
    /// Whether they came in whole.
    pub state: CaptureState,
    /// How many.
    pub count: u64,
    /// When the first came in.
    pub first_at: Timestamp,
    /// When the last did.
    pub last_at: Timestamp,
}

/// Why a record has no view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoView {
    /// It was not decided that it be archived.
    NotArchived,
    /// It was not open to everyone, or the capture does not say.
    NotPublic,
    /// Its author or the platform deleted it, or a later edit took its place.
    Deleted,
    /// It shows signs of special categories, criminal matters or a minor.
    Flagged,
    /// Another reason: a restriction, a report, a redaction that was not certain.
    Other,
}

impl Catalogue {
    /// The captures of a channel by format and state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn captures_held(&self, channel: &ChannelId) -> Result<Vec<CapturesHeld>, StoreError> {
        let rows = sqlx::query(
            "SELECT format, state, COUNT(*) AS n, MIN(received_at) AS first_at, MAX(received_at) AS last_at \
             FROM capture WHERE channel = $1 GROUP BY format, state ORDER BY format, state",
        )
        .bind(channel.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("counting captures"))?;
        rows.iter()
            .map(|row| {
                let state = match row.text("state")?.as_str() {
                    "open" => CaptureState::Open,
                    "complete" => CaptureState::Complete,
                    _ => CaptureState::Interrupted,
                };
                Ok(CapturesHeld {
                    format: row.text("format")?,
                    state,
                    count: u64::try_from(row.number("n")?).unwrap_or_default(),
                    first_at: row.time("first_at")?,
                    last_at: row.time("last_at")?,
                })
            })
            .collect()
    }

    /// How many records of a channel were posted on each day, by days since 1970; destroyed ones are not counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn posted_by_day(&self, channel: &ChannelId) -> Result<BTreeMap<i64, u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT posted_at / 86400000000 AS day, COUNT(*) AS n FROM record \
             WHERE channel = $1 AND destroyed_at IS NULL AND posted_at IS NOT NULL AND kind NOT IN ('page', 'attachment') \
             GROUP BY posted_at / 86400000000",
        )
        .bind(channel.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("counting records"))?;
        rows.iter()
            .map(|row| Ok((row.number("day")?, u64::try_from(row.number("n")?).unwrap_or_default())))
            .collect()
    }

    /// How many records of a channel there are, and of how many it is known, by what the catalogue says, why no view of
    /// them is shown. What only the redaction itself knows is not among these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn no_views(&self, channel: &ChannelId) -> Result<(u64, BTreeMap<NoView, u64>), StoreError> {
        let rows = sqlx::query(
            "SELECT r.outcome, r.visibility, CASE WHEN r.withheld IS NULL THEN 0 ELSE 1 END AS gone, \
             CASE WHEN EXISTS (SELECT 1 FROM flag f WHERE f.version = r.version \
             AND (f.verdict IS NULL OR f.verdict = 'keep-withheld')) THEN 1 ELSE 0 END AS flagged, \
             CASE WHEN EXISTS (SELECT 1 FROM restriction x WHERE x.record = r.id AND x.lifted_at IS NULL) \
             OR EXISTS (SELECT 1 FROM report p WHERE p.record = r.id AND p.kind = 'name-visible' AND p.outcome IS NULL) \
             THEN 1 ELSE 0 END AS kept_back, COUNT(*) AS n \
             FROM record r WHERE r.channel = $1 AND r.destroyed_at IS NULL AND r.kind NOT IN ('page', 'attachment') \
             GROUP BY 1, 2, 3, 4, 5",
        )
        .bind(channel.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("counting records"))?;
        let (mut all, mut without) = (0, BTreeMap::new());
        for row in rows {
            let n = u64::try_from(row.number("n")?).unwrap_or_default();
            let (outcome, visibility): (Outcome, Visibility) =
                (row.term("outcome")?, row.term("visibility")?);
            all += n;
            let why = match () {
                () if outcome != Outcome::Archive => NoView::NotArchived,
                () if !visibility.is_public() => NoView::NotPublic,
                () if row.number("gone")? != 0 => NoView::Deleted,
                () if row.number("flagged")? != 0 => NoView::Flagged,
                () if row.number("kept_back")? != 0 => NoView::Other,
                () => continue,
            };
            *without.entry(why).or_default() += n;
        }
        Ok((all, without))
    }
}
