//! Views: a lookup and a template. No key, no decryption.

use super::{ReaderClaims, ReadingError, ReadingRoom, Visit};
use crate::access::{Action, Resource};
use crate::model::{ChannelId, ConversationId, GrantId, ProjectionId, RecordRef, SubjectRef};
use crate::redact::copy::{Given, GrantMade};
use crate::redact::{Language, Plan, Projection, View, render};
use crate::store::StoreError;
use crate::store::inbox::RoomEventKind;
use crate::store::room::{Query, RoomRecord};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// A redacted view under the names of one grant.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadingView {
    /// The grant's own name for the record.
    pub id: RecordRef,
    /// The grant's own name for its conversation.
    pub conversation: RecordRef,
    /// The view.
    #[serde(flatten)]
    pub view: View,
}

/// What to list.
#[derive(Debug, Default, Clone)]
pub struct Selection {
    /// Under which grant; the one for views that runs longest when absent.
    pub grant: Option<GrantId>,
    /// Only this channel.
    pub channel: Option<ChannelId>,
    /// After this record.
    pub after: Option<RecordRef>,
    /// How many at the most.
    pub most: u32,
    /// In which language labels are.
    pub language: Language,
}

/// A page of views.
#[derive(Debug)]
pub struct Page {
    /// The views, by day and conversation.
    pub views: Vec<ReadingView>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<RecordRef>,
}

/// Most records of one page.
pub(super) const PAGE_MOST: u32 = 100;

impl ReadingRoom {
    /// The records of a grant.
    ///
    /// # Errors
    /// [`ReadingError`]; a refusal is recorded.
    pub async fn list(&self, claims: &ReaderClaims, selection: &Selection) -> Result<Page, ReadingError> {
        let visit = self.visit(claims, selection.grant).await?;
        let plan = self.decide_views(&visit, Action::ListRecords, &visit.collection()).await?;
        let query = Query { channel: selection.channel.clone(), ..Query::default() };
        let page = self.page(&visit, plan, &query, selection).await?;
        let shown = page.1;
        self.tell(&visit, RoomEventKind::View, shown, Vec::new()).await?;
        Ok(page.0)
    }

    /// One record.
    ///
    /// # Errors
    /// [`ReadingError::Absent`] for one that is not there and for one that the grant does not cover alike.
    pub async fn record(
        &self,
        claims: &ReaderClaims,
        grant: Option<GrantId>,
        reference: RecordRef,
        language: Language,
    ) -> Result<ReadingView, ReadingError> {
        let (visit, found) = self.visit_for(claims, grant, Some(reference)).await?;
        let resource = Resource::Record {
            organisation: visit.organisation(),
            published: visit.published() && found.is_some(),
            selected_by: found.as_ref().and(visit.grant_id()),
        };
        let plan = self.decide_views(&visit, Action::ReadRecord, &resource).await?;
        let (Some(found), Some(grant)) = (found, visit.grant_id()) else { return Err(ReadingError::Absent) };
        let shown = vec![found.projection];
        let view = self.render_under(grant, plan, vec![found], language).await?.pop();
        self.tell(&visit, RoomEventKind::View, shown, Vec::new()).await?;
        view.ok_or(ReadingError::Absent)
    }

    /// A conversation in the order of posting.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub async fn conversation(
        &self,
        claims: &ReaderClaims,
        grant: Option<GrantId>,
        reference: RecordRef,
        language: Language,
    ) -> Result<Vec<ReadingView>, ReadingError> {
        let mut visit = self.visit(claims, grant).await?;
        let mut found = Vec::new();
        for grant in visit.candidates() {
            found = self.room.conversation(grant.id, reference).await?;
            if !found.is_empty() {
                visit.grant = Some(grant);
                break;
            }
        }
        let resource = Resource::Conversation {
            organisation: visit.organisation(),
            published: visit.published() && !found.is_empty(),
            selected_by: visit.grant_id().filter(|_| !found.is_empty()),
        };
        let plan = self.decide_views(&visit, Action::ReadConversation, &resource).await?;
        let grant = visit.grant_id().ok_or(ReadingError::Absent)?;
        let shown = found.iter().map(|record| record.projection).collect();
        let views = self.render_under(grant, plan, found, language).await?;
        self.tell(&visit, RoomEventKind::View, shown, Vec::new()).await?;
        Ok(views)
    }

    /// A page of what answers `query`, and which projections it shows.
    pub(super) async fn page(
        &self,
        visit: &Visit,
        plan: &Plan,
        query: &Query,
        selection: &Selection,
    ) -> Result<(Page, Vec<ProjectionId>), ReadingError> {
        let grant = visit.grant_id().ok_or(ReadingError::Absent)?;
        let most = selection.most.clamp(1, PAGE_MOST);
        let mut found = self.room.find(grant, query, selection.after, most + 1).await?;
        let more = found.len() > most as usize;
        found.truncate(most as usize);
        let next = found.last().filter(|_| more).map(|record| record.reference);
        let shown = found.iter().map(|record| record.projection).collect();
        let views = self.render_under(grant, plan, found, selection.language).await?;
        Ok((Page { views, next }, shown))
    }

    /// Renders records of a grant under a plan, with the grant's pseudonyms and what the vault made for it.
    pub(super) async fn render_under(
        &self,
        grant: GrantId,
        plan: &Plan,
        found: Vec<RoomRecord>,
        language: Language,
    ) -> Result<Vec<ReadingView>, ReadingError> {
        let mut read = Vec::with_capacity(found.len());
        let mut people: HashMap<ConversationId, BTreeSet<SubjectRef>> = HashMap::new();
        for record in found {
            let projection: Projection = serde_json::from_str(&record.document)
                .map_err(|_| StoreError::Corrupt { what: "projection" })?;
            if record.names.is_none() {
                people.entry(record.conversation).or_default().extend(projection.subjects());
            }
            read.push((record, projection));
        }
        let mut looked_up: HashMap<ConversationId, HashMap<SubjectRef, String>> = HashMap::new();
        for (conversation, subjects) in people {
            let subjects: Vec<SubjectRef> = subjects.into_iter().collect();
            let drawn = self.room.pseudonyms_of(grant, conversation, &subjects).await?;
            looked_up.insert(conversation, drawn);
        }
        let none = HashMap::new();
        let views = read.into_iter().map(|(record, projection)| {
            let looked_up = looked_up.get(&record.conversation);
            let names = record.names.as_ref().or(looked_up).unwrap_or(&none);
            let wider = made(record.values.as_deref()).wider;
            let given = Given { names, wider: &wider };
            let view = render(&projection, plan, &self.exemptions, &given, language);
            ReadingView { id: record.reference, conversation: record.conversation_reference, view }
        });
        Ok(views.collect())
    }
}

/// What the vault made for a record under its grant; nothing where it made nothing.
pub(super) fn made(stored: Option<&str>) -> GrantMade {
    stored.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}
