//! `knik ledger`: what goes out to whoever verifies, and what witnesses and time-stamp authorities say of it.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::ledger::{Checkpoint, Entry, EntryKind, Hash, LogKey, Pending, WitnessKey};
use crate::store::StoreError;
use crate::store::exported::ExportedLog;
use crate::store::log_source::{LogSource, StoredLog};
use crate::vault::verify::plane_of;
use crate::vault::{cosign, sequence, timestamps};
use anyhow::{Context, Result, ensure};
use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    /// Write both logs to a folder, for verification without this machine: entries, tiles, checkpoints, and what
    /// witnesses and time-stamp authorities said of them. No body, no content, no key.
    #[command(
        after_help = "Example: knik ledger export /media/usb/ledger\n         knik verify --ledger /media/usb/ledger --key ledger-keys.txt"
    )]
    Export {
        /// A folder that is not there yet, or empty.
        to: PathBuf,
    },
    /// Print the signed checkpoint of a log: what a witness signs, and what is saved to be compared later.
    #[command(after_help = "Example: knik ledger checkpoint vault > checkpoint")]
    Checkpoint {
        /// Which log.
        #[arg(value_enum, default_value = "vault")]
        log: LogName,
    },
    /// Take in the cosignature of a witness: a checkpoint that the witness added its line to, on standard input.
    #[command(
        after_help = "Example: knik ledger cosign --witness witness.example+1a2b3c4d+BI… < checkpoint.cosigned"
    )]
    Cosign {
        /// The witness's key, as it stands in ledger.witnesses.
        #[arg(long)]
        witness: WitnessKey,
    },
    /// Have the checkpoints time-stamped now (RFC 3161), by the authority that is configured.
    #[command(after_help = "Example: knik ledger timestamp")]
    Timestamp,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogName {
    /// Steps of the archive plane.
    Vault,
    /// Steps of the reading room.
    ReadingRoom,
}

/// What is asked of a data folder's ledger.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LedgerOrder {
    Export { to: PathBuf },
    Checkpoint { log: LogName },
    Cosign { note: String, witness: String },
    Timestamp,
}

/// A note longer than this is none.
const NOTE_BYTES_MAX: u64 = 64 * 1024;

impl LedgerCommand {
    pub(super) fn order(self) -> Result<Order> {
        Ok(Order::Ledger(match self {
            Self::Export { to } => LedgerOrder::Export { to: std::path::absolute(to)? },
            Self::Checkpoint { log } => LedgerOrder::Checkpoint { log },
            Self::Cosign { witness } => {
                let mut note = String::new();
                let read = std::io::stdin().take(NOTE_BYTES_MAX).read_to_string(&mut note);
                read.context("reading the cosigned checkpoint from standard input")?;
                LedgerOrder::Cosign { note, witness: witness.to_string() }
            }
            Self::Timestamp => LedgerOrder::Timestamp,
        }))
    }
}

/// Carries an order out on an opened folder.
pub(super) async fn execute(folder: &DataFolder, asked: LedgerOrder) -> Result<Value> {
    let archive = &folder.archive;
    match asked {
        LedgerOrder::Export { to } => export(folder, &to).await,
        LedgerOrder::Checkpoint { log } => {
            let [vault, room] = archive.logs.keys();
            let key = match log {
                LogName::Vault => vault,
                LogName::ReadingRoom => room,
            };
            let head = archive.journal.head(key.verifier().origin()).await?;
            let note = head.map_or_else(|| empty(key), |head| Ok(head.checkpoint))?;
            Ok(json!({ "checkpoint": note }))
        }
        LedgerOrder::Cosign { note, witness } => {
            Ok(json!(cosign::accept(archive, &note, &witness.parse()?).await?))
        }
        LedgerOrder::Timestamp => {
            ensure!(
                archive.logs.authority.is_some(),
                "no time-stamp authority is configured: set ledger.tsa-url"
            );
            sequence::number(archive).await?;
            Ok(json!({ "stamped": timestamps::stamp(archive).await? }))
        }
    }
}

/// The checkpoint of a log without entries.
fn empty(key: &LogKey) -> Result<String> {
    Ok(Checkpoint::new(key.verifier().origin().clone(), 0, Hash::empty()).sign(key)?)
}

async fn export(folder: &DataFolder, to: &Path) -> Result<Value> {
    let archive = &folder.archive;
    std::fs::create_dir_all(to).map_err(StoreError::file("cannot make folder", to))?;
    let fresh = std::fs::read_dir(to).map_err(StoreError::file("cannot list", to))?.next().is_none();
    ensure!(fresh, "`{}` is not empty; name a folder that is not there yet", to.display());
    let mut logs = Vec::new();
    for key in archive.logs.keys() {
        let origin = key.verifier().origin();
        let log = StoredLog { journal: &archive.journal, origin };
        let place = ExportedLog::new(to.join(plane_of(origin)));
        let size = place.write(&log as &dyn LogSource, empty(key)?).await?;
        logs.push(json!({ "origin": origin, "size": size }));
    }
    let sources = &archive.sources;
    let entry = Entry::new(sources.entry_id()?, EntryKind::LedgerExported, sources.now());
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(json!({ "exported": to, "logs": logs }))
}

/// What people read.
pub(super) fn print(asked: &LedgerOrder, answer: &Value) -> Result<()> {
    match asked {
        // As it is signed: it is piped to a witness, or saved.
        LedgerOrder::Checkpoint { .. } => {
            print::line(
                answer.get("checkpoint").and_then(Value::as_str).unwrap_or_default().trim_end_matches('\n'),
            );
        }
        _ => print::line(&serde_json::to_string_pretty(answer)?),
    }
    Ok(())
}
