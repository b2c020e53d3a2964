//! A database copied whole as of one moment, into a file; and put back from it.
//!
//! SQLite does it itself. For PostgreSQL it is left to the server's own programs, `pg_dump` and `pg_restore`, of the
//! same or a later version: they must be on this machine.

use super::database::{Database, Dialect};
use super::{StoreError, files};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::fs;
use tokio::process::Command;

impl Database {
    /// The ending of a file that [`snapshot`](Self::snapshot) writes.
    #[must_use]
    pub const fn snapshot_suffix(&self) -> &'static str {
        match self.dialect() {
            Dialect::Sqlite => "db",
            Dialect::Postgres => "pgdump",
        }
    }

    /// Copies everything into a new file, as it is at one moment; work goes on meanwhile.
    ///
    /// # Errors
    /// When the database or the file fails, or `pg_dump` is not here; what was written is then of no use.
    pub async fn snapshot(&self, to: &Path) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Sqlite => {
                let copied = sqlx::query("VACUUM INTO $1").bind(to.display().to_string());
                copied.execute(self.read()).await.map_err(StoreError::database("copying the database"))?;
            }
            Dialect::Postgres => {
                let arguments = ["--format=custom", "--no-owner", "--no-privileges", "--file"];
                run("pg_dump", self.url(), &arguments, to).await?;
            }
        }
        let written = fs::File::open(to).await.map_err(StoreError::file("cannot open", to))?;
        written.sync_all().await.map_err(StoreError::file("cannot write", to))?;
        files::sync_folder_of(to).await.map_err(StoreError::file("cannot write", to))
    }

    /// Puts a snapshot back where no database is yet: into a new file, or an empty database of a server.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when something is there, or the snapshot is of the other kind of database; when the copy
    /// fails.
    pub async fn put_back(url: &str, snapshot: &Path) -> Result<(), StoreError> {
        let of_server = snapshot.extension().is_some_and(|suffix| suffix == "pgdump");
        match (Dialect::of(url)?, of_server) {
            (Dialect::Sqlite, false) => {
                let to = Path::new(url.trim_start_matches("sqlite://"));
                if fs::try_exists(to).await.map_err(StoreError::file("cannot look at", to))? {
                    return Err(StoreError::Busy(format!("`{}` is there already", to.display())));
                }
                fs::copy(snapshot, to).await.map_err(StoreError::file("cannot write", to))?;
                let written = fs::File::open(to).await.map_err(StoreError::file("cannot open", to))?;
                written.sync_all().await.map_err(StoreError::file("cannot write", to))
            }
            (Dialect::Postgres, true) => {
                must_be_empty(url).await?;
                let arguments = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"];
                run("pg_restore", url, &arguments, snapshot).await
            }
            (dialect, _) => Err(StoreError::Busy(format!(
                "the backup is not of a database of this kind ({dialect:?}); name the right address in knik.toml"
            ))),
        }
    }
}

async fn must_be_empty(url: &str) -> Result<(), StoreError> {
    let pool = super::database::plain_pool(url).await?;
    let row =
        sqlx::query("SELECT COUNT(*) AS tables FROM information_schema.tables WHERE table_schema = 'public'")
            .fetch_one(&pool)
            .await
            .map_err(StoreError::database("looking whether the database is empty"))?;
    pool.close().await;
    match super::rows::RowValues::number(&row, "tables")? {
        0 => Ok(()),
        _ => Err(StoreError::Busy("the database that is to be restored into is not empty".to_owned())),
    }
}

/// Runs a program of PostgreSQL. The password goes by the environment: arguments are seen by every user of the machine.
async fn run(program: &'static str, url: &str, arguments: &[&str], file: &Path) -> Result<(), StoreError> {
    let failed = |why: String| StoreError::Program { program, why };
    let mut address = reqwest::Url::parse(url).map_err(|_| StoreError::Address)?;
    let password =
        address.password().map(|word| percent_encoding::percent_decode_str(word).collect::<Vec<u8>>());
    address.set_password(None).map_err(|()| StoreError::Address)?;
    let mut command = Command::new(found(program));
    command.args(arguments).arg(file).arg("--dbname").arg(address.as_str());
    if let Some(password) = password {
        command.env("PGPASSWORD", String::from_utf8_lossy(&password).as_ref());
    }
    let done = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let done = done.map_err(|error| failed(format!("{error}; install PostgreSQL's client programs")))?;
    if done.status.success() {
        return Ok(());
    }
    // Its first line names the cause; it may name tables, never what is in them.
    let said = String::from_utf8_lossy(&done.stderr);
    Err(failed(said.lines().next().unwrap_or("it said nothing").to_owned()))
}

/// Where the program is: on the path, or where Debian keeps its versions.
fn found(program: &str) -> PathBuf {
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut folders = on_path.unwrap_or_default();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> =
            versions.flatten().map(|version| version.path().join("bin")).collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    let there = folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file());
    there.unwrap_or_else(|| PathBuf::from(program))
}
