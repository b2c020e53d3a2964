//! The Presidio-compatible face: the routes of Presidio's two services, so that its clients can be pointed at Knik.
//!
//! Requests are read as Presidio 2.2.363 reads them, answers have its shapes, statuses and messages; what is meant to
//! differ stands in `docs/presidio.md`. `knik detector` serves this and nothing else. Nothing of a request is kept
//! or logged.

mod adhoc_request;
mod admission;
mod analyze;
mod analyze_request;
mod anonymize;
mod body;
mod lists;
mod refusal;
mod server;

pub use admission::{AccessToken, AccessTokenError};
pub use server::serve;

use super::headers;
use crate::detect::Ruleset;
use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use refusal::Refusal;
use std::sync::Arc;

/// What the face finds with: one ruleset for all threads.
#[derive(Clone)]
pub struct Detector {
    ruleset: Arc<Ruleset>,
}

impl Detector {
    /// A face on this ruleset.
    #[must_use]
    pub fn new(ruleset: Arc<Ruleset>) -> Self {
        Self { ruleset }
    }
}

/// Registers every route.
pub(super) fn routes(config: &mut ServiceConfig) {
    let refuse = || web::route().to(method);
    config
        .service(web::resource("/analyze").post(analyze::analyze).default_service(refuse()))
        .service(web::resource("/recognizers").get(lists::recognizers).default_service(refuse()))
        .service(web::resource("/supportedentities").get(lists::entities).default_service(refuse()))
        .service(web::resource("/anonymize").post(anonymize::anonymize).default_service(refuse()))
        .service(web::resource("/deanonymize").post(anonymize::deanonymize).default_service(refuse()))
        .service(web::resource("/anonymizers").get(lists::anonymizers).default_service(refuse()))
        .service(web::resource("/deanonymizers").get(lists::deanonymizers).default_service(refuse()))
        .service(web::resource(HEALTH).get(health).head(health).default_service(refuse()))
        .default_service(web::route().to(absent));
}

/// The one path that needs no token.
const HEALTH: &str = "/health";

async fn health() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("Knik detector service is up")
}

async fn absent() -> Result<HttpResponse, Refusal> {
    Err(Refusal::absent())
}

async fn method() -> Result<HttpResponse, Refusal> {
    Err(Refusal::method())
}
