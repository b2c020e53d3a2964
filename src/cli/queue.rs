//! `knik queue`: the reviewers' queue, doubtful records and people's answers, proposals for destruction, referrals, unanswered
//! questions.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use super::review::{Reviewer, actor};
use super::reviewing::{self, ReviewingCommand, ReviewingOrder};
use crate::decide::Answer;
use crate::model::{Outcome, RecordId};
use crate::vault::queue;
use anyhow::Result;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum QueueCommand {
    #[command(flatten)]
    Reviewing(ReviewingCommand),
    /// Records that the tree is not sure of, with the step that waits. No text.
    #[command(after_help = "Example: knik queue doubtful --organisation min-low --reviewer beoordelaar-1")]
    Doubtful {
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Answer a step of a record: it is decided anew, and both decisions are kept.
    #[command(
        after_help = "Example: knik queue answer 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --step question --answer yes \\\n    --organisation min-low --reviewer beoordelaar-1"
    )]
    Answer {
        /// Which record.
        record: RecordId,
        /// Which step of its tree.
        #[arg(long)]
        step: String,
        /// yes, no or unsure.
        #[arg(long)]
        answer: Answer,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// What is proposed for destruction, each with the thread it stands in. Nothing is destroyed.
    #[command(
        after_help = "Example: knik queue proposals --organisation min-low --reviewer beoordelaar-1 --json"
    )]
    Proposals {
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Records whose sender is to be referred: a list for the web-care team.
    #[command(after_help = "Example: knik queue referrals --organisation min-low --reviewer webcare-1")]
    Referrals {
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Questions that the organisation did not answer.
    #[command(after_help = "Example: knik queue unanswered --organisation min-low --reviewer webcare-1")]
    Unanswered {
        #[command(flatten)]
        reviewer: Reviewer,
    },
}

/// What the service is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum QueueOrder {
    /// The reviewers' queue of every kind.
    Reviewing(ReviewingOrder),
    /// What waits.
    Doubtful { reviewer: Reviewer },
    /// An answer.
    Answer { reviewer: Reviewer, record: RecordId, step: String, answer: Answer },
    /// Proposals for destruction.
    Proposals { reviewer: Reviewer },
    /// Referrals.
    Referrals { reviewer: Reviewer },
    /// Unanswered questions.
    Unanswered { reviewer: Reviewer },
}

impl QueueOrder {
    /// Whether something may be decided by it.
    pub(super) const fn may_decide(&self) -> bool {
        matches!(self, Self::Reviewing(_) | Self::Answer { .. })
    }
}

impl QueueCommand {
    /// The order that it is.
    ///
    /// # Errors
    /// When a file that is named cannot be read.
    pub(super) fn order(self) -> Result<Order> {
        Ok(Order::Queue(match self {
            Self::Reviewing(asked) => QueueOrder::Reviewing(asked.order()?),
            Self::Doubtful { reviewer } => QueueOrder::Doubtful { reviewer },
            Self::Answer { record, step, answer, reviewer } => {
                QueueOrder::Answer { reviewer, record, step, answer }
            }
            Self::Proposals { reviewer } => QueueOrder::Proposals { reviewer },
            Self::Referrals { reviewer } => QueueOrder::Referrals { reviewer },
            Self::Unanswered { reviewer } => QueueOrder::Unanswered { reviewer },
        }))
    }
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people; no text of a record is in it.
pub(super) async fn execute(folder: &DataFolder, order: QueueOrder) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        QueueOrder::Reviewing(asked) => reviewing::execute(folder, asked).await,
        QueueOrder::Doubtful { reviewer } => {
            let actor = actor(folder, &reviewer).await?;
            let mut shown = Vec::new();
            for record in queue::doubtful(archive, rules, &actor).await? {
                let decision = archive.catalogue.decisions(record.id).await?.into_iter().next();
                shown.push(json!({ "record": record, "decision": decision }));
            }
            Ok(json!({ "records": shown }))
        }
        QueueOrder::Answer { reviewer, record, step, answer } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(json!(queue::answer(archive, rules, &actor, record, &step, answer).await?))
        }
        QueueOrder::Proposals { reviewer } => {
            let actor = actor(folder, &reviewer).await?;
            queue::doubtful(archive, rules, &actor).await?;
            Ok(json!({ "proposals": queue::proposals(archive, &actor.organisation).await? }))
        }
        QueueOrder::Referrals { reviewer } => {
            let actor = actor(folder, &reviewer).await?;
            queue::doubtful(archive, rules, &actor).await?;
            Ok(json!({ "referrals": queue::all(archive, &actor.organisation, Outcome::Refer).await? }))
        }
        QueueOrder::Unanswered { reviewer } => {
            let actor = actor(folder, &reviewer).await?;
            queue::doubtful(archive, rules, &actor).await?;
            Ok(json!({ "unanswered": queue::unanswered(archive, &actor.organisation).await? }))
        }
    }
}

/// Prints an answer for people.
///
/// # Errors
/// When it cannot be written out.
pub(super) fn print(order: &QueueOrder, answer: &Value) -> Result<()> {
    let list = |field: &str| answer.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    match order {
        QueueOrder::Reviewing(asked) => reviewing::print(asked, answer)?,
        QueueOrder::Doubtful { .. } => {
            let row = |item: &Value| {
                let (record, decision) = (part(item, "record"), part(item, "decision"));
                let path = decision.get("path").and_then(Value::as_array).cloned().unwrap_or_default();
                let waits = path.last().map(|step| print::word(step, "step")).unwrap_or_default();
                let mut row =
                    ["id", "kind", "channel", "day"].map(|field| print::word(&record, field)).to_vec();
                row.extend([print::word(&decision, "tree"), waits]);
                row
            };
            let rows: Vec<Vec<String>> = list("records").iter().map(row).collect();
            print::table(&["record", "kind", "channel", "day", "tree", "step that waits"], &rows);
        }
        QueueOrder::Answer { .. } => print::line(&format!("decided: {}", print::word(answer, "outcome"))),
        _ => print::line(&serde_json::to_string_pretty(answer)?),
    }
    Ok(())
}

fn part(item: &Value, field: &str) -> Value {
    item.get(field).cloned().unwrap_or(Value::Null)
}
