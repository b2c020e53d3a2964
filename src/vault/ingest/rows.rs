//! A batch as the rows that the catalogue keeps of it.

use super::batch::{Arrived, Made, Work};
use super::counts::Counts;
use super::resolve::{Arrival, Resolution, Resolved};
use crate::capture::{Item, Unit};
use crate::decide::{Answer, Asks, Defined, Given, Profile, Sentiment};
use crate::model::{ConversationId, ItemDigest, ItemKind, RecordId};
use crate::store::catalogue::{
    AnswerRow, Batch, DecisionRow, FormalRow, MinimisedRow, NameRow, NamedFile, OutboxRow, RecordRow,
    SentimentRow, VersionRow, Withheld,
};
use crate::store::room::PublishedConversation;
use crate::vault::conversation::text_to_judge;
use crate::vault::deciding::decision_row;
use crate::vault::publish::CONVERSATION;
use crate::vault::{VaultError, formal, suppress};
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A reaction that is not taken in because the tree does not keep it: only how it sounded is counted, once.
pub(super) struct NotKept<'a> {
    pub(super) item: &'a Item,
    /// The thread it hangs on, or what stands for threads of the channel that are not here.
    pub(super) conversation: ConversationId,
    /// Its names under the key of what is not here: delivered again it is not counted again.
    pub(super) names: Vec<ItemDigest>,
}

impl Work {
    /// Reactions that are not kept, each once. What was not open to everyone is not looked at.
    pub(super) fn not_kept<'u>(
        &self,
        units: &'u [Unit],
        resolution: &Resolution,
        refused: &HashSet<(usize, usize)>,
    ) -> Vec<NotKept<'u>> {
        let mut counted: HashSet<ItemDigest> = HashSet::new();
        let mut found = Vec::new();
        for resolved in resolution.items.iter().filter(|one| refused.contains(&(one.unit, one.item))) {
            let item = units.get(resolved.unit).and_then(|unit| unit.items.get(resolved.item));
            let Some(item) = item.filter(|item| self.counts(item)) else { continue };
            if resolved.counted || resolved.names.iter().any(|name| counted.contains(name)) {
                continue;
            }
            counted.extend(&resolved.names);
            let names = resolved.names.iter();
            found.push(NotKept {
                item,
                conversation: resolution.thread_of(resolved).unwrap_or_else(|| self.elsewhere()),
                names: names.map(|name| suppress::refused(&self.archive.suppression, *name)).collect(),
            });
        }
        found
    }

    fn counts(&self, item: &Item) -> bool {
        item.visibility.is_public()
            && !self.is_own(item)
            && item.kind != ItemKind::Message
            && item.kind.is_said()
    }

    /// What stands for threads that are not in the archive: one for each channel.
    fn elsewhere(&self) -> ConversationId {
        let digest = self.archive.digests.digest("thread-elsewhere", &[self.channel.id.as_str().as_bytes()]);
        ConversationId::from_uuid(uuid::Uuid::from_bytes(*digest.as_bytes()))
    }

    /// What was kept out, by rule and by name.
    pub(super) fn minimised_rows(&self, counts: &Counts) -> Result<Vec<MinimisedRow>, VaultError> {
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

    pub(super) fn batch(
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
            now: self.decided_at,
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
            decision_set: None,
            answers_of: self.answers_of(),
            subjects: made.subjects,
            merged: resolution.merged.clone(),
            stale: resolution.touched.iter().copied().collect(),
            outbox: made.outbox,
            flags: made.flags,
            doubtful: made.doubtful,
            answers: arrived.iter().flat_map(answer_rows).collect(),
            sentiment: Vec::new(),
            files: Vec::new(),
            attached: Vec::new(),
            formal: arrived.iter().filter_map(|one| self.formal_row(one)).collect(),
            minimised: Vec::new(),
            refused: Vec::new(),
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
            kind: one.item.kind,
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
            parts: one.layout.to_bytes(self.format),
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

    /// How reactions that are new sounded, also those that are not kept: counts by thread and month; nothing of
    /// it is kept of one of them.
    pub(super) fn sentiment_rows(
        &self,
        arrived: &[Arrived<'_>],
        not_kept: &[NotKept<'_>],
    ) -> Vec<SentimentRow> {
        let mut counts: BTreeMap<(ConversationId, Date, Sentiment), u64> = BTreeMap::new();
        let new = |one: &&Arrived<'_>| {
            one.resolved.arrival == Arrival::New
                && !one.resolved.counted
                && !one.own
                && one.item.kind.is_said()
        };
        let taken_in = arrived.iter().filter(new).map(|one| (one.item, one.conversation));
        for (item, conversation) in taken_in.chain(not_kept.iter().map(|one| (one.item, one.conversation))) {
            let said = self.rules.sentiment.of(&zeroize::Zeroizing::new(text_to_judge(item)));
            let month = item.posted_at.unwrap_or(self.now).date().first_of_month();
            *counts.entry((conversation, month, said)).or_default() += 1;
        }
        let method = self.rules.sentiment.version();
        let row = |((conversation, month, said), amount)| SentimentRow {
            conversation,
            channel: self.channel.id.clone(),
            month,
            method: method.clone(),
            said,
            amount,
        };
        counts.into_iter().map(row).collect()
    }

    /// How files are called in this capture, and which are attached to what came in, also to what was there.
    pub(super) fn file_rows(
        &self,
        units: &[Unit],
        resolution: &Resolution,
    ) -> (Vec<NamedFile>, Vec<NamedFile>) {
        let (mut files, mut attached) = (Vec::new(), Vec::new());
        let here = |one: &&Resolved| !matches!(one.arrival, Arrival::Suppressed | Arrival::Refused);
        for one in resolution.items.iter().filter(here) {
            if let Some(item) = units.get(one.unit).and_then(|unit| unit.items.get(one.item)) {
                let (called, named) = self.named_files(one.record, item);
                files.extend(called);
                attached.extend(named);
            }
        }
        (files, attached)
    }

    /// A formal message is kept with its time of receipt: when it was posted, or else when it came in.
    fn formal_row(&self, one: &Arrived<'_>) -> Option<FormalRow> {
        let found = one.answers.iter().find(|(asks, _)| *asks == Asks::Definition(Defined::Formal));
        let formal = found.is_some_and(|(_, given)| given.verdict.answer == Answer::Yes);
        let received_at = one.item.posted_at.unwrap_or(self.now);
        let due_at = formal::due(&self.rules, &self.channel.organisation, received_at, self.now);
        (formal && !one.own && one.item.kind.is_said()).then_some(FormalRow {
            record: one.resolved.record,
            received_at,
            due_at,
        })
    }

    fn decision_row(&self, one: &Arrived<'_>) -> DecisionRow {
        let of = (one.resolved.record, one.resolved.version);
        decision_row(of, &one.decision, one.salt.clone(), self.decided_at)
    }
}

/// A profile as records name it: id and version.
pub(super) fn named(profile: &Profile) -> String {
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

pub(in crate::vault) fn publish_row(published: &PublishedConversation) -> OutboxRow {
    let payload = serde_json::to_string(published).unwrap_or_default();
    OutboxRow { kind: CONVERSATION, payload }
}

fn copy_name(row: &NameRow) -> NameRow {
    NameRow { ..*row }
}
