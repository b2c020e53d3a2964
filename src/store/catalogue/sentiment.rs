//! How reactions of threads sounded, as counts; and when what was asked was answered.

use super::Catalogue;
use super::numbers::{Alike, Lookup, Numbers, Said};
use crate::decide::Sentiment;
use crate::model::{ChannelId, ConversationId, OrganisationId, RecordId, Timestamp};
use crate::store::StoreError;
use crate::store::rows::{RowValues, bytes, insert_all};
use jiff::civil::Date;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::BTreeMap;

/// So many reactions of a thread sounded so in a month.
#[derive(Debug)]
pub struct SentimentRow {
    /// Which thread.
    pub conversation: ConversationId,
    /// On which channel.
    pub channel: ChannelId,
    /// A day of the month of posting, or of coming in. Of it the month is kept.
    pub month: Date,
    /// The method, with its version.
    pub method: String,
    /// How they sounded.
    pub said: Sentiment,
    /// How many.
    pub amount: u64,
}

/// The organisation's answer to a record.
#[derive(Debug, Clone, Copy)]
pub struct GivenAnswer {
    /// The answer: the first of them.
    pub by: RecordId,
    /// When it was posted, if stated.
    pub at: Option<Timestamp>,
}

impl Catalogue {
    /// Counts of an organisation for months from that of `from` on, before that of `until`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sentiment(
        &self,
        organisation: &OrganisationId,
        from: Date,
        until: Date,
    ) -> Result<Vec<SentimentRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT v.id AS conversation, s.channel, s.method, CAST(SUM(t.positive) AS BIGINT) AS positive, \
             CAST(SUM(t.negative) AS BIGINT) AS negative, CAST(SUM(t.mixed) AS BIGINT) AS mixed, \
             CAST(SUM(t.neutral) AS BIGINT) AS neutral \
             FROM thread_sentiment t JOIN sentiment_source s ON s.number = t.source JOIN channel c ON c.id = s.channel \
             JOIN conversation v ON v.number = t.conversation \
             WHERE c.organisation = $1 AND t.month >= $2 AND t.month < $3 \
             GROUP BY v.id, s.channel, s.method ORDER BY v.id, s.channel, s.method",
        )
        .bind(organisation.to_string())
        .bind(month_number(from))
        .bind(month_number(until))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("adding up how reactions sounded"))?;
        let mut counts = Vec::with_capacity(rows.len());
        for row in &rows {
            for &said in Sentiment::ALL {
                let amount = u64::try_from(row.number(said.as_str())?).unwrap_or_default();
                if amount > 0 {
                    counts.push(SentimentRow {
                        conversation: ConversationId::from_uuid(row.id("conversation")?),
                        channel: row.term("channel")?,
                        month: from,
                        method: row.text("method")?,
                        said,
                        amount,
                    });
                }
            }
        }
        Ok(counts)
    }

    /// The organisation's own post of each of its threads.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn posts_of_threads(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<ConversationId, RecordId>, StoreError> {
        let rows = sqlx::query(
            "SELECT conversation, id FROM record WHERE organisation = $1 AND own = 1 AND kind = 'post' ORDER BY posted_at DESC",
        )
        .bind(organisation.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading posts"))?;
        let pair = |row: &sqlx::any::AnyRow| {
            Ok((ConversationId::from_uuid(row.id("conversation")?), RecordId::from_uuid(row.id("id")?)))
        };
        rows.iter().map(pair).collect()
    }

    /// What an organisation answered, with its first answer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answers_given(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<RecordId, GivenAnswer>, StoreError> {
        let rows = sqlx::query(
            "SELECT n.record, o.id, o.posted_at FROM record o JOIN name n ON n.digest = o.answers \
             WHERE o.organisation = $1 AND o.own = 1 AND n.record IS NOT NULL ORDER BY o.posted_at DESC, o.id DESC",
        )
        .bind(organisation.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading what was answered"))?;
        let pair = |row: &sqlx::any::AnyRow| {
            let given =
                GivenAnswer { by: RecordId::from_uuid(row.id("id")?), at: row.time_or_null("posted_at")? };
            Ok((RecordId::from_uuid(row.id("record")?), given))
        };
        rows.iter().map(pair).collect()
    }
}

/// On which channel, by which version of the method.
const SOURCE: Alike = Alike {
    find: "SELECT number FROM sentiment_source WHERE channel = $1 AND method = $2",
    add: "INSERT INTO sentiment_source (channel, method, number) \
          VALUES ($1, $2, (SELECT COALESCE(MAX(number), 0) + 1 FROM sentiment_source)) RETURNING number",
};

/// Adds counts to those of the same thread, source and month.
const ADD: &str = "ON CONFLICT (conversation, source, month) DO UPDATE SET \
    positive = thread_sentiment.positive + excluded.positive, negative = thread_sentiment.negative + excluded.negative, \
    mixed = thread_sentiment.mixed + excluded.mixed, neutral = thread_sentiment.neutral + excluded.neutral";

pub(super) async fn insert_sentiment(
    tx: &mut Transaction<'static, Any>,
    rows: &[SentimentRow],
    numbers: &Numbers,
) -> Result<(), StoreError> {
    let mut lookup = Lookup::default();
    let mut months: BTreeMap<[i64; 3], BTreeMap<Sentiment, u64>> = BTreeMap::new();
    for row in rows {
        let said = vec![Said::Word(row.channel.to_string()), Said::Word(row.method.clone())];
        let (source, _) = lookup.number(tx, &SOURCE, said).await?;
        let key = [numbers.conversation(row.conversation)?, source, month_number(row.month)];
        *months.entry(key).or_default().entry(row.said).or_default() += row.amount;
    }
    let head = "INSERT INTO thread_sentiment (conversation, source, month, positive, negative, mixed, neutral) VALUES";
    let months: Vec<_> = months.into_iter().collect();
    insert_all(tx, head, 7, ADD, &months, |query, (key, amounts)| {
        let amount = |said: &Sentiment| amounts.get(said).copied().unwrap_or_default();
        let amounts = Sentiment::ALL.iter().map(|said| i64::try_from(amount(said)).unwrap_or(i64::MAX));
        key.iter().copied().chain(amounts).fold(query, |query, number| query.bind(number))
    })
    .await
}

/// What was counted of a thread is counted of the one that takes it in.
pub(super) async fn merge_sentiment(
    tx: &mut Transaction<'static, Any>,
    keep: i64,
    drop: ConversationId,
) -> Result<(), StoreError> {
    let moved = format!(
        "INSERT INTO thread_sentiment (conversation, source, month, positive, negative, mixed, neutral) \
         SELECT $1, source, month, positive, negative, mixed, neutral FROM thread_sentiment \
         WHERE conversation = (SELECT number FROM conversation WHERE id = $2) {ADD}"
    );
    sqlx::query(AssertSqlSafe(moved))
        .bind(keep)
        .bind(bytes(drop.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("joining how threads sounded"))?;
    sqlx::query(
        "DELETE FROM thread_sentiment WHERE conversation = (SELECT number FROM conversation WHERE id = $1)",
    )
    .bind(bytes(drop.uuid()))
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("joining how threads sounded"))?;
    Ok(())
}

/// Months since the year 0, as stored.
fn month_number(day: Date) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month()) - 1
}
