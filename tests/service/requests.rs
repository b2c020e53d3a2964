//! A researcher asks for copies, an approver decides, and what is granted is read: over TLS, with real tokens.

use super::fixture::{ISSUER, Person, Plane, Service, demo, temp, wait_for, write};
use serde_json::{Value, json};
use std::fs;

/// What a request to an organisation says.
pub fn content(organisation: &str) -> Value {
    json!({
        "organisation": organisation, "question": "Hoe reageren burgers op de waterbijdrage?", "purpose": "Proefschrift",
        "legalBasis": "woo-5.7", "institution": "Universiteit van Ergens",
        "selection": { "channels": ["low-mastodon"] }, "form": "view", "plan": "researcher",
    })
}

/// Requests of the demo's researcher that are there: a draft, one handed in, one refused. The demo's approver has a mandate.
pub struct Requests {
    pub draft: String,
    pub submitted: String,
    pub refused: String,
}

impl Requests {
    pub fn of(service: &Service) -> Self {
        let place = temp();
        let file = write(place.path(), "request.json", content("min-low").to_string().as_bytes());
        let made = |submit: bool| {
            let asked =
                ["request", "write", "--file", &file, "--issuer", ISSUER, "--subject", "onderzoeker-1"];
            let more: &[&str] = if submit { &["--submit"] } else { &[] };
            service.json(&[&asked[..], more].concat())["id"].as_str().unwrap().to_owned()
        };
        mandate(service, "approver-1");
        let (draft, submitted, refused) = (made(false), made(true), made(true));
        service.json(&["request", "refuse", &refused, "De selectie is te ruim."]);
        Self { draft, submitted, refused }
    }
}

fn mandate(service: &Service, subject: &str) {
    service.json(&[
        "mandate",
        "add",
        "--organisation",
        "min-low",
        "--issuer",
        ISSUER,
        "--subject",
        subject,
        "--document",
        "mandaatbesluit 2026-12",
        "--until",
        "2099-01-01T00:00:00Z",
    ]);
}

/// A service of its own: these tests change grants.
fn service(place: &std::path::Path) -> Service {
    Service::start(place, None, &["demo", "--port", "0"], &[])
}

struct Asking<'s> {
    service: &'s Service,
    who: Person<'s>,
}

