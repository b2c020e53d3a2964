//! What a request says. Everything that is wrong with it is told at once.

use super::{Form, ResearchBases};
use crate::model::{ChannelId, FlagKind, LegalBasisCode, OrganisationId, RecordRef, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A request for redacted copies of one organisation's records. Free text of a researcher, about themselves and their work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Content {
    /// Whose records.
    pub organisation: OrganisationId,
    /// The research question.
    pub question: String,
    /// What the answer is for.
    pub purpose: String,
    /// On which basis.
    pub legal_basis: LegalBasisCode,
    /// The institution that answers for the research.
    pub institution: String,
    /// Which records.
    pub selection: Selection,
    /// In which form.
    pub form: Form,
    /// How personal data is shown: a redaction plan.
    pub plan: String,
    /// Until when, if less than the basis allows is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who works with it beside the one who asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub team: Vec<TeamMember>,
    /// Documents that go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// Which records a request is about: all that hold every part that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Selection {
    /// Of these channels; of all of the organisation's when none is named.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub channels: BTreeSet<ChannelId>,
    /// Posted on this day or after, `2026-05-04`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Posted on this day or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Of these conversations, by the names that a grant of the researcher has for them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub conversations: BTreeSet<RecordRef>,
    /// In whose redacted text all of these words stand.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub words: BTreeSet<String>,
    /// Also records that show these special categories, criminal matters or a minor, once a reviewer has judged that they do.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub special_categories: BTreeSet<FlagKind>,
}

/// Someone who works with the copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TeamMember {
    /// Who issues their tokens.
    pub issuer: String,
    /// Whom those tokens name.
    pub subject: String,
    /// Their name, for who decides.
    pub name: String,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentKind {
    /// An ethical review.
    Ethics,
    /// A data protection impact assessment.
    Dpia,
    /// Anything else.
    Other,
}

/// A document, by reference: where it lies with the institution, or its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// Its title.
    pub title: String,
    /// Its content or what it says, as text.
    pub text: String,
}

/// Something wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Which field.
    pub field: &'static str,
    /// What is wrong, with the mend.
    pub what: String,
}

impl std::fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.what)
    }
}

/// How long things may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Characters of a text.
    pub text_chars_max: usize,
    /// Members of a list.
    pub list_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_chars_max: 8_000, list_max: 100 }
    }
}

impl Content {
    /// Everything that is wrong with it. `plans` are the names of redaction plans; `now` the moment it is handed in.
    #[must_use]
    pub fn problems(
        &self,
        bases: &ResearchBases,
        plans: &dyn Fn(&str) -> bool,
        limits: Limits,
        now: Timestamp,
    ) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut wrong = |field, what: String| found.push(FieldProblem { field, what });
        for (field, text) in
            [("question", &self.question), ("purpose", &self.purpose), ("institution", &self.institution)]
        {
            if text.trim().is_empty() {
                wrong(field, "must be given".to_owned());
            }
        }
        if !plans(&self.plan) {
            wrong("plan", format!("`{}` is no redaction plan that may be asked for", short(&self.plan)));
        }
        if self.until.is_some_and(|until| until <= now) {
            wrong("until", "lies in the past".to_owned());
        }
        self.selection.problems(&mut wrong);
        self.lengths(limits, &mut wrong);
        match bases.find(&self.legal_basis) {
            None => wrong("legalBasis", format!("`{}` is no basis for research", self.legal_basis)),
            Some(basis) => {
                if !basis.allows(self.form) {
                    wrong("form", format!("`{}` does not allow this form", self.legal_basis));
                }
                if !self.selection.special_categories.is_empty() && !basis.names_special_categories() {
                    let code = &self.legal_basis;
                    wrong("selection", format!("`{code}` does not allow special categories to be named"));
                }
                let has = |kind| self.attachments.iter().any(|attachment| attachment.kind == kind);
                if basis.needs_ethics() && !has(AttachmentKind::Ethics) {
                    wrong("attachments", "an ethical review must be attached (kind `ethics`)".to_owned());
                }
                if basis.needs_dpia() && !has(AttachmentKind::Dpia) {
                    wrong(
                        "attachments",
                        "a data protection impact assessment must be attached (kind `dpia`)".to_owned(),
                    );
                }
            }
        }
        found
    }

    fn lengths(&self, limits: Limits, wrong: &mut dyn FnMut(&'static str, String)) {
        let most = limits.text_chars_max;
        let texts = [
            ("question", &self.question),
            ("purpose", &self.purpose),
            ("institution", &self.institution),
            ("plan", &self.plan),
        ];
        let attached =
            self.attachments.iter().flat_map(|a| [("attachments", &a.title), ("attachments", &a.text)]);
        let team =
            self.team.iter().flat_map(|m| [("team", &m.issuer), ("team", &m.subject), ("team", &m.name)]);
        for (field, text) in texts.into_iter().chain(attached).chain(team) {
            if text.chars().count() > most {
                wrong(field, format!("is longer than {most} characters"));
            }
        }
        let lists = [
            ("team", self.team.len()),
            ("attachments", self.attachments.len()),
            ("selection", self.selection.channels.len()),
            ("selection", self.selection.conversations.len()),
            ("selection", self.selection.words.len()),
        ];
        for (field, length) in lists {
            if length > limits.list_max {
                wrong(field, format!("has more than {} members", limits.list_max));
            }
        }
    }
}

