//! Files of an archive: sealed each by itself, opened as they are, told by their size alone; they come in with what they are attached
//! to, and go with the last of it.

use super::bytes::check_rejoined;
use super::containers::zip;
use super::minimised;
use crate::conformance::finding::copy_for;
use crate::conformance::openings::{asked, asking, official, opens, refused};
use crate::keys::fixture::{destroyed, originals};
use crate::support::{DemoChannel, TestVault};
use knik::model::{ItemKind, OpeningScope, RecordId};
use knik::redact::Language;
use knik::store::catalogue::{Channel, RecordSummary};
use knik::vault::ingest::IngestReport;
use knik::vault::{publish, read};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const LOCK: &str = "media_attachments/files/1/original/sluis.png";
const DESK: &str = "media_attachments/files/2/original/balie.jpg";

async fn vault() -> (TestVault, Channel) {
    let (vault, channels) = TestVault::demo(9).await;
    let DemoChannel { channel, .. } =
        channels.into_iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap();
    (vault, channel)
}

/// A picture by its first bytes, of so many bytes, like no other of another size.
fn picture(mark: &[u8], size: usize) -> Vec<u8> {
    let next = |last: &u64| Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(size as u64));
    let drawn = std::iter::successors(Some(1), next).map(|drawn| (drawn >> 56) as u8);
    mark.iter().copied().chain(drawn).take(size).collect()
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

/// The files of each record that has any.
async fn attached(vault: &TestVault, records: &[RecordSummary]) -> BTreeMap<RecordId, Vec<RecordId>> {
    let ids: Vec<RecordId> = records.iter().map(|record| record.id).collect();
    let found = vault.archive.catalogue.attached_to(&ids).await.unwrap();
    found
        .into_iter()
        .map(|(record, files)| (record, files.into_iter().map(|one| one.file).collect()))
        .collect()
}

/// The record whose original holds these words.
fn saying(opened: &BTreeMap<RecordId, Vec<u8>>, words: &str) -> RecordId {
    let holds = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains(words);
    *opened.iter().find(|(_, bytes)| holds(bytes)).unwrap().0
}

#[tokio::test]
async fn a_file_is_an_original_of_its_own_attached_to_its_post_whichever_comes_first() {
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
        let threads: BTreeSet<_> = files.iter().chain(&posts).map(|record| record.conversation).collect();
        assert_eq!(threads.len(), 4, "a file joins no thread");
        let (opened, closed) = originals(&vault, &channel.organisation).await;
        assert_eq!(closed.len(), 0);
        let first = saying(&opened, "Bericht 1 ");
        let attached = attached(&vault, &posts).await;
        assert_eq!(attached.keys().collect::<Vec<_>>(), [&first]);
        let mut given: Vec<&Vec<u8>> = attached[&first].iter().map(|file| &opened[file]).collect();
        given.sort_by_key(|bytes| bytes.len());
        assert!(given == [&lock, &desk], "byte for byte");

        let with = posts.iter().find(|post| post.id == first).unwrap();
        let view =
            async || vault.archive.room.document(with.projection).await.unwrap().expect("a view of the post");
        let told = view().await;
        let shown: Value = serde_json::from_str(&told).unwrap();
        let sizes = (&shown["metadata"]["mediaKinds"], &shown["metadata"]["mediaSizes"]);
        assert_eq!(sizes, (&json!(["image"]), &json!(["under-10-mb", "under-100-kb"])), "{told}");
        publish::refresh(&vault.archive, &vault.rules, with.conversation).await.unwrap();
        vault.round().await;
        assert_eq!(view().await, told, "the same when it is computed anew");
        for file in &files {
            assert_eq!(vault.archive.room.document(file.projection).await.unwrap(), None, "never projected");
        }
        let again = vault.ingest(&channel, &vault.folder().join("a.zip")).await.unwrap();
        assert!(again.same_capture);
        // An archive that grew: what was there is there once.
        let posts =
            outbox(&[note(&channel, 1, &[LOCK, DESK]), note(&channel, 2, &[]), note(&channel, 3, &[LOCK])]);
        let entries: [(&str, &[u8]); 3] = [(LOCK, &lock), (DESK, &desk), ("outbox.json", &posts)];
        let grown = taken_in(&vault, &channel, "b.zip", &zip(&entries, deflated)).await;
        assert_eq!((grown.new_records, grown.new_attachments, grown.already_there), (1, 0, 4), "{grown:?}");
        let counts = vault.archive.catalogue.counts().await.unwrap();
        assert_eq!((counts.records, counts.stale_conversations), (5, 0));
    }
}

