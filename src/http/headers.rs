//! What every answer carries, and the access log: route, status and time, never a path, a query or a token.

use super::API_VERSION;
use super::problem::Problem;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, CONTENT_ENCODING, HeaderValue};
use actix_web::middleware::{DefaultHeaders, Next};
use actix_web::{Error, HttpResponse, ResponseError, Route, web};
use std::time::Instant;

/// Headers of every answer.
pub(super) fn fixed() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("API-Version", API_VERSION))
        .add(("Cache-Control", "no-store"))
        .add(("Cross-Origin-Resource-Policy", "same-origin"))
        .add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("Strict-Transport-Security", "max-age=31536000"))
        .add(("Vary", "Authorization, Accept, Accept-Language"))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("X-Frame-Options", "DENY"))
}

/// Logs each answer by its route's pattern.
pub(super) async fn log(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let method = request.method().clone();
    // What is compressed would pass limits that count what comes in.
    let encoded = request.headers().contains_key(CONTENT_ENCODING);
    let answer = if encoded {
        request.into_response(Problem::encoded().error_response()).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    let route = answer.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(%method, %route, status = answer.status().as_u16(), micros, "answered");
    Ok(answer)
}

/// Paths that no route knows.
pub(super) async fn absent() -> HttpResponse {
    Problem::absent().error_response()
}

/// What a path answers to methods that it does not know; `allowed` are those that it knows.
pub(super) fn refuse(allowed: &'static str) -> Route {
    web::route().to(move || async move {
        let mut answer = Problem::method().error_response();
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        answer
    })
}
