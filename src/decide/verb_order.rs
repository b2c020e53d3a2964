//! Word order and verb forms: where a finite verb stands in a Dutch clause, and what its ending tells of a word that is
//! in no list. The verb first with its subject behind it is a question, unless what stood before it was left out
//! (`heb ik al gedaan`), a condition follows (`heeft u vragen, bel dan`) or a particle makes it a wish (`was ik maar`).

use super::question::{PHRASE_WORDS_MAX, QuestionDetector};
use super::sentences::Token;

impl QuestionDetector {
    /// `Heb ik al gedaan`: what stood before the verb was left out, and nothing behind the subject can be its object.
    pub(super) fn dropped_object(&self, tokens: &[Token], head: usize) -> bool {
        let lists = &self.rules.lists;
        let word = |at: usize| tokens.get(at).map(|token| token.word.as_str()).unwrap_or_default();
        let (verb, subject) = (word(head), word(head + 1));
        if lists.opining.contains(verb) && subject == "ik" {
            return !(word(head + 2) == "goed" || word(head + 3) == "goed");
        }
        if subject == "jullie" && lists.singular.contains(verb) {
            return true;
        }
        if !lists.dropping_subjects.contains(subject) {
            return false;
        }
        let light = |token: &Token| {
            let word = token.word.as_str();
            lists.dropped.contains(word)
                || lists.prepositions.contains(word)
                || lists.light.contains(word)
                || participle(word)
        };
        tokens.iter().skip(head + 2).all(light)
    }

    /// A particle that makes inversion a wish or an invitation (`was ik maar`, `komt u gerust`), or one at the end that
    /// makes it a request to act (`mag de lamp uit`).
    pub(super) fn wishes(&self, tokens: &[Token], head: usize) -> bool {
        let lists = &self.rules.lists;
        let wish = tokens.iter().enumerate().skip(head + 2).take(3);
        let they = tokens.get(head + 1).is_some_and(|token| lists.musing_subjects.contains(&token.word));
        let wish = wish.take_while(|(_, token)| !token.pause).any(|(at, token)| {
            if they && lists.musing.contains(&token.word) {
                return true;
            }
            let counted = tokens.get(at + 1).is_some_and(|next| matches!(next.word.as_str(), "een" | "één"));
            lists.wishing.contains(&token.word) && !counted
        });
        let allowed = tokens.get(head).is_some_and(|token| lists.allowing.contains(&token.word));
        let thing = tokens.get(head + 1).is_some_and(|token| !lists.own_subjects.contains(&token.word));
        let done = tokens.last().is_some_and(|token| lists.resulting.contains(&token.word));
        wish || (allowed && thing && done)
    }

    pub(super) fn verb_first(
        &self,
        tokens: &[Token],
        head: usize,
        first: &Token,
        second: &Token,
    ) -> Option<(&'static str, f32)> {
        let (lists, weights) = (&self.rules.lists, &self.rules.weights);
        let (verb, next) = (first.word.as_str(), second.word.as_str());
        let third = tokens.get(head + 2).map(|token| token.word.as_str());
        if lists.objects.contains(next) && !third.is_some_and(|third| lists.own_subjects.contains(third)) {
            return None;
        }
        let subject = lists.subjects.contains(next);
        let own = lists.own_subjects.contains(next);
        if lists.action_asking.contains(verb) && lists.action_addressees.contains(next) {
            let tells = tokens.iter().skip(head + 2).any(|token| lists.telling.contains(&token.word));
            let weight = if tells { weights.request_second_person } else { weights.request_action };
            return Some(("request.second-person", weight));
        }
        if lists.asking.contains(verb) && lists.addressees.contains(next) {
            return Some(("request.second-person", weights.request_second_person));
        }
        let stem = lists.stems.contains(verb) && (own || next == "je");
        let command = lists.commands.contains(verb) && own && next != "u";
        if subject && lists.indefinite.contains(next) && lists.verbs.contains(verb) {
            return Some(("verb-first.other", weights.verb_first_weak));
        }
        if stem || command || (subject && (self.known_verb(verb) || lists.verbs_shared.contains(verb))) {
            return Some(("verb-first.subject", weights.verb_first_subject));
        }
        let joined = head.checked_sub(1).and_then(|at| tokens.get(at));
        let joined = !first.pause && joined.is_some_and(|before| lists.joiners.contains(&before.word));
        if self.known_verb(verb)
            && !lists.verbs.contains(next)
            && !lists.dropped.contains(next)
            && !joined
            && tokens.len() > head + 2
            && (!verb.ends_with("en") || !lists.prepositions.contains(next))
        {
            // `gaat over geld`: a phrase with a preposition and no subject behind it.
            let bare = tokens.len() < head + PHRASE_WORDS_MAX
                && lists.prepositions.contains(next)
                && !tokens.iter().skip(head + 4).any(|token| lists.subjects.contains(&token.word));
            let weight =
                if bare || participle(next) { weights.verb_first_weak } else { weights.verb_first_other };
            return Some(("verb-first.other", weight));
        }
        if next == "ik" && self.may_be_verb(verb) {
            return Some(("verb-first.guess", weights.verb_first_weak));
        }
        if !subject || next == "zijn" || lists.commands.contains(verb) {
            return None;
        }
        self.unknown_verb(verb, next, third)
    }

    /// In no list of words that may stand before `ik` without being its verb.
    pub(super) fn may_be_verb(&self, word: &str) -> bool {
        let lists = &self.rules.lists;
        let other = [
            &lists.interrogatives,
            &lists.joiners,
            &lists.subordinators,
            &lists.openers,
            &lists.openers_paused,
            &lists.prepositions,
            &lists.dropped,
            &lists.not_verbs,
            &lists.subjects,
            &lists.light,
        ];
        word.len() >= 4 && !other.iter().any(|list| list.contains(word))
    }

