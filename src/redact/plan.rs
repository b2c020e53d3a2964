//! Redaction plans: what a role reads in the place of personal data.

use super::RedactError;
use super::error::{parse, sound};
use crate::model::{EntityType, ModelError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

/// The languages of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Dutch (`nl`).
    #[default]
    Dutch,
    /// English (`en`).
    English,
}

impl FromStr for Language {
    type Err = ModelError;
    fn from_str(given: &str) -> Result<Self, ModelError> {
        match given {
            "nl" => Ok(Self::Dutch),
            "en" => Ok(Self::English),
            _ => Err(ModelError::Term {
                what: "language",
                given: given.chars().take(80).collect(),
                expected: "nl, en".to_owned(),
            }),
        }
    }
}

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
    /// The kind and a wider value that the vault made for the grant: `[geboortedatum 1985]`. Without one: the wider kind.
    Wider,
}

/// How exactly a plan tells when something was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// `2026-05-04T10`, in UTC.
    Hour,
    /// `2026-05-04`.
    #[default]
    Day,
    /// `2026-05`.
    Month,
    /// `2026`.
    Year,
    /// Not at all.
    None,
}

impl Precision {
    /// The next one that tells less.
    #[must_use]
    pub const fn wider(self) -> Self {
        match self {
            Self::Hour => Self::Day,
            Self::Day => Self::Month,
            Self::Month => Self::Year,
            Self::Year | Self::None => Self::None,
        }
    }

    /// The part of a time such as `2026-05-04T10` that it lets be told; a time that tells less already stays as it is.
    #[must_use]
    pub fn of(self, time: &str) -> &str {
        let most = match self {
            Self::Hour => 13,
            Self::Day => 10,
            Self::Month => 7,
            Self::Year => 4,
            Self::None => 0,
        };
        time.get(..most.min(time.len())).unwrap_or_default()
    }

    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
            Self::None => "none",
        }
    }
}

/// In which form copies are had under a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CopyForm {
    /// Read in the reading room.
    View,
    /// Files to take away.
    Export,
}

/// What tells people apart though it names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuasiIdentifier {
    /// The time, as exactly as it is shown.
    Time,
    /// The channel, and wider places such as the digits of a postcode.
    Place,
    /// Whether the organisation or a citizen speaks.
    AccountKind,
}

/// What is done with a small group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmallGroup {
    /// Times and places are widened until it is small no more; what stays small is left out.
    Suppress,
    /// The export is refused.
    Refuse,
}

impl Default for SmallGroups {
    fn default() -> Self {
        let over = [QuasiIdentifier::Time, QuasiIdentifier::Place, QuasiIdentifier::AccountKind];
        Self { k: 10, over: over.into(), then: SmallGroup::Suppress }
    }
}

/// How few people a row of an export may point at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallGroups {
    /// Fewer people than this are a small group.
    pub k: u32,
    /// What groups are made over. Free text is not among it: nothing counts how many people could have written a text.
    pub over: BTreeSet<QuasiIdentifier>,
    /// What is done with one.
    pub then: SmallGroup,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlansFile {
    labels: Vec<LabelFile>,
    unknown: LabelTexts,
    #[serde(default, rename = "smallGroups")]
    small_groups: SmallGroups,
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
    #[serde(default)]
    time: Precision,
    #[serde(default = "shown")]
    text: bool,
    #[serde(default)]
    forms: BTreeSet<CopyForm>,
}

const fn shown() -> bool {
    true
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
    time: Precision,
    text: bool,
    forms: BTreeSet<CopyForm>,
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
            Mode::Label | Mode::Pseudonym | Mode::Wider => texts.label.in_language(language),
        }
    }

    /// The words of a placeholder for which there is no wider value.
    #[must_use]
    pub fn wider_kind(&self, entity: &EntityType, language: Language) -> &str {
        self.labels.of(entity).generalised.in_language(language)
    }

    /// How exactly it tells when something was posted.
    #[must_use]
    pub const fn time(&self) -> Precision {
        self.time
    }

    /// Whether texts are shown at all.
    #[must_use]
    pub const fn shows_text(&self) -> bool {
        self.text
    }

    /// Whether it shows wider values or times that only the vault can make.
    #[must_use]
    pub fn needs_values(&self) -> bool {
        let wider = |mode: &Mode| *mode == Mode::Wider;
        self.time == Precision::Hour || wider(&self.default) || self.modes.values().any(wider)
    }

    /// Whether copies may be asked for in this form under it.
    #[must_use]
    pub fn is_for(&self, form: CopyForm) -> bool {
        self.forms.contains(&form)
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }
}

/// Every plan of the service.
#[derive(Debug)]
pub struct Plans {
    plans: BTreeMap<String, Plan>,
    small_groups: SmallGroups,
}

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
            let PlanFile { id, title, default, modes, time, text, forms } = plan;
            if id.trim().is_empty() || !title.is_complete() {
                problems.push(format!("plan `{id}` needs an id and a title in `nl` and `en`"));
            }
            if !text && forms.contains(&CopyForm::View) {
                problems.push(format!(
                    "plan `{id}` shows no text, so there is nothing to view; leave `view` out"
                ));
            }
            let labels = Arc::clone(&labels);
            let plan = Plan { id: id.clone(), title, default, modes, time, text, forms, labels };
            if plans.insert(id.clone(), plan).is_some() {
                problems.push(format!("plan `{id}` stands twice; rename one"));
            }
        }
        if file.small_groups.k < 2 || file.small_groups.over.is_empty() {
            problems.push("smallGroups: `k` must be at least 2 and `over` must name something".to_owned());
        }
        sound(name, problems)?;
        Ok(Self { plans, small_groups: file.small_groups })
    }

    /// The plan of that id.
    #[must_use]
    pub fn plan(&self, id: &str) -> Option<&Plan> {
        self.plans.get(id)
    }

    /// Whether copies may be asked for in this form under the plan of that id.
    #[must_use]
    pub fn offers(&self, id: &str, form: CopyForm) -> bool {
        self.plan(id).is_some_and(|plan| plan.is_for(form))
    }

    /// How few people a row of an export may point at.
    #[must_use]
    pub const fn small_groups(&self) -> &SmallGroups {
        &self.small_groups
    }

    /// Every plan, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.plans.values()
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
