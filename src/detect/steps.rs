//! The first steps of an automaton as a plain table: most places where a pattern could start are dismissed by it.
//!
//! It holds the states that texts reach most, and no more than [`MOST`]. As long as a text keeps to these it tells what
//! the automaton would; where a text leaves them it says so.

use super::bytes::{at, free_after};
use super::lane::{Ends, bit};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input};
use std::collections::HashMap;

/// The states of an automaton that texts reach most.
pub(super) struct Steps {
    /// The column of each byte: bytes of one column are alike to every pattern.
    column: [u8; 256],
    /// The column of the end of the text.
    end: usize,
    /// The row at which to start, by the byte before; the last at the start of the text.
    starts: Vec<u32>,
    /// Rows of places where other rows begin, one a column.
    rows: Vec<u32>,
    /// By row, the patterns that end there.
    matched: Vec<Vec<u8>>,
}

impl Steps {
    /// The first steps of an automaton.
    pub(super) fn of(dfa: &DFA) -> Self {
        let mut cache = dfa.create_cache();
        let classes = dfa.byte_classes();
        let mut column = [0; 256];
        let mut columns = vec![(0, 0.0); classes.alphabet_len().saturating_sub(1)];
        for (byte, slot) in (0..=u8::MAX).zip(&mut column) {
            *slot = classes.get(byte);
            let of = columns.get_mut(usize::from(*slot));
            of.into_iter().for_each(|(one, sum)| (*one, *sum) = (byte, *sum + often(byte)));
        }
        let walk = Walk { dfa, cache: &mut cache, columns, states: Vec::new(), known: HashMap::new() };
        let made = walk.table(column);
        // States of an automaton that had to start afresh are not those that were noted.
        if cache.clear_count() == 0 { made } else { Self { starts: Vec::new(), ..made } }
    }

    /// Adds where matches from `start` end a word, at most `window` bytes further, of those patterns whose bit is set in
    /// `wanted`: lengths and patterns, in order. Whether these are all; if not, the automaton itself is to be asked.
    #[inline]
    pub(super) fn ends(
        &self,
        text: &str,
        start: usize,
        window: usize,
        wanted: u128,
        ends: &mut Ends,
    ) -> bool {
        let bytes = text.as_bytes();
        let left = start.checked_sub(1).map_or(NO_BYTE, |left| usize::from(at(bytes, left)));
        let mut row = self.starts.get(left).copied().unwrap_or(UNKNOWN);
        // A match shows one byte late, so the byte after the window is read too.
        for pos in start..=start.saturating_add(window) {
            let byte = bytes.get(pos);
            let column = byte.and_then(|byte| self.column.get(usize::from(*byte)));
            let place = (row as usize).wrapping_add(column.map_or(self.end, |column| usize::from(*column)));
            row = self.rows.get(place).copied().unwrap_or(UNKNOWN);
            if row == DEAD {
                return true;
            }
            if row & MATCH != 0 {
                if row == UNKNOWN {
                    return false;
                }
                row &= !MATCH;
                if !at(bytes, pos.wrapping_sub(1)).is_ascii_alphanumeric() || free_after(text, pos) {
                    let found =
                        self.patterns(row).iter().filter(|pattern| wanted & bit((**pattern).into()) != 0);
                    ends.extend(found.map(|pattern| (pos.wrapping_sub(start) as u16, *pattern)));
                }
            }
            if byte.is_none() {
                return true;
            }
        }
        true
    }

    /// The patterns of which a match ends where a row begins.
    fn patterns(&self, row: u32) -> &[u8] {
        self.matched.get(row as usize / self.end.saturating_add(1)).map_or(&[], |patterns| patterns)
    }
}

/// Builds the table, the states that texts reach most before others.
struct Walk<'d> {
    dfa: &'d DFA,
    cache: &'d mut Cache,
    /// What stands for each column but the last, which is the end of the text, and how often it is met.
    columns: Vec<(u8, f32)>,
    /// The states met so far, in order, and where each stands there.
    states: Vec<State>,
    known: HashMap<LazyStateID, usize>,
}

/// A state of the automaton, and how often texts reach it.
struct State {
    id: LazyStateID,
    weight: f32,
    /// The states that follow, a column each; none as long as it is not taken in.
    next: Vec<LazyStateID>,
}

