//! The only way to plaintext, with permits that `access` minted and evidence that the journal made.

use super::sealed::{permitted, sealed_capture};
use crate::support::TestVault;
use knik::access::{Actor, OpeningRequest, Permit};
use knik::ledger::{Entry, EntryKind, Pending, Recorded, Thing};
use knik::model::{ActorId, OrganisationId, PermitId, RecordId, Role};
use knik::seal::{OpenError, SealedOriginal, open, open_system};
use uuid::Uuid;

const A: RecordId = RecordId::from_uuid(Uuid::from_u128(1));
const B: RecordId = RecordId::from_uuid(Uuid::from_u128(2));

fn permit_id(n: u128) -> PermitId {
    PermitId::from_uuid(Uuid::from_u128(n))
}

/// A vault with one capture, of this organisation.
async fn one_capture() -> (TestVault, OrganisationId, Vec<u8>) {
    let (vault, channels) = TestVault::demo(1).await;
    let demo = &channels[0];
    vault.ingest(&demo.channel, &demo.captures[0].path).await.unwrap();
    (vault, demo.channel.organisation.clone(), std::fs::read(&demo.captures[0].path).unwrap())
}

fn permit(vault: &TestVault, organisation: &OrganisationId, id: u128, record: RecordId) -> Permit {
    let actor = Actor {
        id: ActorId::from_uuid(Uuid::from_u128(9)),
        role: Role::Official,
        organisation: organisation.clone(),
    };
    let asked = OpeningRequest {
        actor: &actor,
        record,
        organisation,
        assigned: None,
        basis: &"avg-15".parse().unwrap(),
        case_number: &"2026-0042".into(),
        motivation: &"the person concerned asked to see it".into(),
        approval: None,
        under: None,
        restricted: false,
        now: vault.archive.sources.now(),
    };
    vault.rules.access.authorise_opening(&asked, &vault.rules.bases, permit_id(id)).unwrap()
}

/// Evidence that an opening of `record` under permit `id` is recorded.
async fn recorded(vault: &TestVault, id: u128, record: RecordId) -> Recorded {
    let sources = &vault.archive.sources;
    let entry = Entry::new(sources.entry_id().unwrap(), EntryKind::DisclosureIntended, sources.now())
        .under(permit_id(id))
        .about([Thing::Record(record)]);
    let pending = Pending::opening(permit_id(id), record, entry).unwrap();
    vault.archive.journal.record(vault.archive.logs.vault_origin(), pending, None).await.unwrap()
}

/// Evidence of a step that opens nothing.
async fn seen(vault: &TestVault) -> Recorded {
    let sources = &vault.archive.sources;
    let entry = Entry::new(sources.entry_id().unwrap(), EntryKind::ViewServed, sources.now())
        .about([Thing::Record(A)]);
    let pending = Pending::event(entry).unwrap();
    vault.archive.journal.record(vault.archive.logs.vault_origin(), pending, None).await.unwrap()
}

async fn sealed(vault: &TestVault, organisation: &OrganisationId, record: RecordId) -> SealedOriginal {
    sealed_capture(vault, vault.last_capture().await, organisation, record).await.0
}

#[tokio::test]
async fn permit_evidence_and_record_must_be_of_one_opening() {
    let (vault, organisation, file) = one_capture().await;
    let of = |record| sealed(&vault, &organisation, record);
    let opened =
        open(permit(&vault, &organisation, 1, A), recorded(&vault, 1, A).await, of(A).await).unwrap();
    assert_eq!(opened.item().len(), file.len());
    let other = Some(OpenError::OtherRecord);
    let unrecorded = Some(OpenError::NotRecorded);
    let table = [
        ("another record's original", 1, A, recorded(&vault, 1, A).await, of(B).await, other.clone()),
        ("evidence of another permit", 1, A, recorded(&vault, 2, A).await, of(A).await, unrecorded.clone()),
        ("evidence of another record", 1, A, recorded(&vault, 1, B).await, of(A).await, unrecorded.clone()),
        ("a permit for another record", 1, B, recorded(&vault, 1, A).await, of(A).await, unrecorded.clone()),
        ("evidence of something else", 1, A, seen(&vault).await, of(A).await, unrecorded.clone()),
        (
            "evidence of a system act",
            1,
            A,
            permitted(&vault, &organisation, &[A]).await.1,
            of(A).await,
            unrecorded,
        ),
    ];
    for (what, id, record, evidence, original, expected) in table {
        let outcome = open(permit(&vault, &organisation, id, record), evidence, original);
        assert_eq!(outcome.err(), expected, "{what}");
    }
    let elsewhere = SealedOriginal { organisation: "dwv".parse().unwrap(), ..of(A).await };
    let outcome = open(permit(&vault, &organisation, 1, A), recorded(&vault, 1, A).await, elsewhere);
    assert_eq!(outcome.err(), other, "another organisation's original");
}

#[tokio::test]
async fn a_batch_opens_under_its_own_permit_and_no_other() {
    let (vault, organisation, file) = one_capture().await;
    let of = |record| sealed(&vault, &organisation, record);
    let (permit, evidence) = permitted(&vault, &organisation, &[A, B]).await;
    let opened = open_system(permit, evidence, vec![of(A).await, of(B).await, of(A).await]).unwrap();
    let records: Vec<RecordId> = opened.iter().map(|(record, _)| *record).collect();
    assert_eq!(records, [A, B, A]);
    assert!(opened.iter().all(|(_, original)| original.as_ref().unwrap().item().len() == file.len()));

    let (permit, _) = permitted(&vault, &organisation, &[A]).await;
    let (_, evidence) = permitted(&vault, &organisation, &[A]).await;
    assert_eq!(
        open_system(permit, evidence, vec![of(A).await]).unwrap_err(),
        OpenError::NotRecorded,
        "another act"
    );
    let (permit, evidence) = permitted(&vault, &organisation, &[A]).await;
    let beside = open_system(permit, evidence, vec![of(A).await, of(B).await]);
    assert_eq!(beside.unwrap_err(), OpenError::OtherRecord, "a record that is not of the batch");
    let (permit, _) = permitted(&vault, &organisation, &[A]).await;
    let personal = recorded(&vault, 1, A).await;
    assert_eq!(
        open_system(permit, personal, vec![of(A).await]).unwrap_err(),
        OpenError::NotRecorded,
        "a person's"
    );
    let (permit, evidence) = permitted(&vault, &"dwv".parse().unwrap(), &[A]).await;
    assert_eq!(
        open_system(permit, evidence, vec![of(A).await]).unwrap_err(),
        OpenError::OtherRecord,
        "of others"
    );
}
