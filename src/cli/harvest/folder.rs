//! A watch folder. Everything is done relative to folders that were opened once, so that nobody who may write to the
//! watch folder can lead it elsewhere; links are never followed.
//!
//! A move is three steps: the report is written under a hidden name, the capture is renamed, the report gets its name.
//! Who opens the folder after a kill ends what was begun.

use super::names::{cleaned, is_passed_over, numbered};
use super::source::{Found, REPORT, State, StillChanges};
use crate::cli::control::delivery::Brought;
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use futures_util::StreamExt;
use rustix::fs::{self, AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

/// A folder that captures are laid in, with its `done/` and `failed/`. Only one process can hold it.
pub(super) struct WatchFolder {
    folder: OwnedFd,
    done: OwnedFd,
    failed: OwnedFd,
    settle: Duration,
    /// What was seen in earlier rounds, and since when it has been as it is.
    seen: BTreeMap<OsString, (String, Instant)>,
    _lock: File,
}

/// Held by the one process that harvests the folder.
const LOCK: &str = ".knik-harvest.lock";

/// Ends the name of a report whose capture is being moved.
const UNDER_WAY: &str = ".report.json.part";

/// Bytes read at once.
const READ_BYTES: usize = 1 << 18;

const OPENED: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW);

impl WatchFolder {
    /// Opens the folder, makes `done/` and `failed/` when they are absent, and ends moves that were broken off.
    pub(super) fn open(path: &Path, settle_seconds: u64) -> Result<Self> {
        let folder = fs::openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let made = fs::openat(&folder, LOCK, OFlags::CREATE | OFlags::RDWR | OPENED, Mode::from(0o600));
        let lock = File::from(made.with_context(|| format!("`{LOCK}`"))?);
        if lock.try_lock().is_err() {
            bail!("another harvest is at work there; stop it first");
        }
        let (done, failed) = (sub(&folder, State::Done)?, sub(&folder, State::Failed)?);
        let settle = Duration::from_secs(settle_seconds);
        let opened = Self { folder, done, failed, settle, seen: BTreeMap::new(), _lock: lock };
        for state in State::ALL {
            opened.finish_moves(state)?;
        }
        Ok(opened)
    }

    /// What has not changed for as long as a file must rest.
    pub(super) async fn ready(&mut self, once: bool) -> Result<Vec<Found>> {
        if once && !self.look()?.is_empty() {
            tokio::time::sleep(self.settle).await;
        }
        let mut found = self.look()?;
        let rests = |found: &Found| {
            found.refused.is_some()
                || self.seen.get(&found.name).is_some_and(|(_, since)| since.elapsed() >= self.settle)
        };
        found.retain(rests);
        Ok(found)
    }

    /// Everything that is there, and since when it has been so.
    fn look(&mut self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.folder)? {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if is_passed_over(&name) {
                continue;
            }
            match fs::statat(&self.folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if kind(&stat) == FileType::Directory => {}
                Ok(stat) => found.push(one(name, &stat)),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let now = Instant::now();
        let seen = |found: &Found| match self.seen.get(&found.name) {
            Some((stamp, since)) if *stamp == found.stamp => *since,
            _ => now,
        };
        self.seen = found.iter().map(|f| (f.name.clone(), (f.stamp.clone(), seen(f)))).collect();
        Ok(found)
    }

    /// The bytes of a file; an error in place of their end when it is not what it was when it was found.
    pub(super) fn bring(&self, found: &Found) -> Result<Brought<'static>> {
        let opened = fs::openat(&self.folder, &found.name, OFlags::NONBLOCK | OPENED, Mode::empty());
        let file = match opened {
            Err(Errno::LOOP | Errno::NOENT) => return Err(StillChanges.into()),
            other => File::from(other?),
        };
        unchanged(&file, &found.stamp)?;
        let begun = (tokio::fs::File::from_std(file), found.stamp.clone());
        let bytes = futures_util::stream::try_unfold(begun, |(mut file, stamp)| async move {
            let mut piece = vec![0; READ_BYTES];
            let count = file.read(&mut piece).await?;
            if count == 0 {
                unchanged(&file, &stamp)?;
                return Ok(None);
            }
            piece.truncate(count);
            Ok(Some((Bytes::from(piece), (file, stamp))))
        });
        Ok(Brought { bytes: bytes.boxed(), size_bytes: found.size_bytes })
    }

