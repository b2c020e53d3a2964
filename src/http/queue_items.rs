//! Routes of the reviewers' queue: what waits, one item redacted, its original, what people say of it; samples, agreement, files of
//! external agencies.

use super::body::{Body, next_chunk};
use super::caller::Caller;
use super::headers::refuse;
use super::language::language;
use super::page::PageSize;
use super::problem::Problem;
use super::vault::{VaultDesk, actor};
use crate::decide::Answer;
use crate::model::{
    ChannelId, EntityType, ExemptionCode, FindingVerdict, PrivateText, QueueKind, RecordId, Timestamp,
    VersionId,
};
use crate::store::catalogue::Queued;
use crate::vault::reviewing::file::FileForm;
use crate::vault::reviewing::{self, Added, AskedRate, Assessing, Drawing, FindingSaid, Import, Place};
use actix_web::web::{self, Data, Path, Payload, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Registers the routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/queue-items").get(list).default_service(refuse("GET")))
        .service(web::resource("/v1/queue-items/{id}").get(show).default_service(refuse("GET")))
        .service(web::resource("/v1/queue-items/{id}/openings").post(open).default_service(refuse("POST")))
        .service(
            web::resource("/v1/queue-items/{id}/assessments").post(assess).default_service(refuse("POST")),
        )
        .service(web::resource("/v1/records/{id}/earlier-views").get(earlier).default_service(refuse("GET")))
        .service(web::resource("/v1/queue-standing").get(standing).default_service(refuse("GET")))
        .service(web::resource("/v1/queue-agreement").get(agreement).default_service(refuse("GET")))
        .service(
            web::resource("/v1/queue-samples").get(samples).post(sample).default_service(refuse("GET, POST")),
        )
        .service(web::resource("/v1/queue-imports").post(import).default_service(refuse("POST")));
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemParameters {
    /// Only items of this kind.
    #[param(value_type = Option<String>, pattern = "^(doubtful-question|account-post|doubtful-finding|special-category|minor|sample|reader-report|restored)$")]
    kind: Option<QueueKind>,
    /// After this item: the `next` of the page before.
    #[param(value_type = Option<String>, format = "uuid")]
    after: Option<VersionId>,
    /// How many at the most, 1 to 100.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<PageSize>,
}

/// What a reviewer says of an item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AssessmentBody {
    /// Answers to the steps that wait, or of a sample all that were answered without people.
    #[serde(default)]
    answers: Vec<AnswerBody>,
    /// Verdicts on findings.
    #[serde(default)]
    findings: Vec<FindingBody>,
    /// Every finding that is not named is confirmed.
    #[serde(default)]
    rest_confirmed: bool,
    /// Redactions that were missed.
    #[serde(default)]
    added: Vec<AddedBody>,
    /// Why, in words; needed when a finding is rejected or added. 10 to 4000 characters; kept sealed.
    #[serde(default)]
    #[schema(value_type = String, max_length = 4000, pattern = "^[\\s\\S]*$")]
    reason: PrivateText,
    /// The weighing of interests; needed with a relative exemption. 10 to 4000 characters; kept sealed.
    #[serde(default)]
    #[schema(value_type = String, max_length = 4000)]
    weighing: PrivateText,
    /// How many seconds the item took.
    #[schema(minimum = 0, maximum = 28800)]
    seconds: Option<u32>,
}

/// An answer to one step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerBody {
    /// Its id in the tree.
    #[schema(max_length = 64)]
    step: String,
    /// `yes`, `no` or `unsure`.
    #[schema(value_type = String, pattern = "^(yes|no|unsure)$")]
    answer: Answer,
}

/// A verdict on one finding.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingBody {
    /// Its id, as the item shows it.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    id: String,
    /// `confirm` or `reject`.
    #[schema(value_type = String, pattern = "^(confirm|reject)$")]
    verdict: FindingVerdict,
    /// With `confirm`: under which exemption, when it is another one than the recogniser's.
    #[schema(value_type = Option<String>, pattern = "^[a-z0-9.-]{1,64}$")]
    exemption: Option<ExemptionCode>,
}

/// A redaction that was missed: the words themselves, or a place in code points.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddedBody {
    /// The words as they stand in the record: everywhere in it they are redacted.
    #[schema(value_type = Option<String>, max_length = 1000)]
    words: Option<PrivateText>,
    /// In which passage, from 0.
    #[schema(minimum = 0)]
    passage: Option<usize>,
    /// First code point.
    #[schema(minimum = 0)]
    start: Option<usize>,
    /// One past the last code point.
    #[schema(minimum = 1)]
    end: Option<usize>,
    /// What it is, such as PERSON.
    #[serde(rename = "type")]
    #[schema(value_type = String, pattern = "^[A-Z0-9_]{1,64}$")]
    entity: EntityType,
    /// Why it is redacted, such as woo-5.1.2e.
    #[schema(value_type = String, pattern = "^[a-z0-9.-]{1,64}$")]
    exemption: ExemptionCode,
}

