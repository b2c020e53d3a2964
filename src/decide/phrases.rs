//! Fixed phrases: found by their first word, compared word by word.

use super::sentences::Token;
use crate::model::RecogniserId;
use serde::Deserialize;
use std::collections::HashMap;

/// Where in a sentence a phrase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Anywhere.
    Anywhere,
    /// At the head, after greetings and the like.
    Head,
    /// As the last words.
    Tail,
    /// As the whole sentence.
    Whole,
}

/// Phrases that raise a sentence to a weight, or (`damp`) multiply what the others made of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhraseFile {
    pub rule: RecogniserId,
    pub at: Place,
    #[serde(default)]
    pub weight: Option<f32>,
    #[serde(default)]
    pub damp: Option<f32>,
    /// The damper does not touch a question mark.
    #[serde(default)]
    pub spares_mark: bool,
    pub words: Vec<String>,
}

/// One phrase found.
pub(super) struct Found<'p> {
    pub rule: &'p RecogniserId,
    pub effect: Effect,
    /// First token and one past the last.
    pub tokens: (usize, usize),
}

/// What a phrase does to the score of its sentence.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    Raise(f32),
    Damp { by: f32, spares_mark: bool },
}

struct Phrase {
    rest: Vec<String>,
    rule: RecogniserId,
    place: Place,
    effect: Effect,
}

/// All phrases, by first word. `_` in a phrase stands for any one word (never the first).
#[derive(Default)]
pub(super) struct Phrases(HashMap<String, Vec<Phrase>>);

impl Phrases {
    /// Compiles the phrases; the messages are what to mend.
    pub(super) fn load(files: Vec<PhraseFile>) -> (Self, Vec<String>) {
        let mut phrases = Self::default();
        let mut problems = Vec::new();
        for file in files {
            let effect = match (file.weight, file.damp) {
                (Some(weight), None) if (0.0..=1.0).contains(&weight) => Effect::Raise(weight),
                (None, Some(damp)) if (0.0..=1.0).contains(&damp) => {
                    Effect::Damp { by: damp, spares_mark: file.spares_mark }
                }
                _ => {
                    problems.push(format!(
                        "phrases `{}` need one of `weight` and `damp`, from 0 to 1",
                        file.rule
                    ));
                    continue;
                }
            };
            for words in &file.words {
                let mut words = words.split_whitespace().map(str::to_lowercase);
                match words.next() {
                    Some(first) if first != "_" => phrases.0.entry(first).or_default().push(Phrase {
                        rest: words.collect(),
                        rule: file.rule.clone(),
                        place: file.at,
                        effect,
                    }),
                    _ => problems.push(format!("a phrase of `{}` must begin with a word", file.rule)),
                }
            }
        }
        (phrases, problems)
    }

    /// Every phrase in the tokens; `head` is the first token after greetings.
    pub(super) fn find<'p>(&'p self, tokens: &'p [Token], head: usize) -> impl Iterator<Item = Found<'p>> {
        tokens.iter().enumerate().flat_map(move |(at, token)| {
            let candidates = self.0.get(&token.word).map(Vec::as_slice).unwrap_or_default();
            candidates.iter().filter_map(move |phrase| phrase.found(tokens, at, head))
        })
    }
}

impl Phrase {
    fn found<'p>(&'p self, tokens: &'p [Token], at: usize, head: usize) -> Option<Found<'p>> {
        let end = at + 1 + self.rest.len();
        let rest = tokens.get(at + 1..end)?;
        let placed = match self.place {
            Place::Anywhere => true,
            Place::Head => at == head,
            Place::Tail => end == tokens.len(),
            Place::Whole => at == head && end == tokens.len(),
        };
        let same = self.rest.iter().zip(rest).all(|(want, token)| want == "_" || *want == token.word);
        (placed && same).then_some(Found { rule: &self.rule, effect: self.effect, tokens: (at, end) })
    }
}
