//! Destruction and turns of keys, on every backend.

use super::fixture::*;
use super::stage::Stage;
use crate::keys::fixture::{column, destroyed, find, originals, turned};
use crate::support::{TestVault, demo};
use knik::ledger::Pending;
use knik::model::{CaptureId, ConversationId, FragmentId, ProjectionId, RecordId, SegmentId};
use knik::seal::{Epoch, EpochKey, KeyError, MasterKeyring, SegmentKey, WrappedKey, WrappedSegmentKey};
use knik::store::StoreError;
use knik::store::catalogue::{Batch, Doomed, Removal, SegmentLeft, SightingRow, Surviving};
use knik::store::database::{Database, Dialect, Plane};
use knik::store::journal::{Journal, SealedBody};
use sqlx::Row;
use std::sync::Arc;

const TABLES: [&str; 12] = [
    "segment",
    "fragment",
    "record",
    "version",
    "sighting",
    "name",
    "suppression",
    "subject",
    "flag",
    "outbox",
    "key_turn",
    "journal_pending",
];

/// A wrapped segment key of an epoch.
fn wrapped(epoch: u32, byte: u8) -> WrappedSegmentKey {
    let head = [&[2_u8][..], &epoch.to_be_bytes()].concat();
    WrappedSegmentKey::from_bytes(&[head, vec![byte; 60]].concat()).unwrap()
}

/// The destruction of record 2, of which fragment 2 goes and fragment 3 stays.
fn removal(pending: Vec<Pending>) -> Removal {
    let record = Doomed {
        record: RecordId::from_uuid(id(2)),
        conversation: ConversationId::from_uuid(id(2)),
        projection: ProjectionId::from_uuid(id(1002)),
    };
    Removal {
        organisation: organisation(),
        now: at(100),
        records: vec![record],
        fragments: vec![FragmentId::from_uuid(id(2))],
        segments: vec![SegmentLeft {
            segment: SegmentId::from_uuid(id(2)),
            wrapped: Some(wrapped(7, 9)),
            surviving: vec![Surviving {
                fragment: FragmentId::from_uuid(id(3)),
                wrapped: WrappedKey::from_bytes(&[vec![1], vec![9; 60]].concat()).unwrap(),
            }],
        }],
        names: vec![digest(2)],
        suppressed: vec![(digest(200), ConversationId::from_uuid(id(2)))],
        emptied: vec![ConversationId::from_uuid(id(2))],
        captures: vec![CaptureId::from_uuid(id(1))],
        epoch: Epoch::new(7),
        pending,
    }
}

async fn stored(db: &Database) -> knik::store::catalogue::Catalogue {
    let catalogue = begun(db).await;
    let mut one = batch(2);
    one.fragments.push(fragment(3, SegmentId::from_uuid(id(2))));
    one.sightings = vec![SightingRow {
        capture: CaptureId::from_uuid(id(1)),
        record: RecordId::from_uuid(id(2)),
        names: Vec::new(),
        parts: vec![1, 0, 0],
    }];
    catalogue.commit(&log(), one).await.unwrap();
    catalogue
}

pub async fn a_destruction_stands_with_its_entry_or_not_at_all(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = stored(&db).await;
    let before = dump(&db, &TABLES).await;
    catalogue.destroy(&log(), removal(vec![step(50), step(50)])).await.unwrap_err();
    assert_eq!(dump(&db, &TABLES).await, before, "two entries of one id: nothing was destroyed");
    assert_eq!(catalogue.deliveries(&[RecordId::from_uuid(id(2))]).await.unwrap().len(), 2);
    assert!(!catalogue.suppresses().await.unwrap());

    assert_eq!(catalogue.destroy(&log(), removal(vec![step(50)])).await.unwrap().len(), 1);
    let fragments = catalogue.fragments_of_segment(SegmentId::from_uuid(id(2))).await.unwrap();
    assert_eq!(fragments.len(), 1);
    assert_eq!((fragments[0].id, fragments[0].wrapped_key[1]), (FragmentId::from_uuid(id(3)), 9));
    let segment = catalogue.segment(SegmentId::from_uuid(id(2))).await.unwrap().unwrap();
    assert_eq!(segment.wrapped_key, wrapped(7, 9).as_bytes());
    assert_eq!(catalogue.segments_by_epoch(&organisation()).await.unwrap(), [(Epoch::new(7), 1)].into());
    let record = RecordId::from_uuid(id(2));
    let summary = catalogue.record(record).await.unwrap().unwrap();
    assert_eq!((summary.withheld.as_deref(), summary.day), (Some("destroyed"), None));
    assert!(catalogue.originals(&[record]).await.unwrap().is_empty(), "it has no original");
    assert!(catalogue.members(ConversationId::from_uuid(id(2))).await.unwrap().is_empty());
    assert!(catalogue.doomed(&organisation(), &[record]).await.unwrap().is_empty(), "it is destroyed once");
    assert!(catalogue.known(&[digest(2)]).await.unwrap().is_empty());
    assert_eq!(catalogue.known_versions(&[record]).await.unwrap().len(), 1);
    assert!(!catalogue.known_versions(&[record]).await.unwrap().contains(&(record, digest(2))));
    let gone = catalogue.suppressed(&[digest(2), digest(200)]).await.unwrap();
    assert_eq!(gone, [(digest(200), ConversationId::from_uuid(id(2)))].into());
    assert!(catalogue.delivered_in(CaptureId::from_uuid(id(1))).await.unwrap().is_empty());
    assert_eq!(catalogue.turn_asked(&organisation()).await.unwrap().unwrap().epoch, Epoch::new(7));
    let left = dump(&db, &["subject", "stale_conversation", "sighting", "flag"]).await;
    assert_eq!(left, Vec::<String>::new());
}

