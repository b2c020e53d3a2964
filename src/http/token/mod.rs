//! One strict verifier for bearer tokens (signed JWTs), and the issuer that exists in the demo alone.
//!
//! The library checks the signature; everything else is checked here, because its defaults accept too much:
//! header and claims are read with duplicate names refused at every depth, a header may say `alg`, `typ`,
//! `kid` and certificate thumbprints and nothing else, an issuer has one algorithm and public keys that were
//! configured (a `kid` looks one up and does nothing more), and each claim is required and bounded.
//! Clocks may differ by [`LEEWAY_SECONDS`]. Rules: RFC 7519, RFC 8725, RFC 9068, NLgov OAuth profile.
//!
//! What a claim means is said for each issuer ([`ClaimMapping`]). Two rules can be relaxed for an issuer, by name: `typ`
//! and `jti` ([`IssuerSettings`]); no other can.
//!
//! It does not know revoked tokens (the caller looks them up each time), does not fetch keys ([`Renewal`] does) and
//! does not see the transport: a token that is bound to a certificate is told by [`Claims::bound_to`].

use crate::model::{OrganisationId, Role, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

mod demo;
mod keys;
mod mapping;
mod renewal;
mod sources;
mod strict_json;
mod verified;

pub use demo::{DEMO_ISSUER, DevelopmentIssuer, MintError, Minting};
pub use keys::{AlgorithmFamily, Issuer, IssuerError, IssuerSettings};
pub use mapping::{ClaimMapping, OrganisationSource};
pub use renewal::{Followed, IssuerStanding, KeyRenewal, Pace, Renewal};
pub use sources::{KeyAddress, KeyFile, KeySource, SourceError};

use verified::{Verified, digest_of};

/// How far two clocks may differ, in seconds.
pub const LEEWAY_SECONDS: i64 = 5;
/// Longest authorization header, in bytes.
pub const HEADER_BYTES_MAX: usize = 8 * 1024;
const SUBJECT_CHARS_MAX: usize = 255;
const JTI_CHARS_MAX: usize = 128;

/// In the place of an issuer, where a machine came with a certificate: no issuer has this name.
pub const MACHINES: &str = "urn:knik:machines";

/// Verifies tokens of the issuers it was given and of no other.
#[derive(Debug)]
pub struct Verifier {
    issuers: HashMap<String, Issuer>,
    verified: Verified,
}

/// A person, whatever subject or issuer their token names: two that are equal are one. Four eyes compare this.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// Among whose persons the id counts: an issuer, or a name that issuers share.
    pub realm: String,
    /// The person, in the words of the issuer.
    pub id: Subject,
}

/// Who a token speaks for: as the issuer calls them, not a name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subject(String);

/// What a verified token says.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    /// Which issuer, as configured.
    pub issuer: String,
    /// Whom the token names, in the issuer's words.
    pub subject: Subject,
    /// Who that is.
    pub person: Person,
    /// The token's own id, for revocation; `None` where the issuer need not give one.
    pub jti: Option<String>,
    /// The one active role.
    pub role: Role,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The first moment at which it no longer holds (without leeway).
    pub expires_at: Timestamp,
    /// SHA-256 of the client certificate that alone may bring it (RFC 8705).
    pub bound_to: Option<[u8; 32]>,
}

