//! Definitions of all organisations, and which of them are in force.

use super::{DecideError, Defined, Definition, Problem};
use crate::model::{OrganisationId, Timestamp};
use std::collections::BTreeMap;

/// Every definition that was loaded.
#[derive(Debug, Default)]
pub struct Definitions(Vec<Definition>);

/// The definitions that hold for one organisation at one moment: at most one of each thing.
#[derive(Debug, Default, Clone)]
pub struct InForce<'d>(BTreeMap<Defined, &'d Definition>);

impl Definitions {
    /// Reads definition files: name and text of each.
    ///
    /// # Errors
    /// When one cannot be read, or two of one organisation define a thing from the same day.
    pub fn load<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Self, DecideError> {
        let mut all: Vec<Definition> = Vec::new();
        for (name, text) in files {
            let definition = Definition::load(name, text)?;
            let same = |other: &Definition| {
                other.defines() == definition.defines()
                    && other.organisation() == definition.organisation()
                    && other.valid_from() == definition.valid_from()
            };
            if all.iter().any(same) {
                let what = format!(
                    "another file defines `{}` from {} for the same organisation; give one of them another date",
                    definition.defines().as_str(),
                    definition.valid_from()
                );
                let problems = vec![Problem { line: 0, what }];
                return Err(DecideError::Invalid { file: name.to_owned(), problems });
            }
            all.push(definition);
        }
        Ok(Self(all))
    }

    /// Every definition.
    pub fn iter(&self) -> impl Iterator<Item = &Definition> {
        self.0.iter()
    }

    /// What is in force at `at`: the organisation's own latest, else the latest that is for everyone.
    #[must_use]
    pub fn in_force(&self, organisation: Option<&OrganisationId>, at: Timestamp) -> InForce<'_> {
        self.on(organisation, at.date())
    }

    fn on(&self, organisation: Option<&OrganisationId>, day: jiff::civil::Date) -> InForce<'_> {
        let mut found: BTreeMap<Defined, &Definition> = BTreeMap::new();
        for definition in self.0.iter().filter(|definition| definition.valid_from() <= day) {
            if definition.organisation().is_some() && definition.organisation() != organisation {
                continue;
            }
            let rank = |of: &Definition| (of.organisation().is_some(), of.valid_from());
            let known = found.entry(definition.defines()).or_insert(definition);
            if rank(definition) > rank(known) {
                *known = definition;
            }
        }
        InForce(found)
    }

    /// Everything, whatever its date: for checking files.
    #[must_use]
    pub fn latest(&self) -> InForce<'_> {
        self.on(None, jiff::civil::Date::MAX)
    }
}

impl<'d> InForce<'d> {
    /// The definition of that thing, if there is one.
    #[must_use]
    pub fn of(&self, defined: Defined) -> Option<&'d Definition> {
        self.0.get(&defined).copied()
    }

    /// Those that are in force.
    pub fn iter(&self) -> impl Iterator<Item = &'d Definition> + '_ {
        self.0.values().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(organisation: &str, from: &str) -> String {
        format!(
            "id: {organisation}{from}\ndefines: formal\n{}valid_from: '{from}'\ntitle: {{nl: d, en: d}}\nsource: s\n\
             yes_from: 0.7\nunsure_from: 0.4\nsigns: [{{id: s, weight: 0.8, words: [a]}}]\n",
            if organisation.is_empty() { String::new() } else { format!("organisation: {organisation}\n") }
        )
    }

    #[test]
    fn an_own_definition_goes_before_a_common_one_from_its_day_on() {
        let files =
            [("", "2020-01-01"), ("", "2025-01-01"), ("min-a", "2024-01-01"), ("min-b", "2020-01-01")]
                .map(|(organisation, from)| file(organisation, from));
        let all = Definitions::load(files.iter().map(|text| ("f.yaml", text.as_str()))).unwrap();
        let id = |organisation: &str, at: &str| {
            let organisation: OrganisationId = organisation.parse().unwrap();
            let in_force = all.in_force(Some(&organisation), at.parse().unwrap());
            in_force.of(Defined::Formal).map(|found| found.id().to_owned()).unwrap_or_default()
        };
        let table = [
            ("min-a", "2023-06-01T00:00:00Z", "2020-01-01"),
            ("min-a", "2026-06-01T00:00:00Z", "min-a2024-01-01"),
            ("min-c", "2026-06-01T00:00:00Z", "2025-01-01"),
            ("min-b", "2019-06-01T00:00:00Z", ""),
        ];
        for (organisation, at, expected) in table {
            assert_eq!(id(organisation, at), expected, "{organisation} {at}");
        }
        assert_eq!(all.latest().of(Defined::Formal).map(Definition::id), Some("2025-01-01"));
    }

    #[test]
    fn two_definitions_of_one_day_are_refused() {
        let text = file("", "2020-01-01");
        let error = Definitions::load([("a.yaml", text.as_str()), ("b.yaml", text.as_str())]).unwrap_err();
        assert!(error.to_string().contains("b.yaml"), "{error}");
    }
}
