//! The ledger: what happened, append-only and provable, without saying about whom.
//!
//! Entries hold pseudonymous ids, codes, counts and times. Free text about people is a [`Body`]
//! that is sealed elsewhere; an entry only commits to it. Entries are leaves of a Merkle tree
//! (RFC 6962 hashing) kept as C2SP `tlog-tiles`, its head signed as a C2SP checkpoint.
//!
//! Invariants:
//! - a [`Recorded`] exists only for an entry that the journal has committed;
//! - a leaf has one byte form, and a leaf that reads back differently is refused;
//! - verification takes the log's key from whoever verifies, never from what is verified.
//!
//! `docs/ledger-format.md` describes the bytes.

mod body;
mod checkpoint;
mod cosignature;
pub(crate) mod der;
mod edge;
mod entry;
mod error;
#[cfg(test)]
mod example;
mod hash;
mod kind;
mod leaf;
mod note;
mod pending;
mod proof;
mod receipt;
#[cfg(test)]
mod reference;
mod statement;
mod story;
mod story_words;
mod thing;
mod tile;
mod timestamp;

pub use body::{Body, BodyCommitment, Salt};
pub use checkpoint::Checkpoint;
pub use cosignature::{Cosignature, WitnessKey};
pub use edge::{Appended, Edge, append};
pub use entry::{COUNT_MAX, Entry, EntryId, LEAF_BYTES_MAX};
pub use error::LedgerError;
pub use hash::{Hash, leaf_hash, node_hash, root_of};
pub use kind::EntryKind;
pub use note::{LogKey, Origin, VerifierKey};
#[cfg(test)]
pub(crate) use pending::recorded_in_test;
pub use pending::{JournalRow, Pending, Recorded};
pub use proof::{
    consistency_proof, consistency_tiles, inclusion_proof, inclusion_tiles, verify_consistency,
    verify_inclusion,
};
pub use receipt::{Receipt, ReceiptError, VerifiedEntry};
pub use statement::{
    StatementReceipt, VerifiedStatement, content_digest, statement_commitment, statements_root, states,
};
pub use story::{Matter, Placed, Sentence, story};
pub use thing::{Code, Thing};
pub use tile::{
    TILE_WIDTH, Tile, TileReader, TileRef, TileSet, entry_bundle, entry_bundle_leaves, readable_leaves,
};
pub use timestamp::{Authorities, TimestampError, TimestampQuery, Timestamped, timestamp_of};
