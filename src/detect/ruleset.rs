//! A compiled ruleset, and the order in which a text goes through it.

use super::address::Addresses;
use super::bytes::{free_after, free_before};
use super::context::{Phrases, is};
use super::cut::Cut;
use super::error::RulesetError;
use super::flags::Flagging;
use super::hit::{Hit, Reason};
use super::labelled::Labels;
use super::lane::Lane;
use super::lexicon::{Dictionary, Flags, Lexicon};
use super::marks::Marks;
use super::names::Names;
use super::numbers::{inside_number, is_amount};
use super::people::{Participant, Participants, View, reason};
use super::resolve::resolve;
use super::scan::Lanes;
use super::shadow::{Changes, Shadow};
use super::sources::Sources;
use super::spec::{Kind, Recogniser, Thresholds};
use super::spelled::tricks;
use super::tokens;
use super::validate::Validator;
use super::words::{Word, literal};
use crate::model::{Finding, RecogniserId, Span, SubjectRef, Timestamp};
use aho_corasick::AhoCorasick;
use regex::Regex;
use regex_automata::util::pool::{Pool, PoolGuard};
use smallvec::SmallVec;

/// A file of the `patterns` folder, read by the caller.
pub struct PatternFile<'a> {
    /// Its path within that folder, with `/`: `nl-bsn.yaml`, `lists/first-names.txt`.
    pub name: &'a str,
    /// Its content.
    pub text: &'a str,
}

/// Everything needed to find personal data: immutable, shared between threads.
pub struct Ruleset {
    pub(super) version: String,
    pub(super) recognisers: Vec<Recogniser>,
    pub(super) thresholds: Thresholds,
    pub(super) rules: Vec<Rule>,
    /// One a recogniser, at the same index.
    pub(super) checks: Vec<Check>,
    pub(super) lanes: Lanes,
    pub(super) tokens: Lane,
    pub(super) labels: Labels,
    pub(super) slow: Vec<(usize, Regex)>,
    pub(super) denied: Option<(AhoCorasick, Vec<usize>)>,
    pub(super) known: Lexicon,
    pub(super) common: Dictionary,
    /// Room to cut texts in, one a thread at work.
    pub(super) cuts: Pool<Cut, fn() -> Cut>,
    pub(super) names: Names,
    pub(super) addresses: Option<Addresses>,
    pub(super) flagging: Flagging,
}

/// One pattern as compiled.
pub(super) struct Rule {
    pub(super) recogniser: usize,
    pub(super) id: RecogniserId,
    pub(super) score: f32,
    /// A number must not be cut out of a longer one.
    pub(super) whole_number: bool,
}

/// Room that a text is cut in, and given back.
pub(super) type Room<'r> = PoolGuard<'r, Cut, fn() -> Cut>;

/// What a match of a recogniser must pass, and what moves its score.
pub(super) struct Check {
    pub(super) validator: Option<(Validator, RecogniserId)>,
    pub(super) context: Phrases,
    pub(super) context_id: RecogniserId,
    /// Signs of the context, that must stand right before a match.
    pub(super) marks: Marks,
    pub(super) against: Phrases,
    pub(super) against_id: RecogniserId,
}

/// An example or counter-example that a recogniser does not live up to. Holds texts of the pattern files, never of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFailure {
    /// Whose example.
    pub recogniser: RecogniserId,
    /// The text of the example.
    pub text: String,
    /// What should have been found.
    pub wanted: Vec<String>,
    /// What was found.
    pub found: Vec<String>,
}

