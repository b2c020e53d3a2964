//! The yardstick: a bare scan for candidates with regex-automata's multi-pattern search.

use anyhow::{Context, Result};
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

/// The union of `union.txt`, compiled.
pub(super) struct Union(Regex);

impl Union {
    /// Compiles it: bytes, ASCII classes, case ignored.
    ///
    /// # Errors
    /// When the list does not compile.
    pub(super) fn compile() -> Result<Self> {
        let syntax = syntax::Config::new().unicode(false).utf8(false).case_insensitive(true);
        let patterns: Vec<&str> = patterns().collect();
        Regex::builder().syntax(syntax).build_many(&patterns).map(Self).context("union.txt")
    }

    /// How many candidates a text holds.
    pub(super) fn count(&self, text: &str) -> usize {
        self.0.find_iter(text.as_bytes()).count()
    }
}

fn patterns() -> impl Iterator<Item = &'static str> {
    include_str!("union.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_candidate_is_met_and_no_repeat_is_counted() {
        assert_eq!(patterns().count(), 26);
        assert!(patterns().all(|p| !p.contains('{')), "unbounded repeats only");
        let union = Union::compile().unwrap();
        for candidate in [
            "jan@voorbeeld.nl",
            "jan (at) voorbeeld",
            "sanne at voorbeeld punt nl",
            "@jan_v",
            "https://voorbeeld.example/a?b",
            "www.voorbeeld.nl/a",
            "voorbeeld.nl",
            "NL91 ABNA 0417 1643 00",
            "DE89370400440532013000",
            "192.0.2.44",
            "2001:db8::1",
            "+31 (0)6 12345678",
            "06 - 12 34 56 78",
            "(020) 555 12 34",
            "0223-123456",
            "1-2-1990",
            "7 augustus 1998",
            "999990019",
            "9999.90.342",
            "4111 1111 1111 1111",
            "AB-12-34",
            "g001bb",
            "1234 AB",
        ] {
            assert_eq!(union.count(&format!("« {candidate} »")), 1, "{candidate}");
        }
        assert_eq!(union.count("de bus van half acht kwam weer niet, 35 minuten gewacht 😀"), 0);
    }
}