impl Walk<'_> {
    fn table(mut self, column: [u8; 256]) -> Steps {
        let left = (0..=NO_BYTE).map(|left| u8::try_from(left).ok());
        let starts: Vec<_> = left.map(|left| self.start(left)).collect();
        starts.iter().flatten().for_each(|id| self.meet(*id, 1.0));
        for _ in 0..MOST {
            let open = self.states.iter_mut().filter(|state| state.next.is_empty());
            let Some(likeliest) = open.max_by(|a, b| a.weight.total_cmp(&b.weight)) else { break };
            let (id, weight) = (likeliest.id, likeliest.weight);
            let next = self.after(id);
            for (next, (_, often)) in next.iter().zip(self.columns.clone()) {
                self.meet(*next, weight * often);
            }
            let state = self.known.get(&id).and_then(|index| self.states.get_mut(*index));
            state.into_iter().for_each(|state| state.next.clone_from(&next));
        }
        self.finish(column, &starts)
    }

    /// The automaton at the start of a text behind a byte.
    fn start(&mut self, left: Option<u8>) -> Option<LazyStateID> {
        let text = left.map_or_else(|| vec![b'x'], |left| vec![left, b'x']);
        let input = Input::new(&text).range(text.len() - 1..).anchored(Anchored::Yes);
        self.dfa.start_state_forward(self.cache, &input).ok()
    }

    /// What follows a state, a column each; empty when the automaton gives up.
    fn after(&mut self, id: LazyStateID) -> Vec<LazyStateID> {
        let (dfa, cache) = (self.dfa, &mut *self.cache);
        let mut next: Vec<_> =
            self.columns.iter().map_while(|(byte, _)| dfa.next_state(cache, id, *byte).ok()).collect();
        next.extend(dfa.next_eoi_state(cache, id));
        next
    }

    fn meet(&mut self, id: LazyStateID, weight: f32) {
        if id.is_dead() || id.is_quit() || id.is_unknown() {
            return;
        }
        let index = *self.known.entry(id).or_insert(self.states.len());
        match self.states.get_mut(index) {
            Some(state) => state.weight = state.weight.max(weight),
            None => self.states.push(State { id, weight, next: Vec::new() }),
        }
    }

    /// The table of the states that were taken in.
    fn finish(self, column: [u8; 256], starts: &[Option<LazyStateID>]) -> Steps {
        let width = self.columns.len() + 1;
        let taken: Vec<&State> = self.states.iter().filter(|state| state.next.len() == width).collect();
        let places: HashMap<LazyStateID, u32> =
            taken.iter().enumerate().map(|(n, state)| (state.id, ((n + 1) * width) as u32)).collect();
        let place = |id: &LazyStateID| match places.get(id) {
            _ if id.is_dead() => DEAD,
            Some(place) => place | if id.is_match() { MATCH } else { 0 },
            None => UNKNOWN,
        };
        let mut rows = vec![DEAD; width];
        rows.extend(taken.iter().flat_map(|state| state.next.iter().map(place)));
        let mut matched = vec![Vec::new()];
        matched.extend(taken.iter().map(|state| {
            let count = if state.id.is_match() { self.dfa.match_len(self.cache, state.id) } else { 0 };
            (0..count).map(|n| self.dfa.match_pattern(self.cache, state.id, n).as_usize() as u8).collect()
        }));
        let starts = starts.iter().map(|id| id.as_ref().map_or(UNKNOWN, place)).collect();
        Steps { column, end: width - 1, starts, rows, matched }
    }
}

/// How often a byte is met where a number or a word may stand, roughly.
const fn often(byte: u8) -> f32 {
    match byte {
        b' ' => 0.2,
        b'0'..=b'9' => 0.03,
        b'a'..=b'z' => 0.015,
        b'.' | b',' | b'-' | b':' | b'/' => 0.01,
        b'A'..=b'Z' => 0.002,
        _ => 0.0005,
    }
}

/// The most states that are kept.
const MOST: usize = 300;
/// Where `starts` holds the start of the text.
const NO_BYTE: usize = 256;
/// No pattern goes on.
const DEAD: u32 = 0;
/// A match ends here, and the way goes on.
const MATCH: u32 = 1 << 31;
/// A state that the table does not hold.
const UNKNOWN: u32 = u32::MAX;
