//! Routes of requests to open originals: ask, see, approve, open, justify, end.

use super::bearer::StillAdmitted;
use super::body::Body;
use super::caller::Caller;
use super::handing::{Handing, record as record_end};
use super::headers::refuse;
use super::language::language;
use super::page::PageSize;
use super::paper;
use super::problem::Problem;
use super::vault::{VaultDesk, actor, disclosure_json, record_json};
use crate::model::{GrantId, LegalBasisCode, OpeningScope, PrivateText, RecordId, Timestamp};
use crate::page::PaperPage;
use crate::redact::Language;
use crate::store::openings::{OpeningSelection, OpeningState};
use crate::vault::disclose::ToServe;
use crate::vault::find::{self, FindQuery};
use crate::vault::four_eyes::{self, Person, Verdict};
use crate::vault::openings::{self, Asking, StatedText};
use crate::vault::{VaultError, break_glass, rendition};
use actix_web::http::header::ACCEPT;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// Registers the routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/openings").get(list).post(request).default_service(refuse("GET, POST")))
        .service(web::resource("/v1/openings/{id}").get(read).default_service(refuse("GET")))
        .service(web::resource("/v1/openings/{id}/approvals").post(approve).default_service(refuse("POST")))
        .service(web::resource("/v1/openings/{id}/refusals").post(refuse_).default_service(refuse("POST")))
        .service(web::resource("/v1/openings/{id}/revocations").post(revoke).default_service(refuse("POST")))
        .service(
            web::resource("/v1/openings/{id}/justifications").post(justify).default_service(refuse("POST")),
        )
        .service(web::resource("/v1/openings/{id}/packages").post(package).default_service(refuse("POST")))
        .service(
            web::resource("/v1/openings/{id}/renditions").post(rendition).default_service(refuse("POST")),
        )
        .service(web::resource("/v1/openings/{id}/finds").post(find).default_service(refuse("POST")))
        .service(
            web::resource("/v1/openings/{id}/records/{record}/disclosures")
                .post(open)
                .default_service(refuse("POST")),
        );
}

/// What is to be opened, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({
    "legalBasis": "parliament", "scope": "thread", "records": ["0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11"],
    "caseNumber": "TK-2026-0031", "motivation": "Inlichtingen aan de Kamer over de beantwoording van vragen",
    "recipient": "Griffie van de Tweede Kamer"
}))]
pub(super) struct OpeningBody {
    /// Code of the legal basis.
    #[schema(value_type = String)]
    legal_basis: LegalBasisCode,
    /// `record`, `thread` (the records with their threads) or `find` (searching, which opens nothing).
    #[schema(value_type = String)]
    scope: OpeningScope,
    /// The records; none with scope `find`.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    records: Vec<RecordId>,
    /// The case it belongs to.
    #[schema(value_type = String)]
    case_number: PrivateText,
    /// Why the originals are needed and redacted views do not do.
    #[schema(value_type = String)]
    motivation: PrivateText,
    /// Who gets the copy.
    #[schema(value_type = String)]
    recipient: PrivateText,
    /// Until when; as long as the legal basis lasts when absent.
    #[schema(value_type = Option<String>, format = "date-time")]
    until: Option<Timestamp>,
    /// Open at once, in an emergency, where the legal basis allows that: the data protection officer is alarmed, and it must
    /// be justified.
    #[serde(default)]
    break_glass: bool,
}

/// Approval of the exact request.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({"digest": "5b0f3c5a0c1e2d3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b"}))]
pub(super) struct ApprovalBody {
    /// The digest of the request as it was read.
    digest: String,
    /// For whom the approver stands in: never for the one who asked.
    stands_in_for: Option<PersonBody>,
}

/// Someone, as their tokens call them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PersonBody {
    /// Issuer of their tokens.
    issuer: String,
    /// Subject of their tokens.
    subject: String,
}

impl PersonBody {
    /// Who that is.
    pub(super) fn person(self) -> Person {
        Person { issuer: self.issuer, subject: self.subject }
    }
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({"text": "Het verzoek is ruimer dan de zaak nodig heeft"}))]
pub(super) struct TextBody {
    /// In words.
    #[schema(value_type = String)]
    text: PrivateText,
}

