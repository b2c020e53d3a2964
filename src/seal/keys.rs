//! The key hierarchy. Keys wipe themselves, are not `Clone`, and show nothing.

use super::aead::{Cipher, NONCE};
use super::bound::{fragment_key_aad, segment_key_aad};
use super::{Aad, ENVELOPE_VERSION};
use crate::model::{FragmentId, OrganisationId, SegmentId};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Length of a nonce, in bytes.
pub const NONCE_BYTES: usize = NONCE;

/// A nonce, drawn by the caller for one use. Not `Clone`: it cannot be used twice by mistake.
#[derive(Debug)]
pub struct Nonce(pub(super) [u8; NONCE_BYTES]);

impl Nonce {
    /// A nonce from random bytes.
    #[must_use]
    pub const fn from_bytes(drawn: [u8; NONCE_BYTES]) -> Self {
        Self(drawn)
    }
}

/// Why a key could not be wrapped, unwrapped or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the form of a wrapped key: the key table is damaged, or newer than this program.
    #[error("a wrapped key has a form this version does not know")]
    Form,
    /// The wrapped key is not of this organisation, segment and fragment, was changed, or was
    /// wrapped under another key.
    #[error("a wrapped key does not open under the key above it")]
    Mismatch,
    /// The keyring has no master key of this organisation.
    #[error("there is no master key of organisation `{organisation}`")]
    NoMaster {
        /// Which organisation.
        organisation: OrganisationId,
    },
    /// The keyring cannot be reached now: try again later.
    #[error("the keyring of master keys cannot be reached")]
    Unavailable,
    /// The cryptographic library refused a key or length that it should take.
    #[error("the cryptographic library refused")]
    Refused,
}

/// Unwraps and wraps segment keys under an organisation's master key, which it does not show.
/// Implemented over a key file or a hardware module.
pub trait MasterKeyring: Send + Sync {
    /// Wraps a fresh segment key. An implementation that draws nonces itself may ignore `nonce`.
    ///
    /// # Errors
    /// [`KeyError::NoMaster`], [`KeyError::Unavailable`], [`KeyError::Refused`].
    fn wrap_segment_key(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        key: &SegmentKey,
        nonce: Nonce,
    ) -> Result<WrappedKey, KeyError>;

    /// Unwraps a segment key; only of this organisation and segment.
    ///
    /// # Errors
    /// Any [`KeyError`].
    fn unwrap_segment_key(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        wrapped: &WrappedKey,
    ) -> Result<SegmentKey, KeyError>;
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// A key from 32 random bytes. The caller wipes its own copy.
            #[must_use]
            pub const fn from_bytes(bytes: &[u8; 32]) -> Self {
                Self(*bytes)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

key!(
    /// An organisation's key: wraps its segment keys, seals nothing itself.
    MasterKey
);
key!(
    /// A segment's key: wraps the keys of the fragments in it. Holding one opens nothing by itself.
    SegmentKey
);
key!(
    /// A fragment's key: seals that fragment, once.
    FragmentKey
);

impl MasterKey {
    /// Wraps a segment key.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn wrap(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        key: &SegmentKey,
        nonce: Nonce,
    ) -> Result<WrappedKey, KeyError> {
        wrap(&self.0, &segment_key_aad(organisation, segment), &key.0, nonce)
    }

    /// Unwraps a segment key of this organisation and segment.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`], [`KeyError::Refused`].
    pub fn unwrap(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        wrapped: &WrappedKey,
    ) -> Result<SegmentKey, KeyError> {
        let key = unwrap(&self.0, &segment_key_aad(organisation, segment), wrapped)?;
        Ok(SegmentKey::from_bytes(&key))
    }
}

impl SegmentKey {
    /// Wraps a fragment key.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn wrap(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        fragment: FragmentId,
        key: &FragmentKey,
        nonce: Nonce,
    ) -> Result<WrappedKey, KeyError> {
        wrap(&self.0, &fragment_key_aad(organisation, segment, fragment), &key.0, nonce)
    }

