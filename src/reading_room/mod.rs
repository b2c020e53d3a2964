//! The access plane: lookups and templates over redacted projections. It holds no key and never sees an original;
//! taking it over completely yields none.
//!
//! Every request is decided by policy, made durable in the inbox (served or refused), and only then answered.

mod aid;
mod export;
mod read;
mod report;
mod request;
mod search;

pub use export::{Download, Offer};
pub use read::{Page, ReadingView, Selection};
pub use request::Taking;
pub use search::{Hits, RoundedCount, SearchRequest};

use crate::access::grant_file::ResearchBases;
use crate::access::{Action, Actor, Allowed, Denial, GrantFacts, Outside, Policies, Request, Resource};
use crate::model::{ActorId, GrantId, OrganisationId, ProjectionId, RecordRef, Role, Timestamp};
use crate::redact::{CopyForm, Exemptions, Plan, Plans};
use crate::store::StoreError;
use crate::store::inbox::{InboxWriter, Message, RoomEvent, RoomEventKind};
use crate::store::room::{EVERYONE, Holder, ReadingGrant, Room, RoomRecord};
use std::sync::Arc;
use uuid::Uuid;

/// What the reading room works with. Cloning shares it.
#[derive(Clone)]
pub struct ReadingRoom {
    room: Room,
    inbox: InboxWriter,
    access: Arc<Policies>,
    plans: Arc<Plans>,
    exemptions: Arc<Exemptions>,
    research: Arc<ResearchBases>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Where files are built; nothing is where none is named.
    workshop: Option<Arc<export::Workshop>>,
}

/// Who reads, as their token says: verified by the caller.
#[derive(Debug, Clone)]
pub struct ReaderClaims {
    /// Among whose persons the reader counts: the issuer of the token, or a name that issuers share.
    pub issuer: String,
    /// Which person it names: the same whatever subject they come with.
    pub subject: String,
    /// The one active role.
    pub role: Role,
    /// For whom they work.
    pub organisation: OrganisationId,
}

/// What can go wrong, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// Nothing of that name, or nothing this reader may know of.
    #[error("what was asked for is not there")]
    Absent,
    /// The reader may know of it but not do this.
    #[error("refused")]
    Refused(Denial),
    /// The request cannot be used as it is; says what and the mend.
    #[error("{0}")]
    Input(String),
    /// Fields that cannot be used, each with what is wrong and the mend.
    #[error("{}", .0.join("; "))]
    Fields(Vec<String>),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of an export cannot be written or read.
    #[error("a file of an export: {0}")]
    File(#[from] std::io::Error),
}

impl ReadingRoom {
    /// A reading room over its database, its inbox and its policies.
    pub fn new(
        room: Room,
        inbox: InboxWriter,
        access: Arc<Policies>,
        plans: Arc<Plans>,
        exemptions: Arc<Exemptions>,
        research: Arc<ResearchBases>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self { room, inbox, access, plans, exemptions, research, now: Arc::new(now), workshop: None }
    }

    /// The same, that builds the files of exports in a folder of its own, a part of so many rows at a time.
    #[must_use]
    pub fn building_in(self, folder: std::path::PathBuf, part_rows: u32) -> Self {
        Self { workshop: Some(Arc::new(export::Workshop::new(folder, part_rows))), ..self }
    }

    /// Who reads and under which grant. Without a name the grant for views that runs longest is taken; who has none, the one for
    /// files that does.
    async fn visit(&self, claims: &ReaderClaims, wanted: Option<GrantId>) -> Result<Visit, ReadingError> {
        Ok(self.visit_for(claims, wanted, None).await?.0)
    }

    /// The same, with the record that the grant names `reference`, in one look-up.
    async fn visit_for(
        &self,
        claims: &ReaderClaims,
        wanted: Option<GrantId>,
        reference: Option<RecordRef>,
    ) -> Result<(Visit, Option<RoomRecord>), ReadingError> {
        let public = claims.role == Role::Public;
        let (realm, name) = if public { EVERYONE } else { (claims.issuer.as_str(), claims.subject.as_str()) };
        let visitor = match !public && realm == EVERYONE.0 {
            // Nobody is everyone in another role.
            true => None,
            false => self.room.visitor(realm, name, reference).await?,
        };
        let (holder, named) = visitor.map_or((None, None), |found| (Some(found.holder), found.record));
        let grants = holder.as_ref().map(|holder| holder.grants.as_slice()).unwrap_or_default();
        let by_id = |id: GrantId| grants.iter().find(|grant| grant.id == id);
        let grant = match (wanted, &named) {
            (Some(id), _) => by_id(id),
            // What is published may be of several organisations: it is asked for by its name alone.
            (None, Some((of, _))) if public => by_id(*of),
            _ => longest(grants, |grant| !grant.export).or_else(|| longest(grants, |_| true)),
        };
        let grant = grant.cloned();
        // A record is found under the grant of this visit only.
        let record = named.filter(|(of, _)| grant.as_ref().is_some_and(|grant| grant.id == *of));
        let known = holder.as_ref().map(|holder| holder.reader).filter(|_| !public);
        let actor = Actor {
            id: known.unwrap_or(ActorId::from_uuid(Uuid::nil())),
            role: claims.role,
            organisation: claims.organisation.clone(),
        };
        let others = if public && wanted.is_none() { holder } else { None };
        let visit = Visit { actor, known, grant, others, at: (self.now)() };
        Ok((visit, record.map(|(_, record)| record)))
    }