#[tokio::test]
async fn a_file_goes_with_the_last_record_it_is_attached_to_and_comes_in_with_another() {
    for deflated in [false, true] {
        let (vault, channel) = vault().await;
        let low = &channel.organisation;
        let all = [note(&channel, 1, &[LOCK]), note(&channel, 2, &[LOCK, DESK]), note(&channel, 3, &[])];
        let (lock, desk, avatar) = (lock(), desk(), picture(b"GIF89a", 400));
        let entries = |posts| -> [(&str, Vec<u8>); 4] {
            [
                ("outbox.json", posts),
                (LOCK, lock.clone()),
                (DESK, desk.clone()),
                ("avatar.gif", avatar.clone()),
            ]
        };
        let archive = |posts: Vec<u8>| {
            let entries = entries(posts);
            zip(&entries.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect::<Vec<_>>(), deflated)
        };
        let report = taken_in(&vault, &channel, "a.zip", &archive(outbox(&all))).await;
        assert_eq!(report.new_attachments, 2, "what nothing names is no original");
        let (before, _) = originals(&vault, low).await;
        let [first, second, third] =
            ["Bericht 1 ", "Bericht 2 ", "Bericht 3 "].map(|words| saying(&before, words));
        let left = async || originals(&vault, low).await.0.into_values().collect::<Vec<_>>();

        let done = destroyed(&vault, low, &[second]).await.unwrap();
        assert_eq!((done.records, done.attachments), (2, 1), "the desk; the lock is the first's too");
        let there = left().await;
        assert!(there.contains(&lock) && !there.contains(&avatar) && !there.contains(&desk));
        // Delivered again: what is attached to what is destroyed is not sealed.
        let again =
            taken_in(&vault, &channel, "b.zip", &[archive(outbox(&all)), b" ".to_vec()].concat()).await;
        assert_eq!((again.new_attachments, again.suppressed), (0, 2), "{again:?}");
        assert!(!left().await.contains(&desk));
        // Another post may bring the same file.
        let more = [&all[..], &[note(&channel, 4, &[DESK])]].concat();
        let again = taken_in(&vault, &channel, "c.zip", &archive(outbox(&more))).await;
        assert_eq!((again.new_records, again.new_attachments, again.suppressed), (1, 1, 1), "{again:?}");
        let (opened, _) = originals(&vault, low).await;
        assert!(opened.values().any(|bytes| *bytes == desk));
        let fourth = saying(&opened, "Bericht 4 ");

        let done = destroyed(&vault, low, &[first, third, fourth]).await.unwrap();
        assert_eq!((done.records, done.attachments), (5, 2));
        assert_eq!(left().await.len(), 0);
        let fragments = vault.archive.catalogue.counts().await.unwrap().fragments;
        assert_eq!(fragments, 0, "nothing keeps a key");
    }
}

#[tokio::test]
async fn files_of_what_a_profile_refuses_are_not_sealed_and_a_strangers_word_is_not_heeded() {
    for deflated in [false, true] {
        let (vault, channel) = minimised::vault("default").await;
        let mut followers = note(&channel, 1, &[LOCK]);
        let own = followers["actor"].as_str().unwrap().to_owned();
        for to in ["/to", "/object/to"] {
            *followers.pointer_mut(to).unwrap() = json!([format!("{own}/followers")]);
        }
        let mut stranger = note(&channel, 2, &[DESK]);
        for by in ["/actor", "/object/attributedTo"] {
            *stranger.pointer_mut(by).unwrap() = json!("https://polder.example/users/vreemde");
        }
        let posts = outbox(&[followers, stranger, note(&channel, 3, &["a/b/loket.png"])]);
        let (lock, desk, counter) = (lock(), desk(), picture(b"\x89PNG\r\n\x1a\n", 5_000));
        let entries: [(&str, &[u8]); 4] =
            [(LOCK, &lock), ("outbox.json", &posts), ("a/b/loket.png", &counter), (DESK, &desk)];
        let report = taken_in(&vault, &channel, "a.zip", &zip(&entries, deflated)).await;
        assert_eq!((report.new_records, report.new_attachments), (2, 1), "{report:?}");
        assert_eq!(json!(report.minimised), json!({"not-public": 1, "file-of-refused": 1}));
        let (opened, closed) = originals(&vault, &channel.organisation).await;
        assert!(closed.is_empty() && opened.values().any(|bytes| *bytes == counter));
        let sealed = minimised::sealed(&vault, &channel).await;
        // Behind the header of its entry, encoded or not.
        let holds = |file: &[u8]| {
            let entry = zip(&[("a", file)], deflated);
            sealed.windows(64).any(|window| *window == entry[100..164])
        };
        assert!(holds(&counter) && !holds(&lock), "under no seal, encoded or not");
        assert!(holds(&desk), "with the archive's own bytes");
        assert!(!opened.values().any(|bytes| *bytes == desk));
    }
}

