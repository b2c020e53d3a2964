// error: E0624
//! Only `access` mints a permit.
use knik::access::Permit;

pub fn f() {
    let _ = Permit::mint;
}
