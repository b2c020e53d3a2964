//! The shipped patterns against tables of cases, and properties that hold for any text.

mod identifiers;

use super::*;
use crate::model::{Finding, SubjectRef};
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Seconds of this thread's own time that some work took: what else the machine does is not of it.
pub(super) fn took(work: impl FnOnce()) -> f64 {
    let now = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let start = now();
    work();
    now() - start
}

/// The `patterns` folder: `KNIK_PATTERNS`, else beside this crate's manifest.
fn folder() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("patterns");
    std::env::var_os("KNIK_PATTERNS").map_or(beside, PathBuf::from)
}

/// The files of the `patterns` folder.
pub(super) fn files() -> Vec<(String, String)> {
    let root = folder();
    let mut found = Vec::new();
    for (folder, prefix) in [(root.clone(), ""), (root.join("lists"), "lists/")] {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if name.ends_with(".yaml") || name.ends_with(".txt") {
                found.push((format!("{prefix}{name}"), std::fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found
}

pub(super) fn load(files: &[(String, String)]) -> Result<Ruleset, RulesetError> {
    Ruleset::load(files.iter().map(|(name, text)| PatternFile { name, text }))
}

pub(super) fn ruleset() -> &'static Ruleset {
    static RULESET: OnceLock<Ruleset> = OnceLock::new();
    RULESET.get_or_init(|| load(&files()).unwrap())
}

fn found<'t>(text: &'t str, findings: &[Finding]) -> Vec<(&'t str, String)> {
    findings.iter().map(|f| (f.span.of(text).unwrap(), f.entity.as_str().to_owned())).collect()
}

pub(super) fn participant<'a>(
    subject: u32,
    handle: &'a str,
    display_name: &'a str,
    organisation: bool,
) -> Participant<'a> {
    Participant { subject: SubjectRef::from_u32(subject), handle, display_name, organisation }
}

#[test]
fn every_example_and_counter_example_holds() {
    let failures = ruleset().check();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_ruleset_is_shared_between_threads_and_has_a_version() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(ruleset());
    assert_eq!(ruleset().version().len(), 16);
    let mut changed = files();
    changed.iter_mut().find(|(name, _)| name == "iban.yaml").unwrap().1.push_str("# changed\n");
    assert_ne!(load(&changed).unwrap().version(), ruleset().version());
}

#[test]
fn what_hides_is_found_at_its_place_in_the_original() {
    for (text, wanted, entity) in [
        ("bel 06\u{200b}-1234\u{ad}5678 nu", "06\u{200b}-1234\u{ad}5678", "PHONE_NUMBER"),
        ("bsn ９９９９９００１９!", "９９９９９００１９", "NL_BSN"),
        ("é: jan&#64;voorbeeld&period;nl 😀", "jan&#64;voorbeeld&period;nl", "EMAIL_ADDRESS"),
        (
            "NL91\u{a0}ABNA\u{a0}0417\u{a0}1643\u{a0}00",
            "NL91\u{a0}ABNA\u{a0}0417\u{a0}1643\u{a0}00",
            "IBAN_CODE",
        ),
    ] {
        assert_eq!(found(text, &ruleset().detect(text, &[])), [(wanted, entity.to_owned())]);
    }
}

#[test]
fn names_are_found_by_what_stands_around_them() {
    for (text, wanted) in [
        ("groetjes Wopke", vec!["Wopke"]),
        ("bij de heer P. van Drenthe geweest", vec!["P. van Drenthe"]),
        ("getekend R.Abcouwer", vec!["R.Abcouwer"]),
        // A surname that is also an everyday word, after initials; one letter numbers a list.
        ("op naam van G.J. Kweldijk, of", vec!["G.J. Kweldijk"]),
        ("Zie punt B. Belasting", vec![]),
        ("FATIMA EL IDRISSI heeft gelijk", vec!["FATIMA EL IDRISSI"]),
        ("sanne van ommen zei dat ook", vec!["sanne van ommen"]),
        ("Fleur, weet jij dit?", vec!["Fleur"]),
        ("een roos in de wind en een fleur van het bos", vec![]),
        ("ik woon in Den Haag en werk bij de Belastingdienst", vec![]),
        ("Dan heb je niks aan de gemeente", vec![]),
        ("Jan van Galenstraat is afgesloten", vec![]),
    ] {
        let names: Vec<_> = ruleset().detect(text, &[]).iter().filter_map(|f| f.span.of(text)).collect();
        assert_eq!(names, wanted, "{text}");
    }
}

