//! What holds for every unit, checked on one that came from elsewhere: whoever takes it in relies on it.

use super::read::Announced;
use crate::capture::{CutKind, Item, Unit};
use crate::model::ByteRange;

/// Whether the unit is sound: it ends where files end, its cuts come in order and part its bytes, its items lie in it,
/// have names, and share only what is there.
pub(super) fn sound(announced: &Announced) -> bool {
    let Announced { unit, extent, kept } = announced;
    let Some(end) = unit.offset.checked_add(*extent) else { return false };
    let whole = ByteRange { start: unit.offset, end };
    let tells = !unit.items.is_empty();
    let passed_over = !kept && (tells || unit.cuts.iter().any(|cut| !cut.ranges.is_empty()));
    !passed_over
        && (unit.format.is_some() || !tells)
        && cuts_in_order(unit)
        && parted(unit, whole)
        && unit.items.iter().enumerate().all(|(n, item)| item_fits(unit, whole, n, item))
        && unit.deletions.iter().all(|deletion| !deletion.names.is_empty())
}

/// One of its own for each item comes first; bytes that encode others are the file's.
fn cuts_in_order(unit: &Unit) -> bool {
    let fits = |(n, kind): (usize, CutKind)| match kind {
        CutKind::Own { item } => item == n,
        CutKind::Encoded => n >= unit.items.len() && unit.within.is_none(),
        CutKind::Shared(_) | CutKind::Residue => n >= unit.items.len(),
    };
    let kinds = unit.cuts.iter().map(|cut| cut.kind);
    unit.cuts.len() >= unit.items.len()
        && kinds.enumerate().all(fits)
        && unit.cuts.iter().skip(unit.items.len()).all(|cut| !matches!(cut.kind, CutKind::Own { .. }))
}

/// Whether cuts and refused bytes cover every byte once.
fn parted(unit: &Unit, whole: ByteRange) -> bool {
    let sorted = |ranges: &[ByteRange]| ranges.is_sorted() && ranges.iter().all(|range| !range.is_empty());
    let refused = unit.refused.iter().map(|refusal| refusal.range).filter(|range| !range.is_empty());
    let mut ranges: Vec<ByteRange> =
        unit.cuts.iter().flat_map(|cut| cut.ranges.iter().copied()).chain(refused).collect();
    ranges.sort_unstable();
    let mut reached = whole.start;
    let tiled = ranges.iter().all(|range| {
        let follows = range.start == reached;
        reached = range.end;
        follows
    });
    tiled && reached == whole.end && unit.cuts.iter().all(|cut| sorted(&cut.ranges))
}

fn item_fits(unit: &Unit, whole: ByteRange, n: usize, item: &Item) -> bool {
    let inside = |outer: ByteRange, inner: ByteRange| outer.start <= inner.start && inner.end <= outer.end;
    let shares = |cut: &usize| matches!(unit.cuts.get(*cut).map(|cut| cut.kind), Some(CutKind::Shared(_)));
    let own = unit.cuts.get(n).is_some_and(|cut| cut.ranges.iter().all(|range| inside(item.range, *range)));
    own && inside(whole, item.range) && !item.names.is_empty() && item.shared.iter().all(shares)
}
