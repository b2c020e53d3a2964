//! What was destroyed stays destroyed, however it is delivered again.

use super::fixture::*;
use crate::intake::sealed::{opened_capture, rejoined};
use crate::support::{DemoChannel, TestVault};
use flate2::Compression;
use flate2::write::GzEncoder;
use knik::vault::destroy::{Destruction, destroy};
use std::io::Write;

pub async fn begun() -> (TestVault, DemoChannel) {
    let (vault, channels) = TestVault::demo(1).await;
    let demo = channels.into_iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap();
    (vault, demo)
}

/// Posts of the channel with these ids and words.
fn posts(demo: &DemoChannel, given: &[(&str, &str)]) -> Vec<u8> {
    let text = std::fs::read_to_string(&demo.captures[0].path).unwrap();
    let statuses: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let plain = statuses.into_iter().find(|s| s["reblog"].is_null() && s["visibility"] == "public").unwrap();
    let made = given.iter().map(|(id, words)| {
        let mut status = plain.clone();
        status["id"] = (*id).into();
        status["uri"] = format!("https://social.example/statuses/{id}").into();
        status["url"] = status["uri"].clone();
        status["content"] = format!("<p>{words}</p>").into();
        status["in_reply_to_id"] = serde_json::Value::Null;
        status
    });
    serde_json::to_vec(&made.collect::<Vec<_>>()).unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_second_delivery_is_refused_and_counted() {
    let (vault, demo) = begun().await;
    let low = low();
    let first = posts(&demo, &[("9001", "eerste woorden"), ("9002", "tweede woorden")]);
    vault.ingest_bytes(&demo.channel, &first).await.unwrap();
    vault.round().await;
    let record = record_with(&vault, &low, "eerste woorden").await;
    destroyed(&vault, &low, &[record]).await.unwrap();
    turned(&vault).await;
    // The very same file, the same in other bytes, and an edit of what was destroyed.
    let same = vault.ingest_bytes(&demo.channel, &first).await.unwrap();
    assert!(same.same_capture && same.suppressed == 0);
    let other = [first.as_slice(), b"\n"].concat();
    let again = vault.ingest_bytes(&demo.channel, &other).await.unwrap();
    assert_eq!((again.suppressed, again.new_records, again.already_there), (1, 0, 1));
    let capture = vault.last_capture().await;
    let (sealed, _) = opened_capture(&vault, capture, &low).await;
    assert!(
        find(sealed.item(), b"tweede woorden") && !find(sealed.item(), b"eerste woorden"),
        "it is not sealed"
    );
    let edited = posts(&demo, &[("9001", "eerste woorden, bewerkt")]);
    let edited = vault.ingest_bytes(&demo.channel, &edited).await.unwrap();
    assert_eq!((edited.suppressed, edited.new_records, edited.new_versions), (1, 0, 0));
    vault.round().await;
    let (left, closed) = originals(&vault, &low).await;
    assert_eq!((left.len(), closed.len()), (1, 0));
    assert!(left.values().all(|bytes| find(bytes, b"tweede woorden")));
}

#[tokio::test]
async fn what_was_delivered_twice_goes_twice() {
    let (vault, demo) = begun().await;
    let low = low();
    let first = posts(&demo, &[("9001", "eerste woorden"), ("9002", "tweede woorden")]);
    for ending in [&b""[..], b"\n", b"\n\n"] {
        vault.ingest_bytes(&demo.channel, &[first.as_slice(), ending].concat()).await.unwrap();
    }
    vault.round().await;
    let record = record_with(&vault, &low, "eerste woorden").await;
    let done = destroyed(&vault, &low, &[record]).await.unwrap();
    assert_eq!((done.records, done.segments), (1, 3), "once for each time it was delivered");
    turned(&vault).await;
    for row in column(&vault, "SELECT id FROM capture ORDER BY id").await {
        let capture = knik::model::CaptureId::from_uuid(uuid::Uuid::from_slice(&row).unwrap());
        let (sealed, _) = opened_capture(&vault, capture, &low).await;
        assert!(find(sealed.item(), b"tweede woorden") && !find(sealed.item(), b"eerste woorden"));
    }
}

#[tokio::test]
async fn an_answer_to_what_was_destroyed_stays_in_its_thread() {
    let (vault, demo) = begun().await;
    let low = low();
    let first = posts(&demo, &[("9001", "eerste woorden")]);
    let reply = |id: &str, words: &str| {
        let mut list: Vec<serde_json::Value> = serde_json::from_slice(&posts(&demo, &[(id, words)])).unwrap();
        list[0]["in_reply_to_id"] = "9001".into();
        serde_json::to_vec(&list).unwrap()
    };
    vault.ingest_bytes(&demo.channel, &first).await.unwrap();
    vault.ingest_bytes(&demo.channel, &reply("9002", "antwoord een")).await.unwrap();
    vault.round().await;
    let record = record_with(&vault, &low, "eerste woorden").await;
    destroyed(&vault, &low, &[record]).await.unwrap();
    let names = column(&vault, "SELECT digest FROM name ORDER BY digest").await;
    vault.ingest_bytes(&demo.channel, &reply("9003", "antwoord twee")).await.unwrap();
    vault.round().await;
    let threads = column(&vault, "SELECT DISTINCT conversation FROM record").await;
    assert_eq!(threads.len(), 1, "both answers are in the thread of what they answer");
    let fresh: Vec<_> = column(&vault, "SELECT digest FROM name ORDER BY digest").await;
    let fresh: Vec<_> = fresh.into_iter().filter(|name| !names.contains(name)).collect();
    let own = column(&vault, "SELECT digest FROM name WHERE record IS NOT NULL").await;
    assert!(fresh.iter().all(|name| own.contains(name)), "no name of what was destroyed came back");
}

#[tokio::test]
async fn the_encoded_bytes_of_a_container_go_with_the_first_record_in_it() {
    let (vault, demo) = begun().await;
    let low = low();
    let list = posts(&demo, &[("9001", "eerste woorden"), ("9002", "tweede woorden")]);
    let other = posts(&demo, &[("9003", "derde woorden")]);
    // Two members: only the one that holds the destroyed record goes.
    let file = gzipped(&list);
    vault.ingest_bytes(&demo.channel, &file).await.unwrap();
    vault.ingest_bytes(&demo.channel, &gzipped(&other)).await.unwrap();
    vault.round().await;
    let encoded = "SELECT id FROM fragment WHERE kind = 'encoded'";
    assert_eq!(column(&vault, encoded).await.len(), 2);
    let record = record_with(&vault, &low, "eerste woorden").await;
    destroyed(&vault, &low, &[record]).await.unwrap();
    assert_eq!(column(&vault, encoded).await.len(), 1, "the other container stays");
    let (left, closed) = originals(&vault, &low).await;
    assert_eq!((left.len(), closed.len()), (2, 0));
    // Delivered again in a container: its encoded bytes are not sealed, what else is in it is.
    let again = gzipped(&posts(&demo, &[("9001", "eerste woorden"), ("9004", "vierde woorden")]));
    let report = vault.ingest_bytes(&demo.channel, &again).await.unwrap();
    assert_eq!((report.suppressed, report.new_records), (1, 1));
    assert_eq!(column(&vault, encoded).await.len(), 1, "its bytes hold what was destroyed");
    let (left, closed) = originals(&vault, &low).await;
    assert_eq!((left.len(), closed.len()), (3, 0));
}

#[tokio::test]
async fn a_destruction_that_cannot_be_recorded_destroys_nothing() {
    let (vault, demo) = begun().await;
    let low = low();
    vault.ingest_bytes(&demo.channel, &posts(&demo, &[("9001", "eerste woorden")])).await.unwrap();
    vault.round().await;
    let record = record_with(&vault, &low, "eerste woorden").await;
    let keys = column(&vault, "SELECT wrapped_key FROM fragment ORDER BY id").await;
    vault
        .tamper("CREATE TRIGGER full BEFORE INSERT ON journal_pending BEGIN SELECT RAISE (ABORT, 'the disk is full'); END")
        .await;
    let asked =
        Destruction { organisation: low.clone(), records: [record].into(), by: None, reasons: vec![] };
    destroy(&vault.archive, &asked).await.unwrap_err();
    vault.tamper("DROP TRIGGER full").await;
    assert_eq!(column(&vault, "SELECT wrapped_key FROM fragment ORDER BY id").await, keys);
    assert_eq!(turned(&vault).await, 0, "no epoch ends for it");
    assert!(originals(&vault, &low).await.0.contains_key(&record));
}

/// Two posts, of which the first holds an attachment of nine million bytes; and that attachment.
pub fn with_attachment(demo: &DemoChannel) -> (Vec<u8>, String) {
    let list = posts(demo, &[("9001", "eerste woorden"), ("9002", "tweede woorden")]);
    let mut statuses: Vec<serde_json::Value> = serde_json::from_slice(&list).unwrap();
    let attachment: String = (0..9_000_000_u32).map(|n| char::from(b'a' + (n / 7 % 26) as u8)).collect();
    statuses[0]["x_attachment"] = attachment.clone().into();
    (serde_json::to_vec(&statuses).unwrap(), attachment)
}

#[tokio::test]
async fn a_large_original_is_sealed_in_chunks_and_goes_with_all_of_them() {
    let (vault, demo) = begun().await;
    let low = low();
    let (file, attachment) = with_attachment(&demo);
    vault.ingest_bytes(&demo.channel, &file).await.unwrap();
    vault.round().await;
    let capture = vault.last_capture().await;
    let rows = vault.archive.catalogue.fragments_of_capture(capture).await.unwrap();
    let own: Vec<_> = rows.iter().filter(|row| row.kind == "own").collect();
    assert!(own.len() >= 4, "three for the first, one for the second");
    assert!(rows.iter().all(|row| row.size_bytes <= (4 << 20) + 100), "no fragment is larger than a chunk");
    let (sealed, places) = opened_capture(&vault, capture, &low).await;
    let again: Option<Vec<u8>> = rejoined(&sealed, &places, file.len()).into_iter().collect();
    assert!(again.is_some_and(|again| again == file), "chunks give the file back");
    let record = record_with(&vault, &low, "eerste woorden").await;
    let (before, closed) = originals(&vault, &low).await;
    let read = std::str::from_utf8(&before[&record]).unwrap();
    assert!(read.contains(&attachment) && closed.is_empty(), "it is read back whole");

    let done = destroyed(&vault, &low, &[record]).await.unwrap();
    assert!(done.fragments >= 3, "{done:?}");
    let left = vault.archive.catalogue.fragments_of_capture(capture).await.unwrap();
    assert!(left.iter().all(|row| row.size_bytes < 1 << 20), "no chunk of it has a key");
    let (after, closed) = originals(&vault, &low).await;
    assert!(after.len() == before.len() - 1 && closed.is_empty());
}
