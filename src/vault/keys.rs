//! Epochs and master keys: ending what must end, and saying how things stand.
//!
//! A *turn* begins an organisation's next epoch, wraps every segment key and every sealed body of the ledger anew, and
//! then destroys the epoch keys before it. It is asked for by a destruction and by a rotation of the master key, which
//! is a new master key and a turn. Every step can be broken off and done again: the files say which epochs there are,
//! the key table says what is under which, and the row that asks goes last.

use super::{Archive, VaultError, publish};
use crate::ledger::{Entry, EntryKind, Pending};
use crate::model::{OrganisationId, SegmentId, Timestamp};
use crate::seal::{Epoch, KeyError, MasterVersion, Nonce, WrappedSegmentKey};
use crate::store::StoreError;
use crate::store::catalogue::BodyKey;
use crate::store::effect::Effect;
use crate::store::keys::Rewrapper;
use serde::Serialize;

/// Segment keys wrapped anew in one transaction.
const ROUND: u32 = 500;

/// How long a destroyed key may stay recoverable from old copies while the service runs, before `status` warns.
pub const TURN_SECONDS_MAX: i64 = 3_600;

/// What a turn did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Turned {
    /// The epoch that began, or goes on.
    pub epoch: u32,
    /// Segment keys wrapped anew.
    pub segments: u64,
    /// Bodies of the ledger whose key was.
    pub bodies: u64,
    /// Epoch keys destroyed.
    pub epochs_destroyed: u64,
    /// Master keys destroyed, because nothing needs them any more.
    pub masters_destroyed: Vec<u32>,
}

/// Does the turns that are asked for, or were broken off. Returns how many.
///
/// # Errors
/// When storage or the provider of master keys fails: the turn waits, and nothing is lost.
pub async fn turn_due(archive: &Archive) -> Result<u64, VaultError> {
    let mut done = 0;
    for organisation in archive.keyring.organisations() {
        if is_due(archive, &organisation).await? {
            turn(archive, &organisation).await?;
            done += 1;
        }
    }
    Ok(done)
}

async fn is_due(archive: &Archive, organisation: &OrganisationId) -> Result<bool, VaultError> {
    let epochs = archive.keyring.epochs(organisation);
    let newest = newest_master(archive, organisation)?;
    let behind = epochs.last().is_some_and(|in_force| in_force.master < newest);
    Ok(epochs.len() > 1 || behind || archive.catalogue.turn_asked(organisation).await?.is_some())
}

fn newest_master(archive: &Archive, organisation: &OrganisationId) -> Result<MasterVersion, KeyError> {
    let masters = archive.keyring.provider().masters()?;
    let newest = masters.iter().filter(|(whose, _)| whose == organisation).map(|(_, version)| *version).max();
    newest.ok_or_else(|| KeyError::NoMaster { organisation: organisation.clone() })
}

/// Begins the next epoch where one must begin, and ends those before it.
///
/// # Errors
/// As [`turn_due`].
pub async fn turn(archive: &Archive, organisation: &OrganisationId) -> Result<Turned, VaultError> {
    // Nothing comes in and nothing is destroyed meanwhile.
    let one_at_a_time = archive.intake.lock().await;
    let keyring = &archive.keyring;
    let asked = archive.catalogue.turn_asked(organisation).await?;
    let known = keyring.epochs(organisation);
    let last = known.last().ok_or_else(|| KeyError::NoMaster { organisation: organisation.clone() })?;
    let must_end = asked.is_some_and(|turn| turn.epoch >= last.epoch);
    if must_end || last.master < newest_master(archive, organisation)? {
        Effect::EpochKeyWritten.blocking(|| keyring.begin(organisation))?;
    }
    let in_force = keyring.in_force(organisation)?;
    // Asked for, however it began: it is done when this row is gone.
    archive.catalogue.ask_turn(organisation, Epoch::new(0), archive.sources.now()).await?;
    let mut done = Turned { epoch: in_force.number(), ..Turned::default() };
    let rewrapper = keyring.rewrapper(organisation)?;
    done.segments = rewrap_segments(archive, organisation, in_force, &rewrapper).await?;
    {
        let _no_copy_needs_old_keys = archive.copying.lock().await;
        let _nobody_needs_old_keys = archive.turning.write().await;
        done.bodies = rewrap_bodies(archive, in_force, &rewrapper).await?;
        for old in keyring.epochs(organisation).iter().filter(|known| known.epoch < in_force) {
            Effect::EpochKeyDestroyed.blocking(|| keyring.destroy(organisation, old.epoch))?;
            done.epochs_destroyed += 1;
        }
    }
    done.masters_destroyed = retire_masters(archive, organisation)?;
    drop(one_at_a_time);
    // What was withdrawn goes from the reading room before its log is emptied.
    publish::take_down(archive).await?;
    archive.room.empty_log().await?;
    archive.catalogue.database().empty_log().await?;
    let entries = entries(archive, organisation, &done)?;
    let _recorded =
        archive.catalogue.turned(archive.logs.vault_origin(), organisation, in_force, entries).await?;
    archive.journal.wake();
    Ok(done)
}

