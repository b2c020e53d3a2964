//! Routes of requests of persons concerned (AVG 15 to 21).

use super::bearer::StillAdmitted;
use super::body::Body;
use super::caller::Caller;
use super::headers::refuse;
use super::language::language;
use super::openings::{PersonBody, TextBody};
use super::problem::Problem;
use super::vault::{VaultDesk, actor};
use crate::model::{
    AccountProof, Platform, PrivateText, SubjectOutcome, SubjectRequestId, SubjectRequestKind, Timestamp,
};
use crate::vault::subject_copy::{self, Copying};
use crate::vault::subject_requests::{self, Proving, Registering, StatedAccount, found_json, summary};
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// Registers the routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/v1/subject-requests")
                .get(list)
                .post(register)
                .default_service(refuse("GET, POST")),
        )
        .service(web::resource("/v1/subject-requests/{id}").get(read).default_service(refuse("GET")))
        .service(
            web::resource("/v1/subject-requests/{id}/proofs").post(prove).default_service(refuse("POST")),
        )
        .service(
            web::resource("/v1/subject-requests/{id}/searches").post(search).default_service(refuse("POST")),
        )
        .service(web::resource("/v1/subject-requests/{id}/copies").post(copy).default_service(refuse("POST")))
        .service(
            web::resource("/v1/subject-requests/{id}/restrictions")
                .post(restrict)
                .default_service(refuse("POST")),
        )
        .service(
            web::resource("/v1/subject-requests/{id}/extensions")
                .post(extend)
                .default_service(refuse("POST")),
        )
        .service(
            web::resource("/v1/subject-requests/{id}/outcomes").post(close).default_service(refuse("POST")),
        );
}

/// What a person concerned asks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({
    "kind": "access", "asker": "Mevrouw F. Voorbeeld, postbus 1, 2500 AA Den Haag",
    "text": "Ik wil weten wat u van mij bewaart",
    "accounts": [{"platform": "mastodon", "instance": "social.example", "handle": "fatima"}]
}))]
pub(super) struct SubjectRequestBody {
    /// `access`, `rectification`, `erasure`, `restriction`, `portability` or `objection`.
    #[schema(value_type = String)]
    kind: SubjectRequestKind,
    /// When it came in; now when absent.
    #[schema(value_type = Option<String>, format = "date-time")]
    received_at: Option<Timestamp>,
    /// Who asks, and where they are answered.
    #[schema(value_type = String)]
    asker: PrivateText,
    /// What they said.
    #[serde(default)]
    #[schema(value_type = String)]
    text: PrivateText,
    /// The accounts that they say are theirs.
    accounts: Vec<AccountBody>,
}

/// An account on a platform.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AccountBody {
    /// `mastodon`, `x` and so on.
    #[schema(value_type = String)]
    platform: Platform,
    /// On which instance, where a platform has several.
    instance: Option<String>,
    /// The handle.
    #[schema(value_type = String)]
    handle: PrivateText,
}

/// How it was made sure that the account is theirs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({"proof": "code-from-account", "code": "knik-abcdefghjkmn"}))]
pub(super) struct ProofBody {
    /// `code-from-account`, `login-seen` or `platform-confirmed`.
    #[schema(value_type = String)]
    proof: AccountProof,
    /// The code as it stood on the account.
    code: Option<String>,
    /// For whom the one who says so stands in: never for who registered the request.
    stands_in_for: Option<PersonBody>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CopyParameters {
    /// Which part, from 1, when it is more than one copy holds.
    #[param(minimum = 1)]
    part: Option<usize>,
}

/// Whether restrictions are placed or lifted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({"lift": false}))]
pub(super) struct RestrictionBody {
    /// Lift what was restricted on this request.
    #[serde(default)]
    lift: bool,
}

/// What came of it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({"outcome": "granted", "text": "Het afschrift is op 4 mei per post verzonden"}))]
pub(super) struct OutcomeBody {
    /// `granted`, `partly-granted`, `refused`, `withdrawn` or `not-proven`.
    #[schema(value_type = String, pattern = "^(granted|partly-granted|refused|withdrawn|not-proven)$")]
    outcome: SubjectOutcome,
    /// What was answered.
    #[schema(value_type = String)]
    text: PrivateText,
}

/// Register a request of a person concerned. The code in the answer is told once: it proves the account.
#[utoipa::path(
    post, path = "/v1/subject-requests", tag = "subject requests", operation_id = "registerSubjectRequest",
    request_body = SubjectRequestBody,
    responses((status = 201, description = "The request, and the code that its account must show", body = Object))
)]
pub(super) async fn register(
    desk: Data<VaultDesk>,
    caller: Caller,
    body: Body<SubjectRequestBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(body) = body;
    let account = |one: AccountBody| StatedAccount {
        platform: one.platform,
        instance: one.instance,
        handle: one.handle,
    };
    let asked = Registering {
        kind: body.kind,
        received_at: body.received_at,
        asker: body.asker,
        text: body.text,
        accounts: body.accounts.into_iter().map(account).collect(),
    };
    let made = subject_requests::register(&desk.archive, &desk.rules, &actor, asked).await?;
    let request = summary(&made.row, desk.archive.sources.now());
    Ok(HttpResponse::Created().json(json!({ "request": request, "code": made.code })))
}

