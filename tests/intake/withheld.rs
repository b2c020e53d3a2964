//! When in doubt, withhold: what later captures, other organisations and great numbers must not undo.

use crate::support::{DemoChannel, TestVault};
use knik::model::{Outcome, ProjectionId, Role, Visibility};
use knik::store::catalogue::{Channel, RecordSummary};
use knik::store::inbox::{Message, RoomEvent, RoomEventKind};
use knik::vault::sequence;
use uuid::Uuid;

fn channel<'a>(channels: &'a [DemoChannel], id: &str) -> &'a Channel {
    &channels.iter().find(|demo| demo.channel.id.as_str() == id).unwrap().channel
}

/// A page with one post, as X's API v2 gives it.
fn page(id: &str, text: &str, year: u16, edits: &[&str], protected: bool) -> Vec<u8> {
    serde_json::json!({
        "data": [{
            "id": id, "text": text, "author_id": "77", "conversation_id": id, "lang": "nl",
            "created_at": format!("{year}-04-05T10:00:00.000Z"), "edit_history_tweet_ids": edits,
        }],
        "includes": {"users": [
            {"id": "77", "username": "balievraag", "name": "Balie Vraag", "protected": protected}
        ]},
    })
    .to_string()
    .into_bytes()
}

async fn only(vault: &TestVault, organisation: &str) -> (RecordSummary, bool) {
    vault.round().await;
    let organisation = organisation.parse().unwrap();
    let mut found = vault.archive.catalogue.records(&organisation, None, None, 10).await.unwrap();
    assert_eq!(found.len(), 1);
    let record = found.remove(0);
    let readable = vault.archive.room.document(record.projection).await.unwrap().is_some();
    (record, readable)
}

#[tokio::test]
async fn a_post_that_a_later_harvest_shows_to_be_edited_is_withdrawn() {
    let (vault, channels) = TestVault::demo(1).await;
    let dwv = channel(&channels, "dwv-x");
    let text = "hoe laat opent de balie";
    vault.ingest_bytes(dwv, &page("8001", text, 2026, &["8001"], false)).await.unwrap();
    assert!(only(&vault, "dwv").await.1);
    vault.ingest_bytes(dwv, &page("8001", text, 2026, &["8001", "8002"], false)).await.unwrap();
    let (record, readable) = only(&vault, "dwv").await;
    assert_eq!((record.withheld.as_deref(), readable), (Some("superseded"), false));
}

#[tokio::test]
async fn a_post_that_was_closed_again_is_withdrawn_although_its_words_are_known() {
    let (vault, channels) = TestVault::demo(1).await;
    let dwv = channel(&channels, "dwv-x");
    for (protected, fill, visibility) in [
        (true, "", Visibility::Followers),
        (false, "", Visibility::Public),
        // Another file, since the very same one adds nothing.
        (true, "\n", Visibility::Followers),
    ] {
        let file =
            [page("8001", "hoe laat opent de balie", 2026, &["8001"], protected), fill.into()].concat();
        vault.ingest_bytes(dwv, &file).await.unwrap();
        let (record, readable) = only(&vault, "dwv").await;
        assert_eq!((record.visibility, readable), (visibility, !protected));
    }
}

#[tokio::test]
async fn outside_the_dates_of_a_chosen_tree_a_person_must_say() {
    let (vault, channels) = TestVault::demo(1).await;
    let campaign = channel(&channels, "low-campagne-x");
    vault.ingest_bytes(campaign, &page("8001", "wat een mooie dag", 2012, &["8001"], false)).await.unwrap();
    let (record, readable) = only(&vault, "min-low").await;
    assert_eq!((record.outcome, readable), (Outcome::Unsure, false));
}

#[tokio::test]
async fn two_organisations_that_capture_one_post_each_have_a_record() {
    let (vault, channels) = TestVault::demo(1).await;
    let post = page("8001", "hoe laat opent de balie", 2026, &["8001"], false);
    for (id, organisation) in [("dwv-x", "dwv"), ("low-campagne-x", "min-low")] {
        let report = vault.ingest_bytes(channel(&channels, id), &post).await.unwrap();
        assert_eq!((report.new_records, report.already_there), (1, 0), "{id}");
        only(&vault, organisation).await;
    }
}

#[tokio::test]
async fn a_view_of_thousands_of_posts_is_taken_up_and_stops_nothing() {
    let (vault, _) = TestVault::demo(1).await;
    let event = RoomEvent {
        kind: RoomEventKind::View,
        actor: None,
        role: Role::Researcher,
        grant: None,
        organisation: None,
        projections: (0..2_500).map(|n| ProjectionId::from_uuid(Uuid::from_u128(n))).collect(),
        count: 2_500,
        reasons: Vec::new(),
    };
    vault.archive.inbox.append(&[Message::of(&event, vault.archive.sources.now())]).await.unwrap();
    assert_eq!(sequence::take_up(&vault.archive, &vault.rules).await.unwrap(), 1);
    sequence::number(&vault.archive).await.unwrap();
    let log = vault.archive.logs.room_origin();
    let leaves = vault.archive.journal.leaves(log, 0, 10).await.unwrap();
    let named: usize =
        leaves.iter().map(|(_, leaf)| knik::ledger::Entry::parse(leaf).unwrap().things().len()).sum();
    assert_eq!((leaves.len(), named), (3, 2_500), "split over entries, none lost");
}
