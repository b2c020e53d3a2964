//! Files of an archive: sealed each by itself, opened as they are, in the thread of what they are attached to, told by their size
//! alone, and gone with the last record that they are attached to.

use super::bytes::check_rejoined;
use super::containers::zip;
use crate::keys::fixture::{destroyed, originals};
use crate::support::{DemoChannel, TestVault};
use knik::model::ItemKind;
use knik::store::catalogue::{Channel, RecordSummary};
use knik::vault::ingest::IngestReport;
use serde_json::{Value, json};

const LOCK: &str = "media_attachments/files/1/original/sluis.png";
const DESK: &str = "media_attachments/files/2/original/balie.jpg";

async fn vault() -> (TestVault, Channel) {
    let (vault, channels) = TestVault::demo(9).await;
    let DemoChannel { channel, .. } =
        channels.into_iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap();
    (vault, channel)
}

/// A picture by its first bytes, of so many bytes.
fn picture(mark: &[u8], size: usize) -> Vec<u8> {
    mark.iter().copied().chain((0..).map(|n: u32| (n / 3 % 251) as u8)).take(size).collect()
}

fn lock() -> Vec<u8> {
    picture(b"\x89PNG\r\n\x1a\n", 20_000)
}

fn desk() -> Vec<u8> {
    picture(&[0xFF, 0xD8, 0xFF, 0xE0], 5_000_000)
}

/// A post of the channel's own account, as its archive has it.
fn note(channel: &Channel, n: u32, files: &[&str]) -> Value {
    let actor = format!("https://{}/users/{}", channel.instance, channel.account);
    let public = "https://www.w3.org/ns/activitystreams#Public";
    let attached: Vec<Value> = files
        .iter()
        .map(|file| json!({"type": "Document", "mediaType": "image/png", "url": format!("/{file}"), "name": "Een sluis"}))
        .collect();
    let object = json!({
        "id": format!("{actor}/statuses/{n}"), "type": "Note", "attributedTo": actor, "to": [public],
        "content": format!("<p>Bericht {n} over de sluis</p>"), "published": "2026-03-09T11:52:03Z", "attachment": attached,
    });
    json!({"id": format!("{actor}/statuses/{n}/activity"), "type": "Create", "actor": actor, "to": [public],
        "published": "2026-03-09T11:52:03Z", "object": object})
}

fn outbox(notes: &[Value]) -> Vec<u8> {
    let outbox = json!({"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json", "type": "OrderedCollection",
        "totalItems": notes.len(), "orderedItems": notes});
    serde_json::to_vec(&outbox).unwrap()
}

async fn taken_in(vault: &TestVault, channel: &Channel, name: &str, archive: &[u8]) -> IngestReport {
    let file = vault.folder().join(name);
    std::fs::write(&file, archive).unwrap();
    let report = vault.ingest(channel, &file).await.unwrap();
    vault.round().await;
    assert_eq!(report.refused, Vec::<String>::new(), "{name}");
    report
}

async fn of_kind(vault: &TestVault, channel: &Channel, kind: ItemKind) -> Vec<RecordSummary> {
    let all = vault.archive.catalogue.records(&channel.organisation, None, None, 1_000).await.unwrap();
    let there = |one: &RecordSummary| one.kind == kind && one.withheld.as_deref() != Some("destroyed");
    all.into_iter().filter(there).collect()
}

