//! `knik keys`: master keys and epochs, and copies of master keys for safekeeping.

use super::control::Order;
use super::folder::{self, DataFolder};
use super::print;
use crate::config::Keys;
use crate::ledger::{Entry, EntryKind, Pending};
use crate::model::OrganisationId;
use crate::seal::MasterVersion;
use crate::store::keys::escrow::{self, Secret};
use crate::store::keys::pkcs11::{ModuleMasters, ModuleSettings};
use crate::store::keys::{EpochKeyring, KeyFolder, read_private, write_new};
use crate::vault::keys;
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Make the first master key of an organisation. One that has a key keeps it.
    #[command(after_help = "Example: knik keys init --organisation min-low")]
    Init {
        /// Whose.
        #[arg(long)]
        organisation: OrganisationId,
    },
    /// Make a new master key, wrap every segment key anew, and destroy the old one when nothing needs it. No segment
    /// is touched. What was broken off is gone on with.
    #[command(after_help = "Example: knik keys rotate --organisation min-low")]
    Rotate {
        /// Whose.
        #[arg(long)]
        organisation: OrganisationId,
    },
    /// Keys, their versions and age, and how many segments are under each.
    #[command(after_help = "Example: knik keys status --json")]
    Status,
    /// Write a copy of an organisation's master keys for safekeeping: under a passphrase, or under shares of which some
    /// are enough. The ceremony stands in docs/keys.md.
    #[command(
        after_help = "Example: knik keys escrow --organisation min-low --out min-low.escrow --passphrase-file passphrase\n         \
                      knik keys escrow --organisation min-low --out min-low.escrow --shares 5 --threshold 3 --shares-dir shares"
    )]
    Escrow(EscrowArguments),
    /// Give master keys back to a data folder that has lost them. No service may run on it.
    #[command(
        after_help = "Example: knik keys recover --escrow min-low.escrow --passphrase-file passphrase\n         \
                      knik keys recover --escrow min-low.escrow --share one.share --share two.share --share three.share"
    )]
    Recover(RecoverArguments),
}

#[derive(Args)]
pub(super) struct EscrowArguments {
    /// Whose keys.
    #[arg(long)]
    organisation: OrganisationId,
    /// The file to write; it must not be there.
    #[arg(long)]
    out: PathBuf,
    /// File with the passphrase, readable by its owner alone.
    #[arg(long, required_unless_present = "shares", conflicts_with = "shares")]
    passphrase_file: Option<PathBuf>,
    /// Split: how many shares.
    #[arg(long, requires = "threshold", requires = "shares_dir")]
    shares: Option<u8>,
    /// How many of them are enough.
    #[arg(long, requires = "shares")]
    threshold: Option<u8>,
    /// The folder to write the shares in, one file each.
    #[arg(long, requires = "shares")]
    shares_dir: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct RecoverArguments {
    /// The escrow.
    #[arg(long)]
    escrow: PathBuf,
    /// File with the passphrase, readable by its owner alone.
    #[arg(long, required_unless_present = "share", conflicts_with = "share")]
    passphrase_file: Option<PathBuf>,
    /// File with a share; once for each.
    #[arg(long)]
    share: Vec<PathBuf>,
}

/// What can be asked about keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum KeysOrder {
    /// Make the first master key.
    Init { organisation: OrganisationId },
    /// Make a new one.
    Rotate { organisation: OrganisationId },
    /// How things stand.
    Status,
    /// Write a copy. Secrets are named by the files they stand in: none goes over the socket.
    Escrow { organisation: OrganisationId, out: PathBuf, under: Under },
}

/// What opens an escrow.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Under {
    /// The passphrase in a file.
    Passphrase { file: PathBuf },
    /// Shares, written in a folder.
    Shares { shares: u8, threshold: u8, dir: PathBuf },
}

impl KeysCommand {
    /// The order that carries it out; none for what is done without a service.
    pub(super) fn order(self) -> Result<Option<Order>> {
        Ok(Some(Order::Keys(match self {
            Self::Init { organisation } => KeysOrder::Init { organisation },
            Self::Rotate { organisation } => KeysOrder::Rotate { organisation },
            Self::Status => KeysOrder::Status,
            Self::Escrow(asked) => asked.order()?,
            Self::Recover(_) => return Ok(None),
        })))
    }
}

