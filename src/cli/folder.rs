//! The data folder: where everything of one installation lies, held by one process at a time.

use super::embedded::RuleFiles;
use super::serve::Serving;
use crate::config::{self, Config};
use crate::ledger::{Authorities, Origin};
use crate::model::OrganisationId;
use crate::seal::MasterVersion;
use crate::store::blobs::Blobs;
use crate::store::catalogue::Catalogue;
use crate::store::database::{Database, Mode, Plane};
use crate::store::inbox::Inbox;
use crate::store::journal::Journal;
use crate::store::keys::{EpochKeyring, KeyFolder};
use crate::store::room::RoomWriter;
use crate::store::tsa::TimestampServer;
use crate::vault::cosign::Witnesses;
use crate::vault::timestamps::Authority;
use crate::vault::{Archive, Logs, Rules, Sources, deciding, policies};
use anyhow::{Context, Result};
use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::sync::OnceCell;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process holds it.
    #[error(
        "data folder `{0}` is in use by another process; stop it, or let its socket carry out the command"
    )]
    InUse(String),
}

/// An opened data folder: the lock on it, its configuration, what lies in it.
pub struct DataFolder {
    /// Where it is.
    pub path: PathBuf,
    /// What is set.
    pub config: Config,
    /// What is applied.
    pub rules: Rules,
    /// The files the rules were made of.
    pub rule_files: RuleFiles,
    /// Where things lie.
    pub archive: Archive,
    /// Key files.
    pub keys: KeyFolder,
    /// What the service that runs on it knows, when this process is that service.
    pub(super) serving: OnceLock<Serving>,
    /// That the rules say what they said before was seen to.
    held: OnceCell<()>,
    _lock: File,
}

impl DataFolder {
    /// Opens a data folder, made when absent, and decides anew what a process before was stopped at. Only one process can.
    ///
    /// # Errors
    /// When another process holds it, the configuration, a rule or a key file is refused, or storage fails.
    pub async fn open(path: &Path) -> Result<Self> {
        let folder = Self::open_with(path, std::env::vars()).await?;
        // What stops this does not stop anyone from looking into the folder; it waits for the next round.
        if let Err(error) = deciding::decide_waiting(&folder.archive, &folder.rules).await {
            tracing::error!(%error, "records wait to be decided anew");
        }
        Ok(folder)
    }

    /// As [`open`](Self::open), with these variables instead of those of the environment; nothing is decided.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(path: &Path, variables: impl Iterator<Item = (String, String)>) -> Result<Self> {
        make(path)?;
        let lock = lock(path)?;
        let config = config_with(path, variables)?;
        let rule_files = RuleFiles::read(&config, path)?;
        let rules = rule_files.rules(&config)?;
        let keys = KeyFolder::open(&path.join("keys"))?;
        keys.finish_destroying()?;
        let keyring = Arc::new(super::keys::keyring(path, &config.keys, &keys)?);
        let archive = open_archive(path, &config, &keys, keyring).await?;
        archive.catalogue.resume(archive.sources.now()).await?;
        Ok(Self {
            path: path.to_owned(),
            config,
            rules,
            rule_files,
            archive,
            keys,
            serving: OnceLock::new(),
            held: OnceCell::new(),
            _lock: lock,
        })
    }

    /// Sees to it that each version of a policy says what it said when it was first used here, before anything is decided by it. Looked
    /// at once: rules do not change while a folder is open.
    ///
    /// # Errors
    /// When a version has other content than before, with file and mend; when storage fails.
    pub async fn hold_rules(&self) -> Result<()> {
        let look = || async {
            let stated = self.rule_files.policy_versions()?;
            policies::hold(&self.archive, self.rules.ruleset.version(), &stated).await?;
            anyhow::Ok(())
        };
        self.held.get_or_try_init(look).await?;
        Ok(())
    }

    /// Makes the first master key of an organisation, and begins its first epoch. `false` when it has keys.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn init_keys(&self, id: &OrganisationId) -> Result<bool> {
        let keyring = &self.archive.keyring;
        let fresh = match keyring.provider().masters()?.iter().any(|(whose, _)| whose == id) {
            true => false,
            false => keyring.provider().create(id, MasterVersion::new(1))?,
        };
        keyring.adopt(id)?;
        Ok(fresh)
    }

    /// Adds an organisation: its master key is made when it has none. `false` when it had one.
    ///
    /// # Errors
    /// When the key file cannot be made or the catalogue fails.
    pub async fn add_organisation(&self, id: &OrganisationId, name: &str) -> Result<bool> {
        anyhow::ensure!(
            *id != OrganisationId::nobody(),
            "`{id}` is the organisation that owns nothing; take another name"
        );
        let fresh = self.init_keys(id)?;
        crate::vault::channels::add_organisation(&self.archive, id, name).await?;
        Ok(fresh)
    }
}

/// Reads `knik.toml` of a data folder and the environment.
///
/// # Errors
/// When a field or variable is not known or not of its kind.
pub fn read_config(path: &Path) -> Result<Config> {
    config_with(path, std::env::vars())
}

fn config_with(path: &Path, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
    let file = path.join("knik.toml");
    let text = if file.exists() { super::read_text(&file)? } else { String::new() };
    Config::read(&text, variables).with_context(|| format!("{}", file.display()))
}

