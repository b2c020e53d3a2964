//! The second part of a name: particles and surname, weighed by lists, capitals and what stands before.

use super::context::{Listed, is};
use super::endings::{Ending, ends_with};
use super::given::is_genitive;
use super::hit::Reason;
use super::lexicon::Flags;
use super::names::{Names, Reading};
use super::people::{View, reason};
use super::things::is_street;
use super::words::{Look, Word, literal};

/// What stands before a surname.
pub(super) struct Lead {
    pub(super) first: bool,
    pub(super) initials: bool,
    /// Two initials or more that are no abbreviation: `G.J.`, not `N.B.`
    pub(super) several_initials: bool,
    /// Initials within a sentence, where no list begins: `en K. Post`.
    pub(super) within: bool,
    pub(super) titled: bool,
    pub(super) cue: f32,
}

impl Lead {
    /// Whether it leaves no doubt that a name follows.
    fn is_certain(&self) -> bool {
        self.first || self.titled || self.cue >= CUE_CERTAIN
    }
}

/// The weight of a cue after which a name is to be expected.
pub(super) const CUE_CERTAIN: f32 = 0.3;

/// That of `beste` and `ene`.
const CUE_LIKELY: f32 = 0.2;

impl Names {
    /// Reads particles and a surname at `from`; the word after it, or none when there is no surname.
    pub(super) fn surname<'r>(
        &'r self,
        view: &View<'_>,
        from: usize,
        lead: &Lead,
        r: &mut Reading<'r>,
    ) -> Option<usize> {
        let broken = || view.words.get(from).is_some_and(|w| !w.capital()) && self.is_surname(view, from);
        if lead.first && from > 0 {
            let gap = view.gap(from - 1);
            if !(joins(gap, lead.initials) || gap == "\n" && broken()) {
                return None;
            }
        }
        let at = self.particles(view, from);
        let particles = at - from;
        let word = view.words.get(at)?;
        let lower = view.words.get(from).is_some_and(|w| !w.capital());
        if lead.first && from.checked_sub(1).is_some_and(|i| is_genitive(view, i)) {
            return None;
        }
        if particles > 0 && !lower && !lead.first && self.opens_name(view, at) {
            return None; // `Van Kees Jansen gehoord`
        }
        if lead.first && is_syllable(view, from) {
            return Some(from + 2);
        }
        let named = lead.first || lead.titled;
        let archaic =
            || is(view.words.get(from), ARCHAIC) || is(view.words.get(at.saturating_sub(1)), ARCHAIC);
        let proper = || {
            word.look == Look::Capital && !view.flag(at).any(Flags::PLACE) && !view.is_common(at) && archaic()
        };
        if particles > 0 && lower && !named && (lead.cue < CUE_CERTAIN || particles < 2) && !proper() {
            return None;
        }
        if particles > 0 && lower && r.office && !lead.first {
            return None; // `minister van Financiën` names an office, not a person.
        }
        if particles > 0
            && lower
            && !word.capital()
            && !view.flag(at).any(Flags::SURNAME)
            && from.checked_sub(1).is_some_and(|i| is(view.words.get(i), MANY))
        {
            return None; // `heren van de raad`
        }
        let everyday = from.checked_sub(1).is_some_and(|i| view.flag(i).any(Flags::EVERYDAY));
        let inner = view.flag(from).any(Flags::INNER) && !word.capital();
        let old = particles > 0 && is(view.words.get(at - 1), OLD);
        // `roos in de wind`, `bedankt ingrid voor de hulp`: everyday words are no names. `jan op den akker`, `jan in 't veld` are.
        let ordinary = r.score < 0.2 && !old || inner && (everyday || !old);
        if lead.first && lower && ordinary && view.is_common(at) {
            return None;
        }
        let weight = self.surname_weight(view, at, particles, lead, r.score)?;
        if word.look == Look::Initial && particles == 0 {
            return Some(self.behind_initial(view, at, weight, r));
        }
        if particles > 0 {
            r.reasons.push(reason(&self.rules.particle, 0.1));
            r.score += 0.1;
        }
        let rule = if view.flag(at).any(Flags::SURNAME) { &self.rules.surname } else { &self.rules.unlisted };
        r.score += weight;
        r.reasons.push(Reason { rule, place: Some((word.start, word.end)), weight });
        let end = self.second_half(view, at + 1);
        let alone = end == at + 1 && particles == 0 && !lead.first && !lead.initials;
        let expected = lead.titled || lead.cue >= CUE_LIKELY;
        let certain = lead.cue >= CUE_CERTAIN;
        Some(if alone && expected { self.going_on(view, at, certain).unwrap_or(end) } else { end })
    }

    /// The word after a surname that stands behind what turns out to be a first name that no list knows: `groet, Xyla Clandermans`,
    /// `meneer Tiarda van Starkenborgh`; behind a certain cue in small letters too.
    fn going_on(&self, view: &View<'_>, at: usize, certain: bool) -> Option<usize> {
        let last = self.particles(view, at + 1);
        let known = Flags::OTHER.with(Flags::TITLE).with(Flags::OFFICE);
        let place = view.flag(last).any(Flags::PLACE) && view.flag(at).any(Flags::SURNAME);
        let written = |i: usize, look: Look| view.words.get(i).is_some_and(|w| w.look == look);
        let small = |i: usize| written(i, Look::Lower) && view.word(i).len() > 3;
        let alike =
            written(at, Look::Capital) && written(last, Look::Capital) || certain && small(at) && small(last);
        let goes_on = alike
            && view.spaced(at)
            && !view.flag(last).any(known)
            && !place
            && !view.is_common(last)
            && !is_street(view.word(last));
        goes_on.then_some(last + 1)
    }

    /// Whether a first name stands here with a surname behind it.
    fn opens_name(&self, view: &View<'_>, at: usize) -> bool {
        let surname = self.particles(view, at + 1);
        let capital = || view.words.get(surname).is_some_and(Word::capital);
        view.flag(at).any(Flags::FIRST)
            && view.spaced(at)
            && capital()
            && view.flag(surname).any(Flags::SURNAME)
    }

    /// The word after an initial that stands for a surname or before one: `Ruben T.`, `Els R. de Boer`, `Jan M. Jansen`.
    fn behind_initial<'r>(&'r self, view: &View<'_>, at: usize, weight: f32, r: &mut Reading<'r>) -> usize {
        let place = view.words.get(at).map(|word| (word.start, word.end));
        r.score += weight;
        r.reasons.push(Reason { rule: &self.rules.initials, place, weight });
        let after = at + 1;
        let surname = self.particles(view, after);
        let listed = view.flag(surname).any(Flags::SURNAME) && (surname > after || !view.is_common(surname));
        let named = view.words.get(surname).is_some_and(|w| w.look == Look::Capital) && listed;
        if !named || !matches!(view.gap(at), "." | ". ") {
            return after;
        }
        self.second_half(view, surname + 1)
    }

    /// What one word is worth as a surname, or none when it cannot be one.
    fn surname_weight(
        &self,
        view: &View<'_>,
        at: usize,
        particles: usize,
        lead: &Lead,
        so_far: f32,
    ) -> Option<f32> {
        let Lead { first: with_first, titled, cue, .. } = *lead;
        let certain_start = lead.is_certain();
        let initialled = lead.several_initials || lead.within || lead.initials && particles > 0;
        let word = view.words.get(at)?;
        let flags = view.flag(at);
        let greeted = particles > 0 && cue >= CUE_LIKELY;
        let led = || greeted || initialled || is_led(view, at, particles);
        let place = flags.any(Flags::PLACE) && !(flags.any(Flags::SURNAME) && led());
        let (archaic, particles) = (particles > 1, particles > 0);
        let (common, capital) = (view.is_common(at), word.capital());
        let listed = flags.any(Flags::SURNAME.with(Flags::FIRST).with(Flags::FOREIGN));
        if matches!(word.look, Look::Number)
            || (word.look == Look::Initial && !with_first)
            || (flags.any(Flags::OTHER) && !(with_first && listed || titled && particles))
        {
            return None;
        }
        if word.look == Look::Initial {
            return (so_far >= FIRST_LIKELY && view.gap(at).starts_with('.')).then_some(0.1);
        }
        let alone = !with_first && !certain_start && !initialled;
        match (listed, capital, common) {
            (true, true, false) if alone && place => None,
            (true, true, false) if alone && particles => {
                Some(if view.starts_sentence(at) { 0.3 } else { 0.35 })
            }
            (true, true, false) if alone => Some(if view.starts_sentence(at) { 0.22 } else { 0.32 }),
            (true, true, true) if alone && particles => (!place).then_some(0.2),
            // `Van der Meer`: a word that no list has as a surname.
            (false, true, true) if alone && archaic && is_van_der(view, at) => Some(0.2),
            (true, true, true) if !with_first && cue >= CUE_LIKELY && !particles => {
                // `beste Visser`, `ene Bakker`
                Some(if COMPANIONS.has(Some(word)) { 0.08 } else { 0.12 })
            }
            (true, true, true) if alone => None,
            (true, true, true) if !with_first && cue > 0.0 && !particles => Some(0.08),
            (true, true, _) => Some(0.3),
            (true, false, false) if with_first || particles && certain_start => Some(0.3),
            (true, false, false) if certain_start => Some(0.2),
            (true, false, true) if with_first && particles => Some(0.25),
            (true, false, true) if with_first => {
                let follows = cue < CUE_CERTAIN && FOLLOWING.has(Some(word));
                (word.len() > 2 && !flags.any(Flags::PARTICLE) && !follows).then_some(0.12)
            }
            (true, false, true) if titled => Some(0.2),
            (true, false, true) if particles && certain_start => Some(0.2),
            (false, true, false) if alone => {
                let long = !place && word.look == Look::Capital && (3..=10).contains(&word.len());
                let thing = || (!particles && after_article(view, at)) || is_landmark(view, at);
                (long && !thing()).then(|| if view.starts_sentence(at) { 0.08 } else { 0.3 })
            }
            (false, true, false) if with_first => (word.len() > 1).then_some(0.25),
            (false, true, false) => (!place || titled).then_some(0.25),
            (false, true, true) if particles && certain_start => Some(0.2),
            // In capitals any word follows an office: `BURGEMEESTER HEEFT GELIJK`.
            (false, true, true) if titled => {
                (word.look == Look::Capital || with_first || lead.initials).then_some(0.15)
            }
            // `Gonny Lammers`: a capital within a sentence, right behind a certain first name.
            (false, true, true) if with_first && so_far >= FIRST_KNOWN => {
                (word.look == Look::Capital && word.len() > 3 && !is(Some(word), OPENERS)).then_some(0.15)
            }
            // `naam M. Zuurbier`
            (false, true, true) if lead.initials && cue > 0.0 => (word.len() > 4).then_some(0.2),
            // A surname that is also a word: `G.J. Kweldijk`.
            (false, true, true) if lead.several_initials => (word.len() > 4).then_some(0.2),
            (false, false, true) if archaic && (with_first || titled) => Some(0.2),
            (false, false, false) if with_first => (word.len() > 3 && !place || particles).then_some(0.1),
            (false, false, false) if particles && certain_start => Some(0.15),
            (false, false, false) if cue >= CUE_CERTAIN => {
                ((3..=10).contains(&word.len()) && !place).then_some(0.05)
            }
            _ => None,
        }
    }

    /// `van der`, `de`, `'t`, `el`, `v.d.`, `v/d`, the `O` of `O'Connor`: at most three, and only when a word follows.
    pub(super) fn particles(&self, view: &View<'_>, from: usize) -> usize {
        let mut at = from;
        let inner = view.flag(from).any(Flags::INNER) && view.flag(from + 1).any(Flags::PARTICLE);
        while at < from + 3 {
            if is(view.words.get(at), VAN) && matches!(view.gap(at), "." | "/" | " " | ". ") {
                at += 1; // `v.`, and the `d` of `v.d.` or `v/d` is a particle itself.
                continue;
            }
            let elided = || {
                matches!(view.gap(at), "'" | "\u{2019}") && view.words.get(at + 1).is_some_and(Word::capital)
            };
            if view.is_initial(at) && elided() {
                at += 1;
                continue;
            }
            // `Ruben T.`: a capital and a full stop are an initial.
            let van = at > from && is(view.words.get(at - 1), VAN);
            let initial = !van && view.is_initial(at) && view.gap(at).starts_with('.');
            let particle = !initial && view.flag(at).any(Flags::PARTICLE) || (inner && at == from);
            if !particle || !matches!(view.gap(at), " " | " '" | "-" | "'" | "/" | "\u{2019}" | ". " | ".") {
                break;
            }
            at += 1;
        }
        at
    }

    /// `-Jansen`, `-van Dijk`, ` - de Boer`, ` van der Maes` or ` A Fat` after a surname.
    fn second_half(&self, view: &View<'_>, after: usize) -> usize {
        let gap = after.checked_sub(1).map_or("", |last| view.gap(last));
        if !matches!(gap, "-" | " " | " - ") {
            return after;
        }
        if is_syllable(view, after) {
            return after + 2;
        }
        let at = self.particles(view, after);
        let fits = |w: &Word| match gap {
            "-" => w.look != Look::Number,
            " " => {
                at > after
                    && w.capital()
                    && (!view.flag(at).any(Flags::PLACE) || is(view.words.get(after), SOUTHERN))
            }
            _ => is_married(view, after, at),
        };
        if view.words.get(at).is_some_and(fits) { at + 1 } else { after }
    }
}

