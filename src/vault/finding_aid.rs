//! The finding aid of a grant: what was harvested and when, where there are gaps, which tree and profile were in force, how much is
//! withheld and why, and how well the detector was measured to find. Counts as small as would tell of one record are not told.
//!
//! It is made anew every day for each grant in force, and goes down as a row of the grant.

use super::reach::Suppressed;
use super::{Archive, DEFAULT_TREE, Rules, VaultError};
use crate::decide::DEFAULT_PROFILE;
use crate::model::{GrantId, Timestamp};
use crate::store::catalogue::{CaptureState, Channel, ChannelFact, Fact, GrantRow, NoView};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A finding aid is made anew when it is older than this.
const AGE_SECONDS: i64 = 86_400;

/// Makes the finding aids that are missing or a day old. Returns how many.
///
/// # Errors
/// When a database fails: the next round goes on.
pub async fn renew(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    let now = archive.sources.now();
    let due = archive.room.without_finding_aid(now.plus_seconds(-AGE_SECONDS), now).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let grants = archive.catalogue.grants().await?;
    let mut made = 0;
    for (id, _) in due {
        let Some(grant) = grants.iter().find(|grant| grant.id == id) else { continue };
        let aid = of_grant(archive, rules, grant).await?;
        archive.room.finding_aid(id, now, &aid.to_string()).await?;
        made += 1;
    }
    Ok(made)
}

/// The finding aid of a grant as it is now.
///
/// # Errors
/// [`VaultError::Absent`] when there is no such grant.
pub async fn of(archive: &Archive, rules: &Rules, id: GrantId) -> Result<Value, VaultError> {
    let grants = archive.catalogue.grants().await?;
    let grant = grants.into_iter().find(|grant| grant.id == id);
    of_grant(archive, rules, &grant.ok_or(VaultError::Absent { what: "the grant" })?).await
}

async fn of_grant(archive: &Archive, rules: &Rules, grant: &GrantRow) -> Result<Value, VaultError> {
    let now = archive.sources.now();
    let organisations = archive.catalogue.organisations().await?;
    let name = organisations.iter().find(|(id, _)| *id == grant.organisation).map(|(_, name)| name.clone());
    let mut channels = Vec::with_capacity(grant.channels.len());
    for id in &grant.channels {
        if let Some(channel) = archive.catalogue.channel(id).await? {
            channels.push(of_channel(archive, &channel, now).await?);
        }
    }
    let selection = grant.selection.as_ref().map(|of| {
        json!({ "from": of.from, "until": of.until, "words": of.words, "conversations": of.conversations.len() })
    });
    let origin = archive.logs.vault_origin().as_str();
    Ok(json!({
        "grant": grant.id,
        "archive": origin.rsplit_once('/').map_or(origin, |(name, _)| name),
        "organisation": grant.organisation,
        "organisationName": name,
        "madeAt": now,
        "until": grant.until,
        "plan": grant.plan,
        "selection": selection,
        "records": Suppressed::of(archive.room.named(grant.id).await?),
        "ruleset": rules.ruleset.version(),
        "measured": rules.measured.figures(),
        "caveat": rules.measured.caveat(),
        "channels": channels,
    }))
}

async fn of_channel(archive: &Archive, channel: &Channel, now: Timestamp) -> Result<Value, VaultError> {
    let catalogue = &archive.catalogue;
    let facts = catalogue.channel_facts(&channel.id).await?;
    let captures: Vec<Value> = catalogue
        .captures_held(&channel.id)
        .await?
        .iter()
        .map(|held| {
            json!({
                "format": held.format, "count": Suppressed::of(held.count), "whole": held.state == CaptureState::Complete,
                "firstAt": held.first_at.day(), "lastAt": held.last_at.day(),
            })
        })
        .collect();
    let by_day = catalogue.posted_by_day(&channel.id).await?;
    let (all, without) = catalogue.no_views(&channel.id).await?;
    let published =
        archive.room.published_of(&channel.organisation, std::slice::from_ref(&channel.id)).await?;
    Ok(json!({
        "channel": channel.id, "platform": channel.platform, "account": channel.account, "kind": channel.kind,
        "captures": captures,
        "firstDay": by_day.keys().next().and_then(|day| day_of(*day)),
        "lastDay": by_day.keys().next_back().and_then(|day| day_of(*day)),
        "monthsWithout": gaps(&by_day),
        "trees": in_force(&facts, Fact::Tree, DEFAULT_TREE, now),
        "profiles": in_force(&facts, Fact::Profile, DEFAULT_PROFILE, now),
        "withheld": withheld(all, published, without),
    }))
}