impl EscrowArguments {
    fn order(self) -> Result<KeysOrder> {
        let under = match (self.passphrase_file, self.shares, self.threshold, self.shares_dir) {
            (Some(file), ..) => Under::Passphrase { file: std::path::absolute(file)? },
            (None, Some(shares), Some(threshold), Some(dir)) => {
                Under::Shares { shares, threshold, dir: std::path::absolute(dir)? }
            }
            _ => bail!("name a passphrase file, or shares, threshold and a folder for the shares"),
        };
        let out = std::path::absolute(self.out)?;
        Ok(KeysOrder::Escrow { organisation: self.organisation, out, under })
    }
}

/// Opens the keyring that the configuration names.
///
/// # Errors
/// When a key file is not safe to use, or the hardware module cannot be reached.
pub(super) fn keyring(path: &Path, settings: &Keys, folder: &KeyFolder) -> Result<EpochKeyring> {
    if settings.provider == "file" {
        return Ok(folder.keyring()?);
    }
    let masters = ModuleMasters::open(ModuleSettings {
        library: settings.pkcs11_module.clone(),
        token: settings.pkcs11_token.clone(),
        pin_file: path.join(&settings.pkcs11_pin_file),
    })?;
    Ok(EpochKeyring::open(folder, Arc::new(masters))?)
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people.
pub(super) async fn execute(folder: &DataFolder, order: KeysOrder) -> Result<Value> {
    let archive = &folder.archive;
    match order {
        KeysOrder::Init { organisation } => {
            let fresh = folder.init_keys(&organisation)?;
            if fresh {
                record(folder, &organisation, "master-key", 1).await?;
            }
            Ok(json!({ "organisation": organisation, "newMasterKey": fresh }))
        }
        KeysOrder::Rotate { organisation } => {
            let turned = keys::rotate(archive, &organisation).await?;
            Ok(json!({ "organisation": organisation, "turned": turned }))
        }
        KeysOrder::Status => {
            let mut all = Vec::new();
            for organisation in archive.keyring.organisations() {
                all.push(keys::status(archive, &organisation).await?);
            }
            Ok(json!({ "keys": all, "warnings": warnings(folder).await? }))
        }
        KeysOrder::Escrow { organisation, out, under } => escrow(folder, organisation, &out, under).await,
    }
}

/// What is wrong with the keys, in words for people.
///
/// # Errors
/// When storage or the provider fails.
pub(super) async fn warnings(folder: &DataFolder) -> Result<Vec<String>> {
    let (archive, mut warnings) = (&folder.archive, Vec::new());
    let now = archive.sources.now();
    for organisation in archive.keyring.organisations() {
        let status = keys::status(archive, &organisation).await?;
        if status.segments_without_key > 0 {
            warnings.push(format!(
                "{} segments of `{organisation}` are under an epoch key that is not in the keys folder: put it back from \
                 the backup that the database is of",
                status.segments_without_key
            ));
        }
        let late = |asked: crate::model::Timestamp| asked.plus_seconds(keys::TURN_SECONDS_MAX) < now;
        if status.turn_asked_at.is_some_and(late) {
            warnings.push(format!(
                "an epoch of `{organisation}` should have ended: until it does, old copies of the database may open what \
                 was destroyed; the log says what stands in the way"
            ));
        }
    }
    Ok(warnings)
}

async fn record(folder: &DataFolder, organisation: &OrganisationId, what: &str, keys: u64) -> Result<()> {
    let archive = &folder.archive;
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::KeyCreated, archive.sources.now())
        .of(organisation.clone())
        .outcome(what.parse()?)
        .counting("keys".parse()?, keys);
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(())
}

/// The ledger says that a copy is made before it is there.
async fn escrow(
    folder: &DataFolder,
    organisation: OrganisationId,
    out: &Path,
    under: Under,
) -> Result<Value> {
    let archive = &folder.archive;
    let (provider, now) = (archive.keyring.provider(), archive.sources.now());
    let (text, shares, dir) = match &under {
        Under::Passphrase { file } => {
            let passphrase = read_private(file)?;
            (escrow::under_passphrase(provider, &organisation, passphrase.trim_end(), now)?, Vec::new(), None)
        }
        Under::Shares { shares, threshold, dir } => {
            let (text, lines) = escrow::under_shares(provider, &organisation, *shares, *threshold, now)?;
            (text, lines, Some(dir))
        }
    };
    ensure!(!out.exists(), "`{}` is there already; take another name", out.display());
    record(folder, &organisation, "escrow", shares.len().max(1) as u64).await?;
    write_new(out, text.as_bytes())?;
    let mut written = Vec::new();
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
        for (n, share) in shares.iter().enumerate() {
            let file = dir.join(format!("{organisation}-{}.share", n + 1));
            write_new(&file, share.as_bytes())?;
            written.push(file);
        }
    }
    Ok(json!({ "organisation": organisation, "escrow": out, "shares": written }))
}

