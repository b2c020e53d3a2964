//! Names of people, by evidence: lists, capitals, titles, initials, particles (tussenvoegsels) and what stands before.
//!
//! A name starts at a title, an initial, a listed first name or surname, or a word after a cue such as
//! `volgens` or `groetjes`. From there a small grammar reads
//! `title* (initial | first name)* particle* surname (- surname)?` over a dozen words at most,
//! and each part adds to the score or takes from it. Common words, places and organisations speak against.

use super::context::is;
use super::hit::{Hit, Reason};
use super::lexicon::Flags;
use super::people::{View, reason};
use super::words::{Look, Word, hash, join};
use crate::model::{RecogniserId, SubjectRef};

/// The recogniser of names, and that of office-holders.
pub(super) struct Names {
    /// Indices of the recognisers in the ruleset; none when no file states one.
    pub(super) person: Option<usize>,
    pub(super) official: Option<usize>,
    pub(super) handle: Option<usize>,
    pub(super) rules: Rules,
    pub(super) doubtful: f32,
    pub(super) street_endings: Vec<String>,
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
struct Reading {
    /// First and last word, inclusive.
    from: usize,
    last: usize,
    score: f32,
    reasons: Vec<Reason>,
    office: bool,
}

impl Names {
    /// Adds a hit for every name in the view. Words that `taken` covers (e-mail addresses, links) are passed over.
    pub(super) fn find(&self, view: &View<'_>, taken: &[(usize, usize)], hits: &mut Vec<Hit>) {
        if self.person.is_none() {
            return;
        }
        let mut index = 0;
        while index < view.words.len() {
            if !self.may_start(view, index) || is_taken(view, taken, index) {
                index += 1;
                continue;
            }
            index = match self.read(view, index).filter(|r| r.score >= self.doubtful) {
                Some(reading) => {
                    let next = reading.last + 1;
                    hits.extend(self.hit(view, reading));
                    next
                }
                None => index + 1,
            };
        }
    }

    /// A hit for a participant that the dictionary found.
    pub(super) fn participant_hit(&self, start: usize, end: usize, certain: bool, subject: Option<SubjectRef>) -> Hit {
        let score = if certain { 0.85 } else { 0.6 };
        let reasons = vec![Reason { rule: self.rules.participant.clone(), place: Some((start, end)), weight: score }];
        Hit { start, end, recogniser: self.person.unwrap_or(usize::MAX), score, reasons, subject }
    }

    /// Whether a hit is a name or an account.
    pub(super) fn made(&self, hit: &Hit) -> bool {
        let made = Some(hit.recogniser);
        made == self.person || made == self.official || made == self.handle
    }

    fn hit(&self, view: &View<'_>, reading: Reading) -> Option<Hit> {
        let start = view.words.get(reading.from)?.start;
        let end = view.words.get(reading.last)?.end;
        let recogniser = if reading.office { self.official.or(self.person)? } else { self.person? };
        Some(Hit { start, end, recogniser, score: reading.score.min(0.99), reasons: reading.reasons, subject: None })
    }

    fn may_start(&self, view: &View<'_>, index: usize) -> bool {
        let flags = view.flag(index);
        let listed = Flags::FIRST.with(Flags::FOREIGN).with(Flags::EVERYDAY).with(Flags::SURNAME).with(Flags::TITLE).with(Flags::OFFICE);
        let cue = Flags::CUE_STRONG.with(Flags::CUE).with(Flags::CUE_WEAK);
        flags.any(listed)
            || view.words.get(index).is_some_and(Word::capital)
            || (index > 0 && view.flag(index - 1).any(cue))
    }

    fn read(&self, view: &View<'_>, index: usize) -> Option<Reading> {
        let mut r = Reading { from: index, last: index, score: 0.0, reasons: Vec::new(), office: false };
        let mut at = self.titles(view, index, &mut r);
        let titled = at > index;
        r.from = at;
        let cue = if titled { 0.3 } else { self.cue(view, index, &mut r) };
        let given = at;
        at = self.initials(view, at, &mut r);
        let with_initials = at > given;
        let initials_end = at;
        at = self.first_names(view, at, &mut r);
        let with_first = at > given;
        let named = self.surname(view, at, with_first, titled, cue, with_initials, &mut r);
        let end = named.unwrap_or(at);
        if end == given || (named.is_none() && end == initials_end && with_initials) {
            return None;
        }
        r.last = end - 1;
        self.company(view, &mut r);
        self.against(view, &mut r);
        Some(r)
    }

