//! `knik bench detect`: posts a second, beside a bare scan of the same posts in the same run.

use super::clock::{median, timed};
use super::memory::Memory;
use super::people::participants;
use super::rounded;
use super::texts;
use super::union::Union;
use crate::cli::embedded::RuleFiles;
use crate::cli::print;
use crate::detect::{Participants, Ruleset};
use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

#[derive(Args)]
pub(in crate::cli) struct DetectArguments {
    /// Posts: JSONL with `id` and `text`, or a post a line.
    file: PathBuf,
    /// How often all posts are read; the middle round is told.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
}

/// What was measured. MB are 1,000,000 bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    mb_per_s: f64,
    scan_mb_per_s: f64,
    ratio: f64,
    texts_per_s: f64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    memory_mb: Option<f64>,
    peak_mb: Option<f64>,
    load_ms: f64,
    texts: usize,
    bytes: usize,
    findings: usize,
    rounds: u16,
    ruleset: String,
    cores: usize,
}

/// Measures and prints.
pub(super) fn run(asked: &DetectArguments, json: bool) -> Result<()> {
    let start = Instant::now();
    let ruleset = RuleFiles::embedded().ruleset()?;
    let load_ms = start.elapsed().as_secs_f64() * 1e3;
    let memory_mb = Memory::read().now_mb;
    let posts = texts::read(&asked.file)?;
    let bytes: usize = posts.iter().map(String::len).sum();
    let people = participants();
    let (detect_s, scan_s, findings) = rounds(&ruleset, &people, &posts, asked.rounds)?;
    let [p50_us, p90_us, p99_us] = percentiles(&ruleset, &people, &posts);
    let figures = Figures {
        mb_per_s: rounded(bytes as f64 / detect_s / 1e6, 2),
        scan_mb_per_s: rounded(bytes as f64 / scan_s / 1e6, 2),
        ratio: rounded(scan_s / detect_s, 4),
        texts_per_s: rounded(posts.len() as f64 / detect_s, 0),
        p50_us,
        p90_us,
        p99_us,
        memory_mb,
        peak_mb: Memory::read().peak_mb,
        load_ms: rounded(load_ms, 1),
        texts: posts.len(),
        bytes,
        findings,
        rounds: asked.rounds,
        ruleset: ruleset.version().to_owned(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    };
    if json {
        print::line(&serde_json::to_string(&figures)?);
    } else {
        figures.print();
    }
    Ok(())
}

/// Reads all posts in turn with the detector and with the bare scan, once to warm up and `rounds` times to measure:
/// seconds of the middle round of each, and how many findings a round gives.
fn rounds(
    ruleset: &Ruleset,
    people: &Participants,
    posts: &[String],
    rounds: u16,
) -> Result<(f64, f64, usize)> {
    let union = Union::compile()?;
    let detect = || posts.iter().map(|post| black_box(ruleset.detect_among(post, people)).len()).sum();
    let scan = || posts.iter().map(|post| black_box(union.count(post))).sum::<usize>();
    let (findings, _candidates): (usize, usize) = (detect(), scan());
    let (mut detect_s, mut scan_s) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (took, found) = timed(detect);
        if found != findings {
            bail!("one round found {findings} passages and another {found}: no figure of such a run counts");
        }
        detect_s.push(took);
        scan_s.push(timed(scan).0);
    }
    Ok((median(detect_s), median(scan_s), findings))
}

/// Microseconds within which 50, 90 and 99 of a hundred posts are read: the middle of some passes of its own, since
/// looking at the clock costs time.
fn percentiles(ruleset: &Ruleset, people: &Participants, posts: &[String]) -> [f64; 3] {
    let passes: Vec<[f64; 3]> = (0..LATENCY_PASSES)
        .map(|_| {
            let mut took: Vec<f64> = posts.iter().map(|post| latency(ruleset, people, post)).collect();
            took.sort_by(f64::total_cmp);
            [50, 90, 99].map(|percent| at_percent(&took, percent))
        })
        .collect();
    let middle = |pick: fn(&[f64; 3]) -> f64| rounded(median(passes.iter().map(pick).collect()), 2);
    [middle(|[p50, ..]| *p50), middle(|[_, p90, _]| *p90), middle(|[.., p99]| *p99)]
}

