//! RFC 6962 written straight from its definitions, to test against. Slow on purpose.

use super::{Hash, LedgerError, Tile, TileReader, leaf_hash, node_hash};
use std::collections::HashMap;

/// `count` leaf hashes that all differ.
pub(crate) fn numbered(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// MTH of RFC 6962 section 2.1.
pub(crate) fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(split(many.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 section 2.1.1.
pub(crate) fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) =
        if m < k { (naive_path(m, left), right) } else { (naive_path(m - k, right), left) };
    path.push(naive_root(sibling));
    path
}

/// SUBPROOF of RFC 6962 section 2.1.2; call with `whole = true`.
pub(crate) fn naive_consistency(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if m <= k {
        (naive_consistency(m, left, whole), right)
    } else {
        (naive_consistency(m - k, right, false), left)
    };
    proof.push(naive_root(sibling));
    proof
}

/// Tiles in memory.
#[derive(Default)]
pub(crate) struct Shelf(pub(crate) HashMap<(u8, u64, u16), Vec<u8>>);

impl Shelf {
    pub(crate) fn put(&mut self, tiles: Vec<Tile>) {
        for tile in tiles {
            self.0.insert((tile.at.level, tile.at.index, tile.at.width), tile.bytes);
        }
    }
}

impl TileReader for Shelf {
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, LedgerError> {
        self.0.get(&(level, index, width)).cloned().ok_or(LedgerError::TileMissing { level, index, width })
    }
}
