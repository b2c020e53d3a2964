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
mod letter_list;
mod load;
mod phrases;
mod profile;
mod question;
mod question_rules;
mod sentences;
mod sentiment;
mod strict_table;
mod tree;
mod verb_order;

pub use answers::{Answerer, Given, Judges, Remembered};
pub use decision::{AnsweredBy, Clue, Decision, Keep, StepTaken, Valuation, Verdict};
pub use definition::{Defined, Definition};
pub use definitions::{Definitions, InForce};
pub use draw::{Language, svg, terminal};
pub use error::{DecideError, Problem};
pub use facts::{Answer, Fact, Facts};
pub use letter_list::{LETTER_COLUMNS, LETTER_COLUMNS_OPTIONAL, LetterLine, read_letters};
pub use profile::{Author, DEFAULT_PROFILE, Intake, Profile, ProfileRule, Profiles, Seen, Treatment};
pub use question::QuestionDetector;
pub use sentiment::{Sentiment, SentimentMeasured, SentimentMethod};
pub use strict_table::{TABLE_BYTES_MAX, TableFault, TableRow, read_table};
pub use tree::{Asks, Bilingual, Ending, Example, ExampleFailure, Scenario, Step, Tree};
