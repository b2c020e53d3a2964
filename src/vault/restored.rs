//! After an older copy was put back: what was covered, withheld or reported since would be shown as it was before.
//!
//! The ledger names the records and not what was said of them: places, reasons and decisions are lost with the database. So each
//! that is here is withheld, and waits in the reviewers' queue until a person has judged it again.

use super::{Archive, VaultError};
use crate::ledger::{Entry, EntryKind, Pending, Thing};
use crate::model::{OrganisationId, Outcome, ProjectionId, RecordId};
use crate::store::catalogue::Withdrawn;
use std::collections::{BTreeMap, BTreeSet};

/// What the entries after a backup say was covered, withheld or reported.
#[derive(Debug, Default)]
pub(super) struct Covered {
    /// Judged by a reviewer, or part of an incident.
    records: BTreeSet<RecordId>,
    /// Whether what was decided on each last was to archive it.
    archived: BTreeMap<RecordId, bool>,
    /// Views that a reader reported.
    reported: BTreeSet<ProjectionId>,
}

/// What came of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Withheld {
    /// Records that are withheld now.
    pub(super) records: u64,
    /// Records that came in after the backup: they are not here, and come back without what was said of them.
    pub(super) lost: u64,
}

/// Records in one entry: a leaf has a longest form.
const RECORDS_AN_ENTRY: usize = 1_000;

impl Covered {
    pub(super) fn heed(&mut self, entry: &Entry) {
        let outcome = entry.outcome_code().map(|code| code.as_str());
        match entry.kind() {
            EntryKind::ReviewDone | EntryKind::RecordsWithdrawn => self.records.extend(entry.records()),
            EntryKind::IncidentOpened if outcome == Some(MISSED) => self.records.extend(entry.records()),
            EntryKind::DecisionChanged => {
                let archived = outcome == Some(Outcome::Archive.as_str());
                self.archived.extend(entry.records().map(|record| (record, archived)));
            }
            EntryKind::ReportReceived => {
                self.reported.extend(entry.things().iter().filter_map(|thing| match thing {
                    Thing::Projection(projection) => Some(*projection),
                    _ => None,
                }));
            }
            _ => {}
        }
    }

    /// Withholds what is here. Destroyed records have no view anyway.
    ///
    /// # Errors
    /// When storage fails.
    pub(super) async fn withhold(self, archive: &Archive) -> Result<Withheld, VaultError> {
        let mut named = self.records;
        named.extend(self.archived.into_iter().filter(|(_, archived)| !archived).map(|(record, _)| record));
        for projection in self.reported {
            let behind = archive.catalogue.behind(projection).await?;
            named.extend(behind.map(|(record, ..)| record));
        }
        let named: Vec<RecordId> = named.into_iter().collect();
        let mut done = Withheld::default();
        for record in &named {
            done.lost += u64::from(archive.catalogue.owner(*record).await?.is_none());
        }
        let mut of: BTreeMap<OrganisationId, Vec<Withdrawn>> = BTreeMap::new();
        for one in archive.catalogue.withdrawable(&named).await? {
            of.entry(one.organisation.clone()).or_default().push(one);
        }
        for (organisation, records) in of {
            for some in records.chunks(RECORDS_AN_ENTRY) {
                withhold(archive, &organisation, some).await?;
                done.records += some.len() as u64;
            }
        }
        Ok(done)
    }
}

/// The outcome of an entry about personal data that was shown.
pub(super) const MISSED: &str = "missed-finding";

async fn withhold(
    archive: &Archive,
    organisation: &OrganisationId,
    records: &[Withdrawn],
) -> Result<(), VaultError> {
    let (sources, log) = (&archive.sources, archive.logs.vault_origin());
    let entry = Entry::new(sources.entry_id()?, EntryKind::RecordsWithdrawn, sources.now())
        .of(organisation.clone())
        .about(records.iter().map(|one| Thing::Record(one.record)))
        .because(["restored-backup".parse()?])
        .counting("records".parse()?, records.len() as u64);
    let pending = Pending::event(entry)?;
    let _recorded = archive.catalogue.withhold_restored(log, records, pending, sources.now()).await?;
    Ok(())
}
