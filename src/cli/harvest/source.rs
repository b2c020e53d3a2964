//! Where captures are laid: a folder or a prefix of a bucket.

use super::bucket::Prefix;
use super::folder::WatchFolder;
use crate::cli::arguments::HarvestArguments;
use crate::cli::control::delivery::Brought;
use anyhow::{Context, Result};
use serde_json::Value;

/// A source of captures.
pub(super) enum Source {
    Folder(WatchFolder),
    Bucket(Prefix),
}

/// A capture that was found.
pub(super) struct Found {
    /// Its name at the source.
    pub(super) name: std::ffi::OsString,
    /// Its name as it is shown and kept: without characters that a terminal or a file system may misread.
    pub(super) shown: String,
    /// Its size in bytes.
    pub(super) size_bytes: u64,
    /// Tells this state of this file from any other.
    pub(super) stamp: String,
    /// Why it is not even opened.
    pub(super) refused: Option<&'static str>,
}

/// Where a capture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// All of it was taken in, but for pieces that its report names.
    Done,
    /// It is refused, and nothing of it was taken in.
    Failed,
}

impl State {
    /// Every one.
    pub(super) const ALL: [Self; 2] = [Self::Done, Self::Failed];

    /// The folder for it, at the source.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// The capture is not what it was a moment ago: it is looked at again in the next round.
#[derive(Debug, thiserror::Error)]
#[error("it still changes; it is left for later")]
pub(super) struct StillChanges;

/// Ends the name of a report.
pub(super) const REPORT: &str = ".report.json";

impl Source {
    pub(super) fn open(asked: &HarvestArguments) -> Result<Self> {
        match (&asked.folder, &asked.s3) {
            (Some(folder), _) => {
                let opened = WatchFolder::open(folder, asked.settle_seconds);
                opened.map(Self::Folder).with_context(|| format!("watch folder `{}`", folder.display()))
            }
            (None, Some(address)) => Prefix::open(address).map(Self::Bucket),
            (None, None) => anyhow::bail!("name a source with --folder or --s3"),
        }
    }

    /// The captures that are complete, by name. In a single round it waits for those that may be.
    pub(super) async fn ready(&mut self, once: bool) -> Result<Vec<Found>> {
        let mut found = match self {
            Self::Folder(folder) => folder.ready(once).await?,
            Self::Bucket(prefix) => prefix.ready().await?,
        };
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// The bytes of a capture, as it was found.
    pub(super) async fn bring(&self, found: &Found) -> Result<Brought<'static>> {
        match self {
            Self::Folder(folder) => folder.bring(found),
            Self::Bucket(prefix) => prefix.bring(found).await,
        }
    }

    /// Moves a capture aside with its report. Gives its new place.
    pub(super) async fn set_aside(&self, found: &Found, state: State, report: &Value) -> Result<String> {
        match self {
            Self::Folder(folder) => folder.set_aside(found, state, report),
            Self::Bucket(prefix) => prefix.set_aside(found, state, report).await,
        }
    }

    /// Ends a move that was broken off after its report was written; nothing when there was none.
    pub(super) async fn finish_broken_off(&self, found: &Found) -> Result<Option<(State, String)>> {
        match self {
            // A folder's are ended when it is opened.
            Self::Folder(_) => Ok(None),
            Self::Bucket(prefix) => prefix.finish_broken_off(found).await,
        }
    }
}
