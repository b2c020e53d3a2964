//! One database of one plane: pools for reading and writing, and what the backends do differently.

use super::{StoreError, migrations};
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{Any, AnyPool, AssertSqlSafe, Transaction};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Which schema a database carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// Catalogue and journal of the vault.
    Vault,
    /// Projections and grants of the reading room.
    Room,
    /// The append-only way up from the reading room.
    Inbox,
}

/// Whether this process may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Reads and writes, and brings the schema up to date.
    Owner,
    /// Reads and appends, but does not touch the schema.
    Writer,
    /// Reads only.
    Reader,
}

/// What the backends do differently, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A file, for one machine.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    pub(super) fn of(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => Err(StoreError::Address),
        }
    }

    /// SQLite takes the write lock at once, so that a transaction never fails half-way for it.
    const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// A lock that the transaction holds until it ends: SQLite's write lock is that already.
    const fn transaction_lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(7346150)"),
        }
    }

    const fn session(self, mode: Mode) -> &'static [&'static str] {
        match (self, mode) {
            (Self::Sqlite, Mode::Reader) => &["PRAGMA busy_timeout = 10000", "PRAGMA query_only = ON"],
            (Self::Sqlite, _) => &[
                "PRAGMA busy_timeout = 10000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                "PRAGMA secure_delete = ON",
            ],
            (Self::Postgres, Mode::Reader) => &["SET default_transaction_read_only = on"],
            (Self::Postgres, _) => &["SET synchronous_commit = on"],
        }
    }

    /// SQLite's one connection that writes keeps the pages it touches again (64 MiB): keys are random, and so are the pages
    /// of their indexes. The same pages go from the log into the file once for several transactions.
    const fn writing(self, mode: Mode) -> &'static [&'static str] {
        match (self, mode) {
            (Self::Sqlite, Mode::Owner | Mode::Writer) => {
                &["PRAGMA cache_size = -65536", "PRAGMA wal_autocheckpoint = 8000"]
            }
            _ => &[],
        }
    }

    /// SQLite's connections that read keep the upper pages of the indexes of a large archive (16 MiB each at most), which each look
    /// at a record goes through.
    const fn reading(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["PRAGMA cache_size = -16384"],
            Self::Postgres => &[],
        }
    }
}

/// A database with its pools. Cloning shares them.
#[derive(Clone)]
pub struct Database {
    read: AnyPool,
    write: AnyPool,
    dialect: Dialect,
    url: Arc<str>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a password.
        write!(f, "Database({:?})", self.dialect)
    }
}

const READERS: u32 = 8;

impl Database {
    /// The address of an SQLite file.
    #[must_use]
    pub fn sqlite_url(path: &Path) -> String {
        format!("sqlite://{}", path.display())
    }

    /// Opens `url` (`sqlite://file` or `postgres://…`), and as owner creates and migrates it.
    ///
    /// # Errors
    /// When the address is of no backend, the database cannot be reached, or the schema cannot be brought up to date.
    pub async fn open(url: &str, plane: Plane, mode: Mode) -> Result<Self, StoreError> {
        install_default_drivers();
        let dialect = Dialect::of(url)?;
        let address = url.into();
        let url = match (dialect, mode) {
            (Dialect::Sqlite, Mode::Owner) => format!("{url}?mode=rwc"),
            (Dialect::Sqlite, Mode::Writer) => format!("{url}?mode=rw"),
            (Dialect::Sqlite, Mode::Reader) => format!("{url}?mode=ro"),
            (Dialect::Postgres, _) => url.to_owned(),
        };
        let writers = match dialect {
            Dialect::Sqlite => 1,
            Dialect::Postgres => READERS,
        };
        let write = pool(&url, dialect, mode, writers, dialect.writing(mode)).await?;
        if mode == Mode::Owner {
            migrations::migrator(plane, dialect)?.run(&write).await.map_err(StoreError::Migrate)?;
        }
        let read = pool(&url, dialect, mode, READERS, dialect.reading()).await?;
        Ok(Self { read, write, dialect, url: address })
    }

