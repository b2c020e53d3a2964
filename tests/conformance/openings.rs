//! Requests to open originals: what each opens and what it does not, with two real people, on every backend.

use super::stage::Stage;
use crate::intake::disclosure::{actor, entries};
use crate::support::{TestVault, demo};
use knik::access::Actor;
use knik::ledger::{EntryKind, Thing};
use knik::model::{ActorId, GrantId, OpeningScope, PrivateText, RecordId, Role, Timestamp};
use knik::store::database::Plane;
use knik::store::openings::{OpeningSelection, OpeningState};
use knik::vault::four_eyes::{Person, Verdict, decide};
use knik::vault::openings::{Asking, ShownOpening, list, open, read, request, revoke};
use knik::vault::{VaultError, break_glass, sequence};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

pub const MOTIVATION: &str = "asked by the chamber in letter 31";

/// A vault of the demo over the databases of a stage, with the ministry's captures taken in.
pub async fn vault(stage: &Stage) -> TestVault {
    let databases =
        [stage.open(Plane::Vault).await, stage.open(Plane::Room).await, stage.open(Plane::Inbox).await];
    let (organisations, channels) = demo();
    let vault = TestVault::over(1, &organisations, databases).await;
    vault.declare(&channels).await;
    for demo in &channels {
        for capture in &demo.captures {
            vault.ingest(&demo.channel, &capture.path).await.unwrap();
        }
    }
    vault.round().await;
    vault
}

/// Person `n` in a role.
pub fn person(n: u128, role: Role, organisation: &str) -> Actor {
    Actor { id: ActorId::from_uuid(Uuid::from_u128(n)), ..actor(role, organisation) }
}

pub fn official(n: u128) -> Actor {
    person(n, Role::Official, "min-low")
}

/// Records of the ministry.
pub async fn records(vault: &TestVault) -> Vec<RecordId> {
    let all = vault.archive.catalogue.records(&"min-low".parse().unwrap(), None, None, 500).await.unwrap();
    all.into_iter().map(|summary| summary.id).collect()
}

pub fn asking(basis: &str, scope: OpeningScope, records: &[RecordId]) -> Asking {
    Asking {
        basis: basis.parse().unwrap(),
        scope,
        records: records.to_vec(),
        case_number: "TK-2026-0031".into(),
        motivation: MOTIVATION.into(),
        recipient: "Griffie van de Tweede Kamer".into(),
        until: None,
        break_glass: false,
    }
}

pub async fn asked(vault: &TestVault, by: &Actor, asking: Asking) -> Result<ShownOpening, VaultError> {
    request(&vault.archive, &vault.rules, by, asking).await
}

/// Opens a record and hands it over.
pub async fn opens(
    vault: &TestVault,
    by: &Actor,
    id: GrantId,
    record: RecordId,
) -> Result<Vec<u8>, VaultError> {
    let _numbering = vault.numbering();
    let (opened, stated) = open(&vault.archive, &vault.rules, by, id, record).await?;
    assert_eq!(stated.recipient.expose(), "Griffie van de Tweede Kamer");
    let bytes = opened.disclosure.original.item().to_vec();
    opened.serving.handed_over().await?;
    Ok(bytes)
}

fn approval(of: &ShownOpening) -> Verdict {
    Verdict::Approve { digest: hex::encode(of.row.digest.as_bytes()), stands_in_for: None }
}

async fn decided(
    vault: &TestVault,
    by: &Actor,
    id: GrantId,
    verdict: Verdict,
) -> Result<ShownOpening, VaultError> {
    decide(&vault.archive, &vault.rules, by, id, verdict).await
}

#[track_caller]
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, VaultError>, code: &str) {
    match outcome {
        Err(VaultError::Refused(denial)) => {
            assert!(denial.codes().contains(code), "{code} is not said: {}", denial.codes());
        }
        other => panic!("not refused for {code}: {other:?}"),
    }
}

#[track_caller]
pub fn unfit<T: std::fmt::Debug>(outcome: Result<T, VaultError>, words: &str) {
    match outcome {
        Err(VaultError::Input(said)) => assert!(said.contains(words), "`{words}` is not said: {said}"),
        other => panic!("`{words}` is not said: {other:?}"),
    }
}

