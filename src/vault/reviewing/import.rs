//! What people of an external agency assessed, taken in from a file: whole or not at all. Each line is of an item of one of their
//! channels, said while their assignment ran; a file that is taken in twice adds nothing.

use super::assess::{By, Prepared, in_effect, prepare};
use super::file::{FAULTS_MAX, FileForm, read as read_file};
use super::judging;
use super::submissions::{Submission, submissions};
use crate::access::{Action, Actor, Resource};
use crate::decide::TableFault;
use crate::ledger::{Entry, EntryKind, Pending};
use crate::model::{AppointmentKind, OrganisationId};
use crate::store::catalogue::{Appointment, QueueItem, QueueScope, Queued};
use crate::vault::{Archive, Rules, VaultError, read};
use serde::Serialize;
use std::collections::BTreeSet;

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
/// [`VaultError::Refused`] for who may not; [`VaultError::Faults`] with every fault, each with its row, column and mend;
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
    let lines = read_file(asked.form, asked.bytes).map_err(VaultError::faults)?;
    let mut told = Imported {
        lines: lines.len() as u64,
        items: 0,
        already_there: 0,
        waiting: 0,
        dry_run: asked.dry_run,
    };
    let submissions = submissions(lines, &asked.issuer).map_err(VaultError::faults)?;
    let one_at_a_time = archive.intake.lock().await;
    let (mut drafts, mut items, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut named = BTreeSet::new();
    for submission in submissions {
        if !named.insert(submission.item) {
            faults.push(TableFault::new(submission.row, "item", TWICE));
            continue;
        }
        match look(archive, &organisation, &submission).await? {
            Looked::Fault(column, what) => {
                faults.push(TableFault::new(submission.row, column, what));
            }
            Looked::There => told.already_there += 1,
            Looked::New(item, by) => {
                match checked(archive, rules, &item, &by, &submission, &mut faults).await {
                    Ok(None) => {}
                    Ok(Some(Prepared { draft, told: said, effective })) => {
                        told.items += 1;
                        told.waiting +=
                            u64::from(said.get("settled") != Some(&serde_json::Value::Bool(true)));
                        drafts.push(draft);
                        items.extend(effective.then_some(item));
                    }
                    Err(VaultError::Input(what)) => {
                        faults.push(TableFault::new(submission.row, "", what));
                    }
                    Err(other) => return Err(other),
                }
            }
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    if !faults.is_empty() {
        return Err(VaultError::faults(faults));
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

/// What follows from a submission; none when what it names is not of the item, which is told by row and column and never repeated.
async fn checked(
    archive: &Archive,
    rules: &Rules,
    item: &QueueItem,
    by: &By,
    submission: &Submission,
    faults: &mut Vec<TableFault>,
) -> Result<Option<Prepared>, VaultError> {
    let judging = judging(archive, rules, item).await?;
    let wrong = submission.named_wrongly(rules, judging.as_ref(), item);
    if !wrong.is_empty() {
        faults.extend(wrong);
        return Ok(None);
    }
    prepare(archive, rules, item, by, &submission.said).await.map(Some)
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
