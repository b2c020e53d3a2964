//! What operators need a key for: keyed digests, pseudonyms, and values sealed so that they can come back.
//!
//! One key file serves all three: each use has a key of its own, derived with HKDF-SHA-256 (RFC 5869).
//!
//! A sealed value stands in a text as `<TYPE:k1.BASE64URL>` over nonce, ciphertext and tag of AES-256-GCM, the type
//! bound as authenticated data: it does not open as another type, with another key, or after a change. It hides
//! neither the length of the value nor where it stood, and does not notice being moved to another text. Under one
//! key fewer than 2^32 values may be sealed, each with a nonce drawn afresh.

use super::rewrite::{RewriteError, rewrite};
use crate::model::{EntityType, Span};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce as GcmNonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use zeroize::Zeroizing;

/// A nonce of AES-256-GCM, drawn at random by the caller.
pub type OperatorNonce = [u8; 12];

/// What the operators that need a key are given. `Debug` hides it; the library wipes the keys when freed.
pub struct Secrets {
    hash: hmac::Key,
    pseudonym: hmac::Key,
    cipher: LessSafeKey,
}

/// Why a value was not sealed or does not come back. GCM cannot tell another key from changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The library refused the key or the value.
    #[error("the cipher refused; use a key of 32 random bytes")]
    Refused,
    /// The sealed value does not open.
    #[error("a sealed value does not open: it was sealed with another key, or changed since")]
    DoesNotOpen,
}

