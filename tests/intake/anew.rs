//! A fact that changed decides anew, whatever stopped in between.

use super::correspondence::{case, day, registrar};
use super::disclosure::entries;
use super::minimised::status;
use crate::keys::fixture::{destroyed, low};
use crate::support::{DemoChannel, TestVault};
use knik::ledger::{Entry, EntryKind};
use knik::model::{Outcome, PrivateText, RecordId};
use knik::store::catalogue::{Channel, Fact, RecordSummary};
use knik::vault::letters::{self, NewLink};
use knik::vault::{channels, formal};
use serde_json::{Value, json};

const QUESTION: &str = "Wanneer start de bouw van de school?";
const OBJECTION: &str =
    "Hierbij maak ik bezwaar tegen uw besluit over de kapvergunning, zaaknummer 2026-441.";

/// A vault and a channel that follows the tree of one-way communication: it asks what the organisation answered and registered.
async fn one_way() -> (TestVault, Channel) {
    let (vault, channels) = TestVault::demo(7).await;
    let DemoChannel { channel, mut facts, .. } =
        channels.into_iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap();
    for fact in facts.iter_mut().filter(|fact| fact.fact == Fact::Tree) {
        fact.value = "scenario-a".to_owned();
    }
    let channel = Channel { id: "low-een-kant".parse().unwrap(), ..channel };
    assert!(channels::declare(&vault.archive, &vault.rules, &channel, &facts, None).await.unwrap());
    (vault, channel)
}

fn reaction(id: u32, text: &str) -> Value {
    status(id, "burger", "public", text, &["minlow"])
}

/// The organisation's answer to a reaction.
fn answer(id: u32, to: u32) -> Value {
    let mut answer = status(id, "minlow", "public", "De bouw start in september.", &["burger"]);
    answer["in_reply_to_id"] = json!(to.to_string());
    answer
}

async fn records(vault: &TestVault) -> Vec<RecordSummary> {
    vault.archive.catalogue.records(&low(), None, None, 10_000).await.unwrap()
}

async fn outcome(vault: &TestVault, record: RecordId) -> Outcome {
    vault.archive.catalogue.record(record).await.unwrap().unwrap().outcome
}

/// From now on no decision takes the place of another.
async fn stopped(vault: &TestVault) {
    vault
        .tamper(
            "CREATE TRIGGER stopped BEFORE INSERT ON decision_before BEGIN SELECT RAISE(ABORT, 'stopped'); END",
        )
        .await;
}

async fn goes_on(vault: &TestVault) {
    vault.tamper("DROP TRIGGER stopped").await;
}

async fn changes(vault: &TestVault) -> Vec<Entry> {
    let mut all = entries(vault, 0).await;
    all.retain(|entry| entry.kind() == EntryKind::DecisionChanged);
    all
}

async fn waiting(vault: &TestVault) -> usize {
    vault.archive.catalogue.waiting_anew(None, 100).await.unwrap().len()
}

#[tokio::test]
async fn what_was_answered_is_decided_anew_also_when_a_delivery_stopped_before_it_was() {
    for delivered_again in [true, false] {
        let (vault, channel) = one_way().await;
        let page = [reaction(41, QUESTION), answer(42, 41), reaction(43, OBJECTION), answer(44, 43)];
        stopped(&vault).await;
        let _told = vault.ingest_bytes(&channel, &serde_json::to_vec(&page).unwrap()).await;
        let asked = records(&vault).await.iter().find(|record| record.outcome == Outcome::Refer).unwrap().id;
        assert_eq!(waiting(&vault).await, 1, "what came out as it was waits no longer");
        goes_on(&vault).await;
        if delivered_again {
            let again = serde_json::to_vec_pretty(&page).unwrap();
            assert_eq!(vault.ingest_bytes(&channel, &again).await.unwrap().already_there, 4);
        } else {
            vault.round().await;
        }
        assert_eq!(outcome(&vault, asked).await, Outcome::Archive);
        assert_eq!(waiting(&vault).await, 0);
        vault.round().await;
        let changed = changes(&vault).await;
        assert_eq!((changed.len(), changed[0].actor()), (1, None), "once");
    }
}

#[tokio::test]
async fn an_answer_that_came_in_first_counts_when_the_question_comes() {
    let (vault, channel) = one_way().await;
    for page in [answer(42, 41), reaction(41, QUESTION)] {
        vault.ingest_bytes(&channel, &serde_json::to_vec(&[page]).unwrap()).await.unwrap();
    }
    let outcomes: Vec<Outcome> = records(&vault).await.iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [Outcome::Archive, Outcome::Archive]);
}

#[tokio::test]
async fn what_was_registered_is_decided_anew_also_when_that_stopped_before_it_was() {
    let (vault, channel) = one_way().await;
    let page = [reaction(51, OBJECTION), reaction(52, OBJECTION)];
    vault.ingest_bytes(&channel, &serde_json::to_vec(&page).unwrap()).await.unwrap();
    let ids: Vec<RecordId> = records(&vault).await.iter().map(|record| record.id).collect();
    let [forwarded, linked] = ids.as_slice() else { panic!("{ids:?}") };
    let (archive, rules, by) = (&vault.archive, &vault.rules, registrar());
    stopped(&vault).await;
    let forward = async || formal::forward(archive, rules, &by, *forwarded, "Gemeente", None).await;
    let link = async || {
        let asked = NewLink {
            record: *linked,
            case: case("B-17"),
            registered_on: day("2026-03-09"),
            registrar: PrivateText::new("R. Voorbeeld".to_owned()),
            taken_over: "tekst".to_owned(),
            confirmed: Some((day("2026-03-10"), "ontvangen".to_owned())),
        };
        letters::link(archive, rules, &by, asked).await
    };
    let _told = (forward().await, link().await);
    assert_eq!(waiting(&vault).await, 2);
    goes_on(&vault).await;
    forward().await.unwrap();
    link().await.unwrap();
    vault.round().await;
    for record in [forwarded, linked] {
        assert_eq!(outcome(&vault, *record).await, Outcome::ArchiveElsewhere);
    }
    let changed = changes(&vault).await;
    assert_eq!(changed.len(), 2);
    assert!(changed.iter().all(|entry| entry.actor() == Some(by.id)), "by whoever registered it");
}

#[tokio::test]
async fn what_is_destroyed_waits_for_nothing() {
    let (vault, channel) = one_way().await;
    stopped(&vault).await;
    let page = [reaction(41, QUESTION), answer(42, 41)];
    let _told = vault.ingest_bytes(&channel, &serde_json::to_vec(&page).unwrap()).await;
    let asked = records(&vault).await.iter().find(|record| record.outcome == Outcome::Refer).unwrap().id;
    destroyed(&vault, &low(), &[asked]).await.unwrap();
    assert_eq!(waiting(&vault).await, 0);
}
