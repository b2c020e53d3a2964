//! Routes of the reading room: redacted views, for researchers.

use super::body::Body;
use super::caller::{Caller, Searcher};
use super::exports;
use super::headers::{self, refuse};
use super::language::language;
use super::openapi;
use super::pace::Pace;
use super::page::PageSize;
use super::problem::Problem;
use super::token::Claims;
use super::{aid, incidents, reports, requests};
use crate::model::{ChannelId, GrantId, RecordRef};
use crate::reading_room::{ReaderClaims, ReadingRoom, ReadingView, RoundedCount, SearchRequest, Selection};
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, OpenApi, ToSchema};

/// What the reading room's routes work with.
#[derive(Clone)]
pub struct RoomDesk {
    /// The access plane.
    pub room: ReadingRoom,
    /// How fast each person may ask.
    pub pace: Arc<Pace>,
}

/// Registers every route.
pub fn routes(config: &mut ServiceConfig) {
    config
        // Looked through in this order for each request: what is asked most comes first.
        .service(web::resource("/v1/records").get(list).default_service(refuse("GET")))
        .service(web::resource("/v1/records/_search").post(search).default_service(refuse("POST")))
        .service(web::resource("/v1/records/{id}").get(record).default_service(refuse("GET")))
        .service(web::resource("/v1/openapi.json").get(openapi::reading_room).default_service(refuse("GET")))
        .service(web::resource("/v1/health").get(openapi::health).default_service(refuse("GET")))
        .service(web::resource("/v1/conversations/{id}").get(conversation).default_service(refuse("GET")))
        .configure(requests::room_routes)
        .configure(reports::room_routes)
        .configure(incidents::room_routes)
        .configure(aid::routes)
        .configure(exports::room_routes)
        .default_service(web::route().to(headers::absent));
}

/// The document of the reading room.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Knik reading room",
        description = "Redacted views of archived government social media, under a grant.",
        license(name = "EUPL-1.2", identifier = "EUPL-1.2")
    ),
    paths(
        list,
        record,
        search,
        conversation,
        requests::bases,
        requests::own,
        requests::write,
        requests::own_one,
        requests::step,
        requests::own_letter,
        reports::report,
        incidents::notices,
        aid::finding_aid,
        aid::citation,
        exports::own,
        exports::start,
        exports::own_one,
        exports::package,
        openapi::reading_room,
        openapi::health
    )
)]
pub struct Document;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParameters {
    /// Under which grant; the one for views that runs longest when absent.
    #[param(value_type = Option<String>, format = "uuid")]
    grant: Option<GrantId>,
    /// Only this channel.
    #[param(value_type = Option<String>)]
    channel: Option<ChannelId>,
    /// After this record: the `next` of the page before.
    #[param(value_type = Option<String>, format = "uuid")]
    after: Option<RecordRef>,
    /// How many at the most, 1 to 100.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<PageSize>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct GrantParameter {
    /// Under which grant; the one for views that runs longest when absent.
    #[param(value_type = Option<String>, format = "uuid")]
    grant: Option<GrantId>,
}

/// What to search for. Never in the path: search terms do not belong in a log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"query": "waterschapsbelasting", "from": "2026-03-01", "limit": 20}))]
pub(super) struct SearchBody {
    /// Words, all of which must stand in the text.
    #[serde(default)]
    query: String,
    /// Not before this day.
    #[schema(format = Date)]
    from: Option<String>,
    /// Not after this day.
    #[schema(format = Date)]
    until: Option<String>,
    /// Under which grant.
    #[schema(value_type = Option<String>, format = "uuid")]
    grant: Option<GrantId>,
    /// Only this channel.
    #[schema(value_type = Option<String>)]
    channel: Option<ChannelId>,
    /// After this record: the `next` of the page before.
    #[schema(value_type = Option<String>, format = "uuid")]
    after: Option<RecordRef>,
    /// How many at the most, 1 to 100.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<PageSize>,
}

