//! Grants: who may read what, until when. Approving one sends it down with names drawn for it alone.

use super::appointments::mandate_until;
use super::{Archive, Rules, VaultError, read};
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, ChannelId, GrantId, LegalBasisCode, OrganisationId, Role, Timestamp};
use crate::redact::{CopyForm, Plan};
use crate::store::catalogue::{GrantRow, OutboxRow};
use crate::store::room::{PublishedGrant, PublishedReader, PublishedSelection};

/// What is granted.
#[derive(Debug, Clone)]
pub struct Approval {
    /// Whose records.
    pub organisation: OrganisationId,
    /// Issuer of the reader's tokens.
    pub issuer: String,
    /// Subject of the reader's tokens.
    pub subject: String,
    /// For what purpose.
    pub purpose: String,
    /// Under which legal basis.
    pub legal_basis: LegalBasisCode,
    /// Which channels; all of the organisation's when empty.
    pub channels: Vec<ChannelId>,
    /// How views are rendered.
    pub plan: String,
    /// Until when.
    pub until: Timestamp,
}

/// Grants reading, on the word of whoever holds the data folder or of an approver, who needs a mandate that covers every
/// channel of it. The ledger knows the reader by a pseudonym.
///
/// # Errors
/// [`VaultError::Refused`] for whoever may not approve it; [`VaultError::Input`] when a channel is not the organisation's, the plan is not known or not for views, or the grant
/// would be over before it began.
pub async fn approve(
    archive: &Archive,
    rules: &Rules,
    asked: Approval,
    by: Option<&Actor>,
) -> Result<GrantRow, VaultError> {
    let channels = channels_of(archive, &asked.organisation, &asked.channels).await?;
    let now = archive.sources.now();
    if asked.until <= now {
        return Err(VaultError::Input(format!("the grant would end at {}, which is past", asked.until)));
    }
    if asked.purpose.trim().is_empty() {
        return Err(VaultError::Input("a grant needs a purpose".to_owned()));
    }
    let Some(plan) = rules.plans.plan(&asked.plan) else {
        return Err(VaultError::Input(format!("redaction plan `{}` is not known", asked.plan)));
    };
    if !plan.is_for(CopyForm::View) {
        let plans = rules.plans.iter().filter(|plan| plan.is_for(CopyForm::View)).map(Plan::id);
        let plans: Vec<&str> = plans.collect();
        let (asked, plans) = (&asked.plan, plans.join(", "));
        return Err(VaultError::Input(format!(
            "redaction plan `{asked}` is not for views, which is what this grant gives: take one of {plans}"
        )));
    }
    let needs_values = plan.needs_values();
    let fresh = ActorId::from_uuid(archive.sources.random_id()?);
    let reader = archive.catalogue.actor(&asked.issuer, &asked.subject, fresh, now).await?;
    if let Some(approver) = by {
        let organisation = asked.organisation.clone();
        let mandate_until = mandate_until(archive, approver.id, &organisation, &channels).await?;
        let file = Resource::GrantFile { organisation, requester: reader, mandate_until };
        read::authorise(archive, rules, approver, Action::ApproveGrant, &file).await?;
    }
    let grant = GrantRow {
        id: GrantId::from_uuid(archive.sources.random_id()?),
        organisation: asked.organisation,
        reader,
        purpose: asked.purpose,
        legal_basis: asked.legal_basis,
        channels,
        selection: None,
        plan: asked.plan,
        approved_at: now,
        until: asked.until,
        revoked_at: None,
        lapsed_at: None,
    };
    let down = published(&grant, (asked.issuer, asked.subject), None, Vec::new(), (false, needs_values));
    let by = by.map(|approver| (approver.id, approver.role));
    let pending = Pending::event(entry(archive, EntryKind::GrantApproved, &grant, by)?)?;
    let log = archive.logs.vault_origin();
    let _recorded = archive.catalogue.add_grant(log, &grant, down, pending, now).await?;
    archive.journal.wake();
    Ok(grant)
}

/// Revokes a grant at once.
///
/// # Errors
/// [`VaultError::Absent`] when there is no such grant in force.
pub async fn revoke(archive: &Archive, id: GrantId, by: Option<(ActorId, Role)>) -> Result<(), VaultError> {
    let absent = || VaultError::Absent { what: "a grant in force of that id" };
    let grant = archive.catalogue.grants().await?.into_iter().find(|g| g.id == id).ok_or_else(absent)?;
    let entry = entry(archive, EntryKind::GrantRevoked, &grant, by)?;
    if withdraw(archive, id, entry).await? { Ok(()) } else { Err(absent()) }
}

