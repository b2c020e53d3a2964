//! One batch: looked up, resolved, sealed, judged, looked through for personal data, committed.

use super::resolve::{Arrival, Before, Digests, Resolution, Resolved, Resolver};
use super::{IngestReport, Intake};
use crate::capture::{Item, Unit};
use crate::decide::{Answer, Asks, Decision, Defined, Facts as JudgedFacts, Given, Judges, Profile};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{
    ByteRange, ConversationId, ItemDigest, ItemKind, Outcome, ProjectionId, RecordId, Timestamp,
};
use crate::store::catalogue::{
    AnswerRow, Batch, Channel, ChannelFact, DecisionRow, Fact, FindRow, FlagRow, MinimisedRow, OutboxRow,
    RecordRow, SightingRow, SubjectRow, Verdicts, VersionRow, Withheld,
};
use crate::vault::conversation::{Facts, Member, compute, text_to_judge};
use crate::vault::layout::Layout;
use crate::vault::minimise::{self, Minimised, Minimiser};
use crate::vault::names::Names;
use crate::vault::sealing::{SealedBatch, Suppressed, seal_batch};
use crate::vault::{Archive, DEFAULT_TREE, Rules, VaultError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a batch did.
#[derive(Default)]
pub(super) struct Counts {
    new_records: u64,
    new_by_kind: BTreeMap<ItemKind, u64>,
    edited: u64,
    new_versions: u64,
    new_pages: u64,
    refused: BTreeMap<String, u64>,
    left_out: BTreeMap<String, u64>,
    already_there: u64,
    suppressed: u64,
    not_public: u64,
    uncertain: u64,
    flagged: u64,
    outcomes: BTreeMap<Outcome, u64>,
}

impl Counts {
    /// Codes and counts for the ledger.
    pub(super) fn words(&self) -> Vec<(String, u64)> {
        let plain = [
            ("new-records", self.new_records),
            ("new-versions", self.new_versions),
            ("new-pages", self.new_pages),
            ("already-there", self.already_there),
            ("suppressed", self.suppressed),
            ("not-public", self.not_public),
            ("withheld-uncertain", self.uncertain),
            ("withheld-flagged", self.flagged),
        ];
        let outcomes = self.outcomes.iter().map(|(outcome, n)| (format!("outcome.{outcome}"), *n));
        let total = |of: &BTreeMap<String, u64>| of.values().sum::<u64>();
        let kept_out = [("minimised", total(&self.refused)), ("members-left-out", total(&self.left_out))];
        plain
            .into_iter()
            .chain(kept_out)
            .map(|(what, n)| (what.to_owned(), n))
            .chain(outcomes)
            .filter(|(_, n)| *n > 0)
            .collect()
    }

    fn add_to(&self, report: &mut IngestReport) {
        report.new_records += self.new_records;
        report.new_versions += self.new_versions;
        report.edited += self.edited;
        report.new_pages += self.new_pages;
        report.already_there += self.already_there;
        report.suppressed += self.suppressed;
        report.not_public += self.not_public;
        report.uncertain += self.uncertain;
        report.flagged += self.flagged;
        for (rule, n) in &self.refused {
            *report.minimised.entry(rule.clone()).or_default() += n;
        }
        for (name, n) in &self.left_out {
            *report.left_out.entry(name.clone()).or_default() += n;
        }
        for (kind, n) in &self.new_by_kind {
            *report.new_by_kind.entry(*kind).or_default() += n;
        }
        for (outcome, n) in &self.outcomes {
            *report.outcomes.entry(*outcome).or_default() += n;
        }
    }
}

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
        let (units, minimised, work) = tokio::task::spawn_blocking(move || work.minimise(units)).await??;
        let _one_at_a_time = self.archive.intake.lock().await;
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
        let resolver = Resolver::new(&before, &self.archive.sources, &minimised.refused);
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
        Work {
            archive: self.archive.clone(),
            rules: self.rules.clone(),
            channel: self.channel.clone(),
            facts: self.facts.into(),
            capture: self.capture,
            destroyed: self.destroyed.to_vec(),
            now: self.archive.sources.now(),
        }
    }

    async fn commit(&self, prepared: Prepared, report: &mut IngestReport) -> Result<(), VaultError> {
        let Prepared { sealed, mut batch, counts } = prepared;
        batch.pending.push(self.entry(&counts)?);
        batch.pending.extend(self.decided(&counts)?);
        self.archive.blobs.put_once(sealed.segment.id, sealed.bytes.into()).await?;
        batch.segment = Some(sealed.segment);
        batch.fragments = sealed.fragments;
        self.archive.catalogue.commit(self.archive.logs.vault_origin(), batch).await?;
        self.archive.journal.wake();
        counts.add_to(report);
        Ok(())
    }

    /// The decisions of a batch, counted by outcome; each stands with its path in the catalogue.
    fn decided(&self, counts: &Counts) -> Result<Option<Pending>, VaultError> {
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
        Ok(Some(Pending::event(entry)?))
    }
}

