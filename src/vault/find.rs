//! Finding records back: an official searches the vault by name, handle, address, words and period, under a request with
//! scope `find`. What was sought is recorded, sealed, before it runs; the answer is ids and redacted views, capped.

use super::names::Names;
use super::openings::{self, Verified, entry, permitted, verified};
use super::read::{self, VaultRecord};
use super::{Archive, Rules, VaultError, bodies, find_index};
use crate::access::{Action, Actor};
use crate::ledger::{EntryKind, Pending, Thing};
use crate::model::{GrantId, OrganisationId, PrivateText, RecordId, Timestamp};
use crate::redact::Language;
use crate::store::StoreError;
use crate::store::catalogue::{Channel, FindToken, Sought};
use serde_json::json;
use std::collections::BTreeSet;

/// What an official looks for. Everything that is given must hold; at least one of the first four is.
#[derive(Debug, Default)]
pub struct FindQuery {
    /// A name, in a text or of an account.
    pub name: Option<PrivateText>,
    /// The handle of an author or of someone mentioned.
    pub handle: Option<PrivateText>,
    /// The platform's address or id of an item, or an address that is linked to.
    pub address: Option<PrivateText>,
    /// Words of a text.
    pub words: Option<PrivateText>,
    /// Posted on this day or later.
    pub from: Option<Timestamp>,
    /// Posted before this moment.
    pub until: Option<Timestamp>,
    /// After this record: the last of the answer before.
    pub after: Option<RecordId>,
    /// How many at the most, up to [`FOUND_MAX`].
    pub most: u32,
    /// In which language labels are.
    pub language: Language,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The records with their redacted views, where they have one.
    pub records: Vec<VaultRecord>,
    /// Whether there are more.
    pub more: bool,
    /// Searches that are left under the request.
    pub searches_left: u32,
}

/// Most records in one answer.
pub const FOUND_MAX: u32 = 100;

/// Searches the vault under a request.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`]; [`VaultError::Input`] when nothing is sought that narrows it down, or
/// no search is left. When it cannot be recorded nothing is sought.
pub async fn find(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
    query: &FindQuery,
) -> Result<Found, VaultError> {
    let row = permitted(archive, rules, actor, id, Action::FindRecords).await?;
    let Verified { row, file, .. } = verified(archive, row).await?;
    let basis = rules.bases.find(&row.basis);
    let allowed = match rules.access.authorise_find(actor, &file, basis, archive.sources.now()) {
        Ok(allowed) => allowed,
        Err(denial) => return openings::denied(archive, actor, &denial).await,
    };
    let sought = sought(archive, &row.organisation, query).await?;
    let most = basis.map_or(0, |basis| basis.covers().searches_max);
    intend(archive, actor, &row, most, query).await?;
    let mut found = match &sought {
        Some(sought) => archive.catalogue.find(&row.organisation, sought).await?,
        None => Vec::new(),
    };
    let limit = query.most.clamp(1, FOUND_MAX) as usize;
    let more = found.len() > limit;
    found.truncate(limit);
    let mut records = Vec::with_capacity(found.len());
    for record in found {
        let Some(summary) = archive.catalogue.record(record).await? else { continue };
        let view = read::view(archive, rules, &summary, &allowed, query.language).await?;
        records.push(VaultRecord { summary, view, attached: Vec::new() });
    }
    let answered = entry(archive, EntryKind::SearchServed, &row, actor)?
        .about(records.iter().map(|record| Thing::Record(record.summary.id)))
        .counting("records".parse()?, records.len() as u64);
    let log = archive.logs.vault_origin();
    let _recorded = archive.journal.record(log, Pending::event(answered)?, None).await?;
    Ok(Found { records, more, searches_left: most.saturating_sub(row.searches + 1) })
}

/// Records what is sought, before it runs.
async fn intend(
    archive: &Archive,
    actor: &Actor,
    row: &crate::store::openings::OpeningRow,
    most: u32,
    query: &FindQuery,
) -> Result<(), VaultError> {
    let text = |given: &Option<PrivateText>| given.as_ref().map(|text| text.expose().to_owned());
    let body = json!({
        "name": text(&query.name), "handle": text(&query.handle), "address": text(&query.address),
        "words": text(&query.words), "from": query.from, "until": query.until,
    });
    // An epoch does not end between the wrapping of the body's key and the commit.
    let _no_turn = archive.turning.read().await;
    let intended = entry(archive, EntryKind::SearchIntended, row, actor)?;
    let sealed = bodies::seal(archive, &row.organisation, intended.id(), &body)?;
    let pending = Pending::event(intended.committing(sealed.commitment))?;
    match archive.journal.intend_find(archive.logs.vault_origin(), row.id, most, pending, sealed.body).await {
        Ok(_recorded) => Ok(()),
        Err(StoreError::Moved) => Err(VaultError::Input(format!(
            "no search is left: one request covers {most}; make a new one, or the request has just ended"
        ))),
        Err(error) => Err(error.into()),
    }
}

