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

/// The bounds on sentences that no rule was written for. They are read where they lie and nowhere else.
#[test]
fn questions_of_others_are_found_within_the_bounds() {
    let beside = || std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../shared");
    let folder = std::env::var_os("KNIK_SHARED").map_or_else(beside, std::path::PathBuf::from);
    let Ok(gold) = std::fs::read_to_string(folder.join("eval/dev/questions_nl_even.jsonl")) else {
        return println!("left out: questions of others (../shared/eval is not there)");
    };
    let (detector, mut counts) = (detector(), Counts::default());
    for line in gold.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        counts.add(row["is_question"] == true, detector.answer(row["text"].as_str().unwrap()).answer);
    }
    assert!(counts.questions > 100.0, "{counts:?}");
    assert!(counts.right / counts.yes >= 0.95, "precision: {counts:?}");
    assert!(counts.right / counts.questions >= 0.93, "recall: {counts:?}");
    assert!(counts.lost / counts.questions <= 0.02, "lost: {counts:?}");
    assert!(counts.unsure / counts.texts <= 0.10, "to a person: {counts:?}");
}

/// Posts of the project's own. Rules were made more general on the first file; no rule was taken from the second. The bounds
/// stand just below what was measured, so that a rule that makes things worse is noticed.
#[test]
fn invented_posts_are_found_within_the_bounds() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    for (file, precision, recall, lost, unsure) in
        [("questions.txt", 0.97, 0.93, 0.05, 0.10), ("questions-unseen.txt", 0.96, 0.96, 0.04, 0.05)]
    {
        let (detector, mut counts) = (detector(), Counts::default());
        let posts = std::fs::read_to_string(format!("{root}/tests/posts/{file}")).unwrap();
        for line in posts.lines().filter(|line| !line.starts_with('#')) {
            let (question, text) = line.split_once('\t').unwrap();
            counts.add(question == "y", detector.answer(text).answer);
        }
        assert!(counts.right / counts.yes >= precision, "{file}: precision: {counts:?}");
        assert!(counts.right / counts.questions >= recall, "{file}: recall: {counts:?}");
        assert!(counts.lost / counts.questions <= lost, "{file}: lost: {counts:?}");
        assert!(counts.unsure / counts.texts <= unsure, "{file}: to a person: {counts:?}");
    }
}

#[derive(Debug, Default)]
struct Counts {
    texts: f64,
    questions: f64,
    yes: f64,
    right: f64,
    lost: f64,
    unsure: f64,
}

impl Counts {
    fn add(&mut self, question: bool, answer: Answer) {
        let one = |holds: bool| f64::from(u8::from(holds));
        self.texts += 1.0;
        self.questions += one(question);
        self.yes += one(answer == Answer::Yes);
        self.right += one(question && answer == Answer::Yes);
        self.lost += one(question && answer == Answer::No);
        self.unsure += one(answer == Answer::Unsure);
    }
}
