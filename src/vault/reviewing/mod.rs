//! The reviewers' queue, of every kind: what waits, one item with its redacted view, its original, what people say of it.
//!
//! An item is one version of a record. What a reviewer sees first is redacted; the original is an opening under *redaction
//! quality control*: of what waits in the own queue only, recorded before it happens, so many a day, and nothing is searched.
//! What people say stands with its ledger entry or not at all, and takes effect at once; of a sample that two people judge it
//! takes effect when they agree, or when a third has said.

mod agreement;
mod assess;
mod draft;
mod earlier;
pub mod file;
mod import;
mod kappa;
mod original;
mod policy;
mod sample;
pub(super) mod spans;
mod submissions;
mod turn;

pub use agreement::{agreement, overdue, standing, tally};
pub use assess::{Added, Assessing, FindingSaid, Place, assess};
pub use earlier::earlier;
pub use import::{Import, Imported, import};
pub use kappa::{Agreement, Confusion};
pub use original::{OpenedItem, open};
pub use policy::{Rate, ReviewPolicy, ReviewPolicyError};
pub use sample::{AskedRate, Drawing, draw, draw_due, drawings};
pub use turn::is_of_several;

use super::deciding::{Stored, facts_of, tree_of};
use super::publish;
use super::read;
use super::review;
use super::stored_findings;
use super::{Archive, Rules, VaultError, conversation};
use crate::access::{Action, Actor, Assignment, Resource};
use crate::decide::{AnsweredBy, Bilingual, Decision, Tree};
use crate::model::{
    EntityType, ExemptionCode, Finding, ItemDigest, OrganisationId, QueueKind, RecogniserId, VersionId,
};
use crate::redact::{Language, NoPseudonyms, Projection, View, render};
use crate::store::StoreError;
use crate::store::catalogue::{JudgedRecord, QueueItem, Queued};
use serde::Serialize;
use serde_json::{Value, json};

/// Items of the actor's queue that wait: no text. That of the own organisation, and for a reviewer of an external agency the
/// channels of every assignment that runs. Recorded before it is answered.
///
/// # Errors
/// [`VaultError::Refused`] for roles that may not, or storage errors.
pub async fn list(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &Queued,
) -> Result<Vec<QueueItem>, VaultError> {
    let scopes = review::scopes(archive, rules, actor).await?;
    let items = archive.catalogue.queue_items(&scopes, actor.id, asked).await?;
    read::viewed(archive, actor, items.iter().map(|item| item.record)).await?;
    Ok(items)
}

/// An item with its redacted view and what is asked of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownItem {
    /// What the queue says of it.
    #[serde(flatten)]
    pub item: QueueItem,
    /// As readers see it, or would; `None` when it cannot be redacted with certainty.
    pub view: Option<View>,
    /// What was found in it, in the order of the text; without places, which the redacted view hides.
    pub findings: Vec<ShownFinding>,
    /// The steps that a person can answer.
    pub steps: Vec<ShownStep>,
    /// How many people judge it without knowing what the others said.
    pub people: u32,
}

/// A finding as a reviewer sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownFinding {
    /// Its id: stays the same as long as it stands at the same place.
    pub id: String,
    /// In which passage, from 0.
    pub passage: usize,
    /// What it is.
    #[serde(rename = "type")]
    pub entity: EntityType,
    /// How sure the recogniser is, from 0 to 1.
    pub score: f64,
    /// Which recogniser.
    pub recogniser: RecogniserId,
    /// Why it is redacted.
    pub exemption: ExemptionCode,
    /// Whether the exemption asks for a written weighing.
    pub weighed: bool,
    /// Whether a person assessed it.
    pub assessed: bool,
    /// Whether the recogniser is not sure, and a person should say.
    pub doubtful: bool,
}

/// A step that a person can answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownStep {
    /// Its id in the tree.
    pub step: String,
    /// What is asked, in Dutch and English.
    pub question: Value,
}

/// One item that waits for this actor, with its redacted view. Recorded before it is answered.
///
/// # Errors
/// [`VaultError::Absent`] for an item that is not there, waits no longer, or is not in the actor's own queue; storage and seal
/// errors.
pub async fn show(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: VersionId,
    language: Language,
) -> Result<ShownItem, VaultError> {
    let found = waiting(archive, rules, actor, id).await?;
    let resource = found.resource();
    let allowed = read::authorise(archive, rules, actor, Action::ReadVaultView, &resource).await?;
    let item = found.item()?;
    let seen = seen(archive, rules, &item).await?;
    let plan = allowed.plan().and_then(|plan| rules.plans.plan(plan));
    let view = plan
        .zip(seen.projection.as_ref())
        .map(|(plan, projection)| render(projection, plan, &rules.exemptions, &NoPseudonyms, language));
    let steps = steps(archive, rules, &item).await?;
    read::viewed(archive, actor, [item.record].into_iter()).await?;
    let findings = numbered(archive, rules, item.id, &seen.findings);
    let people = archive.catalogue.task_people(item.id, QueueKind::Sample).await?.unwrap_or(1);
    Ok(ShownItem { findings, view, steps, people, item })
}

