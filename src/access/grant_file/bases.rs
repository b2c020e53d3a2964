//! The bases on which a researcher may ask. Data: a jurist changes it.

use crate::access::AccessError;
use crate::model::LegalBasisCode;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// In which form copies are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Read and searched in the reading room.
    View,
    /// Taken along as files, through the airlock.
    Export,
}

/// Something that the researcher must accept, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
}

/// One basis.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ResearchBasis {
    code: LegalBasisCode,
    label: Condition,
    forms: BTreeSet<Form>,
    lasts_days: u32,
    needs: Needs,
    after_transfer: bool,
    #[serde(default)]
    special_categories: bool,
    conditions: Vec<Condition>,
    source: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Needs {
    ethics: bool,
    dpia: bool,
}

/// The checked list, by code.
#[derive(Debug)]
pub struct ResearchBases {
    version: String,
    bases: BTreeMap<LegalBasisCode, ResearchBasis>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    bases: Vec<ResearchBasis>,
}

impl ResearchBases {
    /// Reads and checks the list. `file` is the name used in errors.
    ///
    /// # Errors
    /// Every basis that does not hold together, named with the mend.
    pub fn load(file: &str, yaml: &str) -> Result<Self, AccessError> {
        let wrong = |problem: String| AccessError::LegalBases { file: file.to_owned(), problem };
        let read: File = serde_saphyr::from_str(yaml).map_err(|problem| wrong(problem.to_string()))?;
        let (mut problems, mut bases) = (Vec::new(), BTreeMap::new());
        for basis in read.bases {
            problems.extend(basis.problems());
            let code = basis.code.clone();
            if bases.insert(code.clone(), basis).is_some() {
                problems.push(format!("`{code}` stands there twice: remove one"));
            }
        }
        if bases.is_empty() {
            problems.push("there is no basis: add at least one".to_owned());
        }
        if problems.is_empty() {
            Ok(Self { version: read.version, bases })
        } else {
            Err(wrong(problems.join("; ")))
        }
    }

    /// The version of the list, as its author wrote it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The basis with this code.
    #[must_use]
    pub fn find(&self, code: &LegalBasisCode) -> Option<&ResearchBasis> {
        self.bases.get(code)
    }

    /// Every basis, by code.
    pub fn iter(&self) -> impl Iterator<Item = &ResearchBasis> {
        self.bases.values()
    }
}

impl ResearchBasis {
    /// The code, as it stands in requests and in the ledger.
    #[must_use]
    pub const fn code(&self) -> &LegalBasisCode {
        &self.code
    }

    /// What it is called.
    #[must_use]
    pub const fn label(&self) -> &Condition {
        &self.label
    }

    /// Whether a request may name special categories.
    #[must_use]
    pub const fn names_special_categories(&self) -> bool {
        self.special_categories
    }

    /// Whether copies may be had in this form.
    #[must_use]
    pub fn allows(&self, form: Form) -> bool {
        self.forms.contains(&form)
    }

    /// How many days a grant may last.
    #[must_use]
    pub const fn lasts_days(&self) -> u32 {
        self.lasts_days
    }

    /// Whether an ethical review must be attached.
    #[must_use]
    pub const fn needs_ethics(&self) -> bool {
        self.needs.ethics
    }

    /// Whether a data protection impact assessment must be attached.
    #[must_use]
    pub const fn needs_dpia(&self) -> bool {
        self.needs.dpia
    }

    /// Whether it is only for records that went to an archive.
    #[must_use]
    pub const fn is_after_transfer(&self) -> bool {
        self.after_transfer
    }

    /// What must be accepted, whoever approves.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Where the rule stands.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    fn problems(&self) -> Vec<String> {
        let code = &self.code;
        let empty = |text: &Condition| text.nl.trim().is_empty() || text.en.trim().is_empty();
        let checks = [
            (empty(&self.label), "has no label in Dutch or English: add both"),
            (self.forms.is_empty(), "allows no form: name view, export or both"),
            (self.lasts_days == 0, "lasts no day: give lastsDays"),
            (
                self.conditions.iter().any(empty),
                "has a condition that is not in both languages: add the other",
            ),
            (self.source.trim().is_empty(), "has no source: name the article"),
        ];
        checks.iter().filter(|(wrong, _)| *wrong).map(|(_, what)| format!("`{code}` {what}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = include_str!("../../../policies/research-bases.yaml");

    #[test]
    fn the_list_that_comes_with_the_program_holds_together() {
        let bases = ResearchBases::load("research-bases.yaml", OWN).unwrap();
        let woo = bases.find(&"woo-5.7".parse().unwrap()).unwrap();
        assert!(woo.allows(Form::View) && !woo.allows(Form::Export), "no further dissemination");
        assert!(woo.conditions().iter().any(|condition| condition.nl.contains("niet verder")));
        assert!(bases.find(&"avg-89".parse().unwrap()).unwrap().needs_dpia());
        assert!(bases.find(&"archiefwet".parse().unwrap()).unwrap().is_after_transfer());
    }

    #[test]
    fn what_does_not_hold_together_is_named() {
        for (from, to, said) in [
            ("forms: [view]", "forms: []", "`woo-5.7` allows no form"),
            ("lastsDays: 365", "lastsDays: 0", "`woo-5.7` lasts no day"),
            ("code: archiefwet", "code: avg-89", "`avg-89` stands there twice"),
            ("lastsDays: 365", "lastsDay: 365", "lastsDay"),
        ] {
            let error =
                ResearchBases::load("bases.yaml", &OWN.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("bases.yaml"), "{error}");
        }
    }
}
