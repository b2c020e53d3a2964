//! Numbers by which rows name each other, and what many rows say alike: that stands once, under a number.

use super::commit::{Batch, VersionRow};
use crate::model::{ConversationId, ItemDigest, RecordId, VersionId};
use crate::store::StoreError;
use crate::store::rows::{LISTED_MAX, NUMBERING, RowValues, bytes, insert_all, list, next_number};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Numbers of everything that a batch names: those that are there, and those that it brings.
pub(super) struct Numbers {
    records: HashMap<RecordId, i64>,
    /// The first of those of new records.
    fresh: i64,
    versions: HashMap<VersionId, i64>,
    conversations: HashMap<ConversationId, i64>,
}

impl Numbers {
    /// Numbers what is new in a batch and looks up the rest. New conversations are written; records and versions are not
    /// yet.
    pub(super) async fn of(tx: &mut Transaction<'static, Any>, batch: &Batch) -> Result<Self, StoreError> {
        let mut records = HashMap::with_capacity(batch.records.len());
        let mut next = next_number(tx, "record_row").await?;
        let fresh = next;
        for row in &batch.records {
            records.insert(row.id, next);
            next += 1;
        }
        let named = batch.versions.iter().map(|row| row.record);
        let named = named.chain(batch.names.iter().filter_map(|row| row.record));
        let named = named.chain(batch.found_by.iter().map(|row| row.record));
        let named = named.chain(batch.files.iter().chain(&batch.attached).map(|row| row.record));
        let there: BTreeSet<Uuid> =
            named.filter(|id| !records.contains_key(id)).map(|id| id.uuid()).collect();
        let there = known(tx, "SELECT id, number FROM record_row WHERE id IN", there).await?;
        records.extend(there.into_iter().map(|(id, number)| (RecordId::from_uuid(id), number)));
        let mut versions = HashMap::with_capacity(batch.versions.len());
        let mut next = next_number(tx, "version_row").await?;
        for row in &batch.versions {
            versions.insert(row.id, next);
            next += 1;
        }
        let of_records = batch.records.iter().map(|row| row.conversation);
        let of_people = batch.subjects.iter().map(|row| row.conversation);
        let kept = batch.merged.iter().map(|(keep, _)| *keep);
        let counted = batch.sentiment.iter().map(|row| row.conversation);
        let conversations = conversations(tx, of_records.chain(of_people).chain(kept).chain(counted)).await?;
        Ok(Self { records, fresh, versions, conversations })
    }

    pub(super) fn record(&self, id: RecordId) -> Result<i64, StoreError> {
        self.records.get(&id).copied().ok_or(StoreError::Corrupt { what: "record of a batch" })
    }

    /// The numbers of all records, and the first of those that are new.
    pub(super) const fn records(&self) -> (&HashMap<RecordId, i64>, i64) {
        (&self.records, self.fresh)
    }

    pub(super) fn version(&self, id: VersionId) -> Option<i64> {
        self.versions.get(&id).copied()
    }

    pub(super) fn conversation(&self, id: ConversationId) -> Result<i64, StoreError> {
        self.conversations.get(&id).copied().ok_or(StoreError::Corrupt { what: "conversation of a batch" })
    }

    /// The versions of a batch that are not there yet: a record has each version once.
    pub(super) async fn fresh_versions<'b>(
        &self,
        tx: &mut Transaction<'static, Any>,
        batch: &'b Batch,
    ) -> Result<Vec<&'b VersionRow>, StoreError> {
        let new: HashSet<RecordId> = batch.records.iter().map(|row| row.id).collect();
        let before: BTreeSet<Uuid> = batch
            .versions
            .iter()
            .map(|row| row.record)
            .filter(|id| !new.contains(id))
            .map(|id| id.uuid())
            .collect();
        let before: Vec<Uuid> = before.into_iter().collect();
        let mut there: HashSet<(RecordId, ItemDigest)> = HashSet::new();
        for chunk in before.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT r.id, v.digest FROM record_row r JOIN version_row v ON v.record = r.number WHERE r.id IN ({})",
                list(1, chunk.len())
            );
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            let query = chunk.iter().fold(query, |query, id| query.bind(bytes(*id)));
            for row in query.fetch_all(&mut **tx).await.map_err(StoreError::database(NUMBERING))? {
                there.insert((RecordId::from_uuid(row.id("id")?), row.digest("digest")?));
            }
        }
        Ok(batch.versions.iter().filter(|row| there.insert((row.record, row.digest))).collect())
    }
}

/// The numbers of these conversations; those that have none are given one.
pub(super) async fn conversations(
    tx: &mut Transaction<'static, Any>,
    ids: impl Iterator<Item = ConversationId>,
) -> Result<HashMap<ConversationId, i64>, StoreError> {
    let ids: BTreeSet<Uuid> = ids.map(|id| id.uuid()).collect();
    let mut numbers =
        known(tx, "SELECT id, number FROM conversation WHERE id IN", ids.iter().copied()).await?;
    let mut next = next_number(tx, "conversation").await?;
    let mut fresh = Vec::new();
    for id in ids.into_iter().filter(|id| !numbers.contains_key(id)) {
        fresh.push((id, next));
        next += 1;
    }
    let head = "INSERT INTO conversation (id, number) VALUES";
    insert_all(tx, head, 2, "", &fresh, |query, (id, number)| query.bind(bytes(*id)).bind(*number)).await?;
    numbers.extend(fresh);
    Ok(numbers.into_iter().map(|(id, number)| (ConversationId::from_uuid(id), number)).collect())
}

