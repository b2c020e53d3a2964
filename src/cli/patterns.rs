//! `knik patterns`: what the recognisers are, and whether they live up to their own examples.

use super::{embedded, print};
use crate::detect::{CheckFailure, Recogniser, Ruleset};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be asked.
#[derive(Subcommand)]
pub(super) enum PatternsCommand {
    /// Read the pattern files and run every example and counter-example; exit 1 when one fails.
    #[command(after_help = "Example: knik patterns check\n         knik patterns check ./patterns")]
    Check(FolderArguments),
    /// List the recognisers: what they find, in which language, under which exemption, from which source.
    #[command(after_help = "Example: knik patterns list --json")]
    List(FolderArguments),
}

/// Of which folder.
#[derive(Args)]
pub(super) struct FolderArguments {
    /// A folder of pattern files; those that come with the program when absent.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Carries one out.
///
/// # Errors
/// The faults of the pattern files, with file, line where known and mend.
pub(super) fn run(asked: &PatternsCommand, as_json: bool) -> Result<ExitCode> {
    let mut out = print::out();
    let (lines, code) = match asked {
        PatternsCommand::Check(asked) => check(&embedded::ruleset(asked.folder.as_deref())?, as_json),
        PatternsCommand::List(asked) => {
            (list(&embedded::ruleset(asked.folder.as_deref())?, as_json), ExitCode::SUCCESS)
        }
    };
    let done = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    print::ended(done.map_err(Into::into))?;
    Ok(code)
}

fn check(ruleset: &Ruleset, as_json: bool) -> (Vec<String>, ExitCode) {
    let failures = ruleset.check();
    let code = if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    let lines = if as_json { vec![check_json(ruleset, &failures)] } else { check_table(ruleset, &failures) };
    (lines, code)
}

fn failed<'f>(
    failures: &'f [CheckFailure],
    recogniser: &Recogniser,
) -> impl Iterator<Item = &'f CheckFailure> {
    let id = recogniser.id().clone();
    failures.iter().filter(move |failure| failure.recogniser == id)
}

fn check_json(ruleset: &Ruleset, failures: &[CheckFailure]) -> String {
    let recogniser = |r: &Recogniser| {
        json!({
            "recogniser": r.id(), "type": r.entity(), "examples": r.examples().len(),
            "counterExamples": r.counter_examples().len(), "ok": failed(failures, r).next().is_none(),
        })
    };
    let failure = |f: &CheckFailure| json!({ "recogniser": f.recogniser, "text": f.text, "wanted": f.wanted, "found": f.found });
    json!({
        "version": ruleset.version(),
        "ok": failures.is_empty(),
        "recognisers": ruleset.recognisers().map(recogniser).collect::<Vec<_>>(),
        "failures": failures.iter().map(failure).collect::<Vec<_>>(),
    })
    .to_string()
}

fn check_table(ruleset: &Ruleset, failures: &[CheckFailure]) -> Vec<String> {
    let row = |r: &Recogniser| {
        let wrong = failed(failures, r).count();
        vec![
            r.id().to_string(),
            r.entity().to_string(),
            r.examples().len().to_string(),
            r.counter_examples().len().to_string(),
            if wrong == 0 { "ok".to_owned() } else { format!("{wrong} FAILED") },
        ]
    };
    let rows: Vec<Vec<String>> = ruleset.recognisers().map(row).collect();
    let mut lines = print::columns(&["recogniser", "type", "examples", "counter-examples", ""], &rows);
    for failure in failures {
        lines.push(String::new());
        lines.push(format!("{}: `{}`", failure.recogniser, failure.text));
        lines.push(format!("  wanted {}", quoted(&failure.wanted)));
        lines.push(format!("  found  {}", quoted(&failure.found)));
    }
    let tried: usize = ruleset.recognisers().map(|r| r.examples().len() + r.counter_examples().len()).sum();
    lines.push(format!("\n{} recognisers, {tried} examples, {} failed", rows.len(), failures.len()));
    lines
}

fn quoted(values: &[String]) -> String {
    match values {
        [] => "nothing".to_owned(),
        values => values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
    }
}

fn list(ruleset: &Ruleset, as_json: bool) -> Vec<String> {
    if as_json {
        let recogniser = |r: &Recogniser| {
            json!({
                "recogniser": r.id(), "type": r.entity(), "language": r.language(), "exemption": r.exemption(),
                "category": r.category(), "source": r.source(),
            })
        };
        let all: Vec<_> = ruleset.recognisers().map(recogniser).collect();
        return vec![json!({ "version": ruleset.version(), "recognisers": all }).to_string()];
    }
    let row = |r: &Recogniser| {
        vec![
            r.id().to_string(),
            r.entity().to_string(),
            r.language().to_owned(),
            r.exemption().to_string(),
            r.source().to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = ruleset.recognisers().map(row).collect();
    print::columns(&["recogniser", "type", "language", "exemption", "source"], &rows)
}
