//! Separation of duties, mandates and queues: what one person may not do alone, and what ends when its term does.

use super::fixture::{Plane, demo};
use super::stage::{ISSUER, actor, denials};
use crate::support::{TestVault, start};
use knik::access::Actor;
use knik::ledger::EntryKind;
use knik::model::{ActorId, AppointmentKind, ReviewReason, Role, Verdict};
use knik::store::catalogue::{QueueScope, QueueState, ReviewItem};
use knik::vault::VaultError;
use knik::vault::appointments::{self, Appointing};
use knik::vault::grants::{self, Approval};
use knik::vault::review::{self, Judging, QueueSelection};
use serde_json::json;

fn approval(subject: &str, channels: &[&str]) -> Approval {
    Approval {
        organisation: "min-low".parse().unwrap(),
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        purpose: "research".to_owned(),
        legal_basis: "woo-request".parse().unwrap(),
        channels: channels.iter().map(|channel| channel.parse().unwrap()).collect(),
        plan: "researcher".to_owned(),
        until: start().plus_seconds(86_400),
    }
}

fn appointing(kind: AppointmentKind, subject: &str, channels: &[&str]) -> Appointing {
    Appointing {
        kind,
        organisation: "min-low".parse().unwrap(),
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        document: "besluit 2026-12".to_owned(),
        channels: channels.iter().map(|channel| channel.parse().unwrap()).collect(),
        until: start().plus_seconds(86_400),
    }
}

async fn known(vault: &TestVault, subject: &str, role: Role, organisation: &str) -> Actor {
    let sources = &vault.archive.sources;
    let fresh = ActorId::from_uuid(sources.random_id().unwrap());
    let id = vault.archive.catalogue.actor(ISSUER, subject, fresh, sources.now()).await.unwrap();
    Actor { id, role, organisation: organisation.parse().unwrap() }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, VaultError>, code: &str) {
    match outcome {
        Err(VaultError::Refused(denial)) => assert!(denial.codes().contains(code), "{}", denial.codes()),
        other => panic!("{other:?} is not refused for {code}"),
    }
}

#[tokio::test]
async fn an_approver_approves_within_a_mandate_that_runs_and_never_an_own_request() {
    let (vault, _) = TestVault::demo(31).await;
    let (archive, rules) = (&vault.archive, &vault.rules);
    let approver = known(&vault, "directeur-1", Role::Approver, "min-low").await;
    let ask = |subject: &'static str, channels: &'static [&'static str], by: Actor| async move {
        grants::approve(archive, rules, approval(subject, channels), Some(&by)).await
    };
    refused(ask("reads", &[], approver.clone()).await, "approver-approves-grant#2");
    let narrow = appointing(AppointmentKind::Mandate, "directeur-1", &["low-mastodon"]);
    let narrow = appointments::appoint(archive, narrow).await.unwrap();
    refused(ask("reads", &[], approver.clone()).await, "approver-approves-grant");
    ask("reads", &["low-mastodon"], approver.clone()).await.unwrap();
    refused(ask("directeur-1", &["low-mastodon"], approver.clone()).await, "nobody-approves-own-request");
    // The mandate is of a person under the role of approver: it gives no other role anything.
    for role in [Role::Researcher, Role::Official, Role::RecordsManager, Role::Administrator] {
        let by = known(&vault, "directeur-1", role, "min-low").await;
        assert!(ask("reads", &["low-mastodon"], by).await.is_err(), "{role}");
    }
    let officer = known(&vault, "directeur-1", Role::DataProtectionOfficer, "min-low").await;
    refused(ask("reads", &["low-mastodon"], officer).await, "data-protection-officer-decides-nothing");
    let elsewhere = known(&vault, "directeur-1", Role::Approver, "dwv").await;
    assert!(matches!(ask("reads", &["low-mastodon"], elsewhere).await, Err(VaultError::Absent { .. })));
    let before = denials(&vault).await.len();
    appointments::end(archive, AppointmentKind::Mandate, narrow.id).await.unwrap();
    refused(ask("reads", &["low-mastodon"], approver.clone()).await, "approver-approves-grant");
    assert_eq!(denials(&vault).await.len(), before + 1, "each refusal is recorded");
    let whole =
        appointments::appoint(archive, appointing(AppointmentKind::Mandate, "directeur-1", &[])).await;
    ask("reads", &[], approver).await.unwrap();
    assert!(matches!(
        appointments::end(archive, AppointmentKind::Assignment, whole.unwrap().id).await,
        Err(VaultError::Absent { .. })
    ));
    let grants = archive.catalogue.grants().await.unwrap();
    assert_eq!(grants.len(), 2, "what was refused made nothing");
}

