//! In which language labels are: `Accept-Language`, Dutch unless English is asked for first.

use crate::redact::Language;
use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;

/// The language of an answer.
pub(super) fn language(request: &HttpRequest) -> Language {
    let asked =
        request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = asked.split(',').find_map(|tag| match tag.trim().get(..2) {
        Some("en") => Some(Language::English),
        Some("nl") => Some(Language::Dutch),
        _ => None,
    });
    first.unwrap_or_default()
}
