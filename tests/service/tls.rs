//! TLS of the service, both ends joined by memory: versions, suites, whose certificates are taken, and what changes
//! while it serves.

use super::pki::{Asked, Authority, CLIENT, SERVER, Signed};
use knik::cli::certificates::DevelopmentCertificates;
use knik::http::tls::{ClientAuthority, ServerTls, TlsPem, server_config};
use rcgen::ExtendedKeyUsagePurpose;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore, ServerConfig,
    ServerConnection, SupportedProtocolVersion,
};
use std::sync::Arc;

const VERSIONS: [(&SupportedProtocolVersion, ProtocolVersion); 2] =
    [(&TLS13, ProtocolVersion::TLSv1_3), (&TLS12, ProtocolVersion::TLSv1_2)];

fn development(servers: usize) -> DevelopmentCertificates {
    DevelopmentCertificates::generate(super::pki::now(), 30, servers).unwrap()
}

fn client(
    authority: &str,
    version: &'static SupportedProtocolVersion,
    own: Option<&Signed>,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let chain = CertificateDer::pem_slice_iter(own.certificate.as_bytes()).map(Result::unwrap);
            let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain.collect(), key).unwrap()
        }
    })
}

type Shaken = Result<(ClientConnection, ServerConnection), rustls::Error>;

fn shake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>, name: &'static str) -> Shaken {
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

#[test]
fn a_development_certificate_serves_this_machine_and_no_other_name() {
    let made = development(1);
    let (chain, key) = (made.servers()[0].chain_pem(), made.servers()[0].key_pem());
    let server = Arc::new(server_config(chain.as_bytes(), key.as_bytes()).unwrap());
    for (version, protocol) in VERSIONS {
        let client = client(made.authority_pem(), version, None);
        for name in ["localhost", "127.0.0.1", "::1"] {
            let (shaken, _) = shake(&server, &client, name).unwrap();
            assert!(!shaken.is_handshaking(), "{name}");
            assert_eq!(shaken.protocol_version(), Some(protocol));
        }
        assert!(shake(&server, &client, "knik.example").is_err());
        let stranger = development(1);
        assert!(shake(&server, &self::client(stranger.authority_pem(), version, None), "localhost").is_err());
    }
}

#[test]
fn every_suite_is_aead_with_ephemeral_keys() {
    for suite in aws_lc_rs::default_provider().cipher_suites {
        let name = format!("{:?}", suite.suite());
        assert!(name.contains("GCM") || name.contains("POLY1305"), "{name}");
        assert!(name.starts_with("TLS13_") || name.starts_with("TLS_ECDHE_"), "{name}");
    }
}

/// A server of its own authority that takes certificates of another.
struct Machines {
    servers: Authority,
    machines: Authority,
    presented: Signed,
}

impl Machines {
    fn new() -> Self {
        let servers = Authority::new("servers");
        let presented = servers.sign(&SERVER);
        Self { servers, machines: Authority::new("machines"), presented }
    }

