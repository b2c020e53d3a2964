//! Entries that are recorded at the same time share commits; whoever waits is answered after it. That an error reaches
//! the one it belongs to is among the conformance tests.

use super::log::{Log, step};
use knik::store::StoreError;
use sqlx::Row;
use std::time::Duration;

const WRITERS: u64 = 64;
const EACH: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_entry_is_there_when_its_writer_goes_on() {
    let log = std::sync::Arc::new(Log::of(0, 0, &[]).await);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let log = std::sync::Arc::clone(&log);
            tokio::spawn(async move {
                for n in 0..EACH {
                    let pending = step(writer * EACH + n, 0);
                    let id = pending.entry().id();
                    let recorded = log.0.archive.journal.record(log.origin(), pending, None).await.unwrap();
                    assert_eq!(recorded.entry(), id);
                    // Another connection sees it: it is committed.
                    let row = sqlx::query("SELECT seq FROM journal_pending WHERE id = $1")
                        .bind(id.uuid().as_bytes().to_vec())
                        .fetch_one(log.0.archive.catalogue.database().read())
                        .await
                        .unwrap();
                    let seq: i64 = row.get("seq");
                    assert_eq!(
                        recorded.row().number(),
                        u64::try_from(seq).unwrap(),
                        "each is told its own row"
                    );
                }
            })
        })
        .collect();
    for writer in writers {
        tokio::time::timeout(Duration::from_secs(60), writer).await.expect("an entry was lost").unwrap();
    }
    log.add(0..0, 0).await;
    let seen = log.look(None).await;
    assert_eq!((seen.first_wrong.as_deref(), seen.entries), (None, WRITERS * EACH));
}

/// The commit itself fails: nobody is told that an entry is there, and nothing is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_at_the_commit_reaches_everyone() {
    let log = std::sync::Arc::new(Log::of(0, 0, &[]).await);
    // A foreign key that is looked at when the transaction commits, and not before.
    log.0.tamper("CREATE TABLE nowhere (id BLOB PRIMARY KEY)").await;
    log.0.tamper("CREATE TABLE held (id BLOB REFERENCES nowhere (id) DEFERRABLE INITIALLY DEFERRED)").await;
    log.0
        .tamper("CREATE TRIGGER hold AFTER INSERT ON journal_pending BEGIN INSERT INTO held (id) VALUES (NEW.id); END")
        .await;
    let all: Vec<_> = (0..WRITERS)
        .map(|n| {
            let log = std::sync::Arc::clone(&log);
            tokio::spawn(async move { log.0.archive.journal.record(log.origin(), step(n, 0), None).await })
        })
        .collect();
    for one in all {
        let error = one.await.unwrap().expect_err("nothing can be committed");
        // The first may have been alone in its group.
        assert!(matches!(error, StoreError::Group(_) | StoreError::Database { .. }), "{error}");
    }
    log.0.tamper("DROP TRIGGER hold").await;
    let row = sqlx::query("SELECT COUNT(*) AS n FROM journal_pending")
        .fetch_one(log.0.archive.catalogue.database().read())
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>("n"), 0);
    let recorded = log.0.archive.journal.record(log.origin(), step(1, 0), None).await;
    assert!(recorded.is_ok(), "the next is recorded");
}