fn latency(ruleset: &Ruleset, people: &Participants, post: &str) -> f64 {
    let start = Instant::now();
    black_box(ruleset.detect_among(post, people));
    start.elapsed().as_secs_f64() * 1e6
}

/// The value of a sorted list that so many percent do not exceed (nearest rank); 0 of none.
fn at_percent(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

const LATENCY_PASSES: usize = 5;

impl Figures {
    fn print(&self) {
        let megabytes = |mb: Option<f64>| mb.map_or("unknown".to_owned(), |mb| format!("{mb} MB"));
        let rows = [
            ("detector", format!("{} MB/s", self.mb_per_s)),
            ("bare scan for candidates", format!("{} MB/s", self.scan_mb_per_s)),
            ("ratio", self.ratio.to_string()),
            ("texts a second", self.texts_per_s.to_string()),
            ("a text, p50", format!("{} µs", self.p50_us)),
            ("a text, p90", format!("{} µs", self.p90_us)),
            ("a text, p99", format!("{} µs", self.p99_us)),
            ("memory after loading", megabytes(self.memory_mb)),
            ("most memory", megabytes(self.peak_mb)),
            ("loading", format!("{} ms", self.load_ms)),
            ("texts", format!("{} of {} bytes together", self.texts, self.bytes)),
            ("findings", self.findings.to_string()),
            ("rounds", self.rounds.to_string()),
            ("ruleset", self.ruleset.clone()),
            ("cores of the machine", format!("{}, one of them used", self.cores)),
        ];
        print::table(&["figure", "value"], &rows.map(|(name, value)| vec![name.to_owned(), value]));
        print::line(&format!(
            "\nOne core reads {} MB of posts a second for personal data: {:.2} of what a bare scan for candidates reads.",
            self.mb_per_s, self.ratio
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([50, 90, 99].map(|p| at_percent(&hundred, p)), [50.0, 90.0, 99.0]);
        assert_eq!(at_percent(&[7.0], 50), 7.0);
        assert_eq!(at_percent(&[], 99), 0.0);
    }

    #[test]
    fn figures_have_the_keys_that_others_read() {
        let ruleset = RuleFiles::embedded().ruleset().unwrap();
        let posts = ["bel Jan de Vries op 06-12345678".to_owned(), String::new()];
        let (detect_s, scan_s, findings) = rounds(&ruleset, &participants(), &posts, 2).unwrap();
        assert!(detect_s > 0.0 && scan_s > 0.0);
        assert_eq!(findings, 2);
        let figures = Figures {
            mb_per_s: 1.0,
            scan_mb_per_s: 2.0,
            ratio: 0.5,
            texts_per_s: 1.0,
            p50_us: 1.0,
            p90_us: 1.0,
            p99_us: 1.0,
            memory_mb: None,
            peak_mb: None,
            load_ms: 1.0,
            texts: 2,
            bytes: 31,
            findings,
            rounds: 2,
            ruleset: ruleset.version().to_owned(),
            cores: 1,
        };
        let written = serde_json::to_value(&figures).unwrap();
        let keys: Vec<&str> = written.as_object().unwrap().keys().map(String::as_str).collect();
        let wanted = [
            "bytes",
            "cores",
            "findings",
            "loadMs",
            "mbPerS",
            "memoryMb",
            "p50Us",
            "p90Us",
            "p99Us",
            "peakMb",
            "ratio",
            "rounds",
            "ruleset",
            "scanMbPerS",
            "texts",
            "textsPerS",
        ];
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, wanted);
    }
}
