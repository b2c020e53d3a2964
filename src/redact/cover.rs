//! From text and findings to redacted text.

use super::RedactError;
use super::piece::{Piece, Placeholder, RedactedText, Status};
use super::sweep::Sweep;
use crate::model::{EntityType, Finding, Span};
use std::collections::BTreeSet;

/// Which findings stay readable. Everything else is covered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedactionPolicy {
    readable: BTreeSet<EntityType>,
}

impl RedactionPolicy {
    /// A policy under which these entity types, and no others, stay readable.
    #[must_use]
    pub fn new(readable: impl IntoIterator<Item = EntityType>) -> Self {
        Self { readable: readable.into_iter().collect() }
    }

    /// Whether findings of this type stay readable.
    #[must_use]
    pub fn is_readable(&self, entity: &EntityType) -> bool {
        self.readable.contains(entity)
    }
}

/// Redacts one text: findings become placeholders, and what they cover is covered wherever else it
/// stands in the text (from four characters, without regard to case, diacritics and invisible
/// characters; the whole word then). A covered value inside a readable finding is covered.
///
/// # Errors
/// [`RedactError::OffText`] and [`RedactError::Overlap`]: withhold the text.
pub fn redact(
    text: &str,
    findings: &[Finding],
    policy: &RedactionPolicy,
) -> Result<RedactedText, RedactError> {
    let covers = Covers::of(text, findings, policy)?;
    let sweep = Sweep::new(covers.values())?;
    Ok(covers.redact(&sweep))
}

/// The covers of one text: what is redacted in it, before the sweep.
pub(super) struct Covers<'t> {
    text: &'t str,
    /// Sorted, disjoint.
    covers: Vec<(Span, Placeholder)>,
    /// Every covered value, those inside a wider cover too.
    values: Vec<(&'t str, Placeholder)>,
}

impl<'t> Covers<'t> {
    /// Checks the findings against the text and each other. Nested ones are covered by the outer one.
    pub(super) fn of(
        text: &'t str,
        findings: &[Finding],
        policy: &RedactionPolicy,
    ) -> Result<Self, RedactError> {
        let mut sorted = Vec::with_capacity(findings.len());
        for (index, finding) in findings.iter().enumerate() {
            let value = finding.span.of(text).ok_or(RedactError::OffText { index })?;
            if !policy.is_readable(&finding.entity) {
                sorted.push((finding.span, index, value, placeholder(finding)));
            }
        }
        sorted.sort_by_key(|(span, index, ..)| (span.start(), std::cmp::Reverse(span.end()), *index));
        let mut covers: Vec<(Span, Placeholder)> = Vec::with_capacity(sorted.len());
        let mut values = Vec::with_capacity(sorted.len());
        for (span, index, value, placeholder) in sorted {
            match covers.last() {
                Some((last, same)) if *last == span && *same != placeholder => {
                    return Err(RedactError::Overlap { index });
                }
                Some((last, _)) if last.covers(span) => {}
                Some((last, _)) if last.overlaps(span) => return Err(RedactError::Overlap { index }),
                _ => covers.push((span, placeholder.clone())),
            }
            values.extend(swept(text, span, value).map(|value| (value, placeholder.clone())));
        }
        Ok(Self { text, covers, values })
    }