/// The `A` of `Tjon-A-Tsien` and `Lie A Fat`, between two words of a name.
fn is_syllable(view: &View<'_>, at: usize) -> bool {
    let gap = || at.checked_sub(1).map_or("", |last| view.gap(last));
    let joined = || matches!(gap(), " " | "-") && view.gap(at) == gap();
    let next = || view.words.get(at + 1).is_some_and(|w| w.look == Look::Capital);
    view.is_initial(at) && is(view.words.get(at), &[literal("a")]) && joined() && next()
}

/// Whether the surname behind a dash is that of a spouse, and no second person, place or paper: `Els Jansen - de Boer`.
fn is_married(view: &View<'_>, after: usize, at: usize) -> bool {
    let led = at > after && view.words.get(after).is_some_and(|first| !first.capital());
    let other = if led { Flags::OTHER } else { Flags::FIRST.with(Flags::PLACE).with(Flags::OTHER) };
    view.words.get(at).is_some_and(|w| w.look == Look::Capital)
        && (view.flag(at).any(Flags::SURNAME) || at > after + 1)
        && (led || at == after)
        && !view.flag(at).any(other)
}

/// Whether particles before a surname leave little doubt that no place of that name is meant: `die Van Dijk`, `Van den Berg`,
/// `De Vries zegt`. A capital `Van` that opens a sentence, and any `De`, `Ter` or `Ten`, want a word for what people do with words behind it.
fn is_led(view: &View<'_>, at: usize, particles: usize) -> bool {
    let Some(from) = at.checked_sub(particles.max(1)).filter(|_| particles > 0) else { return false };
    let first = view.words.get(from).filter(|first| first.capital());
    let says = || view.spaced(at) && SAYING.has(view.words.get(at + 1));
    let van = || particles > 1 || !view.starts_sentence(from) || says();
    let people = || {
        says()
            || !view.starts_sentence(from)
                && from.checked_sub(1).is_some_and(|i| !WHERE.has(view.words.get(i)))
    };
    is(first, &[literal("van")]) && van() || particles == 1 && is(first, LEADING) && people()
}

