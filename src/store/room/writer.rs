//! The vault's side: projections and grants go down, in one transaction each time.

use super::reader::pseudonyms_in;
use super::{
    Draw, PublishedConversation, PublishedGrant, PublishedProjection, PublishedReader, PublishedSelection,
    ReadingGrant, grant_of,
};
use crate::model::{
    ChannelId, ConversationId, GrantId, OrganisationId, ProjectionId, RevocationDigest, SubjectRef, Timestamp,
};
use crate::redact::{Projection, searchable};
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use crate::store::{Database, StoreError};
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Projections of one conversation: all that stand, or those that a grant covers.
type Covered<'p> = (ConversationId, Vec<&'p PublishedProjection>);

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

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.db
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
                let covers = |conversation: ConversationId, p: &PublishedProjection| {
                    let selects = |of: &PublishedSelection| of.covers(conversation, &p.day, &p.words);
                    p.organisation == *organisation
                        && grant.channels.contains(&p.channel)
                        && grant.selection.as_ref().is_none_or(selects)
                };
                let covered: Vec<Covered<'_>> = standing
                    .iter()
                    .map(|(conversation, of)| {
                        let of = of.iter().copied().filter(|p| covers(*conversation, p));
                        (*conversation, of.collect())
                    })
                    .collect();
                if grant.selection.is_some() {
                    unname_uncovered(&mut tx, grant.id, &standing, &covered).await?;
                }
                name_for_grant(&mut tx, grant.id, &covered, draw).await?;
            }
        }
        Effect::RoomConversations
            .of(tx.commit())
            .await
            .map_err(StoreError::database("publishing conversations"))
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
        Effect::RoomGrant.of(tx.commit()).await.map_err(StoreError::database("publishing a grant"))
    }

    /// Withdraws projections: what is not there is no error. Returns how many were there.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn withdraw(&self, gone: &[ProjectionId]) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let withdrawn = withdraw_all(&mut tx, gone).await?;
        Effect::RoomWithdrawal
            .of(tx.commit())
            .await
            .map_err(StoreError::database("withdrawing projections"))?;
        Ok(withdrawn)
    }

    /// Leaves nothing of what was withdrawn in the database's own log.
    ///
    /// # Errors
    /// When it is being read: try again.
    pub async fn empty_log(&self) -> Result<(), StoreError> {
        self.db.empty_log().await
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
        Effect::RoomRevocation.of(tx.commit()).await.map_err(StoreError::database("revoking a grant"))
    }

    /// Has the reading room refuse what is looked up by this digest, or no longer. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn refuse_identity(&self, digest: &RevocationDigest, refused: bool) -> Result<(), StoreError> {
        let statement = match refused {
            true => "INSERT INTO revoked (digest) VALUES ($1) ON CONFLICT (digest) DO NOTHING",
            false => "DELETE FROM revoked WHERE digest = $1",
        };
        let done = sqlx::query(statement).bind(digest.to_vec()).execute(self.db.write());
        Effect::RoomIdentityRevoked
            .of(done)
            .await
            .map_err(StoreError::database("publishing a revocation"))?;
        Ok(())
    }

    /// Has the reading room refuse what is looked up by these digests, and nothing else.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn refuse_exactly(&self, digests: &[RevocationDigest]) -> Result<(), StoreError> {
        let failed = "publishing revocations";
        let mut tx = self.db.begin().await?;
        sqlx::query("DELETE FROM revoked").execute(&mut *tx).await.map_err(StoreError::database(failed))?;
        insert_all(&mut tx, "INSERT INTO revoked (digest) VALUES", 1, "", digests, |query, digest| {
            query.bind(digest.to_vec())
        })
        .await?;
        Effect::RoomIdentityRevoked.of(tx.commit()).await.map_err(StoreError::database(failed))
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
    withdraw_all(tx, &gone).await.map(drop)
}

async fn withdraw_all(tx: &mut Transaction<'static, Any>, gone: &[ProjectionId]) -> Result<u64, StoreError> {
    for from in ["DELETE FROM grant_record WHERE projection", "DELETE FROM term WHERE projection"] {
        delete_all(tx, from, gone).await?;
    }
    delete_all(tx, "DELETE FROM projection WHERE id", gone).await
}

