//! What was missed before: something that is covered now and was readable in a view.

use super::stored_findings::stored_findings;
use crate::model::{Finding, Span};
use crate::redact::{RedactionPolicy, SourcePassage, hidden};

/// Whether findings cover letters or digits of a record's texts that those of before left readable. What was covered wherever it
/// stands, because it stood under a finding elsewhere in the record, was covered before too. Of findings of before that cannot
/// be read nobody can say what they covered: then it is so.
pub(super) fn shows_too_much(
    texts: &[&str],
    before: &str,
    now: &[Vec<Finding>],
    policy: &RedactionPolicy,
) -> bool {
    let Some(before) = stored_findings(before) else { return true };
    let findings = |place: usize| before.get(place).map(Vec::as_slice).unwrap_or_default();
    let passages: Vec<SourcePassage<'_>> = texts
        .iter()
        .enumerate()
        .map(|(place, text)| SourcePassage { role: "", text, findings: findings(place) })
        .collect();
    // What could not be redacted with certainty was withheld.
    let Ok(hidden) = hidden(&passages, policy) else { return false };
    let covered = |finding: &&Finding| !policy.is_readable(&finding.entity);
    texts.iter().zip(&hidden).zip(now).any(|((text, hidden), findings)| {
        findings.iter().filter(covered).any(|finding| is_readable(text, finding.span, hidden))
    })
}

/// Whether a letter or digit of a span lies outside what is hidden (in order).
fn is_readable(text: &str, span: Span, hidden: &[Span]) -> bool {
    let mut from = span.start();
    let crossing = hidden.iter().filter(|one| one.overlaps(span));
    let edges = crossing.map(|one| (one.start(), one.end())).chain([(span.end(), span.end())]);
    for (start, end) in edges {
        let between = text.get(from..start.max(from));
        if between.is_none_or(|between| between.contains(char::is_alphanumeric)) {
            return true;
        }
        from = from.max(end);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Score;

    fn span(start: usize, end: usize) -> Span {
        Span::new(start, end).unwrap()
    }

    fn found(text: &str, value: &str, entity: &str) -> Finding {
        let start = text.find(value).unwrap();
        Finding {
            span: span(start, start + value.len()),
            entity: entity.parse().unwrap(),
            score: Score::new(0.9),
            recogniser: "person.names".parse().unwrap(),
            exemption: "woo-5.1.2e".parse().unwrap(),
            evidence: Vec::new(),
            subject: None,
        }
    }

    #[test]
    fn what_lies_between_hidden_places_is_readable_when_it_tells_something() {
        let text = "Jan de Vos, 34";
        let table: &[(&[Span], (usize, usize), bool)] = &[
            (&[span(0, 10)], (0, 10), false),
            (&[span(0, 3), span(3, 10)], (0, 10), false),
            (&[span(0, 6), span(7, 10)], (0, 10), false),
            (&[span(0, 3), span(7, 10)], (0, 10), true),
            (&[span(1, 10)], (0, 10), true),
            (&[span(0, 9)], (0, 10), true),
            (&[], (0, 3), true),
            (&[span(0, 14)], (4, 6), false),
            (&[], (10, 12), false),
        ];
        for (hidden, (start, end), readable) in table {
            assert_eq!(is_readable(text, span(*start, *end), hidden), *readable, "{hidden:?}");
        }
    }

    #[test]
    fn a_record_showed_too_much_when_something_is_covered_now_that_was_not() {
        let text = "Jansen zag An, en An belde JANSEN";
        let policy = RedactionPolicy::new(["PUBLIC_OFFICIAL".parse().unwrap()]);
        let jansen = || found(text, "Jansen", "PERSON");
        let table: Vec<(Vec<Finding>, Vec<Finding>, bool)> = vec![
            (vec![jansen()], vec![jansen()], false),
            // It was swept there: wherever it stands, whatever the case.
            (vec![jansen()], vec![jansen(), found(text, "JANSEN", "PERSON")], false),
            // A word that only stands within another one was readable.
            (vec![jansen()], vec![jansen(), found(text, "An", "PERSON")], true),
            (vec![], vec![jansen()], true),
            (vec![found(text, "Jansen", "PUBLIC_OFFICIAL")], vec![jansen()], true),
            (vec![jansen()], vec![found(text, "Jansen zag", "PERSON")], true),
            (vec![jansen()], vec![], false),
            (vec![], vec![found(text, "Jansen", "PUBLIC_OFFICIAL")], false),
        ];
        for (before, now, expected) in table {
            let before = serde_json::to_string(&[before]).unwrap();
            assert_eq!(
                shows_too_much(&[text], &before, std::slice::from_ref(&now), &policy),
                expected,
                "{before} {now:?}"
            );
        }
        assert!(shows_too_much(&[text], "{", &[vec![]], &policy), "nobody can say");
        assert!(!shows_too_much(&[text], "[]", &[vec![]], &policy));
        assert!(shows_too_much(&[text], "[]", &[vec![jansen()]], &policy));
    }
}