#[track_caller]
pub fn absent<T: std::fmt::Debug>(outcome: Result<T, VaultError>) {
    assert!(matches!(outcome, Err(VaultError::Absent { .. })), "{outcome:?}");
}

pub async fn a_request_opens_what_it_reaches_and_nothing_else(stage: &Stage) {
    let vault = vault(stage).await;
    let (ann, ben) = (official(1), official(2));
    let all = records(&vault).await;
    let from = entries(&vault, 0).await.len();
    let one = asked(&vault, &ann, asking("woo-request", OpeningScope::Record, &all[..2])).await.unwrap();
    assert_eq!((one.row.state, one.records.len()), (OpeningState::Open, 2), "it needs no second person");
    let bytes = opens(&vault, &ann, one.row.id, all[0]).await.unwrap();
    assert!(!bytes.is_empty());
    refused(opens(&vault, &ann, one.row.id, all[2]).await, "access#reach");
    refused(opens(&vault, &ben, one.row.id, all[0]).await, "access#own-request");
    absent(opens(&vault, &person(3, Role::Official, "dwv"), one.row.id, all[0]).await);
    absent(opens(&vault, &person(1, Role::Researcher, "min-low"), one.row.id, all[0]).await);
    absent(opens(&vault, &ann, GrantId::from_uuid(Uuid::from_u128(9)), all[0]).await);
    let log = entries(&vault, from).await;
    let kinds: Vec<EntryKind> = log.iter().map(knik::ledger::Entry::kind).collect();
    let denied = [EntryKind::AccessDenied; 5];
    let told = [EntryKind::GrantRequested, EntryKind::DisclosureIntended, EntryKind::DisclosureServed];
    assert_eq!(kinds, [&told[..], &denied[..]].concat(), "asked, announced, handed over, and five refusals");
    assert!(log[..3].iter().all(|entry| entry.things().contains(&Thing::Grant(one.row.id))));
    assert_eq!(log[2].outcome_code().unwrap().as_str(), "handed-over");
    let shown = read(&vault.archive, &vault.rules, &ben, one.row.id).await.unwrap();
    let counted: Vec<_> = shown.records.iter().map(|one| (one.intended, one.handed_over)).collect();
    assert_eq!(counted, [(1, 1), (0, 0)]);
    assert_eq!(shown.stated.unwrap().motivation.expose(), MOTIVATION);
    absent(read(&vault.archive, &vault.rules, &person(3, Role::Official, "dwv"), one.row.id).await);
    // What did not leave is not called served.
    let _numbering = vault.numbering();
    let (broken, _) = open(&vault.archive, &vault.rules, &ann, one.row.id, all[1]).await.unwrap();
    broken.serving.broken_off().await.unwrap();
    let last = entries(&vault, 0).await.pop().unwrap();
    assert_eq!(last.kind(), EntryKind::DisclosureFailed);
    let shown = read(&vault.archive, &vault.rules, &ann, one.row.id).await.unwrap();
    assert_eq!((shown.records[1].intended, shown.records[1].handed_over), (1, 0));
}

