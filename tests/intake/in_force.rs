//! A person's answer, a decision and its proof are of the version that is in force.

use super::disclosure::{actor, official};
use super::minimised::status;
use crate::keys::fixture::{destroyed, low};
use crate::support::{TestVault, judged_by_one};
use knik::decide::Answer;
use knik::model::{Outcome, RecordId, Role, Visibility};
use knik::store::catalogue::{Channel, RecordSummary};
use knik::vault::decision_receipt::{receipt, verify_decision};
use knik::vault::reviewing::{self, AskedRate, Drawing};
use knik::vault::{Rules, queue};
use serde_json::{Value, json};
use sqlx::Row;

fn reaction(id: u32, text: &str) -> Value {
    status(id, "burger", "public", text, &["minlow"])
}

fn edit(id: u32, text: &str) -> Value {
    let mut edited = reaction(id, text);
    edited["edited_at"] = json!("2026-03-09T12:30:00.000Z");
    edited
}

async fn records(vault: &TestVault) -> Vec<RecordSummary> {
    vault.archive.catalogue.records(&low(), None, None, 10_000).await.unwrap()
}

async fn outcome(vault: &TestVault, record: RecordId) -> Outcome {
    vault.archive.catalogue.record(record).await.unwrap().unwrap().outcome
}

/// A vault with one reaction on a channel of scenario B.
async fn doubtful() -> (TestVault, Channel, RecordId) {
    let (vault, channels) = TestVault::demo(7).await;
    let demo = channels.into_iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap();
    let page = serde_json::to_vec(&[reaction(31, "Serieus?")]).unwrap();
    vault.ingest_bytes(&demo.channel, &page).await.unwrap();
    let record = records(&vault).await[0].id;
    assert_eq!(outcome(&vault, record).await, Outcome::Unsure);
    (vault, demo.channel, record)
}

#[tokio::test]
async fn a_persons_answer_is_of_the_version_that_it_was_given_on() {
    let (vault, channel, record) = doubtful().await;
    let (archive, rules, reviewer) = (&vault.archive, &vault.rules, actor(Role::Reviewer, "min-low"));
    let say =
        async |step, answer| queue::answer(archive, rules, &reviewer, record, step, answer).await.unwrap();
    assert_eq!(say("question", Answer::No).await.outcome, Outcome::DoNotArchive);
    let edited = [edit(31, "Wanneer gaat het loket in mijn wijk open?")];
    vault.ingest_bytes(&channel, &serde_json::to_vec(&edited).unwrap()).await.unwrap();
    assert_eq!(outcome(&vault, record).await, Outcome::Archive, "the edit is judged anew");
    // The tree settled it by itself: a person is heard on it once it was drawn.
    let drawing =
        Drawing { rate: AskedRate { permille: Some(1_000), twofold_permille: None }, ..Drawing::default() };
    let once = Rules { reviewing: judged_by_one(), ..rules.clone() };
    let drawn = reviewing::draw(archive, &once, &actor(Role::RecordsManager, "min-low"), &drawing).await;
    assert_eq!(drawn.unwrap().iter().map(|row| row.drawn).sum::<u64>(), 1);
    let decision = say("burgerbrief", Answer::No).await;
    let by: Vec<&str> = decision.path.iter().map(|step| step.answered_by.as_str()).collect();
    assert_eq!(
        (decision.outcome, by.as_slice()),
        (Outcome::Archive, ["detector", "fact", "person"].as_slice())
    );
    assert!(!queue::proposals(archive, &low()).await.unwrap().iter().any(|of| of.record.id == record));
    // Of the version in force people are heard, one after the other.
    assert_eq!(say("question", Answer::No).await.outcome, Outcome::DoNotArchive);
    destroyed(&vault, &low(), &[record]).await.unwrap();
    let left =
        sqlx::query("SELECT COUNT(*) AS n FROM step_answer").fetch_one(archive.catalogue.database().read());
    assert_eq!(left.await.unwrap().get::<i64, _>("n"), 0, "what people said of any version goes with it");
}

/// A reaction in a format that does not say who could see it.
fn unsaid(text: &str, visibility: Option<&str>) -> Vec<u8> {
    let mut line = json!({
        "knik": 1, "id": "61", "platform": "mastodon", "kind": "reaction", "author": { "handle": "burger@polder.example" },
        "text": text, "posted_at": "2026-03-09T11:52:03Z",
    });
    if let Some(visibility) = visibility {
        line["visibility"] = json!(visibility);
    }
    line.to_string().into_bytes()
}

#[tokio::test]
async fn an_edit_from_a_source_that_never_says_who_could_see_it_takes_force() {
    let (vault, channels) = TestVault::demo(7).await;
    let _numbering = vault.numbering();
    let channel = &channels.iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap().channel;
    let asked = "Wanneer gaat het loket in mijn wijk open?";
    vault.ingest_bytes(channel, &unsaid("Mooi hoor.", None)).await.unwrap();
    let record = records(&vault).await[0].id;
    assert_eq!(outcome(&vault, record).await, Outcome::DoNotArchive);
    vault.ingest_bytes(channel, &unsaid(asked, None)).await.unwrap();
    assert_eq!(outcome(&vault, record).await, Outcome::Archive);
    assert!(queue::proposals(&vault.archive, &low()).await.unwrap().is_empty());
    proves(&vault, record, Outcome::Archive).await;
    // One that says so takes its place, and none that does not takes that of one that does.
    vault.ingest_bytes(channel, &unsaid("Mooi gedaan.", Some("public"))).await.unwrap();
    assert_eq!(outcome(&vault, record).await, Outcome::DoNotArchive);
    vault.ingest_bytes(channel, &unsaid("Wanneer gaat de sluis open?", None)).await.unwrap();
    let now = vault.archive.catalogue.record(record).await.unwrap().unwrap();
    assert_eq!((now.outcome, now.visibility), (Outcome::DoNotArchive, Visibility::Public));
    proves(&vault, record, Outcome::DoNotArchive).await;
}

/// What is told and proved of a record is what is in force.
async fn proves(vault: &TestVault, record: RecordId, expected: Outcome) {
    let told = vault.archive.catalogue.decisions(record).await.unwrap();
    assert_eq!(told[0].outcome, expected, "{told:?}");
    let given = receipt(&vault.archive, &vault.rules, &official("min-low"), record, 0).await.unwrap();
    let verified = verify_decision(&json!(given).to_string(), vault.archive.logs.vault.verifier()).unwrap();
    assert_eq!(verified.statement["outcome"], json!(expected));
    assert_eq!(outcome(vault, record).await, expected);
}

#[tokio::test]
async fn an_older_version_that_comes_in_later_is_neither_proved_nor_compared_with() {
    let (vault, channels) = TestVault::demo(7).await;
    let _numbering = vault.numbering();
    let channel = &channels.iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap().channel;
    for page in [edit(31, "Wanneer gaat het loket in mijn wijk open?"), reaction(31, "Mooi hoor.")] {
        vault.ingest_bytes(channel, &serde_json::to_vec(&[page]).unwrap()).await.unwrap();
    }
    let record = records(&vault).await[0].id;
    proves(&vault, record, Outcome::Archive).await;
    let before = receipt(&vault.archive, &vault.rules, &official("min-low"), record, 1).await.unwrap();
    assert_eq!(json!(before)["statement"]["outcome"], json!(Outcome::DoNotArchive));
}
