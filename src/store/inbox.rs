//! The way up: what the reading room tells the vault. Append only; committed before the reader is answered.

use super::airlock::Airlock;
use super::effect::Effect;
use super::rows::{RowValues, insert_all};
use super::{Database, StoreError};
use crate::access::grant_file::Content;
use crate::model::{
    ActorId, ExportId, GrantId, OrganisationId, ProjectionId, ReportId, ReportKind, RequestId, RequestStep,
    Role, Timestamp,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

/// What the reading room says of one request: content-free. One message a request, not one a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoomEvent {
    /// Which kind of step.
    pub kind: RoomEventKind,
    /// Who, when they are a known reader.
    pub actor: Option<ActorId>,
    /// In which role.
    pub role: Role,
    /// Under which grant.
    pub grant: Option<GrantId>,
    /// Whose records.
    pub organisation: Option<OrganisationId>,
    /// Which projections were shown.
    pub projections: Vec<ProjectionId>,
    /// How many projections were shown.
    pub count: u64,
    /// Why something was refused, as codes.
    pub reasons: Vec<String>,
}

/// The kinds of steps a reading room takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomEventKind {
    /// A view, a list or a conversation was shown.
    View,
    /// A search was answered.
    Search,
    /// Something was refused.
    Denied,
}

impl RoomEventKind {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Search => "search",
            Self::Denied => "denied",
        }
    }
}

/// A step of a request for copies, as a researcher took it. It holds what they wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HandedIn {
    /// Which request; drawn by the reading room for a new one.
    pub request: RequestId,
    /// Which step.
    pub step: RequestStep,
    /// Issuer of the researcher's tokens.
    pub issuer: String,
    /// Subject of those tokens.
    pub subject: String,
    /// What the request says, when it is written.
    pub content: Option<Content>,
    /// An answer, a reason, a statement.
    pub text: String,
    /// Until when, when more time is asked for.
    pub until: Option<Timestamp>,
}

/// The kind of message that a [`HandedIn`] is.
pub const REQUEST: &str = "request";

/// A report of a reader. It holds no words: what the inbox has stays there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReaderReport {
    /// Drawn by the reading room.
    pub id: ReportId,
    /// Under which grant it was read.
    pub grant: GrantId,
    /// Which view.
    pub projection: ProjectionId,
    /// Who reports.
    pub reporter: ActorId,
    /// What is wrong.
    pub kind: ReportKind,
    /// In which text of the record, from 0.
    pub passage: Option<u32>,
}

/// The kind of message that a [`ReaderReport`] is.
pub const REPORT: &str = "report";
/// A step of an export, as the reading room took it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportStep {
    /// Which export; drawn by the reading room for a new one.
    pub export: ExportId,
    /// Under which grant.
    pub grant: GrantId,
    /// Who took it; nobody where the reading room did by itself.
    pub actor: Option<ActorId>,
    /// What was done.
    pub act: ExportAct,
}

/// What the reading room does with an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportAct {
    /// Somebody asked for it.
    Asked,
    /// Its files stand in the airlock.
    Built {
        /// SHA-256 of the manifest, in hexadecimal.
        manifest: String,
        /// Rows in it.
        rows: u64,
        /// Records of the selection that are left out.
        left_out: u64,
    },
    /// It cannot be built.
    Failed,
    /// Somebody begins to fetch the package; said before the first byte goes.
    Begun {
        /// The first byte that is asked for.
        from: u64,
    },
    /// Bytes of the package were sent.
    Sent {
        /// The first.
        from: u64,
        /// One past the last.
        until: u64,
    },
    /// The last byte of the last file was sent: it is consumed.
    Fetched,
}

/// The kind of message that an [`ExportStep`] is.
pub const EXPORT: &str = "export";

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    kind: &'static str,
    payload: String,
    at: Timestamp,
}

impl Message {
    /// What the reading room says of a request.
    #[must_use]
    pub fn of(event: &RoomEvent, at: Timestamp) -> Self {
        Self { kind: event.kind.as_str(), payload: serde_json::to_string(event).unwrap_or_default(), at }
    }

