//! Copies of checkpoints: a log that does not continue its copy is signed no further, and the copy stays.

use super::log::{Log, step};
use knik::vault::{sequence, standing};
use std::fs;

#[tokio::test]
async fn a_log_that_does_not_continue_its_copy_is_signed_no_further() {
    let (log, back, fork) =
        (Log::of(40, 40, &[]).await, Log::of(30, 30, &[]).await, Log::of(40, 20, &[]).await);
    let copy = fs::read_to_string(log.copy()).unwrap();
    for (what, other) in [("rolled back", &back), ("forked", &fork)] {
        fs::write(other.copy(), &copy).unwrap();
        let before = other.checkpoint().await;
        other.0.archive.journal.take_up(other.origin(), vec![step(99, 0)], &[], 0).await.unwrap();
        for _ in 0..2 {
            let refused = sequence::number(&other.0.archive).await.unwrap_err().to_string();
            assert!(
                refused.contains("signed no further") && refused.contains("knik verify"),
                "{what}: {refused}"
            );
        }
        assert_eq!(other.checkpoint().await, before, "{what}: nothing was signed");
        assert_eq!(fs::read_to_string(other.copy()).unwrap(), copy, "{what}: the copy stays");
        assert!(other.look(None).await.first_wrong.is_some(), "{what}");
        // Moved away by someone who knows why: the entry that waited is numbered.
        fs::remove_file(other.copy()).unwrap();
        assert_eq!(sequence::number(&other.0.archive).await.unwrap(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_second_place_that_cannot_be_reached_stops_nothing_and_is_told() {
    let log = Log::of(10, 10, &[]).await;
    let folder = log.0.folder().join("checkpoints");
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "a file where a folder should be").unwrap();
    log.0.archive.journal.take_up(log.origin(), vec![step(10, 0)], &[], 0).await.unwrap();
    assert!(sequence::number(&log.0.archive).await.is_err(), "that it was not copied is said");
    assert!(log.checkpoint().await.contains("\n11\n"), "it is signed all the same");
    let standing = standing::of(&log.0.archive).await.unwrap();
    assert!(
        standing.warnings.iter().any(|warning| warning.contains("cannot be used")),
        "{:?}",
        standing.warnings
    );
}

#[tokio::test]
async fn status_says_when_the_copy_is_missing_stale_or_ahead() {
    let log = Log::of(10, 10, &[]).await;
    let warnings = async |log: &Log| standing::of(&log.0.archive).await.unwrap().warnings.join("; ");
    assert_eq!(warnings(&log).await, "");
    let old = fs::read_to_string(log.copy()).unwrap();
    log.add(10..20, 20).await;
    let new = fs::read_to_string(log.copy()).unwrap();
    fs::write(log.copy(), old).unwrap();
    assert!(warnings(&log).await.contains("stale: 10 entries of 20"), "{}", warnings(&log).await);
    fs::remove_file(log.copy()).unwrap();
    assert!(warnings(&log).await.contains("no copy"), "{}", warnings(&log).await);
    fs::write(log.copy(), "nonsense").unwrap();
    assert!(warnings(&log).await.contains("cannot be used"), "{}", warnings(&log).await);
    let back = Log::of(10, 10, &[]).await;
    fs::write(back.copy(), new).unwrap();
    assert!(warnings(&back).await.contains("rolled back"), "{}", warnings(&back).await);
}
