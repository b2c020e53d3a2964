//! What is known of the keeping: those that waited longest are read back first; the newest milestone stands.

use super::fixture::*;
use super::stage::Stage;
use knik::ledger::Hash;
use knik::model::{PolicyKind, SegmentId, Timestamp};
use knik::store::catalogue::{Catalogue, Fixity, Milestone, PolicyVersion};
use knik::store::database::Plane;

async fn unchecked(catalogue: &Catalogue, since: Timestamp) -> Vec<SegmentId> {
    catalogue.unchecked_segments(since, 10).await.unwrap().iter().map(|segment| segment.id).collect()
}

pub async fn segments_that_waited_longest_are_read_back_first(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    for n in 1..=3 {
        catalogue.commit(&log(), batch(n)).await.unwrap();
    }
    let [one, two, three] = [1, 2, 3].map(|n| SegmentId::from_uuid(id(n)));
    assert_eq!(unchecked(&catalogue, at(0)).await, [one, two, three], "none was read back");
    catalogue.segment_checked(one, None, at(20)).await.unwrap();
    catalogue.segment_checked(three, Some("segment is missing"), at(10)).await.unwrap();
    assert_eq!(unchecked(&catalogue, at(0)).await, [two]);
    assert_eq!(unchecked(&catalogue, at(15)).await, [two, three]);
    assert_eq!(unchecked(&catalogue, at(30)).await, [two, three, one]);
    assert_eq!(catalogue.unchecked_segments(at(30), 1).await.unwrap().len(), 1);
    let far = |checked, wrong| Fixity { segments: 3, checked, wrong };
    assert_eq!(catalogue.fixity(at(0)).await.unwrap(), far(2, 1));
    assert_eq!(catalogue.fixity(at(15)).await.unwrap(), far(1, 1));
    catalogue.segment_checked(three, None, at(40)).await.unwrap();
    assert_eq!(catalogue.fixity(at(0)).await.unwrap(), far(2, 0), "it was put back");
}

pub async fn the_newest_milestone_stands(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    assert_eq!(catalogue.reached(Milestone::Verify).await.unwrap(), None);
    for (seconds, detail) in [(1, "nothing wrong"), (2, "something wrong")] {
        catalogue.reach(Milestone::Verify, detail, at(seconds)).await.unwrap();
    }
    let reached = catalogue.reached(Milestone::Verify).await.unwrap().unwrap();
    assert_eq!((reached.at, reached.detail.as_str()), (at(2), "something wrong"));
    assert_eq!(catalogue.reached(Milestone::Backup).await.unwrap(), None);
}

pub async fn a_version_of_a_policy_is_kept_once(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let policy = |version: &str, content: u8| PolicyVersion {
        kind: PolicyKind::Tree,
        id: "scenario-b".to_owned(),
        version: version.to_owned(),
        digest: Hash::from_bytes([content; 32]),
    };
    let add = async |policies: &[PolicyVersion], entry| {
        catalogue.add_policy_versions(&log(), policies, step(entry), at(5)).await.is_ok()
    };
    assert!(add(&[policy("1", 1), policy("2", 2)], 70).await);
    assert!(!add(&[policy("3", 3), policy("2", 9)], 71).await, "another content");
    let mut known = catalogue.policy_versions().await.unwrap();
    known.sort_by(|one, other| one.policy.cmp(&other.policy));
    let policies: Vec<PolicyVersion> = known.iter().map(|of| of.policy.clone()).collect();
    assert_eq!(policies, [policy("1", 1), policy("2", 2)], "all of an entry or nothing");
    assert!(known.iter().all(|of| of.since == at(5) && of.entry.uuid() == id(70)));
}

pub async fn what_was_sealed_is_added_up_by_when_it_came(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    assert_eq!(catalogue.sealed_bytes_since(at(0)).await.unwrap(), 0);
    for n in 1..=2 {
        catalogue.commit(&log(), batch(n)).await.unwrap();
    }
    assert_eq!(catalogue.sealed_bytes_since(at(0)).await.unwrap(), 2_000);
    assert_eq!(catalogue.sealed_bytes_since(at(1)).await.unwrap(), 0, "it came before");
}
