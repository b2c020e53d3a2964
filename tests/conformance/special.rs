//! Records that show special categories: read under a grant that names them, once a reviewer has judged that they do.

use super::openings::{person, vault};
use super::stage::Stage;
use crate::support::TestVault;
use knik::access::grant_file::Content;
use knik::model::{
    ActorId, FlagKind, GrantId, ProjectionId, RequestId, RequestStep, ReviewReason, Role, Verdict,
};
use knik::store::catalogue::{QueueState, ReviewItem};
use knik::store::inbox::HandedIn;
use knik::store::room::{Query, Room};
use knik::vault::requests::{Deciding, decide, hand_in};
use knik::vault::review::{Judging, QueueSelection, judge, list};
use knik::vault::{VaultError, grants};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

fn content(kinds: &[FlagKind]) -> Content {
    serde_json::from_value(json!({
        "organisation": "min-low", "question": "Wat vertellen burgers over hun gezondheid?", "purpose": "Proefschrift",
        "legalBasis": "avg-89", "institution": "Universiteit van Ergens",
        "selection": { "specialCategories": kinds }, "form": "view", "plan": "researcher",
        "attachments": [
            { "kind": "ethics", "title": "Toetsing", "text": "Goedgekeurd (verzonnen)." },
            { "kind": "dpia", "title": "DPIA", "text": "Gedaan (verzonnen)." },
        ],
    }))
    .unwrap()
}

/// A grant of a researcher, from request to acceptance.
async fn granted(vault: &TestVault, subject: &str, kinds: &[FlagKind]) -> GrantId {
    let request = RequestId::from_uuid(Uuid::new_v4());
    let step = async |step: RequestStep, content: Option<Content>| {
        let handed = HandedIn {
            request,
            step,
            issuer: "https://login.example".to_owned(),
            subject: subject.to_owned(),
            content,
            text: String::new(),
            until: None,
        };
        hand_in(&vault.archive, &vault.rules, &handed, None).await.unwrap()
    };
    step(RequestStep::Write, Some(content(kinds))).await;
    step(RequestStep::Submit, None).await;
    let deciding = Deciding {
        step: RequestStep::Approve,
        text: "Van belang.".to_owned(),
        conditions: Vec::new(),
        until: None,
        digest: None,
    };
    decide(&vault.archive, &vault.rules, None, request, deciding).await.unwrap();
    let active = step(RequestStep::Accept, None).await;
    vault.round().await;
    vault.round().await;
    active.grant.unwrap()
}

async fn judged(vault: &TestVault, item: &ReviewItem, verdict: Verdict, reason: ReviewReason) {
    let reviewer = person(71, Role::Reviewer, "min-low");
    let judging = Judging { kinds: Vec::new(), verdict, reason };
    judge(&vault.archive, &vault.rules, &reviewer, item.id, &judging).await.unwrap();
    vault.round().await;
}

async fn reads(vault: &TestVault, grant: GrantId) -> BTreeSet<ProjectionId> {
    let room = Room::new(vault.room.clone());
    let found = room.find(grant, &Query::default(), None, 1_000).await.unwrap();
    found.iter().map(|record| record.projection).collect()
}

pub async fn special_categories_are_read_under_grants_that_name_them_once_judged(stage: &Stage) {
    let vault = vault(stage).await;
    let reviewer = person(71, Role::Reviewer, "min-low");
    let asked = QueueSelection { state: QueueState::Open, after: None, most: 100 };
    let item = list(&vault.archive, &vault.rules, &reviewer, &asked).await.unwrap().remove(0);
    let kinds: Vec<FlagKind> = item.flags.iter().map(|(kind, _)| kind).collect();
    let other = *FlagKind::ALL.iter().find(|kind| !kinds.contains(kind)).unwrap();
    let naming = granted(&vault, "onderzoeker-1", &kinds).await;
    let elsewhere = granted(&vault, "onderzoeker-2", &[other]).await;
    let plain = granted(&vault, "onderzoeker-3", &[]).await;
    let has = async |grant| reads(&vault, grant).await.contains(&item.projection);
    assert!(!has(naming).await, "nobody has judged it");
    judged(&vault, &item, Verdict::KeepWithheld, ReviewReason::InDoubt).await;
    assert!(!has(naming).await, "in doubt it is withheld");
    judged(&vault, &item, Verdict::KeepWithheld, ReviewReason::FlagHolds).await;
    assert!(has(naming).await, "it is named, and judged");
    assert!(!has(elsewhere).await && !has(plain).await, "others have not got it");
    let staff = vault.archive.room.document(item.projection).await.unwrap();
    assert_eq!(staff, None, "staff sees no view of it either");
    let later = granted(&vault, "onderzoeker-4", &kinds).await;
    let without = granted(&vault, "onderzoeker-5", &[]).await;
    assert!(has(later).await && has(naming).await && !has(without).await, "a grant that begins later");
    grants::revoke(&vault.archive, naming, None::<(ActorId, Role)>).await.unwrap();
    vault.round().await;
    assert!(!has(naming).await && has(later).await);
    judged(&vault, &item, Verdict::KeepWithheld, ReviewReason::InDoubt).await;
    assert!(!has(later).await, "a judgement can be changed");
    judged(&vault, &item, Verdict::Release, ReviewReason::FlagDoesNotHold).await;
    assert!(has(plain).await && has(later).await && has(elsewhere).await);
}

pub async fn a_basis_that_does_not_allow_it_takes_no_special_categories(stage: &Stage) {
    let vault = vault(stage).await;
    let mut asked = content(&[FlagKind::Health]);
    asked.legal_basis = "woo-5.7".parse().unwrap();
    let request = RequestId::from_uuid(Uuid::new_v4());
    for (step, content) in [(RequestStep::Write, Some(asked)), (RequestStep::Submit, None)] {
        let handed = HandedIn {
            request,
            step,
            issuer: "https://login.example".to_owned(),
            subject: "onderzoeker-1".to_owned(),
            content,
            text: String::new(),
            until: None,
        };
        hand_in(&vault.archive, &vault.rules, &handed, None).await.unwrap();
    }
    let text = "Van belang.".to_owned();
    let deciding =
        Deciding { step: RequestStep::Approve, text, conditions: Vec::new(), until: None, digest: None };
    let refused = decide(&vault.archive, &vault.rules, None, request, deciding).await;
    assert!(
        matches!(&refused, Err(VaultError::Input(said)) if said.contains("special categories")),
        "{refused:?}"
    );
}
