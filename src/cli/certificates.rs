//! Certificates for development, and the TLS settings of the service.
//!
//! A development authority is made with its key, signs the server certificates of this machine and
//! forgets the key: whoever trusts the authority trusts nothing that can be signed later. Its name constraints leave
//! it no name but `localhost` and the loopback addresses. Nothing here touches files: the caller writes the
//! key with mode 0600.
//!
//! TLS is 1.3, and 1.2 with AEAD suites and ephemeral keys; the provider (aws-lc-rs) is named, never taken
//! from the process. Where client certificates are asked there is no resumption: a resumed session would let
//! a client in whose certificate was revoked since.

use crate::model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Longest life of a development certificate, in days (what browsers accept at most).
pub const DAYS_MAX: u16 = 397;

/// A development authority's certificate and the server certificates under it. The authority's key is gone.
pub struct DevelopmentCertificates {
    authority: String,
    servers: Vec<ServerCertificate>,
}

/// A server certificate for `localhost`, 127.0.0.1 and ::1, with its key.
pub struct ServerCertificate {
    chain: String,
    key: Zeroizing<String>,
}

/// Who may present client certificates: PEM bytes, read by the caller.
#[derive(Debug, Clone, Copy)]
pub struct ClientAuthority<'a> {
    /// One or more authorities.
    pub roots: &'a [u8],
    /// Their revocation lists; none means that nothing is checked for revocation.
    pub revoked: &'a [u8],
    /// Whether a client may also come without a certificate.
    pub optional: bool,
}

/// Certificates that cannot be made or used. Never holds key material.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A term that is no term.
    #[error("development certificates last 1 to 397 days")]
    Days,
    /// The moment given cannot be written into a certificate.
    #[error("certificates cannot be made for this date")]
    Date,
    /// The certificate library refused.
    #[error("could not make a development certificate")]
    Make(#[source] rcgen::Error),
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
    Clients(#[source] rustls::server::VerifierBuilderError),
}

impl DevelopmentCertificates {
    /// Makes an authority and, for each of its `servers` (the vault and the reading room each have their
    /// own), a certificate with a fresh P-256 key, valid from the day before `now` for `days` days after it.
    ///
    /// # Errors
    /// [`CertificateError::Days`] for 0 or more than [`DAYS_MAX`]; [`CertificateError::Make`] when the
    /// library refuses.
    pub fn generate(now: Timestamp, days: u16, servers: usize) -> Result<Self, CertificateError> {
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(CertificateError::Days);
        }
        let authority_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(CertificateError::Make)?;
        let params = authority_params(now, days)?;
        let authority = params.self_signed(&authority_key).map_err(CertificateError::Make)?.pem();
        let issuer = Issuer::new(params, authority_key);
        let signed = (0..servers).map(|_| ServerCertificate::signed(&issuer, now, days));
        Ok(Self { authority, servers: signed.collect::<Result<_, _>>()? })
    }

    /// The authority's certificate (PEM): what a development client trusts.
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        &self.authority
    }

    /// The server certificates, as many as were asked.
    #[must_use]
    pub fn servers(&self) -> &[ServerCertificate] {
        &self.servers
    }
}

impl ServerCertificate {
    fn signed(issuer: &Issuer<'_, KeyPair>, now: Timestamp, days: u16) -> Result<Self, CertificateError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(CertificateError::Make)?;
        let signed = server_params(now, days)?.signed_by(&key, issuer).map_err(CertificateError::Make)?;
        Ok(Self { chain: signed.pem(), key: Zeroizing::new(key.serialize_pem()) })
    }

    /// The certificate (PEM).
    #[must_use]
    pub fn chain_pem(&self) -> &str {
        &self.chain
    }

    /// The private key (PKCS#8 PEM). Write it with mode 0600; never log it.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for DevelopmentCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DevelopmentCertificates({} servers)", self.servers.len())
    }
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerCertificate(..)")
    }
}

