// error: E0277
//! Text about people cannot be printed.
use knik::model::PrivateText;

fn needs<T: std::fmt::Display>() {}

pub fn f() {
    needs::<PrivateText>();
}
