//! Is it a question? For informal Dutch and simple English, with and without a question mark.
//!
//! Each sentence gets the highest weight of the rules that speak, times the dampers; the text gets
//! that of its best sentence. It reads form, not intention: irony without a sign of it is missed.

use super::phrases::Effect;
use super::question_rules::Rules;
use super::sentences::{Sentence, Token, sentences};
use super::{Answer, Clue, DecideError, Verdict};
use crate::model::{RecogniserId, Span};

/// How many words may stand between `welke` or `hoe` and its verb.
pub(super) const PHRASE_WORDS_MAX: usize = 6;

/// The question detector. Immutable; one for all texts.
pub struct QuestionDetector {
    pub(super) rules: Rules,
}

impl QuestionDetector {
    /// Reads lists and weights from YAML; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When the file is not readable or its numbers make no sense.
    pub fn load(name: &str, text: &str) -> Result<Self, DecideError> {
        Rules::load(name, text).map(|rules| Self { rules })
    }

    /// The version the file states.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.rules.version
    }

    /// Whether the text asks something. Time is linear in the text.
    #[must_use]
    pub fn answer(&self, text: &str) -> Verdict {
        let mut best = Judged::default();
        for sentence in sentences(text) {
            let judged = self.judge(&sentence);
            if judged.score > best.score {
                best = judged;
            }
        }
        let (answer, confidence) = match best.score {
            score if score >= self.rules.thresholds.yes => (Answer::Yes, score),
            score if score >= self.rules.thresholds.no => (Answer::Unsure, score),
            score => (Answer::No, 1.0 - score),
        };
        Verdict { answer, confidence, evidence: best.clues }
    }

    /// Runs the examples of the file: the indices of those that came out otherwise, from 0.
    #[must_use]
    pub fn check(&self) -> Vec<usize> {
        let examples = self.rules.examples.iter().enumerate();
        let wrong = examples.filter(|(_, example)| self.answer(&example.text).answer != example.expected);
        wrong.map(|(at, _)| at).collect()
    }

    fn judge(&self, sentence: &Sentence) -> Judged {
        let weights = &self.rules.weights;
        let head = self.head(&sentence.tokens);
        let mut judged = Judged::default();
        self.structure(&sentence.tokens, head, &mut judged);
        let (damp_form, mut damp) = self.phrases(&sentence.tokens, head, &mut judged);
        judged.score *= damp_form;
        judged.request *= damp_form;
        if let Some(mark) = sentence.mark {
            let weight = match sentence.tokens.len() {
                0 => weights.mark_alone,
                1 => weights.mark_one_word,
                _ => weights.mark,
            };
            judged.raise("mark", weight, Some(mark));
        }
        if sentence.exclaims {
            let marked = sentence.mark.is_some();
            judged.score *= if marked { weights.damp_exclaims_marked } else { weights.damp_exclaims };
        }
        if sentence.quoted {
            damp *= weights.damp_quoted;
        }
        let floor = if sentence.mark.is_some() && !sentence.quoted { weights.mark_floor } else { 0.0 };
        judged.score = (judged.score.max(judged.request).max(judged.later) * damp).max(floor);
        judged
    }

    /// Lets the phrases speak; gives what they damp: the form alone, and everything.
    fn phrases(&self, tokens: &[Token], head: usize, judged: &mut Judged) -> (f32, f32) {
        let (mut form, mut all) = (1.0_f32, 1.0_f32);
        for found in self.rules.phrases.find(tokens, head) {
            let span = over(tokens, found.tokens.0, found.tokens.1);
            match found.effect {
                Effect::Raise(weight) => judged.raise(found.rule.as_str(), weight, span),
                Effect::Damp { by, spares_mark } => {
                    let damp = if spares_mark { &mut form } else { &mut all };
                    *damp = damp.min(by);
                    judged.note(found.rule.as_str(), span);
                }
            }
        }
        (form, all)
    }

    /// The first token after greetings, mentions and fillers.
    fn head(&self, tokens: &[Token]) -> usize {
        let lists = &self.rules.lists;
        let opener = |(at, token): &(usize, &Token)| {
            let paused = tokens.get(at + 1).is_some_and(|next| next.pause);
            let asks_or = || {
                let verb = tokens.get(at + 1).map(|next| next.word.as_str());
                let verb = verb.is_some_and(|verb| self.known_verb(verb) || lists.stems.contains(verb));
                verb && tokens.get(at + 2).is_some_and(|after| lists.subjects.contains(&after.word))
            };
            matches!(token.word.as_str(), "@" | ":")
                || (token.word == "of" && asks_or())
                || lists.openers.contains(&token.word)
                || (paused && lists.openers_paused.contains(&token.word))
        };
        tokens.iter().enumerate().take_while(opener).count().min(tokens.len().saturating_sub(1))
    }

    fn structure(&self, tokens: &[Token], head: usize, judged: &mut Judged) {
        self.clause(tokens, head, judged);
        let lists = &self.rules.lists;
        let fronted = tokens.get(head).is_some_and(|token| lists.subordinators.contains(&token.word));
        for (at, token) in tokens.iter().enumerate().skip(head + 1) {
            let joined = tokens.get(at - 1).is_some_and(|before| lists.joiners.contains(&before.word));
            if token.pause || joined {
                let contrast = joined && tokens.get(at - 1).is_some_and(|before| before.word != "en");
                self.inner_clause(tokens, at, fronted && !joined, contrast, judged);
            }
        }
    }

    /// A clause at the head of a sentence.
    fn clause(&self, tokens: &[Token], head: usize, judged: &mut Judged) {
        let (lists, weights) = (&self.rules.lists, &self.rules.weights);
        let Some(first) = tokens.get(head) else { return };
        if let Some((rule, end)) = self.interrogative(tokens, head) {
            let relative = lists.relatives.contains(&first.word) && self.free_relative(tokens, end);
            let damp = match () {
                () if relative => weights.damp_condition,
                () if self.marvels(tokens, head) => weights.damp_wish,
                () => 1.0,
            };
            let weight = match rule {
                "interrogative.verb" => weights.interrogative_verb,
                "interrogative.phrase-verb" => weights.interrogative_phrase_verb,
                "interrogative.phrase-guess" => weights.interrogative_phrase_guess,
                "interrogative.cause" => weights.interrogative_cause,
                _ => weights.interrogative_bare,
            };
            return judged.raise(rule, weight * damp, over(tokens, head, end));
        }
        let Some(second) = tokens.get(head + 1) else { return };
        if second.pause {
            return;
        }
        if self.names_information(tokens, head) {
            return judged.raise("fragment.information", weights.information, over(tokens, head, head + 2));
        }
        if self.what_about(tokens) {
            return judged.raise("fragment.what-about", weights.what_about, over(tokens, 0, tokens.len()));
        }
        let Some((rule, weight)) = self.verb_first(tokens, head, first, second) else { return };
        let condition = if self.conditional(tokens, head) { weights.damp_condition } else { 1.0 };
        let wish = self.wishes(tokens, head) || self.dropped_object(tokens, head);
        let wish = if wish { weights.damp_wish } else { 1.0 };
        judged.raise(rule, weight * condition.min(wish), over(tokens, head, head + 2));
    }

    /// `Hoe mooi is dit`: no measure is asked, and nothing follows.
    fn marvels(&self, tokens: &[Token], head: usize) -> bool {
        let word = |at: usize| tokens.get(head + at).map(|token| token.word.as_str()).unwrap_or_default();
        word(0) == "hoe"
            && !self.rules.lists.measures.contains(word(1))
            && matches!(word(2), "is" | "was" | "zijn")
            && matches!(word(3), "dit" | "dat" | "het" | "deze" | "die")
            && tokens.len() <= head + 5
    }

    /// `Adres van het loket`: what is wanted, without a verb, and nothing that says it.
    fn names_information(&self, tokens: &[Token], head: usize) -> bool {
        let lists = &self.rules.lists;
        let wanted = |at: usize| tokens.get(at).is_some_and(|token| lists.information.contains(&token.word));
        let current = tokens.get(head).is_some_and(|token| lists.current.contains(&token.word));
        let says = |token: &Token| {
            token.pause
                || lists.verbs.contains(&token.word)
                || token.word.contains(|c: char| c.is_ascii_digit())
        };
        let rest = tokens.get(head + 1..).unwrap_or_default();
        (wanted(head) || (current && wanted(head + 1)))
            && rest.len() <= PHRASE_WORDS_MAX + 2
            && !rest.iter().any(says)
    }

    /// `En de bewoners dan`: no verb, and what is asked about stands between.
    fn what_about(&self, tokens: &[Token]) -> bool {
        let lists = &self.rules.lists;
        let word = |token: Option<&Token>, wanted: &str| token.is_some_and(|token| token.word == wanted);
        let verb = |token: &Token| lists.verbs.contains(&token.word) || lists.stems.contains(&token.word);
        (3..=PHRASE_WORDS_MAX).contains(&tokens.len())
            && (word(tokens.first(), "en") || word(tokens.first(), "maar"))
            && word(tokens.last(), "dan")
            && !tokens.iter().any(verb)
    }

    /// A clause after a pause or a joiner: only its clear forms count.
    fn inner_clause(&self, tokens: &[Token], at: usize, fronted: bool, contrast: bool, judged: &mut Judged) {
        let (lists, weights) = (&self.rules.lists, &self.rules.weights);
        let (Some(first), Some(second)) = (tokens.get(at), tokens.get(at + 1)) else { return };
        let asks = lists.asking.contains(&first.word) && lists.addressed.contains(&second.word);
        if asks && !fronted {
            return judged.raise(
                "request.after-pause",
                weights.request_after_pause,
                over(tokens, at, at + 2),
            );
        }
        if !fronted && self.asks_again(tokens, at) {
            return judged.raise(
                "verb-first.after-pause",
                weights.verb_first_after_pause,
                over(tokens, at, at + 2),
            );
        }
        if lists.relatives.contains(&first.word) && !contrast {
            let verb = self.known_verb(&second.word);
            let about = tokens.get(at + 2).is_some_and(|third| lists.subjects.contains(&third.word));
            if verb && about && !fronted {
                judged.raise("interrogative.after-pause", weights.verb_first_weak, over(tokens, at, at + 2));
            }
            return;
        }
        if let Some(("interrogative.verb" | "interrogative.phrase-verb", end)) =
            self.interrogative(tokens, at)
        {
            judged.raise(
                "interrogative.after-pause",
                weights.interrogative_after_pause,
                over(tokens, at, end),
            );
        }
    }

    /// An interrogative at `at` (a preposition may go before) in the word order of a main clause.
    fn interrogative(&self, tokens: &[Token], at: usize) -> Option<(&'static str, usize)> {
        let lists = &self.rules.lists;
        let word = |index: usize| tokens.get(index).map(|token| token.word.as_str());
        let asks = |w: &str| lists.interrogatives.contains(w) || lists.measuring.contains(w);
        let at = match word(at) {
            Some(first) if lists.prepositions.contains(first) && word(at + 1).is_some_and(asks) => at + 1,
            _ => at,
        };
        let first = word(at)?;
        if lists.interrogatives.contains(first)
            && word(at + 1).is_some_and(|next| self.is_verb(next, word(at + 2)))
        {
            return Some(("interrogative.verb", at + 2));
        }
        let measured = lists.measuring.contains(first).then(|| self.phrase_verb(tokens, at)).flatten();
        if measured.is_some() {
            return measured;
        }
        let more = word(at + 1).is_some();
        if lists.causes.contains(first) && more {
            let embedded = word(at + 1).is_some_and(|next| lists.subjects.contains(next));
            let rule = if embedded { "interrogative.bare" } else { "interrogative.cause" };
            return Some((rule, at + 1));
        }
        let phrase = word(at + 1).is_some_and(|next| !lists.subjects.contains(next));
        (lists.measuring.contains(first) && phrase).then_some(("interrogative.bare", at + 1))
    }

    /// The verb behind `welke lijn` or `hoe veel tijd`; none when a subject comes before it.
    fn phrase_verb(&self, tokens: &[Token], at: usize) -> Option<(&'static str, usize)> {
        let lists = &self.rules.lists;
        let phrase = tokens.iter().enumerate().skip(at + 1).take(PHRASE_WORDS_MAX);
        let mut guess = None;
        for (index, token) in phrase {
            let amount = index == at + 1 && matches!(token.word.as_str(), "veel" | "een");
            if token.pause || (lists.subjects.contains(&token.word) && !amount) {
                break;
            }
            let own = tokens
                .get(index + 1)
                .is_some_and(|next| lists.own_subjects.contains(&next.word) || next.word == "je");
            let verb = self.known_verb(&token.word) || (own && lists.stems.contains(&token.word));
            if index > at + 1 && verb {
                return Some(("interrogative.phrase-verb", index + 1));
            }
            if index > at + 1 && guess.is_none() && self.looks_finite(&token.word) {
                guess = Some(("interrogative.phrase-guess", index + 1));
            }
        }
        guess
    }

    /// `Wie zoekt, die vindt`: after the clause, a pause and another main clause.
    fn free_relative(&self, tokens: &[Token], end: usize) -> bool {
        let lists = &self.rules.lists;
        tokens.iter().skip(end).any(|token| {
            token.pause && (lists.verbs.contains(&token.word) || matches!(token.word.as_str(), "die" | "dat"))
        })
    }
}

