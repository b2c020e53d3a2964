//! The finding aid of a grant, and what its names stand for: citations.

use super::{ReaderClaims, ReadingError, ReadingRoom};
use crate::access::{Action, Resource};
use crate::model::{GrantId, RecordRef, Timestamp};
use crate::redact::{CitationWords, Language, citation_text};
use crate::store::StoreError;
use crate::store::inbox::RoomEventKind;
use serde_json::{Value, json};

impl ReadingRoom {
    /// The finding aid of a grant: how its records came to be there, what is not there, and why.
    ///
    /// # Errors
    /// [`ReadingError::Absent`] also while there is none yet (it is made within a second or so); a refusal is recorded.
    pub async fn finding_aid(
        &self,
        claims: &ReaderClaims,
        grant: Option<GrantId>,
    ) -> Result<Value, ReadingError> {
        let visit = self.visit(claims, grant).await?;
        self.decide(&visit, Action::ReadFindingAid, &visit.collection()).await?;
        let grant = visit.grant_id().ok_or(ReadingError::Absent)?;
        let found = self.room.finding_aid(grant).await?.ok_or(ReadingError::Absent)?;
        self.tell(&visit, RoomEventKind::View, Vec::new(), Vec::new()).await?;
        serde_json::from_str(&found).map_err(|_| StoreError::Corrupt { what: "finding aid" }.into())
    }

    /// What a name of the grant stands for: the version that was cited (`version`, the present one when absent), or a later one
    /// in its place, or nothing any more. Under a grant for files the day is not told: the files tell the time as widely as their
    /// checks made it.
    ///
    /// # Errors
    /// [`ReadingError::Absent`] for a name that the grant never gave, and for one that it does not cover alike.
    pub async fn citation(
        &self,
        claims: &ReaderClaims,
        grant: Option<GrantId>,
        reference: RecordRef,
        version: Option<u64>,
    ) -> Result<Value, ReadingError> {
        let visit = self.visit(claims, grant).await?;
        let cited = match visit.grant_id() {
            Some(grant) => self.room.cited(grant, reference).await?,
            None => None,
        };
        let resource = Resource::Record {
            organisation: visit.organisation(),
            published: false,
            selected_by: cited.as_ref().and(visit.grant_id()),
        };
        self.decide(&visit, Action::CiteRecord, &resource).await?;
        let (Some(cited), Some(grant)) = (cited, visit.grant_id()) else { return Err(ReadingError::Absent) };
        let asked = version.unwrap_or(cited.version);
        if asked == 0 || asked > cited.version {
            return Err(ReadingError::Input(format!(
                "there is no version {asked}: name 1 to {}",
                cited.version
            )));
        }
        self.tell(&visit, RoomEventKind::View, Vec::new(), Vec::new()).await?;
        let state = match (cited.withdrawn, asked == cited.version) {
            (true, _) => "withdrawn",
            (false, true) => "current",
            (false, false) => "replaced",
        };
        let aid = self.room.finding_aid(grant).await?;
        let aid: Value = aid.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let named = |field: &str| aid.get(field).and_then(Value::as_str).map(str::to_owned);
        let organisation = visit.organisation();
        let since =
            cited.changed_at.filter(|_| asked == cited.version && !cited.withdrawn).map(Timestamp::day);
        let for_files = visit.grant.as_ref().is_some_and(|grant| grant.export);
        let day = if for_files { "" } else { cited.day.as_str() };
        let (name, archive) = (named("organisationName"), named("archive"));
        let (record, under, consulted) = (reference.to_string(), grant.to_string(), visit.at.day());
        let words = CitationWords {
            archive: archive.as_deref().unwrap_or("-"),
            organisation: name.as_deref().unwrap_or(organisation.as_str()),
            reference: &record,
            grant: &under,
            day,
            version: asked,
            since: since.as_deref(),
            consulted: &consulted,
        };
        let (nl, en) = (citation_text(&words, Language::Dutch), citation_text(&words, Language::English));
        Ok(json!({
            "id": reference, "grant": grant, "organisation": organisation, "archive": archive, "state": state,
            "day": Some(day).filter(|day| !day.is_empty()), "version": asked, "latestVersion": cited.version,
            "changedAt": cited.changed_at, "consultedOn": consulted,
            "address": format!("/v1/citations/{reference}?version={asked}"), "text": { "nl": nl, "en": en },
        }))
    }
}
