//! The index: which projections have a word, a day, a channel, a grant. One row a block and key.
//!
//! A block is 4,096 neighbouring numbers, so a search reads one row a block and word, and joins sets of bits. What is
//! taken out is looked for under every key of its block: nothing is left of it, whatever once made its words.

use super::bits::{BEFORE_MAX, BLOCK, Bits};
use crate::model::{ChannelId, GrantId};
use crate::store::rows::{LISTED_MAX, RowValues, bytes_behind, insert_all, list, list_from};
use crate::store::{Database, StoreError};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What a projection is found by. Words hold letters and digits only, so no word is like another key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(Vec<u8>);

const GRANT: &[u8] = b"\x01g";

impl Key {
    pub(super) fn word(word: &str) -> Self {
        Self(word.as_bytes().to_vec())
    }

    /// A day; the days of a range stand between the keys of its ends. No day has a key of its own, before all others.
    pub(super) fn day(day: &str) -> Self {
        Self([b"\x01d", day.as_bytes()].concat())
    }

    pub(super) fn channel(channel: &ChannelId) -> Self {
        Self([b"\x01c", channel.as_str().as_bytes()].concat())
    }

    pub(super) fn grant(grant: GrantId) -> Self {
        Self([GRANT, grant.as_bytes()].concat())
    }

    fn is_grant(&self) -> bool {
        self.0.starts_with(GRANT)
    }
}

/// Numbers by block.
#[derive(Default, Clone)]
pub(super) struct Numbers(BTreeMap<i64, Bits>);

impl Numbers {
    pub(super) fn insert(&mut self, number: i64) {
        let (block, place) = place_of(number);
        self.0.entry(block).or_insert_with(Bits::none).insert(place);
    }

    pub(super) fn holds(&self, number: i64) -> bool {
        let (block, place) = place_of(number);
        self.0.get(&block).is_some_and(|bits| bits.holds(place))
    }

    /// Keeps what is in both.
    pub(super) fn keep(&mut self, other: &Self) {
        self.0.retain(|block, bits| {
            other.0.get(block).is_some_and(|other| {
                bits.keep(other);
                !bits.is_empty()
            })
        });
    }

    pub(super) fn count(&self) -> u64 {
        self.0.values().map(Bits::count).sum()
    }

    /// All of them, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        self.0
            .iter()
            .flat_map(|(block, bits)| bits.places().map(move |place| block * BLOCK + i64::from(place)))
    }

    fn add(&mut self, block: i64, bits: &Bits) {
        self.0.entry(block).or_insert_with(Bits::none).add(bits);
    }
}

fn place_of(number: i64) -> (i64, u16) {
    (number.div_euclid(BLOCK), u16::try_from(number.rem_euclid(BLOCK)).unwrap_or_default())
}

/// The index as the reading room asks it.
pub(super) struct Index<'d> {
    db: &'d Database,
    blocks: Vec<i64>,
}

impl<'d> Index<'d> {
    /// The index with the blocks that there are.
    pub(super) async fn of(db: &'d Database) -> Result<Self, StoreError> {
        let row = sqlx::query("SELECT MAX(number) AS most FROM projection")
            .fetch_one(db.read())
            .await
            .map_err(StoreError::database("searching"))?;
        let most = row.number_or_null("most")?.map_or(-1, |most| most.div_euclid(BLOCK));
        Ok(Self { db, blocks: (0..=most).collect() })
    }

    /// What has this key.
    pub(super) async fn with(&self, key: &Key) -> Result<Numbers, StoreError> {
        self.between(key, key).await
    }

    /// What has a key from the first to the last.
    pub(super) async fn between(&self, first: &Key, last: &Key) -> Result<Numbers, StoreError> {
        let mut found = Numbers::default();
        for blocks in self.blocks.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT block, numbers FROM posting WHERE block IN ({}) AND word >= $1 AND word <= $2",
                list(3, blocks.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(first.0.clone()).bind(last.0.clone());
            for block in blocks {
                query = query.bind(*block);
            }
            let rows = query.fetch_all(self.db.read()).await.map_err(StoreError::database("searching"))?;
            for row in rows {
                found.add(row.number("block")?, &bits_of(&row)?);
            }
        }
        Ok(found)
    }
}

fn bits_of(row: &AnyRow) -> Result<Bits, StoreError> {
    Bits::from_bytes(&row.blob("numbers")?).ok_or(StoreError::Corrupt { what: "index of words" })
}

