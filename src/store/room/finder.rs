//! Finding: which records of a grant answer a query, from the index, and a page of them in order.

use super::index::{Index, Key, Numbers};
use super::reader::{RECORD_COLUMNS, RECORDS, record_of};
use super::{Query, Room, RoomRecord};
use crate::model::{Day, GrantId, RecordRef};
use crate::store::StoreError;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, list};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe};
use std::collections::HashMap;

/// So many answers are looked up one by one and put in order; of more, the grant's records are gone through in order.
const ANSWERS_LISTED_MAX: u64 = 2_000;
/// Records of a grant gone through at once, at most.
const STRETCH_MAX: u32 = 2_000;

impl Room {
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
        let whole = query.words.is_empty() && query.channel.is_none();
        let answers = if whole { None } else { Some(self.answers(grant, query).await?) };
        let numbers = match &answers {
            Some(few) if few.count() <= ANSWERS_LISTED_MAX => self.in_order(grant, few, after, most).await?,
            _ => self.gone_through(grant, query, answers.as_ref(), after, most).await?,
        };
        self.named(grant, &numbers).await
    }

    /// How many records of a grant answer `query`: exact, so not for a reader's eyes as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, grant: GrantId, query: &Query) -> Result<u64, StoreError> {
        Ok(self.answers(grant, query).await?.count())
    }

    /// What of a grant answers a query.
    async fn answers(&self, grant: GrantId, query: &Query) -> Result<Numbers, StoreError> {
        let index = Index::of(&self.db).await?;
        let mut found = index.with(&Key::grant(grant)).await?;
        let words = query.words.iter().map(|word| Key::word(word));
        for key in words.chain(query.channel.as_ref().map(Key::channel)) {
            found.keep(&index.with(&key).await?);
        }
        if query.from_day.is_some() || query.until_day.is_some() {
            // A record without a day is before every day, and not till any.
            let first = query.from_day.as_ref().map_or("\u{1}", Day::as_str);
            let last = query.until_day.as_ref().map_or("\u{10ffff}", Day::as_str);
            found.keep(&index.between(&Key::day(first), &Key::day(last)).await?);
        }
        Ok(found)
    }

    /// A page of these, by looking each of them up.
    async fn in_order(
        &self,
        grant: GrantId,
        answers: &Numbers,
        after: Option<RecordRef>,
        most: u32,
    ) -> Result<Vec<i64>, StoreError> {
        let after = match after {
            Some(reference) => match self.place_of(grant, reference).await? {
                Some(place) => Some(place),
                None => return Ok(Vec::new()),
            },
            None => None,
        };
        let mut places = Vec::new();
        let numbers: Vec<i64> = answers.iter().collect();
        for some in numbers.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT day, conversation_reference, position, reference, projection FROM grant_record \
                 WHERE reading_grant = $1 AND projection IN ({})",
                list(2, some.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(bytes(grant.uuid()));
            for number in some {
                query = query.bind(*number);
            }
            let rows = query.fetch_all(self.db.read()).await.map_err(StoreError::database("searching"))?;
            places.extend(rows.iter().map(place_of).collect::<Result<Vec<_>, _>>()?);
        }
        places.sort_unstable();
        let from = after.map_or(0, |after| places.partition_point(|place| *place <= after));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(places.into_iter().skip(from).take(most).map(|place| place.number).collect())
    }

    async fn place_of(&self, grant: GrantId, reference: RecordRef) -> Result<Option<Place>, StoreError> {
        let row = sqlx::query(
            "SELECT day, conversation_reference, position, reference, projection FROM grant_record \
             WHERE reference = $1 AND reading_grant = $2",
        )
        .bind(bytes(reference.uuid()))
        .bind(bytes(grant.uuid()))
        .fetch_optional(self.db.read())
        .await
        .map_err(StoreError::database("searching"))?;
        row.as_ref().map(place_of).transpose()
    }

    /// A page of what is among the answers, by going through the grant's records in their order.
    async fn gone_through(
        &self,
        grant: GrantId,
        query: &Query,
        answers: Option<&Numbers>,
        mut after: Option<RecordRef>,
        most: u32,
    ) -> Result<Vec<i64>, StoreError> {
        let wanted = usize::try_from(most).unwrap_or(usize::MAX);
        let mut stretch = if answers.is_some() { most.saturating_mul(4).min(STRETCH_MAX) } else { most };
        let mut page = Vec::new();
        loop {
            let mut sql = Conditions::new(grant, query);
            if let Some(after) = after {
                sql.after(after);
            }
            let limit = sql.next(Value::Number(i64::from(stretch)));
            let text = format!(
                "SELECT g.reference, g.projection FROM grant_record g WHERE {} \
                 ORDER BY g.day, g.conversation_reference, g.position, g.reference LIMIT {limit}",
                sql.text()
            );
            let rows = sql.bind(sqlx::query(AssertSqlSafe(text))).fetch_all(self.db.read()).await;
            let rows = rows.map_err(StoreError::database("searching"))?;
            for row in &rows {
                let number = row.number("projection")?;
                if answers.is_none_or(|answers| answers.holds(number)) {
                    page.push(number);
                }
            }
            let last = rows.last().map(|row| row.id("reference")).transpose()?;
            if page.len() >= wanted || rows.len() < usize::try_from(stretch).unwrap_or(usize::MAX) {
                page.truncate(wanted);
                return Ok(page);
            }
            after = last.map(RecordRef::from_uuid);
            stretch = STRETCH_MAX;
        }
    }

    /// These projections as a grant names them, in this order.
    async fn named(&self, grant: GrantId, numbers: &[i64]) -> Result<Vec<RoomRecord>, StoreError> {
        let mut found = HashMap::with_capacity(numbers.len());
        for some in numbers.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT {RECORD_COLUMNS}, p.number FROM {RECORDS} WHERE g.reading_grant = $1 AND g.projection IN ({})",
                list(2, some.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(bytes(grant.uuid()));
            for number in some {
                query = query.bind(*number);
            }
            let rows = query.fetch_all(self.db.read()).await.map_err(StoreError::database("searching"))?;
            for row in rows {
                found.insert(row.number("number")?, record_of(&row)?);
            }
        }
        // One that was withdrawn meanwhile is left out.
        Ok(numbers.iter().filter_map(|number| found.remove(number)).collect())
    }
}

/// Where a record stands in the order of a grant.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    day: String,
    conversation_reference: Vec<u8>,
    position: i64,
    reference: Vec<u8>,
    number: i64,
}

fn place_of(row: &AnyRow) -> Result<Place, StoreError> {
    Ok(Place {
        day: row.text("day")?,
        conversation_reference: row.blob("conversation_reference")?,
        position: row.number("position")?,
        reference: row.blob("reference")?,
        number: row.number("projection")?,
    })
}

/// A `WHERE` of fixed clauses with numbered parameters: what people write is only ever bound.
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
        if let Some(day) = &query.from_day {
            made.push("g.day >= ", Value::Text(day.to_string()), "");
        }
        if let Some(day) = &query.until_day {
            made.push("g.day <> '' AND g.day <= ", Value::Text(day.to_string()), "");
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
