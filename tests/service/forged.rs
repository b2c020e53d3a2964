//! Tokens that are forged, spoilt or not meant for here: one table, run against the verifier and over TLS against both
//! planes. Each is refused for its own reason, which the log names; the answer is one and the same.

use super::fixture::{ISSUER, Plane, Service, temp};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use knik::http::token::{DevelopmentIssuer, HEADER_BYTES_MAX, Minting, TokenRefusal, Verifier};
use knik::model::{Role, Timestamp};
use knik::store::keys::KeyFolder;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

const AUDIENCE: &str = "https://knik.invalid/demo";

/// What stands in the header, and why it must be refused.
struct Forged {
    what: String,
    header: String,
    reason: TokenRefusal,
}

/// Whoever signs as the issuer does, whatever it is told to.
struct Forger {
    key: Ed25519KeyPair,
    kid: String,
    at: i64,
    header: String,
    claims: String,
}

impl Forger {
    fn new(seed: &[u8], at: Timestamp) -> Self {
        let issuer = DevelopmentIssuer::new(seed, AUDIENCE).unwrap();
        let organisation = "universiteit".parse().unwrap();
        let asked = Minting {
            subject: "onderzoeker-1",
            role: Role::Researcher,
            organisation: &organisation,
            now: at,
            lifetime_seconds: 600,
            jti: "t-1",
        };
        let token = issuer.mint(&asked).unwrap();
        let part = |n: usize| {
            String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap()).unwrap()
        };
        let kid = issuer.key_set().split("demo-").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let key = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
        Self { key, kid, at: at.seconds(), header: part(0), claims: part(1) }
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).as_ref()))
    }

    fn good(&self) -> String {
        format!("Bearer {}", self.sign(&self.header, &self.claims))
    }

    /// Every case of the table.
    fn all(&self) -> Vec<Forged> {
        let mut all = Vec::new();
        for (from, to, reason) in self.spoilt_headers() {
            assert!(self.header.contains(&from), "nothing to replace: {from} in {}", self.header);
            let header = self.header.replacen(&from, &to, 1);
            all.push(Forged::new(&from, &to, self.sign(&header, &self.claims), reason));
        }
        for (from, to, reason) in self.spoilt_claims() {
            assert!(self.claims.contains(&from), "nothing to replace: {from} in {}", self.claims);
            let claims = self.claims.replacen(&from, &to, 1);
            all.push(Forged::new(&from, &to, self.sign(&self.header, &claims), reason));
        }
        let shapes = self.shapes().into_iter();
        all.extend(shapes.map(|(what, header, reason)| Forged { what: what.to_owned(), header, reason }));
        all
    }

    fn spoilt_headers(&self) -> Vec<(String, String, TokenRefusal)> {
        use TokenRefusal as T;
        let kid = &self.kid;
        let plain = [
            ("\"EdDSA\"", "\"none\"", T::Algorithm),
            ("\"EdDSA\"", "\"None\"", T::Algorithm),
            ("\"EdDSA\"", "\"HS256\"", T::Algorithm),
            ("\"EdDSA\"", "\"HS512\"", T::Algorithm),
            ("\"EdDSA\"", "\"ES256\"", T::Algorithm),
            ("\"EdDSA\"", "\"RS256\"", T::Algorithm),
            ("\"EdDSA\"", "\"PS256\"", T::Algorithm),
            ("\"EdDSA\"", "\"eddsa\"", T::Algorithm),
            ("\"EdDSA\"", "[\"EdDSA\"]", T::Algorithm),
            ("\"alg\":\"EdDSA\",", "", T::Algorithm),
            ("at+jwt", "JWT", T::Type),
            ("at+jwt", "id+jwt", T::Type),
            ("at+jwt", "logout+jwt", T::Type),
            ("\"at+jwt\"", "null", T::Type),
            (",\"typ\":\"at+jwt\"", "", T::Type),
            ("{", "{\"crit\":[\"exp\"],", T::Critical),
            ("{", "{\"crit\":[],", T::Critical),
            ("{", "{\"jwk\":{\"kty\":\"OKP\"},", T::EmbeddedKey),
            ("{", "{\"jku\":\"https://evil.example/keys\",", T::EmbeddedKey),
            ("{", "{\"x5c\":[\"MIIB\"],", T::EmbeddedKey),
            ("{", "{\"x5u\":\"https://evil.example/c\",", T::EmbeddedKey),
            ("{", "{\"b64\":false,", T::UnknownHeaderName),
            ("{", "{\"zip\":\"DEF\",", T::UnknownHeaderName),
            ("{", "{\"enc\":\"A256GCM\",", T::UnknownHeaderName),
            ("{", "{\"alg\":\"none\",", T::DuplicateName),
            ("{", "{\"\\u0061lg\":\"none\",", T::DuplicateName),
            ("}", "} {}", T::Json),
            ("}", ",}", T::Json),
        ];
        let mut all: Vec<_> = plain.map(|(from, to, why)| (from.to_owned(), to.to_owned(), why)).into();
        all.push((kid.clone(), "0000".to_owned(), T::UnknownKey));
        all.push((format!("demo-{kid}"), "../../../dev/null".to_owned(), T::UnknownKey));
        all.push((format!("demo-{kid}"), "' OR 1=1 --".to_owned(), T::UnknownKey));
        all.push((format!(",\"kid\":\"demo-{kid}\""), String::new(), T::UnknownKey));
        all
    }

    fn spoilt_claims(&self) -> Vec<(String, String, TokenRefusal)> {
        use TokenRefusal as T;
        let at = self.at;
        let thumbprint = URL_SAFE_NO_PAD.encode([7; 32]);
        let plain = |from: &str, to: &str, why| (from.to_owned(), to.to_owned(), why);
        let timed = |name: &str, of: i64, to: String, why| (format!("\"{name}\":{of}"), to, why);
        let moved = |name: &str, of: i64, to: i64, why| timed(name, of, format!("\"{name}\":{to}"), why);
        let mut all = vec![
            plain(ISSUER, "https://knik.invalid/demo-issuer/", T::Issuer),
            plain(ISSUER, "", T::Issuer),
            plain(ISSUER, "urn:knik:machines", T::Issuer),
            plain("\"iss\"", "\"is\"", T::Issuer),
            plain(&format!("\"{ISSUER}\""), &format!("[\"{ISSUER}\"]"), T::Issuer),
            plain(&format!("\"{AUDIENCE}\""), "\"https://knik.invalid\"", T::Audience),
            plain(
                &format!("\"{AUDIENCE}\""),
                &format!("[\"{AUDIENCE}\",\"https://b.example\"]"),
                T::Audience,
            ),
            plain(&format!("\"{AUDIENCE}\""), "[]", T::Audience),
            plain("\"aud\"", "\"au\"", T::Audience),
            plain("{", "{\"azp\":7,", T::AuthorisedParty),
            plain("{", "{\"azp\":\"a\",\"client_id\":\"b\",", T::AuthorisedParty),
            plain("\"sub\"", "\"su\"", T::Subject),
            plain("onderzoeker-1", " ", T::Subject),
            plain("onderzoeker-1", "a\\u0000b", T::Subject),
            plain("onderzoeker-1", &"a".repeat(256), T::Subject),
            plain("\"onderzoeker-1\"", "1", T::Subject),
            plain("\"jti\"", "\"jt\"", T::TokenId),
            plain("t-1", "", T::TokenId),
            plain("\"nbf\"", "\"nb\"", T::Times),
            plain("{", "{\"cnf\":{\"jkt\":\"abc\"},", T::Confirmation),
            plain("{", "{\"cnf\":{\"x5t#S256\":\"abc\"},", T::Confirmation),
            plain("{", "{\"cnf\":\"x\",", T::Confirmation),
            plain(
                "{",
                &format!("{{\"cnf\":{{\"x5t#S256\":\"{thumbprint}\",\"jkt\":\"a\"}},"),
                T::Confirmation,
            ),
            timed("nbf", at, "\"nbf\":1.5".to_owned(), T::Times),
            moved("nbf", at, at + 550, T::NotYet),
            moved("iat", at, at + 550, T::NotYet),
            moved("iat", at, at - 50_000, T::Lifetime),
            moved("exp", at + 600, at + 43_201, T::Lifetime),
            moved("exp", at + 600, at - 5, T::Expired),
            moved("exp", at + 600, i64::MAX, T::Lifetime),
            plain("\"role\":", "\"role\":\"official\",\"role\":", T::DuplicateName),
            plain("{", "{\"deep\":{\"a\":[{\"b\":1,\"b\":2}]},", T::DuplicateName),
            plain("\"researcher\"", "[\"researcher\",\"official\"]", T::Role),
            plain("\"researcher\"", "[\"researcher\"]", T::Role),
            plain("\"researcher\"", "\"researcher official\"", T::Role),
            plain("\"researcher\"", "\"root\"", T::Role),
            plain("\"role\"", "\"roles\"", T::Role),
            plain("\"universiteit\"", "\"../etc\"", T::Organisation),
            plain("\"universiteit\"", "\"nobody\"", T::Organisation),
            plain("\"organisation\"", "\"org\"", T::Organisation),
        ];
        let exp = ["\"exp\":\"2099\"", "\"exp\":null", "\"exp\":-1", "\"exp\":1e300", "\"ex\":1"];
        all.extend(exp.map(|to| timed("exp", at + 600, to.to_owned(), T::Times)));
        all
    }

    fn shapes(&self) -> Vec<(&'static str, String, TokenRefusal)> {
        use TokenRefusal as T;
        let token = self.sign(&self.header, &self.claims);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (head, body) = signed.split_once('.').unwrap();
        let other = Forger { key: Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap(), ..self.copy() };
        let raised = URL_SAFE_NO_PAD.encode(self.claims.replace("researcher", "official"));
        let hmac = {
            let header = self.header.replace("EdDSA", "HS256");
            let signed =
                format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&self.claims));
            let public = aws_lc_rs::signature::KeyPair::public_key(&self.key).as_ref().to_vec();
            let secret = jsonwebtoken::EncodingKey::from_secret(&public);
            let mac = jsonwebtoken::crypto::sign(signed.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256);
            format!("Bearer {signed}.{}", mac.unwrap())
        };
        vec![
            ("another scheme", format!("Basic {token}"), T::NotBearer),
            ("two spaces", format!("Bearer  {token}"), T::NotBearer),
            ("two tokens", format!("Bearer {token}, Bearer {token}"), T::NotBearer),
            ("no scheme", token.clone(), T::NotBearer),
            ("a scheme alone", "Bearer".to_owned(), T::NotBearer),
            ("no signature", format!("Bearer {signed}"), T::Shape),
            ("an empty signature", format!("Bearer {signed}."), T::Shape),
            ("no header", format!("Bearer .{body}.{signature}"), T::Shape),
            ("four parts", format!("Bearer {token}.{signature}"), T::Shape),
            ("five parts, as an encrypted token has", format!("Bearer {token}.a.b"), T::Shape),
            ("padding", format!("Bearer {token}="), T::Shape),
            ("slashes", format!("Bearer {}", token.replace('.', "/")), T::Shape),
            ("no base64", format!("Bearer !!!.!!!.{signature}"), T::Shape),
            ("too long", format!("Bearer {}", "a".repeat(HEADER_BYTES_MAX)), T::TooLong),
            ("claims raised after signing", format!("Bearer {head}.{raised}.{signature}"), T::Signature),
            (
                "another key under this key's id",
                format!("Bearer {}", other.sign(&self.header, &self.claims)),
                T::Signature,
            ),
            (
                "a signature of zeros",
                format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
                T::Signature,
            ),
            ("a signature cut short", format!("Bearer {signed}.AA"), T::Signature),
            ("the public key as a secret", hmac, T::Algorithm),
            ("a list for a header", format!("Bearer {}", self.sign("[]", &self.claims)), T::Json),
            ("claims too deep", format!("Bearer {}", self.sign(&self.header, &"[".repeat(3000))), T::Json),
            ("a byte order mark", format!("Bearer {}", self.sign(&self.header, "\u{feff}{}")), T::Json),
        ]
    }

    fn copy(&self) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let (kid, header, claims) = (self.kid.clone(), self.header.clone(), self.claims.clone());
        Self { key, kid, at: self.at, header, claims }
    }
}

