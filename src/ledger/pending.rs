//! From intent to evidence: a [`Pending`] is to be recorded, a [`Recorded`] has been.

use super::{Entry, EntryId, EntryKind, LedgerError};
use crate::model::{PermitId, RecordId};
use std::collections::BTreeSet;

/// The row the journal gave an entry when it committed: proof of nothing by itself, it only says where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalRow(u64);

impl JournalRow {
    /// A row by its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What may be opened once the entry is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Opening {
    None,
    One(PermitId, RecordId),
    Batch(PermitId, BTreeSet<RecordId>),
}

/// An entry to be recorded. Opens nothing; `store::journal` makes it a [`Recorded`] after commit.
#[derive(Debug)]
#[must_use = "what is not given to the journal is not recorded"]
pub struct Pending {
    entry: Entry,
    leaf: Vec<u8>,
    opening: Opening,
}

impl Pending {
    /// A step that opens no original.
    ///
    /// # Errors
    /// [`LedgerError::EntryTooLong`], [`LedgerError::CountTooLarge`], or [`LedgerError::EntryMismatch`]
    /// for a kind that announces an opening.
    pub fn event(entry: Entry) -> Result<Self, LedgerError> {
        let leaf = entry.checked_leaf()?;
        if matches!(entry.kind(), EntryKind::DisclosureIntended | EntryKind::SystemOpeningIntended) {
            return Err(LedgerError::EntryMismatch { why: "kind" });
        }
        Ok(Self { entry, leaf, opening: Opening::None })
    }

    /// The intent to open one original for a person. The entry must say so: kind
    /// `disclosure-intended`, this permit, this record and no other.
    ///
    /// # Errors
    /// [`LedgerError::EntryMismatch`], [`LedgerError::EntryTooLong`], [`LedgerError::CountTooLarge`].
    pub fn opening(permit: PermitId, record: RecordId, entry: Entry) -> Result<Self, LedgerError> {
        let leaf = announces(&entry, EntryKind::DisclosureIntended, permit, &BTreeSet::from([record]))?;
        Ok(Self { entry, leaf, opening: Opening::One(permit, record) })
    }

    /// The intent to open a batch of originals as a system act. The entry must say so: kind
    /// `system-opening-intended`, this permit, exactly these records.
    ///
    /// # Errors
    /// [`LedgerError::EntryMismatch`] (also for an empty batch), [`LedgerError::EntryTooLong`] above
    /// some 1,400 records, [`LedgerError::CountTooLarge`].
    pub fn system_opening(
        permit: PermitId,
        records: BTreeSet<RecordId>,
        entry: Entry,
    ) -> Result<Self, LedgerError> {
        let leaf = announces(&entry, EntryKind::SystemOpeningIntended, permit, &records)?;
        Ok(Self { entry, leaf, opening: Opening::Batch(permit, records) })
    }

    /// The entry to be recorded.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Its leaf, as it will stand in the tree.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// Evidence that the entry is durable. Called by `store::journal` alone, after its transaction
    /// has committed; a test of the source holds that no other file calls it.
    pub(crate) fn committed(self, row: JournalRow) -> Recorded {
        Recorded { entry: self.entry.id(), row, opening: self.opening }
    }
}

fn announces(
    entry: &Entry,
    kind: EntryKind,
    permit: PermitId,
    records: &BTreeSet<RecordId>,
) -> Result<Vec<u8>, LedgerError> {
    let mismatch = |why| Err(LedgerError::EntryMismatch { why });
    if entry.kind() != kind {
        return mismatch("kind");
    }
    if entry.permit() != Some(permit) {
        return mismatch("permit");
    }
    if records.is_empty() || !entry.records().eq(records.iter().copied()) {
        return mismatch("records");
    }
    entry.checked_leaf()
}

/// Evidence that an entry is durable in the journal. Only the journal makes it; not `Clone`, and
/// an opening consumes it. It has no number in the tree yet: receipts wait for that.
#[derive(Debug)]
#[must_use = "evidence of a recorded opening is consumed by the opening"]
pub struct Recorded {
    entry: EntryId,
    row: JournalRow,
    opening: Opening,
}

