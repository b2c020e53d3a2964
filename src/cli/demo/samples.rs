//! The sample captures that come with the program, and the registry they belong to. All invented.

use crate::model::{ChannelId, OrganisationId, Platform, Timestamp};
use crate::store::catalogue::{Channel, ChannelFact, Duty, Fact};
use anyhow::{Context, Result};
use include_dir::{Dir, include_dir};
use serde::Deserialize;

static CAPTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/cli/demo/captures");
const REGISTRY: &str = include_str!("channels.yaml");
const CANARIES: &str = include_str!("canaries.txt");

/// Organisations and channels, as `channels.yaml` has them.
#[derive(Deserialize)]
pub(super) struct Registry {
    pub organisations: Vec<Organisation>,
    pub channels: Vec<SampleChannel>,
}

#[derive(Deserialize)]
pub(super) struct Organisation {
    pub id: OrganisationId,
    pub name: Name,
}

#[derive(Deserialize)]
pub(super) struct Name {
    pub nl: String,
}

#[derive(Deserialize)]
pub(super) struct SampleChannel {
    pub id: ChannelId,
    pub organisation: OrganisationId,
    platform: Platform,
    instance: String,
    account: String,
    kind: String,
    scenario: String,
    tree: String,
    profile: String,
    official: Official,
    purpose: String,
    legal_basis: String,
    duty_to_archive: DutyToArchive,
    dpia: String,
    pub captures: Vec<Sample>,
}

#[derive(Deserialize)]
struct Official {
    answer: bool,
    from: Timestamp,
    until: Option<Timestamp>,
    reason: String,
}

#[derive(Deserialize)]
struct DutyToArchive {
    answer: Duty,
    source: String,
}

#[derive(Deserialize)]
pub(super) struct Sample {
    pub file: String,
}

impl Registry {
    /// Reads the registry.
    pub(super) fn read() -> Result<Self> {
        serde_saphyr::from_str(REGISTRY).context("channels.yaml of the demo")
    }
}

impl SampleChannel {
    /// The channel and its facts, as it would be declared.
    pub(super) fn declaration(&self) -> (Channel, Vec<ChannelFact>) {
        let channel = Channel {
            id: self.id.clone(),
            organisation: self.organisation.clone(),
            platform: self.platform,
            instance: self.instance.clone(),
            account: self.account.clone(),
            kind: self.kind.clone(),
            purpose: self.purpose.clone(),
            legal_basis: self.legal_basis.clone(),
            duty: self.duty_to_archive.answer,
            duty_source: self.duty_to_archive.source.clone(),
            dpia: self.dpia.clone(),
        };
        let fact = |fact, value: &str| ChannelFact {
            fact,
            value: value.to_owned(),
            from: self.official.from,
            until: self.official.until,
            reason: self.official.reason.clone(),
        };
        let official = if self.official.answer { "yes" } else { "no" };
        let facts = vec![
            fact(Fact::Official, official),
            fact(Fact::Scenario, &self.scenario),
            fact(Fact::Tree, &self.tree),
            fact(Fact::Profile, &self.profile),
        ];
        (channel, facts)
    }
}

/// The bytes of a sample capture.
pub(super) fn capture(file: &str) -> Result<&'static [u8]> {
    let name = file.strip_prefix("captures/").unwrap_or(file);
    let found = CAPTURES.get_file(name).with_context(|| format!("sample capture `{file}` is missing"))?;
    Ok(found.contents())
}

/// Values planted in the samples that must never be seen outside seals.
pub(super) fn canaries() -> impl Iterator<Item = &'static str> {
    CANARIES.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_there_and_every_canary_stands_in_one() {
        let registry = Registry::read().unwrap();
        let files: Vec<String> = registry
            .channels
            .iter()
            .flat_map(|channel| &channel.captures)
            .map(|sample| String::from_utf8(capture(&sample.file).unwrap().to_vec()).unwrap().to_lowercase())
            .collect();
        assert!(files.len() > 5);
        assert!(canaries().count() > 20);
        for canary in canaries() {
            let json = serde_json::to_string(canary).unwrap().to_lowercase();
            let json = json.trim_matches('"');
            let written = |file: &String| file.contains(json) || file.contains(&canary.to_lowercase());
            let escaped: String = canary
                .chars()
                .flat_map(|c| {
                    if c.is_ascii() { vec![c] } else { format!("\\u{:04x}", c as u32).chars().collect() }
                })
                .collect::<String>()
                .to_lowercase();
            assert!(files.iter().any(|file| written(file) || file.contains(&escaped)), "{canary}");
        }
    }
}
