//! What people read: short tables and sentences; with `--json` the same for machines. The only place that prints.
#![allow(clippy::print_stdout, reason = "this is where the command line speaks")]

use super::appointments;
use super::arguments::{IngestArguments, PlaneName};
use super::control::Order;
use super::keys;
use super::parser::Parser;
use super::{
    formal, incident, ledger, letter, periodic, publications, queue, register, report, requests, review,
    revoke,
};
use crate::capture::{Format, Limits};
use crate::config::Ingest;
use crate::http::openapi;
use crate::ledger::{ReceiptError, VerifiedEntry, VerifiedStatement};
use crate::vault::{CaptureSource, survey};
use anyhow::{Error, Result};
use serde_json::{Value, json};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

/// Prints a line, as the standard library's does, but that a reader that has seen enough (`| head`) is no failure: what else is to
/// be done is done all the same.
macro_rules! println {
    ($($what:tt)*) => { told(writeln!(std::io::stdout(), $($what)*)) };
}

fn told(done: io::Result<()>) {
    if let Some(error) = done.err().filter(|error| !is_enough(error)) {
        eprintln!("knik: the answer could not be written: {error}");
        std::process::exit(1);
    }
}

fn is_enough(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

/// Prints one line.
pub(super) fn line(text: &str) {
    println!("{text}");
}

/// Where a command writes an answer that may be long: buffered, and the caller flushes.
pub(super) fn out() -> impl Write {
    BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
}

/// The exit of a command that wrote to [`out`]. A reader that has seen enough (`| head`) is no failure.
pub(super) fn ended(done: Result<()>) -> Result<ExitCode> {
    let enough =
        |error: &Error| error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(is_enough);
    match done {
        Err(error) if !enough(&error) => Err(error),
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Prints a table with columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) {
    let mut lines = columns(head, rows).into_iter();
    if let Some(head) = lines.next() {
        println!("{head}\n");
    }
    lines.for_each(|line| println!("{line}"));
}

/// The head and the rows of a table, each cell as wide as the widest of its column.
pub(super) fn columns(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = cell.chars().count().max(*width));
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heads = std::iter::once(line(&mut head.iter().copied()));
    heads.chain(rows.iter().map(|row| line(&mut row.iter().map(String::as_str)))).collect()
}

/// Prints the OpenAPI document of one plane.
pub(super) fn openapi(plane: PlaneName) {
    match plane {
        PlaneName::ReadingRoom => println!("{}", openapi::reading_room_json()),
        PlaneName::Vault => println!("{}", openapi::vault_json()),
    }
}

/// `knik ingest --dry-run`: what the files hold; writes nothing.
pub(super) fn dry_run(asked: &IngestArguments) -> Result<ExitCode> {
    let format = asked.format.as_deref().map(str::parse::<Format>).transpose()?;
    let (mut rows, mut sound) = (Vec::new(), true);
    let parser = Parser::of(&Ingest::default());
    for file in &asked.files {
        let looked =
            survey(&CaptureSource::File(file.clone()), &parser, format, Limits::default(), None, &mut |_| {});
        let shown = match looked {
            Ok((_, survey)) => {
                sound &= !asked.strict || survey.refused.is_empty();
                json!(survey)
            }
            Err(error) => {
                sound = false;
                json!({"format": null, "records": 0, "acts": 0, "deleted": 0, "notPublic": 0, "refused": [error.to_string()]})
            }
        };
        if asked.json {
            println!("{shown}");
            continue;
        }
        let refused = list(&shown, "refused");
        let counts = ["records", "acts", "deleted", "notPublic", "pages", "attachments"]
            .map(|field| number(&shown, field));
        let format = shown.get("format").and_then(Value::as_str).unwrap_or("?").to_owned();
        rows.push(
            [vec![file.display().to_string(), format], counts.to_vec(), vec![refused.len().to_string()]]
                .concat(),
        );
        refused.iter().for_each(|why| eprintln!("{}: {why}", file.display()));
    }
    if !asked.json {
        let head =
            ["file", "format", "records", "acts", "deleted", "not public", "pages", "attachments", "refused"];
        table(&head, &rows);
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The report of one ingested file.
pub(super) fn ingested(file: &Path, report: &Value, as_json: bool) -> Result<()> {
    if as_json {
        println!("{}", json!({ "file": file, "report": report }));
        return Ok(());
    }
    let name = file.display();
    if report.get("sameCapture").and_then(Value::as_bool) == Some(true) {
        println!("{name}: the same file came in before; nothing was added");
        kept_out(report, "minimised", "refused then by the minimisation profile");
        return Ok(());
    }
    let n = |field| number(report, field);
    let kinds = match counted(report, "newByKind") {
        words if words.is_empty() => words,
        words => format!(" ({words})"),
    };
    println!(
        "{name}: {} ({} bytes)\n  {} new records{kinds}, {} new versions, {} edited, {} already there, {} acts, {} deletions, {} not public",
        report.get("format").and_then(Value::as_str).unwrap_or("?"),
        n("sizeBytes"),
        n("newRecords"),
        n("newVersions"),
        n("edited"),
        n("alreadyThere"),
        n("acts"),
        n("deleted"),
        n("notPublic"),
    );
    let outcomes = counted(report, "outcomes");
    if !outcomes.is_empty() {
        println!("  decided: {outcomes}");
    }
    if n("newPages") != "0" {
        println!("  {} pages of the web, sealed and never shown", n("newPages"));
    }
    if n("newAttachments") != "0" {
        println!(
            "  {} pictures, films and sounds, sealed each by itself and never shown",
            n("newAttachments")
        );
    }
    for (field, words) in
        [("minimised", "refused at intake by the minimisation profile"), ("leftOut", "left out at intake")]
    {
        kept_out(report, field, words);
    }
    if n("suppressed") != "0" {
        println!("  {} were destroyed before and are refused", n("suppressed"));
    }
    if n("flagged") != "0" {
        println!("  {} flagged, withheld until a reviewer has judged them: knik review list", n("flagged"));
    }
    list(report, "refused").iter().for_each(|why| println!("  skipped: {why}"));
    Ok(())
}

fn kept_out(report: &Value, field: &str, words: &str) {
    let counts = counted(report, field);
    if !counts.is_empty() {
        println!("  {words}: {counts}");
    }
}

/// Counts by word: `post 2, reaction 7`.
fn counted(report: &Value, field: &str) -> String {
    let counts = report.get(field).and_then(Value::as_object);
    let words = counts.into_iter().flatten().map(|(word, n)| format!("{word} {n}"));
    words.collect::<Vec<_>>().join(", ")
}

/// A file that was refused as a whole.
pub(super) fn refused(file: &Path, error: &Error, as_json: bool) -> Result<()> {
    if as_json {
        println!("{}", json!({ "file": file, "refused": format!("{error:#}") }));
    } else {
        eprintln!("{}: refused: {error:#}", file.display());
    }
    Ok(())
}

/// Where a harvested capture went; its report as a line for machines.
pub(super) fn moved(name: &str, place: &str, report: Option<&Value>, as_json: bool) {
    if as_json {
        let mut line = report.cloned().unwrap_or_else(|| json!({ "file": name }));
        if let Some(fields) = line.as_object_mut() {
            fields.insert("movedTo".to_owned(), json!(place));
        }
        println!("{line}");
        return;
    }
    let refused = report.filter(|report| report.get("report").is_none());
    match refused.and_then(|report| report.get("reason")).and_then(Value::as_str) {
        Some(why) => eprintln!("{name}: refused: {why}\n  moved to {place}"),
        None => println!("{name}: moved to {place}"),
    }
}

/// A harvested capture that stays where it is, or a round that could not be done.
pub(super) fn waits(name: Option<&str>, error: &Error, as_json: bool) {
    match (name, as_json) {
        (Some(name), true) => {
            println!("{}", json!({ "file": name, "state": "waiting", "reason": format!("{error:#}") }))
        }
        (None, true) => println!("{}", json!({ "state": "waiting", "reason": format!("{error:#}") })),
        (Some(name), false) => eprintln!("{name}: left where it is: {error:#}"),
        (None, false) => eprintln!("knik: nothing harvested this time: {error:#}"),
    }
}

/// The answer to an order.
pub(super) fn answer(order: &Order, answer: &Value, as_json: bool) -> Result<()> {
    if as_json {
        println!("{answer}");
        return Ok(());
    }
    match order {
        Order::ListChannels => {
            let fields = ["id", "organisation", "platform", "instance", "account", "duty", "dpia"];
            fields_table(answer, &fields);
            facts(answer);
        }
        Order::ListGrants => {
            fields_table(
                answer,
                &["id", "organisation", "reader", "purpose", "legalBasis", "until", "revokedAt", "lapsedAt"],
            );
        }
        Order::Publication(asked) => publications::print(asked, answer),
        Order::Appointments { asked, .. } => appointments::print(asked, answer),
        Order::Decisions { .. } => decisions(answer),
        Order::Queue(asked) => queue::print(asked, answer)?,
        Order::Formal(asked) => formal::print(asked, answer)?,
        Order::Letter(asked) => letter::print(asked, answer)?,
        Order::Figures(asked) => periodic::print(asked, answer)?,
        Order::Register(asked) => register::print(asked, answer)?,
        Order::Review(asked) => review::print(asked, answer),
        Order::Ledger(asked) => ledger::print(asked, answer)?,
        Order::Keys(asked) => keys::shown(asked, answer),
        Order::Request(asked) => requests::shown(asked, answer)?,
        Order::Report(asked) => report::shown(asked, answer)?,
        Order::Incident(asked) => incident::shown(asked, answer)?,
        Order::Revoke(asked) => revoke::print(asked, answer),
        _ => println!("{}", serde_json::to_string_pretty(answer)?),
    }
    Ok(())
}

/// A list of like things as a table of these fields.
pub(super) fn fields_table(answer: &Value, fields: &[&str]) {
    let items = answer.as_array().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> =
        items.iter().map(|item| fields.iter().map(|field| word(item, field)).collect()).collect();
    table(fields, &rows);
}

/// What was declared of channels, in the order in which it was: where two overlap the later one holds.
fn facts(answer: &Value) {
    let row = |channel: &Value, fact: &Value| {
        let of_fact = ["fact", "value", "from", "until", "reason"].map(|field| word(fact, field));
        [vec![word(channel, "id")], of_fact.to_vec()].concat()
    };
    let channels = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<Vec<String>> = channels
        .iter()
        .flat_map(|channel| {
            list_of(channel, "facts").iter().map(|fact| row(channel, fact)).collect::<Vec<_>>()
        })
        .collect();
    println!();
    table(&["channel", "fact", "value", "from", "until", "reason"], &rows);
}

fn decisions(answer: &Value) {
    let items = list_of(answer, "records");
    let row = |item: &Value| {
        let record = item.get("record").unwrap_or(&Value::Null);
        let decision = item.get("decision").unwrap_or(&Value::Null);
        let steps: Vec<String> = list_of(decision, "path")
            .iter()
            .map(|step| {
                format!("{}: {} ({})", word(step, "step"), word(step, "answer"), word(step, "answeredBy"))
            })
            .collect();
        vec![
            word(record, "id"),
            word(record, "kind"),
            word(record, "day"),
            word(decision, "outcome"),
            word(decision, "tree"),
            steps.join(" → "),
        ]
    };
    table(&["record", "kind", "day", "outcome", "tree", "path"], &items.iter().map(row).collect::<Vec<_>>());
    let counts: Vec<String> = list_of(answer, "counts")
        .iter()
        .map(|count| format!("{} {}", word(count, "outcome"), number(count, "count")))
        .collect();
    println!("\n{}", counts.join(", "));
}

/// What `knik scrub` found.
pub(super) fn scrubbed(answer: &Value, as_json: bool) {
    if as_json {
        println!("{answer}");
        return;
    }
    for wrong in list_of(answer, "wrong") {
        println!("{}", wrong.as_str().unwrap_or_default());
    }
    println!(
        "{} segments read back ({} bytes), {} missing or damaged",
        number(answer, "segments"),
        number(answer, "segmentBytes"),
        list_of(answer, "wrong").len()
    );
    if answer.get("swept").is_some() {
        println!("{} orphans swept", number(answer, "swept"));
    }
}

/// What `knik backup` made.
pub(super) fn backed_up(answer: &Value, as_json: bool) {
    if as_json {
        println!("{answer}");
        return;
    }
    list_of(answer, "damaged")
        .iter()
        .filter_map(Value::as_str)
        .for_each(|wrong| println!("not in the backup: {wrong}"));
    list_of(answer, "leftOut")
        .iter()
        .filter_map(Value::as_str)
        .for_each(|name| println!("left out, too large: {name}"));
    println!(
        "snapshot {}: {} segments ({} bytes), {} of them new, {} damaged; {} older snapshots removed",
        answer.get("snapshot").and_then(Value::as_str).unwrap_or_default(),
        number(answer, "segments"),
        number(answer, "segmentBytes"),
        number(answer, "copied"),
        list_of(answer, "damaged").len(),
        list_of(answer, "expired").len()
    );
}

/// What `knik restore` put back.
pub(super) fn restored(dir: &Path, answer: &Value, as_json: bool) {
    if as_json {
        println!("{answer}");
        return;
    }
    list_of(answer, "damaged")
        .iter()
        .filter_map(Value::as_str)
        .for_each(|wrong| println!("not put back: {wrong}"));
    let text = |field| answer.get(field).and_then(Value::as_str).unwrap_or_default();
    println!(
        "{}: restored from snapshot {} of {}; {} segments, {} ledger entries verified",
        dir.display(),
        text("snapshot"),
        text("madeAt"),
        number(answer, "segments"),
        number(answer, "entriesVerified")
    );
    let Some(since) = answer.get("replayed").filter(|since| !since.is_null()) else {
        println!(
            "what was recorded after the backup is not known: destroyed records, revoked grants and what reviewers covered \
             since are back"
        );
        return;
    };
    let n = |field| number(since, field);
    println!(
        "after the backup: {} entries; done again: {} records destroyed, {} bodies erased, {} grants and {} people revoked, \
         {} mandates and assignments ended, {} restrictions; flags to be judged again: {} records",
        n("entries"),
        n("destroyed"),
        n("bodiesErased"),
        n("grantsRevoked"),
        n("identitiesRevoked"),
        n("appointmentsEnded"),
        n("restrictions"),
        n("unjudged")
    );
    if n("destroyedRefused") != "0" {
        println!(
            "came in after the backup and were destroyed: {} records; they are refused when they are delivered again",
            n("destroyedRefused")
        );
    }
    if n("destroyedLost") != "0" {
        println!(
            "WARNING: {} records that came in after the backup and were destroyed COME BACK when their captures are delivered again, \
             because their names are not beside the ledger; the entries records-destroyed say which and why: take them out of the \
             captures, or destroy them again before anyone reads them (docs/keeping.md)",
            n("destroyedLost")
        );
    }
    println!(
        "withheld until they are judged again, because they were judged, reported or withheld after the backup: {} records \
         (knik queue list --kind restored)",
        n("withheld")
    );
    println!(
        "lost: {} captures to be delivered again (with {} records that were judged, reported or withheld: judge them before they \
         are read), {} grants to be approved again, {} revocations to be given again",
        n("capturesLost"),
        n("judgementsLost"),
        n("grantsLost"),
        n("revocationsLost")
    );
    println!(
        "lost too, and to be taken up again by people: {} reports of readers (their records are withheld), {} incidents, {} requests of \
         persons concerned; the ledger says which",
        n("reportsLost"),
        n("incidentsLost"),
        n("subjectRequestsLost")
    );
    if let Some(other) = answer.get("otherRuleset").and_then(Value::as_str) {
        println!(
            "the ruleset in force last was {other}, and this folder has another: put those rules back before you serve, or what only \
             they find can be read"
        );
    }
}

/// What `knik verify` found.
pub(super) fn verified(answer: &Value, as_json: bool) -> Result<()> {
    if as_json {
        println!("{answer}");
        return Ok(());
    }
    let n = |field| number(answer, field);
    println!(
        "{} ledger entries, {} segments ({} bytes) checked",
        n("entries"),
        n("segments"),
        n("segmentBytes")
    );
    if number(answer, "segments") != "0" {
        let (originals, decisions) = (n("originals"), n("decisions"));
        println!(
            "{originals} originals have all their keys, {decisions} decisions are as they were committed to"
        );
    }
    for (field, words) in [("cosignatures", "cosignatures"), ("timestamps", "time-stamps")] {
        if number(answer, field) != "0" {
            println!("{} {words} hold", n(field));
        }
    }
    list(answer, "warnings").iter().for_each(|warning| println!("warning: {warning}"));
    if number(answer, "orphans") != "0" {
        println!("{} objects without a key: they count as destroyed", n("orphans"));
    }
    match answer.get("firstWrong").and_then(Value::as_str) {
        Some(wrong) => {
            println!("WRONG: {wrong}");
            let bad = answer.get("firstBad").filter(|bad| !bad.is_null());
            if let Some(bad) = bad {
                println!("first bad entry: {} of {}", number(bad, "index"), word(bad, "log"));
            }
        }
        None => println!("all is well"),
    }
    Ok(())
}

/// A receipt that holds.
pub(super) fn receipt(verified: &VerifiedEntry, as_json: bool) -> Result<()> {
    let entry = &verified.entry;
    if as_json {
        let leaf = String::from_utf8_lossy(&entry.leaf()).into_owned();
        let leaf: Value = serde_json::from_str(&leaf)?;
        println!("{}", json!({ "holds": true, "index": verified.index, "entry": leaf }));
        return Ok(());
    }
    println!(
        "the receipt holds: entry {} of {} ({} entries signed)\n  {} at {}",
        verified.index,
        verified.checkpoint.origin(),
        verified.checkpoint.size(),
        entry.kind().as_str(),
        entry.at()
    );
    entry.things().iter().for_each(|thing| println!("  {thing}"));
    if let Some(basis) = entry.legal_basis() {
        println!("  legal basis {basis}");
    }
    Ok(())
}

/// A receipt of a decision that holds.
pub(super) fn decision_receipt(verified: &VerifiedStatement, as_json: bool) -> Result<()> {
    let (entry, stated) = (&verified.entry.entry, &verified.statement);
    if as_json {
        let leaf: Value = serde_json::from_slice(&entry.leaf())?;
        println!(
            "{}",
            json!({
                "holds": true, "index": verified.entry.index, "entry": leaf, "statement": stated,
                "counted": verified.counted,
            })
        );
        return Ok(());
    }
    println!(
        "the receipt holds: entry {} of {} commits to this decision\n  record {}: {} ({}), by tree {} {}, {}",
        verified.entry.index,
        verified.entry.checkpoint.origin(),
        word(stated, "record"),
        word(stated, "outcome"),
        word(stated, "ending"),
        word(stated, "tree"),
        word(stated, "treeVersion"),
        match stated.get("decidedBy") {
            Some(_) => format!("after an answer of {}", word(stated, "decidedBy")),
            None => "by rules alone".to_owned(),
        }
    );
    for step in list_of(stated, "path") {
        println!(
            "  {}: {} ({} {})",
            word(&step, "step"),
            word(&step, "answer"),
            word(&step, "answeredBy"),
            word(&step, "by")
        );
    }
    Ok(())
}

/// A receipt that does not hold.
pub(super) fn bad_receipt(error: &ReceiptError, as_json: bool) -> Result<()> {
    if as_json {
        println!("{}", json!({ "holds": false, "why": error.to_string() }));
    } else {
        println!("the receipt does NOT hold: {error}");
    }
    Ok(())
}

fn number(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_u64).unwrap_or_default().to_string()
}

/// A field as a word; `-` when there is none.
pub(super) fn word(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn list(value: &Value, field: &str) -> Vec<String> {
    list_of(value, field).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn list_of(value: &Value, field: &str) -> Vec<Value> {
    value.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}
