//! Who was shown what, projections that showed too much, and the incidents that follow from both.

use super::Catalogue;
use super::commit::{OutboxRow, insert_outbox};
use crate::ledger::{EntryId, Origin, Pending, Recorded};
use crate::model::{
    ActorId, GrantId, IncidentId, IncidentOutcome, OrganisationId, ProjectionId, RecordId, Timestamp,
};
use crate::store::StoreError;
use crate::store::alarms::{self, MISSED_FINDING};
use crate::store::effect::Effect;
use crate::store::journal::{self, SealedBody};
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// That somebody was shown a projection under a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenRow {
    /// What.
    pub projection: ProjectionId,
    /// Under which grant.
    pub grant: GrantId,
    /// By whom.
    pub actor: ActorId,
    /// In which way.
    pub how: SeenHow,
    /// When.
    pub at: Timestamp,
}

/// In which way somebody has a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenHow {
    /// It was shown.
    Read,
    /// It went out in a file.
    Exported,
}

impl SeenHow {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Exported => "exported",
        }
    }
}

/// A projection that showed what the one in its place redacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedRow {
    /// Which.
    pub projection: ProjectionId,
    /// Of which record.
    pub record: RecordId,
    /// Whose.
    pub organisation: OrganisationId,
    /// What found it: a version of the ruleset, or `review`.
    pub cause: String,
    /// When it was found.
    pub found_at: Timestamp,
    /// When the reading room had the new one.
    pub replaced_at: Option<Timestamp>,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentRow {
    /// Its id.
    pub id: IncidentId,
    /// Whose records.
    pub organisation: OrganisationId,
    /// What found it: a version of the ruleset, or `review`.
    pub cause: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Until when the supervisory authority must be told, if it must (AVG article 33: 72 hours).
    pub notify_until: Timestamp,
    /// How it ended.
    pub outcome: Option<IncidentOutcome>,
    /// When.
    pub closed_at: Option<Timestamp>,
    /// By whom; nobody when it was on the command line.
    pub closed_by: Option<ActorId>,
    /// The entry with the words of the closing.
    #[serde(skip)]
    pub entry: Option<EntryId>,
}

/// Somebody who has what should not have been shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Under which grant.
    pub grant: GrantId,
    /// Who, as the ledger knows them.
    pub actor: ActorId,
    /// Read, or in a file.
    pub how: SeenHow,
    /// How many of the records.
    pub records: u64,
    /// When the first of them was shown.
    pub first_at: Timestamp,
}

/// What an incident grows by: its first records, or more of them.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The incident as it is after it.
    pub incident: &'a IncidentRow,
    /// The alarm, for one that is new.
    pub alarm: Option<Uuid>,
    /// Its records.
    pub missed: &'a [MissedRow],
    /// Grants that are told, each with what of it they have.
    pub recalls: &'a BTreeMap<GrantId, Vec<ProjectionId>>,
    /// What goes down for it.
    pub down: Vec<OutboxRow>,
}

/// How an incident is closed.
#[derive(Debug, Clone, Copy)]
pub struct Closing {
    /// Which.
    pub incident: IncidentId,
    /// How it ended.
    pub outcome: IncidentOutcome,
    /// Who says so.
    pub by: Option<ActorId>,
    /// When.
    pub at: Timestamp,
}

/// How long after a projection was replaced a message about it may still come up, in microseconds: who read at that moment
/// counts as having read the old one.
const LATE_MICROS: i64 = 60_000_000;

