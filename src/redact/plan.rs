//! Redaction plans: what a role reads in the place of personal data.

use super::RedactError;
use super::error::{parse, sound};
use crate::model::{EntityType, Language};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A text in both languages of the service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Dutch.
    pub nl: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// The text in one language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Dutch => &self.nl,
            Language::English => &self.en,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.nl.trim().is_empty() && !self.en.trim().is_empty()
    }
}

/// What stands for one kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The kind: `[persoon]`.
    Label,
    /// The kind and a pseudonym of this grant, so that one person can be followed: `[persoon Vos-17]`.
    /// Without a person or a pseudonym: the label.
    Pseudonym,
    /// A wider kind: `[contactgegeven]`.
    Generalised,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlansFile {
    labels: Vec<LabelFile>,
    unknown: LabelTexts,
    plans: Vec<PlanFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelFile {
    entity: EntityType,
    label: Bilingual,
    generalised: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelTexts {
    label: Bilingual,
    generalised: Bilingual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    id: String,
    title: Bilingual,
    default: Mode,
    #[serde(default)]
    modes: BTreeMap<EntityType, Mode>,
}

#[derive(Debug)]
pub(super) struct Labels {
    known: BTreeMap<EntityType, LabelTexts>,
    unknown: LabelTexts,
    /// Every label of both languages, lower case: what a literal bracket must not seem to open.
    all: Vec<String>,
}

impl Labels {
    fn of(&self, entity: &EntityType) -> &LabelTexts {
        self.known.get(entity).unwrap_or(&self.unknown)
    }

    /// Whether folded text that stands behind a bracket begins as a placeholder does.
    pub(super) fn opens(&self, folded: &str) -> bool {
        let begins = |label: &String| {
            let rest = folded.strip_prefix(label.as_str());
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        self.all.iter().any(begins)
    }
}

/// One redaction plan.
#[derive(Debug, Clone)]
pub struct Plan {
    id: String,
    title: Bilingual,
    default: Mode,
    modes: BTreeMap<EntityType, Mode>,
    labels: Arc<Labels>,
}

impl Plan {
    /// The plan's id, as access policies name it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The title people read.
    #[must_use]
    pub fn title(&self) -> &Bilingual {
        &self.title
    }

    /// What stands for that kind of personal data.
    #[must_use]
    pub fn mode(&self, entity: &EntityType) -> Mode {
        self.modes.get(entity).copied().unwrap_or(self.default)
    }

    /// The words of a placeholder of that kind under this plan, without brackets and pseudonym.
    #[must_use]
    pub fn label(&self, entity: &EntityType, language: Language) -> &str {
        let texts = self.labels.of(entity);
        match self.mode(entity) {
            Mode::Generalised => texts.generalised.in_language(language),
            Mode::Label | Mode::Pseudonym => texts.label.in_language(language),
        }
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }
}

/// Every plan of the service.
#[derive(Debug)]
pub struct Plans(BTreeMap<String, Plan>);

impl Plans {
    /// Reads the plans from YAML; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When the file is not readable, an id or entity type stands twice, a text is missing, or a
    /// label holds a bracket or is not lower case.
    pub fn load(name: &str, text: &str) -> Result<Self, RedactError> {
        let file: PlansFile = parse(name, text)?;
        let mut problems = Vec::new();
        let labels = Arc::new(labels(file.labels, file.unknown, &mut problems));
        let mut plans = BTreeMap::new();
        for plan in file.plans {
            let PlanFile { id, title, default, modes } = plan;
            if id.trim().is_empty() || !title.is_complete() {
                problems.push(format!("plan `{id}` needs an id and a title in `nl` and `en`"));
            }
            let plan = Plan { id: id.clone(), title, default, modes, labels: Arc::clone(&labels) };
            if plans.insert(id.clone(), plan).is_some() {
                problems.push(format!("plan `{id}` stands twice; rename one"));
            }
        }
        sound(name, problems)?;
        Ok(Self(plans))
    }

    /// The plan of that id.
    #[must_use]
    pub fn plan(&self, id: &str) -> Option<&Plan> {
        self.0.get(id)
    }

    /// Every plan, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.0.values()
    }
}

fn labels(files: Vec<LabelFile>, unknown: LabelTexts, problems: &mut Vec<String>) -> Labels {
    let mut known = BTreeMap::new();
    for LabelFile { entity, label, generalised } in files {
        if known.insert(entity.clone(), LabelTexts { label, generalised }).is_some() {
            problems.push(format!("labels of `{entity}` stand twice; remove one"));
        }
    }
    let texts = known.values().chain([&unknown]);
    let texts =
        texts.flat_map(|texts| [&texts.label, &texts.generalised]).flat_map(|text| [&text.nl, &text.en]);
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if text.trim().is_empty() || text.contains(['[', ']', '\\']) {
            problems.push(format!("label `{text}` must have words and neither brackets nor backslashes"));
        }
        all.push(super::fold::fold(text).text);
    }
    all.sort_unstable();
    all.dedup();
    Labels { known, unknown, all }
}
