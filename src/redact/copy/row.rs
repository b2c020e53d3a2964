//! What one row says.

use super::columns::Cell;
use crate::model::{RecordRef, SubjectRef};
use crate::redact::{PassageView, Plan, Precision, Pseudonyms, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// What the vault made for a record under a grant, as it is published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GrantMade {
    /// When it was posted, as exactly as the plan tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Wider values, each at the place of its placeholder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wider: Vec<Option<String>>,
}

/// What a grant gives for one record: pseudonyms of its conversation, and wider values.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The pseudonym of each person.
    pub names: &'a HashMap<SubjectRef, String>,
    /// The wider value of each placeholder.
    pub wider: &'a [Option<String>],
}

impl Pseudonyms for Given<'_> {
    fn pseudonym(&self, subject: SubjectRef) -> Option<&str> {
        self.names.get(&subject).map(String::as_str)
    }

    fn wider(&self, placeholder: usize) -> Option<&str> {
        self.wider.get(placeholder).and_then(Option::as_deref)
    }
}

/// What a record is called in the copy.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// The grant's name for it.
    pub id: RecordRef,
    /// The grant's name for its conversation.
    pub conversation: RecordRef,
    /// Its place in that.
    pub position: i64,
    /// The grant's name for what it answers.
    pub reply_to: Option<RecordRef>,
}

/// One row of a copy. Redacted, and still citizens' words: `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CopyRow {
    /// The grant's name for the record.
    pub id: String,
    /// The grant's name for its conversation.
    pub conversation: String,
    /// Its place in that.
    pub position: i64,
    /// The grant's name for what it answers.
    pub reply_to: Option<String>,
    /// When it was posted, as exactly as told.
    pub time: Option<String>,
    /// How exactly that is.
    pub time_precision: Precision,
    /// Channel.
    pub channel: Option<String>,
    /// Platform.
    pub platform: Option<String>,
    /// Post, reaction or message.
    pub kind: Option<String>,
    /// Public or unlisted.
    pub visibility: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// Whether it was edited.
    pub edited: bool,
    /// Kinds of attachments.
    pub media_kinds: String,
    /// Whether the organisation or a citizen speaks.
    pub author_role: Option<String>,
    /// Pseudonym of the author.
    pub author: Option<String>,
    /// What happens to the item.
    pub outcome: Option<String>,
    /// By which tree.
    pub tree: Option<String>,
    /// By which version of it.
    pub tree_version: Option<String>,
    /// Kinds of what is redacted, in order.
    pub redactions: String,
    /// The text.
    pub text: Option<String>,
    /// The warning before it.
    pub content_warning: Option<String>,
    /// Choices of a poll.
    pub poll_options: Option<String>,
    /// Descriptions of pictures.
    pub alt_texts: Option<String>,
    /// Wider values that are shown.
    pub wider: String,
    /// Version of the rules.
    pub ruleset: String,
}

impl std::fmt::Debug for CopyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CopyRow({})", self.id)
    }
}

impl CopyRow {
    /// The row of a view. `time` is told no more exactly than `most`; where the vault told none, the day of the view is taken.
    #[must_use]
    pub fn of(named: Named, view: &View, plan: &Plan, told: Option<&str>, most: Precision) -> Self {
        let word = |field: &str| view.metadata.get(field).and_then(Value::as_str).map(str::to_owned);
        let most = most.max(plan.time());
        let time = told.map(str::to_owned).or_else(|| word("day")).unwrap_or_default();
        let time = most.of(&time);
        let placeholders = || view.passages.iter().flat_map(|passage| &passage.placeholders);
        let kinds: Vec<&str> = placeholders().map(|one| one.entity.as_str()).collect();
        let wider: Vec<&str> = placeholders().filter_map(|one| one.value.as_deref()).collect();
        let media = view.metadata.get("mediaKinds").and_then(Value::as_array);
        let media: Vec<&str> = media.into_iter().flatten().filter_map(Value::as_str).collect();
        let said = |role: &str| {
            let said = view.passages.iter().filter(|passage| passage.role == role);
            let said: Vec<&str> = said.map(|PassageView { text, .. }| text.as_str()).collect();
            (plan.shows_text() && !said.is_empty()).then(|| said.join("\n"))
        };
        Self {
            id: named.id.to_string(),
            conversation: named.conversation.to_string(),
            position: named.position,
            reply_to: named.reply_to.map(|id| id.to_string()),
            time: (!time.is_empty()).then(|| time.to_owned()),
            time_precision: precision_of(time),
            channel: word("channel"),
            platform: word("platform"),
            kind: word("kind"),
            visibility: word("visibility"),
            language: word("language"),
            edited: view.metadata.get("edited").and_then(Value::as_bool).unwrap_or_default(),
            media_kinds: media.join(" "),
            author_role: word("authorRole"),
            author: view.author.clone(),
            outcome: word("outcome"),
            tree: word("tree"),
            tree_version: word("treeVersion"),
            redactions: kinds.join(" "),
            text: said("body"),
            content_warning: said("content-warning"),
            poll_options: said("poll-option"),
            alt_texts: said("alt-text"),
            wider: wider.join(" "),
            ruleset: view.ruleset.clone(),
        }
    }

