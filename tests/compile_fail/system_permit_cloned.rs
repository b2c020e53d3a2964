// error: E0277
//! A system permit cannot be copied.
use knik::access::SystemPermit;

fn needs<T: Clone>() {}

pub fn f() {
    needs::<SystemPermit>();
}
