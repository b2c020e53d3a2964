//! Routes of reports: a reader's in the reading room, a reviewer's in the vault.

use super::body::Body;
use super::caller::Caller;
use super::headers::refuse;
use super::page::PageSize;
use super::problem::Problem;
use super::reading_room::{RoomDesk, claims};
use super::vault::{VaultDesk, actor};
use crate::model::{EntityType, GrantId, RecordRef, ReportId, ReportKind, ReportOutcome};
use crate::vault::reports::{self, Place, ReportJudging, ReportSelection};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Registers the reader's route.
pub(super) fn room_routes(config: &mut ServiceConfig) {
    config.service(web::resource("/v1/records/{id}/reports").post(report).default_service(refuse("POST")));
}

/// Registers the reviewer's routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/reports").get(list).default_service(refuse("GET")))
        .service(web::resource("/v1/reports/{id}").get(show).default_service(refuse("GET")))
        .service(web::resource("/v1/reports/{id}/judgements").post(judge).default_service(refuse("POST")));
}

/// What a reader reports. It has no words: they would stand in an inbox that forgets nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportBody {
    /// `wrongly-redacted`, or `name-visible`: then the record is withheld until a reviewer has judged it.
    #[schema(value_type = String, pattern = "^(wrongly-redacted|name-visible)$")]
    kind: ReportKind,
    /// In which text of the record, from 0, in the order of the view.
    #[schema(minimum = 0, maximum = 999)]
    passage: Option<u32>,
    /// Under which grant; the one for views that runs longest when absent, or without any the one for files.
    #[schema(value_type = Option<String>, format = "uuid")]
    grant: Option<GrantId>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportParameters {
    /// Those that were judged, in the place of those that wait.
    #[serde(default)]
    judged: bool,
    /// How many at the most, 1 to 100.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<PageSize>,
}

/// A place in the text of a record, in Unicode code points.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceBody {
    /// In which text of the record, from 0.
    #[schema(minimum = 0, maximum = 999)]
    passage: usize,
    /// First code point.
    #[schema(minimum = 0, maximum = 1000000)]
    start: usize,
    /// One past the last.
    #[schema(minimum = 1, maximum = 1000000)]
    end: usize,
    /// What stands there, such as `PHONE_NUMBER`; `PERSON` when left out.
    #[schema(value_type = Option<String>)]
    entity: Option<EntityType>,
}

/// What a reviewer says of a report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportJudgementBody {
    /// `confirmed`, with the places, or `unfounded`, without.
    #[schema(value_type = String, pattern = "^(confirmed|unfounded)$")]
    outcome: ReportOutcome,
    /// What must be hidden (`name-visible`), or must not be (`wrongly-redacted`).
    #[serde(default)]
    #[schema(max_items = 100)]
    places: Vec<PlaceBody>,
}

/// Report that something is wrong with a view: it goes to the reviewers.
#[utoipa::path(
    post, path = "/v1/records/{id}/reports", tag = "records", operation_id = "reportRecord",
    params(("id" = String, Path, format = "uuid", description = "The grant's name for the record")), request_body = ReportBody,
    responses((status = 202, description = "Handed up", body = Object))
)]
pub(super) async fn report(
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<RecordRef>,
    body: Body<ReportBody>,
) -> Result<HttpResponse, Problem> {
    let Body(ReportBody { kind, passage, grant }) = body;
    let report = desk.room.report(&claims(caller.0), grant, *id, kind, passage).await?;
    Ok(HttpResponse::Accepted().json(json!({ "id": report })))
}

/// List the reports of readers on the records of the own organisation, oldest first; no text.
#[utoipa::path(
    get, path = "/v1/reports", tag = "review", operation_id = "listReports", params(ReportParameters),
    responses((status = 200, description = "The reports", body = Object))
)]
pub(super) async fn list(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<ReportParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Query(ReportParameters { judged, limit }) = parameters;
    let asked = ReportSelection { judged, most: limit.unwrap_or_default().get() };
    let reports = reports::list(&desk.archive, &desk.rules, &actor, asked).await?;
    Ok(HttpResponse::Ok().json(json!({ "reports": reports })))
}

/// Open the record of a report: its text with what is redacted in it, in Unicode code points. Recorded before it is opened.
#[utoipa::path(
    get, path = "/v1/reports/{id}", tag = "review", operation_id = "openReport",
    params(("id" = String, Path, format = "uuid", description = "The report")),
    responses((status = 200, description = "The report with the text of its record", body = Object))
)]
pub(super) async fn show(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<ReportId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let shown = reports::show(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Ok().json(shown.to_json()))
}

/// Judge a report: what is confirmed is corrected at the places named, and published anew.
#[utoipa::path(
    post, path = "/v1/reports/{id}/judgements", tag = "review", operation_id = "judgeReport",
    params(("id" = String, Path, format = "uuid", description = "The report")), request_body = ReportJudgementBody,
    responses((status = 201, description = "The report as it now stands", body = Object))
)]
pub(super) async fn judge(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<ReportId>,
    body: Body<ReportJudgementBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(ReportJudgementBody { outcome, places }) = body;
    let place = |PlaceBody { passage, start, end, entity }| Place { passage, start, end, entity };
    let judging = ReportJudging { outcome, places: places.into_iter().map(place).collect() };
    let report = reports::judge(&desk.archive, &desk.rules, &actor, *id, &judging).await?;
    Ok(HttpResponse::Created().json(json!(report)))
}
