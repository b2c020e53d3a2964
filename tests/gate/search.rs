//! Search and reading tell nothing of redacted values: over HTTP, an archive answers as one without them does, byte for
//! byte, with its headers, counts, order and pages.

use super::stage::{ISSUER, grant, reading_room};
use crate::support::{TestVault, start};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use actix_web::{App, body::to_bytes};
use knik::config::Limits;
use knik::http::reading_room::{RoomDesk, routes};
use knik::http::token::{AlgorithmFamily, DevelopmentIssuer, Issuer, IssuerSettings, Minting, Verifier};
use knik::http::{Admission, Pace};
use knik::model::Role;
use serde_json::{Value, json};
use std::sync::Arc;

/// What one person of the conversation gives away.
struct Person {
    id: &'static str,
    handle: &'static str,
    name: &'static str,
    said: &'static str,
}

const ONE: [Person; 2] = [
    Person { id: "101", handle: "barnewitz", name: "Thijmen Barnewitz", said: "bel 06-12345678" },
    Person {
        id: "102",
        handle: "oud_lelie",
        name: "Fatima el Ouarrak",
        said: "mail f.ouarrak@voorbeeld.example",
    },
];
const OTHER: [Person; 2] = [
    Person { id: "77", handle: "qq", name: "Bo Li", said: "bel 0031 6 1234 5679" },
    Person { id: "9", handle: "w_w_w", name: "Tjitske Wierdsma-Terpstee", said: "mail a@b.example" },
];

/// Fifteen reactions under a post, so that there are pages.
fn conversation(people: &[Person; 2]) -> Vec<u8> {
    let account = |person: &Person| {
        json!({"id": person.id, "username": person.handle, "acct": person.handle, "display_name": person.name,
            "url": format!("https://social.leefomgeving.example/@{}", person.handle)})
    };
    let status = |n: usize| {
        let person = &people[n % 2];
        let text = format!("Wanneer komt beschikking {n}? {} of niet, groet {}", person.said, person.name);
        json!({"id": format!("{}", 1_000 + n), "uri": format!("https://social.leefomgeving.example/s/{n}"),
            "created_at": format!("2026-03-09T10:{n:02}:00.000Z"), "edited_at": null, "visibility": "public",
            "in_reply_to_id": (n > 0).then_some("1000"), "content": format!("<p>{text}</p>"), "language": "nl",
            "spoiler_text": "", "account": account(person), "mentions": [], "media_attachments": [], "tags": []})
    };
    let statuses: Vec<Value> = (0..16).map(status).collect();
    serde_json::to_vec(&json!({"ancestors": [], "descendants": statuses})).unwrap()
}

/// What is searched for: redacted values whole and in part, words that are there, and what other engines take for operators.
fn searches() -> Vec<String> {
    let mut searches: Vec<String> = ONE
        .iter()
        .chain(&OTHER)
        .flat_map(|person| [person.name, person.handle, person.said])
        .chain(["barnewitz", "Ouarrak", "0612345678", "12345678", "voorbeeld.example", "f.ouarrak"])
        .chain(["beschikking", "wanneer komt", "groet", "15", "persoon", "telefoonnummer", "nietbestaand"])
        .map(str::to_owned)
        .collect();
    for operator in [
        "barnewitz*",
        "barnew%",
        "barne_itz",
        "\"barnewitz\"",
        "barnewitz OR beschikking",
        "NOT beschikking",
        "beschikking NEAR/3 groet",
        "beschikking -barnewitz",
        "text:barnewitz",
        "^barnewitz",
        "barnewitz | groet",
        "' OR 1=1 --",
        "'; DROP TABLE term; --",
        "beschikking' UNION SELECT document FROM projection --",
        "%",
        "_",
        "*",
        "\\",
        "beschikking\u{0}barnewitz",
        "beschikking\u{200b}",
        "BARNEWITZ",
        "barnewit\u{73}",
        "b\u{430}rnewitz",
    ] {
        searches.push(operator.to_owned());
    }
    searches
}

