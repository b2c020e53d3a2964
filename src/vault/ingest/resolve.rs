//! Which record, which version and which conversation each item of a batch is.

use crate::capture::{Deletion, Item, Unit};
use crate::model::{ConversationId, ItemDigest, Platform, RecordId, VersionId, Visibility};
use crate::store::catalogue::{InForce, Known, NameRow, Withheld};
use crate::vault::minimise::Minimised;
use crate::vault::names::Names;
use crate::vault::suppress;
use crate::vault::{Archive, Sources, VaultError};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The keyed digests of one item.
pub(super) struct Digests {
    /// Its names, the canonical one first.
    pub names: Vec<ItemDigest>,
    /// What it hangs on: the item it answers, the thread the platform states.
    pub links: Vec<ItemDigest>,
    /// Names of earlier edits.
    pub supersedes: Vec<ItemDigest>,
    /// What it says.
    pub version: ItemDigest,
}

impl Digests {
    pub(super) fn of(item: &Item, names: &Names<'_>) -> Self {
        let answered = item.in_reply_to.iter().map(|name| names.item(name));
        let thread = item.conversation.iter().map(|name| names.thread(name));
        Self {
            names: names.of(item),
            links: answered.chain(thread).collect(),
            supersedes: item.supersedes.iter().map(|name| names.item(name)).collect(),
            version: names.version(item),
        }
    }

    fn all(&self) -> impl Iterator<Item = ItemDigest> + '_ {
        self.names.iter().chain(&self.links).chain(&self.supersedes).copied()
    }
}

/// What is known beforehand of everything that a batch names.
pub(super) struct Before {
    names: HashMap<ItemDigest, Known>,
    versions: HashSet<(RecordId, ItemDigest)>,
    in_force: HashMap<RecordId, InForce>,
    /// Names of what was destroyed, each with its thread.
    suppressed: HashMap<ItemDigest, ConversationId>,
    /// Names of what a profile refused and how it sounded was counted.
    counted: HashSet<ItemDigest>,
}

impl Before {
    pub(super) async fn look_up(
        archive: &Archive,
        digests: &[Vec<Digests>],
        deletions: &[ItemDigest],
    ) -> Result<Self, VaultError> {
        let wanted: BTreeSet<ItemDigest> =
            digests.iter().flatten().flat_map(Digests::all).chain(deletions.iter().copied()).collect();
        let wanted: Vec<ItemDigest> = wanted.into_iter().collect();
        let names = archive.catalogue.known(&wanted).await?;
        let records: BTreeSet<RecordId> = names.values().filter_map(|known| known.record).collect();
        let records: Vec<RecordId> = records.into_iter().collect();
        let versions = archive.catalogue.known_versions(&records).await?;
        let in_force = archive.catalogue.in_force(&records).await?;
        let suppressed = suppress::look_up(archive, &wanted).await?;
        let items: Vec<ItemDigest> = digests.iter().flatten().flat_map(|of| &of.names).copied().collect();
        let counted = suppress::look_up_refused(archive, &items).await?;
        Ok(Self { names, versions, in_force, suppressed, counted })
    }
}

/// What an item turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// A record seen for the first time.
    New,
    /// A new version that takes the place of the one in force.
    Newer,
    /// A new version that is older than the one in force.
    Older,
    /// There already.
    Same,
    /// Destroyed before: refused.
    Suppressed,
    /// Refused by the minimisation profile.
    Refused,
}

/// One item, resolved.
pub(super) struct Resolved {
    pub unit: usize,
    pub item: usize,
    pub record: RecordId,
    pub version: VersionId,
    pub digest: ItemDigest,
    /// The names it was delivered under.
    pub names: Vec<ItemDigest>,
    pub arrival: Arrival,
    pub withheld: Option<Withheld>,
    /// Whether it was refused before, and how it sounded counted then.
    pub counted: bool,
    /// The name of what it answers, unless that was destroyed.
    pub answers: Option<ItemDigest>,
    thread: ConversationId,
}

