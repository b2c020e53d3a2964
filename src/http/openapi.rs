//! The OpenAPI documents, as served and as printed by `knik openapi`, and what both routers share.
//!
//! utoipa makes paths, parameters and bodies from the handlers. What every operation has alike is added here: the version
//! in the server's address, bearer tokens, problem documents, headers, an example of each body (`examples/`) and of each
//! answer, with a schema of the answer that is read off its example, so that neither can be forgotten.

use super::{API_VERSION, reading_room as room, vault as archive};
use crate::capture::Format;
use crate::model::{FlagKind, Outcome, ReviewReason, Verdict};
use crate::store::catalogue::QueueState;
use actix_web::HttpResponse;
use include_dir::{Dir, include_dir};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use utoipa::OpenApi;

/// Paths that need no token.
pub const OPEN_PATHS: &[&str] = &["/v1/openapi.json", "/v1/health"];

/// What every path begins with; in the document it stands in the server's address.
pub const BASE: &str = "/v1";

/// `OPERATION.json` is an answer, `OPERATION.request.json` a body.
static EXAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/http/examples");

/// Problems of every operation that needs a token.
const PROBLEMS: &[(&str, &str, &str)] = &[
    ("400", "The request cannot be used as it is", "Bad request"),
    ("401", "A valid bearer token is needed", "A valid bearer token is needed"),
    ("403", "Not allowed, with the reasons: you may know that it is there", "Not allowed"),
    ("404", "Not there, or not for you to know: always the same answer", "Not found"),
    ("415", "The body is compressed", "Bodies are not decoded"),
    ("429", "More than one person may ask in a minute", "Too many requests"),
    ("503", "Not available now; nothing was done", "Not available now; try again"),
];

/// Problems of every operation.
const ALWAYS: &[(&str, &str, &str)] = &[("500", "It went wrong here", "Something went wrong")];

/// Problems of operations with a body.
const WITH_BODY: &[(&str, &str, &str)] =
    &[("408", "The body did not come in time", "The request took too long")];

/// Fields that may be null in an answer, beside those that are in their example.
const NULLABLE: &[&str] = &[
    "day",
    "withheld",
    "verdict",
    "checkpoint",
    "by",
    "grant",
    "opening",
    "confirmedAt",
    "answer",
    "answeredAt",
    "hours",
    "hoursMedian",
    "root",
    "oldest",
    "agreement",
    "kappa",
    "interval95",
    "confirmed",
    "rejected",
    "added",
    "recall",
    "precision",
    "timed",
    "secondsEach",
    "outcome",
    "view",
    "before",
    "percent",
    "passage",
    "selection",
];

/// Counts of which a small one is told as `<10`.
const SUPPRESSED: &[&str] =
    &["records", "reactions", "withheld", "yes", "no", "unsure", "positive", "negative", "neutral", "mixed"];

static READING_ROOM: LazyLock<String> = LazyLock::new(|| completed(&room::Document::openapi()));
static VAULT: LazyLock<String> = LazyLock::new(|| completed(&archive::Document::openapi()));

/// The document of the reading room as JSON.
#[must_use]
pub fn reading_room_json() -> &'static str {
    &READING_ROOM
}

/// The document of the vault as JSON.
#[must_use]
pub fn vault_json() -> &'static str {
    &VAULT
}

fn completed(made: &utoipa::openapi::OpenApi) -> String {
    let mut document = serde_json::to_value(made).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        complete(fields);
    }
    document.to_string()
}

