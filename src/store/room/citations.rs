//! Citations: which version of a view a grant's name stands for, also after it was replaced or withdrawn; and the finding aid.
//!
//! Both belong to a grant. Versions are counted for each grant by itself and names are drawn for it alone, so that citations
//! of two grants cannot be joined.

use super::{Room, RoomWriter};
use crate::model::{GrantId, OrganisationId, ProjectionId, RecordRef, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, list};
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::HashMap;

/// What a grant's name for a view stands for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    /// The name.
    pub reference: RecordRef,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// Which version stands there, or stood there last; from 1.
    pub version: u64,
    /// Since when; `None` for one that stands as it was first published.
    pub changed_at: Option<Timestamp>,
    /// The day of posting, empty when not stated.
    pub day: String,
}

/// A name that a grant had for a projection that comes back.
pub(super) type Former = HashMap<ProjectionId, (Vec<u8>, i64)>;

/// Keeps the names that grants have for these projections, which are about to go.
pub(super) async fn keep_names(
    tx: &mut Transaction<'static, Any>,
    numbers: &[i64],
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in numbers.chunks(LISTED_MAX) {
        let sql = format!(
            "INSERT INTO grant_gone (reference, reading_grant, projection, day, version, gone_at) \
             SELECT g.reference, g.reading_grant, p.id, g.day, g.version, $1 FROM grant_record g \
             JOIN projection p ON p.number = g.projection WHERE g.projection IN ({}) ON CONFLICT DO NOTHING",
            list(2, chunk.len())
        );
        let mut query =
            sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX).bind(now.micros());
        for number in chunk {
            query = query.bind(*number);
        }
        query.execute(&mut **tx).await.map_err(StoreError::database("keeping names"))?;
    }
    Ok(())
}

/// Keeps the name that one grant has for a projection, which it does not cover any more.
pub(super) async fn keep_name(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    number: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO grant_gone (reference, reading_grant, projection, day, version, gone_at) \
         SELECT g.reference, g.reading_grant, p.id, g.day, g.version, $1 FROM grant_record g \
         JOIN projection p ON p.number = g.projection WHERE g.projection = $2 AND g.reading_grant = $3 \
         ON CONFLICT DO NOTHING",
    )
    .bind(now.micros())
    .bind(number)
    .bind(bytes(grant.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("keeping names"))?;
    Ok(())
}

/// The names that a grant had for these projections, taken out: they are given again.
pub(super) async fn take_names(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    projections: &[ProjectionId],
) -> Result<Former, StoreError> {
    let mut found = Former::new();
    for chunk in projections.chunks(LISTED_MAX) {
        for head in ["SELECT reference, projection, version FROM grant_gone", "DELETE FROM grant_gone"] {
            let sql = format!("{head} WHERE reading_grant = $1 AND projection IN ({})", list(2, chunk.len()));
            let mut query = sqlx::query(AssertSqlSafe(sql))
                .persistent(chunk.len() == LISTED_MAX)
                .bind(bytes(grant.uuid()));
            for projection in chunk {
                query = query.bind(bytes(projection.uuid()));
            }
            let rows =
                query.fetch_all(&mut **tx).await.map_err(StoreError::database("giving names again"))?;
            for row in rows {
                let projection = ProjectionId::from_uuid(row.id("projection")?);
                found.insert(projection, (row.blob("reference")?, row.number("version")? + 1));
            }
            if found.is_empty() {
                break;
            }
        }
    }
    Ok(found)
}

/// Counts that these projections were published anew with other words than before.
pub(super) async fn count_anew(
    tx: &mut Transaction<'static, Any>,
    numbers: &[i64],
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in numbers.chunks(LISTED_MAX) {
        let sql = format!(
            "UPDATE grant_record SET version = version + 1, changed_at = $1 WHERE projection IN ({})",
            list(2, chunk.len())
        );
        let mut query =
            sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX).bind(now.micros());
        for number in chunk {
            query = query.bind(*number);
        }
        query.execute(&mut **tx).await.map_err(StoreError::database("counting versions"))?;
    }
    Ok(())
}

impl RoomWriter {
    /// Publishes the finding aid of a grant in the place of the one before. A grant that is not there gets none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finding_aid(
        &self,
        grant: GrantId,
        made_at: Timestamp,
        document: &str,
    ) -> Result<(), StoreError> {
        let written = sqlx::query(
            "INSERT INTO finding_aid (reading_grant, made_at, document) SELECT id, $1, $2 FROM reading_grant \
             WHERE id = $3 ON CONFLICT (reading_grant) DO UPDATE SET made_at = excluded.made_at, \
             document = excluded.document",
        )
        .bind(made_at.micros())
        .bind(document.to_owned())
        .bind(bytes(grant.uuid()));
        let done = Effect::RoomRequest.of(written.execute(self.database().write())).await;
        done.map_err(StoreError::database("publishing a finding aid"))?;
        Ok(())
    }

    /// The grants in force that have no finding aid, or one from before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn without_finding_aid(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<(GrantId, OrganisationId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT w.id, w.organisation FROM reading_grant w LEFT JOIN finding_aid f ON f.reading_grant = w.id \
             WHERE w.revoked = 0 AND w.until_at > $1 AND (f.made_at IS NULL OR f.made_at < $2) ORDER BY w.id",
        )
        .bind(now.micros())
        .bind(before.micros())
        .fetch_all(self.database().read())
        .await
        .map_err(StoreError::database("looking for finding aids"))?;
        rows.iter().map(|row| Ok((GrantId::from_uuid(row.id("id")?), row.term("organisation")?))).collect()
    }

    /// How many records a grant names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn named(&self, grant: GrantId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM grant_record WHERE reading_grant = $1")
            .bind(bytes(grant.uuid()))
            .fetch_one(self.database().read())
            .await
            .map_err(StoreError::database("counting records"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or_default())
    }
}

impl Room {
    /// What a name of a grant stands for; `None` for one that it never gave.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cited(&self, grant: GrantId, reference: RecordRef) -> Result<Option<Cited>, StoreError> {
        let there = sqlx::query(
            "SELECT day, version, changed_at, CAST(0 AS BIGINT) AS gone FROM grant_record WHERE reference = $1 AND reading_grant = $2 \
             UNION ALL \
             SELECT day, version, gone_at AS changed_at, CAST(1 AS BIGINT) AS gone FROM grant_gone \
             WHERE reference = $1 AND reading_grant = $2",
        )
        .bind(bytes(reference.uuid()))
        .bind(bytes(grant.uuid()))
        .fetch_optional(self.database().read())
        .await
        .map_err(StoreError::database("reading a citation"))?;
        there
            .map(|row| {
                Ok(Cited {
                    reference,
                    withdrawn: row.number("gone")? != 0,
                    version: u64::try_from(row.number("version")?).unwrap_or_default(),
                    changed_at: row.time_or_null("changed_at")?,
                    day: row.text("day")?,
                })
            })
            .transpose()
    }

    /// The finding aid of a grant (JSON); `None` while there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finding_aid(&self, grant: GrantId) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT document FROM finding_aid WHERE reading_grant = $1")
            .bind(bytes(grant.uuid()))
            .fetch_optional(self.database().read())
            .await
            .map_err(StoreError::database("reading a finding aid"))?;
        row.map(|row| row.text("document")).transpose()
    }
}
