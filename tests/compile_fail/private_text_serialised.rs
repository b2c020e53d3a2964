// error: E0277
//! Text about people cannot be serialised.
use knik::model::PrivateText;

fn needs<T: serde::Serialize>() {}

pub fn f() {
    needs::<PrivateText>();
}
