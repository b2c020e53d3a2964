//! Keys under other keys, as they are stored: their forms, wrapping and unwrapping.

use super::aead::{Cipher, NONCE};
use super::keys::{Epoch, KeyError, NONCE_BYTES, Nonce};
use std::fmt;
use zeroize::Zeroizing;

/// A key under another key: version 1, nonce, encrypted key, tag. Stands in the key table only.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey([u8; WrappedKey::LEN]);

impl WrappedKey {
    /// Length in bytes.
    pub const LEN: usize = 1 + NONCE + 32 + 16;
    const VERSION: u8 = 1;

    /// Reads the bytes of the key table.
    ///
    /// # Errors
    /// [`KeyError::Form`] for another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; Self::LEN] = bytes.try_into().map_err(|_| KeyError::Form)?;
        if bytes.first() == Some(&Self::VERSION) { Ok(Self(bytes)) } else { Err(KeyError::Form) }
    }

    /// The bytes for the key table.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// One that a provider sealed elsewhere: its nonce, and the encrypted key with its tag.
    ///
    /// # Errors
    /// [`KeyError::Form`] for another length.
    pub fn from_parts(nonce: &[u8; NONCE_BYTES], sealed: &[u8]) -> Result<Self, KeyError> {
        Self::from_bytes(&[&[Self::VERSION], nonce.as_slice(), sealed].concat())
    }

    /// Its nonce, and the encrypted key with its tag.
    #[must_use]
    pub fn parts(&self) -> ([u8; NONCE_BYTES], Vec<u8>) {
        let nonce = self.0.get(1..=NONCE).and_then(|nonce| nonce.try_into().ok()).unwrap_or_default();
        (nonce, self.0.get(1 + NONCE..).unwrap_or_default().to_vec())
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappedKey(..)")
    }
}

/// A segment key under an epoch key: version 2, epoch (4 bytes, big-endian), nonce, encrypted key, tag. In archives
/// that were made before there were epochs it is a [`WrappedKey`] under the master key itself.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedSegmentKey(Vec<u8>);

impl WrappedSegmentKey {
    /// Length in bytes.
    pub const LEN: usize = WrappedKey::LEN + 4;
    const VERSION: u8 = 2;

    /// Reads the bytes of the segment's row.
    ///
    /// # Errors
    /// [`KeyError::Form`] for another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        match (bytes.first(), bytes.len()) {
            (Some(&Self::VERSION), Self::LEN) | (Some(&WrappedKey::VERSION), WrappedKey::LEN) => {
                Ok(Self(bytes.to_vec()))
            }
            _ => Err(KeyError::Form),
        }
    }

    /// One at the head of `bytes`, and what follows it.
    ///
    /// # Errors
    /// [`KeyError::Form`] when none is there.
    pub fn split_from(bytes: &[u8]) -> Result<(Self, &[u8]), KeyError> {
        let length = match bytes.first() {
            Some(&Self::VERSION) => Self::LEN,
            _ => WrappedKey::LEN,
        };
        let (head, rest) = bytes.split_at_checked(length).ok_or(KeyError::Form)?;
        Ok((Self::from_bytes(head)?, rest))
    }

    /// The bytes for the segment's row.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Which epoch key wraps it; none when the master key does.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        let number = self.0.get(1..5)?.try_into().ok().map(u32::from_be_bytes);
        number.filter(|_| self.0.first() == Some(&Self::VERSION)).map(Epoch::new)
    }

    /// As it was before there were epochs.
    #[must_use]
    pub fn without_epoch(&self) -> Option<WrappedKey> {
        WrappedKey::from_bytes(&self.0).ok()
    }
}

impl From<WrappedKey> for WrappedSegmentKey {
    fn from(wrapped: WrappedKey) -> Self {
        Self(wrapped.0.to_vec())
    }
}

impl fmt::Debug for WrappedSegmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedSegmentKey(epoch {:?})", self.epoch())
    }
}

/// Wraps a key under another.
///
/// # Errors
/// [`KeyError::Refused`].
pub(super) fn wrap(
    under: &[u8; 32],
    aad: &[u8],
    key: &[u8; 32],
    nonce: Nonce,
) -> Result<WrappedKey, KeyError> {
    let sealed = Cipher::new(under)?.seal(&[WrappedKey::VERSION], nonce, aad, key)?;
    WrappedKey::from_bytes(&sealed).map_err(|_| KeyError::Refused)
}

/// Unwraps a key.
///
/// # Errors
/// [`KeyError::Mismatch`], [`KeyError::Refused`].
pub(super) fn unwrap(
    under: &[u8; 32],
    aad: &[u8],
    wrapped: &WrappedKey,
) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    opened(under, aad, wrapped.0.get(1..).unwrap_or_default())
}

/// Wraps a segment key in an epoch.
///
/// # Errors
/// [`KeyError::Refused`].
pub(super) fn wrap_in_epoch(
    under: &[u8; 32],
    epoch: Epoch,
    aad: &[u8],
    key: &[u8; 32],
    nonce: Nonce,
) -> Result<WrappedSegmentKey, KeyError> {
    let head = [&[WrappedSegmentKey::VERSION][..], &epoch.number().to_be_bytes()].concat();
    let sealed = Cipher::new(under)?.seal(&head, nonce, aad, key)?;
    WrappedSegmentKey::from_bytes(&sealed).map_err(|_| KeyError::Refused)
}

/// Unwraps a segment key that an epoch wrapped.
///
/// # Errors
/// [`KeyError::Mismatch`], [`KeyError::Refused`].
pub(super) fn unwrap_from_epoch(
    under: &[u8; 32],
    aad: &[u8],
    wrapped: &WrappedSegmentKey,
) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    opened(under, aad, wrapped.0.get(5..).unwrap_or_default())
}

fn opened(under: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let plain = Cipher::new(under)?.open(aad, sealed).map_err(|_| KeyError::Mismatch)?;
    let mut key = Zeroizing::new([0; 32]);
    key.iter_mut().zip(plain.iter()).for_each(|(to, from)| *to = *from);
    Ok(key)
}
