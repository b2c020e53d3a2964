// error: E0277
//! A permit cannot be copied.
use knik::access::Permit;

fn needs<T: Clone>() {}

pub fn f() {
    needs::<Permit>();
}
