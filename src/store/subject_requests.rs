//! Requests of persons concerned, and restrictions on records: each change stands with its entry or not at all.

use super::catalogue::{Catalogue, OutboxRow, insert_outbox, mark_stale};
use super::effect::Effect;
use super::group_commit::Beside;
use super::journal::{Journal, SealedBody};
use super::openings::one;
use super::rows::{RowValues, bytes, insert_all};
use super::{Database, StoreError};
use crate::ledger::{EntryId, Origin, Pending, Recorded};
use crate::model::{
    AccountProof, ActorId, ConversationId, ItemDigest, OrganisationId, ProjectionId, RecordId,
    SubjectOutcome, SubjectRequestId, SubjectRequestKind, Timestamp,
};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

/// A request of a person concerned, as stored. Who asks stands sealed with `entry`.
#[derive(Debug, Clone)]
pub struct SubjectRequestRow {
    /// Its id.
    pub id: SubjectRequestId,
    /// To which organisation.
    pub organisation: OrganisationId,
    /// What is asked.
    pub kind: SubjectRequestKind,
    /// The entry with who asks and what they said.
    pub entry: EntryId,
    /// Who registered it.
    pub registered_by: ActorId,
    /// When it came in.
    pub received_at: Timestamp,
    /// When it must be answered.
    pub due_at: Timestamp,
    /// When that was put off, if it was.
    pub extended_at: Option<Timestamp>,
    /// The keyed digest of the code that proves the account.
    pub challenge: ItemDigest,
    /// How it was made sure that the account is theirs.
    pub proof: Option<AccountProof>,
    /// When.
    pub proven_at: Option<Timestamp>,
    /// By whom: never by who registered it.
    pub proven_by: Option<ActorId>,
    /// When everything was found, last.
    pub searched_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<SubjectOutcome>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// A record that is about someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectRecord {
    /// Which.
    pub record: RecordId,
    /// Whether they wrote it; else it mentions them.
    pub author: bool,
}

/// A record to be restricted, or not any more.
#[derive(Debug, Clone, Copy)]
pub struct Restricted {
    /// Which.
    pub record: RecordId,
    /// Its thread.
    pub conversation: ConversationId,
    /// Its name in the reading room.
    pub projection: ProjectionId,
}

/// A change of a request.
#[derive(Debug, Clone, Copy)]
pub enum SubjectChange {
    /// The account is theirs.
    Proven {
        /// How that was made sure.
        proof: AccountProof,
        /// By whom.
        by: ActorId,
        /// For whom they stand in, if for anyone.
        stands_in_for: Option<ActorId>,
    },
    /// The answer is put off, once.
    Extended {
        /// Until when.
        until: Timestamp,
    },
    /// It is answered.
    Closed {
        /// How.
        outcome: SubjectOutcome,
    },
}

impl Journal {
    /// Writes a request with the accounts that it is about.
    ///
    /// # Errors
    /// When the database fails; there is then no request.
    pub async fn register_subject_request(
        &self,
        log: &Origin,
        row: SubjectRequestRow,
        accounts: Vec<ItemDigest>,
        pending: Pending,
        body: SealedBody,
    ) -> Result<Recorded, StoreError> {
        let beside: Beside = Box::new(move |tx| Box::pin(insert(tx, row.clone(), accounts.clone())));
        self.record_beside(log, pending, Some(body), Some(beside), Effect::EntryRecorded).await
    }

    /// Changes a request that is not closed.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when it is closed, or was changed so before; else when the database fails.
    pub async fn change_subject_request(
        &self,
        log: &Origin,
        id: SubjectRequestId,
        change: SubjectChange,
        pending: Pending,
        body: Option<SealedBody>,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let beside: Beside = Box::new(move |tx| Box::pin(changed(tx, id, change, now)));
        self.record_beside(log, pending, body, Some(beside), Effect::EntryRecorded).await
    }

    /// Keeps what was found of someone; what was found before stays.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the request is closed; else when the database fails.
    pub async fn found_of_subject(
        &self,
        log: &Origin,
        id: SubjectRequestId,
        records: Vec<SubjectRecord>,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let beside: Beside = Box::new(move |tx| Box::pin(found(tx, id, records.clone(), now)));
        self.record_beside(log, pending, None, Some(beside), Effect::EntryRecorded).await
    }

