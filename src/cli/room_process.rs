//! The reading room's process: an empty environment, its own database, its own certificate, and no key of the vault.
//!
//! What it needs to know it reads from its standard input: one JSON document to begin with, then a line whenever keys of
//! issuers changed. When that input closes its parent is gone, and it goes too. On its standard output it says where it
//! listens, and then which issuer's keys it would like to have anew: it fetches none, because it has no way out.

use super::embedded::{Files, RoomRules};
use super::issuers::{NamedIssuer, PAUSE, verifier};
use super::tls_files::TlsFiles;
use crate::config::Limits;
use crate::http::reading_room::RoomDesk;
use crate::http::token::{KeyRenewal, Verifier};
use crate::http::{Admission, Pace, reading_room, serve};
use crate::reading_room::ReadingRoom;
use crate::store::database::{Database, Mode, Plane};
use crate::store::inbox::{Inbox, InboxWriter};
use crate::store::room::Room;
use crate::store::unconfirmed;
use crate::vault::Sources;
use anyhow::{Context, Result, bail};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::{Instant, timeout};

/// Everything the process is told. No key is among it: its TLS key is a file of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RoomOrder {
    pub listen: SocketAddr,
    pub database: String,
    pub inbox: String,
    pub certificate: PathBuf,
    pub certificate_key: PathBuf,
    pub policies: Files,
    /// Where files of exports are built, and how many rows a part has.
    pub exports: PathBuf,
    pub export_part_rows: u32,
    pub issuers: Vec<NamedIssuer>,
    pub workers: usize,
    /// What is to be logged: the process has no environment that could say so.
    pub log: String,
    pub limits: Limits,
}

/// What the vault says after that, a line each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Down {
    /// An issuer's keys as they hold now; with none its tokens are refused. Said whenever they change, and in answer to
    /// [`Up::Keys`].
    Keys { issuer: String, key_set: Option<String> },
    /// Look at the TLS files now.
    Reload,
}

/// What the reading room says after its address, a line each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Up {
    /// A token named a key of this issuer that is not known: are there new ones?
    Keys { issuer: String },
}

/// Runs the reading room until its standard input closes.
///
/// # Errors
/// When it cannot start.
pub(super) async fn run() -> Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("reading the order")?;
    let order: RoomOrder = serde_json::from_str(&line).context("the order is not understood")?;
    super::log_to_stderr(&order.log);
    let rules = RoomRules::load(&order.policies)?;
    let projections = Room::new(Database::open(&order.database, Plane::Room, Mode::Reader).await?);
    let inbox = Database::open(&order.inbox, Plane::Inbox, Mode::Writer).await?;
    let writer = InboxWriter::start(Inbox::new(inbox));
    let clock = Sources::system();
    let now = {
        let clock = clock.clone();
        move || clock.now()
    };
    let room = ReadingRoom::new(
        projections.clone(),
        writer,
        rules.access,
        rules.plans,
        rules.exemptions,
        rules.research,
        now.clone(),
    );
    let room = room.building_in(order.exports, order.export_part_rows);
    tokio::spawn(room.clone().keep_building());
    let files = TlsFiles { chain: order.certificate, key: order.certificate_key, clients: None };
    let tls = files.open()?;
    let (config, look) = (tls.config()?, Arc::new(Notify::new()));
    tokio::spawn(files.follow(tls, Arc::clone(&look)));
    let listener =
        TcpListener::bind(order.listen).with_context(|| format!("cannot listen on {}", order.listen))?;
    let verifier = Arc::new(verifier(&order.issuers)?);
    let keys = Arc::new(KeysFromVault::new(&order.issuers, Arc::clone(&verifier)));
    say(&listener.local_addr()?.to_string())?;
    tokio::spawn(look_on_hangup(Arc::clone(&look)));
    let heard = Arc::clone(&keys);
    std::thread::spawn(move || listen_to_vault(&heard, &look));
    let desk = RoomDesk { room, pace: Arc::new(Pace::new(&order.limits, now.clone())) };
    let admission = Admission::new(verifier, keys, Arc::new(projections), now);
    let served = serve(listener, config, order.workers, admission, desk, reading_room::routes)?;
    tokio::select! {
        ended = served => Ok(ended?),
        () = unconfirmed::told() => bail!("the disk did not confirm a write of the reading room"),
    }
}

/// Says one line to the vault.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Hears the vault until it is gone; then this process goes too.
fn listen_to_vault(keys: &KeysFromVault, look: &Notify) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match serde_json::from_str(&line) {
            Ok(Down::Keys { issuer, key_set }) => keys.take(&issuer, key_set.as_deref()),
            Ok(Down::Reload) => look.notify_one(),
            Err(error) => tracing::error!(%error, "the vault said something that is not understood"),
        }
    }
    std::process::exit(0);
}

/// A hang-up that reaches this process too is no reason to go.
async fn look_on_hangup(look: Arc<Notify>) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        look.notify_one();
    }
}

/// Keys that the vault fetches and says.
struct KeysFromVault {
    verifier: Arc<Verifier>,
    issuers: HashMap<String, Asking>,
}

/// When was asked last (held while waiting for the answer), and how many answers there were.
struct Asking {
    last: Mutex<Option<Instant>>,
    answers: watch::Sender<u64>,
}

/// The vault answers when the issuer has, or has not in its own time.
const PATIENCE: Duration = Duration::from_secs(7);

impl KeysFromVault {
    fn new(issuers: &[NamedIssuer], verifier: Arc<Verifier>) -> Self {
        let asked = issuers.iter().filter_map(|named| named.settings.as_ref());
        let asking = || Asking { last: Mutex::new(None), answers: watch::Sender::new(0) };
        Self { verifier, issuers: asked.map(|settings| (settings.issuer.clone(), asking())).collect() }
    }

    fn take(&self, issuer: &str, key_set: Option<&str>) {
        let (Some(known), Some(asking)) = (self.verifier.issuer(issuer), self.issuers.get(issuer)) else {
            return;
        };
        match key_set {
            None => known.drop_keys(),
            Some(key_set) => {
                if let Err(error) = known.replace_keys(key_set) {
                    tracing::error!(%error, "keys from the vault cannot be used");
                }
            }
        }
        asking.answers.send_modify(|count| *count += 1);
    }

    async fn ask(&self, issuer: &str) {
        let Some(asking) = self.issuers.get(issuer) else { return };
        let mut last = asking.last.lock().await;
        if last.is_some_and(|last| last.elapsed() < PAUSE) {
            return;
        }
        let mut answers = asking.answers.subscribe();
        let wish = serde_json::to_string(&Up::Keys { issuer: issuer.to_owned() }).unwrap_or_default();
        if let Err(error) = say(&wish) {
            tracing::error!(%error, "the vault cannot be asked for keys");
        } else if timeout(PATIENCE, answers.changed()).await.is_err() {
            tracing::warn!(issuer, "the vault did not say in time whether there are new keys");
        }
        *last = Some(Instant::now());
    }
}

impl KeyRenewal for KeysFromVault {
    fn renew<'a>(&'a self, issuer: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(self.ask(issuer))
    }
}
