//! Copies of master keys for safekeeping: a lost key is a lost archive.
//!
//! An escrow is a small JSON file. In it each master key of an organisation is wrapped by a key of its own that comes
//! from a passphrase (Argon2id, RFC 9106) or was split into shares (Shamir, over GF(256)) of which some are enough. A
//! wrong passphrase or share gives a key that opens nothing: it is refused, never used.

use super::{KeyFileError, MasterProvider, drawn};
use crate::model::{OrganisationId, Timestamp};
use crate::seal::{EscrowKey, MasterKey, MasterVersion, Nonce, WrappedKey};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blahaj::{Share, Sharks};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

/// Why an escrow is not made or not opened.
#[derive(Debug, thiserror::Error)]
pub enum EscrowError {
    /// The passphrase is too short to be worth anything.
    #[error(
        "the passphrase has fewer than {PASSPHRASE_MIN} characters; take a longer one, such as six random words"
    )]
    Short,
    /// The numbers of shares make no sense.
    #[error(
        "of {shares} shares {threshold} must be enough: at least 2, at most all, and no more than 255 in all"
    )]
    Sharing {
        /// How many there would be.
        shares: u8,
        /// How many would be enough.
        threshold: u8,
    },
    /// There are no keys to keep.
    #[error("organisation `{organisation}` has no master key")]
    NoKey {
        /// Whose.
        organisation: String,
    },
    /// Not an escrow file, or of a newer program.
    #[error("the file is no escrow that this program knows")]
    Form,
    /// One of the shares is of another escrow, or no share at all.
    #[error("share {place} is not one of this escrow")]
    OtherShare {
        /// Which of those given, from 1.
        place: usize,
    },
    /// Too few.
    #[error("{given} different shares were given and {threshold} are needed")]
    TooFew {
        /// How many.
        given: usize,
        /// How many are needed.
        threshold: u8,
    },
    /// The escrow is opened in another way.
    #[error("this escrow is opened with {0}")]
    OtherWay(&'static str),
    /// It does not open.
    #[error("the escrow does not open: wrong passphrase or share, or the file was changed")]
    Refused,
    /// A key could not be taken out or drawn.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

/// Fewest characters of a passphrase.
const PASSPHRASE_MIN: usize = 15;

/// Second recommended option of RFC 9106: 64 MiB, three passes, four lanes.
const MEMORY_KIB: u32 = 64 << 10;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// Most memory that opening an escrow may ask for: the file is not trusted.
const MEMORY_KIB_MAX: u32 = 1 << 20;

const FORM: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    knik_escrow: u32,
    organisation: OrganisationId,
    id: String,
    made_at: Timestamp,
    opened_with: Way,
    keys: Vec<Kept>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Way {
    #[serde(rename_all = "camelCase")]
    Argon2id { memory_kib: u32, passes: u32, lanes: u32, salt: String },
    #[serde(rename_all = "camelCase")]
    Shares { shares: u8, threshold: u8 },
}

impl Way {
    /// A way for a passphrase, with a salt of its own, and the key that it gives.
    pub(super) fn drawn(passphrase: &str) -> Result<(Self, EscrowKey), EscrowError> {
        if passphrase.chars().count() < PASSPHRASE_MIN {
            return Err(EscrowError::Short);
        }
        let salt = *drawn::<16>(Path::new("escrow"))?;
        let key = derived(passphrase, &salt, MEMORY_KIB, PASSES, LANES)?;
        let salt = STANDARD.encode(salt);
        Ok((Self::Argon2id { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt }, key))
    }

    /// The key that a passphrase gives in this way.
    pub(super) fn derive(&self, passphrase: &str) -> Result<EscrowKey, EscrowError> {
        let Self::Argon2id { memory_kib, passes, lanes, salt } = self else { return Err(self.other()) };
        let salt = STANDARD.decode(salt).map_err(|_| EscrowError::Form)?;
        derived(passphrase, &salt, *memory_kib, *passes, *lanes)
    }

    /// That it is not opened with what was given, but in its own way.
    const fn other(&self) -> EscrowError {
        EscrowError::OtherWay(match self {
            Self::Argon2id { .. } => "a passphrase",
            Self::Shares { .. } => "shares",
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    version: u32,
    wrapped: String,
}

/// What opens an escrow.
pub enum Secret<'a> {
    /// A passphrase.
    Passphrase(&'a str),
    /// Shares, a line each.
    Shares(&'a [Zeroizing<String>]),
}

/// The master keys of an organisation, as an escrow gave them back.
pub struct Recovered {
    /// Whose.
    pub organisation: OrganisationId,
    /// Its keys.
    pub keys: Vec<(MasterVersion, MasterKey)>,
}

/// An escrow of an organisation's master keys under a passphrase.
///
/// # Errors
/// [`EscrowError::Short`], [`EscrowError::NoKey`], or when the keys cannot be taken out.
pub fn under_passphrase(
    provider: &dyn MasterProvider,
    organisation: &OrganisationId,
    passphrase: &str,
    now: Timestamp,
) -> Result<String, EscrowError> {
    let (way, key) = Way::drawn(passphrase)?;
    Ok(file(provider, organisation, way, &key, now)?.0)
}

/// An escrow of an organisation's master keys, and the shares of which `threshold` open it.
///
/// # Errors
/// [`EscrowError::Sharing`], [`EscrowError::NoKey`], or when the keys cannot be taken out.
pub fn under_shares(
    provider: &dyn MasterProvider,
    organisation: &OrganisationId,
    shares: u8,
    threshold: u8,
    now: Timestamp,
) -> Result<(String, Vec<Zeroizing<String>>), EscrowError> {
    if threshold < 2 || threshold > shares {
        return Err(EscrowError::Sharing { shares, threshold });
    }
    let secret = drawn::<32>(Path::new("escrow"))?;
    let key = EscrowKey::from_bytes(&secret);
    let (text, id) = file(provider, organisation, Way::Shares { shares, threshold }, &key, now)?;
    let line = |share: Share| {
        let bytes = Zeroizing::new(Vec::from(&share));
        Zeroizing::new(format!("knik-share-1 {organisation} {id} {}\n", STANDARD.encode(&*bytes)))
    };
    Ok((text, Sharks(threshold).dealer(secret.as_ref()).take(usize::from(shares)).map(line).collect()))
}

/// Opens an escrow.
///
/// # Errors
/// [`EscrowError::Refused`] for a wrong passphrase or share; [`EscrowError::Form`], [`EscrowError::TooFew`],
/// [`EscrowError::OtherShare`], [`EscrowError::OtherWay`].
pub fn open(text: &str, secret: &Secret<'_>) -> Result<Recovered, EscrowError> {
    let file: File = serde_json::from_str(text).map_err(|_| EscrowError::Form)?;
    if file.knik_escrow != FORM {
        return Err(EscrowError::Form);
    }
    let key = match (&file.opened_with, secret) {
        (way @ Way::Argon2id { .. }, Secret::Passphrase(passphrase)) => way.derive(passphrase)?,
        (Way::Shares { threshold, .. }, Secret::Shares(lines)) => joined(&file, *threshold, lines)?,
        (way, _) => return Err(way.other()),
    };
    let open = |kept: &Kept| {
        let wrapped = STANDARD.decode(&kept.wrapped).map_err(|_| EscrowError::Form)?;
        let wrapped = WrappedKey::from_bytes(&wrapped).map_err(|_| EscrowError::Form)?;
        let version = MasterVersion::new(kept.version);
        let opened = key.unwrap(&file.organisation, version, &wrapped).map_err(|_| EscrowError::Refused)?;
        Ok((version, opened))
    };
    let keys = file.keys.iter().map(open).collect::<Result<_, EscrowError>>()?;
    Ok(Recovered { organisation: file.organisation.clone(), keys })
}

/// The text of an escrow file, and its id.
fn file(
    provider: &dyn MasterProvider,
    organisation: &OrganisationId,
    opened_with: Way,
    key: &EscrowKey,
    made_at: Timestamp,
) -> Result<(String, String), EscrowError> {
    let mut keys = Vec::new();
    let masters = provider.masters().map_err(KeyFileError::from)?;
    for (_, version) in masters.into_iter().filter(|(whose, _)| whose == organisation) {
        let master = MasterKey::from_bytes(&*provider.export(organisation, version)?);
        let nonce = Nonce::from_bytes(*drawn::<12>(Path::new("escrow"))?);
        let wrapped = key.wrap(organisation, version, &master, nonce).map_err(KeyFileError::from)?;
        keys.push(Kept { version: version.number(), wrapped: STANDARD.encode(wrapped.as_bytes()) });
    }
    if keys.is_empty() {
        return Err(EscrowError::NoKey { organisation: organisation.to_string() });
    }
    let id = hex::encode(*drawn::<8>(Path::new("escrow"))?);
    let organisation = organisation.clone();
    let file = File { knik_escrow: FORM, organisation, id: id.clone(), made_at, opened_with, keys };
    let text = serde_json::to_string_pretty(&file).map_err(|_| EscrowError::Form)?;
    Ok((text + "\n", id))
}

fn derived(
    passphrase: &str,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
) -> Result<EscrowKey, EscrowError> {
    if memory_kib > MEMORY_KIB_MAX || passes > 64 || lanes > 64 {
        return Err(EscrowError::Form);
    }
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| EscrowError::Form)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut())
        .map_err(|_| EscrowError::Form)?;
    Ok(EscrowKey::from_bytes(&key))
}

fn joined(file: &File, threshold: u8, lines: &[Zeroizing<String>]) -> Result<EscrowKey, EscrowError> {
    let mut shares: Vec<Share> = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let other = || EscrowError::OtherShare { place: n + 1 };
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let ["knik-share-1", organisation, id, encoded] = words.as_slice() else { return Err(other()) };
        if *organisation != file.organisation.as_str() || *id != file.id {
            return Err(other());
        }
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| other())?);
        let share = Share::try_from(bytes.as_slice()).map_err(|_| other())?;
        // Twice the same share is one.
        let place = bytes.first().copied().unwrap_or_default();
        if place == 0 || bytes.len() != 33 {
            return Err(other());
        }
        if !shares.iter().any(|known| known.x.0 == place) {
            shares.push(share);
        }
    }
    if shares.len() < usize::from(threshold) {
        return Err(EscrowError::TooFew { given: shares.len(), threshold });
    }
    let secret = Zeroizing::new(Sharks(threshold).recover(&shares).map_err(|_| EscrowError::Refused)?);
    let secret: &[u8; 32] = secret.as_slice().try_into().map_err(|_| EscrowError::Refused)?;
    Ok(EscrowKey::from_bytes(secret))
}

