//! Absent and forbidden look the same, on every route and for every parameter that names something, for every role and
//! organisation; both go the same way, and both are recorded.

use super::fixture::{Answer, Person, Plane, Service, answer, demo, sample};
use super::stage::{actor, denials, grant, reader, reading_room, room_denials};
use crate::service::requests::Requests;
use crate::support::TestVault;
use knik::ledger::Entry;
use knik::model::{ChannelId, DisclosureId, PrivateText, RecordId, RecordRef, Role, VersionId};
use knik::reading_room::{ReadingError, Selection};
use knik::redact::Language;
use knik::store::catalogue::{QueueScope, QueueState};
use knik::vault::disclose::{self, DisclosureRequest};
use knik::vault::review::{self, Judging};
use knik::vault::{VaultError, read};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The organisations that people come from: two that have records, and one that is not there.
const ORGANISATIONS: [&str; 3] = ["min-low", "dwv", "elders"];

/// A place in a request where something is named.
#[derive(Debug, Clone)]
struct Place {
    plane: Plane,
    method: String,
    path: String,
    /// `{id}` of the path, or a parameter of the query.
    name: String,
    in_query: bool,
    body: Option<Value>,
}

/// Every place of the served documents where a request names something.
async fn places(service: &Service) -> Vec<Place> {
    let nobody = service.bearing(None);
    let mut found = Vec::new();
    for plane in [Plane::Room, Plane::Vault] {
        let document = nobody.get(plane, "/v1/openapi.json").await.expect(200).json();
        let base = document["servers"][0]["url"].as_str().unwrap().to_owned();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                for parameter in parameters.iter().filter(|parameter| names_something(parameter)) {
                    found.push(Place {
                        plane,
                        method: method.to_uppercase(),
                        path: format!("{base}{path}"),
                        name: parameter["name"].as_str().unwrap().to_owned(),
                        in_query: parameter["in"] == "query",
                        body: operation.pointer("/requestBody/content/application~1json/example").cloned(),
                    });
                }
                let in_path = path.matches('{').count();
                let told = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
                assert_eq!(in_path, told, "{method} {path}: a name in the path that no parameter tells of");
            }
        }
    }
    found
}

/// Whether a parameter names a thing; what chooses among words or counts is told by these words or bounds.
fn names_something(parameter: &Value) -> bool {
    const CHOICES: [&str; 16] = [
        "limit",
        "part",
        "strict",
        "format",
        "outcome",
        "legalBasis",
        "from",
        "until",
        "days",
        "skip",
        "version",
        "before",
        "dryRun",
        "judged",
        "kind",
        "form",
    ];
    let name = parameter["name"].as_str().unwrap();
    // A header chooses a part of what is had; an issuer is named by the settings.
    let chooses = CHOICES.contains(&name) || ["state", "issuer", "Range"].contains(&name);
    parameter["in"] == "path" || !chooses
}

