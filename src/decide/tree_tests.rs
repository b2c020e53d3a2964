use super::super::{Definitions, Language, svg, terminal};
use super::*;
use crate::model::ItemKind;

fn policy(path: &str) -> String {
    let root = std::env::var("KNIK_POLICIES")
        .unwrap_or_else(|_| format!("{}/policies", std::env::var("CARGO_MANIFEST_DIR").unwrap()));
    std::fs::read_to_string(format!("{root}/{path}")).unwrap()
}

fn detector() -> QuestionDetector {
    QuestionDetector::load("questions.yaml", &policy("questions.yaml")).unwrap()
}

fn definitions() -> Definitions {
    let names = [
        "burgerbrief/default.yaml",
        "definitions/formal.yaml",
        "definitions/government-business.yaml",
        "definitions/party-political.yaml",
        "definitions/private-life.yaml",
    ];
    let texts = names.map(|name| (name, policy(name)));
    Definitions::load(texts.iter().map(|(name, text)| (*name, text.as_str()))).unwrap()
}

const TREES: [&str; 5] =
    ["scenario-b.yaml", "archive-whole.yaml", "legal-advice.yaml", "scenario-a.yaml", "scenario-c.yaml"];

fn decide(tree: &Tree, facts: &Facts, text: &str) -> Decision {
    let (question, definitions) = (detector(), definitions());
    let definitions = &definitions.latest();
    tree.decide(facts, &Judges { question: &question, definitions, text })
}

#[test]
fn the_trees_that_ship_do_what_their_examples_say() {
    for name in TREES {
        let tree = Tree::load(name, &policy(&format!("trees/{name}"))).unwrap();
        assert!(tree.examples().len() >= 3, "{name}");
        assert_eq!(tree.check(&detector(), &definitions().latest()), [], "{name}");
        tree.check_definitions(name, &definitions().latest()).unwrap();
    }
}

#[test]
fn scenario_b_is_as_the_meeting_drew_it() {
    let tree = Tree::load("scenario-b.yaml", &policy("trees/scenario-b.yaml")).unwrap();
    let steps: Vec<&str> = tree.steps().iter().map(|step| step.id.as_str()).collect();
    assert_eq!(steps, ["question", "official_channel", "burgerbrief"]);
    use Answer::{No, Unsure, Yes};
    let table = [
        (No, Yes, No, Outcome::DoNotArchive),
        (Yes, No, No, Outcome::Refer),
        (Yes, Yes, Yes, Outcome::ArchiveElsewhere),
        (Yes, Yes, No, Outcome::Archive),
        (Unsure, Yes, No, Outcome::Unsure),
        (Yes, Unsure, No, Outcome::Unsure),
        (Yes, Yes, Unsure, Outcome::Unsure),
    ];
    for (question, official, letter, expected) in table {
        let mut facts = Facts::unknown(ItemKind::Reaction);
        facts.official_channel = official;
        facts.people = [("question".to_owned(), question), ("burgerbrief".to_owned(), letter)].into();
        let decision = tree
            .decide(&facts, &Judges { question: &detector(), definitions: &InForce::default(), text: "" });
        assert_eq!(decision.outcome, expected, "{question:?} {official:?} {letter:?}");
    }
}

#[test]
fn the_organisations_own_posts_are_archived_whatever_the_tree() {
    let tree = Tree::load("scenario-b.yaml", &policy("trees/scenario-b.yaml")).unwrap();
    let facts = Facts { own: true, ..Facts::unknown(ItemKind::Post) };
    let decision = decide(&tree, &facts, "Mooi weer.");
    assert_eq!((decision.outcome, decision.path.len()), (Outcome::Archive, 1));
}

