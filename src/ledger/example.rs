//! The example in `docs/ledger-format.md` holds, and every kind stands there.

use super::{Entry, EntryKind, LogKey, Receipt, VerifierKey};

const DOCUMENT: &str = include_str!("../../docs/ledger-format.md");

/// The fenced blocks of the document, in order.
fn blocks() -> Vec<&'static str> {
    let fenced = DOCUMENT.split("```").skip(1).step_by(2);
    fenced.map(|block| block.trim_start_matches("json").trim()).collect()
}

#[test]
fn the_documented_receipt_verifies() {
    let [key, receipt, leaf] = blocks()[..] else { panic!("three blocks") };
    let key: VerifierKey = key.parse().unwrap();
    let seeded = LogKey::from_seed("knik.example/vault".parse().unwrap(), &[1; 32]).unwrap();
    assert_eq!(&key, seeded.verifier());
    let receipt: Receipt = serde_json::from_str(receipt).unwrap();
    let verified = receipt.verify(&key).unwrap();
    assert_eq!(verified.entry, Entry::parse(leaf.as_bytes()).unwrap());
    assert_eq!((verified.index, verified.checkpoint.size()), (1, 3));
    assert_eq!(verified.entry.kind(), EntryKind::DisclosureIntended);
}

#[test]
fn every_kind_is_documented() {
    for kind in EntryKind::ALL {
        assert!(DOCUMENT.contains(&format!("`{}`", kind.as_str())), "{}", kind.as_str());
    }
}