/// A thing of the ministry that is there, for each place; a new place must be given one here.
async fn things(service: &Service) -> BTreeMap<(Plane, &'static str), String> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let grant = service.grant_of("min-low");
    let researcher = service.person("researcher");
    let page = researcher.get(Plane::Room, &format!("/v1/records?grant={grant}")).await.expect(200).json();
    let official = service.person("official");
    let records = official.get(Plane::Vault, "/v1/records?outcome=archive").await.expect(200).json();
    let record = word(&records["records"][0]["id"]);
    let path = format!("/v1/records/{record}/disclosures");
    let opened = official.post(Plane::Vault, &path, &grounds()).await.expect(201).json();
    let mut items = Vec::new();
    for state in ["open", "judged"] {
        let path = format!("/v1/review-items?state={state}");
        let page = service.person("reviewer").get(Plane::Vault, &path).await.expect(200).json();
        items.extend(page["items"].as_array().unwrap().clone());
    }
    let requests = Requests::of(service);
    let asking = |basis| crate::service::openings::asking(basis, "record", std::slice::from_ref(&record));
    let request = word(&crate::service::openings::ask(&official, &asking("woo-request")).await["id"]);
    let waiting = word(&crate::service::openings::ask(&official, &asking("parliament")).await["id"]);
    let concerned = crate::service::endpoints::concerned("niemand");
    let asked = official.post(Plane::Vault, "/v1/subject-requests", &concerned).await.expect(201).json();
    let subject = word(&asked["request"]["id"]);
    let of_requests = OPENING_PATHS.map(|path| {
        let id = if path.ends_with("approvals") || path.ends_with("refusals") { &waiting } else { &request };
        ((Plane::Vault, path), id.clone())
    });
    let manager = service.person("records-manager");
    let drawing = serde_json::json!({ "permille": 1_000 });
    manager.post(Plane::Vault, "/v1/queue-samples", &drawing).await.expect(201);
    let path = "/v1/queue-items?kind=sample";
    let queue = service.person("reviewer").get(Plane::Vault, path).await.expect(200).json();
    let queued = word(&queue["items"][0]["id"]);
    let view = word(&page["records"][0]["id"]);
    let report = crate::service::endpoints::reported(service, &view).await;
    // A post of the ministry itself: what is done to it here stands in no other test's way.
    let all = official.get(Plane::Vault, "/v1/records?limit=100").await.expect(200).json();
    let own = all["records"].as_array().unwrap().iter().find(|one| one["own"] == true).unwrap();
    let post = word(&own["id"]);
    let of_post = POST_PATHS.map(|path| ((Plane::Vault, path), post.clone()));
    // Of these the demo has none: a name of nothing beside another one.
    let of_none = NONE_PATHS.map(|(plane, path)| ((plane, path), subject.clone()));
    let of_queue = QUEUE_PATHS.map(|path| ((Plane::Vault, path), queued.clone()));
    let of_reports = ["/v1/reports/{id}", "/v1/reports/{id}/judgements"]
        .map(|path| ((Plane::Vault, path), report.clone()));
    let of_views =
        ["/v1/citations/{id}", "/v1/records/{id}/reports"].map(|path| ((Plane::Room, path), view.clone()));
    let of_subjects = SUBJECT_PATHS.map(|path| ((Plane::Vault, path), subject.clone()));
    let mut things = BTreeMap::from([
        ((Plane::Room, "/v1/access-requests/{id}"), requests.draft.clone()),
        ((Plane::Room, "/v1/access-requests/{id}/steps"), requests.draft),
        ((Plane::Room, "/v1/access-requests/{id}/letter"), requests.refused.clone()),
        ((Plane::Vault, "/v1/access-requests/{id}"), requests.submitted.clone()),
        ((Plane::Vault, "/v1/access-requests/{id}/reach"), requests.submitted.clone()),
        ((Plane::Vault, "/v1/access-requests/{id}/steps"), requests.submitted),
        ((Plane::Vault, "/v1/access-requests/{id}/letter"), requests.refused),
        ((Plane::Room, "/v1/records/{id}"), word(&page["records"][0]["id"])),
        ((Plane::Room, "/v1/conversations/{id}"), word(&page["records"][0]["conversation"])),
        ((Plane::Room, "?grant"), grant),
        ((Plane::Room, "?channel"), "low-mastodon".to_owned()),
        ((Plane::Room, "?after"), word(&page["records"][0]["id"])),
        ((Plane::Vault, "/v1/records/{id}"), record.clone()),
        ((Plane::Vault, "/v1/records/{id}/decisions"), record.clone()),
        ((Plane::Vault, "/v1/records/{id}/disclosures"), record.clone()),
        ((Plane::Vault, "/v1/disclosures/{id}/receipt"), word(&opened["id"])),
        ((Plane::Vault, "/v1/review-items/{id}"), word(&items[0]["id"])),
        ((Plane::Vault, "/v1/review-items/{id}/judgements"), word(&items[0]["id"])),
        ((Plane::Vault, "/v1/records/{id}/decision-receipt"), record.clone()),
        ((Plane::Vault, "/v1/records/{id}/earlier-views"), record.clone()),
        ((Plane::Vault, "/v1/oversight/stories/{id}"), request.clone()),
        ((Plane::Vault, "/v1/queue-items?after"), queued.clone()),
        ((Plane::Vault, "/v1/records?after"), record),
        ((Plane::Vault, "/v1/review-items?after"), word(&items[0]["id"])),
        ((Plane::Vault, "?channel"), "low-mastodon".to_owned()),
        ((Plane::Vault, "?actor"), subject.clone()),
    ]);
    things.extend(of_requests.into_iter().chain(of_subjects));
    things.extend(of_post.into_iter().chain(of_none).chain(of_queue).chain(of_reports).chain(of_views));
    things
}

