//! Master keys in a hardware module over PKCS#11: made in it, never taken out of it.
//!
//! A master key is an AES-256 key object, token and private, sensitive and not extractable, labelled
//! `knik/ORGANISATION/VERSION`. It wraps epoch keys with AES-GCM in the module. Some modules answer a wrong tag and a
//! fault of their own with the same code: both are refusals here ([`KeyError::Unavailable`]), and nothing is opened.

use super::provider::MasterProvider;
use super::{KeyFileError, read_private};
use crate::model::{OrganisationId, Timestamp};
use crate::seal::{EpochKey, EpochOf, KeyError, MasterVersion, NONCE_BYTES, Nonce, WrappedKey};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Where the module is, and how it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleSettings {
    /// The module's library.
    pub library: PathBuf,
    /// The label of the token.
    pub token: String,
    /// File with the user's PIN, readable by its owner alone.
    pub pin_file: PathBuf,
}

/// Master keys in a hardware module.
pub struct ModuleMasters {
    settings: ModuleSettings,
    session: Mutex<Option<Session>>,
    /// Which keys there are, as last seen.
    known: Mutex<Vec<(OrganisationId, MasterVersion)>>,
}

/// Modules are initialised once in a process.
static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

const TAG_BYTES: u64 = 16;

/// What is being done when a key is used.
const USING: &str = "using a master key";

impl ModuleMasters {
    /// Opens the token.
    ///
    /// # Errors
    /// When the library cannot be loaded, no token has that label, or the PIN is refused or its file is not safe to use.
    pub fn open(settings: ModuleSettings) -> Result<Self, KeyFileError> {
        let masters = Self { settings, session: Mutex::default(), known: Mutex::default() };
        let session = masters.connect()?;
        *masters.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        masters.refresh()?;
        Ok(masters)
    }

    fn connect(&self) -> Result<Session, KeyFileError> {
        let pin = read_private(&self.settings.pin_file)?;
        let session = self.session().or_else(|_| {
            // A module that lost its token may see it again only when it is started anew.
            stop(&self.settings.library);
            self.session()
        })?;
        match session.login(UserType::User, Some(&AuthPin::new(pin.trim().into()))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(refused("logging in")(error)),
        }
    }

    /// A session that nobody has logged in to.
    fn session(&self) -> Result<Session, KeyFileError> {
        let module = module(&self.settings.library)?;
        let slots = module.get_slots_with_token().map_err(refused("listing its tokens"))?;
        let labelled = |slot: &&cryptoki::slot::Slot| {
            module.get_token_info(**slot).is_ok_and(|token| token.label() == self.settings.token)
        };
        let slot = slots.iter().find(labelled).ok_or_else(|| KeyFileError::Module {
            doing: "finding the token",
            why: format!("no token has the label `{}`; set keys.pkcs11-token", self.settings.token),
        })?;
        module.open_rw_session(*slot).map_err(refused("opening a session"))
    }

    /// Does something in a session. One that fails is opened anew, once: a token may have been away.
    fn with<T>(
        &self,
        doing: &'static str,
        act: impl Fn(&Session) -> Result<T, Error>,
    ) -> Result<T, KeyFileError> {
        let mut held = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = held.as_ref()
            && let Ok(done) = act(session)
        {
            return Ok(done);
        }
        // Dropped first: a module that is started anew knows no session from before.
        *held = None;
        let session = self.connect()?;
        let done = act(&session).map_err(refused(doing))?;
        *held = Some(session);
        Ok(done)
    }

    fn refresh(&self) -> Result<(), KeyFileError> {
        let labels = self.with("listing its keys", |session| {
            let kind = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::AES)];
            let mut labels = Vec::new();
            for key in session.find_objects(&kind)? {
                for attribute in session.get_attributes(key, &[AttributeType::Label])? {
                    if let Attribute::Label(label) = attribute {
                        labels.push(label);
                    }
                }
            }
            Ok(labels)
        })?;
        let mut found: Vec<_> = labels.iter().filter_map(|label| named(label)).collect();
        found.sort();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    fn crypt(
        &self,
        of: &EpochOf<'_>,
        nonce: [u8; NONCE_BYTES],
        act: impl Fn(&Session, &Mechanism<'_>, ObjectHandle) -> Result<Vec<u8>, Error>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (label, aad) = (label(of.organisation, of.master), of.aad());
        let act = |session: &Session| {
            let Some(key) = find(session, &label)? else { return Ok(None) };
            let mut nonce = nonce;
            let tag_bits = (TAG_BYTES * 8).into();
            let gcm = Mechanism::AesGcm(GcmParams::new(&mut nonce, &aad, tag_bits)?);
            act(session, &gcm, key).map(|bytes| Some(Zeroizing::new(bytes)))
        };
        let known = self.masters()?.contains(&(of.organisation.clone(), of.master));
        let done = match self.with(USING, act) {
            // A token that was away may come back without its keys until the module is started anew.
            Ok(None) if known => {
                self.forget();
                self.with(USING, act)
            }
            done => done,
        };
        match done {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) if known => Err(KeyError::Unavailable),
            Ok(None) => Err(KeyError::NoMaster { organisation: of.organisation.clone() }),
            Err(error) => {
                tracing::error!(%error, "the provider of master keys refused");
                Err(KeyError::Unavailable)
            }
        }
    }

    /// Closes the session and stops the module: the next use starts it anew.
    fn forget(&self) {
        let mut held = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
        stop(&self.settings.library);
    }
}

