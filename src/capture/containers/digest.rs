//! Digests that containers carry, in the algorithms and forms they are written in.

use aws_lc_rs::digest::{self, Context};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use md5::{Digest as _, Md5};

/// One digest being computed.
#[derive(Clone)]
pub(super) enum Hash {
    Md5(Md5),
    Other(Context),
}

impl Hash {
    /// By the algorithm's name, with or without its hyphen.
    pub(super) fn named(name: &str) -> Option<Self> {
        let algorithm = match name.to_ascii_lowercase().replace('-', "").as_str() {
            "md5" => return Some(Self::Md5(Md5::new())),
            "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            "sha224" => &digest::SHA224,
            "sha256" => &digest::SHA256,
            "sha384" => &digest::SHA384,
            "sha512" => &digest::SHA512,
            _ => return None,
        };
        Some(Self::Other(Context::new(algorithm)))
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Other(hash) => hash.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::Md5(hash) => hash.finalize().to_vec(),
            Self::Other(hash) => hash.finish().as_ref().to_vec(),
        }
    }
}

/// A digest that was stated, with one being computed.
pub(super) struct Check {
    /// What the stated value may mean, form by form.
    stated: Vec<Vec<u8>>,
    hash: Hash,
}

impl Check {
    /// Of `algorithm:value`; none when the algorithm is not known. A value that cannot be read never holds.
    pub(super) fn of(stated: &str) -> Option<Self> {
        let (algorithm, value) = stated.split_once(':')?;
        let hash = Hash::named(algorithm.trim())?;
        let stated = readings(value.trim(), hash.clone().finish().len());
        Some(Self { stated, hash })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// Whether what went through is what was stated.
    pub(super) fn holds(self) -> bool {
        let found = self.hash.finish();
        self.stated.contains(&found)
    }
}

/// What a digest of `length` bytes can be when read as hexadecimal, base 32 or base 64 (either alphabet).
pub(super) fn readings(value: &str, length: usize) -> Vec<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let standard = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
    let url_safe = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);
    let forms =
        [hex::decode(value).ok(), base32(value), standard.decode(value).ok(), url_safe.decode(value).ok()];
    forms.into_iter().flatten().filter(|bytes| bytes.len() == length).collect()
}

/// The digests that lists of resources are written with, being computed.
pub(super) fn of_resources() -> Vec<(&'static str, Hash)> {
    let named = |name| Hash::named(name).map(|hash| (name, hash));
    ["md5", "sha1", "sha256", "sha512"].into_iter().filter_map(named).collect()
}

/// Base 64 as it stands in keys and signatures.
pub(super) fn base64(value: &str) -> Option<Vec<u8>> {
    general_purpose::STANDARD.decode(value.trim()).ok()
}

/// RFC 4648 base 32, either case, padding optional.
fn base32(value: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0_u32, Vec::new());
    for byte in value.trim_end_matches('=').bytes() {
        let digit = match byte.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            figure @ b'2'..=b'7' => figure - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(digit);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_in_every_form_in_use() {
        let empty = Hash::named("SHA-1").unwrap().finish();
        for form in [
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "2jmj7l5rSw0yVb_vlWAYkK_YBwk",
        ] {
            assert!(readings(form, 20).contains(&empty), "{form}");
            assert!(Check::of(&format!("sha1:{form}")).unwrap().holds(), "{form}");
        }
        for other in [
            "sha1:AAA2H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "sha1:1112H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "md5:",
            "sha1:x",
        ] {
            assert!(!Check::of(other).unwrap().holds(), "{other}");
        }
        assert!(Check::of("crc:00").is_none() && Check::of("sha1").is_none());
    }
}
