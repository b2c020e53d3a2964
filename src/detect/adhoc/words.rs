//! Text cut into words the way Presidio's tokeniser (spaCy's rules for English and Dutch) cuts it, as far as it
//! decides which words stand before a match. No lemmas: a word is what is written. Lists in `patterns/context`.

use regex::Regex;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// The language whose rules and stop words are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    English,
    Dutch,
}

/// A word in its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    /// In lower case.
    pub(super) text: String,
    /// Whether it counts as context.
    pub(super) counts: bool,
}

/// The words of a text, in order, without overlap. Runs of blanks beyond one space are words too.
pub(super) fn words(text: &str, tongue: Tongue) -> Vec<Word> {
    let mut cuts = Vec::new();
    for (start, chunk) in chunks(text) {
        if chunk.starts_with(char::is_whitespace) {
            cuts.push((start, chunk));
        } else {
            cut(chunk, start, tongue, &mut cuts);
        }
    }
    let mut words: Vec<Word> = cuts
        .into_iter()
        .map(|(start, piece)| Word {
            start,
            end: start + piece.len(),
            text: piece.to_lowercase(),
            counts: false,
        })
        .collect();
    count(&mut words, tongue);
    words
}

/// A word counts when it is no stop word and no punctuation; one with a colon in it is counted by its parts.
fn count(words: &mut [Word], tongue: Tongue) {
    let stop = &Rules::of(tongue).stop_words;
    let kept =
        |word: &&Word| !stop.contains(word.text.as_str()) && !is_punctuation(&word.text) && word.text != "be";
    let keys: HashSet<String> =
        words.iter().filter(kept).flat_map(|word| word.text.split(':').map(str::to_owned)).collect();
    for word in words {
        word.counts = keys.contains(&word.text);
    }
}

/// Runs of blanks and of other characters, each with its start; the one space after a word is left out.
fn chunks(text: &str) -> Vec<(usize, &str)> {
    let mut chunks = Vec::new();
    let mut rest = text;
    let mut first = true;
    while let Some(c) = rest.chars().next() {
        let blank = c.is_whitespace();
        let len = rest.find(|c: char| c.is_whitespace() != blank).unwrap_or(rest.len());
        let (chunk, after) = rest.split_at(len);
        let start = text.len() - rest.len();
        let skip = usize::from(blank && !first && chunk.starts_with(' '));
        if let Some(kept) = chunk.get(skip..).filter(|kept| !kept.is_empty()) {
            chunks.push((start + skip, kept));
        }
        (rest, first) = (after, false);
    }
    chunks
}

/// Cuts punctuation off both ends of a chunk until nothing more comes off or an exception is left.
fn cut<'t>(chunk: &'t str, start: usize, tongue: Tongue, cuts: &mut Vec<(usize, &'t str)>) {
    let rules = Rules::of(tongue);
    let (mut core, mut at) = (chunk, start);
    let mut after = Vec::new();
    while !core.is_empty() && rules.exception(core).is_none() {
        let lead = lead(core, tongue);
        let rest = core.get(lead..).unwrap_or_default();
        let without_lead = rules.exception(rest).is_some();
        let trail = if without_lead { 0 } else { trail(rest, tongue) };
        let kept = core.len() - trail;
        // What is left without its tail alone may be an exception, such as a word in brackets that has one of its own.
        let without_trail = trail > 0 && core.get(..kept).is_some_and(|left| rules.exception(left).is_some());
        let lead = if without_trail { 0 } else { lead };
        if lead + trail == 0 {
            break;
        }
        cuts.extend(core.get(..lead).filter(|head| !head.is_empty()).map(|head| (at, head)));
        after.extend(core.get(kept..).filter(|tail| !tail.is_empty()).map(|tail| (at + kept, tail)));
        core = core.get(lead..kept).unwrap_or_default();
        at += lead;
    }
    match rules.exception(core) {
        Some(pieces) => {
            let mut from = 0;
            for piece in pieces {
                cuts.extend(core.get(from..from + piece.len()).map(|piece| (at + from, piece)));
                from += piece.len();
            }
        }
        None if is_address(core) => cuts.push((at, core)),
        None => middle(core, at, tongue, cuts),
    }
    cuts.extend(after.into_iter().rev());
}

/// How many bytes at the start are punctuation.
fn lead(text: &str, tongue: Tongue) -> usize {
    let mut chars = text.chars();
    let Some(c) = chars.next() else { return 0 };
    let dots = text.len() - text.trim_start_matches('.').len();
    let plus = c == '+' && !chars.next().is_some_and(|next| next.is_ascii_digit());
    if tongue == Tongue::Dutch && text.starts_with(",,") {
        return 2;
    }
    for currency in ["US$", "C$", "A$"] {
        if text.starts_with(currency) {
            return currency.len();
        }
    }
    match c {
        '.' if dots >= 2 => dots,
        '§' | '%' | '=' | '—' | '–' => c.len_utf8(),
        c if plus || is_mark(c) || is_currency(c) || is_icon(c) => c.len_utf8(),
        _ => 0,
    }
}