/// Why a token was refused. For the log: the answer says none of it. Never holds anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRefusal {
    /// Longer than [`HEADER_BYTES_MAX`].
    #[error("authorization header is too long")]
    TooLong,
    /// Not `Bearer`, one space and a token.
    #[error("authorization header is not `Bearer` and a token")]
    NotBearer,
    /// Not three parts of base64url.
    #[error("token is not three parts of unpadded base64url")]
    Shape,
    /// Header or claims are not a JSON object.
    #[error("token header or claims are not a JSON object")]
    Json,
    /// A name stands twice, in the header or the claims, at some depth.
    #[error("a name stands twice in the token header or claims")]
    DuplicateName,
    /// The header has `crit`.
    #[error("token header has `crit`")]
    Critical,
    /// The header brings a key or says where to fetch one.
    #[error("token header brings a key of its own")]
    EmbeddedKey,
    /// The header has a name that is not used here.
    #[error("token header has a name that is not used here")]
    UnknownHeaderName,
    /// `typ` is missing or not one the issuer uses.
    #[error("token type is not accepted")]
    Type,
    /// `alg` is missing, `none`, symmetric, or not the issuer's.
    #[error("token algorithm is not the issuer's")]
    Algorithm,
    /// `kid` is missing or names no key of the issuer.
    #[error("token names no key of the issuer")]
    UnknownKey,
    /// The keys of the issuer are not known now.
    #[error("the keys of the token's issuer are not known now")]
    NoKeys,
    /// `iss` is missing or not a known issuer.
    #[error("token issuer is not known")]
    Issuer,
    /// The signature does not verify.
    #[error("token signature does not verify")]
    Signature,
    /// `aud` is missing, or not this service and nothing else.
    #[error("token audience is not this service alone")]
    Audience,
    /// `azp` is not a client that may ask.
    #[error("token was issued to a client that may not ask")]
    AuthorisedParty,
    /// The person claim is missing, empty or too long.
    #[error("token does not say which person it is of")]
    Person,
    /// `cnf` binds it to something that cannot be checked here.
    #[error("token is bound to a key in a way that is not used here")]
    Confirmation,
    /// It is bound to a certificate that did not come with it, or came with one it is not bound to.
    #[error("token and client certificate do not belong together")]
    Certificate,
    /// The token, its subject or its person was revoked.
    #[error("token was revoked")]
    Revoked,
    /// Neither token nor client certificate, or more than one token.
    #[error("request has no token and no client certificate, or more than one token")]
    Nothing,
    /// `sub` is missing, empty or too long.
    #[error("token subject is missing or too long")]
    Subject,
    /// `jti` is missing, empty or too long.
    #[error("token id is missing or too long")]
    TokenId,
    /// `exp`, `nbf` or `iat` is missing where required, or not a whole number of seconds.
    #[error("token times are missing or not whole seconds")]
    Times,
    /// Past `exp`.
    #[error("token has expired")]
    Expired,
    /// Before `nbf`, or issued in the future.
    #[error("token is not valid yet")]
    NotYet,
    /// Valid for longer than the issuer's tokens may be.
    #[error("token lives longer than allowed")]
    Lifetime,
    /// `role` is missing, not one word, or not a role.
    #[error("token has not exactly one known role")]
    Role,
    /// `organisation` is missing or not an organisation id.
    #[error("token has no usable organisation")]
    Organisation,
}

impl Verifier {
    /// A verifier for these issuers; of two with the same name the later counts.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>) -> Self {
        let issuers = issuers.into_iter().map(|issuer| (issuer.name().to_owned(), issuer)).collect();
        Self { issuers, verified: Verified::default() }
    }

    /// An issuer by its name.
    #[must_use]
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        self.issuers.get(name)
    }

    /// Which known issuer a header's token says it is of. Nothing is verified.
    #[must_use]
    pub fn claimed_issuer(&self, authorization: &str) -> Option<&str> {
        let claims = object(Parts::of(authorization).ok()?.claims).ok()?;
        self.issuers.get(text(&claims, "iss")?).map(Issuer::name)
    }

    /// Reads and verifies the value of an authorization header. One that was verified before is not verified again until
    /// it expires or its issuer's keys change.
    ///
    /// # Errors
    /// The first reason found, in the order of the checks: shape, header, issuer, key, signature, claims.
    pub fn verify(&self, authorization: &str, now: Timestamp) -> Result<Claims, TokenRefusal> {
        if authorization.len() > HEADER_BYTES_MAX {
            return Err(TokenRefusal::TooLong);
        }
        let token = digest_of(authorization);
        let holds = |issuer: &str, by: u64| self.issuers.get(issuer).is_some_and(|i| i.generation() == by);
        if let Some(claims) = self.verified.look(&token, now, holds) {
            return Ok(claims);
        }
        let (generation, claims) = self.verify_anew(authorization, now)?;
        self.verified.keep(token, generation, &claims);
        Ok(claims)
    }

    /// The claims, and the generation of keys that they were verified under.
    fn verify_anew(&self, authorization: &str, now: Timestamp) -> Result<(u64, Claims), TokenRefusal> {
        let parts = Parts::of(authorization)?;
        let header = object(parts.header)?;
        check_header_names(&header)?;
        let claims = object(parts.claims)?;
        let issuer =
            text(&claims, "iss").and_then(|name| self.issuers.get(name)).ok_or(TokenRefusal::Issuer)?;
        // Read before the keys: should they change meanwhile, what is found is good for this once.
        let generation = issuer.generation();
        let (key, algorithm) = choose_key(issuer, &header)?;
        let holds = jsonwebtoken::crypto::verify(parts.signature, parts.signed.as_bytes(), &key, algorithm);
        if !holds.unwrap_or(false) {
            return Err(TokenRefusal::Signature);
        }
        read_claims(issuer, claims, now).map(|claims| (generation, claims))
    }
}

