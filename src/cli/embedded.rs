//! Recognisers and policies that come with the program, and their loading: from within, or from folders named in
//! the configuration. Errors name the file.

use super::parser::Parser;
use crate::access::grant_file::ResearchBases;
use crate::access::{LegalBases, Policies};
use crate::capture::Limits;
use crate::config::Config;
use crate::decide::{
    DEFAULT_PROFILE, DecideError, Definitions, ExampleFailure, Profiles, QuestionDetector, SentimentMethod,
    Tree,
};
use crate::detect::{PatternFile, Ruleset, RulesetError};
use crate::ledger::content_digest;
use crate::model::PolicyKind;
use crate::redact::{Exemptions, Measured, OperatorPlan, Plans, ProjectionPolicy};
use crate::store::catalogue::PolicyVersion;
use crate::vault::policies::StatedPolicy;
use crate::vault::reviewing::ReviewPolicy;
use crate::vault::{DEFAULT_TREE, Rules};
use anyhow::{Context, Result, anyhow, bail};
use include_dir::{Dir, include_dir};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

static PATTERNS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/patterns");
static POLICIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// Text files by their path below the folder, in order.
pub type Files = BTreeMap<String, String>;

/// Everything that rules are made of.
#[derive(Debug, Clone)]
pub struct RuleFiles {
    patterns: Files,
    policies: Files,
}

impl RuleFiles {
    /// The files that the configuration names, or those that came with the program.
    ///
    /// # Errors
    /// When a named folder cannot be read.
    pub fn read(config: &Config, data: &Path) -> Result<Self> {
        let folder = |named: &str, within: &Dir<'_>| match named {
            "" => Ok(embedded(within)),
            path => from_folder(&data.join(path)),
        };
        Ok(Self {
            patterns: folder(&config.rules.patterns, &PATTERNS)?,
            policies: folder(&config.rules.policies, &POLICIES)?,
        })
    }

    /// The files that came with the program.
    #[must_use]
    pub fn embedded() -> Self {
        Self { patterns: embedded(&PATTERNS), policies: embedded(&POLICIES) }
    }

    /// The policies as text, for the reading room's process.
    #[must_use]
    pub fn policies(&self) -> &Files {
        &self.policies
    }

    /// The versions of what decides, each with a digest of its content: comments and layout of a file do not change it.
    ///
    /// # Errors
    /// When a file is not readable, with its name.
    pub fn policy_versions(&self) -> Result<Vec<StatedPolicy>> {
        let stated = self.policies.iter().map(|(name, text)| stated_policy(name, text));
        stated.filter_map(Result::transpose).collect()
    }

    /// Compiles the recognisers alone.
    ///
    /// # Errors
    /// Whatever a file has wrong, with its name.
    pub fn ruleset(&self) -> Result<Ruleset> {
        compiled(&self.patterns).context("patterns")
    }

    /// Compiles everything the vault applies.
    ///
    /// # Errors
    /// Whatever a file has wrong, with its name.
    pub fn rules(&self, config: &Config) -> Result<Rules> {
        let room = RoomRules::load(&self.policies)?;
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let ruleset = self.ruleset()?;
        if ruleset.flag_rules().next().is_none() {
            bail!(
                "patterns: flags.yaml is missing, so no record would be withheld for what it tells of someone"
            );
        }
        let decided = DecideFiles::load(&self.policies)?;
        decided.check()?;
        Ok(Rules {
            ruleset: Arc::new(ruleset),
            trees: Arc::new(
                decided.trees.into_iter().map(|(_, tree)| (tree.id().to_owned(), tree)).collect(),
            ),
            questions: Arc::new(decided.questions),
            sentiment: Arc::new(decided.sentiment),
            definitions: Arc::new(decided.definitions),
            profiles: Arc::new(decided.profiles),
            projection: Arc::new(ProjectionPolicy::load(
                "projection.yaml",
                text(&self.policies, "projection.yaml")?,
            )?),
            exemptions: room.exemptions,
            measured: Arc::new(Measured::load("measured.yaml", text(&self.policies, "measured.yaml")?)?),
            plans: room.plans,
            access: room.access,
            bases: Arc::new(LegalBases::load("legal-bases.yaml", text(&self.policies, "legal-bases.yaml")?)?),
            research: room.research,
            reviewing: Arc::new(ReviewPolicy::load(
                "reviewing.yaml",
                text(&self.policies, "reviewing.yaml")?,
            )?),
            limits: Limits {
                unit_bytes_max: size(config.ingest.unit_bytes_max),
                depth_max: size(config.ingest.depth_max),
            },
            batch_records: size(config.ingest.batch_records),
            reader: Arc::new(Parser::of(&config.ingest)),
        })
    }
}

