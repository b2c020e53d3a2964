//! Deciding anew: on stored answers and on facts as they are known now. Nothing is opened; what was decided before is kept.

use super::decision_receipt::stating;
use super::{Archive, DEFAULT_TREE, Rules, VaultError};
use crate::decide::{Answer, Answerer, Asks, Decision, Defined, Facts, Given, Tree};
use crate::ledger::{Code, Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, ChannelId, OrganisationId, RecordId, Role, Timestamp, VersionId};
use crate::store::catalogue::{
    Anew, ChannelFact, DecisionChange, DecisionRow, DecisionSetRow, Fact, JudgedRecord, RecordSummary,
};

/// What detectors and definitions said when a record came in.
pub struct Stored<'r>(pub &'r JudgedRecord);

impl Answerer for Stored<'_> {
    fn answer(&self, asks: Asks) -> Option<Given> {
        self.0.answers.get(asks.name()).cloned()
    }
}

/// The facts of a record: those of its channel as they were at the time of posting, later ones as known now.
#[must_use]
pub fn facts_of(record: &JudgedRecord, channel_facts: &[ChannelFact], answered: bool) -> Facts {
    let at = record.posted_at.unwrap_or(record.captured_at);
    let yes = |wanted: Fact| value_at(channel_facts, wanted, at).map(|value| value == "yes");
    Facts {
        own: record.own,
        official_channel: yes(Fact::Official).unwrap_or_default().into(),
        reactions_open: yes(Fact::Reactions).map_or(Answer::Unsure, Answer::from),
        edited: record.edited.into(),
        deleted: record.deleted.into(),
        answered: answered.into(),
        registered: record.registered.into(),
        people: record.people.clone(),
        ..Facts::unknown(record.kind)
    }
}

fn value_at(facts: &[ChannelFact], wanted: Fact, at: Timestamp) -> Option<&str> {
    facts.iter().rev().find(|fact| fact.fact == wanted && fact.held_at(at)).map(|fact| fact.value.as_str())
}

/// What detectors and definitions say of a text, as far as it is kept: of people nothing that only the posts of an
/// office-holder are asked.
#[must_use]
pub fn kept_answers(answers: &dyn Answerer, own: bool) -> Vec<(Asks, Given)> {
    let of_office = |of: &Defined| {
        matches!(of, Defined::GovernmentBusiness | Defined::PartyPolitical | Defined::PrivateLife)
    };
    let definitions = Defined::ALL.iter().filter(|defined| of_office(defined) == own);
    let asked = (!own).then_some(Asks::QuestionDetector).into_iter();
    let asked = asked.chain(definitions.map(|defined| Asks::Definition(*defined)));
    asked.filter_map(|asks| Some((asks, answers.answer(asks)?))).collect()
}

/// A record of one organisation with what it is decided on.
pub(super) struct Case {
    pub(super) summary: RecordSummary,
    pub(super) judged: JudgedRecord,
    pub(super) version: VersionId,
    facts: Vec<ChannelFact>,
    answered: bool,
}

impl Case {
    /// Looks a record up. The caller holds the intake, so that it is still so when it is written.
    ///
    /// # Errors
    /// [`VaultError::Absent`] when the organisation has no such record; when storage fails.
    pub(super) async fn of(
        archive: &Archive,
        organisation: &OrganisationId,
        record: RecordId,
    ) -> Result<Self, VaultError> {
        let absent = || VaultError::Absent { what: "the record" };
        let catalogue = &archive.catalogue;
        let summary = catalogue.record(record).await?.filter(|of| &of.organisation == organisation);
        let summary = summary.ok_or_else(absent)?;
        let judged = catalogue.judged_record(organisation, record).await?.ok_or_else(absent)?;
        let version = catalogue.version_in_force(record).await?.ok_or_else(absent)?;
        let facts = catalogue.channel_facts(&judged.channel).await?;
        let answered = catalogue.was_answered(record).await?;
        Ok(Self { summary, judged, version, facts, answered })
    }

    /// The tree that was in force when the record was posted.
    ///
    /// # Errors
    /// [`VaultError::Input`] when there was none.
    pub(super) fn tree<'r>(&self, rules: &'r Rules) -> Result<&'r Tree, VaultError> {
        tree_of(rules, &self.judged, &self.facts)
    }

    /// What follows from the stored answers, the people's answers of `judged`, and the facts as known now.
    ///
    /// # Errors
    /// As [`tree`](Self::tree).
    pub(super) fn decide(&self, rules: &Rules) -> Result<Decision, VaultError> {
        let facts = facts_of(&self.judged, &self.facts, self.answered);
        Ok(self.tree(rules)?.decide(&facts, &Stored(&self.judged)))
    }

    /// The change as it is written, and the entry that commits to it.
    ///
    /// # Errors
    /// When the random source fails.
    pub(super) fn change(
        &self,
        archive: &Archive,
        decision: &Decision,
        by: Option<(ActorId, Role)>,
        because: Code,
    ) -> Result<(DecisionChange, Pending), VaultError> {
        let (sources, now) = (&archive.sources, archive.sources.now());
        let mut entry = Entry::new(sources.entry_id()?, EntryKind::DecisionChanged, now)
            .of(self.summary.organisation.clone())
            .about([Thing::Record(self.summary.id)])
            .outcome(decision.outcome.as_str().parse::<Code>()?)
            .because([because]);
        if let Some((actor, role)) = by {
            entry = entry.by(actor, role);
        }
        let row =
            decision_row((self.summary.id, self.version), decision, sources.secret::<16>()?.to_vec(), now);
        let rows = [row];
        let (entry, set): (Entry, DecisionSetRow) = stating(entry, &rows, now)?;
        let [decision] = rows;
        let change = DecisionChange {
            record: self.summary.id,
            projection: self.summary.projection,
            conversation: self.summary.conversation,
            decision,
            set,
        };
        Ok((change, Pending::event(entry)?))
    }
}

