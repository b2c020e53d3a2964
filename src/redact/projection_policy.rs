//! Which metadata go down to the reading room, field by field.

use super::error::{parse, sound};
use super::{Bilingual, RedactError, RedactionPolicy};
use crate::model::EntityType;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    version: String,
    readable: Vec<EntityType>,
    unknown: Unknown,
    fields: Vec<Field>,
    never: Vec<Never>,
}

/// What happens to a field that the policy does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unknown {
    /// It is left out.
    Drop,
    /// The record is withheld.
    Refuse,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    name: String,
    shape: Shape,
    #[serde(default)]
    values: BTreeSet<String>,
    why: Bilingual,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Never {
    name: String,
    why: Bilingual,
}

/// What a field may hold: never free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shape {
    /// Up to 64 of a-z, 0-9, `-`, `_` and `.`; one of `values` where the policy lists them.
    Term,
    /// A list of terms.
    Terms,
    /// `2026-05-04`.
    Day,
    /// True or false.
    Flag,
    /// A language tag such as `nl` or `nl-BE`.
    Language,
    /// The number of a person in this conversation.
    Subject,
}

/// Which metadata may be projected, in what shape, and which entity types stay readable in text.
#[derive(Debug)]
pub struct ProjectionPolicy {
    version: String,
    redaction: RedactionPolicy,
    unknown: Unknown,
    fields: BTreeMap<String, Field>,
    never: BTreeSet<String>,
}

impl ProjectionPolicy {
    /// Reads the policy from YAML; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When the file is not readable, a field stands twice or on both lists, or a reason is missing.
    pub fn load(name: &str, text: &str) -> Result<Self, RedactError> {
        let file: PolicyFile = parse(name, text)?;
        let mut problems = Vec::new();
        if file.version.trim().is_empty() {
            problems.push("`version` is empty; fill it in".to_owned());
        }
        let mut never = BTreeSet::new();
        for field in file.never {
            if !field.why.is_complete() {
                problems.push(format!("field `{}` needs a reason (`why`) in `nl` and `en`", field.name));
            }
            never.insert(field.name);
        }
        let mut fields = BTreeMap::new();
        for field in file.fields {
            let of = field.name.clone();
            if !field.why.is_complete() {
                problems.push(format!("field `{of}` needs a reason (`why`) in `nl` and `en`"));
            }
            if !field.values.is_empty() && !matches!(field.shape, Shape::Term | Shape::Terms) {
                problems.push(format!("field `{of}` lists `values`, which only terms have; remove them"));
            }
            if never.contains(&of) || fields.insert(of.clone(), field).is_some() {
                problems.push(format!("field `{of}` stands twice, or is also under `never`; remove one"));
            }
        }
        sound(name, problems)?;
        let redaction = RedactionPolicy::new(file.readable);
        Ok(Self { version: file.version, redaction, unknown: file.unknown, fields, never })
    }

    /// The version the file states.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Which entity types stay readable in text.
    #[must_use]
    pub fn redaction(&self) -> &RedactionPolicy {
        &self.redaction
    }

    /// Whether the field goes through: an absent (`null`) or dropped one does not.
    ///
    /// # Errors
    /// [`RedactError::Field`] for a field that may never be projected, an unknown one where the policy
    /// refuses those, and a value of another shape than the policy says.
    pub(super) fn admits(&self, name: &str, value: &Value) -> Result<bool, RedactError> {
        let refuse = |why| Err(RedactError::Field { field: name.chars().take(80).collect(), why });
        if self.never.contains(name) {
            return refuse("the policy never projects it; leave it out");
        }
        match (self.fields.get(name), self.unknown) {
            (None, Unknown::Drop) => Ok(false),
            (None, Unknown::Refuse) => refuse("the policy does not name it; leave it out or add it"),
            (Some(_), _) if value.is_null() => Ok(false),
            (Some(field), _) if field.fits(value) => Ok(true),
            (Some(_), _) => refuse("its value is not of the shape or from the list the policy gives"),
        }
    }
}

