//! Checks that a candidate must pass: checksums, number plans, dates, sidecodes.
//!
//! A validator sees the matched bytes as written, separators included, keeps nothing and never looks beyond them.
//! Each file here knows one field; its table says where the rule comes from.

mod characters;
mod crypto;
mod date;
mod digits;
mod europe;
mod finance;
mod geo;
mod germany;
mod network;
mod nl;
mod phone;
mod profile;
mod secret;
mod uk;
mod us;
mod vat;

pub(super) use nl::{postcode_after_street, postcode_beyond_doubt};

use std::fmt;
use std::str::FromStr;

/// A check by name, as pattern files write it.
#[derive(Clone, Copy)]
pub struct Validator(&'static Check);

/// One check: its name, what it promises, and the test.
struct Check {
    name: &'static str,
    about: &'static str,
    accepts: fn(&str) -> bool,
}

const TABLES: &[&[Check]] = &[
    nl::CHECKS,
    finance::CHECKS,
    vat::CHECKS,
    crypto::CHECKS,
    date::CHECKS,
    phone::CHECKS,
    network::CHECKS,
    profile::CHECKS,
    geo::CHECKS,
    secret::CHECKS,
    us::CHECKS,
    uk::CHECKS,
    germany::CHECKS,
    europe::CHECKS,
];

impl Validator {
    /// Every validator there is.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLES.iter().copied().flatten().map(Self)
    }

    /// The validator's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What passes, in one sentence, and the source of the rule.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.0.about
    }

    /// Whether the candidate passes.
    #[must_use]
    pub fn accepts(self, candidate: &str) -> bool {
        (self.0.accepts)(candidate)
    }
}

impl FromStr for Validator {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        Self::all().find(|v| v.name() == given).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(Self::name).collect();
            let given: String = given.chars().take(40).collect();
            format!("validator `{given}` is not known; use one of: {}", names.join(", "))
        })
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Validator({})", self.0.name)
    }
}

impl PartialEq for Validator {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Validator {}

#[cfg(test)]
mod tests;
