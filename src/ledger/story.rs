//! A matter told in words, from the entries of both logs alone: a request for copies with its grant, a request to open
//! originals, or a request of a person concerned, from its beginning to its end.
//!
//! A story says nothing that the entries do not say: people are numbered in the order in which they appear, texts are not
//! there. Every sentence names the entries it was made of, so that whoever has the logs can check it.

use super::story_words::{basis, kind_words, reason_words, role_words, step_words};
use super::{Entry, EntryKind, Thing};
use crate::model::{ActorId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// An entry where it stands.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The plane of its log: `vault` or `reading-room`.
    pub log: String,
    /// Its number in that log, from 0.
    pub place: u64,
    /// The entry.
    pub entry: Entry,
}

/// One sentence of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// When the first of its entries was made.
    pub at: Timestamp,
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
    /// The entries it was made of: log, and first and last number of each run.
    pub entries: Vec<(String, u64, u64)>,
}

impl Sentence {
    /// Its entries as they are cited: `vault 17, reading-room 3-9`.
    #[must_use]
    pub fn cited(&self) -> String {
        let run = |(log, first, last): &(String, u64, u64)| {
            if first == last { format!("{log} {first}") } else { format!("{log} {first}-{last}") }
        };
        self.entries.iter().map(run).collect::<Vec<_>>().join(", ")
    }
}

/// Which entries belong to a matter. Every entry is gone through twice: in the first round it learns which grant a request
/// became.
#[derive(Debug, Clone)]
pub struct Matter {
    things: BTreeSet<Thing>,
}

impl Matter {
    /// The matter of some things.
    #[must_use]
    pub fn of(things: impl IntoIterator<Item = Thing>) -> Self {
        Self { things: things.into_iter().collect() }
    }

    /// Whether a leaf may belong to it: one that does names one of its things, letter for letter.
    #[must_use]
    pub fn may_hold(&self, leaf: &str) -> bool {
        self.things.iter().any(|thing| leaf.contains(&thing.to_string()))
    }

    /// Whether an entry belongs to it.
    #[must_use]
    pub fn holds(&self, entry: &Entry) -> bool {
        entry.things().iter().any(|thing| self.things.contains(thing))
    }

    /// Learns from an entry what else belongs to the matter: a request and its grant are one. That somebody read a register
    /// joins nothing.
    pub fn learn(&mut self, entry: &Entry) {
        let joins = matches!(
            entry.kind(),
            EntryKind::RequestStepTaken
                | EntryKind::GrantRequested
                | EntryKind::GrantApproved
                | EntryKind::GrantRefused
                | EntryKind::GrantRevoked
                | EntryKind::GrantLapsed
        );
        if joins && self.holds(entry) {
            let own = |thing: &&Thing| matches!(thing, Thing::Request(_) | Thing::Grant(_));
            self.things.extend(entry.things().iter().filter(own).cloned());
        }
    }
}

/// Tells the entries of a matter, which must be all of it: in the order of time, what is alike and stands together in one
/// sentence.
#[must_use]
pub fn story(mut entries: Vec<Placed>) -> Vec<Sentence> {
    entries.sort_by(|a, b| {
        let key = |one: &Placed| (one.entry.at(), one.log.clone(), one.place);
        key(a).cmp(&key(b))
    });
    let mut people = People::default();
    let mut told: Vec<Vec<&Placed>> = Vec::new();
    for placed in &entries {
        match told.last_mut() {
            Some(run) if run.last().is_some_and(|last| alike(&last.entry, &placed.entry)) => run.push(placed),
            _ => told.push(vec![placed]),
        }
    }
    told.iter().filter_map(|run| sentence(run, &mut people)).collect()
}

/// People by the order in which they appear.
#[derive(Default)]
struct People(BTreeMap<ActorId, usize>);

impl People {
    fn number(&mut self, actor: ActorId) -> usize {
        let next = self.0.len() + 1;
        *self.0.entry(actor).or_insert(next)
    }
}

/// Whether two entries are told as one: the same person looked or searched again on the same day, or one opening after another.
fn alike(before: &Entry, after: &Entry) -> bool {
    let folds = matches!(
        after.kind(),
        EntryKind::ViewServed
            | EntryKind::SearchServed
            | EntryKind::AccessDenied
            | EntryKind::DisclosureIntended
            | EntryKind::DisclosureServed
            | EntryKind::SearchIntended
    );
    folds
        && before.kind() == after.kind()
        && before.actor() == after.actor()
        && before.role() == after.role()
        && before.outcome_code() == after.outcome_code()
        && before.reasons() == after.reasons()
        && before.at().day() == after.at().day()
}