#[cfg(test)]
mod tests {
    use super::super::{FileMasters, KeyFolder};
    use super::*;

    fn masters() -> (tempfile::TempDir, KeyFolder, FileMasters, OrganisationId) {
        let temp = tempfile::tempdir().unwrap();
        let folder = KeyFolder::open(&temp.path().join("keys")).unwrap();
        let organisation: OrganisationId = "min-low".parse().unwrap();
        folder.create_master(&organisation).unwrap();
        let masters = FileMasters::open(&folder).unwrap();
        masters.create(&organisation, MasterVersion::new(2)).unwrap();
        (temp, folder, masters, organisation)
    }

    fn now() -> Timestamp {
        "2026-05-04T09:30:00Z".parse().unwrap()
    }

    const PASSPHRASE: &str = "zes woorden voor in de kluis";

    fn refused(text: &str, secret: &Secret<'_>) -> EscrowError {
        open(text, secret).err().unwrap()
    }

    #[test]
    fn a_passphrase_gives_every_version_back_and_another_nothing() {
        let (_temp, folder, masters, organisation) = masters();
        let text = under_passphrase(&masters, &organisation, PASSPHRASE, now()).unwrap();
        let recovered = open(&text, &Secret::Passphrase(PASSPHRASE)).unwrap();
        assert_eq!(recovered.organisation, organisation);
        for (n, (version, key)) in recovered.keys.iter().enumerate() {
            assert_eq!(version.number() as usize, n + 1);
            assert_eq!(*key.expose(), *masters.export(&organisation, *version).unwrap());
            assert!(!folder.restore_master(&organisation, *version, key).unwrap(), "it is there");
        }
        assert_eq!(recovered.keys.len(), 2);
        let wrong = refused(&text, &Secret::Passphrase("zes woorden voor in de kast"));
        assert!(matches!(wrong, EscrowError::Refused), "{wrong}");
        let moved = text.replace("min-low", "min-lowe");
        assert!(matches!(refused(&moved, &Secret::Passphrase(PASSPHRASE)), EscrowError::Refused));
        let version = text.replace("\"version\": 2", "\"version\": 3");
        assert!(matches!(refused(&version, &Secret::Passphrase(PASSPHRASE)), EscrowError::Refused));
        let hungry = text.replace("65536", "4294967295");
        assert!(matches!(refused(&hungry, &Secret::Passphrase(PASSPHRASE)), EscrowError::Form));
        let short = under_passphrase(&masters, &organisation, "kort", now());
        assert!(matches!(short, Err(EscrowError::Short)));
        let nobody = under_passphrase(&masters, &"rws".parse().unwrap(), PASSPHRASE, now());
        assert!(matches!(nobody, Err(EscrowError::NoKey { .. })));
    }