/// The heavy work on a batch, away from the threads that answer requests.
struct Work {
    archive: Archive,
    rules: Rules,
    channel: Channel,
    facts: Arc<[ChannelFact]>,
    capture: crate::model::CaptureId,
    destroyed: Vec<ByteRange>,
    now: Timestamp,
}

/// What came of the conversations that are wholly of a batch.
#[derive(Default)]
struct Made {
    findings: HashMap<crate::model::VersionId, String>,
    flags: Vec<FlagRow>,
    found_by: Vec<FindRow>,
    outbox: Vec<OutboxRow>,
    subjects: Vec<SubjectRow>,
}

/// An item that is new, or new in this version, with everything its rows need.
struct Arrived<'a> {
    resolved: &'a Resolved,
    item: &'a Item,
    conversation: ConversationId,
    own: bool,
    projection: ProjectionId,
    decision: Decision,
    /// What detectors and definitions said of it.
    answers: Vec<(Asks, Given)>,
    /// The salt of the decision's receipt.
    salt: Vec<u8>,
    /// Members that were left out of it, by name.
    left_out: BTreeMap<String, u64>,
    layout: &'a Layout,
}

impl Work {
    /// Takes out what the profile in force keeps out.
    fn minimise(self, mut units: Vec<Unit>) -> Result<(Vec<Unit>, Minimised, Self), VaultError> {
        let mut minimised = Minimised::default();
        if let Some(profile) = self.profile()? {
            let names = Names::of_channel(&self.archive.digests, &self.channel);
            let outcome = |item: &Item| self.judge(item, self.is_own(item), None).0.outcome;
            let minimiser = Minimiser { profile, names: &names, channel: &self.channel, outcome: &outcome };
            minimised = minimiser.apply(&mut units)?;
        }
        Ok((units, minimised, self))
    }

    fn profile(&self) -> Result<Option<&Profile>, VaultError> {
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
        let batch = Batch { sightings, minimised, ..self.batch(&resolution, &arrived, made)? };
        drop(arrived);
        Ok(Prepared { sealed, batch, counts })
    }

