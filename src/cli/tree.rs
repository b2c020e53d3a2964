//! `knik tree`: what the decision trees are, whether they hold their own examples, and how they decide on a text.

use super::embedded::{self, DecideFiles};
use super::new_file::NewFile;
use super::print;
use crate::decide::{Answer, Decision, Fact, Facts, InForce, Judges, Language, Tree, svg, terminal};
use crate::model::ItemKind;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be asked.
#[derive(Subcommand)]
pub(super) enum TreeCommand {
    /// Read the trees, definitions and question rules and run every worked example; exit 1 when something is wrong.
    #[command(after_help = "Example: knik tree check\n         knik tree check --policies ./policies")]
    Check(From),
    /// List the trees: scenario, version, from where.
    #[command(after_help = "Example: knik tree list --json")]
    List(From),
    /// Draw a tree: in the terminal, or as a picture.
    #[command(
        after_help = "Example: knik tree show scenario-b\n         knik tree show scenario-b --svg scenario-b.svg --language en"
    )]
    Show {
        /// Which tree.
        id: String,
        #[command(flatten)]
        from: From,
        /// Write a picture (SVG) to this file, which must not be there.
        #[arg(long)]
        svg: Option<PathBuf>,
        /// In which language.
        #[arg(long, value_enum, default_value = "nl")]
        language: LanguageName,
    },
    /// Follow a tree for one text: each step, its answer, who or what gave it, and the outcome. Nothing is recorded.
    #[command(
        after_help = "Example: knik tree explain scenario-b 'wanneer gaat de brug open' --fact official_channel=yes\n         \
                      knik tree explain scenario-c 'Fijne vakantie met het gezin' --own --kind post"
    )]
    Explain(Explained),
}

