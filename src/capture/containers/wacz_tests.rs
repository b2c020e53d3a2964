//! Invented WACZ files, sound and not, signed and not.

use super::super::build::{Pack, answer, gzip, zip};
use super::super::digest::Hash;
use super::super::tests::{assert_tiled, read, refusals};
use crate::capture::tests::tally;
use crate::capture::{CaptureError, Format, Limits, open};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const POST: &str = r#"{"created_at":"Mon May 04 09:30:00 +0000 2026","id_str":"1","text":"Fenna","user":{"id_str":"7","screen_name":"f","protected":false}}"#;

fn sum(algorithm: &str, bytes: &[u8]) -> String {
    let mut hash = Hash::named(algorithm).unwrap();
    hash.update(bytes);
    hex::encode(hash.finish())
}

struct Parts {
    archive: Vec<u8>,
    package: String,
    digest: Option<String>,
}

impl Parts {
    fn new() -> Self {
        let archive = gzip(&answer("", POST.as_bytes()));
        let hash = sum("sha256", &archive);
        let size = archive.len();
        let package = format!(
            r#"{{"profile":"data-package","wacz_version":"1.1.1","resources":[{{"name":"a","path":"archive/a.warc.gz","hash":"sha256:{hash}","bytes":{size}}}]}}"#
        );
        Self { archive, package, digest: None }
    }

    fn outcome(&self) -> Result<u64, String> {
        let mut entries = vec![
            ("archive/a.warc.gz", self.archive.as_slice(), Pack::Stored),
            ("pages/pages.jsonl", b"{\"format\":\"json-pages-1.0\"}\n", Pack::Deflated),
            ("datapackage.json", self.package.as_bytes(), Pack::Deflated),
        ];
        entries
            .extend(self.digest.as_ref().map(|d| ("datapackage-digest.json", d.as_bytes(), Pack::Deflated)));
        judged(&zip(&entries))
    }
}

fn judged(bytes: &[u8]) -> Result<u64, String> {
    let opened = open(bytes, None, Limits::default()).unwrap();
    assert_eq!(opened.format(), Format::Wacz);
    let units: Result<Vec<_>, CaptureError> = opened.collect();
    let units = units.map_err(|error| error.to_string())?;
    assert_tiled("wacz", bytes, &units, true);
    assert!(refusals(&units).is_empty(), "{:?}", refusals(&units));
    Ok(tally(&units)[0])
}

fn assert_refused(parts: &Parts, wrong: &str) {
    let said = parts.outcome().unwrap_err();
    assert!(said.contains(wrong), "{said} / {wrong}");
}

