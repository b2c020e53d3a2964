//! Names of people, by evidence: lists, capitals, titles, initials, particles (tussenvoegsels) and what stands before.
//!
//! A name starts at a title, an initial, a listed first name or surname, or a word after a cue such as
//! `volgens` or `groetjes`. From there a small grammar reads
//! `title* (initial | first name)* particle* surname (- surname)?` over a dozen words at most,
//! and each part adds to the score or takes from it. Common words, places and organisations speak against.

use super::bytes::at;
use super::context::{Listed, Phrases, is};
use super::given::are_several;
use super::hit::{Hit, Reason};
use super::lexicon::Flags;
use super::officials::{Officials, Standing};
use super::people::{View, reason};
use super::surname::{CUE_CERTAIN, Lead, SAYING, after_article};
use super::things::{is_kind, is_thing};
use super::words::{Look, Word, literal};
use crate::model::{RecogniserId, SubjectRef};
use smallvec::SmallVec;

/// The recogniser of names, and that of office-holders.
pub(super) struct Names {
    /// Indices of the recognisers in the ruleset; none when no file states one.
    pub(super) person: Option<usize>,
    pub(super) official: Option<usize>,
    pub(super) handle: Option<usize>,
    pub(super) rules: Rules,
    pub(super) doubtful: f32,
    /// Names that are nobody's, such as those of shops.
    pub(super) never: Phrases,
    /// Words of home, family and health: near them an office-holder is a person like any other.
    pub(super) private: Phrases,
    /// Who held office when.
    pub(super) officials: Officials,
}

/// The ids of the rules that give evidence for a name.
pub(super) struct Rules {
    pub(super) first: RecogniserId,
    pub(super) everyday: RecogniserId,
    pub(super) surname: RecogniserId,
    pub(super) unlisted: RecogniserId,
    pub(super) initials: RecogniserId,
    pub(super) particle: RecogniserId,
    pub(super) title: RecogniserId,
    pub(super) office: RecogniserId,
    pub(super) cue: RecogniserId,
    pub(super) company: RecogniserId,
    pub(super) participant: RecogniserId,
}

/// A name as read from the words, before it is believed.
pub(super) struct Reading<'r> {
    /// First and last word, inclusive.
    pub(super) from: usize,
    pub(super) last: usize,
    pub(super) score: f32,
    pub(super) reasons: SmallVec<[Reason<'r>; 8]>,
    pub(super) office: bool,
}

/// A word that can start a name by itself.
pub(super) const LISTED: Flags = Flags::FIRST
    .with(Flags::FOREIGN)
    .with(Flags::EVERYDAY)
    .with(Flags::SURNAME)
    .with(Flags::TITLE)
    .with(Flags::OFFICE);

/// A word that leads up to a name, whatever that name looks like.
pub(super) const LEADS: Flags = Flags::CUE_STRONG.with(Flags::NAMING);

