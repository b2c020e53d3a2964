//! The access plane: lookups and templates over redacted projections. It holds no key and never sees an original;
//! taking it over completely yields none.
//!
//! Every request is decided by policy, made durable in the inbox (served or refused), and only then answered.

mod export;
mod read;
mod request;
mod search;

pub use export::Offer;
pub use read::{Page, ReadingView, Selection};
pub use request::Taking;
pub use search::{Hits, RoundedCount, SearchRequest};

use crate::access::grant_file::ResearchBases;
use crate::access::{Action, Actor, Allowed, Denial, GrantFacts, Outside, Policies, Request, Resource};
use crate::model::{ActorId, GrantId, OrganisationId, ProjectionId, RecordRef, Role, Timestamp};
use crate::redact::{Exemptions, Plans};
use crate::store::StoreError;
use crate::store::inbox::{InboxWriter, Message, RoomEvent, RoomEventKind};
use crate::store::room::{ReadingGrant, Room, RoomRecord};
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

    /// Who reads and under which grant. Without a name the grant that runs longest is taken.
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
        let known = self.room.visitor(&claims.issuer, &claims.subject, reference).await?;
        let reader = known.as_ref().map(|visitor| visitor.reader);
        let grants = known.map(|visitor| visitor.grants).unwrap_or_default();
        let under = match wanted {
            Some(id) => grants.into_iter().find(|(grant, _)| grant.id == id),
            None => grants.into_iter().rfind(|(grant, _)| !grant.revoked),
        };
        let (grant, record) = under.map_or((None, None), |(grant, record)| (Some(grant), record));
        let id = reader.unwrap_or(ActorId::from_uuid(Uuid::nil()));
        let actor = Actor { id, role: claims.role, organisation: claims.organisation.clone() };
        Ok((Visit { actor, known: reader, grant, at: (self.now)() }, record))
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
            Err(denial) => {
                let reasons = denial.reasons().iter().map(|reason| code(&reason.code)).collect();
                self.tell(visit, RoomEventKind::Denied, Vec::new(), reasons).await?;
                Err(match denial.outside() {
                    Outside::Absent => ReadingError::Absent,
                    Outside::Refused => ReadingError::Refused(denial),
                })
            }
        }
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
    grant: Option<ReadingGrant>,
    at: Timestamp,
}

impl Visit {
    fn grant_facts(&self) -> Option<GrantFacts> {
        self.grant.as_ref().map(|grant| GrantFacts {
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

    /// What a list or search of this visit runs over.
    fn collection(&self) -> Resource {
        Resource::Collection {
            organisation: self.organisation(),
            published: false,
            selected_by: self.grant_id(),
        }
    }
}

/// `policy#clause` as a code of the ledger.
fn code(reason: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    reason.chars().map(plain).take(64).collect()
}
