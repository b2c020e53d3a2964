//! The second person: looks at what the leak gate found, and lets the files go or not.

use super::in_force::{is_settled, obstacle, stop, take_back};
use super::{With, clear, commit, entry};
use crate::access::{Action, Actor, Resource};
use crate::ledger::{Body, EntryKind, Salt};
use crate::model::{ActorId, ExportId, ExportState, OrganisationId, PrivateText, RequestStep};
use crate::redact::copy::Release;
use crate::store::StoreError;
use crate::store::catalogue::ExportJob;
use crate::vault::appointments::mandate_until;
use crate::vault::grants::channels_of;
use crate::vault::requests::is_of_team;
use crate::vault::{Archive, Rules, VaultError, read, release};
use serde_json::{Value, json};
use std::time::Duration;

/// How often it is looked whether what is on its way down has gone there, and the pause between.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// What an approver does with an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letting {
    /// It goes.
    Release,
    /// It does not.
    Refuse,
}

/// The exports of the actor's organisation, those that changed last first.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`].
pub async fn list(archive: &Archive, rules: &Rules, actor: &Actor) -> Result<Vec<ExportJob>, VaultError> {
    let registry = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(archive, rules, actor, Action::ListGrants, &registry).await?;
    Ok(archive.catalogue.exports(Some(&actor.organisation)).await?)
}

/// One export with what the gate found.
///
/// # Errors
/// [`VaultError::Absent`], [`VaultError::Refused`].
pub async fn one(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ExportId,
) -> Result<ExportJob, VaultError> {
    authorise(archive, rules, actor, id, Action::ReadExport).await
}

/// Lets a checked export go, or not, with the reason.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`] for whoever may not; [`VaultError::Input`] when it does not wait for that,
/// a reason is missing, its grant ended, or its files or what is in them are not as they were: it is over then, and can be asked
/// for anew.
pub async fn let_go(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ExportId,
    letting: Letting,
    said: &str,
) -> Result<ExportJob, VaultError> {
    let mut export = authorise(archive, rules, actor, id, Action::ReleaseExport).await?;
    if export.state != ExportState::Waiting {
        return Err(VaultError::Input(format!(
            "the export is `{}`: it waits for nobody's release",
            export.state
        )));
    }
    if said.trim().is_empty() {
        return Err(VaultError::Input("say why: `text` is empty".to_owned()));
    }
    if letting == Letting::Release {
        export = may_leave(archive, export).await?;
    }
    let before = export.state;
    (export.decided_by, export.said) = (Some(actor.id), said.to_owned());
    let (kind, outcome) = match letting {
        Letting::Release => (EntryKind::ExportReleased, "released"),
        Letting::Refuse => (EntryKind::ExportStopped, "refused"),
    };
    let mut entry = entry(archive, kind, &export)?.by(actor.id, actor.role).outcome(outcome.parse()?);
    match letting {
        Letting::Release => {
            let manifest = export.built.get("manifest").and_then(Value::as_str).unwrap_or_default();
            let text = json!({ "export": export.id, "manifest": manifest }).to_string();
            let salt = archive.sources.secret::<32>()?;
            let bound = Release { salt: hex::encode(*salt), text: text.clone() };
            entry = entry.committing(Body::new(PrivateText::new(text)).commitment(&Salt::from_bytes(*salt)));
            export.bound = json!(bound);
            export.state = ExportState::Releasing;
        }
        Letting::Refuse => export.state = ExportState::Refused,
    }
    if !commit(archive, Some(before), export, entry, With::default()).await? {
        return Err(VaultError::Input("the export changed meanwhile; look at it again".to_owned()));
    }
    if letting == Letting::Refuse {
        clear(archive, id).await?;
    }
    archive.journal.wake();
    archive.catalogue.export(id).await?.ok_or(VaultError::Absent { what: "the export" })
}

/// An export whose grant holds, and of which the files and everything in them stand as they were checked. One that does not is taken
/// back.
async fn may_leave(archive: &Archive, export: ExportJob) -> Result<ExportJob, VaultError> {
    let mut looks = 0;
    while !is_settled(archive, &export).await? {
        if looks == LOOKS {
            let why = "what is in it may be changing: try again in a minute";
            return Err(StoreError::Busy(why.to_owned()).into());
        }
        looks += 1;
        tokio::time::sleep(PAUSE).await;
    }
    if let Some(why) = obstacle(archive, &export).await? {
        take_back(archive, export, why).await?;
        return Err(VaultError::Input(why.words().to_owned()));
    }
    if let Some(code) = release::differs(archive, &export).await?.into_iter().next() {
        stop(archive, export, code).await?;
        return Err(VaultError::Input(format!(
            "the files are not those that were checked (`{code}`): nothing of it leaves; the researcher may have it made anew"
        )));
    }
    Ok(export)
}

/// Decides on one export. What is not there is asked about as one of an organisation that owns nothing.
async fn authorise(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: ExportId,
    action: Action,
) -> Result<ExportJob, VaultError> {
    let nobody = ActorId::from_uuid(uuid::Uuid::nil());
    let known = archive.catalogue.export(id).await?;
    let (mut organisation, mut requester, mut decider) = (OrganisationId::nobody(), nobody, None);
    let mut channels = Vec::new();
    if let Some(export) = &known {
        (organisation, requester) = (export.organisation.clone(), export.requester);
        if let Some(request) = export.request {
            let request_row = archive.catalogue.request(request).await?;
            // Who made the request, and its team, asked for the files as much as whoever started the export.
            if action == Action::ReleaseExport
                && let Some(row) = &request_row
                && is_of_team(archive, row, actor.id).await?
            {
                requester = actor.id;
            }
            let steps = archive.catalogue.request_steps(request).await?;
            decider =
                steps.iter().rfind(|step| step.step == RequestStep::Approve).and_then(|step| step.actor);
            let named = request_row.map(|row| row.content.selection.channels).unwrap_or_default();
            let named: Vec<_> = named.into_iter().collect();
            channels = channels_of(archive, &organisation, &named).await.unwrap_or(named);
        }
    }
    let mandate_until = mandate_until(archive, actor.id, &organisation, &channels).await?;
    let resource = Resource::ExportFile { organisation, requester, decider, mandate_until };
    read::authorise(archive, rules, actor, action, &resource).await?;
    known.ok_or(VaultError::Absent { what: "the export" })
}
