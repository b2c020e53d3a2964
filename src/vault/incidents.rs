//! A finding that was missed earlier in something that was read: who has it, who is told, until when the supervisory
//! authority must be.
//!
//! When a conversation is computed anew and something is redacted that was readable before, its projections are watched
//! ([`MissedRow`]) from the transaction that replaces them until it is certain that everyone who was shown the old ones is
//! known: messages of the reading room come up late. Those that were shown to nobody open nothing.

use super::{Archive, Rules, VaultError, bodies, publications, read, restored, sequence};
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{
    ActorId, GrantId, IncidentId, IncidentOutcome, OrganisationId, PrivateText, ProjectionId, Timestamp,
};
use crate::store::catalogue::{Closing, IncidentRow, MissedRow, Opening, OutboxRow, SeenHow, SeenRow};
use crate::store::room::PublishedRecall;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Hours within which the supervisory authority is notified (AVG article 33(1)).
pub const NOTIFY_HOURS: i64 = 72;

/// Kind of the outbox item that says which projections the conversation before it replaced.
pub(super) const REPLACED: &str = "replaced";
/// Kind of the outbox item that tells readers.
pub(super) const RECALL: &str = "recall";

/// Projections looked at in one round.
const ROUND_MOST: u32 = 500;
/// A projection is watched for so many seconds after it was replaced.
const WATCH_SECONDS: i64 = 60;

/// Looks who was shown what was replaced because it showed too much, and opens or adds to incidents. Returns how many
/// projections somebody has.
///
/// # Errors
/// When storage fails; the next round goes on.
pub async fn look(archive: &Archive) -> Result<u64, VaultError> {
    let missed = archive.catalogue.missed(ROUND_MOST).await?;
    if missed.is_empty() {
        return Ok(0);
    }
    let cursor = archive.journal.inbox_cursor().await?;
    let nothing_waits = archive.inbox.after(cursor, 1).await?.is_empty();
    let mut of: BTreeMap<(OrganisationId, String), Vec<MissedRow>> = BTreeMap::new();
    for row in &missed {
        of.entry((row.organisation.clone(), row.cause.clone())).or_default().push(row.clone());
    }
    let mut had = 0;
    for ((organisation, cause), rows) in of {
        had += of_cause(archive, organisation, cause, rows).await?;
    }
    let now = archive.sources.now();
    let certain = |row: &&MissedRow| {
        nothing_waits && row.replaced_at.is_some_and(|at| now.seconds() - at.seconds() > WATCH_SECONDS)
    };
    let settled: Vec<ProjectionId> = missed.iter().filter(certain).map(|row| row.projection).collect();
    archive.catalogue.missed_settled(&settled).await?;
    Ok(had)
}

/// What one cause found in one organisation's records: it joins the incident that is open, or opens one.
async fn of_cause(
    archive: &Archive,
    organisation: OrganisationId,
    cause: String,
    rows: Vec<MissedRow>,
) -> Result<u64, VaultError> {
    let now = archive.sources.now();
    let mut has: BTreeMap<GrantId, Vec<ProjectionId>> = BTreeMap::new();
    let mut shown = Vec::new();
    for row in rows {
        let seen = archive.catalogue.seen(row.projection, row.replaced_at.unwrap_or(now)).await?;
        for one in &seen {
            let of = has.entry(one.grant).or_default();
            if !of.contains(&row.projection) {
                of.push(row.projection);
            }
        }
        if !seen.is_empty() {
            shown.push(row);
        }
    }
    let known = archive.catalogue.open_incident(&organisation, &cause).await?;
    if let Some(known) = &known {
        let told = archive.catalogue.recalled(known.id).await?;
        for (grant, of) in &mut has {
            let before = told.get(grant).map(Vec::as_slice).unwrap_or_default();
            of.retain(|projection| !before.contains(projection));
        }
        has.retain(|_, of| !of.is_empty());
    }
    if has.is_empty() {
        return Ok(0);
    }
    let fresh = known.is_none();
    let incident = match known {
        Some(known) => known,
        None => IncidentRow {
            id: IncidentId::from_uuid(archive.sources.random_id()?),
            organisation,
            cause,
            opened_at: now,
            notify_until: now.plus_seconds(NOTIFY_HOURS * 3_600),
            outcome: None,
            closed_at: None,
            closed_by: None,
            entry: None,
        },
    };
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::IncidentOpened, now)
        .of(incident.organisation.clone())
        .about([Thing::Incident(incident.id)])
        .about(has.keys().map(|grant| Thing::Grant(*grant)))
        .about(shown.iter().map(|row| Thing::Record(row.record)))
        .outcome(restored::MISSED.parse()?)
        .counting("grants".parse()?, has.len() as u64);
    let recall = PublishedRecall {
        id: archive.sources.random_id()?,
        incident: incident.id,
        at: now,
        grants: has.clone(),
        nl: RECALL_NL.to_owned(),
        en: RECALL_EN.to_owned(),
    };
    let down = OutboxRow { kind: RECALL, payload: serde_json::to_string(&recall).unwrap_or_default() };
    let opening = Opening {
        incident: &incident,
        alarm: fresh.then(|| archive.sources.random_id()).transpose()?,
        missed: &shown,
        recalls: &has,
        down: vec![down],
    };
    let log = archive.logs.vault_origin();
    let _recorded = archive.catalogue.add_incident(log, opening, Pending::event(entry)?, now).await?;
    archive.journal.wake();
    Ok(shown.len() as u64)
}