impl Selection {
    fn problems(&self, wrong: &mut dyn FnMut(&'static str, String)) {
        for day in [&self.from, &self.until].into_iter().flatten() {
            if crate::model::day(day).is_none() {
                wrong("selection", format!("`{}` is no day such as 2026-05-04", short(day)));
            }
        }
        if let (Some(from), Some(until)) = (&self.from, &self.until)
            && from > until
        {
            wrong("selection", format!("begins on {} and ends before it, on {}", short(from), short(until)));
        }
        if self.words.iter().any(|word| word.trim().is_empty()) {
            wrong("selection", "holds an empty word".to_owned());
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases() -> ResearchBases {
        let own = include_str!("../../../policies/research-bases.yaml");
        ResearchBases::load("research-bases.yaml", own).unwrap()
    }

    fn content() -> Content {
        serde_json::from_value(serde_json::json!({
            "organisation": "min-low", "question": "Hoe reageren burgers op de waterheffing?",
            "purpose": "Proefschrift", "legalBasis": "woo-5.7", "institution": "Universiteit van Ergens",
            "selection": { "channels": ["low-mastodon"], "from": "2026-03-01", "until": "2026-05-31" },
            "form": "view", "plan": "researcher"
        }))
        .unwrap()
    }

    fn problems(content: &Content) -> Vec<(&'static str, String)> {
        let now = Timestamp::from_micros(1_790_000_000_000_000).unwrap();
        let found = content.problems(&bases(), &|plan| plan == "researcher", Limits::default(), now);
        found.into_iter().map(|problem| (problem.field, problem.what)).collect()
    }

    #[test]
    fn a_whole_request_has_no_problem() {
        assert_eq!(problems(&content()), []);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let mut asked = content();
        asked.question = "  ".to_owned();
        asked.plan = "original".to_owned();
        asked.form = Form::Export;
        asked.until = Timestamp::from_micros(0);
        asked.selection.from = Some("gisteren".to_owned());
        let fields: Vec<&str> = problems(&asked).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["question", "plan", "until", "selection", "selection", "form"]);
        asked = content();
        asked.legal_basis = "avg-89".parse().unwrap();
        let what: Vec<String> = problems(&asked).into_iter().map(|(_, what)| what).collect();
        assert!(
            what.len() == 2 && what[0].contains("ethical review") && what[1].contains("impact assessment")
        );
        asked.selection.special_categories = [FlagKind::Health].into();
        assert_eq!(problems(&asked).len(), 2, "this basis allows them to be named");
        asked.legal_basis = "woo-5.7".parse().unwrap();
        assert!(problems(&asked)[0].1.contains("special categories"));
        asked.selection.special_categories.clear();
        asked.legal_basis = "avg-15".parse().unwrap();
        assert!(problems(&asked)[0].1.contains("no basis for research"));
        asked.purpose = "x".repeat(8_001);
        assert!(problems(&asked).iter().any(|(field, _)| *field == "purpose"));
    }
}
