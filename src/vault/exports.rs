//! Exports, from asking to fetching: what the reading room does is taken up here, what only the vault can make is made, built
//! files pass the leak gate, a second person lets them go, and they go down as one package until they were fetched.
//!
//! Every step is one transaction with its entry in the ledger; work that takes long is done between steps and can be done twice.

use super::appointments::mandate_until;
use super::grants::channels_of;
use super::release::{self, Gate};
use super::small_groups::{self, Standing, TooFew};
use super::{Archive, Rules, VaultError, derive, package, read};
use crate::access::grant_file::Form;
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Body, Entry, EntryKind, Pending, Salt, Thing};
use crate::model::{
    ActorId, ConversationId, ExportId, ExportState, OrganisationId, PrivateText, ProjectionId, RequestStep,
    Role, SubjectRef,
};
use crate::redact::copy::{GrantMade, Release};
use crate::redact::{Plan, Projection};
use crate::store::StoreError;
use crate::store::airlock::Airlock;
use crate::store::catalogue::{ExportJob, OutboxRow};
use crate::store::inbox::{Arrived, ExportAct, ExportStep};
use crate::store::room::{NamedProjection, PublishedExport};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// The kind of outbox rows that hold an export.
pub(super) const DOWN: &str = "export";

/// Records looked at together.
const AT_ONCE: u32 = 2_000;

/// Where the files of an archive wait.
#[must_use]
pub fn airlock(archive: &Archive) -> Airlock {
    Airlock::new(archive.inbox.database().clone())
}

/// What an approver does with an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letting {
    /// It goes.
    Release,
    /// It does not.
    Refuse,
}

/// Takes up a step that the reading room took. One that does not follow on where the export stands changes nothing but the
/// cursor, and is an incident: the reading room had checked.
///
/// # Errors
/// When storage fails: it is taken up again later.
pub async fn take_up(archive: &Archive, message: &Arrived) -> Result<(), VaultError> {
    let taken = match serde_json::from_str::<ExportStep>(&message.payload) {
        Ok(step) => step_up(archive, &step, message).await?,
        Err(_) => false,
    };
    if taken {
        archive.journal.wake();
        return Ok(());
    }
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::IncidentOpened, message.at)
        .outcome("export-step-refused".parse()?);
    let log = archive.logs.room_origin();
    Ok(archive.journal.take_up(log, vec![Pending::event(entry)?], &[], message.seq).await?)
}

async fn step_up(archive: &Archive, step: &ExportStep, message: &Arrived) -> Result<bool, VaultError> {
    let known = archive.catalogue.export(step.export).await?;
    let by = step.actor.map(|actor| (actor, Role::Researcher));
    match (&step.act, known) {
        (ExportAct::Asked, None) => ask(archive, step, message).await,
        (ExportAct::Built { manifest, rows, left_out }, Some(mut export))
            if export.state == ExportState::Building && export.grant == step.grant =>
        {
            export.state = ExportState::Held;
            export.built = json!({ "manifest": manifest, "rows": rows, "leftOut": left_out });
            let entry = entry(archive, EntryKind::ExportBuilt, &export)?.counting("rows".parse()?, *rows);
            commit(archive, Some(ExportState::Building), export, entry, Some(message.seq)).await
        }
        (ExportAct::Sent { from, until }, Some(export)) if export.grant == step.grant => {
            let entry = by_whom(entry(archive, EntryKind::ExportFetched, &export)?, by)
                .outcome("part".parse()?)
                .counting("bytes".parse()?, until.saturating_sub(*from));
            let state = export.state;
            commit(archive, Some(state), export, entry, Some(message.seq)).await
        }
        (ExportAct::Fetched, Some(mut export))
            if export.state == ExportState::Released && export.grant == step.grant =>
        {
            archive.room.forget_export(export.id).await?;
            export.state = ExportState::Fetched;
            let entry =
                by_whom(entry(archive, EntryKind::ExportFetched, &export)?, by).outcome("whole".parse()?);
            commit(archive, Some(ExportState::Released), export, entry, Some(message.seq)).await
        }
        // Two who fetched the last byte at one moment, or one whose grant ended while they did: said, and nothing more.
        (ExportAct::Fetched, Some(export)) if export.grant == step.grant => {
            let entry =
                by_whom(entry(archive, EntryKind::ExportFetched, &export)?, by).outcome("whole".parse()?);
            let state = export.state;
            commit(archive, Some(state), export, entry, Some(message.seq)).await
        }
        _ => Ok(false),
    }
}

