//! `knik restore`: a data folder out of a backup, verified, with what must not be undone done again before it is there.

use super::folder::{Addresses, DataFolder, read_config};
use super::{commands, print};
use crate::model::Timestamp;
use crate::store::backup::{BackupPlace, Snapshot};
use crate::store::database::Database;
use crate::store::keys::read_private;
use crate::vault::backup::{DATABASES, bring_segments};
use crate::vault::replay::{self, Replayed};
use crate::vault::verify::{Trust, verify_ledger};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct RestoreArguments {
    /// The place for backups that `knik backup` was given.
    from: PathBuf,
    /// Which snapshot; the newest when none is named.
    #[arg(long)]
    snapshot: Option<String>,
    /// File with the passphrase of the backup, readable by its owner alone.
    #[arg(long)]
    passphrase_file: PathBuf,
    /// What the ledger says after the backup: the second place of the lost archive, or a folder that its ledger was
    /// exported to. What was destroyed or revoked since is read there.
    #[arg(long, conflicts_with = "without_later_ledger")]
    ledger: Option<PathBuf>,
    /// Nothing of the ledger after the backup is left: what was destroyed or revoked since comes back.
    #[arg(long)]
    without_later_ledger: bool,
    /// Take this configuration instead of the one in the backup, such as for other database addresses.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// What was put back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Restored {
    snapshot: String,
    made_at: Timestamp,
    segments: u64,
    entries_verified: u64,
    replayed: Option<Replayed>,
    /// The ruleset that was in force last, when that of this folder is another.
    other_ruleset: Option<String>,
    damaged: Vec<String>,
}

/// `knik restore`: all of it, or nothing is there afterwards.
///
/// # Errors
/// When the data folder is there, the backup was changed or does not open, the ledger does not hold, or what was recorded
/// after the backup is unknown. Segments that are damaged are named, and the exit code says so; the rest is put back.
pub(super) async fn run(dir: &Path, asked: RestoreArguments, as_json: bool) -> Result<ExitCode> {
    ensure!(
        is_absent_or_empty(dir)?,
        "`{}` is not empty; restore into a new data folder with --dir",
        dir.display()
    );
    let building = beside(dir)?;
    let done = build(&building, &asked, as_json).await;
    let restored = match done {
        Ok(restored) => restored,
        Err(error) => {
            let _what_was_half = fs::remove_dir_all(&building);
            return Err(error);
        }
    };
    if dir.is_dir() {
        fs::remove_dir(dir).with_context(|| format!("cannot replace `{}`", dir.display()))?;
    }
    fs::rename(&building, dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
    let damaged = !restored.damaged.is_empty();
    print::restored(dir, &serde_json::to_value(restored)?, as_json);
    Ok(if damaged { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn is_absent_or_empty(dir: &Path) -> Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("cannot look into `{}`", dir.display())),
    }
}

/// The folder that is filled, and takes the name of the data folder when all is well. What another left is removed.
fn beside(dir: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(dir)?;
    let name = path.file_name().context("name a data folder with --dir")?.to_string_lossy().into_owned();
    let building = path.with_file_name(format!(".{name}.restoring"));
    if building.exists() {
        fs::remove_dir_all(&building).with_context(|| format!("cannot remove `{}`", building.display()))?;
    }
    let made = DirBuilder::new().mode(0o700).recursive(true).create(building.join("vault"));
    made.with_context(|| format!("cannot make `{}`", building.display()))?;
    let made = DirBuilder::new().mode(0o700).create(building.join("room"));
    made.with_context(|| format!("cannot make `{}`", building.display()))?;
    Ok(building)
}

async fn build(building: &Path, asked: &RestoreArguments, as_json: bool) -> Result<Restored> {
    let place = BackupPlace::new(asked.from.clone());
    let snapshot = place.open(asked.snapshot.as_deref()).await?;
    let passphrase = read_private(&asked.passphrase_file)?;
    snapshot.private(passphrase.trim_end()).await?.write(building)?;
    snapshot.check().await?;
    if let Some(config) = &asked.config {
        fs::copy(config, building.join("knik.toml"))
            .with_context(|| format!("cannot read `{}`", config.display()))?;
    }
    put_back_databases(building, &snapshot).await?;
    // Nothing is decided before what was recorded since is done again.
    let folder = DataFolder::open_with(building, std::env::vars()).await?;
    let replayed = match later_ledger(building, &folder, asked)? {
        Some(later) => Some(replay::replay(&folder.archive, &later).await?),
        None => None,
    };
    let damaged = segments(&folder, &place, as_json).await?;
    let seen = verify_ledger(&folder.archive, &Trust::of(&folder.archive), &[]).await?;
    if let Some(wrong) = seen.first_wrong {
        bail!("the ledger of the backup does not hold: {wrong}; use another snapshot");
    }
    replay::record(&folder.archive, replayed.as_ref()).await?;
    // Before anything is served: what was destroyed again is withdrawn, and its keys end.
    commands::settle(&folder).await?;
    let archive = &folder.archive;
    for database in [archive.catalogue.database(), archive.room.database(), archive.inbox.database()] {
        database.close().await;
    }
    let here = folder.rules.ruleset.version();
    let last = replayed.as_ref().and_then(|replayed| replayed.ruleset.clone());
    Ok(Restored {
        other_ruleset: last.filter(|last| last != here),
        snapshot: snapshot.name(),
        made_at: snapshot.manifest.made_at,
        segments: snapshot.manifest.segments,
        entries_verified: seen.entries,
        replayed,
        damaged,
    })
}

async fn put_back_databases(building: &Path, snapshot: &Snapshot) -> Result<()> {
    let addresses = Addresses::of(building, &read_config(building)?)?;
    for (name, url) in DATABASES.into_iter().zip([&addresses.vault, &addresses.room, &addresses.inbox]) {
        Database::put_back(url, &snapshot.database(name)?)
            .await
            .with_context(|| format!("putting back the database `{name}`"))?;
    }
    Ok(())
}

/// Where the ledger after the backup is read: as asked, or in the second place when that is outside the data folder.
fn later_ledger(building: &Path, folder: &DataFolder, asked: &RestoreArguments) -> Result<Option<PathBuf>> {
    if asked.without_later_ledger {
        return Ok(None);
    }
    if let Some(named) = &asked.ledger {
        return Ok(Some(named.clone()));
    }
    let building = fs::canonicalize(building)?;
    let second = folder.archive.logs.second_place.as_ref().and_then(|place| fs::canonicalize(place).ok());
    match second.filter(|place| !place.starts_with(&building)) {
        Some(place) => Ok(Some(place)),
        None => bail!(
            "what was destroyed or revoked after the backup is not known: name the second place of the lost archive, or an \
             export of its ledger, with --ledger; or say --without-later-ledger, and it comes back"
        ),
    }
}

async fn segments(folder: &DataFolder, place: &BackupPlace, as_json: bool) -> Result<Vec<String>> {
    let bar = if as_json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let wrong = bring_segments(&folder.archive, place, &|done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    Ok(wrong?)
}
