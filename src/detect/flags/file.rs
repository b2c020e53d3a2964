//! `flags.yaml` as people write it, and its compiling: every fault with file, line, field and mend.

use super::frame::{Frame, List, Named};
use super::window::{BARRIERS, PHRASE_WORDS_MAX};
use super::{Compiled, Flagging, Trigger};
use crate::detect::error::RulesetFault;
use crate::detect::words::Keyed;
use crate::detect::words::{join, words};
use crate::model::{ExemptionCode, FlagKind, RecogniserId};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};

/// The file of flag rules.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::detect) struct FlagFile {
    /// Lists of words and phrases that `near` and `against` name.
    words: BTreeMap<String, Vec<Spanned<String>>>,
    /// Words that no gap of a frame goes over.
    barriers: Vec<Spanned<String>>,
    flags: Vec<FlagRule>,
}

/// One rule by which records are flagged, as its file states it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagRule {
    name: Spanned<RecogniserId>,
    kind: FlagKind,
    exemption: ExemptionCode,
    source: String,
    /// Words that are flagged when what `near` asks stands around them.
    #[serde(default)]
    terms: Vec<Spanned<String>>,
    /// Phrases that are flagged as they stand.
    #[serde(default)]
    phrases: Vec<Spanned<String>>,
    /// What must stand around a term, one frame or another.
    #[serde(default)]
    near: Vec<Spanned<String>>,
    /// Words that speak against it in the same clause.
    #[serde(default)]
    against: Vec<Spanned<String>>,
    examples: Vec<FlagExample>,
    counter_examples: Vec<String>,
}

/// A text and what a rule must flag in it, in order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagExample {
    /// The text.
    pub text: String,
    /// The exact passages.
    pub flags: Vec<String>,
}

impl FlagRule {
    /// The rule's name, unique in the file.
    #[must_use]
    pub const fn id(&self) -> &RecogniserId {
        &self.name.value
    }

    /// What it is a sign of.
    #[must_use]
    pub const fn kind(&self) -> FlagKind {
        self.kind
    }

    /// The ground on which a flagged record may stay withheld.
    #[must_use]
    pub const fn exemption(&self) -> &ExemptionCode {
        &self.exemption
    }

    /// The law article and what the words were gathered from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Texts in which it must flag something.
    #[must_use]
    pub fn examples(&self) -> &[FlagExample] {
        &self.examples
    }

    /// Texts in which it must flag nothing.
    #[must_use]
    pub fn counter_examples(&self) -> &[String] {
        &self.counter_examples
    }
}

impl FlagFile {
    /// Compiles the rules; every fault that is seen is added to `faults`.
    pub(in crate::detect) fn compile(self, file: &str, faults: &mut Vec<RulesetFault>) -> Flagging {
        let mut build = Build { file, faults, phrases: Phrases(self.words), lists: Lists::new() };
        build.name_lists(&self.barriers);
        let mut names = BTreeSet::new();
        let mut flagging = Flagging::default();
        for rule in self.flags {
            if !names.insert(rule.id().clone()) {
                build.fault(
                    &rule.name,
                    "name",
                    format!("`{}` is used twice; give each rule its own", rule.id()),
                );
            }
            build.rule(rule, &mut flagging);
        }
        flagging.list_count = build.lists.count;
        flagging.lists = build.lists.of;
        flagging
    }
}

struct Build<'a> {
    file: &'a str,
    faults: &'a mut Vec<RulesetFault>,
    phrases: Phrases,
    lists: Lists,
}

