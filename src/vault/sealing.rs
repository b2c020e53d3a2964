//! From the cuts of a batch to one sealed segment, and to how each record is put together from it.

use super::layout::{HEADING, ITEM, Layout, ranges_to_bytes, role_word};
use super::{Sources, VaultError};
use crate::capture::{CutKind, Unit};
use crate::model::{ByteRange, CaptureId, FragmentId, OrganisationId, SegmentId};
use crate::seal::{
    Aad, ENVELOPE_VERSION, FragmentKey, MasterKeyring, Nonce, PartLayout, Piece, SegmentKey, SegmentWriter,
    seal_fragment,
};
use crate::store::catalogue::{FragmentRow, SegmentRow};
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

/// Seals every byte of the units (what was refused excepted) under fresh keys. The bytes between records that
/// belong to none (commas, line ends) become one fragment for the whole batch.
///
/// Of a derived unit the items and their shared parts are sealed: what else it holds is in its container, whose own
/// bytes are in other units. The kind of such a fragment begins with `derived-`; its bytes have no place in the file, so
/// its only range is an empty one where its container starts.
///
/// # Errors
/// When a key cannot be had or used.
pub fn seal_batch(
    units: &[Unit],
    organisation: &OrganisationId,
    capture: CaptureId,
    keyring: &dyn MasterKeyring,
    sources: &Sources,
) -> Result<SealedBatch, VaultError> {
    let mut sealer = Sealer::new(organisation, capture, sources)?;
    let mut residue = Residue::default();
    let mut layouts = Vec::with_capacity(units.len());
    for unit in units {
        let mut places = Places::default();
        for (n, cut) in unit.cuts.iter().enumerate() {
            if cut.kind == CutKind::Residue {
                if unit.within.is_none() {
                    residue.take(unit, &cut.ranges);
                }
                continue;
            }
            let plain = gather(unit, &cut.ranges);
            let kind = match cut.kind {
                CutKind::Shared(role) => role_word(role),
                CutKind::Encoded => "encoded",
                CutKind::Own { .. } | CutKind::Residue => "own",
            };
            let id = match &unit.within {
                None => sealer.seal(kind, &cut.ranges, &plain)?,
                Some(within) => {
                    let at = ByteRange { start: within.offset(), end: within.offset() };
                    sealer.seal(&format!("derived-{kind}"), &[at], &plain)?
                }
            };
            places.add(n, id, &cut.ranges);
        }
        let mut of_unit = places.layouts(unit)?;
        if let Some(heading) = unit.heading.as_ref().filter(|_| !of_unit.is_empty()) {
            let id = sealer.heading(heading)?;
            for layout in &mut of_unit {
                let pieces = vec![piece(layout, id, 0, heading.len() as u64)];
                layout.parts.push(PartLayout { role: HEADING.to_owned(), pieces });
            }
        }
        layouts.push(of_unit);
    }
    if !residue.ranges.is_empty() {
        sealer.seal("residue", &residue.ranges, &residue.plain)?;
    }
    sealer.finish(keyring, layouts)
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
    /// By cut: the fragment and its length.
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

    fn layouts(mut self, unit: &Unit) -> Result<Vec<Layout>, VaultError> {
        self.stretches.sort_by_key(|(range, _, _)| range.start);
        unit.items.iter().map(|item| self.layout(item.range, &item.shared, unit)).collect()
    }

    fn layout(&self, item: ByteRange, shared: &[usize], unit: &Unit) -> Result<Layout, VaultError> {
        let mut layout = Layout { format: unit.format, ..Layout::default() };
        let first = self.stretches.partition_point(|(range, _, _)| range.start < item.start);
        let mut pieces = Vec::new();
        let mut reached = item.start;
        for (range, id, at) in self.stretches.iter().skip(first).take_while(|(r, _, _)| r.start < item.end) {
            // An item's bytes are tiled by fragments: a hole would be a record that cannot be given back.
            if range.start != reached || range.end > item.end {
                return Err(VaultError::Layout);
            }
            reached = range.end;
            pieces.push(piece(&mut layout, *id, *at, range.len()));
        }
        if reached != item.end {
            return Err(VaultError::Layout);
        }
        layout.parts.push(PartLayout { role: ITEM.to_owned(), pieces });
        for cut in shared {
            let Some((_, id, length)) = self.by_cut.iter().find(|(n, _, _)| n == cut) else {
                return Err(VaultError::Layout);
            };
            let role = match unit.cuts.get(*cut).map(|c| c.kind) {
                Some(CutKind::Shared(role)) => role_word(role),
                _ => return Err(VaultError::Layout),
            };
            let pieces = vec![piece(&mut layout, *id, 0, *length)];
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
        // One draw: 32 bytes of key, two nonces of 12, 16 bytes of id.
        let drawn = self.sources.secret::<72>()?;
        let (secret, rest) = drawn.split_first_chunk::<32>().ok_or(VaultError::Random)?;
        let (seal_nonce, rest) = rest.split_first_chunk::<12>().ok_or(VaultError::Random)?;
        let (wrap_nonce, id) = rest.split_first_chunk::<12>().ok_or(VaultError::Random)?;
        let id: [u8; 16] = id.try_into().map_err(|_| VaultError::Random)?;
        let id = FragmentId::from_uuid(uuid::Builder::from_random_bytes(id).into_uuid());
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
