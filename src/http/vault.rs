//! Routes of the vault: captures in, redacted views and decisions for officials and records managers, originals
//! under a legal basis.

use super::body::{Body, next_chunk};
use super::caller::Caller;
use super::headers::{self, refuse};
use super::language::language;
use super::pace::Pace;
use super::page::PageSize;
use super::problem::Problem;
use super::{
    correspondence, exports, incidents, openapi, openings, oversight, periodic, queue_items, reports,
    requests, review, subject_requests,
};
use crate::access::{Action, Actor, Resource};
use crate::capture::Format;
use crate::model::{ActorId, ChannelId, DisclosureId, LegalBasisCode, Outcome, PrivateText, RecordId};
use crate::store::spool::SpoolWriter;
use crate::vault::disclose::{self, Disclosure, DisclosureRequest};
use crate::vault::ingest::{self, Delivery, silent};
use crate::vault::read::{self, VaultRecord};
use crate::vault::{Archive, CaptureSource, Rules, VaultError, break_glass, decision_receipt, reviewing};
use actix_web::web::{self, Data, Path, Payload, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use utoipa::{IntoParams, OpenApi, ToSchema};

/// What the vault's routes work with.
#[derive(Clone)]
pub struct VaultDesk {
    /// Where things lie.
    pub archive: Archive,
    /// What is applied.
    pub rules: Rules,
    /// Where uploads are spooled, encrypted.
    pub spool: PathBuf,
    /// Largest upload, in bytes.
    pub upload_bytes_max: u64,
    /// How fast each person may ask.
    pub pace: Arc<Pace>,
}

/// Registers every route.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/openapi.json").get(openapi::vault).default_service(refuse("GET")))
        .service(web::resource("/v1/health").get(openapi::health).default_service(refuse("GET")))
        .service(web::resource("/v1/captures").post(capture).default_service(refuse("POST")))
        .service(web::resource("/v1/channels").get(channels).default_service(refuse("GET")))
        .service(web::resource("/v1/records").get(list).default_service(refuse("GET")))
        .service(web::resource("/v1/records/{id}").get(record).default_service(refuse("GET")))
        .service(web::resource("/v1/records/{id}/decisions").get(decisions).default_service(refuse("GET")))
        .service(
            web::resource("/v1/records/{id}/decision-receipt")
                .get(decision_receipt)
                .default_service(refuse("GET")),
        )
        .service(web::resource("/v1/records/{id}/disclosures").post(disclose).default_service(refuse("POST")))
        .service(web::resource("/v1/disclosures/{id}/receipt").get(receipt).default_service(refuse("GET")))
        .service(web::resource("/v1/ledger").get(ledger).default_service(refuse("GET")))
        .service(web::resource("/v1/status").get(status).default_service(refuse("GET")))
        .configure(review::routes)
        .configure(queue_items::routes)
        .configure(openings::routes)
        .configure(periodic::routes)
        .configure(correspondence::routes)
        .configure(subject_requests::routes)
        .configure(oversight::routes)
        .configure(requests::vault_routes)
        .configure(reports::routes)
        .configure(incidents::routes)
        .configure(exports::vault_routes)
        .default_service(web::route().to(headers::absent));
}

