//! Findings as they are written: for machines as JSON, for people as a table and, on a terminal, in colour.

use crate::model::{Evidence, Finding, OffsetError, OffsetUnit};
use serde::Serialize;
use std::ops::Range;

/// A finding for machines: offsets in the unit asked for, end exclusive.
#[derive(Serialize)]
pub(super) struct FindingOut<'f> {
    start: usize,
    end: usize,
    #[serde(rename = "type")]
    entity: &'f str,
    score: f64,
    recogniser: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Vec<EvidenceOut<'f>>>,
}

/// What moved the score, and where it stands when it stands somewhere.
#[derive(Serialize)]
struct EvidenceOut<'f> {
    rule: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<usize>,
    weight: f64,
}

/// Findings with their offsets converted, all in one walk over the text; evidence only when explained.
///
/// # Errors
/// When a finding does not fit the text.
pub(super) fn converted<'f>(
    text: &str,
    findings: &'f [Finding],
    unit: OffsetUnit,
    explain: bool,
) -> Result<Vec<FindingOut<'f>>, OffsetError> {
    let evidence = |finding: &'f Finding| if explain { finding.evidence.as_slice() } else { &[] };
    let spans = findings.iter().flat_map(|finding| {
        std::iter::once(finding.span).chain(evidence(finding).iter().filter_map(|e| e.span))
    });
    let mut places = unit.of_spans(text, &spans.collect::<Vec<_>>())?.into_iter();
    let mut out = Vec::with_capacity(findings.len());
    for finding in findings {
        let Range { start, end } = places.next().unwrap_or_default();
        let reasons = evidence(finding).iter().map(|reason| reason_out(reason, &mut places));
        let reasons: Vec<EvidenceOut<'f>> = reasons.collect();
        out.push(FindingOut {
            start,
            end,
            entity: finding.entity.as_str(),
            score: rounded(finding.score.value()),
            recogniser: finding.recogniser.as_str(),
            evidence: explain.then_some(reasons),
        });
    }
    Ok(out)
}

fn reason_out<'f>(reason: &'f Evidence, places: &mut impl Iterator<Item = Range<usize>>) -> EvidenceOut<'f> {
    let place = reason.span.and_then(|_| places.next());
    EvidenceOut {
        rule: reason.rule.as_str(),
        start: place.as_ref().map(|place| place.start),
        end: place.map(|place| place.end),
        weight: rounded(reason.weight),
    }
}

/// Three decimals: what a sum of scores means, without what binary fractions add to it.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1_000.0).round() / 1_000.0
}

impl FindingOut<'_> {
    /// The cells of a table row, under [`HEAD`].
    pub(super) fn cells(&self) -> [String; 5] {
        [
            self.start.to_string(),
            self.end.to_string(),
            self.entity.to_owned(),
            format!("{:.2}", self.score),
            self.recogniser.to_owned(),
        ]
    }

    /// A line for each reason.
    pub(super) fn reasons(&self) -> impl Iterator<Item = String> {
        self.evidence.iter().flatten().map(|reason| {
            let place = reason.start.zip(reason.end).map(|(start, end)| format!("  at {start}..{end}"));
            format!("    {:+.2}  {}{}", reason.weight, reason.rule, place.unwrap_or_default())
        })
    }
}

/// The columns of [`FindingOut::cells`].
pub(super) const HEAD: [&str; 5] = ["start", "end", "type", "score", "recogniser"];

/// A text as a terminal may show it: what would move the cursor, break the line or turn the direction is written
/// out, so that a stranger's text can do nothing to who reads it.
pub(super) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
        let breaks = matches!(c, '\u{2028}' | '\u{2029}');
        if c.is_control() || turns || breaks {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether and how to colour.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    /// Not at all: no terminal, or `NO_COLOR` is set (<https://no-color.org>).
    Plain,
    /// With ANSI codes.
    Colour,
}

