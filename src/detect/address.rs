//! Street, house number and additions.
//!
//! A candidate is a number of one to five digits; the words before it must hold a street word (by its
//! ending, such as `-straat`, or as a whole, such as `Voorhout`), or a postcode must follow or stand before.

use super::bytes::before;
use super::context::{Listed, is};
use super::endings::{counts, tail};
use super::hit::{Hit, Reason};
use super::lexicon::Flags;
use super::people::View;
use super::validate::{postcode_after_street, postcode_beyond_doubt};
use super::words::{Hashes, Look, Word, chunk_at, hash, literal};
use crate::model::RecogniserId;

/// The recogniser of addresses.
pub(super) struct Addresses {
    pub(super) recogniser: usize,
    pub(super) words: StreetWords,
    pub(super) street: RecogniserId,
    pub(super) number: RecogniserId,
    pub(super) context: super::context::Phrases,
    pub(super) against: super::context::Phrases,
    pub(super) doubtful: f32,
    /// The recogniser of postcodes: one right after an address needs no other evidence.
    pub(super) postcode: Option<usize>,
}

/// What makes a word a street.
#[derive(Default)]
pub(super) struct StreetWords {
    /// Endings by their last two bytes.
    endings: Vec<Vec<Ending>>,
    /// For each last byte which bytes may stand before it, a bit each: most words end here, at one look.
    likely: [u32; BEFORE],
    /// Words with such an ending that are no street, hashed.
    pub(super) never: Hashes,
    /// Additions after a house number, hashed.
    pub(super) additions: Hashes,
    /// Words that belong to the street name when they stand before it, hashed.
    pub(super) openers: Hashes,
}

/// What a street name ends with.
struct Ending {
    text: String,
    /// Whether only streets end so.
    strong: bool,
    /// Its last four bytes, and which bits of them count: most endings are told apart by these.
    tail: u32,
    counts: u32,
}

/// How much a word looks like a street.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Street {
    No,
    Weak,
    Strong,
}

