//! The queue of doubtful records: what waits for a person, and what follows from a person's answer.
//!
//! Nothing is opened here: an answer and the stored answers of detectors decide anew. Who must see the text opens it as a
//! reviewer does. What was decided before is kept.

use super::deciding::Case;
use super::{Archive, Rules, VaultError, formal, read, reviewing};
use crate::access::{Action, Actor, Assignment, Resource};
use crate::decide::{Answer, Asks, Decision, Defined, Tree};
use crate::ledger::Code;
use crate::model::{OrganisationId, Outcome, RecordId, Role};
use crate::store::catalogue::{JudgedRecord, RecordSummary, StepAnswered, ThreadMember};
use serde::Serialize;
use std::collections::BTreeSet;

/// A proposal to destroy a record, with the whole thread it stands in. Nothing is destroyed here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// The record.
    pub record: RecordSummary,
    /// `not-archived` by the tree, or `archived-elsewhere` and confirmed there.
    pub why: &'static str,
    /// Post, reactions and replies, the record too.
    pub thread: Vec<ThreadMember>,
}

/// Records that wait for a person: those of which the tree is not sure.
///
/// # Errors
/// [`VaultError::Refused`] for whom the queue is not; when storage fails.
pub async fn doubtful(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
) -> Result<Vec<RecordSummary>, VaultError> {
    permitted(archive, rules, actor).await?;
    all(archive, &actor.organisation, Outcome::Unsure).await
}

/// Every record of an organisation with that outcome.
///
/// # Errors
/// When storage fails.
pub async fn all(
    archive: &Archive,
    organisation: &OrganisationId,
    outcome: Outcome,
) -> Result<Vec<RecordSummary>, VaultError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = archive.catalogue.records(organisation, Some(outcome), after, 1_000).await?;
        after = page.last().map(|record| record.id);
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

/// What is proposed for destruction, each with its thread: what the tree does not archive, and what the letter system confirmed
/// that it has. A record that waits for such a confirmation, or a formal message with which nothing was done, stays.
///
/// # Errors
/// When storage fails.
pub async fn proposals(
    archive: &Archive,
    organisation: &OrganisationId,
) -> Result<Vec<Proposal>, VaultError> {
    let catalogue = &archive.catalogue;
    let due = catalogue.letters(organisation, None).await?.into_iter().map(|link| link.record);
    let messages = catalogue.formal_messages(organisation, None, archive.sources.now()).await?;
    let waiting = messages.into_iter().filter(|message| message.state == "waiting").map(|of| of.record);
    let stays: BTreeSet<RecordId> = due.chain(waiting).collect();
    let mut proposed = Vec::new();
    for record in all(archive, organisation, Outcome::DoNotArchive).await? {
        proposed.push(("not-archived", record));
    }
    for record in all(archive, organisation, Outcome::ArchiveElsewhere).await? {
        if catalogue.letter_of(record.id).await?.is_some_and(|link| link.confirmed_at.is_some()) {
            proposed.push(("archived-elsewhere", record));
        }
    }
    let mut found = Vec::new();
    for (why, record) in proposed.into_iter().filter(|(_, record)| !stays.contains(&record.id)) {
        let thread = catalogue.thread(record.conversation).await?;
        found.push(Proposal { record, why, thread });
    }
    Ok(found)
}

/// Questions that the organisation did not answer: not answering is an answer too.
///
/// # Errors
/// When storage fails.
pub async fn unanswered(
    archive: &Archive,
    organisation: &OrganisationId,
) -> Result<Vec<RecordId>, VaultError> {
    let answered = archive.catalogue.answered(organisation).await?;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = archive.catalogue.judged(organisation, None, None, after, 5_000).await?;
        after = page.last().map(|record| record.id);
        if page.is_empty() {
            return Ok(found);
        }
        let question = |record: &&JudgedRecord| {
            !record.own
                && !answered.contains(&record.id)
                && record.answer(Asks::QuestionDetector.name()) == Answer::Yes
        };
        found.extend(page.iter().filter(question).map(|record| record.id));
    }
}

