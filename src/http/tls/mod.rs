//! TLS of a server, which can be given a new certificate, new client authorities and new revocation lists while it
//! serves: connections that stand go on, the next handshake sees what is new.
//!
//! TLS is 1.3, and 1.2 with AEAD suites and ephemeral keys; the provider (aws-lc-rs) is named, never taken from the
//! process. Where client certificates are asked there is no resumption: a resumed session would let a client in whose
//! certificate was revoked since. A connection that stands is looked at again ([`ServerTls::check_again`]).
//!
//! Nothing here touches files: the caller brings PEM.

mod clients;
mod machine;
mod peer;

pub use clients::CertificateRefusal;
pub use machine::{Machine, Machines};
pub use peer::PeerCertificate;

use clients::{ClientTrust, Trusted};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, VerifierBuilderError};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// What a server presents and whom it takes certificates from, as PEM.
#[derive(Clone, Copy)]
pub struct TlsPem<'a> {
    /// The server's certificate and those between it and its authority.
    pub chain: &'a [u8],
    /// Its key.
    pub key: &'a [u8],
    /// Who may present client certificates; with `None` none are asked for.
    pub clients: Option<ClientAuthority<'a>>,
}

/// Who signs client certificates.
#[derive(Debug, Clone, Copy)]
pub struct ClientAuthority<'a> {
    /// One or more authorities.
    pub roots: &'a [u8],
    /// Their revocation lists: one of each authority in a chain, in force now, or the chain is refused.
    pub revoked: &'a [u8],
}

/// PEM that cannot be used. Never holds key material.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// PEM that holds none of what it should.
    #[error("{what} holds no PEM that can be read: expected `-----BEGIN {label}-----`")]
    Pem {
        /// Which input.
        what: &'static str,
        /// What it should hold.
        label: &'static str,
    },
    /// Certificate and key do not belong together, or the key is of a kind that is not used.
    #[error("server certificate and key do not fit together")]
    Pair(#[source] rustls::Error),
    /// Client authorities or revocation lists that cannot be used.
    #[error("client authority or revocation list cannot be used")]
    Clients(#[source] VerifierBuilderError),
    /// Client certificates are asked for or not from start to end.
    #[error("whether client certificates are asked for changes with a restart only")]
    Changed,
}

/// What a server presents and trusts now.
#[derive(Debug)]
pub struct ServerTls {
    provider: Arc<CryptoProvider>,
    presented: RwLock<Arc<CertifiedKey>>,
    trusted: Option<RwLock<Arc<ClientTrust>>>,
    generation: AtomicU64,
}

impl ServerTls {
    /// A server that presents and trusts this.
    ///
    /// # Errors
    /// What could not be read or used, without its content.
    pub fn new(pem: &TlsPem<'_>) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let presented = RwLock::new(presented(pem, &provider)?);
        let trusted = pem.clients.map(|clients| ClientTrust::read(&clients, &provider)).transpose()?;
        let trusted = trusted.map(|trust| RwLock::new(Arc::new(trust)));
        Ok(Arc::new(Self { provider, presented, trusted, generation: AtomicU64::new(0) }))
    }

    /// Presents and trusts this from the next handshake on.
    ///
    /// # Errors
    /// What could not be read or used; nothing is then changed.
    pub fn replace(&self, pem: &TlsPem<'_>) -> Result<(), TlsError> {
        let presented = presented(pem, &self.provider)?;
        match (&self.trusted, &pem.clients) {
            (Some(trusted), Some(clients)) => {
                let trust = Arc::new(ClientTrust::read(clients, &self.provider)?);
                *trusted.write().unwrap_or_else(PoisonError::into_inner) = trust;
            }
            (None, None) => {}
            _ => return Err(TlsError::Changed),
        }
        *self.presented.write().unwrap_or_else(PoisonError::into_inner) = presented;
        self.generation.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Settings for a web server, which adds its ALPN.
    ///
    /// # Errors
    /// When the provider cannot do these protocols.
    pub fn config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Pair)?;
        let builder = match &self.trusted {
            None => builder.with_no_client_auth(),
            Some(_) => builder.with_client_cert_verifier(Arc::new(Trusted(Arc::clone(self)))),
        };
        let mut config = builder.with_cert_resolver(Arc::new(Presented(Arc::clone(self))));
        config.ignore_client_order = true;
        if self.trusted.is_some() {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }

    /// Whether a client's chain is trusted now: signed by an authority, in its time, not revoked.
    ///
    /// # Errors
    /// Why not.
    pub fn check_again(&self, chain: &[CertificateDer<'_>]) -> Result<(), CertificateRefusal> {
        let (first, rest) = chain.split_first().ok_or(CertificateRefusal::Unusable)?;
        let trust = self.trust().ok_or(CertificateRefusal::UnknownAuthority)?;
        trust.verify(first, rest, UnixTime::now()).map(drop).map_err(|error| CertificateRefusal::of(&error))
    }

    /// Rises whenever something was replaced.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn trust(&self) -> Option<Arc<ClientTrust>> {
        let trusted = self.trusted.as_ref()?;
        Some(Arc::clone(&trusted.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Settings of a server that presents one certificate and asks for none.
///
/// # Errors
/// What could not be read or used, without its content.
pub fn server_config(chain: &[u8], key: &[u8]) -> Result<ServerConfig, TlsError> {
    ServerTls::new(&TlsPem { chain, key, clients: None })?.config()
}

/// Gives each handshake what is presented now.
#[derive(Debug)]
struct Presented(Arc<ServerTls>);

impl ResolvesServerCert for Presented {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.presented.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn presented(pem: &TlsPem<'_>, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = certificates(pem.chain, "server certificate")?;
    let key = PrivateKeyDer::from_pem_slice(pem.key)
        .map_err(|_| TlsError::Pem { what: "server key", label: "PRIVATE KEY" })?;
    let key = provider.key_provider.load_private_key(key).map_err(TlsError::Pair)?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        Ok(()) => Ok(Arc::new(pair)),
        Err(error) => Err(TlsError::Pair(error)),
    }
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TlsError::Pem { what, label: "CERTIFICATE" }),
    }
}
