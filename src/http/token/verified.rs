//! Tokens that were verified before: the same bytes under the same keys need no second look at their signature.
//!
//! What was verified holds until it expires or its issuer's keys change in any way. Whether it was revoked is not known
//! here: the caller looks that up each time. Kept are digests of tokens, not tokens.

use super::{Claims, LEEWAY_SECONDS};
use crate::model::Timestamp;
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Most tokens that are remembered. When there are more, all are forgotten: each is verified once again.
const TOKENS_MAX: usize = 8_192;

/// SHA-256 of the value of an authorization header.
pub(super) type TokenDigest = [u8; 32];

/// Verified tokens, with the generation of keys that verified them.
#[derive(Default)]
pub(super) struct Verified(Mutex<HashMap<TokenDigest, (u64, Claims)>>);

/// The digest of an authorization header's value.
pub(super) fn digest_of(authorization: &str) -> TokenDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, authorization.as_bytes()).as_ref());
    bytes
}

impl Verified {
    /// What a token says that was verified before, if it has not expired and `holds` for its issuer and generation of keys.
    pub(super) fn look(
        &self,
        token: &TokenDigest,
        now: Timestamp,
        holds: impl FnOnce(&str, u64) -> bool,
    ) -> Option<Claims> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (generation, claims) = known.get(token)?;
        let expired = now.seconds() >= claims.expires_at.seconds().saturating_add(LEEWAY_SECONDS);
        if !expired && holds(&claims.issuer, *generation) {
            return Some(claims.clone());
        }
        known.remove(token);
        None
    }

    /// Remembers a token that was verified under this generation of its issuer's keys.
    pub(super) fn keep(&self, token: TokenDigest, generation: u64, claims: &Claims) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TOKENS_MAX {
            known.clear();
        }
        known.insert(token, (generation, claims.clone()));
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(..)")
    }
}