impl Subject {
    /// The name of a machine that came with a certificate.
    pub(in crate::http) fn of_machine(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The subject as the issuer wrote it. Every call is a place a reviewer should look at.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(..)")
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("role", &self.role)
            .field("organisation", &self.organisation)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The parts of a compact JWS, as they stand in the header value.
struct Parts<'a> {
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
    signed: &'a str,
}

impl<'a> Parts<'a> {
    fn of(authorization: &'a str) -> Result<Self, TokenRefusal> {
        let (scheme, token) = authorization.split_once(' ').ok_or(TokenRefusal::NotBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer")
            || token.is_empty()
            || token.contains(|c: char| c.is_whitespace() || c == ',')
        {
            return Err(TokenRefusal::NotBearer);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefusal::Shape)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenRefusal::Shape)?;
        if [header, claims, signature].iter().any(|part| !is_base64url(part)) {
            return Err(TokenRefusal::Shape);
        }
        Ok(Self { header, claims, signature, signed })
    }
}

fn is_base64url(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn object(part: &str) -> Result<Map<String, Value>, TokenRefusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefusal::Shape)?;
    strict_json::object(&bytes)
}

fn check_header_names(header: &Map<String, Value>) -> Result<(), TokenRefusal> {
    for name in header.keys() {
        match name.as_str() {
            "alg" | "typ" | "kid" | "x5t" | "x5t#S256" => {}
            "crit" => return Err(TokenRefusal::Critical),
            "jwk" | "jku" | "x5c" | "x5u" => return Err(TokenRefusal::EmbeddedKey),
            _ => return Err(TokenRefusal::UnknownHeaderName),
        }
    }
    Ok(())
}

fn choose_key(
    issuer: &Issuer,
    header: &Map<String, Value>,
) -> Result<(Arc<DecodingKey>, Algorithm), TokenRefusal> {
    let typ = match header.get("typ") {
        None => None,
        Some(Value::String(typ)) => Some(typ.as_str()),
        Some(_) => return Err(TokenRefusal::Type),
    };
    if !issuer.accepts_type(typ) {
        return Err(TokenRefusal::Type);
    }
    if text(header, "alg") != Some(issuer.algorithm().as_str()) {
        return Err(TokenRefusal::Algorithm);
    }
    if !issuer.has_keys() {
        return Err(TokenRefusal::NoKeys);
    }
    let key = text(header, "kid").and_then(|kid| issuer.key(kid)).ok_or(TokenRefusal::UnknownKey)?;
    Ok((key, issuer.algorithm().for_library()))
}