impl Catalogue {
    /// How far the reading room's log was gone through for what was shown before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen_up_to(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT place FROM seen_cursor WHERE id = 1")
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("reading what was shown"))?;
        Ok(u64::try_from(row.number("place")?).unwrap_or_default())
    }

    /// Adds what a part of the log says was shown, and how far that goes.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn carry_seen(&self, seen: &[SeenRow], up_to: u64) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        insert_seen(&mut tx, seen).await?;
        sqlx::query("UPDATE seen_cursor SET place = $1 WHERE id = 1")
            .bind(i64::try_from(up_to).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("keeping what was shown"))?;
        Effect::InboxTakenUp.of(tx.commit()).await.map_err(StoreError::database("keeping what was shown"))
    }

    /// Keeps that what stands in the reading room took the place of these projections, from `now` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed_replaced(
        &self,
        projections: &[ProjectionId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for projection in projections {
            sqlx::query("UPDATE missed SET replaced_at = $1 WHERE projection = $2 AND replaced_at IS NULL")
                .bind(now.micros())
                .bind(bytes(projection.uuid()))
                .execute(self.db.write())
                .await
                .map_err(StoreError::database("keeping what was replaced"))?;
        }
        Ok(())
    }

    /// Projections that showed too much and were replaced, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed(&self, most: u32) -> Result<Vec<MissedRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM missed WHERE replaced_at IS NOT NULL ORDER BY found_at, projection LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading what was missed"))?;
        rows.iter().map(missed_of).collect()
    }

    /// Forgets projections of which it is certain that everyone who saw them is known. One that an export holds which may still be
    /// fetched stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed_settled(&self, projections: &[ProjectionId]) -> Result<(), StoreError> {
        for projection in projections {
            sqlx::query(
                "DELETE FROM missed WHERE projection = $1 AND NOT EXISTS (SELECT 1 FROM export_projection e \
                 JOIN export_job j ON j.id = e.export WHERE e.projection = $1 \
                 AND j.state IN ('waiting', 'releasing', 'released'))",
            )
            .bind(bytes(projection.uuid()))
            .execute(self.db.write())
            .await
            .map_err(StoreError::database("settling what was missed"))?;
        }
        Ok(())
    }

    /// Who was shown a projection before it was replaced: grants with who, how and when first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen(&self, projection: ProjectionId, until: Timestamp) -> Result<Vec<SeenRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM seen WHERE projection = $1 AND first_at <= $2 ORDER BY access_grant, actor, how",
        )
        .bind(bytes(projection.uuid()))
        .bind(until.micros().saturating_add(LATE_MICROS))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading what was shown"))?;
        rows.iter().map(seen_of).collect()
    }

    /// Under which grants any of these was shown, and in which ways.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shown_under(
        &self,
        projections: &[ProjectionId],
    ) -> Result<BTreeMap<GrantId, BTreeSet<SeenHow>>, StoreError> {
        let mut shown: BTreeMap<GrantId, BTreeSet<SeenHow>> = BTreeMap::new();
        for chunk in projections.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT DISTINCT access_grant, how FROM seen WHERE projection IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            for projection in chunk {
                query = query.bind(bytes(projection.uuid()));
            }
            let rows = query
                .fetch_all(self.db.read())
                .await
                .map_err(StoreError::database("reading who was shown it"))?;
            for row in rows {
                let grant = GrantId::from_uuid(row.id("access_grant")?);
                shown.entry(grant).or_default().insert(how_of(&row)?);
            }
        }
        Ok(shown)
    }

    /// The open incident of an organisation with this cause.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_incident(
        &self,
        organisation: &OrganisationId,
        cause: &str,
    ) -> Result<Option<IncidentRow>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM incident WHERE organisation = $1 AND cause = $2 AND closed_at IS NULL \
             ORDER BY opened_at DESC LIMIT 1",
        )
        .bind(organisation.to_string())
        .bind(cause.to_owned())
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("reading incidents"))?;
        row.as_ref().map(incident_of).transpose()
    }

    /// Which grants were told of which projections in an incident.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recalled(
        &self,
        incident: IncidentId,
    ) -> Result<BTreeMap<GrantId, Vec<ProjectionId>>, StoreError> {
        let rows = sqlx::query("SELECT access_grant, projection FROM incident_recall WHERE incident = $1")
            .bind(bytes(incident.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading an incident"))?;
        let mut found: BTreeMap<GrantId, Vec<ProjectionId>> = BTreeMap::new();
        for row in rows {
            let grant = GrantId::from_uuid(row.id("access_grant")?);
            found.entry(grant).or_default().push(ProjectionId::from_uuid(row.id("projection")?));
        }
        Ok(found)
    }

    /// Opens an incident, or adds to it: rows, alarm, what goes down and the entry, together.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn add_incident(
        &self,
        log: &Origin,
        opening: Opening<'_>,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.db.begin().await?;
        let incident = opening.incident;
        sqlx::query(
            "INSERT INTO incident (id, organisation, cause, opened_at, notify_until) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(bytes(incident.id.uuid()))
        .bind(incident.organisation.to_string())
        .bind(incident.cause.clone())
        .bind(incident.opened_at.micros())
        .bind(incident.notify_until.micros())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("opening an incident"))?;
        let head = "INSERT INTO incident_record (incident, projection, record, replaced_at) VALUES";
        let tail = "ON CONFLICT (incident, projection) DO UPDATE SET replaced_at = excluded.replaced_at";
        insert_all(&mut tx, head, 4, tail, opening.missed, |query, missed| {
            query
                .bind(bytes(incident.id.uuid()))
                .bind(bytes(missed.projection.uuid()))
                .bind(bytes(missed.record.uuid()))
                .bind(missed.replaced_at.unwrap_or(now).micros())
        })
        .await?;
        let told: Vec<(GrantId, ProjectionId)> = opening
            .recalls
            .iter()
            .flat_map(|(grant, of)| of.iter().map(|projection| (*grant, *projection)))
            .collect();
        let head = "INSERT INTO incident_recall (incident, access_grant, projection, recalled_at) VALUES";
        let tail = "ON CONFLICT (incident, access_grant, projection) DO NOTHING";
        insert_all(&mut tx, head, 4, tail, &told, |query, (grant, projection)| {
            query
                .bind(bytes(incident.id.uuid()))
                .bind(bytes(grant.uuid()))
                .bind(bytes(projection.uuid()))
                .bind(now.micros())
        })
        .await?;
        if let Some(alarm) = opening.alarm {
            alarms::raise(&mut tx, alarm, &incident.organisation, incident.id.uuid(), MISSED_FINDING, now)
                .await?;
        }
        insert_outbox(&mut tx, &opening.down, now).await?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::EntryRecorded.of(tx.commit()).await.map_err(StoreError::database("opening an incident"))?;
        Ok(journal::after_commit(added))
    }

    /// The incidents of an organisation, or of all; newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incidents(&self, of: Option<&OrganisationId>) -> Result<Vec<IncidentRow>, StoreError> {
        let own = "SELECT * FROM incident WHERE organisation = $1 ORDER BY opened_at DESC, id";
        let all = "SELECT * FROM incident ORDER BY opened_at DESC, id";
        let query = match of {
            Some(organisation) => sqlx::query(own).bind(organisation.to_string()),
            None => sqlx::query(all),
        };
        let rows =
            query.fetch_all(self.db.read()).await.map_err(StoreError::database("listing incidents"))?;
        rows.iter().map(incident_of).collect()
    }

    /// One incident; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<IncidentRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM incident WHERE id = $1")
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading an incident"))?;
        row.as_ref().map(incident_of).transpose()
    }

    /// The records of an incident, each with when the reading room had its new view.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident_records(&self, id: IncidentId) -> Result<Vec<(RecordId, Timestamp)>, StoreError> {
        let rows = sqlx::query("SELECT record, replaced_at FROM incident_record WHERE incident = $1 ORDER BY replaced_at, record")
            .bind(bytes(id.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading an incident"))?;
        rows.iter()
            .map(|row| Ok((RecordId::from_uuid(row.id("record")?), row.time("replaced_at")?)))
            .collect()
    }

    /// Who has what an incident is about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holders(&self, id: IncidentId) -> Result<Vec<Holder>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.access_grant, s.actor, s.how, COUNT(*) AS n, MIN(s.first_at) AS first_at \
             FROM incident_record i JOIN seen s ON s.projection = i.projection \
             WHERE i.incident = $1 AND s.first_at <= i.replaced_at + $2 \
             GROUP BY s.access_grant, s.actor, s.how ORDER BY s.access_grant, s.actor, s.how",
        )
        .bind(bytes(id.uuid()))
        .bind(LATE_MICROS)
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading who has it"))?;
        rows.iter()
            .map(|row| {
                Ok(Holder {
                    grant: GrantId::from_uuid(row.id("access_grant")?),
                    actor: ActorId::from_uuid(row.id("actor")?),
                    how: how_of(row)?,
                    records: u64::try_from(row.number("n")?).unwrap_or_default(),
                    first_at: row.time("first_at")?,
                })
            })
            .collect()
    }

    /// Closes an incident, with its entry and the sealed words. `None`, and nothing changed, when it was closed before.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn close_incident(
        &self,
        log: &Origin,
        closing: Closing,
        pending: Pending,
        body: SealedBody,
    ) -> Result<Option<Recorded>, StoreError> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "UPDATE incident SET outcome = $1, closed_at = $2, closed_by = $3, entry = $4 \
             WHERE id = $5 AND closed_at IS NULL",
        )
        .bind(closing.outcome.as_str())
        .bind(closing.at.micros())
        .bind(closing.by.map(|actor| bytes(actor.uuid())))
        .bind(bytes(pending.entry().id().uuid()))
        .bind(bytes(closing.incident.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("closing an incident"))?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let added = journal::add(&mut tx, log, pending, Some(body)).await?;
        Effect::EntryRecorded.of(tx.commit()).await.map_err(StoreError::database("closing an incident"))?;
        Ok(Some(journal::after_commit(added)))
    }
}

