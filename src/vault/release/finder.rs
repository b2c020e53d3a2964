//! Finding any of millions of values in a text: about half as much time again for a million and a half as for a third of a million.
//!
//! An automaton of so many values is hundreds of megabytes of states, and waits for memory at each byte of the text. Here each value
//! is known by one *window* of it: the eight bytes that the fewest other values hold (six of a value that is shorter than eight).
//! Each eight bytes of the text are asked of a filter of some bits a value, which stays in the cache; what passes is looked up
//! in a table, and the value is then compared as a whole. Nothing that stands there is missed: the filter may say yes
//! where it should say no, never the reverse.
//!
//! The worst case is bounded: those of one window are in order of the window's place in them, their length, and their bytes, so
//! that a place in the text costs a search for each place and length among them, not a comparison with each of them. Values made for
//! it, all of other shapes and with one window, cost that much wherever it stands.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::ops::Range;

/// Bytes of a window, and of one of values that are too short for it.
const WINDOW: usize = 8;
const WINDOW_SHORT: usize = 6;
/// Bits of the filter for each window: with two bits set for each, one place in eighty passes for nothing.
const FILTER_BITS: usize = 16;
/// Windows are counted in at most so many places: those that share one are counted together, which costs time and misses nothing.
const COUNTERS_MAX: usize = 1 << 26;
/// Up to so many values of one window are compared one by one.
const FEW: usize = 8;

/// Values, ready to be looked for. Of any length; those of six bytes or more are found by their windows.
#[derive(Default)]
pub(super) struct Finder {
    values: Values,
    long: Table<WINDOW>,
    short: Table<WINDOW_SHORT>,
    /// Shorter than any window: none that a selection asks for, so that these may take an automaton.
    tiny: Option<(AhoCorasick, Vec<u32>)>,
}

impl Finder {
    /// Of distinct values; `None` when they are more than can be numbered.
    pub(super) fn of<'v>(values: impl Iterator<Item = &'v str>) -> Option<Self> {
        let mut sorted: Vec<&str> = values.collect();
        sorted.sort_unstable();
        let count = u32::try_from(sorted.len()).ok()?;
        let mut values = Values::default();
        sorted.iter().for_each(|value| values.push(value));
        let numbers = |lengths: Range<usize>| -> Vec<u32> {
            (0..count).filter(|number| lengths.contains(&values.of(*number).len())).collect()
        };
        let tiny = numbers(0..WINDOW_SHORT);
        Some(Self {
            long: Table::of(&values, &numbers(WINDOW..usize::MAX))?,
            short: Table::of(&values, &numbers(WINDOW_SHORT..WINDOW))?,
            tiny: match tiny.is_empty() {
                true => None,
                false => Some((automaton(&values, &tiny)?, tiny)),
            },
            values,
        })
    }

    /// Hands every value that stands in a text to `wanted`, with where it stands: also those that overlap, and in no certain
    /// order. Stops where `wanted` says so, and tells whether it did.
    pub(super) fn any(&self, text: &str, mut wanted: impl FnMut(u32, Range<usize>) -> bool) -> bool {
        self.long.any(text.as_bytes(), &self.values, &mut wanted)
            || self.short.any(text.as_bytes(), &self.values, &mut wanted)
            || self.tiny.as_ref().is_some_and(|(automaton, numbers)| {
                automaton.find_overlapping_iter(text).any(|hit| {
                    let number = numbers.get(hit.pattern().as_usize());
                    number.is_some_and(|number| wanted(*number, hit.range()))
                })
            })
    }

    /// Bytes of the longest value.
    pub(super) fn longest(&self) -> usize {
        self.values.longest
    }
}

fn automaton(values: &Values, numbers: &[u32]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(numbers.iter().map(|number| values.of(*number)))
        .ok()
}

/// Values one behind the other, in order of their bytes.
#[derive(Default)]
struct Values {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    longest: usize,
}

impl Values {
    fn push(&mut self, value: &str) {
        self.bytes.extend_from_slice(value.as_bytes());
        self.ends.push(self.bytes.len());
        self.longest = self.longest.max(value.len());
    }

    fn of(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let from =
            number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let to = self.ends.get(number).copied().unwrap_or_default();
        self.bytes.get(from..to).unwrap_or_default()
    }
}

/// Values by a window of `W` bytes.
#[derive(Default)]
struct Table<const W: usize> {
    /// Two bits in one word for each window.
    filter: Vec<u64>,
    /// Where those of each slot begin; one more at the end.
    starts: Vec<u32>,
    /// In order of their slots, and then as [`Known::order`] says.
    known: Vec<Known>,
}

