//! Receipts of decisions: proof that this was decided of a record, by which tree, along which path and by whom, without a word
//! of what was posted.
//!
//! An entry commits to all decisions that were made with it, each under a salt of its own; the salt stands with the decision.
//! What is stated holds codes, rule ids and places in the text.

use super::verify::{Placed, placed};
use super::{Archive, Rules, VaultError, read};
use crate::access::{Action, Actor};
use crate::decide::StepTaken;
use crate::ledger::{
    Entry, EntryKind, Hash, ReceiptError, StatementReceipt, VerifiedStatement, VerifierKey,
    statement_commitment, statements_root, states,
};
use crate::model::{ActorId, RecordId, Timestamp};
use crate::store::StoreError;
use crate::store::catalogue::{DecisionRow, DecisionSetRow};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How long a receipt is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The entry with its commitment to these decisions, and the row that keeps what they hash to.
///
/// # Errors
/// When a path cannot be read back.
pub(super) fn stating(
    entry: Entry,
    decisions: &[DecisionRow],
    at: Timestamp,
) -> Result<(Entry, DecisionSetRow), VaultError> {
    let commitments = decisions
        .iter()
        .map(|row| Ok(statement_commitment(&row.salt, &statement(row, entry.actor())?)))
        .collect::<Result<Vec<_>, VaultError>>()?;
    let row = DecisionSetRow { entry: entry.id(), decided_at: at, commitments };
    Ok((entry.stating(statements_root(&row.commitments)), row))
}

