//! Finding records back, requests of persons concerned, and what the officer who checks sees, on every backend.

use super::openings::{absent, asked, asking, official, person, refused, unfit, vault};
use super::stage::Stage;
use crate::intake::disclosure::entries;
use crate::keys::fixture::destroyed;
use crate::support::TestVault;
use knik::access::Actor;
use knik::ledger::{EntryKind, Thing};
use knik::model::{
    AccountProof, GrantId, OpeningScope, PrivateText, RecordId, Role, SubjectOutcome, SubjectRequestId,
    SubjectRequestKind,
};
use knik::redact::Language;
use knik::store::Database;
use knik::store::oversight::RegisterSelection;
use knik::vault::find::{FindQuery, Found, find};
use knik::vault::subject_requests::{Registering, StatedAccount};
use knik::vault::{VaultError, oversight, subject_copy, subject_requests};
use sqlx::Row;
use std::collections::{HashMap, HashSet};

/// A reaction of the demo.
const NATIVE_ID: &str = "116198651920429236";
const PAGE: &str = "https://tsjil.example/@tjitske_w/116198651920391326?utm_source=x";

fn some(text: &str) -> Option<PrivateText> {
    Some(text.into())
}

fn query(change: impl FnOnce(&mut FindQuery)) -> FindQuery {
    let mut query = FindQuery { most: 50, language: Language::Dutch, ..FindQuery::default() };
    change(&mut query);
    query
}

async fn seek(vault: &TestVault, by: &Actor, id: GrantId, query: &FindQuery) -> Result<Found, VaultError> {
    find(&vault.archive, &vault.rules, by, id, query).await
}

fn ids(found: &Found) -> Vec<RecordId> {
    found.records.iter().map(|record| record.summary.id).collect()
}

pub async fn records_are_found_back_by_what_is_asked(stage: &Stage) {
    let vault = vault(stage).await;
    let ann = official(1);
    let id = asked(&vault, &ann, asking("woo-request", OpeningScope::Find, &[])).await.unwrap().row.id;
    let one = seek(&vault, &ann, id, &query(|q| q.address = some(NATIVE_ID))).await.unwrap();
    let record = ids(&one)[0];
    assert_eq!(one.records.len(), 1);
    let ways: [(&str, FindQuery); 7] = [
        ("the page", query(|q| q.address = some(PAGE))),
        ("the handle", query(|q| q.handle = some("@tjitske_w@tsjil.example"))),
        ("the handle without its host", query(|q| q.handle = some("Tjitske_W"))),
        ("the name", query(|q| q.name = some("tjitske wierdsma"))),
        ("words", query(|q| q.words = some("Klopt de REKENHULP bij jullie"))),
        ("a name that is only mentioned", query(|q| q.name = some("Orlando Kromosoeto"))),
        (
            "words and a handle",
            query(|q| {
                q.words = some("rekenhulp");
                q.handle = some("tjitske_w");
            }),
        ),
    ];
    for (what, query) in &ways {
        assert!(ids(&seek(&vault, &ann, id, query).await.unwrap()).contains(&record), "{what}");
    }
    // Everything that is given must hold.
    for query in [
        query(|q| {
            q.words = some("rekenhulp");
            q.handle = some("fatiha_o");
        }),
        query(|q| {
            q.words = some("rekenhulp jullie");
            q.until = Some("2026-03-09T00:00:00Z".parse().unwrap());
        }),
        query(|q| q.words = some("zeppelin")),
        query(|q| q.address = some("https://elsewhere.example/@x/1")),
        query(|q| q.handle = some("tjitske_w@elsewhere.example")),
    ] {
        assert!(!ids(&seek(&vault, &ann, id, &query).await.unwrap()).contains(&record));
    }
    unfit(seek(&vault, &ann, id, &query(|_| {})).await, "name what is sought");
    unfit(seek(&vault, &ann, id, &query(|q| q.words = some("de het een"))).await, "nearly every text");
    let narrow = query(|q| {
        q.words = some("waterbijdrage");
        q.most = 1;
    });
    assert!(seek(&vault, &ann, id, &narrow).await.unwrap().records.len() <= 1);
    // Nothing of what is shown names anyone, and what was sought stands sealed.
    let shown = seek(&vault, &ann, id, &ways[4].1).await.unwrap();
    let text = serde_json::to_string(&shown.records[0].view).unwrap();
    assert!(!text.contains("Orlando") && !text.contains("tjitske"), "{text}");
    let told = entries(&vault, 0).await;
    let of =
        |kind| told.iter().filter(|e| e.kind() == kind && e.things().contains(&Thing::Grant(id))).count();
    assert_eq!(of(EntryKind::SearchIntended), of(EntryKind::SearchServed), "recorded before and after");
    let intended = told.iter().find(|entry| entry.kind() == EntryKind::SearchIntended).unwrap();
    assert!(intended.body().is_some());
}

