// error: E0451
//! Only `access` makes a system permit: its fields are private.
use knik::access::SystemPermit;

pub fn f(permit: SystemPermit) -> SystemPermit {
    SystemPermit { ..permit }
}
