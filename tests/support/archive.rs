//! A vault in a temporary folder, with seeded keys, clock and chance.

use super::{DemoChannel, demo, rules, seeded, seeded_bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use knik::ledger::VerifierKey;
use knik::model::{CaptureId, OrganisationId};
use knik::store::blobs::Blobs;
use knik::store::catalogue::{Catalogue, Channel};
use knik::store::database::{Database, Mode, Plane};
use knik::store::inbox::Inbox;
use knik::store::journal::Journal;
use knik::store::keys::{KeyFolder, write_new};
use knik::store::room::RoomWriter;
use knik::vault::cosign::Witnesses;
use knik::vault::ingest::{Delivery, IngestReport, ingest, silent};
use knik::vault::{Archive, CaptureSource, Logs, Rules, Sources, VaultError, channels, sequence};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A vault with its reading room's database and inbox, in a folder that goes when it is dropped.
pub struct TestVault {
    pub archive: Archive,
    pub rules: Rules,
    /// The reading room's database, as its owner sees it.
    pub room: Database,
    pub inbox: Database,
    folder: PathBuf,
    /// Goes with the vault, unless the folder is somebody else's.
    _temporary: Option<TempDir>,
}

impl TestVault {
    /// An empty vault that knows `organisations`, each with a master key.
    pub async fn new(seed: u64, organisations: &[(OrganisationId, String)]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut vault = Self::at(temporary.path(), seed, seeded(seed), rules(), organisations).await;
        vault._temporary = Some(temporary);
        vault
    }

    /// The same over databases that are elsewhere: the vault's, the reading room's, and its inbox.
    pub async fn over(
        seed: u64,
        organisations: &[(OrganisationId, String)],
        databases: [Database; 3],
    ) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let at = temporary.path().to_owned();
        let mut vault = Self::with(&at, seed, seeded(seed), rules(), organisations, databases).await;
        vault._temporary = Some(temporary);
        vault
    }

    /// The vault of a folder, made when it is not there: keys of `seed`, time and chance of `sources`.
    pub async fn at(
        at: &Path,
        seed: u64,
        sources: Sources,
        rules: Rules,
        organisations: &[(OrganisationId, String)],
    ) -> Self {
        let vault = database(at, "vault.db", Plane::Vault).await;
        let room = database(at, "room.db", Plane::Room).await;
        let inbox = database(at, "inbox.db", Plane::Inbox).await;
        Self::with(at, seed, sources, rules, organisations, [vault, room, inbox]).await
    }

    async fn with(
        at: &Path,
        seed: u64,
        sources: Sources,
        rules: Rules,
        organisations: &[(OrganisationId, String)],
        [vault, room, inbox]: [Database; 3],
    ) -> Self {
        let keys = keys(&at.join("keys"), seed, organisations);
        std::fs::create_dir_all(at.join("segments")).unwrap();
        let log = |name: &str| keys.log_key(name, format!("knik.example/{name}").parse().unwrap()).unwrap();
        let archive = Archive {
            catalogue: Catalogue::new(vault.clone()),
            journal: Journal::new(vault),
            blobs: Blobs::folder(&at.join("segments")).unwrap(),
            room: RoomWriter::new(room.clone()),
            inbox: Inbox::new(inbox.clone()),
            keyring: Arc::new(keys.keyring().unwrap()),
            digests: Arc::new(keys.digest_key().unwrap()),
            suppression: Arc::new(keys.suppression_key().unwrap()),
            logs: Arc::new(Logs {
                vault: log("vault"),
                reading_room: log("reading-room"),
                second_place: Some(at.join("checkpoints")),
                witnesses: Witnesses::default(),
                authority: None,
            }),
            sources,
            intake: Arc::default(),
            turning: Arc::default(),
            copying: Arc::default(),
        };
        for (id, name) in organisations {
            channels::add_organisation(&archive, id, name).await.unwrap();
        }
        Self { archive, rules, room, inbox, folder: at.to_owned(), _temporary: None }
    }

    /// A vault with the demo's organisations and channels, and nothing taken in.
    pub async fn demo(seed: u64) -> (Self, Vec<DemoChannel>) {
        let (organisations, channels) = demo();
        let vault = Self::new(seed, &organisations).await;
        vault.declare(&channels).await;
        (vault, channels)
    }

    /// Declares channels of the demo.
    pub async fn declare(&self, channels: &[DemoChannel]) {
        for DemoChannel { channel, facts, .. } in channels {
            assert!(channels::declare(&self.archive, &self.rules, channel, facts, None).await.unwrap());
        }
    }

    /// A vault that took in everything of the demo, numbered and published.
    pub async fn loaded(seed: u64) -> (Self, Vec<DemoChannel>) {
        let (vault, channels) = Self::demo(seed).await;
        for demo in &channels {
            for capture in &demo.captures {
                vault.ingest(&demo.channel, &capture.path).await.unwrap();
            }
        }
        vault.round().await;
        (vault, channels)
    }

    /// Takes in a file, its format recognised.
    pub async fn ingest(&self, channel: &Channel, file: &Path) -> Result<IngestReport, VaultError> {
        let delivery = Delivery::of(CaptureSource::File(file.to_owned()));
        ingest(&self.archive, &self.rules, channel, delivery, silent()).await
    }

    /// Takes in bytes, as a file of their own.
    pub async fn ingest_bytes(&self, channel: &Channel, bytes: &[u8]) -> Result<IngestReport, VaultError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        self.ingest(channel, file.path()).await
    }

    /// The same folder opened by a process that comes after this one was killed.
    pub async fn reopened(self) -> Self {
        let Self { archive, rules, room, inbox, folder, _temporary } = self;
        let vault = archive.catalogue.database().clone();
        for db in [&vault, &room, &inbox] {
            db.close().await;
        }
        let at = folder.as_path();
        let vault = database(at, "vault.db", Plane::Vault).await;
        let room = database(at, "room.db", Plane::Room).await;
        let inbox = database(at, "inbox.db", Plane::Inbox).await;
        // What was in memory is gone: keys are what the files say.
        let keys = KeyFolder::open(&at.join("keys")).unwrap();
        let archive = Archive {
            catalogue: Catalogue::new(vault.clone()),
            journal: Journal::new(vault),
            keyring: Arc::new(keys.keyring().unwrap()),
            room: RoomWriter::new(room.clone()),
            inbox: Inbox::new(inbox.clone()),
            intake: Arc::default(),
            turning: Arc::default(),
            copying: Arc::default(),
            ..archive
        };
        Self { archive, rules, room, inbox, folder, _temporary }
    }

    /// One round of the leader: up, numbers, down.
    pub async fn round(&self) {
        sequence::round(&self.archive, &self.rules).await.unwrap();
    }

    /// Numbers entries as they come, until the guard is dropped.
    pub fn numbering(&self) -> impl Drop + use<> {
        let archive = self.archive.clone();
        let task = tokio::spawn(async move {
            loop {
                sequence::number(&archive).await.unwrap();
                archive.journal.asked(std::time::Duration::from_millis(20)).await;
            }
        });
        Stopped(task)
    }

    /// The folder with the keys.
    pub fn keys(&self) -> KeyFolder {
        KeyFolder::open(&self.folder().join("keys")).unwrap()
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a segment.
    pub fn segment_file(&self, segment: knik::model::SegmentId) -> PathBuf {
        let name = segment.to_string();
        self.folder().join("segments").join(&name[name.len() - 2..]).join(format!("{name}.seg"))
    }

    /// What verifies the vault's log, and the reading room's.
    pub fn verifiers(&self) -> [VerifierKey; 2] {
        [self.archive.logs.vault.verifier().clone(), self.archive.logs.reading_room.verifier().clone()]
    }

    /// The capture that came in last.
    pub async fn last_capture(&self) -> CaptureId {
        let row = sqlx::query("SELECT id FROM capture ORDER BY id DESC LIMIT 1")
            .fetch_one(self.archive.catalogue.database().read())
            .await
            .unwrap();
        let id: Vec<u8> = sqlx::Row::get(&row, "id");
        CaptureId::from_uuid(uuid::Uuid::from_slice(&id).unwrap())
    }

    /// Runs a statement on the vault's database, behind the back of the vault.
    pub async fn tamper(&self, statement: &'static str) -> u64 {
        let done = sqlx::query(statement).execute(self.archive.catalogue.database().write()).await;
        done.unwrap().rows_affected()
    }
}

