//! Serving: the vault here, the reading room as a process of its own with an empty environment.

use super::certificates::server_config;
use super::control;
use super::folder::{Addresses, DataFolder};
use super::must_exist;
use super::room_process::{NamedIssuer, RoomOrder, verifier};
use crate::http::vault::VaultDesk;
use crate::http::{Admission, Pace, serve as serve_http, vault};
use crate::ledger::{Entry, EntryKind, Pending};
use crate::store::keys::read_private;
use crate::store::unconfirmed;
use crate::vault::break_glass::{self, Bell};
use crate::vault::{Archive, scrub, sequence};
use anyhow::{Context, Result, bail};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;

/// Where a service is reached.
#[derive(Debug, Clone, Copy)]
pub struct Where {
    /// The vault.
    pub vault: SocketAddr,
    /// The reading room.
    pub reading_room: SocketAddr,
}

/// A running service.
pub struct Running {
    /// Where it is reached.
    pub at: Where,
    /// Process id of the reading room.
    pub reading_room_pid: u32,
    vault: JoinHandle<std::io::Result<()>>,
    room: Child,
    _room_input: ChildStdin,
    tasks: Vec<JoinHandle<()>>,
    archive: Archive,
}

const WORKERS: usize = 2;

/// `knik serve`.
///
/// # Errors
/// When the service cannot start, or one of its processes stops.
pub(super) async fn serve(dir: &Path) -> Result<()> {
    must_exist(dir)?;
    let folder = Arc::new(DataFolder::open(dir).await?);
    let running = Running::start(folder).await?;
    super::print::line(&format!(
        "vault         https://{}\nreading room  https://{} (process {})",
        running.at.vault, running.at.reading_room, running.reading_room_pid
    ));
    running.until_stopped().await
}

impl Running {
    /// Starts both processes and the leader's rounds.
    ///
    /// # Errors
    /// When an address, a certificate or an issuer's keys cannot be used.
    pub async fn start(folder: Arc<DataFolder>) -> Result<Self> {
        let issuers = issuers(&folder)?;
        let listen = folder.config.vault.listen;
        let listener =
            TcpListener::bind(listen).with_context(|| format!("the vault cannot listen on {listen}"))?;
        let at_vault = listener.local_addr()?;
        let config = &folder.config.vault;
        let chain = super::read_text(&folder.path.join(&config.certificate))?;
        let tls = server_config(
            chain.as_bytes(),
            read_private(&folder.path.join(&config.certificate_key))?.as_bytes(),
            None,
        )?;
        let clock = folder.archive.sources.clone();
        let admission = Admission::new(verifier(&issuers)?, move || clock.now());
        let desk = VaultDesk {
            archive: folder.archive.clone(),
            rules: folder.rules.clone(),
            spool: folder.path.join("spool"),
            upload_bytes_max: folder.config.ingest.upload_bytes_max,
            pace: Arc::new(Pace::new(&folder.config.limits, {
                let clock = folder.archive.sources.clone();
                move || clock.now()
            })),
        };
        record(&folder.archive, EntryKind::ServiceStarted, None).await?;
        record(&folder.archive, EntryKind::RulesLoaded, Some(folder.rules.ruleset.version())).await?;
        let (room, input, at_room) = start_room(&folder, issuers).await?;
        let reading_room_pid = room.id().context("the reading room stopped at once")?;
        let vault = tokio::spawn(serve_http(listener, tls, WORKERS, admission, desk, vault::routes)?);
        let archive = folder.archive.clone();
        let leading = tokio::spawn(sequence::lead(folder.archive.clone(), folder.rules.clone()));
        let days = folder.config.keeping.scrub_every_days;
        let scrubbing = (days > 0).then(|| tokio::spawn(scrub::keep_scrubbing(folder.archive.clone(), days)));
        let alarms = tokio::spawn(break_glass::keep_ringing(folder.archive.clone(), bell(&folder)?));
        let control = tokio::spawn(async move {
            if let Err(error) = control::listen(folder).await {
                tracing::error!(%error, "no orders are taken");
            }
        });
        let at = Where { vault: at_vault, reading_room: at_room };
        let tasks = [leading, alarms, control].into_iter().chain(scrubbing).collect();
        Ok(Self { at, reading_room_pid, vault, room, _room_input: input, tasks, archive })
    }