/// List the requests of persons concerned to the own organisation, by when they are due.
#[utoipa::path(
    get, path = "/v1/subject-requests", tag = "subject requests", operation_id = "listSubjectRequests",
    responses((status = 200, description = "The requests, without who asks", body = Object))
)]
pub(super) async fn list(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let found = subject_requests::list(&desk.archive, &desk.rules, &actor, 200).await?;
    let now = desk.archive.sources.now();
    let shown: Vec<Value> = found.iter().map(|row| summary(row, now)).collect();
    Ok(HttpResponse::Ok().json(json!({ "requests": shown })))
}

/// Read one request with who asks, and how much was found.
#[utoipa::path(
    get, path = "/v1/subject-requests/{id}", tag = "subject requests", operation_id = "readSubjectRequest",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 200, description = "The request", body = Object))
)]
pub(super) async fn read(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<SubjectRequestId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let found = subject_requests::read(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Say how it was made sure that the account is theirs: another person than the one who registered the request.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/proofs", tag = "subject requests", operation_id = "proveSubjectRequest",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = ProofBody,
    responses((status = 201, description = "The request as it now stands", body = Object))
)]
pub(super) async fn prove(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<SubjectRequestId>,
    body: Body<ProofBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(body) = body;
    let archive = &desk.archive;
    let stands_in_for = body.stands_in_for.map(PersonBody::person);
    let proving = Proving { proof: body.proof, code: body.code, stands_in_for };
    let row = subject_requests::prove(archive, &desk.rules, &actor, *id, proving).await?;
    Ok(HttpResponse::Created().json(summary(&row, archive.sources.now())))
}

/// Find everything of the person concerned on every platform: counts, no records.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/searches", tag = "subject requests", operation_id = "searchSubject",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 201, description = "How much was found, by channel", body = Object))
)]
pub(super) async fn search(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<SubjectRequestId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let found = subject_requests::search(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Created().json(json!({ "found": found_json(&found) })))
}

/// Make the copy: own data readable, that of others redacted; with who received it.
///
/// One person copies as many records as the legal basis `avg-15` covers (`recordsMax`); more is copied in parts, each by another
/// person.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/copies", tag = "subject requests", operation_id = "copyForSubject",
    params(("id" = String, Path, format = "uuid", description = "The request"), CopyParameters),
    responses((status = 201, description = "The copy", body = Object))
)]
pub(super) async fn copy(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<SubjectRequestId>,
    parameters: Query<CopyParameters>,
) -> Result<HttpResponse, Problem> {
    let still = StillAdmitted::of(&request, &caller.0)?;
    let actor = actor(&desk, caller).await?;
    let asked = Copying { language: language(&request), part: parameters.part };
    let again = || still.check();
    let copy = subject_copy::copy(&desk.archive, &desk.rules, &actor, *id, asked, &again).await?;
    Ok(HttpResponse::Created().json(copy))
}

/// Restrict the processing of everything that was found, at once; or lift that.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/restrictions", tag = "subject requests", operation_id = "restrictSubject",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = RestrictionBody,
    responses((status = 201, description = "How many records are restricted now", body = Object))
)]
pub(super) async fn restrict(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<SubjectRequestId>,
    body: Body<RestrictionBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let left = subject_requests::restrict(&desk.archive, &desk.rules, &actor, *id, body.0.lift).await?;
    Ok(HttpResponse::Created().json(json!({ "restricted": left })))
}

/// Put the answer off by two months, once, with a reason.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/extensions", tag = "subject requests", operation_id = "extendSubjectRequest",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = TextBody,
    responses((status = 201, description = "The request as it now stands", body = Object))
)]
pub(super) async fn extend(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<SubjectRequestId>,
    body: Body<TextBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let row = subject_requests::extend(&desk.archive, &desk.rules, &actor, *id, body.0.text()).await?;
    Ok(HttpResponse::Created().json(summary(&row, desk.archive.sources.now())))
}

/// Close a request with its outcome.
#[utoipa::path(
    post, path = "/v1/subject-requests/{id}/outcomes", tag = "subject requests", operation_id = "closeSubjectRequest",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = OutcomeBody,
    responses((status = 201, description = "The request as it now stands", body = Object))
)]
pub(super) async fn close(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<SubjectRequestId>,
    body: Body<OutcomeBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(body) = body;
    let (archive, rules) = (&desk.archive, &desk.rules);
    let row = subject_requests::close(archive, rules, &actor, *id, body.outcome, &body.text).await?;
    Ok(HttpResponse::Created().json(summary(&row, archive.sources.now())))
}
