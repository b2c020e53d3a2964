//! The leader's work: taking up the reading room's inbox, numbering and signing entries, copying checkpoints,
//! taking projections down. Every step can be done twice; only one process does them at a time.

use super::{
    Archive, Rules, VaultError, deciding, exports, finding_aid, grants, incidents, keys, publications,
    publish, reports, requests, reviewing, second_place, timestamps,
};
use crate::ledger::{Code, Entry, EntryKind, LogKey, Pending, Thing};
use crate::model::{ActorId, ProjectionId};
use crate::store::catalogue::{SeenHow, SeenRow};
use crate::store::inbox::{Arrived, EXPORT, REPORT, REQUEST, RoomEvent, RoomEventKind};
use std::time::Duration;

/// Messages taken up in one transaction.
const INBOX_ROUND: u32 = 1_024;

/// Takes up what the reading room said. Returns how many messages there were.
///
/// # Errors
/// When either database fails: what was not taken up waits.
pub async fn take_up(archive: &Archive, rules: &Rules) -> Result<usize, VaultError> {
    let mut done = 0;
    loop {
        let cursor = archive.journal.inbox_cursor().await?;
        let arrived = archive.inbox.after(cursor, INBOX_ROUND).await?;
        if arrived.is_empty() {
            return Ok(done);
        }
        // A step of a request, a report and a step of an export change more than the log: each is taken up by itself, in its
        // place in the order.
        let alone = |message: &Arrived| [REQUEST, REPORT, EXPORT].contains(&message.kind.as_str());
        for alike in arrived.chunk_by(|a, b| !alone(a) && !alone(b)) {
            match alike {
                [step] if step.kind == EXPORT => exports::take_up(archive, step).await?,
                [step] if step.kind == REQUEST => requests::take_up(archive, rules, step).await?,
                [report] if report.kind == REPORT => reports::take_up(archive, report).await?,
                events => take_up_events(archive, events).await?,
            }
        }
        done += arrived.len();
    }
}

async fn take_up_events(archive: &Archive, events: &[Arrived]) -> Result<(), VaultError> {
    let Some(last) = events.last().map(|message| message.seq) else { return Ok(()) };
    let entries = events.iter().map(|m| entries(archive, m)).collect::<Result<Vec<_>, _>>()?;
    let entries = entries.into_iter().flatten().collect();
    let told: Vec<(&Arrived, RoomEvent)> = events.iter().filter_map(|m| Some((m, shown_in(m)?))).collect();
    let everyone = match told.iter().any(|(_, event)| event.actor.is_none()) {
        true => publications::everyone(archive).await?,
        false => None,
    };
    let seen: Vec<SeenRow> =
        told.into_iter().flat_map(|(message, event)| seen(message, event, everyone)).collect();
    Ok(archive.journal.take_up(archive.logs.room_origin(), entries, &seen, last).await?)
}

/// What a message says, when it says that something was shown.
fn shown_in(message: &Arrived) -> Option<RoomEvent> {
    let event = serde_json::from_str::<RoomEvent>(&message.payload).ok()?;
    let shows = matches!(event.kind, RoomEventKind::View | RoomEventKind::Search);
    Some(event).filter(|event| shows && !event.projections.is_empty())
}

/// What a message says was shown, and to whom. One of the public has no name: what they read under a publication, everyone
/// has.
fn seen(message: &Arrived, event: RoomEvent, everyone: Option<ActorId>) -> Vec<SeenRow> {
    let (Some(grant), Some(actor)) = (event.grant, event.actor.or(everyone)) else { return Vec::new() };
    let row = |projection| SeenRow { projection, grant, actor, how: SeenHow::Read, at: message.at };
    event.projections.into_iter().map(row).collect()
}

/// Projections named in one entry: a leaf has a longest form.
const PROJECTIONS_AN_ENTRY: usize = 1_000;

/// The entries of a message: more than one when it names more projections than a leaf holds. One that cannot be
/// recorded as it is becomes an incident: it is not passed over in silence, and it stops nothing.
fn entries(archive: &Archive, message: &Arrived) -> Result<Vec<Pending>, VaultError> {
    let incident = || {
        let id = archive.sources.entry_id()?;
        let entry =
            Entry::new(id, EntryKind::IncidentOpened, message.at).outcome("inbox-unreadable".parse()?);
        Ok::<_, VaultError>(vec![Pending::event(entry)?])
    };
    let Ok(event) = serde_json::from_str::<RoomEvent>(&message.payload) else { return incident() };
    let mut parts: Vec<&[ProjectionId]> = event.projections.chunks(PROJECTIONS_AN_ENTRY).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let entries: Result<Vec<Pending>, VaultError> =
        parts.into_iter().map(|part| entry(archive, message, &event, part)).collect();
    entries.or_else(|_| incident())
}