struct Stopped(tokio::task::JoinHandle<()>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn database(folder: &Path, name: &str, plane: Plane) -> Database {
    let url = Database::sqlite_url(&folder.join(name));
    Database::open(&url, plane, Mode::Owner).await.unwrap()
}

/// Key files as the service finds them, their keys drawn from the seed.
fn keys(folder: &Path, seed: u64, organisations: &[(OrganisationId, String)]) -> KeyFolder {
    let keys = KeyFolder::open(folder).unwrap();
    let masters = organisations.iter().map(|(id, _)| ("master", id.as_str()));
    let others = [("digest", "digest"), ("log", "vault"), ("log", "reading-room")];
    for (n, (kind, name)) in (1_u64..).zip(masters.chain(others)) {
        let key = STANDARD.encode(seeded_bytes(seed.wrapping_mul(1_000).wrapping_add(n)));
        let file = folder.join(format!("{kind}-{name}.key"));
        if !file.exists() {
            // Whole or not at all, as the program makes its own: a disk may be full here.
            let unfinished = file.with_extension("seeded");
            let _left_by_one_before = std::fs::remove_file(&unfinished);
            write_new(&unfinished, format!("knik-key-1 {kind} {name} {key}\n").as_bytes()).unwrap();
            std::fs::rename(&unfinished, &file).unwrap();
        }
    }
    keys
}
