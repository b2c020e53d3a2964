//! What a person says of an item: answers to steps, verdicts on findings, redactions that were missed.

use super::draft::{Draft, Said, drafted};
use super::turn::Turn;
use super::{Judging, Waiting, finding_id, is_judged_whole, judging, seen, spans, waiting};
use crate::access::{Action, Actor, Resource};
use crate::decide::{Answer, Defined};
use crate::model::{
    ActorId, AppointmentId, EntityType, ExemptionCode, Finding, FindingVerdict, PrivateText, QueueKind, Span,
    Timestamp, VersionId,
};
use crate::redact::ExemptionKind;
use crate::store::catalogue::{AssessmentRow, FindingPlace, FormalFound, QueueItem};
use crate::vault::{Archive, Rules, VaultError, formal, publish, queue, read};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a person says of an item.
#[derive(Debug, Default)]
pub struct Assessing {
    /// Answers to steps of its tree, by their ids or what they ask.
    pub answers: Vec<(String, Answer)>,
    /// Verdicts on findings.
    pub findings: Vec<FindingSaid>,
    /// Every finding that is not named is confirmed.
    pub rest_confirmed: bool,
    /// Redactions that were missed.
    pub added: Vec<Added>,
    /// Why, in words: needed when a finding is rejected or added.
    pub reason: PrivateText,
    /// The weighing of interests: needed with a relative exemption.
    pub weighing: PrivateText,
    /// How many seconds it took, if that is told.
    pub seconds: Option<u32>,
}

/// A verdict on one finding.
#[derive(Debug, Clone)]
pub struct FindingSaid {
    /// Its id, as it was shown.
    pub id: String,
    /// `confirm` or `reject`.
    pub verdict: FindingVerdict,
    /// With `confirm`: under which exemption, when it is another one than the recogniser's.
    pub exemption: Option<ExemptionCode>,
}

/// A redaction that was missed.
#[derive(Debug)]
pub struct Added {
    /// Where.
    pub place: Place,
    /// What it is.
    pub entity: EntityType,
    /// Why it is redacted.
    pub exemption: ExemptionCode,
}

/// Where something stands that was missed.
#[derive(Debug)]
pub enum Place {
    /// Wherever these words stand in the record.
    Words(PrivateText),
    /// In a passage, in code points, the end not included.
    At {
        /// Which passage, from 0.
        passage: usize,
        /// First code point.
        start: usize,
        /// One past the last.
        end: usize,
    },
}

/// Who says it, when.
#[derive(Debug, Clone)]
pub(super) struct By {
    pub(super) actor: ActorId,
    pub(super) at: Timestamp,
    pub(super) appointment: Option<AppointmentId>,
}

/// What follows from what was said of an item.
pub(super) struct Prepared {
    pub(super) draft: Draft,
    pub(super) told: Value,
    /// Whether what readers see may change.
    pub(super) effective: bool,
}

/// The shortest reason or weighing, in characters.
const WORDS_CHARS_MIN: usize = 10;
/// The longest.
const WORDS_CHARS_MAX: usize = 4_000;
/// Longest time that is taken for the work on one item, in seconds.
const SECONDS_MAX: u32 = 8 * 3_600;

