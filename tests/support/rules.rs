//! The rules as shipped, read once.

use super::package;
use knik::access::grant_file::ResearchBases;
use knik::access::{LegalBases, Policies};
use knik::capture::Limits;
use knik::decide::{Definitions, Profiles, QuestionDetector, SentimentMethod, Tree};
use knik::detect::{PatternFile, Ruleset};
use knik::redact::{Exemptions, Measured, Plans, ProjectionPolicy};
use knik::vault::reviewing::ReviewPolicy;
use knik::vault::{InProcess, Rules};
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Everything of `patterns/` and `policies/`, in small batches so that captures take several.
pub fn rules() -> Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| load(&|_| true)).clone()
}

/// The same with one recogniser, so that a process starts at once, and `batch_records` to a batch.
pub fn small_rules(batch_records: usize) -> Rules {
    Rules { batch_records, ..load(&|name| ["email.yaml", "flags.yaml", "thresholds.yaml"].contains(&name)) }
}

/// How samples are drawn as shipped, but for one thing: nothing of them is judged by two people unless a test asks for it.
pub fn judged_by_one() -> Arc<ReviewPolicy> {
    let shipped = fs::read_to_string(package().join("policies/reviewing.yaml")).unwrap();
    let alone = shipped.replace("twofoldPermille: 200", "twofoldPermille: 0");
    assert_ne!(alone, shipped);
    Arc::new(ReviewPolicy::load("reviewing.yaml", &alone).unwrap())
}

fn load(wanted: &dyn Fn(&str) -> bool) -> Rules {
    let mut patterns = files(&package().join("patterns"));
    patterns.retain(|(name, _)| wanted(name));
    let patterns = patterns.iter().map(|(name, text)| PatternFile { name, text });
    let policies = package().join("policies");
    let read = |name: &str| fs::read_to_string(policies.join(name)).unwrap();
    let trees =
        files(&policies.join("trees")).into_iter().map(|(name, text)| Tree::load(&name, &text).unwrap());
    let cedar: Vec<(String, String)> =
        files(&policies.join("access")).into_iter().filter(|(name, _)| name.ends_with(".cedar")).collect();
    let cedar: Vec<(&str, &str)> = cedar.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let named = |name| (name, read(name));
    let questions = named("questions.yaml");
    let definitions: Vec<(String, String)> =
        ["burgerbrief", "definitions"].iter().flat_map(|folder| files(&policies.join(folder))).collect();
    let definitions = definitions.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let (projection, exemptions) = (named("projection.yaml"), named("exemptions.yaml"));
    let research = named("research-bases.yaml");
    let reviewing = named("reviewing.yaml");
    let (plans, bases) = (named("redaction-plans.yaml"), named("legal-bases.yaml"));
    Rules {
        ruleset: Arc::new(Ruleset::load(patterns).unwrap()),
        trees: Arc::new(trees.map(|tree| (tree.id().to_owned(), tree)).collect()),
        questions: Arc::new(QuestionDetector::load(questions.0, &questions.1).unwrap()),
        sentiment: Arc::new(SentimentMethod::load("sentiment.yaml", &read("sentiment.yaml")).unwrap()),
        definitions: Arc::new(Definitions::load(definitions).unwrap()),
        // What is sealed is tested with everything; what profiles keep out has tests of its own.
        profiles: Arc::new(Profiles::without()),
        projection: Arc::new(ProjectionPolicy::load(projection.0, &projection.1).unwrap()),
        exemptions: Arc::new(Exemptions::load(exemptions.0, &exemptions.1).unwrap()),
        measured: Arc::new(Measured::load("measured.yaml", &read("measured.yaml")).unwrap()),
        plans: Arc::new(Plans::load(plans.0, &plans.1).unwrap()),
        access: Arc::new(Policies::load(&read("access/schema.cedarschema"), &cedar).unwrap()),
        bases: Arc::new(LegalBases::load(bases.0, &bases.1).unwrap()),
        research: Arc::new(ResearchBases::load(research.0, &research.1).unwrap()),
        reviewing: Arc::new(ReviewPolicy::load(reviewing.0, &reviewing.1).unwrap()),
        limits: Limits::default(),
        reader: Arc::new(InProcess),
        batch_records: 8,
    }
}

/// Every file below `folder` by its path within it, sorted.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e != "py" && e != "md") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
