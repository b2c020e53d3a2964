//! Every fault of a log is found, and named by the first entry that it concerns: in the database, and in a folder
//! that the log was exported to. One row a fault.

use super::log::{Log, expect, step};
use sqlx::Row;
use std::fs;
use std::path::Path;

/// Entries of the log: three tiles wide, two levels high.
const ENTRIES: u64 = 700;
/// Where a checkpoint was saved before.
const SAVED: u64 = 300;

/// The file of a bundle of entries or of a tile.
fn file(folder: &Path, kind: &str, index: u64) -> std::path::PathBuf {
    let whole = folder.join(format!("tile/{kind}/{index:03}"));
    let partial = folder.join(format!("tile/{kind}/{index:03}.p"));
    if whole.exists() { whole } else { fs::read_dir(partial).unwrap().next().unwrap().unwrap().path() }
}

fn leaves(bundle: &[u8]) -> Vec<Vec<u8>> {
    knik::ledger::entry_bundle_leaves(bundle).unwrap().into_iter().map(<[u8]>::to_vec).collect()
}

/// Changes the leaves of a bundle.
fn rebundle(folder: &Path, index: u64, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let path = file(folder, "entries", index);
    let mut all = leaves(&fs::read(&path).unwrap());
    change(&mut all);
    fs::write(path, knik::ledger::entry_bundle(all.iter().map(Vec::as_slice)).unwrap()).unwrap();
}

/// Changes a byte of a file.
fn flip(path: &Path, byte: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[byte] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = change(fs::read_to_string(path).unwrap());
    fs::write(path, text).unwrap();
}

/// A leaf that says something else and is as canonical.
fn other(n: u64) -> Vec<u8> {
    step(n, 9).entry().leaf()
}

struct Exported {
    what: &'static str,
    change: fn(&Path),
    index: u64,
    words: &'static [&'static str],
}

const EXPORTED: &[Exported] = &[
    Exported {
        what: "a bit of a leaf",
        change: |folder| flip(&file(folder, "entries", 1), 2 + 40),
        index: 256,
        words: &["entry 256", "changed"],
    },
    Exported {
        what: "an entry that says something else",
        change: |folder| rebundle(folder, 1, |all| all[181] = other(437)),
        index: 437,
        words: &["entry 437", "changed", "signed root"],
    },
    Exported {
        what: "an entry that was dropped",
        change: |folder| rebundle(folder, 1, |all| drop(all.remove(181))),
        index: 437,
        words: &["entry 437"],
    },
    Exported {
        what: "the last entry dropped",
        change: |folder| rebundle(folder, 2, |all| drop(all.pop())),
        index: 699,
        words: &["entry 699", "missing"],
    },
    Exported {
        what: "an entry that was added",
        change: |folder| rebundle(folder, 1, |all| all.insert(181, other(1))),
        index: 437,
        words: &["entry 437"],
    },
    Exported {
        what: "an entry added at the end",
        change: |folder| rebundle(folder, 2, |all| all.push(other(1))),
        index: 700,
        words: &["entry 700", "more"],
    },
    Exported {
        what: "two entries that were swapped",
        change: |folder| rebundle(folder, 1, |all| all.swap(181, 44)),
        index: 300,
        words: &["entry 300", "changed"],
    },
    Exported {
        what: "a log that was truncated",
        change: |folder| rebundle(folder, 2, |all| all.truncate(138)),
        index: 650,
        words: &["entry 650", "missing"],
    },
    Exported {
        what: "a bundle that is gone",
        change: |folder| fs::remove_file(file(folder, "entries", 1)).unwrap(),
        index: 256,
        words: &["entry 256", "missing"],
    },
    Exported {
        what: "a tile of leaves that was changed",
        change: |folder| flip(&file(folder, "0", 1), 181 * 32),
        index: 437,
        words: &["tile/0/001", "entry 437"],
    },
    Exported {
        what: "a tile of tiles that was changed",
        change: |folder| flip(&file(folder, "1", 0), 32),
        index: 256,
        words: &["tile/1/000", "entry 256"],
    },
    Exported {
        what: "a tile that is gone",
        change: |folder| fs::remove_file(file(folder, "0", 1)).unwrap(),
        index: 256,
        words: &["tile/0/001", "entry 256"],
    },
    Exported {
        what: "a tile that was cut",
        change: |folder| {
            let path = file(folder, "0", 2);
            fs::write(&path, &fs::read(&path).unwrap()[..32 * 100]).unwrap();
        },
        index: 612,
        words: &["tile/0/002", "entry 612"],
    },
    Exported {
        what: "an entry and its tile changed together",
        change: |folder| {
            rebundle(folder, 1, |all| all[181] = other(437));
            let path = file(folder, "0", 1);
            let mut hashes = fs::read(&path).unwrap();
            hashes[181 * 32..182 * 32].copy_from_slice(knik::ledger::leaf_hash(&other(437)).as_bytes());
            fs::write(path, hashes).unwrap();
        },
        index: 256,
        words: &["from 256 to 511", "tile/1/000"],
    },
    Exported {
        what: "a checkpoint of another size",
        change: |folder| edit(&folder.join("checkpoint"), |text| text.replace("\n700\n", "\n699\n")),
        index: 0,
        words: &["checkpoint", "not signed"],
    },
    Exported {
        what: "a bit of the checkpoint's root",
        change: |folder| {
            let at = fs::read_to_string(folder.join("checkpoint")).unwrap().find("\n700\n").unwrap();
            flip(&folder.join("checkpoint"), at + 8);
        },
        index: 0,
        words: &["checkpoint"],
    },
    Exported {
        what: "no checkpoint",
        change: |folder| fs::remove_file(folder.join("checkpoint")).unwrap(),
        index: 0,
        words: &["checkpoint", "missing"],
    },
];

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn every_fault_of_an_exported_log_is_named_by_its_first_entry() {
    let log = Log::of(ENTRIES, ENTRIES, &[SAVED]).await;
    let whole = log.export("whole").await;
    let seen = log.look_at(&whole, None).await;
    assert_eq!((seen.first_wrong.as_deref(), seen.entries), (None, ENTRIES));
    for (n, row) in EXPORTED.iter().enumerate() {
        let changed = log.0.folder().join(format!("changed-{n}"));
        copy_all(&whole, &changed);
        (row.change)(&changed);
        expect(row.what, &log.look_at(&changed, None).await, row.index, row.words);
    }
}

