//! Patterns that are tried at chosen places: one automaton for all patterns of a lane, built whole as a table, or where patterns
//! of one's own make that too large state by state as texts need it.
//!
//! What it finds does not depend on what it met before. Every try is anchored and reads at most [`WINDOW`] bytes, so a text costs
//! time in proportion to its length whatever it holds.

use super::bytes::{at, free_after, free_before};
use super::error::RulesetFault;
use super::table::Table;
use regex_automata::hybrid::dfa::{Builder, Cache, Config, DFA};
use regex_automata::util::{pool::Pool, syntax};
use regex_automata::{Anchored, Input, MatchKind, nfa::thompson};
use smallvec::SmallVec;
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
    parts: Vec<Part>,
    /// By pattern, the rule that a match belongs to.
    rules: Vec<usize>,
    /// The patterns whose matches need no context.
    strong: u128,
}

/// Some patterns of a lane.
struct Part {
    automaton: Automaton,
    /// Their bits.
    patterns: u128,
}

/// Several patterns as one automaton.
enum Automaton {
    Whole(Box<Table>),
    /// One too large to be built ahead of time.
    Lazy(Lazy),
}

/// Ends, as lengths, and the patterns that end there; in order.
pub(super) type Ends = SmallVec<[(u16, u8); 32]>;

impl Lane {
    /// Compiles the patterns, so many together; the fault names the first that does not compile. Fewer together are compiled
    /// sooner; more are tried sooner, unless few of them are wanted at a time.
    pub(super) fn build(entries: &[Entry<'_>], together: usize) -> Result<Self, RulesetFault> {
        if let Some(extra) = entries.get(MOST) {
            let what = format!("a lane holds at most {MOST} patterns; set `starts: anywhere` for some");
            return Err(RulesetFault { file: extra.file.to_owned(), line: None, what });
        }
        let bits = entries.iter().enumerate().filter(|(_, e)| !e.weak).map(|(pattern, _)| bit(pattern));
        let strong = bits.fold(0, |all, bit| all | bit);
        let parts = (0..entries.len()).step_by(together.max(1)).zip(entries.chunks(together.max(1)));
        let parts: Result<Vec<Part>, _> =
            parts.map(|(first, some)| Part::build(some, first, strong)).collect();
        Ok(Self { parts: parts?, rules: entries.iter().map(|e| e.rule).collect(), strong })
    }

    /// Offers `accept(rule, end)` each match from `start` that ends a word, the longest first, until it takes one of that rule.
    /// Patterns that need context are left out where `context` says that the text has none.
    #[inline]
    pub(super) fn matches_at(
        &self,
        text: &str,
        start: usize,
        context: bool,
        accept: impl FnMut(usize, usize) -> bool,
    ) {
        self.wanted_at(text, start, if context { ALL } else { self.strong }, accept);
    }

    /// The same of those patterns only whose bit is set in `wanted`, the first that the lane was built from lowest.
    #[inline]
    pub(super) fn wanted_at(
        &self,
        text: &str,
        start: usize,
        wanted: u128,
        mut accept: impl FnMut(usize, usize) -> bool,
    ) {
        let mut ends = Ends::new();
        self.ends(text, start, wanted, &mut ends);
        if !ends.is_empty() {
            self.offer(text, start, &ends, &mut accept);
        }
    }

    /// The patterns of which a match may start with a byte, a bit each.
    pub(super) fn opening(&self, byte: u8) -> u128 {
        let of = |part: &Part| match &part.automaton {
            Automaton::Whole(table) => table.opening(byte),
            Automaton::Lazy(_) => part.patterns,
        };
        self.parts.iter().fold(0, |all, part| all | of(part))
    }

    /// Where matches from `start` end a word. One function for all who ask, as is the next: they stay near the processor.
    #[inline(never)]
    fn ends(&self, text: &str, start: usize, wanted: u128, ends: &mut Ends) {
        if at(text.as_bytes(), start).is_ascii_alphanumeric() && !free_before(text, start) {
            return;
        }
        for part in self.parts.iter().filter(|part| part.patterns & wanted != 0) {
            match &part.automaton {
                Automaton::Whole(table) => table.ends(text, start, wanted, ends),
                Automaton::Lazy(lazy) => lazy.ends(text, start, wanted, ends),
            }
        }
        if self.parts.len() > 1 {
            ends.sort_by_key(|(length, _)| *length);
        }
    }

    /// Offers `accept` matches, the longest first.
    #[inline(never)]
    fn offer(&self, text: &str, start: usize, ends: &Ends, accept: &mut dyn FnMut(usize, usize) -> bool) {
        if !text.is_char_boundary(start) {
            return;
        }
        let mut settled = 0_u128;
        // A pattern that may end nearly anywhere is asked about its longest matches only.
        let mut tries: SmallVec<[u8; MOST]> = SmallVec::new();
        if ends.len() > usize::from(TRIES_MAX) {
            tries.resize(MOST, TRIES_MAX);
        }
        for (length, pattern) in ends.iter().rev() {
            let (end, pattern) = (start.wrapping_add((*length).into()), usize::from(*pattern));
            let bit = bit(pattern);
            let asked = tries.get_mut(pattern).is_none_or(|left| {
                *left = left.saturating_sub(1);
                *left > 0
            });
            if settled & bit == 0
                && asked
                && text.is_char_boundary(end)
                && let Some(rule) = self.rules.get(pattern)
                && accept(*rule, end)
            {
                settled |= bit;
            }
        }
    }
}

impl Part {
    /// Compiles patterns of which the first has the number `first` in the lane.
    fn build(entries: &[Entry<'_>], first: usize, strong: u128) -> Result<Self, RulesetFault> {
        let patterns = (first..first + entries.len()).fold(0, |all, pattern| all | bit(pattern));
        let automaton = Automaton::build(entries, first, strong)?;
        Ok(Self { automaton, patterns })
    }
}

impl Automaton {
    fn build(entries: &[Entry<'_>], first: usize, strong: u128) -> Result<Self, RulesetFault> {
        let regexes: Vec<&str> = entries.iter().map(|e| e.regex).collect();
        if let Some(table) = Table::of(&regexes, first, strong) {
            return Ok(Self::Whole(Box::new(table)));
        }
        Lazy::build(&regexes, first).map(Self::Lazy).map_err(|what| {
            let culprit = entries.iter().find(|e| compile(&[e.regex]).is_err()).or(entries.first());
            RulesetFault {
                file: culprit.map_or_else(String::new, |e| e.file.to_owned()),
                line: None,
                what: format!(
                    "regex `{}`: {what}; or set `starts: anywhere`",
                    culprit.map_or("", |e| e.regex)
                ),
            }
        })
    }
}

/// An automaton that is built as texts need it, and what it has built so far: one a thread at work.
struct Lazy {
    /// The number of its first pattern in the lane.
    first: usize,
    dfa: Arc<DFA>,
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>>,
}

impl Lazy {
    fn build(regexes: &[&str], first: usize) -> Result<Self, String> {
        let dfa = Arc::new(compile(regexes)?);
        let shared = Arc::clone(&dfa);
        let create: Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe> =
            Box::new(move || shared.create_cache());
        Ok(Self { first, dfa, caches: Pool::new(create) })
    }