/// How many bytes at the end are punctuation, or a unit after a number.
fn trail(rest: &str, tongue: Tongue) -> usize {
    let Some(last) = rest.chars().next_back() else { return 0 };
    let head = |len: usize| rest.get(..rest.len() - len).and_then(|head| head.chars().next_back());
    if tongue == Tongue::English
        && let Some(len) = ["'s", "'S", "’s", "’S"].iter().find(|s| rest.ends_with(**s)).map(|s| s.len())
    {
        return len;
    }
    let dots = rest.len() - rest.trim_end_matches('.').len();
    let before = head(last.len_utf8());
    let digit_before = before.is_some_and(|c| c.is_ascii_digit());
    match last {
        '.' if dots >= 2 => dots,
        '.' if before.is_some_and(ends_sentence) || two_capitals(rest) => 1,
        '+' if digit_before => 1,
        '—' | '–' => last.len_utf8(),
        c if is_mark(c) || is_icon(c) || (is_currency(c) && digit_before) => c.len_utf8(),
        '%' if tongue == Tongue::English && digit_before => 1,
        _ => UNITS
            .iter()
            .filter(|unit| rest.ends_with(**unit) && head(unit.len()).is_some_and(|c| c.is_ascii_digit()))
            .map(|unit| unit.len())
            .max()
            .unwrap_or(0),
    }
}

fn ends_sentence(c: char) -> bool {
    c.is_ascii_digit() || c.is_lowercase() || "%²-+".contains(c) || is_mark(c)
}

fn two_capitals(text: &str) -> bool {
    let mut back = text.chars().rev().skip(1);
    let capital = |c: Option<char>| c.is_some_and(char::is_uppercase);
    capital(back.next()) && capital(back.next())
}

/// Cuts a word at signs between its letters.
fn middle<'t>(core: &'t str, at: usize, tongue: Tongue, cuts: &mut Vec<(usize, &'t str)>) {
    let mut from = 0;
    let mut push = |from: usize, to: usize| {
        cuts.extend(core.get(from..to).filter(|piece| !piece.is_empty()).map(|piece| (at + from, piece)));
    };
    let mut skip_to = 0;
    for (place, c) in core.char_indices() {
        if place < skip_to {
            continue;
        }
        let rest = core.get(place..).unwrap_or("");
        let len = infix(core.get(..place).unwrap_or(""), c, rest, tongue);
        if len > 0 {
            push(from, place);
            push(place, place + len);
            from = place + len;
            skip_to = from;
        }
    }
    push(from, core.len());
}

/// How many bytes at `rest`, which starts with `c`, part the word `before` it from what comes after.
fn infix(before: &str, c: char, rest: &str, tongue: Tongue) -> usize {
    let dots = rest.len() - rest.trim_start_matches('.').len();
    if dots >= 2 {
        return dots;
    }
    if c == '…' || is_icon(c) {
        return c.len_utf8();
    }
    let Some(left) = before.chars().next_back() else { return 0 };
    // No more than three make a hyphen; counting further would be done again at each of them.
    let hyphens: Vec<char> = rest.chars().take(4).take_while(|c| matches!(c, '-' | '—')).collect();
    let run: usize = hyphens.iter().map(|c| c.len_utf8()).sum::<usize>().max(c.len_utf8());
    let right = |len: usize| rest.get(len..).and_then(|rest| rest.chars().next());
    let Some(next) = right(c.len_utf8()) else { return 0 };
    let (letters, dutch) = (left.is_alphabetic() && next.is_alphabetic(), tongue == Tongue::Dutch);
    let quoted = |c: char| !dutch && is_quote(c);
    let parts = match c {
        '+' | '-' | '*' | '^'
            if !dutch && left.is_ascii_digit() && (next.is_ascii_digit() || next == '-') =>
        {
            true
        }
        '.' => (left.is_lowercase() || quoted(left)) && (next.is_uppercase() || quoted(next)),
        ',' => letters,
        '!' | '?' => dutch && letters,
        ':' | '<' | '>' | '=' if dutch => (left.is_alphabetic() || left == '"') && next.is_alphabetic(),
        ':' | '<' | '>' | '=' | '/' if !dutch => is_word(left) && next.is_alphabetic(),
        '-' if dutch => {
            let double =
                rest.starts_with("--") && left.is_alphabetic() && right(2).is_some_and(char::is_alphabetic);
            return if double { 2 } else { 0 };
        }
        '-' | '–' | '—' | '~' if !dutch => {
            let parts = is_word(left) && right(run).is_some_and(char::is_alphabetic) && hyphens.len() <= 3;
            return if parts { run } else { 0 };
        }
        '(' | ')' | '[' | ']' => dutch && letters,
        c if dutch && c != '\'' && is_quote(c) => letters,
        _ => false,
    };
    if parts { c.len_utf8() } else { 0 }
}

