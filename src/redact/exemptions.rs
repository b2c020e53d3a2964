//! Why passages are redacted: the grounds of exemption, as data.

use super::error::{parse, sound};
use super::{Bilingual, Language, RedactError};
use crate::model::ExemptionCode;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Under which law an exemption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Regime {
    /// Algemene verordening gegevensbescherming, with its Dutch implementing act.
    Avg,
    /// Wet open overheid: before transfer to the archive.
    Woo,
    /// Archiefwet 1995: after transfer.
    Archiefwet,
}

/// Whether interests are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExemptionKind {
    /// Applies without weighing.
    Absolute,
    /// Applies when it outweighs the interest of openness: an assessment states the weighing.
    Relative,
}

/// One ground of exemption (uitzonderingsgrond).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// Its code, such as `woo-5.1.2e`.
    pub code: ExemptionCode,
    /// The law.
    pub regime: Regime,
    /// Weighed or not.
    pub kind: ExemptionKind,
    /// What people read.
    pub label: Bilingual,
    /// The article.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExemptionsFile {
    exemptions: Vec<Exemption>,
}

/// Every ground that may stand on a placeholder.
#[derive(Debug)]
pub struct Exemptions(BTreeMap<ExemptionCode, Exemption>);

impl Exemptions {
    /// Reads the list from YAML; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When the file is not readable, a code stands twice, or a text is missing.
    pub fn load(name: &str, text: &str) -> Result<Self, RedactError> {
        let file: ExemptionsFile = parse(name, text)?;
        let mut problems = Vec::new();
        let mut known = BTreeMap::new();
        for exemption in file.exemptions {
            let code = exemption.code.clone();
            if exemption.source.trim().is_empty() || !exemption.label.is_complete() {
                problems.push(format!("exemption `{code}` needs a source and a label in `nl` and `en`"));
            }
            if known.insert(code.clone(), exemption).is_some() {
                problems.push(format!("exemption `{code}` stands twice; remove one"));
            }
        }
        sound(name, problems)?;
        Ok(Self(known))
    }

    /// The exemption of that code.
    #[must_use]
    pub fn exemption(&self, code: &ExemptionCode) -> Option<&Exemption> {
        self.0.get(code)
    }

    /// Every exemption, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Exemption> {
        self.0.values()
    }

    /// What people read for a code: the code itself when it is not in the list.
    #[must_use]
    pub fn label<'a>(&'a self, code: &'a ExemptionCode, language: Language) -> &'a str {
        self.exemption(code).map_or(code.as_str(), |exemption| exemption.label.in_language(language))
    }
}
