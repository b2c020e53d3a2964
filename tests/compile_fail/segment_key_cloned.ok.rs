//! It can be sent to another thread and shown without its content.
use knik::seal::SegmentKey;

fn needs<T: Send + std::fmt::Debug>() {}

pub fn f() {
    needs::<SegmentKey>();
}
