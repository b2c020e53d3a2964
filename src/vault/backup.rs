//! Backups: databases, segments and keys that fit together, in a place outside the data folder.
//!
//! The databases are copied in the order vault, reading room, inbox while nothing goes down: so the reading room is never
//! ahead of the vault, and what the vault took up from the inbox is in the inbox. Key files are read under the same lock,
//! so that every wrapped key has what opens it. Segments never change and are copied after it: those that the catalogue
//! names are all there. Intake, openings and reading go on.

use super::verify::wrong_in_segment;
use super::{Archive, VaultError};
use crate::ledger::{Entry, EntryKind, Pending};
use crate::store::StoreError;
use crate::store::backup::{BackupError, BackupPlace, LogLength};
use crate::store::blobs::Blobs;
use crate::store::catalogue::{Milestone, SegmentPlace};
use crate::store::keys::bundle::PrivateFiles;
use serde::Serialize;
use std::collections::HashMap;

/// What a backup holds, and what was done.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupMade {
    /// The snapshot's name.
    pub snapshot: String,
    /// Segments that it names.
    pub segments: u64,
    /// Bytes of them.
    pub segment_bytes: u64,
    /// Of these, segments that were not in the place before.
    pub copied: u64,
    /// Segments that are missing or damaged here and not in the place either: their records are not in the backup.
    pub damaged: Vec<String>,
    /// Files that are not in it, because they are too large for what is sealed together.
    pub left_out: Vec<String>,
    /// Older snapshots that were removed, with the keys in them.
    pub expired: Vec<String>,
}

/// Names of the databases in a snapshot: the vault's, the reading room's, its inbox.
pub const DATABASES: [&str; 3] = ["vault", "room", "inbox"];

/// What goes into a backup beside databases and segments, and how long it is kept.
pub struct Asked<'a> {
    /// Reads what is secret or small: called while no key can go.
    pub private: &'a (dyn Fn() -> Result<(PrivateFiles, Vec<String>), StoreError> + Sync),
    /// What it is sealed under.
    pub passphrase: &'a str,
    /// Snapshots older than this are removed when the new one is whole.
    pub keep_days: u32,
}

/// Makes a backup in a place. `progress` hears how many segments are there, of how many.
///
/// A segment that is damaged is named in the result and does not stop the rest.
///
/// # Errors
/// When the place or a database fails or the passphrase is too short: the snapshot then does not count, and those before
/// it stand.
pub async fn make(
    archive: &Archive,
    place: &BackupPlace,
    asked: &Asked<'_>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<BackupMade, VaultError> {
    let now = archive.sources.now();
    let unfinished = place.begin(now).await?;
    let logs = lengths(archive).await?;
    let (mut written, private, left_out, named);
    {
        let _fit_together = archive.copying.lock().await;
        written = Vec::new();
        let databases = [archive.catalogue.database(), archive.room.database(), archive.inbox.database()];
        for (name, database) in DATABASES.into_iter().zip(databases) {
            let name = format!("{name}.{}", database.snapshot_suffix());
            database.snapshot(&unfinished.path(&name)).await?;
            written.push(name);
        }
        named = archive.catalogue.segments().await?;
        (private, left_out) = (asked.private)()?;
    }
    let mut done = copy_segments(archive, &place.segments()?, &named, progress).await?;
    let segments = (done.segments, done.segment_bytes);
    done.snapshot = unfinished.finish(&written, logs, segments, &private, asked.passphrase).await?;
    done.left_out = left_out;
    record(archive, &done).await?;
    done.expired = place.expire(now.plus_seconds(-86_400 * i64::from(asked.keep_days))).await?;
    Ok(done)
}

async fn lengths(archive: &Archive) -> Result<Vec<LogLength>, VaultError> {
    let mut logs = Vec::new();
    for key in archive.logs.keys() {
        let origin = key.verifier().origin();
        let size = archive.journal.head(origin).await?.map_or(0, |head| head.size);
        logs.push(LogLength { origin: origin.clone(), size });
    }
    Ok(logs)
}

/// Copies the segments that are not in the place. One that is there is left as it is: it is written once, whole.
async fn copy_segments(
    archive: &Archive,
    place: &Blobs,
    named: &[SegmentPlace],
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<BackupMade, VaultError> {
    let there: HashMap<_, _> = place.list().await?.into_iter().collect();
    let (mut done, all) = (BackupMade::default(), named.len() as u64);
    for segment in named {
        done.segments += 1;
        done.segment_bytes += segment.size_bytes;
        if there.get(&segment.id) != Some(&segment.size_bytes) {
            match copy_segment(archive, place, segment).await? {
                None => done.copied += 1,
                Some(wrong) => done.damaged.push(wrong),
            }
        }
        progress(done.segments, all);
    }
    Ok(done)
}

/// What is wrong with it here, when it could not be copied.
async fn copy_segment(
    archive: &Archive,
    place: &Blobs,
    segment: &SegmentPlace,
) -> Result<Option<String>, VaultError> {
    if let Some(wrong) = wrong_in_segment(archive, segment).await? {
        return Ok(Some(wrong));
    }
    match archive.blobs.segment(segment.id).await? {
        Some(bytes) => place.put_once(segment.id, bytes).await.map(|_| None).map_err(Into::into),
        None => Ok(Some(format!("segment {} is missing", segment.id))),
    }
}

async fn record(archive: &Archive, done: &BackupMade) -> Result<(), VaultError> {
    let sources = &archive.sources;
    let outcome = if done.damaged.is_empty() { "whole" } else { "segments-damaged" };
    let entry = Entry::new(sources.entry_id()?, EntryKind::BackupMade, sources.now())
        .counting("segments".parse()?, done.segments)
        .counting("damaged".parse()?, done.damaged.len() as u64)
        .outcome(outcome.parse()?);
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    let detail = format!("{}: {} segments, {} damaged", done.snapshot, done.segments, done.damaged.len());
    Ok(archive.catalogue.reach(Milestone::Backup, &detail, sources.now()).await?)
}

/// Brings back the segments that the catalogue names, from a place into the archive. Returns what is wrong with those
/// that did not come back whole.
///
/// # Errors
/// When either side cannot be reached.
pub async fn bring_segments(
    archive: &Archive,
    place: &BackupPlace,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Vec<String>, VaultError> {
    let (from, named) = (place.segments().map_err(BackupError::from)?, archive.catalogue.segments().await?);
    let mut wrong = Vec::new();
    for (n, segment) in (1..).zip(&named) {
        if let Some(bytes) = from.segment(segment.id).await? {
            archive.blobs.put_once(segment.id, bytes).await?;
        }
        wrong.extend(wrong_in_segment(archive, segment).await?);
        progress(n, named.len() as u64);
    }
    Ok(wrong)
}