/// A batch, resolved.
pub(super) struct Resolution {
    pub items: Vec<Resolved>,
    pub names: Vec<NameRow>,
    /// Conversations that turned out to be one: the first takes in the second.
    pub merged: Vec<(ConversationId, ConversationId)>,
    /// Conversations that were there before and changed.
    pub touched: BTreeSet<ConversationId>,
    /// Records that were there, and were now seen to be for fewer people.
    pub closed: Vec<(RecordId, Visibility)>,
    /// What each refused item hangs on, by each of its names.
    refused_links: HashMap<ItemDigest, Vec<ItemDigest>>,
    threads: Threads,
}

impl Resolution {
    pub(super) fn conversation(&self, resolved: &Resolved) -> ConversationId {
        self.threads.follow(resolved.thread)
    }

    /// The thread that something refused hangs on, when anything of that is here: it has none of its own.
    pub(super) fn thread_of(&self, refused: &Resolved) -> Option<ConversationId> {
        let mut ahead: Vec<ItemDigest> = refused.names.clone();
        let mut seen: HashSet<ItemDigest> = HashSet::new();
        while let Some(name) = ahead.pop() {
            if let Some(thread) = self.threads.of.get(&name) {
                return Some(self.threads.follow(*thread));
            }
            if seen.insert(name) {
                ahead.extend(self.refused_links.get(&name).into_iter().flatten());
            }
        }
        None
    }

    /// Whether the conversation was there before this batch.
    pub(super) fn existed(&self, conversation: ConversationId) -> bool {
        self.threads.existing.contains(&conversation)
    }
}

pub(super) struct Resolver<'a> {
    before: &'a Before,
    sources: &'a Sources,
    threads: Threads,
    records: HashMap<ItemDigest, RecordId>,
    versions: HashSet<(RecordId, ItemDigest)>,
    in_force: HashMap<RecordId, InForce>,
    withheld: HashMap<ItemDigest, Withheld>,
    rows: HashMap<ItemDigest, NameRow>,
    touched: BTreeSet<ConversationId>,
    closed: Vec<(RecordId, Visibility)>,
    minimised: &'a Minimised,
    refused_links: HashMap<ItemDigest, Vec<ItemDigest>>,
}

impl<'a> Resolver<'a> {
    /// `minimised` says which items the minimisation profile keeps out, and which files are of what was destroyed.
    pub(super) fn new(before: &'a Before, sources: &'a Sources, minimised: &'a Minimised) -> Self {
        let threads = before.names.iter().filter_map(|(name, known)| Some((*name, known.conversation?)));
        // What answers something destroyed still belongs to its thread.
        let of = threads.chain(before.suppressed.iter().map(|(name, thread)| (*name, *thread)));
        let existing = of.clone().map(|(_, thread)| thread).collect();
        let threads = Threads { of: of.collect(), existing, joined: HashMap::new() };
        Self {
            before,
            sources,
            threads,
            records: before.names.iter().filter_map(|(name, known)| Some((*name, known.record?))).collect(),
            versions: before.versions.clone(),
            in_force: before.in_force.clone(),
            withheld: before
                .names
                .iter()
                .filter_map(|(name, known)| Some((*name, known.withheld?)))
                .collect(),
            rows: HashMap::new(),
            touched: BTreeSet::new(),
            closed: Vec::new(),
            minimised,
            refused_links: HashMap::new(),
        }
    }

    /// Resolves a batch: first what is known to be gone, then every item in the order of the file.
    pub(super) fn resolve(
        mut self,
        units: &[Unit],
        digests: &[Vec<Digests>],
        names: &Names<'_>,
    ) -> Result<Resolution, VaultError> {
        for deletion in units.iter().flat_map(|unit| &unit.deletions) {
            self.delete(deletion, names);
        }
        let mut items = Vec::new();
        for (u, (unit, of_unit)) in units.iter().zip(digests).enumerate() {
            for (i, (item, digests)) in unit.items.iter().zip(of_unit).enumerate() {
                let resolved = self.resolve_item(u, i, item, digests)?;
                items.push(resolved);
            }
        }
        for resolved in &mut items {
            // An edit or deletion later in the batch reaches an item that came before it.
            let digest = digests.get(resolved.unit).and_then(|of| of.get(resolved.item));
            let gone = digest.and_then(|d| d.names.iter().find_map(|name| self.withheld.get(name)));
            resolved.withheld = resolved.withheld.or(gone.copied());
        }
        Ok(self.finish(items))
    }

