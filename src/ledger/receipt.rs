//! A receipt: the proof, in one JSON document, that a step stands in the ledger.

use super::{
    Checkpoint, Entry, Hash, LEAF_BYTES_MAX, LedgerError, Origin, VerifierKey, leaf_hash, verify_inclusion,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Why a receipt does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The receipt names another log than the verifier's key: check with that log's key.
    #[error("the receipt is of the log `{given}`, the key of `{expected}`")]
    OtherLog {
        /// What the receipt says.
        given: Origin,
        /// What the key is for.
        expected: Origin,
    },
    /// The checkpoint in it is not signed by the key, or malformed.
    #[error("the receipt's checkpoint does not hold: {0}")]
    Checkpoint(#[source] LedgerError),
    /// The leaf is not in the tree of the checkpoint.
    #[error("the entry does not stand in the tree of the checkpoint")]
    NotInTree,
    /// The leaf stands in the tree, but is not an entry this version can read.
    #[error("the leaf stands in the tree but cannot be read as an entry")]
    Unreadable,
    /// The entry stands in the tree, and does not commit to what is stated.
    #[error("the entry does not commit to this statement")]
    NotStated,
    /// The leaf is not base64 or too long, or the proof is longer than any tree needs.
    #[error("the receipt is malformed")]
    Malformed,
}

/// Proof that a leaf stands in a log, to be given away. Holds no key: whoever verifies brings it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    origin: Origin,
    leaf: String,
    index: u64,
    proof: Vec<Hash>,
    checkpoint: String,
}

/// What a receipt proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry {
    /// The step.
    pub entry: Entry,
    /// Its number in the ledger, from 0.
    pub index: u64,
    /// The signed head it was proved against.
    pub checkpoint: Checkpoint,
}

impl Receipt {
    /// Puts the parts together; checks nothing (verify it before giving it away).
    #[must_use]
    pub fn new(origin: Origin, leaf: &[u8], index: u64, proof: Vec<Hash>, checkpoint: String) -> Self {
        Self { origin, leaf: STANDARD.encode(leaf), index, proof, checkpoint }
    }

    /// Of which log, not yet proved.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The number of the leaf, not yet proved.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Checks signature, tree and form. Says that the step was recorded, not that it was right,
    /// and not that the log shows everyone the same tree: that takes a witness.
    ///
    /// # Errors
    /// [`ReceiptError`], by what does not hold first.
    pub fn verify(&self, key: &VerifierKey) -> Result<VerifiedEntry, ReceiptError> {
        if &self.origin != key.origin() {
            let (given, expected) = (self.origin.clone(), key.origin().clone());
            return Err(ReceiptError::OtherLog { given, expected });
        }
        let checkpoint = Checkpoint::verify(&self.checkpoint, key).map_err(ReceiptError::Checkpoint)?;
        let leaf = self.leaf_bytes().ok_or(ReceiptError::Malformed)?;
        verify_inclusion(&leaf_hash(&leaf), self.index, checkpoint.size(), &self.proof, &checkpoint.root())
            .map_err(|_| ReceiptError::NotInTree)?;
        let entry = Entry::parse(&leaf).map_err(|_| ReceiptError::Unreadable)?;
        Ok(VerifiedEntry { entry, index: self.index, checkpoint })
    }

    fn leaf_bytes(&self) -> Option<Vec<u8>> {
        let sound = self.proof.len() <= 64 && self.leaf.len() <= LEAF_BYTES_MAX.div_ceil(3) * 4;
        sound.then(|| STANDARD.decode(&self.leaf).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::entry::tests::entry;
    use crate::ledger::reference::Shelf;
    use crate::ledger::{Edge, EntryKind, LogKey, inclusion_proof};

    fn key(seed: u8) -> LogKey {
        LogKey::from_seed("knik.example/vault".parse().unwrap(), &[seed; 32]).unwrap()
    }

    /// Receipts of a log with `size` entries, signed with `key(1)`.
    fn receipts(size: u64) -> Vec<(Entry, Receipt)> {
        let entries: Vec<Entry> = (0..size).map(|n| entry(n.into(), EntryKind::ViewServed)).collect();
        let leaves: Vec<Hash> = entries.iter().map(Entry::leaf_hash).collect();
        let made = Edge::new().append(&leaves).unwrap();
        let mut shelf = Shelf::default();
        shelf.put(made.tiles);
        let origin = key(1).verifier().origin().clone();
        let note = Checkpoint::new(origin.clone(), size, made.root).sign(&key(1)).unwrap();
        let receipt = |n: u64, entry: &Entry| {
            let proof = inclusion_proof(size, n, &shelf).unwrap();
            Receipt::new(origin.clone(), &entry.leaf(), n, proof, note.clone())
        };
        (0..).zip(entries).map(|(n, entry)| (entry.clone(), receipt(n, &entry))).collect()
    }

    #[test]
    fn every_receipt_verifies_through_json() {
        for size in [1, 2, 7, 300] {
            for (n, (entry, receipt)) in (0..).zip(receipts(size)) {
                let json = serde_json::to_string(&receipt).unwrap();
                let back: Receipt = serde_json::from_str(&json).unwrap();
                let verified = back.verify(key(1).verifier()).unwrap();
                assert_eq!((verified.entry, verified.index), (entry, n));
                assert_eq!(verified.checkpoint.size(), size);
            }
        }
    }

    #[test]
    fn a_receipt_that_was_changed_does_not_hold() {
        let all = receipts(7);
        let (good, other) = (all[3].1.clone(), all[4].1.clone());
        let cases = [
            Receipt { index: 4, ..good.clone() },
            Receipt { index: 7, ..good.clone() },
            Receipt { leaf: other.leaf.clone(), ..good.clone() },
            Receipt { leaf: "!".into(), ..good.clone() },
            Receipt { proof: other.proof.clone(), ..good.clone() },
            Receipt { proof: vec![Hash::empty(); 65], ..good.clone() },
            Receipt { proof: vec![], ..good.clone() },
            Receipt { checkpoint: receipts(8)[3].1.checkpoint.clone(), ..good.clone() },
            Receipt { checkpoint: good.checkpoint.replace("\n7\n", "\n6\n"), ..good.clone() },
            Receipt { checkpoint: String::new(), ..good.clone() },
            Receipt { origin: "knik.example/other".parse().unwrap(), ..good.clone() },
        ];
        assert!(good.verify(key(1).verifier()).is_ok());
        for (n, bad) in cases.iter().enumerate() {
            assert!(bad.verify(key(1).verifier()).is_err(), "case {n}");
        }
        let error = good.verify(key(2).verifier()).unwrap_err();
        assert_eq!(error, ReceiptError::Checkpoint(LedgerError::NotSigned));
    }

    #[test]
    fn a_leaf_that_is_no_entry_is_said_to_be_unreadable() {
        let root = leaf_hash(b"not an entry");
        let origin = key(1).verifier().origin().clone();
        let note = Checkpoint::new(origin.clone(), 1, root).sign(&key(1)).unwrap();
        let receipt = Receipt::new(origin, b"not an entry", 0, vec![], note);
        assert_eq!(receipt.verify(key(1).verifier()), Err(ReceiptError::Unreadable));
    }
}
