//! C2SP tlog-tiles: where hashes and entries of a tree of height-8 tiles stand.
//!
//! A tile of level L holds up to 256 hashes of perfect subtrees of 256^L leaves each.

use super::{Hash, LEAF_BYTES_MAX, LedgerError};
use std::collections::HashMap;

/// Hashes in a full tile.
pub const TILE_WIDTH: u16 = 256;

/// Which tile, and how many of its hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileRef {
    /// 0 for leaf hashes, one more for every 8 levels of the tree.
    pub level: u8,
    /// Position in the level, from 0.
    pub index: u64,
    /// Hashes in it, 1 to 256; less than 256 only at the right edge.
    pub width: u16,
}

impl TileRef {
    /// The path tlog-tiles gives it, such as `tile/0/x001/234.p/17`.
    #[must_use]
    pub fn path(&self) -> String {
        path(&self.level.to_string(), self.index, self.width)
    }

    /// The tile at this place in a tree of `size` leaves; `None` when the tree does not reach it.
    #[must_use]
    pub fn within(level: u8, index: u64, size: u64) -> Option<Self> {
        let row = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        let left = row.checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?)?;
        let width = u16::try_from(left).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
        (width > 0).then_some(Self { level, index, width })
    }

    /// The first leaf under hash number `place` of this tile, and how many leaves each of its hashes stands for.
    #[must_use]
    pub fn leaves_under(&self, place: u16) -> (u64, u64) {
        let span = 1_u64.checked_shl(8 * u32::from(self.level)).unwrap_or(u64::MAX);
        let hash = self.index.saturating_mul(u64::from(TILE_WIDTH)).saturating_add(u64::from(place));
        (hash.saturating_mul(span), span)
    }

    /// The path of the bundle with the leaves that a level 0 tile holds the hashes of.
    #[must_use]
    pub fn entries_path(&self) -> String {
        path("entries", self.index, self.width)
    }
}

/// A tile to be stored. Full tiles never change; a partial one is superseded by a wider one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Which tile.
    pub at: TileRef,
    /// Its hashes one after another: 32 bytes each.
    pub bytes: Vec<u8>,
}

impl Tile {
    /// Its hashes, in order.
    #[must_use]
    pub fn hashes(&self) -> Vec<Hash> {
        hashes(&self.bytes)
    }
}

/// Where tiles come from. Callers with slow storage fetch first and answer from memory.
pub trait TileReader {
    /// The bytes of the tile with exactly `width` hashes (the first `width` of a wider one are equal).
    ///
    /// # Errors
    /// [`LedgerError::TileMissing`] when it is not there.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, LedgerError>;
}

/// Tiles in memory, each as wide as it is known.
#[derive(Debug, Default)]
pub struct TileSet(HashMap<(u8, u64), Vec<u8>>);

impl TileSet {
    /// Adds a tile, in place of one that stood there.
    pub fn put(&mut self, level: u8, index: u64, hashes: Vec<u8>) {
        self.0.insert((level, index), hashes);
    }

    /// The hashes of a tile as far as they are known.
    #[must_use]
    pub fn known(&self, level: u8, index: u64) -> Vec<Hash> {
        self.0.get(&(level, index)).map(|bytes| hashes(bytes)).unwrap_or_default()
    }
}

impl TileReader for TileSet {
    /// A narrower tile is the beginning of a wider one.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, LedgerError> {
        self.0
            .get(&(level, index))
            .and_then(|hashes| hashes.get(..usize::from(width) * Hash::LEN))
            .map(<[u8]>::to_vec)
            .ok_or(LedgerError::TileMissing { level, index, width })
    }
}

/// Reads a tile as hashes and checks that it has the length asked for.
pub(super) fn read_tile(reader: &dyn TileReader, at: TileRef) -> Result<Vec<Hash>, LedgerError> {
    let bytes = reader.tile(at.level, at.index, at.width)?;
    let expected = usize::from(at.width) * Hash::LEN;
    if bytes.len() != expected {
        let found = bytes.len();
        return Err(LedgerError::TileDamaged { level: at.level, index: at.index, found, expected });
    }
    Ok(hashes(&bytes))
}

/// Splits bytes into hashes; a remainder is left out.
pub(super) fn hashes(bytes: &[u8]) -> Vec<Hash> {
    let (chunks, _) = bytes.as_chunks::<{ Hash::LEN }>();
    chunks.iter().map(|chunk| Hash::from_bytes(*chunk)).collect()
}

/// Joins hashes into the bytes of a tile.
pub(super) fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// A tlog-tiles entry bundle: every leaf behind its length as a big-endian `u16`.
///
/// # Errors
/// [`LedgerError::EntryTooLong`] for a leaf over [`LEAF_BYTES_MAX`].
pub fn entry_bundle<'a>(leaves: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, LedgerError> {
    let mut bundle = Vec::new();
    for leaf in leaves {
        let too_long = LedgerError::EntryTooLong { bytes: leaf.len(), max: LEAF_BYTES_MAX };
        let length = u16::try_from(leaf.len()).map_err(|_| too_long)?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(leaf);
    }
    Ok(bundle)
}

/// The leaves of an entry bundle, at most 256.
///
/// # Errors
/// [`LedgerError::Damaged`] when lengths and bytes disagree.
pub fn entry_bundle_leaves(bundle: &[u8]) -> Result<Vec<&[u8]>, LedgerError> {
    let (leaves, rest) = readable_leaves(bundle);
    let sound = rest.is_empty() && leaves.len() <= usize::from(TILE_WIDTH);
    if sound { Ok(leaves) } else { Err(LedgerError::Damaged { what: "entry bundle" }) }
}

/// The leaves of a bundle as far as it can be read, and what cannot.
#[must_use]
pub fn readable_leaves(bundle: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let (mut leaves, mut rest) = (Vec::new(), bundle);
    while let Some((length, after)) = rest.split_first_chunk::<2>()
        && let Some((leaf, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))
    {
        leaves.push(leaf);
        rest = after;
    }
    (leaves, rest)
}

fn path(level: &str, index: u64, width: u16) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let partial = if width < TILE_WIDTH { format!(".p/{width}") } else { String::new() };
    format!("tile/{level}/{}{partial}", groups.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let cases: [(u8, u64, u16, &str); 5] = [
            (0, 0, 256, "tile/0/000"),
            (0, 1_234_067, 256, "tile/0/x001/x234/067"),
            (1, 999, 8, "tile/1/999.p/8"),
            (2, 1000, 255, "tile/2/x001/000.p/255"),
            (0, 273, 112, "tile/0/273.p/112"),
        ];
        for (level, index, width, expected) in cases {
            assert_eq!(TileRef { level, index, width }.path(), expected);
        }
        assert_eq!(TileRef { level: 0, index: 273, width: 112 }.entries_path(), "tile/entries/273.p/112");
    }

    #[test]
    fn a_bundle_reads_back_and_a_damaged_one_is_refused() {
        let leaves: [&[u8]; 3] = [b"one", b"", b"three"];
        let bundle = entry_bundle(leaves).unwrap();
        assert_eq!(entry_bundle_leaves(&bundle).unwrap(), leaves);
        for cut in [1, 3, 4, bundle.len() - 1] {
            assert!(entry_bundle_leaves(&bundle[..cut]).is_err(), "{cut}");
        }
        assert!(entry_bundle([vec![0; 65_536].as_slice()]).is_err());
        assert!(entry_bundle_leaves(&[0; 2 * 257]).is_err());
    }
}
