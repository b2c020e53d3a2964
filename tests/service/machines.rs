//! Machines that come with a certificate, over TLS against a running vault: who gets in as what, and what changes while
//! connections stand.

use super::fixture::{Service, knik, sample, temp, wait_for};
use super::pki::{Asked, Authority, CLIENT, SERVER, Signed};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use knik::http::token::{DEMO_ISSUER, DevelopmentIssuer, Minting};
use knik::model::Role;
use knik::store::keys::KeyFolder;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use tempfile::TempDir;

const CONFIGURED: &str = "
[vault]
client-authorities = \"tls/machines.pem\"
client-revoked = \"tls/machines.crl\"

[[machines]]
certificate = \"dns:harvester.min-low.example\"
organisation = \"min-low\"
role = \"harvester\"

[[machines]]
certificate = \"uri:spiffe://min-low.example/monitor\"
organisation = \"min-low\"
role = \"administrator\"

[[machines]]
certificate = \"cn:harvester dwv\"
organisation = \"dwv\"
role = \"harvester\"
";

/// A demo whose vault takes certificates of an authority of its own.
struct Site {
    place: TempDir,
    authority: Authority,
    service: Service,
}

impl Site {
    fn new(lists_until_days: i64) -> Self {
        let place = temp();
        let dir = place.path().join("data");
        knik(&dir, &["demo", "--check"]);
        let authority = Authority::new("machines of the ministry");
        let config = fs::read_to_string(dir.join("knik.toml")).unwrap();
        fs::write(dir.join("knik.toml"), config + CONFIGURED).unwrap();
        fs::write(dir.join("tls/machines.pem"), authority.pem()).unwrap();
        fs::write(dir.join("tls/machines.crl"), authority.revoke(&[], lists_until_days)).unwrap();
        let service = Service::start(place.path(), None, &["demo", "--port", "0"], &[("KNIK_LOG", "info")]);
        Self { place, authority, service }
    }

    /// Puts a file in the place of another, as a certificate manager does: written beside it and renamed.
    fn replace(&self, name: &str, text: &str) {
        let path = self.service.dir.join(name);
        let beside = self.place.path().join("beside");
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        fs::rename(&beside, path).unwrap();
    }

    fn read_again(&self) -> usize {
        self.service.output().matches("TLS files were read again").count()
    }

    /// Waits until the vault has read its files again.
    fn until_read_again(&self, before: usize) {
        wait_for("the vault to read its files again", || (self.read_again() > before).then_some(()));
    }

    fn connect(&self, own: Option<&Signed>) -> std::io::Result<Connection> {
        let authority = fs::read_to_string(self.service.dir.join("tls/authority.pem")).unwrap();
        Connection::open(&self.service.vault, &authority, own)
    }

    /// The status of a harvester's delivery over a connection of its own.
    fn delivers(&self, own: &Signed, channel: &str) -> u16 {
        self.connect(Some(own)).map_or(0, |mut connection| connection.deliver(channel).unwrap_or(0))
    }

    fn sign(&self, asked: &Asked<'_>) -> Signed {
        self.authority.sign(asked)
    }
}

/// One connection that is kept: what is sent over it is sent over it, not over a new one.
struct Connection(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Connection {
    fn open(address: &str, authority: &str, own: Option<&Signed>) -> std::io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(authority.as_bytes()) {
            roots.add(root.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = CertificateDer::pem_slice_iter(own.certificate.as_bytes()).map(Result::unwrap);
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain.collect(), key).unwrap()
            }
        };
        let name = ServerName::try_from("localhost").unwrap();
        let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut socket = TcpStream::connect(address.trim_start_matches("https://"))?;
        socket.set_read_timeout(Some(super::fixture::PATIENCE))?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(Self(BufReader::new(StreamOwned::new(session, socket))))
    }

    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> std::io::Result<u16> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        self.0.get_mut().write_all(head.as_bytes())?;
        self.0.get_mut().write_all(body)?;
        self.0.get_mut().flush()?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            if let Some(stated) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = stated.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer)?;
        Ok(status)
    }

    fn get(&mut self, path: &str) -> u16 {
        self.ask("GET", path, "", b"").unwrap()
    }

    fn get_with(&mut self, path: &str, token: &str) -> u16 {
        self.ask("GET", path, &format!("Authorization: Bearer {token}\r\n"), b"").unwrap()
    }

    fn deliver(&mut self, channel: &str) -> std::io::Result<u16> {
        let path = format!("/v1/captures?channel={channel}");
        self.ask("POST", &path, "", &sample("low-mastodon-1-posts.json"))
    }
}