/// The version that a file states; none for a file that decides nothing.
fn stated_policy(name: &str, text: &str) -> Result<Option<StatedPolicy>> {
    let Some(kind) = policy_kind(name) else { return Ok(None) };
    let content: Value =
        serde_saphyr::from_str(text).map_err(|error| anyhow!("`{name}`: {}", error.without_snippet()))?;
    let word = |field: &str| match content.get(field) {
        Some(Value::String(word)) => word.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let (id, version) = match kind {
        PolicyKind::Tree | PolicyKind::Profile | PolicyKind::Sentiment => (word("id"), word("version")),
        PolicyKind::Definition => {
            let parts = [word("defines"), word("organisation"), word("id")];
            (
                parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
                word("valid_from"),
            )
        }
        PolicyKind::Questions | PolicyKind::Reviewing => (kind.to_string(), word("version")),
    };
    let policy = PolicyVersion { kind, id, version, digest: content_digest(&content) };
    Ok(Some(StatedPolicy { file: name.to_owned(), policy }))
}

fn policy_kind(name: &str) -> Option<PolicyKind> {
    let folder = name.strip_suffix(".yaml")?.split_once('/').map_or("", |(folder, _)| folder);
    match (folder, name) {
        ("trees", _) => Some(PolicyKind::Tree),
        ("minimisation", _) => Some(PolicyKind::Profile),
        ("burgerbrief" | "definitions", _) => Some(PolicyKind::Definition),
        (_, "questions.yaml") => Some(PolicyKind::Questions),
        (_, "sentiment.yaml") => Some(PolicyKind::Sentiment),
        (_, "reviewing.yaml") => Some(PolicyKind::Reviewing),
        _ => None,
    }
}

/// What the reading room applies: no recogniser, no tree.
pub struct RoomRules {
    /// Who may do what.
    pub access: Arc<Policies>,
    /// How views are rendered.
    pub plans: Arc<Plans>,
    /// Why passages are redacted, in words.
    pub exemptions: Arc<Exemptions>,
    /// Why a researcher may be given copies.
    pub research: Arc<ResearchBases>,
}

impl RoomRules {
    /// Compiles them from policy files.
    ///
    /// # Errors
    /// Whatever a file has wrong, with its name.
    pub fn load(policies: &Files) -> Result<Self> {
        let schema = text(policies, "access/schema.cedarschema")?;
        let cedar: Vec<(&str, &str)> = policies
            .iter()
            .filter(|(name, _)| name.starts_with("access/") && name.ends_with(".cedar"))
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let access = Policies::load(schema, &cedar).context("access policies")?;
        let plans = Plans::load("redaction-plans.yaml", text(policies, "redaction-plans.yaml")?)?;
        for plan in access.plans() {
            if plans.plan(plan).is_none() {
                bail!(
                    "an access policy names the redaction plan `{plan}`, which redaction-plans.yaml does not have"
                );
            }
        }
        let exemptions = Exemptions::load("exemptions.yaml", text(policies, "exemptions.yaml")?)?;
        let research = ResearchBases::load("research-bases.yaml", text(policies, "research-bases.yaml")?)?;
        Ok(Self {
            access: Arc::new(access),
            plans: Arc::new(plans),
            exemptions: Arc::new(exemptions),
            research: Arc::new(research),
        })
    }
}

/// The recognisers and lists of a folder, or those that came with the program, compiled.
///
/// # Errors
/// When the folder cannot be read, or whatever a file has wrong, with its name.
pub fn ruleset(folder: Option<&Path>) -> Result<Ruleset> {
    match folder {
        Some(folder) => {
            compiled(&from_folder(folder)?).with_context(|| format!("patterns in `{}`", folder.display()))
        }
        None => compiled(&embedded(&PATTERNS)).context("patterns"),
    }
}

/// The question detector of a folder of policies, or the one that came with the program.
///
/// # Errors
/// When the folder cannot be read, or whatever the file has wrong, with its name.
pub fn questions(folder: Option<&Path>) -> Result<QuestionDetector> {
    let files = policies(folder)?;
    Ok(QuestionDetector::load("questions.yaml", text(&files, "questions.yaml")?)?)
}

/// The policy files of a folder, or those that came with the program.
///
/// # Errors
/// When the folder cannot be read.
pub fn policies(folder: Option<&Path>) -> Result<Files> {
    folder.map_or_else(|| Ok(embedded(&POLICIES)), from_folder)
}

fn compiled(patterns: &Files) -> Result<Ruleset, RulesetError> {
    let files = patterns.iter().filter(|(name, _)| is_pattern(name));
    Ruleset::load(files.map(|(name, text)| PatternFile { name, text }))
}

/// The operator plan of a file, or the one that came with the program.
///
/// # Errors
/// When the file cannot be read, or whatever it has wrong, with its name.
pub fn operator_plan(file: Option<&Path>) -> Result<OperatorPlan> {
    match file {
        Some(path) => Ok(OperatorPlan::load(&path.display().to_string(), &super::read_text(path)?)?),
        None => Ok(OperatorPlan::load("operators.yaml", text(&embedded(&POLICIES), "operators.yaml")?)?),
    }
}

/// What decides: trees with the files they stand in, definitions, question rules.
pub struct DecideFiles {
    /// File and tree, in the order of the files.
    pub trees: Vec<(String, Tree)>,
    /// What counts as what.
    pub definitions: Definitions,
    /// The question detector.
    pub questions: QuestionDetector,
    /// How reactions sound.
    pub sentiment: SentimentMethod,
    /// Minimisation profiles.
    pub profiles: Profiles,
}

impl DecideFiles {
    /// Reads them from policy files.
    ///
    /// # Errors
    /// Whatever a file has wrong, with its name, line and mend.
    pub fn load(policies: &Files) -> Result<Self> {
        let yaml = |folder: &'static str| {
            let of = move |name: &str| name.starts_with(folder) && name.ends_with(".yaml");
            policies
                .iter()
                .filter(move |(name, _)| of(name))
                .map(|(name, text)| (name.as_str(), text.as_str()))
        };
        let mut trees: Vec<(String, Tree)> = Vec::new();
        for (name, text) in yaml("trees/") {
            let tree = Tree::load(name, text)?;
            if let Some((other, _)) = trees.iter().find(|(_, other)| other.id() == tree.id()) {
                bail!("`{name}`: a tree of the id `{}` stands in `{other}` too; rename one", tree.id());
            }
            trees.push((name.to_owned(), tree));
        }
        if !trees.iter().any(|(_, tree)| tree.id() == DEFAULT_TREE) {
            bail!("the tree `{DEFAULT_TREE}` is missing from policies/trees");
        }
        let definitions = Definitions::load(yaml("burgerbrief/").chain(yaml("definitions/")))?;
        let questions = QuestionDetector::load("questions.yaml", text(policies, "questions.yaml")?)?;
        let profiles = Profiles::load(yaml("minimisation/"))?;
        if !profiles.ids().any(|id| id == DEFAULT_PROFILE) {
            bail!(
                "the profile `{DEFAULT_PROFILE}` is missing from policies/minimisation: without it nothing is refused"
            );
        }
        let sentiment = SentimentMethod::load("sentiment.yaml", text(policies, "sentiment.yaml")?)?;
        Ok(Self { trees, definitions, questions, sentiment, profiles })
    }

    /// What is wrong with files that can be read: a step without its definition, an example that comes out otherwise than its file
    /// says. Each with file, place and mend.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let in_force = self.definitions.latest();
        let mut faults = Vec::new();
        for (name, tree) in &self.trees {
            faults.extend(tree.check_definitions(name, &in_force).err().as_ref().map(DecideError::to_string));
            let failed = tree.check(&self.questions, &in_force);
            faults.extend(failed.iter().map(|failure| example_fault(name, failure)));
        }
        for definition in self.definitions.iter() {
            let about = format!("definition of `{}` ({})", definition.defines().as_str(), definition.id());
            faults.extend(definition.check().iter().map(|at| otherwise(&about, *at)));
        }
        faults.extend(self.questions.check().iter().map(|at| otherwise("`questions.yaml`", *at)));
        faults
    }

    /// Refuses files of which a worked example comes out otherwise, or that lack a definition: they do not say what is decided.
    fn check(&self) -> Result<()> {
        let faults = self.faults();
        anyhow::ensure!(faults.is_empty(), "{}", faults.join("; "));
        Ok(())
    }
}