impl Field {
    fn fits(&self, value: &Value) -> bool {
        match self.shape {
            Shape::Term => value.as_str().is_some_and(|term| self.is_term(term)),
            Shape::Terms => {
                let terms = value.as_array();
                terms.is_some_and(|terms| {
                    terms.iter().all(|term| term.as_str().is_some_and(|t| self.is_term(t)))
                })
            }
            Shape::Day => value.as_str().is_some_and(is_day),
            Shape::Flag => value.is_boolean(),
            Shape::Language => value.as_str().is_some_and(is_language),
            Shape::Subject => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        }
    }

    fn is_term(&self, term: &str) -> bool {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        let fits = !term.is_empty() && term.len() <= 64 && term.chars().all(plain);
        fits && (self.values.is_empty() || self.values.contains(term))
    }
}

fn is_day(given: &str) -> bool {
    crate::model::day(given).is_some()
}

fn is_language(given: &str) -> bool {
    let mut parts = given.split('-');
    let first = parts
        .next()
        .is_some_and(|tag| matches!(tag.len(), 2 | 3) && tag.chars().all(|c| c.is_ascii_alphabetic()));
    first
        && given.len() <= 12
        && parts.all(|tag| !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy() -> ProjectionPolicy {
        let root = std::env::var("KNIK_POLICIES")
            .unwrap_or_else(|_| format!("{}/policies", std::env::var("CARGO_MANIFEST_DIR").unwrap()));
        let text = std::fs::read_to_string(format!("{root}/projection.yaml")).unwrap();
        ProjectionPolicy::load("projection.yaml", &text).unwrap()
    }

    #[test]
    fn an_item_of_any_platform_may_say_so() {
        for platform in crate::model::Platform::ALL {
            assert!(policy().admits("platform", &json!(platform)).unwrap(), "{platform}");
        }
    }

    #[test]
    fn a_field_goes_through_only_in_its_shape() {
        let policy = policy();
        let table = [
            ("organisation", json!("min-water"), Some(true)),
            ("organisation", json!("Min Water"), None),
            ("kind", json!("reaction"), Some(true)),
            ("kind", json!("jansen"), None),
            ("day", json!("2026-05-04"), Some(true)),
            ("day", json!("2026-05-04T09:30:00Z"), None),
            ("day", json!("2026-02-30"), None),
            ("language", json!("nl"), Some(true)),
            ("language", json!("bel mij op 0612345678"), None),
            ("edited", json!(false), Some(true)),
            ("edited", json!(3), None),
            ("authorSubject", json!(17), Some(true)),
            ("authorSubject", json!("Jan"), None),
            ("mediaKinds", json!(["image", "video"]), Some(true)),
            ("mediaKinds", json!(["image", "IMG_jan.jpg"]), None),
            ("mediaSizes", json!(["under-1-mb"]), Some(true)),
            ("mediaSizes", json!([204_800]), None),
            ("mediaSizes", json!(["204800"]), None),
            ("mediaSizes", json!(null), Some(false)),
            ("language", json!(null), Some(false)),
            ("postedAt", json!("2026-05-04T09:30:00Z"), None),
            ("permalink", json!(null), None),
            ("somethingNew", json!("x"), Some(false)),
        ];
        for (name, value, expected) in table {
            assert_eq!(policy.admits(name, &value).ok(), expected, "{name} {value}");
        }
    }

    #[test]
    fn a_policy_that_contradicts_itself_is_refused() {
        let sound = "version: '1'\nreadable: [PUBLIC_OFFICIAL]\nunknown: refuse\nfields:
- {name: day, shape: day, why: {nl: x, en: x}}\nnever:\n- {name: handle, why: {nl: x, en: x}}\n";
        let policy = ProjectionPolicy::load("p.yaml", sound).unwrap();
        assert!(policy.admits("new", &json!("x")).is_err(), "refused where the policy says so");
        for (from, to) in [
            ("name: handle", "name: day"),
            ("why: {nl: x, en: x}", "why: {nl: '', en: x}"),
            ("shape: day", "shape: text"),
            ("shape: day", "shape: day, values: [a]"),
            ("unknown: refuse", "unknown: allow"),
            ("version: '1'", "version: ''"),
            ("readable", "legible"),
        ] {
            assert!(ProjectionPolicy::load("p.yaml", &sound.replacen(from, to, 1)).is_err(), "{to}");
        }
    }
}