impl Ruleset {
    /// Reads and compiles pattern files and word lists; files other than `.yaml` and `.txt` are passed over.
    ///
    /// # Errors
    /// Every fault that was seen, each with file, line where known, and the mend. No rule is skipped in silence.
    pub fn load<'a>(files: impl IntoIterator<Item = PatternFile<'a>>) -> Result<Self, RulesetError> {
        let mut sources = Sources::default();
        for file in files {
            sources.read(&file);
        }
        sources.compile()
    }

    /// A short digest over all files: two rulesets with one version find the same.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The recognisers, in the order of the files.
    pub fn recognisers(&self) -> impl Iterator<Item = &Recogniser> {
        self.recognisers.iter()
    }

    /// The scores that divide certain from doubtful from nothing.
    #[must_use]
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Runs every example and counter-example; empty when all hold.
    #[must_use]
    pub fn check(&self) -> Vec<CheckFailure> {
        let mut failures = Vec::new();
        for recogniser in &self.recognisers {
            let wanted = recogniser.examples().iter().map(|e| (e.text.as_str(), e.finds.clone()));
            let none = recogniser.counter_examples().iter().map(|text| (text.as_str(), Vec::new()));
            for (text, wanted) in wanted.chain(none) {
                let findings = self.detect(text, &[]);
                let mine = findings.iter().filter(|f| f.recogniser == *recogniser.id());
                let found: Vec<String> = mine.filter_map(|f| f.span.of(text)).map(str::to_owned).collect();
                if found != wanted {
                    failures.push(CheckFailure {
                        recogniser: recogniser.id().clone(),
                        text: text.to_owned(),
                        wanted,
                        found,
                    });
                }
            }
        }
        failures.extend(self.check_flags());
        failures
    }

    /// Finds personal data in one text: sorted by start, without overlap, spans in bytes on character boundaries.
    ///
    /// Scores are at least [`Thresholds::doubtful`]. For many texts of one conversation compile the participants
    /// once and use [`detect_among`](Self::detect_among).
    #[must_use]
    pub fn detect(&self, text: &str, participants: &[Participant<'_>]) -> Vec<Finding> {
        self.detect_among(text, &Participants::of(participants))
    }

    /// The same, with participants compiled before.
    #[must_use]
    pub fn detect_among(&self, text: &str, participants: &Participants) -> Vec<Finding> {
        self.detect_at(text, participants, None)
    }

    /// The same of a post of a known time: whether a name is that of an office-holder in function depends on it. Without one,
    /// only terms that still run count.
    #[must_use]
    pub fn detect_at(
        &self,
        text: &str,
        participants: &Participants,
        posted_at: Option<Timestamp>,
    ) -> Vec<Finding> {
        let (shadow, cut) = self.read(text);
        self.findings(&shadow, &cut, participants, posted_at)
    }

    /// The shadow of a text and its words, looked up.
    pub(super) fn read<'t>(&self, text: &'t str) -> (Shadow<'t>, Room<'_>) {
        let mut changes = Changes::default();
        let mut cut = self.cuts.get();
        let mut shadow = Shadow::plain(text);
        if let Err(from) = cut.until(text, |at| changes.at(text, at)) {
            shadow = Shadow::from(text, from);
            cut.all(shadow.text());
        }
        let tricks = if cut.odd { tricks(shadow.text(), cut.words.all()) } else { Vec::new() };
        if !tricks.is_empty() {
            shadow = shadow.replaced(&tricks);
            cut.all(shadow.text());
        }
        cut.look_up(&self.known, &self.common);
        (shadow, cut)
    }

    fn findings(
        &self,
        shadow: &Shadow<'_>,
        cut: &Cut,
        participants: &Participants,
        posted_at: Option<Timestamp>,
    ) -> Vec<Finding> {
        let on = posted_at.map(Timestamp::date);
        let view = View {
            text: shadow.text(),
            words: cut.words.all(),
            cut,
            known: &self.known,
            common: &self.common,
            on,
        };
        let mut hits = Vec::new();
        let mut beside = Beside::new();
        self.patterns(&view, participants, &mut hits, &mut beside);
        self.labelled(&view, participants, &mut hits);
        let taken = taken(&hits);
        self.names.find(&view, &taken, &mut hits);
        participants.apply(&view, &self.names, &mut hits);
        if let Some(addresses) = &self.addresses {
            addresses.find(&view, &mut hits);
        }
        if hits.is_empty() && beside.is_empty() {
            return Vec::new();
        }
        self.beside_people(&view, &beside, &mut hits);
        let hits = resolve(view.text, hits);
        apart(hits.into_iter().filter_map(|hit| hit.finding(shadow, &self.recognisers)))
    }

    /// Everything that is found by regular expression or deny list.
    fn patterns<'r>(
        &'r self,
        view: &View<'_>,
        participants: &Participants,
        hits: &mut Vec<Hit<'r>>,
        beside: &mut Beside<'r>,
    ) {
        let text = view.text;
        let mut accept =
            |rule: usize, start: usize, end: usize| match self.judge(view, rule, start, end, participants) {
                Verdict::Found(candidate) => {
                    hits.push(candidate.hit());
                    true
                }
                Verdict::BesidePerson(candidate) => {
                    beside.push(candidate);
                    true
                }
                Verdict::Passed => true,
                Verdict::No => false,
            };
        let context = view.cut.flags.any(Flags::CONTEXT);
        self.lanes.scan(text, view.cut, context, &mut accept);
        tokens::scan(&self.tokens, view, context, &mut accept);
        if view.cut.flags.any(Flags::AT) {
            for word in view.words.iter().filter(|w| is(Some(w), AT)) {
                self.lanes.word_at(text, word.start, &mut accept);
            }
        }
        for (rule, regex) in &self.slow {
            for found in regex.find_iter(text).filter(|m| !m.is_empty()) {
                accept(*rule, found.start(), found.end());
            }
        }
        if let Some((denied, rules)) = &self.denied {
            for found in denied.find_iter(text) {
                if let Some(rule) = rules.get(found.pattern().as_usize())
                    && free_before(text, found.start())
                    && free_after(text, found.end())
                {
                    accept(*rule, found.start(), found.end());
                }
            }
        }
    }

    /// Values that stand at a label.
    fn labelled<'r>(&'r self, view: &View<'_>, participants: &Participants, hits: &mut Vec<Hit<'r>>) {
        self.labels.find(view, |value| {
            let verdict = self.judge(view, value.rule, value.start, value.end, participants);
            let Verdict::Found(candidate) = verdict else { return false };
            let mut hit = candidate.hit();
            let label = self.labels.evidence(value.recogniser);
            hit.reasons.extend(label.map(|rule| Reason { rule, place: Some(value.label), weight: 0.0 }));
            hits.push(hit);
            true
        });
    }

    /// Confirms one candidate, or not.
    fn judge(
        &self,
        view: &View<'_>,
        rule: usize,
        start: usize,
        end: usize,
        participants: &Participants,
    ) -> Verdict<'_> {
        let Some(rule) = self.rules.get(rule) else { return Verdict::No };
        let (Some(recogniser), Some(check)) =
            (self.recognisers.get(rule.recogniser), self.checks.get(rule.recogniser))
        else {
            return Verdict::No;
        };
        let part = || inside_number(view.text.as_bytes(), start, end) || is_amount(view.text, start, end);
        if rule.whole_number && part() {
            return Verdict::No;
        }
        let candidate = view.text.get(start..end).unwrap_or("");
        if check.validator.as_ref().is_some_and(|(validator, _)| !validator.accepts(candidate)) {
            return Verdict::No;
        }
        let mut subject = None;
        if recogniser.kind == Kind::Handles {
            let (own, whose) = participants.account(candidate.trim_start_matches('@'));
            if own {
                return Verdict::Passed;
            }
            subject = whose;
        }
        let (around, supported) = self.weigh(view, check, start, end);
        let score = rule.score + around.map_or(0.0, |reason| reason.weight);
        let candidate = Candidate { start, end, rule, check, around, score: score.min(0.99), subject };
        if recogniser.context_required && !supported {
            return if recogniser.beside_person { Verdict::BesidePerson(candidate) } else { Verdict::No };
        }
        match candidate.score >= self.thresholds.doubtful {
            true => Verdict::Found(candidate),
            false if recogniser.beside_person => Verdict::BesidePerson(candidate),
            false => Verdict::No,
        }
    }

    /// What stands around a match and moves its score; whether a word of the context was found.
    fn weigh<'r>(
        &self,
        view: &View<'_>,
        check: &'r Check,
        start: usize,
        end: usize,
    ) -> (Option<Reason<'r>>, bool) {
        if check.context.is_empty() && check.against.is_empty() {
            return (None, false);
        }
        let (t, text, near) = (&self.thresholds, view.text, view.near());
        let upto = near.words.partition_point(|word| word.end <= start);
        let inside = near.words.iter().skip(upto).take_while(|word| word.start < end).count();
        let same_sentence =
            |w: &&Word| text.get(end..w.start).is_some_and(|gap| !gap.contains(['.', '!', '?', '\n']));
        let after = |phrases: &Phrases, reach| {
            phrases.after_word(near, upto + inside, end, reach).filter(same_sentence)
        };
        let context = check
            .context
            .before_word(near, upto, start, t.context_before)
            .or_else(|| after(&check.context, t.context_after));
        // What speaks against a match behind it stands near it in its clause: `ik ben 43 en heb drie kinderen`.
        let clause = |w: &&Word| {
            let between = near.words.iter().skip(upto + inside).take_while(|other| other.start < w.start);
            let comma = text.get(end..w.start).is_some_and(|gap| gap.contains(','));
            !comma && between.enumerate().all(|(n, other)| n < MOST_BETWEEN && !is(Some(other), CLAUSES))
        };
        let against = check
            .against
            .before_word(near, upto, start, t.context_before / 2)
            .or_else(|| after(&check.against, t.context_after / 2).filter(clause));
        let distance = |w: &Word| if w.end <= start { start - w.end } else { w.start.saturating_sub(end) };
        let nearer = context.is_none_or(|c| against.is_some_and(|a| distance(a) < distance(c)));
        let place = |word: &Word| Some((word.start, word.end));
        if let Some(word) = against.filter(|_| nearer) {
            let rule = &check.against_id;
            (Some(Reason { rule, place: place(word), weight: -t.against_cost }), context.is_some())
        } else if let Some(place) = context.map_or_else(|| check.marks.before(text, start), place) {
            (Some(Reason { rule: &check.context_id, place: Some(place), weight: t.context_boost }), true)
        } else {
            (None, false)
        }
    }

    /// Candidates without context that stand right after a person's name, or in brackets after a word for a relative.
    fn beside_people<'r>(&self, view: &View<'_>, beside: &[Candidate<'r>], hits: &mut Vec<Hit<'r>>) {
        if beside.is_empty() {
            return;
        }
        let text = view.text;
        let people = || hits.iter().filter(|h| Some(h.recogniser) == self.names.person);
        let mut ends: Vec<usize> = people().map(|h| h.end).collect();
        let starts: Vec<usize> = people().map(|h| h.start).collect();
        ends.sort_unstable();
        for beside in beside {
            let at = ends.partition_point(|end| *end <= beside.start);
            let near =
                at.checked_sub(1).and_then(|i| ends.get(i)).and_then(|end| text.get(*end..beside.start));
            let brackets = text.get(beside.start..beside.end).is_some_and(|t| t.starts_with('('));
            let named = near.is_some_and(|gap| bracketed(gap) || (brackets && gap == " "));
            // `(12-03-1980) Els Voorbeeld`
            let heads = text.get(..beside.start).is_some_and(|t| t.ends_with('('))
                && text.get(beside.end..).and_then(|t| t.strip_prefix(')')).is_some_and(|rest| {
                    let name = text.len() - rest.trim_start_matches(' ').len();
                    name - beside.end <= 4 && starts.contains(&name)
                });
            if named || heads || after_relative(view, beside.start) {
                let mut hit = beside.hit();
                hit.start += usize::from(brackets);
                hit.end -= usize::from(brackets);
                hit.score = hit.score.max(self.thresholds.doubtful) + 0.2;
                hits.push(hit);
            }
        }
    }
}