#[test]
fn resources_are_held_against_the_list() {
    assert_eq!(Parts::new().outcome(), Ok(1));
    let changed = |find: &str, to: &str| {
        let mut parts = Parts::new();
        assert!(parts.package.contains(find), "{find}");
        parts.package = parts.package.replace(find, to);
        parts
    };
    let hash = sum("sha256", &Parts::new().archive);
    for algorithm in ["md5", "sha1", "sha512"] {
        let other = format!("{algorithm}:{}", sum(algorithm, &Parts::new().archive));
        assert_eq!(changed(&format!("sha256:{hash}"), &other).outcome(), Ok(1), "{algorithm}");
    }
    // Without an algorithm it is MD5; drafts name it apart.
    assert_eq!(changed(&format!("sha256:{hash}"), &sum("md5", &Parts::new().archive)).outcome(), Ok(1));
    let draft = format!(r#""stats":{{"hash":"{hash}"}},"hashing":"sha256""#);
    assert_eq!(changed(&format!(r#""hash":"sha256:{hash}""#), &draft).outcome(), Ok(1));
    assert_refused(&changed(&hash, &sum("sha256", b"x")), "resource 1 of the WACZ has another hash");
    assert_refused(
        &changed(r#""bytes":"#, r#""bytes":1"#),
        "resource 1 of the WACZ has another hash or size",
    );
    assert_refused(&changed("sha256:", "crc32:"), "an algorithm or form that is not known");
    assert_refused(
        &changed("archive/a", "archive/b"),
        "resource 1 that `datapackage.json` lists is not in the WACZ",
    );
    assert_refused(&changed(r#""resources":["#, r#""resources":[],"x":["#), "does not list");
    assert_refused(&changed(r#""resources""#, r#""x""#), "no readable `datapackage.json`");
    assert_refused(&changed("{", "[{"), "no readable `datapackage.json`");
    let archive = Parts::new().archive;
    let without = zip(&[("archive/a.warc.gz", archive.as_slice(), Pack::Stored)]);
    assert!(judged(&without).unwrap_err().contains("no readable `datapackage.json`"));
    assert!(read(&without).is_err());
}

/// A digest file signed by a key, as browsers do it.
fn signed(package: &str, algorithm: &'static EcdsaSigningAlgorithm) -> String {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap();
    let hash = format!("sha256:{}", sum("sha256", package.as_bytes()));
    let signature = STANDARD.encode(pair.sign(&random, hash.as_bytes()).unwrap());
    let point = pair.public_key().as_ref();
    let prefix = if point.len() == 65 { super::P256 } else { super::P384 };
    let key = STANDARD.encode([hex::decode(prefix).unwrap().as_slice(), point].concat());
    format!(
        r#"{{"path":"datapackage.json","hash":"{hash}","signedData":{{"hash":"{hash}","created":"2026-05-04T09:30:00Z","signature":"{signature}","publicKey":"{key}"}}}}"#
    )
}

#[test]
fn a_signature_is_checked_and_an_invalid_one_refused() {
    let mut parts = Parts::new();
    for algorithm in [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_FIXED_SIGNING] {
        parts.digest = Some(signed(&parts.package, algorithm));
        assert_eq!(parts.outcome(), Ok(1));
    }
    let digest = parts.digest.clone().unwrap();
    let other = signed(&parts.package, &ECDSA_P384_SHA384_FIXED_SIGNING);
    let field = |text: &str, name: &str| {
        let at = text.find(&format!("\"{name}\":\"")).unwrap() + name.len() + 4;
        text[at..].split('"').next().unwrap().to_owned()
    };
    for (find, to, wrong) in [
        (field(&digest, "signature"), field(&other, "signature"), "signature of the WACZ does not hold"),
        (field(&digest, "signature"), "%".to_owned(), "signature of the WACZ does not hold"),
        (field(&digest, "publicKey"), field(&other, "publicKey"), "signature of the WACZ does not hold"),
        (field(&digest, "publicKey"), "AAAA".to_owned(), "key or certificate"),
        ("publicKey".to_owned(), "x".to_owned(), "key or certificate"),
        ("\"publicKey\"".to_owned(), "\"domainCert\"".to_owned(), "key or certificate"),
        (
            field(&digest, "hash"),
            format!("sha256:{}", sum("sha256", b"x")),
            "does not match `datapackage.json`",
        ),
        (
            "\"path\":\"datapackage.json\"".to_owned(),
            "\"path\":\"x\"".to_owned(),
            "does not match `datapackage.json`",
        ),
        ("{\"path\"".to_owned(), "{path".to_owned(), "does not match `datapackage.json`"),
    ] {
        parts.digest = Some(digest.replace(&find, &to));
        assert_refused(&parts, wrong);
    }
    // The list changed after it was signed.
    parts.digest = Some(digest.clone());
    parts.package = parts.package.replace("1.1.1", "1.1.0");
    assert_refused(&parts, "does not match `datapackage.json`");
    // A digest without a signature is a digest.
    let mut parts = Parts::new();
    parts.digest = Some(format!(
        r#"{{"path":"datapackage.json","hash":"sha256:{}"}}"#,
        sum("sha256", parts.package.as_bytes())
    ));
    assert_eq!(parts.outcome(), Ok(1));
}

/// The signed sample, when it is there, with each thing changed that its signature or certificates vouch for.
#[test]
fn a_certificate_is_checked_against_domain_time_and_chain() {
    let Some(folder) = crate::capture::tests::captures() else { return };
    let bytes = std::fs::read(folder.join("wacz/valid_signed_example_1.wacz")).unwrap();
    // Unpacked with the reader of the room, and packed again.
    let files = unpacked(&bytes);
    let pack = |change: &dyn Fn(String) -> String| {
        let files: Vec<(String, Vec<u8>)> = files
            .iter()
            .map(|(name, data)| {
                let is_digest = name == "datapackage-digest.json";
                let text = || change(String::from_utf8(data.clone()).unwrap()).into_bytes();
                (name.clone(), if is_digest { text() } else { data.clone() })
            })
            .collect();
        let entries: Vec<_> =
            files.iter().map(|(name, data)| (name.as_str(), data.as_slice(), Pack::Deflated)).collect();
        judged(&zip(&entries))
    };
    assert_eq!(pack(&|text| text), Ok(0));
    for (find, to) in [
        ("btrix-sign-test.webrecorder.net\"", "elsewhere.example\""),
        ("\"created\": \"2022-01-18T19:00:12Z\"", "\"created\": \"2023-01-18T19:00:12Z\""),
        ("MEYCIQCf", "MEYCIQCg"),
    ] {
        let said = pack(&|text| {
            assert!(text.contains(find), "{find}");
            text.replace(find, to)
        });
        assert!(said.unwrap_err().contains("signature of the WACZ does not hold"), "{find}");
    }
}

fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    use super::super::zip_header::Header;
    use std::io::Read;
    let tap = super::super::tap::Tap::new(Box::new(bytes));
    let mut files = Vec::new();
    while tap.array::<4>().unwrap() == Some(*b"PK\x03\x04") {
        let header = Header::local(&tap).unwrap().unwrap();
        let data = tap.up_to(usize::try_from(header.packed).unwrap()).unwrap();
        let mut plain = Vec::new();
        match header.method {
            0 => plain = data,
            _ => drop(flate2::read::DeflateDecoder::new(&data[..]).read_to_end(&mut plain).unwrap()),
        }
        files.push((String::from_utf8(header.name).unwrap(), plain));
    }
    files
}
