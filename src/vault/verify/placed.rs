//! Where an entry of the vault's log stands that something else rests on.

use crate::ledger::{Entry, EntryId};
use crate::store::StoreError;
use crate::vault::{Archive, VaultError};

/// Whether an entry is in the log.
pub(in crate::vault) enum Placed {
    /// It is, and this is what it says.
    There(Box<Entry>),
    /// It has no number yet: the next time it can be looked at.
    Waiting,
    /// It is not, although nothing waits for a number.
    Missing,
}

/// Looks an entry up, with its proof.
///
/// # Errors
/// When the database fails, or the log's own proof of it does not hold.
pub(in crate::vault) async fn placed(archive: &Archive, entry: EntryId) -> Result<Placed, VaultError> {
    let log = archive.logs.vault_origin();
    // What waited at the first look may have its number at the second.
    let (first, waits) = (archive.journal.receipt(log, entry).await?, archive.journal.is_waiting(log).await?);
    let receipt = match first {
        Some(receipt) => receipt,
        None if waits => return Ok(Placed::Waiting),
        None => match archive.journal.receipt(log, entry).await? {
            Some(receipt) => receipt,
            None => return Ok(Placed::Missing),
        },
    };
    let verified = receipt.verify(archive.logs.vault.verifier());
    Ok(Placed::There(Box::new(verified.map_err(|_| StoreError::Corrupt { what: "receipt" })?.entry)))
}