/// Findings that share a character of the source, such as a ligature, are set apart; no covered byte is given up.
fn apart(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let (_, most) = findings.size_hint();
    let mut kept: Vec<Finding> = Vec::with_capacity(most.unwrap_or(0));
    for mut finding in findings {
        let start = kept.last().map_or(0, |last| last.span.end()).max(finding.span.start());
        if let Some(span) = Span::new(start, finding.span.end()) {
            finding.span = span;
            kept.push(finding);
        }
    }
    kept
}

/// Whether what stands between a name and a date ties them together: `(`, `, `, `, born on `.
fn bracketed(gap: &str) -> bool {
    gap.len() <= 20 && gap.contains(['(', ',']) && !gap.contains(['.', '!', '?', '\n', ')'])
}

/// Whether a word for a relative stands right before a place: `mijn vader (`, `mijn moeder is van `.
fn after_relative(view: &View<'_>, start: usize) -> bool {
    let before = view.text.get(..start).unwrap_or("");
    let Some(outside) = TIES.iter().find_map(|tie| before.strip_suffix(tie)) else { return false };
    let index = view.words.partition_point(|word| word.end < outside.len());
    view.words.get(index).is_some_and(|word| word.end == outside.len() && is(Some(word), RELATIVES))
}

/// So many other words may stand between a match and a word against it behind it.
const MOST_BETWEEN: usize = 2;