/// Takes a person's answer to a step, and decides anew. The outcome that follows. What a person answered is not drawn into a sample
/// any more, so only what waits can be answered: see [`may_be_answered`].
///
/// # Errors
/// [`VaultError::Absent`] when there is no such record for this person; [`VaultError::Input`] when the tree has no such
/// step, it does not wait for an answer, or a sample waits in which several people judge the record. When the ledger cannot be
/// written nothing changes.
pub async fn answer(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
    asked: &str,
    answer: Answer,
) -> Result<Decision, VaultError> {
    permitted(archive, rules, actor).await?;
    let _one_at_a_time = archive.intake.lock().await;
    let mut case = Case::of(archive, &actor.organisation, record).await?;
    if reviewing::is_of_several(archive, case.version).await? {
        return Err(VaultError::Input(
            "several people judge this record, each by themselves: assess it in the queue (POST /v1/queue-items)".to_owned(),
        ));
    }
    let asked = step_asked(case.tree(rules)?, asked)?;
    may_be_answered(archive, rules, actor, &case, &asked).await?;
    case.judged.people.insert(asked.clone(), answer);
    let decision = case.decide(rules)?;
    let because = format!("{}.{}", asked.replace('_', "-"), answer.as_str()).parse::<Code>()?;
    let (change, pending) = case.change(archive, &decision, Some((actor.id, actor.role)), because)?;
    let formal = (asked == Defined::Formal.as_str())
        .then(|| formal::found(rules, &actor.organisation, &case.judged, answer));
    let step = StepAnswered { asked, answer: answer.as_str(), actor: actor.id, formal, change };
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    let done = archive.catalogue.answer_step(log, &step, pending, now).await?;
    let Some(_recorded) = done else { return Err(VaultError::Absent { what: "the record" }) };
    archive.journal.wake();
    Ok(decision)
}

/// Refuses an answer to what nobody asked: a step that the tree settled by itself stays open to the sample. What may be answered
/// waits in this person's queue (the step of which the tree is not sure, or the steps of a record that was drawn or put back), or
/// was answered by a person before. That something is a formal message a person may say at any time (Awb 2:3): it takes no record
/// out of the samples.
async fn may_be_answered(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    case: &Case,
    asked: &str,
) -> Result<(), VaultError> {
    if asked == Defined::Formal.as_str() || case.judged.people.contains_key(asked) {
        return Ok(());
    }
    let waiting = reviewing::steps_waiting(archive, rules, actor, case.version).await?;
    let steps = case.tree(rules)?.steps();
    if steps.iter().any(|step| waiting.contains(&step.id) && (step.id == asked || step.asks.name() == asked))
    {
        return Ok(());
    }
    let what = if waiting.is_empty() { "nothing".to_owned() } else { waiting.join(", ") };
    Err(VaultError::Input(format!(
        "`{asked}` does not wait for an answer: of this record waits {what}. Answer what waits (`knik queue doubtful`), or have \
         the record judged in a sample (`knik queue sample`)"
    )))
}

/// A reviewer, for the queue of the organisation that they work for.
async fn permitted(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<(), VaultError> {
    // An agency's people judge flags of their channels; what is archived is for the organisation's own.
    let assigned = (actor.role == Role::Reviewer).then_some(Assignment::OWN);
    let resource = Resource::VaultRecord { organisation: actor.organisation.clone(), assigned };
    let _allowed = read::authorise(archive, rules, actor, Action::ReviewRedaction, &resource).await?;
    Ok(())
}

/// What a step asks, by the name under which answers are kept.
pub(super) fn step_asked(tree: &Tree, asked: &str) -> Result<String, VaultError> {
    let step = tree.steps().iter().find(|step| step.id == asked || step.asks.name() == asked);
    let Some(step) = step else {
        let known: Vec<&str> = tree.steps().iter().map(|step| step.id.as_str()).collect();
        return Err(VaultError::Input(format!(
            "tree `{}` has no step `{asked}`; it has: {}",
            tree.id(),
            known.join(", ")
        )));
    };
    Ok(match step.asks.name() {
        "" => step.id.clone(),
        name => name.to_owned(),
    })
}
