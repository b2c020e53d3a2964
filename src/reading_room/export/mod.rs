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

    /// A released package, to be sent from some byte on.
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
        let document: Value = serde_json::from_str(&order.export.document).unwrap_or_default();
        let size_bytes = document.get("packageBytes").and_then(Value::as_u64).ok_or(ReadingError::Absent)?;
        let (grant, actor) = (order.export.grant, visit.known);
        Ok(Offer { room: self.clone(), export: id, grant, actor, size_bytes })
    }

    async fn shown(&self, order: &ExportOrder) -> Result<Value, ReadingError> {
        let mut document: Value = serde_json::from_str(&order.export.document).unwrap_or_default();
        if order.export.state == ExportState::Building
            && let Some(workshop) = &self.workshop
        {
            let all = self.room.named_count(order.export.grant).await?.max(1);
            let done = workshop.rows_done(order.export.id).min(all);
            document["percentBuilt"] = json!(100 * done / all);
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
        let grants = known.map(|visitor| visitor.grants).unwrap_or_default();
        let files = grants.into_iter().rfind(|(grant, _)| grant.export && !grant.revoked);
        self.visit(claims, files.map(|(grant, _)| grant.id)).await
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

/// A package that may be sent to one reader.
pub struct Offer {
    room: ReadingRoom,
    export: ExportId,
    grant: GrantId,
    actor: Option<ActorId>,
    size_bytes: u64,
}

impl Offer {
    /// Which export.
    #[must_use]
    pub const fn export(&self) -> ExportId {
        self.export
    }

    /// How long it is.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Bytes from `at` on, as many as stand together; `None` at the end, and when the package is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn piece(&self, at: u64) -> Result<Option<Bytes>, ReadingError> {
        if at >= self.size_bytes {
            return Ok(None);
        }
        let length = PIECE_BYTES as u64;
        let piece = self.room.room.export_chunk(self.export, at / length).await?;
        let from = usize::try_from(at % length).unwrap_or_default();
        Ok(piece.map(Bytes::from).filter(|piece| from < piece.len()).map(|piece| piece.slice(from..)))
    }

    /// Says that bytes were sent. With the last byte the package is consumed: nobody fetches it after that.
    ///
    /// # Errors
    /// When it cannot be recorded. Where the last byte was sent it is consumed all the same.
    pub async fn sent(&self, from: u64, until: u64) -> Result<(), ReadingError> {
        let whole = until >= self.size_bytes;
        if whole && let Some(workshop) = &self.room.workshop {
            workshop.consume(self.export)?;
        }
        let act = if whole { ExportAct::Fetched } else { ExportAct::Sent { from, until } };
        let step = ExportStep { export: self.export, grant: self.grant, actor: self.actor, act };
        Ok(self.room.inbox.append(Message::export(&step, (self.room.now)())).await?)
    }
}
