//! `knik queue list|show|open|assess|earlier|standing|agreement|sample|samples|import`: the reviewers' queue of every kind.

use super::api::said;
use super::folder::DataFolder;
use super::print;
use super::review::{Reviewer, actor, harmless};
use crate::access::Actor;
use crate::decide::Answer;
use crate::model::{
    ActorId, ChannelId, EntityType, ExemptionCode, FindingVerdict, OrganisationId, PrivateText, QueueKind,
    RecordId, Role, Timestamp, VersionId,
};
use crate::redact::Language;
use crate::store::catalogue::Queued;
use crate::vault::reviewing::file::FileForm;
use crate::vault::reviewing::{self, Added, AskedRate, Assessing, Drawing, FindingSaid, Import, Place};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum ReviewingCommand {
    /// List what waits, of every kind or of one. No text.
    #[command(
        after_help = "Example: knik queue list --kind doubtful-finding --organisation min-low --reviewer beoordelaar-1"
    )]
    List {
        /// Only items of this kind: doubtful-question, account-post, doubtful-finding, special-category, minor, sample,
        /// reader-report, restored.
        #[arg(long)]
        kind: Option<QueueKind>,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Read one item: its redacted view, its findings, the steps that can be answered.
    #[command(
        after_help = "Example: knik queue show 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --organisation min-low --reviewer beoordelaar-1"
    )]
    Show {
        /// Which item.
        id: VersionId,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Open the original of one item, for redaction quality control. Recorded before it happens; at most so many a day.
    #[command(
        after_help = "Example: knik queue open 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --organisation min-low --reviewer beoordelaar-1"
    )]
    Open {
        /// Which item.
        id: VersionId,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Answer steps, confirm or reject findings, add what was missed. In effect at once.
    #[command(after_help = ASSESS_EXAMPLES)]
    Assess(Box<AssessArguments>),
    /// What readers saw of a record before each assessment of it, with reason and weighing.
    #[command(
        after_help = "Example: knik queue earlier 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a12 --organisation min-low --person informatiebeheerder-1"
    )]
    Earlier {
        /// Which record.
        record: RecordId,
        #[command(flatten)]
        steward: Steward,
    },
    /// How the queue stands: what waits and since when, what is overdue, hours of people's work.
    #[command(
        after_help = "Example: knik queue standing --organisation min-low --person informatiebeheerder-1 --json"
    )]
    Standing {
        #[command(flatten)]
        span: SpanArguments,
        #[command(flatten)]
        steward: Steward,
    },
    /// How well people and detectors agree, and two people with each other.
    #[command(
        after_help = "Example: knik queue agreement --from 2026-01-01T00:00:00Z --organisation min-low --person informatiebeheerder-1 --json"
    )]
    Agreement {
        #[command(flatten)]
        span: SpanArguments,
        #[command(flatten)]
        steward: Steward,
    },
    /// Draw a random sample of what was decided without people since the last drawing.
    #[command(
        after_help = "Example: knik queue sample --organisation min-low --person informatiebeheerder-1\n         \
                      knik queue sample --channel low-mastodon --permille 50 --twofold-permille 500 --organisation min-low --person informatiebeheerder-1"
    )]
    Sample {
        /// From this channel; from all of the organisation's when none is named.
        #[arg(long)]
        channel: Vec<ChannelId>,
        /// How many of a thousand, when it is to be more than policies/reviewing.yaml says.
        #[arg(long, value_parser = clap::value_parser!(u32).range(0..=1000))]
        permille: Option<u32>,
        /// Of those drawn, how many of a thousand two people judge, when it is to be more than the policy says.
        #[arg(long, value_parser = clap::value_parser!(u32).range(0..=1000))]
        twofold_permille: Option<u32>,
        #[command(flatten)]
        steward: Steward,
    },
    /// List the drawings, each with its seed.
    #[command(
        after_help = "Example: knik queue samples --organisation min-low --person informatiebeheerder-1"
    )]
    Samples {
        #[command(flatten)]
        steward: Steward,
    },
    /// Take in what people of an external agency assessed: the whole file or nothing.
    #[command(
        after_help = "Example: knik queue import bureau.csv --dry-run --reviewer-issuer https://login.bureau.example --organisation min-low --person informatiebeheerder-1"
    )]
    Import {
        /// The file: CSV with a heading, or a JSON object a line (`.jsonl`).
        file: PathBuf,
        /// Issuer of the tokens of the people in the file, where a line names none.
        #[arg(long, default_value = "command-line")]
        reviewer_issuer: String,
        /// Look only: say what would be taken in.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        steward: Steward,
    },
}

