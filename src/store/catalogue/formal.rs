//! Formal messages (Awb 2:3): when they were received, and what became of them.

use super::Catalogue;
use super::anew::{Anew, insert_anew};
use super::commit::FormalRow;
use crate::ledger::{EntryId, Origin, Pending, Recorded};
use crate::model::{ActorId, ChannelId, ItemDigest, ItemKind, OrganisationId, RecordId, Role, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal::{self, SealedBody};
use crate::store::rows::{RowValues, bytes, insert_all};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

/// What a person's answer makes of a record.
#[derive(Debug)]
pub enum FormalFound {
    /// A formal message, received and due at these times.
    Yes(Timestamp, Timestamp),
    /// None, or nobody knows: it is not waited for, unless something was done with it.
    No,
}

/// What was done with a formal message.
#[derive(Debug)]
pub struct FormalHandled {
    /// Which record.
    pub record: RecordId,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it is, or was, due.
    pub due_at: Timestamp,
    /// `registered` or `forwarded`.
    pub done: &'static str,
    /// Where it was registered, with the keyed digest of system and case number.
    pub case: Option<(String, ItemDigest)>,
    /// To which body it was forwarded.
    pub forwarded_to: Option<String>,
    /// By whom.
    pub actor: ActorId,
    /// In which role.
    pub role: Role,
    /// When the sender was told, if that was done.
    pub sender_told_at: Option<Timestamp>,
}

/// A formal message, as lists show it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FormalMessage {
    /// Which record.
    pub record: RecordId,
    /// On which channel.
    pub channel: ChannelId,
    /// What it is.
    pub kind: ItemKind,
    /// When it was received.
    pub received_at: Timestamp,
    /// When it must be registered or forwarded.
    pub due_at: Timestamp,
    /// `waiting`, `registered` or `forwarded`.
    pub state: String,
    /// In which system it was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// To which body it was forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded_to: Option<String>,
    /// By whom, as the ledger knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled_by: Option<ActorId>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled_at: Option<Timestamp>,
    /// When the sender was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_told_at: Option<Timestamp>,
    /// Whether it waits beyond its time, or was forwarded without the sender being told.
    pub overdue: bool,
}

