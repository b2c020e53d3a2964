//! The edge itself: requests of every odd shape pass the same gate as plain ones, or are refused before it.

use super::fixture::{Plane, Service, answer, demo, holds_no_canary, temp};
use reqwest::Method;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const ABSENT: &str = "01890000-0000-7000-8000-000000000000";

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A TLS connection on which bytes are sent as they are: no client puts them right.
fn connect(service: &Service, plane: Plane) -> Tls {
    let address = match plane {
        Plane::Room => &service.room,
        Plane::Vault => &service.vault,
    };
    let mut roots = RootCertStore::empty();
    let authority = std::fs::read(service.dir.join("tls/authority.pem")).unwrap();
    roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address.trim_start_matches("https://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    StreamOwned::new(connection, stream)
}

/// Sends bytes and reads until the server closes or says no more.
fn raw(service: &Service, plane: Plane, request: &[u8]) -> String {
    let mut stream = connect(service, plane);
    // A server that refuses stops reading.
    let _refused = stream.write_all(request).and_then(|()| stream.flush());
    let mut said = Vec::new();
    let _closed = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

fn get(path: &str, token: &str, more: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{more}Connection: close\r\n\r\n"
    )
    .into_bytes()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}

async fn view(service: &Service) -> String {
    let page = service.person("researcher").get(Plane::Room, "/v1/records?limit=1").await.expect(200).json();
    page["records"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn ranges_conditions_and_wishes_for_compression_change_nothing() {
    let service = demo();
    let researcher = service.person("researcher");
    let id = view(service).await;
    let plain = researcher.get(Plane::Room, &format!("/v1/records/{id}")).await.expect(200);
    for name in
        ["etag", "last-modified", "accept-ranges", "content-encoding", "set-cookie", "x-powered-by", "server"]
    {
        assert_eq!(plain.header(name), "", "{name}");
    }
    let headers = [
        ("Range", "bytes=0-10"),
        ("Range", "bytes=5-"),
        ("If-None-Match", "*"),
        ("If-Match", "\"x\""),
        ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("If-Range", "\"x\""),
        ("Accept-Encoding", "gzip, br, zstd"),
        ("Accept", "text/html"),
        ("Cache-Control", "only-if-cached"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Original-URL", "/v1/health"),
        ("X-Rewrite-URL", "/v1/health"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "knik.example"),
        ("Forwarded", "for=127.0.0.1;host=knik.example"),
        ("Cookie", "role=official"),
        ("Prefer", "return=minimal"),
    ];
    for (there, expected) in [(&id, 200), (&ABSENT.to_owned(), 404)] {
        let path = format!("/v1/records/{there}");
        let plain = researcher.get(Plane::Room, &path).await.expect(expected);
        for (name, value) in headers {
            let request = researcher.request(Plane::Room, Method::GET, &path).header(name, value);
            let answer = answer(request).await;
            assert_eq!((answer.status, &answer.body), (plain.status, &plain.body), "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn head_and_other_methods_tell_nothing_of_what_is_there() {
    let service = demo();
    let id = view(service).await;
    let token = service.token("researcher", "universiteit", "onderzoeker-1");
    for method in ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "GETT"] {
        let ask = |id: &str| {
            let request =
                get(&format!("/v1/records/{id}"), &token, "").strip_prefix(b"GET").unwrap().to_vec();
            let said = raw(service, Plane::Room, &[method.as_bytes(), &request].concat());
            // Headers come in any order.
            let mut lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("date:")).collect();
            lines.sort_by_key(|line| !line.starts_with("HTTP/"));
            lines[1..].sort_unstable();
            lines.join("\n")
        };
        let (there, not_there) = (ask(&id), ask(ABSENT));
        assert_eq!(there, not_there, "{method}");
        assert!([400, 405].contains(&status(&there)), "{method}: {there}");
    }
}

#[tokio::test]
async fn compressed_bodies_are_not_decoded() {
    let service = demo();
    let researcher = service.person("researcher");
    for encoding in ["gzip", "br", "deflate", "zstd", "identity"] {
        let request = researcher.request(Plane::Room, Method::POST, "/v1/records/_search");
        let request = request.header("Content-Encoding", encoding).json(&json!({"query": "waterbijdrage"}));
        answer(request).await.expect(415);
        let harvester = service.person("harvester");
        let request = harvester.request(Plane::Vault, Method::POST, "/v1/captures?channel=low-mastodon");
        answer(request.header("Content-Encoding", encoding).body("x")).await.expect(415);
    }
}

#[tokio::test]
async fn another_origin_gets_no_leave() {
    let service = demo();
    let token = service.token("researcher", "universiteit", "onderzoeker-1");
    for (plane, path) in
        [(Plane::Room, "/v1/records"), (Plane::Vault, "/v1/records"), (Plane::Room, "/v1/health")]
    {
        let preflight = format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nConnection: close\r\n\
             Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization\r\n\r\n"
        );
        for said in [
            raw(service, plane, preflight.as_bytes()),
            raw(service, plane, &get(path, &token, "Origin: https://evil.example\r\n")),
            raw(service, plane, &get(path, &token, "Origin: null\r\n")),
        ] {
            assert!(!said.to_ascii_lowercase().contains("access-control-"), "{said}");
            assert!(said.contains("cross-origin-resource-policy: same-origin"), "{said}");
        }
        assert_eq!(status(&raw(service, plane, preflight.as_bytes())), 405);
    }
}

#[tokio::test]
async fn a_parameter_that_is_given_twice_is_refused() {
    let service = demo();
    let researcher = service.person("researcher");
    let grant = service.grant_of("min-low");
    for query in [
        "limit=1&limit=100".to_owned(),
        format!("grant={grant}&grant={ABSENT}"),
        "channel=low-mastodon&channel=dwv-x".to_owned(),
        "limit[]=1".to_owned(),
        "limit%5B%5D=1".to_owned(),
        "Limit=1".to_owned(),
        "limit=1;limit=2".to_owned(),
        format!("after={ABSENT}&after={ABSENT}"),
    ] {
        researcher.get(Plane::Room, &format!("/v1/records?{query}")).await.expect(400);
    }
    let official = service.person("official");
    for query in ["outcome=archive&outcome=refer", "organisation=dwv", "limit=1&limit=2"] {
        official.get(Plane::Vault, &format!("/v1/records?{query}")).await.expect(400);
    }
    // A name in the body beside the one in the path, a role of one's own making.
    let records = official.get(Plane::Vault, "/v1/records?outcome=archive&limit=1").await.expect(200).json();
    let path = format!("/v1/records/{}/disclosures", records["records"][0]["id"].as_str().unwrap());
    for (field, value) in
        [("record", ABSENT), ("organisation", "dwv"), ("role", "official"), ("approvedBy", "x")]
    {
        let mut body =
            json!({"legalBasis": "woo-request", "caseNumber": "Z-1", "motivation": "Zoekslag voor de Woo"});
        body[field] = json!(value);
        official.post(Plane::Vault, &path, &body).await.expect(400);
    }
}

#[tokio::test]
async fn paths_of_every_odd_shape_lead_nowhere() {
    let service = demo();
    let id = view(service).await;
    let token = service.token("researcher", "universiteit", "onderzoeker-1");
    let official = service.token("official", "min-low", "ambtenaar-1");
    let odd = [
        format!("/v1/records/../records/{id}"),
        format!("/v1/./records/{id}"),
        format!("//v1/records/{id}"),
        format!("/v1//records/{id}"),
        format!("/v1/records//{id}"),
        format!("/v1/records/{id}/"),
        format!("/v1/records/{id};x=1"),
        format!("/v1/records/{id}%00"),
        format!("/v1/records/%2e%2e/records/{id}"),
        format!("/v1/records/..%2frecords%2f{id}"),
        format!("/v1/records/{id}%2fdecisions"),
        format!("/v1/records/{id}%20"),
        format!("/V1/records/{id}"),
        format!("/v1/Records/{id}"),
        format!("/v1\\records\\{id}"),
        "/v1/records/%ff%fe".to_owned(),
        "/v1/records/*".to_owned(),
        "/v1/records/'%20OR%201=1".to_owned(),
        "/v1/records/%2e%2e%2f%2e%2e%2fkeys".to_owned(),
        "/../../etc/passwd".to_owned(),
        "/vault/catalogue.db".to_owned(),
        "/keys/master-min-low.key".to_owned(),
        "/room/projections.db".to_owned(),
    ];
    for path in odd {
        for (plane, token) in [(Plane::Room, &token), (Plane::Vault, &official)] {
            let said = raw(service, plane, &get(&path, token, ""));
            assert!([400, 404].contains(&status(&said)), "{plane:?} {path}: {said}");
            assert!(!said.contains(&id), "{path}: the answer repeats what was asked");
            holds_no_canary(&said, "an answer to an odd path");
        }
    }
}

#[tokio::test]
async fn an_error_page_repeats_nothing_of_the_request() {
    let service = demo();
    let researcher = service.person("researcher");
    let word = "zoetwatergarnaal";
    for (plane, path) in [
        (Plane::Room, format!("/v1/{word}")),
        (Plane::Room, format!("/v1/records/{word}")),
        (Plane::Room, format!("/v1/records?{word}=1")),
        (Plane::Room, format!("/v1/records?channel={word}%20x")),
        (Plane::Vault, format!("/v1/captures?channel={word}")),
        (Plane::Vault, format!("/v1/records?outcome={word}")),
    ] {
        let answer = answer(researcher.request(plane, Method::GET, &path).header("X-Word", word)).await;
        assert!(answer.status >= 400, "{path}");
        assert!(!answer.text().contains(word), "{path}: {}", answer.text());
        let headers = format!("{:?}", answer.headers);
        assert!(!headers.contains(word), "{path}: {headers}");
    }
}

#[tokio::test]
async fn headers_and_lines_without_end_are_refused_and_the_service_goes_on() {
    let service = demo();
    let token = service.token("researcher", "universiteit", "onderzoeker-1");
    let long = "a".repeat(300_000);
    let many = (0..2_000).map(|n| format!("X-Header-{n}: {n}\r\n")).collect::<String>();
    let requests = [
        get(&format!("/v1/records?channel={long}"), &token, ""),
        get("/v1/records", &token, &format!("X-Long: {long}\r\n")),
        get("/v1/records", &token, &many),
        get("/v1/records", &long, ""),
        b"GET /v1/records HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello".to_vec(),
        b"GET /v1/records HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nConnection: close\r\n\r\n0\r\n\r\n".to_vec(),
        b"POST /v1/records/_search HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"\x00\x01\x02\x03\r\n\r\n".to_vec(),
        b"GET /v1/records HTTP/9.9\r\n\r\n".to_vec(),
    ];
    for request in requests {
        let said = raw(service, Plane::Room, &request);
        assert!(
            !(200..300).contains(&status(&said)),
            "{}: {said}",
            String::from_utf8_lossy(&request[..40.min(request.len())])
        );
    }
    service.bearing(None).get(Plane::Room, "/v1/health").await.expect(200);
}

/// As many drops as a slow client sends, one in a second or more.
const DROPS: u32 = 23;

#[tokio::test]
async fn a_slow_client_is_not_waited_for() {
    let service = demo();
    let token = service.token("researcher", "universiteit", "onderzoeker-1");
    let body = format!(
        "POST /v1/records/_search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 5000\r\n\r\n{{"
    );
    let upload = "POST /v1/captures?channel=low-mastodon HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n";
    let harvester = service.token("harvester", "min-low", "harvester-1");
    let upload = format!("{upload}Authorization: Bearer {harvester}\r\n\r\n[");
    let slow = [
        (Plane::Room, b"GET /v1/records HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_vec(), 'a'),
        (Plane::Room, body.into_bytes(), ' '),
        (Plane::Vault, upload.into_bytes(), '\0'),
    ];
    let waiting: Vec<_> = slow
        .into_iter()
        .map(|(plane, first, drop)| {
            std::thread::spawn(move || {
                let mut stream = connect(demo(), plane);
                stream.write_all(&first).unwrap();
                stream.flush().unwrap();
                // A drop each second, or silence where a drop would be a sign of life.
                for _ in 0..DROPS {
                    std::thread::sleep(Duration::from_secs(1));
                    if drop != '\0' && stream.write_all(&[drop as u8]).and_then(|()| stream.flush()).is_err()
                    {
                        return Some(String::new());
                    }
                    stream.sock.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
                    let mut said = [0; 2_000];
                    match stream.read(&mut said) {
                        Ok(read) => return Some(String::from_utf8_lossy(&said[..read]).into_owned()),
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(_) => return Some(String::new()),
                    }
                }
                None
            })
        })
        .collect();
    for (n, waited) in waiting.into_iter().enumerate() {
        let said = waited.join().unwrap().unwrap_or_else(|| panic!("{n}: waited for {DROPS} drops"));
        assert!(said.is_empty() || status(&said) == 408, "{n}: {said}");
    }
}

#[tokio::test]
async fn ten_thousand_connections_that_ask_nothing_keep_nobody_out() {
    let temp = temp();
    let service = Service::start(temp.path(), None, &["demo", "--port", "0"], &[]);
    // Their tokens are made before anybody waits.
    let _known = (service.person("researcher"), service.person("official"));
    // They take open files of this process too.
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).unwrap();
    let mut standing: Vec<(Vec<Tls>, Vec<TcpStream>)> = Vec::new();
    let mut answered_meanwhile = 0;
    for _ in 0..5 {
        let half = |_| {
            let mut stream = connect(&service, Plane::Room);
            stream.write_all(b"GET /v1/rec").unwrap();
            stream.flush().unwrap();
            stream
        };
        let half: Vec<Tls> = (0..12).map(half).collect();
        let idle: Vec<TcpStream> = (0..1_988)
            .map(|n| {
                let address = if n % 2 == 0 { &service.room } else { &service.vault };
                TcpStream::connect(address.trim_start_matches("https://")).unwrap()
            })
            .collect();
        service.person("researcher").get(Plane::Room, "/v1/records?limit=1").await.expect(200);
        service.person("official").get(Plane::Vault, "/v1/records?limit=1").await.expect(200);
        // How long an answer takes is the machine's. That it did not wait until those that were opened just before it
        // were closed for their silence is the service's.
        answered_meanwhile += usize::from(idle[..2].iter().all(is_open));
        standing.push((half, idle));
    }
    assert_eq!(standing.iter().map(|(half, idle)| half.len() + idle.len()).sum::<usize>(), 10_000);
    assert!(answered_meanwhile > 0, "each answer waited until those that ask nothing were closed");
}

/// Whether the other side has not closed this connection, of which nothing is read.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let said = stream.peek(&mut [0]);
    matches!(said, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn what_one_role_was_answered_is_not_kept_for_another() {
    let service = demo();
    let path = "/v1/records?limit=1&outcome=archive";
    let official = service.person("official").get(Plane::Vault, path).await.expect(200);
    let elsewhere =
        service.known_as("official", "dwv", "ambtenaar-9").get(Plane::Vault, path).await.expect(200);
    assert_ne!(official.body, elsewhere.body, "the same address, another organisation");
    service.bearing(None).get(Plane::Vault, path).await.expect(401);
    for answer in [&official, &elsewhere] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("vary").contains("Authorization"));
    }
}
