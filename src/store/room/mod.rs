//! The reading room's database: written by the vault, read by the reading room.
//!
//! [`RoomWriter`] takes projections and grants down; [`Room`] looks them up for a grant. Neither sees a key.

mod bits;
mod carry;
mod citations;
mod document;
mod exports;
mod finder;
mod grants;
mod index;
mod lookup;
mod names;
mod notices;
mod packages;
mod reader;
mod requests;
mod writer;

pub use citations::Cited;
pub use exports::{
    ExportOrder, ExportRecord, GrantValue, NamedProjection, Place, PublishedExport, ShownLess,
};
pub use notices::PublishedRecall;
pub use reader::Room;
pub use requests::CoveredProjection;
pub use writer::RoomWriter;

use super::StoreError;
use super::rows::RowValues;
use crate::model::{
    ActorId, ChannelId, ConversationId, Day, GrantId, OrganisationId, ProjectionId, RecordRef, RequestId,
    SubjectRef, Timestamp, WrittenDay,
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// To whom a publication is granted: a realm that no issuer's persons are of, and the name of everyone in it.
pub const EVERYONE: (&str, &str) = ("knik:everyone", "everyone");

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
    /// The only grants that may have it; every grant that covers it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_for: Option<Vec<GrantId>>,
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
    /// Which records of these channels; all when there is none.
    #[serde(default)]
    pub selection: Option<PublishedSelection>,
    /// Who reads beside the reader.
    #[serde(default)]
    pub team: Vec<PublishedReader>,
    /// Whether copies are had as files under it, in the place of views.
    #[serde(default)]
    pub export: bool,
    /// Whether it shows what only the vault can make.
    #[serde(default)]
    pub needs_values: bool,
}

/// Which records a grant is about: those that hold every part that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PublishedSelection {
    /// Posted on this day or after.
    pub from: Option<WrittenDay>,
    /// Posted on this day or before.
    pub until: Option<WrittenDay>,
    /// Of these conversations.
    pub conversations: BTreeSet<ConversationId>,
    /// Normalised words, all of which stand in the text.
    pub words: BTreeSet<String>,
}

impl PublishedSelection {
    /// Whether a projection of a conversation is one of them. A record whose day is not stated is in no period, and none is in one
    /// that begins or ends with what is no day.
    #[must_use]
    pub fn covers(&self, conversation: ConversationId, day: &str, words: &[String]) -> bool {
        let within = |end: &Option<WrittenDay>, holds: fn(&str, &str) -> bool| match end {
            None => true,
            Some(end) => end.day().is_some_and(|end| !day.is_empty() && holds(day, end.as_str())),
        };
        let from = within(&self.from, |day, from| day >= from);
        let until = within(&self.until, |day, until| day <= until);
        let of = self.conversations.is_empty() || self.conversations.contains(&conversation);
        from && until && of && self.words.iter().all(|word| words.contains(word))
    }
}

/// A reader on the way down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedReader {
    /// Who.
    pub reader: ActorId,
    /// Issuer of their tokens.
    pub issuer: String,
    /// Subject of their tokens.
    pub subject: String,
}

/// A request on its way down, as the researcher may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishedRequest {
    /// Its id.
    pub id: RequestId,
    /// Issuer of the tokens of the one who asked.
    pub issuer: String,
    /// Subject of those tokens.
    pub subject: String,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// What may be seen of it (JSON).
    pub document: String,
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
    /// Which records of these channels; all when there is none.
    pub selection: Option<PublishedSelection>,
    /// Whether copies are had as files under it.
    pub export: bool,
    /// Whether it shows what only the vault can make.
    pub needs_values: bool,
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
    /// What the vault made for it under the grant (JSON), where the grant needs that and it is there.
    pub values: Option<String>,
}

/// A reader with their grants.
#[derive(Debug)]
pub struct Holder {
    /// Who reads.
    pub reader: ActorId,
    /// Each grant, in force or not, the one that runs longest last.
    pub grants: Vec<Arc<ReadingGrant>>,
}

