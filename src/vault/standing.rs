//! How the logs stand outside the database: copied, cosigned, time-stamped; and what must be warned of.

use super::{Archive, VaultError, cosign, second_place, timestamps};
use crate::ledger::{Checkpoint, LogKey, Origin};
use crate::model::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// How one log stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogStanding {
    /// Which log.
    pub origin: Origin,
    /// Entries that are numbered and signed.
    pub size: u64,
    /// Entries that the copy in the second place signs.
    pub copied: Option<u64>,
    /// Entries that enough witnesses cosigned.
    pub cosigned: Option<u64>,
    /// Entries that the newest time-stamp is over.
    pub timestamped: Option<u64>,
    /// When that was.
    pub timestamped_at: Option<Timestamp>,
}

/// How both logs stand.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// Each log.
    pub logs: Vec<LogStanding>,
    /// What must be looked after.
    pub warnings: Vec<String>,
}

/// Looks at both logs.
///
/// # Errors
/// When the database fails.
pub async fn of(archive: &Archive) -> Result<Standing, VaultError> {
    let (mut logs, mut warnings) = (Vec::new(), Vec::new());
    if archive.logs.second_place.is_none() {
        warnings.push("checkpoints are not copied to a second place: set ledger.second-place".to_owned());
    }
    for key in archive.logs.keys() {
        logs.push(one(archive, key, &mut warnings).await?);
    }
    if let Some(trouble) = archive.logs.authority.as_ref().and_then(timestamps::Authority::trouble) {
        warnings.push(format!("checkpoints are not time-stamped: {trouble}; it is tried again"));
    }
    Ok(Standing { logs, warnings })
}

async fn one(archive: &Archive, key: &LogKey, warnings: &mut Vec<String>) -> Result<LogStanding, VaultError> {
    let origin = key.verifier().origin();
    let size = archive.journal.head(origin).await?.map_or(0, |head| head.size);
    let copied = match archive.logs.second_place {
        Some(_) => copied(archive, key, size, warnings).await,
        None => None,
    };
    let cosigned = cosign::witnessed(archive, key).await?;
    if archive.logs.witnesses.required > 0 && size > 0 && cosigned.is_none() {
        warnings
            .push(format!("no checkpoint of {origin} is cosigned by enough witnesses: knik ledger cosign"));
    }
    let stamp = timestamps::newest(archive, key).await?;
    if let (Some(authority), Some(stamp)) = (&archive.logs.authority, &stamp)
        && size > stamp.size
        && stamp.stamp.at.plus_seconds(2 * authority.every_seconds) < archive.sources.now()
    {
        warnings.push(format!("the newest time-stamp of {origin} is of {}", stamp.stamp.at));
    }
    Ok(LogStanding {
        origin: origin.clone(),
        size,
        copied,
        cosigned,
        timestamped: stamp.as_ref().map(|stamp| stamp.size),
        timestamped_at: stamp.map(|stamp| stamp.stamp.at),
    })
}

/// A head is copied right after it is signed: how long that may take.
const COPYING: Duration = Duration::from_secs(1);

async fn copied(archive: &Archive, key: &LogKey, size: u64, warnings: &mut Vec<String>) -> Option<u64> {
    let origin = key.verifier().origin();
    let mut copied = size_of_copy(archive, key).await;
    if size > 0 && copied.as_ref().is_ok_and(|copied| *copied < Some(size)) {
        tokio::time::sleep(COPYING).await;
        copied = size_of_copy(archive, key).await;
    }
    match copied {
        Ok(None) if size > 0 => {
            warnings.push(format!("there is no copy of the checkpoint of {origin} in the second place"))
        }
        Ok(Some(copied)) if copied < size => {
            warnings
                .push(format!("the copy of the checkpoint of {origin} is stale: {copied} entries of {size}"));
        }
        Ok(Some(copied)) if copied > size => {
            warnings.push(format!("{origin} was rolled back: the copy of its checkpoint signs {copied} entries, it has {size}; run knik verify"));
        }
        Ok(_) => {}
        Err(ref error) => {
            warnings.push(format!("the copy of the checkpoint of {origin} cannot be used: {error}"))
        }
    }
    copied.ok().flatten()
}

async fn size_of_copy(archive: &Archive, key: &LogKey) -> Result<Option<u64>, VaultError> {
    let Some(folder) = &archive.logs.second_place else { return Ok(None) };
    match second_place::newest(folder, key.verifier().origin()).await? {
        Some(note) => Ok(Some(Checkpoint::verify(&note, key.verifier())?.size())),
        None => Ok(None),
    }
}
