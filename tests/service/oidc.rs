//! A real OpenID provider (npm oidc-provider) on loopback: its tokens are taken on both planes, its rotation is followed,
//! and that it goes away is survived. `tests/run.sh` installs it and says where in `KNIK_TEST_OIDC`.

use super::fixture::{PATIENCE, Plane, Service, answer, demo, knik, sample, temp, wait_for};
use knik::http::token::{
    AlgorithmFamily, ClaimMapping, Issuer, IssuerSettings, KeyAddress, KeySource, OrganisationSource,
    SourceError, TokenRefusal, Verifier,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/oidc.mjs");

/// Where the provider is installed. Says which test is left out otherwise.
fn modules(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("KNIK_TEST_OIDC").map(PathBuf::from);
    if named.is_none() {
        println!("left out: {test} (KNIK_TEST_OIDC is not set)");
    }
    named
}

/// A running provider; stopped when it is dropped.
struct Provider {
    process: Child,
    issuer: String,
    client: Client,
    /// It says more later, and ends when nobody takes that.
    _output: BufReader<ChildStdout>,
}

impl Provider {
    fn start(modules: &PathBuf, port: &str) -> Self {
        let mut command = Command::new("node");
        command.arg(SERVER).arg(modules).arg(port).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        // Warnings of its own come before.
        while !line.starts_with("http://") {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the provider stopped");
        }
        let issuer = line.trim().to_owned();
        let client =
            Client::builder().timeout(PATIENCE).no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Self { process, issuer, client, _output: output }
    }

    fn port(&self) -> &str {
        self.issuer.rsplit(':').next().unwrap()
    }

    /// An access token that the provider made: for whom, with which claims, and what else differs.
    async fn token(&self, subject: &str, claims: &Value, more: &[(&str, &str)]) -> String {
        let claims = claims.to_string();
        let mut asked = vec![("sub", subject), ("claims", claims.as_str())];
        asked.extend(more);
        let url = reqwest::Url::parse_with_params(&format!("{}/test/token", self.issuer), asked).unwrap();
        let made = self.client.get(url).send().await.unwrap();
        assert_eq!(made.status(), 200);
        made.text().await.unwrap()
    }

    async fn person(&self, subject: &str, role: &str, employee: &str) -> String {
        self.token(subject, &person(role, employee), &[]).await
    }

    async fn rotate(&self) {
        let done = self.client.post(format!("{}/test/rotate", self.issuer)).send().await.unwrap();
        assert_eq!(done.text().await.unwrap(), "rotated");
    }

    /// The token endpoint itself, for a client that asks for itself.
    async fn of_client(&self) -> String {
        let asked = self.client.post(format!("{}/token", self.issuer));
        let asked = asked.basic_auth("portal", Some("for%20tests%20only%2C%20known%20to%20everyone"));
        let asked = asked.header("content-type", "application/x-www-form-urlencoded");
        let got = asked.body("grant_type=client_credentials&scope=archive").send().await.unwrap();
        got.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _already = self.process.kill();
        let _already = self.process.wait();
    }
}

fn person(role: &str, employee: &str) -> Value {
    json!({ "realm_access": { "roles": ["offline_access", role] }, "oin": "00000001", "employee": employee })
}

fn configured(issuer: &str) -> String {
    format!(
        "
[[issuers]]
issuer = \"{issuer}\"
audience = \"https://knik.example\"
jwks-url = \"{issuer}/jwks\"
algorithm = \"ES256\"
lifetime-seconds-max = 600
clients = [\"portal\"]

[issuers.claims]
role = \"/realm_access/roles\"
organisation = \"/oin\"
person = \"/employee\"
persons-of = \"rijk\"

[issuers.claims.roles]
archief-lezen = \"researcher\"
archief-openen = \"official\"
archief-aanleveren = \"harvester\"

[issuers.claims.organisations]
00000001 = \"min-low\"
"
    )
}

/// `knik serve` on a folder that the demo filled, with the provider for its only issuer.
fn serve(place: &std::path::Path) -> Service {
    let set = [
        ("KNIK_LOG", "info"),
        ("KNIK_VAULT__LISTEN", "127.0.0.1:0"),
        ("KNIK_READING_ROOM__LISTEN", "127.0.0.1:0"),
    ];
    Service::start(place, None, &["serve"], &set)
}

fn grounds() -> Value {
    json!({ "legalBasis": "woo-request", "caseNumber": "WOO-2026-0117", "motivation": "Zoekslag voor een verzoek" })
}

/// The statuses of a researcher's token on the reading room and an official's on the vault.
async fn statuses(service: &Service, researcher: &str, official: &str) -> [u16; 2] {
    let room = service.bearing(Some(researcher)).get(Plane::Room, "/v1/records").await.status;
    [room, service.bearing(Some(official)).get(Plane::Vault, "/v1/records?limit=1").await.status]
}

#[tokio::test]
async fn a_real_provider_is_followed_on_both_planes() {
    let Some(modules) = modules("a real OpenID provider") else { return };
    let provider = Provider::start(&modules, "0");
    let place = temp();
    let dir = place.path().join("data");
    knik(&dir, &["demo", "--check"]);
    fs::write(dir.join("knik.toml"), configured(&provider.issuer)).unwrap();
    let mut service = serve(place.path());
    let grant = [
        "grant",
        "add",
        "--organisation",
        "min-low",
        "--issuer",
        "rijk",
        "--subject",
        "4711",
        "--purpose",
        "onderzoek",
        "--legal-basis",
        "research",
        "--until",
        "2099-01-01T00:00:00Z",
    ];
    service.run(&grant).ok();

    let researcher = provider.person("r", "archief-lezen", "4711").await;
    let official = provider.person("o", "archief-openen", "0815").await;
    // The grant goes down within a second.
    until_accepted(&service, &researcher, &official).await;
    let records = service.bearing(Some(&researcher)).get(Plane::Room, "/v1/records").await.json();
    assert!(!records["records"].as_array().unwrap().is_empty(), "the grant of person 4711: {records}");
    let machine = provider.of_client().await;
    let capture = sample("low-mastodon-1-posts.json");
    service.bearing(Some(&machine)).deliver("low-mastodon", &capture).await.expect(201);

    what_is_not_for_here_is_refused(&service, &provider).await;
    two_subjects_of_one_person_are_one_person(&service, &provider).await;
    let demo_token = service.token("official", "min-low", "ambtenaar-1");
    assert_eq!(
        statuses(&service, &demo_token, &demo_token).await,
        [401, 401],
        "no demo, no tokens of the demo"
    );

    rotation_is_followed(&service, &provider, &researcher, &official).await;
    a_hang_up_fetches_and_drops_nobody(&service, &provider).await;
    let (researcher, official) = (
        provider.person("r", "archief-lezen", "4711").await,
        provider.person("o", "archief-openen", "0815").await,
    );
    let port = provider.port().to_owned();
    let unknown = forged_with_an_unknown_key(&official);
    drop(provider);

    // Away: the last good keys hold, and it is said that they are not fresh.
    let began = std::time::Instant::now();
    while !service.json(&["status"])["issuers"][0]["failing"].to_string().contains("does not answer") {
        service.bearing(Some(&unknown)).get(Plane::Vault, "/v1/status").await.expect(401);
        assert!(began.elapsed() < PATIENCE, "no fetch failed");
    }
    assert_eq!(statuses(&service, &researcher, &official).await, [200, 200], "away: the last good keys hold");
    let status = service.json(&["status"]);
    assert_eq!(status["issuers"][0]["keys"], 1, "{status}");
    assert!(status["warnings"].to_string().contains("the last good keys hold"), "{status}");

    // Started while it is away: its tokens are refused, and that is said too.
    service.stop();
    drop(service);
    let service = serve(place.path());
    assert_eq!(statuses(&service, &researcher, &official).await, [401, 401]);
    assert!(service.output().contains("the keys of the token's issuer are not known now"));
    let status = service.json(&["status"]);
    assert_eq!(
        (&status["issuers"][0]["keys"], &status["issuers"][0]["fetchedAt"]),
        (&json!(0), &Value::Null)
    );
    assert!(status["warnings"].to_string().contains("its tokens are refused"), "{status}");

    // Back, with other keys: the first token has them fetched.
    let provider = Provider::start(&modules, &port);
    let researcher = provider.person("r", "archief-lezen", "4711").await;
    let official = provider.person("o", "archief-openen", "0815").await;
    until_accepted(&service, &researcher, &official).await;
}

async fn what_is_not_for_here_is_refused(service: &Service, provider: &Provider) {
    let good = person("archief-openen", "0815");
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let both = json!({ "roles": ["archief-lezen", "archief-openen"] });
    let id_token = [("header", "{\"typ\":\"JWT\"}")];
    for (claims, more, reason) in [
        (good.clone(), &[("aud", "https://other.example")][..], TokenRefusal::Audience),
        (good.clone(), &[("client", "elsewhere")], TokenRefusal::AuthorisedParty),
        (good.clone(), &[("alg", "PS256")], TokenRefusal::Algorithm),
        (good.clone(), &[("alg", "EdDSA")], TokenRefusal::Algorithm),
        (good.clone(), &id_token, TokenRefusal::Type),
        (with("realm_access", both), &[], TokenRefusal::Role),
        (with("realm_access", json!({ "roles": ["offline_access"] })), &[], TokenRefusal::Role),
        (with("oin", json!("99999999")), &[], TokenRefusal::Organisation),
        (with("employee", json!(null)), &[], TokenRefusal::Person),
        (with("cnf", json!({ "jkt": "x" })), &[], TokenRefusal::Confirmation),
    ] {
        let token = provider.token("o", &claims, more).await;
        for plane in [Plane::Room, Plane::Vault] {
            service.bearing(Some(&token)).get(plane, "/v1/records").await.expect(401);
        }
        let told = service.output().matches(&reason.to_string()).count();
        assert!(told >= 2, "{reason} is logged by both planes, for {claims}");
    }
}

/// Four eyes, receipts and grants go by persons: a second account does not make a second person.
async fn two_subjects_of_one_person_are_one_person(service: &Service, provider: &Provider) {
    let [one, two] =
        ["account-a", "account-b"].map(|subject| provider.person(subject, "archief-openen", "31415"));
    let (one, two) = (one.await, two.await);
    let other = provider.person("account-c", "archief-openen", "27182").await;
    let bearer = |token: &str| service.bearing(Some(token));
    let records = bearer(&one).get(Plane::Vault, "/v1/records?outcome=archive").await.expect(200).json();
    let path = format!("/v1/records/{}/disclosures", records["records"][0]["id"].as_str().unwrap());
    let opened = bearer(&one).post(Plane::Vault, &path, &grounds()).await.expect(201).json();
    let receipt = format!("/v1/disclosures/{}/receipt", opened["id"].as_str().unwrap());
    bearer(&two).get(Plane::Vault, &receipt).await.expect(200);
    bearer(&other).get(Plane::Vault, &receipt).await.expect(404);
    // And they are revoked as one.
    service.run(&["revoke", "--person", "31415", "--reason", "left"]).ok();
    for token in [&one, &two] {
        bearer(token).get(Plane::Vault, "/v1/records").await.expect(401);
    }
    bearer(&other).get(Plane::Vault, "/v1/records").await.expect(200);
    service.run(&["revoke", "--subject", "account-c", "--reason", "left"]).ok();
    bearer(&other).get(Plane::Vault, "/v1/records").await.expect(401);
}

async fn rotation_is_followed(service: &Service, provider: &Provider, researcher: &str, official: &str) {
    assert_eq!(statuses(service, researcher, official).await, [200, 200]);
    provider.rotate().await;
    assert_eq!(statuses(service, researcher, official).await, [200, 200], "nobody asked yet");
    let new_researcher = provider.person("r", "archief-lezen", "4711").await;
    let new_official = provider.person("o", "archief-openen", "0815").await;
    until_accepted(service, &new_researcher, &new_official).await;
    assert_eq!(statuses(service, researcher, official).await, [401, 401], "keys that were rotated away");
}

/// Fetches that tokens cause have a pause between them: soon is not always at once.
async fn until_accepted(service: &Service, researcher: &str, official: &str) {
    let began = std::time::Instant::now();
    while statuses(service, researcher, official).await != [200, 200] {
        assert!(began.elapsed() < PATIENCE, "new keys are not taken up");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

async fn a_hang_up_fetches_and_drops_nobody(service: &Service, provider: &Provider) {
    let official = provider.person("o", "archief-openen", "0815").await;
    let bearer = service.bearing(Some(&official));
    bearer.get(Plane::Vault, "/v1/records?limit=1").await.expect(200);
    let read = || service.output().matches("TLS files were read again").count();
    let before = read();
    provider.rotate().await;
    assert!(Command::new("kill").args(["-HUP", &service.pid.to_string()]).status().unwrap().success());
    wait_for("both planes to read their files", || (read() >= before + 2).then_some(()));
    // No token named an unknown key: the hang-up alone has the keys fetched.
    let began = std::time::Instant::now();
    while answer(bearer.request(Plane::Vault, Method::GET, "/v1/records?limit=1")).await.status != 401 {
        assert!(began.elapsed() < PATIENCE, "the keys were not fetched");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// The same token under the name of a key that the provider never had.
fn forged_with_an_unknown_key(token: &str) -> String {
    use base64::Engine as _;
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "nobody's" }).to_string();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
    format!("{header}.{}", token.split_once('.').unwrap().1)
}

#[tokio::test]
async fn each_algorithm_of_a_real_provider_verifies_under_its_own_family_only() {
    let Some(modules) = modules("a real OpenID provider's algorithms") else { return };
    let provider = Provider::start(&modules, "0");
    let source = KeyAddress::new(&format!("{}/jwks", provider.issuer), None).unwrap();
    let key_set = source.fetch().await.unwrap();
    let families =
        [AlgorithmFamily::Es256, AlgorithmFamily::Ps256, AlgorithmFamily::Rs256, AlgorithmFamily::EdDsa];
    for family in families {
        let settings = IssuerSettings {
            issuer: provider.issuer.clone(),
            audience: "https://knik.example".to_owned(),
            algorithm: family,
            types: vec!["at+jwt".to_owned()],
            relax_type: false,
            relax_token_id: false,
            parties: Vec::new(),
            lifetime_max_seconds: 600,
            mapping: ClaimMapping {
                organisation: OrganisationSource::Always("min-low".parse().unwrap()),
                ..ClaimMapping::default()
            },
        };
        let verifier = Verifier::new(vec![Issuer::new(settings, &key_set).unwrap()]);
        for signing in families {
            let claims = json!({ "role": "official" });
            let token = provider.token("o", &claims, &[("alg", signing.as_str())]).await;
            let outcome = verifier.verify(&format!("Bearer {token}"), super::pki::now());
            let expected = (signing != family).then_some(TokenRefusal::Algorithm);
            assert_eq!(outcome.err(), expected, "{family:?} {signing:?}");
        }
    }
}

#[tokio::test]
async fn keys_come_over_a_connection_that_is_trusted_or_not_at_all() {
    let service = demo();
    let authority = fs::read(service.dir.join("tls/authority.pem")).unwrap();
    // Any document at an address with a certificate of its own authority.
    let address = format!("{}/v1/openapi.json", service.room);
    let trusted = KeyAddress::new(&address, Some(&authority)).unwrap();
    assert!(trusted.fetch().await.unwrap().contains("openapi"));
    assert_eq!(KeyAddress::new(&address, None).unwrap().fetch().await, Err(SourceError::Connection));
    let absent = KeyAddress::new(&format!("{}/v1/nothing", service.vault), Some(&authority)).unwrap();
    assert_eq!(absent.fetch().await, Err(SourceError::Status(404)));
    assert!(KeyAddress::new(&address, Some(b"no PEM")).is_err());
    let nobody = KeyAddress::new("http://127.0.0.1:9/jwks", None).unwrap();
    assert_eq!(nobody.fetch().await, Err(SourceError::Away));
}
