//! `knik compare`: what several trees and profiles would mean for the same archive.

use super::control::Order;
use super::folder::DataFolder;
use super::new_file::NewFile;
use super::{commands, print};
use crate::model::markup::escaped;
use crate::model::{OrganisationId, Timestamp};
use crate::vault::compare::{Comparison, compare};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Examples under the help text.
pub(super) const EXAMPLES: &str =
    "Example: knik compare --organisation min-low --trees archive-whole,scenario-b,legal-advice
         knik compare --organisation min-low --trees scenario-b,reactions-off --profiles default,questions-only \\
             --period 2025-01-01..2026-01-01 --html compare.html --json

Nothing is opened and nothing is changed: the answers that detectors, definitions and people gave are used.
reactions-off stands for reactions that are closed.";

/// What can be typed.
#[derive(Args)]
pub(super) struct CompareArguments {
    /// Trees, at least two unless two profiles are named.
    #[arg(long, value_delimiter = ',', required = true)]
    trees: Vec<String>,
    /// Minimisation profiles; without any, as if everything that is there came in.
    #[arg(long, value_delimiter = ',')]
    profiles: Vec<String>,
    /// Whose records.
    #[arg(long)]
    organisation: OrganisationId,
    /// Posted in this time: FROM..UNTIL, two days, the second not included.
    #[arg(long, value_parser = period)]
    period: Option<Period>,
    /// Minutes that a person takes for a doubtful record.
    #[arg(long, default_value_t = 2.0)]
    minutes_each: f32,
    /// How many records that come out otherwise are shown, in redacted form.
    #[arg(long, default_value_t = 10)]
    samples: usize,
    /// Write a page with plots to this file, which must not be there.
    #[arg(long)]
    html: Option<PathBuf>,
}

/// From a day to another, the second not included.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Period {
    from: Timestamp,
    until: Timestamp,
}

fn period(given: &str) -> Result<Period, String> {
    let mend = "write FROM..UNTIL, such as 2025-01-01..2026-01-01";
    let (from, until) = given.split_once("..").ok_or(mend)?;
    let day = |day: &str| format!("{day}T00:00:00Z").parse::<Timestamp>().map_err(|_| mend.to_owned());
    let (from, until) = (day(from)?, day(until)?);
    if from >= until {
        return Err("the period ends before it begins".to_owned());
    }
    Ok(Period { from, until })
}

/// What the service is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CompareOrder {
    trees: Vec<String>,
    profiles: Vec<String>,
    organisation: OrganisationId,
    period: Option<Period>,
    seconds_each: u32,
    samples: usize,
}

/// Has it compared, and prints the answer.
///
/// # Errors
/// What went wrong, in words for people.
pub(super) async fn run(dir: &Path, asked: CompareArguments, as_json: bool) -> Result<ExitCode> {
    if !(asked.minutes_each.is_finite() && (0.0..=600.0).contains(&asked.minutes_each)) {
        bail!("--minutes-each must be 0 to 600");
    }
    let order = Order::Compare(CompareOrder {
        trees: asked.trees,
        profiles: asked.profiles,
        organisation: asked.organisation,
        period: asked.period,
        seconds_each: seconds(asked.minutes_each),
        samples: asked.samples.min(1_000),
    });
    let answer = commands::counting(dir, order, as_json).await?;
    if let Some(path) = &asked.html {
        let mut out = NewFile::beside(path)?;
        out.write_all(page(&answer).as_bytes()).with_context(|| format!("`{}`", path.display()))?;
        out.finish()?;
    }
    if as_json {
        print::line(&answer.to_string());
    } else {
        table(&answer);
    }
    Ok(ExitCode::SUCCESS)
}

/// Whole seconds; the bounds were checked.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: 0 to 36,000")]
fn seconds(minutes: f32) -> u32 {
    (minutes * 60.0).round() as u32
}