/// The document of the vault.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Knik vault",
        description = "Captures in; redacted views, decisions and, under a legal basis, originals for officials; the reviewer's queue.",
        license(name = "EUPL-1.2", identifier = "EUPL-1.2")
    ),
    paths(
        capture,
        channels,
        list,
        record,
        decisions,
        disclose,
        receipt,
        ledger,
        status,
        review::list,
        review::show,
        review::judge,
        decision_receipt,
        periodic::sentiment,
        periodic::acted_on,
        periodic::compare,
        correspondence::list,
        correspondence::read,
        correspondence::register,
        correspondence::forward,
        correspondence::notice,
        correspondence::due,
        correspondence::link,
        correspondence::find,
        correspondence::import,
        correspondence::letter,
        correspondence::confirm,
        queue_items::list,
        queue_items::show,
        queue_items::open,
        queue_items::assess,
        queue_items::earlier,
        queue_items::standing,
        queue_items::agreement,
        queue_items::samples,
        queue_items::sample,
        queue_items::import,
        openings::request,
        openings::list,
        openings::read,
        openings::approve,
        openings::refuse_,
        openings::revoke,
        openings::justify,
        openings::package,
        openings::open,
        openings::find,
        openings::rendition,
        subject_requests::register,
        subject_requests::list,
        subject_requests::read,
        subject_requests::prove,
        subject_requests::search,
        subject_requests::copy,
        subject_requests::restrict,
        subject_requests::extend,
        subject_requests::close,
        oversight::register,
        oversight::totals,
        oversight::attention,
        oversight::story,
        oversight::public_log,
        requests::list,
        requests::one,
        requests::reach,
        requests::letter,
        requests::decide,
        reports::list,
        reports::show,
        reports::judge,
        incidents::list,
        incidents::show,
        incidents::close,
        exports::list,
        exports::one,
        exports::release,
        exports::refuse_,
        openapi::vault,
        openapi::health
    )
)]
pub struct Document;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CaptureParameters {
    /// For which channel.
    #[param(value_type = String)]
    channel: ChannelId,
    /// The format, when it need not be recognised: `mastodon`, `x_api_v2`, `bluesky` and so on.
    format: Option<String>,
    /// Take nothing in when any piece of it cannot be read.
    #[serde(default)]
    strict: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct VaultListParameters {
    /// Only records with this outcome.
    #[param(value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// After this record: the `next` of the page before.
    #[param(value_type = Option<String>, format = "uuid")]
    after: Option<RecordId>,
    /// How many at the most, 1 to 100.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<PageSize>,
}

/// Why an original must be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({
    "legalBasis": "woo-request", "caseNumber": "WOO-2026-0117",
    "motivation": "Zoekslag voor Woo-verzoek 2026-0117 naar vragen over de waterheffing", "recipient": "Woo-team"
}))]
pub(super) struct DisclosureBody {
    /// Code of the legal basis.
    #[schema(value_type = String)]
    legal_basis: LegalBasisCode,
    /// The case it belongs to.
    #[schema(value_type = String)]
    case_number: PrivateText,
    /// Why the original is needed and a redacted view does not do.
    #[schema(value_type = String)]
    motivation: PrivateText,
    /// Who gets the copy, when that is another than who opens it.
    #[schema(value_type = Option<String>)]
    recipient: Option<PrivateText>,
}

#[derive(Serialize)]
struct VaultRecords {
    records: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<RecordId>,
}

/// The person behind a token, made known on first sight.
pub(super) async fn actor(desk: &VaultDesk, caller: Caller) -> Result<Actor, Problem> {
    let Caller(claims) = caller;
    let sources = &desk.archive.sources;
    let fresh = ActorId::from_uuid(sources.random_id()?);
    let (realm, person) = (&claims.person.realm, claims.person.id.expose());
    let known = desk.archive.catalogue.actor(realm, person, fresh, sources.now()).await;
    let id = known.map_err(VaultError::from)?;
    Ok(Actor { id, role: claims.role, organisation: claims.organisation })
}

/// Deliver a capture of a channel.
#[utoipa::path(
    post, path = "/v1/captures", tag = "captures", operation_id = "ingestCapture", params(CaptureParameters),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, as harvested"),
    responses(
        (status = 201, description = "What came in", body = Object, example = json!({"format": "mastodon", "newRecords": 12})),
        (status = 400, description = "Not sound as a whole, or (with `strict`) a piece of it cannot be read: nothing of it came in", content_type = "application/problem+json", body = Object),
        (status = 413, description = "Larger than is taken", content_type = "application/problem+json", body = Object)
    )
)]
async fn capture(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<CaptureParameters>,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let known = desk.archive.catalogue.channel(&parameters.channel).await.map_err(VaultError::from)?;
    let owner = known.as_ref().map(|channel| channel.organisation.clone());
    let resource = Resource::Channel { organisation: owner.unwrap_or_else(read::nobody) };
    read::authorise(&desk.archive, &desk.rules, &actor, Action::IngestCapture, &resource).await?;
    let channel = known.ok_or_else(Problem::absent)?;
    let format = parameters.format.as_deref().map(str::parse::<Format>).transpose();
    let format = format.map_err(|error| Problem::input(error.to_string()))?;
    let source = spool(&desk, body).await?;
    let by = Some((actor.id, actor.role));
    let delivery = Delivery { source, format, by, strict: parameters.strict };
    let report = ingest::ingest(&desk.archive, &desk.rules, &channel, delivery, silent()).await?;
    Ok(HttpResponse::Created().json(report))
}

