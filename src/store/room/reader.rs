//! The reading room's side: look-ups for one grant at a time. Words of people are only ever bound, never written
//! into a statement.

use super::document::Packed;
use super::lookup::Lookups;
use super::{ReadingGrant, RoomRecord, Visitor, grant_of};
use crate::model::{ActorId, ConversationId, GrantId, ProjectionId, RecordRef, RevocationDigest, SubjectRef};
use crate::store::rows::{RowValues, bytes, list};
use crate::store::{Database, StoreError};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe};
use std::collections::HashMap;

/// Persons looked up one by one; a conversation's are all read when it is about more.
const SUBJECTS_AT_ONCE: usize = 20;

/// The reading room's side: looks up, for one grant at a time.
#[derive(Debug, Clone)]
pub struct Room {
    pub(super) db: Database,
    lookups: Lookups,
}

pub(super) const RECORD_COLUMNS: &str = "g.reference, g.conversation_reference, p.id AS projection, p.conversation, \
    p.author, p.day, p.passages, f.content, g.names, v.content AS given";

/// What has the columns of a record.
pub(super) const RECORDS: &str = "grant_record g JOIN projection p ON p.number = g.projection \
    JOIN frame f ON f.number = p.frame \
    LEFT JOIN grant_value v ON v.projection = g.projection AND v.reading_grant = g.reading_grant";

impl Room {
    /// A reader over an opened reading-room database. Must be made inside a runtime: look-ups of concurrent requests are
    /// made together by a task that lives on it.
    #[must_use]
    pub fn new(db: Database) -> Self {
        let lookups = Lookups::start(db.clone());
        Self { db, lookups }
    }

    /// The database.
    pub(super) const fn database(&self) -> &Database {
        &self.db
    }

    /// The reader behind an issuer's subject; `None` when no grant was ever made to them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reader(&self, issuer: &str, subject: &str) -> Result<Option<ActorId>, StoreError> {
        let row = sqlx::query("SELECT id FROM reader WHERE issuer = $1 AND subject = $2")
            .bind(issuer.to_owned())
            .bind(subject.to_owned())
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a reader"))?;
        row.map(|row| Ok(ActorId::from_uuid(row.id("id")?))).transpose()
    }

    /// The grants of a reader, in force or not, newest last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants(&self, reader: ActorId) -> Result<Vec<ReadingGrant>, StoreError> {
        let rows = sqlx::query(
            "SELECT w.* FROM grant_reader t JOIN reading_grant w ON w.id = t.reading_grant WHERE t.reader = $1 \
             ORDER BY w.until_at, w.id",
        )
            .bind(bytes(reader.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading grants"))?;
        rows.iter().map(grant_of).collect()
    }

    /// The reader behind an issuer's subject with their grants, in force or not, and what one of these grants knows
    /// under the name `reference`; `None` when no grant was ever made to them. One look-up, shared with whoever asks
    /// at the same time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn visitor(
        &self,
        issuer: &str,
        subject: &str,
        reference: Option<RecordRef>,
    ) -> Result<Option<Visitor>, StoreError> {
        self.lookups.visitor(issuer, subject, reference).await
    }

    /// One record of a grant; `None` when the grant has none of that name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(
        &self,
        grant: GrantId,
        reference: RecordRef,
    ) -> Result<Option<RoomRecord>, StoreError> {
        let sql = format!(
            "SELECT {RECORD_COLUMNS} FROM {RECORDS} \
             WHERE g.reference = $1 AND g.reading_grant = $2"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(reference.uuid()))
            .bind(bytes(grant.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a record"))?;
        row.as_ref().map(record_of).transpose()
    }

    /// The records of a conversation in the order of posting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn conversation(
        &self,
        grant: GrantId,
        reference: RecordRef,
    ) -> Result<Vec<RoomRecord>, StoreError> {
        let sql = format!(
            "SELECT {RECORD_COLUMNS} FROM {RECORDS} \
             WHERE g.conversation_reference = $1 AND g.reading_grant = $2 ORDER BY g.position"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(bytes(reference.uuid()))
            .bind(bytes(grant.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading a conversation"))?;
        rows.iter().map(record_of).collect()
    }

    /// Whether any of these is revoked now.
    ///
    /// # Errors
    /// When the database fails: then nobody may be let in.
    pub async fn is_revoked(&self, digests: &[RevocationDigest]) -> Result<bool, StoreError> {
        self.lookups.is_revoked(digests).await
    }

    /// The pseudonyms of some persons of a conversation in a grant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pseudonyms_of(
        &self,
        grant: GrantId,
        conversation: ConversationId,
        subjects: &[SubjectRef],
    ) -> Result<HashMap<SubjectRef, String>, StoreError> {
        if subjects.is_empty() {
            return Ok(HashMap::new());
        }
        if subjects.len() > SUBJECTS_AT_ONCE {
            return self.pseudonyms(grant, conversation).await;
        }
        let sql = format!(
            "SELECT subject, pseudonym FROM grant_subject WHERE reading_grant = $1 AND conversation = $2 \
             AND subject IN ({})",
            list(3, subjects.len())
        );
        let mut query =
            sqlx::query(AssertSqlSafe(sql)).bind(bytes(grant.uuid())).bind(bytes(conversation.uuid()));
        for subject in subjects {
            query = query.bind(i64::from(subject.number()));
        }
        let rows =
            query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading pseudonyms"))?;
        pseudonyms_from(&rows)
    }

    /// The pseudonyms of a grant in one conversation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pseudonyms(
        &self,
        grant: GrantId,
        conversation: ConversationId,
    ) -> Result<HashMap<SubjectRef, String>, StoreError> {
        pseudonyms_in(self.db.read(), grant, conversation).await
    }
}

pub(super) async fn pseudonyms_in<'e>(
    executor: impl sqlx::Executor<'e, Database = Any>,
    grant: GrantId,
    conversation: ConversationId,
) -> Result<HashMap<SubjectRef, String>, StoreError> {
    let rows = sqlx::query(
        "SELECT subject, pseudonym FROM grant_subject WHERE reading_grant = $1 AND conversation = $2",
    )
    .bind(bytes(grant.uuid()))
    .bind(bytes(conversation.uuid()))
    .fetch_all(executor)
    .await
    .map_err(StoreError::database("reading pseudonyms"))?;
    pseudonyms_from(&rows)
}

