//! Verification: the logs, their checkpoints, what witnesses and time-stamp authorities said of them, the fixity of
//! every segment, that its keys open, that originals have all their keys, and that decisions are those that were committed to.
//! Names the first thing that is wrong.

mod evidence;
mod export;
mod meet;
mod placed;
mod walk;

pub use export::{ExportVerification, verify_export};
pub(super) use meet::wrong_in_keys;
pub(super) use placed::{Placed, placed};

use super::{Archive, VaultError, policies, second_place};
use crate::ledger::{
    Authorities, Checkpoint, Origin, Receipt, ReceiptError, VerifiedEntry, VerifierKey, WitnessKey,
};
use crate::model::SegmentId;
use crate::seal::SegmentReader;
use crate::store::StoreError;
use crate::store::catalogue::{FragmentPlace, SegmentPlace};
use crate::store::exported::{CHECKPOINT, ExportedLog};
use crate::store::log_source::{LogSource, StoredLog};
use serde::Serialize;
use std::collections::HashSet;
use std::path::Path;
use walk::Walk;

/// What was looked at, and the first thing that is wrong with it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Entries of both logs whose place in the tree was checked.
    pub entries: u64,
    /// Cosignatures of witnesses that hold.
    pub cosignatures: u64,
    /// Time-stamps that hold.
    pub timestamps: u64,
    /// Segments of which every byte was checked.
    pub segments: u64,
    /// Bytes of those segments.
    pub segment_bytes: u64,
    /// Versions of originals of which every key is there.
    pub originals: u64,
    /// Decisions that are those the ledger committed to, or were made before it did.
    pub decisions: u64,
    /// Objects in storage that no key belongs to: they count as destroyed and may be swept.
    pub orphans: u64,
    /// What could not be checked, and why.
    pub warnings: Vec<String>,
    /// The first thing that is wrong; `None` when all is well.
    pub first_wrong: Option<String>,
    /// The first entry that it concerns, when it concerns entries of a log.
    pub first_bad: Option<BadEntry>,
}

/// The first entry of a log that something is wrong with. Those before it stand as they were signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BadEntry {
    /// Of which log.
    pub log: Option<Origin>,
    /// Its number, from 0.
    pub index: u64,
    /// What is wrong, in words.
    pub what: String,
}

/// Another checkpoint that a log must contain.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// Where it comes from, in words.
    pub what: String,
    /// The checkpoint, its signature checked.
    pub checkpoint: Checkpoint,
}

/// Whom whoever verifies trusts. Nothing of it is taken from what is verified.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Keys of the logs.
    pub keys: Vec<VerifierKey>,
    /// Keys of witnesses.
    pub witnesses: Vec<WitnessKey>,
    /// How many of them must have cosigned a checkpoint.
    pub witnesses_required: usize,
    /// Who issues the certificates of time-stamp authorities.
    pub authorities: Option<Authorities>,
}

impl Trust {
    /// What a vault is set to trust.
    #[must_use]
    pub fn of(archive: &Archive) -> Self {
        let logs = &archive.logs;
        Self {
            keys: vec![logs.vault.verifier().clone(), logs.reading_room.verifier().clone()],
            witnesses: logs.witnesses.keys.clone(),
            witnesses_required: logs.witnesses.required,
            authorities: logs.authority.as_ref().map(|authority| authority.trusted.clone()),
        }
    }
}

/// A checkpoint that was saved before: only what came since is looked at.
#[derive(Debug, Clone)]
pub struct Since {
    checkpoint: Checkpoint,
    before: Option<ExportedLog>,
}

impl Since {
    /// Reads a saved checkpoint: a file, or a folder that a log, or both, were exported to.
    ///
    /// # Errors
    /// When nothing of it is signed by one of the keys.
    pub async fn read(path: &Path, keys: &[VerifierKey]) -> Result<Vec<Self>, VaultError> {
        let mut found = Vec::new();
        let (mut why, folder) = (None, tokio::fs::metadata(path).await.is_ok_and(|at| at.is_dir()));
        for key in keys {
            let before = folder.then(|| exported(path, key));
            let file = if folder { folder_of(path, key).join(CHECKPOINT) } else { path.to_owned() };
            let note = match tokio::fs::read_to_string(&file).await {
                Ok(note) => note,
                Err(_) if folder => continue,
                Err(error) => return Err(StoreError::file("cannot read", &file)(error).into()),
            };
            match Checkpoint::verify(&note, key) {
                Ok(checkpoint) => found.push(Self { checkpoint, before }),
                Err(error) => why = Some(error),
            }
        }
        if found.is_empty() {
            let why = why.map_or_else(|| "no checkpoint is there".to_owned(), |error| error.to_string());
            return Err(VaultError::Input(format!("saved checkpoint `{}`: {why}", path.display())));
        }
        Ok(found)
    }
}

