//! The archive plane: use cases that hold keys. One file each; none of them is called by the reading room.
//!
//! [`Archive`] is where things lie (catalogue, journal, segments, keys, the way down and the way up);
//! [`Rules`] is what is applied (recognisers, trees, policies, plans); [`Sources`] is time and chance, given
//! so that two archives can be built alike.

pub mod appointments;
pub mod backup;
pub mod bodies;
pub mod break_glass;
pub mod channels;
pub mod compare;
mod conversation;
mod cores;
pub mod cosign;
pub mod deciding;
pub mod decision_receipt;
mod derive;
pub mod destroy;
mod destroyed_copy;
pub mod disclose;
pub mod exports;
pub mod find;
mod find_index;
pub mod finding_aid;
pub mod formal;
pub mod four_eyes;
pub mod grants;
pub mod incidents;
pub mod ingest;
pub mod keys;
mod layout;
pub mod letters;
mod minimise;
mod missed;
mod names;
pub mod openings;
mod originals;
pub mod oversight;
pub mod periodic;
pub mod policies;
pub mod publications;
pub mod publish;
pub mod queue;
pub mod reach;
pub mod read;
mod reading;
pub mod release;
pub mod rendition;
mod rendition_html;
pub mod replay;
pub mod reports;
pub mod requests;
mod restored;
pub mod review;
pub mod reviewing;
pub mod revoke;
pub mod scrub;
pub mod sealing;
mod second_place;
pub mod sequence;
mod small_groups;
pub mod source;
mod sources;
pub mod standing;
mod stored_findings;
pub mod story;
pub mod subject_copy;
pub mod subject_requests;
mod suppress;
pub mod survey;
pub mod timestamps;
pub mod verify;

pub use reading::{CaptureReader, InProcess, Units};
pub use source::CaptureSource;
pub use sources::Sources;
pub use survey::{Survey, survey};

use crate::access::grant_file::ResearchBases;
use crate::access::{LegalBases, Policies};
use crate::capture::{CaptureError, Limits};
use crate::decide::{Definitions, Profiles, QuestionDetector, SentimentMethod, Tree};
use crate::detect::Ruleset;
use crate::ledger::{LedgerError, LogKey, Origin};
use crate::redact::{Exemptions, Measured, Plans, ProjectionPolicy};
use crate::seal::{DigestKey, KeyError, OpenError};
use crate::store::StoreError;
use crate::store::blobs::Blobs;
use crate::store::catalogue::Catalogue;
use crate::store::inbox::Inbox;
use crate::store::journal::Journal;
use crate::store::keys::{EpochKeyring, KeyFileError};
use crate::store::room::RoomWriter;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where things lie. Cloning shares them.
#[derive(Clone)]
pub struct Archive {
    /// What is known.
    pub catalogue: Catalogue,
    /// What happened.
    pub journal: Journal,
    /// Sealed segments.
    pub blobs: Blobs,
    /// The way down to the reading room.
    pub room: RoomWriter,
    /// The way up from it.
    pub inbox: Inbox,
    /// Epoch keys, under the master keys.
    pub keyring: Arc<EpochKeyring>,
    /// The key of keyed digests.
    pub digests: Arc<DigestKey>,
    /// The key of keyed digests of what was destroyed.
    pub suppression: Arc<DigestKey>,
    /// The signing keys of the two logs.
    pub logs: Arc<Logs>,
    /// Time and chance.
    pub sources: Sources,
    /// One intake at a time looks up, decides what is new and commits.
    pub intake: Arc<tokio::sync::Mutex<()>>,
    /// Held for reading while a wrapped key is on its way between database and use, so that an epoch key is destroyed
    /// only when nobody is about to need it. Never held twice by one task.
    pub turning: Arc<tokio::sync::RwLock<()>>,
    /// Held while the databases are copied for a backup: nothing goes down to the reading room and no epoch key is
    /// destroyed meanwhile, so that the copies fit together and with the key files. Taken after `intake` and before `turning`, never held twice.
    pub copying: Arc<tokio::sync::Mutex<()>>,
}

/// The two logs: one for each plane, both signed here (the reading room has no key).
pub struct Logs {
    /// Steps of the archive plane.
    pub vault: LogKey,
    /// Steps of the reading room, taken up from its inbox.
    pub reading_room: LogKey,
    /// Where copies of signed checkpoints go, if anywhere.
    pub second_place: Option<PathBuf>,
    /// Who cosigns checkpoints.
    pub witnesses: cosign::Witnesses,
    /// Who time-stamps checkpoints, if anyone.
    pub authority: Option<timestamps::Authority>,
}

impl Logs {
    /// The keys of both logs: the archive plane's, then the reading room's.
    #[must_use]
    pub const fn keys(&self) -> [&LogKey; 2] {
        [&self.vault, &self.reading_room]
    }

    /// The origin of the archive plane's log.
    #[must_use]
    pub const fn vault_origin(&self) -> &Origin {
        self.vault.verifier().origin()
    }

