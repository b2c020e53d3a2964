//! The leader's work: taking up the reading room's inbox, numbering and signing entries, copying checkpoints,
//! taking projections down. Every step can be done twice; only one process does them at a time.

use super::{Archive, Rules, VaultError, publish};
use crate::ledger::{Code, Entry, EntryKind, LogKey, Pending, Thing};
use crate::store::StoreError;
use crate::store::inbox::{Arrived, RoomEvent, RoomEventKind};
use std::path::Path;
use std::time::Duration;

/// Messages taken up in one transaction.
const INBOX_ROUND: u32 = 1_024;

/// Takes up what the reading room said. Returns how many messages there were.
///
/// # Errors
/// When either database fails: what was not taken up waits.
pub async fn take_up(archive: &Archive) -> Result<usize, VaultError> {
    let mut done = 0;
    loop {
        let cursor = archive.journal.inbox_cursor().await?;
        let arrived = archive.inbox.after(cursor, INBOX_ROUND).await?;
        let Some(last) = arrived.last().map(|message| message.seq) else { return Ok(done) };
        let entries = arrived.iter().map(|m| entry(archive, m)).collect::<Result<Vec<_>, _>>()?;
        archive.journal.take_up(archive.logs.room_origin(), entries, last).await?;
        done += arrived.len();
    }
}

/// A message that cannot be read is recorded as such: it is not passed over in silence.
fn entry(archive: &Archive, message: &Arrived) -> Result<Pending, VaultError> {
    let id = archive.sources.entry_id()?;
    let Ok(event) = serde_json::from_str::<RoomEvent>(&message.payload) else {
        let entry =
            Entry::new(id, EntryKind::IncidentOpened, message.at).outcome("inbox-unreadable".parse()?);
        return Ok(Pending::event(entry)?);
    };
    let kind = match event.kind {
        RoomEventKind::View => EntryKind::ViewServed,
        RoomEventKind::Search => EntryKind::SearchServed,
        RoomEventKind::Denied => EntryKind::AccessDenied,
    };
    let mut entry = Entry::new(id, kind, message.at)
        .about(event.grant.map(Thing::Grant))
        .about(event.projections.into_iter().map(Thing::Projection))
        .because(event.reasons.iter().filter_map(|reason| reason.parse::<Code>().ok()))
        .counting("projections".parse()?, event.count);
    if let Some(actor) = event.actor {
        entry = entry.by(actor, event.role);
    }
    if let Some(organisation) = event.organisation {
        entry = entry.of(organisation);
    }
    Ok(Pending::event(entry)?)
}

/// Numbers and signs what is pending in both logs, and copies their checkpoints to the second place.
///
/// # Errors
/// When the database fails or a log does not continue where its head says.
pub async fn number(archive: &Archive) -> Result<usize, VaultError> {
    let mut done = 0;
    for key in [&archive.logs.vault, &archive.logs.reading_room] {
        let mut of_log = 0;
        loop {
            let numbered = archive.journal.sequence(key).await?;
            of_log += numbered;
            if numbered == 0 {
                break;
            }
        }
        if of_log > 0 {
            copy_checkpoint(archive, key).await?;
        }
        done += of_log;
    }
    Ok(done)
}

async fn copy_checkpoint(archive: &Archive, key: &LogKey) -> Result<(), VaultError> {
    let Some(folder) = archive.logs.second_place.clone() else { return Ok(()) };
    let origin = key.verifier().origin();
    let Some(head) = archive.journal.head(origin).await? else { return Ok(()) };
    let name = origin.as_str().replace('/', "_");
    tokio::task::spawn_blocking(move || write_checkpoint(&folder, &name, &head.checkpoint))
        .await?
        .map_err(|source| VaultError::Store(StoreError::Busy(format!("checkpoint copy: {source}"))))
}

/// Writes the newest checkpoint beside the old one, then puts it in its place: a copy is never half.
fn write_checkpoint(folder: &Path, name: &str, checkpoint: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let fresh = folder.join(format!("{name}.checkpoint.new"));
    std::fs::write(&fresh, checkpoint)?;
    std::fs::rename(fresh, folder.join(format!("{name}.checkpoint")))
}

/// One round of the leader: up, numbers, down.
///
/// # Errors
/// What failed first; the next round goes on.
pub async fn round(archive: &Archive, rules: &Rules) -> Result<(), VaultError> {
    take_up(archive).await?;
    number(archive).await?;
    publish::refresh_stale(archive, rules).await?;
    publish::take_down(archive).await?;
    number(archive).await?;
    Ok(())
}

/// Longest pause between two rounds.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs rounds until the process ends. An error is logged (without content) and the next round tries again.
pub async fn lead(archive: Archive, rules: Rules) {
    let numbering = archive.clone();
    tokio::spawn(async move {
        // Numbering does not wait for publishing: receipts hang on it.
        loop {
            if let Err(error) = number(&numbering).await {
                tracing::error!(%error, "numbering failed");
                tokio::time::sleep(PAUSE).await;
            }
            numbering.journal.asked(PAUSE).await;
        }
    });
    loop {
        if let Err(error) = round(&archive, &rules).await {
            tracing::error!(%error, "round failed");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
