//! `knik incident`: personal data that was shown and should not have been: who has it, who was told, how it ended.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::model::{IncidentId, IncidentOutcome, PrivateText};
use crate::vault::incidents;
use anyhow::Result;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum IncidentCommand {
    /// List the incidents, newest first, with the hours that are left to notify.
    #[command(after_help = "Example: knik incident list")]
    List,
    /// Show one: its records, which grants and people have them, who was told.
    #[command(after_help = "Example: knik incident show 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --json")]
    Show {
        /// Which.
        id: IncidentId,
    },
    /// Say how it ended, and why.
    #[command(
        after_help = "Example: knik incident close 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --outcome notified --text @afsluiting.txt"
    )]
    Close {
        /// Which.
        id: IncidentId,
        /// notified (to the supervisory authority), no-notification (not due) or unfounded.
        #[arg(long)]
        outcome: IncidentOutcome,
        /// What was done and why; @FILE reads it from a file.
        #[arg(long)]
        text: String,
    },
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum IncidentOrder {
    List,
    Show { id: IncidentId },
    Close { id: IncidentId, outcome: IncidentOutcome, text: String },
}

impl IncidentCommand {
    pub(super) fn order(self) -> Result<Order> {
        Ok(Order::Incident(match self {
            Self::List => IncidentOrder::List,
            Self::Show { id } => IncidentOrder::Show { id },
            Self::Close { id, outcome, text } => {
                let text = match text.strip_prefix('@') {
                    Some(file) => super::read_text(std::path::Path::new(file))?,
                    None => text,
                };
                IncidentOrder::Close { id, outcome, text }
            }
        }))
    }
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people.
pub(super) async fn execute(folder: &DataFolder, order: IncidentOrder) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        IncidentOrder::List => Ok(json!(incidents::list(archive, rules, None).await?)),
        IncidentOrder::Show { id } => Ok(incidents::show(archive, rules, None, id).await?),
        IncidentOrder::Close { id, outcome, text } => {
            Ok(incidents::close(archive, rules, None, id, outcome, &PrivateText::new(text)).await?)
        }
    }
}

/// The answer to an order, for people.
///
/// # Errors
/// When the answer cannot be written.
pub(super) fn shown(order: &IncidentOrder, answer: &Value) -> Result<()> {
    match order {
        IncidentOrder::List => {
            print::fields_table(answer, &["id", "organisation", "cause", "openedAt", "hoursLeft", "outcome"]);
        }
        IncidentOrder::Show { .. } => print::line(&serde_json::to_string_pretty(answer)?),
        IncidentOrder::Close { .. } => {
            print::line(&format!("{}: {}", print::word(answer, "id"), print::word(answer, "outcome")));
        }
    }
    Ok(())
}