pub async fn searching_is_for_who_asked_within_their_request(stage: &Stage) {
    let vault = vault(stage).await;
    let (ann, ben) = (official(1), official(2));
    let words = || query(|q| q.words = some("rekenhulp"));
    let find = asked(&vault, &ann, asking("woo-5.5", OpeningScope::Find, &[])).await.unwrap().row.id;
    absent(seek(&vault, &ben, find, &words()).await);
    let elsewhere = person(3, Role::Official, "dwv");
    assert!(matches!(seek(&vault, &elsewhere, find, &words()).await, Err(VaultError::Absent { .. })));
    let waits = asked(&vault, &ann, asking("parliament", OpeningScope::Find, &[])).await.unwrap().row.id;
    refused(seek(&vault, &ann, waits, &words()).await, "access#second-person");
    let all = super::openings::records(&vault).await;
    let opens = asked(&vault, &ann, asking("woo-5.5", OpeningScope::Record, &all[..1])).await.unwrap().row.id;
    refused(seek(&vault, &ann, opens, &words()).await, "access#scope");
    // As many searches as the legal basis covers, and not one more.
    for left in (0..25).rev() {
        assert_eq!(seek(&vault, &ann, find, &words()).await.unwrap().searches_left, left);
    }
    unfit(seek(&vault, &ann, find, &words()).await, "no search is left");
    let other = asked(&vault, &ann, asking("woo-5.5", OpeningScope::Find, &[])).await.unwrap().row.id;
    knik::vault::openings::revoke(&vault.archive, &vault.rules, &ann, other).await.unwrap();
    refused(seek(&vault, &ann, other, &words()).await, "access#not-ended");
}

/// For each row of the index the numbers of the records in it, read as the migration describes them.
async fn indexed(db: &Database) -> Vec<HashSet<i64>> {
    let rows = sqlx::query("SELECT block, records FROM find_posting").fetch_all(db.read()).await.unwrap();
    let numbers = |row: &sqlx::any::AnyRow| {
        let (mut next, mut step, mut shift) = (row.get::<i64, _>("block") * 16_384, 0, 0);
        let mut found = HashSet::new();
        for byte in row.get::<Vec<u8>, _>("records") {
            step |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                found.insert(next + step);
                (next, step, shift) = (next + step + 1, 0, 0);
            }
        }
        found
    };
    rows.iter().map(numbers).collect()
}

pub async fn what_can_be_found_goes_with_its_record_and_reads_as_nothing(stage: &Stage) {
    let vault = vault(stage).await;
    let ann = official(1);
    let id = asked(&vault, &ann, asking("woo-request", OpeningScope::Find, &[])).await.unwrap().row.id;
    let one = ids(&seek(&vault, &ann, id, &query(|q| q.address = some(NATIVE_ID))).await.unwrap())[0];
    let db = vault.archive.catalogue.database().clone();
    let number =
        sqlx::query("SELECT number FROM record_row WHERE id = $1").bind(one.uuid().as_bytes().to_vec());
    let number: i64 = number.fetch_one(db.read()).await.unwrap().get("number");
    let tokens = || async { indexed(&db).await.iter().filter(|records| records.contains(&number)).count() };
    assert!(tokens().await > 10);
    // A batch taken in again, and a conversation computed anew, add nothing.
    let before = super::fixture::dump(&db, &["find_posting"]).await;
    let stale = "INSERT INTO stale_conversation (conversation, since) SELECT DISTINCT conversation, 0 FROM record \
                 WHERE destroyed_at IS NULL ON CONFLICT (conversation) DO NOTHING";
    vault.tamper(stale).await;
    vault.round().await;
    assert_eq!(super::fixture::dump(&db, &["find_posting"]).await, before);
    // Another organisation has nothing alike: its tokens are made with its name.
    let whose = sqlx::query("SELECT number, organisation FROM record").fetch_all(db.read()).await.unwrap();
    let whose: HashMap<i64, String> =
        whose.iter().map(|row| (row.get("number"), row.get("organisation"))).collect();
    for records in indexed(&db).await {
        let organisations: HashSet<_> = records.iter().map(|number| &whose[number]).collect();
        assert_eq!(organisations.len(), 1);
    }
    destroyed(&vault, &"min-low".parse().unwrap(), &[one]).await.unwrap();
    assert_eq!(tokens().await, 0);
    let gone = seek(&vault, &ann, id, &query(|q| q.handle = some("tjitske_w"))).await.unwrap();
    assert!(!ids(&gone).contains(&one));
}

