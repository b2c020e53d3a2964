//! The vault's side: projections go down and are withdrawn, in one transaction each time.

use super::citations::{count_anew, keep_names};
use super::document::Packed;
use super::grants::grants_in_force;
use super::index::{Changes, Key};
use super::names::{name_for_grant, unname_uncovered};
use super::packages::mark_changed;
use super::reader::document_of;
use super::{Draw, PublishedConversation, PublishedProjection, PublishedSelection};
use crate::model::{ChannelId, ConversationId, OrganisationId, ProjectionId, RevocationDigest, Timestamp};
use crate::redact::{Projection, searchable};
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list, next_number, whole_list};
use crate::store::{Database, StoreError};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Projections of one conversation: all that stand, or those that a grant covers.
pub(super) type Covered<'p> = (ConversationId, Vec<&'p PublishedProjection>);

/// The vault's side: takes things down.
#[derive(Debug, Clone)]
pub struct RoomWriter {
    pub(super) db: Database,
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
        let mut changes = Changes::default();
        let mut left = withdraw_missing(&mut tx, &standing, &mut changes, now).await?;
        left.extend(standing.iter().map(|(conversation, _)| *conversation));
        let Upserted { numbers, changed } = upsert_projections(&mut tx, &standing, &mut changes).await?;
        count_anew(&mut tx, &changed, now).await?;
        mark_changed(&mut tx, &changed).await?;
        let organisations: BTreeSet<&OrganisationId> =
            standing.iter().flat_map(|(_, projections)| projections).map(|p| &p.organisation).collect();
        for organisation in organisations {
            for grant in grants_in_force(&mut tx, organisation, now).await? {
                let covers = |conversation: ConversationId, p: &PublishedProjection| {
                    let selects = |of: &PublishedSelection| of.covers(conversation, &p.day, &p.words);
                    p.organisation == *organisation
                        && p.only_for.as_ref().is_none_or(|only| only.contains(&grant.id))
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
                if grant.needs_values {
                    super::exports::forget_values(&mut tx, grant.id, &numbers).await?;
                }
                let limited = |p: &&PublishedProjection| p.only_for.is_some();
                let any_limited = standing.iter().flat_map(|(_, of)| of.iter().copied()).any(|p| limited(&p));
                if grant.selection.is_some() || any_limited {
                    unname_uncovered(&mut tx, grant.id, &covered, &numbers, &mut changes, now).await?;
                }
                name_for_grant(&mut tx, grant.id, &covered, &numbers, draw).await?;
                for number in covered.iter().flat_map(|(_, of)| of).filter_map(|p| numbers.get(&p.id)) {
                    changes.add(Key::grant(grant.id), *number);
                }
            }
        }
        changes.write(&mut tx).await?;
        forget_unused(&mut tx, &left).await?;
        Effect::RoomConversations
            .of(tx.commit())
            .await
            .map_err(StoreError::database("publishing conversations"))
    }

    /// Withdraws projections: what is not there is no error. Returns how many were there.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn withdraw(&self, gone: &[ProjectionId], now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let mut changes = Changes::default();
        let there = numbers_of(&mut tx, gone).await?;
        let withdrawn = there.len() as u64;
        let left = withdraw_all(&mut tx, there.into_values().collect(), &mut changes, now).await?;
        changes.write(&mut tx).await?;
        forget_unused(&mut tx, &left).await?;
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

    /// The redacted document of a projection, if it is published for every grant that covers it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn document(&self, projection: ProjectionId) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(
            "SELECT p.author, p.day, p.passages, f.content FROM projection p JOIN frame f ON f.number = p.frame \
             WHERE p.id = $1 AND p.limited = 0",
        )
        .bind(bytes(projection.uuid()))
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("reading a projection"))?;
        row.as_ref().map(document_of).transpose()
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