/// What is done to the database, in statements.
const STORED: &[(&str, &[&str], u64, &[&str])] = &[
    (
        "an entry that is none",
        &["UPDATE ledger_entry SET leaf = X'7b7d' WHERE place = 437"],
        437,
        &["entry 437", "changed"],
    ),
    (
        "an entry that says something else",
        &[
            "UPDATE ledger_entry SET leaf = (SELECT leaf FROM ledger_entry WHERE place = 436) WHERE place = 437",
        ],
        437,
        &["entry 437", "changed", "signed root"],
    ),
    (
        "an entry that is gone",
        &["DELETE FROM ledger_entry WHERE place = 437"],
        437,
        &["entry 437", "missing"],
    ),
    (
        "an entry that is gone, the others moved up",
        &[
            "DELETE FROM ledger_entry WHERE place = 437",
            "UPDATE ledger_entry SET place = -place WHERE place > 437",
            "UPDATE ledger_entry SET place = -place - 1 WHERE place < 0",
        ],
        437,
        &["entry 437"],
    ),
    (
        "two entries that were swapped",
        &[
            "UPDATE ledger_entry SET place = -1 WHERE place = 300",
            "UPDATE ledger_entry SET place = 300 WHERE place = 437",
            "UPDATE ledger_entry SET place = 437 WHERE place = -1",
        ],
        300,
        &["entry 300", "changed"],
    ),
    (
        "a log that was truncated",
        &["DELETE FROM ledger_entry WHERE place >= 650"],
        650,
        &["entry 650", "missing"],
    ),
    (
        "a tile of leaves that was changed",
        &[
            "UPDATE ledger_tile SET hashes = CAST(substr(hashes, 1, 5792) || zeroblob(32) || substr(hashes, 5825) AS BLOB) WHERE level = 0 AND place = 1",
        ],
        437,
        &["tile/0/001", "entry 437"],
    ),
    (
        "a tile of tiles that was changed",
        &[
            "UPDATE ledger_tile SET hashes = CAST(substr(hashes, 1, 32) || zeroblob(32) AS BLOB) WHERE level = 1",
        ],
        256,
        &["tile/1/000", "entry 256"],
    ),
    ("a tile that is gone", &["DELETE FROM ledger_tile WHERE level = 0 AND place = 1"], 256, &["tile/0/001"]),
    ("a head of another size", &["UPDATE ledger_head SET size = 699"], ENTRIES, &["size 699", "signed 700"]),
    (
        "a checkpoint that was changed",
        &[
            "UPDATE ledger_head SET checkpoint = replace(checkpoint, x'0a' || '700' || x'0a', x'0a' || '699' || x'0a')",
        ],
        ENTRIES,
        &["checkpoint"],
    ),
    ("no head", &["DELETE FROM ledger_head"], ENTRIES, &["checkpoint", "missing"]),
];

