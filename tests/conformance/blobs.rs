//! Segments in object storage: written once, read in part, swept when no key belongs to them.

use super::fixture::id;
use bytes::Bytes;
use knik::model::SegmentId;
use knik::store::StoreError;
use knik::store::blobs::{Blobs, Put};
use std::collections::BTreeMap;

fn segment(n: u128) -> SegmentId {
    SegmentId::from_uuid(id(n))
}

/// Every store that keeps segments.
fn stores() -> Vec<(&'static str, tempfile::TempDir, Blobs)> {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::folder(&folder.path().join("segments")).unwrap();
    vec![("a folder that was not there", folder, blobs)]
}

#[tokio::test]
async fn what_was_put_first_stays() {
    for (store, _folder, blobs) in stores() {
        assert_eq!(blobs.segment(segment(1)).await.unwrap(), None, "{store}");
        assert_eq!(
            blobs.put_once(segment(1), Bytes::from_static(b"first")).await.unwrap(),
            Put::Created,
            "{store}"
        );
        for again in [&b"second"[..], b"first", b""] {
            assert_eq!(
                blobs.put_once(segment(1), Bytes::from_static(again)).await.unwrap(),
                Put::Exists,
                "{store}"
            );
        }
        assert_eq!(blobs.segment(segment(1)).await.unwrap().unwrap(), &b"first"[..], "{store}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_creates() {
    for (store, _folder, blobs) in stores() {
        let puts: Vec<_> = (0..16_u8)
            .map(|n| {
                let blobs = blobs.clone();
                tokio::spawn(
                    async move { (n, blobs.put_once(segment(1), vec![n; 4096].into()).await.unwrap()) },
                )
            })
            .collect();
        let mut created = Vec::new();
        for put in puts {
            let (n, outcome) = put.await.unwrap();
            created.extend((outcome == Put::Created).then_some(n));
        }
        assert_eq!(created.len(), 1, "{store}");
        assert_eq!(blobs.segment(segment(1)).await.unwrap().unwrap(), vec![created[0]; 4096], "{store}");
    }
}

#[tokio::test]
async fn ranges_give_their_bytes_and_no_others() {
    for (store, _folder, blobs) in stores() {
        let whole: Vec<u8> = (0..=255).collect();
        blobs.put_once(segment(1), whole.clone().into()).await.unwrap();
        let ranges = [0..1, 200..256, 5..9, 5..9, 0..256];
        let read = blobs.ranges(segment(1), &ranges).await.unwrap();
        for (range, bytes) in ranges.iter().zip(read) {
            let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            assert_eq!(bytes, &whole[range], "{store}");
        }
        assert!(blobs.ranges(segment(1), &[]).await.unwrap().is_empty());
        for absent in [300..301, 256..257] {
            let outcome = blobs.ranges(segment(1), &[absent]).await;
            assert!(matches!(outcome, Err(StoreError::Blobs { .. })), "{store}: behind the end");
        }
        let outcome = blobs.ranges(segment(2), &[0..1, 4..5]).await;
        assert!(matches!(outcome, Err(StoreError::Blobs { .. })), "{store}: of a segment that is not there");
    }
}

#[tokio::test]
async fn what_is_there_is_listed_and_what_is_swept_is_gone() {
    for (store, folder, blobs) in stores() {
        assert!(blobs.list().await.unwrap().is_empty(), "{store}");
        for n in 1..=40 {
            blobs.put_once(segment(n), vec![0; usize::try_from(n).unwrap()].into()).await.unwrap();
        }
        std::fs::write(folder.path().join("segments/stray.txt"), "not a segment").unwrap();
        let listed: BTreeMap<_, _> = blobs.list().await.unwrap().into_iter().collect();
        assert_eq!(listed, (1..=40).map(|n| (segment(n), n as u64)).collect(), "{store}");
        blobs.sweep(segment(7)).await.unwrap();
        blobs.sweep(segment(7)).await.unwrap();
        assert_eq!(blobs.segment(segment(7)).await.unwrap(), None, "{store}");
        assert_eq!(blobs.list().await.unwrap().len(), 39, "{store}");
    }
}