/// Carries the order out.
///
/// # Errors
/// When a tree or profile is not known, or storage fails.
pub(super) async fn execute(folder: &DataFolder, asked: CompareOrder) -> Result<Value> {
    let began = std::time::Instant::now();
    let comparison = Comparison {
        trees: asked.trees,
        profiles: asked.profiles,
        organisation: asked.organisation,
        from: asked.period.map(|period| period.from),
        until: asked.period.map(|period| period.until),
        seconds_each: asked.seconds_each,
        samples: asked.samples,
    };
    let report = compare(&folder.archive, &folder.rules, &comparison).await?;
    let mut answer = json!(report);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("milliseconds".to_owned(), json!(began.elapsed().as_millis()));
        fields.insert("organisation".to_owned(), json!(comparison.organisation));
    }
    Ok(answer)
}

/// The figures, in the order they are shown: field, and words for people.
const FIGURES: [(&str, &str); 12] = [
    ("reactions", "reactions"),
    ("kept", "kept"),
    ("keptElsewhere", "kept elsewhere"),
    ("referred", "referred"),
    ("proposedForDestruction", "proposed for destruction"),
    ("notTakenIn", "not taken in"),
    ("toPeople", "sent to people"),
    ("hoursOfWork", "hours of people's work"),
    ("questions", "questions"),
    ("questionsLost", "questions lost"),
    ("unansweredNoLongerProvable", "unanswered, no longer provable"),
    ("differs", "other than the first"),
];

fn columns(answer: &Value) -> Vec<Value> {
    answer.get("columns").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn head(column: &Value) -> String {
    let word = |field: &str| column.get(field).and_then(Value::as_str).map(str::to_owned);
    let tree = word("tree").unwrap_or_default();
    word("profile").map_or_else(|| tree.clone(), |profile| format!("{tree} / {profile}"))
}

fn figure(column: &Value, field: &str) -> String {
    match column.get(field) {
        Some(Value::Number(n)) => n
            .as_u64()
            .map_or_else(|| format!("{:.1}", n.as_f64().unwrap_or_default()), |whole| whole.to_string()),
        _ => "0".to_owned(),
    }
}

/// Types of personal data that any column has.
fn types(columns: &[Value]) -> Vec<String> {
    let of =
        |column: &Value| column.get("personalData").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut all: Vec<String> =
        columns.iter().flat_map(|column| of(column).into_iter().map(|(key, _)| key)).collect();
    all.sort();
    all.dedup();
    all
}

fn personal(column: &Value, entity: &str) -> u64 {
    let of = column.get("personalData").and_then(|of| of.get(entity));
    of.and_then(Value::as_u64).unwrap_or_default()
}

fn rows(answer: &Value) -> Vec<Vec<String>> {
    let columns = columns(answer);
    let row = |(field, words): &(&str, &str)| {
        std::iter::once((*words).to_owned())
            .chain(columns.iter().map(|column| figure(column, field)))
            .collect()
    };
    let personal_row = |entity: &String| {
        let counts = columns.iter().map(|column| personal(column, entity).to_string());
        std::iter::once(format!("kept: {entity}")).chain(counts).collect()
    };
    FIGURES.iter().map(row).chain(types(&columns).iter().map(personal_row)).collect()
}

fn table(answer: &Value) {
    let heads: Vec<String> = std::iter::once(String::new()).chain(columns(answer).iter().map(head)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    print::table(&heads, &rows(answer));
    let number = |field: &str| answer.get(field).and_then(Value::as_u64).unwrap_or_default();
    print::line(&format!(
        "\n{} records in {} ms; {} of them without stored answers, which count as doubtful",
        number("records"),
        number("milliseconds"),
        number("withoutAnswers")
    ));
}

/// The same as one page: a table, a plot of each figure, and the sample.
fn page(answer: &Value) -> String {
    let columns = columns(answer);
    let mut out = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Knik: trees compared</title>\n<style>\
         body{font-family:sans-serif;margin:2rem;max-width:70rem}table{border-collapse:collapse}\
         th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:right}th:first-child,td:first-child{text-align:left}\
         figure{margin:1.5rem 0}</style></head><body>\n<main>\n<h1>Trees compared</h1>\n",
    );
    let _ = writeln!(
        out,
        "<p>Organisation {}. Nothing was opened or changed.</p>",
        escaped(&text(answer, "organisation"))
    );
    out.push_str("<table><thead><tr><th scope=\"col\">figure</th>");
    columns.iter().for_each(|column| {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(&head(column)));
    });
    out.push_str("</tr></thead><tbody>\n");
    for row in rows(answer) {
        let mut cells = row.into_iter();
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escaped(&cells.next().unwrap_or_default()));
        cells.for_each(|cell| {
            let _ = write!(out, "<td>{}</td>", escaped(&cell));
        });
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>\n");
    for (field, words) in FIGURES {
        plot(&mut out, &columns, field, words);
    }
    samples(&mut out, answer, &columns);
    out + "</main></body></html>\n"
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One bar a column.
fn plot(out: &mut String, columns: &[Value], field: &str, words: &str) {
    let value = |column: &Value| column.get(field).and_then(Value::as_f64).unwrap_or_default();
    let most = columns.iter().map(value).fold(1.0, f64::max);
    let height = 30 + columns.len() * 28;
    let _ = writeln!(
        out,
        "<figure><svg viewBox=\"0 0 900 {height}\" role=\"img\" width=\"900\" height=\"{height}\" font-size=\"13\" \
         font-family=\"sans-serif\"><title>{}</title><text x=\"0\" y=\"16\" font-weight=\"bold\">{}</text>",
        escaped(words),
        escaped(words)
    );
    for (at, column) in columns.iter().enumerate() {
        let y = 28 + at * 28;
        let width = 480.0 * value(column) / most;
        let _ = writeln!(
            out,
            "<text x=\"0\" y=\"{}\">{}</text><rect x=\"320\" y=\"{y}\" width=\"{width:.1}\" height=\"18\" fill=\"#154273\"/>\
             <text x=\"{:.1}\" y=\"{}\">{}</text>",
            y + 14,
            escaped(&head(column)),
            326.0 + width,
            y + 14,
            figure(column, field)
        );
    }
    out.push_str("</svg></figure>\n");
}