fn sentence(run: &[&Placed], people: &mut People) -> Option<Sentence> {
    let first = &run.first()?.entry;
    let mut said = kind_words(first);
    let mut add = |nl: String, en: String| {
        said.0.push_str(&nl);
        said.1.push_str(&en);
    };
    if run.len() > 1 {
        add(format!(" ({} keer)", run.len()), format!(" ({} times)", run.len()));
    }
    if let Some((nl, en)) = step_words(first) {
        add(format!(": {nl}"), format!(": {en}"));
    }
    match (first.actor(), first.role()) {
        (Some(actor), role) => {
            let number = people.number(actor);
            let (nl, en) = role.map_or(("iemand", "somebody"), role_words);
            add(format!(", door {nl} (persoon {number})"), format!(", by {en} (person {number})"));
        }
        (None, Some(role)) => {
            let (nl, en) = role_words(role);
            add(
                format!(", door {nl} die het archief niet kent"),
                format!(", by {en} unknown to the archive"),
            );
        }
        (None, None) => {}
    }
    if let Some(code) = first.legal_basis() {
        let (nl, en) = basis(code.as_str());
        add(nl, en);
    }
    let reasons: Vec<(String, String)> =
        first.reasons().iter().map(|code| reason_words(code.as_str())).collect();
    if !reasons.is_empty() {
        let nl: Vec<&str> = reasons.iter().map(|(nl, _)| nl.as_str()).collect();
        let en: Vec<&str> = reasons.iter().map(|(_, en)| en.as_str()).collect();
        add(format!("; reden: {}", nl.join(", ")), format!("; reason: {}", en.join(", ")));
    }
    let (nl, en) = amounts(run);
    add(format!("{nl}."), format!("{en}."));
    Some(Sentence { at: first.at(), nl: said.0, en: said.1, entries: runs(run) })
}

/// How many records or views it was about.
fn amounts(run: &[&Placed]) -> (String, String) {
    let count = |kind: fn(&Thing) -> bool| -> usize {
        run.iter()
            .flat_map(|placed| placed.entry.things())
            .filter(|thing| kind(thing))
            .collect::<BTreeSet<_>>()
            .len()
    };
    let records = count(|thing| matches!(thing, Thing::Record(_)));
    let views = count(|thing| matches!(thing, Thing::Projection(_)));
    let told = |n: usize, one: &str, more: &str| match n {
        0 => String::new(),
        1 => format!("; 1 {one}"),
        n => format!("; {n} {more}"),
    };
    let nl = told(records, "record", "records") + &told(views, "weergave", "weergaven");
    let en = told(records, "record", "records") + &told(views, "view", "views");
    (nl, en)
}

/// The numbers of entries as runs, by log.
fn runs(run: &[&Placed]) -> Vec<(String, u64, u64)> {
    let mut places: Vec<(&str, u64)> = run.iter().map(|placed| (placed.log.as_str(), placed.place)).collect();
    places.sort_unstable();
    let mut found: Vec<(String, u64, u64)> = Vec::new();
    for (log, place) in places {
        match found.last_mut() {
            Some((of, _, last)) if of == log && *last + 1 == place => *last = place,
            _ => found.push((log.to_owned(), place, place)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::entry::tests::entry;
    use crate::model::{GrantId, ProjectionId, RequestId, Role};
    use uuid::Uuid;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn placed(log: &str, place: u64, entry: Entry) -> Placed {
        Placed { log: log.to_owned(), place, entry }
    }

    fn request() -> Thing {
        Thing::Request(RequestId::from_uuid(id(7)))
    }

    fn grant() -> Thing {
        Thing::Grant(GrantId::from_uuid(id(8)))
    }

    #[test]
    fn a_request_and_its_grant_are_one_matter_and_a_register_joins_nothing() {
        let accepted = entry(1, EntryKind::RequestStepTaken).about([request(), grant()]);
        let other = Thing::Grant(GrantId::from_uuid(id(9)));
        let looked = entry(2, EntryKind::ViewServed).about([grant(), other.clone()]);
        let elsewhere = entry(3, EntryKind::GrantApproved).about([other]);
        let mut matter = Matter::of([grant()]);
        [&accepted, &looked, &elsewhere].into_iter().for_each(|entry| matter.learn(entry));
        assert!(matter.holds(&entry(4, EntryKind::GrantRequested).about([request()])));
        assert!(!matter.holds(&elsewhere));
    }

    #[test]
    fn what_is_alike_is_told_once_and_cites_every_entry() {
        let reader = ActorId::from_uuid(id(5));
        let view = |n: u128| {
            let shown = Thing::Projection(ProjectionId::from_uuid(id(n)));
            entry(n, EntryKind::ViewServed).by(reader, Role::Researcher).about([grant(), shown])
        };
        let asked = entry(1, EntryKind::GrantRequested)
            .by(reader, Role::Researcher)
            .on("woo-5.7".parse().unwrap())
            .about([request()])
            .outcome("submit".parse().unwrap());
        let told = story(vec![
            placed("reading-room", 4, view(20)),
            placed("reading-room", 5, view(21)),
            placed("reading-room", 7, view(21)),
            placed("vault", 3, asked),
        ]);
        let mut cited: Vec<String> = told.iter().map(Sentence::cited).collect();
        cited.sort();
        assert_eq!(cited, ["reading-room 4-5, reading-room 7", "vault 3"]);
        let views = told.iter().find(|one| one.en.contains("views")).unwrap();
        assert!(
            views.en.contains("3 times") && views.en.contains("person 1") && views.en.contains("2 views"),
            "{views:?}"
        );
        assert!(
            views.nl.contains("3 keer") && views.nl.contains("persoon 1") && views.nl.contains("2 weergaven")
        );
        assert!(told.iter().any(|one| one.nl.contains("woo-5.7")), "{told:?}");
    }

    #[test]
    fn every_kind_has_words_in_both_languages() {
        for kind in EntryKind::ALL {
            let (nl, en) = kind_words(&entry(1, *kind));
            assert!(nl.len() > 8 && en.len() > 8 && nl != en, "{}: {nl} / {en}", kind.as_str());
        }
    }
}
