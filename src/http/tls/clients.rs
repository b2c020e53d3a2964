//! Whom a server takes client certificates from, and why one is refused.

use super::{ClientAuthority, ServerTls, TlsError, certificates};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use std::sync::Arc;

/// Why a client certificate is refused. For the log: the handshake's alert or the answer says none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    /// No authority that is trusted here signed it.
    #[error("client certificate is of an unknown authority")]
    UnknownAuthority,
    /// Past its time, or before it.
    #[error("client certificate is not valid now")]
    NotValidNow,
    /// On a revocation list.
    #[error("client certificate was revoked")]
    Revoked,
    /// No revocation list in force says anything of it.
    #[error("no revocation list in force covers the client certificate")]
    RevocationUnknown,
    /// It is for something else, such as serving.
    #[error("client certificate is not for clients")]
    Purpose,
    /// It cannot be read, or its signature does not hold.
    #[error("client certificate cannot be used")]
    Unusable,
    /// It names no machine that is configured.
    #[error("client certificate names no machine that is known")]
    UnknownMachine,
    /// It names more than one machine.
    #[error("client certificate names more than one machine")]
    SeveralMachines,
}

impl CertificateRefusal {
    pub(super) fn of(error: &Error) -> Self {
        let Error::InvalidCertificate(error) = error else { return Self::Unusable };
        match error {
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::NotValidNow,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::UnknownRevocationStatus
            | CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => Self::RevocationUnknown,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::Purpose
            }
            _ => Self::Unusable,
        }
    }
}

/// Authorities and revocation lists as they were read.
#[derive(Debug)]
pub(super) struct ClientTrust(Arc<dyn ClientCertVerifier>);

impl ClientTrust {
    pub(super) fn read(
        clients: &ClientAuthority<'_>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for root in certificates(clients.roots, "client authority")? {
            roots.add(root).map_err(TlsError::Pair)?;
        }
        let missing = || TlsError::Pem { what: "revocation list", label: "X509 CRL" };
        let lists: Result<Vec<_>, _> =
            CertificateRevocationListDer::pem_slice_iter(clients.revoked).collect();
        let lists = lists.ok().filter(|lists| !lists.is_empty()).ok_or_else(missing)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .with_crls(lists)
            .enforce_revocation_expiration()
            .allow_unauthenticated()
            .build()
            .map_err(TlsError::Clients)?;
        Ok(Self(verifier))
    }

    pub(super) fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.verify_client_cert(end_entity, intermediates, now)
    }
}

/// Gives each handshake what is trusted now. People come with tokens, so a certificate is never required.
#[derive(Debug)]
pub(super) struct Trusted(pub(super) Arc<ServerTls>);

impl Trusted {
    fn now(&self) -> Result<Arc<ClientTrust>, Error> {
        self.0.trust().ok_or_else(|| Error::General("no client authority".to_owned()))
    }
}

impl ClientCertVerifier for Trusted {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    // Hints would have to stand for as long as the server does; without any, clients offer what they have.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.now()?.verify(end_entity, intermediates, now).inspect_err(|error| {
            tracing::info!(reason = %CertificateRefusal::of(error), "client certificate refused");
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now()?.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now()?.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.trust().map(|trust| trust.0.supported_verify_schemes()).unwrap_or_default()
    }
}