#[test]
fn a_step_without_its_definition_is_for_a_person() {
    let tree = Tree::load("scenario-b.yaml", &policy("trees/scenario-b.yaml")).unwrap();
    assert_eq!(tree.needs(), [Defined::Burgerbrief]);
    let refused = tree.check_definitions("scenario-b.yaml", &InForce::default()).unwrap_err().to_string();
    assert!(
        refused.contains("scenario-b.yaml") && refused.contains("line 2") && refused.contains("burgerbrief"),
        "{refused}"
    );
    let facts = Facts { official_channel: Answer::Yes, ..Facts::unknown(ItemKind::Reaction) };
    let decision = tree.decide(
        &facts,
        &Judges {
            question: &detector(),
            definitions: &InForce::default(),
            text: "Wanneer gaat de brug weer open?",
        },
    );
    assert_eq!(decision.outcome, Outcome::Unsure);
    assert_eq!(decision.path.last().map(|step| step.answered_by), Some(AnsweredBy::Person));
}

#[test]
fn a_decision_holds_no_words_of_the_text() {
    let tree = Tree::load("scenario-b.yaml", &policy("trees/scenario-b.yaml")).unwrap();
    let facts = Facts { official_channel: Answer::Yes, ..Facts::unknown(ItemKind::Reaction) };
    let text = "Kunt u mij zeggen wanneer zwembad Kwinkelier opengaat?";
    let written = serde_json::to_string(&decide(&tree, &facts, text)).unwrap();
    for word in ["Kwinkelier", "zwembad", "zeggen"] {
        assert!(!written.contains(word), "{written}");
    }
    assert!(written.contains("\"span\""), "{written}");
    let read: Decision = serde_json::from_str(&written).unwrap();
    assert_eq!(read.outcome, Outcome::Archive);
}

const SOUND: &str = "id: t\nversion: '1'\ntitle: {nl: t, en: t}\nscenario: B\nsource: test\nroot: a\nsteps:
- {id: a, question: {nl: a, en: a}, answered_by: person, answers: {yes: b, no: x, unsure: x}}
- {id: b, question: {nl: b, en: b}, answered_by: fact answered, answers: {yes: x, no: x, unsure: x}}
outcomes:
- {id: x, outcome: archive, keep: {category: c, valuation: V, period: P1Y}, text: {nl: x, en: x}}
";

#[test]
fn a_tree_that_cannot_be_followed_is_refused_with_the_mend() {
    assert!(Tree::load("t.yaml", SOUND).is_ok(), "{:?}", Tree::load("t.yaml", SOUND).err());
    let table = [
        ("yes: b", "yes: c", "answer `yes` of step `a` leads to `c`"),
        ("yes: x, no: x", "yes: a, no: x", "step `a` can be reached from itself"),
        ("yes: b", "yes: x", "line 9: step `b` cannot be reached"),
        ("root: a", "root: z", "`root` leads to `z`"),
        ("nl: b,", "nl: '',", "step `b` has no text in `nl`"),
        ("title: {nl: t, en: t}", "title: {nl: t}", "line"),
        ("fact answered", "fact unheard", "answered by `fact unheard`"),
        ("source: test", "source: ''", "`source` is empty"),
        ("id: b, q", "id: a, q", "id `a` stands twice"),
        ("source: test", "source: test\nsauce: x", "sauce"),
        ("no: x, unsure: x}}\n- {id: b", "no: x}}\n- {id: b", "unsure"),
        ("outcome: archive", "outcome: shred", "shred"),
        (
            "outcomes:",
            "outcomes:\n- {id: y, outcome: do_not_archive, text: {nl: y, en: y}}",
            "outcome `y` cannot be reached",
        ),
        ("id: t\n", "id: T!\n", "`id` must be"),
        ("period: P1Y", "period: soon", "no duration"),
        (", period: P1Y", "", "add `period`"),
        ("valuation: V", "valuation: B", "remove `period`"),
        ("keep: {category: c, valuation: V, period: P1Y}, ", "", "does not say how long"),
        ("outcome: archive,", "outcome: refer,", "refers to nowhere"),
        ("category: c", "category: ''", "no `category`"),
    ];
    for (sound, broken, expected) in table {
        let text = SOUND.replacen(sound, broken, 1);
        assert_ne!(text, SOUND, "{sound}");
        let error = Tree::load("t.yaml", &text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("t.yaml") && error.contains(expected), "{broken}: {error}");
    }
}

