//! An automaton of several patterns as a plain table: every state that texts can reach, two bytes a step.

use super::bytes::{at, free_after};
use super::lane::{ALL, Ends, WINDOW, bit};
use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::{alphabet::ByteClasses, primitives::StateID, start};
use regex_automata::{Anchored, MatchKind, nfa::thompson, util::syntax};
use std::collections::HashMap;
use wide::bytemuck::cast_slice;
use wide::u16x32;

/// Entries that are fetched from memory at once.
type Line = u16x32;

const LINE: usize = 32;

/// All states of an automaton.
pub(super) struct Table {
    /// The column of each byte: bytes of one column are alike to every pattern.
    column: [u8; 256],
    /// The column of the end of the text.
    end: u8,
    /// By the byte before, the entry at which to start; the last at the start of the text.
    starts: Vec<u16>,
    /// One row a state, of `1 << shift` entries: the state that follows and what is to be known of it. State 0 is the end of all.
    rows: Vec<Line>,
    shift: u32,
    /// By state, the patterns that end there.
    matched: Vec<Box<[u8]>>,
    /// By state, the patterns that end there or further on.
    alive: Vec<u128>,
    /// The patterns that are asked for where a text has no context.
    strong: u128,
    /// By column, the patterns that can go on with such a byte at each of the first places.
    opening: Vec<[u128; LOOK]>,
    /// The patterns that may have ended before each of the first places.
    ending: [u128; LOOK],
}