    /// A word of which only the ending says that it is a verb, with what may be its subject behind it.
    pub(super) fn unknown_verb(
        &self,
        verb: &str,
        next: &str,
        third: Option<&str>,
    ) -> Option<(&'static str, f32)> {
        let (lists, weights) = (&self.rules.lists, &self.rules.weights);
        if verb.ends_with('t') && self.looks_finite(verb) {
            let weight = if third_person(verb) { weights.verb_first_guess } else { weights.verb_first_weak };
            return Some(("verb-first.guess", weight));
        }
        let plural = verb.ends_with("en") && verb.len() > 4 && self.looks_finite(verb);
        let many = plural && lists.plural_subjects.contains(next);
        let verb_behind = third.is_some_and(|third| lists.verbs.contains(third));
        (many && !verb_behind).then_some(("verb-first.guess", weights.verb_first_guess))
    }

    /// `…, moet ik nou wachten`: inversion with an own subject behind a pause, and a particle of asking.
    pub(super) fn asks_again(&self, tokens: &[Token], at: usize) -> bool {
        let lists = &self.rules.lists;
        let (Some(verb), Some(subject)) = (tokens.get(at), tokens.get(at + 1)) else { return false };
        let inverted = (lists.verbs.contains(&verb.word) || lists.stems.contains(&verb.word))
            && lists.own_subjects.contains(&subject.word);
        inverted
            && tokens.iter().skip(at + 2).take(4).any(|token| lists.asking_particles.contains(&token.word))
    }

    /// A finite verb of the lists, or a third person of the verbs in -eren: no other word ends in -eert.
    pub(super) fn known_verb(&self, word: &str) -> bool {
        self.rules.lists.verbs.contains(word) || word.ends_with("eert")
    }

    /// `hoe vul je`: whatever stands between an interrogative and such a subject is a verb, unless it is a measure.
    pub(super) fn inverts(&self, word: &str, next: &str) -> bool {
        let lists = &self.rules.lists;
        (lists.own_subjects.contains(next) || matches!(next, "je" | "men"))
            && !word.ends_with("er")
            && ![&lists.subjects, &lists.measures, &lists.dropped].iter().any(|list| list.contains(word))
    }

    pub(super) fn is_verb(&self, word: &str, next: Option<&str>) -> bool {
        let lists = &self.rules.lists;
        self.known_verb(word)
            || lists.verbs_shared.contains(word)
            || lists.stems.contains(word)
            || lists.commands.contains(word)
            || next.is_some_and(|next| self.inverts(word, next))
            || (self.looks_finite(word) && word.ends_with("dt"))
            || (self.looks_finite(word) && next.is_some_and(|next| lists.subjects.contains(next)))
    }

    /// A form that may be finite: ends in -t, -en, -de, -te, and is no known other word.
    pub(super) fn looks_finite(&self, word: &str) -> bool {
        let ending = ["t", "en", "de", "te", "den", "ten"].iter().any(|ending| word.ends_with(ending));
        ending
            && word.len() >= 4
            && !self.rules.lists.not_verbs.contains(word)
            && !self.rules.lists.subjects.contains(word)
    }

    /// `Heeft u vragen, bel dan ons`: a condition, not a question.
    pub(super) fn conditional(&self, tokens: &[Token], head: usize) -> bool {
        let lists = &self.rules.lists;
        tokens.iter().enumerate().skip(head + 2).any(|(at, token)| {
            let then = matches!(token.word.as_str(), "dan" | "dus")
                && (token.pause || (at > head + 3 && self.consequence(tokens, at + 1)));
            let verb = lists.verbs.contains(&token.word) || lists.verbs_shared.contains(&token.word);
            let imperative = tokens.get(at + 1).is_some_and(|next| next.word == "dan");
            then || (token.pause && (verb || imperative))
        })
    }

    /// A main clause that follows from a condition begins here: a finite verb or an imperative, no infinitive.
    pub(super) fn consequence(&self, tokens: &[Token], at: usize) -> bool {
        let lists = &self.rules.lists;
        let Some(verb) = tokens.get(at) else { return false };
        let subject = tokens.get(at + 1).is_some_and(|next| lists.subjects.contains(&next.word));
        let known = [&lists.verbs, &lists.verbs_shared, &lists.stems, &lists.commands];
        known.iter().any(|list| list.contains(&verb.word)) && (subject || !verb.word.ends_with("en"))
    }
}

/// A third person singular, which no imperative has: a consonant that ends no stem on -t goes before the -t.
fn third_person(verb: &str) -> bool {
    let Some(stem) = verb.strip_suffix('t') else { return false };
    let long = |stem: &str| {
        let vowels: Vec<bool> = stem.chars().rev().take(2).map(|c| "aeiou".contains(c)).collect();
        vowels.len() == 2 && vowels.iter().all(|vowel| *vowel)
    };
    match stem.chars().last() {
        Some('b' | 'd' | 'f' | 'g' | 'k' | 'l' | 'm' | 'n' | 'p' | 'w') => true,
        Some('r' | 's') => stem.char_indices().last().and_then(|(at, _)| stem.get(..at)).is_some_and(long),
        _ => false,
    }
}

/// Looks like a past participle: `gedaan`, `geregeld`.
fn participle(word: &str) -> bool {
    word.len() > 5
        && word.starts_with("ge")
        && (word.ends_with('d') || word.ends_with('t') || word.ends_with("aan"))
}