/// TLS settings for a server from PEM bytes. ALPN is left to the web server.
///
/// # Errors
/// What could not be read or used, without its content.
pub fn server_config(
    chain_pem: &[u8],
    key_pem: &[u8],
    clients: Option<&ClientAuthority<'_>>,
) -> Result<ServerConfig, CertificateError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(chain_pem, "server certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|_| CertificateError::Pem { what: "server key", label: "PRIVATE KEY" })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(CertificateError::Pair)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(client_verifier(clients, provider)?),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(CertificateError::Pair)?;
    if clients.is_some() {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

fn client_verifier(
    clients: &ClientAuthority<'_>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
    let mut roots = RootCertStore::empty();
    for root in certificates(clients.roots, "client authority")? {
        roots.add(root).map_err(CertificateError::Pair)?;
    }
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(clients.revoked).collect();
    let lists = lists.map_err(|_| CertificateError::Pem { what: "revocation list", label: "X509 CRL" })?;
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).with_crls(lists);
    let builder = if clients.optional { builder.allow_unauthenticated() } else { builder };
    builder.build().map_err(CertificateError::Clients)
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(CertificateError::Pem { what, label: "CERTIFICATE" }),
    }
}

fn authority_params(now: Timestamp, days: u16) -> Result<CertificateParams, CertificateError> {
    let mut params = dated(CertificateParams::default(), now, days)?;
    params.distinguished_name.push(DnType::CommonName, "Knik development authority (not for production)");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let permitted_subtrees = vec![
        GeneralSubtree::DnsName("localhost".to_owned()),
        GeneralSubtree::IpAddress(CidrSubnet::V4(Ipv4Addr::LOCALHOST.octets(), [255; 4])),
        GeneralSubtree::IpAddress(CidrSubnet::V6(Ipv6Addr::LOCALHOST.octets(), [255; 16])),
    ];
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    Ok(params)
}

