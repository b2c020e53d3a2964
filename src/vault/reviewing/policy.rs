//! How many originals a reviewer opens a day, how long items may wait, how much is sampled: data, `policies/reviewing.yaml`.

use crate::model::{ChannelId, QueueKind};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The checked file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReviewPolicy {
    version: String,
    openings_a_day: u32,
    due_days: BTreeMap<QueueKind, u32>,
    sampling: Sampling,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sampling {
    every_hours: u32,
    permille: u32,
    twofold_permille: u32,
    #[serde(default)]
    channels: BTreeMap<ChannelId, Rate>,
}

/// How much of a channel is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rate {
    /// How many of a thousand automatic decisions are drawn.
    pub permille: u32,
    /// Of those, how many of a thousand two people judge.
    pub twofold_permille: u32,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{file}`: {problem}")]
pub struct ReviewPolicyError {
    file: String,
    problem: String,
}

impl ReviewPolicy {
    /// Reads and checks the file; `file` is its name, for errors.
    ///
    /// # Errors
    /// Everything that is wrong with it, with the mend.
    pub fn load(file: &str, yaml: &str) -> Result<Self, ReviewPolicyError> {
        let failed = |problem: String| ReviewPolicyError { file: file.to_owned(), problem };
        let read: Self = serde_saphyr::from_str(yaml).map_err(|error| {
            failed(error.without_snippet().to_string().lines().next().unwrap_or_default().to_owned())
        })?;
        let problems = read.problems();
        if problems.is_empty() { Ok(read) } else { Err(failed(problems.join("; "))) }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=10_000).contains(&self.openings_a_day) {
            problems.push("`openingsADay` must be 1 to 10000".to_owned());
        }
        for kind in QueueKind::ALL {
            match self.due_days.get(kind) {
                Some(1..=3650) => {}
                Some(_) => problems.push(format!("`dueDays` of `{kind}` must be 1 to 3650")),
                None => problems.push(format!("`dueDays` says nothing of `{kind}`: add a number of days")),
            }
        }
        if !(1..=8_760).contains(&self.sampling.every_hours) {
            problems.push("`everyHours` must be 1 to 8760".to_owned());
        }
        let rates = self.sampling.channels.values().copied().chain([self.common()]);
        if rates.into_iter().any(|rate| rate.permille > 1_000 || rate.twofold_permille > 1_000) {
            problems.push("`permille` and `twofoldPermille` must be 0 to 1000".to_owned());
        }
        problems
    }

    const fn common(&self) -> Rate {
        Rate { permille: self.sampling.permille, twofold_permille: self.sampling.twofold_permille }
    }

    /// The version, as its author wrote it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many originals one reviewer opens on one day at the most.
    #[must_use]
    pub const fn openings_a_day(&self) -> u32 {
        self.openings_a_day
    }

    /// The same with another number of openings a day.
    #[must_use]
    pub fn with_openings_a_day(self, openings_a_day: u32) -> Self {
        Self { openings_a_day, ..self }
    }

    /// After how many days an item of this kind is overdue.
    #[must_use]
    pub fn due_days(&self, kind: QueueKind) -> u32 {
        self.due_days.get(&kind).copied().unwrap_or_default()
    }

    /// How much of a channel is sampled.
    #[must_use]
    pub fn rate(&self, channel: &ChannelId) -> Rate {
        self.sampling.channels.get(channel).copied().unwrap_or_else(|| self.common())
    }

    /// How many hours lie between two drawings by themselves.
    #[must_use]
    pub const fn every_hours(&self) -> u32 {
        self.sampling.every_hours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../policies/reviewing.yaml");

    #[test]
    fn the_shipped_file_holds_and_a_channel_goes_before_the_rest() {
        let shipped = ReviewPolicy::load("reviewing.yaml", SHIPPED).unwrap();
        assert_eq!(shipped.rate(&"low-x".parse().unwrap()).permille, 10);
        let yaml = SHIPPED.replace("{}", "{ low-x: { permille: 500, twofoldPermille: 0 } }");
        let own = ReviewPolicy::load("f.yaml", &yaml).unwrap();
        assert_eq!(own.rate(&"low-x".parse().unwrap()), Rate { permille: 500, twofold_permille: 0 });
        assert_eq!(own.rate(&"low-y".parse().unwrap()).permille, 10);
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_mend() {
        let cases = [
            (SHIPPED.replace("openingsADay: 60", "openingsADay: 0"), "openingsADay"),
            (SHIPPED.replace("  minor: 7\n", ""), "`dueDays` says nothing of `minor`"),
            (SHIPPED.replace("permille: 10\n", "permille: 1001\n"), "0 to 1000"),
            (SHIPPED.replace("everyHours: 24", "everyHours: 0"), "everyHours"),
            (SHIPPED.replace("  minor: 7", "  nonsense: 7"), "nonsense"),
            ("version: x".to_owned(), "openingsADay"),
        ];
        for (yaml, expected) in cases {
            let error = ReviewPolicy::load("f.yaml", &yaml).unwrap_err().to_string();
            assert!(error.contains("f.yaml") && error.contains(expected), "{error} lacks {expected}");
        }
    }
}
