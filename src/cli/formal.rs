//! `knik formal`: objections, applications and complaints that came in on social media, until they are where they belong.

use super::control::Order;
use super::folder::DataFolder;
use super::letter::{CaseArguments, case_of};
use super::print;
use super::review::{Reviewer, actor};
use crate::model::RecordId;
use crate::vault::formal::{self, FormalSelection};
use anyhow::Result;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FormalCommand {
    /// Formal messages with which nothing was done yet, the longest waiting first. No text.
    #[command(after_help = "Example: knik formal list --organisation min-low --reviewer registrator-1 --all")]
    List {
        /// Those that were registered or forwarded too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Formal messages that wait beyond their time, or whose sender was not told where they went.
    #[command(after_help = "Example: knik formal overdue --organisation min-low --reviewer registrator-1")]
    Overdue {
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// What became of one message, with the case number under which it was registered.
    #[command(
        after_help = "Example: knik formal show 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --organisation min-low --reviewer registrator-1"
    )]
    Show {
        /// Which record.
        record: RecordId,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Note under which case a message was registered.
    #[command(
        after_help = "Example: knik formal register 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --system zaaksysteem --case Z-2026-441 \\\n    --sender-told 2026-03-10 --organisation min-low --reviewer registrator-1"
    )]
    Register {
        /// Which record.
        record: RecordId,
        #[command(flatten)]
        case: CaseArguments,
        /// The day on which the sender was told.
        #[arg(long)]
        sender_told: Option<jiff::civil::Date>,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Note to which body a message was forwarded (Awb 2:3).
    #[command(
        after_help = "Example: knik formal forward 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --to 'Gemeente Voorbeeldstad' \\\n    --sender-told 2026-03-10 --organisation min-low --reviewer registrator-1"
    )]
    Forward {
        /// Which record.
        record: RecordId,
        /// Which body: an organisation, no person.
        #[arg(long)]
        to: String,
        /// The day on which the sender was told.
        #[arg(long)]
        sender_told: Option<jiff::civil::Date>,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Note that the sender was told where a message went.
    #[command(
        after_help = "Example: knik formal told 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --on 2026-03-11 --organisation min-low --reviewer registrator-1"
    )]
    Told {
        /// Which record.
        record: RecordId,
        /// The day.
        #[arg(long)]
        on: jiff::civil::Date,
        #[command(flatten)]
        reviewer: Reviewer,
    },
}

impl FormalCommand {
    pub(super) fn order(self) -> Order {
        Order::Formal(self)
    }
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people; no text of a record is in it.
pub(super) async fn execute(folder: &DataFolder, order: FormalCommand) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        FormalCommand::List { all, reviewer } => {
            let asked = if all { FormalSelection::All } else { FormalSelection::Waiting };
            let found = formal::list(archive, rules, &actor(folder, &reviewer).await?, asked).await?;
            Ok(json!({ "messages": found }))
        }
        FormalCommand::Overdue { reviewer } => {
            let actor = actor(folder, &reviewer).await?;
            let found = formal::list(archive, rules, &actor, FormalSelection::Overdue).await?;
            Ok(json!({ "messages": found }))
        }
        FormalCommand::Show { record, reviewer } => {
            Ok(formal::one(archive, rules, &actor(folder, &reviewer).await?, record).await?)
        }
        FormalCommand::Register { record, case, sender_told, reviewer } => {
            let actor = actor(folder, &reviewer).await?;
            formal::register(archive, rules, &actor, record, &case_of(case), sender_told).await?;
            Ok(formal::one(archive, rules, &actor, record).await?)
        }
        FormalCommand::Forward { record, to, sender_told, reviewer } => {
            let actor = actor(folder, &reviewer).await?;
            formal::forward(archive, rules, &actor, record, &to, sender_told).await?;
            Ok(formal::one(archive, rules, &actor, record).await?)
        }
        FormalCommand::Told { record, on, reviewer } => {
            let actor = actor(folder, &reviewer).await?;
            formal::tell(archive, rules, &actor, record, on).await?;
            Ok(formal::one(archive, rules, &actor, record).await?)
        }
    }
}

/// Prints an answer for people.
///
/// # Errors
/// When it cannot be written out.
pub(super) fn print(order: &FormalCommand, answer: &Value) -> Result<()> {
    match order {
        FormalCommand::List { .. } | FormalCommand::Overdue { .. } => {
            let fields = [
                "record",
                "channel",
                "receivedAt",
                "dueAt",
                "state",
                "forwardedTo",
                "senderToldAt",
                "overdue",
            ];
            print::fields_table(answer.get("messages").unwrap_or(&Value::Null), &fields);
        }
        _ => print::line(&serde_json::to_string_pretty(answer)?),
    }
    Ok(())
}
