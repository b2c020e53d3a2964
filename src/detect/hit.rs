//! What the stages of detection hand to one another: places in the shadow with their evidence.

use super::shadow::Shadow;
use super::spec::Recogniser;
use crate::model::{Evidence, Finding, RecogniserId, Score, Span, SubjectRef};

/// A candidate that a stage believes in. Offsets are bytes of the shadow.
#[derive(Debug)]
pub(super) struct Hit<'r> {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Index of the recogniser in the ruleset.
    pub(super) recogniser: usize,
    pub(super) score: f32,
    pub(super) reasons: Vec<Reason<'r>>,
    pub(super) subject: Option<SubjectRef>,
}

/// One piece of evidence, offsets in the shadow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reason<'r> {
    pub(super) rule: &'r RecogniserId,
    pub(super) place: Option<(usize, usize)>,
    pub(super) weight: f32,
}

impl Hit<'_> {
    /// Whether the two share a byte.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The finding in the text as given; `None` when its recogniser is not known.
    pub(super) fn finding(self, shadow: &Shadow<'_>, recognisers: &[Recogniser]) -> Option<Finding> {
        let place = |start, end| {
            let (start, end) = shadow.source(start, end);
            Span::new(start, end)
        };
        let recogniser = recognisers.get(self.recogniser)?;
        let evidence = |r: Reason<'_>| Evidence {
            rule: r.rule.clone(),
            span: r.place.and_then(|(a, b)| place(a, b)),
            weight: r.weight,
        };
        Some(Finding {
            span: place(self.start, self.end)?,
            entity: recogniser.entity().clone(),
            score: Score::new(self.score),
            recogniser: recogniser.id().clone(),
            exemption: recogniser.exemption().clone(),
            evidence: self.reasons.into_iter().map(evidence).collect(),
            subject: self.subject,
        })
    }
}
