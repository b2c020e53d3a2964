//! Counting what a capture holds: each thing once, however often it stands in the file.

use super::distinct::{Distinct, MakeShelf};
use super::unit::{ActKind, Unit};
use crate::model::{ItemKind, PrivateText, Visibility};
use std::io;

/// Running counts over the units of one file. Holds digests of names, not names.
pub struct Tally {
    records: Distinct,
    pages: Distinct,
    attachments: Distinct,
    not_public: Distinct,
    acts: Distinct,
    deleted: Distinct,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Distinct content objects; the versions of one name count once.
    pub records: u64,
    /// Distinct pages of the web: items that are no records.
    pub pages: u64,
    /// Distinct pictures, films and sounds of an archive: items that are no records.
    pub attachments: u64,
    /// Distinct single acts.
    pub acts: u64,
    /// Distinct items that the file says were taken away.
    pub deleted: u64,
    /// Records for followers or addressees only, and conversations without their messages. One whose visibility is not known is not counted here,
    /// though it is not projected either.
    pub not_public: u64,
}

impl Default for Tally {
    /// In memory, for files that are small.
    fn default() -> Self {
        Self::over(|| Ok(Box::new(Vec::new())))
    }
}

impl Tally {
    /// In the same memory however large the file: what is more goes to shelves.
    #[must_use]
    pub fn over(make: MakeShelf) -> Self {
        let distinct = || Distinct::over(make);
        Self {
            records: distinct(),
            pages: distinct(),
            attachments: distinct(),
            not_public: distinct(),
            acts: distinct(),
            deleted: distinct(),
        }
    }

    /// Counts a unit.
    ///
    /// # Errors
    /// When there are millions of things and a shelf has no room.
    pub fn add(&mut self, unit: &Unit) -> io::Result<()> {
        for item in &unit.items {
            let name = name(item.names.first());
            match item.kind {
                ItemKind::Page => self.pages.add(0, name)?,
                ItemKind::Attachment => self.attachments.add(0, name)?,
                ItemKind::Post | ItemKind::Reaction | ItemKind::Message => self.records.add(0, name)?,
            }
            if !item.kind.is_said() {
                continue;
            }
            if matches!(item.visibility, Visibility::Followers | Visibility::Direct) {
                self.not_public.add(0, name)?;
            }
        }
        for act in &unit.acts {
            let kind = match act.kind {
                ActKind::Boost => 1,
                ActKind::Like => 2,
                ActKind::Vote => 3,
            };
            self.acts.add(kind, name(Some(&act.name)))?;
        }
        for stub in &unit.stubs {
            self.not_public.add(1, name(Some(stub)))?;
        }
        for deletion in &unit.deletions {
            self.deleted.add(0, name(deletion.names.first()))?;
        }
        Ok(())
    }

    /// The counts so far.
    ///
    /// # Errors
    /// When a shelf cannot be read.
    pub fn counts(&mut self) -> io::Result<Counts> {
        Ok(Counts {
            records: self.records.count()?,
            pages: self.pages.count()?,
            attachments: self.attachments.count()?,
            acts: self.acts.count()?,
            deleted: self.deleted.count()?,
            not_public: self.not_public.count()?,
        })
    }
}

fn name(name: Option<&PrivateText>) -> &str {
    name.map_or("", PrivateText::expose)
}
