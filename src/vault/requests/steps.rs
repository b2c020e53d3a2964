//! A step of a request, taken in one transaction: with the grant that begins by it, its entry, and what the researcher may see.

use super::selection;
use crate::access::grant_file::{Form, has_grant, is_researchers};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, ChannelId, GrantId, RequestState, RequestStep, Role, Timestamp};
use crate::redact::Plan;
use crate::store::catalogue::{GrantRow, OutboxRow, RequestRow, RequestStepRow, Said, TakenStep};
use crate::store::room::{PublishedReader, PublishedRequest};
use crate::vault::grants::{self, channels_of, published};
use crate::vault::{Archive, Rules, VaultError};
use serde_json::json;

/// A step that is to be taken.
pub(super) struct Step {
    pub step: RequestStep,
    pub actor: Option<(ActorId, Role)>,
    pub said: Said,
    pub message: Option<i64>,
    /// When the request had changed last as it was read, where it must not have changed since.
    pub seen_at: Option<Timestamp>,
}

/// Takes a step in one transaction.
pub(super) async fn take(
    archive: &Archive,
    rules: &Rules,
    mut request: RequestRow,
    before: Option<RequestState>,
    step: Step,
    who: (String, String),
) -> Result<RequestRow, VaultError> {
    let now = archive.sources.now();
    request.changed_at = now.after(request.changed_at);
    let mut steps = archive.catalogue.request_steps(request.id).await?;
    let (mut grant, mut down, mut grant_until) = (None, Vec::new(), None);
    if step.step == RequestStep::Accept {
        let (row, published) = begin_grant(archive, rules, &request, &steps, who.clone()).await?;
        request.grant = Some(row.id);
        down.push(published);
        grant = Some(row);
    }
    if step.step == RequestStep::Extend
        && let (Some(id), Some(until)) = (request.grant, step.said.until)
    {
        grant_until = Some(until);
        let payload = serde_json::to_string(&(id, until)).unwrap_or_default();
        down.push(OutboxRow { kind: "grant-until", payload });
    }
    if step.step == RequestStep::StateDeletion
        && before.is_some_and(has_grant)
        && let Some(id) = request.grant
    {
        // What is stated to be gone is not read on: the grant ends with it. Taken up again after a stop in between, it has
        // ended already.
        match grants::revoke(archive, id, step.actor).await {
            Ok(()) | Err(VaultError::Absent { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let number = steps.len() as i64 + 1;
    let row = RequestStepRow {
        number,
        step: step.step,
        actor: step.actor.map(|(actor, _)| actor),
        at: now,
        said: step.said,
    };
    steps.push(row.clone());
    down.push(view(&request, &steps, who));
    let pending = Pending::event(entry(archive, &request, &row, step.actor)?)?;
    let taken = TakenStep {
        request: &request,
        before,
        seen_at: step.seen_at,
        step: row.clone(),
        grant: grant.as_ref(),
        grant_until,
        down,
        message: step.message,
    };
    if !archive.catalogue.take_step(archive.logs.vault_origin(), taken, pending).await? {
        return Err(VaultError::Input("the request changed meanwhile; look at it again".to_owned()));
    }
    let begins_or_ends =
        matches!(row.step, RequestStep::Accept | RequestStep::End | RequestStep::StateDeletion);
    if begins_or_ends && !request.content.selection.special_categories.is_empty() {
        let named: Vec<ChannelId> = request.content.selection.channels.iter().cloned().collect();
        let channels = channels_of(archive, &request.organisation, &named).await?;
        archive.catalogue.held_stale(&channels, now).await?;
    }
    archive.journal.wake();
    Ok(request)
}

/// The grant that begins when the conditions are accepted, and what goes down for it.
async fn begin_grant(
    archive: &Archive,
    rules: &Rules,
    request: &RequestRow,
    steps: &[RequestStepRow],
    who: (String, String),
) -> Result<(GrantRow, OutboxRow), VaultError> {
    let content = &request.content;
    let approved = steps.iter().rfind(|step| step.step == RequestStep::Approve);
    let until = approved.and_then(|step| step.said.until);
    let until = until.ok_or(VaultError::Absent { what: "the approval of the request" })?;
    let named: Vec<ChannelId> = content.selection.channels.iter().cloned().collect();
    let grant = GrantRow {
        id: GrantId::from_uuid(archive.sources.random_id()?),
        organisation: request.organisation.clone(),
        reader: request.requester,
        purpose: content.purpose.clone(),
        legal_basis: content.legal_basis.clone(),
        channels: channels_of(archive, &request.organisation, &named).await?,
        selection: Some(content.selection.clone()),
        plan: content.plan.clone(),
        approved_at: archive.sources.now(),
        until,
        revoked_at: None,
        lapsed_at: None,
    };
    let selection = selection(archive, request.requester, &content.selection).await?;
    let mut team = Vec::with_capacity(content.team.len());
    for member in &content.team {
        let fresh = ActorId::from_uuid(archive.sources.random_id()?);
        let now = archive.sources.now();
        let reader = archive.catalogue.actor(&member.issuer, &member.subject, fresh, now).await?;
        team.push(PublishedReader { reader, issuer: member.issuer.clone(), subject: member.subject.clone() });
    }
    let export = content.form == Form::Export;
    // What answers what is told in files, and only the vault can make that.
    let needs_values = export || rules.plans.plan(&content.plan).is_some_and(Plan::needs_values);
    let down = published(&grant, who, Some(selection), team, (export, needs_values));
    Ok((grant, down))
}

/// What the researcher may see: the request, and every step with who took it by side, not by name.
fn view(request: &RequestRow, steps: &[RequestStepRow], (issuer, subject): (String, String)) -> OutboxRow {
    let shown: Vec<_> = steps
        .iter()
        .map(|step| {
            let side = if is_researchers(step.step) { "researcher" } else { "organisation" };
            json!({ "step": step.step, "by": side, "at": step.at, "said": step.said })
        })
        .collect();
    let document = json!({
        "id": request.id, "state": request.state, "content": request.content, "grant": request.grant,
        "createdAt": request.created_at, "changedAt": request.changed_at, "steps": shown,
    });
    let published = PublishedRequest {
        id: request.id,
        issuer,
        subject,
        changed_at: request.changed_at,
        document: document.to_string(),
    };
    OutboxRow { kind: "request", payload: serde_json::to_string(&published).unwrap_or_default() }
}

/// Codes and ids only.
fn entry(
    archive: &Archive,
    request: &RequestRow,
    step: &RequestStepRow,
    by: Option<(ActorId, Role)>,
) -> Result<Entry, VaultError> {
    let kind = match step.step {
        RequestStep::Submit => EntryKind::GrantRequested,
        RequestStep::Approve => EntryKind::GrantApproved,
        RequestStep::Refuse => EntryKind::GrantRefused,
        _ => EntryKind::RequestStepTaken,
    };
    let about = [Thing::Request(request.id)].into_iter().chain(request.grant.map(Thing::Grant));
    let entry = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(request.organisation.clone())
        .on(request.content.legal_basis.clone())
        .about(about)
        .outcome(step.step.as_str().parse()?);
    Ok(match by {
        Some((actor, role)) => entry.by(actor, role),
        None => entry,
    })
}
