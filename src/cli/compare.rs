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

Nothing is opened and nothing is changed: the answers that detectors, definitions and people gave are used. With --redetect
originals are opened, which the ledger records.
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
    /// Redaction plans: how what is published would be shown; with `all`, every one.
    #[arg(long, value_delimiter = ',')]
    plans: Vec<String>,
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
    /// Open the originals, as a recorded system act, and ask detectors and definitions anew as they are now; timed apart.
    #[arg(long)]
    redetect: bool,
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
    plans: Vec<String>,
    redetect: bool,
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
        plans: asked.plans,
        redetect: asked.redetect,
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
    let every = asked.plans.iter().any(|plan| plan == "all");
    let known = folder.rules.plans.iter().map(|plan| plan.id().to_owned());
    let plans = if every { known.collect() } else { asked.plans };
    let comparison = Comparison {
        trees: asked.trees,
        profiles: asked.profiles,
        organisation: asked.organisation,
        from: asked.period.map(|period| period.from),
        until: asked.period.map(|period| period.until),
        seconds_each: asked.seconds_each,
        samples: asked.samples,
        plans,
        redetect: asked.redetect,
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

/// What any column counts below that field.
fn keys(columns: &[Value], field: &str) -> Vec<String> {
    let of = |column: &Value| column.get(field).and_then(Value::as_object).cloned().unwrap_or_default();
    let mut all: Vec<String> =
        columns.iter().flat_map(|column| of(column).into_iter().map(|(key, _)| key)).collect();
    all.sort();
    all.dedup();
    all
}

fn below(column: &Value, path: &[&str]) -> String {
    let found = path.iter().try_fold(column, |of, name| of.get(*name));
    found.and_then(Value::as_u64).unwrap_or_default().to_string()
}

/// A row for each thing that the columns count below a field.
fn rows_below(columns: &[Value], field: &str, words: &str) -> Vec<Vec<String>> {
    let row = |key: &String| {
        let counts = columns.iter().map(|column| below(column, &[field, key]));
        std::iter::once(format!("{words}{key}")).chain(counts).collect()
    };
    keys(columns, field).iter().map(row).collect()
}

/// How each plan shows what is published.
fn shown_rows(columns: &[Value]) -> Vec<Vec<String>> {
    let plans = keys(columns, "shown");
    let modes = ["label", "pseudonym", "generalised"];
    let row = |(plan, mode): (&String, &str)| {
        let counts = columns.iter().map(|column| below(column, &["shown", plan, mode]));
        std::iter::once(format!("shown by plan {plan}: {mode}")).chain(counts).collect()
    };
    plans.iter().flat_map(|plan| modes.map(|mode| row((plan, mode)))).collect()
}

fn rows(answer: &Value) -> Vec<Vec<String>> {
    let columns = columns(answer);
    let row = |(field, words): &(&str, &str)| {
        std::iter::once((*words).to_owned())
            .chain(columns.iter().map(|column| figure(column, field)))
            .collect()
    };
    let data = rows_below(&columns, "personalData", "kept: ");
    let people = rows_below(&columns, "people", "people of whom so many spans are kept: ");
    FIGURES.iter().map(row).chain(data).chain(people).chain(shown_rows(&columns)).collect()
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
    if let Some(redetected) = answer.get("redetected") {
        print::line(&format!(
            "{} originals were opened and asked anew in {} ms of these; {} answers changed",
            print::word(redetected, "records"),
            print::word(redetected, "milliseconds"),
            print::word(redetected, "changed")
        ));
    }
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
        plot(&mut out, &columns, words, &|column| figure_of(column, field));
    }
    plot(&mut out, &columns, "spans of personal data kept", &|column| sum_below(column, "personalData"));
    plot(&mut out, &columns, "people of threads of whom something is kept", &|column| {
        sum_below(column, "people")
    });
    samples(&mut out, answer, &columns);
    out + "</main></body></html>\n"
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn figure_of(column: &Value, field: &str) -> f64 {
    column.get(field).and_then(Value::as_f64).unwrap_or_default()
}

/// What a column counts below a field, together.
fn sum_below(column: &Value, field: &str) -> f64 {
    let counts = column.get(field).and_then(Value::as_object);
    counts.into_iter().flat_map(|counts| counts.values()).filter_map(Value::as_f64).sum()
}

/// Without digits after the point when there is nothing behind it.
fn whole(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// One bar a column.
fn plot(out: &mut String, columns: &[Value], words: &str, value: &dyn Fn(&Value) -> f64) {
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
            whole(value(column))
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