impl Recorded {
    /// Which entry.
    #[must_use]
    pub const fn entry(&self) -> EntryId {
        self.entry
    }

    /// Where the journal keeps it.
    #[must_use]
    pub const fn row(&self) -> JournalRow {
        self.row
    }

    /// Whether it records that this permit opens this one record for a person.
    #[must_use]
    pub fn is_opening(&self, permit: PermitId, record: RecordId) -> bool {
        self.opening == Opening::One(permit, record)
    }

    /// Whether it records that this permit opens exactly these records as a system act.
    #[must_use]
    pub fn is_system_opening(&self, permit: PermitId, records: &BTreeSet<RecordId>) -> bool {
        matches!(&self.opening, Opening::Batch(by, batch) if *by == permit && batch == records)
    }
}

/// Evidence for tests of rooms above, without a journal.
#[cfg(test)]
pub(crate) fn recorded_in_test(pending: Pending) -> Recorded {
    pending.committed(JournalRow::new(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Thing;
    use crate::ledger::entry::tests::entry;
    use uuid::Uuid;

    fn permit(n: u128) -> PermitId {
        PermitId::from_uuid(Uuid::from_u128(n))
    }

    fn record(n: u128) -> RecordId {
        RecordId::from_uuid(Uuid::from_u128(n))
    }

    fn opening(kind: EntryKind, by: u128, records: &[u128]) -> Entry {
        entry(1, kind).under(permit(by)).about(records.iter().map(|n| Thing::Record(record(*n))))
    }

    #[test]
    fn an_entry_must_announce_the_opening_it_records() {
        let right = opening(EntryKind::DisclosureIntended, 1, &[5]);
        let recorded = recorded_in_test(Pending::opening(permit(1), record(5), right).unwrap());
        assert!(recorded.is_opening(permit(1), record(5)));
        assert!(!recorded.is_opening(permit(2), record(5)));
        assert!(!recorded.is_opening(permit(1), record(6)));
        assert!(!recorded.is_system_opening(permit(1), &BTreeSet::from([record(5)])));
        for (wrong, why) in [
            (opening(EntryKind::ViewServed, 1, &[5]), "kind"),
            (opening(EntryKind::SystemOpeningIntended, 1, &[5]), "kind"),
            (opening(EntryKind::DisclosureIntended, 2, &[5]), "permit"),
            (opening(EntryKind::DisclosureIntended, 1, &[6]), "records"),
            (opening(EntryKind::DisclosureIntended, 1, &[5, 6]), "records"),
            (opening(EntryKind::DisclosureIntended, 1, &[]), "records"),
        ] {
            let error = Pending::opening(permit(1), record(5), wrong).unwrap_err();
            assert_eq!(error, LedgerError::EntryMismatch { why });
        }
    }

    #[test]
    fn a_batch_names_exactly_its_records() {
        let batch = BTreeSet::from([record(5), record(6)]);
        let right = opening(EntryKind::SystemOpeningIntended, 1, &[6, 5]);
        let pending = Pending::system_opening(permit(1), batch.clone(), right).unwrap();
        let recorded = recorded_in_test(pending);
        assert!(recorded.is_system_opening(permit(1), &batch));
        assert!(!recorded.is_system_opening(permit(2), &batch));
        assert!(!recorded.is_system_opening(permit(1), &BTreeSet::from([record(5)])));
        assert!(!recorded.is_opening(permit(1), record(5)));
        let fewer = opening(EntryKind::SystemOpeningIntended, 1, &[5]);
        assert!(Pending::system_opening(permit(1), batch, fewer).is_err());
        let none = opening(EntryKind::SystemOpeningIntended, 1, &[]);
        assert!(Pending::system_opening(permit(1), BTreeSet::new(), none).is_err());
    }

    #[test]
    fn an_event_opens_nothing() {
        let seen = opening(EntryKind::ViewServed, 1, &[5]);
        let recorded = recorded_in_test(Pending::event(seen).unwrap());
        assert!(!recorded.is_opening(permit(1), record(5)));
        for kind in [EntryKind::DisclosureIntended, EntryKind::SystemOpeningIntended] {
            assert!(Pending::event(opening(kind, 1, &[5])).is_err());
        }
    }
}
