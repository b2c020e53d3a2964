//! `knik status`: what is there, what waits, when the archive was looked after last, and what wants attention.

use super::folder::DataFolder;
use crate::http::token::IssuerStanding;
use crate::model::{SegmentId, Timestamp};
use crate::store::catalogue::{Fixity, Milestone, Reached};
use crate::vault::standing::{self, Standing};
use crate::vault::{Archive, break_glass, reviewing};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::HashSet;

/// A message of the reading room that waits longer, in seconds, is a warning.
const INBOX_PATIENCE_SECONDS: i64 = 60;
/// The forecast goes by what came in during so many days.
const FORECAST_DAYS: i64 = 30;
/// With fewer days to go the disk is a warning.
const DISK_DAYS_MIN: u64 = 30;
const DAY_SECONDS: i64 = 86_400;

/// Counts, heads of the ledger, milestones, warnings.
///
/// # Errors
/// When storage cannot be read.
pub(super) async fn status(folder: &DataFolder) -> Result<Value> {
    let archive = &folder.archive;
    let now = archive.sources.now();
    let Standing { logs, mut warnings } = standing::of(archive).await?;
    warnings.extend(super::keys::warnings(folder).await?);
    warnings.extend(break_glass::warnings(archive).await?);
    let queue = reviewing::tally(archive, &folder.rules, None).await?;
    warnings.extend(reviewing::overdue(&queue));
    let orphans = orphans(archive).await?;
    let fixity = fixity(folder, now, &mut warnings).await?;
    let waiting = inbox_wait(archive, now).await?;
    if waiting > INBOX_PATIENCE_SECONDS {
        warnings.push(format!(
            "the reading room's oldest message waits for {waiting} s to be taken up: is the service running?"
        ));
    }
    let disk = disk(folder, now, &mut warnings).await?;
    let backup = archive.catalogue.reached(Milestone::Backup).await?;
    warnings.extend(backup_due(folder, backup.as_ref(), now).await?);
    Ok(json!({
        "issuers": issuers(folder, &mut warnings),
        "revocations": archive.catalogue.revocations().await?.iter().filter(|one| one.lifted_at.is_none()).count(),
        "counts": archive.catalogue.counts().await?,
        "queue": queue,
        "projections": archive.room.count().await?,
        "logs": logs,
        "ruleset": folder.rules.ruleset.version(),
        "lastVerify": archive.catalogue.reached(Milestone::Verify).await?,
        "lastScrub": archive.catalogue.reached(Milestone::Scrub).await?,
        "lastBackup": backup,
        "fixity": fixity,
        "orphans": orphans,
        "inboxWaitSeconds": waiting,
        "disk": disk,
        "warnings": warnings,
    }))
}

/// How it stands with the keys of the issuers; `null` when no service runs.
fn issuers(folder: &DataFolder, warnings: &mut Vec<String>) -> Option<Vec<IssuerStanding>> {
    let serving = folder.serving.get()?;
    if serving.demo {
        warnings.push("this is the demo: tokens of a development issuer are taken".to_owned());
    }
    let standing = serving.renewal.standing();
    for issuer in &standing {
        let Some(why) = &issuer.failing else { continue };
        let then = match issuer.keys {
            0 => "its tokens are refused",
            _ => "the last good keys hold for now",
        };
        warnings.push(format!("issuer `{}`: {why}; {then}", issuer.issuer));
    }
    Some(standing)
}

/// A backup that is due: the newest is too old, or the oldest capture stands in none.
async fn backup_due(folder: &DataFolder, last: Option<&Reached>, now: Timestamp) -> Result<Option<String>> {
    let days = i64::try_from(folder.config.keeping.backup_every_days).unwrap_or(i64::MAX / DAY_SECONDS);
    let since = match last {
        Some(last) => Some(last.at),
        None => folder.archive.catalogue.first_capture_at().await?,
    };
    let due =
        days > 0 && since.is_some_and(|since| since < now.plus_seconds(-days.saturating_mul(DAY_SECONDS)));
    Ok(due.then(|| format!("no backup was made in {days} days: knik backup")))
}

/// Objects in storage that no row names.
async fn orphans(archive: &Archive) -> Result<u64> {
    let known: HashSet<SegmentId> =
        archive.catalogue.segments().await?.iter().map(|segment| segment.id).collect();
    let stored = archive.blobs.list().await?;
    Ok(stored.iter().filter(|(id, _)| !known.contains(id)).count() as u64)
}

async fn fixity(folder: &DataFolder, now: Timestamp, warnings: &mut Vec<String>) -> Result<Fixity> {
    let days = folder.config.keeping.scrub_every_days;
    let within = i64::try_from(days.max(1)).unwrap_or(i64::MAX).saturating_mul(DAY_SECONDS);
    let fixity = folder.archive.catalogue.fixity(now.plus_seconds(-within)).await?;
    if fixity.wrong > 0 {
        warnings.push(format!(
            "{} segments are missing or damaged: run `knik verify`, put them back from a backup, then `knik scrub`",
            fixity.wrong
        ));
    }
    Ok(fixity)
}

/// How long the oldest message waits that was not taken up, in seconds.
async fn inbox_wait(archive: &Archive, now: Timestamp) -> Result<i64> {
    let cursor = archive.journal.inbox_cursor().await?;
    let oldest = archive.inbox.after(cursor, 1).await?;
    Ok(oldest.first().map_or(0, |message| (now.seconds() - message.at.seconds()).max(0)))
}

/// Free bytes under the data folder, and for how many days they last if captures keep coming as they did.
async fn disk(folder: &DataFolder, now: Timestamp, warnings: &mut Vec<String>) -> Result<Value> {
    let room = rustix::fs::statvfs(&folder.path)
        .with_context(|| format!("looking at the disk of `{}`", folder.path.display()))?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let since = now.plus_seconds(-FORECAST_DAYS * DAY_SECONDS);
    let came = folder.archive.catalogue.sealed_bytes_since(since).await?;
    let a_day = came / FORECAST_DAYS.unsigned_abs();
    let days = free.checked_div(a_day);
    if let Some(days) = days.filter(|days| *days < DISK_DAYS_MIN) {
        warnings.push(format!("the disk lasts for {days} days at the pace of the last {FORECAST_DAYS}"));
    }
    Ok(json!({ "freeBytes": free, "sealedBytesADay": a_day, "daysLeft": days }))
}
