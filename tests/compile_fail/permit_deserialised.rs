// error: E0277
//! A permit cannot be read from a file or a request.
use knik::access::Permit;

fn needs<T: serde::de::DeserializeOwned>() {}

pub fn f() {
    needs::<Permit>();
}
