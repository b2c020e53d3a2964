//! Master keys in a hardware module, and a provider that goes away.

use super::fixture::*;
use crate::intake::disclosure::{disclose, entries, official};
use crate::support::{TestVault, demo};
use knik::ledger::EntryKind;
use knik::model::{OrganisationId, Timestamp};
use knik::seal::{
    Epoch, EpochKey, EpochOf, KeyError, MasterKeyring, MasterVersion, Nonce, SegmentKey, WrappedKey,
};
use knik::store::keys::pkcs11::{ModuleMasters, ModuleSettings};
use knik::store::keys::{EpochKeyring, FileMasters, KeyFileError, MasterProvider};
use knik::vault::{VaultError, keys};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Key files that can be taken away for a while.
struct Away(FileMasters, AtomicBool);

impl Away {
    fn here(&self) -> Result<(), KeyError> {
        if self.1.load(Ordering::SeqCst) { Err(KeyError::Unavailable) } else { Ok(()) }
    }
}

impl MasterProvider for Away {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn masters(&self) -> Result<Vec<(OrganisationId, MasterVersion)>, KeyError> {
        self.0.masters()
    }
    fn wrap(&self, of: &EpochOf<'_>, key: &EpochKey, nonce: Nonce) -> Result<WrappedKey, KeyError> {
        self.here()?;
        self.0.wrap(of, key, nonce)
    }
    fn unwrap(&self, of: &EpochOf<'_>, wrapped: &WrappedKey) -> Result<EpochKey, KeyError> {
        self.here()?;
        self.0.unwrap(of, wrapped)
    }
    fn create(&self, organisation: &OrganisationId, version: MasterVersion) -> Result<bool, KeyFileError> {
        self.here()?;
        self.0.create(organisation, version)
    }
    fn destroy(&self, organisation: &OrganisationId, version: MasterVersion) -> Result<(), KeyFileError> {
        self.here()?;
        self.0.destroy(organisation, version)
    }
    fn export(
        &self,
        organisation: &OrganisationId,
        version: MasterVersion,
    ) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        self.0.export(organisation, version)
    }
    fn made_at(&self, organisation: &OrganisationId, version: MasterVersion) -> Option<Timestamp> {
        self.0.made_at(organisation, version)
    }
}

#[tokio::test]
async fn while_the_provider_is_away_nothing_is_half_done() {
    let (mut vault, channels) = TestVault::loaded(1).await;
    let low = low();
    let before = originals(&vault, &low).await.0;
    let away = Arc::new(Away(FileMasters::open(&vault.keys()).unwrap(), AtomicBool::new(false)));
    vault.archive.keyring = Arc::new(EpochKeyring::open(&vault.keys(), away.clone()).unwrap());
    let (counts, said) = (vault.archive.catalogue.counts().await.unwrap(), entries(&vault, 0).await.len());
    let (record, actor) = (*before.keys().next().unwrap(), official(LOW));
    let demo = channels.iter().find(|demo| demo.channel.organisation == low).unwrap();
    let file = [std::fs::read(&demo.captures[0].path).unwrap(), b"\n\n\n".to_vec()].concat();

    away.1.store(true, Ordering::SeqCst);
    let refused = disclose(&vault, &actor, record, "avg-15", "2026-0042", "the person asked to see it").await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, VaultError::Key(KeyError::Unavailable)), "{refused}");
    assert!(refused.to_string().contains("provider of master keys"), "{refused}");
    let refused = vault.ingest_bytes(&demo.channel, &file).await.unwrap_err();
    assert!(matches!(refused, VaultError::Key(KeyError::Unavailable)), "{refused}");
    let refused = destroyed(&vault, &low, &[record]).await.unwrap_err();
    assert!(matches!(refused, VaultError::Key(KeyError::Unavailable)), "{refused}");
    keys::rotate(&vault.archive, &low).await.unwrap_err();
    let after = vault.archive.catalogue.counts().await.unwrap();
    assert_eq!(
        (after.records, after.fragments, after.segments),
        (counts.records, counts.fragments, counts.segments)
    );
    let since = entries(&vault, said).await;
    let opening = |kind| {
        matches!(kind, EntryKind::DisclosureIntended | EntryKind::RecordsDestroyed | EntryKind::KeyCreated)
    };
    assert!(!since.iter().any(|entry| opening(entry.kind())), "nothing is said to have been done");

    away.1.store(false, Ordering::SeqCst);
    assert_eq!(originals(&vault, &low).await, (before, vec![]), "it comes back with the provider");
    assert!(!vault.ingest_bytes(&demo.channel, &file).await.unwrap().same_capture);
    destroyed(&vault, &low, &[record]).await.unwrap();
    // It goes away in the middle of a turn: the turn waits.
    away.1.store(true, Ordering::SeqCst);
    assert!(keys::turn_due(&vault.archive).await.is_err());
    away.1.store(false, Ordering::SeqCst);
    assert_eq!(turned(&vault).await, 1);
    assert_eq!(originals(&vault, &low).await.1, []);
}

