//! What is asked, and each figure in its own file.

mod alike;
mod beside;
mod bytes;
mod client;
mod disk;
mod export;
mod fill;
mod find;
mod ingest;
mod latency;
mod load;
mod memory;
mod open;
mod posts;
mod program;
mod servers;
mod table;
mod views;

use anyhow::{Context, Result, bail};
use program::Folder;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What was asked for on the command line.
pub struct Asked {
    what: What,
    /// Reactions to generate.
    count: usize,
    /// The decision tree of the channel they come in on.
    tree: String,
    /// How long each server is under load, each time.
    seconds: u32,
    /// How many times each server is.
    rounds: usize,
    /// A data folder to use and leave in place; filled already when it is there.
    keep: Option<PathBuf>,
    /// A data folder whose rows are stored once more.
    from: Option<PathBuf>,
    /// Another build to measure, for a comparison.
    program: Option<PathBuf>,
    /// The last day of what is exported; all of it when absent.
    until: Option<String>,
    /// Pairs of requests of each route.
    pairs: usize,
    /// Fill the reading room directly, when there is nothing in it.
    direct: bool,
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Ingest,
    Bytes,
    Beside,
    Open,
    Export,
    Find,
    Store,
    Views,
    Alike,
    Memory,
    Posts,
    All,
}

/// Measures what is asked and prints it.
///
/// # Errors
/// When the program or a tool beside it does not do what it should: a figure of a failed run is no figure.
pub fn run(arguments: impl Iterator<Item = String>) -> Result<()> {
    let asked = Asked::read(arguments)?;
    if asked.what == What::Posts {
        return posts::print(&asked);
    }
    if let (What::Store, Some(from), Some(into)) = (asked.what, &asked.from, &asked.keep) {
        table::line(&beside::store(from, into)?.to_string());
        return Ok(());
    }
    let folder = Folder::make(asked.keep.as_deref(), asked.program.as_deref())?;
    let mut report = json!({ "machine": machine() });
    if matches!(asked.what, What::Memory | What::All) {
        add(&mut report, "memoryWithSamples", memory::of(&Folder::make(None, asked.program.as_deref())?)?);
    }
    if asked.what == What::Beside {
        add(&mut report, "beside", beside::measure(&asked)?);
        return print(&asked, &report);
    }
    if asked.what == What::Bytes {
        add(&mut report, "bytes", bytes::measure(&asked, &folder)?);
        return print(&asked, &report);
    }
    // Views and memory need records: they come in the way that is measured.
    if asked.direct && !folder.is_filled() {
        add(&mut report, "filled", fill::measure(&asked, &folder)?);
    }
    if asked.what == What::Ingest || !folder.is_filled() {
        add(&mut report, "ingest", ingest::measure(&asked, &folder)?);
    }
    if matches!(asked.what, What::Memory | What::All) {
        add(&mut report, "memory", memory::of(&folder)?);
    }
    if matches!(asked.what, What::Open | What::All) {
        add(&mut report, "open", open::measure(&asked, &folder)?);
    }
    if asked.what == What::Export {
        add(&mut report, "export", export::measure(&asked, &folder)?);
    }
    if asked.what == What::Find {
        add(&mut report, "find", find::measure(&asked, &folder)?);
    }
    if matches!(asked.what, What::Views | What::All) {
        add(&mut report, "views", views::measure(&asked, &folder)?);
    }
    if matches!(asked.what, What::Alike | What::All) {
        add(&mut report, "alike", alike::measure(&folder, asked.pairs)?);
    }
    if asked.what == What::All {
        add(&mut report, "bytes", bytes::measure(&asked, &Folder::make(None, asked.program.as_deref())?)?);
        add(&mut report, "beside", beside::measure(&asked)?);
    }
    print(&asked, &report)
}

fn print(asked: &Asked, report: &Value) -> Result<()> {
    if asked.json {
        table::line(&serde_json::to_string_pretty(report)?);
    } else {
        table::print(report);
    }
    Ok(())
}

fn add(report: &mut Value, name: &str, figures: Value) {
    if let Some(object) = report.as_object_mut() {
        object.insert(name.to_owned(), figures);
    }
}

fn machine() -> Value {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({ "cores": cores, "loadBefore": load.split(' ').next() })
}

impl Asked {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut asked = Self {
            what: What::All,
            count: 200_000,
            tree: "archive-whole".to_owned(),
            seconds: 10,
            rounds: 2,
            keep: None,
            from: None,
            program: None,
            until: None,
            pairs: 10_000,
            direct: false,
            json: false,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("`{argument}` needs a value"));
            match argument.as_str() {
                "ingest" => asked.what = What::Ingest,
                "bytes" => asked.what = What::Bytes,
                "beside" => asked.what = What::Beside,
                "open" => asked.what = What::Open,
                "export" => asked.what = What::Export,
                "find" => asked.what = What::Find,
                "store" => asked.what = What::Store,
                "--from" => asked.from = Some(value()?.into()),
                "views" => asked.what = What::Views,
                "alike" => asked.what = What::Alike,
                "--until" => asked.until = Some(value()?),
                "--pairs" => asked.pairs = value()?.parse().context("--pairs")?,
                "memory" => asked.what = What::Memory,
                "posts" => asked.what = What::Posts,
                "all" => asked.what = What::All,
                "--count" => asked.count = value()?.parse().context("--count")?,
                "--tree" => asked.tree = value()?,
                "--seconds" => asked.seconds = value()?.parse().context("--seconds")?,
                "--rounds" => asked.rounds = value()?.parse().context("--rounds")?,
                "--keep" => asked.keep = Some(value()?.into()),
                "--program" => asked.program = Some(value()?.into()),
                "--direct" => asked.direct = true,
                "--json" => asked.json = true,
                // What `cargo bench` adds for harnesses.
                "--bench" => {}
                other => bail!("`{other}` is not known; see benches/spine.rs"),
            }
        }
        Ok(asked)
    }
}
