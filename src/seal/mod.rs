//! Sealing: bytes of a capture become envelopes in an immutable segment, and come back only through
//! [`open`] and [`open_system`].
//!
//! Keys stand in a hierarchy: an organisation's **master** key wraps its **epoch** key, that wraps **segment**
//! keys, a segment key wraps the **fragment** keys in it, each fragment key seals one fragment. Wrapped keys never
//! stand in a segment: to destroy one is to destroy the fragment, without touching a byte of the segment. An epoch
//! ends after a destruction: what stands in old copies of the database opens with no key that is left.
//!
//! Invariants:
//! - nothing in this room hands out plaintext of a capture except [`Original`], and only `open` and `open_system`
//!   make one: against a permit, the evidence that the opening is recorded, and the sealed record,
//!   all three for the same record (`open_body` opens the free text of a ledger entry, and by its form nothing else);
//! - the authenticated data binds an envelope to organisation, capture, fragment and format version,
//!   and a wrapped key to organisation, segment and fragment;
//! - every nonce, key and id is drawn by the caller: a fragment key seals once, and a segment key
//!   or master key wraps fewer than 2^32 times, each time under a nonce drawn afresh.
//!
//! What it does not protect against: someone who holds the master key, the epoch key and the key table.
//! `docs/segment-format.md` describes the bytes.

mod aead;
mod body;
mod bound;
mod digest;
#[cfg(test)]
mod example;
mod index;
mod keys;
mod open;
mod original;
mod segment;
mod wrapped;

pub use body::{BodyKeys, open_body, seal_body};
pub use bound::{Aad, ENVELOPE_VERSION};
pub use digest::DigestKey;
pub use index::{ENVELOPE_HEADER_BYTES, IndexEntry, SegmentError, SegmentIndex, TRAILER_BYTES, Trailer};
pub use keys::{
    Epoch, EpochKey, EpochOf, EscrowKey, FragmentKey, KeyError, MasterKey, MasterKeyring, MasterVersion,
    NONCE_BYTES, Nonce, SegmentKey, seal_fragment,
};
pub use open::{OpenError, OpenedBatch, open, open_system};
pub use original::{
    ORIGINAL_BYTES_MAX, Original, OriginalPart, PartLayout, Piece, SealedFragment, SealedOriginal,
};
pub use segment::{SealedSegment, SegmentReader, SegmentWriter};
pub use wrapped::{WrappedKey, WrappedSegmentKey};
