// error: E0277
//! Evidence cannot be read from a file or a request.
use knik::ledger::Recorded;

fn needs<T: serde::de::DeserializeOwned>() {}

pub fn f() {
    needs::<Recorded>();
}
