//! A compiled ruleset, and the order in which a text goes through it.

use super::address::Addresses;
use super::context::{Phrases, is};
use super::error::{RulesetError, RulesetFault};
use super::hit::{Hit, Reason};
use super::lane::{Entry, Lane, inside_number};
use super::lexicon::{Flags, Lexicon};
use super::lists::Lists;
use super::names::{Names, Rules};
use super::people::{Participant, Participants, View};
use super::resolve::resolve;
use super::scan::Lanes;
use super::shadow::Shadow;
use super::spec::{FileSpec, Kind, Recogniser, Starts, Thresholds, parse};
use super::validate::Validator;
use super::words::{Word, words};
use super::bytes::{free_after, free_before};
use crate::model::{Finding, RecogniserId};
use aho_corasick::AhoCorasick;
use regex::Regex;

/// A file of the `patterns` folder, read by the caller.
pub struct PatternFile<'a> {
    /// Its path within that folder, with `/`: `nl-bsn.yaml`, `lists/first-names.txt`.
    pub name: &'a str,
    /// Its content.
    pub text: &'a str,
}

/// Everything needed to find personal data: immutable, shared between threads.
pub struct Ruleset {
    version: String,
    recognisers: Vec<Recogniser>,
    thresholds: Thresholds,
    rules: Vec<Rule>,
    /// One a recogniser, at the same index.
    checks: Vec<Check>,
    lanes: Lanes,
    slow: Vec<(usize, Regex)>,
    denied: Option<(AhoCorasick, Vec<usize>)>,
    known: Lexicon,
    common: Lexicon,
    names: Names,
    addresses: Option<Addresses>,
}

/// One pattern as compiled.
struct Rule {
    recogniser: usize,
    id: RecogniserId,
    score: f32,
    /// A number must not be cut out of a longer one.
    whole_number: bool,
}

