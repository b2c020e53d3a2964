//! `knik bench length`: how time grows with the length of hostile texts. It should grow as length does, whatever they hold.

use super::clock::timed;
use super::hostile::{self, Hostile};
use super::people::participants;
use super::{plot, rounded};
use crate::cli::embedded::RuleFiles;
use crate::cli::print;
use crate::detect::{Participants, Ruleset};
use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use std::hint::black_box;
use std::path::PathBuf;

#[derive(Args)]
pub(in crate::cli) struct LengthArguments {
    /// The longest text, in bytes; each length before it is a tenth of the next.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    bytes_max: u32,
    /// Draw time against length into this file.
    #[arg(long)]
    svg: Option<PathBuf>,
}

/// What one hostile text took at each length.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Curve {
    pub(super) name: &'static str,
    /// Bytes, shortest first.
    pub(super) bytes: Vec<usize>,
    /// Seconds, the least of some tries.
    pub(super) seconds: Vec<f64>,
    mb_per_s: Vec<f64>,
    /// What a byte of the longest text takes against one of the shortest: 1 when time is in proportion.
    pub(super) growth: f64,
}

/// Measures and prints.
pub(super) fn run(asked: &LengthArguments, json: bool) -> Result<()> {
    let ruleset = RuleFiles::embedded().ruleset()?;
    let people = participants();
    let lengths = lengths(usize::try_from(asked.bytes_max)?);
    let curves: Vec<Curve> = hostile::all().map(|h| curve(&ruleset, &people, &h, &lengths)).collect();
    if let Some(path) = &asked.svg {
        std::fs::write(path, plot::svg(&curves))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if json {
        print::line(&serde_json::to_string(&curves)?);
    } else {
        print(&curves, &lengths);
    }
    Ok(())
}

/// At most four lengths, each ten times the one before.
fn lengths(longest: usize) -> Vec<usize> {
    let mut lengths: Vec<usize> = (0..4).map(|n| longest / 10_usize.pow(n)).filter(|l| *l > 0).collect();
    lengths.reverse();
    lengths
}

fn curve(ruleset: &Ruleset, people: &Participants, hostile: &Hostile, lengths: &[usize]) -> Curve {
    let texts: Vec<String> = lengths.iter().map(|length| hostile.text(*length)).collect();
    let seconds: Vec<f64> = texts.iter().map(|text| least(ruleset, people, text)).collect();
    let bytes: Vec<usize> = texts.iter().map(String::len).collect();
    let a_byte: Vec<f64> = seconds.iter().zip(&bytes).map(|(s, b)| s / *b as f64).collect();
    let growth = match (a_byte.first(), a_byte.last()) {
        (Some(short), Some(long)) if *short > 0.0 => long / short,
        _ => 1.0,
    };
    Curve {
        name: hostile.name,
        mb_per_s: a_byte.iter().map(|s| rounded(1.0 / s / 1e6, 2)).collect(),
        growth: rounded(growth, 2),
        bytes,
        seconds,
    }
}

/// Seconds that a text takes: the least of tries that last a tenth of a second together, five at most. What disturbs a
/// try only ever adds.
fn least(ruleset: &Ruleset, people: &Participants, text: &str) -> f64 {
    let (mut least, mut spent) = (f64::INFINITY, 0.0);
    for _ in 0..5 {
        let (took, _) = timed(|| black_box(ruleset.detect_among(text, people)));
        least = least.min(took);
        spent += took;
        if spent > 0.1 {
            break;
        }
    }
    least
}

fn print(curves: &[Curve], lengths: &[usize]) {
    let heads: Vec<String> = lengths.iter().map(|l| format!("MB/s at {}", length(*l))).collect();
    let head: Vec<&str> =
        ["text"].into_iter().chain(heads.iter().map(String::as_str)).chain(["growth"]).collect();
    let row = |c: &Curve| {
        let speeds = c.mb_per_s.iter().map(ToString::to_string);
        [c.name.to_owned()].into_iter().chain(speeds).chain([c.growth.to_string()]).collect()
    };
    print::table(&head, &curves.iter().map(row).collect::<Vec<Vec<String>>>());
    let steepest = curves.iter().max_by(|a, b| a.growth.total_cmp(&b.growth));
    let slowest = curves.iter().min_by(|a, b| a.last_speed().total_cmp(&b.last_speed()));
    if let (Some(steepest), Some(slowest)) = (steepest, slowest) {
        print::line(&format!(
            "\nA byte of the longest text takes at most {} times what one of the shortest does ({}); the slowest text is \
             read at {} MB/s ({}).",
            steepest.growth,
            steepest.name,
            slowest.last_speed(),
            slowest.name
        ));
    }
}

impl Curve {
    fn last_speed(&self) -> f64 {
        self.mb_per_s.last().copied().unwrap_or_default()
    }
}

/// A length in words: `10 KB`, `1 MB`.
pub(super) fn length(bytes: usize) -> String {
    match bytes {
        1_000_000.. => format!("{} MB", rounded(bytes as f64 / 1e6, 1)),
        1_000.. => format!("{} KB", rounded(bytes as f64 / 1e3, 1)),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_decades() {
        assert_eq!(lengths(10_000_000), [10_000, 100_000, 1_000_000, 10_000_000]);
        assert_eq!(
            lengths(1_000).iter().map(|l| length(*l)).collect::<Vec<_>>(),
            ["1 bytes", "10 bytes", "100 bytes", "1 KB"]
        );
    }

    /// Eight times the text: eight times the time, or 64 times when some step is quadratic. The limit lies between; the
    /// time is this thread's own, so that other work on the machine does not count, and who fails is asked again.
    #[test]
    fn hostile_texts_of_every_kind_take_time_in_proportion() {
        let ruleset = RuleFiles::embedded().ruleset().unwrap();
        let people = participants();
        // A build without optimisation reads ten times slower.
        let lengths = if cfg!(debug_assertions) { [3_000, 24_000] } else { [16_000, 128_000] };
        let growth = |h: &Hostile| curve(&ruleset, &people, h, &lengths).growth;
        for hostile in hostile::all() {
            let grown = (0..3).map(|_| growth(&hostile)).find(|grown| *grown < 3.0);
            assert!(
                grown.is_some(),
                "{}: a byte takes over three times as long in a longer text",
                hostile.name
            );
        }
    }
}