/// Withdraws what stood in these conversations and does no longer; gives the conversations it stood in.
async fn withdraw_missing(
    tx: &mut Transaction<'static, Any>,
    standing: &[Covered<'_>],
    changes: &mut Changes,
    now: Timestamp,
) -> Result<BTreeSet<ConversationId>, StoreError> {
    let stay: HashSet<ProjectionId> = standing.iter().flat_map(|(_, of)| of).map(|p| p.id).collect();
    let mut gone = Vec::new();
    for some in standing.chunks(LISTED_MAX) {
        let listed = whole_list(tx, some.len());
        let sql = format!("SELECT id, number FROM projection WHERE conversation IN ({listed})");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(some.len() == LISTED_MAX);
        let query =
            some.iter().fold(query, |query, (conversation, _)| query.bind(bytes(conversation.uuid())));
        let rows =
            query.fetch_all(&mut **tx).await.map_err(StoreError::database("reading a conversation"))?;
        for row in rows {
            if !stay.contains(&ProjectionId::from_uuid(row.id("id")?)) {
                gone.push(row.number("number")?);
            }
        }
    }
    withdraw_all(tx, gone, changes, now).await
}

/// Withdraws projections by number; gives the conversations they stood in. The names that grants had for them are kept for
/// whoever cited them.
async fn withdraw_all(
    tx: &mut Transaction<'static, Any>,
    gone: Vec<i64>,
    changes: &mut Changes,
    now: Timestamp,
) -> Result<BTreeSet<ConversationId>, StoreError> {
    let mut left = BTreeSet::new();
    gone.iter().for_each(|number| changes.remove(*number));
    keep_names(tx, &gone, now).await?;
    mark_changed(tx, &gone).await?;
    for chunk in gone.chunks(LISTED_MAX) {
        for row in listed(tx, "SELECT DISTINCT conversation FROM projection WHERE number", chunk).await? {
            left.insert(ConversationId::from_uuid(row.id("conversation")?));
        }
        listed(tx, "DELETE FROM grant_record WHERE projection", chunk).await?;
        listed(tx, "DELETE FROM grant_value WHERE projection", chunk).await?;
        listed(tx, "DELETE FROM projection WHERE number", chunk).await?;
    }
    Ok(left)
}

/// Runs a statement that ends in `WHERE column` for these numbers.
async fn listed(
    tx: &mut Transaction<'static, Any>,
    head: &'static str,
    numbers: &[i64],
) -> Result<Vec<AnyRow>, StoreError> {
    let sql = AssertSqlSafe(format!("{head} IN ({})", list(1, numbers.len())));
    let mut query = sqlx::query(sql).persistent(numbers.len() == LISTED_MAX);
    for number in numbers {
        query = query.bind(*number);
    }
    query.fetch_all(&mut **tx).await.map_err(StoreError::database("withdrawing projections"))
}

/// The numbers of those of these projections that are there.
pub(super) async fn numbers_of(
    tx: &mut Transaction<'static, Any>,
    ids: &[ProjectionId],
) -> Result<HashMap<ProjectionId, i64>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(LISTED_MAX) {
        let sql = AssertSqlSafe(format!(
            "SELECT id, number FROM projection WHERE id IN ({})",
            list(1, chunk.len())
        ));
        let mut query = sqlx::query(sql).persistent(chunk.len() == LISTED_MAX);
        for id in chunk {
            query = query.bind(bytes(id.uuid()));
        }
        let rows =
            query.fetch_all(&mut **tx).await.map_err(StoreError::database("looking up projections"))?;
        for row in rows {
            found.insert(ProjectionId::from_uuid(row.id("id")?), row.number("number")?);
        }
    }
    Ok(found)
}

