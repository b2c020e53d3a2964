//! The issuer of the demo: it signs what it is asked to, and says in its name that it is no authority.

use super::ClaimMapping;
use super::keys::{AlgorithmFamily, Issuer, IssuerError, IssuerSettings};
use crate::model::{OrganisationId, Role, Timestamp};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::fmt;

/// The `iss` of demo tokens: a name that cannot exist (RFC 6761).
pub const DEMO_ISSUER: &str = "https://knik.invalid/demo-issuer";

/// Longest life of a demo token, in seconds: twelve hours.
const LIFETIME_SECONDS_MAX: u32 = 43_200;

/// Signs tokens for the demo (Ed25519). Only a verifier that was given [`DevelopmentIssuer::issuer`] accepts
/// them; a service outside the demo is never given it.
pub struct DevelopmentIssuer {
    key: Ed25519KeyPair,
    kid: String,
    audience: String,
}

/// What a demo token is to say.
#[derive(Clone, Copy)]
pub struct Minting<'a> {
    /// Who: 1 to 255 characters.
    pub subject: &'a str,
    /// The one role.
    pub role: Role,
    /// The organisation.
    pub organisation: &'a OrganisationId,
    /// From when.
    pub now: Timestamp,
    /// For how long, at most twelve hours.
    pub lifetime_seconds: u32,
    /// The token's own id, drawn at random by the caller: 1 to 128 characters.
    pub jti: &'a str,
}

/// A demo token or key that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The seed is not a usable Ed25519 seed.
    #[error("demo key must be 32 bytes")]
    Key,
    /// The lifetime is zero or too long.
    #[error("demo tokens live 1 to 43200 seconds")]
    Lifetime,
    /// Subject or token id is empty or too long.
    #[error("demo tokens need a subject of 1 to 255 and an id of 1 to 128 characters")]
    Names,
}

impl DevelopmentIssuer {
    /// An issuer with a key from 32 random bytes, for one audience.
    ///
    /// # Errors
    /// [`MintError::Key`] when there are not 32 bytes.
    pub fn new(seed: &[u8], audience: &str) -> Result<Self, MintError> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| MintError::Key)?;
        let thumb = digest(&SHA256, key.public_key().as_ref());
        let kid =
            format!("demo-{}", hex::encode(thumb.as_ref().iter().take(8).copied().collect::<Vec<u8>>()));
        Ok(Self { key, kid, audience: audience.to_owned() })
    }

    /// What a verifier needs to accept these tokens: the name and the public key.
    ///
    /// # Errors
    /// When the audience is empty.
    pub fn issuer(&self) -> Result<Issuer, IssuerError> {
        Issuer::new(Self::settings(&self.audience), &self.key_set())
    }

    /// Whom its tokens are for.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// What a verifier accepts of it, for one audience.
    #[must_use]
    pub fn settings(audience: &str) -> IssuerSettings {
        IssuerSettings {
            issuer: DEMO_ISSUER.to_owned(),
            audience: audience.to_owned(),
            algorithm: AlgorithmFamily::EdDsa,
            types: vec!["at+jwt".to_owned()],
            relax_type: false,
            relax_token_id: false,
            parties: Vec::new(),
            lifetime_max_seconds: LIFETIME_SECONDS_MAX,
            mapping: ClaimMapping::default(),
        }
    }

    /// The public key as a JWK set.
    #[must_use]
    pub fn key_set(&self) -> String {
        let point = URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": point }] })
            .to_string()
    }

    /// A signed token, without `Bearer`. It is as good as a password until it expires: never log it.
    ///
    /// # Errors
    /// [`MintError::Lifetime`] or [`MintError::Names`] when it would not verify.
    pub fn mint(&self, asked: &Minting<'_>) -> Result<String, MintError> {
        if !(1..=LIFETIME_SECONDS_MAX).contains(&asked.lifetime_seconds) {
            return Err(MintError::Lifetime);
        }
        let named = |name: &str, most: usize| (1..=most).contains(&name.trim().chars().count());
        if !named(asked.subject, 255) || !named(asked.jti, 128) {
            return Err(MintError::Names);
        }
        let issued = asked.now.seconds();
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.kid });
        let claims = json!({
            "iss": DEMO_ISSUER, "aud": self.audience, "sub": asked.subject, "jti": asked.jti,
            "iat": issued, "nbf": issued, "exp": issued.saturating_add(asked.lifetime_seconds.into()),
            "role": asked.role.as_str(), "organisation": asked.organisation.as_str(),
        });
        Ok(self.sign(&header.to_string(), &claims.to_string()))
    }

    /// Signs any header and claims as they are.
    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

impl fmt::Debug for DevelopmentIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentIssuer").field("kid", &self.kid).finish_non_exhaustive()
    }
}