pub async fn a_request_that_does_not_fit_its_basis_is_told_everything_at_once(stage: &Stage) {
    let vault = vault(stage).await;
    let ann = official(1);
    let all = records(&vault).await;
    let mut wrong = asking("burgerbrief", OpeningScope::Find, &all[..1]);
    wrong.case_number = PrivateText::default();
    wrong.recipient = PrivateText::default();
    wrong.until = Some(vault.archive.sources.now().plus_seconds(86_400 * 365));
    wrong.break_glass = true;
    for words in
        ["does not cover scope", "name no records", "case number", "gets the copy", "`until`", "at once"]
    {
        let again = Asking {
            basis: wrong.basis.clone(),
            records: wrong.records.clone(),
            case_number: PrivateText::default(),
            motivation: MOTIVATION.into(),
            recipient: PrivateText::default(),
            ..wrong
        };
        unfit(asked(&vault, &ann, again).await, words);
    }
    let many = vec![all[0]; 1];
    unfit(asked(&vault, &ann, asking("curiosity", OpeningScope::Record, &many)).await, "legal basis");
    unfit(asked(&vault, &ann, asking("avg-15", OpeningScope::Record, &[])).await, "at least one");
    unfit(asked(&vault, &ann, asking("burgerbrief", OpeningScope::Record, &all[..26])).await, "at most 25");
    absent(
        asked(&vault, &ann, asking("avg-15", OpeningScope::Record, &[RecordId::from_uuid(Uuid::nil())]))
            .await,
    );
    absent(
        asked(&vault, &person(3, Role::Official, "dwv"), asking("avg-15", OpeningScope::Record, &all[..1]))
            .await,
    );
    let manager = person(1, Role::RecordsManager, "min-low");
    refused(
        asked(&vault, &manager, asking("avg-15", OpeningScope::Record, &all[..1])).await,
        "official-requests",
    );
    let all = OpeningSelection { most: 10, ..OpeningSelection::default() };
    let none = list(&vault.archive, &vault.rules, &ann, &all);
    assert!(none.await.unwrap().is_empty(), "nothing of it is kept");
}

pub async fn a_second_person_approves_the_exact_request_once(stage: &Stage) {
    let vault = vault(stage).await;
    let (ann, ben) = (official(1), official(2));
    let all = records(&vault).await;
    let one = asked(&vault, &ann, asking("parliament", OpeningScope::Record, &all[..1])).await.unwrap();
    let id = one.row.id;
    assert_eq!(one.row.state, OpeningState::Waiting);
    refused(opens(&vault, &ann, id, all[0]).await, "access#second-person");
    // Not by who asked, under no role; not by those who do not decide; not by others.
    for role in [Role::Official, Role::Approver] {
        refused(
            decided(&vault, &person(1, role, "min-low"), id, approval(&one)).await,
            "nobody-approves-own-opening",
        );
    }
    let officer = person(5, Role::DataProtectionOfficer, "min-low");
    refused(decided(&vault, &officer, id, approval(&one)).await, "data-protection-officer-decides-nothing");
    absent(decided(&vault, &person(6, Role::Official, "dwv"), id, approval(&one)).await);
    absent(decided(&vault, &person(6, Role::Researcher, "min-low"), id, approval(&one)).await);
    // Not another request than this one, and not in the name of who asked.
    let other = Verdict::Approve { digest: hex::encode([7; 32]), stands_in_for: None };
    unfit(decided(&vault, &ben, id, other).await, "digest");
    let sources = &vault.archive.sources;
    let known = vault.archive.catalogue.actor("https://login.example", "ann", ann.id, sources.now()).await;
    assert_eq!(known.unwrap(), ann.id);
    let for_whom = |subject: &str| Verdict::Approve {
        digest: hex::encode(one.row.digest.as_bytes()),
        stands_in_for: Some(Person {
            issuer: "https://login.example".to_owned(),
            subject: subject.to_owned(),
        }),
    };
    unfit(decided(&vault, &ben, id, for_whom("ann")).await, "stand-in of the one who asked");
    let approved = decided(&vault, &ben, id, for_whom("cor")).await.unwrap();
    assert_eq!(approved.row.state, OpeningState::Open);
    assert!(approved.row.decided.unwrap().stands_in_for.is_some());
    unfit(decided(&vault, &ben, id, approval(&one)).await, "once");
    unfit(decided(&vault, &official(3), id, Verdict::Refuse { reason: MOTIVATION.into() }).await, "once");
    opens(&vault, &ann, id, all[0]).await.unwrap();
    refused(opens(&vault, &ben, id, all[0]).await, "access#own-request");
    // A refused one opens nothing, and is approved no more.
    let two = asked(&vault, &ann, asking("parliament", OpeningScope::Record, &all[..1])).await.unwrap();
    unfit(decided(&vault, &ben, two.row.id, Verdict::Refuse { reason: "no".into() }).await, "say why");
    decided(&vault, &ben, two.row.id, Verdict::Refuse { reason: MOTIVATION.into() }).await.unwrap();
    unfit(decided(&vault, &ben, two.row.id, approval(&two)).await, "refused");
    refused(opens(&vault, &ann, two.row.id, all[0]).await, "access#not-ended");
    let told = entries(&vault, 0).await;
    let of =
        |kind, id| told.iter().filter(|e| e.kind() == kind && e.things().contains(&Thing::Grant(id))).count();
    assert_eq!((of(EntryKind::DisclosureApproved, id), of(EntryKind::GrantRefused, two.row.id)), (1, 1));
}

