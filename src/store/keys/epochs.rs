//! Epoch keys: what makes a destroyed key useless in every old copy of the database.
//!
//! An organisation has one epoch key in force. It wraps the organisation's segment keys, and stands in a file of its
//! own, wrapped by the master key: `knik-epoch-1 ORGANISATION NUMBER MASTER BASE64`. After a destruction the next epoch
//! begins: every segment key that is still needed is wrapped anew, and the file of the old epoch is overwritten and
//! removed. What older copies of the database hold (backups, write-ahead logs, free pages) is wrapped under a key that
//! is in no database and no longer in a file. The highest number is in force; two files mean that a turn is under way.

use super::provider::{MasterProvider, modified};
use super::{KeyFileError, KeyFolder, UNFINISHED, destroy_file, drawn, read_private, write_whole};
use crate::model::{OrganisationId, SegmentId, Timestamp};
use crate::seal::{
    Epoch, EpochKey, EpochOf, KeyError, MasterKeyring, MasterVersion, Nonce, SegmentKey, WrappedKey,
    WrappedSegmentKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Epoch keys of every organisation, over the master keys of a provider.
pub struct EpochKeyring {
    folder: KeyFolder,
    provider: Arc<dyn MasterProvider>,
    epochs: RwLock<BTreeMap<OrganisationId, BTreeMap<Epoch, WrappedEpoch>>>,
    beginning: Mutex<()>,
}

#[derive(Clone)]
struct WrappedEpoch {
    master: MasterVersion,
    wrapped: WrappedKey,
}

/// An epoch key as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochState {
    /// Its number.
    pub epoch: Epoch,
    /// Which master key wraps it.
    pub master: MasterVersion,
    /// When it began, where that is known.
    pub since: Option<Timestamp>,
}

impl EpochKeyring {
    /// The epoch keys of a folder. An organisation with a master key and no epoch begins its first.
    ///
    /// # Errors
    /// When a file is not safe to use, or the provider cannot be reached.
    pub fn open(folder: &KeyFolder, provider: Arc<dyn MasterProvider>) -> Result<Self, KeyFileError> {
        let keyring =
            Self { folder: folder.clone(), provider, epochs: RwLock::default(), beginning: Mutex::default() };
        for name in folder.names()?.iter().filter(|name| name.starts_with("epoch-")) {
            let path = folder.folder.join(name);
            if name.ends_with(UNFINISHED) {
                destroy_file(&path)?;
            } else {
                keyring.load(&path)?;
            }
        }
        for (organisation, _) in keyring.provider.masters()? {
            keyring.adopt(&organisation)?;
        }
        Ok(keyring)
    }

    /// Where master keys are.
    #[must_use]
    pub fn provider(&self) -> &dyn MasterProvider {
        &*self.provider
    }

