//! Many statements under one entry: the entry holds the root of a tree over them, each salted, so that one of them can be
//! proved without telling the others.

use super::hash::{leaf_hash, sha256};
use super::proof::root_by;
use super::{
    Edge, Hash, LedgerError, Receipt, ReceiptError, TileSet, VerifiedEntry, VerifierKey, inclusion_proof,
    root_of,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Write as _;

/// What an entry keeps of one statement: the hash of a leaf that is salt || canonical JSON. Without the salt a statement of
/// few possible values could be guessed from it.
#[must_use]
pub fn statement_commitment(salt: &[u8], statement: &Value) -> Hash {
    let mut leaf = salt.to_vec();
    leaf.extend_from_slice(canonical(statement).as_bytes());
    leaf_hash(&leaf)
}

/// What an entry holds of these commitments, in their order: SHA-256(0x02 || how many, 8 bytes || root of the tree over them). The
/// root alone does not say how many there are: paths of trees of several sizes lead to it.
#[must_use]
pub fn statements_root(commitments: &[Hash]) -> Hash {
    counted(commitments.len() as u64, &root_of(commitments))
}

/// Whether an entry that holds this root committed to these statements and no others. Entries from before the count was part of the
/// root hold the bare one.
#[must_use]
pub fn states(root: Hash, commitments: &[Hash]) -> bool {
    root == statements_root(commitments) || root == root_of(commitments)
}

fn counted(size: u64, root: &Hash) -> Hash {
    sha256(&[&[0x02], &size.to_be_bytes(), root.as_bytes()])
}

/// SHA-256 of what a file states, as canonical JSON: layout and comments of the file do not change it.
#[must_use]
pub fn content_digest(content: &Value) -> Hash {
    sha256(&[canonical(content).as_bytes()])
}

/// Proof that a statement was committed to by an entry of the ledger, to be given away. Holds no key: whoever verifies brings it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatementReceipt {
    statement: Value,
    salt: String,
    index: u64,
    size: u64,
    proof: Vec<Hash>,
    receipt: Receipt,
}

/// What such a receipt proves.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedStatement {
    /// What was stated.
    pub statement: Value,
    /// The entry that committed to it.
    pub entry: VerifiedEntry,
    /// Whether the entry commits to how many statements there are. Those of before did not: then `index` and `size` are only
    /// what the receipt says.
    pub counted: bool,
}

impl StatementReceipt {
    /// Puts the parts together: the statement stands at `index` among the `commitments` of the entry.
    ///
    /// # Errors
    /// [`LedgerError`] when there is no such place among them.
    pub fn new(
        statement: Value,
        salt: &[u8],
        index: u64,
        commitments: &[Hash],
        receipt: Receipt,
    ) -> Result<Self, LedgerError> {
        let made = Edge::new().append(commitments)?;
        let mut tiles = TileSet::default();
        for tile in made.tiles {
            tiles.put(tile.at.level, tile.at.index, tile.bytes);
        }
        let proof = inclusion_proof(made.size, index, &tiles)?;
        Ok(Self { statement, salt: STANDARD.encode(salt), index, size: made.size, proof, receipt })
    }

    /// Checks salt, statement, both trees and the signature. Says that this was stated, not that it was right.
    ///
    /// # Errors
    /// [`ReceiptError`], by what does not hold first.
    pub fn verify(&self, key: &VerifierKey) -> Result<VerifiedStatement, ReceiptError> {
        let entry = self.receipt.verify(key)?;
        let salt = STANDARD.decode(&self.salt).map_err(|_| ReceiptError::Malformed)?;
        if self.proof.len() > 64 {
            return Err(ReceiptError::Malformed);
        }
        let root = entry.entry.statements().ok_or(ReceiptError::NotStated)?;
        let commitment = statement_commitment(&salt, &self.statement);
        let led = root_by(&commitment, self.index, self.size, &self.proof);
        let led = led.map_err(|_| ReceiptError::NotStated)?;
        let counted = counted(self.size, &led) == root;
        if !counted && led != root {
            return Err(ReceiptError::NotStated);
        }
        Ok(VerifiedStatement { statement: self.statement.clone(), entry, counted })
    }
}

/// JSON with sorted keys and no white space (RFC 8785 for what has ASCII keys and whole numbers).
fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(&mut out, value);
    out
}

