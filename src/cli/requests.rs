//! `knik request`: requests for redacted copies, as an approver decides on them, and on behalf of a researcher.

use super::control::Order;
use super::folder::DataFolder;
use super::new_file::NewFile;
use super::print;
use crate::access::grant_file::{Content, Limits};
use crate::model::{GrantId, RequestId, RequestStep, Timestamp};
use crate::page::PaperPage;
use crate::redact::{Language, finding_aid_text};
use crate::store::inbox::HandedIn;
use crate::vault::finding_aid;
use crate::vault::requests::{self, Deciding};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum RequestCommand {
    /// List the requests that are handed in.
    #[command(after_help = "Example: knik request list")]
    List,
    /// Show one, with every step and the digest that an approval names.
    #[command(after_help = "Example: knik request show 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47")]
    Show {
        /// Which.
        id: RequestId,
    },
    /// What it would touch: counts (small ones suppressed), doubtful findings, and what earlier grants share with it.
    #[command(after_help = "Example: knik request reach 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 --json")]
    Reach {
        /// Which.
        id: RequestId,
    },
    /// The letter of the decision, as a page.
    #[command(
        after_help = "Example: knik request letter 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 > besluit.html\n         knik request letter 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 --pdf besluit.pdf"
    )]
    Letter {
        /// Which.
        id: RequestId,
        /// Write it to this new file, as PDF, in the place of printing the page.
        #[arg(long)]
        pdf: Option<PathBuf>,
    },
    /// The finding aid of its grant: what was harvested, gaps, trees, what is withheld and why, how well is found.
    #[command(
        after_help = "Example: knik request finding-aid 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47\n         knik request finding-aid 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 --language en"
    )]
    FindingAid {
        /// Which request; or a grant that was given without one.
        id: RequestId,
        /// nl or en.
        #[arg(long, default_value = "nl")]
        language: Language,
    },
    /// Write a request on behalf of a researcher, from a JSON file; with --submit hand it in at once.
    #[command(
        after_help = "Example: knik request write --file aanvraag.json --issuer https://login.example --subject onderzoeker-1 --submit"
    )]
    Write(WriteArguments),
    /// Take a researcher's step on their behalf: submit, withdraw, answer, accept, ask-extension, state-deletion.
    #[command(
        after_help = "Example: knik request step 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 accept --issuer https://login.example --subject onderzoeker-1"
    )]
    Step(StepArguments),
    /// Ask the researcher something.
    #[command(
        after_help = "Example: knik request ask 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 'Waarom deze periode?'"
    )]
    Ask(DecideArguments),
    /// Approve it: the grant begins when the researcher accepts the conditions.
    #[command(
        after_help = "Example: knik request approve 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 'Van belang en beperkt.' --digest 5b0f… --condition 'U meldt publicaties vooraf.' --until 2027-01-01T00:00:00Z"
    )]
    Approve(DecideArguments),
    /// Refuse it.
    #[command(
        after_help = "Example: knik request refuse 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 'De selectie is te ruim.'"
    )]
    Refuse(DecideArguments),
    /// Give more time.
    #[command(
        after_help = "Example: knik request extend 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 'De analyse loopt nog.'"
    )]
    Extend(DecideArguments),
    /// Do not give more time.
    #[command(
        after_help = "Example: knik request refuse-extension 019b2c1e-7d4f-4a10-9c2f-5b8e6a1d3c47 'Het doel is bereikt.'"
    )]
    RefuseExtension(DecideArguments),
}

#[derive(Args)]
pub(super) struct WriteArguments {
    /// What it says: docs/requests.md has an example.
    #[arg(long)]
    file: PathBuf,
    /// Issuer of the researcher's tokens.
    #[arg(long)]
    issuer: String,
    /// Subject of the researcher's tokens.
    #[arg(long)]
    subject: String,
    /// Hand it in at once.
    #[arg(long)]
    submit: bool,
}