impl std::fmt::Debug for QuestionDetector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "QuestionDetector({})", self.rules.version)
    }
}

/// What the rules made of one sentence.
#[derive(Default)]
struct Judged {
    score: f32,
    /// The same of requests, which an exclamation mark does not weaken.
    request: f32,
    /// The same of clauses behind a pause, which the form of the first does not weaken.
    later: f32,
    clues: Vec<Clue>,
}

/// Rules and places kept of one sentence: enough to explain, bounded on hostile text.
const CLUES_MAX: usize = 8;

impl Judged {
    fn raise(&mut self, rule: &str, weight: f32, span: Option<Span>) {
        let score = match rule {
            rule if rule.ends_with("after-pause") => &mut self.later,
            rule if rule.starts_with("request") => &mut self.request,
            _ => &mut self.score,
        };
        *score = score.max(weight);
        self.note(rule, span);
    }

    fn note(&mut self, rule: &str, span: Option<Span>) {
        let rule = rule.parse::<RecogniserId>().ok();
        if let (Some(rule), Some(span), true) = (rule, span, self.clues.len() < CLUES_MAX) {
            self.clues.push(Clue { rule, span });
        }
    }
}

fn over(tokens: &[Token], from: usize, to: usize) -> Option<Span> {
    let first = tokens.get(from)?;
    let last = tokens.get(..to.min(tokens.len()))?.last()?;
    Span::new(first.span.start(), last.span.end())
}

#[cfg(test)]
#[path = "question_tests.rs"]
mod tests;
