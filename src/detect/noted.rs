//! Lists that are made without asking whether there is something to add.

use super::blocks::{BLOCK, bits};

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
}