    /// Restricts records, or lifts that; withdraws their projections, and has their threads computed anew.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn restrict(
        &self,
        log: &Origin,
        id: SubjectRequestId,
        records: Vec<Restricted>,
        lift: bool,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let beside: Beside = Box::new(move |tx| Box::pin(restricted(tx, id, records.clone(), lift, now)));
        self.record_beside(log, pending, None, Some(beside), Effect::EntryRecorded).await
    }
}

async fn insert(
    tx: &mut Transaction<'static, Any>,
    row: SubjectRequestRow,
    accounts: Vec<ItemDigest>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO subject_request (id, organisation, kind, entry, registered_by, received_at, due_at, state, \
         challenge) VALUES ($1, $2, $3, $4, $5, $6, $7, 'registered', $8)",
    )
    .bind(bytes(row.id.uuid()))
    .bind(row.organisation.to_string())
    .bind(row.kind.as_str())
    .bind(bytes(row.entry.uuid()))
    .bind(bytes(row.registered_by.uuid()))
    .bind(row.received_at.micros())
    .bind(row.due_at.micros())
    .bind(row.challenge.as_bytes().to_vec())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("registering a request"))?;
    let head = "INSERT INTO subject_account (request, digest) VALUES";
    let tail = "ON CONFLICT (request, digest) DO NOTHING";
    insert_all(tx, head, 2, tail, &accounts, |query, digest| {
        query.bind(bytes(row.id.uuid())).bind(digest.as_bytes().to_vec())
    })
    .await
}

async fn changed(
    tx: &mut Transaction<'static, Any>,
    id: SubjectRequestId,
    change: SubjectChange,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = bytes(id.uuid());
    let done = match change {
        SubjectChange::Proven { proof, by, .. } => sqlx::query(
            "UPDATE subject_request SET state = 'proven', proof = $1, proven_at = $2, proven_by = $3 \
             WHERE id = $4 AND state = 'registered' AND registered_by <> $3",
        )
        .bind(proof.as_str())
        .bind(now.micros())
        .bind(bytes(by.uuid()))
        .bind(id),
        SubjectChange::Extended { until } => sqlx::query(
            "UPDATE subject_request SET due_at = $1, extended_at = $2 \
             WHERE id = $3 AND extended_at IS NULL AND closed_at IS NULL AND due_at > $2",
        )
        .bind(until.micros())
        .bind(now.micros())
        .bind(id),
        SubjectChange::Closed { outcome } => sqlx::query(
            "UPDATE subject_request SET state = 'closed', outcome = $1, closed_at = $2 \
             WHERE id = $3 AND closed_at IS NULL",
        )
        .bind(outcome.as_str())
        .bind(now.micros())
        .bind(id),
    };
    one(done.execute(&mut **tx).await)
}

async fn found(
    tx: &mut Transaction<'static, Any>,
    id: SubjectRequestId,
    records: Vec<SubjectRecord>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = "UPDATE subject_request SET searched_at = $1 WHERE id = $2 AND closed_at IS NULL";
    one(sqlx::query(statement).bind(now.micros()).bind(bytes(id.uuid())).execute(&mut **tx).await)?;
    let head = "INSERT INTO subject_record (request, record, role) VALUES";
    let tail = "ON CONFLICT (request, record) DO NOTHING";
    insert_all(tx, head, 3, tail, &records, |query, found| {
        let role = if found.author { "author" } else { "mentioned" };
        query.bind(bytes(id.uuid())).bind(bytes(found.record.uuid())).bind(role)
    })
    .await
}

