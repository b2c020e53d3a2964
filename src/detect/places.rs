//! Places among many, one bit each: as cheap to make as to pass over where there are none.

use super::blocks::{BLOCK, bits};

/// Places in order, sixty-four of them a row.
#[derive(Default)]
pub(super) struct Places(Vec<u64>);

impl Places {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds the next sixty-four places: those whose bit is set are in, the first of them lowest.
    #[inline]
    pub(super) fn push(&mut self, row: u64) {
        self.0.push(row);
    }

    /// Every place, in order.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let rows = self.0.iter().zip((0_usize..).step_by(BLOCK));
        rows.flat_map(|(row, first)| bits(*row).map(move |bit| first.wrapping_add(bit)))
    }

    /// The places from `from` on up to and with `last`, which lies less than sixty-four further.
    #[inline]
    pub(super) fn within(&self, from: usize, last: usize) -> Near {
        let (row, place) = (last / BLOCK, last % BLOCK);
        let here = self.0.get(row).copied().unwrap_or(0);
        let before = row.checked_sub(1).and_then(|row| self.0.get(row)).copied().unwrap_or(0);
        // The last place comes to stand highest.
        let both = u128::from(here) << BLOCK | u128::from(before);
        let set = (both >> (place + 1)) as u64;
        let end = last.wrapping_add(1);
        let asked = u64::MAX.wrapping_shl(BLOCK.saturating_sub(end.saturating_sub(from)) as u32);
        Near { set: if from < end { set & asked } else { 0 }, end }
    }
}

/// Some of the places that lie near one another.
pub(super) struct Near {
    /// The last of sixty-four places highest.
    set: u64,
    /// The place after that.
    end: usize,
}

impl Iterator for Near {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let lowest = self.set.trailing_zeros();
        self.set &= self.set.wrapping_sub(1);
        (lowest < u64::BITS).then(|| self.end.wrapping_add(lowest as usize).wrapping_sub(BLOCK))
    }
}

impl DoubleEndedIterator for Near {
    #[inline]
    fn next_back(&mut self) -> Option<usize> {
        let above = self.set.leading_zeros();
        self.set &= !(1_u64 << (BLOCK - 1)).wrapping_shr(above);
        (above < u64::BITS).then(|| self.end.wrapping_sub(above as usize).wrapping_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_both_sides() {
        let mut places = Places::default();
        let (first, second) = (1 | 1 << 5 | 1 << 63, 1 << 2 | 1 << 40);
        places.push(first);
        places.push(second);
        let all = [0, 5, 63, 66, 104];
        assert_eq!(places.iter().collect::<Vec<_>>(), all);
        for last in 0..200_usize {
            for reach in [0, 1, 10, 63] {
                let from = last.saturating_sub(reach);
                let wanted: Vec<usize> = all.into_iter().filter(|at| (from..=last).contains(at)).collect();
                assert_eq!(places.within(from, last).collect::<Vec<_>>(), wanted);
                let back: Vec<usize> = places.within(from, last).rev().collect();
                assert_eq!(back, wanted.into_iter().rev().collect::<Vec<_>>());
            }
        }
        assert_eq!(places.within(6, 5).next(), None);
    }
}
