//! What the policies say of one request, in words: for trying them out before they are used.

use super::{Allowed, Denial, Outside, Policies};
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
            },
        }
    }

    /// What these policies said of a request that they allow: these decided.
    #[must_use]
    pub fn explain_allowed(&self, policies: &[String], plan: Option<&str>) -> Explained {
        let because = policies.iter().map(|id| self.because(id, self.text_of(id).unwrap_or_default()));
        Explained { allowed: true, outside: None, plan: plan.map(str::to_owned), because: because.collect() }
    }

    fn because(&self, code: &str, text: &str) -> Because {
        let part = code.split_once('#').and_then(|(policy, _)| self.text_of(policy));
        Because { code: code.to_owned(), text: text.to_owned(), policy: part.map(str::to_owned) }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.allowed, self.outside) {
            (true, _) => writeln!(f, "allowed, by")?,
            (false, Some(Outside::Absent)) => {
                writeln!(f, "refused, and answered as if it did not exist (404), because")?;
            }
            (false, _) => writeln!(f, "refused with these reasons (403), because")?,
        }
        let mut told = "";
        for because in &self.because {
            if let Some(policy) = because.policy.as_deref().filter(|policy| *policy != told) {
                writeln!(f, "  \"{policy}\" does not hold:")?;
                told = policy;
            }
            let indent = if because.policy.is_some() { "    " } else { "  " };
            writeln!(f, "{indent}{} ({})", because.text, because.code)?;
        }
        match &self.plan {
            Some(plan) => writeln!(f, "the view is rendered under the redaction plan `{plan}`"),
            None => Ok(()),
        }
    }
}