    /// A version that was there is sealed once more: its record takes these bytes along when it is destroyed.
    fn sighting(&self, sealed: &SealedBatch, resolved: &Resolved) -> Result<SightingRow, VaultError> {
        let layout = sealed.layouts.get(resolved.unit).and_then(|of| of.get(resolved.item));
        let parts = layout.ok_or(VaultError::Layout)?.to_bytes();
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

    fn is_own(&self, item: &Item) -> bool {
        let names = Names::of_channel(&self.archive.digests, &self.channel);
        item.author.as_ref().is_some_and(|author| names.is_channel(author, &self.channel.account))
    }

    /// Runs the tree that was in force at the time of posting, on the facts of that time.
    fn judge(&self, item: &Item, own: bool, withheld: Option<Withheld>) -> (Decision, Vec<(Asks, Given)>) {
        let at = item.posted_at.unwrap_or(self.now);
        let official = self.fact_at(Fact::Official, at).is_some_and(|value| value == "yes");
        let facts = JudgedFacts {
            own,
            official_channel: official.into(),
            edited: item.edited_at.is_some().into(),
            deleted: (withheld == Some(Withheld::Deleted)).into(),
            answered: Answer::Unsure,
            reactions_open: self
                .fact_at(Fact::Reactions, at)
                .map_or(Answer::Unsure, |value| (value == "yes").into()),
            ..JudgedFacts::unknown(item.kind)
        };
        // The organisation's own posts are archived under any tree, also where none is in force.
        let chosen = self.tree_at(at).or(own.then_some(DEFAULT_TREE));
        let tree = chosen.and_then(|id| self.rules.trees.get(id));
        let text = zeroize::Zeroizing::new(text_to_judge(item));
        let definitions = &self.rules.definitions.in_force(Some(&self.channel.organisation), self.now);
        let judges = Judges { question: &self.rules.questions, definitions, text: &text };
        let mut answers = judges.all();
        // Of people nothing is kept that only the posts of an office-holder are asked.
        answers.retain(|(asks, _)| match asks {
            Asks::Definition(
                Defined::GovernmentBusiness | Defined::PartyPolitical | Defined::PrivateLife,
            ) => own,
            _ => !own,
        });
        (tree.map_or_else(unsure, |tree| tree.decide(&facts, &judges)), answers)
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
            // A page of the web is no record of anyone's.
            Arrival::New if one.item.kind == ItemKind::Page => {
                counts.new_pages += 1;
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
        let mut made = Made::default();
        for (conversation, mut of) in by_conversation {
            of.sort_by_key(|one| (one.item.posted_at.is_none(), one.item.posted_at, one.resolved.record));
            let versions = in_force(&of);
            let members: Vec<Member<'_>> = of
                .iter()
                .map(|one| Member { item: one.item, facts: self.facts_of(one, &versions) })
                .collect();
            let computed = compute(
                &self.rules,
                &names,
                conversation,
                &self.channel.account,
                &members,
                &HashMap::new(),
                &self.archive.sources,
            )?;
            counts.uncertain += computed.uncertain;
            counts.flagged += computed.flagged;
            made.findings.extend(computed.findings);
            made.flags.extend(computed.flags);
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
            kind: kind_of(one),
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
            named: BTreeSet::new(),
        }
    }

    /// What was kept out, by rule and by name.
    fn minimised_rows(&self, counts: &Counts) -> Result<Vec<MinimisedRow>, VaultError> {
        let Some(profile) = self.profile()? else { return Ok(Vec::new()) };
        let row = |kind: &'static str, (what, amount): (&String, &u64)| MinimisedRow {
            capture: self.capture,
            profile: named(profile),
            kind,
            what: what.clone(),
            amount: *amount,
        };
        let refused = counts.refused.iter().map(|of| row("refused", of));
        Ok(refused.chain(counts.left_out.iter().map(|of| row("left-out", of))).collect())
    }

    fn batch(
        &self,
        resolution: &Resolution,
        arrived: &[Arrived<'_>],
        made: Made,
    ) -> Result<Batch, VaultError> {
        let profile = self.profile()?.map(named);
        // Of several versions of a new record in one batch, the record's row is made from the last in force.
        let mut records: Vec<RecordRow> = Vec::new();
        let mut row_of: HashMap<RecordId, usize> = HashMap::new();
        for one in arrived {
            match (one.resolved.arrival, row_of.get(&one.resolved.record)) {
                (Arrival::New, _) => {
                    row_of.insert(one.resolved.record, records.len());
                    records.push(self.record_row(one));
                }
                (Arrival::Newer, Some(row)) => {
                    if let Some(row) = records.get_mut(*row) {
                        *row = RecordRow { id: row.id, ..self.record_row(one) };
                    }
                }
                _ => {}
            }
        }
        let replaces = |one: &&Arrived<'_>| {
            one.resolved.arrival == Arrival::Newer && !row_of.contains_key(&one.resolved.record)
        };
        Ok(Batch {
            now: self.now,
            segment: None,
            fragments: Vec::new(),
            records,
            versions: arrived
                .iter()
                .map(|one| self.version_row(one, replaces(&one), &made.findings, profile.as_ref()))
                .collect(),
            sightings: Vec::new(),
            names: resolution.names.iter().map(copy_name).collect(),
            closed: resolution.closed.clone(),
            decisions: arrived.iter().map(|one| self.decision_row(one)).collect(),
            subjects: made.subjects,
            merged: resolution.merged.clone(),
            stale: resolution.touched.iter().copied().collect(),
            outbox: made.outbox,
            flags: made.flags,
            answers: arrived.iter().flat_map(answer_rows).collect(),
            minimised: Vec::new(),
            found_by: made.found_by,
            pending: Vec::new(),
        })
    }

    fn record_row(&self, one: &Arrived<'_>) -> RecordRow {
        RecordRow {
            id: one.resolved.record,
            organisation: self.channel.organisation.clone(),
            channel: self.channel.id.clone(),
            conversation: one.conversation,
            kind: kind_of(one),
            visibility: one.item.visibility,
            posted_at: one.item.posted_at,
            edited_at: one.item.edited_at,
            own: one.own,
            withheld: one.resolved.withheld.map(Withheld::as_str),
            version: one.resolved.version,
            projection: one.projection,
            outcome: one.decision.outcome,
            answers: one.resolved.answers,
        }
    }

    fn version_row(
        &self,
        one: &Arrived<'_>,
        replaces: bool,
        findings: &HashMap<crate::model::VersionId, String>,
        profile: Option<&String>,
    ) -> VersionRow {
        let found = findings.get(&one.resolved.version);
        VersionRow {
            id: one.resolved.version,
            record: one.resolved.record,
            digest: one.resolved.digest,
            capture: self.capture,
            observed_at: self.now,
            parts: one.layout.to_bytes(),
            names: one.resolved.names.clone(),
            // Without findings yet: the conversation is stale, and computed as a whole.
            ruleset: found.map(|_| self.rules.ruleset.version().to_owned()).unwrap_or_default(),
            findings: found.cloned().unwrap_or_else(|| "[]".to_owned()),
            replaces,
            edited_at: one.item.edited_at,
            visibility: one.item.visibility,
            outcome: one.decision.outcome,
            profile: profile.cloned(),
            left_out: (!one.left_out.is_empty())
                .then(|| serde_json::to_string(&one.left_out).unwrap_or_default()),
        }
    }

    fn decision_row(&self, one: &Arrived<'_>) -> DecisionRow {
        DecisionRow {
            record: one.resolved.record,
            version: one.resolved.version,
            outcome: one.decision.outcome,
            tree: one.decision.tree.clone(),
            tree_version: one.decision.tree_version.clone(),
            path: serde_json::to_string(&one.decision.path).unwrap_or_else(|_| "[]".to_owned()),
            ending: one.decision.ending.clone(),
            keep: one.decision.keep.as_ref().and_then(|keep| serde_json::to_string(keep).ok()),
            salt: one.salt.clone(),
            decided_at: self.now,
        }
    }
}

/// A profile as records name it: id and version.
fn named(profile: &Profile) -> String {
    format!("{} {}", profile.id(), profile.version())
}

fn answer_rows(one: &Arrived<'_>) -> Vec<AnswerRow> {
    let row = |(asks, given): &(Asks, Given)| AnswerRow {
        version: one.resolved.version,
        asked: asks.name(),
        answer: given.verdict.answer.as_str(),
        answered_by: given.answered_by.as_str(),
        by: given.by.clone(),
        permille: (given.verdict.confidence.clamp(0.0, 1.0) * 1000.0).round() as u16,
    };
    one.answers.iter().map(row).collect()
}

/// A reaction of the organisation itself stays a reaction; what starts nothing and answers nothing is a post.
fn kind_of(one: &Arrived<'_>) -> ItemKind {
    one.item.kind
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

pub(in crate::vault) fn publish_row(published: &crate::store::room::PublishedConversation) -> OutboxRow {
    let payload = serde_json::to_string(published).unwrap_or_default();
    OutboxRow { kind: crate::vault::publish::CONVERSATION, payload }
}

fn copy_name(row: &crate::store::catalogue::NameRow) -> crate::store::catalogue::NameRow {
    crate::store::catalogue::NameRow { ..*row }
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
