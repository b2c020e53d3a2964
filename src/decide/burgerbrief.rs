//! An organisation's own, dated definition of a burgerbrief (citizen's letter).

use super::error::parse;
use super::{Answer, Bilingual, Clue, DecideError, Problem, Verdict};
use crate::model::{RecogniserId, Span};
use regex::Regex;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionFile {
    id: String,
    valid_from: String,
    title: Bilingual,
    source: String,
    yes_from: f32,
    unsure_from: f32,
    signs: Vec<SignFile>,
    #[serde(default)]
    examples: Vec<ExampleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignFile {
    id: RecogniserId,
    weight: f32,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    patterns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleFile {
    text: String,
    expected: Answer,
}

struct Sign {
    id: RecogniserId,
    weight: f32,
    pattern: Regex,
}

/// What one organisation calls a burgerbrief, from a date. Replaceable data: the meeting left it open.
pub struct BurgerbriefDefinition {
    id: String,
    valid_from: String,
    title: Bilingual,
    source: String,
    yes_from: f32,
    unsure_from: f32,
    signs: Vec<Sign>,
    examples: Vec<ExampleFile>,
}

impl BurgerbriefDefinition {
    /// Reads a definition from YAML; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When the file is not readable, names no source or date, or a pattern does not compile.
    pub fn load(name: &str, text: &str) -> Result<Self, DecideError> {
        let file: DefinitionFile = parse(name, text)?;
        let mut problems = Vec::new();
        let mut refuse = |what: String| problems.push(Problem { line: 0, what });
        if file.valid_from.parse::<jiff::civil::Date>().is_err() {
            refuse(format!("`valid_from` is `{}`; write a date such as 2026-01-01", file.valid_from));
        }
        if file.source.trim().is_empty() || file.id.trim().is_empty() {
            refuse("`id` and `source` must be filled in".to_owned());
        }
        if file.title.nl.trim().is_empty() || file.title.en.trim().is_empty() {
            refuse("`title` must have a text in `nl` and in `en`".to_owned());
        }
        if !(0.0 < file.unsure_from && file.unsure_from <= file.yes_from && file.yes_from <= 1.0) {
            refuse("thresholds must be 0 < `unsure_from` <= `yes_from` <= 1".to_owned());
        }
        let mut signs = Vec::new();
        for sign in file.signs {
            match compile(&sign) {
                Some(pattern) if sign.weight.is_finite() => {
                    signs.push(Sign { id: sign.id, weight: sign.weight, pattern });
                }
                _ => refuse(format!("sign `{}` needs `words` or valid `patterns`, and a weight", sign.id)),
            }
        }
        if !problems.is_empty() {
            return Err(DecideError::Invalid { file: name.to_owned(), problems });
        }
        let DefinitionFile { id, valid_from, title, source, yes_from, unsure_from, examples, .. } =
            DefinitionFile { signs: Vec::new(), ..file };
        Ok(Self { id, valid_from, title, source, yes_from, unsure_from, signs, examples })
    }

    /// The definition's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The day from which it holds, `YYYY-MM-DD`.
    #[must_use]
    pub fn valid_from(&self) -> &str {
        &self.valid_from
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

    /// Whether the text is a burgerbrief. Linear in the text.
    #[must_use]
    pub fn answer(&self, text: &str) -> Verdict {
        let mut score = 0.0_f32;
        let mut evidence = Vec::new();
        for sign in &self.signs {
            let Some(found) = sign.pattern.find(text) else { continue };
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

impl std::fmt::Debug for BurgerbriefDefinition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BurgerbriefDefinition({} {})", self.id, self.valid_from)
    }
}

/// Words between word boundaries, any white space between them, or the patterns as they stand.
fn compile(sign: &SignFile) -> Option<Regex> {
    let word =
        |phrase: &String| phrase.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"\s+");
    let mut choices: Vec<String> =
        sign.words.iter().filter(|phrase| !phrase.trim().is_empty()).map(word).collect();
    choices.extend(sign.patterns.iter().cloned());
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
signs: [{id: s, weight: 0.8, words: [hierbij verzoek]}]\nexamples: [{text: Hierbij   verzoek ik, expected: yes}]\n";

    #[test]
    fn the_definition_that_ships_does_what_its_examples_say() {
        let root = std::env::var("KNIK_POLICIES")
            .unwrap_or_else(|_| format!("{}/policies", std::env::var("CARGO_MANIFEST_DIR").unwrap()));
        let text = std::fs::read_to_string(format!("{root}/burgerbrief/default.yaml")).unwrap();
        let definition = BurgerbriefDefinition::load("default.yaml", &text).unwrap();
        assert!(definition.examples.len() >= 6);
        assert_eq!(definition.check(), Vec::<usize>::new());
    }

    #[test]
    fn words_count_between_boundaries_and_without_regard_to_case() {
        let definition = BurgerbriefDefinition::load("d.yaml", SOUND).unwrap();
        let table =
            [("HIERBIJ\nverzoek ik", Answer::Yes), ("hierbij verzoekschrift", Answer::No), ("", Answer::No)];
        for (text, expected) in table {
            assert_eq!(definition.answer(text).answer, expected, "{text}");
        }
    }

    #[test]
    fn a_definition_without_date_or_sense_is_refused() {
        for (sound, broken) in [
            ("2026-01-01", "soon"),
            ("source: s", "source: ''"),
            ("yes_from: 0.7", "yes_from: 0.1"),
            ("words: [hierbij verzoek]", "patterns: ['(']"),
            ("words: [hierbij verzoek]", "words: []"),
            ("yes_from", "yess_from"),
        ] {
            assert!(
                BurgerbriefDefinition::load("d.yaml", &SOUND.replacen(sound, broken, 1)).is_err(),
                "{broken}"
            );
        }
    }
}
