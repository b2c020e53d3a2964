//! Routes of the officer who checks.

use super::caller::Caller;
use super::headers::refuse;
use super::problem::Problem;
use super::vault::{VaultDesk, actor};
use crate::model::{ActorId, LegalBasisCode, Timestamp};
use crate::store::oversight::RegisterSelection;
use crate::vault::{oversight, story as told};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Registers the routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/oversight/disclosures").get(register).default_service(refuse("GET")))
        .service(web::resource("/v1/oversight/totals").get(totals).default_service(refuse("GET")))
        .service(web::resource("/v1/oversight/attention").get(attention).default_service(refuse("GET")))
        .service(web::resource("/v1/oversight/stories/{id}").get(story).default_service(refuse("GET")))
        .service(web::resource("/v1/oversight/public-log").get(public_log).default_service(refuse("GET")));
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RegisterParameters {
    /// Only under this legal basis.
    #[param(value_type = Option<String>)]
    legal_basis: Option<LegalBasisCode>,
    /// Only by this person, as the ledger knows them.
    #[param(value_type = Option<String>, format = "uuid")]
    actor: Option<ActorId>,
    /// At this time or later.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>, format = "date-time")]
    until: Option<Timestamp>,
    /// How many at the most, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Refused outside its bounds, not bent.
fn most(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(100) {
        most @ 1..=1_000 => Ok(most),
        _ => Err(Problem::input("`limit` must be 1 to 1000")),
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PeriodParameters {
    /// At this time or later; thirty days ago when absent.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Before this time; now when absent.
    #[param(value_type = Option<String>, format = "date-time")]
    until: Option<Timestamp>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AttentionParameters {
    /// What lapses within so many days, 1 to 366; 14 when absent.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// Read who opened which originals of the own organisation, when, on which legal basis, newest first.
#[utoipa::path(
    get, path = "/v1/oversight/disclosures", tag = "oversight", operation_id = "readRegister", params(RegisterParameters),
    responses((status = 200, description = "The openings, and who is behind the pseudonyms", body = Object))
)]
pub(super) async fn register(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<RegisterParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Query(asked) = parameters;
    let asked = RegisterSelection {
        basis: asked.legal_basis,
        actor: asked.actor,
        from: asked.from,
        until: asked.until,
        most: most(asked.limit)?,
    };
    Ok(HttpResponse::Ok().json(oversight::register(&desk.archive, &desk.rules, &actor, &asked).await?))
}

/// Add up openings of a period by legal basis and person.
#[utoipa::path(
    get, path = "/v1/oversight/totals", tag = "oversight", operation_id = "readTotals", params(PeriodParameters),
    responses((status = 200, description = "The totals", body = Object))
)]
pub(super) async fn totals(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<PeriodParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let now = desk.archive.sources.now();
    let until = parameters.until.unwrap_or(now);
    let from = parameters.from.unwrap_or_else(|| until.plus_seconds(-30 * 86_400));
    Ok(HttpResponse::Ok().json(oversight::totals(&desk.archive, &desk.rules, &actor, from, until).await?))
}

/// Read what wants attention: openings at once that nobody justified, what lapses, what is overdue.
#[utoipa::path(
    get, path = "/v1/oversight/attention", tag = "oversight", operation_id = "readAttention", params(AttentionParameters),
    responses((status = 200, description = "What wants attention", body = Object))
)]
pub(super) async fn attention(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<AttentionParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let days = match parameters.days.unwrap_or(14) {
        days @ 1..=366 => days,
        _ => return Err(Problem::input("`days` must be 1 to 366")),
    };
    Ok(HttpResponse::Ok().json(oversight::attention(&desk.archive, &desk.rules, &actor, days).await?))
}

/// Read a matter of the own organisation in words, as the ledger tells it: a request for copies or its grant, a request to
/// open originals, a request of a person concerned.
///
/// Each sentence names the entries it was made of. People are numbered; who is behind a number stands in the register.
#[utoipa::path(
    get, path = "/v1/oversight/stories/{id}", tag = "oversight", operation_id = "readStory",
    params(("id" = String, Path, format = "uuid", description = "The grant or the request")),
    responses((status = 200, description = "The story, in Dutch and English", body = Object))
)]
pub(super) async fn story(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let told = told::for_officer(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Ok().json(told.to_json(*id)))
}

/// Make the public log of openings: monthly totals by legal basis, late, small counts not told.
#[utoipa::path(
    get, path = "/v1/oversight/public-log", tag = "oversight", operation_id = "readPublicLog",
    responses((status = 200, description = "The log, fit to be published", body = Object))
)]
pub(super) async fn public_log(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    Ok(HttpResponse::Ok().json(oversight::public_log(&desk.archive, &desk.rules, &actor).await?))
}
