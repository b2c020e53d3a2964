//! How a reaction sounds, by a word list: for counts over a period. Nothing of it is kept of one reaction.

use super::DecideError;
use super::error::parse;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// How a text sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sentiment {
    /// Glad, thankful.
    Positive,
    /// Angry, disappointed.
    Negative,
    /// Both.
    Mixed,
    /// No word of either.
    Neutral,
}

impl Sentiment {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Positive, Self::Negative, Self::Mixed, Self::Neutral];

    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Mixed => "mixed",
            Self::Neutral => "neutral",
        }
    }
}

impl std::str::FromStr for Sentiment {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().copied().find(|known| known.as_str() == given);
        known.ok_or_else(|| "no sentiment".to_owned())
    }
}

/// What the method does on texts that no word was taken from: told with every count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(serialize = "camelCase"), deny_unknown_fields)]
pub struct SentimentMeasured {
    /// Texts that people judged.
    #[serde(rename = "texts")]
    pub posts: u32,
    /// Of these, how many it judges as they did.
    pub agreed: u32,
    /// Of the positive ones, how many it calls positive, in hundredths.
    pub positive_found: u32,
    /// Of the negative ones, how many it calls negative, in hundredths.
    pub negative_found: u32,
    /// How many positive ones it calls negative, or the other way round.
    pub wrong_way: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MethodFile {
    id: String,
    version: String,
    source: String,
    window: usize,
    positive: HashSet<String>,
    negative: HashSet<String>,
    negators: HashSet<String>,
    strengtheners: HashSet<String>,
    measured: SentimentMeasured,
    examples: Vec<SentimentExample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentimentExample {
    text: String,
    expected: Sentiment,
}

/// What a word of the lists does.
#[derive(Default, Clone, Copy)]
struct Does {
    glad: bool,
    sad: bool,
    negates: bool,
    strengthens: bool,
}

/// Says of a word that its list has it.
type Mark = fn(&mut Does);

/// The method, as `policies/sentiment.yaml` gives it.
pub struct SentimentMethod {
    file: MethodFile,
    /// All words of the lists: each word of a text is looked up once.
    words: HashMap<String, Does>,
}

impl SentimentMethod {
    /// Reads the method.
    ///
    /// # Errors
    /// When the file is not readable as one.
    pub fn load(name: &str, text: &str) -> Result<Self, DecideError> {
        let mut file: MethodFile = parse(name, text)?;
        let mut words: HashMap<String, Does> = HashMap::new();
        let lists: [(&mut HashSet<String>, Mark); 4] = [
            (&mut file.positive, |does| does.glad = true),
            (&mut file.negative, |does| does.sad = true),
            (&mut file.negators, |does| does.negates = true),
            (&mut file.strengtheners, |does| does.strengthens = true),
        ];
        for (list, mark) in lists {
            list.drain().for_each(|word| mark(words.entry(word).or_default()));
        }
        Ok(Self { file, words })
    }

    /// Id and version, as counts are kept under.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{} {}", self.file.id, self.file.version)
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.file.source
    }

    /// How good it is.
    #[must_use]
    pub const fn measured(&self) -> SentimentMeasured {
        self.file.measured
    }

    /// The numbers of the examples that come out otherwise, from 1.
    #[must_use]
    pub fn check(&self) -> Vec<usize> {
        let wrong = |example: &SentimentExample| self.of(&example.text) != example.expected;
        (1..).zip(&self.file.examples).filter(|(_, example)| wrong(example)).map(|(at, _)| at).collect()
    }

    /// How a text sounds. Linear in its length.
    #[must_use]
    pub fn of(&self, text: &str) -> Sentiment {
        let (mut positive, mut negative) = (0.0_f32, 0.0_f32);
        // How far behind the last negation, and whether the word before strengthens.
        let (mut since_negation, mut strengthened) = (usize::MAX, false);
        each_word(text, |word| {
            let does = self.words.get(word).copied().unwrap_or_default();
            let weight = if strengthened { 1.5 } else { 1.0 };
            let turned = since_negation <= self.file.window;
            match (does.glad != turned, does.glad || does.sad) {
                (true, true) => positive += if turned { 0.5 } else { weight },
                (false, true) => negative += weight,
                _ => {}
            }
            since_negation = if does.negates { 1 } else { since_negation.saturating_add(1) };
            strengthened = does.strengthens;
        });
        match (positive > 0.0, negative > 0.0) {
            (false, false) => Sentiment::Neutral,
            (true, true) if (positive - negative).abs() < 1.0 => Sentiment::Mixed,
            _ if positive > negative => Sentiment::Positive,
            _ => Sentiment::Negative,
        }
    }
}

/// Words in lower case, and every sign that is neither letter nor ASCII as a word of its own, in their order.
fn each_word(text: &str, mut take: impl FnMut(&str)) {
    let (mut word, mut sign) = (String::new(), [0; 4]);
    for c in text.chars().filter(|c| *c != '\u{fe0f}') {
        if c.is_alphanumeric() || (c == '\'' && !word.is_empty()) {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            take(&word);
            word.clear();
        }
        if !c.is_ascii() && !c.is_whitespace() {
            take(c.encode_utf8(&mut sign));
        }
    }
    if !word.is_empty() {
        take(&word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method() -> SentimentMethod {
        SentimentMethod::load("sentiment.yaml", include_str!("../../policies/sentiment.yaml")).unwrap()
    }

    #[test]
    fn the_examples_of_the_file_come_out_as_they_say() {
        assert_eq!(method().check(), [] as [usize; 0]);
    }

    #[test]
    fn the_file_states_what_the_method_does_on_texts_that_no_word_was_taken_from() {
        let (method, mut found) = (
            method(),
            SentimentMeasured { posts: 0, agreed: 0, positive_found: 0, negative_found: 0, wrong_way: 0 },
        );
        let (mut glad, mut sad) = ((0, 0), (0, 0));
        let posts = include_str!("../../tests/posts/sentiment.txt");
        for line in posts.lines().filter(|line| !line.starts_with('#')) {
            let (expected, text) = line.split_once('\t').unwrap();
            let (expected, is) = (expected.parse::<Sentiment>().unwrap(), method.of(text));
            found.posts += 1;
            found.agreed += u32::from(is == expected);
            let of = match expected {
                Sentiment::Positive => &mut glad,
                Sentiment::Negative => &mut sad,
                _ => continue,
            };
            of.0 += 1;
            of.1 += u32::from(is == expected);
            let wrong = matches!(
                (expected, is),
                (Sentiment::Positive, Sentiment::Negative) | (Sentiment::Negative, Sentiment::Positive)
            );
            found.wrong_way += u32::from(wrong);
        }
        found.positive_found = glad.1 * 100 / glad.0;
        found.negative_found = sad.1 * 100 / sad.0;
        assert_eq!(found, method.measured());
    }

    #[test]
    fn a_file_that_is_no_method_is_refused() {
        let text = include_str!("../../policies/sentiment.yaml").replace("window: 3", "window: often");
        assert!(SentimentMethod::load("sentiment.yaml", &text).is_err());
    }
}
