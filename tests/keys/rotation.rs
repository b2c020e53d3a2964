//! A new master key: every segment key is wrapped anew, no segment is touched, and the old key goes last.

use super::fixture::*;
use crate::support::TestVault;
use knik::model::SegmentId;
use knik::seal::{MasterKeyring, MasterVersion, WrappedSegmentKey};
use knik::vault::keys::{self, rotate, status};
use sqlx::Row;
use std::fs;

/// Every sealed body of the ledger opens under the keys there are.
async fn bodies_open(vault: &TestVault) -> usize {
    let rows = sqlx::query("SELECT id, body FROM ledger_body UNION ALL SELECT id, body FROM journal_pending WHERE body IS NOT NULL")
        .fetch_all(vault.archive.catalogue.database().read())
        .await
        .unwrap();
    for row in &rows {
        let (id, body): (Vec<u8>, Vec<u8>) = (row.get(0), row.get(1));
        let segment = SegmentId::from_uuid(uuid::Uuid::from_slice(&id).unwrap());
        let (wrapped, _) = WrappedSegmentKey::split_from(&body).unwrap();
        let opens = |organisation: &str| {
            vault
                .archive
                .keyring
                .unwrap_segment_key(&organisation.parse().unwrap(), segment, &wrapped)
                .is_ok()
        };
        assert!(opens("min-low") || opens("dwv"), "a body does not open");
    }
    rows.len()
}

#[tokio::test]
async fn a_rotation_wraps_every_key_anew_and_touches_no_segment() {
    let (vault, _) = TestVault::loaded(1).await;
    let low = low();
    let before = originals(&vault, &low).await.0;
    let bodies = bodies_open(&vault).await;
    assert!(bodies > 20);
    let segments: Vec<_> =
        files(&vault.folder().join("segments")).into_iter().map(|f| (fs::read(&f).unwrap(), f)).collect();
    let old_master = fs::read(vault.folder().join("keys/master-min-low.key")).unwrap();
    let known = status(&vault.archive, &low).await.unwrap();
    assert_eq!((known.provider, known.masters.len(), known.epochs.len()), ("file", 1, 1));
    assert!(known.masters[0].segments > 3 && known.segments_without_key == 0);

    let done = rotate(&vault.archive, &low).await.unwrap();
    assert_eq!((done.segments, &done.masters_destroyed), (known.masters[0].segments, &vec![1]));
    assert!(done.bodies > 20, "{done:?}");
    let after = status(&vault.archive, &low).await.unwrap();
    assert_eq!((after.masters.len(), after.masters[0].version), (1, 2));
    assert_eq!(after.masters[0].segments, known.masters[0].segments);
    assert_eq!((after.epochs.len(), after.epochs[0].master, after.turn_asked_at), (1, 2, None));
    assert!(!vault.folder().join("keys/master-min-low.key").exists(), "nothing needs the old one");
    assert!(holding(vault.folder(), old_master.split(|b| *b == b' ').next_back().unwrap()).is_empty());
    for (bytes, file) in segments {
        assert_eq!(fs::read(&file).unwrap(), bytes, "{}", file.display());
    }
    assert_eq!(bodies_open(&vault).await, bodies);
    assert_eq!(originals(&vault, &low).await, (before, vec![]));
    // The other organisation's keys are as they were.
    let other = status(&vault.archive, &"dwv".parse().unwrap()).await.unwrap();
    assert_eq!((other.masters[0].version, other.epochs[0].epoch < after.epochs[0].epoch), (1, true));
    let vault = vault.reopened().await;
    assert!(originals(&vault, &low).await.1.is_empty());
}

