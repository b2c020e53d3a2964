// error: E0277
//! Evidence cannot be copied.
use knik::ledger::Recorded;

fn needs<T: Clone>() {}

pub fn f() {
    needs::<Recorded>();
}
