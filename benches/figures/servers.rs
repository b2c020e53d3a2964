//! What the reading room is compared with: the least that a handler with the same duties does, and nothing at all.
//!
//! Both are actix-web under the same TLS settings and worker count. The reference verifies the same token with the
//! same verifier on every request, reads one row by its key through the same pool settings, group-commits one
//! message into an inbox of its own, and answers a fixed body of the same size. It decides nothing and renders nothing.

use super::program::Folder;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, Data, Path};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use anyhow::{Context, Result};
use knik::http::tls::server_config;
use knik::http::token::{DevelopmentIssuer, Verifier};
use knik::model::{ActorId, GrantId, OrganisationId, ProjectionId, Role};
use knik::store::database::{Database, Mode, Plane};
use knik::store::inbox::{Inbox, InboxWriter, Message, RoomEvent, RoomEventKind};
use knik::store::keys::KeyFolder;
use knik::vault::Sources;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const WORKERS: usize = 2;

#[derive(Clone)]
struct Reference {
    verifier: Arc<Verifier>,
    clock: Sources,
    projections: Database,
    inbox: InboxWriter,
    organisation: OrganisationId,
    body: Arc<str>,
}

/// Starts both; they run until the process ends. Returns the addresses of the reference and the bare server.
///
/// # Errors
/// When certificates, keys or databases of the folder cannot be used.
pub async fn start(folder: &Folder, body_bytes: usize) -> Result<(String, String)> {
    let body: Arc<str> = format!("{{\"text\":\"{}\"}}", "x".repeat(body_bytes.saturating_sub(11))).into();
    let reference = Reference {
        verifier: Arc::new(verifier(folder)?),
        clock: Sources::system(),
        projections: open(folder.data().join("room/projections.db"), Plane::Room, Mode::Reader).await?,
        inbox: InboxWriter::start(Inbox::new(
            open(folder.beside.path().join("inbox.db"), Plane::Inbox, Mode::Owner).await?,
        )),
        organisation: "bench".parse()?,
        body: Arc::clone(&body),
    };
    let at_reference = listen(folder, move |config| {
        config.app_data(Data::new(reference.clone())).route("/v1/records/{id}", web::get().to(read));
    })?;
    let at_bare = listen(folder, move |config| {
        config.app_data(Data::new(Arc::clone(&body))).route("/v1/records/{id}", web::get().to(bare));
    })?;
    Ok((at_reference, at_bare))
}

async fn open(file: std::path::PathBuf, plane: Plane, mode: Mode) -> Result<Database> {
    Ok(Database::open(&Database::sqlite_url(&file), plane, mode).await?)
}

fn listen(
    folder: &Folder,
    routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> Result<String> {
    let chain = std::fs::read(folder.data().join("room/tls/room.pem"))?;
    let key = std::fs::read(folder.data().join("room/tls/room.key"))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?.to_string();
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(WORKERS)
        .client_request_timeout(Duration::from_secs(10))
        .keep_alive(Duration::from_secs(30))
        .disable_signals()
        .listen_rustls_0_23(listener, server_config(&chain, &key)?)?;
    tokio::spawn(server.run());
    Ok(at)
}

async fn read(request: HttpRequest, state: Data<Reference>, id: Path<ProjectionId>) -> HttpResponse {
    match answer(&request, &state, *id).await {
        Ok(body) => HttpResponse::Ok().content_type("application/json").body(body),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

async fn answer(request: &HttpRequest, state: &Reference, id: ProjectionId) -> Result<String> {
    let header = request.headers().get(AUTHORIZATION).context("no token")?.to_str()?;
    let now = state.clock.now();
    let claims = state.verifier.verify(header, now)?;
    let row = sqlx::query("SELECT passages FROM projection WHERE id = $1")
        .bind(id.uuid().as_bytes().to_vec())
        .fetch_one(state.projections.read())
        .await?;
    let _document: String = sqlx::Row::try_get(&row, "passages")?;
    let event = RoomEvent {
        kind: RoomEventKind::View,
        actor: Some(ActorId::from_uuid(Uuid::nil())),
        role: Role::Researcher,
        grant: Some(GrantId::from_uuid(Uuid::nil())),
        organisation: Some(state.organisation.clone()),
        projections: vec![id],
        count: 1,
        reasons: Vec::new(),
    };
    anyhow::ensure!(claims.role == Role::Researcher, "another role");
    state.inbox.append(Message::of(&event, now)).await?;
    Ok(state.body.to_string())
}

async fn bare(body: Data<Arc<str>>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body.to_string())
}

/// The verifier of the demo's tokens.
fn verifier(folder: &Folder) -> Result<Verifier> {
    let seed = KeyFolder::open(&folder.data().join("keys"))?.demo_issuer_seed(false)?;
    let issuer = DevelopmentIssuer::new(&*seed, "https://knik.invalid/demo")?;
    Ok(Verifier::new(vec![issuer.issuer()?]))
}