pub async fn a_request_that_was_changed_opens_nothing(stage: &Stage) {
    let vault = vault(stage).await;
    let (ann, ben) = (official(1), official(2));
    let all = records(&vault).await;
    let one = asked(&vault, &ann, asking("parliament", OpeningScope::Record, &all[..1])).await.unwrap();
    decided(&vault, &ben, one.row.id, approval(&one)).await.unwrap();
    opens(&vault, &ann, one.row.id, all[0]).await.unwrap();
    let db = vault.archive.catalogue.database().clone();
    // Behind the back of the vault: another record, a longer time, another basis.
    let change = |statement: &'static str| {
        let db = db.clone();
        async move { sqlx::query(AssertSqlSafe(statement.to_owned())).execute(db.write()).await.unwrap() }
    };
    let changes = [
        ("UPDATE opening SET until_at = until_at + 1", "UPDATE opening SET until_at = until_at - 1"),
        ("UPDATE opening SET legal_basis = 'avg-15'", "UPDATE opening SET legal_basis = 'parliament'"),
        ("UPDATE opening SET break_glass = 1", "UPDATE opening SET break_glass = 0"),
        (
            "INSERT INTO opening_record (opening, place, record) SELECT o.id, 9, r.id FROM opening o, record r \
             WHERE r.id NOT IN (SELECT record FROM opening_record) AND r.destroyed_at IS NULL",
            "DELETE FROM opening_record WHERE place = 9",
        ),
    ];
    for (there, back) in changes {
        change(there).await;
        let outcome = opens(&vault, &ann, one.row.id, all[0]).await;
        assert!(matches!(outcome, Err(VaultError::Store(_))), "{there}: {outcome:?}");
        let last = entries(&vault, 0).await.pop().unwrap();
        assert_eq!(last.kind(), EntryKind::IncidentOpened, "{there}");
        change(back).await;
        opens(&vault, &ann, one.row.id, all[0]).await.unwrap();
    }
}

/// Waits until the clock of the vault is past a moment.
fn past(vault: &TestVault, moment: Timestamp) {
    while vault.archive.sources.now() <= moment {}
}

pub async fn a_request_ends_at_its_time_and_at_once_when_revoked(stage: &Stage) {
    let vault = vault(stage).await;
    let (ann, ben) = (official(1), official(2));
    let all = records(&vault).await;
    let soon = |seconds| Some(vault.archive.sources.now().plus_seconds(seconds));
    let short = Asking { until: soon(60), ..asking("woo-request", OpeningScope::Record, &all[..1]) };
    let one = asked(&vault, &ann, short).await.unwrap();
    opens(&vault, &ann, one.row.id, all[0]).await.unwrap();
    past(&vault, one.row.until);
    refused(opens(&vault, &ann, one.row.id, all[0]).await, "access#runs");
    let waits = Asking { until: soon(60), ..asking("parliament", OpeningScope::Record, &all[..1]) };
    let two = asked(&vault, &ann, waits).await.unwrap();
    past(&vault, two.row.until);
    unfit(decided(&vault, &ben, two.row.id, approval(&two)).await, "expired");
    // Revoked by who asked or by an approver, not by a colleague; at once, and for good.
    let three = asked(&vault, &ann, asking("woo-request", OpeningScope::Record, &all[..1])).await.unwrap();
    absent(revoke(&vault.archive, &vault.rules, &ben, three.row.id).await);
    let approver = person(4, Role::Approver, "min-low");
    let ended = revoke(&vault.archive, &vault.rules, &approver, three.row.id).await.unwrap();
    assert_eq!(ended.row.state, OpeningState::Revoked);
    refused(opens(&vault, &ann, three.row.id, all[0]).await, "access#not-ended");
    let again = revoke(&vault.archive, &vault.rules, &ann, three.row.id).await.unwrap();
    assert_eq!(again.row.ended_at, ended.row.ended_at, "ending it twice changes nothing");
    let told = entries(&vault, 0).await;
    assert_eq!(told.iter().filter(|entry| entry.kind() == EntryKind::GrantRevoked).count(), 1);
}

