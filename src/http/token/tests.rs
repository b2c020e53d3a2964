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
    assert_eq!((claims.subject.expose(), claims.jti.as_deref()), ("person-1", Some("t-1")));
    assert_eq!((claims.person.realm.as_str(), claims.person.id.expose()), (DEMO_ISSUER, "person-1"));
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
    let cases = [
        ("{", None),
        ("{\"azp\":\"portal\",", Some(())),
        ("{\"client_id\":\"portal\",", Some(())),
        ("{\"azp\":\"portal\",\"client_id\":\"portal\",", Some(())),
        ("{\"azp\":\"portal\",\"client_id\":\"other\",", None),
        ("{\"azp\":\"other\",\"client_id\":\"portal\",", None),
        ("{\"azp\":\"other\",", None),
        ("{\"client_id\":[\"portal\"],", None),
    ];
    for (with, accepted) in cases {
        let token = demo().sign(&header, &claims.replacen('{', with, 1));
        let outcome = verifier.verify(&format!("Bearer {token}"), now());
        let expected = if accepted.is_some() { None } else { Some(TokenRefusal::AuthorisedParty) };
        assert_eq!(outcome.err(), expected, "{with}");
    }
}

#[test]
fn a_rule_is_relaxed_by_name_and_no_further() {
    let relaxed = |relax_type, relax_token_id| {
        let settings = IssuerSettings { relax_type, relax_token_id, ..settings(AlgorithmFamily::EdDsa) };
        Verifier::new(vec![Issuer::new(settings, &demo().key_set()).unwrap()])
    };
    let (header, claims) = good();
    let untyped = header.replace(",\"typ\":\"at+jwt\"", "");
    let without_id = claims.replace("\"jti\"", "\"jt\"");
    let also = |more: &str| claims.replacen('{', &format!("{{{more},"), 1);
    type Case = (String, String, [Option<TokenRefusal>; 3]);
    let of_type = Some(TokenRefusal::Type);
    let of_id = Some(TokenRefusal::TokenId);
    // Strict; with `typ` relaxed; with `jti` relaxed.
    let cases: Vec<Case> = vec![
        (untyped.clone(), claims.clone(), [of_type, None, of_type]),
        (header.replace("at+jwt", "JWT"), claims.clone(), [of_type, None, of_type]),
        (header.replace("at+jwt", "id+jwt"), claims.clone(), [of_type; 3]),
        (header.replace("at+jwt", "logout+jwt"), claims.clone(), [of_type; 3]),
        (header.replace("\"at+jwt\"", "null"), claims.clone(), [of_type; 3]),
        (untyped.clone(), also("\"nonce\":\"n\""), [of_type; 3]),
        (untyped.clone(), also("\"at_hash\":\"n\""), [of_type; 3]),
        (untyped, also("\"events\":{}"), [of_type; 3]),
        (header.clone(), without_id, [of_id, of_id, None]),
        (header.clone(), claims.replace("\"t-1\"", "null"), [of_id; 3]),
        (header, claims.replace("\"t-1\"", "\"\""), [of_id; 3]),
    ];
    for (header, claims, expected) in cases {
        let token = format!("Bearer {}", demo().sign(&header, &claims));
        let verifiers = [relaxed(false, false), relaxed(true, false), relaxed(false, true)];
        let found = verifiers.map(|verifier| verifier.verify(&token, now()).err());
        assert_eq!(found, expected, "{header} {claims}");
    }
}

#[test]
fn keys_come_and_go_while_tokens_are_verified() {
    let verifier = verifier();
    let token = format!("Bearer {}", minted());
    let issuer = verifier.issuer(DEMO_ISSUER).unwrap();
    issuer.drop_keys();
    assert_eq!(verifier.verify(&token, now()).err(), Some(TokenRefusal::NoKeys));
    assert!(issuer.replace_keys("{}").is_err());
    let other = DevelopmentIssuer::new(&[8; 32], AUDIENCE).unwrap();
    issuer.replace_keys(&other.key_set()).unwrap();
    assert_eq!(verifier.verify(&token, now()).err(), Some(TokenRefusal::UnknownKey));
    assert!(issuer.replace_keys("nonsense").is_err());
    assert_eq!(issuer.key_count(), 1, "what cannot be used changes nothing");
    issuer.replace_keys(&demo().key_set()).unwrap();
    assert!(verifier.verify(&token, now()).is_ok());
    assert_eq!(verifier.claimed_issuer(&token), Some(DEMO_ISSUER));
    for bad in ["", "Bearer a.b.c", "Basic x"] {
        assert_eq!(verifier.claimed_issuer(bad), None, "{bad}");
    }
}

#[test]
fn what_was_verified_once_ends_with_its_time_and_with_the_keys_that_verified_it() {
    let verifier = verifier();
    let token = format!("Bearer {}", minted());
    let issuer = verifier.issuer(DEMO_ISSUER).unwrap();
    let at = |seconds| verifier.verify(&token, now().plus_seconds(seconds));
    let first = at(0).unwrap();
    assert_eq!(at(1).unwrap(), first);
    assert_eq!(at(604).unwrap(), first);
    assert_eq!(at(605).err(), Some(TokenRefusal::Expired));
    assert!(at(0).is_ok(), "verified anew");
    issuer.drop_keys();
    assert_eq!(at(1).err(), Some(TokenRefusal::NoKeys));
    issuer.replace_keys(&demo().key_set()).unwrap();
    assert!(at(1).is_ok());
    // Other bytes are another token, however little they differ.
    assert_eq!(verifier.verify(&format!("{token}="), now()).err(), Some(TokenRefusal::Shape));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[0] ^= 1;
    let spoilt = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes));
    assert_eq!(verifier.verify(&spoilt, now()).err(), Some(TokenRefusal::Signature));
    // However many come, what is remembered has an end, and each is verified all the same.
    for n in 0..20 {
        let other = format!("bearer {}", demo().sign(&good().0, &good().1.replace("t-1", &format!("t-{n}"))));
        assert!(verifier.verify(&other, now()).is_ok() && verifier.verify(&other, now()).is_ok());
    }
}

fn settings(algorithm: AlgorithmFamily) -> IssuerSettings {
    IssuerSettings {
        issuer: DEMO_ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        algorithm,
        types: vec!["at+jwt".to_owned()],
        relax_type: false,
        relax_token_id: false,
        parties: Vec::new(),
        lifetime_max_seconds: 3600,
        mapping: ClaimMapping::default(),
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
