//! Who answers the steps that facts and people do not: detectors on the text, or what they said before.

use super::{AnsweredBy, Asks, Defined, InForce, QuestionDetector, Verdict};
use serde::{Deserialize, Serialize};

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

impl Judges<'_> {
    /// Every answer they can give: what is asked, and the answer.
    #[must_use]
    pub fn all(&self) -> Vec<(Asks, Given)> {
        let definitions = Defined::ALL.iter().map(|defined| Asks::Definition(*defined));
        let asked = std::iter::once(Asks::QuestionDetector).chain(definitions);
        asked.filter_map(|asks| Some((asks, self.answer(asks)?))).collect()
    }
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
