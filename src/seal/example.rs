//! The example in `docs/segment-format.md` is what this room writes.

use super::{
    Aad, Epoch, EpochKey, EpochOf, FragmentKey, MasterKey, MasterVersion, Nonce, SegmentKey, SegmentWriter,
    seal_fragment,
};
use crate::model::{CaptureId, FragmentId, OrganisationId, SegmentId};
use uuid::Uuid;

const DOCUMENT: &str = include_str!("../../docs/segment-format.md");

/// Hexadecimal in lines of 32 bytes.
fn lines(bytes: &[u8]) -> String {
    bytes.chunks(32).map(hex::encode).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_documented_example_is_true() {
    let organisation: OrganisationId = "bzk".parse().unwrap();
    let segment = SegmentId::from_uuid(Uuid::from_u128(4));
    let capture = CaptureId::from_uuid(Uuid::from_u128(3));
    let fragment = FragmentId::from_uuid(Uuid::from_u128(1));
    let (key, above) = (FragmentKey::from_bytes(&[1; 32]), SegmentKey::from_bytes(&[2; 32]));
    let nonce = || Nonce::from_bytes([5; 12]);

    let aad = Aad { organisation: &organisation, capture, fragment, version: 1 };
    let mut writer = SegmentWriter::new(segment);
    writer.add(fragment, &seal_fragment(&key, &aad, nonce(), b"Dag").unwrap()).unwrap();
    let wrapped = above.wrap(&organisation, segment, fragment, &key, nonce()).unwrap();
    let epoch = EpochKey::from_bytes(&[4; 32]);
    let wrapped_above = epoch.wrap(&organisation, Epoch::new(7), segment, &above, nonce()).unwrap();
    let of = EpochOf { organisation: &organisation, master: MasterVersion::new(1), epoch: Epoch::new(7) };
    let wrapped_epoch = MasterKey::from_bytes(&[3; 32]).wrap_epoch(&of, &epoch, nonce()).unwrap();

    let written = writer.finish().bytes;
    for (what, bytes) in [
        ("segment", written.as_slice()),
        ("fragment key", wrapped.as_bytes()),
        ("segment key", wrapped_above.as_bytes()),
        ("epoch key", wrapped_epoch.as_bytes()),
    ] {
        let hex = lines(bytes);
        assert!(DOCUMENT.contains(&hex), "the {what} of the example is\n{hex}");
    }
}
