//! After an older copy was put back: what was recorded since is taken from the second place, and what must not be undone
//! is done again before anything is served.
//!
//! Both logs continue with the entries that were signed after the backup: nothing is signed twice, and they
//! still tell what happened, also of records that are lost with the database. What came in after the backup
//! and was destroyed is refused when it is delivered again, where the second place holds its names. Done
//! again are destructions, erased bodies, revoked grants and requests to open, restrictions, and ends of
//! mandates and assignments; and of tokens, subjects and persons that were revoked, those whom the map of
//! actors knows. What was said of a record since is unknown (the ledger says that it was judged, not how):
//! records that were judged, decided not to be archived, reported by a reader or part of an incident are
//! withheld until they are judged again.

use super::destroy::{ALONG, Destruction, destroy};
use super::destroyed_copy::{self, Copied};
use super::restored::Covered;
use super::verify::plane_of;
use super::{
    Archive, VaultError, appointments, bodies, grants, openings, revoke, second_place, subject_requests,
};
use crate::ledger::{Entry, EntryId, EntryKind, Origin, Pending, Thing};
use crate::model::{
    ActorId, AppointmentId, AppointmentKind, GrantId, IncidentId, OrganisationId, RecordId, RevocationId,
    RevocationKind, RevocationReason, Revoked, SubjectRequestId,
};
use crate::store::exported::{CHECKPOINT, ExportedLog};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What was found after the backup, and what was done again.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// Entries that both logs continue with.
    pub entries: u64,
    /// Records destroyed again.
    pub destroyed: u64,
    /// Records that came in after the backup and were destroyed: they are not here, and are refused when they
    /// are delivered again.
    pub destroyed_refused: u64,
    /// The same where the second place does not hold their names: delivered again they come in, and must be
    /// destroyed again.
    pub destroyed_lost: u64,
    /// Bodies of entries erased again.
    pub bodies_erased: u64,
    /// Grants revoked again.
    pub grants_revoked: u64,
    /// Subjects and persons revoked again.
    pub identities_revoked: u64,
    /// Revocations whose words are lost with the database (tokens, and people who never came here): they must be given again.
    pub revocations_lost: u64,
    /// Requests to open originals revoked again.
    pub openings_revoked: u64,
    /// Records restricted again, or not restricted any more.
    pub restrictions: u64,
    /// Mandates and assignments ended again.
    pub appointments_ended: u64,
    /// Records whose flags must be judged again.
    pub unjudged: u64,
    /// Records that were judged, reported or withheld after the backup: out of sight, and in the queue to be judged again.
    pub withheld: u64,
    /// Records that came in after the backup and were judged, reported or withheld: delivered again, they come back without that.
    pub judgements_lost: u64,
    /// Captures that came in after the backup: they must be delivered again.
    pub captures_lost: u64,
    /// Grants that were approved after the backup: they must be approved again.
    pub grants_lost: u64,
    /// Reports of readers that came after the backup: they are not in the queue, but what they were about is withheld.
    pub reports_lost: u64,
    /// Incidents that were opened after the backup, for each organisation to open its register with again: who has what, whom was told and
    /// until when the supervisory authority must be, stands in the ledger alone.
    pub incidents_lost: u64,
    /// Requests of persons concerned that were registered after the backup: they must be registered again.
    pub subject_requests_lost: u64,
    /// The ruleset that was in force last after the backup, when a service began with one: another finds other things.
    pub ruleset: Option<String>,
}

/// A log of an installation in a folder: in the second place, or where the logs were exported to. `None` when it is in
/// neither and has no entry here.
///
/// # Errors
/// [`VaultError::Input`] when the log is not there.
async fn mirror(
    archive: &Archive,
    folder: &Path,
    origin: &Origin,
) -> Result<Option<ExportedLog>, VaultError> {
    let places = [second_place::mirror_folder(folder, origin), folder.join(plane_of(origin))];
    if let Some(place) = places.into_iter().find(|place| place.join(CHECKPOINT).is_file()) {
        return Ok(Some(ExportedLog::new(place)));
    }
    if archive.journal.head(origin).await?.is_none() {
        return Ok(None);
    }
    Err(VaultError::Input(format!(
        "`{}` does not hold the log {origin}: name the second place, or a folder of `knik ledger export`",
        folder.display()
    )))
}

