//! Fixity: every segment is read back whole and its keys are opened, again and again, those first that waited longest.
//!
//! A scrub that stops in the middle goes on where it was: what was read back since it began is not read again.

use super::verify::{wrong_in_keys, wrong_in_segment};
use super::{Archive, VaultError};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{SegmentId, Timestamp};
use crate::store::catalogue::{Milestone, SegmentPlace};
use serde::Serialize;
use std::collections::HashSet;
use std::time::Duration;

/// What a scrub found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scrubbed {
    /// Segments that were read back.
    pub segments: u64,
    /// Bytes of those segments.
    pub segment_bytes: u64,
    /// What is wrong, segment by segment.
    pub wrong: Vec<String>,
}

/// How much of the time a scrub may read: the rest it leaves to those who ask for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All of it: somebody waits for the end.
    Full,
    /// A quarter of it.
    Background,
}

/// Segments looked up at a time.
const ROUND: u32 = 64;

/// Reads back every segment that was not read back since `since`. `progress` hears how many are done, of how many.
///
/// A segment that is missing or wrong is no error: it is named in the result, in the ledger as an incident, and by
/// [`Catalogue::fixity`](crate::store::catalogue::Catalogue::fixity) until it is read back whole.
///
/// # Errors
/// When storage cannot be reached; what was read back stands.
pub async fn scrub(
    archive: &Archive,
    since: Timestamp,
    pace: Pace,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Scrubbed, VaultError> {
    let mut done = Scrubbed::default();
    loop {
        let waiting = archive.catalogue.unchecked_segments(since, ROUND).await?;
        if waiting.is_empty() {
            break;
        }
        for segment in &waiting {
            let began = archive.sources.now();
            read_back(archive, segment, &mut done).await?;
            let far = archive.catalogue.fixity(since).await?;
            progress(far.checked, far.segments);
            if pace == Pace::Background {
                let took = archive.sources.now().micros() - began.micros();
                tokio::time::sleep(Duration::from_micros(took.unsigned_abs()).saturating_mul(3)).await;
            }
        }
    }
    conclude(archive, &done).await?;
    Ok(done)
}

async fn read_back(archive: &Archive, segment: &SegmentPlace, done: &mut Scrubbed) -> Result<(), VaultError> {
    let mut wrong = wrong_in_segment(archive, segment).await?;
    if wrong.is_none() {
        wrong = wrong_in_keys(archive, segment.id).await?;
    }
    if let Some(wrong) = &wrong {
        tracing::error!(segment = %segment.id, "segment is missing or damaged; see `knik status`");
        record_damage(archive, segment.id).await?;
        done.wrong.push(wrong.clone());
    }
    archive.catalogue.segment_checked(segment.id, wrong.as_deref(), archive.sources.now()).await?;
    done.segments += 1;
    done.segment_bytes += segment.size_bytes;
    Ok(())
}

async fn record_damage(archive: &Archive, segment: SegmentId) -> Result<(), VaultError> {
    let sources = &archive.sources;
    let entry = Entry::new(sources.entry_id()?, EntryKind::IncidentOpened, sources.now())
        .about([Thing::Segment(segment)])
        .outcome("segment-damaged".parse()?);
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(())
}

async fn conclude(archive: &Archive, done: &Scrubbed) -> Result<(), VaultError> {
    let sources = &archive.sources;
    let wrong = done.wrong.len() as u64;
    let outcome = if wrong == 0 { "segments-whole" } else { "segments-damaged" };
    let entry = Entry::new(sources.entry_id()?, EntryKind::VerificationRun, sources.now())
        .counting("segments".parse()?, done.segments)
        .counting("damaged".parse()?, wrong)
        .outcome(outcome.parse()?);
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    let detail = format!("{} segments, {wrong} damaged", done.segments);
    Ok(archive.catalogue.reach(Milestone::Scrub, &detail, sources.now()).await?)
}

/// How long an object without a row stays: a batch that is being written has its object before its row.
const ORPHAN_SECONDS: i64 = 86_400;

/// Removes objects in storage that no row names and that were written more than a day ago: what is left of batches that
/// never committed. Their keys were never stored, so nothing can be read of them. Gives how many there were; the ledger
/// says so.
///
/// # Errors
/// When storage or the database fails; what was removed stays removed, and the rest is found the next time.
pub async fn sweep(archive: &Archive) -> Result<u64, VaultError> {
    // No batch is between its object and its row.
    let _one_at_a_time = archive.intake.lock().await;
    let sources = &archive.sources;
    let old = archive.blobs.written_before(sources.now().plus_seconds(-ORPHAN_SECONDS)).await?;
    let segments = archive.catalogue.segments().await?;
    let named: HashSet<SegmentId> = segments.into_iter().map(|segment| segment.id).collect();
    let orphans: Vec<SegmentId> = old.into_iter().filter(|id| !named.contains(id)).collect();
    if orphans.is_empty() {
        return Ok(0);
    }
    for orphan in &orphans {
        archive.blobs.sweep(*orphan).await?;
    }
    let swept = orphans.len() as u64;
    let entry = Entry::new(sources.entry_id()?, EntryKind::VerificationRun, sources.now())
        .counting("orphans".parse()?, swept)
        .outcome("orphans-swept".parse()?);
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(swept)
}

/// How often it is looked whether a scrub is due.
const LOOK: Duration = Duration::from_secs(600);

/// Scrubs every `days` days until the process ends. An error is logged, and tried again.
pub async fn keep_scrubbing(archive: Archive, days: u64) {
    let every = i64::try_from(days.saturating_mul(86_400)).unwrap_or(i64::MAX / 1_000_000);
    loop {
        if let Err(error) = scrub_if_due(&archive, every).await {
            tracing::error!(%error, "reading segments back stopped; it goes on later");
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn scrub_if_due(archive: &Archive, every_seconds: i64) -> Result<(), VaultError> {
    let since = archive.sources.now().plus_seconds(-every_seconds);
    let last = archive.catalogue.reached(Milestone::Scrub).await?;
    if last.is_some_and(|last| last.at >= since) {
        return Ok(());
    }
    scrub(archive, since, Pace::Background, &|_, _| ()).await?;
    sweep(archive).await.map(drop)
}
