//! Files under a grant, from asking to a folder that is verified offline: over TLS, with real tokens, both processes and the
//! command line.

use super::fixture::{ISSUER, Plane, Service, answer, channel_arguments, knik, temp, write};
use crate::exports::stage::{capture, content, posts};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const RESEARCHER: &str = "onderzoeker-7";

/// A service with the forum of invented people.
fn service(place: &std::path::Path) -> Service {
    let service = Service::start(place, None, &["demo", "--port", "0"], &[]);
    let declared = channel_arguments("low-forum", &[]);
    let other = |word: &'static str| match word {
        "mastodon" => "other",
        "social.leefomgeving.example" => "forum.voorbeeld.example",
        word => word,
    };
    service.run(&declared.into_iter().map(other).collect::<Vec<_>>()).ok();
    let file = write(place, "forum.jsonl", &capture(&posts(48)));
    service.run(&["ingest", "--channel", "low-forum", &file]).ok();
    service
}

fn grant(service: &Service, place: &std::path::Path) -> String {
    let asked = json!(content("researcher", "export", "2026-03-01", "2026-03-31"));
    let file = write(place, "request.json", asked.to_string().as_bytes());
    let person = ["--issuer", ISSUER, "--subject", RESEARCHER];
    let written = service.json(&[&["request", "write", "--file", &file, "--submit"][..], &person].concat());
    let id = written["id"].as_str().unwrap().to_owned();
    service.json(&["request", "approve", &id, "Van belang en beperkt."]);
    let accepted = service.json(&[&["request", "step", &id, "accept"][..], &person].concat());
    accepted["grant"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn files_are_made_let_go_and_fetched_over_tls() {
    let place = temp();
    let service = service(place.path());
    let grant = grant(&service, place.path());
    let researcher = service.known_as("researcher", "universiteit", RESEARCHER);
    let approver = service.known_as("approver", "min-low", "directeur-2");
    let other = service.known_as("researcher", "universiteit", "onderzoeker-8");
    // The grant comes down within a round.
    let mut started = researcher.post(Plane::Room, "/v1/exports", &json!({ "grant": grant })).await;
    for _ in 0..1_500 {
        if started.status == 202 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        started = researcher.post(Plane::Room, "/v1/exports", &json!({ "grant": grant })).await;
    }
    let id = started.expect(202).json()["id"].as_str().unwrap().to_owned();
    let at = format!("/v1/exports/{id}");
    let mut seen = Value::Null;
    for _ in 0..1_500 {
        let told = researcher.get(Plane::Room, &at).await;
        seen = if told.status == 200 { told.json() } else { Value::Null };
        if seen["state"] == "waiting" || seen["state"] == "stopped" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let shown = approver.get(Plane::Vault, &at).await.expect(200).json();
    assert_eq!(seen["state"], "waiting", "{shown}\n{}", service.output());
    assert_eq!((&shown["report"]["rows"], &shown["report"]["originalsOpened"]), (&json!(48), &json!(48)));
    other.get(Plane::Room, &at).await.expect(404);
    researcher.get(Plane::Room, &format!("{at}/package")).await.expect(400);
    // Without a mandate nobody lets it go; the officer looks, and decides nothing.
    let text = json!({ "text": "Niets gevonden." });
    approver.post(Plane::Vault, &format!("{at}/releases"), &text).await.expect(403);
    let officer = service.person("data-protection-officer");
    officer.get(Plane::Vault, &at).await.expect(200);
    officer.post(Plane::Vault, &format!("{at}/releases"), &text).await.expect(403);
    service.json(&[
        "mandate",
        "add",
        "--organisation",
        "min-low",
        "--issuer",
        ISSUER,
        "--subject",
        "directeur-2",
        "--document",
        "mandaatbesluit",
        "--until",
        "2099-01-01T00:00:00Z",
    ]);
    approver.post(Plane::Vault, &format!("{at}/releases"), &json!({ "text": " " })).await.expect(400);
    approver.post(Plane::Vault, &format!("{at}/releases"), &text).await.expect(201);
    for _ in 0..1_500 {
        if researcher.get(Plane::Room, &at).await.json()["state"] == "released" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let path = format!("{at}/package");
    let ranged = |range: &str| researcher.request(Plane::Room, Method::GET, &path).header("Range", range);
    answer(ranged("bytes=5-1")).await.expect(400);
    other.get(Plane::Room, &path).await.expect(404);
    let folder = place.path().join("copy");
    let token =
        write(place.path(), "token", service.token("researcher", "universiteit", RESEARCHER).as_bytes());
    let fetched = service.run(&[
        "export",
        "--token-file",
        &token,
        "--reading-room",
        &service.room,
        "fetch",
        &id,
        "--to",
        folder.to_str().unwrap(),
    ]);
    fetched.ok();
    let keys = service.dir.join("ledger-keys.txt");
    let verified = ["verify", "--export", folder.to_str().unwrap(), "--key", keys.to_str().unwrap()];
    knik(&place.path().join("nowhere"), &verified).ok();
    researcher.get(Plane::Room, &path).await.expect(400);
    // What was changed is found.
    let lines = folder.join("records-00001.jsonl");
    let mut bytes = std::fs::read(&lines).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&lines, bytes).unwrap();
    let changed = knik(&place.path().join("nowhere"), &verified);
    assert!(changed.said().contains("records-00001.jsonl"), "{}", changed.said());
    service.run(&["verify"]).ok();
}
