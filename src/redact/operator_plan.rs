//! Operator plans: which operator for which kind of personal data, as a file states it.

use super::RedactError;
use super::error::{parse, sound};
use super::operators::{Operator, OperatorName, PLACE, PseudonymSource};
use crate::model::EntityType;
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// An operator for each entity type, and one for all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorPlan {
    default: Operator,
    types: BTreeMap<EntityType, Operator>,
}

impl OperatorPlan {
    /// Reads a plan from YAML; `file` is its name, for errors.
    ///
    /// ```yaml
    /// default: {operator: replace}
    /// types:
    ///   NL_BSN: {operator: mask, char: "*", count: 5}
    /// ```
    ///
    /// # Errors
    /// File, line, field and mend: for what is not of this shape the first fault, for settings that do not fit
    /// their operator every one.
    pub fn load(file: &str, text: &str) -> Result<Self, RedactError> {
        let read: PlanFile = parse(file, text)?;
        let mut problems = Vec::new();
        let default = operator("default", read.default, &mut problems);
        let mut types = BTreeMap::new();
        for (entity, step) in read.types {
            let made = operator(&format!("types.{entity}"), step, &mut problems);
            types.insert(entity, made);
        }
        sound(file, problems)?;
        Ok(Self { default, types })
    }

    /// The operator for a kind of personal data.
    #[must_use]
    pub fn operator(&self, entity: &EntityType) -> &Operator {
        self.types.get(entity).unwrap_or(&self.default)
    }

    /// Every operator of the plan: first the default, as `None`, then by entity type.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&EntityType>, &Operator)> {
        let types = self.types.iter().map(|(entity, operator)| (Some(entity), operator));
        std::iter::once((None, &self.default)).chain(types)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    default: Spanned<Step>,
    #[serde(default)]
    types: BTreeMap<EntityType, Spanned<Step>>,
}

/// An operator with every setting that any of them has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    operator: OperatorName,
    with: Option<String>,
    char: Option<char>,
    count: Option<usize>,
    from_end: Option<bool>,
    length: Option<usize>,
    from: Option<PseudonymSource>,
}

/// Fewest hexadecimal digits of a digest: with less, values would soon share one.
const HASH_DIGITS_MIN: usize = 8;
/// All hexadecimal digits of SHA-256.
const HASH_DIGITS_MAX: usize = 64;

/// The operator of a step. What does not fit is added to the problems.
fn operator(at: &str, step: Spanned<Step>, problems: &mut Vec<String>) -> Operator {
    let line = step.defined.line();
    let step = step.value;
    let name = step.operator;
    let mut say = |field: &str, what: &str| problems.push(format!("line {line}: `{at}.{field}` {what}"));
    for field in step.foreign() {
        say(field, &format!("does not belong to `{name}`; remove it"));
    }
    if step.length.is_some_and(|length| !(HASH_DIGITS_MIN..=HASH_DIGITS_MAX).contains(&length)) {
        say("length", "must be 8 to 64 hexadecimal digits");
    }
    if name == OperatorName::Pseudonymise && step.with.as_ref().is_some_and(|with| !with.contains(PLACE)) {
        say("with", "must hold {n}, where the number stands, such as \"Person {n}\"");
    }
    if step.char.is_some_and(char::is_control) {
        say("char", "must be a character that can be seen, such as \"*\"");
    }
    match name {
        OperatorName::Replace => Operator::Replace { with: step.with },
        OperatorName::Mask => Operator::Mask {
            mask: step.char.unwrap_or('*'),
            count: step.count,
            from_end: step.from_end.unwrap_or(false),
        },
        OperatorName::Redact => Operator::Redact,
        OperatorName::Hash => Operator::Hash { length: step.length.unwrap_or(HASH_DIGITS_MAX) },
        OperatorName::Encrypt => Operator::Encrypt,
        OperatorName::Pseudonymise => {
            Operator::Pseudonymise { with: step.with, from: step.from.unwrap_or_default() }
        }
        OperatorName::Generalise => Operator::Generalise,
        OperatorName::Keep => Operator::Keep,
    }
}

impl Step {
    /// The settings that were given and that the operator does not have.
    fn foreign(&self) -> Vec<&'static str> {
        let own: &[&str] = match self.operator {
            OperatorName::Replace => &["with"],
            OperatorName::Mask => &["char", "count", "from_end"],
            OperatorName::Hash => &["length"],
            OperatorName::Pseudonymise => &["with", "from"],
            OperatorName::Redact | OperatorName::Encrypt | OperatorName::Generalise | OperatorName::Keep => {
                &[]
            }
        };
        let given = [
            ("with", self.with.is_some()),
            ("char", self.char.is_some()),
            ("count", self.count.is_some()),
            ("from_end", self.from_end.is_some()),
            ("length", self.length.is_some()),
            ("from", self.from.is_some()),
        ];
        given
            .iter()
            .filter(|(field, given)| *given && !own.contains(field))
            .map(|(field, _)| *field)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_with_its_settings() {
        let plan = OperatorPlan::load(
            "plan.yaml",
            "default: {operator: replace, with: '[weg]'}\ntypes:\n  NL_BSN: {operator: mask, char: x, count: 5, from_end: true}\n  PERSON:\n    operator: pseudonymise\n    from: key\n  IBAN_CODE: {operator: hash}\n",
        );
        let plan = plan.unwrap();
        let of = |entity: &str| plan.operator(&entity.parse().unwrap()).clone();
        assert_eq!(of("NL_BSN"), Operator::Mask { mask: 'x', count: Some(5), from_end: true });
        assert_eq!(of("PERSON"), Operator::Pseudonymise { with: None, from: PseudonymSource::Key });
        assert_eq!(of("IBAN_CODE"), Operator::Hash { length: 64 });
        assert_eq!(of("OTHER"), Operator::Replace { with: Some("[weg]".to_owned()) });
        assert_eq!(plan.iter().count(), 4);
    }

    #[test]
    fn errors_name_file_line_field_and_mend() {
        let table: &[(&str, &[&str])] = &[
            ("types: {}", &["`plan.yaml`", "default"]),
            ("default: {operator: maks}", &["line 1", "maks", "mask"]),
            (
                "default: {operator: keep}\ntypes:\n  NL_BSN: {operator: mask, cuont: 5}",
                &["line 3", "cuont", "count"],
            ),
            ("default: {operator: keep}\ntypes:\n  bsn: {operator: mask}", &["line 3", "bsn", "NL_BSN"]),
            ("default: {operator: keep}\ntypes:\n  A: {operator: keep}\n  A: {operator: keep}", &["line 4"]),
            ("default: {operator: mask, char: ab}", &["line 1"]),
            ("default: {operator: mask, count: -1}", &["line 1"]),
            ("default: keep", &["line 1"]),
            ("default: {operator: keep}\nkey: c2VjcmV0", &["line 2", "key", "types"]),
            (
                "default: {operator: keep}\ntypes:\n  NL_BSN:\n    operator: redact\n    count: 5\n  PERSON: {operator: pseudonymise, with: x}\n  AGE: {operator: hash, length: 4}",
                &[
                    "line 4: `types.NL_BSN.count` does not belong to `redact`; remove it",
                    "line 6: `types.PERSON.with` must hold {n}",
                    "line 7: `types.AGE.length` must be 8 to 64",
                ],
            ),
        ];
        for (text, words) in table {
            let error = OperatorPlan::load("plan.yaml", text).unwrap_err().to_string();
            for word in *words {
                assert!(error.contains(word), "`{word}` is not said of {text}: {error}");
            }
        }
    }
}