/// As deep as the value is; what is read from text is at most 128 deep.
fn write_canonical(out: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (at, (name, value)) in fields.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                let _never = write!(out, "{}:", Value::String(name.clone()));
                write_canonical(out, value);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, value) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_canonical(out, value);
            }
            out.push(']');
        }
        plain => {
            let _never = write!(out, "{plain}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::entry::tests::entry;
    use crate::ledger::{Checkpoint, EntryKind, LogKey};
    use serde_json::json;

    fn key() -> LogKey {
        LogKey::from_seed("knik.example/vault".parse().unwrap(), &[1; 32]).unwrap()
    }

    fn statement(n: usize) -> Value {
        json!({ "record": format!("r-{n}"), "outcome": "archive", "path": [{ "step": "question", "permille": 970 }] })
    }

    /// The receipts of `size` statements under one entry, which is the only leaf of its log.
    fn receipts(size: usize) -> Vec<StatementReceipt> {
        receipts_of(size, statements_root)
    }

    fn receipts_of(size: usize, root: fn(&[Hash]) -> Hash) -> Vec<StatementReceipt> {
        let commitments: Vec<Hash> = (0..size)
            .map(|n| statement_commitment(&[u8::try_from(n % 256).unwrap(); 16], &statement(n)))
            .collect();
        let stated = entry(1, EntryKind::DecisionMade).stating(root(&commitments));
        let (origin, leaf) = (key().verifier().origin().clone(), stated.leaf());
        let note = Checkpoint::new(origin.clone(), 1, stated.leaf_hash()).sign(&key()).unwrap();
        let receipt = Receipt::new(origin, &leaf, 0, vec![], note);
        let of = |n: usize| {
            let salt = [u8::try_from(n % 256).unwrap(); 16];
            StatementReceipt::new(statement(n), &salt, n as u64, &commitments, receipt.clone()).unwrap()
        };
        (0..size).map(of).collect()
    }

    #[test]
    fn every_statement_of_an_entry_is_proved_through_json() {
        for size in [1, 2, 7, 300] {
            for (n, receipt) in receipts(size).iter().enumerate() {
                let text = serde_json::to_string_pretty(receipt).unwrap();
                let back: StatementReceipt = serde_json::from_str(&text).unwrap();
                let verified = back.verify(key().verifier()).unwrap();
                assert_eq!(verified.statement, statement(n));
                assert_eq!(verified.entry.index, 0);
            }
        }
    }

    #[test]
    fn a_statement_that_was_changed_is_not_proved() {
        let all = receipts(7);
        let good = all[3].clone();
        let other = json!({ "record": "r-3", "outcome": "do_not_archive", "path": [] });
        let cases = [
            StatementReceipt { statement: other, ..good.clone() },
            StatementReceipt { salt: all[4].salt.clone(), ..good.clone() },
            StatementReceipt { salt: "!".into(), ..good.clone() },
            StatementReceipt { index: 4, ..good.clone() },
            StatementReceipt { size: 3, ..good.clone() },
            StatementReceipt { proof: all[4].proof.clone(), ..good.clone() },
            StatementReceipt { proof: vec![Hash::empty(); 65], ..good.clone() },
            StatementReceipt { receipt: receipts(8)[3].receipt.clone(), ..good.clone() },
        ];
        assert!(good.verify(key().verifier()).is_ok());
        for (n, bad) in cases.iter().enumerate() {
            assert!(bad.verify(key().verifier()).is_err(), "case {n}");
        }
    }

    #[test]
    fn how_many_there_are_is_proved_too() {
        let good = receipts(23)[7].clone();
        assert!(good.verify(key().verifier()).unwrap().counted);
        for size in (8..200).filter(|size| *size != 23) {
            let bad = StatementReceipt { size, ..good.clone() };
            assert_eq!(bad.verify(key().verifier()), Err(ReceiptError::NotStated), "{size}");
        }
        // Entries of before commit to the root alone: their receipts hold, and say so.
        let earlier = receipts_of(23, root_of)[7].clone();
        let verified = earlier.verify(key().verifier()).unwrap();
        assert_eq!((verified.counted, verified.statement), (false, statement(7)));
        let changed = StatementReceipt { statement: statement(8), ..earlier };
        assert_eq!(changed.verify(key().verifier()), Err(ReceiptError::NotStated));
    }

    #[test]
    fn an_entry_that_states_nothing_proves_nothing() {
        let good = receipts(1).remove(0);
        let silent = entry(1, EntryKind::DecisionMade);
        let origin = key().verifier().origin().clone();
        let note = Checkpoint::new(origin.clone(), 1, silent.leaf_hash()).sign(&key()).unwrap();
        let receipt = Receipt::new(origin, &silent.leaf(), 0, vec![], note);
        let bad = StatementReceipt { receipt, ..good };
        assert_eq!(bad.verify(key().verifier()), Err(ReceiptError::NotStated));
    }

    #[test]
    fn the_form_that_is_hashed_does_not_depend_on_the_order_of_keys() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"d":null,"c":"é\n"}],"a":true}"#).unwrap();
        assert_eq!(canonical(&one), "{\"a\":true,\"b\":[1,{\"c\":\"é\\n\",\"d\":null}]}");
        let other: Value =
            serde_json::from_str(r#"{ "a": true, "b": [1, {"c": "é\n", "d": null}] }"#).unwrap();
        assert_eq!(content_digest(&one), content_digest(&other));
        assert_ne!(content_digest(&one), content_digest(&json!({ "a": true })));
    }

    #[test]
    fn an_entry_states_what_it_holds_with_its_count_or_as_before_without() {
        let some: Vec<Hash> = (0..5).map(|n| leaf_hash(&[n])).collect();
        assert!(states(statements_root(&some), &some) && states(root_of(&some), &some));
        assert!(!states(statements_root(&some), &some[..4]) && !states(root_of(&some), &some[..4]));
    }
}
