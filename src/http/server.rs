//! One TLS server: limits on headers, bodies and slow clients; routes and headers from outside.

use super::bearer::Admission;
use super::headers;
use super::problem::Problem;
use super::tls::PeerCertificate;
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{App, HttpServer};
use std::net::TcpListener;
use std::time::Duration;

/// The listener cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen: {0}")]
pub struct ServeError(#[source] std::io::Error);

impl ServeError {
    /// Why a listener cannot be used.
    pub(super) fn listening(error: std::io::Error) -> Self {
        Self(error)
    }
}

/// Handshakes that may be under way at once in one worker: whoever connects and says nothing keeps nobody out. Each
/// has three seconds.
const HANDSHAKES_MAX: usize = 16_384;

/// Connections that wait to be taken up: of more than the 128 that the standard library lets wait, those that come at once are dropped
/// and try again a second later.
const WAITING_MAX: i32 = 4_096;

/// Largest JSON body, in bytes.
const JSON_BYTES_MAX: usize = 64 * 1024;

/// Serves `routes` over TLS on a bound listener until the process is told to stop. Nothing is served before what
/// comes back is awaited.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve<S: Clone + Send + Sync + 'static>(
    listener: TcpListener,
    tls: rustls::ServerConfig,
    workers: usize,
    admission: Admission,
    state: S,
    routes: fn(&mut ServiceConfig),
) -> Result<Server, ServeError> {
    rustix::net::listen(&listener, WAITING_MAX).map_err(|error| ServeError(error.into()))?;
    let (admission, state) = (Data::new(admission), Data::new(state));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(admission.clone())
            .app_data(state.clone())
            .app_data(input_limits())
            .app_data(
                QueryConfig::default().error_handler(|error, _| Problem::input(query_fault(&error)).into()),
            )
            .app_data(PathConfig::default().error_handler(|_, _| Problem::absent().into()))
            .wrap(from_fn(headers::log))
            .wrap(headers::fixed())
            .configure(routes)
    })
    .workers(workers)
    .max_connection_rate(HANDSHAKES_MAX)
    .on_connect(PeerCertificate::keep)
    .client_request_timeout(Duration::from_secs(10))
    .keep_alive(Duration::from_secs(30))
    .shutdown_timeout(5)
    .listen_rustls_0_23(listener, tls)
    .map_err(ServeError)?;
    Ok(server.run())
}

fn input_limits() -> JsonConfig {
    JsonConfig::default()
        .limit(JSON_BYTES_MAX)
        .error_handler(|error, _| Problem::input(json_fault(&error)).into())
}

/// What is wrong with a body, without quoting it: it may hold names.
fn json_fault(error: &actix_web::error::JsonPayloadError) -> String {
    use actix_web::error::JsonPayloadError;
    match error {
        JsonPayloadError::ContentType => "send the body as Content-Type: application/json".to_owned(),
        JsonPayloadError::Deserialize(fault) => {
            format!(
                "the body is not what this operation takes (line {}, column {}); see /v1/openapi.json",
                fault.line(),
                fault.column()
            )
        }
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            format!("the body is longer than {JSON_BYTES_MAX} bytes")
        }
        _ => "the body cannot be read; see /v1/openapi.json".to_owned(),
    }
}

fn query_fault(_: &actix_web::error::QueryPayloadError) -> String {
    "a query parameter is not known, missing or not of its kind; see /v1/openapi.json".to_owned()
}
