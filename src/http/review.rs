//! Routes of the reviewer's queue: what waits, one item with its text, a judgement.

use super::body::Body;
use super::caller::Caller;
use super::headers::refuse;
use super::page::PageSize;
use super::problem::Problem;
use super::vault::{VaultDesk, actor};
use crate::model::{FlagKind, ReviewReason, Verdict, VersionId};
use crate::store::catalogue::QueueState;
use crate::vault::review::{self, Judging, QueueSelection};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Registers the routes of the queue.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/review-items").get(list).default_service(refuse("GET")))
        .service(web::resource("/v1/review-items/{id}").get(show).default_service(refuse("GET")))
        .service(
            web::resource("/v1/review-items/{id}/judgements").post(judge).default_service(refuse("POST")),
        );
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct QueueParameters {
    /// `open` (a flag that nobody judged) or `judged`.
    #[param(value_type = Option<String>)]
    state: Option<QueueState>,
    /// After this item: the `next` of the page before.
    #[param(value_type = Option<String>, format = "uuid")]
    after: Option<VersionId>,
    /// How many at the most, 1 to 100.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<PageSize>,
}

/// What a reviewer says of flags.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({"verdict": "release", "reason": "nobody-identifiable", "kinds": ["health"]}))]
pub(super) struct JudgementBody {
    /// `release` or `keep-withheld`.
    #[schema(value_type = String)]
    verdict: Verdict,
    /// With `release`: `flag-does-not-hold`, `nobody-identifiable`, `made-public-by-the-person`; with `keep-withheld`:
    /// `flag-holds`, `in-doubt`.
    #[schema(value_type = String)]
    reason: ReviewReason,
    /// Of which flags; of all that the item has when left out.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    kinds: Vec<FlagKind>,
}

/// List what waits for a reviewer of the own organisation: what records are flagged for, no text.
#[utoipa::path(
    get, path = "/v1/review-items", tag = "review", operation_id = "listReviewItems", params(QueueParameters),
    responses((status = 200, description = "A page of the queue", body = Object, example = json!({"items": [{
        "id": "0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11", "record": "0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a12",
        "channel": "low-mastodon", "kind": "reaction", "day": "2026-03-09",
        "flags": [{"kind": "health", "verdict": null}]
    }]})))
)]
pub(super) async fn list(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<QueueParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Query(asked) = parameters;
    let most = asked.limit.unwrap_or_default().get();
    let asked = QueueSelection { state: asked.state.unwrap_or_default(), after: asked.after, most };
    let items = review::list(&desk.archive, &desk.rules, &actor, &asked).await?;
    let next = items.last().filter(|_| items.len() == most as usize).map(|last| last.id);
    let mut page = json!({ "items": items });
    if let (Some(page), Some(next)) = (page.as_object_mut(), next) {
        page.insert("next".to_owned(), json!(next));
    }
    Ok(HttpResponse::Ok().json(page))
}

/// Open one item of the own queue: its text with its flags, in Unicode code points. Recorded before it is opened.
#[utoipa::path(
    get, path = "/v1/review-items/{id}", tag = "review", operation_id = "openReviewItem",
    params(("id" = String, Path, format = "uuid", description = "The item")),
    responses((status = 200, description = "The item with its text", body = Object))
)]
pub(super) async fn show(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<VersionId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let shown = review::show(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Ok().json(shown.to_json()))
}

/// Judge flags of one item: release it, or keep it withheld. Written with its ledger entry or not at all.
#[utoipa::path(
    post, path = "/v1/review-items/{id}/judgements", tag = "review", operation_id = "judgeReviewItem",
    params(("id" = String, Path, format = "uuid", description = "The item")),
    request_body = JudgementBody,
    responses((status = 201, description = "The item as it now stands", body = Object))
)]
pub(super) async fn judge(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<VersionId>,
    body: Body<JudgementBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(JudgementBody { verdict, reason, kinds }) = body;
    let judging = Judging { kinds, verdict, reason };
    let item = review::judge(&desk.archive, &desk.rules, &actor, *id, &judging).await?;
    Ok(HttpResponse::Created().json(json!(item)))
}
