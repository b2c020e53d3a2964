//! A place for backups: a folder, on another disk or machine, that holds snapshots and the segments they name.
//!
//! ```text
//! segments/AA/ID.seg            sealed segments, each once, shared by all snapshots
//! snapshots/MOMENT/             one snapshot, named by the moment it was made (UTC)
//!     manifest.json             what is in it, with the SHA-256 of every file
//!     vault.db room.db inbox.db the databases as of one moment (or .pgdump)
//!     private.sealed            keys, certificates, configuration: under the passphrase, bound to the manifest
//! ```
//!
//! A snapshot that is being made has another name until it is whole and durable.

use super::blobs::Blobs;
use super::keys::bundle::PrivateFiles;
use super::keys::escrow::EscrowError;
use super::{StoreError, files};
use crate::ledger::Origin;
use crate::model::Timestamp;
use aws_lc_rs::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tokio::fs;
use tokio::io::AsyncReadExt;

const SEGMENTS: &str = "segments";
const SNAPSHOTS: &str = "snapshots";
const MANIFEST: &str = "manifest.json";
const PRIVATE: &str = "private.sealed";
const UNFINISHED: &str = ".unfinished";
const FORM: u32 = 1;

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    knik_backup: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// The version of the program that made it.
    pub program: String,
    /// Segments that its catalogue names.
    pub segments: u64,
    /// Bytes of them.
    pub segment_bytes: u64,
    /// How long each log was just before its database was copied: what came later may be in it too.
    pub logs: Vec<LogLength>,
    /// Its files but itself and the sealed one.
    pub files: Vec<FileDigest>,
}

/// How long a log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogLength {
    /// Which log.
    pub origin: Origin,
    /// Entries.
    pub size: u64,
}

/// A file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileDigest {
    /// Its name in the snapshot's folder.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Why a backup cannot be used. Names the file and the mend.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// No snapshot is there.
    #[error("`{0}` holds no whole snapshot; name the folder that `knik backup` was given")]
    None(String),
    /// Not the description of a snapshot, or of a newer program.
    #[error("`{0}` is no description of a backup that this program knows")]
    Form(String),
    /// A file is missing or is not what was written.
    #[error("`{0}` is missing or was changed since the backup was made; use another snapshot")]
    Changed(String),
    /// What is secret does not open.
    #[error(transparent)]
    Private(#[from] EscrowError),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A place for backups.
#[derive(Debug, Clone)]
pub struct BackupPlace {
    folder: PathBuf,
}

impl BackupPlace {
    /// The place at a folder; nothing is made or read yet.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The segments that are there; their folder is made when absent.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn segments(&self) -> Result<Blobs, StoreError> {
        make(&self.folder)?;
        Blobs::folder(&self.folder.join(SEGMENTS))
    }

    /// Begins a snapshot. What another left unfinished is removed.
    ///
    /// # Errors
    /// When a snapshot of this second is there, or the folder cannot be written.
    pub async fn begin(&self, now: Timestamp) -> Result<Unfinished, StoreError> {
        let snapshots = self.folder.join(SNAPSHOTS);
        make(&snapshots)?;
        for name in files::names_in(&snapshots).await?.into_iter().filter(|name| name.ends_with(UNFINISHED)) {
            let left = snapshots.join(name);
            fs::remove_dir_all(&left).await.map_err(StoreError::file("cannot remove", &left))?;
        }
        let whole = snapshots.join(name_of(now));
        if fs::try_exists(&whole).await.map_err(StoreError::file("cannot look at", &whole))? {
            return Err(StoreError::Busy(format!("`{}` is there already; try again", whole.display())));
        }
        let folder = snapshots.join(format!("{}{UNFINISHED}", name_of(now)));
        make(&folder)?;
        Ok(Unfinished { folder, whole, made_at: now })
    }

    /// The snapshots that are there, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn snapshots(&self) -> Result<Vec<String>, StoreError> {
        let mut names = files::names_in(&self.folder.join(SNAPSHOTS)).await?;
        names.retain(|name| !name.ends_with(UNFINISHED));
        names.sort();
        Ok(names)
    }

    /// Removes the snapshots that were made before a moment, with the keys in them. The newest stays.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn expire(&self, before: Timestamp) -> Result<Vec<String>, StoreError> {
        let limit = name_of(before);
        let mut old = self.snapshots().await?;
        old.pop();
        old.retain(|name| *name < limit);
        for name in &old {
            let folder = self.folder.join(SNAPSHOTS).join(name);
            // What is secret first: whatever else is left of it then opens nothing.
            for path in [folder.join(PRIVATE), folder.join(MANIFEST)] {
                match fs::remove_file(&path).await {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(StoreError::file("cannot remove", &path)(error));
                    }
                    _ => {}
                }
            }
            fs::remove_dir_all(&folder).await.map_err(StoreError::file("cannot remove", &folder))?;
        }
        Ok(old)
    }

    /// Opens a snapshot: the named one, or the newest that is whole. Its description is read, no file yet.
    ///
    /// # Errors
    /// [`BackupError::None`], [`BackupError::Form`].
    pub async fn open(&self, named: Option<&str>) -> Result<Snapshot, BackupError> {
        let name = match named {
            Some(name) => Some(name.to_owned()),
            None => self.snapshots().await?.pop(),
        };
        let none = || BackupError::None(self.folder.display().to_string());
        let folder = self.folder.join(SNAPSHOTS).join(name.ok_or_else(none)?);
        let path = folder.join(MANIFEST);
        let text = fs::read(&path).await.map_err(|_| none())?;
        let form = || BackupError::Form(path.display().to_string());
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| form())?;
        if manifest.knik_backup != FORM {
            return Err(form());
        }
        Ok(Snapshot { folder, manifest, digest: sha256(&text) })
    }
}

