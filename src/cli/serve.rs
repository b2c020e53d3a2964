//! Serving: the vault here, the reading room as a process of its own with an empty environment.

use super::control;
use super::folder::{Addresses, DataFolder};
use super::issuers::{self, NamedIssuer};
use super::must_exist;
use super::room_process::{Down, RoomOrder, Up};
use super::tls_files::TlsFiles;
use crate::http::tls::{Machine, Machines};
use crate::http::token::{DevelopmentIssuer, KeyRenewal, Renewal, Verifier};
use crate::http::vault::VaultDesk;
use crate::http::{Admission, Pace, serve as serve_http, vault};
use crate::ledger::{Entry, EntryKind, Pending};
use crate::redact::copy::PART_ROWS;
use crate::store::bell::{Bell, MailSettings};
use crate::store::catalogue::PolicyVersion;
use crate::store::unconfirmed;
use crate::vault::{Archive, break_glass, policies, revoke, scrub, sequence};
use anyhow::{Context, Result};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Receiver, Sender};
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
    let running = Running::start(folder, None).await?;
    super::print::line(&format!(
        "vault         https://{}\nreading room  https://{} (process {})",
        running.at.vault, running.at.reading_room, running.reading_room_pid
    ));
    running.until_stopped().await
}

/// What the running service knows beside its data folder.
pub(super) struct Serving {
    /// The keys of the issuers.
    pub(super) renewal: Arc<Renewal>,
    /// Whether tokens of the demo's own issuer are taken.
    pub(super) demo: bool,
}

impl Running {
    /// Starts both processes and the leader's rounds. `demo` is the demo's own issuer, where this is the demo.
    ///
    /// # Errors
    /// When an address, a certificate or an issuer's keys cannot be used.
    pub async fn start(folder: Arc<DataFolder>, demo: Option<&DevelopmentIssuer>) -> Result<Self> {
        let (down, said) = mpsc::channel(LINES_WAITING_MAX);
        let keys = Keys::start(&folder, demo, down.clone()).await?;
        let (listener, tls) = (listen(&folder)?, tls_files(&folder));
        let at_vault = listener.local_addr()?;
        let served = tls.open()?;
        let clock = folder.archive.sources.clone();
        let revocations = Arc::new(folder.archive.catalogue.clone());
        let admission = Admission::new(keys.verifier, keys.renewal.clone(), revocations, move || clock.now());
        let admission = match &tls.clients {
            Some(_) => admission.with_machines(Arc::clone(&served), machines(&folder)),
            None => admission,
        };
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
        revoke::bring_all_down(&folder.archive).await.context("revocations")?;
        folder.hold_rules().await?;
        record(&folder.archive, EntryKind::ServiceStarted, None).await?;
        record(&folder.archive, EntryKind::RulesLoaded, Some(&folder)).await?;
        let (mut room, at_room) = start_room(&folder, keys.issuers).await?;
        let reading_room_pid = room.process.id().context("the reading room stopped at once")?;
        let server = serve_http(listener, served.config()?, WORKERS, admission, desk, vault::routes)?;
        let vault = tokio::spawn(server);
        let look = Arc::new(Notify::new());
        let mut tasks = vec![
            tokio::spawn(tls.follow(served, Arc::clone(&look))),
            tokio::spawn(tell_room(room.input.take().context("the reading room's input")?, said)),
            tokio::spawn(hear_room(room.output, keys.renewal.clone(), down.clone())),
            tokio::spawn(sequence::lead(folder.archive.clone(), folder.rules.clone())),
            tokio::spawn(renew_on_schedule(keys.renewal.clone())),
        ];
        if demo.is_none() {
            // The demo stops with its terminal, as anything that was only tried out should.
            tasks.push(tokio::spawn(reload_on_hangup(look, down, keys.renewal.clone())));
        }
        let days = folder.config.keeping.scrub_every_days;
        tasks.push(tokio::spawn(break_glass::keep_ringing(folder.archive.clone(), bell(&folder)?)));
        if days > 0 {
            tasks.push(tokio::spawn(scrub::keep_scrubbing(folder.archive.clone(), days)));
        }
        let _once = folder.serving.set(Serving { renewal: keys.renewal, demo: demo.is_some() });
        let archive = folder.archive.clone();
        let orders = control::bind(&folder);
        tasks.push(tokio::spawn(async move {
            let taken = async { control::listen(orders?, folder).await };
            if let Err(error) = taken.await {
                tracing::error!(%error, "no orders are taken");
            }
        }));
        let at = Where { vault: at_vault, reading_room: at_room };
        Ok(Self { at, reading_room_pid, vault, room: room.process, tasks, archive })
    }