const ASSESS_EXAMPLES: &str = "Example: knik queue assess 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --answer question=yes \\
    --organisation min-low --reviewer beoordelaar-1
         knik queue assess 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --reject 5c1f0e7b9a3d4826b1c7d0e94f6a2b38 --rest-confirmed \\
    --add PERSON:woo-5.1.2e:Kwispelaar --reason @reden.txt --weighing @weging.txt --seconds 40 \\
    --organisation min-low --reviewer beoordelaar-1";

/// What is said of an item.
#[derive(Args)]
pub(super) struct AssessArguments {
    /// Which item.
    id: VersionId,
    /// An answer to a step: STEP=yes|no|unsure.
    #[arg(long, value_parser = step_answer)]
    answer: Vec<(String, Answer)>,
    /// Confirm this finding, with =EXEMPTION under another exemption than the recogniser's.
    #[arg(long, value_name = "FINDING[=EXEMPTION]")]
    confirm: Vec<String>,
    /// Reject this finding.
    #[arg(long, value_name = "FINDING")]
    reject: Vec<String>,
    /// Confirm every finding that is not named.
    #[arg(long)]
    rest_confirmed: bool,
    /// Redact these words wherever they stand in the record; with @ before the words they are read from a file.
    #[arg(long, value_name = "TYPE:EXEMPTION:WORDS", value_parser = missed)]
    add: Vec<Missed>,
    /// Redact a place of a passage, in code points.
    #[arg(long, value_name = "TYPE:EXEMPTION:PASSAGE:START-END", value_parser = missed_at)]
    add_at: Vec<Missed>,
    /// Why; needed to reject or add. With @ before it, from a file.
    #[arg(long, default_value = "")]
    reason: String,
    /// The weighing of interests; needed with a relative exemption. With @ before it, from a file.
    #[arg(long, default_value = "")]
    weighing: String,
    /// How many seconds the item took.
    #[arg(long)]
    seconds: Option<u32>,
    #[command(flatten)]
    reviewer: Reviewer,
}

/// Who looks after the queue, as records manager: the ledger knows them by a pseudonym.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(super) struct Steward {
    /// Whose queue.
    #[arg(long)]
    organisation: OrganisationId,
    /// Who asks, as the subject of the records manager's tokens.
    #[arg(long)]
    person: String,
    /// Issuer of the records manager's tokens.
    #[arg(long, default_value = "command-line")]
    issuer: String,
}

/// Between which moments.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(super) struct SpanArguments {
    /// Said at this time or later; a year ago when absent.
    #[arg(long)]
    from: Option<Timestamp>,
    /// Said before this time; now when absent.
    #[arg(long)]
    until: Option<Timestamp>,
}

/// Free text about people: hidden where an order is shown.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Words(String);

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

/// A redaction that was missed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Missed {
    entity: EntityType,
    exemption: ExemptionCode,
    words: Option<Words>,
    at: Option<(usize, usize, usize)>,
}

fn step_answer(given: &str) -> Result<(String, Answer), String> {
    let (step, answer) = given.split_once('=').ok_or("write STEP=yes, STEP=no or STEP=unsure")?;
    Ok((step.to_owned(), answer.parse()?))
}

