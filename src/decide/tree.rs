//! A decision tree and how it is followed.

use super::{
    Answer, AnsweredBy, Answerer, DecideError, Decision, Defined, Fact, Facts, Given, InForce, Judges, Keep,
    Problem, QuestionDetector, StepTaken, Verdict, load,
};
use crate::model::{ItemKind, Outcome};
use serde::Deserialize;

/// A text in both languages of the service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Dutch.
    pub nl: String,
    /// English.
    pub en: String,
}

/// What use of a channel a tree is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Scenario {
    /// One way.
    A,
    /// Two way, on a corporate account.
    B,
    /// A hybrid account of an office-holder.
    C,
    /// Whatever the use.
    #[serde(rename = "any")]
    Any,
}

/// Who or what a step asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A fact of the record.
    Fact(Fact),
    /// The question detector.
    QuestionDetector,
    /// A definition of the organisation.
    Definition(Defined),
    /// A person; until one answers, `unsure`.
    Person,
}

impl Asks {
    /// What is asked, as a word: people's answers are kept under it. Empty for a step that only people answer: that
    /// one goes by its id.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fact(fact) => fact.name(),
            Self::QuestionDetector => "question",
            Self::Definition(defined) => defined.as_str(),
            Self::Person => "",
        }
    }
}

/// One question of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// The question as people read it.
    pub question: Bilingual,
    /// Who or what answers.
    pub asks: Asks,
    /// Line in the file.
    pub line: u64,
    pub(super) yes: Next,
    pub(super) no: Next,
    pub(super) unsure: Next,
}

/// Where an answer leads: an index that loading has checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Step(usize),
    Ending(usize),
}

/// One leaf of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Its id, such as `sentiment`.
    pub id: String,
    /// What must happen.
    pub outcome: Outcome,
    /// Why, as people read it.
    pub text: Bilingual,
    /// With `archive`: how it is kept.
    pub keep: Option<Keep>,
    /// With `refer`: to where.
    pub to: Option<Bilingual>,
}

/// A worked example: invented text, the facts, and what must come out.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Invented text.
    pub text: String,
    /// What is known of it.
    pub facts: Facts,
    /// The outcome it must have.
    pub expected: Outcome,
    /// The ending it must reach, when the file names one.
    pub ending: Option<String>,
    /// Line in the file.
    pub line: u64,
}

/// An example that came out otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleFailure {
    /// Line of the example in the file.
    pub line: u64,
    /// What the file expects.
    pub expected: Outcome,
    /// What came out.
    pub decision: Decision,
}

/// A tree that has been checked: every answer leads on, and every path ends.
#[derive(Debug)]
pub struct Tree {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) title: Bilingual,
    pub(super) scenario: Scenario,
    pub(super) source: String,
    pub(super) judges_own_posts: bool,
    pub(super) own_keep: Option<Keep>,
    pub(super) root: Next,
    pub(super) steps: Vec<Step>,
    pub(super) endings: Vec<Ending>,
    pub(super) examples: Vec<Example>,
}

impl Tree {
    /// Reads a tree from YAML; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When the file is not readable, an answer leads nowhere, a path can go round, a step or
    /// outcome cannot be reached, or a text lacks one of the languages. Every problem at once.
    pub fn load(name: &str, text: &str) -> Result<Self, DecideError> {
        load::tree(name, text)
    }

    /// The tree's id, such as `scenario-b`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The tree's version, as its file states it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The title people read.
    #[must_use]
    pub fn title(&self) -> &Bilingual {
        &self.title
    }

