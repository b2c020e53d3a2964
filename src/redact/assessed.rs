//! What people said of findings, laid over what a detector finds: a person's judgement outlives every later detection.
//!
//! Invariants: what a person redacted is covered; a byte that a detector covers stays covered, unless the whole finding lies
//! within a place that a person said need not be redacted; no two findings cross where none crossed before.

use crate::model::{EntityType, ExemptionCode, Finding, RecogniserId, Score, Span};

/// What a person said of one place in one passage of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessed {
    /// Which passage, from 0.
    pub passage: usize,
    /// Where in it, in UTF-8 bytes.
    pub span: Span,
    /// What.
    pub said: Said,
}

/// Redacted or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is redacted, as this, for this reason.
    Redact {
        /// What it is.
        entity: EntityType,
        /// Why.
        exemption: ExemptionCode,
    },
    /// It need not be redacted.
    Read,
}

/// Lays what people said, oldest first, over the findings of each passage. Without anything said nothing changes.
pub fn overlay(found: &mut [Vec<Finding>], assessed: &[Assessed]) {
    if assessed.is_empty() {
        return;
    }
    for (passage, findings) in found.iter_mut().enumerate() {
        let standing = standing(assessed.iter().filter(|one| one.passage == passage));
        if !standing.is_empty() {
            lay(findings, &standing);
        }
    }
}

/// What stands of what was said one after the other: a later word takes the place of those within its span.
fn standing<'a>(said: impl Iterator<Item = &'a Assessed>) -> Vec<&'a Assessed> {
    let mut standing: Vec<&Assessed> = Vec::new();
    for one in said {
        standing.retain(|earlier| !one.span.covers(earlier.span));
        standing.push(one);
    }
    standing
}

fn lay(findings: &mut Vec<Finding>, standing: &[&Assessed]) {
    let read = |span: Span| standing.iter().any(|one| one.said == Said::Read && one.span.covers(span));
    findings.retain(|finding| !read(finding.span));
    for one in standing {
        if let Said::Redact { entity, exemption } = &one.said {
            redact(findings, one.span, entity, exemption);
        }
    }
    findings.sort_by_key(|finding| (finding.span.start(), std::cmp::Reverse(finding.span.end())));
}

/// Puts a person's redaction among the findings: one of the same place gives way, one that crosses keeps what lies outside.
fn redact(findings: &mut Vec<Finding>, span: Span, entity: &EntityType, exemption: &ExemptionCode) {
    let Ok(recogniser) = Finding::REVIEWER.parse::<RecogniserId>() else { return };
    let mut subject = None;
    let mut kept = Vec::with_capacity(findings.len() + 1);
    for finding in findings.drain(..) {
        if finding.span == span {
            subject = finding.subject.filter(|_| finding.entity == *entity).or(subject);
        } else if !finding.span.overlaps(span) || finding.span.covers(span) || span.covers(finding.span) {
            kept.push(finding);
        } else {
            kept.extend(outside(&finding, span));
        }
    }
    kept.push(Finding {
        span,
        entity: entity.clone(),
        score: Score::new(1.0),
        recogniser,
        exemption: exemption.clone(),
        evidence: Vec::new(),
        subject,
    });
    *findings = distinct(kept);
}

/// What of a finding lies outside `span`, which crosses it.
fn outside(finding: &Finding, span: Span) -> Option<Finding> {
    let (start, end) = match finding.span.start() < span.start() {
        true => (finding.span.start(), span.start()),
        false => (span.end(), finding.span.end()),
    };
    Some(Finding { span: Span::new(start, end)?, evidence: Vec::new(), ..finding.clone() })
}

