//! Machines that come with a certificate instead of a token, as configured.

use super::{Config, ConfigError};
use crate::model::{OrganisationId, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A machine: which certificate is its own, and what it may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Machine {
    /// A name in the certificate, of which each machine has one.
    pub certificate: CertificateName,
    /// For which organisation it works.
    pub organisation: OrganisationId,
    /// Its one role: `harvester` or `administrator`. What a person must answer for no machine may do.
    pub role: Role,
}

/// A name in a certificate, compared as it is written: `dns:harvester.min-low.example`, `uri:spiffe://…` (both of the
/// subject's alternative names), or `cn:harvester-1` (the subject's one common name).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CertificateName {
    /// A DNS name, without wildcard.
    Dns(String),
    /// A URI.
    Uri(String),
    /// The common name of the subject.
    CommonName(String),
}

impl TryFrom<String> for CertificateName {
    type Error = String;

    fn try_from(given: String) -> Result<Self, String> {
        let (kind, name) = given.split_once(':').unwrap_or_default();
        let sound = !name.is_empty() && !name.contains(|c: char| c.is_control() || c == '*');
        match kind {
            "dns" if sound => Ok(Self::Dns(name.to_ascii_lowercase())),
            "uri" if sound => Ok(Self::Uri(name.to_owned())),
            "cn" if sound => Ok(Self::CommonName(name.to_owned())),
            _ => Err("a certificate is named as dns:NAME, uri:URI or cn:NAME, without wildcards".to_owned()),
        }
    }
}

impl From<CertificateName> for String {
    fn from(name: CertificateName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Uri(name) => write!(f, "uri:{name}"),
            Self::CommonName(name) => write!(f, "cn:{name}"),
        }
    }
}

/// Checks the machines against each other and against what the vault is told of client certificates.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let value = |field, problem: &str| Err(ConfigError::Value { field, problem: problem.to_owned() });
    let (machines, vault) = (&config.machines, &config.vault);
    if vault.client_authorities.is_empty() != vault.client_revoked.is_empty() {
        return value(
            "vault.client-revoked",
            "must name a file with revocation lists when vault.client-authorities is set, and only then",
        );
    }
    if vault.client_authorities.is_empty() != machines.is_empty() {
        return value(
            "machines",
            "and vault.client-authorities go together: who signs, and whose certificates count",
        );
    }
    let mut names = BTreeSet::new();
    for machine in machines {
        if !matches!(machine.role, Role::Harvester | Role::Administrator) {
            return value("machines.role", "must be harvester or administrator: no machine is a person");
        }
        if !names.insert(&machine.certificate) {
            return value("machines.certificate", "stands twice: one block a machine");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[vault]\nclient-authorities = 'tls/machines.pem'\nclient-revoked = 'tls/machines.crl'\n\
        [[machines]]\ncertificate = 'dns:harvester.min-low.example'\norganisation = 'min-low'\nrole = 'harvester'\n";

    #[test]
    fn a_machine_has_one_certificate_and_a_role_that_no_person_must_answer_for() {
        let read = |text: &str| Config::read(text, Vec::new());
        assert_eq!(read(GOOD).unwrap().machines.len(), 1);
        for (from, to, says) in [
            ("'harvester'", "'official'", "machines.role"),
            ("'harvester'", "'approver'", "machines.role"),
            ("dns:harvester", "dns:*", "without wildcards"),
            ("dns:", "", "dns:NAME"),
            ("dns:", "ip:", "dns:NAME"),
            ("client-revoked = 'tls/machines.crl'\n", "", "vault.client-revoked"),
            (
                "client-authorities = 'tls/machines.pem'\nclient-revoked = 'tls/machines.crl'\n",
                "",
                "client-authorities",
            ),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let refused = read(&text).unwrap_err().to_string();
            assert!(refused.contains(says), "{to}: {refused}");
        }
        let twice = format!("{GOOD}{}", &GOOD[GOOD.find("[[").unwrap()..]);
        assert!(read(&twice).unwrap_err().to_string().contains("twice"));
        let alone = &GOOD[..GOOD.find("[[").unwrap()];
        assert!(read(alone).unwrap_err().to_string().contains("machines"));
    }
}
