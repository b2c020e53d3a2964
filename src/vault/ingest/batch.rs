//! One batch: looked up, resolved, sealed, judged, looked through for personal data, committed.

use super::counts::Counts;
use super::files::Files;
use super::resolve::{Arrival, Before, Digests, Resolution, Resolved, Resolver};
use super::rows::publish_row;
use super::{IngestReport, Intake};
use crate::capture::{Format, Item, Unit};
use crate::decide::{
    Answer, Asks, Decision, Fact as Asked, Facts as JudgedFacts, Given, Judges, Profile, Remembered, Tree,
};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{
    ByteRange, CaptureId, ConversationId, ItemDigest, ItemKind, OrganisationId, Outcome, ProjectionId,
    RecordId, Timestamp,
};
use crate::store::catalogue::{
    Batch, Channel, ChannelFact, DecisionSetRow, Fact, FindRow, FlagRow, OutboxRow, SightingRow, SubjectRow,
    Verdicts, Withheld,
};
use crate::vault::conversation::{Facts, Member, People, computed, text_to_judge};
use crate::vault::cores::on_every_core;
use crate::vault::deciding::{decide_after, kept_answers};
use crate::vault::decision_receipt::stating;
use crate::vault::find_index::Met;
use crate::vault::layout::Layout;
use crate::vault::minimise::{self, Minimised, Minimiser};
use crate::vault::names::Names;
use crate::vault::sealing::{SealedBatch, Suppressed, seal_batch};
use crate::vault::{Archive, DEFAULT_TREE, Rules, VaultError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What the heavy work on a batch gave: rows to commit, and the segment to write first.
struct Prepared {
    sealed: SealedBatch,
    batch: Batch,
    counts: Counts,
}

impl Intake<'_> {
    /// Takes in one batch. One at a time in the whole vault: what is looked up must still hold at the commit.
    pub(super) async fn take_in(
        &self,
        units: Vec<Unit>,
        report: &mut IngestReport,
    ) -> Result<(), VaultError> {
        let work = self.work();
        let (units, minimised, mut work) =
            tokio::task::spawn_blocking(move || work.minimise(units)).await??;
        let _one_at_a_time = self.archive.intake.lock().await;
        // A drawing holds the intake too. What was not there for it must be decided after its end, or none ever holds it.
        work.decided_at = self.archive.sources.now();
        let names = self.names();
        let digests: Vec<Vec<Digests>> = units
            .iter()
            .map(|unit| unit.items.iter().map(|item| Digests::of(item, &names)).collect())
            .collect();
        let deletions: Vec<ItemDigest> = units
            .iter()
            .flat_map(|unit| &unit.deletions)
            .flat_map(|d| &d.names)
            .map(|n| names.item(n))
            .collect();
        let before = Before::look_up(self.archive, &digests, &deletions).await?;
        let resolver = Resolver::new(&before, &self.archive.sources, &minimised);
        let resolution = resolver.resolve(&units, &digests, &names)?;
        // An epoch does not end between the wrapping of keys and the commit.
        let _no_turn = self.archive.turning.read().await;
        let prepared =
            tokio::task::spawn_blocking(move || work.prepare(&units, resolution, minimised)).await??;
        self.commit(prepared, report).await
    }

    fn names(&self) -> Names<'_> {
        Names::of_channel(&self.archive.digests, self.channel)
    }

    fn work(&self) -> Work {
        let of = (self.archive, self.rules, self.channel, self.facts);
        let files = Arc::clone(self.files);
        Work { destroyed: self.destroyed.to_vec(), files, ..Work::of(of, self.capture, self.format) }
    }

    async fn commit(&self, prepared: Prepared, report: &mut IngestReport) -> Result<(), VaultError> {
        let Prepared { sealed, mut batch, counts } = prepared;
        batch.pending.push(self.entry(&counts)?);
        if let Some((entry, set)) = self.decided(&counts, &batch)? {
            batch.pending.push(entry);
            batch.decision_set = Some(set);
        }
        self.archive.blobs.put_once(sealed.segment.id, sealed.bytes.into()).await?;
        batch.segment = Some(sealed.segment);
        batch.fragments = sealed.fragments;
        self.archive.catalogue.commit(self.archive.logs.vault_origin(), batch).await?;
        decide_after(self.archive, self.rules).await;
        self.archive.journal.wake();
        counts.add_to(report);
        Ok(())
    }

    /// The decisions of a batch, counted by outcome, with the commitment to each of them; each stands with its path in
    /// the catalogue.
    fn decided(
        &self,
        counts: &Counts,
        batch: &Batch,
    ) -> Result<Option<(Pending, DecisionSetRow)>, VaultError> {
        if counts.outcomes.is_empty() {
            return Ok(None);
        }
        let sources = &self.archive.sources;
        let mut entry = Entry::new(sources.entry_id()?, EntryKind::DecisionMade, sources.now())
            .of(self.channel.organisation.clone())
            .about([Thing::Capture(self.capture)]);
        for (outcome, count) in &counts.outcomes {
            entry = entry.counting(outcome.as_str().parse()?, *count);
        }
        let (entry, set) = stating(entry, &batch.decisions, batch.now)?;
        Ok(Some((Pending::event(entry)?, set)))
    }
}