impl Addresses {
    /// Adds a hit for every address in the view.
    pub(super) fn find<'r>(&'r self, view: &View<'_>, hits: &mut Vec<Hit<'r>>) {
        for (index, word) in
            view.listed(view.cut.numbers.all().iter().copied()).filter(|(index, _)| *index > 0)
        {
            if word.len() <= HOUSE_MAX && self.is_house(view, index) {
                let named = match view.gap(index - 1) {
                    " " | "  " | ". " | "." | ", " | ": " => self.read(view, index, hits).is_some(),
                    gap => gap != "-",
                };
                if !named && may_end_postcode(view, index - 1) {
                    self.after_postcode(view, index, hits);
                }
            }
        }
    }

    fn is_house(&self, view: &View<'_>, index: usize) -> bool {
        let Some(word) = view.words.get(index) else { return false };
        let (chunk, len) = (chunk_at(view.text.as_bytes(), word.start), word.len());
        let digits = digits(chunk).min(len);
        let added =
            || self.words.additions.contains(&hash(word_text(view, index).get(digits..).unwrap_or("")));
        let number = matches!(chunk as u8, b'1'..=b'9') && digits <= 5;
        number && (len - digits <= 2 || added()) && chunk & kept(len) & NOT_ASCII == 0
    }

    /// A house number behind a postcode, which name one address without a street: `1234 AB 12`, `1234ab, nr 12`.
    fn after_postcode<'r>(&'r self, view: &View<'_>, number: usize, hits: &mut Vec<Hit<'r>>) -> Option<()> {
        let last = self.before_label(view, number)?;
        let letters = view.words.get(last)?;
        let from = match letters.len() {
            2 => last.checked_sub(1).filter(|digits| view.spaced(*digits))?,
            6 => last,
            _ => return None,
        };
        let candidate = view.text.get(view.words.get(from)?.start..letters.end)?;
        let labelled = last + 1 < number;
        let known = if labelled { postcode_after_street } else { postcode_beyond_doubt };
        if !matches!(view.gap(last), " " | "-" | ", ") || !known(candidate) {
            return None;
        }
        let start = view.words.get(number)?.start;
        let (_, end) = self.additions(view, number);
        if self.against.after(view.near(), end, 3).is_some() {
            return None;
        }
        let score = if labelled { 0.8 } else { 0.6 };
        let reasons = vec![Reason { rule: &self.number, place: Some((start, end)), weight: score }];
        hits.push(Hit { start, end, recogniser: self.recogniser, score, reasons, subject: None });
        Some(())
    }

    fn read<'r>(&'r self, view: &View<'_>, number: usize, hits: &mut Vec<Hit<'r>>) -> Option<()> {
        let name_end = self.before_label(view, number)?;
        if !self.may_name(view, name_end) {
            return None;
        }
        let surely = self.chain(view, name_end, true)?;
        let number_start = view.words.get(number)?.start;
        let (last, end) = self.additions(view, number);
        let postcode = follows_postcode(view, last, surely.1 != Street::No);
        let labelled = name_end + 1 < number;
        // `205a`, `12 bis` and `212-3` are house numbers and hardly anything else; `3-1` is a score or a date as well.
        let digits =
            |w: &Word| view.text.get(w.start..w.end).is_some_and(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let parts = view.words.get(number..=last).unwrap_or(&[]);
        let added = parts.iter().any(|w| !digits(w) || (last > number && w.len() == 3));
        let residence = || self.context.before(view.near(), number_start, 40).is_some();
        let sure = labelled || postcode.is_some() || added || residence();
        let (from, street) = if sure { surely } else { self.chain(view, name_end, false)? };
        let start = view.words.get(from)?.start;
        let start = if view.text.get(..start).is_some_and(|t| t.ends_with('\'')) { start - 1 } else { start };
        let mut score = match street {
            Street::Strong => 0.7,
            Street::Weak => 0.45,
            Street::No => 0.1,
        };
        let mut reasons = vec![Reason { rule: &self.street, place: Some((start, end)), weight: score }];
        let mut add = |weight: f32, place| {
            score += weight;
            reasons.push(Reason { rule: &self.number, place, weight });
        };
        if postcode.is_some() {
            add(0.4, None);
        }
        if let Some(word) = self.context.before(view.near(), start, 30) {
            add(0.25, Some((word.start, word.end)));
        }
        if let Some(word) = self.against.after(view.near(), end, 3) {
            add(-0.5, Some((word.start, word.end)));
        }
        // `Noordwijk 5 mei`: behind what is surely a street, it is an address all the same.
        let small = |i: usize| view.words.get(i).is_some_and(|word| !word.capital());
        let month = || view.spaced(last) && small(last + 1) && MONTHS.has(view.words.get(last + 1));
        if street < Street::Strong && !labelled && last == number && month() {
            add(-0.5, None);
        }
        if score < self.doubtful {
            return None;
        }
        hits.push(Hit {
            start,
            end,
            recogniser: self.recogniser,
            score: score.min(0.99),
            reasons,
            subject: None,
        });
        let (from, upto) = postcode?;
        let reasons = vec![Reason { rule: &self.number, place: Some((start, end)), weight: 0.8 }];
        hits.push(Hit {
            start: from,
            end: upto,
            recogniser: self.postcode?,
            score: 0.8,
            reasons,
            subject: None,
        });
        Some(())
    }

    /// Whether a street name may end at a word: most words before a number end here.
    fn may_name(&self, view: &View<'_>, last: usize) -> bool {
        let proper = |i: usize| view.words.get(i).is_some_and(Word::capital);
        let joined = |i: usize| view.flag(i).any(Flags::PARTICLE) || !view.spaced(i);
        proper(last) || last.checked_sub(1).is_some_and(joined) || self.street(view, last, true) != Street::No
    }

    /// The word before the number, past `nr.` or `huisnummer`, or past a year such as in `Plein 1944`.
    fn before_label(&self, view: &View<'_>, number: usize) -> Option<usize> {
        let previous = number.checked_sub(1)?;
        let word = view.words.get(previous)?;
        let year = word.look == Look::Number && word.len() == 4 && previous > 0 && view.spaced(previous - 1);
        if year {
            return previous.checked_sub(1);
        }
        if !is(Some(word), LABELS) {
            return Some(previous);
        }
        let name_end = previous.checked_sub(1)?;
        let digits = |w: &Word| w.look == Look::Number && w.len() == 4;
        let dated = view.words.get(name_end).is_some_and(digits)
            && self.street(view, name_end.checked_sub(1)?, true) != Street::No;
        Some(if dated { name_end - 1 } else { name_end })
    }

    /// Walks back over the street name that ends at `last`; its first word, and how sure a street it is.
    fn chain(&self, view: &View<'_>, last: usize, sure: bool) -> Option<(usize, Street)> {
        let mut best = self.street(view, last, sure);
        let mut from = last;
        let mut core = last;
        for back in 1..=MOST_WORDS {
            let Some(index) = last.checked_sub(back) else { break };
            if !self.continues(view, index, sure) {
                break;
            }
            let street = self.street(view, index, sure);
            if street > best {
                best = street;
                core = index;
            }
            from = index;
        }
        let from = self.trim(view, from, core);
        let capital = view.words.get(last).is_some_and(|w| w.capital());
        if best == Street::No && (!capital || (view.is_common(last) && !sure)) {
            return None;
        }
        let bare = || self.words.is_bare(word_text(view, core));
        if from == last && !sure && (!capital || view.starts_sentence(last)) && bare() {
            return None;
        }
        Some((from, best))
    }

    /// Whether the word at `index` may belong to a street name that goes on after it.
    fn continues(&self, view: &View<'_>, index: usize, sure: bool) -> bool {
        let Some(word) = view.words.get(index) else { return false };
        let gap = view.gap(index);
        let short = gap == ". " || gap == ".";
        let opener = || self.words.openers.contains(&word.hash);
        let joined =
            matches!(gap, " " | "-" | " '" | "'") || (short && (word.look == Look::Initial || opener()));
        let led = view.flag(index + 1).any(Flags::PARTICLE);
        // `Kok Kerkstraat 1` is a person and a street, `Jan van Galenstraat` and `Wilhelmina Druckerstraat` are streets.
        let goes_on = || gap != " " || led || self.words.is_bare(word_text(view, index + 1));
        let first = word.flags.any(Flags::FIRST);
        // `hugo de grootstraat`: a first name that a particle leads on from, in lower case too.
        let capital = || (first && gap == " " && led) || (word.capital() && (first || goes_on()));
        let street_before = || (gap == "-" || led) && self.street(view, index, sure) != Street::No;
        joined
            && (word.flags.any(Flags::PARTICLE)
                || capital()
                || opener()
                || street_before()
                || ordinal(view, index))
    }

    /// Drops what only introduces the name: `op`, `in`, `aan`, and a capital that merely starts the sentence.
    fn trim(&self, view: &View<'_>, mut from: usize, core: usize) -> usize {
        while from < core {
            let Some(word) = view.words.get(from) else { break };
            if is(Some(word), JOINING) {
                from += 1; // of `t.h.v. Kerkstraat`
                continue;
            }
            let archaic = is(Some(word), &[literal("van")]) && is(view.words.get(from + 1), ARCHAIC);
            let proper =
                word.capital() && view.flag(from).any(Flags::PARTICLE) && !view.starts_sentence(from);
            let opener = self.words.openers.contains(&word.hash) || archaic || proper;
            let loose = view.flag(from).any(Flags::PARTICLE) || view.is_common(from);
            if opener
                || !loose
                || view.gap(from) == "-"
                || (word.capital() && !view.starts_sentence(from) && !view.flag(from).any(Flags::PARTICLE))
            {
                break;
            }
            from += 1;
        }
        from
    }

    fn street(&self, view: &View<'_>, index: usize, sure: bool) -> Street {
        let Some(word) = view.words.get(index) else { return Street::No };
        let text = view.text.get(word.start..word.end).unwrap_or("");
        // `Zandvoort 3` and `Tilburg 1` are scores, counts and years in places that end like streets.
        let place =
            || word.flags.any(Flags::PLACE) && !word.flags.any(Flags::STREET) && !self.words.is_bare(text);
        self.words.judge(text, word, || sure || ((word.capital() || !view.is_common(index)) && !place()))
    }

    /// Reads what follows the number: `a`, `-III`, ` bis`, `/2`. The last word and the end in bytes.
    fn additions(&self, view: &View<'_>, number: usize) -> (usize, usize) {
        let mut last = number;
        for _ in 0..2 {
            let (gap, Some(word)) = (view.gap(last), view.words.get(last + 1)) else { break };
            if matches!(gap, " " | "-") && self.is_floor(view, last + 1) {
                last += 2; // `2 hoog`
                break;
            }
            if let Some(upto) = unit(view, last) {
                last = upto; // `, kamer 12`, ` t/m 10`
                break;
            }
            let text = view.text.get(word.start..word.end).unwrap_or("");
            let known = self.words.additions.contains(&word.hash);
            let letter = word.len() == 1
                && (gap != " "
                    || ((word.capital() || b"abcd".contains(&before(view.text.as_bytes(), word.end)))
                        && !matches!(view.gap(last + 1), "." | ". ")));
            let small = word.len() <= 4 && text.bytes().all(|b| b.is_ascii_alphanumeric());
            let fits = match gap {
                " " => known || letter,
                "-" | "/" => known || letter || (small && word.look == Look::Number),
                _ => false,
            };
            if !fits {
                break;
            }
            last += 1;
        }
        (last, view.words.get(last).map_or(0, |w| w.end))
    }

    /// Whether a floor stands at a word: `2 hoog`, `drie hoog`.
    fn is_floor(&self, view: &View<'_>, index: usize) -> bool {
        let number = |word: &Word| (word.look == Look::Number && word.len() == 1) || is(Some(word), FLOORS);
        view.words.get(index).is_some_and(number)
            && matches!(view.gap(index), " " | "-")
            && is(view.words.get(index + 1), &[literal("hoog"), literal("hg")])
    }
}

