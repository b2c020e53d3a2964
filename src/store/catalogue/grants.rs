//! Grants, the people behind actors, disclosures, and the outbox that takes things down.

use super::Catalogue;
use super::commit::{OutboxRow, insert_outbox};
use crate::access::grant_file::Selection;
use crate::ledger::{EntryId, Origin, Pending, Recorded};
use crate::model::{ActorId, ChannelId, DisclosureId, GrantId, LegalBasisCode, OrganisationId, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes, list};
use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Transaction};

/// Bytes of payloads after which no more are read at a time.
const OUTBOX_BYTES_MAX: usize = 8 << 20;

/// An approved request to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// Whose records.
    pub organisation: OrganisationId,
    /// Who may read.
    pub reader: ActorId,
    /// For what purpose.
    pub purpose: String,
    /// Under which legal basis.
    pub legal_basis: LegalBasisCode,
    /// Which channels.
    pub channels: Vec<ChannelId>,
    /// Which records of them; all when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// How views are rendered.
    pub plan: String,
    /// When it was approved.
    pub approved_at: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it was taken up that it is over, if it was.
    pub lapsed_at: Option<Timestamp>,
}

impl GrantRow {
    /// Whether it holds at `now`.
    #[must_use]
    pub fn active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.lapsed_at.is_none() && now < self.until
    }
}

/// Something that waits to go down.
#[derive(Debug)]
pub struct OutboxItem {
    /// Its place in the order.
    pub seq: i64,
    /// `conversation`, `grant`, `revocation`, `lapse` and so on.
    pub kind: String,
    /// JSON.
    pub payload: String,
}

impl Catalogue {
    /// The actor behind an issuer's subject, made known with `fresh` when new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn actor(
        &self,
        issuer: &str,
        subject: &str,
        fresh: ActorId,
        now: Timestamp,
    ) -> Result<ActorId, StoreError> {
        if let Some(known) = self.known_actor(issuer, subject).await? {
            return Ok(known);
        }
        sqlx::query(
            "INSERT INTO actor (id, issuer, subject, since) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (issuer, subject) DO NOTHING",
        )
        .bind(bytes(fresh.uuid()))
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .bind(now.micros())
        .execute(self.db.write())
        .await
        .map_err(StoreError::database("adding an actor"))?;
        self.known_actor(issuer, subject).await?.ok_or(StoreError::Corrupt { what: "actor" })
    }

    /// The actor behind an issuer's subject; `None` when nobody ever was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_actor(&self, issuer: &str, subject: &str) -> Result<Option<ActorId>, StoreError> {
        let row = sqlx::query("SELECT id FROM actor WHERE issuer = $1 AND subject = $2")
            .bind(issuer.to_owned())
            .bind(subject.to_owned())
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading an actor"))?;
        row.map(|row| Ok(ActorId::from_uuid(row.id("id")?))).transpose()
    }

    /// Who is behind an actor: issuer and subject.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person_behind(&self, actor: ActorId) -> Result<Option<(String, String)>, StoreError> {
        let row = sqlx::query("SELECT issuer, subject FROM actor WHERE id = $1")
            .bind(bytes(actor.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading an actor"))?;
        row.map(|row| Ok((row.text("issuer")?, row.text("subject")?))).transpose()
    }

    /// Writes a grant, what goes down for it, and its ledger entry, together.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn add_grant(
        &self,
        log: &Origin,
        grant: &GrantRow,
        outbox: OutboxRow,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.db.begin().await?;
        insert_grant(&mut tx, grant).await?;
        insert_outbox(&mut tx, &[outbox], now).await?;
        let added = journal::add(&mut tx, log, pending, None).await?;
        Effect::GrantAdded.of(tx.commit()).await.map_err(StoreError::database("adding a grant"))?;
        Ok(journal::after_commit(added))
    }

    /// Revokes a grant at once. `false` when there is no such grant in force.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn revoke_grant(
        &self,
        log: &Origin,
        grant: GrantId,
        outbox: OutboxRow,
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let ended = sqlx::query(
            "UPDATE access_grant SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL AND lapsed_at IS NULL",
        );
        self.end_grant(ended, log, grant, outbox, pending, now).await
    }

    /// Takes up that a grant is over. `false` when there is no such grant that ended by `now` and was not taken up before.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn lapse_grant(
        &self,
        log: &Origin,
        grant: GrantId,
        outbox: OutboxRow,
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let ended = sqlx::query(
            "UPDATE access_grant SET lapsed_at = $1 WHERE id = $2 AND revoked_at IS NULL AND lapsed_at IS NULL \
             AND until_at <= $1",
        );
        self.end_grant(ended, log, grant, outbox, pending, now).await
    }

    async fn end_grant(
        &self,
        ended: Query<'static, Any, AnyArguments>,
        log: &Origin,
        grant: GrantId,
        outbox: OutboxRow,
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let done = ended.bind(now.micros()).bind(bytes(grant.uuid())).execute(&mut *tx).await;
        if done.map_err(StoreError::database("ending a grant"))?.rows_affected() == 0 {
            return Ok(false);
        }
        insert_outbox(&mut tx, &[outbox], now).await?;
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        Effect::GrantRevoked.of(tx.commit()).await.map_err(StoreError::database("ending a grant"))?;
        Ok(true)
    }

    /// Grants that are over and of which that was not taken up, the longest over first: at most so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_over(&self, now: Timestamp, most: u32) -> Result<Vec<GrantRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM access_grant WHERE revoked_at IS NULL AND lapsed_at IS NULL AND until_at <= $1 \
             ORDER BY until_at, id LIMIT $2",
        )
        .bind(now.micros())
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("listing grants"))?;
        rows.iter().map(grant_of).collect()
    }

    /// Every grant, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants(&self) -> Result<Vec<GrantRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM access_grant ORDER BY approved_at DESC, id")
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing grants"))?;
        rows.iter().map(grant_of).collect()
    }

    /// Who made a disclosure, and the entry that announced it; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn intent_of(&self, id: DisclosureId) -> Result<Option<(ActorId, EntryId)>, StoreError> {
        let row = sqlx::query("SELECT actor, intent FROM disclosure WHERE id = $1")
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a disclosure"))?;
        row.map(|row| Ok((ActorId::from_uuid(row.id("actor")?), EntryId::from_uuid(row.id("intent")?))))
            .transpose()
    }

    /// Puts something in the outbox by itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn send_down(&self, row: OutboxRow, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        insert_outbox(&mut tx, &[row], now).await?;
        Effect::OutboxFilled.of(tx.commit()).await.map_err(StoreError::database("filling the outbox"))
    }

    /// The oldest things that wait to go down, in order: at most so many, and no more once they are large together.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outbox(&self, most: u32) -> Result<Vec<OutboxItem>, StoreError> {
        let mut rows = sqlx::query("SELECT seq, kind, payload FROM outbox ORDER BY seq LIMIT $1")
            .bind(i64::from(most))
            .fetch(self.db.read());
        let (mut items, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await.map_err(StoreError::database("reading the outbox"))? {
            let payload = row.text("payload")?;
            bytes += payload.len();
            items.push(OutboxItem { seq: row.number("seq")?, kind: row.text("kind")?, payload });
            if bytes >= OUTBOX_BYTES_MAX {
                break;
            }
        }
        Ok(items)
    }

    /// Takes these off the outbox: they went down. What has a lower number and became visible later waits on.
    ///
    /// # Errors
    /// When the database fails; they then go down once more, which changes nothing.
    pub async fn outbox_taken(&self, items: &[OutboxItem]) -> Result<(), StoreError> {
        let sql = AssertSqlSafe(format!("DELETE FROM outbox WHERE seq IN ({})", list(1, items.len())));
        let mut query = sqlx::query(sql);
        for item in items {
            query = query.bind(item.seq);
        }
        let taken = Effect::OutboxTaken.of(query.execute(self.db.write())).await;
        taken.map_err(StoreError::database("clearing the outbox"))?;
        Ok(())
    }

    /// Takes what went down off the outbox. What has a lower number and became visible later waits on.
    ///
    /// # Errors
    /// When the database fails; it then goes down once more, which changes nothing.
    pub async fn outbox_done(&self, seq: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM outbox WHERE seq = $1")
            .bind(seq)
            .execute(self.db.write())
            .await
            .map_err(StoreError::database("clearing the outbox"))?;
        Ok(())
    }
}

