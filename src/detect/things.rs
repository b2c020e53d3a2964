//! What bears a person's name and is no person: streets, schools, ships, storms, prizes.

use super::context::{Listed, is};
use super::endings::{Ending, ends_with};
use super::lexicon::Flags;
use super::names::{Names, Reading};
use super::people::View;
use super::surname::after_article;
use super::words::{Look, Word, literal};

impl Names {
    /// A street, a word inside a longer one, or a shout in capitals takes from the score.
    pub(super) fn against(&self, view: &View<'_>, r: &mut Reading<'_>) {
        let before_street = r.from == r.last && view.spaced(r.last) && is_street(view.word(r.last + 1));
        // `Niels Verkade` is a person, `Jansstraat` and `Niels Verkade 12` are none.
        let numbered = view.words.get(r.last + 1).is_some_and(|w| w.look == Look::Number);
        let surname = r.last > r.from && view.flag(r.last).any(Flags::SURNAME) && !numbered;
        let street = (is_street(view.word(r.last)) && !surname) || before_street;
        let compound = |w: &Word| w.look == Look::Lower || view.is_common(r.last + 1);
        let hyphened = view.gap(r.last) == "-" && view.words.get(r.last + 1).is_some_and(compound);
        let hashtag = view
            .words
            .get(r.from)
            .is_some_and(|w| view.text.get(..w.start).is_some_and(|t| t.ends_with('#')));
        // `Sint Anna`, `Sint Anna ter Muiden`
        let village = r.from == r.last || view.flag(r.from + 1).any(Flags::PARTICLE);
        let saint = village && r.from.checked_sub(1).is_some_and(|i| is(view.words.get(i), SAINT));
        if street || saint {
            r.score -= 1.0;
        }
        if hyphened && r.from == r.last {
            r.score -= 0.3;
        }
        if hashtag {
            r.score -= 0.1;
        }
    }
}

/// Whether a reading names no person but what is called after one: `basisschool Anne Frank`, `de Theo Thijssen prijs`.
/// `start` is its first word, titles included. Where a person may be meant, one is: somebody with a title, initials or a cue before
/// the name, somebody in a place where people go.
#[inline(never)]
pub(super) fn is_thing(view: &View<'_>, start: usize, r: &Reading<'_>) -> bool {
    let before = start.checked_sub(1);
    if start < r.from || view.is_initial(r.from) {
        return is_sailing(view, start, r) || before.is_some_and(|i| is_navy(view, i));
    }
    // `voorzitter stichting Jan Jansen`: of someone with an office there, the name follows.
    let someone = || start.checked_sub(2).is_some_and(|i| view.flag(i).any(ROLES));
    let kind = |i: usize| view.spaced(i) && (is_kind(view, i) || is_ship(view, i)) || is_navy(view, i);
    // `in het ziekenhuis Jan bezocht`, `bij hotel Kees van Dijk gesproken`
    let visited = |i: usize| is_visited(view, i) || r.last > r.from && VISITED.has(view.words.get(i));
    (before.is_some_and(|i| kind(i) && !visited(i)) && !someone())
        || before.is_some_and(|i| is_neuter(view, i))
        || opens_thing(view, r)
        || ends_thing(view, start, r)
}

/// A word for what is called after people, before the name.
pub(super) fn is_kind(view: &View<'_>, index: usize) -> bool {
    let word = view.words.get(index);
    let listed = KINDS.has(word) || NAMED.has(word) || VISITED.has(word);
    listed || ends_with(view.word(index), &KIND_ENDINGS, 3)
}

/// A word with an article for a place where people go: it may well end what was said of it before a first name.
fn is_visited(view: &View<'_>, index: usize) -> bool {
    let article = index.checked_sub(1).is_some_and(|i| after_article(view, i + 1));
    article && !NAMED.has(view.words.get(index)) && !ends_with(view.word(index), &VESSELS, 0)
}

/// `storm Corrie`, `MS Oranje`: words that are a first name or a title too.
fn is_ship(view: &View<'_>, index: usize) -> bool {
    let word = view.words.get(index);
    is(word, &[literal("storm")]) || is(word, SHIPS) && word.is_some_and(|w| w.look == Look::Caps)
}