    /// Reads titles and offices; returns the word after them, or `index` when no name can follow.
    fn titles(&self, view: &View<'_>, index: usize, r: &mut Reading) -> usize {
        let mut at = index;
        let titles = Flags::TITLE.with(Flags::OFFICE);
        while at < index + 3 && view.flag(at).any(titles) && !(at > index && view.flag(at).any(Flags::FIRST)) {
            let Some(word) = view.words.get(at) else { break };
            if !matches!(view.gap(at), " " | ". " | "." | "  ") || view.words.get(at + 1).is_none() {
                return index;
            }
            r.office |= view.flag(at).any(Flags::OFFICE);
            let rule = if r.office { &self.rules.office } else { &self.rules.title };
            r.reasons.push(Reason { rule: rule.clone(), place: Some((word.start, word.end)), weight: 0.3 });
            at += 1;
        }
        if at > index {
            r.score += 0.3;
        }
        at
    }

    /// What the word or two before say: `volgens`, `groetjes`, `mijn naam is`.
    fn cue(&self, view: &View<'_>, index: usize, r: &mut Reading) -> f32 {
        let Some(word) = index.checked_sub(1).and_then(|i| view.words.get(i)) else { return 0.0 };
        let gap = view.gap(index - 1);
        let spaced = gap.len() <= 4 && gap.chars().all(|c| matches!(c, ' ' | ',' | ':' | '\n' | '-' | '(' | '"' | '\'' | '.' | '\r'));
        if !spaced || (gap.contains('.') && !view.flag(index - 1).any(Flags::CUE_STRONG)) {
            return 0.0;
        }
        let weight = match view.flag(index - 1) {
            f if f.any(Flags::CUE_STRONG) => 0.3,
            f if f.any(Flags::CUE) => 0.2,
            _ if introduces(view, index) => 0.3,
            f if f.any(Flags::CUE_WEAK) => 0.08,
            _ => return 0.0,
        };
        r.score += weight;
        r.reasons.push(Reason { rule: self.rules.cue.clone(), place: Some((word.start, word.end)), weight });
        weight
    }

