// error: E0277
//! There is no evidence out of nothing.
use knik::ledger::Recorded;

fn needs<T: Default>() {}

pub fn f() {
    needs::<Recorded>();
}
