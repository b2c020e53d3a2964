//! A system permit can be handed on.
use knik::access::SystemPermit;

pub fn f(permit: SystemPermit) -> SystemPermit {
    permit
}