impl Names {
    /// Adds a hit for every name in the view. Words that `taken` covers (e-mail addresses, links) are passed over.
    pub(super) fn find<'r>(&'r self, view: &View<'_>, taken: &[(usize, usize)], hits: &mut Vec<Hit<'r>>) {
        if self.person.is_none() {
            return;
        }
        let mut next = 0;
        for (index, word) in view.listed(view.cut.names.iter()) {
            let passed = index < next || is_plain(view, index, word) || !self.may_start(view, index);
            if passed || is_taken(view, taken, index) || introduces(view, index + 1) {
                continue;
            }
            if let Some(mut reading) = self.read(view, index).filter(|r| r.score >= self.doubtful) {
                if reading.from == index
                    && let Some(first) = everyday_before(view, index).filter(|first| *first >= next)
                {
                    let place = view.words.get(first).map(|word| (word.start, word.end));
                    reading.reasons.push(Reason { rule: &self.rules.unlisted, place, weight: 0.0 });
                    reading.from = first;
                }
                next = reading.last + 1;
                if !self.is_nobody(view, &reading) && !is_thing(view, index, &reading) {
                    hits.extend(self.hit(view, reading));
                }
            }
        }
    }

    /// `Albert Heijn`, `Amber` of `Amber alert`, `jan` of `jan en alleman`.
    fn is_nobody(&self, view: &View<'_>, reading: &Reading<'_>) -> bool {
        let near = [reading.last, reading.last + 1];
        near.iter().any(|end| self.never.ends_at(view.words, *end))
            || self.never.three_end_at(view.words, reading.last + 2)
    }

    /// A hit for a participant that the dictionary found.
    pub(super) fn participant_hit(
        &self,
        start: usize,
        end: usize,
        certain: bool,
        subject: Option<SubjectRef>,
    ) -> Hit<'_> {
        let score = if certain { 0.85 } else { 0.6 };
        let reasons =
            vec![Reason { rule: &self.rules.participant, place: Some((start, end)), weight: score }];
        Hit { start, end, recogniser: self.person.unwrap_or(usize::MAX), score, reasons, subject }
    }

    /// Whether a hit is a name or an account.
    pub(super) fn made(&self, hit: &Hit<'_>) -> bool {
        let made = Some(hit.recogniser);
        made == self.person || made == self.official || made == self.handle
    }

    fn hit<'r>(&self, view: &View<'_>, reading: Reading<'r>) -> Option<Hit<'r>> {
        let start = view.words.get(reading.from)?.start;
        let end = view.words.get(reading.last)?.end;
        let near = || self.private.before(view.near(), start, PRIVATE_REACH).is_some();
        let private = || near() || self.private.after(view.near(), end, PRIVATE_REACH).is_some();
        let official = self.official.filter(|_| self.in_office(view, &reading) && !private());
        let recogniser = official.or(self.person)?;
        Some(Hit {
            start,
            end,
            recogniser,
            score: reading.score.min(0.99),
            reasons: reading.reasons.to_vec(),
            subject: None,
        })
    }

    /// Whether a name is that of an office-holder in function: by title, unless the list says that the term was over, or by an
    /// office nearby, if the list says that it was not.
    fn in_office(&self, view: &View<'_>, reading: &Reading<'_>) -> bool {
        let (from, after) = (reading.from, reading.last + 1);
        let office = |i: usize| view.flag(i).any(Flags::OFFICE);
        let near =
            || (from.saturating_sub(OFFICE_REACH)..from).chain(after..after + OFFICE_REACH).any(office);
        match self.officials.standing(view.words.get(from..after).unwrap_or(&[]), view.on) {
            Standing::Unlisted | Standing::InOffice { whole: false } => reading.office,
            Standing::InOffice { whole: true } => reading.office || near(),
            Standing::OutOfOffice => false,
        }
    }

    /// Whether it is worth reading from a word: most words end here.
    fn may_start(&self, view: &View<'_>, index: usize) -> bool {
        let flags = view.flag(index);
        if flags.any(LISTED) {
            return true;
        }
        let before = index.checked_sub(1).map_or(Flags::NONE, |i| view.flag(i));
        let expected = before.any(Flags::CUE_STRONG)
            || (before.any(Flags::CUE.with(Flags::CUE_WEAK)) && introduces(view, index));
        let capital = view.words.get(index).is_some_and(Word::capital);
        let initial = view.words.get(index).is_some_and(|w| w.look == Look::Initial);
        let signed = capital && is_signed(view, index);
        expected || signed || (capital && (initial || flags.any(Flags::PARTICLE) || !view.is_common(index)))
    }

    /// Reads a name at a word; most texts have none, so it stands apart from the search.
    #[inline(never)]
    fn read(&self, view: &View<'_>, index: usize) -> Option<Reading<'_>> {
        let mut r = Reading { from: index, last: index, score: 0.0, reasons: SmallVec::new(), office: false };
        let mut at = self.titles(view, index, &mut r);
        let titled = at > index;
        r.from = at;
        let cue = if titled { CUE_CERTAIN } else { self.cue(view, index, &mut r) };
        let given = at;
        at = self.initials(view, at, cue >= CUE_CERTAIN, &mut r);
        let with_initials = at > given;
        let several_initials = at > given && are_several(view, given, at);
        let within = with_initials && !view.starts_sentence(given);
        let initials_end = at;
        at = self.first_names(view, at, &mut r);
        let lead = Lead { first: at > given, initials: with_initials, several_initials, within, titled, cue };
        let named = self.surname(view, at, &lead, &mut r);
        let end = named.unwrap_or(at);
        if end == given || (named.is_none() && end == initials_end && with_initials) {
            return None;
        }
        r.last = end - 1;
        // Most words with a capital weigh too little for company to make them names; what speaks against takes more away.
        if r.score + COMPANY >= self.doubtful {
            self.company(view, &mut r);
            self.against(view, &mut r);
        }
        Some(r)
    }

    /// Reads titles and offices; returns the word after them, or `index` when no name can follow.
    fn titles<'r>(&'r self, view: &View<'_>, index: usize, r: &mut Reading<'r>) -> usize {
        let mut at = index;
        let titles = Flags::TITLE.with(Flags::OFFICE);
        while at < index + 3 && view.flag(at).any(titles) && !(at > index && view.flag(at).any(Flags::FIRST))
        {
            let Some(word) = view.words.get(at) else { break };
            let named = word.capital() && view.flag(at).any(Flags::SURNAME);
            if word.look == Look::Caps && is(Some(word), &[literal("hr")]) {
                return index; // `HR Medewerkers`
            }
            if at > index && named && !view.words.get(at + 1).is_some_and(Word::capital) {
                break; // `dokter Prins`: an office that is a surname here.
            }
            // `een reactie van de wethouder. er ligt`: only what is cut short goes on behind a full stop.
            let ended = view.gap(at).starts_with('.') && word.len() > SHORT_TITLE;
            if ended || !matches!(view.gap(at), " " | ". " | "." | "  ") || view.words.get(at + 1).is_none() {
                return index;
            }
            r.office |= view.flag(at).any(Flags::OFFICE);
            let rule = if r.office { &self.rules.office } else { &self.rules.title };
            r.reasons.push(Reason { rule, place: Some((word.start, word.end)), weight: 0.3 });
            at += 1;
        }
        if at > index {
            r.score += 0.3;
        }
        at
    }

    /// What the word or two before say: `volgens`, `groetjes`, `mijn naam is`.
    fn cue<'r>(&'r self, view: &View<'_>, index: usize, r: &mut Reading<'r>) -> f32 {
        if is_signed(view, index) {
            r.score += CUE_CERTAIN;
            r.reasons.push(reason(&self.rules.cue, CUE_CERTAIN));
            return CUE_CERTAIN;
        }
        let Some(word) = index.checked_sub(1).and_then(|i| view.words.get(i)) else { return 0.0 };
        let weight = match word.flags {
            f if f.any(Flags::CUE_STRONG) => CUE_CERTAIN,
            // `beste Visser`, but not `de beste bakker`.
            f if f.any(Flags::CUE) && is(Some(word), GREETS) && after_article(view, index - 1) => return 0.0,
            f if f.any(Flags::CUE) => 0.2,
            _ if introduces(view, index) => CUE_CERTAIN,
            f if f.any(Flags::CUE_WEAK) => 0.08,
            _ => return 0.0,
        };
        let gap = view.gap(index - 1);
        let spaced = gap.len() <= 4
            && gap.chars().all(|c| matches!(c, ' ' | ',' | ':' | '\n' | '-' | '(' | '"' | '\'' | '.' | '\r'));
        if !spaced || (gap.contains('.') && !word.flags.any(Flags::CUE_STRONG)) {
            return 0.0;
        }
        r.score += weight;
        r.reasons.push(Reason { rule: &self.rules.cue, place: Some((word.start, word.end)), weight });
        weight
    }

    /// Spoken to (`Roos heb je`), acting (`Elivia heeft`, `kan Roos`), or in one breath with another name (`Jaivey en Amrita`).
    fn company<'r>(&'r self, view: &View<'_>, r: &mut Reading<'r>) {
        let capital = view.words.get(r.from).is_some_and(Word::capital);
        let everyday = view.flag(r.from).any(Flags::EVERYDAY);
        let spoken_to =
            || r.from == r.last && everyday && view.starts_sentence(r.from) && addressed(view, r.last);
        let named = |i: usize| {
            view.words.get(i).is_some_and(Word::capital)
                && view.flag(i).any(Flags::FIRST.with(Flags::FOREIGN))
        };
        let and = |i: Option<usize>| i.is_some_and(|i| is(view.words.get(i), AND));
        let left = || {
            r.from.checked_sub(1).is_some_and(|i| {
                if and(Some(i)) {
                    i.checked_sub(1).is_some_and(named)
                } else {
                    named(i) && view.gap(i) == ", "
                }
            })
        };
        let right = || match and(Some(r.last + 1)) {
            true => named(r.last + 2),
            false => named(r.last + 1) && view.gap(r.last) == ", ",
        };
        let verb = || view.words.get(r.last + 1);
        // `het Rijk betaalt`
        let thing = || everyday && after_article(view, r.from);
        let acting = || view.spaced(r.last) && (VERBS.has(verb()) || SAYING.has(verb())) && !thing();
        if (capital && (left() || right() || acting())) || spoken_to() {
            r.score += COMPANY;
            r.reasons.push(reason(&self.rules.company, COMPANY));
        }
    }
}

