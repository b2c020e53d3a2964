//! Patterns that are tried at chosen places: a small dense automaton each, and one table that says which are worth trying.
//!
//! A union of all patterns in one automaton is megabytes large and misses the cache at every step; apart they fit. Every try
//! is anchored and reads at most [`WINDOW`] bytes, so a text costs time in proportion to its length whatever it holds.

use super::bytes::{at, free_after, free_before};
use super::error::RulesetFault;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::{primitives::StateID, syntax};
use regex_automata::{Anchored, Input, MatchKind, nfa::thompson};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// The longest match, in bytes.
pub(super) const WINDOW: usize = 256;

/// A pattern to put in a lane.
pub(super) struct Entry<'a> {
    pub(super) file: &'a str,
    pub(super) regex: &'a str,
    /// Index of the rule that a match belongs to.
    pub(super) rule: usize,
    /// Whether a match is nothing without a word of its recogniser's context.
    pub(super) weak: bool,
}

/// The compiled patterns of one lane.
pub(super) struct Lane {
    patterns: Vec<Compiled>,
    openings: Openings,
    /// The patterns whose matches need no context.
    strong: u128,
}

struct Compiled {
    automaton: dense::DFA<Vec<u32>>,
    /// The state to start in, when it does not depend on what stands before.
    start: Option<StateID>,
    rule: usize,
}

impl Lane {
    /// Compiles the patterns; the fault names the first that does not compile.
    pub(super) fn build(entries: &[Entry<'_>]) -> Result<Self, RulesetFault> {
        if let Some(extra) = entries.get(MOST) {
            let what = format!("a lane holds at most {MOST} patterns; set `starts: anywhere` for some");
            return Err(RulesetFault { file: extra.file.to_owned(), line: None, what });
        }
        let compiled = |entry: &Entry<'_>| match compile(entry.regex) {
            Ok(automaton) => Ok(Compiled { start: only_start(&automaton), automaton, rule: entry.rule }),
            Err(what) => Err(RulesetFault {
                file: entry.file.to_owned(),
                line: None,
                what: format!("regex `{}`: {what}; or set `starts: anywhere`", entry.regex),
            }),
        };
        let patterns = entries.iter().map(compiled).collect::<Result<Vec<_>, _>>()?;
        let openings = Openings::of(&patterns);
        let strong =
            entries.iter().zip(0..).filter(|(e, _)| !e.weak).fold(0, |all, (_, n)| all | 1_u128 << n);
        Ok(Self { patterns, openings, strong })
    }

    /// Offers `accept(rule, end)` each match from `start` that ends a word, the longest first, until it takes one of that rule.
    /// Patterns that need context are left out where `context` says that the text has none.
    pub(super) fn matches_at(
        &self,
        text: &str,
        start: usize,
        context: bool,
        mut accept: impl FnMut(usize, usize) -> bool,
    ) {
        let bytes = text.as_bytes();
        let mut alive = self.openings.at(bytes, start, if context { u128::MAX } else { self.strong });
        if alive == 0 || (at(bytes, start).is_ascii_alphanumeric() && !free_before(text, start)) {
            return;
        }
        let mut ends: SmallVec<[(usize, usize); 16]> = SmallVec::new();
        while alive != 0 {
            let index = alive.trailing_zeros() as usize;
            alive &= alive - 1;
            if let Some(pattern) = self.patterns.get(index) {
                pattern.walk(bytes, start, |end| {
                    if !at(bytes, end.saturating_sub(1)).is_ascii_alphanumeric() || free_after(text, end) {
                        ends.push((end, index));
                    }
                });
            }
        }
        ends.sort_unstable();
        let mut settled = 0_u128;
        // A pattern that may end nearly anywhere is asked about its longest matches only.
        let mut tries: [u8; MOST] = [TRIES_MAX; MOST];
        for (end, index) in ends.into_iter().rev() {
            let bit = 1_u128 << (index % MOST);
            let whole = text.is_char_boundary(start) && text.is_char_boundary(end);
            let asked = tries.get_mut(index).is_some_and(|left| {
                *left = left.saturating_sub(1);
                *left > 0
            });
            if settled & bit == 0
                && asked
                && whole
                && let Some(pattern) = self.patterns.get(index)
                && accept(pattern.rule, end)
            {
                settled |= bit;
            }
        }
    }
}

/// Which patterns may match, by the first few bytes. May name one that does not match, never leaves one out that does.
struct Openings {
    /// The class of each byte: bytes of a class are alike to every pattern.
    class: [u8; 256],
    /// For each place and class, the patterns that can go on.
    alive: Vec<[u128; LOOK]>,
}

/// How many bytes the table looks at.
const LOOK: usize = 6;

impl Openings {
    fn of(patterns: &[Compiled]) -> Self {
        let mut columns = vec![[0; 256]; LOOK];
        for (index, pattern) in patterns.iter().enumerate() {
            reach(&pattern.automaton, &mut columns, 1 << (index % MOST));
        }
        let mut alive: Vec<[u128; LOOK]> = Vec::new();
        let mut class = [0; 256];
        for (byte, slot) in class.iter_mut().enumerate() {
            let mut row = [0; LOOK];
            for (cell, column) in row.iter_mut().zip(&columns) {
                *cell = column.get(byte).copied().unwrap_or(0);
            }
            let known = alive.iter().position(|r| *r == row).unwrap_or_else(|| {
                alive.push(row);
                alive.len() - 1
            });
            *slot = u8::try_from(known).unwrap_or(u8::MAX);
        }
        Self { class, alive }
    }

