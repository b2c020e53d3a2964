//! Acts of the vault itself that open originals: permitted and recorded a batch at a time.

use super::cedar::Question;
use super::{Denial, Outside, Policies, Reason, SystemActKind, SystemPermit};
use crate::model::{OrganisationId, PermitId, RecordId};
use std::collections::BTreeSet;

/// What the vault is about to do, to which records of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemAct {
    /// What for.
    pub kind: SystemActKind,
    /// Whose records.
    pub organisation: OrganisationId,
    /// Which records; the policies bound how many.
    pub records: BTreeSet<RecordId>,
}

impl Policies {
    /// A permit for one batch, under a permit id that the caller drew at random.
    ///
    /// # Errors
    /// A [`Denial`] when no policy permits the act, one forbids it, one fails, or the batch is empty.
    pub fn authorise_system(&self, act: SystemAct, permit: PermitId) -> Result<SystemPermit, Denial> {
        if act.records.is_empty() {
            let reason = Reason::new("access#batch-empty", "a batch must name at least one record");
            return Err(Denial::new(vec![reason], Outside::Refused));
        }
        self.decide(&Question::system(self.names(), act.kind, &act.organisation, act.records.len()))
            .map_err(|reasons| Denial::new(reasons, Outside::Refused))?;
        Ok(SystemPermit::mint(permit, act.kind, act.organisation, act.records))
    }
}
