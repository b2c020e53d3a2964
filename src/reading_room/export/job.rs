//! Where files are built: a folder for each export, with what is done so far. A build that was broken off goes on after its last
//! whole part.

use crate::model::{ExportId, Timestamp};
use crate::redact::copy::ManifestFile;
use crate::store::room::Place;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folder of all builds.
#[derive(Debug)]
pub struct Workshop {
    folder: PathBuf,
    part_rows: u32,
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

impl Workshop {
    pub(in crate::reading_room) fn new(folder: PathBuf, part_rows: u32) -> Self {
        Self { folder, part_rows: part_rows.max(1) }
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
        let folder = self.open(export)?;
        let mut file = new_file(&folder.join("progress.new"))?;
        file.write_all(&serde_json::to_vec(progress)?)?;
        settle(file, &folder.join("progress.new"), &folder.join(PROGRESS))
    }

    /// Says that a package was fetched: nobody fetches it again, also when this process stops at once.
    pub(super) fn consume(&self, export: ExportId) -> io::Result<()> {
        let folder = self.open(export)?;
        let file = new_file(&folder.join("consumed.new"))?;
        settle(file, &folder.join("consumed.new"), &folder.join(CONSUMED))
    }

    /// Whether it was.
    pub(super) fn is_consumed(&self, export: ExportId) -> bool {
        self.of(export).join(CONSUMED).exists()
    }

    /// Removes what was built for any other export than these; that something was fetched is kept.
    pub(super) fn tidy(&self, building: &BTreeSet<ExportId>) -> io::Result<()> {
        let listed = match fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in listed {
            let entry = entry?;
            let id = entry.file_name().to_str().and_then(|name| name.parse::<ExportId>().ok());
            if id.is_some_and(|id| !building.contains(&id)) {
                for file in fs::read_dir(entry.path())? {
                    let file = file?;
                    if file.file_name() != CONSUMED {
                        fs::remove_file(file.path())?;
                    }
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
