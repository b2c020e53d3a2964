//! The officer who checks: who opened what, when, on which legal basis; what was not answered for; what is about to lapse;
//! and a log for everyone, without content.

use super::openings::summary;
use super::read;
use super::{Archive, Rules, VaultError, reviewing, subject_requests};
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, LegalBasisCode, OrganisationId, Timestamp};
use crate::store::oversight::{OpeningTotal, RegisterSelection};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The register of openings of the actor's organisation. That it was read is recorded.
///
/// # Errors
/// [`VaultError::Refused`] for who may not, or storage errors.
pub async fn register(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &RegisterSelection,
) -> Result<Value, VaultError> {
    let organisation = checks(archive, rules, actor).await?;
    let rows = archive.openings().register(&organisation, asked).await?;
    let read = Entry::new(archive.sources.entry_id()?, EntryKind::ViewServed, archive.sources.now())
        .of(organisation)
        .by(actor.id, actor.role)
        .about(rows.iter().take(THINGS_AN_ENTRY).map(|row| Thing::Disclosure(row.id)))
        .counting("register".parse()?, rows.len() as u64);
    let log = archive.logs.vault_origin();
    let _recorded = archive.journal.record(log, Pending::event(read)?, None).await?;
    let people = people(archive, rows.iter().map(|row| row.actor)).await?;
    Ok(json!({ "disclosures": rows, "people": people }))
}

const THINGS_AN_ENTRY: usize = 1_000;

/// Who is behind pseudonyms, for the officer.
async fn people(
    archive: &Archive,
    actors: impl Iterator<Item = ActorId>,
) -> Result<BTreeMap<String, Value>, VaultError> {
    let mut people = BTreeMap::new();
    for actor in actors {
        if let std::collections::btree_map::Entry::Vacant(place) = people.entry(actor.to_string())
            && let Some((issuer, subject)) = archive.catalogue.person_behind(actor).await?
        {
            place.insert(json!({ "issuer": issuer, "subject": subject }));
        }
    }
    Ok(people)
}

/// Totals of a period: by legal basis, and by person.
///
/// # Errors
/// As [`register`].
pub async fn totals(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    from: Timestamp,
    until: Timestamp,
) -> Result<Value, VaultError> {
    let organisation = checks(archive, rules, actor).await?;
    let all = archive.openings().totals(&organisation, from, until).await?;
    let people = people(archive, all.keys().map(|(_, actor)| *actor)).await?;
    let rows: Vec<Value> = all
        .iter()
        .map(|((basis, actor), total)| json!({ "legalBasis": basis, "actor": actor, "intended": total.intended, "served": total.served }))
        .collect();
    Ok(
        json!({ "organisation": organisation, "from": from, "until": until, "totals": rows, "people": people }),
    )
}

/// What wants the officer's attention: openings at once that nobody justified, alarms that nobody got, requests and grants
/// that lapse within so many days, requests of persons concerned that are overdue.
///
/// # Errors
/// As [`register`].
pub async fn attention(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    days: u32,
) -> Result<Value, VaultError> {
    let organisation = checks(archive, rules, actor).await?;
    let now = archive.sources.now();
    let until = now.plus_seconds(i64::from(days) * DAY_SECONDS);
    let openings = archive.openings();
    let shown = |rows: Vec<_>| rows.iter().map(|row| summary(row, now)).collect::<Vec<_>>();
    let unjustified = openings.unjustified(Some(&organisation), now).await?;
    let lapsing = openings.lapsing(&organisation, now, until).await?;
    let grants = archive.catalogue.grants().await?;
    let grants: Vec<Value> = grants
        .iter()
        .filter(|grant| grant.organisation == organisation && grant.active(now) && grant.until < until)
        .map(|grant| json!({ "id": grant.id, "legalBasis": grant.legal_basis, "until": grant.until }))
        .collect();
    let asked = archive.subject_requests().requests(&organisation, REQUESTS_MAX).await?;
    let overdue: Vec<Value> = asked
        .iter()
        .filter(|row| row.closed_at.is_none() && row.due_at <= now)
        .map(|row| subject_requests::summary(row, now))
        .collect();
    let incidents = archive.catalogue.incidents(Some(&organisation)).await?;
    let incidents: Vec<Value> = incidents
        .iter()
        .filter(|row| row.closed_at.is_none())
        .map(|row| super::incidents::summary(row, now))
        .collect();
    let (undelivered, oldest) = openings.alarms_undelivered().await?;
    let queue = reviewing::tally(archive, rules, Some(&organisation)).await?;
    let late: Vec<_> = queue.into_iter().filter(|kind| kind.overdue > 0).collect();
    Ok(json!({
        "unjustified": shown(unjustified), "lapsingOpenings": shown(lapsing), "lapsingGrants": grants,
        "overdueSubjectRequests": overdue, "openIncidents": incidents, "alarmsUndelivered": undelivered, "oldestAlarm": oldest,
        "overdueQueue": late,
    }))
}