/// An export that somebody asked for, under a grant that holds and is for files.
async fn ask(archive: &Archive, step: &ExportStep, message: &Arrived) -> Result<bool, VaultError> {
    let Some(requester) = step.actor else { return Ok(false) };
    if !archive.catalogue.grant_in_force(step.grant, archive.sources.now()).await? {
        return Ok(false);
    }
    let requests = archive.catalogue.requests_with_grant().await?;
    let Some(request) = requests.into_iter().find(|request| request.grant == Some(step.grant)) else {
        return Ok(false);
    };
    if request.content.form != Form::Export {
        return Ok(false);
    }
    let export = ExportJob {
        id: step.export,
        grant: step.grant,
        request: Some(request.id),
        organisation: request.organisation,
        requester,
        state: ExportState::Preparing,
        built: Value::Null,
        report: Value::Null,
        steps: Vec::new(),
        decided_by: None,
        said: String::new(),
        bound: Value::Null,
        asked_at: message.at,
        changed_at: message.at,
        until: None,
    };
    let entry = entry(archive, EntryKind::ExportAsked, &export)?.by(requester, Role::Researcher);
    commit(archive, None, export, entry, Some(message.seq)).await
}

/// What waits for the vault is done. Returns how many exports went on.
///
/// # Errors
/// What failed first; the next round goes on.
pub async fn work(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    derive::round(archive, rules).await?;
    let mut done = 0;
    let waiting = [ExportState::Preparing, ExportState::Held, ExportState::Releasing];
    for export in archive.catalogue.exports_in(&waiting).await? {
        let went_on = match export.state {
            ExportState::Preparing => prepare(archive, rules, export).await?,
            ExportState::Held => check(archive, rules, export).await?,
            _ => package::hand_down(archive, export).await?,
        };
        done += u64::from(went_on);
    }
    Ok(done)
}

/// Pause between two rounds of work.
const PAUSE: Duration = Duration::from_millis(500);

