use super::*;
use serde_json::json;

const AUDIENCE: &str = "https://knik.example/";

fn demo() -> DevelopmentIssuer {
    DevelopmentIssuer::new(&[7; 32], AUDIENCE).unwrap()
}

fn now() -> Timestamp {
    "2026-05-04T09:30:00Z".parse().unwrap()
}

fn verifier() -> Verifier {
    Verifier::new(vec![demo().issuer().unwrap()])
}

/// Header and claims of a good token, as text, to be spoilt.
fn good() -> (String, String) {
    let token = minted();
    let part =
        |n| String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap()).unwrap();
    (part(0), part(1))
}

fn minted() -> String {
    let organisation = "min-low".parse().unwrap();
    let asked = Minting {
        subject: "person-1",
        role: Role::Researcher,
        organisation: &organisation,
        now: now(),
        lifetime_seconds: 600,
        jti: "t-1",
    };
    demo().mint(&asked).unwrap()
}

fn verify(token: &str, at: Timestamp) -> Result<Claims, TokenRefusal> {
    verifier().verify(&format!("Bearer {token}"), at)
}

#[test]
fn a_minted_token_verifies_and_hides_who_it_is_of() {
    let claims = verify(&minted(), now()).unwrap();
    assert_eq!((claims.role, claims.organisation.as_str()), (Role::Researcher, "min-low"));
    assert_eq!((claims.subject.expose(), claims.jti.as_str()), ("person-1", "t-1"));
    assert_eq!((claims.issuer.as_str(), claims.expires_at), (DEMO_ISSUER, now().plus_seconds(600)));
    let shown = format!("{claims:?} {:?} {:?}", verifier(), demo());
    assert!(!shown.contains("person-1") && !shown.contains("t-1\""), "{shown}");
    assert!(verifier().verify(&format!("bearer {}", minted()), now()).is_ok(), "the scheme has no case");
}

#[test]
fn clocks_may_differ_by_five_seconds_and_no_more() {
    let cases =
        [(-6, Some(TokenRefusal::NotYet)), (-5, None), (604, None), (605, Some(TokenRefusal::Expired))];
    for (seconds, refusal) in cases {
        assert_eq!(verify(&minted(), now().plus_seconds(seconds)).err(), refusal, "{seconds}");
    }
}