    /// A report of a reader.
    #[must_use]
    pub fn reported(report: &ReaderReport, at: Timestamp) -> Self {
        Self { kind: REPORT, payload: serde_json::to_string(report).unwrap_or_default(), at }
    }

    /// A step of an export.
    #[must_use]
    pub fn export(step: &ExportStep, at: Timestamp) -> Self {
        Self { kind: EXPORT, payload: serde_json::to_string(step).unwrap_or_default(), at }
    }

    /// A step of a request.
    #[must_use]
    pub fn handed_in(step: &HandedIn, at: Timestamp) -> Self {
        Self { kind: REQUEST, payload: serde_json::to_string(step).unwrap_or_default(), at }
    }
}

/// A message as the vault finds it.
#[derive(Debug)]
pub struct Arrived {
    /// Its place in the order.
    pub seq: i64,
    /// What it is.
    pub kind: String,
    /// JSON.
    pub payload: String,
    /// When.
    pub at: Timestamp,
}

/// The inbox as the vault reads it.
#[derive(Debug, Clone)]
pub struct Inbox {
    db: Database,
}

impl Inbox {
    /// An inbox over an opened database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.db
    }

    /// Messages after `seq`, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(&self, seq: i64, most: u32) -> Result<Vec<Arrived>, StoreError> {
        let rows = sqlx::query("SELECT * FROM inbox WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(seq)
            .bind(i64::from(most))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading the inbox"))?;
        rows.iter()
            .map(|row| {
                Ok(Arrived {
                    seq: row.number("seq")?,
                    kind: row.text("kind")?,
                    payload: row.text("payload")?,
                    at: row.time("created_at")?,
                })
            })
            .collect()
    }

    /// Appends messages in one transaction. Serialised, so that numbers become visible in their order.
    ///
    /// # Errors
    /// When the database fails; nothing is then appended.
    pub async fn append(&self, messages: &[Message]) -> Result<(), StoreError> {
        let mut tx = self.db.begin_exclusive().await?;
        let head = "INSERT INTO inbox (kind, payload, created_at) VALUES";
        insert_all(&mut tx, head, 3, "", messages, |query, m| {
            query.bind(m.kind).bind(m.payload.clone()).bind(m.at.micros())
        })
        .await?;
        Effect::InboxAppended.of(tx.commit()).await.map_err(StoreError::database("appending to the inbox"))
    }
}

/// The inbox as the reading room writes it: concurrent requests share a commit.
#[derive(Debug, Clone)]
pub struct InboxWriter {
    queue: mpsc::Sender<(Message, oneshot::Sender<bool>)>,
    airlock: Airlock,
}

const QUEUE: usize = 4_096;
const COMMIT_MOST: usize = 512;

impl InboxWriter {
    /// Starts the one task that commits.
    #[must_use]
    pub fn start(inbox: Inbox) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let airlock = Airlock::new(inbox.database().clone());
        tokio::spawn(commit_loop(inbox, waiting));
        Self { queue, airlock }
    }

    /// Where files that are to be released go up.
    #[must_use]
    pub const fn airlock(&self) -> &Airlock {
        &self.airlock
    }

    /// Returns after the message is durable.
    ///
    /// # Errors
    /// When it could not be made durable: the request must then fail.
    pub async fn append(&self, message: Message) -> Result<(), StoreError> {
        let (done, wait) = oneshot::channel();
        let gone = || StoreError::Busy("the inbox does not take messages".to_owned());
        self.queue.send((message, done)).await.map_err(|_| gone())?;
        match wait.await {
            Ok(true) => Ok(()),
            _ => Err(gone()),
        }
    }
}

async fn commit_loop(inbox: Inbox, mut waiting: mpsc::Receiver<(Message, oneshot::Sender<bool>)>) {
    let mut batch = Vec::with_capacity(COMMIT_MOST);
    while waiting.recv_many(&mut batch, COMMIT_MOST).await > 0 {
        let (messages, callers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let outcome = inbox.append(&messages).await;
        if let Err(error) = &outcome {
            tracing::error!(%error, messages = messages.len(), "inbox commit failed");
        }
        for caller in callers {
            let _ = caller.send(outcome.is_ok());
        }
    }
}