    /// Its values, in the order of [`COLUMNS`](super::COLUMNS).
    #[must_use]
    pub fn cells(&self) -> [Cell<'_>; 25] {
        [
            Cell::Text(Some(&self.id)),
            Cell::Text(Some(&self.conversation)),
            Cell::Number(self.position),
            Cell::Text(self.reply_to.as_deref()),
            Cell::Text(self.time.as_deref()),
            Cell::Text(Some(self.time_precision.as_str())),
            Cell::Text(self.channel.as_deref()),
            Cell::Text(self.platform.as_deref()),
            Cell::Text(self.kind.as_deref()),
            Cell::Text(self.visibility.as_deref()),
            Cell::Text(self.language.as_deref()),
            Cell::Flag(self.edited),
            Cell::Text(Some(&self.media_kinds)),
            Cell::Text(self.author_role.as_deref()),
            Cell::Text(self.author.as_deref()),
            Cell::Text(self.outcome.as_deref()),
            Cell::Text(self.tree.as_deref()),
            Cell::Text(self.tree_version.as_deref()),
            Cell::Text(Some(&self.redactions)),
            Cell::Text(self.text.as_deref()),
            Cell::Text(self.content_warning.as_deref()),
            Cell::Text(self.poll_options.as_deref()),
            Cell::Text(self.alt_texts.as_deref()),
            Cell::Text(Some(&self.wider)),
            Cell::Text(Some(&self.ruleset)),
        ]
    }

    /// Its texts: what people wrote, redacted.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.text, &self.content_warning, &self.poll_options, &self.alt_texts]
            .into_iter()
            .filter_map(Option::as_deref)
    }
}

/// How exactly a time such as `2026-05` is told.
fn precision_of(time: &str) -> Precision {
    match time.len() {
        0..4 => Precision::None,
        4 => Precision::Year,
        7 => Precision::Month,
        10 => Precision::Day,
        _ => Precision::Hour,
    }
}

#[cfg(test)]
mod tests {
    use super::super::COLUMNS;
    use super::*;

    #[test]
    fn every_column_has_its_cell_and_its_field() {
        let row: CopyRow = serde_json::from_value(serde_json::json!({
            "id": "a", "conversation": "b", "position": 1, "timePrecision": "day", "edited": false,
            "mediaKinds": "", "redactions": "", "wider": "", "ruleset": "r1",
        }))
        .unwrap();
        let written = serde_json::to_value(&row).unwrap();
        let fields: std::collections::BTreeSet<&str> =
            written.as_object().unwrap().keys().map(String::as_str).collect();
        let columns: std::collections::BTreeSet<&str> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(fields, columns);
        assert_eq!(row.cells().len(), COLUMNS.len());
        for (cell, column) in row.cells().iter().zip(COLUMNS) {
            let value = written.get(column.name).unwrap();
            match cell {
                Cell::Text(text) => assert_eq!(value.as_str(), *text, "{}", column.name),
                Cell::Number(number) => assert_eq!(value.as_i64(), Some(*number)),
                Cell::Flag(flag) => assert_eq!(value.as_bool(), Some(*flag)),
            }
        }
    }
}