pub async fn a_joined_conversation_takes_what_was_destroyed_in_it_along(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = stored(&db).await;
    catalogue.destroy(&log(), removal(vec![])).await.unwrap();
    let merged = vec![(ConversationId::from_uuid(id(9)), ConversationId::from_uuid(id(2)))];
    catalogue.commit(&log(), Batch { merged, ..empty() }).await.unwrap();
    let gone = catalogue.suppressed(&[digest(200)]).await.unwrap();
    assert_eq!(gone[&digest(200)], ConversationId::from_uuid(id(9)));
}

pub async fn a_turn_is_asked_for_until_a_later_epoch_is_in_force(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = stored(&db).await;
    let asked =
        || async { catalogue.turn_asked(&organisation()).await.unwrap().map(|turn| turn.epoch.number()) };
    catalogue.ask_turn(&organisation(), Epoch::new(3), at(1)).await.unwrap();
    catalogue.ask_turn(&organisation(), Epoch::new(2), at(2)).await.unwrap();
    assert_eq!(asked().await, Some(3), "an earlier epoch is among them");
    catalogue.ask_turn(&organisation(), Epoch::new(5), at(3)).await.unwrap();
    let turn = catalogue.turn_asked(&organisation()).await.unwrap().unwrap();
    assert_eq!((turn.epoch.number(), turn.asked_at), (5, at(1)), "since the first that asked");
    catalogue.turned(&log(), &organisation(), Epoch::new(5), vec![]).await.unwrap();
    assert_eq!(asked().await, Some(5), "the epoch in force is the one that must end");
    catalogue.turned(&log(), &organisation(), Epoch::new(6), vec![step(60)]).await.unwrap();
    assert_eq!(asked().await, None);
    // Segment keys under other epochs, some at a time; those that are destroyed are none.
    let rows = catalogue.segments_of_other_epochs(&organisation(), Epoch::new(7), 10).await;
    assert!(matches!(rows, Err(StoreError::Corrupt { .. })), "the fixture's key has no known form");
    catalogue.destroy(&log(), removal(vec![])).await.unwrap();
    let rows = catalogue.segments_of_other_epochs(&organisation(), Epoch::new(8), 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].wrapped.epoch()), (1, Some(Epoch::new(7))));
    let mut rows = rows;
    rows[0].wrapped = wrapped(8, 1);
    catalogue.rewrapped(&rows).await.unwrap();
    assert!(catalogue.segments_of_other_epochs(&organisation(), Epoch::new(8), 10).await.unwrap().is_empty());
}

pub async fn bodies_are_wrapped_anew_wherever_they_stand(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let journal = Journal::new(db.clone());
    let body = |byte: u8| Some(SealedBody([wrapped(7, byte).as_bytes(), b"rest"].concat()));
    let _numbered = journal.record(&log(), step(1), body(1)).await.unwrap();
    journal.sequence(&log_key("vault")).await.unwrap();
    let _pending = journal.record(&log(), step(2), body(2)).await.unwrap();
    let _without = journal.record(&log(), step(3), None).await.unwrap();
    let anew = |known: &knik::store::catalogue::BodyKey| {
        let (old, rest) = WrappedSegmentKey::split_from(&known.body).unwrap();
        assert_eq!(rest, b"rest");
        Ok((old.epoch() == Some(Epoch::new(7))).then(|| [wrapped(8, 5).as_bytes(), rest].concat()))
    };
    assert_eq!(catalogue.rewrap_bodies(&anew).await.unwrap(), 2);
    assert_eq!(catalogue.rewrap_bodies(&anew).await.unwrap(), 0);
    journal.sequence(&log_key("vault")).await.unwrap();
    for n in [1, 2] {
        let body = journal.body(knik::ledger::EntryId::from_uuid(id(n))).await.unwrap().unwrap();
        assert_eq!(body.0, [wrapped(8, 5).as_bytes(), b"rest"].concat());
    }
    let fails = |_: &knik::store::catalogue::BodyKey| Err(StoreError::Busy("away".to_owned()));
    assert!(catalogue.rewrap_bodies(&fails).await.is_err());
}

