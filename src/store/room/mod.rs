//! The reading room's database: written by the vault, read by the reading room.
//!
//! [`RoomWriter`] takes projections and grants down; [`Room`] looks them up for a grant. Neither sees a key.

mod reader;
mod writer;

pub use reader::Room;
pub use writer::RoomWriter;

use super::StoreError;
use super::rows::RowValues;
use crate::model::{
    ActorId, ChannelId, ConversationId, GrantId, OrganisationId, ProjectionId, RecordRef, SubjectRef,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// The projections of one conversation: they take the place of what was published of it, at once.
#[derive(Debug, Serialize, Deserialize)]
pub struct PublishedConversation {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Its projections in the order of posting; empty withdraws the conversation.
    pub projections: Vec<PublishedProjection>,
}

/// One projection on its way down.
#[derive(Debug, Serialize, Deserialize)]
pub struct PublishedProjection {
    /// Its id.
    pub id: ProjectionId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Of which channel.
    pub channel: ChannelId,
    /// The day of posting, empty when not stated.
    pub day: String,
    /// Its place in the conversation.
    pub position: u32,
    /// The redacted document (JSON).
    pub document: String,
    /// Normalised words of its text.
    pub words: Vec<String>,
    /// The persons it refers to.
    pub subjects: Vec<SubjectRef>,
}

/// A grant on its way down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublishedGrant {
    /// Its id.
    pub id: GrantId,
    /// Who may read.
    pub reader: ActorId,
    /// Issuer of the reader's tokens.
    pub issuer: String,
    /// Subject of the reader's tokens.
    pub subject: String,
    /// Whose records.
    pub organisation: OrganisationId,
    /// Which channels.
    pub channels: Vec<ChannelId>,
    /// How views are rendered.
    pub plan: String,
    /// Until when.
    pub until: Timestamp,
}

/// A grant as the reading room knows it.
#[derive(Debug, Clone)]
pub struct ReadingGrant {
    /// Its id.
    pub id: GrantId,
    /// Whose records.
    pub organisation: OrganisationId,
    /// Which channels.
    pub channels: Vec<ChannelId>,
    /// How views are rendered.
    pub plan: String,
    /// Until when.
    pub until: Timestamp,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A projection as one grant names it.
#[derive(Debug)]
pub struct RoomRecord {
    /// The grant's own name for it.
    pub reference: RecordRef,
    /// The grant's own name for its conversation.
    pub conversation_reference: RecordRef,
    /// The projection.
    pub projection: ProjectionId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The pseudonyms of the persons it refers to, as the grant names them; `None` when they must be looked up.
    pub names: Option<HashMap<SubjectRef, String>>,
    /// The redacted document (JSON).
    pub document: String,
}

/// A reader with their grants.
#[derive(Debug)]
pub struct Visitor {
    /// Who reads.
    pub reader: ActorId,
    /// Each grant, newest last, with the record that was asked for where the grant names one so.
    pub grants: Vec<(ReadingGrant, Option<RoomRecord>)>,
}

/// What a search asks.
#[derive(Debug, Default, Clone)]
pub struct Query {
    /// Normalised words, all of which must stand in the text.
    pub words: Vec<String>,
    /// Only this channel.
    pub channel: Option<ChannelId>,
    /// Not before this day.
    pub from_day: Option<String>,
    /// Not after this day.
    pub until_day: Option<String>,
}

/// Draws random bytes for references and pseudonyms; the caller brings the source. `None` when it fails: then
/// nothing is published.
pub type Draw<'a> = &'a (dyn Fn() -> Option<u128> + Sync);

fn grant_of(row: &AnyRow) -> Result<ReadingGrant, StoreError> {
    let channels: Result<Vec<ChannelId>, _> =
        row.text("channels")?.split_whitespace().map(str::parse).collect();
    Ok(ReadingGrant {
        id: GrantId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        channels: channels.map_err(|_| StoreError::Corrupt { what: "channels of a grant" })?,
        plan: row.text("plan")?,
        until: row.time("until_at")?,
        revoked: row.number("revoked")? != 0,
    })
}
