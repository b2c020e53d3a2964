//! A disk that does not confirm a write: what of it is durable is unknown, and later confirmations say nothing of it (the
//! system may have dropped what it could not write). A service that goes on would build on sand: it stops.

use sqlx::error::DatabaseError;
use std::sync::LazyLock;
use tokio::sync::watch;

static TOLD: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Result codes of SQLite for a confirmation that failed: `SQLITE_IOERR_FSYNC`, `SQLITE_IOERR_DIR_FSYNC`. A PostgreSQL server
/// stops by itself.
const NOT_CONFIRMED: [&str; 2] = ["1034", "1290"];

/// Looks whether an error of the database is one of these.
pub(super) fn heed(error: &sqlx::Error) {
    let code = error.as_database_error().and_then(DatabaseError::code);
    if code.is_some_and(|code| NOT_CONFIRMED.contains(&code.as_ref())) {
        TOLD.send_replace(true);
    }
}

/// Returns when a write of this process was not confirmed.
pub async fn told() {
    let mut told = TOLD.subscribe();
    if told.wait_for(|told| *told).await.is_err() {
        // The sender lives as long as the process.
        std::future::pending::<()>().await;
    }
}
