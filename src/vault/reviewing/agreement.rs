//! Figures of the queue: how it stands, how well people and detectors agree, and two people with each other, how long people
//! work. Small counts are not told.

use super::kappa::{Agreement, Confusion};
use crate::access::{Action, Actor, Resource};
use crate::decide::Answer;
use crate::model::{FindingVerdict, OrganisationId, QueueKind, Timestamp};
use crate::store::catalogue::{AssessmentRow, Pairing, QueueTally, Work};
use crate::vault::oversight::SMALL;
use crate::vault::{Archive, Rules, VaultError, read};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How the queue of the actor's organisation stands: what waits and since when, what is overdue, how long people worked.
///
/// # Errors
/// [`VaultError::Refused`] for who may not, or storage errors.
pub async fn standing(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    span: (Timestamp, Timestamp),
) -> Result<Value, VaultError> {
    let organisation = permitted(archive, rules, actor).await?;
    let kinds = tally(archive, rules, Some(&organisation)).await?;
    let work = archive.catalogue.work_done(&organisation, span).await?;
    let overdue: u64 = kinds.iter().map(|kind| kind.overdue).sum();
    Ok(json!({
        "organisation": organisation, "from": span.0, "until": span.1, "overdue": overdue,
        "kinds": kinds, "work": work.iter().map(worked).collect::<Vec<_>>(),
    }))
}

/// How many items of each kind wait, of one organisation or of all.
///
/// # Errors
/// When storage fails.
pub async fn tally(
    archive: &Archive,
    rules: &Rules,
    organisation: Option<&OrganisationId>,
) -> Result<Vec<QueueTally>, VaultError> {
    let due = |kind: QueueKind| rules.reviewing.due_days(kind);
    Ok(archive.catalogue.queue_tally(organisation, archive.sources.now(), &due).await?)
}

/// A warning when items wait longer than they should.
#[must_use]
pub fn overdue(tallies: &[QueueTally]) -> Option<String> {
    let overdue: u64 = tallies.iter().map(|kind| kind.overdue).sum();
    (overdue > 0).then(|| format!("{overdue} items wait too long for a reviewer: knik queue standing"))
}

/// Hours of work, and how long one item took where that was told often enough.
#[allow(clippy::cast_precision_loss, reason = "seconds of people's work are far below 2^52")]
fn worked(work: &Work) -> Value {
    let each = (work.timed >= SMALL).then(|| (work.seconds as f64 / work.timed as f64).round());
    json!({
        "kind": work.kind, "judged": work.judged, "timed": work.timed,
        "hours": thousandth(work.seconds as f64 / 3_600.0), "secondsEach": each,
    })
}

/// How well people and detectors agree, by step and by version of the detector; how often findings were confirmed, rejected and
/// missed, by type and ruleset; how well two people agree. Counts below ten are not told, nor what could be computed of them.
///
/// # Errors
/// [`VaultError::Refused`] for who may not, or storage errors.
pub async fn agreement(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    span: (Timestamp, Timestamp),
) -> Result<Value, VaultError> {
    let organisation = permitted(archive, rules, actor).await?;
    let detectors = archive.catalogue.beside_detectors(&organisation, span).await?;
    let people = archive.catalogue.beside_each_other(&organisation, span).await?;
    let is_finding = |pairing: &Pairing| pairing.asked == AssessmentRow::FINDING;
    let (found, asked): (Vec<_>, Vec<_>) =
        detectors.into_iter().partition(|(pairing, _)| is_finding(pairing));
    Ok(json!({
        "organisation": organisation, "from": span.0, "until": span.1, "fewerThanIsNotTold": SMALL,
        "steps": grouped(asked), "findings": findings(found), "people": grouped(people),
    }))
}

