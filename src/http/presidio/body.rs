//! The body of a request as JSON: bounded in size, depth and time.

use super::Refusal;
use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Payload;
use serde_json::Value;
use std::time::Duration;

/// Largest body, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest text, in code points: what spaCy, and so Presidio, takes by default.
pub(super) const TEXT_CHARS_MAX: usize = 1_000_000;
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// Why there is no JSON.
pub(super) enum BodyFault {
    /// It does not say that it is JSON.
    MediaType,
    /// It is none, or nested too deeply.
    NotJson,
    /// It is refused before it is read.
    Refused(Refusal),
}

/// Reads the body.
pub(super) async fn json(request: &HttpRequest, payload: Payload) -> Result<Value, BodyFault> {
    if !says_json(request) {
        return Err(BodyFault::MediaType);
    }
    let read = tokio::time::timeout(BODY_TIME_MAX, payload.to_bytes_limited(BODY_BYTES_MAX)).await;
    let Ok(read) = read else { return Err(BodyFault::Refused(Refusal::too_slow())) };
    let Ok(bytes) = read else {
        return Err(BodyFault::Refused(Refusal::too_large("The body in bytes", BODY_BYTES_MAX)));
    };
    let bytes = bytes.map_err(|_| BodyFault::NotJson)?;
    serde_json::from_slice(&bytes).map_err(|_| BodyFault::NotJson)
}

/// `application/json`, or `application/` something `+json`.
fn says_json(request: &HttpRequest) -> bool {
    let stated =
        request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Refuses a text that is too long.
pub(super) fn bounded(text: &str) -> Result<(), Refusal> {
    if text.len() > TEXT_CHARS_MAX && text.chars().count() > TEXT_CHARS_MAX {
        return Err(Refusal::too_large("A text in code points", TEXT_CHARS_MAX));
    }
    Ok(())
}