const POST_PATHS: [&str; 5] = [
    "/v1/formal-messages/{id}",
    "/v1/formal-messages/{id}/forwardings",
    "/v1/formal-messages/{id}/notices",
    "/v1/formal-messages/{id}/registrations",
    "/v1/letters/{id}",
];

const NONE_PATHS: [(Plane, &str); 7] = [
    (Plane::Room, "/v1/exports/{id}"),
    (Plane::Room, "/v1/exports/{id}/package"),
    (Plane::Vault, "/v1/exports/{id}"),
    (Plane::Vault, "/v1/exports/{id}/refusals"),
    (Plane::Vault, "/v1/exports/{id}/releases"),
    (Plane::Vault, "/v1/incidents/{id}"),
    (Plane::Vault, "/v1/incidents/{id}/outcomes"),
];

const QUEUE_PATHS: [&str; 3] =
    ["/v1/queue-items/{id}", "/v1/queue-items/{id}/assessments", "/v1/queue-items/{id}/openings"];

const OPENING_PATHS: [&str; 9] = [
    "/v1/openings/{id}",
    "/v1/openings/{id}/approvals",
    "/v1/openings/{id}/refusals",
    "/v1/openings/{id}/justifications",
    "/v1/openings/{id}/packages",
    "/v1/openings/{id}/renditions",
    "/v1/openings/{id}/finds",
    "/v1/openings/{id}/records/{record}/disclosures",
    "/v1/openings/{id}/revocations",
];

const SUBJECT_PATHS: [&str; 7] = [
    "/v1/subject-requests/{id}",
    "/v1/subject-requests/{id}/proofs",
    "/v1/subject-requests/{id}/searches",
    "/v1/subject-requests/{id}/copies",
    "/v1/subject-requests/{id}/restrictions",
    "/v1/subject-requests/{id}/extensions",
    "/v1/subject-requests/{id}/outcomes",
];

fn grounds() -> Value {
    serde_json::json!({
        "legalBasis": "woo-request", "caseNumber": "WOO-2026-0117",
        "motivation": "Zoekslag voor een Woo-verzoek over de waterbijdrage",
    })
}

