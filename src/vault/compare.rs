//! What several trees, profiles and redaction plans would mean for the same archive, on stored facts and answers: nothing is
//! opened and nothing is changed. Asked to detect anew, originals are opened as a recorded system act, and that is timed apart.

use super::conversation::text_to_judge;
use super::deciding::kept_answers;
use super::deciding::{Stored, facts_of};
use super::publish::{BATCH_RECORDS, open_items};
use super::{Archive, Rules, VaultError, read};
use crate::access::{Action, Actor, Resource};
use crate::decide::{Answer, Asks, Facts, Intake, Judges, Profile, Seen, Tree};
use crate::model::{
    ChannelId, ConversationId, EntityType, OrganisationId, Outcome, ProjectionId, RecordId, SubjectRef,
    Timestamp,
};
use crate::redact::{Language, Mode, Plan};
use crate::store::catalogue::{ChannelFact, JudgedRecord};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is compared, over what.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Trees by id. [`REACTIONS_OFF`] is one that takes in no reaction at all.
    pub trees: Vec<String>,
    /// Minimisation profiles by id; none: as if everything came in.
    pub profiles: Vec<String>,
    /// Redaction plans by id: how what is published would be shown.
    pub plans: Vec<String>,
    /// Of which organisation.
    pub organisation: OrganisationId,
    /// Only what was posted from then on.
    pub from: Option<Timestamp>,
    /// Only what was posted before.
    pub until: Option<Timestamp>,
    /// How long a person takes for one doubtful record.
    pub seconds_each: u32,
    /// Of how many records that come out otherwise a sample is shown.
    pub samples: usize,
    /// Open the originals, as a recorded system act, and ask detectors and definitions anew as they are now.
    pub redetect: bool,
}

/// The name that stands for reactions that are closed.
pub const REACTIONS_OFF: &str = "reactions-off";

/// Smaller counts of personal data are not told apart.
const SMALL: u64 = 5;

/// What one tree under one profile would mean.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// The tree's id, with its version.
    pub tree: String,
    /// The profile's id, with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What others posted.
    pub reactions: u64,
    /// Kept: `archive`.
    pub kept: u64,
    /// Kept elsewhere.
    pub kept_elsewhere: u64,
    /// Referred.
    pub referred: u64,
    /// Proposed for destruction: `do_not_archive`.
    pub proposed_for_destruction: u64,
    /// Not taken in at all.
    pub not_taken_in: u64,
    /// Sent to people.
    pub to_people: u64,
    /// How long people would work on them.
    pub hours_of_work: f64,
    /// Questions, as the detector or a person said.
    pub questions: u64,
    /// Questions of which nothing would be kept.
    pub questions_lost: u64,
    /// Questions without an answer of which nothing would be kept: not answering could no longer be shown.
    pub unanswered_no_longer_provable: u64,
    /// Spans of personal data in what is kept or waits for a person, by type; small counts are put together as `other`.
    pub personal_data: BTreeMap<String, u64>,
    /// People of threads of whom something is retained, by how many spans: `1`, `2-5`, `6+`; a person has another reference in
    /// each thread. Small counts are put together as `other`. Whose account it is is not among the spans.
    pub people: BTreeMap<String, u64>,
    /// Spans in what is published, by redaction plan and by how they are shown: `label`, `pseudonym`, `generalised`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub shown: BTreeMap<String, BTreeMap<String, u64>>,
    /// How many come out otherwise than in the first column.
    pub differs: u64,
}

/// A record that comes out otherwise, in redacted form.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Which record.
    pub record: RecordId,
    /// What each column says, in order.
    pub outcomes: Vec<String>,
    /// Its redacted document, if it has one.
    pub view: Option<serde_json::Value>,
}

/// The whole report.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Records looked at, the organisation's own too.
    pub records: u64,
    /// Of these, how many have no stored answers: they came in before answers were kept, and count as doubtful.
    pub without_answers: u64,
    /// How many originals were opened to ask detectors anew, and how long that took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redetected: Option<Redetected>,
    /// A column for each tree and profile.
    pub columns: Vec<Column>,
    /// Some of what comes out otherwise.
    pub samples: Vec<Sample>,
}

/// Opening originals and asking anew.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Redetected {
    /// Originals that were opened and read.
    pub records: u64,
    /// Answers that came out otherwise than the stored ones.
    pub changed: u64,
    /// How long it took, in milliseconds.
    pub milliseconds: i64,
}

