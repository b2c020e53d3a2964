//! Cutting a unit into fragments that do not overlap.

use super::unit::{Cut, CutKind};
use crate::model::ByteRange;
use std::cmp::Reverse;

/// A stretch of the unit that belongs to someone. Claims nest or are disjoint, as values in JSON do; the
/// innermost owns the bytes.
pub(super) struct Claim {
    pub(super) range: ByteRange,
    /// Index into the kinds given to [`cut`]; none for bytes that belong to no fragment (refused).
    pub(super) owner: Option<usize>,
}

/// Gives every byte of `whole` to the innermost claim on it, the rest to a residue at the end (when there is
/// any). Cuts come in the order of `kinds`.
pub(super) fn cut(whole: ByteRange, kinds: Vec<CutKind>, mut claims: Vec<Claim>) -> Vec<Cut> {
    let residue = kinds.len();
    let mut cuts: Vec<Cut> = kinds.into_iter().map(|kind| Cut { kind, ranges: Vec::new() }).collect();
    cuts.push(Cut { kind: CutKind::Residue, ranges: Vec::new() });
    claims.sort_by_key(|claim| (claim.range.start, Reverse(claim.range.end)));

    let mut at = whole.start;
    let mut open = vec![Claim { range: whole, owner: Some(residue) }];
    let mut give = |owner: Option<usize>, at: &mut u64, end: u64| {
        if end > *at
            && let Some(cut) = owner.and_then(|owner| cuts.get_mut(owner))
        {
            cut.ranges.push(ByteRange { start: *at, end });
        }
        *at = end.max(*at);
    };
    for claim in claims {
        while let Some(done) = open.pop_if(|top| top.range.end <= claim.range.start) {
            give(done.owner, &mut at, done.range.end);
        }
        give(open.last().and_then(|top| top.owner), &mut at, claim.range.start);
        open.push(claim);
    }
    while let Some(done) = open.pop() {
        give(done.owner, &mut at, done.range.end);
    }
    cuts.pop_if(|last| last.ranges.is_empty());
    cuts
}

/// The same for a piece that holds one item and nothing else of anyone's.
pub(super) fn around(whole: ByteRange, item: ByteRange) -> Vec<Cut> {
    let own = Cut { kind: CutKind::Own { item: 0 }, ranges: vec![item] };
    let beside = [(whole.start, item.start), (item.end, whole.end)];
    let beside = beside.into_iter().filter(|(start, end)| start < end);
    let ranges: Vec<_> = beside.map(|(start, end)| ByteRange { start, end }).collect();
    let residue = (!ranges.is_empty()).then_some(Cut { kind: CutKind::Residue, ranges });
    [Some(own), residue].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_claim_owns_the_bytes() {
        let range = |start, end| ByteRange { start, end };
        let claim = |start, end, owner| Claim { range: range(start, end), owner };
        let kinds = vec![CutKind::Own { item: 0 }, CutKind::Own { item: 1 }];
        let claims = vec![claim(14, 16, Some(1)), claim(12, 18, Some(0)), claim(18, 19, None)];
        let cuts = cut(range(10, 20), kinds, claims);
        let ranges: Vec<_> = cuts.into_iter().map(|cut| cut.ranges).collect();
        assert_eq!(
            ranges,
            [vec![range(12, 14), range(16, 18)], vec![range(14, 16)], vec![range(10, 12), range(19, 20)]]
        );
    }

    #[test]
    fn one_item_is_cut_like_one_of_many() {
        let whole = ByteRange { start: 3, end: 9 };
        for (start, end) in [(3, 9), (4, 9), (3, 8), (5, 6)] {
            let range = ByteRange { start, end };
            let claims = vec![Claim { range, owner: Some(0) }];
            assert_eq!(around(whole, range), cut(whole, vec![CutKind::Own { item: 0 }], claims));
        }
    }

    #[test]
    fn nothing_left_means_no_residue() {
        let whole = ByteRange { start: 0, end: 4 };
        let cuts = cut(whole, vec![CutKind::Own { item: 0 }], vec![Claim { range: whole, owner: Some(0) }]);
        assert_eq!(cuts, [Cut { kind: CutKind::Own { item: 0 }, ranges: vec![whole] }]);
    }
}