/// Whether `Van der` or `Van den` with a capital stands before a word.
fn is_van_der(view: &View<'_>, at: usize) -> bool {
    let van = at.checked_sub(2).and_then(|i| view.words.get(i)).filter(|w| w.capital());
    let der = at.checked_sub(1).and_then(|i| view.words.get(i));
    view.words.get(at).is_some_and(|w| w.look == Look::Capital)
        && is(van, &[literal("van")])
        && is(der, &[literal("der"), literal("den")])
}

/// Whether a word stands behind an article or the like, as names of things do: `de Sloterplas`, `het Vlinderpad`.
pub(super) fn after_article(view: &View<'_>, at: usize) -> bool {
    at.checked_sub(1).is_some_and(|i| view.spaced(i) && ARTICLES.has(view.words.get(i)))
}

/// Whether a word ends as names of places in the landscape and the town do.
fn is_landmark(view: &View<'_>, at: usize) -> bool {
    ends_with(view.word(at), &LANDMARKS, 3)
}

const LANDMARKS: [Ending; 27] = Ending::all([
    "weg", "pad", "dam", "plas", "wijk", "kade", "brug", "park", "polder", "haven", "land", "stad", "dorp",
    "meer", "sloot", "straat", "laan", "plein", "gracht", "singel", "dreef", "markt", "veen", "oord",
    "festival", "huis", "school",
]);
static ARTICLES: Listed<30> = Listed::of([
    literal("de"),
    literal("het"),
    literal("een"),
    literal("t"),
    literal("the"),
    literal("deze"),
    literal("die"),
    literal("dit"),
    literal("dat"),
    literal("onze"),
    literal("jullie"),
    // What is called after a place or a street.
    literal("station"),
    literal("halte"),
    literal("perron"),
    literal("stadion"),
    literal("ziekenhuis"),
    literal("wijk"),
    literal("buurt"),
    literal("eiland"),
    literal("hotel"),
    literal("restaurant"),
    literal("café"),
    literal("camping"),
    literal("theater"),
    literal("museum"),
    literal("park"),
    literal("kasteel"),
    literal("polder"),
    literal("hoek"),
    literal("basisschool"),
]);
/// What people do with words, and no place does.
pub(super) static SAYING: Listed<31> = Listed::of([
    literal("zegt"),
    literal("zei"),
    literal("vindt"),
    literal("vond"),
    literal("denkt"),
    literal("dacht"),
    literal("weet"),
    literal("wist"),
    literal("wil"),
    literal("wilde"),
    literal("vertelt"),
    literal("vertelde"),
    literal("schrijft"),
    literal("schreef"),
    literal("vraagt"),
    literal("vroeg"),
    literal("belt"),
    literal("belde"),
    literal("mailt"),
    literal("liegt"),
    literal("belooft"),
    literal("beweert"),
    literal("snapt"),
    literal("reageert"),
    literal("kletst"),
    literal("durft"),
    literal("lacht"),
    literal("huilt"),
    literal("antwoordt"),
    literal("luistert"),
    literal("lult"),
]);
/// What stands before places, and before people at most as well.
static WHERE: Listed<26> = Listed::of([
    literal("in"),
    literal("naar"),
    literal("uit"),
    literal("te"),
    literal("rond"),
    literal("bij"),
    literal("van"),
    literal("vanuit"),
    literal("tot"),
    literal("door"),
    literal("over"),
    literal("langs"),
    literal("richting"),
    literal("gemeente"),
    literal("dorp"),
    literal("stad"),
    literal("station"),
    literal("halte"),
    literal("wijk"),
    literal("buurt"),
    literal("omgeving"),
    literal("op"),
    literal("voor"),
    literal("nabij"),
    literal("achter"),
    literal("en"),
]);
/// Particles that open the name of a place as well.
const LEADING: &[u64] = &[literal("de"), literal("ter"), literal("ten")];
/// Particles that hardly stand before a place.
const SOUTHERN: &[u64] =
    &[literal("da"), literal("dos"), literal("das"), literal("di"), literal("el"), literal("al")];