/// Continues both logs with what a folder holds of them, and does again what must not be undone.
///
/// # Errors
/// When the folder does not hold these logs, or not their continuation. When storage fails. What was done then is of no
/// use: begin with the backup again.
pub async fn replay(archive: &Archive, folder: &Path) -> Result<Replayed, VaultError> {
    let mut since = Since::default();
    let mut done = Replayed::default();
    for key in archive.logs.keys() {
        let Some(mirror) = mirror(archive, folder, key.verifier().origin()).await? else { continue };
        for entry in archive.journal.continue_from(&mirror, key.verifier()).await? {
            done.entries += 1;
            since.heed(&entry);
        }
    }
    done.captures_lost = since.captures;
    done.grants_lost = since.approved.difference(&since.revoked).count() as u64;
    done.reports_lost = since.reports;
    done.ruleset.clone_from(&since.ruleset);
    for incident in &since.incidents {
        done.incidents_lost += u64::from(archive.catalogue.incident(*incident).await?.is_none());
    }
    for request in &since.subject_requests {
        done.subject_requests_lost +=
            u64::from(archive.subject_requests().request(*request).await?.is_none());
    }
    let copied = destroyed_copy::read(archive, folder).await?;
    archive.catalogue.suppress_again(&copied.names).await?;
    since.redo(archive, &copied, &mut done).await?;
    Ok(done)
}

/// What the entries after a backup say that matters now.
#[derive(Debug, Default)]
struct Since {
    destroyed: BTreeMap<OrganisationId, BTreeSet<RecordId>>,
    erased: BTreeSet<EntryId>,
    approved: BTreeSet<GrantId>,
    revoked: BTreeSet<GrantId>,
    ended: BTreeSet<AppointmentId>,
    judged: BTreeSet<RecordId>,
    identities: BTreeMap<RevocationId, Identity>,
    /// Whether each was restricted last, on which request.
    restricted: BTreeMap<(SubjectRequestId, RecordId), bool>,
    captures: u64,
    reports: u64,
    incidents: BTreeSet<IncidentId>,
    subject_requests: BTreeSet<SubjectRequestId>,
    ruleset: Option<String>,
    covered: Covered,
}

/// A revocation as the ledger tells it: without the words of the tokens.
#[derive(Debug)]
struct Identity {
    kind: Option<RevocationKind>,
    reason: Option<RevocationReason>,
    actor: Option<ActorId>,
}

impl Identity {
    fn of(entry: &Entry) -> Self {
        Self {
            kind: entry.outcome_code().and_then(|code| code.as_str().parse().ok()),
            reason: entry.reasons().iter().find_map(|code| code.as_str().parse().ok()),
            actor: entry.things().iter().find_map(|thing| match thing {
                Thing::Actor(actor) => Some(*actor),
                _ => None,
            }),
        }
    }

