//! Where master keys are: one trait, for key files and for a hardware module.

use super::{KeyFileError, KeyFolder, MASTER, destroy_file, master_name};
use crate::model::{OrganisationId, SegmentId, Timestamp};
use crate::seal::{EpochKey, EpochOf, KeyError, MasterKey, MasterVersion, Nonce, SegmentKey, WrappedKey};
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::UNIX_EPOCH;
use zeroize::Zeroizing;

/// Master keys behind one face. They wrap epoch keys and nothing else.
pub trait MasterProvider: Send + Sync {
    /// The word for it in the configuration.
    fn name(&self) -> &'static str;

    /// The master keys there are: whose, and which version; sorted.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`].
    fn masters(&self) -> Result<Vec<(OrganisationId, MasterVersion)>, KeyError>;

    /// Wraps an epoch key. A provider that draws nonces itself may ignore `nonce`.
    ///
    /// # Errors
    /// [`KeyError::NoMaster`], [`KeyError::Unavailable`], [`KeyError::Refused`].
    fn wrap(&self, of: &EpochOf<'_>, key: &EpochKey, nonce: Nonce) -> Result<WrappedKey, KeyError>;

    /// Unwraps an epoch key; only of this organisation, epoch and master key.
    ///
    /// # Errors
    /// Any [`KeyError`].
    fn unwrap(&self, of: &EpochOf<'_>, wrapped: &WrappedKey) -> Result<EpochKey, KeyError>;

    /// Unwraps a segment key of an archive that was made before there were epochs.
    ///
    /// # Errors
    /// Any [`KeyError`]; [`KeyError::Form`] where there are no such archives.
    fn unwrap_without_epoch(
        &self,
        _organisation: &OrganisationId,
        _segment: SegmentId,
        _wrapped: &WrappedKey,
    ) -> Result<SegmentKey, KeyError> {
        Err(KeyError::Form)
    }

    /// Makes a master key. `false` when there is one of that version already, which stays.
    ///
    /// # Errors
    /// When it cannot be made.
    fn create(&self, organisation: &OrganisationId, version: MasterVersion) -> Result<bool, KeyFileError>;

    /// Destroys a master key. One that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be destroyed.
    fn destroy(&self, organisation: &OrganisationId, version: MasterVersion) -> Result<(), KeyFileError>;

    /// The key itself, for escrow.
    ///
    /// # Errors
    /// [`KeyFileError::NotExtractable`] from a hardware module.
    fn export(
        &self,
        organisation: &OrganisationId,
        version: MasterVersion,
    ) -> Result<Zeroizing<[u8; 32]>, KeyFileError>;

    /// When it was made, where that is known.
    fn made_at(&self, organisation: &OrganisationId, version: MasterVersion) -> Option<Timestamp>;
}

/// Master keys from files, held in memory while the vault runs.
pub struct FileMasters {
    folder: KeyFolder,
    masters: RwLock<BTreeMap<(OrganisationId, MasterVersion), Arc<MasterKey>>>,
}

impl FileMasters {
    /// Reads the master keys of a folder.
    ///
    /// # Errors
    /// When any of the files is not safe to use.
    pub fn open(folder: &KeyFolder) -> Result<Self, KeyFileError> {
        let masters = Self { folder: folder.clone(), masters: RwLock::default() };
        for (organisation, version) in folder.masters()? {
            masters.load(organisation, version)?;
        }
        Ok(masters)
    }

    fn load(&self, organisation: OrganisationId, version: MasterVersion) -> Result<(), KeyFileError> {
        let key = self.folder.read(MASTER, &master_name(&organisation, version))?;
        let mut masters = self.masters.write().unwrap_or_else(PoisonError::into_inner);
        masters.insert((organisation, version), Arc::new(MasterKey::from_bytes(&key)));
        Ok(())
    }

    fn master(
        &self,
        organisation: &OrganisationId,
        version: MasterVersion,
    ) -> Result<Arc<MasterKey>, KeyError> {
        let masters = self.masters.read().unwrap_or_else(PoisonError::into_inner);
        let found = masters.get(&(organisation.clone(), version)).cloned();
        found.ok_or_else(|| KeyError::NoMaster { organisation: organisation.clone() })
    }
}

impl MasterProvider for FileMasters {
    fn name(&self) -> &'static str {
        "file"
    }

    fn masters(&self) -> Result<Vec<(OrganisationId, MasterVersion)>, KeyError> {
        let masters = self.masters.read().unwrap_or_else(PoisonError::into_inner);
        Ok(masters.keys().cloned().collect())
    }

    fn wrap(&self, of: &EpochOf<'_>, key: &EpochKey, nonce: Nonce) -> Result<WrappedKey, KeyError> {
        self.master(of.organisation, of.master)?.wrap_epoch(of, key, nonce)
    }

    fn unwrap(&self, of: &EpochOf<'_>, wrapped: &WrappedKey) -> Result<EpochKey, KeyError> {
        self.master(of.organisation, of.master)?.unwrap_epoch(of, wrapped)
    }

    fn unwrap_without_epoch(
        &self,
        organisation: &OrganisationId,
        segment: SegmentId,
        wrapped: &WrappedKey,
    ) -> Result<SegmentKey, KeyError> {
        // There was one master key then.
        self.master(organisation, MasterVersion::new(1))?.unwrap_without_epoch(organisation, segment, wrapped)
    }

    fn create(&self, organisation: &OrganisationId, version: MasterVersion) -> Result<bool, KeyFileError> {
        let fresh = self.folder.create(MASTER, &master_name(organisation, version))?;
        if self.master(organisation, version).is_err() {
            self.load(organisation.clone(), version)?;
        }
        Ok(fresh)
    }

    fn destroy(&self, organisation: &OrganisationId, version: MasterVersion) -> Result<(), KeyFileError> {
        destroy_file(&self.folder.path(MASTER, &master_name(organisation, version)))?;
        let mut masters = self.masters.write().unwrap_or_else(PoisonError::into_inner);
        masters.remove(&(organisation.clone(), version));
        Ok(())
    }

    fn export(
        &self,
        organisation: &OrganisationId,
        version: MasterVersion,
    ) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        Ok(Zeroizing::new(*self.master(organisation, version)?.expose()))
    }

    fn made_at(&self, organisation: &OrganisationId, version: MasterVersion) -> Option<Timestamp> {
        modified(&self.folder.path(MASTER, &master_name(organisation, version)))
    }
}

/// When a file was written.
pub(super) fn modified(path: &std::path::Path) -> Option<Timestamp> {
    let written = fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_micros(i64::try_from(written.as_micros()).ok()?)
}
