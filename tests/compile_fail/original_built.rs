// error: E0451
//! Only `seal` makes an original: its fields are private.
use knik::seal::Original;

pub fn f(original: Original) -> Original {
    Original { ..original }
}
