// error: E0277
//! The body of an entry cannot be serialised into the ledger.
use knik::ledger::Body;

fn needs<T: serde::Serialize>() {}

pub fn f() {
    needs::<Body>();
}
