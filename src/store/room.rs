//! The reading room's database: written by the vault, read by the reading room.
//!
//! [`RoomWriter`] takes projections and grants down; [`Room`] looks them up for a grant. Neither sees a key.

use super::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use super::{Database, StoreError};
use crate::model::{
    ActorId, ChannelId, ConversationId, GrantId, OrganisationId, ProjectionId, RecordRef, SubjectRef,
    Timestamp,
};
use crate::redact::Projection;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The projections of one conversation: they take the place of what was published of it, at once.
#[derive(Debug, Serialize, Deserialize)]
pub struct PublishedConversation {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Its projections in the order of posting; empty withdraws the conversation.
    pub projections: Vec<PublishedProjection>,
}

/// One projection on its way down.
#[derive(Debug, Serialize, Deserialize)]
pub struct PublishedProjection {
    /// Its id.
    pub id: ProjectionId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Of which channel.
    pub channel: ChannelId,
    /// The day of posting, empty when not stated.
    pub day: String,
    /// Its place in the conversation.
    pub position: u32,
    /// The redacted document (JSON).
    pub document: String,
    /// Normalised words of its text.
    pub words: Vec<String>,
    /// The persons it refers to.
    pub subjects: Vec<SubjectRef>,
}

/// A grant on its way down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublishedGrant {
    /// Its id.
    pub id: GrantId,
    /// Who may read.
    pub reader: ActorId,
    /// Issuer of the reader's tokens.
    pub issuer: String,
    /// Subject of the reader's tokens.
    pub subject: String,
    /// Whose records.
    pub organisation: OrganisationId,
    /// Which channels.
    pub channels: Vec<ChannelId>,
    /// How views are rendered.
    pub plan: String,
    /// Until when.
    pub until: Timestamp,
}

/// A grant as the reading room knows it.
#[derive(Debug, Clone)]
pub struct ReadingGrant {
    /// Its id.
    pub id: GrantId,
    /// Whose records.
    pub organisation: OrganisationId,
    /// Which channels.
    pub channels: Vec<ChannelId>,
    /// How views are rendered.
    pub plan: String,
    /// Until when.
    pub until: Timestamp,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A projection as one grant names it.
#[derive(Debug)]
pub struct RoomRecord {
    /// The grant's own name for it.
    pub reference: RecordRef,
    /// The grant's own name for its conversation.
    pub conversation_reference: RecordRef,
    /// The projection.
    pub projection: ProjectionId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The redacted document (JSON).
    pub document: String,
}

/// A reader with their grants.
#[derive(Debug)]
pub struct Visitor {
    /// Who reads.
    pub reader: ActorId,
    /// Each grant, newest last, with the record that was asked for where the grant names one so.
    pub grants: Vec<(ReadingGrant, Option<RoomRecord>)>,
}

/// What a search asks.
#[derive(Debug, Default, Clone)]
pub struct Query {
    /// Normalised words, all of which must stand in the text.
    pub words: Vec<String>,
    /// Only this channel.
    pub channel: Option<ChannelId>,
    /// Not before this day.
    pub from_day: Option<String>,
    /// Not after this day.
    pub until_day: Option<String>,
}

/// Draws random bytes for references and pseudonyms; the caller brings the source. `None` when it fails: then
/// nothing is published.
pub type Draw<'a> = &'a (dyn Fn() -> Option<u128> + Sync);

/// Projections of one conversation: all that stand, or those that a grant covers.
type Covered<'p> = (ConversationId, Vec<&'p PublishedProjection>);

/// Persons looked up one by one; a conversation's are all read when it is about more.
const SUBJECTS_AT_ONCE: usize = 20;

/// Conversations named at once when a grant is published: rows wait in memory.
const CONVERSATIONS_AT_ONCE: usize = 64;

/// The vault's side: takes things down.
#[derive(Debug, Clone)]
pub struct RoomWriter {
    db: Database,
}

