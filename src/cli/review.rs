//! `knik review`: the reviewer's queue on the command line.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::access::Actor;
use crate::model::{ActorId, FlagKind, OrganisationId, ReviewReason, Role, Verdict, VersionId};
use crate::store::catalogue::{QueueState, ReviewItem};
use crate::vault::review::{self, Judging, QueueSelection};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum ReviewCommand {
    /// List the flagged records that wait: what for, where, from which day. No text.
    #[command(after_help = "Example: knik review list --organisation min-low --reviewer beoordelaar-1")]
    List {
        #[command(flatten)]
        reviewer: Reviewer,
        /// List what has been judged instead of what waits.
        #[arg(long)]
        judged: bool,
    },
    /// Open one record of the queue: its text with its flags. The opening is recorded before it happens.
    #[command(
        after_help = "Example: knik review show 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --organisation min-low --reviewer beoordelaar-1"
    )]
    Show {
        /// Which item.
        id: VersionId,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Say of flags that the record may be read, or that it stays withheld.
    #[command(
        after_help = "Example: knik review judge 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --organisation min-low --reviewer beoordelaar-1 \\\n    \
                      --verdict release --reason nobody-identifiable\n         \
                      knik review judge 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --organisation min-low --reviewer beoordelaar-1 \\\n    \
                      --verdict keep-withheld --reason flag-holds --kind health"
    )]
    Judge {
        /// Which item.
        id: VersionId,
        #[command(flatten)]
        reviewer: Reviewer,
        /// release or keep-withheld.
        #[arg(long)]
        verdict: Verdict,
        /// With release: flag-does-not-hold, nobody-identifiable, made-public-by-the-person; with keep-withheld: flag-holds, in-doubt.
        #[arg(long)]
        reason: ReviewReason,
        /// Only this flag; all of the record's when none is named.
        #[arg(long)]
        kind: Vec<FlagKind>,
    },
}

/// Who reviews: the ledger knows them by a pseudonym.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(super) struct Reviewer {
    /// The organisation that the reviewer works for: its queue is opened.
    #[arg(long)]
    organisation: OrganisationId,
    /// Who reviews, as the subject of the reviewer's tokens.
    #[arg(long)]
    reviewer: String,
    /// Issuer of the reviewer's tokens.
    #[arg(long, default_value = "command-line")]
    issuer: String,
}

/// What can be asked of the queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReviewOrder {
    /// What waits, or was judged.
    List { reviewer: Reviewer, state: QueueState },
    /// One item with its text.
    Show { reviewer: Reviewer, id: VersionId },
    /// A judgement.
    Judge { reviewer: Reviewer, id: VersionId, verdict: Verdict, reason: ReviewReason, kinds: Vec<FlagKind> },
}

impl ReviewCommand {
    pub(super) fn order(self) -> Order {
        Order::Review(match self {
            Self::List { reviewer, judged } => {
                let state = if judged { QueueState::Judged } else { QueueState::Open };
                ReviewOrder::List { reviewer, state }
            }
            Self::Show { id, reviewer } => ReviewOrder::Show { reviewer, id },
            Self::Judge { id, reviewer, verdict, reason, kind: kinds } => {
                ReviewOrder::Judge { reviewer, id, verdict, reason, kinds }
            }
        })
    }
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people; no text of a record is in it.
pub(super) async fn execute(folder: &DataFolder, order: ReviewOrder) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        ReviewOrder::List { reviewer, state } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(json!({ "items": everything(folder, &actor, state).await? }))
        }
        ReviewOrder::Show { reviewer, id } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(review::show(archive, rules, &actor, id).await?.to_json())
        }
        ReviewOrder::Judge { reviewer, id, verdict, reason, kinds } => {
            let actor = actor(folder, &reviewer).await?;
            let judging = Judging { kinds, verdict, reason };
            Ok(json!(review::judge(archive, rules, &actor, id, &judging).await?))
        }
    }
}

pub(super) async fn actor(folder: &DataFolder, reviewer: &Reviewer) -> Result<Actor> {
    let (catalogue, sources) = (&folder.archive.catalogue, &folder.archive.sources);
    let fresh = ActorId::from_uuid(sources.random_id()?);
    let id = catalogue.actor(&reviewer.issuer, &reviewer.reviewer, fresh, sources.now()).await?;
    Ok(Actor { id, role: Role::Reviewer, organisation: reviewer.organisation.clone() })
}

async fn everything(folder: &DataFolder, actor: &Actor, state: QueueState) -> Result<Vec<ReviewItem>> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let asked = QueueSelection { state, after, most: 500 };
        let page = review::list(&folder.archive, &folder.rules, actor, &asked).await?;
        after = page.last().map(|item| item.id);
        if after.is_none() {
            return Ok(items);
        }
        items.extend(page);
    }
}

/// Prints an answer for people.
pub(super) fn print(order: &ReviewOrder, answer: &Value) {
    match order {
        ReviewOrder::List { .. } => queue(answer),
        ReviewOrder::Show { .. } => item(answer),
        ReviewOrder::Judge { verdict, .. } => {
            let left = list_of(answer, "flags").iter().filter(|flag| word(flag, "verdict") == "-").count();
            print::line(&format!("judged: {verdict}; flags of it that wait: {left}"));
        }
    }
}

fn queue(answer: &Value) {
    let row = |item: &Value| {
        let flags = list_of(item, "flags").iter().map(flag_word).collect::<Vec<_>>().join(", ");
        let fields = ["id", "record", "kind", "channel", "day"].map(|field| word(item, field));
        [fields.to_vec(), vec![flags]].concat()
    };
    let rows: Vec<Vec<String>> = list_of(answer, "items").iter().map(row).collect();
    print::table(&["item", "record", "kind", "channel", "day", "flags"], &rows);
}

fn flag_word(flag: &Value) -> String {
    match word(flag, "verdict").as_str() {
        "-" => word(flag, "kind"),
        verdict => format!("{} ({verdict})", word(flag, "kind")),
    }
}

fn item(answer: &Value) {
    for passage in list_of(answer, "passages") {
        print::line(&format!("{}:\n{}", word(&passage, "role"), harmless(&word(&passage, "text"))));
        for flag in list_of(&passage, "flags") {
            let [kind, rule, start, end] = ["kind", "rule", "start", "end"].map(|field| word(&flag, field));
            print::line(&format!("  {kind} at {start} to {end} (rule {rule})"));
        }
    }
    print::line("\nWhat you judge: knik review judge ID --verdict release|keep-withheld --reason …");
}

/// A stranger's text without what a terminal would obey.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn list_of(value: &Value, field: &str) -> Vec<Value> {
    value.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn word(value: &Value, field: &str) -> String {
    print::word(value, field)
}