impl Forged {
    fn new(from: &str, to: &str, token: String, reason: TokenRefusal) -> Self {
        let short: String = to.chars().take(60).collect();
        Self { what: format!("{from} -> {short}"), header: format!("Bearer {token}"), reason }
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap()).unwrap()
}

#[test]
fn the_verifier_refuses_every_forged_token_for_its_reason() {
    let forger = Forger::new(&[7; 32], now());
    let issuer = DevelopmentIssuer::new(&[7; 32], AUDIENCE).unwrap();
    let verifier = Verifier::new(vec![issuer.issuer().unwrap()]);
    assert!(verifier.verify(&forger.good(), now()).is_ok(), "what is spoilt was good");
    let all = forger.all();
    for forged in &all {
        let refusal = verifier.verify(&forged.header, now()).err();
        assert_eq!(refusal, Some(forged.reason), "{}", forged.what);
    }
    assert!(all.len() >= 90, "{}", all.len());
}

/// An answer as it came, without its date.
type Seen = (u16, HeaderMap, Vec<u8>);

async fn ask(service: &Service, plane: Plane, headers: &[&str]) -> Seen {
    let mut request = service.bearing(None).request(plane, Method::GET, "/v1/records");
    for header in headers {
        request = request.header(AUTHORIZATION, HeaderValue::from_bytes(header.as_bytes()).unwrap());
    }
    let answer = super::fixture::answer(request).await;
    let mut seen = answer.headers;
    seen.remove(HeaderName::from_static("date"));
    (answer.status, seen, answer.body)
}

