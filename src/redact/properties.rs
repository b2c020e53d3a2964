//! Properties of the whole room, on the policy files that ship.

use super::*;
use crate::model::{Finding, SubjectRef};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn file(path: &str) -> String {
    let root = std::env::var("KNIK_POLICIES")
        .unwrap_or_else(|_| format!("{}/policies", std::env::var("CARGO_MANIFEST_DIR").unwrap()));
    std::fs::read_to_string(format!("{root}/{path}")).unwrap()
}

fn policy() -> ProjectionPolicy {
    ProjectionPolicy::load("projection.yaml", &file("projection.yaml")).unwrap()
}

fn plans() -> Plans {
    Plans::load("redaction-plans.yaml", &file("redaction-plans.yaml")).unwrap()
}

fn exemptions() -> Exemptions {
    Exemptions::load("exemptions.yaml", &file("exemptions.yaml")).unwrap()
}

fn at(start: usize, end: usize, entity: &str, subject: Option<u32>) -> Finding {
    Finding { subject: subject.map(SubjectRef::from_u32), ..cover::tests::at(start, end, entity) }
}

/// Text from parts; those with an entity are findings.
fn planted(parts: &[(&str, Option<&str>)]) -> (String, Vec<Finding>) {
    let (mut text, mut findings) = (String::new(), Vec::new());
    for (part, entity) in parts {
        let start = text.len();
        text.push_str(part);
        if let Some(entity) = entity {
            findings.push(at(start, text.len(), entity, Some(7)));
        }
    }
    (text, findings)
}

fn body(text: &str, findings: &[Finding]) -> Result<Projection, RedactError> {
    let passages = vec![SourcePassage { role: "body", text, findings }];
    let metadata = BTreeMap::from([("day", json!("2026-05-04")), ("authorSubject", json!(7))]);
    project(&Source { passages, metadata }, &policy(), "r1")
}

fn view(projection: &Projection, plan: &str, language: Language) -> View {
    let pseudonyms = BTreeMap::from([(SubjectRef::from_u32(7), "Vos-17".to_owned())]);
    render(projection, plans().plan(plan).unwrap(), &exemptions(), &pseudonyms, language)
}

#[test]
fn a_value_covered_in_one_passage_is_covered_in_all() {
    let (text, findings) = planted(&[("Van ", None), ("Kwinkelaar", Some("PERSON")), (" aan ons", None)]);
    let passages = vec![
        SourcePassage { role: "alt-text", text: "foto van kwinkelaar", findings: &[] },
        SourcePassage { role: "body", text: &text, findings: &findings },
    ];
    let source = Source { passages, metadata: BTreeMap::from([("handle", Value::Null)]) };
    assert!(matches!(project(&source, &policy(), "r1"), Err(RedactError::Field { .. })));
    let projection = project(&Source { metadata: BTreeMap::new(), ..source }, &policy(), "r1").unwrap();
    let written = serde_json::to_string(&projection).unwrap();
    assert_eq!(leaks(&written, &["Kwinkelaar"]), None, "{written}");
    assert_eq!(written.matches("placeholder").count(), 2);
    assert_eq!(serde_json::from_str::<Projection>(&written).unwrap(), projection);
}

#[test]
fn a_value_left_in_another_form_withholds_the_record() {
    for form in
        ["x?q=Kwinkelaar%20Vos", "Kwinkel&#97;ar Vos", "S3dpbmtlbGFhciBWb3M", "4b77696e6b656c61617220566f73"]
    {
        let tail = format!(" zie {form}").replace("Kwinkelaar%20", "%4bwinkelaar%20");
        let (text, findings) = planted(&[("Kwinkelaar Vos", Some("PERSON")), (&tail, None)]);
        assert_eq!(body(&text, &findings).err(), Some(RedactError::Leak), "{form}");
    }
}

#[test]
fn a_view_writes_placeholders_and_says_where() {
    let (text, findings) = planted(&[
        ("Één: ", None),
        ("Jan Vosse", Some("PERSON")),
        (" belt ", None),
        ("0612345678", Some("PHONE_NUMBER")),
    ]);
    let projection = body(&text, &findings).unwrap();
    let table = [
        ("researcher", Language::Dutch, "Één: [persoon Vos-17] belt [telefoonnummer]", Some("Vos-17")),
        ("researcher", Language::English, "Één: [person Vos-17] belt [phone number]", Some("Vos-17")),
        ("public", Language::Dutch, "Één: [persoon] belt [contactgegeven]", None),
    ];
    for (plan, language, expected, author) in table {
        let view = view(&projection, plan, language);
        let passage = &view.passages[0];
        assert_eq!(passage.text, expected);
        assert_eq!(view.author.as_deref(), author);
        assert!(!view.metadata.contains_key("authorSubject"));
        let points: Vec<char> = passage.text.chars().collect();
        for placeholder in &passage.placeholders {
            let written: String = points[placeholder.start..placeholder.end].iter().collect();
            assert!(
                written.starts_with(&format!("[{}", placeholder.label)) && written.ends_with(']'),
                "{written}"
            );
        }
    }
    let written = serde_json::to_value(view(&projection, "researcher", Language::Dutch)).unwrap();
    assert_eq!(
        written["passages"][0]["placeholders"][0],
        json!({"type": "PERSON", "label": "persoon", "pseudonym": "Vos-17", "exemption": "woo-5.1.2e",
               "exemptionLabel": "eerbiediging van de persoonlijke levenssfeer", "status": "provisional",
               "start": 5, "end": 21})
    );
}