    fn with<T>(&self, revoked: &str, then: impl FnOnce(&TlsPem<'_>) -> T) -> T {
        let roots = self.machines.pem();
        let clients = ClientAuthority { roots: roots.as_bytes(), revoked: revoked.as_bytes() };
        then(&TlsPem {
            chain: self.presented.certificate.as_bytes(),
            key: self.presented.key.as_bytes(),
            clients: Some(clients),
        })
    }

    fn tls(&self, revoked: &str) -> Arc<ServerTls> {
        self.with(revoked, |pem| ServerTls::new(pem).unwrap())
    }

    fn shake(
        &self,
        tls: &Arc<ServerTls>,
        version: &'static SupportedProtocolVersion,
        own: Option<&Signed>,
    ) -> Shaken {
        shake(&Arc::new(tls.config().unwrap()), &client(&self.servers.pem(), version, own), "localhost")
    }
}

#[test]
fn a_client_certificate_is_taken_when_its_authority_its_time_its_purpose_and_its_list_say_so() {
    let set = Machines::new();
    let sign = |asked: &Asked<'_>| set.machines.sign(asked);
    let good = sign(&Asked { serial: 5, ..CLIENT });
    let revoked = sign(&Asked { serial: 6, ..CLIENT });
    let expired = sign(&Asked { serial: 7, days: (-2, -1), ..CLIENT });
    let early = sign(&Asked { serial: 8, days: (2, 3), ..CLIENT });
    let server = sign(&Asked { serial: 9, purpose: ExtendedKeyUsagePurpose::ServerAuth, ..CLIENT });
    let stranger = Authority::new("machines").sign(&Asked { serial: 5, ..CLIENT });
    let in_force = set.tls(&set.machines.revoke(&[6], 10));
    let out_of_date = set.tls(&set.machines.revoke(&[6], -1));
    let of_others = set.tls(&Authority::new("others").revoke(&[], 10));
    for (version, _) in VERSIONS {
        let (_, connection) = set.shake(&in_force, version, Some(&good)).unwrap();
        let chain = connection.peer_certificates().unwrap().to_vec();
        assert_eq!(in_force.check_again(&chain), Ok(()));
        assert_eq!(
            out_of_date.check_again(&chain).unwrap_err().to_string(),
            "no revocation list in force covers the client certificate"
        );
        assert!(set.shake(&in_force, version, None).unwrap().1.peer_certificates().is_none(), "a person");
        for (what, one) in [
            ("revoked", &revoked),
            ("expired", &expired),
            ("early", &early),
            ("server", &server),
            ("stranger", &stranger),
        ] {
            assert!(set.shake(&in_force, version, Some(one)).is_err(), "{what}");
        }
        assert!(
            set.shake(&out_of_date, version, Some(&good)).is_err(),
            "a list that is out of date says nothing"
        );
        assert!(
            set.shake(&of_others, version, Some(&good)).is_err(),
            "nor does the list of another authority"
        );
    }
}

#[test]
fn nothing_is_resumed_where_client_certificates_are_asked() {
    let set = Machines::new();
    let good = set.machines.sign(&CLIENT);
    let asking = Arc::new(set.tls(&set.machines.revoke(&[], 10)).config().unwrap());
    let pem = TlsPem {
        chain: set.presented.certificate.as_bytes(),
        key: set.presented.key.as_bytes(),
        clients: None,
    };
    let plain = Arc::new(ServerTls::new(&pem).unwrap().config().unwrap());
    for (version, _) in VERSIONS {
        for (server, own, second) in [
            (&asking, Some(&good), HandshakeKind::Full),
            (&asking, None, HandshakeKind::Full),
            (&plain, None, HandshakeKind::Resumed),
        ] {
            let client = client(&set.servers.pem(), version, own);
            shake(server, &client, "localhost").unwrap();
            let (again, _) = shake(server, &client, "localhost").unwrap();
            assert_eq!(again.handshake_kind(), Some(second), "{version:?}");
        }
    }
}

#[test]
fn what_is_replaced_holds_from_the_next_handshake_and_for_connections_that_stand() {
    let mut set = Machines::new();
    let good = set.machines.sign(&Asked { serial: 5, ..CLIENT });
    let tls = set.tls(&set.machines.revoke(&[], 10));
    let server = Arc::new(tls.config().unwrap());
    let (_, stands) = shake(&server, &client(&set.servers.pem(), &TLS13, Some(&good)), "localhost").unwrap();
    let chain = stands.peer_certificates().unwrap().to_vec();

    // A certificate of another authority: clients that trust only that one get in, with the settings made before.
    let others = Authority::new("other servers");
    set.presented = others.sign(&SERVER);
    set.with(&set.machines.revoke(&[], 10), |pem| tls.replace(pem)).unwrap();
    assert!(shake(&server, &client(&set.servers.pem(), &TLS13, None), "localhost").is_err());
    assert!(shake(&server, &client(&others.pem(), &TLS13, Some(&good)), "localhost").is_ok());
    assert_eq!(tls.check_again(&chain), Ok(()));

    // Revoked.
    set.with(&set.machines.revoke(&[5], 10), |pem| tls.replace(pem)).unwrap();
    assert!(shake(&server, &client(&others.pem(), &TLS13, Some(&good)), "localhost").is_err());
    assert_eq!(tls.check_again(&chain).unwrap_err().to_string(), "client certificate was revoked");

    // What cannot be used changes nothing, not even the half of it that could.
    let before = set.presented.clone();
    set.presented = set.servers.sign(&SERVER);
    assert!(set.with("no list", |pem| tls.replace(pem)).is_err());
    set.presented.key = set.servers.sign(&SERVER).key;
    assert!(set.with(&set.machines.revoke(&[], 10), |pem| tls.replace(pem)).is_err());
    let alone = TlsPem { chain: before.certificate.as_bytes(), key: before.key.as_bytes(), clients: None };
    assert!(tls.replace(&alone).unwrap_err().to_string().contains("restart"));
    assert!(
        shake(&server, &client(&others.pem(), &TLS13, Some(&good)), "localhost").is_err(),
        "still revoked"
    );
    assert!(
        shake(&server, &client(&others.pem(), &TLS13, None), "localhost").is_ok(),
        "still the other authority"
    );

    // Another authority of machines altogether.
    set.presented = before;
    set.machines = Authority::new("new machines");
    set.with(&set.machines.revoke(&[], 10), |pem| tls.replace(pem)).unwrap();
    assert_eq!(
        tls.check_again(&chain).unwrap_err().to_string(),
        "client certificate is of an unknown authority"
    );
}

#[test]
fn what_cannot_be_used_is_told_without_its_content() {
    let (made, other) = (development(2), development(1));
    let (chain, key) = (made.servers()[0].chain_pem().as_bytes(), made.servers()[0].key_pem().as_bytes());
    let asking = |roots: &[u8], revoked: &[u8]| {
        ServerTls::new(&TlsPem { chain, key, clients: Some(ClientAuthority { roots, revoked }) }).map(drop)
    };
    let plain = |chain: &[u8], key: &[u8]| server_config(chain, key).map(drop);
    let list = Authority::new("a").revoke(&[], 10);
    let cases = [
        (plain(b"", key), "server certificate holds no PEM"),
        (plain(key, key), "server certificate holds no PEM"),
        (plain(chain, chain), "server key holds no PEM"),
        (plain(chain, b"\xff\0"), "server key holds no PEM"),
        (plain(chain, made.servers()[1].key_pem().as_bytes()), "do not fit together"),
        (plain(chain, other.servers()[0].key_pem().as_bytes()), "do not fit together"),
        (asking(b"", list.as_bytes()), "client authority holds no PEM"),
        (asking(made.authority_pem().as_bytes(), b""), "revocation list holds no PEM"),
        (asking(made.authority_pem().as_bytes(), chain), "revocation list holds no PEM"),
    ];
    for (outcome, expected) in cases {
        let told = outcome.unwrap_err().to_string();
        assert!(told.contains(expected), "{told} lacks {expected}");
    }
}