#[test]
fn an_office_holders_posts_are_judged_and_replies_are_archived() {
    let tree = Tree::load("scenario-c.yaml", &policy("trees/scenario-c.yaml")).unwrap();
    let own = |kind| Facts { own: true, ..Facts::unknown(kind) };
    let party = "Stem op 18 maart, samen maken we onze partij de grootste!";
    assert_eq!(decide(&tree, &own(ItemKind::Post), party).outcome, Outcome::DoNotArchive);
    assert_eq!(decide(&tree, &own(ItemKind::Reaction), party).outcome, Outcome::Archive);
}

#[test]
fn what_was_answered_before_decides_as_the_detectors_did() {
    struct Said(Vec<(Asks, Given)>);
    impl Answerer for Said {
        fn answer(&self, asks: Asks) -> Option<Given> {
            self.0.iter().find(|(asked, _)| *asked == asks).map(|(_, given)| given.clone())
        }
    }
    let (question, definitions) = (detector(), definitions());
    let definitions = &definitions.latest();
    for name in TREES {
        let tree = Tree::load(name, &policy(&format!("trees/{name}"))).unwrap();
        for example in tree.examples() {
            let judges = Judges { question: &question, definitions, text: &example.text };
            let definitions = Defined::ALL.iter().map(|defined| Asks::Definition(*defined));
            let asked = std::iter::once(Asks::QuestionDetector).chain(definitions);
            let said = Said(asked.filter_map(|asks| Some((asks, judges.answer(asks)?))).collect());
            assert_eq!(
                tree.decide(&example.facts, &said),
                tree.decide(&example.facts, &judges),
                "{name} {}",
                example.line
            );
        }
    }
}

#[test]
fn what_may_become_true_later_leaves_every_outcome_open_that_follows_from_it() {
    let tree = |name: &str| Tree::load(name, &policy(&format!("trees/{name}"))).unwrap();
    let (question, definitions) = (detector(), definitions());
    let open = |tree: &Tree, facts: &Facts, text: &str| {
        let definitions = &definitions.latest();
        tree.outcomes_open(facts, &Judges { question: &question, definitions, text })
    };
    let unknown = Facts::unknown(ItemKind::Reaction);
    let remark = "Wat een prachtig gebouw wordt dat";
    let (a, b) = (tree("scenario-a.yaml"), tree("scenario-b.yaml"));
    let both = open(&a, &unknown, remark);
    assert!(both.contains(&Outcome::Archive) && both.contains(&Outcome::DoNotArchive), "{both:?}");
    let answered = unknown.clone().with(Fact::Answered, Answer::Yes);
    assert_eq!(open(&a, &answered, remark), [Outcome::Archive], "an answer is not taken back");
    assert_eq!(open(&b, &unknown, remark), [Outcome::DoNotArchive], "it asks nothing that comes later");
}

#[test]
fn every_tree_can_be_drawn() {
    for name in TREES {
        let tree = Tree::load(name, &policy(&format!("trees/{name}"))).unwrap();
        for language in [Language::Dutch, Language::English] {
            let lines = terminal(&tree, language).join("\n");
            let drawn = svg(&tree, language);
            for step in tree.steps() {
                assert!(
                    lines.contains(&step.id) && drawn.contains(&format!("id=\"step-{}\"", step.id)),
                    "{name} {}",
                    step.id
                );
            }
            for ending in tree.endings() {
                assert!(
                    lines.contains(ending.outcome.as_str())
                        && drawn.contains(&format!("id=\"ending-{}\"", ending.id))
                );
            }
            assert!(drawn.starts_with("<svg ") && drawn.trim_end().ends_with("</svg>"));
        }
    }
}
