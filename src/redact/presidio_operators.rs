//! Presidio's operators on findings that a caller brings: `/anonymize` and `/deanonymize` of Presidio 2.2.363.
//!
//! Configurations are JSON as a client sends it, checked when an operator is applied, in Presidio's order and words.
//! Offsets are Unicode code points. Salts and initialisation vectors come from the caller. What is encrypted here,
//! Presidio decrypts, and the other way round.
//!
//! These operators serve clients of that interface. They do not promise what [`redact`](super::redact) promises: a
//! value that stands twice in a text is replaced where it was found.

mod aes;
mod conflicts;
mod edit;
mod operator;
pub mod python;

#[cfg(test)]
mod tests;

pub use conflicts::{ConflictError, Recognised};
pub use operator::Configuration;

use conflicts::resolve;
use edit::{Edit, Points};
use operator::{ANONYMIZERS, DEANONYMIZERS, Operator};
use serde::Serialize;
use std::collections::BTreeMap;

/// Why a text was not worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// A parameter is missing or wrong; said as Presidio says it.
    #[error("{0}")]
    Parameter(String),
    /// Something that Presidio does not check and fails on; no word on what, as there.
    #[error("Internal server error")]
    Failed,
    /// More findings overlap in one place than are taken.
    #[error(transparent)]
    Conflicts(#[from] ConflictError),
}

/// Randomness for one value: a salt for hashes, of which the first half is an initialisation vector.
pub type Random<'r> = &'r mut dyn FnMut() -> [u8; 32];

/// A text after the operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operated {
    /// The new text.
    pub text: String,
    /// What stands in place of each finding, the last first.
    pub items: Vec<OperatedItem>,
}

/// What stands in place of one finding. Offsets are code points of the new text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatedItem {
    /// Where it starts.
    pub start: usize,
    /// One past its end.
    pub end: usize,
    /// What it stands for.
    pub entity_type: String,
    /// What it is.
    pub text: String,
    /// Which operator made it.
    pub operator: String,
}

/// Where to work on a text: code points, end exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// First code point.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What stands there.
    pub entity_type: String,
}

/// Operators by entity type; `DEFAULT` for every other.
pub type Configurations = BTreeMap<String, Configuration>;

/// The operators that `/anonymize` knows, in Presidio's order.
#[must_use]
pub const fn anonymizers() -> &'static [&'static str] {
    ANONYMIZERS
}

/// The operators that `/deanonymize` knows, in Presidio's order.
#[must_use]
pub const fn deanonymizers() -> &'static [&'static str] {
    DEANONYMIZERS
}

/// Resolves what conflicts, joins what spaces part, and applies the operators; `replace` where none is given.
///
/// # Errors
/// [`OperatorError`]; nothing is worked on then.
pub fn anonymize(
    text: &str,
    results: Vec<Recognised>,
    operators: &Configurations,
    random: Random<'_>,
) -> Result<Operated, OperatorError> {
    let points = Points::of(text);
    let mut targets = resolve(&points, results)?;
    targets.sort_by_key(|target| std::cmp::Reverse((target.start, target.end)));
    let default = Configuration::named("replace");
    let configured =
        |entity: &str| Some(operators.get(entity).or_else(|| operators.get("DEFAULT")).unwrap_or(&default));
    operate(&points, &targets, configured, ANONYMIZERS, random)
}

/// Applies the operators to what [`anonymize`] put in place.
///
/// # Errors
/// [`OperatorError`]; a type without an operator is one.
pub fn deanonymize(
    text: &str,
    mut targets: Vec<Target>,
    operators: &Configurations,
) -> Result<Operated, OperatorError> {
    targets.sort_by_key(|target| std::cmp::Reverse(target.start));
    let configured = |entity: &str| operators.get(entity).or_else(|| operators.get("DEFAULT"));
    operate(&Points::of(text), &targets, configured, DEANONYMIZERS, &mut || [0; 32])
}

/// Works on the targets, which come the last first.
fn operate<'c>(
    points: &Points<'_>,
    targets: &[Target],
    configured: impl Fn(&str) -> Option<&'c Configuration>,
    known: &[&str],
    random: Random<'_>,
) -> Result<Operated, OperatorError> {
    let mut edit = Edit::new(points);
    for target in targets {
        let old = points.slice(target.start, target.end).ok_or_else(|| outside(target, points.len()))?;
        let configuration = configured(&target.entity_type).ok_or(OperatorError::Failed)?;
        let operator = Operator::of(configuration, known)?;
        let new = operator.apply(old, &target.entity_type, random)?;
        edit.replace(target, new, configuration.name());
    }
    Ok(edit.done())
}

fn outside(target: &Target, length: usize) -> OperatorError {
    OperatorError::Parameter(format!(
        "Invalid analyzer result, start: {} and end: {}, while text length is only {length}.",
        target.start, target.end
    ))
}