/// `from` is `DELETE FROM table WHERE column`.
async fn delete_all(
    tx: &mut Transaction<'static, Any>,
    from: &'static str,
    ids: &[ProjectionId],
) -> Result<u64, StoreError> {
    let mut deleted = 0;
    for chunk in ids.chunks(LISTED_MAX) {
        let sql = AssertSqlSafe(format!("{from} IN ({})", list(1, chunk.len())));
        let mut query = sqlx::query(sql).persistent(chunk.len() == LISTED_MAX);
        for id in chunk {
            query = query.bind(bytes(id.uuid()));
        }
        let done = query.execute(&mut **tx).await.map_err(StoreError::database("withdrawing projections"))?;
        deleted += done.rows_affected();
    }
    Ok(deleted)
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
    let asked = PublishedReader {
        reader: grant.reader,
        issuer: grant.issuer.clone(),
        subject: grant.subject.clone(),
    };
    let selection = match &grant.selection {
        Some(selection) => {
            serde_json::to_string(selection).map_err(|_| StoreError::Corrupt { what: "selection" })?
        }
        None => String::new(),
    };
    for reader in [&asked].into_iter().chain(&grant.team) {
        insert_reader(tx, reader).await?;
    }
    let channels: Vec<&str> = grant.channels.iter().map(ChannelId::as_str).collect();
    sqlx::query(
        "INSERT INTO reading_grant (id, reader, organisation, channels, plan, until_at, revoked, selection) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(bytes(grant.id.uuid()))
    .bind(bytes(grant.reader.uuid()))
    .bind(grant.organisation.to_string())
    .bind(channels.join(" "))
    .bind(grant.plan.clone())
    .bind(grant.until.micros())
    .bind(selection)
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("publishing a grant"))?;
    for reader in [&asked].into_iter().chain(&grant.team) {
        sqlx::query(
            "INSERT INTO grant_reader (reading_grant, reader) VALUES ($1, $2) ON CONFLICT (reading_grant, reader) \
             DO NOTHING",
        )
        .bind(bytes(grant.id.uuid()))
        .bind(bytes(reader.reader.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("publishing a reader"))?;
    }
    let row = sqlx::query("SELECT revoked FROM reading_grant WHERE id = $1")
        .bind(bytes(grant.id.uuid()))
        .fetch_one(&mut **tx)
        .await
        .map_err(StoreError::database("publishing a grant"))?;
    Ok(row.number("revoked")? == 0)
}

async fn insert_reader(
    tx: &mut Transaction<'static, Any>,
    reader: &PublishedReader,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO reader (id, issuer, subject) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
        .bind(bytes(reader.reader.uuid()))
        .bind(reader.issuer.clone())
        .bind(reader.subject.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("publishing a reader"))?;
    Ok(())
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
            let conversation = ConversationId::from_uuid(row.id("conversation")?);
            let read = read_document(&document)?;
            let day = row.text("day")?;
            let words = searchable(&read);
            if grant.selection.as_ref().is_some_and(|of| !of.covers(conversation, &day, &words)) {
                continue;
            }
            let projection = PublishedProjection {
                id: ProjectionId::from_uuid(row.id("id")?),
                organisation: grant.organisation.clone(),
                channel: channel.clone(),
                day,
                position: u32::try_from(row.number("position")?).unwrap_or(u32::MAX),
                subjects: read.subjects(),
                document,
                words,
            };
            found.entry(conversation).or_default().push(projection);
        }
    }
    Ok(found)
}

fn read_document(document: &str) -> Result<Projection, StoreError> {
    serde_json::from_str(document).map_err(|_| StoreError::Corrupt { what: "projection" })
}

/// Takes back a grant's names for what its selection does not cover any more: an edit may have taken a word away.
async fn unname_uncovered(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    standing: &[Covered<'_>],
    covered: &[Covered<'_>],
) -> Result<(), StoreError> {
    let stay: HashSet<ProjectionId> = covered.iter().flat_map(|(_, of)| of).map(|p| p.id).collect();
    let gone = standing.iter().flat_map(|(_, of)| of).map(|p| p.id).filter(|id| !stay.contains(id));
    for projection in gone {
        sqlx::query("DELETE FROM grant_record WHERE reading_grant = $1 AND projection = $2")
            .bind(bytes(grant.uuid()))
            .bind(bytes(projection.uuid()))
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("naming records for a grant"))?;
    }
    Ok(())
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
        let (names, fresh) = subject_names(tx, grant, *conversation, projections, draw).await?;
        for projection in projections {
            let named = names_of(projection, &names);
            records.push((drawn_id(draw)?, *conversation, reference.clone(), *projection, named));
        }
        subjects.extend(fresh.into_iter().map(|(subject, name)| (*conversation, subject, name)));
    }
    let head = "INSERT INTO grant_record (reference, reading_grant, projection, conversation, \
                conversation_reference, day, position, names) VALUES";
    let tail = "ON CONFLICT (reading_grant, projection) DO UPDATE SET conversation = excluded.conversation, \
                conversation_reference = excluded.conversation_reference, day = excluded.day, \
                position = excluded.position, names = excluded.names";
    insert_all(tx, head, 8, tail, &records, |query, (name, conversation, reference, p, names)| {
        query
            .bind(name.clone())
            .bind(bytes(grant.uuid()))
            .bind(bytes(p.id.uuid()))
            .bind(bytes(conversation.uuid()))
            .bind(reference.clone())
            .bind(p.day.clone())
            .bind(i64::from(p.position))
            .bind(names.clone())
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

type SubjectNames = HashMap<SubjectRef, String>;

/// The pseudonyms of everyone in a conversation, and of them those that are drawn now, because they had none in the grant.
async fn subject_names(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    conversation: ConversationId,
    covered: &[&PublishedProjection],
    draw: Draw<'_>,
) -> Result<(SubjectNames, Vec<(SubjectRef, String)>), StoreError> {
    let subjects: BTreeSet<SubjectRef> = covered.iter().flat_map(|p| p.subjects.iter().copied()).collect();
    let mut names = pseudonyms_in(&mut **tx, grant, conversation).await?;
    let mut used: BTreeSet<String> = names.values().cloned().collect();
    let mut fresh = Vec::new();
    for subject in subjects {
        if names.contains_key(&subject) {
            continue;
        }
        let pseudonym = loop {
            let candidate = drawn_pseudonym(drawn(draw)?);
            if used.insert(candidate.clone()) {
                break candidate;
            }
        };
        fresh.push((subject, pseudonym.clone()));
        names.insert(subject, pseudonym);
    }
    Ok((names, fresh))
}

/// The pseudonyms of the persons that a projection refers to, as they are stored with its record.
fn names_of(projection: &PublishedProjection, names: &SubjectNames) -> String {
    let subjects: BTreeSet<SubjectRef> = projection.subjects.iter().copied().collect();
    let named = subjects
        .iter()
        .filter_map(|subject| names.get(subject).map(|name| format!("{}:{name}", subject.number())));
    named.collect::<Vec<_>>().join(" ")
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
