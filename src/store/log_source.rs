//! A log as a verifier reads it, wherever it lies: in the vault's database, or exported to a folder.

use super::StoreError;
use super::evidence::{CosignedRow, TimestampRow};
use super::journal::{Head, Journal};
use crate::ledger::{Origin, TileRef, TileSet};
use async_trait::async_trait;

/// What is stored of one log. Nothing of it is checked: that is what it is read for.
#[async_trait]
pub trait LogSource: Send + Sync {
    /// The head; `None` when there is none.
    async fn head(&self) -> Result<Option<Head>, StoreError>;
    /// Leaves from number `from` on, in order, with their numbers: at most `most`, and more only of a log that holds
    /// more than its head signs.
    async fn leaves(&self, from: u64, most: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;
    /// Those of these tiles that are there, as wide as they are.
    async fn tiles(&self, wanted: Vec<TileRef>) -> Result<TileSet, StoreError>;
    /// Cosignatures that are kept.
    async fn cosignatures(&self) -> Result<Vec<CosignedRow>, StoreError>;
    /// Time-stamps that are kept.
    async fn timestamps(&self) -> Result<Vec<TimestampRow>, StoreError>;
}

/// A log in the vault's database.
#[derive(Debug, Clone, Copy)]
pub struct StoredLog<'a> {
    /// Where it is stored.
    pub journal: &'a Journal,
    /// Which log.
    pub origin: &'a Origin,
}

#[async_trait]
impl LogSource for StoredLog<'_> {
    async fn head(&self) -> Result<Option<Head>, StoreError> {
        self.journal.head(self.origin).await
    }

    async fn leaves(&self, from: u64, most: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.journal.leaves(self.origin, from, most).await
    }

    async fn tiles(&self, wanted: Vec<TileRef>) -> Result<TileSet, StoreError> {
        self.journal.tiles(self.origin, wanted).await
    }

    async fn cosignatures(&self) -> Result<Vec<CosignedRow>, StoreError> {
        self.journal.cosignatures(self.origin).await
    }

    async fn timestamps(&self) -> Result<Vec<TimestampRow>, StoreError> {
        self.journal.timestamps(self.origin).await
    }
}
