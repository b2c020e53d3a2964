//! Which files of an archive come in: those of what comes in.
//!
//! A file may stand before or after the posts and messages that name it, and whether these come in is known only when they are looked
//! at. So an archive that holds files is read once more before the intake, and of each file it is known whether it is attached to
//! something that comes in, to things that a profile refuses, to things that were destroyed, or to nothing that names it.

use super::batch::Work;
use crate::capture::{CaptureError, Item, Unit, Within};
use crate::model::{ByteRange, ItemDigest, ItemKind, Platform, PrivateText, RecordId};
use crate::store::catalogue::NamedFile;
use crate::vault::minimise::Minimised;
use crate::vault::names::{Names, path};
use crate::vault::source::CaptureSource;
use crate::vault::{Archive, VaultError, suppress};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The rule, in reports, by which a file is refused because what it is attached to is.
const RULE: &str = "file-of-refused";

/// Of so many records that name a file it is looked up whether they were destroyed; of more one is taken to be there.
const NAMING_MAX: usize = 64;

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    ComesIn,
    Refused,
    Destroyed,
}

/// The files of one capture.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// How many bytes each has, by the digest of its name.
    sizes: HashMap<ItemDigest, u64>,
    fates: HashMap<ItemDigest, Fate>,
    /// Where containers stand of files that do not come in.
    pub(super) containers: Vec<ByteRange>,
}

/// What names a file.
#[derive(Debug, Default)]
struct Naming {
    /// Names of what a profile does not refuse, each record apart.
    by: Vec<Vec<ItemDigest>>,
    /// Whether anything names it.
    any: bool,
    /// Where the containers start that it stands encoded in.
    places: Vec<u64>,
}

/// What was seen of the files of a capture.
#[derive(Debug, Default)]
struct Seen {
    files: HashMap<ItemDigest, Naming>,
    /// Where containers start.
    starts: BTreeSet<u64>,
    /// Whether a profile refuses anything of it.
    refuses: bool,
}

impl Files {
    /// Reads the capture for what names its files.
    pub(super) async fn look(
        archive: &Archive,
        work: Work,
        source: &Arc<CaptureSource>,
        sizes: HashMap<ItemDigest, u64>,
    ) -> Result<Self, VaultError> {
        if sizes.is_empty() {
            return Ok(Self::default());
        }
        let (source, known) = (Arc::clone(source), sizes.keys().copied().collect::<Vec<_>>());
        let seen = tokio::task::spawn_blocking(move || Seen::of(&work, &source, known)).await??;
        let naming: Vec<ItemDigest> = seen.files.values().flat_map(|of| &of.by).flatten().copied().collect();
        let gone: HashSet<ItemDigest> = suppress::look_up(archive, &naming).await?.into_keys().collect();
        let fates: HashMap<ItemDigest, Fate> =
            seen.files.iter().map(|(name, of)| (*name, of.fate(seen.refuses, &gone))).collect();
        let out = |(name, _): &(&ItemDigest, &Naming)| fates.get(*name) != Some(&Fate::ComesIn);
        let places = seen.files.iter().filter(out).flat_map(|(_, of)| of.places.iter().copied());
        let ends = |start: u64| seen.starts.range(start + 1..).next().copied().unwrap_or(u64::MAX);
        let containers = places.map(|start| ByteRange { start, end: ends(start) }).collect();
        Ok(Self { sizes, fates, containers })
    }

    /// How many bytes a file has that comes in.
    pub(super) fn size(&self, name: ItemDigest) -> Option<u64> {
        (self.fates.get(&name) == Some(&Fate::ComesIn)).then(|| self.sizes.get(&name).copied()).flatten()
    }
}

impl Naming {
    /// What nothing names may be of what is refused, where anything is.
    fn fate(&self, refuses: bool, gone: &HashSet<ItemDigest>) -> Fate {
        let there = |names: &Vec<ItemDigest>| !names.iter().any(|name| gone.contains(name));
        match self {
            Self { any: false, .. } if refuses => Fate::Refused,
            Self { any: false, .. } => Fate::ComesIn,
            Self { by, .. } if by.is_empty() => Fate::Refused,
            Self { by, .. } if by.len() >= NAMING_MAX || by.iter().any(there) => Fate::ComesIn,
            Self { .. } => Fate::Destroyed,
        }
    }
}