/// An item that waits for someone, with whose it is and what puts it in their queue.
pub(super) struct Waiting {
    item: Option<QueueItem>,
    organisation: OrganisationId,
    assigned: Option<Assignment>,
}

impl Waiting {
    fn resource(&self) -> Resource {
        Resource::VaultRecord { organisation: self.organisation.clone(), assigned: self.assigned }
    }

    fn item(self) -> Result<QueueItem, VaultError> {
        self.item.ok_or(VaultError::Absent { what: "the item" })
    }
}

/// Looks an item up in the actor's own queue. What does not wait for them is asked about as a record that no queue holds: it is
/// known as such to those who know the record, and absent to a reviewer.
async fn waiting(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: VersionId,
) -> Result<Waiting, VaultError> {
    let known = archive.catalogue.queueable(id).await?;
    let whose = known.as_ref().map(|item| (&item.organisation, &item.channel));
    let (organisation, assigned) = review::standing(archive, actor, whose).await?;
    let now = archive.sources.now();
    if !assigned.is_some_and(|assigned| assigned.runs(now)) {
        return Ok(Waiting { item: None, organisation, assigned });
    }
    let scopes = review::scopes(archive, rules, actor).await?;
    let asked = Queued { only: Some(id), most: 1, ..Queued::default() };
    let item = archive.catalogue.queue_items(&scopes, actor.id, &asked).await?.pop();
    let assigned = assigned.filter(|_| item.is_some());
    Ok(Waiting { item, organisation, assigned })
}

/// What there is to see of an item without opening it for a person.
pub(super) struct Seen {
    /// Its redacted document.
    pub projection: Option<Projection>,
    /// What was found in it, by passage.
    pub findings: Vec<Vec<Finding>>,
}

/// The document that was published, or else one computed as a recorded system act. Of a sample that several people judge it is
/// computed as if nobody had judged it.
pub(super) async fn seen(archive: &Archive, rules: &Rules, item: &QueueItem) -> Result<Seen, VaultError> {
    let people = archive.catalogue.task_people(item.id, QueueKind::Sample).await?;
    let blind = people.is_some_and(|people| people > 1);
    if !blind && let Some(document) = archive.room.document(item.projection).await? {
        let projection =
            serde_json::from_str(&document).map_err(|_| StoreError::Corrupt { what: "projection" })?;
        return Ok(Seen { projection: Some(projection), findings: stored(archive, item).await? });
    }
    let computed = publish::preview(archive, rules, item.conversation, item.record, blind).await?;
    Ok(match computed {
        Some((projection, findings)) => Seen { projection: Some(projection), findings },
        None => Seen { projection: None, findings: stored(archive, item).await? },
    })
}

/// The findings of an item as they are stored, by passage.
async fn stored(archive: &Archive, item: &QueueItem) -> Result<Vec<Vec<Finding>>, VaultError> {
    let members = archive.catalogue.members(item.conversation).await?;
    let member = members.into_iter().find(|member| member.record == item.record);
    let member = member.ok_or(VaultError::Absent { what: "the item" })?;
    let read = stored_findings::read(&member.findings)?;
    Ok(read
        .iter()
        .map(|passage| passage.iter().filter_map(stored_findings::StoredFinding::finding).collect())
        .collect())
}

fn numbered(
    archive: &Archive,
    rules: &Rules,
    version: VersionId,
    findings: &[Vec<Finding>],
) -> Vec<ShownFinding> {
    let passages = findings.iter().enumerate();
    passages
        .flat_map(|(passage, findings)| findings.iter().map(move |finding| (passage, finding)))
        .map(|(passage, finding)| shown(archive, rules, version, passage, finding))
        .collect()
}

pub(super) fn shown(
    archive: &Archive,
    rules: &Rules,
    version: VersionId,
    passage: usize,
    finding: &Finding,
) -> ShownFinding {
    ShownFinding {
        id: finding_id(archive, version, passage, finding),
        passage,
        entity: finding.entity.clone(),
        score: (f64::from(finding.score.value()) * 1_000.0).round() / 1_000.0,
        recogniser: finding.recogniser.clone(),
        exemption: finding.exemption.clone(),
        weighed: assess::is_weighed(rules, &finding.exemption),
        assessed: finding.is_assessed(),
        doubtful: conversation::in_doubt(rules, finding),
    }
}

