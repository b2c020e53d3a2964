//! Word lists as files: one word a line, `#` starts a comment.

use super::address::StreetWords;
use super::cut::kinds;
use super::error::RulesetFault;
use super::lexicon::{Dictionary, Flags, Lexicon};
use super::officials::Officials;
use super::words::{hash, words};

/// The lists of a ruleset, while they are read.
#[derive(Default)]
pub(super) struct Lists {
    known: Vec<(u64, Flags)>,
    common: Vec<u64>,
    pub(super) streets: StreetWords,
    pub(super) officials: Officials,
    seen: Vec<&'static str>,
}

/// Lists that must be there for names and addresses to be found.
const NEEDED: &[(&str, Flags)] = &[
    ("first-names.txt", Flags::FIRST),
    ("foreign-names.txt", Flags::FOREIGN),
    ("everyday-names.txt", Flags::EVERYDAY),
    ("surnames.txt", Flags::SURNAME),
    ("tussenvoegsels.txt", Flags::PARTICLE),
    ("tussenvoegsels-inner.txt", Flags::INNER),
    ("titles.txt", Flags::TITLE),
    ("offices.txt", Flags::OFFICE),
    ("places.txt", Flags::PLACE),
    ("other.txt", Flags::OTHER),
    ("cues.txt", Flags::CUE),
    ("common-dutch.txt", Flags::COMMON),
    ("common-english.txt", Flags::COMMON),
    ("street-words.txt", Flags::NONE),
];

/// The list of office-holders: each organisation has its own, or none.
const OFFICIALS: &str = "officials.txt";

impl Lists {
    /// Reads one list; `file` is its name within the `lists` folder.
    pub(super) fn read(&mut self, file: &str, text: &str) -> Result<(), RulesetFault> {
        if file.starts_with("own-") {
            return Ok(()); // Raw material of build.py, contained in the lists it writes.
        }
        let mut lines = text.lines().enumerate().filter(|(_, l)| !l.starts_with('#') && !l.trim().is_empty());
        if file == OFFICIALS {
            return lines.try_for_each(|(n, line)| {
                self.officials.add(line).map_err(|what| fault(file, Some(n + 1), what))
            });
        }
        let Some((name, flags)) = NEEDED.iter().find(|(name, _)| *name == file) else {
            let names: Vec<_> = NEEDED.iter().map(|(name, _)| *name).chain([OFFICIALS]).collect();
            return Err(fault(
                file,
                None,
                format!("no list has this name; use one of: {}", names.join(", ")),
            ));
        };
        self.seen.push(name);
        match *name {
            "street-words.txt" => lines.try_for_each(|(n, l)| self.street(file, n + 1, l)),
            "cues.txt" => lines.try_for_each(|(n, l)| self.cue(file, n + 1, l)),
            _ => {
                let hashes = lines.flat_map(|(_, l)| l.split_whitespace()).map(hash);
                if *flags == Flags::COMMON {
                    self.common.extend(hashes);
                } else {
                    self.known.extend(hashes.map(|hash| (hash, *flags)));
                }
                Ok(())
            }
        }
    }

    /// Marks the words that end one of the phrases.
    pub(super) fn mark(&mut self, phrases: &[String], flags: Flags) {
        let last = phrases.iter().filter_map(|phrase| words(phrase).last().map(|w| w.hash));
        self.known.extend(last.map(|hash| (hash, flags)));
    }

    /// The lists that are needed and were not given.
    pub(super) fn missing(&self) -> Vec<RulesetFault> {
        let absent = NEEDED.iter().filter(|(name, _)| !self.seen.contains(name));
        absent
            .map(|(name, _)| {
                fault(name, None, "this list is missing; it ships with Knik in patterns/lists".to_owned())
            })
            .collect()
    }

    /// Adds what other files say of words.
    pub(super) fn add(&mut self, known: impl Iterator<Item = (u64, Flags)>) {
        self.known.extend(known);
    }

    /// What is known of names and cues, and the table of everyday words.
    pub(super) fn tables(&self) -> (Lexicon, Dictionary) {
        (Lexicon::build(&self.known, kinds), Dictionary::build(self.common.iter().copied()))
    }

    fn cue(&mut self, file: &str, line: usize, text: &str) -> Result<(), RulesetFault> {
        let mut parts = text.split_whitespace();
        let flags = match (parts.next(), parts.next(), parts.next()) {
            (Some(word), Some("1"), None) => (hash(word), Flags::CUE_WEAK),
            (Some(word), Some("2"), None) => (hash(word), Flags::CUE),
            (Some(word), Some("3"), None) => (hash(word), Flags::CUE_STRONG),
            _ => {
                return Err(fault(
                    file,
                    Some(line),
                    "write a word and a weight of 1, 2 or 3, such as `volgens 3`".to_owned(),
                ));
            }
        };
        self.known.push(flags);
        Ok(())
    }

    fn street(&mut self, file: &str, line: usize, text: &str) -> Result<(), RulesetFault> {
        let mut parts = text.split_whitespace();
        let kind = parts.next().unwrap_or("");
        let hashed = parts.clone().flat_map(words).map(|w| w.hash);
        match kind {
            "strong" | "weak" => parts.for_each(|ending| self.streets.add_ending(ending, kind == "strong")),
            "whole" => self.known.extend(hashed.map(|hash| (hash, Flags::STREET))),
            "never" => self.streets.never.extend(hashed),
            "addition" => self.streets.additions.extend(hashed),
            "opener" => self.streets.openers.extend(hashed),
            _ => {
                let what = "start the line with strong, weak, whole, never, addition or opener";
                return Err(fault(file, Some(line), what.to_owned()));
            }
        }
        Ok(())
    }
}

fn fault(file: &str, line: Option<usize>, what: String) -> RulesetFault {
    RulesetFault { file: format!("lists/{file}"), line, what }
}
