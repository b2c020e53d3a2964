//! Destroying records: their keys go, no byte is edited.
//!
//! What happens, together or not at all:
//! - the key of every fragment goes that only the destroyed records need, in every version and every time it was
//!   delivered; fragments that a surviving record needs too stay;
//! - what a capture says around a record (who passed it on, who liked it) is part of no record, and goes with the first
//!   record that it stands around; so do the encoded bytes of a container, as they hold the record too. What belongs to
//!   no record of a batch goes with the last of them, and what is left of a capture with its last record;
//! - files of an archive that are attached to destroyed records, and to no other that is there, are destroyed with them;
//! - the fragments of a segment that stay get a fresh segment key; the old one is deleted;
//! - the projections are withdrawn, and the names of the records removed: digests of them stay under a key of their own
//!   (see [`suppress`](super::suppress)), so that a second delivery is refused;
//! - the ledger says so, and the next epoch of keys is asked for ([`keys`](super::keys)): when it has begun, no older
//!   copy of the database opens what was destroyed.
//!
//! Whether records *may* be destroyed is for the caller to know: this is the act.

use super::layout::{Layout, ranges_from_bytes};
use super::sealing::{DERIVED, ENCODED, RESIDUE};
use super::suppress;
use super::{Archive, VaultError};
use crate::ledger::{Code, Entry, EntryKind, Pending, Thing};
use crate::model::{
    ActorId, CaptureId, ConversationId, FragmentId, ItemDigest, OrganisationId, RecordId, Role, SegmentId,
};
use crate::seal::{MasterKeyring, Nonce, SegmentKey, WrappedKey, WrappedSegmentKey};
use crate::store::StoreError;
use crate::store::catalogue::{Doomed, FragmentPlace, Removal, SegmentLeft, StoredLayout, Surviving};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What is to be destroyed, and on whose word.
#[derive(Debug)]
pub struct Destruction {
    /// Whose records.
    pub organisation: OrganisationId,
    /// Which.
    pub records: BTreeSet<RecordId>,
    /// Who destroys; nobody on the command line.
    pub by: Option<(ActorId, Role)>,
    /// Why, in codes: an authority, a ground.
    pub reasons: Vec<Code>,
}

/// What was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Destroyed {
    /// Records, those of files that were attached to them and to nothing else included.
    pub records: u64,
    /// How many of these are such files.
    pub attachments: u64,
    /// Fragments whose keys went.
    pub fragments: u64,
    /// Fragments that stay because surviving records hold the same bytes.
    pub shared: u64,
    /// Segments whose other fragments have a fresh key, or none left.
    pub segments: u64,
}

/// Says of an entry that its records are files that went with what they were attached to.
pub(super) const ALONG: &str = "attached";

/// Records or segments in one entry: a leaf has a longest form.
const THINGS_AN_ENTRY: usize = 1_000;

/// Destroys records.
///
/// # Errors
/// [`VaultError::Absent`] unless every one of them is there and the organisation's: nothing is then destroyed. When
/// storage or the keyring fails nothing is destroyed either, unless the commit itself failed: then ask again.
pub async fn destroy(archive: &Archive, asked: &Destruction) -> Result<Destroyed, VaultError> {
    // Nothing comes in that shares fragments, and no epoch ends, meanwhile.
    let _one_at_a_time = archive.intake.lock().await;
    let files = files_going(archive, &asked.records).await?;
    let all: BTreeSet<RecordId> = asked.records.union(&files).copied().collect();
    let records: Vec<RecordId> = all.iter().copied().collect();
    let doomed = archive.catalogue.doomed(&asked.organisation, &records).await?;
    if doomed.len() != records.len() || records.is_empty() {
        return Err(VaultError::Absent { what: "a record that is to be destroyed" });
    }
    let going = Going::of(archive, &all).await?;
    let segments = segments_left(archive, &asked.organisation, &going).await?;
    let done = Destroyed {
        records: doomed.len() as u64,
        attachments: files.len() as u64,
        fragments: going.fragments.len() as u64,
        shared: going.shared,
        segments: segments.len() as u64,
    };
    let names = archive.catalogue.names_of(&doomed).await?;
    // Whether a file that goes along comes in again hangs on what it is attached to then.
    let refused = |(name, thread): &(ItemDigest, ConversationId)| {
        (suppress::digest(&archive.suppression, *name), *thread)
    };
    let said: Vec<Doomed> = doomed.iter().filter(|one| !files.contains(&one.record)).cloned().collect();
    let suppressed = archive.catalogue.names_of(&said).await?.iter().map(refused).collect();
    let removal = Removal {
        organisation: asked.organisation.clone(),
        now: archive.sources.now(),
        fragments: going.fragments.keys().copied().collect(),
        suppressed,
        names: names.into_iter().map(|(name, _)| name).collect(),
        emptied: archive.catalogue.emptied_by(&doomed).await?,
        captures: going.emptied,
        epoch: archive.keyring.in_force(&asked.organisation)?,
        pending: entries(archive, asked, (&said, &files), &segments, &done)?,
        records: doomed,
        segments,
    };
    let _recorded = archive.catalogue.destroy(archive.logs.vault_origin(), removal).await?;
    archive.journal.wake();
    Ok(done)
}

