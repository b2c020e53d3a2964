//! What an entry must not hold: free text about people. The entry commits to it, and it can be erased.

use super::hash::sha256;
use super::{Hash, LedgerError};
use crate::model::PrivateText;
use serde::Deserialize;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Who, for which case, with which motivation: JSON that the caller seals apart. `Debug` hides it.
///
/// Once body and salt are erased, the commitment in the ledger says nothing any more.
#[derive(Debug)]
pub struct Body(PrivateText);

impl Body {
    /// Takes the JSON text as it will be sealed; not checked to be JSON.
    #[must_use]
    pub fn new(json: PrivateText) -> Self {
        Self(json)
    }

    /// The JSON text, to seal it or to show it to who may see it.
    #[must_use]
    pub fn text(&self) -> &PrivateText {
        &self.0
    }

    /// SHA-256(salt || body).
    #[must_use]
    pub fn commitment(&self, salt: &Salt) -> BodyCommitment {
        BodyCommitment(sha256(&[&salt.0, self.0.expose().as_bytes()]))
    }
}

/// 32 random bytes of one body, drawn by the caller, stored and erased with it. Without it a short
/// body could be guessed from its commitment: it is as secret as the body.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Salt([u8; 32]);

impl Salt {
    /// A salt from bytes that the caller drew.
    #[must_use]
    pub const fn from_bytes(drawn: [u8; 32]) -> Self {
        Self(drawn)
    }

    /// The bytes, to seal them with the body.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// What an entry keeps of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BodyCommitment(Hash);

impl BodyCommitment {
    /// The hash.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.0
    }
}

impl TryFrom<String> for BodyCommitment {
    type Error = LedgerError;
    fn try_from(given: String) -> Result<Self, LedgerError> {
        Hash::try_from(given).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_depends_on_salt_and_text() {
        let body = |text: &str| Body::new(text.into());
        let salt = |byte| Salt::from_bytes([byte; 32]);
        let made = body("{\"case\":\"Z-1\"}").commitment(&salt(1));
        assert_eq!(made, body("{\"case\":\"Z-1\"}").commitment(&salt(1)));
        assert_ne!(made, body("{\"case\":\"Z-1\"}").commitment(&salt(2)));
        assert_ne!(made, body("{\"case\":\"Z-2\"}").commitment(&salt(1)));
    }

    #[test]
    fn debug_hides_body_and_salt() {
        assert_eq!(format!("{:?}", Body::new("Fatima".into())), "Body(PrivateText(..))");
        assert_eq!(format!("{:?}", Salt::from_bytes([1; 32])), "Salt(..)");
    }
}
