//! Orders to a data folder: carried out by the running service over its socket, or here when none runs.
//!
//! The socket is 0600 in the data folder; who may open it may open the folder. One order a connection: a line of
//! JSON in, lines of JSON out, the last of them the answer. A capture that is brought follows its order in pieces
//! (see `delivery`).

pub(super) mod delivery;

use super::appointments::AppointmentOrder;
use super::backup::BackupOrder;
use super::compare::CompareOrder;
use super::folder::DataFolder;
use super::formal::FormalCommand;
use super::incident::IncidentOrder;
use super::keys::KeysOrder;
use super::ledger::LedgerOrder;
use super::letter::LetterOrder;
use super::periodic::FiguresCommand;
use super::publications::PublicationOrder;
use super::queue::QueueOrder;
use super::receipt::ReceiptArguments;
use super::register::RegisterOrder;
use super::report::ReportOrder;
use super::requests::RequestOrder;
use super::review::ReviewOrder;
use super::revoke::RevokeOrder;
use super::verify::VerifyOrder;
use super::{commands, must_exist};
use crate::model::{AppointmentKind, ChannelId, GrantId, LegalBasisCode, OrganisationId, Outcome, Timestamp};
use crate::store::catalogue::{Channel, ChannelFact};
use crate::store::spool::Spool;
use crate::vault::ingest::Progress;
use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// What can be asked of a data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Order {
    /// Add an organisation with its master key.
    AddOrganisation { id: OrganisationId, name: String },
    /// Declare a channel.
    AddChannel { channel: Channel, facts: Vec<ChannelFact> },
    /// Declare facts of a channel that is there.
    DeclareFacts { channel: ChannelId, facts: Vec<ChannelFact> },
    /// List channels.
    ListChannels,
    /// Take a file in.
    Ingest { path: PathBuf, intake: Intake },
    /// Take in the capture that is sent after this order: the answer is a [`Taken`].
    Deliver(Intake),
    /// Approve reading.
    AddGrant {
        organisation: OrganisationId,
        issuer: String,
        subject: String,
        purpose: String,
        legal_basis: LegalBasisCode,
        channels: Vec<ChannelId>,
        plan: String,
        until: Timestamp,
    },
    /// List grants.
    ListGrants,
    /// End a grant.
    RevokeGrant { id: GrantId },
    /// What is published to everyone.
    Publication(PublicationOrder),
    /// Mandates of approvers, or assignments of external reviewers.
    Appointments { kind: AppointmentKind, asked: AppointmentOrder },
    /// What was decided.
    Decisions { organisation: OrganisationId, outcome: Option<Outcome> },
    /// Several trees over the same archive.
    Compare(CompareOrder),
    /// What waits for people.
    Queue(QueueOrder),
    /// Formal messages.
    Formal(FormalCommand),
    /// Links to the letter system.
    Letter(LetterOrder),
    /// The receipt of a decision.
    Receipt(ReceiptArguments),
    /// A report over a period.
    Figures(FiguresCommand),
    /// The register of processing, or a notice.
    Register(RegisterOrder),
    /// The reviewer's queue.
    Review(ReviewOrder),
    /// The ledger: what goes out, and what is said of it.
    Ledger(LedgerOrder),
    /// Master keys and epochs.
    Keys(KeysOrder),
    /// Revocations of tokens, subjects and persons.
    Revoke(RevokeOrder),
    /// Counts and heads.
    Status,
    /// Check everything.
    Verify(VerifyOrder),
    /// Read every segment back, and sweep orphans where that is asked.
    Scrub { sweep: bool },
    /// Requests for redacted copies.
    Request(RequestOrder),
    /// Reports of readers.
    Report(ReportOrder),
    /// Incidents.
    Incident(IncidentOrder),
    /// A matter, told from the ledger.
    Story { id: uuid::Uuid },
    /// Copy everything to a place for backups.
    Backup(BackupOrder),
}

impl Order {
    /// Whether something may be decided by the rules, or be published by them: then each of their versions must say what it said
    /// before. What only reads, gives keys or takes rights back works all the same: it is needed to find out what is wrong.
    pub(super) const fn may_decide(&self) -> bool {
        match self {
            Self::AddOrganisation { .. }
            | Self::ListChannels
            | Self::ListGrants
            | Self::RevokeGrant { .. }
            | Self::Decisions { .. }
            | Self::Compare(_)
            | Self::Receipt(_)
            | Self::Figures(_)
            | Self::Register(_)
            | Self::Ledger(_)
            | Self::Keys(_)
            | Self::Revoke(_)
            | Self::Status
            | Self::Verify(_)
            | Self::Scrub { .. }
            | Self::Story { .. }
            | Self::Backup(_) => false,
            Self::Queue(asked) => asked.may_decide(),
            _ => true,
        }
    }
}

/// How a capture is to be taken in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Intake {
    /// For which channel.
    pub(super) channel: ChannelId,
    /// In which format; recognised when none is named.
    pub(super) format: Option<String>,
    /// Take nothing in when a piece would be skipped.
    pub(super) strict: bool,
}

/// What became of a capture.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Taken {
    /// It came in, as this report says.
    In(Value),
    /// It is refused, and nothing of it came in.
    Refused {
        /// In words for people.
        why: String,
        /// The pieces that would be skipped, when that is why.
        skipped: Vec<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Progress { done: u64, all: u64 },
    Answer(Value),
    Failed(String),
}

