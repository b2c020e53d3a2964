//! What becomes of a record: decision trees as data, and the detectors that answer their steps.
//!
//! Invariants: a tree that loads always ends in an outcome; the same facts, text and files give the
//! same [`Decision`]; a decision holds codes, rule ids and offsets, never words of the text; a step
//! that nobody and nothing can answer is answered `unsure`, so that a person is asked.

mod burgerbrief;
mod decision;
mod error;
mod facts;
mod load;
mod phrases;
mod question;
mod question_rules;
mod sentences;
mod tree;
mod verb_order;

pub use burgerbrief::BurgerbriefDefinition;
pub use decision::{AnsweredBy, Clue, Decision, StepTaken, Verdict};
pub use error::{DecideError, Problem};
pub use facts::{Answer, Fact, Facts};
pub use question::QuestionDetector;
pub use tree::{Asks, Bilingual, Ending, Example, ExampleFailure, Scenario, Step, Tree};
