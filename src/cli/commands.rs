//! What orders do, and the command that prints as it goes: `ingest`.

use super::appointments;
use super::arguments::IngestArguments;
use super::control::{self, Intake, Order, Taken};
use super::folder::DataFolder;
use super::keys;
use super::print;
use super::{
    backup, compare, formal, incident, ledger, letter, periodic, publications, queue, receipt, register,
    report, requests, review, revoke, status, verify,
};
use crate::capture::Format;
use crate::store::spool::Spool;
use crate::vault::VaultError;
use crate::vault::ingest::{Delivery, Progress};
use crate::vault::{CaptureSource, channels, grants, ingest as intake, publish, scrub, sequence};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Carries an order out on an opened folder. `brought` is the capture that came with it, if one did.
///
/// # Errors
/// What went wrong, in words for people; nothing secret is in it.
pub(super) async fn execute(
    folder: &DataFolder,
    order: Order,
    brought: Option<Spool>,
    progress: Progress,
) -> Result<Value> {
    if order.may_decide() {
        folder.hold_rules().await?;
    }
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        Order::AddOrganisation { id, name } => {
            let fresh = folder.add_organisation(&id, &name).await?;
            Ok(json!({ "organisation": id, "newMasterKey": fresh }))
        }
        Order::AddChannel { channel, facts } => {
            let added = channels::declare(archive, rules, &channel, &facts, None).await?;
            Ok(json!({ "channel": channel.id, "added": added }))
        }
        Order::DeclareFacts { channel, facts } => {
            channels::amend(archive, rules, &channel, &facts, None).await?;
            Ok(json!({ "channel": channel, "declared": facts }))
        }
        Order::ListChannels => listed(folder).await,
        Order::Ingest { path, intake } => {
            match take_in(folder, &intake, CaptureSource::File(path), progress).await? {
                Taken::In(report) => Ok(report),
                Taken::Refused { why, .. } => bail!(why),
            }
        }
        Order::Deliver(intake) => {
            let spool = brought.context("a delivery comes with its bytes")?;
            Ok(json!(take_in(folder, &intake, CaptureSource::Upload(spool), progress).await?))
        }
        Order::AddGrant { organisation, issuer, subject, purpose, legal_basis, channels, plan, until } => {
            let approval = grants::Approval {
                organisation,
                issuer,
                subject,
                purpose,
                legal_basis,
                channels,
                plan,
                until,
            };
            Ok(json!(grants::approve(archive, rules, approval, None).await?))
        }
        Order::ListGrants => Ok(json!(archive.catalogue.grants().await?)),
        Order::RevokeGrant { id } => {
            grants::revoke(archive, id, None).await?;
            publish::take_down(archive).await?;
            Ok(json!({ "revoked": id }))
        }
        Order::Publication(asked) => publications::execute(folder, asked).await,
        Order::Appointments { kind, asked } => appointments::execute(folder, kind, asked).await,
        Order::Decisions { organisation, outcome } => decisions(folder, &organisation, outcome).await,
        Order::Compare(asked) => compare::execute(folder, asked).await,
        Order::Queue(asked) => queue::execute(folder, asked).await,
        Order::Formal(asked) => formal::execute(folder, asked).await,
        Order::Letter(asked) => letter::execute(folder, asked).await,
        Order::Receipt(asked) => receipt::execute(folder, asked).await,
        Order::Figures(asked) => periodic::execute(folder, asked).await,
        Order::Register(asked) => register::execute(folder, asked).await,
        Order::Review(asked) => review::execute(folder, asked).await,
        Order::Keys(asked) => keys::execute(folder, asked).await,
        Order::Revoke(asked) => revoke::execute(folder, asked).await,
        Order::Status => status::status(folder).await,
        Order::Ledger(asked) => ledger::execute(folder, asked).await,
        Order::Verify(asked) => verify::execute(folder, asked, &*progress).await,
        Order::Request(asked) => requests::execute(folder, asked).await,
        Order::Report(asked) => report::execute(folder, asked).await,
        Order::Incident(asked) => incident::execute(folder, asked).await,
        Order::Story { id } => Ok(crate::vault::story::of(archive, rules, id).await?.to_json(id)),
        Order::Backup(asked) => backup::execute(folder, asked, &*progress).await,
        Order::Scrub { sweep } => {
            let now = archive.sources.now();
            let mut answer = json!(scrub::scrub(archive, now, scrub::Pace::Full, &*progress).await?);
            if sweep && let Some(answer) = answer.as_object_mut() {
                answer.insert("swept".to_owned(), json!(scrub::sweep(archive).await?));
            }
            Ok(answer)
        }
    }
}

/// Every channel with its facts, in the order in which they were declared.
async fn listed(folder: &DataFolder) -> Result<Value> {
    let catalogue = &folder.archive.catalogue;
    let mut shown = Vec::new();
    for channel in catalogue.channels(None).await? {
        let facts = catalogue.channel_facts(&channel.id).await?;
        let mut channel = json!(channel);
        if let Some(fields) = channel.as_object_mut() {
            fields.insert("facts".to_owned(), json!(facts));
        }
        shown.push(channel);
    }
    Ok(json!(shown))
}