impl StreetWords {
    /// Sorts an ending under its last two bytes, so that most words are dismissed by one look and others compared with few.
    pub(super) fn add_ending(&mut self, ending: &str, strong: bool) {
        self.endings.resize_with(BEFORE * BEFORE, Vec::new);
        let counts = counts(ending.len());
        let tail = tail(ending.as_bytes()) & counts;
        let place = last_two(ending.as_bytes());
        // Before an ending of one letter anything may stand.
        let first = if ending.len() > 1 { place } else { place / BEFORE * BEFORE };
        let places = first..if ending.len() > 1 { place + 1 } else { first + BEFORE };
        for slot in self.endings.get_mut(places.clone()).into_iter().flatten() {
            slot.push(Ending { text: ending.to_owned(), strong, tail, counts });
        }
        for place in places {
            let before = self.likely.get_mut(place / BEFORE).into_iter();
            before.for_each(|before| *before |= 1 << (place % BEFORE));
        }
    }

    fn ending(&self, text: &str) -> Option<(&str, bool)> {
        let text = text.as_bytes();
        let place = last_two(text);
        let likely = self.likely.get(place / BEFORE).copied().unwrap_or(0);
        if likely.wrapping_shr((place % BEFORE) as u32) & 1 == 0 {
            return None;
        }
        let endings = self.endings.get(place)?;
        let short = tail(text);
        let fits = |ending: &&Ending| {
            let tail = || text.len().checked_sub(ending.text.len()).and_then(|from| text.get(from..));
            short & ending.counts == ending.tail
                && tail().is_some_and(|t| t.eq_ignore_ascii_case(ending.text.as_bytes()))
        };
        let mut found: Option<(&str, bool)> = None;
        for ending in endings.iter().filter(fits) {
            found = Some((&ending.text, ending.strong || found.is_some_and(|(_, strong)| strong)));
        }
        found
    }

