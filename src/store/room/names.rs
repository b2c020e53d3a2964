//! A grant's own names for records, conversations and persons: drawn at random for it alone, kept as long as it holds.

use super::citations::{keep_name, take_names};
use super::index::{Changes, Key};
use super::packages::mark_uncovered;
use super::reader::pseudonym_from;
use super::writer::Covered;
use super::{Draw, PublishedProjection};
use crate::model::{ConversationId, GrantId, ProjectionId, SubjectRef, Timestamp};
use crate::store::StoreError;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list_from};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Takes back a grant's names for what its selection does not cover any more: an edit may have taken a word away.
pub(super) async fn unname_uncovered(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    covered: &[Covered<'_>],
    numbers: &HashMap<ProjectionId, i64>,
    changes: &mut Changes,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stay: HashSet<ProjectionId> = covered.iter().flat_map(|(_, of)| of).map(|p| p.id).collect();
    for (_, number) in numbers.iter().filter(|(id, _)| !stay.contains(id)) {
        changes.take(Key::grant(grant), *number);
        keep_name(tx, grant, *number, now).await?;
        mark_uncovered(tx, grant, *number).await?;
        sqlx::query("DELETE FROM grant_record WHERE reading_grant = $1 AND projection = $2")
            .bind(bytes(grant.uuid()))
            .bind(*number)
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("naming records for a grant"))?;
    }
    Ok(())
}

/// Gives the projections of some conversations their names in a grant; those that have one keep it. `numbers` are theirs.
pub(super) async fn name_for_grant(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    covered: &[Covered<'_>],
    numbers: &HashMap<ProjectionId, i64>,
    draw: Draw<'_>,
) -> Result<(), StoreError> {
    let ids: Vec<ProjectionId> = covered.iter().flat_map(|(_, of)| of).map(|p| p.id).collect();
    let former = take_names(tx, grant, &ids).await?;
    let (mut records, mut subjects) = (Vec::new(), Vec::new());
    let covered = || covered.iter().filter(|(_, projections)| !projections.is_empty());
    let conversations: Vec<ConversationId> = covered().map(|(conversation, _)| *conversation).collect();
    let references = conversation_references(tx, grant, &conversations, draw).await?;
    let mut pseudonyms = pseudonyms_of(tx, grant, &conversations).await?;
    for (conversation, projections) in covered() {
        let reference = references
            .get(conversation)
            .ok_or(StoreError::Corrupt { what: "a grant's name of a conversation" })?;
        let known = pseudonyms.remove(conversation).unwrap_or_default();
        let (names, fresh) = subject_names(known, projections, draw)?;
        for projection in projections {
            let number =
                *numbers.get(&projection.id).ok_or(StoreError::Corrupt { what: "number of a projection" })?;
            let named = names_of(projection, &names);
            let drawn = drawn_id(draw)?;
            let (name, version) = former.get(&projection.id).cloned().unwrap_or((drawn, 1));
            records.push((name, number, reference.clone(), *projection, named, version));
        }
        subjects.extend(fresh.into_iter().map(|(subject, name)| (*conversation, subject, name)));
    }
    let head = "INSERT INTO grant_record (reference, reading_grant, projection, conversation_reference, day, \
                position, names, version) VALUES";
    let tail = "ON CONFLICT (reading_grant, projection) DO UPDATE SET \
                conversation_reference = excluded.conversation_reference, day = excluded.day, \
                position = excluded.position, names = excluded.names";
    insert_all(tx, head, 8, tail, &records, |query, (name, number, reference, p, names, version)| {
        query
            .bind(name.clone())
            .bind(bytes(grant.uuid()))
            .bind(*number)
            .bind(reference.clone())
            .bind(p.day.clone())
            .bind(i64::from(p.position))
            .bind(names.clone())
            .bind(*version)
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

/// A grant's own names for conversations: the ones it has, and for the others such as are drawn now.
async fn conversation_references(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    conversations: &[ConversationId],
    draw: Draw<'_>,
) -> Result<HashMap<ConversationId, Vec<u8>>, StoreError> {
    let mut references = HashMap::with_capacity(conversations.len());
    let head = "SELECT conversation, reference FROM grant_conversation";
    for row in of_conversations(tx, head, grant, conversations).await? {
        references.insert(ConversationId::from_uuid(row.id("conversation")?), row.blob("reference")?);
    }
    let fresh: Vec<(ConversationId, Vec<u8>)> = conversations
        .iter()
        .filter(|conversation| !references.contains_key(*conversation))
        .map(|conversation| Ok((*conversation, drawn_id(draw)?)))
        .collect::<Result<_, StoreError>>()?;
    let head = "INSERT INTO grant_conversation (reading_grant, conversation, reference) VALUES";
    insert_all(tx, head, 3, "", &fresh, |query, (conversation, reference)| {
        query.bind(bytes(grant.uuid())).bind(bytes(conversation.uuid())).bind(reference.clone())
    })
    .await?;
    references.extend(fresh);
    Ok(references)
}

/// The pseudonyms that people in these conversations have in a grant.
async fn pseudonyms_of(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    conversations: &[ConversationId],
) -> Result<HashMap<ConversationId, SubjectNames>, StoreError> {
    let mut names: HashMap<ConversationId, SubjectNames> = HashMap::new();
    let head = "SELECT conversation, subject, pseudonym FROM grant_subject";
    for row in of_conversations(tx, head, grant, conversations).await? {
        let (subject, pseudonym) = pseudonym_from(&row)?;
        names
            .entry(ConversationId::from_uuid(row.id("conversation")?))
            .or_default()
            .insert(subject, pseudonym);
    }
    Ok(names)
}

/// Rows of a table that a grant has for these conversations. `head` ends with the table.
async fn of_conversations(
    tx: &mut Transaction<'static, Any>,
    head: &'static str,
    grant: GrantId,
    conversations: &[ConversationId],
) -> Result<Vec<AnyRow>, StoreError> {
    let mut rows = Vec::new();
    for some in conversations.chunks(LISTED_MAX) {
        let (of, listed) = (list_from(tx, 1, 1), list_from(tx, 2, some.len()));
        let sql = format!("{head} WHERE reading_grant = {of} AND conversation IN ({listed})");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(some.len() == LISTED_MAX);
        let query = query.bind(bytes(grant.uuid()));
        let query = some.iter().fold(query, |query, conversation| query.bind(bytes(conversation.uuid())));
        rows.extend(query.fetch_all(&mut **tx).await.map_err(StoreError::database("reading a grant"))?);
    }
    Ok(rows)
}

type SubjectNames = HashMap<SubjectRef, String>;

/// The pseudonyms of everyone in a conversation, and of them those that are drawn now, because they had none in the grant.
fn subject_names(
    known: SubjectNames,
    covered: &[&PublishedProjection],
    draw: Draw<'_>,
) -> Result<(SubjectNames, Vec<(SubjectRef, String)>), StoreError> {
    let subjects: BTreeSet<SubjectRef> = covered.iter().flat_map(|p| p.subjects.iter().copied()).collect();
    let mut names = known;
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
