//! Issuers as configured: their name, one algorithm, and the public keys that hold now.

use super::{ClaimMapping, strict_json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// The one signature algorithm of an issuer. Symmetric ones and `none` do not exist here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlgorithmFamily {
    /// RSASSA-PSS with SHA-256, keys of 2048 to 8192 bits.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of 2048 to 8192 bits.
    Rs256,
    /// Ed25519.
    EdDsa,
}

/// What the configuration says of an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// The exact `iss`.
    pub issuer: String,
    /// The exact `aud`, which must be the only one.
    pub audience: String,
    /// The one algorithm.
    pub algorithm: AlgorithmFamily,
    /// Accepted `typ`, such as `at+jwt`; compared without case and without a leading `application/`.
    pub types: Vec<String>,
    /// Relaxed: a token without type, or with type `JWT`, is taken too, unless it shows signs of an ID token.
    pub relax_type: bool,
    /// Relaxed: a token without `jti` is taken too.
    pub relax_token_id: bool,
    /// Clients (`azp` or `client_id`) that may ask; when there are any, one of the two is required.
    pub parties: Vec<String>,
    /// The longest time between `iat` (or `nbf`) and `exp`, in seconds.
    pub lifetime_max_seconds: u32,
    /// What the claims mean.
    pub mapping: ClaimMapping,
}

/// An issuer with the public keys that hold now. A new key set takes the place of the old one whole: what is no longer
/// in it verifies nothing more.
pub struct Issuer {
    settings: IssuerSettings,
    keys: RwLock<Arc<KeySet>>,
    generation: AtomicU64,
}

/// Public keys by `kid`.
type KeySet = HashMap<String, Arc<DecodingKey>>;

/// A key set that cannot be used. Never holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Not a JSON object with `keys`, or a name stands twice.
    #[error("key set of `{issuer}` is not a JSON object with a list `keys`")]
    Json {
        /// Whose keys.
        issuer: String,
    },
    /// A private or symmetric key: it has no place in a verifier.
    #[error(
        "key set of `{issuer}` holds a private or symmetric key at position {position}: publish public keys only"
    )]
    Private {
        /// Whose keys.
        issuer: String,
        /// Which, from 1.
        position: usize,
    },
    /// A key for this algorithm that is malformed, too small, or without a usable `kid`.
    #[error("key set of `{issuer}`: key at position {position} {problem}")]
    Key {
        /// Whose keys.
        issuer: String,
        /// Which, from 1.
        position: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// No key fits the issuer's algorithm.
    #[error("key set of `{issuer}` has no signature key for its algorithm")]
    NoKey {
        /// Whose keys.
        issuer: String,
    },
    /// A setting that would accept nothing, or too much.
    #[error("issuer `{issuer}`: {problem}")]
    Settings {
        /// Which issuer.
        issuer: String,
        /// What is wrong and the mend.
        problem: &'static str,
    },
}

/// Longest lifetime a configuration may allow: a day.
const LIFETIME_SECONDS_LIMIT: u32 = 86_400;
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Issuer {
    /// An issuer with the keys of a JWK set (RFC 7517). Keys for encryption and of other algorithms are
    /// passed over; private and symmetric keys, malformed keys and `kid`s that stand twice are refused.
    ///
    /// # Errors
    /// The first thing that is wrong with settings or keys.
    pub fn new(settings: IssuerSettings, key_set: &str) -> Result<Self, IssuerError> {
        let issuer = Self::without_keys(settings)?;
        issuer.replace_keys(key_set)?;
        Ok(issuer)
    }

    /// An issuer whose keys are not known yet: its tokens are refused until they are.
    ///
    /// # Errors
    /// The first thing that is wrong with the settings.
    pub fn without_keys(settings: IssuerSettings) -> Result<Self, IssuerError> {
        check_settings(&settings)?;
        Ok(Self { settings, keys: RwLock::default(), generation: AtomicU64::new(0) })
    }

    /// Puts the keys of a JWK set in the place of those that held.
    ///
    /// # Errors
    /// The first thing that is wrong with the set; those that held then still do.
    pub fn replace_keys(&self, key_set: &str) -> Result<(), IssuerError> {
        self.put(self.read_keys(key_set)?);
        Ok(())
    }

    /// No key holds any more.
    pub fn drop_keys(&self) {
        self.put(KeySet::new());
    }

    /// How many keys hold.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.held().len()
    }

    fn put(&self, keys: KeySet) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Rises whenever keys were put in the place of others.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn held(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn read_keys(&self, key_set: &str) -> Result<KeySet, IssuerError> {
        let settings = &self.settings;
        let issuer = || settings.issuer.clone();
        let set =
            strict_json::object(key_set.as_bytes()).map_err(|_| IssuerError::Json { issuer: issuer() })?;
        let Some(Value::Array(listed)) = set.get("keys") else {
            return Err(IssuerError::Json { issuer: issuer() });
        };
        let mut keys = HashMap::new();
        for (position, key) in (1..).zip(listed) {
            let wrong = |problem| IssuerError::Key { issuer: issuer(), position, problem };
            let jwk = key.as_object().ok_or_else(|| wrong("is not an object"))?;
            if PRIVATE_MEMBERS.iter().any(|member| jwk.contains_key(*member))
                || text(jwk, "kty") == Some("oct")
            {
                return Err(IssuerError::Private { issuer: issuer(), position });
            }
            if !is_for(jwk, settings.algorithm) {
                continue;
            }
            let kid = text(jwk, "kid").filter(|kid| (1..=256).contains(&kid.len()));
            let kid = kid.ok_or_else(|| wrong("has no `kid` of 1 to 256 bytes"))?;
            let read = settings.algorithm.read(jwk).ok_or_else(|| wrong("is malformed or too small"))?;
            if keys.insert(kid.to_owned(), Arc::new(read)).is_some() {
                return Err(wrong("has a `kid` that stands twice"));
            }
        }
        if keys.is_empty() { Err(IssuerError::NoKey { issuer: issuer() }) } else { Ok(keys) }
    }

    /// Its name: the exact `iss`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.issuer
    }

    pub(super) fn audience(&self) -> &str {
        &self.settings.audience
    }

    pub(super) const fn algorithm(&self) -> AlgorithmFamily {
        self.settings.algorithm
    }

    pub(super) fn lifetime_max_seconds(&self) -> i64 {
        self.settings.lifetime_max_seconds.into()
    }

    pub(super) const fn mapping(&self) -> &ClaimMapping {
        &self.settings.mapping
    }

    pub(super) const fn relaxes_type(&self) -> bool {
        self.settings.relax_type
    }

    pub(super) const fn relaxes_token_id(&self) -> bool {
        self.settings.relax_token_id
    }

    pub(super) fn has_keys(&self) -> bool {
        !self.held().is_empty()
    }

    pub(super) fn key(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        self.held().get(kid).cloned()
    }

    pub(super) fn accepts_type(&self, typ: Option<&str>) -> bool {
        let Some(typ) = typ else { return self.settings.relax_type };
        let given = bare_type(typ);
        let known = self.settings.types.iter().map(|one| bare_type(one));
        known.chain(self.settings.relax_type.then_some("JWT")).any(|one| one.eq_ignore_ascii_case(given))
    }

    pub(super) fn accepts_party(&self, party: Option<&str>) -> bool {
        let known = &self.settings.parties;
        known.is_empty() || party.is_some_and(|party| known.iter().any(|one| one == party))
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("settings", &self.settings).field("keys", &self.key_count()).finish()
    }
}