/// Adds that projections were shown to a transaction; what is known stays as it first was.
pub(in crate::store) async fn insert_seen(
    tx: &mut Transaction<'static, Any>,
    seen: &[SeenRow],
) -> Result<(), StoreError> {
    let head = "INSERT INTO seen (projection, access_grant, actor, how, first_at) VALUES";
    let tail = "ON CONFLICT (projection, access_grant, actor, how) DO NOTHING";
    insert_all(tx, head, 5, tail, seen, |query, row| {
        query
            .bind(bytes(row.projection.uuid()))
            .bind(bytes(row.grant.uuid()))
            .bind(bytes(row.actor.uuid()))
            .bind(row.how.as_str())
            .bind(row.at.micros())
    })
    .await
}

/// Adds projections that show too much to the transaction that sends down what takes their place.
pub(super) async fn insert_missed(
    tx: &mut Transaction<'static, Any>,
    missed: &[MissedRow],
) -> Result<(), StoreError> {
    let head = "INSERT INTO missed (projection, record, organisation, cause, found_at) VALUES";
    let tail = "ON CONFLICT (projection) DO UPDATE SET cause = excluded.cause, found_at = excluded.found_at, \
                replaced_at = NULL";
    insert_all(tx, head, 5, tail, missed, |query, row| {
        query
            .bind(bytes(row.projection.uuid()))
            .bind(bytes(row.record.uuid()))
            .bind(row.organisation.to_string())
            .bind(row.cause.clone())
            .bind(row.found_at.micros())
    })
    .await
}

