//! What an organisation counts as one thing or another (a burgerbrief, a formal message, party politics): dated data, with
//! a source. The meeting left most of them open, so none is in the code.

use super::error::{parse, valid_from};
use super::{Answer, Bilingual, Clue, DecideError, Problem, Verdict};
use crate::model::{OrganisationId, RecogniserId, Span};
use regex::{Regex, RegexSet};
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

/// What is defined: `answered_by: definition NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defined {
    /// A citizen's letter.
    Burgerbrief,
    /// A formal message: objection, application, complaint (Awb 1:3, 2:3, 6:4, 9:4).
    Formal,
    /// The business of government, on the account of an office-holder.
    GovernmentBusiness,
    /// Party politics.
    PartyPolitical,
    /// Private life.
    PrivateLife,
}

impl Defined {
    /// Everything that can be defined.
    pub const ALL: &'static [Self] =
        &[Self::Burgerbrief, Self::Formal, Self::GovernmentBusiness, Self::PartyPolitical, Self::PrivateLife];

    /// The name as written in a tree.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Burgerbrief => "burgerbrief",
            Self::Formal => "formal",
            Self::GovernmentBusiness => "government_business",
            Self::PartyPolitical => "party_political",
            Self::PrivateLife => "private_life",
        }
    }

    /// What is defined under that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionFile {
    id: String,
    #[serde(default = "burgerbrief")]
    defines: Defined,
    organisation: Option<OrganisationId>,
    valid_from: Spanned<String>,
    title: Bilingual,
    source: Spanned<String>,
    yes_from: Spanned<f32>,
    unsure_from: f32,
    /// Within how many days something must be done with what it finds.
    #[serde(default = "fortnight")]
    act_within_days: u16,
    signs: Vec<Spanned<SignFile>>,
    #[serde(default)]
    exclusions: Vec<Spanned<SignFile>>,
    #[serde(default)]
    examples: Vec<ExampleFile>,
}

const fn fortnight() -> u16 {
    14
}

const fn burgerbrief() -> Defined {
    Defined::Burgerbrief
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignFile {
    id: RecogniserId,
    #[serde(default)]
    weight: Option<f32>,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    patterns: Vec<String>,
}

/// An example of the file: invented text and what must come out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleFile {
    text: String,
    expected: Answer,
}

struct Sign {
    id: RecogniserId,
    weight: f32,
    pattern: Regex,
    words: Vec<String>,
}

/// What one organisation, or any that has none of its own, counts as one thing, from a date.
pub struct Definition {
    id: String,
    defines: Defined,
    organisation: Option<OrganisationId>,
    valid_from: jiff::civil::Date,
    title: Bilingual,
    source: String,
    yes_from: f32,
    unsure_from: f32,
    act_within_days: u16,
    exclusions: Vec<Sign>,
    signs: Vec<Sign>,
    /// Exclusions and signs, in this order: which of them a text has is found in one pass. None when they are too many for that.
    any: Option<RegexSet>,
    examples: Vec<ExampleFile>,
}

impl Definition {
    /// Reads a definition from YAML; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When the file is not readable, names no source or date, or a pattern does not compile: every problem with its line.
    pub fn load(name: &str, text: &str) -> Result<Self, DecideError> {
        let file: DefinitionFile = parse(name, text)?;
        let mut problems = head_problems(&file);
        let valid_from = valid_from(&file.valid_from, &mut problems);
        let mut signs = |given: Vec<Spanned<SignFile>>, weighed: bool| {
            let one = |sign: Spanned<SignFile>| sign_of(sign, weighed).map_err(|p| problems.push(p)).ok();
            given.into_iter().filter_map(one).collect::<Vec<_>>()
        };
        let (found, exclusions) = (signs(file.signs, true), signs(file.exclusions, false));
        if !problems.is_empty() {
            problems.sort_by_key(|problem| problem.line);
            return Err(DecideError::Invalid { file: name.to_owned(), problems });
        }
        let any = RegexSet::new(exclusions.iter().chain(&found).map(|sign| sign.pattern.as_str())).ok();
        Ok(Self {
            id: file.id,
            defines: file.defines,
            organisation: file.organisation,
            valid_from,
            title: file.title,
            source: file.source.value,
            yes_from: file.yes_from.value,
            unsure_from: file.unsure_from,
            act_within_days: file.act_within_days,
            exclusions,
            signs: found,
            any,
            examples: file.examples,
        })
    }