/// Works until the process ends, beside the leader's rounds: a gate may take minutes.
pub(super) async fn keep(archive: Archive, rules: Rules) {
    loop {
        if let Err(error) = work(&archive, &rules).await {
            tracing::error!(%error, "exports wait");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Says what rows show less, once everything is there that only the vault can make; then it can be built.
async fn prepare(archive: &Archive, rules: &Rules, mut export: ExportJob) -> Result<bool, VaultError> {
    if archive.room.is_wanting(export.grant).await? {
        return Ok(false);
    }
    let before = export.state;
    let plan = plan_of(archive, rules, &export).await?;
    let standings = standings(archive, plan, &export).await?;
    let groups = rules.plans.small_groups();
    let time = plan.time();
    let wanted = groups.clone();
    let found =
        tokio::task::spawn_blocking(move || small_groups::suppress(&standings, &wanted, time)).await?;
    match found {
        Ok(less) => {
            for some in less.chunks(AT_ONCE as usize) {
                let _not_while_copying = archive.copying.lock().await;
                archive.room.export_rows(export.id, some).await?;
            }
            export.state = ExportState::Building;
            let left_out = less.iter().filter(|(_, less)| less.left_out).count() as u64;
            let entry = entry(archive, EntryKind::RequestStepTaken, &export)?
                .outcome("export-prepared".parse()?)
                .counting("widened".parse()?, less.len() as u64 - left_out)
                .counting("left-out".parse()?, left_out);
            commit(archive, Some(before), export, entry, None).await
        }
        Err(few) => {
            export.state = ExportState::Stopped;
            export.report = match few {
                TooFew::Small(groups) => json!({ "stopped": ["small-groups"], "smallGroups": groups }),
                TooFew::Everyone => json!({ "stopped": ["too-few-people"] }),
            };
            let entry = entry(archive, EntryKind::ExportStopped, &export)?.outcome("small-groups".parse()?);
            commit(archive, Some(before), export, entry, None).await
        }
    }
}

/// What each row tells beside its text.
async fn standings(archive: &Archive, plan: &Plan, export: &ExportJob) -> Result<Vec<Standing>, VaultError> {
    let (mut found, mut after) = (Vec::new(), i64::MIN);
    loop {
        let some = archive.room.named_after(export.grant, after, AT_ONCE).await?;
        let Some(last) = some.last() else { return Ok(found) };
        after = last.number;
        let people = people(archive, &some).await?;
        for named in &some {
            found.push(standing(plan, named, people.get(&named.id).copied().flatten())?);
        }
    }
}

/// The keyed digest of each projection's author, cut to eight bytes; `None` for the organisation's own.
pub(super) async fn people(
    archive: &Archive,
    of: &[NamedProjection],
) -> Result<HashMap<ProjectionId, Option<u64>>, VaultError> {
    let ids: Vec<ProjectionId> = of.iter().map(|named| named.id).collect();
    let facts = archive.catalogue.export_facts(&ids).await?;
    let mut conversations: Vec<ConversationId> = facts.values().map(|facts| facts.conversation).collect();
    conversations.sort_unstable();
    conversations.dedup();
    let persons = archive.catalogue.persons(&conversations).await?;
    let mut found = HashMap::with_capacity(of.len());
    for named in of {
        let projection = read_projection(&named.document)?;
        let own = projection.metadata.get("authorRole").and_then(Value::as_str) == Some("organisation");
        let reference = projection.metadata.get("authorSubject").and_then(Value::as_u64);
        let reference = reference.and_then(|number| u32::try_from(number).ok()).map(SubjectRef::from_u32);
        let conversation = facts.get(&named.id).map(|facts| facts.conversation);
        let digest = conversation.zip(reference).and_then(|of| persons.get(&of));
        let digest = digest.and_then(|digest| digest.as_bytes().first_chunk::<8>().copied());
        // Somebody who is not known is a person of their own.
        let person = digest.map_or_else(|| named.number.unsigned_abs(), u64::from_be_bytes);
        found.insert(named.id, (!own).then_some(person));
    }
    Ok(found)
}

fn standing(plan: &Plan, named: &NamedProjection, person: Option<u64>) -> Result<Standing, VaultError> {
    let projection = read_projection(&named.document)?;
    let made: GrantMade = match &named.values {
        Some(json) => {
            serde_json::from_str(json).map_err(|_| StoreError::Corrupt { what: "value of a grant" })?
        }
        None => GrantMade::default(),
    };
    let word =
        |field: &str| projection.metadata.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let time = made.time.unwrap_or_else(|| word("day"));
    let wider: Vec<&str> = made.wider.iter().flatten().map(String::as_str).collect();
    Ok(Standing {
        number: named.number,
        time: plan.time().of(&time).to_owned(),
        channel: word("channel"),
        wider: wider.join(" "),
        person,
    })
}

fn read_projection(document: &str) -> Result<Projection, VaultError> {
    Ok(serde_json::from_str(document).map_err(|_| StoreError::Corrupt { what: "projection" })?)
}

/// The plan that an export is made under.
pub(super) async fn plan_of<'r>(
    archive: &Archive,
    rules: &'r Rules,
    export: &ExportJob,
) -> Result<&'r Plan, VaultError> {
    let grants = archive.catalogue.grants().await?;
    let grant = grants.into_iter().find(|grant| grant.id == export.grant);
    let plan = grant.and_then(|grant| rules.plans.plan(&grant.plan));
    plan.ok_or(VaultError::Absent { what: "the redaction plan of the grant" })
}

/// Has built files pass the leak gate.
async fn check(archive: &Archive, rules: &Rules, mut export: ExportJob) -> Result<bool, VaultError> {
    let before = export.state;
    let Gate { report, stopped } = release::check(archive, rules, &export).await?;
    let passed = stopped.is_empty();
    export.report = report;
    export.state = if passed { ExportState::Waiting } else { ExportState::Stopped };
    let kind = if passed { EntryKind::ExportChecked } else { EntryKind::ExportStopped };
    let reasons = stopped.iter().filter_map(|code| code.parse().ok());
    let entry = entry(archive, kind, &export)?
        .outcome(if passed { "nothing-found" } else { "leak-gate" }.parse()?)
        .because(reasons.collect::<Vec<_>>());
    let id = export.id;
    let went_on = commit(archive, Some(before), export, entry, None).await?;
    if !passed {
        clear(archive, id).await?;
    }
    Ok(went_on)
}

/// Nothing of it stays in either place.
async fn clear(archive: &Archive, id: ExportId) -> Result<(), VaultError> {
    airlock(archive).clear(id).await?;
    Ok(archive.room.forget_export(id).await?)
}

/// The exports of the actor's organisation, those that changed last first.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`].
pub async fn list(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<Vec<ExportJob>, VaultError> {
    let registry = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::ListGrants, &registry).await?;
    Ok(archive.catalogue.exports(Some(&actor.organisation)).await?)
}

/// One export with what the gate found.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`].
pub async fn one(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ExportId,
) -> Result<ExportJob, VaultError> {
    authorise(archive, rules, actor, id, Action::ReadExport).await
}

/// Lets a checked export go, or not, with the reason.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`] for whoever may not; [`VaultError::Input`] when it does not wait for that,
/// or a reason is missing.
pub async fn let_go(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ExportId,
    letting: Letting,
    said: &str,
) -> Result<ExportJob, VaultError> {
    let mut export = authorise(archive, rules, actor, id, Action::ReleaseExport).await?;
    if export.state != ExportState::Waiting {
        return Err(VaultError::Input(format!(
            "the export is `{}`: it waits for nobody's release",
            export.state
        )));
    }
    if said.trim().is_empty() {
        return Err(VaultError::Input("say why: `text` is empty".to_owned()));
    }
    if !archive.catalogue.grant_in_force(export.grant, archive.sources.now()).await? {
        return Err(VaultError::Input("the grant has ended: nothing leaves under it".to_owned()));
    }
    let before = export.state;
    (export.decided_by, export.said) = (Some(actor.id), said.to_owned());
    let (kind, outcome) = match letting {
        Letting::Release => (EntryKind::ExportReleased, "released"),
        Letting::Refuse => (EntryKind::ExportStopped, "refused"),
    };
    let mut entry = entry(archive, kind, &export)?.by(actor.id, actor.role).outcome(outcome.parse()?);
    match letting {
        Letting::Release => {
            let manifest = export.built.get("manifest").and_then(Value::as_str).unwrap_or_default();
            let text = json!({ "export": export.id, "manifest": manifest }).to_string();
            let salt = archive.sources.secret::<32>()?;
            let bound = Release { salt: hex::encode(*salt), text: text.clone() };
            entry = entry.committing(Body::new(PrivateText::new(text)).commitment(&Salt::from_bytes(*salt)));
            export.bound = json!(bound);
            export.state = ExportState::Releasing;
        }
        Letting::Refuse => export.state = ExportState::Refused,
    }
    if !commit(archive, Some(before), export, entry, None).await? {
        return Err(VaultError::Input("the export changed meanwhile; look at it again".to_owned()));
    }
    if letting == Letting::Refuse {
        clear(archive, id).await?;
    }
    archive.journal.wake();
    archive.catalogue.export(id).await?.ok_or(VaultError::Absent { what: "the export" })
}

/// Decides on one export. What is not there is asked about as one of an organisation that owns nothing.
async fn authorise(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ExportId,
    action: Action,
) -> Result<ExportJob, VaultError> {
    let nobody = ActorId::from_uuid(uuid::Uuid::nil());
    let known = archive.catalogue.export(id).await?;
    let (mut organisation, mut requester, mut decider) = (OrganisationId::nobody(), nobody, None);
    let mut channels = Vec::new();
    if let Some(export) = &known {
        (organisation, requester) = (export.organisation.clone(), export.requester);
        if let Some(request) = export.request {
            let request_row = archive.catalogue.request(request).await?;
            // Who made the request, and its team, asked for the files as much as whoever started the export.
            if request_row.as_ref().is_some_and(|row| row.requester == actor.id) {
                requester = actor.id;
            }
            let steps = archive.catalogue.request_steps(request).await?;
            decider =
                steps.iter().rfind(|step| step.step == RequestStep::Approve).and_then(|step| step.actor);
            let named = request_row.map(|row| row.content.selection.channels).unwrap_or_default();
            let named: Vec<_> = named.into_iter().collect();
            channels = channels_of(archive, &organisation, &named).await.unwrap_or(named);
        }
    }
    let mandate_until = mandate_until(archive, actor.id, &organisation, &channels).await?;
    let resource = Resource::ExportFile { organisation, requester, decider, mandate_until };
    read::authorise(archive, rules, actor, action, &resource).await?;
    known.ok_or(VaultError::Absent { what: "the export" })
}

/// Takes back what nobody may fetch any more: the grant ended or was revoked, or the time is over. Returns how many.
///
/// # Errors
/// When storage fails; the next round goes on.
pub async fn lapse(archive: &Archive) -> Result<u64, VaultError> {
    use ExportState::{Building, Held, Preparing, Released, Releasing, Waiting};
    let (now, mut done) = (archive.sources.now(), 0);
    let open = [Preparing, Building, Held, Waiting, Releasing, Released];
    for mut export in archive.catalogue.exports_in(&open).await? {
        let over = export.until.is_some_and(|until| until <= now);
        if !over && archive.catalogue.grant_in_force(export.grant, now).await? {
            continue;
        }
        clear(archive, export.id).await?;
        let before = export.state;
        export.state = ExportState::Lapsed;
        let why = if over { "not-fetched-in-time" } else { "grant-ended" };
        let entry = entry(archive, EntryKind::ExportStopped, &export)?.outcome(why.parse()?);
        done += u64::from(commit(archive, Some(before), export, entry, None).await?);
    }
    Ok(done)
}

pub(super) fn entry(archive: &Archive, kind: EntryKind, export: &ExportJob) -> Result<Entry, VaultError> {
    Ok(Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(export.organisation.clone())
        .about([Thing::Export(export.id), Thing::Grant(export.grant)])
        .about(export.request.map(Thing::Request)))
}

fn by_whom(entry: Entry, by: Option<(ActorId, Role)>) -> Entry {
    match by {
        Some((actor, role)) => entry.by(actor, role),
        None => entry,
    }
}

pub(super) async fn commit(
    archive: &Archive,
    before: Option<ExportState>,
    mut export: ExportJob,
    entry: Entry,
    message: Option<i64>,
) -> Result<bool, VaultError> {
    export.changed_at = archive.sources.now();
    export.steps.push(entry.id());
    let down = vec![view(&export)];
    let log = archive.logs.vault_origin();
    let pending = Pending::event(entry)?;
    let done = archive.catalogue.step_export(log, (before, &export), down, pending, message).await?;
    archive.journal.wake();
    Ok(done)
}

/// What the reading room may know of an export: where it stands and why, never what the gate found.
fn view(export: &ExportJob) -> OutboxRow {
    let stopped = export.report.get("stopped").cloned().filter(|_| export.state == ExportState::Stopped);
    let refusal = (export.state == ExportState::Refused).then_some(&export.said);
    let mut document = json!({
        "id": export.id, "grant": export.grant, "state": export.state, "organisation": export.organisation,
        "askedAt": export.asked_at, "changedAt": export.changed_at, "until": export.until,
        "rows": export.built.get("rows"), "packageBytes": export.built.get("packageBytes"),
        "stoppedFor": stopped, "refusal": refusal,
    });
    if let Some(fields) = document.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let published = PublishedExport {
        id: export.id,
        grant: export.grant,
        state: export.state,
        changed_at: export.changed_at,
        document: document.to_string(),
    };
    OutboxRow { kind: DOWN, payload: serde_json::to_string(&published).unwrap_or_default() }
}
