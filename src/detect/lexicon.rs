//! Word lists in one hash table: what is known of a word, as flags.
//!
//! The tables keep hashes, no words: the place and 32 bits more. A collision (about one in 10^9 look-ups) could only
//! add a flag, so it can shift a score and nothing else. What is known of a word lies beside its hash: one look at memory for both.

use super::words::Keyed;
use wide::u32x4;

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
    /// The last word of what introduces a name: `ben`, `is`, `heet`.
    pub(super) const NAMING: Self = Self(1 << 20);
    /// `v`, which may stand for `van`.
    pub(super) const VAN: Self = Self(1 << 22);
    /// A word that is a street without an ending of streets: `Voorhout`.
    pub(super) const STREET: Self = Self(1 << 21);

    /// Whether any of the flags in `other` is set.
    pub(super) const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What was noted of the lists that a word with these flags stands in.
    #[inline]
    pub(super) const fn kinds(self) -> u8 {
        (self.0 >> KINDS_FROM) as u8
    }

    /// Both together.
    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A set of words.
#[derive(Default)]
pub(super) struct Dictionary {
    /// A power of two of them, three quarters full at most; what finds its bucket full goes to the next. 0 where nothing is.
    buckets: Vec<Bucket>,
}

/// Tags that are compared at once.
#[derive(Clone, Copy, Default)]
#[repr(align(16))]
struct Bucket([u32; SLOTS]);

const SLOTS: usize = 4;

impl Bucket {
    /// Where a tag stands among the four, a bit each.
    #[inline]
    fn find(&self, tag: u32) -> u32 {
        u32x4::from(self.0).simd_eq(u32x4::splat(tag)).to_bitmask()
    }
}

impl Dictionary {
    /// A set of these hashes.
    pub(super) fn build(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let size = (hashes.len() / (SLOTS - 1) + 2).next_power_of_two();
        let mut made = Self { buckets: vec![Bucket::default(); size] };
        hashes.for_each(|hash| made.add(hash));
        made
    }

    /// Whether a word is in the set, by its hash.
    #[inline]
    pub(super) fn has(&self, hash: u64) -> bool {
        self.found(hash).is_some()
    }

    fn add(&mut self, hash: u64) {
        let (mask, mut at) = (self.buckets.len().wrapping_sub(1), (hash >> 8) as usize);
        while let Some(Bucket(slots)) = self.buckets.get_mut(at & mask) {
            if let Some(slot) = slots.iter_mut().find(|slot| **slot == 0 || **slot == tag(hash)) {
                *slot = tag(hash);
                return;
            }
            at = at.wrapping_add(1);
        }
    }

    /// The slot in which a hash stands.
    #[inline]
    fn found(&self, hash: u64) -> Option<usize> {
        let (mask, mut at) = (self.buckets.len().wrapping_sub(1), (hash >> 8) as usize);
        while let Some(bucket) = self.buckets.get(at & mask) {
            let found = bucket.find(tag(hash));
            if found != 0 {
                return Some((at & mask).wrapping_mul(SLOTS).wrapping_add(found.trailing_zeros() as usize));
            }
            let Bucket([.., last]) = bucket;
            if *last == 0 {
                break;
            }
            at = at.wrapping_add(1);
        }
        None
    }
}

/// What is known of words: every word has a place of its own, so that a look-up is one look at memory, whether the word is known or
/// not, and no two look-ups wait for one another.
///
/// Words are told into groups by the low bits of their hash. Each group has a number by which the hashes of its words are
/// multiplied; it was chosen so that no two words of all groups come to the same place (Belazzougui, Botelho, Dietzfelbinger:
/// Hash, displace, and compress, ESA 2009).
pub(super) struct Lexicon {
    /// A power of two of them.
    turns: Vec<u16>,
    /// A power of two of them, four fifths full at most: the high half of the hash, then the flags; 0 where nothing is.
    entries: Vec<u64>,
}

/// The first of the eight bits in which the lists are noted that a word stands in; flags have those below.
const KINDS_FROM: u32 = 24;
/// The high half of a hash: the part by which a word is known at its place.
const TAG: u64 = !(u32::MAX as u64);

impl Default for Lexicon {
    fn default() -> Self {
        Self { turns: vec![1], entries: vec![0; 2] }
    }
}

impl Lexicon {
    /// A table of everything given; the flags of a word given twice are joined. `kinds` says of flags what is to be noted with
    /// them, for [`Flags::kinds`].
    pub(super) fn build(entries: &[(u64, Flags)], kinds: impl Fn(Flags) -> u8) -> Self {
        let mut words: Keyed<Flags> = Keyed::default();
        for (hash, more) in entries {
            let flags = words.entry(*hash).or_default();
            *flags = flags.with(*more);
        }
        let mut groups: Vec<Group> = Vec::new();
        groups.resize_with((words.len() / GROUP + 1).next_power_of_two(), Group::default);
        let mask = groups.len().wrapping_sub(1);
        for (hash, flags) in words {
            let entry = u64::from(flags.0 | u32::from(kinds(flags)) << KINDS_FROM);
            let group = groups.get_mut(hash as usize & mask).into_iter();
            group.for_each(|group| add(group, hash, entry));
        }
        let count: usize = groups.iter().map(Vec::len).sum();
        let mut size = (count + count / 4 + 2).next_power_of_two();
        loop {
            if let Some(made) = Self::fit(&groups, size) {
                return made;
            }
            size *= 2;
        }
    }

