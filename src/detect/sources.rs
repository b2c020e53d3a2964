//! From pattern files to a compiled ruleset: every fault is gathered, nothing is skipped.

use super::address::Addresses;
use super::context::Phrases;
use super::cut::Cut;
use super::error::{RulesetError, RulesetFault};
use super::flags::{FlagFile, Flagging};
use super::label_words;
use super::labelled::{LabelSpecs, Labels};
use super::lane::{self, Entry, Lane};
use super::lexicon::Flags;
use super::lists::Lists;
use super::locate;
use super::marks::Marks;
use super::names::{INTRODUCTIONS, Names, Rules};
use super::ruleset::{AT, Check, PatternFile, Rule, Ruleset};
use super::scan::Lanes;
use super::spec::{After, FileSpec, Kind, Pattern, Recogniser, Starts, Thresholds, parse};
use super::surname::VAN;
use crate::model::{Finding, RecogniserId};
use aho_corasick::AhoCorasick;
use regex::Regex;
use regex_automata::util::pool::Pool;

/// Files as they are read, before they are compiled.
#[derive(Default)]
pub(super) struct Sources {
    digests: Vec<(String, Vec<u8>)>,
    recognisers: Vec<(String, Recogniser)>,
    thresholds: Option<Thresholds>,
    flags: Option<FlagFile>,
    lists: Lists,
    faults: Vec<RulesetFault>,
    /// The text of each recogniser file, to tell the line of a fault.
    texts: Vec<(String, String)>,
}

impl Sources {
    pub(super) fn read(&mut self, file: &PatternFile<'_>) {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, file.text.as_bytes());
        let outcome = match (file.name.strip_prefix("lists/"), file.name) {
            (Some(list), _) if list.ends_with(".txt") => self.lists.read(list, file.text),
            (_, "thresholds.yaml") => parse(file.name, file.text).map(|t| self.thresholds = Some(t)),
            (_, FLAGS) => parse(file.name, file.text).map(|flags| self.flags = Some(flags)),
            (None, name) if name.ends_with(".yaml") || name.ends_with(".yml") => {
                self.texts.push((name.to_owned(), file.text.to_owned()));
                parse::<FileSpec>(name, file.text).map(|spec| {
                    self.recognisers.extend(spec.recognizers.into_iter().map(|r| (name.to_owned(), r)))
                })
            }
            _ => return,
        };
        self.digests.push((file.name.to_owned(), digest.as_ref().to_vec()));
        self.faults.extend(outcome.err());
    }

    pub(super) fn compile(mut self) -> Result<Ruleset, RulesetError> {
        let thresholds = self.thresholds.take();
        if thresholds.is_none() && self.faults.iter().all(|f| f.file != "thresholds.yaml") {
            self.fault("thresholds.yaml", "this file is missing; it ships with Knik in patterns".to_owned());
        }
        let flagging = self.flagging();
        self.inspect();
        let rules = self.rules();
        let doubtful = thresholds.as_ref().map_or(0.0, |t| t.doubtful);
        let lanes = self.lanes(doubtful);
        let tokens = self.lane(Starts::Token, doubtful);
        let labels = self.labels();
        self.lists.add(AT.iter().map(|word| (*word, Flags::AT)));
        self.lists.add(VAN.iter().map(|word| (*word, Flags::VAN)));
        self.lists.add(INTRODUCTIONS.iter().map(|(_, last)| (*last, Flags::NAMING)));
        let slow = self.slow();
        let denied = self.denied(rules.len());
        let checks = self.checks();
        let (Some(thresholds), Some(lanes), Some(tokens), Some(labels), true) =
            (thresholds, lanes, tokens, labels, self.faults.is_empty())
        else {
            return Err(RulesetError::Faults(self.located()));
        };
        for (_, r) in &self.recognisers {
            let needed = if r.has_weak(thresholds.doubtful) { Flags::CONTEXT } else { Flags::NONE };
            self.lists.mark(&r.context, Flags::NEAR.with(needed));
            self.lists.mark(&r.against, Flags::NEAR);
        }
        let (known, common) = self.lists.tables();
        let version = self.version();
        let names = self.names(thresholds.doubtful);
        let mut rules = rules;
        rules.extend(denied.1);
        let addresses = self.addresses(thresholds.doubtful);
        let recognisers = self.recognisers.into_iter().map(|(_, r)| r).collect();
        Ok(Ruleset {
            version,
            recognisers,
            thresholds,
            rules,
            checks,
            lanes,
            tokens,
            labels,
            slow,
            denied: denied.0,
            known,
            common,
            cuts: Pool::new(Cut::default),
            names,
            addresses,
            flagging,
        })
    }