#[tokio::test]
async fn a_file_is_an_original_of_its_own_in_the_thread_of_its_post_whichever_comes_first() {
    for (deflated, first) in [(false, true), (true, true), (false, false), (true, false)] {
        let (vault, channel) = vault().await;
        let posts = outbox(&[note(&channel, 1, &[LOCK, DESK]), note(&channel, 2, &[])]);
        let (lock, desk) = (lock(), desk());
        let path = |file: &str| format!("archief-2026/{file}");
        let (lock_at, desk_at) = (path(LOCK), path(DESK));
        let mut entries: Vec<(&str, &[u8])> = vec![(&lock_at, &lock), (&desk_at, &desk)];
        entries.insert(if first { 0 } else { 2 }, ("archief-2026/outbox.json", &posts));
        let archive = zip(&entries, deflated);
        let report = taken_in(&vault, &channel, "a.zip", &archive).await;
        assert_eq!((report.new_records, report.new_attachments), (2, 2), "{report:?}");
        check_rejoined(&vault, &channel.organisation, &vault.folder().join("a.zip")).await;

        let files = of_kind(&vault, &channel, ItemKind::Attachment).await;
        let posts = of_kind(&vault, &channel, ItemKind::Post).await;
        let with = posts.iter().find(|post| post.conversation == files[0].conversation).unwrap();
        assert_eq!(files[0].conversation, files[1].conversation);
        assert!(
            posts.iter().any(|post| post.conversation != with.conversation),
            "the other is a thread of its own"
        );
        let (opened, closed) = originals(&vault, &channel.organisation).await;
        assert_eq!(closed.len(), 0);
        let mut given: Vec<&Vec<u8>> = files.iter().map(|file| &opened[&file.id]).collect();
        given.sort_by_key(|bytes| bytes.len());
        assert!(given == [&lock, &desk], "byte for byte");

        let view = vault.archive.room.document(with.projection).await.unwrap().expect("a view of the post");
        let view: Value = serde_json::from_str(&view).unwrap();
        let told = (&view["metadata"]["mediaKinds"], &view["metadata"]["mediaSizes"]);
        assert_eq!(told, (&json!(["image"]), &json!(["under-10-mb", "under-100-kb"])), "{view}");
        for file in &files {
            assert_eq!(vault.archive.room.document(file.projection).await.unwrap(), None, "never projected");
        }
        let again = vault.ingest(&channel, &vault.folder().join("a.zip")).await.unwrap();
        assert!(again.same_capture);
        assert_eq!(vault.archive.catalogue.counts().await.unwrap().stale_conversations, 0);
    }
}

#[tokio::test]
async fn a_file_goes_with_the_last_record_it_is_attached_to_and_comes_in_no_more() {
    for deflated in [false, true] {
        let (vault, channel) = vault().await;
        let low = &channel.organisation;
        let posts = outbox(&[
            note(&channel, 1, &[LOCK]),
            note(&channel, 2, &[LOCK, DESK]),
            note(&channel, 3, &["x/y/later.png"]),
        ]);
        let (lock, desk) = (lock(), desk());
        let entries: [(&str, &[u8]); 3] = [("outbox.json", &posts), (LOCK, &lock), (DESK, &desk)];
        taken_in(&vault, &channel, "a.zip", &zip(&entries, deflated)).await;
        let (before, _) = originals(&vault, low).await;
        let saying = |words: &str| {
            let holds = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains(words);
            *before.iter().find(|(_, bytes)| holds(bytes)).unwrap().0
        };
        let [first, second, third] = ["Bericht 1 ", "Bericht 2 ", "Bericht 3 "].map(saying);

        let done = destroyed(&vault, low, &[second]).await.unwrap();
        assert_eq!((done.records, done.attachments), (2, 1), "the desk; the lock is the first's too");
        let (left, closed) = originals(&vault, low).await;
        assert!(closed.is_empty() && left.values().any(|bytes| *bytes == lock));
        assert!(!left.values().any(|bytes| *bytes == desk));

        let done = destroyed(&vault, low, &[first, third]).await.unwrap();
        assert_eq!((done.records, done.attachments), (3, 1));
        assert_eq!(originals(&vault, low).await.0.len(), 0);
        // Delivered again, with the one that was not there: nothing of it comes in.
        let late = picture(b"\x89PNG\r\n\x1a\n", 900);
        let entries: [(&str, &[u8]); 4] =
            [("outbox.json", &posts), (LOCK, &lock), (DESK, &desk), ("x/y/later.png", &late)];
        let again = taken_in(&vault, &channel, "b.zip", &zip(&entries, deflated)).await;
        assert_eq!((again.new_records, again.new_attachments, again.suppressed), (0, 0, 6), "{again:?}");
        assert_eq!(originals(&vault, low).await.0.len(), 0);
    }
}

#[tokio::test]
async fn files_of_the_same_name_are_told_apart_by_their_bytes_and_one_of_nothing_stays_alone() {
    let (vault, channel) = vault().await;
    let (one, other) = (lock(), picture(b"\x89PNG\r\n\x1a\n", 700));
    let entries: [(&str, &[u8]); 2] = [("a/b/c.png", &one), ("leeg.json", b"{}")];
    taken_in(&vault, &channel, "a.zip", &zip(&entries, true)).await;
    let entries: [(&str, &[u8]); 1] = [("a/b/c.png", &other)];
    let report = taken_in(&vault, &channel, "b.zip", &zip(&entries, true)).await;
    assert_eq!((report.new_attachments, report.new_versions), (0, 1));
    let files = of_kind(&vault, &channel, ItemKind::Attachment).await;
    assert_eq!(files.len(), 1);
    assert!(
        originals(&vault, &channel.organisation).await.0[&files[0].id] == other,
        "the later one is in force"
    );
}