/// `knik keys recover`.
///
/// # Errors
/// When the escrow does not open, another key has the name of one of its keys, or a service runs.
pub(super) fn recover(dir: &Path, asked: &RecoverArguments, as_json: bool) -> Result<ExitCode> {
    let _alone = folder::lock_alone(dir)?;
    let text = super::read_text(&asked.escrow)?;
    let recovered = match &asked.passphrase_file {
        Some(file) => {
            let passphrase = read_private(file)?;
            escrow::open(&text, &Secret::Passphrase(passphrase.trim_end()))?
        }
        None => {
            let shares: Vec<Zeroizing<String>> =
                asked.share.iter().map(|file| read_private(file)).collect::<Result<_, _>>()?;
            escrow::open(&text, &Secret::Shares(&shares))?
        }
    };
    let folder = KeyFolder::open(&dir.join("keys"))?;
    let mut restored: Vec<u32> = Vec::new();
    for (version, key) in &recovered.keys {
        if folder.restore_master(&recovered.organisation, *version, key)? {
            restored.push(MasterVersion::number(*version));
        }
    }
    let answer = json!({
        "organisation": recovered.organisation, "keys": recovered.keys.len(), "restored": restored,
    });
    if as_json {
        print::line(&answer.to_string());
    } else {
        let keys = recovered.keys.len();
        print::line(&format!(
            "{}: the escrow holds {keys} master keys; {} put back, the others were there",
            recovered.organisation,
            restored.len()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The answer to an order, for people.
pub(super) fn shown(order: &KeysOrder, answer: &Value) {
    let text = |value: &Value, field: &str| match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "?".to_owned(),
        Some(other) => other.to_string(),
    };
    let list =
        |value: &Value, field: &str| value.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    match order {
        KeysOrder::Init { .. } => print::line(&match answer.get("newMasterKey").and_then(Value::as_bool) {
            Some(true) => {
                format!("{}: master key made; keep a copy: knik keys escrow", text(answer, "organisation"))
            }
            _ => format!("{}: has a master key, which stays", text(answer, "organisation")),
        }),
        KeysOrder::Rotate { .. } => {
            let turned = answer.get("turned").cloned().unwrap_or_default();
            print::line(&format!(
                "{}: {} segment keys and {} bodies wrapped anew in epoch {}; master keys destroyed: {}\nkeep a copy of \
                 the new key: knik keys escrow",
                text(answer, "organisation"),
                text(&turned, "segments"),
                text(&turned, "bodies"),
                text(&turned, "epoch"),
                text(&turned, "mastersDestroyed"),
            ));
        }
        KeysOrder::Status => {
            let mut rows = Vec::new();
            for keys in list(answer, "keys") {
                let whose = text(&keys, "organisation");
                for master in list(&keys, "masters") {
                    let name = format!("master {}", text(&master, "version"));
                    let cells =
                        [text(&keys, "provider"), text(&master, "ageDays"), text(&master, "segments")];
                    rows.push([vec![whose.clone(), name], cells.to_vec()].concat());
                }
                for epoch in list(&keys, "epochs") {
                    let name =
                        format!("epoch {} under master {}", text(&epoch, "epoch"), text(&epoch, "master"));
                    let cells = ["file".to_owned(), String::new(), text(&epoch, "segments")];
                    rows.push([vec![whose.clone(), name], cells.to_vec()].concat());
                }
            }
            print::table(&["organisation", "key", "where", "age in days", "segments"], &rows);
            list(answer, "warnings").iter().filter_map(Value::as_str).for_each(print::line);
        }
        KeysOrder::Escrow { .. } => {
            let shares = list(answer, "shares").len();
            let with = if shares == 0 { String::new() } else { format!(", with {shares} shares") };
            print::line(&format!(
                "{}: written to {}{with}",
                text(answer, "organisation"),
                text(answer, "escrow")
            ));
        }
    }
}
