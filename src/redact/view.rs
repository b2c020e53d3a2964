//! A projection as one reader sees it: a plan, a grant's pseudonyms and a language applied.
//!
//! Placeholders are written `[label]` or `[label pseudonym]`. Where they are is said by
//! [`PassageView::placeholders`], never by the text. A literal bracket in the source that opens what
//! looks like a placeholder is written `\[`; every other character of the source stands as it was.

use super::fold::{fold, is_invisible};
use super::plan::{Labels, Mode};
use super::{Exemptions, Language, Passage, Piece, Placeholder, Plan, Projection, Status};
use crate::model::{EntityType, ExemptionCode, SubjectRef};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The metadata field that names the author within the conversation: never shown as such, since a
/// reference that grants share would join them.
const AUTHOR: &str = "authorSubject";

/// The pseudonyms of one grant.
pub trait Pseudonyms {
    /// The pseudonym that the grant drew for this person of the record's conversation.
    fn pseudonym(&self, subject: SubjectRef) -> Option<&str>;

    /// The wider value that the vault made for the placeholder at this place, counted through all passages.
    fn wider(&self, _placeholder: usize) -> Option<&str> {
        None
    }
}

/// For readers without pseudonyms: every person is a label.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPseudonyms;

impl Pseudonyms for NoPseudonyms {
    fn pseudonym(&self, _: SubjectRef) -> Option<&str> {
        None
    }
}

impl Pseudonyms for BTreeMap<SubjectRef, String> {
    fn pseudonym(&self, subject: SubjectRef) -> Option<&str> {
        self.get(&subject).map(String::as_str)
    }
}

/// A placeholder as one reader sees it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceholderView {
    /// What kind of personal data.
    #[serde(rename = "type")]
    pub entity: EntityType,
    /// The kind in words.
    pub label: String,
    /// The person's pseudonym under this grant, when the plan gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<String>,
    /// A wider value, when the plan gives one and there is one: a year of birth, four digits of a postcode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Why it is redacted.
    pub exemption: ExemptionCode,
    /// Why, in words.
    pub exemption_label: String,
    /// Whether a person has looked.
    pub status: Status,
    /// Where it begins in the rendered text, in Unicode code points.
    pub start: usize,
    /// One past its end.
    pub end: usize,
}

/// A text as one reader sees it.
#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PassageView {
    /// What the text is.
    pub role: String,
    /// The text with placeholders written out.
    pub text: String,
    /// Where they are and what they mean, in order.
    pub placeholders: Vec<PlaceholderView>,
}

/// A projection as one reader sees it.
#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// The texts.
    pub passages: Vec<PassageView>,
    /// The author's pseudonym, when there is one under this plan and grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The projection's metadata, without the author's reference.
    pub metadata: BTreeMap<String, Value>,
    /// The version of the ruleset that made the findings.
    pub ruleset: String,
}

impl std::fmt::Debug for PassageView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PassageView({}, {} placeholders)", self.role, self.placeholders.len())
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("passages", &self.passages).finish_non_exhaustive()
    }
}

/// Renders a projection for one reader.
#[must_use]
pub fn render(
    projection: &Projection,
    plan: &Plan,
    exemptions: &Exemptions,
    pseudonyms: &dyn Pseudonyms,
    language: Language,
) -> View {
    let reader = Reader { plan, exemptions, pseudonyms, language };
    let mut metadata = projection.metadata.clone();
    let author = metadata.remove(AUTHOR);
    let mut place = 0;
    View {
        passages: projection.passages.iter().map(|passage| reader.passage(passage, &mut place)).collect(),
        author: author.and_then(|number| reader.author(&number)),
        metadata,
        ruleset: projection.ruleset.clone(),
    }
}

struct Reader<'r> {
    plan: &'r Plan,
    exemptions: &'r Exemptions,
    pseudonyms: &'r dyn Pseudonyms,
    language: Language,
}

impl Reader<'_> {
    fn passage(&self, passage: &Passage, place: &mut usize) -> PassageView {
        let mut text = String::new();
        let mut placeholders = Vec::new();
        let mut points = 0;
        for piece in passage.text.pieces() {
            let from = text.len();
            match piece {
                Piece::Text(run) => write_literal(run, self.plan.labels(), &mut text),
                Piece::Placeholder(placeholder) => {
                    let mut view = self.placeholder(placeholder, *place);
                    *place += 1;
                    let written = match view.pseudonym.as_ref().or(view.value.as_ref()) {
                        Some(more) => format!("[{} {more}]", view.label),
                        None => format!("[{}]", view.label),
                    };
                    text.push_str(&written);
                    view.start = points;
                    view.end = points + written.chars().count();
                    placeholders.push(view);
                }
            }
            points += text.get(from..).unwrap_or_default().chars().count();
        }
        PassageView { role: passage.role.clone(), text, placeholders }
    }

    fn placeholder(&self, placeholder: &Placeholder, place: usize) -> PlaceholderView {
        let Placeholder { entity, subject, exemption, status } = placeholder;
        let mode = self.plan.mode(entity);
        let named = (mode == Mode::Pseudonym).then_some(*subject).flatten();
        let value = (mode == Mode::Wider).then(|| self.pseudonyms.wider(place)).flatten();
        let label = match (mode, value) {
            (Mode::Wider, None) => self.plan.wider_kind(entity, self.language),
            _ => self.plan.label(entity, self.language),
        };
        PlaceholderView {
            entity: entity.clone(),
            label: label.to_owned(),
            value: value.map(str::to_owned),
            pseudonym: named.and_then(|subject| self.pseudonyms.pseudonym(subject)).map(str::to_owned),
            exemption: exemption.clone(),
            exemption_label: self.exemptions.label(exemption, self.language).to_owned(),
            status: *status,
            start: 0,
            end: 0,
        }
    }

    fn author(&self, number: &Value) -> Option<String> {
        let person: EntityType = "PERSON".parse().ok()?;
        if self.plan.mode(&person) != Mode::Pseudonym {
            return None;
        }
        let subject = SubjectRef::from_u32(u32::try_from(number.as_u64()?).ok()?);
        self.pseudonyms.pseudonym(subject).map(str::to_owned)
    }
}

/// Characters looked at behind a bracket: more than any label has.
const LOOK_AHEAD: usize = 80;

fn write_literal(run: &str, labels: &Labels, into: &mut String) {
    if !run.contains(['[', '［']) {
        return into.push_str(run);
    }
    for (at, c) in run.char_indices() {
        if matches!(c, '[' | '［') {
            let behind = run.get(at + c.len_utf8()..).unwrap_or_default();
            let behind: String = behind
                .chars()
                .skip_while(|c| c.is_whitespace() || is_invisible(*c))
                .take(LOOK_AHEAD)
                .collect();
            if labels.opens(&fold(&behind).text) {
                into.push('\\');
            }
        }
        into.push(c);
    }
}
