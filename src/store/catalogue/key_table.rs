//! Wrapped keys as they are wrapped anew when an epoch ends.

use super::Catalogue;
use super::destroy::ask_turn;
use crate::ledger::{Origin, Pending, Recorded};
use crate::model::{OrganisationId, SegmentId, Timestamp};
use crate::seal::{Epoch, WrappedSegmentKey};
use crate::store::effect::Effect;
use crate::store::rows::{RowValues, bytes};
use crate::store::{StoreError, journal};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A segment's key as it stands.
#[derive(Debug, Clone)]
pub struct SegmentKeyRow {
    /// Which segment.
    pub segment: SegmentId,
    /// Its wrapped key.
    pub wrapped: WrappedSegmentKey,
}

/// A sealed body of the ledger whose key stands under a segment key of its own.
#[derive(Debug, Clone)]
pub struct BodyKey {
    /// The entry it is of.
    pub entry: Uuid,
    /// The body as stored: wrapped key first.
    pub body: Vec<u8>,
}

/// An epoch that must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTurn {
    /// It, and all before it.
    pub epoch: Epoch,
    /// Since when.
    pub asked_at: Timestamp,
}

/// Where bodies stand: first those without a number, because they move to the second.
const BODIES: [(&str, &str); 2] = [
    (
        "SELECT id, body FROM journal_pending WHERE substr(body, 1, 1) = $1",
        "UPDATE journal_pending SET body = $1 WHERE id = $2",
    ),
    (
        "SELECT id, body FROM ledger_body WHERE substr(body, 1, 1) = $1",
        "UPDATE ledger_body SET body = $1 WHERE id = $2",
    ),
];

/// Gives a sealed body with its key wrapped anew; none when that body is not to be changed.
pub type Rewrap<'a> = dyn Fn(&BodyKey) -> Result<Option<Vec<u8>>, StoreError> + Sync + 'a;

impl Catalogue {
    /// The epoch of an organisation that must end, if one must.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn turn_asked(&self, organisation: &OrganisationId) -> Result<Option<KeyTurn>, StoreError> {
        let row = sqlx::query("SELECT epoch, asked_at FROM key_turn WHERE organisation = $1")
            .bind(organisation.to_string())
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("looking up the epoch that must end"))?;
        row.map(|row| Ok(KeyTurn { epoch: epoch_of(row.number("epoch")?), asked_at: row.time("asked_at")? }))
            .transpose()
    }

    /// Asks for the end of an epoch and all before it. One that was asked for before stays asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask_turn(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        ask_turn(&mut tx, organisation, epoch, now).await?;
        Effect::TurnAsked.of(tx.commit()).await.map_err(StoreError::database("asking for the next epoch"))
    }

    /// How many segments of an organisation have their key under each epoch key; 0 is the master key itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn segments_by_epoch(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<Epoch, u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.epoch, COUNT(*) AS n FROM segment s JOIN capture c ON c.id = s.capture \
             WHERE c.organisation = $1 AND s.epoch >= 0 GROUP BY s.epoch",
        )
        .bind(organisation.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("counting segments"))?;
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        rows.iter().map(|row| Ok((epoch_of(row.number("epoch")?), count(row.number("n")?)))).collect()
    }

    /// Segments of an organisation whose key another epoch wraps, some at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn segments_of_other_epochs(
        &self,
        organisation: &OrganisationId,
        in_force: Epoch,
        most: u32,
    ) -> Result<Vec<SegmentKeyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.id, s.wrapped_key FROM segment s JOIN capture c ON c.id = s.capture \
             WHERE c.organisation = $1 AND s.epoch >= 0 AND s.epoch <> $2 ORDER BY s.id LIMIT $3",
        )
        .bind(organisation.to_string())
        .bind(i64::from(in_force.number()))
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("finding keys to wrap anew"))?;
        rows.iter()
            .map(|row| {
                let wrapped = WrappedSegmentKey::from_bytes(&row.blob("wrapped_key")?);
                Ok(SegmentKeyRow {
                    segment: SegmentId::from_uuid(row.id("id")?),
                    wrapped: wrapped.map_err(|_| StoreError::Corrupt { what: "wrapped key of a segment" })?,
                })
            })
            .collect()
    }

    /// Puts wrapped keys in the place of those that stood there.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn rewrapped(&self, rows: &[SegmentKeyRow]) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for row in rows {
            sqlx::query("UPDATE segment SET wrapped_key = $1, epoch = $2 WHERE id = $3")
                .bind(row.wrapped.as_bytes().to_vec())
                .bind(row.wrapped.epoch().map_or(0, |epoch| i64::from(epoch.number())))
                .bind(bytes(row.segment.uuid()))
                .execute(&mut *tx)
                .await
                .map_err(StoreError::database("wrapping keys anew"))?;
        }
        Effect::SegmentKeysRewrapped.of(tx.commit()).await.map_err(StoreError::database("wrapping keys anew"))
    }

    /// Gives every sealed body of the ledger to `anew`, and keeps what it gives back. One holder at a time, as entries
    /// are numbered by one at a time: a body that moves meanwhile is not missed. Returns how many were changed.
    ///
    /// # Errors
    /// When the database fails or `anew` does; nothing is then changed.
    pub async fn rewrap_bodies(&self, anew: &Rewrap<'_>) -> Result<u64, StoreError> {
        let mut tx = self.db.begin_exclusive().await?;
        let mut changed = 0;
        for (read, write) in BODIES {
            // By the form of the wrapped key at its head: with an epoch, and as before there were any.
            for form in [2_u8, 1] {
                let rows = sqlx::query(read).bind(vec![form]).fetch_all(&mut *tx).await;
                for row in rows.map_err(StoreError::database("reading bodies"))? {
                    let known = BodyKey { entry: row.id("id")?, body: row.blob("body")? };
                    let Some(body) = anew(&known)? else { continue };
                    let done = sqlx::query(write).bind(body).bind(bytes(known.entry)).execute(&mut *tx).await;
                    done.map_err(StoreError::database("wrapping keys anew"))?;
                    changed += 1;
                }
            }
        }
        Effect::BodiesRewrapped.of(tx.commit()).await.map_err(StoreError::database("wrapping keys anew"))?;
        Ok(changed)
    }

    /// The turn is done: what was asked up to before `in_force` is fulfilled, and the ledger says so.
    ///
    /// # Errors
    /// When the database fails; the turn then waits.
    pub async fn turned(
        &self,
        log: &Origin,
        organisation: &OrganisationId,
        in_force: Epoch,
        pending: Vec<Pending>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut tx = self.db.begin().await?;
        sqlx::query("DELETE FROM key_turn WHERE organisation = $1 AND epoch < $2")
            .bind(organisation.to_string())
            .bind(i64::from(in_force.number()))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("ending an epoch"))?;
        let mut added = Vec::with_capacity(pending.len());
        for pending in pending {
            added.push(journal::add(&mut tx, log, pending, None).await?);
        }
        Effect::EpochEnded.of(tx.commit()).await.map_err(StoreError::database("ending an epoch"))?;
        Ok(added.into_iter().map(journal::after_commit).collect())
    }
}

fn epoch_of(stored: i64) -> Epoch {
    Epoch::new(u32::try_from(stored).unwrap_or_default())
}
