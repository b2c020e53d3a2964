//! `knik backup` and `knik restore`: what comes back, what must not, and what is refused.

use super::captures::{capture, reaction};
use super::fixture::{Plane, Service, knik, temp, wait_for};
use super::keys::secret;
use super::refusals::{Folder, questions};
use crate::conformance::stage::Stage;
use crate::keys::fixture::holding;
use knik::cli::DataFolder;
use knik::model::RecordId;
use knik::store::database::Plane as SqlPlane;
use knik::vault::destroy::{Destruction, destroy};
use knik::vault::sequence;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const PASSPHRASE: &str = "zeven losse woorden zonder enig verband";

/// A folder with three questions, and where its backups go.
pub struct Kept {
    pub folder: Folder,
    passphrase: String,
    place: PathBuf,
}

impl Kept {
    pub fn new() -> Self {
        Self::with("")
    }

    fn with(config: &str) -> Self {
        let folder = Folder::with(config);
        let file = folder.file("questions.json", &questions(3));
        folder.run(&["ingest", "--channel", "low-mastodon", &file]).ok();
        let passphrase = secret(folder.temp.path(), "passphrase", PASSPHRASE);
        let place = folder.temp.path().join("backups");
        Self { folder, passphrase, place }
    }

    pub fn backup(&self) -> Value {
        let place = text(&self.place);
        self.folder.run(&["backup", place, "--passphrase-file", &self.passphrase, "--json"]).ok().json()
    }

    /// What `knik restore` says when it makes a data folder of this name.
    pub fn restore(&self, name: &str, more: &[&str]) -> (PathBuf, super::fixture::Ran) {
        let dir = self.folder.temp.path().join(name);
        let asked = ["restore", text(&self.place), "--passphrase-file", &self.passphrase, "--json"];
        let ran = knik(&dir, &[&asked[..], more].concat());
        (dir, ran)
    }

    pub fn second_place(&self) -> String {
        text(&self.folder.dir.join("ledger-copy")).to_owned()
    }

    fn snapshot(&self, snapshot: &Value) -> PathBuf {
        self.place.join("snapshots").join(snapshot["snapshot"].as_str().unwrap())
    }
}

/// A configuration with the databases of a stage.
async fn databases(stage: &Stage) -> String {
    let mut addresses = Vec::new();
    for plane in [SqlPlane::Vault, SqlPlane::Room, SqlPlane::Inbox] {
        stage.make(plane).await;
        addresses.push(stage.url(plane, "postgres"));
    }
    let [vault, room, inbox] = addresses.as_slice() else { unreachable!() };
    format!("[vault]\ndatabase = \"{vault}\"\n[reading-room]\ndatabase = \"{room}\"\ninbox = \"{inbox}\"\n")
}

#[tokio::test]
async fn databases_on_a_server_come_back_in_others() {
    let (Some(here), Some(there)) = (Stage::postgresql(), Stage::postgresql()) else { return };
    here.run(async move |here| {
        there
            .run(async move |there| {
                let kept = Kept::with(&databases(&here).await);
                let revoked = grant(&kept.folder, "onderzoeker-1");
                let made = kept.backup();
                assert!(kept.snapshot(&made).join("vault.pgdump").is_file());
                kept.folder.run(&["grant", "revoke", &revoked]).ok();
                let doomed = destroy_one(&kept.folder.dir).await;
                let ledger = kept.second_place();
                // The databases that the configuration in the backup names hold the archive that is to be replaced.
                let (dir, ran) = kept.restore("restored", &["--ledger", &ledger]);
                ran.refused(&["not empty"]);
                assert!(!dir.exists());
                let config = kept.folder.file("other.toml", databases(&there).await.as_bytes());
                let (dir, ran) = kept.restore("restored", &["--ledger", &ledger, "--config", &config]);
                let done = ran.ok().json()["replayed"].clone();
                assert_eq!((&done["destroyed"], &done["grantsRevoked"]), (&1.into(), &1.into()), "{done}");
                is_sound(&dir);
                let folder = opened(&dir).await;
                let left = folder.archive.catalogue.doomed(&"min-low".parse().unwrap(), &[doomed]).await;
                assert!(left.unwrap().is_empty());
            })
            .await;
    })
    .await;
}