/// What is kept of a decision on a version of a record, with the salt of its commitment.
pub(super) fn decision_row(
    (record, version): (RecordId, VersionId),
    decision: &Decision,
    salt: Vec<u8>,
    decided_at: Timestamp,
) -> DecisionRow {
    DecisionRow {
        record,
        version,
        outcome: decision.outcome,
        tree: decision.tree.clone(),
        tree_version: decision.tree_version.clone(),
        path: serde_json::to_string(&decision.path).unwrap_or_else(|_| "[]".to_owned()),
        ending: decision.ending.clone(),
        keep: decision.keep.as_ref().and_then(|keep| serde_json::to_string(keep).ok()),
        salt,
        decided_at,
    }
}

/// Records looked up at a time.
const ROUND: u32 = 500;

/// Decides records anew that wait for it because a fact changed (answered, registered, confirmed elsewhere). How many came out
/// otherwise.
///
/// # Errors
/// As [`decide_held`].
pub async fn decide_waiting(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    // Nearly always nothing waits: then no intake is held up.
    if archive.catalogue.waiting_anew(None, 1).await?.is_empty() {
        return Ok(0);
    }
    let _one_at_a_time = archive.intake.lock().await;
    decide_held(archive, rules).await
}

/// As [`decide_waiting`], for a caller that holds the intake and has just written what changed. That stands: a failure is logged, and
/// what waits is decided in the next round.
pub(super) async fn decide_after(archive: &Archive, rules: &Rules) {
    if let Err(error) = decide_held(archive, rules).await {
        tracing::error!(%error, "records wait to be decided anew; the next round tries again");
    }
}

/// Decides what waits. Only what comes out otherwise is written: another outcome or another ending. One that fails waits on, and does
/// not stand in the way of the others.
///
/// # Errors
/// What failed first; what was written stands.
async fn decide_held(archive: &Archive, rules: &Rules) -> Result<u64, VaultError> {
    let (mut changed, mut failed, mut after) = (0, None, None);
    loop {
        let waiting = archive.catalogue.waiting_anew(after, ROUND).await?;
        let Some(last) = waiting.last() else { break };
        after = Some(last.record);
        for one in &waiting {
            match decide_one(archive, rules, one).await {
                Ok(otherwise) => changed += u64::from(otherwise),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    if changed > 0 {
        archive.journal.wake();
    }
    failed.map_or(Ok(changed), Err)
}

/// Whether it came out otherwise.
async fn decide_one(archive: &Archive, rules: &Rules, waiting: &Anew) -> Result<bool, VaultError> {
    let Some((case, decision)) = otherwise(archive, rules, waiting.record).await? else {
        archive.catalogue.settle_anew(waiting.record).await?;
        return Ok(false);
    };
    let (change, pending) = case.change(archive, &decision, waiting.by, waiting.cause.parse::<Code>()?)?;
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    Ok(archive.catalogue.change_decision(log, &change, pending, now).await?.is_some())
}

/// What is decided of a record now, when that is otherwise than what is in force. A record without a tree in force is left as it is.
async fn otherwise(
    archive: &Archive,
    rules: &Rules,
    record: RecordId,
) -> Result<Option<(Case, Decision)>, VaultError> {
    let Some(organisation) = archive.catalogue.holder(record).await? else { return Ok(None) };
    let case = match Case::of(archive, &organisation, record).await {
        Ok(case) => case,
        // A page of the web, on which no tree decides.
        Err(VaultError::Absent { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Ok(decision) = case.decide(rules) else { return Ok(None) };
    let made = archive.catalogue.decisions_made(record).await?;
    let same = |was: &DecisionRow| was.outcome == decision.outcome && was.ending == decision.ending;
    Ok((!made.first().is_some_and(same)).then_some((case, decision)))
}

/// The tree that was in force when a record was posted.
///
/// # Errors
/// [`VaultError::Input`] when there was none.
pub(super) fn tree_of<'r>(
    rules: &'r Rules,
    record: &JudgedRecord,
    facts: &[ChannelFact],
) -> Result<&'r Tree, VaultError> {
    let at = record.posted_at.unwrap_or(record.captured_at);
    let chosen = value_at(facts, Fact::Tree, at);
    let chose = facts.iter().any(|fact| fact.fact == Fact::Tree);
    let id = chosen.or((!chose || record.own).then_some(DEFAULT_TREE));
    id.and_then(|id| rules.trees.get(id)).ok_or_else(|| none(&record.channel))
}

fn none(channel: &ChannelId) -> VaultError {
    VaultError::Input(format!(
        "channel `{channel}` had no tree in force when the record was posted; declare one for that time first"
    ))
}
