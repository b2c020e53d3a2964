// error: E0277
//! An opened original cannot be printed.
use knik::seal::Original;

fn needs<T: std::fmt::Display>() {}

pub fn f() {
    needs::<Original>();
}
