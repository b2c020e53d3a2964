//! Which files of an archive come in: those of what comes in.
//!
//! A file may stand before or after the posts and messages that name it, and whether these come in is known only when they are looked
//! at. So an archive that holds files is read once more before the intake, and of each file it is known whether it is attached to
//! something that comes in, to things that a profile refuses, to things that were destroyed, or to nothing that names it. What nothing
//! names is no original of its own: it stays with the bytes of the archive that belong to no record.

use super::batch::Work;
use crate::capture::{CaptureError, CutKind, Item, Unit, Within};
use crate::model::{ByteRange, ItemDigest, ItemKind, Platform, PrivateText, RecordId};
use crate::store::catalogue::NamedFile;
use crate::vault::minimise::Minimised;
use crate::vault::names::{Names, path};
use crate::vault::source::CaptureSource;
use crate::vault::{Archive, VaultError, suppress};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The rule, in reports, by which a file is refused because what it is attached to is.
pub(super) const RULE: &str = "file-of-refused";

/// Of so many records that name a file it is looked up whether they were destroyed; of more one is taken to be there.
const NAMING_MAX: usize = 64;

/// So many in the whole capture.
const NAMING_ALL_MAX: usize = 1 << 20;

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    ComesIn,
    Refused,
    Destroyed,
    Unnamed,
}

/// The files of one capture.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// How many bytes each has, by the digest of its name.
    sizes: HashMap<ItemDigest, u64>,
    fates: HashMap<ItemDigest, Fate>,
    /// Where containers stand of files that are not sealed.
    pub(super) containers: Vec<ByteRange>,
    /// Where containers stand in which nothing but unnamed files is encoded.
    residue: Vec<ByteRange>,
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
    /// Those of them that hold something else than files.
    others: BTreeSet<u64>,
    /// How many records were noted to name something.
    noted: usize,
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
            seen.files.iter().map(|(name, of)| (*name, of.fate(&gone))).collect();
        let places = |which: &[Fate]| -> BTreeSet<u64> {
            let such = seen
                .files
                .iter()
                .filter(|(name, _)| fates.get(*name).is_some_and(|fate| which.contains(fate)));
            such.flat_map(|(_, of)| of.places.iter().copied()).collect()
        };
        let end = |start: u64| seen.starts.range(start + 1..).next().copied().unwrap_or(u64::MAX);
        let range = |start: u64| ByteRange { start, end: end(start) };
        let named = places(&[Fate::ComesIn, Fate::Refused, Fate::Destroyed]);
        let alone = |start: &u64| !named.contains(start) && !seen.others.contains(start);
        let residue = places(&[Fate::Unnamed]).into_iter().filter(alone).map(range).collect();
        let containers = places(&[Fate::Refused, Fate::Destroyed]).into_iter().map(range).collect();
        Ok(Self { sizes, fates, containers, residue })
    }

    /// How many bytes a file has that comes in.
    pub(super) fn size(&self, name: ItemDigest) -> Option<u64> {
        (self.fates.get(&name) == Some(&Fate::ComesIn)).then(|| self.sizes.get(&name).copied()).flatten()
    }
}

impl Naming {
    fn fate(&self, gone: &HashSet<ItemDigest>) -> Fate {
        let there = |names: &Vec<ItemDigest>| !names.iter().any(|name| gone.contains(name));
        match self {
            Self { any: false, .. } => Fate::Unnamed,
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
        let only_files =
            !unit.items.is_empty() && unit.items.iter().all(|item| item.kind == ItemKind::Attachment);
        self.others.extend(starts.filter(|_| !only_files));
        for item in unit.items.iter().filter(|item| item.kind == ItemKind::Attachment) {
            for name in &item.names {
                if let Some(file) = self.files.get_mut(&work.path(name)) {
                    file.places.extend(starts);
                }
            }
        }
        let mut one = [unit];
        if one.iter().flat_map(|unit| &unit.items).all(|item| item.attached.is_empty()) {
            return Ok(());
        }
        let refused = work.kept_out(&mut one)?.refused;
        let names = work.names();
        for (place, item) in one.iter().flat_map(|unit| unit.items.iter().enumerate()) {
            for file in work.files_of(item) {
                let Some(file) = self.files.get_mut(&file) else { continue };
                file.any = true;
                if !refused.contains(&(0, place)) && file.by.len() < NAMING_MAX {
                    // Of more than can be held one is taken to be there.
                    self.noted += 1;
                    file.by.push(if self.noted < NAMING_ALL_MAX { names.of(item) } else { Vec::new() });
                }
            }
        }
        Ok(())
    }
}

/// Makes of a unit of one file what it would be if nobody had looked at it.
fn leave(unit: &mut Unit) {
    unit.items.clear();
    if unit.within.is_some() {
        unit.cuts.clear();
    }
    unit.cuts.iter_mut().for_each(|cut| cut.kind = CutKind::Residue);
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

    /// Adds to what is kept out the files that do not come in; leaves those that nothing names to the archive's own bytes.
    pub(super) fn keep_out_files(&self, units: &mut [Unit], minimised: &mut Minimised) {
        for (number, unit) in units.iter_mut().enumerate() {
            let fate = |item: &Item| {
                let mut names = item.names.iter().filter(|_| item.kind == ItemKind::Attachment);
                names.find_map(|name| self.files.fates.get(&self.path(name)).copied())
            };
            let fates: Vec<Option<Fate>> = unit.items.iter().map(fate).collect();
            for (place, fate) in fates.into_iter().enumerate() {
                match fate {
                    Some(Fate::Destroyed) => drop(minimised.gone.insert((number, place))),
                    Some(Fate::Refused) if minimised.refused.insert((number, place)) => {
                        *minimised.refusals.entry(RULE.to_owned()).or_default() += 1;
                    }
                    Some(Fate::Unnamed) => leave(unit),
                    _ => continue,
                }
                if fate != Some(Fate::Unnamed) {
                    minimised.silent.insert(number);
                }
            }
            if unit.within.is_none() {
                self.leave_encoded(unit);
            }
        }
    }

    /// Bytes in which nothing but unnamed files is encoded belong to no record.
    fn leave_encoded(&self, unit: &mut Unit) {
        let holds = |range: &ByteRange| {
            self.files.residue.iter().any(|of| of.start <= range.start && range.start < of.end)
        };
        for cut in unit.cuts.iter_mut().filter(|cut| cut.kind == CutKind::Encoded) {
            if cut.ranges.iter().any(holds) {
                cut.kind = CutKind::Residue;
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
