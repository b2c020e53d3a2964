//! The first steps of an automaton as a plain table: most places where a pattern could start are dismissed by it.
//!
//! It holds the states that are nearest to the start, and no more than [`MOST`]. As long as a text keeps to these it tells what
//! the automaton would; where a text leaves them it says so.

use super::bytes::{at, free_after};
use super::lane::{Ends, bit};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input};
use std::collections::HashMap;

/// The states nearest to the start of an automaton.
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
        let mut walk = Walk {
            dfa,
            cache: &mut cache,
            width: 0,
            known: HashMap::new(),
            queue: Vec::new(),
            matched: vec![Vec::new()],
        };
        let made = walk.table();
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

/// Builds the table, the states nearest to the start first.
struct Walk<'d> {
    dfa: &'d DFA,
    cache: &'d mut Cache,
    width: usize,
    known: HashMap<LazyStateID, u32>,
    queue: Vec<LazyStateID>,
    matched: Vec<Vec<u8>>,
}

impl Walk<'_> {
    fn table(&mut self) -> Steps {
        let classes = self.dfa.byte_classes();
        let end = classes.alphabet_len().saturating_sub(1);
        self.width = end + 1;
        let mut column = [0; 256];
        let mut bytes = vec![None; end];
        for (byte, slot) in (0..=u8::MAX).zip(&mut column) {
            *slot = classes.get(byte);
            bytes.get_mut(usize::from(*slot)).into_iter().for_each(|known| *known = Some(byte));
        }
        let mut rows = vec![DEAD; self.width];
        let starts = (0..=NO_BYTE).map(|left| self.start(u8::try_from(left).ok())).collect();
        let mut at = 0;
        while let Some(state) = self.queue.get(at).copied() {
            for byte in &bytes {
                let next = byte.and_then(|b| self.dfa.next_state(self.cache, state, b).ok());
                rows.push(next.map_or(UNKNOWN, |next| self.row(next)));
            }
            let over = self.dfa.next_eoi_state(self.cache, state);
            rows.push(over.map_or(UNKNOWN, |next| self.row(next)));
            at += 1;
        }
        Steps { column, end, starts, rows, matched: std::mem::take(&mut self.matched) }
    }

    /// The row at which to start behind a byte.
    fn start(&mut self, left: Option<u8>) -> u32 {
        let text = left.map_or_else(|| vec![b'x'], |left| vec![left, b'x']);
        let input = Input::new(&text).range(text.len() - 1..).anchored(Anchored::Yes);
        self.dfa.start_state_forward(self.cache, &input).map_or(UNKNOWN, |state| self.row(state))
    }

    /// Where the row of a state begins, and whether a match ends there.
    fn row(&mut self, state: LazyStateID) -> u32 {
        if state.is_dead() {
            return DEAD;
        }
        if state.is_quit() || state.is_unknown() {
            return UNKNOWN;
        }
        let matched = if state.is_match() { MATCH } else { 0 };
        if let Some(row) = self.known.get(&state) {
            return row | matched;
        }
        if self.queue.len() >= MOST {
            return UNKNOWN;
        }
        self.queue.push(state);
        let patterns = if state.is_match() { 0..self.dfa.match_len(self.cache, state) } else { 0..0 };
        let patterns = patterns.map(|n| self.dfa.match_pattern(self.cache, state, n).as_usize() as u8);
        self.matched.push(patterns.collect());
        let row = u32::try_from(self.queue.len() * self.width).unwrap_or(UNKNOWN);
        self.known.insert(state, row);
        row | matched
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
