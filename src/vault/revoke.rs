//! Revoking a token, a subject or a person at once, on both planes; and lifting it.
//!
//! In one transaction: the revocation in the words of the tokens (the vault only), its ledger entry (codes and
//! pseudonyms), and what goes down: a digest. It then goes down at once, past whatever else waits; should that fail,
//! the outbox brings it within a second of the reading room's database being there again. Both planes look revocations
//! up at every request, however long a token was known to be good.

use super::{Archive, VaultError};
use crate::ledger::{Code, Entry, EntryKind, Pending, Thing};
use crate::model::{Revocation, RevocationDigest, RevocationId, RevocationKind, RevocationReason, Revoked};
use crate::store::catalogue::OutboxRow;
use tokio::sync::Mutex;

/// The kind of outbox items that name a digest whose standing changed.
pub(super) const IDENTITY: &str = "identity";

/// What holds for a digest is read and brought down by one at a time, so that an older answer never comes last.
static IN_ORDER: Mutex<()> = Mutex::const_new(());

/// Revokes what is named.
///
/// # Errors
/// [`VaultError::Input`] when it is revoked already; storage errors, and then it may not be known in the reading room
/// yet: it is tried again every half second.
pub async fn revoke(
    archive: &Archive,
    revoked: Revoked,
    reason: RevocationReason,
) -> Result<Revocation, VaultError> {
    let sources = &archive.sources;
    let id = RevocationId::from_uuid(sources.random_id()?);
    let revocation = Revocation { id, revoked, reason, revoked_at: sources.now(), lifted_at: None };
    let pending = Pending::event(entry(archive, EntryKind::IdentityRevoked, &revocation).await?)?;
    let digest = revocation.revoked.digest();
    let log = archive.logs.vault_origin();
    let outbox = row(&digest);
    if !archive.catalogue.revoke_identity(log, &revocation, outbox, pending).await? {
        return Err(VaultError::Input(format!("that {} is revoked already", revocation.revoked.kind)));
    }
    archive.journal.wake();
    bring_down(archive, &digest).await?;
    Ok(revocation)
}

/// Lifts a revocation.
///
/// # Errors
/// [`VaultError::Absent`] when there is no such revocation in force; storage errors as for [`revoke`].
pub async fn lift(archive: &Archive, id: RevocationId) -> Result<Revocation, VaultError> {
    let absent = || VaultError::Absent { what: "a revocation in force of that id" };
    let known = archive.catalogue.revocations().await?;
    let revocation = known.into_iter().find(|known| known.id == id).ok_or_else(absent)?;
    let pending = Pending::event(entry(archive, EntryKind::IdentityRestored, &revocation).await?)?;
    let digest = revocation.revoked.digest();
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    if !archive.catalogue.lift_revocation(log, id, row(&digest), pending, now).await? {
        return Err(absent());
    }
    archive.journal.wake();
    bring_down(archive, &digest).await?;
    Ok(Revocation { lifted_at: Some(now), ..revocation })
}

/// Brings down every revocation in force, and takes away what is not: before a service begins, whichever database of the
/// two was put back from a copy.
///
/// # Errors
/// When either database fails.
pub async fn bring_all_down(archive: &Archive) -> Result<(), VaultError> {
    let _in_order = IN_ORDER.lock().await;
    let known = archive.catalogue.revocations().await?;
    let in_force = known.iter().filter(|known| known.lifted_at.is_none());
    let digests: Vec<RevocationDigest> = in_force.map(|known| known.revoked.digest()).collect();
    Ok(archive.room.refuse_exactly(&digests).await?)
}

/// Brings down what holds for the digest that an outbox item names.
pub(super) async fn take_down(archive: &Archive, payload: &str) -> Result<(), VaultError> {
    let unreadable = || VaultError::Input("the outbox holds something this version cannot read".to_owned());
    let bytes = hex::decode(payload).ok().and_then(|bytes| bytes.try_into().ok());
    let digest: RevocationDigest = bytes.ok_or_else(unreadable)?;
    bring_down(archive, &digest).await
}

/// What holds now, not what held when it was sent: items of the outbox can be taken twice and late.
async fn bring_down(archive: &Archive, digest: &RevocationDigest) -> Result<(), VaultError> {
    let _in_order = IN_ORDER.lock().await;
    let refused = archive.catalogue.is_revoked(std::slice::from_ref(digest)).await?;
    Ok(archive.room.refuse_identity(digest, refused).await?)
}

fn row(digest: &RevocationDigest) -> OutboxRow {
    OutboxRow { kind: IDENTITY, payload: hex::encode(digest) }
}

/// What was revoked as a code, why as a code, and whom by the pseudonym that the ledger knows already, if it does.
async fn entry(archive: &Archive, kind: EntryKind, revocation: &Revocation) -> Result<Entry, VaultError> {
    let revoked = &revocation.revoked;
    let actor = match revoked.kind {
        RevocationKind::Token => None,
        RevocationKind::Subject | RevocationKind::Person => archive.catalogue.actor_if_known(revoked).await?,
    };
    let (what, why): (Code, Code) = (revoked.kind.as_str().parse()?, revocation.reason.as_str().parse()?);
    Ok(Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .about([Thing::Revocation(revocation.id)])
        .about(actor.map(Thing::Actor))
        .outcome(what)
        .because([why]))
}
