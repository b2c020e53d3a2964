//! From configured issuers to a verifier whose keys are followed.

use crate::config::{Issuer as IssuerConfig, Relaxation};
use crate::http::token::{
    AlgorithmFamily, ClaimMapping, DEMO_ISSUER, DevelopmentIssuer, Followed, Issuer, IssuerSettings,
    KeyAddress, KeyFile, KeySource, OrganisationSource, Pace, Verifier,
};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// An issuer with the public keys that hold now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NamedIssuer {
    /// What is configured; `None` for the demo's own issuer.
    pub settings: Option<IssuerConfig>,
    /// For the demo's own issuer: whom its tokens are for.
    pub audience: String,
    /// The keys, when they are known.
    pub key_set: Option<String>,
}

/// Tokens with keys that are not known have them fetched at most this often.
pub(super) const PAUSE: Duration = Duration::from_secs(5);

/// The issuers that a service trusts: those that are configured, and in the demo, and nowhere else, its own.
///
/// # Errors
/// When there is none, or the configuration names the demo's issuer.
pub(super) fn trusted(
    configured: &[IssuerConfig],
    demo: Option<&DevelopmentIssuer>,
    config_file: &Path,
) -> Result<Vec<NamedIssuer>> {
    let file = config_file.display();
    if demo.is_none() && configured.iter().any(|issuer| issuer.issuer == DEMO_ISSUER) {
        bail!("{file} names the demo's issuer, whose tokens anyone can mint: it exists in `knik demo` only");
    }
    // A folder that an earlier version made for the demo names it: there the program's own takes its place.
    let configured = configured.iter().filter(|issuer| issuer.issuer != DEMO_ISSUER);
    let named = configured.map(|settings| NamedIssuer {
        settings: Some(settings.clone()),
        audience: settings.audience.clone(),
        key_set: None,
    });
    let own = demo.map(|demo| NamedIssuer {
        settings: None,
        audience: demo.audience().to_owned(),
        key_set: Some(demo.key_set()),
    });
    let all: Vec<NamedIssuer> = named.chain(own).collect();
    if all.is_empty() {
        bail!(
            "no issuer of tokens is configured: add an [[issuers]] block to {file} (docs/identity.md); the tokens of \
             `knik demo` are taken by `knik demo` only"
        );
    }
    Ok(all)
}

/// A verifier for these issuers, with the keys that are known.
///
/// # Errors
/// When settings or a key set are refused, with the issuer's name.
pub(super) fn verifier(issuers: &[NamedIssuer]) -> Result<Verifier> {
    let issuers = issuers.iter().map(|named| {
        let settings = match &named.settings {
            Some(settings) => settings_of(settings),
            None => DevelopmentIssuer::settings(&named.audience),
        };
        Ok(match &named.key_set {
            Some(key_set) => Issuer::new(settings, key_set)?,
            None => Issuer::without_keys(settings)?,
        })
    });
    Ok(Verifier::new(issuers.collect::<Result<Vec<_>>>()?))
}

/// Where the keys of each configured issuer come from. A file must be there now; an address need not answer yet.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn followed(issuers: &[NamedIssuer], data: &Path) -> Result<HashMap<String, Followed>> {
    let configured = issuers.iter().filter_map(|named| named.settings.as_ref());
    let one = |settings: &IssuerConfig| {
        let pace = Pace {
            every: Duration::from_secs(settings.jwks_every_minutes * 60),
            keep: Duration::from_secs(settings.jwks_keep_hours * 3_600),
            pause: PAUSE,
        };
        let source = source(settings, data).with_context(|| format!("issuer `{}`", settings.issuer))?;
        Ok((settings.issuer.clone(), Followed::new(source, pace)))
    };
    configured.map(one).collect()
}

fn source(settings: &IssuerConfig, data: &Path) -> Result<Box<dyn KeySource>> {
    if settings.jwks_url.is_empty() {
        let file = KeyFile(data.join(&settings.jwks));
        file.read().with_context(|| file.0.display().to_string())?;
        return Ok(Box::new(file));
    }
    let authorities = match settings.jwks_ca.as_os_str().is_empty() {
        true => None,
        false => Some(super::read_text(&data.join(&settings.jwks_ca))?),
    };
    Ok(Box::new(KeyAddress::new(&settings.jwks_url, authorities.as_deref().map(str::as_bytes))?))
}

fn settings_of(asked: &IssuerConfig) -> IssuerSettings {
    let claims = &asked.claims;
    let organisation = match &claims.only_organisation {
        Some(one) => OrganisationSource::Always(one.clone()),
        None => OrganisationSource::Claim(claims.organisation.clone(), claims.organisations.clone()),
    };
    IssuerSettings {
        issuer: asked.issuer.clone(),
        audience: asked.audience.clone(),
        algorithm: match asked.algorithm.as_str() {
            "PS256" => AlgorithmFamily::Ps256,
            "ES256" => AlgorithmFamily::Es256,
            "RS256" => AlgorithmFamily::Rs256,
            _ => AlgorithmFamily::EdDsa,
        },
        types: vec!["at+jwt".to_owned()],
        relax_type: asked.relax.contains(&Relaxation::Typ),
        relax_token_id: asked.relax.contains(&Relaxation::Jti),
        parties: asked.clients.clone(),
        // Checked with the configuration; what does not fit is refused below.
        lifetime_max_seconds: u32::try_from(asked.lifetime_seconds_max).unwrap_or(0),
        mapping: ClaimMapping {
            role: claims.role.clone(),
            roles: claims.roles.clone(),
            organisation,
            person: claims.person.clone(),
            persons_of: Some(claims.persons_of.clone()).filter(|realm| !realm.is_empty()),
        },
    }
}
