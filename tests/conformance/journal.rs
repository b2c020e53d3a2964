//! What happened: durable with what it records, numbered once, proved to anyone who has the log's key.

use super::fixture::*;
use super::stage::Stage;
use crate::support::start;
use knik::ledger::{Checkpoint, Entry, EntryId, Hash, LogKey, Origin, leaf_hash, root_of};
use knik::store::catalogue::Batch;
use knik::store::database::{Database, Dialect, Mode, Plane};
use knik::store::journal::{Journal, SealedBody};
use knik::store::{CosignedRow, StoreError, TimestampRow};
use knik::vault::verify::verify_receipt;
use std::collections::BTreeSet;

/// Every entry of a log, in order; panics when one is missing.
async fn entries(journal: &Journal, log: &Origin) -> Vec<Entry> {
    let leaves = journal.leaves(log, 0, u32::MAX).await.unwrap();
    let entry = |(expected, (place, leaf)): (u64, &(u64, Vec<u8>))| {
        assert_eq!(*place, expected, "a log has no gaps");
        Entry::parse(leaf).unwrap()
    };
    (0..).zip(&leaves).map(entry).collect()
}

/// The head must be signed, and be of exactly the entries that are there.
async fn check_head(journal: &Journal, key: &LogKey) -> u64 {
    let origin = key.verifier().origin();
    let head = journal.head(origin).await.unwrap().unwrap();
    let checkpoint = Checkpoint::verify(&head.checkpoint, key.verifier()).unwrap();
    let leaves = journal.leaves(origin, 0, u32::MAX).await.unwrap();
    let hashes: Vec<Hash> = leaves.iter().map(|(_, leaf)| leaf_hash(leaf)).collect();
    assert_eq!((checkpoint.size(), checkpoint.root()), (hashes.len() as u64, root_of(&hashes)));
    assert_eq!(head.size, checkpoint.size());
    head.size
}

pub async fn an_entry_is_durable_with_its_transaction(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let _recorded = Journal::new(db.clone()).record(&log(), step(1), None).await.unwrap();
    catalogue.commit(&log(), batch(2)).await.unwrap();
    // Another process, which knows nothing of the first, finds and numbers both.
    let again =
        Database::open(&stage.url(Plane::Vault, "postgres"), Plane::Vault, Mode::Owner).await.unwrap();
    let journal = Journal::new(again);
    assert_eq!(journal.head(&log()).await.unwrap(), None);
    assert_eq!(journal.sequence(&log_key("vault")).await.unwrap(), 2);
    assert_eq!(journal.sequence(&log_key("vault")).await.unwrap(), 0);
    let ids: Vec<EntryId> = entries(&journal, &log()).await.iter().map(Entry::id).collect();
    assert_eq!(ids, [1, 2].map(|n| EntryId::from_uuid(id(n))));
    assert_eq!(check_head(&journal, &log_key("vault")).await, 2);
}

pub async fn a_transaction_that_failed_leaves_no_entry(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let catalogue = begun(&db).await;
    let journal = Journal::new(db);
    let broken = Batch { pending: vec![step(1), step(2), step(1)], ..batch(2) };
    assert!(catalogue.commit(&log(), broken).await.is_err());
    let _recorded = journal.record(&log(), step(3), None).await.unwrap();
    assert!(matches!(journal.record(&log(), step(3), None).await, Err(StoreError::Database { .. })));
    assert!(journal.take_up(&log(), vec![step(4), step(3)], &[], 17).await.is_err());
    assert_eq!(journal.inbox_cursor().await.unwrap(), 0, "the cursor moves with its entries");
    assert_eq!(journal.sequence(&log_key("vault")).await.unwrap(), 1);
    assert_eq!(entries(&journal, &log()).await[0].id(), EntryId::from_uuid(id(3)));
    journal.take_up(&log(), vec![step(4)], &[], 17).await.unwrap();
    assert_eq!(journal.inbox_cursor().await.unwrap(), 17);
}

