// error: E0277
//! A key cannot be copied.
use knik::seal::SegmentKey;

fn needs<T: Clone>() {}

pub fn f() {
    needs::<SegmentKey>();
}
