//! What is looked for: the redacted values of a selection, by how much each tells wherever it stands.
//!
//! | value | where it is a leak |
//! |---|---|
//! | with a digit or a sign (number, address, handle), or of two words or more, and long enough | anywhere, in any form of bytes; under twelve bytes by itself, not within a longer word |
//! | one word of eight letters or more | in the row of its own record, and in names of files and wherever a form must be undone to read it: as a plain word other people may say it |
//! | anything else of four characters or more | in the row of its own record, as a whole word |
//! | shorter | nowhere: that the row is the one that is published is what holds it back |

use super::forms::{self, Reading};
use crate::redact::folded;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::HashSet;
use std::sync::Arc;

/// Least characters of a value that is looked for at all, as where text is redacted.
const CHARS_MIN: usize = 4;
/// Least of one with a digit or sign that tells by itself.
const CODE_CHARS_MIN: usize = 6;
/// Least of several words, and of one long word.
const WORDS_CHARS_MIN: usize = 8;
/// From so many bytes on a value is no accident within a longer word; shorter ones stand by themselves, else each code of six
/// characters would be found in some name that a grant draws.
const SURE_BYTES: usize = 12;
/// Bytes of patterns in one automaton: some hundred megabytes of memory.
const AUTOMATON_BYTES: usize = 8 << 20;
/// Bytes of a file that are read at a time, whole lines.
const STRETCH_BYTES: usize = 1 << 18;
/// Longest line that is read whole: that of a row is far shorter.
const LINE_BYTES_MAX: usize = 4 << 20;
/// What is read twice on each side where a stretch ends within a line.
const SEAM_BYTES: usize = 1 << 16;

/// How a value is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// It tells wherever it stands.
    Telling,
    /// One long word.
    LongWord,
    /// In its own row.
    Own,
}

impl Value {
    /// How a value (in one case, without marks) is looked for; `None` when it is in half of all words.
    #[must_use]
    pub fn of(folded: &str) -> Option<Self> {
        let chars = folded.chars().count();
        let plain = folded.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '-' | '.' | ' '));
        let words = folded.split_whitespace().filter(|word| word.chars().count() > 1).count();
        match chars {
            0..CHARS_MIN => None,
            _ if !plain && chars >= CODE_CHARS_MIN => Some(Self::Telling),
            _ if words > 1 && chars >= WORDS_CHARS_MIN => Some(Self::Telling),
            _ if plain && words == 1 && chars >= WORDS_CHARS_MIN => Some(Self::LongWord),
            _ => Some(Self::Own),
        }
    }
}

/// Where a value was found; never which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where {
    /// In the name of a file.
    Name,
    /// In its bytes, in some form.
    Bytes,
    /// In bytes that could not be undone to their end.
    Unreadable,
}

/// One find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In which file.
    pub file: String,
    /// In what of it.
    pub at: Where,
}

/// The values of a selection, ready to be looked for. `Debug` hides them; cloning shares them.
#[derive(Clone, Default)]
pub struct Needles {
    telling: Arc<Vec<AhoCorasick>>,
    /// Long words, which are a leak only where they are hidden.
    words: Arc<Vec<AhoCorasick>>,
    count: u64,
    /// Some of them cannot be looked for: everything then counts as found.
    broken: bool,
}

impl std::fmt::Debug for Needles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Needles({})", self.count)
    }
}

impl Needles {
    /// From values in one case and without marks. Those that are too many for one automaton are looked for in turns.
    #[must_use]
    pub fn of(values: &HashSet<String>) -> Self {
        let (automata, broken) = in_turns(values);
        Self { telling: Arc::new(automata), words: Arc::default(), count: values.len() as u64, broken }
    }

    /// The same with long words, which are looked for only where they are hidden: in names, and in forms that must be undone.
    #[must_use]
    pub fn and_words(self, words: &HashSet<String>) -> Self {
        let (automata, broken) = in_turns(words);
        let count = self.count + words.len() as u64;
        Self { words: Arc::new(automata), count, broken: self.broken || broken, ..self }
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether one of them stands in a text that is in one case and without marks.
    #[must_use]
    pub fn stand_in(&self, folded: &str) -> bool {
        let found = |automaton: &AhoCorasick| {
            let mut hits = automaton.find_overlapping_iter(folded);
            hits.any(|hit| hit.len() >= SURE_BYTES || has_edges(folded, hit.start(), hit.end()))
        };
        self.broken || self.telling.iter().any(found)
    }

    /// Which long words stand in a text, by turn and number. Also within others: an escape right before one looks like a letter of
    /// it, and so do bytes of another form.
    fn words_in(&self, folded: &str) -> HashSet<(usize, usize)> {
        let mut found = HashSet::new();
        for (turn, automaton) in self.words.iter().enumerate() {
            let hits = automaton.find_overlapping_iter(folded);
            found.extend(hits.map(|hit| (turn, hit.pattern().as_usize())));
        }
        found
    }

    /// Where in a file values are found, in its name or its bytes, in whatever form: once for each stretch of it.
    #[must_use]
    pub fn in_file(&self, name: &str, bytes: &[u8]) -> Vec<Hit> {
        let mut look = Look { needles: self, file: name, hits: Vec::new() };
        look.through(name.as_bytes(), Where::Name, forms::every);
        // In the bytes a length stands right before each of these, and may look like a digit of the value.
        for attribute in attributes(name, bytes) {
            look.through(attribute.as_bytes(), Where::Bytes, forms::every);
        }
        for stretch in stretches(bytes) {
            look.through(stretch, Where::Bytes, forms::every);
        }
        look.through(bytes, Where::Bytes, forms::compressed);
        look.hits
    }
}

/// Looking through one file.
struct Look<'n> {
    needles: &'n Needles,
    file: &'n str,
    hits: Vec<Hit>,
}

