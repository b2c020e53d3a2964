//! The first part of a name: initials and first names.

use super::context::is;
use super::hit::Reason;
use super::lexicon::Flags;
use super::names::{Names, Reading};
use super::people::{View, reason};
use super::things::is_street;
use super::words::{Look, Word, literal};

impl Names {
    /// Reads initials; in lower case behind a title or a certain cue only: `de heer h. slagter`.
    pub(super) fn initials<'r>(
        &'r self,
        view: &View<'_>,
        from: usize,
        led: bool,
        r: &mut Reading<'r>,
    ) -> usize {
        let mut at = from;
        let initial = |w: &Word| w.look == Look::Initial || (led && w.len() == 1 && w.look == Look::Lower);
        while at < from + 5 && view.words.get(at).is_some_and(initial) {
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

    pub(super) fn first_names<'r>(&'r self, view: &View<'_>, from: usize, r: &mut Reading<'r>) -> usize {
        let mut at = from;
        while at < from + FIRST_NAMES_MAX {
            let (flags, Some(word)) = (view.flag(at), view.words.get(at)) else { break };
            if at > from && !matches!(view.gap(at - 1), " " | "-") {
                break;
            }
            let capital = word.capital();
            let (rule, weight) = if flags.any(Flags::FIRST) && (capital || !is_month(view, at)) {
                (&self.rules.first, if capital { 0.55 } else { 0.45 })
            } else if flags.any(Flags::FOREIGN) {
                (&self.rules.first, if capital { 0.45 } else { 0.15 })
            } else if flags.any(Flags::EVERYDAY)
                && (!flags.any(Flags::OTHER) || self.is_doubled(view, at))
                && (capital || at == from)
            {
                (
                    &self.rules.everyday,
                    if !capital {
                        0.05
                    } else if view.starts_sentence(at) {
                        0.12
                    } else {
                        0.28
                    },
                )
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

/// The most first names in a row.
const FIRST_NAMES_MAX: usize = 5;

/// Whether `jan` is a month: a number stands beside it, or `begin`, `half`, `eind` before it.
fn is_month(view: &View<'_>, index: usize) -> bool {
    let number = |i: usize| view.words.get(i).is_some_and(|w| w.look == Look::Number);
    let leads = |i: usize| number(i) || is(view.words.get(i), MONTH_PARTS);
    is(view.words.get(index), &[literal("jan")])
        && (index.checked_sub(1).is_some_and(leads) || number(index + 1))
}

/// `P.S.`, `N.B.`: capitals with points that stand before a sentence, not before a surname.
pub(super) fn is_abbreviation(view: &View<'_>, from: usize, to: usize) -> bool {
    let letters = (from..to).filter_map(|i| view.words.get(i)).filter_map(|w| view.text.get(w.start..w.end));
    let joined: String = letters.flat_map(str::chars).flat_map(char::to_uppercase).collect();
    ["PS", "NB", "BV", "NV", "AUB", "TNV", "IPV", "IVM", "EU", "VS"].contains(&joined.as_str())
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
