//! Exports as researchers see them: asked for, looked at, fetched once they are let go. Files are built here, from projections and
//! from what the vault published for the grant; they go up to be held, and what is let go comes down as one package.

mod build;
mod columns;
mod job;

pub(super) use job::Workshop;

use super::{ReaderClaims, ReadingError, ReadingRoom, Visit};
use crate::access::Action;
use crate::model::{ActorId, ExportId, ExportState, GrantId};
use crate::store::airlock::PIECE_BYTES;
use crate::store::inbox::{ExportAct, ExportStep, Message};
use crate::store::room::ExportOrder;
use bytes::Bytes;
use serde_json::{Value, json};

impl ReadingRoom {
    /// Has files made of what a grant selects. One at a time: the next after that was fetched, stopped or refused.
    ///
    /// # Errors
    /// [`ReadingError`]; a refusal is recorded. [`ReadingError::Input`] while another one is under way.
    pub async fn start_export(
        &self,
        claims: &ReaderClaims,
        grant: Option<GrantId>,
        id: ExportId,
    ) -> Result<(), ReadingError> {
        let visit = self.visit_for_files(claims, grant).await?;
        self.decide(&visit, Action::StartExport, &visit.collection()).await?;
        let grant = visit.grant_id().ok_or(ReadingError::Absent)?;
        let others = self.room.exports_of(grant).await?;
        if let Some(other) = others.iter().find(|other| is_under_way(other.export.state)) {
            let (id, state) = (other.export.id, other.export.state);
            return Err(ReadingError::Input(format!(
                "export `{id}` of this grant is `{state}`: one at a time"
            )));
        }
        self.tell_export(&visit, grant, id, ExportAct::Asked).await
    }

    /// The exports of a grant, those that changed last first.
    ///
    /// # Errors
    /// [`ReadingError`]; a refusal is recorded.
    pub async fn exports(
        &self,
        claims: &ReaderClaims,
        grant: Option<GrantId>,
    ) -> Result<Vec<Value>, ReadingError> {
        let visit = self.visit_for_files(claims, grant).await?;
        self.decide(&visit, Action::FetchExport, &visit.collection()).await?;
        let grant = visit.grant_id().ok_or(ReadingError::Absent)?;
        let found = self.room.exports_of(grant).await?;
        let mut shown = Vec::with_capacity(found.len());
        for order in &found {
            shown.push(self.shown(order).await?);
        }
        Ok(shown)
    }

    /// One export: where it stands, and how far the files are.
    ///
    /// # Errors
    /// [`ReadingError::Absent`] for one that is not there or not of a grant of the reader's; both are recorded.
    pub async fn export(&self, claims: &ReaderClaims, id: ExportId) -> Result<Value, ReadingError> {
        let (_, order) = self.own_export(claims, id).await?;
        self.shown(&order).await
    }

    /// A released package. Nothing of it can be read before it was said that it is fetched: [`Offer::begin`].
    ///
    /// # Errors
    /// [`ReadingError::Absent`] as for [`export`](Self::export); [`ReadingError::Input`] when there is nothing to fetch (yet, or
    /// any more).
    pub async fn offer(&self, claims: &ReaderClaims, id: ExportId) -> Result<Offer, ReadingError> {
        let (visit, order) = self.own_export(claims, id).await?;
        let state = order.export.state;
        let consumed = self.workshop.as_ref().is_some_and(|workshop| workshop.is_consumed(id));
        if state != ExportState::Released || consumed {
            let state = if consumed { ExportState::Fetched } else { state };
            return Err(ReadingError::Input(format!("the export is `{state}`: there is nothing to fetch")));
        }
        if self.room.export_changed(id).await? {
            let why = "something in the export was withdrawn or corrected since: ask for it anew";
            return Err(ReadingError::Input(why.to_owned()));
        }
        let document: Value = serde_json::from_str(&order.export.document).unwrap_or_default();
        let number = |field: &str| document.get(field).and_then(Value::as_u64).ok_or(ReadingError::Absent);
        let (size_bytes, content_bytes) = (number("packageBytes")?, number("contentBytes")?);
        let (grant, actor) = (order.export.grant, visit.known.ok_or(ReadingError::Absent)?);
        Ok(Offer { room: self.clone(), export: id, grant, actor, size_bytes, content_bytes })
    }

    async fn shown(&self, order: &ExportOrder) -> Result<Value, ReadingError> {
        let mut document: Value = serde_json::from_str(&order.export.document).unwrap_or_default();
        if order.export.state == ExportState::Building
            && let Some(workshop) = &self.workshop
        {
            let all = self.room.named_count(order.export.grant).await?.max(1);
            let done = workshop.rows_done(order.export.id).min(all);
            if let Some(fields) = document.as_object_mut() {
                fields.insert("percentBuilt".to_owned(), json!(100 * done / all));
            }
        }
        Ok(document)
    }