fn typed(given: &str) -> Result<(EntityType, ExemptionCode, &str), String> {
    let mend = "write TYPE:EXEMPTION:…, such as PERSON:woo-5.1.2e:Kwispelaar";
    let mut parts = given.splitn(3, ':');
    let (Some(entity), Some(exemption), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(mend.to_owned());
    };
    let entity = entity.parse().map_err(|error| format!("{error}; {mend}"))?;
    Ok((entity, exemption.parse().map_err(|error| format!("{error}; {mend}"))?, rest))
}

fn missed(given: &str) -> Result<Missed, String> {
    let (entity, exemption, words) = typed(given)?;
    Ok(Missed { entity, exemption, words: Some(Words(words.to_owned())), at: None })
}

fn missed_at(given: &str) -> Result<Missed, String> {
    let (entity, exemption, place) = typed(given)?;
    let read = || {
        let (passage, span) = place.split_once(':')?;
        let (start, end) = span.split_once('-')?;
        Some((passage.parse().ok()?, start.parse().ok()?, end.parse().ok()?))
    };
    let at = read().ok_or("write TYPE:EXEMPTION:PASSAGE:START-END, such as PERSON:woo-5.1.2e:0:28-38")?;
    Ok(Missed { entity, exemption, words: None, at: Some(at) })
}

/// What the service is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReviewingOrder {
    /// What waits.
    List { reviewer: Reviewer, kind: Option<QueueKind> },
    /// One item, redacted.
    Show { reviewer: Reviewer, id: VersionId },
    /// Its original.
    Open { reviewer: Reviewer, id: VersionId },
    /// What is said of it.
    Assess { reviewer: Reviewer, id: VersionId, said: Box<Spoken> },
    /// What readers saw before.
    Earlier { steward: Steward, record: RecordId },
    /// How it stands.
    Standing { steward: Steward, span: SpanArguments },
    /// How well people and detectors agree.
    Agreement { steward: Steward, span: SpanArguments },
    /// Draw a sample.
    Sample {
        steward: Steward,
        channels: Vec<ChannelId>,
        permille: Option<u32>,
        twofold_permille: Option<u32>,
    },
    /// Drawings.
    Samples { steward: Steward },
    /// A file of an external agency.
    Import { steward: Steward, file: PathBuf, reviewer_issuer: String, dry_run: bool },
}

/// What is said of an item, as it goes to the service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spoken {
    answers: Vec<(String, Answer)>,
    findings: Vec<(String, FindingVerdict, Option<ExemptionCode>)>,
    rest_confirmed: bool,
    added: Vec<Missed>,
    reason: Words,
    weighing: Words,
    seconds: Option<u32>,
}

impl ReviewingCommand {
    /// The order that it is.
    ///
    /// # Errors
    /// When a file that is named cannot be read, or a finding is named wrongly.
    pub(super) fn order(self) -> Result<ReviewingOrder> {
        Ok(match self {
            Self::List { kind, reviewer } => ReviewingOrder::List { reviewer, kind },
            Self::Show { id, reviewer } => ReviewingOrder::Show { reviewer, id },
            Self::Open { id, reviewer } => ReviewingOrder::Open { reviewer, id },
            Self::Assess(asked) => {
                let (id, reviewer) = (asked.id, asked.reviewer.clone());
                ReviewingOrder::Assess { reviewer, id, said: Box::new(asked.spoken()?) }
            }
            Self::Earlier { record, steward } => ReviewingOrder::Earlier { steward, record },
            Self::Standing { span, steward } => ReviewingOrder::Standing { steward, span },
            Self::Agreement { span, steward } => ReviewingOrder::Agreement { steward, span },
            Self::Sample { channel: channels, permille, twofold_permille, steward } => {
                ReviewingOrder::Sample { steward, channels, permille, twofold_permille }
            }
            Self::Samples { steward } => ReviewingOrder::Samples { steward },
            Self::Import { file, reviewer_issuer, dry_run, steward } => {
                let shown = file.display().to_string();
                let file = file.canonicalize().with_context(|| format!("`{shown}`"))?;
                ReviewingOrder::Import { steward, file, reviewer_issuer, dry_run }
            }
        })
    }
}