fn make(path: &Path) -> Result<()> {
    for folder in [
        path.to_owned(),
        path.join("vault"),
        path.join("vault/segments"),
        path.join("room"),
        path.join("spool"),
    ] {
        if !folder.exists() {
            let made = DirBuilder::new().mode(0o700).recursive(true).create(&folder);
            made.with_context(|| format!("cannot make folder `{}`", folder.display()))?;
        }
    }
    Ok(())
}

/// Holds a data folder without opening it, so that no service or command does.
///
/// # Errors
/// When another process holds it.
pub(super) fn lock_alone(path: &Path) -> Result<File> {
    make(path)?;
    lock(path)
}

fn lock(path: &Path) -> Result<File> {
    let file = File::options().create(true).append(true).open(path.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path.display().to_string()).into()),
        Err(TryLockError::Error(error)) => Err(error).context("locking the data folder"),
    }
}

/// Where the databases are: in the folder, or where the configuration says.
pub(super) struct Addresses {
    pub vault: String,
    pub room: String,
    pub inbox: String,
    pub reader_room: String,
    pub reader_inbox: String,
}

impl Addresses {
    pub(super) fn of(path: &Path, config: &Config) -> Result<Self> {
        let path = fs::canonicalize(path).context("data folder")?;
        let at = |named: &str, file: &str| match named {
            "sqlite" | "" => Database::sqlite_url(&path.join(file)),
            address => address.to_owned(),
        };
        let room = &config.reading_room;
        let or = |own: &str, other: &str| if own.is_empty() { other.to_owned() } else { own.to_owned() };
        Ok(Self {
            vault: at(&config.vault.database, "vault/catalogue.db"),
            room: at(&room.database, "room/projections.db"),
            inbox: at(&room.inbox, "room/inbox.db"),
            reader_room: at(&or(&room.reader_database, &room.database), "room/projections.db"),
            reader_inbox: at(&or(&room.reader_inbox, &room.inbox), "room/inbox.db"),
        })
    }
}

async fn open_archive(
    path: &Path,
    config: &Config,
    keys: &KeyFolder,
    keyring: Arc<EpochKeyring>,
) -> Result<Archive> {
    let addresses = Addresses::of(path, config)?;
    let vault = Database::open(&addresses.vault, Plane::Vault, Mode::Owner).await?;
    let room = Database::open(&addresses.room, Plane::Room, Mode::Owner).await?;
    let inbox = Database::open(&addresses.inbox, Plane::Inbox, Mode::Owner).await?;
    if !config.reading_room.role.is_empty() {
        room.grant_to_reading_room(Plane::Room, &config.reading_room.role).await?;
        inbox.grant_to_reading_room(Plane::Inbox, &config.reading_room.role).await?;
    }
    let room = RoomWriter::new(room);
    room.carry_over().await?;
    let origin = |plane: &str| format!("{}/{plane}", config.name).parse::<Origin>();
    let logs = Logs {
        vault: keys.log_key("vault", origin("vault")?)?,
        reading_room: keys.log_key("reading-room", origin("reading-room")?)?,
        second_place: second_place(path, &config.ledger.second_place),
        witnesses: witnesses(&config.ledger)?,
        authority: authority(path, &config.ledger)?,
    };
    write_verifier_keys(path, &logs)?;
    Ok(Archive {
        catalogue: Catalogue::new(vault.clone()),
        journal: Journal::new(vault),
        blobs: Blobs::folder(&path.join("vault/segments"))?,
        room,
        inbox: Inbox::new(inbox),
        keyring,
        digests: Arc::new(keys.digest_key()?),
        suppression: Arc::new(keys.suppression_key()?),
        logs: Arc::new(logs),
        sources: Sources::system(),
        intake: Arc::default(),
        turning: Arc::default(),
        copying: Arc::default(),
    })
}

fn second_place(path: &Path, named: &str) -> Option<PathBuf> {
    (!named.is_empty()).then(|| path.join(named))
}

fn witnesses(set: &config::Ledger) -> Result<Witnesses> {
    let keys =
        set.witnesses.iter().map(|key| key.parse().with_context(|| format!("ledger.witnesses: `{key}`")));
    let required = usize::try_from(set.witnesses_required)?;
    Ok(Witnesses { keys: keys.collect::<Result<_>>()?, required })
}

fn authority(path: &Path, set: &config::Ledger) -> Result<Option<Authority>> {
    if set.tsa_url.is_empty() {
        return Ok(None);
    }
    let trusted =
        Authorities::from_pem(&super::read_text(&path.join(&set.tsa_ca))?).context("ledger.tsa-ca")?;
    let every_seconds = i64::try_from(set.tsa_every_minutes)?.saturating_mul(60);
    Ok(Some(Authority::new(TimestampServer::new(&set.tsa_url)?, trusted, every_seconds)))
}

/// The public halves of the logs' keys, for people who verify.
pub(super) const VERIFIER_KEYS: &str = "ledger-keys.txt";

fn write_verifier_keys(path: &Path, logs: &Logs) -> Result<()> {
    let text = format!("{}\n{}\n", logs.vault.verifier(), logs.reading_room.verifier());
    fs::write(path.join(VERIFIER_KEYS), text).context("writing the verifier keys")
}
