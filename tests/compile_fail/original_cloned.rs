// error: E0277
//! An opened original cannot be copied.
use knik::seal::Original;

fn needs<T: Clone>() {}

pub fn f() {
    needs::<Original>();
}