impl RoomWriter {
    /// A writer over an opened reading-room database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    /// Puts the projections of a conversation in the place of what was published of it, in one transaction,
    /// and names the new ones for every grant in force that covers them. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn conversation(
        &self,
        published: &PublishedConversation,
        now: Timestamp,
        draw: Draw<'_>,
    ) -> Result<(), StoreError> {
        self.conversations(std::slice::from_ref(published), now, draw).await
    }

    /// The same for several conversations, together in one transaction. Of a conversation that stands twice the
    /// later counts.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn conversations(
        &self,
        published: &[PublishedConversation],
        now: Timestamp,
        draw: Draw<'_>,
    ) -> Result<(), StoreError> {
        let standing = standing(published);
        let mut tx = self.db.begin().await?;
        withdraw_missing(&mut tx, &standing).await?;
        upsert_projections(&mut tx, &standing).await?;
        let organisations: BTreeSet<&OrganisationId> =
            standing.iter().flat_map(|(_, projections)| projections).map(|p| &p.organisation).collect();
        for organisation in organisations {
            for grant in grants_in_force(&mut tx, organisation, now).await? {
                let covers = |p: &&PublishedProjection| {
                    p.organisation == *organisation && grant.channels.contains(&p.channel)
                };
                let covered: Vec<Covered<'_>> = standing
                    .iter()
                    .map(|(conversation, of)| (*conversation, of.iter().copied().filter(covers).collect()))
                    .collect();
                name_for_grant(&mut tx, grant.id, &covered, draw).await?;
            }
        }
        tx.commit().await.map_err(StoreError::database("publishing conversations"))
    }

    /// Publishes a grant: the reader, and the grant's own names for everything it covers. One that was revoked
    /// gets none.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn grant(&self, grant: &PublishedGrant, draw: Draw<'_>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        if !insert_grant(&mut tx, grant).await? {
            return Ok(());
        }
        let found = covered_by(&mut tx, grant).await?;
        let covered: Vec<Covered<'_>> =
            found.iter().map(|(conversation, of)| (*conversation, of.iter().collect())).collect();
        for some in covered.chunks(CONVERSATIONS_AT_ONCE) {
            name_for_grant(&mut tx, grant.id, some, draw).await?;
        }
        tx.commit().await.map_err(StoreError::database("publishing a grant"))
    }

    /// Revokes a grant: its names and pseudonyms go with it.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn revoke(&self, grant: GrantId) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for statement in [
            "UPDATE reading_grant SET revoked = 1 WHERE id = $1",
            "DELETE FROM grant_record WHERE reading_grant = $1",
            "DELETE FROM grant_subject WHERE reading_grant = $1",
        ] {
            sqlx::query(statement)
                .bind(bytes(grant.uuid()))
                .execute(&mut *tx)
                .await
                .map_err(StoreError::database("revoking a grant"))?;
        }
        tx.commit().await.map_err(StoreError::database("revoking a grant"))
    }

    /// The redacted document of a projection, if it is published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn document(&self, projection: ProjectionId) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT document FROM projection WHERE id = $1")
            .bind(bytes(projection.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a projection"))?;
        row.map(|row| row.text("document")).transpose()
    }

    /// How many projections are published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM projection")
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("counting projections"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or_default())
    }
}

/// What stands after all of `published`, in its order: of a conversation the last that was said of it, and each
/// projection once, in the last conversation that holds it (conversations turn out to be one).
fn standing(published: &[PublishedConversation]) -> Vec<Covered<'_>> {
    let last: HashMap<ConversationId, usize> =
        published.iter().enumerate().map(|(place, one)| (one.conversation, place)).collect();
    let said: Vec<&PublishedConversation> = published
        .iter()
        .enumerate()
        .filter(|(place, one)| last.get(&one.conversation) == Some(place))
        .map(|(_, one)| one)
        .collect();
    let place: HashMap<ProjectionId, ConversationId> =
        said.iter().flat_map(|one| one.projections.iter().map(|p| (p.id, one.conversation))).collect();
    let here =
        |one: &PublishedConversation, p: &PublishedProjection| place.get(&p.id) == Some(&one.conversation);
    said.into_iter()
        .map(|one| (one.conversation, one.projections.iter().filter(|p| here(one, p)).collect()))
        .collect()
}