fn server_params(now: Timestamp, days: u16) -> Result<CertificateParams, CertificateError> {
    let names = ["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string()];
    let mut params = dated(CertificateParams::new(names).map_err(CertificateError::Make)?, now, days)?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn dated(
    mut params: CertificateParams,
    now: Timestamp,
    days: u16,
) -> Result<CertificateParams, CertificateError> {
    params.distinguished_name = rcgen::DistinguishedName::new();
    let day = |days: i64| midnight(&now.plus_seconds(days * 86_400).day()).ok_or(CertificateError::Date);
    let (year, month, of_month) = day(-1)?;
    params.not_before = rcgen::date_time_ymd(year, month, of_month);
    let (year, month, of_month) = day(i64::from(days))?;
    params.not_after = rcgen::date_time_ymd(year, month, of_month);
    Ok(params)
}

/// Year, month and day of `2026-05-04`; years that X.509 cannot write are refused.
fn midnight(day: &str) -> Option<(i32, u8, u8)> {
    let mut parts = day.splitn(3, '-');
    let (year, month, of_month) = (parts.next()?, parts.next()?, parts.next()?);
    let year = year.parse().ok().filter(|year| (1970..=9998).contains(year))?;
    Some((year, month.parse().ok()?, of_month.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::{
        CipherSuite, ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, ServerConnection,
    };

    fn made() -> DevelopmentCertificates {
        DevelopmentCertificates::generate(today(), 30, 1).unwrap()
    }

    /// The machine's own day: rustls checks certificates against the clock.
    fn today() -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap()).unwrap()
    }

    fn client(authority: &str, version: &'static rustls::SupportedProtocolVersion) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(authority.as_bytes()) {
            roots.add(root.unwrap()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap();
        Arc::new(config.with_root_certificates(roots).with_no_client_auth())
    }

    /// Both ends, joined by memory.
    fn shake(
        server: &Arc<ServerConfig>,
        client: &Arc<ClientConfig>,
        name: &'static str,
    ) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
        let name = ServerName::try_from(name).unwrap();
        let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
        for _ in 0..6 {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            let mut sent = wire.as_slice();
            while !sent.is_empty() {
                server.read_tls(&mut sent).unwrap();
                server.process_new_packets()?;
            }
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            let mut sent = wire.as_slice();
            while !sent.is_empty() {
                client.read_tls(&mut sent).unwrap();
                client.process_new_packets()?;
            }
        }
        Ok((client, server))
    }

    fn config(made: &DevelopmentCertificates) -> Arc<ServerConfig> {
        Arc::new(
            server_config(
                made.servers()[0].chain_pem().as_bytes(),
                made.servers()[0].key_pem().as_bytes(),
                None,
            )
            .unwrap(),
        )
    }

    #[test]
    fn a_development_certificate_serves_this_machine_and_no_other_name() {
        let made = made();
        let server = config(&made);
        for (version, protocol) in [(&TLS13, ProtocolVersion::TLSv1_3), (&TLS12, ProtocolVersion::TLSv1_2)] {
            let client = client(made.authority_pem(), version);
            for name in ["localhost", "127.0.0.1", "::1"] {
                let (shaken, _) = shake(&server, &client, name).unwrap();
                assert!(!shaken.is_handshaking(), "{name}");
                assert_eq!(shaken.protocol_version(), Some(protocol));
            }
            assert!(shake(&server, &client, "knik.example").is_err());
            assert!(
                shake(&server, &self::client(self::made().authority_pem(), version), "localhost").is_err()
            );
        }
        assert_eq!(
            format!("{made:?} {:?}", made.servers()),
            "DevelopmentCertificates(1 servers) [ServerCertificate(..)]"
        );
    }

    #[test]
    fn every_suite_is_aead_with_ephemeral_keys() {
        for suite in aws_lc_rs::default_provider().cipher_suites {
            let name = format!("{:?}", suite.suite());
            assert!(name.contains("GCM") || name.contains("POLY1305"), "{name}");
            assert!(name.starts_with("TLS13_") || name.starts_with("TLS_ECDHE_"), "{name}");
            assert_ne!(suite.suite(), CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
        }
    }

    #[test]
    fn nothing_is_resumed_where_client_certificates_are_asked() {
        let made = made();
        let authority = made.authority_pem().as_bytes();
        let clients = ClientAuthority { roots: authority, revoked: b"", optional: true };
        let asking = server_config(
            made.servers()[0].chain_pem().as_bytes(),
            made.servers()[0].key_pem().as_bytes(),
            Some(&clients),
        )
        .unwrap();
        for (server, resumed) in [(config(&made), true), (Arc::new(asking), false)] {
            for version in [&TLS13, &TLS12] {
                let client = client(made.authority_pem(), version);
                shake(&server, &client, "localhost").unwrap();
                let (again, _) = shake(&server, &client, "localhost").unwrap();
                assert_eq!(again.handshake_kind() == Some(HandshakeKind::Resumed), resumed, "{version:?}");
            }
        }
        let strict = ClientAuthority { optional: false, ..clients };
        let strict = server_config(
            made.servers()[0].chain_pem().as_bytes(),
            made.servers()[0].key_pem().as_bytes(),
            Some(&strict),
        )
        .unwrap();
        assert!(shake(&Arc::new(strict), &client(made.authority_pem(), &TLS13), "localhost").is_err());
    }

    #[test]
    fn what_cannot_be_used_is_told_without_its_content() {
        let other = made();
        let made = DevelopmentCertificates::generate(today(), 30, 2).unwrap();
        let (chain, key) = (made.servers()[0].chain_pem().as_bytes(), made.servers()[0].key_pem().as_bytes());
        let nobody = ClientAuthority { roots: b"", revoked: b"", optional: false };
        let cases = [
            (server_config(b"", key, None), "server certificate holds no PEM"),
            (server_config(key, key, None), "server certificate holds no PEM"),
            (server_config(chain, chain, None), "server key holds no PEM"),
            (server_config(chain, b"\xff\0", None), "server key holds no PEM"),
            (server_config(chain, made.servers()[1].key_pem().as_bytes(), None), "do not fit together"),
            (server_config(chain, other.servers()[0].key_pem().as_bytes(), None), "do not fit together"),
            (server_config(chain, key, Some(&nobody)), "client authority holds no PEM"),
        ];
        for (outcome, expected) in cases {
            let told = outcome.unwrap_err().to_string();
            assert!(told.contains(expected), "{told} lacks {expected}");
        }
        for days in [0, DAYS_MAX + 1] {
            assert!(matches!(
                DevelopmentCertificates::generate(today(), days, 1),
                Err(CertificateError::Days)
            ));
        }
        let past = Timestamp::from_micros(-100_000_000_000_000).unwrap();
        assert!(matches!(DevelopmentCertificates::generate(past, 1, 1), Err(CertificateError::Date)));
    }
}