    /// Wraps a surviving fragment's key under a fresh segment key, so that destroying what is left
    /// under this one destroys the others for good.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`], [`KeyError::Refused`].
    pub fn rewrap(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        fragment: FragmentId,
        wrapped: &WrappedKey,
        fresh: &Self,
        nonce: Nonce,
    ) -> Result<WrappedKey, KeyError> {
        let key = self.unwrap(organisation, segment, fragment, wrapped)?;
        fresh.wrap(organisation, segment, fragment, &key, nonce)
    }

    pub(super) fn unwrap(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        fragment: FragmentId,
        wrapped: &WrappedKey,
    ) -> Result<FragmentKey, KeyError> {
        let key = unwrap(&self.0, &fragment_key_aad(organisation, segment, fragment), wrapped)?;
        Ok(FragmentKey::from_bytes(&key))
    }
}

impl FragmentKey {
    pub(super) fn cipher(&self) -> Result<Cipher, KeyError> {
        Cipher::new(&self.0)
    }
}

/// Seals a fragment: version (big-endian `u16`) || nonce || ciphertext || tag, 30 bytes more than `plain`.
/// The key must be fresh: it may seal nothing else.
///
/// # Errors
/// [`KeyError::Refused`] when `aad` is of another version, or past 64 GiB.
pub fn seal_fragment(
    key: &FragmentKey,
    aad: &Aad<'_>,
    nonce: Nonce,
    plain: &[u8],
) -> Result<Vec<u8>, KeyError> {
    if aad.version != ENVELOPE_VERSION {
        return Err(KeyError::Refused);
    }
    key.cipher()?.seal(&aad.version.to_be_bytes(), nonce, &aad.to_bytes(), plain)
}

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
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappedKey(..)")
    }
}

fn wrap(under: &[u8; 32], aad: &[u8], key: &[u8; 32], nonce: Nonce) -> Result<WrappedKey, KeyError> {
    let sealed = Cipher::new(under)?.seal(&[WrappedKey::VERSION], nonce, aad, key)?;
    WrappedKey::from_bytes(&sealed).map_err(|_| KeyError::Refused)
}

