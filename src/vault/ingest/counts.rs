//! What a batch did, counted: for the report, and for the ledger by codes.

use super::IngestReport;
use crate::model::{ItemKind, Outcome};
use std::collections::BTreeMap;

/// What a batch did.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) new_records: u64,
    pub(super) new_by_kind: BTreeMap<ItemKind, u64>,
    pub(super) edited: u64,
    pub(super) new_versions: u64,
    pub(super) new_pages: u64,
    pub(super) new_attachments: u64,
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) left_out: BTreeMap<String, u64>,
    pub(super) already_there: u64,
    pub(super) suppressed: u64,
    pub(super) not_public: u64,
    pub(super) uncertain: u64,
    pub(super) flagged: u64,
    pub(super) outcomes: BTreeMap<Outcome, u64>,
}

impl Counts {
    /// Codes and counts for the ledger.
    pub(super) fn words(&self) -> Vec<(String, u64)> {
        let plain = [
            ("new-records", self.new_records),
            ("new-versions", self.new_versions),
            ("new-pages", self.new_pages),
            ("new-attachments", self.new_attachments),
            ("already-there", self.already_there),
            ("suppressed", self.suppressed),
            ("not-public", self.not_public),
            ("withheld-uncertain", self.uncertain),
            ("withheld-flagged", self.flagged),
        ];
        let outcomes = self.outcomes.iter().map(|(outcome, n)| (format!("outcome.{outcome}"), *n));
        let total = |of: &BTreeMap<String, u64>| of.values().sum::<u64>();
        let kept_out = [("minimised", total(&self.refused)), ("members-left-out", total(&self.left_out))];
        plain
            .into_iter()
            .chain(kept_out)
            .map(|(what, n)| (what.to_owned(), n))
            .chain(outcomes)
            .filter(|(_, n)| *n > 0)
            .collect()
    }

    pub(super) fn add_to(&self, report: &mut IngestReport) {
        report.new_records += self.new_records;
        report.new_versions += self.new_versions;
        report.edited += self.edited;
        report.new_pages += self.new_pages;
        report.new_attachments += self.new_attachments;
        report.already_there += self.already_there;
        report.suppressed += self.suppressed;
        report.not_public += self.not_public;
        report.uncertain += self.uncertain;
        report.flagged += self.flagged;
        for (rule, n) in &self.refused {
            *report.minimised.entry(rule.clone()).or_default() += n;
        }
        for (name, n) in &self.left_out {
            *report.left_out.entry(name.clone()).or_default() += n;
        }
        for (kind, n) in &self.new_by_kind {
            *report.new_by_kind.entry(*kind).or_default() += n;
        }
        for (outcome, n) in &self.outcomes {
            *report.outcomes.entry(*outcome).or_default() += n;
        }
    }
}