/// Some of what comes out otherwise: the redacted text only.
fn samples(out: &mut String, answer: &Value, columns: &[Value]) {
    let samples = answer.get("samples").and_then(Value::as_array).cloned().unwrap_or_default();
    if samples.is_empty() {
        return;
    }
    out.push_str("<h2>What comes out otherwise: a sample, redacted</h2>\n<table><thead><tr><th scope=\"col\">text</th>");
    columns.iter().for_each(|column| {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(&head(column)));
    });
    out.push_str("</tr></thead><tbody>\n");
    for sample in &samples {
        let view = sample.get("view").filter(|view| !view.is_null());
        let shown = view.map_or_else(|| "(no view: not published)".to_owned(), readable);
        let _ = write!(out, "<tr><td>{}</td>", escaped(&shown));
        let outcomes = sample.get("outcomes").and_then(Value::as_array).cloned().unwrap_or_default();
        outcomes.iter().for_each(|outcome| {
            let _ = write!(out, "<td>{}</td>", escaped(outcome.as_str().unwrap_or_default()));
        });
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>\n");
}

/// The texts of a redacted document, with its placeholders.
fn readable(view: &Value) -> String {
    let mut words = Vec::new();
    collect(view, &mut words);
    words.join(" ")
}

fn collect(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Object(of) => {
            if let Some(text) = of.get("text").and_then(Value::as_str) {
                words.push(text.to_owned());
            }
            of.iter().filter(|(name, _)| *name != "text").for_each(|(_, value)| collect(value, words));
        }
        Value::Array(of) => of.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}
