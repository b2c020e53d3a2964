// error: E0451
//! Only `access` makes a permit: its fields are private.
use knik::access::Permit;

pub fn f(permit: Permit) -> Permit {
    Permit { ..permit }
}
