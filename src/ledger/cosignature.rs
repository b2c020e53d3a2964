//! Cosignatures of witnesses (C2SP tlog-cosignature, `cosignature/v1`): that an independent party saw a checkpoint
//! at a moment, and that it continued every checkpoint of the log that this party saw before.

use super::note::{NamedKey, split_note};
use super::{LedgerError, Origin};
use crate::model::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::str::FromStr;

/// Signature type of timestamped Ed25519 cosignatures.
const COSIGNATURE_TYPE: u8 = 0x04;

/// The public key of a witness. Printed and read as a C2SP verifier key of type 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey(NamedKey);

/// What a witness said of a checkpoint, checked against its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// Who.
    pub witness: Origin,
    /// When it saw the checkpoint, by its own clock.
    pub at: Timestamp,
    /// The signature line, with its line feed: what is added to a note.
    pub line: String,
}

impl WitnessKey {
    /// The key of a witness from its 32 bytes.
    #[must_use]
    pub const fn new(name: Origin, public: [u8; 32]) -> Self {
        Self(NamedKey { name, kind: COSIGNATURE_TYPE, public })
    }

    /// The witness.
    #[must_use]
    pub const fn name(&self) -> &Origin {
        &self.0.name
    }

    /// First 4 bytes of SHA-256(name || 0x0A || 0x04 || public key).
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.0.key_id()
    }

    /// The newest cosignature of this witness on a note. Says nothing of the log's own signature: check that with
    /// [`Checkpoint::verify`](super::Checkpoint::verify).
    ///
    /// # Errors
    /// [`LedgerError::NotACheckpoint`], [`LedgerError::NotCosigned`]; [`LedgerError::FalseCosignature`] when any that
    /// says it is of this witness is not.
    pub fn verify(&self, note: &str) -> Result<Cosignature, LedgerError> {
        let (text, signatures) = split_note(note)?;
        let found: Option<Vec<Cosignature>> =
            self.0.signatures(&signatures).into_iter().map(|blob| self.cosignature(text, blob)).collect();
        let witness = || self.name().clone();
        let found = found.ok_or_else(|| LedgerError::FalseCosignature { witness: witness() })?;
        found
            .into_iter()
            .max_by_key(|one| one.at)
            .ok_or_else(|| LedgerError::NotCosigned { witness: witness() })
    }

    /// `blob`: seconds since 1970 as a big-endian `u64`, then the signature.
    fn cosignature(&self, text: &str, blob: &[u8]) -> Option<Cosignature> {
        let (seconds, signature) = blob.split_first_chunk::<8>()?;
        let seconds = i64::try_from(u64::from_be_bytes(*seconds)).ok()?;
        let at = Timestamp::from_micros(seconds.checked_mul(1_000_000)?)?;
        let sound = self.0.signed(cosigned_text(seconds, text).as_bytes(), signature);
        let line = || {
            let whole = [self.key_id().as_slice(), blob].concat();
            format!("\u{2014} {} {}\n", self.name(), STANDARD.encode(whole))
        };
        sound.then(|| Cosignature { witness: self.name().clone(), at, line: line() })
    }
}

/// What a witness signs: its time, then the text of the checkpoint.
fn cosigned_text(seconds: i64, text: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for WitnessKey {
    type Err = LedgerError;
    fn from_str(given: &str) -> Result<Self, LedgerError> {
        NamedKey::parse(given, COSIGNATURE_TYPE).map(Self).ok_or(LedgerError::NotAWitnessKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Checkpoint, Hash, LogKey};
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    const TEXT_OF_THE_SPECIFICATION: &str = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
                                             CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    struct Witness(Ed25519KeyPair, WitnessKey);

    fn witness(name: &str, seed: u8) -> Witness {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        Witness(pair, WitnessKey::new(name.parse().unwrap(), public))
    }

    impl Witness {
        fn cosign(&self, note: &str, seconds: i64) -> String {
            let (text, _) = split_note(note).unwrap();
            let signature = self.0.sign(cosigned_text(seconds, text).as_bytes());
            let blob = [&self.1.key_id()[..], &seconds.to_be_bytes(), signature.as_ref()].concat();
            format!("{note}\u{2014} {} {}\n", self.1.name(), STANDARD.encode(blob))
        }
    }

    fn note() -> (String, LogKey) {
        let key = LogKey::from_seed("knik.example/vault".parse().unwrap(), &[1; 32]).unwrap();
        let head = Checkpoint::new(key.verifier().origin().clone(), 9, Hash::empty());
        (head.sign(&key).unwrap(), key)
    }

    #[test]
    fn what_is_signed_is_the_text_of_the_specification() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(cosigned_text(1_679_315_147, text), TEXT_OF_THE_SPECIFICATION);
    }

    #[test]
    fn a_cosignature_stands_beside_the_logs_own() {
        let ((note, key), one, other) = (note(), witness("witness.example", 2), witness("other.example", 3));
        let cosigned = other.cosign(&one.cosign(&note, 1_700_000_000), 1_700_000_007);
        assert!(Checkpoint::verify(&cosigned, key.verifier()).is_ok());
        for (who, seconds) in [(&one, 1_700_000_000), (&other, 1_700_000_007)] {
            let found = who.1.verify(&cosigned).unwrap();
            assert_eq!((found.at.seconds(), &found.witness), (seconds, who.1.name()));
            assert!(cosigned.contains(&found.line));
            assert_eq!(who.1.verify(&format!("{note}{}", found.line)), Ok(found));
        }
        let again = one.cosign(&cosigned, 1_700_000_100);
        assert_eq!(one.1.verify(&again).unwrap().at.seconds(), 1_700_000_100, "the newest");
        let missing = LedgerError::NotCosigned { witness: one.1.name().clone() };
        assert_eq!(one.1.verify(&note), Err(missing.clone()));
        assert_eq!(
            witness("witness.example", 4).1.verify(&cosigned),
            Err(missing),
            "another key of that name"
        );
    }

    #[test]
    fn a_cosignature_that_was_changed_is_false() {
        let ((note, _), one) = (note(), witness("witness.example", 2));
        let cosigned = one.cosign(&note, 1_700_000_000);
        let false_one = Err(LedgerError::FalseCosignature { witness: one.1.name().clone() });
        assert_eq!(one.1.verify(&cosigned.replace("\n9\n", "\n8\n")), false_one, "another checkpoint");
        let (before, blob) = cosigned.trim_end().rsplit_once(' ').unwrap();
        let sound = STANDARD.decode(blob).unwrap();
        for at in 4..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 1;
            let changed = format!("{before} {}\n", STANDARD.encode(bytes));
            assert_eq!(one.1.verify(&changed), false_one, "byte {at}");
        }
        let short = format!("{before} {}\n", STANDARD.encode(&sound[..11]));
        assert_eq!(one.1.verify(&short), false_one);
    }

    #[test]
    fn witness_keys_read_back_and_keys_of_logs_are_none() {
        let key = witness("witness.example", 2).1;
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let (_, log) = note();
        assert!(log.verifier().to_string().parse::<WitnessKey>().is_err());
        assert!(key.to_string().parse::<crate::ledger::VerifierKey>().is_err());
    }
}