#[test]
fn a_participant_has_one_reference_as_author_mention_and_name() {
    let people = [
        participant(7, "@els_92@voorbeeld.social", "Els van Voorbeelden", false),
        participant(9, "minxyz", "Ministerie van XYZ", true),
    ];
    let text = "@minxyz dit zei Els van Voorbeelden al, zie @els_92 en els_92. Ministerie van XYZ? Els!";
    let findings = ruleset().detect(text, &people);
    let mine: Vec<_> =
        findings.iter().map(|f| (f.span.of(text).unwrap(), f.subject.map(SubjectRef::number))).collect();
    assert_eq!(
        mine,
        [("Els van Voorbeelden", Some(7)), ("@els_92", Some(7)), ("els_92", Some(7)), ("Els", Some(7))]
    );
}

#[test]
fn a_participant_named_after_a_common_word_does_not_blank_it() {
    let people = [participant(1, "toeslag", "toeslag", false), participant(2, "x", "Boze Burger", false)];
    let text = "de toeslag is laat zegt @toeslag en ook Boze Burger, een boze man";
    let findings = ruleset().detect(text, &people);
    let mine: Vec<_> =
        findings.iter().map(|f| (f.span.of(text).unwrap(), f.subject.map(SubjectRef::number))).collect();
    assert_eq!(mine, [("@toeslag", Some(1)), ("Boze Burger", Some(2))]);
}

#[test]
fn two_participants_with_one_first_name_are_not_mixed_up() {
    let people = [participant(1, "a1", "Jan Bakker", false), participant(2, "b2", "Jan Visser", false)];
    let text = "Jan zei het, en Jan Visser ook";
    let subjects: Vec<_> =
        ruleset().detect(text, &people).iter().map(|f| f.subject.map(SubjectRef::number)).collect();
    assert_eq!(subjects, [None, Some(2)]);
}