/// 64 at once, three of which are there already.
pub async fn an_error_in_a_group_reaches_whom_it_belongs_to(stage: &Stage) {
    const WRITERS: u128 = 64;
    let journal = Journal::new(stage.open(Plane::Vault).await);
    let twice = BTreeSet::from([3, 17, 40]);
    for n in &twice {
        let _recorded = journal.record(&log(), step(*n), None).await.unwrap();
    }
    let all: Vec<_> = (0..WRITERS)
        .map(|n| {
            let journal = journal.clone();
            tokio::spawn(async move { journal.record(&log(), step(n), None).await.map(|done| done.entry()) })
        })
        .collect();
    for (n, one) in (0..).zip(all) {
        match one.await.unwrap() {
            Ok(entry) => assert!(entry == EntryId::from_uuid(id(n)) && !twice.contains(&n), "entry {n}"),
            Err(error) => {
                assert!(
                    twice.contains(&n) && matches!(error, StoreError::Database { .. }),
                    "entry {n}: {error}"
                );
            }
        }
    }
    assert_eq!(journal.sequence(&log_key("vault")).await.unwrap(), 64, "each is there once");
    assert_eq!(check_head(&journal, &log_key("vault")).await, 64);
}

pub async fn receipts_verify_and_only_under_the_logs_key(stage: &Stage) {
    let journal = Journal::new(stage.open(Plane::Vault).await);
    let key = log_key("vault");
    let (wanted, absent) = (EntryId::from_uuid(id(3)), EntryId::from_uuid(id(99)));
    for n in 0..10 {
        let _recorded = journal.record(&log(), step(n), None).await.unwrap();
    }
    assert_eq!(journal.receipt(&log(), wanted).await.unwrap(), None, "no number yet");
    let patience = std::time::Duration::from_millis(50);
    let early = journal.receipt_when_numbered(&log(), wanted, patience).await;
    assert!(matches!(early, Err(StoreError::Busy(_))));
    journal.sequence(&key).await.unwrap();
    let patience = std::time::Duration::from_secs(60);
    let receipt = journal.receipt_when_numbered(&log(), wanted, patience).await.unwrap();
    let json = serde_json::to_string(&receipt).unwrap();
    let verified = verify_receipt(&json, key.verifier()).unwrap();
    assert_eq!((verified.index, verified.entry.id(), verified.entry.at()), (3, wanted, start()));
    let of = |name: &str, seed| {
        LogKey::from_seed(format!("knik.example/{name}").parse().unwrap(), &[seed; 32]).unwrap()
    };
    assert!(verify_receipt(&json, of("vault", 8).verifier()).is_err(), "another key");
    assert!(verify_receipt(&json, of("other", 7).verifier()).is_err(), "another log");
    assert_eq!(journal.receipt(&log(), absent).await.unwrap(), None);
    assert_eq!(journal.receipt(log_key("other").verifier().origin(), wanted).await.unwrap(), None);
}

