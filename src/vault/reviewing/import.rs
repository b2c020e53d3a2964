//! What people of an external agency assessed, taken in from a file: whole or not at all. Each line is of an item of one of their
//! channels, said while their assignment ran; a file that is taken in twice adds nothing.

use super::assess::{By, Prepared, in_effect, prepare};
use super::file::{FAULTS_MAX, Fault, FileForm, Line, LineSaid, read as read_file};
use super::{Added, Assessing, FindingSaid, Place};
use crate::access::{Action, Actor, Resource};
use crate::decide::Answer;
use crate::ledger::{Entry, EntryKind, Pending};
use crate::model::{AppointmentKind, OrganisationId, PrivateText, Timestamp, VersionId};
use crate::store::catalogue::{Appointment, QueueItem, QueueScope, Queued};
use crate::vault::{Archive, Rules, VaultError, read};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// A file to take in.
#[derive(Debug)]
pub struct Import<'a> {
    /// Its form.
    pub form: FileForm,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The issuer of the tokens of the people in it, where a line names none.
    pub issuer: String,
    /// Look only: say what would be taken in.
    pub dry_run: bool,
}

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Lines of the file.
    pub lines: u64,
    /// Items that were assessed.
    pub items: u64,
    /// Items of which the same person had said something at the same moment: nothing was added for them.
    pub already_there: u64,
    /// Items that another person judges still: what was said does not hold yet.
    pub waiting: u64,
    /// Whether it was a look only.
    pub dry_run: bool,
}

