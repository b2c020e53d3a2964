//! What can be asked for: recognisers, entity types, operators.

use super::{Detector, Refusal};
use crate::detect::Recogniser;
use crate::detect::adhoc::Language;
use crate::redact::presidio_operators;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use std::collections::BTreeSet;

/// `GET /recognizers?language=nl`.
pub(super) async fn recognizers(
    detector: Data<Detector>,
    asked: Query<Vec<(String, String)>>,
) -> Result<HttpResponse, Refusal> {
    known_language(&asked)?;
    let names: Vec<&str> =
        detector.ruleset.recognisers().map(|recogniser| recogniser.id().as_str()).collect();
    Ok(HttpResponse::Ok().json(names))
}

/// `GET /supportedentities?language=nl`. The ruleset runs on every language alike.
pub(super) async fn entities(
    detector: Data<Detector>,
    asked: Query<Vec<(String, String)>>,
) -> Result<HttpResponse, Refusal> {
    known_language(&asked)?;
    let entities: BTreeSet<&str> =
        detector.ruleset.recognisers().map(Recogniser::entity).map(|e| e.as_str()).collect();
    Ok(HttpResponse::Ok().json(entities))
}

/// `GET /anonymizers`.
pub(super) async fn anonymizers() -> HttpResponse {
    HttpResponse::Ok().json(presidio_operators::anonymizers())
}

/// `GET /deanonymizers`.
pub(super) async fn deanonymizers() -> HttpResponse {
    HttpResponse::Ok().json(presidio_operators::deanonymizers())
}

/// None, or one that is known.
fn known_language(asked: &Query<Vec<(String, String)>>) -> Result<(), Refusal> {
    match asked.iter().find(|(name, _)| name == "language") {
        Some((_, code)) if !code.is_empty() => Ok(code.parse::<Language>().map(|_| ())?),
        _ => Ok(()),
    }
}