impl Look<'_> {
    fn through(&mut self, bytes: &[u8], at: Where, readings: impl Fn(&[u8], &mut dyn FnMut(Reading<'_>))) {
        let (mut found, mut unreadable, mut plain) = (false, false, HashSet::new());
        let needles = self.needles;
        readings(bytes, &mut |reading| match reading {
            Reading::Plain(text) => {
                plain = needles.words_in(text);
                found = found || needles.stand_in(text) || (at == Where::Name && !plain.is_empty());
            }
            Reading::Undone(text) => {
                found = found || needles.stand_in(text) || !needles.words_in(text).is_subset(&plain);
            }
            Reading::Broken => unreadable = true,
        });
        if found {
            self.hits.push(Hit { file: self.file.to_owned(), at });
        }
        if unreadable {
            self.hits.push(Hit { file: self.file.to_owned(), at: Where::Unreadable });
        }
    }
}

/// Automata for values, and whether some of them could not be built.
fn in_turns(values: &HashSet<String>) -> (Vec<AhoCorasick>, bool) {
    let mut sorted: Vec<&String> = values.iter().collect();
    sorted.sort_unstable();
    let (mut turns, mut bytes) = (vec![Vec::new()], 0);
    for value in sorted {
        if bytes >= AUTOMATON_BYTES {
            turns.push(Vec::new());
            bytes = 0;
        }
        bytes += value.len();
        if let Some(last) = turns.last_mut() {
            last.push(value);
        }
    }
    turns.retain(|turn| !turn.is_empty());
    let automata: Vec<AhoCorasick> = turns.iter().filter_map(|turn| build(turn)).collect();
    let broken = automata.len() < turns.len();
    (automata, broken)
}

fn build(values: &[&String]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(values)
        .ok()
}

/// What the foot of a file of columns says of it: keys and their values.
fn attributes(name: &str, bytes: &[u8]) -> Vec<String> {
    if !name.ends_with(".parquet") {
        return Vec::new();
    }
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes));
    let about = reader.ok().and_then(|read| read.metadata().file_metadata().key_value_metadata().cloned());
    about.into_iter().flatten().flat_map(|said| [said.key, said.value.unwrap_or_default()]).collect()
}

/// A file in stretches that end with a line, where there is one within [`LINE_BYTES_MAX`]; where there is none, what crosses the end
/// of a stretch by less than [`SEAM_BYTES`] is in a stretch of its own.
fn stretches(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut from) = (Vec::new(), 0);
    while from < bytes.len() {
        let least = (from + STRETCH_BYTES).min(bytes.len());
        let rest = bytes.get(least..).unwrap_or_default();
        let line = memchr::memchr(b'\n', rest.get(..rest.len().min(LINE_BYTES_MAX)).unwrap_or_default());
        let end = line.map_or(least, |at| least + at + 1);
        found.extend(bytes.get(from..end));
        if line.is_none() && end < bytes.len() {
            found.extend(bytes.get(end.saturating_sub(SEAM_BYTES)..(end + SEAM_BYTES).min(bytes.len())));
        }
        from = end;
    }
    found
}

/// Whether a value stands as a whole word in a text; both in one case and without marks.
pub(super) fn is_word_of(text: &str, value: &str) -> bool {
    text.match_indices(value).any(|(at, _)| has_edges(text, at, at + value.len()))
}

/// Whether neither a letter nor a digit stands before or behind a part of a text.
fn has_edges(text: &str, start: usize, end: usize) -> bool {
    let edge = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    let before = text.get(..start).and_then(|head| head.chars().next_back());
    let after = text.get(end..).and_then(|rest| rest.chars().next());
    edge(before) && edge(after)
}

/// The same as redacted text is compared.
pub(super) fn fold(value: &str) -> String {
    folded(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_value_is_looked_for_depends_on_how_much_it_tells() {
        for (value, how) in [
            ("jan", None),
            ("vos", None),
            ("jansen", Some(Value::Own)),
            ("kwinkelaar", Some(Value::LongWord)),
            ("fatima el idrissi", Some(Value::Telling)),
            ("j. vos", Some(Value::Own)),
            ("vos_83", Some(Value::Telling)),
            ("0612345678", Some(Value::Telling)),
            ("1985", Some(Value::Own)),
            ("fatima@voorbeeld.nl", Some(Value::Telling)),
        ] {
            assert_eq!(Value::of(value), how, "{value}");
        }
    }

    #[test]
    fn a_value_that_crosses_a_seam_is_found() {
        let needles = Needles::of(&HashSet::from(["0612345678".to_owned()]));
        for at in [0, 100, STRETCH_BYTES - 5, STRETCH_BYTES - 1, STRETCH_BYTES + 3] {
            let mut bytes = vec![b' '; STRETCH_BYTES * 2];
            bytes[at..at + 10].copy_from_slice(b"0612345678");
            assert!(!needles.in_file("a", &bytes).is_empty(), "{at}");
        }
        assert!(needles.in_file("a", &vec![b'x'; STRETCH_BYTES * 2]).is_empty());
    }

    #[test]
    fn words_have_edges() {
        assert!(is_word_of("dag jansen!", "jansen") && is_word_of("jansen", "jansen"));
        assert!(!is_word_of("dag jansenius", "jansen"));
    }
}
