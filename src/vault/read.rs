//! What officials and records managers read in the vault: redacted views, summaries and decisions; no original.

use super::disclose::record_denial;
use super::{Archive, Rules, VaultError};
use crate::access::{Action, Actor, Allowed, Outside, Request, Resource};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{OrganisationId, Outcome, RecordId};
use crate::redact::{Language, NoPseudonyms, Projection, View, render};
use crate::store::StoreError;
use crate::store::catalogue::{DecisionSummary, RecordSummary};

/// A record with its redacted view, when it has one.
#[derive(Debug)]
pub struct VaultRecord {
    /// What the catalogue knows.
    pub summary: RecordSummary,
    /// The redacted view; `None` for a record that is not projected.
    pub view: Option<View>,
    /// Files of an archive that are attached to it; told of one record that is read by itself.
    pub attached: Vec<RecordId>,
}

/// What to list.
#[derive(Debug, Default, Clone)]
pub struct VaultSelection {
    /// Only records with this outcome.
    pub outcome: Option<Outcome>,
    /// After this record.
    pub after: Option<RecordId>,
    /// How many at the most.
    pub most: u32,
    /// In which language labels are.
    pub language: Language,
}

/// An organisation that owns nothing: what is not there is asked about in its name, so that absent and forbidden
/// go the same way. A policy that named it would still find nothing to open.
#[must_use]
pub fn nobody() -> OrganisationId {
    OrganisationId::nobody()
}

/// Decides, and records a refusal. Absent and refused come out as such.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`], or storage errors.
pub async fn authorise(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    action: Action,
    resource: &Resource,
) -> Result<Allowed, VaultError> {
    let request = Request { actor, action, resource, grant: None, now: archive.sources.now() };
    match rules.access.authorise(&request) {
        Ok(allowed) => Ok(allowed),
        Err(denial) => {
            record_denial(archive, actor, &denial).await?;
            Err(match denial.outside() {
                Outside::Absent => VaultError::Absent { what: "what was asked for" },
                Outside::Refused => VaultError::Refused(denial),
            })
        }
    }
}

/// Records of the actor's organisation, in the order they came in. Recorded before it is answered.
///
/// # Errors
/// As [`authorise`].
pub async fn list(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &VaultSelection,
) -> Result<Vec<VaultRecord>, VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    let allowed = authorise(archive, rules, actor, Action::ListVaultRecords, &resource).await?;
    let summaries =
        archive.catalogue.records(&actor.organisation, asked.outcome, asked.after, asked.most).await?;
    let mut found = Vec::with_capacity(summaries.len());
    for summary in summaries {
        let view = view(archive, rules, &summary, &allowed, asked.language).await?;
        found.push(VaultRecord { summary, view, attached: Vec::new() });
    }
    viewed(archive, actor, found.iter().map(|record| record.summary.id)).await?;
    Ok(found)
}

/// One record. Absent for another organisation's.
///
/// # Errors
/// As [`authorise`].
pub async fn record(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: RecordId,
    language: Language,
) -> Result<VaultRecord, VaultError> {
    let (summary, allowed) = permitted(archive, rules, actor, id, Action::ReadVaultView).await?;
    let view = view(archive, rules, &summary, &allowed, language).await?;
    let attached = archive.catalogue.attached_to(&[id]).await?.remove(&id).unwrap_or_default();
    viewed(archive, actor, [id].into_iter()).await?;
    Ok(VaultRecord { summary, view, attached: attached.into_iter().map(|one| one.file).collect() })
}

/// The decisions on a record with their paths: that on the version in force first, then newest first.
///
/// # Errors
/// As [`authorise`].
pub async fn decisions(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: RecordId,
) -> Result<Vec<DecisionSummary>, VaultError> {
    permitted(archive, rules, actor, id, Action::ReadDecision).await?;
    Ok(archive.catalogue.decisions(id).await?)
}

/// Looks up whose it is, decides, and only then looks it up whole: a record that is not there is asked about as one of
/// nobody's, and takes as long.
pub(super) async fn permitted(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: RecordId,
    action: Action,
) -> Result<(RecordSummary, Allowed), VaultError> {
    let organisation = archive.catalogue.owner(id).await?.unwrap_or_else(nobody);
    let resource = Resource::VaultRecord { organisation, assigned: None };
    let allowed = authorise(archive, rules, actor, action, &resource).await?;
    let known = archive.catalogue.record(id).await?;
    Ok((known.ok_or(VaultError::Absent { what: "the record" })?, allowed))
}

pub(super) async fn view(
    archive: &Archive,
    rules: &Rules,
    summary: &RecordSummary,
    allowed: &Allowed,
    language: Language,
) -> Result<Option<View>, VaultError> {
    let plan = allowed.plan().and_then(|id| rules.plans.plan(id));
    let (Some(plan), Some(document)) = (plan, archive.room.document(summary.projection).await?) else {
        return Ok(None);
    };
    let projection: Projection =
        serde_json::from_str(&document).map_err(|_| StoreError::Corrupt { what: "projection" })?;
    Ok(Some(render(&projection, plan, &rules.exemptions, &NoPseudonyms, language)))
}

/// Records that these records were shown to the actor, before they are.
pub(super) async fn viewed(
    archive: &Archive,
    actor: &Actor,
    records: impl Iterator<Item = RecordId>,
) -> Result<(), VaultError> {
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::ViewServed, archive.sources.now())
        .of(actor.organisation.clone())
        .by(actor.id, actor.role)
        .about(records.map(Thing::Record));
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    archive.journal.wake();
    Ok(())
}
