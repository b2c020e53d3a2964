//! Time-stamps over checkpoints, when an authority is configured. Numbering never waits for one: when the authority
//! is away, `status` warns and it is asked again.

use super::{Archive, VaultError};
use crate::ledger::{Authorities, LogKey, TimestampQuery, Timestamped, timestamp_of};
use crate::store::TimestampRow;
use crate::store::tsa::TimestampServer;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// The authority that stamps checkpoints.
#[derive(Debug)]
pub struct Authority {
    /// Where it is asked.
    pub server: TimestampServer,
    /// Whose certificates are trusted.
    pub trusted: Authorities,
    /// How long a checkpoint may stand without a stamp, in seconds.
    pub every_seconds: i64,
    trouble: Mutex<Option<String>>,
}

impl Authority {
    /// An authority that was not asked yet.
    #[must_use]
    pub const fn new(server: TimestampServer, trusted: Authorities, every_seconds: i64) -> Self {
        Self { server, trusted, every_seconds, trouble: Mutex::new(None) }
    }

    /// Why the last request failed, if it did.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn went(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// The newest time-stamp of a log: over how many entries, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// Entries of the checkpoint.
    pub size: u64,
    /// When the authority saw it.
    pub stamp: Timestamped,
}

/// The newest time-stamp that holds; none when there is none or no authority is configured.
///
/// # Errors
/// When the database fails.
pub async fn newest(archive: &Archive, key: &LogKey) -> Result<Option<Newest>, VaultError> {
    let Some(authority) = &archive.logs.authority else { return Ok(None) };
    let rows = archive.journal.timestamps(key.verifier().origin()).await?;
    let holds = |row: &TimestampRow| {
        let stamp = timestamp_of(&row.note, &row.response, &authority.trusted).ok()?;
        Some(Newest { size: row.size, stamp })
    };
    Ok(rows.iter().rev().find_map(holds))
}

/// Has the heads of both logs stamped where they moved since the last time. Returns how many were.
///
/// # Errors
/// When the authority does not answer or what it answers does not hold (`status` then says so), or storage fails.
pub async fn stamp(archive: &Archive) -> Result<usize, VaultError> {
    stamp_where(archive, false).await
}

/// As [`stamp`], but only of logs whose newest time-stamp is as old as is configured.
///
/// # Errors
/// As [`stamp`].
pub async fn stamp_when_due(archive: &Archive) -> Result<usize, VaultError> {
    stamp_where(archive, true).await
}

async fn stamp_where(archive: &Archive, only_due: bool) -> Result<usize, VaultError> {
    let Some(authority) = &archive.logs.authority else { return Ok(0) };
    let mut stamped = 0;
    for key in archive.logs.keys() {
        let newest = newest(archive, key).await?;
        let next = newest.as_ref().map(|newest| newest.stamp.at.plus_seconds(authority.every_seconds));
        if only_due && next.is_some_and(|next| next > archive.sources.now()) {
            continue;
        }
        match stamp_log(archive, authority, key, newest.map_or(0, |newest| newest.size)).await {
            Ok(done) => stamped += usize::from(done),
            Err(error) => {
                authority.went(Some(error.to_string()));
                return Err(error);
            }
        }
    }
    authority.went(None);
    Ok(stamped)
}

async fn stamp_log(
    archive: &Archive,
    authority: &Authority,
    key: &LogKey,
    stamped: u64,
) -> Result<bool, VaultError> {
    let origin = key.verifier().origin();
    let Some(head) = archive.journal.head(origin).await? else { return Ok(false) };
    if stamped >= head.size {
        return Ok(false);
    }
    let query = TimestampQuery::new(&head.checkpoint, *archive.sources.secret::<16>()?);
    let response = authority.server.ask(query.to_bytes()).await?;
    query.answered(&response, &authority.trusted)?;
    let row = TimestampRow { size: head.size, note: head.checkpoint, response };
    archive.journal.keep_timestamp(origin, &row).await?;
    Ok(true)
}

/// Pause between two looks, and before an authority that failed is asked again.
const PAUSE: Duration = Duration::from_secs(30);

/// Has checkpoints stamped as often as is configured, until the process ends.
pub async fn keep(archive: Archive) {
    loop {
        if let Err(error) = stamp_when_due(&archive).await {
            tracing::warn!(%error, "checkpoints were not time-stamped");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
