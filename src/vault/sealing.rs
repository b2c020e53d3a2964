//! From the cuts of a batch to one sealed segment, and to how each record is put together from it.

use super::layout::{HEADING, ITEM, Layout, ranges_to_bytes, role_word};
use super::{Sources, VaultError};
use crate::capture::{Cut, CutKind, Unit};
use crate::model::{ByteRange, CaptureId, FragmentId, OrganisationId, SegmentId};
use crate::seal::{
    Aad, ENVELOPE_VERSION, FragmentKey, MasterKeyring, Nonce, PartLayout, Piece, SegmentKey, SegmentWriter,
    seal_fragment,
};
use crate::store::catalogue::{FragmentRow, SegmentRow};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A batch's segment, ready to be written, with the rows that make it readable.
pub struct SealedBatch {
    /// The row of the segment.
    pub segment: SegmentRow,
    /// The segment itself.
    pub bytes: Vec<u8>,
    /// The rows of the key table.
    pub fragments: Vec<FragmentRow>,
    /// For each unit, for each of its items: how the original is put together.
    pub layouts: Vec<Vec<Layout>>,
}

/// What of a batch is not sealed, because it was destroyed before or a minimisation profile keeps it out.
#[derive(Debug, Default)]
pub struct Suppressed {
    /// Items, by unit and place.
    pub items: HashSet<(usize, usize)>,
    /// Where containers that hold such items stand in the file: start, and start of the next.
    pub containers: Vec<ByteRange>,
    /// Units of which only what separates is sealed.
    pub silent: HashSet<usize>,
    /// By unit: what was taken out of its cuts, sorted. Items are whole without it.
    pub holes: HashMap<usize, Vec<ByteRange>>,
}

/// Seals every byte of the units (what was refused or destroyed before excepted) under fresh keys. The bytes between
/// records that belong to none (commas, line ends) become one fragment for the whole batch; what a unit says around
/// its records, such as who passed them on, is a fragment of its own (`around`) that goes with the first of them.
///
/// Of a derived unit the items and their shared parts are sealed: what else it holds is in its container, whose own
/// bytes are in other units. The kind of such a fragment begins with `derived-`; its bytes have no place in the file, so
/// its only range is an empty one where its container starts.
///
/// # Errors
/// When a key cannot be had or used.
pub fn seal_batch(
    units: &[Unit],
    suppressed: &Suppressed,
    organisation: &OrganisationId,
    capture: CaptureId,
    keyring: &dyn MasterKeyring,
    sources: &Sources,
) -> Result<SealedBatch, VaultError> {
    let mut sealer = Sealer::new(organisation, capture, sources)?;
    let mut residue = Residue::default();
    let mut layouts = Vec::with_capacity(units.len());
    for (number, unit) in units.iter().enumerate() {
        let sealed = Wanted::of(number, unit, suppressed);
        let mut places = Places::default();
        for (n, cut) in unit.cuts.iter().enumerate().filter(|(n, cut)| sealed.wants(*n, cut)) {
            if cut.kind == CutKind::Residue {
                continue;
            }
            for ranges in chunks(&cut.ranges) {
                let id = sealer.seal_cut(unit, cut, &ranges, &gather(unit, &ranges))?;
                places.add(n, id, &ranges);
            }
        }
        let around = sealer.around(unit, &sealed, &mut residue)?;
        let holes = suppressed.holes.get(&number).map(Vec::as_slice).unwrap_or_default();
        let mut of_unit = places.layouts(unit, &sealed, holes)?;
        let kept = || of_unit.iter().any(|layout| !layout.parts.is_empty());
        if let Some(heading) = unit.heading.as_ref().filter(|_| kept()) {
            let id = sealer.heading(heading)?;
            for layout in &mut of_unit {
                let pieces = vec![piece(layout, id, 0, heading.len() as u64)];
                layout.parts.push(PartLayout { role: HEADING.to_owned(), pieces });
            }
        }
        of_unit.iter_mut().for_each(|layout| layout.beside.extend(&around));
        layouts.push(of_unit);
    }
    let mut rest = residue.plain.as_slice();
    for ranges in chunks(&residue.ranges).into_iter().filter(|ranges| !ranges.is_empty()) {
        let length: u64 = ranges.iter().map(|range| range.len()).sum();
        let (plain, after) =
            rest.split_at_checked(usize::try_from(length).unwrap_or(usize::MAX)).ok_or(VaultError::Layout)?;
        sealer.seal(RESIDUE, &ranges, plain)?;
        rest = after;
    }
    sealer.finish(keyring, layouts)
}