impl Build<'_> {
    fn fault<T>(&mut self, at: &Spanned<T>, field: &str, what: String) {
        let line = usize::try_from(at.referenced.line()).ok().filter(|line| *line > 0);
        self.faults.push(RulesetFault { file: self.file.to_owned(), line, what: format!("{field}: {what}") });
    }

    fn name_lists(&mut self, barriers: &[Spanned<String>]) {
        let keys = self.keys("barriers", barriers);
        self.lists.put(BARRIERS, &keys);
        let names: Vec<String> = self.phrases.0.keys().cloned().collect();
        for name in names {
            let phrases: Vec<_> =
                self.phrases.0.get(&name).map(|of| of.iter().map(copy).collect()).unwrap_or_default();
            let keys = self.keys(&format!("words.{name}"), &phrases);
            match self.lists.fresh() {
                Ok(list) => {
                    self.lists.put(list, &keys);
                    self.lists.named.insert(name, list);
                }
                Err(what) => phrases.iter().take(1).for_each(|at| self.fault(at, "words", what.clone())),
            }
        }
    }

    /// A list's phrases.
    fn keys(&mut self, field: &str, phrases: &[Spanned<String>]) -> Vec<Vec<Part>> {
        let mut keys = Vec::new();
        for phrase in phrases {
            match self.phrases.read(&phrase.value, PHRASE_WORDS_MAX) {
                Ok(read) => keys.extend(read),
                Err(what) => self.fault(phrase, field, what),
            }
        }
        keys
    }

    fn rule(&mut self, rule: FlagRule, flagging: &mut Flagging) {
        let mut say = |what: &str| self.fault(&rule.name, "flags", format!("`{}` {what}", rule.id()));
        if rule.terms.is_empty() && rule.phrases.is_empty() {
            say("flags nothing; give it terms or phrases");
        }
        if rule.terms.is_empty() != rule.near.is_empty() {
            say(
                "needs both `terms` and `near`: a term by itself is general talk; what needs nothing near is a phrase",
            );
        }
        if rule.examples.is_empty() || rule.counter_examples.is_empty() {
            say("has no examples or no counter_examples; give at least one of each");
        }
        self.triggers("terms", &rule.terms, false, flagging);
        self.triggers("phrases", &rule.phrases, true, flagging);
        let near = self.frames(&rule.near);
        let keys = self.keys("against", &rule.against);
        let against = self.lists.fresh().unwrap_or_else(|what| {
            self.fault(&rule.name, "against", what);
            BARRIERS
        });
        self.lists.put(against, &keys);
        flagging.rules.push(Compiled { rule, near, against });
    }

    fn triggers(&mut self, field: &str, terms: &[Spanned<String>], whole: bool, flagging: &mut Flagging) {
        let rule = flagging.rules.len();
        for term in terms {
            match self.phrases.read(&term.value, TERM_WORDS_MAX) {
                Ok(all) => all.into_iter().for_each(|words| add_trigger(flagging, rule, words, whole)),
                Err(what) => self.fault(term, field, what),
            }
        }
    }

    fn frames(&mut self, near: &[Spanned<String>]) -> Vec<Frame> {
        let mut frames = Vec::with_capacity(near.len());
        for text in near {
            match Frame::read(&text.value, |named| self.lists.of_frame(named)) {
                Ok(read) => frames.extend(read),
                Err(what) => self.fault(text, "near", format!("`{}`: {what}", text.value)),
            }
        }
        frames
    }
}

fn copy(phrase: &Spanned<String>) -> Spanned<String> {
    Spanned { value: phrase.value.clone(), referenced: phrase.referenced, defined: phrase.defined }
}

fn add_trigger(flagging: &mut Flagging, rule: usize, words: Vec<Part>, whole: bool) {
    let Some((anchor, word)) = words.iter().enumerate().max_by_key(|(_, word)| word.len) else { return };
    let trigger = Trigger { rule, words: words.iter().map(|word| word.hash).collect(), anchor, whole };
    let known = flagging.triggers.entry(word.hash).or_default();
    if !known.iter().any(|other| (other.rule, &other.words) == (rule, &trigger.words)) {
        known.push(trigger);
    }
}

/// The named phrases of the file, as written.
struct Phrases(BTreeMap<String, Vec<Spanned<String>>>);

/// A word of a phrase: its hash, and its length in bytes.
#[derive(Clone, Copy)]
struct Part {
    hash: u64,
    len: usize,
}

impl Phrases {
    /// Every phrase that a line stands for: `{name}` in it is any phrase of that list, `4..17` any of the numbers.
    fn read(&self, line: &str, words_max: usize) -> Result<Vec<Vec<Part>>, String> {
        let phrases = self.expand(line, 0)?;
        match phrases.iter().map(Vec::len).find(|count| *count == 0 || *count > words_max) {
            Some(count) => Err(format!("`{line}` makes a phrase of {count} words; write one to {words_max}")),
            None => Ok(phrases),
        }
    }

