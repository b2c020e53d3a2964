//! The queue of doubtful records: what waits for a person, and what follows from a person's answer.
//!
//! Nothing is opened here: an answer and the stored answers of detectors decide anew. Who must see the text opens it as a
//! reviewer does. What was decided before is kept.

use super::{Archive, DEFAULT_TREE, Rules, VaultError, read};
use crate::access::{Action, Actor, Assignment, Resource};
use crate::decide::{Answer, Answerer, Asks, Decision, Facts, Given, Tree};
use crate::ledger::{Code, Entry, EntryKind, Pending, Thing};
use crate::model::{ChannelId, OrganisationId, Outcome, PrivateText, RecordId, Role, Timestamp};
use crate::store::catalogue::{
    ChannelFact, DecisionRow, Fact, JudgedRecord, LetterLink, LetterRow, RecordSummary, StepAnswered,
    ThreadMember,
};
use serde::Serialize;

/// A proposal to destroy a record, with the whole thread it stands in. Nothing is destroyed here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// The record.
    pub record: RecordSummary,
    /// Post, reactions and replies, the record too.
    pub thread: Vec<ThreadMember>,
}

/// The facts of a record: those of its channel as they were at the time of posting, later ones as known now.
#[must_use]
pub fn facts_of(record: &JudgedRecord, channel_facts: &[ChannelFact], answered: bool) -> Facts {
    let at = record.posted_at.unwrap_or(record.captured_at);
    let yes = |wanted: Fact| value_at(channel_facts, wanted, at).map(|value| value == "yes");
    Facts {
        own: record.own,
        official_channel: yes(Fact::Official).unwrap_or_default().into(),
        reactions_open: yes(Fact::Reactions).map_or(Answer::Unsure, Answer::from),
        edited: record.edited.into(),
        deleted: record.deleted.into(),
        answered: answered.into(),
        registered: record.registered.into(),
        people: record.people.clone(),
        ..Facts::unknown(record.kind)
    }
}

fn value_at(facts: &[ChannelFact], wanted: Fact, at: Timestamp) -> Option<&str> {
    facts.iter().rev().find(|fact| fact.fact == wanted && fact.held_at(at)).map(|fact| fact.value.as_str())
}

/// What detectors and definitions said when a record came in.
pub struct Stored<'r>(pub &'r JudgedRecord);

impl Answerer for Stored<'_> {
    fn answer(&self, asks: Asks) -> Option<Given> {
        self.0.answers.get(asks.name()).cloned()
    }
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

/// What is proposed for destruction, each with its thread.
///
/// # Errors
/// When storage fails.
pub async fn proposals(
    archive: &Archive,
    organisation: &OrganisationId,
) -> Result<Vec<Proposal>, VaultError> {
    let mut found = Vec::new();
    for record in all(archive, organisation, Outcome::DoNotArchive).await? {
        let thread = archive.catalogue.thread(record.conversation).await?;
        found.push(Proposal { record, thread });
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

/// Takes a person's answer to a step, and decides anew. The outcome that follows.
///
/// # Errors
/// [`VaultError::Absent`] when there is no such record for this person; [`VaultError::Input`] when the tree has no such
/// step. When the ledger cannot be written nothing changes.
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
    let absent = || VaultError::Absent { what: "the record" };
    let catalogue = &archive.catalogue;
    let summary = catalogue.record(record).await?.filter(|of| of.organisation == actor.organisation);
    let summary = summary.ok_or_else(absent)?;
    let mut judged = catalogue.judged_record(&actor.organisation, record).await?.ok_or_else(absent)?;
    let version = catalogue.version_in_force(record).await?.ok_or_else(absent)?;
    let facts = catalogue.channel_facts(&judged.channel).await?;
    let tree = tree_of(rules, &judged, &facts)?;
    let asked = step_asked(tree, asked)?;
    judged.people.insert(asked.clone(), answer);
    let answered = catalogue.answered(&actor.organisation).await?.contains(&record);
    let decision = tree.decide(&facts_of(&judged, &facts, answered), &Stored(&judged));
    let now = archive.sources.now();
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::DecisionChanged, now)
        .of(actor.organisation.clone())
        .by(actor.id, actor.role)
        .about([Thing::Record(record)])
        .outcome(decision.outcome.as_str().parse::<Code>()?)
        .because([format!("{}.{}", asked.replace('_', "-"), answer.as_str()).parse::<Code>()?]);
    let row = DecisionRow {
        record,
        version,
        outcome: decision.outcome,
        tree: decision.tree.clone(),
        tree_version: decision.tree_version.clone(),
        path: serde_json::to_string(&decision.path).unwrap_or_else(|_| "[]".to_owned()),
        ending: decision.ending.clone(),
        keep: decision.keep.as_ref().and_then(|keep| serde_json::to_string(keep).ok()),
        salt: archive.sources.secret::<16>()?.to_vec(),
        decided_at: now,
    };
    let step = StepAnswered {
        record,
        projection: summary.projection,
        conversation: summary.conversation,
        asked,
        answer: answer.as_str(),
        actor: actor.id,
        decision: row,
    };
    let done = catalogue.answer_step(archive.logs.vault_origin(), &step, Pending::event(entry)?, now).await?;
    let Some(_recorded) = done else { return Err(absent()) };
    archive.journal.wake();
    Ok(decision)
}

