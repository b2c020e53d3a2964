//! The redacted document that goes down to the reading room.

use super::cover::Covers;
use super::leak::leaks_in_text;
use super::sweep::{Sweep, sweepable};
use super::{ProjectionPolicy, RedactError, RedactedText};
use crate::model::{Finding, SubjectRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One text of a record with its findings, before redaction. Not `Clone`, `Debug` or `Serialize`.
pub struct SourcePassage<'s> {
    /// What the text is, such as `body` or `alt-text`: a word of the service, never of the record.
    pub role: &'s str,
    /// The text as the detector saw it.
    pub text: &'s str,
    /// What the detector found in it.
    pub findings: &'s [Finding],
}

/// What a projection is made of.
pub struct Source<'s> {
    /// The texts, in the order in which people read them.
    pub passages: Vec<SourcePassage<'s>>,
    /// Metadata by the names of `policies/projection.yaml`; what that does not allow does not pass.
    pub metadata: BTreeMap<&'s str, Value>,
}

/// One redacted text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passage {
    /// What the text is.
    pub role: String,
    /// The redacted text.
    pub text: RedactedText,
}

/// A redacted document. Its JSON is what goes down to the reading room: nothing else of a record does.
/// Reading one back checks its shape, not its redaction.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// The redacted texts.
    pub passages: Vec<Passage>,
    /// What `policies/projection.yaml` allows.
    pub metadata: BTreeMap<String, Value>,
    /// The version of the ruleset that made the findings.
    pub ruleset: String,
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Projection({} passages, {} fields)", self.passages.len(), self.metadata.len())
    }
}

impl Projection {
    /// The persons it refers to, the author among them: each once, in ascending order.
    #[must_use]
    pub fn subjects(&self) -> Vec<SubjectRef> {
        let author = self.metadata.get("authorSubject").and_then(Value::as_u64);
        let author = author.and_then(|number| u32::try_from(number).ok()).map(SubjectRef::from_u32);
        let named = self.passages.iter().flat_map(|passage| passage.text.placeholders());
        let all: BTreeSet<SubjectRef> =
            named.filter_map(|placeholder| placeholder.subject).chain(author).collect();
        all.into_iter().collect()
    }
}

/// Makes the projection of a record. A value covered in one passage is covered in all of them; after
/// that no text may hold a covered value (four characters or more) in any form that
/// [`leaks`](super::leaks) knows. The same source gives the same bytes.
///
/// Metadata is not searched for covered values: its shapes hold no free text, and a person called
/// `Post` would otherwise withhold every post.
///
/// # Errors
/// Any error means: withhold the record.
pub fn project(
    source: &Source<'_>,
    policy: &ProjectionPolicy,
    ruleset: &str,
) -> Result<Projection, RedactError> {
    let covers = source.passages.iter().map(|passage| {
        check_role(passage.role)?;
        Covers::of(passage.text, passage.findings, policy.redaction())
    });
    let covers: Vec<Covers<'_>> = covers.collect::<Result<_, _>>()?;
    let sweep = Sweep::new(covers.iter().flat_map(Covers::values))?;
    let texts: Vec<RedactedText> = covers.iter().map(|covers| covers.redact(&sweep)).collect();
    let values: Vec<&str> = covers.iter().flat_map(Covers::values).map(|(value, _)| value.trim()).collect();
    refuse_leaks(&texts, values)?;
    let passages = source.passages.iter().zip(texts);
    let passages = passages.map(|(passage, text)| Passage { role: passage.role.to_owned(), text }).collect();
    Ok(Projection { passages, metadata: metadata(source, policy)?, ruleset: ruleset.to_owned() })
}

fn metadata(source: &Source<'_>, policy: &ProjectionPolicy) -> Result<BTreeMap<String, Value>, RedactError> {
    let mut admitted = BTreeMap::new();
    for (name, value) in &source.metadata {
        if policy.admits(name, value)? {
            admitted.insert((*name).to_owned(), value.clone());
        }
    }
    Ok(admitted)
}

fn check_role(role: &str) -> Result<(), RedactError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !role.is_empty() && role.len() <= 32 && role.chars().all(plain) {
        return Ok(());
    }
    Err(RedactError::Field {
        field: "role".to_owned(),
        why: "a passage role is 1 to 32 letters, digits, '-' and '_'",
    })
}

fn refuse_leaks(texts: &[RedactedText], mut values: Vec<&str>) -> Result<(), RedactError> {
    values.retain(|value| sweepable(value).is_some());
    values.sort_unstable();
    values.dedup();
    if values.is_empty() {
        return Ok(());
    }
    // A control character between the pieces, so that no value is made by joining them.
    let joined: Vec<&str> = texts.iter().flat_map(RedactedText::texts).collect();
    if leaks_in_text(&joined.join("\u{1}"), &values) { Err(RedactError::Leak) } else { Ok(()) }
}
