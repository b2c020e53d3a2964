//! Findings as they are kept beside a version: rule ids and offsets, read back.

use crate::model::{EntityType, ExemptionCode, Finding, RecogniserId, Score, Span, SubjectRef};
use crate::store::StoreError;
use serde::Deserialize;

/// A finding as it is stored; its evidence is not read back.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StoredFinding {
    span: Span,
    pub(super) entity: EntityType,
    score: f32,
    recogniser: RecogniserId,
    exemption: ExemptionCode,
    pub(super) subject: Option<u32>,
}

impl StoredFinding {
    /// The finding; `None` for a place that can be none.
    pub(super) fn finding(&self) -> Option<Finding> {
        Some(Finding {
            span: Span::new(self.span.start(), self.span.end())?,
            entity: self.entity.clone(),
            score: Score::new(self.score),
            recogniser: self.recogniser.clone(),
            exemption: self.exemption.clone(),
            evidence: Vec::new(),
            subject: self.subject.map(SubjectRef::from_u32),
        })
    }
}

/// For each passage its stored findings.
///
/// # Errors
/// When they cannot be read.
pub(super) fn read(findings: &str) -> Result<Vec<Vec<StoredFinding>>, StoreError> {
    serde_json::from_str(findings).map_err(|_| StoreError::Corrupt { what: "findings" })
}

/// The findings of a version as they are stored, passage by passage; `None` for what cannot be read.
pub(super) fn stored_findings(json: &str) -> Option<Vec<Vec<Finding>>> {
    let stored = read(json).ok()?;
    Some(stored.iter().map(|of| of.iter().filter_map(StoredFinding::finding).collect()).collect())
}