/// Web and mail addresses stay in one piece.
fn is_address(text: &str) -> bool {
    static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let label =
            r"(?:[A-Za-z0-9\u{a1}-\u{ffff}][A-Za-z0-9\u{a1}-\u{ffff}_-]{0,62})?[A-Za-z0-9\u{a1}-\u{ffff}]\.";
        let host = format!(r"(?:(?:{label})+\p{{Ll}}{{2,63}}|[1-9]\d{{0,2}}(?:\.\d{{1,3}}){{3}})");
        Regex::new(&format!(r"^(?:[\w+.-]{{2,}}://)?(?:\S+@)?{host}(?::\d{{2,5}})?(?:[/?#]\S*)?$")).ok()
    });
    text.contains('.')
        && text.len() <= ADDRESS_BYTES_MAX
        && ADDRESS.as_ref().is_some_and(|regex| regex.is_match(text))
}

/// Longer ones are not looked at as addresses.
const ADDRESS_BYTES_MAX: usize = 2_048;

fn is_word(c: char) -> bool {
    c.is_alphabetic() || c.is_ascii_digit()
}

fn is_mark(c: char) -> bool {
    is_quote(c) || "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪".contains(c)
}

fn is_quote(c: char) -> bool {
    "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧".contains(c)
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '£' | '€' | '¥' | '฿' | '﷼' | '\u{20a0}'..='\u{20bf}')
}

/// Pictures, arrows, emoji.
fn is_icon(c: char) -> bool {
    static SYMBOL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{So}$").ok());
    !c.is_ascii() && SYMBOL.as_ref().is_some_and(|regex| regex.is_match(c.encode_utf8(&mut [0; 4])))
}

/// Nothing but punctuation (Unicode category P).
fn is_punctuation(text: &str) -> bool {
    static PUNCTUATION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{P}+$").ok());
    PUNCTUATION.as_ref().is_some_and(|regex| regex.is_match(text))
}

const UNITS: &[&str] = &[
    "km", "km²", "km³", "m", "m²", "m³", "dm", "dm²", "dm³", "cm", "cm²", "cm³", "mm", "mm²", "mm³", "ha",
    "µm", "nm", "yd", "in", "ft", "kg", "g", "mg", "µg", "t", "lb", "oz", "m/s", "km/h", "kmh", "mph", "hPa",
    "Pa", "mbar", "mb", "MB", "kb", "KB", "gb", "GB", "tb", "TB", "T", "G", "M", "K",
];

/// The word lists of a language.
struct Rules {
    stop_words: HashSet<&'static str>,
    /// By the whole: the pieces it is cut into.
    exceptions: HashMap<String, Vec<&'static str>>,
    /// Bytes of the longest of them: what is longer need not be looked up, at each sign that is cut off anew.
    longest: usize,
}

impl Rules {
    fn of(tongue: Tongue) -> &'static Self {
        match tongue {
            Tongue::English => &ENGLISH,
            Tongue::Dutch => &DUTCH,
        }
    }

    fn read(stop_words: &'static str, exceptions: &'static str) -> Self {
        let lines = |text: &'static str| text.lines().filter(|line| !line.starts_with("# "));
        let exception = |line: &'static str| (line.replace(' ', ""), line.split(' ').collect());
        let exceptions: HashMap<_, _> = lines(exceptions).map(exception).collect();
        let longest = exceptions.keys().map(String::len).max().unwrap_or(0);
        Self { stop_words: lines(stop_words).collect(), exceptions, longest }
    }

    fn exception(&self, text: &str) -> Option<&[&'static str]> {
        if text.len() > self.longest { None } else { self.exceptions.get(text).map(Vec::as_slice) }
    }
}

static ENGLISH: LazyLock<Rules> = LazyLock::new(|| {
    Rules::read(
        include_str!("../../../patterns/context/stop-words-en.txt"),
        include_str!("../../../patterns/context/exceptions-en.txt"),
    )
});
static DUTCH: LazyLock<Rules> = LazyLock::new(|| {
    Rules::read(
        include_str!("../../../patterns/context/stop-words-nl.txt"),
        include_str!("../../../patterns/context/exceptions-nl.txt"),
    )
});