/// One finding a place: what is left of a finding may be where another one stands already, which goes before.
fn distinct(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        match kept.iter().position(|one| one.span == finding.span) {
            Some(at) if finding.is_assessed() => {
                if let Some(one) = kept.get_mut(at) {
                    *one = finding;
                }
            }
            Some(_) => {}
            None => kept.push(finding),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::cover::tests::{at, finding};
    use super::*;
    use crate::redact::{Piece, RedactionPolicy, Status, redact as redacted};
    use proptest::prelude::*;

    fn said(start: usize, end: usize, redact: bool) -> Assessed {
        let said = match redact {
            true => {
                Said::Redact { entity: "PERSON".parse().unwrap(), exemption: "woo-5.1.2e".parse().unwrap() }
            }
            false => Said::Read,
        };
        Assessed { passage: 0, span: Span::new(start, end).unwrap(), said }
    }

    fn shown(text: &str, findings: Vec<Finding>, said: &[Assessed]) -> String {
        let mut found = vec![findings];
        overlay(&mut found, said);
        let redacted = redacted(text, &found[0], &RedactionPolicy::default()).unwrap();
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(p) if p.status == Status::Assessed => format!("<{}!>", p.entity),
            Piece::Placeholder(p) => format!("<{}>", p.entity),
        };
        redacted.pieces().iter().map(piece).collect()
    }

    #[test]
    fn what_a_person_said_goes_before_what_a_detector_finds() {
        let text = "Jan Vos belt Els";
        let name = || vec![finding(text, "Jan Vos", "PERSON")];
        let table: &[(Vec<Finding>, Vec<Assessed>, &str)] = &[
            (name(), vec![], "<PERSON> belt Els"),
            (name(), vec![said(0, 7, true)], "<PERSON!> belt Els"),
            (vec![], vec![said(0, 7, true)], "<PERSON!> belt Els"),
            (name(), vec![said(0, 7, false)], "Jan Vos belt Els"),
            (name(), vec![said(13, 16, true)], "<PERSON> belt <PERSON!>"),
            // The last word counts.
            (name(), vec![said(0, 7, false), said(0, 7, true)], "<PERSON!> belt Els"),
            (name(), vec![said(0, 7, true), said(0, 7, false)], "Jan Vos belt Els"),
            // A detector that finds more later is not silenced by a word about less.
            (vec![finding(text, "Jan Vos belt", "ADDRESS")], vec![said(0, 7, false)], "<ADDRESS> Els"),
            // One that crosses keeps what lies outside.
            (vec![finding(text, "Vos belt", "ADDRESS")], vec![said(0, 7, true)], "<PERSON!><ADDRESS> Els"),
        ];
        for (findings, said, expected) in table {
            assert_eq!(shown(text, findings.clone(), said), *expected, "{said:?}");
        }
    }

    #[test]
    fn another_passage_is_left_alone() {
        let mut found = vec![vec![], vec![at(0, 3, "PERSON")]];
        overlay(&mut found, &[said(0, 3, false)]);
        assert_eq!(found[1].len(), 1);
    }

    proptest! {
        #[test]
        fn nothing_that_was_covered_is_given_up_but_what_a_person_gave_up(
            places in proptest::collection::vec((0_usize..6, 1_usize..5), 0..4),
            words in proptest::collection::vec((0_usize..24, 1_usize..7, any::<bool>()), 0..5),
        ) {
            let text: String = ('a'..='z').chain('A'..='Z').collect();
            // Apart from each other, as a detector gives them.
            let findings: Vec<Finding> = places
                .iter()
                .enumerate()
                .map(|(n, (from, long))| at(n * 12 + from, n * 12 + from + long, "USERNAME"))
                .filter(|finding| finding.span.end() <= text.len())
                .collect();
            let words: Vec<Assessed> =
                words.iter().map(|(from, long, redact)| said(*from, from + long, *redact)).collect();
            let mut found = vec![findings.clone()];
            overlay(&mut found, &words);
            let covered = |at: usize| found[0].iter().any(|f| f.span.start() <= at && at < f.span.end());
            for finding in &findings {
                let given_up = words.iter().any(|w| w.said == Said::Read && w.span.covers(finding.span));
                let all = (finding.span.start()..finding.span.end()).all(covered);
                prop_assert!(all || given_up, "{finding:?} {words:?}");
            }
            for one in standing(words.iter()).iter().filter(|one| one.said != Said::Read) {
                prop_assert!((one.span.start()..one.span.end()).all(covered), "{one:?}");
            }
            let crosses = found[0].iter().any(|a| found[0].iter().any(|b| {
                a.span.overlaps(b.span) && !a.span.covers(b.span) && !b.span.covers(a.span)
            }));
            prop_assert!(!crosses, "{:?}", found[0]);
        }
    }
}
