//! Originals: byte for byte under a legal basis, with a receipt; otherwise a refusal, or nothing at all.

use super::fixture::{
    Answer, Person, Plane, Service, answer, demo, knik, sample, samples, temp, wait_for, write,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The id that the platform gave to a reaction of the demo, and words of it that stay readable.
const NATIVE_ID: &str = "116198651920429236";
const READABLE: &str = "klopt de rekenhulp bij jullie wel?";
const ABSENT: &str = "01890000-0000-7000-8000-000000000000";

fn grounds() -> Value {
    json!({
        "legalBasis": "woo-request",
        "caseNumber": "WOO-2026-0117",
        "motivation": "Zoekslag voor een Woo-verzoek over de waterbijdrage",
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut changed = grounds();
    changed[field] = value;
    changed
}

/// Records of the ministry that have a view, as an official lists them.
async fn records(service: &Service) -> Vec<Value> {
    let official = service.person("official");
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/records?outcome=archive&limit=100{after}");
        let page = official.get(Plane::Vault, &path).await.expect(200).json();
        all.extend(
            page["records"].as_array().unwrap().iter().filter(|record| record.get("view").is_some()).cloned(),
        );
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

/// The record of the reaction above.
async fn record(service: &Service) -> String {
    let all = records(service).await;
    let found = all.iter().find(|record| record["view"].to_string().contains(READABLE)).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

async fn open(person: &Person<'_>, record: &str, body: &Value) -> Answer {
    person.post(Plane::Vault, &format!("/v1/records/{record}/disclosures"), body).await
}

fn bytes_of(answer: &Value, part: usize) -> Vec<u8> {
    let part = &answer["original"][part];
    let bytes = STANDARD.decode(part["content"].as_str().unwrap()).unwrap();
    assert_eq!(part["sizeBytes"], bytes.len());
    bytes
}

/// The same item as it stands in the files that were captured, byte for byte.
fn captured() -> Vec<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct Context {
        descendants: Vec<Box<RawValue>>,
    }
    let files = ["low-mastodon-2-context.json", "low-mastodon-3-context-later.json"];
    let items = files.iter().flat_map(|file| {
        let context: Context = serde_json::from_slice(&sample(file)).unwrap();
        context
            .descendants
            .into_iter()
            .filter(|item| item.get().contains(&format!(r#"{{"id":"{NATIVE_ID}""#)))
    });
    let items: Vec<Vec<u8>> = items.map(|item| item.get().as_bytes().to_vec()).collect();
    assert!(!items.is_empty());
    items
}

#[tokio::test]
async fn an_official_gets_the_very_bytes_that_were_captured() {
    let service = demo();
    let official = service.person("official");
    let id = record(service).await;
    let opened = open(&official, &id, &grounds()).await.expect(201);
    assert!(opened.header("location").starts_with("/v1/disclosures/"));
    let item = bytes_of(&opened.json(), 0);
    assert!(captured().contains(&item), "the item differs from what was captured");
    let path = format!("/v1/records/{id}/disclosures");
    let request = official.request(Plane::Vault, Method::POST, &path).json(&grounds());
    let raw = answer(request.header("Accept", "application/octet-stream")).await.expect(201);
    assert_eq!(raw.header("content-type"), "application/octet-stream");
    assert_eq!(raw.body, item, "both forms hold the same bytes");
    let again = official.get(Plane::Vault, raw.header("location")).await.expect(200).json();
    assert!(again["checkpoint"].is_string(), "the receipt of it can be had");
}

#[tokio::test]
async fn every_original_stands_in_a_capture_as_it_was_delivered() {
    let service = demo();
    let official = service.person("official");
    let files = samples();
    let all = records(service).await;
    assert!(all.len() > 3);
    for record in all {
        let opened = open(&official, record["id"].as_str().unwrap(), &grounds()).await.expect(201).json();
        for part in 0..opened["original"].as_array().unwrap().len() {
            let bytes = bytes_of(&opened, part);
            let stands = files.iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes));
            assert!(!bytes.is_empty() && stands, "part {part} of {} stands in no capture", record["id"]);
        }
    }
}

#[tokio::test]
async fn the_receipt_holds_offline_and_no_other_does() {
    let service = demo();
    let opened =
        open(&service.person("official"), &record(service).await, &grounds()).await.expect(201).json();
    let logs = service.person("records-manager").get(Plane::Vault, "/v1/ledger").await.expect(200).json();
    let key_of = |n: usize| logs["logs"][n]["key"].as_str().unwrap().to_owned();
    let (key, other) = (key_of(0), key_of(1));
    let (temp, nowhere) = (temp(), Path::new("/nonexistent/knik"));
    let verify = |receipt: &Value, key: &str| {
        let file = write(temp.path(), "receipt.json", receipt.to_string().as_bytes());
        knik(nowhere, &["verify", "--receipt", &file, "--key", key, "--json"])
    };
    // The answer as a whole and the receipt alone are both good.
    for whole in [&opened, &opened["receipt"]] {
        let verified = verify(whole, &key).ok().json();
        assert_eq!(verified["holds"], true);
        assert!(verified["entry"].to_string().contains(opened["id"].as_str().unwrap()), "{verified}");
        assert!(!verified.to_string().contains("WOO-2026"), "the case stands sealed apart");
    }
    assert_eq!(verify(&opened, &other).code, 1, "with the other log's key");
    let stranger = "demo.knik.invalid/vault+00000000+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
    assert_ne!(verify(&opened, stranger).code, 0, "with a stranger's key");
    let mut tried = 0;
    for (field, changed) in changes(&opened["receipt"]) {
        let ran = verify(&changed, &key);
        assert_eq!(ran.code, 1, "changed at {field}: {}", ran.said());
        tried += 1;
    }
    assert!(tried >= 5, "{tried} changes");
    let file = write(temp.path(), "broken.json", b"{\"receipt\": ");
    knik(nowhere, &["verify", "--receipt", &file, "--key", &key]).refused(&["JSON"]);
    knik(nowhere, &["verify", "--receipt", "/nonexistent/receipt", "--key", &key])
        .refused(&["/nonexistent/receipt"]);
    knik(nowhere, &["verify", "--receipt", &file]).refused(&["--key"]);
}

/// The receipt with one thing changed, for each field.
fn changes(receipt: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (field, value) in receipt.as_object().unwrap() {
        let mut changed = receipt.clone();
        changed[field] = match value {
            Value::Number(number) => json!(number.as_u64().unwrap() + 1),
            Value::String(text) => json!(swapped(text)),
            Value::Array(hashes) if !hashes.is_empty() => {
                let mut fewer = receipt.clone();
                fewer[field].as_array_mut().unwrap().pop();
                all.insert(format!("{field}, one fewer"), fewer);
                let mut other = hashes.clone();
                other[0] = json!(swapped(hashes[0].as_str().unwrap()));
                json!(other)
            }
            _ => json!("x"),
        };
        all.insert(field.clone(), changed);
    }
    let mut more = receipt.clone();
    more["more"] = json!(1);
    all.insert("a field more".to_owned(), more);
    all
}

/// The text with one letter or digit in its middle made another one.
fn swapped(text: &str) -> String {
    let middle = text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).map(|(at, _)| at);
    let middle: Vec<usize> = middle.collect();
    let at = middle[middle.len() / 2];
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn without_grounds_that_hold_an_official_is_refused_with_every_reason() {
    let service = demo();
    let official = service.person("official");
    let id = record(service).await;
    let refused = [
        ("a basis that is not on the list", with("legalBasis", json!("curiosity"))),
        ("a basis for reviewers only", with("legalBasis", json!("quality-control"))),
        ("a basis that needs a second person", with("legalBasis", json!("parliament"))),
        ("no case number", with("caseNumber", json!(""))),
        ("blanks for a case number", with("caseNumber", json!("   "))),
        ("no motivation", with("motivation", json!(""))),
        ("a short motivation", with("motivation", json!("nodig"))),
        ("blanks for a motivation", with("motivation", json!("            "))),
        ("an endless motivation", with("motivation", json!("x".repeat(3_000)))),
    ];
    for (what, body) in refused {
        let answer = open(&official, &id, &body).await;
        assert_eq!(answer.status, 403, "{what}: {}", answer.text());
        let said = answer.json();
        assert!(said["errors"].as_array().is_some_and(|reasons| !reasons.is_empty()), "{what}: {said}");
        assert!(said.get("original").is_none());
    }
    for nobody in [json!("  "), json!("x".repeat(201))] {
        open(&official, &id, &with("recipient", nobody)).await.expect(400);
    }
    open(&official, &id, &with("recipient", json!("Griffie van de Tweede Kamer"))).await.expect(201);
    // Every reason at once, not the first.
    let all_wrong = json!({ "legalBasis": "curiosity", "caseNumber": "", "motivation": "" });
    let one = open(&official, &id, &with("caseNumber", json!(""))).await.json();
    let all = open(&official, &id, &all_wrong).await.expect(403).json();
    let reasons = |said: &Value| said["errors"].as_array().unwrap().len();
    assert!(reasons(&all) >= reasons(&one), "{all}");
    for said in ["basis", "case", "motivation"] {
        assert!(all["errors"].to_string().contains(said), "{said}: {all}");
    }
}

#[tokio::test]
async fn a_request_that_is_not_understood_opens_nothing_and_repeats_nothing() {
    let service = demo();
    let official = service.person("official");
    let id = record(service).await;
    let secret = "geheime-beweegreden";
    for body in [
        json!({}),
        json!({ "legalBasis": "woo-request", "caseNumber": secret }),
        with("motivation", json!({ "text": secret })),
        with("legalBasis", json!(secret.to_uppercase())),
        with("reason", json!(secret)),
    ] {
        let answer = open(&official, &id, &body).await.expect(400);
        assert!(!answer.text().to_lowercase().contains(secret), "{}", answer.text());
    }
}

/// An answer without what differs from one second to the next.
fn without_date(answer: Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let mut headers: Vec<_> = answer.headers.iter().map(header).filter(|(name, _)| name != "date").collect();
    headers.sort();
    (answer.status, headers, answer.body)
}

#[tokio::test]
async fn who_may_not_know_of_it_gets_what_a_record_gets_that_is_not_there() {
    let service = demo();
    let id = record(service).await;
    let people = [
        ("a researcher", service.person("researcher")),
        ("a harvester", service.person("harvester")),
        ("an administrator", service.person("administrator")),
        ("the public", service.person("public")),
        ("an official elsewhere", service.known_as("official", "dwv", "ambtenaar-elders")),
        ("a records manager elsewhere", service.known_as("records-manager", "dwv", "beheerder-elders")),
    ];
    for (who, person) in &people {
        let there = without_date(open(person, &id, &grounds()).await);
        let not = without_date(open(person, ABSENT, &grounds()).await);
        assert_eq!(there.0, 404, "{who}");
        assert_eq!(there, not, "{who}");
        for path in ["", "/decisions"] {
            let of = |id: &str| format!("/v1/records/{id}{path}");
            let there = without_date(person.get(Plane::Vault, &of(&id)).await);
            let not = without_date(person.get(Plane::Vault, &of(ABSENT)).await);
            assert_eq!((there.0, &there), (404, &not), "{who}: {path}");
        }
    }
}

#[tokio::test]
async fn a_records_manager_sees_that_it_is_there_and_does_not_open_it() {
    let service = demo();
    let (manager, id) = (service.person("records-manager"), record(service).await);
    manager.get(Plane::Vault, &format!("/v1/records/{id}")).await.expect(200);
    let refused = open(&manager, &id, &grounds()).await.expect(403);
    assert!(refused.json().get("original").is_none());
    open(&manager, ABSENT, &grounds()).await.expect(404);
}

#[tokio::test]
async fn a_receipt_is_for_the_person_who_opened() {
    let service = demo();
    let opened = open(&service.person("official"), &record(service).await, &grounds()).await.expect(201);
    let at = opened.header("location").to_owned();
    service.person("official").get(Plane::Vault, &at).await.expect(200);
    for (role, organisation) in [("official", "min-low"), ("records-manager", "min-low"), ("official", "dwv")]
    {
        let other = service.known_as(role, organisation, "een-ander");
        let theirs = without_date(other.get(Plane::Vault, &at).await);
        let absent =
            without_date(other.get(Plane::Vault, &format!("/v1/disclosures/{ABSENT}/receipt")).await);
        assert_eq!((theirs.0, &theirs), (404, &absent), "{role} of {organisation}");
    }
}

#[tokio::test]
async fn every_opening_and_every_refusal_makes_the_ledger_grow() {
    let service = demo();
    let size = || {
        let status = service.json(&["status"]);
        status["logs"][0]["size"].as_u64().unwrap()
    };
    let id = record(service).await;
    for (person, expected) in [(service.person("official"), 201), (service.person("researcher"), 404)] {
        let before = size();
        open(&person, &id, &grounds()).await.expect(expected);
        wait_for("the ledger to grow", || (size() > before).then_some(()));
    }
}