    /// What is covered, with what stands for it.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, &Placeholder)> {
        self.values.iter().map(|(value, placeholder)| (*value, placeholder))
    }

    /// The text with its covers and what the sweep finds replaced.
    pub(super) fn redact(&self, sweep: &Sweep) -> RedactedText {
        RedactedText::new(pieces(self.text, &self.covered(sweep)))
    }

    /// Kind and words of what is replaced, in order.
    pub(super) fn behind(&self, sweep: &Sweep) -> Vec<(EntityType, &'t str)> {
        let covered = self.covered(sweep);
        let behind =
            covered.iter().map(|(span, of)| (of.entity.clone(), span.of(self.text).unwrap_or_default()));
        behind.collect()
    }

    /// The places of what is replaced, in order.
    pub(super) fn places(&self, sweep: &Sweep) -> Vec<Span> {
        self.covered(sweep).into_iter().map(|(span, _)| span).collect()
    }

    /// What is covered, with what the sweep finds, sorted and disjoint.
    fn covered<'a>(&'a self, sweep: &'a Sweep) -> Vec<(Span, &'a Placeholder)> {
        let spans: Vec<Span> =
            if sweep.is_empty() { Vec::new() } else { self.covers.iter().map(|(span, _)| *span).collect() };
        let swept = sweep.find(self.text, &spans);
        let mut all: Vec<(Span, &Placeholder)> = self.covers.iter().map(|(span, p)| (*span, p)).collect();
        for (span, placeholder) in swept {
            // What a cover leaves of a find tells nothing when it holds no letter or digit.
            let tells = |rest: &Span| *rest == span || rest.of(self.text).is_some_and(has_alphanumeric);
            all.extend(outside(span, &spans).filter(tells).map(|rest| (rest, placeholder)));
        }
        all.sort_by_key(|(span, _)| span.start());
        all
    }
}

/// What of `span` lies outside the covers (sorted, disjoint).
fn outside(span: Span, covers: &[Span]) -> impl Iterator<Item = Span> {
    let first = covers.partition_point(|cover| cover.end() <= span.start());
    let crossing = covers.iter().skip(first).take_while(move |cover| cover.start() < span.end());
    let edges =
        crossing.map(|cover| (cover.start(), cover.end())).chain(std::iter::once((span.end(), span.end())));
    let mut from = span.start();
    edges.filter_map(move |(start, end)| {
        let rest = Span::new(from, start);
        from = end;
        rest
    })
}

fn pieces(text: &str, covers: &[(Span, &Placeholder)]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(covers.len() * 2 + 1);
    let mut from = 0;
    let push = |from: usize, to: usize, pieces: &mut Vec<Piece>| {
        if let Some(run) = text.get(from..to).filter(|run| !run.is_empty()) {
            pieces.push(Piece::Text(run.to_owned()));
        }
    };
    for (span, placeholder) in covers {
        push(from, span.start(), &mut pieces);
        pieces.push(Piece::Placeholder((*placeholder).clone()));
        from = span.end();
    }
    push(from, text.len(), &mut pieces);
    pieces
}

