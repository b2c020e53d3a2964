//! Requests to open originals: each change stands with its entry in the ledger or not at all.

use super::effect::Effect;
use super::group_commit::Beside;
use super::journal::{Journal, SealedBody};
use super::rows::{RowValues, bytes, insert_all};
use super::{Database, StoreError};
use crate::ledger::{EntryId, Origin, Pending, Recorded};
use crate::model::{
    ActorId, DisclosureId, GrantId, ItemDigest, LegalBasisCode, OpeningScope, OrganisationId, RecordId, Role,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpeningState {
    /// For a second person.
    Waiting,
    /// Originals may be opened until its time.
    Open,
    /// The second person refused.
    Refused,
    /// Ended before its time.
    Revoked,
}

impl OpeningState {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
        }
    }
}

impl std::str::FromStr for OpeningState {
    type Err = StoreError;
    fn from_str(word: &str) -> Result<Self, StoreError> {
        [Self::Waiting, Self::Open, Self::Refused, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(StoreError::Corrupt { what: "state of a request" })
    }
}

/// A request to open originals, as stored.
#[derive(Debug, Clone)]
pub struct OpeningRow {
    /// Its id.
    pub id: GrantId,
    /// Whose records.
    pub organisation: OrganisationId,
    /// Who asked.
    pub requester: ActorId,
    /// Under which legal basis.
    pub basis: LegalBasisCode,
    /// What it reaches.
    pub scope: OpeningScope,
    /// Whether it opens at once.
    pub break_glass: bool,
    /// The keyed digest of all that was asked.
    pub digest: ItemDigest,
    /// The entry with case, motivation and recipient.
    pub entry: EntryId,
    /// How it stands.
    pub state: OpeningState,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The first moment at which it no longer holds.
    pub until: Timestamp,
    /// The second person.
    pub decided: Option<DecidedBy>,
    /// When it was refused or revoked.
    pub ended_at: Option<Timestamp>,
    /// Until when an opening at once must be justified.
    pub justify_until: Option<Timestamp>,
    /// When it was.
    pub justified_at: Option<Timestamp>,
    /// The entry with the justification.
    pub justification: Option<EntryId>,
    /// Searches under it.
    pub searches: u32,
}

/// Who decided on a request, in which role, for whom they stood in, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedBy {
    /// Who.
    pub actor: ActorId,
    /// In which role.
    pub role: Role,
    /// Whose stand-in.
    pub stands_in_for: Option<ActorId>,
    /// When.
    pub at: Timestamp,
}

/// A record that a request reaches, and how its openings under it ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReachedRecord {
    /// Which record.
    pub record: RecordId,
    /// How often it was announced.
    pub intended: u64,
    /// How often it was handed over.
    pub handed_over: u64,
}

/// Which requests to list.
#[derive(Debug, Default, Clone)]
pub struct OpeningSelection {
    /// Only in this state.
    pub state: Option<OpeningState>,
    /// Older than this one.
    pub after: Option<(Timestamp, GrantId)>,
    /// How many at the most.
    pub most: u32,
}

impl Journal {
    /// Writes a request with its records, its entry and the alarm that it raises, together.
    ///
    /// # Errors
    /// When the database fails; there is then no request.
    pub async fn ask_opening(
        &self,
        log: &Origin,
        row: OpeningRow,
        records: Vec<RecordId>,
        alarm: Option<uuid::Uuid>,
        pending: Pending,
        body: SealedBody,
    ) -> Result<Recorded, StoreError> {
        let beside: Beside = Box::new(move |tx| Box::pin(insert(tx, row.clone(), records.clone(), alarm)));
        self.record_beside(log, pending, Some(body), Some(beside), Effect::EntryRecorded).await
    }

    /// Approves (`OpeningState::Open`) or refuses a request that waits and has not expired.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when it no longer waits; else when the database fails.
    pub async fn decide_opening(
        &self,
        log: &Origin,
        id: GrantId,
        state: OpeningState,
        by: DecidedBy,
        pending: Pending,
        body: Option<SealedBody>,
    ) -> Result<Recorded, StoreError> {
        let beside: Beside = Box::new(move |tx| Box::pin(decide(tx, id, state, by.clone())));
        self.record_beside(log, pending, body, Some(beside), Effect::EntryRecorded).await
    }

    /// Ends a request at once.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when it had ended; else when the database fails.
    pub async fn revoke_opening(
        &self,
        log: &Origin,
        id: GrantId,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let statement = "UPDATE opening SET state = 'revoked', ended_at = $1 WHERE id = $2 AND state IN ('waiting', 'open')";
        let beside: Beside = Box::new(move |tx| {
            Box::pin(async move {
                let done = sqlx::query(statement).bind(now.micros()).bind(bytes(id.uuid()));
                one(done.execute(&mut **tx).await)
            })
        });
        self.record_beside(log, pending, None, Some(beside), Effect::EntryRecorded).await
    }