/// A case of the letter system, as it is named there.
#[derive(Debug)]
pub struct Case {
    /// Which system.
    pub system: String,
    /// Its number: kept as a keyed digest only.
    pub number: PrivateText,
}

/// Links a record to a case of the letter system: it is due until that system confirms.
///
/// # Errors
/// [`VaultError::Absent`] when there is no such record for this person; [`VaultError::Input`] when it is linked already or
/// a field is empty.
pub async fn link_letter(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
    case: &Case,
    registered_on: &str,
    taken_over: &str,
) -> Result<(), VaultError> {
    permitted(archive, rules, actor).await?;
    let known = archive.catalogue.record(record).await?.filter(|of| of.organisation == actor.organisation);
    known.ok_or(VaultError::Absent { what: "the record" })?;
    if registered_on.parse::<jiff::civil::Date>().is_err() {
        return Err(VaultError::Input(format!("`{registered_on}` is no date; write one such as 2026-03-09")));
    }
    let letter = LetterRow {
        record,
        system: case.system.clone(),
        case: digest(archive, &actor.organisation, case)?,
        registered_on: registered_on.to_owned(),
        registrar: actor.id,
        taken_over: taken_over.to_owned(),
    };
    let (now, pending) =
        (archive.sources.now(), letter_entry(archive, actor, Some(record), "letter-linked")?);
    match archive.catalogue.link_letter(archive.logs.vault_origin(), &letter, pending, now).await? {
        true => {
            archive.journal.wake();
            Ok(())
        }
        false => Err(VaultError::Input("the record is linked to a case already".to_owned())),
    }
}

/// Notes that the letter system confirmed a case. How many links that concerned.
///
/// # Errors
/// When a field is empty or storage fails.
pub async fn confirm_letter(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    case: &Case,
) -> Result<u64, VaultError> {
    permitted(archive, rules, actor).await?;
    let digest = digest(archive, &actor.organisation, case)?;
    let (now, pending) = (archive.sources.now(), letter_entry(archive, actor, None, "letter-confirmed")?);
    let log = archive.logs.vault_origin();
    let done = archive.catalogue.confirm_letter(log, &actor.organisation, digest, pending, now).await?;
    archive.journal.wake();
    Ok(done)
}

/// Links of a case; or, without one, those that no system confirmed yet.
///
/// # Errors
/// When storage fails.
pub async fn letters(
    archive: &Archive,
    organisation: &OrganisationId,
    case: Option<&Case>,
) -> Result<Vec<LetterLink>, VaultError> {
    let digest = case.map(|case| digest(archive, organisation, case)).transpose()?;
    Ok(archive.catalogue.letters(organisation, digest).await?)
}

fn digest(
    archive: &Archive,
    organisation: &OrganisationId,
    case: &Case,
) -> Result<crate::model::ItemDigest, VaultError> {
    let number = case.number.expose().trim();
    if number.is_empty() || case.system.trim().is_empty() {
        return Err(VaultError::Input("name the letter system and the case number".to_owned()));
    }
    let parts = [organisation.as_str().as_bytes(), case.system.trim().as_bytes(), number.as_bytes()];
    Ok(archive.digests.digest("letter-case", &parts))
}

fn letter_entry(
    archive: &Archive,
    actor: &Actor,
    record: Option<RecordId>,
    what: &str,
) -> Result<Pending, VaultError> {
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::DecisionChanged, archive.sources.now())
        .of(actor.organisation.clone())
        .by(actor.id, actor.role)
        .about(record.map(Thing::Record))
        .because([what.parse::<Code>()?]);
    Ok(Pending::event(entry)?)
}

/// A reviewer, for the queue of the organisation that they work for.
async fn permitted(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<(), VaultError> {
    // An agency's people judge flags of their channels; what is archived is for the organisation's own.
    let assigned = (actor.role == Role::Reviewer).then_some(Assignment::OWN);
    let resource = Resource::VaultRecord { organisation: actor.organisation.clone(), assigned };
    let _allowed = read::authorise(archive, rules, actor, Action::ReviewRedaction, &resource).await?;
    Ok(())
}

pub(super) fn tree_of<'r>(
    rules: &'r Rules,
    record: &JudgedRecord,
    facts: &[ChannelFact],
) -> Result<&'r Tree, VaultError> {
    let at = record.posted_at.unwrap_or(record.captured_at);
    let chosen = value_at(facts, Fact::Tree, at);
    let chose = facts.iter().any(|fact| fact.fact == Fact::Tree);
    let id = chosen.or((!chose).then_some(DEFAULT_TREE));
    id.and_then(|id| rules.trees.get(id)).ok_or_else(|| none(&record.channel))
}

fn none(channel: &ChannelId) -> VaultError {
    VaultError::Input(format!(
        "channel `{channel}` had no tree in force when the record was posted; declare one for that time first"
    ))
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