impl AssessArguments {
    fn spoken(self) -> Result<Spoken> {
        let mut findings = Vec::new();
        for confirmed in self.confirm {
            let (id, exemption) = match confirmed.split_once('=') {
                Some((id, exemption)) => (id.to_owned(), Some(exemption.parse()?)),
                None => (confirmed, None),
            };
            findings.push((id, FindingVerdict::Confirm, exemption));
        }
        findings.extend(self.reject.into_iter().map(|id| (id, FindingVerdict::Reject, None)));
        let mut added = Vec::new();
        for one in self.add.into_iter().chain(self.add_at) {
            let words = one.words.as_ref().map(|words| said(&words.0)).transpose()?.map(Words);
            added.push(Missed { words, ..one });
        }
        Ok(Spoken {
            answers: self.answer,
            findings,
            rest_confirmed: self.rest_confirmed,
            added,
            reason: Words(said(&self.reason)?),
            weighing: Words(said(&self.weighing)?),
            seconds: self.seconds,
        })
    }
}

impl Spoken {
    fn assessing(self) -> Assessing {
        let text = |words: Words| PrivateText::new(words.0);
        let added = |one: Missed| {
            let place = match (one.words, one.at) {
                (_, Some((passage, start, end))) => Place::At { passage, start, end },
                (words, None) => Place::Words(text(words.unwrap_or_default())),
            };
            Added { place, entity: one.entity, exemption: one.exemption }
        };
        let findings = self.findings.into_iter();
        Assessing {
            answers: self.answers,
            findings: findings
                .map(|(id, verdict, exemption)| FindingSaid { id, verdict, exemption })
                .collect(),
            rest_confirmed: self.rest_confirmed,
            added: self.added.into_iter().map(added).collect(),
            reason: text(self.reason),
            weighing: text(self.weighing),
            seconds: self.seconds,
        }
    }
}

/// Largest file of assessments, in bytes.
const IMPORT_BYTES_MAX: u64 = 16 << 20;

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people; no text of a record is in it.
pub(super) async fn execute(folder: &DataFolder, order: ReviewingOrder) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        ReviewingOrder::List { reviewer, kind } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(json!({ "items": everything(folder, &actor, kind).await? }))
        }
        ReviewingOrder::Show { reviewer, id } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(json!(reviewing::show(archive, rules, &actor, id, Language::Dutch).await?))
        }
        ReviewingOrder::Open { reviewer, id } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(reviewing::open(archive, rules, &actor, id).await?.to_json())
        }
        ReviewingOrder::Assess { reviewer, id, said } => {
            let actor = actor(folder, &reviewer).await?;
            if reviewing::is_of_several(archive, id).await? {
                bail!(
                    "several people judge this item, each with a token of their own: POST /v1/queue-items/{id}/assessments; on the \
                     command line anybody can be named"
                );
            }
            Ok(reviewing::assess(archive, rules, &actor, id, &said.assessing()).await?)
        }
        ReviewingOrder::Earlier { steward, record } => {
            let actor = manager(folder, &steward).await?;
            Ok(reviewing::earlier(archive, rules, &actor, record).await?)
        }
        ReviewingOrder::Standing { steward, span } => {
            let actor = manager(folder, &steward).await?;
            Ok(reviewing::standing(archive, rules, &actor, moments(folder, &span)).await?)
        }
        ReviewingOrder::Agreement { steward, span } => {
            let actor = manager(folder, &steward).await?;
            Ok(reviewing::agreement(archive, rules, &actor, moments(folder, &span)).await?)
        }
        ReviewingOrder::Sample { steward, channels, permille, twofold_permille } => {
            let actor = manager(folder, &steward).await?;
            let drawing = Drawing { channels, rate: AskedRate { permille, twofold_permille } };
            Ok(json!({ "samples": reviewing::draw(archive, rules, &actor, &drawing).await? }))
        }
        ReviewingOrder::Samples { steward } => {
            let actor = manager(folder, &steward).await?;
            Ok(json!({ "samples": reviewing::drawings(archive, rules, &actor).await? }))
        }
        ReviewingOrder::Import { steward, file, reviewer_issuer, dry_run } => {
            let actor = manager(folder, &steward).await?;
            let bytes = bytes_of(&file)?;
            let json_lines = file.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson");
            let form = if json_lines { FileForm::Jsonl } else { FileForm::Csv };
            let asked = Import { form, bytes: &bytes, issuer: reviewer_issuer, dry_run };
            Ok(json!(reviewing::import(archive, rules, &actor, &asked).await?))
        }
    }
}

