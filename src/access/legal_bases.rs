//! The list of legal bases (grondslagen) under which an original may be opened. Data: a jurist changes it.

use super::AccessError;
use crate::model::{LegalBasisCode, OpeningScope, Role};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The checked list, in the order of the codes.
#[derive(Debug)]
pub struct LegalBases {
    version: String,
    bases: BTreeMap<LegalBasisCode, LegalBasis>,
}

/// One legal basis.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LegalBasis {
    code: LegalBasisCode,
    label: Label,
    roles: BTreeSet<Role>,
    needs: Needs,
    four_eyes: bool,
    lasts_days: u32,
    covers: Covers,
    break_glass_hours: Option<u32>,
    source: String,
    secret: bool,
    during_restriction: bool,
}

/// What one request under a legal basis may reach.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Covers {
    /// Which scopes.
    pub scopes: BTreeSet<OpeningScope>,
    /// How many records at the most, threads counted in.
    pub records_max: u32,
    /// How many searches at the most, where the scopes have [`OpeningScope::Find`].
    #[serde(default)]
    pub searches_max: u32,
}

/// What must be given with a legal basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Needs {
    /// A case number.
    pub case_number: bool,
    /// A motivation in words.
    pub motivation: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    nl: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    bases: Vec<LegalBasis>,
}

impl LegalBases {
    /// Reads and checks the list. `file` is the name used in errors.
    ///
    /// # Errors
    /// Every basis that does not hold together, named with the mend: unknown fields, a code twice, a label,
    /// role, term or source left out, a role that never opens an original.
    pub fn load(file: &str, yaml: &str) -> Result<Self, AccessError> {
        let read: File = serde_saphyr::from_str(yaml).map_err(|problem| AccessError::LegalBases {
            file: file.to_owned(),
            problem: problem.to_string(),
        })?;
        let mut problems = Vec::new();
        let mut bases = BTreeMap::new();
        for basis in read.bases {
            let code = basis.code.clone();
            let line = line_of(yaml, &code);
            problems.extend(basis.problems().into_iter().map(|problem| format!("line {line}: {problem}")));
            if bases.insert(code.clone(), basis).is_some() {
                problems.push(format!("line {line}: `{code}` stands there twice: remove one"));
            }
        }
        if bases.is_empty() {
            problems.push("there is no legal basis: add at least one".to_owned());
        }
        if problems.is_empty() {
            Ok(Self { version: read.version, bases })
        } else {
            Err(AccessError::LegalBases { file: file.to_owned(), problem: problems.join("; ") })
        }
    }

    /// The version of the list, as its author wrote it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The basis with this code.
    #[must_use]
    pub fn find(&self, code: &LegalBasisCode) -> Option<&LegalBasis> {
        self.bases.get(code)
    }

    /// Every basis, by code.
    pub fn iter(&self) -> impl Iterator<Item = &LegalBasis> {
        self.bases.values()
    }
}

impl LegalBasis {
    /// The code, as it stands in requests and in the ledger.
    #[must_use]
    pub const fn code(&self) -> &LegalBasisCode {
        &self.code
    }

    /// The Dutch label.
    #[must_use]
    pub fn label_nl(&self) -> &str {
        &self.label.nl
    }

    /// The English label.
    #[must_use]
    pub fn label_en(&self) -> &str {
        &self.label.en
    }

