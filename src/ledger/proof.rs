//! Proofs: that a leaf stands in a tree, and that one tree continues another (RFC 6962 2.1, RFC 9162 2.1).

use super::hash::join_right;
use super::tile::read_tile;
use super::{Hash, LedgerError, TILE_WIDTH, TileReader, TileRef, node_hash, root_of};
use std::collections::BTreeSet;

/// The audit path of leaf `index` in the tree of `size` leaves, deepest first.
///
/// # Errors
/// [`LedgerError::Outside`], or whatever `reader` reports.
pub fn inclusion_proof(size: u64, index: u64, reader: &dyn TileReader) -> Result<Vec<Hash>, LedgerError> {
    hashes_of(&inclusion_ranges(size, index)?, size, reader)
}

/// The tiles [`inclusion_proof`] reads.
///
/// # Errors
/// [`LedgerError::Outside`].
pub fn inclusion_tiles(size: u64, index: u64) -> Result<BTreeSet<TileRef>, LedgerError> {
    Ok(tiles_of(&inclusion_ranges(size, index)?, size))
}

/// The proof that the tree of `size` leaves continues the one of `earlier` leaves.
/// Empty when `earlier` is 0 or `size`.
///
/// # Errors
/// [`LedgerError::Outside`] when `earlier` is the larger, or whatever `reader` reports.
pub fn consistency_proof(earlier: u64, size: u64, reader: &dyn TileReader) -> Result<Vec<Hash>, LedgerError> {
    hashes_of(&consistency_ranges(earlier, size)?, size, reader)
}

/// The tiles [`consistency_proof`] reads.
///
/// # Errors
/// [`LedgerError::Outside`].
pub fn consistency_tiles(earlier: u64, size: u64) -> Result<BTreeSet<TileRef>, LedgerError> {
    Ok(tiles_of(&consistency_ranges(earlier, size)?, size))
}

/// Checks that `leaf` is leaf number `index` of the tree with this size and root (RFC 9162 2.1.3.2).
///
/// # Errors
/// [`LedgerError::ProofFails`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), LedgerError> {
    if root_by(leaf, index, size, proof)? == *root { Ok(()) } else { Err(LedgerError::ProofFails) }
}

/// The root that a proof leads to from a leaf.
///
/// # Errors
/// [`LedgerError::ProofFails`] when it has more or fewer steps than a tree of this size.
pub(super) fn root_by(leaf: &Hash, index: u64, size: u64, proof: &[Hash]) -> Result<Hash, LedgerError> {
    if index >= size {
        return Err(LedgerError::ProofFails);
    }
    let mut climb = Climb { left: index, last: size - 1 };
    let mut hash = *leaf;
    for step in proof {
        hash = match climb.step()? {
            Side::Left => node_hash(step, &hash),
            Side::Right => node_hash(&hash, step),
        };
    }
    if climb.last == 0 { Ok(hash) } else { Err(LedgerError::ProofFails) }
}

/// Checks that the tree with `size` and `root` continues the one with `earlier` and `earlier_root`
/// (RFC 9162 2.1.4.2). Every tree continues the empty one.
///
/// # Errors
/// [`LedgerError::ProofFails`].
pub fn verify_consistency(
    earlier: u64,
    earlier_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), LedgerError> {
    let holds = match earlier {
        _ if earlier > size => false,
        0 => proof.is_empty() && *earlier_root == Hash::empty() && (size > 0 || root == earlier_root),
        _ if earlier == size => proof.is_empty() && earlier_root == root,
        _ => {
            let grown = grow(earlier, earlier_root, size, proof)?;
            grown == (*earlier_root, *root)
        }
    };
    if holds { Ok(()) } else { Err(LedgerError::ProofFails) }
}

/// The two roots a consistency proof leads to, for 0 < earlier < size.
fn grow(earlier: u64, earlier_root: &Hash, size: u64, proof: &[Hash]) -> Result<(Hash, Hash), LedgerError> {
    let (start, steps) = if earlier.is_power_of_two() {
        (*earlier_root, proof)
    } else {
        let (first, steps) = proof.split_first().ok_or(LedgerError::ProofFails)?;
        (*first, steps)
    };
    let whole = (earlier - 1).trailing_ones();
    let mut climb = Climb { left: (earlier - 1) >> whole, last: (size - 1) >> whole };
    let (mut old, mut new) = (start, start);
    for step in steps {
        match climb.step()? {
            Side::Left => (old, new) = (node_hash(step, &old), node_hash(step, &new)),
            Side::Right => new = node_hash(&new, step),
        }
    }
    if climb.last == 0 { Ok((old, new)) } else { Err(LedgerError::ProofFails) }
}

/// Where a verifier stands on its way up: `fn` and `sn` of RFC 9162.
struct Climb {
    left: u64,
    last: u64,
}

enum Side {
    Left,
    Right,
}

