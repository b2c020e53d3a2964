//! Where in a container something stands.

use std::fmt;
use std::sync::Arc;

/// A kind of container, or of coding, that has to be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StepKind {
    /// A gzip member (RFC 1952).
    Gzip,
    /// A WARC record (ISO 28500), its block decoded as its HTTP head says.
    Warc,
    /// A ZIP entry (APPNOTE.TXT), inflated.
    Zip,
}

impl StepKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip member",
            Self::Warc => "WARC record",
            Self::Zip => "ZIP entry",
        }
    }
}

/// One step from a stream to a body that stands encoded in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// What was undone.
    pub kind: StepKind,
    /// Which one of its stream, from 1.
    pub number: u64,
    /// Where it starts in its stream: for the first step the file, for others the body of the step before.
    pub offset: u64,
}

/// The way from the file to a decoded body, outermost step first; never empty. Made of positions only, never of a
/// capture's own words (names of entries are words of people).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Within(Arc<[Step]>);

impl Within {
    /// The steps, outermost first.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Where the outermost container of the body starts in the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.0.first().map_or(0, |step| step.offset)
    }

    /// The way with one more step before it.
    pub(in crate::capture) fn behind(step: Step, rest: Option<&Self>) -> Self {
        let rest = rest.map(Self::steps).unwrap_or_default();
        Self(std::iter::once(step).chain(rest.iter().copied()).collect())
    }

    /// The same way in a stream that starts `by` bytes later.
    pub(super) fn shifted(&self, by: u64) -> Self {
        let mut steps: Vec<Step> = self.steps().to_vec();
        if let Some(first) = steps.first_mut() {
            first.offset += by;
        }
        Self(steps.into())
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.steps().iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{} {} at byte {}", step.kind.word(), step.number, step.offset)?;
        }
        Ok(())
    }
}