fn marieke(kind: SubjectRequestKind) -> Registering {
    of_account(kind, "@MariekeVDBroekhorn")
}

fn of_account(kind: SubjectRequestKind, handle: &str) -> Registering {
    Registering {
        kind,
        received_at: None,
        asker: "Marieke van den Broekhorn, postbus 1, Den Haag".into(),
        text: "Wat bewaart u van mij?".into(),
        accounts: vec![StatedAccount {
            platform: "mastodon".parse().unwrap(),
            instance: Some("polder.example".to_owned()),
            handle: handle.into(),
        }],
    }
}

/// A request of hers, proven and searched.
async fn searched(vault: &TestVault, by: &Actor) -> SubjectRequestId {
    let (archive, rules) = (&vault.archive, &vault.rules);
    let made =
        subject_requests::register(archive, rules, by, marieke(SubjectRequestKind::Access)).await.unwrap();
    let code = Some(made.code.as_str());
    let proof = AccountProof::CodeFromAccount;
    subject_requests::prove(archive, rules, by, made.row.id, proof, code).await.unwrap();
    subject_requests::search(archive, rules, by, made.row.id).await.unwrap();
    made.row.id
}

pub async fn a_person_concerned_is_answered_with_what_is_theirs(stage: &Stage) {
    let vault = vault(stage).await;
    let (archive, rules, ann) = (&vault.archive, &vault.rules, official(1));
    let made =
        subject_requests::register(archive, rules, &ann, marieke(SubjectRequestKind::Access)).await.unwrap();
    let id = made.row.id;
    assert_eq!(made.row.due_at.day(), "2026-06-04", "a month after 4 May");
    unfit(subject_requests::search(archive, rules, &ann, id).await, "account is theirs");
    unfit(subject_copy::copy(archive, rules, &ann, id, Language::Dutch).await, "account is theirs");
    let proof = AccountProof::CodeFromAccount;
    for wrong in [None, Some("knik-aaaaaaaaaaaa")] {
        unfit(subject_requests::prove(archive, rules, &ann, id, proof, wrong).await, "not the code");
    }
    let upper = made.code.to_uppercase();
    subject_requests::prove(archive, rules, &ann, id, proof, Some(&upper)).await.unwrap();
    unfit(subject_requests::prove(archive, rules, &ann, id, AccountProof::LoginSeen, None).await, "before");
    unfit(subject_copy::copy(archive, rules, &ann, id, Language::Dutch).await, "find what is theirs");
    let found = subject_requests::search(archive, rules, &ann, id).await.unwrap();
    let counted: Vec<(u64, u64)> = found.values().copied().collect();
    assert!(counted.len() == 1 && counted[0].0 >= 1 && counted[0].1 >= 1, "{found:?}");
    let _numbering = vault.numbering();
    let copy = subject_copy::copy(archive, rules, &ann, id, Language::Dutch).await.unwrap();
    let text = copy.to_string();
    assert!(text.contains("Excuses Marieke, uw mail"), "what is said to her can be read: {text}");
    assert!(text.contains("[persoon]") && !text.contains("Sanne"), "who said it cannot: {text}");
    let records = copy["records"].as_array().unwrap();
    assert_eq!(records.len() as u64, counted[0].0 + counted[0].1);
    assert!(records.iter().all(|one| one["disclosure"].is_string()), "each opening is recorded");
    for one in records {
        let exact = one["postedAt"].as_str().unwrap().contains('T');
        assert_eq!(exact, one["written"] == true, "another's post shows its day alone: {one}");
    }
    assert!(copy["recipients"]["openings"].to_string().contains("avg-15"));
    for other in [person(3, Role::Official, "dwv"), person(4, Role::RecordsManager, "min-low")] {
        assert!(subject_requests::search(archive, rules, &other, id).await.is_err());
        assert!(subject_requests::read(archive, rules, &other, id).await.is_err());
    }
    let (reason, answer): (PrivateText, PrivateText) =
        ("the archive of 2019 is large".into(), "sent by post".into());
    let later = subject_requests::extend(archive, rules, &ann, id, &reason);
    assert_eq!(later.await.unwrap().due_at.day(), "2026-08-04");
    unfit(subject_requests::extend(archive, rules, &ann, id, &"the archive is large".into()).await, "before");
    let closed = subject_requests::close(archive, rules, &ann, id, SubjectOutcome::Granted, &answer);
    assert_eq!(closed.await.unwrap().outcome, Some(SubjectOutcome::Granted));
    unfit(subject_requests::search(archive, rules, &ann, id).await, "closed");
    let told = entries(&vault, 0).await;
    let about = |kind| {
        told.iter().filter(|e| e.kind() == kind && e.things().contains(&Thing::SubjectRequest(id))).count()
    };
    assert_eq!(about(EntryKind::SubjectRequestReceived), 1);
    assert_eq!(about(EntryKind::SubjectRequestChanged), 3, "proven, copied, put off");
    assert_eq!(about(EntryKind::SubjectRequestClosed), 1);
    let unproven =
        subject_requests::register(archive, rules, &ann, marieke(SubjectRequestKind::Erasure)).await.unwrap();
    let granted = SubjectOutcome::Granted;
    unfit(
        subject_requests::close(archive, rules, &ann, unproven.row.id, granted, &"sent by post".into()).await,
        "not proven",
    );
}