#[tokio::test]
async fn a_rotation_that_broke_off_anywhere_is_gone_on_with() {
    for broken_at in 0..4 {
        let (vault, _) = TestVault::loaded(1).await;
        let low = low();
        let before = originals(&vault, &low).await.0;
        // What a kill leaves: a new master key; a new epoch beside it; some segment keys wrapped anew; all of them.
        let keyring = &vault.archive.keyring;
        keyring.provider().create(&low, MasterVersion::new(2)).unwrap();
        if broken_at > 0 {
            let epoch = keyring.begin(&low).unwrap();
            let rewrapper = keyring.rewrapper(&low).unwrap();
            let most = [0, 0, 2, 1_000][broken_at];
            let mut rows = vault.archive.catalogue.segments_of_other_epochs(&low, epoch, most).await.unwrap();
            for row in &mut rows {
                let nonce = knik::seal::Nonce::from_bytes([7; 12]);
                row.wrapped = rewrapper.rewrap(row.segment, &row.wrapped, nonce).unwrap();
            }
            vault.archive.catalogue.rewrapped(&rows).await.unwrap();
        }
        let vault = vault.reopened().await;
        assert_eq!(originals(&vault, &low).await, (before.clone(), vec![]), "half-way everything opens");
        if broken_at % 2 == 0 {
            assert_eq!(turned(&vault).await, 1, "broken off at {broken_at}");
        } else {
            rotate(&vault.archive, &low).await.unwrap();
        }
        let known = status(&vault.archive, &low).await.unwrap();
        let masters: Vec<u32> = known.masters.iter().map(|master| master.version).collect();
        assert_eq!((masters, known.epochs.len(), known.segments_without_key), (vec![2], 1, 0), "{broken_at}");
        assert_eq!(originals(&vault, &low).await, (before, vec![]));
        assert_eq!(turned(&vault).await, 0);
        bodies_open(&vault).await;
    }
}

#[tokio::test]
async fn a_destruction_during_a_turn_ends_the_epoch_that_had_begun() {
    let (vault, _) = TestVault::loaded(1).await;
    let low = low();
    let keyring = &vault.archive.keyring;
    let began = keyring.begin(&low).unwrap();
    let record = records(&vault, &low).await[0];
    destroyed(&vault, &low, &[record]).await.unwrap();
    turned(&vault).await;
    assert!(
        keyring.in_force(&low).unwrap() > began,
        "what was wrapped in it meanwhile may stand in old copies"
    );
    assert_eq!(keyring.epochs(&low).len(), 1);
}

#[tokio::test]
async fn keys_from_before_there_were_epochs_are_wrapped_anew() {
    let (vault, _) = TestVault::loaded(1).await;
    let low = low();
    let before = originals(&vault, &low).await.0;
    // As the first version wrote them: under the master key itself.
    let master = knik::seal::MasterKey::from_bytes(
        &vault.archive.keyring.provider().export(&low, MasterVersion::new(1)).unwrap(),
    );
    let rows = vault
        .archive
        .catalogue
        .segments_of_other_epochs(&low, knik::seal::Epoch::new(0), 1_000)
        .await
        .unwrap();
    assert!(rows.len() > 3);
    for row in rows {
        let key = vault.archive.keyring.unwrap_segment_key(&low, row.segment, &row.wrapped).unwrap();
        let nonce = knik::seal::Nonce::from_bytes([7; 12]);
        let old = master.wrap_without_epoch(&low, row.segment, &key, nonce).unwrap();
        sqlx::query("UPDATE segment SET wrapped_key = $1, epoch = 0 WHERE id = $2")
            .bind(old.as_bytes().to_vec())
            .bind(row.segment.as_bytes().to_vec())
            .execute(vault.archive.catalogue.database().write())
            .await
            .unwrap();
    }
    assert_eq!(originals(&vault, &low).await, (before.clone(), vec![]), "they open as they are");
    vault
        .archive
        .catalogue
        .ask_turn(&low, knik::seal::Epoch::new(0), vault.archive.sources.now())
        .await
        .unwrap();
    let done = keys::turn(&vault.archive, &low).await.unwrap();
    assert!(done.segments > 3 && done.epochs_destroyed == 0, "{done:?}");
    assert_eq!(originals(&vault, &low).await, (before, vec![]));
    assert!(column(&vault, "SELECT wrapped_key FROM segment").await.iter().all(|key| key.len() == 65));
}
