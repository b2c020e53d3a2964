//! What is acted upon, with the facts that policies may ask about.

use crate::model::{ActorId, GrantId, OrganisationId, Timestamp};

/// Why something stands in a reviewer's own queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The first moment at which it no longer does: the end of an external agency's assignment. `None` for the
    /// organisation's own reviewers, whose employment the identity provider knows.
    pub until: Option<Timestamp>,
}

impl Assignment {
    /// That of the organisation's own reviewers.
    pub const OWN: Self = Self { until: None };

    /// Whether it holds at `now`.
    #[must_use]
    pub fn runs(self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// One thing that is acted upon. Each variant carries what its policies need and cannot be made without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// What a list or a search in the reading room runs over.
    Collection {
        /// Whose records.
        organisation: OrganisationId,
        /// Whether it is what the organisation published to everyone.
        published: bool,
        /// The grant whose selection it is.
        selected_by: Option<GrantId>,
    },
    /// A projection in the reading room.
    Record {
        /// Whose record.
        organisation: OrganisationId,
        /// Whether the organisation published it to everyone.
        published: bool,
        /// The grant under which it was found.
        selected_by: Option<GrantId>,
    },
    /// A conversation in the reading room.
    Conversation {
        /// Whose conversation.
        organisation: OrganisationId,
        /// Whether the organisation published it to everyone.
        published: bool,
        /// The grant under which it was found.
        selected_by: Option<GrantId>,
    },
    /// A record as the vault shows it, redacted.
    VaultRecord {
        /// Whose record.
        organisation: OrganisationId,
        /// What puts it in the actor's own review queue, if anything does.
        assigned: Option<Assignment>,
    },
    /// A sealed original.
    Original {
        /// Whose original.
        organisation: OrganisationId,
        /// What puts it in the actor's own review queue, if anything does.
        assigned: Option<Assignment>,
    },
    /// What waits for reviewers of an organisation.
    ReviewQueue {
        /// Whose records wait.
        organisation: OrganisationId,
        /// What makes it the actor's own, if anything does.
        assigned: Option<Assignment>,
    },
    /// A channel that captures are delivered for.
    Channel {
        /// Whose channel.
        organisation: OrganisationId,
    },
    /// An organisation's lists: channels, records in the vault, grants, openings.
    Registry {
        /// Whose lists.
        organisation: OrganisationId,
    },
    /// A request for access or the grant it became.
    GrantFile {
        /// Whose records it selects.
        organisation: OrganisationId,
        /// Who asked.
        requester: ActorId,
        /// Until when the actor has a mandate that covers this request; `None` without one.
        mandate_until: Option<Timestamp>,
    },
    /// Files that were made under a grant and wait to be released.
    ExportFile {
        /// Whose records are in them.
        organisation: OrganisationId,
        /// Who asked for them.
        requester: ActorId,
        /// Who approved the request that they are made under; `None` when that was done on the command line.
        decider: Option<ActorId>,
        /// Until when the actor has a mandate that covers them; `None` without one.
        mandate_until: Option<Timestamp>,
    },
    /// Proof that a step stands in the ledger.
    Receipt {
        /// Whose step it was.
        owner: ActorId,
    },
    /// The ledger.
    Ledger,
    /// The running service.
    Service,
}

/// The kinds of [`Resource`]; each word is a Cedar entity type in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// See [`Resource::Collection`].
    Collection,
    /// See [`Resource::Record`].
    Record,
    /// See [`Resource::Conversation`].
    Conversation,
    /// See [`Resource::VaultRecord`].
    VaultRecord,
    /// See [`Resource::Original`].
    Original,
    /// See [`Resource::ReviewQueue`].
    ReviewQueue,
    /// See [`Resource::Channel`].
    Channel,
    /// See [`Resource::Registry`].
    Registry,
    /// See [`Resource::GrantFile`].
    GrantFile,
    /// See [`Resource::ExportFile`].
    ExportFile,
    /// See [`Resource::Receipt`].
    Receipt,
    /// See [`Resource::Ledger`].
    Ledger,
    /// See [`Resource::Service`].
    Service,
}

impl ResourceKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Collection,
        Self::Record,
        Self::Conversation,
        Self::VaultRecord,
        Self::Original,
        Self::ReviewQueue,
        Self::Channel,
        Self::Registry,
        Self::GrantFile,
        Self::ExportFile,
        Self::Receipt,
        Self::Ledger,
        Self::Service,
    ];

    /// The name of the kind in the schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Collection => "Collection",
            Self::Record => "Record",
            Self::Conversation => "Conversation",
            Self::VaultRecord => "VaultRecord",
            Self::Original => "Original",
            Self::ReviewQueue => "ReviewQueue",
            Self::Channel => "Channel",
            Self::Registry => "Registry",
            Self::GrantFile => "GrantFile",
            Self::ExportFile => "ExportFile",
            Self::Receipt => "Receipt",
            Self::Ledger => "Ledger",
            Self::Service => "Service",
        }
    }

    /// A thing of this kind with every fact there: the schema is checked against it at load.
    pub(super) fn sample(self, of: &OrganisationId, requester: ActorId, grant: GrantId) -> Resource {
        let (organisation, published) = (of.clone(), false);
        let assigned = Some(Assignment { until: Timestamp::from_micros(0) });
        let selected_by = Some(grant);
        match self {
            Self::Collection => Resource::Collection { organisation, published, selected_by },
            Self::Record => Resource::Record { organisation, published, selected_by },
            Self::Conversation => Resource::Conversation { organisation, published, selected_by },
            Self::VaultRecord => Resource::VaultRecord { organisation, assigned },
            Self::Original => Resource::Original { organisation, assigned },
            Self::ReviewQueue => Resource::ReviewQueue { organisation, assigned },
            Self::Channel => Resource::Channel { organisation },
            Self::Registry => Resource::Registry { organisation },
            Self::GrantFile => {
                Resource::GrantFile { organisation, requester, mandate_until: Timestamp::from_micros(0) }
            }
            Self::ExportFile => {
                let (decider, mandate_until) = (Some(requester), Timestamp::from_micros(0));
                Resource::ExportFile { organisation, requester, decider, mandate_until }
            }
            Self::Receipt => Resource::Receipt { owner: requester },
            Self::Ledger => Resource::Ledger,
            Self::Service => Resource::Service,
        }
    }
}

impl Resource {
    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> ResourceKind {
        match self {
            Self::Collection { .. } => ResourceKind::Collection,
            Self::Record { .. } => ResourceKind::Record,
            Self::Conversation { .. } => ResourceKind::Conversation,
            Self::VaultRecord { .. } => ResourceKind::VaultRecord,
            Self::Original { .. } => ResourceKind::Original,
            Self::ReviewQueue { .. } => ResourceKind::ReviewQueue,
            Self::Channel { .. } => ResourceKind::Channel,
            Self::Registry { .. } => ResourceKind::Registry,
            Self::GrantFile { .. } => ResourceKind::GrantFile,
            Self::ExportFile { .. } => ResourceKind::ExportFile,
            Self::Receipt { .. } => ResourceKind::Receipt,
            Self::Ledger => ResourceKind::Ledger,
            Self::Service => ResourceKind::Service,
        }
    }
}
