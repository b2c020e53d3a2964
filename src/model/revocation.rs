//! What is revoked at once: a token, a subject, a person.

use super::terms::{RevocationKind, RevocationReason};
use super::{ModelError, RevocationId, Timestamp};
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// Whom or what a revocation names, in the words of the tokens: a direct identifier, so it is for the vault only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revoked {
    /// What it names.
    pub kind: RevocationKind,
    /// By whose words: the issuer, or for a person the name that issuers share.
    pub issuer: String,
    /// The token's id, the subject or the person.
    pub value: String,
}

/// A revocation as it is looked up: SHA-256 of kind, issuer and value, each with its length before it.
///
/// It keeps words of tokens out of the reading room's tables, not out of the reach of who can guess them.
pub type RevocationDigest = [u8; 32];

/// A revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// Its id.
    pub id: RevocationId,
    /// What it names.
    #[serde(flatten)]
    pub revoked: Revoked,
    /// Why, as a code.
    pub reason: RevocationReason,
    /// Since when.
    pub revoked_at: Timestamp,
    /// Until when, once it was lifted.
    pub lifted_at: Option<Timestamp>,
}

/// The longest word that a token can have where it is compared.
const VALUE_CHARS_MAX: usize = 255;

impl Revoked {
    /// A revocation of what is named so.
    ///
    /// # Errors
    /// [`ModelError::Term`] for words that no token can have.
    pub fn new(kind: RevocationKind, issuer: &str, value: &str) -> Result<Self, ModelError> {
        for (what, word) in [("issuer", issuer), ("revoked value", value)] {
            let fits = (1..=VALUE_CHARS_MAX).contains(&word.chars().count()) && !word.trim().is_empty();
            if !fits || word.chars().any(char::is_control) {
                let given = word.chars().take(80).collect();
                return Err(ModelError::Term { what, given, expected: "1 to 255 characters".to_owned() });
            }
        }
        Ok(Self { kind, issuer: issuer.to_owned(), value: value.to_owned() })
    }

    /// What it is looked up by.
    #[must_use]
    pub fn digest(&self) -> RevocationDigest {
        revocation_digest(self.kind, &self.issuer, &self.value)
    }
}

/// What a revocation of this kind, issuer and value is looked up by.
#[must_use]
pub fn revocation_digest(kind: RevocationKind, issuer: &str, value: &str) -> RevocationDigest {
    let mut context = Context::new(&SHA256);
    for word in [kind.as_str(), issuer, value] {
        context.update(&(word.len() as u64).to_be_bytes());
        context.update(word.as_bytes());
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_run_together_do_not_meet() {
        let digest = |issuer, value| revocation_digest(RevocationKind::Token, issuer, value);
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
        assert_ne!(digest("a", "b"), revocation_digest(RevocationKind::Subject, "a", "b"));
        assert_eq!(digest("a", "b"), Revoked::new(RevocationKind::Token, "a", "b").unwrap().digest());
    }

    #[test]
    fn words_that_no_token_can_have_are_refused() {
        for bad in ["", " ", "a\nb", &"a".repeat(256)] {
            assert!(Revoked::new(RevocationKind::Subject, "https://a.example", bad).is_err());
            assert!(Revoked::new(RevocationKind::Subject, bad, "a").is_err());
        }
    }
}