    fn expand(&self, line: &str, depth: usize) -> Result<Vec<Vec<Part>>, String> {
        let mut phrases: Vec<Vec<Part>> = vec![Vec::new()];
        for sign in line.split_whitespace() {
            let more = match list_name(sign) {
                Some(_) if depth == DEPTH_MAX => {
                    return Err(format!("`{sign}` names itself, by itself or by others"));
                }
                Some(name) => self.named(name, depth)?,
                None => numbers(sign)?.iter().map(|one| parts(one)).collect(),
            };
            if phrases.len().saturating_mul(more.len()) > PHRASES_MAX {
                return Err(format!(
                    "`{line}` stands for more than {PHRASES_MAX} phrases; split it or take shorter lists"
                ));
            }
            let joined =
                |left: &Vec<Part>| more.iter().map(|right| [left.as_slice(), right].concat()).collect();
            phrases = phrases.iter().flat_map(|left| -> Vec<Vec<Part>> { joined(left) }).collect();
        }
        Ok(phrases)
    }

    fn named(&self, name: &str, depth: usize) -> Result<Vec<Vec<Part>>, String> {
        let Some(lines) = self.0.get(name) else { return Err(unknown(name, self.0.keys())) };
        let mut phrases = Vec::new();
        for line in lines {
            phrases.extend(self.expand(&line.value, depth + 1)?);
        }
        Ok(phrases)
    }
}

fn parts(text: &str) -> Vec<Part> {
    words(text).iter().map(|word| Part { hash: word.hash, len: word.len() }).collect()
}

fn key(phrase: &[Part]) -> Option<u64> {
    phrase.iter().map(|part| part.hash).reduce(join)
}

fn list_name(sign: &str) -> Option<&str> {
    sign.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    format!("`{{{name}}}` is no list under `words`; use one of: {}", known.join(", "))
}

/// The lists by number: those of the file by name, and single words of frames.
struct Lists {
    named: BTreeMap<String, List>,
    words: BTreeMap<u64, List>,
    of: Keyed<Vec<List>>,
    count: usize,
}

impl Lists {
    /// With the list of barriers alone.
    fn new() -> Self {
        let count = usize::from(BARRIERS) + 1;
        Self { named: BTreeMap::new(), words: BTreeMap::new(), of: Keyed::default(), count }
    }

    fn fresh(&mut self) -> Result<List, String> {
        let list = List::try_from(self.count).map_err(|_| {
            format!("rules, lists and words of frames are together more than {}; use fewer", List::MAX)
        })?;
        self.count += 1;
        Ok(list)
    }

    /// Adds phrases to a list; their beginnings are made known too.
    fn put(&mut self, list: List, phrases: &[Vec<Part>]) {
        for phrase in phrases {
            for upto in 1..phrase.len() {
                phrase.get(..upto).and_then(key).map(|beginning| self.of.entry(beginning).or_default());
            }
            let of = key(phrase).map(|key| self.of.entry(key).or_default());
            if let Some(of) = of.filter(|of| !of.contains(&list)) {
                of.push(list);
            }
        }
    }

    fn of_frame(&mut self, named: Named<'_>) -> Result<List, String> {
        let word = match named {
            Named::List(name) => {
                return self.named.get(name).copied().ok_or_else(|| {
                    format!("{}, term, someone, start, end", unknown(name, self.named.keys()))
                });
            }
            Named::Word(word) => word,
        };
        let phrase = parts(word);
        let Some(key) = key(&phrase) else {
            return Err(format!("`{word}` is no word; write a word, `{{list}}` or `~`"));
        };
        if let Some(list) = self.words.get(&key) {
            return Ok(*list);
        }
        let list = self.fresh()?;
        self.words.insert(key, list);
        self.put(list, &[phrase]);
        Ok(list)
    }
}

/// Longest term or phrase that is flagged, in words.
const TERM_WORDS_MAX: usize = 8;

/// How deep lists can name lists.
const DEPTH_MAX: usize = 4;

/// The most phrases that one line can stand for.
const PHRASES_MAX: usize = 20_000;

/// `4..17` as its numbers, anything else as itself.
fn numbers(text: &str) -> Result<Vec<String>, String> {
    let Some((from, upto)) = text.split_once("..") else { return Ok(vec![text.to_owned()]) };
    match (from.parse::<u16>(), upto.parse::<u16>()) {
        (Ok(from), Ok(upto)) if from <= upto && upto < 1000 => {
            Ok((from..=upto).map(|n| n.to_string()).collect())
        }
        _ => Err(format!("`{text}` is no range of numbers; write it as 4..17")),
    }
}
