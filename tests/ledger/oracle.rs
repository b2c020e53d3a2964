//! Roots, tiles and proofs are those of another implementation of RFC 6962 and tlog-tiles (crate `tlog_tiles`, a port
//! of Go's `sumdb/tlog`).

use knik::ledger::{
    Edge, Hash, TileSet, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use std::sync::LazyLock;
use tlog_tiles as theirs;

const LEAVES: u64 = 2_000;

fn leaf(n: u64) -> Vec<u8> {
    format!("leaf {n} {}", "x".repeat(usize::try_from(n % 7).unwrap())).into_bytes()
}

/// Every hash that the other implementation stores for so many leaves.
struct Stored(Vec<theirs::Hash>);

impl theirs::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<theirs::Hash>, theirs::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

static STORED: LazyLock<Stored> = LazyLock::new(|| {
    let mut stored = Stored(Vec::new());
    for n in 0..LEAVES {
        let more = theirs::stored_hashes(n, &leaf(n), &stored).unwrap();
        stored.0.extend(more);
    }
    stored
});

static HASHES: LazyLock<Vec<Hash>> = LazyLock::new(|| (0..LEAVES).map(|n| leaf_hash(&leaf(n))).collect());

/// Our tree of so many leaves, added in two batches.
fn ours(size: u64, cut: u64) -> (Edge, TileSet) {
    let (mut edge, mut tiles) = (Edge::new(), TileSet::default());
    for part in [0..cut, cut..size] {
        let part = usize::try_from(part.start).unwrap()..usize::try_from(part.end).unwrap();
        for tile in edge.append(&HASHES[part]).unwrap().tiles {
            tiles.put(tile.at.level, tile.at.index, tile.bytes);
        }
    }
    (edge, tiles)
}

fn same(proof: &[Hash], other: &[theirs::Hash]) -> bool {
    proof.iter().map(Hash::as_bytes).eq(other.iter().map(|hash| &hash.0))
}

#[test]
fn leaf_hashes_are_theirs() {
    for n in 0..LEAVES {
        assert_eq!(HASHES[usize::try_from(n).unwrap()].as_bytes(), &theirs::record_hash(&leaf(n)).0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn roots_and_tiles_are_theirs(size in 0..=LEAVES, cut in any::<prop::sample::Index>()) {
        let cut = cut.index(usize::try_from(size).unwrap() + 1) as u64;
        let (edge, tiles) = ours(size, cut);
        let stored: &Stored = &STORED;
        let root = if size == 0 { theirs::EMPTY_HASH } else { theirs::tree_hash(size, stored).unwrap() };
        let own = edge.root();
        prop_assert_eq!(own.as_bytes(), &root.0);
        let mut compared = 0;
        for tile in theirs::Tile::new_tiles(8, 0, size) {
            let data = tile.read_data(&*STORED).unwrap();
            let known = tiles.known(tile.level(), tile.level_index());
            let known: Vec<u8> = known.iter().flat_map(|hash| *hash.as_bytes()).collect();
            prop_assert!(known == data, "tile {}", tile.path());
            compared += 1;
        }
        prop_assert_eq!(compared > 0, size > 0);
    }

    #[test]
    fn inclusion_proofs_are_theirs(size in 1..=LEAVES, pick in any::<prop::sample::Index>()) {
        let index = pick.index(usize::try_from(size).unwrap()) as u64;
        let (edge, tiles) = ours(size, 0);
        let proof = inclusion_proof(size, index, &tiles).unwrap();
        let other = theirs::prove_record(size, index, &*STORED).unwrap();
        prop_assert!(same(&proof, &other));
        let leaf = HASHES[usize::try_from(index).unwrap()];
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &edge.root()).is_ok());
        let root = theirs::Hash(*edge.root().as_bytes());
        prop_assert!(theirs::check_record(&other, size, root, index, theirs::Hash(*leaf.as_bytes())).is_ok());
        if index + 1 < size {
            prop_assert!(theirs::check_record(&other, size, root, index + 1, theirs::Hash(*leaf.as_bytes())).is_err());
        }
    }

    #[test]
    fn consistency_proofs_are_theirs(size in 1..=LEAVES, pick in any::<prop::sample::Index>()) {
        let earlier = 1 + pick.index(usize::try_from(size).unwrap()) as u64;
        let ((old, _), (new, tiles)) = (ours(earlier, 0), ours(size, earlier));
        let proof = consistency_proof(earlier, size, &tiles).unwrap();
        let other = theirs::prove_tree(size, earlier, &*STORED).unwrap();
        prop_assert!(same(&proof, &other));
        prop_assert!(verify_consistency(earlier, &old.root(), size, &new.root(), &proof).is_ok());
        let theirs_of = |edge: &Edge| theirs::Hash(*edge.root().as_bytes());
        prop_assert!(theirs::check_tree(&other, size, theirs_of(&new), earlier, theirs_of(&old)).is_ok());
    }
}

/// The tree of Certificate Transparency's reference test, and proofs in it.
#[test]
fn a_known_tree_has_its_root_and_proofs() {
    let leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect();
    let (mut edge, mut tiles) = (Edge::new(), TileSet::default());
    for tile in edge.append(&hashes).unwrap().tiles {
        tiles.put(tile.at.level, tile.at.index, tile.bytes);
    }
    let words = |proof: Vec<Hash>| proof.iter().map(|hash| hex::encode(hash.as_bytes())).collect::<Vec<_>>();
    let root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
    assert_eq!(hex::encode(edge.root().as_bytes()), root);
    // google/certificate-transparency, merkletree/merkle_tree_test.cc: path of leaf 6 of 8, proof from 6 to 8.
    assert_eq!(
        words(inclusion_proof(8, 5, &tiles).unwrap()),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(
        words(consistency_proof(6, 8, &tiles).unwrap()),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
}
