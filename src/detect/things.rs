//! What bears a person's name and is none: streets.

use super::context::is;
use super::endings::{Ending, ends_with};
use super::lexicon::Flags;
use super::names::{Names, Reading};
use super::people::View;
use super::words::{Look, Word, literal};

impl Names {
    /// A street, a word inside a longer one, or a shout in capitals takes from the score.
    pub(super) fn against(&self, view: &View<'_>, r: &mut Reading<'_>) {
        let before_street = r.from == r.last && view.spaced(r.last) && is_street(view.word(r.last + 1));
        // `Niels Verkade` is a person, `Jansstraat` and `Niels Verkade 12` are none.
        let numbered = view.words.get(r.last + 1).is_some_and(|w| w.look == Look::Number);
        let surname = r.last > r.from && view.flag(r.last).any(Flags::SURNAME) && !numbered;
        let street = (is_street(view.word(r.last)) && !surname) || before_street;
        let compound = |w: &Word| w.look == Look::Lower || view.is_common(r.last + 1);
        let hyphened = view.gap(r.last) == "-" && view.words.get(r.last + 1).is_some_and(compound);
        let hashtag = view
            .words
            .get(r.from)
            .is_some_and(|w| view.text.get(..w.start).is_some_and(|t| t.ends_with('#')));
        let saint = r.from == r.last && r.from.checked_sub(1).is_some_and(|i| is(view.words.get(i), SAINT));
        if street || saint {
            r.score -= 1.0;
        }
        if hyphened && r.from == r.last {
            r.score -= 0.3;
        }
        if hashtag {
            r.score -= 0.1;
        }
    }
}

pub(super) fn is_street(word: &str) -> bool {
    ends_with(word, &STREETS, 0)
}

const STREETS: [Ending; 9] =
    Ending::all(["straat", "laan", "plein", "gracht", "singel", "dreef", "steeg", "plantsoen", "kade"]);

const SAINT: &[u64] = &[literal("sint"), literal("st"), literal("santa")];