impl Place {
    fn thing(&self, things: &BTreeMap<(Plane, &'static str), String>) -> String {
        let exact = if self.in_query { format!("{}?{}", self.path, self.name) } else { self.path.clone() };
        let of = |key: &str| {
            things
                .iter()
                .find(|((plane, name), _)| *plane == self.plane && *name == key)
                .map(|(_, id)| id.clone())
        };
        of(&exact)
            .or_else(|| self.in_query.then(|| of(&format!("?{}", self.name))).flatten())
            .unwrap_or_else(|| panic!("{self:?} has no thing: name one that is there in `things`"))
    }

    async fn ask(&self, person: &Person<'_>, other_ids: &str, thing: &str) -> Answer {
        let path = if self.in_query {
            format!("{}?{}={thing}", self.path.replace("{id}", other_ids), self.name)
        } else {
            self.path.replace(&format!("{{{}}}", self.name), thing)
        };
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let request = person.request(self.plane, method, &path);
        let request = match (&self.body, self.path.as_str()) {
            (Some(body), _) => request.json(body),
            (None, "/v1/captures") => request.body(sample("low-mastodon-1-posts.json")),
            (None, _) => request,
        };
        answer(request).await
    }
}

/// The same kind of name, of nothing.
fn absent(thing: &str) -> String {
    match thing.parse::<Uuid>() {
        // Next to it, so that what depends on the order of names does not tell them apart either.
        Ok(id) => Uuid::from_u128(id.as_u128() ^ 1).to_string(),
        Err(_) => "low-mastodoom".to_owned(),
    }
}

/// Everything of an answer but its date.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let mut headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

#[tokio::test]
async fn what_is_not_there_and_what_may_not_be_known_are_answered_alike() {
    let service = demo();
    let things = things(service).await;
    let places = places(service).await;
    assert!(places.len() >= 14, "the documents name {} places", places.len());
    let (mut tried, mut alike, mut wrong) = (0, 0, Vec::new());
    for place in &places {
        let thing = place.thing(&things);
        let nothing = absent(&thing);
        for role in Role::ALL {
            for organisation in ORGANISATIONS {
                // A person whom nothing was granted to and who did nothing: only the role and the organisation speak.
                let person = service.known_as(role.as_str(), organisation, "niemand-in-het-bijzonder");
                let there = place.ask(&person, &nothing, &thing).await;
                let not_there = place.ask(&person, &nothing, &nothing).await;
                tried += 2;
                let what = format!(
                    "{role} of {organisation}: {:?} {} {} {}",
                    place.plane, place.method, place.path, place.name
                );
                match there.status {
                    // They may have it, or may know that it is there: only staff of the organisation that it is of.
                    200 | 201 | 400 | 403 if organisation == "min-low" => {
                        if not_there.status != 404 && seen(&there) != seen(&not_there) && !place.in_query {
                            wrong.push(format!("{what}: {} for what is not there", not_there.status));
                        }
                    }
                    _ if seen(&there) == seen(&not_there) => alike += 1,
                    status => wrong
                        .push(format!("{what}: {status}, and {} for what is not there", not_there.status)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("alike: {} places, {tried} requests, {alike} pairs that could not be told apart", places.len());
    assert!(alike > 300, "only {alike} pairs were compared");
}

/// What stands in the ledger of two refusals, but for their own ids and times.
fn told(entry: &Entry) -> String {
    let mut leaf: Value = serde_json::from_slice(&entry.leaf()).unwrap();
    for own in ["id", "at"] {
        leaf.as_object_mut().unwrap().remove(own);
    }
    leaf.to_string()
}

#[tokio::test]
async fn both_are_recorded_in_the_vault_with_the_same_reasons() {
    let (vault, _) = TestVault::loaded(3).await;
    let (archive, rules) = (&vault.archive, &vault.rules);
    let record = archive.catalogue.records(&"dwv".parse().unwrap(), None, None, 1).await.unwrap()[0].id;
    let scope = [QueueScope::whole("min-low".parse().unwrap())];
    let item = archive.catalogue.review_items(&scope, QueueState::Open, None, 1).await.unwrap()[0].id;
    let owner = actor(70, Role::Official, "dwv");
    let numbering = vault.numbering();
    let opened = disclose::disclose(archive, rules, &owner, &opening(record)).await.unwrap();
    drop(numbering);
    let stranger = actor(71, Role::Official, "elders");
    let (other, nothing) = (DisclosureId::from_uuid(Uuid::max()), RecordId::from_uuid(Uuid::max()));
    let nothing_waits = VersionId::from_uuid(Uuid::max());
    let judging = Judging {
        kinds: Vec::new(),
        verdict: knik::model::Verdict::KeepWithheld,
        reason: knik::model::ReviewReason::InDoubt,
    };
    let absent = |outcome: Result<(), VaultError>| {
        assert!(matches!(outcome, Err(VaultError::Absent { .. })), "{outcome:?}")
    };
    let mut pairs = Vec::new();
    let before = denials(&vault).await.len();
    for id in [record, nothing] {
        absent(read::record(archive, rules, &stranger, id, Language::Dutch).await.map(|_| ()));
        absent(read::decisions(archive, rules, &stranger, id).await.map(|_| ()));
        absent(disclose::disclose(archive, rules, &stranger, &opening(id)).await.map(|_| ()));
    }
    for id in [opened.id, other] {
        absent(disclose::receipt_again(archive, rules, &stranger, id).await.map(|_| ()));
    }
    for id in [item, nothing_waits] {
        let reviewer = actor(72, Role::Reviewer, "elders");
        absent(review::show(archive, rules, &reviewer, id).await.map(|_| ()));
        absent(review::judge(archive, rules, &reviewer, id, &judging).await.map(|_| ()));
    }
    let recorded: Vec<String> = denials(&vault).await.iter().skip(before).map(told).collect();
    assert_eq!(recorded.len(), 12, "each refusal is recorded");
    for (one, other) in [(0, 3), (1, 4), (2, 5), (6, 7), (8, 10), (9, 11)] {
        pairs.push((recorded[one].clone(), recorded[other].clone()));
    }
    for (there, not_there) in pairs {
        assert_eq!(
            there, not_there,
            "the ledger tells an absent thing from a forbidden one only to who knows its id"
        );
        assert!(there.contains("reasons"), "{there}");
    }
}

fn opening(record: RecordId) -> DisclosureRequest {
    DisclosureRequest {
        record,
        basis: "woo-request".parse().unwrap(),
        case_number: PrivateText::from("WOO-2026-0117"),
        motivation: PrivateText::from("Zoekslag voor een Woo-verzoek"),
        recipient: None,
    }
}

#[tokio::test]
async fn both_are_recorded_in_the_reading_room_with_the_same_reasons() {
    let (vault, _) = TestVault::loaded(4).await;
    let own = grant(&vault, "dwv", "reads").await;
    let others = grant(&vault, "min-low", "reads-other").await;
    let room = reading_room(&vault);
    let me = reader("reads", Role::Researcher, "universiteit");
    let them = reader("reads-other", Role::Researcher, "universiteit");
    let selection = Selection { grant: Some(others), most: 1, ..Selection::default() };
    let theirs = room.list(&them, &selection).await.unwrap().views.remove(0);
    let nothing = RecordRef::from_uuid(Uuid::max());
    let before = room_denials(&vault).await.len();
    for id in [theirs.id, nothing] {
        let got = room.record(&me, Some(own), id, Language::Dutch).await;
        assert!(matches!(got, Err(ReadingError::Absent)), "{got:?}");
    }
    for id in [theirs.conversation, nothing] {
        let got = room.conversation(&me, None, id, Language::Dutch).await;
        assert!(matches!(got, Err(ReadingError::Absent)), "{got:?}");
    }
    for named in [others, knik::model::GrantId::from_uuid(Uuid::max())] {
        let selection = Selection { grant: Some(named), most: 1, ..Selection::default() };
        assert!(matches!(room.list(&me, &selection).await, Err(ReadingError::Absent)));
    }
    let told = room_denials(&vault).await;
    assert_eq!(told.len() - before, 6, "each refusal is told to the vault");
    for pair in told[before..].chunks(2) {
        assert_eq!(pair[0], pair[1]);
        assert!(!pair[0]["reasons"].as_array().unwrap().is_empty());
    }
    // And they come to stand in the ledger.
    vault.round().await;
    let log = vault.archive.logs.room_origin();
    let leaves = vault.archive.journal.leaves(log, 0, 100).await.unwrap();
    let denied = leaves.iter().filter(|(_, leaf)| String::from_utf8_lossy(leaf).contains("access-denied"));
    assert_eq!(denied.count(), told.len());
}

#[tokio::test]
async fn a_channel_that_is_not_there_is_refused_and_recorded_as_another_organisations_is() {
    let (vault, _) = TestVault::demo(5).await;
    let harvester = actor(73, Role::Harvester, "dwv");
    for channel in ["low-mastodon", "no-such-channel"] {
        let channel: ChannelId = channel.parse().unwrap();
        let known = vault.archive.catalogue.channel(&channel).await.unwrap();
        let organisation = known.map_or_else(read::nobody, |channel| channel.organisation);
        let resource = knik::access::Resource::Channel { organisation };
        let action = knik::access::Action::IngestCapture;
        let refused = read::authorise(&vault.archive, &vault.rules, &harvester, action, &resource).await;
        assert!(matches!(refused, Err(VaultError::Absent { .. })));
    }
    let recorded: Vec<String> = denials(&vault).await.iter().map(told).collect();
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[0], recorded[1]);
}
