// error: E0277
//! An opened original cannot be serialised.
use knik::seal::Original;

fn needs<T: serde::Serialize>() {}

pub fn f() {
    needs::<Original>();
}