/// A data folder, whatever is set for these tests.
pub async fn opened(dir: &Path) -> DataFolder {
    DataFolder::open_with(dir, std::iter::empty()).await.unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn is_sound(dir: &Path) {
    let seen = knik(dir, &["verify", "--json"]).ok().json();
    assert_eq!(seen["firstWrong"], Value::Null, "{seen}");
}

#[test]
fn what_was_kept_comes_back_and_a_second_backup_copies_only_what_is_new() {
    let kept = Kept::new();
    let before = kept.folder.counts();
    let first = kept.backup();
    assert_eq!((&first["copied"], &first["damaged"]), (&first["segments"], &Value::Array(Vec::new())));
    let again = kept.backup();
    assert_eq!((&again["copied"], &again["segments"]), (&0.into(), &first["segments"]));
    assert!(kept.folder.run(&["status", "--json"]).ok().json()["lastBackup"]["at"].is_string());

    let (dir, ran) = kept.restore("restored", &["--ledger", &kept.second_place()]);
    let restored = ran.ok().json();
    assert_eq!(
        (&restored["damaged"], &restored["replayed"]["destroyed"]),
        (&Value::Array(Vec::new()), &0.into())
    );
    let counts = knik(&dir, &["status", "--json"]).ok().json()["counts"].clone();
    assert_eq!(counts, before);
    is_sound(&dir);
    // The restored log continues the one that was copied: what is signed now holds against what was signed before.
    let checkpoint = fs::read_dir(kept.second_place()).unwrap().flatten().map(|entry| entry.path());
    let checkpoint = checkpoint.filter(|path| path.extension().is_some_and(|end| end == "checkpoint"));
    for saved in checkpoint.filter(|path| text(path).contains("vault")) {
        knik(&dir, &["verify", "--since", text(&saved)]).ok();
    }
    // And it takes in what comes: the same capture again adds nothing, another one does.
    let file = kept.folder.file("questions.json", &questions(3));
    let report = knik(&dir, &["ingest", "--channel", "low-mastodon", &file, "--json"]).ok().json();
    assert_eq!(report["report"]["sameCapture"], true, "{report}");
    let other =
        kept.folder.file("other.json", &capture(&[reaction("116300000000999", "Wanneer komt de bus?")]));
    knik(&dir, &["ingest", "--channel", "low-mastodon", &other]).ok();
    is_sound(&dir);
}

#[tokio::test]
async fn what_was_destroyed_or_revoked_after_the_backup_stays_so() {
    let kept = Kept::new();
    let (granted, revoked) = (grant(&kept.folder, "onderzoeker-1"), grant(&kept.folder, "onderzoeker-2"));
    kept.backup();
    let later = kept
        .folder
        .file("later.json", &capture(&[reaction("116300000000998", "Hoe laat gaat het loket open?")]));
    kept.folder.run(&["ingest", "--channel", "low-mastodon", &later]).ok();
    kept.folder.run(&["grant", "revoke", &revoked]).ok();
    let doomed = destroy_one(&kept.folder.dir).await;

    let (dir, ran) = kept.restore("restored", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    let number = |field: &str| done[field].as_u64().unwrap();
    assert_eq!((number("destroyed"), number("grantsRevoked"), number("capturesLost")), (1, 1, 1), "{done}");
    is_sound(&dir);
    let grants = knik(&dir, &["grant", "list", "--json"]).ok().json();
    let state = |id: &str| {
        let found = grants.as_array().unwrap().iter().find(|grant| grant["id"] == *id);
        found.unwrap()["revokedAt"].is_string()
    };
    assert_eq!((state(&granted), state(&revoked)), (false, true), "{grants}");
    // Its key is gone, and the epoch it was under with it: the old copy of the database opens it no more.
    let folder = opened(&dir).await;
    let left = folder.archive.catalogue.doomed(&"min-low".parse().unwrap(), &[doomed]).await.unwrap();
    assert!(left.is_empty(), "it is destroyed");
    let keys = |dir: &Path| {
        let names = fs::read_dir(dir.join("keys")).unwrap().flatten().map(|entry| entry.file_name());
        let mut names: Vec<_> = names.filter(|name| text(Path::new(name)).starts_with("epoch-")).collect();
        names.sort();
        names
    };
    assert_eq!(keys(&dir).len(), 1);
    drop(folder);
    // Delivered again it is refused, as before.
    let file = kept.folder.file("questions.json", &questions(4));
    let report = knik(&dir, &["ingest", "--channel", "low-mastodon", &file, "--json"]).ok().json();
    assert_eq!(report["report"]["suppressed"], 1, "{report}");
}

fn grant(folder: &Folder, subject: &str) -> String {
    let asked = [
        "grant",
        "add",
        "--organisation",
        "min-low",
        "--subject",
        subject,
        "--issuer",
        "https://id.example",
        "--purpose",
        "onderzoek",
        "--legal-basis",
        "avg-89",
        "--until",
        "2099-01-01T00:00:00Z",
        "--json",
    ];
    folder.run(&asked).ok().json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_came_in_after_the_backup_and_was_destroyed_does_not_come_back() {
    let kept = Kept::new();
    kept.backup();
    let one = reaction("116300000000997", "Mijn buurman parkeert altijd verkeerd, kunt u komen?");
    let other = reaction("116300000000996", "Hoe laat gaat het loket open?");
    let later = kept.folder.file("later.json", &capture(&[one, other]));
    kept.folder.run(&["ingest", "--channel", "low-mastodon", &later]).ok();
    let all = |folder: DataFolder| async move {
        let all =
            folder.archive.catalogue.records(&"min-low".parse().unwrap(), None, None, 10).await.unwrap();
        close(folder).await;
        all.iter().map(|summary| summary.id).collect::<Vec<_>>()
    };
    let last = all(opened(&kept.folder.dir).await).await.into_iter().max().unwrap();
    destroy_record(&kept.folder.dir, last).await;

    let counts =
        |done: &Value| ["destroyed", "destroyedRefused", "destroyedLost"].map(|field| done[field].clone());
    let (dir, ran) = kept.restore("restored", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    assert_eq!(counts(&done), [Value::from(0), 1.into(), 0.into()], "{done}");
    is_sound(&dir);
    // The operator does as told, and delivers the captures again.
    let report = knik(&dir, &["ingest", "--channel", "low-mastodon", &later, "--json"]).ok().json();
    let report = &report["report"];
    assert_eq!((&report["suppressed"], &report["newRecords"]), (&1.into(), &1.into()), "{report}");
    is_sound(&dir);

    // An export of the ledger holds the entries and not the names: then it is said.
    let export = kept.folder.temp.path().join("exported");
    kept.folder.run(&["ledger", "export", text(&export)]).ok();
    let (_, ran) = kept.restore("without-names", &["--ledger", text(&export)]);
    let done = ran.ok().json()["replayed"].clone();
    assert_eq!(counts(&done), [Value::from(0), 0.into(), 1.into()], "{done}");
    // As when a list was changed.
    let lists = Path::new(&kept.second_place()).join("destroyed");
    for list in fs::read_dir(&lists).unwrap().flatten().map(|entry| entry.path()) {
        let changed = fs::read_to_string(&list).unwrap().replace("name ", "name 0");
        fs::write(&list, changed).unwrap();
    }
    let (_, ran) = kept.restore("changed", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    assert_eq!(counts(&done), [Value::from(0), 0.into(), 1.into()], "{done}");
}

async fn close(folder: DataFolder) {
    for database in [folder.archive.catalogue.database(), folder.archive.room.database()] {
        database.close().await;
    }
}

/// Destroys one record, and does what a service does after it.
async fn destroy_one(dir: &Path) -> RecordId {
    let folder = opened(dir).await;
    let low = "min-low".parse().unwrap();
    let all = folder.archive.catalogue.records(&low, None, None, 10).await.unwrap();
    // The one that came in first: it stands in the backup.
    let record = all.iter().map(|summary| summary.id).min().unwrap();
    close(folder).await;
    destroy_record(dir, record).await;
    record
}

async fn destroy_record(dir: &Path, record: RecordId) {
    let folder = opened(dir).await;
    let asked = Destruction {
        organisation: "min-low".parse().unwrap(),
        records: [record].into(),
        by: None,
        reasons: vec!["selection-list".parse().unwrap()],
    };
    destroy(&folder.archive, &asked).await.unwrap();
    sequence::round(&folder.archive, &folder.rules).await.unwrap();
    close(folder).await;
}

#[tokio::test]
async fn without_the_later_ledger_it_must_be_said_that_what_was_destroyed_comes_back() {
    let kept = Kept::new();
    kept.backup();
    let doomed = destroy_one(&kept.folder.dir).await;
    let (dir, ran) = kept.restore("restored", &[]);
    ran.refused(&["--ledger", "--without-later-ledger"]);
    assert!(!dir.exists());
    let (dir, ran) = kept.restore("restored", &["--without-later-ledger"]);
    assert_eq!(ran.ok().json()["replayed"], Value::Null);
    let folder = opened(&dir).await;
    let back = folder.archive.catalogue.doomed(&"min-low".parse().unwrap(), &[doomed]).await.unwrap();
    assert_eq!(back.len(), 1, "which is why it must be said");
}

#[test]
fn a_backup_that_was_changed_is_refused_and_leaves_nothing() {
    let kept = Kept::new();
    let made = kept.backup();
    let ledger = kept.second_place();
    let snapshot = kept.snapshot(&made);
    let refuses = |words: &[&str]| {
        let (dir, ran) = kept.restore("restored", &["--ledger", &ledger]);
        ran.refused(words);
        let left: Vec<_> = fs::read_dir(kept.folder.temp.path()).unwrap().flatten().collect();
        assert!(!dir.exists() && left.iter().all(|entry| !text(&entry.path()).ends_with(".restoring")));
    };
    for name in ["vault.db", "room.db", "inbox.db", "manifest.json", "private.sealed"] {
        let path = snapshot.join(name);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        // A digit of a length in the description; a byte in the middle of the others.
        let middle = match name {
            "manifest.json" => String::from_utf8_lossy(&whole).find("\"segments\": ").unwrap() + 12,
            _ => whole.len() / 2,
        };
        changed[middle] = if changed[middle] == b'7' { b'8' } else { b'7' };
        fs::write(&path, &changed).unwrap();
        refuses(&[if matches!(name, "manifest.json" | "private.sealed") {
            "wrong passphrase"
        } else {
            name
        }]);
        fs::remove_file(&path).unwrap();
        refuses(&[if name == "manifest.json" { "no whole snapshot" } else { name }]);
        fs::write(&path, &whole).unwrap();
    }
    let wrong = secret(kept.folder.temp.path(), "wrong", "een heel ander wachtwoord");
    let (dir, ran) = kept.restore("restored", &["--ledger", &ledger, "--passphrase-file", &wrong]);
    ran.refused(&[]);
    assert!(!dir.exists());
    // The ledger of another archive is not the continuation of this one.
    let other = Kept::new();
    let (dir, ran) = kept.restore("restored", &["--ledger", &other.second_place()]);
    ran.refused(&[]);
    assert!(!dir.exists());
    kept.restore("restored", &["--ledger", &ledger]).1.ok();
    kept.restore("restored", &["--ledger", &ledger]).1.refused(&["not empty"]);
}

#[test]
fn a_damaged_segment_is_named_and_the_rest_comes_back() {
    let kept = Kept::new();
    kept.backup();
    let segments = holding(&kept.place.join("segments"), b"");
    let victim = segments.first().unwrap();
    let mut bytes = fs::read(victim).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(victim, &bytes).unwrap();
    let (dir, ran) = kept.restore("restored", &["--ledger", &kept.second_place()]);
    assert_eq!(ran.code, 1, "{}", ran.said());
    let damaged = ran.json()["damaged"].clone();
    assert_eq!(damaged.as_array().unwrap().len(), 1, "{damaged}");
    assert!(damaged[0].as_str().unwrap().contains(victim.file_stem().unwrap().to_str().unwrap()));
    assert_eq!(knik(&dir, &["status", "--json"]).ok().json()["counts"], kept.folder.counts());

    // The other way about: damaged here, it does not go into a backup as if it were whole.
    let own = holding(&kept.folder.dir.join("vault/segments"), b"");
    fs::write(&own[0], b"rubbish").unwrap();
    let elsewhere = kept.folder.temp.path().join("elsewhere");
    let asked = ["backup", text(&elsewhere), "--passphrase-file", &kept.passphrase, "--json"];
    let ran = kept.folder.run(&asked);
    assert_eq!((ran.code, ran.json()["damaged"].as_array().unwrap().len()), (1, 1), "{}", ran.said());
}

#[test]
fn a_place_within_the_data_folder_and_a_short_passphrase_are_refused() {
    let kept = Kept::new();
    let within = kept.folder.dir.join("backups");
    let backup = |place: &Path, passphrase: &str| {
        kept.folder.run(&["backup", text(place), "--passphrase-file", passphrase])
    };
    backup(&within, &kept.passphrase).refused(&["lies in the data folder"]);
    assert!(!within.exists());
    let short = secret(kept.folder.temp.path(), "short", "te kort");
    backup(&kept.place, &short).refused(&["15 characters"]);
    let (_, ran) = kept.restore("restored", &["--without-later-ledger"]);
    ran.refused(&["no whole snapshot"]);
    kept.backup();
}

#[test]
fn snapshots_that_are_too_old_go_with_their_keys() {
    let kept = Kept::new();
    let first = kept.backup();
    let place = text(&kept.place);
    let asked = ["backup", place, "--passphrase-file", &kept.passphrase, "--keep-days", "0", "--json"];
    let second = kept.folder.run(&asked).ok().json();
    assert_eq!(second["expired"], Value::Array(vec![first["snapshot"].clone()]));
    assert!(!kept.snapshot(&first).exists());
    kept.restore("restored", &["--ledger", &kept.second_place()]).1.ok();
}

/// Nothing in a place for backups can be read without the passphrase but wrapped keys, digests and codes.
#[test]
fn a_backup_shows_no_key_and_no_content() {
    let kept = Kept::new();
    kept.backup();
    for name in ["master-min-low.key", "digest-digest.key", "suppression-suppression.key"] {
        let key = fs::read_to_string(kept.folder.dir.join("keys").join(name)).unwrap();
        let key = key.split_ascii_whitespace().last().unwrap();
        assert_eq!(holding(&kept.place, key.as_bytes()), Vec::<PathBuf>::new(), "{name}");
    }
    for name in ["wobbe_q", "Quakelbeen"] {
        assert_eq!(holding(&kept.place, name.as_bytes()), Vec::<PathBuf>::new(), "{name}");
    }
}

/// What was acknowledged before the backup began is in it, whatever comes in and goes down meanwhile; the reading room
/// that comes back is never ahead of the vault.
#[test]
fn a_backup_of_a_running_service_fits_together() {
    let place = temp();
    let mut service = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    let passphrase = secret(place.path(), "passphrase", PASSPHRASE);
    let backups = place.path().join("backups");
    let many = super::fixture::write(place.path(), "many.json", &questions(2_000));
    let before = service.json(&["status"])["counts"]["records"].as_u64().unwrap();
    let during = std::thread::scope(|scope| {
        let taking_in = scope.spawn(|| service.run(&["ingest", "--channel", "low-mastodon", &many]).ok());
        let mut names = Vec::new();
        while !taking_in.is_finished() || names.is_empty() {
            let made = service.json(&["backup", text(&backups), "--passphrase-file", &passphrase]);
            names.push(made["snapshot"].as_str().unwrap().to_owned());
        }
        names
    });
    wait_for("everything to be published", || {
        let waits = service.json(&["status"])["counts"]["staleConversations"].as_u64()?;
        (waits == 0).then_some(())
    });
    service.stop();
    let second_place = service.dir.join("ledger-copy");
    for (n, name) in during.iter().enumerate().filter(|(n, _)| *n == 0 || *n + 1 == during.len()) {
        let dir = place.path().join(format!("restored-{n}"));
        let asked = ["restore", text(&backups), "--snapshot", name, "--passphrase-file", &passphrase];
        knik(&dir, &[&asked[..], &["--ledger", text(&second_place)]].concat()).ok();
        is_sound(&dir);
        let status = knik(&dir, &["status", "--json"]).ok().json();
        assert!(status["counts"]["records"].as_u64().unwrap() >= before, "{status}");
        assert!(status["projections"].as_u64() <= status["counts"]["records"].as_u64(), "{status}");
    }
    // The last one is served.
    let last = during.len() - 1;
    fs::rename(place.path().join(format!("restored-{last}")), place.path().join("data-restored")).unwrap();
    let again = temp();
    fs::rename(place.path().join("data-restored"), again.path().join("data")).unwrap();
    let served = Service::start(again.path(), None, &["demo", "--port", "0"], &[]);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let answer = served.person("researcher").get(Plane::Room, "/v1/records").await;
        answer.expect(200);
    });
}
