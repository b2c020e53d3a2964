//! A permit can be handed on.
use knik::access::Permit;

pub fn f(permit: Permit) -> Permit {
    permit
}
