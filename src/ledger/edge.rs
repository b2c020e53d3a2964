//! Growing the tree: only its right edge is needed, whatever its size.

use super::hash::join_right;
use super::tile::{bytes_of, hashes, read_tile};
use super::{Hash, LedgerError, TILE_WIDTH, Tile, TileReader, TileRef, root_of};

/// The right edge of a tree: its size and the hashes of the partial tile of each level.
///
/// Enough to append and to know the root; at most 64 KiB, usually under 16. It does not prove
/// that it belongs to a tree: compare [`root`](Self::root) with the last signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    /// `levels[L]` holds `(size >> 8 L) % 256` hashes.
    levels: Vec<Vec<Hash>>,
}

/// What an append made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Leaves in the tree now.
    pub size: u64,
    /// Root of the tree now.
    pub root: Hash,
    /// Tiles that are new or wider than before, low levels first. Store them before the checkpoint.
    pub tiles: Vec<Tile>,
}

/// Appends leaf hashes to a tree of `size` leaves whose right-edge tiles come from `reader`.
///
/// Reads at most one tile a level. Nothing changes in storage: the caller stores what comes back.
///
/// # Errors
/// Whatever `reader` reports, a damaged tile, or [`LedgerError::Full`].
pub fn append(size: u64, reader: &dyn TileReader, leaf_hashes: &[Hash]) -> Result<Appended, LedgerError> {
    Edge::read(size, reader)?.append(leaf_hashes)
}

impl Edge {
    /// The edge of a tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the edge of a tree of `size` leaves from its tiles.
    ///
    /// # Errors
    /// Whatever `reader` reports, or a damaged tile.
    pub fn read(size: u64, reader: &dyn TileReader) -> Result<Self, LedgerError> {
        let levels = Self::tiles(size).into_iter().map(|at| match at.width {
            0 => Ok(Vec::new()),
            _ => read_tile(reader, at),
        });
        Ok(Self { size, levels: levels.collect::<Result<_, _>>()? })
    }

    /// The tiles [`read`](Self::read) will ask for at this size; those of width 0 it leaves out.
    #[must_use]
    pub fn tiles(size: u64) -> Vec<TileRef> {
        let mut tiles = Vec::new();
        let mut rest = size;
        for level in 0_u8.. {
            if rest == 0 {
                break;
            }
            let width = u16::from(rest.to_le_bytes()[0]);
            rest >>= 8;
            tiles.push(TileRef { level, index: rest, width });
        }
        tiles
    }

    /// Leaves in the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let peaks = self.levels.iter().flat_map(|row| peaks_from_right(row));
        join_right(peaks).unwrap_or_else(Hash::empty)
    }

    /// Appends leaf hashes; on an error the edge is as it was.
    ///
    /// # Errors
    /// [`LedgerError::Full`] past 2^64 - 1 leaves.
    pub fn append(&mut self, leaf_hashes: &[Hash]) -> Result<Appended, LedgerError> {
        let before = self.size;
        u64::try_from(leaf_hashes.len())
            .ok()
            .and_then(|more| before.checked_add(more))
            .ok_or(LedgerError::Full)?;
        let mut tiles = Vec::new();
        for leaf in leaf_hashes {
            self.push(*leaf, &mut tiles);
        }
        tiles.extend(self.partial_tiles().filter(|tile| has_grown(tile.at.level, before, self.size)));
        tiles.sort_by_key(|tile| tile.at);
        Ok(Appended { size: self.size, root: self.root(), tiles })
    }

    fn push(&mut self, leaf: Hash, full: &mut Vec<Tile>) {
        self.size += 1;
        let mut hash = leaf;
        let mut above = self.size;
        for level in 0_u8.. {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(usize::from(level)) else { return };
            row.push(hash);
            if row.len() < usize::from(TILE_WIDTH) {
                return;
            }
            above >>= 8;
            let at = TileRef { level, index: above.saturating_sub(1), width: TILE_WIDTH };
            full.push(Tile { at, bytes: bytes_of(row) });
            hash = root_of(row);
            row.clear();
        }
    }

    fn partial_tiles(&self) -> impl Iterator<Item = Tile> {
        Self::tiles(self.size)
            .into_iter()
            .zip(&self.levels)
            .filter(|(at, _)| at.width > 0)
            .map(|(at, row)| Tile { at, bytes: bytes_of(row) })
    }

    /// The edge as bytes: the size as a big-endian `u64`, then the hashes of level 0, 1, …
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for row in &self.levels {
            bytes.extend(bytes_of(row));
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when the length does not fit the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LedgerError> {
        const DAMAGED: LedgerError = LedgerError::Damaged { what: "edge" };
        let (size, mut rest) = bytes.split_first_chunk::<8>().ok_or(DAMAGED)?;
        let size = u64::from_be_bytes(*size);
        let mut levels = Vec::new();
        for at in Self::tiles(size) {
            let (row, after) = rest.split_at_checked(usize::from(at.width) * Hash::LEN).ok_or(DAMAGED)?;
            levels.push(hashes(row));
            rest = after;
        }
        if rest.is_empty() { Ok(Self { size, levels }) } else { Err(DAMAGED) }
    }
}

