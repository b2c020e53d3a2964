//! Routes of formal messages and letters: what became of them, and what waits. Case numbers travel in bodies only.

use super::body::{Body, next_chunk};
use super::caller::Caller;
use super::headers::refuse;
use super::problem::Problem;
use super::vault::{VaultDesk, actor};
use crate::decide::TABLE_BYTES_MAX;
use crate::model::{PrivateText, RecordId};
use crate::vault::formal::{self, FormalSelection};
use crate::vault::letters::{self, Confirmed, LetterCase, NewLink};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, Payload, Query, ServiceConfig};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Registers the routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    let get = |path: &'static str| web::resource(path);
    config
        .service(get("/v1/formal-messages").get(list).default_service(refuse("GET")))
        .service(get("/v1/formal-messages/{id}").get(read).default_service(refuse("GET")))
        .service(get("/v1/formal-messages/{id}/registrations").post(register).default_service(refuse("POST")))
        .service(get("/v1/formal-messages/{id}/forwardings").post(forward).default_service(refuse("POST")))
        .service(get("/v1/formal-messages/{id}/notices").post(notice).default_service(refuse("POST")))
        .service(get("/v1/letters").get(due).post(link).default_service(refuse("GET, POST")))
        .service(get("/v1/letters/_find").post(find).default_service(refuse("POST")))
        .service(get("/v1/letters/_import").post(import).default_service(refuse("POST")))
        .service(get("/v1/letters/{id}").get(letter).default_service(refuse("GET")))
        .service(get("/v1/letter-confirmations").post(confirm).default_service(refuse("POST")));
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct FormalParameters {
    /// `waiting` (nothing was done with it yet; when left out), `overdue`, or `all`.
    #[param(value_type = Option<String>, pattern = "^(waiting|overdue|all)$")]
    state: Option<String>,
}

/// Where a formal message was registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RegistrationBody {
    /// Which system.
    #[schema(value_type = String)]
    system: String,
    /// The case number there; kept as a keyed digest, and sealed.
    #[schema(value_type = String)]
    case_number: PrivateText,
    /// The day on which the sender was told, if that was done.
    #[schema(value_type = Option<String>, format = "date")]
    sender_told_on: Option<jiff::civil::Date>,
}

/// To which body a formal message was forwarded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ForwardingBody {
    /// Which body: an organisation, no person.
    to: String,
    /// The day on which the sender was told, if that was done.
    #[schema(value_type = Option<String>, format = "date")]
    sender_told_on: Option<jiff::civil::Date>,
}

/// When the sender was told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NoticeBody {
    /// The day.
    #[schema(value_type = String, format = "date")]
    on: jiff::civil::Date,
}

/// A link to the letter system.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct LinkBody {
    /// Which record.
    #[schema(value_type = String, format = "uuid")]
    record: RecordId,
    /// Which letter system.
    system: String,
    /// The case number there; kept as a keyed digest, and sealed.
    #[schema(value_type = String)]
    case_number: PrivateText,
    /// The day it was registered there.
    #[schema(value_type = String, format = "date")]
    registered_on: jiff::civil::Date,
    /// Who registered it there; sealed.
    #[schema(value_type = Option<String>)]
    registrar: Option<PrivateText>,
    /// What was taken over.
    taken_over: String,
    /// The day on which that system confirmed it, if it did.
    #[schema(value_type = Option<String>, format = "date")]
    confirmed_on: Option<jiff::civil::Date>,
    /// What it said then.
    #[serde(default)]
    confirmation: String,
}

/// A case of the letter system.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CaseBody {
    /// Which system.
    system: String,
    /// The case number there.
    #[schema(value_type = String)]
    case_number: PrivateText,
}

/// What the letter system said of a case.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ConfirmationBody {
    /// Which system.
    system: String,
    /// The case number there.
    #[schema(value_type = String)]
    case_number: PrivateText,
    /// The day on which it confirmed.
    #[schema(value_type = String, format = "date")]
    on: jiff::civil::Date,
    /// What it said.
    #[serde(default)]
    confirmation: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ImportParameters {
    /// Only say what would come of it.
    #[serde(default)]
    dry_run: bool,
}

