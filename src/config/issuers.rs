//! Who issues tokens, as configured: where the keys come from, what the claims mean, which rules are relaxed.

use super::ConfigError;
use crate::model::{OrganisationId, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

/// Someone who issues tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Issuer {
    /// The `iss` claim, exactly.
    pub issuer: String,
    /// The `aud` claim that means this installation.
    pub audience: String,
    /// File with the issuer's public keys (JWKS); read again whenever an address would be asked again.
    #[serde(default)]
    pub jwks: PathBuf,
    /// Address that the issuer's public keys are fetched from, instead of a file: https, or http on this machine.
    #[serde(default)]
    pub jwks_url: String,
    /// PEM file with the authorities that the address's certificate leads to; those of the system when empty.
    #[serde(default)]
    pub jwks_ca: PathBuf,
    /// How often the keys are fetched, in minutes.
    #[serde(default = "jwks_every_minutes")]
    pub jwks_every_minutes: u64,
    /// For how long the last good keys hold while new ones cannot be had, in hours.
    #[serde(default = "jwks_keep_hours")]
    pub jwks_keep_hours: u64,
    /// The one algorithm family: `ES256`, `PS256`, `RS256` or `EdDSA`.
    pub algorithm: String,
    /// Longest lifetime of a token, in seconds.
    #[serde(default = "lifetime_seconds_max")]
    pub lifetime_seconds_max: i64,
    /// Clients (`azp` or `client_id`) whose tokens are taken; any when empty.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Rules that do not hold for this issuer, by name.
    #[serde(default)]
    pub relax: BTreeSet<Relaxation>,
    /// What the claims mean.
    #[serde(default)]
    pub claims: ClaimPaths,
}

/// A rule of the verifier that a configuration may relax for one issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relaxation {
    /// A token without `typ`, or with `JWT`, is taken beside `at+jwt`; one that shows signs of an ID token is not.
    Typ,
    /// A token without `jti` is taken; it can then be revoked by its subject only.
    Jti,
}

/// Where in a token it stands who someone is, as JSON pointers (RFC 6901) into the claims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ClaimPaths {
    /// The role: a text, or a list of texts of which exactly one is a role here.
    pub role: String,
    /// What the issuer's words mean; when empty, the word is the role itself.
    pub roles: BTreeMap<String, Role>,
    /// The organisation.
    pub organisation: String,
    /// What the issuer's words mean; when empty, the word is the organisation's id itself.
    pub organisations: BTreeMap<String, OrganisationId>,
    /// The one organisation of everyone with a token of this issuer, instead of a claim.
    pub only_organisation: Option<OrganisationId>,
    /// The person: two subjects with the same value are one person.
    pub person: String,
    /// Among whose persons that value counts; issuers that name the same share their persons. The issuer's own when
    /// empty.
    pub persons_of: String,
}

impl Default for ClaimPaths {
    fn default() -> Self {
        Self {
            role: "/role".to_owned(),
            roles: BTreeMap::new(),
            organisation: "/organisation".to_owned(),
            organisations: BTreeMap::new(),
            only_organisation: None,
            person: "/sub".to_owned(),
            persons_of: String::new(),
        }
    }
}

const fn lifetime_seconds_max() -> i64 {
    3_600
}

const fn jwks_every_minutes() -> u64 {
    60
}

const fn jwks_keep_hours() -> u64 {
    24
}

/// The algorithm families there are.
const ALGORITHMS: [&str; 4] = ["ES256", "PS256", "RS256", "EdDSA"];
/// A token never lives longer than a day.
const LIFETIME_SECONDS_LIMIT: i64 = 86_400;
/// A month: later than this nobody would know what is trusted.
const HOURS_LIMIT: u64 = 744;

/// Checks each issuer, and that no two have one name.
pub(super) fn check(issuers: &[Issuer]) -> Result<(), ConfigError> {
    let mut names = BTreeSet::new();
    for issuer in issuers {
        if !names.insert(&issuer.issuer) {
            return value("issuers.issuer", "stands twice: one block an issuer");
        }
        issuer.check()?;
    }
    Ok(())
}

impl Issuer {
    fn check(&self) -> Result<(), ConfigError> {
        if self.issuer.trim().is_empty() || self.audience.trim().is_empty() {
            return value("issuers", "need an issuer and an audience: the exact `iss` and `aud`");
        }
        if !ALGORITHMS.contains(&self.algorithm.as_str()) {
            return value("issuers.algorithm", "must be ES256, PS256, RS256 or EdDSA");
        }
        if !(1..=LIFETIME_SECONDS_LIMIT).contains(&self.lifetime_seconds_max) {
            return value("issuers.lifetime-seconds-max", "must be 1 to 86400");
        }
        if self.jwks.as_os_str().is_empty() == self.jwks_url.is_empty() {
            return value("issuers.jwks", "or issuers.jwks-url must say where the keys are, one of the two");
        }
        if !self.jwks_url.is_empty() && !may_fetch(&self.jwks_url) {
            return value(
                "issuers.jwks-url",
                "must begin with https://, or with http:// and an address of this machine",
            );
        }
        if !self.jwks_ca.as_os_str().is_empty() && !self.jwks_url.starts_with("https://") {
            return value("issuers.jwks-ca", "goes with a jwks-url that begins with https://");
        }
        let limits = [self.jwks_every_minutes.div_ceil(60), self.jwks_keep_hours];
        if self.jwks_every_minutes == 0 || limits.iter().any(|hours| !(1..=HOURS_LIMIT).contains(hours)) {
            return value(
                "issuers",
                "jwks-every-minutes and jwks-keep-hours must be a month at the most, not 0",
            );
        }
        self.claims.check()
    }
}