/// Takes one capture in. That the capture itself is refused is an answer; an error says nothing about it.
async fn take_in(
    folder: &DataFolder,
    asked: &Intake,
    source: CaptureSource,
    progress: Progress,
) -> Result<Taken> {
    let channel = &asked.channel;
    let format = asked.format.as_deref().map(str::parse::<Format>).transpose()?;
    let known = folder.archive.catalogue.channel(channel).await?;
    let known = known.with_context(|| {
        format!("channel `{channel}` is not known; declare it with: knik channel add {channel} …")
    })?;
    let delivery = Delivery { source, format, by: None, strict: asked.strict };
    match intake::ingest(&folder.archive, &folder.rules, &known, delivery, progress).await {
        Ok(report) => Ok(Taken::In(json!(report))),
        Err(error) if error.is_of_capture() => {
            let why = error.to_string();
            let skipped = if let VaultError::Skipped(skipped) = error { skipped } else { Vec::new() };
            Ok(Taken::Refused { why, skipped })
        }
        Err(error) => Err(error.into()),
    }
}

/// Longest pause between two looks at what waits to go down.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes down what an intake made while it goes on, as a service does, until it is `over`. What fails is left to [`settle`], which says
/// so.
pub(super) async fn publish_meanwhile(folder: Arc<DataFolder>, mut over: oneshot::Receiver<()>) {
    let archive = &folder.archive;
    loop {
        tokio::select! {
            _ = &mut over => return,
            () = archive.journal.asked(PAUSE) => {}
        }
        if publish::take_down(archive).await.is_err() {
            return;
        }
    }
}

/// What a service does all the time, done once after a command that opened the folder itself.
///
/// # Errors
/// When storage fails: what was not done waits for the service.
pub(super) async fn settle(folder: &DataFolder) -> Result<()> {
    folder.hold_rules().await?;
    sequence::round(&folder.archive, &folder.rules).await?;
    Ok(())
}

async fn decisions(
    folder: &DataFolder,
    organisation: &crate::model::OrganisationId,
    outcome: Option<crate::model::Outcome>,
) -> Result<Value> {
    let catalogue = &folder.archive.catalogue;
    let mut shown = Vec::new();
    let mut after = None;
    loop {
        let page = catalogue.records(organisation, outcome, after, 500).await?;
        after = page.last().map(|record| record.id);
        if page.is_empty() {
            break;
        }
        for record in page {
            let latest = catalogue.decisions(record.id).await?.into_iter().next();
            shown.push(json!({ "record": record, "decision": latest }));
        }
    }
    let counts: Vec<Value> = catalogue
        .outcomes(organisation)
        .await?
        .into_iter()
        .map(|(outcome, count)| json!({ "outcome": outcome, "count": count }))
        .collect();
    Ok(json!({ "records": shown, "counts": counts }))
}

/// `knik ingest`: one file after another, a bar and a report for each.
///
/// # Errors
/// When no channel is named. A file that is refused as a whole is reported, the others come in; the exit code says so.
pub(super) async fn ingest(dir: &Path, asked: IngestArguments) -> Result<ExitCode> {
    let channel = asked.channel.context("name the channel with --channel")?;
    let intake = Intake { channel, format: asked.format.clone(), strict: asked.strict };
    let mut refused = false;
    for file in &asked.files {
        let path = std::path::absolute(file)?;
        let order = Order::Ingest { path, intake: intake.clone() };
        let bar = bar(asked.json);
        let answer = control::carry_out(dir, order, &mut |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await;
        bar.finish_and_clear();
        match answer {
            Ok(report) => {
                refused |=
                    report.get("refused").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
                print::ingested(file, &report, asked.json)?;
            }
            Err(error) => {
                refused = true;
                print::refused(file, &error, asked.json)?;
            }
        }
    }
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub(super) fn bar(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(0);
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}

/// `knik scrub`: every segment is read back now.
///
/// # Errors
/// When storage cannot be read; what is damaged is printed, and the exit code says so.
pub(super) async fn scrub(dir: &Path, sweep: bool, as_json: bool) -> Result<ExitCode> {
    let answer = counting(dir, Order::Scrub { sweep }, as_json).await?;
    let damaged = answer.get("wrong").and_then(Value::as_array).is_some_and(|wrong| !wrong.is_empty());
    print::scrubbed(&answer, as_json);
    Ok(if damaged { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Has an order carried out under a bar that counts things, unless the answer is for machines.
///
/// # Errors
/// What went wrong with the order.
pub(super) async fn counting(dir: &Path, order: Order, as_json: bool) -> Result<Value> {
    let bar = if as_json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let answer = control::carry_out(dir, order, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    answer
}