/// Files that go with these records: those attached to them and to nothing else that is there.
async fn files_going(
    archive: &Archive,
    asked: &BTreeSet<RecordId>,
) -> Result<BTreeSet<RecordId>, VaultError> {
    let listed: Vec<RecordId> = asked.iter().copied().collect();
    let attached = archive.catalogue.attached_to(&listed).await?;
    let files: BTreeSet<RecordId> = attached.into_values().flatten().map(|one| one.file).collect();
    let by = archive.catalogue.attached_by(&files).await?;
    let goes = |file: &RecordId| !asked.contains(file) && by.get(file).is_none_or(|of| of.is_subset(asked));
    Ok(files.into_iter().filter(goes).collect())
}

/// What goes.
struct Going {
    /// Fragments, each with its place.
    fragments: BTreeMap<FragmentId, FragmentPlace>,
    /// Fragments of the records that stay.
    shared: u64,
    /// Captures of which no record is left.
    emptied: Vec<CaptureId>,
}

impl Going {
    async fn of(archive: &Archive, records: &BTreeSet<RecordId>) -> Result<Self, VaultError> {
        let listed: Vec<RecordId> = records.iter().copied().collect();
        let deliveries = archive.catalogue.deliveries(&listed).await?;
        let (mut own, mut around) = (BTreeSet::new(), BTreeSet::new());
        for layout in deliveries.iter().map(layout).collect::<Result<Vec<_>, _>>()? {
            own.extend(layout.fragments);
            around.extend(layout.beside);
        }
        let captures: BTreeSet<CaptureId> = deliveries.iter().map(|one| one.capture).collect();
        let (mut needed, mut emptied) = (HashSet::new(), Vec::new());
        for capture in &captures {
            let others = archive.catalogue.delivered_in(*capture).await?;
            let others: Vec<_> = others.iter().filter(|one| !records.contains(&one.record)).collect();
            if others.is_empty() {
                emptied.push(*capture);
            }
            for other in others {
                needed.extend(layout(other)?.fragments);
            }
        }
        let shared = own.iter().filter(|fragment| needed.contains(*fragment)).count() as u64;
        let going: Vec<FragmentId> =
            own.into_iter().filter(|fragment| !needed.contains(fragment)).chain(around).collect();
        let mut going = Self {
            fragments: archive.catalogue.fragments(&going).await?.into_iter().collect(),
            shared,
            emptied,
        };
        for capture in captures {
            going.take_containers(archive, capture).await?;
        }
        going.take_residue(archive).await?;
        going.take_emptied(archive).await?;
        Ok(going)
    }

    /// The encoded bytes of containers in which destroyed records stand, wherever in the capture they were sealed.
    async fn take_containers(&mut self, archive: &Archive, capture: CaptureId) -> Result<(), VaultError> {
        if !self.fragments.values().any(|place| place.kind.starts_with(DERIVED)) {
            return Ok(());
        }
        let all = archive.catalogue.fragments_of_capture(capture).await?;
        let (mut starts, mut of_records) = (BTreeSet::new(), BTreeSet::new());
        for place in all.iter().filter(|place| place.kind.starts_with(DERIVED)) {
            starts.insert(start(place)?);
            if self.fragments.contains_key(&place.id) {
                of_records.insert(start(place)?);
            }
        }
        for place in all.into_iter().filter(|place| place.kind == ENCODED) {
            // A container reaches from its start to that of the next that holds records.
            let container = starts.range(..=start(&place)?).next_back();
            if container.is_some_and(|container| of_records.contains(container)) {
                self.fragments.insert(place.id, place);
            }
        }
        Ok(())
    }

    /// What belongs to no record of a batch, where no record of it is left.
    async fn take_residue(&mut self, archive: &Archive) -> Result<(), VaultError> {
        for segment in self.segments() {
            let of_segment = archive.catalogue.fragments_of_segment(segment).await?;
            let left: Vec<_> =
                of_segment.into_iter().filter(|place| !self.fragments.contains_key(&place.id)).collect();
            if left.iter().all(|place| place.kind == RESIDUE) {
                self.fragments.extend(left.into_iter().map(|place| (place.id, place)));
            }
        }
        Ok(())
    }

