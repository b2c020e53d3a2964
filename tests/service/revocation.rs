//! Revocation: at once, on both planes, at every request, and lasting.

use super::fixture::{Plane, Service, knik, temp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fs;

fn jti(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

fn minted(service: &Service, role: &str, organisation: &str, subject: &str) -> String {
    let asked = ["token", "--role", role, "--organisation", organisation, "--subject", subject];
    service.run(&asked).ok().out.trim().to_owned()
}

/// The statuses that a token gets on the reading room and on the vault.
async fn statuses(service: &Service, token: &str) -> [u16; 2] {
    let person = service.bearing(Some(token));
    let room = person.get(Plane::Room, "/v1/records").await.status;
    [room, person.get(Plane::Vault, "/v1/records?limit=1").await.status]
}

const READS: [u16; 2] = [200, 403];
const REFUSED: [u16; 2] = [401, 401];

#[tokio::test]
async fn what_is_revoked_is_refused_at_the_next_request_on_both_planes_and_after_a_restart() {
    let place = temp();
    let mut service = Service::start(place.path(), None, &["demo", "--port", "0"], &[("KNIK_LOG", "info")]);
    let researcher = |service: &Service| minted(service, "researcher", "universiteit", "onderzoeker-1");
    let (one, two) = (researcher(&service), researcher(&service));
    // One client that stays connected: what was found good before is not good for ever.
    let bearer = service.bearing(Some(&one));
    bearer.get(Plane::Room, "/v1/records").await.expect(200);
    assert_eq!(statuses(&service, &one).await, READS);

    let said = service.run(&["revoke", "--jti", &jti(&one), "--reason", "leaked"]).ok();
    assert!(said.out.contains("revoked on both planes"), "{}", said.said());
    let refused = bearer.get(Plane::Room, "/v1/records").await.expect(401);
    let nobody = service.bearing(None).get(Plane::Room, "/v1/records").await.expect(401);
    assert_eq!(refused.body, nobody.body, "the answer does not say why");
    assert_eq!(statuses(&service, &one).await, REFUSED);
    assert_eq!(statuses(&service, &two).await, READS, "another token of the same subject");
    assert!(service.output().contains("token was revoked"), "the log does");

    service.run(&["revoke", "--jti", &jti(&one), "--reason", "leaked"]).refused(&["revoked already"]);
    service.run(&["revoke", "--subject", "onderzoeker-1", "--reason", "left"]).ok();
    assert_eq!(statuses(&service, &two).await, REFUSED);
    assert_eq!(statuses(&service, &researcher(&service)).await, REFUSED, "and every one minted since");
    let other = minted(&service, "official", "min-low", "ambtenaar-1");
    assert_eq!(statuses(&service, &other).await[1], 200, "nobody else");

    // A service that stopped and started again refuses the same.
    service.stop();
    knik(&service.dir, &["revoke", "--person", "ambtenaar-1", "--reason", "account-compromised"]).ok();
    drop(service);
    let service = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    for token in [&one, &two, &other] {
        assert_eq!(statuses(&service, token).await, REFUSED);
    }

    let listed = service.json(&["revoke", "list"]);
    let of = |kind: &str| listed.as_array().unwrap().iter().find(|row| row["kind"] == kind).unwrap().clone();
    assert_eq!(
        (of("token")["value"].as_str(), of("token")["reason"].as_str()),
        (Some(&*jti(&one)), Some("leaked"))
    );
    assert_eq!(service.json(&["status"])["revocations"], 3);
    let id = of("subject")["id"].as_str().unwrap().to_owned();
    service.run(&["revoke", "lift", &id]).ok();
    assert_eq!(statuses(&service, &two).await, READS);
    assert_eq!(statuses(&service, &one).await, REFUSED, "its own revocation stands");
    service.run(&["revoke", "lift", &id]).refused(&["not there"]);

    the_ledger_knows_codes_and_no_names(
        &service,
        &place.path().join("ledger"),
        &[&jti(&one), "onderzoeker-1", "ambtenaar-1"],
    );
}

fn the_ledger_knows_codes_and_no_names(service: &Service, to: &std::path::Path, names: &[&str]) {
    service.run(&["ledger", "export", to.to_str().unwrap()]).ok();
    let mut text = String::new();
    let mut waiting = vec![to.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                text.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
            }
        }
    }
    for word in [
        "identity-revoked",
        "identity-restored",
        "\"outcome\":\"subject\"",
        "\"reasons\":[\"leaked\"]",
        "revocation:",
    ] {
        assert!(text.contains(word), "{word}");
    }
    for name in names {
        assert!(!text.contains(name), "`{name}` stands in the ledger");
    }
}

#[test]
fn a_revocation_that_would_have_no_effect_is_refused() {
    let service = super::fixture::demo();
    for (arguments, says) in [
        (&["--reason", "left"][..], "--subject"),
        (&["--subject", "a"], "--reason"),
        (&["--subject", "a", "--reason", "annoying"], "account-compromised"),
        (&["--subject", "a", "--jti", "b", "--reason", "left"], "cannot be used with"),
        (&["--subject", "a", "--issuer", "https://lgoin.example", "--reason", "left"], "demo-issuer"),
        (&["--subject", " ", "--reason", "left"], "1 to 255"),
        (&["--machine", "dns:nobody.example", "--reason", "left"], "[[machines]]"),
        (&["--certificate", "abc", "--reason", "leaked"], "64 hex digits"),
        (&["lift", "01890000-0000-7000-8000-000000000000"], "not there"),
    ] {
        service.run(&[&["revoke"], arguments].concat()).refused(&[says]);
    }
}
