//! Routes of incidents: which there are, who has what, how each ended; and, in the reading room, what readers must know.

use super::body::Body;
use super::caller::Caller;
use super::headers::refuse;
use super::problem::Problem;
use super::reading_room::{RoomDesk, claims};
use super::vault::{VaultDesk, actor};
use crate::model::{IncidentId, IncidentOutcome, PrivateText};
use crate::vault::incidents;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// Registers the vault's routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/incidents").get(list).default_service(refuse("GET")))
        .service(web::resource("/v1/incidents/{id}").get(show).default_service(refuse("GET")))
        .service(web::resource("/v1/incidents/{id}/outcomes").post(close).default_service(refuse("POST")));
}

/// Registers the reading room's route.
pub(super) fn room_routes(config: &mut ServiceConfig) {
    config.service(web::resource("/v1/notices").get(notices).default_service(refuse("GET")));
}

/// How an incident ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentOutcomeBody {
    /// `notified` (to the supervisory authority, AVG 33), `no-notification` (not due) or `unfounded`.
    #[schema(value_type = String, pattern = "^(notified|no-notification|unfounded)$")]
    outcome: IncidentOutcome,
    /// What was done and why, in 20 to 4,000 characters. Sealed with the entry.
    text: String,
}

/// List the incidents of the own organisation, newest first.
#[utoipa::path(
    get, path = "/v1/incidents", tag = "incidents", operation_id = "listIncidents",
    responses((status = 200, description = "The incidents, each with the hours that are left to notify", body = Object))
)]
pub(super) async fn list(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let incidents = incidents::list(&desk.archive, &desk.rules, Some(&actor)).await?;
    Ok(HttpResponse::Ok().json(json!({ "incidents": incidents })))
}

/// Read one incident: its records, which grants and people have them, who was told.
#[utoipa::path(
    get, path = "/v1/incidents/{id}", tag = "incidents", operation_id = "readIncident",
    params(("id" = String, Path, format = "uuid", description = "The incident")),
    responses((status = 200, description = "The incident", body = Object))
)]
pub(super) async fn show(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<IncidentId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    Ok(HttpResponse::Ok().json(incidents::show(&desk.archive, &desk.rules, Some(&actor), *id).await?))
}

/// Say how an incident ended, and why. Once.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/outcomes", tag = "incidents", operation_id = "closeIncident",
    params(("id" = String, Path, format = "uuid", description = "The incident")), request_body = IncidentOutcomeBody,
    responses((status = 201, description = "The incident as it now stands", body = Object))
)]
pub(super) async fn close(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<IncidentId>,
    body: Body<IncidentOutcomeBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(IncidentOutcomeBody { outcome, text }) = body;
    let text = PrivateText::new(text);
    let closed = incidents::close(&desk.archive, &desk.rules, Some(&actor), *id, outcome, &text).await?;
    Ok(HttpResponse::Created().json(closed))
}

/// Read what you must know of what you read: recalls, newest first, also of grants that have ended.
#[utoipa::path(
    get, path = "/v1/notices", tag = "notices", operation_id = "listNotices",
    responses((status = 200, description = "The notices", body = Object))
)]
pub(super) async fn notices(desk: Data<RoomDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let notices = desk.room.notices(&claims(caller.0)).await?;
    Ok(HttpResponse::Ok().json(json!({ "notices": notices })))
}
