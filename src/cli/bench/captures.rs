//! `knik bench captures`: how fast files of each format are read, beside a plain parser (`serde_json`, of tables `csv`) on
//! the same bytes.

use super::clock::timed;
use super::grown::grown;
use super::rounded;
use crate::capture::{self, Counts, Format, Limits, Tally, Unit};
use crate::cli::print;
use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(in crate::cli) struct CapturesArguments {
    /// Captures, and folders of captures with all below them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How long each file is read again and again, in milliseconds.
    #[arg(long, default_value_t = 100)]
    milliseconds: u32,
    /// Repeat the records of each file (with ids of their own) until it has so many bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    grow: usize,
}

/// What the files of one format hold and how fast they are read.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    files: u64,
    bytes: u64,
    records: u64,
    /// Versions beyond the first of a record.
    edits: u64,
    acts: u64,
    deletions: u64,
    not_public: u64,
    /// Pieces that were left out, and files that were refused as a whole.
    refused: u64,
    mb_per_s: f64,
    records_per_s: f64,
    /// What the same bytes were given to as well: `serde_json` into a tree of values where they are JSON documents or lines
    /// of them, `csv` into rows of texts where they are a table.
    beside: Option<&'static str>,
    beside_mb_per_s: Option<f64>,
    #[serde(skip)]
    seconds: f64,
    #[serde(skip)]
    plain: (f64, f64),
    #[serde(skip)]
    ours_beside: f64,
    /// Time of the plain parser against ours, on the files that it reads.
    ratio: Option<f64>,
}

/// Measures and prints.
pub(super) fn run(asked: &CapturesArguments, json: bool) -> Result<()> {
    let mut files = Vec::new();
    for path in &asked.paths {
        below(path, &mut files)?;
    }
    files.sort();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for file in &files {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        measure(&grown(&bytes, asked.grow), f64::from(asked.milliseconds) / 1e3, &mut rows);
    }
    for row in rows.values_mut() {
        row.finish();
    }
    if json {
        print::line(&serde_json::to_string(&rows)?);
        return Ok(());
    }
    let head = [
        "format",
        "files",
        "records",
        "edits",
        "acts",
        "deletions",
        "not public",
        "refused",
        "MB/s",
        "records/s",
        "beside",
        "MB/s",
        "ratio",
    ];
    print::table(&head, &rows.iter().map(|(format, row)| row.cells(format)).collect::<Vec<_>>());
    Ok(())
}

fn below(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).with_context(|| format!("cannot read `{}`", path.display()))? {
        below(&entry?.path(), files)?;
    }
    Ok(())
}

/// Reads one file again and again, in turn with the plain parser.
fn measure(bytes: &[u8], seconds: f64, rows: &mut BTreeMap<String, Row>) {
    let Some((format, counts, refused, versions)) = read(bytes) else {
        let row = rows.entry("(refused)".to_owned()).or_default();
        row.files += 1;
        row.refused += 1;
        return;
    };
    let row = rows.entry(format.to_string()).or_default();
    row.files += 1;
    row.bytes += bytes.len() as u64;
    row.records += counts.records;
    row.edits += versions.saturating_sub(counts.records);
    row.acts += counts.acts;
    row.deletions += counts.deleted;
    row.not_public += counts.not_public;
    row.refused += refused;
    let (mut ours, mut plain, mut rounds, mut parses) = (0.0, 0.0, 0_u32, 0_u32);
    while ours < seconds {
        ours += timed(|| black_box(counted(bytes, &mut |_| {})).is_some()).0;
        rounds += 1;
        let (took, by) = timed(|| black_box(parsed(bytes, format)));
        if by.is_some() {
            row.beside = by;
            plain += took;
            parses += 1;
        }
    }
    let each = ours / f64::from(rounds.max(1));
    row.seconds += each;
    if parses > 0 {
        row.plain.0 += bytes.len() as f64;
        row.plain.1 += plain / f64::from(parses);
        row.ours_beside += each;
    }
}

/// What a capture holds: format, counts, pieces left out, and distinct versions.
fn read(bytes: &[u8]) -> Option<(Format, Counts, u64, u64)> {
    let mut versions = std::collections::HashSet::new();
    let (format, counts, refused) = counted(bytes, &mut |unit| {
        versions.extend(unit.items.iter().map(|item| {
            let mut meaning = std::hash::DefaultHasher::new();
            item.write_meaning(&mut |bytes| std::hash::Hasher::write(&mut meaning, bytes));
            std::hash::Hasher::finish(&meaning)
        }));
    })?;
    Some((format, counts, refused, versions.len() as u64))
}

