//! Every endpoint: it stands in the document and in the table below, and gives each role what it should.

use super::fixture::{Answer, Person, Plane, Service, answer, canaries, demo, holds_no_canary, knik, sample};
use super::openings;
use super::requests::{self, Requests};
use actix_web::introspection::{IntrospectionReportItem, IntrospectionTree};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, test};
use knik::http::token::{DevelopmentIssuer, Minting};
use knik::model::{Role, Timestamp};
use knik::store::keys::KeyFolder;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Nothing,
    Grounds,
    Words,
    Capture,
    Report,
    ReportJudgement,
    IncidentOutcome,
    Judgement,
    Asking,
    Approval,
    Text,
    Seeking,
    SubjectRequest,
    Proof,
    Outcome,
    Empty,
    /// What a request for copies says.
    Request,
    /// A step of the researcher.
    Step,
    /// A step of an approver.
    Decision,
    /// Trees to be compared.
    Comparison,
    /// A case of another system.
    Case,
    /// A day.
    Day,
    /// To which body something goes.
    Body,
    /// A link to the letter system.
    Link,
    /// What that system says.
    Confirmation,
    /// A list of it.
    List,
    /// What a reviewer says of an item.
    Assessment,
    /// What is to be drawn.
    Drawing,
    /// A file of an external agency.
    Assessed,
}

/// One endpoint with an example request and what each role gets for it.
struct Endpoint {
    plane: Plane,
    method: &'static str,
    path: &'static str,
    /// With `{id}` still to be filled in; the query is the example's own.
    query: &'static str,
    carries: Carries,
    status: u16,
    /// Needs no token at all.
    open: bool,
    allowed: &'static [&'static str],
    /// Refused with reasons: they may know that it exists. Every other role gets what is not there.
    refused: &'static [&'static str],
}

const ROOM: Endpoint = Endpoint {
    plane: Plane::Room,
    method: "GET",
    path: "",
    query: "",
    carries: Carries::Nothing,
    status: 200,
    open: false,
    allowed: &["researcher"],
    refused: &[],
};

const VAULT: Endpoint = Endpoint { plane: Plane::Vault, ..ROOM };

const HANDLED: Endpoint =
    Endpoint { method: "POST", status: 201, allowed: &["official"], refused: NOT_OFFICIAL, ..VAULT };

/// Formal messages and letters.
const REGISTRAR: Endpoint =
    Endpoint { allowed: &["reviewer", "records-manager"], refused: NOT_REGISTRARS, ..VAULT };

const NOT_REGISTRARS: &[&str] = &[
    "public",
    "researcher",
    "official",
    "channel-manager",
    "approver",
    "data-protection-officer",
    "harvester",
    "administrator",
];

const CHECKED: Endpoint = Endpoint { allowed: &["data-protection-officer"], refused: NOT_OFFICER, ..VAULT };

const ALL_ROLES: &[&str] = &[
    "public",
    "researcher",
    "official",
    "reviewer",
    "channel-manager",
    "records-manager",
    "approver",
    "data-protection-officer",
    "harvester",
    "administrator",
];

/// Who reads redacted views and decisions in the vault.
const STAFF: &[&str] = &["official", "channel-manager", "records-manager", "data-protection-officer"];
const NOT_STAFF: &[&str] = &["public", "researcher", "reviewer", "approver", "harvester", "administrator"];
const NOT_OFFICIAL: &[&str] = &[
    "public",
    "researcher",
    "reviewer",
    "channel-manager",
    "records-manager",
    "approver",
    "data-protection-officer",
    "harvester",
    "administrator",
];
const NOT_OFFICER: &[&str] = &[
    "public",
    "researcher",
    "official",
    "reviewer",
    "channel-manager",
    "records-manager",
    "approver",
    "harvester",
    "administrator",
];
/// Who steers the reviewers, and who may see that their queue is there.
const NOT_RECORDS_MANAGER: &[&str] = &[
    "public",
    "researcher",
    "official",
    "reviewer",
    "channel-manager",
    "approver",
    "data-protection-officer",
    "harvester",
    "administrator",
];
const FIGURES: &[&str] = &["records-manager", "data-protection-officer"];
const NOT_FIGURES: &[&str] = &[
    "public",
    "researcher",
    "official",
    "reviewer",
    "channel-manager",
    "approver",
    "harvester",
    "administrator",
];
const SUBJECT_READERS: &[&str] = &["official", "data-protection-officer"];
const NOT_SUBJECT_READERS: &[&str] = &[
    "public",
    "researcher",
    "reviewer",
    "channel-manager",
    "records-manager",
    "approver",
    "harvester",
    "administrator",
];
/// Who looks after the service.
const STEWARDS: &[&str] = &["records-manager", "data-protection-officer", "administrator"];
const NOT_STEWARDS: &[&str] =
    &["public", "researcher", "official", "reviewer", "channel-manager", "approver", "harvester"];

const INCIDENT_READERS: &[&str] = &["records-manager", "data-protection-officer"];
const NOT_INCIDENT_READERS: &[&str] = &[
    "public",
    "researcher",
    "official",
    "reviewer",
    "channel-manager",
    "approver",
    "harvester",
    "administrator",
];