    /// The faults, each with its line where the file holds what it speaks of.
    fn located(self) -> Vec<RulesetFault> {
        let texts = self.texts;
        let line = |fault: &RulesetFault| {
            let (_, text) = texts.iter().find(|(file, _)| *file == fault.file)?;
            locate::line(text, &fault.what)
        };
        let locate =
            |fault: RulesetFault| RulesetFault { line: fault.line.or_else(|| line(&fault)), ..fault };
        self.faults.into_iter().map(locate).collect()
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
            if id.as_str() == Finding::REVIEWER {
                say(format!("name `{id}` stands for people who assess; choose another"));
            }
            inspect_labels(r, &mut say);
            let bare = matches!(r.kind, Kind::Pattern | Kind::Handles | Kind::Labelled)
                && r.patterns.is_empty()
                && r.deny_list.is_empty();
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
        let worded = self
            .recognisers
            .iter()
            .any(|(_, r)| matches!(r.kind, Kind::Names | Kind::Officials | Kind::Addresses));
        if worded {
            faults.extend(self.lists.missing());
        }
        self.faults.extend(faults);
    }

    fn flagging(&mut self) -> Flagging {
        match self.flags.take() {
            Some(flags) => flags.compile(FLAGS, &mut self.faults),
            None => {
                // Only a ruleset that looks for people is for archives; the vault refuses one without flags.
                let worded = self.recognisers.iter().any(|(_, r)| r.kind == Kind::Names);
                if worded && self.faults.iter().all(|f| f.file != FLAGS) {
                    self.fault(FLAGS, "this file is missing; it ships with Knik in patterns".to_owned());
                }
                Flagging::default()
            }
        }
    }

    fn rules(&mut self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (recogniser, (file, r)) in self.recognisers.iter().enumerate() {
            for p in &r.patterns {
                let fault = |what: String| RulesetFault { file: file.clone(), line: None, what };
                if !(0.0..=1.0).contains(&p.score) {
                    self.faults.push(fault(format!(
                        "pattern `{}`: score {} is not between 0 and 1",
                        p.name, p.score
                    )));
                }
                match format!("pattern.{}", p.name).parse() {
                    Ok(id) => rules.push(Rule {
                        recogniser,
                        id,
                        score: p.score,
                        whole_number: p.starts == Starts::Code || r.at_label(p),
                    }),
                    Err(_) => self
                        .faults
                        .push(fault(format!("pattern name `{}` must be a-z, 0-9, '.', '_' and '-'", p.name))),
                }
            }
        }
        rules
    }

    fn lanes(&mut self, doubtful: f32) -> Option<Lanes> {
        let code = self.lane(Starts::Code, doubtful);
        let mail = self.lane(Starts::Mail, doubtful);
        let handle = self.lane(Starts::Handle, doubtful);
        let link = self.lane(Starts::Link, doubtful);
        Some(Lanes { code: code?, mail: mail?, handle: handle?, link: link? })
    }