pub(super) async fn insert_grant(
    tx: &mut Transaction<'static, Any>,
    grant: &GrantRow,
) -> Result<(), StoreError> {
    let channels: Vec<&str> = grant.channels.iter().map(ChannelId::as_str).collect();
    let selection = match &grant.selection {
        Some(selection) => {
            serde_json::to_string(selection).map_err(|_| StoreError::Corrupt { what: "selection" })?
        }
        None => String::new(),
    };
    sqlx::query(
        "INSERT INTO access_grant (id, organisation, reader, purpose, legal_basis, channels, plan, approved_at, \
         until_at, selection) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(bytes(grant.id.uuid()))
    .bind(grant.organisation.to_string())
    .bind(bytes(grant.reader.uuid()))
    .bind(grant.purpose.clone())
    .bind(grant.legal_basis.to_string())
    .bind(channels.join(" "))
    .bind(grant.plan.clone())
    .bind(grant.approved_at.micros())
    .bind(grant.until.micros())
    .bind(selection)
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("adding a grant"))?;
    Ok(())
}

fn grant_of(row: &AnyRow) -> Result<GrantRow, StoreError> {
    let channels: Result<Vec<ChannelId>, _> =
        row.text("channels")?.split_whitespace().map(str::parse).collect();
    Ok(GrantRow {
        id: GrantId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        reader: ActorId::from_uuid(row.id("reader")?),
        purpose: row.text("purpose")?,
        legal_basis: row.term("legal_basis")?,
        channels: channels.map_err(|_| StoreError::Corrupt { what: "channels of a grant" })?,
        plan: row.text("plan")?,
        selection: match row.text("selection")?.as_str() {
            "" => None,
            json => Some(serde_json::from_str(json).map_err(|_| StoreError::Corrupt { what: "selection" })?),
        },
        approved_at: row.time("approved_at")?,
        until: row.time("until_at")?,
        revoked_at: row.time_or_null("revoked_at")?,
        lapsed_at: row.time_or_null("lapsed_at")?,
    })
}
