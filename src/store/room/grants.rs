//! A grant in the reading room: who reads under it, what it covers, until when.

use super::index::{Changes, Key, forget_grant};
use super::names::name_for_grant;
use super::reader::document_of;
use super::writer::{Covered, numbers_of};
use super::{
    Draw, LAPSED, PublishedGrant, PublishedProjection, PublishedReader, REVOKED, ReadingGrant, RoomWriter,
    grant_of,
};
use crate::model::{ChannelId, ConversationId, GrantId, OrganisationId, ProjectionId, Timestamp};
use crate::redact::{Projection, searchable};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{RowValues, bytes};
use sqlx::{Any, Transaction};
use std::collections::BTreeMap;

/// Conversations named at once when a grant is published: rows wait in memory.
const CONVERSATIONS_AT_ONCE: usize = 64;

impl RoomWriter {
    /// Publishes a grant: the reader, and the grant's own names for everything it covers. One that was revoked
    /// or is over gets none.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn grant(&self, grant: &PublishedGrant, draw: Draw<'_>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        if !insert_grant(&mut tx, grant).await? {
            return Ok(());
        }
        let mut changes = Changes::default();
        let found = covered_by(&mut tx, grant, &mut changes).await?;
        let covered: Vec<Covered<'_>> =
            found.iter().map(|(conversation, of)| (*conversation, of.iter().collect())).collect();
        for some in covered.chunks(CONVERSATIONS_AT_ONCE) {
            let ids: Vec<ProjectionId> = some.iter().flat_map(|(_, of)| of).map(|p| p.id).collect();
            let numbers = numbers_of(&mut tx, &ids).await?;
            name_for_grant(&mut tx, grant.id, some, &numbers, draw).await?;
        }
        changes.write(&mut tx).await?;
        Effect::RoomGrant.of(tx.commit()).await.map_err(StoreError::database("publishing a grant"))
    }

    /// Gives a grant another end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_until(&self, grant: GrantId, until: Timestamp) -> Result<(), StoreError> {
        let written = sqlx::query("UPDATE reading_grant SET until_at = $1 WHERE id = $2 AND revoked = 0")
            .bind(until.micros())
            .bind(bytes(grant.uuid()));
        let done = Effect::RoomGrantUntil.of(written.execute(self.database().write())).await;
        done.map_err(StoreError::database("extending a grant"))?;
        Ok(())
    }

    /// Revokes a grant: its names and pseudonyms go with it.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn revoke(&self, grant: GrantId) -> Result<(), StoreError> {
        self.end(grant, REVOKED).await
    }

    /// Takes up that a grant is over: its names and pseudonyms go with it. One that was revoked stays so.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn lapse(&self, grant: GrantId) -> Result<(), StoreError> {
        self.end(grant, LAPSED).await
    }

    async fn end(&self, grant: GrantId, ended: i64) -> Result<(), StoreError> {
        let failed = "ending a grant";
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE reading_grant SET revoked = $1 WHERE id = $2 AND revoked <> $3")
            .bind(ended)
            .bind(bytes(grant.uuid()))
            .bind(REVOKED)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database(failed))?;
        for statement in [
            "DELETE FROM grant_record WHERE reading_grant = $1",
            "DELETE FROM grant_conversation WHERE reading_grant = $1",
            "DELETE FROM grant_subject WHERE reading_grant = $1",
            "DELETE FROM grant_gone WHERE reading_grant = $1",
            "DELETE FROM grant_value WHERE reading_grant = $1",
            "DELETE FROM export_chunk WHERE export IN (SELECT id FROM export_view WHERE reading_grant = $1)",
            "DELETE FROM export_row WHERE export IN (SELECT id FROM export_view WHERE reading_grant = $1)",
            "DELETE FROM export_member WHERE export IN (SELECT id FROM export_view WHERE reading_grant = $1)",
        ] {
            sqlx::query(statement)
                .bind(bytes(grant.uuid()))
                .execute(&mut *tx)
                .await
                .map_err(StoreError::database(failed))?;
        }
        forget_grant(&mut tx, grant).await?;
        Effect::RoomRevocation.of(tx.commit()).await.map_err(StoreError::database(failed))
    }
}

pub(super) async fn grants_in_force(
    tx: &mut Transaction<'static, Any>,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Vec<ReadingGrant>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM reading_grant WHERE organisation = $1 AND revoked = 0 AND until_at > $2 ORDER BY id",
    )
    .bind(organisation.to_string())
    .bind(now.micros())
    .fetch_all(&mut **tx)
    .await
    .map_err(StoreError::database("reading grants"))?;
    rows.iter().map(grant_of).collect()
}