/// The name of the socket in the data folder.
const SOCKET: &str = "control.sock";

/// Longest order, in bytes.
const ORDER_BYTES_MAX: u64 = 1 << 20;

/// Has an order carried out. `progress` hears how far it is.
///
/// # Errors
/// What went wrong with the order, in words for people.
pub(super) async fn carry_out(
    dir: &Path,
    order: Order,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Value> {
    if let Ok(service) = UnixStream::connect(dir.join(SOCKET)).await {
        return ask(service, order, progress).await;
    }
    if !matches!(order, Order::AddOrganisation { .. } | Order::Keys(KeysOrder::Init { .. })) {
        must_exist(dir)?;
    }
    let folder = Arc::new(DataFolder::open(dir).await?);
    let answer = carry_out_here(&folder, order, None, progress).await?;
    if let Err(error) = commands::settle(&folder).await {
        eprintln!("knik: the order was carried out; what follows it waits for the next command: {error:#}");
    }
    Ok(answer)
}

/// Has an order carried out on a folder that was opened here.
async fn carry_out_here(
    folder: &Arc<DataFolder>,
    order: Order,
    brought: Option<Spool>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Value> {
    let (said, mut heard) = mpsc::unbounded_channel();
    let publishing = matches!(order, Order::Ingest { .. } | Order::Deliver(_)).then(|| {
        let (over, ended) = oneshot::channel::<()>();
        (over, tokio::spawn(commands::publish_meanwhile(Arc::clone(folder), ended)))
    });
    let work = {
        let folder = Arc::clone(folder);
        tokio::spawn(async move { commands::execute(&folder, order, brought, telling(said)).await })
    };
    while let Some((done, all)) = heard.recv().await {
        progress(done, all);
    }
    let answer = work.await.context("the command was stopped");
    if let Some((over, publishing)) = publishing {
        drop(over);
        publishing.await.context("publishing was stopped")?;
    }
    answer?
}

/// Progress that is sent on; when nobody listens any more the work goes on all the same.
fn telling(said: mpsc::UnboundedSender<(u64, u64)>) -> Progress {
    Arc::new(move |done, all| {
        let _nobody_listens = said.send((done, all));
    })
}

async fn ask(
    service: UnixStream,
    order: Order,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Value> {
    let (read, mut write) = service.into_split();
    write.write_all(&line_of(&order)?).await.context("the service does not take orders")?;
    hear(read, progress).await
}

/// Listens to what the service says of an order, to its answer.
async fn hear(read: OwnedReadHalf, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Value> {
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await.context("the service broke off")? {
        match serde_json::from_str(&line).context("the service speaks another version; restart it")? {
            Line::Progress { done, all } => progress(done, all),
            Line::Answer(answer) => return Ok(answer),
            Line::Failed(why) => return Err(anyhow!(why)),
        }
    }
    Err(anyhow!("the service stopped before the order was carried out"))
}

fn line_of(what: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    Ok(line)
}

/// Makes the socket. From here on an order waits for the service instead of finding the folder held.
///
/// # Errors
/// When the socket cannot be made.
pub(super) fn bind(folder: &DataFolder) -> Result<UnixListener> {
    let path = folder.path.join(SOCKET);
    // The lock on the folder is ours: a socket that is there was left by a process that is gone.
    let _absent = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).context("securing the socket")?;
    Ok(listener)
}

/// Takes orders until the process ends.
///
/// # Errors
/// When the socket fails.
pub(super) async fn listen(listener: UnixListener, folder: Arc<DataFolder>) -> Result<()> {
    loop {
        let (connection, _) = listener.accept().await.context("the control socket")?;
        let folder = Arc::clone(&folder);
        tokio::spawn(async move {
            if let Err(error) = answer(&folder, connection).await {
                tracing::debug!(%error, "control connection ended");
            }
        });
    }
}

async fn answer(folder: &Arc<DataFolder>, connection: UnixStream) -> Result<()> {
    let (read, mut write) = connection.into_split();
    let (mut input, mut line) = (BufReader::new(read), String::new());
    (&mut input).take(ORDER_BYTES_MAX).read_line(&mut line).await?;
    let order: Order = match serde_json::from_str(&line) {
        Ok(order) => order,
        Err(error) => return say(&mut write, &Line::Failed(format!("order not understood: {error}"))).await,
    };
    let brought = match &order {
        Order::Deliver(_) => match delivery::receive(folder, &mut input).await {
            Ok(spool) => Some(spool),
            Err(error) => return say(&mut write, &Line::Failed(format!("{error:#}"))).await,
        },
        _ => None,
    };
    let (said, mut heard) = mpsc::unbounded_channel();
    let work = {
        let folder = Arc::clone(folder);
        tokio::spawn(async move { commands::execute(&folder, order, brought, telling(said)).await })
    };
    while let Some((done, all)) = heard.recv().await {
        say(&mut write, &Line::Progress { done, all }).await?;
    }
    match work.await? {
        Ok(value) => say(&mut write, &Line::Answer(value)).await,
        Err(error) => say(&mut write, &Line::Failed(format!("{error:#}"))).await,
    }
}

async fn say(write: &mut (impl AsyncWriteExt + Unpin), line: &Line) -> Result<()> {
    write.write_all(&line_of(line)?).await?;
    Ok(())
}
