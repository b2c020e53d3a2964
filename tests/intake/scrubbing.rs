//! Reading back finds what is missing or damaged, says so in the ledger, and is content once it is put back.

use super::disclosure::entries;
use crate::support::TestVault;
use knik::ledger::{EntryKind, Thing};
use knik::model::SegmentId;
use knik::store::catalogue::Milestone;
use knik::vault::scrub::{Pace, Scrubbed, scrub, sweep};
use std::fs;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

async fn scrubbed(vault: &TestVault) -> Scrubbed {
    scrub(&vault.archive, vault.archive.sources.now(), Pace::Full, &|_, _| ()).await.unwrap()
}

#[tokio::test]
async fn damage_is_found_recorded_and_forgotten_once_it_is_mended() {
    let (vault, _) = TestVault::loaded(1).await;
    let catalogue = &vault.archive.catalogue;
    let all = catalogue.counts().await.unwrap().segments;
    let whole = scrubbed(&vault).await;
    assert_eq!((whole.segments, whole.wrong.len()), (all, 0));
    let segments = catalogue.segments().await.unwrap();
    let (missing, damaged) = (segments[0].id, segments[1].id);
    let sound = [missing, damaged].map(|segment| fs::read(vault.segment_file(segment)).unwrap());
    fs::remove_file(vault.segment_file(missing)).unwrap();
    let mut changed = sound[1].clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(vault.segment_file(damaged), changed).unwrap();

    let before = entries(&vault, 0).await.len();
    let found = scrubbed(&vault).await;
    assert_eq!((found.segments, found.wrong.len()), (all, 2), "it goes on after the first");
    assert!(found.wrong[0].contains(&missing.to_string()) && found.wrong[0].contains("missing"));
    assert!(found.wrong[1].contains(&damaged.to_string()));
    let told = entries(&vault, before).await;
    let incidents: Vec<_> = told.iter().filter(|entry| entry.kind() == EntryKind::IncidentOpened).collect();
    for (incident, segment) in incidents.iter().zip([missing, damaged]) {
        assert!(incident.things().contains(&Thing::Segment(segment)));
    }
    assert_eq!(incidents.len(), 2);
    assert_eq!(told.last().unwrap().outcome_code().unwrap().as_str(), "segments-damaged");
    let far = catalogue.fixity(vault.archive.sources.now().plus_seconds(-60)).await.unwrap();
    assert_eq!((far.segments, far.checked, far.wrong), (all, all, 2));
    let reached = catalogue.reached(Milestone::Scrub).await.unwrap().unwrap();
    assert!(reached.detail.ends_with("2 damaged"), "{}", reached.detail);

    for (segment, bytes) in [missing, damaged].iter().zip(sound) {
        fs::write(vault.segment_file(*segment), bytes).unwrap();
    }
    assert_eq!(scrubbed(&vault).await.wrong, Vec::<String>::new());
    assert_eq!(catalogue.fixity(vault.archive.sources.now()).await.unwrap().wrong, 0);
}

#[tokio::test]
async fn a_scrub_that_was_stopped_goes_on_where_it_was() {
    let (vault, _) = TestVault::loaded(1).await;
    let since = vault.archive.sources.now();
    let all = vault.archive.catalogue.segments().await.unwrap();
    for segment in &all[..3] {
        let now = vault.archive.sources.now();
        vault.archive.catalogue.segment_checked(segment.id, None, now).await.unwrap();
    }
    let far = std::sync::Mutex::new(Vec::new());
    let rest =
        scrub(&vault.archive, since, Pace::Background, &|done, of| far.lock().unwrap().push((done, of)))
            .await
            .unwrap();
    assert_eq!(rest.segments, all.len() as u64 - 3);
    let far = far.into_inner().unwrap();
    assert_eq!(far.first(), Some(&(4, all.len() as u64)), "progress counts what was done before");
    assert_eq!(far.last(), Some(&(all.len() as u64, all.len() as u64)));
}

/// An object that no row names, as a batch leaves it that was killed before its commit.
async fn orphan(vault: &TestVault, n: u128, seconds_old: i64) -> SegmentId {
    let id = SegmentId::from_uuid(Uuid::from_u128(n));
    vault.archive.blobs.put_once(id, b"sealed".as_slice().into()).await.unwrap();
    let written = vault.archive.sources.now().plus_seconds(-seconds_old).micros();
    let written = SystemTime::UNIX_EPOCH + Duration::from_micros(written.try_into().unwrap());
    let file = fs::File::options().write(true).open(vault.segment_file(id)).unwrap();
    file.set_modified(written).unwrap();
    id
}

#[tokio::test]
async fn what_no_row_names_is_swept_after_a_day_and_nothing_else() {
    let (vault, _) = TestVault::loaded(1).await;
    let segments = vault.archive.catalogue.segments().await.unwrap();
    // Objects that are named stay, however old.
    for segment in &segments {
        let file = fs::File::options().write(true).open(vault.segment_file(segment.id)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    assert_eq!(sweep(&vault.archive).await.unwrap(), 0);
    let before = entries(&vault, 0).await.len();
    let (old, young) = (orphan(&vault, 1, 86_400 + 60).await, orphan(&vault, 2, 86_400 - 60).await);
    assert_eq!(sweep(&vault.archive).await.unwrap(), 1);
    assert!(!vault.segment_file(old).exists());
    assert!(vault.segment_file(young).exists(), "its batch may still commit");
    let told = entries(&vault, before).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].outcome_code().unwrap().as_str(), "orphans-swept");
    assert_eq!(sweep(&vault.archive).await.unwrap(), 0);
    assert_eq!(scrubbed(&vault).await.wrong, Vec::<String>::new());
}