/// Compares for a person of the organisation; samples are shown as that person reads views. Originals are not opened.
///
/// # Errors
/// As [`compare`] and [`read::authorise`].
pub async fn compare_for(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &Comparison,
    language: Language,
) -> Result<Report, VaultError> {
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    let allowed = read::authorise(archive, rules, actor, Action::ListVaultRecords, &resource).await?;
    let own = Comparison { organisation: actor.organisation.clone(), redetect: false, ..asked.clone() };
    let mut report = compare(archive, rules, &own).await?;
    for sample in &mut report.samples {
        let summary = archive.catalogue.record(sample.record).await?;
        sample.view = match summary {
            Some(summary) => {
                read::view(archive, rules, &summary, &allowed, language).await?.map(|view| json!(view))
            }
            None => None,
        };
    }
    read::viewed(archive, actor, report.samples.iter().map(|sample| sample.record)).await?;
    Ok(report)
}

/// Compares.
///
/// # Errors
/// [`VaultError::Input`] when a tree, plan or profile is not known, or fewer than two columns are asked for.
pub async fn compare(archive: &Archive, rules: &Rules, asked: &Comparison) -> Result<Report, VaultError> {
    let judges = judges(rules, asked, archive.sources.now())?;
    let channels = channels(archive, &asked.organisation).await?;
    let plans = plans(rules, &asked.plans)?;
    let answered: BTreeSet<RecordId> = archive.catalogue.answered(&asked.organisation).await?;
    let mut run = Run {
        judges: &judges,
        channels: &channels,
        answered: &answered,
        asked,
        report: Report { columns: judges.iter().map(Judge::column).collect(), ..Report::default() },
        plans: &plans,
        differing: Vec::new(),
        people: HashMap::new(),
    };
    let mut redetected = Redetected::default();
    let mut after = None;
    loop {
        let mut page =
            archive.catalogue.judged(&asked.organisation, asked.from, asked.until, after, PAGE).await?;
        after = page.last().map(|record| record.id);
        if page.is_empty() {
            break;
        }
        if asked.redetect {
            redetect(archive, rules, &asked.organisation, &mut page, &mut redetected).await?;
        }
        page.iter().for_each(|record| run.record(record));
    }
    let Run { mut report, differing, people, .. } = run;
    report.redetected = asked.redetect.then_some(redetected);
    count_people(&mut report.columns, &people);
    for column in &mut report.columns {
        column.hours_of_work = column.to_people as f64 * f64::from(asked.seconds_each) / 3600.0;
        suppress_small(&mut column.personal_data);
    }
    for (record, projection, outcomes) in differing {
        let document = archive.room.document(projection).await?;
        let view = document.and_then(|document| serde_json::from_str(&document).ok());
        report.samples.push(Sample { record, outcomes, view });
    }
    Ok(report)
}

/// Opens the originals of a page and asks detectors and definitions anew. Findings of personal data stay as they were stored.
async fn redetect(
    archive: &Archive,
    rules: &Rules,
    organisation: &OrganisationId,
    page: &mut [JudgedRecord],
    redetected: &mut Redetected,
) -> Result<(), VaultError> {
    let began = archive.sources.now();
    for chunk in page.chunks_mut(BATCH_RECORDS) {
        let records: Vec<RecordId> = chunk.iter().map(|record| record.id).collect();
        let _one_at_a_time = archive.intake.lock().await;
        let items: HashMap<RecordId, crate::capture::Item> =
            open_items(archive, rules, organisation, &records).await?.into_iter().collect();
        let definitions = rules.definitions.in_force(Some(organisation), began);
        for record in chunk {
            let Some(item) = items.get(&record.id) else { continue };
            let text = zeroize::Zeroizing::new(text_to_judge(item));
            let judges = Judges { question: &rules.questions, definitions: &definitions, text: &text };
            for (asks, given) in kept_answers(&judges, record.own) {
                let known = record.answers.get(asks.name());
                let same = known.is_some_and(|known| known.verdict.answer == given.verdict.answer);
                redetected.changed += u64::from(!same);
                record.answers.insert(asks.name().to_owned(), given);
            }
            redetected.records += 1;
        }
    }
    redetected.milliseconds += (archive.sources.now().micros() - began.micros()) / 1_000;
    Ok(())
}

fn plans<'r>(rules: &'r Rules, asked: &[String]) -> Result<Vec<&'r Plan>, VaultError> {
    let known = || rules.plans.iter().map(Plan::id).collect::<Vec<_>>().join(", ");
    let absent = |id: &String| VaultError::Input(format!("plan `{id}` is not known; there are: {}", known()));
    asked.iter().map(|id| rules.plans.plan(id).ok_or_else(|| absent(id))).collect()
}