/// Tasks that write, tasks that number through databases of their own, 5,000 entries.
pub async fn two_sequencers_make_one_log_without_gaps(stage: &Stage) {
    const WRITERS: u128 = 4;
    const ROUNDS: u128 = 25;
    /// Writers wait for the numbers of a wave before the next: so there are as many rounds at the least.
    const WAVE: u128 = 5;
    const EACH: u128 = 50;
    let db = stage.open(Plane::Vault).await;
    let (writing, all) = (Journal::new(db), WRITERS * ROUNDS * EACH);
    let done = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (journal, done) = (writing.clone(), done.clone());
            tokio::spawn(async move {
                for round in 0..ROUNDS {
                    let before = WRITERS * (round - round % WAVE) * EACH;
                    while u128::from(done.load(std::sync::atomic::Ordering::SeqCst)) < before {
                        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                    }
                    let first = (writer * ROUNDS + round) * EACH;
                    let entries = (first..first + EACH).map(|n| step(n + 1)).collect();
                    journal.take_up(&log(), entries, &[], 0).await.unwrap();
                }
            })
        })
        .collect();
    let mut sequencers = Vec::new();
    for _ in 0..2 {
        let url = stage.url(Plane::Vault, "postgres");
        let journal = Journal::new(Database::open(&url, Plane::Vault, Mode::Owner).await.unwrap());
        let done = done.clone();
        sequencers.push(tokio::spawn(async move {
            let mut rounds = 0;
            while u128::from(done.load(std::sync::atomic::Ordering::SeqCst)) < all {
                let numbered = journal.sequence(&log_key("vault")).await.unwrap() as u64;
                done.fetch_add(numbered, std::sync::atomic::Ordering::SeqCst);
                rounds += u64::from(numbered > 0);
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            rounds
        }));
    }
    // What is lost would be waited for in vain.
    let patience = std::time::Duration::from_secs(60);
    for writer in writers {
        tokio::time::timeout(patience, writer).await.expect("an entry was lost").unwrap();
    }
    let mut rounds = 0;
    for sequencer in sequencers {
        rounds += tokio::time::timeout(patience, sequencer).await.expect("an entry was lost").unwrap();
    }
    assert!(u128::from(rounds) >= ROUNDS / WAVE, "{rounds}");
    assert_eq!(u128::from(check_head(&writing, &log_key("vault")).await), all);
    let ids: Vec<u128> =
        entries(&writing, &log()).await.iter().map(|entry| entry.id().uuid().as_u128()).collect();
    assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), (1..=all).collect());
    for writer in 0..WRITERS {
        let own = ids.iter().filter(|n| (**n - 1) / (ROUNDS * EACH) == writer);
        assert!(own.is_sorted(), "what one task wrote keeps its order");
    }
    for n in [1, 257, all / 2, all] {
        let receipt = writing.receipt(&log(), EntryId::from_uuid(id(n))).await.unwrap().unwrap();
        assert_eq!(
            receipt.verify(log_key("vault").verifier()).unwrap().entry.id(),
            EntryId::from_uuid(id(n))
        );
    }
}

pub async fn two_logs_are_numbered_apart(stage: &Stage) {
    let journal = Journal::new(stage.open(Plane::Vault).await);
    let other = log_key("reading-room");
    for n in 1..=6 {
        let log = if n % 3 == 0 { other.verifier().origin().clone() } else { log() };
        let _recorded = journal.record(&log, step(n), None).await.unwrap();
    }
    assert_eq!(journal.sequence(&other).await.unwrap(), 2);
    assert_eq!(journal.head(&log()).await.unwrap(), None);
    assert_eq!(journal.sequence(&log_key("vault")).await.unwrap(), 4);
    assert_eq!(check_head(&journal, &other).await, 2);
    assert_eq!(check_head(&journal, &log_key("vault")).await, 4);
}

pub async fn bodies_stand_apart_and_can_be_erased(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let journal = Journal::new(db.clone());
    let (entry, key) = (EntryId::from_uuid(id(1)), log_key("vault"));
    let _recorded = journal.record(&log(), step(1), Some(SealedBody(vec![0, 255, 7]))).await.unwrap();
    let _recorded = journal.record(&log(), step(2), None).await.unwrap();
    journal.sequence(&key).await.unwrap();
    assert_eq!(journal.body(entry).await.unwrap().unwrap().0, [0, 255, 7]);
    assert!(journal.body(EntryId::from_uuid(id(2))).await.unwrap().is_none());
    let (leaves, receipt) =
        (journal.leaves(&log(), 0, 2).await.unwrap(), journal.receipt(&log(), entry).await.unwrap());
    assert!(journal.erase_body(&log(), entry, step(3)).await.unwrap());
    assert!(journal.body(entry).await.unwrap().is_none());
    assert_eq!(journal.leaves(&log(), 0, 2).await.unwrap(), leaves, "leaves stay as they were");
    assert_eq!(journal.receipt(&log(), entry).await.unwrap(), receipt);
    assert!(receipt.unwrap().verify(key.verifier()).is_ok());
    assert_eq!(journal.sequence(&key).await.unwrap(), 1, "that it was erased is an entry");
    assert_eq!(check_head(&journal, &key).await, 3);
    assert!(!journal.erase_body(&log(), entry, step(4)).await.unwrap(), "there is none any more");
    assert!(!journal.erase_body(&log(), EntryId::from_uuid(id(2)), step(4)).await.unwrap());
    assert_eq!(journal.sequence(&key).await.unwrap(), 0, "nothing is recorded of nothing");
    // Before it is numbered, too.
    let _recorded = journal.record(&log(), step(5), Some(SealedBody(vec![1]))).await.unwrap();
    assert!(journal.erase_body(&log(), EntryId::from_uuid(id(5)), step(6)).await.unwrap());
    assert_eq!(journal.sequence(&key).await.unwrap(), 2);
    assert!(journal.body(EntryId::from_uuid(id(5))).await.unwrap().is_none());
    assert_eq!(rows(&db, "ledger_body").await, 0);
}