    /// What is left of captures of which no record is left: segments of which no record was ever part.
    async fn take_emptied(&mut self, archive: &Archive) -> Result<(), VaultError> {
        for capture in &self.emptied {
            let left = archive.catalogue.fragments_of_capture(*capture).await?;
            self.fragments.extend(left.into_iter().map(|place| (place.id, place)));
        }
        Ok(())
    }

    fn segments(&self) -> BTreeSet<SegmentId> {
        self.fragments.values().map(|place| place.segment).collect()
    }
}

fn layout(stored: &StoredLayout) -> Result<Layout, StoreError> {
    Layout::from_bytes(&stored.parts).ok_or(StoreError::Corrupt { what: "layout of an original" })
}

/// Where in the file a fragment begins.
fn start(place: &FragmentPlace) -> Result<u64, StoreError> {
    let corrupt = StoreError::Corrupt { what: "ranges of a fragment" };
    ranges_from_bytes(&place.ranges).and_then(|ranges| ranges.first().map(|range| range.start)).ok_or(corrupt)
}

/// Wraps the keys of the fragments that stay under fresh segment keys.
async fn segments_left(
    archive: &Archive,
    organisation: &OrganisationId,
    going: &Going,
) -> Result<Vec<SegmentLeft>, VaultError> {
    let mut left = Vec::new();
    for id in going.segments() {
        let segment = archive.catalogue.segment(id).await?.ok_or(VaultError::Absent { what: "a segment" })?;
        let fragments = archive.catalogue.fragments_of_segment(id).await?;
        let staying: Vec<_> =
            fragments.into_iter().filter(|place| !going.fragments.contains_key(&place.id)).collect();
        if staying.is_empty() {
            left.push(SegmentLeft { segment: id, wrapped: None, surviving: Vec::new() });
            continue;
        }
        let nonce = || Ok::<_, VaultError>(Nonce::from_bytes(*archive.sources.secret::<12>()?));
        let wrapped = WrappedSegmentKey::from_bytes(&segment.wrapped_key)?;
        let old = archive.keyring.unwrap_segment_key(organisation, id, &wrapped)?;
        let fresh = SegmentKey::from_bytes(&*archive.sources.secret::<32>()?);
        let mut surviving = Vec::with_capacity(staying.len());
        for place in staying {
            let wrapped = WrappedKey::from_bytes(&place.wrapped_key)?;
            let wrapped = old.rewrap(organisation, id, place.id, &wrapped, &fresh, nonce()?)?;
            surviving.push(Surviving { fragment: place.id, wrapped });
        }
        let wrapped = archive.keyring.wrap_segment_key(organisation, id, &fresh, nonce()?)?;
        left.push(SegmentLeft { segment: id, wrapped: Some(wrapped), surviving });
    }
    Ok(left)
}

/// What the ledger says: which records, and how many keys in which segments.
fn entries(
    archive: &Archive,
    asked: &Destruction,
    (said, files): (&[Doomed], &BTreeSet<RecordId>),
    segments: &[SegmentLeft],
    done: &Destroyed,
) -> Result<Vec<Pending>, VaultError> {
    let entry = |kind, things: Vec<Thing>| {
        let mut entry = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
            .of(asked.organisation.clone())
            .because(asked.reasons.iter().cloned())
            .about(things);
        if let Some((actor, role)) = asked.by {
            entry = entry.by(actor, role);
        }
        Ok::<Entry, VaultError>(entry)
    };
    let mut pending = Vec::new();
    for some in said.chunks(THINGS_AN_ENTRY) {
        let things = some.iter().map(|one| Thing::Record(one.record)).collect();
        let entry =
            entry(EntryKind::RecordsDestroyed, things)?.counting("records".parse()?, some.len() as u64);
        pending.push(Pending::event(entry)?);
    }
    for some in files.iter().copied().collect::<Vec<_>>().chunks(THINGS_AN_ENTRY) {
        let things = some.iter().copied().map(Thing::Record).collect();
        let entry = entry(EntryKind::RecordsDestroyed, things)?.outcome(ALONG.parse()?);
        pending.push(Pending::event(entry.counting("records".parse()?, some.len() as u64))?);
    }
    for (n, some) in segments.chunks(THINGS_AN_ENTRY).enumerate() {
        let things = some.iter().map(|left| Thing::Segment(left.segment)).collect();
        let mut entry = entry(EntryKind::KeyDestroyed, things)?.outcome("fragment-keys".parse()?);
        if n == 0 {
            entry =
                entry.counting("fragments".parse()?, done.fragments).counting("shared".parse()?, done.shared);
        }
        pending.push(Pending::event(entry)?);
    }
    Ok(pending)
}
