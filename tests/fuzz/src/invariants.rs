//! What holds for the findings of any text.

use crate::detect::{Participant, Participants, Ruleset};
use crate::model::Finding;

/// Runs the detector and fails on anything it promised and did not keep.
pub fn check(ruleset: &Ruleset, text: &str, participants: &[Participant<'_>]) {
    let compiled = Participants::of(participants);
    let findings = ruleset.detect_among(text, &compiled);
    check_shape(ruleset, text, &findings);
    for finding in &findings {
        let known = |s| participants.iter().any(|p| p.subject == s);
        assert!(finding.subject.is_none_or(known), "a subject that takes no part");
    }
    assert!(ruleset.detect_among(text, &compiled) == findings, "the same text again gives something else");
}

fn check_shape(ruleset: &Ruleset, text: &str, findings: &[Finding]) {
    let mut last = 0;
    for finding in findings {
        assert!(finding.span.start() >= last, "sorted and apart");
        assert!(
            finding.span.of(text).is_some_and(|t| !t.is_empty()),
            "on character boundaries, inside the text"
        );
        let score = finding.score.value();
        assert!(score >= ruleset.thresholds().doubtful && score <= 1.0, "score {score}");
        assert!(!finding.evidence.is_empty(), "a finding says why");
        for evidence in &finding.evidence {
            assert!(evidence.weight.is_finite(), "weight {}", evidence.weight);
            assert!(evidence.span.is_none_or(|s| s.of(text).is_some()), "evidence outside the text");
        }
        last = finding.span.end();
    }
}