impl AlgorithmFamily {
    /// The word in `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(super) const fn for_library(self) -> Algorithm {
        match self {
            Self::Ps256 => Algorithm::PS256,
            Self::Es256 => Algorithm::ES256,
            Self::Rs256 => Algorithm::RS256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }

    const fn key_type(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Ps256 | Self::Rs256 => ("RSA", None),
            Self::Es256 => ("EC", Some("P-256")),
            Self::EdDsa => ("OKP", Some("Ed25519")),
        }
    }

    fn read(self, jwk: &Map<String, Value>) -> Option<DecodingKey> {
        match self {
            Self::Ps256 | Self::Rs256 => {
                let (modulus, exponent) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
                let fits = (256..=1024).contains(&modulus.len())
                    && modulus
                        .first()
                        .is_some_and(|first| *first >= 0x80 || modulus.len() > 256 && *first > 0)
                    && exponent_fits(&exponent);
                fits.then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
            }
            Self::Es256 => {
                let fits = bytes(jwk, "x")?.len() == 32 && bytes(jwk, "y")?.len() == 32;
                if !fits {
                    return None;
                }
                DecodingKey::from_ec_components(text(jwk, "x")?, text(jwk, "y")?).ok()
            }
            Self::EdDsa => {
                let point = bytes(jwk, "x")?;
                (point.len() == 32).then(|| DecodingKey::from_ed_der(&point))
            }
        }
    }
}

fn check_settings(settings: &IssuerSettings) -> Result<(), IssuerError> {
    let problem = if settings.issuer.trim().is_empty() || settings.issuer == super::MACHINES {
        "give it a name: the exact `iss`"
    } else if settings.audience.trim().is_empty() {
        "give it an audience: the exact `aud`"
    } else if settings.types.iter().all(|typ| typ.trim().is_empty()) {
        "give at least one accepted type, such as at+jwt"
    } else if !(1..=LIFETIME_SECONDS_LIMIT).contains(&settings.lifetime_max_seconds) {
        "let tokens live 1 to 86400 seconds"
    } else {
        return Ok(());
    };
    Err(IssuerError::Settings { issuer: settings.issuer.clone(), problem })
}

/// Whether a key is one that verifies signatures of this algorithm.
fn is_for(jwk: &Map<String, Value>, algorithm: AlgorithmFamily) -> bool {
    let (key_type, curve) = algorithm.key_type();
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(operations) => {
            operations.as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some("verify")))
        }
    };
    text(jwk, "kty") == Some(key_type)
        && curve.is_none_or(|curve| text(jwk, "crv") == Some(curve))
        && jwk.get("use").is_none_or(|of| of.as_str() == Some("sig"))
        && jwk.get("alg").is_none_or(|alg| alg.as_str() == Some(algorithm.as_str()))
        && verifies
}

/// Odd, at least 65537, at most eight bytes, no leading zero.
fn exponent_fits(exponent: &[u8]) -> bool {
    let value = exponent.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    (1..=8).contains(&exponent.len()) && exponent.first() != Some(&0) && value >= 65_537 && value % 2 == 1
}

fn bytes(jwk: &Map<String, Value>, member: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, member)?).ok()
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn bare_type(typ: &str) -> &str {
    match typ.split_once('/') {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application") => rest,
        _ => typ,
    }
}