#[derive(Args)]
pub(super) struct From {
    /// Folder of policies to use instead of those that come with the program.
    #[arg(long)]
    policies: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Explained {
    /// Which tree.
    id: String,
    /// The text.
    text: String,
    #[command(flatten)]
    from: From,
    /// A fact, such as official_channel=yes; what is not given is not known.
    #[arg(long = "fact", value_name = "NAME=ANSWER", value_parser = fact)]
    facts: Vec<(Fact, Answer)>,
    /// What a person answered to a step, such as burgerbrief=no.
    #[arg(long = "person", value_name = "STEP=ANSWER", value_parser = person)]
    people: Vec<(String, Answer)>,
    /// Posted by the organisation itself.
    #[arg(long)]
    own: bool,
    /// What it is.
    #[arg(long, default_value = "reaction")]
    kind: ItemKind,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum LanguageName {
    /// Dutch.
    Nl,
    /// English.
    En,
}

fn person(given: &str) -> Result<(String, Answer), String> {
    let (step, word) = given.split_once('=').ok_or("write STEP=ANSWER, such as burgerbrief=no")?;
    Ok((step.to_owned(), word.parse()?))
}

fn fact(given: &str) -> Result<(Fact, Answer), String> {
    let (name, word) = given.split_once('=').ok_or("write NAME=ANSWER, such as official_channel=yes")?;
    let known = || Fact::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let fact = Fact::named(name).ok_or_else(|| format!("`{name}` is no fact; there are: {}", known()))?;
    Ok((fact, word.parse()?))
}

/// Carries one out.
///
/// # Errors
/// The faults of the files, with file, line and mend.
pub(super) fn run(asked: &TreeCommand, as_json: bool) -> Result<ExitCode> {
    match asked {
        TreeCommand::Check(from) => check(&from.files()?, as_json),
        TreeCommand::List(from) => list(&from.files()?, as_json),
        TreeCommand::Show { id, from, svg: file, language } => {
            show(from.files()?.tree(id)?, file.as_ref(), *language)
        }
        TreeCommand::Explain(asked) => explain(asked, as_json),
    }
}

impl From {
    fn files(&self) -> Result<DecideFiles> {
        DecideFiles::load(&embedded::policies(self.policies.as_deref())?)
    }
}

fn check(files: &DecideFiles, as_json: bool) -> Result<ExitCode> {
    let faults = files.faults();
    let code = if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if as_json {
        let trees: Vec<&str> = files.trees.iter().map(|(_, tree)| tree.id()).collect();
        print::line(&json!({ "ok": faults.is_empty(), "trees": trees, "faults": faults }).to_string());
        return Ok(code);
    }
    let row = |(_, tree): &(String, Tree)| {
        let count = |n: usize| n.to_string();
        vec![
            tree.id().to_owned(),
            count(tree.steps().len()),
            count(tree.endings().len()),
            count(tree.examples().len()),
        ]
    };
    let rows: Vec<Vec<String>> = files.trees.iter().map(row).collect();
    print::table(&["tree", "steps", "outcomes", "examples"], &rows);
    print::line(&format!("\n{} definitions", files.definitions.iter().count()));
    faults.iter().for_each(|fault| print::line(fault));
    if faults.is_empty() {
        print::line("all examples hold");
    }
    Ok(code)
}

fn list(files: &DecideFiles, as_json: bool) -> Result<ExitCode> {
    if as_json {
        let tree = |(name, tree): &(String, Tree)| {
            json!({
                "id": tree.id(), "version": tree.version(), "scenario": format!("{:?}", tree.scenario()), "file": name,
                "title": {"nl": tree.title().nl, "en": tree.title().en}, "source": tree.source(),
            })
        };
        print::line(&json!({ "trees": files.trees.iter().map(tree).collect::<Vec<_>>() }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let row = |(_, tree): &(String, Tree)| {
        let scenario = format!("{:?}", tree.scenario());
        vec![
            tree.id().to_owned(),
            tree.version().to_owned(),
            scenario,
            tree.title().en.clone(),
            tree.source().to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = files.trees.iter().map(row).collect();
    print::table(&["tree", "version", "scenario", "title", "source"], &rows);
    Ok(ExitCode::SUCCESS)
}

fn show(tree: &Tree, file: Option<&PathBuf>, language: LanguageName) -> Result<ExitCode> {
    let language = match language {
        LanguageName::Nl => Language::Dutch,
        LanguageName::En => Language::English,
    };
    match file {
        Some(path) => {
            let mut out = NewFile::beside(path)?;
            out.write_all(svg(tree, language).as_bytes()).with_context(|| format!("`{}`", path.display()))?;
            out.finish()?;
        }
        None => terminal(tree, language).iter().for_each(|line| print::line(line)),
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(asked: &Explained, as_json: bool) -> Result<ExitCode> {
    let files = asked.from.files()?;
    let tree = files.tree(&asked.id)?;
    let in_force = files.definitions.latest();
    let unknown = Facts { own: asked.own, ..Facts::unknown(asked.kind) };
    let mut facts = asked.facts.iter().fold(unknown, |facts, (fact, answer)| facts.with(*fact, *answer));
    facts.people = asked.people.iter().cloned().collect();
    let judges = Judges { question: &files.questions, definitions: &in_force, text: &asked.text };
    let decision = tree.decide(&facts, &judges);
    if as_json {
        print::line(&serde_json::to_string(&decision)?);
        return Ok(ExitCode::SUCCESS);
    }
    told(tree, &decision, &in_force, &asked.text);
    Ok(ExitCode::SUCCESS)
}

fn told(tree: &Tree, decision: &Decision, definitions: &InForce<'_>, text: &str) {
    for taken in &decision.path {
        let step = tree.steps().iter().find(|step| step.id == taken.step);
        let question = step.map_or("posted by the organisation itself", |step| step.question.en.as_str());
        print::line(&format!(
            "{}: {} ({} {:.2})",
            question,
            taken.answer.as_str(),
            taken.by,
            taken.confidence
        ));
        for clue in &taken.evidence {
            let words = clue.span.of(text).unwrap_or_default().trim();
            print::line(&format!("    {}: {}", clue.rule, super::findings::harmless(words)));
        }
        for definition in definitions.iter().filter(|of| taken.by.starts_with(of.defines().as_str())) {
            print::line(&format!(
                "    definition: {}; source: {}",
                definition.title().en,
                definition.source()
            ));
        }
    }
    let ending = tree.endings().iter().find(|ending| ending.id == decision.ending);
    let why = ending.map(|ending| ending.text.en.as_str()).unwrap_or_default();
    print::line(&format!("{} ({}) {why}", decision.outcome, decision.ending));
    if let Some(keep) = &decision.keep {
        let period = keep.period.as_deref().unwrap_or("for good");
        print::line(&format!("    kept: {:?}, {period}, category `{}`", keep.valuation, keep.category));
    }
    if let Some(to) = ending.and_then(|ending| ending.to.as_ref()) {
        print::line(&format!("    refer to: {}", to.en));
    }
}

impl DecideFiles {
    /// The tree of that id.
    ///
    /// # Errors
    /// The ids there are.
    pub(super) fn tree(&self, id: &str) -> Result<&Tree> {
        match self.trees.iter().find(|(_, tree)| tree.id() == id) {
            Some((_, tree)) => Ok(tree),
            None => {
                let known: Vec<&str> = self.trees.iter().map(|(_, tree)| tree.id()).collect();
                bail!("tree `{id}` is not known; there are: {}", known.join(", "))
            }
        }
    }
}