/// Where the log of a key lies in an exported folder: in a folder named as its plane, or there itself.
fn folder_of(dir: &Path, key: &VerifierKey) -> std::path::PathBuf {
    let own = dir.join(plane_of(key.origin()));
    if own.is_dir() || !dir.join(CHECKPOINT).exists() { own } else { dir.to_owned() }
}

fn exported(dir: &Path, key: &VerifierKey) -> ExportedLog {
    ExportedLog::new(folder_of(dir, key))
}

/// The last part of an origin, such as `vault`: the folder that its log is exported to.
#[must_use]
pub fn plane_of(origin: &Origin) -> &str {
    origin.as_str().rsplit('/').next().unwrap_or_default()
}

/// Verifies everything of a vault. `progress` hears how many segments are done, of how many.
///
/// # Errors
/// When storage cannot be read at all; what is read and wrong is named in the result.
pub async fn verify(
    archive: &Archive,
    trust: &Trust,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Verification, VaultError> {
    let mut seen = verify_ledger(archive, trust, &[]).await?;
    if seen.first_wrong.is_none() {
        seen.first_wrong = policies::first_wrong(archive).await?;
    }
    if seen.first_wrong.is_none() {
        seen.first_wrong = verify_segments(archive, &mut seen, progress).await?;
    }
    if seen.first_wrong.is_none() {
        seen.first_wrong = meet::wrong_in_originals(archive, &mut seen.originals).await?;
    }
    if seen.first_wrong.is_none() {
        seen.first_wrong = meet::wrong_in_decided(archive, &mut seen.decisions).await?;
    }
    Ok(seen)
}

/// Verifies the logs of a vault; with saved checkpoints, only what came since, and only of their logs.
///
/// # Errors
/// When storage cannot be read at all; what is read and wrong is named in the result.
pub async fn verify_ledger(
    archive: &Archive,
    trust: &Trust,
    since: &[Since],
) -> Result<Verification, VaultError> {
    let mut seen = Verification::default();
    for (key, since) in chosen(trust, since) {
        let log = StoredLog { journal: &archive.journal, origin: key.origin() };
        let copies = match &archive.logs.second_place {
            Some(folder) => second_place::copies(folder, key.origin()).await.unwrap_or_else(|error| {
                seen.warnings.push(format!("copies of checkpoints were not compared: {error}"));
                Vec::new()
            }),
            None => Vec::new(),
        };
        if verify_log(&log, key, trust, since, copies, &mut seen).await? {
            break;
        }
    }
    Ok(seen)
}

/// Verifies logs in a folder that they were exported to, from nothing else.
///
/// # Errors
/// When the folder cannot be read at all; what is read and wrong is named in the result.
pub async fn verify_exported(dir: &Path, trust: &Trust, since: &[Since]) -> Result<Verification, VaultError> {
    let mut seen = Verification::default();
    for (key, since) in chosen(trust, since) {
        let log = exported(dir, key);
        if log.head().await?.is_none() {
            // An export of an empty log has a checkpoint too.
            let what = format!("the checkpoint of {} is missing", key.origin());
            let index = since.map_or(0, |since| since.checkpoint.size());
            seen.wrong(BadEntry { log: Some(key.origin().clone()), index, what });
            break;
        }
        if verify_log(&log, key, trust, since, Vec::new(), &mut seen).await? {
            break;
        }
    }
    Ok(seen)
}

/// The logs to look at, each with the checkpoint to start from.
fn chosen<'a>(
    trust: &'a Trust,
    since: &'a [Since],
) -> impl Iterator<Item = (&'a VerifierKey, Option<&'a Since>)> {
    trust.keys.iter().filter_map(move |key| {
        let of = since.iter().find(|since| since.checkpoint.origin() == key.origin());
        (since.is_empty() || of.is_some()).then_some((key, of))
    })
}

