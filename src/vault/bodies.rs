//! Bodies of entries: the free text about people that the ledger does not hold.

use super::{Archive, VaultError};
use crate::ledger::{Entry, EntryId, EntryKind, Pending, Thing};

/// Erases the body of an entry with its salt, and records that. The entry, its receipt and every checkpoint hold as
/// before; what the body said is gone with its only copy here. `false`, and nothing recorded, when there is none.
///
/// # Errors
/// When storage fails; nothing is then erased.
pub async fn erase(archive: &Archive, entry: EntryId) -> Result<bool, VaultError> {
    let (sources, log) = (&archive.sources, archive.logs.vault_origin());
    let erased = Entry::new(sources.entry_id()?, EntryKind::DataErased, sources.now())
        .about([Thing::Entry(entry)])
        .counting("bodies".parse()?, 1);
    Ok(archive.journal.erase_body(log, entry, Pending::event(erased)?).await?)
}
