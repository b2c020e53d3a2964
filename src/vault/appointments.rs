//! Appointments: an organisation makes someone an approver (a mandate) or takes in a reviewer of an external agency
//! (an assignment), by a document, for some of its channels, until a date. Each step stands in the ledger.

use super::grants::channels_of;
use super::{Archive, VaultError};
use crate::access::Assignment;
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{ActorId, AppointmentId, AppointmentKind, ChannelId, OrganisationId, Timestamp};
use crate::store::catalogue::Appointment;

/// Whom to appoint.
#[derive(Debug, Clone)]
pub struct Appointing {
    /// As what.
    pub kind: AppointmentKind,
    /// By whom.
    pub organisation: OrganisationId,
    /// Issuer of the person's tokens.
    pub issuer: String,
    /// Subject of the person's tokens.
    pub subject: String,
    /// The decision or agreement that it rests on.
    pub document: String,
    /// For which channels; all of the organisation's, also later ones, when empty.
    pub channels: Vec<ChannelId>,
    /// Until when.
    pub until: Timestamp,
}

/// Appoints someone. The ledger knows them by a pseudonym.
///
/// # Errors
/// [`VaultError::Input`] when the organisation is not known, a channel is not its own, no document is named, or it would be
/// over before it began.
pub async fn appoint(archive: &Archive, asked: Appointing) -> Result<Appointment, VaultError> {
    let now = archive.sources.now();
    if asked.until <= now {
        return Err(VaultError::Input(format!("it would end at {}, which is past", asked.until)));
    }
    if asked.document.trim().is_empty() {
        let what = asked.kind.as_str();
        return Err(VaultError::Input(format!("a {what} names the document that it rests on: --document")));
    }
    let known = archive.catalogue.organisations().await?;
    if !known.iter().any(|(id, _)| *id == asked.organisation) {
        return Err(VaultError::Input(format!("organisation `{}` is not known", asked.organisation)));
    }
    channels_of(archive, &asked.organisation, &asked.channels).await?;
    let fresh = ActorId::from_uuid(archive.sources.random_id()?);
    let actor = archive.catalogue.actor(&asked.issuer, &asked.subject, fresh, now).await?;
    let appointment = Appointment {
        id: AppointmentId::from_uuid(archive.sources.random_id()?),
        kind: asked.kind,
        organisation: asked.organisation,
        actor,
        document: asked.document,
        channels: asked.channels,
        made_at: now,
        until: asked.until,
        ended_at: None,
    };
    let pending = Pending::event(entry(archive, EntryKind::AppointmentMade, &appointment)?)?;
    let log = archive.logs.vault_origin();
    let _recorded = archive.catalogue.add_appointment(log, &appointment, pending).await?;
    archive.journal.wake();
    Ok(appointment)
}

/// Ends an appointment at once.
///
/// # Errors
/// [`VaultError::Absent`] when none of that kind and id holds.
pub async fn end(archive: &Archive, kind: AppointmentKind, id: AppointmentId) -> Result<(), VaultError> {
    let absent = || VaultError::Absent { what: "an appointment in force of that id" };
    let known = archive.catalogue.appointments(kind).await?;
    let appointment = known.into_iter().find(|appointment| appointment.id == id).ok_or_else(absent)?;
    let pending = Pending::event(entry(archive, EntryKind::AppointmentEnded, &appointment)?)?;
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    if !archive.catalogue.end_appointment(log, id, pending, now).await? {
        return Err(absent());
    }
    archive.journal.wake();
    Ok(())
}

/// Until when a mandate of this person covers all of these channels of an organisation; `None` when none does or did.
/// No channels means all of them.
///
/// # Errors
/// When the database fails.
pub async fn mandate_until(
    archive: &Archive,
    actor: ActorId,
    organisation: &OrganisationId,
    channels: &[ChannelId],
) -> Result<Option<Timestamp>, VaultError> {
    let mandates = archive.catalogue.appointments_of(actor, AppointmentKind::Mandate).await?;
    let covers = |mandate: &Appointment| {
        let named = mandate.channels.is_empty() || !channels.is_empty();
        mandate.organisation == *organisation
            && named
            && channels.iter().all(|channel| mandate.covers(channel))
    };
    Ok(mandates.iter().rfind(|mandate| covers(mandate)).map(Appointment::holds_until))
}

/// What puts a channel of an organisation in the queue of a reviewer of an external agency: the assignment that runs
/// longest, ended or not; `None` without one.
///
/// # Errors
/// When the database fails.
pub async fn assignment(
    archive: &Archive,
    actor: ActorId,
    organisation: &OrganisationId,
    channel: Option<&ChannelId>,
) -> Result<Option<Assignment>, VaultError> {
    let assignments = archive.catalogue.appointments_of(actor, AppointmentKind::Assignment).await?;
    let covers = |assignment: &&Appointment| {
        assignment.organisation == *organisation && channel.is_some_and(|channel| assignment.covers(channel))
    };
    let longest = assignments.iter().rfind(covers);
    Ok(longest.map(|assignment| Assignment { until: Some(assignment.holds_until()) }))
}

fn entry(archive: &Archive, kind: EntryKind, appointment: &Appointment) -> Result<Entry, VaultError> {
    let about = appointment.channels.iter().cloned().map(Thing::Channel);
    Ok(Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(appointment.organisation.clone())
        .outcome(appointment.kind.as_str().parse()?)
        .about(about.chain([Thing::Appointment(appointment.id)])))
}
