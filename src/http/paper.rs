//! Pages on paper: what is asked for as `application/pdf`.

use super::problem::Problem;
use crate::page::{PaperPage, pdf};
use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;

/// Whether an answer is asked for on paper.
pub(super) fn wanted(request: &HttpRequest) -> bool {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepts.contains(MEDIA_TYPE)
}

/// The media type of paper.
pub(super) const MEDIA_TYPE: &str = "application/pdf";

/// A page on paper.
///
/// # Errors
/// A problem when it cannot be written; nothing of the page is in it.
pub(super) fn on_paper(page: &PaperPage<'_>) -> Result<Vec<u8>, Problem> {
    pdf(page).map_err(|_| Problem::internal())
}