async fn permitted(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<OrganisationId, VaultError> {
    let organisation = actor.organisation.clone();
    let resource = Resource::Registry { organisation: organisation.clone() };
    read::authorise(archive, rules, actor, Action::ReadReviewFigures, &resource).await?;
    Ok(organisation)
}

type Group = (bool, String, String);

/// One row for each thing that was asked, drawn at random or not, and each version of what had answered it.
fn grouped(pairings: Vec<(Pairing, u64)>) -> Vec<Value> {
    let mut groups: BTreeMap<Group, Confusion> = BTreeMap::new();
    for (pairing, n) in pairings {
        let one = pairing.one.as_deref().unwrap_or(Answer::Unsure.as_str());
        let of = groups.entry((pairing.sampled, pairing.asked, pairing.by_what)).or_default();
        of.add(one, &pairing.other, n);
    }
    groups.into_iter().map(|(group, confusion)| row(group, &confusion)).collect()
}

fn row((sampled, asked, by): Group, confusion: &Confusion) -> Value {
    let mut row = json!({ "asked": asked, "by": by, "sampled": sampled });
    let Some(fields) = row.as_object_mut() else { return row };
    match confusion.agreement() {
        Some(agreement) if agreement.n >= SMALL => told(fields, &agreement, confusion),
        _ => {
            fields.insert("fewerThan".to_owned(), json!(SMALL));
        }
    }
    row
}

fn told(fields: &mut serde_json::Map<String, Value>, agreement: &Agreement, confusion: &Confusion) {
    let cells: Vec<Value> = confusion
        .cells()
        .map(|(one, other, n)| json!({ "first": one, "second": other, "count": n }))
        .collect();
    fields.insert("count".to_owned(), json!(agreement.n));
    fields.insert("confusion".to_owned(), json!(cells));
    fields.insert("agreement".to_owned(), json!(thousandth(agreement.observed)));
    fields.insert("kappa".to_owned(), json!(agreement.kappa.map(thousandth)));
    let interval = agreement.interval.map(|(low, high)| [thousandth(low), thousandth(high)]);
    fields.insert("interval95".to_owned(), json!(interval));
}

/// Findings have no negatives that could be counted: precision and recall instead of kappa.
fn findings(pairings: Vec<(Pairing, u64)>) -> Vec<Value> {
    let mut groups: BTreeMap<Group, BTreeMap<String, u64>> = BTreeMap::new();
    for (pairing, n) in pairings {
        let entity = pairing.entity.unwrap_or_default();
        let of = groups.entry((pairing.sampled, entity, pairing.by_what)).or_default();
        *of.entry(pairing.other).or_default() += n;
    }
    groups.into_iter().map(|(group, counts)| finding_row(group, &counts)).collect()
}

fn finding_row((sampled, entity, by): Group, counts: &BTreeMap<String, u64>) -> Value {
    let of = |verdict: FindingVerdict| counts.get(verdict.as_str()).copied().unwrap_or_default();
    let (confirmed, rejected, added) =
        (of(FindingVerdict::Confirm), of(FindingVerdict::Reject), of(FindingVerdict::Add));
    let all = confirmed + rejected + added;
    if all < SMALL {
        return json!({ "type": entity, "by": by, "sampled": sampled, "fewerThan": SMALL });
    }
    // What was missed is known of samples only: nobody looks for it elsewhere.
    let recall = ratio(confirmed, confirmed + added).filter(|_| sampled);
    json!({
        "type": entity, "by": by, "sampled": sampled, "count": all, "confirmed": confirmed, "rejected": rejected,
        "added": added, "precision": ratio(confirmed, confirmed + rejected), "recall": recall,
    })
}

#[allow(clippy::cast_precision_loss, reason = "counts of judgements are far below 2^52")]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| thousandth(part as f64 / whole as f64))
}

fn thousandth(of: f64) -> f64 {
    (of * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairing(asked: &str, one: Option<&str>, other: &str) -> Pairing {
        Pairing {
            sampled: true,
            asked: asked.to_owned(),
            entity: (asked == AssessmentRow::FINDING).then(|| "PERSON".to_owned()),
            by_what: "question 7".to_owned(),
            one: one.map(str::to_owned),
            other: other.to_owned(),
        }
    }

    #[test]
    fn small_groups_are_not_told_and_others_are_whole() {
        let few = grouped(vec![(pairing("question", Some("yes"), "no"), SMALL - 1)]);
        assert_eq!(
            few[0],
            json!({ "asked": "question", "by": "question 7", "sampled": true, "fewerThan": SMALL })
        );
        let many = grouped(vec![
            (pairing("question", Some("yes"), "yes"), 20),
            (pairing("question", Some("yes"), "no"), 5),
            (pairing("question", Some("no"), "yes"), 10),
            (pairing("question", Some("no"), "no"), 15),
        ]);
        assert_eq!(
            (&many[0]["count"], &many[0]["agreement"], &many[0]["kappa"]),
            (&json!(50), &json!(0.7), &json!(0.4))
        );
        assert_eq!(many[0]["interval95"], json!([0.146, 0.654]));
    }

    #[test]
    fn findings_have_precision_and_recall() {
        let rows = findings(vec![
            (pairing("finding", Some("redacted"), "confirm"), 8),
            (pairing("finding", Some("redacted"), "reject"), 2),
            (pairing("finding", None, "add"), 2),
        ]);
        assert_eq!((&rows[0]["precision"], &rows[0]["recall"]), (&json!(0.8), &json!(0.8)));
        let few = findings(vec![(pairing("finding", None, "add"), 2)]);
        assert_eq!(few[0]["fewerThan"], json!(SMALL));
        assert!(few[0].get("added").is_none());
    }
}