/// The kind of what belongs to no record of a batch.
pub(super) const RESIDUE: &str = "residue";
/// The kind of what a unit says around its records.
pub(super) const AROUND: &str = "around";
/// The kind of bytes of a container in which items stand encoded.
pub(super) const ENCODED: &str = "encoded";
/// What the kind of a fragment of a derived unit begins with.
pub(super) const DERIVED: &str = "derived-";

/// The most bytes of one fragment. What is larger (an attachment, a container) is sealed in several, each under a key of its
/// own, so that sealing and opening hold a few of them at a time.
pub(super) const CHUNK_BYTES: u64 = 4 << 20;

/// Ranges cut into chunks of [`CHUNK_BYTES`], in order; bytes of nothing are one chunk.
fn chunks(ranges: &[ByteRange]) -> Vec<Vec<ByteRange>> {
    let (mut all, mut chunk, mut left) = (Vec::new(), Vec::new(), CHUNK_BYTES);
    for range in ranges {
        let mut start = range.start;
        while range.end - start > left {
            chunk.push(ByteRange { start, end: start + left });
            all.push(std::mem::take(&mut chunk));
            start += left;
            left = CHUNK_BYTES;
        }
        left -= range.end - start;
        chunk.push(ByteRange { start, end: range.end });
    }
    if !chunk.is_empty() || all.is_empty() {
        all.push(chunk);
    }
    all
}

/// Which cuts of a unit are sealed: all, but for those that only destroyed items need.
struct Wanted {
    /// Items that were not destroyed before.
    items: Vec<bool>,
    /// Cuts that only destroyed items need.
    left_out: BTreeSet<usize>,
    /// Nothing but separators of what belongs to no item.
    silent: bool,
}

impl Wanted {
    fn of(number: usize, unit: &Unit, suppressed: &Suppressed) -> Self {
        let items: Vec<bool> =
            (0..unit.items.len()).map(|place| !suppressed.items.contains(&(number, place))).collect();
        let mut left_out = BTreeSet::new();
        if items.contains(&false) {
            // Bytes that stand inside an item that stays (a quote) are part of that item.
            let kept = unit.items.iter().zip(&items).filter(|(_, kept)| **kept).map(|(item, _)| item);
            let kept: Vec<_> = kept.collect();
            let needed = |n: usize, cut: &Cut| {
                let inside = |range: &ByteRange| {
                    kept.iter().any(|item| item.range.start <= range.start && range.end <= item.range.end)
                };
                kept.iter().any(|item| item.shared.contains(&n)) || cut.ranges.iter().any(inside)
            };
            let cuts = unit.cuts.iter().enumerate();
            left_out.extend(cuts.filter(|(n, cut)| !needed(*n, cut)).map(|(n, _)| n));
        }
        if unit.within.is_none() {
            let destroyed = |range: &ByteRange| {
                suppressed.containers.iter().any(|c| c.start <= range.start && range.start < c.end)
            };
            let cuts = unit.cuts.iter().enumerate().filter(|(_, cut)| cut.kind == CutKind::Encoded);
            left_out.extend(cuts.filter(|(_, cut)| cut.ranges.iter().any(destroyed)).map(|(n, _)| n));
        }
        Self { items, left_out, silent: suppressed.silent.contains(&number) }
    }

    fn wants(&self, n: usize, cut: &Cut) -> bool {
        cut.kind == CutKind::Residue || !self.left_out.contains(&n)
    }

