//! Publishing by decision: an organisation decides that everyone may read redacted views of a selection. Without such a
//! decision nobody with the role `public` sees a record.
//!
//! A publication is a grant to everyone: it has names of its own for what it covers, a plan that shows kinds only, an end, and
//! is withdrawn at once. What it covers follows the archive: what is withdrawn, restricted or destroyed leaves it too.

use super::grants::{channels_of, published};
use super::{Archive, Rules, VaultError, read};
use crate::access::grant_file::Selection;
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, ChannelId, Day, GrantId, LegalBasisCode, OrganisationId, Timestamp};
use crate::redact::CopyForm;
use crate::store::catalogue::{GrantRow, OutboxRow};
use crate::store::room::{EVERYONE, PublishedSelection};

/// The redaction plan of what is published: the one that the policies name for the role `public`.
const PLAN: &str = "public";

/// What is to be published.
#[derive(Debug, Clone)]
pub struct Publishing {
    /// Whose records.
    pub organisation: OrganisationId,
    /// The decision that it rests on, by its reference.
    pub document: String,
    /// Under which legal basis.
    pub legal_basis: LegalBasisCode,
    /// Which channels; all of the organisation's when empty.
    pub channels: Vec<ChannelId>,
    /// Posted on this day or after, `2026-05-04`.
    pub from_day: Option<Day>,
    /// Posted on this day or before.
    pub until_day: Option<Day>,
    /// Until when it is public.
    pub until: Timestamp,
}

/// Publishes a selection, on the word of whoever holds the data folder or of a records manager of the organisation.
///
/// # Errors
/// [`VaultError::Refused`] or [`VaultError::Absent`] for whoever may not publish; [`VaultError::Input`] when no document is
/// named, a channel is not the organisation's, the days end before they begin, or it would be over before it began.
pub async fn publish(
    archive: &Archive,
    rules: &Rules,
    asked: Publishing,
    by: Option<&Actor>,
) -> Result<GrantRow, VaultError> {
    may_publish(archive, rules, &asked.organisation, by).await?;
    let channels = channels_of(archive, &asked.organisation, &asked.channels).await?;
    let now = archive.sources.now();
    if asked.until <= now {
        return Err(VaultError::Input(format!("it would end at {}, which is past", asked.until)));
    }
    if asked.document.trim().is_empty() {
        return Err(VaultError::Input("a publication names the decision that it rests on".to_owned()));
    }
    if !rules.plans.offers(PLAN, CopyForm::View) {
        return Err(VaultError::Input(format!(
            "redaction plan `{PLAN}` is not known, or has no `view` among its forms: mend policies/redaction-plans.yaml"
        )));
    }
    if let (Some(from), Some(until)) = (&asked.from_day, &asked.until_day)
        && from > until
    {
        return Err(VaultError::Input(format!(
            "the selection begins on {from} and ends before it, on {until}: mend `from-day` or `until-day`"
        )));
    }
    let (realm, everyone) = EVERYONE;
    let fresh = ActorId::from_uuid(archive.sources.random_id()?);
    let reader = archive.catalogue.actor(realm, everyone, fresh, now).await?;
    let within = PublishedSelection {
        from: asked.from_day.clone().map(Into::into),
        until: asked.until_day.clone().map(Into::into),
        ..PublishedSelection::default()
    };
    let days = within != PublishedSelection::default();
    let publication = GrantRow {
        id: GrantId::from_uuid(archive.sources.random_id()?),
        organisation: asked.organisation,
        reader,
        purpose: asked.document,
        legal_basis: asked.legal_basis,
        channels,
        selection: days.then(|| Selection {
            from: asked.from_day.map(Into::into),
            until: asked.until_day.map(Into::into),
            ..Selection::default()
        }),
        plan: PLAN.to_owned(),
        approved_at: now,
        until: asked.until,
        revoked_at: None,
        lapsed_at: None,
    };
    let down = published(
        &publication,
        (realm.to_owned(), everyone.to_owned()),
        days.then_some(within),
        Vec::new(),
        (false, false),
    );
    let pending = Pending::event(entry(archive, EntryKind::RecordsPublished, &publication, by)?)?;
    let log = archive.logs.vault_origin();
    let _recorded = archive.catalogue.add_grant(log, &publication, down, pending, now).await?;
    archive.journal.wake();
    Ok(publication)
}

/// Withdraws a publication at once: nobody reads under it any more.
///
/// # Errors
/// As [`publish`]; [`VaultError::Absent`] when there is none in force of that id.
pub async fn withdraw(
    archive: &Archive,
    rules: &Rules,
    id: GrantId,
    by: Option<&Actor>,
) -> Result<(), VaultError> {
    let absent = || VaultError::Absent { what: "a publication in force of that id" };
    let known = list(archive, None).await?.into_iter().find(|publication| publication.id == id);
    // One that is not there is asked about as nobody's, so that it looks like another organisation's.
    let owner = known.as_ref().map_or_else(read::nobody, |publication| publication.organisation.clone());
    may_publish(archive, rules, &owner, by).await?;
    let publication = known.ok_or_else(absent)?;
    let pending = Pending::event(entry(archive, EntryKind::RecordsWithdrawn, &publication, by)?)?;
    let down = OutboxRow { kind: "revocation", payload: id.to_string() };
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    if archive.catalogue.revoke_grant(log, id, down, pending, now).await? { Ok(()) } else { Err(absent()) }
}

/// Publications, in force or not, newest first; of one organisation or of all.
///
/// # Errors
/// When the database fails.
pub async fn list(
    archive: &Archive,
    organisation: Option<&OrganisationId>,
) -> Result<Vec<GrantRow>, VaultError> {
    let Some(reader) = everyone(archive).await? else { return Ok(Vec::new()) };
    let of = |grant: &GrantRow| {
        grant.reader == reader && organisation.is_none_or(|organisation| grant.organisation == *organisation)
    };
    Ok(archive.catalogue.grants().await?.into_iter().filter(of).collect())
}

/// Whom publications are for, as the ledger knows them; `None` when nothing was ever published.
pub(super) async fn everyone(archive: &Archive) -> Result<Option<ActorId>, VaultError> {
    let (realm, name) = EVERYONE;
    Ok(archive.catalogue.known_actor(realm, name).await?)
}

async fn may_publish(
    archive: &Archive,
    rules: &Rules,
    organisation: &OrganisationId,
    by: Option<&Actor>,
) -> Result<(), VaultError> {
    let Some(actor) = by else { return Ok(()) };
    let records = Resource::VaultRecord { organisation: organisation.clone(), assigned: None };
    read::authorise(archive, rules, actor, Action::PublishRecord, &records).await.map(drop)
}

fn entry(
    archive: &Archive,
    kind: EntryKind,
    publication: &GrantRow,
    by: Option<&Actor>,
) -> Result<Entry, VaultError> {
    let entry = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(publication.organisation.clone())
        .on(publication.legal_basis.clone())
        .outcome("to-everyone".parse()?)
        .about([Thing::Grant(publication.id)]);
    Ok(match by {
        Some(actor) => entry.by(actor.id, actor.role),
        None => entry,
    })
}