/// What a server's write-ahead log holds since a file of it.
async fn log_since(db: &Database, first: &str) -> Vec<Vec<u8>> {
    let names =
        sqlx::query("SELECT name FROM pg_ls_waldir() WHERE name >= $1 AND length(name) = 24 ORDER BY name")
            .bind(first.to_owned())
            .fetch_all(db.read())
            .await
            .unwrap();
    let mut found = Vec::new();
    for row in names {
        let name: String = row.get(0);
        let read =
            sqlx::query("SELECT pg_read_binary_file('pg_wal/' || $1)").bind(name).fetch_one(db.read()).await;
        found.extend(read.map(|row| row.get::<Vec<u8>, _>(0)));
    }
    found
}

pub async fn no_old_copy_opens_what_was_destroyed(stage: &Stage) {
    let databases =
        [stage.open(Plane::Vault).await, stage.open(Plane::Room).await, stage.open(Plane::Inbox).await];
    let db = databases[0].clone();
    let server = stage.dialect() == Dialect::Postgres;
    let first: String = match server {
        true => sqlx::query("SELECT pg_walfile_name(pg_current_wal_lsn())")
            .fetch_one(db.read())
            .await
            .unwrap()
            .get(0),
        false => String::new(),
    };
    let (organisations, channels) = demo();
    let vault = TestVault::over(1, &organisations, databases).await;
    vault.declare(&channels).await;
    let demo = channels.iter().find(|demo| demo.channel.organisation.as_str() == "min-low").unwrap();
    let low = demo.channel.organisation.clone();
    vault.ingest(&demo.channel, &demo.captures[0].path).await.unwrap();
    vault.round().await;
    let before = originals(&vault, &low).await.0;
    let segments: Vec<(SegmentId, WrappedSegmentKey)> = column(&vault, "SELECT id FROM segment ORDER BY id")
        .await
        .into_iter()
        .zip(column(&vault, "SELECT wrapped_key FROM segment ORDER BY id").await)
        .map(|(id, key)| {
            let id = SegmentId::from_uuid(uuid::Uuid::from_slice(&id).unwrap());
            (id, WrappedSegmentKey::from_bytes(&key).unwrap())
        })
        .collect();
    let fragments = column(&vault, "SELECT wrapped_key FROM fragment ORDER BY id").await;
    let record = *before.keys().next().unwrap();
    destroyed(&vault, &low, &[record]).await.unwrap();
    assert_eq!(turned(&vault).await, 1);
    let left = column(&vault, "SELECT wrapped_key FROM fragment ORDER BY id").await;
    let gone: Vec<&Vec<u8>> = fragments.iter().filter(|key| !left.contains(key)).collect();
    assert!(!gone.is_empty());
    if server {
        // The log keeps what was written: the keys of the destroyed fragments, and the segment keys above them.
        let log = log_since(&db, &first).await;
        let kept = |wanted: &[u8]| log.iter().any(|file| find(file, wanted));
        assert!(gone.iter().any(|key| kept(key)), "the log holds the old fragment keys");
        assert!(segments.iter().any(|(_, key)| kept(key.as_bytes())), "and the old segment keys");
    }
    // With every key there is today, none of those segment keys is unwrapped: so no fragment key is.
    let keyring = Arc::new(vault.keys().keyring().unwrap());
    let master = vault.archive.keyring.provider().export(&low, knik::seal::MasterVersion::new(1)).unwrap();
    for (segment, old) in &segments {
        let refused = keyring.unwrap_segment_key(&low, *segment, old).unwrap_err();
        assert!(matches!(refused, KeyError::NoEpoch { .. }), "{refused}");
        assert_eq!(
            EpochKey::from_bytes(&master).unwrap(&low, *segment, old).unwrap_err(),
            KeyError::Mismatch
        );
    }
    // Nor by the keys that stand in the database now.
    for (segment, old) in &segments {
        let now = vault.archive.catalogue.segment(*segment).await.unwrap().unwrap();
        if let Ok(now) = WrappedSegmentKey::from_bytes(&now.wrapped_key) {
            assert_ne!(&now, old);
            let key: SegmentKey = keyring.unwrap_segment_key(&low, *segment, &now).unwrap();
            for fragment in vault.archive.catalogue.fragments_of_segment(*segment).await.unwrap() {
                for gone in gone.iter().filter_map(|key| WrappedKey::from_bytes(key).ok()) {
                    let nonce = knik::seal::Nonce::from_bytes([0; 12]);
                    let opened = key.rewrap(&low, *segment, fragment.id, &gone, &key, nonce);
                    assert_eq!(
                        opened.unwrap_err(),
                        KeyError::Mismatch,
                        "a destroyed key is under no key that is left"
                    );
                }
            }
        }
    }
    let (after, closed) = originals(&vault, &low).await;
    assert_eq!((after.len(), closed.len()), (before.len() - 1, 0));
}