    fn judge(&self, text: &str, word: &Word, proper: impl FnOnce() -> bool) -> Street {
        let ending = self.ending(text);
        if (ending.is_none() && !word.flags.any(Flags::STREET)) || self.never.contains(&word.hash) {
            return Street::No;
        }
        match ending {
            Some((_, true)) => Street::Strong,
            _ if proper() => Street::Weak,
            _ => Street::No,
        }
    }

    /// Whether the word is an ending by itself, such as `straat`.
    fn is_bare(&self, text: &str) -> bool {
        self.ending(text).is_some_and(|(e, _)| e.eq_ignore_ascii_case(text))
    }
}

/// A number for the last two bytes, without regard to case: those with one last byte lie together.
fn last_two(text: &[u8]) -> usize {
    let mut back = text.iter().rev().map(|byte| usize::from(byte & 31));
    let (last, before) = (back.next().unwrap_or(0), back.next().unwrap_or(0));
    last * BEFORE + before
}

/// So many bytes are told apart by [`last_two`].
const BEFORE: usize = 32;

/// How many of eight bytes are digits, from the lowest on.
const fn digits(chunk: u64) -> usize {
    // Digits become 0 to 9; what is more reaches the highest bit of its byte, if it does not have it already.
    let values = chunk ^ 0x3030_3030_3030_3030;
    let others = (values & !NOT_ASCII).wrapping_add(0x7676_7676_7676_7676) | values;
    (others & NOT_ASCII).trailing_zeros() as usize / 8
}