#[derive(Args)]
pub(super) struct StepArguments {
    /// Which request.
    id: RequestId,
    /// Which step.
    step: RequestStep,
    /// Issuer of the researcher's tokens.
    #[arg(long)]
    issuer: String,
    /// Subject of the researcher's tokens.
    #[arg(long)]
    subject: String,
    /// The answer, the reason, the statement.
    #[arg(long, default_value = "")]
    text: String,
    /// Until when, with ask-extension.
    #[arg(long)]
    until: Option<Timestamp>,
}

#[derive(Args)]
pub(super) struct DecideArguments {
    /// Which request.
    id: RequestId,
    /// The question or the motivation.
    text: String,
    /// A condition beside those of the basis; once for each.
    #[arg(long)]
    condition: Vec<String>,
    /// Until when; as asked, or as long as the basis allows, when left out.
    #[arg(long)]
    until: Option<Timestamp>,
    /// Its digest, as `show` gives it: nothing is decided when the request says something else by now.
    #[arg(long)]
    digest: Option<String>,
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RequestOrder {
    List,
    Show {
        id: RequestId,
    },
    Reach {
        id: RequestId,
    },
    Letter {
        id: RequestId,
        #[serde(default, skip_serializing)]
        pdf: Option<PathBuf>,
    },
    FindingAid {
        id: RequestId,
        english: bool,
    },
    Write {
        content: Box<Content>,
        issuer: String,
        subject: String,
        submit: bool,
    },
    Step {
        id: RequestId,
        step: RequestStep,
        issuer: String,
        subject: String,
        text: String,
        until: Option<Timestamp>,
    },
    Decide {
        id: RequestId,
        step: RequestStep,
        text: String,
        conditions: Vec<String>,
        until: Option<Timestamp>,
        #[serde(default)]
        digest: Option<String>,
    },
}

impl RequestCommand {
    pub(super) fn order(self) -> Result<Order> {
        let decide = |step, asked: DecideArguments| {
            let DecideArguments { id, text, condition: conditions, until, digest } = asked;
            RequestOrder::Decide { id, step, text, conditions, until, digest }
        };
        Ok(Order::Request(match self {
            Self::List => RequestOrder::List,
            Self::Show { id } => RequestOrder::Show { id },
            Self::Reach { id } => RequestOrder::Reach { id },
            Self::Letter { id, pdf } => RequestOrder::Letter { id, pdf },
            Self::FindingAid { id, language } => {
                RequestOrder::FindingAid { id, english: language == Language::English }
            }
            Self::Write(WriteArguments { file, issuer, subject, submit }) => {
                let text = super::read_text(&file)?;
                let content = serde_json::from_str(&text).with_context(|| format!("`{}`", file.display()))?;
                RequestOrder::Write { content: Box::new(content), issuer, subject, submit }
            }
            Self::Step(StepArguments { id, step, issuer, subject, text, until }) => {
                RequestOrder::Step { id, step, issuer, subject, text, until }
            }
            Self::Ask(asked) => decide(RequestStep::Ask, asked),
            Self::Approve(asked) => decide(RequestStep::Approve, asked),
            Self::Refuse(asked) => decide(RequestStep::Refuse, asked),
            Self::Extend(asked) => decide(RequestStep::Extend, asked),
            Self::RefuseExtension(asked) => decide(RequestStep::RefuseExtension, asked),
        }))
    }
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people.
pub(super) async fn execute(folder: &DataFolder, order: RequestOrder) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        RequestOrder::List => Ok(json!(requests::list(archive, rules, None).await?)),
        RequestOrder::Show { id } => Ok(json!(requests::file(archive, rules, None, id).await?)),
        RequestOrder::Reach { id } => Ok(json!(requests::reach(archive, rules, None, id).await?)),
        RequestOrder::Letter { id, .. } => {
            let letter = requests::decision_letter(archive, rules, None, id).await?;
            Ok(json!({ "language": "nl", "html": letter.html, "at": letter.at }))
        }
        RequestOrder::FindingAid { id, .. } => {
            let known = archive.catalogue.request(id).await?.and_then(|request| request.grant);
            Ok(finding_aid::of(archive, rules, known.unwrap_or(GrantId::from_uuid(id.uuid()))).await?)
        }
        RequestOrder::Write { content, issuer, subject, submit } => {
            write(folder, *content, issuer, subject, submit).await
        }
        RequestOrder::Step { id, step, issuer, subject, text, until } => {
            let handed = HandedIn { request: id, step, issuer, subject, content: None, text, until };
            Ok(json!(requests::hand_in(archive, rules, &handed, None).await?))
        }
        RequestOrder::Decide { id, step, text, conditions, until, digest } => {
            let deciding = Deciding { step, text, conditions, until, digest };
            Ok(json!(requests::decide(archive, rules, None, id, deciding).await?))
        }
    }
}

