//! Word lists in one hash table: what is known of a word, as flags.
//!
//! The table keeps 64-bit hashes, no words. A collision (about one in 10^13 for these lists) could only
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
    slots: Vec<(u64, Flags)>,
}

impl Lexicon {
    /// A table of everything given; the flags of a word given twice are joined.
    pub(super) fn build(entries: &[(u64, Flags)]) -> Self {
        let size = (entries.len() * 2 + 2).next_power_of_two();
        let mut table = Self { slots: vec![(0, Flags::NONE); size] };
        for (hash, flags) in entries {
            let place = table.place(*hash);
            if let Some(slot) = table.slots.get_mut(place) {
                *slot = (*hash, slot.1.with(*flags));
            }
        }
        table
    }

    /// The flags of a word by its hash.
    pub(super) fn flags(&self, hash: u64) -> Flags {
        match self.slots.get(self.place(hash)) {
            Some((found, flags)) if *found == hash => *flags,
            _ => Flags::NONE,
        }
    }

    /// Where the hash stands or would stand.
    fn place(&self, hash: u64) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = (hash >> 20) as usize & mask;
        while let Some((found, flags)) = self.slots.get(at) {
            if *found == hash || *flags == Flags::NONE {
                break;
            }
            at = (at + 1) & mask;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_a_word_join_and_others_have_none() {
        let many: Vec<_> = (1..5000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15), Flags::COMMON)).collect();
        let table = Lexicon::build(&[&many[..], &[(42, Flags::FIRST), (42, Flags::PLACE)]].concat());
        assert!(table.flags(42).any(Flags::FIRST) && table.flags(42).any(Flags::PLACE));
        assert_eq!(table.flags(43), Flags::NONE);
        assert!(many.iter().all(|(h, _)| table.flags(*h) == Flags::COMMON));
    }
}