    /// Whether what stands around the items is sealed: not when it stood around a destroyed one.
    fn around(&self) -> bool {
        !self.items.contains(&false)
    }
}

/// Whether bytes only separate: of a unit that says nothing beside its items.
fn separates(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_whitespace() || b"[]{},:;\"".contains(byte))
}

fn gather(unit: &Unit, ranges: &[ByteRange]) -> Zeroizing<Vec<u8>> {
    let length: u64 = ranges.iter().map(|r| r.len()).sum();
    let mut plain = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default()));
    for range in ranges {
        plain.extend_from_slice(bytes_of(unit, *range));
    }
    plain
}

fn bytes_of(unit: &Unit, range: ByteRange) -> &[u8] {
    let start = usize::try_from(range.start.saturating_sub(unit.offset)).unwrap_or(usize::MAX);
    let end = usize::try_from(range.end.saturating_sub(unit.offset)).unwrap_or(usize::MAX);
    unit.bytes.get(start..end).unwrap_or_default()
}

#[derive(Default)]
struct Residue {
    ranges: Vec<ByteRange>,
    plain: Zeroizing<Vec<u8>>,
}

impl Residue {
    fn take(&mut self, unit: &Unit, ranges: &[ByteRange]) {
        for range in ranges {
            self.plain.extend_from_slice(bytes_of(unit, *range));
            match self.ranges.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => self.ranges.push(*range),
            }
        }
    }
}

/// Where in the file each fragment of a unit stood.
#[derive(Default)]
struct Places {
    /// Sorted by place in the file: where, which fragment, at which byte of it.
    stretches: Vec<(ByteRange, FragmentId, u64)>,
    /// By cut: its fragments with their lengths, in order.
    by_cut: Vec<(usize, FragmentId, u64)>,
}

impl Places {
    fn add(&mut self, cut: usize, id: FragmentId, ranges: &[ByteRange]) {
        let mut at = 0;
        for range in ranges {
            self.stretches.push((*range, id, at));
            at += range.len();
        }
        self.by_cut.push((cut, id, at));
    }

    /// How each item is put together; nothing of one that was destroyed before.
    fn layouts(
        mut self,
        unit: &Unit,
        sealed: &Wanted,
        holes: &[ByteRange],
    ) -> Result<Vec<Layout>, VaultError> {
        self.stretches.sort_by_key(|(range, _, _)| range.start);
        let items = unit.items.iter().zip(&sealed.items);
        let layout = |(item, kept): (&crate::capture::Item, &bool)| match kept {
            true => self.layout(item.range, &item.shared, unit, holes),
            false => Ok(Layout::default()),
        };
        items.map(layout).collect()
    }

    fn layout(
        &self,
        item: ByteRange,
        shared: &[usize],
        unit: &Unit,
        holes: &[ByteRange],
    ) -> Result<Layout, VaultError> {
        let past = |at: u64| holes.iter().fold(at, |at, hole| if hole.start == at { hole.end } else { at });
        let mut layout = Layout { format: unit.format, ..Layout::default() };
        let first = self.stretches.partition_point(|(range, _, _)| range.start < item.start);
        let mut pieces = Vec::new();
        let mut reached = item.start;
        for (range, id, at) in self.stretches.iter().skip(first).take_while(|(r, _, _)| r.start < item.end) {
            // An item's bytes are tiled by fragments: a hole that nobody made would be a record that cannot be given back.
            reached = past(reached);
            if range.start != reached || range.end > item.end {
                return Err(VaultError::Layout);
            }
            reached = range.end;
            pieces.push(piece(&mut layout, *id, *at, range.len()));
        }
        if past(reached) != item.end {
            return Err(VaultError::Layout);
        }
        layout.parts.push(PartLayout { role: ITEM.to_owned(), pieces });
        for cut in shared {
            let of_cut = self.by_cut.iter().filter(|(n, _, _)| n == cut);
            let pieces: Vec<Piece> =
                of_cut.map(|(_, id, length)| piece(&mut layout, *id, 0, *length)).collect();
            if pieces.is_empty() {
                return Err(VaultError::Layout);
            }
            let role = match unit.cuts.get(*cut).map(|c| c.kind) {
                Some(CutKind::Shared(role)) => role_word(role),
                _ => return Err(VaultError::Layout),
            };
            layout.parts.push(PartLayout { role: role.to_owned(), pieces });
        }
        Ok(layout)
    }
}

