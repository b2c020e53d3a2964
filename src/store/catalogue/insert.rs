//! Records, versions, decisions, names and people of a batch, as rows that name each other by number.

use super::commit::{Batch, DecisionRow, NameRow, RecordRow, SubjectRow, VersionRow};
use super::decided::AnswerRow;
use super::numbers::{
    ANSWER_SET, DELIVERY, GIVEN_ANSWER, Lookup, Numbers, RULESET, RULING, SHELF, Said, conversations,
};
use super::reviewing::carry_tasks;
use crate::model::{ConversationId, Outcome, Timestamp, VersionId, Visibility};
use crate::store::StoreError;
use crate::store::rows::{bytes, digests, insert_all};
use sqlx::{Any, Transaction};
use std::collections::HashMap;

/// What a record keeps of its visibility: nothing when it is public.
pub(super) fn kept_visibility(visibility: Visibility) -> Option<&'static str> {
    (visibility != Visibility::Public).then(|| visibility.as_str())
}

/// What a record keeps of its outcome: nothing when it is archived.
pub(super) fn set_aside(outcome: Outcome) -> Option<&'static str> {
    (outcome != Outcome::Archive).then(|| outcome.as_str())
}

pub(super) async fn insert_records(
    tx: &mut Transaction<'static, Any>,
    batch: &Batch,
    numbers: &Numbers,
) -> Result<(), StoreError> {
    let mut lookup = Lookup::default();
    let mut rows = Vec::with_capacity(batch.records.len());
    for row in &batch.records {
        let said = vec![
            Said::Word(row.organisation.to_string()),
            Said::Word(row.channel.to_string()),
            Said::Word(row.kind.as_str().to_owned()),
            Said::Number(i64::from(row.own)),
        ];
        let (shelf, _) = lookup.number(tx, &SHELF, said).await?;
        rows.push((numbers.record(row.id)?, shelf, numbers.conversation(row.conversation)?, row));
    }
    let head = "INSERT INTO record_row (number, id, shelf, conversation, visibility, posted_at, edited_at, withheld, version, \
                projection, outcome, answers) VALUES";
    insert_all(
        tx,
        head,
        12,
        "",
        &rows,
        |query, (number, shelf, conversation, row): &(i64, i64, i64, &RecordRow)| {
            query
                .bind(*number)
                .bind(bytes(row.id.uuid()))
                .bind(*shelf)
                .bind(*conversation)
                .bind(kept_visibility(row.visibility))
                .bind(row.posted_at.map(Timestamp::micros))
                .bind(row.edited_at.map(Timestamp::micros))
                .bind(row.withheld)
                .bind(numbers.version(row.version))
                .bind(bytes(row.projection.uuid()))
                .bind(set_aside(row.outcome))
                .bind(row.answers.map(|name| name.as_bytes().to_vec()))
        },
    )
    .await?;
    insert_versions(tx, batch, numbers, &mut lookup).await
}

/// A version with the numbers that stand in its row.
struct Numbered<'b> {
    number: i64,
    record: i64,
    delivery: i64,
    ruleset: i64,
    answers: Option<i64>,
    decided: Option<Decided>,
    row: &'b VersionRow,
}

/// What a version keeps of the decision on it.
pub(super) struct Decided {
    pub(super) ruling: i64,
    /// The path, when it is not that of the ruling.
    pub(super) path: Option<String>,
    pub(super) salt: Vec<u8>,
    pub(super) at: Timestamp,
}

async fn insert_versions(
    tx: &mut Transaction<'static, Any>,
    batch: &Batch,
    numbers: &Numbers,
    lookup: &mut Lookup,
) -> Result<(), StoreError> {
    let fresh = numbers.fresh_versions(tx, batch).await?;
    let decisions: HashMap<VersionId, &DecisionRow> =
        batch.decisions.iter().map(|row| (row.version, row)).collect();
    let mut answers: HashMap<VersionId, Vec<&AnswerRow>> = HashMap::new();
    batch.answers.iter().for_each(|row| answers.entry(row.version).or_default().push(row));
    let mut rows = Vec::with_capacity(fresh.len());
    for row in fresh {
        let decided = match decisions.get(&row.id) {
            Some(decision) => Some(decided(tx, lookup, decision).await?),
            None => None,
        };
        rows.push(Numbered {
            number: numbers.version(row.id).ok_or(StoreError::Corrupt { what: "version of a batch" })?,
            record: numbers.record(row.record)?,
            delivery: delivery_of(tx, lookup, row).await?,
            ruleset: ruleset_number(tx, lookup, &row.ruleset).await?,
            answers: answer_set(tx, lookup, answers.get(&row.id)).await?,
            decided,
            row,
        });
    }
    let head = "INSERT INTO version_row (number, id, record, digest, delivery, parts, ruleset, findings, names, left_out, \
                answers, ruling, path, salt, decided_at) VALUES";
    insert_all(tx, head, 15, "", &rows, |query, of: &Numbered<'_>| {
        let decided = of.decided.as_ref();
        query
            .bind(of.number)
            .bind(bytes(of.row.id.uuid()))
            .bind(of.record)
            .bind(of.row.digest.as_bytes().to_vec())
            .bind(of.delivery)
            .bind(of.row.parts.clone())
            .bind(of.ruleset)
            .bind(of.row.findings.clone())
            .bind(digests(&of.row.names))
            .bind(of.row.left_out.clone())
            .bind(of.answers)
            .bind(decided.map(|decided| decided.ruling))
            .bind(decided.and_then(|decided| decided.path.clone()))
            .bind(decided.map(|decided| decided.salt.clone()))
            // Most are decided when they are observed.
            .bind(
                decided
                    .map(|decided| decided.at)
                    .filter(|at| *at != of.row.observed_at)
                    .map(Timestamp::micros),
            )
    })
    .await?;
    for of in rows.iter().filter(|of| of.row.replaces) {
        carry_tasks(tx, of.record, of.number).await?;
        sqlx::query(
            "UPDATE record_row SET version = $1, outcome = $2, edited_at = $3, visibility = $4 WHERE number = $5",
        )
        .bind(of.number)
        .bind(set_aside(of.row.outcome))
        .bind(of.row.edited_at.map(Timestamp::micros))
        .bind(kept_visibility(of.row.visibility))
        .bind(of.record)
        .execute(&mut **tx)
        .await
        .map_err(StoreError::database("setting the version in force"))?;
    }
    Ok(())
}

