//! Routes of exports: the researcher's in the reading room, the second person's in the vault.

use super::body::Body;
use super::caller::Caller;
use super::handing::record;
use super::headers::refuse;
use super::problem::Problem;
use super::reading_room::{RoomDesk, claims};
use super::vault::{VaultDesk, actor};
use crate::model::{ExportId, GrantId};
use crate::reading_room::Download;
use crate::vault::exports::{self, Letting};
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::RANGE;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use std::io;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Registers the researcher's routes.
pub(super) fn room_routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/exports").get(own).post(start).default_service(refuse("GET, POST")))
        .service(web::resource("/v1/exports/{id}").get(own_one).default_service(refuse("GET")))
        .service(web::resource("/v1/exports/{id}/package").get(package).default_service(refuse("GET")));
}

/// Registers the second person's routes.
pub(super) fn vault_routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/exports").get(list).default_service(refuse("GET")))
        .service(web::resource("/v1/exports/{id}").get(one).default_service(refuse("GET")))
        .service(web::resource("/v1/exports/{id}/releases").post(release).default_service(refuse("POST")))
        .service(web::resource("/v1/exports/{id}/refusals").post(refuse_).default_service(refuse("POST")));
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct OfGrant {
    /// Under which grant; the one for files that runs longest when absent.
    #[param(value_type = Option<String>, format = "uuid")]
    grant: Option<GrantId>,
}

/// Of what files are to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartBody {
    /// Under which grant; the one for files that runs longest when left out.
    #[schema(value_type = Option<String>, format = "uuid")]
    grant: Option<GrantId>,
}

/// Why files go, or do not.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LettingBody {
    /// The reason, in words. The researcher reads why they do not go.
    text: String,
}

/// List the exports of a grant of one's own, with where each stands.
#[utoipa::path(
    get, path = "/v1/exports", tag = "exports", operation_id = "listOwnExports", params(OfGrant),
    responses((status = 200, description = "The exports, those that changed last first", body = Object))
)]
pub(super) async fn own(
    desk: Data<RoomDesk>,
    caller: Caller,
    parameters: Query<OfGrant>,
) -> Result<HttpResponse, Problem> {
    let exports = desk.room.exports(&claims(caller.0), parameters.grant).await?;
    Ok(HttpResponse::Ok().json(json!({ "exports": exports })))
}

/// Have files made of what a grant selects, one export at a time.
///
/// They are built, held, checked for leaks and let go by a second person before they can be fetched. The export stands
/// among one's exports once the vault has taken it up, within a second or so.
#[utoipa::path(
    post, path = "/v1/exports", tag = "exports", operation_id = "startExport", request_body = StartBody,
    responses((status = 202, description = "Handed up: its address is in `Location`", body = Object))
)]
pub(super) async fn start(
    desk: Data<RoomDesk>,
    caller: Caller,
    body: Body<StartBody>,
) -> Result<HttpResponse, Problem> {
    let Body(StartBody { grant }) = body;
    let id = ExportId::from_uuid(Uuid::new_v4());
    desk.room.start_export(&claims(caller.0), grant, id).await?;
    let at = format!("/v1/exports/{id}");
    Ok(HttpResponse::Accepted().insert_header(("Location", at)).json(json!({ "id": id })))
}

/// Read where one export of one's own stands.
#[utoipa::path(
    get, path = "/v1/exports/{id}", tag = "exports", operation_id = "readOwnExport",
    params(("id" = String, Path, format = "uuid", description = "The export")),
    responses((status = 200, description = "The export", body = Object))
)]
pub(super) async fn own_one(
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<ExportId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(desk.room.export(&claims(caller.0), *id).await?))
}

