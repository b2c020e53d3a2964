//! The certificate that came with a connection, for as long as the connection stands.

use super::machine::fingerprint;
use super::{CertificateRefusal, ServerTls};
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use rustls_pki_types::CertificateDer;
use std::any::Any;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A client's chain, verified at the handshake and again while its connection stands.
#[derive(Debug)]
pub struct PeerCertificate {
    chain: Vec<CertificateDer<'static>>,
    fingerprint: [u8; 32],
    /// When it was found good last, and by what.
    checked: Mutex<Option<(u64, Instant)>>,
}

/// A certificate can expire, or a list can, while a connection stands: it is looked at again after so long.
const CHECK_AGAIN: Duration = Duration::from_secs(10);

impl PeerCertificate {
    /// Keeps the certificate of a new connection beside it, if one came.
    pub(in crate::http) fn keep(connection: &dyn Any, beside: &mut Extensions) {
        let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
        let (_, session) = stream.get_ref();
        let Some(chain) = session.peer_certificates().filter(|chain| !chain.is_empty()) else { return };
        let chain: Vec<CertificateDer<'static>> = chain.iter().map(|one| one.clone().into_owned()).collect();
        let Some(first) = chain.first() else { return };
        beside.insert(Self { fingerprint: fingerprint(first), chain, checked: Mutex::default() });
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The certificate, if it is still good: since the handshake it may have been revoked or have expired.
    ///
    /// # Errors
    /// Why it is not.
    pub fn still_good(&self, tls: &ServerTls) -> Result<&CertificateDer<'static>, CertificateRefusal> {
        let generation = tls.generation();
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = checked.is_some_and(|(by, at)| by == generation && at.elapsed() < CHECK_AGAIN);
        if !fresh {
            *checked = None;
            tls.check_again(&self.chain)?;
            *checked = Some((generation, Instant::now()));
        }
        self.chain.first().ok_or(CertificateRefusal::Unusable)
    }
}