/// People by how many spans about them each column retains.
fn count_people(columns: &mut [Column], people: &HashMap<(ConversationId, SubjectRef), Vec<u32>>) {
    for spans in people.values() {
        for (column, spans) in columns.iter_mut().zip(spans) {
            let group = match spans {
                0 => continue,
                1 => "1",
                2..=5 => "2-5",
                _ => "6+",
            };
            *column.people.entry(group.to_owned()).or_default() += 1;
        }
    }
    columns.iter_mut().for_each(|column| suppress_small(&mut column.people));
}

const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Label => "label",
        Mode::Pseudonym => "pseudonym",
        Mode::Generalised => "generalised",
        Mode::Wider => "wider",
    }
}

/// Records in one page.
const PAGE: u32 = 5_000;

/// One column's tree and profile.
struct Judge<'r> {
    tree: Option<&'r Tree>,
    profile: Option<&'r Profile>,
}

impl Judge<'_> {
    fn column(&self) -> Column {
        Column {
            tree: self
                .tree
                .map_or_else(|| REACTIONS_OFF.to_owned(), |tree| format!("{} {}", tree.id(), tree.version())),
            profile: self.profile.map(|profile| format!("{} {}", profile.id(), profile.version())),
            ..Column::default()
        }
    }
}

fn judges<'r>(rules: &'r Rules, asked: &Comparison, now: Timestamp) -> Result<Vec<Judge<'r>>, VaultError> {
    let absent = |what: &str, id: &str, known: Vec<&str>| {
        VaultError::Input(format!("{what} `{id}` is not known; there are: {}", known.join(", ")))
    };
    let mut profiles: Vec<Option<&Profile>> = Vec::new();
    for id in &asked.profiles {
        let found = rules.profiles.in_force(id, now);
        profiles.push(Some(found.ok_or_else(|| absent("profile", id, rules.profiles.ids().collect()))?));
    }
    if profiles.is_empty() {
        profiles.push(None);
    }
    let mut all = Vec::new();
    for id in &asked.trees {
        let tree = rules.trees.get(id);
        if tree.is_none() && id != REACTIONS_OFF {
            let known = rules.trees.keys().map(String::as_str).chain([REACTIONS_OFF]).collect();
            return Err(absent("tree", id, known));
        }
        all.extend(profiles.iter().map(|profile| Judge { tree, profile: *profile }));
    }
    if all.len() < 2 {
        return Err(VaultError::Input("name at least two trees or two profiles to compare".to_owned()));
    }
    Ok(all)
}

async fn channels(
    archive: &Archive,
    organisation: &OrganisationId,
) -> Result<HashMap<ChannelId, Vec<ChannelFact>>, VaultError> {
    let mut all = HashMap::new();
    for channel in archive.catalogue.channels(Some(organisation)).await? {
        let facts = archive.catalogue.channel_facts(&channel.id).await?;
        all.insert(channel.id, facts);
    }
    Ok(all)
}

struct Run<'r> {
    judges: &'r [Judge<'r>],
    channels: &'r HashMap<ChannelId, Vec<ChannelFact>>,
    answered: &'r BTreeSet<RecordId>,
    asked: &'r Comparison,
    plans: &'r [&'r Plan],
    /// How many spans about a person each column retains.
    people: HashMap<(ConversationId, SubjectRef), Vec<u32>>,
    report: Report,
    differing: Vec<(RecordId, ProjectionId, Vec<String>)>,
}

/// What one column says of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Outcome(Outcome),
    NotTakenIn,
}

impl Said {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.as_str(),
            Self::NotTakenIn => "not_taken_in",
        }
    }

    /// Whether something of it is kept: also what is kept elsewhere, and what waits for a person.
    const fn keeps(self) -> bool {
        matches!(self, Self::Outcome(Outcome::Archive | Outcome::ArchiveElsewhere | Outcome::Unsure))
    }
}

