//! Reports over a period: how reactions sounded, and what the organisation acted on. Counts and ids; nothing is opened.

use super::reach::{Suppressed, suppressed};
use super::{Archive, Rules, VaultError};
use crate::decide::{Answer, Asks, Sentiment, SentimentMeasured};
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

    /// Refuses a period that is no whole month and no whole quarter: of two that differ by a day, the counts would tell the
    /// reactions of that day.
    fn whole(self) -> Result<Self, VaultError> {
        let begins = self.from.day() == 1 && self.until.day() == 1;
        let number = |day: jiff::civil::Date| i32::from(day.year()) * 12 + i32::from(day.month());
        let months = number(self.until) - number(self.from);
        if begins && (months == 1 || (months == 3 && self.from.month() % 3 == 1)) {
            return Ok(self);
        }
        Err(VaultError::Input(format!(
            "{} to {} is no whole month and no whole quarter, and counts of two periods that differ by days tell those days; \
             ask for a month, such as 2026-03, or a quarter, such as 2026-01-01..2026-04-01",
            self.from, self.until
        )))
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

/// Counts of reactions in tens, each by itself: a reaction stands once in `question` and once in `sentiment`. Every key stands
/// there, whether or not anything is counted under it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shares {
    /// Whether they ask something: `yes`, `no`, `unsure`.
    pub question: BTreeMap<String, Suppressed>,
    /// Of the questions, how many the organisation answered: `yes`, `no`. Not told where the number of questions is not.
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
    /// How many reactions, in tens.
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
    /// Reactions in the period, in tens.
    pub reactions: Suppressed,
    /// Counts of all of them.
    #[serde(flatten)]
    pub shares: Shares,
    /// The same for each post.
    #[serde(rename = "threads")]
    pub posts: Vec<PostShares>,
}

/// Counts before anything is suppressed.
struct Tally {
    channel: Option<ChannelId>,
    reactions: u64,
    question: BTreeMap<&'static str, u64>,
    answered: BTreeMap<&'static str, u64>,
    sentiment: BTreeMap<&'static str, u64>,
}

impl Default for Tally {
    /// Nothing is counted, under every key there is: a key that came with its first count would tell that there is one.
    fn default() -> Self {
        let none = |keys: &[&'static str]| keys.iter().map(|key| (*key, 0)).collect();
        let [yes, no, unsure] = [Answer::Yes, Answer::No, Answer::Unsure].map(Answer::as_str);
        let sounds: Vec<&str> = Sentiment::ALL.iter().map(|sounds| sounds.as_str()).collect();
        Self {
            channel: None,
            reactions: 0,
            question: none(&[yes, no, unsure]),
            answered: none(&[yes, no]),
            sentiment: none(&sounds),
        }
    }
}

impl Tally {
    fn add(&mut self, record: &JudgedRecord, answered: bool) {
        let question = record.answer(Asks::QuestionDetector.name());
        self.reactions += 1;
        *self.question.entry(question.as_str()).or_default() += 1;
        if question == Answer::Yes {
            *self.answered.entry(Answer::from(answered).as_str()).or_default() += 1;
        }
    }

    /// Those that were answered are a part of those that ask: where the whole is not told, the parts would tell it.
    fn shares(&self) -> Shares {
        let of = |counts: &BTreeMap<&'static str, u64>| {
            suppressed(counts.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect())
        };
        let question = of(&self.question);
        let mut answered = of(&self.answered);
        if question.get(Answer::Yes.as_str()).is_none_or(|asked| asked.told().is_none()) {
            answered.values_mut().for_each(|count| *count = Suppressed::Small);
        }
        Shares { question, answered, sentiment: of(&self.sentiment) }
    }
}

