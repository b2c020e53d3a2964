//! `knik letter`: links to the letter system, its confirmations, what is due.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use super::review::{Reviewer, actor};
use crate::decide::TABLE_BYTES_MAX;
use crate::model::{PrivateText, RecordId};
use crate::vault::formal;
use crate::vault::letters::{self, Confirmed, LetterCase, NewLink};
use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Read;
use std::path::PathBuf;

/// A case of another system.
#[derive(Clone, Args, Serialize, Deserialize)]
pub(super) struct CaseArguments {
    /// Which system.
    #[arg(long)]
    system: String,
    /// The case number there; kept as a keyed digest, and sealed.
    #[arg(long)]
    case: String,
}

impl std::fmt::Debug for CaseArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CaseArguments({})", self.system)
    }
}

pub(super) fn case_of(case: CaseArguments) -> LetterCase {
    LetterCase { system: case.system, number: PrivateText::new(case.case) }
}

#[derive(Subcommand)]
pub(super) enum LetterCommand {
    /// Link a record to a case of the letter system. The link is due until that system confirms.
    #[command(
        after_help = "Example: knik letter link 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --system brieven --case B-2026-17 --registered-on 2026-03-09 \\\n    --taken-over 'tekst en afzender' --organisation min-low --reviewer registrator-1"
    )]
    Link {
        /// Which record.
        record: RecordId,
        #[command(flatten)]
        case: CaseArguments,
        /// The day it was registered there.
        #[arg(long)]
        registered_on: jiff::civil::Date,
        /// Who registered it there; sealed.
        #[arg(long, default_value = "")]
        registrar: String,
        /// What was taken over.
        #[arg(long)]
        taken_over: String,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Note that the letter system confirmed a case, and what it said.
    #[command(
        after_help = "Example: knik letter confirm --system brieven --case B-2026-17 --on 2026-03-10 --said 'ontvangen' --organisation min-low --reviewer registrator-1"
    )]
    Confirm {
        #[command(flatten)]
        case: CaseArguments,
        /// The day on which it confirmed.
        #[arg(long)]
        on: jiff::civil::Date,
        /// What it said.
        #[arg(long, default_value = "")]
        said: String,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Take in a list that the letter system exported (CSV): all of it, or with any fault nothing.
    #[command(
        after_help = "Columns: system, case_number; with a link record, registered_on, taken_over, registrar; with a confirmation confirmed_on,\nconfirmation. A row without a record confirms a case. Separated by ; , or tabs, UTF-8.\n\nExample: knik letter import brieven.csv --dry-run --organisation min-low --reviewer registrator-1\n         knik letter import - --organisation min-low --reviewer registrator-1 < brieven.csv"
    )]
    Import {
        /// The file; - is standard input.
        file: PathBuf,
        /// Say what would come of it and write nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// Links that the letter system did not confirm yet. Until it does, a record is not proposed for destruction.
    #[command(after_help = "Example: knik letter due --organisation min-low --reviewer registrator-1")]
    Due {
        #[command(flatten)]
        reviewer: Reviewer,
    },
    /// The records of a case, or the case of a record.
    #[command(
        after_help = "Example: knik letter find --system brieven --case B-2026-17 --organisation min-low --reviewer registrator-1\n         knik letter find --record 0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11 --organisation min-low --reviewer registrator-1"
    )]
    Find {
        /// Which record.
        #[arg(long, conflicts_with_all = ["system", "case"], required_unless_present = "case")]
        record: Option<RecordId>,
        /// Which system.
        #[arg(long, requires = "case")]
        system: Option<String>,
        /// The case number there.
        #[arg(long, requires = "system")]
        case: Option<String>,
        #[command(flatten)]
        reviewer: Reviewer,
    },
}

/// What the service is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LetterOrder {
    /// A link.
    Link {
        reviewer: Reviewer,
        record: RecordId,
        case: CaseArguments,
        registered_on: jiff::civil::Date,
        registrar: String,
        taken_over: String,
    },
    /// A confirmation.
    Confirm { reviewer: Reviewer, case: CaseArguments, on: jiff::civil::Date, said: String },
    /// A list.
    Import { reviewer: Reviewer, list: String, dry_run: bool },
    /// What is due, or belongs to a case.
    Find { reviewer: Reviewer, case: Option<CaseArguments> },
    /// The case of a record.
    OfRecord { reviewer: Reviewer, record: RecordId },
}