impl AddedBody {
    fn added(self) -> Result<Added, Problem> {
        let place = match (self.words, self.start, self.end) {
            (Some(words), None, None) => Place::Words(words),
            (None, Some(start), Some(end)) => Place::At { passage: self.passage.unwrap_or(0), start, end },
            _ => {
                let mend = "`added`: name either `words`, or `start` and `end` with `passage`";
                return Err(Problem::input(mend));
            }
        };
        Ok(Added { place, entity: self.entity, exemption: self.exemption })
    }
}

impl AssessmentBody {
    fn assessing(self) -> Result<Assessing, Problem> {
        let findings = self.findings.into_iter();
        Ok(Assessing {
            answers: self.answers.into_iter().map(|one| (one.step, one.answer)).collect(),
            findings: findings
                .map(|one| FindingSaid { id: one.id, verdict: one.verdict, exemption: one.exemption })
                .collect(),
            rest_confirmed: self.rest_confirmed,
            added: self.added.into_iter().map(AddedBody::added).collect::<Result<_, _>>()?,
            reason: self.reason,
            weighing: self.weighing,
            seconds: self.seconds,
        })
    }
}

/// List what waits in the own queue, of every kind or of one: no text.
#[utoipa::path(
    get, path = "/v1/queue-items", tag = "queue", operation_id = "listQueueItems", params(ItemParameters),
    responses((status = 200, description = "A page of the queue", body = Object))
)]
pub(super) async fn list(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<ItemParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Query(asked) = parameters;
    let most = asked.limit.unwrap_or_default().get();
    let asked = Queued { kind: asked.kind, only: None, after: asked.after, most };
    let items = reviewing::list(&desk.archive, &desk.rules, &actor, &asked).await?;
    let next = items.last().filter(|_| items.len() == most as usize).map(|last| last.id);
    let mut page = json!({ "items": items });
    if let (Some(page), Some(next)) = (page.as_object_mut(), next) {
        page.insert("next".to_owned(), json!(next));
    }
    Ok(HttpResponse::Ok().json(page))
}

/// Read one item of the own queue: its redacted view, its findings without places, the steps that can be answered.
#[utoipa::path(
    get, path = "/v1/queue-items/{id}", tag = "queue", operation_id = "readQueueItem",
    params(("id" = String, Path, format = "uuid", description = "The item")),
    responses((status = 200, description = "The item, redacted", body = Object))
)]
pub(super) async fn show(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<VersionId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let shown = reviewing::show(&desk.archive, &desk.rules, &actor, *id, language(&request)).await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// Open the original of one item of the own queue, for redaction quality control. Recorded before it is opened; at most so many a
/// day.
#[utoipa::path(
    post, path = "/v1/queue-items/{id}/openings", tag = "queue", operation_id = "openQueueItem",
    params(("id" = String, Path, format = "uuid", description = "The item")),
    responses((status = 201, description = "The item with its texts, findings with places in code points", body = Object))
)]
pub(super) async fn open(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<VersionId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let opened = reviewing::open(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Created().json(opened.to_json()))
}

/// Assess one item of the own queue: answer steps, confirm or reject findings, add what was missed. In effect when this returns.
#[utoipa::path(
    post, path = "/v1/queue-items/{id}/assessments", tag = "queue", operation_id = "assessQueueItem",
    params(("id" = String, Path, format = "uuid", description = "The item")),
    request_body = AssessmentBody,
    responses((status = 201, description = "What came of it", body = Object))
)]
pub(super) async fn assess(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<VersionId>,
    body: Body<AssessmentBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(body) = body;
    let asked = body.assessing()?;
    let told = reviewing::assess(&desk.archive, &desk.rules, &actor, *id, &asked).await?;
    Ok(HttpResponse::Created().json(told))
}