    /// An export under a grant of the reader's own, decided on. One that is not there is asked about without a grant.
    async fn own_export(
        &self,
        claims: &ReaderClaims,
        id: ExportId,
    ) -> Result<(Visit, ExportOrder), ReadingError> {
        let known = self.room.export(id).await?;
        let nobodys = GrantId::from_uuid(uuid::Uuid::nil());
        let grant = known.as_ref().map_or(nobodys, |order| order.export.grant);
        let visit = self.visit(claims, Some(grant)).await?;
        self.decide(&visit, Action::FetchExport, &visit.collection()).await?;
        Ok((visit, known.ok_or(ReadingError::Absent)?))
    }

    /// As [`visit`](Self::visit); without a name the grant for files that runs longest is taken.
    async fn visit_for_files(
        &self,
        claims: &ReaderClaims,
        grant: Option<GrantId>,
    ) -> Result<Visit, ReadingError> {
        if grant.is_some() {
            return self.visit(claims, grant).await;
        }
        let known = self.room.visitor(&claims.issuer, &claims.subject, None).await?;
        let holder = known.map(|visitor| visitor.holder);
        let mut grants = holder.iter().flat_map(|holder| &holder.grants);
        let files = grants.rfind(|grant| grant.export && !grant.revoked);
        self.visit(claims, files.map(|grant| grant.id)).await
    }

    async fn tell_export(
        &self,
        visit: &Visit,
        grant: GrantId,
        export: ExportId,
        act: ExportAct,
    ) -> Result<(), ReadingError> {
        let step = ExportStep { export, grant, actor: visit.known, act };
        Ok(self.inbox.append(Message::export(&step, visit.at)).await?)
    }
}

const fn is_under_way(state: ExportState) -> bool {
    use ExportState::{Building, Held, Preparing, Released, Releasing, Waiting};
    matches!(state, Preparing | Building | Held | Waiting | Releasing | Released)
}

/// A package that one reader may fetch.
pub struct Offer {
    room: ReadingRoom,
    export: ExportId,
    grant: GrantId,
    actor: ActorId,
    size_bytes: u64,
    content_bytes: u64,
}

impl Offer {
    /// Which export.
    #[must_use]
    pub const fn export(&self) -> ExportId {
        self.export
    }

    /// How long it is, in bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Says that it is fetched from this byte on: durable before this returns, and before a byte of it can be read.
    ///
    /// # Errors
    /// When it cannot be recorded: nothing may be sent then.
    pub async fn begin(self, from: u64) -> Result<Download, ReadingError> {
        self.tell(ExportAct::Begun { from }).await?;
        Ok(Download { of: self })
    }

    fn step(&self, act: ExportAct) -> ExportStep {
        ExportStep { export: self.export, grant: self.grant, actor: Some(self.actor), act }
    }

    async fn tell(&self, act: ExportAct) -> Result<(), ReadingError> {
        Ok(self.room.inbox.append(Message::export(&self.step(act), (self.room.now)())).await?)
    }
}

/// A package of which it stands that one reader fetches it.
pub struct Download {
    of: Offer,
}

impl Download {
    /// How long the package is, in bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.of.size_bytes
    }

    /// One past the last byte of its last file: when that was sent the package is consumed. Behind it there are zeros only.
    #[must_use]
    pub const fn content_bytes(&self) -> u64 {
        self.of.content_bytes
    }

    /// Bytes from `at` on, as many as stand together; `None` at the end, and when the package is gone or consumed by another.
    ///
    /// # Errors
    /// When the database fails, or a piece is not as it was put down.
    pub async fn piece(&self, at: u64) -> Result<Option<Bytes>, ReadingError> {
        let content = self.content_bytes();
        if at >= content {
            let zeros = usize::try_from(self.size_bytes().saturating_sub(at)).unwrap_or_default();
            return Ok((zeros > 0).then(|| Bytes::from(vec![0; zeros])));
        }
        let gone =
            self.of.room.workshop.as_ref().is_some_and(|workshop| workshop.is_consumed(self.of.export));
        if gone {
            return Ok(None);
        }
        let length = PIECE_BYTES as u64;
        let piece = self.of.room.room.export_chunk(self.of.export, at / length).await?;
        let from = usize::try_from(at % length).unwrap_or_default();
        // What is handed on ends where the content ends: with it the package is consumed.
        let most = usize::try_from((content - at).min(length)).unwrap_or_default();
        let piece = piece.map(Bytes::from).filter(|piece| from < piece.len());
        Ok(piece.map(|piece| piece.slice(from..(from + most).min(piece.len()))))
    }

    /// Says that bytes were sent. With the last byte of the last file the package is consumed: nobody fetches it after that.
    ///
    /// # Errors
    /// When it cannot be recorded. Where that byte was sent it is consumed all the same.
    pub async fn sent(&self, from: u64, until: u64) -> Result<(), ReadingError> {
        if until < self.content_bytes() {
            return self.of.tell(ExportAct::Sent { from, until }).await;
        }
        let Some(workshop) = &self.of.room.workshop else { return self.of.tell(ExportAct::Fetched).await };
        workshop.consume(&self.of.step(ExportAct::Fetched))?;
        match self.of.tell(ExportAct::Fetched).await {
            Ok(()) => Ok(workshop.told(self.of.export)?),
            Err(error) => {
                workshop.not_told(self.of.export);
                Err(error)
            }
        }
    }
}
