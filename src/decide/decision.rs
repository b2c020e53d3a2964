//! The outcome of a tree for one record, and how it came about.

use super::Answer;
use crate::model::{Outcome, RecogniserId, Span};
use serde::{Deserialize, Serialize};

/// A rule that spoke, and where in the text: never the words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clue {
    /// The rule, such as `verb-first` or `request.explanation`.
    pub rule: RecogniserId,
    /// Where, in UTF-8 bytes of the text.
    pub span: Span,
}

/// What a detector or a definition says of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The answer.
    pub answer: Answer,
    /// How sure, from 0 to 1; for `unsure` how likely `yes` would have been.
    pub confidence: f32,
    /// What decided.
    pub evidence: Vec<Clue>,
}

/// Who or what answered a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// A fact of the record or its channel.
    Fact,
    /// A detector.
    Detector,
    /// An organisation's dated definition.
    Definition,
    /// A person, or nobody yet (then the answer is `unsure`).
    Person,
}

/// One step of the path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepTaken {
    /// The step's id in the tree; `own` when the organisation's own post ended it before the tree.
    pub step: String,
    /// The answer.
    pub answer: Answer,
    /// Who or what answered.
    pub answered_by: AnsweredBy,
    /// Which fact, detector or definition, with its version where it has one.
    pub by: String,
    /// How sure, from 0 to 1.
    pub confidence: f32,
    /// What decided: rule ids and offsets.
    pub evidence: Vec<Clue>,
}

/// How long what is kept is kept (waardering).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Valuation {
    /// Kept for good (blijvend te bewaren).
    B,
    /// To be destroyed after a period (te vernietigen).
    V,
}

/// Under which category of the selection list a record is kept, and how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// The category, as the organisation's selection list names it.
    pub category: String,
    /// B or V.
    pub valuation: Valuation,
    /// With V: how long, as an ISO 8601 duration such as `P10Y`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
}

/// The outcome of a tree for one record. Holds no content: it may stand in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What must happen.
    pub outcome: Outcome,
    /// The id of the ending in the tree, such as `sentiment`.
    pub ending: String,
    /// With `archive`: how it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// The steps, in order.
    pub path: Vec<StepTaken>,
    /// The tree's id.
    pub tree: String,
    /// The tree's version.
    pub tree_version: String,
}