impl Asking<'_> {
    async fn write(&self, content: &Value) -> String {
        let made = self.who.post(Plane::Room, "/v1/access-requests", content).await.expect(202);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        self.until(&id, "draft").await;
        id
    }

    async fn step(&self, id: &str, step: Value) -> super::fixture::Answer {
        self.who.post(Plane::Room, &format!("/v1/access-requests/{id}/steps"), &step).await
    }

    /// The request as the researcher sees it, once it stands there.
    async fn until(&self, id: &str, state: &str) -> Value {
        for _ in 0..1_500 {
            let seen = self.who.get(Plane::Room, &format!("/v1/access-requests/{id}")).await;
            if seen.status == 200 && seen.json()["state"] == state {
                return seen.json();
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the request never became {state}: {}", self.service.output());
    }
}

async fn records(who: &Person<'_>, grant: &str) -> super::fixture::Answer {
    who.get(Plane::Room, &format!("/v1/records?limit=100&grant={grant}")).await
}

#[tokio::test]
async fn a_request_goes_from_draft_to_a_grant_that_ends_when_the_copies_are_gone() {
    let place = temp();
    let service = service(place.path());
    let asking =
        Asking { service: &service, who: service.known_as("researcher", "universiteit", "onderzoeker-9") };
    let approver = service.person("approver");
    let mut asked = content("min-low");
    asked["selection"]["words"] = json!(["waterbijdrage"]);
    asked["team"] = json!([{ "issuer": ISSUER, "subject": "onderzoeker-10", "name": "T. Voorbeeld" }]);
    let id = asking.write(&asked).await;
    let at = format!("/v1/access-requests/{id}");
    let steps = format!("{at}/steps");
    // A draft is the researcher's own, and nobody decides on it.
    let listed = approver.get(Plane::Vault, "/v1/access-requests").await.expect(200).json();
    assert!(!listed.to_string().contains(&id));
    asking.step(&id, json!({ "step": "submit" })).await.expect(202);
    asking.until(&id, "submitted").await;
    asking.step(&id, json!({ "step": "accept" })).await.expect(400);
    asking.step(&id, json!({ "step": "approve" })).await.expect(400);

    // Without a mandate an approver may look, not decide.
    let mut approve = json!({ "step": "approve", "text": "Van belang & beperkt.", "conditions": ["U meldt publicaties vooraf."] });
    let read = approver.get(Plane::Vault, &at).await.expect(200).json();
    approver.post(Plane::Vault, &steps, &approve).await.expect(403);
    mandate(&service, "approver-1");
    let reach = approver.get(Plane::Vault, &format!("{at}/reach")).await.expect(200).json();
    assert_eq!(reach["records"], "<10", "small counts are not told: {reach}");
    approver
        .post(Plane::Vault, &steps, &json!({ "step": "ask", "text": "Waarom dit woord?" }))
        .await
        .expect(201);
    let seen = asking.until(&id, "questioned").await;
    assert!(seen["steps"].to_string().contains("Waarom dit woord?"));
    assert!(!seen.to_string().contains("approver-1"), "who asked is not told by name: {seen}");
    asking.step(&id, json!({ "step": "answer", "text": "Het is de naam van de heffing." })).await.expect(202);
    asking.until(&id, "submitted").await;
    // What is approved is what was read.
    let refused = approver.post(Plane::Vault, &steps, &approve).await.expect(400);
    assert!(refused.text().contains("digest"), "{}", refused.text());
    approve["digest"] = read["digest"].clone();
    approver.post(Plane::Vault, &steps, &approve).await.expect(201);
    approver.post(Plane::Vault, &steps, &approve).await.expect(400);
    let seen = asking.until(&id, "approved").await;
    let letter = seen["steps"].to_string();
    for part in ["toegewezen", "Van belang &amp; beperkt", "meldt publicaties", "binnen zes weken"] {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    let told = approver.get(Plane::Vault, &format!("{at}/letter")).await.expect(200).json();
    assert!(told["html"].as_str().unwrap().contains("verspreidt u niet verder"));

    // Nothing is read before the conditions are accepted.
    asking.who.get(Plane::Room, "/v1/records").await.expect(404);
    asking.step(&id, json!({ "step": "accept" })).await.expect(202);
    let seen = asking.until(&id, "active").await;
    let grant = seen["grant"].as_str().unwrap().to_owned();
    let mut page = records(&asking.who, &grant).await;
    for _ in 0..1_500 {
        if page.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        page = records(&asking.who, &grant).await;
    }
    let own = page.expect(200).json();
    let views = own["records"].as_array().unwrap();
    assert!(!views.is_empty());
    for view in views {
        assert!(view.to_string().to_lowercase().contains("waterbijdrage"), "outside the selection: {view}");
        assert_eq!(view["metadata"]["channel"], "low-mastodon");
    }
    // The team reads the same under the same names; nobody else does.
    let member = service.known_as("researcher", "universiteit", "onderzoeker-10");
    assert_eq!(records(&member, &grant).await.expect(200).json(), own);
    records(&service.known_as("researcher", "universiteit", "onderzoeker-11"), &grant).await.expect(404);

    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 60);
    let until = until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    asking
        .step(&id, json!({ "step": "ask-extension", "text": "De analyse loopt nog.", "until": until }))
        .await
        .expect(202);
    asking.until(&id, "extension-asked").await;
    let mut extend = json!({ "step": "extend", "text": "Akkoord.", "digest": read["digest"] });
    approver.post(Plane::Vault, &steps, &extend).await.expect(400);
    extend["digest"] = approver.get(Plane::Vault, &at).await.expect(200).json()["digest"].clone();
    approver.post(Plane::Vault, &steps, &extend).await.expect(201);
    asking.until(&id, "active").await;
    asking
        .step(&id, json!({ "step": "state-deletion", "text": "Alle kopieën zijn vernietigd." }))
        .await
        .expect(202);
    asking.until(&id, "concluded").await;
    for who in [&asking.who, &member] {
        for _ in 0..1_500 {
            if records(who, &grant).await.status != 200 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        // They held it: that it ended is told with the reason.
        let refused = records(who, &grant).await.expect(403);
        assert!(refused.text().contains("must not be revoked"), "{}", refused.text());
    }
    service.run(&["verify"]).ok();
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_at_once_and_nothing_is_handed_up() {
    let service = demo();
    let who = service.known_as("researcher", "universiteit", "onderzoeker-12");
    let mut asked = content("min-low");
    (asked["question"], asked["plan"], asked["form"]) = (json!(" "), json!("original"), json!("export"));
    let refused = who.post(Plane::Room, "/v1/access-requests", &asked).await.expect(400).json();
    let errors = refused["errors"].to_string();
    for field in ["question", "plan", "form"] {
        assert!(errors.contains(field), "{field}: {errors}");
    }
    asked["everything"] = json!(true);
    who.post(Plane::Room, "/v1/access-requests", &asked).await.expect(400);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let own = who.get(Plane::Room, "/v1/access-requests").await.expect(200).json();
    assert_eq!(own["requests"], json!([]));
}

#[tokio::test]
async fn a_request_is_its_writers_alone() {
    let service = demo();
    let requests = Requests::of(service);
    let path = format!("/v1/access-requests/{}", requests.draft);
    let own = service.person("researcher");
    wait_for("the draft", || {
        // Taken down within a round.
        service.json(&["status"])["counts"]["outbox"].as_u64().filter(|waiting| *waiting == 0)
    });
    own.get(Plane::Room, &path).await.expect(200);
    let other = service.known_as("researcher", "universiteit", "onderzoeker-13");
    let absent =
        other.get(Plane::Room, "/v1/access-requests/0190a5c2-7f3e-4b1d-9a52-3f7f0a3f8a11").await.expect(404);
    let forbidden = other.get(Plane::Room, &path).await.expect(404);
    assert_eq!(absent.body, forbidden.body);
    other.post(Plane::Room, &format!("{path}/steps"), &json!({ "step": "submit" })).await.expect(404);
    // An approver of another organisation does not know of it.
    let elsewhere = service.known_as("approver", "dwv", "approver-2");
    elsewhere.get(Plane::Vault, &path).await.expect(404);
}

/// An approver does not decide on a request of their own, also when they made it as a researcher.
#[tokio::test]
async fn nobody_approves_their_own_request() {
    let service = demo();
    let place = temp();
    let file = write(place.path(), "request.json", content("min-low").to_string().as_bytes());
    let asked =
        ["request", "write", "--file", &file, "--issuer", ISSUER, "--subject", "dubbelrol-1", "--submit"];
    let id = service.json(&asked)["id"].as_str().unwrap().to_owned();
    mandate(service, "dubbelrol-1");
    let own = service.known_as("approver", "min-low", "dubbelrol-1");
    let decision = json!({ "step": "approve", "text": "Akkoord." });
    let path = format!("/v1/access-requests/{id}/steps");
    let refused = own.post(Plane::Vault, &path, &decision).await.expect(403);
    assert!(refused.text().contains("nobody-approves-own-request"), "{}", refused.text());
    let told = service.json(&["request", "show", &id]);
    assert_eq!(told["state"], "submitted");
    // On the command line what was read may be named.
    let approve = |digest: &str| service.run(&["request", "approve", &id, "Akkoord.", "--digest", digest]);
    approve("5b0f").refused(&["digest"]);
    approve(told["digest"].as_str().unwrap()).ok();
}

#[test]
fn the_command_line_tells_what_is_wrong() {
    let service = demo();
    let place = temp();
    let mut wrong = content("min-low");
    wrong["legalBasis"] = json!("avg-15");
    let file = write(place.path(), "request.json", wrong.to_string().as_bytes());
    let asked = ["request", "write", "--file", &file, "--issuer", ISSUER, "--subject", "x"];
    service.run(&asked).refused(&["legalBasis", "no basis for research"]);
    fs::write(&file, "{}").unwrap();
    service.run(&asked).refused(&["organisation"]);
    let list = service.run(&["request", "list"]).ok().out;
    assert!(list.contains("institution"), "{list}");
}