#[derive(Serialize)]
struct Records {
    records: Vec<ReadingView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<RecordRef>,
}

#[derive(Serialize)]
struct Found {
    count: RoundedCount,
    records: Vec<ReadingView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<RecordRef>,
}

#[derive(Serialize)]
struct Conversation {
    id: RecordRef,
    records: Vec<ReadingView>,
}

pub(super) fn claims(claims: Claims) -> ReaderClaims {
    ReaderClaims {
        subject: claims.person.id.expose().to_owned(),
        issuer: claims.person.realm,
        role: claims.role,
        organisation: claims.organisation,
    }
}

/// List the redacted views that the grant covers.
#[utoipa::path(
    get, path = "/v1/records", tag = "records", operation_id = "listRecords", params(ListParameters),
    responses((status = 200, description = "A page of views", body = Object, example = json!({"records": [], "next": null})))
)]
async fn list(
    request: HttpRequest,
    desk: Data<RoomDesk>,
    caller: Caller,
    parameters: Query<ListParameters>,
) -> Result<HttpResponse, Problem> {
    let Query(asked) = parameters;
    let selection = Selection {
        grant: asked.grant,
        channel: asked.channel,
        after: asked.after,
        most: asked.limit.unwrap_or_default().get(),
        language: language(&request),
    };
    let page = desk.room.list(&claims(caller.0), &selection).await?;
    Ok(HttpResponse::Ok().json(Records { records: page.views, next: page.next }))
}

/// Read one redacted view.
#[utoipa::path(
    get, path = "/v1/records/{id}", tag = "records", operation_id = "readRecord",
    params(("id" = String, Path, format = "uuid", description = "The grant's name for the record"), GrantParameter),
    responses((status = 200, description = "The view", body = Object))
)]
async fn record(
    request: HttpRequest,
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<RecordRef>,
    parameters: Query<GrantParameter>,
) -> Result<HttpResponse, Problem> {
    let view = desk.room.record(&claims(caller.0), parameters.grant, *id, language(&request)).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Read a conversation in the order of posting.
#[utoipa::path(
    get, path = "/v1/conversations/{id}", tag = "records", operation_id = "readConversation",
    params(("id" = String, Path, format = "uuid", description = "The grant's name for the conversation"), GrantParameter),
    responses((status = 200, description = "Its views", body = Object))
)]
async fn conversation(
    request: HttpRequest,
    desk: Data<RoomDesk>,
    caller: Caller,
    id: Path<RecordRef>,
    parameters: Query<GrantParameter>,
) -> Result<HttpResponse, Problem> {
    let views = desk.room.conversation(&claims(caller.0), parameters.grant, *id, language(&request)).await?;
    Ok(HttpResponse::Ok().json(Conversation { id: *id, records: views }))
}

/// Search the redacted views that the grant covers.
#[utoipa::path(
    post, path = "/v1/records/_search", tag = "records", operation_id = "searchRecords", request_body = SearchBody,
    responses((status = 200, description = "A page of views and a rounded count", body = Object,
        example = json!({"count": {"fewerThan": 10}, "records": []})))
)]
async fn search(
    request: HttpRequest,
    desk: Data<RoomDesk>,
    searcher: Searcher,
    body: Body<SearchBody>,
) -> Result<HttpResponse, Problem> {
    let Body(asked) = body;
    let asked = SearchRequest {
        words: asked.query,
        from_day: asked.from,
        until_day: asked.until,
        selection: Selection {
            grant: asked.grant,
            channel: asked.channel,
            after: asked.after,
            most: asked.limit.unwrap_or_default().get(),
            language: language(&request),
        },
    };
    let hits = desk.room.search(&claims(searcher.0), &asked).await?;
    Ok(HttpResponse::Ok().json(Found { count: hits.count, records: hits.page.views, next: hits.page.next }))
}
