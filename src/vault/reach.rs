//! What a request would touch, as an approver may know it before deciding: counts, small ones suppressed, and how much of
//! it earlier grants of the same person or institution had already.

use super::grants::channels_of;
use super::requests::selection;
use super::{Archive, Rules, VaultError};
use crate::model::{ChannelId, GrantId, ProjectionId};
use crate::store::catalogue::{GrantRow, RequestRow};
use crate::store::room::{CoveredProjection, PublishedSelection};
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// Counts below this are suppressed (k = 10).
const SMALL: u64 = 10;

/// A count as it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suppressed {
    /// Fewer than ten, or one that would tell a count of fewer than ten by what is left.
    Small,
    /// So many.
    Count(u64),
}

impl Suppressed {
    /// A count as it may be shown.
    pub(super) const fn of(count: u64) -> Self {
        shown(count)
    }

    /// The count, when it is not small.
    pub(super) const fn told(self) -> Option<u64> {
        match self {
            Self::Small => None,
            Self::Count(count) => Some(count),
        }
    }
}

impl Serialize for Suppressed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Small => to.serialize_str("<10"),
            Self::Count(count) => to.serialize_u64(*count),
        }
    }
}

/// What a request would touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// Redacted records that could be read.
    pub records: Suppressed,
    /// By channel.
    pub by_channel: BTreeMap<ChannelId, Suppressed>,
    /// By month of posting, `2026-05`.
    pub by_month: BTreeMap<String, Suppressed>,
    /// Percent of the records in which a finding is doubtful.
    pub doubtful_percent: u64,
    /// Records of the channels that are kept but of which no view may be shown: withheld, flagged, not public.
    pub withheld: Suppressed,
    /// What earlier grants of the same person or institution share with it.
    pub overlaps: Vec<Overlap>,
}

/// What one earlier grant shares with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    /// Which grant.
    pub grant: GrantId,
    /// Whether it was given to the same person; else to the same institution.
    pub same_person: bool,
    /// Percent of what the request touches that the grant had too.
    pub percent: u64,
}

/// Works out what a request would touch.
///
/// # Errors
/// When a database fails, or a channel is not the organisation's.
pub async fn of(archive: &Archive, rules: &Rules, request: &RequestRow) -> Result<Reach, VaultError> {
    let named: Vec<ChannelId> = request.content.selection.channels.iter().cloned().collect();
    let channels = channels_of(archive, &request.organisation, &named).await?;
    let selected = selection(archive, request.requester, &request.content.selection).await?;
    let covered = archive.room.covered(&request.organisation, &channels, &selected).await?;
    let certain = rules.ruleset.thresholds().certain;
    let tally = archive.catalogue.tally(&channels, &covered_ids(&covered), certain).await?;
    let published = archive.room.published_of(&request.organisation, &channels).await?;
    let records = covered.len() as u64;
    let month = |one: &CoveredProjection| one.day.get(..7).unwrap_or("").to_owned();
    Ok(Reach {
        records: shown(records),
        by_channel: suppressed(counted(covered.iter().map(|one| one.channel.clone()))),
        by_month: suppressed(counted(covered.iter().map(month))),
        doubtful_percent: percent(tally.doubtful, records),
        withheld: shown(tally.kept.saturating_sub(published)),
        overlaps: overlaps(archive, request, &covered_ids(&covered)).await?,
    })
}

fn covered_ids(covered: &[CoveredProjection]) -> BTreeSet<ProjectionId> {
    covered.iter().map(|one| one.id).collect()
}

pub(super) const fn shown(count: u64) -> Suppressed {
    if count < SMALL { Suppressed::Small } else { Suppressed::Count(count) }
}

fn percent(part: u64, of: u64) -> u64 {
    (100 * part).checked_div(of).unwrap_or(0)
}