/// Takes what a reviewer says of an item in their queue. It holds at once: the projection is computed and published anew before
/// this returns, and what was published before stays, sealed, with the entry. Of a sample that two people judge it holds when
/// both said the same, or a third has said; until then the record is withheld when someone missed a redaction in it.
///
/// # Errors
/// [`VaultError::Absent`] for an item that is not there, waits no longer, or is not in the reviewer's own queue;
/// [`VaultError::Refused`] for staff who may not; [`VaultError::Input`] for what cannot be said of it, with the mend. When the
/// ledger cannot be written nothing is assessed.
pub async fn assess(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: VersionId,
    asked: &Assessing,
) -> Result<Value, VaultError> {
    let one_at_a_time = archive.intake.lock().await;
    let found = waiting(archive, rules, actor, id).await?;
    let resource: Resource = found.resource();
    read::authorise(archive, rules, actor, Action::ReviewRedaction, &resource).await?;
    let item = Waiting::item(found)?;
    let by = By { actor: actor.id, at: archive.sources.now(), appointment: None };
    let Prepared { draft, told, effective } = prepare(archive, rules, &item, &by, asked).await?;
    // An epoch does not end between the wrapping of the body's key and the commit.
    let no_turn = archive.turning.read().await;
    let written = draft.sealed(archive)?;
    let now = archive.sources.now();
    let log = archive.logs.vault_origin();
    let done = archive.catalogue.assess(log, vec![written], None, now).await?;
    done.ok_or(VaultError::Absent { what: "the item" })?;
    archive.journal.wake();
    drop(no_turn);
    drop(one_at_a_time);
    if effective {
        in_effect(archive, rules, &[item]).await?;
    }
    Ok(told)
}

/// Computes and publishes anew what was assessed. What cannot be computed now is tried again by the service; what was added
/// is out of sight already.
pub(super) async fn in_effect(
    archive: &Archive,
    rules: &Rules,
    items: &[QueueItem],
) -> Result<(), VaultError> {
    let conversations: BTreeSet<_> = items.iter().map(|item| item.conversation).collect();
    for conversation in conversations {
        if let Err(error) = publish::refresh(archive, rules, conversation).await {
            tracing::error!(%conversation, %error, "what was assessed waits to be published anew");
        }
    }
    publish::take_down(archive).await?;
    Ok(())
}

/// Whether an exemption asks for a written weighing. One that is not in the list does: in doubt it is weighed.
pub(super) fn is_weighed(rules: &Rules, code: &ExemptionCode) -> bool {
    rules.exemptions.exemption(code).is_none_or(|exemption| exemption.kind == ExemptionKind::Relative)
}

/// Everything that follows from what someone said of an item; nothing is written here.
pub(super) async fn prepare(
    archive: &Archive,
    rules: &Rules,
    item: &QueueItem,
    by: &By,
    asked: &Assessing,
) -> Result<Prepared, VaultError> {
    let seen = seen(archive, rules, item).await?;
    let judged = judging(archive, rules, item).await?;
    let kind = kind_of(item);
    let mut rows = answers(item, judged.as_ref(), asked, kind)?;
    let findings = findings(archive, rules, item, &seen.findings, asked)?;
    let added = added(archive, rules, item, asked).await?;
    texts(rules, &findings, &added, asked)?;
    let ruleset = format!("ruleset {}", rules.ruleset.version());
    let said = |place: FindingPlace, verdict: FindingVerdict, automatic: Option<&str>| AssessmentRow {
        kind,
        asked: AssessmentRow::FINDING.to_owned(),
        answer: verdict.as_str().to_owned(),
        place: Some(place),
        automatic: automatic.map(str::to_owned),
        by_what: ruleset.clone(),
    };
    let missed = !added.is_empty();
    let counts = tallied(&findings, &added);
    rows.extend(findings.into_iter().map(|(place, verdict)| said(place, verdict, Some(REDACTED))));
    rows.extend(added.into_iter().map(|place| said(place, FindingVerdict::Add, None)));
    if is_judged_whole(item) {
        complete(rules, judged.as_ref(), item, &seen.findings, &rows)?;
        rows.push(AssessmentRow {
            kind,
            asked: MISSED.to_owned(),
            answer: Answer::from(missed).as_str().to_owned(),
            place: None,
            automatic: Some(Answer::No.as_str().to_owned()),
            by_what: ruleset,
        });
    } else if rows.is_empty() {
        return Err(VaultError::Input(
            "nothing is said of the item: answer a step, confirm or reject a finding, or add one".to_owned(),
        ));
    }
    let turn = Turn::of(archive, item, by, &rows).await?;
    let formal = judged.as_ref().and_then(|judged| formal_said(rules, item, judged, &rows));
    drafted(archive, item, by, asked, Said { rows, judged, formal, turn, missed, counts }).await
}