    /// Begins the first epoch of an organisation that has none.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn adopt(&self, organisation: &OrganisationId) -> Result<(), KeyFileError> {
        if self.epochs(organisation).is_empty() { self.begin(organisation).map(drop) } else { Ok(()) }
    }

    /// The organisations with an epoch.
    #[must_use]
    pub fn organisations(&self) -> Vec<OrganisationId> {
        self.read(|epochs| epochs.keys().cloned().collect())
    }

    /// The epochs of an organisation that are not destroyed, oldest first: the last is in force.
    #[must_use]
    pub fn epochs(&self, organisation: &OrganisationId) -> Vec<EpochState> {
        let states = |of: &BTreeMap<Epoch, WrappedEpoch>| {
            let state = |(epoch, wrapped): (&Epoch, &WrappedEpoch)| EpochState {
                epoch: *epoch,
                master: wrapped.master,
                since: modified(&self.path(organisation, *epoch)),
            };
            of.iter().map(state).collect()
        };
        self.read(|epochs| epochs.get(organisation).map(states).unwrap_or_default())
    }

    /// The epoch in force.
    ///
    /// # Errors
    /// [`KeyError::NoMaster`].
    pub fn in_force(&self, organisation: &OrganisationId) -> Result<Epoch, KeyError> {
        Ok(self.last(organisation)?.0)
    }

    /// Begins the next epoch under the newest master key. The one before stays until it is destroyed.
    ///
    /// # Errors
    /// When there is no master key, the provider cannot be reached or the file cannot be written: all is then as it was.
    pub fn begin(&self, organisation: &OrganisationId) -> Result<Epoch, KeyFileError> {
        let _one_at_a_time = self.beginning.lock().unwrap_or_else(PoisonError::into_inner);
        let masters = self.provider.masters()?;
        let newest =
            masters.iter().filter(|(whose, _)| whose == organisation).map(|(_, version)| *version).max();
        let master = newest.ok_or_else(|| KeyError::NoMaster { organisation: organisation.clone() })?;
        let last = self.read(|epochs| epochs.values().flat_map(BTreeMap::keys).max().copied());
        let epoch = last.unwrap_or(Epoch::new(0)).next();
        let path = self.path(organisation, epoch);
        let (key, nonce) =
            (EpochKey::from_bytes(&*drawn::<32>(&path)?), Nonce::from_bytes(*drawn::<12>(&path)?));
        let wrapped = self.provider.wrap(&EpochOf { organisation, master, epoch }, &key, nonce)?;
        let encoded = STANDARD.encode(wrapped.as_bytes());
        write_whole(&path, format!("knik-epoch-1 {organisation} {epoch} {master} {encoded}\n").as_bytes())?;
        self.keep(organisation.clone(), epoch, WrappedEpoch { master, wrapped });
        Ok(epoch)
    }

    /// Destroys an epoch key: what it alone wrapped does not open any more, here or in any copy.
    ///
    /// # Errors
    /// [`KeyFileError::InUse`] for the one in force, or when the file cannot be destroyed.
    pub fn destroy(&self, organisation: &OrganisationId, epoch: Epoch) -> Result<(), KeyFileError> {
        if self.in_force(organisation)? <= epoch {
            return Err(KeyFileError::InUse { what: format!("epoch key {epoch} of `{organisation}`") });
        }
        destroy_file(&self.path(organisation, epoch))?;
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = epochs.get_mut(organisation) {
            of.remove(&epoch);
        }
        Ok(())
    }

    /// What wraps segment keys anew, with every epoch key of an organisation unwrapped once.
    ///
    /// # Errors
    /// Any [`KeyError`].
    pub fn rewrapper(&self, organisation: &OrganisationId) -> Result<Rewrapper, KeyError> {
        let of = self.read(|epochs| epochs.get(organisation).cloned().unwrap_or_default());
        let unwrap = |(epoch, known): (Epoch, WrappedEpoch)| {
            let of = EpochOf { organisation, master: known.master, epoch };
            Ok((epoch, self.provider.unwrap(&of, &known.wrapped)?))
        };
        let keys: BTreeMap<Epoch, EpochKey> = of.into_iter().map(unwrap).collect::<Result<_, KeyError>>()?;
        Ok(Rewrapper { organisation: organisation.clone(), provider: Arc::clone(&self.provider), keys })
    }

    fn last(&self, organisation: &OrganisationId) -> Result<(Epoch, WrappedEpoch), KeyError> {
        let last = |of: &BTreeMap<Epoch, WrappedEpoch>| of.last_key_value().map(|(n, w)| (*n, w.clone()));
        let found = self.read(|epochs| epochs.get(organisation).and_then(last));
        found.ok_or_else(|| KeyError::NoMaster { organisation: organisation.clone() })
    }

    fn key(&self, organisation: &OrganisationId, epoch: Epoch) -> Result<EpochKey, KeyError> {
        let found = self.read(|epochs| epochs.get(organisation).and_then(|of| of.get(&epoch)).cloned());
        let found = found.ok_or_else(|| KeyError::NoEpoch { organisation: organisation.clone(), epoch })?;
        self.provider.unwrap(&EpochOf { organisation, master: found.master, epoch }, &found.wrapped)
    }

    fn load(&self, path: &std::path::Path) -> Result<(), KeyFileError> {
        let text = read_private(path)?;
        let wrong = || KeyFileError::Content {
            path: path.display().to_string(),
            kind: "epoch",
            name: path.file_stem().unwrap_or_default().display().to_string(),
        };
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let ["knik-epoch-1", organisation, epoch, master, encoded] = words.as_slice() else {
            return Err(wrong());
        };
        let organisation: OrganisationId = organisation.parse().map_err(|_| wrong())?;
        let number = |word: &str| word.parse::<u32>().map_err(|_| wrong());
        let (epoch, master) = (Epoch::new(number(epoch)?), MasterVersion::new(number(master)?));
        let wrapped = STANDARD.decode(encoded).map_err(|_| wrong())?;
        let wrapped = WrappedKey::from_bytes(&wrapped).map_err(|_| wrong())?;
        if self.path(&organisation, epoch) != path {
            return Err(wrong());
        }
        self.keep(organisation, epoch, WrappedEpoch { master, wrapped });
        Ok(())
    }

    fn keep(&self, organisation: OrganisationId, epoch: Epoch, wrapped: WrappedEpoch) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        epochs.entry(organisation).or_default().insert(epoch, wrapped);
    }

    fn read<T>(&self, look: impl FnOnce(&BTreeMap<OrganisationId, BTreeMap<Epoch, WrappedEpoch>>) -> T) -> T {
        look(&self.epochs.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn path(&self, organisation: &OrganisationId, epoch: Epoch) -> PathBuf {
        self.folder.path("epoch", &format!("{organisation}.{epoch}"))
    }
}

impl MasterKeyring for EpochKeyring {
    fn wrap_segment_key(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        key: &SegmentKey,
        nonce: Nonce,
    ) -> Result<WrappedSegmentKey, KeyError> {
        let epoch = self.in_force(organisation)?;
        self.key(organisation, epoch)?.wrap(organisation, epoch, segment, key, nonce)
    }

    fn unwrap_segment_key(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        wrapped: &WrappedSegmentKey,
    ) -> Result<SegmentKey, KeyError> {
        match (wrapped.epoch(), wrapped.without_epoch()) {
            (Some(epoch), _) => self.key(organisation, epoch)?.unwrap(organisation, segment, wrapped),
            (None, Some(old)) => self.provider.unwrap_without_epoch(organisation, segment, &old),
            (None, None) => Err(KeyError::Form),
        }
    }
}

/// Wraps segment keys of an organisation under the epoch in force. Its keys are wiped when it is dropped.
pub struct Rewrapper {
    organisation: OrganisationId,
    provider: Arc<dyn MasterProvider>,
    keys: BTreeMap<Epoch, EpochKey>,
}

impl Rewrapper {
    /// Whether this epoch is one of the organisation's.
    #[must_use]
    pub fn knows(&self, epoch: Epoch) -> bool {
        self.keys.contains_key(&epoch)
    }

    /// The same segment key under the epoch in force.
    ///
    /// # Errors
    /// Any [`KeyError`].
    pub fn rewrap(
        &self,
        segment: SegmentId,
        wrapped: &WrappedSegmentKey,
        nonce: Nonce,
    ) -> Result<WrappedSegmentKey, KeyError> {
        let organisation = &self.organisation;
        let key = match (wrapped.epoch(), wrapped.without_epoch()) {
            (Some(epoch), _) => {
                let under = self.keys.get(&epoch);
                let under =
                    under.ok_or_else(|| KeyError::NoEpoch { organisation: organisation.clone(), epoch })?;
                under.unwrap(organisation, segment, wrapped)?
            }
            (None, Some(old)) => self.provider.unwrap_without_epoch(organisation, segment, &old)?,
            (None, None) => return Err(KeyError::Form),
        };
        let none = || KeyError::NoMaster { organisation: organisation.clone() };
        let (epoch, above) = self.keys.last_key_value().ok_or_else(none)?;
        above.wrap(organisation, *epoch, segment, &key, nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use uuid::Uuid;

    fn segment() -> SegmentId {
        SegmentId::from_uuid(Uuid::from_u128(9))
    }

    fn keyring(organisations: &[&str]) -> (tempfile::TempDir, KeyFolder, EpochKeyring) {
        let temp = tempfile::tempdir().unwrap();
        let folder = KeyFolder::open(&temp.path().join("keys")).unwrap();
        for organisation in organisations {
            folder.create_master(&organisation.parse().unwrap()).unwrap();
        }
        let keyring = folder.keyring().unwrap();
        (temp, folder, keyring)
    }

    fn wrapped(keyring: &EpochKeyring, organisation: &OrganisationId) -> WrappedSegmentKey {
        let key = SegmentKey::from_bytes(&[5; 32]);
        keyring.wrap_segment_key(organisation, segment(), &key, Nonce::from_bytes([1; 12])).unwrap()
    }

    #[test]
    fn an_epoch_that_is_destroyed_takes_what_it_wrapped_with_it() {
        let (_temp, folder, keyring) = keyring(&["min-low", "rws"]);
        let (low, rws) = ("min-low".parse().unwrap(), "rws".parse().unwrap());
        assert_ne!(keyring.in_force(&low).unwrap(), keyring.in_force(&rws).unwrap(), "no number twice");
        let old = wrapped(&keyring, &low);
        let before = keyring.in_force(&low).unwrap();
        assert!(keyring.destroy(&low, before).is_err(), "the one in force stays");
        let after = keyring.begin(&low).unwrap();
        let again =
            keyring.rewrapper(&low).unwrap().rewrap(segment(), &old, Nonce::from_bytes([2; 12])).unwrap();
        assert_eq!((old.epoch(), again.epoch()), (Some(before), Some(after)));
        keyring.destroy(&low, before).unwrap();
        for keyring in [&keyring, &folder.keyring().unwrap()] {
            assert!(keyring.unwrap_segment_key(&low, segment(), &again).is_ok());
            let gone = KeyError::NoEpoch { organisation: low.clone(), epoch: before };
            assert_eq!(keyring.unwrap_segment_key(&low, segment(), &old).unwrap_err(), gone);
        }
    }

    #[test]
    fn a_turn_that_broke_off_leaves_both_epochs() {
        let (_temp, folder, keyring) = keyring(&["min-low"]);
        let low: OrganisationId = "min-low".parse().unwrap();
        let old = wrapped(&keyring, &low);
        keyring.begin(&low).unwrap();
        fs::write(folder.path("epoch", "min-low.9").with_extension("key.new"), "half").unwrap();
        let opened = folder.keyring().unwrap();
        assert_eq!(opened.epochs(&low).len(), 2);
        assert!(opened.unwrap_segment_key(&low, segment(), &old).is_ok());
        assert!(!folder.names().unwrap().iter().any(|name| name.ends_with(".new")), "what was half is gone");
    }

    #[test]
    fn an_epoch_file_of_another_name_or_form_is_refused() {
        let (_temp, folder, keyring) = keyring(&["min-low"]);
        let low: OrganisationId = "min-low".parse().unwrap();
        let path = keyring.path(&low, keyring.in_force(&low).unwrap());
        let other = folder.path("epoch", "min-low.8");
        fs::rename(&path, &other).unwrap();
        assert!(matches!(folder.keyring(), Err(KeyFileError::Content { .. })));
        fs::rename(&other, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap().replace("min-low 1 1", "min-low 1 2");
        fs::write(&path, text).unwrap();
        let moved = folder.keyring().unwrap();
        let key = SegmentKey::from_bytes(&[5; 32]);
        assert!(moved.wrap_segment_key(&low, segment(), &key, Nonce::from_bytes([1; 12])).is_err());
    }
}
