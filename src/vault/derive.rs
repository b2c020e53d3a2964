//! What only originals tell, made for one grant and published as its rows: wider values, hours, what answers what. The reading
//! room never makes any of it from what it has.

use super::conversation::role_word;
use super::names::Names;
use super::publish::{BATCH_RECORDS, open_as};
use super::stored_findings::stored_findings;
use super::{Archive, Rules, VaultError};
use crate::access::SystemActKind;
use crate::capture::Item;
use crate::model::{
    ChannelId, Finding, GrantId, ItemDigest, OrganisationId, ProjectionId, RecordId, Timestamp,
};
use crate::redact::copy::GrantMade;
use crate::redact::{Plan, Projection, Source, SourcePassage, covered, wider_values};
use crate::store::catalogue::{Channel, ExportFacts};
use crate::store::room::{GrantValue, NamedProjection};
use std::collections::{BTreeMap, HashMap};

/// Makes what is missing for every grant. Returns for how many records something was made. A grant for which it fails waits for
/// the next round, and does not keep the others.
///
/// # Errors
/// When the grants cannot be read; the next round goes on.
pub(super) async fn round(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    let mut done = 0;
    for (grant, plan) in archive.room.grants_wanting(archive.sources.now()).await? {
        let Some(plan) = rules.plans.plan(&plan) else {
            tracing::error!(%grant, "the grant's plan is not known any more; nothing is made for it");
            continue;
        };
        match for_grant(archive, rules, grant, plan).await {
            Ok(made) => done += made,
            Err(error) => tracing::error!(%grant, %error, "what a grant shows was not made"),
        }
    }
    Ok(done)
}

async fn for_grant(archive: &Archive, rules: &Rules, grant: GrantId, plan: &Plan) -> Result<u64, VaultError> {
    let (mut done, most) = (0, u32::try_from(BATCH_RECORDS).unwrap_or(u32::MAX));
    loop {
        let waiting = archive.room.unvalued(grant, most).await?;
        let made = make(archive, rules, plan, &waiting).await?;
        let _not_while_copying = archive.copying.lock().await;
        archive.room.values(grant, &made).await?;
        if waiting.is_empty() {
            return Ok(done);
        }
        done += waiting.len() as u64;
    }
}

/// What is made for a batch. One whose original cannot be read has nothing made for it: it is told as the plan tells
/// without.
async fn make(
    archive: &Archive,
    rules: &Rules,
    plan: &Plan,
    waiting: &[NamedProjection],
) -> Result<Vec<GrantValue>, VaultError> {
    let ids: Vec<ProjectionId> = waiting.iter().map(|named| named.id).collect();
    let facts = archive.catalogue.export_facts(&ids).await?;
    let items = open(archive, rules, SystemActKind::DeriveValues, facts.values()).await?;
    let parents = parents(archive, &facts, &items).await?;
    let made = waiting.iter().map(|named| {
        let known = facts.get(&named.id).and_then(|facts| Some((facts, items.get(&facts.record)?)));
        let content =
            known.map(|(facts, item)| of_record(rules, plan, named, facts, item)).unwrap_or_default();
        GrantValue {
            number: named.number,
            parent: known.and_then(|(facts, _)| parents.get(&facts.record).copied()),
            content: serde_json::to_string(&content).unwrap_or_else(|_| "{}".to_owned()),
        }
    });
    Ok(made.collect())
}

fn of_record(
    rules: &Rules,
    plan: &Plan,
    named: &NamedProjection,
    facts: &ExportFacts,
    item: &Item,
) -> GrantMade {
    let time = facts.posted_at.map(hour).map(|time| plan.time().of(&time).to_owned());
    GrantMade { time: time.filter(|time| !time.is_empty()), wider: wider(rules, plan, named, facts, item) }
}