/// What a detector said of something it found.
const REDACTED: &str = "redacted";
/// Whether anything was missed: asked of every sampled item.
pub(super) const MISSED: &str = "missed";

/// As what an item was judged: drawn at random before anything else, so that figures of samples are of samples.
pub(super) fn kind_of(item: &QueueItem) -> QueueKind {
    let order = [
        QueueKind::Sample,
        QueueKind::Restored,
        QueueKind::DoubtfulQuestion,
        QueueKind::AccountPost,
        QueueKind::DoubtfulFinding,
        QueueKind::ReaderReport,
        QueueKind::SpecialCategory,
        QueueKind::Minor,
    ];
    order.into_iter().find(|kind| item.waits_for(*kind)).unwrap_or(QueueKind::Sample)
}

/// The answers to steps, each with what had been answered without people.
fn answers(
    item: &QueueItem,
    judged: Option<&Judging<'_>>,
    asked: &Assessing,
    kind: QueueKind,
) -> Result<Vec<AssessmentRow>, VaultError> {
    if asked.answers.is_empty() {
        return Ok(Vec::new());
    }
    let judged = judged.ok_or_else(|| VaultError::Input(NO_TREE.to_owned()))?;
    let wanted = judged.asked(item);
    let mut rows: Vec<AssessmentRow> = Vec::new();
    for (step, answer) in &asked.answers {
        let name = queue::step_asked(judged.tree, step)?;
        let known = judged.tree.steps().iter().find(|one| one.id == *step || one.asks.name() == *step);
        if !known.is_some_and(|one| wanted.contains(&one.id)) {
            let wanted = if wanted.is_empty() { "none".to_owned() } else { wanted.join(", ") };
            return Err(VaultError::Input(format!(
                "step `{step}` does not wait; of this item wait: {wanted}"
            )));
        }
        if rows.iter().any(|row| row.asked == name) {
            return Err(VaultError::Input(format!("step `{step}` is answered twice; answer it once")));
        }
        let given = judged.record.answers.get(&name);
        let answer = answer.as_str().to_owned();
        let automatic = given.map(|given| given.verdict.answer.as_str().to_owned());
        let tree = || format!("{} {}", judged.tree.id(), judged.tree.version());
        let by_what = given.map_or_else(tree, |given| given.by.clone());
        rows.push(AssessmentRow { kind, asked: name, answer, place: None, automatic, by_what });
    }
    Ok(rows)
}

const NO_TREE: &str =
    "the channel had no tree in force when the record was posted; declare one for that time first";

/// The verdicts on findings.
fn findings(
    archive: &Archive,
    rules: &Rules,
    item: &QueueItem,
    found: &[Vec<Finding>],
    asked: &Assessing,
) -> Result<Vec<(FindingPlace, FindingVerdict)>, VaultError> {
    let passages = found.iter().enumerate();
    let all: Vec<(usize, &Finding, String)> = passages
        .flat_map(|(passage, findings)| findings.iter().map(move |finding| (passage, finding)))
        .map(|(passage, finding)| (passage, finding, finding_id(archive, item.id, passage, finding)))
        .collect();
    let mut said = Vec::with_capacity(asked.findings.len());
    for one in &asked.findings {
        let Some((passage, finding, _)) = all.iter().find(|(.., id)| *id == one.id) else {
            let id: String = one.id.chars().take(40).collect();
            return Err(VaultError::Input(format!(
                "finding `{id}` is not in the item as it stands now; read the item again"
            )));
        };
        if one.verdict == FindingVerdict::Add {
            return Err(VaultError::Input("a finding that is there is confirmed or rejected".to_owned()));
        }
        let exemption = one.exemption.clone().unwrap_or_else(|| finding.exemption.clone());
        if rules.exemptions.exemption(&exemption).is_none() {
            return Err(unknown_exemption(&exemption));
        }
        said.push((placed(*passage, finding, exemption), one.verdict));
    }
    let named: BTreeSet<&str> = asked.findings.iter().map(|one| one.id.as_str()).collect();
    if named.len() != asked.findings.len() {
        return Err(VaultError::Input("a finding is named twice; name it once".to_owned()));
    }
    if asked.rest_confirmed {
        let readable = |finding: &Finding| rules.projection.redaction().is_readable(&finding.entity);
        let rest = all.iter().filter(|(_, finding, id)| !named.contains(id.as_str()) && !readable(finding));
        said.extend(rest.map(|(passage, finding, _)| {
            (placed(*passage, finding, finding.exemption.clone()), FindingVerdict::Confirm)
        }));
    }
    Ok(said)
}