/// `Zr.Ms. Johan de Witt`, a ship of the navy, by its first word.
fn is_navy(view: &View<'_>, index: usize) -> bool {
    let navy = || is(view.words.get(index + 1), &[literal("ms")]);
    is(view.words.get(index), &[literal("zr"), literal("hr")]) && view.gap(index) == "." && navy()
}

/// `Het Stanislas`, `op het Johan de Witt`: no person has that article, but what is told them (`heb je het Jan gevraagd`).
fn is_neuter(view: &View<'_>, index: usize) -> bool {
    let opening = || view.words.get(index).is_some_and(Word::capital) && view.starts_sentence(index);
    let within = || index.checked_sub(1).is_some_and(|i| is(view.words.get(i), WITHIN));
    let name = || view.words.get(index + 1).is_some_and(|w| w.look == Look::Capital);
    is(view.words.get(index), &[literal("het")]) && view.spaced(index) && name() && (opening() || within())
}

/// `MS Rotterdam`: a reading with a ship for its title.
fn is_sailing(view: &View<'_>, start: usize, r: &Reading<'_>) -> bool {
    let shouted = || view.words.get(r.from).is_some_and(|w| w.look == Look::Caps);
    start < r.from && is_ship(view, start) && !shouted()
}

/// A reading that begins with the word for a thing: `Storm Eunice`, `Zorgcentrum Maria Oord`.
fn opens_thing(view: &View<'_>, r: &Reading<'_>) -> bool {
    let someone = || r.from.checked_sub(1).is_some_and(|i| view.flag(i).any(ROLES));
    let capital = || view.words.get(r.last).is_some_and(Word::capital);
    let no_surname = || view.flag(r.last).any(GIVEN) || capital() && !view.flag(r.last).any(Flags::SURNAME);
    let storm = || {
        is(view.words.get(r.from), &[literal("storm")]) && r.last == r.from + 1 && no_surname() && !someone()
    };
    let kind = || !view.flag(r.from).any(GIVEN.with(Flags::SURNAME)) && is_kind(view, r.from);
    r.last > r.from && view.spaced(r.from) && (storm() || kind())
}

/// A reading that ends with the word for a thing, or one that such a word follows: `Titus Brandsmalyceum`, `Erasmus MC`.
fn ends_thing(view: &View<'_>, start: usize, r: &Reading<'_>) -> bool {
    let article = |i: usize| is(view.words.get(i), ARTICLES);
    let led = || {
        start.checked_sub(1).is_some_and(|i| view.spaced(i) && article(i)) || r.last > start && article(start)
    };
    let capital = |i: usize| view.words.get(i).is_some_and(Word::capital);
    let ends = |i: usize, endings: &[Ending]| capital(i) && ends_with(view.word(i), endings, 3);
    let is_named = |i: usize| {
        let word = view.words.get(i);
        CALLED.has(word) || ends(i, &CALLED_ENDINGS) || (LED.has(word) || ends(i, &LED_ENDINGS)) && led()
    };
    let last =
        || r.last > start && capital(r.last) && !view.flag(r.last).any(Flags::SURNAME) && is_named(r.last);
    // `Mark van Dijk UMC Utrecht`: where somebody works.
    let works = || r.last > start && WORK.has(view.words.get(r.last + 1));
    let next = || is_named(r.last + 1) && (capital(r.last + 1) || led()) && !works();
    last() || view.spaced(r.last) && next()
}

/// First names of any kind.
const GIVEN: Flags = Flags::FIRST.with(Flags::FOREIGN).with(Flags::EVERYDAY);
/// What someone is who bears a name behind the word for a thing.
const ROLES: Flags = Flags::CUE.with(Flags::CUE_STRONG).with(Flags::TITLE).with(Flags::OFFICE);
const ARTICLES: &[u64] = &[literal("de"), literal("het"), literal("t")];
const WITHIN: &[u64] =
    &[literal("op"), literal("in"), literal("van"), literal("naar"), literal("uit"), literal("bij")];
