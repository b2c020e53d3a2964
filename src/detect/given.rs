//! The first part of a name: initials and first names.

use super::context::{Listed, is};
use super::hit::Reason;
use super::lexicon::Flags;
use super::names::{LISTED, Names, Reading};
use super::people::{View, reason};
use super::surname::after_article;
use super::things::is_street;
use super::words::{Look, Word, hash, literal};

impl Names {
    /// Reads initials; in lower case behind a title or a certain cue only: `de heer h. slagter`. Two may stand as one word before a
    /// surname: `JW de Boer`.
    pub(super) fn initials<'r>(
        &'r self,
        view: &View<'_>,
        from: usize,
        led: bool,
        r: &mut Reading<'r>,
    ) -> usize {
        let mut at = if self.is_pair(view, from) { from + 1 } else { from };
        let initial = |w: &Word| w.look == Look::Initial || (led && w.len() == 1 && w.look == Look::Lower);
        while at < from + 5 && (view.words.get(at).is_some_and(initial) || self.is_short(view, at)) {
            let gap = view.gap(at);
            let dotted = matches!(gap, "." | ". " | ".-");
            let capital = || view.words.get(at + 1).is_some_and(|w| w.capital() && w.look != Look::Initial);
            // `de heer J de Boer`
            let titled =
                || led && at == from && view.flag(at + 1).any(Flags::PARTICLE) && view.is_initial(at);
            let bare = gap == " " && (capital() && (at > from || led && view.is_initial(at)) || titled());
            if !(dotted || bare) {
                break;
            }
            at += 1;
        }
        if at > from {
            r.score += 0.25;
            r.reasons.push(reason(&self.rules.initials, 0.25));
        }
        at
    }

    /// `Th.`, `Joh.`: a first name cut short, before an initial or a surname.
    fn is_short(&self, view: &View<'_>, at: usize) -> bool {
        let short = view.words.get(at).filter(|w| w.look == Look::Capital && w.len() < 5);
        is(short, SHORT)
            && matches!(view.gap(at), "." | ". ")
            && (view.is_initial(at + 1) || self.is_surname(view, at + 1))
    }

    /// `JW de Boer`, `PJ Jansen`: two capitals that no list knows, before a surname.
    fn is_pair(&self, view: &View<'_>, at: usize) -> bool {
        let known = LISTED.with(Flags::OTHER).with(Flags::PLACE).with(Flags::CUE);
        view.words.get(at).is_some_and(|w| w.look == Look::Caps && w.len() == 2)
            && !view.flag(at).any(known)
            && !view.is_common(at)
            && view.spaced(at)
            && self.is_surname(view, at + 1)
            && !is(view.words.get(at), BODIES)
    }

    /// Whether a listed surname in small letters but for its first stands here; an everyday word only behind a particle in lower case.
    pub(super) fn is_surname(&self, view: &View<'_>, from: usize) -> bool {
        let at = self.particles(view, from);
        let led = at > from && view.words.get(from).is_some_and(|w| !w.capital());
        view.words.get(at).is_some_and(|w| w.look == Look::Capital)
            && view.flag(at).any(Flags::SURNAME)
            && (led || !view.is_common(at) && !view.flag(at).any(Flags::PLACE))
    }

    pub(super) fn first_names<'r>(&'r self, view: &View<'_>, from: usize, r: &mut Reading<'r>) -> usize {
        let mut at = from;
        while at < from + FIRST_NAMES_MAX {
            let (flags, Some(word)) = (view.flag(at), view.words.get(at)) else { break };
            if at > from && !matches!(view.gap(at - 1), " " | "-") {
                break;
            }
            if is_month(view, at) {
                break;
            }
            let capital = word.capital();
            let (rule, weight) = if flags.any(Flags::FIRST) {
                (&self.rules.first, if capital { 0.55 } else { 0.45 })
            } else if flags.any(Flags::FOREIGN) && (!flags.any(Flags::OTHER) || r.score > 0.0) {
                (&self.rules.first, if capital { 0.45 } else { 0.15 })
            } else if flags.any(Flags::EVERYDAY)
                && (!flags.any(Flags::OTHER)
                    || self.is_doubled(view, at)
                    || capital && view.spaced(at) && self.is_surname(view, at + 1))
                && (capital || at == from)
            {
                (&self.rules.everyday, everyday_weight(view, at))
            } else if at == from && is_genitive(view, at) {
                (&self.rules.first, 0.45)
            } else if at == from && capital && self.unlisted_first(view, at) {
                (&self.rules.unlisted, 0.2)
            } else {
                break;
            };
            let weight = if at == from { weight } else { weight / 2.0 };
            r.score += weight;
            r.reasons.push(Reason { rule, place: Some((word.start, word.end)), weight });
            at += 1;
        }
        at
    }

    /// Whether a first name goes on after a hyphen: `Mei-Ling`.
    fn is_doubled(&self, view: &View<'_>, at: usize) -> bool {
        let name = Flags::FIRST.with(Flags::FOREIGN).with(Flags::EVERYDAY);
        view.gap(at) == "-"
            && view.flag(at + 1).any(name)
            && view.words.get(at).is_some_and(Word::capital)
                == view.words.get(at + 1).is_some_and(Word::capital)
    }

    /// A capital word that no list knows, right before what may be a surname: `Jaivey Ramdin`, `Cobie Stavenuiter`.
    fn unlisted_first(&self, view: &View<'_>, at: usize) -> bool {
        let known = Flags::OTHER
            .with(Flags::PLACE)
            .with(Flags::TITLE)
            .with(Flags::OFFICE)
            .with(Flags::SURNAME)
            .with(Flags::PARTICLE);
        let next = self.particles(view, at + 1);
        let Some(surname) = view.words.get(next).filter(|w| w.capital()) else { return false };
        let no_name = Flags::PLACE.with(Flags::OTHER).with(Flags::TITLE).with(Flags::OFFICE);
        let listed = view.flag(next).any(Flags::SURNAME.with(Flags::FIRST));
        let strange = || surname.look == Look::Capital && surname.len() > 3 && !view.is_common(next);
        let long = view.words.get(at).is_some_and(|w| w.look == Look::Capital && w.len() > 2);
        // What is asked of flags comes first: it costs least.
        long && !view.flag(next).any(no_name)
            && !view.flag(at).any(known)
            && !view.is_common(at)
            && (listed || strange())
            && matches!(view.gap(at), " " | "-")
            && !is_street(view.word(next))
            && sounds(view.word(at))
    }
}