/// How reactions sounded in a period, whether they asked something, and whether that was answered: counts per post.
///
/// What was destroyed since is still counted in how it sounded, and not in what it asked.
///
/// # Errors
/// [`VaultError::Input`] for a period that is no whole month or quarter; when storage fails.
pub async fn sentiment(
    archive: &Archive,
    rules: &Rules,
    organisation: &OrganisationId,
    period: Period,
) -> Result<SentimentReport, VaultError> {
    let (catalogue, method, period) = (&archive.catalogue, &rules.sentiment, period.whole()?);
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
    for row in catalogue.sentiment(organisation, period.from, period.until).await? {
        counted_with.insert(row.method);
        *all.sentiment.entry(row.said.as_str()).or_default() += row.amount;
        let post = posts.entry(row.conversation).or_default();
        *post.sentiment.entry(row.said.as_str()).or_default() += row.amount;
        post.channel.get_or_insert(row.channel);
    }
    let roots = catalogue.posts_of_threads(organisation).await?;
    let post = |(conversation, tally): (ConversationId, Tally)| {
        let channel = tally.channel.clone()?;
        Some(PostShares {
            post: roots.get(&conversation).copied(),
            conversation,
            channel,
            reactions: Suppressed::tens(tally.reactions),
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
        reactions: Suppressed::tens(all.reactions),
        shares: all.shares(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tally(question: [u64; 3], answered: [u64; 2]) -> Tally {
        let mut tally = Tally { reactions: question.iter().sum(), ..Tally::default() };
        for (key, count) in ["no", "yes", "unsure"].into_iter().zip(question) {
            tally.question.insert(key, count);
        }
        for (key, count) in ["no", "yes"].into_iter().zip(answered) {
            tally.answered.insert(key, count);
        }
        tally
    }

    #[test]
    fn no_count_of_one_follows_from_the_others() {
        let small = json!("<10");
        // Of 22 reactions 20 ask nothing: one asks, one is doubtful, and nobody may tell which.
        let told = json!(tally([20, 1, 1], [1, 0]).shares());
        assert_eq!(told["question"], json!({ "no": small, "yes": small, "unsure": small }));
        assert_eq!(told["answered"], json!({ "no": small, "yes": small }));
        assert_eq!(told["sentiment"].as_object().unwrap().len(), Sentiment::ALL.len());
        // Twelve ask, which is hidden to hide two: that none of the twelve was answered would tell it.
        let told = json!(tally([20, 12, 2], [12, 0]).shares());
        assert_eq!(told["question"], json!({ "no": 20, "yes": small, "unsure": small }));
        assert_eq!(told["answered"], json!({ "no": small, "yes": small }));
        let told = json!(tally([29, 45, 18], [14, 31]).shares());
        assert_eq!(told["question"], json!({ "no": 20, "yes": 40, "unsure": 10 }));
        assert_eq!(told["answered"], json!({ "no": 10, "yes": 30 }));
        assert_eq!(json!(tally([0, 0, 0], [0, 0]).shares()), json!(tally([1, 2, 3], [1, 1]).shares()));
    }

    #[test]
    fn figures_are_of_whole_months_and_quarters() {
        let whole = |from: &str, until: &str| {
            Period::new(from.parse().unwrap(), until.parse().unwrap()).unwrap().whole().map(|_| ())
        };
        for (from, until) in
            [("2026-03-01", "2026-04-01"), ("2025-12-01", "2026-01-01"), ("2026-10-01", "2027-01-01")]
        {
            assert!(whole(from, until).is_ok(), "{from} {until}");
        }
        for (from, until) in [
            ("2026-04-01", "2026-04-03"),
            ("2026-04-01", "2026-05-02"),
            ("2026-03-31", "2026-05-01"),
            ("2026-02-01", "2026-05-01"),
            ("2026-01-01", "2026-03-01"),
            ("2020-01-01", "2030-01-01"),
        ] {
            let error = whole(from, until).unwrap_err().to_string();
            assert!(error.contains(from) && error.contains("a quarter, such as"), "{error}");
        }
    }
}
