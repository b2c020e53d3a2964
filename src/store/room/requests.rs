//! What researchers see of their requests, and what an approver may know of a selection.

use super::grants::read_document;
use super::reader::document_of;
use super::{PublishedRequest, PublishedSelection, Room, RoomWriter};
use crate::model::{
    ActorId, ChannelId, ConversationId, GrantId, OrganisationId, ProjectionId, RecordRef, RequestId,
    Timestamp,
};
use crate::redact::searchable;
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::rows::{RowValues, bytes};
use std::collections::{BTreeMap, BTreeSet};

/// A projection that a selection covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredProjection {
    /// Which.
    pub id: ProjectionId,
    /// Of which channel.
    pub channel: ChannelId,
    /// The day of posting, empty when not stated.
    pub day: String,
}

impl RoomWriter {
    /// Publishes what a researcher may see of a request; an older state never takes the place of a newer one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request(&self, request: &PublishedRequest) -> Result<(), StoreError> {
        let written = sqlx::query(
            "INSERT INTO request_view (id, issuer, subject, changed_at, document) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (id) DO UPDATE SET changed_at = excluded.changed_at, document = excluded.document \
             WHERE request_view.changed_at <= excluded.changed_at",
        )
        .bind(bytes(request.id.uuid()))
        .bind(request.issuer.clone())
        .bind(request.subject.clone())
        .bind(request.changed_at.micros())
        .bind(request.document.clone());
        let done = Effect::RoomRequest.of(written.execute(self.database().write())).await;
        done.map_err(StoreError::database("publishing a request"))?;
        Ok(())
    }

    /// The conversations behind the names that the grants of a reader that run at `now` have for them; others are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn conversations_named(
        &self,
        reader: ActorId,
        names: &BTreeSet<RecordRef>,
        now: Timestamp,
    ) -> Result<BTreeSet<ConversationId>, StoreError> {
        let mut found = BTreeSet::new();
        for name in names {
            let row = sqlx::query(
                "SELECT p.conversation FROM grant_record g JOIN grant_reader t ON t.reading_grant = g.reading_grant \
                 JOIN reading_grant w ON w.id = g.reading_grant JOIN projection p ON p.number = g.projection \
                 WHERE g.conversation_reference = $1 AND t.reader = $2 AND w.revoked = 0 AND w.until_at > $3 LIMIT 1",
            )
            .bind(bytes(name.uuid()))
            .bind(bytes(reader.uuid()))
            .bind(now.micros())
            .fetch_optional(self.database().read())
            .await
            .map_err(StoreError::database("finding a conversation"))?;
            if let Some(row) = row {
                found.insert(ConversationId::from_uuid(row.id("conversation")?));
            }
        }
        Ok(found)
    }

    /// The projections of some channels that a selection covers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn covered(
        &self,
        organisation: &OrganisationId,
        channels: &[ChannelId],
        selection: &PublishedSelection,
    ) -> Result<Vec<CoveredProjection>, StoreError> {
        let mut found = Vec::new();
        for channel in channels {
            let rows = sqlx::query(
                "SELECT p.id, p.conversation, p.day, p.author, p.passages, f.content FROM frame f \
                 JOIN projection p ON p.frame = f.number WHERE f.organisation = $1 AND f.channel = $2 AND p.limited = 0 \
                 ORDER BY p.id",
            )
            .bind(organisation.to_string())
            .bind(channel.to_string())
            .fetch_all(self.database().read())
            .await
            .map_err(StoreError::database("reading projections"))?;
            for row in rows {
                let day = row.text("day")?;
                let words = if selection.words.is_empty() {
                    Vec::new()
                } else {
                    searchable(&read_document(&document_of(&row)?)?)
                };
                if selection.covers(ConversationId::from_uuid(row.id("conversation")?), &day, &words) {
                    let id = ProjectionId::from_uuid(row.id("id")?);
                    found.push(CoveredProjection { id, channel: channel.clone(), day });
                }
            }
        }
        Ok(found)
    }

    /// How many projections of some channels are published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn published_of(
        &self,
        organisation: &OrganisationId,
        channels: &[ChannelId],
    ) -> Result<u64, StoreError> {
        let mut published = 0;
        for channel in channels {
            let row = sqlx::query(
                "SELECT COUNT(*) AS n FROM frame f JOIN projection p ON p.frame = f.number \
                 WHERE f.organisation = $1 AND f.channel = $2 AND p.limited = 0",
            )
            .bind(organisation.to_string())
            .bind(channel.to_string())
            .fetch_one(self.database().read())
            .await
            .map_err(StoreError::database("counting projections"))?;
            published += u64::try_from(row.number("n")?).unwrap_or_default();
        }
        Ok(published)
    }

    /// The projections that each of these grants names: none, once it is over or revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn named_by(
        &self,
        grants: &[GrantId],
    ) -> Result<BTreeMap<GrantId, BTreeSet<ProjectionId>>, StoreError> {
        let mut found = BTreeMap::new();
        for grant in grants {
            let rows = sqlx::query(
                "SELECT p.id FROM grant_record g JOIN projection p ON p.number = g.projection \
                 WHERE g.reading_grant = $1",
            )
            .bind(bytes(grant.uuid()))
            .fetch_all(self.database().read())
            .await
            .map_err(StoreError::database("reading a grant"))?;
            let named = rows.iter().map(|row| Ok(ProjectionId::from_uuid(row.id("id")?)));
            found.insert(*grant, named.collect::<Result<_, StoreError>>()?);
        }
        Ok(found)
    }
}

impl Room {
    /// What someone may see of their requests (JSON), those that changed last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn requests(&self, issuer: &str, subject: &str) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT document FROM request_view WHERE issuer = $1 AND subject = $2 ORDER BY changed_at DESC, id",
        )
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .fetch_all(self.database().read())
        .await
        .map_err(StoreError::database("listing requests"))?;
        rows.iter().map(|row| row.text("document")).collect()
    }

    /// What someone may see of one request of theirs (JSON); `None` when they have none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request(
        &self,
        issuer: &str,
        subject: &str,
        id: RequestId,
    ) -> Result<Option<String>, StoreError> {
        let row =
            sqlx::query("SELECT document FROM request_view WHERE id = $1 AND issuer = $2 AND subject = $3")
                .bind(bytes(id.uuid()))
                .bind(issuer.to_owned())
                .bind(subject.to_owned())
                .fetch_optional(self.database().read())
                .await
                .map_err(StoreError::database("reading a request"))?;
        row.map(|row| row.text("document")).transpose()
    }
}
