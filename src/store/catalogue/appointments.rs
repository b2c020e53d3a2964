//! Appointments: whom an organisation made an approver or, of an external agency, a reviewer; until when.

use super::Catalogue;
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{ActorId, AppointmentId, AppointmentKind, ChannelId, OrganisationId, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes};
use serde::Serialize;
use sqlx::any::AnyRow;

/// One appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Appointment {
    /// Its id.
    pub id: AppointmentId,
    /// As what.
    pub kind: AppointmentKind,
    /// By whom: whose records it is about.
    pub organisation: OrganisationId,
    /// Who was appointed, by pseudonym.
    pub actor: ActorId,
    /// The decision or agreement that it rests on, by its reference.
    pub document: String,
    /// For which channels; all of the organisation's when empty.
    pub channels: Vec<ChannelId>,
    /// When it was made.
    pub made_at: Timestamp,
    /// The first moment at which it no longer holds.
    pub until: Timestamp,
    /// When it was ended before its time, if it was.
    pub ended_at: Option<Timestamp>,
}

impl Appointment {
    /// The moment from which it does not hold: its term, or its end before that.
    #[must_use]
    pub fn holds_until(&self) -> Timestamp {
        self.ended_at.map_or(self.until, |ended| ended.min(self.until))
    }

    /// Whether it covers this channel.
    #[must_use]
    pub fn covers(&self, channel: &ChannelId) -> bool {
        self.channels.is_empty() || self.channels.contains(channel)
    }
}

impl Catalogue {
    /// Writes an appointment with its ledger entry.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn add_appointment(
        &self,
        log: &Origin,
        appointment: &Appointment,
        pending: Pending,
    ) -> Result<Recorded, StoreError> {
        let channels: Vec<&str> = appointment.channels.iter().map(ChannelId::as_str).collect();
        let mut tx = self.db.begin().await?;
        sqlx::query(
            "INSERT INTO appointment (id, kind, organisation, actor, document, channels, made_at, until_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(bytes(appointment.id.uuid()))
        .bind(appointment.kind.as_str())
        .bind(appointment.organisation.to_string())
        .bind(bytes(appointment.actor.uuid()))
        .bind(appointment.document.clone())
        .bind(channels.join(" "))
        .bind(appointment.made_at.micros())
        .bind(appointment.until.micros())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("adding an appointment"))?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        let committed = Effect::AppointmentMade.of(tx.commit()).await;
        committed.map_err(StoreError::database("adding an appointment"))?;
        Ok(journal::after_commit(added))
    }

    /// Ends an appointment now. `false` when none of that id holds.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn end_appointment(
        &self,
        log: &Origin,
        id: AppointmentId,
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "UPDATE appointment SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL AND until_at > $1",
        )
        .bind(now.micros())
        .bind(bytes(id.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("ending an appointment"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        let committed = Effect::AppointmentEnded.of(tx.commit()).await;
        committed.map_err(StoreError::database("ending an appointment"))?;
        Ok(true)
    }

    /// Every appointment of a kind, in force or not, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn appointments(&self, kind: AppointmentKind) -> Result<Vec<Appointment>, StoreError> {
        let rows = sqlx::query("SELECT * FROM appointment WHERE kind = $1 ORDER BY made_at DESC, id")
            .bind(kind.as_str())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing appointments"))?;
        rows.iter().map(appointment_of).collect()
    }

    /// The appointments of one person, in force or not: the one that holds longest last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn appointments_of(
        &self,
        actor: ActorId,
        kind: AppointmentKind,
    ) -> Result<Vec<Appointment>, StoreError> {
        let rows = sqlx::query("SELECT * FROM appointment WHERE actor = $1 AND kind = $2")
            .bind(bytes(actor.uuid()))
            .bind(kind.as_str())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading appointments"))?;
        let mut found = rows.iter().map(appointment_of).collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|appointment| (appointment.holds_until(), appointment.id));
        Ok(found)
    }
}

fn appointment_of(row: &AnyRow) -> Result<Appointment, StoreError> {
    let channels: Result<Vec<ChannelId>, _> =
        row.text("channels")?.split_whitespace().map(str::parse).collect();
    Ok(Appointment {
        id: AppointmentId::from_uuid(row.id("id")?),
        kind: row.term("kind")?,
        organisation: row.term("organisation")?,
        actor: ActorId::from_uuid(row.id("actor")?),
        document: row.text("document")?,
        channels: channels.map_err(|_| StoreError::Corrupt { what: "channels of an appointment" })?,
        made_at: row.time("made_at")?,
        until: row.time("until_at")?,
        ended_at: row.time_or_null("ended_at")?,
    })
}
