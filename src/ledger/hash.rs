//! RFC 6962 section 2.1 hashing: leaves and nodes carry different prefixes.

use super::LedgerError;
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A SHA-256 hash of the tree. Written as standard base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash([u8; 32]);

impl Hash {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Wraps the hash bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The root of the tree without leaves: SHA-256 of nothing.
    #[must_use]
    pub fn empty() -> Self {
        sha256(&[])
    }

    /// Standard base64 with padding.
    #[must_use]
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads what [`to_base64`](Self::to_base64) writes; `None` for anything else.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_base64()
    }
}

impl TryFrom<String> for Hash {
    type Error = LedgerError;
    fn try_from(text: String) -> Result<Self, LedgerError> {
        Self::from_base64(&text).ok_or(LedgerError::Damaged { what: "hash" })
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", self.to_base64())
    }
}

/// Hash of a leaf: SHA-256(0x00 || leaf).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256(&[&[0x00], leaf])
}

/// Hash of an inner node: SHA-256(0x01 || left || right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x01], &left.0, &right.0])
}

/// Root of the tree over these leaf hashes (RFC 6962 MTH). Linear in their number.
///
/// Given the roots of equally high perfect subtrees, it is the root over all their leaves.
#[must_use]
pub fn root_of(leaf_hashes: &[Hash]) -> Hash {
    let mut peaks: Vec<Hash> = Vec::new();
    for (before, leaf) in (0_u64..).zip(leaf_hashes) {
        let mut hash = *leaf;
        for _ in 0..before.trailing_ones() {
            if let Some(left) = peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        peaks.push(hash);
    }
    join_right(peaks.into_iter().rev()).unwrap_or_else(Hash::empty)
}

/// Joins peaks given from the rightmost to the leftmost.
pub(super) fn join_right(from_right: impl Iterator<Item = Hash>) -> Option<Hash> {
    from_right.reduce(|right, left| node_hash(&left, &right))
}

/// SHA-256 of the parts one after another.
pub(super) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    Hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::reference::{naive_root, numbered};

    /// Leaves and roots of the reference test of Certificate Transparency
    /// (google/certificate-transparency, `merkletree/merkle_tree_test.cc`).
    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let leaves: [&str; 8] = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect();
        for (n, root) in (1..).zip(roots) {
            assert_eq!(hex::encode(root_of(&hashes[..n]).as_bytes()), root, "size {n}");
        }
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex::encode(root_of(&[]).as_bytes()), empty);
    }

    #[test]
    fn root_equals_the_recursive_definition() {
        let leaves = numbered(600);
        for size in 0..=600 {
            assert_eq!(root_of(&leaves[..size]), naive_root(&leaves[..size]), "size {size}");
        }
    }

    #[test]
    fn base64_reads_back_and_refuses_other_lengths() {
        let hash = Hash::empty();
        assert_eq!(Hash::from_base64(&hash.to_base64()), Some(hash));
        for bad in ["", "AAAA", "!", &format!("{}=", hash.to_base64())] {
            assert_eq!(Hash::from_base64(bad), None, "{bad}");
        }
    }
}
