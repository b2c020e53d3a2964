use super::*;

fn detector() -> QuestionDetector {
    let root = std::env::var("KNIK_POLICIES")
        .unwrap_or_else(|_| format!("{}/policies", std::env::var("CARGO_MANIFEST_DIR").unwrap()));
    let text = std::fs::read_to_string(format!("{root}/questions.yaml")).unwrap();
    QuestionDetector::load("questions.yaml", &text).unwrap()
}

#[test]
fn the_examples_of_the_file_come_out_as_it_says() {
    let detector = detector();
    assert!(detector.rules.examples.len() >= 60);
    let wrong: Vec<_> = detector
        .check()
        .into_iter()
        .map(|at| (&detector.rules.examples[at], detector.answer(&detector.rules.examples[at].text)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn long_hostile_text_is_answered_in_linear_time() {
    let detector = detector();
    for unit in ["a", "?", "kunt u ", "welke ", "\"", ",", "hoe hoe, "] {
        let text = unit.repeat(400_000 / unit.len());
        let _ = detector.answer(&text);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_has_an_answer_with_places_inside_it(text in "(\\PC|hoe |kunt u |\\?|, ){0,60}") {
        let verdict = detector_once().answer(&text);
        proptest::prop_assert!((0.0..=1.0).contains(&verdict.confidence));
        for clue in verdict.evidence {
            proptest::prop_assert!(clue.span.of(&text).is_some());
        }
    }
}

fn detector_once() -> &'static QuestionDetector {
    static ONCE: std::sync::OnceLock<QuestionDetector> = std::sync::OnceLock::new();
    ONCE.get_or_init(detector)
}

/// Writes answers for the scorer of the evaluation data when asked to; measures, asserts nothing.
#[test]
fn answers_for_the_scorer() {
    let Ok(file) = std::env::var("KNIK_QUESTIONS_OUT") else { return };
    let shared = std::env::var("KNIK_SHARED").unwrap();
    let set = std::env::var("KNIK_QUESTIONS_SET").unwrap_or_else(|_| "questions_nl_even".to_owned());
    let gold = std::fs::read_to_string(format!("{shared}/eval/dev/{set}.jsonl")).unwrap();
    let detector = detector();
    let mut out = String::new();
    let start = std::time::Instant::now();
    for line in gold.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let verdict = detector.answer(row["text"].as_str().unwrap());
        let rules: Vec<_> = verdict.evidence.iter().map(|clue| clue.rule.as_str()).collect();
        out += &serde_json::json!({"id": row["id"], "question": verdict.answer, "rules": rules}).to_string();
        out.push('\n');
    }
    println!("{:?} for {} texts", start.elapsed(), gold.lines().count());
    std::fs::write(file, out).unwrap();
}