/// Titles of several people.
const MANY: &[u64] = &[literal("heren")];
/// Surnames that in lower case go on with the sentence behind a first name: `gaat wim mee`, `dank jan top`.
static FOLLOWING: Listed<33> = Listed::of([
    literal("mee"),
    literal("komen"),
    literal("ligt"),
    literal("los"),
    literal("snel"),
    literal("kort"),
    literal("stil"),
    literal("kant"),
    literal("loop"),
    literal("hou"),
    literal("houdt"),
    literal("nader"),
    literal("link"),
    literal("zin"),
    literal("rust"),
    literal("top"),
    literal("topper"),
    literal("toppers"),
    literal("tof"),
    literal("trots"),
    literal("slim"),
    literal("mis"),
    literal("vast"),
    literal("vlug"),
    literal("ren"),
    literal("slaap"),
    literal("schat"),
    literal("hoop"),
    literal("hen"),
    literal("vaart"),
    literal("papa"),
    literal("knap"),
    literal("graag"),
]);
/// Surnames by which people greet a group, someone they know or a day: `beste Buren`, `hallo Lente`.
static COMPANIONS: Listed<57> = Listed::of([
    literal("burger"),
    literal("burgers"),
    literal("boer"),
    literal("boeren"),
    literal("buren"),
    literal("bakkers"),
    literal("mens"),
    literal("vriend"),
    literal("vriendjes"),
    literal("kind"),
    literal("kinderen"),
    literal("leerling"),
    literal("jongen"),
    literal("jongens"),
    literal("jonge"),
    literal("schat"),
    literal("volger"),
    literal("volgers"),
    literal("ridder"),
    literal("ridders"),
    literal("jagers"),
    literal("ruiters"),
    literal("winter"),
    literal("zomer"),
    literal("lente"),
    literal("herfst"),
    literal("zon"),
    literal("vrijdag"),
    literal("vader"),
    literal("papa"),
    literal("broers"),
    literal("zoon"),
    literal("zoons"),
    literal("koks"),
    literal("meester"),
    literal("meesters"),
    literal("mannen"),
    literal("baas"),
    literal("maat"),
    literal("maatje"),
    literal("makker"),
    literal("koning"),
    literal("koningen"),
    literal("keizer"),
    literal("kat"),
    literal("hond"),
    literal("vogel"),
    literal("engel"),
    literal("kapper"),
    literal("werker"),
    literal("schilder"),
    literal("schilders"),
    literal("vissers"),
    literal("spelers"),
    literal("gast"),
    literal("kamer"),
    literal("dieren"),
]);
/// Particles that hardly stand before anything but a surname.
const ARCHAIC: &[u64] = &[literal("ter"), literal("ten"), literal("der"), literal("vd")];
/// Particles that no noun of today stands behind without a capital: `demi ten brink`.
const OLD: &[u64] =
    &[literal("der"), literal("den"), literal("ter"), literal("ten"), literal("vd"), literal("t")];
pub(super) const VAN: &[u64] = &[literal("v")];
/// Words that open a sentence whose capital follows a name without a full stop.
const OPENERS: &[u64] = &[
    literal("maar"),
    literal("waarom"),
    literal("deze"),
    literal("jullie"),
    literal("alleen"),
    literal("waar"),
    literal("wanneer"),
    literal("toch"),
    literal("niet"),
    literal("geen"),
    literal("hier"),
    literal("heeft"),
    literal("moet"),
    literal("bedankt"),
    literal("dank"),
    literal("groet"),
    literal("groetjes"),
    literal("gemeente"),
];
/// What a first name weighs at least that is one without what stands around it.
const FIRST_KNOWN: f32 = 0.3;

/// What an everyday first name weighs within a sentence at least.
const FIRST_LIKELY: f32 = 0.25;

/// Whether the gap before a surname lets it belong to what stands before it.
fn joins(gap: &str, after_initial: bool) -> bool {
    matches!(gap, " " | "  " | " '" | "-" | " \u{2019}")
        || (after_initial && matches!(gap, "." | ". " | ". '"))
}
