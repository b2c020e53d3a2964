//! Bodies of entries: the free text about people that the ledger does not hold.

use super::{Archive, VaultError};
use crate::ledger::{Body, BodyCommitment, Entry, EntryId, EntryKind, Pending, Salt, Thing};
use crate::model::{OrganisationId, PrivateText};
use crate::seal::{BodyKeys, FragmentKey, Nonce, SegmentKey, open_body, seal_body};
use crate::store::StoreError;
use crate::store::journal::SealedBody;
use zeroize::Zeroizing;

/// A body ready to be written with its entry.
pub(super) struct Sealed {
    /// What the entry commits to.
    pub commitment: BodyCommitment,
    /// The sealed bytes.
    pub body: SealedBody,
}

/// Seals a JSON text as the body of `entry`, under a key of its own, wrapped by the organisation's master key: erasable
/// one by one. The caller holds off turns of keys until it is written.
///
/// # Errors
/// When a key cannot be had or the random source fails.
pub(super) fn seal(
    archive: &Archive,
    organisation: &OrganisationId,
    entry: EntryId,
    json: &serde_json::Value,
) -> Result<Sealed, VaultError> {
    let sources = &archive.sources;
    let body = Body::new(PrivateText::new(json.to_string()));
    let salt = Salt::from_bytes(*sources.secret::<32>()?);
    let nonce = || Ok::<_, VaultError>(Nonce::from_bytes(*sources.secret::<12>()?));
    let keys = BodyKeys {
        segment: SegmentKey::from_bytes(&*sources.secret::<32>()?),
        fragment: FragmentKey::from_bytes(&*sources.secret::<32>()?),
        nonces: [nonce()?, nonce()?, nonce()?],
    };
    let mut plain = Zeroizing::new(salt.as_bytes().to_vec());
    plain.extend_from_slice(body.text().expose().as_bytes());
    let sealed = seal_body(&*archive.keyring, organisation, entry.uuid(), keys, &plain)?;
    Ok(Sealed { commitment: body.commitment(&salt), body: SealedBody(sealed) })
}

/// The JSON text of the body of `entry`; `None` when it was erased.
///
/// # Errors
/// When storage or the keyring fails, or the body is not that of the entry.
pub(super) async fn read(
    archive: &Archive,
    organisation: &OrganisationId,
    entry: EntryId,
) -> Result<Option<Zeroizing<String>>, VaultError> {
    // An epoch does not end between the body's row and its use.
    let _no_turn = archive.turning.read().await;
    let Some(SealedBody(sealed)) = archive.journal.body(entry).await? else { return Ok(None) };
    let plain = open_body(&*archive.keyring, organisation, entry.uuid(), &sealed)?;
    let damaged = StoreError::Corrupt { what: "sealed body of an entry" };
    let text = plain.get(SALT_BYTES..).and_then(|text| std::str::from_utf8(text).ok());
    Ok(Some(Zeroizing::new(text.ok_or(damaged)?.to_owned())))
}

const SALT_BYTES: usize = 32;

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