/// The word before a name that is the first part of it, though an everyday one: `ik sprak Linie Ensdijk`. Within a sentence its
/// capital says so.
fn everyday_before(view: &View<'_>, index: usize) -> Option<usize> {
    let capital = |i: usize| view.words.get(i).is_some_and(|w| w.look == Look::Capital);
    let before = index.checked_sub(1)?;
    let known = LISTED.with(LEADS).with(Flags::CUE).with(Flags::CUE_WEAK).with(Flags::OTHER);
    let known = known.with(Flags::PLACE).with(Flags::PARTICLE);
    let fits = view.spaced(before)
        && capital(before)
        && capital(index)
        && !view.flag(before).any(known)
        && !view.starts_sentence(before)
        && !after_article(view, before)
        && !is_kind(view, before);
    fits.then_some(before)
}

/// Whether no name can start at a word: it has no capital, is in no list but perhaps that of surnames, which alone and in lower
/// case are no names, and nothing before it leads up to one. Most words end here.
fn is_plain(view: &View<'_>, index: usize, word: &Word) -> bool {
    if word.capital() || word.flags.any(STARTS) {
        return false;
    }
    let before = index.checked_sub(1).map_or(Flags::NONE, |i| view.flag(i));
    let alone = !word.flags.any(Flags::SURNAME) || !(joined(word) || is_signed(view, index));
    alone && !before.any(Flags::CUE_STRONG) && !introduces(view, index)
}