/// What is put in the place of what, in header or claims, and why it must be refused.
fn forgeries() -> Vec<(bool, String, String, TokenRefusal)> {
    use TokenRefusal as T;
    let at = now().seconds();
    let kid = { demo().key_set().split("demo-").nth(1).unwrap().split('"').next().unwrap().to_owned() };
    let header = |from: &str, to: &str, why| (true, from.to_owned(), to.to_owned(), why);
    let claims = |from: &str, to: &str, why| (false, from.to_owned(), to.to_owned(), why);
    let exp = |to: String| (false, format!("\"exp\":{}", at + 600), to, T::Times);
    let mut list = vec![
        header("\"EdDSA\"", "\"none\"", T::Algorithm),
        header("\"EdDSA\"", "\"None\"", T::Algorithm),
        header("\"EdDSA\"", "\"HS256\"", T::Algorithm),
        header("\"EdDSA\"", "\"ES256\"", T::Algorithm),
        header("\"EdDSA\"", "\"RS256\"", T::Algorithm),
        header("\"EdDSA\"", "\"eddsa\"", T::Algorithm),
        header("\"EdDSA\"", "[\"EdDSA\"]", T::Algorithm),
        header("\"alg\":\"EdDSA\",", "", T::Algorithm),
        header("at+jwt", "JWT", T::Type),
        header("at+jwt", "id+jwt", T::Type),
        header("\"at+jwt\"", "null", T::Type),
        header(",\"typ\":\"at+jwt\"", "", T::Type),
        header("{", "{\"crit\":[\"exp\"],", T::Critical),
        header("{", "{\"crit\":[],", T::Critical),
        header("{", "{\"jwk\":{\"kty\":\"OKP\"},", T::EmbeddedKey),
        header("{", "{\"jku\":\"https://evil.example/keys\",", T::EmbeddedKey),
        header("{", "{\"x5c\":[\"MIIB\"],", T::EmbeddedKey),
        header("{", "{\"x5u\":\"https://evil.example/c\",", T::EmbeddedKey),
        header("{", "{\"b64\":false,", T::UnknownHeaderName),
        header("{", "{\"zip\":\"DEF\",", T::UnknownHeaderName),
        header("{", "{\"alg\":\"none\",", T::DuplicateName),
        header("{", "{\"\\u0061lg\":\"none\",", T::DuplicateName),
        header(&kid, "0000", T::UnknownKey),
        header(&format!("demo-{kid}"), "../../../dev/null", T::UnknownKey),
        header(&format!(",\"kid\":\"demo-{kid}\""), "", T::UnknownKey),
        header("}", "} {}", T::Json),
        header("}", ",}", T::Json),
        claims(DEMO_ISSUER, "https://knik.invalid/demo-issuer/", T::Issuer),
        claims(DEMO_ISSUER, "", T::Issuer),
        claims("\"iss\"", "\"is\"", T::Issuer),
        claims(&format!("\"{DEMO_ISSUER}\""), &format!("[\"{DEMO_ISSUER}\"]"), T::Issuer),
        claims(AUDIENCE, "https://knik.example", T::Audience),
        claims(&format!("\"{AUDIENCE}\""), &format!("[\"{AUDIENCE}\",\"https://b.example\"]"), T::Audience),
        claims(&format!("\"{AUDIENCE}\""), "[]", T::Audience),
        claims("\"aud\"", "\"au\"", T::Audience),
        claims("{", "{\"azp\":7,", T::AuthorisedParty),
        claims("\"sub\"", "\"su\"", T::Subject),
        claims("person-1", " ", T::Subject),
        claims("person-1", "a\\u0000b", T::Subject),
        claims("person-1", &"a".repeat(256), T::Subject),
        claims("\"person-1\"", "1", T::Subject),
        claims("\"jti\"", "\"jt\"", T::TokenId),
        claims("t-1", "", T::TokenId),
        claims("\"nbf\"", "\"nb\"", T::Times),
        claims(&format!("\"nbf\":{at}"), "\"nbf\":1.5", T::Times),
        claims(&format!("\"nbf\":{at}"), &format!("\"nbf\":{}", at + 6), T::NotYet),
        claims(&format!("\"iat\":{at}"), &format!("\"iat\":{}", at + 6), T::NotYet),
        claims(&format!("\"iat\":{at}"), &format!("\"iat\":{}", at - 50_000), T::Lifetime),
        claims(&format!("\"exp\":{}", at + 600), &format!("\"exp\":{}", at + 43_201), T::Lifetime),
        claims(&format!("\"exp\":{}", at + 600), &format!("\"exp\":{}", at - 5), T::Expired),
        claims(&format!("\"exp\":{}", at + 600), &format!("\"exp\":{}", i64::MAX), T::Lifetime),
        claims("\"role\":", "\"role\":\"official\",\"role\":", T::DuplicateName),
        claims("{", "{\"deep\":{\"a\":[{\"b\":1,\"b\":2}]},", T::DuplicateName),
        claims("\"researcher\"", "[\"researcher\",\"official\"]", T::Role),
        claims("\"researcher\"", "\"researcher official\"", T::Role),
        claims("\"researcher\"", "\"root\"", T::Role),
        claims("\"role\"", "\"roles\"", T::Role),
        claims("min-low", "../etc", T::Organisation),
        claims("\"organisation\"", "\"org\"", T::Organisation),
    ];
    list.extend(
        ["\"exp\":\"2099\"", "\"exp\":null", "\"exp\":-1", "\"exp\":1e300", "\"ex\":1"]
            .map(|to| exp(to.to_owned())),
    );
    list
}

#[test]
fn every_forged_token_is_refused_for_its_reason() {
    let forgeries = forgeries();
    assert!(forgeries.len() >= 60);
    for (in_header, from, to, expected) in forgeries {
        let (mut header, mut claims) = good();
        let spoilt = if in_header { &mut header } else { &mut claims };
        assert!(spoilt.contains(&from), "nothing to replace: {from} in {spoilt}");
        *spoilt = spoilt.replacen(&from, &to, 1);
        let refusal = verify(&demo().sign(&header, &claims), now()).err();
        assert_eq!(refusal, Some(expected), "{from} -> {}", to.chars().take(60).collect::<String>());
    }
}

