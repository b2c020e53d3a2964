//! What a permit is for can be asked.
use knik::access::Permit;

pub fn f() {
    let _ = Permit::record;
}