async fn delivery_of(
    tx: &mut Transaction<'static, Any>,
    lookup: &mut Lookup,
    row: &VersionRow,
) -> Result<i64, StoreError> {
    let said = vec![
        Said::Bytes(bytes(row.capture.uuid())),
        Said::Number(row.observed_at.micros()),
        Said::Word(row.profile.clone().unwrap_or_default()),
    ];
    Ok(lookup.number(tx, &DELIVERY, said).await?.0)
}

pub(super) async fn ruleset_number(
    tx: &mut Transaction<'static, Any>,
    lookup: &mut Lookup,
    name: &str,
) -> Result<i64, StoreError> {
    Ok(lookup.number(tx, &RULESET, vec![Said::Word(name.to_owned())]).await?.0)
}

/// A decision as its version keeps it. A path that names places in the text is like no other: it stands with the version.
pub(super) async fn decided(
    tx: &mut Transaction<'static, Any>,
    lookup: &mut Lookup,
    row: &DecisionRow,
) -> Result<Decided, StoreError> {
    let alone = row.path.contains("\"evidence\":[{");
    let path = if alone { String::new() } else { row.path.clone() };
    let keep = row.keep.clone().unwrap_or_default();
    let outcome = row.outcome.as_str().to_owned();
    let said = [row.tree.clone(), row.tree_version.clone(), outcome, row.ending.clone(), keep, path];
    let (ruling, _) = lookup.number(tx, &RULING, said.into_iter().map(Said::Word).collect()).await?;
    Ok(Decided { ruling, path: alone.then(|| row.path.clone()), salt: row.salt.clone(), at: row.decided_at })
}

/// The number of what was answered together.
async fn answer_set(
    tx: &mut Transaction<'static, Any>,
    lookup: &mut Lookup,
    answers: Option<&Vec<&AnswerRow>>,
) -> Result<Option<i64>, StoreError> {
    let Some(answers) = answers else { return Ok(None) };
    let mut given = Vec::with_capacity(answers.len());
    for row in answers {
        let said = vec![
            Said::Word(row.asked.to_owned()),
            Said::Word(row.answer.to_owned()),
            Said::Word(row.answered_by.to_owned()),
            Said::Word(row.by.clone()),
            Said::Number(i64::from(row.permille)),
        ];
        given.push(lookup.number(tx, &GIVEN_ANSWER, said).await?.0);
    }
    given.sort_unstable();
    given.dedup();
    let members = given.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let (number, new) = lookup.number(tx, &ANSWER_SET, vec![Said::Word(members)]).await?;
    if new {
        let head = "INSERT INTO answer_set_member (answer_set, given) VALUES";
        insert_all(tx, head, 2, "", &given, |query, given| query.bind(number).bind(*given)).await?;
    }
    Ok(Some(number))
}

pub(super) async fn insert_names(
    tx: &mut Transaction<'static, Any>,
    names: &[NameRow],
    numbers: &Numbers,
) -> Result<(), StoreError> {
    // A name of a record that is not there is as one that is known before its record.
    let rows: Vec<(Option<i64>, &NameRow)> =
        names.iter().map(|row| (row.record.and_then(|id| numbers.record(id).ok()), row)).collect();
    let head = "INSERT INTO name_row (digest, record, conversation, withheld) VALUES";
    let tail = "ON CONFLICT (digest) DO UPDATE SET record = COALESCE(name_row.record, excluded.record), \
                conversation = CASE WHEN name_row.record IS NULL AND excluded.record IS NULL \
                THEN COALESCE(excluded.conversation, name_row.conversation) END, \
                withheld = COALESCE(excluded.withheld, name_row.withheld)";
    insert_all(tx, head, 4, tail, &rows, |query, (record, row): &(Option<i64>, &NameRow)| {
        query
            .bind(row.digest.as_bytes().to_vec())
            .bind(*record)
            // A record says itself in which conversation it is.
            .bind(row.conversation.filter(|_| record.is_none()).map(|c| bytes(c.uuid())))
            .bind(row.withheld)
    })
    .await
}

pub(super) async fn insert_subjects(
    tx: &mut Transaction<'static, Any>,
    subjects: &[SubjectRow],
) -> Result<(), StoreError> {
    let of: HashMap<ConversationId, i64> =
        conversations(tx, subjects.iter().map(|row| row.conversation)).await?;
    let mut rows: Vec<(i64, &SubjectRow)> =
        subjects.iter().filter_map(|row| Some((*of.get(&row.conversation)?, row))).collect();
    // In the order of the table, so that it grows at its end.
    rows.sort_by_key(|(conversation, row)| (*conversation, row.digest));
    let head = "INSERT INTO subject_row (conversation, digest, reference) VALUES";
    insert_all(tx, head, 3, "ON CONFLICT (conversation, digest) DO NOTHING", &rows, |query, (number, row)| {
        query.bind(*number).bind(row.digest.as_bytes().to_vec()).bind(i64::from(row.reference.number()))
    })
    .await
}
