//! Revocations in the vault: each with its entry and its way down, in force once, lifted and put back.

use super::fixture::*;
use super::stage::Stage;
use knik::model::{Revocation, RevocationId, RevocationKind, RevocationReason, Revoked};
use knik::store::catalogue::{Catalogue, OutboxRow};
use knik::store::database::Plane;

fn revocation(n: u128, value: &str) -> Revocation {
    Revocation {
        id: RevocationId::from_uuid(id(n)),
        revoked: Revoked::new(RevocationKind::Subject, "https://login.example", value).unwrap(),
        reason: RevocationReason::Left,
        revoked_at: at(i64::try_from(n).unwrap()),
        lifted_at: None,
    }
}

fn down() -> OutboxRow {
    OutboxRow { kind: "identity", payload: "00".to_owned() }
}

async fn revoke(catalogue: &Catalogue, revocation: &Revocation, entry: u128) -> bool {
    catalogue.revoke_identity(&log(), revocation, down(), step(entry)).await.unwrap()
}

pub async fn a_revocation_stands_with_its_entry_and_its_way_down_or_not_at_all(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let (one, other) = (revocation(1, "a"), revocation(2, "b"));
    let before = dump(&db, &["revocation", "outbox", "journal_pending"]).await;
    let digests = [one.revoked.digest(), other.revoked.digest()];
    assert!(!catalogue.is_revoked(&digests).await.unwrap());
    assert!(revoke(&catalogue, &one, 11).await);
    let after = dump(&db, &["revocation", "outbox", "journal_pending"]).await;
    assert_eq!(after.len(), before.len() + 3);
    assert!(catalogue.is_revoked(&digests).await.unwrap());
    assert!(!catalogue.is_revoked(&[other.revoked.digest()]).await.unwrap());
    // Its entry cannot be written, because one of that id is there: nothing of it stands.
    assert!(catalogue.revoke_identity(&log(), &other, down(), step(11)).await.is_err());
    assert!(!catalogue.is_revoked(&[other.revoked.digest()]).await.unwrap());
    // The same once more adds nothing, not even an entry.
    assert!(!revoke(&catalogue, &Revocation { id: other.id, ..one.clone() }, 12).await);
    assert_eq!(dump(&db, &["revocation", "outbox", "journal_pending"]).await, after);
    assert_eq!(catalogue.revocations().await.unwrap(), [one]);
}

pub async fn what_was_lifted_can_be_revoked_again(stage: &Stage) {
    let catalogue = begun(&stage.open(Plane::Vault).await).await;
    let one = revocation(1, "a");
    let digest = [one.revoked.digest()];
    assert!(revoke(&catalogue, &one, 11).await);
    let lift =
        async |entry| catalogue.lift_revocation(&log(), one.id, down(), step(entry), at(5)).await.unwrap();
    assert!(lift(12).await);
    assert!(!catalogue.is_revoked(&digest).await.unwrap());
    assert!(!lift(13).await, "it is not in force any more");
    let again = revocation(7, "a");
    assert!(revoke(&catalogue, &again, 14).await);
    assert!(catalogue.is_revoked(&digest).await.unwrap());
    assert_eq!(
        catalogue.revocations().await.unwrap(),
        [again, Revocation { lifted_at: Some(at(5)), ..one.clone() }],
        "newest first, and what was lifted stays known"
    );
}