impl TextBody {
    /// What was said.
    pub(super) const fn text(&self) -> &PrivateText {
        &self.text
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct OpeningParameters {
    /// `waiting`, `open`, `refused` or `revoked`.
    #[param(value_type = Option<String>, pattern = "^(waiting|open|refused|revoked)$")]
    state: Option<OpeningState>,
    /// How many at the most, 1 to 100.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<PageSize>,
}

/// Ask to open originals under a legal basis.
///
/// It is open at once where the legal basis asks for no second person, and in an emergency where it allows that.
#[utoipa::path(
    post, path = "/v1/openings", tag = "openings", operation_id = "requestOpening", request_body = OpeningBody,
    responses((status = 201, description = "The request", body = Object))
)]
pub(super) async fn request(
    desk: Data<VaultDesk>,
    caller: Caller,
    body: Body<OpeningBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(body) = body;
    let asking = Asking {
        basis: body.legal_basis,
        scope: body.scope,
        records: body.records,
        case_number: body.case_number,
        motivation: body.motivation,
        recipient: body.recipient,
        until: body.until,
        break_glass: body.break_glass,
    };
    let asked = openings::request(&desk.archive, &desk.rules, &actor, asking).await?;
    let at = format!("/v1/openings/{}", asked.row.id);
    Ok(HttpResponse::Created()
        .insert_header(("Location", at))
        .json(asked.to_json(desk.archive.sources.now())))
}

/// List the requests to open originals of the own organisation, newest first.
#[utoipa::path(
    get, path = "/v1/openings", tag = "openings", operation_id = "listOpenings", params(OpeningParameters),
    responses((status = 200, description = "The requests, without what was stated in them", body = Object))
)]
pub(super) async fn list(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<OpeningParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Query(asked) = parameters;
    let most = asked.limit.unwrap_or_default().get();
    let asked = OpeningSelection { state: asked.state, after: None, most };
    let found = openings::list(&desk.archive, &desk.rules, &actor, &asked).await?;
    let now = desk.archive.sources.now();
    let shown: Vec<Value> = found.iter().map(|row| openings::summary(row, now)).collect();
    Ok(HttpResponse::Ok().json(json!({ "openings": shown })))
}

/// Read one request with its case, motivation, recipient, records and digest.
#[utoipa::path(
    get, path = "/v1/openings/{id}", tag = "openings", operation_id = "readOpening",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 200, description = "The request", body = Object))
)]
pub(super) async fn read(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<GrantId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let found = openings::read(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Ok().json(found.to_json(desk.archive.sources.now())))
}

/// Approve a request as its second person: the exact request, once.
#[utoipa::path(
    post, path = "/v1/openings/{id}/approvals", tag = "openings", operation_id = "approveOpening",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = ApprovalBody,
    responses((status = 201, description = "The request as it now stands", body = Object))
)]
pub(super) async fn approve(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<GrantId>,
    body: Body<ApprovalBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(ApprovalBody { digest, stands_in_for }) = body;
    let stands_in_for = stands_in_for.map(PersonBody::person);
    let verdict = Verdict::Approve { digest, stands_in_for };
    let decided = four_eyes::decide(&desk.archive, &desk.rules, &actor, *id, verdict).await?;
    Ok(HttpResponse::Created().json(decided.to_json(desk.archive.sources.now())))
}

/// Refuse a request as its second person.
#[utoipa::path(
    post, path = "/v1/openings/{id}/refusals", tag = "openings", operation_id = "refuseOpening",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = TextBody,
    responses((status = 201, description = "The request as it now stands", body = Object))
)]
pub(super) async fn refuse_(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<GrantId>,
    body: Body<TextBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(TextBody { text }) = body;
    let verdict = Verdict::Refuse { reason: text };
    let decided = four_eyes::decide(&desk.archive, &desk.rules, &actor, *id, verdict).await?;
    Ok(HttpResponse::Created().json(decided.to_json(desk.archive.sources.now())))
}

/// End a request at once.
#[utoipa::path(
    post, path = "/v1/openings/{id}/revocations", tag = "openings", operation_id = "revokeOpening",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 201, description = "The request as it now stands", body = Object))
)]
pub(super) async fn revoke(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<GrantId>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let ended = openings::revoke(&desk.archive, &desk.rules, &actor, *id).await?;
    Ok(HttpResponse::Created().json(ended.to_json(desk.archive.sources.now())))
}

/// Say why an original was opened at once.
#[utoipa::path(
    post, path = "/v1/openings/{id}/justifications", tag = "openings", operation_id = "justifyOpening",
    params(("id" = String, Path, format = "uuid", description = "The request")), request_body = TextBody,
    responses((status = 201, description = "The request as it now stands", body = Object))
)]
pub(super) async fn justify(
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<GrantId>,
    body: Body<TextBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let justified = break_glass::justify(&desk.archive, &desk.rules, &actor, *id, &body.0.text).await?;
    Ok(HttpResponse::Created().json(justified.to_json(desk.archive.sources.now())))
}

