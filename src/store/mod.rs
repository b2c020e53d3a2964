//! What is durable: the catalogue, the journal, the reading room's database, its inbox, sealed objects, keys.
//!
//! SQLite and PostgreSQL stand behind one set of statements (portable SQL over sqlx's `Any` driver); what
//! differs between them is one [`database::Dialect`]. One conformance suite runs on both.

pub mod airlock;
pub mod alarms;
pub mod backup;
pub mod bell;
pub mod blobs;
pub mod catalogue;
mod continuation;
pub mod database;
pub mod disclosures;
pub mod effect;
mod evidence;
pub mod exported;
pub(crate) mod files;
mod group_commit;
pub mod inbox;
pub mod journal;
pub mod keys;
pub mod log_source;
mod migrations;
pub mod openings;
pub mod oversight;
pub mod room;
mod rows;
mod snapshot;
pub mod spool;
pub mod subject_requests;
pub mod tsa;
pub mod unconfirmed;

pub use database::{Database, Plane};
pub use evidence::{CosignedRow, TimestampRow};

/// What can go wrong below the use cases.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached. The outcome of a write is unknown.
    #[error("database: {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// The driver's error (never shown outside: it may quote values).
        #[source]
        source: sqlx::Error,
    },
    /// A migration failed.
    #[error("database: bringing the schema up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A stored value is not what this version writes.
    #[error("database: {what} is not readable; run `knik verify`")]
    Corrupt {
        /// Which value.
        what: &'static str,
    },
    /// Object storage refused or could not be reached.
    #[error("object storage: {doing}")]
    Blobs {
        /// What was being done.
        doing: &'static str,
        /// The store's error.
        #[source]
        source: object_store::Error,
    },
    /// A key file is missing, or is not safe to use.
    #[error("{0}")]
    Keys(#[from] keys::KeyFileError),
    /// The ledger could not be continued.
    #[error("ledger: {0}")]
    Ledger(String),
    /// What was done together for several who wait: entries that shared a commit, whose outcome is unknown, or questions
    /// that shared a look-up.
    #[error(transparent)]
    Group(std::sync::Arc<StoreError>),
    /// The time-stamp authority did not answer as one.
    #[error("time-stamp authority: {0}")]
    Authority(String),
    /// A program of the database's own could not be run, or failed.
    #[error("{program}: {why}")]
    Program {
        /// Which.
        program: &'static str,
        /// Why, in its words.
        why: String,
    },
    /// A file could not be read or written.
    #[error("{doing} `{path}`")]
    File {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: String,
        /// Why it could not.
        #[source]
        source: std::io::Error,
    },
    /// A setting of something that is reached over the network cannot be used.
    #[error("{field}: {why}")]
    Setting {
        /// Which.
        field: &'static str,
        /// Why, and the mend.
        why: String,
    },
    /// A database URL that no backend serves.
    #[error("database address must start with sqlite: or postgres:")]
    Address,
    /// A row is no longer as the caller saw it: somebody was first. Nothing was changed.
    #[error("it is no longer as it was: read it again")]
    Moved,
    /// Something else holds what must be held alone.
    #[error("{0}")]
    Busy(String),
}

impl StoreError {
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| {
            unconfirmed::heed(&source);
            Self::Database { doing, source }
        }
    }

    pub(crate) fn file(doing: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { doing, path, source }
    }

    pub(crate) fn blobs(doing: &'static str) -> impl FnOnce(object_store::Error) -> Self {
        move |source| Self::Blobs { doing, source }
    }
}
