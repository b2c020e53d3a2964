//! C2SP signed notes with Ed25519: the log's name, its key, and a signature over a text.

use super::LedgerError;
use super::hash::sha256;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The name of a log, a URL without scheme such as `knik.example/vault`: first line of its
/// checkpoints and name of its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = LedgerError;
    fn from_str(given: &str) -> Result<Self, LedgerError> {
        let fits =
            (1..=128).contains(&given.len()) && given.chars().all(|c| c.is_ascii_graphic() && c != '+');
        if fits {
            Ok(Self(given.to_owned()))
        } else {
            Err(LedgerError::NotAnOrigin { given: given.chars().take(80).collect() })
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = LedgerError;
    fn try_from(given: String) -> Result<Self, LedgerError> {
        given.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The log's signing key. Not `Clone`; `Debug` shows its verifier key only.
pub struct LogKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl LogKey {
    /// The key that 32 random bytes make. The caller wipes the seed.
    ///
    /// # Errors
    /// [`LedgerError::NotASigningKey`] when the cryptographic library refuses it.
    pub fn from_seed(origin: Origin, seed: &[u8; 32]) -> Result<Self, LedgerError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| LedgerError::NotASigningKey)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| LedgerError::NotASigningKey)?;
        Ok(Self { pair, verifier: VerifierKey(NamedKey { name: origin, kind: ED25519_TYPE, public }) })
    }

    /// What verifiers need.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signed note over `text`, which must end with a line feed.
    pub(super) fn sign(&self, text: &str) -> String {
        let mut blob = self.verifier.key_id().to_vec();
        blob.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.verifier.origin(), STANDARD.encode(blob))
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({})", self.verifier)
    }
}

/// The public half of a log's key. Printed and read as a C2SP verifier key, `name+hash+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey(NamedKey);

/// Signature type of Ed25519 in signed notes.
const ED25519_TYPE: u8 = 0x01;

impl VerifierKey {
    /// The log this key is of.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.0.name
    }

    /// First 4 bytes of SHA-256(name || 0x0A || 0x01 || public key).
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.0.key_id()
    }

    /// The signed text of a note, its closing line feed included, if this key signed it.
    /// Signatures of other keys are passed over, as the specification asks.
    ///
    /// # Errors
    /// [`LedgerError::NotACheckpoint`] for what is no note, [`LedgerError::NotSigned`] when this key's
    /// signature is missing or false.
    pub(super) fn open_note<'a>(&self, note: &'a str) -> Result<&'a str, LedgerError> {
        let (text, signatures) = split_note(note)?;
        let mut signed = false;
        for signature in self.0.signatures(&signatures) {
            if !self.0.signed(text.as_bytes(), signature) {
                return Err(LedgerError::NotSigned);
            }
            signed = true;
        }
        if signed { Ok(text) } else { Err(LedgerError::NotSigned) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for VerifierKey {
    type Err = LedgerError;
    fn from_str(given: &str) -> Result<Self, LedgerError> {
        NamedKey::parse(given, ED25519_TYPE).map(Self).ok_or(LedgerError::NotAVerifierKey)
    }
}

/// An Ed25519 key with the name and the type of signature it is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedKey {
    pub(super) name: Origin,
    pub(super) kind: u8,
    pub(super) public: [u8; 32],
}

impl NamedKey {
    /// Reads `name+hash+base64` of a key of this kind; `None` for anything else.
    pub(super) fn parse(given: &str, kind: u8) -> Option<Self> {
        let mut parts = given.trim().splitn(3, '+');
        let name = parts.next()?.parse().ok()?;
        let id = hex::decode(parts.next()?).ok()?;
        let key = STANDARD.decode(parts.next()?).ok()?;
        let (found, public) = key.split_first()?;
        let key = Self { name, kind, public: public.try_into().ok()? };
        (*found == kind && id == key.key_id()).then_some(key)
    }

    pub(super) fn key_id(&self) -> [u8; 4] {
        let hash = sha256(&[self.name.as_str().as_bytes(), &[b'\n', self.kind], &self.public]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        [a, b, c, d]
    }

    /// Those of a note's signatures that say they are of this key, without the key id.
    pub(super) fn signatures<'a>(&self, all: &'a [(&str, Vec<u8>)]) -> Vec<&'a [u8]> {
        let id = self.key_id();
        let own = all.iter().filter(|(name, _)| *name == self.name.as_str());
        own.filter_map(|(_, blob)| blob.strip_prefix(&id)).collect()
    }

    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(message, signature).is_ok()
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, hex::encode(self.key_id()), STANDARD.encode(key))
    }
}

/// A note longer than this is refused unread.
const NOTE_BYTES_MAX: usize = 64 * 1024;

/// A signature of a note: the name of its key, then key id and signature.
pub(super) type Signature<'a> = (&'a str, Vec<u8>);

/// The text of a note, its closing line feed included, and its signatures, not yet checked.
///
/// # Errors
/// [`LedgerError::NotACheckpoint`] for what is no note.
pub(super) fn split_note(note: &str) -> Result<(&str, Vec<Signature<'_>>), LedgerError> {
    let malformed = |why| LedgerError::NotACheckpoint { why };
    if note.len() > NOTE_BYTES_MAX {
        return Err(malformed("too long"));
    }
    let cut = note.rfind("\n\n").ok_or(malformed("no signatures"))?;
    let (text, signatures) = note.split_at_checked(cut + 1).ok_or(malformed("no signatures"))?;
    let lines = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
    let lines = lines.ok_or(malformed("signature lines"))?.split('\n');
    let signatures: Option<Vec<_>> = lines.map(signature_line).collect();
    Ok((text, signatures.ok_or(malformed("signature line"))?))
}

fn signature_line(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, blob) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let blob = STANDARD.decode(blob).ok()?;
    (!name.is_empty() && blob.len() > 4).then_some((name, blob))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> LogKey {
        LogKey::from_seed("knik.example/vault".parse().unwrap(), &[7; 32]).unwrap()
    }

    /// The example of golang.org/x/mod/sumdb/note.
    #[test]
    fn a_note_of_go_verifies() {
        let peter: VerifierKey =
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let note = format!(
            "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        );
        assert_eq!(peter.open_note(&note), Ok(text));
    }

    #[test]
    fn verifier_keys_read_back_and_false_ones_are_refused() {
        let text = key().verifier().to_string();
        assert_eq!(text.parse::<VerifierKey>().as_ref(), Ok(key().verifier()));
        let other_name = text.replacen("vault", "vaults", 1);
        let other_hash = text.replacen('+', "+0", 1);
        for bad in ["", "a+b+c", "a", other_name.as_str(), other_hash.as_str(), &text[..text.len() - 4]] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_note_with_any_byte_changed_is_refused() {
        let note = key().sign("knik.example/vault\n1\nAAAA\n");
        let signed = "\u{2014} other.example AAAAAAAAAAAA\n";
        let open = |note: &str| key().verifier().open_note(note).map(str::to_owned);
        assert!(open(&format!("{note}{signed}")).is_ok(), "a signature of another key is passed over");
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(open(&changed).is_err(), "byte {at}");
            }
        }
        for bad in ["", "\n\n", "text\n", "text\n\n", "text\n\n\n", "text\n\n\u{2014} a AA==\n"] {
            assert!(open(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_private_key() {
        assert_eq!(format!("{:?}", key()), format!("LogKey({})", key().verifier()));
    }

    #[test]
    fn origins_are_key_names() {
        for bad in ["", "a b", "a+b", "a\nb", "é", &"a".repeat(129)] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
