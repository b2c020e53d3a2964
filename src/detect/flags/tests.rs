//! The reading of `flags.yaml`, and what holds for any text.

use super::super::tests::{files, load, ruleset, took};
use crate::model::{FlagKind, RecordFlag};
use proptest::prelude::*;

/// What is said of a ruleset whose `flags.yaml` is this text.
fn told(flags: &str) -> String {
    let mut files = files();
    files.iter_mut().find(|(name, _)| name == "flags.yaml").unwrap().1 = flags.to_owned();
    load(&files).err().map(|error| error.to_string()).unwrap_or_default()
}

/// A file with one rule, these lines in it.
fn rule(lines: &str) -> String {
    format!(
        "words:\n  i: [ik]\nbarriers: [niet]\nflags:\n  - name: x\n    kind: health\n    exemption: woo-5.1.1d\n    \
         source: s\n{lines}    examples: [{{text: ik heb x, flags: [ik heb x]}}]\n    counter_examples: [x]\n"
    )
}

#[test]
fn faults_name_file_line_field_and_mend() {
    let good = "    terms: [x]\n    near: [\"{i} heb {term}\"]\n";
    assert_eq!(told(&rule(good)), "");
    for (lines, parts) in [
        (
            "    terms: [x]\n    near: [\"{me} {term}\"]\n",
            &["flags.yaml:10", "near", "`{me}`", "use one of: i"][..],
        ),
        ("    terms: [x]\n    near: [\"{i} heb\"]\n", &["flags.yaml:10", "near", "{term}", "once"]),
        ("    terms: [x]\n    near: [\"{i} ~99 {term}\"]\n", &["flags.yaml:10", "near", "~99", "at most"]),
        ("    terms: [x]\n    near: [\"{i ~ {term}\"]\n", &["flags.yaml:10", "near", "does not close"]),
        ("    terms: [x]\n    near: [\"{i} : {term}\"]\n", &["flags.yaml:10", "near", "no word"]),
        ("    terms: [x]\n", &["flags.yaml:5", "`x`", "near", "general talk"]),
        ("    terms: [9..4]\n    near: [\"{i} {term}\"]\n", &["flags.yaml:9", "terms", "9..4", "4..17"]),
        ("    terms: [\"{x}\"]\n    near: [\"{i} {term}\"]\n", &["flags.yaml:9", "terms", "{x}"]),
        ("    terms: [\"...\"]\n    near: [\"{i} {term}\"]\n", &["flags.yaml:9", "terms"]),
        ("    phrases: [a b c d e f g h i j]\n", &["flags.yaml:9", "phrases", "10 words", "one to 8"]),
        ("    terms: [x]\n    nera: [\"{i} {term}\"]\n", &["flags.yaml:10", "nera", "patterns/README.md"]),
    ] {
        let told = told(&rule(lines));
        parts.iter().for_each(|part| assert!(told.contains(part), "{part} in: {told}"));
    }
}

#[test]
fn lists_that_name_themselves_and_kinds_that_are_not_there_are_told() {
    let good = rule("    terms: [x]\n    near: [\"{i} heb {term}\"]\n");
    let told_of = |from: &str, to: &str| told(&good.replace(from, to));
    let circle = told_of("i: [ik]", "i: [\"{i}\"]");
    assert!(circle.contains("flags.yaml:2: words.i") && circle.contains("names itself"), "{circle}");
    let kind = told_of("kind: health", "kind: politics");
    assert!(kind.contains("flags.yaml:6") && kind.contains("union-membership"), "{kind}");
    let twice = told(&format!("{good}{}", good.split_once("flags:\n").unwrap().1));
    assert!(twice.contains("flags.yaml:13: name") && twice.contains("twice"), "{twice}");
    let mut none = files();
    none.retain(|(name, _)| name != "flags.yaml");
    let told = load(&none).err().unwrap().to_string();
    assert!(told.contains("flags.yaml") && told.contains("missing"), "{told}");
}

#[test]
fn an_example_that_does_not_hold_is_found() {
    let mut files = files();
    let flags = &mut files.iter_mut().find(|(name, _)| name == "flags.yaml").unwrap().1;
    *flags = flags.replace("text: mijn man heeft kanker,", "text: de man heeft kanker,");
    let failures = load(&files).unwrap().check();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!((failures[0].recogniser.as_str(), failures[0].found.len()), ("health-condition", 0));
}

#[test]
fn every_rule_states_law_exemption_and_both_kinds_of_examples() {
    for rule in ruleset().flag_rules() {
        let ground = if rule.kind() == FlagKind::Minor { "woo-5.1.2e" } else { "woo-5.1.1d" };
        assert_eq!(rule.exemption().as_str(), ground, "{}", rule.id());
        assert!(rule.source().contains("AVG"), "{}", rule.id());
        assert!(!rule.examples().is_empty() && !rule.counter_examples().is_empty(), "{}", rule.id());
    }
    let kinds: std::collections::BTreeSet<_> = ruleset().flag_rules().map(|rule| rule.kind()).collect();
    assert_eq!(kinds.len(), FlagKind::ALL.len(), "every kind has a rule");
}