    /// Runs until a signal stops the vault, or the reading room stops by itself.
    ///
    /// # Errors
    /// When either of them stopped with an error.
    pub async fn until_stopped(mut self) -> Result<()> {
        let ended = tokio::select! {
            vault = &mut self.vault => vault.context("the vault stopped")?.context("the vault"),
            room = self.room.wait() => match room {
                Ok(status) => Err(anyhow::anyhow!("the reading room stopped ({status})")),
                Err(error) => Err(error).context("the reading room"),
            },
            () = unconfirmed::told() => Err(anyhow::anyhow!(
                "the disk did not confirm a write: whether it is durable is unknown, and Knik stops; look at the disk, then \
                 start again: what was acknowledged is looked up, and what was not can be done again"
            )),
        };
        self.stop().await;
        ended
    }

    /// Stops both processes.
    pub async fn stop(mut self) {
        if let Err(error) = record(&self.archive, EntryKind::ServiceStopped, None).await {
            tracing::error!(%error, "that the service stops was not recorded");
        }
        self.tasks.iter().for_each(JoinHandle::abort);
        self.vault.abort();
        let _gone_already = self.room.kill().await;
    }
}

/// Where alarms to the data protection officer go.
fn bell(folder: &DataFolder) -> Result<Option<Bell>> {
    let set = &folder.config.oversight;
    if set.alarm_webhook.is_empty() {
        return Ok(None);
    }
    let authorities = match set.alarm_ca.as_str() {
        "" => None,
        file => Some(super::read_text(&folder.path.join(file)).context("oversight.alarm-ca")?),
    };
    Ok(Some(Bell::new(&set.alarm_webhook, authorities.as_deref())?))
}

fn issuers(folder: &DataFolder) -> Result<Vec<NamedIssuer>> {
    if folder.config.issuers.is_empty() {
        bail!(
            "no issuer of tokens is configured: add an [[issuers]] block to {}",
            folder.path.join("knik.toml").display()
        );
    }
    let named = folder.config.issuers.iter().map(|settings| {
        let key_set = super::read_text(&folder.path.join(&settings.jwks))?;
        Ok(NamedIssuer { settings: settings.clone(), key_set })
    });
    named.collect()
}

/// Records a step of the service itself; `rules` is the version of the rules that are in force from here on.
async fn record(archive: &Archive, kind: EntryKind, rules: Option<&str>) -> Result<()> {
    let mut entry = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now());
    if let Some(version) = rules {
        entry = entry.outcome(version.parse().context("the version of the rules")?);
    }
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(())
}

/// Starts the reading room: no environment, its own folder, an order over its standard input.
async fn start_room(
    folder: &DataFolder,
    issuers: Vec<NamedIssuer>,
) -> Result<(Child, ChildStdin, SocketAddr)> {
    let path = std::fs::canonicalize(&folder.path)?;
    let addresses = Addresses::of(&path, &folder.config)?;
    let config = &folder.config.reading_room;
    let order = RoomOrder {
        listen: config.listen,
        database: addresses.reader_room,
        inbox: addresses.reader_inbox,
        certificate: path.join(&config.certificate),
        certificate_key: path.join(&config.certificate_key),
        policies: folder.rule_files.policies().clone(),
        issuers,
        workers: WORKERS,
        limits: folder.config.limits,
    };
    let program = std::env::current_exe().context("finding this program")?;
    let mut room = Command::new(program)
        .arg("reading-room")
        .env_clear()
        .current_dir(path.join("room"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting the reading room")?;
    let mut input = room.stdin.take().context("the reading room's input")?;
    let mut line = serde_json::to_string(&order)?;
    line.push('\n');
    input.write_all(line.as_bytes()).await.context("ordering the reading room")?;
    let output = room.stdout.take().context("the reading room's output")?;
    let said = BufReader::new(output).lines().next_line().await?;
    let said = said.context("the reading room did not start; its error stands above")?;
    let at = said.parse().context("the reading room's address")?;
    Ok((room, input, at))
}
