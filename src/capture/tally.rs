//! Counting what a capture holds: each thing once, however often it stands in the file.

use super::unit::{ActKind, Unit};
use crate::model::{ItemKind, PrivateText, Visibility};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Running counts over the units of one file. Holds digests of names, not names.
#[derive(Default)]
pub struct Tally {
    records: HashSet<u128>,
    pages: HashSet<u128>,
    not_public: HashSet<u128>,
    acts: HashSet<u128>,
    deleted: HashSet<u128>,
}

impl Tally {
    /// Counts a unit.
    pub fn add(&mut self, unit: &Unit) {
        for item in &unit.items {
            let name = digest(0, item.names.first());
            if item.kind == ItemKind::Page {
                self.pages.insert(name);
                continue;
            }
            self.records.insert(name);
            if matches!(item.visibility, Visibility::Followers | Visibility::Direct) {
                self.not_public.insert(name);
            }
        }
        for act in &unit.acts {
            let kind = match act.kind {
                ActKind::Boost => 1,
                ActKind::Like => 2,
                ActKind::Vote => 3,
            };
            self.acts.insert(digest(kind, Some(&act.name)));
        }
        self.not_public.extend(unit.stubs.iter().map(|stub| digest(4, Some(stub))));
        self.deleted.extend(unit.deletions.iter().map(|deletion| digest(0, deletion.names.first())));
    }

    /// Distinct content objects; the versions of one name count once.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.len() as u64
    }

    /// Distinct pages of the web: items that are no records.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Distinct single acts.
    #[must_use]
    pub fn acts(&self) -> u64 {
        self.acts.len() as u64
    }

    /// Distinct items that the file says were taken away.
    #[must_use]
    pub fn deleted(&self) -> u64 {
        self.deleted.len() as u64
    }

    /// Records for followers or addressees only, and conversations without their messages. One whose visibility is not known is not counted here,
    /// though it is not projected either.
    #[must_use]
    pub fn not_public(&self) -> u64 {
        self.not_public.len() as u64
    }
}

fn digest(kind: u8, name: Option<&PrivateText>) -> u128 {
    let mut hasher = DefaultHasher::new();
    (kind, name.map_or("", PrivateText::expose)).hash(&mut hasher);
    let half = u128::from(hasher.finish());
    hasher.write_u8(1);
    half << 64 | u128::from(hasher.finish())
}