    /// Runs until a signal stops the vault, or the reading room stops by itself.
    ///
    /// # Errors
    /// When either of them stopped with an error.
    pub async fn until_stopped(mut self) -> Result<()> {
        let ended = tokio::select! {
            // What a task panicked with may quote what it was working on.
            vault = &mut self.vault => match vault {
                Ok(ended) => ended.context("the vault"),
                Err(_) => Err(anyhow::anyhow!("the vault stopped")),
            },
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
fn bell(folder: &DataFolder) -> Result<Bell> {
    let set = &folder.config.oversight;
    let authorities = match set.alarm_ca.as_str() {
        "" => None,
        file => Some(super::read_text(&folder.path.join(file)).context("oversight.alarm-ca")?),
    };
    let mut bell = Bell::default();
    if !set.alarm_webhook.is_empty() {
        bell = bell.with_webhook(&set.alarm_webhook, authorities.as_deref())?;
    }
    if !set.alarm_smtp.is_empty() {
        let password = |file: &str| {
            super::read_text(&folder.path.join(file)).context("oversight.alarm-smtp-password-file")
        };
        let credentials = match set.alarm_smtp_user.as_str() {
            "" => None,
            user => Some((user.to_owned(), password(&set.alarm_smtp_password_file)?.trim().to_owned())),
        };
        let mail = MailSettings {
            server: set.alarm_smtp.clone(),
            from: set.alarm_from.clone(),
            to: set.alarm_to.clone(),
            credentials,
        };
        bell = bell.with_mail(&mail, authorities.as_deref())?;
    }
    Ok(bell)
}

fn listen(folder: &DataFolder) -> Result<TcpListener> {
    let listen = folder.config.vault.listen;
    TcpListener::bind(listen).with_context(|| format!("the vault cannot listen on {listen}"))
}

fn tls_files(folder: &DataFolder) -> TlsFiles {
    let (config, path) = (&folder.config.vault, &folder.path);
    let clients = (!config.client_authorities.is_empty())
        .then(|| (path.join(&config.client_authorities), path.join(&config.client_revoked)));
    TlsFiles { chain: path.join(&config.certificate), key: path.join(&config.certificate_key), clients }
}

fn machines(folder: &DataFolder) -> Machines {
    Machines::new(folder.config.machines.iter().map(|machine| Machine {
        name: machine.certificate.to_string(),
        organisation: machine.organisation.clone(),
        role: machine.role,
    }))
}

/// The issuers' keys, fetched for the first time.
struct Keys {
    verifier: Arc<Verifier>,
    renewal: Arc<Renewal>,
    issuers: Vec<NamedIssuer>,
}

impl Keys {
    async fn start(
        folder: &DataFolder,
        demo: Option<&DevelopmentIssuer>,
        down: Sender<Down>,
    ) -> Result<Self> {
        if demo.is_some() {
            tracing::warn!(
                "DEMO: tokens of a development issuer are taken, whose key lies in this data folder"
            );
        }
        let mut issuers = issuers::trusted(&folder.config.issuers, demo, &folder.path.join("knik.toml"))?;
        let verifier = Arc::new(issuers::verifier(&issuers)?);
        let followed = issuers::followed(&issuers, &folder.path)?;
        let clock = folder.archive.sources.clone();
        let changed = move |issuer: &str, key_set: Option<&str>| {
            let keys = Down::Keys { issuer: issuer.to_owned(), key_set: key_set.map(str::to_owned) };
            if down.try_send(keys).is_err() {
                tracing::error!(issuer, "the reading room takes no keys any more");
            }
        };
        let renewal = Renewal::new(Arc::clone(&verifier), followed, move || clock.now(), changed);
        renewal.fetch_all().await;
        for named in issuers.iter_mut().filter(|named| named.settings.is_some()) {
            named.key_set = named.settings.as_ref().and_then(|settings| renewal.key_set(&settings.issuer));
        }
        Ok(Self { verifier, renewal: Arc::new(renewal), issuers })
    }
}

async fn renew_on_schedule(renewal: Arc<Renewal>) {
    renewal.keep().await;
}

/// A hang-up: TLS files are read and keys are fetched now, in both processes. No connection is dropped for it.
async fn reload_on_hangup(look: Arc<Notify>, down: Sender<Down>, renewal: Arc<Renewal>) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        look.notify_one();
        let _the_room_is_gone = down.send(Down::Reload).await;
        renewal.fetch_all().await;
    }
}

/// Says to the reading room what it is to know, a line each, for as long as both are there.
async fn tell_room(mut input: ChildStdin, mut said: Receiver<Down>) {
    while let Some(down) = said.recv().await {
        let mut line = serde_json::to_string(&down).unwrap_or_default();
        line.push('\n');
        if input.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Hears the reading room ask whether an issuer has new keys: one wish at a time, however many it has, and none that is
/// not understood. It is answered whatever the issuer says.
async fn hear_room(mut output: BufReader<ChildStdout>, renewal: Arc<Renewal>, down: Sender<Down>) {
    while let Ok(Some(line)) = bounded_line(&mut output).await {
        let Ok(Up::Keys { issuer }) = serde_json::from_str(&line) else { break };
        renewal.renew(&issuer).await;
        let key_set = renewal.key_set(&issuer);
        let _the_room_is_gone = down.send(Down::Keys { issuer, key_set }).await;
    }
    tracing::warn!(
        "the reading room is not heard any more: it said something that is not understood, or is gone"
    );
}

/// Lines that wait for a reading room that does not read.
const LINES_WAITING_MAX: usize = 256;

/// The longest line that the reading room has to say.
const LINE_BYTES_MAX: u64 = 4_096;

/// A line of the reading room, which may be in other hands; `None` at its end, or for one that is too long.
async fn bounded_line(output: &mut BufReader<ChildStdout>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    output.take(LINE_BYTES_MAX).read_line(&mut line).await?;
    Ok(line.strip_suffix('\n').map(str::to_owned))
}

/// Records a step of the service itself; with the folder whose rules are in force from here on: the version of the recognisers, and
/// the commitment to every version of a policy.
async fn record(archive: &Archive, kind: EntryKind, rules: Option<&DataFolder>) -> Result<()> {
    let mut entry = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now());
    if let Some(folder) = rules {
        let ruleset = folder.rules.ruleset.version().parse().context("the version of the rules")?;
        let stated = folder.rule_files.policy_versions()?;
        let policies: Vec<PolicyVersion> = stated.into_iter().map(|one| one.policy).collect();
        entry = entry
            .outcome(ruleset)
            .counting("policies".parse()?, policies.len() as u64)
            .stating(policies::commitment(&policies));
    }
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(())
}

/// The reading room's process and the two ways to and from it.
struct RoomProcess {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// Starts the reading room: no environment, its own folder, an order over its standard input.
async fn start_room(folder: &DataFolder, issuers: Vec<NamedIssuer>) -> Result<(RoomProcess, SocketAddr)> {
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
        exports: path.join("room/exports"),
        export_part_rows: PART_ROWS,
        issuers,
        workers: WORKERS,
        log: super::log_wanted(),
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
    let mut output = BufReader::new(output);
    let said = bounded_line(&mut output).await?;
    let said = said.context("the reading room did not start; its error stands above")?;
    let at = said.parse().context("the reading room's address")?;
    Ok((RoomProcess { process: room, input: Some(input), output }, at))
}