/// Grants of which it is taken up at once that they are over.
const LAPSING_AT_ONCE: u32 = 64;

/// Takes up that grants and publications are over: what they named goes from the reading room, as when they are revoked. At most
/// so many; the others follow in the next rounds. Returns how many. One that fails does not keep the others.
///
/// # Errors
/// When the grants cannot be read; the next round goes on.
pub async fn lapse(archive: &Archive) -> Result<u64, VaultError> {
    let (now, mut done) = (archive.sources.now(), 0);
    for grant in archive.catalogue.grants_over(now, LAPSING_AT_ONCE).await? {
        match lapse_one(archive, &grant, now).await {
            Ok(lapsed) => done += u64::from(lapsed),
            Err(error) => tracing::error!(grant = %grant.id, %error, "that a grant is over was not taken up"),
        }
    }
    Ok(done)
}

async fn lapse_one(archive: &Archive, grant: &GrantRow, now: Timestamp) -> Result<bool, VaultError> {
    let pending = Pending::event(entry(archive, EntryKind::GrantLapsed, grant, None)?)?;
    let down = OutboxRow { kind: "lapse", payload: grant.id.to_string() };
    Ok(archive.catalogue.lapse_grant(archive.logs.vault_origin(), grant.id, down, pending, now).await?)
}

/// Revokes grants and publications whose selection begins or ends with something that is no day, such as `20260306`. Days were once
/// compared as whatever text they were, and such a grant may name more than was approved. It is asked for anew. Returns how many.
///
/// # Errors
/// When storage fails; the next start goes on.
pub async fn revoke_not_days(archive: &Archive) -> Result<u64, VaultError> {
    let (now, mut done) = (archive.sources.now(), 0);
    for grant in archive.catalogue.grants().await?.into_iter().filter(|grant| grant.active(now)) {
        if grant.selection.as_ref().is_none_or(|selection| selection.not_days().is_empty()) {
            continue;
        }
        let entry = entry(archive, EntryKind::GrantRevoked, &grant, None)?.because(["not-a-day".parse()?]);
        done += u64::from(withdraw(archive, grant.id, entry).await?);
        tracing::warn!(grant = %grant.id, "a grant was revoked: its selection has a day in another form than 2026-05-04");
    }
    Ok(done)
}

/// Takes a grant that is in force back, down to the names that it gave. `false` when there is none of that id in force.
async fn withdraw(archive: &Archive, id: GrantId, entry: Entry) -> Result<bool, VaultError> {
    let down = OutboxRow { kind: "revocation", payload: id.to_string() };
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    Ok(archive.catalogue.revoke_grant(log, id, down, Pending::event(entry)?, now).await?)
}

/// The channels that are meant: those named, which must be the organisation's, or all of its.
pub(super) async fn channels_of(
    archive: &Archive,
    organisation: &OrganisationId,
    named: &[ChannelId],
) -> Result<Vec<ChannelId>, VaultError> {
    let theirs = archive.catalogue.channels(Some(organisation)).await?;
    let theirs: Vec<ChannelId> = theirs.into_iter().map(|channel| channel.id).collect();
    if named.is_empty() {
        return Ok(theirs);
    }
    match named.iter().find(|channel| !theirs.contains(channel)) {
        Some(other) => Err(VaultError::Input(format!("channel `{other}` is not of `{organisation}`"))),
        None => Ok(named.to_vec()),
    }
}

/// What goes down of a grant.
pub(super) fn published(
    grant: &GrantRow,
    (issuer, subject): (String, String),
    selection: Option<PublishedSelection>,
    team: Vec<PublishedReader>,
    (export, needs_values): (bool, bool),
) -> OutboxRow {
    let down = PublishedGrant {
        id: grant.id,
        reader: grant.reader,
        issuer,
        subject,
        organisation: grant.organisation.clone(),
        channels: grant.channels.clone(),
        plan: grant.plan.clone(),
        until: grant.until,
        selection,
        team,
        export,
        needs_values,
    };
    OutboxRow { kind: "grant", payload: serde_json::to_string(&down).unwrap_or_default() }
}

fn entry(
    archive: &Archive,
    kind: EntryKind,
    grant: &GrantRow,
    by: Option<(ActorId, Role)>,
) -> Result<Entry, VaultError> {
    let entry = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(grant.organisation.clone())
        .on(grant.legal_basis.clone())
        .about([Thing::Grant(grant.id)]);
    Ok(match by {
        Some((actor, role)) => entry.by(actor, role),
        None => entry,
    })
}