const TABLES: [(&str, &str, &str); 3] = [
    (
        "CREATE TABLE kept_entry AS SELECT * FROM ledger_entry",
        "DELETE FROM ledger_entry",
        "INSERT INTO ledger_entry SELECT * FROM kept_entry",
    ),
    (
        "CREATE TABLE kept_tile AS SELECT * FROM ledger_tile",
        "DELETE FROM ledger_tile",
        "INSERT INTO ledger_tile SELECT * FROM kept_tile",
    ),
    (
        "CREATE TABLE kept_head AS SELECT * FROM ledger_head",
        "DELETE FROM ledger_head",
        "INSERT INTO ledger_head SELECT * FROM kept_head",
    ),
];

#[tokio::test]
async fn every_fault_of_a_stored_log_is_named_by_its_first_entry() {
    let log = Log::of(ENTRIES, ENTRIES, &[SAVED]).await;
    for (keep, _, _) in TABLES {
        log.0.tamper(keep).await;
    }
    assert_eq!(log.look(None).await.first_wrong, None);
    for (what, statements, index, words) in STORED {
        for statement in *statements {
            assert!(log.0.tamper(statement).await > 0, "{what}: nothing was changed");
        }
        expect(what, &log.look(None).await, *index, words);
        for (_, clear, put_back) in TABLES {
            log.0.tamper(clear).await;
            log.0.tamper(put_back).await;
        }
        assert_eq!(log.look(None).await.first_wrong, None, "{what} was mended");
    }
}