fn complete(document: &mut Map<String, Value>) {
    document.insert("servers".to_owned(), json!([{ "url": BASE, "description": "This installation" }]));
    if let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) {
        info.insert("version".to_owned(), json!(API_VERSION));
        info.insert(
            "contact".to_owned(),
            json!({ "name": "Knik", "url": "https://github.com/knik-archief/knik", "email": "knik@knik.invalid" }),
        );
    }
    let components = document.entry("components").or_insert_with(|| json!({}));
    if let Some(components) = components.as_object_mut() {
        let bearer = json!({ "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } });
        components.insert("securitySchemes".to_owned(), bearer);
        if let Some(schemas) = components.entry("schemas").or_insert_with(|| json!({})).as_object_mut() {
            for body in schemas.values_mut() {
                let fields = body.get_mut("properties").and_then(Value::as_object_mut);
                fields.into_iter().flatten().for_each(|(name, schema)| constrain(name, schema));
            }
            schemas.insert("Problem".to_owned(), problem_schema());
        }
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let paths = paths.map(std::mem::take).unwrap_or_default();
    let paths: Map<String, Value> =
        paths.into_iter().map(|(path, item)| completed_path(&path, item)).collect();
    document.insert("paths".to_owned(), Value::Object(paths));
}

fn completed_path(path: &str, mut item: Value) -> (String, Value) {
    let open = OPEN_PATHS.contains(&path);
    for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(operation) = operation.as_object_mut() {
            complete_operation(operation, open);
        }
    }
    (path.strip_prefix(BASE).unwrap_or(path).to_owned(), item)
}

fn complete_operation(operation: &mut Map<String, Value>, open: bool) {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !open {
        operation.insert("security".to_owned(), json!([{ "bearer": [] }]));
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(schema) = parameter.get_mut("schema") {
            constrain(&name, schema);
        }
    }
    let with_body = operation.contains_key("requestBody");
    if let Some(content) = content_of(operation.get_mut("requestBody")) {
        for media in content.values_mut().filter_map(Value::as_object_mut) {
            if let Some(example) = example(&format!("{id}.request")) {
                media.insert("example".to_owned(), example);
            }
        }
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let answer = example(&id);
    for response in responses.values_mut() {
        let media = content_of(Some(response)).and_then(|content| content.get_mut("application/json"));
        if let (Some(answer), Some(media)) = (&answer, media.and_then(Value::as_object_mut)) {
            media.insert("schema".to_owned(), schema_of("", answer));
            media.insert("example".to_owned(), answer.clone());
        }
    }
    let problems = if open { &[][..] } else { PROBLEMS };
    let of_body = if with_body && !open { WITH_BODY } else { &[] };
    for (status, description, title) in problems.iter().chain(of_body).chain(ALWAYS) {
        let stated = responses.get(*status).and_then(|response| response.get("description")).cloned();
        let description = stated.unwrap_or_else(|| json!(description));
        responses.insert((*status).to_owned(), problem(status, &description, title));
    }
    if let Some(too_large) = responses.get("413").and_then(|response| response.get("description")).cloned() {
        responses.insert("413".to_owned(), problem("413", &too_large, "Too large"));
    }
    for (status, response) in responses.iter_mut() {
        if let Some(response) = response.as_object_mut() {
            add_headers(status, response);
        }
    }
}

/// Says of a parameter or field which words it takes: the lists that the code itself reads them with.
fn constrain(name: &str, schema: &mut Value) {
    let schema = match schema.get_mut("items") {
        Some(items) => items,
        None => schema,
    };
    // What its own handler says of it goes before.
    if schema.get("pattern").is_some() || schema.get("enum").is_some() {
        return;
    }
    let words = |words: Vec<&'static str>| ("enum", json!(words));
    let (key, value) = match name {
        "channel" => ("pattern", json!(SLUG)),
        "legalBasis" => ("pattern", json!("^[a-z0-9.-]{1,64}$")),
        "outcome" => words(Outcome::ALL.iter().map(|word| word.as_str()).collect()),
        "format" => words(Format::ALL.iter().map(|word| word.as_str()).collect()),
        "verdict" => words(Verdict::ALL.iter().map(|word| word.as_str()).collect()),
        "reason" => words(ReviewReason::ALL.iter().map(|word| word.as_str()).collect()),
        "kinds" => words(FlagKind::ALL.iter().map(|word| word.as_str()).collect()),
        "state" => ("enum", json!([QueueState::Open, QueueState::Judged])),
        _ => return,
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(key.to_owned(), value);
    }
}

/// What a slug is.
const SLUG: &str = "^[a-z0-9][a-z0-9-]{0,63}$";

fn content_of(part: Option<&mut Value>) -> Option<&mut Map<String, Value>> {
    part?.get_mut("content")?.as_object_mut()
}

fn example(name: &str) -> Option<Value> {
    serde_json::from_str(EXAMPLES.get_file(format!("{name}.json"))?.contents_utf8()?).ok()
}

fn add_headers(status: &str, response: &mut Map<String, Value>) {
    let header = |description: &str, kind: &str, example: Value| json!({ "description": description, "schema": { "type": kind }, "example": example });
    let headers = response.entry("headers").or_insert_with(|| json!({}));
    let Some(headers) = headers.as_object_mut() else { return };
    headers.insert(
        "API-Version".to_owned(),
        header("The version of the interface", "string", json!(API_VERSION)),
    );
    match status {
        "401" => {
            headers.insert("WWW-Authenticate".to_owned(), header("`Bearer`", "string", json!("Bearer")));
        }
        "429" => {
            headers.insert("Retry-After".to_owned(), header("Seconds to wait", "integer", json!(5)));
        }
        _ => {}
    }
}

fn problem(status: &str, description: &Value, title: &str) -> Value {
    let number: u16 = status.parse().unwrap_or_default();
    let example = json!({ "type": "/problems/example", "title": title, "status": number, "detail": "what is wrong here, and the mend" });
    let media = json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "example": example });
    json!({ "description": description, "content": { "application/problem+json": media } })
}

