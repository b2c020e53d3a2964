//! A log in a folder, laid out as C2SP tlog-tiles says: `checkpoint`, `tile/…`, `tile/entries/…`; beside them
//! `cosigned/SIZE` (a checkpoint with its witnesses' lines) and `timestamped/SIZE` with `timestamped/SIZE.tsr`.
//!
//! Reading gives what stands there, also when it cannot be right: a verifier names what is wrong with it.

use super::evidence::{CosignedRow, TimestampRow};
use super::journal::Head;
use super::log_source::LogSource;
use super::{StoreError, files};
use crate::ledger::{
    Hash, LedgerError, TILE_WIDTH, TileReader, TileRef, TileSet, entry_bundle, readable_leaves,
};
use async_trait::async_trait;
use std::io::ErrorKind;
use std::path::PathBuf;
use tokio::fs;

/// The file with the signed head.
pub const CHECKPOINT: &str = "checkpoint";
const COSIGNED: &str = "cosigned";
const TIMESTAMPED: &str = "timestamped";

/// A log in a folder of its own.
#[derive(Debug, Clone)]
pub struct ExportedLog {
    folder: PathBuf,
}

impl ExportedLog {
    /// The log in this folder; nothing is read yet.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes a log as it is stored, up to its head. Entries that are numbered meanwhile are left out: what is
    /// written is the log as the head signs it. `empty` is the checkpoint of a log without entries.
    ///
    /// # Errors
    /// When the log or the folder fails, or a tile or an entry is missing: run `knik verify`.
    pub async fn write(&self, log: &dyn LogSource, empty: String) -> Result<u64, StoreError> {
        let head = log.head().await?.unwrap_or(Head { size: 0, checkpoint: empty });
        self.write_tree(log, 0, head.size).await?;
        self.write_evidence(log, head.size).await?;
        // Last: a folder with a checkpoint is whole.
        self.put(CHECKPOINT, head.checkpoint.as_bytes()).await?;
        Ok(head.size)
    }

    /// Brings what lies here up to the log's head: only what came since is written. Returns the size of the head.
    ///
    /// # Errors
    /// When the log or the folder fails, or what lies here is longer than the log.
    pub async fn extend(&self, log: &dyn LogSource) -> Result<u64, StoreError> {
        let here = self.head().await?.map_or(0, |head| head.size);
        let Some(head) = log.head().await? else { return Ok(here) };
        if here > head.size {
            let (path, size) = (self.folder.display(), head.size);
            return Err(StoreError::Ledger(format!("`{path}` has {here} entries, the log {size}")));
        }
        if here == head.size {
            return Ok(here);
        }
        self.write_tree(log, here, head.size).await?;
        self.put(CHECKPOINT, head.checkpoint.as_bytes()).await?;
        self.drop_narrower(here, head.size).await?;
        Ok(head.size)
    }

    /// Writes the bundles and tiles that a log of `size` has and one of `from` does not.
    async fn write_tree(&self, log: &dyn LogSource, from: u64, size: u64) -> Result<(), StoreError> {
        for at in fresh_tiles(0, from, size) {
            self.write_bundle(log, at).await?;
        }
        for at in (0_u8..8).flat_map(|level| fresh_tiles(level, from, size)) {
            let tile = log.tiles(vec![at]).await?.tile(at.level, at.index, at.width);
            self.put(&at.path(), &tile.map_err(|error| unfit(&error))?).await?;
        }
        Ok(())
    }

    /// Removes the narrower forms of the tiles at the edge of a log of `from`, now that there are wider ones.
    async fn drop_narrower(&self, from: u64, size: u64) -> Result<(), StoreError> {
        for at in (0_u8..8).flat_map(|level| fresh_tiles(level, from, size).take(1)) {
            self.drop_narrower_than(at, TileRef::path).await?;
            if at.level == 0 {
                self.drop_narrower_than(at, TileRef::entries_path).await?;
            }
        }
        Ok(())
    }