#[tokio::test]
async fn a_bit_of_any_stored_leaf_is_found() {
    let log = Log::of(ENTRIES, ENTRIES, &[SAVED]).await;
    let db = log.0.archive.catalogue.database().clone();
    for place in [0_i64, 255, 256, 437, 511, 512, 699] {
        let select = sqlx::query("SELECT leaf FROM ledger_entry WHERE place = $1").bind(place);
        let sound: Vec<u8> = select.fetch_one(db.read()).await.unwrap().get("leaf");
        for byte in [0, sound.len() / 2, sound.len() - 1] {
            let mut leaf = sound.clone();
            leaf[byte] ^= 1 << (byte % 8);
            let put = |leaf: Vec<u8>| {
                sqlx::query("UPDATE ledger_entry SET leaf = $1 WHERE place = $2").bind(leaf).bind(place)
            };
            put(leaf).execute(db.write()).await.unwrap();
            expect("a bit", &log.look(None).await, u64::try_from(place).unwrap(), &["changed"]);
            put(sound.clone()).execute(db.write()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_log_that_was_rolled_back_is_found_against_what_was_saved() {
    let (log, back) = (Log::of(ENTRIES, ENTRIES, &[]).await, Log::of(SAVED, SAVED, &[]).await);
    assert_eq!(back.look(None).await.first_wrong, None, "by itself it is sound");
    let saved = log.saved("saved").await;
    let whole = log.export("whole").await;
    let earlier = back.export("earlier").await;
    for since in [&saved, &whole] {
        expect(
            "stored",
            &back.look(Some(since)).await,
            SAVED,
            &["rolled back", "the saved checkpoint", "entry 300"],
        );
        expect("exported", &log.look_at(&earlier, Some(since)).await, SAVED, &["rolled back"]);
    }
    fs::copy(log.copy(), back.copy()).unwrap();
    expect("against the second place", &back.look(None).await, SAVED, &["rolled back", "checkpoint`", "700"]);
}

#[tokio::test]
async fn two_histories_under_one_key_are_found() {
    const FORK: u64 = 450;
    let (log, fork) = (Log::of(600, 600, &[SAVED]).await, Log::of(ENTRIES, FORK, &[SAVED]).await);
    assert_eq!(fork.look(None).await.first_wrong, None, "by itself it is sound");
    let (saved, whole) = (log.saved("saved").await, log.export("whole").await);
    let forked = fork.export("forked").await;
    // A checkpoint alone says that they part before it; an earlier export says where.
    let words = ["forked", "two histories", "between entry 0 and entry 599"];
    expect("stored, a checkpoint", &fork.look(Some(&saved)).await, 0, &words);
    expect("exported, a checkpoint", &log.look_at(&forked, Some(&saved)).await, 0, &words);
    let words = ["forked", "part at entry 450"];
    expect("stored, an export", &fork.look(Some(&whole)).await, FORK, &words);
    expect("exported, an export", &log.look_at(&forked, Some(&whole)).await, FORK, &words);
    // Copies of other days narrow it.
    fs::copy(log.copy(), fork.copy()).unwrap();
    let name = fork.copy().to_str().unwrap().replace(".checkpoint", ".2026-01-01.checkpoint");
    fs::write(name, Log::of(SAVED, SAVED, &[]).await.checkpoint().await).unwrap();
    expect(
        "against the second place",
        &fork.look(None).await,
        SAVED,
        &["forked", "between entry 300 and entry 599"],
    );
}

#[tokio::test]
async fn a_log_rewritten_throughout_is_not_what_was_signed() {
    let (log, other) = (Log::of(ENTRIES, ENTRIES, &[]).await, Log::of(ENTRIES, 450, &[]).await);
    let (whole, rewritten) = (log.export("whole").await, other.export("rewritten").await);
    fs::copy(whole.join("checkpoint"), rewritten.join("checkpoint")).unwrap();
    expect("all but the checkpoint", &log.look_at(&rewritten, None).await, 0, &["from 0 on", "signed root"]);
    let before = Log::of(SAVED, SAVED, &[]).await;
    let saved = before.saved("saved").await;
    let seen = log.look_at(&rewritten, Some(&saved)).await;
    expect("since a saved checkpoint", &seen, SAVED, &["from 300 on", "signed root"]);
}

#[tokio::test]
async fn since_a_saved_checkpoint_only_what_came_after_is_looked_at() {
    let log = Log::of(SAVED, SAVED, &[]).await;
    let (saved, before) = (log.saved("saved").await, log.export("before").await);
    log.add(SAVED..ENTRIES, ENTRIES).await;
    let whole = log.export("whole").await;
    for since in [&saved, &before] {
        for seen in [log.look(Some(since)).await, log.look_at(&whole, Some(since)).await] {
            assert_eq!((seen.first_wrong.as_deref(), seen.entries), (None, ENTRIES - SAVED));
        }
    }
    rebundle(&whole, 0, |all| all[7] = other(7));
    assert_eq!(
        log.look_at(&whole, Some(&saved)).await.first_wrong,
        None,
        "what came before is not looked at"
    );
    expect("the whole", &log.look_at(&whole, None).await, 7, &["entry 7"]);
    rebundle(&whole, 2, |all| all[0] = other(512));
    expect("what came after", &log.look_at(&whole, Some(&saved)).await, 512, &["entry 512"]);
    let own = log.saved("own").await;
    let seen = log.look(Some(&own)).await;
    assert_eq!((seen.first_wrong.as_deref(), seen.entries), (None, 0), "nothing came since");
}

#[tokio::test]
async fn a_checkpoint_of_another_key_is_no_saved_checkpoint() {
    let log = Log::of(10, 10, &[]).await;
    let path = log.0.folder().join("strange");
    let stranger = knik::ledger::LogKey::from_seed(log.origin().clone(), &[9; 32]).unwrap();
    let head = knik::ledger::Checkpoint::new(log.origin().clone(), 10, knik::ledger::Hash::empty());
    fs::write(&path, head.sign(&stranger).unwrap()).unwrap();
    for wrong in [path, log.0.folder().join("absent")] {
        let refused = knik::vault::verify::Since::read(&wrong, &log.trust().keys).await;
        assert!(refused.is_err(), "{}", wrong.display());
    }
}