/// RFC 9457, and every reason at once.
fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "A problem document (RFC 9457). Holds no content and no names.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "description": "What kind of problem: a relative reference that stays the same" },
            "title": { "type": "string", "description": "The kind in words" },
            "status": { "type": "integer", "description": "The HTTP status again" },
            "detail": { "type": "string", "description": "What is wrong here, and the mend" },
            "errors": { "type": "array", "items": { "type": "string" }, "description": "Every reason, all at once" },
        },
    })
}

/// The schema of an answer, read off its example: kinds and forms of values. Which fields are there depends on the case, so
/// none is required.
fn schema_of(name: &str, value: &Value) -> Value {
    let mut schema = match value {
        Value::Null => return json!({}),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(number) if number.is_f64() => json!({ "type": "number" }),
        Value::Number(_) if SUPPRESSED.contains(&name) => json!({ "type": ["integer", "string"] }),
        Value::Number(_) => json!({ "type": "integer" }),
        Value::String(text) if text == "<10" => json!({ "type": ["integer", "string"] }),
        Value::String(text) => match format_of(text) {
            Some(format) => json!({ "type": "string", "format": format }),
            None => json!({ "type": "string" }),
        },
        Value::Array(items) => {
            let items = items.iter().map(|item| schema_of("", item)).reduce(|one, other| either(&one, other));
            let items = items.unwrap_or_else(|| json!({}));
            json!({ "type": "array", "items": items })
        }
        Value::Object(fields) => {
            let fields: Map<String, Value> =
                fields.iter().map(|(name, value)| (name.clone(), schema_of(name, value))).collect();
            json!({ "type": "object", "properties": fields })
        }
    };
    let nullable = schema.get("type").cloned().filter(|_| NULLABLE.contains(&name));
    if let (Some(kind), Some(fields)) = (nullable, schema.as_object_mut()) {
        let mut kinds = kind.as_array().cloned().unwrap_or_else(|| vec![kind]);
        kinds.push(json!("null"));
        fields.insert("type".to_owned(), json!(kinds));
    }
    schema
}

/// What holds for both of two schemas: where they differ, nothing is said.
fn either(one: &Value, other: Value) -> Value {
    match (one, other) {
        (one, other) if *one == other => other,
        (Value::Object(one), Value::Object(other)) if one.get("type") == other.get("type") => {
            let fields = other.into_iter().map(|(name, value)| {
                let common =
                    one.get(&name).map_or_else(|| value.clone(), |known| either(known, value.clone()));
                (name, common)
            });
            Value::Object(fields.filter(|(_, value)| !value.is_null()).collect())
        }
        _ => json!({}),
    }
}

fn format_of(text: &str) -> Option<&'static str> {
    if text.len() == 36 && uuid::Uuid::try_parse(text).is_ok() {
        return Some("uuid");
    }
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Some("date-time");
    }
    (text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()).then_some("date")
}

/// The OpenAPI document of this service.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "service", operation_id = "readOpenapi",
    responses((status = 200, description = "The document", body = Object,
        example = json!({"openapi": "3.1.0", "info": {"title": "Knik", "version": API_VERSION}, "paths": {}})))
)]
pub(super) async fn reading_room() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(reading_room_json())
}

/// The OpenAPI document of this service.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "service", operation_id = "readOpenapi",
    responses((status = 200, description = "The document", body = Object,
        example = json!({"openapi": "3.1.0", "info": {"title": "Knik", "version": API_VERSION}, "paths": {}})))
)]
pub(super) async fn vault() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(vault_json())
}

/// Whether the service answers.
#[utoipa::path(
    get, path = "/v1/health", tag = "service", operation_id = "readHealth",
    responses((status = 200, description = "It does", body = Object, example = json!({"status": "up"})))
)]
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "up"}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_an_example_of_its_body_and_its_answer() {
        for text in [reading_room_json(), vault_json()] {
            let document: Value = serde_json::from_str(text).unwrap();
            for (path, item) in document["paths"].as_object().unwrap() {
                for (method, operation) in item.as_object().unwrap() {
                    let id = operation["operationId"].as_str().unwrap();
                    let bodies = operation.get("requestBody").into_iter();
                    let answers = operation["responses"].as_object().unwrap().values();
                    for part in bodies.chain(answers) {
                        for (kind, media) in part["content"].as_object().unwrap() {
                            let told = media.get("example").is_some() || kind == "application/octet-stream";
                            assert!(
                                told,
                                "{method} {path}: {kind} of {part} has no example: add examples/{id}.json"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_example_is_of_an_operation() {
        let documents = [reading_room_json(), vault_json()].concat();
        for file in EXAMPLES.files() {
            let name = file.path().file_stem().unwrap().to_str().unwrap();
            let id = name.trim_end_matches(".request");
            assert!(documents.contains(&format!("\"operationId\":\"{id}\"")), "{name}");
            assert!(example(name).is_some(), "{name} is no JSON");
        }
    }
}