fn entry(
    archive: &Archive,
    message: &Arrived,
    event: &RoomEvent,
    projections: &[ProjectionId],
) -> Result<Pending, VaultError> {
    let id = archive.sources.entry_id()?;
    let kind = match event.kind {
        RoomEventKind::View => EntryKind::ViewServed,
        RoomEventKind::Search => EntryKind::SearchServed,
        RoomEventKind::Denied => EntryKind::AccessDenied,
    };
    let mut entry = Entry::new(id, kind, message.at)
        .about(event.grant.map(Thing::Grant))
        .about(projections.iter().copied().map(Thing::Projection))
        .because(event.reasons.iter().filter_map(|reason| reason.parse::<Code>().ok()))
        .counting("projections".parse()?, projections.len() as u64);
    if let Some(actor) = event.actor {
        entry = entry.by(actor, event.role);
    }
    if let Some(organisation) = &event.organisation {
        entry = entry.of(organisation.clone());
    }
    Ok(Pending::event(entry)?)
}

/// Numbers and signs what is pending in both logs, and copies their checkpoints to the second place. What ails one
/// log does not stop the other.
///
/// # Errors
/// When the database fails, a log does not continue where its head says, or does not contain what was copied before:
/// two histories are never signed.
pub async fn number(archive: &Archive) -> Result<usize, VaultError> {
    let [vault, room] = archive.logs.keys();
    let (vault, room) = (number_log(archive, vault).await, number_log(archive, room).await);
    Ok(vault? + room?)
}

async fn number_log(archive: &Archive, key: &LogKey) -> Result<usize, VaultError> {
    let mut done = 0;
    if !archive.journal.is_waiting(key.verifier().origin()).await? {
        return Ok(done);
    }
    second_place::check(archive, key).await?;
    loop {
        let numbered = archive.journal.sequence(key).await?;
        done += numbered;
        if numbered == 0 {
            break;
        }
    }
    second_place::copy(archive, key).await?;
    Ok(done)
}

/// One round of the leader: up, numbers, down.
///
/// # Errors
/// What failed first; the next round goes on.
pub async fn round(archive: &Archive, rules: &Rules) -> Result<(), VaultError> {
    // Every step is tried, whatever failed before it: a withdrawal does not wait for an inbox.
    let up = take_up(archive, rules).await.map(drop);
    let lapsed = requests::lapse(archive, rules).await.map(drop);
    let over = grants::lapse(archive).await.map(drop);
    let ended = exports::lapse(archive).await.map(drop);
    // What a fact that changed decides comes before what goes down.
    let decided = deciding::decide_waiting(archive, rules).await.map(drop);
    let anew = publish::refresh_stale(archive, rules).await.map(drop);
    let down = publish::take_down(archive).await.map(drop);
    let missed = incidents::look(archive).await.map(drop);
    let aids = finding_aid::renew(archive, rules).await.map(drop);
    let turned = keys::turn_due(archive).await.map(drop);
    let numbered = number(archive).await.map(drop);
    up.and(lapsed)
        .and(over)
        .and(ended)
        .and(decided)
        .and(anew)
        .and(down)
        .and(missed)
        .and(aids)
        .and(turned)
        .and(numbered)
}

/// How often it is looked whether a sample of automatic decisions is due.
const SAMPLING: Duration = Duration::from_secs(600);

/// Draws samples of automatic decisions when they are due, until the process ends.
async fn sample(archive: Archive, rules: Rules) {
    loop {
        if let Err(error) = reviewing::draw_due(&archive, &rules).await {
            tracing::error!(%error, "no sample of automatic decisions was drawn");
        }
        tokio::time::sleep(SAMPLING).await;
    }
}

/// Longest pause between two rounds.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs rounds until the process ends. An error is logged (without content) and the next round tries again.
pub async fn lead(archive: Archive, rules: Rules) {
    let numbering = archive.clone();
    tokio::spawn(timestamps::keep(archive.clone()));
    if let Err(error) = incidents::carry_over(&archive).await {
        tracing::error!(%error, "what was shown before was not gone through; it is when the service starts again");
    }
    if let Err(error) = grants::revoke_not_days(&archive).await {
        tracing::error!(%error, "grants with a day in another form were not revoked; they are when the service starts again");
    }
    tokio::spawn(exports::keep(archive.clone(), rules.clone()));
    tokio::spawn(sample(archive.clone(), rules.clone()));
    tokio::spawn(async move {
        // A head that was signed just before the last process ended may not have been copied.
        for key in numbering.logs.keys() {
            if let Err(error) = second_place::copy(&numbering, key).await {
                tracing::error!(%error, "checkpoint was not copied");
            }
        }
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
