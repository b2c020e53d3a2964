//! Patterns that are tried at chosen places: one automaton for all patterns of a lane, built state by state as texts need it.
//!
//! Built whole, the automaton of all patterns is many megabytes large and misses the cache at every step; of the states that
//! texts reach there are few. What it finds does not depend on what it met before. Every try is anchored and reads at most
//! [`WINDOW`] bytes, so a text costs time in proportion to its length whatever it holds.

use super::bytes::{at, free_after, free_before};
use super::error::RulesetFault;
use super::steps::Steps;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Builder, Cache, Config, DFA};
use regex_automata::util::{pool::Pool, syntax};
use regex_automata::{Anchored, Input, MatchKind, nfa::thompson};
use smallvec::SmallVec;
use std::collections::HashSet;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

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
    /// All patterns, and those whose matches need no context.
    all: Option<Automaton>,
    strong: Option<Automaton>,
}

impl Lane {
    /// Compiles the patterns; the fault names the first that does not compile.
    pub(super) fn build(entries: &[Entry<'_>]) -> Result<Self, RulesetFault> {
        if let Some(extra) = entries.get(MOST) {
            let what = format!("a lane holds at most {MOST} patterns; set `starts: anywhere` for some");
            return Err(RulesetFault { file: extra.file.to_owned(), line: None, what });
        }
        let strong: Vec<&Entry<'_>> = entries.iter().filter(|e| !e.weak).collect();
        Ok(Self {
            all: Automaton::build(&entries.iter().collect::<Vec<_>>())?,
            strong: Automaton::build(&strong)?,
        })
    }

    /// Offers `accept(rule, end)` each match from `start` that ends a word, the longest first, until it takes one of that rule.
    /// Patterns that need context are left out where `context` says that the text has none.
    pub(super) fn matches_at(
        &self,
        text: &str,
        start: usize,
        context: bool,
        accept: impl FnMut(usize, usize) -> bool,
    ) {
        let chosen = if context { &self.all } else { &self.strong };
        if let Some(automaton) = chosen {
            automaton.matches_at(text, start, ALL, accept);
        }
    }

    /// The same of those patterns only whose bit is set in `wanted`, the first that the lane was built from lowest.
    pub(super) fn wanted_at(
        &self,
        text: &str,
        start: usize,
        wanted: u128,
        accept: impl FnMut(usize, usize) -> bool,
    ) {
        if let Some(automaton) = &self.all {
            automaton.matches_at(text, start, wanted, accept);
        }
    }
}

/// Several patterns as one automaton, and what it has built so far: one a thread at work.
struct Automaton {
    dfa: Arc<DFA>,
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>>,
    rules: Vec<usize>,
    openings: Openings,
    steps: Steps,
}

/// Ends, as lengths, and the patterns that end there; in order.
pub(super) type Ends = SmallVec<[(u16, u8); 32]>;

impl Automaton {
    fn build(entries: &[&Entry<'_>]) -> Result<Option<Self>, RulesetFault> {
        if entries.is_empty() {
            return Ok(None);
        }
        let regexes: Vec<&str> = entries.iter().map(|e| e.regex).collect();
        let dfa = compile(&regexes).map_err(|what| {
            let culprit = entries.iter().find(|e| compile(&[e.regex]).is_err()).or(entries.first());
            RulesetFault {
                file: culprit.map_or_else(String::new, |e| e.file.to_owned()),
                line: None,
                what: format!(
                    "regex `{}`: {what}; or set `starts: anywhere`",
                    culprit.map_or("", |e| e.regex)
                ),
            }
        })?;
        let openings = Openings::of(&regexes);
        let steps = Steps::of(&dfa);
        let dfa = Arc::new(dfa);
        let shared = Arc::clone(&dfa);
        let create: Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe> =
            Box::new(move || shared.create_cache());
        Ok(Some(Self {
            dfa,
            caches: Pool::new(create),
            rules: entries.iter().map(|e| e.rule).collect(),
            openings,
            steps,
        }))
    }

    fn matches_at(
        &self,
        text: &str,
        start: usize,
        wanted: u128,
        mut accept: impl FnMut(usize, usize) -> bool,
    ) {
        let bytes = text.as_bytes();
        let inside = || at(bytes, start).is_ascii_alphanumeric() && !free_before(text, start);
        if (wanted != ALL && !self.openings.at(bytes, start, wanted)) || inside() {
            return;
        }
        let mut ends = Ends::new();
        if !self.steps.ends(text, start, WINDOW, wanted, &mut ends) {
            ends.clear();
            self.ends(text, start, wanted, &mut ends);
        }
        if ends.is_empty() {
            return;
        }
        let mut settled = 0_u128;
        // A pattern that may end nearly anywhere is asked about its longest matches only.
        let mut tries: SmallVec<[u8; MOST]> = SmallVec::new();
        if ends.len() > usize::from(TRIES_MAX) {
            tries.resize(MOST, TRIES_MAX);
        }
        for (length, pattern) in ends.into_iter().rev() {
            let (end, pattern) = (start.wrapping_add(length.into()), usize::from(pattern));
            let bit = bit(pattern);
            let asked = tries.get_mut(pattern).is_none_or(|left| {
                *left = left.saturating_sub(1);
                *left > 0
            });
            let whole = text.is_char_boundary(start) && text.is_char_boundary(end);
            if settled & bit == 0
                && asked
                && whole
                && let Some(rule) = self.rules.get(pattern)
                && accept(*rule, end)
            {
                settled |= bit;
            }
        }
    }

    /// Where matches from `start` end a word.
    fn ends(&self, text: &str, start: usize, wanted: u128, ends: &mut Ends) {
        let (bytes, dfa, mut cache) = (text.as_bytes(), &*self.dfa, self.caches.get());
        let limit = bytes.len().min(start.saturating_add(WINDOW));
        let input = Input::new(bytes).range(start..limit).anchored(Anchored::Yes);
        let Ok(mut state) = dfa.start_state_forward(&mut cache, &input) else { return };
        // A match shows one byte late, so the byte after the window is read too.
        for pos in start..=limit {
            let next = match bytes.get(pos) {
                Some(byte) => dfa.next_state(&mut cache, state, *byte),
                None => dfa.next_eoi_state(&mut cache, state),
            };
            let Ok(next) = next else { break };
            state = next;
            if state.is_tagged() {
                if state.is_match() {
                    if !at(bytes, pos.wrapping_sub(1)).is_ascii_alphanumeric() || free_after(text, pos) {
                        let found = (0..dfa.match_len(&cache, state))
                            .map(|n| dfa.match_pattern(&cache, state, n).as_usize())
                            .filter(|pattern| wanted & bit(*pattern) != 0);
                        ends.extend(found.map(|pattern| ((pos.wrapping_sub(start)) as u16, pattern as u8)));
                    }
                } else if state.is_dead() || state.is_quit() {
                    break;
                }
            }
        }
    }
}

/// The bit of a pattern of a lane.
pub(super) const fn bit(pattern: usize) -> u128 {
    1_u128.wrapping_shl(pattern as u32)
}

/// All patterns.
const ALL: u128 = u128::MAX;

/// How many ends of one pattern are asked about at one start.
const TRIES_MAX: u8 = 25;

/// The most patterns one lane can hold.
pub(super) const MOST: usize = 128;

/// What one thread may keep of an automaton, in bytes; when that is full it starts afresh.
const BUILT_MAX: usize = 4 << 20;

fn compile(regexes: &[&str]) -> Result<DFA, String> {
    let config = Config::new()
        .match_kind(MatchKind::All)
        .cache_capacity(BUILT_MAX)
        .skip_cache_capacity_check(true)
        .unicode_word_boundary(false);
    Builder::new()
        .configure(config)
        .syntax(syntax::Config::new().unicode(false).utf8(false).case_insensitive(true))
        .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(8 << 20)))
        .build_many(regexes)
        .map_err(|e| {
            let mut reason: &dyn std::error::Error = &e;
            while let Some(deeper) = reason.source() {
                reason = deeper;
            }
            reason.to_string().replace('\n', " ")
        })
}