const RECALL_NL: &str = "In records die u hebt ingezien of ontvangen bleek een persoonsgegeven leesbaar dat gelakt had moeten zijn. \
Vernietig elke kopie, aantekening en uitvoer ervan, ook die bij anderen in uw team, gebruik en verspreid het niet, en meld het ons als het al \
verspreid is. De nieuwe weergave staat onder dezelfde verwijzing in de leeszaal.";
const RECALL_EN: &str = "Records that you read or received turned out to show personal data that should have been redacted. Destroy every \
copy, note and file of it, also those of others in your team, do not use or pass it on, and tell us if it has been passed on already. The new \
view stands in the reading room under the same reference.";

/// Goes through what the reading room's log says was shown before there was a table of it. Broken off, it goes on the next
/// time. Returns how many entries there were.
///
/// # Errors
/// When storage fails.
pub async fn carry_over(archive: &Archive) -> Result<u64, VaultError> {
    let (log, mut done) = (archive.logs.room_origin(), 0);
    let everyone = publications::everyone(archive).await?;
    loop {
        let from = archive.catalogue.seen_up_to().await?;
        let leaves = archive.journal.leaves(log, from, LEAVES_AT_ONCE).await?;
        let Some((last, _)) = leaves.last() else { return Ok(done) };
        let seen: Vec<SeenRow> = leaves
            .iter()
            .filter_map(|(_, leaf)| Entry::parse(leaf).ok())
            .flat_map(|entry| shown_by(&entry, everyone))
            .collect();
        archive.catalogue.carry_seen(&seen, last + 1).await?;
        done += leaves.len() as u64;
    }
}

const LEAVES_AT_ONCE: u32 = 1_024;

/// What an entry of the reading room's log says was shown, and to whom: one that names a grant and nobody is of the public,
/// under a publication.
fn shown_by(entry: &Entry, everyone: Option<ActorId>) -> Vec<SeenRow> {
    let shows = matches!(entry.kind(), EntryKind::ViewServed | EntryKind::SearchServed);
    let grant = entry.things().iter().find_map(|thing| match thing {
        Thing::Grant(grant) => Some(*grant),
        _ => None,
    });
    let actor = entry.actor().or(everyone);
    let (true, Some(grant), Some(actor)) = (shows, grant, actor) else { return Vec::new() };
    let projections = entry.things().iter().filter_map(|thing| match thing {
        Thing::Projection(projection) => Some(*projection),
        _ => None,
    });
    projections
        .map(|projection| SeenRow { projection, grant, actor, how: SeenHow::Read, at: entry.at() })
        .collect()
}

/// The incidents of the actor's organisation, or of all for whoever holds the data folder; newest first.
///
/// # Errors
/// [`VaultError::Refused`] for roles that may not.
pub async fn list(archive: &Archive, rules: &Rules, by: Option<&Actor>) -> Result<Vec<Value>, VaultError> {
    if let Some(actor) = by {
        permitted(archive, rules, actor, &actor.organisation, Action::ReadIncidents).await?;
    }
    let rows = archive.catalogue.incidents(by.map(|actor| &actor.organisation)).await?;
    let now = archive.sources.now();
    Ok(rows.iter().map(|row| summary(row, now)).collect())
}

/// An incident as it is answered, without who has it.
#[must_use]
pub fn summary(row: &IncidentRow, now: Timestamp) -> Value {
    let mut shown = json!(row);
    if let (Some(fields), None) = (shown.as_object_mut(), row.closed_at) {
        fields.insert("hoursLeft".to_owned(), json!((row.notify_until.seconds() - now.seconds()) / 3_600));
    }
    shown
}

