//! Views: a lookup and a template. No key, no decryption.

use super::{ReaderClaims, ReadingError, ReadingRoom, Visit};
use crate::access::{Action, Allowed, Resource};
use crate::model::{ChannelId, ConversationId, GrantId, ProjectionId, RecordRef, SubjectRef};
use crate::redact::{Language, Projection, Pseudonyms, View, render};
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
    /// Under which grant; the one that runs longest when absent.
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
        let allowed = self.decide(&visit, Action::ListRecords, &visit.collection()).await?;
        let query = Query { channel: selection.channel.clone(), ..Query::default() };
        let page = self.page(&visit, &allowed, &query, selection).await?;
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
        let allowed = self.decide(&visit, Action::ReadRecord, &resource).await?;
        let found = found.ok_or(ReadingError::Absent)?;
        let shown = vec![found.projection];
        let view = self.render(&visit, &allowed, vec![found], language).await?.pop();
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
        let allowed = self.decide(&visit, Action::ReadConversation, &resource).await?;
        let shown = found.iter().map(|record| record.projection).collect();
        let views = self.render(&visit, &allowed, found, language).await?;
        self.tell(&visit, RoomEventKind::View, shown, Vec::new()).await?;
        Ok(views)
    }

    /// A page of what answers `query`, and which projections it shows.
    pub(super) async fn page(
        &self,
        visit: &Visit,
        allowed: &Allowed,
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
        let views = self.render(visit, allowed, found, selection.language).await?;
        Ok((Page { views, next }, shown))
    }

    /// Renders under the plan that the policies gave, with the grant's pseudonyms.
    async fn render(
        &self,
        visit: &Visit,
        allowed: &Allowed,
        found: Vec<RoomRecord>,
        language: Language,
    ) -> Result<Vec<ReadingView>, ReadingError> {
        // Policy says what a role may see at the most; without a plan there is no view.
        let plan = allowed.plan().and_then(|id| self.plans.plan(id)).ok_or(ReadingError::Absent)?;
        let grant = visit.grant_id().ok_or(ReadingError::Absent)?;
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
        let mut looked_up: HashMap<ConversationId, GrantNames> = HashMap::new();
        for (conversation, subjects) in people {
            let subjects: Vec<SubjectRef> = subjects.into_iter().collect();
            let drawn = self.room.pseudonyms_of(grant, conversation, &subjects).await?;
            looked_up.insert(conversation, GrantNames(drawn));
        }
        let none = GrantNames(HashMap::new());
        let views = read.into_iter().map(|(record, projection)| {
            let stored = record.names.map(GrantNames);
            let pseudonyms = stored.as_ref().or_else(|| looked_up.get(&record.conversation)).unwrap_or(&none);
            let view = render(&projection, plan, &self.exemptions, pseudonyms, language);
            ReadingView { id: record.reference, conversation: record.conversation_reference, view }
        });
        Ok(views.collect())
    }
}

/// The pseudonyms of a grant in one conversation.
struct GrantNames(HashMap<SubjectRef, String>);

impl Pseudonyms for GrantNames {
    fn pseudonym(&self, subject: SubjectRef) -> Option<&str> {
        self.0.get(&subject).map(String::as_str)
    }
}
