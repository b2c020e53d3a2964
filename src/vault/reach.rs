//! What a request would touch, as an approver may know it before deciding: counts, small ones suppressed, and how much of
//! it earlier grants of the same person or institution had already.

use super::grants::channels_of;
use super::requests::selection;
use super::{Archive, Rules, VaultError};
use crate::model::{ChannelId, Day, GrantId, ProjectionId, WrittenDay};
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
        if count < SMALL { Self::Small } else { Self::Count(count) }
    }

    /// A count in tens, rounded down: how figures are told that stand beside others. Two that differ by one record are mostly
    /// alike, and what is left of a sum tells no part of it.
    pub(super) const fn tens(count: u64) -> Self {
        Self::of(tens(count))
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
    /// Redacted records that could be read, in tens.
    pub records: Suppressed,
    /// By channel, in tens: every channel of the selection, also one without a record.
    pub by_channel: BTreeMap<ChannelId, Suppressed>,
    /// By month of posting, `2026-05`, in tens: every month from the first to the last, also one without a record.
    pub by_month: BTreeMap<String, Suppressed>,
    /// Percent of the records in which a finding is doubtful, both in tens: fewer than ten count as none.
    pub doubtful_percent: u64,
    /// Records of the channels that are kept but of which no view may be shown, in tens: withheld, flagged, not public.
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
    let month = |day: &str| day.get(..7).unwrap_or("").to_owned();
    let days = covered.iter().map(|one| one.day.as_str());
    let ends = [&selected.from, &selected.until].into_iter().flatten();
    let ends = ends.filter_map(WrittenDay::day).map(Day::as_str);
    let known: BTreeSet<String> = days.chain(ends).map(month).collect();
    Ok(Reach {
        records: Suppressed::tens(records),
        by_channel: suppressed(counted(channels, covered.iter().map(|one| one.channel.clone()))),
        by_month: suppressed(counted(months(&known), covered.iter().map(|one| month(&one.day)))),
        doubtful_percent: percent(tens(tally.doubtful), tens(records)),
        withheld: Suppressed::tens(tally.kept.saturating_sub(published)),
        overlaps: overlaps(archive, request, &covered_ids(&covered)).await?,
    })
}

fn covered_ids(covered: &[CoveredProjection]) -> BTreeSet<ProjectionId> {
    covered.iter().map(|one| one.id).collect()
}

/// Rounded down to tens.
const fn tens(count: u64) -> u64 {
    count - count % SMALL
}

fn percent(part: u64, of: u64) -> u64 {
    (100 * part).checked_div(of).unwrap_or(0)
}

/// How often each key comes by; those that are known stand there also when they never do: that a key stands there tells nothing.
fn counted<K: Ord>(known: impl IntoIterator<Item = K>, keys: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts: BTreeMap<K, u64> = known.into_iter().map(|key| (key, 0)).collect();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// Every month from the first to the last of these, such as `2026-05`.
fn months(known: &BTreeSet<String>) -> Vec<String> {
    let begin = |month: &String| format!("{month}-01").parse::<jiff::civil::Date>().ok();
    let (Some(first), Some(last)) = (known.first().and_then(begin), known.last().and_then(begin)) else {
        return Vec::new();
    };
    let all = first.series(jiff::Span::new().months(1)).take_while(|month| *month <= last);
    all.take(MONTHS_MAX).map(|month| month.strftime("%Y-%m").to_string()).collect()
}

/// A selection that names days of other centuries is not counted month by month.
const MONTHS_MAX: usize = 1_200;

/// The parts of a sum as they may be shown, in tens. Small ones are hidden, and with them the next smallest until there are two
/// or more that add up to ten or more: then neither what is left of the sum nor who knows the sum exactly can tell one of them.
/// A part of which there is none is a small one: give it, or its absence tells that the others are there.
pub(super) fn suppressed<K: Ord>(counts: BTreeMap<K, u64>) -> BTreeMap<K, Suppressed> {
    let mut sizes: Vec<u64> = counts.values().copied().collect();
    sizes.sort_unstable();
    let (mut hidden, mut sum) = (0_usize, 0_u64);
    for size in sizes.iter().copied() {
        if size >= SMALL && (hidden == 0 || (hidden >= 2 && sum >= SMALL)) {
            break;
        }
        (hidden, sum) = (hidden + 1, sum.saturating_add(size));
    }
    // Of parts that are alike, all are hidden or none.
    let largest = hidden.checked_sub(1).and_then(|last| sizes.get(last).copied());
    let show = |count: u64| match largest {
        Some(largest) if count <= largest => Suppressed::Small,
        _ => Suppressed::tens(count),
    };
    counts.into_iter().map(|(key, count)| (key, show(count))).collect()
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

    fn told(all: &[(&str, u64)]) -> Vec<(String, String)> {
        let shown = suppressed(all.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect());
        shown.into_iter().map(|(key, count)| (key, serde_json::to_string(&count).unwrap())).collect()
    }

    fn hidden(all: &[(&str, u64)]) -> String {
        told(all).iter().filter(|(_, count)| count == "\"<10\"").map(|(key, _)| key.as_str()).collect()
    }

    #[test]
    fn a_small_count_cannot_be_told_from_the_others() {
        for (all, expected) in [
            ([("a", 10), ("b", 300), ("c", 40)], ""),
            ([("a", 9), ("b", 300), ("c", 40)], "ac"),
            ([("a", 9), ("b", 300), ("c", 4)], "ac"),
            // Two that add up to 2, each of which must then be 1; none is hidden alone either.
            ([("a", 1), ("b", 1), ("c", 20)], "abc"),
            ([("a", 0), ("b", 0), ("c", 20)], "abc"),
            ([("a", 2), ("b", 12), ("c", 12)], "abc"),
            ([("a", 0), ("b", 0), ("c", 0)], "abc"),
        ] {
            assert_eq!(hidden(&all), expected, "{all:?}");
        }
        assert_eq!(told(&[("a", 29), ("b", 10)]), [("a".into(), "20".into()), ("b".into(), "10".into())]);
        assert_eq!((percent(1, 3), percent(1, 0)), (33, 0));
    }

    #[test]
    fn what_is_hidden_is_two_or_more_that_add_up_to_ten_or_all_there_is() {
        for (a, b, c) in (0..25_u64).flat_map(|a| (0..25).flat_map(move |b| (0..25).map(move |c| (a, b, c))))
        {
            let hidden = hidden(&[("a", a), ("b", b), ("c", c)]);
            let sum: u64 = [("a", a), ("b", b), ("c", c)]
                .iter()
                .filter(|(key, _)| hidden.contains(key))
                .map(|(_, count)| count)
                .sum();
            let all = hidden.len() == 3;
            assert!(hidden.is_empty() || all || (hidden.len() == 2 && sum >= 10), "{a} {b} {c}: {hidden}");
        }
    }

    #[test]
    fn keys_stand_there_whether_or_not_anything_is_counted() {
        let known: BTreeSet<String> = ["2025-11".to_owned(), "2026-02".to_owned()].into();
        assert_eq!(months(&known), ["2025-11", "2025-12", "2026-01", "2026-02"]);
        assert!(months(&BTreeSet::new()).is_empty());
        let counts = counted(months(&known), ["2026-02".to_owned()].into_iter());
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [0, 0, 0, 1]);
        assert_eq!((Suppressed::tens(9), Suppressed::tens(21)), (Suppressed::Small, Suppressed::Count(20)));
    }
}
