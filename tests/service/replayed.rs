//! What people asked and were refused after a backup holds after it was put back: requests to open, restrictions, and
//! people who may no longer come in.

use super::backup::{Kept, is_sound, opened};
use crate::conformance::openings::{asking, official};
use knik::access::Actor;
use knik::cli::DataFolder;
use knik::model::{
    AccountProof, ActorId, GrantId, OpeningScope, RecordId, RevocationKind, RevocationReason, Revoked,
    SubjectRequestId, SubjectRequestKind,
};
use knik::store::openings::OpeningState;
use knik::vault::subject_requests::{Registering, StatedAccount};
use knik::vault::{openings, revoke, sequence, subject_requests};
use std::path::Path;

const ISSUER: &str = "https://id.example";

/// Records in the order in which they came in.
async fn records(folder: &DataFolder) -> Vec<RecordId> {
    let all = folder.archive.catalogue.records(&"min-low".parse().unwrap(), None, None, 10).await.unwrap();
    all.iter().map(|summary| summary.id).collect()
}

/// A request to open an original; it needs no second person.
async fn request(folder: &DataFolder, by: &Actor, record: RecordId) -> GrantId {
    let asked = asking("woo-request", OpeningScope::Record, &[record]);
    openings::request(&folder.archive, &folder.rules, by, asked).await.unwrap().row.id
}

/// A request of the person who wrote the questions, searched.
async fn concerned(folder: &DataFolder, by: &Actor) -> SubjectRequestId {
    let (archive, rules) = (&folder.archive, &folder.rules);
    let asked = Registering {
        kind: SubjectRequestKind::Restriction,
        received_at: None,
        asker: "Wobbe Quakelbeen, postbus 1, Den Haag".into(),
        text: "Laat rusten wat ik schreef.".into(),
        accounts: vec![StatedAccount {
            platform: "mastodon".parse().unwrap(),
            instance: Some("polder.example".to_owned()),
            handle: "@wobbe_q".into(),
        }],
    };
    let id = subject_requests::register(archive, rules, by, asked).await.unwrap().row.id;
    subject_requests::prove(archive, rules, by, id, AccountProof::LoginSeen, None).await.unwrap();
    subject_requests::search(archive, rules, by, id).await.unwrap();
    id
}

async fn restrict(folder: &DataFolder, by: &Actor, id: SubjectRequestId, lift: bool) -> u64 {
    subject_requests::restrict(&folder.archive, &folder.rules, by, id, lift).await.unwrap()
}

async fn close(folder: DataFolder) {
    sequence::round(&folder.archive, &folder.rules).await.unwrap();
    for database in [folder.archive.catalogue.database(), folder.archive.room.database()] {
        database.close().await;
    }
}

fn subject(value: &str) -> Revoked {
    Revoked::new(RevocationKind::Subject, ISSUER, value).unwrap()
}

/// Whether a request to open, the restriction of a record, and a person who may not come in hold here.
async fn holds(dir: &Path, id: GrantId, record: RecordId) -> (OpeningState, bool, Vec<Revoked>) {
    let folder = opened(dir).await;
    let archive = &folder.archive;
    let state = archive.openings().opening(id).await.unwrap().unwrap().state;
    let restricted = archive.openings().restricted(record).await.unwrap();
    let revoked = archive.catalogue.revocations().await.unwrap();
    let revoked = revoked.into_iter().filter(|one| one.lifted_at.is_none()).map(|one| one.revoked).collect();
    close(folder).await;
    (state, restricted, revoked)
}

#[tokio::test]
async fn requests_restrictions_and_people_refused_after_the_backup_stay_so() {
    let kept = Kept::new();
    let dir = kept.folder.dir.clone();
    let ann = official(1);
    let folder = opened(&dir).await;
    let all = records(&folder).await;
    let (ended, running) = (request(&folder, &ann, all[0]).await, request(&folder, &ann, all[1]).await);
    let id = concerned(&folder, &ann).await;
    let (archive, now) = (&folder.archive, folder.archive.sources.now());
    let fresh = ActorId::from_uuid(uuid::Uuid::from_u128(77));
    archive.catalogue.actor(ISSUER, "ambtenaar-7", fresh, now).await.unwrap();
    close(folder).await;
    kept.backup();

    let folder = opened(&dir).await;
    let archive = &folder.archive;
    openings::revoke(archive, &folder.rules, &ann, ended).await.unwrap();
    assert_eq!(restrict(&folder, &ann, id, false).await, 3);
    // One who came here and one who never did.
    for who in ["ambtenaar-7", "onbekende-9"] {
        revoke::revoke(archive, subject(who), RevocationReason::Leaked).await.unwrap();
    }
    close(folder).await;

    let (restored, ran) = kept.restore("restored", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    let number = |field: &str| done[field].as_u64().unwrap();
    assert_eq!((number("openingsRevoked"), number("restrictions")), (1, 3), "{done}");
    assert_eq!((number("identitiesRevoked"), number("revocationsLost")), (1, 1), "{done}");
    is_sound(&restored);
    let after = holds(&restored, ended, all[2]).await;
    assert_eq!(after, (OpeningState::Revoked, true, vec![subject("ambtenaar-7")]));
    assert_eq!(holds(&restored, running, all[0]).await.0, OpeningState::Open, "what was not revoked runs on");

    // What was lifted after a backup is not restricted after it either.
    kept.backup();
    let folder = opened(&dir).await;
    restrict(&folder, &ann, id, true).await;
    close(folder).await;
    let (again, ran) = kept.restore("again", &["--ledger", &kept.second_place()]);
    let done = ran.ok().json()["replayed"].clone();
    assert_eq!(done["restrictions"], 3, "{done}");
    let after = holds(&again, ended, all[2]).await;
    assert_eq!((after.0, after.1), (OpeningState::Revoked, false));
}