/// A snapshot that is being made.
#[derive(Debug)]
pub struct Unfinished {
    folder: PathBuf,
    whole: PathBuf,
    made_at: Timestamp,
}

impl Unfinished {
    /// Where a file of it is written.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Describes what was written, seals what is secret, and gives the snapshot its name: from then on it counts.
    ///
    /// # Errors
    /// When the passphrase is too short or a file cannot be written; the snapshot then does not count.
    pub async fn finish(
        self,
        written: &[String],
        logs: Vec<LogLength>,
        (segments, segment_bytes): (u64, u64),
        private: &PrivateFiles,
        passphrase: &str,
    ) -> Result<String, BackupError> {
        let mut files = Vec::with_capacity(written.len());
        for name in written {
            files.push(digest_of(&self.folder, name).await?);
        }
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let made_at = self.made_at;
        let manifest = Manifest { knik_backup: FORM, made_at, program, segments, segment_bytes, logs, files };
        let text =
            serde_json::to_vec_pretty(&manifest).map_err(|_| BackupError::Form(MANIFEST.to_owned()))?;
        let sealed = private.seal(passphrase, &sha256(&text))?;
        for (name, bytes) in [(PRIVATE, sealed.as_bytes()), (MANIFEST, &text)] {
            let path = self.folder.join(name);
            files::replace(&path, bytes).await.map_err(StoreError::file("cannot write", &path))?;
        }
        let renamed = fs::rename(&self.folder, &self.whole).await;
        renamed.map_err(StoreError::file("cannot write", &self.whole))?;
        files::sync_folder_of(&self.whole).await.map_err(StoreError::file("cannot write", &self.whole))?;
        Ok(self.whole.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }
}

/// A snapshot as it was found.
#[derive(Debug)]
pub struct Snapshot {
    folder: PathBuf,
    /// What it should hold.
    pub manifest: Manifest,
    digest: [u8; 32],
}

impl Snapshot {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Opens what is secret. That it opens shows that the description is the one that was written.
    ///
    /// # Errors
    /// [`BackupError::Private`], [`BackupError::Changed`].
    pub async fn private(&self, passphrase: &str) -> Result<PrivateFiles, BackupError> {
        let path = self.folder.join(PRIVATE);
        let changed = |_| BackupError::Changed(path.display().to_string());
        let sealed = fs::read_to_string(&path).await.map_err(changed)?;
        Ok(PrivateFiles::open(&sealed, passphrase, &self.digest)?)
    }

    /// Reads every file and compares it with the description.
    ///
    /// # Errors
    /// [`BackupError::Changed`] names the first that is not what was written.
    pub async fn check(&self) -> Result<(), BackupError> {
        for known in &self.manifest.files {
            let changed = || BackupError::Changed(self.folder.join(&known.name).display().to_string());
            let found = digest_of(&self.folder, &known.name).await.map_err(|_| changed())?;
            if found != *known {
                return Err(changed());
            }
        }
        Ok(())
    }

    /// The file of a database, whatever kind of database it is of.
    ///
    /// # Errors
    /// [`BackupError::Changed`] when there is none.
    pub fn database(&self, name: &str) -> Result<PathBuf, BackupError> {
        let named = |file: &&FileDigest| file.name.split_once('.').is_some_and(|(stem, _)| stem == name);
        let found = self.manifest.files.iter().find(named);
        let changed = || BackupError::Changed(self.folder.join(name).display().to_string());
        found.map(|file| self.folder.join(&file.name)).ok_or_else(changed)
    }
}

/// Moments as names that sort as they came.
fn name_of(moment: Timestamp) -> String {
    let text: String = moment.to_string();
    let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
    let micros = moment.micros().rem_euclid(1_000_000);
    format!("{}.{micros:06}Z", seconds.replace(['-', ':'], ""))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

async fn digest_of(folder: &Path, name: &str) -> Result<FileDigest, StoreError> {
    let path = folder.join(name);
    let mut file = fs::File::open(&path).await.map_err(StoreError::file("cannot open", &path))?;
    let (mut context, mut size_bytes) = (Context::new(&SHA256), 0);
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece).await.map_err(StoreError::file("cannot read", &path))?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
        context.update(read);
        size_bytes += read.len() as u64;
    }
    Ok(FileDigest { name: name.to_owned(), size_bytes, sha256: hex::encode(context.finish()) })
}

fn make(folder: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().mode(0o700).recursive(true).create(folder);
    made.map_err(StoreError::file("cannot make folder", folder))
}