    /// The patterns of `alive` that may match at `start`. Past the end stands a zero byte.
    fn at(&self, bytes: &[u8], start: usize, mut alive: u128) -> u128 {
        let rest = bytes.get(start..).unwrap_or(&[]);
        for place in 0..LOOK {
            let byte = rest.get(place).copied().unwrap_or(0);
            let class = self.class.get(usize::from(byte)).copied().unwrap_or(0);
            alive &= self.alive.get(usize::from(class)).and_then(|row| row.get(place)).copied().unwrap_or(0);
            if alive == 0 {
                break;
            }
        }
        alive
    }
}

impl Compiled {
    fn walk(&self, bytes: &[u8], start: usize, mut matched: impl FnMut(usize)) {
        let automaton = &self.automaton;
        let limit = bytes.len().min(start.saturating_add(WINDOW));
        let first = self.start.or_else(|| first_state(automaton, bytes, start, limit));
        let Some(mut state) = first else { return };
        // A match shows one byte late, so the byte after the window is read too.
        for pos in start..=limit {
            state = match bytes.get(pos) {
                Some(byte) => automaton.next_state(state, *byte),
                None => automaton.next_eoi_state(state),
            };
            if automaton.is_special_state(state) {
                if automaton.is_match_state(state) {
                    matched(pos);
                } else if automaton.is_dead_state(state) || automaton.is_quit_state(state) {
                    return;
                }
            }
        }
    }
}

/// The states in which a match may start: what stands before may matter to a pattern (nothing, a line end, a space, a letter).
fn starts(automaton: &dense::DFA<Vec<u32>>) -> BTreeSet<StateID> {
    let before: [&[u8]; 5] = [b"x", b"\nx", b"\rx", b" x", b"xx"];
    before.iter().filter_map(|text| first_state(automaton, text, text.len() - 1, text.len())).collect()
}

fn only_start(automaton: &dense::DFA<Vec<u32>>) -> Option<StateID> {
    let states = starts(automaton);
    states.first().copied().filter(|_| states.len() == 1)
}

/// Marks, for each place and byte, that a pattern can go on with that byte there.
fn reach(automaton: &dense::DFA<Vec<u32>>, columns: &mut [[u128; 256]], bit: u128) {
    let mut states = starts(automaton);
    let mut matched = false;
    for column in columns {
        let mut next = BTreeSet::new();
        for byte in 0..=u8::MAX {
            for state in &states {
                let to = automaton.next_state(*state, byte);
                if !automaton.is_dead_state(to) {
                    next.insert(to);
                    if let Some(slot) = column.get_mut(usize::from(byte)) {
                        *slot |= bit;
                    }
                }
            }
        }
        // A match shows one byte late: any byte may follow it.
        matched |= states.iter().any(|state| automaton.is_match_state(automaton.next_eoi_state(*state)));
        if matched {
            column.iter_mut().for_each(|slot| *slot |= bit);
        }
        states = next;
    }
}

/// How many ends of one pattern are asked about at one start.
const TRIES_MAX: u8 = 25;

/// The most patterns one lane can hold.
pub(super) const MOST: usize = 128;

fn compile(regex: &str) -> Result<dense::DFA<Vec<u32>>, String> {
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .start_kind(StartKind::Anchored)
                .match_kind(MatchKind::All)
                .minimize(false)
                .dfa_size_limit(Some(4 << 20))
                .determinize_size_limit(Some(8 << 20)),
        )
        .syntax(syntax::Config::new().unicode(false).utf8(false).case_insensitive(true))
        .thompson(thompson::Config::new().utf8(false))
        .build(regex)
        .map_err(|e| {
            let mut reason: &dyn std::error::Error = &e;
            while let Some(deeper) = reason.source() {
                reason = deeper;
            }
            reason.to_string().replace('\n', " ")
        })
}

fn first_state(automaton: &dense::DFA<Vec<u32>>, bytes: &[u8], start: usize, end: usize) -> Option<StateID> {
    let input = Input::new(bytes).range(start..end).anchored(Anchored::Yes);
    automaton.start_state_forward(&input).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(regexes: &[&str]) -> Lane {
        let entries: Vec<_> = regexes
            .iter()
            .enumerate()
            .map(|(rule, regex)| Entry { file: "x.yaml", regex, rule, weak: false })
            .collect();
        Lane::build(&entries).unwrap()
    }

    #[test]
    fn the_longest_end_that_ends_a_word_is_found() {
        let made = lane(&[r"\d{2}", r"\d+[a-z]*", "ab"]);
        let mut found = Vec::new();
        made.matches_at("x 12345AB.", 2, true, |rule, end| {
            found.push((rule, end));
            true
        });
        assert_eq!(found, [(1, 9)]);
        made.matches_at("x12", 1, true, |_, _| panic!("inside a word"));
    }

    #[test]
    fn a_fault_names_the_regex_and_the_mend() {
        let bad = [
            Entry { file: "a.yaml", regex: "ok", rule: 0, weak: false },
            Entry { file: "b.yaml", regex: "(?<=x)y", rule: 1, weak: false },
        ];
        let fault = Lane::build(&bad).err().unwrap();
        assert_eq!(fault.file, "b.yaml");
        assert!(fault.what.contains("starts: anywhere"), "{fault}");
    }
}