#[test]
fn all_faults_of_the_files_are_told_at_once_with_the_mend() {
    let mut broken = files();
    broken.push(("a.yaml".into(), "recognizers:\n  - name: x\n    suported_entity: Y\n".into()));
    broken.push((
        "b.yaml".into(),
        "recognizers:\n  - {name: b, supported_entity: B, exemption: woo-5.1.2e, category: c, source: s, validator: elf,\n    examples: [], patterns: [{name: p, regex: '(?<=a)b', score: 2, starts: code}]}\n".into(),
    ));
    broken.retain(|(name, _)| name != "lists/titles.txt");
    let told = load(&broken).err().unwrap().to_string();
    for part in [
        "a.yaml:3",
        "suported_entity",
        "look-around",
        "validator `elf`",
        "no examples",
        "score 2",
        "titles.txt",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn hostile_texts_take_time_in_proportion() {
    let took = |text: &str| took(|| drop(std::hint::black_box(ruleset().detect(text, &[]))));
    for piece in [
        "a",
        "1",
        ".",
        "a.",
        "@",
        "a@",
        "06 ",
        "Jan ",
        "van ",
        "1-",
        "(",
        "J.",
        "é",
        "&#",
        "http://",
        "straat 1 ",
        "\u{200b}",
        "x.nl/",
    ] {
        let (short, long) = (took(&piece.repeat(20_000)), took(&piece.repeat(160_000)));
        assert!(long < short * 40.0 + 0.2, "`{piece}`: {short} s, then {long} s");
    }
}

fn check_shape(text: &str, findings: &[Finding]) {
    let mut last = 0;
    for finding in findings {
        assert!(finding.span.start() >= last, "sorted and apart");
        assert!(finding.span.of(text).is_some(), "on character boundaries");
        assert!(finding.score.value() >= ruleset().thresholds().doubtful);
        last = finding.span.end();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_gives_findings_in_order_on_boundaries(text in "\\PC{0,200}") {
        check_shape(&text, &ruleset().detect(&text, &[]));
    }

    #[test]
    fn texts_of_awkward_pieces_too(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let text = pieces.concat();
        let people = [participant(1, "jan_v", "Jan de Vries", false), participant(2, "min", "Min", true)];
        check_shape(&text, &ruleset().detect(&text, &people));
    }
}

pub(super) const PIECES: &[&str] = &[
    " ",
    "Jan",
    "de",
    "van der",
    "Vries",
    "jan_v",
    "@",
    ".",
    ",",
    "-",
    "06",
    "12345678",
    "999990019",
    "NL91ABNA0417164300",
    "straat",
    "Kerkstraat",
    "12",
    "a",
    "1234",
    "AB",
    "(",
    ")",
    "é",
    "😀",
    "\u{200b}",
    "\u{ad}",
    "&#64;",
    "&amp;",
    "http://",
    "www.",
    "x.nl",
    ":",
    "::1",
    "\n",
    "mevrouw",
    "J.",
    "bsn",
    "geboren",
    "01-02-1990",
    "'t",
    "０６",
    "at",
    "minister",
    "ﬁ",
    "e\u{301}",
    "Min",
    "en",
    "#",
];

#[test]
fn an_office_holder_is_one_in_the_term_and_a_citizen_of_the_same_name_is_not() {
    let mut files = files();
    files.retain(|(name, _)| name != "lists/officials.txt");
    let list = "Marieke Voorbeeld; 2022-05-18; 2026-03-31\n";
    files.push(("lists/officials.txt".to_owned(), list.to_owned()));
    let rules = load(&files).unwrap();
    let found = |text: &str, day: &str| {
        let at = (!day.is_empty()).then(|| format!("{day}T12:00:00Z").parse().unwrap());
        let findings = rules.detect_at(text, &Participants::default(), at);
        findings.iter().map(|f| f.entity.as_str().to_owned()).collect::<Vec<_>>()
    };
    let beside = "Marieke Voorbeeld, wethouder in Utrecht, wil dat niet";
    let titled = "wat vindt wethouder Marieke Voorbeeld daarvan";
    let citizen = "mijn buurvrouw Marieke Voorbeeld wacht nog steeds";
    let home = "wethouder Marieke Voorbeeld woont bij ons in de straat";
    assert_eq!(found(beside, "2024-01-01"), ["PUBLIC_OFFICIAL"]);
    assert_eq!(found(titled, "2024-01-01"), ["PUBLIC_OFFICIAL"]);
    assert_eq!(found(beside, "2026-04-01"), ["PERSON"], "the term is over");
    assert_eq!(found(titled, "2026-04-01"), ["PERSON"], "the term is over");
    assert_eq!(found(titled, ""), ["PERSON"], "it is not known that the term runs");
    assert_eq!(found(citizen, "2024-01-01"), ["PERSON"]);
    assert_eq!(found(home, "2024-01-01"), ["PERSON"]);
    assert_eq!(
        found("wethouder Els de Testens is ertegen", "2024-01-01"),
        ["PUBLIC_OFFICIAL"],
        "not in the list"
    );
}

#[test]
fn a_name_that_ends_as_streets_do_is_a_name() {
    let text = "Ik sprak gisteren met Niels Verkade over de weg";
    assert_eq!(found(text, &ruleset().detect(text, &[])), [("Niels Verkade", "PERSON".to_owned())]);
}