fn counted<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// Small counts are suppressed; where only one is, so is the next smallest: else the sum would tell it.
pub(super) fn suppressed<K: Ord + Clone>(counts: BTreeMap<K, u64>) -> BTreeMap<K, Suppressed> {
    let mut small: BTreeSet<K> =
        counts.iter().filter(|(_, count)| **count < SMALL).map(|(key, _)| key.clone()).collect();
    if small.len() == 1
        && let Some((next, _)) =
            counts.iter().filter(|(key, _)| !small.contains(key)).min_by_key(|(_, n)| **n)
    {
        small.insert(next.clone());
    }
    let show = |(key, count)| {
        let shown = if small.contains(&key) { Suppressed::Small } else { Suppressed::Count(count) };
        (key, shown)
    };
    counts.into_iter().map(show).collect()
}

/// Grants of the same person, and of requests of the same institution, in force or not: what those that run name, and what those
/// that are over, which name nothing any more, select now.
async fn overlaps(
    archive: &Archive,
    request: &RequestRow,
    touched: &BTreeSet<ProjectionId>,
) -> Result<Vec<Overlap>, VaultError> {
    let others = archive.catalogue.requests(Some(&request.organisation)).await?;
    let institution = |name: &str| name.trim().to_lowercase();
    let own = institution(&request.content.institution);
    let of_institution: BTreeSet<GrantId> = others
        .iter()
        .filter(|other| other.id != request.id && institution(&other.content.institution) == own)
        .filter_map(|other| other.grant)
        .collect();
    let all = archive.catalogue.grants().await?;
    let related: Vec<(GrantRow, bool)> = all
        .into_iter()
        .filter(|grant| Some(grant.id) != request.grant)
        .map(|grant| (grant.reader == request.requester, grant))
        .filter(|(same_person, grant)| *same_person || of_institution.contains(&grant.id))
        .map(|(same_person, grant)| (grant, same_person))
        .collect();
    let now = archive.sources.now();
    let running: Vec<GrantId> =
        related.iter().filter(|(grant, _)| grant.active(now)).map(|(grant, _)| grant.id).collect();
    let mut had = archive.room.named_by(&running).await?;
    for (grant, _) in related.iter().filter(|(grant, _)| !grant.active(now)) {
        had.insert(grant.id, selected_by(archive, grant).await?);
    }
    let overlap = |(grant, same_person): (GrantRow, bool)| {
        let shared = had.get(&grant.id).map_or(0, |had| had.intersection(touched).count() as u64);
        Overlap { grant: grant.id, same_person, percent: percent(shared, touched.len() as u64) }
    };
    let found = related.into_iter().map(overlap);
    Ok(found.filter(|overlap| overlap.percent > 0).collect())
}

/// What a grant that is over selects now. Conversations that it named cannot be told any more: of these it selects nothing.
async fn selected_by(archive: &Archive, grant: &GrantRow) -> Result<BTreeSet<ProjectionId>, VaultError> {
    let selected = match &grant.selection {
        Some(asked) => selection(archive, grant.reader, asked).await?,
        None => PublishedSelection::default(),
    };
    let covered = archive.room.covered(&grant.organisation, &grant.channels, &selected).await?;
    Ok(covered_ids(&covered))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_count_cannot_be_told_from_the_others() {
        let counts = |all: &[(&str, u64)]| all.iter().map(|(key, n)| ((*key).to_owned(), *n)).collect();
        let small = |all: &[(&str, u64)]| -> Vec<String> {
            let shown = suppressed(counts(all));
            shown.into_iter().filter(|(_, shown)| *shown == Suppressed::Small).map(|(key, _)| key).collect()
        };
        assert_eq!(small(&[("a", 10), ("b", 300)]), Vec::<String>::new());
        assert_eq!(small(&[("a", 9), ("b", 300), ("c", 40)]), ["a", "c"], "the sum would tell it");
        assert_eq!(small(&[("a", 9), ("b", 300), ("c", 4)]), ["a", "c"]);
        assert_eq!(serde_json::to_value([shown(3), shown(12)]).unwrap(), serde_json::json!(["<10", 12]));
        assert_eq!((percent(1, 3), percent(1, 0)), (33, 0));
    }
}