    #[test]
    fn a_lost_key_comes_back_and_another_is_never_overwritten() {
        let (_temp, folder, masters, organisation) = masters();
        let text = under_passphrase(&masters, &organisation, PASSPHRASE, now()).unwrap();
        let recovered = open(&text, &Secret::Passphrase(PASSPHRASE)).unwrap();
        std::fs::remove_file(folder.path("master", "min-low.2")).unwrap();
        for (version, key) in &recovered.keys {
            let fresh = folder.restore_master(&organisation, *version, key).unwrap();
            assert_eq!(fresh, version.number() == 2);
        }
        let again = FileMasters::open(&folder).unwrap();
        let version = MasterVersion::new(2);
        let same = masters.export(&organisation, version).unwrap();
        assert_eq!(*again.export(&organisation, version).unwrap(), *same);
        let other = MasterKey::from_bytes(&[7; 32]);
        assert!(matches!(
            folder.restore_master(&organisation, version, &other),
            Err(KeyFileError::Exists { .. })
        ));
    }

    #[test]
    fn enough_shares_open_and_fewer_or_others_do_not() {
        let (_temp, _folder, masters, organisation) = masters();
        let (text, shares) = under_shares(&masters, &organisation, 5, 3, now()).unwrap();
        let chosen = |places: &[usize]| places.iter().map(|n| shares[*n].clone()).collect::<Vec<_>>();
        for places in [[0, 1, 2], [4, 2, 0], [1, 3, 4]] {
            assert_eq!(open(&text, &Secret::Shares(&chosen(&places))).unwrap().keys.len(), 2, "{places:?}");
        }
        assert!(open(&text, &Secret::Shares(&shares)).is_ok());
        for places in [&[][..], &[0], &[0, 1], &[0, 0, 0]] {
            let few = refused(&text, &Secret::Shares(&chosen(places)));
            assert!(matches!(few, EscrowError::TooFew { threshold: 3, .. }), "{places:?}: {few}");
        }
        let (_, others) = under_shares(&masters, &organisation, 5, 3, now()).unwrap();
        let mixed = [shares[0].clone(), shares[1].clone(), others[2].clone()];
        assert!(matches!(refused(&text, &Secret::Shares(&mixed)), EscrowError::OtherShare { place: 3 }));
        // A share of another escrow that says it is of this one opens nothing.
        let id = shares[0].split(' ').nth(2).unwrap();
        let forged = others[2].replace(others[2].split(' ').nth(2).unwrap(), id);
        let mixed = [shares[0].clone(), shares[1].clone(), Zeroizing::new(forged)];
        assert!(matches!(refused(&text, &Secret::Shares(&mixed)), EscrowError::Refused));
        let way = refused(&text, &Secret::Passphrase(PASSPHRASE));
        assert!(matches!(way, EscrowError::OtherWay("shares")));
        for (shares, threshold) in [(5, 1), (2, 3), (0, 0)] {
            let bad = under_shares(&masters, &organisation, shares, threshold, now());
            assert!(matches!(bad, Err(EscrowError::Sharing { .. })));
        }
    }
}
