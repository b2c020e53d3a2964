//! Bodies of ledger entries: free text about people, sealed apart from the entry and erasable by itself.
//!
//! A body is sealed under a key of its own with the entry's id in the place of segment, capture and fragment. No fragment of
//! a capture has that form (its three ids are drawn apart), so that nothing here opens an original.

use super::open::{OpenError, unseal_fragment};
use super::{
    Aad, ENVELOPE_VERSION, FragmentKey, KeyError, MasterKeyring, Nonce, SealedFragment, SegmentKey,
    WrappedKey, WrappedSegmentKey, seal_fragment,
};
use crate::model::{CaptureId, FragmentId, OrganisationId, SegmentId};
use bytes::Bytes;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// What a body is sealed with: drawn by the caller, used once.
#[derive(Debug)]
pub struct BodyKeys {
    /// The key above.
    pub segment: SegmentKey,
    /// The key that seals.
    pub fragment: FragmentKey,
    /// A nonce for each of the three boxes.
    pub nonces: [Nonce; 3],
}

/// Seals a body of `entry`. Form: wrapped segment key, wrapped fragment key, envelope.
///
/// # Errors
/// When the keyring has no key of the organisation, or refuses.
pub fn seal_body(
    keyring: &dyn MasterKeyring,
    organisation: &OrganisationId,
    entry: Uuid,
    keys: BodyKeys,
    plain: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let [above, within, own] = keys.nonces;
    let (segment, fragment) = (SegmentId::from_uuid(entry), FragmentId::from_uuid(entry));
    let wrapped_above = keyring.wrap_segment_key(organisation, segment, &keys.segment, above)?;
    let wrapped = keys.segment.wrap(organisation, segment, fragment, &keys.fragment, within)?;
    let capture = CaptureId::from_uuid(entry);
    let aad = Aad { organisation, capture, fragment, version: ENVELOPE_VERSION };
    let sealed = seal_fragment(&keys.fragment, &aad, own, plain)?;
    Ok([wrapped_above.as_bytes(), wrapped.as_bytes(), sealed.as_slice()].concat())
}

/// Opens the body of `entry` of this organisation.
///
/// # Errors
/// When its key does not unwrap, or it is not the body of that entry.
pub fn open_body(
    keyring: &dyn MasterKeyring,
    organisation: &OrganisationId,
    entry: Uuid,
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let key = |source| OpenError::Key { position: 0, source };
    let (segment, fragment) = (SegmentId::from_uuid(entry), FragmentId::from_uuid(entry));
    let (above, rest) = WrappedSegmentKey::split_from(body).map_err(key)?;
    let (wrapped, sealed) =
        rest.split_at_checked(WrappedKey::LEN).ok_or(OpenError::Altered { position: 0 })?;
    let segment_key = keyring.unwrap_segment_key(organisation, segment, &above).map_err(key)?;
    let sealed = SealedFragment {
        fragment,
        segment,
        segment_key: Arc::new(segment_key),
        key: WrappedKey::from_bytes(wrapped).map_err(key)?,
        sealed: Bytes::copy_from_slice(sealed),
    };
    unseal_fragment(organisation, CaptureId::from_uuid(entry), 0, &sealed)
}
