//! The second person: sees the exact request, and approves or refuses it once, before it expires.

use super::openings::{self, ShownOpening, Verified, verified, whose};
use super::{Archive, Rules, VaultError, bodies};
use crate::access::Actor;
use crate::ledger::{EntryKind, Pending};
use crate::model::{ActorId, GrantId, PrivateText};
use crate::store::StoreError;
use crate::store::openings::{DecidedBy, OpeningRow, OpeningState};
use serde_json::json;

/// What a second person says.
#[derive(Debug)]
pub enum Verdict {
    /// It may be opened.
    Approve {
        /// The digest of the request as it was seen, in hexadecimal.
        digest: String,
        /// For whom the approver stands in, if for anyone.
        stands_in_for: Option<Person>,
    },
    /// It may not.
    Refuse {
        /// Why.
        reason: PrivateText,
    },
}

/// Someone as their tokens call them.
#[derive(Debug)]
pub struct Person {
    /// Issuer of their tokens.
    pub issuer: String,
    /// Subject of their tokens.
    pub subject: String,
}

/// Approves or refuses a request, once.
///
/// The second person is another person than the one who asked: not under another role, and not as the stand-in of the one
/// who asked either.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`]; [`VaultError::Input`] when it does not wait, has expired, or is not
/// the request that was seen.
pub async fn decide(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
    verdict: Verdict,
) -> Result<ShownOpening, VaultError> {
    let known = archive.openings().opening(id).await?;
    let (organisation, requester) = whose(known.as_ref());
    let now = archive.sources.now();
    if let Err(denial) = rules.access.authorise_approval(actor, &organisation, requester, now) {
        return openings::denied(archive, actor, &denial).await;
    }
    let row = known.ok_or(VaultError::Absent { what: "the request" })?;
    still_waits(archive, &row)?;
    let Verified { row, .. } = verified(archive, row).await?;
    match verdict {
        Verdict::Approve { digest, stands_in_for } => {
            same(&row, &digest)?;
            let stands_in_for = stand_in(archive, row.requester, actor, stands_in_for).await?;
            write(archive, actor, &row, OpeningState::Open, stands_in_for, None).await?;
        }
        Verdict::Refuse { reason } => {
            if reason.expose().trim().chars().count() < REASON_CHARS_MIN {
                return Err(VaultError::Input("say why, in 10 characters or more".to_owned()));
            }
            write(archive, actor, &row, OpeningState::Refused, None, Some(reason)).await?;
        }
    }
    let row = archive.openings().opening(id).await?.ok_or(VaultError::Absent { what: "the request" })?;
    openings::shown(archive, row).await
}

const REASON_CHARS_MIN: usize = 10;

fn still_waits(archive: &Archive, row: &OpeningRow) -> Result<(), VaultError> {
    if row.state != OpeningState::Waiting {
        let state = row.state.as_str();
        return Err(VaultError::Input(format!(
            "the request is `{state}`: only one that waits is decided on, once"
        )));
    }
    if archive.sources.now() >= row.until {
        return Err(VaultError::Input("the request has expired: a new one must be made".to_owned()));
    }
    Ok(())
}

/// The request is the one that the second person saw.
fn same(row: &OpeningRow, digest: &str) -> Result<(), VaultError> {
    if hex::encode(row.digest.as_bytes()) == digest.to_ascii_lowercase() {
        return Ok(());
    }
    Err(VaultError::Input(
        "the digest is not that of the request: read the request, then approve what you read".to_owned(),
    ))
}

/// For whom a second person stands in: never for the first one, and never for themselves.
pub(super) async fn stand_in(
    archive: &Archive,
    first: ActorId,
    actor: &Actor,
    person: Option<Person>,
) -> Result<Option<ActorId>, VaultError> {
    let Some(person) = person else { return Ok(None) };
    let fresh = ActorId::from_uuid(archive.sources.random_id()?);
    let now = archive.sources.now();
    let stands_for = archive.catalogue.actor(&person.issuer, &person.subject, fresh, now).await?;
    if stands_for == first {
        return Err(VaultError::Input("nobody approves as the stand-in of the one who asked".to_owned()));
    }
    if stands_for == actor.id {
        return Err(VaultError::Input("a stand-in stands in for another person: leave it out".to_owned()));
    }
    Ok(Some(stands_for))
}

async fn write(
    archive: &Archive,
    actor: &Actor,
    row: &OpeningRow,
    state: OpeningState,
    stands_in_for: Option<ActorId>,
    reason: Option<PrivateText>,
) -> Result<(), VaultError> {
    let kind = match state {
        OpeningState::Open => EntryKind::DisclosureApproved,
        _ => EntryKind::GrantRefused,
    };
    let text = json!({ "standsInFor": stands_in_for, "reason": reason.as_ref().map(PrivateText::expose) });
    // An epoch does not end between the wrapping of the body's key and the commit.
    let _no_turn = archive.turning.read().await;
    let mut decided = openings::entry(archive, kind, row, actor)?;
    let mut body = None;
    if stands_in_for.is_some() || reason.is_some() {
        let sealed = bodies::seal(archive, &row.organisation, decided.id(), &text)?;
        decided = decided.committing(sealed.commitment);
        body = Some(sealed.body);
    }
    if stands_in_for.is_some() {
        decided = decided.outcome("as-stand-in".parse()?);
    }
    let by = DecidedBy { actor: actor.id, role: actor.role, stands_in_for, at: archive.sources.now() };
    let log = archive.logs.vault_origin();
    match archive.journal.decide_opening(log, row.id, state, by, Pending::event(decided)?, body).await {
        Ok(_recorded) => Ok(()),
        Err(StoreError::Moved) => {
            Err(VaultError::Input("somebody decided on the request, or it expired, just now".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}
