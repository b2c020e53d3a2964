//! Alarms to the data protection officer: kept until they are delivered.

use super::StoreError;
use super::openings::Openings;
use super::rows::{RowValues, bytes};
use crate::model::{OrganisationId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};
use uuid::Uuid;

/// Something was opened at once.
pub(super) const BREAK_GLASS: &str = "break-glass";

/// Personal data was shown that should not have been.
pub const MISSED_FINDING: &str = "missed-finding";

/// An alarm that waits to be delivered.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// Its id: the same each time it is tried.
    pub id: Uuid,
    /// Of which organisation.
    pub organisation: OrganisationId,
    /// About which request, or which incident.
    pub about: Uuid,
    /// What happened: `break-glass` (a request to open originals), `missed-finding` (an incident).
    pub kind: String,
    /// When.
    pub raised_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}

/// Adds an alarm to a transaction.
pub(super) async fn raise(
    tx: &mut Transaction<'static, Any>,
    id: Uuid,
    organisation: &OrganisationId,
    about: Uuid,
    kind: &'static str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO alarm (id, organisation, opening, kind, raised_at, next_at) VALUES ($1, $2, $3, $4, $5, $5)",
    )
    .bind(bytes(id))
    .bind(organisation.to_string())
    .bind(bytes(about))
    .bind(kind)
    .bind(at.micros())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("raising an alarm"))?;
    Ok(())
}

impl Openings {
    /// Alarms that were not delivered and are to be tried at `now`, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alarms_due(&self, now: Timestamp, most: u32) -> Result<Vec<Alarm>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM alarm WHERE delivered_at IS NULL AND next_at <= $1 ORDER BY raised_at, id LIMIT $2",
        )
        .bind(now.micros())
        .bind(i64::from(most))
        .fetch_all(self.database().read())
        .await
        .map_err(StoreError::database("reading alarms"))?;
        rows.iter().map(alarm_of).collect()
    }

    /// How many alarms were not delivered, and since when the oldest waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alarms_undelivered(&self) -> Result<(u64, Option<Timestamp>), StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n, MIN(raised_at) AS oldest FROM alarm WHERE delivered_at IS NULL",
        )
        .fetch_one(self.database().read())
        .await
        .map_err(StoreError::database("counting alarms"))?;
        Ok((u64::try_from(row.number("n")?).unwrap_or_default(), row.time_or_null("oldest")?))
    }

    /// Keeps that an alarm was delivered, or when it is tried again.
    ///
    /// # Errors
    /// When the database fails; it is then tried again.
    pub async fn alarm_tried(
        &self,
        id: Uuid,
        delivered_at: Option<Timestamp>,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE alarm SET attempts = attempts + 1, delivered_at = $1, next_at = $2 \
             WHERE id = $3 AND delivered_at IS NULL",
        )
        .bind(delivered_at.map(Timestamp::micros))
        .bind(next.micros())
        .bind(bytes(id))
        .execute(self.database().write())
        .await
        .map_err(StoreError::database("keeping an alarm"))?;
        Ok(())
    }
}

fn alarm_of(row: &AnyRow) -> Result<Alarm, StoreError> {
    Ok(Alarm {
        id: row.id("id")?,
        organisation: row.term("organisation")?,
        about: row.id("opening")?,
        kind: row.text("kind")?,
        raised_at: row.time("raised_at")?,
        attempts: u32::try_from(row.number("attempts")?).unwrap_or(u32::MAX),
    })
}