const DAY_SECONDS: i64 = 86_400;
const REQUESTS_MAX: u32 = 1_000;

/// Counts below this are not told: neither that there were some, nor that there was none.
pub const SMALL: u64 = 10;
/// A month is told when so many days have passed since its end.
pub const DELAY_DAYS: i64 = 31;

/// The public log: openings that were handed over or may have been, a month and legal basis each, of the actor's organisation,
/// from the month in which it was added. No content, no people, no records; late; small counts not told; legal bases that are
/// secret left out, and it says that such exist.
///
/// # Errors
/// As [`register`].
pub async fn public_log(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<Value, VaultError> {
    let organisation = checks(archive, rules, actor).await?;
    let told_until = archive.sources.now().plus_seconds(-DELAY_DAYS * DAY_SECONDS);
    let mut months = Vec::new();
    // The first month hangs on nothing that was opened: it would tell of one opening, also under a secret basis.
    let since = archive.catalogue.organisation_since(&organisation).await?;
    let mut begins = since.and_then(month_of);
    while let Some(month) = begins {
        let Some(next) = month.checked_add(jiff::Span::new().months(1)).ok() else { break };
        let (Some(from), Some(until)) = (midnight(month), midnight(next)) else { break };
        if until > told_until {
            break;
        }
        let totals = archive.openings().totals(&organisation, from, until).await?;
        months.push(
            json!({ "month": month.strftime("%Y-%m").to_string(), "openings": of_month(rules, &totals) }),
        );
        begins = Some(next);
    }
    let secret = rules.bases.iter().any(|basis| basis.secret());
    Ok(json!({
        "organisation": organisation, "legalBases": rules.bases.version(), "delayDays": DELAY_DAYS,
        "fewerThanIsNotTold": SMALL, "months": months, "secretBasesExistAndAreLeftOut": secret,
    }))
}

/// Every legal basis that is not secret, each month: one that was not used looks like one that was used little.
fn of_month(rules: &Rules, totals: &BTreeMap<(LegalBasisCode, ActorId), OpeningTotal>) -> Vec<Value> {
    let open = rules.bases.iter().filter(|basis| !basis.secret());
    open.map(|basis| {
        let of = totals.iter().filter(|((code, _), _)| code == basis.code());
        let count: u64 = of.map(|(_, total)| total.opened).sum();
        let told = if count < SMALL { json!({ "fewerThan": SMALL }) } else { json!(count) };
        json!({ "legalBasis": basis.code(), "label": { "nl": basis.label_nl(), "en": basis.label_en() }, "count": told })
    })
    .collect()
}

fn month_of(at: Timestamp) -> Option<jiff::civil::Date> {
    let day = at.date();
    jiff::civil::Date::new(day.year(), day.month(), 1).ok()
}

fn midnight(day: jiff::civil::Date) -> Option<Timestamp> {
    format!("{day}T00:00:00Z").parse().ok()
}

async fn checks(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<OrganisationId, VaultError> {
    let organisation = actor.organisation.clone();
    let resource = Resource::Registry { organisation: organisation.clone() };
    read::authorise(archive, rules, actor, Action::ReadRegister, &resource).await?;
    Ok(organisation)
}
