// error: E0624
//! Evidence cannot be had without the journal.
use knik::ledger::{JournalRow, Pending};

pub fn f(pending: Pending) {
    let _ = pending.committed(JournalRow::new(1));
}