    /// What use of a channel it is for.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        self.scenario
    }

    /// Where it comes from: a meeting, an advice, Knik's own proposal.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The steps, in the order of the file.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether any step asks that.
    #[must_use]
    pub fn asks(&self, asked: Asks) -> bool {
        self.steps.iter().any(|step| step.asks == asked)
    }

    /// The leaves, in the order of the file.
    #[must_use]
    pub fn endings(&self) -> &[Ending] {
        &self.endings
    }

    /// The worked examples of the file.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// The definitions its steps ask for, each once.
    #[must_use]
    pub fn needs(&self) -> Vec<Defined> {
        let mut needed: Vec<Defined> = self
            .steps
            .iter()
            .filter_map(|step| match step.asks {
                Asks::Definition(defined) => Some(defined),
                _ => None,
            })
            .collect();
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// Refuses a step whose definition is not there.
    ///
    /// # Errors
    /// The steps, with their lines, and what to write.
    pub fn check_definitions(&self, name: &str, definitions: &InForce<'_>) -> Result<(), DecideError> {
        let missing = |step: &&Step| match step.asks {
            Asks::Definition(defined) => definitions.of(defined).is_none(),
            _ => false,
        };
        let problem = |step: &Step| Problem {
            line: step.line,
            what: format!(
                "step `{}` asks for the definition of `{}`, and there is none; write one with `defines: {}`, or leave \
                 the step out",
                step.id,
                step.asks.name(),
                step.asks.name()
            ),
        };
        let problems: Vec<Problem> = self.steps.iter().filter(missing).map(problem).collect();
        if problems.is_empty() {
            return Ok(());
        }
        Err(DecideError::Invalid { file: name.to_owned(), problems })
    }

    /// Whether the tree has a say on it: the organisation's own replies are always archived, its own posts unless the tree
    /// is of an account whose posts may be a person's.
    fn archived_unasked(&self, facts: &Facts) -> bool {
        facts.own && !(self.judges_own_posts && facts.kind == ItemKind::Post)
    }

    /// Follows the tree for one record. What people answered goes before facts and detectors; what nobody and nothing
    /// answers is `unsure`.
    #[must_use]
    pub fn decide(&self, facts: &Facts, answers: &dyn Answerer) -> Decision {
        if self.archived_unasked(facts) {
            let path = vec![by_fact("own", Fact::Own, Answer::Yes)];
            return self.decision(Outcome::Archive, "own", self.own_keep.clone(), path);
        }
        let mut path = Vec::new();
        let mut next = self.root;
        // Loading refused every cycle, so no path is longer than the number of steps.
        for _ in 0..=self.steps.len() {
            let index = match next {
                Next::Step(index) => index,
                Next::Ending(index) => return self.end(index, path),
            };
            let Some(step) = self.steps.get(index) else { break };
            let taken = answer(step, facts, answers);
            next = match taken.answer {
                Answer::Yes => step.yes,
                Answer::No => step.no,
                Answer::Unsure => step.unsure,
            };
            path.push(taken);
        }
        self.decision(Outcome::Unsure, "unsure", None, path)
    }

    /// Every outcome that a record can still come to because of facts that arrive later: the organisation
    /// answers it, it is registered, its author deletes it. One when the tree asks for none of these, or
    /// knows them.
    #[must_use]
    pub fn outcomes_open(&self, facts: &Facts, answers: &dyn Answerer) -> Vec<Outcome> {
        let mut cases = vec![facts.clone()];
        for fact in LATER.into_iter().filter(|fact| self.asks(Asks::Fact(*fact))) {
            let others: &[Answer] = match facts.answer(fact) {
                Answer::Yes => &[],
                Answer::No => &[Answer::Yes],
                Answer::Unsure => &[Answer::Yes, Answer::No],
            };
            let known = cases.clone();
            cases
                .extend(known.iter().flat_map(|of| others.iter().map(|other| of.clone().with(fact, *other))));
        }
        let mut outcomes: Vec<Outcome> =
            cases.iter().map(|facts| self.decide(facts, answers).outcome).collect();
        outcomes.sort_unstable();
        outcomes.dedup();
        outcomes
    }

    /// Runs every worked example of the file; what comes back is what came out otherwise.
    #[must_use]
    pub fn check(&self, question: &QuestionDetector, definitions: &InForce<'_>) -> Vec<ExampleFailure> {
        let run = |example: &Example| {
            let judges = Judges { question, definitions, text: &example.text };
            let decision = self.decide(&example.facts, &judges);
            let ending = example.ending.as_ref().is_none_or(|ending| *ending == decision.ending);
            (decision.outcome != example.expected || !ending).then_some(ExampleFailure {
                line: example.line,
                expected: example.expected,
                decision,
            })
        };
        self.examples.iter().filter_map(run).collect()
    }

    /// The endings that no example comes out at.
    #[must_use]
    pub fn without_example(&self, question: &QuestionDetector, definitions: &InForce<'_>) -> Vec<&str> {
        let ending = |example: &Example| {
            self.decide(&example.facts, &Judges { question, definitions, text: &example.text }).ending
        };
        let reached: Vec<String> = self.examples.iter().map(ending).collect();
        self.endings
            .iter()
            .map(|ending| ending.id.as_str())
            .filter(|id| !reached.iter().any(|at| at == id))
            .collect()
    }

    fn end(&self, index: usize, path: Vec<StepTaken>) -> Decision {
        match self.endings.get(index) {
            Some(ending) => self.decision(ending.outcome, &ending.id, ending.keep.clone(), path),
            None => self.decision(Outcome::Unsure, "unsure", None, path),
        }
    }

    fn decision(&self, outcome: Outcome, ending: &str, keep: Option<Keep>, path: Vec<StepTaken>) -> Decision {
        Decision {
            outcome,
            ending: ending.to_owned(),
            keep,
            path,
            tree: self.id.clone(),
            tree_version: self.version.clone(),
        }
    }
}

/// Facts that become true after a record came in, and stay so.
const LATER: [Fact; 3] = [Fact::Answered, Fact::Registered, Fact::Deleted];

fn answer(step: &Step, facts: &Facts, answers: &dyn Answerer) -> StepTaken {
    if let Some(given) = facts.people.get(&step.id).or_else(|| facts.people.get(step.asks.name())) {
        return by_person(&step.id, *given);
    }
    if let Asks::Fact(fact) = step.asks {
        return by_fact(&step.id, fact, facts.answer(fact));
    }
    match answers.answer(step.asks) {
        Some(Given { answered_by, by, verdict }) => by_verdict(&step.id, answered_by, by, verdict),
        None => by_person(&step.id, Answer::Unsure),
    }
}

fn by_fact(step: &str, fact: Fact, answer: Answer) -> StepTaken {
    StepTaken {
        step: step.to_owned(),
        answer,
        answered_by: AnsweredBy::Fact,
        by: fact.name().to_owned(),
        confidence: if answer == Answer::Unsure { 0.0 } else { 1.0 },
        evidence: Vec::new(),
    }
}

fn by_person(step: &str, answer: Answer) -> StepTaken {
    StepTaken {
        step: step.to_owned(),
        answer,
        answered_by: AnsweredBy::Person,
        by: "person".to_owned(),
        confidence: if answer == Answer::Unsure { 0.0 } else { 1.0 },
        evidence: Vec::new(),
    }
}

fn by_verdict(step: &str, answered_by: AnsweredBy, by: String, verdict: Verdict) -> StepTaken {
    let Verdict { answer, confidence, evidence } = verdict;
    StepTaken { step: step.to_owned(), answer, answered_by, by, confidence, evidence }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