/// Reads a capture to its end and counts.
fn counted(bytes: &[u8], each: &mut dyn FnMut(&Unit)) -> Option<(Format, Counts, u64)> {
    let mut reader = capture::open(bytes, None, Limits::default()).ok()?;
    let (mut tally, mut refused) = (Tally::default(), 0);
    for unit in &mut reader {
        let unit = unit.ok()?;
        refused += unit.refused.len() as u64;
        each(&unit);
        tally.add(&unit).ok()?;
    }
    Some((reader.format(), tally.counts().ok()?, refused))
}

/// Reads the bytes with a plain parser: which one; none when they are nothing that it reads.
fn parsed(bytes: &[u8], format: Format) -> Option<&'static str> {
    if matches!(format, Format::LinkedIn | Format::WebCare) {
        return rows(bytes).then_some("csv");
    }
    let parse = |part: &[u8]| serde_json::from_slice::<serde_json::Value>(part).map(black_box).is_ok();
    let lines = || bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).all(parse);
    if format == Format::XArchive {
        let assigned = bytes.iter().position(|byte| *byte == b'=').and_then(|at| bytes.get(at + 1..));
        return assigned.is_some_and(parse).then_some("serde_json");
    }
    (parse(bytes) || lines()).then_some("serde_json")
}

/// Whether the bytes are a table: every row as texts.
fn rows(bytes: &[u8]) -> bool {
    let heading = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |mark: u8| heading.iter().filter(|byte| **byte == mark).count();
    let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
    reader.records().all(|row| row.map(black_box).is_ok())
}

impl Row {
    fn finish(&mut self) {
        let per_second = |amount: f64, seconds: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
        self.mb_per_s = rounded(per_second(self.bytes as f64, self.seconds) / 1e6, 1);
        self.records_per_s = per_second(self.records as f64, self.seconds).round();
        if self.plain.1 > 0.0 {
            self.beside_mb_per_s = Some(rounded(self.plain.0 / self.plain.1 / 1e6, 1));
            self.ratio = Some(rounded(per_second(self.plain.1, self.ours_beside), 2));
        }
    }

    fn cells(&self, format: &str) -> Vec<String> {
        let or_none = |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |f| f.to_string());
        let counts =
            [self.files, self.records, self.edits, self.acts, self.deletions, self.not_public, self.refused];
        let counts = counts.map(|n| n.to_string());
        let speeds = [self.mb_per_s.to_string(), self.records_per_s.to_string()];
        let beside =
            [self.beside.unwrap_or("-").to_owned(), or_none(self.beside_mb_per_s), or_none(self.ratio)];
        [vec![format.to_owned()], counts.to_vec(), speeds.to_vec(), beside.to_vec()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_speed_of_a_capture_stand_under_its_format() {
        let line = r#"{"knik":1,"id":"https://forum.example/7","kind":"reaction","author":{"handle":"fenna","name":"Fenna V."},"text":"Dag","posted_at":"2026-05-04T11:30:00+02:00","visibility":"public"}"#;
        let mut rows = BTreeMap::new();
        measure(line.as_bytes(), 0.001, &mut rows);
        measure(b"no capture at all", 0.0, &mut rows);
        rows.values_mut().for_each(Row::finish);
        assert_eq!(rows.get("(refused)").map(|row| (row.files, row.refused)), Some((1, 1)));
        let row = rows.get("knik").unwrap();
        assert_eq!((row.files, row.records, row.acts, row.refused), (1, 1, 0, 0));
        assert!(row.mb_per_s > 0.0 && row.ratio.is_some_and(|ratio| ratio > 0.0));
        assert_eq!(row.beside, Some("serde_json"));
        measure(b"Date,Link,Message\n2026-05-04 10:00:00,x,\"Dag, hoor\"\n", 0.001, &mut rows);
        assert_eq!(rows.get("linkedin").and_then(|row| row.beside), Some("csv"));
        measure(
            br#"window.YTD.tweets.part0 = [{"tweet":{"id_str":"1","full_text":"Dag"}}]"#,
            0.001,
            &mut rows,
        );
        assert_eq!(rows.get("x_archive").and_then(|row| row.beside), Some("serde_json"));
    }
}