    async fn drop_narrower_than(&self, at: TileRef, path: fn(&TileRef) -> String) -> Result<(), StoreError> {
        let folder = self.folder.join(format!("{}.p", path(&TileRef { width: TILE_WIDTH, ..at })));
        let names = files::names_in(&folder).await?;
        for width in names.iter().filter_map(|name| name.parse().ok()).filter(|width| *width < at.width) {
            let narrower = self.folder.join(path(&TileRef { width, ..at }));
            fs::remove_file(&narrower).await.map_err(StoreError::file("cannot remove", &narrower))?;
        }
        if at.width == TILE_WIDTH {
            let _not_there_or_not_empty = fs::remove_dir(&folder).await;
        }
        Ok(())
    }

    async fn write_bundle(&self, log: &dyn LogSource, at: TileRef) -> Result<(), StoreError> {
        let from = at.index * u64::from(TILE_WIDTH);
        let leaves = log.leaves(from, u32::from(at.width)).await?;
        let whole =
            leaves.len() == usize::from(at.width) && (from..).zip(&leaves).all(|(n, (place, _))| n == *place);
        if !whole {
            return Err(StoreError::Corrupt { what: "the list of entries" });
        }
        let bundle =
            entry_bundle(leaves.iter().map(|(_, leaf)| leaf.as_slice())).map_err(|error| unfit(&error))?;
        self.put(&at.entries_path(), &bundle).await
    }