#[tokio::test]
async fn an_appointment_names_its_document_channels_and_end_and_stands_in_the_ledger() {
    let (vault, _) = TestVault::demo(32).await;
    let archive = &vault.archive;
    let good = || appointing(AppointmentKind::Mandate, "directeur-1", &[]);
    let cases = [
        (Appointing { document: "  ".to_owned(), ..good() }, "document"),
        (Appointing { until: start().plus_seconds(-1), ..good() }, "past"),
        (Appointing { organisation: "elders".parse().unwrap(), ..good() }, "elders"),
        (appointing(AppointmentKind::Mandate, "directeur-1", &["dwv-x"]), "dwv-x"),
    ];
    for (asked, said) in cases {
        match appointments::appoint(archive, asked).await {
            Err(VaultError::Input(problem)) => assert!(problem.contains(said), "{problem}"),
            other => panic!("{other:?}"),
        }
    }
    let made = appointments::appoint(archive, good()).await.unwrap();
    appointments::end(archive, AppointmentKind::Mandate, made.id).await.unwrap();
    assert!(appointments::end(archive, AppointmentKind::Mandate, made.id).await.is_err(), "it ended");
    vault.round().await;
    let leaves = archive.journal.leaves(archive.logs.vault_origin(), 0, 1_000).await.unwrap();
    let entries = leaves.iter().map(|(_, leaf)| knik::ledger::Entry::parse(leaf).unwrap());
    let kinds: Vec<EntryKind> = entries.map(|entry| entry.kind()).collect();
    for kind in [EntryKind::AppointmentMade, EntryKind::AppointmentEnded] {
        assert_eq!(kinds.iter().filter(|one| **one == kind).count(), 1, "{kind:?}");
    }
    assert_eq!(archive.catalogue.appointments(AppointmentKind::Mandate).await.unwrap().len(), 1);
}

async fn queue(vault: &TestVault, reviewer: &Actor) -> Vec<ReviewItem> {
    let asked = QueueSelection { state: QueueState::Open, after: None, most: 100 };
    review::list(&vault.archive, &vault.rules, reviewer, &asked).await.unwrap()
}