/// A token of SoftHSM in a folder of its own. Its settings are read when the library is loaded: one in a process.
struct SoftHsm {
    folder: tempfile::TempDir,
}

impl SoftHsm {
    fn new() -> Option<Self> {
        if library().is_none() {
            println!("left out: master keys in a hardware module (SoftHSM is not installed)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tokens")).unwrap();
        std::fs::write(folder.path().join("pin"), "4711\n").unwrap();
        private(&folder.path().join("pin"));
        let hsm = Self { folder };
        std::fs::write(
            hsm.conf(),
            format!("directories.tokendir = {}\nlog.level = ERROR\n", hsm.tokens().display()),
        )
        .unwrap();
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", "knik-test", "--pin", "4711", "--so-pin", "0815"])
            .env("SOFTHSM2_CONF", hsm.conf())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(hsm)
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("softhsm2.conf")
    }

    fn tokens(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }
}

/// The library of SoftHSM, where it is installed.
fn library() -> Option<PathBuf> {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    ];
    places.iter().map(PathBuf::from).find(|library| library.exists())
}

fn private(path: &Path) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// The test below, in a process of its own: the library reads its settings from the environment, once.
#[test]
fn master_keys_live_in_a_hardware_module() {
    if let Some(folder) = std::env::var_os("KNIK_TEST_SOFTHSM") {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        return runtime.unwrap().block_on(in_a_hardware_module(&PathBuf::from(folder)));
    }
    let Some(hsm) = SoftHsm::new() else { return };
    let done = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "keys::provider::master_keys_live_in_a_hardware_module",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("SOFTHSM2_CONF", hsm.conf())
        .env("KNIK_TEST_SOFTHSM", hsm.folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// In a process of its own, because the module reads its environment.
async fn in_a_hardware_module(folder: &Path) {
    let library = library().unwrap();
    let settings = ModuleSettings { library, token: "knik-test".to_owned(), pin_file: folder.join("pin") };
    // Refused: another token, another PIN, a PIN that others may read.
    let other = ModuleSettings { token: "another".to_owned(), ..settings.clone() };
    assert!(ModuleMasters::open(other).err().unwrap().to_string().contains("another"));
    std::fs::write(folder.join("wrong"), "0000").unwrap();
    private(&folder.join("wrong"));
    let wrong = ModuleSettings { pin_file: folder.join("wrong"), ..settings.clone() };
    assert!(matches!(ModuleMasters::open(wrong), Err(KeyFileError::Module { doing: "logging in", .. })));
    std::fs::set_permissions(folder.join("wrong"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    let open_to_all = ModuleSettings { pin_file: folder.join("wrong"), ..settings.clone() };
    assert!(matches!(ModuleMasters::open(open_to_all), Err(KeyFileError::Mode { .. })));

    let masters = Arc::new(ModuleMasters::open(settings).unwrap());
    let (low, one) = (low(), MasterVersion::new(1));
    assert!(masters.create(&low, one).unwrap());
    assert!(!masters.create(&low, one).unwrap(), "a second one would lose the archive");
    assert_eq!(masters.masters().unwrap(), [(low.clone(), one)]);
    assert!(matches!(masters.export(&low, one), Err(KeyFileError::NotExtractable { .. })));

    // What is wrapped opens where it belongs, and a wrong binding is refused.
    let of = EpochOf { organisation: &low, master: one, epoch: Epoch::new(3) };
    let key = EpochKey::from_bytes(&[5; 32]);
    let wrapped = masters.wrap(&of, &key, Nonce::from_bytes([1; 12])).unwrap();
    assert_eq!(masters.unwrap(&of, &wrapped).unwrap().expose(), key.expose());
    let elsewhere = EpochOf { epoch: Epoch::new(4), ..of };
    assert_eq!(masters.unwrap(&elsewhere, &wrapped).unwrap_err(), KeyError::Unavailable);
    let rws = "rws".parse().unwrap();
    let nobody = EpochOf { organisation: &rws, ..of };
    assert_eq!(
        masters.unwrap(&nobody, &wrapped).unwrap_err(),
        KeyError::NoMaster { organisation: rws.clone() }
    );
    assert!(masters.unwrap(&of, &wrapped).is_ok(), "a refusal does not break the session");

    // A whole vault over it: taken in, opened, rotated, destroyed.
    let (organisations, channels) = demo();
    let organisations: Vec<_> = organisations.into_iter().filter(|(id, _)| *id == low).collect();
    let channels: Vec<_> = channels.into_iter().filter(|demo| demo.channel.organisation == low).collect();
    let mut vault = TestVault::new(1, &organisations).await;
    let keys_folder = vault.keys();
    for file in files(&vault.folder().join("keys")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name.starts_with("epoch-") || name.starts_with("master-") {
            std::fs::remove_file(file).unwrap();
        }
    }
    let keyring = Arc::new(EpochKeyring::open(&keys_folder, masters.clone()).unwrap());
    vault.archive.keyring = keyring.clone();
    vault.declare(&channels).await;
    vault.ingest(&channels[0].channel, &channels[0].captures[0].path).await.unwrap();
    vault.round().await;
    let before = originals(&vault, &low).await;
    assert!(before.0.len() > 3 && before.1.is_empty());
    let done = keys::rotate(&vault.archive, &low).await.unwrap();
    assert_eq!(
        (done.masters_destroyed, masters.masters().unwrap()),
        (vec![1], vec![(low.clone(), MasterVersion::new(2))])
    );
    assert_eq!(originals(&vault, &low).await, before);
    destroyed(&vault, &low, &[*before.0.keys().next().unwrap()]).await.unwrap();
    assert_eq!(turned(&vault).await, 1);
    assert_eq!(originals(&vault, &low).await.1, []);

    // The token goes away in the middle, and comes back.
    let segment = knik::model::SegmentId::from_uuid(uuid::Uuid::from_u128(4));
    let wrap = || {
        keyring.wrap_segment_key(&low, segment, &SegmentKey::from_bytes(&[2; 32]), Nonce::from_bytes([9; 12]))
    };
    let wrapped = wrap().unwrap();
    std::fs::rename(folder.join("tokens"), folder.join("away")).unwrap();
    let gone = wrap();
    std::fs::rename(folder.join("away"), folder.join("tokens")).unwrap();
    assert!(matches!(gone, Err(KeyError::Unavailable | KeyError::NoMaster { .. })), "{gone:?}");
    let back = keyring.unwrap_segment_key(&low, segment, &wrapped);
    assert!(
        back.is_ok(),
        "it comes back with the token: {back:?}, then {:?}",
        keyring.unwrap_segment_key(&low, segment, &wrapped)
    );
}