/// What a match of a recogniser must pass, and what moves its score.
struct Check {
    validator: Option<(Validator, RecogniserId)>,
    context: Phrases,
    context_id: RecogniserId,
    against: Phrases,
    against_id: RecogniserId,
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
                    failures.push(CheckFailure { recogniser: recogniser.id().clone(), text: text.to_owned(), wanted, found });
                }
            }
        }
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
        let shadow = Shadow::of(text);
        let hits = self.hits(shadow.text(), participants);
        hits.into_iter().filter_map(|hit| hit.finding(&shadow, &self.recognisers)).collect()
    }

    fn hits(&self, text: &str, participants: &Participants) -> Vec<Hit> {
        let words = words(text);
        let flags: Vec<Flags> = words.iter().map(|w| self.known.flags(w.hash)).collect();
        let view = View { text, words: &words, flags: &flags, common: &self.common };
        let mut hits = Vec::new();
        let mut beside = Vec::new();
        self.patterns(&view, participants, &mut hits, &mut beside);
        let taken = taken(&hits);
        self.names.find(&view, &taken, &mut hits);
        participants.apply(&view, &self.names, &mut hits);
        if let Some(addresses) = &self.addresses {
            addresses.find(&view, &mut hits);
        }
        self.beside_people(text, beside, &mut hits);
        resolve(text, hits)
    }

    /// Everything that is found by regular expression or deny list.
    fn patterns(&self, view: &View<'_>, participants: &Participants, hits: &mut Vec<Hit>, beside: &mut Vec<Hit>) {
        let text = view.text;
        let mut accept = |rule: usize, start: usize, end: usize| match self.judge(view, rule, start, end, participants) {
            Verdict::Found(hit) => {
                hits.push(hit);
                true
            }
            Verdict::BesidePerson(hit) => {
                beside.push(hit);
                true
            }
            Verdict::Passed => true,
            Verdict::No => false,
        };
        self.lanes.scan(text, &mut accept);
        for word in view.words.iter().filter(|w| is(Some(w), "at") || is(Some(w), "apenstaartje")) {
            self.lanes.word_at(text, word.start, &mut accept);
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

    /// Confirms one candidate, or not.
    fn judge(&self, view: &View<'_>, rule: usize, start: usize, end: usize, participants: &Participants) -> Verdict {
        let Some(rule) = self.rules.get(rule) else { return Verdict::No };
        let (Some(recogniser), Some(check)) = (self.recognisers.get(rule.recogniser), self.checks.get(rule.recogniser)) else {
            return Verdict::No;
        };
        if rule.whole_number && inside_number(view.text.as_bytes(), start, end) {
            return Verdict::No;
        }
        let mut hit = Hit { start, end, recogniser: rule.recogniser, score: 0.0, reasons: Vec::new(), subject: None };
        hit.add(&rule.id, None, rule.score);
        let candidate = view.text.get(start..end).unwrap_or("");
        if let Some((validator, id)) = &check.validator {
            if !validator.accepts(candidate) {
                return Verdict::No;
            }
            hit.add(id, None, 0.0);
        }
        if recogniser.kind == Kind::Handles {
            let (own, subject) = participants.account(candidate.trim_start_matches('@'));
            if own {
                return Verdict::Passed;
            }
            hit.subject = subject;
        }
        let supported = self.weigh(view.text, view.words, check, &mut hit);
        if recogniser.context_required && !supported {
            return if recogniser.beside_person { Verdict::BesidePerson(hit) } else { Verdict::No };
        }
        hit.score = hit.score.min(0.99);
        if hit.score >= self.thresholds.doubtful { Verdict::Found(hit) } else { Verdict::No }
    }

    /// Adds what stands around to the score; whether a word of the context was found.
    fn weigh(&self, text: &str, words: &[Word], check: &Check, hit: &mut Hit) -> bool {
        let (t, start, end) = (&self.thresholds, hit.start, hit.end);
        if check.context.is_empty() && check.against.is_empty() {
            return false;
        }
        let same_sentence = |w: &&Word| text.get(end..w.start).is_some_and(|gap| !gap.contains(['.', '!', '?', '\n']));
        let after = |phrases: &Phrases, reach| phrases.after(words, end, reach).filter(same_sentence);
        let context = check.context.before(words, start, t.context_before).or_else(|| after(&check.context, t.context_after));
        let against = check.against.before(words, start, t.context_before / 2).or_else(|| after(&check.against, t.context_after / 2));
        let distance = |w: &Word| if w.end <= start { start - w.end } else { w.start.saturating_sub(end) };
        let nearer = context.is_none_or(|c| against.is_some_and(|a| distance(a) < distance(c)));
        if let Some(word) = against.filter(|_| nearer) {
            hit.add(&check.against_id, Some(word), -t.against_cost);
        } else if let Some(word) = context {
            hit.add(&check.context_id, Some(word), t.context_boost);
        }
        context.is_some()
    }

    /// Candidates without context that stand right after a person's name.
    fn beside_people(&self, text: &str, beside: Vec<Hit>, hits: &mut Vec<Hit>) {
        if beside.is_empty() {
            return;
        }
        let mut ends: Vec<usize> = hits.iter().filter(|h| Some(h.recogniser) == self.names.person).map(|h| h.end).collect();
        ends.sort_unstable();
        for mut hit in beside {
            let at = ends.partition_point(|end| *end <= hit.start);
            let near = at.checked_sub(1).and_then(|i| ends.get(i)).and_then(|end| text.get(*end..hit.start));
            if near.is_some_and(bracketed) {
                hit.score = hit.score.max(self.thresholds.doubtful) + 0.2;
                hits.push(hit);
            }
        }
    }
}

/// Whether what stands between a name and a date ties them together: `(`, `, `, `, born on `.
fn bracketed(gap: &str) -> bool {
    gap.len() <= 20 && gap.contains(['(', ',']) && !gap.contains(['.', '!', '?', '\n', ')'])
}

enum Verdict {
    Found(Hit),
    BesidePerson(Hit),
    /// A match that is no personal data, so that nothing shorter is tried.
    Passed,
    No,
}

impl Hit {
    fn add(&mut self, rule: &RecogniserId, word: Option<&Word>, weight: f32) {
        self.score += weight;
        self.reasons.push(Reason { rule: rule.clone(), place: word.map(|w| (w.start, w.end)), weight });
    }
}

/// Places that hold something certain enough that no name is looked for there; sorted, joined.
fn taken(hits: &[Hit]) -> Vec<(usize, usize)> {
    let mut places: Vec<(usize, usize)> = hits.iter().map(|h| (h.start, h.end)).collect();
    places.sort_unstable();
    let mut joined: Vec<(usize, usize)> = Vec::with_capacity(places.len());
    for (start, end) in places {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

/// Files as they are read, before they are compiled.
#[derive(Default)]
struct Sources {
    digests: Vec<(String, Vec<u8>)>,
    recognisers: Vec<(String, Recogniser)>,
    thresholds: Option<Thresholds>,
    lists: Lists,
    faults: Vec<RulesetFault>,
}

impl Sources {
    fn read(&mut self, file: &PatternFile<'_>) {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, file.text.as_bytes());
        let outcome = match (file.name.strip_prefix("lists/"), file.name) {
            (Some(list), _) if list.ends_with(".txt") => self.lists.read(list, file.text),
            (_, "thresholds.yaml") => parse(file.name, file.text).map(|t| self.thresholds = Some(t)),
            (None, name) if name.ends_with(".yaml") || name.ends_with(".yml") => parse::<FileSpec>(name, file.text)
                .map(|spec| self.recognisers.extend(spec.recognizers.into_iter().map(|r| (name.to_owned(), r)))),
            _ => return,
        };
        self.digests.push((file.name.to_owned(), digest.as_ref().to_vec()));
        self.faults.extend(outcome.err());
    }

    fn compile(mut self) -> Result<Ruleset, RulesetError> {
        let thresholds = self.thresholds.take();
        if thresholds.is_none() && self.faults.iter().all(|f| f.file != "thresholds.yaml") {
            self.fault("thresholds.yaml", "this file is missing; it ships with Knik in patterns".to_owned());
        }
        self.inspect();
        let rules = self.rules();
        let lanes = self.lanes();
        let slow = self.slow();
        let denied = self.denied(rules.len());
        let checks = self.checks();
        let (Some(thresholds), Some(lanes), true) = (thresholds, lanes, self.faults.is_empty()) else {
            return Err(RulesetError::Faults(self.faults));
        };
        let (known, common) = self.lists.tables();
        let version = self.version();
        let names = self.names(thresholds.doubtful);
        let mut rules = rules;
        rules.extend(denied.1);
        let addresses = self.addresses(thresholds.doubtful);
        let recognisers = self.recognisers.into_iter().map(|(_, r)| r).collect();
        Ok(Ruleset { version, recognisers, thresholds, rules, checks, lanes, slow, denied: denied.0, known, common, names, addresses })
    }

    fn fault(&mut self, file: &str, what: String) {
        self.faults.push(RulesetFault { file: file.to_owned(), line: None, what });
    }

    /// What a reader of single files cannot see: double names, kinds without what they need.
    fn inspect(&mut self) {
        let mut faults = Vec::new();
        for (index, (file, r)) in self.recognisers.iter().enumerate() {
            let mut say = |what: String| faults.push(RulesetFault { file: file.clone(), line: None, what });
            let id = r.id();
            if self.recognisers.iter().take(index).any(|(_, other)| other.id() == id) {
                say(format!("name `{id}` is used twice; give each recogniser its own"));
            }
            let bare = matches!(r.kind, Kind::Pattern | Kind::Handles) && r.patterns.is_empty() && r.deny_list.is_empty();
            if bare {
                say(format!("`{id}` finds nothing; give it patterns or a deny_list"));
            }
            if r.examples().is_empty() {
                say(format!("`{id}` has no examples; give at least one text and what it finds"));
            }
            if r.context_required && r.context.is_empty() {
                say(format!("`{id}` requires context and names none; fill in `context`"));
            }
        }
        let worded = self.recognisers.iter().any(|(_, r)| matches!(r.kind, Kind::Names | Kind::Officials | Kind::Addresses));
        if worded {
            faults.extend(self.lists.missing());
        }
        self.faults.extend(faults);
    }

    fn rules(&mut self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (recogniser, (file, r)) in self.recognisers.iter().enumerate() {
            for p in &r.patterns {
                let fault = |what: String| RulesetFault { file: file.clone(), line: None, what };
                if !(0.0..=1.0).contains(&p.score) {
                    self.faults.push(fault(format!("pattern `{}`: score {} is not between 0 and 1", p.name, p.score)));
                }
                match format!("pattern.{}", p.name).parse() {
                    Ok(id) => rules.push(Rule { recogniser, id, score: p.score, whole_number: p.starts == Starts::Code }),
                    Err(_) => self.faults.push(fault(format!("pattern name `{}` must be a-z, 0-9, '.', '_' and '-'", p.name))),
                }
            }
        }
        rules
    }

    fn lanes(&mut self) -> Option<Lanes> {
        let code = self.lane(Starts::Code);
        let mail = self.lane(Starts::Mail);
        let handle = self.lane(Starts::Handle);
        let link = self.lane(Starts::Link);
        Some(Lanes { code: code?, mail: mail?, handle: handle?, link: link? })
    }

    fn lane(&mut self, starts: Starts) -> Option<Lane> {
        let entries: Vec<Entry<'_>> = self
            .recognisers
            .iter()
            .flat_map(|(file, r)| r.patterns.iter().map(move |p| (file, p)))
            .enumerate()
            .filter(|(_, (_, p))| p.starts == starts)
            .map(|(rule, (file, p))| Entry { file, regex: &p.regex, rule })
            .collect();
        match Lane::build(&entries) {
            Ok(lane) => Some(lane),
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    fn slow(&mut self) -> Vec<(usize, Regex)> {
        let mut compiled = Vec::new();
        let patterns = self.recognisers.iter().flat_map(|(file, r)| r.patterns.iter().map(move |p| (file, p)));
        for (rule, (file, p)) in patterns.enumerate().filter(|(_, (_, p))| p.starts == Starts::Anywhere) {
            let built = regex::RegexBuilder::new(&p.regex).case_insensitive(true).multi_line(true).dot_matches_new_line(true).build();
            match built {
                Ok(regex) => compiled.push((rule, regex)),
                Err(_) => {
                    let what = format!("pattern `{}`: the regex does not compile; look-around and back-references are not supported", p.name);
                    self.faults.push(RulesetFault { file: file.clone(), line: None, what });
                }
            }
        }
        compiled
    }

    fn denied(&mut self, first_rule: usize) -> (Option<(AhoCorasick, Vec<usize>)>, Vec<Rule>) {
        let (mut words, mut rules, mut of_word) = (Vec::new(), Vec::new(), Vec::new());
        for (recogniser, (_, r)) in self.recognisers.iter().enumerate().filter(|(_, (_, r))| !r.deny_list.is_empty()) {
            let score = r.deny_list_score.map_or(1.0, crate::model::Score::value);
            of_word.extend(r.deny_list.iter().map(|_| first_rule + rules.len()));
            words.extend(r.deny_list.iter().filter(|w| !w.is_empty()).map(String::as_str));
            rules.push(Rule { recogniser, id: rule_id("pattern.deny-list"), score, whole_number: false });
        }
        if words.is_empty() {
            return (None, rules);
        }
        let built = AhoCorasick::builder().ascii_case_insensitive(true).match_kind(aho_corasick::MatchKind::LeftmostLongest).build(words);
        match built {
            Ok(automaton) => (Some((automaton, of_word)), rules),
            Err(_) => {
                self.fault("deny_list", "the deny lists together are too large; split them".to_owned());
                (None, rules)
            }
        }
    }

    fn checks(&mut self) -> Vec<Check> {
        let mut checks = Vec::new();
        for (file, r) in &self.recognisers {
            let validator = r.validator().unwrap_or_else(|what| {
                self.faults.push(RulesetFault { file: file.clone(), line: None, what });
                None
            });
            checks.push(Check {
                validator: validator.map(|v| (v, rule_id(&format!("checksum.{}", v.name())))),
                context: Phrases::of(&r.context),
                context_id: rule_id(&format!("context.{}", r.id())),
                against: Phrases::of(&r.against),
                against_id: rule_id(&format!("against.{}", r.id())),
            });
        }
        checks
    }

    fn of_kind(&self, kind: Kind) -> Option<usize> {
        self.recognisers.iter().position(|(_, r)| r.kind == kind)
    }

    fn names(&self, doubtful: f32) -> Names {
        let rules = Rules {
            first: rule_id("list.first-names"),
            everyday: rule_id("list.everyday-names"),
            surname: rule_id("list.surnames"),
            unlisted: rule_id("shape.surname"),
            initials: rule_id("shape.initials"),
            particle: rule_id("list.tussenvoegsels"),
            title: rule_id("list.titles"),
            office: rule_id("list.offices"),
            cue: rule_id("list.cues"),
            company: rule_id("shape.company"),
            participant: rule_id("dictionary.participants"),
        };
        Names {
            person: self.of_kind(Kind::Names),
            official: self.of_kind(Kind::Officials),
            handle: self.of_kind(Kind::Handles),
            rules,
            doubtful,
            street_endings: self.lists.streets.strong.clone(),
        }
    }

    fn addresses(&mut self, doubtful: f32) -> Option<Addresses> {
        let recogniser = self.of_kind(Kind::Addresses)?;
        let (_, r) = self.recognisers.get(recogniser)?;
        Some(Addresses {
            recogniser,
            street: rule_id("list.street-words"),
            number: rule_id("shape.house-number"),
            context: Phrases::of(&r.context),
            against: Phrases::of(&r.against),
            postcode: self.recognisers.iter().position(|(_, r)| r.entity().as_str() == "NL_POSTCODE"),
            words: std::mem::take(&mut self.lists.streets),
            doubtful,
        })
    }

    /// The first 16 hex digits of SHA-256 over names and digests of all files, in the order of their names.
    fn version(&mut self) -> String {
        self.digests.sort();
        let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for (name, digest) in &self.digests {
            context.update(&(name.len() as u64).to_be_bytes());
            context.update(name.as_bytes());
            context.update(digest);
        }
        let mut version = hex::encode(context.finish());
        version.truncate(16);
        version
    }
}

/// A rule id from parts that are known to fit; anything else is called `rule`.
fn rule_id(text: &str) -> RecogniserId {
    text.parse().or_else(|_| "rule".parse()).unwrap_or_else(|_| unreachable!("`rule` is a rule id"))
}
