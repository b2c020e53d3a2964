//! `knik verify`: a data folder, an exported ledger, or one receipt. What is verified never brings its own key.

use super::arguments::VerifyArguments;
use super::commands;
use super::control::Order;
use super::folder::{DataFolder, VERIFIER_KEYS};
use super::print;
use crate::ledger::{Authorities, Code, Entry, EntryKind, Pending, ReceiptError, VerifierKey, WitnessKey};
use crate::store::catalogue::Milestone;
use crate::vault::Archive;
use crate::vault::decision_receipt::verify_decision;
use crate::vault::verify::{
    Since, Trust, Verification, verify, verify_export, verify_exported, verify_ledger, verify_receipt,
};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

/// What is to be checked of a data folder.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct VerifyOrder {
    /// The logs' keys; the folder's own when none is named.
    keys: Vec<String>,
    /// The witnesses' keys; those of the configuration when none is named.
    witnesses: Vec<String>,
    /// A saved checkpoint: only what came since is looked at.
    since: Option<PathBuf>,
}

/// Checks what is asked.
///
/// # Errors
/// When something cannot be read; what is read and wrong is printed, and the exit code says so.
pub(super) async fn run(dir: &Path, asked: VerifyArguments) -> Result<ExitCode> {
    if let Some(folder) = &asked.export {
        return export(dir, folder, &asked);
    }
    if let Some(receipt) = &asked.receipt {
        return one(dir, receipt, &asked);
    }
    let answer = match &asked.ledger {
        Some(folder) => json!(offline(folder, &asked).await?),
        None => of_folder(dir, &asked).await?,
    };
    let wrong = answer.get("firstWrong").is_some_and(|wrong| !wrong.is_null());
    print::verified(&answer, asked.json)?;
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn of_folder(dir: &Path, asked: &VerifyArguments) -> Result<Value> {
    let since = asked.since.as_ref().map(std::path::absolute).transpose()?;
    let words = |keys: Vec<VerifierKey>| keys.iter().map(ToString::to_string).collect();
    let witnesses = keys_in::<WitnessKey>(&asked.witness)?.iter().map(ToString::to_string).collect();
    let order = VerifyOrder { keys: words(keys_in(&asked.key)?), witnesses, since };
    commands::counting(dir, Order::Verify(order), asked.json).await
}

/// Checks an opened folder, and records that it was checked.
pub(super) async fn execute(
    folder: &DataFolder,
    asked: VerifyOrder,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Value> {
    let archive = &folder.archive;
    let mut trust = Trust::of(archive);
    if !asked.keys.is_empty() {
        trust.keys = parsed(asked.keys.iter().map(String::as_str))?;
    }
    if !asked.witnesses.is_empty() {
        trust.witnesses = parsed(asked.witnesses.iter().map(String::as_str))?;
    }
    let found = match &asked.since {
        Some(since) => verify_ledger(archive, &trust, &Since::read(since, &trust.keys).await?).await?,
        None => verify(archive, &trust, progress).await?,
    };
    record(archive, &found).await?;
    Ok(json!(found))
}

async fn record(archive: &Archive, found: &Verification) -> Result<()> {
    let outcome: Code = if found.first_wrong.is_none() { "sound" } else { "wrong" }.parse()?;
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::VerificationRun, archive.sources.now())
        .outcome(outcome)
        .counting("entries".parse()?, found.entries)
        .counting("segments".parse()?, found.segments);
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    let detail = if found.first_wrong.is_none() { "nothing wrong" } else { "something wrong" };
    Ok(archive.catalogue.reach(Milestone::Verify, detail, archive.sources.now()).await?)
}

/// From the exported files alone.
async fn offline(folder: &Path, asked: &VerifyArguments) -> Result<Verification> {
    let authorities = match &asked.tsa_ca {
        Some(file) => Some(Authorities::from_pem(&super::read_text(file)?)?),
        None => None,
    };
    let trust = Trust {
        keys: keys_in(&asked.key)?,
        witnesses: keys_in(&asked.witness)?,
        witnesses_required: asked.witnesses_required,
        authorities,
    };
    let since = match &asked.since {
        Some(since) => Since::read(since, &trust.keys).await?,
        None => Vec::new(),
    };
    Ok(verify_exported(folder, &trust, &since).await?)
}

/// Offline: a fetched export, and the key that whoever verifies brings.
fn export(dir: &Path, folder: &Path, asked: &VerifyArguments) -> Result<ExitCode> {
    let keys = if asked.key.is_empty() { keys_of(dir)? } else { keys_in(&asked.key)? };
    let found = verify_export(folder, &keys)?;
    super::api::show(&json!(found), asked.json);
    Ok(if found.first_wrong.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Offline: the receipt, and the key that whoever verifies brings.
fn one(dir: &Path, receipt: &Path, asked: &VerifyArguments) -> Result<ExitCode> {
    let text = super::read_text(receipt)?;
    let keys = if asked.key.is_empty() { keys_of(dir)? } else { keys_in(&asked.key)? };
    // An answer of the service holds the receipt; a receipt alone is one too.
    let whole: Value = serde_json::from_str(&text).context("the receipt is not JSON")?;
    let stated = whole.get("statement").is_some();
    let receipt = if stated { &whole } else { whole.get("receipt").unwrap_or(&whole) }.to_string();
    let mut last = None;
    for key in &keys {
        if stated {
            match verify_decision(&receipt, key) {
                Ok(verified) => {
                    print::decision_receipt(&verified, asked.json)?;
                    return Ok(ExitCode::SUCCESS);
                }
                Err(error) => last = Some(telling(last, error)),
            }
            continue;
        }
        match verify_receipt(&receipt, key) {
            Ok(verified) => {
                print::receipt(&verified, asked.json)?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => last = Some(telling(last, error)),
        }
    }
    match last {
        Some(error) => print::bad_receipt(&error, asked.json).map(|()| ExitCode::FAILURE),
        None => bail!("no key to verify with; name one with --key"),
    }
}

/// Of two reasons the one that tells more: that a key is of another log says nothing of the receipt.
fn telling(before: Option<ReceiptError>, now: ReceiptError) -> ReceiptError {
    match before {
        Some(before) if matches!(now, ReceiptError::OtherLog { .. }) => before,
        _ => now,
    }
}

fn keys_of(dir: &Path) -> Result<Vec<VerifierKey>> {
    let text = super::read_text(&dir.join(VERIFIER_KEYS))
        .context("name the log's key with --key, or the data folder with --dir")?;
    parsed(text.lines())
}

/// Keys as they are named: each a key, or a file with one a line.
fn keys_in<K: FromStr<Err: std::error::Error + Send + Sync + 'static>>(named: &[String]) -> Result<Vec<K>> {
    let mut keys = Vec::new();
    for name in named {
        match name.parse() {
            Ok(key) => keys.push(key),
            Err(_) if Path::new(name).is_file() => {
                keys.extend(parsed(super::read_text(Path::new(name))?.lines())?)
            }
            Err(error) => return Err(error).with_context(|| format!("`{name}` is no key and no file")),
        }
    }
    Ok(keys)
}

fn parsed<'a, K: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    lines: impl Iterator<Item = &'a str>,
) -> Result<Vec<K>> {
    let named = lines.map(str::trim).filter(|line| !line.is_empty());
    named.map(|line| line.parse().context("verifier key")).collect()
}