/// Writes a grant unless it is there; `false` when it was revoked or is over.
async fn insert_grant(
    tx: &mut Transaction<'static, Any>,
    grant: &PublishedGrant,
) -> Result<bool, StoreError> {
    let asked = PublishedReader {
        reader: grant.reader,
        issuer: grant.issuer.clone(),
        subject: grant.subject.clone(),
    };
    let selection = match &grant.selection {
        Some(selection) => {
            serde_json::to_string(selection).map_err(|_| StoreError::Corrupt { what: "selection" })?
        }
        None => String::new(),
    };
    for reader in [&asked].into_iter().chain(&grant.team) {
        insert_reader(tx, reader).await?;
    }
    let channels: Vec<&str> = grant.channels.iter().map(ChannelId::as_str).collect();
    sqlx::query(
        "INSERT INTO reading_grant (id, reader, organisation, channels, plan, until_at, revoked, selection, form, wanting) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
    )
    .bind(bytes(grant.id.uuid()))
    .bind(bytes(grant.reader.uuid()))
    .bind(grant.organisation.to_string())
    .bind(channels.join(" "))
    .bind(grant.plan.clone())
    .bind(grant.until.micros())
    .bind(selection)
    .bind(if grant.export { super::EXPORT_FORM } else { "view" })
    .bind(if grant.needs_values { super::exports::WANTING } else { 0 })
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("publishing a grant"))?;
    for reader in [&asked].into_iter().chain(&grant.team) {
        sqlx::query(
            "INSERT INTO grant_reader (reading_grant, reader) VALUES ($1, $2) ON CONFLICT (reading_grant, reader) \
             DO NOTHING",
        )
        .bind(bytes(grant.id.uuid()))
        .bind(bytes(reader.reader.uuid()))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("publishing a reader"))?;
    }
    let row = sqlx::query("SELECT revoked FROM reading_grant WHERE id = $1")
        .bind(bytes(grant.id.uuid()))
        .fetch_one(&mut **tx)
        .await
        .map_err(StoreError::database("publishing a grant"))?;
    Ok(row.number("revoked")? == 0)
}

async fn insert_reader(
    tx: &mut Transaction<'static, Any>,
    reader: &PublishedReader,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO reader (id, issuer, subject) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
        .bind(bytes(reader.reader.uuid()))
        .bind(reader.issuer.clone())
        .bind(reader.subject.clone())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("publishing a reader"))?;
    Ok(())
}

async fn covered_by(
    tx: &mut Transaction<'static, Any>,
    grant: &PublishedGrant,
    changes: &mut Changes,
) -> Result<BTreeMap<ConversationId, Vec<PublishedProjection>>, StoreError> {
    // In the order of ids, so that the same seed draws the same names.
    let mut found: BTreeMap<ConversationId, Vec<PublishedProjection>> = BTreeMap::new();
    for channel in &grant.channels {
        let rows = sqlx::query(
            "SELECT p.number, p.id, p.conversation, p.day, p.position, p.author, p.passages, f.content \
             FROM frame f JOIN projection p ON p.frame = f.number \
             WHERE f.organisation = $1 AND f.channel = $2 AND p.limited = 0 ORDER BY p.id",
        )
        .bind(grant.organisation.to_string())
        .bind(channel.to_string())
        .fetch_all(&mut **tx)
        .await
        .map_err(StoreError::database("reading projections"))?;
        for row in rows {
            let document = document_of(&row)?;
            let conversation = ConversationId::from_uuid(row.id("conversation")?);
            let read = read_document(&document)?;
            let day = row.text("day")?;
            let words = searchable(&read);
            if grant.selection.as_ref().is_some_and(|of| !of.covers(conversation, &day, &words)) {
                continue;
            }
            changes.add(Key::grant(grant.id), row.number("number")?);
            let projection = PublishedProjection {
                id: ProjectionId::from_uuid(row.id("id")?),
                organisation: grant.organisation.clone(),
                channel: channel.clone(),
                day,
                position: u32::try_from(row.number("position")?).unwrap_or(u32::MAX),
                subjects: read.subjects(),
                document,
                words,
                only_for: None,
            };
            found.entry(conversation).or_default().push(projection);
        }
    }
    Ok(found)
}

pub(super) fn read_document(document: &str) -> Result<Projection, StoreError> {
    serde_json::from_str(document).map_err(|_| StoreError::Corrupt { what: "projection" })
}