    /// The origin of the reading room's log.
    #[must_use]
    pub const fn room_origin(&self) -> &Origin {
        self.reading_room.verifier().origin()
    }
}

/// What is applied: data from `patterns/` and `policies/`, checked at start. Cloning shares it.
#[derive(Clone)]
pub struct Rules {
    /// Recognisers.
    pub ruleset: Arc<Ruleset>,
    /// Trees by id.
    pub trees: Arc<BTreeMap<String, Tree>>,
    /// The detector of questions.
    pub questions: Arc<QuestionDetector>,
    /// What counts as a citizen's letter, as a formal message and so on: by organisation and date.
    pub definitions: Arc<Definitions>,
    /// How reactions sound, for counts.
    pub sentiment: Arc<SentimentMethod>,
    /// What is refused or left out before sealing.
    pub profiles: Arc<Profiles>,
    /// Which fields a projection may hold, and what stays readable.
    pub projection: Arc<ProjectionPolicy>,
    /// Why passages are redacted, in words.
    pub exemptions: Arc<Exemptions>,
    /// How well the detector was measured to find.
    pub measured: Arc<Measured>,
    /// How views are rendered.
    pub plans: Arc<Plans>,
    /// Who may do what.
    pub access: Arc<Policies>,
    /// Why an original may be opened.
    pub bases: Arc<LegalBases>,
    /// Why a researcher may be given copies.
    pub research: Arc<ResearchBases>,
    /// How many originals reviewers open, how long items wait, how much is sampled.
    pub reviewing: Arc<reviewing::ReviewPolicy>,
    /// How much a capture may hold at once.
    pub limits: Limits,
    /// Who reads captures.
    pub reader: Arc<dyn CaptureReader>,
    /// Records in one batch.
    pub batch_records: usize,
}

/// The tree in force where none was chosen: everything is kept (the National Archives' position).
pub const DEFAULT_TREE: &str = "archive-whole";

/// What can go wrong in a use case, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Nothing of that name, or nothing this caller may know of.
    #[error("{what} is not there")]
    Absent {
        /// What was asked for.
        what: &'static str,
    },
    /// The caller may know of it but not do this.
    #[error("refused")]
    Refused(#[from] crate::access::Denial),
    /// Whoever asked may not come in any more: they were revoked, or their token expired, while they were answered.
    #[error("whoever asked may not come in any more")]
    NotAdmitted,
    /// The input cannot be used as it is; says what and the mend.
    #[error("{0}")]
    Input(String),
    /// The capture as a whole is not sound: nothing of it was taken in.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// Pieces of a capture cannot be read, each with place and reason, and none may be skipped: nothing of it was
    /// taken in.
    #[error("{} cannot be read and nothing may be skipped; nothing was taken in: {}", pieces(.0.len()), .0.join("; "))]
    Skipped(Vec<String>),
    /// A table that came from another system has faults, each with row, column and mend: nothing of it was taken in.
    #[error("nothing was taken in: {}", .0.join("; "))]
    Faults(Vec<String>),
    /// The file is not the one that was looked at before: it was written to, or replaced, while it was taken in.
    #[error(
        "the capture changed while it was taken in; what was read of it before stands and the capture counts as \
         interrupted: deliver it again once nothing writes to it"
    )]
    Changed,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key could not be had or used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key could not be made, kept or destroyed.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A sealed original does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A ledger entry could not be made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A time-stamp does not hold.
    #[error(transparent)]
    Timestamp(#[from] crate::ledger::TimestampError),
    /// The fragments of a record do not make up its bytes: nothing of the batch was taken in.
    #[error("fragments and records of the capture do not fit together; nothing of it was taken in")]
    Layout,
    /// A projection would hold what must be redacted: it is withheld.
    #[error("a projection was withheld: {0}")]
    Redact(#[from] crate::redact::RedactError),
    /// The random source failed.
    #[error("the random source failed")]
    Random,
    /// A backup cannot be made or used.
    #[error(transparent)]
    Backup(#[from] crate::store::backup::BackupError),
    /// A background task was stopped.
    #[error("the work was stopped")]
    Stopped,
}

impl VaultError {
    /// The faults of a table, in words.
    #[must_use]
    pub fn faults(found: Vec<crate::decide::TableFault>) -> Self {
        Self::Faults(found.iter().map(ToString::to_string).collect())
    }

    /// Whether the capture that was delivered is at fault: delivered again as it is, it is refused again.
    #[must_use]
    pub const fn is_of_capture(&self) -> bool {
        match self {
            Self::Capture(error) => !error.is_passing(),
            Self::Input(_) | Self::Skipped(_) | Self::Layout => true,
            _ => false,
        }
    }
}

fn pieces(count: usize) -> String {
    if count == 1 { "1 piece".to_owned() } else { format!("{count} pieces") }
}

impl From<tokio::task::JoinError> for VaultError {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Stopped
    }
}