/// The heavy work on a batch, away from the threads that answer requests.
pub(super) struct Work {
    pub(super) archive: Archive,
    pub(super) rules: Rules,
    pub(super) channel: Channel,
    pub(super) facts: Arc<[ChannelFact]>,
    pub(super) capture: CaptureId,
    /// The capture's format: a layout does not repeat it.
    pub(super) format: Format,
    pub(super) destroyed: Vec<ByteRange>,
    /// What becomes of the capture's files.
    pub(super) files: Arc<Files>,
    /// When the batch was read: which profile, facts and definitions it is judged by.
    pub(super) now: Timestamp,
    /// When it is decided on: taken while the intake is held.
    pub(super) decided_at: Timestamp,
}

/// What came of the conversations that are wholly of a batch.
#[derive(Default)]
pub(super) struct Made {
    pub(super) findings: HashMap<crate::model::VersionId, String>,
    pub(super) flags: Vec<FlagRow>,
    pub(super) doubtful: Vec<crate::model::VersionId>,
    pub(super) found_by: Vec<FindRow>,
    pub(super) outbox: Vec<OutboxRow>,
    pub(super) subjects: Vec<SubjectRow>,
}

/// An item that is new, or new in this version, with everything its rows need.
pub(super) struct Arrived<'a> {
    pub(super) resolved: &'a Resolved,
    pub(super) item: &'a Item,
    pub(super) conversation: ConversationId,
    pub(super) own: bool,
    pub(super) projection: ProjectionId,
    pub(super) decision: Decision,
    /// What detectors and definitions said of it.
    pub(super) answers: Vec<(Asks, Given)>,
    /// The salt of the decision's receipt.
    pub(super) salt: Vec<u8>,
    /// Members that were left out of it, by name.
    pub(super) left_out: BTreeMap<String, u64>,
    pub(super) layout: &'a Layout,
}

impl Work {
    /// Work on a capture of a channel, of which nothing was looked at yet.
    pub(super) fn of(
        (archive, rules, channel, facts): (&Archive, &Rules, &Channel, &[ChannelFact]),
        capture: CaptureId,
        format: Format,
    ) -> Self {
        let now = archive.sources.now();
        Self {
            archive: archive.clone(),
            rules: rules.clone(),
            channel: channel.clone(),
            facts: facts.into(),
            capture,
            format,
            destroyed: Vec::new(),
            files: Arc::default(),
            now,
            decided_at: now,
        }
    }

    /// Takes out what the profile in force keeps out, and the files that do not come in.
    fn minimise(self, mut units: Vec<Unit>) -> Result<(Vec<Unit>, Minimised, Self), VaultError> {
        let mut minimised = self.kept_out(&mut units)?;
        self.keep_out_files(&mut units, &mut minimised);
        Ok((units, minimised, self))
    }

    /// Takes out what the profile in force keeps out.
    pub(super) fn kept_out(&self, units: &mut [Unit]) -> Result<Minimised, VaultError> {
        let Some(profile) = self.profile()? else { return Ok(Minimised::default()) };
        let names = self.names();
        let outcomes = |item: &Item| self.outcomes_open(item);
        Minimiser { profile, names: &names, channel: &self.channel, outcomes: &outcomes }.apply(units)
    }

    pub(super) fn profile(&self) -> Result<Option<&Profile>, VaultError> {
        minimise::in_force(&self.rules, &self.channel, &self.facts, self.now)
    }

