//! Whether what is in an export may still leave: its grant holds, and everything in it stands as it was when the files were built.
//! What may not is taken back, and nothing stays in the airlock or the reading room of what is over.

use super::{With, airlock, clear, commit, entry, stopped_for};
use crate::ledger::EntryKind;
use crate::model::{ExportId, ExportState};
use crate::store::catalogue::ExportJob;
use crate::vault::{Archive, VaultError};
use serde_json::Value;
use std::collections::HashMap;

/// Where an export that is under way may stand.
pub(super) const OPEN: [ExportState; 6] = [
    ExportState::Preparing,
    ExportState::Building,
    ExportState::Held,
    ExportState::Waiting,
    ExportState::Releasing,
    ExportState::Released,
];

/// Whether nothing more happens with an export.
pub(super) const fn is_over(state: ExportState) -> bool {
    use ExportState::{Fetched, Lapsed, Refused, Stopped};
    matches!(state, Fetched | Lapsed | Refused | Stopped)
}

/// Why nothing of an export may leave any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Its grant ended or was revoked.
    GrantEnded,
    /// Nobody fetched it in time.
    Late,
    /// Something in it was withdrawn, or stands there with other words.
    Changed,
}

impl Obstacle {
    const fn code(self) -> &'static str {
        match self {
            Self::GrantEnded => "grant-ended",
            Self::Late => "not-fetched-in-time",
            Self::Changed => "changed-since-built",
        }
    }

    /// What whoever lets files go is told.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::GrantEnded => "the grant has ended: nothing leaves under it",
            Self::Late => "its time is over: nothing of it leaves; the researcher may have it made anew",
            Self::Changed => {
                "something in it was withdrawn or corrected since it was built: nothing of it leaves; the researcher may have it \
                 made anew"
            }
        }
    }
}

/// Whether nothing is on its way down, nor to be computed anew, that may change what the export holds: only then
/// [`obstacle`] tells the whole of it.
pub(super) async fn is_settled(archive: &Archive, export: &ExportJob) -> Result<bool, VaultError> {
    let catalogue = &archive.catalogue;
    Ok(!catalogue.changes_wait().await? && !catalogue.export_is_stale(export.id).await?)
}

/// Why nothing of an export may leave; `None` when it may.
pub(super) async fn obstacle(archive: &Archive, export: &ExportJob) -> Result<Option<Obstacle>, VaultError> {
    use ExportState::{Released, Releasing, Waiting};
    let now = archive.sources.now();
    if !archive.catalogue.grant_in_force(export.grant, now).await? {
        return Ok(Some(Obstacle::GrantEnded));
    }
    if export.until.is_some_and(|until| until <= now) {
        return Ok(Some(Obstacle::Late));
    }
    let checked = matches!(export.state, Waiting | Releasing | Released);
    if checked && is_changed(archive, export).await? {
        return Ok(Some(Obstacle::Changed));
    }
    let pieces = export.built.get("packagePieces").and_then(Value::as_u64);
    if export.state == Released && archive.room.export_chunks(export.id).await? < pieces.unwrap_or(u64::MAX) {
        return Ok(Some(Obstacle::Changed));
    }
    Ok(None)
}

/// Whether something in it is not as it was; where the reading room does not know any more what is in it, it counts as that.
async fn is_changed(archive: &Archive, export: &ExportJob) -> Result<bool, VaultError> {
    if archive.room.export_changed(export.id).await? {
        return Ok(true);
    }
    let known = archive.room.is_prepared(export.id).await?;
    Ok(!known && archive.catalogue.export_holds(export.id).await? > 0)
}

/// Takes an export back, and everything that is there of it. `false` when it stood elsewhere by then.
pub(super) async fn take_back(
    archive: &Archive,
    export: ExportJob,
    why: Obstacle,
) -> Result<bool, VaultError> {
    end(archive, export, why.code(), why == Obstacle::Changed).await
}

/// Stops an export of which something is wrong, and clears what is there of it.
pub(super) async fn stop(
    archive: &Archive,
    export: ExportJob,
    code: &'static str,
) -> Result<bool, VaultError> {
    end(archive, export, code, true).await
}

async fn end(
    archive: &Archive,
    mut export: ExportJob,
    code: &'static str,
    stopped: bool,
) -> Result<bool, VaultError> {
    let (id, before) = (export.id, export.state);
    if stopped {
        stopped_for(&mut export, code);
    } else {
        export.state = ExportState::Lapsed;
    }
    let entry = entry(archive, EntryKind::ExportStopped, &export)?.outcome(code.parse()?);
    let done = commit(archive, Some(before), export, entry, With::default()).await?;
    if done {
        clear(archive, id).await?;
    }
    Ok(done)
}

/// Takes back what nobody may fetch any more: the grant ended or was revoked, the time is over, or something in it was withdrawn
/// or corrected; and clears what is left of exports that are over. Returns how many were taken back. One that fails does not keep
/// the others.
///
/// # Errors
/// When the catalogue cannot be read, or what is left cannot be cleared; the next round goes on.
pub async fn lapse(archive: &Archive) -> Result<u64, VaultError> {
    let mut done = 0;
    for export in archive.catalogue.exports_in(&OPEN).await? {
        let id = export.id;
        match lapse_one(archive, export).await {
            Ok(lapsed) => done += u64::from(lapsed),
            Err(error) => tracing::error!(export = %id, %error, "an export that is over was not taken back"),
        }
    }
    sweep(archive).await?;
    Ok(done)
}

async fn lapse_one(archive: &Archive, export: ExportJob) -> Result<bool, VaultError> {
    match obstacle(archive, &export).await? {
        Some(why) => take_back(archive, export, why).await,
        None => Ok(false),
    }
}

/// Clears what a step that was broken off left, and what came after an export was over.
async fn sweep(archive: &Archive) -> Result<(), VaultError> {
    use ExportState::{Building, Held, Preparing, Released, Releasing, Waiting};
    let mut states = HashMap::new();
    for id in airlock(archive).exports().await? {
        if !matches!(state(archive, id, &mut states).await?, Some(Building | Held | Waiting | Releasing)) {
            airlock(archive).clear(id).await?;
        }
    }
    for id in archive.room.exports_there().await? {
        let known = state(archive, id, &mut states).await?;
        if !matches!(known, Some(Preparing | Building | Held | Waiting | Releasing | Released)) {
            archive.room.forget_export(id).await?;
        }
    }
    Ok(())
}

async fn state(
    archive: &Archive,
    id: ExportId,
    known: &mut HashMap<ExportId, Option<ExportState>>,
) -> Result<Option<ExportState>, VaultError> {
    if let Some(state) = known.get(&id) {
        return Ok(*state);
    }
    let state = archive.catalogue.export(id).await?.map(|export| export.state);
    known.insert(id, state);
    Ok(state)
}
