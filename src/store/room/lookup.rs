//! Look-ups of concurrent requests, joined: whoever waits when one begins is answered by it, as with a group commit.
//!
//! Whether someone is revoked, who reads and which grants they hold change seldom and are asked at every request. They are
//! kept in memory under the number of the *standing*, which the database gives anew whenever any of them changes. Each
//! look-up reads that number after it was asked for: what it answers held at some moment between question and answer.
//! Decisions are not kept, nor is anything of a record.

use super::reader::{RECORD_COLUMNS, record_of};
use super::{Holder, RoomRecord, Visitor, grant_of};
use crate::model::{ActorId, GrantId, RecordRef, RevocationDigest};
use crate::store::rows::{RowValues, bytes, list};
use crate::store::{Database, StoreError};
use sqlx::any::AnyRow;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AssertSqlSafe};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What one request asks.
enum Asked {
    /// Whether any of these is revoked.
    Revoked(Vec<RevocationDigest>, Answer<bool>),
    /// Who someone is, what they hold, and what stands under a name.
    Visitor(Person, Option<RecordRef>, Answer<Option<Found>>),
}

/// An issuer and its subject.
type Person = (String, String);

/// Who someone is with their grants, and the row under the name that was asked for, whosever it is.
type Found = (Arc<Holder>, Option<Arc<AnyRow>>);

/// The way to the task that looks up. Cloning shares it; the task ends with the last of them, or when the database is closed.
#[derive(Clone)]
pub(super) struct Lookups {
    queue: mpsc::Sender<Asked>,
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookups(..)")
    }
}

const QUEUE: usize = 4_096;
/// Questions answered by one look-up.
const GROUP_MOST: usize = 128;
/// People whose grants are kept in memory.
const PEOPLE_MAX: usize = 10_000;

impl Lookups {
    /// Starts the task. Must be called inside a runtime, on which it then lives.
    pub(super) fn start(db: Database) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(answer_groups(db, waiting));
        Self { queue }
    }

    /// Whether any of these is revoked now.
    ///
    /// # Errors
    /// When the database fails: then nobody may be let in.
    pub(super) async fn is_revoked(&self, digests: &[RevocationDigest]) -> Result<bool, StoreError> {
        if digests.is_empty() {
            return Ok(false);
        }
        let (done, wait) = oneshot::channel();
        self.ask(Asked::Revoked(digests.to_vec(), done), wait).await
    }

    /// See [`Room::visitor`](super::Room::visitor).
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn visitor(
        &self,
        issuer: &str,
        subject: &str,
        reference: Option<RecordRef>,
    ) -> Result<Option<Visitor>, StoreError> {
        let (done, wait) = oneshot::channel();
        let person = (issuer.to_owned(), subject.to_owned());
        let Some((holder, row)) = self.ask(Asked::Visitor(person, reference, done), wait).await? else {
            return Ok(None);
        };
        let record = match row {
            Some(row) => record_under(&holder, &row)?,
            None => None,
        };
        Ok(Some(Visitor { holder, record }))
    }

    async fn ask<T>(
        &self,
        asked: Asked,
        wait: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let gone = || StoreError::Busy("the reading room's database is closed".to_owned());
        self.queue.send(asked).await.map_err(|_| gone())?;
        wait.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// The record of a row, when one of these grants names it; nothing of it is read before.
fn record_under(holder: &Holder, row: &AnyRow) -> Result<Option<(GrantId, RoomRecord)>, StoreError> {
    let grant = GrantId::from_uuid(row.id("reading_grant")?);
    if holder.grants.iter().any(|held| held.id == grant) {
        return Ok(Some((grant, record_of(row)?)));
    }
    Ok(None)
}

async fn answer_groups(db: Database, mut waiting: mpsc::Receiver<Asked>) {
    let mut desk = Desk { db: db.clone(), connection: None, standing: None };
    let mut closed = db.read().close_event();
    let mut group = Vec::with_capacity(GROUP_MOST);
    loop {
        tokio::select! {
            () = &mut closed => return,
            count = waiting.recv_many(&mut group, GROUP_MOST) => if count == 0 { return },
        }
        desk.answer(std::mem::take(&mut group)).await;
    }
}

/// Where look-ups are made: one connection that is kept, and what holds under the number of the standing.
struct Desk {
    db: Database,
    connection: Option<PoolConnection<Any>>,
    standing: Option<Standing>,
}

/// What changes seldom, as it was when the standing had this number, or later.
struct Standing {
    number: i64,
    revoked: HashSet<RevocationDigest>,
    /// `None` for who is not known.
    people: HashMap<Person, Option<Arc<Holder>>>,
}

impl Desk {
    async fn answer(&mut self, group: Vec<Asked>) {
        let references: HashSet<RecordRef> = group.iter().filter_map(Asked::reference).collect();
        let references: Vec<RecordRef> = references.into_iter().collect();
        let mut looked = self.look(&group, &references).await;
        if looked.is_err() {
            // A connection that a server dropped is found out by using it.
            looked = self.look(&group, &references).await;
        }
        match looked {
            Ok(rows) => {
                let rows: HashMap<_, _> = rows.into_iter().collect();
                group.into_iter().for_each(|asked| self.tell(asked, &rows));
            }
            Err(error) => {
                let error = Arc::new(error);
                group.into_iter().for_each(|asked| asked.refuse(StoreError::Group(Arc::clone(&error))));
            }
        }
    }

    /// Brings the standing up to date for a group; gives the rows under the references.
    async fn look(
        &mut self,
        group: &[Asked],
        references: &[RecordRef],
    ) -> Result<Vec<(RecordRef, Arc<AnyRow>)>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.db.read().acquire().await.map_err(StoreError::database("opening a connection"))?,
        };
        let (number, rows) = records(&mut connection, references).await?;
        let known = self.standing.take().filter(|standing| standing.number == number);
        let mut standing = match known {
            Some(standing) if standing.people.len() < PEOPLE_MAX => standing,
            _ => Standing::read(&mut connection, number).await?,
        };
        for person in group.iter().filter_map(Asked::person) {
            if !standing.people.contains_key(person) {
                let holder = read_holder(&mut connection, person).await?;
                standing.people.insert(person.clone(), holder.map(Arc::new));
            }
        }
        self.standing = Some(standing);
        // One that failed is not used again: it is dropped on the way.
        self.connection = Some(connection);
        Ok(rows)
    }

    /// Nobody may wait any more: that is no fault.
    fn tell(&self, asked: Asked, rows: &HashMap<RecordRef, Arc<AnyRow>>) {
        let Some(standing) = &self.standing else { return };
        match asked {
            Asked::Revoked(digests, answer) => {
                let _gone = answer.send(Ok(digests.iter().any(|digest| standing.revoked.contains(digest))));
            }
            Asked::Visitor(person, reference, answer) => {
                let holder = standing.people.get(&person).cloned().flatten();
                let row = reference.and_then(|reference| rows.get(&reference).cloned());
                let _gone = answer.send(Ok(holder.map(|holder| (holder, row))));
            }
        }
    }
}

