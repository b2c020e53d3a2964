//! What decisions are made of: answers of detectors, and what minimisation profiles kept out.

use super::Catalogue;
use crate::model::{CaptureId, ChannelId, ItemDigest, VersionId};
use crate::store::StoreError;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use serde::Serialize;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::BTreeMap;

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

impl Catalogue {
    /// What a profile refused of one capture, by rule.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refused_of(&self, capture: CaptureId) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT what, CAST(SUM(amount) AS BIGINT) AS amount FROM minimised WHERE capture = $1 AND kind = 'refused' \
             GROUP BY what ORDER BY what",
        )
        .bind(bytes(capture.uuid()))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("adding up what was refused"))?;
        rows.iter()
            .map(|row| Ok((row.text("what")?, u64::try_from(row.number("amount")?).unwrap_or_default())))
            .collect()
    }

    /// Whether anything was ever refused because of what the tree says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuses(&self) -> Result<bool, StoreError> {
        let row =
            sqlx::query("SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM refused_name LIMIT 1) AS first")
                .fetch_one(self.db.read())
                .await
                .map_err(StoreError::database("looking whether anything was refused"))?;
        Ok(row.number("n")? > 0)
    }

    /// Those of these digests under which something was refused because of what the tree says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refused(&self, digests: &[ItemDigest]) -> Result<Vec<ItemDigest>, StoreError> {
        let mut found = Vec::new();
        for chunk in digests.chunks(LISTED_MAX) {
            let sql = format!("SELECT digest FROM refused_name WHERE digest IN ({})", list(1, chunk.len()));
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for digest in chunk {
                query = query.bind(digest.as_bytes().to_vec());
            }
            let rows = query.fetch_all(self.db.read()).await;
            for row in rows.map_err(StoreError::database("looking up what was refused"))? {
                found.push(row.digest("digest")?);
            }
        }
        Ok(found)
    }
}

pub(super) async fn insert_refused(
    tx: &mut Transaction<'static, Any>,
    names: &[ItemDigest],
) -> Result<(), StoreError> {
    let head = "INSERT INTO refused_name (digest) VALUES";
    insert_all(tx, head, 1, "ON CONFLICT (digest) DO NOTHING", names, |query, name| {
        query.bind(name.as_bytes().to_vec())
    })
    .await
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
