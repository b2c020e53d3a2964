//! A decision tree and how it is followed.

use super::{
    Answer, AnsweredBy, BurgerbriefDefinition, DecideError, Decision, Fact, Facts, QuestionDetector,
    StepTaken, Verdict, load,
};
use crate::model::Outcome;
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
    /// The organisation's definition of a burgerbrief.
    Burgerbrief,
    /// A person; until one answers, `unsure`.
    Person,
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

    /// Whether a step asks for an organisation's definition of a burgerbrief.
    #[must_use]
    pub fn needs_burgerbrief(&self) -> bool {
        self.steps.iter().any(|step| step.asks == Asks::Burgerbrief)
    }

    /// Follows the tree for one record. The organisation's own posts are archived before any step.
    /// Without the definition that a step needs, that step is answered `unsure`.
    #[must_use]
    pub fn decide(
        &self,
        facts: &Facts,
        question: &QuestionDetector,
        burgerbrief: Option<&BurgerbriefDefinition>,
        text: &str,
    ) -> Decision {
        if facts.own {
            return self.decision(Outcome::Archive, "own", vec![by_fact("own", Fact::Own, Answer::Yes)]);
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
            let taken = answer(step, facts, question, burgerbrief, text);
            next = match taken.answer {
                Answer::Yes => step.yes,
                Answer::No => step.no,
                Answer::Unsure => step.unsure,
            };
            path.push(taken);
        }
        self.decision(Outcome::Unsure, "unsure", path)
    }

    /// Runs every worked example of the file; what comes back is what came out otherwise.
    #[must_use]
    pub fn check(
        &self,
        question: &QuestionDetector,
        burgerbrief: Option<&BurgerbriefDefinition>,
    ) -> Vec<ExampleFailure> {
        let run = |example: &Example| {
            let decision = self.decide(&example.facts, question, burgerbrief, &example.text);
            (decision.outcome != example.expected).then_some(ExampleFailure {
                line: example.line,
                expected: example.expected,
                decision,
            })
        };
        self.examples.iter().filter_map(run).collect()
    }

    fn end(&self, index: usize, path: Vec<StepTaken>) -> Decision {
        match self.endings.get(index) {
            Some(ending) => self.decision(ending.outcome, &ending.id, path),
            None => self.decision(Outcome::Unsure, "unsure", path),
        }
    }

    fn decision(&self, outcome: Outcome, ending: &str, path: Vec<StepTaken>) -> Decision {
        Decision {
            outcome,
            ending: ending.to_owned(),
            path,
            tree: self.id.clone(),
            tree_version: self.version.clone(),
        }
    }
}

fn answer(
    step: &Step,
    facts: &Facts,
    question: &QuestionDetector,
    burgerbrief: Option<&BurgerbriefDefinition>,
    text: &str,
) -> StepTaken {
    if let Some(given) = facts.people.get(&step.id) {
        return by_person(&step.id, *given);
    }
    match step.asks {
        Asks::Fact(fact) => by_fact(&step.id, fact, facts.answer(fact)),
        Asks::QuestionDetector => {
            let by = format!("question {}", question.version());
            by_verdict(&step.id, AnsweredBy::Detector, by, question.answer(text))
        }
        Asks::Burgerbrief => match burgerbrief {
            Some(definition) => {
                let by = format!("burgerbrief {} {}", definition.id(), definition.valid_from());
                by_verdict(&step.id, AnsweredBy::Definition, by, definition.answer(text))
            }
            None => StepTaken { by: "burgerbrief".to_owned(), ..by_person(&step.id, Answer::Unsure) },
        },
        Asks::Person => by_person(&step.id, Answer::Unsure),
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
