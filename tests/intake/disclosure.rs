//! Disclosing originals: the exact bytes, with a receipt; and refusals, which are recorded.

use super::units;
use crate::support::{TestVault, seeded_bytes};
use knik::access::Actor;
use knik::ledger::{Entry, EntryKind, LogKey, Thing};
use knik::model::{ActorId, PrivateText, RecordId, Role};
use knik::vault::disclose::{Disclosure, DisclosureRequest, receipt_again};
use knik::vault::verify::{Trust, verify_ledger, verify_receipt};
use knik::vault::{VaultError, bodies, disclose as vault_disclose};
use std::collections::BTreeSet;
use uuid::Uuid;

const MOTIVATION: &str = "the person concerned asked to see it";

/// An official of an organisation.
pub fn official(organisation: &str) -> Actor {
    actor(Role::Official, organisation)
}

/// Someone of an organisation in a role.
pub fn actor(role: Role, organisation: &str) -> Actor {
    let id = ActorId::from_uuid(Uuid::from_u128(0xac_70_12));
    Actor { id, role, organisation: organisation.parse().unwrap() }
}

/// Asks for an original.
pub async fn disclose(
    vault: &TestVault,
    actor: &Actor,
    record: RecordId,
    basis: &str,
    case_number: &str,
    motivation: &str,
) -> Result<Disclosure, VaultError> {
    let asked = DisclosureRequest {
        record,
        basis: basis.parse().unwrap(),
        case_number: PrivateText::new(case_number.to_owned()),
        motivation: PrivateText::new(motivation.to_owned()),
        recipient: None,
    };
    vault_disclose::disclose(&vault.archive, &vault.rules, actor, &asked).await
}

/// The entries of the vault's log from number `from` on, once all are numbered.
pub async fn entries(vault: &TestVault, from: usize) -> Vec<Entry> {
    knik::vault::sequence::number(&vault.archive).await.unwrap();
    let log = vault.archive.logs.vault_origin();
    let leaves = vault.archive.journal.leaves(log, from as u64, u32::MAX).await.unwrap();
    leaves.iter().map(|(_, leaf)| Entry::parse(leaf).unwrap()).collect()
}

#[tokio::test]
async fn every_original_is_an_item_of_a_file_byte_for_byte() {
    let (vault, channels) = TestVault::loaded(1).await;
    let _numbering = vault.numbering();
    let mut items: BTreeSet<Vec<u8>> = BTreeSet::new();
    for capture in channels.iter().flat_map(|demo| &demo.captures) {
        let file = std::fs::read(&capture.path).unwrap();
        let bytes = |start: u64, end: u64| {
            file[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()].to_vec()
        };
        let of_unit = |unit: &knik::capture::Unit| {
            unit.items.iter().map(|i| (i.range.start, i.range.end)).collect::<Vec<_>>()
        };
        items.extend(units(&capture.path).1.iter().flat_map(of_unit).map(|(start, end)| bytes(start, end)));
    }
    let (mut given, mut records) = (BTreeSet::new(), 0);
    for organisation in ["min-low", "dwv"] {
        let actor = official(organisation);
        for summary in vault.archive.catalogue.records(&actor.organisation, None, None, 1_000).await.unwrap()
        {
            let one = disclose(&vault, &actor, summary.id, "avg-15", "2026-0042", MOTIVATION).await.unwrap();
            assert!(items.contains(one.original.item()), "{} is no item of a file", summary.id);
            given.insert(one.original.item().to_vec());
            records += 1;
        }
    }
    assert!(records > 50, "{records}");
    assert_eq!(given.len(), records, "each record has an original of its own");
}

#[tokio::test]
async fn a_disclosure_is_proved_to_whoever_has_the_logs_key() {
    let (vault, _) = TestVault::loaded(1).await;
    let actor = official("min-low");
    let record = vault.archive.catalogue.records(&actor.organisation, None, None, 1).await.unwrap()[0].id;
    let before = entries(&vault, 0).await.len();
    let one = {
        let _numbering = vault.numbering();
        disclose(&vault, &actor, record, "avg-15", "2026-0042", MOTIVATION).await.unwrap()
    };
    let json = serde_json::to_string(&one.receipt).unwrap();
    let [key, other_log] = vault.verifiers();
    let proved = verify_receipt(&json, &key).unwrap().entry;
    assert_eq!(proved.kind(), EntryKind::DisclosureIntended);
    assert_eq!((proved.actor(), proved.records().collect::<Vec<_>>()), (Some(actor.id), vec![record]));
    assert!(proved.things().contains(&Thing::Disclosure(one.id)));
    assert!(proved.body().is_some(), "it commits to case and motivation");
    assert!(!json.contains("2026-0042"), "and does not hold them");
    let stranger = LogKey::from_seed(key.origin().clone(), &seeded_bytes(99)).unwrap();
    for wrong in [&other_log, stranger.verifier()] {
        assert!(verify_receipt(&json, wrong).is_err(), "{wrong}");
    }
    assert!(verify_receipt(&json.replace(&one.receipt.index().to_string(), "0"), &key).is_err());
    assert!(verify_receipt("{}", &key).is_err());
    let kinds: Vec<EntryKind> = entries(&vault, before).await.iter().map(Entry::kind).collect();
    assert_eq!(kinds, [EntryKind::DisclosureIntended, EntryKind::DisclosureServed], "intent first");
    let again = receipt_again(&vault.archive, &vault.rules, &actor, one.id).await.unwrap();
    assert_eq!(verify_receipt(&serde_json::to_string(&again).unwrap(), &key).unwrap().entry, proved);
    let colleague = Actor { id: ActorId::from_uuid(Uuid::from_u128(5)), ..official("min-low") };
    assert!(matches!(
        receipt_again(&vault.archive, &vault.rules, &colleague, one.id).await,
        Err(VaultError::Absent { .. })
    ));
}

