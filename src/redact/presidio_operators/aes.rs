//! AES in CBC mode with PKCS #7 padding; the initialisation vector before the text, all in URL-safe base64.
//!
//! Presidio's format and its weakness: nothing tells whether what is decrypted was changed.

use super::OperatorError;
use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use base64::engine::general_purpose::STANDARD;
use base64::{Engine, alphabet, engine};
use zeroize::Zeroizing;

const BLOCK: usize = 16;

/// Encrypts a text; `random` starts with the initialisation vector.
pub(super) fn encrypt(key: &[u8], text: &str, random: [u8; 32]) -> Result<String, OperatorError> {
    let (iv, _) = random.split_first_chunk::<BLOCK>().ok_or(OperatorError::Failed)?;
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(unbound(key)?).map_err(|_| OperatorError::Failed)?;
    let mut sealed = text.as_bytes().to_vec();
    key.less_safe_encrypt(&mut sealed, EncryptionContext::Iv128(FixedLength::from(iv)))
        .map_err(|_| OperatorError::Failed)?;
    let mut all = iv.to_vec();
    all.extend(sealed);
    Ok(engine::general_purpose::URL_SAFE.encode(all))
}

/// Decrypts what [`encrypt`] or Presidio made. Whatever goes wrong is told the same.
pub(super) fn decrypt(key: &[u8], text: &str) -> Result<String, OperatorError> {
    let all = decoded(text).ok_or(OperatorError::Failed)?;
    let (iv, sealed) = all.split_first_chunk::<BLOCK>().ok_or(OperatorError::Failed)?;
    if sealed.is_empty() || !sealed.len().is_multiple_of(BLOCK) {
        return Err(OperatorError::Failed);
    }
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(unbound(key)?).map_err(|_| OperatorError::Failed)?;
    let mut opened = Zeroizing::new(sealed.to_vec());
    let plain = key
        .decrypt(&mut opened, DecryptionContext::Iv128(FixedLength::from(iv)))
        .map_err(|_| OperatorError::Failed)?;
    std::str::from_utf8(plain).map(str::to_owned).map_err(|_| OperatorError::Failed)
}

fn unbound(key: &[u8]) -> Result<UnboundCipherKey, OperatorError> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        32 => &AES_256,
        _ => return Err(OperatorError::Failed),
    };
    UnboundCipherKey::new(algorithm, key).map_err(|_| OperatorError::Failed)
}

/// Base64 as leniently as Python reads it: either alphabet, other characters passed over, padding needed.
fn decoded(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '-' => kept.push('+'),
            '_' => kept.push('/'),
            c if alphabet::STANDARD.as_str().contains(c) || c == '=' => kept.push(c),
            _ => {}
        }
    }
    STANDARD.decode(kept).ok()
}
