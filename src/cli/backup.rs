//! `knik backup`: a copy of everything that fits together, in a place outside the data folder.

use super::commands::counting;
use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::store::StoreError;
use crate::store::backup::BackupPlace;
use crate::store::keys::bundle::PrivateFiles;
use crate::store::keys::read_private;
use crate::vault::backup::{self, Asked};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct BackupArguments {
    /// The place for backups: a folder on another disk or machine. Segments that are there are not copied again.
    to: PathBuf,
    /// File with the passphrase that keys are sealed under, readable by its owner alone.
    #[arg(long)]
    passphrase_file: PathBuf,
    /// Remove snapshots older than this, with the keys in them, once the new one is whole.
    #[arg(long, default_value_t = 30)]
    keep_days: u32,
}

/// What is asked of a data folder. The secret is named by its file: none goes over the socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct BackupOrder {
    to: PathBuf,
    passphrase_file: PathBuf,
    keep_days: u32,
}

/// `knik backup`.
///
/// # Errors
/// When the backup cannot be made. A damaged segment is named, and the exit code says so.
pub(super) async fn run(dir: &Path, asked: BackupArguments, as_json: bool) -> Result<ExitCode> {
    let order = BackupOrder {
        to: std::path::absolute(asked.to)?,
        passphrase_file: std::path::absolute(asked.passphrase_file)?,
        keep_days: asked.keep_days,
    };
    let answer = counting(dir, Order::Backup(order), as_json).await?;
    print::backed_up(&answer, as_json);
    let damaged = answer.get("damaged").and_then(Value::as_array).is_some_and(|damaged| !damaged.is_empty());
    Ok(if damaged { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Carries the order out.
///
/// # Errors
/// When the place lies within the data folder, or the backup cannot be made.
pub(super) async fn execute(
    folder: &DataFolder,
    asked: BackupOrder,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Value> {
    let data = fs::canonicalize(&folder.path).context("data folder")?;
    let within = asked.to.ancestors().find_map(|known| fs::canonicalize(known).ok());
    ensure!(
        !within.is_some_and(|place| place.starts_with(&data)),
        "`{}` lies in the data folder, and would be lost with it; name a place on another disk or machine",
        asked.to.display()
    );
    let passphrase = read_private(&asked.passphrase_file)?;
    let second_place = folder.archive.logs.second_place.clone();
    let private = || {
        let mut files = PrivateFiles::of_keys(&folder.keys)?;
        let mut left_out = Vec::new();
        let mut others =
            Others { data: &folder.path, second_place: second_place.as_deref(), left_out: &mut left_out };
        others.gather(&folder.path, &mut files)?;
        Ok((files, left_out))
    };
    let sealed = Asked { private: &private, passphrase: passphrase.trim_end(), keep_days: asked.keep_days };
    Ok(json!(backup::make(&folder.archive, &BackupPlace::new(asked.to), &sealed, progress).await?))
}

/// Files larger than this are not sealed with the others.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What lies in a data folder beside databases, segments and key files: configuration, certificates, rules of one's own.
struct Others<'a> {
    data: &'a Path,
    second_place: Option<&'a Path>,
    left_out: &'a mut Vec<String>,
}

/// What is copied by itself, or is of the running service only.
const NOT_OTHERS: [&str; 5] = ["keys", "vault", "spool", "lock", "control.sock"];

impl Others<'_> {
    fn gather(&mut self, folder: &Path, files: &mut PrivateFiles) -> Result<(), StoreError> {
        let entries = fs::read_dir(folder).map_err(StoreError::file("cannot list", folder))?;
        for entry in entries {
            let path = entry.map_err(StoreError::file("cannot list", folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let of_itself = folder == self.data && NOT_OTHERS.contains(&name.as_ref());
            let of_database = [".db", ".db-wal", ".db-shm"].iter().any(|end| name.ends_with(end));
            if of_itself || of_database || self.second_place == Some(path.as_path()) {
                continue;
            }
            let kind = fs::symlink_metadata(&path).map_err(StoreError::file("cannot look at", &path))?;
            if kind.is_dir() {
                self.gather(&path, files)?;
            } else {
                self.add(&path, kind.is_file() && kind.len() <= FILE_BYTES_MAX, files)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, fits: bool, files: &mut PrivateFiles) -> Result<(), StoreError> {
        let name = path.strip_prefix(self.data).unwrap_or(path).to_string_lossy().into_owned();
        let taken = fits && {
            let bytes = fs::read(path).map_err(StoreError::file("cannot read", path))?;
            files.add(&name, &zeroize::Zeroizing::new(bytes))
        };
        if !taken {
            self.left_out.push(name);
        }
        Ok(())
    }
}