/// Everything that a researcher gets of an archive: status, headers and bytes of each answer, in order.
async fn answers(people: &[Person; 2]) -> Vec<String> {
    let (vault, channels) = TestVault::demo(21).await;
    let channel = &channels.iter().find(|demo| demo.channel.id.as_str() == "low-mastodon").unwrap().channel;
    vault.ingest_bytes(channel, &conversation(people)).await.unwrap();
    vault.round().await;
    let held = grant(&vault, "min-low", "reads").await;
    let issuer = DevelopmentIssuer::new(&[7; 32], "https://knik.example").unwrap();
    let settings = IssuerSettings {
        issuer: ISSUER.to_owned(),
        audience: "https://knik.example".to_owned(),
        algorithm: AlgorithmFamily::EdDsa,
        types: vec!["at+jwt".to_owned()],
        parties: Vec::new(),
        lifetime_max_seconds: 3_600,
    };
    let verifier = Verifier::new(vec![Issuer::new(settings, &issuer.key_set()).unwrap()]);
    let asked = Minting {
        subject: "reads",
        role: Role::Researcher,
        organisation: &"universiteit".parse().unwrap(),
        now: start(),
        lifetime_seconds: 3_600,
        jti: "one",
    };
    let token = issuer.mint(&asked).unwrap();
    let desk = RoomDesk { room: reading_room(&vault), pace: Arc::new(Pace::new(&no_limits(), start)) };
    let app = App::new()
        .app_data(Data::new(Admission::new(verifier, start)))
        .app_data(Data::new(desk))
        .configure(routes);
    let app = init_service(app).await;
    let mut told = Vec::new();
    let mut requests: Vec<(String, Option<Value>)> = vec![("/v1/records".to_owned(), None)];
    requests.push((format!("/v1/records?grant={held}&limit=3"), None));
    for query in searches() {
        for limit in [1, 5, 100] {
            requests.push(("/v1/records/_search".to_owned(), Some(json!({"query": query, "limit": limit}))));
        }
        let dated =
            json!({"query": query, "from": "2026-03-09", "until": "2026-03-09", "channel": "low-mastodon"});
        requests.push(("/v1/records/_search".to_owned(), Some(dated)));
    }
    let mut at = 0;
    while at < requests.len() {
        let (path, body) = requests[at].clone();
        at += 1;
        let request = match &body {
            Some(body) => TestRequest::post().set_json(body),
            None => TestRequest::get(),
        };
        let request = request.uri(&path).insert_header(("Authorization", format!("Bearer {token}")));
        let answer = call_service(&app, request.to_request()).await;
        let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        let bytes = to_bytes(answer.into_body()).await.unwrap_or_default();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        // Every next page, and the record and conversation that a page names.
        let page: Value = serde_json::from_str(&text).unwrap();
        if let (Some(next), Some(mut body)) = (page["next"].as_str(), body.clone()) {
            body["after"] = json!(next);
            requests.push((path.clone(), Some(body)));
        }
        if path == "/v1/records" {
            for record in page["records"].as_array().unwrap() {
                requests.push((format!("/v1/records/{}", record["id"].as_str().unwrap()), None));
                requests
                    .push((format!("/v1/conversations/{}", record["conversation"].as_str().unwrap()), None));
            }
        }
        let asked = body.map(|body| body.to_string()).unwrap_or_default();
        told.push(format!("{path} {asked}\n{status} {headers}\n{text}"));
        assert!(told.len() < 5_000, "pages go round in a circle");
    }
    told
}

fn no_limits() -> Limits {
    Limits { requests_per_minute: 0, searches_per_minute: 0 }
}

#[actix_web::test]
async fn an_archive_answers_as_one_without_the_redacted_values_does() {
    let (one, other) = (answers(&ONE).await, answers(&OTHER).await);
    assert_eq!(one.len(), other.len());
    assert!(one.len() > 200, "{}", one.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
        let (_, answer) = one.split_once('\n').unwrap();
        assert!(
            !answer.contains("etag") && !answer.contains("Barnewitz") && !answer.contains("Ouarrak"),
            "{answer}"
        );
    }
    let found = |word: &str| {
        let counted = |told: &&String| told.contains(word) && told.contains("\"about\"");
        one.iter().filter(counted).count()
    };
    let told = one.iter().find(|told| told.contains("\"query\":\"beschikking\"")).unwrap();
    assert!(found("\"query\":\"beschikking\"") > 0, "a word that is there is found: {told}");
    assert_eq!(found("\"query\":\"barnewitz\""), 0, "and a name that was redacted is not");
    println!("search: {} answers, alike byte for byte", one.len());
}
