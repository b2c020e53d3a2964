//! What is looked for: the redacted values of a selection, by how much each tells wherever it stands.
//!
//! | value | where it is a leak |
//! |---|---|
//! | with a digit or a sign (number, address, handle), or of two words or more, and long enough | anywhere, in any form of bytes; under twelve bytes by itself, not within a longer word |
//! | one word of eight letters or more | in the row of its own record, and in names of files and wherever a form must be undone to read it: as a plain word other people may say it |
//! | anything else of four characters or more | in the row of its own record, as a whole word |
//! | shorter | nowhere: that the row is the one that is published is what holds it back |

use super::finder::Finder;
use super::forms::{self, Reading, Sought};
use crate::redact::folded;
use crate::vault::cores::on_every_core;
use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::cell::LazyCell;
use std::collections::HashSet;
use std::ops::Range;
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
/// The same where bytes were decoded: those beside a value may look like a letter, and eight that are right are no accident.
const SURE_DECODED_BYTES: usize = 8;
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
    telling: Arc<Finder>,
    /// Long words, which are a leak only where they are hidden.
    words: Arc<Finder>,
    sought: Arc<Sought>,
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
    /// From values in one case and without marks.
    #[must_use]
    pub fn of(values: &HashSet<String>) -> Self {
        Self::default().and(values, |needles, finder| needles.telling = finder)
    }

    /// The same with long words, which are looked for only where they are hidden: in names, and in forms that must be undone.
    #[must_use]
    pub fn and_words(self, words: &HashSet<String>) -> Self {
        self.and(words, |needles, finder| needles.words = finder)
    }

    fn and(mut self, values: &HashSet<String>, take: impl FnOnce(&mut Self, Arc<Finder>)) -> Self {
        let values_of = || values.iter().map(String::as_str);
        match Finder::of(values_of()) {
            Some(finder) => take(&mut self, Arc::new(finder)),
            None => self.broken = true,
        }
        self.sought = Arc::new(Sought {
            reach: self.telling.longest().max(self.words.longest()),
            letters: self.sought.letters.clone().and(values_of()),
        });
        self.count += values.len() as u64;
        self
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
        self.stand_surely_in(folded, SURE_BYTES)
    }

    /// The same, where values of `sure` bytes tell also within longer words.
    fn stand_surely_in(&self, folded: &str, sure: usize) -> bool {
        let tells = |at: Range<usize>| at.len() >= sure || has_edges(folded, at.start, at.end);
        self.broken || self.telling.any(folded, |_, at| tells(at))
    }

    /// Which long words stand in a text, by number. Also within others: an escape right before one looks like a letter of it, and
    /// so do bytes of another form.
    fn words_in(&self, folded: &str) -> HashSet<u32> {
        let mut found = HashSet::new();
        self.words.any(folded, |word, _| {
            found.insert(word);
            false
        });
        found
    }

    /// Where in a file values are found, in its name or its bytes, in whatever form: once for each stretch of it. On every core.
    #[must_use]
    pub fn in_file(&self, name: &str, bytes: &[u8]) -> Vec<Hit> {
        let look = Look { needles: self, file: name };
        let mut hits = look.through(name.as_bytes(), Where::Name);
        // In the bytes a length stands right before each of these, and may look like a digit of the value.
        let attributes = attributes(name, bytes);
        hits.extend(attributes.iter().flat_map(|attribute| look.through(attribute.as_bytes(), Where::Bytes)));
        let in_stretches = on_every_core(&stretches(bytes), |stretch| look.through(stretch, Where::Bytes));
        hits.extend(in_stretches.into_iter().flatten());
        hits.extend(look.through_compressed(bytes));
        hits
    }
}

/// Looking through one file.
struct Look<'n> {
    needles: &'n Needles,
    file: &'n str,
}

impl Look<'_> {
    fn through(&self, bytes: &[u8], at: Where) -> Vec<Hit> {
        let needles = self.needles;
        let plain = forms::plain(bytes);
        // Few texts have a long word that is hidden: only then is it asked which words stand there plainly.
        let words = LazyCell::new(|| needles.words_in(&plain));
        let found = needles.stand_in(&plain) || (at == Where::Name && !words.is_empty());
        self.hidden(found, at, |see| forms::undone(bytes, &needles.sought, see), |word| words.contains(&word))
    }

    fn through_compressed(&self, bytes: &[u8]) -> Vec<Hit> {
        let readings = |see: &mut dyn FnMut(Reading<'_>)| forms::compressed(bytes, &self.needles.sought, see);
        self.hidden(false, Where::Bytes, readings, |_| false)
    }

    /// Looks at readings in which a form is undone; a long word is a leak in these unless it stands there plainly as well.
    fn hidden(
        &self,
        mut found: bool,
        at: Where,
        readings: impl FnOnce(&mut dyn FnMut(Reading<'_>)),
        stands_plainly: impl Fn(u32) -> bool,
    ) -> Vec<Hit> {
        let (needles, mut unreadable) = (self.needles, false);
        let mut look = |text: &str, sure: usize| {
            found = found
                || needles.stand_surely_in(text, sure)
                || needles.words.any(text, |word, _| !stands_plainly(word));
        };
        readings(&mut |reading| match reading {
            Reading::Undone(text) => look(text, SURE_BYTES),
            Reading::Decoded(text) => look(text, SURE_DECODED_BYTES),
            Reading::Broken => unreadable = true,
        });
        let hits = [(found, at), (unreadable, Where::Unreadable)];
        let told = hits.into_iter().filter(|(is, _)| *is);
        told.map(|(_, at)| Hit { file: self.file.to_owned(), at }).collect()
    }
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
    let mut from = 0;
    // Also where it overlaps itself: `12 12` in `312 12 12`.
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(value)) {
        let start = from + at;
        if has_edges(text, start, start + value.len()) {
            return true;
        }
        from = start + value.chars().next().map_or(1, char::len_utf8);
    }
    false
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
        assert!(is_word_of("312 12 12", "12 12") && !is_word_of("312 12 123", "12 12"));
    }
}
