//! What the reading room did with exports, taken up in its place in the order.

use super::in_force::is_over;
use super::{With, airlock, clear, commit, entry, stopped_for};
use crate::access::grant_file::Form;
use crate::ledger::{Entry, EntryKind, Pending};
use crate::model::{ActorId, ExportState, Role};
use crate::store::StoreError;
use crate::store::catalogue::ExportJob;
use crate::store::inbox::{Arrived, ExportAct, ExportStep};
use crate::vault::requests::is_of_team;
use crate::vault::{Archive, VaultError};
use serde_json::{Value, json};

/// How often a step is tried that another step of the same export came before.
const TRIES: usize = 8;

/// What became of a message.
enum Taken {
    /// It stands.
    Yes,
    /// The export went on between looking and writing: it is looked at anew.
    Raced,
    /// It does not follow on where the export stands.
    No,
}

impl Taken {
    const fn of(done: bool) -> Self {
        if done { Self::Yes } else { Self::Raced }
    }
}

/// Takes up a step that the reading room took. One that does not follow on where the export stands changes nothing but the
/// cursor, and is an incident: the reading room had checked. What comes late of an export that is over is none.
///
/// # Errors
/// When storage fails: it is taken up again later.
pub async fn take_up(archive: &Archive, message: &Arrived) -> Result<(), VaultError> {
    let Ok(step) = serde_json::from_str::<ExportStep>(&message.payload) else {
        return refuse(archive, message).await;
    };
    for _ in 0..TRIES {
        match step_up(archive, &step, message).await? {
            Taken::Yes => {
                archive.journal.wake();
                return Ok(());
            }
            Taken::No => return refuse(archive, message).await,
            Taken::Raced => tokio::task::yield_now().await,
        }
    }
    Err(StoreError::Busy("the export changes all the time".to_owned()).into())
}

async fn refuse(archive: &Archive, message: &Arrived) -> Result<(), VaultError> {
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::IncidentOpened, message.at)
        .outcome("export-step-refused".parse()?);
    let log = archive.logs.room_origin();
    Ok(archive.journal.take_up(log, vec![Pending::event(entry)?], &[], message.seq).await?)
}

/// Moves the cursor past a message that says nothing new.
async fn pass_over(archive: &Archive, message: &Arrived) -> Result<Taken, VaultError> {
    archive.journal.take_up(archive.logs.room_origin(), Vec::new(), &[], message.seq).await?;
    Ok(Taken::Yes)
}

async fn step_up(archive: &Archive, step: &ExportStep, message: &Arrived) -> Result<Taken, VaultError> {
    let known = archive.catalogue.export(step.export).await?;
    let Some(export) = known else {
        return if step.act == ExportAct::Asked { ask(archive, step, message).await } else { Ok(Taken::No) };
    };
    if export.grant != step.grant {
        return Ok(Taken::No);
    }
    match &step.act {
        ExportAct::Asked => Ok(Taken::No),
        ExportAct::Built { manifest, rows, left_out } => {
            let built = json!({ "manifest": manifest, "rows": rows, "leftOut": left_out });
            take_built(archive, export, built, message).await
        }
        ExportAct::Failed => take_failed(archive, export, message).await,
        ExportAct::Begun { from } => begun(archive, export, step.actor, *from, message).await,
        ExportAct::Sent { from, until } if left(&export) => {
            let entry = handed_out(archive, &export, step.actor)?
                .outcome("part".parse()?)
                .counting("bytes".parse()?, until.saturating_sub(*from));
            unchanged(archive, export, entry, message).await
        }
        ExportAct::Fetched if left(&export) => fetched(archive, export, step.actor, message).await,
        ExportAct::Sent { .. } | ExportAct::Fetched => Ok(Taken::No),
    }
}

/// Whether a package of it was ever put down: of another nothing can have been sent.
fn left(export: &ExportJob) -> bool {
    export.built.get("packageBytes").is_some()
}

fn handed_out(archive: &Archive, export: &ExportJob, actor: Option<ActorId>) -> Result<Entry, VaultError> {
    let entry = entry(archive, EntryKind::ExportFetched, export)?;
    Ok(match actor {
        Some(actor) => entry.by(actor, Role::Researcher),
        None => entry,
    })
}

/// An entry about an export that stays where it stands.
async fn unchanged(
    archive: &Archive,
    export: ExportJob,
    entry: Entry,
    message: &Arrived,
) -> Result<Taken, VaultError> {
    let state = export.state;
    let done = commit(archive, Some(state), export, entry, With::message(message.seq));
    Ok(Taken::of(done.await?))
}

