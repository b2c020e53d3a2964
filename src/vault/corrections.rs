//! What reviewers corrected, laid over what the recognisers found; and what was missed before.

use super::{Rules, VaultError};
use crate::capture::Item;
use crate::model::{EntityType, ExemptionCode, Finding, RecogniserId, Score, Span};
use crate::redact::RedactionPolicy;
use crate::store::catalogue::{Correction, CorrectionAct};
use serde::Deserialize;

/// The findings of one text after what people said of it. Something added takes in whatever it overlaps, so that nothing
/// that was covered is given up for it; something dropped takes the findings that it touches with it.
///
/// # Errors
/// When no recogniser says under which exemption such a thing is redacted.
pub(super) fn corrected(
    rules: &Rules,
    corrections: &[Correction],
    passage: usize,
    mut found: Vec<Finding>,
) -> Result<Vec<Finding>, VaultError> {
    for correction in corrections.iter().filter(|correction| correction.passage == passage) {
        let (touched, kept): (Vec<Finding>, Vec<Finding>) =
            found.into_iter().partition(|finding| finding.span.overlaps(correction.span));
        found = kept;
        if correction.act == CorrectionAct::Add {
            found.push(added(rules, correction, &touched)?);
        }
    }
    found.sort_by_key(|finding| (finding.span.start(), finding.span.end()));
    Ok(found)
}

fn added(rules: &Rules, correction: &Correction, touched: &[Finding]) -> Result<Finding, VaultError> {
    let span = touched.iter().fold(correction.span, |span, finding| {
        let (start, end) = (span.start().min(finding.span.start()), span.end().max(finding.span.end()));
        Span::new(start, end).unwrap_or(span)
    });
    let subject = match touched {
        [one] => one.subject,
        _ => None,
    };
    Ok(Finding {
        span,
        entity: correction.entity.clone(),
        score: Score::new(1.0),
        recogniser: RECOGNISER.parse::<RecogniserId>().map_err(|_| UNNAMED)?,
        exemption: exemption(rules, &correction.entity)?,
        evidence: Vec::new(),
        subject,
    })
}

/// Who found what a reviewer added.
const RECOGNISER: &str = "reviewer.added";

/// Personal privacy, where the list of exemptions says nothing nearer.
const PERSONAL_PRIVACY: &str = "woo-5.1.2e";

const UNNAMED: VaultError = VaultError::Absent { what: "an exemption for what a reviewer added" };

fn exemption(rules: &Rules, entity: &EntityType) -> Result<ExemptionCode, VaultError> {
    let known = rules.ruleset.recognisers().find(|recogniser| recogniser.entity() == entity);
    match known {
        Some(recogniser) => Ok(recogniser.exemption().clone()),
        None => PERSONAL_PRIVACY.parse().map_err(|_| UNNAMED),
    }
}

/// Whether findings cover something of an item that those of before left readable. What is covered wherever it stands,
/// because it stood under a finding elsewhere in the item, was covered before too.
pub(super) fn shows_too_much(
    item: &Item,
    before: &str,
    now: &[Vec<Finding>],
    policy: &RedactionPolicy,
) -> bool {
    let Ok(before) = serde_json::from_str::<Vec<Vec<Known>>>(before) else { return false };
    let mut hidden = Vec::new();
    for (known, passage) in before.iter().zip(&item.passages) {
        for one in known.iter().filter(|one| !policy.is_readable(&one.entity)) {
            let value = one.span.of(passage.text.expose()).map(str::to_lowercase).unwrap_or_default();
            if value.chars().count() >= SWEPT_CHARS_MIN {
                hidden.push(value);
            }
        }
    }
    for (place, (passage, findings)) in item.passages.iter().zip(now).enumerate() {
        let known = before.get(place).map(Vec::as_slice).unwrap_or_default();
        let spans: Vec<Span> =
            known.iter().filter(|one| !policy.is_readable(&one.entity)).map(|one| one.span).collect();
        for finding in findings.iter().filter(|finding| !policy.is_readable(&finding.entity)) {
            let value = finding.span.of(passage.text.expose()).map(str::to_lowercase).unwrap_or_default();
            if !covers(&spans, finding.span) && !hidden.iter().any(|hidden| hidden.contains(value.trim())) {
                return true;
            }
        }
    }
    false
}

/// The sweep takes values of so many characters.
const SWEPT_CHARS_MIN: usize = 4;

/// Whether spans together cover one.
fn covers(spans: &[Span], span: Span) -> bool {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut reached = span.start();
    for one in sorted {
        if one.start() <= reached && one.end() > reached {
            reached = one.end();
        }
    }
    reached >= span.end()
}

/// A stored finding: where, and of what kind.
#[derive(Deserialize)]
struct Known {
    span: Span,
    entity: EntityType,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: usize, end: usize) -> Span {
        Span::new(start, end).unwrap()
    }

    #[test]
    fn spans_cover_what_they_reach_without_a_gap() {
        assert!(covers(&[span(0, 5), span(5, 9)], span(2, 9)));
        assert!(covers(&[span(4, 9), span(0, 5)], span(0, 9)));
        assert!(!covers(&[span(0, 5), span(6, 9)], span(2, 9)), "a byte between them");
        assert!(!covers(&[], span(0, 1)));
        assert!(!covers(&[span(1, 9)], span(0, 9)), "its first byte");
    }
}