impl Climb {
    /// On which side the next sibling stands; goes up past it.
    fn step(&mut self) -> Result<Side, LedgerError> {
        if self.last == 0 {
            return Err(LedgerError::ProofFails);
        }
        let sibling_is_left = self.left & 1 == 1 || self.left == self.last;
        let mut up = 1;
        if sibling_is_left && self.left != 0 {
            up += self.left.trailing_zeros();
        }
        self.left = self.left.checked_shr(up).unwrap_or(0);
        self.last = self.last.checked_shr(up).unwrap_or(0);
        Ok(if sibling_is_left { Side::Left } else { Side::Right })
    }
}

/// Leaves `start..end`, a node of the tree.
type Leaves = (u64, u64);

fn inclusion_ranges(size: u64, index: u64) -> Result<Vec<Leaves>, LedgerError> {
    if index >= size {
        return Err(LedgerError::Outside { position: index, size });
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push((middle, end));
            end = middle;
        } else {
            path.push((start, middle));
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

fn consistency_ranges(earlier: u64, size: u64) -> Result<Vec<Leaves>, LedgerError> {
    if earlier > size {
        return Err(LedgerError::Outside { position: earlier, size });
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while 0 < earlier && earlier < end {
        let middle = start + split(end - start);
        if earlier <= middle {
            path.push((middle, end));
            end = middle;
        } else {
            path.push((start, middle));
            start = middle;
        }
    }
    if start > 0 {
        path.push((start, end));
    }
    path.reverse();
    Ok(path)
}

/// The largest power of two below `n`, for n > 1.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// A perfect subtree: 2^height leaves from index * 2^height on.
#[derive(Clone, Copy)]
struct Subtree {
    height: u32,
    index: u64,
}

/// The perfect subtrees of a node, leftmost and largest first.
fn subtrees((start, end): Leaves) -> Vec<Subtree> {
    let mut parts = Vec::new();
    let mut at = start;
    while at < end {
        let height = (end - at).ilog2();
        parts.push(Subtree { height, index: at >> height });
        at += 1 << height;
    }
    parts
}

impl Subtree {
    /// The tile that holds its hashes, and the first of them in that tile.
    fn place(self, size: u64) -> (TileRef, usize) {
        let level = self.height / 8;
        let first = self.index << (self.height % 8);
        let index = first >> 8;
        let row = size >> (8 * level);
        let width = u16::try_from(row.saturating_sub(index << 8)).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
        let within = usize::from(first.to_le_bytes()[0]);
        (TileRef { level: u8::try_from(level).unwrap_or(u8::MAX), index, width }, within)
    }

    fn hash(self, size: u64, reader: &dyn TileReader) -> Result<Hash, LedgerError> {
        let (at, within) = self.place(size);
        let row = read_tile(reader, at)?;
        let count = 1 << (self.height % 8);
        let part = row.get(within..within + count);
        part.map(root_of).ok_or(LedgerError::Outside { position: self.index, size })
    }
}

fn hashes_of(path: &[Leaves], size: u64, reader: &dyn TileReader) -> Result<Vec<Hash>, LedgerError> {
    path.iter()
        .map(|node| {
            let parts = subtrees(*node).into_iter().rev().map(|part| part.hash(size, reader));
            let from_right = parts.collect::<Result<Vec<_>, _>>()?;
            join_right(from_right.into_iter()).ok_or(LedgerError::ProofFails)
        })
        .collect()
}

fn tiles_of(path: &[Leaves], size: u64) -> BTreeSet<TileRef> {
    path.iter().flat_map(|node| subtrees(*node)).map(|part| part.place(size).0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Edge;
    use crate::ledger::reference::{Shelf, naive_consistency, naive_path, numbered};
    use proptest::prelude::*;

    fn tree(size: usize) -> (Vec<Hash>, Shelf) {
        let leaves = numbered(size);
        let mut shelf = Shelf::default();
        shelf.put(Edge::new().append(&leaves).unwrap().tiles);
        (leaves, shelf)
    }

    /// Every way to damage a proof in one place.
    fn damaged(proof: &[Hash]) -> Vec<Vec<Hash>> {
        let mut all = Vec::new();
        for at in 0..proof.len() {
            let mut flipped = proof.to_vec();
            let mut bytes = *flipped[at].as_bytes();
            bytes[at % 32] ^= 1 << (at % 8);
            flipped[at] = Hash::from_bytes(bytes);
            all.push(flipped);
            let mut without = proof.to_vec();
            without.remove(at);
            all.push(without);
            if at > 0 {
                let mut swapped = proof.to_vec();
                swapped.swap(at - 1, at);
                all.push(swapped);
            }
        }
        for at in 0..=proof.len() {
            let mut longer = proof.to_vec();
            longer.insert(at, Hash::empty());
            all.push(longer);
        }
        all
    }

    #[test]
    fn every_inclusion_proof_is_the_naive_one_and_verifies() {
        for size in (1..=40).chain([255, 256, 257, 511, 513, 600]) {
            let (leaves, shelf) = tree(size);
            let root = root_of(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = inclusion_proof(size as u64, index as u64, &shelf).unwrap();
                assert_eq!(proof, naive_path(index, &leaves), "{index} of {size}");
                verify_inclusion(leaf, index as u64, size as u64, &proof, &root).unwrap();
            }
        }
    }

    #[test]
    fn every_consistency_proof_is_the_naive_one_and_verifies() {
        for size in (0..=40).chain([256, 257, 600]) {
            let (leaves, shelf) = tree(size);
            for earlier in 0..=size {
                let proof = consistency_proof(earlier as u64, size as u64, &shelf).unwrap();
                let naive = if earlier == 0 { vec![] } else { naive_consistency(earlier, &leaves, true) };
                assert_eq!(proof, naive, "{earlier} to {size}");
                let (old, new) = (root_of(&leaves[..earlier]), root_of(&leaves));
                verify_consistency(earlier as u64, &old, size as u64, &new, &proof).unwrap();
            }
        }
    }

    #[test]
    fn proofs_of_what_is_not_there_are_refused() {
        let (_, shelf) = tree(3);
        assert_eq!(inclusion_proof(3, 3, &shelf), Err(LedgerError::Outside { position: 3, size: 3 }));
        assert!(inclusion_proof(0, 0, &shelf).is_err());
        assert!(consistency_proof(4, 3, &shelf).is_err());
        let (empty, other) = (Hash::empty(), numbered(1)[0]);
        assert!(verify_inclusion(&other, 0, 0, &[], &empty).is_err());
        assert!(verify_consistency(0, &other, 3, &empty, &[]).is_err());
        assert!(verify_consistency(0, &empty, 0, &other, &[]).is_err());
        assert!(verify_consistency(3, &other, 2, &other, &[]).is_err());
        assert!(verify_consistency(3, &other, 3, &empty, &[]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_mutated_inclusion_proof_fails(size in 1_usize..3000, pick in any::<prop::sample::Index>()) {
            let (leaves, shelf) = tree(size);
            let (root, index) = (root_of(&leaves), pick.index(size));
            let (n, i) = (size as u64, index as u64);
            let proof = inclusion_proof(n, i, &shelf).unwrap();
            prop_assert!(verify_inclusion(&leaves[index], i, n, &proof, &root).is_ok());
            for bad in damaged(&proof) {
                prop_assert!(verify_inclusion(&leaves[index], i, n, &bad, &root).is_err());
            }
            for other in [i + 1, i ^ 1, i.saturating_sub(1), n, u64::MAX] {
                prop_assert!(other == i || verify_inclusion(&leaves[index], other, n, &proof, &root).is_err());
            }
            prop_assert!(verify_inclusion(&Hash::empty(), i, n, &proof, &root).is_err());
            prop_assert!(verify_inclusion(&leaves[index], i, n, &proof, &Hash::empty()).is_err());
        }

        #[test]
        fn a_mutated_consistency_proof_fails(size in 2_usize..3000, pick in any::<prop::sample::Index>()) {
            let (leaves, shelf) = tree(size);
            let earlier = 1 + pick.index(size - 1);
            let (old, new) = (root_of(&leaves[..earlier]), root_of(&leaves));
            let (m, n) = (earlier as u64, size as u64);
            let proof = consistency_proof(m, n, &shelf).unwrap();
            prop_assert!(verify_consistency(m, &old, n, &new, &proof).is_ok());
            for bad in damaged(&proof) {
                prop_assert!(verify_consistency(m, &old, n, &new, &bad).is_err());
            }
            prop_assert!(verify_consistency(m, &Hash::empty(), n, &new, &proof).is_err());
            prop_assert!(verify_consistency(m, &old, n, &Hash::empty(), &proof).is_err());
        }

        #[test]
        fn the_listed_tiles_are_enough(size in 1_usize..70_000, pick in any::<prop::sample::Index>()) {
            let (_, shelf) = tree(size);
            let (n, i) = (size as u64, pick.index(size) as u64);
            for (wanted, inclusion) in
                [(inclusion_tiles(n, i).unwrap(), true), (consistency_tiles(i, n).unwrap(), false)]
            {
                let mut few = Shelf::default();
                for at in &wanted {
                    let bytes = shelf.tile(at.level, at.index, at.width).unwrap();
                    few.put(vec![crate::ledger::Tile { at: *at, bytes }]);
                }
                let made = if inclusion { inclusion_proof(n, i, &few) } else { consistency_proof(i, n, &few) };
                prop_assert!(made.is_ok());
                prop_assert!(wanted.len() <= 12, "{}", wanted.len());
            }
        }

        #[test]
        fn nothing_given_makes_a_verifier_panic(
            sizes in any::<[u64; 2]>(), steps in 0_usize..80, near in 0_u64..4,
        ) {
            let proof = numbered(steps);
            let root = Hash::empty();
            for (a, b) in [(sizes[0], sizes[1]), (u64::MAX - near, u64::MAX), (near, u64::MAX), (near, near)] {
                let _ = verify_inclusion(&root, a, b, &proof, &root);
                let _ = verify_consistency(a, &root, b, &root, &proof);
                let _ = (inclusion_tiles(b, a), consistency_tiles(a, b));
            }
        }
    }
}