fn unwrap(under: &[u8; 32], aad: &[u8], wrapped: &WrappedKey) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let sealed = wrapped.0.get(1..).unwrap_or_default();
    let plain = Cipher::new(under)?.open(aad, sealed).map_err(|_| KeyError::Mismatch)?;
    let mut key = Zeroizing::new([0; 32]);
    key.iter_mut().zip(plain.iter()).for_each(|(to, from)| *to = *from);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CaptureId;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn segment(n: u128) -> SegmentId {
        SegmentId::from_uuid(Uuid::from_u128(n))
    }

    fn fragment(n: u128) -> FragmentId {
        FragmentId::from_uuid(Uuid::from_u128(n))
    }

    fn nonce() -> Nonce {
        Nonce::from_bytes([3; 12])
    }

    #[test]
    fn a_key_unwraps_only_where_it_belongs() {
        let (org, other): (OrganisationId, OrganisationId) = ("bzk".parse().unwrap(), "rws".parse().unwrap());
        let master = MasterKey::from_bytes(&[1; 32]);
        let key = SegmentKey::from_bytes(&[2; 32]);
        let wrapped = master.wrap(&org, segment(1), &key, nonce()).unwrap();
        assert_eq!(master.unwrap(&org, segment(1), &wrapped).unwrap().0, key.0);
        for refused in [
            master.unwrap(&other, segment(1), &wrapped),
            master.unwrap(&org, segment(2), &wrapped),
            MasterKey::from_bytes(&[9; 32]).unwrap(&org, segment(1), &wrapped),
        ] {
            assert_eq!(refused.unwrap_err(), KeyError::Mismatch);
        }
        let inner = FragmentKey::from_bytes(&[4; 32]);
        let wrapped = key.wrap(&org, segment(1), fragment(1), &inner, nonce()).unwrap();
        assert_eq!(key.unwrap(&org, segment(1), fragment(1), &wrapped).unwrap().0, inner.0);
        for refused in [
            key.unwrap(&other, segment(1), fragment(1), &wrapped),
            key.unwrap(&org, segment(2), fragment(1), &wrapped),
            key.unwrap(&org, segment(1), fragment(2), &wrapped),
        ] {
            assert_eq!(refused.unwrap_err(), KeyError::Mismatch);
        }
    }

    #[test]
    fn a_rewrapped_key_opens_under_the_fresh_key_only() {
        let org: OrganisationId = "bzk".parse().unwrap();
        let (old, fresh) = (SegmentKey::from_bytes(&[2; 32]), SegmentKey::from_bytes(&[5; 32]));
        let inner = FragmentKey::from_bytes(&[4; 32]);
        let wrapped = old.wrap(&org, segment(1), fragment(1), &inner, nonce()).unwrap();
        let again = old.rewrap(&org, segment(1), fragment(1), &wrapped, &fresh, nonce()).unwrap();
        assert_eq!(fresh.unwrap(&org, segment(1), fragment(1), &again).unwrap().0, inner.0);
        assert_eq!(old.unwrap(&org, segment(1), fragment(1), &again).unwrap_err(), KeyError::Mismatch);
        assert_eq!(fresh.unwrap(&org, segment(1), fragment(1), &wrapped).unwrap_err(), KeyError::Mismatch);
    }

    #[test]
    fn every_changed_bit_of_a_wrapped_key_is_noticed() {
        let org: OrganisationId = "bzk".parse().unwrap();
        let master = MasterKey::from_bytes(&[1; 32]);
        let wrapped = master.wrap(&org, segment(1), &SegmentKey::from_bytes(&[2; 32]), nonce()).unwrap();
        for bit in 0..WrappedKey::LEN * 8 {
            let mut bytes = *wrapped.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let refused =
                WrappedKey::from_bytes(&bytes).and_then(|key| master.unwrap(&org, segment(1), &key));
            assert!(refused.is_err(), "bit {bit}");
        }
        for length in [0, 60, 62] {
            assert_eq!(WrappedKey::from_bytes(&vec![1; length]), Err(KeyError::Form));
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", (MasterKey::from_bytes(&[7; 32]), FragmentKey::from_bytes(&[7; 32])));
        assert_eq!(shown, "(MasterKey(..), FragmentKey(..))");
    }

    proptest! {
        #[test]
        fn an_envelope_opens_to_what_was_sealed_and_no_changed_one_opens(
            plain in prop::collection::vec(any::<u8>(), 0..300),
            key in any::<[u8; 32]>(), drawn in any::<[u8; 12]>(), bit in any::<prop::sample::Index>(),
        ) {
            let organisation = "bzk".parse().unwrap();
            let capture = CaptureId::from_uuid(Uuid::from_u128(1));
            let aad = Aad { organisation: &organisation, capture, fragment: fragment(1), version: 1 };
            let sealed =
                seal_fragment(&FragmentKey::from_bytes(&key), &aad, Nonce::from_bytes(drawn), &plain).unwrap();
            prop_assert_eq!(sealed.len(), plain.len() + 30);
            let open = |key: &[u8; 32], aad: &[u8], sealed: &[u8]| {
                Cipher::new(key).unwrap().open(aad, sealed).ok().map(|plain| plain.to_vec())
            };
            let bytes = aad.to_bytes();
            prop_assert_eq!(open(&key, &bytes, &sealed[2..]), Some(plain));
            let flip = |bytes: &[u8]| {
                let mut changed = bytes.to_vec();
                let at = bit.index(changed.len() * 8);
                changed[at / 8] ^= 1 << (at % 8);
                changed
            };
            prop_assert_eq!(open(&key, &bytes, &flip(&sealed[2..])), None);
            prop_assert_eq!(open(&key, &flip(&bytes), &sealed[2..]), None);
            prop_assert_eq!(open(&flip(&key).try_into().unwrap(), &bytes, &sealed[2..]), None);
        }
    }
}