impl Paint {
    /// Colour on a terminal that can, unless the user said otherwise.
    pub(super) fn of(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Self {
        let unwanted = no_color.is_some_and(|set| !set.is_empty());
        if is_terminal && !unwanted && term != Some("dumb") { Self::Colour } else { Self::Plain }
    }

    /// A text in the colour of a type: the same type, the same colour.
    pub(super) fn of_type(self, entity: &str, text: &str) -> String {
        const COLOURS: [u8; 6] = [31, 32, 33, 34, 35, 36];
        let sum: usize = entity.bytes().map(usize::from).sum();
        let colour = COLOURS.get(sum % COLOURS.len()).copied().unwrap_or(36);
        self.coded(&format!("1;{colour}"), text)
    }

    /// A text that matters less.
    pub(super) fn faint(self, text: &str) -> String {
        self.coded("2", text)
    }

    fn coded(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// The lines of a text that hold a finding, each finding in colour with its type behind it. Findings are sorted
/// and do not overlap.
pub(super) fn marked(text: &str, findings: &[Finding], paint: Paint) -> Vec<String> {
    let (mut lines, mut line, mut from) = (Vec::new(), String::new(), 0);
    for finding in findings {
        let before = text.get(from..finding.span.start()).unwrap_or_default();
        if let Some((ends, rest)) = before.split_once('\n') {
            if from > 0 {
                line.push_str(&harmless(ends.trim_end_matches('\r')));
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(&harmless(rest.rsplit('\n').next().unwrap_or_default()));
        } else {
            line.push_str(&harmless(before));
        }
        let entity = finding.entity.as_str();
        line.push_str(&paint.of_type(entity, &harmless(finding.span.of(text).unwrap_or_default())));
        line.push_str(&paint.faint(&format!("‹{entity}›")));
        from = finding.span.end();
    }
    if !findings.is_empty() {
        let rest = text.get(from..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        line.push_str(&harmless(rest));
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Score, Span};

    fn finding(text: &str, value: &str, evidence: Option<(usize, usize)>) -> Finding {
        let start = text.find(value).unwrap();
        let evidence = Evidence {
            rule: "context.x".parse().unwrap(),
            span: evidence.and_then(|(start, end)| Span::new(start, end)),
            weight: 0.1 + 0.2,
        };
        Finding {
            span: Span::new(start, start + value.len()).unwrap(),
            entity: "PERSON".parse().unwrap(),
            score: Score::new(0.55 + 0.3),
            recogniser: "test".parse().unwrap(),
            exemption: "woo-5.1.2e".parse().unwrap(),
            evidence: vec![evidence],
            subject: None,
        }
    }

    #[test]
    fn offsets_of_findings_and_evidence_are_converted_together() {
        let text = "👍 naam Zoë en Ann";
        let findings = [
            finding(text, "Zoë", Some((5, 9))),
            finding(text, "Ann", None),
            finding(text, "en", Some((0, 4))),
        ];
        let shown =
            |unit, explain| serde_json::to_value(converted(text, &findings, unit, explain).unwrap()).unwrap();
        let reason = |places: Option<(usize, usize)>| match places {
            Some((start, end)) => {
                serde_json::json!([{"rule": "context.x", "start": start, "end": end, "weight": 0.3}])
            }
            None => serde_json::json!([{"rule": "context.x", "weight": 0.3}]),
        };
        let of = |start: usize, end: usize| serde_json::json!({"start": start, "end": end, "type": "PERSON", "score": 0.85, "recogniser": "test"});
        assert_eq!(shown(OffsetUnit::Chars, false), serde_json::json!([of(7, 10), of(14, 17), of(11, 13)]));
        let explained = shown(OffsetUnit::Utf16, true);
        assert_eq!(explained[0]["start"], 8);
        assert_eq!(explained[0]["evidence"], reason(Some((3, 7))));
        assert_eq!(explained[1]["evidence"], reason(None));
        assert_eq!(explained[2]["evidence"], reason(Some((0, 2))));
    }

    #[test]
    fn colour_is_for_terminals_and_can_be_refused() {
        assert!(Paint::of(true, None, Some("xterm")) == Paint::Colour);
        assert!(Paint::of(true, Some(""), None) == Paint::Colour, "empty is as unset");
        assert!(Paint::of(false, None, None) == Paint::Plain);
        assert!(Paint::of(true, Some("1"), None) == Paint::Plain);
        assert!(Paint::of(true, None, Some("dumb")) == Paint::Plain);
    }

    #[test]
    fn only_lines_with_findings_are_shown_and_strangers_codes_do_nothing() {
        let text = "een\ntwee Zoë\u{1b}[2J en Ann!\n\nvier\nvijf Bob\nzes";
        let findings = ["Zoë", "Ann", "Bob"].map(|value| finding(text, value, None));
        assert_eq!(
            marked(text, &findings, Paint::Plain),
            ["twee Zoë‹PERSON›\\u{1b}[2J en Ann‹PERSON›!", "vijf Bob‹PERSON›"]
        );
        let coloured = marked("Zoë", &[finding("Zoë", "Zoë", None)], Paint::Colour);
        assert!(
            coloured[0].starts_with("\u{1b}[1;3") && coloured[0].contains("mZoë\u{1b}[0m"),
            "{coloured:?}"
        );
        assert_eq!(marked("niets", &[], Paint::Plain), Vec::<String>::new());
        assert_eq!(harmless("a\nb\u{202e}c\té"), "a\\nb\\u{202e}c\\té");
    }
}