async fn restricted(
    tx: &mut Transaction<'static, Any>,
    id: SubjectRequestId,
    records: Vec<Restricted>,
    lift: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    if lift {
        for one in &records {
            sqlx::query(
                "UPDATE restriction SET lifted_at = $1 WHERE request = $2 AND record = $3 AND lifted_at IS NULL",
            )
            .bind(now.micros())
            .bind(bytes(id.uuid()))
            .bind(bytes(one.record.uuid()))
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("lifting a restriction"))?;
        }
    } else {
        let head = "INSERT INTO restriction (record, request, placed_at) VALUES";
        let tail =
            "ON CONFLICT (record, request) DO UPDATE SET placed_at = excluded.placed_at, lifted_at = NULL";
        insert_all(tx, head, 3, tail, &records, |query, one| {
            query.bind(bytes(one.record.uuid())).bind(bytes(id.uuid())).bind(now.micros())
        })
        .await?;
        let gone: Vec<ProjectionId> = records.iter().map(|one| one.projection).collect();
        let payload = serde_json::to_string(&gone).unwrap_or_default();
        insert_outbox(tx, &[OutboxRow { kind: "withdrawal", payload }], now).await?;
    }
    let mut threads: Vec<ConversationId> = records.iter().map(|one| one.conversation).collect();
    threads.sort_unstable();
    threads.dedup();
    mark_stale(tx, &threads, now).await
}

/// The requests of persons concerned of one vault, for reading. Cloning shares them.
#[derive(Debug, Clone)]
pub struct SubjectRequests {
    db: Database,
}

impl SubjectRequests {
    /// Those of a vault's catalogue.
    #[must_use]
    pub fn of(catalogue: &Catalogue) -> Self {
        Self { db: catalogue.database().clone() }
    }

    /// One request; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request(&self, id: SubjectRequestId) -> Result<Option<SubjectRequestRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM subject_request WHERE id = $1")
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a request"))?;
        row.as_ref().map(request_of).transpose()
    }

    /// The requests to an organisation: those that are open by when they are due, then those that are closed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn requests(
        &self,
        organisation: &OrganisationId,
        most: u32,
    ) -> Result<Vec<SubjectRequestRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM subject_request WHERE organisation = $1 \
             ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END, due_at, id LIMIT $2",
        )
        .bind(organisation.to_string())
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("listing requests"))?;
        rows.iter().map(request_of).collect()
    }

    /// The accounts that a request is about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&self, id: SubjectRequestId) -> Result<Vec<ItemDigest>, StoreError> {
        let rows = sqlx::query("SELECT digest FROM subject_account WHERE request = $1 ORDER BY digest")
            .bind(bytes(id.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading accounts"))?;
        rows.iter().map(|row| row.digest("digest")).collect()
    }

    /// What was found of someone and still is there, in the order it came in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn records(&self, id: SubjectRequestId) -> Result<Vec<SubjectRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.record, s.role FROM subject_record s JOIN record r ON r.id = s.record \
             WHERE s.request = $1 AND r.destroyed_at IS NULL ORDER BY s.record",
        )
        .bind(bytes(id.uuid()))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading what was found"))?;
        rows.iter()
            .map(|row| {
                let author = row.text("role")? == "author";
                Ok(SubjectRecord { record: RecordId::from_uuid(row.id("record")?), author })
            })
            .collect()
    }

    /// How many records are restricted on this request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn restricted(&self, id: SubjectRequestId) -> Result<u64, StoreError> {
        let row =
            sqlx::query("SELECT COUNT(*) AS n FROM restriction WHERE request = $1 AND lifted_at IS NULL")
                .bind(bytes(id.uuid()))
                .fetch_one(self.db.read())
                .await
                .map_err(StoreError::database("counting restrictions"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or_default())
    }
}

fn request_of(row: &AnyRow) -> Result<SubjectRequestRow, StoreError> {
    let word = |column| row.text_or_null(column);
    let corrupt = || StoreError::Corrupt { what: "request of a person concerned" };
    Ok(SubjectRequestRow {
        id: SubjectRequestId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        kind: row.term("kind")?,
        entry: EntryId::from_uuid(row.id("entry")?),
        registered_by: ActorId::from_uuid(row.id("registered_by")?),
        received_at: row.time("received_at")?,
        due_at: row.time("due_at")?,
        extended_at: row.time_or_null("extended_at")?,
        challenge: row.digest("challenge")?,
        proof: word("proof")?.map(|word| word.parse().map_err(|_| corrupt())).transpose()?,
        proven_at: row.time_or_null("proven_at")?,
        proven_by: row.id_or_null("proven_by")?.map(ActorId::from_uuid),
        searched_at: row.time_or_null("searched_at")?,
        outcome: word("outcome")?.map(|word| word.parse().map_err(|_| corrupt())).transpose()?,
        closed_at: row.time_or_null("closed_at")?,
    })
}
