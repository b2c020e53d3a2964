//! `knik detector`: the detector alone, with Presidio's interface. No data folder, no key, nothing written.

use super::arguments::DetectorArguments;
use super::embedded::ruleset;
use crate::http::presidio::{AccessToken, Detector, serve as serve_face};
use crate::http::tls::server_config;
use crate::store::keys::read_private;
use anyhow::{Context, Result, bail};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

const WORKERS: usize = 2;

/// Serves until a signal stops it.
///
/// # Errors
/// When the address may not be served like that, or a file, a pattern or the address cannot be used.
pub(super) async fn serve(asked: &DetectorArguments) -> Result<()> {
    admissible(asked)?;
    let token = asked.token_file.as_deref().map(token).transpose()?;
    let tls = match (&asked.tls_certificate, &asked.tls_key) {
        (Some(chain), Some(key)) => {
            let chain = super::read_text(chain)?;
            Some(server_config(chain.as_bytes(), read_private(key)?.as_bytes())?)
        }
        _ => None,
    };
    let detector = Detector::new(Arc::new(ruleset(asked.patterns.as_deref())?));
    let listen = asked.listen;
    let listener = TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let at = listener.local_addr()?;
    let server = serve_face(listener, tls, WORKERS, token, detector)?;
    super::print::line(&format!("detector      {scheme}://{at}"));
    server.await.context("the detector stopped")
}

/// What other machines can reach is served over TLS and to bearers of a token, or not at all.
fn admissible(asked: &DetectorArguments) -> Result<()> {
    let safe = asked.tls_certificate.is_some() && asked.token_file.is_some();
    if !is_loopback(asked.listen) && !safe {
        bail!(
            "{} can be reached from other machines: give --tls-certificate, --tls-key and --token-file, or listen on 127.0.0.1",
            asked.listen
        );
    }
    Ok(())
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn token(path: &Path) -> Result<AccessToken> {
    let text = read_private(path)?;
    AccessToken::read(&text).with_context(|| format!("token file `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for (address, is) in [
            ("127.0.0.1:0", true),
            ("127.9.9.9:80", true),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("0.0.0.0:80", false),
            ("[::]:80", false),
            ("192.0.2.1:80", false),
            ("[::ffff:192.0.2.1]:80", false),
        ] {
            assert_eq!(is_loopback(address.parse().unwrap()), is, "{address}");
        }
    }
}
