//! Verification names the first thing that is wrong.

use crate::support::{TestVault, seeded_bytes};
use knik::ledger::LogKey;
use knik::model::SegmentId;
use knik::vault::verify::{Trust, Verification, verify};
use std::fs;

async fn look(vault: &TestVault) -> Verification {
    verify(&vault.archive, &Trust::of(&vault.archive), &|_, _| {}).await.unwrap()
}

/// What is wrong must be told, with these words in it; then it is mended and nothing is wrong any more.
async fn named(vault: &TestVault, what: &str, words: &[&str]) {
    let told = look(vault).await.first_wrong.unwrap_or_else(|| panic!("{what}: nothing was found wrong"));
    assert!(words.iter().all(|word| told.contains(word)), "{what}: {told}");
}

async fn mended(vault: &TestVault, what: &str) {
    assert_eq!(look(vault).await.first_wrong, None, "{what} was mended");
}

async fn segments(vault: &TestVault) -> Vec<SegmentId> {
    vault.archive.catalogue.segments().await.unwrap().iter().map(|segment| segment.id).collect()
}

#[tokio::test]
async fn a_sound_vault_is_found_sound() {
    let (vault, _) = TestVault::loaded(1).await;
    let seen = look(&vault).await;
    let counts = vault.archive.catalogue.counts().await.unwrap();
    assert_eq!((seen.first_wrong, seen.orphans), (None, 0));
    assert_eq!(seen.segments, counts.segments);
    assert!(seen.entries > 20 && seen.segment_bytes > 200_000, "{} entries", seen.entries);
    let orphan = SegmentId::from_uuid(uuid::Uuid::from_u128(1));
    vault
        .archive
        .blobs
        .put_once(orphan, bytes::Bytes::from_static(b"of a batch that never was"))
        .await
        .unwrap();
    let seen = look(&vault).await;
    assert_eq!((seen.first_wrong, seen.orphans), (None, 1));
    assert!(vault.folder().join("checkpoints").read_dir().unwrap().count() > 0, "checkpoints are copied");
}

#[tokio::test]
async fn a_segment_that_was_changed_is_named() {
    let (vault, _) = TestVault::loaded(1).await;
    let segments = segments(&vault).await;
    let (one, other) = (segments[segments.len() / 2], segments[0]);
    let (file, name) = (vault.segment_file(one), one.to_string());
    let sound = fs::read(&file).unwrap();
    let flipped = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut table: Vec<(String, Vec<u8>)> = [0, 9, sound.len() / 2, sound.len() - 40, sound.len() - 1]
        .iter()
        .map(|at| (format!("bit of byte {at}"), flipped(*at)))
        .collect();
    table.push(("cut short".to_owned(), sound[..sound.len() - 1].to_vec()));
    table.push(("made longer".to_owned(), [&sound[..], b"x"].concat()));
    table.push(("emptied".to_owned(), Vec::new()));
    table.push(("another segment".to_owned(), fs::read(vault.segment_file(other)).unwrap()));
    for (what, bytes) in table {
        fs::write(&file, bytes).unwrap();
        named(&vault, &what, &["segment", &name]).await;
    }
    fs::remove_file(&file).unwrap();
    named(&vault, "removed", &["segment", &name, "missing"]).await;
    fs::write(&file, &sound).unwrap();
    mended(&vault, "the segment").await;
    vault.tamper("UPDATE fragment SET place = place + 1 WHERE id = (SELECT MIN(id) FROM fragment)").await;
    named(&vault, "a key that points elsewhere", &["fragment"]).await;
    vault.tamper("UPDATE fragment SET place = place - 1 WHERE id = (SELECT MIN(id) FROM fragment)").await;
    mended(&vault, "the key table").await;
}

#[tokio::test]
async fn a_ledger_that_was_changed_is_named() {
    let (vault, _) = TestVault::loaded(1).await;
    let table = [
        (
            "an entry that says something else",
            "UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE place = 4 AND log LIKE '%vault') \
             WHERE place = 5 AND log LIKE '%vault'",
            "tile",
        ),
        (
            "an entry that is none",
            "UPDATE ledger_entry SET leaf = X'7b7d' WHERE place = 7 AND log LIKE '%vault'",
            "entry 7",
        ),
        (
            "an entry that is gone",
            "DELETE FROM ledger_entry WHERE place = 3 AND log LIKE '%vault'",
            "entry 3",
        ),
        (
            "the last entry gone",
            "DELETE FROM ledger_entry WHERE log LIKE '%vault' AND place = (SELECT MAX(place) FROM ledger_entry)",
            "missing",
        ),
        (
            "a tile that was changed",
            "UPDATE ledger_tile SET hashes = zeroblob(length(hashes)) WHERE level = 0",
            "tile",
        ),
        ("a head that is smaller", "UPDATE ledger_head SET size = size - 1", "size"),
        (
            "a checkpoint that was changed",
            "UPDATE ledger_head SET checkpoint = replace(checkpoint, '/vault', '/vaulT')",
            "checkpoint",
        ),
        ("no head", "DELETE FROM ledger_head", "head"),
    ];
    for name in ["ledger_entry", "ledger_tile", "ledger_head"] {
        keep(&vault, name).await;
    }
    for (what, change, word) in table {
        assert!(vault.tamper(change).await > 0, "{what}: nothing was changed");
        named(&vault, what, &[word, "vault"]).await;
        vault.tamper("DELETE FROM ledger_entry").await;
        vault.tamper("DELETE FROM ledger_tile").await;
        vault.tamper("DELETE FROM ledger_head").await;
        vault.tamper("INSERT INTO ledger_entry SELECT * FROM kept_ledger_entry").await;
        vault.tamper("INSERT INTO ledger_tile SELECT * FROM kept_ledger_tile").await;
        vault.tamper("INSERT INTO ledger_head SELECT * FROM kept_ledger_head").await;
        mended(&vault, what).await;
    }
    let [_, room] = vault.verifiers();
    let stranger = LogKey::from_seed(vault.archive.logs.vault_origin().clone(), &seeded_bytes(77)).unwrap();
    let keys = vec![stranger.verifier().clone(), room];
    let trust = Trust { keys, ..Trust::of(&vault.archive) };
    let told = verify(&vault.archive, &trust, &|_, _| {}).await.unwrap().first_wrong.unwrap();
    assert!(told.contains("checkpoint"), "another key: {told}");
}

async fn keep(vault: &TestVault, table: &str) {
    let sql = sqlx::AssertSqlSafe(format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
    sqlx::query(sql).execute(vault.archive.catalogue.database().write()).await.unwrap();
}

/// Verification of a vault in use is no false alarm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_in_use_is_found_sound() {
    let (vault, _) = TestVault::loaded(1).await;
    let archive = vault.archive.clone();
    let using = tokio::spawn(async move {
        for _ in 0..200 {
            let entry = knik::ledger::Entry::new(
                archive.sources.entry_id().unwrap(),
                knik::ledger::EntryKind::ViewServed,
                archive.sources.now(),
            );
            let pending = knik::ledger::Pending::event(entry).unwrap();
            let _recorded = archive.journal.record(archive.logs.vault_origin(), pending, None).await.unwrap();
            knik::vault::sequence::number(&archive).await.unwrap();
        }
    });
    let mut looks = 0;
    while !using.is_finished() {
        assert_eq!(look(&vault).await.first_wrong, None, "look {looks}");
        looks += 1;
    }
    using.await.unwrap();
    assert!(looks > 3, "{looks}");
}