#[tokio::test]
async fn a_file_is_restricted_while_what_it_is_attached_to_is() {
    let (vault, channel) = vault().await;
    let posts = outbox(&[note(&channel, 1, &[LOCK])]);
    let lock = lock();
    let entries: [(&str, &[u8]); 2] = [(LOCK, &lock), ("outbox.json", &posts)];
    taken_in(&vault, &channel, "a.zip", &zip(&entries, true)).await;
    let file = of_kind(&vault, &channel, ItemKind::Attachment).await[0].id;
    let post = of_kind(&vault, &channel, ItemKind::Post).await[0].id;
    let restricted = async || vault.archive.openings().restricted(file).await.unwrap();
    assert!(!restricted().await);
    let mark = "INSERT INTO restriction (request, record, placed_at) SELECT x'01', id, 1 FROM record WHERE kind = 'post'";
    assert_eq!(vault.tamper(mark).await, 1);
    assert!(vault.archive.openings().restricted(post).await.unwrap() && restricted().await);
}

#[tokio::test]
async fn files_of_one_name_are_told_apart_by_their_bytes() {
    let (vault, channel) = vault().await;
    let (one, other) = (lock(), picture(b"\x89PNG\r\n\x1a\n", 700));
    for (name, bytes, post) in [("a.zip", &one, 1), ("b.zip", &other, 2)] {
        let posts = outbox(&[note(&channel, post, &["a/b/c.png"])]);
        let entries: [(&str, &[u8]); 2] = [("a/b/c.png", bytes), ("outbox.json", &posts)];
        assert_eq!(taken_in(&vault, &channel, name, &zip(&entries, true)).await.new_attachments, 1);
    }
    let (opened, _) = originals(&vault, &channel.organisation).await;
    let posts = of_kind(&vault, &channel, ItemKind::Post).await;
    let attached = attached(&vault, &posts).await;
    for (words, bytes) in [("Bericht 1 ", &one), ("Bericht 2 ", &other)] {
        let files = &attached[&saying(&opened, words)];
        assert!(files.len() == 1 && opened[&files[0]] == *bytes, "each has its own");
    }
}

#[tokio::test]
async fn a_file_is_told_and_opened_with_its_post() {
    let (vault, channel) = vault().await;
    let posts = outbox(&[note(&channel, 1, &[LOCK]), note(&channel, 2, &[])]);
    let lock = lock();
    let entries: [(&str, &[u8]); 2] = [(LOCK, &lock), ("outbox.json", &posts)];
    taken_in(&vault, &channel, "a.zip", &zip(&entries, true)).await;
    let file = of_kind(&vault, &channel, ItemKind::Attachment).await[0].id;
    let posts = of_kind(&vault, &channel, ItemKind::Post).await;
    let with = *attached(&vault, &posts).await.keys().next().unwrap();
    let without = posts.iter().find(|post| post.id != with).unwrap().id;
    let ann = official(1);

    let told = async |id| {
        let read = read::record(&vault.archive, &vault.rules, &ann, id, Language::Dutch).await.unwrap();
        read.attached
    };
    assert_eq!((told(with).await, told(without).await, told(file).await), (vec![file], vec![], vec![]));

    let of = |scope, record| asked(&vault, &ann, asking("woo-request", scope, &[record]));
    let thread = of(OpeningScope::Thread, with).await.unwrap();
    assert!(thread.records.iter().any(|one| one.record == file), "a thread is opened with its files");
    assert!(opens(&vault, &ann, thread.row.id, file).await.unwrap() == lock, "byte for byte");
    let record = of(OpeningScope::Record, with).await.unwrap();
    refused(opens(&vault, &ann, record.row.id, file).await, "access#reach");
    let other = of(OpeningScope::Thread, without).await.unwrap();
    refused(opens(&vault, &ann, other.row.id, file).await, "access#reach");

    // Whoever wrote it is told which files there are with it.
    let copy = copy_for(&vault, &ann, &channel.instance, &channel.account).await;
    let files: Vec<&Value> =
        copy["records"].as_array().unwrap().iter().filter_map(|one| one.get("attachments")).collect();
    assert_eq!(files, [&json!([{"sizeBytes": lock.len()}])], "{copy}");
}