#[tokio::test]
async fn an_erased_body_leaves_entry_receipt_and_tree_as_they_were() {
    let (vault, _) = TestVault::loaded(1).await;
    let actor = official("min-low");
    let record = vault.archive.catalogue.records(&actor.organisation, None, None, 1).await.unwrap()[0].id;
    let one = {
        let _numbering = vault.numbering();
        disclose(&vault, &actor, record, "avg-15", "2026-0042", MOTIVATION).await.unwrap()
    };
    let json = serde_json::to_string(&one.receipt).unwrap();
    let [key, _] = vault.verifiers();
    let intent = verify_receipt(&json, &key).unwrap().entry;
    assert!(vault.archive.journal.body(intent.id()).await.unwrap().is_some());
    assert!(bodies::erase(&vault.archive, intent.id()).await.unwrap());
    assert!(vault.archive.journal.body(intent.id()).await.unwrap().is_none());
    assert!(!bodies::erase(&vault.archive, intent.id()).await.unwrap(), "there is none any more");
    let last = entries(&vault, 0).await.pop().unwrap();
    assert_eq!(last.kind(), EntryKind::DataErased);
    assert!(last.things().contains(&Thing::Entry(intent.id())), "it is told which");
    assert_eq!(verify_receipt(&json, &key).unwrap().entry, intent, "the receipt holds as before");
    let again = receipt_again(&vault.archive, &vault.rules, &actor, one.id).await.unwrap();
    assert_eq!(verify_receipt(&serde_json::to_string(&again).unwrap(), &key).unwrap().entry, intent);
    let seen = verify_ledger(&vault.archive, &Trust::of(&vault.archive), &[]).await.unwrap();
    assert_eq!(seen.first_wrong, None);
}

#[tokio::test]
async fn a_refusal_is_clear_to_who_may_know_and_recorded_for_all() {
    let (vault, _) = TestVault::loaded(1).await;
    let (own, others) = (official("min-low"), official("dwv"));
    let record = vault.archive.catalogue.records(&own.organisation, None, None, 1).await.unwrap()[0].id;
    let nowhere = RecordId::from_uuid(Uuid::from_u128(404));
    let (researcher, manager) = (actor(Role::Researcher, "min-low"), actor(Role::RecordsManager, "min-low"));
    let (long, case) = ("x".repeat(65), "2026-0042");
    // Who, which record, basis, case, motivation; and whether they may know that there is such a record.
    let table = [
        ("no such basis", &own, record, "curiosity", case, MOTIVATION, true),
        ("a basis for two", &own, record, "parliament-x", case, MOTIVATION, true),
        ("no case number", &own, record, "avg-15", "", MOTIVATION, true),
        ("a blank case number", &own, record, "avg-15", "  ", MOTIVATION, true),
        ("a case number that is too long", &own, record, "avg-15", long.as_str(), MOTIVATION, true),
        ("no motivation", &own, record, "avg-15", case, "", true),
        ("a motivation that says nothing", &own, record, "avg-15", case, "because", true),
        ("a researcher", &researcher, record, "avg-15", case, MOTIVATION, false),
        ("another organisation", &others, record, "avg-15", case, MOTIVATION, false),
        ("no such record", &own, nowhere, "avg-15", case, MOTIVATION, false),
        ("a researcher, no such record", &researcher, nowhere, "avg-15", case, MOTIVATION, false),
    ];
    let mut from = entries(&vault, 0).await.len();
    for (what, actor, record, basis, case, motivation, may_know) in table {
        let refused = disclose(&vault, actor, record, basis, case, motivation).await.unwrap_err();
        match (&refused, may_know) {
            (VaultError::Refused(denial), true) => assert!(!denial.reasons().is_empty(), "{what}"),
            (VaultError::Absent { what: "the record" }, false) => {}
            _ => panic!("{what}: {refused:?}"),
        }
        let new = entries(&vault, from).await;
        let kinds: Vec<EntryKind> = new.iter().map(Entry::kind).collect();
        assert_eq!(kinds, [EntryKind::AccessDenied], "{what}");
        assert_eq!((new[0].actor(), new[0].role()), (Some(actor.id), Some(actor.role)), "{what}");
        assert!(!new[0].reasons().is_empty(), "{what}");
        from += 1;
    }
    let refused = disclose(&vault, &manager, record, "avg-15", case, MOTIVATION).await.unwrap_err();
    assert!(matches!(refused, VaultError::Refused(_) | VaultError::Absent { .. }));
    assert_eq!(entries(&vault, from).await.len(), 1);
}