/// Files that stand in the airlock. Those of an export that was over before they came go at once; what is said twice is said once.
async fn take_built(
    archive: &Archive,
    mut export: ExportJob,
    built: Value,
    message: &Arrived,
) -> Result<Taken, VaultError> {
    if is_over(export.state) {
        airlock(archive).clear(export.id).await?;
        return pass_over(archive, message).await;
    }
    match export.state {
        ExportState::Building => {
            let rows = built.get("rows").and_then(Value::as_u64).unwrap_or_default();
            (export.state, export.built) = (ExportState::Held, built);
            let entry = entry(archive, EntryKind::ExportBuilt, &export)?.counting("rows".parse()?, rows);
            let done =
                commit(archive, Some(ExportState::Building), export, entry, With::message(message.seq));
            Ok(Taken::of(done.await?))
        }
        ExportState::Preparing => Ok(Taken::No),
        _ if export.built.get("manifest") == built.get("manifest") => pass_over(archive, message).await,
        _ => Ok(Taken::No),
    }
}

/// The reading room cannot build it: it is over, and can be asked for anew.
async fn take_failed(
    archive: &Archive,
    mut export: ExportJob,
    message: &Arrived,
) -> Result<Taken, VaultError> {
    let (id, before) = (export.id, export.state);
    if is_over(before) {
        return pass_over(archive, message).await;
    }
    if before != ExportState::Building {
        return Ok(Taken::No);
    }
    stopped_for(&mut export, "not-built");
    let entry = entry(archive, EntryKind::ExportStopped, &export)?.outcome("not-built".parse()?);
    let done = commit(archive, Some(before), export, entry, With::message(message.seq)).await?;
    clear(archive, id).await?;
    Ok(Taken::of(done))
}

/// Somebody begins to fetch it: from now on they have it, whatever becomes of the download.
async fn begun(
    archive: &Archive,
    export: ExportJob,
    actor: Option<ActorId>,
    from: u64,
    message: &Arrived,
) -> Result<Taken, VaultError> {
    if !left(&export) {
        return Ok(Taken::No);
    }
    let entry = handed_out(archive, &export, actor)?
        .outcome("begun".parse()?)
        .counting("from".parse()?, from)
        .counting("projections".parse()?, archive.catalogue.export_holds(export.id).await?);
    let (state, who) = (export.state, actor.unwrap_or(export.requester));
    let done = commit(
        archive,
        Some(state),
        export,
        entry,
        With { leaves_to: Some(who), ..With::message(message.seq) },
    );
    Ok(Taken::of(done.await?))
}

/// The last byte was sent. Of two who fetched it at one moment, or one whose grant ended while they did, it is said and no more.
async fn fetched(
    archive: &Archive,
    mut export: ExportJob,
    actor: Option<ActorId>,
    message: &Arrived,
) -> Result<Taken, VaultError> {
    let entry = handed_out(archive, &export, actor)?.outcome("whole".parse()?);
    if export.state != ExportState::Released {
        return unchanged(archive, export, entry, message).await;
    }
    let id = export.id;
    export.state = ExportState::Fetched;
    let done = commit(archive, Some(ExportState::Released), export, entry, With::message(message.seq));
    let done = done.await?;
    archive.room.forget_export(id).await?;
    Ok(Taken::of(done))
}

/// An export that somebody asked for, under a grant of theirs that holds and is for files. While another of the grant is under way
/// it is over as soon as it is known.
async fn ask(archive: &Archive, step: &ExportStep, message: &Arrived) -> Result<Taken, VaultError> {
    let Some(requester) = step.actor else { return Ok(Taken::No) };
    if !archive.catalogue.grant_in_force(step.grant, archive.sources.now()).await? {
        return Ok(Taken::No);
    }
    let requests = archive.catalogue.requests_with_grant().await?;
    let Some(request) = requests.into_iter().find(|request| request.grant == Some(step.grant)) else {
        return Ok(Taken::No);
    };
    if request.content.form != Form::Export || !is_of_team(archive, &request, requester).await? {
        return Ok(Taken::No);
    }
    let mut export = ExportJob {
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
        built_at: None,
    };
    let mut entry = entry(archive, EntryKind::ExportAsked, &export)?.by(requester, Role::Researcher);
    let open = archive.catalogue.exports_in(&super::in_force::OPEN).await?;
    if open.iter().any(|other| other.grant == export.grant) {
        stopped_for(&mut export, "one-at-a-time");
        entry = entry.outcome("one-at-a-time".parse()?);
    }
    let done = commit(archive, None, export, entry, With::message(message.seq));
    Ok(Taken::of(done.await?))
}