impl Table {
    /// The table of these patterns, of which the first has the number `first` in its lane; none when it would be larger than is
    /// worth it.
    pub(super) fn of(regexes: &[&str], first: usize, strong: u128) -> Option<Self> {
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(regex_automata::dfa::StartKind::Anchored)
            .dfa_size_limit(Some(BUILT_MAX))
            .determinize_size_limit(Some(BUILT_MAX));
        let dfa = dense::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().unicode(false).utf8(false).case_insensitive(true))
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(BUILT_MAX)))
            .build_many(regexes)
            .ok()?;
        Walk::through(&dfa, first, strong)
    }

    /// Whether some wanted pattern may match, by the first few bytes, and zeros past the end: most starts end here, at a few looks
    /// that do not wait for one another. What it says no of does not match. Apart from the search, which needs the registers.
    #[inline(never)]
    fn may_match(&self, bytes: &[u8], start: usize, wanted: u128) -> bool {
        let rest = bytes.get(start..).unwrap_or(&[]);
        let first = rest.first_chunk::<LOOK>().copied().unwrap_or_else(|| {
            let mut first = [0; LOOK];
            first.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
            first
        });
        // Those that may go on, and those that may have ended on the way.
        let (mut alive, mut ended) = (wanted, 0);
        for ((place, byte), ends) in first.into_iter().enumerate().zip(&self.ending) {
            let column = self.column.get(usize::from(byte)).copied().unwrap_or(0);
            let opens = self.opening.get(usize::from(column)).and_then(|of| of.get(place));
            ended |= alive & ends;
            alive &= opens.copied().unwrap_or(0);
        }
        alive | ended != 0
    }

    /// Adds where matches from `start` end a word, of those patterns whose bit is set in `wanted`: lengths and patterns, in order.
    #[inline]
    pub(super) fn ends(&self, text: &str, start: usize, wanted: u128, ends: &mut Ends) {
        // Which bits of an entry say that nothing wanted can follow, and what they are then.
        let (mask, over) = if wanted == self.strong { (WEAK, WEAK) } else { (STATE, 0) };
        let some = wanted != self.strong && wanted != ALL;
        // Which bits make an entry worth a look: most steps ask this and no more.
        let telling = if some { u16::MAX } else { EVENT | mask & WEAK };
        // Where nearly all patterns are wanted, the entries themselves tell as soon.
        if some && !self.may_match(text.as_bytes(), start, wanted) {
            return;
        }
        let bytes = text.as_bytes();
        let left = start.checked_sub(1).map_or(NO_BYTE, |left| usize::from(at(bytes, left)));
        let mut entry = self.starts.get(left).copied().unwrap_or(0);
        let rest = bytes.get(start..).unwrap_or(&[]);
        // A match shows one byte late, so the byte after the window is read too.
        let window = rest.get(..=WINDOW).unwrap_or(rest);
        let entries: &[u16] = cast_slice(&self.rows);
        for (length, byte) in window.iter().enumerate() {
            let column = self.column.get(usize::from(*byte)).copied().unwrap_or(0);
            entry = entries.get(place(entry, column, self.shift)).copied().unwrap_or(0);
            if entry & telling == 0 {
                continue;
            }
            if entry & mask == over || some && self.alive(entry) & wanted == 0 {
                return;
            }
            // Within a word of ASCII nothing ends.
            if entry & EVENT != 0
                && !(byte.is_ascii_alphanumeric()
                    && length > 0
                    && at(rest, length.wrapping_sub(1)).is_ascii_alphanumeric())
            {
                self.note(text, start, length, entry, wanted, ends);
            }
        }
        if rest.len() <= WINDOW {
            entry = self.next(entry, self.end);
            if entry & EVENT != 0 {
                self.note(text, start, rest.len(), entry, wanted, ends);
            }
        }
    }

    /// The patterns of which a match may start with a byte.
    pub(super) fn opening(&self, byte: u8) -> u128 {
        let column = self.column.get(usize::from(byte)).copied().unwrap_or(0);
        let [on, ..] = self.opening.get(usize::from(column)).copied().unwrap_or([0; LOOK]);
        let [ended, ..] = self.ending;
        on | ended
    }

    /// The patterns that end where an entry leads, or further on.
    #[inline]
    fn alive(&self, entry: u16) -> u128 {
        self.alive.get(usize::from(entry & STATE)).copied().unwrap_or(0)
    }

    #[inline]
    fn next(&self, entry: u16, column: u8) -> u16 {
        cast_slice::<_, u16>(&self.rows).get(place(entry, column, self.shift)).copied().unwrap_or(0)
    }

    /// Notes what ends at `start + length`, if a word does.
    fn note(&self, text: &str, start: usize, length: usize, entry: u16, wanted: u128, ends: &mut Ends) {
        let end = start.wrapping_add(length);
        if at(text.as_bytes(), end.wrapping_sub(1)).is_ascii_alphanumeric() && !free_after(text, end) {
            return;
        }
        for pattern in self.matched.get(usize::from(entry & STATE)).into_iter().flatten() {
            if wanted & bit((*pattern).into()) != 0 {
                ends.push((length as u16, *pattern));
            }
        }
    }
}

/// Where the entry stands that follows another at a byte of a column.
#[inline]
const fn place(entry: u16, column: u8, shift: u32) -> usize {
    ((entry & STATE) as usize).wrapping_shl(shift) | column as usize
}

/// Numbers the states of an automaton as texts reach them, so that those reached early lie together.
struct Walk<'d> {
    dfa: &'d dense::DFA<Vec<u32>>,
    /// The states met so far, and the number of each.
    met: Vec<StateID>,
    known: HashMap<StateID, u16>,
}

impl<'d> Walk<'d> {
    /// The table of an automaton; none if it has too many states.
    fn through(dfa: &'d dense::DFA<Vec<u32>>, first: usize, strong: u128) -> Option<Table> {
        let classes = dfa.byte_classes();
        let width = classes.alphabet_len();
        let shift = width.next_power_of_two().trailing_zeros();
        let mut walk = Self { dfa, met: vec![StateID::ZERO], known: HashMap::new() };
        let (column, columns) = columns(classes);
        let starts: Option<Vec<u16>> =
            (0..=NO_BYTE).map(|left| walk.start(u8::try_from(left).ok())).collect();
        let mut rows: Vec<u16> = Vec::new();
        let mut row = 0;
        while let Some(id) = walk.met.get(row).copied() {
            rows.resize(row << shift, 0);
            for byte in &columns {
                rows.push(walk.number(dfa.next_state(id, *byte), row)?);
            }
            rows.push(walk.number(dfa.next_eoi_state(id), row)?);
            row += 1;
        }
        rows.resize(row << shift, 0);
        let end = u8::try_from(columns.len()).ok()?;
        let matched = walk.met.iter().map(|id| matched(dfa, *id, first)).collect();
        let mut table = Table {
            column,
            end,
            starts: starts?,
            rows: lines(&rows),
            shift,
            matched,
            alive: Vec::new(),
            strong,
            opening: Vec::new(),
            ending: [0; LOOK],
        };
        table.live(width);
        table.mark();
        table.open();
        Some(table)
    }