    /// Keeps why something was opened at once.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when it was justified before, or need not be; else when the database fails.
    pub async fn justify_opening(
        &self,
        log: &Origin,
        id: GrantId,
        pending: Pending,
        body: SealedBody,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let entry = pending.entry().id();
        let statement = "UPDATE opening SET justified_at = $1, justification = $2 \
                         WHERE id = $3 AND justify_until IS NOT NULL AND justified_at IS NULL";
        let beside: Beside = Box::new(move |tx| {
            Box::pin(async move {
                let done = sqlx::query(statement)
                    .bind(now.micros())
                    .bind(bytes(entry.uuid()))
                    .bind(bytes(id.uuid()));
                one(done.execute(&mut **tx).await)
            })
        });
        self.record_beside(log, pending, Some(body), Some(beside), Effect::EntryRecorded).await
    }

    /// Records that a search is about to run under a request, and counts it.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when `most` have run; else when the database fails: the search must then not run.
    pub async fn intend_find(
        &self,
        log: &Origin,
        id: GrantId,
        most: u32,
        pending: Pending,
        body: SealedBody,
    ) -> Result<Recorded, StoreError> {
        let statement =
            "UPDATE opening SET searches = searches + 1 WHERE id = $1 AND state = 'open' AND searches < $2";
        let beside: Beside = Box::new(move |tx| {
            Box::pin(async move {
                let done = sqlx::query(statement).bind(bytes(id.uuid())).bind(i64::from(most));
                one(done.execute(&mut **tx).await)
            })
        });
        self.record_beside(log, pending, Some(body), Some(beside), Effect::EntryRecorded).await
    }
}

/// Exactly one row was changed; else it is no longer as the caller saw it.
pub(super) fn one(done: Result<sqlx::any::AnyQueryResult, sqlx::Error>) -> Result<(), StoreError> {
    let done = done.map_err(StoreError::database("changing a request"))?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Moved) }
}

async fn insert(
    tx: &mut Transaction<'static, Any>,
    row: OpeningRow,
    records: Vec<RecordId>,
    alarm: Option<uuid::Uuid>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO opening (id, organisation, requester, legal_basis, scope, break_glass, digest, entry, state, \
         asked_at, until_at, justify_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(bytes(row.id.uuid()))
    .bind(row.organisation.to_string())
    .bind(bytes(row.requester.uuid()))
    .bind(row.basis.to_string())
    .bind(row.scope.as_str())
    .bind(i64::from(row.break_glass))
    .bind(row.digest.as_bytes().to_vec())
    .bind(bytes(row.entry.uuid()))
    .bind(row.state.as_str())
    .bind(row.asked_at.micros())
    .bind(row.until.micros())
    .bind(row.justify_until.map(Timestamp::micros))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("adding a request"))?;
    let placed: Vec<(i64, RecordId)> = (0..).zip(records).collect();
    let head = "INSERT INTO opening_record (opening, place, record) VALUES";
    insert_all(tx, head, 3, "", &placed, |query, (place, record)| {
        query.bind(bytes(row.id.uuid())).bind(*place).bind(bytes(record.uuid()))
    })
    .await?;
    let Some(alarm) = alarm else { return Ok(()) };
    super::alarms::raise(
        tx,
        alarm,
        &row.organisation,
        row.id.uuid(),
        super::alarms::BREAK_GLASS,
        row.asked_at,
    )
    .await
}

async fn decide(
    tx: &mut Transaction<'static, Any>,
    id: GrantId,
    state: OpeningState,
    by: DecidedBy,
) -> Result<(), StoreError> {
    let ended = (state != OpeningState::Open).then(|| by.at.micros());
    let done = sqlx::query(
        "UPDATE opening SET state = $1, decided_by = $2, decided_role = $3, stands_in_for = $4, decided_at = $5, \
         ended_at = $6 WHERE id = $7 AND state = 'waiting' AND until_at > $5",
    )
    .bind(state.as_str())
    .bind(bytes(by.actor.uuid()))
    .bind(by.role.as_str())
    .bind(by.stands_in_for.map(|actor| bytes(actor.uuid())))
    .bind(by.at.micros())
    .bind(ended)
    .bind(bytes(id.uuid()));
    one(done.execute(&mut **tx).await)
}

/// The requests to open originals of one vault, for reading. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Openings {
    db: Database,
}