/// Whether a surname may follow a word in lower case and without a first name before it.
fn joined(word: &Word) -> bool {
    word.flags.any(JOINS)
}

/// What the lists say of a word for which [`joined`] holds.
pub(super) const JOINS: Flags = Flags::PARTICLE.with(Flags::INNER).with(Flags::VAN);

/// A word that can start a name by itself, even in lower case.
pub(super) const STARTS: Flags =
    Flags::FIRST.with(Flags::FOREIGN).with(Flags::EVERYDAY).with(Flags::TITLE).with(Flags::OFFICE);

/// The longest title that is written with a full stop: `mevr.`, `prof.`, `burg.`
const SHORT_TITLE: usize = 5;

/// What company weighs.
const COMPANY: f32 = 0.25;

/// How far from an office-holder's name a word of home, family or health counts, in bytes.
const PRIVATE_REACH: usize = 40;

/// How many words from a listed name an office may stand.
const OFFICE_REACH: usize = 5;

/// Whether a word follows the `^` with which web-care signs, or the ` /` that does so at the end: `^Sanne`, `/Demi`.
fn is_signed(view: &View<'_>, index: usize) -> bool {
    let before = |back: usize| {
        view.words.get(index).map_or(0, |w| at(view.text.as_bytes(), w.start.wrapping_sub(back)))
    };
    match before(1) {
        b'^' => true,
        b'/' => before(2) == b' ' && index + 1 == view.words.len(),
        _ => false,
    }
}

