//! Figures of the queue: how it stands, how well people and detectors agree, and two people with each other, how long people
//! work. Small counts are not told, others are rounded down to tens, and nothing is told that would be of one person or of few.

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

/// Of the work of fewer people nothing is told: it would be the pace of one of them, or nearly.
pub const PEOPLE_FEW: u64 = 5;

/// Hours of work, and how long one item took where that was told often enough.
#[allow(clippy::cast_precision_loss, reason = "seconds of people's work are far below 2^52")]
fn worked(work: &Work) -> Value {
    if work.people < PEOPLE_FEW {
        return json!({ "kind": work.kind, "fewerPeopleThan": PEOPLE_FEW });
    }
    let (Some(judged), timed) = (told(work.judged), told(work.timed)) else {
        return json!({ "kind": work.kind, "fewerThan": SMALL });
    };
    let seconds = timed.map(|_| work.seconds as f64);
    json!({
        "kind": work.kind, "judged": judged, "timed": timed,
        "hours": seconds.map(|seconds| (seconds / 3_600.0).round()),
        "secondsEach": seconds.map(|seconds| (seconds / work.timed as f64).round()),
    })
}

/// A count as it is told: rounded down to tens, so that two spans of time that differ by one judgement do not tell it.
fn told(count: u64) -> Option<u64> {
    (count >= SMALL).then_some(count / SMALL * SMALL)
}

/// How well people and detectors agree, by step and by version of the detector; how often findings were confirmed, rejected and
/// missed, by type and ruleset; how well two people agree. Counts below ten are not told, nor parts of which one is so small.
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
        Some(agreement) if agreement.n >= SMALL => tell(fields, &agreement, confusion),
        _ => {
            fields.insert("fewerThan".to_owned(), json!(SMALL));
        }
    }
    row
}

/// Cells that are small are left out. Where the two differ on fewer than ten, or agree on so few, how often is not told either.
fn tell(fields: &mut serde_json::Map<String, Value>, agreement: &Agreement, confusion: &Confusion) {
    let cells: Vec<Value> = confusion
        .cells()
        .filter_map(|(one, other, n)| Some(json!({ "first": one, "second": other, "count": told(n)? })))
        .collect();
    let differ = agreement.n - agreement.same;
    let parts = agreement.same >= SMALL && differ >= SMALL;

    fields.insert("count".to_owned(), json!(told(agreement.n)));
    fields.insert("confusion".to_owned(), json!(cells));
    fields.insert("agreement".to_owned(), json!(parts.then(|| hundredth(agreement.observed))));
    fields.insert("kappa".to_owned(), json!(agreement.kappa.filter(|_| parts).map(hundredth)));
    let interval = agreement.interval.filter(|_| parts).map(|(low, high)| [hundredth(low), hundredth(high)]);
    fields.insert("interval95".to_owned(), json!(interval));
    if differ < SMALL {
        fields.insert("differFewerThan".to_owned(), json!(SMALL));
    }
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
    let recall = ratio(confirmed, added).filter(|_| sampled);
    json!({
        "type": entity, "by": by, "sampled": sampled, "count": told(all), "confirmed": told(confirmed),
        "rejected": told(rejected), "added": told(added), "precision": ratio(confirmed, rejected), "recall": recall,
    })
}

/// Which part of both the one is; none when either is small.
#[allow(clippy::cast_precision_loss, reason = "counts of judgements are far below 2^52")]
fn ratio(one: u64, other: u64) -> Option<f64> {
    (one >= SMALL && other >= SMALL).then(|| hundredth(one as f64 / (one + other) as f64))
}

fn hundredth(of: f64) -> f64 {
    (of * 100.0).round() / 100.0
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
        assert_eq!(many[0]["interval95"], json!([0.15, 0.65]));
        let cells = many[0]["confusion"].as_array().unwrap();
        assert_eq!(
            cells.iter().map(|cell| cell["count"].as_u64().unwrap()).collect::<Vec<_>>(),
            [10, 10, 20]
        );
        // Where nearly all is alike, neither how much nor that it is all.
        for differing in [0, SMALL - 1] {
            let alike = grouped(vec![
                (pairing("question", Some("yes"), "yes"), 205),
                (pairing("question", Some("yes"), "no"), differing),
            ]);
            let expected = (&json!(200 + differing / 5 * 10), &Value::Null, &json!(SMALL));
            assert_eq!((&alike[0]["count"], &alike[0]["kappa"], &alike[0]["differFewerThan"]), expected);
            assert_eq!(
                (&alike[0]["agreement"], alike[0]["confusion"].as_array().unwrap().len()),
                (&Value::Null, 1)
            );
        }
    }

    #[test]
    fn findings_have_precision_and_recall_of_parts_that_are_not_small() {
        let found = |confirmed, rejected, added| {
            findings(vec![
                (pairing("finding", Some("redacted"), "confirm"), confirmed),
                (pairing("finding", Some("redacted"), "reject"), rejected),
                (pairing("finding", None, "add"), added),
            ])
            .remove(0)
        };
        let many = found(84, 21, 21);
        assert_eq!((&many["precision"], &many["recall"]), (&json!(0.8), &json!(0.8)));
        assert_eq!(
            (&many["count"], &many["confirmed"], &many["rejected"]),
            (&json!(120), &json!(80), &json!(20))
        );
        let good = found(84, 2, 21);
        assert_eq!(
            (&good["precision"], &good["rejected"], &good["recall"]),
            (&Value::Null, &Value::Null, &json!(0.8))
        );
        let few = found(0, 0, 2);
        assert_eq!(few["fewerThan"], json!(SMALL));
        assert!(few.get("added").is_none());
    }

    #[test]
    fn of_few_people_no_pace_is_told() {
        let work = |people, judged, timed| {
            worked(&Work { kind: QueueKind::Sample, people, timed, seconds: timed * 31, judged })
        };
        assert_eq!(
            work(PEOPLE_FEW - 1, 900, 900),
            json!({ "kind": "sample", "fewerPeopleThan": PEOPLE_FEW })
        );
        assert_eq!(work(PEOPLE_FEW, 9, 9), json!({ "kind": "sample", "fewerThan": SMALL }));
        let told = work(PEOPLE_FEW, 247, 9);
        assert_eq!(
            (&told["judged"], &told["timed"], &told["hours"]),
            (&json!(240), &Value::Null, &Value::Null)
        );
        let told = work(PEOPLE_FEW, 247, 246);
        let expected = (&json!(240), &json!(2.0), &json!(31.0));
        assert_eq!((&told["timed"], &told["hours"], &told["secondsEach"]), expected);
    }
}