    /// The table with so many places, when every group finds room in it: the largest first.
    fn fit(groups: &[Group], size: usize) -> Option<Self> {
        let mut made = Self { turns: vec![1; groups.len()], entries: vec![0; size] };
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|group| std::cmp::Reverse(groups.get(*group).map_or(0, Vec::len)));
        for index in order {
            let group = groups.get(index)?;
            let turn = (1..=u16::MAX).step_by(2).find(|turn| made.is_free(group, *turn))?;
            *made.turns.get_mut(index)? = turn;
            for (hash, flags) in group {
                let place = made.place(*hash, turn);
                *made.entries.get_mut(place)? = hash & TAG | flags;
            }
        }
        Some(made)
    }

    /// Whether the words of a group come to places of their own where nothing is.
    fn is_free(&self, group: &Group, turn: u16) -> bool {
        let place = |(hash, _): &(u64, u64)| self.place(*hash, turn);
        let free = |word| self.entries.get(place(word)).is_some_and(|entry| *entry == 0);
        let apart = |(n, word)| group.iter().take(n).all(|other| place(other) != place(word));
        group.iter().all(free) && group.iter().enumerate().all(apart)
    }

    #[inline]
    fn place(&self, hash: u64, turn: u16) -> usize {
        // The highest bits of the product, as many as there are places.
        hash.wrapping_mul(turn.into()).wrapping_shr(self.entries.len().leading_zeros().wrapping_add(1))
            as usize
    }

    /// The flags of a word by its hash.
    #[inline]
    pub(super) fn flags(&self, hash: u64) -> Flags {
        let group = hash as usize & self.turns.len().wrapping_sub(1);
        let turn = self.turns.get(group).copied().unwrap_or(1);
        let entry = self.entries.get(self.place(hash, turn)).copied().unwrap_or(0);
        // Whether a word is known cannot be foreseen, so nothing branches here: one less than nothing has every high bit, one less than
        // a difference of 32 bits has none.
        let other = (entry ^ hash).wrapping_shr(u32::BITS);
        Flags(entry as u32 & other.wrapping_sub(1).wrapping_shr(u32::BITS) as u32)
    }
}

/// Some words: hash and flags of each.
type Group = Vec<(u64, u64)>;
/// How many words a group has, about.
const GROUP: usize = 4;

/// Adds a word to a group. One that cannot be told from another is one with it.
fn add(group: &mut Group, hash: u64, flags: u64) {
    match group.iter_mut().find(|(other, _)| (*other ^ hash) & TAG == 0) {
        Some((_, its)) => *its |= flags,
        None => group.push((hash, flags)),
    }
}

/// The bits of a hash that choose no bucket; never 0.
const fn tag(hash: u64) -> u32 {
    let tag = (hash >> 32) as u32;
    if tag == 0 { 1 } else { tag }
}

#[cfg(test)]
mod tests {
    use super::super::words::hash;
    use super::*;

    #[test]
    fn flags_of_a_word_join_and_others_have_none() {
        let many: Vec<_> = (1..5000).map(|n| (hash(&format!("word{n}")), Flags::COMMON)).collect();
        let (milan, other) = (hash("milan"), hash("milaan"));
        let given = [&many[..], &[(milan, Flags::FIRST), (milan, Flags::PLACE)]].concat();
        let table = Lexicon::build(&given, |flags| u8::from(flags.any(Flags::FIRST)) << 7);
        assert!(table.flags(milan).any(Flags::FIRST) && table.flags(milan).any(Flags::PLACE));
        assert_eq!(table.flags(other), Flags::NONE);
        assert!(many.iter().all(|(h, _)| table.flags(*h) == Flags::COMMON));
        assert_eq!((table.flags(milan).kinds(), table.flags(hash("word1")).kinds()), (1 << 7, 0));
        assert_eq!(Lexicon::default().flags(milan), Flags::NONE);
    }

    #[test]
    fn a_dictionary_has_what_it_was_built_of() {
        let many = (0..3000).map(|n| hash(&format!("word{n}")));
        let made = Dictionary::build(many.clone());
        assert!(many.clone().all(|hash| made.has(hash)));
        assert!((3000..9000).all(|n| !made.has(hash(&format!("word{n}")))));
        assert!(!Dictionary::build([].into_iter()).has(0));
    }
}