    fn prepare(
        &self,
        units: &[Unit],
        resolution: Resolution,
        minimised: Minimised,
    ) -> Result<Prepared, VaultError> {
        let (organisation, sources) = (&self.channel.organisation, &self.archive.sources);
        let gone = resolution
            .items
            .iter()
            .filter(|resolved| matches!(resolved.arrival, Arrival::Suppressed | Arrival::Refused));
        let destroyed =
            resolution.items.iter().filter(|resolved| resolved.arrival == Arrival::Suppressed).count();
        let not_kept = self.not_kept(units, &resolution, &minimised.not_kept);
        let Minimised { silent, holes, left_out, refusals, members, .. } = minimised;
        let suppressed = Suppressed {
            items: gone.map(|resolved| (resolved.unit, resolved.item)).collect(),
            containers: self.destroyed.clone(),
            silent,
            holes,
        };
        let keyring = &*self.archive.keyring;
        let sealed = seal_batch(units, &suppressed, organisation, self.capture, keyring, sources)?;
        let mut counts = Counts {
            suppressed: destroyed as u64,
            refused: refusals,
            left_out: members,
            ..Counts::default()
        };
        let (mut arrived, mut sightings) = (Vec::new(), Vec::new());
        for resolved in &resolution.items {
            match resolved.arrival {
                Arrival::Suppressed | Arrival::Refused => continue,
                Arrival::Same => {
                    counts.already_there += 1;
                    sightings.push(self.sighting(&sealed, resolved)?);
                    continue;
                }
                _ => {}
            }
            let mut one = self.arrived(units, &sealed, &resolution, resolved)?;
            one.left_out = left_out.get(&(resolved.unit, resolved.item)).cloned().unwrap_or_default();
            self.count(&mut counts, &one);
            arrived.push(one);
        }
        let made = self.conversations(&resolution, &arrived, &mut counts)?;
        let minimised = self.minimised_rows(&counts)?;
        let mut batch = Batch { sightings, minimised, ..self.batch(&resolution, &arrived, made)? };
        batch.sentiment = self.sentiment_rows(&arrived, &not_kept);
        (batch.files, batch.attached) = self.file_rows(units, &resolution);
        batch.refused = not_kept.iter().flat_map(|one| one.names.iter().copied()).collect();
        drop((arrived, not_kept));
        Ok(Prepared { sealed, batch, counts })
    }

    /// A version that was there is sealed once more: its record takes these bytes along when it is destroyed.
    fn sighting(&self, sealed: &SealedBatch, resolved: &Resolved) -> Result<SightingRow, VaultError> {
        let layout = sealed.layouts.get(resolved.unit).and_then(|of| of.get(resolved.item));
        let parts = layout.ok_or(VaultError::Layout)?.to_bytes(self.format);
        let names = resolved.names.clone();
        Ok(SightingRow { capture: self.capture, record: resolved.record, parts, names })
    }