/// A finding by its place, keyed: it says nothing of where that is.
pub(super) fn finding_id(archive: &Archive, version: VersionId, passage: usize, finding: &Finding) -> String {
    let number = |n: usize| (n as u64).to_be_bytes();
    let (start, end) = (number(finding.span.start()), number(finding.span.end()));
    let parts: [&[u8]; 5] =
        [version.as_bytes(), &number(passage), &start, &end, finding.entity.as_str().as_bytes()];
    let digest: ItemDigest = archive.digests.digest("finding", &parts);
    hex::encode(digest.as_bytes())
}

/// The steps of an item that a person can answer: the one that waits, or those of a sample that were answered without people.
async fn steps(archive: &Archive, rules: &Rules, item: &QueueItem) -> Result<Vec<ShownStep>, VaultError> {
    let Some(judging) = judging(archive, rules, item).await? else { return Ok(Vec::new()) };
    let wanted = judging.asked(item);
    let steps = judging.tree.steps().iter().filter(|step| wanted.contains(&step.id));
    let text = |question: &Bilingual| json!({ "nl": question.nl, "en": question.en });
    Ok(steps.map(|step| ShownStep { step: step.id.clone(), question: text(&step.question) }).collect())
}

/// The ids of the steps of a version that wait for this person's answer; none when it is not in their queue.
///
/// # Errors
/// When storage fails.
pub(super) async fn steps_waiting(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: VersionId,
) -> Result<Vec<String>, VaultError> {
    let Some(item) = waiting(archive, rules, actor, id).await?.item else { return Ok(Vec::new()) };
    let judging = judging(archive, rules, &item).await?;
    Ok(judging.map(|judging| judging.asked(&item)).unwrap_or_default())
}

/// What it takes to decide an item anew.
pub(super) struct Judging<'r> {
    /// The record with stored facts and answers.
    pub record: JudgedRecord,
    /// Its facts.
    pub facts: crate::decide::Facts,
    /// The tree in force when it was posted.
    pub tree: &'r Tree,
    /// What is decided without anything new.
    pub decision: Decision,
}

impl Judging<'_> {
    /// The ids of the steps that are asked of a person.
    fn asked(&self, item: &QueueItem) -> Vec<String> {
        let path = &self.decision.path;
        let unsure = item.waits_for(QueueKind::DoubtfulQuestion) || item.waits_for(QueueKind::AccountPost);
        let last = path.last().filter(|_| unsure).map(|step| step.step.clone());
        let automatic = |by: AnsweredBy| matches!(by, AnsweredBy::Detector | AnsweredBy::Definition);
        let whole = is_judged_whole(item);
        let sampled = path.iter().filter(|step| whole && automatic(step.answered_by));
        let mut asked: Vec<String> = sampled.map(|step| step.step.clone()).chain(last).collect();
        asked.dedup();
        asked
    }

    /// Whether a step, by its id or what it asks, is one of these.
    fn asks(&self, wanted: &[String], step: &str) -> bool {
        let known = self.tree.steps().iter().filter(|one| wanted.contains(&one.id));
        known.into_iter().any(|one| one.id == step || one.asks.name() == step)
    }
}

/// Whether everything of an item is judged: every step that was answered without people, every finding, and whether anything is
/// missing.
pub(super) fn is_judged_whole(item: &QueueItem) -> bool {
    item.waits_for(QueueKind::Sample) || item.waits_for(QueueKind::Restored)
}

/// What it takes to decide an item anew; `None` for one that no tree judges (its channel had none).
pub(super) async fn judging<'r>(
    archive: &Archive,
    rules: &'r Rules,
    item: &QueueItem,
) -> Result<Option<Judging<'r>>, VaultError> {
    let Some(record) = archive.catalogue.judged_record(&item.organisation, item.record).await? else {
        return Ok(None);
    };
    let channel_facts = archive.catalogue.channel_facts(&record.channel).await?;
    let Ok(tree) = tree_of(rules, &record, &channel_facts) else { return Ok(None) };
    let answered = archive.catalogue.answered(&item.organisation).await?.contains(&item.record);
    let facts = facts_of(&record, &channel_facts, answered);
    let decision = tree.decide(&facts, &Stored(&record));
    Ok(Some(Judging { record, facts, tree, decision }))
}