async fn rewrap_segments(
    archive: &Archive,
    organisation: &OrganisationId,
    in_force: Epoch,
    rewrapper: &Rewrapper,
) -> Result<u64, VaultError> {
    let mut done = 0;
    loop {
        let mut rows = archive.catalogue.segments_of_other_epochs(organisation, in_force, ROUND).await?;
        if rows.is_empty() {
            return Ok(done);
        }
        for row in &mut rows {
            row.wrapped = rewrapper.rewrap(row.segment, &row.wrapped, nonce(archive)?)?;
        }
        archive.catalogue.rewrapped(&rows).await?;
        done += rows.len() as u64;
    }
}

/// Bodies of this organisation are known by the epoch at their head; those from before there were epochs by what opens.
async fn rewrap_bodies(archive: &Archive, in_force: Epoch, rewrapper: &Rewrapper) -> Result<u64, VaultError> {
    let anew = |known: &BodyKey| {
        let damaged = |_| StoreError::Corrupt { what: "sealed body of an entry" };
        let Ok((wrapped, rest)) = WrappedSegmentKey::split_from(&known.body) else { return Ok(None) };
        if wrapped.epoch().is_some_and(|epoch| epoch == in_force || !rewrapper.knows(epoch)) {
            return Ok(None);
        }
        let segment = SegmentId::from_uuid(known.entry);
        match rewrapper.rewrap(segment, &wrapped, nonce(archive).map_err(|_| busy())?) {
            Ok(fresh) => Ok(Some([fresh.as_bytes(), rest].concat())),
            Err(KeyError::Mismatch | KeyError::Form) if wrapped.epoch().is_none() => Ok(None),
            Err(KeyError::Unavailable) => Err(busy()),
            Err(error) => Err(damaged(error)),
        }
    };
    Ok(archive.catalogue.rewrap_bodies(&anew).await?)
}

fn busy() -> StoreError {
    StoreError::Busy("keys cannot be wrapped now".to_owned())
}

fn nonce(archive: &Archive) -> Result<Nonce, VaultError> {
    Ok(Nonce::from_bytes(*archive.sources.secret::<12>()?))
}

/// Destroys master keys under which no epoch is left, but for the newest.
fn retire_masters(archive: &Archive, organisation: &OrganisationId) -> Result<Vec<u32>, VaultError> {
    let newest = newest_master(archive, organisation)?;
    let needed: Vec<MasterVersion> = archive.keyring.epochs(organisation).iter().map(|e| e.master).collect();
    let mut gone = Vec::new();
    for (whose, version) in archive.keyring.provider().masters()? {
        if whose == *organisation && version < newest && !needed.contains(&version) {
            let provider = archive.keyring.provider();
            Effect::MasterKeyDestroyed.blocking(|| provider.destroy(organisation, version))?;
            gone.push(version.number());
        }
    }
    Ok(gone)
}

fn entries(
    archive: &Archive,
    organisation: &OrganisationId,
    done: &Turned,
) -> Result<Vec<Pending>, VaultError> {
    let entry = |kind, what: &str| {
        let entry = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now());
        Ok::<_, VaultError>(entry.of(organisation.clone()).outcome(what.parse()?))
    };
    let made = entry(EntryKind::KeyCreated, "epoch-key")?.counting("epoch".parse()?, u64::from(done.epoch));
    let ended = entry(EntryKind::KeyDestroyed, "epoch-key")?
        .counting("epochs".parse()?, done.epochs_destroyed)
        .counting("segments".parse()?, done.segments)
        .counting("bodies".parse()?, done.bodies);
    let mut pending = vec![Pending::event(made)?, Pending::event(ended)?];
    for version in &done.masters_destroyed {
        let gone = entry(EntryKind::KeyDestroyed, "master-key")?;
        pending.push(Pending::event(gone.counting("version".parse()?, u64::from(*version)))?);
    }
    Ok(pending)
}