impl Asked {
    fn reference(&self) -> Option<RecordRef> {
        match self {
            Self::Visitor(_, reference, _) => *reference,
            Self::Revoked(..) => None,
        }
    }

    fn person(&self) -> Option<&Person> {
        match self {
            Self::Visitor(person, ..) => Some(person),
            Self::Revoked(..) => None,
        }
    }

    fn refuse(self, error: StoreError) {
        match self {
            Self::Revoked(_, answer) => drop(answer.send(Err(error))),
            Self::Visitor(_, _, answer) => drop(answer.send(Err(error))),
        }
    }
}

impl Standing {
    async fn read(connection: &mut PoolConnection<Any>, number: i64) -> Result<Self, StoreError> {
        let rows = sqlx::query("SELECT digest FROM revoked")
            .fetch_all(&mut **connection)
            .await
            .map_err(StoreError::database("reading revocations"))?;
        let digest = |row: &AnyRow| {
            let digest = row.blob("digest")?;
            digest.try_into().map_err(|_| StoreError::Corrupt { what: "digest of a revocation" })
        };
        let revoked = rows.iter().map(digest).collect::<Result<_, _>>()?;
        Ok(Self { number, revoked, people: HashMap::new() })
    }
}

/// Who someone is and what they hold; `None` when no grant was ever made to them.
async fn read_holder(
    connection: &mut PoolConnection<Any>,
    (issuer, subject): &Person,
) -> Result<Option<Holder>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.id AS reader, w.id, w.organisation, w.channels, w.plan, w.until_at, w.revoked, w.selection, w.form, \
         w.wanting \
         FROM reader r LEFT JOIN (grant_reader t JOIN reading_grant w ON w.id = t.reading_grant) \
         ON t.reader = r.id WHERE r.issuer = $1 AND r.subject = $2 ORDER BY w.until_at, w.id",
    )
    .bind(issuer.clone())
    .bind(subject.clone())
    .fetch_all(&mut **connection)
    .await
    .map_err(StoreError::database("reading a reader"))?;
    let Some(first) = rows.first() else { return Ok(None) };
    let reader = ActorId::from_uuid(first.id("reader")?);
    let mut grants = Vec::new();
    for row in &rows {
        if row.blob_or_null("id")?.is_some() {
            grants.push(Arc::new(grant_of(row)?));
        }
    }
    Ok(Some(Holder { reader, grants }))
}

/// The number of the standing, and the rows under these references, in one statement.
async fn records(
    connection: &mut PoolConnection<Any>,
    references: &[RecordRef],
) -> Result<(i64, Vec<(RecordRef, Arc<AnyRow>)>), StoreError> {
    let failed = "reading records";
    let rows = match references.last() {
        None => sqlx::query("SELECT number AS standing FROM standing").fetch_all(&mut **connection).await,
        Some(last) => {
            // Filled up to a power of two, so that few statements are prepared.
            let slots = references.len().next_power_of_two();
            let mut query = sqlx::query(AssertSqlSafe(format!(
                "SELECT s.number AS standing, g.reading_grant, {RECORD_COLUMNS} FROM standing s \
                 LEFT JOIN grant_record g ON g.reference IN ({}) \
                 LEFT JOIN projection p ON p.number = g.projection LEFT JOIN frame f ON f.number = p.frame \
                 LEFT JOIN grant_value v ON v.projection = g.projection AND v.reading_grant = g.reading_grant",
                list(1, slots)
            )));
            for reference in references.iter().chain(std::iter::repeat_n(last, slots - references.len())) {
                query = query.bind(bytes(reference.uuid()));
            }
            query.fetch_all(&mut **connection).await
        }
    };
    let rows = rows.map_err(StoreError::database(failed))?;
    let first = rows.first().ok_or(StoreError::Corrupt { what: "standing" })?;
    let number = first.number("standing")?;
    let mut found = Vec::with_capacity(rows.len());
    if !references.is_empty() {
        for row in rows {
            // A name whose projection is gone names nothing.
            if let (Some(reference), Some(_)) = (row.id_or_null("reference")?, row.id_or_null("projection")?)
            {
                found.push((RecordRef::from_uuid(reference), Arc::new(row)));
            }
        }
    }
    Ok((number, found))
}