fn has_alphanumeric(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// The forms in which a covered value is searched for. A mention is searched for with its `@`, and bare
/// only when it is no plain word: else an account called `toeslag` would blank that word.
fn swept<'t>(text: &'t str, span: Span, value: &'t str) -> impl Iterator<Item = &'t str> {
    let before = span.start().checked_sub(1).and_then(|at| text.get(at..span.start()));
    let mention = if before == Some("@") { text.get(span.start() - 1..span.end()) } else { None };
    let mention = mention.or_else(|| value.starts_with('@').then_some(value));
    let bare = value.trim_start_matches('@');
    let plain = bare.chars().all(char::is_alphabetic);
    let bare = (mention.is_none() || !plain).then_some(bare);
    mention.into_iter().chain(bare)
}

fn placeholder(finding: &Finding) -> Placeholder {
    Placeholder {
        entity: finding.entity.clone(),
        subject: finding.subject,
        exemption: finding.exemption.clone(),
        status: if finding.is_assessed() { Status::Assessed } else { Status::Provisional },
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{Score, SubjectRef};

    pub(crate) fn finding(text: &str, value: &str, entity: &str) -> Finding {
        let start = text.find(value).unwrap();
        at(start, start + value.len(), entity)
    }

    pub(crate) fn at(start: usize, end: usize, entity: &str) -> Finding {
        Finding {
            span: Span::new(start, end).unwrap(),
            entity: entity.parse().unwrap(),
            score: Score::new(0.9),
            recogniser: "test".parse().unwrap(),
            exemption: "woo-5.1.2e".parse().unwrap(),
            evidence: Vec::new(),
            subject: None,
        }
    }

    fn policy() -> RedactionPolicy {
        RedactionPolicy::new(["PUBLIC_OFFICIAL".parse().unwrap()])
    }

    fn shown(text: &str, findings: &[Finding]) -> String {
        let redacted = redact(text, findings, &policy()).unwrap();
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(placeholder) => format!("<{}>", placeholder.entity),
        };
        redacted.pieces().iter().map(piece).collect()
    }

    #[test]
    fn findings_become_placeholders_and_their_values_are_swept() {
        type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);
        let table: &[Case] = &[
            ("Jan Vos belt", &[("Jan Vos", "PERSON")], "<PERSON> belt"),
            ("Bas: JANSEN zei jansen's", &[("JANSEN", "PERSON")], "Bas: <PERSON> zei <PERSON>'s"),
            ("Jong en de jongeren", &[("Jong", "PERSON")], "<PERSON> en de <PERSON>"),
            ("José en JOSE", &[("José", "PERSON")], "<PERSON> en <PERSON>"),
            ("Jan en jan", &[("Jan", "PERSON")], "<PERSON> en jan"),
            (
                "minister Jansen en M. Jansen",
                &[("minister Jansen", "PUBLIC_OFFICIAL")],
                "minister Jansen en M. Jansen",
            ),
            ("x 0612345678.0612345678", &[("0612345678", "PHONE_NUMBER")], "x <PHONE_NUMBER>.<PHONE_NUMBER>"),
            ("VosVosVos", &[("Vos", "PERSON")], "<PERSON>VosVos"),
            ("HiddeHidde", &[("Hidde", "PERSON")], "<PERSON><PERSON>"),
            ("@toeslag de toeslag @Toeslag", &[("@toeslag", "USERNAME")], "<USERNAME> de toeslag <USERNAME>"),
            ("@toeslag de toeslag @Toeslag", &[("toeslag", "USERNAME")], "@<USERNAME> de toeslag <USERNAME>"),
            ("@vos_83 of vos_83", &[("@vos_83", "USERNAME")], "<USERNAME> of <USERNAME>"),
            ("niets", &[], "niets"),
            ("", &[], ""),
        ];
        for (text, given, expected) in table {
            let findings: Vec<Finding> =
                given.iter().map(|(value, entity)| finding(text, value, entity)).collect();
            assert_eq!(shown(text, &findings), *expected, "{text}");
        }
    }

    #[test]
    fn a_covered_name_inside_a_readable_one_is_covered() {
        let text = "burger Jansen sprak minister Jansen";
        let findings =
            [finding(text, "Jansen", "PERSON"), finding(text, "minister Jansen", "PUBLIC_OFFICIAL")];
        assert_eq!(shown(text, &findings), "burger <PERSON> sprak minister <PERSON>");
    }

    #[test]
    fn what_contradicts_is_withheld() {
        let text = "één Jan Vos hier";
        let table = [
            (vec![at(1, 4, "PERSON")], RedactError::OffText { index: 0 }),
            (vec![at(0, 999, "PERSON")], RedactError::OffText { index: 0 }),
            (vec![at(1, 4, "PUBLIC_OFFICIAL")], RedactError::OffText { index: 0 }),
            (vec![at(6, 9, "PERSON"), at(8, 13, "PERSON")], RedactError::Overlap { index: 1 }),
            (vec![at(6, 9, "PERSON"), at(6, 9, "USERNAME")], RedactError::Overlap { index: 1 }),
        ];
        for (findings, expected) in table {
            assert_eq!(redact(text, &findings, &policy()).err(), Some(expected));
        }
        assert_eq!(shown(text, &[at(6, 13, "PERSON"), at(6, 9, "USERNAME")]), "één <PERSON> hier");
    }

    #[test]
    fn a_value_of_two_people_is_swept_without_a_person() {
        let text = "Vosse, Vosse en vosse";
        let mut findings = [at(0, 5, "PERSON"), at(7, 12, "PERSON")];
        findings[0].subject = Some(SubjectRef::from_u32(1));
        findings[1].subject = Some(SubjectRef::from_u32(2));
        let redacted = redact(text, &findings, &policy()).unwrap();
        let subjects: Vec<_> = redacted.placeholders().map(|p| p.subject.map(SubjectRef::number)).collect();
        assert_eq!(subjects, [Some(1), Some(2), None]);
    }
}