/// Makes a new master key and turns to it. A rotation that was broken off is gone on with.
///
/// # Errors
/// As [`turn_due`].
pub async fn rotate(archive: &Archive, organisation: &OrganisationId) -> Result<Turned, VaultError> {
    let newest = newest_master(archive, organisation)?;
    let broken_off = archive.keyring.epochs(organisation).iter().any(|epoch| epoch.master < newest);
    if !broken_off {
        let version = newest.next();
        let provider = archive.keyring.provider();
        Effect::MasterKeyWritten.blocking(|| provider.create(organisation, version))?;
        let id = archive.sources.entry_id()?;
        let entry = Entry::new(id, EntryKind::KeyCreated, archive.sources.now())
            .of(organisation.clone())
            .outcome("master-key".parse()?)
            .counting("version".parse()?, u64::from(version.number()));
        let log = archive.logs.vault_origin();
        let _recorded = archive.journal.record(log, Pending::event(entry)?, None).await?;
    }
    turn(archive, organisation).await
}

/// How the keys of an organisation stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyStatus {
    /// Whose.
    pub organisation: OrganisationId,
    /// Where its master keys are: `file` or `pkcs11`.
    pub provider: &'static str,
    /// Its master keys, oldest first: the last is in force.
    pub masters: Vec<MasterStatus>,
    /// Its epoch keys, oldest first: the last is in force; several while a turn is under way.
    pub epochs: Vec<EpochStatus>,
    /// Segments whose epoch key is not there: they do not open.
    pub segments_without_key: u64,
    /// Since when an epoch must end, if one must.
    pub turn_asked_at: Option<Timestamp>,
}

/// A master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MasterStatus {
    /// Its version.
    pub version: u32,
    /// When it was made, where that is known.
    pub made_at: Option<Timestamp>,
    /// Its age in whole days.
    pub age_days: Option<i64>,
    /// Segments that need it.
    pub segments: u64,
}

/// An epoch key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EpochStatus {
    /// Its number.
    pub epoch: u32,
    /// Which master key wraps it.
    pub master: u32,
    /// When it began, where that is known.
    pub since: Option<Timestamp>,
    /// Segments whose key it wraps.
    pub segments: u64,
}

/// How the keys of an organisation stand.
///
/// # Errors
/// When storage or the provider fails.
pub async fn status(archive: &Archive, organisation: &OrganisationId) -> Result<KeyStatus, VaultError> {
    let (keyring, now) = (&archive.keyring, archive.sources.now());
    let counted = archive.catalogue.segments_by_epoch(organisation).await?;
    let count = |epoch: Epoch| counted.get(&epoch).copied().unwrap_or_default();
    let known = keyring.epochs(organisation);
    let directly = count(Epoch::new(0));
    let provider = keyring.provider();
    let versions = provider.masters()?.into_iter().filter(|(whose, _)| whose == organisation);
    let masters = versions.map(|(_, version)| {
        let made_at = provider.made_at(organisation, version);
        let age = |made: Timestamp| (now.micros() - made.micros()).max(0) / 86_400_000_000;
        let under = known.iter().filter(|epoch| epoch.master == version).map(|epoch| count(epoch.epoch));
        let directly = if version.number() == 1 { directly } else { 0 };
        let segments = under.sum::<u64>() + directly;
        MasterStatus { version: version.number(), made_at, age_days: made_at.map(age), segments }
    });
    let masters = masters.collect();
    let here = |epoch: &Epoch| epoch.number() == 0 || known.iter().any(|known| known.epoch == *epoch);
    Ok(KeyStatus {
        organisation: organisation.clone(),
        provider: provider.name(),
        masters,
        epochs: known
            .iter()
            .map(|known| EpochStatus {
                epoch: known.epoch.number(),
                master: known.master.number(),
                since: known.since,
                segments: count(known.epoch),
            })
            .collect(),
        segments_without_key: counted.iter().filter(|(epoch, _)| !here(epoch)).map(|(_, n)| n).sum(),
        turn_asked_at: archive.catalogue.turn_asked(organisation).await?.map(|turn| turn.asked_at),
    })
}