/// List the formal messages of the own organisation, the longest waiting first: no text.
#[utoipa::path(
    get, path = "/v1/formal-messages", tag = "correspondence", operation_id = "listFormalMessages", params(FormalParameters),
    responses((status = 200, description = "The messages", body = Object))
)]
pub(super) async fn list(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<FormalParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let state = parameters.state.as_deref().map(str::parse::<FormalSelection>).transpose();
    let state = state.map_err(|_| Problem::input("`state` must be waiting, overdue or all"))?;
    let found = formal::list(&desk.archive, &desk.rules, &actor, state.unwrap_or_default()).await?;
    Ok(HttpResponse::Ok().json(json!({ "messages": found })))
}

/// Read what became of one formal message, with its case number.
#[utoipa::path(
    get, path = "/v1/formal-messages/{id}", tag = "correspondence", operation_id = "readFormalMessage",
    params(("id" = String, Path, format = "uuid", description = "The record")),
    responses((status = 200, description = "The message", body = Object))
)]
pub(super) async fn read(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    Ok(HttpResponse::Ok().json(formal::one(&desk.archive, &desk.rules, &actor, *id).await?))
}

/// Note that a formal message was registered. The same once more changes nothing.
#[utoipa::path(
    post, path = "/v1/formal-messages/{id}/registrations", tag = "correspondence",
    operation_id = "registerFormalMessage", request_body = RegistrationBody,
    params(("id" = String, Path, format = "uuid", description = "The record")),
    responses((status = 201, description = "The message as it now stands", body = Object))
)]
pub(super) async fn register(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
    body: Body<RegistrationBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(RegistrationBody { system, case_number: number, sender_told_on }) = body;
    let case = LetterCase { system, number };
    formal::register(&desk.archive, &desk.rules, &actor, *id, &case, sender_told_on).await?;
    Ok(HttpResponse::Created().json(formal::one(&desk.archive, &desk.rules, &actor, *id).await?))
}

/// Note that a formal message was forwarded to the body that it is for. The same once more changes nothing.
#[utoipa::path(
    post, path = "/v1/formal-messages/{id}/forwardings", tag = "correspondence",
    operation_id = "forwardFormalMessage", request_body = ForwardingBody,
    params(("id" = String, Path, format = "uuid", description = "The record")),
    responses((status = 201, description = "The message as it now stands", body = Object))
)]
pub(super) async fn forward(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
    body: Body<ForwardingBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(ForwardingBody { to, sender_told_on }) = body;
    formal::forward(&desk.archive, &desk.rules, &actor, *id, &to, sender_told_on).await?;
    Ok(HttpResponse::Created().json(formal::one(&desk.archive, &desk.rules, &actor, *id).await?))
}

/// Note that the sender of a formal message was told where it went.
#[utoipa::path(
    post, path = "/v1/formal-messages/{id}/notices", tag = "correspondence", operation_id = "tellSender",
    params(("id" = String, Path, format = "uuid", description = "The record")), request_body = NoticeBody,
    responses((status = 201, description = "The message as it now stands", body = Object))
)]
pub(super) async fn notice(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
    body: Body<NoticeBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(NoticeBody { on }) = body;
    formal::tell(&desk.archive, &desk.rules, &actor, *id, on).await?;
    Ok(HttpResponse::Created().json(formal::one(&desk.archive, &desk.rules, &actor, *id).await?))
}

/// List the links to the letter system that it did not confirm yet.
#[utoipa::path(
    get, path = "/v1/letters", tag = "correspondence", operation_id = "listDueLetters",
    responses((status = 200, description = "The links", body = Object))
)]
pub(super) async fn due(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let found = letters::find(&desk.archive, &desk.rules, &actor, None).await?;
    Ok(HttpResponse::Ok().json(json!({ "letters": found })))
}