/// Whether a verb and `je`, `jij` or `u` follow.
fn addressed(view: &View<'_>, index: usize) -> bool {
    matches!(view.gap(index), " " | ", ") && is(view.words.get(index + 2), YOU)
}

/// `ik ben`, `naam is`, `I am` before the word at `index`.
fn introduces(view: &View<'_>, index: usize) -> bool {
    let word = |back: usize| index.checked_sub(back).and_then(|i| view.words.get(i));
    word(1)
        .filter(|last| last.flags.any(Flags::NAMING))
        .is_some_and(|last| word(2).is_some_and(|word| INTRODUCTIONS.contains(&(word.hash, last.hash))))
}

/// What introduces a name, two words each; the last carry [`Flags::NAMING`] in the word table.
pub(super) const INTRODUCTIONS: &[(u64, u64)] = &[
    (literal("ik"), literal("ben")),
    (literal("naam"), literal("is")),
    (literal("name"), literal("is")),
    (literal("i"), literal("am")),
    (literal("ik"), literal("heet")),
];
/// Cues that are something else behind an article.
const GREETS: &[u64] = &[literal("beste"), literal("ene"), literal("zekere")];
const YOU: &[u64] = &[literal("je"), literal("jij"), literal("u"), literal("you")];
static VERBS: Listed<69> = Listed::of([
    literal("is"),
    literal("was"),
    literal("heeft"),
    literal("had"),
    literal("zegt"),
    literal("zei"),
    literal("vindt"),
    literal("vond"),
    literal("wil"),
    literal("wilde"),
    literal("woont"),
    literal("werkt"),
    literal("vertelde"),
    literal("belde"),
    literal("mailt"),
    literal("wacht"),
    literal("wachtte"),
    literal("krijgt"),
    literal("kreeg"),
    literal("moet"),
    literal("moest"),
    literal("gaat"),
    literal("ging"),
    literal("staat"),
    literal("stond"),
    literal("doet"),
    literal("deed"),
    literal("komt"),
    literal("kwam"),
    literal("wordt"),
    literal("werd"),
    literal("mag"),
    literal("mocht"),
    literal("kan"),
    literal("kon"),
    literal("zit"),
    literal("zat"),
    literal("schreef"),
    literal("schrijft"),
    literal("belt"),
    literal("loopt"),
    literal("liep"),
    literal("rijdt"),
    literal("reed"),
    literal("zou"),
    literal("zal"),
    literal("vraagt"),
    literal("vroeg"),
    literal("denkt"),
    literal("dacht"),
    literal("weet"),
    literal("wist"),
    literal("ziet"),
    literal("zag"),
    literal("heet"),
    literal("leest"),
    literal("kijkt"),
    literal("keek"),
    literal("betaalt"),
    literal("betaalde"),
    literal("helpt"),
    literal("hielp"),
    literal("has"),
    literal("said"),
    literal("says"),
    literal("told"),
    literal("wants"),
    literal("lives"),
    literal("works"),
]);
const AND: &[u64] = &[literal("en"), literal("and")];

fn is_taken(view: &View<'_>, taken: &[(usize, usize)], index: usize) -> bool {
    let Some(word) = view.words.get(index) else { return false };
    let next = taken.partition_point(|(_, end)| *end <= word.start);
    taken.get(next).is_some_and(|(start, _)| *start <= word.start)
}
