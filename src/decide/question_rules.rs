//! The word lists and weights of the question detector, as `policies/questions.yaml` gives them.

use super::error::parse;
use super::phrases::{PhraseFile, Phrases};
use super::{Answer, DecideError, Problem};
use serde::Deserialize;
use std::collections::HashSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    version: String,
    source: String,
    thresholds: Thresholds,
    weights: Weights,
    lists: ListsFile,
    phrases: Vec<PhraseFile>,
    examples: Vec<Example>,
}

/// From which score a text is a question, and under which it is none.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thresholds {
    pub yes: f32,
    pub no: f32,
}

/// What each structural rule makes of a sentence; `damp_` ones multiply.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Weights {
    pub mark: f32,
    pub mark_alone: f32,
    pub mark_one_word: f32,
    pub mark_floor: f32,
    pub interrogative_verb: f32,
    pub interrogative_phrase_verb: f32,
    pub interrogative_phrase_guess: f32,
    pub interrogative_cause: f32,
    pub interrogative_bare: f32,
    pub interrogative_after_pause: f32,
    pub verb_first_subject: f32,
    pub verb_first_other: f32,
    pub verb_first_guess: f32,
    pub verb_first_weak: f32,
    pub verb_first_after_pause: f32,
    pub what_about: f32,
    pub information: f32,
    pub request_second_person: f32,
    pub request_action: f32,
    pub request_after_pause: f32,
    pub damp_condition: f32,
    pub damp_wish: f32,
    pub damp_exclaims: f32,
    pub damp_exclaims_marked: f32,
    pub damp_quoted: f32,
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ListsFile { $($name: Vec<String>),+ }

        /// Word sets, lower case.
        pub(super) struct Lists { $($(#[$doc])* pub $name: HashSet<String>),+ }

        impl From<ListsFile> for Lists {
            fn from(file: ListsFile) -> Self {
                Self { $($name: file.$name.iter().flat_map(|line| line.split_whitespace()).map(str::to_lowercase).collect()),+ }
            }
        }
    };
}

lists! {
    /// Greetings, fillers and joiners that may stand before a question.
    openers,
    /// Words that are openers only when a pause follows: without one the verb after them is inverted.
    openers_paused,
    /// Joiners after which a question may begin in the middle of a sentence.
    joiners,
    /// Words that open a subordinate clause or a fronted phrase: no question begins after its pause.
    subordinators,
    /// Prepositions that may stand before an interrogative.
    prepositions,
    /// Interrogatives that the verb follows at once.
    interrogatives,
    /// Interrogatives with a phrase before the verb: `welke lijn rijdt`.
    measuring,
    /// Interrogatives that are questions even without a verb: `waarom zo duur`.
    causes,
    /// Interrogatives that after a pause more often open a relative clause.
    relatives,
    /// Finite verbs.
    verbs,
    /// Verbs that open a question only with a subject behind (`zijn` is a possessive too).
    verbs_shared,
    /// First persons, which are imperatives too: only with one of `own_subjects` or `je` behind.
    stems,
    /// The same where `je` and `u` may be an object (`laat u`): only with one of `own_subjects` but `u`.
    commands,
    /// Pronouns that are never an object without being a subject.
    own_subjects,
    /// Verbs of asking: `kunt u`.
    asking,
    /// Pronouns, articles and possessives with which a subject begins.
    subjects,
    /// Who is asked.
    addressees,
    /// Who is asked, where a general `je` must be kept out.
    addressed,
    /// `kun je`, `wil je`: a question only with one of `telling` behind, else perhaps a request to act.
    action_asking,
    /// Who is asked to act.
    action_addressees,
    /// Words that make it a question after information.
    telling,
    /// What follows a verb whose subject was dropped: `kan niet`, `is goed`.
    dropped,
    /// Pronouns that are objects only: a verb before one has dropped its subject (`kan me niet schelen`).
    objects,
    /// What a plural verb that is in no list may have for a subject.
    plural_subjects,
    /// Particles that make inversion a wish or an invitation.
    wishing,
    /// The same particles, and more, with one of `musing_subjects`: `moeten ze eens proberen`.
    musing,
    /// Who is mused about.
    musing_subjects,
    /// First persons of opinion: before `ik` they have dropped what they are about (`vind ik ook`).
    opining,
    /// Singular verbs, of which `jullie` can be the object only.
    singular,
    /// Subjects behind which an object may have been dropped.
    dropping_subjects,
    /// Words that can be no object.
    light,
    /// Indefinite articles: a verb before one has more often dropped its subject (`heeft geen zin`).
    indefinite,
    /// What `hoe` asks the measure of.
    measures,
    /// Nouns that alone ask for what they name.
    information,
    /// What may stand before them.
    current,
    /// Verbs of leave, with which a word of `resulting` at the end asks that something is done.
    allowing,
    /// Results: `open`, `uit`.
    resulting,
    /// Particles that stand in questions.
    asking_particles,
    /// Words in -t or -en that are no verbs.
    not_verbs,
}

/// An example of the file: invented text and what must come out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    pub text: String,
    pub expected: Answer,
}

/// Everything the detector reads from its file.
pub(super) struct Rules {
    pub version: String,
    pub thresholds: Thresholds,
    pub weights: Weights,
    pub lists: Lists,
    pub phrases: Phrases,
    pub examples: Vec<Example>,
}

impl Rules {
    /// Reads the rules; `name` is the file's name, for errors.
    pub(super) fn load(name: &str, text: &str) -> Result<Self, DecideError> {
        let file: RulesFile = parse(name, text)?;
        let (phrases, mut problems) = Phrases::load(file.phrases);
        if file.version.trim().is_empty() || file.source.trim().is_empty() {
            problems.push("`version` and `source` must be filled in".to_owned());
        }
        let Thresholds { yes, no } = file.thresholds;
        if !(0.0 < no && no <= yes && yes <= 1.0) {
            problems.push("thresholds must be 0 < `no` <= `yes` <= 1".to_owned());
        }
        if !problems.is_empty() {
            let problems = problems.into_iter().map(|what| Problem { line: 0, what }).collect();
            return Err(DecideError::Invalid { file: name.to_owned(), problems });
        }
        Ok(Self {
            version: file.version,
            thresholds: file.thresholds,
            weights: file.weights,
            lists: file.lists.into(),
            phrases,
            examples: file.examples,
        })
    }
}
