//! Finds personal data in text: pattern files become a ruleset, a ruleset turns a text into findings.
//!
//! The order is always the same: a cheap pass over the bytes names candidates ([`scan`]), each is confirmed by
//! checksum, boundaries, context and lists, names and addresses are read from the words, participants of the
//! conversation are recognised, and overlaps are resolved without giving up a covered byte.
//!
//! Invariants: a finding's span lies on character boundaries of the text as given; findings are sorted and do not
//! overlap; they depend on nothing but text, participants and ruleset; time grows with the length of the text
//! whatever it holds (patterns that `starts: anywhere` excepted, which cost what the `regex` crate costs); no text
//! makes it panic; nothing here keeps, prints or returns words of the text.

mod address;
pub mod adhoc;
mod blocks;
mod bytes;
mod confusable;
mod context;
mod cut;
mod endings;
mod error;
mod flags;
mod given;
mod hit;
mod joint;
mod label_words;
mod labelled;
mod lane;
mod lexicon;
mod lists;
mod locate;
mod mail;
mod marks;
mod names;
mod noted;
mod numbers;
mod officials;
mod people;
mod places;
mod resolve;
mod ruleset;
mod runs;
mod scan;
mod shadow;
mod sources;
mod spec;
mod spelled;
mod surname;
mod table;
mod things;
mod tokens;
mod validate;
mod words;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use error::{RulesetError, RulesetFault};
pub use flags::{FlagExample, FlagRule};
pub use people::{Participant, Participants};
pub use ruleset::{CheckFailure, PatternFile, Ruleset};
pub use spec::{After, Example, Kind, Pattern, Recogniser, Starts, Thresholds};
pub use validate::Validator;