async fn withdraw_missing(
    tx: &mut Transaction<'static, Any>,
    standing: &[Covered<'_>],
) -> Result<(), StoreError> {
    let stay: HashSet<ProjectionId> = standing.iter().flat_map(|(_, of)| of).map(|p| p.id).collect();
    let mut gone = Vec::new();
    for (conversation, _) in standing {
        let rows = sqlx::query("SELECT id FROM projection WHERE conversation = $1")
            .bind(bytes(conversation.uuid()))
            .fetch_all(&mut **tx)
            .await
            .map_err(StoreError::database("reading a conversation"))?;
        for row in rows {
            let id = ProjectionId::from_uuid(row.id("id")?);
            if !stay.contains(&id) {
                gone.push(id);
            }
        }
    }
    for from in [
        "DELETE FROM grant_record WHERE projection",
        "DELETE FROM term WHERE projection",
        "DELETE FROM projection WHERE id",
    ] {
        delete_all(tx, from, &gone).await?;
    }
    Ok(())
}

/// `from` is `DELETE FROM table WHERE column`.
async fn delete_all(
    tx: &mut Transaction<'static, Any>,
    from: &'static str,
    ids: &[ProjectionId],
) -> Result<(), StoreError> {
    for chunk in ids.chunks(LISTED_MAX) {
        let sql = AssertSqlSafe(format!("{from} IN ({})", list(1, chunk.len())));
        let mut query = sqlx::query(sql).persistent(chunk.len() == LISTED_MAX);
        for id in chunk {
            query = query.bind(bytes(id.uuid()));
        }
        query.execute(&mut **tx).await.map_err(StoreError::database("withdrawing projections"))?;
    }
    Ok(())
}

async fn upsert_projections(
    tx: &mut Transaction<'static, Any>,
    standing: &[Covered<'_>],
) -> Result<(), StoreError> {
    let rows: Vec<(ConversationId, &PublishedProjection)> =
        standing.iter().flat_map(|(conversation, of)| of.iter().map(|p| (*conversation, *p))).collect();
    let ids: Vec<ProjectionId> = rows.iter().map(|(_, projection)| projection.id).collect();
    delete_all(tx, "DELETE FROM term WHERE projection", &ids).await?;
    let head =
        "INSERT INTO projection (id, conversation, organisation, channel, day, position, document) VALUES";
    let tail = "ON CONFLICT (id) DO UPDATE SET conversation = excluded.conversation, day = excluded.day, \
                position = excluded.position, document = excluded.document";
    insert_all(tx, head, 7, tail, &rows, |query, (conversation, p)| {
        query
            .bind(bytes(p.id.uuid()))
            .bind(bytes(conversation.uuid()))
            .bind(p.organisation.to_string())
            .bind(p.channel.to_string())
            .bind(p.day.clone())
            .bind(i64::from(p.position))
            .bind(p.document.clone())
    })
    .await?;
    // In the order of the index, so that what is written together stands together.
    let terms: BTreeSet<(&str, ProjectionId)> =
        rows.iter().flat_map(|(_, p)| p.words.iter().map(|word| (word.as_str(), p.id))).collect();
    let terms: Vec<(&str, ProjectionId)> = terms.into_iter().collect();
    insert_all(tx, "INSERT INTO term (word, projection) VALUES", 2, "", &terms, |query, (word, id)| {
        query.bind((*word).to_owned()).bind(bytes(id.uuid()))
    })
    .await
}

async fn grants_in_force(
    tx: &mut Transaction<'static, Any>,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Vec<ReadingGrant>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM reading_grant WHERE organisation = $1 AND revoked = 0 AND until_at > $2 ORDER BY id",
    )
    .bind(organisation.to_string())
    .bind(now.micros())
    .fetch_all(&mut **tx)
    .await
    .map_err(StoreError::database("reading grants"))?;
    rows.iter().map(grant_of).collect()
}

/// Writes a grant unless it is there; `false` when it was revoked.
async fn insert_grant(
    tx: &mut Transaction<'static, Any>,
    grant: &PublishedGrant,
) -> Result<bool, StoreError> {
    sqlx::query("INSERT INTO reader (id, issuer, subject) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
        .bind(bytes(grant.reader.uuid()))
        .bind(grant.issuer.clone())
        .bind(grant.subject.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("publishing a reader"))?;
    let channels: Vec<&str> = grant.channels.iter().map(ChannelId::as_str).collect();
    sqlx::query(
        "INSERT INTO reading_grant (id, reader, organisation, channels, plan, until_at, revoked) \
         VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (id) DO NOTHING",
    )
    .bind(bytes(grant.id.uuid()))
    .bind(bytes(grant.reader.uuid()))
    .bind(grant.organisation.to_string())
    .bind(channels.join(" "))
    .bind(grant.plan.clone())
    .bind(grant.until.micros())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("publishing a grant"))?;
    let row = sqlx::query("SELECT revoked FROM reading_grant WHERE id = $1")
        .bind(bytes(grant.id.uuid()))
        .fetch_one(&mut **tx)
        .await
        .map_err(StoreError::database("publishing a grant"))?;
    Ok(row.number("revoked")? == 0)
}

async fn covered_by(
    tx: &mut Transaction<'static, Any>,
    grant: &PublishedGrant,
) -> Result<BTreeMap<ConversationId, Vec<PublishedProjection>>, StoreError> {
    // In the order of ids, so that the same seed draws the same names.
    let mut found: BTreeMap<ConversationId, Vec<PublishedProjection>> = BTreeMap::new();
    for channel in &grant.channels {
        let rows =
            sqlx::query("SELECT * FROM projection WHERE organisation = $1 AND channel = $2 ORDER BY id")
                .bind(grant.organisation.to_string())
                .bind(channel.to_string())
                .fetch_all(&mut **tx)
                .await
                .map_err(StoreError::database("reading projections"))?;
        for row in rows {
            let document = row.text("document")?;
            let projection = PublishedProjection {
                id: ProjectionId::from_uuid(row.id("id")?),
                organisation: grant.organisation.clone(),
                channel: channel.clone(),
                day: row.text("day")?,
                position: u32::try_from(row.number("position")?).unwrap_or(u32::MAX),
                subjects: subjects_in(&document)?,
                document,
                words: Vec::new(),
            };
            let conversation = ConversationId::from_uuid(row.id("conversation")?);
            found.entry(conversation).or_default().push(projection);
        }
    }
    Ok(found)
}

/// The persons that a stored document refers to.
fn subjects_in(document: &str) -> Result<Vec<SubjectRef>, StoreError> {
    let projection: Projection =
        serde_json::from_str(document).map_err(|_| StoreError::Corrupt { what: "projection" })?;
    Ok(projection.subjects())
}

/// Gives the projections of some conversations their names in a grant; those that have one keep it.
async fn name_for_grant(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    covered: &[Covered<'_>],
    draw: Draw<'_>,
) -> Result<(), StoreError> {
    let (mut records, mut subjects) = (Vec::new(), Vec::new());
    for (conversation, projections) in covered.iter().filter(|(_, projections)| !projections.is_empty()) {
        let reference = conversation_reference(tx, grant, *conversation, draw).await?;
        for projection in projections {
            records.push((drawn_id(draw)?, *conversation, reference.clone(), *projection));
        }
        subjects.extend(new_subjects(tx, grant, *conversation, projections, draw).await?);
    }
    let head = "INSERT INTO grant_record (reference, reading_grant, projection, conversation, \
                conversation_reference, day, position) VALUES";
    let tail = "ON CONFLICT (reading_grant, projection) DO UPDATE SET conversation = excluded.conversation, \
                conversation_reference = excluded.conversation_reference, day = excluded.day, \
                position = excluded.position";
    insert_all(tx, head, 7, tail, &records, |query, (name, conversation, reference, p)| {
        query
            .bind(name.clone())
            .bind(bytes(grant.uuid()))
            .bind(bytes(p.id.uuid()))
            .bind(bytes(conversation.uuid()))
            .bind(reference.clone())
            .bind(p.day.clone())
            .bind(i64::from(p.position))
    })
    .await?;
    let head = "INSERT INTO grant_subject (reading_grant, conversation, subject, pseudonym) VALUES";
    insert_all(tx, head, 4, "", &subjects, |query, (conversation, subject, pseudonym)| {
        query
            .bind(bytes(grant.uuid()))
            .bind(bytes(conversation.uuid()))
            .bind(i64::from(subject.number()))
            .bind(pseudonym.clone())
    })
    .await
}

async fn conversation_reference(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    conversation: ConversationId,
    draw: Draw<'_>,
) -> Result<Vec<u8>, StoreError> {
    let row = sqlx::query(
        "SELECT conversation_reference FROM grant_record WHERE reading_grant = $1 AND conversation = $2 LIMIT 1",
    )
    .bind(bytes(grant.uuid()))
    .bind(bytes(conversation.uuid()))
    .fetch_optional(&mut **tx)
    .await
    .map_err(StoreError::database("reading a grant"))?;
    row.map_or_else(|| drawn_id(draw), |row| row.blob("conversation_reference"))
}

/// Pseudonyms, drawn now, for those persons of a conversation who have none in the grant.
async fn new_subjects(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    conversation: ConversationId,
    covered: &[&PublishedProjection],
    draw: Draw<'_>,
) -> Result<Vec<(ConversationId, SubjectRef, String)>, StoreError> {
    let subjects: BTreeSet<SubjectRef> = covered.iter().flat_map(|p| p.subjects.iter().copied()).collect();
    let taken = pseudonyms_in(&mut **tx, grant, conversation).await?;
    let mut used: BTreeSet<String> = taken.values().cloned().collect();
    let mut fresh = Vec::new();
    for subject in subjects.into_iter().filter(|subject| !taken.contains_key(subject)) {
        let pseudonym = loop {
            let candidate = drawn_pseudonym(drawn(draw)?);
            if used.insert(candidate.clone()) {
                break candidate;
            }
        };
        fresh.push((conversation, subject, pseudonym));
    }
    Ok(fresh)
}

fn drawn(draw: Draw<'_>) -> Result<u128, StoreError> {
    draw().ok_or_else(|| StoreError::Busy("the random source failed".to_owned()))
}

fn drawn_id(draw: Draw<'_>) -> Result<Vec<u8>, StoreError> {
    Ok(bytes(uuid::Builder::from_random_bytes(drawn(draw)?.to_be_bytes()).into_uuid()))
}

/// Six characters that are not mistaken for each other: thirty bits of the draw.
fn drawn_pseudonym(drawn: u128) -> String {
    const LETTERS: [char; 32] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'V',
        'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7', '8', '9',
    ];
    (0..6).filter_map(|n| LETTERS.get(((drawn >> (5 * n)) & 31) as usize)).collect()
}

/// The reading room's side: looks up, for one grant at a time.
#[derive(Debug, Clone)]
pub struct Room {
    db: Database,
}

const RECORD_COLUMNS: &str =
    "g.reference, g.conversation_reference, g.projection, g.conversation, p.document";

const VISITOR: &str = "SELECT r.id AS reader, w.id, w.organisation, w.channels, w.plan, w.until_at, w.revoked \
    FROM reader r LEFT JOIN reading_grant w ON w.reader = r.id WHERE r.issuer = $1 AND r.subject = $2 \
    ORDER BY w.until_at, w.id";

const VISITOR_AND_RECORD: &str = "SELECT r.id AS reader, w.id, w.organisation, w.channels, w.plan, w.until_at, \
    w.revoked, g.reference, g.conversation_reference, g.projection, g.conversation, p.document FROM reader r \
    LEFT JOIN reading_grant w ON w.reader = r.id \
    LEFT JOIN (grant_record g JOIN projection p ON p.id = g.projection) \
    ON g.reference = $3 AND g.reading_grant = w.id \
    WHERE r.issuer = $1 AND r.subject = $2 ORDER BY w.until_at, w.id";

impl Room {
    /// A reader over an opened reading-room database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
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
        let rows = sqlx::query("SELECT * FROM reading_grant WHERE reader = $1 ORDER BY until_at, id")
            .bind(bytes(reader.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading grants"))?;
        rows.iter().map(grant_of).collect()
    }

    /// The reader behind an issuer's subject with their grants, in force or not, newest last, and what each grant
    /// knows under the name `reference`; `None` when no grant was ever made to them. One look-up for a request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn visitor(
        &self,
        issuer: &str,
        subject: &str,
        reference: Option<RecordRef>,
    ) -> Result<Option<Visitor>, StoreError> {
        let sql = if reference.is_some() { VISITOR_AND_RECORD } else { VISITOR };
        let mut query = sqlx::query(sql).bind(issuer.to_owned()).bind(subject.to_owned());
        if let Some(reference) = reference {
            query = query.bind(bytes(reference.uuid()));
        }
        let rows = query.fetch_all(self.db.read()).await.map_err(StoreError::database("reading a reader"))?;
        let Some(first) = rows.first() else { return Ok(None) };
        let mut visitor = Visitor { reader: ActorId::from_uuid(first.id("reader")?), grants: Vec::new() };
        for row in rows {
            if row.blob_or_null("id")?.is_none() {
                continue;
            }
            let named = reference.is_some() && row.blob_or_null("reference")?.is_some();
            let record = if named { Some(record_of(&row)?) } else { None };
            visitor.grants.push((grant_of(&row)?, record));
        }
        Ok(Some(visitor))
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
            "SELECT {RECORD_COLUMNS} FROM grant_record g JOIN projection p ON p.id = g.projection \
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
            "SELECT {RECORD_COLUMNS} FROM grant_record g JOIN projection p ON p.id = g.projection \
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

    /// Records of a grant that answer `query`, by day, conversation and place in it, after the record `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        grant: GrantId,
        query: &Query,
        after: Option<RecordRef>,
        most: u32,
    ) -> Result<Vec<RoomRecord>, StoreError> {
        let mut sql = Conditions::new(grant, query);
        if let Some(after) = after {
            sql.after(after);
        }
        let limit = sql.next(Value::Number(i64::from(most)));
        let text = format!(
            "SELECT {RECORD_COLUMNS} FROM grant_record g JOIN projection p ON p.id = g.projection WHERE {} \
             ORDER BY g.day, g.conversation_reference, g.position, g.reference LIMIT {limit}",
            sql.text()
        );
        let rows = sql
            .bind(sqlx::query(AssertSqlSafe(text)))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("searching"))?;
        rows.iter().map(record_of).collect()
    }

    /// How many records of a grant answer `query`: exact, so not for a reader's eyes as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, grant: GrantId, query: &Query) -> Result<u64, StoreError> {
        let sql = Conditions::new(grant, query);
        let text = format!(
            "SELECT COUNT(*) AS n FROM grant_record g JOIN projection p ON p.id = g.projection WHERE {}",
            sql.text()
        );
        let row = sql
            .bind(sqlx::query(AssertSqlSafe(text)))
            .fetch_one(self.db.read())
            .await
            .map_err(StoreError::database("counting"))?;
        Ok(u64::try_from(row.number("n")?).unwrap_or_default())
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

async fn pseudonyms_in<'e>(
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
    rows.iter()
        .map(|row| {
            let number =
                u32::try_from(row.number("subject")?).map_err(|_| StoreError::Corrupt { what: "subject" })?;
            Ok((SubjectRef::from_u32(number), row.text("pseudonym")?))
        })
        .collect()
}