    /// What it defines.
    #[must_use]
    pub const fn defines(&self) -> Defined {
        self.defines
    }

    /// Whose it is; none when it is for every organisation without one of its own.
    #[must_use]
    pub const fn organisation(&self) -> Option<&OrganisationId> {
        self.organisation.as_ref()
    }

    /// The words that count, with the id of their sign.
    pub fn words(&self) -> impl Iterator<Item = (&RecogniserId, &[String])> {
        self.signs.iter().map(|sign| (&sign.id, sign.words.as_slice()))
    }

    /// Within how many days a formal message must be registered or forwarded.
    #[must_use]
    pub const fn act_within_days(&self) -> u16 {
        self.act_within_days
    }

    /// The definition's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The day from which it holds.
    #[must_use]
    pub const fn valid_from(&self) -> jiff::civil::Date {
        self.valid_from
    }

    /// The title people read.
    #[must_use]
    pub fn title(&self) -> &Bilingual {
        &self.title
    }

    /// Who decided it, and on what ground.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the text is one. Linear in the text; an exclusion that is found goes before every sign.
    #[must_use]
    pub fn answer(&self, text: &str) -> Verdict {
        let mut score = 0.0_f32;
        let mut evidence = Vec::new();
        let there = self.any.as_ref().map(|any| any.matches(text));
        let find = |at: usize, sign: &Sign| {
            let there = there.as_ref().is_none_or(|there| there.matched(at));
            there.then(|| sign.pattern.find(text)).flatten()
        };
        for (at, excluded) in self.exclusions.iter().enumerate() {
            if let Some(found) = find(at, excluded) {
                let span = Span::new(found.start(), found.end());
                let evidence =
                    span.map(|span| Clue { rule: excluded.id.clone(), span }).into_iter().collect();
                return Verdict { answer: Answer::No, confidence: 1.0, evidence };
            }
        }
        for (at, sign) in (self.exclusions.len()..).zip(&self.signs) {
            let Some(found) = find(at, sign) else { continue };
            score += sign.weight;
            if let Some(span) = Span::new(found.start(), found.end()) {
                evidence.push(Clue { rule: sign.id.clone(), span });
            }
        }
        let score = score.clamp(0.0, 1.0);
        let (answer, confidence) = if score >= self.yes_from {
            (Answer::Yes, score)
        } else if score >= self.unsure_from {
            (Answer::Unsure, score)
        } else {
            (Answer::No, 1.0 - score)
        };
        Verdict { answer, confidence, evidence }
    }

    /// Runs the examples of the file: the indices of those that came out otherwise, from 0.
    #[must_use]
    pub fn check(&self) -> Vec<usize> {
        let wrong = |example: &ExampleFile| self.answer(&example.text).answer != example.expected;
        self.examples.iter().enumerate().filter(|(_, example)| wrong(example)).map(|(at, _)| at).collect()
    }
}

impl std::fmt::Debug for Definition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Definition({} {} {})", self.defines.as_str(), self.id, self.valid_from)
    }
}

fn head_problems(file: &DefinitionFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |line: u64, what: &str| problems.push(Problem { line, what: what.to_owned() });
    if file.source.value.trim().is_empty() {
        refuse(file.source.referenced.line(), "`source` is empty; say who decided this, and on what ground");
    }
    if file.id.trim().is_empty() {
        refuse(0, "`id` is empty; fill it in");
    }
    if file.title.nl.trim().is_empty() || file.title.en.trim().is_empty() {
        refuse(0, "`title` must have a text in `nl` and in `en`");
    }
    let yes = file.yes_from.value;
    if !(0.0 < file.unsure_from && file.unsure_from <= yes && yes <= 1.0) {
        refuse(file.yes_from.referenced.line(), "thresholds must be 0 < `unsure_from` <= `yes_from` <= 1");
    }
    problems
}