    /// Decides; a refusal is made durable before it is answered.
    async fn decide(
        &self,
        visit: &Visit,
        action: Action,
        resource: &Resource,
    ) -> Result<Allowed, ReadingError> {
        let facts = visit.grant_facts();
        let request = Request { actor: &visit.actor, action, resource, grant: facts.as_ref(), now: visit.at };
        match self.access.authorise(&request) {
            Ok(allowed) => Ok(allowed),
            Err(denial) => Err(self.refused(visit, denial).await?),
        }
    }

    /// Decides on showing views, or how many there are; the plan under which they are rendered is the one that was granted. The
    /// policies say whether there are views at all. Whatever they say, there are none under a grant for files, and none under a
    /// plan that has no form for them.
    async fn decide_views(
        &self,
        visit: &Visit,
        action: Action,
        resource: &Resource,
    ) -> Result<&Plan, ReadingError> {
        let allowed = self.decide(visit, action, resource).await?;
        let (Some(_), Some(grant)) = (allowed.plan(), &visit.grant) else { return Err(ReadingError::Absent) };
        let granted = self.plans.plan(&grant.plan).filter(|plan| plan.is_for(CopyForm::View));
        match granted.filter(|_| !grant.export) {
            Some(plan) => Ok(plan),
            None => Err(self.refused(visit, Denial::by_rule(NO_VIEWS, NO_VIEWS_TEXT)).await?),
        }
    }

    /// Makes a refusal durable; what is answered.
    async fn refused(&self, visit: &Visit, denial: Denial) -> Result<ReadingError, ReadingError> {
        let reasons = denial.reasons().iter().map(|reason| code(&reason.code)).collect();
        self.tell(visit, RoomEventKind::Denied, Vec::new(), reasons).await?;
        Ok(match denial.outside() {
            Outside::Absent => ReadingError::Absent,
            Outside::Refused => ReadingError::Refused(denial),
        })
    }

    /// One message a request, durable before the answer.
    async fn tell(
        &self,
        visit: &Visit,
        kind: RoomEventKind,
        projections: Vec<ProjectionId>,
        reasons: Vec<String>,
    ) -> Result<(), ReadingError> {
        let event = RoomEvent {
            kind,
            actor: visit.known,
            role: visit.actor.role,
            grant: visit.grant.as_ref().map(|grant| grant.id),
            organisation: visit.grant.as_ref().map(|grant| grant.organisation.clone()),
            count: projections.len() as u64,
            projections,
            reasons,
        };
        Ok(self.inbox.append(Message::of(&event, visit.at)).await?)
    }
}

/// One request of one reader.
struct Visit {
    actor: Actor,
    known: Option<ActorId>,
    grant: Option<Arc<ReadingGrant>>,
    /// What else was published to everyone, when this is one of the public who named no publication.
    others: Option<Arc<Holder>>,
    at: Timestamp,
}

impl Visit {
    /// Nobody of the public holds a grant: what is published is published to all.
    fn grant_facts(&self) -> Option<GrantFacts> {
        let held = self.grant.as_ref().filter(|_| self.actor.role != Role::Public);
        held.map(|grant| GrantFacts {
            id: grant.id,
            holder: self.actor.id,
            organisation: grant.organisation.clone(),
            until: grant.until,
            revoked: grant.revoked,
            export: grant.export,
        })
    }

    /// Whose records are asked about: the grant's, or without one those of the reader's own organisation.
    fn organisation(&self) -> OrganisationId {
        self.grant
            .as_ref()
            .map_or_else(|| self.actor.organisation.clone(), |grant| grant.organisation.clone())
    }

    fn grant_id(&self) -> Option<GrantId> {
        self.grant.as_ref().map(|grant| grant.id)
    }

    /// Whether what this visit goes by is published to everyone now.
    fn published(&self) -> bool {
        let runs = |grant: &ReadingGrant| !grant.revoked && self.at < grant.until;
        self.actor.role == Role::Public && self.grant.as_deref().is_some_and(runs)
    }

    /// Under what a conversation may be found that is asked for by its name.
    fn candidates(&self) -> Vec<Arc<ReadingGrant>> {
        match &self.others {
            Some(holder) => holder.grants.iter().rev().filter(|grant| !grant.revoked).cloned().collect(),
            None => self.grant.iter().cloned().collect(),
        }
    }

    /// What a list or search of this visit runs over.
    fn collection(&self) -> Resource {
        Resource::Collection {
            organisation: self.organisation(),
            published: self.published(),
            selected_by: self.grant_id(),
        }
    }
}

/// The rule that what was granted for files, or under a plan for files only, is not viewed.
const NO_VIEWS: &str = "grant#views";
const NO_VIEWS_TEXT: &str = "the grant, or its redaction plan, is not for views: have the files made, or ask for a grant with \
                             form `view` under a plan that has it";

/// The grant among these that runs longest and was not revoked.
fn longest(
    grants: &[Arc<ReadingGrant>],
    wanted: impl Fn(&ReadingGrant) -> bool,
) -> Option<&Arc<ReadingGrant>> {
    grants.iter().rfind(|grant| !grant.revoked && wanted(grant))
}

/// `policy#clause` as a code of the ledger.
fn code(reason: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    reason.chars().map(plain).take(64).collect()
}