/// Takes a file in. Nothing of it when anything is wrong with it.
///
/// # Errors
/// [`VaultError::Refused`] for who may not; [`VaultError::Input`] with every fault, each with its row, column and mend;
/// [`VaultError::Absent`] when an item was changed meanwhile: nothing was taken in, and it can be tried again.
pub async fn import(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &Import<'_>,
) -> Result<Imported, VaultError> {
    let organisation = actor.organisation.clone();
    let resource = Resource::Registry { organisation: organisation.clone() };
    read::authorise(archive, rules, actor, Action::ImportAssessments, &resource).await?;
    let lines = read_file(asked.form, asked.bytes).map_err(faulty)?;
    let mut told = Imported {
        lines: lines.len() as u64,
        items: 0,
        already_there: 0,
        waiting: 0,
        dry_run: asked.dry_run,
    };
    let submissions = submissions(lines, &asked.issuer).map_err(faulty)?;
    let one_at_a_time = archive.intake.lock().await;
    let (mut drafts, mut items, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut named = BTreeSet::new();
    for submission in submissions {
        if !named.insert(submission.item) {
            faults.push(Fault { row: submission.row, column: Some("item"), what: TWICE.to_owned() });
            continue;
        }
        match look(archive, &organisation, &submission).await? {
            Looked::Fault(column, what) => {
                faults.push(Fault { row: submission.row, column: Some(column), what });
            }
            Looked::There => told.already_there += 1,
            Looked::New(item, by) => match prepare(archive, rules, &item, &by, &submission.said).await {
                Ok(Prepared { draft, told: said, effective }) => {
                    told.items += 1;
                    told.waiting += u64::from(said.get("settled") != Some(&serde_json::Value::Bool(true)));
                    drafts.push(draft);
                    items.extend(effective.then_some(item));
                }
                Err(VaultError::Input(what)) => {
                    faults.push(Fault { row: submission.row, column: None, what });
                }
                Err(other) => return Err(other),
            },
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    if !faults.is_empty() {
        return Err(faulty(faults));
    }
    if asked.dry_run || drafts.is_empty() {
        return Ok(told);
    }
    // An epoch does not end between the wrapping of a body's key and the commit.
    let no_turn = archive.turning.read().await;
    let written = drafts.into_iter().map(|draft| draft.sealed(archive)).collect::<Result<Vec<_>, _>>()?;
    let beside = Pending::event(entry(archive, actor, &told)?)?;
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    let done = archive.catalogue.assess(log, written, Some(beside), now).await?;
    done.ok_or(VaultError::Absent { what: "an item of the file" })?;
    archive.journal.wake();
    drop(no_turn);
    drop(one_at_a_time);
    in_effect(archive, rules, &items).await?;
    Ok(told)
}

const TWICE: &str = "stands in the file by another person or of another moment too; take in a file for each";

fn faulty(faults: Vec<Fault>) -> VaultError {
    VaultError::Input(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

/// What one person said of one item at one moment.
struct Submission {
    row: usize,
    item: VersionId,
    issuer: String,
    reviewer: String,
    at: Timestamp,
    said: Assessing,
}

/// Lines of one person, item and moment belong together, wherever they stand.
fn submissions(lines: Vec<Line>, issuer: &str) -> Result<Vec<Submission>, Vec<Fault>> {
    let mut all: Vec<Submission> = Vec::new();
    let mut faults = Vec::new();
    let mut seen: HashMap<(VersionId, String, String, Timestamp), usize> = HashMap::new();
    for line in lines {
        let issuer = line.issuer.clone().unwrap_or_else(|| issuer.to_owned());
        let key = (line.item, issuer.clone(), line.reviewer.clone(), line.at);
        let at = *seen.entry(key).or_insert_with(|| {
            all.push(Submission {
                row: line.row,
                item: line.item,
                issuer,
                reviewer: line.reviewer.clone(),
                at: line.at,
                said: Assessing::default(),
            });
            all.len() - 1
        });
        if let Some(submission) = all.get_mut(at) {
            take(&mut submission.said, line, &mut faults);
        }
    }
    if faults.is_empty() { Ok(all) } else { Err(faults) }
}

fn take(said: &mut Assessing, line: Line, faults: &mut Vec<Fault>) {
    let row = line.row;
    let mut once = |column: &'static str, kept: &mut PrivateText, text: PrivateText| {
        if text.is_empty() || *kept == text {
            return;
        }
        if kept.is_empty() {
            *kept = text;
        } else {
            let what =
                "differs from another line of the same item, person and moment; write it once".to_owned();
            faults.push(Fault { row, column: Some(column), what });
        }
    };
    once("reason", &mut said.reason, line.reason);
    once("weighing", &mut said.weighing, line.weighing);
    said.seconds = said.seconds.max(line.seconds);
    match line.said {
        LineSaid::Step { step, answer } => {
            said.answers.push((step, answer.parse().unwrap_or(Answer::Unsure)));
        }
        LineSaid::Finding { id, verdict, exemption } => {
            said.findings.push(FindingSaid { id, verdict, exemption });
        }
        LineSaid::Rest => said.rest_confirmed = true,
        LineSaid::Added { words, at, entity, exemption } => {
            let place = match (words, at) {
                (_, Some((passage, start, end))) => Place::At { passage, start, end },
                (words, None) => Place::Words(words.unwrap_or_default()),
            };
            said.added.push(Added { place, entity, exemption });
        }
        LineSaid::NothingMissed => {}
    }
}

enum Looked {
    Fault(&'static str, String),
    There,
    New(QueueItem, By),
}

const NO_ASSIGNMENT: &str = "had no assignment for the channel of the item at that time: knik reviewer add";

/// Whether that person could say that of that item at that moment.
async fn look(
    archive: &Archive,
    organisation: &OrganisationId,
    submission: &Submission,
) -> Result<Looked, VaultError> {
    let fault = |column, what: &str| Ok(Looked::Fault(column, what.to_owned()));
    let now = archive.sources.now();
    let known = archive.catalogue.known_actor(&submission.issuer, &submission.reviewer).await?;
    let Some(actor) = known else { return fault("reviewer", NO_ASSIGNMENT) };
    if archive.catalogue.has_assessed(submission.item, actor, submission.at).await? {
        return Ok(Looked::There);
    }
    if submission.at > now {
        return fault("at", "lies in the future; write when the person assessed it");
    }
    let known = archive.catalogue.queueable(submission.item).await?;
    let Some(known) = known.filter(|item| item.organisation == *organisation) else {
        return fault(
            "item",
            "is not an item of the queue; it may have been edited since: ask for the queue anew",
        );
    };
    let given = archive.catalogue.appointments_of(actor, AppointmentKind::Assignment).await?;
    let holds = |one: &&Appointment| {
        one.organisation == *organisation
            && one.covers(&known.channel)
            && one.made_at <= submission.at
            && submission.at < one.holds_until()
    };
    let Some(given) = given.iter().find(holds) else {
        return fault("reviewer", NO_ASSIGNMENT);
    };
    let scope = QueueScope { organisation: organisation.clone(), channels: vec![known.channel.clone()] };
    let asked = Queued { only: Some(submission.item), most: 1, ..Queued::default() };
    let waits = archive.catalogue.queue_items(&[scope], actor, &asked).await?.pop();
    let Some(item) = waits else {
        return fault("item", "waits no longer: it was judged, or this person judged it before");
    };
    let by = By { actor, at: submission.at, appointment: Some(given.id) };
    Ok(Looked::New(item, by))
}

fn entry(archive: &Archive, actor: &Actor, told: &Imported) -> Result<Entry, VaultError> {
    let sources = &archive.sources;
    Ok(Entry::new(sources.entry_id()?, EntryKind::AssessmentsImported, sources.now())
        .of(actor.organisation.clone())
        .by(actor.id, actor.role)
        .counting("lines".parse()?, told.lines)
        .counting("items".parse()?, told.items)
        .counting("already-there".parse()?, told.already_there))
}
