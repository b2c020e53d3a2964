//! Numbers are drawn when a row is written and seen when its transaction commits. On a server one transaction may
//! draw before another and commit after it: what comes late must not be lost.

use super::fixture::*;
use super::stage::Stage;
use knik::store::catalogue::Batch;
use knik::store::database::{Database, Dialect, Mode, Plane};
use knik::store::journal::Journal;
use sqlx::{Any, Row, Transaction};
use std::task::Poll;
use std::time::Duration;

/// A transaction that wrote `statement` and has not committed.
async fn drawn(db: &Database, statement: &'static str) -> Transaction<'static, Any> {
    let mut tx = db.begin().await.unwrap();
    sqlx::query(statement).execute(&mut *tx).await.unwrap();
    tx
}

pub async fn an_entry_that_commits_late_is_numbered(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let journal = Journal::new(db.clone());
    let leaf = format!("'\\x{}'::bytea", hex::encode(step(1).entry().leaf()));
    let entry = format!(
        "INSERT INTO journal_pending (id, log, leaf) VALUES ('\\x{}'::bytea, '{}', {leaf})",
        id(1).simple(),
        log().as_str()
    );
    if stage.dialect() == Dialect::Sqlite {
        // There one transaction writes at a time: a second waits for the first.
        let held = db.begin().await.unwrap();
        let waiting =
            tokio::time::timeout(Duration::from_millis(200), journal.record(&log(), step(2), None)).await;
        assert!(waiting.is_err());
        drop(held);
        return;
    }
    let late = drawn(&db, Box::leak(entry.into_boxed_str())).await;
    let _recorded = journal.record(&log(), step(2), None).await.unwrap();
    // Whoever reads the numbered entries makes the sequencer wait in the middle of its round.
    let reader = drawn(&db, "LOCK TABLE ledger_entry IN SHARE MODE").await;
    let numbering = {
        let journal = journal.clone();
        tokio::spawn(async move { journal.sequence(&log_key("vault")).await })
    };
    let held_up =
        "SELECT COUNT(*) AS n FROM pg_locks WHERE NOT granted AND relation = 'ledger_entry'::regclass";
    while sqlx::query(held_up).fetch_one(db.read()).await.unwrap().get::<i64, _>("n") == 0 {
        assert!(!numbering.is_finished(), "the round must be under way");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    late.commit().await.unwrap();
    reader.rollback().await.unwrap();
    assert_eq!(numbering.await.unwrap().unwrap(), 1);
    assert_eq!(journal.sequence(&log_key("vault")).await.unwrap(), 1, "the late entry was lost");
}

pub async fn what_comes_late_to_the_outbox_goes_down(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let row = |payload: &str| Batch {
        outbox: vec![knik::store::catalogue::OutboxRow { kind: "revocation", payload: payload.to_owned() }],
        ..empty()
    };
    catalogue.commit(&log(), row("first")).await.unwrap();
    catalogue.commit(&log(), row("second")).await.unwrap();
    let waiting = catalogue.outbox(10).await.unwrap();
    assert_eq!(waiting.iter().map(|item| item.payload.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    // Only the second was seen when it went down: the first must still be there.
    catalogue.outbox_done(waiting[1].seq).await.unwrap();
    let left = catalogue.outbox(10).await.unwrap();
    assert_eq!(left.iter().map(|item| item.payload.as_str()).collect::<Vec<_>>(), ["first"]);
}

/// A transaction that was given up while it began holds nothing: what is written next is there for all.
pub async fn a_transaction_that_is_given_up_while_it_begins_holds_nothing(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    begun(&db).await;
    let url = stage.url(Plane::Vault, "postgres");
    let other = Database::open(&url, Plane::Vault, Mode::Reader).await.unwrap();
    for n in 1..=40 {
        // Given up once it was asked for, or some steps later; what was sent is answered meanwhile.
        {
            let mut beginning = std::pin::pin!(db.begin());
            for _ in 0..n % 4 {
                let step = std::future::poll_fn(|cx| Poll::Ready(beginning.as_mut().poll(cx).is_ready()));
                if step.await {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        // Its connection is among those that wait for work, and the next to be given.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let written = sqlx::query("UPDATE capture SET size_bytes = size_bytes + 1").execute(db.write());
        assert_eq!(written.await.unwrap().rows_affected(), 1);
        let seen = sqlx::query("SELECT size_bytes AS n FROM capture").fetch_one(other.read()).await.unwrap();
        assert_eq!(seen.get::<i64, _>("n"), n, "what was acknowledged is not there for others");
    }
}