#[tokio::test]
async fn a_reviewer_of_an_external_agency_has_the_channels_of_an_assignment_until_it_ends() {
    let (vault, _) = TestVault::loaded(33).await;
    let (archive, rules) = (&vault.archive, &vault.rules);
    let reviewer = known(&vault, "beoordelaar-7", Role::Reviewer, "bureau").await;
    let whole = [QueueScope::whole("min-low".parse().unwrap())];
    let waiting = archive.catalogue.review_items(&whole, QueueState::Open, None, 100).await.unwrap();
    let item = waiting[0].clone();
    let absent = |outcome: Result<(), VaultError>| {
        assert!(matches!(outcome, Err(VaultError::Absent { .. })), "{outcome:?}");
    };
    let judging =
        || Judging { kinds: Vec::new(), verdict: Verdict::KeepWithheld, reason: ReviewReason::InDoubt };
    assert!(queue(&vault, &reviewer).await.is_empty());
    absent(review::show(archive, rules, &reviewer, item.id).await.map(|_| ()));
    // Another channel's assignment opens nothing of this one.
    let elsewhere = appointing(AppointmentKind::Assignment, "beoordelaar-7", &["low-campagne-x"]);
    appointments::appoint(archive, elsewhere).await.unwrap();
    assert!(queue(&vault, &reviewer).await.is_empty());
    absent(review::judge(archive, rules, &reviewer, item.id, &judging()).await.map(|_| ()));
    let given = appointing(AppointmentKind::Assignment, "beoordelaar-7", &[item.channel.as_str()]);
    let given = appointments::appoint(archive, given).await.unwrap();
    let theirs: Vec<_> = queue(&vault, &reviewer).await.iter().map(|item| item.id).collect();
    let expected: Vec<_> =
        waiting.iter().filter(|one| one.channel == item.channel).map(|item| item.id).collect();
    assert_eq!(theirs, expected);
    assert!(!review::show(archive, rules, &reviewer, item.id).await.unwrap().passages.is_empty());
    review::judge(archive, rules, &reviewer, item.id, &judging()).await.unwrap();
    // It is of this person as a reviewer: no colleague, and no other role of the same person.
    let colleague = known(&vault, "beoordelaar-8", Role::Reviewer, "bureau").await;
    absent(review::show(archive, rules, &colleague, item.id).await.map(|_| ()));
    let same = known(&vault, "beoordelaar-7", Role::Official, "bureau").await;
    absent(review::show(archive, rules, &same, item.id).await.map(|_| ()));
    appointments::end(archive, AppointmentKind::Assignment, given.id).await.unwrap();
    assert!(queue(&vault, &reviewer).await.is_empty());
    absent(review::show(archive, rules, &reviewer, item.id).await.map(|_| ()));
    absent(review::judge(archive, rules, &reviewer, item.id, &judging()).await.map(|_| ()));
    // The organisation's own reviewers go on.
    let own = actor(90, Role::Reviewer, "min-low");
    review::judge(archive, rules, &own, item.id, &judging()).await.unwrap();
}

#[tokio::test]
async fn a_token_of_a_researcher_never_opens_an_original_whoever_the_person_is() {
    let service = demo();
    let official = service.known_as("official", "min-low", "dubbelrol-1");
    let records = official.get(Plane::Vault, "/v1/records?outcome=archive&limit=1").await.expect(200).json();
    let path = format!("/v1/records/{}/disclosures", records["records"][0]["id"].as_str().unwrap());
    let grounds = json!({
        "legalBasis": "woo-request", "caseNumber": "WOO-2026-0117",
        "motivation": "Zoekslag voor een Woo-verzoek over de waterbijdrage",
    });
    let opened = official.post(Plane::Vault, &path, &grounds).await.expect(201).json();
    for role in ["researcher", "public", "administrator", "harvester"] {
        let same = service.known_as(role, "min-low", "dubbelrol-1");
        same.post(Plane::Vault, &path, &grounds).await.expect(404);
    }
    // What the official did is the same person's under any role: the receipt is theirs, the original is not.
    let receipt = format!("/v1/disclosures/{}/receipt", opened["id"].as_str().unwrap());
    service.known_as("researcher", "min-low", "dubbelrol-1").get(Plane::Vault, &receipt).await.expect(200);
    service.known_as("official", "min-low", "dubbelrol-2").get(Plane::Vault, &receipt).await.expect(404);
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_another_opening_with_an_entry_of_its_own() {
    let service = demo();
    let official = service.known_as("official", "min-low", "herhaling-1");
    let records = official.get(Plane::Vault, "/v1/records?outcome=archive&limit=1").await.expect(200).json();
    let path = format!("/v1/records/{}/disclosures", records["records"][0]["id"].as_str().unwrap());
    let grounds = json!({
        "legalBasis": "woo-request", "caseNumber": "WOO-2026-0117",
        "motivation": "Zoekslag voor een Woo-verzoek over de waterbijdrage",
    });
    let mut seen = Vec::new();
    for _ in 0..3 {
        let opened = official.post(Plane::Vault, &path, &grounds).await.expect(201).json();
        let one =
            (opened["id"].clone(), opened["receipt"]["index"].clone(), opened["receipt"]["leaf"].clone());
        assert!(!seen.iter().any(|(id, index, leaf)| *id == one.0 || *index == one.1 || *leaf == one.2));
        seen.push(one);
    }
}
