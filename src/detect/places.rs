//! Places among many, one bit each: as cheap to make as to pass over where there are none. And lists that are made without asking.

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

/// A list in room that is there before it is needed: to add something takes no branch that depends on whether it is.
#[derive(Default)]
pub(super) struct Noted<T> {
    room: Vec<T>,
    used: usize,
}

impl<T: Copy + Default> Noted<T> {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    /// How many there is room for.
    pub(super) fn room(&self) -> usize {
        self.room.len()
    }

    /// Makes room for so many more.
    #[inline]
    pub(super) fn reserve(&mut self, more: usize) {
        let needed = self.used.saturating_add(more);
        if self.room.len() < needed {
            self.grow(needed.saturating_add(needed / 2));
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, room: usize) {
        self.room.resize(room, T::default());
    }

    /// Adds one, or with a `count` of 0 does not. There must be room for it.
    #[inline]
    pub(super) fn add(&mut self, item: T, count: usize) {
        debug_assert!(self.used < self.room.len(), "room was made");
        if let Some(slot) = self.room.get_mut(self.used) {
            *slot = item;
            self.used = self.used.wrapping_add(count);
        }
    }

    /// Adds one.
    pub(super) fn push(&mut self, item: T) {
        self.reserve(1);
        self.add(item, 1);
    }

    /// Adds what `next` gives until it gives none. There must be room for it.
    #[inline]
    pub(super) fn fill(&mut self, mut next: impl FnMut() -> Option<T>) {
        let mut count = self.used;
        for slot in self.room.iter_mut().skip(self.used) {
            let Some(item) = next() else { break };
            *slot = item;
            count = count.wrapping_add(1);
        }
        self.used = count;
    }

    /// All of it.
    #[inline]
    pub(super) fn all(&self) -> &[T] {
        self.room.get(..self.used).unwrap_or(&[])
    }

    /// The same, to change.
    #[inline]
    pub(super) fn all_mut(&mut self) -> &mut [T] {
        self.room.get_mut(..self.used).unwrap_or(&mut [])
    }
}

impl Noted<usize> {
    /// Adds the places of a block that starts at `base`, a bit each; of most blocks without a branch.
    #[inline]
    pub(super) fn add_bits(&mut self, base: usize, mut set: u64) {
        self.reserve(BLOCK);
        for _ in 0..2 {
            self.add(base.wrapping_add(set.trailing_zeros() as usize), usize::from(set != 0));
            set &= set.wrapping_sub(1);
        }
        for bit in bits(set) {
            self.add(base.wrapping_add(bit), 1);
        }
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
    fn what_is_noted_is_there_in_order_however_much_it_is() {
        for first in [0, 1, 40, 63, 64, 65, 95, 96] {
            for set in [0, 1, 1 << 63, 0b1010, 0b1011 << 20, u64::MAX, u64::MAX << 1] {
                let mut noted = Noted::default();
                (0..first).for_each(|place| noted.push(place));
                noted.add_bits(1000, set);
                noted.add(7, 0);
                noted.push(8);
                let wanted = (0..first).chain(bits(set).map(|bit| 1000 + bit)).chain([8]);
                assert_eq!(noted.all(), wanted.collect::<Vec<_>>(), "{first} and {set:b}");
                noted.clear();
                noted.reserve(3);
                let mut left = 3;
                noted.fill(|| {
                    (left > 0).then(|| {
                        left -= 1;
                        left
                    })
                });
                assert_eq!(noted.all(), [2, 1, 0]);
            }
        }
    }

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