/// A value by its window.
#[derive(Clone, Copy)]
struct Known {
    window: u64,
    value: u32,
    /// Where in the value the window begins.
    offset: u32,
}

impl Known {
    /// Values are numbered in order of their bytes.
    fn order(&self, values: &Values) -> (u64, u32, usize, u32) {
        let (offset, length) = self.shape(values);
        (self.window, offset, length, self.value)
    }

    fn shape(&self, values: &Values) -> (u32, usize) {
        (self.offset, values.of(self.value).len())
    }
}

impl<const W: usize> Table<W> {
    /// Of values of `W` bytes or more, by their numbers; `None` when one is too long.
    fn of(values: &Values, numbers: &[u32]) -> Option<Self> {
        if numbers.is_empty() {
            return Some(Self::default());
        }
        let mut counted = Counted::of(numbers.iter().map(|number| values.of(*number).len() + 1 - W).sum());
        for number in numbers {
            values.of(*number).array_windows::<W>().for_each(|window| counted.add(mixed(of_bytes(window))));
        }
        let mut known = Vec::with_capacity(numbers.len());
        for number in numbers {
            let (offset, window) = rarest::<W>(values.of(*number), &counted)?;
            known.push(Known { window, value: *number, offset: u32::try_from(offset).ok()? });
        }
        drop(counted);
        let slots = numbers.len().next_power_of_two();
        known.sort_by_cached_key(|one| (place(mixed(one.window), slots), one.order(values)));
        let mut table =
            Self { filter: vec![0; (slots * FILTER_BITS / 64).max(1)], starts: vec![0; slots + 1], known };
        let words = table.filter.len();
        for one in &table.known {
            let mixed = mixed(one.window);
            if let Some(word) = table.filter.get_mut(place(mixed, words)) {
                *word |= bits(mixed);
            }
            if let Some(next) = table.starts.get_mut(place(mixed, slots) + 1) {
                *next += 1;
            }
        }
        let mut before = 0;
        for start in &mut table.starts {
            before += *start;
            *start = before;
        }
        Some(table)
    }

    fn any(&self, text: &[u8], values: &Values, wanted: &mut impl FnMut(u32, Range<usize>) -> bool) -> bool {
        if self.known.is_empty() {
            return false;
        }
        text.array_windows::<W>().enumerate().any(|(at, bytes)| {
            let window = of_bytes(bytes);
            let mixed = mixed(window);
            let passes = self
                .filter
                .get(place(mixed, self.filter.len()))
                .is_some_and(|word| word & bits(mixed) == bits(mixed));
            passes && self.any_at(text, at, (window, mixed), values, wanted)
        })
    }

    /// The values whose window stands at a place of the text.
    fn any_at(
        &self,
        text: &[u8],
        at: usize,
        (window, mixed): (u64, u64),
        values: &Values,
        wanted: &mut impl FnMut(u32, Range<usize>) -> bool,
    ) -> bool {
        let slot = place(mixed, self.starts.len() - 1);
        let bound = |slot: usize| self.starts.get(slot).map_or(0, |start| *start as usize);
        let in_slot = self.known.get(bound(slot)..bound(slot + 1)).unwrap_or_default();
        let (from, to) = (
            in_slot.partition_point(|one| one.window < window),
            in_slot.partition_point(|one| one.window <= window),
        );
        let mut rest = in_slot.get(from..to).unwrap_or_default();
        while let Some(first) = rest.first() {
            let shape = first.shape(values);
            let alike = match rest.get(1) {
                Some(next) if rest.len() > FEW && next.shape(values) == shape => {
                    rest.partition_point(|one| one.shape(values) <= shape)
                }
                _ => 1,
            };
            let (these, others) = rest.split_at_checked(alike).unwrap_or((rest, &[]));
            rest = others;
            let Some(start) = at.checked_sub(shape.0 as usize) else { continue };
            let Some(there) = text.get(start..start + shape.1) else { continue };
            let found = match these {
                [one] => (values.of(one.value) == there).then_some(one),
                many => {
                    let place = many.binary_search_by(|one| values.of(one.value).cmp(there)).ok();
                    place.and_then(|place| many.get(place))
                }
            };
            if found.is_some_and(|one| wanted(one.value, start..start + shape.1)) {
                return true;
            }
        }
        false
    }
}

/// The window of a value that the fewest hold, and where it begins: the last of those that are equally rare, since times, numbers and
/// addresses begin alike, and rows hold the beginning of a time.
fn rarest<const W: usize>(value: &[u8], counted: &Counted) -> Option<(usize, u64)> {
    let windows = value.array_windows::<W>().map(of_bytes).enumerate();
    windows
        .map(|(at, window)| (counted.times(mixed(window)), at, window))
        .min_by_key(|(times, at, _)| (*times, std::cmp::Reverse(*at)))
        .map(|(_, at, window)| (at, window))
}

