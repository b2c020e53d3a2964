//! Where files are built: a folder for each export, with what is done so far. A build that was broken off goes on after its last
//! whole part.

use crate::model::{ExportId, Timestamp};
use crate::redact::copy::ManifestFile;
use crate::store::effect::Effect;
use crate::store::inbox::ExportStep;
use crate::store::room::Place;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The folder of all builds.
#[derive(Debug)]
pub struct Workshop {
    folder: PathBuf,
    part_rows: u32,
    /// Exports of which this process itself says that they were fetched.
    telling: Mutex<BTreeSet<ExportId>>,
}

/// How far a build is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Progress {
    /// When it began.
    pub built_at: Timestamp,
    /// Whole parts.
    pub parts: u64,
    /// Rows in them.
    pub rows: u64,
    /// Records that are left out.
    pub left_out: u64,
    /// The last record that was looked at.
    pub after: Option<Place>,
    /// Whether every record was.
    pub whole: bool,
    /// The files that stand.
    pub files: Vec<ManifestFile>,
    /// Whether they went up.
    pub sent: bool,
}

impl Progress {
    pub(super) const fn begun(built_at: Timestamp) -> Self {
        Self {
            built_at,
            parts: 0,
            rows: 0,
            left_out: 0,
            after: None,
            whole: false,
            files: Vec::new(),
            sent: false,
        }
    }
}

const PROGRESS: &str = "progress.json";
const CONSUMED: &str = "consumed";
const TOLD: &str = "told";

impl Workshop {
    pub(in crate::reading_room) fn new(folder: PathBuf, part_rows: u32) -> Self {
        Self { folder, part_rows: part_rows.max(1), telling: Mutex::default() }
    }

    /// Rows of a part.
    pub(super) const fn part_rows(&self) -> u32 {
        self.part_rows
    }

    /// The folder of one build, made when it is not there.
    pub(super) fn open(&self, export: ExportId) -> io::Result<PathBuf> {
        let folder = self.of(export);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(folder)
    }

    fn of(&self, export: ExportId) -> PathBuf {
        self.folder.join(export.to_string())
    }

    /// How far a build is; `None` when nothing of it stands. What cannot be read is begun anew.
    pub(super) fn progress(&self, export: ExportId) -> Option<Progress> {
        let text = fs::read(self.of(export).join(PROGRESS)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Rows that stand.
    pub(super) fn rows_done(&self, export: ExportId) -> u64 {
        self.progress(export).map_or(0, |progress| progress.rows + progress.left_out)
    }

    /// Keeps how far a build is: durable before this returns.
    pub(super) fn keep(&self, export: ExportId, progress: &Progress) -> io::Result<()> {
        let text = serde_json::to_vec(progress)?;
        Effect::ExportPartBuilt.blocking(|| self.put(export, PROGRESS, &text))
    }

    /// Says that a package was fetched, with what is to be said of it: nobody fetches it again, also when this process stops at once.
    pub(super) fn consume(&self, step: &ExportStep) -> io::Result<()> {
        self.telling().insert(step.export);
        let text = serde_json::to_vec(step)?;
        Effect::ExportConsumed.blocking(|| self.put(step.export, CONSUMED, &text))
    }

    fn telling(&self) -> MutexGuard<'_, BTreeSet<ExportId>> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The vault could not be told: it is once more.
    pub(super) fn not_told(&self, export: ExportId) {
        self.telling().remove(&export);
    }

    /// Whether it was.
    pub(super) fn is_consumed(&self, export: ExportId) -> bool {
        self.of(export).join(CONSUMED).exists()
    }

    /// Says that the vault is told that it was fetched.
    pub(super) fn told(&self, export: ExportId) -> io::Result<()> {
        Effect::ExportConsumedTold.blocking(|| self.put(export, TOLD, b""))
    }

    /// What the vault is not told yet: a process that stopped had no time for it.
    pub(super) fn untold(&self) -> io::Result<Vec<ExportStep>> {
        let mut folders = self.folders()?;
        folders.retain(|(id, _)| !self.telling().contains(id));
        let folders = folders.into_iter().map(|(_, folder)| folder);
        let untold = folders.filter(|folder| !folder.join(TOLD).exists());
        let read = untold.filter_map(|folder| fs::read(folder.join(CONSUMED)).ok());
        Ok(read.filter_map(|text| serde_json::from_slice(&text).ok()).collect())
    }

    fn put(&self, export: ExportId, name: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.open(export)?;
        let at = folder.join(format!("{name}.new"));
        let mut file = new_file(&at)?;
        file.write_all(bytes)?;
        settle(file, &at, &folder.join(name))
    }

    /// The folders of builds.
    fn folders(&self) -> io::Result<Vec<(ExportId, PathBuf)>> {
        let listed = match fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in listed {
            let entry = entry?;
            if let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                found.push((id, entry.path()));
            }
        }
        Ok(found)
    }

    /// Removes what was built for any other export than these; that something was fetched is kept.
    pub(super) fn tidy(&self, building: &BTreeSet<ExportId>) -> io::Result<()> {
        for (_, folder) in self.folders()?.into_iter().filter(|(id, _)| !building.contains(id)) {
            for file in fs::read_dir(folder)? {
                let file = file?;
                if ![CONSUMED, TOLD].iter().any(|kept| file.file_name() == *kept) {
                    fs::remove_file(file.path())?;
                }
            }
        }
        Ok(())
    }
}

/// A fresh file that only this user reads.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Makes a file durable under its name.
pub(super) fn settle(file: File, from: &Path, to: &Path) -> io::Result<()> {
    file.sync_all()?;
    drop(file);
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
