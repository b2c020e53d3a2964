//! Key files: one folder, 0700, every file 0600, own user, regular, no symbolic link; anything else is refused.
//!
//! Master keys of each organisation, a key for keyed digests and one for those of what was destroyed, a signing key for
//! each log. A key file is text: `knik-key-1 KIND NAME BASE64`, so that people can see what they hold. Epoch keys stand
//! beside them, wrapped: see [`epochs`]. Where master keys are is the [`provider`]'s business.

pub mod bundle;
pub mod epochs;
pub mod escrow;
pub mod pkcs11;
pub mod provider;

pub use epochs::{EpochKeyring, EpochState, Rewrapper};
pub use provider::{FileMasters, MasterProvider};

use crate::ledger::{LogKey, Origin};
use crate::model::OrganisationId;
use crate::seal::{DigestKey, MasterKey, MasterVersion};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why a key file is not used. Names the file and the mend, never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no such file.
    #[error("key file `{path}` is not there; restore it from its safekeeping (a lost key is a lost archive)")]
    Missing {
        /// Which file.
        path: String,
    },
    /// Others may read it.
    #[error("key file `{path}` has mode {mode:04o}; only its owner may read it: chmod 600 {path}")]
    Mode {
        /// Which file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// It is another user's.
    #[error("key file `{path}` belongs to user {owner}, this process runs as user {user}")]
    Owner {
        /// Which file.
        path: String,
        /// Whose it is.
        owner: u32,
        /// Who runs.
        user: u32,
    },
    /// It is a link, a folder, a device.
    #[error("key file `{path}` is not a regular file; links are refused")]
    NotAFile {
        /// Which file.
        path: String,
    },
    /// It is not in the form of a key file, or is of another kind or name.
    #[error("key file `{path}` does not hold a key of kind `{kind}` named `{name}`")]
    Content {
        /// Which file.
        path: String,
        /// What kind it should be.
        kind: &'static str,
        /// What name it should have.
        name: String,
    },
    /// A key of that name is there already and is not overwritten.
    #[error("key file `{path}` is there already; keys are never overwritten")]
    Exists {
        /// Which file.
        path: String,
    },
    /// It is where it cannot be taken out.
    #[error(
        "the master key of `{organisation}` stands in a hardware module that does not give it; keep a copy of it with \
         the module's own means"
    )]
    NotExtractable {
        /// Whose.
        organisation: String,
    },
    /// The hardware module refused, or is not there.
    #[error("the hardware module: {doing}: {why}")]
    Module {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        why: String,
    },
    /// A key that is needed is not destroyed.
    #[error("{what} is in use; it goes when nothing needs it any more")]
    InUse {
        /// Which.
        what: String,
    },
    /// A key could not be wrapped or unwrapped.
    #[error(transparent)]
    Key(#[from] crate::seal::KeyError),
    /// The file system or the random source refused.
    #[error("key file `{path}`: {doing}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// The folder with key files.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    folder: PathBuf,
}

const MASTER: &str = "master";
const DIGEST: &str = "digest";
const SUPPRESSION: &str = "suppression";
const LOG: &str = "log";
const DEMO_ISSUER: &str = "demo-issuer";
/// Longest key file in bytes.
const FILE_BYTES_MAX: u64 = 1024;

impl KeyFolder {
    /// The folder at `folder`, made with mode 0700 when absent.
    ///
    /// # Errors
    /// When it cannot be made, or others may look into it.
    pub fn open(folder: &Path) -> Result<Self, KeyFileError> {
        let io = |doing| {
            let path = folder.display().to_string();
            move |source| KeyFileError::Io { path, doing, source }
        };
        if !folder.exists() {
            fs::DirBuilder::new()
                .mode(0o700)
                .recursive(true)
                .create(folder)
                .map_err(io("making the folder"))?;
        }
        let mode = fs::metadata(folder).map_err(io("looking at the folder"))?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Mode { path: folder.display().to_string(), mode });
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Removes what was overwritten and not removed yet when a process ended: no key is in it any more. For who alone uses the folder.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn finish_destroying(&self) -> Result<(), KeyFileError> {
        for name in self.names()? {
            let path = self.folder.join(name);
            let is_small =
                fs::symlink_metadata(&path).is_ok_and(|of| of.is_file() && of.len() <= FILE_BYTES_MAX);
            let bytes = if is_small { fs::read(&path).unwrap_or_default() } else { Vec::new() };
            if !bytes.is_empty() && bytes.iter().all(|byte| *byte == OVERWRITTEN) {
                destroy_file(&path)?;
            }
        }
        Ok(())
    }

