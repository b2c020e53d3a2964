//! Which findings count: the detector with the types, the threshold and the allowed values that were typed.

use super::embedded;
use crate::detect::{Participants, Ruleset};
use crate::model::{EntityType, Finding, OffsetUnit, Timestamp};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// What can be typed about which findings count.
#[derive(Args)]
pub(super) struct SelectionArguments {
    /// Only these types, such as NL_BSN,PERSON; `knik patterns list` shows them all.
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',')]
    types: Vec<EntityType>,
    /// Only findings with at least this score, 0 to 1.
    #[arg(long, value_name = "SCORE", value_parser = score)]
    threshold: Option<f32>,
    /// Values that are no findings when they match exactly: words, or a file with one a line.
    #[arg(long, value_name = "WORD,…|FILE", value_delimiter = ',')]
    allow: Vec<String>,
    /// Recognisers and lists from this folder instead of those that come with the program.
    #[arg(long, value_name = "DIR")]
    patterns: Option<PathBuf>,
    /// The day the text was posted, such as 2024-05-18: who held office then (lists/officials.txt).
    #[arg(long, value_name = "DAY", value_parser = day)]
    date: Option<Timestamp>,
    /// What offsets count: bytes, chars (Unicode code points) or utf16 (code units).
    #[arg(long, value_name = "UNIT", default_value = "chars")]
    pub(super) offsets: OffsetUnit,
}

/// A detector that reports what was asked for.
pub(super) struct Selection {
    /// The compiled recognisers.
    pub(super) ruleset: Ruleset,
    types: BTreeSet<EntityType>,
    threshold: f32,
    allow: HashSet<String>,
    posted_at: Option<Timestamp>,
}

impl Selection {
    /// Loads the recognisers and reads the lists.
    ///
    /// # Errors
    /// Faults of the pattern files, a type that no recogniser finds, a list that is not there.
    pub(super) fn new(asked: &SelectionArguments) -> Result<Self> {
        let ruleset = embedded::ruleset(asked.patterns.as_deref())?;
        known(&ruleset, &asked.types)?;
        Ok(Self {
            ruleset,
            types: asked.types.iter().cloned().collect(),
            threshold: asked.threshold.unwrap_or_default(),
            allow: allowed(&asked.allow)?,
            posted_at: asked.date,
        })
    }

    /// The findings of one text that count.
    pub(super) fn find(&self, text: &str) -> Vec<Finding> {
        let mut findings = self.ruleset.detect_at(text, &Participants::default(), self.posted_at);
        findings.retain(|finding| self.counts(text, finding));
        findings
    }

    fn counts(&self, text: &str, finding: &Finding) -> bool {
        let allowed = || finding.span.of(text).is_some_and(|value| self.allow.contains(value));
        (self.types.is_empty() || self.types.contains(&finding.entity))
            && finding.score.value() >= self.threshold
            && (self.allow.is_empty() || !allowed())
    }
}

/// A day as its first moment.
fn day(typed: &str) -> Result<Timestamp, String> {
    let midnight = (typed.len() == 10).then(|| format!("{typed}T00:00:00Z"));
    midnight
        .and_then(|at| at.parse().ok())
        .ok_or_else(|| "write a day as year, month and day, such as 2024-05-18".to_owned())
}

/// Fails on the first type that no recogniser of the ruleset finds.
///
/// # Errors
/// The type, and those that are known.
pub(super) fn known<'e>(ruleset: &Ruleset, types: impl IntoIterator<Item = &'e EntityType>) -> Result<()> {
    let all: BTreeSet<&str> = ruleset.recognisers().map(|recogniser| recogniser.entity().as_str()).collect();
    match types.into_iter().find(|entity| !all.contains(entity.as_str())) {
        Some(unknown) => {
            let all: Vec<&str> = all.into_iter().collect();
            bail!("no recogniser finds `{unknown}`; known types are {}", all.join(", "))
        }
        None => Ok(()),
    }
}

/// The allowed values: words as typed, and the lines of those that name a file.
fn allowed(typed: &[String]) -> Result<HashSet<String>> {
    let mut allowed = HashSet::new();
    for word in typed {
        let path = Path::new(word);
        if !path.is_file() {
            if word.ends_with(".txt") && !word.contains("://") {
                bail!("allow list `{word}` is not there");
            }
            allowed.insert(word.clone());
            continue;
        }
        let text = super::read_text(path).context("allow list")?;
        let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines();
        allowed.extend(lines.filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    Ok(allowed)
}

fn score(typed: &str) -> Result<f32, String> {
    let score = typed.parse::<f32>().ok().filter(|score| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "a score lies between 0 and 1, such as 0.5".to_owned())
}
