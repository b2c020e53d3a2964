//! The demo's organisations, channels, captures and planted values.

use super::package;
use knik::model::{OrganisationId, Timestamp};
use knik::store::catalogue::{Channel, ChannelFact, Fact};
use serde::Deserialize;
use std::path::PathBuf;

/// A channel of the demo with its captures in the order in which they are loaded.
pub struct DemoChannel {
    pub channel: Channel,
    pub facts: Vec<ChannelFact>,
    pub captures: Vec<DemoCapture>,
}

/// A capture of the demo and what it holds by itself.
pub struct DemoCapture {
    pub path: PathBuf,
    pub holds: Holds,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Holds {
    pub records: u64,
    pub acts: u64,
    pub deleted: u64,
    pub not_public: u64,
}

/// The demo's organisations with their names, and its channels.
pub fn demo() -> (Vec<(OrganisationId, String)>, Vec<DemoChannel>) {
    let text = std::fs::read_to_string(folder().join("channels.yaml")).unwrap();
    let file: File = serde_saphyr::from_str(&text).unwrap();
    let organisations = file.organisations.into_iter().map(|o| (o.id.parse().unwrap(), o.name.nl)).collect();
    (organisations, file.channels.into_iter().map(ChannelFile::channel).collect())
}

/// The planted values.
pub fn canaries() -> Vec<String> {
    let text = std::fs::read_to_string(folder().join("canaries.txt")).unwrap();
    let planted = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    planted.map(str::to_owned).collect()
}

fn folder() -> PathBuf {
    package().join("src/cli/demo")
}

#[derive(Deserialize)]
struct File {
    organisations: Vec<OrganisationFile>,
    channels: Vec<ChannelFile>,
}

#[derive(Deserialize)]
struct OrganisationFile {
    id: String,
    name: Name,
}

#[derive(Deserialize)]
struct Name {
    nl: String,
}

#[derive(Deserialize)]
struct ChannelFile {
    id: String,
    organisation: String,
    platform: String,
    instance: String,
    account: String,
    kind: String,
    scenario: String,
    tree: String,
    official: Official,
    purpose: String,
    legal_basis: String,
    duty_to_archive: DutyFile,
    dpia: String,
    captures: Vec<CaptureFile>,
}

#[derive(Deserialize)]
struct Official {
    answer: bool,
    from: String,
    reason: String,
}

#[derive(Deserialize)]
struct DutyFile {
    answer: String,
    source: String,
}

#[derive(Deserialize)]
struct CaptureFile {
    file: PathBuf,
    holds: Holds,
}

impl ChannelFile {
    fn channel(self) -> DemoChannel {
        let from: Timestamp = self.official.from.parse().unwrap();
        let fact = |fact, value: &str, reason: &str| ChannelFact {
            fact,
            value: value.to_owned(),
            from,
            until: None,
            reason: reason.to_owned(),
        };
        let official = if self.official.answer { "yes" } else { "no" };
        let facts = vec![
            fact(Fact::Official, official, &self.official.reason),
            fact(Fact::Scenario, &self.scenario, "demo"),
            fact(Fact::Tree, &self.tree, "demo"),
        ];
        let channel = Channel {
            id: self.id.parse().unwrap(),
            organisation: self.organisation.parse().unwrap(),
            platform: self.platform.parse().unwrap(),
            instance: self.instance,
            account: self.account,
            kind: self.kind,
            purpose: self.purpose,
            legal_basis: self.legal_basis,
            duty: self.duty_to_archive.answer.parse().unwrap(),
            duty_source: self.duty_to_archive.source,
            dpia: self.dpia,
        };
        let captures = self
            .captures
            .into_iter()
            .map(|capture| DemoCapture { path: folder().join(capture.file), holds: capture.holds })
            .collect();
        DemoChannel { channel, facts, captures }
    }
}
