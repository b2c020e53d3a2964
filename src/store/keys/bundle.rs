//! What of a data folder is secret or small, sealed under a passphrase, for a backup: key files, certificates,
//! configuration, rules.
//!
//! What a hardware module keeps is not in it. A bundle opens only with the description of the backup that it was made
//! for, so that one that was changed is noticed.

use super::escrow::{EscrowError, Way};
use super::{KeyFileError, KeyFolder, drawn, read_private, write_whole};
use crate::seal::Nonce;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

const FORM: u32 = 1;

/// The folder of key files within a data folder.
const KEYS: &str = "keys";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    knik_bundle: u32,
    opened_with: Way,
    sealed: String,
}

/// Files by their path within a data folder. Wiped when dropped.
#[derive(Default, Serialize, Deserialize)]
pub struct PrivateFiles(BTreeMap<String, String>);

impl Drop for PrivateFiles {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

impl PrivateFiles {
    /// The key files of a folder, as they stand now: whole ones only.
    ///
    /// # Errors
    /// When one is not safe to use.
    pub fn of_keys(folder: &KeyFolder) -> Result<Self, KeyFileError> {
        let mut files = Self::default();
        for name in folder.names()?.into_iter().filter(|name| name.ends_with(".key")) {
            let text = read_private(&folder.folder.join(&name))?;
            files.add(&format!("{KEYS}/{name}"), text.as_bytes());
        }
        Ok(files)
    }

    /// Adds a file; one whose path leads out of the data folder is left out, and `false` is the answer.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> bool {
        let within = is_within(path);
        if within {
            self.0.insert(path.to_owned(), STANDARD.encode(bytes));
        }
        within
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Seals them under a passphrase, for the backup whose description has this SHA-256.
    ///
    /// # Errors
    /// [`EscrowError::Short`], or when random bytes cannot be drawn.
    pub fn seal(&self, passphrase: &str, manifest: &[u8; 32]) -> Result<String, EscrowError> {
        let (opened_with, key) = Way::drawn(passphrase)?;
        let plain = Zeroizing::new(serde_json::to_vec(self).map_err(|_| EscrowError::Form)?);
        let nonce = Nonce::from_bytes(*drawn::<12>(Path::new("bundle"))?);
        let sealed = key.seal_files(manifest, &plain, nonce).map_err(KeyFileError::from)?;
        let file = File { knik_bundle: FORM, opened_with, sealed: STANDARD.encode(sealed) };
        Ok(serde_json::to_string_pretty(&file).map_err(|_| EscrowError::Form)? + "\n")
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// [`EscrowError::Refused`] for a wrong passphrase or another description; [`EscrowError::Form`].
    pub fn open(text: &str, passphrase: &str, manifest: &[u8; 32]) -> Result<Self, EscrowError> {
        let file: File = serde_json::from_str(text).map_err(|_| EscrowError::Form)?;
        if file.knik_bundle != FORM {
            return Err(EscrowError::Form);
        }
        let key = file.opened_with.derive(passphrase)?;
        let sealed = STANDARD.decode(&file.sealed).map_err(|_| EscrowError::Form)?;
        let plain = key.open_files(manifest, &sealed).map_err(|_| EscrowError::Refused)?;
        let files: Self = serde_json::from_slice(&plain).map_err(|_| EscrowError::Form)?;
        if files.0.keys().all(|path| is_within(path)) { Ok(files) } else { Err(EscrowError::Form) }
    }

    /// Writes them in a data folder that holds none of them yet, each for its owner alone.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], or when the folder cannot be written.
    pub fn write(&self, data: &Path) -> Result<(), KeyFileError> {
        for (name, encoded) in &self.0 {
            let path = data.join(name);
            let io = |doing| {
                let path = path.display().to_string();
                move |source| KeyFileError::Io { path, doing, source }
            };
            let bytes = STANDARD.decode(encoded).map_err(std::io::Error::other).map_err(io("reading it"))?;
            let bytes = Zeroizing::new(bytes);
            if let Some(folder) = path.parent() {
                DirBuilder::new()
                    .mode(0o700)
                    .recursive(true)
                    .create(folder)
                    .map_err(io("making its folder"))?;
            }
            write_whole(&path, &bytes)?;
        }
        Ok(())
    }
}

/// A path of plain names that stays where it begins.
fn is_within(path: &str) -> bool {
    let plain = |name: &str| !name.is_empty() && name != "." && name != ".." && !name.contains(['\\', '\0']);
    !path.is_empty() && path.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "zes losse woorden zonder enig verband";

    #[test]
    fn key_files_come_back_for_their_own_backup_only() {
        let temp = tempfile::tempdir().unwrap();
        let folder = KeyFolder::open(&temp.path().join("keys")).unwrap();
        folder.create_master(&"min-low".parse().unwrap()).unwrap();
        folder.digest_key().unwrap();
        let mut files = PrivateFiles::of_keys(&folder).unwrap();
        assert!(files.add("tls/server.key", b"no key at all"));
        assert_eq!(files.count(), 3);
        let sealed = files.seal(PASSPHRASE, &[7; 32]).unwrap();
        let master = std::fs::read_to_string(folder.path("master", "min-low")).unwrap();
        assert!(!sealed.contains(master.split_ascii_whitespace().last().unwrap()));
        for (passphrase, manifest) in [("een heel ander wachtwoord", [7; 32]), (PASSPHRASE, [8; 32])] {
            let refused = PrivateFiles::open(&sealed, passphrase, &manifest).err().unwrap();
            assert!(matches!(refused, EscrowError::Refused));
        }
        assert!(matches!(files.seal("te kort", &[7; 32]), Err(EscrowError::Short)));
        let other = temp.path().join("other");
        let opened = PrivateFiles::open(&sealed, PASSPHRASE, &[7; 32]).unwrap();
        opened.write(&other).unwrap();
        assert_eq!(std::fs::read_to_string(other.join("keys/master-min-low.key")).unwrap(), master);
        assert!(KeyFolder::open(&other.join("keys")).unwrap().keyring().is_ok());
        assert!(matches!(opened.write(&other), Err(KeyFileError::Exists { .. })));
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let mut files = PrivateFiles::default();
        for path in ["", "/etc/passwd", "../a.key", "a/../b", "a//b", "./a", "a\\b"] {
            assert!(!files.add(path, b""), "{path}");
        }
        assert!(files.add("keys/epoch-min-low.3.key", b""));
    }
}
