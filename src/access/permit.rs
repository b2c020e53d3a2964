//! Evidence that a decision was made: values that only this room makes, consumed by what they permit.

use crate::model::{ActorId, LegalBasisCode, OrganisationId, PermitId, RecordId};
use std::collections::BTreeSet;
use std::fmt;

use super::SystemActKind;

/// Permission for one person to open one original, once. Not `Clone`: opening consumes it.
///
/// It does not say that the opening was recorded; that is the ledger's evidence.
pub struct Permit {
    id: PermitId,
    record: RecordId,
    actor: ActorId,
    organisation: OrganisationId,
    basis: LegalBasisCode,
}

impl Permit {
    pub(super) const fn mint(
        id: PermitId,
        record: RecordId,
        actor: ActorId,
        organisation: OrganisationId,
        basis: LegalBasisCode,
    ) -> Self {
        Self { id, record, actor, organisation, basis }
    }

    /// Binds the permit to the ledger entry that records it.
    #[must_use]
    pub const fn id(&self) -> PermitId {
        self.id
    }

    /// The one record whose original may be opened.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// Who may open it.
    #[must_use]
    pub const fn actor(&self) -> ActorId {
        self.actor
    }

    /// Whose record it is.
    #[must_use]
    pub const fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    /// The legal basis of the opening.
    #[must_use]
    pub const fn basis(&self) -> &LegalBasisCode {
        &self.basis
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Permission for the vault to open the originals of one batch, once. Not `Clone`.
pub struct SystemPermit {
    id: PermitId,
    kind: SystemActKind,
    organisation: OrganisationId,
    records: BTreeSet<RecordId>,
}

impl SystemPermit {
    pub(super) const fn mint(
        id: PermitId,
        kind: SystemActKind,
        organisation: OrganisationId,
        records: BTreeSet<RecordId>,
    ) -> Self {
        Self { id, kind, organisation, records }
    }

    /// Binds the permit to the ledger entry that records it.
    #[must_use]
    pub const fn id(&self) -> PermitId {
        self.id
    }

    /// What the vault is about to do.
    #[must_use]
    pub const fn kind(&self) -> SystemActKind {
        self.kind
    }

    /// Whose records they are: one organisation.
    #[must_use]
    pub const fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    /// Whether this record is in the batch.
    #[must_use]
    pub fn covers(&self, record: RecordId) -> bool {
        self.records.contains(&record)
    }

    /// The records of the batch.
    #[must_use]
    pub const fn records(&self) -> &BTreeSet<RecordId> {
        &self.records
    }
}

impl fmt::Debug for SystemPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemPermit")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}