fn piece(layout: &mut Layout, id: FragmentId, start: u64, length: u64) -> Piece {
    let known = layout.fragments.iter().position(|f| *f == id);
    let fragment = known.unwrap_or_else(|| {
        layout.fragments.push(id);
        layout.fragments.len() - 1
    });
    Piece { fragment, range: ByteRange { start, end: start + length } }
}

struct Sealer<'a> {
    organisation: &'a OrganisationId,
    capture: CaptureId,
    sources: &'a Sources,
    segment: SegmentId,
    key: SegmentKey,
    writer: SegmentWriter,
    rows: Vec<FragmentRow>,
    /// The heading sealed last: rows share it.
    heading: Option<(Arc<[u8]>, FragmentId)>,
}

impl<'a> Sealer<'a> {
    fn new(
        organisation: &'a OrganisationId,
        capture: CaptureId,
        sources: &'a Sources,
    ) -> Result<Self, VaultError> {
        let segment = SegmentId::from_uuid(sources.random_id()?);
        let key = SegmentKey::from_bytes(&*sources.secret::<32>()?);
        let writer = SegmentWriter::new(segment);
        Ok(Self { organisation, capture, sources, segment, key, writer, rows: Vec::new(), heading: None })
    }

    /// Seals a cut of a unit, or a chunk of one.
    fn seal_cut(
        &mut self,
        unit: &Unit,
        cut: &Cut,
        ranges: &[ByteRange],
        plain: &[u8],
    ) -> Result<FragmentId, VaultError> {
        let kind = match cut.kind {
            CutKind::Shared(role) => role_word(role),
            CutKind::Encoded => ENCODED,
            CutKind::Own { .. } | CutKind::Residue => "own",
        };
        match &unit.within {
            None => self.seal(kind, ranges, plain),
            Some(within) => {
                let at = ByteRange { start: within.offset(), end: within.offset() };
                self.seal(&format!("{DERIVED}{kind}"), &[at], plain)
            }
        }
    }

    /// Seals what a unit says around its items; what only separates, and what belongs to no item, is residue of the
    /// batch.
    fn around(
        &mut self,
        unit: &Unit,
        sealed: &Wanted,
        residue: &mut Residue,
    ) -> Result<Vec<FragmentId>, VaultError> {
        let mut around = Vec::new();
        if unit.within.is_some() {
            return Ok(around);
        }
        for cut in unit.cuts.iter().filter(|cut| cut.kind == CutKind::Residue) {
            let alone = unit.items.is_empty() && !sealed.silent;
            if alone || separates(&gather(unit, &cut.ranges)) {
                residue.take(unit, &cut.ranges);
            } else if sealed.around() && !sealed.silent {
                for ranges in chunks(&cut.ranges) {
                    around.push(self.seal(AROUND, &ranges, &gather(unit, &ranges))?);
                }
            }
        }
        Ok(around)
    }

    /// Seals a heading beside the rows that stand under it, once a batch. It has no ranges: in the file its bytes
    /// are residue.
    fn heading(&mut self, heading: &Arc<[u8]>) -> Result<FragmentId, VaultError> {
        if let Some((known, id)) = &self.heading
            && known == heading
        {
            return Ok(*id);
        }
        let id = self.seal(HEADING, &[], heading)?;
        self.heading = Some((Arc::clone(heading), id));
        Ok(id)
    }

