//! C2SP tlog-tiles: where hashes and entries of a tree of height-8 tiles stand.
//!
//! A tile of level L holds up to 256 hashes of perfect subtrees of 256^L leaves each.

use super::{Hash, LEAF_BYTES_MAX, LedgerError};

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

/// Where tiles come from. Callers with slow storage fetch first and answer from memory.
pub trait TileReader {
    /// The bytes of the tile with exactly `width` hashes (the first `width` of a wider one are equal).
    ///
    /// # Errors
    /// [`LedgerError::TileMissing`] when it is not there.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, LedgerError>;
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
    const DAMAGED: LedgerError = LedgerError::Damaged { what: "entry bundle" };
    let mut leaves = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(DAMAGED)?;
        let (leaf, after) =
            after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(DAMAGED)?;
        if leaves.len() == usize::from(TILE_WIDTH) {
            return Err(DAMAGED);
        }
        leaves.push(leaf);
        rest = after;
    }
    Ok(leaves)
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
