//! Databases for one test, on one backend, gone when it ends.

use crate::support::package;
use knik::store::database::{Database, Dialect, Mode, Plane};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::Migrator;
use sqlx::{AnyPool, AssertSqlSafe, Connection, PgConnection};
use std::future::Future;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use uuid::Uuid;

/// Where a test finds its databases.
pub struct Stage {
    backend: Backend,
    /// What was made on the server, to be dropped.
    made: Mutex<Vec<&'static str>>,
    name: String,
}

enum Backend {
    Sqlite(TempDir),
    /// Address of a server, up to and with the last `/`.
    Postgresql(String),
}

impl Stage {
    /// Files in a temporary folder.
    pub fn sqlite() -> Self {
        Self::new(Backend::Sqlite(tempfile::tempdir().unwrap()))
    }

    /// Databases of their own on the server that `KNIK_TEST_POSTGRES` names.
    pub fn postgresql() -> Option<Self> {
        let Ok(address) = std::env::var("KNIK_TEST_POSTGRES") else {
            println!("left out: conformance on PostgreSQL (KNIK_TEST_POSTGRES is not set)");
            return None;
        };
        let server = address[..=address.rfind('/').unwrap()].to_owned();
        Some(Self::new(Backend::Postgresql(server)))
    }

    fn new(backend: Backend) -> Self {
        let name = format!("knik_test_{}", Uuid::new_v4().simple());
        Self { backend, made: Mutex::default(), name }
    }

    /// Runs a test, then drops what was made for it, also when the test failed.
    pub async fn run<F: Future<Output = ()> + Send + 'static>(self, test: impl FnOnce(Arc<Self>) -> F) {
        let stage = Arc::new(self);
        let outcome = tokio::spawn(test(Arc::clone(&stage))).await;
        stage.drop_all().await;
        if let Err(failed) = outcome {
            std::panic::resume_unwind(failed.into_panic());
        }
    }

    /// A database of this test, opened as its owner and made when it is not there.
    pub async fn open(&self, plane: Plane) -> Database {
        self.create(plane).await;
        Database::open(&self.url(plane, "postgres"), plane, Mode::Owner).await.unwrap()
    }

    /// Makes a database of this test, without a schema.
    pub async fn make(&self, plane: Plane) {
        self.create(plane).await;
    }

    /// A database of this test with the tables of its plane's first version alone, as the program of that time made them.
    pub async fn first_schema(&self, plane: Plane) -> AnyPool {
        self.schema_before(plane, "0002").await
    }

    /// A database of this test as it was before the migration whose name begins like this.
    pub async fn schema_before(&self, plane: Plane, next: &str) -> AnyPool {
        self.create(plane).await;
        let (folder, mode) = match self.dialect() {
            Dialect::Sqlite => ("sqlite", "?mode=rwc"),
            Dialect::Postgres => ("postgres", ""),
        };
        let before = tempfile::tempdir().unwrap();
        let shipped = package().join("src/store/migrations").join(word(plane)).join(folder);
        for file in std::fs::read_dir(shipped).unwrap() {
            let file = file.unwrap();
            if *file.file_name() < *std::ffi::OsStr::new(next) {
                std::fs::copy(file.path(), before.path().join(file.file_name())).unwrap();
            }
        }
        sqlx::any::install_default_drivers();
        let url = format!("{}{mode}", self.url(plane, "postgres"));
        let pool = AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
        Migrator::new(before.path()).await.unwrap().run(&pool).await.unwrap();
        pool
    }

    /// Bytes as a value in a statement.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        match self.dialect() {
            Dialect::Sqlite => format!("x'{}'", hex::encode(bytes)),
            Dialect::Postgres => format!("'\\x{}'::bytea", hex::encode(bytes)),
        }
    }

    /// The address of a database of this test for a user; SQLite knows none.
    pub fn url(&self, plane: Plane, user: &str) -> String {
        match &self.backend {
            Backend::Sqlite(folder) => Database::sqlite_url(&folder.path().join(word(plane))),
            Backend::Postgresql(server) => {
                let (scheme, rest) = server.split_once("://").unwrap();
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                format!("{scheme}://{user}@{host}{}_{}", self.name, word(plane))
            }
        }
    }

    /// Which backend.
    pub fn dialect(&self) -> Dialect {
        match self.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgresql(_) => Dialect::Postgres,
        }
    }

    /// A name for a role that no other test uses.
    pub fn role(&self) -> String {
        format!("{}_reader", self.name)
    }

    /// Runs statements on the server itself.
    pub async fn on_server(&self, statement: String) {
        let Backend::Postgresql(server) = &self.backend else { return };
        let mut connection = PgConnection::connect(&format!("{server}postgres")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn create(&self, plane: Plane) {
        let word = word(plane);
        if matches!(self.backend, Backend::Sqlite(_)) || self.made.lock().unwrap().contains(&word) {
            return;
        }
        self.on_server(format!("CREATE DATABASE {}_{word} TEMPLATE template0", self.name)).await;
        self.made.lock().unwrap().push(word);
    }

    async fn drop_all(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap());
        for word in &made {
            self.on_server(format!("DROP DATABASE {}_{word} WITH (FORCE)", self.name)).await;
        }
        if !made.is_empty() {
            self.on_server(format!("DROP ROLE IF EXISTS {}", self.role())).await;
        }
    }
}

const fn word(plane: Plane) -> &'static str {
    match plane {
        Plane::Vault => "vault",
        Plane::Room => "room",
        Plane::Inbox => "inbox",
    }
}
