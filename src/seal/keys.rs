//! The key hierarchy. Keys wipe themselves, are not `Clone`, and show nothing.

use super::aead::{Cipher, NONCE};
use super::bound::{
    epoch_key_aad, epoch_segment_key_aad, escrow_aad, fragment_key_aad, key_files_aad, segment_key_aad,
};
use super::wrapped::{WrappedKey, WrappedSegmentKey, unwrap, unwrap_from_epoch, wrap, wrap_in_epoch};
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

    /// Its bytes, for a provider that seals elsewhere.
    #[must_use]
    pub const fn into_bytes(self) -> [u8; NONCE_BYTES] {
        self.0
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
    #[error("there is no master key of organisation `{organisation}`; make or recover it: knik keys status")]
    NoMaster {
        /// Which organisation.
        organisation: OrganisationId,
    },
    /// The epoch key that wrapped it is not there: destroyed with what it wrapped, or lost.
    #[error("epoch key {epoch} of organisation `{organisation}` is not there: what it wrapped is destroyed")]
    NoEpoch {
        /// Which organisation.
        organisation: OrganisationId,
        /// Which epoch.
        epoch: Epoch,
    },
    /// The provider of master keys cannot be reached now, or refused: try again later.
    #[error(
        "the provider of master keys cannot be reached or refused; nothing was done, try again when it is back"
    )]
    Unavailable,
    /// The cryptographic library refused a key or length that it should take.
    #[error("the cryptographic library refused")]
    Refused,
}

macro_rules! key_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// By its number.
            #[must_use]
            pub const fn new(number: u32) -> Self {
                Self(number)
            }

            /// Its number.
            #[must_use]
            pub const fn number(self) -> u32 {
                self.0
            }

            /// The one after it.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

key_number!(
    /// Which version of an organisation's master key, from 1.
    MasterVersion
);
key_number!(
    /// The number of an epoch key, from 1: of one installation no two have the same.
    Epoch
);

/// What a wrapped epoch key is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochOf<'a> {
    /// Whose it is.
    pub organisation: &'a OrganisationId,
    /// Which master key wraps it.
    pub master: MasterVersion,
    /// Its number.
    pub epoch: Epoch,
}

impl EpochOf<'_> {
    /// The authenticated data.
    #[must_use]
    pub fn aad(&self) -> Vec<u8> {
        epoch_key_aad(self.organisation, self.master.number(), self.epoch.number())
    }
}

/// Unwraps and wraps segment keys under the epoch keys of an organisation, which it does not show.
pub trait MasterKeyring: Send + Sync {
    /// Wraps a fresh segment key under the epoch key in force.
    ///
    /// # Errors
    /// [`KeyError::NoMaster`], [`KeyError::Unavailable`], [`KeyError::Refused`].
    fn wrap_segment_key(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        key: &SegmentKey,
        nonce: Nonce,
    ) -> Result<WrappedSegmentKey, KeyError>;

    /// Unwraps a segment key; only of this organisation and segment.
    ///
    /// # Errors
    /// Any [`KeyError`].
    fn unwrap_segment_key(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        wrapped: &WrappedSegmentKey,
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
    /// An organisation's key: wraps its epoch keys, seals nothing itself.
    MasterKey
);
key!(
    /// The key of an epoch of an organisation: wraps its segment keys. It lives in a file of its own outside the
    /// database, wrapped by the master key, and can be destroyed there when its epoch ends.
    EpochKey
);
key!(
    /// The key of an escrow: wraps master keys for safekeeping, outside the archive.
    EscrowKey
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
    /// Wraps an epoch key.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn wrap_epoch(&self, of: &EpochOf<'_>, key: &EpochKey, nonce: Nonce) -> Result<WrappedKey, KeyError> {
        wrap(&self.0, &of.aad(), &key.0, nonce)
    }

    /// Unwraps an epoch key of this organisation, master key and number.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`], [`KeyError::Refused`].
    pub fn unwrap_epoch(&self, of: &EpochOf<'_>, wrapped: &WrappedKey) -> Result<EpochKey, KeyError> {
        Ok(EpochKey::from_bytes(&*unwrap(&self.0, &of.aad(), wrapped)?))
    }

    /// Wraps a segment key as archives did that have no epochs. Written by nothing any more; read until rewrapped.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn wrap_without_epoch(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        key: &SegmentKey,
        nonce: Nonce,
    ) -> Result<WrappedKey, KeyError> {
        wrap(&self.0, &segment_key_aad(organisation, segment), &key.0, nonce)
    }

    /// Unwraps a segment key of an archive that has no epochs.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`], [`KeyError::Refused`].
    pub fn unwrap_without_epoch(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        wrapped: &WrappedKey,
    ) -> Result<SegmentKey, KeyError> {
        let key = unwrap(&self.0, &segment_key_aad(organisation, segment), wrapped)?;
        Ok(SegmentKey::from_bytes(&key))
    }

    /// The key itself, for its file and for escrow.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl EscrowKey {
    /// Wraps a master key for safekeeping.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn wrap(
        &self,
        organisation: &OrganisationId,
        version: MasterVersion,
        key: &MasterKey,
        nonce: Nonce,
    ) -> Result<WrappedKey, KeyError> {
        wrap(&self.0, &escrow_aad(organisation, version.number()), &key.0, nonce)
    }

    /// Unwraps a master key of this organisation and version.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`], [`KeyError::Refused`].
    pub fn unwrap(
        &self,
        organisation: &OrganisationId,
        version: MasterVersion,
        wrapped: &WrappedKey,
    ) -> Result<MasterKey, KeyError> {
        let aad = escrow_aad(organisation, version.number());
        Ok(MasterKey::from_bytes(&*unwrap(&self.0, &aad, wrapped)?))
    }

    /// Seals key files that go into a backup, bound to the SHA-256 of its description.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn seal_files(&self, manifest: &[u8; 32], files: &[u8], nonce: Nonce) -> Result<Vec<u8>, KeyError> {
        Cipher::new(&self.0)?.seal(&[], nonce, &key_files_aad(manifest), files)
    }

    /// Opens key files that go with this description of a backup.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`], [`KeyError::Refused`].
    pub fn open_files(&self, manifest: &[u8; 32], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let opened = Cipher::new(&self.0)?.open(&key_files_aad(manifest), sealed);
        opened.map_err(|_does_not_open| KeyError::Mismatch)
    }
}

