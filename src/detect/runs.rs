//! Runs of letters and digits: where those of a block start, and what they hold, told for all of them at once in bits.

use super::blocks::Block;

/// The runs that end in a block, in order.
pub(super) struct Runs {
    pub(super) base: usize,
    /// Where those start that are not taken up yet.
    pub(super) opens: u64,
    /// Where the next one starts.
    pub(super) start: usize,
}

impl Runs {
    /// Goes on to the run that starts next.
    #[inline]
    pub(super) fn next(&mut self) {
        self.start = self.base.wrapping_add(self.opens.trailing_zeros() as usize);
        self.opens &= self.opens.wrapping_sub(1);
    }
}

/// What runs of letters and digits hold that decides on their look.
#[derive(Default)]
pub(super) struct Held<T> {
    pub(super) digit: T,
    /// A letter of ASCII.
    pub(super) letter: T,
    pub(super) lower: T,
    /// A capital of ASCII at its start.
    pub(super) capital: T,
    /// Something else than ASCII.
    pub(super) wide: T,
}

impl Held<bool> {
    /// What the runs that end in a block hold, a bit each where they end; what the last run holds that goes on is kept.
    #[inline]
    pub(super) fn of(&mut self, inside: u64, block: &Block, opens: u64) -> Held<u64> {
        Held {
            digit: ended(inside, block.digit, &mut self.digit),
            letter: ended(inside, block.letter, &mut self.letter),
            lower: ended(inside, block.letter & !block.upper, &mut self.lower),
            capital: ended(inside, block.upper & opens, &mut self.capital),
            wide: ended(inside, block.wide, &mut self.wide),
        }
    }
}

/// Where the runs end that hold one of the marks: added to a run, a mark overflows into the place behind it. `carried` is whether
/// the run held one that goes on from the block before, and then whether the one does that goes on in the next.
#[inline]
const fn ended(inside: u64, marks: u64, carried: &mut bool) -> u64 {
    let marks = marks | *carried as u64;
    let (sum, over) = inside.overflowing_add(marks & inside);
    *carried = over;
    (sum | marks) & !inside
}
