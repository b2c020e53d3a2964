//! Who answers the steps that facts and people do not: detectors on the text, or what they said before.

use super::{AnsweredBy, Asks, InForce, QuestionDetector, Verdict};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// An answer, and who or what gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Given {
    /// Who or what.
    pub answered_by: AnsweredBy,
    /// Which detector or definition, with its version.
    pub by: String,
    /// What it says.
    pub verdict: Verdict,
}

/// Answers steps. What it does not answer is for a person.
pub trait Answerer {
    /// The answer to what is asked, if it can be given.
    fn answer(&self, asks: Asks) -> Option<Given>;
}

/// The detectors and definitions in force, on one text.
pub struct Judges<'a> {
    /// The question detector.
    pub question: &'a QuestionDetector,
    /// The definitions.
    pub definitions: &'a InForce<'a>,
    /// The text.
    pub text: &'a str,
}

impl Answerer for Judges<'_> {
    fn answer(&self, asks: Asks) -> Option<Given> {
        match asks {
            Asks::QuestionDetector => Some(Given {
                answered_by: AnsweredBy::Detector,
                by: format!("question {}", self.question.version()),
                verdict: self.question.answer(self.text),
            }),
            Asks::Definition(defined) => self.definitions.of(defined).map(|definition| Given {
                answered_by: AnsweredBy::Definition,
                by: format!("{} {} {}", defined.as_str(), definition.id(), definition.valid_from()),
                verdict: definition.answer(self.text),
            }),
            Asks::Fact(_) | Asks::Person => None,
        }
    }
}

/// Answers that are worked out once, however often they are asked for.
pub struct Remembered<'a> {
    answers: &'a dyn Answerer,
    given: RefCell<Vec<(Asks, Option<Given>)>>,
}

impl<'a> Remembered<'a> {
    /// Those of `answers`.
    #[must_use]
    pub fn of(answers: &'a dyn Answerer) -> Self {
        Self { answers, given: RefCell::default() }
    }
}

impl Answerer for Remembered<'_> {
    fn answer(&self, asks: Asks) -> Option<Given> {
        if let Some((_, known)) = self.given.borrow().iter().find(|(asked, _)| *asked == asks) {
            return known.clone();
        }
        let given = self.answers.answer(asks);
        self.given.borrow_mut().push((asks, given.clone()));
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Answer, Defined};
    use std::cell::Cell;

    #[test]
    fn what_was_asked_before_is_not_worked_out_again() {
        struct Counting(Cell<u32>);
        impl Answerer for Counting {
            fn answer(&self, asks: Asks) -> Option<Given> {
                self.0.set(self.0.get() + 1);
                (asks == Asks::QuestionDetector).then(|| Given {
                    answered_by: AnsweredBy::Detector,
                    by: "question 1".to_owned(),
                    verdict: Verdict { answer: Answer::Yes, confidence: 1.0, evidence: Vec::new() },
                })
            }
        }
        let counting = Counting(Cell::new(0));
        let once = Remembered::of(&counting);
        for asks in [Asks::QuestionDetector, Asks::Definition(Defined::Formal)] {
            let first = once.answer(asks);
            assert_eq!(first.is_some(), asks == Asks::QuestionDetector);
            assert_eq!(once.answer(asks), first);
        }
        assert_eq!(counting.0.get(), 2);
    }
}
