//! Routes of requests for copies: the researcher's in the reading room, the approver's in the vault.

use super::body::Body;
use super::caller::Caller;
use super::headers::refuse;
use super::paper;
use super::problem::Problem;
use super::reading_room::{RoomDesk, claims};
use super::vault::{VaultDesk, actor};
use crate::access::grant_file::{Content, ResearchBasis};
use crate::model::{RequestId, RequestStep, Timestamp};
use crate::page::PaperPage;
use crate::reading_room::Taking;
use crate::vault::requests::{self, Deciding};
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

/// Registers the researcher's routes.
pub(super) fn room_routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/research-bases").get(bases).default_service(refuse("GET")))
        .service(
            web::resource("/v1/access-requests").get(own).post(write).default_service(refuse("GET, POST")),
        )
        .service(web::resource("/v1/access-requests/{id}").get(own_one).default_service(refuse("GET")))
        .service(
            web::resource("/v1/access-requests/{id}/letter").get(own_letter).default_service(refuse("GET")),
        )
        .service(web::resource("/v1/access-requests/{id}/steps").post(step).default_service(refuse("POST")));
}

/// Registers the approver's routes.
pub(super) fn vault_routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/access-requests").get(list).default_service(refuse("GET")))
        .service(web::resource("/v1/access-requests/{id}").get(one).default_service(refuse("GET")))
        .service(web::resource("/v1/access-requests/{id}/reach").get(reach).default_service(refuse("GET")))
        .service(web::resource("/v1/access-requests/{id}/letter").get(letter).default_service(refuse("GET")))
        .service(
            web::resource("/v1/access-requests/{id}/steps").post(decide).default_service(refuse("POST")),
        );
}

/// A step that a researcher takes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StepBody {
    /// `write`, `submit`, `withdraw`, `answer`, `accept`, `ask-extension` or `state-deletion`.
    #[schema(value_type = String)]
    step: RequestStep,
    /// What the request says, with `write`.
    #[schema(value_type = Option<Object>)]
    content: Option<Content>,
    /// The answer, the reason, the statement.
    #[serde(default)]
    text: String,
    /// Until when, with `ask-extension`.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// A step that an approver takes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DecisionBody {
    /// `ask`, `approve`, `refuse`, `extend` or `refuse-extension`.
    #[schema(value_type = String)]
    step: RequestStep,
    /// The question or the motivation.
    text: String,
    /// Conditions beside those of the basis, with `approve`.
    #[serde(default)]
    conditions: Vec<String>,
    /// Until when, with `approve` and `extend`; as asked, or as long as the basis allows, when left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// The digest of the request as it was read: needed with `approve` and `extend`. Where the request says something else by now,
    /// nothing is decided.
    digest: Option<String>,
}

fn basis_json(basis: &ResearchBasis) -> Value {
    use crate::access::grant_file::Form;
    let forms: Vec<Form> =
        [Form::View, Form::Export].into_iter().filter(|form| basis.allows(*form)).collect();
    json!({
        "code": basis.code(), "label": basis.label(), "forms": forms, "lastsDays": basis.lasts_days(),
        "needsEthics": basis.needs_ethics(), "needsDpia": basis.needs_dpia(),
        "afterTransfer": basis.is_after_transfer(), "conditions": basis.conditions(), "source": basis.source(),
    })
}

/// List the bases on which redacted copies may be asked for, with their conditions.
#[utoipa::path(
    get, path = "/v1/research-bases", tag = "access-requests", operation_id = "listResearchBases",
    responses((status = 200, description = "The bases", body = Object))
)]
pub(super) async fn bases(desk: Data<RoomDesk>, _caller: Caller) -> Result<HttpResponse, Problem> {
    let bases = desk.room.research_bases();
    let list: Vec<Value> = bases.iter().map(basis_json).collect();
    Ok(HttpResponse::Ok().json(json!({ "version": bases.version(), "bases": list })))
}

/// List one's own requests, with where each stands.
#[utoipa::path(
    get, path = "/v1/access-requests", tag = "access-requests", operation_id = "listOwnRequests",
    responses((status = 200, description = "The requests, those that changed last first", body = Object))
)]
pub(super) async fn own(desk: Data<RoomDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let requests = desk.room.requests(&claims(caller.0)).await?;
    Ok(HttpResponse::Ok().json(json!({ "requests": requests })))
}

/// Write a request: a draft, until it is handed in with the step `submit`.
///
/// It stands among one's requests once the vault has taken it up, within a second or so.
#[utoipa::path(
    post, path = "/v1/access-requests", tag = "access-requests", operation_id = "writeRequest",
    request_body(content = Object, description = "What the request says"),
    responses((status = 202, description = "Handed up: its address is in `Location`", body = Object))
)]
pub(super) async fn write(
    desk: Data<RoomDesk>,
    caller: Caller,
    body: Body<Content>,
) -> Result<HttpResponse, Problem> {
    let Body(content) = body;
    let id = RequestId::from_uuid(Uuid::new_v4());
    desk.room.write_request(&claims(caller.0), id, content).await?;
    let at = format!("/v1/access-requests/{id}");
    Ok(HttpResponse::Accepted().insert_header(("Location", at)).json(json!({ "id": id })))
}

