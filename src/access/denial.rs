//! A refusal: why, for the record, and how it looks from outside.

/// One reason for a refusal. Holds no content and nothing the asker sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The policy (`official-opens-original`) with its clause (`official-opens-original#3`, counted from 1),
    /// or `access#…` for a rule that stands in code.
    pub code: String,
    /// What would have to hold (a permit's clause) or what forbids it, in words from the policy file.
    pub text: String,
}

impl Reason {
    pub(super) fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into() }
    }
}

/// How a refusal looks to the one refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// Exactly as a thing that does not exist: same status, body and size.
    Absent,
    /// As a refusal, with the reasons: the asker may know that the thing exists.
    Refused,
}

/// A refused request. Not a permit, and nothing makes one of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused: {}", self.codes())]
pub struct Denial {
    reasons: Vec<Reason>,
    outside: Outside,
}

impl Denial {
    pub(super) fn new(mut reasons: Vec<Reason>, outside: Outside) -> Self {
        reasons.sort();
        reasons.dedup();
        Self { reasons, outside }
    }

    /// A refusal by a rule of a use case, beside the policies: told to someone who knows that the thing exists.
    #[must_use]
    pub fn by_rule(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(vec![Reason::new(code, text)], Outside::Refused)
    }

    /// Why, sorted by code: for each forbid that held its text, for each permit of that action what failed;
    /// a policy that could not be evaluated is named. For the ledger and the log; for the asker only
    /// when [`outside`](Self::outside) is [`Outside::Refused`].
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// How the answer must look.
    #[must_use]
    pub const fn outside(&self) -> Outside {
        self.outside
    }

    /// The codes of the reasons, joined by a comma.
    #[must_use]
    pub fn codes(&self) -> String {
        let codes: Vec<&str> = self.reasons.iter().map(|reason| reason.code.as_str()).collect();
        codes.join(", ")
    }
}