/// Who sees requests for copies.
const DESK: &[&str] = &["approver", "records-manager", "data-protection-officer"];
const NOT_RESEARCHERS: &[&str] = &[
    "public",
    "official",
    "reviewer",
    "channel-manager",
    "records-manager",
    "approver",
    "data-protection-officer",
    "harvester",
    "administrator",
];

/// Every endpoint of both planes. A route that does not stand here fails a test.
const ENDPOINTS: &[Endpoint] = &[
    Endpoint { path: "/v1/openapi.json", open: true, allowed: ALL_ROLES, ..ROOM },
    Endpoint { path: "/v1/health", open: true, allowed: ALL_ROLES, ..ROOM },
    Endpoint { path: "/v1/records", query: "?limit=100", ..ROOM },
    Endpoint { path: "/v1/records/{id}", ..ROOM },
    Endpoint { path: "/v1/conversations/{id}", ..ROOM },
    Endpoint { method: "POST", path: "/v1/records/_search", carries: Carries::Words, ..ROOM },
    Endpoint { path: "/v1/research-bases", allowed: ALL_ROLES, ..ROOM },
    Endpoint { path: "/v1/access-requests", refused: NOT_RESEARCHERS, ..ROOM },
    Endpoint {
        method: "POST",
        path: "/v1/access-requests",
        carries: Carries::Request,
        status: 202,
        refused: NOT_RESEARCHERS,
        ..ROOM
    },
    Endpoint { path: "/v1/access-requests/{id}", refused: NOT_RESEARCHERS, ..ROOM },
    Endpoint { path: "/v1/access-requests/{id}/letter", refused: NOT_RESEARCHERS, ..ROOM },
    Endpoint { path: "/v1/finding-aid", ..ROOM },
    Endpoint { path: "/v1/citations/{id}", ..ROOM },
    Endpoint { path: "/v1/notices", refused: NOT_RESEARCHERS, ..ROOM },
    Endpoint {
        method: "POST",
        path: "/v1/records/{id}/reports",
        carries: Carries::Report,
        status: 202,
        ..ROOM
    },
    Endpoint {
        method: "POST",
        path: "/v1/access-requests/{id}/steps",
        carries: Carries::Step,
        status: 202,
        refused: NOT_RESEARCHERS,
        ..ROOM
    },
    // The demo's grant is for views: that files need another one is told to whoever holds it.
    Endpoint { path: "/v1/exports", allowed: &[], refused: &["researcher"], ..ROOM },
    Endpoint {
        method: "POST",
        path: "/v1/exports",
        carries: Carries::Empty,
        status: 202,
        allowed: &[],
        refused: &["researcher"],
        ..ROOM
    },
    Endpoint { path: "/v1/exports/{id}", allowed: &[], ..ROOM },
    Endpoint { path: "/v1/exports/{id}/package", allowed: &[], ..ROOM },
    Endpoint {
        path: "/v1/exports",
        allowed: DESK,
        refused: &[
            "public",
            "researcher",
            "official",
            "reviewer",
            "channel-manager",
            "harvester",
            "administrator",
        ],
        ..VAULT
    },
    Endpoint { path: "/v1/exports/{id}", allowed: &[], ..VAULT },
    Endpoint {
        method: "POST",
        path: "/v1/exports/{id}/releases",
        carries: Carries::Text,
        status: 201,
        allowed: &[],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/exports/{id}/refusals",
        carries: Carries::Text,
        status: 201,
        allowed: &[],
        ..VAULT
    },
    Endpoint {
        path: "/v1/access-requests",
        allowed: DESK,
        refused: &[
            "public",
            "researcher",
            "official",
            "reviewer",
            "channel-manager",
            "harvester",
            "administrator",
        ],
        ..VAULT
    },
    Endpoint { path: "/v1/access-requests/{id}", allowed: DESK, refused: &["researcher"], ..VAULT },
    Endpoint { path: "/v1/access-requests/{id}/reach", allowed: DESK, refused: &["researcher"], ..VAULT },
    Endpoint { path: "/v1/access-requests/{id}/letter", allowed: DESK, refused: &["researcher"], ..VAULT },
    Endpoint {
        method: "POST",
        path: "/v1/access-requests/{id}/steps",
        carries: Carries::Decision,
        status: 201,
        allowed: &["approver"],
        refused: &["researcher", "records-manager", "data-protection-officer"],
        ..VAULT
    },
    Endpoint { path: "/v1/openapi.json", open: true, allowed: ALL_ROLES, ..VAULT },
    Endpoint { path: "/v1/health", open: true, allowed: ALL_ROLES, ..VAULT },
    Endpoint {
        method: "POST",
        path: "/v1/captures",
        query: "?channel=low-mastodon",
        carries: Carries::Capture,
        status: 201,
        allowed: &["harvester", "channel-manager", "records-manager"],
        refused: &["official", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        path: "/v1/channels",
        allowed: &["official", "channel-manager", "records-manager", "approver", "data-protection-officer"],
        refused: &["public", "researcher", "reviewer", "harvester", "administrator"],
        ..VAULT
    },
    Endpoint { path: "/v1/records", query: "?limit=100", allowed: STAFF, refused: NOT_STAFF, ..VAULT },
    Endpoint { path: "/v1/records/{id}", allowed: STAFF, ..VAULT },
    Endpoint { path: "/v1/records/{id}/decisions", allowed: STAFF, ..VAULT },
    Endpoint { path: "/v1/records/{id}/decision-receipt", allowed: STAFF, ..VAULT },
    Endpoint {
        path: "/v1/figures/sentiment",
        query: "?from=2026-03-01&until=2026-04-01",
        allowed: STAFF,
        refused: NOT_STAFF,
        ..VAULT
    },
    Endpoint {
        path: "/v1/figures/acted-on",
        query: "?from=2020-01-01&until=2030-01-01",
        allowed: STAFF,
        refused: NOT_STAFF,
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/figures/_compare",
        carries: Carries::Comparison,
        allowed: STAFF,
        refused: NOT_STAFF,
        ..VAULT
    },
    Endpoint { path: "/v1/formal-messages", query: "?state=all", ..REGISTRAR },
    // In the order in which a message goes: registered, told, looked up; another is forwarded.
    Endpoint {
        method: "POST",
        path: "/v1/formal-messages/{id}/registrations",
        carries: Carries::Case,
        status: 201,
        ..REGISTRAR
    },
    Endpoint {
        method: "POST",
        path: "/v1/formal-messages/{id}/notices",
        carries: Carries::Day,
        status: 201,
        ..REGISTRAR
    },
    Endpoint { path: "/v1/formal-messages/{id}", ..REGISTRAR },
    Endpoint {
        method: "POST",
        path: "/v1/formal-messages/{id}/forwardings",
        carries: Carries::Body,
        status: 201,
        ..REGISTRAR
    },
    Endpoint { method: "POST", path: "/v1/letters", carries: Carries::Link, status: 201, ..REGISTRAR },
    Endpoint { path: "/v1/letters", ..REGISTRAR },
    Endpoint { path: "/v1/letters/{id}", ..REGISTRAR },
    Endpoint { method: "POST", path: "/v1/letters/_find", carries: Carries::Case, ..REGISTRAR },
    Endpoint {
        method: "POST",
        path: "/v1/letters/_import",
        query: "?dryRun=true",
        carries: Carries::List,
        status: 201,
        ..REGISTRAR
    },
    Endpoint {
        method: "POST",
        path: "/v1/letter-confirmations",
        carries: Carries::Confirmation,
        status: 201,
        ..REGISTRAR
    },
    Endpoint {
        method: "POST",
        path: "/v1/records/{id}/disclosures",
        carries: Carries::Grounds,
        status: 201,
        allowed: &["official"],
        refused: &["channel-manager", "records-manager", "approver", "data-protection-officer"],
        ..VAULT
    },
    Endpoint { path: "/v1/disclosures/{id}/receipt", allowed: &["official"], ..VAULT },
    Endpoint {
        path: "/v1/review-items",
        query: "?limit=100",
        allowed: &["reviewer", "data-protection-officer"],
        refused: &[
            "public",
            "researcher",
            "official",
            "channel-manager",
            "records-manager",
            "approver",
            "harvester",
            "administrator",
        ],
        ..VAULT
    },
    Endpoint {
        path: "/v1/review-items/{id}",
        allowed: &["reviewer"],
        refused: &["official", "channel-manager", "records-manager", "approver", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/review-items/{id}/judgements",
        carries: Carries::Judgement,
        status: 201,
        allowed: &["reviewer"],
        refused: STAFF,
        ..VAULT
    },
    Endpoint {
        path: "/v1/reports",
        query: "?limit=100",
        allowed: &["reviewer", "data-protection-officer"],
        refused: &[
            "public",
            "researcher",
            "official",
            "channel-manager",
            "records-manager",
            "approver",
            "harvester",
            "administrator",
        ],
        ..VAULT
    },
    Endpoint {
        path: "/v1/reports/{id}",
        allowed: &["reviewer"],
        refused: &["official", "channel-manager", "records-manager", "approver", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/reports/{id}/judgements",
        carries: Carries::ReportJudgement,
        status: 201,
        allowed: &["reviewer"],
        refused: STAFF,
        ..VAULT
    },
    Endpoint { path: "/v1/incidents", allowed: INCIDENT_READERS, refused: NOT_INCIDENT_READERS, ..VAULT },
    // There is no incident: whoever may look finds nothing, whoever may not is refused.
    Endpoint {
        path: "/v1/incidents/{id}",
        status: 404,
        allowed: INCIDENT_READERS,
        refused: NOT_INCIDENT_READERS,
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/incidents/{id}/outcomes",
        carries: Carries::IncidentOutcome,
        status: 404,
        allowed: &["records-manager"],
        refused: &[
            "public",
            "researcher",
            "official",
            "reviewer",
            "channel-manager",
            "approver",
            "data-protection-officer",
            "harvester",
            "administrator",
        ],
        ..VAULT
    },
    Endpoint {
        path: "/v1/queue-items",
        query: "?limit=100",
        allowed: &["reviewer", "data-protection-officer"],
        refused: &[
            "public",
            "researcher",
            "official",
            "channel-manager",
            "records-manager",
            "approver",
            "harvester",
            "administrator",
        ],
        ..VAULT
    },
    // Staff reads the view of any record of theirs, but an item only who judges it.
    Endpoint { path: "/v1/queue-items/{id}", allowed: &["reviewer"], ..VAULT },
    Endpoint {
        method: "POST",
        path: "/v1/queue-items/{id}/openings",
        status: 201,
        allowed: &["reviewer"],
        refused: &["official", "channel-manager", "records-manager", "approver", "data-protection-officer"],
        ..VAULT
    },
    // In the order in which an item goes: read, opened, assessed. Nothing is said of it: it stays for the next test.
    Endpoint {
        method: "POST",
        path: "/v1/queue-items/{id}/assessments",
        carries: Carries::Assessment,
        status: 400,
        allowed: &["reviewer"],
        refused: STAFF,
        ..VAULT
    },
    Endpoint { path: "/v1/records/{id}/earlier-views", allowed: STAFF, ..VAULT },
    Endpoint { path: "/v1/queue-standing", allowed: FIGURES, refused: NOT_FIGURES, ..VAULT },
    Endpoint { path: "/v1/queue-agreement", allowed: FIGURES, refused: NOT_FIGURES, ..VAULT },
    Endpoint { path: "/v1/queue-samples", allowed: FIGURES, refused: NOT_FIGURES, ..VAULT },
    Endpoint {
        method: "POST",
        path: "/v1/queue-samples",
        carries: Carries::Drawing,
        status: 201,
        allowed: &["records-manager"],
        refused: NOT_RECORDS_MANAGER,
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/queue-imports",
        query: "?form=csv&issuer=nobody&dryRun=true",
        carries: Carries::Assessed,
        status: 400,
        allowed: &["records-manager"],
        refused: NOT_RECORDS_MANAGER,
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/openings",
        carries: Carries::Asking,
        status: 201,
        allowed: &["official"],
        refused: NOT_OFFICIAL,
        ..VAULT
    },
    Endpoint {
        path: "/v1/openings",
        allowed: &["official", "approver", "data-protection-officer"],
        refused: &[
            "public",
            "researcher",
            "reviewer",
            "channel-manager",
            "records-manager",
            "harvester",
            "administrator",
        ],
        ..VAULT
    },
    Endpoint {
        path: "/v1/openings/{id}",
        allowed: &["official", "approver", "data-protection-officer"],
        refused: &["records-manager"],
        ..VAULT
    },
    // The official of the table asked for it: an approver is the second person.
    Endpoint {
        method: "POST",
        path: "/v1/openings/{id}/approvals",
        carries: Carries::Approval,
        status: 201,
        allowed: &["approver"],
        refused: &["official", "records-manager", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/openings/{id}/refusals",
        carries: Carries::Text,
        status: 201,
        allowed: &["approver"],
        refused: &["official", "records-manager", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/openings/{id}/justifications",
        carries: Carries::Text,
        status: 201,
        allowed: &["official"],
        refused: &["approver", "records-manager", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/openings/{id}/packages",
        status: 201,
        allowed: &["official"],
        refused: &["approver", "records-manager", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/openings/{id}/records/{record}/disclosures",
        status: 201,
        allowed: &["official"],
        refused: &["channel-manager", "records-manager", "approver", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/openings/{id}/renditions",
        status: 201,
        allowed: &["official"],
        refused: &["approver", "records-manager", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/openings/{id}/finds",
        carries: Carries::Seeking,
        status: 201,
        allowed: &["official"],
        refused: &["approver", "records-manager", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/openings/{id}/revocations",
        status: 201,
        allowed: &["official", "approver"],
        refused: &["records-manager", "data-protection-officer"],
        ..VAULT
    },
    Endpoint {
        method: "POST",
        path: "/v1/subject-requests",
        carries: Carries::SubjectRequest,
        status: 201,
        allowed: &["official"],
        refused: NOT_OFFICIAL,
        ..VAULT
    },
    Endpoint {
        path: "/v1/subject-requests",
        allowed: SUBJECT_READERS,
        refused: NOT_SUBJECT_READERS,
        ..VAULT
    },
    Endpoint {
        path: "/v1/subject-requests/{id}",
        allowed: SUBJECT_READERS,
        refused: NOT_SUBJECT_READERS,
        ..VAULT
    },
    // In the order in which a request goes: proven, found, copied, restricted, put off, answered.
    Endpoint { path: "/v1/subject-requests/{id}/proofs", carries: Carries::Proof, ..HANDLED },
    Endpoint { path: "/v1/subject-requests/{id}/searches", ..HANDLED },
    Endpoint { path: "/v1/subject-requests/{id}/copies", ..HANDLED },
    Endpoint { path: "/v1/subject-requests/{id}/restrictions", carries: Carries::Empty, ..HANDLED },
    Endpoint { path: "/v1/subject-requests/{id}/extensions", carries: Carries::Text, ..HANDLED },
    Endpoint { path: "/v1/subject-requests/{id}/outcomes", carries: Carries::Outcome, ..HANDLED },
    Endpoint { path: "/v1/oversight/disclosures", ..CHECKED },
    Endpoint { path: "/v1/oversight/totals", ..CHECKED },
    Endpoint { path: "/v1/oversight/attention", ..CHECKED },
    Endpoint { path: "/v1/oversight/stories/{id}", ..CHECKED },
    Endpoint { path: "/v1/oversight/public-log", ..CHECKED },
    Endpoint { path: "/v1/ledger", allowed: STEWARDS, refused: NOT_STEWARDS, ..VAULT },
    Endpoint { path: "/v1/status", allowed: STEWARDS, refused: NOT_STEWARDS, ..VAULT },
];

/// Names of things that are there, to fill `{id}` with.
struct Known {
    view: String,
    conversation: String,
    record: String,
    disclosure: String,
    item: String,
    /// Two reactions, to be registered and forwarded.
    reactions: [String; 2],
    /// A request that is open, one for each thing that can be done with one.
    opening: String,
    /// Two that wait for a second person, and the digest of the first.
    waiting: [String; 2],
    digest: String,
    /// One that was opened at once.
    urgent: String,
    /// A request of somebody of whom there is nothing.
    subject: String,
    /// One with scope `find`.
    finding: String,
    /// One to be ended.
    ending: String,
    /// A report of the researcher.
    report: String,
    /// An item of a sample, which nobody answers.
    queued: String,
    /// Requests of the researcher: a draft, one that is handed in, one that is refused.
    requests: Requests,
}

impl Known {
    async fn of(service: &Service) -> Self {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let researcher = service.person("researcher");
        let page = researcher.get(Plane::Room, "/v1/records").await.expect(200).json();
        let official = service.person("official");
        let records = official.get(Plane::Vault, "/v1/records?outcome=archive").await.expect(200).json();
        let record = word(&records["records"][0]["id"]);
        let path = format!("/v1/records/{record}/disclosures");
        let opened = official.post(Plane::Vault, &path, &grounds()).await.expect(201).json();
        // Judged or not: the demo is shared, and a judgement can be changed.
        let reviewer = service.person("reviewer");
        let mut items = Vec::new();
        for state in ["open", "judged"] {
            let page = reviewer
                .get(Plane::Vault, &format!("/v1/review-items?state={state}"))
                .await
                .expect(200)
                .json();
            items.extend(page["items"].as_array().unwrap().clone());
        }
        assert_eq!(items.len(), 2, "the demo has two flagged records of the ministry");
        let all = official.get(Plane::Vault, "/v1/records?limit=100").await.expect(200).json();
        let of_others = |record: &&Value| record["kind"] == "reaction" && record["own"] == false;
        let reactions: Vec<String> =
            all["records"].as_array().unwrap().iter().filter(of_others).map(|of| word(&of["id"])).collect();
        let one = std::slice::from_ref(&record);
        let asked = |basis: &'static str| {
            let mut asking = openings::asking(basis, "record", one);
            asking["breakGlass"] = json!(basis == "incident");
            let official = &official;
            async move { openings::ask(official, &asking).await }
        };
        let waiting = [asked("parliament").await, asked("parliament").await];
        Self {
            opening: word(&asked("woo-request").await["id"]),
            digest: word(&waiting[0]["digest"]),
            waiting: [word(&waiting[0]["id"]), word(&waiting[1]["id"])],
            urgent: word(&asked("incident").await["id"]),
            subject: {
                // Another person than the one who says below that the account is theirs.
                let registrar = service.known_as("official", "min-low", "ambtenaar-9");
                let made = registrar.post(Plane::Vault, "/v1/subject-requests", &concerned("niemand")).await;
                word(&made.expect(201).json()["request"]["id"])
            },
            finding: word(
                &openings::ask(&official, &openings::asking("woo-request", "find", &[])).await["id"],
            ),
            ending: word(&asked("woo-request").await["id"]),
            queued: {
                let manager = service.person("records-manager");
                let drawing = json!({ "permille": 1_000 });
                manager.post(Plane::Vault, "/v1/queue-samples", &drawing).await.expect(201);
                let page = reviewer.get(Plane::Vault, "/v1/queue-items?kind=sample").await.expect(200).json();
                word(&page["items"][0]["id"])
            },
            requests: Requests::of(service),
            report: reported(service, &word(&page["records"][0]["id"])).await,
            reactions: [reactions[0].clone(), reactions[1].clone()],
            item: word(&items[0]["id"]),
            view: word(&page["records"][0]["id"]),
            conversation: word(&page["records"][0]["conversation"]),
            record,
            disclosure: word(&opened["id"]),
        }
    }

    fn path(&self, endpoint: &Endpoint) -> String {
        let id = match (endpoint.plane, endpoint.path) {
            (_, path) if path.contains("/stories/{id}") => &self.opening,
            (_, path) if path.contains("/reports/{id}") => &self.report,
            (_, path) if path.ends_with("/letter") => &self.requests.refused,
            // The demo has no export: what is not there is the same for everyone.
            (_, path) if path.contains("/exports/{id}") => &self.record,
            (_, path) if path.ends_with("{id}/approvals") => &self.waiting[0],
            (_, path) if path.ends_with("{id}/refusals") => &self.waiting[1],
            (_, path) if path.ends_with("{id}/justifications") => &self.urgent,
            (_, path) if path.ends_with("{id}/revocations") => &self.ending,
            (_, path) if path.contains("/subject-requests/{id}") => &self.subject,
            (_, path) if path.ends_with("{id}/finds") => &self.finding,
            (_, path) if path.contains("/openings/{id}") => &self.opening,
            (_, path) if path.contains("/disclosures/{id}") => &self.disclosure,
            (_, path) if path.contains("/review-items/{id}") => &self.item,
            (_, path) if path.ends_with("{id}/forwardings") => &self.reactions[1],
            (_, path) if path.contains("/formal-messages/{id}") => &self.reactions[0],
            (_, path) if path.contains("/letters/{id}") => &self.reactions[0],
            (_, path) if path.contains("/queue-items/{id}") => &self.queued,
            (Plane::Room, path) if path.contains("/access-requests/{id}") => &self.requests.draft,
            (_, path) if path.contains("/access-requests/{id}") => &self.requests.submitted,
            (_, path) if path.contains("/conversations/") => &self.conversation,
            (Plane::Room, _) => &self.view,
            (Plane::Vault, _) => &self.record,
        };
        let path = endpoint.path.replace("{id}", id).replace("{record}", &self.record);
        format!("{path}{}", endpoint.query)
    }
}

/// Reports a view, and waits until it stands in the reviewers' queue.
pub async fn reported(service: &Service, view: &str) -> String {
    let path = format!("/v1/records/{view}/reports");
    let body = json!({ "kind": "wrongly-redacted" });
    let sent = service.person("researcher").post(Plane::Room, &path, &body).await.expect(202).json();
    let id = sent["id"].as_str().unwrap().to_owned();
    let reviewer = service.person("reviewer");
    for _ in 0..1_500 {
        let queue = reviewer.get(Plane::Vault, "/v1/reports?limit=100").await.expect(200).text();
        let aid = service.person("researcher").get(Plane::Room, "/v1/finding-aid").await;
        if queue.contains(&id) && aid.status == 200 {
            return id;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the report never came up: {}", service.output());
}

/// A request of a person concerned, about an account.
pub fn concerned(handle: &str) -> Value {
    json!({
        "kind": "access", "asker": "Mevrouw Voorbeeld, postbus 1, Den Haag", "text": "Wat bewaart u van mij?",
        "accounts": [{ "platform": "mastodon", "instance": "polder.example", "handle": handle }],
    })
}

fn grounds() -> Value {
    json!({
        "legalBasis": "woo-request",
        "caseNumber": "WOO-2026-0117",
        "motivation": "Zoekslag voor een Woo-verzoek over de waterbijdrage",
    })
}

impl Endpoint {
    async fn ask(&self, person: &Person<'_>, known: &Known) -> Answer {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let request = person.request(self.plane, method, &known.path(self));
        let request = match self.carries {
            Carries::Nothing => request,
            Carries::Grounds => request.json(&grounds()),
            Carries::Request => request.json(&requests::content("min-low")),
            Carries::Step => request.json(&json!({ "step": "submit" })),
            Carries::Decision => request.json(&json!({ "step": "ask", "text": "Waarom deze periode?" })),
            Carries::Report => request.json(&json!({ "kind": "wrongly-redacted" })),
            Carries::ReportJudgement => request.json(&json!({ "outcome": "unfounded" })),
            Carries::IncidentOutcome => request.json(
                &json!({ "outcome": "unfounded", "text": "Er is niets getoond dat niet getoond had mogen worden." }),
            ),
            Carries::Judgement => request.json(&json!({ "verdict": "keep-withheld", "reason": "in-doubt" })),
            Carries::Asking => {
                request.json(&openings::asking("woo-request", "record", std::slice::from_ref(&known.record)))
            }
            Carries::SubjectRequest => request.json(&concerned("niemand")),
            Carries::Proof => request.json(&json!({ "proof": "login-seen" })),
            Carries::Outcome => {
                request.json(&json!({ "outcome": "granted", "text": "Het afschrift is per post verzonden" }))
            }
            Carries::Comparison => request.json(&json!({ "trees": ["archive-whole", "legal-advice"] })),
            Carries::Case => request.json(&json!({ "system": "zaken", "caseNumber": "Z-1" })),
            Carries::Day => request.json(&json!({ "on": "2026-03-11" })),
            Carries::Body => request.json(&json!({ "to": "Gemeente Voorbeeldstad" })),
            Carries::Link => request.json(&json!({
                "record": known.reactions[0], "system": "brieven", "caseNumber": "B-1",
                "registeredOn": "2026-03-09", "takenOver": "tekst",
            })),
            Carries::Confirmation => {
                request.json(&json!({ "system": "brieven", "caseNumber": "B-1", "on": "2026-03-10" }))
            }
            Carries::List => request.header("Content-Type", "text/csv").body("system,case_number\n"),
            Carries::Empty => request.json(&json!({})),
            Carries::Seeking => request.json(&json!({ "words": "waterbijdrage" })),
            Carries::Approval => request.json(&json!({ "digest": known.digest })),
            Carries::Text => request.json(&json!({ "text": "omdat het niet kon wachten tot maandag" })),
            // An item of a sample is judged whole: what is said of nothing is not taken.
            Carries::Assessment => {
                request.json(&json!({ "answers": [{ "step": "geen-stap", "answer": "yes" }] }))
            }
            Carries::Drawing => request.json(&json!({ "channels": ["low-mastodon"] })),
            Carries::Assessed => request.body("item\n"),
            Carries::Words => request.json(&json!({ "query": "waterbijdrage" })),
            // Came in before: delivering it again adds nothing.
            Carries::Capture => request.body(sample("low-mastodon-1-posts.json")),
        };
        answer(request).await
    }

    fn what(&self) -> String {
        format!("{:?} {} {}", self.plane, self.method, self.path)
    }

    fn expected(&self, role: &str) -> u16 {
        match () {
            () if self.allowed.contains(&role) => self.status,
            () if self.refused.contains(&role) => 403,
            () => 404,
        }
    }
}

type Routes = BTreeSet<(String, String)>;

fn of_table(plane: Plane) -> Routes {
    let of_plane = ENDPOINTS.iter().filter(|endpoint| endpoint.plane == plane);
    of_plane.map(|endpoint| (endpoint.method.to_owned(), endpoint.path.to_owned())).collect()
}

fn of_document(document: &Value) -> Routes {
    let base = document["servers"][0]["url"].as_str().unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), format!("{base}{path}")))
    });
    operations.collect()
}

/// The routes that a router really has, asked of the router itself.
async fn of_router(routes: fn(&mut ServiceConfig)) -> Routes {
    const ASK: &str = "/the-routes";
    async fn tell(tree: Data<IntrospectionTree>) -> HttpResponse {
        let items: Vec<IntrospectionReportItem> = (&tree.root).into();
        HttpResponse::Ok().json(items)
    }
    let app = App::new().configure(routes).route(ASK, web::get().to(tell));
    let app = test::init_service(app).await;
    let items: Value =
        test::call_and_read_body_json(&app, test::TestRequest::get().uri(ASK).to_request()).await;
    let mut found = Routes::new();
    for item in items.as_array().unwrap() {
        let path = item["full_path"].as_str().unwrap();
        for method in item["methods"].as_array().unwrap() {
            found.insert((method.as_str().unwrap().to_owned(), path.to_owned()));
        }
    }
    assert!(found.remove(&("GET".to_owned(), ASK.to_owned())), "the router tells its routes: {items}");
    found
}

#[actix_web::test]
async fn every_route_stands_in_the_document_and_in_the_table_of_tests() {
    let service = demo();
    let nobody = service.bearing(None);
    type Routes = fn(&mut ServiceConfig);
    let planes: [(Plane, &str, Routes); 2] = [
        (Plane::Room, "reading-room", knik::http::reading_room::routes),
        (Plane::Vault, "vault", knik::http::vault::routes),
    ];
    for (plane, name, routes) in planes {
        let running = of_router(routes).await;
        let served = nobody.get(plane, "/v1/openapi.json").await.expect(200).json();
        let printed = knik(&service.dir, &["openapi", name]).ok().json();
        assert_eq!(served, printed, "{name}: the document served and the one printed");
        assert_eq!(running, of_document(&served), "{name}: the router and the document");
        assert_eq!(running, of_table(plane), "{name}: an endpoint without a test of who may use it");
    }
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_says_who_needs_a_token() {
    let nobody = demo().bearing(None);
    for plane in [Plane::Room, Plane::Vault] {
        let document = nobody.get(plane, "/v1/openapi.json").await.expect(200).json();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let open =
                    ENDPOINTS.iter().any(|e| e.plane == plane && e.open && e.path == format!("/v1{path}"));
                assert_eq!(operation.get("security").is_none(), open, "{plane:?} {method} {path}");
                assert!(
                    names.insert(operation["operationId"].to_string()),
                    "{method} {path}: the name is taken"
                );
            }
        }
    }
}

#[tokio::test]
async fn each_role_gets_of_each_endpoint_what_it_should() {
    let service = demo();
    let known = Known::of(service).await;
    let mut wrong = Vec::new();
    for role in ALL_ROLES {
        let person = service.person(role);
        for endpoint in ENDPOINTS {
            let answer = endpoint.ask(&person, &known).await;
            let (what, expected) = (endpoint.what(), endpoint.expected(role));
            if answer.status != expected {
                wrong.push(format!(
                    "{role}: {what}: {} instead of {expected}: {}",
                    answer.status,
                    answer.text()
                ));
            }
            let opens = endpoint.carries == Carries::Grounds
                || endpoint.path == "/v1/review-items/{id}"
                || endpoint.path == "/v1/reports/{id}"
                || endpoint.path == "/v1/queue-items/{id}/openings"
                || endpoint.path.ends_with("/packages")
                || endpoint.path.ends_with("/renditions")
                || endpoint.path.ends_with("/disclosures");
            let opened = opens && answer.status == endpoint.status;
            if !opened {
                holds_no_canary(&answer.text(), &format!("the answer to {role}: {what}"));
            }
            if answer.status == 403 {
                let reasons = answer.json()["errors"].as_array().map_or(0, Vec::len);
                assert!(reasons > 0, "{role}: {what}: a refusal gives its reasons");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(Role::ALL.len(), ALL_ROLES.len(), "a role without a test");
    assert!(canaries().len() > 50);
}

#[tokio::test]
async fn nothing_is_answered_without_a_token_that_holds() {
    let service = demo();
    let known = Known::of(service).await;
    let good = service.token("official", "min-low", "ambtenaar-1");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let swapped = service.token("researcher", "universiteit", "onderzoeker-1");
    let bad = [
        ("none", None),
        ("rubbish", Some("rubbish".to_owned())),
        ("empty", Some(String::new())),
        ("expired", Some(expired(service))),
        ("unsigned", Some(format!("{head}."))),
        ("signed for other claims", Some(format!("{}.{signature}", swapped.rsplit_once('.').unwrap().0))),
    ];
    for endpoint in ENDPOINTS {
        for (name, token) in &bad {
            let answer = endpoint.ask(&service.bearing(token.as_deref()), &known).await;
            let expected = if endpoint.open { endpoint.status } else { 401 };
            assert_eq!(
                answer.status,
                expected,
                "{} with a token that is {name}: {}",
                endpoint.what(),
                answer.text()
            );
            if let Some(token) = token.as_ref().filter(|token| token.len() > 10) {
                assert!(!answer.text().contains(token.as_str()), "the answer repeats the token");
            }
        }
    }
}

/// Signed by the demo's issuer for an official, an hour ago, for a minute.
fn expired(service: &Service) -> String {
    let seed = KeyFolder::open(&service.dir.join("keys")).unwrap().demo_issuer_seed(false).unwrap();
    let issuer = DevelopmentIssuer::new(&*seed, "https://knik.invalid/demo").unwrap();
    let now: Timestamp = jiff::Timestamp::now().to_string().parse().unwrap();
    let asked = Minting {
        subject: "ambtenaar-1",
        role: Role::Official,
        organisation: &"min-low".parse().unwrap(),
        now: now.plus_seconds(-3_600),
        lifetime_seconds: 60,
        jti: "expired-long-ago",
    };
    issuer.mint(&asked).unwrap()
}

#[tokio::test]
async fn another_way_to_send_a_token_is_no_way() {
    let service = demo();
    let token = service.token("researcher", "universiteit", "onderzoeker-1");
    let nobody = service.bearing(None);
    let ask = |path: &str| nobody.request(Plane::Room, Method::GET, path);
    let ways = [
        ("in the address", ask(&format!("/v1/records?access_token={token}"))),
        ("as a cookie", ask("/v1/records").header("Cookie", format!("token={token}"))),
        ("as basic", ask("/v1/records").header("Authorization", format!("Basic {token}"))),
        ("bare", ask("/v1/records").header("Authorization", token.clone())),
        (
            "twice",
            ask("/v1/records")
                .header("Authorization", format!("Bearer {token}"))
                .header("Authorization", format!("Bearer {token}")),
        ),
    ];
    for (way, request) in ways {
        assert!([400, 401].contains(&answer(request).await.status), "{way}");
    }
    let again = ask("/v1/records").header("Authorization", format!("Bearer {token}"));
    answer(again).await.expect(200);
}

#[tokio::test]
async fn a_path_that_is_not_there_and_a_method_that_it_does_not_know_say_so() {
    let service = demo();
    let known = Known::of(service).await;
    let official = service.person("official");
    for endpoint in ENDPOINTS {
        for method in ["DELETE", "PUT", "PATCH"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            answer(official.request(endpoint.plane, method, &known.path(endpoint))).await.expect(405);
        }
    }
    for plane in [Plane::Room, Plane::Vault] {
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v2/records",
            "/v1/recordz",
            "/v1/records/",
            "/v1/records/x/y/z",
            "/%2e%2e/keys",
        ] {
            let answer = official.get(plane, path).await;
            assert_eq!(answer.status, 404, "{plane:?} {path}: {}", answer.text());
        }
    }
    // The other plane's endpoints are not there either.
    official.get(Plane::Room, "/v1/status").await.expect(404);
    official.get(Plane::Vault, &format!("/v1/conversations/{}", known.conversation)).await.expect(404);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_without_being_repeated() {
    let service = demo();
    let researcher = service.person("researcher");
    for query in [
        "?limit=x",
        "?limit=-1",
        "?limit=0",
        "?limit=101",
        "?grant=abc",
        "?nonsense=geheimwoord",
        "?channel=%00",
        "?after=%27",
    ] {
        let answer = researcher.get(Plane::Room, &format!("/v1/records{query}")).await.expect(400);
        assert!(!answer.text().contains("geheimwoord"), "{}", answer.text());
    }
    let search = |body: &'static str| {
        let request = researcher.request(Plane::Room, Method::POST, "/v1/records/_search");
        request.header("Content-Type", "application/json").body(body)
    };
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"{"query": 1}"#,
        r#"{"query": "geheimwoord", "nonsense": 1}"#,
        r#"{"query": "geheimwoord", "from": "gisteren"}"#,
        r#"{"query": "geheimwoord", "query": "geheimwoord"}"#,
    ] {
        let answer = answer(search(body)).await.expect(400);
        assert!(!answer.text().contains("geheimwoord"), "{body}: {}", answer.text());
        assert!(answer.json()["detail"].is_string(), "{body}: says what is wrong");
    }
    let long = format!(r#"{{"query": "{}"}}"#, "a ".repeat(50_000));
    let request = researcher.request(Plane::Room, Method::POST, "/v1/records/_search");
    answer(request.header("Content-Type", "application/json").body(long)).await.expect(400);
    let plain = researcher.request(Plane::Room, Method::POST, "/v1/records/_search").body(r#"{"query":"x"}"#);
    answer(plain).await.expect(400);
}

#[tokio::test]
async fn plain_http_and_an_authority_that_nobody_trusts_get_nothing() {
    let service = demo();
    for address in [&service.room, &service.vault] {
        let plain = address.replace("https://", "http://");
        let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
        let got = client.get(format!("{plain}/v1/health")).send().await;
        assert!(
            got.is_err_and(|error| !error.is_connect()),
            "the port is open, and no answer comes over plain HTTP"
        );
        assert!(
            client.get(format!("{address}/v1/health")).send().await.is_err(),
            "a stranger does not trust it"
        );
    }
}