/// A `WHERE` of fixed clauses with numbered parameters: words of people are only ever bound.
struct Conditions {
    clauses: Vec<String>,
    values: Vec<Value>,
}

enum Value {
    Bytes(Vec<u8>),
    Text(String),
    Number(i64),
}

impl Conditions {
    fn new(grant: GrantId, query: &Query) -> Self {
        let mut made = Self { clauses: Vec::new(), values: Vec::new() };
        made.push("g.reading_grant = ", Value::Bytes(bytes(grant.uuid())), "");
        for word in &query.words {
            made.push(
                "g.projection IN (SELECT projection FROM term WHERE word = ",
                Value::Text(word.clone()),
                ")",
            );
        }
        if let Some(channel) = &query.channel {
            made.push("p.channel = ", Value::Text(channel.to_string()), "");
        }
        if let Some(day) = &query.from_day {
            made.push("g.day >= ", Value::Text(day.clone()), "");
        }
        if let Some(day) = &query.until_day {
            made.push("g.day <> '' AND g.day <= ", Value::Text(day.clone()), "");
        }
        made
    }

    fn after(&mut self, reference: RecordRef) {
        let n = self.next(Value::Bytes(bytes(reference.uuid())));
        self.clauses.push(format!(
            "(g.day, g.conversation_reference, g.position, g.reference) > (SELECT a.day, \
             a.conversation_reference, a.position, a.reference FROM grant_record a WHERE a.reference = {n} \
             AND a.reading_grant = $1)"
        ));
    }