/// What is looked for: everything given must hold, and one of name, handle, address and words must be given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({"handle": "@fatima@social.example", "words": "waterbijdrage", "from": "2026-01-01T00:00:00Z"}))]
pub(super) struct FindBody {
    /// A name, in a text or of an account.
    #[schema(value_type = Option<String>)]
    name: Option<PrivateText>,
    /// The handle of an author or of someone mentioned.
    #[schema(value_type = Option<String>)]
    handle: Option<PrivateText>,
    /// The platform's address or id of an item, or an address that is linked to.
    #[schema(value_type = Option<String>)]
    address: Option<PrivateText>,
    /// Words of a text.
    #[schema(value_type = Option<String>)]
    words: Option<PrivateText>,
    /// Posted at this time or later.
    #[schema(value_type = Option<String>, format = "date-time")]
    from: Option<Timestamp>,
    /// Posted before this time.
    #[schema(value_type = Option<String>, format = "date-time")]
    until: Option<Timestamp>,
    /// After this record: the last of the answer before.
    #[schema(value_type = Option<String>, format = "uuid")]
    after: Option<RecordId>,
    /// How many at the most, 1 to 100.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<PageSize>,
}

/// Search the vault for records, under a request with scope `find`: ids and redacted views.
///
/// What is sought is recorded, sealed, before it runs; each answer is one search of those that the legal basis covers.
#[utoipa::path(
    post, path = "/v1/openings/{id}/finds", tag = "openings", operation_id = "findRecords", request_body = FindBody,
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 201, description = "What was found", body = Object))
)]
pub(super) async fn find(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<GrantId>,
    body: Body<FindBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(body) = body;
    let query = FindQuery {
        name: body.name,
        handle: body.handle,
        address: body.address,
        words: body.words,
        from: body.from,
        until: body.until,
        after: body.after,
        most: body.limit.unwrap_or_default().get(),
        language: language(&request),
    };
    let found = find::find(&desk.archive, &desk.rules, &actor, *id, &query).await?;
    let (more, left) = (found.more, found.searches_left);
    let records: Vec<Value> = found.records.into_iter().map(record_json).collect();
    Ok(HttpResponse::Created().json(json!({ "records": records, "more": more, "searchesLeft": left })))
}

#[derive(Deserialize)]
pub(super) struct OfRequest {
    id: GrantId,
    record: RecordId,
}

/// Open one original that a request reaches.
///
/// The answer is JSON with the bytes in base64 and the receipt; with `Accept: application/octet-stream` it is the bytes
/// of the item themselves, and the receipt can be had at the address in `Location`. That it was handed over is recorded
/// when the connection has taken every byte.
#[utoipa::path(
    post, path = "/v1/openings/{id}/records/{record}/disclosures", tag = "openings", operation_id = "openUnderRequest",
    params(
        ("id" = String, Path, format = "uuid", description = "The request"),
        ("record" = String, Path, format = "uuid", description = "The record")
    ),
    responses((status = 201, description = "The original and its receipt", body = Object))
)]
pub(super) async fn open(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    of: Path<OfRequest>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let (opened, _) = openings::open(&desk.archive, &desk.rules, &actor, of.id, of.record).await?;
    Ok(original(&request, opened))
}

/// The answer that holds an original, in the form that was asked for.
pub(super) fn original(request: &HttpRequest, opened: ToServe) -> HttpResponse {
    let ToServe { disclosure, serving, .. } = opened;
    let raw = request.headers().get(ACCEPT).is_some_and(|accept| accept == "application/octet-stream");
    let mut answer = HttpResponse::Created();
    answer.insert_header(("Location", format!("/v1/disclosures/{}/receipt", disclosure.id)));
    if raw {
        let bytes = Bytes::copy_from_slice(disclosure.original.item());
        return answer.content_type("application/octet-stream").body(Handing::new(bytes, serving));
    }
    let bytes = Bytes::from(disclosure_json(&disclosure).to_string());
    answer.content_type("application/json").body(Handing::new(bytes, serving))
}

