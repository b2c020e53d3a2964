//! One analysis, step by step as Presidio takes them.

use super::context::Context;
use super::found::{Found, maker, without_duplicates};
use super::words::Tongue;
use super::{AdHocError, AdHocRecogniser, AllowList, FINDINGS_MAX};
use crate::detect::{Recogniser, Ruleset};
use std::collections::HashSet;
use std::str::FromStr;

/// A language that requests can be in. The ruleset runs on both alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `en`.
    English,
    /// `nl`.
    Dutch,
}

impl Language {
    /// Its code, as in requests.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }
}

impl FromStr for Language {
    type Err = AdHocError;

    fn from_str(code: &str) -> Result<Self, AdHocError> {
        match code {
            "en" => Ok(Self::English),
            "nl" => Ok(Self::Dutch),
            _ => Err(AdHocError::NoRecogniser),
        }
    }
}

/// What is asked of a text.
pub struct Analysis<'a> {
    /// What finds.
    pub ruleset: &'a Ruleset,
    /// What finds for this request alone.
    pub adhoc: &'a [AdHocRecogniser],
    /// In which language the request is.
    pub language: Language,
    /// What to look for; everything when absent.
    pub entities: Option<&'a [String]>,
    /// Words that count as standing near every finding.
    pub context: &'a [String],
    /// What is let stand.
    pub allow: Option<&'a AllowList>,
}

impl Analysis<'_> {
    /// Finds in one text; the surest first, then in the order of the text. Findings of different types may overlap.
    ///
    /// `go_on` is asked now and then whether there is time left. `least` is the least score that is wanted.
    ///
    /// # Errors
    /// [`AdHocError`], by what the caller can do about it.
    pub fn run(&self, text: &str, least: f64, go_on: &dyn Fn() -> bool) -> Result<Vec<Found>, AdHocError> {
        let recognisers: Vec<&Recogniser> = self.ruleset.recognisers().collect();
        let wanted = self.wanted(&recognisers)?;
        let mut all = Vec::new();
        if wanted.ruleset {
            let findings = self.ruleset.detect(text, &[]);
            let asked = |entity: &str| wanted.entities.as_ref().is_none_or(|names| names.contains(entity));
            let findings = findings.iter().filter(|finding| asked(finding.entity.as_str()));
            all.extend(
                findings.map(|finding| Found::of_ruleset(text, finding, maker(&recognisers, finding))),
            );
        }
        for index in wanted.adhoc {
            let found = self.adhoc.get(index).map(|recogniser| recogniser.find(index, text, go_on));
            all.extend(found.transpose()?.unwrap_or_default());
            if all.len() > FINDINGS_MAX {
                return Err(AdHocError::TooMany { what: "findings", most: FINDINGS_MAX });
            }
        }
        let given = self.context.iter().map(|word| word.to_lowercase()).collect();
        let tongue = if self.language == Language::Dutch { Tongue::Dutch } else { Tongue::English };
        Context { adhoc: self.adhoc, ruleset: &recognisers, given }.raise(text, tongue, &mut all);
        let mut all = without_duplicates(all);
        all.retain(|found| found.score >= least);
        self.without_allowed(text, all, go_on)
    }

    fn without_allowed(
        &self,
        text: &str,
        all: Vec<Found>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Vec<Found>, AdHocError> {
        let Some(allow) = self.allow else { return Ok(all) };
        let mut kept = Vec::with_capacity(all.len());
        for found in all {
            if !allow.allows(found.span.of(text).unwrap_or_default(), go_on)? {
                kept.push(found);
            }
        }
        Ok(kept)
    }

    /// Which recognisers take part.
    fn wanted(&self, recognisers: &[&Recogniser]) -> Result<Wanted<'_>, AdHocError> {
        let entities: Option<HashSet<&str>> =
            self.entities.map(|names| names.iter().map(String::as_str).collect());
        let asked = |entity: &str| entities.as_ref().is_none_or(|names| names.contains(entity));
        let ruleset = recognisers.iter().any(|recogniser| asked(recogniser.entity().as_str()));
        let takes_part = |r: &AdHocRecogniser| r.language == self.language.code() && asked(&r.entity);
        let adhoc: Vec<usize> =
            self.adhoc.iter().enumerate().filter(|(_, r)| takes_part(r)).map(|(index, _)| index).collect();
        if !ruleset && adhoc.is_empty() {
            return Err(AdHocError::NoRecogniser);
        }
        Ok(Wanted { ruleset, adhoc, entities })
    }
}

struct Wanted<'a> {
    ruleset: bool,
    adhoc: Vec<usize>,
    entities: Option<HashSet<&'a str>>,
}
