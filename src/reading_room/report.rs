//! Reports: a reader says that something is wrong with a view. What a reader must know comes back as notices.

use super::{ReaderClaims, ReadingError, ReadingRoom};
use crate::access::{Action, Resource};
use crate::model::{GrantId, RecordRef, ReportId, ReportKind};
use crate::store::inbox::{Message, ReaderReport};
use serde_json::Value;
use uuid::Uuid;

impl ReadingRoom {
    /// Hands up that something is wrong with a view. Whoever may read it may report it.
    ///
    /// # Errors
    /// [`ReadingError::Absent`] for a view that is not there and for one that the grant does not cover alike; a refusal is
    /// recorded.
    pub async fn report(
        &self,
        claims: &ReaderClaims,
        grant: Option<GrantId>,
        reference: RecordRef,
        kind: ReportKind,
        passage: Option<u32>,
    ) -> Result<ReportId, ReadingError> {
        let (visit, found) = self.visit_for(claims, grant, Some(reference)).await?;
        let resource = Resource::Record {
            organisation: visit.organisation(),
            published: false,
            selected_by: found.as_ref().and(visit.grant_id()),
        };
        self.decide(&visit, Action::ReportRecord, &resource).await?;
        let (Some(found), Some(grant), Some(reporter)) = (found, visit.grant_id(), visit.known) else {
            return Err(ReadingError::Absent);
        };
        let report = ReaderReport {
            id: ReportId::from_uuid(Uuid::new_v4()),
            grant,
            projection: found.projection,
            reporter,
            kind,
            passage,
        };
        self.inbox.append(Message::reported(&report, visit.at)).await?;
        Ok(report.id)
    }

    /// What the reader must know of what they read, newest first, also under grants that have ended.
    ///
    /// # Errors
    /// [`ReadingError`]; a refusal is recorded.
    pub async fn notices(&self, claims: &ReaderClaims) -> Result<Vec<Value>, ReadingError> {
        self.may_request(claims, &claims.organisation).await?;
        let found = self.room.notices(&claims.issuer, &claims.subject).await?;
        Ok(found.iter().filter_map(|json| serde_json::from_str(json).ok()).collect())
    }
}