    async fn write_evidence(&self, log: &dyn LogSource, size: u64) -> Result<(), StoreError> {
        let mut notes = std::collections::BTreeMap::new();
        for row in log.cosignatures().await?.into_iter().filter(|row| row.size <= size) {
            let note: &mut String = notes.entry(row.size).or_insert(row.note);
            note.push_str(&row.line);
        }
        for (size, note) in notes {
            self.put(&format!("{COSIGNED}/{size}"), note.as_bytes()).await?;
        }
        for row in log.timestamps().await?.into_iter().filter(|row| row.size <= size) {
            self.put(&format!("{TIMESTAMPED}/{}", row.size), row.note.as_bytes()).await?;
            self.put(&format!("{TIMESTAMPED}/{}.tsr", row.size), &row.response).await?;
        }
        Ok(())
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).await.map_err(StoreError::file("cannot make folder", folder))?;
        }
        files::replace(&path, bytes).await.map_err(StoreError::file("cannot write", &path))
    }

    /// `None` when there is no such file.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.folder.join(name);
        match fs::read(&path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(StoreError::file("cannot read", &path)(error)),
        }
    }

    /// The widest form of a tile or bundle that is there, with its width. `path` gives the path for a width.
    async fn widest(
        &self,
        at: TileRef,
        path: impl Fn(&TileRef) -> String,
    ) -> Result<Option<(u16, Vec<u8>)>, StoreError> {
        let full = path(&TileRef { width: TILE_WIDTH, ..at });
        if let Some(bytes) = self.read(&full).await? {
            return Ok(Some((TILE_WIDTH, bytes)));
        }
        let names = files::names_in(&self.folder.join(format!("{full}.p"))).await?;
        let Some(width) = names.iter().filter_map(|name| name.parse::<u16>().ok()).max() else {
            return Ok(None);
        };
        let bytes = self.read(&path(&TileRef { width, ..at })).await?;
        Ok(bytes.map(|bytes| (width, bytes)))
    }

    /// Files of a folder whose names are sizes, in order.
    async fn sizes(&self, folder: &str) -> Result<Vec<u64>, StoreError> {
        let names = files::names_in(&self.folder.join(folder)).await?;
        let mut sizes: Vec<u64> = names.iter().filter_map(|name| name.parse().ok()).collect();
        sizes.sort_unstable();
        Ok(sizes)
    }

    async fn text(&self, name: &str) -> Result<String, StoreError> {
        let bytes = self.read(name).await?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The tiles of a level, widest form, that a log of `size` has and one of `from` does not have as wide.
fn fresh_tiles(level: u8, from: u64, size: u64) -> impl Iterator<Item = TileRef> {
    let wide = u64::from(TILE_WIDTH);
    let row = |leaves: u64| leaves.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let (had, has) = (row(from), row(size));
    let end = if has > had { has.div_ceil(wide) } else { 0 };
    (had / wide..end).filter_map(move |index| TileRef::within(level, index, size))
}

fn unfit(error: &LedgerError) -> StoreError {
    StoreError::Ledger(error.to_string())
}

#[async_trait]
impl LogSource for ExportedLog {
    async fn head(&self) -> Result<Option<Head>, StoreError> {
        let Some(bytes) = self.read(CHECKPOINT).await? else { return Ok(None) };
        let checkpoint = String::from_utf8_lossy(&bytes).into_owned();
        let size = checkpoint.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
        Ok(Some(Head { size, checkpoint }))
    }

    async fn leaves(&self, from: u64, most: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let wide = u64::from(TILE_WIDTH);
        let end = from.saturating_add(u64::from(most));
        let mut leaves = Vec::new();
        let mut next = from;
        while next < end {
            let at = TileRef { level: 0, index: next / wide, width: TILE_WIDTH };
            let Some((width, bundle)) = self.widest(at, TileRef::entries_path).await? else { break };
            let (found, _unreadable) = readable_leaves(&bundle);
            let more = found.len() > usize::from(width);
            let first = at.index * wide;
            let numbered = (first..).zip(found).filter(|(n, _)| *n >= from && (*n < end || more));
            let before = leaves.len();
            leaves.extend(numbered.map(|(n, leaf)| (n, leaf.to_vec())));
            next = first + wide;
            // What comes after a bundle that is short, or holds too much, does not stand where it should.
            if more || leaves.len() - before == 0 || leaves.last().is_none_or(|(n, _)| n + 1 < next.min(end))
            {
                break;
            }
        }
        Ok(leaves)
    }

    async fn tiles(&self, wanted: Vec<TileRef>) -> Result<TileSet, StoreError> {
        let mut found = TileSet::default();
        for at in wanted.into_iter().filter(|at| at.width > 0) {
            if let Some((width, hashes)) = self.widest(at, TileRef::path).await?
                && hashes.len() <= usize::from(width) * Hash::LEN
            {
                found.put(at.level, at.index, hashes);
            }
        }
        Ok(found)
    }

    async fn cosignatures(&self) -> Result<Vec<CosignedRow>, StoreError> {
        let mut rows = Vec::new();
        for size in self.sizes(COSIGNED).await? {
            let whole = self.text(&format!("{COSIGNED}/{size}")).await?;
            // The first signature is the log's own; each after it is of a witness.
            let (own, others) = split_own(&whole);
            for line in others {
                let witness = line.split(' ').nth(1).unwrap_or_default().to_owned();
                rows.push(CosignedRow { size, witness, note: own.clone(), line });
            }
        }
        Ok(rows)
    }

    async fn timestamps(&self) -> Result<Vec<TimestampRow>, StoreError> {
        let mut rows = Vec::new();
        for size in self.sizes(TIMESTAMPED).await? {
            let note = self.text(&format!("{TIMESTAMPED}/{size}")).await?;
            let response = self.read(&format!("{TIMESTAMPED}/{size}.tsr")).await?.unwrap_or_default();
            rows.push(TimestampRow { size, note, response });
        }
        Ok(rows)
    }
}

/// A note with its first signature alone, and the other signature lines.
fn split_own(note: &str) -> (String, Vec<String>) {
    let (text, signatures) = note.split_at(note.rfind("\n\n").map_or(note.len(), |cut| cut + 2));
    let mut lines = signatures.split_inclusive('\n');
    let own = format!("{text}{}", lines.next().unwrap_or_default());
    (own, lines.map(str::to_owned).collect())
}
