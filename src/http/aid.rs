//! Routes of finding aids and citations, in the reading room.

use super::caller::Caller;
use super::headers::refuse;
use super::language::language;
use super::problem::Problem;
use super::reading_room::{RoomDesk, claims};
use crate::model::{GrantId, RecordRef};
use crate::redact::{finding_aid_html, finding_aid_text};
use actix_web::http::header;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

/// Registers the routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/finding-aid").get(finding_aid).default_service(refuse("GET")))
        .service(web::resource("/v1/citations/{id}").get(citation).default_service(refuse("GET")));
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AidParameters {
    /// Of which grant; of the one for views that runs longest when absent, or without any of the one for files.
    #[param(value_type = Option<String>, format = "uuid")]
    grant: Option<GrantId>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CitationParameters {
    /// Under which grant; the one for views that runs longest when absent, or without any the one for files.
    #[param(value_type = Option<String>, format = "uuid")]
    grant: Option<GrantId>,
    /// The version that was cited; the present one when absent.
    #[param(minimum = 1, maximum = 1000000)]
    version: Option<u64>,
}

/// Read how the records of a grant came to be there: what was harvested and when, gaps, trees and profiles, the share withheld
/// and why, and how well the detector was measured to find.
///
/// As JSON, or for people: `text/plain` or `text/html` in `Accept`.
#[utoipa::path(
    get, path = "/v1/finding-aid", tag = "records", operation_id = "readFindingAid", params(AidParameters),
    responses((status = 200, description = "The finding aid", body = Object))
)]
pub(super) async fn finding_aid(
    request: HttpRequest,
    desk: Data<RoomDesk>,
    caller: Caller,
    parameters: Query<AidParameters>,
) -> Result<HttpResponse, Problem> {
    let aid = desk.room.finding_aid(&claims(caller.0), parameters.grant).await?;
    let wanted =
        request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let said = language(&request);
    Ok(match wanted {
        wanted if wanted.contains("text/html") => {
            HttpResponse::Ok().content_type("text/html; charset=utf-8").body(finding_aid_html(&aid, said))
        }
        wanted if wanted.contains("text/plain") => {
            HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(finding_aid_text(&aid, said))
        }
        _ => HttpResponse::Ok().json(aid),
    })
}

/// Read what a name of the grant stands for: the version that was cited, a later one in its place, or nothing any more. And how it
/// is cited, in words.
#[utoipa::path(
    get, path = "/v1/citations/{id}", tag = "records", operation_id = "readCitation",
    params(("id" = String, Path, format = "uuid", description = "The grant's name for the record"), CitationParameters),
    responses((status = 200, description = "The citation", body = Object))
)]
pub(super) async fn citation(
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<RecordRef>,
    parameters: Query<CitationParameters>,
) -> Result<HttpResponse, Problem> {
    let Query(CitationParameters { grant, version }) = parameters;
    Ok(HttpResponse::Ok().json(desk.room.citation(&claims(caller.0), grant, *id, version).await?))
}