fn how_of(row: &AnyRow) -> Result<SeenHow, StoreError> {
    match row.text("how")?.as_str() {
        "read" => Ok(SeenHow::Read),
        "exported" => Ok(SeenHow::Exported),
        _ => Err(StoreError::Corrupt { what: "what was shown" }),
    }
}

fn seen_of(row: &AnyRow) -> Result<SeenRow, StoreError> {
    Ok(SeenRow {
        projection: ProjectionId::from_uuid(row.id("projection")?),
        grant: GrantId::from_uuid(row.id("access_grant")?),
        actor: ActorId::from_uuid(row.id("actor")?),
        how: how_of(row)?,
        at: row.time("first_at")?,
    })
}

fn missed_of(row: &AnyRow) -> Result<MissedRow, StoreError> {
    Ok(MissedRow {
        projection: ProjectionId::from_uuid(row.id("projection")?),
        record: RecordId::from_uuid(row.id("record")?),
        organisation: row.term("organisation")?,
        cause: row.text("cause")?,
        found_at: row.time("found_at")?,
        replaced_at: row.time_or_null("replaced_at")?,
    })
}

fn incident_of(row: &AnyRow) -> Result<IncidentRow, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "incident" };
    Ok(IncidentRow {
        id: IncidentId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        cause: row.text("cause")?,
        opened_at: row.time("opened_at")?,
        notify_until: row.time("notify_until")?,
        outcome: row.text_or_null("outcome")?.map(|word| word.parse().map_err(|_| corrupt())).transpose()?,
        closed_at: row.time_or_null("closed_at")?,
        closed_by: row.id_or_null("closed_by")?.map(ActorId::from_uuid),
        entry: row.id_or_null("entry")?.map(EntryId::from_uuid),
    })
}
