//! What was found, with Presidio's account of why.

use crate::detect::Recogniser;
use crate::model::{Finding, Span};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One finding of an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where, in bytes; see [`in_code_points`].
    pub span: Span,
    /// What.
    pub entity: Arc<str>,
    /// How sure, 0 to 1.
    pub score: f64,
    /// Why.
    pub explanation: Explanation,
    pub(super) source: Source,
}

/// Which recogniser a finding came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// One of the request's own, by its index.
    AdHoc(usize),
    /// One of the ruleset's, by its index; whether context in the text has raised the score already.
    Ruleset(usize, bool),
}

/// Presidio's `AnalysisExplanation`, field by field.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The recogniser's name.
    pub recognizer: Arc<str>,
    /// The pattern's name, when one matched.
    pub pattern_name: Option<Arc<str>>,
    /// The pattern as the request gave it.
    pub pattern: Option<Arc<str>>,
    /// The score before context.
    pub original_score: f64,
    /// The score.
    pub score: f64,
    /// The same in a sentence.
    pub textual_explanation: Arc<str>,
    /// What context added.
    pub score_context_improvement: f64,
    /// Which word of context that was; empty when there was none.
    pub supportive_context_word: Arc<str>,
    /// Whether a check of the value was passed; none when there is no check.
    pub validation_result: Option<bool>,
    /// The flags its pattern was read with.
    pub regex_flags: Option<i64>,
}

impl Found {
    /// A finding of the ruleset in Presidio's terms.
    pub(super) fn of_ruleset(text: &str, finding: &Finding, index: usize) -> Self {
        let score = rounded(finding.score.value());
        let of =
            |kind: &'static str| finding.evidence.iter().filter(move |e| e.rule.as_str().starts_with(kind));
        let raised = of("context.").find(|e| e.weight > 0.0);
        let improvement = raised.map_or(0.0, |e| rounded(e.weight));
        let name: Arc<str> = finding.recogniser.as_str().into();
        let rules: Vec<&str> = finding.evidence.iter().map(|e| e.rule.as_str()).collect();
        let word = raised.and_then(|e| e.span).and_then(|span| span.of(text));
        Self {
            span: finding.span,
            entity: finding.entity.as_str().into(),
            score,
            explanation: Explanation {
                pattern_name: of("pattern.")
                    .next()
                    .and_then(|e| e.rule.as_str().strip_prefix("pattern."))
                    .map(Arc::from),
                pattern: None,
                original_score: rounded((score - improvement) as f32),
                score,
                textual_explanation: format!("Detected by `{name}` on evidence `{}`", rules.join("`, `"))
                    .into(),
                score_context_improvement: improvement,
                supportive_context_word: word.unwrap_or_default().into(),
                validation_result: of("checksum.").next().map(|_| true),
                regex_flags: None,
                recognizer: name,
            },
            source: Source::Ruleset(index, raised.is_some()),
        }
    }

    /// Presidio's order: the surest first, then the first, then the longest.
    fn order(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.span.start().cmp(&other.span.start()))
            .then(other.span.end().cmp(&self.span.end()))
            .then_with(|| self.entity.cmp(&other.entity))
    }
}

/// The index of the recogniser that made a finding.
pub(super) fn maker(recognisers: &[&Recogniser], finding: &Finding) -> usize {
    recognisers.iter().position(|r| *r.id() == finding.recogniser).unwrap_or(usize::MAX)
}

/// Three decimals: scores of the ruleset are made of a few such numbers.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1_000.0).round() / 1_000.0
}

/// Leaves out what lies in something of the same type with at least its score, and what has no score; in order.
pub(super) fn without_duplicates(mut all: Vec<Found>) -> Vec<Found> {
    all.sort_by(Found::order);
    let mut kept: HashMap<Arc<str>, Outermost> = HashMap::new();
    all.retain(|found| {
        found.score > 0.0 && kept.entry(Arc::clone(&found.entity)).or_default().add(found.span)
    });
    all
}

/// Spans of which none lies in another: starts and ends both grow.
#[derive(Default)]
struct Outermost {
    end_by_start: BTreeMap<usize, usize>,
}

impl Outermost {
    /// Adds a span unless it lies in one that was added; whether it was.
    fn add(&mut self, span: Span) -> bool {
        let (start, end) = (span.start(), span.end());
        if self.end_by_start.range(..=start).next_back().is_some_and(|(_, last)| *last >= end) {
            return false;
        }
        while let Some((&inner, _)) =
            self.end_by_start.range(start..).next().filter(|(_, last)| **last <= end)
        {
            self.end_by_start.remove(&inner);
        }
        self.end_by_start.insert(start, end);
        true
    }
}

/// Where findings start and end in Unicode code points, in the order given.
#[must_use]
pub fn in_code_points(text: &str, found: &[Found]) -> Vec<(usize, usize)> {
    let mut places: Vec<usize> = found.iter().flat_map(|f| [f.span.start(), f.span.end()]).collect();
    places.sort_unstable();
    places.dedup();
    let (mut from, mut points) = (0, 0);
    let counted: Vec<usize> = places
        .iter()
        .map(|place| {
            points += text.get(from..*place).map_or(0, |part| part.chars().count());
            from = *place;
            points
        })
        .collect();
    let point = |place: usize| {
        places.binary_search(&place).ok().and_then(|i| counted.get(i)).copied().unwrap_or(place)
    };
    found.iter().map(|f| (point(f.span.start()), point(f.span.end()))).collect()
}