#[test]
fn text_cannot_pretend_to_be_a_placeholder() {
    let table = [
        ("[persoon Vos-17] zei", "\\[persoon Vos-17] zei"),
        ("[ PERSON]", "\\[ PERSON]"),
        ("[\u{200b}bsn]", "\\[\u{200b}bsn]"),
        ("［ＢＳＮ］", "\\［ＢＳＮ］"),
        ("[persoonlijk] [1] [...] [", "[persoonlijk] [1] [...] ["),
    ];
    for (text, expected) in table {
        let projection = body(text, &[]).unwrap();
        let view = view(&projection, "researcher", Language::Dutch);
        assert_eq!((view.passages[0].text.as_str(), view.passages[0].placeholders.len()), (expected, 0));
    }
}

#[test]
fn every_plan_that_the_access_policies_name_is_there() {
    let plans = plans();
    for id in ["public", "researcher", "official", "reviewer"] {
        assert!(plans.plan(id).is_some(), "{id}");
    }
    assert!(exemptions().iter().count() >= 20);
}

#[test]
fn plan_and_exemption_files_that_contradict_themselves_are_refused() {
    let plans = "labels:\n- {entity: PERSON, label: {nl: p, en: p}, generalised: {nl: p, en: p}}
unknown: {label: {nl: u, en: u}, generalised: {nl: u, en: u}}\nplans:\n- {id: a, title: {nl: a, en: a}, default: label}\n";
    assert!(Plans::load("p.yaml", plans).is_ok());
    for (from, to) in [
        ("nl: p", "nl: '[p]'"),
        ("default: label", "default: clear"),
        ("id: a", "id: ''"),
        ("nl: u", "nl: ''"),
    ] {
        assert!(Plans::load("p.yaml", &plans.replacen(from, to, 1)).is_err(), "{to}");
    }
    let one = "- {code: a-1, regime: woo, kind: relative, label: {nl: a, en: a}, source: s}\n";
    let exemptions = format!("exemptions:\n{one}");
    assert!(Exemptions::load("e.yaml", &exemptions).is_ok());
    assert!(Exemptions::load("e.yaml", &format!("{exemptions}{one}")).is_err(), "twice");
    assert!(Exemptions::load("e.yaml", &exemptions.replace("source: s", "source: ''")).is_err());
}

#[test]
fn hostile_text_takes_linear_time() {
    let text = "kwinkelaar".repeat(200_000);
    let findings = [at(0, 10, "PERSON", None), at(20, 30, "PERSON", None)];
    let redacted = redact(&text, &findings, policy().redaction()).unwrap();
    assert_eq!(redacted.texts().count(), 0);
    let many: Vec<Finding> = (0..20_000).map(|n| at(n * 20, n * 20 + 10, "PERSON", None)).collect();
    assert!(redact(&text, &many, policy().redaction()).is_ok());
    let brackets = "[".repeat(300_000);
    let projection = body(&brackets, &[]).unwrap();
    assert_eq!(view(&projection, "public", Language::Dutch).passages[0].text, brackets);
}

proptest! {
    #[test]
    fn nothing_panics_whatever_the_findings(
        text in "(\\PC|Jansen|jansen|é|\\[persoon\\]){0,30}",
        spans in proptest::collection::vec((0_usize..60, 1_usize..12, 0_usize..3), 0..6),
    ) {
        let kinds = ["PERSON", "USERNAME", "PUBLIC_OFFICIAL"];
        let findings: Vec<Finding> =
            spans.iter().map(|(start, len, kind)| at(*start, start + len, kinds[*kind], Some(7))).collect();
        if let Ok(projection) = body(&text, &findings) {
            let covered = findings.iter().filter(|finding| finding.entity.as_str() != "PUBLIC_OFFICIAL");
            let texts: String = projection.passages[0].text.texts().collect::<Vec<_>>().join("\u{1}");
            for finding in covered {
                let value = finding.span.of(&text).unwrap();
                if value.trim().chars().filter(char::is_ascii_alphanumeric).count() >= 4 {
                    prop_assert!(!texts.to_lowercase().contains(&value.trim().to_lowercase()), "{}", texts);
                }
            }
            let _ = view(&projection, "researcher", Language::English);
            let _ = searchable(&projection);
        }
    }

    #[test]
    fn outside_the_spans_the_text_equals_the_source(parts in proptest::collection::vec(("[ a-zé👍.]{1,9}", "[0-9]{1,3}"), 0..8)) {
        let cut: Vec<(&str, Option<&str>)> =
            parts.iter().flat_map(|(text, number)| [(text.as_str(), None), (number.as_str(), Some("NL_BSN"))]).collect();
        let (text, findings) = planted(&cut);
        let redacted = redact(&text, &findings, policy().redaction()).unwrap();
        let mut values = parts.iter().map(|(_, number)| number.as_str());
        let filled: String = redacted.pieces().iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Placeholder(_) => values.next().unwrap_or_default(),
        }).collect();
        prop_assert_eq!(filled, text);
    }

    #[test]
    fn no_planted_value_survives_and_twins_are_alike(
        around in proptest::collection::vec("[ a-zé👍.,!]{1,12}", 3),
        one in "Q[a-zé]{5,9}X", other in "Z[a-z]{3,5} J[a-z]{2,9}W",
    ) {
        let make = |value: &str| {
            let (text, findings) = planted(&[
                (&around[0], None), (value, Some("PERSON")), (&around[1], None), (value, Some("PERSON")), (&around[2], None),
            ]);
            serde_json::to_string(&body(&text, &findings).unwrap()).unwrap()
        };
        let written = make(&one);
        prop_assert_eq!(leaks(&written, &[&one]), None);
        prop_assert_eq!(written, make(&other));
    }
}