impl ClaimPaths {
    fn check(&self) -> Result<(), ConfigError> {
        for (field, path) in [
            ("issuers.claims.role", &self.role),
            ("issuers.claims.organisation", &self.organisation),
            ("issuers.claims.person", &self.person),
        ] {
            if !path.starts_with('/') {
                return value(field, "must be a JSON pointer such as /realm_access/roles");
            }
        }
        if self.only_organisation.is_some() && !self.organisations.is_empty() {
            return value(
                "issuers.claims.only-organisation",
                "leaves nothing for issuers.claims.organisations to say",
            );
        }
        Ok(())
    }
}

/// Whether keys may be fetched from there: https, or http on an address of this machine that no name server decides.
fn may_fetch(url: &str) -> bool {
    if url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn value(field: &'static str, problem: &str) -> Result<(), ConfigError> {
    Err(ConfigError::Value { field, problem: problem.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    const GOOD: &str = "[[issuers]]\nissuer = 'https://login.example'\naudience = 'https://knik.example'\n\
        jwks-url = 'https://login.example/jwks'\nalgorithm = 'ES256'\n";

    fn read(text: &str) -> Result<Config, ConfigError> {
        Config::read(text, Vec::new())
    }

    #[test]
    fn an_issuer_with_a_mapping_reads_back_what_was_meant() {
        let text = format!(
            "{GOOD}clients = ['portal']\nrelax = ['typ', 'jti']\n[issuers.claims]\nrole = '/realm_access/roles'\n\
             only-organisation = 'min-low'\nperson = '/employee_number'\npersons-of = 'rijk'\n\
             [issuers.claims.roles]\n'archief lezen' = 'researcher'\nopenen = 'official'\n"
        );
        let issuer = read(&text).unwrap().issuers.remove(0);
        assert_eq!((issuer.jwks_every_minutes, issuer.jwks_keep_hours), (60, 24));
        assert_eq!(issuer.relax, BTreeSet::from([Relaxation::Typ, Relaxation::Jti]));
        assert_eq!(issuer.claims.roles.get("archief lezen"), Some(&Role::Researcher));
        assert_eq!(issuer.claims.only_organisation, "min-low".parse().ok());
        assert_eq!(issuer.claims.person, "/employee_number");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_field() {
        for (from, to, says) in [
            ("ES256", "HS256", "issuers.algorithm"),
            ("ES256", "none", "issuers.algorithm"),
            ("https://login.example/jwks", "http://login.example/jwks", "issuers.jwks-url"),
            ("https://login.example/jwks", "http://127.0.0.1@login.example/jwks", "issuers.jwks-url"),
            ("https://login.example/jwks", "http://localhost/jwks", "issuers.jwks-url"),
            ("https://login.example/jwks", "file:///etc/keys", "issuers.jwks-url"),
            ("https://login.example/jwks", "https:///jwks", "issuers.jwks-url"),
            ("algorithm", "jwks = 'a.jwks'\nalgorithm", "issuers.jwks"),
            ("jwks-url = 'https://login.example/jwks'\n", "", "issuers.jwks"),
            ("algorithm", "lifetime-seconds-max = 0\nalgorithm", "issuers.lifetime-seconds-max"),
            ("algorithm", "lifetime-seconds-max = 86401\nalgorithm", "issuers.lifetime-seconds-max"),
            ("algorithm", "jwks-every-minutes = 0\nalgorithm", "jwks-every-minutes"),
            ("algorithm", "jwks-keep-hours = 1000\nalgorithm", "jwks-keep-hours"),
            ("algorithm", "relax = ['aud']\nalgorithm", "aud"),
            ("algorithm", "claims = { role = 'role' }\nalgorithm", "issuers.claims.role"),
            ("algorithm", "claims = { roles = { a = 'root' } }\nalgorithm", "root"),
            ("https://knik.example", " ", "audience"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let refused = read(&text).unwrap_err().to_string();
            assert!(refused.contains(says), "{to}: {refused}");
        }
        assert!(read(&format!("{GOOD}{GOOD}")).unwrap_err().to_string().contains("twice"));
        for good in ["http://127.0.0.1:4000/jwks", "http://[::1]:4000/jwks", "http://127.9.9.9"] {
            assert!(read(&GOOD.replace("https://login.example/jwks", good)).is_ok(), "{good}");
        }
    }
}