    fn seal(&mut self, kind: &str, ranges: &[ByteRange], plain: &[u8]) -> Result<FragmentId, VaultError> {
        // One draw: 32 bytes of key, two nonces of 12, 10 bytes of id behind the time, so that the key table grows at its
        // end.
        let drawn = self.sources.secret::<66>()?;
        let (secret, rest) = drawn.split_first_chunk::<32>().ok_or(VaultError::Random)?;
        let (seal_nonce, rest) = rest.split_first_chunk::<12>().ok_or(VaultError::Random)?;
        let (wrap_nonce, id) = rest.split_first_chunk::<12>().ok_or(VaultError::Random)?;
        let id: &[u8; 10] = id.try_into().map_err(|_| VaultError::Random)?;
        let id = FragmentId::from_uuid(
            uuid::Builder::from_unix_timestamp_millis(self.sources.millis(), id).into_uuid(),
        );
        let key = FragmentKey::from_bytes(secret);
        let aad = Aad {
            organisation: self.organisation,
            capture: self.capture,
            fragment: id,
            version: ENVELOPE_VERSION,
        };
        let sealed = seal_fragment(&key, &aad, Nonce::from_bytes(*seal_nonce), plain)?;
        let wrapped =
            self.key.wrap(self.organisation, self.segment, id, &key, Nonce::from_bytes(*wrap_nonce))?;
        let entry = self.writer.add(id, &sealed).map_err(|_| VaultError::Layout)?;
        self.rows.push(FragmentRow {
            id,
            segment: self.segment,
            kind: kind.to_owned(),
            wrapped_key: wrapped.as_bytes().to_vec(),
            place: entry.offset,
            size_bytes: entry.length,
            ranges: ranges_to_bytes(ranges),
        });
        Ok(id)
    }

    fn finish(
        self,
        keyring: &dyn MasterKeyring,
        layouts: Vec<Vec<Layout>>,
    ) -> Result<SealedBatch, VaultError> {
        let nonce = Nonce::from_bytes(*self.sources.secret::<12>()?);
        let wrapped = keyring.wrap_segment_key(self.organisation, self.segment, &self.key, nonce)?;
        let sealed = self.writer.finish();
        let segment = SegmentRow {
            id: self.segment,
            capture: self.capture,
            wrapped_key: wrapped.as_bytes().to_vec(),
            master_key: self.organisation.to_string(),
            epoch: wrapped.epoch(),
            size_bytes: sealed.bytes.len() as u64,
            digest: *sealed.index.root().as_bytes(),
        };
        Ok(SealedBatch { segment, bytes: sealed.bytes, fragments: self.rows, layouts })
    }
}

/// A random id from bytes that were drawn.
pub(super) fn drawn_uuid(bytes: [u8; 16]) -> Uuid {
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(u64, u64)]) -> Vec<ByteRange> {
        pairs.iter().map(|(start, end)| ByteRange { start: *start, end: *end }).collect()
    }

    #[test]
    fn chunks_are_of_one_size_and_leave_nothing_out() {
        const C: u64 = CHUNK_BYTES;
        assert_eq!(chunks(&[]), [[]; 1]);
        for (ranges, expected) in [
            (of(&[(5, 5)]), vec![of(&[(5, 5)])]),
            (of(&[(0, C)]), vec![of(&[(0, C)])]),
            (of(&[(7, C + 8)]), vec![of(&[(7, C + 7)]), of(&[(C + 7, C + 8)])]),
            (of(&[(0, 10), (20, 2 * C)]), vec![of(&[(0, 10), (20, C + 10)]), of(&[(C + 10, 2 * C)])]),
            (of(&[(0, C), (C + 9, C + 10)]), vec![of(&[(0, C), (C + 9, C + 9)]), of(&[(C + 9, C + 10)])]),
        ] {
            let cut = chunks(&ranges);
            let length = |of: &[ByteRange]| of.iter().map(|range| range.len()).sum::<u64>();
            assert_eq!(cut.iter().map(|chunk| length(chunk)).sum::<u64>(), length(&ranges));
            assert!(cut.iter().all(|chunk| length(chunk) <= C));
            assert_eq!(cut, expected);
        }
    }
}