/// Read what readers saw of a record before each assessment of it, with reason and weighing, the latest first.
#[utoipa::path(
    get, path = "/v1/records/{id}/earlier-views", tag = "queue", operation_id = "readEarlierViews",
    params(("id" = String, Path, format = "uuid", description = "The record")),
    responses((status = 200, description = "The earlier redacted documents", body = Object))
)]
pub(super) async fn earlier(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<RecordId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    Ok(HttpResponse::Ok().json(reviewing::earlier(&desk.archive, &desk.rules, &actor, *id).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SpanParameters {
    /// Said at this time or later; a year ago when absent.
    #[param(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Said before this time; now when absent.
    #[param(value_type = Option<String>, format = "date-time")]
    until: Option<Timestamp>,
}

impl SpanParameters {
    fn span(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let until = self.until.unwrap_or_else(|| now.plus_seconds(1));
        (self.from.unwrap_or_else(|| until.plus_seconds(-366 * 86_400)), until)
    }
}

/// Read how the queue of the own organisation stands: what waits and since when, what is overdue, hours of people's work.
#[utoipa::path(
    get, path = "/v1/queue-standing", tag = "queue", operation_id = "readQueueStanding", params(SpanParameters),
    responses((status = 200, description = "Counts by kind", body = Object))
)]
pub(super) async fn standing(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<SpanParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let span = parameters.span(desk.archive.sources.now());
    Ok(HttpResponse::Ok().json(reviewing::standing(&desk.archive, &desk.rules, &actor, span).await?))
}

/// Read how well people and detectors agree, and two people with each other, with Cohen's kappa; small counts are not told.
#[utoipa::path(
    get, path = "/v1/queue-agreement", tag = "queue", operation_id = "readQueueAgreement", params(SpanParameters),
    responses((status = 200, description = "Agreement by step, type of finding and version of the detector", body = Object))
)]
pub(super) async fn agreement(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<SpanParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let span = parameters.span(desk.archive.sources.now());
    Ok(HttpResponse::Ok().json(reviewing::agreement(&desk.archive, &desk.rules, &actor, span).await?))
}

/// What to draw.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SampleBody {
    /// From which channels; all of the organisation's when none is named.
    #[serde(default)]
    #[schema(value_type = Vec<String>, pattern = "^[a-z0-9][a-z0-9-]{0,63}$")]
    channels: Vec<ChannelId>,
    /// How many of a thousand, when it is to be more than the policy says.
    #[schema(minimum = 0, maximum = 1000)]
    permille: Option<u32>,
    /// Of those drawn, how many of a thousand two people judge, when it is to be more than the policy says.
    #[schema(minimum = 0, maximum = 1000)]
    twofold_permille: Option<u32>,
}

/// Draw a random sample of what was decided without people since the last drawing.
#[utoipa::path(
    post, path = "/v1/queue-samples", tag = "queue", operation_id = "drawQueueSample", request_body = SampleBody,
    responses((status = 201, description = "The drawings, a channel each", body = Object))
)]
pub(super) async fn sample(
    desk: Data<VaultDesk>,
    caller: Caller,
    body: Body<SampleBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(asked) = body;
    let rate = AskedRate { permille: asked.permille, twofold_permille: asked.twofold_permille };
    let asked = Drawing { channels: asked.channels, rate };
    let drawn = reviewing::draw(&desk.archive, &desk.rules, &actor, &asked).await?;
    Ok(HttpResponse::Created().json(json!({ "samples": drawn })))
}

/// List the drawings of the own organisation, the latest first.
#[utoipa::path(
    get, path = "/v1/queue-samples", tag = "queue", operation_id = "listQueueSamples",
    responses((status = 200, description = "The drawings", body = Object))
)]
pub(super) async fn samples(desk: Data<VaultDesk>, caller: Caller) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let drawings = reviewing::drawings(&desk.archive, &desk.rules, &actor).await?;
    Ok(HttpResponse::Ok().json(json!({ "samples": drawings })))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ImportParameters {
    /// `csv` or `jsonl`.
    #[param(pattern = "^(csv|jsonl)$")]
    form: String,
    /// Issuer of the tokens of the people in the file, where a line names none.
    #[param(max_length = 255)]
    issuer: String,
    /// Look only: say what would be taken in.
    #[serde(default)]
    dry_run: bool,
}

/// Largest file of assessments, in bytes.
const IMPORT_BYTES_MAX: u64 = 16 << 20;

/// Take in what people of an external agency assessed: the whole file or nothing.
#[utoipa::path(
    post, path = "/v1/queue-imports", tag = "queue", operation_id = "importAssessments", params(ImportParameters),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file: CSV with a heading, or a JSON object a line"),
    responses(
        (status = 201, description = "What was taken in", body = Object),
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
    let Query(asked) = parameters;
    let form: FileForm = asked.form.parse().map_err(|error: String| Problem::input(error))?;
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut body).await? {
        if bytes.len() as u64 + chunk.len() as u64 > IMPORT_BYTES_MAX {
            return Err(Problem::too_large(IMPORT_BYTES_MAX));
        }
        bytes.extend_from_slice(&chunk);
    }
    let asked = Import { form, bytes: &bytes, issuer: asked.issuer, dry_run: asked.dry_run };
    let told = reviewing::import(&desk.archive, &desk.rules, &actor, &asked).await?;
    Ok(HttpResponse::Created().json(told))
}
