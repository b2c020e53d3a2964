//! What the policies say of one request, in words: for trying them out before they are used.

use super::{Allowed, Denial, Outside, Policies};
use crate::model::Language;
use std::fmt;

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Whether it is allowed.
    pub allowed: bool,
    /// How a refusal looks from outside; `None` when it is allowed.
    pub outside: Option<Outside>,
    /// The redaction plan of the view, when there is one.
    pub plan: Option<String>,
    /// What decided, each with its sentence.
    pub because: Vec<Because>,
    /// In which language its sentences are.
    pub language: Language,
}

/// One policy, clause or rule in code that decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Because {
    /// Id of a policy, with the clause that failed (`policy#2`), or `access#…` for a rule that stands in code.
    pub code: String,
    /// What it says: what is permitted or forbidden, or what would have to hold.
    pub text: String,
    /// The sentence of the whole policy, where only a part of it is told.
    pub policy: Option<String>,
}

impl Policies {
    /// What these policies said of a request.
    #[must_use]
    pub fn explain(&self, outcome: &Result<Allowed, Denial>) -> Explained {
        match outcome {
            Ok(allowed) => self.explain_allowed(allowed.policies(), allowed.plan()),
            Err(denial) => Explained {
                allowed: false,
                outside: Some(denial.outside()),
                plan: None,
                because: denial.reasons().iter().map(|r| self.because(&r.code, &r.text)).collect(),
                language: Language::English,
            },
        }
    }

    /// What these policies said of a request that they allow: these decided.
    #[must_use]
    pub fn explain_allowed(&self, policies: &[String], plan: Option<&str>) -> Explained {
        let because = policies.iter().map(|id| self.because(id, self.text_of(id).unwrap_or_default()));
        Explained {
            allowed: true,
            outside: None,
            plan: plan.map(str::to_owned),
            because: because.collect(),
            language: Language::English,
        }
    }

    fn because(&self, code: &str, text: &str) -> Because {
        let part = code.split_once('#').and_then(|(policy, _)| self.text_of(policy));
        Because { code: code.to_owned(), text: text.to_owned(), policy: part.map(str::to_owned) }
    }

    /// The same in Dutch: as the policy files say it, and in English what they do not say in Dutch.
    #[must_use]
    pub fn in_dutch(&self, mut explained: Explained) -> Explained {
        for because in &mut explained.because {
            let (policy, part) = because.code.split_once('#').unwrap_or((because.code.as_str(), ""));
            let said = self.said_of(policy);
            let whole = said.and_then(|said| said.dutch.as_ref()).map(|dutch| dutch.text.as_str());
            let text = match part {
                "" => whole,
                part => {
                    said.and_then(|said| said.part_in_dutch(part)).or_else(|| rule_in_dutch(policy, part))
                }
            };
            if let Some(text) = text {
                because.text = text.to_owned();
            }
            if let (Some(policy), Some(whole)) = (&mut because.policy, whole) {
                *policy = whole.to_owned();
            }
        }
        explained.language = Language::Dutch;
        explained
    }
}

/// What stands in code, in Dutch.
fn rule_in_dutch(policy: &str, part: &str) -> Option<&'static str> {
    Some(match (policy, part) {
        (_, "failed") => "de regel kon niet worden uitgerekend",
        (_, "plan") => "de regels die het toestaan noemen verschillende lakplannen",
        ("access", "within") => "rol en organisatie moeten er een zijn die dit origineel opent",
        ("access", "basis-known") => "de grondslag moet op de lijst staan",
        ("access", "basis-usable") => "de grondslag moet voor de rol openstaan",
        ("access", "case-number") => "er moet een zaaknummer van 1 tot 64 tekens zijn",
        ("access", "motivation") => "er moet een motivering van 10 tot 2000 tekens zijn",
        ("access", "second-person") => {
            "een tweede persoon moet het hebben goedgekeurd, binnen de termijn van de grondslag"
        }
        ("access", "reach") => "het verzoek of de grondslag moet bij het record kunnen",
        ("access", "restricted") => {
            "de verwerking van het record is beperkt: de grondslag moet er een zijn die het toch opent"
        }
        ("access", "undecided") => "een regel moet het toestaan",
        ("access", "no-permit") => "geen regel staat deze handeling aan iemand toe",
        ("access", "schema") => "het gevraagde moet passen in het schema van de regels",
        ("access", "opening") => {
            "een origineel wordt alleen geopend met een grondslag, een zaaknummer en een motivering"
        }
        _ => return None,
    })
}

/// The words around the sentences.
struct Frame {
    allowed: &'static str,
    absent: &'static str,
    refused: &'static str,
    untrue: &'static str,
    plan: &'static str,
}

const ENGLISH: Frame = Frame {
    allowed: "allowed, by",
    absent: "refused, and answered as if it did not exist (404), because",
    refused: "refused with these reasons (403), because",
    untrue: "does not hold:",
    plan: "the view is rendered under the redaction plan",
};

const DUTCH: Frame = Frame {
    allowed: "toegestaan, door",
    absent: "geweigerd, en beantwoord alsof het niet bestaat (404), omdat",
    refused: "geweigerd met deze redenen (403), omdat",
    untrue: "gaat niet op:",
    plan: "de weergave volgt het lakplan",
};

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frame = match self.language {
            Language::Dutch => DUTCH,
            Language::English => ENGLISH,
        };
        match (self.allowed, self.outside) {
            (true, _) => writeln!(f, "{}", frame.allowed)?,
            (false, Some(Outside::Absent)) => writeln!(f, "{}", frame.absent)?,
            (false, _) => writeln!(f, "{}", frame.refused)?,
        }
        let mut told = "";
        for because in &self.because {
            if let Some(policy) = because.policy.as_deref().filter(|policy| *policy != told) {
                writeln!(f, "  \"{policy}\" {}", frame.untrue)?;
                told = policy;
            }
            let indent = if because.policy.is_some() { "    " } else { "  " };
            writeln!(f, "{indent}{} ({})", because.text, because.code)?;
        }
        match &self.plan {
            Some(plan) => writeln!(f, "{} `{plan}`", frame.plan),
            None => Ok(()),
        }
    }
}