fn sign_of(sign: Spanned<SignFile>, weighed: bool) -> Result<Sign, Problem> {
    let line = sign.referenced.line();
    let SignFile { id, weight, words, patterns } = sign.value;
    let refuse = |what: String| Problem { line, what };
    let weight = match (weight, weighed) {
        (Some(weight), true) if weight.is_finite() => weight,
        (None, false) => 0.0,
        (_, true) => return Err(refuse(format!("sign `{id}` has no `weight`; give it one from 0 to 1"))),
        (_, false) => return Err(refuse(format!("exclusion `{id}` has a `weight`; remove it"))),
    };
    let pattern = compile(&words, &patterns).ok_or_else(|| {
        refuse(format!("sign `{id}` needs `words`, or `patterns` that are regular expressions"))
    })?;
    Ok(Sign { id, weight, pattern, words })
}

/// Words between word boundaries, any white space between them, or the patterns as they stand.
fn compile(words: &[String], patterns: &[String]) -> Option<Regex> {
    let word =
        |phrase: &String| phrase.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"\s+");
    let mut choices: Vec<String> =
        words.iter().filter(|phrase| !phrase.trim().is_empty()).map(word).collect();
    choices.extend(patterns.iter().cloned());
    if choices.is_empty() {
        return None;
    }
    let boundary = r"(?:^|[^\p{L}\p{N}])";
    Regex::new(&format!(r"(?i){boundary}(?:{})(?:$|[^\p{{L}}\p{{N}}])", choices.join("|"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "id: d\nvalid_from: '2026-01-01'\ntitle: {nl: d, en: d}\nsource: s\nyes_from: 0.7\nunsure_from: 0.4
signs: [{id: s, weight: 0.8, words: [hierbij verzoek]}]\nexclusions: [{id: x, words: [niet bedoeld als]}]\nexamples: [{text: Hierbij   verzoek ik, expected: yes}]\n";

    #[test]
    fn the_definition_that_ships_does_what_its_examples_say() {
        let root = std::env::var("KNIK_POLICIES")
            .unwrap_or_else(|_| format!("{}/policies", std::env::var("CARGO_MANIFEST_DIR").unwrap()));
        let text = std::fs::read_to_string(format!("{root}/burgerbrief/default.yaml")).unwrap();
        let definition = Definition::load("default.yaml", &text).unwrap();
        assert!(definition.examples.len() >= 6);
        assert_eq!(definition.check(), Vec::<usize>::new());
    }

    #[test]
    fn words_count_between_boundaries_and_without_regard_to_case() {
        let definition = Definition::load("d.yaml", SOUND).unwrap();
        let table = [
            ("HIERBIJ\nverzoek ik", Answer::Yes),
            ("hierbij verzoekschrift", Answer::No),
            ("", Answer::No),
            ("hierbij verzoek ik, niet bedoeld als brief", Answer::No),
        ];
        for (text, expected) in table {
            assert_eq!(definition.answer(text).answer, expected, "{text}");
        }
    }

    #[test]
    fn a_definition_without_date_or_sense_is_refused() {
        for (sound, broken) in [
            ("2026-01-01", "soon"),
            ("2026-01-01", "20260701"),
            ("source: s", "source: ''"),
            ("yes_from: 0.7", "yes_from: 0.1"),
            ("words: [hierbij verzoek]", "patterns: ['(']"),
            ("words: [hierbij verzoek]", "words: []"),
            ("words: [niet bedoeld als]", "weight: 1, words: [a]"),
            ("yes_from", "yess_from"),
        ] {
            assert!(Definition::load("d.yaml", &SOUND.replacen(sound, broken, 1)).is_err(), "{broken}");
        }
    }
}
