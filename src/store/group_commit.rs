//! Group commit: entries that are recorded on their own share a transaction, so that many writers wait for one
//! `fsync` together. Whoever waits is answered after the commit, never before.
//!
//! When a group fails before its commit, each of its entries is tried alone: an error reaches the one it belongs to.
//! When the commit itself fails its outcome is unknown: everyone is told so, and nothing is tried again.

use super::effect::Effect;
use super::journal::{SealedBody, add_all, committed};
use super::{Database, StoreError};
use crate::ledger::{JournalRow, Origin, Pending, Recorded};
use futures_util::future::BoxFuture;
use sqlx::{Any, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Rows that stand or fall with an entry. Called again when the entry is tried alone.
pub(super) type Beside = Box<
    dyn for<'t> Fn(&'t mut Transaction<'static, Any>) -> BoxFuture<'t, Result<(), StoreError>> + Send + Sync,
>;

/// An entry to be recorded.
pub(super) struct Wanted {
    pub(super) log: Origin,
    pub(super) pending: Pending,
    pub(super) body: Option<SealedBody>,
    pub(super) beside: Option<Beside>,
    /// What is durable with it.
    pub(super) effect: Effect,
}

type Waiter = (Wanted, Caller);

/// Who waits for an entry.
struct Caller(oneshot::Sender<Result<Recorded, StoreError>>);

impl Caller {
    fn answer(self, answer: Result<Recorded, StoreError>) {
        let _nobody_waits = self.0.send(answer);
    }
}

/// The way to the one task that commits. Cloning shares it; the task ends with the last of them.
#[derive(Debug, Clone)]
pub(super) struct GroupCommit {
    queue: mpsc::Sender<Waiter>,
}

const QUEUE: usize = 4_096;
/// Entries in one transaction.
const GROUP_MOST: usize = 512;
/// How often those who were just answered may run before the next group is closed.
const GATHER: usize = 4;

impl GroupCommit {
    /// Starts the task. Must be called inside a runtime, on which the task then lives.
    pub(super) fn start(db: Database) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(commit_groups(db, waiting));
        Self { queue }
    }

    /// Returns when the entry is durable.
    ///
    /// # Errors
    /// When it is not, or its commit has an unknown outcome: the step must then not be taken.
    pub(super) async fn record(&self, wanted: Wanted) -> Result<Recorded, StoreError> {
        let (done, wait) = oneshot::channel();
        let gone = || StoreError::Busy("the journal does not take entries".to_owned());
        self.queue.send((wanted, Caller(done))).await.map_err(|_| gone())?;
        wait.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn commit_groups(db: Database, mut waiting: mpsc::Receiver<Waiter>) {
    let mut group = Vec::with_capacity(GROUP_MOST);
    while waiting.recv_many(&mut group, GROUP_MOST).await > 0 {
        for _ in 0..GATHER {
            tokio::task::yield_now().await;
            while group.len() < GROUP_MOST
                && let Ok(more) = waiting.try_recv()
            {
                group.push(more);
            }
        }
        commit(&db, std::mem::take(&mut group)).await;
    }
}

async fn commit(db: &Database, group: Vec<Waiter>) {
    let (wanted, callers): (Vec<Wanted>, Vec<Caller>) = group.into_iter().unzip();
    let entries = callers.len();
    match write(db, wanted).await {
        Ok(recorded) => recorded.into_iter().zip(callers).for_each(|(one, caller)| caller.answer(Ok(one))),
        Err(Failed { error, untouched: Some(wanted) }) if entries > 1 => {
            tracing::debug!(%error, entries, "a group of entries is tried one by one");
            for (one, caller) in wanted.into_iter().zip(callers) {
                caller.answer(write_alone(db, one).await);
            }
        }
        Err(Failed { error, .. }) => {
            tracing::error!(%error, entries, "journal commit failed");
            refuse(callers, error);
        }
    }
}

/// Tells everyone; one who waited alone gets the error itself.
fn refuse(mut callers: Vec<Caller>, error: StoreError) {
    let Some(last) = callers.pop() else { return };
    if callers.is_empty() {
        return last.answer(Err(error));
    }
    let shared = Arc::new(error);
    for caller in callers.into_iter().chain([last]) {
        caller.answer(Err(StoreError::Group(Arc::clone(&shared))));
    }
}

async fn write_alone(db: &Database, one: Wanted) -> Result<Recorded, StoreError> {
    let recorded = write(db, vec![one]).await.map_err(|failed| failed.error)?;
    recorded.into_iter().next().ok_or(StoreError::Corrupt { what: "journal number" })
}

/// Why a group was not written; what was wanted comes back when nothing of it can have been committed.
struct Failed {
    error: StoreError,
    untouched: Option<Vec<Wanted>>,
}

async fn write(db: &Database, wanted: Vec<Wanted>) -> Result<Vec<Recorded>, Failed> {
    let mut tx = match db.begin().await {
        Ok(tx) => tx,
        Err(error) => return Err(Failed { error, untouched: None }),
    };
    let rows = match insert(&mut tx, &wanted).await {
        Ok(rows) => rows,
        Err(error) => {
            let untouched = tx.rollback().await.is_ok().then_some(wanted);
            return Err(Failed { error, untouched });
        }
    };
    let mut commit: BoxFuture<'static, Result<(), sqlx::Error>> = Box::pin(tx.commit());
    for effect in wanted.iter().map(|one| one.effect).collect::<BTreeSet<_>>() {
        commit = Box::pin(effect.of(commit));
    }
    match commit.await.map_err(StoreError::database("recording")) {
        Ok(()) => Ok(wanted.into_iter().zip(rows).map(|(one, row)| committed(one.pending, row)).collect()),
        Err(error) => Err(Failed { error, untouched: None }),
    }
}

async fn insert(
    tx: &mut Transaction<'static, Any>,
    wanted: &[Wanted],
) -> Result<Vec<JournalRow>, StoreError> {
    for beside in wanted.iter().filter_map(|one| one.beside.as_ref()) {
        beside(tx).await?;
    }
    add_all(tx, wanted.iter().map(|one| (&one.log, &one.pending, one.body.as_ref()))).await
}