    fn next(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn push(&mut self, before: &str, value: Value, behind: &str) {
        let n = self.next(value);
        self.clauses.push(format!("{before}{n}{behind}"));
    }

    fn text(&self) -> String {
        self.clauses.join(" AND ")
    }

    fn bind(
        self,
        mut query: sqlx::query::Query<'static, Any, sqlx::any::AnyArguments>,
    ) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
        for value in self.values {
            query = match value {
                Value::Bytes(v) => query.bind(v),
                Value::Text(v) => query.bind(v),
                Value::Number(v) => query.bind(v),
            };
        }
        query
    }
}

fn record_of(row: &AnyRow) -> Result<RoomRecord, StoreError> {
    Ok(RoomRecord {
        reference: RecordRef::from_uuid(row.id("reference")?),
        conversation_reference: RecordRef::from_uuid(row.id("conversation_reference")?),
        projection: ProjectionId::from_uuid(row.id("projection")?),
        conversation: ConversationId::from_uuid(row.id("conversation")?),
        document: row.text("document")?,
    })
}

fn grant_of(row: &AnyRow) -> Result<ReadingGrant, StoreError> {
    let channels: Result<Vec<ChannelId>, _> =
        row.text("channels")?.split_whitespace().map(str::parse).collect();
    Ok(ReadingGrant {
        id: GrantId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        channels: channels.map_err(|_| StoreError::Corrupt { what: "channels of a grant" })?,
        plan: row.text("plan")?,
        until: row.time("until_at")?,
        revoked: row.number("revoked")? != 0,
    })
}