fn placed(passage: usize, finding: &Finding, exemption: ExemptionCode) -> FindingPlace {
    FindingPlace { passage, span: finding.span, entity: finding.entity.clone(), exemption }
}

fn unknown_exemption(code: &ExemptionCode) -> VaultError {
    VaultError::Input(format!("exemption `{code}` is not in policies/exemptions.yaml; use one that is"))
}

/// Where the redactions stand that were missed. The original is opened as a recorded system act: the person who adds need not
/// have opened it.
async fn added(
    archive: &Archive,
    rules: &Rules,
    item: &QueueItem,
    asked: &Assessing,
) -> Result<Vec<FindingPlace>, VaultError> {
    if asked.added.is_empty() {
        return Ok(Vec::new());
    }
    for one in &asked.added {
        if rules.exemptions.exemption(&one.exemption).is_none() {
            return Err(unknown_exemption(&one.exemption));
        }
        if rules.projection.redaction().is_readable(&one.entity) {
            let entity = &one.entity;
            return Err(VaultError::Input(format!("`{entity}` stays readable; name what is to be redacted")));
        }
    }
    let opened = publish::open_items(archive, rules, &item.organisation, &[item.record]).await?;
    let texts = opened.into_iter().next().map(|(_, opened)| opened.passages);
    let texts = texts.ok_or(VaultError::Absent { what: "the original" })?;
    let mut places: Vec<FindingPlace> = Vec::new();
    for one in &asked.added {
        let found: Vec<(usize, Span)> = match &one.place {
            Place::Words(words) => {
                let texts = texts.iter().enumerate();
                texts
                    .flat_map(|(n, passage)| {
                        spans::of_words(passage.text.expose(), words.expose())
                            .into_iter()
                            .map(move |s| (n, s))
                    })
                    .collect()
            }
            Place::At { passage, start, end } => {
                let text = texts.get(*passage).map(|passage| passage.text.expose());
                let span = text.and_then(|text| spans::of_code_points(text, *start, *end));
                span.map(|span| (*passage, span)).into_iter().collect()
            }
        };
        if found.is_empty() {
            return Err(VaultError::Input(
                "what is added does not stand in the record: name words as they stand in it, or a passage with code points \
                 `start` to `end`"
                    .to_owned(),
            ));
        }
        for (passage, span) in found {
            let crosses = places.iter().any(|known| known.passage == passage && known.span.overlaps(span));
            if !crosses {
                let (entity, exemption) = (one.entity.clone(), one.exemption.clone());
                places.push(FindingPlace { passage, span, entity, exemption });
            }
        }
    }
    Ok(places)
}