impl Seen {
    fn of(work: &Work, source: &CaptureSource, known: Vec<ItemDigest>) -> Result<Self, VaultError> {
        let mut seen = Self {
            files: known.into_iter().map(|name| (name, Naming::default())).collect(),
            ..Self::default()
        };
        let own = source.reader().map_err(CaptureError::Read)?;
        let (reader, limits) = (Arc::clone(&work.rules.reader), work.rules.limits);
        for unit in reader.begin(source, own, Some(work.format), limits)? {
            seen.add(work, unit?)?;
        }
        Ok(seen)
    }

    fn add(&mut self, work: &Work, unit: Unit) -> Result<(), VaultError> {
        let starts = unit.within.as_ref().map(Within::offset);
        self.starts.extend(starts);
        for item in unit.items.iter().filter(|item| item.kind == ItemKind::Attachment) {
            for name in &item.names {
                if let Some(file) = self.files.get_mut(&work.path(name)) {
                    file.places.extend(starts);
                }
            }
        }
        let mut one = [unit];
        let refused = work.kept_out(&mut one)?.refused;
        self.refuses |= !refused.is_empty();
        let names = work.names();
        for (place, item) in one.iter().flat_map(|unit| unit.items.iter().enumerate()) {
            for file in work.files_of(item) {
                let Some(file) = self.files.get_mut(&file) else { continue };
                file.any = true;
                if !refused.contains(&(0, place)) && file.by.len() < NAMING_MAX {
                    file.by.push(names.of(item));
                }
            }
        }
        Ok(())
    }
}

impl Work {
    pub(super) fn names(&self) -> Names<'_> {
        Names::of_channel(&self.archive.digests, &self.channel)
    }

    fn path(&self, name: &PrivateText) -> ItemDigest {
        path(&self.archive.digests, name)
    }

    /// Digests of the names of the files that an item says are attached to it. On the Fediverse a server writes what it likes into a
    /// reaction; only what the organisation's own account says of its own archive is heeded.
    pub(super) fn files_of(&self, item: &Item) -> Vec<ItemDigest> {
        let heeded = item.platform != Platform::Mastodon || self.is_own(item);
        item.attached.iter().filter(|_| heeded).map(|name| self.path(name)).collect()
    }

    /// Adds to what is kept out the files that do not come in.
    pub(super) fn keep_out_files(&self, units: &[Unit], minimised: &mut Minimised) {
        for (number, unit) in units.iter().enumerate() {
            for (place, item) in unit.items.iter().enumerate() {
                let fate = |name: &PrivateText| self.files.fates.get(&self.path(name)).copied();
                let fates = item.names.iter().filter(|_| item.kind == ItemKind::Attachment);
                match fates.filter_map(fate).find(|fate| *fate != Fate::ComesIn) {
                    Some(Fate::Destroyed) => drop(minimised.gone.insert((number, place))),
                    Some(_) if minimised.refused.insert((number, place)) => {
                        *minimised.refusals.entry(RULE.to_owned()).or_default() += 1;
                    }
                    _ => continue,
                }
                minimised.silent.insert(number);
            }
        }
    }

    /// How many bytes the files have that are attached to an item.
    pub(super) fn attached_bytes(&self, item: &Item) -> Vec<u64> {
        self.files_of(item).into_iter().filter_map(|name| self.files.size(name)).collect()
    }

    /// How a file is called in this capture; and the files attached to a record. Also to one that was there: another archive may hold
    /// more of them.
    pub(super) fn named_files(&self, record: RecordId, item: &Item) -> (Vec<NamedFile>, Vec<NamedFile>) {
        let names = self.names();
        let row = |path| NamedFile { record, name: names.in_capture(self.capture, path) };
        if item.kind == ItemKind::Attachment {
            return (item.names.iter().map(|name| row(self.path(name))).collect(), Vec::new());
        }
        let attached = self.files_of(item).into_iter().filter(|name| self.files.size(*name).is_some());
        (Vec::new(), attached.map(row).collect())
    }
}