fn read_claims(issuer: &Issuer, claims: Map<String, Value>, now: Timestamp) -> Result<Claims, TokenRefusal> {
    if issuer.relaxes_type() && OF_OTHER_TOKENS.iter().any(|name| claims.contains_key(*name)) {
        return Err(TokenRefusal::Type);
    }
    check_audience(issuer, &claims)?;
    let expires_at = check_times(issuer, &claims, now)?;
    let named = |name, most| text(&claims, name).and_then(|value| bounded(value, most));
    let subject = named("sub", SUBJECT_CHARS_MAX).ok_or(TokenRefusal::Subject)?;
    let jti = match claims.get("jti") {
        None if issuer.relaxes_token_id() => None,
        _ => Some(named("jti", JTI_CHARS_MAX).ok_or(TokenRefusal::TokenId)?),
    };
    let bound_to = bound_to(&claims)?;
    let (claims, mapping) = (Value::Object(claims), issuer.mapping());
    Ok(Claims {
        issuer: issuer.name().to_owned(),
        subject: Subject(subject),
        role: mapping.role(&claims)?,
        organisation: mapping.organisation(&claims)?,
        person: mapping.person(issuer.name(), &claims)?,
        jti,
        expires_at,
        bound_to,
    })
}

/// Claims of ID tokens and logout tokens: what has one is no access token, whatever its type says.
const OF_OTHER_TOKENS: [&str; 5] = ["nonce", "at_hash", "c_hash", "s_hash", "events"];

/// The certificate that `cnf` binds to; anything else in it is a proof that nobody would ask for here.
fn bound_to(claims: &Map<String, Value>) -> Result<Option<[u8; 32]>, TokenRefusal> {
    let Some(confirmation) = claims.get("cnf") else { return Ok(None) };
    let members = confirmation.as_object().filter(|members| members.len() == 1);
    let thumbprint = members.and_then(|members| text(members, "x5t#S256"));
    let bytes = thumbprint.and_then(|thumbprint| URL_SAFE_NO_PAD.decode(thumbprint).ok());
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(TokenRefusal::Confirmation)?;
    Ok(Some(bytes))
}

fn check_audience(issuer: &Issuer, claims: &Map<String, Value>) -> Result<(), TokenRefusal> {
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => Some(one),
        Some(Value::Array(several)) => match several.as_slice() {
            [Value::String(one)] => Some(one),
            _ => None,
        },
        _ => None,
    };
    if audience.is_none_or(|audience| audience != issuer.audience()) {
        return Err(TokenRefusal::Audience);
    }
    let (party, client) = (party(claims, "azp")?, party(claims, "client_id")?);
    let agree = party.is_none() || client.is_none() || party == client;
    if agree && issuer.accepts_party(party.or(client)) { Ok(()) } else { Err(TokenRefusal::AuthorisedParty) }
}

/// The client that a token was issued to: `azp` (OpenID Connect) or `client_id` (RFC 9068).
fn party<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, TokenRefusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(TokenRefusal::AuthorisedParty),
    }
}

fn check_times(
    issuer: &Issuer,
    claims: &Map<String, Value>,
    now: Timestamp,
) -> Result<Timestamp, TokenRefusal> {
    let now = now.seconds();
    let expires = seconds(claims, "exp")?.ok_or(TokenRefusal::Times)?;
    let not_before = seconds(claims, "nbf")?.ok_or(TokenRefusal::Times)?;
    let issued = seconds(claims, "iat")?.unwrap_or(not_before);
    if now >= expires.saturating_add(LEEWAY_SECONDS) {
        return Err(TokenRefusal::Expired);
    }
    if not_before.max(issued) > now.saturating_add(LEEWAY_SECONDS) {
        return Err(TokenRefusal::NotYet);
    }
    if expires.saturating_sub(not_before.min(issued)) > issuer.lifetime_max_seconds() {
        return Err(TokenRefusal::Lifetime);
    }
    expires.checked_mul(1_000_000).and_then(Timestamp::from_micros).ok_or(TokenRefusal::Times)
}

/// A time claim in whole seconds since 1970, not negative; `None` when it is not there.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, TokenRefusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().filter(|at| *at >= 0).map(Some).ok_or(TokenRefusal::Times),
    }
}

fn bounded(value: &str, chars_max: usize) -> Option<String> {
    let fits = !value.trim().is_empty()
        && value.chars().take(chars_max + 1).count() <= chars_max
        && !value.chars().any(char::is_control);
    fits.then(|| value.to_owned())
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
