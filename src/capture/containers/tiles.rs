//! Units made of other units: a container's own bytes, bodies in their place, and derived ones.

use super::CHUNK;
use super::tap::Tap;
use super::within::{Step, Within};
use crate::capture::unit::{Cut, CutKind, Refusal, Unit};
use crate::model::ByteRange;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// A unit of a container's own bytes, under one key or as residue.
pub(super) fn own((offset, bytes): (u64, Zeroizing<Vec<u8>>), kind: CutKind, refused: Vec<Refusal>) -> Unit {
    let whole = ByteRange { start: offset, end: offset + bytes.len() as u64 };
    let cuts = if bytes.is_empty() { Vec::new() } else { vec![Cut { kind, ranges: vec![whole] }] };
    Unit { cuts, refused, ..Unit::bare(offset, bytes) }
}

/// Queues a unit out of a body, behind what of the container came before it: as it stands, when the body starts `in_place` in the
/// stream, else as derived; the container's own bytes are then of a kind.
pub(super) fn give(
    queue: &mut VecDeque<Unit>,
    tap: &Tap<'_>,
    unit: Unit,
    starts: Option<u64>,
    (step, kind): (Step, CutKind),
) {
    let Some(starts) = starts else {
        if tap.kept() > CHUNK {
            queue.push_back(own(tap.taken(u64::MAX), kind, Vec::new()));
        }
        queue.extend(derived(unit, step));
        return;
    };
    let before = tap.taken(starts);
    if !before.1.is_empty() {
        queue.push_back(own(before, CutKind::Residue, Vec::new()));
    }
    queue.push_back(in_place(unit, starts, step, tap));
}

/// Whether anything was read out of a unit.
pub(super) fn tells(unit: &Unit) -> bool {
    !(unit.items.is_empty() && unit.acts.is_empty() && unit.deletions.is_empty() && unit.stubs.is_empty())
}

/// Where a unit ends in its stream; for a derived one, where the container it is of starts.
pub(super) fn reaches(unit: &Unit) -> u64 {
    unit.within.as_ref().map_or_else(|| end(unit), Within::offset)
}

fn end(unit: &Unit) -> u64 {
    let refused = unit.refused.iter().map(|refusal| refusal.range.end).max().unwrap_or_default();
    refused.max(unit.offset + unit.bytes.len() as u64)
}

/// A unit of a body that had to be decoded, with the way to it; none when there is nothing in it, as its bytes are
/// the container's.
pub(super) fn derived(mut unit: Unit, step: Step) -> Option<Unit> {
    if !tells(&unit) && unit.refused.is_empty() {
        return None;
    }
    unit.within = Some(Within::behind(step, unit.within.as_ref()));
    for refusal in &mut unit.refused {
        refusal.place.within = Some(Within::behind(step, refusal.place.within.as_ref()));
    }
    for cut in &mut unit.cuts {
        if cut.kind == CutKind::Encoded {
            cut.kind = CutKind::Residue;
        }
    }
    Some(unit)
}

/// A unit of a body that stands as it is, `by` bytes into the container's stream, with the bytes that went by.
/// What it refused is sealed with its container.
fn in_place(mut unit: Unit, by: u64, step: Step, tap: &Tap<'_>) -> Unit {
    let shift = |range: &mut ByteRange| {
        range.start += by;
        range.end += by;
    };
    if let Some(within) = &mut unit.within {
        *within = within.shifted(by);
        for refusal in &mut unit.refused {
            refusal.place.within = refusal.place.within.as_ref().map(|within| within.shifted(by));
        }
        return unit;
    }
    // Mostly the unit has them already.
    let upto = end(&unit) + by;
    if !tap.passed(upto, unit.bytes.len()) {
        unit.bytes = tap.taken(upto).1;
    }
    unit.offset += by;
    unit.items.iter_mut().for_each(|item| shift(&mut item.range));
    unit.cuts.iter_mut().flat_map(|cut| &mut cut.ranges).for_each(shift);
    let mut left = Vec::new();
    for refusal in &mut unit.refused {
        refusal.place.within = match &refusal.place.within {
            None => Some(Within::behind(step, None)),
            Some(within) => Some(within.shifted(by)),
        };
        shift(&mut refusal.range);
        if !refusal.range.is_empty() {
            left.push(refusal.range);
        }
        refusal.range.end = refusal.range.start;
    }
    keep(&mut unit, left);
    unit
}

/// Gives ranges to the residue.
fn keep(unit: &mut Unit, mut ranges: Vec<ByteRange>) {
    if ranges.is_empty() {
        return;
    }
    if let Some(last) = unit.cuts.pop_if(|cut| cut.kind == CutKind::Residue) {
        ranges.extend(last.ranges);
    }
    ranges.sort_unstable();
    unit.cuts.push(Cut { kind: CutKind::Residue, ranges });
}

/// Says of refusals in which container they stand.
pub(super) fn behind(mut refusal: Refusal, step: Step) -> Refusal {
    refusal.place.within = Some(Within::behind(step, refusal.place.within.as_ref()));
    refusal.range.end = refusal.range.start;
    refusal
}
