//! Finding records back: keyed digests of what may be looked for, by record. Nothing of it can be read.

use super::Catalogue;
use super::find_postings::with_any;
use crate::model::{OrganisationId, RecordId, Timestamp};
use crate::store::StoreError;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, list};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

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

    pub(super) const fn from_number(number: i64) -> Self {
        Self(number)
    }

    pub(super) const fn number(self) -> i64 {
        self.0
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

/// Records looked at in one statement.
const STRETCH: usize = 1_000;

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
        let before = match sought.after {
            None => i64::MAX,
            Some(after) => match self.numbers_of(&[after]).await?.first() {
                Some(number) => *number,
                None => return Ok(Vec::new()),
            },
        };
        let Some(candidates) = self.candidates(sought).await? else {
            return self.found_among(None, organisation, sought, before, sought.most).await;
        };
        // The last that came in has the highest number.
        let candidates: Vec<i64> = candidates.range(..before).rev().copied().collect();
        let mut found = Vec::new();
        for some in candidates.chunks(STRETCH) {
            let most = sought.most.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            if most == 0 {
                break;
            }
            found.extend(self.found_among(Some(some), organisation, sought, before, most).await?);
        }
        Ok(found)
    }

    /// Numbers of the records that have the tokens and are among those named; `None` when neither is asked.
    async fn candidates(&self, sought: &Sought) -> Result<Option<BTreeSet<i64>>, StoreError> {
        let mut left: Option<BTreeSet<i64>> = match &sought.among {
            Some(among) => Some(self.numbers_of(among).await?.into_iter().collect()),
            None => None,
        };
        for group in &sought.all_of {
            let with = with_any(self.database(), group).await?;
            left = Some(match left {
                Some(left) => left.intersection(&with).copied().collect(),
                None => with,
            });
        }
        Ok(left)
    }

    async fn numbers_of(&self, records: &[RecordId]) -> Result<Vec<i64>, StoreError> {
        let mut numbers = Vec::with_capacity(records.len());
        for some in records.chunks(LISTED_MAX) {
            let sql = format!("SELECT number FROM record_row WHERE id IN ({})", list(1, some.len()));
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            let query = some.iter().fold(query, |query, id| query.bind(bytes(id.uuid())));
            let rows = query.fetch_all(self.database().read()).await;
            for row in rows.map_err(StoreError::database("finding records back"))? {
                numbers.push(row.number("number")?);
            }
        }
        Ok(numbers)
    }

    /// Of these records, or of all, those of the organisation and the period; the last that came in first.
    async fn found_among(
        &self,
        candidates: Option<&[i64]>,
        organisation: &OrganisationId,
        sought: &Sought,
        before: i64,
        most: u32,
    ) -> Result<Vec<RecordId>, StoreError> {
        // A record without a time is found by a search that names no period.
        let untimed =
            if sought.from.is_none() && sought.until.is_none() { " OR r.posted_at IS NULL" } else { "" };
        let among = candidates.map_or_else(String::new, |numbers| {
            let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            format!(" AND r.number IN ({})", numbers.join(", "))
        });
        let sql = format!(
            "SELECT r.id FROM record_row r JOIN shelf s ON s.number = r.shelf \
             WHERE s.organisation = $1 AND r.destroyed_at IS NULL \
             AND ((r.posted_at >= $2 AND r.posted_at < $3){untimed}) AND r.number < $4{among} \
             ORDER BY r.number DESC LIMIT $5"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .persistent(false)
            .bind(organisation.to_string())
            .bind(sought.from.map_or(i64::MIN, Timestamp::micros))
            .bind(sought.until.map_or(i64::MAX, Timestamp::micros))
            .bind(before)
            .bind(i64::from(most))
            .fetch_all(self.database().read())
            .await
            .map_err(StoreError::database("finding records back"))?;
        rows.iter().map(|row| Ok(RecordId::from_uuid(row.id("id")?))).collect()
    }
}