/// Verifies one log; true when something is wrong with it.
async fn verify_log(
    log: &dyn LogSource,
    key: &VerifierKey,
    trust: &Trust,
    since: Option<&Since>,
    copies: Vec<(String, String)>,
    seen: &mut Verification,
) -> Result<bool, VaultError> {
    let mut said = evidence::read(log, key, trust, copies).await?;
    if let Some(since) = since {
        let checkpoint = since.checkpoint.clone();
        said.anchors.push(Anchor { what: "the saved checkpoint".to_owned(), checkpoint });
    }
    seen.cosignatures += said.cosignatures;
    seen.timestamps += said.timestamps;
    seen.warnings.append(&mut said.warnings);
    let walk = Walk {
        key,
        log,
        since: since.map(|since| &since.checkpoint),
        before: since.and_then(|since| since.before.as_ref()).map(|log| log as &dyn LogSource),
        anchors: said.anchors,
    };
    if let Some(bad) = walk.first_wrong(&mut seen.entries).await? {
        seen.wrong(bad);
    } else {
        seen.first_wrong = said.wrong;
    }
    Ok(seen.first_wrong.is_some())
}

impl Verification {
    fn wrong(&mut self, bad: BadEntry) {
        self.first_wrong = Some(bad.what.clone());
        self.first_bad = Some(bad);
    }
}

async fn verify_segments(
    archive: &Archive,
    seen: &mut Verification,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Option<String>, VaultError> {
    let known = archive.catalogue.segments().await?;
    let all = known.len() as u64;
    for segment in &known {
        if let Some(wrong) = wrong_in_segment(archive, segment).await? {
            return Ok(Some(wrong));
        }
        if let Some(wrong) = wrong_in_keys(archive, segment.id).await? {
            return Ok(Some(wrong));
        }
        seen.segments += 1;
        seen.segment_bytes += segment.size_bytes;
        progress(seen.segments, all);
    }
    let named: HashSet<SegmentId> = known.iter().map(|segment| segment.id).collect();
    let stored = archive.blobs.list().await?;
    seen.orphans = stored.iter().filter(|(id, _)| !named.contains(id)).count() as u64;
    Ok(None)
}

/// The first thing that is wrong with a segment, read whole; `None` when it is what was written.
///
/// # Errors
/// When storage cannot be reached. A segment that is not there is no error: it is wrong.
pub(super) async fn wrong_in_segment(
    archive: &Archive,
    segment: &SegmentPlace,
) -> Result<Option<String>, VaultError> {
    let Some(bytes) = archive.blobs.segment(segment.id).await? else {
        return Ok(Some(format!("segment {} is missing", segment.id)));
    };
    let fragments = archive.catalogue.fragments_of_segment(segment.id).await?;
    let wanted = segment.clone();
    Ok(tokio::task::spawn_blocking(move || first_wrong_in_segment(&bytes, &wanted, &fragments)).await?)
}

fn first_wrong_in_segment(bytes: &[u8], known: &SegmentPlace, fragments: &[FragmentPlace]) -> Option<String> {
    let id = known.id;
    let reader = match SegmentReader::parse(bytes) {
        Ok(reader) => reader,
        Err(error) => return Some(format!("segment {id}: {error}")),
    };
    match reader.verify() {
        Ok(root) if *root.as_bytes() == known.digest => {}
        Ok(_) => return Some(format!("segment {id} is not the one that was written")),
        Err(error) => return Some(format!("segment {id}: {error}")),
    }
    for fragment in fragments {
        let stands = reader.index().find(fragment.id);
        if !stands.is_ok_and(|at| at.offset == fragment.place && at.length == fragment.size_bytes) {
            return Some(format!("segment {id}: fragment {} does not stand where its key says", fragment.id));
        }
    }
    None
}

/// Confirms a receipt offline. The key always comes from who verifies.
///
/// # Errors
/// [`ReceiptError`], by what does not hold first.
pub fn verify_receipt(json: &str, key: &VerifierKey) -> Result<VerifiedEntry, ReceiptError> {
    let receipt: Receipt = serde_json::from_str(json).map_err(|_| ReceiptError::Malformed)?;
    receipt.verify(key)
}