fn otherwise(about: &str, at: usize) -> String {
    format!("{about}: example {} comes out otherwise; mend the example or the rules", at + 1)
}

fn example_fault(name: &str, failure: &ExampleFailure) -> String {
    let path: Vec<String> =
        failure.decision.path.iter().map(|step| format!("{}={}", step.step, step.answer.as_str())).collect();
    format!(
        "`{name}`: line {}: the example must end in {} and ends in {} ({}); mend the example or the tree",
        failure.line,
        failure.expected,
        failure.decision.outcome,
        path.join(", ")
    )
}

/// A policy file.
///
/// # Errors
/// When it is missing, with its name.
pub(super) fn text<'f>(files: &'f Files, name: &str) -> Result<&'f str> {
    files.get(name).map(String::as_str).with_context(|| format!("policies/{name} is missing"))
}

/// Recogniser files and lists; scripts beside them are not read.
fn is_pattern(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".txt")
}

fn embedded(dir: &Dir<'_>) -> Files {
    let mut files = Files::new();
    let mut waiting = vec![dir];
    while let Some(dir) = waiting.pop() {
        waiting.extend(dir.dirs());
        for file in dir.files() {
            if let (Some(name), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
                files.insert(name.to_owned(), text.to_owned());
            }
        }
    }
    files
}

