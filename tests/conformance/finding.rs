//! Finding records back, requests of persons concerned, and what the officer who checks sees, on every backend.

use super::openings::{absent, asked, asking, official, person, refused, unfit, vault};
use super::stage::Stage;
use crate::intake::disclosure::entries;
use crate::keys::fixture::destroyed;
use crate::support::{TestVault, places};
use knik::access::{Actor, LegalBases};
use knik::ledger::{EntryKind, Thing};
use knik::model::{
    AccountProof, GrantId, OpeningScope, PrivateText, RecordId, Role, SubjectOutcome, SubjectRequestId,
    SubjectRequestKind,
};
use knik::redact::Language;
use knik::store::Database;
use knik::store::catalogue::{SeenHow, SeenRow};
use knik::store::oversight::RegisterSelection;
use knik::vault::disclose::{DisclosureRequest, disclose};
use knik::vault::find::{FindQuery, Found, find};
use knik::vault::four_eyes::Person;
use knik::vault::grants::{Approval, approve};
use knik::vault::subject_copy::Copying;
use knik::vault::subject_requests::{Proving, Registering, StatedAccount};
use knik::vault::{Rules, VaultError, oversight, subject_copy, subject_requests};
use serde_json::{Value, json};
use sqlx::Row;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

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

/// For each row of the index the numbers of the records in it.
async fn indexed(db: &Database) -> Vec<HashSet<i64>> {
    let rows = sqlx::query("SELECT block, records FROM find_posting").fetch_all(db.read()).await.unwrap();
    let numbers = |row: &sqlx::any::AnyRow| {
        let first = row.get::<i64, _>("block") * 16_384;
        places(&row.get::<Vec<u8>, _>("records")).into_iter().map(|place| first + place).collect()
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
    of_account_on("polder.example", kind, handle)
}

fn of_account_on(instance: &str, kind: SubjectRequestKind, handle: &str) -> Registering {
    Registering {
        kind,
        received_at: None,
        asker: "Marieke van den Broekhorn, postbus 1, Den Haag".into(),
        text: "Wat bewaart u van mij?".into(),
        accounts: vec![StatedAccount {
            platform: "mastodon".parse().unwrap(),
            instance: Some(instance.to_owned()),
            handle: handle.into(),
        }],
    }
}

/// The code that stood on the account, as somebody says who stands in for nobody.
fn coded(code: Option<&str>) -> Proving {
    Proving { proof: AccountProof::CodeFromAccount, code: code.map(str::to_owned), stands_in_for: None }
}

fn seen_to_log_in() -> Proving {
    Proving { proof: AccountProof::LoginSeen, code: None, stands_in_for: None }
}

async fn may_come_in() -> Result<(), VaultError> {
    Ok(())
}

/// The copy, or a part of it, in Dutch.
async fn copied(
    vault: &TestVault,
    rules: &Rules,
    by: &Actor,
    id: SubjectRequestId,
    part: Option<usize>,
) -> Result<Value, VaultError> {
    let asked = Copying { language: Language::Dutch, part };
    subject_copy::copy(&vault.archive, rules, by, id, asked, &may_come_in).await
}

/// A request of hers, proven and searched.
async fn searched(vault: &TestVault, by: &Actor) -> SubjectRequestId {
    searched_for(vault, by, marieke(SubjectRequestKind::Access)).await
}

/// The copy for who has this account.
pub async fn copy_for(vault: &TestVault, by: &Actor, instance: &str, handle: &str) -> Value {
    let id = searched_for(vault, by, of_account_on(instance, SubjectRequestKind::Access, handle)).await;
    let _numbering = vault.numbering();
    copied(vault, &vault.rules, by, id, None).await.unwrap()
}

async fn searched_for(vault: &TestVault, by: &Actor, asked: Registering) -> SubjectRequestId {
    let (archive, rules) = (&vault.archive, &vault.rules);
    let made = subject_requests::register(archive, rules, by, asked).await.unwrap();
    subject_requests::prove(archive, rules, &official(2), made.row.id, coded(Some(&made.code)))
        .await
        .unwrap();
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
    unfit(copied(&vault, rules, &ann, id, None).await, "account is theirs");
    let ben = official(2);
    for wrong in [None, Some("knik-aaaaaaaaaaaa")] {
        unfit(subject_requests::prove(archive, rules, &ben, id, coded(wrong)).await, "not the code");
    }
    let upper = made.code.to_uppercase();
    let proven = subject_requests::prove(archive, rules, &ben, id, coded(Some(&upper))).await.unwrap();
    assert_eq!((proven.registered_by, proven.proven_by), (ann.id, Some(ben.id)));
    unfit(subject_requests::prove(archive, rules, &ben, id, seen_to_log_in()).await, "before");
    unfit(copied(&vault, rules, &ann, id, None).await, "find what is theirs");
    let found = subject_requests::search(archive, rules, &ann, id).await.unwrap();
    let counted: Vec<(u64, u64)> = found.values().copied().collect();
    assert!(counted.len() == 1 && counted[0].0 >= 1 && counted[0].1 >= 1, "{found:?}");
    let _numbering = vault.numbering();
    let copy = copied(&vault, rules, &ann, id, None).await.unwrap();
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

pub async fn nobody_proves_alone_that_an_account_is_somebodys(stage: &Stage) {
    let vault = vault(stage).await;
    let (archive, rules, ann) = (&vault.archive, &vault.rules, official(1));
    let made =
        subject_requests::register(archive, rules, &ann, marieke(SubjectRequestKind::Access)).await.unwrap();
    let id = made.row.id;
    for proving in [coded(Some(&made.code)), seen_to_log_in()] {
        refused(
            subject_requests::prove(archive, rules, &ann, id, proving).await,
            "subject-request#second-person",
        );
    }
    unfit(subject_requests::search(archive, rules, &ann, id).await, "account is theirs");
    // Not as the stand-in of the one who registered it either.
    let now = archive.sources.now();
    let (issuer, subject) = ("https://login.example", "ambtenaar-1");
    let registrar = archive.catalogue.actor(issuer, subject, official(8).id, now).await.unwrap();
    let registrar = Actor { id: registrar, ..official(8) };
    let asked = marieke(SubjectRequestKind::Access);
    let other = subject_requests::register(archive, rules, &registrar, asked).await.unwrap();
    let person = || Person { issuer: issuer.to_owned(), subject: subject.to_owned() };
    let proving = Proving { stands_in_for: Some(person()), ..coded(Some(&other.code)) };
    unfit(subject_requests::prove(archive, rules, &official(2), other.row.id, proving).await, "stand-in");
    let proving = Proving { stands_in_for: Some(person()), ..coded(Some(&made.code)) };
    subject_requests::prove(archive, rules, &official(2), id, proving).await.unwrap();
    let told = entries(&vault, 0).await;
    let proven = told.iter().rfind(|entry| entry.kind() == EntryKind::SubjectRequestChanged).unwrap();
    assert!(proven.reasons().iter().any(|code| code.as_str() == "as-stand-in"));
}

pub async fn one_person_copies_as_much_as_the_basis_covers(stage: &Stage) {
    let vault = vault(stage).await;
    let (ann, ben) = (official(1), official(2));
    let _numbering = vault.numbering();
    let id = searched(&vault, &ann).await;
    let all = vault.archive.subject_requests().records(id).await.unwrap();
    assert!(all.len() > 1);
    let narrow = narrow(&vault);
    let opened = async || {
        let told = entries(&vault, 0).await;
        told.iter().filter(|entry| entry.kind() == EntryKind::DisclosureIntended).count()
    };
    unfit(copied(&vault, &narrow, &ann, id, None).await, &format!("`part` 1 to {}", all.len()));
    unfit(copied(&vault, &narrow, &ann, id, Some(99)).await, "has parts");
    assert_eq!(opened().await, 0);
    for _ in 0..2 {
        let part = copied(&vault, &narrow, &ann, id, Some(1)).await.unwrap();
        assert_eq!((&part["part"], &part["parts"]), (&json!(1), &json!(all.len())));
        assert_eq!(part["records"].as_array().unwrap().len(), 1, "the same once more is no more");
    }
    assert_eq!(opened().await, 2);
    refused(copied(&vault, &narrow, &ann, id, Some(2)).await, "opening#records-a-case");
    // Nor one by one, in the same case, however it is written.
    let one = |record, case: String| DisclosureRequest {
        record,
        basis: "avg-15".parse().unwrap(),
        case_number: PrivateText::new(case),
        motivation: "the person concerned asked to see it".into(),
        recipient: None,
    };
    let case = format!(" avg-{id}");
    let again = disclose(&vault.archive, &narrow, &ann, &one(all[1].record, case.clone())).await;
    refused(again.map(drop), "opening#records-a-case");
    assert_eq!(opened().await, 2, "what is refused is not opened");
    disclose(&vault.archive, &narrow, &ann, &one(all[0].record, case)).await.unwrap();
    disclose(&vault.archive, &narrow, &ann, &one(all[1].record, "AVG-2".to_owned())).await.unwrap();
    copied(&vault, &narrow, &ben, id, Some(2)).await.unwrap();
}

/// The rules with a basis `avg-15` that covers one record.
fn narrow(vault: &TestVault) -> Rules {
    let yaml = std::fs::read_to_string(crate::support::package().join("policies/legal-bases.yaml")).unwrap();
    let (before, of) = yaml.split_once("code: avg-15").unwrap();
    let of = of.replacen("recordsMax: 200", "recordsMax: 1", 1);
    let bases = LegalBases::load("legal-bases.yaml", &format!("{before}code: avg-15{of}")).unwrap();
    Rules { bases: Arc::new(bases), ..vault.rules.clone() }
}

pub async fn the_copy_names_everyone_who_received_it(stage: &Stage) {
    let vault = vault(stage).await;
    let (archive, rules, ann) = (&vault.archive, &vault.rules, official(1));
    let _numbering = vault.numbering();
    let id = searched(&vault, &ann).await;
    let hers = archive.subject_requests().records(id).await.unwrap();
    let record = hers[0].record;
    let projection = archive.catalogue.record(record).await.unwrap().unwrap().projection;
    let granted = |subject: &str, purpose: &str| Approval {
        organisation: "min-low".parse().unwrap(),
        issuer: "https://login.example".to_owned(),
        subject: subject.to_owned(),
        purpose: purpose.to_owned(),
        legal_basis: "woo-5.7".parse().unwrap(),
        channels: Vec::new(),
        plan: "researcher".to_owned(),
        until: archive.sources.now().plus_seconds(86_400),
    };
    // One has it in a file and read nothing, one read it, one had neither.
    let mut seen = Vec::new();
    for (purpose, how) in [("files", Some(SeenHow::Exported)), ("views", Some(SeenHow::Read)), ("none", None)]
    {
        let grant = approve(archive, rules, granted(purpose, purpose), None).await.unwrap();
        let row =
            |how| SeenRow { projection, grant: grant.id, actor: grant.reader, how, at: grant.approved_at };
        seen.extend(how.map(row));
    }
    archive.catalogue.carry_seen(&seen, 0).await.unwrap();
    // One process ended before it could say how an opening ended; of another it is known that nothing was opened.
    for basis in ["woo-request", "awb"] {
        let why = "the person concerned asked to see it";
        crate::intake::disclosure::disclose(&vault, &ann, record, basis, "Z-1", why).await.unwrap();
    }
    vault.tamper("UPDATE disclosure SET outcome = NULL WHERE legal_basis = 'woo-request'").await;
    vault.tamper("UPDATE disclosure SET outcome = 'not-opened' WHERE legal_basis = 'awb'").await;
    let recipients = copied(&vault, rules, &ann, id, None).await.unwrap()["recipients"].clone();
    let read = recipients["readUnderGrants"].as_array().unwrap();
    let mut named: Vec<(&str, &Value)> =
        read.iter().map(|one| (one["purpose"].as_str().unwrap(), &one["how"])).collect();
    named.sort_by_key(|(purpose, _)| *purpose);
    assert_eq!(named, [("files", &json!(["exported"])), ("views", &json!(["read"]))]);
    let openings = recipients["openings"].to_string();
    assert!(openings.contains("woo-request") && !openings.contains("\"awb\""), "{openings}");
    let officer = person(5, Role::DataProtectionOfficer, "min-low");
    let now = archive.sources.now().plus_seconds(1);
    let totals =
        archive.openings().totals(&officer.organisation, now.plus_seconds(-86_400), now).await.unwrap();
    let of = |code: &str| totals.iter().find(|((basis, _), _)| basis.as_str() == code).unwrap().1;
    assert_eq!((of("woo-request").served, of("woo-request").opened, of("awb").opened), (0, 1, 0));
}

pub async fn in_what_they_wrote_their_own_number_can_be_read(stage: &Stage) {
    let vault = vault(stage).await;
    let (archive, rules, ann) = (&vault.archive, &vault.rules, official(1));
    let _numbering = vault.numbering();
    let asked = of_account(SubjectRequestKind::Portability, "mkarabiyik_nl");
    let id = subject_requests::register(archive, rules, &ann, asked).await.unwrap().row.id;
    subject_requests::prove(archive, rules, &official(2), id, seen_to_log_in()).await.unwrap();
    subject_requests::search(archive, rules, &ann, id).await.unwrap();
    let copy = copied(&vault, rules, &ann, id, None).await.unwrap().to_string();
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
    // A month is told a month later; small counts never. It begins when the organisation was added, whatever was opened.
    let log = oversight::public_log(archive, rules, &officer).await.unwrap();
    assert!(log["months"].as_array().unwrap().is_empty(), "it is too early");
    vault.tamper("UPDATE organisation SET created_at = created_at - 5270400000000").await;
    let none = oversight::public_log(archive, rules, &officer).await.unwrap();
    assert_eq!(none["months"].as_array().unwrap().len(), 1);
    assert!(!none["months"].to_string().contains("\"count\":1"), "{none}");
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
