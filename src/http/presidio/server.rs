//! The server of the face: with TLS or without, limits on connections and slow clients, one token.

use super::{AccessToken, Detector, Refusal, admission, headers, routes};
use crate::http::ServeError;
use actix_web::dev::Server;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{Data, QueryConfig};
use actix_web::{App, HttpServer};
use std::net::TcpListener;
use std::time::Duration;

/// Most connections of one worker at a time: each may hold a body.
const CONNECTIONS_MAX: usize = 64;

/// Serves the face on a bound listener until the process is told to stop. Nothing is served before what comes back is
/// awaited.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
    workers: usize,
    token: Option<AccessToken>,
    detector: Detector,
) -> Result<Server, ServeError> {
    let (token, detector) = (Data::new(token), Data::new(detector));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(token.clone())
            .app_data(detector.clone())
            .app_data(QueryConfig::default().error_handler(|_, _| Refusal::not_understood().into()))
            .wrap(from_fn(admission::admit))
            .wrap(from_fn(headers::log))
            .wrap(fixed())
            .configure(routes)
    })
    .workers(workers)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(Duration::from_secs(10))
    .keep_alive(Duration::from_secs(30))
    .shutdown_timeout(5);
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls),
        None => server.listen(listener),
    };
    Ok(server.map_err(ServeError::listening)?.run())
}

/// Headers of every answer.
fn fixed() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Cache-Control", "no-store"))
        .add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("X-Content-Type-Options", "nosniff"))
}
