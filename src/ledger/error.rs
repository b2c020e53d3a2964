//! What can go wrong in the ledger, by what the caller can do about it.

use super::Origin;

/// Why the ledger did not do what was asked. Holds positions and lengths, never an entry's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The reader has no such tile: fetch it and try again, or report the log as damaged.
    #[error("tile {level}/{index} of width {width} is not there")]
    TileMissing {
        /// Tile level.
        level: u8,
        /// Tile index in its level.
        index: u64,
        /// Number of hashes wanted.
        width: u16,
    },
    /// A tile has the wrong length: the log's storage is damaged.
    #[error("tile {level}/{index} holds {found} bytes instead of {expected}")]
    TileDamaged {
        /// Tile level.
        level: u8,
        /// Tile index in its level.
        index: u64,
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// A position or size outside the tree: the caller asked for what does not exist.
    #[error("position {position} lies outside a tree of size {size}")]
    Outside {
        /// What was asked for.
        position: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The tree cannot count further than 2^64 - 1.
    #[error("the tree is full")]
    Full,
    /// Stored bytes (an edge, a bundle) are not in the form this room writes.
    #[error("stored {what} is damaged")]
    Damaged {
        /// What was read.
        what: &'static str,
    },
    /// The entry is longer than a leaf may be: split what it is about over several entries.
    #[error("an entry of {bytes} bytes is longer than {max}; split it")]
    EntryTooLong {
        /// Length of the leaf.
        bytes: usize,
        /// The longest leaf.
        max: usize,
    },
    /// The entry does not say what it is being used for: wrong kind, permit or records.
    #[error("the entry does not record this opening: {why}")]
    EntryMismatch {
        /// Which part disagrees.
        why: &'static str,
    },
    /// A count that JSON numbers cannot carry exactly.
    #[error("a count is larger than 2^53 - 1")]
    CountTooLarge,
    /// Bytes that are no entry in its one byte form.
    #[error("the leaf is not an entry in canonical form")]
    NotAnEntry,
    /// A code with characters or a length that are not allowed.
    #[error("code must be 1 to 64 of a-z, 0-9, '.', '_' and '-'")]
    NotACode,
    /// A reference in `about` that is not understood.
    #[error("reference must be a known kind, ':' and an id")]
    NotAThing,
    /// An origin that cannot be a key name.
    #[error("origin `{given}` must be 1 to 128 printable ASCII characters without spaces or '+'")]
    NotAnOrigin {
        /// What was given, cut short.
        given: String,
    },
    /// A verifier key that cannot be read.
    #[error("the verifier key is not `name+hash+base64` of an Ed25519 key")]
    NotAVerifierKey,
    /// A signing key that the cryptographic library refuses.
    #[error("the signing key is not an Ed25519 key")]
    NotASigningKey,
    /// A checkpoint that is not well formed.
    #[error("the checkpoint is malformed: {why}")]
    NotACheckpoint {
        /// Which part.
        why: &'static str,
    },
    /// A checkpoint of another log than the verifier's key is for.
    #[error("the checkpoint is of another log")]
    OtherLog,
    /// A checkpoint whose signature by the verifier's key is missing or false: do not trust it.
    #[error("the checkpoint is not signed by the given key")]
    NotSigned,
    /// A witness key that cannot be read.
    #[error("the witness key is not `name+hash+base64` of a key for cosignatures (type 4)")]
    NotAWitnessKey,
    /// A note without a cosignature of this witness: ask the witness, or name its key.
    #[error("the checkpoint is not cosigned by witness `{witness}`")]
    NotCosigned {
        /// Whose cosignature was looked for.
        witness: Origin,
    },
    /// A cosignature that its witness did not make over this checkpoint: do not trust it.
    #[error("the cosignature of witness `{witness}` is false")]
    FalseCosignature {
        /// Whose it says it is.
        witness: Origin,
    },
    /// A proof that does not lead to the root: do not trust it.
    #[error("the proof does not lead to the root")]
    ProofFails,
}