/// What is to be changed in the index, gathered and then written together.
#[derive(Default)]
pub(super) struct Changes {
    /// Taken out of everything but grants: it comes back with other words.
    renewed: Numbers,
    /// Taken out of everything.
    gone: Numbers,
    /// Taken out of one key.
    taken: HashMap<Key, Numbers>,
    added: HashMap<Key, Numbers>,
    /// No key finds a number from this one on yet.
    fresh: Option<i64>,
}

/// A row of the index: its block and key, and the numbers.
type Row = ((i64, Key), Bits);

impl Changes {
    pub(super) fn add(&mut self, key: Key, number: i64) {
        self.added.entry(key).or_default().insert(number);
    }

    /// Takes a projection out of what one key finds.
    pub(super) fn take(&mut self, key: Key, number: i64) {
        self.taken.entry(key).or_default().insert(number);
    }

    /// Takes a projection out of what it is found by, grants excepted.
    pub(super) fn renew(&mut self, number: i64) {
        self.renewed.insert(number);
    }

    /// Takes a projection out for good.
    pub(super) fn remove(&mut self, number: i64) {
        self.gone.insert(number);
    }

    /// Numbers from this one on are given now: nothing is found by them yet.
    pub(super) const fn fresh_from(&mut self, number: i64) {
        self.fresh = Some(number);
    }

    /// Writes them. What is added of fresh numbers is put behind what stands there, which is not read unless it is long.
    pub(super) async fn write(mut self, tx: &mut Transaction<'static, Any>) -> Result<(), StoreError> {
        let whole: BTreeSet<i64> = self.renewed.0.keys().chain(self.gone.0.keys()).copied().collect();
        let mut known = Vec::new();
        for block in &whole {
            read_block(tx, *block, &mut known).await?;
        }
        let behind = self.take_behind(&whole);
        let mut wanted: BTreeMap<i64, BTreeSet<&Key>> = BTreeMap::new();
        for (key, numbers) in self.added.iter().chain(&self.taken) {
            for block in numbers.0.keys().filter(|block| !whole.contains(block)) {
                wanted.entry(*block).or_default().insert(key);
            }
        }
        for (block, keys) in wanted {
            let keys: Vec<&Key> = keys.into_iter().collect();
            read_keys(tx, block, &keys, 0, &mut known).await?;
        }
        let behind = self.behind_short(tx, behind, &mut known).await?;
        let (changed, emptied) = self.differences(known);
        let head = "INSERT INTO posting (block, word, numbers) VALUES";
        let tail = "ON CONFLICT (block, word) DO UPDATE SET numbers = excluded.numbers";
        insert_all(tx, head, 3, tail, &changed, |query, ((block, key), bits)| {
            query.bind(*block).bind(key.0.clone()).bind(bits.to_bytes())
        })
        .await?;
        let both = bytes_behind(tx, "posting.numbers", "excluded.numbers");
        let tail = format!("ON CONFLICT (block, word) DO UPDATE SET numbers = {both}");
        insert_all(tx, head, 3, &tail, &behind, |query, ((block, key), bits)| {
            query.bind(*block).bind(key.0.clone()).bind(bits.to_append())
        })
        .await?;
        for (block, key) in emptied {
            let done =
                sqlx::query("DELETE FROM posting WHERE block = $1 AND word = $2").bind(block).bind(key.0);
            done.execute(&mut **tx).await.map_err(StoreError::database("changing the index of words"))?;
        }
        Ok(())
    }

    /// Takes out what can be put behind what stands there, if that is not long, in the order of the index.
    fn take_behind(&mut self, whole: &BTreeSet<i64>) -> Vec<Row> {
        let Some(fresh) = self.fresh else { return Vec::new() };
        let mut behind = Vec::with_capacity(self.added.len());
        for (key, numbers) in std::mem::take(&mut self.added) {
            let apart = self.taken.contains_key(&key);
            for (block, bits) in numbers.0 {
                let first = bits.places().next().map(|place| block * BLOCK + i64::from(place));
                let unread = !apart && !whole.contains(&block) && bits.is_short();
                if unread && first.is_some_and(|first| first >= fresh) {
                    behind.push(((block, key.clone()), bits));
                } else {
                    self.added.entry(key.clone()).or_default().0.insert(block, bits);
                }
            }
        }
        behind.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        behind
    }

