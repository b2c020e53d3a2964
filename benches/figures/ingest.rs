//! Intake: generated reactions through `knik ingest`, beside plain parsing of the same file.

use super::Asked;
use super::disk::Disk;
use super::program::{Folder, ISSUER, READER};
use super::table::progress;
use crate::generate::{Summary, reactions};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

const SEED: u64 = 20_260_105;
/// Whose channels the generated captures come in on.
pub const ORGANISATION: &str = "bench";
const CHANNEL: &str = "bench-x";

/// Generates, parses for comparison, ingests into a fresh folder with one grant in force, and weighs what came of it.
///
/// # Errors
/// When a step fails, or fewer records came in than were generated.
pub fn measure(asked: &Asked, folder: &Folder) -> Result<Value> {
    let file = folder.beside.path().join("reactions.jsonl");
    let (summary, generated_seconds) = generate(asked.count, &file)?;
    let megabytes = summary.bytes as f64 / 1e6;
    let records = summary.reactions + summary.posts;
    let parse_seconds = parse(&file)?;
    prepare(folder, &X, &asked.tree)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let before = runtime.block_on(Disk::of(folder))?;
    progress(&format!("ingesting {records} records"));
    let path = file.to_str().context("the temporary folder's name")?;
    let run = folder.run(&["--json", "ingest", "--channel", CHANNEL, path])?;
    let said: Value = serde_json::from_str(&run.said).context("the report of ingest")?;
    let report = said.get("report").context("the report of ingest")?;
    let came_in = report.get("newRecords").and_then(Value::as_u64).unwrap_or_default();
    ensure!(came_in == records, "{came_in} of {records} records came in: {report}");
    let after = runtime.block_on(Disk::of(folder))?;
    folder.mark_filled()?;
    Ok(json!({
        "records": records,
        "recordsPerSecond": (records as f64 / run.seconds).round(),
        "seconds": run.seconds,
        "megabytesPerSecond": megabytes / run.seconds,
        "jsonParseMegabytesPerSecond": megabytes / parse_seconds,
        "ingestToParseRatio": parse_seconds / run.seconds,
        "rssPeakMegabytes": run.rss_peak_bytes as f64 / 1e6,
        "capture": {
            "megabytes": megabytes,
            "bytesPerRecord": (summary.bytes as f64 / records as f64).round(),
            "generatedMegabytesPerSecond": megabytes / generated_seconds,
            "withPersonalData": summary.personal,
        },
        "tree": asked.tree,
        "outcomes": report.get("outcomes"),
        "withheldUncertain": report.get("uncertain"),
        "disk": after.since(&before, records),
    }))
}

fn generate(count: usize, file: &Path) -> Result<(Summary, f64)> {
    progress(&format!("generating {count} reactions"));
    let began = Instant::now();
    let mut out = BufWriter::new(File::create(file)?);
    let summary = reactions(count, SEED, &mut out)?;
    out.flush()?;
    Ok((summary, began.elapsed().as_secs_f64()))
}

/// What parsing alone takes: every line as a JSON value, dropped again.
fn parse(file: &Path) -> Result<f64> {
    let began = Instant::now();
    let mut lines = BufReader::with_capacity(1 << 20, File::open(file)?);
    let mut line = Vec::new();
    let mut pages = 0_u64;
    while lines.read_until(b'\n', &mut line)? > 0 {
        let page: Value = serde_json::from_slice(&line)?;
        pages += u64::from(page.get("data").is_some());
        line.clear();
    }
    ensure!(pages > 0, "nothing was generated");
    Ok(began.elapsed().as_secs_f64())
}

/// A channel to take generated captures in on.
pub struct MeasuredChannel {
    /// Its id.
    pub id: &'static str,
    /// On which platform.
    pub platform: &'static str,
    /// On which instance of it.
    pub instance: &'static str,
}

/// The channel of generated reactions.
pub const X: MeasuredChannel = MeasuredChannel { id: CHANNEL, platform: "x", instance: "x.com" };

/// The demo's folder (its samples, certificates and issuer), an organisation with a channel, a grant in force.
///
/// # Errors
/// When the program refuses any of it.
pub fn prepare(folder: &Folder, channel: &MeasuredChannel, tree: &str) -> Result<()> {
    progress("making a data folder");
    drop(folder.serve()?);
    folder.run(&["organisation", "add", ORGANISATION, "--name", "Meetdienst"])?;
    let facts = [
        ["--organisation", ORGANISATION],
        ["--platform", channel.platform],
        ["--instance", channel.instance],
        ["--account", "DienstWegenVerg"],
        ["--from", "2020-01-01T00:00:00Z"],
        ["--reason", "meting"],
        ["--purpose", "meting"],
        ["--legal-basis", "AVG 6 lid 1 e"],
        ["--duty", "yes"],
        ["--duty-source", "meting"],
        ["--dpia", "DPIA-0"],
        ["--tree", tree],
    ];
    let mut add = vec!["channel", "add", channel.id, "--official"];
    add.extend(facts.iter().flatten());
    folder.run(&add)?;
    folder.run(&[
        "grant",
        "add",
        "--organisation",
        ORGANISATION,
        "--issuer",
        ISSUER,
        "--subject",
        READER,
        "--purpose",
        "meting",
        "--legal-basis",
        "research",
        "--until",
        "2099-01-01T00:00:00Z",
    ])?;
    Ok(())
}
