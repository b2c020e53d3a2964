//! What is exported is a log in C2SP's layout, whole, whatever is numbered meanwhile.

use super::log::{Log, step};
use knik::ledger::{Checkpoint, Hash, TileRef, leaf_hash, root_of};
use knik::vault::sequence;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[tokio::test]
async fn an_export_has_the_layout_of_tlog_tiles() {
    for entries in [1_u64, 255, 256, 257, 700] {
        let log = Log::of(entries, entries, &[]).await;
        let folder = log.export("out").await;
        let note = fs::read_to_string(folder.join("checkpoint")).unwrap();
        let head = Checkpoint::verify(&note, log.key().verifier()).unwrap();
        let mut hashes: Vec<Hash> = Vec::new();
        for at in (0..entries.div_ceil(256)).filter_map(|index| TileRef::within(0, index, entries)) {
            let bundle = fs::read(folder.join(at.entries_path())).unwrap();
            let of_bundle: Vec<Hash> =
                knik::ledger::entry_bundle_leaves(&bundle).unwrap().into_iter().map(leaf_hash).collect();
            let tile: Vec<u8> = of_bundle.iter().flat_map(|hash| *hash.as_bytes()).collect();
            assert_eq!(fs::read(folder.join(at.path())).unwrap(), tile, "{}", at.path());
            hashes.extend(of_bundle);
        }
        assert_eq!((head.size(), head.root()), (entries, root_of(&hashes)));
        let level_1: Vec<u8> =
            hashes.chunks_exact(256).flat_map(|chunk| *root_of(chunk).as_bytes()).collect();
        match TileRef::within(1, 0, entries) {
            Some(at) => assert_eq!(fs::read(folder.join(at.path())).unwrap(), level_1),
            None => assert!(!folder.join("tile/1").exists()),
        }
    }
}

#[tokio::test]
async fn an_empty_log_is_exported_with_a_checkpoint() {
    let log = Log::of(0, 0, &[]).await;
    let folder = log.export("out").await;
    let seen = log.look_at(&folder, None).await;
    assert_eq!((seen.first_wrong.as_deref(), seen.entries), (None, 0));
}

/// Entries are numbered while the export is written: it holds what its own checkpoint signs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_a_log_in_use_is_whole() {
    let log = std::sync::Arc::new(Log::of(300, 300, &[]).await);
    let writing = {
        let log = std::sync::Arc::clone(&log);
        tokio::spawn(async move {
            for n in 300_u64..900 {
                log.0.archive.journal.take_up(log.origin(), vec![step(n, 0)], &[], 0).await.unwrap();
                sequence::number(&log.0.archive).await.unwrap();
            }
        })
    };
    let mut exports = 0;
    while !writing.is_finished() || exports == 0 {
        let folder = log.export(&format!("out-{exports}")).await;
        let seen = log.look_at(&folder, None).await;
        assert_eq!(seen.first_wrong, None, "export {exports}");
        exports += 1;
    }
    writing.await.unwrap();
    assert!(exports > 2, "{exports}");
}

/// The copy in the second place grows with the log, head by head: it is what a whole export would be, and nothing more.
#[tokio::test]
async fn the_copy_in_the_second_place_is_a_whole_log_after_every_head() {
    let log = Log::of(0, 0, &[]).await;
    let mut done = 0;
    for size in [1_u64, 2, 255, 256, 257, 300, 511, 513, 1_200, 65_536 + 300] {
        log.add(done..size, size).await;
        done = size;
        let mirror = log.mirror();
        let seen = log.look_at(&mirror, None).await;
        assert_eq!((seen.first_wrong, seen.entries), (None, size));
        let whole = log.export(&format!("out-{size}")).await;
        assert_eq!(files(&mirror), files(&whole), "{size}");
    }
}

/// A copy of another history is neither continued nor overwritten.
#[tokio::test]
async fn a_copy_of_another_history_stays_as_it_is() {
    let (log, other) = (Log::of(40, 40, &[]).await, Log::of(60, 20, &[]).await);
    fs::remove_dir_all(other.mirror()).unwrap();
    fs::rename(log.mirror(), other.mirror()).unwrap();
    let before = files(&other.mirror());
    other.0.archive.journal.take_up(other.origin(), vec![step(99, 0)], &[], 0).await.unwrap();
    let refused = sequence::number(&other.0.archive).await.unwrap_err().to_string();
    assert!(refused.contains("does not continue the copy"), "{refused}");
    assert_eq!(files(&other.mirror()), before);
}

/// Every file below a folder, with what is in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = crate::keys::fixture::files(folder).into_iter();
    all.map(|path| (path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}
