// error: E0277
//! A key cannot be copied.
use knik::seal::MasterKey;

fn needs<T: Clone>() {}

pub fn f() {
    needs::<MasterKey>();
}
