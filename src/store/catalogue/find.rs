//! Finding records back: keyed digests of what may be looked for, by record. Nothing of it can be read.

use super::Catalogue;
use crate::model::{OrganisationId, RecordId, Timestamp};
use crate::store::StoreError;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, insert_all, list};
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use uuid::Uuid;

/// A keyed digest of a word, a handle or an account, cut to eight bytes: two that are alike by chance find a record too
/// many, which is one that the same official may find anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindToken(i64);

impl FindToken {
    /// From the first bytes of a keyed digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(i64::from_be_bytes(bytes))
    }
}

/// What a record can be found by.
#[derive(Debug, Clone)]
pub struct FindRow {
    /// Which record.
    pub record: RecordId,
    /// By what.
    pub tokens: BTreeSet<FindToken>,
}

/// What is looked for.
#[derive(Debug, Default, Clone)]
pub struct Sought {
    /// All of these, and of each any.
    pub all_of: Vec<Vec<FindToken>>,
    /// Only among these records, when some are named.
    pub among: Option<Vec<RecordId>>,
    /// Posted at this time or later.
    pub from: Option<Timestamp>,
    /// Posted before this time.
    pub until: Option<Timestamp>,
    /// That came in before this one.
    pub after: Option<RecordId>,
    /// How many at the most.
    pub most: u32,
}

/// Counting stops here: what is rarer leads the search.
const COUNTED_MAX: i64 = 20_000;

impl Catalogue {
    /// The records of an organisation that have what is sought, the last that came in first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        organisation: &OrganisationId,
        sought: &Sought,
    ) -> Result<Vec<RecordId>, StoreError> {
        let groups = self.rarest_first(&sought.all_of).await?;
        let mut query = Statement::of(&groups, sought.among.as_deref());
        let text = query.finish(sought);
        let mut bound = sqlx::query(AssertSqlSafe(text)).persistent(false);
        for token in groups.iter().flatten() {
            bound = bound.bind(token.0);
        }
        for record in sought.among.iter().flatten() {
            bound = bound.bind(bytes(record.uuid()));
        }
        let rows = bound
            .bind(organisation.to_string())
            .bind(sought.from.map_or(i64::MIN, Timestamp::micros))
            .bind(sought.until.map_or(i64::MAX, Timestamp::micros))
            .bind(sought.after.map_or_else(|| vec![0xff; 16], |id| bytes(id.uuid())))
            .bind(i64::from(sought.most))
            .fetch_all(self.database().read())
            .await
            .map_err(StoreError::database("finding records back"))?;
        rows.iter().map(|row| Ok(RecordId::from_uuid(row.id("record")?))).collect()
    }

    async fn rarest_first(&self, groups: &[Vec<FindToken>]) -> Result<Vec<Vec<FindToken>>, StoreError> {
        let mut counted = Vec::with_capacity(groups.len());
        for group in groups {
            let mut count = 0;
            for token in group {
                let row = sqlx::query(
                    "SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM find_token WHERE token = $1 LIMIT $2) AS first",
                )
                .bind(token.0)
                .bind(COUNTED_MAX)
                .fetch_one(self.database().read())
                .await
                .map_err(StoreError::database("counting what is sought"))?;
                count += row.number("n")?;
            }
            counted.push((count, group.clone()));
        }
        counted.sort_by_key(|(count, _)| *count);
        Ok(counted.into_iter().map(|(_, group)| group).collect())
    }
}

/// The text of a search, with its parameters numbered.
struct Statement {
    text: String,
    next: usize,
}

impl Statement {
    fn of(groups: &[Vec<FindToken>], among: Option<&[RecordId]>) -> Self {
        let mut statement = Self { text: String::new(), next: 1 };
        match groups.first() {
            Some(first) => {
                let distinct = if first.len() > 1 { "DISTINCT " } else { "" };
                let listed = statement.list(first.len());
                // In this order on SQLite; a server chooses by itself.
                statement.text = format!(
                    "SELECT {distinct}f.record AS record FROM find_token f CROSS JOIN record r \
                     WHERE r.id = f.record AND f.token IN ({listed})"
                );
            }
            None => "SELECT r.id AS record FROM record r WHERE 1 = 1".clone_into(&mut statement.text),
        }
        for group in groups.iter().skip(1) {
            let listed = statement.list(group.len());
            // Writing to a string does not fail.
            let _ = write!(
                statement.text,
                " AND EXISTS (SELECT 1 FROM find_token x WHERE x.token IN ({listed}) AND x.record = r.id)"
            );
        }
        if let Some(among) = among {
            let listed = statement.list(among.len());
            let _ = write!(statement.text, " AND r.id IN ({listed})");
        }
        statement
    }

