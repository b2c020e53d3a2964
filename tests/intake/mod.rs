//! Intake through the vault, with the rules as shipped: from captures to what is sealed, published and disclosed.

mod agencies;
mod anew;
mod attachments;
mod bytes;
mod canaries;
mod containers;
mod correspondence;
mod deciding;
pub mod disclosure;
mod flags;
mod formats;
mod in_force;
mod minimised;
mod opening;
mod order;
mod projections;
mod refusals;
mod reviewing;
mod sameness;
mod scrubbing;
pub mod sealed;
mod tampering;
mod withheld;

use crate::support::TestVault;
use knik::capture::{Format, Limits, Unit, open};
use knik::vault::{CaptureSource, InProcess, survey};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// The units of a file, as the capture room reads them.
fn units(file: &Path) -> (Format, Vec<Unit>) {
    let input = BufReader::new(File::open(file).unwrap());
    let mut reader = open(input, None, Limits::default()).unwrap();
    let units = reader.by_ref().map(Result::unwrap).collect();
    (reader.format(), units)
}

#[tokio::test]
async fn the_demo_comes_in_with_the_counts_it_states() {
    let (vault, channels) = TestVault::demo(1).await;
    let (mut records, mut captures) = (0, 0);
    for demo in &channels {
        for capture in &demo.captures {
            let source = CaptureSource::File(capture.path.clone());
            let (_, looked) =
                survey(&source, &InProcess, None, vault.rules.limits, None, &mut |_| {}).unwrap();
            let holds = (looked.records, looked.acts, looked.deleted, looked.not_public);
            let stated = &capture.holds;
            let file = capture.path.display();
            assert_eq!(holds, (stated.records, stated.acts, stated.deleted, stated.not_public), "{file}");
            let report = vault.ingest(&demo.channel, &capture.path).await.unwrap();
            assert!(!report.same_capture && report.refused.is_empty(), "{file}: {report:?}");
            assert!(
                report.new_records + report.new_versions + report.already_there >= looked.records,
                "{file}"
            );
            assert_eq!((report.acts, report.deleted), (looked.acts, looked.deleted), "{file}");
            records += report.new_records;
            captures += 1;
        }
    }
    let counts = vault.archive.catalogue.counts().await.unwrap();
    assert_eq!((counts.records, counts.captures), (records, captures));
    assert_eq!(counts.stale_conversations, 0, "what changed was computed anew");
    assert!(counts.versions > counts.records, "the demo holds edits");
    assert!(counts.segments > counts.captures, "captures take several batches");
    vault.round().await;
    let published = vault.archive.room.count().await.unwrap();
    assert!(published > 20 && published < records, "{published} of {records} are published");
    assert_eq!(vault.archive.catalogue.counts().await.unwrap().outbox, 0);
}

#[tokio::test]
async fn the_same_capture_twice_adds_nothing() {
    let (vault, channels) = TestVault::loaded(1).await;
    let before = vault.archive.catalogue.counts().await.unwrap();
    let published = vault.archive.room.count().await.unwrap();
    for demo in &channels {
        for capture in &demo.captures {
            let report = vault.ingest(&demo.channel, &capture.path).await.unwrap();
            assert!(report.same_capture, "{}", capture.path.display());
            assert_eq!((report.new_records, report.new_versions), (0, 0));
            assert_eq!(report.already_there, capture.holds.records);
        }
    }
    assert_eq!(vault.archive.catalogue.counts().await.unwrap(), before);
    // The same records in a file of other bytes are no new records or versions either.
    for demo in &channels {
        for capture in demo.captures.iter().filter(|capture| capture.holds.records > 0) {
            let mut bytes = std::fs::read(&capture.path).unwrap();
            bytes.extend_from_slice(b"\n\n");
            let report = vault.ingest_bytes(&demo.channel, &bytes).await.unwrap();
            let file = capture.path.display();
            assert_eq!(
                (report.same_capture, report.new_records, report.new_versions),
                (false, 0, 0),
                "{file}"
            );
        }
    }
    vault.round().await;
    let after = vault.archive.catalogue.counts().await.unwrap();
    assert_eq!((after.records, after.versions), (before.records, before.versions));
    assert_eq!(vault.archive.room.count().await.unwrap(), published);
}