const HARVESTER: Asked<'static> = Asked { serial: 11, dns: &["harvester.min-low.example"], ..CLIENT };

#[test]
fn a_machine_is_what_the_configuration_says_its_certificate_is_and_no_more() {
    let site = Site::new(10);
    let harvester = site.sign(&HARVESTER);
    assert_eq!(site.delivers(&harvester, "low-mastodon"), 201);
    assert_eq!(site.delivers(&harvester, "dwv-x"), 404, "another organisation's channel");
    let mut connection = site.connect(Some(&harvester)).unwrap();
    assert_eq!(connection.get("/v1/records"), 403, "a harvester reads nothing");
    assert_eq!(connection.get("/v1/status"), 403);
    let monitor = Asked { serial: 12, uris: &["spiffe://min-low.example/monitor"], ..CLIENT };
    let mut connection = site.connect(Some(&site.sign(&monitor))).unwrap();
    assert_eq!((connection.get("/v1/status"), connection.get("/v1/records")), (200, 403));
    let by_name = site.sign(&Asked { serial: 13, common_name: "harvester dwv", ..CLIENT });
    assert_eq!(site.delivers(&by_name, "low-mastodon"), 404, "it works for the other organisation");
    for (what, asked, says) in [
        ("no name", Asked { serial: 14, ..CLIENT }, "names no machine"),
        ("another name", Asked { serial: 15, dns: &["harvester.example"], ..CLIENT }, "names no machine"),
        ("a wildcard", Asked { serial: 16, dns: &["*.min-low.example"], ..CLIENT }, "names no machine"),
        (
            "a DNS name as common name",
            Asked { serial: 17, common_name: "harvester.min-low.example", ..CLIENT },
            "names no machine",
        ),
        (
            "two machines",
            Asked { serial: 18, common_name: "harvester dwv", ..HARVESTER },
            "names more than one machine",
        ),
    ] {
        assert_eq!(site.delivers(&site.sign(&asked), "low-mastodon"), 401, "{what}");
        assert!(site.service.output().contains(says), "{what}");
    }
    for (what, signed, says) in [
        ("unknown authority", Authority::new("machines of nobody").sign(&HARVESTER), "unknown authority"),
        (
            "an authority of the same name",
            Authority::new("machines of the ministry").sign(&HARVESTER),
            "client certificate cannot be used",
        ),
        ("expired", site.sign(&Asked { days: (-2, -1), ..HARVESTER }), "not valid now"),
        ("a server's", site.sign(&Asked { purpose: SERVER.purpose, ..HARVESTER }), "not for clients"),
    ] {
        assert_eq!(site.delivers(&signed, "low-mastodon"), 0, "{what}: no connection");
        assert!(site.service.output().contains(says), "{what}");
    }
    let mut nobody = site.connect(None).unwrap();
    assert_eq!(nobody.get("/v1/records"), 401);
    assert_eq!(nobody.get("/v1/health"), 200);
    let official = site.service.token("official", "min-low", "ambtenaar-1");
    assert_eq!(nobody.get_with("/v1/records?limit=1", &official), 200, "people come without a certificate");
}

#[test]
fn a_certificate_and_a_token_go_together_only_when_the_token_says_so() {
    let site = Site::new(10);
    let harvester = site.sign(&HARVESTER);
    let official = site.service.token("official", "min-low", "ambtenaar-1");
    let mut connection = site.connect(Some(&harvester)).unwrap();
    assert_eq!(connection.get_with("/v1/records?limit=1", &official), 401, "two who ask in one request");
    assert!(site.service.output().contains("token and client certificate do not belong together"));
    let bound = bound_token(&site.service, &harvester);
    assert_eq!(connection.get_with("/v1/records?limit=1", &bound), 200, "who asks is whom the token names");
    let other = site.sign(&Asked { serial: 19, ..HARVESTER });
    assert_eq!(site.connect(Some(&other)).unwrap().get_with("/v1/records?limit=1", &bound), 401);
    assert_eq!(site.connect(None).unwrap().get_with("/v1/records?limit=1", &bound), 401, "stolen");
}

/// An official's token that only this certificate may bring (RFC 8705).
fn bound_token(service: &Service, own: &Signed) -> String {
    let seed = KeyFolder::open(&service.dir.join("keys")).unwrap().demo_issuer_seed(false).unwrap();
    let issuer = DevelopmentIssuer::new(&*seed, "https://knik.invalid/demo").unwrap();
    let organisation = "min-low".parse().unwrap();
    let asked = Minting {
        subject: "ambtenaar-1",
        role: Role::Official,
        organisation: &organisation,
        now: super::pki::now(),
        lifetime_seconds: 600,
        jti: "bound",
    };
    let token = issuer.mint(&asked).unwrap();
    let (header, claims) = (token.split('.').next().unwrap(), token.split('.').nth(1).unwrap());
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert!(claims.contains(DEMO_ISSUER));
    let certificate = CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap();
    let print = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate);
    let print = URL_SAFE_NO_PAD.encode(print.as_ref());
    let claims = claims.replacen('{', &format!("{{\"cnf\":{{\"x5t#S256\":\"{print}\"}},"), 1);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let key = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&*seed).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).as_ref()))
}

