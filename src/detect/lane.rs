//! Patterns that are tried at chosen places: one dense automaton for all patterns of a lane.
//!
//! Every try is anchored and reads at most [`WINDOW`] bytes, so a text costs time in proportion to its
//! length whatever it holds.

use super::bytes::{at, free_after, free_before};
use super::error::RulesetFault;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::{primitives::StateID, syntax};
use regex_automata::{Anchored, Input, MatchKind, nfa::thompson};

/// The longest match, in bytes.
pub(super) const WINDOW: usize = 256;

/// A pattern to put in a lane.
pub(super) struct Entry<'a> {
    pub(super) file: &'a str,
    pub(super) regex: &'a str,
    /// Index of the rule that a match belongs to.
    pub(super) rule: usize,
}

/// The compiled patterns of one lane.
pub(super) struct Lane {
    automaton: Option<dense::DFA<Vec<u32>>>,
    rules: Vec<usize>,
    opening: [bool; 256],
}

impl Lane {
    /// Compiles the patterns; the fault names the first that does not compile.
    pub(super) fn build(entries: &[Entry<'_>]) -> Result<Self, RulesetFault> {
        if let Some(extra) = entries.get(MOST) {
            let what = format!("a lane holds at most {MOST} patterns; set `starts: anywhere` for some");
            return Err(RulesetFault { file: extra.file.to_owned(), line: None, what });
        }
        if entries.is_empty() {
            return Ok(Self { automaton: None, rules: Vec::new(), opening: [false; 256] });
        }
        let automaton = compile(&entries.iter().map(|e| e.regex).collect::<Vec<_>>()).map_err(|what| {
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
        let opening = opening(&automaton);
        Ok(Self { automaton: Some(automaton), rules: entries.iter().map(|e| e.rule).collect(), opening })
    }

    /// Offers `accept(rule, end)` each match from `start` that ends a word, the longest first, until it takes one of that rule.
    pub(super) fn matches_at(&self, text: &str, start: usize, mut accept: impl FnMut(usize, usize) -> bool) {
        let bytes = text.as_bytes();
        let Some(automaton) = self.automaton.as_ref().filter(|_| self.opens(at(bytes, start))) else {
            return;
        };
        if at(bytes, start).is_ascii_alphanumeric() && !free_before(text, start) {
            return;
        }
        let mut ends: Vec<(usize, usize)> = Vec::new();
        walk(automaton, bytes, start, |pattern, end| {
            if !at(bytes, end.saturating_sub(1)).is_ascii_alphanumeric() || free_after(text, end) {
                ends.push((end, pattern));
            }
        });
        let mut settled = 0_u128;
        for (end, pattern) in ends.into_iter().rev() {
            let bit = 1_u128 << (pattern % MOST);
            let whole = text.is_char_boundary(start) && text.is_char_boundary(end);
            if settled & bit == 0
                && whole
                && let Some(rule) = self.rules.get(pattern)
                && accept(*rule, end)
            {
                settled |= bit;
            }
        }
    }

    fn opens(&self, byte: u8) -> bool {
        self.opening.get(usize::from(byte)).copied().unwrap_or(false)
    }
}

/// The most patterns one lane can hold.
pub(super) const MOST: usize = 128;

fn compile(regexes: &[&str]) -> Result<dense::DFA<Vec<u32>>, String> {
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .start_kind(StartKind::Anchored)
                .match_kind(MatchKind::All)
                .minimize(false)
                .dfa_size_limit(Some(64 << 20))
                .determinize_size_limit(Some(64 << 20)),
        )
        .syntax(syntax::Config::new().unicode(false).utf8(false).case_insensitive(true))
        .thompson(thompson::Config::new().utf8(false))
        .build_many(regexes)
        .map_err(|e| {
            let mut reason: &dyn std::error::Error = &e;
            while let Some(deeper) = reason.source() {
                reason = deeper;
            }
            reason.to_string().replace('\n', " ")
        })
}

fn walk(automaton: &dense::DFA<Vec<u32>>, bytes: &[u8], start: usize, mut matched: impl FnMut(usize, usize)) {
    let limit = bytes.len().min(start.saturating_add(WINDOW));
    let Some(mut state) = first_state(automaton, bytes, start, limit) else { return };
    let mut report = |state: StateID, end: usize| {
        for n in 0..automaton.match_len(state) {
            matched(automaton.match_pattern(state, n).as_usize(), end);
        }
    };
    // A match shows one byte late, so the byte after the window is read too.
    for pos in start..=limit {
        state = match bytes.get(pos) {
            Some(byte) => automaton.next_state(state, *byte),
            None => automaton.next_eoi_state(state),
        };
        if automaton.is_special_state(state) {
            if automaton.is_match_state(state) {
                report(state, pos);
            } else if automaton.is_dead_state(state) || automaton.is_quit_state(state) {
                return;
            }
        }
    }
}

fn first_state(automaton: &dense::DFA<Vec<u32>>, bytes: &[u8], start: usize, end: usize) -> Option<StateID> {
    let input = Input::new(bytes).range(start..end).anchored(Anchored::Yes);
    automaton.start_state_forward(&input).ok()
}

/// The bytes with which a match can start.
fn opening(automaton: &dense::DFA<Vec<u32>>) -> [bool; 256] {
    let mut table = [false; 256];
    for byte in 0..=u8::MAX {
        let viable = first_state(automaton, &[byte], 0, 1)
            .is_some_and(|state| !automaton.is_dead_state(automaton.next_state(state, byte)));
        if let Some(slot) = table.get_mut(usize::from(byte)) {
            *slot = viable;
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(regexes: &[&str]) -> Lane {
        let entries: Vec<_> =
            regexes.iter().enumerate().map(|(rule, regex)| Entry { file: "x.yaml", regex, rule }).collect();
        Lane::build(&entries).unwrap()
    }

    #[test]
    fn the_longest_end_that_ends_a_word_is_found() {
        let made = lane(&[r"\d{2}", r"\d+[a-z]*", "ab"]);
        let mut found = Vec::new();
        made.matches_at("x 12345AB.", 2, |rule, end| {
            found.push((rule, end));
            true
        });
        assert_eq!(found, [(1, 9)]);
        made.matches_at("x12", 1, |_, _| panic!("inside a word"));
    }

    #[test]
    fn a_fault_names_the_regex_and_the_mend() {
        let bad = [
            Entry { file: "a.yaml", regex: "ok", rule: 0 },
            Entry { file: "b.yaml", regex: "(?<=x)y", rule: 1 },
        ];
        let fault = Lane::build(&bad).err().unwrap();
        assert_eq!(fault.file, "b.yaml");
        assert!(fault.what.contains("starts: anywhere"), "{fault}");
    }
}