pub async fn in_what_they_wrote_their_own_number_can_be_read(stage: &Stage) {
    let vault = vault(stage).await;
    let (archive, rules, ann) = (&vault.archive, &vault.rules, official(1));
    let _numbering = vault.numbering();
    let asked = of_account(SubjectRequestKind::Portability, "mkarabiyik_nl");
    let id = subject_requests::register(archive, rules, &ann, asked).await.unwrap().row.id;
    subject_requests::prove(archive, rules, &ann, id, AccountProof::LoginSeen, None).await.unwrap();
    subject_requests::search(archive, rules, &ann, id).await.unwrap();
    let copy = subject_copy::copy(archive, rules, &ann, id, Language::Dutch).await.unwrap().to_string();
    assert!(copy.contains("06 8765 4321") && copy.contains("14-03-1961"), "{copy}");
    assert!(!copy.contains("Orlando"), "{copy}");
}

pub async fn a_restriction_withholds_everywhere_at_once_and_can_be_lifted(stage: &Stage) {
    let vault = vault(stage).await;
    let (archive, rules, ann) = (&vault.archive, &vault.rules, official(1));
    let _numbering = vault.numbering();
    let id = searched(&vault, &ann).await;
    let before = archive.room.count().await.unwrap();
    let hers = archive.subject_requests().records(id).await.unwrap();
    let mut published = Vec::new();
    for one in &hers {
        let projection = archive.catalogue.record(one.record).await.unwrap().unwrap().projection;
        if archive.room.document(projection).await.unwrap().is_some() {
            published.push((one.record, projection));
        }
    }
    assert!(!published.is_empty());
    let placed = subject_requests::restrict(archive, rules, &ann, id, false).await.unwrap();
    assert_eq!(placed, hers.len() as u64);
    assert_eq!(
        archive.room.count().await.unwrap(),
        before - published.len() as u64,
        "at once, before any round"
    );
    vault.round().await;
    assert_eq!(archive.room.count().await.unwrap(), before - published.len() as u64, "and it stays so");
    let (record, _) = published[0];
    let opens = |basis: &'static str| {
        crate::intake::disclosure::disclose(
            &vault,
            &ann,
            record,
            basis,
            "Z-1",
            "the person concerned asked to see it",
        )
    };
    refused(opens("woo-request").await.map(drop), "access#restricted");
    opens("avg-15").await.unwrap();
    assert_eq!(subject_requests::restrict(archive, rules, &ann, id, true).await.unwrap(), 0);
    vault.round().await;
    assert_eq!(archive.room.count().await.unwrap(), before, "published again");
    opens("woo-request").await.unwrap();
    let told = entries(&vault, 0).await;
    let count = |kind| told.iter().filter(|entry| entry.kind() == kind).count();
    assert_eq!((count(EntryKind::RestrictionPlaced), count(EntryKind::RestrictionLifted)), (1, 1));
}