/// Whether the row of `level` holds more hashes at size `after` than at size `before`.
fn has_grown(level: u8, before: u64, after: u64) -> bool {
    let row = |size: u64| size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    row(before) != row(after)
}

/// The perfect subtrees of a partial tile, rightmost and smallest first.
fn peaks_from_right(row: &[Hash]) -> Vec<Hash> {
    let mut peaks = Vec::new();
    let mut rest = row;
    while !rest.is_empty() {
        let cut = rest.len() - (1 << rest.len().trailing_zeros());
        let (left, peak) = rest.split_at(cut);
        peaks.push(root_of(peak));
        rest = left;
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::reference::{Shelf, naive_root, numbered};
    use proptest::prelude::*;

    /// Every tile a tree must have, computed from all leaves at once.
    fn naive_tiles(leaves: &[Hash]) -> Vec<Tile> {
        let mut tiles = Vec::new();
        let mut row = leaves.to_vec();
        for level in 0.. {
            for (index, chunk) in (0..).zip(row.chunks(256)) {
                let at = TileRef { level, index, width: u16::try_from(chunk.len()).unwrap() };
                tiles.push(Tile { at, bytes: bytes_of(chunk) });
            }
            row = row.chunks_exact(256).map(naive_root).collect();
            if row.is_empty() {
                return tiles;
            }
        }
        tiles
    }

    #[test]
    fn one_at_a_time_gives_every_root_and_every_tile() {
        let leaves = numbered(600);
        let mut edge = Edge::new();
        let mut shelf = Shelf::default();
        assert_eq!(edge.root(), Hash::empty());
        for size in 1..=600 {
            let made = edge.append(&leaves[size - 1..size]).unwrap();
            assert_eq!((made.size, made.root), (size as u64, naive_root(&leaves[..size])), "size {size}");
            shelf.put(made.tiles);
            for tile in naive_tiles(&leaves[..size]) {
                assert_eq!(shelf.tile(tile.at.level, tile.at.index, tile.at.width), Ok(tile.bytes));
            }
            assert_eq!(Edge::read(made.size, &shelf).as_ref(), Ok(&edge));
        }
    }

    #[test]
    fn an_append_of_nothing_makes_no_tile() {
        let mut edge = Edge::new();
        edge.append(&numbered(300)).unwrap();
        let made = edge.append(&[]).unwrap();
        assert_eq!((made.size, made.tiles), (300, Vec::new()));
    }

    #[test]
    fn a_damaged_tile_is_named() {
        let mut shelf = Shelf::default();
        let made = Edge::new().append(&numbered(3)).unwrap();
        shelf.put(made.tiles);
        shelf.0.get_mut(&(0, 0, 3)).unwrap().pop();
        let error = append(3, &shelf, &numbered(1)).unwrap_err();
        assert_eq!(error, LedgerError::TileDamaged { level: 0, index: 0, found: 95, expected: 96 });
        let missing = append(4, &shelf, &numbered(1)).unwrap_err();
        assert_eq!(missing, LedgerError::TileMissing { level: 0, index: 0, width: 4 });
    }

    #[test]
    fn a_full_tree_refuses_instead_of_wrapping() {
        let size = u64::MAX;
        let row = numbered(255);
        let mut edge = Edge { size, levels: vec![row; 8] };
        assert_eq!(edge.append(&numbered(1)), Err(LedgerError::Full));
        assert_eq!(Edge::from_bytes(&edge.to_bytes()), Ok(edge));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_batches_make_the_tiles_of_the_whole(sizes in prop::collection::vec(0_usize..9000, 1..9)) {
            let leaves = numbered(sizes.iter().sum());
            let mut shelf = Shelf::default();
            let mut done = 0;
            for more in sizes {
                let made = append(done as u64, &shelf, &leaves[done..done + more]).unwrap();
                done += more;
                prop_assert_eq!(made.root, root_of(&leaves[..done]));
                shelf.put(made.tiles);
            }
            for tile in naive_tiles(&leaves) {
                prop_assert_eq!(shelf.tile(tile.at.level, tile.at.index, tile.at.width), Ok(tile.bytes));
            }
            let edge = Edge::read(done as u64, &shelf).unwrap();
            prop_assert_eq!(Edge::from_bytes(&edge.to_bytes()), Ok(edge));
        }

        #[test]
        fn edges_of_any_size_count_on(size in 0_u64..u64::MAX - 600, more in 0_usize..600) {
            let levels = Edge::tiles(size).iter().map(|at| numbered(usize::from(at.width))).collect();
            let mut edge = Edge { size, levels };
            let mut shelf = Shelf::default();
            shelf.put(edge.partial_tiles().collect());
            let leaves = numbered(more);
            let (a, b) = leaves.split_at(more / 2);
            let mut twice = edge.clone();
            twice.append(a).unwrap();
            let last = twice.append(b).unwrap();
            let once = edge.append(&leaves).unwrap();
            prop_assert_eq!((once.size, once.root), (last.size, last.root));
            prop_assert_eq!(&edge, &twice);
            shelf.put(once.tiles);
            prop_assert_eq!(Edge::read(once.size, &shelf), Ok(edge));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Edge::from_bytes(&bytes);
        }
    }
}
