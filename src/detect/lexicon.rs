//! Word lists in one hash table: what is known of a word, as flags.
//!
//! The table keeps hashes, no words: the slot and 32 bits more. A collision (about one in 10^9 look-ups) could only
//! add a flag, so it can shift a score and nothing else.

/// What the lists say of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags(u32);

impl Flags {
    pub(super) const NONE: Self = Self(0);
    /// A first name that is hardly anything else.
    pub(super) const FIRST: Self = Self(1);
    /// A first name that is an everyday word or a place as well.
    pub(super) const EVERYDAY: Self = Self(1 << 1);
    pub(super) const SURNAME: Self = Self(1 << 2);
    pub(super) const PARTICLE: Self = Self(1 << 3);
    pub(super) const TITLE: Self = Self(1 << 4);
    pub(super) const OFFICE: Self = Self(1 << 5);
    pub(super) const PLACE: Self = Self(1 << 6);
    pub(super) const COMMON: Self = Self(1 << 7);
    pub(super) const CUE_WEAK: Self = Self(1 << 8);
    pub(super) const CUE: Self = Self(1 << 9);
    pub(super) const CUE_STRONG: Self = Self(1 << 10);
    /// Organisations, products, festivals and other capitalised words that are no person.
    pub(super) const OTHER: Self = Self(1 << 11);
    /// A first name from farther away, that counts when it has a capital.
    pub(super) const FOREIGN: Self = Self(1 << 12);
    /// A particle that needs another one after it: `in 't`, `op de`.
    pub(super) const INNER: Self = Self(1 << 13);
    /// Ends a word or phrase of the context that some pattern needs.
    pub(super) const CONTEXT: Self = Self(1 << 15);
    /// Ends a word or phrase that speaks for or against a match of some recogniser.
    pub(super) const NEAR: Self = Self(1 << 16);
    /// A label of one word.
    pub(super) const LABEL: Self = Self(1 << 14);
    /// The last word of a label of several, and the word before it.
    pub(super) const LABEL_END: Self = Self(1 << 17);
    pub(super) const LABEL_LEAD: Self = Self(1 << 18);

    /// `at` and the like, that may stand for the sign in an address.
    pub(super) const AT: Self = Self(1 << 19);

    /// Whether any of the flags in `other` is set.
    pub(super) const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both together.
    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Open addressing, a power of two in size, at most half full.
#[derive(Default)]
pub(super) struct Lexicon {
    slots: Vec<(u32, Flags)>,
    /// One bit for the hash of every word: small enough to stay near, and most words end here.
    filter: Vec<u64>,
}

impl Lexicon {
    /// A table of everything given; the flags of a word given twice are joined.
    pub(super) fn build(entries: &[(u64, Flags)]) -> Self {
        let size = (entries.len() * 2 + 16).next_power_of_two();
        let mut table = Self { slots: vec![(0, Flags::NONE); size], filter: vec![0; size.div_ceil(16)] };
        for (hash, flags) in entries {
            let (word, bit) = table.filter_bit(*hash);
            if let Some(bits) = table.filter.get_mut(word) {
                *bits |= 1_u64.wrapping_shl(bit);
            }
            let place = table.place(*hash);
            if let Some(slot) = table.slots.get_mut(place) {
                *slot = (tag(*hash), slot.1.with(*flags));
            }
        }
        table
    }

    /// The flags of a word by its hash.
    #[inline]
    pub(super) fn flags(&self, hash: u64) -> Flags {
        let (word, bit) = self.filter_bit(hash);
        if self.filter.get(word).is_none_or(|bits| bits.wrapping_shr(bit) & 1 == 0) {
            return Flags::NONE;
        }
        self.slots.get(self.place(hash)).map_or(Flags::NONE, |(_, flags)| *flags)
    }

    /// Where the filter holds the bit of a hash: the word, and the bit of which the lowest six bits count.
    #[inline]
    fn filter_bit(&self, hash: u64) -> (usize, u32) {
        ((hash >> 17) as usize & self.filter.len().wrapping_sub(1), (hash >> 11) as u32)
    }

    /// Where the hash stands, or the empty slot where it would stand.
    fn place(&self, hash: u64) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        let (tag, mut at) = (tag(hash), (hash >> 8) as usize & mask);
        while let Some((found, flags)) = self.slots.get(at) {
            if *found == tag || *flags == Flags::NONE {
                break;
            }
            at = (at + 1) & mask;
        }
        at
    }
}

/// The bits of a hash that choose no slot.
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::super::words::hash;
    use super::*;

    #[test]
    fn flags_of_a_word_join_and_others_have_none() {
        let many: Vec<_> = (1..5000).map(|n| (hash(&format!("word{n}")), Flags::COMMON)).collect();
        let (milan, other) = (hash("milan"), hash("milaan"));
        let table = Lexicon::build(&[&many[..], &[(milan, Flags::FIRST), (milan, Flags::PLACE)]].concat());
        assert!(table.flags(milan).any(Flags::FIRST) && table.flags(milan).any(Flags::PLACE));
        assert_eq!(table.flags(other), Flags::NONE);
        assert!(many.iter().all(|(h, _)| table.flags(*h) == Flags::COMMON));
    }
}