/// Read one request of one's own, with every step and the letter of the decision.
#[utoipa::path(
    get, path = "/v1/access-requests/{id}", tag = "access-requests", operation_id = "readOwnRequest",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 200, description = "The request", body = Object))
)]
pub(super) async fn own_one(
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(desk.room.request(&claims(caller.0), *id).await?))
}

/// Take a step with a request of one's own.
#[utoipa::path(
    post, path = "/v1/access-requests/{id}/steps", tag = "access-requests", operation_id = "stepOwnRequest",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = StepBody,
    responses((status = 202, description = "Handed up", body = Object))
)]
pub(super) async fn step(
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<RequestId>,
    body: Body<StepBody>,
) -> Result<HttpResponse, Problem> {
    let Body(StepBody { step, content, text, until }) = body;
    desk.room.step_request(&claims(caller.0), *id, Taking { step, content, text, until }).await?;
    Ok(HttpResponse::Accepted().json(json!({ "id": *id })))
}

/// List the requests to the own organisation, each with its digest.
#[utoipa::path(
    get, path = "/v1/access-requests", tag = "access-requests", operation_id = "listRequests",
    responses((status = 200, description = "The requests that are handed in, those that changed last first", body = Object))
)]
pub(super) async fn list(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let requests = requests::list(&desk.archive, &desk.rules, Some(&actor)).await?;
    Ok(HttpResponse::Ok().json(json!({ "requests": requests })))
}

/// Read one request with every step, and its digest.
#[utoipa::path(
    get, path = "/v1/access-requests/{id}", tag = "access-requests", operation_id = "readRequest",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 200, description = "The request", body = Object))
)]
pub(super) async fn one(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    Ok(HttpResponse::Ok().json(requests::file(&desk.archive, &desk.rules, Some(&actor), *id).await?))
}

/// Read what a request would touch: counts, small ones suppressed, and what earlier grants share with it.
#[utoipa::path(
    get, path = "/v1/access-requests/{id}/reach", tag = "access-requests", operation_id = "readReach",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 200, description = "What it would touch", body = Object))
)]
pub(super) async fn reach(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    Ok(HttpResponse::Ok().json(requests::reach(&desk.archive, &desk.rules, Some(&actor), *id).await?))
}

/// Read the letter of the decision on a request: in Dutch, as HTML in JSON, or as PDF.
#[utoipa::path(
    get, path = "/v1/access-requests/{id}/letter", tag = "access-requests", operation_id = "readLetter",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 200, description = "The letter", body = Object))
)]
pub(super) async fn letter(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let letter = requests::decision_letter(&desk.archive, &desk.rules, Some(&actor), *id).await?;
    answered(&request, *id, &letter.html, letter.at)
}

/// A letter as it is asked for.
fn answered(
    request: &HttpRequest,
    id: RequestId,
    html: &str,
    at: Timestamp,
) -> Result<HttpResponse, Problem> {
    if !paper::wanted(request) {
        return Ok(HttpResponse::Ok().json(json!({ "language": "nl", "html": html })));
    }
    let foot = format!("{id}   {}", at.day());
    let page = PaperPage { title: "Besluit op uw aanvraag", language: "nl", made_at: at, foot: &foot, html };
    Ok(HttpResponse::Ok().content_type(paper::MEDIA_TYPE).body(paper::on_paper(&page)?))
}

/// Read the letter of the decision on a request of one's own: in Dutch, as HTML in JSON, or as PDF.
#[utoipa::path(
    get, path = "/v1/access-requests/{id}/letter", tag = "access-requests", operation_id = "readOwnLetter",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 200, description = "The letter", body = Object))
)]
pub(super) async fn own_letter(
    request: HttpRequest,
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    let (html, at) = desk.room.letter(&claims(caller.0), *id).await?;
    answered(&request, *id, &html, at)
}

/// Take a step with a request to the own organisation: ask, approve under a mandate, refuse, give more time or not.
///
/// What is approved is what was read: with `approve` and `extend` goes the `digest` of the request as it was shown.
#[utoipa::path(
    post, path = "/v1/access-requests/{id}/steps", tag = "access-requests", operation_id = "decideRequest",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = DecisionBody,
    responses((status = 201, description = "The request as it now stands", body = Object))
)]
pub(super) async fn decide(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RequestId>,
    body: Body<DecisionBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(DecisionBody { step, text, conditions, until, digest }) = body;
    let deciding = Deciding { step, text, conditions, until, digest };
    let request = requests::decide(&desk.archive, &desk.rules, Some(&actor), *id, deciding).await?;
    Ok(HttpResponse::Created().json(request))
}
