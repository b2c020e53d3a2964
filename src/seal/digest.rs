//! Keyed digests: to recognise something without storing it.

use super::bound::encode;
use crate::model::ItemDigest;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use smallvec::SmallVec;
use std::fmt;
use zeroize::Zeroizing;

/// The key of an archive's digests. It outlives every other key: with another one nothing is
/// recognised any more. `Debug` hides it, it is not `Clone`, the library wipes it when freed.
pub struct DigestKey(Key);

impl DigestKey {
    /// A key from 32 random bytes. The caller wipes its own copy.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Key::new(HMAC_SHA256, bytes))
    }

    /// The first half of an HMAC-SHA-256 over the domain and the parts, each behind its length as a big-endian `u64`:
    /// neither the border between parts nor the domain can be shifted.
    #[must_use]
    pub fn digest(&self, domain: &str, parts: &[&[u8]]) -> ItemDigest {
        let parts: SmallVec<[&[u8]; 8]> =
            std::iter::once(domain.as_bytes()).chain(parts.iter().copied()).collect();
        // All at once: each call into the library costs as much as the digest of some words.
        let tag = sign(&self.0, &Zeroizing::new(encode(&parts)));
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        ItemDigest::from_bytes(bytes)
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_key_domain_and_every_border() {
        let key = DigestKey::from_bytes(&[1; 32]);
        let first = key.digest("item", &[b"mastodon", b"1"]);
        assert_eq!(first, key.digest("item", &[b"mastodon", b"1"]));
        for other in [
            key.digest("version", &[b"mastodon", b"1"]),
            key.digest("item", &[b"mastodon1", b""]),
            key.digest("item", &[b"mastodon", b"1", b""]),
            key.digest("item", &[b"1", b"mastodon"]),
            DigestKey::from_bytes(&[2; 32]).digest("item", &[b"mastodon", b"1"]),
        ] {
            assert_ne!(first, other);
        }
    }

    /// Computed with Python: `hmac.new(bytes([1]*32), prefixed, "sha256")`.
    #[test]
    fn a_digest_is_hmac_sha_256_of_the_prefixed_parts() {
        let made = DigestKey::from_bytes(&[1; 32]).digest("item", &[b"mastodon", b"1"]);
        assert_eq!(
            made.whole().map(hex::encode).as_deref(),
            Some("54d32afd110585bbd240263c0667c34030d6c97f27349bd9618149e001657d8d")
        );
    }
}
