//! How reactions of threads sounded, as counts; and when what was asked was answered.

use super::Catalogue;
use crate::decide::Sentiment;
use crate::model::{ChannelId, ConversationId, OrganisationId, RecordId, Timestamp};
use crate::store::StoreError;
use crate::store::rows::{RowValues, bytes, insert_all};
use sqlx::{Any, Transaction};
use std::collections::BTreeMap;

/// So many reactions of a thread sounded so on a day.
#[derive(Debug)]
pub struct SentimentRow {
    /// Which thread.
    pub conversation: ConversationId,
    /// On which channel.
    pub channel: ChannelId,
    /// The day of posting, or of coming in.
    pub day: String,
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
    /// Counts of an organisation for days from `from` on, before `until`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sentiment(
        &self,
        organisation: &OrganisationId,
        from: &str,
        until: &str,
    ) -> Result<Vec<SentimentRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.conversation, s.channel, s.method, s.said, CAST(SUM(s.amount) AS BIGINT) AS amount FROM sentiment s \
             JOIN channel c ON c.id = s.channel WHERE c.organisation = $1 AND s.day >= $2 AND s.day < $3 \
             GROUP BY s.conversation, s.channel, s.method, s.said ORDER BY s.conversation, s.method, s.said",
        )
        .bind(organisation.to_string())
        .bind(from.to_owned())
        .bind(until.to_owned())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("adding up how reactions sounded"))?;
        rows.iter()
            .map(|row| {
                Ok(SentimentRow {
                    conversation: ConversationId::from_uuid(row.id("conversation")?),
                    channel: row.term("channel")?,
                    day: from.to_owned(),
                    method: row.text("method")?,
                    said: row.term("said")?,
                    amount: u64::try_from(row.number("amount")?).unwrap_or_default(),
                })
            })
            .collect()
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

pub(super) async fn insert_sentiment(
    tx: &mut Transaction<'static, Any>,
    rows: &[SentimentRow],
) -> Result<(), StoreError> {
    let head = "INSERT INTO sentiment (conversation, channel, day, method, said, amount) VALUES";
    insert_all(tx, head, 6, "", rows, |query, row| {
        query
            .bind(bytes(row.conversation.uuid()))
            .bind(row.channel.to_string())
            .bind(row.day.clone())
            .bind(row.method.clone())
            .bind(row.said.as_str())
            .bind(i64::try_from(row.amount).unwrap_or(i64::MAX))
    })
    .await
}
