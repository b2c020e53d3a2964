//! What decisions are made of: answers of detectors, and what minimisation profiles kept out.

use super::Catalogue;
use crate::model::{CaptureId, ChannelId, VersionId};
use crate::store::StoreError;
use crate::store::rows::{RowValues, bytes, insert_all};
use serde::Serialize;
use sqlx::{Any, Transaction};

/// What a detector or definition said of a version.
#[derive(Debug)]
pub struct AnswerRow {
    /// Of which version.
    pub version: VersionId,
    /// What was asked, by its name in a tree.
    pub asked: &'static str,
    /// The answer.
    pub answer: &'static str,
    /// `detector` or `definition`.
    pub answered_by: &'static str,
    /// Which, with its version.
    pub by: String,
    /// How sure, in thousandths.
    pub permille: u16,
}

/// Something that a minimisation profile kept out of a capture.
#[derive(Debug)]
pub struct MinimisedRow {
    /// Of which capture.
    pub capture: CaptureId,
    /// Which profile: id and version.
    pub profile: String,
    /// `refused` (items, by rule) or `left-out` (members, by name).
    pub kind: &'static str,
    /// The rule or the name.
    pub what: String,
    /// How many.
    pub amount: u64,
}

/// What profiles kept out of a channel's captures.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Minimised {
    /// Which profile: id and version.
    pub profile: String,
    /// `refused` or `left-out`.
    pub kind: String,
    /// The rule or the name of the member.
    pub what: String,
    /// How many.
    pub amount: u64,
}

impl Catalogue {
    /// What was kept out of the captures of a channel, added up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn minimised(&self, channel: &ChannelId) -> Result<Vec<Minimised>, StoreError> {
        let rows = sqlx::query(
            "SELECT m.profile, m.kind, m.what, CAST(SUM(m.amount) AS BIGINT) AS amount FROM minimised m \
             JOIN capture c ON c.id = m.capture WHERE c.channel = $1 GROUP BY m.profile, m.kind, m.what \
             ORDER BY m.profile, m.kind, m.what",
        )
        .bind(channel.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("adding up what was kept out"))?;
        rows.iter()
            .map(|row| {
                Ok(Minimised {
                    profile: row.text("profile")?,
                    kind: row.text("kind")?,
                    what: row.text("what")?,
                    amount: u64::try_from(row.number("amount")?).unwrap_or_default(),
                })
            })
            .collect()
    }
}

pub(super) async fn insert_minimised(
    tx: &mut Transaction<'static, Any>,
    rows: &[MinimisedRow],
) -> Result<(), StoreError> {
    let head = "INSERT INTO minimised (capture, profile, kind, what, amount) VALUES";
    insert_all(tx, head, 5, "", rows, |query, row| {
        query
            .bind(bytes(row.capture.uuid()))
            .bind(row.profile.clone())
            .bind(row.kind)
            .bind(row.what.clone())
            .bind(i64::try_from(row.amount).unwrap_or(i64::MAX))
    })
    .await
}
