//! What is to be recorded can be looked at.
use knik::ledger::Pending;

pub fn f(pending: Pending) {
    let _ = pending.entry();
}