    fn arrived<'a>(
        &self,
        units: &'a [Unit],
        sealed: &'a SealedBatch,
        resolution: &Resolution,
        resolved: &'a Resolved,
    ) -> Result<Arrived<'a>, VaultError> {
        let item = units.get(resolved.unit).and_then(|unit| unit.items.get(resolved.item));
        let layout = sealed.layouts.get(resolved.unit).and_then(|of| of.get(resolved.item));
        let (item, layout) = item.zip(layout).ok_or(VaultError::Layout)?;
        let own = self.is_own(item);
        let (decision, answers) = self.judge(item, own, resolved.withheld);
        Ok(Arrived {
            resolved,
            item,
            conversation: resolution.conversation(resolved),
            own,
            projection: ProjectionId::from_uuid(self.archive.sources.random_id()?),
            decision,
            answers,
            salt: self.archive.sources.secret::<16>()?.to_vec(),
            left_out: BTreeMap::new(),
            layout,
        })
    }

    /// Whose answers decide: the organisation's, when a tree of its channel asks whether it answered.
    pub(super) fn answers_of(&self) -> Option<OrganisationId> {
        let trees = self.facts.iter().filter(|fact| fact.fact == Fact::Tree).map(|fact| fact.value.as_str());
        let asks =
            |id: &str| self.rules.trees.get(id).is_some_and(|tree| tree.asks(Asks::Fact(Asked::Answered)));
        trees.chain([DEFAULT_TREE]).any(asks).then(|| self.channel.organisation.clone())
    }

    pub(super) fn is_own(&self, item: &Item) -> bool {
        let names = Names::of_channel(&self.archive.digests, &self.channel);
        item.author.as_ref().is_some_and(|author| names.is_channel(author, &self.channel.account))
    }

    /// Runs the tree that was in force at the time of posting, on the facts of that time.
    fn judge(&self, item: &Item, own: bool, withheld: Option<Withheld>) -> (Decision, Vec<(Asks, Given)>) {
        if item.kind == ItemKind::Attachment {
            return (attached(), Vec::new());
        }
        let facts = self.facts_when_posted(item, own, withheld);
        let tree = self.tree_for(item, own);
        let text = zeroize::Zeroizing::new(text_to_judge(item));
        let definitions = &self.rules.definitions.in_force(Some(&self.channel.organisation), self.now);
        let judges = Judges { question: &self.rules.questions, definitions, text: &text };
        let judges = Remembered::of(&judges);
        let answers = kept_answers(&judges, own);
        (tree.map_or_else(unsure, |tree| tree.decide(&facts, &judges)), answers)
    }

    /// What the tree can still say of an item. Whether the organisation answered it stands elsewhere in the
    /// capture, in another, or is yet to be said: what is kept when it does is not refused before.
    fn outcomes_open(&self, item: &Item) -> Vec<Outcome> {
        if item.kind == ItemKind::Attachment {
            return vec![attached().outcome];
        }
        let own = self.is_own(item);
        let Some(tree) = self.tree_for(item, own) else { return vec![Outcome::Unsure] };
        let text = zeroize::Zeroizing::new(text_to_judge(item));
        let definitions = &self.rules.definitions.in_force(Some(&self.channel.organisation), self.now);
        let judges = Judges { question: &self.rules.questions, definitions, text: &text };
        tree.outcomes_open(&self.facts_when_posted(item, own, None), &judges)
    }

    fn facts_when_posted(&self, item: &Item, own: bool, withheld: Option<Withheld>) -> JudgedFacts {
        let at = item.posted_at.unwrap_or(self.now);
        let official = self.fact_at(Fact::Official, at).is_some_and(|value| value == "yes");
        JudgedFacts {
            own,
            official_channel: official.into(),
            edited: item.edited_at.is_some().into(),
            deleted: (withheld == Some(Withheld::Deleted)).into(),
            answered: Answer::Unsure,
            reactions_open: self
                .fact_at(Fact::Reactions, at)
                .map_or(Answer::Unsure, |value| (value == "yes").into()),
            ..JudgedFacts::unknown(item.kind)
        }
    }

    /// The organisation's own posts are archived under any tree, also where none is in force.
    fn tree_for(&self, item: &Item, own: bool) -> Option<&Tree> {
        let at = item.posted_at.unwrap_or(self.now);
        let chosen = self.tree_at(at).or(own.then_some(DEFAULT_TREE));
        chosen.and_then(|id| self.rules.trees.get(id))
    }

    /// The tree in force at that time. A channel that never chose one follows the default; one that did has none
    /// outside the dates of its choice, and then a person must say.
    fn tree_at(&self, at: Timestamp) -> Option<&str> {
        let chose = self.facts.iter().any(|f| f.fact == Fact::Tree);
        self.fact_at(Fact::Tree, at).or((!chose).then_some(DEFAULT_TREE))
    }

    /// The value a fact had at that time: the latest declaration that covers it.
    fn fact_at(&self, fact: Fact, at: Timestamp) -> Option<&str> {
        self.facts.iter().rev().find(|f| f.fact == fact && f.held_at(at)).map(|f| f.value.as_str())
    }

    fn count(&self, counts: &mut Counts, one: &Arrived<'_>) {
        *counts.outcomes.entry(one.decision.outcome).or_default() += 1;
        match one.resolved.arrival {
            // What nobody said is no record of anyone's.
            Arrival::New if !one.item.kind.is_said() => {
                let page = one.item.kind == ItemKind::Page;
                *(if page { &mut counts.new_pages } else { &mut counts.new_attachments }) += 1;
                return;
            }
            Arrival::New => {
                counts.new_records += 1;
                *counts.new_by_kind.entry(one.item.kind).or_default() += 1;
            }
            _ => counts.new_versions += 1,
        }
        counts.edited += u64::from(one.item.edited_at.is_some());
        if one.resolved.arrival == Arrival::New && !one.item.visibility.is_public() {
            counts.not_public += 1;
        }
    }

    /// Conversations that are wholly of this batch are computed now; those that were there before wait until
    /// they are computed as a whole, because a new participant may be named in what was said before.
    fn conversations(
        &self,
        resolution: &Resolution,
        arrived: &[Arrived<'_>],
        counts: &mut Counts,
    ) -> Result<Made, VaultError> {
        let names = Names::of_channel(&self.archive.digests, &self.channel);
        let mut by_conversation: BTreeMap<ConversationId, Vec<&Arrived<'_>>> = BTreeMap::new();
        for one in arrived.iter().filter(|one| !resolution.existed(one.conversation)) {
            by_conversation.entry(one.conversation).or_default().push(one);
        }
        let mut gathered = Vec::with_capacity(by_conversation.len());
        for (conversation, mut of) in by_conversation {
            of.sort_by_key(|one| (one.item.posted_at.is_none(), one.item.posted_at, one.resolved.record));
            let versions = in_force(&of);
            let members: Vec<Member<'_>> = of
                .iter()
                .map(|one| Member { item: one.item, facts: self.facts_of(one, &versions) })
                .collect();
            let (account, sources) = (&self.channel.account, &self.archive.sources);
            let people = People::of(&names, account, &members, &HashMap::new(), sources)?;
            gathered.push((conversation, members, people));
        }
        let met = Met::default();
        let all = on_every_core(&gathered, |(conversation, members, people)| {
            computed(&self.rules, (&names, &met), *conversation, members, people)
        });
        let mut made = Made::default();
        for computed in all {
            counts.uncertain += computed.uncertain;
            counts.flagged += computed.flagged;
            made.findings.extend(computed.findings);
            made.flags.extend(computed.flags);
            made.doubtful.extend(computed.doubtful);
            made.found_by.extend(computed.found_by);
            made.subjects.extend(computed.subjects);
            if !computed.published.projections.is_empty() {
                made.outbox.push(publish_row(&computed.published));
            }
        }
        Ok(made)
    }

    fn facts_of(&self, one: &Arrived<'_>, in_force: &HashMap<RecordId, ProjectionId>) -> Facts {
        let latest = in_force.get(&one.resolved.record) == Some(&one.projection);
        Facts {
            record: one.resolved.record,
            version: one.resolved.version,
            projection: one.projection,
            organisation: self.channel.organisation.clone(),
            channel: self.channel.id.clone(),
            kind: one.item.kind,
            visibility: one.item.visibility,
            posted_at: one.item.posted_at,
            own: one.own,
            edited: one.item.edited_at.is_some() || !one.item.supersedes.is_empty(),
            // An earlier version of an edited item is withheld.
            withheld: one.resolved.withheld.is_some() || !latest,
            outcome: one.decision.outcome,
            tree: (one.decision.tree.clone(), one.decision.tree_version.clone()),
            // What is new was judged by nobody.
            verdicts: Verdicts::default(),
            assessed: Vec::new(),
            named: BTreeSet::new(),
            before: None,
            held: BTreeSet::new(),
            attached_bytes: self.attached_bytes(one.item),
        }
    }
}

/// For each record the arrival whose version is in force.
fn in_force(of: &[&Arrived<'_>]) -> HashMap<RecordId, ProjectionId> {
    let mut latest: HashMap<RecordId, &Arrived<'_>> = HashMap::new();
    for one in of.iter().filter(|one| one.resolved.arrival != Arrival::Older) {
        let newer = latest.get(&one.resolved.record).is_none_or(|known| {
            (one.item.edited_at, one.resolved.version) > (known.item.edited_at, known.resolved.version)
        });
        if newer {
            latest.insert(one.resolved.record, one);
        }
    }
    latest.into_iter().map(|(record, one)| (record, one.projection)).collect()
}

/// A file is kept as long as what it is attached to, and goes with it: no tree is asked.
fn attached() -> Decision {
    Decision { outcome: Outcome::Archive, ending: "attached".to_owned(), ..unsure() }
}

/// Without any tree a person must say.
fn unsure() -> Decision {
    Decision {
        outcome: Outcome::Unsure,
        ending: "no-tree".to_owned(),
        keep: None,
        path: Vec::new(),
        tree: "none".to_owned(),
        tree_version: "0".to_owned(),
    }
}
