//! The key file of operators, and fresh nonces.

use crate::redact::{OperatorNonce, Secrets};
use crate::store::keys::read_private;
use anyhow::{Context, Result};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::path::Path;
use zeroize::Zeroizing;

/// Reads 32 bytes, in base64 or hexadecimal, from a regular file of this user that nobody else may read.
///
/// # Errors
/// What is wrong with the file and how to mend it; nothing of what is in it.
pub(super) fn secrets(path: &Path) -> Result<Secrets> {
    let text = read_private(path)?;
    let key = key(text.trim()).with_context(|| {
        let path = path.display();
        format!(
            "key file `{path}` must hold 32 random bytes in base64 or hexadecimal and nothing else; make one with: \
             (umask 077; openssl rand -base64 32 > {path})"
        )
    })?;
    Ok(Secrets::derive(&key)?)
}

fn key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let hexadecimal = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unpadded = text.trim_end_matches('=');
    let bytes = Zeroizing::new(if hexadecimal {
        hex::decode(text).ok()?
    } else {
        STANDARD_NO_PAD.decode(unpadded).or_else(|_| URL_SAFE_NO_PAD.decode(unpadded)).ok()?
    });
    let bytes: &[u8; 32] = bytes.as_slice().try_into().ok()?;
    Some(Zeroizing::new(*bytes))
}

/// Fresh random bytes; `None` when the system has none.
pub(super) fn draw() -> Option<OperatorNonce> {
    let mut nonce = OperatorNonce::default();
    rand::fill(&mut nonce).ok()?;
    Some(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_base64_or_hexadecimal() {
        let bytes = [0xfb_u8; 32];
        let hexadecimal = hex::encode(bytes);
        for text in [STANDARD_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes), hexadecimal.clone()] {
            assert_eq!(key(&text).as_deref(), Some(&bytes), "{text}");
        }
        assert_eq!(key(&format!("{}=", STANDARD_NO_PAD.encode(bytes))).as_deref(), Some(&bytes));
        for text in
            ["", "geheim", &hexadecimal[1..], &format!("{hexadecimal}00"), &STANDARD_NO_PAD.encode([1; 31])]
        {
            assert_eq!(key(text), None, "{text}");
        }
        assert_ne!(draw(), draw());
    }
}
