//! It wraps one.
use knik::model::{FragmentId, OrganisationId, SegmentId};
use knik::seal::{FragmentKey, Nonce, SegmentKey};

pub fn f(
    key: SegmentKey,
    organisation: &OrganisationId,
    segment: SegmentId,
    fragment: FragmentId,
    inner: &FragmentKey,
) {
    let _ = key.wrap(organisation, segment, fragment, inner, Nonce::from_bytes([0; 12]));
}