impl EpochKey {
    /// Wraps a segment key in this epoch.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub fn wrap(
        &self,
        organisation: &OrganisationId,
        epoch: Epoch,
        segment: SegmentId,
        key: &SegmentKey,
        nonce: Nonce,
    ) -> Result<WrappedSegmentKey, KeyError> {
        let aad = epoch_segment_key_aad(organisation, epoch.number(), segment);
        wrap_in_epoch(&self.0, epoch, &aad, &key.0, nonce)
    }

    /// Unwraps a segment key of this organisation, epoch and segment.
    ///
    /// # Errors
    /// [`KeyError::Form`] for one that no epoch wrapped, [`KeyError::Mismatch`], [`KeyError::Refused`].
    pub fn unwrap(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        wrapped: &WrappedSegmentKey,
    ) -> Result<SegmentKey, KeyError> {
        let epoch = wrapped.epoch().ok_or(KeyError::Form)?;
        let aad = epoch_segment_key_aad(organisation, epoch.number(), segment);
        Ok(SegmentKey::from_bytes(&*unwrap_from_epoch(&self.0, &aad, wrapped)?))
    }

    /// The key itself, for a provider that wraps it.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
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

    /// Confirms that the wrapped key of a fragment opens under this one, and is of that fragment. Nothing of it is given out.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`], [`KeyError::Refused`].
    pub fn confirm(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        fragment: FragmentId,
        wrapped: &WrappedKey,
    ) -> Result<(), KeyError> {
        self.unwrap(organisation, segment, fragment, wrapped).map(drop)
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
        let of = |organisation, master, epoch| EpochOf {
            organisation,
            master: MasterVersion::new(master),
            epoch: Epoch::new(epoch),
        };
        let epoch = EpochKey::from_bytes(&[8; 32]);
        let wrapped = master.wrap_epoch(&of(&org, 1, 3), &epoch, nonce()).unwrap();
        assert_eq!(master.unwrap_epoch(&of(&org, 1, 3), &wrapped).unwrap().0, epoch.0);
        for refused in [of(&other, 1, 3), of(&org, 2, 3), of(&org, 1, 4)] {
            assert_eq!(master.unwrap_epoch(&refused, &wrapped).unwrap_err(), KeyError::Mismatch);
        }
        let key = SegmentKey::from_bytes(&[2; 32]);
        let wrapped = epoch.wrap(&org, Epoch::new(3), segment(1), &key, nonce()).unwrap();
        assert_eq!((wrapped.epoch(), wrapped.as_bytes().len()), (Some(Epoch::new(3)), 65));
        assert_eq!(epoch.unwrap(&org, segment(1), &wrapped).unwrap().0, key.0);
        for refused in [
            epoch.unwrap(&other, segment(1), &wrapped),
            epoch.unwrap(&org, segment(2), &wrapped),
            EpochKey::from_bytes(&[9; 32]).unwrap(&org, segment(1), &wrapped),
        ] {
            assert_eq!(refused.unwrap_err(), KeyError::Mismatch);
        }
        let old = master.wrap_without_epoch(&org, segment(1), &key, nonce()).unwrap();
        assert_eq!(master.unwrap_without_epoch(&org, segment(1), &old).unwrap().0, key.0);
        assert_eq!(WrappedSegmentKey::from(old.clone()).epoch(), None);
        assert_eq!(epoch.unwrap(&org, segment(1), &old.into()).unwrap_err(), KeyError::Form);
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
        let epoch = EpochKey::from_bytes(&[1; 32]);
        let wrapped =
            epoch.wrap(&org, Epoch::new(7), segment(1), &SegmentKey::from_bytes(&[2; 32]), nonce()).unwrap();
        for bit in 0..WrappedSegmentKey::LEN * 8 {
            let mut bytes = wrapped.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let refused =
                WrappedSegmentKey::from_bytes(&bytes).and_then(|key| epoch.unwrap(&org, segment(1), &key));
            assert!(refused.is_err(), "bit {bit}");
        }
        for length in [0, 60, 62] {
            assert_eq!(WrappedKey::from_bytes(&vec![1; length]), Err(KeyError::Form));
            assert!(WrappedSegmentKey::from_bytes(&vec![2; length + 4]).is_err());
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