    /// Makes the first master key of an organisation. `false` when it has one already, which stays.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create_master(&self, organisation: &OrganisationId) -> Result<bool, KeyFileError> {
        self.create(MASTER, &master_name(organisation, MasterVersion::new(1)))
    }

    /// The master keys here: whose, and which version.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn masters(&self) -> Result<Vec<(OrganisationId, MasterVersion)>, KeyFileError> {
        let mut found = Vec::new();
        for name in self.names()? {
            let named = name.strip_prefix("master-").and_then(|name| name.strip_suffix(".key"));
            let (slug, version) = match named.map(|named| named.split_once('.').unwrap_or((named, "1"))) {
                Some((slug, version)) => (slug.parse(), version.parse()),
                None => continue,
            };
            if let (Ok(organisation), Ok(version)) = (slug, version) {
                found.push((organisation, MasterVersion::new(version)));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The organisations with a master key here.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn organisations(&self) -> Result<Vec<OrganisationId>, KeyFileError> {
        let mut found: Vec<_> = self.masters()?.into_iter().map(|(organisation, _)| organisation).collect();
        found.dedup();
        Ok(found)
    }

    /// The epoch keys of every organisation, under the master keys that are files here.
    ///
    /// # Errors
    /// When any of the files is not safe to use.
    pub fn keyring(&self) -> Result<EpochKeyring, KeyFileError> {
        EpochKeyring::open(self, Arc::new(FileMasters::open(self)?))
    }

    /// Puts a master key back that an escrow gave. `false` when it is there already.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`] when another key has its name: it is not overwritten.
    pub fn restore_master(
        &self,
        organisation: &OrganisationId,
        version: MasterVersion,
        key: &MasterKey,
    ) -> Result<bool, KeyFileError> {
        let name = master_name(organisation, version);
        match self.write(MASTER, &name, key.expose()) {
            Err(KeyFileError::Exists { .. }) if *self.read(MASTER, &name)? == *key.expose() => Ok(false),
            written => written.map(|()| true),
        }
    }

    /// The names of the files here.
    fn names(&self) -> Result<Vec<String>, KeyFileError> {
        let io = |source| KeyFileError::Io {
            path: self.folder.display().to_string(),
            doing: "listing the folder",
            source,
        };
        let entries = fs::read_dir(&self.folder).map_err(io)?;
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(io)?.file_name().into_string());
        }
        Ok(names)
    }

    /// The seed of the demo's own issuer of tokens, made when `make` and absent.
    ///
    /// # Errors
    /// When the file is not there, not safe to use or cannot be made.
    pub fn demo_issuer_seed(&self, make: bool) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        if make {
            self.create(DEMO_ISSUER, DEMO_ISSUER)?;
        }
        self.read(DEMO_ISSUER, DEMO_ISSUER)
    }

    /// The key of keyed digests, made when absent.
    ///
    /// # Errors
    /// When the file is not safe to use or cannot be made.
    pub fn digest_key(&self) -> Result<DigestKey, KeyFileError> {
        self.create(DIGEST, DIGEST)?;
        Ok(DigestKey::from_bytes(&*self.read(DIGEST, DIGEST)?))
    }

    /// The key of digests of what was destroyed, made when absent: with the other key alone nobody can ask whether
    /// an item was destroyed, and it can be destroyed by itself.
    ///
    /// # Errors
    /// When the file is not safe to use or cannot be made.
    pub fn suppression_key(&self) -> Result<DigestKey, KeyFileError> {
        self.create(SUPPRESSION, SUPPRESSION)?;
        Ok(DigestKey::from_bytes(&*self.read(SUPPRESSION, SUPPRESSION)?))
    }

    /// The signing key of a log, made when absent.
    ///
    /// # Errors
    /// When the file is not safe to use or cannot be made.
    pub fn log_key(&self, name: &str, origin: Origin) -> Result<LogKey, KeyFileError> {
        self.create(LOG, name)?;
        let seed = self.read(LOG, name)?;
        LogKey::from_seed(origin, &seed).map_err(|_| KeyFileError::Content {
            path: self.path(LOG, name).display().to_string(),
            kind: LOG,
            name: name.to_owned(),
        })
    }

    fn path(&self, kind: &str, name: &str) -> PathBuf {
        self.folder.join(format!("{kind}-{name}.key"))
    }

    fn create(&self, kind: &'static str, name: &str) -> Result<bool, KeyFileError> {
        let path = self.path(kind, name);
        if fs::symlink_metadata(&path).is_ok() {
            return Ok(false);
        }
        let key = drawn::<32>(&path)?;
        self.write(kind, name, &key)?;
        Ok(true)
    }

    /// Writes a key under a name that no file has.
    fn write(&self, kind: &'static str, name: &str, key: &[u8; 32]) -> Result<(), KeyFileError> {
        let path = self.path(kind, name);
        let encoded = Zeroizing::new(STANDARD.encode(key));
        let text = Zeroizing::new(format!("knik-key-1 {kind} {name} {}\n", *encoded));
        write_whole(&path, text.as_bytes())
    }

    fn read(&self, kind: &'static str, name: &str) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        let path = self.path(kind, name);
        let text = read_private(&path)?;
        let wrong =
            || KeyFileError::Content { path: path.display().to_string(), kind, name: name.to_owned() };
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let ["knik-key-1", k, n, encoded] = words.as_slice() else { return Err(wrong()) };
        if *k != kind || *n != name {
            return Err(wrong());
        }
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| wrong())?);
        let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| wrong())?;
        Ok(Zeroizing::new(*bytes))
    }
}