fn wider(
    rules: &Rules,
    plan: &Plan,
    named: &NamedProjection,
    facts: &ExportFacts,
    item: &Item,
) -> Vec<Option<String>> {
    let read = || -> Option<Vec<Option<String>>> {
        let projection: Projection = serde_json::from_str(&named.document).ok()?;
        let findings = stored_findings(&facts.findings)?;
        let covered = covered(&source(item, &findings), rules.projection.redaction()).ok()?;
        wider_values(&projection, &covered, plan)
    };
    let values = read().unwrap_or_default();
    if values.iter().all(Option::is_none) { Vec::new() } else { values }
}

/// A record's texts with what was found in them.
pub(super) fn source<'s>(item: &'s Item, findings: &'s [Vec<Finding>]) -> Source<'s> {
    let passages = item.passages.iter().enumerate().map(|(n, passage)| SourcePassage {
        role: role_word(passage.role),
        text: passage.text.expose(),
        findings: findings.get(n).map_or(&[], Vec::as_slice),
    });
    Source { passages: passages.collect(), metadata: BTreeMap::new() }
}

/// `2026-05-04T10`, in UTC.
pub(super) fn hour(at: Timestamp) -> String {
    at.to_string().get(..13).unwrap_or_default().to_owned()
}

/// Opens the originals of records, an organisation at a time; what cannot be read is absent.
pub(super) async fn open(
    archive: &Archive,
    rules: &Rules,
    kind: SystemActKind,
    of: impl Iterator<Item = &ExportFacts>,
) -> Result<HashMap<RecordId, Item>, VaultError> {
    let mut whose: BTreeMap<OrganisationId, Vec<RecordId>> = BTreeMap::new();
    for facts in of {
        whose.entry(facts.organisation.clone()).or_default().push(facts.record);
    }
    let mut items = HashMap::new();
    for (organisation, mut records) in whose {
        records.sort_unstable();
        for batch in records.chunks(BATCH_RECORDS) {
            items.extend(open_as(archive, rules, kind, &organisation, batch).await?);
        }
    }
    Ok(items)
}

/// The number in the reading room of what each record answers, where that is published.
async fn parents(
    archive: &Archive,
    facts: &HashMap<ProjectionId, ExportFacts>,
    items: &HashMap<RecordId, Item>,
) -> Result<HashMap<RecordId, i64>, VaultError> {
    let channels = channels(archive, facts.values()).await?;
    let mut answered: HashMap<RecordId, ItemDigest> = HashMap::new();
    for facts in facts.values() {
        let name = items.get(&facts.record).and_then(|item| item.in_reply_to.as_ref());
        if let (Some(name), Some(channel)) = (name, channels.get(&facts.channel)) {
            answered.insert(facts.record, Names::of_channel(&archive.digests, channel).item(name));
        }
    }
    let digests: Vec<ItemDigest> = answered.values().copied().collect();
    let known = archive.catalogue.known(&digests).await?;
    let parent = |digest: &ItemDigest| known.get(digest).and_then(|known| known.record);
    let records: Vec<RecordId> = digests.iter().filter_map(parent).collect();
    let projections = archive.catalogue.projections_of(&records).await?;
    let ids: Vec<ProjectionId> = projections.values().copied().collect();
    let numbers = archive.room.numbers(&ids).await?;
    let number = |digest: &ItemDigest| numbers.get(projections.get(&parent(digest)?)?).copied();
    Ok(answered.iter().filter_map(|(record, digest)| Some((*record, number(digest)?))).collect())
}

/// The channels of records.
pub(super) async fn channels(
    archive: &Archive,
    of: impl Iterator<Item = &ExportFacts>,
) -> Result<HashMap<ChannelId, Channel>, VaultError> {
    let mut found = HashMap::new();
    for facts in of {
        if !found.contains_key(&facts.channel)
            && let Some(channel) = archive.catalogue.channel(&facts.channel).await?
        {
            found.insert(facts.channel.clone(), channel);
        }
    }
    Ok(found)
}