pub async fn evidence_is_kept_by_log_and_size(stage: &Stage) {
    let journal = Journal::new(stage.open(Plane::Vault).await);
    let cosigned = |size, witness: &str, line: &str| CosignedRow {
        size,
        witness: witness.to_owned(),
        note: format!("note {size}"),
        line: line.to_owned(),
    };
    for row in [cosigned(20, "b", "1"), cosigned(3, "b", "2"), cosigned(20, "a", "3"), cosigned(20, "b", "4")]
    {
        journal.keep_cosignature(&log(), &row).await.unwrap();
    }
    let kept = [cosigned(3, "b", "2"), cosigned(20, "a", "3"), cosigned(20, "b", "4")];
    assert_eq!(journal.cosignatures(&log()).await.unwrap(), kept, "the newest of each witness, by size");
    let stamp = |size, byte| TimestampRow { size, note: format!("note {size}"), response: vec![byte, 0] };
    for row in [stamp(20, 1), stamp(3, 2), stamp(20, 3)] {
        journal.keep_timestamp(&log(), &row).await.unwrap();
    }
    assert_eq!(journal.timestamps(&log()).await.unwrap(), [stamp(3, 2), stamp(20, 1)], "the first stays");
    let other = log_key("reading-room");
    assert!(journal.cosignatures(other.verifier().origin()).await.unwrap().is_empty());
    assert!(journal.timestamps(other.verifier().origin()).await.unwrap().is_empty());
}

pub async fn a_head_that_does_not_fit_the_entries_stops_the_log(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let journal = Journal::new(db.clone());
    for n in 1..=5 {
        let _recorded = journal.record(&log(), step(n), None).await.unwrap();
    }
    journal.sequence(&log_key("vault")).await.unwrap();
    let _recorded = journal.record(&log(), step(6), None).await.unwrap();
    let tables = ["ledger_entry", "ledger_tile", "ledger_head", "journal_pending"];
    for moved in ["UPDATE ledger_head SET size = 4", "UPDATE ledger_head SET size = 6"] {
        sqlx::query(moved).execute(db.write()).await.unwrap();
        let before = dump(&db, &tables).await;
        assert!(journal.sequence(&log_key("vault")).await.is_err(), "{moved}");
        assert_eq!(dump(&db, &tables).await, before, "{moved}");
    }
    sqlx::query("UPDATE ledger_head SET size = 5").execute(db.write()).await.unwrap();
    assert_eq!(journal.sequence(&log_key("vault")).await.unwrap(), 1);
    assert_eq!(check_head(&journal, &log_key("vault")).await, 6);
}

/// A trigger stands for another process that moves the head between reading and writing it.
pub async fn a_head_that_moved_is_refused(stage: &Stage) {
    let db = stage.open(Plane::Vault).await;
    let journal = Journal::new(db.clone());
    let _recorded = journal.record(&log(), step(1), None).await.unwrap();
    journal.sequence(&log_key("vault")).await.unwrap();
    let moves = match stage.dialect() {
        Dialect::Sqlite => {
            "CREATE TRIGGER other AFTER INSERT ON ledger_entry BEGIN UPDATE ledger_head SET size = size + 1; END"
        }
        Dialect::Postgres => {
            "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN UPDATE ledger_head SET size = size + 1; RETURN NULL; END $$; \
             CREATE TRIGGER other AFTER INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION other()"
        }
    };
    sqlx::raw_sql(moves).execute(db.write()).await.unwrap();
    let _recorded = journal.record(&log(), step(2), None).await.unwrap();
    let tables = ["ledger_entry", "ledger_tile", "ledger_head", "journal_pending"];
    let before = dump(&db, &tables).await;
    let refused = journal.sequence(&log_key("vault")).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Ledger(why) if why.contains("the head moved")), "{refused}");
    assert_eq!(dump(&db, &tables).await, before);
}