/// One incident: its records, who has them (grants, and the people behind), who was told.
///
/// # Errors
/// [`VaultError::Absent`] also for one of another organisation; [`VaultError::Refused`].
pub async fn show(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
    id: IncidentId,
) -> Result<Value, VaultError> {
    let row = found(archive, rules, by, id, Action::ReadIncidents).await?;
    // What the reading room said is taken up first: it may be of one more reader.
    sequence::take_up(archive, rules).await?;
    look(archive).await?;
    let mut holders = Vec::new();
    for holder in archive.catalogue.holders(id).await? {
        let person = archive.catalogue.person_behind(holder.actor).await?;
        let mut shown = json!(holder);
        if let (Some(fields), Some((issuer, subject))) = (shown.as_object_mut(), person) {
            fields.insert("person".to_owned(), json!({ "issuer": issuer, "subject": subject }));
        }
        holders.push(shown);
    }
    let records: Vec<Value> = archive
        .catalogue
        .incident_records(id)
        .await?
        .iter()
        .map(|(record, replaced_at)| json!({ "record": record, "replacedAt": replaced_at }))
        .collect();
    let told: Vec<Value> = archive
        .catalogue
        .recalled(id)
        .await?
        .iter()
        .map(|(grant, of)| json!({ "grant": grant, "records": of.len() }))
        .collect();
    let mut shown = summary(&row, archive.sources.now());
    let words = match row.entry {
        Some(entry) => bodies::read(archive, &row.organisation, entry).await?,
        None => None,
    };
    let words = words.and_then(|json| serde_json::from_str::<Value>(&json).ok());
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("records".to_owned(), json!(records));
        fields.insert("holders".to_owned(), json!(holders));
        fields.insert("recalled".to_owned(), json!(told));
        if let Some(text) = words.as_ref().and_then(|words| words.get("text")) {
            fields.insert("text".to_owned(), text.clone());
        }
    }
    Ok(shown)
}

const TEXT_CHARS_MIN: usize = 20;
const TEXT_CHARS_MAX: usize = 4_000;

/// Closes an incident: how it ended, and why. The words are sealed with the entry.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`]; [`VaultError::Input`] when too little is said, or it was closed before.
pub async fn close(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
    id: IncidentId,
    outcome: IncidentOutcome,
    text: &PrivateText,
) -> Result<Value, VaultError> {
    let row = found(archive, rules, by, id, Action::CloseIncident).await?;
    if !(TEXT_CHARS_MIN..=TEXT_CHARS_MAX).contains(&text.expose().trim().chars().count()) {
        return Err(VaultError::Input(format!(
            "say what was done and why, in {TEXT_CHARS_MIN} to {TEXT_CHARS_MAX} characters"
        )));
    }
    let now = archive.sources.now();
    // An epoch does not end between the wrapping of the body's key and the commit.
    let no_turn = archive.turning.read().await;
    let mut entry = Entry::new(archive.sources.entry_id()?, EntryKind::IncidentClosed, now)
        .of(row.organisation.clone())
        .about([Thing::Incident(id)])
        .about(archive.catalogue.recalled(id).await?.into_keys().map(Thing::Grant))
        .outcome(outcome.as_str().parse()?);
    if let Some(actor) = by {
        entry = entry.by(actor.id, actor.role);
    }
    let sealed = bodies::seal(archive, &row.organisation, entry.id(), &json!({ "text": text.expose() }))?;
    let pending = Pending::event(entry.committing(sealed.commitment))?;
    let log = archive.logs.vault_origin();
    let closing = Closing { incident: id, outcome, by: by.map(|actor| actor.id), at: now };
    let closed = archive.catalogue.close_incident(log, closing, pending, sealed.body).await?;
    drop(no_turn);
    if closed.is_none() {
        return Err(VaultError::Input("the incident was closed before".to_owned()));
    }
    archive.journal.wake();
    let row = archive.catalogue.incident(id).await?.ok_or(VaultError::Absent { what: "the incident" })?;
    Ok(summary(&row, now))
}

/// What must be warned of: incidents of which the 72 hours have passed, or nearly.
///
/// # Errors
/// When storage fails.
pub async fn warnings(archive: &Archive) -> Result<Vec<String>, VaultError> {
    let now = archive.sources.now();
    let open = archive.catalogue.incidents(None).await?;
    let told = open.iter().filter(|row| row.closed_at.is_none()).map(|row| {
        let left = (row.notify_until.seconds() - now.seconds()) / 3_600;
        let clock = if left < 0 {
            format!("its {NOTIFY_HOURS} hours have passed")
        } else {
            format!("{left} hours are left to notify the supervisory authority")
        };
        format!("incident {} is open: {clock} (knik incident show {})", row.id, row.id)
    });
    Ok(told.collect())
}

async fn found(
    archive: &Archive,
    rules: &Rules,
    by: Option<&Actor>,
    id: IncidentId,
    action: Action,
) -> Result<IncidentRow, VaultError> {
    let known = archive.catalogue.incident(id).await?;
    if let Some(actor) = by {
        permitted(archive, rules, actor, &actor.organisation, action).await?;
    }
    let own = |row: &IncidentRow| by.is_none_or(|actor| actor.organisation == row.organisation);
    known.filter(own).ok_or(VaultError::Absent { what: "the incident" })
}

async fn permitted(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    organisation: &OrganisationId,
    action: Action,
) -> Result<(), VaultError> {
    let registry = Resource::Registry { organisation: organisation.clone() };
    read::authorise(archive, rules, actor, action, &registry).await.map(drop)
}