/// What was in force for a channel, with its dates; the default where nothing was ever chosen.
fn in_force(facts: &[ChannelFact], fact: Fact, default: &str, now: Timestamp) -> Vec<Value> {
    let chosen: Vec<Value> = facts
        .iter()
        .filter(|one| one.fact == fact && one.from <= now)
        .map(|one| json!({ "id": one.value, "from": one.from.day(), "until": one.until.map(Timestamp::day) }))
        .collect();
    if chosen.is_empty() { vec![json!({ "id": default })] } else { chosen }
}

/// Shares of the records without a view, by why: what the catalogue gives no reason for was not certain enough to show. A
/// reason of few records is told with the others.
fn withheld(all: u64, published: u64, mut without: BTreeMap<NoView, u64>) -> Value {
    let known: u64 = without.values().sum();
    *without.entry(NoView::Other).or_default() += all.saturating_sub(published).saturating_sub(known);
    let hidden: u64 = without.values().sum();
    let word = |why: &NoView| match why {
        NoView::NotArchived => "not-archived",
        NoView::NotPublic => "not-public",
        NoView::Deleted => "deleted-or-superseded",
        NoView::Flagged => "special-category-or-minor",
        NoView::Other => "other",
    };
    let told = |count: u64| Suppressed::of(count).told();
    let reasons: BTreeMap<&str, Value> = without
        .iter()
        .filter_map(|(why, count)| told(*count).map(|count| (word(why), json!(percent(count, all)))))
        .collect();
    // With the share of all and every reason but one, that one could be told: the share of all is in whole percents.
    json!({
        "percent": told(hidden).map(|count| percent(count, all)),
        "records": Suppressed::of(all),
        "percentByReason": reasons,
    })
}

fn percent(part: u64, of: u64) -> u64 {
    (100 * part).checked_div(of).unwrap_or(0)
}

/// The months between the first and the last posting of which nothing is held, `2026-05`.
fn gaps(by_day: &BTreeMap<i64, u64>) -> Vec<String> {
    let months: BTreeSet<String> = by_day
        .keys()
        .filter_map(|day| day_of(*day))
        .filter_map(|day| day.get(..7).map(str::to_owned))
        .collect();
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return Vec::new() };
    let begin = |month: &String| format!("{month}-01").parse::<jiff::civil::Date>().ok();
    let (Some(mut at), Some(last)) = (begin(first), begin(last)) else { return Vec::new() };
    let mut found = Vec::new();
    while at < last && found.len() < MONTHS_MAX {
        let month = at.strftime("%Y-%m").to_string();
        if !months.contains(&month) {
            found.push(month);
        }
        let Ok(next) = at.checked_add(jiff::Span::new().months(1)) else { break };
        at = next;
    }
    found
}

const MONTHS_MAX: usize = 1_200;

fn day_of(days: i64) -> Option<String> {
    Timestamp::from_micros(days.checked_mul(86_400_000_000)?).map(Timestamp::day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_between_without_anything_are_gaps() {
        let day =
            |text: &str| format!("{text}T00:00:00Z").parse::<Timestamp>().unwrap().micros() / 86_400_000_000;
        let by_day = BTreeMap::from([(day("2025-11-03"), 4), (day("2026-02-28"), 1), (day("2026-04-01"), 9)]);
        assert_eq!(gaps(&by_day), ["2025-12", "2026-01", "2026-03"]);
        assert!(gaps(&BTreeMap::new()).is_empty());
        assert_eq!(day_of(day("2026-02-28")).as_deref(), Some("2026-02-28"));
    }

    #[test]
    fn a_reason_of_few_records_is_not_told() {
        let shown = withheld(1_000, 880, BTreeMap::from([(NoView::Flagged, 9), (NoView::Deleted, 100)]));
        assert_eq!(shown["percentByReason"], json!({ "deleted-or-superseded": 10, "other": 1 }));
        assert_eq!((&shown["percent"], &shown["records"]), (&json!(12), &json!(1_000)));
        let few = withheld(4, 1, BTreeMap::from([(NoView::Flagged, 3)]));
        assert_eq!(few, json!({ "percent": null, "records": "<10", "percentByReason": {} }));
    }
}