    /// Whether someone in this role may claim it.
    #[must_use]
    pub fn usable_by(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// What must be given with it.
    #[must_use]
    pub const fn needs(&self) -> Needs {
        self.needs
    }

    /// Whether a second person must approve.
    #[must_use]
    pub const fn four_eyes(&self) -> bool {
        self.four_eyes
    }

    /// How many days an approval lasts.
    #[must_use]
    pub const fn lasts_days(&self) -> u32 {
        self.lasts_days
    }

    /// The law or instruction it rests on.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the person concerned is not told.
    #[must_use]
    pub const fn secret(&self) -> bool {
        self.secret
    }

    /// What one request may reach.
    #[must_use]
    pub const fn covers(&self) -> &Covers {
        &self.covers
    }

    /// Within how many hours an opening at once must be justified; `None` when it never opens at once.
    #[must_use]
    pub const fn break_glass_hours(&self) -> Option<u32> {
        self.break_glass_hours
    }

    /// Whether it opens records whose processing is restricted.
    #[must_use]
    pub const fn during_restriction(&self) -> bool {
        self.during_restriction
    }

    fn problems(&self) -> Vec<String> {
        let code = &self.code;
        let mut problems = self.problems_of_reach();
        let blank = |text: &str| text.trim().is_empty();
        if blank(&self.label.nl) || blank(&self.label.en) {
            problems.push(format!("`{code}` needs a label in nl and en"));
        }
        if blank(&self.source) {
            problems.push(format!("`{code}` needs a source: the article it rests on"));
        }
        if self.roles.is_empty() {
            problems.push(format!("`{code}` needs a role: official or reviewer"));
        }
        for role in self.roles.iter().filter(|role| !matches!(role, Role::Official | Role::Reviewer)) {
            problems.push(format!(
                "`{code}` names role `{role}`, which never opens an original: use official or reviewer"
            ));
        }
        if !(1..=366).contains(&self.lasts_days) {
            problems.push(format!("`{code}` must have lastsDays from 1 to 366"));
        }
        problems
    }
}

impl LegalBasis {
    fn problems_of_reach(&self) -> Vec<String> {
        let (code, covers) = (&self.code, &self.covers);
        let mut problems = Vec::new();
        if covers.scopes.is_empty() {
            problems.push(format!("`{code}` covers no scope: name record, thread or find"));
        }
        if !(1..=RECORDS_MAX).contains(&covers.records_max) {
            problems.push(format!("`{code}` must have covers.recordsMax from 1 to {RECORDS_MAX}"));
        }
        if covers.scopes.contains(&OpeningScope::Find) != (covers.searches_max > 0) {
            problems.push(format!("`{code}` must have covers.searchesMax with scope find, and only then"));
        }
        if self.break_glass_hours.is_some_and(|hours| !(1..=168).contains(&hours)) {
            problems.push(format!("`{code}` must have breakGlassHours from 1 to 168, or none"));
        }
        problems
    }
}

/// Most records that any request reaches: an entry of the ledger names them all.
const RECORDS_MAX: u32 = 1_000;

/// The line on which a basis begins, counted from 1; the last of them when its code stands twice.
fn line_of(yaml: &str, code: &LegalBasisCode) -> usize {
    let is_it = |line: &str| {
        let stated = line.trim_start().trim_start_matches("- ").trim_start().strip_prefix("code:");
        stated.is_some_and(|stated| stated.trim().trim_matches(['"', '\'']) == code.as_str())
    };
    yaml.lines().enumerate().filter(|(_, line)| is_it(line)).last().map_or(1, |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "version: v1\nbases:\n  - code: avg-15\n    label: { nl: Inzage, en: Access }\n    roles: [official]\n    needs: { caseNumber: true, motivation: true }\n    fourEyes: false\n    lastsDays: 30\n    covers: { scopes: [record], recordsMax: 5 }\n    source: AVG article 15\n    secret: false\n    duringRestriction: true\n";

    #[test]
    fn the_shipped_list_has_every_ground_and_asks_for_case_and_motivation() {
        let bases = super::super::fixture::bases();
        let codes: Vec<&str> = bases.iter().map(|basis| basis.code().as_str()).collect();
        let expected = "archive-management avg-15 avg-16-21 awb burgerbrief criminal-procedure incident parliament \
                        quality-control research supervisor woo-5.5 woo-request";
        assert_eq!(codes.join(" "), expected);
        assert!(bases.iter().all(|basis| basis.needs().case_number && basis.needs().motivation));
        let secret: Vec<&str> = bases.iter().filter(|b| b.secret()).map(|b| b.code().as_str()).collect();
        assert_eq!(secret, ["criminal-procedure"]);
        let at_once: Vec<&str> =
            bases.iter().filter(|b| b.break_glass_hours().is_some()).map(|b| b.code().as_str()).collect();
        assert_eq!(at_once, ["incident"]);
    }

    #[test]
    fn a_wrong_list_is_refused_with_the_mend() {
        assert!(LegalBases::load("f.yaml", GOOD).is_ok());
        let twice = format!("{GOOD}{}", GOOD.split_once("bases:\n").unwrap().1);
        let cases = [
            (GOOD.replace("official", "researcher"), "never opens an original"),
            (GOOD.replace("official", "admin"), "admin"),
            (GOOD.replace("[official]", "[]"), "needs a role"),
            (GOOD.replace("30", "0"), "lastsDays"),
            (GOOD.replace("AVG article 15", "''"), "needs a source"),
            (GOOD.replace("nl: Inzage", "nl: ' '"), "needs a label"),
            (GOOD.replace("secret: false", "secret: false\n    hidden: true"), "hidden"),
            (GOOD.replace("    fourEyes: false\n", ""), "fourEyes"),
            (twice, "line 13: `avg-15` stands there twice"),
            (GOOD.replace("[record]", "[]"), "line 3: `avg-15` covers no scope"),
            (GOOD.replace("[record]", "[everything]"), "everything"),
            (GOOD.replace("[record]", "[record, find]"), "searchesMax"),
            (GOOD.replace("recordsMax: 5", "recordsMax: 5, searchesMax: 2"), "searchesMax"),
            (GOOD.replace("recordsMax: 5", "recordsMax: 0"), "recordsMax"),
            (GOOD.replace("recordsMax: 5", "recordsMax: 5000"), "recordsMax"),
            (GOOD.replace("    source", "    breakGlassHours: 0\n    source"), "breakGlassHours"),
            (GOOD.replace("    duringRestriction: true\n", ""), "duringRestriction"),
            ("version: v1\nbases: []\n".to_owned(), "at least one"),
        ];
        for (yaml, expected) in cases {
            let error = LegalBases::load("f.yaml", &yaml).unwrap_err().to_string();
            assert!(error.contains("f.yaml") && error.contains(expected), "{error} lacks {expected}");
        }
    }
}
