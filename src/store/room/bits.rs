//! A set of numbers within one block of 4,096, and its stored form.

use crate::store::steps;

/// Numbers in a block.
pub(super) const BLOCK: i64 = 4_096;

/// As many as a set has at most that is put behind another without reading that: no place takes more than two bytes.
const BEHIND_MAX: usize = 31;

/// A stored set that is shorter than this can have a short one put behind it: both together are steps then.
pub(super) const BEFORE_MAX: usize = BYTES - 2 * BEHIND_MAX;
const WORDS: usize = 64;
const BYTES: usize = WORDS * 8;

/// Some of a block's numbers, as places from 0 to 4,095. They stand apart: sets are sorted and moved by the thousand.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bits(Box<[u64; WORDS]>);

impl Bits {
    /// None of them.
    pub(super) fn none() -> Self {
        Self(Box::new([0; WORDS]))
    }

    pub(super) fn insert(&mut self, place: u16) {
        if let Some(word) = self.0.get_mut(usize::from(place >> 6)) {
            *word |= 1 << (place & 63);
        }
    }

    pub(super) fn holds(&self, place: u16) -> bool {
        self.0.get(usize::from(place >> 6)).is_some_and(|word| word >> (place & 63) & 1 == 1)
    }

    /// Keeps what is in both.
    pub(super) fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&*other.0).for_each(|(word, other)| *word &= other);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&*other.0).for_each(|(word, other)| *word |= other);
    }

    pub(super) fn remove(&mut self, other: &Self) {
        self.0.iter_mut().zip(&*other.0).for_each(|(word, other)| *word &= !other);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The places, ascending.
    pub(super) fn places(&self) -> impl Iterator<Item = u16> + '_ {
        (0_u16..).zip(&*self.0).flat_map(|(at, word)| ones(*word).map(move |bit| at * 64 + bit))
    }

    /// Steps from one place to the next; all bits as they are when that is no longer. So 512 bytes are bits and fewer are steps.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let steps = steps::to_bytes(self.places());
        if steps.len() >= BYTES {
            return self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        }
        steps
    }

    /// Whether it can be put behind another that is shorter than [`BEFORE_MAX`].
    pub(super) fn is_short(&self) -> bool {
        self.places().take(BEHIND_MAX + 1).count() <= BEHIND_MAX
    }

    /// The stored form of a short set to stand behind that of another.
    pub(super) fn to_append(&self) -> Vec<u8> {
        steps::to_append(self.places())
    }

    /// Reads the stored form; `None` when it is none.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut read = Self::none();
        if bytes.len() == BYTES {
            let (words, _) = bytes.as_chunks::<8>();
            read.0.iter_mut().zip(words).for_each(|(word, bytes)| *word = u64::from_le_bytes(*bytes));
            return Some(read);
        }
        steps::from_bytes(bytes, BLOCK)?.into_iter().for_each(|place| read.insert(place));
        Some(read)
    }
}

/// Which bits of a word are set, ascending.
fn ones(mut word: u64) -> impl Iterator<Item = u16> {
    std::iter::from_fn(move || {
        let lowest = u16::try_from(word.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
        word &= word - 1;
        Some(lowest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: impl IntoIterator<Item = u16>) -> Bits {
        let mut bits = Bits::none();
        places.into_iter().for_each(|place| bits.insert(place));
        bits
    }

    #[test]
    fn the_stored_form_gives_the_same_set() {
        let sets = [
            of([]),
            of([0]),
            of([4_095]),
            of([0, 127, 128, 129, 4_000]),
            of((0..4_096).step_by(8)),
            of((0..511).map(|n| n * 8)),
            of((0..4_096).step_by(3)),
            of(0..4_096),
        ];
        for set in sets {
            let stored = set.to_bytes();
            assert!(stored.len() <= BYTES);
            assert!(Bits::from_bytes(&stored).is_some_and(|read| read == set));
            assert_eq!(set.places().count() as u64, set.count());
        }
        assert_eq!(of((0..4_096).step_by(3)).to_bytes().len(), BYTES);
    }

    #[test]
    fn a_set_behind_another_is_joined_with_it() {
        let (one, other) = (of((0..4_096).step_by(10)), of([7, 4_095]));
        let (before, behind) = (one.to_bytes(), other.to_append());
        assert!(before.len() < BEFORE_MAX && behind.len() == 4);
        let mut both = one.clone();
        both.add(&other);
        assert!(Bits::from_bytes(&[before, behind].concat()).is_some_and(|read| read == both));
        let longest = of((0..4_096).step_by(130).take(BEHIND_MAX));
        assert!(longest.is_short() && !of(0..32).is_short());
        assert_eq!(BEFORE_MAX - 1 + longest.to_append().len(), BYTES - 1, "not taken for bits");
    }

    #[test]
    fn what_is_no_stored_form_is_refused() {
        assert!(Bits::from_bytes(&[0x80]).is_none());
        assert!(Bits::from_bytes(&[0xff, 0xff]).is_none());
        assert!(Bits::from_bytes(&[0xff, 31, 0]).is_none(), "4,096 is of the next block");
    }

    #[test]
    fn sets_are_joined_cut_and_taken_away() {
        let mut set = of([1, 2, 3, 4_095]);
        set.keep(&of([2, 3, 4]));
        assert!(set == of([2, 3]));
        set.add(&of([9]));
        set.remove(&of([2]));
        assert!(set == of([3, 9]) && set.holds(9) && !set.holds(2) && !set.is_empty());
    }
}