#[test]
fn a_flag_stands_at_its_place_in_the_text_as_given() {
    let text = "hé 😀 — ik heb dia\u{200b}betes, en mijn zoon (9) ook";
    let found: Vec<_> = ruleset().flags(text).iter().map(|f| (f.kind, f.span.of(text).unwrap())).collect();
    assert_eq!(found, [(FlagKind::Health, "ik heb dia\u{200b}betes"), (FlagKind::Minor, "mijn zoon (9")]);
}

#[test]
fn who_is_named_is_known_from_the_findings_whatever_the_name() {
    for name in ["Kees", "Zjwbrk Qlmonstra", "@zjw_1988"] {
        let text = format!("volgens de wethouder kan het, maar {name} heeft reuma");
        let at = text.find(name).unwrap();
        let entity = if name.starts_with('@') { "USERNAME" } else { "PERSON" };
        let finding = crate::model::Finding {
            span: crate::model::Span::new(at, at + name.len()).unwrap(),
            entity: entity.parse().unwrap(),
            score: crate::model::Score::new(0.9),
            recogniser: "nl-person".parse().unwrap(),
            exemption: "woo-5.1.2e".parse().unwrap(),
            evidence: Vec::new(),
            subject: None,
        };
        assert_eq!(ruleset().flags_among(&text, &[finding]).len(), 1, "{text}");
        assert!(ruleset().flags_among(&text, &[]).is_empty(), "{text}");
    }
}

#[test]
fn hostile_texts_take_time_in_proportion() {
    let took = |text: &str| took(|| drop(std::hint::black_box(ruleset().flags(text))));
    for piece in [
        "ik heb diabetes ",
        "13 ",
        "mijn ",
        "groep 8, ",
        "ik ",
        "diabetes",
        "ik ben 13. ",
        "m'n ",
        "van ",
        "\u{200b}",
    ] {
        let (short, long) = (took(&piece.repeat(5_000)), took(&piece.repeat(40_000)));
        assert!(long < short * 40.0 + 0.3, "`{piece}`: {short} s, then {long} s");
    }
    let gaps = |n: usize| format!("ik ben 13{}", " ".repeat(4_000)).repeat(n);
    let (short, long) = (took(&gaps(100)), took(&gaps(800)));
    assert!(long < short * 40.0 + 0.3, "gaps: {short} s, then {long} s");
}

fn check_shape(text: &str, flags: &[RecordFlag]) {
    let mut last: Vec<&RecordFlag> = Vec::new();
    for flag in flags {
        assert!(flag.span.of(text).is_some(), "on character boundaries");
        assert!(last.last().is_none_or(|before| before.span.start() <= flag.span.start()), "sorted");
        assert!(last.iter().all(|before| before.kind != flag.kind || !before.span.overlaps(flag.span)));
        last.push(flag);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_gives_flags_in_order_on_boundaries(text in "\\PC{0,200}") {
        check_shape(&text, &ruleset().flags(&text));
    }

    #[test]
    fn texts_of_telling_pieces_too(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        check_shape(&text, &ruleset().flags(&text));
    }

    /// What stands in other sentences changes nothing.
    #[test]
    fn a_sentence_is_flagged_alike_wherever_it_stands(
        before in prop::collection::vec(prop::sample::select(PIECES), 0..30),
        after in prop::collection::vec(prop::sample::select(PIECES), 0..30),
    ) {
        let text = format!("{}.\nIk heb diabetes.\n{}", before.concat(), after.concat());
        let found = ruleset().flags(&text).iter().any(|f| f.span.of(&text) == Some("Ik heb diabetes"));
        prop_assert!(found, "{text}");
    }
}

const PIECES: &[&str] = &[
    " ",
    " ",
    " ",
    "ik",
    "heb",
    "ben",
    "mijn",
    "zoon",
    "dochter",
    "man",
    "diabetes",
    "kanker",
    "13",
    "9",
    "van",
    "groep",
    "8",
    "klas",
    "2b",
    "zit",
    "in",
    "de",
    "ziektewet",
    "moslim",
    "homo",
    "als",
    "lid",
    "fnv",
    "veroordeeld",
    "is",
    "heeft",
    ",",
    ".",
    "(",
    ")",
    "\n",
    "!",
    "é",
    "😀",
    "\u{200b}",
    "&amp;",
    "'",
    "-",
    "en",
    "niet",
    "Jan",
    "jaar",
    "oud",
    "m'n",
];