impl Openings {
    /// Those of an opened vault database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    /// One request; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn opening(&self, id: GrantId) -> Result<Option<OpeningRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM opening WHERE id = $1")
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a request"))?;
        row.as_ref().map(opening_of).transpose()
    }

    /// Requests of one organisation, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn openings(
        &self,
        organisation: &OrganisationId,
        asked: &OpeningSelection,
    ) -> Result<Vec<OpeningRow>, StoreError> {
        let state = asked.state.map_or("<> $2", |_| "= $2");
        let (before, id) =
            asked.after.map_or((i64::MAX, vec![0xff; 16]), |(at, id)| (at.micros(), bytes(id.uuid())));
        let sql = format!(
            "SELECT * FROM opening WHERE organisation = $1 AND state {state} \
             AND (asked_at < $3 OR (asked_at = $3 AND id < $4)) ORDER BY asked_at DESC, id DESC LIMIT $5"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(organisation.to_string())
            .bind(asked.state.map_or("", OpeningState::as_str))
            .bind(before)
            .bind(id)
            .bind(i64::from(asked.most))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing requests"))?;
        rows.iter().map(opening_of).collect()
    }

    /// The records that a request reaches, in the order of asking.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reached(&self, id: GrantId) -> Result<Vec<ReachedRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT r.record, \
             (SELECT COUNT(*) FROM disclosure d WHERE d.opening = r.opening AND d.record = r.record) AS intended, \
             (SELECT COUNT(*) FROM disclosure d WHERE d.opening = r.opening AND d.record = r.record \
              AND d.outcome = 'served') AS served FROM opening_record r WHERE r.opening = $1 ORDER BY r.place",
        )
        .bind(bytes(id.uuid()))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading what a request reaches"))?;
        let number = |row: &AnyRow, column| row.number(column).map(|n| u64::try_from(n).unwrap_or_default());
        rows.iter()
            .map(|row| {
                Ok(ReachedRecord {
                    record: RecordId::from_uuid(row.id("record")?),
                    intended: number(row, "intended")?,
                    handed_over: number(row, "served")?,
                })
            })
            .collect()
    }

    /// Whether the processing of a record is restricted; of a file: that of anything it is attached to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn restricted(&self, record: RecordId) -> Result<bool, StoreError> {
        let row =
            sqlx::query(
                "SELECT (SELECT COUNT(*) FROM restriction WHERE record = $1 AND lifted_at IS NULL) + (SELECT COUNT(*) \
                 FROM record_row f JOIN file_name n ON n.file = f.number JOIN attached a ON a.name = n.name \
                 JOIN record_row r ON r.number = a.record JOIN restriction x ON x.record = r.id \
                 WHERE f.id = $1 AND x.lifted_at IS NULL) AS n",
            )
            .bind(bytes(record.uuid()))
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("looking for a restriction"))?;
        Ok(row.number("n")? > 0)
    }

    /// The request of a disclosure, if it was under one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn opening_of_disclosure(&self, id: DisclosureId) -> Result<Option<GrantId>, StoreError> {
        let row = sqlx::query("SELECT opening FROM disclosure WHERE id = $1")
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a disclosure"))?;
        Ok(row.map(|row| row.id_or_null("opening")).transpose()?.flatten().map(GrantId::from_uuid))
    }

    /// Requests that opened at once and were not justified, oldest first; of one organisation or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unjustified(
        &self,
        organisation: Option<&OrganisationId>,
        now: Timestamp,
    ) -> Result<Vec<OpeningRow>, StoreError> {
        let of = if organisation.is_some() { "= $1" } else { "<> $1" };
        let sql = format!(
            "SELECT * FROM opening WHERE organisation {of} AND justify_until IS NOT NULL AND justified_at IS NULL \
             AND asked_at <= $2 ORDER BY asked_at, id LIMIT 1000"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(organisation.map_or("", OrganisationId::as_str).to_owned())
            .bind(now.micros())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing openings at once"))?;
        rows.iter().map(opening_of).collect()
    }

    /// The database beneath.
    pub(super) const fn database(&self) -> &Database {
        &self.db
    }
}

pub(super) fn opening_of(row: &AnyRow) -> Result<OpeningRow, StoreError> {
    let decided = match (row.id_or_null("decided_by")?, row.time_or_null("decided_at")?) {
        (Some(actor), Some(at)) => Some(DecidedBy {
            actor: ActorId::from_uuid(actor),
            role: row.term("decided_role")?,
            stands_in_for: row.id_or_null("stands_in_for")?.map(ActorId::from_uuid),
            at,
        }),
        _ => None,
    };
    Ok(OpeningRow {
        id: GrantId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        requester: ActorId::from_uuid(row.id("requester")?),
        basis: row.term("legal_basis")?,
        scope: row.term("scope")?,
        break_glass: row.number("break_glass")? == 1,
        digest: row.digest("digest")?,
        entry: EntryId::from_uuid(row.id("entry")?),
        state: row.text("state")?.parse()?,
        asked_at: row.time("asked_at")?,
        until: row.time("until_at")?,
        decided,
        ended_at: row.time_or_null("ended_at")?,
        justify_until: row.time_or_null("justify_until")?,
        justified_at: row.time_or_null("justified_at")?,
        justification: row.id_or_null("justification")?.map(EntryId::from_uuid),
        searches: u32::try_from(row.number("searches")?).unwrap_or(u32::MAX),
    })
}
