//! The reading room's process: an empty environment, its own database, its own certificate, and no key of the vault.
//!
//! What it needs to know it reads from its standard input, one JSON document; when that input closes its parent is
//! gone, and it goes too.

use super::certificates::server_config;
use super::embedded::{Files, RoomRules};
use crate::config::{Issuer as IssuerConfig, Limits};
use crate::http::reading_room::RoomDesk;
use crate::http::token::{AlgorithmFamily, Issuer, IssuerSettings, Verifier};
use crate::http::{Admission, Pace, reading_room, serve};
use crate::reading_room::ReadingRoom;
use crate::store::database::{Database, Mode, Plane};
use crate::store::inbox::{Inbox, InboxWriter};
use crate::store::keys::read_private;
use crate::store::room::Room;
use crate::store::unconfirmed;
use crate::vault::Sources;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

/// Everything the process is told. No key is among it: its TLS key is a file of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RoomOrder {
    pub listen: SocketAddr,
    pub database: String,
    pub inbox: String,
    pub certificate: PathBuf,
    pub certificate_key: PathBuf,
    pub policies: Files,
    pub issuers: Vec<NamedIssuer>,
    pub workers: usize,
    pub limits: Limits,
}

/// An issuer with its public keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NamedIssuer {
    pub settings: IssuerConfig,
    pub key_set: String,
}

/// A verifier for these issuers.
///
/// # Errors
/// When a key set is refused, with the issuer's name.
pub(super) fn verifier(issuers: &[NamedIssuer]) -> Result<Verifier> {
    let issuers = issuers.iter().map(|named| {
        let asked = &named.settings;
        let settings = IssuerSettings {
            issuer: asked.issuer.clone(),
            audience: asked.audience.clone(),
            algorithm: match asked.algorithm.as_str() {
                "PS256" => AlgorithmFamily::Ps256,
                "ES256" => AlgorithmFamily::Es256,
                "RS256" => AlgorithmFamily::Rs256,
                _ => AlgorithmFamily::EdDsa,
            },
            types: vec!["at+jwt".to_owned()],
            parties: Vec::new(),
            lifetime_max_seconds: u32::try_from(asked.lifetime_seconds_max).unwrap_or(3_600),
        };
        Ok(Issuer::new(settings, &named.key_set)?)
    });
    Ok(Verifier::new(issuers.collect::<Result<Vec<_>>>()?))
}

/// Runs the reading room until its standard input closes.
///
/// # Errors
/// When it cannot start.
pub(super) async fn run() -> Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("reading the order")?;
    let order: RoomOrder = serde_json::from_str(&line).context("the order is not understood")?;
    let rules = RoomRules::load(&order.policies)?;
    let projections = Database::open(&order.database, Plane::Room, Mode::Reader).await?;
    let inbox = Database::open(&order.inbox, Plane::Inbox, Mode::Writer).await?;
    let writer = InboxWriter::start(Inbox::new(inbox));
    let clock = Sources::system();
    let now = {
        let clock = clock.clone();
        move || clock.now()
    };
    let room = ReadingRoom::new(
        Room::new(projections),
        writer,
        rules.access,
        rules.plans,
        rules.exemptions,
        rules.research,
        now.clone(),
    );
    let chain = super::read_text(&order.certificate)?;
    let tls = server_config(chain.as_bytes(), read_private(&order.certificate_key)?.as_bytes(), None)?;
    let listener =
        TcpListener::bind(order.listen).with_context(|| format!("cannot listen on {}", order.listen))?;
    announce(listener.local_addr()?)?;
    std::thread::spawn(|| {
        let mut rest = [0; 64];
        while matches!(std::io::stdin().read(&mut rest), Ok(1..)) {}
        std::process::exit(0);
    });
    let desk = RoomDesk { room, pace: Arc::new(Pace::new(&order.limits, now.clone())) };
    let admission = Admission::new(verifier(&order.issuers)?, now);
    let served = serve(listener, tls, order.workers, admission, desk, reading_room::routes)?;
    tokio::select! {
        ended = served => Ok(ended?),
        () = unconfirmed::told() => bail!("the disk did not confirm a write of the reading room"),
    }
}

/// Tells the parent where it listens.
fn announce(at: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{at}")?;
    Ok(out.flush()?)
}