    /// Where matches from `start` end a word. Apart from the others, which would make room for it at every start they try.
    #[cold]
    #[inline(never)]
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
                            .map(|n| self.first + dfa.match_pattern(&cache, state, n).as_usize())
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
pub(super) const ALL: u128 = u128::MAX;

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lane(regexes: &[&str]) -> Lane {
        let entries: Vec<_> = regexes
            .iter()
            .enumerate()
            .map(|(rule, regex)| Entry { file: "x.yaml", regex, rule, weak: false })
            .collect();
        Lane::build(&entries, 2).unwrap()
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

    const REGEXES: &[&str] = &[
        r"\d{2,4}([ .-]?\d{2}){2}",
        r"[a-z]{2}\d{2}([ .-]?[a-z0-9])+",
        r"\d{1,2}[-/]\d{1,2}",
        r"(jan|feb|mrt) \d{4}",
        r"[1-9]\d{3} ?(?-i:[A-Z]{2})",
        r"\(?\+ ?31([ .-]*\d){9}",
        r"(\d{1,3}\.){3}\d{1,3}|::1?",
        r"^a\d|\bz\d+$|\d*x?",
    ];

    proptest! {
        /// The table, its look at the first bytes and the end of a search included, finds what the automaton of the library finds.
        #[test]
        fn a_table_finds_what_an_automaton_finds(
            text in "(\\d{1,5}|[a-eA-Ejanz.:/() +-]|NL12|x|é|31|feb 19){0,24}",
            wanted in any::<u8>(),
            strong in any::<u8>(),
        ) {
            let table = Table::of(REGEXES, 3, u128::from(strong) << 3).unwrap();
            let lazy = Lazy::build(REGEXES, 3).unwrap();
            for wanted in [u128::from(wanted) << 3, u128::from(strong) << 3, ALL] {
                for start in 0..=text.len() {
                    let (mut got, mut expected) = (Ends::new(), Ends::new());
                    table.ends(&text, start, wanted, &mut got);
                    lazy.ends(&text, start, wanted, &mut expected);
                    let opening = table.opening(at(text.as_bytes(), start));
                    prop_assert!(got.iter().all(|(_, pattern)| opening & bit((*pattern).into()) != 0));
                    prop_assert_eq!(got, expected, "{} from {}, {:b}", text, start, wanted);
                }
            }
        }
    }

    #[test]
    fn a_fault_names_the_regex_and_the_mend() {
        let bad = [
            Entry { file: "a.yaml", regex: "ok", rule: 0, weak: false },
            Entry { file: "b.yaml", regex: "(?<=x)y", rule: 1, weak: false },
        ];
        let fault = Lane::build(&bad, MOST).err().unwrap();
        assert_eq!(fault.file, "b.yaml");
        assert!(fault.what.contains("starts: anywhere"), "{fault}");
    }
}