    fn initials(&self, view: &View<'_>, from: usize, r: &mut Reading) -> usize {
        let mut at = from;
        while at < from + 5 && view.words.get(at).is_some_and(|w| w.look == Look::Initial) {
            let gap = view.gap(at);
            let dotted = matches!(gap, "." | ". " | ".-");
            let bare = gap == " " && view.words.get(at + 1).is_some_and(|w| w.capital() && w.look != Look::Initial);
            if !dotted && !(bare && at > from) {
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

    fn first_names(&self, view: &View<'_>, from: usize, r: &mut Reading) -> usize {
        let mut at = from;
        while at < from + 3 {
            let (flags, Some(word)) = (view.flag(at), view.words.get(at)) else { break };
            if at > from && !matches!(view.gap(at - 1), " " | "-") {
                break;
            }
            let capital = word.capital();
            let (rule, weight) = if flags.any(Flags::FOREIGN) {
                (&self.rules.first, if capital { 0.45 } else { 0.15 })
            } else if flags.any(Flags::FIRST) {
                (&self.rules.first, if capital { 0.55 } else { 0.45 })
            } else if flags.any(Flags::EVERYDAY) && (capital || at == from) {
                (&self.rules.everyday, if !capital { 0.05 } else if view.starts_sentence(at) { 0.12 } else { 0.28 })
            } else {
                break;
            };
            let weight = if at == from { weight } else { weight / 2.0 };
            r.score += weight;
            r.reasons.push(Reason { rule: rule.clone(), place: Some((word.start, word.end)), weight });
            at += 1;
        }
        at
    }

    /// Reads particles and a surname at `from`; the word after it, or none when there is no surname.
    #[allow(clippy::too_many_arguments, reason = "the state of one reading, passed down once")]
    fn surname(
        &self,
        view: &View<'_>,
        from: usize,
        with_first: bool,
        titled: bool,
        cue: f32,
        with_initials: bool,
        r: &mut Reading,
    ) -> Option<usize> {
        if with_first && from > 0 && !joins(view.gap(from - 1), with_initials) {
            return None;
        }
        let at = self.particles(view, from);
        let particles = at > from;
        let word = view.words.get(at)?;
        let certain_start = with_first || titled || cue >= 0.3;
        let lower = view.words.get(from).is_some_and(|w| !w.capital());
        if particles && lower && !with_first && !titled && (cue < 0.3 || at < from + 2) {
            return None;
        }
        let archaic = at >= from + 2;
        if with_first && r.score < 0.2 && view.is_common(at) && lower {
            return None; // `roos in de wind`: an everyday word and another are no name.
        }
        let weight = self.surname_weight(view, at, particles, archaic, certain_start, with_first, titled, cue)?;
        if particles {
            r.reasons.push(reason(&self.rules.particle, 0.1));
            r.score += 0.1;
        }
        let rule = if view.flag(at).any(Flags::SURNAME) { &self.rules.surname } else { &self.rules.unlisted };
        r.score += weight;
        r.reasons.push(Reason { rule: rule.clone(), place: Some((word.start, word.end)), weight });
        Some(self.second_half(view, at + 1))
    }

    /// What one word is worth as a surname, or none when it cannot be one.
    fn surname_weight(&self, view: &View<'_>, at: usize, particles: bool, archaic: bool, certain_start: bool, with_first: bool, titled: bool, cue: f32) -> Option<f32> {
        let word = view.words.get(at)?;
        let flags = view.flag(at);
        let (common, capital) = (view.is_common(at), word.capital());
        let listed = flags.any(Flags::SURNAME.with(Flags::FIRST).with(Flags::FOREIGN));
        let place = flags.any(Flags::PLACE);
        if matches!(word.look, Look::Number) || (word.look == Look::Initial && !with_first) || (flags.any(Flags::OTHER) && !(with_first && listed || titled && particles)) {
            return None;
        }
        let alone = !with_first && !certain_start;
        match (listed, capital, common) {
            (true, true, false) if alone && place => None,
            (true, true, false) if alone && particles => Some(if view.starts_sentence(at) { 0.3 } else { 0.35 }),
            (true, true, false) if alone => Some(if view.starts_sentence(at) { 0.22 } else { 0.32 }),
            (true, true, true) if alone && particles => Some(0.2),
            (true, true, true) if alone => None,
            (true, true, true) if !with_first && cue > 0.0 && !particles => Some(0.08),
            (true, true, _) => Some(0.3),
            (true, false, false) if with_first || particles && certain_start => Some(0.3),
            (true, false, false) if certain_start => Some(0.2),
            (true, false, true) if with_first && particles => Some(0.25),
            (true, false, true) if with_first => (word.len() > 2 && !flags.any(Flags::PARTICLE)).then_some(0.12),
            (true, false, true) if titled => Some(0.2),
            (true, false, true) if particles && certain_start => Some(0.2),
            (false, true, false) if alone => (!place && word.look == Look::Capital && word.len() > 2).then_some(if view.starts_sentence(at) { 0.08 } else { 0.15 }),
            (false, true, false) if with_first => (word.len() > 1).then_some(0.25),
            (false, true, false) => (!place).then_some(0.25),
            (false, true, true) if particles && certain_start => Some(0.2),
            (false, true, true) if titled => Some(0.15),
            (false, false, true) if archaic && (with_first || titled) => Some(0.2),
            (false, false, false) if with_first => (word.len() > 3 && !place || particles).then_some(0.1),
            (false, false, false) if particles && certain_start => Some(0.15),
            _ => None,
        }
    }

    /// `van der`, `de`, `'t`, `el`: at most three, and only when a word follows.
    fn particles(&self, view: &View<'_>, from: usize) -> usize {
        let mut at = from;
        let inner = view.flag(from).any(Flags::INNER) && view.flag(from + 1).any(Flags::PARTICLE);
        while at < from + 3 && (view.flag(at).any(Flags::PARTICLE) || (inner && at == from)) && matches!(view.gap(at), " " | " '" | "-" | "'" | "/" | "\u{2019}" | ". ") {
            at += 1;
        }
        at
    }

    /// `-Jansen`, `-van Dijk` or ` van der Maes` after a surname.
    fn second_half(&self, view: &View<'_>, after: usize) -> usize {
        let gap = after.checked_sub(1).map_or("", |last| view.gap(last));
        if gap != "-" && gap != " " {
            return after;
        }
        let at = self.particles(view, after);
        let fits = |w: &Word| w.look != Look::Number && (gap == "-" || (at > after && w.capital() && !view.flag(at).any(Flags::PLACE)));
        if view.words.get(at).is_some_and(fits) { at + 1 } else { after }
    }

    /// Spoken to (`Roos heb je`), or in one breath with another name (`Jaivey en Amrita`).
    fn company(&self, view: &View<'_>, r: &mut Reading) {
        let capital = view.words.get(r.from).is_some_and(Word::capital);
        let spoken_to = r.from == r.last && view.starts_sentence(r.from) && view.flag(r.from).any(Flags::EVERYDAY) && addressed(view, r.last);
        let named = |i: usize| view.words.get(i).is_some_and(Word::capital) && view.flag(i).any(Flags::FIRST);
        let and = |i: Option<usize>| i.is_some_and(|i| is(view.words.get(i), "en") || is(view.words.get(i), "and"));
        let beside = (and(r.from.checked_sub(1)) && r.from.checked_sub(2).is_some_and(named)) || (and(Some(r.last + 1)) && named(r.last + 2));
        if spoken_to || (capital && beside) {
            r.score += 0.25;
            r.reasons.push(reason(&self.rules.company, 0.25));
        }
    }

    /// A street, a word inside a longer one, or a shout in capitals takes from the score.
    fn against(&self, view: &View<'_>, r: &mut Reading) {
        let Some(last) = view.words.get(r.last) else { return };
        let text = view.text.get(last.start..last.end).unwrap_or("");
        let street = r.last > r.from && self.street_endings.iter().any(|e| ends_with(text, e));
        let hyphened = view.gap(r.last) == "-" && view.words.get(r.last + 1).is_some_and(|w| w.look == Look::Lower);
        let hashtag = view.words.get(r.from).is_some_and(|w| view.text.get(..w.start).is_some_and(|t| t.ends_with('#')));
        if street || (hyphened && r.from == r.last) {
            r.score -= 0.3;
        }
        if hashtag {
            r.score -= 0.1;
        }
    }
}

/// Whether a verb and `je`, `jij` or `u` follow.
fn addressed(view: &View<'_>, index: usize) -> bool {
    matches!(view.gap(index), " " | ", ") && ["je", "jij", "u", "you"].iter().any(|p| is(view.words.get(index + 2), p))
}

/// Whether the gap before a surname lets it belong to what stands before it.
fn joins(gap: &str, after_initial: bool) -> bool {
    matches!(gap, " " | "  " | " '" | "-" | " \u{2019}") || (after_initial && matches!(gap, "." | ". " | ". '"))
}

fn ends_with(word: &str, ending: &str) -> bool {
    let (word, ending) = (word.as_bytes(), ending.as_bytes());
    word.len() >= ending.len() && word.get(word.len() - ending.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
}

/// `ik ben`, `naam is`, `I am` before the word at `index`.
fn introduces(view: &View<'_>, index: usize) -> bool {
    let word = |back: usize| index.checked_sub(back).and_then(|i| view.words.get(i)).map(|w| w.hash);
    let (Some(second), Some(last)) = (word(2), word(1)) else { return false };
    let key = join(second, last);
    INTRODUCTIONS.iter().any(|(a, b)| join(hash(a), hash(b)) == key)
}

const INTRODUCTIONS: &[(&str, &str)] = &[("ik", "ben"), ("naam", "is"), ("name", "is"), ("i", "am"), ("ik", "heet"), ("vraag", "naar")];

fn is_taken(view: &View<'_>, taken: &[(usize, usize)], index: usize) -> bool {
    let Some(word) = view.words.get(index) else { return false };
    let next = taken.partition_point(|(_, end)| *end <= word.start);
    taken.get(next).is_some_and(|(start, _)| *start <= word.start)
}