/// Forgets what no projection needs any more: frames, and the names of conversations of which a grant covers nothing.
async fn forget_unused(
    tx: &mut Transaction<'static, Any>,
    conversations: &BTreeSet<ConversationId>,
) -> Result<(), StoreError> {
    let failed = StoreError::database("withdrawing projections");
    sqlx::query(
        "DELETE FROM frame WHERE NOT EXISTS (SELECT 1 FROM projection p WHERE p.frame = frame.number)",
    )
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    let conversations: Vec<ConversationId> = conversations.iter().copied().collect();
    for chunk in conversations.chunks(LISTED_MAX) {
        let sql = format!(
            "DELETE FROM grant_conversation WHERE conversation IN ({}) AND NOT EXISTS (SELECT 1 FROM grant_record g \
             WHERE g.conversation_reference = grant_conversation.reference)",
            list(1, chunk.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
        for conversation in chunk {
            query = query.bind(bytes(conversation.uuid()));
        }
        query.execute(&mut **tx).await.map_err(StoreError::database("withdrawing projections"))?;
    }
    Ok(())
}

/// Projections that were written.
pub(super) struct Upserted {
    /// Their numbers.
    pub numbers: HashMap<ProjectionId, i64>,
    /// The numbers of those that were there and say something else now.
    pub changed: Vec<i64>,
}

/// Writes projections and gathers what they are found by.
pub(super) async fn upsert_projections(
    tx: &mut Transaction<'static, Any>,
    standing: &[Covered<'_>],
    changes: &mut Changes,
) -> Result<Upserted, StoreError> {
    let packed = |(conversation, p): (ConversationId, &'_ PublishedProjection)| {
        (conversation, Packed::of(&p.document, &p.day))
    };
    let of: Vec<(ConversationId, &PublishedProjection)> =
        standing.iter().flat_map(|(conversation, of)| of.iter().map(|p| (*conversation, *p))).collect();
    let ids: Vec<ProjectionId> = of.iter().map(|(_, projection)| projection.id).collect();
    let before = standing_as(tx, &ids).await?;
    let mut frames = Frames::default();
    let mut rows = Vec::with_capacity(of.len());
    for one in &of {
        let (conversation, packed) = packed(*one);
        rows.push((frames.number(tx, one.1, &packed.frame).await?, conversation, one.1, packed));
    }
    let mut changed = Vec::new();
    for (frame, _, p, packed) in &rows {
        let Some(as_is) = before.get(&p.id) else { continue };
        let same = as_is.frame == *frame
            && as_is.author == packed.author
            && as_is.day == p.day
            && as_is.passages == packed.passages;
        if !same {
            changed.push(as_is.number);
        }
        if !(same && found_by_its_words(p)) {
            changes.renew(as_is.number);
        }
    }
    let fresh = fresh_numbers(tx, ids.iter().filter(|id| !before.contains_key(id))).await?;
    let (number, columns) = if fresh.is_some() { ("number, ", 9) } else { ("", 8) };
    let head = format!(
        "INSERT INTO projection ({number}id, conversation, frame, author, day, position, passages, limited) VALUES"
    );
    let tail = "ON CONFLICT (id) DO UPDATE SET conversation = excluded.conversation, frame = excluded.frame, \
                author = excluded.author, day = excluded.day, position = excluded.position, \
                passages = excluded.passages, limited = excluded.limited";
    insert_all(tx, &head, columns, tail, &rows, |query, (frame, conversation, p, packed)| {
        let query = match &fresh {
            Some(fresh) => query.bind(fresh.get(&p.id).copied()),
            None => query,
        };
        query
            .bind(bytes(p.id.uuid()))
            .bind(bytes(conversation.uuid()))
            .bind(*frame)
            .bind(packed.author)
            .bind(p.day.clone())
            .bind(i64::from(p.position))
            .bind(packed.passages.clone())
            .bind(i64::from(p.only_for.is_some()))
    })
    .await?;
    let numbers = match fresh {
        Some(mut numbers) => {
            if let Some(first) = numbers.values().min() {
                changes.fresh_from(*first);
            }
            numbers.extend(before.into_iter().map(|(id, as_is)| (id, as_is.number)));
            numbers
        }
        None => numbers_of(tx, &ids).await?,
    };
    for (_, p) in of {
        let Some(number) = numbers.get(&p.id).copied() else { continue };
        let words = p.words.iter().map(|word| Key::word(word));
        words.chain([Key::day(&p.day), Key::channel(&p.channel)]).for_each(|key| changes.add(key, number));
    }
    Ok(Upserted { numbers, changed })
}

/// Whether its words are those of its document: where that did not change, there is nothing to take out of the index.
fn found_by_its_words(of: &PublishedProjection) -> bool {
    serde_json::from_str(&of.document).is_ok_and(|document: Projection| searchable(&document) == of.words)
}

/// Numbers for projections that have none yet, where nobody else gives any meanwhile: SQLite has one writer. A server gives them
/// itself: `None`.
async fn fresh_numbers<'p>(
    tx: &mut Transaction<'static, Any>,
    ids: impl Iterator<Item = &'p ProjectionId>,
) -> Result<Option<HashMap<ProjectionId, i64>>, StoreError> {
    if tx.backend_name() != "SQLite" {
        return Ok(None);
    }
    Ok(Some(ids.copied().zip(next_number(tx, "projection").await?..).collect()))
}

/// A projection as it stands.
struct AsIs {
    number: i64,
    frame: i64,
    author: Option<i64>,
    day: String,
    passages: String,
}

/// Those of these projections that are there, as they stand.
async fn standing_as(
    tx: &mut Transaction<'static, Any>,
    ids: &[ProjectionId],
) -> Result<HashMap<ProjectionId, AsIs>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(LISTED_MAX) {
        let sql = AssertSqlSafe(format!(
            "SELECT id, number, frame, author, day, passages FROM projection WHERE id IN ({})",
            list(1, chunk.len())
        ));
        let mut query = sqlx::query(sql).persistent(chunk.len() == LISTED_MAX);
        for id in chunk {
            query = query.bind(bytes(id.uuid()));
        }
        let rows =
            query.fetch_all(&mut **tx).await.map_err(StoreError::database("looking up projections"))?;
        for row in rows {
            let as_is = AsIs {
                number: row.number("number")?,
                frame: row.number("frame")?,
                author: row.number_or_null("author")?,
                day: row.text("day")?,
                passages: row.text("passages")?,
            };
            found.insert(ProjectionId::from_uuid(row.id("id")?), as_is);
        }
    }
    Ok(found)
}

/// Numbers of frames, looked up once each.
#[derive(Default)]
struct Frames(HashMap<(OrganisationId, ChannelId, String), i64>);

impl Frames {
    async fn number(
        &mut self,
        tx: &mut Transaction<'static, Any>,
        of: &PublishedProjection,
        content: &str,
    ) -> Result<i64, StoreError> {
        let key = (of.organisation.clone(), of.channel.clone(), content.to_owned());
        if let Some(number) = self.0.get(&key) {
            return Ok(*number);
        }
        for statement in [
            "INSERT INTO frame (organisation, channel, content) VALUES ($1, $2, $3) \
             ON CONFLICT (organisation, channel, content) DO NOTHING RETURNING number",
            "SELECT number FROM frame WHERE organisation = $1 AND channel = $2 AND content = $3",
        ] {
            let row = sqlx::query(statement)
                .bind(key.0.to_string())
                .bind(key.1.to_string())
                .bind(key.2.clone())
                .fetch_optional(&mut **tx)
                .await
                .map_err(StoreError::database("publishing projections"))?;
            if let Some(row) = row {
                let number = row.number("number")?;
                self.0.insert(key, number);
                return Ok(number);
            }
        }
        Err(StoreError::Corrupt { what: "frame of a projection" })
    }
}