pub async fn a_thread_is_reached_as_it_stood_when_it_was_asked(stage: &Stage) {
    let vault = vault(stage).await;
    let ann = official(1);
    let all = vault.archive.catalogue.records(&"min-low".parse().unwrap(), None, None, 500).await.unwrap();
    let size = |id| all.iter().filter(|record| record.conversation == id).count();
    let first = all.iter().find(|record| (3..200).contains(&size(record.conversation))).unwrap();
    let thread = asked(&vault, &ann, asking("avg-15", OpeningScope::Thread, &[first.id])).await.unwrap();
    assert_eq!(thread.records.len(), size(first.conversation));
    for record in &thread.records {
        opens(&vault, &ann, thread.row.id, record.record).await.unwrap();
    }
    let alone = asked(&vault, &ann, asking("avg-15", OpeningScope::Record, &[first.id])).await.unwrap();
    let other = thread.records.iter().find(|one| one.record != first.id).unwrap();
    refused(opens(&vault, &ann, alone.row.id, other.record).await, "access#reach");
}

pub async fn opening_at_once_is_alarmed_and_must_be_justified(stage: &Stage) {
    let vault = vault(stage).await;
    let (ann, ben) = (official(1), official(2));
    let all = records(&vault).await;
    let at_once = || Asking { break_glass: true, ..asking("incident", OpeningScope::Record, &all[..1]) };
    let calm = asked(&vault, &ann, asking("incident", OpeningScope::Record, &all[..1])).await.unwrap();
    assert_eq!(calm.row.state, OpeningState::Waiting, "not at once it waits for a second person");
    let one = asked(&vault, &ann, at_once()).await.unwrap();
    let id = one.row.id;
    opens(&vault, &ann, id, all[0]).await.unwrap();
    let due = vault.archive.openings().alarms_due(vault.archive.sources.now(), 10).await.unwrap();
    assert_eq!((due.len(), due[0].about), (1, id.uuid()), "the alarm stands with the request");
    let warned = || async {
        past(&vault, vault.archive.sources.now().plus_seconds(6));
        break_glass::warnings(&vault.archive).await.unwrap().join("; ")
    };
    assert!(warned().await.contains("not delivered"), "{}", warned().await);
    let justify = |by: Actor, text: &'static str| {
        let vault = &vault;
        async move { break_glass::justify(&vault.archive, &vault.rules, &by, id, &text.into()).await }
    };
    absent(justify(ben.clone(), "the server was being emptied at that time").await);
    unfit(justify(ann.clone(), "because").await, "20 to 2000");
    let said = justify(ann.clone(), "the server was being emptied at that time").await.unwrap();
    assert_eq!(said.justification.unwrap().expose(), "the server was being emptied at that time");
    unfit(justify(ann.clone(), "the server was being emptied at that time").await, "before");
    unfit(
        break_glass::justify(&vault.archive, &vault.rules, &ann, calm.row.id, &MOTIVATION.into()).await,
        "nothing to justify",
    );
    opens(&vault, &ann, id, all[0]).await.unwrap();
    let told = entries(&vault, 0).await;
    let about =
        |kind| told.iter().filter(|e| e.kind() == kind && e.things().contains(&Thing::Grant(id))).count();
    assert_eq!((about(EntryKind::IncidentOpened), about(EntryKind::IncidentClosed)), (1, 1));
    sequence::number(&vault.archive).await.unwrap();
}