#[test]
fn a_header_value_of_another_shape_is_refused() {
    use TokenRefusal as T;
    let token = minted();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = DevelopmentIssuer::new(&[8; 32], AUDIENCE).unwrap();
    let (header, claims) = good();
    let (head, body) = signed.split_once('.').unwrap();
    let swapped =
        format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.replace("researcher", "official")));
    let cases = [
        (String::new(), T::NotBearer),
        ("Bearer".to_owned(), T::NotBearer),
        ("Bearer ".to_owned(), T::NotBearer),
        (format!("Basic {token}"), T::NotBearer),
        (format!("Bearer  {token}"), T::NotBearer),
        (format!("Bearer {token} "), T::NotBearer),
        (format!("Bearer {token}, Bearer {token}"), T::NotBearer),
        (token.clone(), T::NotBearer),
        (format!("Bearer {signed}"), T::Shape),
        (format!("Bearer {signed}."), T::Shape),
        (format!("Bearer .{body}.{signature}"), T::Shape),
        (format!("Bearer {token}.{signature}"), T::Shape),
        (format!("Bearer {token}="), T::Shape),
        (format!("Bearer {}", token.replace('.', "/")), T::Shape),
        (format!("Bearer {}.{signature}", "!".repeat(10)), T::Shape),
        (format!("Bearer {}", "a".repeat(HEADER_BYTES_MAX)), T::TooLong),
        (format!("Bearer {swapped}"), T::Signature),
        (format!("Bearer {}", other.sign(&header, &claims)), T::Signature),
        (format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode([0; 64])), T::Signature),
        (format!("Bearer {signed}.AA"), T::Signature),
        (format!("Bearer {}", demo().sign("[]", &claims)), T::Json),
        (format!("Bearer {}", demo().sign(&header, &"[".repeat(3000))), T::Json),
        (format!("Bearer {}", demo().sign(&header, "\u{feff}{}")), T::Json),
    ];
    for (value, expected) in cases {
        let shown: String = value.chars().take(40).collect();
        assert_eq!(verifier().verify(&value, now()).err(), Some(expected), "{shown}");
    }
}

#[test]
fn a_key_of_another_kind_never_verifies() {
    // The public key as an HMAC secret: the classic confusion. The issuer has one algorithm, so it fails there.
    let (header, claims) = good();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.replace("EdDSA", "HS256")),
        URL_SAFE_NO_PAD.encode(&claims)
    );
    let secret = jsonwebtoken::EncodingKey::from_secret(demo().key_set().as_bytes());
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &secret, Algorithm::HS256).unwrap();
    assert_eq!(verify(&format!("{signed}.{signature}"), now()).err(), Some(TokenRefusal::Algorithm));
}

#[test]
fn a_client_that_may_not_ask_is_refused_where_clients_are_listed() {
    let settings = IssuerSettings { parties: vec!["portal".to_owned()], ..settings(AlgorithmFamily::EdDsa) };
    let verifier = Verifier::new(vec![Issuer::new(settings, &demo().key_set()).unwrap()]);
    let (header, claims) = good();
    let cases = [("{", None), ("{\"azp\":\"portal\",", Some(())), ("{\"azp\":\"other\",", None)];
    for (with, accepted) in cases {
        let token = demo().sign(&header, &claims.replacen('{', with, 1));
        let outcome = verifier.verify(&format!("Bearer {token}"), now());
        let expected = if accepted.is_some() { None } else { Some(TokenRefusal::AuthorisedParty) };
        assert_eq!(outcome.err(), expected, "{with}");
    }
}

fn settings(algorithm: AlgorithmFamily) -> IssuerSettings {
    IssuerSettings {
        issuer: DEMO_ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        algorithm,
        types: vec!["at+jwt".to_owned()],
        parties: Vec::new(),
        lifetime_max_seconds: 3600,
    }
}

