//! A vault with a log of numbered entries, and copies of it.

use crate::support::{TestVault, start};
use knik::ledger::{Checkpoint, Entry, EntryId, EntryKind, Hash, LogKey, Origin, Pending, VerifierKey};
use knik::store::exported::ExportedLog;
use knik::store::log_source::StoredLog;
use knik::vault::sequence;
use knik::vault::verify::{Since, Trust, Verification, verify_exported, verify_ledger};
use std::fs;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A step that opens nothing. Another `history` gives another step for the same number.
pub fn step(n: u64, history: u64) -> Pending {
    let id = EntryId::from_uuid(Uuid::from_u64_pair(history, n));
    Pending::event(Entry::new(id, EntryKind::ViewServed, start())).unwrap()
}

/// A vault whose archive plane's log has entries, all vaults of one seed with the same keys.
pub struct Log(pub TestVault);

impl Log {
    /// A log with as many entries, those from `fork` on of another history; signed at each of `stops` on the way.
    pub async fn of(entries: u64, fork: u64, stops: &[u64]) -> Self {
        let log = Self(TestVault::new(1, &[]).await);
        let mut done = 0;
        for stop in stops.iter().copied().chain([entries]) {
            log.add(done..stop, fork).await;
            done = stop;
        }
        log
    }

    /// Adds entries and numbers them.
    pub async fn add(&self, numbers: std::ops::Range<u64>, fork: u64) {
        let steps = numbers.map(|n| step(n, u64::from(n >= fork))).collect();
        self.0.archive.journal.take_up(self.origin(), steps, &[], 0).await.unwrap();
        sequence::number(&self.0.archive).await.unwrap();
    }

    pub fn key(&self) -> &LogKey {
        &self.0.archive.logs.vault
    }

    pub fn origin(&self) -> &Origin {
        self.0.archive.logs.vault_origin()
    }

    pub fn trust(&self) -> Trust {
        Trust { keys: vec![self.key().verifier().clone()], ..Trust::of(&self.0.archive) }
    }

    /// The signed head.
    pub async fn checkpoint(&self) -> String {
        self.0.archive.journal.head(self.origin()).await.unwrap().unwrap().checkpoint
    }

    /// Where the copy of the whole log lies in the second place.
    pub fn mirror(&self) -> PathBuf {
        self.0.folder().join("checkpoints").join(self.origin().as_str().replace('/', "_"))
    }

    /// The signed head in a file of its own.
    pub async fn saved(&self, name: &str) -> PathBuf {
        let path = self.0.folder().join(name);
        fs::write(&path, self.checkpoint().await).unwrap();
        path
    }

    /// What is found wrong in the database.
    pub async fn look(&self, since: Option<&Path>) -> Verification {
        let since = read_since(since, &self.trust().keys).await;
        verify_ledger(&self.0.archive, &self.trust(), &since).await.unwrap()
    }

    /// Exports the log to a folder of this vault.
    pub async fn export(&self, name: &str) -> PathBuf {
        let path = self.0.folder().join(name);
        let log = StoredLog { journal: &self.0.archive.journal, origin: self.origin() };
        let empty = Checkpoint::new(self.origin().clone(), 0, Hash::empty()).sign(self.key()).unwrap();
        ExportedLog::new(path.clone()).write(&log, empty).await.unwrap();
        path
    }

    /// What is found wrong in a folder, offline.
    pub async fn look_at(&self, folder: &Path, since: Option<&Path>) -> Verification {
        let trust = Trust { keys: self.trust().keys, ..Trust::default() };
        let since = read_since(since, &trust.keys).await;
        verify_exported(folder, &trust, &since).await.unwrap()
    }

    /// Where the newest copy of the checkpoint lies.
    pub fn copy(&self) -> PathBuf {
        self.0
            .folder()
            .join("checkpoints")
            .join(format!("{}.checkpoint", self.origin().as_str().replace('/', "_")))
    }
}

async fn read_since(since: Option<&Path>, keys: &[VerifierKey]) -> Vec<Since> {
    match since {
        Some(path) => Since::read(path, keys).await.unwrap(),
        None => Vec::new(),
    }
}

/// The index and the words of what is wrong.
pub fn found(seen: &Verification) -> Option<(u64, String)> {
    let bad = seen.first_bad.as_ref()?;
    assert_eq!(seen.first_wrong.as_ref(), Some(&bad.what));
    Some((bad.index, bad.what.clone()))
}

/// Asserts that what is found is this index, in these words.
#[track_caller]
pub fn expect(what: &str, seen: &Verification, index: u64, words: &[&str]) {
    let (at, told) =
        found(seen).unwrap_or_else(|| panic!("{what}: nothing was found wrong ({:?})", seen.first_wrong));
    assert_eq!(at, index, "{what}: {told}");
    assert!(words.iter().all(|word| told.contains(word)), "{what}: {told}");
}
