//! Where an issuer's public keys come from: an address or a file.

use futures_util::future::BoxFuture;
use reqwest::{Certificate, Client, redirect};
use std::path::PathBuf;
use std::time::Duration;

/// Gives an issuer's key set (JWKS) as it is now.
pub trait KeySource: Send + Sync {
    /// The key set as text; it is not looked into here.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn fetch(&self) -> BoxFuture<'_, Result<String, SourceError>>;
}

/// Why keys cannot be had. Without the address: that stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nobody answers in time.
    #[error("the issuer's keys cannot be fetched: it does not answer")]
    Away,
    /// The certificate of whoever answers does not lead to an authority that is trusted, or the connection broke.
    #[error("the issuer's keys cannot be fetched: the connection failed (certificate?)")]
    Connection,
    /// It answers with something else than the keys.
    #[error("the issuer's keys cannot be fetched: it answers with status {0}")]
    Status(u16),
    /// The answer is longer than any key set.
    #[error("the issuer's keys cannot be fetched: the answer is longer than {KEY_SET_BYTES_MAX} bytes")]
    TooLong,
    /// The answer is no text.
    #[error("the issuer's keys cannot be fetched: the answer is no text")]
    NoText,
    /// The file cannot be read.
    #[error("the file with the issuer's keys cannot be read: {0}")]
    File(std::io::ErrorKind),
    /// The settings of the connection cannot be used.
    #[error("the authorities that the issuer's address is checked with cannot be used")]
    Authorities,
}

/// The longest key set that is read.
const KEY_SET_BYTES_MAX: usize = 256 * 1024;
/// How long an address may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keys at an address. It is asked directly: no proxy, no redirect, no cookie.
pub struct KeyAddress {
    url: String,
    client: Client,
}

impl KeyAddress {
    /// An `https` address, or `http` on this machine; `authorities` (PEM) sign its certificate, those of the system
    /// when there are none.
    ///
    /// # Errors
    /// [`SourceError::Authorities`] when they cannot be used.
    pub fn new(url: &str, authorities: Option<&[u8]>) -> Result<Self, SourceError> {
        // Fetches are rare: a connection that was kept would often be one that the other end just closed.
        let builder = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).no_proxy();
        let builder = builder.pool_max_idle_per_host(0);
        let builder = match authorities {
            Some(pem) => {
                let trusted = Certificate::from_pem_bundle(pem).map_err(|_| SourceError::Authorities)?;
                if trusted.is_empty() {
                    return Err(SourceError::Authorities);
                }
                builder.tls_certs_only(trusted)
            }
            None => builder,
        };
        let client = builder.build().map_err(|_| SourceError::Authorities)?;
        Ok(Self { url: url.to_owned(), client })
    }

    async fn ask(&self) -> Result<String, SourceError> {
        let request =
            self.client.get(&self.url).header("accept", "application/jwk-set+json, application/json");
        let mut answer = request.send().await.map_err(|error| why(&error))?;
        if answer.status() != 200 {
            return Err(SourceError::Status(answer.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(more) = answer.chunk().await.map_err(|error| why(&error))? {
            bytes.extend_from_slice(&more);
            if bytes.len() > KEY_SET_BYTES_MAX {
                return Err(SourceError::TooLong);
            }
        }
        String::from_utf8(bytes).map_err(|_| SourceError::NoText)
    }
}

impl KeySource for KeyAddress {
    fn fetch(&self) -> BoxFuture<'_, Result<String, SourceError>> {
        Box::pin(self.ask())
    }
}

fn why(error: &reqwest::Error) -> SourceError {
    if error.is_timeout() || (error.is_connect() && refused(error)) {
        SourceError::Away
    } else {
        SourceError::Connection
    }
}

/// Whether nobody listens there, as against somebody whose certificate does not hold.
fn refused(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(at) = cause {
        if let Some(io) = at.downcast_ref::<std::io::Error>() {
            return matches!(
                io.kind(),
                std::io::ErrorKind::ConnectionRefused
                    | std::io::ErrorKind::HostUnreachable
                    | std::io::ErrorKind::NetworkUnreachable
            );
        }
        cause = at.source();
    }
    false
}

/// Keys in a file.
pub struct KeyFile(pub PathBuf);

impl KeyFile {
    /// What stands in it.
    ///
    /// # Errors
    /// [`SourceError::File`].
    pub fn read(&self) -> Result<String, SourceError> {
        std::fs::read_to_string(&self.0).map_err(|error| SourceError::File(error.kind()))
    }
}

impl KeySource for KeyFile {
    fn fetch(&self) -> BoxFuture<'_, Result<String, SourceError>> {
        Box::pin(async { self.read() })
    }
}