#[test]
fn each_algorithm_verifies_with_its_own_key_and_no_other() {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature as s;
    let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let random = SystemRandom::new();
    let rsa = s::RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let public = s::RsaPublicKeyComponents::<Vec<u8>>::from(s::KeyPair::public_key(&rsa));
    let ec = s::EcdsaKeyPair::generate(&s::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = s::KeyPair::public_key(&ec).as_ref().to_vec();
    let keys = json!({ "keys": [
        { "kty": "RSA", "kid": "r", "n": b64(&public.n), "e": b64(&public.e) },
        { "kty": "EC", "crv": "P-256", "kid": "e", "x": b64(&point[1..33]), "y": b64(&point[33..]) },
        { "kty": "RSA", "use": "enc", "kid": "enc", "n": "AA", "e": "AQAB" },
    ]})
    .to_string();
    let sign = |alg: AlgorithmFamily, message: &[u8]| -> Vec<u8> {
        let mut signature = vec![0; rsa.public_modulus_len()];
        match alg {
            AlgorithmFamily::Ps256 => rsa.sign(&s::RSA_PSS_SHA256, &random, message, &mut signature).unwrap(),
            AlgorithmFamily::Rs256 => {
                rsa.sign(&s::RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap()
            }
            _ => signature = ec.sign(&random, message).unwrap().as_ref().to_vec(),
        }
        signature
    };
    let all = [(AlgorithmFamily::Ps256, "r"), (AlgorithmFamily::Rs256, "r"), (AlgorithmFamily::Es256, "e")];
    for (configured, _) in all {
        let verifier = Verifier::new(vec![Issuer::new(settings(configured), &keys).unwrap()]);
        for (signing, kid) in all {
            let header =
                json!({ "alg": signing.as_str(), "typ": "application/AT+JWT", "kid": kid }).to_string();
            let signed = format!("{}.{}", b64(header.as_bytes()), b64(good().1.as_bytes()));
            let token = format!("Bearer {signed}.{}", b64(&sign(signing, signed.as_bytes())));
            let expected = if configured == signing { None } else { Some(TokenRefusal::Algorithm) };
            assert_eq!(verifier.verify(&token, now()).err(), expected, "{configured:?} {signing:?}");
            // A signature of one algorithm under the name of another.
            let header = json!({ "alg": configured.as_str(), "typ": "at+jwt", "kid": kid }).to_string();
            let signed = format!("{}.{}", b64(header.as_bytes()), b64(good().1.as_bytes()));
            let token = format!("Bearer {signed}.{}", b64(&sign(signing, signed.as_bytes())));
            assert_eq!(
                verifier.verify(&token, now()).is_ok(),
                configured == signing,
                "{configured:?} {signing:?}"
            );
        }
    }
}

#[test]
fn key_sets_that_could_do_harm_are_refused() {
    let good = demo().key_set();
    let cases = [
        ("[]".to_owned(), "not a JSON object"),
        ("{\"keys\":{}}".to_owned(), "list `keys`"),
        (good.replacen('{', "{\"keys\":[],", 1), "not a JSON object"),
        (good.replace("\"kty\"", "\"d\":\"AA\",\"kty\""), "private or symmetric"),
        ("{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AA\"}]}".to_owned(), "private or symmetric"),
        (good.replace("\"sig\"", "\"enc\""), "no signature key"),
        (good.replace("\"EdDSA\"", "\"ES256\""), "no signature key"),
        (good.replace("\"Ed25519\"", "\"Ed448\""), "no signature key"),
        (good.replace("\"kid\"", "\"id\""), "no `kid`"),
        (good.replace("\"x\":\"", "\"x\":\"AA"), "malformed"),
        (good.replace("[{", "[{\"key_ops\":[\"encrypt\"],"), "no signature key"),
        (
            format!("{{\"keys\":[{0},{0}]}}", good.split_once('[').unwrap().1.trim_end_matches("]}")),
            "stands twice",
        ),
        ("{\"keys\":[]}".to_owned(), "no signature key"),
    ];
    for (keys, expected) in cases {
        let error = Issuer::new(settings(AlgorithmFamily::EdDsa), &keys).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} lacks {expected}");
    }
    let small = json!({ "keys": [{ "kty": "RSA", "kid": "r", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB" }] });
    let weak = json!({ "keys": [{ "kty": "RSA", "kid": "r", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "e": "Aw" }] });
    for keys in [small, weak] {
        assert!(Issuer::new(settings(AlgorithmFamily::Ps256), &keys.to_string()).is_err());
    }
    for spoil in [
        IssuerSettings { lifetime_max_seconds: 0, ..settings(AlgorithmFamily::EdDsa) },
        IssuerSettings { lifetime_max_seconds: 86_401, ..settings(AlgorithmFamily::EdDsa) },
        IssuerSettings { types: vec![], ..settings(AlgorithmFamily::EdDsa) },
        IssuerSettings { audience: " ".to_owned(), ..settings(AlgorithmFamily::EdDsa) },
    ] {
        assert!(Issuer::new(spoil, &good).is_err());
    }
}

#[test]
fn the_demo_issuer_mints_nothing_that_would_not_verify() {
    let organisation = "min-low".parse().unwrap();
    let asked = |subject, lifetime_seconds, jti| {
        demo().mint(&Minting {
            subject,
            role: Role::Official,
            organisation: &organisation,
            now: now(),
            lifetime_seconds,
            jti,
        })
    };
    assert!(asked("a", 43_200, "b").is_ok_and(|token| verify(&token, now()).is_ok()));
    assert_eq!(asked("a", 43_201, "b"), Err(MintError::Lifetime));
    assert_eq!(asked("a", 0, "b"), Err(MintError::Lifetime));
    assert_eq!(asked("", 60, "b"), Err(MintError::Names));
    assert_eq!(asked("a", 60, " "), Err(MintError::Names));
    assert!(DevelopmentIssuer::new(&[1; 31], AUDIENCE).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(value in "\\PC{0,200}", part in "[A-Za-z0-9_-]{0,60}") {
        let _ = verifier().verify(&value, now());
        let _ = verifier().verify(&format!("Bearer {part}.{part}.{part}"), now());
    }
}
