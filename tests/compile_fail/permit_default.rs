// error: E0277
//! There is no permit out of nothing.
use knik::access::Permit;

fn needs<T: Default>() {}

pub fn f() {
    needs::<Permit>();
}
