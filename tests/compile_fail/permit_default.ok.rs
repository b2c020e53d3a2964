//! It can be sent to another thread and shown without its content.
use knik::access::Permit;

fn needs<T: Send + std::fmt::Debug>() {}

pub fn f() {
    needs::<Permit>();
}