    /// Those of these rows that go behind short ones. What stands there and is long is read, to be written anew with what is
    /// added.
    async fn behind_short(
        &mut self,
        tx: &mut Transaction<'static, Any>,
        behind: Vec<Row>,
        known: &mut Vec<Row>,
    ) -> Result<Vec<Row>, StoreError> {
        let mut long = Vec::new();
        for of_block in behind.chunk_by(|((one, _), _), ((other, _), _)| one == other) {
            let Some(((block, _), _)) = of_block.first() else { continue };
            let keys: Vec<&Key> = of_block.iter().map(|((_, key), _)| key).collect();
            read_keys(tx, *block, &keys, BEFORE_MAX, &mut long).await?;
        }
        let of_long: HashSet<&(i64, Key)> = long.iter().map(|(of, _)| of).collect();
        let (anew, behind): (Vec<Row>, Vec<Row>) =
            behind.into_iter().partition(|(of, _)| of_long.contains(of));
        for ((block, key), bits) in anew {
            self.added.entry(key).or_default().0.insert(block, bits);
        }
        known.extend(long);
        Ok(behind)
    }

    /// Rows that change, in the order of the index (neighbours go to the same page), and those of which nothing is left. `known`
    /// holds each row once.
    fn differences(mut self, known: Vec<Row>) -> (Vec<Row>, Vec<(i64, Key)>) {
        let (mut changed, mut emptied) = (Vec::new(), Vec::new());
        for ((block, key), before) in known {
            let mut after = before.clone();
            let renewed = (!key.is_grant()).then_some(&self.renewed);
            for out in [Some(&self.gone), self.taken.get(&key), renewed].into_iter().flatten() {
                if let Some(out) = out.0.get(&block) {
                    after.remove(out);
                }
            }
            if let Some(added) = self.added.get_mut(&key).and_then(|numbers| numbers.0.remove(&block)) {
                after.add(&added);
            }
            match after {
                after if after == before => {}
                after if after.is_empty() => emptied.push((block, key)),
                after => changed.push(((block, key), after)),
            }
        }
        for (key, numbers) in self.added {
            changed.extend(numbers.0.into_iter().map(|(block, bits)| ((block, key.clone()), bits)));
        }
        changed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        (changed, emptied)
    }
}

async fn read_block(
    tx: &mut Transaction<'static, Any>,
    block: i64,
    known: &mut Vec<Row>,
) -> Result<(), StoreError> {
    let rows = sqlx::query("SELECT word, numbers FROM posting WHERE block = $1")
        .bind(block)
        .fetch_all(&mut **tx)
        .await
        .map_err(StoreError::database("reading the index of words"))?;
    for row in rows {
        known.push(((block, Key(row.blob("word")?)), bits_of(&row)?));
    }
    Ok(())
}

/// Reads what stands under these keys and is so many bytes long.
async fn read_keys(
    tx: &mut Transaction<'static, Any>,
    block: i64,
    keys: &[&Key],
    least: usize,
    known: &mut Vec<Row>,
) -> Result<(), StoreError> {
    for some in keys.chunks(LISTED_MAX) {
        let (of, listed) = (list_from(tx, 1, 1), list_from(tx, 2, some.len()));
        let sql = format!(
            "SELECT word, numbers FROM posting WHERE block = {of} AND word IN ({listed}) AND length(numbers) >= {least}"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(some.len() == LISTED_MAX).bind(block);
        for key in some {
            query = query.bind(key.0.clone());
        }
        let rows =
            query.fetch_all(&mut **tx).await.map_err(StoreError::database("reading the index of words"))?;
        for row in rows {
            known.push(((block, Key(row.blob("word")?)), bits_of(&row)?));
        }
    }
    Ok(())
}

/// Takes a grant out of the index.
pub(super) async fn forget_grant(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
) -> Result<(), StoreError> {
    // By block, because that is how the rows stand.
    let blocks = "WITH RECURSIVE blocks (block) AS (SELECT MIN(block) FROM posting UNION ALL \
         SELECT (SELECT MIN(p.block) FROM posting p WHERE p.block > b.block) FROM blocks b WHERE b.block IS NOT NULL)";
    let sql = format!("{blocks} DELETE FROM posting WHERE word = $1 AND block IN (SELECT block FROM blocks)");
    sqlx::query(AssertSqlSafe(sql))
        .bind(Key::grant(grant).0)
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("revoking a grant"))?;
    Ok(())
}