/// What is sought, as tokens; `None` when an address is of no record.
async fn sought(
    archive: &Archive,
    organisation: &OrganisationId,
    query: &FindQuery,
) -> Result<Option<Sought>, VaultError> {
    let channels = archive.catalogue.channels(Some(organisation)).await?;
    let Some(first) = channels.first() else { return Ok(None) };
    // Words and handles are of the organisation, whatever the channel.
    let names = Names::of_channel(&archive.digests, first);
    let given =
        |text: &Option<PrivateText>| text.as_ref().is_some_and(|text| !text.expose().trim().is_empty());
    let too_long = [&query.name, &query.handle, &query.address, &query.words]
        .into_iter()
        .flatten()
        .any(|text| text.expose().len() > QUERY_BYTES_MAX);
    if too_long {
        return Err(VaultError::Input(format!("each thing that is sought may have {QUERY_BYTES_MAX} bytes")));
    }
    let mut sought = Sought {
        from: query.from,
        until: query.until,
        after: query.after,
        most: query.most.clamp(1, FOUND_MAX) + 1,
        ..Sought::default()
    };
    for text in [&query.name, &query.words].into_iter().flatten() {
        let words: BTreeSet<FindToken> = find_index::words(&names, text.expose()).into_iter().collect();
        if words.is_empty() && given(&Some(text.expose().into())) {
            return Err(VaultError::Input(
                "words that stand in nearly every text find nothing: name others".to_owned(),
            ));
        }
        sought.all_of.extend(words.into_iter().map(|word| vec![word]));
    }
    if let Some(handle) = query.handle.as_ref().filter(|_| given(&query.handle)) {
        sought.all_of.push(find_index::handle(&names, handle.expose()));
    }
    if let Some(address) = query.address.as_ref().filter(|_| given(&query.address)) {
        let named = named(archive, &channels, address).await?;
        if named.is_empty() {
            sought.all_of.push(vec![find_index::link(&names, address.expose())]);
        } else {
            sought.among = Some(named);
        }
    }
    sought.all_of.retain(|group| !group.is_empty());
    if sought.all_of.is_empty() && sought.among.is_none() {
        return Err(VaultError::Input(
            "name what is sought: a name, a handle, an address or words".to_owned(),
        ));
    }
    Ok(Some(sought))
}

const QUERY_BYTES_MAX: usize = 1_024;

/// The name of the post that a page of Mastodon shows: `https://host/@user/1` is `https://host/users/user/statuses/1`.
fn page_of_post(page: &str) -> Option<String> {
    let (place, post) = page.rsplit_once('/')?;
    let (host, user) = place.rsplit_once("/@")?;
    (host.contains("://") && !user.contains('/')).then(|| format!("{host}/users/{user}/statuses/{post}"))
}

/// The records that an address or id names on any of the organisation's platforms.
async fn named(
    archive: &Archive,
    channels: &[Channel],
    given: &PrivateText,
) -> Result<Vec<RecordId>, VaultError> {
    let whole = given.expose().trim();
    let path = whole.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let uri = page_of_post(path).unwrap_or_default();
    let forms: BTreeSet<&str> =
        [whole, path, last, uri.as_str()].into_iter().filter(|form| !form.is_empty()).collect();
    let digests: BTreeSet<_> = channels
        .iter()
        .flat_map(|channel| {
            let names = Names::of_channel(&archive.digests, channel);
            forms.iter().map(move |form| names.item(&PrivateText::from(*form))).collect::<Vec<_>>()
        })
        .collect();
    let known = archive.catalogue.known(&digests.into_iter().collect::<Vec<_>>()).await?;
    let records: BTreeSet<RecordId> = known.values().filter_map(|known| known.record).collect();
    Ok(records.into_iter().take(FOUND_MAX as usize).collect())
}
