//! Pattern files as people write them: YAML with Presidio's fields and ours.

use super::error::RulesetFault;
use super::validate::Validator;
use crate::model::{EntityType, ExemptionCode, RecogniserId, Score};
use serde::Deserialize;

/// One pattern file. Presidio's top level: a list under `recognizers`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSpec {
    pub(super) recognizers: Vec<Recogniser>,
}

/// A recogniser as its file states it. What it finds is decided by its kind, patterns, checks and lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recogniser {
    name: RecogniserId,
    supported_entity: EntityType,
    #[serde(default = "any_language")]
    supported_language: String,
    #[serde(default)]
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) patterns: Vec<Pattern>,
    #[serde(default)]
    pub(super) deny_list: Vec<String>,
    #[serde(default, deserialize_with = "score")]
    pub(super) deny_list_score: Option<Score>,
    #[serde(default)]
    pub(super) context: Vec<String>,
    /// Words that speak against a match, such as `ordernummer`.
    #[serde(default)]
    pub(super) against: Vec<String>,
    /// A match without a word of `context` nearby is dropped.
    #[serde(default)]
    pub(super) context_required: bool,
    /// A match right after a person's name, or in brackets after a word for a relative, needs no context.
    #[serde(default)]
    pub(super) beside_person: bool,
    /// What names the value of patterns that start at a label: words or phrases of at most three words; a word that ends in `*`
    /// stands for its compounds with number, code and the like.
    #[serde(default)]
    pub(super) labels: Vec<String>,
    /// How many other words may stand between label and value.
    #[serde(default)]
    pub(super) within: usize,
    #[serde(default)]
    validator: Option<String>,
    exemption: ExemptionCode,
    category: String,
    source: String,
    examples: Vec<Example>,
    #[serde(default)]
    counter_examples: Vec<String>,
}

/// How a recogniser works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// By its patterns and its deny list.
    #[default]
    Pattern,
    /// People's names, by lists and by what stands around them.
    Names,
    /// Names of office-holders after the title of their office.
    Officials,
    /// Street, number and additions.
    Addresses,
    /// Account names after an `@`; the organisation's own are left alone.
    Handles,
    /// By the value that a label names, such as the number after `zaaknummer:`; its patterns start at a label.
    Labelled,
}

/// One regular expression of a recogniser, in the syntax of the `regex` crate (no look-around).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    pub(super) name: String,
    pub(super) regex: String,
    pub(super) score: f32,
    #[serde(default)]
    pub(super) starts: Starts,
    /// For patterns that start at a label: what must stand between label and value.
    #[serde(default)]
    pub(super) after: After,
}

/// What must stand between a label and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum After {
    /// Anything that joins them: space, sign or a word such as `is`.
    #[default]
    Any,
    /// A colon or an equals sign.
    Sign,
    /// An opening bracket.
    Bracket,
    /// A colon or an equals sign; or `mijn`, `my` and the like before the label, which make the value somebody's.
    Owned,
}

/// Where the engine tries a pattern. All but `anywhere` are fast, match without regard to ASCII case, by ASCII
/// classes, the longest match that ends a word, over at most 256 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Starts {
    /// At a word, bracket or plus sign at most ten bytes before a digit.
    Code,
    /// At the start of what could be the local part before an `@` (or `(at)`, `[at]`, ` at `).
    Mail,
    /// At an `@` that no word touches on the left.
    Handle,
    /// At the start of a word that runs up to `://`, or to a dot before a letter.
    Link,
    /// At the start of a run of letters, digits, `_` and `-` that holds sixteen letters and digits in a row.
    Token,
    /// At a label of the recogniser: what follows it, or stands before it and is tied to it.
    Label,
    /// Anywhere, case and boundaries as the expression states them: slower, and always right.
    #[default]
    Anywhere,
}

/// A text and what must be found in it, in order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The text.
    pub text: String,
    /// The exact passages that this recogniser must find.
    pub finds: Vec<String>,
}

impl Recogniser {
    /// The recogniser's name, unique in the ruleset.
    #[must_use]
    pub fn id(&self) -> &RecogniserId {
        &self.name
    }

    /// What it finds.
    #[must_use]
    pub fn entity(&self) -> &EntityType {
        &self.supported_entity
    }

    /// The language it was written for, `any` when it does not matter. All recognisers run on all texts.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.supported_language
    }

    /// Why its finds are redacted unless a person decides otherwise.
    #[must_use]
    pub fn exemption(&self) -> &ExemptionCode {
        &self.exemption
    }

    /// The group it is shown under, such as `identification`.
    #[must_use]
    pub fn category(&self) -> &str {
        &self.category
    }

    /// Where the rule comes from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Texts in which it must find something.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Texts in which it must find nothing.
    #[must_use]
    pub fn counter_examples(&self) -> &[String] {
        &self.counter_examples
    }

    /// Whether a match of the pattern comes to nothing unless a word of the context stands near it.
    pub(super) fn is_weak(&self, pattern: &Pattern, doubtful: f32) -> bool {
        if self.context_required { !self.beside_person } else { pattern.score < doubtful }
    }

    /// Whether a pattern of it is weak.
    pub(super) fn has_weak(&self, doubtful: f32) -> bool {
        self.patterns.iter().any(|p| self.is_weak(p, doubtful))
    }

    /// Whether a pattern of this recogniser is tried at its labels, and nowhere else.
    pub(super) fn at_label(&self, pattern: &Pattern) -> bool {
        self.kind == Kind::Labelled || pattern.starts == Starts::Label
    }

    /// The check its matches must pass; `Err` names an unknown one.
    pub(super) fn validator(&self) -> Result<Option<Validator>, String> {
        self.validator.as_deref().map(str::parse).transpose()
    }
}

/// The two scores that decide what happens with a finding, and how context moves them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// From here on a finding is certain: redacted.
    pub certain: f32,
    /// From here on a finding is doubtful: redacted, and queued for a reviewer. Below it there is no finding.
    pub doubtful: f32,
    /// What a word of `context` adds to a score.
    pub context_boost: f32,
    /// What a word of `against` takes from a score.
    pub against_cost: f32,
    /// How far before a match context is read, in bytes.
    pub context_before: usize,
    /// How far after a match context is read, in bytes.
    pub context_after: usize,
}

/// Reads one YAML file; the fault carries the line.
pub(super) fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, RulesetFault> {
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map(|l| usize::try_from(l.line()).unwrap_or(0));
        let what = error.to_string().lines().next().unwrap_or("not readable as YAML").to_owned();
        RulesetFault {
            file: file.to_owned(),
            line,
            what: format!("{what}; see the fields in patterns/README.md"),
        }
    })
}

fn any_language() -> String {
    "any".to_owned()
}

fn score<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Score>, D::Error> {
    f32::deserialize(from).map(|s| Some(Score::new(s)))
}
