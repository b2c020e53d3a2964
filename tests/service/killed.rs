//! `knik ingest` that is killed in the middle and run again ends with the archive of one run.

use super::captures::{capture, reaction};
use super::harvest::start;
use super::refusals::Folder;
use std::fs;
use std::path::Path;
use std::time::Duration;

const RECORDS: u64 = 400;

/// Objects in the storage of a data folder.
fn segments(dir: &Path) -> usize {
    let shards = fs::read_dir(dir.join("vault/segments")).into_iter().flatten().flatten();
    shards.filter_map(|shard| fs::read_dir(shard.path()).ok()).map(Iterator::count).sum()
}

#[test]
fn an_ingest_that_was_killed_and_run_again_ends_as_one_run() {
    let one = |n: u64| {
        let mut status = reaction(&format!("1169000000000{n:05}"), "Wanneer komt er antwoord op mijn vraag?");
        status["in_reply_to_id"] = serde_json::json!(format!("11690000000{n:07}"));
        status
    };
    let bytes = capture(&(0..RECORDS).map(one).collect::<Vec<_>>());
    let (whole, killed) = (Folder::new(), Folder::new());
    let small = ("KNIK_INGEST__BATCH_RECORDS", "10");
    let file = killed.file("posts.json", &bytes);
    let asked = ["ingest", "--channel", "low-mastodon", &file];
    super::fixture::knik_with(&whole.dir, &asked, &[small]).ok();

    let mut in_the_middle = 0;
    for n in 0..40 {
        // Each run is killed when it has written some batches more than the one before.
        let enough = segments(&killed.dir) + 1 + 2 * n;
        let mut child = start(&killed.dir, &asked, &[small]);
        while child.try_wait().unwrap().is_none() && segments(&killed.dir) < enough {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let there = killed.counts()["records"].as_u64().unwrap();
        if there == RECORDS {
            break;
        }
        in_the_middle += u32::from(there > 0);
        killed.run(&["verify"]).ok();
    }
    assert!(in_the_middle > 0, "no kill came in the middle");
    let report = super::fixture::knik_with(&killed.dir, &asked, &[small]).ok();
    assert!(
        report.out.contains("already there") || report.out.contains("nothing was added"),
        "{}",
        report.out
    );
    assert_eq!(killed.counts()["records"], RECORDS);
    for field in ["records", "versions"] {
        assert_eq!(killed.counts()[field], whole.counts()[field], "{field}");
    }
    let projections = |folder: &Folder| folder.run(&["status", "--json"]).ok().json()["projections"].clone();
    assert_eq!(projections(&killed), projections(&whole));
    killed.run(&["verify"]).ok();
}
