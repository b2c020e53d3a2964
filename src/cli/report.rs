//! `knik report`: reports of readers, as a reviewer judges them.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use super::review::{Reviewer, actor};
use crate::model::{ReportId, ReportOutcome};
use crate::vault::reports::{self, Place, ReportJudging, ReportSelection};
use anyhow::{Context, Result};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::str::FromStr;

#[derive(Subcommand)]
pub(super) enum ReportCommand {
    /// List the reports that wait for a reviewer. No text.
    #[command(after_help = "Example: knik report list --organisation min-low --reviewer beoordelaar-1")]
    List {
        #[command(flatten)]
        reviewer: Reviewer,
        /// List what has been judged instead of what waits.
        #[arg(long)]
        judged: bool,
    },
    /// Open the record of a report: its text with what is redacted in it. The opening is recorded before it happens.
    #[command(
        after_help = "Example: knik report show 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --organisation min-low --reviewer beoordelaar-1"
    )]
    Show {
        /// Which report.
        id: ReportId,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Judge a report: confirmed with the places that are to be hidden (or not to be), or unfounded.
    #[command(
        after_help = "Example: knik report judge 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --outcome confirmed --place 0:12-25 \\\n    \
                      --organisation min-low --reviewer beoordelaar-1\n\nA place is TEXT:FROM-TO or TEXT:FROM-TO:TYPE, in Unicode code points from 0, as `show` counts them."
    )]
    Judge {
        /// Which report.
        id: ReportId,
        #[command(flatten)]
        reviewer: Reviewer,
        /// confirmed or unfounded.
        #[arg(long)]
        outcome: ReportOutcome,
        /// A place in the record; once for each.
        #[arg(long)]
        place: Vec<NamedPlace>,
    },
}

/// A place as it is typed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct NamedPlace {
    passage: usize,
    start: usize,
    end: usize,
    entity: Option<String>,
}

impl FromStr for NamedPlace {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let wrong = || format!("`{given}` is no place; write one such as 0:12-25 or 0:12-25:PERSON");
        let mut parts = given.splitn(3, ':');
        let passage = parts.next().and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
        let (start, end) = parts.next().and_then(|span| span.split_once('-')).ok_or_else(wrong)?;
        let number = |text: &str| text.parse().map_err(|_| wrong());
        let entity = parts.next().map(str::to_owned);
        Ok(Self { passage, start: number(start)?, end: number(end)?, entity })
    }
}

impl TryFrom<String> for NamedPlace {
    type Error = String;
    fn try_from(given: String) -> Result<Self, String> {
        given.parse()
    }
}

impl From<NamedPlace> for String {
    fn from(place: NamedPlace) -> Self {
        let NamedPlace { passage, start, end, entity } = place;
        let entity = entity.map(|entity| format!(":{entity}")).unwrap_or_default();
        format!("{passage}:{start}-{end}{entity}")
    }
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReportOrder {
    List { reviewer: Reviewer, judged: bool },
    Show { reviewer: Reviewer, id: ReportId },
    Judge { reviewer: Reviewer, id: ReportId, outcome: ReportOutcome, places: Vec<NamedPlace> },
}

impl ReportCommand {
    pub(super) fn order(self) -> Order {
        Order::Report(match self {
            Self::List { reviewer, judged } => ReportOrder::List { reviewer, judged },
            Self::Show { id, reviewer } => ReportOrder::Show { reviewer, id },
            Self::Judge { id, reviewer, outcome, place: places } => {
                ReportOrder::Judge { reviewer, id, outcome, places }
            }
        })
    }
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people; no text of a record is in it.
pub(super) async fn execute(folder: &DataFolder, order: ReportOrder) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        ReportOrder::List { reviewer, judged } => {
            let actor = actor(folder, &reviewer).await?;
            let asked = ReportSelection { judged, most: LISTED_MOST };
            Ok(json!({ "reports": reports::list(archive, rules, &actor, asked).await? }))
        }
        ReportOrder::Show { reviewer, id } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(reports::show(archive, rules, &actor, id).await?.to_json())
        }
        ReportOrder::Judge { reviewer, id, outcome, places } => {
            let actor = actor(folder, &reviewer).await?;
            let place = |NamedPlace { passage, start, end, entity }: NamedPlace| {
                let entity =
                    entity.map(|entity| entity.parse()).transpose().context("a type of personal data")?;
                Ok::<_, anyhow::Error>(Place { passage, start, end, entity })
            };
            let places = places.into_iter().map(place).collect::<Result<Vec<_>>>()?;
            let judging = ReportJudging { outcome, places };
            Ok(json!(reports::judge(archive, rules, &actor, id, &judging).await?))
        }
    }
}

const LISTED_MOST: u32 = 1_000;

/// The answer to an order, for people.
///
/// # Errors
/// When the answer cannot be written.
pub(super) fn shown(order: &ReportOrder, answer: &Value) -> Result<()> {
    match order {
        ReportOrder::List { .. } => {
            let fields = ["id", "kind", "channel", "receivedAt", "outcome"];
            print::fields_table(answer.get("reports").unwrap_or(&Value::Null), &fields);
        }
        ReportOrder::Show { .. } => print::line(&serde_json::to_string_pretty(answer)?),
        ReportOrder::Judge { .. } => {
            print::line(&format!("{}: {}", print::word(answer, "id"), print::word(answer, "outcome")));
        }
    }
    Ok(())
}
