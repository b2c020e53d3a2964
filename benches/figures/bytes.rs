//! What a record takes on disk, by table, and the three ratios that are promised.

use super::Asked;
use super::disk::Disk;
use super::ingest::{MeasuredChannel, prepare};
use super::program::Folder;
use super::table::progress;
use crate::generate::{Written, statuses};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

const SEED: u64 = 20_260_401;
/// Where generated statuses come in.
pub const MASTODON: MeasuredChannel =
    MeasuredChannel { id: "bench-mastodon", platform: "mastodon", instance: "social.overheid.example" };

/// Takes in generated Mastodon statuses and weighs what came of them.
///
/// # Errors
/// When a step fails, or fewer records came in than were generated.
pub fn measure(asked: &Asked, folder: &Folder) -> Result<Value> {
    let file = folder.beside.path().join("statuses.json");
    let written = generate(asked.count, &file)?;
    prepare(folder, &MASTODON, &asked.tree)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let before = runtime.block_on(Disk::of(folder))?;
    progress(&format!("ingesting {} records", written.records));
    let path = file.to_str().context("the temporary folder's name")?;
    let run = folder.run(&["--json", "ingest", "--channel", MASTODON.id, path])?;
    let said: Value = serde_json::from_str(&run.said).context("the report of ingest")?;
    let came_in = said.pointer("/report/newRecords").and_then(Value::as_u64).unwrap_or_default();
    ensure!(came_in == written.records, "{came_in} of {} records came in", written.records);
    let after = runtime.block_on(Disk::of(folder))?;
    let each = |bytes: u64| bytes as f64 / written.records as f64;
    let added = |of: fn(&str) -> bool| after.added(&before, of) as f64;
    let ratio = |figure: f64, bound: f64| json!({ "figure": figure, "bound": bound, "met": figure <= bound });
    let kept = |part: &str| ["key table", "ledger"].contains(&part) || part.starts_with("catalogue: ");
    Ok(json!({
        "records": written.records,
        "originalBytesPerRecord": each(written.bytes).round(),
        "textBytesPerRecord": each(written.text_bytes).round(),
        "seconds": run.seconds,
        "segmentsToOriginals": ratio(added(|part| part == "segments") / written.bytes as f64, 1.15),
        "catalogueKeysAndLedgerPerRecord": ratio(added(kept) / written.records as f64, 700.0),
        "projectionAndIndexToText": ratio(
            added(|part| PROJECTION_AND_INDEX.contains(&part)) / written.text_bytes as f64,
            3.0,
        ),
        "disk": after.since(&before, written.records),
    }))
}

/// What a projection takes with the words by which it is found; names of a grant are not of it.
const PROJECTION_AND_INDEX: &[&str] = &["room: projection", "room: frame", "room: posting"];

/// Writes generated statuses to a file.
///
/// # Errors
/// When it cannot be written.
pub fn generate(count: usize, file: &Path) -> Result<Written> {
    progress(&format!("generating {count} statuses"));
    let mut out = BufWriter::new(File::create(file)?);
    let written = statuses(count as u64, SEED, &mut out)?;
    out.flush()?;
    Ok(written)
}
