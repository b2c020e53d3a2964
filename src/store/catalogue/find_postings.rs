//! The index by which records are found back: for each token of a block of neighbouring records, which of them have it.

use super::find::{FindRow, FindToken};
use super::numbers::known;
use crate::model::RecordId;
use crate::store::rows::{LISTED_MAX, RowValues, bytes_behind, insert_all, list, list_from};
use crate::store::{Database, StoreError, steps};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Neighbouring records in a block: a step from one to the next fits two bytes.
const BLOCK: i64 = 16_384;

/// Places of records in their block, ascending.
type Places = Vec<u16>;

/// A row of the index: its block and token, and the places.
type Row = ((i64, FindToken), Places);

/// Tokens looked up with one statement.
const TOKENS_MAX: usize = 1_000;

fn place_of(number: i64) -> (i64, u16) {
    (number.div_euclid(BLOCK), u16::try_from(number.rem_euclid(BLOCK)).unwrap_or_default())
}

fn places_of(row: &AnyRow) -> Result<Places, StoreError> {
    let places = steps::from_bytes(&row.blob("records")?, BLOCK);
    let mut places = places.ok_or(StoreError::Corrupt { what: "index for finding back" })?;
    // What was put behind others may be less than they, or the same.
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

/// Numbers of records that have any of these tokens.
pub(super) async fn with_any(db: &Database, tokens: &[FindToken]) -> Result<BTreeSet<i64>, StoreError> {
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) AS most FROM record_row")
        .fetch_one(db.read())
        .await
        .map_err(StoreError::database(FINDING))?;
    let blocks: Vec<i64> = (0..=row.number("most")?.div_euclid(BLOCK)).collect();
    let mut found = BTreeSet::new();
    for token in tokens {
        for some in blocks.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT block, records FROM find_posting WHERE token = $1 AND block IN ({})",
                list(2, some.len())
            );
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(token.number());
            let query = some.iter().fold(query, |query, block| query.bind(*block));
            for row in query.fetch_all(db.read()).await.map_err(StoreError::database(FINDING))? {
                let first = row.number("block")? * BLOCK;
                found.extend(places_of(&row)?.into_iter().map(|place| first + i64::from(place)));
            }
        }
    }
    Ok(found)
}

const FINDING: &str = "finding records back";

/// Adds what records that were there can be found by; what they could be found by before stays.
pub(super) async fn insert_found(
    tx: &mut Transaction<'static, Any>,
    rows: &[FindRow],
) -> Result<(), StoreError> {
    let ids = rows.iter().map(|row| row.record.uuid());
    let numbers = known(tx, "SELECT id, number FROM record_row WHERE id IN", ids).await?;
    let numbers = numbers.into_iter().map(|(id, number)| (RecordId::from_uuid(id), number)).collect();
    insert_numbered(tx, rows, &numbers, i64::MAX).await
}

/// Adds what records with these numbers can be found by. Those from `fresh` on could not be found before: their places are put
/// behind what stands there, which is not read.
pub(super) async fn insert_numbered(
    tx: &mut Transaction<'static, Any>,
    rows: &[FindRow],
    numbers: &HashMap<RecordId, i64>,
    fresh: i64,
) -> Result<(), StoreError> {
    let mut added = Vec::with_capacity(rows.iter().map(|row| row.tokens.len()).sum());
    for row in rows {
        let number = numbers.get(&row.record);
        let number = number.ok_or(StoreError::Corrupt { what: "record to be found back" })?;
        let (block, place) = place_of(*number);
        added.extend(row.tokens.iter().map(|token| ((block, *token), place)));
    }
    added.sort_unstable();
    // Versions of one record are found by much that is the same.
    added.dedup();
    let added = added
        .chunk_by(|(one, _), (other, _)| one == other)
        .filter_map(|alike| Some((alike.first()?.0, alike.iter().map(|(_, place)| *place).collect())));
    let all_fresh = |((block, _), places): &Row| {
        places.first().is_some_and(|first| block * BLOCK + i64::from(*first) >= fresh)
    };
    let (behind, added): (Vec<Row>, Vec<Row>) = added.partition(all_fresh);
    let mut there = read(tx, &added).await?;
    let mut changed = Vec::with_capacity(added.len());
    for (key, mut places) in added {
        let before = there.remove(&key).unwrap_or_default();
        let known = before.len();
        places.extend(before);
        places.sort_unstable();
        places.dedup();
        if places.len() > known {
            changed.push((key, places));
        }
    }
    write(tx, &changed).await?;
    write_behind(tx, &behind).await
}

