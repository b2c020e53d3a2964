//! What was published under an old ruleset is never seen beside the new, and what a grant gave ends with it.

use super::stage::{grant, reader, reading_room};
use crate::support::{TestVault, rules, small_rules};
use knik::model::Role;
use knik::reading_room::{ReadingError, SearchRequest, Selection};
use knik::redact::Language;
use knik::store::catalogue::Channel;
use knik::vault::ingest::{Delivery, ingest, silent};
use knik::vault::{CaptureSource, Rules, grants, sequence};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const NAME: &str = "Thijmen Barnewitz";

fn page(from: usize, until: usize) -> Vec<u8> {
    let status = |n: usize| {
        json!({"id": format!("{}", 1_000 + n), "uri": format!("https://social.leefomgeving.example/s/{n}"),
            "created_at": format!("2026-03-09T10:{n:02}:00.000Z"), "edited_at": null, "visibility": "public",
            "in_reply_to_id": (n > 0).then_some("1000"), "language": "nl", "spoiler_text": "",
            "content": format!("<p>Wanneer komt beschikking {n}? Groeten, {NAME}</p>"),
            "account": {"id": "5", "username": "burger5", "acct": "burger5", "display_name": "Burger",
                "url": "https://social.leefomgeving.example/@burger5"},
            "mentions": [], "media_attachments": [], "tags": []})
    };
    let statuses: Vec<Value> = (from..until).map(status).collect();
    serde_json::to_vec(&json!({"ancestors": [], "descendants": statuses})).unwrap()
}

async fn take_in(vault: &TestVault, rules: &Rules, channel: &Channel, bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let delivery = Delivery::of(CaptureSource::File(file.path().to_owned()));
    ingest(&vault.archive, rules, channel, delivery, silent()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_of_an_old_ruleset_never_shows_beside_one_of_the_new() {
    let (vault, channels) = TestVault::demo(41).await;
    let channel = &channels.iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap().channel;
    // A ruleset that knows no names publishes the name; the next one does not.
    let old = small_rules(8);
    take_in(&vault, &old, channel, &page(0, 12)).await;
    sequence::round(&vault.archive, &old).await.unwrap();
    grant(&vault, "min-low", "reads").await;
    let room = reading_room(&vault);
    let me = reader("reads", Role::Researcher, "universiteit");
    let first = room.list(&me, &Selection { most: 1, ..Selection::default() }).await.unwrap().views.remove(0);
    let before = json!(room.conversation(&me, None, first.conversation, Language::Dutch).await.unwrap());
    assert!(before.to_string().contains("Barnewitz"), "the old ruleset lets the name stand: {before}");
    let done = Arc::new(AtomicBool::new(false));
    let watching = {
        let (room, me, done) = (room.clone(), me.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let (mut looks, mut seen) = (0, BTreeSet::new());
            while !done.load(Ordering::SeqCst) || looks < 20 {
                let views = room.conversation(&me, None, first.conversation, Language::Dutch).await.unwrap();
                let rulesets: BTreeSet<String> =
                    views.iter().map(|view| json!(view)["ruleset"].to_string()).collect();
                assert_eq!(rulesets.len(), 1, "a conversation is of one ruleset");
                seen.extend(rulesets);
                looks += 1;
            }
            (looks, seen)
        })
    };
    // One more reaction under the new ruleset: the conversation is computed anew as a whole.
    take_in(&vault, &rules(), channel, &page(12, 13)).await;
    sequence::round(&vault.archive, &rules()).await.unwrap();
    done.store(true, Ordering::SeqCst);
    let (looks, seen) = watching.await.unwrap();
    assert!(looks >= 20 && seen.len() <= 2, "{looks} looks saw {seen:?}");
    let after = json!(room.conversation(&me, None, first.conversation, Language::Dutch).await.unwrap());
    assert_eq!(after.as_array().unwrap().len(), 13);
    assert!(!after.to_string().contains("Barnewitz"), "{after}");
    let asked = SearchRequest {
        words: "Barnewitz".to_owned(),
        selection: Selection { most: 100, ..Selection::default() },
        ..SearchRequest::default()
    };
    assert!(room.search(&me, &asked).await.unwrap().page.views.is_empty(), "nor does the index know it");
    let named = sqlx::query("SELECT COUNT(*) AS n FROM term WHERE word = 'barnewitz'");
    let named: i64 = sqlx::Row::get(&named.fetch_one(vault.room.read()).await.unwrap(), "n");
    assert_eq!(named, 0);
}

#[tokio::test]
async fn a_name_under_a_grant_gives_nothing_once_the_grant_is_revoked() {
    let (vault, _) = TestVault::loaded(42).await;
    let held = grant(&vault, "min-low", "reads").await;
    let room = reading_room(&vault);
    let me = reader("reads", Role::Researcher, "universiteit");
    let page = room.list(&me, &Selection { most: 5, ..Selection::default() }).await.unwrap();
    let view = &page.views[0];
    room.record(&me, Some(held), view.id, Language::Dutch).await.unwrap();
    grants::revoke(&vault.archive, held, None).await.unwrap();
    vault.round().await;
    for _ in 0..2 {
        let record = room.record(&me, Some(held), view.id, Language::Dutch).await;
        assert!(matches!(record, Err(ReadingError::Absent | ReadingError::Refused(_))), "{record:?}");
        let list = room.list(&me, &Selection { grant: Some(held), most: 5, ..Selection::default() }).await;
        assert!(list.is_err());
    }
}