fn bytes_of(file: &Path) -> Result<Vec<u8>> {
    let about = || format!("`{}`", file.display());
    let long = std::fs::metadata(file).with_context(about)?.len();
    if long > IMPORT_BYTES_MAX {
        bail!("{} is larger than {IMPORT_BYTES_MAX} bytes; split it", about());
    }
    std::fs::read(file).with_context(about)
}

async fn manager(folder: &DataFolder, steward: &Steward) -> Result<Actor> {
    let (catalogue, sources) = (&folder.archive.catalogue, &folder.archive.sources);
    let fresh = ActorId::from_uuid(sources.random_id()?);
    let id = catalogue.actor(&steward.issuer, &steward.person, fresh, sources.now()).await?;
    Ok(Actor { id, role: Role::RecordsManager, organisation: steward.organisation.clone() })
}

fn moments(folder: &DataFolder, span: &SpanArguments) -> (Timestamp, Timestamp) {
    let until = span.until.unwrap_or_else(|| folder.archive.sources.now().plus_seconds(1));
    (span.from.unwrap_or_else(|| until.plus_seconds(-366 * 86_400)), until)
}

async fn everything(folder: &DataFolder, actor: &Actor, kind: Option<QueueKind>) -> Result<Vec<Value>> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let asked = Queued { kind, only: None, after, most: 500 };
        let page = reviewing::list(&folder.archive, &folder.rules, actor, &asked).await?;
        after = page.last().map(|item| item.id);
        if after.is_none() {
            return Ok(items);
        }
        items.extend(page.iter().map(|item| json!(item)));
    }
}

/// Prints an answer for people.
///
/// # Errors
/// When it cannot be written out.
pub(super) fn print(order: &ReviewingOrder, answer: &Value) -> Result<()> {
    let list = |field: &str| answer.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    match order {
        ReviewingOrder::List { .. } => {
            let row = |item: &Value| {
                let reasons = item.get("reasons").and_then(Value::as_array).cloned().unwrap_or_default();
                let why: Vec<String> = reasons.iter().map(|one| print::word(one, "kind")).collect();
                let fields = ["id", "record", "kind", "channel", "day"].map(|field| print::word(item, field));
                [fields.to_vec(), vec![why.join(", ")]].concat()
            };
            let rows: Vec<Vec<String>> = list("items").iter().map(row).collect();
            print::table(&["item", "record", "kind", "channel", "day", "waits as"], &rows);
        }
        ReviewingOrder::Standing { .. } => {
            let fields = ["kind", "waiting", "overdue", "oldest"];
            let row = |kind: &Value| fields.map(|field| print::word(kind, field)).to_vec();
            print::table(&fields, &list("kinds").iter().map(row).collect::<Vec<_>>());
        }
        ReviewingOrder::Assess { .. } => {
            let settled = answer.get("settled").and_then(Value::as_bool) == Some(true);
            let words = if settled { "it holds" } else { "it holds when another person has judged too" };
            print::line(&format!("assessed; {words}"));
        }
        _ => print::line(&harmless(&serde_json::to_string_pretty(answer)?)),
    }
    Ok(())
}