    fn start(&mut self, left: Option<u8>) -> Option<u16> {
        let config = start::Config::new().look_behind(left).anchored(Anchored::Yes);
        self.number(self.dfa.start_state(&config).ok()?, 1)
    }

    /// The number of a state that follows one in `row`; nothing follows the dead one.
    fn number(&mut self, id: StateID, row: usize) -> Option<u16> {
        if row == 0 || self.dfa.is_dead_state(id) || self.dfa.is_quit_state(id) {
            return Some(0);
        }
        if let Some(number) = self.known.get(&id) {
            return Some(*number);
        }
        let number = u16::try_from(self.met.len()).ok().filter(|number| *number <= STATE)?;
        self.met.push(id);
        self.known.insert(id, number);
        Some(number)
    }
}

/// The column of each byte, and a byte of each column. Digits, spaces and signs come first, so that most steps of most texts find
/// what they look for in the first line of a row.
fn columns(classes: &ByteClasses) -> ([u8; 256], Vec<u8>) {
    let mut bytes: Vec<u8> = (0..=u8::MAX).collect();
    let rank = |byte: &u8| (!byte.is_ascii_digit(), *byte != b' ', !byte.is_ascii_punctuation(), *byte);
    bytes.sort_by_key(rank);
    let mut columns: Vec<u8> = Vec::new();
    let mut column = [0; 256];
    for byte in bytes {
        let alike = columns.iter().position(|other| classes.get(*other) == classes.get(byte));
        let place = alike.unwrap_or(columns.len());
        if alike.is_none() {
            columns.push(byte);
        }
        column.get_mut(usize::from(byte)).into_iter().for_each(|slot| *slot = place as u8);
    }
    (column, columns)
}

/// Entries as lines, filled up with zeros.
fn lines(entries: &[u16]) -> Vec<Line> {
    let line = |part: &[u16]| {
        let mut line = [0; LINE];
        line.iter_mut().zip(part).for_each(|(slot, entry)| *slot = *entry);
        Line::new(line)
    };
    entries.chunks(LINE).map(line).collect()
}

/// The patterns that end at a state.
fn matched(dfa: &dense::DFA<Vec<u32>>, id: StateID, first: usize) -> Box<[u8]> {
    let count = if dfa.is_match_state(id) { dfa.match_len(id) } else { 0 };
    (0..count).map(|n| (first + dfa.match_pattern(id, n).as_usize()) as u8).collect()
}