fn refusals(service: &Service) -> Vec<String> {
    service.output().lines().filter(|line| line.contains("token refused")).map(str::to_owned).collect()
}

#[tokio::test]
async fn over_tls_both_planes_log_the_reason_and_answer_all_alike() {
    let place = temp();
    let service = Service::start(place.path(), None, &["demo", "--port", "0"], &[("KNIK_LOG", "info")]);
    let seed = KeyFolder::open(&service.dir.join("keys")).unwrap().demo_issuer_seed(false).unwrap();
    let forger = Forger::new(&*seed, now());
    assert_eq!(ask(&service, Plane::Room, &[&forger.good()]).await.0, 200, "what is spoilt was good");
    let mut all: Vec<(String, Vec<String>, TokenRefusal)> =
        forger.all().into_iter().map(|forged| (forged.what, vec![forged.header], forged.reason)).collect();
    all.push(("nothing at all".to_owned(), Vec::new(), TokenRefusal::Nothing));
    all.push(("two headers".to_owned(), vec![forger.good(), forger.good()], TokenRefusal::Nothing));
    let thumbprint = URL_SAFE_NO_PAD.encode([7; 32]);
    let bound = forger.claims.replacen('{', &format!("{{\"cnf\":{{\"x5t#S256\":\"{thumbprint}\"}},"), 1);
    let bound = format!("Bearer {}", forger.sign(&forger.header, &bound));
    all.push(("bound to a certificate that did not come".to_owned(), vec![bound], TokenRefusal::Certificate));
    let mut one_answer = None;
    for (what, headers, reason) in &all {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        for plane in [Plane::Room, Plane::Vault] {
            let before = refusals(&service).len();
            let seen = ask(&service, plane, &headers).await;
            assert_eq!(&seen, one_answer.get_or_insert_with(|| seen.clone()), "{what} on {plane:?}");
            let logged = refusals(&service);
            assert_eq!(logged.len(), before + 1, "{what} on {plane:?}");
            assert!(logged[before].contains(&reason.to_string()), "{what} on {plane:?}: {}", logged[before]);
        }
    }
    assert_eq!(one_answer.unwrap().0, 401);
    println!("forged tokens: {} cases on each of two planes, all refused, one answer", all.len());
}
