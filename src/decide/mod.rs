//! What becomes of a record: decision trees as data, and the detectors that answer their steps.
//!
//! Invariants: a tree that loads always ends in an outcome; the same facts, text and files give the
//! same [`Decision`]; a decision holds codes, rule ids and offsets, never words of the text; a step
//! that nobody and nothing can answer is answered `unsure`, so that a person is asked.

mod answers;
mod decision;
mod definition;
mod definitions;
mod draw;
mod error;
mod facts;
mod load;
mod phrases;
mod question;
mod question_rules;
mod sentences;
mod tree;
mod verb_order;

pub use answers::{Answerer, Given, Judges};
pub use decision::{AnsweredBy, Clue, Decision, Keep, StepTaken, Valuation, Verdict};
pub use definition::{Defined, Definition};
pub use definitions::{Definitions, InForce};
pub use draw::{Language, svg, terminal};
pub use error::{DecideError, Problem};
pub use facts::{Answer, Fact, Facts};
pub use question::QuestionDetector;
pub use tree::{Asks, Bilingual, Ending, Example, ExampleFailure, Scenario, Step, Tree};