/// What stands under these keys.
async fn read(
    tx: &mut Transaction<'static, Any>,
    wanted: &[Row],
) -> Result<HashMap<(i64, FindToken), Places>, StoreError> {
    let mut found = HashMap::new();
    for of_block in wanted.chunk_by(|((one, _), _), ((other, _), _)| one == other) {
        let Some(((block, _), _)) = of_block.first() else { continue };
        for some in of_block.chunks(TOKENS_MAX) {
            let (of, listed) = (list_from(tx, 1, 1), list_from(tx, 2, some.len()));
            let sql =
                format!("SELECT token, records FROM find_posting WHERE block = {of} AND token IN ({listed})");
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(some.len() == TOKENS_MAX).bind(*block);
            let query = some.iter().fold(query, |query, ((_, token), _)| query.bind(token.number()));
            for row in query.fetch_all(&mut **tx).await.map_err(StoreError::database(FINDING))? {
                found.insert((*block, FindToken::from_number(row.number("token")?)), places_of(&row)?);
            }
        }
    }
    Ok(found)
}

/// In the order of the index: neighbours go to the same page.
async fn write(tx: &mut Transaction<'static, Any>, rows: &[Row]) -> Result<(), StoreError> {
    let head = "INSERT INTO find_posting (block, token, records) VALUES";
    let tail = "ON CONFLICT (block, token) DO UPDATE SET records = excluded.records";
    insert_all(tx, head, 3, tail, rows, |query, ((block, token), places)| {
        query.bind(*block).bind(token.number()).bind(steps::to_bytes(places.iter().copied()))
    })
    .await
}

/// The same for places that stand under none of these keys yet.
async fn write_behind(tx: &mut Transaction<'static, Any>, rows: &[Row]) -> Result<(), StoreError> {
    let head = "INSERT INTO find_posting (block, token, records) VALUES";
    let both = bytes_behind(tx, "find_posting.records", "excluded.records");
    let tail = format!("ON CONFLICT (block, token) DO UPDATE SET records = {both}");
    insert_all(tx, head, 3, &tail, rows, |query, ((block, token), places)| {
        query.bind(*block).bind(token.number()).bind(steps::to_append(places.iter().copied()))
    })
    .await
}

/// What records could be found by goes with them: they are taken out under every token of their blocks.
pub(super) async fn forget_found(
    tx: &mut Transaction<'static, Any>,
    records: &[Uuid],
) -> Result<(), StoreError> {
    let ids = records.iter().copied();
    let mut gone: BTreeMap<i64, BTreeSet<u16>> = BTreeMap::new();
    for number in known(tx, "SELECT id, number FROM record_row WHERE id IN", ids).await?.into_values() {
        let (block, place) = place_of(number);
        gone.entry(block).or_default().insert(place);
    }
    for (block, gone) in gone {
        let rows = sqlx::query("SELECT token, records FROM find_posting WHERE block = $1")
            .bind(block)
            .fetch_all(&mut **tx)
            .await
            .map_err(StoreError::database(FORGETTING))?;
        let mut left = Vec::new();
        for row in rows {
            let token = FindToken::from_number(row.number("token")?);
            let mut places = places_of(&row)?;
            let before = places.len();
            places.retain(|place| !gone.contains(place));
            if places.is_empty() {
                sqlx::query("DELETE FROM find_posting WHERE block = $1 AND token = $2")
                    .bind(block)
                    .bind(token.number())
                    .execute(&mut **tx)
                    .await
                    .map_err(StoreError::database(FORGETTING))?;
            } else if places.len() < before {
                left.push(((block, token), places));
            }
        }
        write(tx, &left).await?;
    }
    Ok(())
}

const FORGETTING: &str = "forgetting what could be found";