impl Table {
    /// Works out which patterns can still end behind each state: what follows a state is asked again until nothing is new.
    fn live(&mut self, width: usize) {
        let mut alive: Vec<u128> = (0..self.matched.len() as u16).map(|state| self.ended(state)).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for state in (0..self.matched.len() as u16).rev() {
                let next = (0..width as u8).map(|column| usize::from(self.next(state, column)));
                let all = next.fold(0, |all, next| all | alive.get(next).copied().unwrap_or(0));
                if let Some(mine) = alive.get_mut(usize::from(state))
                    && all & !*mine != 0
                {
                    *mine |= all;
                    changed = true;
                }
            }
        }
        self.alive = alive;
    }

    /// Writes into every entry what is to be known of its state. A match that would end between two letters or digits is none, and
    /// no event: most would.
    fn mark(&mut self) {
        let of = |state: u16, within: bool| {
            let matched = self.matched.get(usize::from(state)).is_some_and(|patterns| !patterns.is_empty());
            let strong = self.alive.get(usize::from(state)).is_some_and(|alive| alive & self.strong != 0);
            let event = matched && !within || state == 0;
            state | if event { EVENT } else { 0 } | if strong { 0 } else { WEAK }
        };
        let (letters, behind) = (self.letters(), self.behind_letters());
        let width = 1 << self.shift;
        let rows = cast_slice::<_, u16>(&self.rows).chunks(width).zip(behind).flat_map(|(row, behind)| {
            row.iter().zip(&letters).map(move |(state, letter)| of(*state, behind && *letter))
        });
        let rows: Vec<u16> = rows.collect();
        let starts = self.starts.iter().map(|state| of(*state, false)).collect();
        (self.rows, self.starts) = (lines(&rows), starts);
    }

    /// By column, whether all its bytes are letters or digits of ASCII.
    fn letters(&self) -> Vec<bool> {
        let mut letters = vec![true; 1 << self.shift];
        let others = self.column.iter().zip(0..=u8::MAX).filter(|(_, byte)| !byte.is_ascii_alphanumeric());
        for column in others.map(|(column, _)| *column).chain([self.end]) {
            letters.get_mut(usize::from(column)).into_iter().for_each(|slot| *slot = false);
        }
        letters
    }

    /// By state, whether only letters and digits of ASCII lead to it.
    fn behind_letters(&self) -> Vec<bool> {
        let mut behind = vec![true; self.matched.len()];
        let letters = self.letters();
        let led =
            cast_slice::<_, u16>(&self.rows).chunks(letters.len()).flat_map(|row| row.iter().zip(&letters));
        let others = led.filter(|(_, letter)| !**letter).map(|(state, _)| state);
        for state in others.chain(&self.starts) {
            behind.get_mut(usize::from(*state)).into_iter().for_each(|slot| *slot = false);
        }
        behind
    }
}

impl Table {
    /// Works out which patterns go on with each byte at each of the first places, and which may end there.
    fn open(&mut self) {
        let mut opening = vec![[0; LOOK]; usize::from(self.end)];
        let states = 0..self.matched.len() as u16;
        let follow =
            |state: u16| (0..=self.end).fold(0, |all, column| all | self.alive(self.next(state, column)));
        let follow: Vec<u128> = states.map(follow).collect();
        let mut at = self.starts.clone();
        for place in 0..LOOK {
            let (mut next, mut ending) = (Vec::new(), 0);
            at.sort_unstable();
            at.dedup();
            for state in at {
                ending |= self.ended(self.next(state, self.end));
                for (column, of) in (0..self.end).zip(&mut opening) {
                    let entry = self.next(state, column);
                    ending |= self.ended(entry);
                    if entry & STATE != 0 {
                        let more = follow.get(usize::from(entry & STATE)).copied().unwrap_or(0);
                        of.get_mut(place).into_iter().for_each(|patterns| *patterns |= more);
                        next.push(entry);
                    }
                }
            }
            self.ending.get_mut(place).into_iter().for_each(|patterns| *patterns = ending);
            at = next;
        }
        self.opening = opening;
    }

    /// The patterns that end where an entry leads.
    fn ended(&self, entry: u16) -> u128 {
        let matched = self.matched.get(usize::from(entry & STATE)).into_iter().flatten();
        matched.fold(0, |all, pattern| all | bit((*pattern).into()))
    }
}

/// How many bytes are looked at before the automaton runs.
const LOOK: usize = 6;
/// The most that an automaton may take up while it is built, in bytes.
const BUILT_MAX: usize = 8 << 20;
/// Where `starts` holds the start of the text.
const NO_BYTE: usize = 256;
/// The part of an entry that is the number of a state.
const STATE: u16 = (1 << 14) - 1;
/// A match ends before the byte that led here, or nothing can follow.
const EVENT: u16 = 1 << 14;
/// Nothing but patterns that need context can still match.
const WEAK: u16 = 1 << 15;
