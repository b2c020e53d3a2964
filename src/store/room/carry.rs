//! What was published before projections had numbers is carried over, some at a time.

use super::index::{Changes, Key};
use super::writer::{Covered, upsert_projections};
use super::{PublishedProjection, RoomWriter};
use crate::model::{ConversationId, GrantId, ProjectionId};
use crate::redact::{Projection, searchable};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, list};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::BTreeMap;

/// Projections carried over in one transaction.
const AT_ONCE: i64 = 2_000;

impl RoomWriter {
    /// Brings what was published before projections had numbers into today's tables; nothing is drawn anew. Done before
    /// anyone reads; broken off, it goes on the next time. Returns how many projections there were.
    ///
    /// # Errors
    /// When the database fails, or holds what this version cannot read.
    pub async fn carry_over(&self) -> Result<u64, StoreError> {
        let mut carried = 0;
        loop {
            let mut tx = self.db.begin().await?;
            let moved = move_projections(&mut tx).await?;
            if moved == 0 {
                move_grants(&mut tx).await?;
            }
            Effect::RoomConversations
                .of(tx.commit())
                .await
                .map_err(StoreError::database("carrying projections over"))?;
            if moved == 0 {
                return Ok(carried);
            }
            carried += moved;
        }
    }
}

const CARRYING: &str = "carrying projections over";

async fn move_projections(tx: &mut Transaction<'static, Any>) -> Result<u64, StoreError> {
    let rows = sqlx::query("SELECT * FROM projection_before ORDER BY conversation, position, id LIMIT $1")
        .bind(AT_ONCE)
        .fetch_all(&mut **tx)
        .await
        .map_err(StoreError::database(CARRYING))?;
    let mut found: BTreeMap<ConversationId, Vec<PublishedProjection>> = BTreeMap::new();
    for row in &rows {
        found
            .entry(ConversationId::from_uuid(row.id("conversation")?))
            .or_default()
            .push(projection_of(row)?);
    }
    let of: Vec<Covered<'_>> =
        found.iter().map(|(conversation, of)| (*conversation, of.iter().collect())).collect();
    let mut changes = Changes::default();
    let numbers = upsert_projections(tx, &of, &mut changes).await?.numbers;
    changes.write(tx).await?;
    let ids: Vec<ProjectionId> = numbers.into_keys().collect();
    for some in ids.chunks(LISTED_MAX) {
        let sql =
            AssertSqlSafe(format!("DELETE FROM projection_before WHERE id IN ({})", list(1, some.len())));
        let mut query = sqlx::query(sql).persistent(some.len() == LISTED_MAX);
        for id in some {
            query = query.bind(bytes(id.uuid()));
        }
        query.execute(&mut **tx).await.map_err(StoreError::database(CARRYING))?;
    }
    Ok(rows.len() as u64)
}

fn projection_of(row: &AnyRow) -> Result<PublishedProjection, StoreError> {
    let document = row.text("document")?;
    let read: Projection =
        serde_json::from_str(&document).map_err(|_| StoreError::Corrupt { what: "projection" })?;
    Ok(PublishedProjection {
        id: ProjectionId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        channel: row.term("channel")?,
        day: row.text("day")?,
        position: u32::try_from(row.number("position")?).unwrap_or(u32::MAX),
        words: searchable(&read),
        subjects: read.subjects(),
        document,
        only_for: None,
    })
}

/// The names that grants have given stay as they are.
async fn move_grants(tx: &mut Transaction<'static, Any>) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT g.reading_grant, p.number FROM grant_record_before g JOIN projection p ON p.id = g.projection",
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(StoreError::database(CARRYING))?;
    let mut changes = Changes::default();
    for row in rows {
        changes.add(Key::grant(GrantId::from_uuid(row.id("reading_grant")?)), row.number("number")?);
    }
    changes.write(tx).await?;
    for statement in [
        "INSERT INTO grant_record (reference, reading_grant, projection, conversation_reference, day, position, names) \
         SELECT g.reference, g.reading_grant, p.number, g.conversation_reference, g.day, g.position, g.names \
         FROM grant_record_before g JOIN projection p ON p.id = g.projection",
        "DELETE FROM grant_record_before",
    ] {
        sqlx::query(statement).execute(&mut **tx).await.map_err(StoreError::database(CARRYING))?;
    }
    Ok(())
}
