// error: E0277
//! Text about people cannot be copied.
use knik::model::PrivateText;

fn needs<T: Clone>() {}

pub fn f() {
    needs::<PrivateText>();
}