/// The numbers of those of these ids that have one. `head` ends in `IN`.
pub(super) async fn known(
    tx: &mut Transaction<'static, Any>,
    head: &'static str,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, i64>, StoreError> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(LISTED_MAX) {
        let sql = AssertSqlSafe(format!("{head} ({})", list(1, chunk.len())));
        let query = sqlx::query(sql).persistent(chunk.len() == LISTED_MAX);
        let query = chunk.iter().fold(query, |query, id| query.bind(bytes(*id)));
        for row in query.fetch_all(&mut **tx).await.map_err(StoreError::database(NUMBERING))? {
            found.insert(row.id("id")?, row.number("number")?);
        }
    }
    Ok(found)
}

/// A list of things that many rows say alike: how one is found, and how it is added and its number told.
pub(super) struct Alike {
    pub(super) find: &'static str,
    pub(super) add: &'static str,
}

/// What records of a channel say alike: organisation, channel, kind, whether it is the organisation's own (0, 1).
pub(super) const SHELF: Alike = Alike {
    find: "SELECT number FROM shelf WHERE organisation = $1 AND channel = $2 AND kind = $3 AND own = $4",
    add: "INSERT INTO shelf (organisation, channel, kind, own, number) \
          VALUES ($1, $2, $3, $4, (SELECT COALESCE(MAX(number), 0) + 1 FROM shelf)) RETURNING number",
};

/// What versions say alike that came in together: capture, when, profile.
pub(super) const DELIVERY: Alike = Alike {
    find: "SELECT number FROM delivery WHERE capture = $1 AND observed_at = $2 AND profile = $3",
    add: "INSERT INTO delivery (capture, observed_at, profile, number) \
          VALUES ($1, $2, $3, (SELECT COALESCE(MAX(number), 0) + 1 FROM delivery)) RETURNING number",
};

/// A ruleset by its version.
pub(super) const RULESET: Alike = Alike {
    find: "SELECT number FROM ruleset WHERE name = $1",
    add: "INSERT INTO ruleset (name, number) \
          VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM ruleset)) RETURNING number",
};

/// What decisions say alike: tree, its version, outcome, ending, how long it is kept, path.
pub(super) const RULING: Alike = Alike {
    find: "SELECT number FROM ruling WHERE tree = $1 AND tree_version = $2 AND outcome = $3 AND ending = $4 \
           AND keep = $5 AND path = $6",
    add: "INSERT INTO ruling (tree, tree_version, outcome, ending, keep, path, number) \
          VALUES ($1, $2, $3, $4, $5, $6, (SELECT COALESCE(MAX(number), 0) + 1 FROM ruling)) RETURNING number",
};

/// What was asked, the answer, who or what gave it, which, how sure.
pub(super) const GIVEN_ANSWER: Alike = Alike {
    find: "SELECT number FROM given_answer WHERE asked = $1 AND answer = $2 AND answered_by = $3 AND by_what = $4 \
           AND permille = $5",
    add: "INSERT INTO given_answer (asked, answer, answered_by, by_what, permille, number) \
          VALUES ($1, $2, $3, $4, $5, (SELECT COALESCE(MAX(number), 0) + 1 FROM given_answer)) RETURNING number",
};

/// Answers that were given together: their numbers, ascending, with a space between.
pub(super) const ANSWER_SET: Alike = Alike {
    find: "SELECT number FROM answer_set WHERE members = $1",
    add: "INSERT INTO answer_set (members, number) \
          VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM answer_set)) RETURNING number",
};

/// One value of what is said alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Said {
    Word(String),
    Number(i64),
    Bytes(Vec<u8>),
}

/// Numbers of what is said alike, as they were looked up in one transaction.
#[derive(Default)]
pub(super) struct Lookup {
    known: HashMap<(&'static str, Vec<Said>), i64>,
}

impl Lookup {
    /// The number of what is said; it is given one when nobody said it before. And whether it is new.
    pub(super) async fn number(
        &mut self,
        tx: &mut Transaction<'static, Any>,
        of: &Alike,
        said: Vec<Said>,
    ) -> Result<(i64, bool), StoreError> {
        let key = (of.find, said);
        if let Some(number) = self.known.get(&key) {
            return Ok((*number, false));
        }
        let found = bound(of.find, &key.1).fetch_optional(&mut **tx).await;
        let (row, new) = match found.map_err(StoreError::database(NUMBERING))? {
            Some(row) => (row, false),
            None => {
                let added = bound(of.add, &key.1).fetch_one(&mut **tx).await;
                (added.map_err(StoreError::database(NUMBERING))?, true)
            }
        };
        let number = row.number("number")?;
        self.known.insert(key, number);
        Ok((number, new))
    }
}

fn bound(sql: &'static str, said: &[Said]) -> Query<'static, Any, AnyArguments> {
    let query: Query<'static, Any, AnyArguments> = sqlx::query(sql);
    said.iter().fold(query, |query, said| match said {
        Said::Word(word) => query.bind(word.clone()),
        Said::Number(number) => query.bind(*number),
        Said::Bytes(bytes) => query.bind(bytes.clone()),
    })
}
