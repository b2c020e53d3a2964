//! Who acts, and the grant they hold.

use crate::model::{ActorId, GrantId, OrganisationId, Role, Timestamp};

/// Who acts, for the duration of one token: a person (or machine), one role, one organisation.
///
/// The caller maps a verified token to it; nothing here is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person behind the token, as the ledger knows them. The same person has the same id under every
    /// role: four eyes compare this.
    pub id: ActorId,
    /// The one active role.
    pub role: Role,
    /// The organisation the person works for, or the external agency.
    pub organisation: OrganisationId,
}

/// What is known of the grant under which something is asked, read by the caller at the time of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFacts {
    /// Which grant.
    pub id: GrantId,
    /// Who holds it.
    pub holder: ActorId,
    /// Whose records it selects.
    pub organisation: OrganisationId,
    /// The first moment at which it no longer holds.
    pub until: Timestamp,
    /// Whether it was ended before its time.
    pub revoked: bool,
    /// Whether copies are had as files under it, beside views.
    pub export: bool,
}