const SHIPS: &[u64] = &[literal("ms"), literal("ss"), literal("zr")];
const KIND_ENDINGS: [Ending; 12] = Ending::all([
    "school", "schip", "boot", "sporthal", "park", "zwembad", "centrum", "stadion", "museum", "garage",
    "verblijf", "tehuis",
]);
/// What is called after people, by a word before the name; with the next two lists.
static KINDS: Listed<12> = Listed::of([
    literal("sporthal"),
    literal("sportzaal"),
    literal("schip"),
    literal("boot"),
    literal("veerboot"),
    literal("gymnasium"),
    literal("lyceum"),
    literal("college"),
    literal("universiteit"),
    literal("hogeschool"),
    literal("kazerne"),
    literal("rotonde"),
]);
/// What is hardly spoken of without its name.
static NAMED: Listed<18> = Listed::of([
    literal("storm"),
    literal("orkaan"),
    literal("pont"),
    literal("veerpont"),
    literal("stichting"),
    literal("vereniging"),
    literal("fonds"),
    literal("obs"),
    literal("cbs"),
    literal("kbs"),
    literal("pcb"),
    literal("pcbs"),
    literal("rkbs"),
    literal("ikc"),
    literal("sbo"),
    literal("kabinet"),
    literal("wet"),
    literal("bijbelboek"),
]);
/// Places where people go and are met.
static VISITED: Listed<20> = Listed::of([
    literal("park"),
    literal("ziekenhuis"),
    literal("hospitaal"),
    literal("verpleeghuis"),
    literal("hotel"),
    literal("restaurant"),
    literal("café"),
    literal("theater"),
    literal("stadion"),
    literal("arena"),
    literal("camping"),
    literal("kasteel"),
    literal("station"),
    literal("metrostation"),
    literal("halte"),
    literal("museum"),
    literal("centrum"),
    literal("zwembad"),
    literal("kamp"),
    literal("landgoed"),
]);
/// Places behind the full name of somebody who works there.
static WORK: Listed<8> = Listed::of([
    literal("mc"),
    literal("umc"),
    literal("universiteit"),
    literal("hogeschool"),
    literal("ziekenhuis"),
    literal("museum"),
    literal("instituut"),
    literal("gymnasium"),
]);
const VESSELS: [Ending; 2] = Ending::all(["schip", "boot"]);
const CALLED_ENDINGS: [Ending; 9] = Ending::all([
    "school",
    "lyceum",
    "college",
    "stadion",
    "prijs",
    "kazerne",
    "lezing",
    "stichting",
    "fonds",
]);
/// What is called after people, by a word behind the name.
static CALLED: Listed<28> = Listed::of([
    literal("conservatorium"),
    literal("festival"),
    literal("college"),
    literal("gymnasium"),
    literal("lyceum"),
    literal("scholengemeenschap"),
    literal("universiteit"),
    literal("hogeschool"),
    literal("basisschool"),
    literal("arena"),
    literal("stadion"),
    literal("prijs"),
    literal("penning"),
    literal("lezing"),
    literal("trofee"),
    literal("toernooi"),
    literal("stichting"),
    literal("cultuurfonds"),
    literal("instituut"),
    literal("kazerne"),
    literal("ziekenhuis"),
    literal("museum"),
    literal("mc"),
    literal("umc"),
    literal("parochie"),
    literal("principe"),
    literal("syndroom"),
    literal("foundation"),
]);
const LED_ENDINGS: [Ending; 8] =
    Ending::all(["brug", "park", "tunnel", "laan", "huis", "zaal", "kerk", "centrum"]);
/// The same, with an article before it: `de Theo Thijssen school`.
static LED: Listed<23> = Listed::of([
    literal("school"),
    literal("brug"),
    literal("park"),
    literal("plantsoen"),
    literal("tunnel"),
    literal("sluis"),
    literal("zaal"),
    literal("hal"),
    literal("sporthal"),
    literal("huis"),
    literal("hof"),
    literal("kerk"),
    literal("kapel"),
    literal("kliniek"),
    literal("centrum"),
    literal("theater"),
    literal("fabriek"),
    literal("toren"),
    literal("boom"),
    literal("bos"),
    literal("monument"),
    literal("award"),
    literal("bokaal"),
]);

pub(super) fn is_street(word: &str) -> bool {
    ends_with(word, &STREETS, 0)
}

const STREETS: [Ending; 9] =
    Ending::all(["straat", "laan", "plein", "gracht", "singel", "dreef", "steeg", "plantsoen", "kade"]);

const SAINT: &[u64] = &[literal("sint"), literal("st"), literal("santa")];