fn pseudonyms_from(rows: &[AnyRow]) -> Result<HashMap<SubjectRef, String>, StoreError> {
    rows.iter().map(pseudonym_from).collect()
}

pub(super) fn pseudonym_from(row: &AnyRow) -> Result<(SubjectRef, String), StoreError> {
    let number =
        u32::try_from(row.number("subject")?).map_err(|_| StoreError::Corrupt { what: "subject" })?;
    Ok((SubjectRef::from_u32(number), row.text("pseudonym")?))
}

/// The pseudonyms as they are stored with a record; `None` for a form that is not known, and then they are looked up.
fn names_from(stored: &str) -> Option<HashMap<SubjectRef, String>> {
    let named = stored.split_whitespace().map(|pair| {
        let (subject, name) = pair.split_once(':')?;
        Some((SubjectRef::from_u32(subject.parse().ok()?), name.to_owned()))
    });
    named.collect()
}

pub(super) fn record_of(row: &AnyRow) -> Result<RoomRecord, StoreError> {
    Ok(RoomRecord {
        reference: RecordRef::from_uuid(row.id("reference")?),
        conversation_reference: RecordRef::from_uuid(row.id("conversation_reference")?),
        projection: ProjectionId::from_uuid(row.id("projection")?),
        conversation: ConversationId::from_uuid(row.id("conversation")?),
        names: row.text_or_null("names")?.as_deref().and_then(names_from),
        document: document_of(row)?,
        values: row.text_or_null("given")?,
    })
}

/// The document of a row with what it was taken apart into.
pub(super) fn document_of(row: &AnyRow) -> Result<String, StoreError> {
    let packed = Packed {
        frame: row.text("content")?,
        author: row.number_or_null("author")?,
        passages: row.text("passages")?,
    };
    packed.document(&row.text("day")?)
}