#[test]
fn what_changes_in_the_files_holds_at_once_and_drops_no_connection() {
    let site = Site::new(10);
    let (one, two) = (site.sign(&HARVESTER), site.sign(&Asked { serial: 21, ..HARVESTER }));
    let mut stands = site.connect(Some(&one)).unwrap();
    let mut of_a_person = site.connect(None).unwrap();
    assert_eq!((stands.deliver("low-mastodon").unwrap(), of_a_person.get("/v1/health")), (201, 200));

    // A new server certificate, of another authority: connections go on, new ones see it.
    let before = site.read_again();
    let others = Authority::new("another authority of servers");
    let renewed = others.sign(&SERVER);
    site.replace("tls/vault.key", &renewed.key);
    site.replace("tls/vault.pem", &renewed.certificate);
    site.until_read_again(before);
    assert!(site.connect(None).is_err(), "the new certificate is presented");
    let reach = |own: Option<&Signed>| Connection::open(&site.service.vault, &others.pem(), own);
    assert_eq!(reach(None).unwrap().get("/v1/health"), 200);
    assert_eq!(stands.deliver("low-mastodon").unwrap(), 201, "over the connection made before");
    assert_eq!(of_a_person.get("/v1/health"), 200);

    // A list that revokes one of them: its connection stands and it is refused on it all the same.
    let before = site.read_again();
    site.replace("tls/machines.crl", &site.authority.revoke(&[11], 10));
    site.until_read_again(before);
    assert_eq!(stands.get("/v1/status"), 401, "revoked while connected");
    assert!(site.service.output().contains("client certificate was revoked"));
    assert!(reach(Some(&one)).and_then(|mut again| again.deliver("low-mastodon")).is_err());
    assert_eq!(reach(Some(&two)).unwrap().deliver("low-mastodon").unwrap(), 201);

    // Half a pair, or no list at all: what was read before holds on, and the log says so.
    site.replace("tls/vault.key", &others.sign(&SERVER).key);
    wait_for("the log to say so", || {
        site.service.output().contains("what was read before holds on").then_some(())
    });
    assert_eq!(reach(Some(&two)).unwrap().deliver("low-mastodon").unwrap(), 201);
    site.replace("tls/vault.key", &renewed.key);

    // Revoked here, without any list: by its fingerprint, then by its name.
    let certificate = CertificateDer::from_pem_slice(two.certificate.as_bytes()).unwrap();
    let print = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate);
    let mut connected = reach(Some(&two)).unwrap();
    let print = hex::encode_upper(print.as_ref());
    site.service.run(&["revoke", "--certificate", &print, "--reason", "leaked"]).ok();
    assert_eq!(connected.deliver("low-mastodon").unwrap(), 401);
    let three = site.sign(&Asked { serial: 22, ..HARVESTER });
    let mut connected = reach(Some(&three)).unwrap();
    assert_eq!(connected.deliver("low-mastodon").unwrap(), 201);
    let name = "dns:harvester.min-low.example";
    site.service.run(&["revoke", "--machine", name, "--reason", "device-lost"]).ok();
    assert_eq!(connected.deliver("low-mastodon").unwrap(), 401);
}

#[test]
fn a_list_that_is_out_of_date_lets_nobody_in() {
    let site = Site::new(-1);
    let harvester = site.sign(&HARVESTER);
    assert_eq!(site.delivers(&harvester, "low-mastodon"), 0);
    assert!(site.service.output().contains("no revocation list in force"));
    let before = site.read_again();
    site.replace("tls/machines.crl", &site.authority.revoke(&[], 10));
    site.until_read_again(before);
    assert_eq!(site.delivers(&harvester, "low-mastodon"), 201);
    // The plane of readers asks for no certificate at all.
    let authority = fs::read_to_string(site.service.dir.join("tls/authority.pem")).unwrap();
    let mut room = Connection::open(&site.service.room, &authority, Some(&harvester)).unwrap();
    assert_eq!(room.get("/v1/records"), 401);
    let researcher = site.service.token("researcher", "universiteit", "onderzoeker-1");
    assert_eq!(room.get_with("/v1/records", &researcher), 200);
}
