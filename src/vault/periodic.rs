//! Reports over a period: how reactions sounded, and what the organisation acted on. Counts and ids; nothing is opened.

use super::reach::{Suppressed, shown, suppressed};
use super::{Archive, Rules, VaultError};
use crate::decide::{Answer, Asks, SentimentMeasured};
use crate::ledger::{Entry, EntryKind, Pending};
use crate::model::{ActorId, ChannelId, ConversationId, OrganisationId, RecordId, Role, Timestamp};
use crate::store::catalogue::JudgedRecord;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// From a day to another, the second not included.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// The first day.
    pub from: jiff::civil::Date,
    /// The day behind the last.
    pub until: jiff::civil::Date,
}

impl Period {
    /// A period that does not end before it begins.
    ///
    /// # Errors
    /// [`VaultError::Input`] otherwise.
    pub fn new(from: jiff::civil::Date, until: jiff::civil::Date) -> Result<Self, VaultError> {
        let mend = || VaultError::Input("the period ends before it begins".to_owned());
        (from < until).then_some(Self { from, until }).ok_or_else(mend)
    }

    fn times(self) -> Result<(Timestamp, Timestamp), VaultError> {
        Ok((beginning_of(self.from)?, beginning_of(self.until)?))
    }
}

/// When a day begins, in UTC.
///
/// # Errors
/// [`VaultError::Input`] when it is out of range.
pub fn beginning_of(day: jiff::civil::Date) -> Result<Timestamp, VaultError> {
    format!("{day}T00:00:00Z").parse().map_err(|_| VaultError::Input(format!("`{day}` is out of range")))
}

/// Counts of reactions, each by itself: a reaction stands once in `question` and once in `sentiment`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shares {
    /// Whether they ask something: `yes`, `no`, `unsure`.
    pub question: BTreeMap<String, Suppressed>,
    /// Of the questions, how many the organisation answered: `yes`, `no`.
    pub answered: BTreeMap<String, Suppressed>,
    /// How they sounded.
    pub sentiment: BTreeMap<String, Suppressed>,
}

/// Reactions to one post.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostShares {
    /// The organisation's post, when the thread has one.
    #[serde(rename = "root")]
    pub post: Option<RecordId>,
    /// The thread.
    pub conversation: ConversationId,
    /// On which channel.
    pub channel: ChannelId,
    /// How many reactions.
    pub reactions: Suppressed,
    /// Counts of them.
    #[serde(flatten)]
    pub shares: Shares,
}

/// How reactions sounded in a period.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SentimentReport {
    /// Of which organisation.
    pub organisation: OrganisationId,
    /// The first day.
    pub from: String,
    /// The day behind the last.
    pub until: String,
    /// The method that is in force, with its version.
    pub method: String,
    /// Where it comes from.
    pub source: String,
    /// How good it is, on texts that no word was taken from.
    pub measured: SentimentMeasured,
    /// Versions of the method that the counts were made with.
    pub counted_with: BTreeSet<String>,
    /// Reactions in the period, to the nearest ten.
    pub reactions: Suppressed,
    /// Counts of all of them, to the nearest ten.
    #[serde(flatten)]
    pub shares: Shares,
    /// The same for each post, small counts suppressed with what would tell them.
    #[serde(rename = "threads")]
    pub posts: Vec<PostShares>,
}

/// Counts before anything is suppressed.
#[derive(Default)]
struct Tally {
    channel: Option<ChannelId>,
    reactions: u64,
    question: BTreeMap<String, u64>,
    answered: BTreeMap<String, u64>,
    sentiment: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, record: &JudgedRecord, answered: bool) {
        let question = record.answer(Asks::QuestionDetector.name());
        self.reactions += 1;
        *self.question.entry(question.as_str().to_owned()).or_default() += 1;
        if question == Answer::Yes {
            *self.answered.entry(Answer::from(answered).as_str().to_owned()).or_default() += 1;
        }
    }

    fn shares(&self) -> Shares {
        let of = |counts: &BTreeMap<String, u64>| suppressed(counts.clone());
        Shares { question: of(&self.question), answered: of(&self.answered), sentiment: of(&self.sentiment) }
    }

    /// To the nearest ten, so that no count of a post is what is left of the sum.
    fn rounded(&self) -> Shares {
        let of = |counts: &BTreeMap<String, u64>| {
            counts.iter().map(|(key, count)| (key.clone(), shown((count + 5) / 10 * 10))).collect()
        };
        Shares { question: of(&self.question), answered: of(&self.answered), sentiment: of(&self.sentiment) }
    }
}