/// Open every original that a request reaches, as one page to read: threads, times, receipts.
///
/// In Dutch, or in English where that is asked for first; as HTML, or as PDF where `application/pdf` is accepted. Everything that
/// was captured is escaped; the page holds no script.
#[utoipa::path(
    post, path = "/v1/openings/{id}/renditions", tag = "openings", operation_id = "renderOpening",
    params(("id" = String, Path, format = "uuid", description = "The request")),
    responses((status = 201, description = "The page", content_type = "text/html", body = String,
        example = "<!doctype html>"))
)]
pub(super) async fn rendition(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<GrantId>,
) -> Result<HttpResponse, Problem> {
    let still = StillAdmitted::of(&request, &caller.0)?;
    let actor = actor(&desk, caller).await?;
    let said = language(&request);
    let again = || still.check();
    let page = rendition::page(&desk.archive, &desk.rules, &actor, *id, said, &again).await?;
    let (bytes, media_type) = if paper::wanted(&request) {
        let (code, title) = match said {
            Language::Dutch => ("nl", "Geopende originelen"),
            Language::English => ("en", "Opened originals"),
        };
        let foot = format!("{}   {}", *id, page.made_at);
        let sheet =
            PaperPage { title, language: code, made_at: page.made_at, foot: &foot, html: page.html.as_str() };
        match paper::on_paper(&sheet) {
            Ok(bytes) => (Bytes::from(bytes), paper::MEDIA_TYPE),
            Err(problem) => {
                for serving in page.servings {
                    serving.broken_off().await?;
                }
                return Err(problem);
            }
        }
    } else {
        (Bytes::copy_from_slice(page.html.as_bytes()), "text/html; charset=utf-8")
    };
    let body = Handing::of_several(bytes, page.servings);
    Ok(HttpResponse::Created().content_type(media_type).body(body))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PackageParameters {
    /// Go on after so many records of the request: those that came before.
    skip: Option<usize>,
}

/// Open every original that a request reaches, one after the other: a line of JSON each, with place and count.
///
/// Each is opened when its line is asked for, recorded before and after. A line that could not be opened says so, and the
/// others follow; once the bearer is revoked or the token has expired, that line is the last. A package that broke off goes on
/// with `skip`.
#[utoipa::path(
    post, path = "/v1/openings/{id}/packages", tag = "openings", operation_id = "openPackage",
    params(("id" = String, Path, format = "uuid", description = "The request"), PackageParameters),
    responses((status = 201, description = "A line of JSON for each record", content_type = "application/x-ndjson", body = String,
        example = "{\"place\":1,\"of\":2,\"record\":\"0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11\",\"original\":[],\"receipt\":{}}\n"))
)]
pub(super) async fn package(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    id: Path<GrantId>,
    parameters: Query<PackageParameters>,
) -> Result<HttpResponse, Problem> {
    let still = StillAdmitted::of(&request, &caller.0)?;
    let actor = actor(&desk, caller).await?;
    let found = openings::package(&desk.archive, &desk.rules, &actor, *id).await?;
    let from = parameters.skip.unwrap_or_default();
    let lines = Lines { desk, still, actor, id: *id, records: found, next: from, handed: None };
    let body = stream::unfold(lines, |mut lines| async move {
        let line = lines.line().await?;
        Some((Ok::<_, actix_web::Error>(line), lines))
    });
    Ok(HttpResponse::Created().content_type("application/x-ndjson").streaming(body))
}

/// The lines of a package, made one by one.
struct Lines {
    desk: Data<VaultDesk>,
    still: StillAdmitted,
    actor: crate::access::Actor,
    id: GrantId,
    records: Vec<RecordId>,
    next: usize,
    handed: Option<crate::vault::disclose::Serving>,
}

impl Lines {
    /// The next line; the one before was taken when this one is asked for.
    async fn line(&mut self) -> Option<Bytes> {
        if let Some(serving) = self.handed.take() {
            record_end(serving.handed_over());
        }
        let record = *self.records.get(self.next)?;
        self.next += 1;
        let (place, of) = (self.next, self.records.len());
        let mut line = match self.open(record).await {
            Ok((ToServe { disclosure, serving, .. }, _)) => {
                self.handed = Some(serving);
                let mut line = disclosure_json(&disclosure);
                if let Some(fields) = line.as_object_mut() {
                    fields.insert("place".to_owned(), json!(place));
                    fields.insert("of".to_owned(), json!(of));
                    fields.insert("record".to_owned(), json!(record));
                }
                line
            }
            Err(error) => {
                if matches!(error, VaultError::NotAdmitted) {
                    self.next = self.records.len();
                }
                let problem = problem_of(error);
                json!({ "place": place, "of": of, "record": record, "problem": problem })
            }
        }
        .to_string();
        line.push('\n');
        Some(Bytes::from(line))
    }

    /// Opens one, if whoever asked may still come in.
    async fn open(&self, record: RecordId) -> Result<(ToServe, StatedText), VaultError> {
        self.still.check().await?;
        openings::open(&self.desk.archive, &self.desk.rules, &self.actor, self.id, record).await
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Some(serving) = self.handed.take() {
            record_end(serving.broken_off());
        }
    }
}

fn problem_of(error: VaultError) -> Value {
    json!(Problem::from(error))
}