    fn list(&mut self, count: usize) -> String {
        let listed = list(self.next, count);
        self.next += count;
        listed
    }

    fn finish(&mut self, sought: &Sought) -> String {
        let [organisation, from, until, after, most] = [0, 1, 2, 3, 4].map(|n| self.next + n);
        // A record without a time is found by a search that names no period.
        let untimed =
            if sought.from.is_none() && sought.until.is_none() { " OR r.posted_at IS NULL" } else { "" };
        format!(
            "{} AND r.organisation = ${organisation} AND r.destroyed_at IS NULL \
             AND ((r.posted_at >= ${from} AND r.posted_at < ${until}){untimed}) AND r.id < ${after} \
             ORDER BY record DESC LIMIT ${most}",
            self.text
        )
    }
}

/// Adds what records can be found by; what was there stays.
pub(super) async fn insert_found(
    tx: &mut Transaction<'static, Any>,
    rows: &[FindRow],
) -> Result<(), StoreError> {
    let known = known_tokens(tx, rows).await?;
    let none = BTreeSet::new();
    let mut fresh: Vec<(FindToken, RecordId)> = Vec::new();
    let mut changed: Vec<(RecordId, Vec<u8>)> = Vec::new();
    for row in rows {
        let there = known.get(&row.record).unwrap_or(&none);
        let before = fresh.len();
        fresh.extend(row.tokens.difference(there).map(|token| (*token, row.record)));
        if fresh.len() > before || !known.contains_key(&row.record) {
            let all = row.tokens.union(there).flat_map(|token| token.0.to_be_bytes()).collect();
            changed.push((row.record, all));
        }
    }
    // In the order of the index: neighbours go to the same page.
    fresh.sort_unstable();
    let head = "INSERT INTO find_token (token, record) VALUES";
    insert_all(tx, head, 2, "ON CONFLICT (token, record) DO NOTHING", &fresh, |query, (token, record)| {
        query.bind(token.0).bind(bytes(record.uuid()))
    })
    .await?;
    let head = "INSERT INTO find_record (record, tokens) VALUES";
    let tail = "ON CONFLICT (record) DO UPDATE SET tokens = excluded.tokens";
    insert_all(tx, head, 2, tail, &changed, |query, (record, tokens)| {
        query.bind(bytes(record.uuid())).bind(tokens.clone())
    })
    .await
}

async fn known_tokens(
    tx: &mut Transaction<'static, Any>,
    rows: &[FindRow],
) -> Result<HashMap<RecordId, BTreeSet<FindToken>>, StoreError> {
    let mut known = HashMap::new();
    for chunk in rows.chunks(LISTED_MAX) {
        let sql =
            format!("SELECT record, tokens FROM find_record WHERE record IN ({})", list(1, chunk.len()));
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
        for row in chunk {
            query = query.bind(bytes(row.record.uuid()));
        }
        let found =
            query.fetch_all(&mut **tx).await.map_err(StoreError::database("reading what can be found"))?;
        for row in found {
            known.insert(RecordId::from_uuid(row.id("record")?), tokens_of(&row.blob("tokens")?));
        }
    }
    Ok(known)
}

fn tokens_of(stored: &[u8]) -> BTreeSet<FindToken> {
    let (eights, _) = stored.as_chunks::<8>();
    eights.iter().map(|eight| FindToken::from_bytes(*eight)).collect()
}

/// What a record could be found by goes with it.
pub(super) async fn forget_found(tx: &mut Transaction<'static, Any>, record: Uuid) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT tokens FROM find_record WHERE record = $1")
        .bind(bytes(record))
        .fetch_optional(&mut **tx)
        .await
        .map_err(StoreError::database("reading what can be found"))?;
    let Some(row) = row else { return Ok(()) };
    for token in tokens_of(&row.blob("tokens")?) {
        sqlx::query("DELETE FROM find_token WHERE token = $1 AND record = $2")
            .bind(token.0)
            .bind(bytes(record))
            .execute(&mut **tx)
            .await
            .map_err(StoreError::database("forgetting what could be found"))?;
    }
    sqlx::query("DELETE FROM find_record WHERE record = $1")
        .bind(bytes(record))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("forgetting what could be found"))?;
    Ok(())
}
