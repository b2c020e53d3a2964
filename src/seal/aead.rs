//! AES-256-GCM over given keys and nonces. `nonce || ciphertext || tag` is a box here.

use super::{KeyError, Nonce};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce as GcmNonce, UnboundKey};
use zeroize::Zeroizing;

/// Length of the nonce, in bytes.
pub(super) const NONCE: usize = 12;
/// Length of the tag, in bytes.
const TAG: usize = 16;

/// A key ready for use, kept as the library's schedule so that wrapping many keys expands it once.
/// The library wipes it when freed.
pub(super) struct Cipher(LessSafeKey);

/// What does not open: another key, other authenticated data, or changed bytes. GCM cannot say which.
#[derive(Debug)]
pub(super) struct DoesNotOpen;

impl Cipher {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, KeyError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| KeyError::Refused)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Appends the box over `plain` to `head`; the buffer never moves while it holds plaintext.
    pub(super) fn seal(
        &self,
        head: &[u8],
        nonce: Nonce,
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let start = head.len() + NONCE;
        let mut sealed = Vec::with_capacity(start + plain.len() + TAG);
        sealed.extend_from_slice(head);
        sealed.extend_from_slice(&nonce.0);
        sealed.extend_from_slice(plain);
        let body = sealed.get_mut(start..).ok_or(KeyError::Refused)?;
        let nonce = GcmNonce::assume_unique_for_key(nonce.0);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), body);
        sealed.extend_from_slice(tag.map_err(|_| KeyError::Refused)?.as_ref());
        Ok(sealed)
    }

    /// The plaintext of a box.
    pub(super) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(DoesNotOpen)?;
        let mut plain = Zeroizing::new(body.to_vec());
        let nonce = GcmNonce::assume_unique_for_key(*nonce);
        let length = self.0.open_in_place(nonce, Aad::from(aad), &mut plain).map_err(|_| DoesNotOpen)?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 16 of the GCM specification (McGrew and Viega, appendix B).
    #[test]
    fn a_box_is_that_of_the_specification() {
        let bytes = |text: &str| hex::decode(text).unwrap();
        let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = Nonce(bytes("cafebabefacedbaddecaf888").try_into().unwrap());
        let plain = bytes(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ));
        let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let cipher = Cipher::new(&key.try_into().unwrap()).unwrap();
        let sealed = cipher.seal(b"", nonce, &aad, &plain).unwrap();
        let expected = concat!(
            "cafebabefacedbaddecaf888",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b"
        );
        assert_eq!(hex::encode(&sealed), expected);
        assert_eq!(*cipher.open(&aad, &sealed).unwrap(), plain);
    }
}
