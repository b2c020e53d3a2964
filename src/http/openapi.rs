//! The OpenAPI documents, as served and as printed by `knik openapi`, and what both routers share.

use super::{API_VERSION, reading_room as room, vault as archive};
use actix_web::HttpResponse;
use serde_json::json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

/// What every operation has: the version, bearer tokens, problem documents.
pub(super) struct Common;

/// Paths that need no token.
pub const OPEN_PATHS: &[&str] = &["/v1/openapi.json", "/v1/health"];

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        document.info.version = API_VERSION.to_owned();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for (path, item) in &mut document.paths.paths {
            let open = OPEN_PATHS.contains(&path.as_str());
            let operations =
                [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                if !open {
                    operation.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
                    for (status, description) in PROBLEMS {
                        responses.entry((*status).to_owned()).or_insert_with(|| problem(description));
                    }
                }
                responses.entry("500".to_owned()).or_insert_with(|| problem("It went wrong here"));
            }
        }
    }
}

const PROBLEMS: &[(&str, &str)] = &[
    ("400", "The request cannot be used as it is"),
    ("401", "A valid bearer token is needed"),
    ("403", "Not allowed"),
    ("404", "Not there, or not for you to know"),
    ("503", "Not available now"),
];

fn problem(description: &str) -> RefOr<Response> {
    let example = json!({"type": "/problems/not-found", "title": "Not found", "status": 404});
    let content = ContentBuilder::new().example(Some(example)).build();
    RefOr::T(
        ResponseBuilder::new().description(description).content("application/problem+json", content).build(),
    )
}

/// The document of the reading room as JSON.
#[must_use]
pub fn reading_room_json() -> String {
    room::Document::openapi().to_json().unwrap_or_default()
}

/// The document of the vault as JSON.
#[must_use]
pub fn vault_json() -> String {
    archive::Document::openapi().to_json().unwrap_or_default()
}

/// The OpenAPI document of this service.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "service", operation_id = "readOpenapi",
    responses((status = 200, description = "The document", body = Object))
)]
pub(super) async fn reading_room() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(reading_room_json())
}

/// The OpenAPI document of this service.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "service", operation_id = "readOpenapi",
    responses((status = 200, description = "The document", body = Object))
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