/// What an everyday word weighs as a first name: within a sentence its capital is enough, but not behind an article (`het Rijk`),
/// where it is a place as well (`Sydney`), a word that stands with a capital for something else (`Frans` is a language) or where all
/// is in capitals (`ALLES IS ANDERS`).
fn everyday_weight(view: &View<'_>, at: usize) -> f32 {
    match view.words.get(at) {
        Some(word) if !word.capital() => 0.05,
        _ if view.starts_sentence(at) => 0.12,
        Some(word)
            if word.look == Look::Capital
                && !view.flag(at).any(Flags::PLACE)
                && !OTHERWISE.has(Some(word))
                && !after_article(view, at) =>
        {
            0.3
        }
        _ => 0.28,
    }
}

/// Everyday words that are first names, and with a capital something else as often.
static OTHERWISE: Listed<16> = Listed::of([
    literal("frans"),
    literal("rijk"),
    literal("marine"),
    literal("top"),
    literal("sky"),
    literal("lean"),
    literal("mars"),
    literal("witte"),
    literal("wit"),
    literal("vrij"),
    literal("lief"),
    literal("lang"),
    literal("tien"),
    literal("job"),
    literal("storm"),
    literal("hoop"),
]);
/// The most first names in a row.
const FIRST_NAMES_MAX: usize = 5;

/// Whether `jan` is a month: another one follows in small letters, or without a capital a day stands before it, a year behind it, or
/// `begin`, `half`, `eind` before; not where a surname follows.
fn is_month(view: &View<'_>, index: usize) -> bool {
    let number =
        |i: usize, most: usize| view.words.get(i).is_some_and(|w| w.look == Look::Number && w.len() <= most);
    let leads = |i: usize| number(i, 2) || is(view.words.get(i), MONTH_PARTS);
    let small = |i: usize| view.words.get(i).is_some_and(|w| !w.capital());
    let year = || view.words.get(index + 1).is_some_and(|w| w.len() == 4) && number(index + 1, 4);
    let surname =
        || view.spaced(index) && view.flag(index + 1).any(Flags::SURNAME) && !view.is_common(index + 1);
    is(view.words.get(index), &[literal("jan")])
        && (is(view.words.get(index + 1), MONTHS) && small(index + 1)
            || small(index) && (index.checked_sub(1).is_some_and(leads) && !surname() || year()))
}

