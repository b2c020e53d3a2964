//! The files that a server's TLS is read from, and what is done when they change.

use crate::http::tls::{ClientAuthority, ServerTls, TlsPem};
use crate::store::keys::read_private;
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Certificate chain, key, and for a server that takes certificates of machines their authorities and revocation lists.
#[derive(Debug, Clone)]
pub(super) struct TlsFiles {
    pub chain: PathBuf,
    pub key: PathBuf,
    pub clients: Option<(PathBuf, PathBuf)>,
}

/// What changes when a file is written, replaced or linked anew.
type Stamp = Option<(u64, u64, i64, i64, u64)>;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

impl TlsFiles {
    /// Reads them all, for a server that starts.
    ///
    /// # Errors
    /// When one cannot be read or used.
    pub(super) fn open(&self) -> Result<Arc<ServerTls>> {
        self.with_pem(|pem| Ok(ServerTls::new(pem)?))
    }

    /// Has the server present and trust what the files hold whenever one changed, or when it is told to look. Files that
    /// cannot be used change nothing: that is logged, and they are tried again when they change again.
    pub(super) async fn follow(self, tls: Arc<ServerTls>, told: Arc<Notify>) {
        let mut seen = self.stamps();
        loop {
            let told = tokio::select! {
                () = told.notified() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let found = self.stamps();
            if !told && found == seen {
                continue;
            }
            match self.with_pem(|pem| Ok(tls.replace(pem)?)) {
                Ok(()) => tracing::info!("TLS files were read again"),
                Err(error) => tracing::error!(
                    error = format!("{error:#}"),
                    "TLS files changed and cannot be used: what was read before holds on"
                ),
            }
            seen = found;
        }
    }

    fn with_pem<T>(&self, then: impl FnOnce(&TlsPem<'_>) -> Result<T>) -> Result<T> {
        let (chain, key) = (super::read_text(&self.chain)?, read_private(&self.key)?);
        let lists = self.clients.as_ref().map(|(roots, revoked)| {
            Ok::<_, anyhow::Error>((super::read_text(roots)?, super::read_text(revoked)?))
        });
        let lists = lists.transpose().context("certificates of machines")?;
        let clients = lists
            .as_ref()
            .map(|(roots, revoked)| ClientAuthority { roots: roots.as_bytes(), revoked: revoked.as_bytes() });
        then(&TlsPem { chain: chain.as_bytes(), key: key.as_bytes(), clients })
    }

    fn stamps(&self) -> Vec<Stamp> {
        let clients = self.clients.iter().flat_map(|(roots, revoked)| [roots, revoked]);
        [&self.chain, &self.key].into_iter().chain(clients).map(|path| stamp(path)).collect()
    }
}

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
}
