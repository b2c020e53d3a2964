//! What holds for findings whatever the text and whoever takes part, on the patterns that ship.

use super::tests::{PIECES, participant, ruleset};
use super::{Participant, Participants};
use crate::model::{Finding, Span, SubjectRef};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Three texts of awkward pieces out of four, else any text.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(select(PIECES), 0..40).prop_map(|pieces| pieces.concat());
    let spaced = prop::collection::vec(select(PIECES), 0..25).prop_map(|pieces| pieces.join(" "));
    prop_oneof![2 => pieces, 1 => spaced, 1 => "\\PC{0,120}"]
}

/// Number, handle, name, and whether it is the organisation.
type Person = (u32, &'static str, &'static str, bool);

/// People whose names and handles overlap with each other and with what stands in the texts.
fn people() -> impl Strategy<Value = Vec<Person>> {
    let one = (select(HANDLES), select(NAMES), prop::bool::weighted(0.2));
    let numbered = |people: Vec<(&'static str, &'static str, bool)>| {
        people.into_iter().zip(1..).map(|((handle, name, own), n)| (n, handle, name, own)).collect()
    };
    prop::collection::vec(one, 0..6).prop_map(numbered)
}

const HANDLES: &[&str] = &[
    "jan_v",
    "@jan_v@voorbeeld.social",
    "min",
    "straat",
    "Vries",
    "els92",
    "a",
    "",
    "@",
    "x.nl",
    "😀",
    "at",
];
const NAMES: &[&str] = &[
    "Jan de Vries",
    "Jan",
    "de",
    "Min",
    "Els van der Vries",
    "JAN DE VRIES",
    "",
    "😀 Jan 😀",
    "e\u{301}",
    "Straat 12",
    "en",
];

fn participants(people: &[Person]) -> Vec<Participant<'static>> {
    people.iter().map(|(n, handle, name, own)| participant(*n, handle, name, *own)).collect()
}

fn detect(text: &str, people: &[Person]) -> Vec<Finding> {
    ruleset().detect(text, &participants(people))
}

proptest! {
    #[test]
    fn findings_do_not_depend_on_what_else_is_read_or_on_which_thread(
        texts in prop::collection::vec(text(), 1..8),
        order in prop::collection::vec(any::<Index>(), 1..24),
        people in people(),
    ) {
        let people = Participants::of(&participants(&people));
        let alone: Vec<Vec<Finding>> = texts.iter().map(|t| ruleset().detect_among(t, &people)).collect();
        for at in order {
            let at = at.index(texts.len());
            prop_assert_eq!(&ruleset().detect_among(&texts[at], &people), &alone[at]);
        }
        let beside = std::thread::scope(|scope| {
            let people = &people;
            let threads: Vec<_> = texts
                .iter()
                .rev()
                .map(|text| scope.spawn(move || ruleset().detect_among(text, people)))
                .collect();
            threads.into_iter().rev().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        prop_assert_eq!(beside, alone);
    }

    #[test]
    fn people_in_another_order_or_compiled_beforehand_change_nothing(
        text in text(),
        (people, turned) in people().prop_flat_map(|people| (Just(people.clone()), Just(people).prop_shuffle())),
    ) {
        let findings = detect(&text, &people);
        let compiled = Participants::of(&participants(&people));
        prop_assert_eq!(&ruleset().detect_among(&text, &compiled), &findings);
        let seen = |findings: &[Finding]| -> Vec<(Span, String, Option<SubjectRef>)> {
            findings.iter().map(|f| (f.span, f.entity.as_str().to_owned(), f.subject)).collect()
        };
        prop_assert_eq!(seen(&detect(&text, &turned)), seen(&findings));
    }

    #[test]
    fn evidence_lies_inside_the_text_and_subjects_take_part(text in text(), people in people()) {
        for finding in detect(&text, &people) {
            prop_assert!(!finding.evidence.is_empty());
            for evidence in &finding.evidence {
                prop_assert!(evidence.span.is_none_or(|s| s.of(&text).is_some()), "{:?}", evidence);
                prop_assert!(evidence.weight.is_finite(), "{:?}", evidence);
            }
            prop_assert!(finding.subject.is_none_or(|s| people.iter().any(|(n, ..)| *n == s.number())));
        }
    }

    /// Spans counted in code points and in UTF-16 name the same passage as spans in bytes.
    #[test]
    fn spans_lie_on_character_boundaries_in_all_units(text in text(), people in people()) {
        let (points, units): (Vec<char>, Vec<u16>) = (text.chars().collect(), text.encode_utf16().collect());
        for finding in detect(&text, &people) {
            let passage = finding.span.of(&text).unwrap();
            let before = &text[..finding.span.start()];
            let from = before.chars().count();
            let cut: String = points[from..from + passage.chars().count()].iter().collect();
            prop_assert_eq!(&cut, passage);
            let from = before.encode_utf16().count();
            let cut = String::from_utf16(&units[from..from + passage.encode_utf16().count()]).unwrap();
            prop_assert_eq!(&cut, passage);
        }
    }
}