    fn delete(&mut self, deletion: &Deletion, names: &Names<'_>) {
        for name in &deletion.names {
            self.withhold(names.item(name), Withheld::Deleted);
        }
    }

    fn withhold(&mut self, name: ItemDigest, why: Withheld) {
        if self.before.suppressed.contains_key(&name) {
            return;
        }
        self.withheld.entry(name).or_insert(why);
        self.row(name).withheld = Some(why.as_str());
        if let Some(thread) = self.threads.of.get(&name).copied() {
            self.touched.insert(thread);
        }
    }

    fn resolve_item(
        &mut self,
        unit: usize,
        place: usize,
        item: &Item,
        digests: &Digests,
    ) -> Result<Resolved, VaultError> {
        if self.minimised.refused.contains(&(unit, place)) {
            for name in &digests.names {
                self.refused_links.entry(*name).or_default().extend(&digests.links);
            }
            return Ok(Resolved {
                arrival: Arrival::Refused,
                names: digests.names.clone(),
                // What came in before a profile refused it was counted then.
                counted: self.was_counted(digests) || self.was_taken_in(digests),
                ..suppressed(unit, place, digests.version)
            });
        }
        let destroyed = digests.names.iter().any(|name| self.before.suppressed.contains_key(name));
        if destroyed || self.minimised.gone.contains(&(unit, place)) {
            return Ok(suppressed(unit, place, digests.version));
        }
        let known = digests.names.iter().find_map(|name| self.records.get(name)).copied();
        let record = match known {
            Some(record) => record,
            None => RecordId::from_uuid(self.sources.ordered_id()?),
        };
        let thread = self.thread(digests)?;
        for earlier in &digests.supersedes {
            self.withhold(*earlier, Withheld::Superseded);
        }
        if item.deletion.is_some() {
            digests.names.iter().for_each(|name| self.withhold(*name, Withheld::Deleted));
        }
        // On X each edit has a name of its own, so the name says it; Mastodon's versions share one.
        if item.superseded && item.platform == Platform::X {
            digests.names.iter().for_each(|name| self.withhold(*name, Withheld::Superseded));
        }
        let arrival = self.arrival(record, known.is_some(), item, digests.version);
        if arrival == Arrival::Same && matches!(item.visibility, Visibility::Followers | Visibility::Direct) {
            // The same words, seen by fewer: who may see them is a fact of its own.
            self.closed.push((record, item.visibility));
            if let Some(in_force) = self.in_force.get_mut(&record) {
                in_force.visibility = item.visibility;
            }
            self.touched.insert(thread);
        }
        if arrival != Arrival::Same && self.threads.existing.contains(&thread) {
            self.touched.insert(thread);
        }
        for name in &digests.names {
            self.records.insert(*name, record);
            let row = self.row(*name);
            row.record = Some(record);
            row.conversation = Some(thread);
        }
        for link in digests.links.iter().filter(|link| !self.before.suppressed.contains_key(*link)) {
            self.row(*link).conversation = Some(thread);
        }
        let version = VersionId::from_uuid(self.sources.ordered_id()?);
        let withheld = item.superseded.then_some(Withheld::Superseded);
        let answered = item.in_reply_to.as_ref().and_then(|_| digests.links.first().copied());
        let answers = answered.filter(|name| !self.before.suppressed.contains_key(name));
        Ok(Resolved {
            unit,
            item: place,
            record,
            version,
            digest: digests.version,
            names: digests.names.clone(),
            arrival,
            withheld,
            counted: self.was_counted(digests),
            answers,
            thread,
        })
    }

    fn was_taken_in(&self, digests: &Digests) -> bool {
        let before = &self.before.suppressed;
        digests.names.iter().any(|name| self.records.contains_key(name) || before.contains_key(name))
    }

    fn was_counted(&self, digests: &Digests) -> bool {
        digests.names.iter().any(|name| self.before.counted.contains(name))
    }