pub async fn the_officer_sees_who_opened_what_and_the_public_log_tells_nothing_small(stage: &Stage) {
    let vault = vault(stage).await;
    let (archive, rules, ann) = (&vault.archive, &vault.rules, official(1));
    let officer = person(5, Role::DataProtectionOfficer, "min-low");
    let _numbering = vault.numbering();
    let all = super::openings::records(&vault).await;
    for (basis, times) in [("avg-15", 12), ("woo-request", 3)] {
        for _ in 0..times {
            crate::intake::disclosure::disclose(
                &vault,
                &ann,
                all[0],
                basis,
                "Z-1",
                "the person concerned asked to see it",
            )
            .await
            .unwrap();
        }
    }
    let asked_for = RegisterSelection { most: 100, ..RegisterSelection::default() };
    let register = oversight::register(archive, rules, &officer, &asked_for).await.unwrap();
    assert_eq!(register["disclosures"].as_array().unwrap().len(), 15);
    let only = RegisterSelection { basis: Some("woo-request".parse().unwrap()), ..asked_for.clone() };
    let some = oversight::register(archive, rules, &officer, &only).await.unwrap();
    assert_eq!(some["disclosures"].as_array().unwrap().len(), 3);
    let now = archive.sources.now();
    let totals = oversight::totals(archive, rules, &officer, now.plus_seconds(-86_400), now).await.unwrap();
    assert!(totals["totals"].to_string().contains("\"served\":12"), "{totals}");
    refused(
        oversight::register(archive, rules, &ann, &asked_for).await,
        "data-protection-officer-reads-register",
    );
    let elsewhere = person(6, Role::DataProtectionOfficer, "dwv");
    let theirs = oversight::register(archive, rules, &elsewhere, &asked_for).await.unwrap();
    assert!(theirs["disclosures"].as_array().unwrap().is_empty());
    // A month is told a month later; small counts never.
    let log = oversight::public_log(archive, rules, &officer).await.unwrap();
    assert!(log["months"].as_array().unwrap().is_empty(), "it is too early");
    vault.tamper("UPDATE disclosure SET created_at = created_at - 5270400000000").await;
    let log = oversight::public_log(archive, rules, &officer).await.unwrap();
    let march = &log["months"][0];
    assert_eq!((&march["month"], log["months"].as_array().unwrap().len()), (&"2026-03".into(), 1));
    let of = |code: &str| {
        let all = march["openings"].as_array().unwrap();
        all.iter().find(|one| one["legalBasis"] == code).map(|one| one["count"].clone())
    };
    assert_eq!(of("avg-15").unwrap(), 12);
    assert_eq!(of("woo-request").unwrap()["fewerThan"], 10);
    assert_eq!(of("awb"), of("woo-request"), "none looks like few");
    assert_eq!(of("criminal-procedure"), None);
    assert_eq!(log["secretBasesExistAndAreLeftOut"], true);
    let text = log.to_string();
    assert!(!text.contains(&all[0].to_string()) && !text.contains(&ann.id.to_string()));
    let short = asking("avg-15", OpeningScope::Record, &all[..1]);
    let until = Some(archive.sources.now().plus_seconds(86_400));
    asked(&vault, &ann, knik::vault::openings::Asking { until, ..short }).await.unwrap();
    let wants = oversight::attention(archive, rules, &officer, 14).await.unwrap();
    assert_eq!(wants["lapsingOpenings"].as_array().unwrap().len(), 1);
}