impl Secrets {
    /// Derives a key for each use from 32 random bytes. The caller wipes its own copy.
    ///
    /// # Errors
    /// [`SecretError::Refused`], when the library refuses.
    pub fn derive(key: &[u8; 32]) -> Result<Self, SecretError> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"knik-redact-1").extract(key);
        let derived = |purpose: &[u8]| -> Result<Zeroizing<[u8; 32]>, SecretError> {
            let mut bytes = Zeroizing::new([0; 32]);
            let info = [purpose];
            let okm = root.expand(&info, hkdf::HKDF_SHA256).map_err(|_| SecretError::Refused)?;
            okm.fill(bytes.as_mut()).map_err(|_| SecretError::Refused)?;
            Ok(bytes)
        };
        let cipher = UnboundKey::new(&AES_256_GCM, derived(b"encrypt")?.as_ref());
        Ok(Self {
            hash: hmac::Key::new(hmac::HMAC_SHA256, derived(b"hash")?.as_ref()),
            pseudonym: hmac::Key::new(hmac::HMAC_SHA256, derived(b"pseudonym")?.as_ref()),
            cipher: LessSafeKey::new(cipher.map_err(|_| SecretError::Refused)?),
        })
    }

    /// HMAC-SHA-256 over type and value, in 64 hexadecimal digits: alike for the same value written alike, and
    /// different for another type.
    #[must_use]
    pub fn hash(&self, entity: &EntityType, value: &str) -> String {
        hex::encode(digest(&self.hash, entity, value))
    }

    /// Ten letters and digits (50 bits) drawn from the key for a value of a type; none that look alike.
    #[must_use]
    pub fn code(&self, entity: &EntityType, value: &str) -> String {
        const ALPHABET: [char; 32] = [
            'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U',
            'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7', '8', '9',
        ];
        let tag = digest(&self.pseudonym, entity, value);
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied();
        tag.as_ref().iter().take(10).filter_map(letter).collect()
    }

    /// Seals a value: the token that stands in its place.
    ///
    /// # Errors
    /// [`SecretError::Refused`], when the value is too long for the cipher.
    pub fn seal(
        &self,
        entity: &EntityType,
        value: &str,
        nonce: OperatorNonce,
    ) -> Result<String, SecretError> {
        let mut sealed = nonce.to_vec();
        let mut body = value.as_bytes().to_vec();
        let gcm = GcmNonce::assume_unique_for_key(nonce);
        let tag = self.cipher.seal_in_place_separate_tag(gcm, Aad::from(bound(entity)), &mut body);
        sealed.append(&mut body);
        sealed.extend_from_slice(tag.map_err(|_| SecretError::Refused)?.as_ref());
        Ok(format!("<{entity}{MARK}{}>", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens one token, which must be the whole of `token`.
    ///
    /// # Errors
    /// [`SecretError::DoesNotOpen`].
    pub fn open(&self, token: &str) -> Result<String, SecretError> {
        let parsed = Token::at(token, 0).filter(|parsed| parsed.span.end() == token.len());
        self.unseal(&parsed.ok_or(SecretError::DoesNotOpen)?)
    }

    /// Puts every sealed value of a text back.
    ///
    /// # Errors
    /// [`SecretError::DoesNotOpen`] when one of them does not open: no text is handed out then, for half a text
    /// put back would look like a whole one.
    pub fn undo(&self, text: &str) -> Result<String, SecretError> {
        let tokens = Token::all(text).map(|token| (token.span, token));
        match rewrite(text, tokens, |token, _| self.unseal(token)) {
            Ok(rewritten) => Ok(rewritten.text),
            Err(RewriteError::Operator(error)) => Err(error),
            Err(RewriteError::OffText { .. }) => Err(SecretError::DoesNotOpen),
        }
    }

    fn unseal(&self, token: &Token<'_>) -> Result<String, SecretError> {
        let wrong = |_| SecretError::DoesNotOpen;
        let sealed = URL_SAFE_NO_PAD.decode(token.sealed).map_err(|_| SecretError::DoesNotOpen)?;
        let (nonce, body) = sealed.split_first_chunk::<12>().ok_or(SecretError::DoesNotOpen)?;
        let mut body = Zeroizing::new(body.to_vec());
        let gcm = GcmNonce::assume_unique_for_key(*nonce);
        let plain =
            self.cipher.open_in_place(gcm, Aad::from(bound(&token.entity)), &mut body).map_err(wrong)?;
        std::str::from_utf8(plain).map(str::to_owned).map_err(|_| SecretError::DoesNotOpen)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// Between the type and the sealed bytes of a token.
const MARK: &str = ":k1.";

/// A sealed value where it stands in a text.
struct Token<'t> {
    span: Span,
    entity: EntityType,
    sealed: &'t str,
}

impl<'t> Token<'t> {
    /// The tokens of a text, in order. Linear: what is read after one `<` ends before the next.
    fn all(text: &'t str) -> impl Iterator<Item = Self> {
        text.match_indices('<').filter_map(|(at, _)| Self::at(text, at))
    }

    /// The token that starts at a byte of the text, if one does.
    fn at(text: &'t str, start: usize) -> Option<Self> {
        let inside = text.get(start..)?.strip_prefix('<')?;
        let (entity, rest) =
            split_while(inside, |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let (sealed, after) =
            split_while(rest.strip_prefix(MARK)?, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        after.strip_prefix('>')?;
        let end = start + "<".len() + entity.len() + MARK.len() + sealed.len() + ">".len();
        Some(Self { span: Span::new(start, end)?, entity: entity.parse().ok()?, sealed })
    }
}

fn split_while(text: &str, takes: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !takes(c)).unwrap_or(text.len()))
}

/// What a sealed value is bound to: the form and the type.
fn bound(entity: &EntityType) -> Vec<u8> {
    [b"knik-redact-1 ".as_slice(), entity.as_str().as_bytes()].concat()
}

/// Keyed digest of type and value; the length of the type stands first, so that their border cannot shift.
fn digest(key: &hmac::Key, entity: &EntityType, value: &str) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(&(entity.as_str().len() as u64).to_be_bytes());
    context.update(entity.as_str().as_bytes());
    context.update(value.as_bytes());
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(byte: u8) -> Secrets {
        Secrets::derive(&[byte; 32]).unwrap()
    }

    fn entity(name: &str) -> EntityType {
        name.parse().unwrap()
    }

    /// Computed with Python's `hmac` and `hashlib` from RFC 5869 and the length prefix.
    #[test]
    fn a_hash_is_hmac_sha_256_under_a_derived_key() {
        let expected = "3b3e050bd5bc95ebf10717f26ef251028c3d8c132959dd21d32c366b4ce8cc21";
        assert_eq!(secrets(1).hash(&entity("NL_BSN"), "111222333"), expected);
    }

    #[test]
    fn digests_and_codes_depend_on_key_type_and_value() {
        let (bsn, person) = (entity("NL_BSN"), entity("PERSON"));
        let of =
            |secrets: &Secrets, entity, value| (secrets.hash(entity, value), secrets.code(entity, value));
        let first = of(&secrets(1), &bsn, "111222333");
        assert_eq!(first, of(&secrets(1), &bsn, "111222333"));
        assert_eq!((first.0.len(), first.1.len()), (64, 10));
        for other in [
            of(&secrets(2), &bsn, "111222333"),
            of(&secrets(1), &person, "111222333"),
            of(&secrets(1), &bsn, "111222334"),
        ] {
            assert_ne!(first.0, other.0);
            assert_ne!(first.1, other.1);
        }
    }

    #[test]
    fn a_sealed_value_comes_back_and_nothing_else_does() {
        let (one, other) = (secrets(1), secrets(2));
        let token = one.seal(&entity("PERSON"), "Zoë 👍", [7; 12]).unwrap();
        assert!(token.starts_with("<PERSON:k1.") && token.ends_with('>'), "{token}");
        assert_eq!(one.open(&token).as_deref(), Ok("Zoë 👍"));
        let again = one.seal(&entity("PERSON"), "Zoë 👍", [8; 12]).unwrap();
        assert_ne!(token, again, "another nonce, another token");
        let as_other_type = token.replace("PERSON", "NL_BSN");
        let cut = token.replace(&token[20..24], "");
        for wrong in
            [as_other_type.as_str(), &cut, "<PERSON:k1.>", "<PERSON:k1.AAAA>", "PERSON", "", &token[1..]]
        {
            assert_eq!(one.open(wrong), Err(SecretError::DoesNotOpen), "{wrong}");
        }
        assert_eq!(other.open(&token), Err(SecretError::DoesNotOpen), "another key");
        assert_eq!(one.open(&format!("{token} ")), Err(SecretError::DoesNotOpen), "more than a token");
    }

    #[test]
    fn undo_puts_every_value_back_or_none() {
        let secrets = secrets(1);
        let name = secrets.seal(&entity("PERSON"), "Zoë", [7; 12]).unwrap();
        let bsn = secrets.seal(&entity("NL_BSN"), "111222333", [8; 12]).unwrap();
        let text = format!("a < b <{name}> <PERSON> {bsn}{bsn} <k1.> é");
        assert_eq!(secrets.undo(&text).as_deref(), Ok("a < b <Zoë> <PERSON> 111222333111222333 <k1.> é"));
        assert_eq!(secrets.undo("niets").as_deref(), Ok("niets"));
        let forged = format!("{name} <PERSON:k1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA>");
        assert_eq!(secrets.undo(&forged), Err(SecretError::DoesNotOpen));
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        let secrets = secrets(1);
        for text in
            ["<".repeat(2_000_000), "<PERSON:k1.".repeat(200_000), format!("<A:k1.{}", "a".repeat(2_000_000))]
        {
            assert_eq!(secrets.undo(&text).as_deref(), Ok(text.as_str()));
        }
    }
}