    fn arrival(&mut self, record: RecordId, known: bool, item: &Item, version: ItemDigest) -> Arrival {
        if !self.versions.insert((record, version)) {
            return Arrival::Same;
        }
        let arrival = match self.in_force.get(&record) {
            _ if !known => Arrival::New,
            Some(in_force) if !replaces(item, in_force) => Arrival::Older,
            _ => Arrival::Newer,
        };
        if arrival != Arrival::Older {
            let in_force = InForce { edited_at: item.edited_at, visibility: item.visibility };
            self.in_force.insert(record, in_force);
        }
        arrival
    }

    fn thread(&mut self, digests: &Digests) -> Result<ConversationId, VaultError> {
        let related = digests.names.iter().chain(&digests.links);
        let mut found: Vec<ConversationId> =
            related.filter_map(|name| self.threads.of.get(name)).map(|t| self.threads.follow(*t)).collect();
        // A conversation that was there before takes in one that is of this batch.
        found.sort_by_key(|thread| !self.threads.existing.contains(thread));
        let thread = match found.first() {
            Some(first) => *first,
            None => ConversationId::from_uuid(self.sources.random_id()?),
        };
        for other in found.iter().skip(1).filter(|other| **other != thread) {
            self.threads.join(thread, *other);
            self.touched.extend([thread, *other].into_iter().filter(|t| self.threads.existing.contains(t)));
        }
        for name in digests.names.iter().chain(&digests.links) {
            self.threads.of.insert(*name, thread);
        }
        Ok(thread)
    }

    fn row(&mut self, name: ItemDigest) -> &mut NameRow {
        let empty = NameRow { digest: name, record: None, conversation: None, withheld: None };
        self.rows.entry(name).or_insert(empty)
    }

    fn finish(self, items: Vec<Resolved>) -> Resolution {
        let Self { before, threads, rows, touched, closed, refused_links, .. } = self;
        let mut names: Vec<NameRow> = rows.into_values().collect();
        for row in &mut names {
            row.conversation = row.conversation.map(|thread| threads.follow(thread));
        }
        let news = |row: &NameRow| {
            let known = before.names.get(&row.digest);
            let same = |known: &Known| {
                (row.record.is_none() || row.record == known.record)
                    && (row.conversation.is_none() || row.conversation == known.conversation)
                    && (row.withheld.is_none() || known.withheld.is_some())
            };
            !known.is_some_and(same)
        };
        names.retain(news);
        names.sort_by_key(|row| row.digest);
        let mut merged: Vec<_> = threads
            .joined
            .keys()
            .filter(|gone| threads.existing.contains(gone))
            .map(|gone| (threads.follow(*gone), *gone))
            .collect();
        merged.sort();
        let touched = touched.into_iter().map(|thread| threads.follow(thread)).collect();
        Resolution { items, names, merged, touched, closed, refused_links, threads }
    }
}

/// Whether another version of an item takes the place of the one in force. One that does not say who could see the item never takes
/// the place of one that does; of a source that never says, the later edit holds.
fn replaces(item: &Item, in_force: &InForce) -> bool {
    let says = |visibility| visibility != Visibility::Unknown;
    (says(item.visibility) || !says(in_force.visibility)) && item.edited_at >= in_force.edited_at
}

/// An item that was destroyed before: nothing of it is looked up or kept.
const fn suppressed(unit: usize, item: usize, digest: ItemDigest) -> Resolved {
    Resolved {
        unit,
        item,
        record: RecordId::from_uuid(uuid::Uuid::nil()),
        version: VersionId::from_uuid(uuid::Uuid::nil()),
        digest,
        names: Vec::new(),
        arrival: Arrival::Suppressed,
        withheld: None,
        counted: false,
        answers: None,
        thread: ConversationId::from_uuid(uuid::Uuid::nil()),
    }
}

/// Which conversation a name belongs to, as far as known.
struct Threads {
    of: HashMap<ItemDigest, ConversationId>,
    existing: HashSet<ConversationId>,
    /// A conversation that was taken in, and by which.
    joined: HashMap<ConversationId, ConversationId>,
}

impl Threads {
    fn join(&mut self, keep: ConversationId, gone: ConversationId) {
        if self.follow(keep) != self.follow(gone) {
            self.joined.insert(self.follow(gone), self.follow(keep));
        }
    }

    fn follow(&self, thread: ConversationId) -> ConversationId {
        let mut at = thread;
        while let Some(next) = self.joined.get(&at) {
            at = *next;
        }
        at
    }
}
