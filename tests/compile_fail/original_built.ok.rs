//! An original can be handed on.
use knik::seal::Original;

pub fn f(original: Original) -> Original {
    original
}