/// Reads a small file that only its owner may read.
///
/// # Errors
/// [`KeyFileError`], by what is wrong with the file.
pub fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let shown = || path.display().to_string();
    let io = |doing| move |source| KeyFileError::Io { path: path.display().to_string(), doing, source };
    let named = match fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(KeyFileError::Missing { path: shown() });
        }
        Err(source) => return Err(io("looking at it")(source)),
    };
    if !named.file_type().is_file() {
        return Err(KeyFileError::NotAFile { path: shown() });
    }
    let mut file = File::open(path).map_err(io("opening it"))?;
    let opened = file.metadata().map_err(io("looking at it"))?;
    // What was opened must be what was looked at: no link slipped in between.
    if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        return Err(KeyFileError::NotAFile { path: shown() });
    }
    let mode = opened.permissions().mode() & 0o7777;
    if mode & 0o177 != 0 {
        return Err(KeyFileError::Mode { path: shown(), mode });
    }
    let user = rustix::process::geteuid().as_raw();
    if opened.uid() != user {
        return Err(KeyFileError::Owner { path: shown(), owner: opened.uid(), user });
    }
    let mut text = Zeroizing::new(String::new());
    Read::by_ref(&mut file).take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(io("reading it"))?;
    Ok(text)
}

/// Writes a new file that only its owner may read; never over another.
///
/// # Errors
/// [`KeyFileError::Exists`], [`KeyFileError::Io`].
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    let io = |doing| move |source| KeyFileError::Io { path: path.display().to_string(), doing, source };
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(KeyFileError::Exists { path: path.display().to_string() });
        }
        Err(source) => return Err(io("making it")(source)),
    };
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io("writing it"))?;
    sync_folder(path)
}

/// The name of a version of a master key: the first has no number, as before there were several.
fn master_name(organisation: &OrganisationId, version: MasterVersion) -> String {
    match version.number() {
        1 => organisation.to_string(),
        number => format!("{organisation}.{number}"),
    }
}

/// Random bytes for what is written at `path`.
fn drawn<const N: usize>(path: &Path) -> Result<Zeroizing<[u8; N]>, KeyFileError> {
    let mut bytes = Zeroizing::new([0u8; N]);
    rand::fill(bytes.as_mut()).map_err(|_| KeyFileError::Io {
        path: path.display().to_string(),
        doing: "drawing random bytes",
        source: std::io::Error::other("the random source failed"),
    })?;
    Ok(bytes)
}

/// The ending of a file that is being written.
const UNFINISHED: &str = ".new";

