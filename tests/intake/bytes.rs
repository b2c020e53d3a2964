//! A capture is sealed whole: its fragments, joined, are the file.

use super::sealed::{opened_capture, rejoined};
use super::units;
use crate::support::{TestVault, shared};
use knik::model::{ByteRange, OrganisationId};
use knik::store::catalogue::Channel;
use std::path::{Path, PathBuf};

/// Joins the fragments of the capture that came in last and compares them with the file it came in.
pub async fn check_rejoined(vault: &TestVault, organisation: &OrganisationId, file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    let units = units(file).1;
    let own = units.iter().filter(|unit| unit.within.is_none());
    let refused: Vec<ByteRange> = own.flat_map(|unit| &unit.refused).map(|r| r.range).collect();
    let capture = vault.last_capture().await;
    let (original, places) = opened_capture(vault, capture, organisation).await;
    for (at, (cell, byte)) in rejoined(&original, &places, bytes.len()).into_iter().zip(&bytes).enumerate() {
        let left_out = refused.iter().any(|range| range.start <= at as u64 && (at as u64) < range.end);
        let expected = if left_out { None } else { Some(*byte) };
        assert_eq!(cell, expected, "byte {at} of {}", file.display());
    }
}

#[tokio::test]
async fn the_fragments_of_a_demo_capture_are_the_file() {
    let (vault, channels) = TestVault::demo(1).await;
    for demo in &channels {
        for capture in &demo.captures {
            vault.ingest(&demo.channel, &capture.path).await.unwrap();
            check_rejoined(&vault, &demo.channel.organisation, &capture.path).await;
        }
    }
}

#[tokio::test]
async fn the_fragments_of_a_real_capture_are_the_file() {
    let Some(shared) = shared("the fragments of a real capture are the file") else { return };
    let counts = std::fs::read_to_string(shared.join("captures/counts.tsv")).unwrap();
    for (format, like) in [("mastodon", "low-mastodon"), ("x_api_v2", "dwv-x"), ("warc", "dwv-x")] {
        let (vault, channels) = TestVault::demo(1).await;
        let channel: &Channel =
            &channels.iter().find(|demo| demo.channel.id.as_str() == like).unwrap().channel;
        let folder = shared.join("captures").join(format);
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        assert!(files.len() > 9, "{format}");
        for file in files {
            let name = format!("{format}/{}", file.file_name().unwrap().to_str().unwrap());
            let row: Vec<&str> = counts
                .lines()
                .map(|row| row.split('\t').collect())
                .find(|row: &Vec<_>| row[0] == name)
                .unwrap();
            let number = |n: usize| row[n].parse::<u64>().unwrap();
            let report = vault.ingest(channel, &file).await.unwrap();
            let seen = report.new_records + report.new_versions + report.already_there;
            assert!(seen >= number(2) && !report.same_capture, "{name}: {report:?}");
            assert_eq!((report.acts, report.deleted), (number(3), number(4)), "{name}");
            assert!(report.new_records <= number(2), "{name}: {report:?}");
            check_rejoined(&vault, &channel.organisation, &file).await;
        }
        vault.round().await;
        let counts = vault.archive.catalogue.counts().await.unwrap();
        assert_eq!((counts.stale_conversations, counts.outbox), (0, 0), "{format}");
    }
}