    fn lane(&mut self, starts: Starts, doubtful: f32) -> Option<Lane> {
        let entries: Vec<Entry<'_>> = self
            .recognisers
            .iter()
            .flat_map(|(file, r)| r.patterns.iter().map(move |p| (file, r, p)))
            .enumerate()
            .filter(|(_, (_, r, p))| p.starts == starts && r.kind != Kind::Labelled)
            .map(|(rule, (file, r, p))| Entry { file, regex: &p.regex, rule, weak: r.is_weak(p, doubtful) })
            .collect();
        match Lane::build(&entries, lane::MOST) {
            Ok(lane) => Some(lane),
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    /// The values that labels name; their last words go to the word table.
    fn labels(&mut self) -> Option<Labels> {
        let specs = LabelSpecs::of(&self.recognisers);
        self.lists.add(specs.flags());
        specs.compile(&self.recognisers, rule_id).map_err(|fault| self.faults.push(fault)).ok()
    }

    fn slow(&mut self) -> Vec<(usize, Regex)> {
        let mut compiled = Vec::new();
        let patterns =
            self.recognisers.iter().flat_map(|(file, r)| r.patterns.iter().map(move |p| (file, p, r.kind)));
        let anywhere = |p: &Pattern, kind| p.starts == Starts::Anywhere && kind != Kind::Labelled;
        for (rule, (file, p, _)) in patterns.enumerate().filter(|(_, (_, p, kind))| anywhere(p, *kind)) {
            let built = regex::RegexBuilder::new(&p.regex)
                .case_insensitive(true)
                .multi_line(true)
                .dot_matches_new_line(true)
                .build();
            match built {
                Ok(regex) => compiled.push((rule, regex)),
                Err(_) => {
                    let what = format!(
                        "pattern `{}`: the regex does not compile; look-around and back-references are not supported",
                        p.name
                    );
                    self.faults.push(RulesetFault { file: file.clone(), line: None, what });
                }
            }
        }
        compiled
    }

    fn denied(&mut self, first_rule: usize) -> (Option<(AhoCorasick, Vec<usize>)>, Vec<Rule>) {
        let (mut words, mut rules, mut of_word) = (Vec::new(), Vec::new(), Vec::new());
        for (recogniser, (_, r)) in
            self.recognisers.iter().enumerate().filter(|(_, (_, r))| !r.deny_list.is_empty())
        {
            let score = r.deny_list_score.map_or(1.0, crate::model::Score::value);
            of_word.extend(r.deny_list.iter().map(|_| first_rule + rules.len()));
            words.extend(r.deny_list.iter().filter(|w| !w.is_empty()).map(String::as_str));
            rules.push(Rule { recogniser, id: rule_id("pattern.deny-list"), score, whole_number: false });
        }
        if words.is_empty() {
            return (None, rules);
        }
        let built = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(words);
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
                let what = format!("`{}`: {what}", r.id());
                self.faults.push(RulesetFault { file: file.clone(), line: None, what });
                None
            });
            checks.push(Check {
                validator: validator.map(|v| (v, rule_id(&format!("checksum.{}", v.name())))),
                context: Phrases::of(&r.context),
                marks: Marks::of(&r.context),
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

    fn names(&mut self, doubtful: f32) -> Names {
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
        let (person, official) = (self.of_kind(Kind::Names), self.of_kind(Kind::Officials));
        let against = |of: Option<usize>| {
            of.and_then(|index| self.recognisers.get(index))
                .map(|(_, r)| Phrases::of(&r.against))
                .unwrap_or_default()
        };
        let (never, private) = (against(person), against(official));
        Names {
            person,
            official,
            handle: self.of_kind(Kind::Handles),
            rules,
            doubtful,
            never,
            private,
            officials: std::mem::take(&mut self.lists.officials),
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

/// What is wrong with the labels of a recogniser, or with labels where none belong.
fn inspect_labels(r: &Recogniser, say: &mut impl FnMut(String)) {
    let id = r.id();
    let labelled = r.patterns.iter().any(|p| r.at_label(p));
    if !labelled && !r.labels.is_empty() {
        say(format!(
            "`{id}` has labels and no pattern there; set `kind: labelled`, or `starts: label` for a pattern"
        ));
    }
    if labelled && r.labels.is_empty() {
        say(format!("`{id}` has patterns at labels and names no label; fill in `labels`"));
    }
    if r.within > MOST_WITHIN {
        say(format!("`{id}`: `within` is {}; at most {MOST_WITHIN} words may stand between", r.within));
    }
    for p in &r.patterns {
        let name = &p.name;
        if p.after != After::Any && !r.at_label(p) {
            say(format!("`{id}`, pattern `{name}`: `after` needs `starts: label` or `kind: labelled`"));
        }
        if r.kind == Kind::Labelled && !matches!(p.starts, Starts::Anywhere | Starts::Label) {
            say(format!(
                "`{id}`, pattern `{name}`: a labelled value starts at its label; leave out `starts`"
            ));
        }
    }
    for what in r.labels.iter().filter_map(|label| label_words::fault(label)) {
        say(format!("`{id}`: {what}"));
    }
}

/// The most words that may stand between a label and its value.
const MOST_WITHIN: usize = 8;

/// The file of the rules by which records are flagged.
const FLAGS: &str = "flags.yaml";

/// A rule id from parts that are known to fit; anything else is called `rule`.
fn rule_id(text: &str) -> RecogniserId {
    text.parse().or_else(|_| "rule".parse()).unwrap_or_else(|_| unreachable!("`rule` is a rule id"))
}