/// Words that open another clause.
const CLAUSES: &[u64] = &[
    literal("en"),
    literal("maar"),
    literal("want"),
    literal("dus"),
    literal("met"),
    literal("omdat"),
    literal("and"),
    literal("but"),
];

/// What ties a date to the word before it.
const TIES: &[&str] = &[" (", " is van ", " was van "];

/// Words for one certain person of someone's family.
const RELATIVES: &[u64] = &[
    literal("vader"),
    literal("moeder"),
    literal("pa"),
    literal("ma"),
    literal("papa"),
    literal("mama"),
    literal("zoon"),
    literal("zoontje"),
    literal("dochter"),
    literal("dochtertje"),
    literal("broer"),
    literal("broertje"),
    literal("zus"),
    literal("zusje"),
    literal("opa"),
    literal("oma"),
    literal("man"),
    literal("vrouw"),
    literal("echtgenoot"),
    literal("echtgenote"),
    literal("partner"),
    literal("kind"),
    literal("kleinzoon"),
    literal("kleindochter"),
    literal("oom"),
    literal("tante"),
    literal("neef"),
    literal("nicht"),
    literal("schoonvader"),
    literal("schoonmoeder"),
    literal("schoonzoon"),
    literal("schoondochter"),
    literal("zwager"),
    literal("father"),
    literal("mother"),
    literal("son"),
    literal("daughter"),
    literal("brother"),
    literal("sister"),
    literal("husband"),
    literal("wife"),
];