/// `Henks auto`: a first name with a capital and the `s` of what is its.
pub(super) fn is_genitive(view: &View<'_>, at: usize) -> bool {
    let known = Flags::FIRST.with(Flags::FOREIGN).with(Flags::EVERYDAY).with(Flags::OTHER).with(Flags::PLACE);
    let surname = || view.flag(at + 1).any(Flags::SURNAME) && !view.is_common(at + 1);
    let lower = || view.words.get(at + 1).is_some_and(|w| w.look == Look::Lower);
    let thing = || {
        lower()
            && !is(view.words.get(at + 1), UNOWNED)
            && !view.flag(at + 1).any(Flags::PARTICLE)
            && !surname()
    };
    let bearer = || view.word(at).strip_suffix('s').filter(|stem| stem.len() > 2);
    view.words.get(at).is_some_and(|w| w.look == Look::Capital)
        && !view.flag(at).any(known)
        && !view.is_common(at)
        && view.spaced(at)
        && thing()
        && bearer().is_some_and(|stem| view.known.flags(hash(stem)).any(Flags::FIRST))
}

/// Whether initials are two or more, as letters or as one word, and no abbreviation.
pub(super) fn are_several(view: &View<'_>, from: usize, to: usize) -> bool {
    let pair = || view.words.get(from).is_some_and(|w| w.look == Look::Caps);
    (to > from + 1 || pair()) && !is_abbreviation(view, from, to)
}

/// `P.S.`, `N.B.`: capitals with points that stand before a sentence, not before a surname.
fn is_abbreviation(view: &View<'_>, from: usize, to: usize) -> bool {
    let letters = (from..to).filter_map(|i| view.words.get(i)).filter_map(|w| view.text.get(w.start..w.end));
    let joined: String = letters.flat_map(str::chars).flat_map(char::to_uppercase).collect();
    ["PS", "NB", "BV", "NV", "AUB", "TNV", "IPV", "IVM", "EU", "VS", "MVG", "TAV"].contains(&joined.as_str())
}

/// Whether a word has a vowel: `Pff` and `Hmm` name nobody.
fn sounds(word: &str) -> bool {
    !word.is_ascii() || word.bytes().any(|byte| b"aeiouyAEIOUY".contains(&byte))
}

/// What stands before a month to name a part of it.
const MONTH_PARTS: &[u64] = &[
    literal("begin"),
    literal("half"),
    literal("medio"),
    literal("eind"),
    literal("einde"),
    literal("heel"),
];
/// Months as they are written behind one.
const MONTHS: &[u64] = &[
    literal("feb"),
    literal("febr"),
    literal("februari"),
    literal("mrt"),
    literal("maart"),
    literal("apr"),
    literal("dec"),
];
/// What stands behind several people of a name or kind, not before what is theirs.
const UNOWNED: &[u64] = &[
    literal("en"),
    literal("of"),
    literal("zijn"),
    literal("waren"),
    literal("hebben"),
    literal("kunnen"),
    literal("moeten"),
    literal("willen"),
    literal("gaan"),
    literal("is"),
    literal("was"),
    literal("in"),
    literal("op"),
    literal("van"),
    literal("met"),
];
/// First names as they are cut short.
const SHORT: &[u64] = &[
    literal("th"),
    literal("joh"),
    literal("chr"),
    literal("ph"),
    literal("jac"),
    literal("corn"),
    literal("herm"),
];
/// Two capitals before a surname that are no initials: kinds of companies, clubs and parties, and what else is cut to two letters.
const BODIES: &[u64] = &[
    literal("bv"),
    literal("nv"),
    literal("tv"),
    literal("cv"),
    literal("vv"),
    literal("sv"),
    literal("fc"),
    literal("sc"),
    literal("rk"),
    literal("eu"),
    literal("vs"),
    literal("ov"),
    literal("ns"),
    literal("ah"),
    literal("pc"),
    literal("cd"),
    literal("ok"),
    literal("xl"),
    literal("wc"),
    literal("zo"),
    literal("nl"),
    literal("vn"),
    literal("ai"),
    literal("ic"),
];
