//! C2SP checkpoints: the signed head of the tree.

use super::{Hash, LedgerError, LogKey, Origin, VerifierKey};

/// How large the tree is and what its root is, as its log signs it. No extension lines.
///
/// A value of this type was either made by the log or verified; an unverified one has no type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// The head of a log, to be signed.
    #[must_use]
    pub const fn new(origin: Origin, size: u64, root: Hash) -> Self {
        Self { origin, size, root }
    }

    /// Which log.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Leaves in the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// The signed note: three lines, an empty one, a signature line. Ed25519 gives the same
    /// signature every time.
    ///
    /// # Errors
    /// [`LedgerError::OtherLog`] when the key is of another log.
    pub fn sign(&self, key: &LogKey) -> Result<String, LedgerError> {
        if key.verifier().origin() != &self.origin {
            return Err(LedgerError::OtherLog);
        }
        Ok(key.sign(&format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())))
    }

    /// Reads a note that `key` signed. Says nothing of an earlier checkpoint: compare those with
    /// [`verify_consistency`](super::verify_consistency).
    ///
    /// # Errors
    /// [`LedgerError::NotSigned`], [`LedgerError::NotACheckpoint`], [`LedgerError::OtherLog`].
    pub fn verify(note: &str, key: &VerifierKey) -> Result<Self, LedgerError> {
        let malformed = |why| LedgerError::NotACheckpoint { why };
        let text = key.open_note(note)?;
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let mut line = |why| lines.next().ok_or(malformed(why));
        if line("no origin")? != key.origin().as_str() {
            return Err(LedgerError::OtherLog);
        }
        let size = number(line("no size")?).ok_or(malformed("size"))?;
        let root = Hash::from_base64(line("no root")?).ok_or(malformed("root"))?;
        if lines.next().is_some() {
            return Err(malformed("extension lines"));
        }
        Ok(Self { origin: key.origin().clone(), size, root })
    }
}

/// A decimal number without sign or leading zeros.
fn number(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(origin: &str, seed: u8) -> LogKey {
        LogKey::from_seed(origin.parse().unwrap(), &[seed; 32]).unwrap()
    }

    #[test]
    fn a_checkpoint_reads_back_under_its_own_key_only() {
        let ours = key("knik.example/vault", 1);
        let head = Checkpoint::new("knik.example/vault".parse().unwrap(), 17, Hash::empty());
        let note = head.sign(&ours).unwrap();
        assert!(note.starts_with("knik.example/vault\n17\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"));
        assert_eq!(Checkpoint::verify(&note, ours.verifier()), Ok(head.clone()));
        for other in [key("knik.example/vault", 2), key("knik.example/other", 1)] {
            assert_eq!(Checkpoint::verify(&note, other.verifier()), Err(LedgerError::NotSigned));
        }
        assert_eq!(head.sign(&key("knik.example/other", 1)), Err(LedgerError::OtherLog));
    }

    #[test]
    fn a_signed_text_that_is_no_checkpoint_is_refused() {
        let ours = key("knik.example/vault", 1);
        let root = Hash::empty().to_base64();
        for bad in [
            "knik.example/vault\n".to_owned(),
            "knik.example/vault\n17\n".to_owned(),
            format!("knik.example/vault\n017\n{root}\n"),
            format!("knik.example/vault\n+17\n{root}\n"),
            format!("knik.example/vault\n17\n{root}\nextra\n"),
            format!("knik.example/vault\n17\n{}\n", &root[4..]),
            format!("knik.example/other\n17\n{root}\n"),
        ] {
            assert!(Checkpoint::verify(&ours.sign(&bad), ours.verifier()).is_err(), "{bad:?}");
        }
    }
}