/// Link a record to a case of the letter system. The same once more changes nothing.
#[utoipa::path(
    post, path = "/v1/letters", tag = "correspondence", operation_id = "linkLetter", request_body = LinkBody,
    responses((status = 201, description = "The link", body = Object))
)]
pub(super) async fn link(
    desk: Data<VaultDesk>,
    caller: Caller,
    body: Body<LinkBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(asked) = body;
    let record = asked.record;
    let confirmation = asked.confirmation;
    let link = NewLink {
        record,
        case: LetterCase { system: asked.system, number: asked.case_number },
        registered_on: asked.registered_on,
        registrar: asked.registrar.unwrap_or_else(|| PrivateText::new(String::new())),
        taken_over: asked.taken_over,
        confirmed: asked.confirmed_on.map(|on| (on, confirmation)),
    };
    letters::link(&desk.archive, &desk.rules, &actor, link).await?;
    Ok(HttpResponse::Created().json(letters::of_record(&desk.archive, &desk.rules, &actor, record).await?))
}

/// Find the records of a case: letters that were linked to it, formal messages that were registered under it.
#[utoipa::path(
    post, path = "/v1/letters/_find", tag = "correspondence", operation_id = "findLetters", request_body = CaseBody,
    responses((status = 200, description = "What belongs to the case", body = Object))
)]
pub(super) async fn find(
    desk: Data<VaultDesk>,
    caller: Caller,
    body: Body<CaseBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(CaseBody { system, case_number: number }) = body;
    let case = LetterCase { system, number };
    let letters = letters::find(&desk.archive, &desk.rules, &actor, Some(&case)).await?;
    let messages = formal::find(&desk.archive, &desk.rules, &actor, &case).await?;
    Ok(HttpResponse::Ok().json(json!({ "letters": letters, "messages": messages })))
}

/// Take in a list that the letter system exported (CSV): all of it, or with any fault nothing.
#[utoipa::path(
    post, path = "/v1/letters/_import", tag = "correspondence", operation_id = "importLetters", params(ImportParameters),
    request_body(
        content = String, content_type = "text/csv", description = "At most 8 MiB, UTF-8, with a heading",
        example = "system,case_number,record,registered_on,taken_over\nbrieven,B-2026-17,0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11,2026-03-09,tekst\n"
    ),
    responses(
        (status = 201, description = "What came in", body = Object),
        (status = 413, description = "Larger than is taken", content_type = "application/problem+json", body = Object)
    )
)]
pub(super) async fn import(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<ImportParameters>,
    mut body: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let mut list = Vec::new();
    while let Some(chunk) = next_chunk(&mut body).await? {
        if list.len() + chunk.len() > TABLE_BYTES_MAX {
            return Err(Problem::too_large(TABLE_BYTES_MAX as u64));
        }
        list.extend_from_slice(&chunk);
    }
    let report = letters::import(&desk.archive, &desk.rules, &actor, &list, parameters.dry_run).await?;
    Ok(HttpResponse::Created().json(report))
}

/// Read the case of a record in the letter system.
#[utoipa::path(
    get, path = "/v1/letters/{id}", tag = "correspondence", operation_id = "readLetterLink",
    params(("id" = String, Path, format = "uuid", description = "The record")),
    responses((status = 200, description = "The link", body = Object))
)]
pub(super) async fn letter(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    Ok(HttpResponse::Ok().json(letters::of_record(&desk.archive, &desk.rules, &actor, *id).await?))
}

/// Note that the letter system confirmed a case.
#[utoipa::path(
    post, path = "/v1/letter-confirmations", tag = "correspondence", operation_id = "confirmLetter",
    request_body = ConfirmationBody,
    responses((status = 201, description = "How many records that concerned", body = Object))
)]
pub(super) async fn confirm(
    desk: Data<VaultDesk>,
    caller: Caller,
    body: Body<ConfirmationBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(ConfirmationBody { system, case_number: number, on, confirmation: said }) = body;
    let asked = Confirmed { case: LetterCase { system, number }, on, said };
    let confirmed = letters::confirm(&desk.archive, &desk.rules, &actor, &asked).await?;
    Ok(HttpResponse::Created().json(json!({ "confirmed": confirmed })))
}
