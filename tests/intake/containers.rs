//! Captures in containers: the same records, the file back byte for byte, originals of their own.

use super::bytes::check_rejoined;
use super::disclosure::{disclose, official};
use super::units;
use crate::support::TestVault;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use knik::vault::VaultError;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A ZIP archive (APPNOTE.TXT) of these entries.
pub fn zip(entries: &[(&str, &[u8])], deflated: bool) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        let data = if deflated { encoder.finish().unwrap() } else { bytes.to_vec() };
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let words = [20_u16, 0, if deflated { 8 } else { 0 }, 0, 0].map(u16::to_le_bytes).concat();
        let sums = [crc.sum(), data.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat();
        let fixed = [words, sums, (name.len() as u32).to_le_bytes().to_vec()].concat();
        let place = (archive.len() as u32).to_le_bytes();
        archive.extend([b"PK\x03\x04", fixed.as_slice(), name.as_bytes(), &data].concat());
        directory
            .extend([b"PK\x01\x02\x14\x00", fixed.as_slice(), &[0; 10], &place, name.as_bytes()].concat());
    }
    let count = (entries.len() as u16).to_le_bytes();
    let end = [directory.len() as u32, archive.len() as u32].map(u32::to_le_bytes).concat();
    [archive, directory, b"PK\x05\x06\0\0\0\0".to_vec(), [count, count].concat(), end, vec![0; 2]].concat()
}

/// A WARC file of one answer, each record a gzip member, the body gzip again.
fn warc(body: &[u8], compressed: bool) -> Vec<u8> {
    let (headers, body) =
        if compressed { ("Content-Encoding: gzip\r\n", gzip(body)) } else { ("", body.to_vec()) };
    let block = [b"HTTP/1.1 200 OK\r\n", headers.as_bytes(), b"\r\n", body.as_slice()].concat();
    let head = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    let page = b"WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: https://x.example/\r\nContent-Type: text/html\r\nContent-Length: 10\r\n\r\n<p>Hoi</p>\r\n\r\n";
    let record = [head.as_bytes(), &block, b"\r\n\r\n"].concat();
    if compressed { [gzip(&record), gzip(page)].concat() } else { [record.as_slice(), page].concat() }
}

fn written(vault: &TestVault, name: &str, bytes: &[u8]) -> PathBuf {
    let path = vault.folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test]
async fn a_capture_in_a_container_gives_the_same_records_and_the_file_back() {
    let (plain, channels) = TestVault::demo(1).await;
    let demo = channels.iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap();
    let capture = std::fs::read(&demo.captures[0].path).unwrap();
    let expected = plain.ingest(&demo.channel, &demo.captures[0].path).await.unwrap();
    for (name, bytes, pages) in [
        ("a.jsonl.gz", gzip(&capture), 0),
        ("a.warc", warc(&capture, false), 1),
        ("a.warc.gz", warc(&capture, true), 1),
    ] {
        let (vault, channels) = TestVault::demo(1).await;
        let demo = channels.iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap();
        let file = written(&vault, name, &bytes);
        let report = vault.ingest(&demo.channel, &file).await.unwrap();
        let counts = |r: &knik::vault::ingest::IngestReport| (r.new_records, r.acts, r.deleted, r.not_public);
        assert_eq!(counts(&report), counts(&expected), "{name}: {report:?}");
        assert_eq!((report.new_pages, report.refused.len()), (pages, 0), "{name}: {report:?}");
        check_rejoined(&vault, &demo.channel.organisation, &file).await;
        vault.round().await;
        let catalogue = &vault.archive.catalogue;
        assert_eq!(catalogue.counts().await.unwrap().stale_conversations, 0, "{name}");
        assert!(vault.archive.room.count().await.unwrap() > 0, "{name}");
        assert!(vault.ingest(&demo.channel, &file).await.unwrap().same_capture, "{name}");
    }
}

#[tokio::test]
async fn an_original_out_of_a_container_is_its_item_byte_for_byte() {
    let (vault, channels) = TestVault::demo(1).await;
    let _numbering = vault.numbering();
    let demo = channels.iter().find(|demo| demo.channel.id.as_str() == "dwv-x").unwrap();
    let capture = std::fs::read(&demo.captures[0].path).unwrap();
    let file = written(&vault, "a.warc.gz", &warc(&capture, true));
    vault.ingest(&demo.channel, &file).await.unwrap();
    let mut items: BTreeSet<Vec<u8>> = BTreeSet::new();
    for unit in units(&file).1 {
        let at = |place: u64| usize::try_from(place - unit.offset).unwrap();
        items.extend(unit.items.iter().map(|i| unit.bytes[at(i.range.start)..at(i.range.end)].to_vec()));
    }
    let actor = official(demo.channel.organisation.as_str());
    let records = vault.archive.catalogue.records(&actor.organisation, None, None, 1_000).await.unwrap();
    assert!(records.len() > 3);
    for summary in records {
        let given = disclose(
            &vault,
            &actor,
            summary.id,
            "avg-15",
            "2026-0042",
            "the person concerned asked to see it",
        )
        .await
        .unwrap();
        assert!(items.contains(given.original.item()), "the item's own bytes");
    }
}

#[tokio::test]
async fn a_container_of_another_platform_is_not_taken_in() {
    let (vault, channels) = TestVault::demo(1).await;
    let of = |like: &str| channels.iter().find(|demo| demo.channel.id.as_str() == like).unwrap();
    let capture = std::fs::read(&of("dwv-x").captures[0].path).unwrap();
    let file = written(&vault, "a.warc.gz", &warc(&capture, true));
    let outcome = vault.ingest(&of("low-mastodon").channel, &file).await;
    assert!(
        matches!(&outcome, Err(VaultError::Input(said)) if said.contains("the capture is of x")),
        "{outcome:?}"
    );
}