/// Every text file of a folder and those below it.
///
/// # Errors
/// When one of them cannot be read.
pub(super) fn from_folder(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        let entries =
            std::fs::read_dir(&at).with_context(|| format!("cannot read folder `{}`", at.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) {
                files.insert(name.to_owned(), super::read_text(&path)?);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_program_loads() {
        let rules = RuleFiles::embedded().rules(&Config::default()).unwrap();
        assert!(rules.trees.contains_key("scenario-b"));
        assert!(rules.ruleset.recognisers().count() > 10);
    }

    #[test]
    fn a_version_stands_for_what_a_file_says_and_not_for_how_it_is_written() {
        let shipped = RuleFiles::embedded();
        let stated = shipped.policy_versions().unwrap();
        let of = |kind| stated.iter().filter(|one| one.policy.kind == kind).count();
        assert_eq!((of(PolicyKind::Tree), of(PolicyKind::Profile), of(PolicyKind::Definition)), (5, 4, 5));
        assert_eq!(
            (of(PolicyKind::Questions), of(PolicyKind::Sentiment), of(PolicyKind::Reviewing)),
            (1, 1, 1)
        );
        assert!(stated.iter().all(|one| !one.policy.id.is_empty() && !one.policy.version.is_empty()));
        let (name, text) = shipped.policies.get_key_value("trees/scenario-b.yaml").unwrap();
        let digest = |text: &str| stated_policy(name, text).unwrap().unwrap().policy.digest;
        assert_eq!(digest(text), digest(&format!("# Written again.\n{text}\n# The end.\n")));
        assert_ne!(digest(text), digest(&text.replacen("yes: official", "yes: sentiment", 1)));
    }

    /// A data folder refuses another content under a version that it knows: what ships gets a new version with every change.
    #[test]
    fn what_ships_under_a_version_is_what_shipped_under_it() {
        let stated = RuleFiles::embedded().policy_versions().unwrap();
        let line = |one: &StatedPolicy| {
            let PolicyVersion { kind, id, version, digest } = &one.policy;
            format!("{kind}\t{id}\t{version}\t{}\n", hex::encode(digest.as_bytes()))
        };
        let text: String = stated.iter().map(line).collect();
        let path = Path::new(file!()).ancestors().nth(3).unwrap().join("tests/golden/policy-versions.out");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        let changed = text.lines().find(|line| !expected.lines().any(|known| known == *line));
        assert!(
            text == expected,
            "{changed:?} is not as it shipped: give it a new version, then write the file anew with UPDATE_GOLDEN=1"
        );
    }

    #[test]
    fn a_tree_whose_examples_come_out_otherwise_is_refused_with_the_mend() {
        let mut files = RuleFiles::embedded();
        let text = files.policies.get_mut("trees/legal-advice.yaml").unwrap();
        *text = text.replacen("expected: do_not_archive", "expected: archive", 1);
        let error = files.rules(&Config::default()).map(|_| ()).unwrap_err().to_string();
        for part in ["trees/legal-advice.yaml", "line", "mend the example or the tree"] {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }

    #[test]
    fn the_operator_plan_names_types_that_recognisers_find() {
        let (plan, ruleset) = (operator_plan(None).unwrap(), ruleset(None).unwrap());
        for entity in plan.iter().filter_map(|(entity, _)| entity) {
            assert!(ruleset.recognisers().any(|recogniser| recogniser.entity() == entity), "{entity}");
        }
    }

    #[test]
    fn trees_and_definitions_hold_their_own_examples() {
        let rules = RuleFiles::embedded().rules(&Config::default()).unwrap();
        for tree in rules.trees.values() {
            assert!(tree.check(&rules.questions, &rules.definitions.latest()).is_empty(), "{}", tree.id());
        }
        for tree in rules.trees.values() {
            let bare = tree.without_example(&rules.questions, &rules.definitions.latest());
            assert!(bare.is_empty(), "{}: no example comes out at {bare:?}", tree.id());
        }
        assert!(rules.sentiment.check().is_empty());
        assert!(rules.ruleset.check().is_empty());
        assert!(rules.questions.check().is_empty());
        for definition in rules.definitions.iter() {
            assert!(definition.check().is_empty(), "{definition:?}");
        }
    }
}