    /// Moves a file aside with its report. Gives its new place.
    pub(super) fn set_aside(&self, found: &Found, state: State, report: &Value) -> Result<String> {
        let to = self.of(state);
        for n in 1..=u32::MAX {
            let name = numbered(&found.shown, n);
            if self.there(to, &name)? || self.there(to, &format!("{name}{REPORT}"))? {
                continue;
            }
            let moved = self.write_report(to, &name, report).and_then(|()| {
                let renamed = self.rename(&self.folder, &found.name, to, OsStr::new(&name));
                renamed.with_context(|| format!("moving to `{}/`", state.folder()))
            });
            if let Err(error) = moved {
                let _never_written = fs::unlinkat(to, under_way(&name), AtFlags::empty());
                match error.downcast_ref::<Errno>() {
                    Some(&Errno::EXIST) => continue,
                    Some(&Errno::NOENT) => return Err(StillChanges.into()),
                    _ => return Err(error),
                }
            }
            let is = fs::statat(to, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            if stamp(&is) != found.stamp {
                self.put_back(to, &name, found)?;
                return Err(StillChanges.into());
            }
            self.finish_move(to, &name)?;
            return Ok(format!("{}/{name}", state.folder()));
        }
        bail!("no name is left in `{}/`", state.folder())
    }

    /// What was moved was laid there meanwhile and is not what was taken in: it waits for the next round.
    fn put_back(&self, from: &OwnedFd, name: &str, found: &Found) -> Result<()> {
        for n in 1..=u32::MAX {
            let back = if n == 1 { found.name.clone() } else { numbered(&found.shown, n).into() };
            match self.rename(from, OsStr::new(name), &self.folder, &back) {
                Err(Errno::EXIST) => {}
                done => {
                    done?;
                    fs::unlinkat(from, under_way(name), AtFlags::empty())?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Ends moves that were broken off by a kill.
    fn finish_moves(&self, state: State) -> Result<()> {
        let to = self.of(state);
        for entry in Dir::read_from(to)? {
            let file = entry?.file_name().to_string_lossy().into_owned();
            let Some(name) = file.strip_prefix('.').and_then(|name| name.strip_suffix(UNDER_WAY)) else {
                continue;
            };
            if !self.there(to, name)? && !self.move_as_reported(to, name)? {
                fs::unlinkat(to, &file, AtFlags::empty())?;
                continue;
            }
            self.finish_move(to, name)?;
        }
        Ok(())
    }

    /// Moves the file that a report is about, when it is still as it was. False when it is not there.
    fn move_as_reported(&self, to: &OwnedFd, name: &str) -> Result<bool> {
        let mut text = String::new();
        let opened = fs::openat(to, under_way(name), OPENED, Mode::empty())?;
        // Cut short when the kill came while it was written: then nothing was moved.
        let _not_text = File::from(opened).take(1 << 22).read_to_string(&mut text);
        let report: Value = serde_json::from_str(&text).unwrap_or_default();
        let said = |field: &str| report.get(field).and_then(Value::as_str).unwrap_or_default();
        let file = said("file");
        if file.is_empty() || file.contains('/') || is_passed_over(OsStr::new(file)) {
            return Ok(false);
        }
        match fs::statat(&self.folder, file, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if stamp(&stat) == said("source") => {
                self.rename(&self.folder, OsStr::new(file), to, OsStr::new(name))?;
                Ok(true)
            }
            Ok(_) | Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn write_report(&self, to: &OwnedFd, name: &str, report: &Value) -> Result<()> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OPENED;
        let mut file = File::from(fs::openat(to, under_way(name), flags, Mode::from(0o640))?);
        file.write_all(format!("{report:#}\n").as_bytes()).context("writing the report")?;
        file.sync_all().context("writing the report")
    }

    fn finish_move(&self, to: &OwnedFd, name: &str) -> Result<()> {
        self.rename(to, OsStr::new(&under_way(name)), to, OsStr::new(&format!("{name}{REPORT}")))?;
        fs::fsync(to)?;
        fs::fsync(&self.folder)?;
        Ok(())
    }

    /// Renames, never over something that is there.
    fn rename(&self, from: &OwnedFd, old: &OsStr, to: &OwnedFd, new: &OsStr) -> Result<(), Errno> {
        match fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
            // Not every file system knows how; a second name and then the removal of the first does the same.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::linkat(from, old, to, new, AtFlags::empty())?;
                fs::unlinkat(from, old, AtFlags::empty())
            }
            done => done,
        }
    }

    fn there(&self, at: &OwnedFd, name: &str) -> Result<bool> {
        match fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    const fn of(&self, state: State) -> &OwnedFd {
        match state {
            State::Done => &self.done,
            State::Failed => &self.failed,
        }
    }
}

/// Opens `done/` or `failed/`, made when absent.
fn sub(folder: &OwnedFd, state: State) -> Result<OwnedFd> {
    let name = state.folder();
    match fs::mkdirat(folder, name, Mode::from(0o750)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error).with_context(|| format!("making `{name}/`")),
    }
    let opened = fs::openat(folder, name, OFlags::DIRECTORY | OPENED, Mode::empty());
    let opened = opened.with_context(|| format!("`{name}` must be a folder; a link is not followed"))?;
    let (here, there) = (fs::fstat(folder)?, fs::fstat(&opened)?);
    ensure!(here.st_dev == there.st_dev, "`{name}/` must lie on the file system of the watch folder");
    Ok(opened)
}

fn one(name: OsString, stat: &Stat) -> Found {
    let shown = cleaned(&name);
    let refused = match kind(stat) {
        FileType::Symlink => Some("it is a symbolic link; links are not followed, lay the file itself there"),
        FileType::RegularFile if name != *shown => {
            Some("its name holds characters that are not text or steer a terminal; give it another name")
        }
        FileType::RegularFile => None,
        _ => Some("it is not a regular file"),
    };
    let size_bytes = u64::try_from(stat.st_size).unwrap_or_default();
    Found { name, shown, size_bytes, stamp: stamp(stat), refused }
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Which file, how long, changed when.
fn stamp(stat: &Stat) -> String {
    format!("{}:{}:{}:{}.{:09}", stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec)
}

fn unchanged(file: &impl std::os::fd::AsFd, found: &str) -> Result<()> {
    let stat = fs::fstat(file)?;
    if kind(&stat) == FileType::RegularFile && stamp(&stat) == found {
        return Ok(());
    }
    Err(StillChanges.into())
}

fn under_way(name: &str) -> String {
    format!(".{name}{UNDER_WAY}")
}