impl Run<'_> {
    /// Counts spans about people of a thread, for each column that retains the record.
    fn people_of(
        &mut self,
        record: &JudgedRecord,
        said: &[Said],
        spans: &[(EntityType, Option<SubjectRef>)],
    ) {
        for subject in spans.iter().filter_map(|(_, subject)| *subject) {
            let counts =
                self.people.entry((record.conversation, subject)).or_insert_with(|| vec![0; said.len()]);
            for (count, _) in counts.iter_mut().zip(said).filter(|(_, said)| said.keeps()) {
                *count += 1;
            }
        }
    }

    fn record(&mut self, record: &JudgedRecord) {
        self.report.records += 1;
        let of_channel = self.channels.get(&record.channel).map(Vec::as_slice).unwrap_or_default();
        let facts = facts_of(record, of_channel, self.answered.contains(&record.id));
        let stored = Stored(record);
        let said: Vec<Said> = self.judges.iter().map(|judge| said(judge, record, &facts, &stored)).collect();
        let question = record.answer(Asks::QuestionDetector.name());
        if !record.own {
            self.report.without_answers += u64::from(record.answers.is_empty());
        }
        let spans = record.spans();
        for (column, said_here) in self.report.columns.iter_mut().zip(&said) {
            if !record.own {
                count(column, *said_here, question, facts.answered);
            }
            if said_here.keeps() {
                retained(column, &spans);
            }
            if *said_here == Said::Outcome(Outcome::Archive) && record.visibility.is_public() {
                self.plans.iter().for_each(|plan| shown(column, plan, &spans));
            }
            column.differs += u64::from(said.first() != Some(said_here));
        }
        self.people_of(record, &said, &spans);
        if self.differing.len() < self.asked.samples && said.iter().any(|here| Some(here) != said.first()) {
            let outcomes = said.iter().map(|here| here.as_str().to_owned()).collect();
            self.differing.push((record.id, record.projection, outcomes));
        }
    }
}

fn retained(column: &mut Column, spans: &[(EntityType, Option<SubjectRef>)]) {
    for (entity, _) in spans {
        match column.personal_data.get_mut(entity.as_str()) {
            Some(count) => *count += 1,
            None => drop(column.personal_data.insert(entity.as_str().to_owned(), 1)),
        }
    }
}

fn shown(column: &mut Column, plan: &Plan, spans: &[(EntityType, Option<SubjectRef>)]) {
    if spans.is_empty() {
        return;
    }
    let by_mode = column.shown.entry(plan.id().to_owned()).or_default();
    for (entity, _) in spans {
        *by_mode.entry(mode_word(plan.mode(entity)).to_owned()).or_default() += 1;
    }
}

fn said(judge: &Judge<'_>, record: &JudgedRecord, facts: &Facts, stored: &Stored<'_>) -> Said {
    let outcome = match judge.tree {
        Some(tree) => tree.decide(facts, stored).outcome,
        None if record.own => Outcome::Archive,
        None => return Said::NotTakenIn,
    };
    let Some(profile) = judge.profile else { return Said::Outcome(outcome) };
    // Whether the organisation was a party is known at intake only: what was taken in is taken to have been.
    let seen = Seen {
        kind: record.kind,
        visibility: record.visibility,
        own: record.own,
        party: true,
        outcome: Some(outcome),
    };
    // At intake it was not known what would follow: what could still come out otherwise was taken in.
    let treated = match judge.tree.filter(|_| profile.asks_outcome()) {
        Some(tree) => profile.treat_open(&seen, &tree.outcomes_open(facts, stored)),
        None => profile.treat(&seen),
    };
    match treated {
        Intake::Refuse(_) => Said::NotTakenIn,
        Intake::Keep(_) => Said::Outcome(outcome),
    }
}

fn count(column: &mut Column, said: Said, question: Answer, answered: Answer) {
    column.reactions += 1;
    let counter = match said {
        Said::Outcome(Outcome::Archive) => &mut column.kept,
        Said::Outcome(Outcome::ArchiveElsewhere) => &mut column.kept_elsewhere,
        Said::Outcome(Outcome::Refer) => &mut column.referred,
        Said::Outcome(Outcome::DoNotArchive) => &mut column.proposed_for_destruction,
        Said::Outcome(Outcome::Unsure) => &mut column.to_people,
        Said::NotTakenIn => &mut column.not_taken_in,
    };
    *counter += 1;
    if question == Answer::Yes {
        column.questions += 1;
        column.questions_lost += u64::from(!said.keeps());
        column.unanswered_no_longer_provable += u64::from(!said.keeps() && answered != Answer::Yes);
    }
}

/// Small counts could point to one person: they are put together.
fn suppress_small(counts: &mut BTreeMap<String, u64>) {
    let small: Vec<String> =
        counts.iter().filter(|(_, n)| **n < SMALL).map(|(entity, _)| entity.clone()).collect();
    let other: u64 = small.iter().filter_map(|entity| counts.remove(entity)).sum();
    if other > 0 {
        counts.insert("other".to_owned(), other.div_ceil(SMALL) * SMALL);
    }
}