impl Catalogue {
    /// The formal messages of an organisation, the longest waiting first; what was destroyed is not among them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn formal_messages(
        &self,
        organisation: &OrganisationId,
        case: Option<ItemDigest>,
        now: Timestamp,
    ) -> Result<Vec<FormalMessage>, StoreError> {
        let which = match case {
            Some(_) => "f.case_digest = $2",
            None => "(f.case_digest IS NULL OR f.case_digest <> $2)",
        };
        let sql = format!(
            "SELECT f.record, r.channel, r.kind, f.received_at, f.due_at, f.done, f.system, f.forwarded_to, f.actor, \
             f.done_at, f.sender_told_at FROM formal_message f JOIN record r ON r.id = f.record \
             WHERE r.organisation = $1 AND {which} ORDER BY f.received_at, f.record"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(organisation.to_string())
            .bind(case.map(|case| case.as_bytes().to_vec()).unwrap_or_default())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing formal messages"))?;
        rows.iter().map(|row| message_of(row, now)).collect()
    }

    /// In which entry it stands that a formal message was handled: its body has the case number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn formal_entry(&self, record: RecordId) -> Result<Option<EntryId>, StoreError> {
        let row = sqlx::query("SELECT entry FROM formal_message WHERE record = $1 AND entry IS NOT NULL")
            .bind(bytes(record.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a formal message"))?;
        row.map(|row| Ok(EntryId::from_uuid(row.id("entry")?))).transpose()
    }

    /// Notes that a message was registered or forwarded; one that was not known as formal becomes so. Its record then waits to be
    /// decided anew. `None` when something was done with it before: then nothing changes.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn handle_formal(
        &self,
        log: &Origin,
        handled: &FormalHandled,
        pending: Pending,
        body: Option<SealedBody>,
        now: Timestamp,
    ) -> Result<Option<Recorded>, StoreError> {
        let failed = || StoreError::database("handling a formal message");
        let mut tx = self.db.begin().await?;
        set_found(&mut tx, handled.record, &FormalFound::Yes(handled.received_at, handled.due_at)).await?;
        let (system, case) = handled.case.clone().unzip();
        let done = sqlx::query(
            "UPDATE formal_message SET done = $1, system = $2, case_digest = $3, forwarded_to = $4, actor = $5, done_at = $6, \
             sender_told_at = $7, entry = $8 WHERE record = $9 AND done IS NULL",
        )
        .bind(handled.done)
        .bind(system)
        .bind(case.map(|case| case.as_bytes().to_vec()))
        .bind(handled.forwarded_to.clone())
        .bind(bytes(handled.actor.uuid()))
        .bind(now.micros())
        .bind(handled.sender_told_at.map(Timestamp::micros))
        .bind(bytes(pending.entry().id().uuid()))
        .bind(bytes(handled.record.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let by = Some((handled.actor, handled.role));
        let anew = Anew { record: handled.record, cause: handled.done.to_owned(), by };
        insert_anew(&mut tx, &[anew]).await?;
        let added = journal::add(&mut tx, log, pending, body).await?;
        Effect::FormalHandled.of(tx.commit()).await.map_err(failed())?;
        Ok(Some(journal::after_commit(added)))
    }

    /// Notes that the sender was told. `None` when nothing was done with the message yet, or the sender was told before.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn tell_sender(
        &self,
        log: &Origin,
        record: RecordId,
        told_at: Timestamp,
        pending: Pending,
    ) -> Result<Option<Recorded>, StoreError> {
        let failed = || StoreError::database("noting that a sender was told");
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "UPDATE formal_message SET sender_told_at = $1 WHERE record = $2 AND done IS NOT NULL AND sender_told_at IS NULL",
        )
        .bind(told_at.micros())
        .bind(bytes(record.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let added = journal::add(&mut tx, log, pending, None).await?;
        tx.commit().await.map_err(failed())?;
        Ok(Some(journal::after_commit(added)))
    }
}

pub(super) async fn insert_formal(
    tx: &mut Transaction<'static, Any>,
    rows: &[FormalRow],
) -> Result<(), StoreError> {
    let head = "INSERT INTO formal_message (record, received_at, due_at) VALUES";
    insert_all(tx, head, 3, "ON CONFLICT (record) DO NOTHING", rows, |query, row| {
        query.bind(bytes(row.record.uuid())).bind(row.received_at.micros()).bind(row.due_at.micros())
    })
    .await
}

pub(super) async fn set_found(
    tx: &mut Transaction<'static, Any>,
    record: RecordId,
    found: &FormalFound,
) -> Result<(), StoreError> {
    match found {
        FormalFound::Yes(received_at, due_at) => {
            let row = FormalRow { record, received_at: *received_at, due_at: *due_at };
            insert_formal(tx, &[row]).await
        }
        FormalFound::No => {
            sqlx::query("DELETE FROM formal_message WHERE record = $1 AND done IS NULL")
                .bind(bytes(record.uuid()))
                .execute(&mut **tx)
                .await
                .map_err(StoreError::database("answering a step"))?;
            Ok(())
        }
    }
}

fn message_of(row: &AnyRow, now: Timestamp) -> Result<FormalMessage, StoreError> {
    let done = row.text_or_null("done")?;
    let (due_at, told) = (row.time("due_at")?, row.time_or_null("sender_told_at")?);
    let overdue = match done.as_deref() {
        None => due_at <= now,
        Some("forwarded") => told.is_none(),
        Some(_) => false,
    };
    Ok(FormalMessage {
        record: RecordId::from_uuid(row.id("record")?),
        channel: row.term("channel")?,
        kind: row.term("kind")?,
        received_at: row.time("received_at")?,
        due_at,
        state: done.unwrap_or_else(|| "waiting".to_owned()),
        system: row.text_or_null("system")?,
        forwarded_to: row.text_or_null("forwarded_to")?,
        handled_by: row.id_or_null("actor")?.map(ActorId::from_uuid),
        handled_at: row.time_or_null("done_at")?,
        sender_told_at: told,
        overdue,
    })
}