/// How often windows stand in values, about: never less than they do, up to what a counter holds.
struct Counted(Vec<u16>);

impl Counted {
    fn of(windows: usize) -> Self {
        Self(vec![0; windows.next_power_of_two().min(COUNTERS_MAX)])
    }

    fn add(&mut self, mixed: u64) {
        let place = place(mixed, self.0.len());
        if let Some(count) = self.0.get_mut(place) {
            *count = count.saturating_add(1);
        }
    }

    fn times(&self, mixed: u64) -> u16 {
        self.0.get(place(mixed, self.0.len())).copied().unwrap_or(u16::MAX)
    }
}

fn of_bytes<const W: usize>(bytes: &[u8; W]) -> u64 {
    let mut all = [0; 8];
    all.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(all)
}

/// The window, so that each bit of it may change each bit of what comes out.
const fn mixed(window: u64) -> u64 {
    let product = window as u128 * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

/// One of `places`, which are a power of two: by the upper bits.
const fn place(mixed: u64, places: usize) -> usize {
    ((mixed as u128 * places as u128) >> 64) as usize
}

/// The bits of a window in its word of the filter: by the lower bits.
const fn bits(mixed: u64) -> u64 {
    (1 << (mixed & 63)) | (1 << ((mixed >> 6) & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeSet, HashSet};

    type Found = BTreeSet<(String, usize)>;

    fn found(values: &HashSet<String>, text: &str) -> Found {
        let finder = Finder::of(values.iter().map(String::as_str)).unwrap();
        let mut found = Found::new();
        let stopped = finder.any(text, |number, range| {
            let value = std::str::from_utf8(finder.values.of(number)).unwrap();
            assert_eq!(&text[range.clone()], value);
            assert!(found.insert((value.to_owned(), range.start)), "told twice");
            false
        });
        assert!(!stopped);
        assert_eq!(finder.longest(), values.iter().map(String::len).max().unwrap_or_default());
        found
    }

    fn naive(values: &HashSet<String>, text: &str) -> Found {
        let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let at = |at: usize| {
            values.iter().filter(move |value| text[at..].starts_with(*value)).map(move |v| (v, at))
        };
        places.flat_map(at).map(|(value, at)| (value.clone(), at)).collect()
    }

    fn by_automaton(values: &HashSet<String>, text: &str) -> Found {
        let sorted: Vec<&String> = values.iter().collect();
        let automaton = AhoCorasick::new(&sorted).unwrap();
        let hits = automaton.find_overlapping_iter(text);
        hits.map(|hit| (sorted[hit.pattern().as_usize()].clone(), hit.start())).collect()
    }

    proptest! {
        /// Of few letters, so that values overlap, share windows, and stand in the text by chance.
        #[test]
        fn what_is_found_is_what_stands_there(
            values in prop::collection::hash_set("[ab]{1,5}|[ab]{6,9}|[abé]{8,24}|[a-z0-9é ]{6,12}", 0..200),
            text in "([ab]{0,40}|[abé]{0,40}|[a-z0-9é ]{0,40}){0,8}",
            planted in any::<prop::sample::Index>(),
        ) {
            let sorted: BTreeSet<&String> = values.iter().collect();
            let some = sorted.iter().nth(planted.index(sorted.len().max(1))).map_or("", |value| value.as_str());
            let text = format!("{text}{some}{some}");
            let found = found(&values, &text);
            prop_assert_eq!(&found, &naive(&values, &text));
            prop_assert_eq!(&found, &by_automaton(&values, &text));
        }
    }

    #[test]
    fn values_that_share_every_window_are_found() {
        // All of the same few windows: twelve bits each.
        let word = |bits: u32| (0..12).map(|bit| if bits >> bit & 1 == 0 { "ab" } else { "ba" }).collect();
        let values: HashSet<String> = (0..4096).map(word).collect();
        let text: String = word(0b1010_0110_0011) + &word(77) + "abba";
        assert!(found(&values, &text).len() >= 2);
        assert_eq!(found(&values, &text), naive(&values, &text));
    }

    #[test]
    fn it_stops_where_it_is_told_to() {
        let finder = Finder::of(["kwinkelaar", "vermaat"].into_iter()).unwrap();
        let mut seen = 0;
        assert!(finder.any("kwinkelaar en vermaat en kwinkelaar", |_, _| {
            seen += 1;
            true
        }));
        assert_eq!(seen, 1);
        assert!(!Finder::default().any("kwinkelaar", |_, _| true));
    }
}