/// How reactions sounded in a period, whether they asked something, and whether that was answered: counts per post.
///
/// What was destroyed since is still counted in how it sounded, and not in what it asked.
///
/// # Errors
/// When storage fails.
pub async fn sentiment(
    archive: &Archive,
    rules: &Rules,
    organisation: &OrganisationId,
    period: Period,
) -> Result<SentimentReport, VaultError> {
    let (catalogue, method) = (&archive.catalogue, &rules.sentiment);
    let (mut all, mut posts) = (Tally::default(), BTreeMap::<ConversationId, Tally>::new());
    let answers = catalogue.answers_given(organisation).await?;
    each_reaction(archive, organisation, period, &mut |record| {
        let answered = answers.contains_key(&record.id);
        all.add(record, answered);
        let post = posts.entry(record.conversation).or_default();
        post.add(record, answered);
        post.channel.get_or_insert_with(|| record.channel.clone());
    })
    .await?;
    let mut counted_with = BTreeSet::new();
    for row in catalogue.sentiment(organisation, &period.from.to_string(), &period.until.to_string()).await? {
        counted_with.insert(row.method);
        *all.sentiment.entry(row.said.as_str().to_owned()).or_default() += row.amount;
        let post = posts.entry(row.conversation).or_default();
        *post.sentiment.entry(row.said.as_str().to_owned()).or_default() += row.amount;
        post.channel.get_or_insert(row.channel);
    }
    let roots = catalogue.posts_of_threads(organisation).await?;
    let post = |(conversation, tally): (ConversationId, Tally)| {
        let channel = tally.channel.clone()?;
        Some(PostShares {
            post: roots.get(&conversation).copied(),
            conversation,
            channel,
            reactions: shown(tally.reactions),
            shares: tally.shares(),
        })
    };
    Ok(SentimentReport {
        organisation: organisation.clone(),
        from: period.from.to_string(),
        until: period.until.to_string(),
        method: method.version(),
        source: method.source().to_owned(),
        measured: method.measured(),
        counted_with,
        reactions: shown((all.reactions + 5) / 10 * 10),
        shares: all.rounded(),
        posts: posts.into_iter().filter_map(post).collect(),
    })
}

/// One question, and what the organisation did with it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActedOn {
    /// The question.
    pub record: RecordId,
    /// On which channel.
    pub channel: ChannelId,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The organisation's first answer; none: it did not answer, which is an answer too.
    pub answer: Option<RecordId>,
    /// When it answered, if stated.
    pub answered_at: Option<Timestamp>,
    /// Hours between the two.
    pub hours: Option<i64>,
}

/// What the organisation did with the questions of a period.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActedOnReport {
    /// Of which organisation.
    pub organisation: OrganisationId,
    /// The first day.
    pub from: String,
    /// The day behind the last.
    pub until: String,
    /// Questions.
    pub questions: u64,
    /// Of these, how many were answered.
    pub answered: u64,
    /// How many were not.
    pub unanswered: u64,
    /// Half of the answers came within so many hours.
    pub hours_median: Option<i64>,
    /// Each of them, oldest first.
    pub items: Vec<ActedOn>,
}

/// What was asked in a period and whether the organisation answered, when, and if not. That it was drawn up stands in the
/// ledger with the counts: that nobody answered by then can be shown later.
///
/// # Errors
/// When storage fails.
pub async fn acted_on(
    archive: &Archive,
    organisation: &OrganisationId,
    period: Period,
    by: Option<(ActorId, Role)>,
) -> Result<ActedOnReport, VaultError> {
    let answers = archive.catalogue.answers_given(organisation).await?;
    let mut items = Vec::new();
    each_reaction(archive, organisation, period, &mut |record| {
        if record.answer(Asks::QuestionDetector.name()) != Answer::Yes {
            return;
        }
        let asked_at = record.posted_at.unwrap_or(record.captured_at);
        let given = answers.get(&record.id);
        let answered_at = given.and_then(|given| given.at);
        let hours = answered_at.map(|at| (at.seconds() - asked_at.seconds()).max(0) / 3_600);
        let (id, channel) = (record.id, record.channel.clone());
        items.push(ActedOn {
            record: id,
            channel,
            asked_at,
            answer: given.map(|given| given.by),
            answered_at,
            hours,
        });
    })
    .await?;
    items.sort_by_key(|item| (item.asked_at, item.record));
    let mut hours: Vec<i64> = items.iter().filter_map(|item| item.hours).collect();
    hours.sort_unstable();
    let answered = items.iter().filter(|item| item.answer.is_some()).count() as u64;
    let report = ActedOnReport {
        organisation: organisation.clone(),
        from: period.from.to_string(),
        until: period.until.to_string(),
        questions: items.len() as u64,
        answered,
        unanswered: items.len() as u64 - answered,
        hours_median: hours.get(hours.len() / 2).copied(),
        items,
    };
    record(archive, &report, by).await?;
    Ok(report)
}

async fn record(
    archive: &Archive,
    report: &ActedOnReport,
    by: Option<(ActorId, Role)>,
) -> Result<(), VaultError> {
    let sources = &archive.sources;
    let mut entry = Entry::new(sources.entry_id()?, EntryKind::ActedOnReported, sources.now())
        .of(report.organisation.clone())
        .because([format!("from.{}", report.from).parse()?, format!("until.{}", report.until).parse()?])
        .counting("answered".parse()?, report.answered)
        .counting("unanswered".parse()?, report.unanswered);
    if let Some((actor, role)) = by {
        entry = entry.by(actor, role);
    }
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    archive.journal.wake();
    Ok(())
}

/// Goes through what others posted in a period.
async fn each_reaction(
    archive: &Archive,
    organisation: &OrganisationId,
    period: Period,
    each: &mut (dyn FnMut(&JudgedRecord) + Send),
) -> Result<(), VaultError> {
    let (from, until) = period.times()?;
    let mut after = None;
    loop {
        let page = archive.catalogue.judged(organisation, Some(from), Some(until), after, 5_000).await?;
        after = page.last().map(|record| record.id);
        if page.is_empty() {
            return Ok(());
        }
        page.iter().filter(|record| !record.own).for_each(&mut *each);
    }
}