/// A decision as it is committed to. Whole numbers only, so that every program writes it alike.
fn statement(row: &DecisionRow, by: Option<ActorId>) -> Result<Value, VaultError> {
    let damaged = || StoreError::Corrupt { what: "decision path" };
    let path: Vec<StepTaken> = serde_json::from_str(&row.path).map_err(|_| damaged())?;
    let keep: Option<Value> =
        row.keep.as_deref().map(serde_json::from_str).transpose().map_err(|_| damaged())?;
    let mut stated = json!({
        "record": row.record,
        "version": row.version,
        "outcome": row.outcome,
        "ending": row.ending,
        "tree": row.tree,
        "treeVersion": row.tree_version,
        "decidedAt": row.decided_at,
        "path": path.iter().map(step).collect::<Vec<_>>(),
    });
    if let Some(fields) = stated.as_object_mut() {
        fields.extend(keep.map(|keep| ("keep".to_owned(), keep)));
        fields.extend(by.map(|by| ("decidedBy".to_owned(), json!(by))));
    }
    Ok(stated)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 1000")]
fn step(taken: &StepTaken) -> Value {
    let place = |clue: &crate::decide::Clue| json!({ "rule": clue.rule, "start": clue.span.start(), "end": clue.span.end() });
    json!({
        "step": taken.step,
        "answer": taken.answer,
        "answeredBy": taken.answered_by,
        "by": taken.by,
        "permille": (taken.confidence.clamp(0.0, 1.0) * 1000.0).round() as u64,
        "evidence": taken.evidence.iter().map(place).collect::<Vec<_>>(),
    })
}

/// The receipt of the decision on a record that is in force; with `before` of the one so many before it.
///
/// # Errors
/// As [`read::authorise`]; [`VaultError::Absent`] when there is no such decision; [`VaultError::Input`] for one that was made
/// before decisions were committed to.
pub async fn receipt(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
    before: usize,
) -> Result<StatementReceipt, VaultError> {
    read::permitted(archive, rules, actor, record, Action::ReadDecision).await?;
    of_record(archive, record, before).await
}

/// As [`receipt`], for whoever has the data folder.
///
/// # Errors
/// As [`receipt`], but for authorisation.
pub async fn of_record(
    archive: &Archive,
    record: RecordId,
    before: usize,
) -> Result<StatementReceipt, VaultError> {
    let made = archive.catalogue.decisions_made(record).await?;
    let decision = made.get(before).ok_or(VaultError::Absent { what: "the decision" })?;
    let log = archive.logs.vault_origin();
    for set in archive.catalogue.decision_sets(decision.decided_at).await? {
        let receipt = archive.journal.receipt_when_numbered(log, set.entry, PATIENCE).await?;
        let entry = receipt.verify(archive.logs.vault.verifier()).map_err(|_| RECEIPT)?.entry;
        let stated = statement(decision, entry.actor())?;
        let commitment = statement_commitment(&decision.salt, &stated);
        let place = (0_u64..).zip(&set.commitments).find(|(_, known)| **known == commitment);
        if let Some((index, _)) = place {
            return Ok(StatementReceipt::new(stated, &decision.salt, index, &set.commitments, receipt)?);
        }
    }
    Err(VaultError::Input(
        "this decision was made before decisions were committed to, or its record was destroyed: there is no proof of it"
            .to_owned(),
    ))
}

/// What is wrong with these decisions beside what the ledger committed to when they were made; `None` when nothing is. Those of
/// before there were commitments are passed over. `known` are commitments that were confirmed before.
///
/// # Errors
/// When the database fails.
pub(super) async fn wrong_in_decisions(
    archive: &Archive,
    decisions: &[DecisionRow],
    known: &mut Confirmed,
) -> Result<Option<String>, VaultError> {
    for decision in decisions {
        if let Err(wrong) = known.at(archive, decision.decided_at).await? {
            return Ok(Some(wrong));
        }
        // What has no number yet is confirmed the next time.
        let Some(Some(sets)) = known.sets.get(&decision.decided_at) else { continue };
        if decision.salt.is_empty() && sets.is_empty() {
            continue;
        }
        let stands = |(by, commitments): &Set| {
            statement(decision, *by)
                .is_ok_and(|stated| commitments.contains(&statement_commitment(&decision.salt, &stated)))
        };
        if !sets.iter().any(stands) {
            let record = decision.record;
            return Ok(Some(format!(
                "a decision on record {record} is not the one that the ledger committed to"
            )));
        }
    }
    Ok(None)
}

/// What entries committed to, by the time of the decisions, confirmed with the log: by whom, and the commitments.
#[derive(Default)]
pub(super) struct Confirmed {
    /// `None` where an entry has no number yet.
    sets: HashMap<Timestamp, Option<Vec<Set>>>,
}

/// Who decided, and the commitments.
type Set = (Option<ActorId>, HashSet<Hash>);

/// Times kept together: a batch has one.
const TIMES_MAX: usize = 64;

impl Confirmed {
    /// Reads what was committed to at that time; `Err` says what is wrong with it.
    async fn at(&mut self, archive: &Archive, time: Timestamp) -> Result<Result<(), String>, VaultError> {
        if self.sets.contains_key(&time) {
            return Ok(Ok(()));
        }
        if self.sets.len() >= TIMES_MAX {
            self.sets.clear();
        }
        let mut found = Some(Vec::new());
        for set in archive.catalogue.decision_sets(time).await? {
            let entry = match placed(archive, set.entry).await? {
                Placed::There(entry) => entry,
                Placed::Missing => {
                    return Ok(Err(format!("the entry {} of decisions is not in the ledger", set.entry)));
                }
                Placed::Waiting => {
                    found = None;
                    break;
                }
            };
            if !entry.statements().is_some_and(|root| states(root, &set.commitments)) {
                return Ok(Err(format!("what entry {} committed to of decisions was changed", set.entry)));
            }
            if let Some(found) = &mut found {
                found.push((entry.actor(), set.commitments.into_iter().collect()));
            }
        }
        self.sets.insert(time, found);
        Ok(Ok(()))
    }
}

const RECEIPT: StoreError = StoreError::Corrupt { what: "receipt" };

/// Confirms a receipt of a decision offline. The key always comes from who verifies.
///
/// # Errors
/// [`ReceiptError`], by what does not hold first; [`ReceiptError::NotStated`] too when the entry is none of a decision, or by
/// somebody else.
pub fn verify_decision(json: &str, key: &VerifierKey) -> Result<VerifiedStatement, ReceiptError> {
    let receipt: StatementReceipt = serde_json::from_str(json).map_err(|_| ReceiptError::Malformed)?;
    let verified = receipt.verify(key)?;
    let entry = &verified.entry.entry;
    let decides = matches!(entry.kind(), EntryKind::DecisionMade | EntryKind::DecisionChanged);
    let by = verified.statement.get("decidedBy").and_then(Value::as_str).map(str::to_owned);
    if !decides || by != entry.actor().map(|actor| actor.to_string()) {
        return Err(ReceiptError::NotStated);
    }
    Ok(verified)
}