/// Takes an upload in, encrypted, up to the limit.
async fn spool(desk: &VaultDesk, mut body: Payload) -> Result<CaptureSource, Problem> {
    let failed = |error: std::io::Error| {
        tracing::error!(kind = ?error.kind(), "spool failed");
        Problem::input("the upload could not be kept; try again")
    };
    let mut writer = SpoolWriter::new(&desk.spool).map_err(failed)?;
    while let Some(chunk) = next_chunk(&mut body).await? {
        if writer.size_bytes() + chunk.len() as u64 > desk.upload_bytes_max {
            return Err(Problem::too_large(desk.upload_bytes_max));
        }
        writer.write(&chunk).map_err(failed)?;
    }
    Ok(CaptureSource::Upload(writer.finish().map_err(failed)?))
}

/// List the channels of the own organisation.
#[utoipa::path(
    get, path = "/v1/channels", tag = "channels", operation_id = "listChannels",
    responses((status = 200, description = "The channels", body = Object))
)]
async fn channels(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(&desk.archive, &desk.rules, &actor, Action::ListChannels, &resource).await?;
    let found = desk.archive.catalogue.channels(Some(&actor.organisation)).await.map_err(VaultError::from)?;
    Ok(HttpResponse::Ok().json(json!({ "channels": found })))
}

/// List the records of the own organisation, redacted.
#[utoipa::path(
    get, path = "/v1/records", tag = "records", operation_id = "listVaultRecords", params(VaultListParameters),
    responses((status = 200, description = "A page of records", body = Object))
)]
async fn list(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<VaultListParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Query(asked) = parameters;
    let asked = read::VaultSelection {
        outcome: asked.outcome,
        after: asked.after,
        most: asked.limit.unwrap_or_default().get(),
        language: language(&request),
    };
    let found = read::list(&desk.archive, &desk.rules, &actor, &asked).await?;
    let next = found.last().filter(|_| found.len() == asked.most as usize).map(|last| last.summary.id);
    let records = found.into_iter().map(record_json).collect();
    Ok(HttpResponse::Ok().json(VaultRecords { records, next }))
}

/// Read one record, redacted.
#[utoipa::path(
    get, path = "/v1/records/{id}", tag = "records", operation_id = "readVaultRecord",
    params(("id" = String, Path, format = "uuid", description = "The record")),
    responses((status = 200, description = "The record", body = Object))
)]
async fn record(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let found = read::record(&desk.archive, &desk.rules, &actor, *id, language(&request)).await?;
    Ok(HttpResponse::Ok().json(record_json(found)))
}

pub(super) fn record_json(record: VaultRecord) -> Value {
    let mut shown = json!(record.summary);
    let view = record.view.map(|view| ("view", json!(view)));
    let attached = Some(record.attached).filter(|files| !files.is_empty());
    if let Some(shown) = shown.as_object_mut() {
        let more = view.into_iter().chain(attached.map(|files| ("attachments", json!(files))));
        shown.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    shown
}

/// Read what was decided about a record, with the path.
#[utoipa::path(
    get, path = "/v1/records/{id}/decisions", tag = "records", operation_id = "readDecisions",
    params(("id" = String, Path, format = "uuid", description = "The record")),
    responses((status = 200, description = "The decisions, newest first", body = Object))
)]
async fn decisions(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let found = read::decisions(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Ok().json(json!({ "decisions": found })))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ReceiptParameters {
    /// Not the newest decision but the one so many before it, 0 to 1000.
    #[param(minimum = 0, maximum = 1000)]
    before: Option<u16>,
}

/// Read the receipt of a decision on a record: proof of outcome, path, tree and who, without content.
#[utoipa::path(
    get, path = "/v1/records/{id}/decision-receipt", tag = "records", operation_id = "readDecisionReceipt",
    params(("id" = String, Path, format = "uuid", description = "The record"), ReceiptParameters),
    responses((status = 200, description = "The receipt", body = Object))
)]
async fn decision_receipt(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
    parameters: Query<ReceiptParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let before = match parameters.before.unwrap_or_default() {
        before @ 0..=1_000 => usize::from(before),
        _ => return Err(Problem::input("`before` must be 0 to 1000")),
    };
    let receipt = decision_receipt::receipt(&desk.archive, &desk.rules, &actor, *id, before).await?;
    Ok(HttpResponse::Ok().json(receipt))
}

