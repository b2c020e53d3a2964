//! A reader written from the document alone opens what Knik sealed.

use super::fixture::*;
use crate::intake::sealed::ranges;
use crate::support::{TestVault, package};
use knik::store::catalogue::SegmentPlace;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Python with the `cryptography` package; `KNIK_TEST_PYTHON` names one.
fn python() -> Option<String> {
    let named = std::env::var("KNIK_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&named).args(["-c", "import cryptography"]).output();
    if has.is_ok_and(|done| done.status.success()) {
        return Some(named);
    }
    println!("left out: the independent reader of segments (no Python with the package cryptography)");
    None
}

async fn dumped(vault: &TestVault, segment: &SegmentPlace) -> Value {
    let fragments = vault.archive.catalogue.fragments_of_segment(segment.id).await.unwrap();
    let keys: serde_json::Map<String, Value> = fragments
        .iter()
        .map(|row| (hex::encode(row.id.as_bytes()), json!(hex::encode(&row.wrapped_key))))
        .collect();
    json!({
        "organisation": segment.organisation,
        "capture": hex::encode(segment.capture.as_bytes()),
        "wrappedKey": hex::encode(&segment.wrapped_key),
        "root": hex::encode(segment.digest),
        "fragments": keys,
    })
}

fn read(python: &str, segment: &Path, table: &Path, keys: &Path) -> Output {
    let reader = package().join("tests/segment_reader.py");
    Command::new(python).arg(reader).args([segment, table, keys]).output().unwrap()
}

#[tokio::test]
async fn a_reader_from_the_document_alone_opens_what_was_sealed() {
    let Some(python) = python() else { return };
    let (vault, channels) = TestVault::demo(1).await;
    let low = low();
    let demo = channels.iter().find(|demo| demo.channel.organisation == low).unwrap();
    vault.ingest(&demo.channel, &demo.captures[0].path).await.unwrap();
    vault.round().await;
    let bytes = fs::read(&demo.captures[0].path).unwrap();
    let (keys, table) = (vault.folder().join("keys"), vault.folder().join("table.json"));
    let mut seen = 0;
    let segments = vault.archive.catalogue.segments().await.unwrap();
    for segment in &segments {
        fs::write(&table, dumped(&vault, segment).await.to_string()).unwrap();
        let done = read(&python, &vault.segment_file(segment.id), &table, &keys);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(answer["root"], hex::encode(segment.digest));
        // Each fragment is stretches of the file, joined.
        for row in vault.archive.catalogue.fragments_of_segment(segment.id).await.unwrap() {
            let plain = answer["opened"][hex::encode(row.id.as_bytes())].as_str().unwrap();
            let number = |place: u64| usize::try_from(place).unwrap();
            let stood = ranges(&row.ranges);
            let stretches = stood.iter().map(|range| &bytes[number(range.start)..number(range.end)]);
            assert_eq!(plain, hex::encode(stretches.collect::<Vec<_>>().concat()));
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen} fragments");

    // A changed bit is refused, and so is an old copy of the key table once its epoch has ended.
    let segment = &segments[0];
    fs::write(&table, dumped(&vault, segment).await.to_string()).unwrap();
    let mut changed = fs::read(vault.segment_file(segment.id)).unwrap();
    changed[100] ^= 1;
    let copy = vault.folder().join("changed.seg");
    fs::write(&copy, changed).unwrap();
    assert_eq!(read(&python, &copy, &table, &keys).status.code(), Some(2));
    let record = records(&vault, &low).await[0];
    destroyed(&vault, &low, &[record]).await.unwrap();
    turned(&vault).await;
    assert!(!read(&python, &vault.segment_file(segment.id), &table, &keys).status.success());
    let after = vault.archive.catalogue.segment(segment.id).await.unwrap().unwrap();
    fs::write(&table, dumped(&vault, &after).await.to_string()).unwrap();
    let done = read(&python, &vault.segment_file(segment.id), &table, &keys);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn a_reader_from_the_document_alone_puts_a_large_original_together() {
    let Some(python) = python() else { return };
    let (vault, demo) = super::suppression::begun().await;
    let low = low();
    let (file, attachment) = super::suppression::with_attachment(&demo);
    vault.ingest_bytes(&demo.channel, &file).await.unwrap();
    vault.round().await;
    let record = record_with(&vault, &low, "eerste woorden").await;
    let place = vault.archive.catalogue.originals(&[record]).await.unwrap().remove(0);
    let segment = vault.archive.catalogue.segments().await.unwrap().remove(0);
    let mut table = dumped(&vault, &segment).await;
    table["layout"] = json!(hex::encode(&place.parts));
    let (keys, file) = (vault.folder().join("keys"), vault.folder().join("table.json"));
    fs::write(&file, table.to_string()).unwrap();
    let (reader, out) = (package().join("tests/segment_reader.py"), vault.folder().join("original"));
    let done = Command::new(python)
        .arg(reader)
        .arg("--original")
        .args([&out, &vault.segment_file(segment.id), &file, &keys])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(told["fragments"], 3);
    let (opened, _) = originals(&vault, &low).await;
    let read = fs::read(&out).unwrap();
    assert!(read == opened[&record] && std::str::from_utf8(&read).unwrap().contains(&attachment));
}