/// The lowest one to eight bytes.
const fn kept(bytes: usize) -> u64 {
    u64::MAX.wrapping_shr((bytes as u32).wrapping_mul(8).wrapping_neg())
}

/// The bits that no ASCII byte has.
const NOT_ASCII: u64 = 0x8080_8080_8080_8080;

fn word_text<'t>(view: &View<'t>, index: usize) -> &'t str {
    view.words.get(index).and_then(|w| view.text.get(w.start..w.end)).unwrap_or("")
}

/// The number behind a word for a part of a building or for a row of houses, after the word at `index`: `app 4`, `t/m 10`.
fn unit(view: &View<'_>, index: usize) -> Option<usize> {
    let number = |at: usize| {
        let fits = |w: &Word| w.look == Look::Number && w.len() <= 4;
        (view.spaced(at - 1) && view.words.get(at).is_some_and(fits)).then_some(at)
    };
    let word = |at: usize| view.words.get(index + at);
    let close = matches!(view.gap(index), " " | ", ");
    let row = is(word(1), &[literal("t")]) && view.gap(index + 1) == "/" && is(word(2), &[literal("m")]);
    match close {
        true if row => number(index + 3),
        true if is(word(1), UNITS) => number(index + 2),
        _ => None,
    }
}

/// `1e`, `2de` before a street name.
fn ordinal(view: &View<'_>, index: usize) -> bool {
    let Some(text) = view.words.get(index).and_then(|w| view.text.get(w.start..w.end)) else { return false };
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < text.len()
        && text.len() <= 4
        && ["e", "de", "ste"].iter().any(|e| rest.eq_ignore_ascii_case(e))
}

/// Whether a postcode, or a label behind one, may end with a word: most words before a number end here.
fn may_end_postcode(view: &View<'_>, index: usize) -> bool {
    let number = |i: usize| view.words.get(i).is_some_and(|w| w.look == Look::Number);
    let word = view.words.get(index);
    match word.map_or(0, Word::len) {
        2 => index.checked_sub(1).is_some_and(number) || is(word, LABELS),
        6 => number(index) || is(word, LABELS),
        _ => is(word, LABELS),
    }
}

/// The postcode right after the word at `index`. Where nothing else makes that an address, letters that are a word prove
/// nothing: `Week 12, 2024 is`.
fn follows_postcode(view: &View<'_>, index: usize, proven: bool) -> Option<(usize, usize)> {
    let gap = view.gap(index);
    let word = view.words.get(index + 1).filter(|_| gap.len() <= 3 && gap != ".")?;
    let end = match word.len() {
        4 => view.words.get(index + 2).filter(|letters| letters.len() == 2 && view.spaced(index + 1))?.end,
        6 => word.end,
        _ => return None,
    };
    let known = if proven { postcode_after_street } else { postcode_beyond_doubt };
    view.text.get(word.start..end).filter(|candidate| known(candidate)).map(|_| (word.start, end))
}

/// The longest house number with what is glued to it, in bytes: `310bis`, `31tweehg`.
const HOUSE_MAX: usize = 8;
const FLOORS: &[u64] = &[literal("een"), literal("twee"), literal("drie"), literal("vier")];
/// Particles cut short, with which no name starts.
const JOINING: &[u64] = &[literal("v"), literal("vd"), literal("d")];
static MONTHS: Listed<22> = Listed::of([
    literal("januari"),
    literal("februari"),
    literal("maart"),
    literal("april"),
    literal("mei"),
    literal("juni"),
    literal("juli"),
    literal("augustus"),
    literal("september"),
    literal("oktober"),
    literal("november"),
    literal("december"),
    literal("jan"),
    literal("feb"),
    literal("mrt"),
    literal("apr"),
    literal("aug"),
    literal("sept"),
    literal("sep"),
    literal("okt"),
    literal("nov"),
    literal("dec"),
]);
const UNITS: &[u64] = &[
    literal("app"),
    literal("apt"),
    literal("appartement"),
    literal("unit"),
    literal("huisje"),
    literal("kamer"),
    literal("bus"),
    literal("kavel"),
];
const MOST_WORDS: usize = 5;
const LABELS: &[u64] =
    &[literal("nr"), literal("no"), literal("nummer"), literal("huisnummer"), literal("huisnr")];
const ARCHAIC: &[u64] = &[literal("der"), literal("den"), literal("t")];