/// Fetch a released export: its files as one `tar`.
///
/// That it is fetched is recorded before the first byte goes. It is consumed when the last byte of its last file was sent; until then
/// it can be resumed with `Range: bytes=N-`, for a week after its release and no longer than the grant runs or what is in it stands.
#[utoipa::path(
    get, path = "/v1/exports/{id}/package", tag = "exports", operation_id = "fetchExport",
    params(
        ("id" = String, Path, format = "uuid", description = "The export"),
        ("Range" = Option<String>, Header, description = "`bytes=N-`: from this byte on")
    ),
    responses(
        (status = 200, description = "The package", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "The package from the byte that was asked for", content_type = "application/octet-stream", body = Vec<u8>)
    )
)]
pub(super) async fn package(
    request: HttpRequest,
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<ExportId>,
) -> Result<HttpResponse, Problem> {
    let offer = desk.room.offer(&claims(caller.0), *id).await?;
    let size = offer.size_bytes();
    let range = request.headers().get(RANGE).map(|value| value.to_str().unwrap_or_default());
    let from = match range {
        None => 0,
        Some(range) => first_byte(range).filter(|from| *from < size).ok_or_else(|| {
            Problem::input("`Range` must be `bytes=N-`, with N before the end of the package")
        })?,
    };
    let name = format!("attachment; filename=\"knik-export-{}.tar\"", offer.export());
    let mut answer =
        HttpResponse::build(if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    answer.insert_header(("Accept-Ranges", "bytes")).insert_header(("Content-Disposition", name));
    if range.is_some() {
        answer.insert_header(("Content-Range", format!("bytes {from}-{}/{size}", size - 1)));
    }
    let download = Arc::new(offer.begin(from).await?);
    let sending = Sending { download, from, reached: from, told: false };
    let body = stream::unfold(sending, |mut sending| async move { Some((sending.next().await?, sending)) });
    Ok(answer.content_type("application/octet-stream").body(SizedStream::new(size - from, body)))
}

/// `bytes=N-`, and nothing else.
fn first_byte(range: &str) -> Option<u64> {
    let from = range.strip_prefix("bytes=")?.strip_suffix('-')?;
    from.bytes().all(|byte| byte.is_ascii_digit()).then(|| from.parse().ok()).flatten()
}

/// A package on its way to one reader. How far it came is recorded: when its last file was given to the connection, that it is
/// consumed; when it broke off before that, how far.
struct Sending {
    download: Arc<Download>,
    from: u64,
    reached: u64,
    told: bool,
}

impl Sending {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        // Asked for more: what was given before is with the connection.
        if !self.told && self.reached >= self.download.content_bytes() {
            self.told = true;
            if let Err(error) = self.download.sent(self.from, self.reached).await {
                tracing::error!(%error, "that an export was fetched was not recorded");
            }
        }
        match self.download.piece(self.reached).await {
            Ok(Some(piece)) => {
                self.reached += piece.len() as u64;
                Some(Ok(piece))
            }
            Ok(None) if self.reached >= self.download.size_bytes() => None,
            // It was taken back meanwhile.
            Ok(None) => Some(Err(io::Error::other("the package is gone"))),
            Err(error) => {
                tracing::error!(%error, "a package was not sent");
                Some(Err(io::Error::other("the package cannot be read")))
            }
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let (download, from, reached) = (Arc::clone(&self.download), self.from, self.reached);
        // Whoever goes away with the last byte of the last file in hand has fetched it.
        if !self.told && reached > from {
            record(async move { download.sent(from, reached).await });
        }
    }
}

/// List the exports of the own organisation's records.
#[utoipa::path(
    get, path = "/v1/exports", tag = "exports", operation_id = "listExports",
    responses((status = 200, description = "The exports, those that changed last first", body = Object))
)]
pub(super) async fn list(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let exports = exports::list(&desk.archive, &desk.rules, &actor).await?;
    Ok(HttpResponse::Ok().json(json!({ "exports": exports })))
}

/// Read one export with what the leak gate found: counts and codes.
#[utoipa::path(
    get, path = "/v1/exports/{id}", tag = "exports", operation_id = "readExport",
    params(("id" = String, Path, format = "uuid", description = "The export")),
    responses((status = 200, description = "The export", body = Object))
)]
pub(super) async fn one(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<ExportId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    Ok(HttpResponse::Ok().json(exports::one(&desk.archive, &desk.rules, &actor, *id).await?))
}

/// Let a checked export go, as its second person, under a mandate.
#[utoipa::path(
    post, path = "/v1/exports/{id}/releases", tag = "exports", operation_id = "releaseExport",
    params(("id" = String, Path, format = "uuid", description = "The export")), request_body = LettingBody,
    responses((status = 201, description = "The export as it now stands", body = Object))
)]
pub(super) async fn release(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<ExportId>,
    body: Body<LettingBody>,
) -> Result<HttpResponse, Problem> {
    let_go(desk, caller, *id, body, Letting::Release).await
}

/// Do not let a checked export go, as its second person, with the reason. Its files are gone then.
#[utoipa::path(
    post, path = "/v1/exports/{id}/refusals", tag = "exports", operation_id = "refuseExport",
    params(("id" = String, Path, format = "uuid", description = "The export")), request_body = LettingBody,
    responses((status = 201, description = "The export as it now stands", body = Object))
)]
pub(super) async fn refuse_(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<ExportId>,
    body: Body<LettingBody>,
) -> Result<HttpResponse, Problem> {
    let_go(desk, caller, *id, body, Letting::Refuse).await
}

async fn let_go(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: ExportId,
    body: Body<LettingBody>,
    letting: Letting,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(LettingBody { text }) = body;
    let export = exports::let_go(&desk.archive, &desk.rules, &actor, id, letting, &text).await?;
    Ok(HttpResponse::Created().json(export))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_to_the_end_is_a_range() {
        assert_eq!(first_byte("bytes=0-"), Some(0));
        assert_eq!(first_byte("bytes=1048576-"), Some(1_048_576));
        for other in ["", "bytes=-5", "bytes=1-2", "bytes=1-,4-", "bytes=+1-", "bytes=-", "items=1-"] {
            assert_eq!(first_byte(other), None, "{other}");
        }
    }
}