/// Whether some pattern may match, by the first few bytes. May say so of a place where none does, never says no where one does.
struct Openings {
    /// The class of each byte: bytes of a class are alike to every pattern.
    class: [u8; 256],
    /// For each class, the patterns that can go on with it at each place.
    alive: Vec<[u128; LOOK]>,
}

/// How many bytes the table looks at.
const LOOK: usize = 6;

impl Openings {
    fn of(regexes: &[&str]) -> Self {
        let mut columns = vec![[0; 256]; LOOK];
        for (index, regex) in regexes.iter().enumerate() {
            match compile(&[regex]) {
                Ok(dfa) => reach(&dfa, &mut columns, bit(index)),
                Err(_) => columns.iter_mut().flatten().for_each(|cell| *cell |= bit(index)),
            }
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

    /// Past the end stands a zero byte.
    fn at(&self, bytes: &[u8], start: usize, wanted: u128) -> bool {
        let rest = bytes.get(start..).unwrap_or(&[]);
        let mut alive = wanted;
        for place in 0..LOOK {
            let byte = rest.get(place).copied().unwrap_or(0);
            let class = self.class.get(usize::from(byte)).copied().unwrap_or(0);
            alive &= self.alive.get(usize::from(class)).and_then(|row| row.get(place)).copied().unwrap_or(0);
            if alive == 0 {
                return false;
            }
        }
        true
    }
}

/// Marks, for each place and byte, that a pattern can go on with that byte there.
fn reach(dfa: &DFA, columns: &mut [[u128; 256]], bit: u128) {
    let mut cache = dfa.create_cache();
    // What stands before the start may matter to a pattern: nothing, a line end, a space, a letter.
    let mut states: HashSet<LazyStateID> = HashSet::new();
    for before in [&b"x"[..], b"\nx", b"\rx", b" x", b"xx"] {
        let input = Input::new(before).range(before.len() - 1..).anchored(Anchored::Yes);
        states.extend(dfa.start_state_forward(&mut cache, &input));
    }
    let mut matched = false;
    for column in columns {
        // A match shows one byte late: any byte may follow it.
        let ends = |state: &LazyStateID, cache: &mut Cache| {
            dfa.next_eoi_state(cache, *state).is_ok_and(|s| s.is_match())
        };
        matched |= states.iter().any(|state| ends(state, &mut cache));
        let mut viable = [None; 256];
        let mut next = HashSet::new();
        for byte in 0..=u8::MAX {
            let class = usize::from(dfa.byte_classes().get(byte));
            let known = viable.get(class).copied().flatten();
            let goes_on = known.unwrap_or_else(|| {
                let on = states.iter().filter_map(|state| dfa.next_state(&mut cache, *state, byte).ok());
                let on: Vec<LazyStateID> = on.filter(|state| !state.is_dead()).collect();
                next.extend(on.iter().copied());
                !on.is_empty()
            });
            if let Some(slot) = viable.get_mut(class) {
                *slot = Some(goes_on);
            }
            if let Some(slot) = column.get_mut(usize::from(byte)).filter(|_| goes_on || matched) {
                *slot |= bit;
            }
        }
        states = next;
    }
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