/// Writes a new file that only its owner may read, whole or not at all; never over another.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    let io = |doing| move |source| KeyFileError::Io { path: path.display().to_string(), doing, source };
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    if fs::symlink_metadata(&unfinished).is_ok() {
        fs::remove_file(&unfinished).map_err(io("removing what was left unfinished"))?;
    }
    write_new(&unfinished, bytes)?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished).map_err(io("making it"))?;
    match linked {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(KeyFileError::Exists { path: path.display().to_string() })
        }
        Err(source) => Err(io("making it")(source)),
    }
}

/// What stands in the place of each byte of a key file that is destroyed, until it is removed.
const OVERWRITTEN: u8 = b'0';

/// Overwrites a key file and removes it. An absent one is no error. What a disk keeps of overwritten blocks is
/// beyond the reach of a program.
fn destroy_file(path: &Path) -> Result<(), KeyFileError> {
    let io = |doing| move |source| KeyFileError::Io { path: path.display().to_string(), doing, source };
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(io("destroying it")(source)),
    };
    let length = file.metadata().map_err(io("looking at it"))?.len();
    let zeros = vec![OVERWRITTEN; usize::try_from(length).unwrap_or_default()];
    file.write_all(&zeros).and_then(|()| file.sync_all()).map_err(io("destroying it"))?;
    fs::remove_file(path).map_err(io("destroying it"))?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), KeyFileError> {
    let io =
        |source| KeyFileError::Io { path: path.display().to_string(), doing: "making it durable", source };
    path.parent().map_or(Ok(()), |folder| File::open(folder).and_then(|f| f.sync_all()).map_err(io))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> (tempfile::TempDir, KeyFolder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = KeyFolder::open(&temp.path().join("keys")).unwrap();
        (temp, folder)
    }

    #[test]
    fn a_key_that_was_overwritten_and_not_yet_removed_is_gone() {
        let (_temp, folder) = folder();
        let organisation: OrganisationId = "min-low".parse().unwrap();
        folder.create_master(&organisation).unwrap();
        let path = folder.path(MASTER, "min-low");
        let length = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![OVERWRITTEN; usize::try_from(length).unwrap()]).unwrap();
        assert_eq!(folder.masters().unwrap().len(), 1);
        folder.finish_destroying().unwrap();
        assert_eq!(folder.masters().unwrap(), []);
        // What is rubbish is told, and stays to be looked at.
        fs::write(&path, "knik-key-1 0").unwrap();
        folder.finish_destroying().unwrap();
        assert_eq!(folder.masters().unwrap().len(), 1);
    }

    #[test]
    fn a_key_is_made_once_and_reads_back() {
        let (_temp, folder) = folder();
        let organisation: OrganisationId = "min-low".parse().unwrap();
        assert!(folder.create_master(&organisation).unwrap());
        assert!(!folder.create_master(&organisation).unwrap(), "a second one would lose the archive");
        assert_eq!(folder.organisations().unwrap(), [organisation]);
        assert!(folder.keyring().is_ok());
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let (_temp, folder) = folder();
        let organisation: OrganisationId = "min-low".parse().unwrap();
        folder.create_master(&organisation).unwrap();
        let path = folder.path(MASTER, "min-low");
        for mode in [0o644, 0o640, 0o604, 0o700, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = folder.keyring().err().unwrap();
            assert!(matches!(refused, KeyFileError::Mode { mode: m, .. } if m == mode), "{mode:o}");
            assert!(refused.to_string().contains("chmod 600"));
        }
    }

    #[test]
    fn links_and_folders_and_other_keys_are_refused() {
        let (_temp, folder) = folder();
        folder.create(DIGEST, "a").unwrap();
        symlink(folder.path(DIGEST, "a"), folder.path(DIGEST, "b")).unwrap();
        assert!(matches!(folder.read(DIGEST, "b"), Err(KeyFileError::NotAFile { .. })));
        fs::create_dir(folder.path(DIGEST, "c")).unwrap();
        assert!(matches!(folder.read(DIGEST, "c"), Err(KeyFileError::NotAFile { .. })));
        fs::rename(folder.path(DIGEST, "a"), folder.path(DIGEST, "d")).unwrap();
        assert!(matches!(folder.read(DIGEST, "d"), Err(KeyFileError::Content { .. })));
        assert!(matches!(folder.read(DIGEST, "a"), Err(KeyFileError::Missing { .. })));
    }
}