/// Words that may stand for the sign in an address.
pub(super) const AT: &[u64] = &[
    literal("at"),
    literal("apenstaartje"),
    literal("apestaartje"),
    literal("apenstaart"),
    literal("apestaart"),
];

/// Matches that count beside a person's name only: dates, for the most part.
type Beside<'r> = SmallVec<[Candidate<'r>; 4]>;

/// A match that passed its checks.
#[derive(Clone, Copy)]
struct Candidate<'r> {
    start: usize,
    end: usize,
    rule: &'r Rule,
    check: &'r Check,
    /// What stands around it and moved its score.
    around: Option<Reason<'r>>,
    score: f32,
    subject: Option<SubjectRef>,
}

impl<'r> Candidate<'r> {
    /// With its evidence.
    fn hit(&self) -> Hit<'r> {
        let Self { start, end, rule, check, score, subject, .. } = *self;
        let checked = check.validator.as_ref().map(|(_, id)| reason(id, 0.0));
        let reasons = [Some(reason(&rule.id, rule.score)), checked, self.around].into_iter().flatten();
        Hit { start, end, recogniser: rule.recogniser, score, reasons: reasons.collect(), subject }
    }
}

enum Verdict<'r> {
    Found(Candidate<'r>),
    BesidePerson(Candidate<'r>),
    /// A match that is no personal data, so that nothing shorter is tried.
    Passed,
    No,
}

/// Places that hold something certain enough that no name is looked for there; sorted, joined.
fn taken(hits: &[Hit<'_>]) -> SmallVec<[(usize, usize); 8]> {
    let mut places = SmallVec::new();
    if hits.is_empty() {
        return places;
    }
    places.extend(hits.iter().map(|h| (h.start, h.end)));
    places.sort_unstable();
    places.dedup_by(|next, last| {
        let joined = next.0 <= last.1;
        if joined {
            last.1 = last.1.max(next.1);
        }
        joined
    });
    places
}
