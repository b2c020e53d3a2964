//! What goes down: conversations computed anew where they must be, then everything in the outbox, in order.

use super::conversation::{Facts, Member, compute, named_in};
use super::cores::on_every_core;
use super::ingest::publish_row;
use super::layout::{Layout, part_role};
use super::names::Names;
use super::originals::{self, Fetched};
use super::{Archive, Rules, VaultError, exports, incidents, revoke};
use crate::access::{SystemAct, SystemActKind};
use crate::capture::{Format, Item, PartRole, reread};
use crate::ledger::{Entry, EntryKind, Pending, Recorded, Thing};
use crate::model::{
    ConversationId, GrantId, ItemKind, OrganisationId, Outcome, PermitId, ProjectionId, RecordId, Timestamp,
};
use crate::seal::{self, OpenError, Original};
use crate::store::catalogue::{self, Channel};
use crate::store::room::{
    PublishedConversation, PublishedExport, PublishedGrant, PublishedRecall, PublishedRequest,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Records opened under one entry: a leaf of the ledger names them all.
pub(super) const BATCH_RECORDS: usize = 1_000;

/// How long a conversation that failed waits, in seconds.
const RETRY_SECONDS: i64 = 60;

/// Conversations looked up at a time.
const STALE_ROUND: u32 = 64;

/// Computes every stale conversation anew. Returns how many were. One that fails is logged, goes to the end of the
/// row, and does not stand in the way of the others; what was published of it stays until it can be computed.
///
/// # Errors
/// When the catalogue cannot be read.
pub async fn refresh_stale(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    let began = archive.sources.now();
    let mut done = 0;
    loop {
        let stale = archive.catalogue.stale_conversations(began, STALE_ROUND).await?;
        if stale.is_empty() {
            return Ok(done);
        }
        for conversation in stale {
            match refresh(archive, rules, conversation).await {
                Ok(()) => done += 1,
                Err(error) => {
                    tracing::error!(%conversation, %error, "conversation could not be computed anew");
                    archive
                        .catalogue
                        .postpone_stale(conversation, archive.sources.now().plus_seconds(RETRY_SECONDS))
                        .await?;
                }
            }
        }
    }
}

/// Computes one conversation anew from its originals, as a recorded system act.
///
/// # Errors
/// As [`refresh_stale`].
pub async fn refresh(
    archive: &Archive,
    rules: &Rules,
    conversation: ConversationId,
) -> Result<(), VaultError> {
    let _one_at_a_time = archive.intake.lock().await;
    let members = archive.catalogue.members(conversation).await?;
    withdraw_unreadable(archive, &members).await?;
    let items = open_members(archive, rules, &members).await?;
    let channel = match members.first() {
        Some(first) => archive.catalogue.channel(&first.channel).await?,
        None => None,
    };
    let whole = items.len() == members.len();
    let causes = causes(rules, &members);
    let mut computed = match channel {
        // Without one of its members the dictionary is not whole: a name that only that one tells would be read.
        Some(_) if !whole => super::conversation::Computed::withheld(conversation, members.len() as u64),
        Some(channel) => compute_anew(archive, rules, conversation, channel, members, items).await?,
        None => super::conversation::Computed::empty(conversation),
    };
    limit(archive, &mut computed).await?;
    let sources = &archive.sources;
    let published = computed.published.projections.len() as u64;
    let entry = Entry::new(sources.entry_id()?, EntryKind::RecordsPublished, sources.now())
        .about([Thing::Conversation(conversation)])
        .counting("projections".parse()?, published)
        .counting("withheld-uncertain".parse()?, computed.uncertain)
        .counting("withheld-flagged".parse()?, computed.flagged);
    let missed = missed(&computed.missed, &causes, sources.now());
    let mut outbox = vec![publish_row(&computed.published)];
    if !missed.is_empty() {
        let replaced: Vec<ProjectionId> = missed.iter().map(|row| row.projection).collect();
        let payload = serde_json::to_string(&replaced).unwrap_or_default();
        outbox.push(catalogue::OutboxRow { kind: incidents::REPLACED, payload });
    }
    let anew = catalogue::Refreshed {
        conversation,
        ruleset: rules.ruleset.version(),
        findings: &computed.findings,
        flags: &computed.flags,
        doubtful: &computed.doubtful,
        found_by: &computed.found_by,
        subjects: &computed.subjects,
        missed: &missed,
        outbox,
    };
    let _recorded: Recorded = archive
        .catalogue
        .refreshed(archive.logs.vault_origin(), anew, Pending::event(entry)?, sources.now())
        .await?;
    archive.journal.wake();
    Ok(())
}

/// Publishes what only grants may have that name what it shows, for those that do. Which these are is known here; the reading room
/// hears of no flag.
async fn limit(archive: &Archive, computed: &mut super::conversation::Computed) -> Result<(), VaultError> {
    if computed.limited.is_empty() {
        return Ok(());
    }
    let (now, grants) = (archive.sources.now(), archive.catalogue.grants().await?);
    for (mut projection, kinds) in std::mem::take(&mut computed.limited) {
        let names = |grant: &&catalogue::GrantRow| {
            let named = grant.selection.as_ref().is_some_and(|of| kinds.is_subset(&of.special_categories));
            named && grant.active(now) && grant.channels.contains(&projection.channel)
        };
        let only_for: Vec<GrantId> = grants.iter().filter(names).map(|grant| grant.id).collect();
        if !only_for.is_empty() {
            projection.only_for = Some(only_for);
            computed.published.projections.push(projection);
        }
    }
    computed.published.projections.sort_by_key(|projection| projection.position);
    Ok(())
}

/// What would have found what was missed in each record: another ruleset, a reviewer, or somebody new in the conversation.
fn causes(rules: &Rules, members: &[catalogue::Member]) -> HashMap<RecordId, (OrganisationId, String)> {
    let cause = |member: &catalogue::Member| {
        if member.ruleset != rules.ruleset.version() {
            return rules.ruleset.version().to_owned();
        }
        if member.assessed.is_empty() { "conversation" } else { "review" }.to_owned()
    };
    members.iter().map(|member| (member.record, (member.organisation.clone(), cause(member)))).collect()
}

fn missed(
    found: &[(ProjectionId, RecordId)],
    causes: &HashMap<RecordId, (OrganisationId, String)>,
    found_at: Timestamp,
) -> Vec<catalogue::MissedRow> {
    let row = |(projection, record): &(ProjectionId, RecordId)| {
        let (organisation, cause) = causes.get(record)?.clone();
        let (projection, record) = (*projection, *record);
        Some(catalogue::MissedRow { projection, record, organisation, cause, found_at, replaced_at: None })
    };
    found.iter().filter_map(row).collect()
}

/// The items of all members, opened as a recorded system act.
async fn open_members(
    archive: &Archive,
    rules: &Rules,
    members: &[catalogue::Member],
) -> Result<HashMap<RecordId, Item>, VaultError> {
    let mut items = HashMap::with_capacity(members.len());
    let mut by_organisation: BTreeMap<OrganisationId, Vec<RecordId>> = BTreeMap::new();
    for member in members {
        // A file says nothing, and may be large.
        if member.kind == ItemKind::Attachment {
            items.insert(member.record, Item::unopened_file());
            continue;
        }
        by_organisation.entry(member.organisation.clone()).or_default().push(member.record);
    }
    for (organisation, records) in by_organisation {
        for chunk in records.chunks(BATCH_RECORDS) {
            items.extend(open_items(archive, rules, &organisation, chunk).await?);
        }
    }
    Ok(items)
}

/// A record as readers would see it if nothing withheld it, computed from its conversation as a recorded system act, with what
/// is found in it. `blind`: as if nobody had assessed it. `None` when it cannot be redacted with certainty.
pub(super) async fn preview(
    archive: &Archive,
    rules: &Rules,
    conversation: ConversationId,
    record: RecordId,
    blind: bool,
) -> Result<Option<super::conversation::Preview>, VaultError> {
    let mut members = archive.catalogue.members(conversation).await?;
    let items = open_members(archive, rules, &members).await?;
    let Some(wanted) = members.iter_mut().find(|member| member.record == record) else { return Ok(None) };
    if blind {
        wanted.assessed.clear();
    }
    let channel = wanted.channel.clone();
    let Some(channel) = archive.catalogue.channel(&channel).await? else { return Ok(None) };
    // Without one of its members the dictionary is not whole.
    if items.len() != members.len() {
        return Ok(None);
    }
    let known = archive.catalogue.subjects(conversation).await?;
    let destroyed = archive.catalogue.has_destroyed(conversation).await?;
    let records: Vec<RecordId> = members.iter().map(|member| member.record).collect();
    let mut sizes = sizes_of_files(archive, &records).await?;
    let (archive, rules) = (archive.clone(), rules.clone());
    let work = move || {
        let names = Names::of_channel(&archive.digests, &channel);
        let members: Vec<Member<'_>> = members
            .into_iter()
            .filter_map(|known| {
                let item = items.get(&known.record)?;
                let attached_bytes = sizes.remove(&known.record).unwrap_or_default();
                Some(Member { item, facts: Facts { attached_bytes, ..facts(known, item, destroyed) } })
            })
            .collect();
        super::conversation::preview(
            &rules,
            &names,
            &channel.account,
            &members,
            &known,
            &archive.sources,
            record,
        )
    };
    tokio::task::spawn_blocking(work).await?
}

/// Records that may not be read go at once: that takes no original, so nothing that ails one can delay it.
async fn withdraw_unreadable(archive: &Archive, members: &[catalogue::Member]) -> Result<(), VaultError> {
    let judged = |m: &catalogue::Member| {
        let kept = m.verdicts.kept(m.verdicts.iter().map(|(kind, _)| kind));
        kept.is_some_and(|kept| kept.is_subset(&m.held))
    };
    let readable = |m: &catalogue::Member| {
        m.outcome == Outcome::Archive && m.visibility.is_public() && !m.withheld && judged(m)
    };
    let gone: Vec<ProjectionId> = members.iter().filter(|m| !readable(m)).map(|m| m.projection).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let payload = serde_json::to_string(&gone).unwrap_or_default();
    let row = catalogue::OutboxRow { kind: "withdrawal", payload };
    Ok(archive.catalogue.send_down(row, archive.sources.now()).await?)
}

async fn compute_anew(
    archive: &Archive,
    rules: &Rules,
    conversation: ConversationId,
    channel: Channel,
    members: Vec<catalogue::Member>,
    items: HashMap<RecordId, Item>,
) -> Result<super::conversation::Computed, VaultError> {
    let known = archive.catalogue.subjects(conversation).await?;
    let destroyed = archive.catalogue.has_destroyed(conversation).await?;
    let records: Vec<RecordId> = members.iter().map(|member| member.record).collect();
    let mut sizes = sizes_of_files(archive, &records).await?;
    let (archive, rules) = (archive.clone(), rules.clone());
    let work = move || {
        let names = Names::of_channel(&archive.digests, &channel);
        let members: Vec<Member<'_>> = members
            .into_iter()
            .filter_map(|known| {
                let item = items.get(&known.record)?;
                let attached_bytes = sizes.remove(&known.record).unwrap_or_default();
                Some(Member { item, facts: Facts { attached_bytes, ..facts(known, item, destroyed) } })
            })
            .collect();
        let account = &channel.account;
        compute(&rules, &names, conversation, account, &members, &known, &archive.sources)
    };
    tokio::task::spawn_blocking(work).await?
}

/// How many bytes the files have that are attached to each record.
pub(super) async fn sizes_of_files(
    archive: &Archive,
    records: &[RecordId],
) -> Result<BTreeMap<RecordId, Vec<u64>>, VaultError> {
    let attached = archive.catalogue.attached_to(records).await?;
    let size =
        |file: catalogue::AttachedFile| Layout::from_bytes(&file.parts).map(|layout| layout.size_bytes());
    let sizes = |files: Vec<catalogue::AttachedFile>| files.into_iter().filter_map(size).collect();
    Ok(attached.into_iter().map(|(record, files)| (record, sizes(files))).collect())
}

/// `destroyed`: of the conversation something was destroyed, and with it the names that only that told.
fn facts(known: catalogue::Member, item: &Item, destroyed: bool) -> Facts {
    let named = if destroyed { named_in(&known.findings) } else { BTreeSet::new() };
    Facts {
        record: known.record,
        version: known.version,
        projection: known.projection,
        organisation: known.organisation,
        channel: known.channel,
        kind: known.kind,
        visibility: known.visibility,
        posted_at: known.posted_at,
        own: known.own,
        edited: known.versions > 1 || item.edited_at.is_some() || !item.supersedes.is_empty(),
        withheld: known.withheld,
        outcome: known.outcome,
        tree: known.tree,
        verdicts: known.verdicts,
        assessed: known.assessed,
        named,
        before: Some(known.findings).filter(|_| !known.ruleset.is_empty()),
        held: known.held,
        attached_bytes: Vec::new(),
    }
}

/// Opens originals as a recorded system act and reads their items.
pub(super) async fn open_items(
    archive: &Archive,
    rules: &Rules,
    organisation: &OrganisationId,
    records: &[RecordId],
) -> Result<Vec<(RecordId, Item)>, VaultError> {
    open_as(archive, rules, SystemActKind::Redetect, organisation, records).await
}

/// Opens originals of an organisation as a recorded system act and reads their items; one that cannot be read is left out.
/// At most [`BATCH_RECORDS`] at a time: a leaf names them all.
pub(super) async fn open_as(
    archive: &Archive,
    rules: &Rules,
    kind: SystemActKind,
    organisation: &OrganisationId,
    records: &[RecordId],
) -> Result<Vec<(RecordId, Item)>, VaultError> {
    let sources = &archive.sources;
    let permit_id = PermitId::from_uuid(sources.random_id()?);
    let batch: BTreeSet<RecordId> = records.iter().copied().collect();
    let act = SystemAct { kind, organisation: organisation.clone(), records: batch.clone() };
    let permit = rules.access.authorise_system(act, permit_id)?;
    let entry = Entry::new(sources.entry_id()?, EntryKind::SystemOpeningIntended, sources.now())
        .of(organisation.clone())
        .under(permit_id)
        .about(records.iter().map(|record| Thing::Record(*record)))
        .outcome(kind.as_str().parse()?);
    let pending = Pending::system_opening(permit_id, batch, entry)?;
    let recorded = archive.journal.record(archive.logs.vault_origin(), pending, None).await?;
    let fetched = originals::fetch(archive, records).await?;
    let formats: HashMap<RecordId, String> =
        fetched.iter().map(|one| (one.sealed.record, one.format.clone())).collect();
    let sealed = fetched.into_iter().map(|Fetched { sealed, .. }| sealed).collect();
    let opened = seal::open_system(permit, recorded, sealed)?;
    let read = |(record, original): &(RecordId, Result<Original, OpenError>)| {
        let format: Option<Format> = formats.get(record).and_then(|word| word.parse().ok());
        let format = format.ok_or(VaultError::Absent { what: "the format of a capture" })?;
        let item = original.as_ref().map_err(ToString::to_string);
        match item.and_then(|original| read_item(format, original).map_err(|error| error.to_string())) {
            Ok(item) => Ok(Some((*record, item))),
            // An original that does not open has no view; the others of its conversation do.
            Err(error) => {
                tracing::error!(%record, %error, "original could not be read; it is withheld");
                Ok(None)
            }
        }
    };
    let some: Vec<_> = opened.chunks(READ_ON_A_CORE).collect();
    let read = on_every_core(&some, |some| some.iter().map(read).collect::<Result<Vec<_>, VaultError>>());
    let read: Vec<Vec<Option<(RecordId, Item)>>> = read.into_iter().collect::<Result<_, _>>()?;
    let items: Vec<(RecordId, Item)> = read.into_iter().flatten().flatten().collect();
    let failed = (records.len() - items.len()) as u64;
    let kind = if failed == 0 { EntryKind::SystemOpeningDone } else { EntryKind::SystemOpeningFailed };
    let outcome = Entry::new(sources.entry_id()?, kind, sources.now())
        .of(organisation.clone())
        .under(permit_id)
        .counting("opened".parse()?, items.len() as u64)
        .counting("failed".parse()?, failed);
    let _recorded =
        archive.journal.record(archive.logs.vault_origin(), Pending::event(outcome)?, None).await?;
    Ok(items)
}

/// So many originals are worth a core of their own.
const READ_ON_A_CORE: usize = 64;

pub(super) fn read_item(format: Format, original: &Original) -> Result<Item, VaultError> {
    let shared: Vec<(PartRole, &[u8])> =
        original.parts().filter_map(|(role, bytes)| Some((part_role(role)?, bytes))).collect();
    Ok(reread(format, original.item(), &shared)?)
}

/// Most things taken down in one round. A block of the reading room's index is written anew in each round that adds to it.
const OUTBOX_ROUND: u32 = 512;

/// Takes down what waits, in order. Returns how many things went.
///
/// # Errors
/// When either database fails: what did not go stays in the outbox; doing a thing twice changes nothing.
pub async fn take_down(archive: &Archive) -> Result<u64, VaultError> {
    let mut done = 0;
    loop {
        // Looked at under the lock: of two that take down, neither has something older in hand than what went.
        let _together = archive.copying.lock().await;
        let waiting = archive.catalogue.outbox(OUTBOX_ROUND).await?;
        if waiting.is_empty() {
            return Ok(done);
        }
        // What stands next to each other goes in one transaction; the order between kinds is kept.
        for alike in waiting.chunk_by(|a, b| a.kind == b.kind) {
            take_down_alike(archive, alike).await?;
            archive.catalogue.outbox_taken(alike).await?;
            done += alike.len() as u64;
        }
    }
}

async fn take_down_alike(archive: &Archive, items: &[catalogue::OutboxItem]) -> Result<(), VaultError> {
    if items.first().is_some_and(|item| item.kind == CONVERSATION) {
        let read =
            |item: &catalogue::OutboxItem| serde_json::from_str(&item.payload).map_err(|_| unreadable());
        let published: Vec<PublishedConversation> = items.iter().map(read).collect::<Result<_, _>>()?;
        let draw = drawer(archive);
        return Ok(archive.room.conversations(&published, archive.sources.now(), &draw).await?);
    }
    for item in items {
        take_down_one(archive, &item.kind, &item.payload).await?;
    }
    Ok(())
}

/// The kind of outbox items that hold a conversation.
pub(super) const CONVERSATION: &str = "conversation";

fn unreadable() -> VaultError {
    VaultError::Input("the outbox holds something this version cannot read".to_owned())
}

/// Random bits for references and pseudonyms.
fn drawer(archive: &Archive) -> impl Fn() -> Option<u128> + Sync + use<> {
    let sources = archive.sources.clone();
    move || sources.name::<16>().ok().map(u128::from_be_bytes)
}

async fn take_down_one(archive: &Archive, kind: &str, payload: &str) -> Result<(), VaultError> {
    match kind {
        "grant" => {
            let grant: PublishedGrant = serde_json::from_str(payload).map_err(|_| unreadable())?;
            archive.room.grant(&grant, &drawer(archive)).await?;
        }
        "revocation" => {
            let grant: GrantId = payload.parse().map_err(|_| unreadable())?;
            archive.room.revoke(grant).await?;
        }
        "lapse" => {
            let grant: GrantId = payload.parse().map_err(|_| unreadable())?;
            archive.room.lapse(grant).await?;
        }
        "request" => {
            let request: PublishedRequest = serde_json::from_str(payload).map_err(|_| unreadable())?;
            archive.room.request(&request).await?;
        }
        exports::DOWN => {
            let export: PublishedExport = serde_json::from_str(payload).map_err(|_| unreadable())?;
            archive.room.export(&export).await?;
        }
        "grant-until" => {
            let (grant, until): (GrantId, Timestamp) =
                serde_json::from_str(payload).map_err(|_| unreadable())?;
            archive.room.grant_until(grant, until).await?;
        }
        revoke::IDENTITY => revoke::take_down(archive, payload).await?,
        incidents::REPLACED => {
            let replaced: Vec<ProjectionId> = serde_json::from_str(payload).map_err(|_| unreadable())?;
            archive.catalogue.missed_replaced(&replaced, archive.sources.now()).await?;
        }
        incidents::RECALL => {
            let recall: PublishedRecall = serde_json::from_str(payload).map_err(|_| unreadable())?;
            archive.room.recall(&recall).await?;
        }
        "withdrawal" => {
            let gone: Vec<ProjectionId> = serde_json::from_str(payload).map_err(|_| unreadable())?;
            record_withdrawal(archive, archive.room.withdraw(&gone, archive.sources.now()).await?).await?;
        }
        _ => return Err(unreadable()),
    }
    Ok(())
}

/// What was there is gone; a withdrawal of what was never published is no step.
async fn record_withdrawal(archive: &Archive, projections: u64) -> Result<(), VaultError> {
    if projections == 0 {
        return Ok(());
    }
    let sources = &archive.sources;
    let entry = Entry::new(sources.entry_id()?, EntryKind::RecordsWithdrawn, sources.now())
        .counting("projections".parse()?, projections);
    let log = archive.logs.vault_origin();
    let _recorded = archive.journal.record(log, Pending::event(entry)?, None).await?;
    Ok(())
}
