//! Detector and redaction together, on the patterns that ship: what is not found is left as it is.

use knik::cli::embedded::RuleFiles;
use knik::detect::Ruleset;
use knik::model::Finding;
use knik::redact::{RedactedText, RedactionPolicy, redact};
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::OnceLock;

fn ruleset() -> &'static Ruleset {
    static RULESET: OnceLock<Ruleset> = OnceLock::new();
    RULESET.get_or_init(|| RuleFiles::embedded().ruleset().unwrap())
}

fn redacted(text: &str, findings: &[Finding]) -> RedactedText {
    redact(text, findings, &RedactionPolicy::default()).unwrap()
}

const PIECES: &[&str] = &[
    " ",
    "\n",
    "Jan de Vries",
    "Vries",
    "jan",
    "06-12345678",
    "0612345678",
    "mail jan@voorbeeld.nl",
    "jan&#64;voorbeeld.nl",
    "999990019",
    "bsn",
    "Kerkstraat 12a",
    "1234 AB",
    "@jan_v",
    "é",
    "😀",
    "\u{200b}",
    "e\u{301}",
    "０６",
    "ﬁ",
    ".",
    ",",
    "(",
    "de bus komt niet",
    "groetjes",
];

proptest! {
    /// The kept passages stand in the source in their order and apart, and none of them holds a covered byte.
    #[test]
    fn outside_the_spans_a_redacted_text_is_its_source(
        text in prop_oneof![
            3 => prop::collection::vec(select(PIECES), 0..20).prop_map(|pieces| pieces.concat()),
            1 => "\\PC{0,120}",
        ],
    ) {
        let findings = ruleset().detect(&text, &[]);
        let redacted = redacted(&text, &findings);
        let mut at = 0;
        for kept in redacted.texts() {
            let next = text[at..].find(kept);
            prop_assert!(next.is_some(), "a kept passage that the source does not go on with");
            at += next.unwrap() + kept.len();
        }
        let kept: usize = redacted.texts().map(str::len).sum();
        let covered: usize = findings.iter().map(|f| f.span.end() - f.span.start()).sum();
        prop_assert!(kept + covered <= text.len(), "a covered byte was kept");
        prop_assert!(redacted.placeholders().count() >= usize::from(!findings.is_empty()));
        if findings.is_empty() {
            prop_assert_eq!(redacted.texts().collect::<String>(), text);
        }
    }
}

#[test]
fn one_finding_is_cut_out_and_the_rest_is_kept_to_the_byte() {
    let text = "Één 😀: bel 06-12345678, dank\u{200b}!";
    let findings = ruleset().detect(text, &[]);
    let made = redacted(text, &findings);
    assert_eq!(made.texts().collect::<Vec<_>>(), ["Één 😀: bel ", ", dank\u{200b}!"]);
    assert_eq!(made.placeholders().count(), 1);
}