    /// Revokes again whom the map of actors names; `false` when it names nobody.
    async fn redo(&self, archive: &Archive) -> Result<bool, VaultError> {
        let (Some(kind), Some(actor)) = (self.kind, self.actor) else { return Ok(false) };
        let Some((issuer, value)) = archive.catalogue.person_behind(actor).await? else { return Ok(false) };
        let Ok(revoked) = Revoked::new(kind, &issuer, &value) else { return Ok(false) };
        match revoke::revoke(archive, revoked, self.reason.unwrap_or(RevocationReason::Other)).await {
            // It is in force already: someone revoked it before the backup too.
            Ok(_) | Err(VaultError::Input(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn revocation(entry: &Entry) -> Option<RevocationId> {
    entry.things().iter().find_map(|thing| match thing {
        Thing::Revocation(id) => Some(*id),
        _ => None,
    })
}

impl Since {
    fn heed(&mut self, entry: &Entry) {
        self.covered.heed(entry);
        let grants = || {
            entry.things().iter().filter_map(|thing| match thing {
                Thing::Grant(grant) => Some(*grant),
                _ => None,
            })
        };
        let requests = || {
            entry.things().iter().filter_map(|thing| match thing {
                Thing::SubjectRequest(request) => Some(*request),
                _ => None,
            })
        };
        match entry.kind() {
            // Which files go along is worked out anew.
            EntryKind::RecordsDestroyed
                if entry.outcome_code().is_some_and(|code| code.as_str() == ALONG) => {}
            EntryKind::RecordsDestroyed => {
                if let Some(organisation) = entry.organisation() {
                    self.destroyed.entry(organisation.clone()).or_default().extend(entry.records());
                }
            }
            EntryKind::DataErased => {
                self.erased.extend(entry.things().iter().filter_map(|thing| match thing {
                    Thing::Entry(erased) => Some(*erased),
                    _ => None,
                }))
            }
            EntryKind::GrantApproved => self.approved.extend(grants()),
            EntryKind::GrantRevoked => self.revoked.extend(grants()),
            EntryKind::IdentityRevoked => {
                self.identities.extend(revocation(entry).map(|id| (id, Identity::of(entry))));
            }
            EntryKind::IdentityRestored => {
                if let Some(id) = revocation(entry) {
                    self.identities.remove(&id);
                }
            }
            EntryKind::RestrictionPlaced | EntryKind::RestrictionLifted => {
                let placed = entry.kind() == EntryKind::RestrictionPlaced;
                for request in requests() {
                    self.restricted.extend(entry.records().map(|record| ((request, record), placed)));
                }
            }
            EntryKind::AppointmentEnded => {
                self.ended.extend(entry.things().iter().filter_map(|thing| match thing {
                    Thing::Appointment(ended) => Some(*ended),
                    _ => None,
                }));
            }
            EntryKind::ReviewDone => self.judged.extend(entry.records()),
            EntryKind::CaptureIngested => self.captures += 1,
            EntryKind::ReportReceived => self.reports += 1,
            EntryKind::IncidentOpened => {
                self.incidents.extend(entry.things().iter().filter_map(|thing| match thing {
                    Thing::Incident(incident) => Some(*incident),
                    _ => None,
                }));
            }
            EntryKind::SubjectRequestReceived => self.subject_requests.extend(requests()),
            EntryKind::RulesLoaded => {
                self.ruleset = entry.outcome_code().map(|code| code.as_str().to_owned());
            }
            _ => {}
        }
    }

    async fn redo(self, archive: &Archive, copied: &Copied, done: &mut Replayed) -> Result<(), VaultError> {
        for (organisation, records) in self.destroyed {
            let all: Vec<RecordId> = records.into_iter().collect();
            let here = archive.catalogue.doomed(&organisation, &all).await?;
            let records: BTreeSet<RecordId> = here.iter().map(|one| one.record).collect();
            for record in all.iter().filter(|record| !records.contains(record)) {
                // It was destroyed before the backup too, or came in after it.
                if archive.catalogue.owner(*record).await?.is_none() {
                    match copied.records.contains(record) {
                        true => done.destroyed_refused += 1,
                        false => done.destroyed_lost += 1,
                    }
                }
            }
            if !records.is_empty() {
                let reasons = vec!["restored-backup".parse()?];
                let asked = Destruction { organisation, records, by: None, reasons };
                done.destroyed += destroy(archive, &asked).await?.records;
            }
        }
        for entry in self.erased {
            done.bodies_erased += u64::from(bodies::erase(archive, entry).await?);
        }
        for grant in self.revoked {
            match grants::revoke(archive, grant, None).await {
                Ok(()) => done.grants_revoked += 1,
                Err(VaultError::Absent { .. }) if openings::revoke_again(archive, grant).await? => {
                    done.openings_revoked += 1;
                }
                // It was approved after the backup, or revoked before it.
                Err(VaultError::Absent { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        for identity in self.identities.values() {
            match identity.redo(archive).await? {
                true => done.identities_revoked += 1,
                false => done.revocations_lost += 1,
            }
        }
        for ((request, record), placed) in self.restricted {
            let again = subject_requests::restrict_again(archive, request, record, !placed).await?;
            done.restrictions += u64::from(again);
        }
        for (id, kind) in
            self.ended.into_iter().flat_map(|id| AppointmentKind::ALL.iter().map(move |kind| (id, *kind)))
        {
            match appointments::end(archive, kind, id).await {
                Ok(()) => done.appointments_ended += 1,
                // It is of the other kind, was made after the backup, or ended before it.
                Err(VaultError::Absent { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let judged: Vec<RecordId> = self.judged.into_iter().collect();
        done.unjudged = archive.catalogue.unjudge(&judged, archive.sources.now()).await?;
        let withheld = self.covered.withhold(archive).await?;
        (done.withheld, done.judgements_lost) = (withheld.records, withheld.lost);
        Ok(())
    }
}

/// Records in the ledger that a backup was put back, and what was lost and done again.
///
/// # Errors
/// When storage fails.
pub async fn record(archive: &Archive, done: Option<&Replayed>) -> Result<(), VaultError> {
    let sources = &archive.sources;
    let outcome = if done.is_some() { "continued" } else { "without-later-ledger" };
    let mut entry =
        Entry::new(sources.entry_id()?, EntryKind::BackupRestored, sources.now()).outcome(outcome.parse()?);
    if let Some(done) = done {
        entry = entry
            .counting("entries".parse()?, done.entries)
            .counting("destroyed".parse()?, done.destroyed)
            .counting("destroyed-refused".parse()?, done.destroyed_refused)
            .counting("destroyed-lost".parse()?, done.destroyed_lost)
            .counting("withheld".parse()?, done.withheld)
            .counting("captures-lost".parse()?, done.captures_lost);
    }
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(())
}
