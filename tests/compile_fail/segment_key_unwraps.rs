// error: E0624
//! Outside `seal` a segment key gives no fragment key.
use knik::model::{FragmentId, OrganisationId, SegmentId};
use knik::seal::{SegmentKey, WrappedKey};

pub fn f(
    key: SegmentKey,
    organisation: &OrganisationId,
    segment: SegmentId,
    fragment: FragmentId,
    wrapped: &WrappedKey,
) {
    let _ = key.unwrap(organisation, segment, fragment, wrapped);
}