impl MasterProvider for ModuleMasters {
    fn name(&self) -> &'static str {
        "pkcs11"
    }

    fn masters(&self) -> Result<Vec<(OrganisationId, MasterVersion)>, KeyError> {
        Ok(self.known.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn wrap(&self, of: &EpochOf<'_>, key: &EpochKey, nonce: Nonce) -> Result<WrappedKey, KeyError> {
        let nonce = nonce.into_bytes();
        let sealed =
            self.crypt(of, nonce, |session, gcm, master| session.encrypt(gcm, master, key.expose()))?;
        WrappedKey::from_parts(&nonce, &sealed)
    }

    fn unwrap(&self, of: &EpochOf<'_>, wrapped: &WrappedKey) -> Result<EpochKey, KeyError> {
        let (nonce, sealed) = wrapped.parts();
        let plain = self.crypt(of, nonce, |session, gcm, master| session.decrypt(gcm, master, &sealed))?;
        let key: &[u8; 32] = plain.as_slice().try_into().map_err(|_| KeyError::Unavailable)?;
        Ok(EpochKey::from_bytes(key))
    }

    fn create(&self, organisation: &OrganisationId, version: MasterVersion) -> Result<bool, KeyFileError> {
        // One that was seen is there, also when the module does not show it now: a second would lose the archive.
        if self.masters()?.contains(&(organisation.clone(), version)) {
            return Ok(false);
        }
        let label = label(organisation, version);
        let fresh = self.with("making a master key", |session| {
            if find(session, &label)?.is_some() {
                return Ok(false);
            }
            let template = [
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
                Attribute::ValueLen(32.into()),
                Attribute::Label(label.clone().into_bytes()),
            ];
            session.generate_key(&Mechanism::AesKeyGen, &template).map(|_| true)
        })?;
        self.refresh()?;
        Ok(fresh)
    }

    fn destroy(&self, organisation: &OrganisationId, version: MasterVersion) -> Result<(), KeyFileError> {
        let label = label(organisation, version);
        self.with("destroying a master key", |session| {
            find(session, &label)?.map_or(Ok(()), |key| session.destroy_object(key))
        })?;
        self.refresh()
    }

    fn export(
        &self,
        organisation: &OrganisationId,
        _version: MasterVersion,
    ) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        Err(KeyFileError::NotExtractable { organisation: organisation.to_string() })
    }

    fn made_at(&self, _organisation: &OrganisationId, _version: MasterVersion) -> Option<Timestamp> {
        None
    }
}

fn module(library: &Path) -> Result<Pkcs11, KeyFileError> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(library) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(library).map_err(refused("loading its library (keys.pkcs11-module)"))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(refused("starting it")(error)),
    }
    modules.insert(library.to_owned(), module.clone());
    Ok(module)
}

fn stop(library: &Path) {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.remove(library) {
        // Whether it stops well or not, the next one says how it starts.
        let _stopped = module.finalize();
    }
}

fn refused(doing: &'static str) -> impl FnOnce(Error) -> KeyFileError {
    move |error| KeyFileError::Module { doing, why: error.to_string() }
}

/// The one key with a label. Two with the same label are none: nobody can say which is meant.
fn find(session: &Session, label: &str) -> Result<Option<ObjectHandle>, Error> {
    let template = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Label(label.as_bytes().to_vec())];
    let found = session.find_objects(&template)?;
    match found.as_slice() {
        [] => Ok(None),
        [key] => Ok(Some(*key)),
        _ => Err(Error::InvalidValue),
    }
}

fn label(organisation: &OrganisationId, version: MasterVersion) -> String {
    format!("knik/{organisation}/{version}")
}

fn named(label: &[u8]) -> Option<(OrganisationId, MasterVersion)> {
    let (organisation, version) = std::str::from_utf8(label).ok()?.strip_prefix("knik/")?.split_once('/')?;
    Some((organisation.parse().ok()?, MasterVersion::new(version.parse().ok()?)))
}