/// Who asks, and what they asked for.
#[derive(Debug)]
pub struct Visitor {
    /// Who reads, under which grants.
    pub holder: Arc<Holder>,
    /// The record that was asked for, and which of these grants names it so.
    pub record: Option<(GrantId, RoomRecord)>,
}

/// What a search asks.
#[derive(Debug, Default, Clone)]
pub struct Query {
    /// Normalised words, all of which must stand in the text.
    pub words: Vec<String>,
    /// Only this channel.
    pub channel: Option<ChannelId>,
    /// Not before this day.
    pub from_day: Option<Day>,
    /// Not after this day.
    pub until_day: Option<Day>,
}

/// Draws random bytes for references and pseudonyms; the caller brings the source. `None` when it fails: then
/// nothing is published.
pub type Draw<'a> = &'a (dyn Fn() -> Option<u128> + Sync);

/// How it is stored that a grant was revoked. Its names are gone.
const REVOKED: i64 = 1;
/// How it is stored that a grant is over and that this was taken up. Its names are gone.
const LAPSED: i64 = 2;

/// How the form of a grant is stored when copies are had as files.
const EXPORT_FORM: &str = "export";

fn grant_of(row: &AnyRow) -> Result<ReadingGrant, StoreError> {
    let channels: Result<Vec<ChannelId>, _> =
        row.text("channels")?.split_whitespace().map(str::parse).collect();
    Ok(ReadingGrant {
        id: GrantId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        channels: channels.map_err(|_| StoreError::Corrupt { what: "channels of a grant" })?,
        plan: row.text("plan")?,
        until: row.time("until_at")?,
        // One that is over says so by its end.
        revoked: row.number("revoked")? == REVOKED,
        selection: match row.text("selection")?.as_str() {
            "" => None,
            json => Some(serde_json::from_str(json).map_err(|_| StoreError::Corrupt { what: "selection" })?),
        },
        export: row.text("form")? == EXPORT_FORM,
        needs_values: row.number("wanting")? != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_is_no_day_covers_nothing_where_it_was_stored() {
        let conversation = ConversationId::from_uuid(Uuid::from_u128(1));
        for (from, until) in [
            ("null", "\"20260306\""),
            ("\"20260306\"", "null"),
            ("\"2026-03-01\"", "\"2026-03-06T00:00\""),
            ("\"gisteren\"", "\"2026-03-06\""),
        ] {
            let stored = format!("{{\"from\":{from},\"until\":{until}}}");
            let selection: PublishedSelection = serde_json::from_str(&stored).unwrap();
            for day in ["2026-03-06", "2026-01-01", "2026-12-31", "20260306", ""] {
                assert!(!selection.covers(conversation, day, &[]), "{stored} covers `{day}`");
            }
            assert_eq!(
                serde_json::to_value(&selection).unwrap()["until"].to_string(),
                until,
                "kept as it was"
            );
        }
    }

    #[test]
    fn days_are_compared_whole_and_an_unknown_day_is_in_no_period() {
        let conversation = ConversationId::from_uuid(Uuid::from_u128(1));
        let selection = PublishedSelection {
            from: Some("2026-03-01".to_owned().into()),
            until: Some("2026-05-31".to_owned().into()),
            ..PublishedSelection::default()
        };
        for (day, within) in [
            ("2026-03-01", true),
            ("2026-05-31", true),
            ("2026-02-28", false),
            ("2026-06-01", false),
            ("", false),
        ] {
            assert_eq!(selection.covers(conversation, day, &[]), within, "{day}");
        }
        assert!(PublishedSelection::default().covers(conversation, "", &[]));
        let other = ConversationId::from_uuid(Uuid::from_u128(2));
        let of = PublishedSelection { conversations: [other].into(), ..PublishedSelection::default() };
        assert!(of.covers(other, "", &[]) && !of.covers(conversation, "", &[]));
        let words = |of: &[&str]| of.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let of = PublishedSelection {
            words: words(&["brug", "open"]).into_iter().collect(),
            ..PublishedSelection::default()
        };
        assert!(
            of.covers(other, "", &words(&["de", "brug", "open"])) && !of.covers(other, "", &words(&["brug"]))
        );
    }
}
