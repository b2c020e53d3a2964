//! Authenticated data: what a ciphertext is bound to, each part behind its length.

use crate::model::{CaptureId, FragmentId, OrganisationId, SegmentId};

/// Version of the envelope's form, its first two bytes.
pub const ENVELOPE_VERSION: u16 = 1;

/// What an envelope is bound to. With any of it different the envelope does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aad<'a> {
    /// Whose it is.
    pub organisation: &'a OrganisationId,
    /// From which capture.
    pub capture: CaptureId,
    /// Which fragment of it.
    pub fragment: FragmentId,
    /// The envelope's version: [`ENVELOPE_VERSION`] when sealing.
    pub version: u16,
}

impl Aad<'_> {
    /// The bytes: label, organisation, capture, fragment, version, each behind its length.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(&[
            b"knik/fragment",
            self.organisation.as_str().as_bytes(),
            self.capture.as_bytes(),
            self.fragment.as_bytes(),
            &self.version.to_be_bytes(),
        ])
    }
}

/// What a wrapped fragment key is bound to.
pub(super) fn fragment_key_aad(
    organisation: &OrganisationId,
    segment: SegmentId,
    fragment: FragmentId,
) -> Vec<u8> {
    let organisation = organisation.as_str().as_bytes();
    encode(&[b"knik/fragment-key", organisation, segment.as_bytes(), fragment.as_bytes()])
}

/// What an epoch key under a master key is bound to.
pub(super) fn epoch_key_aad(organisation: &OrganisationId, master: u32, epoch: u32) -> Vec<u8> {
    let organisation = organisation.as_str().as_bytes();
    encode(&[b"knik/epoch-key", organisation, &master.to_be_bytes(), &epoch.to_be_bytes()])
}

/// What a master key in escrow is bound to.
pub(super) fn escrow_aad(organisation: &OrganisationId, version: u32) -> Vec<u8> {
    encode(&[b"knik/escrow", organisation.as_str().as_bytes(), &version.to_be_bytes()])
}

/// What the key files of a backup are bound to: the description of the backup that they go with.
pub(super) fn key_files_aad(manifest: &[u8; 32]) -> Vec<u8> {
    encode(&[b"knik/backup-keys", manifest])
}

/// What a segment key under an epoch key is bound to.
pub(super) fn epoch_segment_key_aad(
    organisation: &OrganisationId,
    epoch: u32,
    segment: SegmentId,
) -> Vec<u8> {
    let organisation = organisation.as_str().as_bytes();
    encode(&[b"knik/segment-key-2", organisation, &epoch.to_be_bytes(), segment.as_bytes()])
}

/// What a segment key under a master key is bound to, as before there were epochs.
pub(super) fn segment_key_aad(organisation: &OrganisationId, segment: SegmentId) -> Vec<u8> {
    encode(&[b"knik/segment-key", organisation.as_str().as_bytes(), segment.as_bytes()])
}

/// Every part behind its length as a big-endian `u64`: no two lists of parts give the same bytes.
pub(super) fn encode(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&length_prefix(part));
        bytes.extend_from_slice(part);
    }
    bytes
}

fn length_prefix(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_parts_are_encoded_alike() {
        let lists: [&[&[u8]]; 7] =
            [&[], &[b""], &[b"", b""], &[b"ab"], &[b"a", b"b"], &[b"", b"ab"], &[b"\0\0\0\0\0\0\0\0"]];
        for (n, one) in lists.iter().enumerate() {
            for other in &lists[n + 1..] {
                assert_ne!(encode(one), encode(other));
            }
        }
    }

    #[test]
    fn the_aad_is_as_documented() {
        let aad = Aad {
            organisation: &"bzk".parse().unwrap(),
            capture: CaptureId::from_uuid(uuid::Uuid::from_u128(1)),
            fragment: FragmentId::from_uuid(uuid::Uuid::from_u128(2)),
            version: 1,
        };
        let expected = concat!(
            "000000000000000d",
            "6b6e696b2f667261676d656e74",
            "0000000000000003",
            "627a6b",
            "0000000000000010",
            "00000000000000000000000000000001",
            "0000000000000010",
            "00000000000000000000000000000002",
            "0000000000000002",
            "0001",
        );
        assert_eq!(hex::encode(aad.to_bytes()), expected);
    }
}
