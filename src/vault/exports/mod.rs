//! Exports, from asking to fetching: what the reading room does is taken up here, what only the vault can make is made, built
//! files pass the leak gate, a second person lets them go, and they go down as one package until they were fetched.
//!
//! Every step is one transaction with its entry in the ledger; work that takes long is done between steps and can be done twice.

mod arrivals;
mod in_force;
mod letting;
mod package;

pub use arrivals::take_up;
pub use in_force::lapse;
pub use letting::{Letting, let_go, list, one};

use super::release::{self, Gate};
use super::small_groups::{self, Standing, TooFew};
use super::{Archive, Rules, VaultError, derive};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, ConversationId, ExportId, ExportState, ProjectionId, SubjectRef};
use crate::redact::copy::GrantMade;
use crate::redact::{Plan, Projection};
use crate::store::StoreError;
use crate::store::airlock::Airlock;
use crate::store::catalogue::{ExportChange, ExportJob, OutboxRow};
use crate::store::room::{NamedProjection, PublishedExport};
use in_force::stop;
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

/// What waits for the vault is done. Returns how many exports went on. One that fails does not keep the others: where trying again
/// would not help it is stopped, and says so; else it waits for the next round.
///
/// # Errors
/// When the catalogue cannot be read; the next round goes on.
pub async fn work(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    derive::round(archive, rules).await?;
    let mut done = 0;
    let waiting = [ExportState::Preparing, ExportState::Held, ExportState::Releasing];
    for export in archive.catalogue.exports_in(&waiting).await? {
        let id = export.id;
        let went_on = match work_on(archive, rules, export.clone()).await {
            Err(error) if is_lasting(&error) => {
                tracing::error!(export = %id, %error, "an export cannot be made");
                stop(archive, export, "failed").await
            }
            other => other,
        };
        match went_on {
            Ok(went_on) => done += u64::from(went_on),
            Err(error) => tracing::error!(export = %id, %error, "an export waits"),
        }
    }
    Ok(done)
}

async fn work_on(archive: &Archive, rules: &Rules, export: ExportJob) -> Result<bool, VaultError> {
    match export.state {
        ExportState::Preparing => prepare(archive, rules, export).await,
        ExportState::Held => check(archive, rules, export).await,
        _ => package::hand_down(archive, export).await,
    }
}

/// Whether trying again ends the same way.
const fn is_lasting(error: &VaultError) -> bool {
    matches!(
        error,
        VaultError::Absent { .. }
            | VaultError::Input(_)
            | VaultError::Redact(_)
            | VaultError::Store(StoreError::Corrupt { .. })
    )
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
    let built_at = archive.sources.now();
    {
        let _not_while_copying = archive.copying.lock().await;
        archive.room.prepare_export(export.id, export.grant).await?;
    }
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
            // It was not counted as it stands now: once more.
            if archive.room.export_changed(export.id).await? {
                return Ok(false);
            }
            (export.state, export.built_at) = (ExportState::Building, Some(built_at));
            let left_out = less.iter().filter(|(_, less)| less.left_out).count() as u64;
            let entry = entry(archive, EntryKind::RequestStepTaken, &export)?
                .outcome("export-prepared".parse()?)
                .counting("widened".parse()?, less.len() as u64 - left_out)
                .counting("left-out".parse()?, left_out);
            commit(archive, Some(before), export, entry, With::default()).await
        }
        Err(few) => {
            export.state = ExportState::Stopped;
            export.report = match few {
                TooFew::Small(groups) => json!({ "stopped": ["small-groups"], "smallGroups": groups }),
                TooFew::Everyone => json!({ "stopped": ["too-few-people"] }),
            };
            let entry = entry(archive, EntryKind::ExportStopped, &export)?.outcome("small-groups".parse()?);
            commit(archive, Some(before), export, entry, With::default()).await
        }
    }
}

/// What each row tells beside its text.
async fn standings(archive: &Archive, plan: &Plan, export: &ExportJob) -> Result<Vec<Standing>, VaultError> {
    let (mut found, mut after) = (Vec::new(), i64::MIN);
    loop {
        let some = archive.room.members_after(export.id, export.grant, after, AT_ONCE).await?;
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
        conversation: named.conversation,
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
    if archive.room.is_wanting(export.grant).await? {
        return Ok(false);
    }
    let before = export.state;
    let Gate { report, stopped, holds } = release::check(archive, rules, &export).await?;
    let passed = stopped.is_empty();
    export.report = report;
    export.state = if passed { ExportState::Waiting } else { ExportState::Stopped };
    let kind = if passed { EntryKind::ExportChecked } else { EntryKind::ExportStopped };
    let reasons = stopped.iter().filter_map(|code| code.parse().ok());
    let entry = entry(archive, kind, &export)?
        .outcome(if passed { "nothing-found" } else { "leak-gate" }.parse()?)
        .because(reasons.collect::<Vec<_>>());
    let id = export.id;
    let with = With { holds: if passed { &holds } else { &[] }, ..With::default() };
    let went_on = commit(archive, Some(before), export, entry, with).await?;
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

fn entry(archive: &Archive, kind: EntryKind, export: &ExportJob) -> Result<Entry, VaultError> {
    Ok(Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(export.organisation.clone())
        .about([Thing::Export(export.id), Thing::Grant(export.grant)])
        .about(export.request.map(Thing::Request)))
}

/// Says that an export is stopped, and why.
fn stopped_for(export: &mut ExportJob, code: &str) {
    export.state = ExportState::Stopped;
    match export.report.as_object_mut() {
        Some(report) => {
            report.insert("stopped".to_owned(), json!([code]));
        }
        None => export.report = json!({ "stopped": [code] }),
    }
}

/// What else is so with a step.
#[derive(Debug, Clone, Copy, Default)]
struct With<'w> {
    /// The message of the reading room that it follows on.
    message: Option<i64>,
    /// Which projections are in the files.
    holds: &'w [ProjectionId],
    /// Who has the files from now on.
    leaves_to: Option<ActorId>,
}

impl With<'_> {
    fn message(seq: i64) -> Self {
        Self { message: Some(seq), ..Self::default() }
    }
}

async fn commit(
    archive: &Archive,
    before: Option<ExportState>,
    mut export: ExportJob,
    entry: Entry,
    with: With<'_>,
) -> Result<bool, VaultError> {
    export.changed_at = archive.sources.now().after(export.changed_at);
    export.steps.push(entry.id());
    let log = archive.logs.vault_origin();
    let change = ExportChange {
        before,
        export: &export,
        down: vec![view(&export)],
        message: with.message,
        holds: with.holds,
        leaves_to: with.leaves_to,
    };
    let done = archive.catalogue.step_export(log, change, Pending::event(entry)?).await?;
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
        "contentBytes": export.built.get("contentBytes"),
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