/// What must be said in words: a reason for what is rejected or added, a weighing under a relative exemption.
fn texts(
    rules: &Rules,
    findings: &[(FindingPlace, FindingVerdict)],
    added: &[FindingPlace],
    asked: &Assessing,
) -> Result<(), VaultError> {
    let fits = |text: &PrivateText| {
        let long = text.expose().trim().chars().take(WORDS_CHARS_MAX + 1).count();
        (WORDS_CHARS_MIN..=WORDS_CHARS_MAX).contains(&long)
    };
    let changes = !added.is_empty() || findings.iter().any(|(_, said)| *said == FindingVerdict::Reject);
    if changes && !fits(&asked.reason) {
        return Err(VaultError::Input(format!(
            "`reason`: what is rejected or added needs a reason of {WORDS_CHARS_MIN} to {WORDS_CHARS_MAX} characters"
        )));
    }
    let kept = findings.iter().filter(|(_, said)| *said == FindingVerdict::Confirm).map(|(place, _)| place);
    let relative = kept.chain(added).find(|place| is_weighed(rules, &place.exemption));
    if let Some(place) = relative.filter(|_| !fits(&asked.weighing)) {
        let code = &place.exemption;
        return Err(VaultError::Input(format!(
            "`weighing`: exemption `{code}` is relative and needs a written weighing of interests of {WORDS_CHARS_MIN} to \
             {WORDS_CHARS_MAX} characters"
        )));
    }
    if asked.seconds.is_some_and(|seconds| seconds > SECONDS_MAX) {
        return Err(VaultError::Input(format!("`seconds` must be 0 to {SECONDS_MAX}")));
    }
    Ok(())
}

fn tallied(findings: &[(FindingPlace, FindingVerdict)], added: &[FindingPlace]) -> Vec<(&'static str, u64)> {
    let of = |wanted: FindingVerdict| findings.iter().filter(|(_, said)| *said == wanted).count() as u64;
    let counts = [
        ("confirmed", of(FindingVerdict::Confirm)),
        ("rejected", of(FindingVerdict::Reject)),
        ("added", added.len() as u64),
    ];
    counts.into_iter().filter(|(_, n)| *n > 0).collect()
}

/// A sample is judged whole: every step that was answered without people, every finding.
fn complete(
    rules: &Rules,
    judged: Option<&Judging<'_>>,
    item: &QueueItem,
    found: &[Vec<Finding>],
    rows: &[AssessmentRow],
) -> Result<(), VaultError> {
    let said = |name: &str| rows.iter().filter(|row| row.asked == name).count();
    if let Some(judged) = judged {
        let steps = judged.tree.steps().iter();
        let mut wanted = judged.asked(item);
        for step in steps.filter(|step| wanted.contains(&step.id)).collect::<Vec<_>>() {
            let name = if step.asks.name().is_empty() { &step.id } else { step.asks.name() };
            if said(name) > 0 {
                wanted.retain(|id| *id != step.id);
            }
        }
        if !wanted.is_empty() {
            return Err(VaultError::Input(format!(
                "this item is judged whole: answer {} too",
                wanted.join(", ")
            )));
        }
    }
    let spoken: BTreeSet<(usize, Span)> =
        rows.iter().filter_map(|row| row.place.as_ref().map(|place| (place.passage, place.span))).collect();
    let passages = found.iter().enumerate();
    let silent = passages
        .flat_map(|(passage, findings)| findings.iter().map(move |finding| (passage, finding)))
        .filter(|(passage, finding)| {
            !rules.projection.redaction().is_readable(&finding.entity)
                && !spoken.contains(&(*passage, finding.span))
        })
        .count();
    if silent > 0 {
        return Err(VaultError::Input(format!(
            "this item is judged whole: {silent} findings are neither confirmed nor rejected; say `restConfirmed` to confirm them"
        )));
    }
    Ok(())
}

/// Whether an answer makes it a formal message, with its times, when that was asked.
fn formal_said(
    rules: &Rules,
    item: &QueueItem,
    judged: &Judging<'_>,
    rows: &[AssessmentRow],
) -> Option<FormalFound> {
    let row = rows.iter().find(|row| row.asked == Defined::Formal.as_str())?;
    Some(formal::found(rules, &item.organisation, &judged.record, row.answer.parse().ok()?))
}
