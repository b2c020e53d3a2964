//! What is written of an item that was judged: its rows, what is decided now, its entry in the ledger.

use super::Judging;
use super::assess::{Assessing, By, MISSED, Prepared, kind_of};
use super::turn::Turn;
use crate::decide::{Answer, Decision};
use crate::ledger::{Code, Entry, EntryKind, Pending, Thing};
use crate::model::{QueueKind, Role};
use crate::store::catalogue::{AssessedItem, AssessmentRow, DecidedAnew, FormalFound, GivenRow, QueueItem};
use crate::vault::deciding::{Stored, decision_row};
use crate::vault::decision_receipt::stating;
use crate::vault::{Archive, VaultError, bodies, review};
use serde_json::{Value, json};

/// What is written of an item, before its words are sealed.
pub(super) struct Draft {
    item: QueueItem,
    rows: Vec<AssessmentRow>,
    given: GivenRow,
    decision: Option<DecidedAnew>,
    settled: Vec<QueueKind>,
    people: Option<u32>,
    missed: bool,
    leaves: bool,
    entry: Entry,
    /// Reason, weighing, and what was published before.
    words: Value,
}

impl Draft {
    /// Ready to be written. The caller holds off turns of keys until it is.
    ///
    /// # Errors
    /// When a key cannot be had or the random source fails.
    pub(super) fn sealed(self, archive: &Archive) -> Result<AssessedItem, VaultError> {
        let item = self.item;
        let sealed = bodies::seal(archive, &item.organisation, self.entry.id(), &self.words)?;
        let pending = Pending::event(self.entry.committing(sealed.commitment))?;
        Ok(AssessedItem {
            version: item.id,
            record: item.record,
            conversation: item.conversation,
            projection: item.projection,
            rows: self.rows,
            decision: self.decision,
            settled: self.settled,
            people: self.people,
            hold: self.missed && !self.given.in_force,
            // What was missed is out of sight before anything is computed anew.
            withdraw: self.missed || self.leaves,
            given: self.given,
            pending,
            body: sealed.body,
        })
    }
}

/// What was said of an item, checked.
pub(super) struct Said<'r> {
    pub(super) rows: Vec<AssessmentRow>,
    pub(super) judged: Option<Judging<'r>>,
    pub(super) formal: Option<FormalFound>,
    pub(super) turn: Turn,
    pub(super) missed: bool,
    pub(super) counts: Vec<(&'static str, u64)>,
}

/// Everything that follows from what was said of an item.
///
/// # Errors
/// When a code is none, or the random source or the reading room fails.
pub(super) async fn drafted(
    archive: &Archive,
    item: &QueueItem,
    by: &By,
    asked: &Assessing,
    said: Said<'_>,
) -> Result<Prepared, VaultError> {
    let Said { rows, judged, formal, turn, missed, counts } = said;
    let holds = turn.in_force;
    let steps: Vec<(String, Answer)> = rows
        .iter()
        .filter(|row| row.place.is_none() && row.asked != MISSED)
        .filter_map(|row| Some((row.asked.clone(), row.answer.parse().ok()?)))
        .collect();
    let decided = match judged {
        Some(judged) if holds && !steps.is_empty() => Some(decide(judged, &steps)),
        _ => None,
    };
    let code = |word: &str| word.replace('_', "-").parse::<Code>();
    let mut reasons = vec![code(kind_of(item).as_str())?];
    for (step, answer) in &steps {
        reasons.push(code(&format!("{step}.{}", answer.as_str()))?);
    }
    let outcome = match (&decided, holds) {
        (_, false) => "opinion",
        (Some(decision), _) => decision.outcome.as_str(),
        (None, _) => "assessed",
    };
    let mut entry = Entry::new(archive.sources.entry_id()?, EntryKind::ReviewDone, archive.sources.now())
        .of(item.organisation.clone())
        .by(by.actor, Role::Reviewer)
        .on(review::STANDING_BASIS.parse().map_err(|_| VaultError::Absent { what: "the legal basis" })?)
        .about([Thing::Record(item.record)])
        .about(by.appointment.map(Thing::Appointment))
        .outcome(outcome.parse()?)
        .because(reasons);
    for (word, count) in &counts {
        entry = entry.counting(word.parse()?, *count);
    }
    let before = archive.room.document(item.projection).await?;
    let before: Option<Value> = before.and_then(|document| serde_json::from_str(&document).ok());
    let words =
        json!({ "reason": asked.reason.expose(), "weighing": asked.weighing.expose(), "before": before });
    let mut settled = Vec::new();
    if holds {
        settled.extend([QueueKind::Sample, QueueKind::Restored].into_iter().filter(|k| item.waits_for(*k)));
    }
    let decision = match &decided {
        Some(decision) => {
            let rows = [decision_row(
                (item.record, item.id),
                decision,
                archive.sources.secret::<16>()?.to_vec(),
                archive.sources.now(),
            )];
            let (stated, set) = stating(entry, &rows, archive.sources.now())?;
            entry = stated;
            let [row] = rows;
            let answers = steps.iter().map(|(asked, answer)| (asked.clone(), answer.as_str())).collect();
            Some(DecidedAnew { row, set, answers, formal })
        }
        None => None,
    };
    let leaves = decided.as_ref().is_some_and(|decision| decision.outcome != crate::model::Outcome::Archive);
    let told = json!({
        "id": item.id, "record": item.record, "settled": holds, "round": turn.round,
        "outcome": decided.as_ref().map(|decision| decision.outcome),
    });
    let draft = Draft {
        item: item.clone(),
        rows,
        given: GivenRow {
            actor: by.actor,
            appointment: by.appointment,
            said_at: by.at,
            seconds: asked.seconds,
            round: turn.round,
            in_force: holds,
        },
        decision,
        settled,
        people: turn.people,
        missed,
        leaves,
        entry,
        words,
    };
    Ok(Prepared { draft, told, effective: holds || missed })
}

/// What follows from these answers of people.
fn decide(mut judged: Judging<'_>, steps: &[(String, Answer)]) -> Decision {
    for (asked, answer) in steps {
        judged.facts.people.insert(asked.clone(), *answer);
    }
    judged.tree.decide(&judged.facts, &Stored(&judged.record))
}