/// Open the original of a record under a legal basis.
///
/// The answer is JSON with the bytes in base64 and the receipt; with `Accept: application/octet-stream` it is the
/// bytes of the item themselves, and the receipt can be had at the address in `Location`.
#[utoipa::path(
    post, path = "/v1/records/{id}/disclosures", tag = "originals", operation_id = "discloseOriginal",
    params(("id" = String, Path, format = "uuid", description = "The record")),
    request_body = DisclosureBody,
    responses((status = 201, description = "The original and its receipt", content(
        (Object = "application/json"), (Vec<u8> = "application/octet-stream")
    )))
)]
async fn disclose(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
    body: Body<DisclosureBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(asked) = body;
    let asked = DisclosureRequest {
        record: *id,
        basis: asked.legal_basis,
        case_number: asked.case_number,
        motivation: asked.motivation,
        recipient: asked.recipient,
    };
    let opened = disclose::to_serve(&desk.archive, &desk.rules, &actor, &asked).await?;
    Ok(openings::original(&request, opened))
}

pub(super) fn disclosure_json(disclosed: &Disclosure) -> Value {
    let part = |(role, bytes): (&str, &[u8])| json!({ "role": role, "sizeBytes": bytes.len(), "content": STANDARD.encode(bytes) });
    let parts: Vec<Value> = disclosed.original.parts().map(part).collect();
    json!({ "id": disclosed.id, "original": parts, "receipt": disclosed.receipt })
}

/// Read the receipt of one's own disclosure.
#[utoipa::path(
    get, path = "/v1/disclosures/{id}/receipt", tag = "originals", operation_id = "readReceipt",
    params(("id" = String, Path, format = "uuid", description = "The disclosure")),
    responses((status = 200, description = "The receipt", body = Object))
)]
async fn receipt(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<DisclosureId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let receipt = disclose::receipt_again(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Ok().json(receipt))
}

/// Read the heads of the two logs and the keys they are verified with.
#[utoipa::path(
    get, path = "/v1/ledger", tag = "ledger", operation_id = "readLedger",
    responses((status = 200, description = "Heads and verifier keys", body = Object))
)]
async fn ledger(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    read::authorise(&desk.archive, &desk.rules, &actor, Action::VerifyLedger, &Resource::Ledger).await?;
    let mut logs = Vec::new();
    for key in [&desk.archive.logs.vault, &desk.archive.logs.reading_room] {
        let head = desk.archive.journal.head(key.verifier().origin()).await.map_err(VaultError::from)?;
        logs.push(json!({
            "origin": key.verifier().origin(),
            "key": key.verifier().to_string(),
            "size": head.as_ref().map_or(0, |head| head.size),
            "checkpoint": head.map(|head| head.checkpoint),
        }));
    }
    Ok(HttpResponse::Ok().json(json!({ "logs": logs })))
}

/// Read the state of the service: counts, no content.
#[utoipa::path(
    get, path = "/v1/status", tag = "service", operation_id = "readStatus",
    responses((status = 200, description = "Counts", body = Object))
)]
async fn status(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    read::authorise(&desk.archive, &desk.rules, &actor, Action::ReadStatus, &Resource::Service).await?;
    let counts = desk.archive.catalogue.counts().await.map_err(VaultError::from)?;
    let second_place = desk.archive.logs.second_place.is_some();
    let mut warnings = break_glass::warnings(&desk.archive).await?;
    let queue = reviewing::tally(&desk.archive, &desk.rules, None).await?;
    warnings.extend(reviewing::overdue(&queue));
    Ok(HttpResponse::Ok().json(
        json!({ "counts": counts, "queue": queue, "checkpointsCopied": second_place, "warnings": warnings }),
    ))
}