impl LetterCommand {
    /// # Errors
    /// When the list cannot be read.
    pub(super) fn order(self) -> Result<Order> {
        Ok(Order::Letter(match self {
            Self::Link { record, case, registered_on, registrar, taken_over, reviewer } => {
                LetterOrder::Link { reviewer, record, case, registered_on, registrar, taken_over }
            }
            Self::Confirm { case, on, said, reviewer } => LetterOrder::Confirm { reviewer, case, on, said },
            Self::Import { file, dry_run, reviewer } => {
                LetterOrder::Import { reviewer, list: read_list(&file)?, dry_run }
            }
            Self::Due { reviewer } => LetterOrder::Find { reviewer, case: None },
            Self::Find { record: Some(record), reviewer, .. } => LetterOrder::OfRecord { reviewer, record },
            Self::Find { system, case, reviewer, .. } => {
                let case = system.zip(case).map(|(system, case)| CaseArguments { system, case });
                LetterOrder::Find { reviewer, case }
            }
        }))
    }
}

/// The list as text; bytes that are no UTF-8 are told where they stand when it is read as a table.
fn read_list(file: &std::path::Path) -> Result<String> {
    let mut bytes = Vec::new();
    let most = TABLE_BYTES_MAX as u64 + 1;
    if file == std::path::Path::new("-") {
        std::io::stdin()
            .take(most)
            .read_to_end(&mut bytes)
            .context("reading the list from standard input")?;
    } else {
        let opened =
            std::fs::File::open(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        opened
            .take(most)
            .read_to_end(&mut bytes)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
    }
    ensure!(bytes.len() <= TABLE_BYTES_MAX, "the list is larger than {TABLE_BYTES_MAX} bytes; split it");
    String::from_utf8(bytes).context("the list is not UTF-8; save it as CSV UTF-8")
}

/// Carries an order out.
///
/// # Errors
/// What went wrong, in words for people; no text of a record is in it.
pub(super) async fn execute(folder: &DataFolder, order: LetterOrder) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        LetterOrder::Link { reviewer, record, case, registered_on, registrar, taken_over } => {
            let actor = actor(folder, &reviewer).await?;
            let registrar = PrivateText::new(registrar);
            let link = NewLink {
                record,
                case: case_of(case),
                registered_on,
                registrar,
                taken_over,
                confirmed: None,
            };
            letters::link(archive, rules, &actor, link).await?;
            Ok(json!({ "linked": record }))
        }
        LetterOrder::Confirm { reviewer, case, on, said } => {
            let asked = Confirmed { case: case_of(case), on, said };
            let confirmed =
                letters::confirm(archive, rules, &actor(folder, &reviewer).await?, &asked).await?;
            Ok(json!({ "confirmed": confirmed }))
        }
        LetterOrder::Import { reviewer, list, dry_run } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(json!(letters::import(archive, rules, &actor, list.as_bytes(), dry_run).await?))
        }
        LetterOrder::Find { reviewer, case } => {
            let (actor, case) = (actor(folder, &reviewer).await?, case.map(case_of));
            let letters = letters::find(archive, rules, &actor, case.as_ref()).await?;
            let messages = match &case {
                Some(case) => formal::find(archive, rules, &actor, case).await?,
                None => Vec::new(),
            };
            Ok(json!({ "letters": letters, "messages": messages }))
        }
        LetterOrder::OfRecord { reviewer, record } => {
            let actor = actor(folder, &reviewer).await?;
            Ok(json!(letters::of_record(archive, rules, &actor, record).await?))
        }
    }
}

/// Prints an answer for people.
///
/// # Errors
/// When it cannot be written out.
pub(super) fn print(order: &LetterOrder, answer: &Value) -> Result<()> {
    match order {
        LetterOrder::Find { .. } => {
            let fields =
                ["record", "system", "registeredOn", "takenOver", "linkedAt", "confirmedAt", "confirmation"];
            print::fields_table(answer.get("letters").unwrap_or(&Value::Null), &fields);
            let messages = answer.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
            if messages > 0 {
                print::fields_table(
                    answer.get("messages").unwrap_or(&Value::Null),
                    &["record", "system", "handledAt"],
                );
            }
        }
        LetterOrder::Import { dry_run, .. } => print::line(&format!(
            "{}: {} rows, {} linked, {} confirmed, {} known already",
            if *dry_run { "tried, nothing written" } else { "taken in" },
            print::word(answer, "rows"),
            print::word(answer, "linked"),
            print::word(answer, "confirmed"),
            print::word(answer, "known")
        )),
        _ => print::line(&serde_json::to_string_pretty(answer)?),
    }
    Ok(())
}
