//! `knik figures`: how reactions of a period sounded, and what the organisation acted on.

use super::control::Order;
use super::folder::DataFolder;
use super::print;
use crate::model::OrganisationId;
use crate::vault::periodic::{self, Period};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FiguresCommand {
    /// How reactions of a month or quarter sounded, whether they asked something and were answered: counts per post, in tens.
    #[command(
        after_help = "The method is a word list: the report says its version and how good it is. Nothing of it is kept of one reaction. Other periods than whole months and quarters are refused.\n\nExample: knik figures sentiment --organisation min-low --period 2026-01-01..2026-04-01 --json"
    )]
    Sentiment(ReportArguments),
    /// Which questions were answered, when, and which were not: not answering is an answer too. Recorded with the counts.
    #[command(
        after_help = "Example: knik figures acted-on --organisation min-low --period 2026-01-01..2026-04-01"
    )]
    ActedOn(ReportArguments),
}

/// Of whom, over which time.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(super) struct ReportArguments {
    /// Whose records.
    #[arg(long)]
    organisation: OrganisationId,
    /// What was posted in this time: FROM..UNTIL, two days, the second not included; or a month, such as 2026-03.
    #[arg(long, value_parser = days)]
    period: Days,
}

/// Two days.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Days {
    from: jiff::civil::Date,
    until: jiff::civil::Date,
}

fn days(given: &str) -> Result<Days, String> {
    let mend = || "write FROM..UNTIL, such as 2026-01-01..2026-04-01, or a month, such as 2026-03".to_owned();
    let day = |text: &str| text.parse::<jiff::civil::Date>().map_err(|_| mend());
    let Some((from, until)) = given.split_once("..") else {
        let from = day(&format!("{given}-01"))?;
        let until = from.last_of_month().tomorrow().map_err(|_| mend())?;
        return Ok(Days { from, until });
    };
    Ok(Days { from: day(from)?, until: day(until)? })
}

impl FiguresCommand {
    pub(super) fn order(self) -> Order {
        Order::Figures(self)
    }
}

/// Carries an order out.
///
/// # Errors
/// When the period ends before it begins, or storage fails.
pub(super) async fn execute(folder: &DataFolder, order: FiguresCommand) -> Result<Value> {
    let (archive, rules) = (&folder.archive, &folder.rules);
    match order {
        FiguresCommand::Sentiment(asked) => {
            let period = Period::new(asked.period.from, asked.period.until)?;
            Ok(json!(periodic::sentiment(archive, rules, &asked.organisation, period).await?))
        }
        FiguresCommand::ActedOn(asked) => {
            let period = Period::new(asked.period.from, asked.period.until)?;
            Ok(json!(periodic::acted_on(archive, &asked.organisation, period, None).await?))
        }
    }
}

/// Prints an answer for people.
///
/// # Errors
/// When it cannot be written out.
pub(super) fn print(order: &FiguresCommand, answer: &Value) -> Result<()> {
    match order {
        FiguresCommand::Sentiment(_) => sentiment(answer),
        FiguresCommand::ActedOn(_) => {
            let fields = ["record", "channel", "askedAt", "answeredAt", "hours", "answer"];
            print::fields_table(answer.get("items").unwrap_or(&Value::Null), &fields);
            let [questions, answered, unanswered] =
                ["questions", "answered", "unanswered"].map(|field| print::word(answer, field));
            print::line(&format!("\n{questions} questions, {answered} answered, {unanswered} not"));
        }
    }
    Ok(())
}

fn sentiment(answer: &Value) {
    let counts = |of: &Value, field: &str| {
        let counts = of.get(field).and_then(Value::as_object).cloned().unwrap_or_default();
        let of_one = |(key, count): (&String, &Value)| {
            format!("{key} {}", count.as_str().map_or_else(|| count.to_string(), str::to_owned))
        };
        counts.iter().map(of_one).collect::<Vec<_>>().join(", ")
    };
    let row = |first: String, of: &Value| {
        [
            vec![first, print::word(of, "reactions")],
            ["question", "answered", "sentiment"].map(|field| counts(of, field)).to_vec(),
        ]
        .concat()
    };
    let posts = answer.get("threads").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut rows: Vec<Vec<String>> = posts.iter().map(|post| row(print::word(post, "root"), post)).collect();
    rows.push(row("all".to_owned(), answer));
    print::table(&["post", "reactions", "question", "answered (of questions)", "sentiment"], &rows);
    print::line("\ncounts are in tens, rounded down; <10 is fewer, or a count that would tell one of fewer");
    let measured = answer.get("measured").unwrap_or(&Value::Null);
    print::line(&format!(
        "\nmethod {}: agrees with people on {} of {} texts; finds {}% of what is positive and {}% of what is negative; no irony",
        print::word(answer, "method"),
        print::word(measured, "agreed"),
        print::word(measured, "texts"),
        print::word(measured, "positiveFound"),
        print::word(measured, "negativeFound")
    ));
}