    /// The pool for reading.
    #[must_use]
    pub const fn read(&self) -> &AnyPool {
        &self.read
    }

    /// The pool for writing: one connection on SQLite.
    #[must_use]
    pub const fn write(&self) -> &AnyPool {
        &self.write
    }

    /// Its address, with whatever password it has.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Which backend it is.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Starts a transaction that writes.
    ///
    /// # Errors
    /// When the database cannot be reached or its write lock is held too long.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let (pool, statement) = (self.write.clone(), self.dialect.begin());
        self.begun(async move { pool.begin_with(AssertSqlSafe(statement)).await }).await
    }

    /// Starts a transaction that only reads.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn begin_reading(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let pool = self.read.clone();
        self.begun(async move { pool.begin().await }).await
    }

    /// Whoever asks may go away while a server begins (a request that is cancelled). sqlx 0.9 then gives the connection back inside a
    /// transaction that nobody ends, and what is written on it next is never committed. So it begins in a task that is always run
    /// to its end: a transaction that nobody takes is rolled back.
    async fn begun(
        &self,
        beginning: impl Future<Output = sqlx::Result<Transaction<'static, Any>>> + Send + 'static,
    ) -> Result<Transaction<'static, Any>, StoreError> {
        let begun = match self.dialect {
            Dialect::Sqlite => beginning.await,
            Dialect::Postgres => {
                tokio::spawn(beginning).await.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed))
            }
        };
        begun.map_err(StoreError::database("starting a transaction"))
    }

    /// Starts a transaction that only one holder at a time can be in, across processes.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_exclusive(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let mut tx = self.begin().await?;
        if let Some(lock) = self.dialect.transaction_lock() {
            sqlx::query(lock).execute(&mut *tx).await.map_err(StoreError::database("taking the lock"))?;
        }
        Ok(tx)
    }

    /// Lets a PostgreSQL role of the reading room read projections, or append to the inbox, and nothing more.
    ///
    /// # Errors
    /// When the role does not exist or this user may not grant. On SQLite there are no roles: does nothing.
    pub async fn grant_to_reading_room(&self, plane: Plane, role: &str) -> Result<(), StoreError> {
        let plain = role.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if self.dialect == Dialect::Sqlite || !plain {
            return Ok(());
        }
        let statements: &[&str] = match plane {
            Plane::Vault => &[],
            Plane::Room => &["GRANT SELECT ON ALL TABLES IN SCHEMA public TO"],
            Plane::Inbox => &[
                "GRANT INSERT ON inbox TO",
                "GRANT INSERT ON airlock TO",
                "GRANT USAGE ON SEQUENCE inbox_seq_seq TO",
            ],
        };
        for statement in statements {
            let statement = AssertSqlSafe(format!("{statement} {role}"));
            sqlx::query(statement)
                .execute(&self.write)
                .await
                .map_err(StoreError::database("granting a role"))?;
        }
        Ok(())
    }

    /// Folds SQLite's write-ahead log into the database and empties it: what was overwritten or deleted stands in no
    /// file any more. A server keeps its log by its own rules: does nothing there.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while someone reads from the log: try again.
    pub async fn empty_log(&self) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            return Ok(());
        }
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.write)
            .await
            .map_err(StoreError::database("emptying the write-ahead log"))?;
        let busy: i64 =
            sqlx::Row::try_get(&row, 0).map_err(StoreError::database("emptying the write-ahead log"))?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Busy("the write-ahead log is being read".to_owned())) }
    }

    /// Closes the pools; on SQLite the write-ahead log is folded in.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// One connection to a server, for looking before anything is set up there.
pub(super) async fn plain_pool(url: &str) -> Result<AnyPool, StoreError> {
    install_default_drivers();
    pool(url, Dialect::of(url)?, Mode::Reader, 1, &[]).await
}

async fn pool(
    url: &str,
    dialect: Dialect,
    mode: Mode,
    connections: u32,
    more: &'static [&'static str],
) -> Result<AnyPool, StoreError> {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in dialect.session(mode).iter().chain(more) {
                    sqlx::query(*statement).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .connect(url)
        .await
        .map_err(StoreError::database("connecting"))
}