async fn write(
    folder: &DataFolder,
    content: Content,
    issuer: String,
    subject: String,
    submit: bool,
) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    let form = requests::copy_form(content.form);
    let plans = |plan: &str| rules.plans.offers(plan, form);
    let problems = content.problems(&rules.research, &plans, Limits::default(), archive.sources.now());
    if !problems.is_empty() {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        bail!("the request does not hold together: {}", told.join("; "));
    }
    let id = RequestId::from_uuid(archive.sources.random_id()?);
    let mut handed = HandedIn {
        request: id,
        step: RequestStep::Write,
        issuer,
        subject,
        content: Some(content),
        text: String::new(),
        until: None,
    };
    let mut request = requests::hand_in(archive, rules, &handed, None).await?;
    if submit {
        (handed.step, handed.content) = (RequestStep::Submit, None);
        request = requests::hand_in(archive, rules, &handed, None).await?;
    }
    Ok(json!(request))
}

/// The answer to an order, for people.
///
/// # Errors
/// When the answer cannot be written.
pub(super) fn shown(order: &RequestOrder, answer: &Value) -> Result<()> {
    let text = |value: &Value, field: &str| match value.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    match order {
        RequestOrder::List => {
            let rows: Vec<Vec<String>> = answer
                .as_array()
                .into_iter()
                .flatten()
                .map(|request| {
                    let content = request.get("content").cloned().unwrap_or_default();
                    let of = |field| text(&content, field);
                    let own = |field| text(request, field);
                    vec![
                        own("id"),
                        own("state"),
                        own("organisation"),
                        of("institution"),
                        of("legalBasis"),
                        own("changedAt"),
                    ]
                })
                .collect();
            print::table(&["request", "state", "organisation", "institution", "basis", "changed"], &rows);
        }
        RequestOrder::FindingAid { english, .. } => {
            let language = if *english { Language::English } else { Language::Dutch };
            print::line(finding_aid_text(answer, language).trim_end());
        }
        RequestOrder::Letter { id, pdf: Some(to) } => {
            let at: Timestamp = text(answer, "at").parse()?;
            let (html, foot) = (text(answer, "html"), format!("{id}   {}", at.day()));
            let page = PaperPage {
                title: "Besluit op uw aanvraag",
                language: "nl",
                made_at: at,
                foot: &foot,
                html: &html,
            };
            let mut file = NewFile::beside(to)?;
            file.write_all(&crate::page::pdf(&page)?)?;
            file.finish()?;
            print::line(&to.display().to_string());
        }
        RequestOrder::Letter { pdf: None, .. } => print::line(&text(answer, "html")),
        RequestOrder::Show { .. } | RequestOrder::Reach { .. } => {
            print::line(&serde_json::to_string_pretty(answer)?);
        }
        _ => print::line(&format!("{}: {}", text(answer, "id"), text(answer, "state"))),
    }
    Ok(())
}
