//! The layout of the download archives of Facebook and Instagram of 2024 and later: everything is a list of labels in
//! the owner's language with values behind them (`label_values`), and has a number (`fbid`). What a label means stands in
//! `policies/meta-labels.yaml`, built in.
//!
//! Values nest without warning, in `dict` and `vec`. An entry without words of a comment or post, and without a
//! reaction, is not read: a caption beside an owner is someone else's post that was saved or liked, and which of the
//! two only the file's name says.

use super::gather::{self, Gathered, id, private};
use super::item::{Item, MediaKind, Passage, PassageRole};
use super::json::Value;
use super::meta_export::{body, files_of, kind_of_file, moment, said, word};
use super::unit::ActKind;
use crate::model::{ItemKind, Platform, PrivateText};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILE: &str = include_str!("../../policies/meta-labels.yaml");

static LABELS: LazyLock<Labels> = LazyLock::new(|| serde_saphyr::from_str(FILE).unwrap_or_default());

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Labels {
    /// Where the words come from.
    #[serde(rename = "source")]
    _source: String,
    labels: BTreeMap<Term, Vec<String>>,
    reactions: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Term {
    Comment,
    Post,
    Reaction,
    Url,
    Owner,
    Author,
    Name,
    Username,
}

impl Term {
    /// What a label means, given what stands behind it.
    fn of(label: &str, value: Option<&PrivateText>) -> Option<Self> {
        let label = label.trim().to_lowercase();
        let means = |term: Self| LABELS.labels.get(&term).is_some_and(|words| words.contains(&label));
        let reacted =
            || value.is_some_and(|value| LABELS.reactions.contains(&value.expose().trim().to_lowercase()));
        if means(Self::Reaction) && (!means(Self::Comment) || reacted()) {
            return Some(Self::Reaction);
        }
        LABELS.labels.iter().find(|(_, words)| words.contains(&label)).map(|(term, _)| *term)
    }
}

/// Whether a value is of this layout.
pub(super) fn is_entry(value: Value<'_>) -> bool {
    let [at, labels, number] = value.fields(["timestamp", "label_values", "fbid"]);
    labels.is_some_and(Value::is_array) && number.is_some() && moment(at).is_some()
}

/// Whether an entry is Instagram's: it says where it leads.
pub(super) fn is_instagram(value: Value<'_>) -> bool {
    let leads = |value: Option<Value<'_>>| {
        value.and_then(Value::text).is_some_and(|text| text.starts_with("https://www.instagram.com/"))
    };
    value.within().any(|object| object.fields(["value", "href"]).into_iter().any(leads))
}

/// Reads an entry: a comment, a post or a reaction; else nothing.
pub(super) fn gather(value: Value<'_>, platform: Platform, gathered: &mut Gathered) {
    if let Some(item) = item(value, platform) {
        gathered.items.push((item, value.range()));
    } else if is_entry(value) && Found::of(value).reacted {
        let name = word(value.field("fbid")).into_owned();
        gathered.act(ActKind::Like, name);
    }
}

/// The comment or post of an entry.
pub(super) fn item(value: Value<'_>, platform: Platform) -> Option<Item> {
    if !is_entry(value) {
        return None;
    }
    let found = Found::of(value);
    let (kind, words) = match (found.comment, found.post) {
        (Some(words), _) => (ItemKind::Reaction, words),
        (None, words) => (ItemKind::Post, words?),
    };
    let mut item = Item::new(platform, kind);
    item.names.extend(id(value.field("fbid")));
    item.posted_at = moment(value.field("timestamp"));
    item.passages.push(body(Some(words)));
    item.passages
        .extend(found.descriptions.into_iter().map(|text| Passage { role: PassageRole::AltText, text }));
    item.media = found.media;
    item.attached = found.attached;
    item.links = found.links;
    item.author = found.author.map(account);
    // Whose post it stands under.
    item.mentions.extend(found.owner.filter(|_| kind == ItemKind::Reaction).map(account));
    Some(item)
}

fn account((handle, name): (PrivateText, PrivateText)) -> super::item::Account {
    gather::account(None, Some(handle), Some(name))
}

/// What stands behind the labels of an entry.
#[derive(Default)]
struct Found {
    comment: Option<PrivateText>,
    post: Option<PrivateText>,
    reacted: bool,
    links: Vec<PrivateText>,
    media: Vec<MediaKind>,
    attached: Vec<PrivateText>,
    descriptions: Vec<PrivateText>,
    /// Handle and name.
    owner: Option<(PrivateText, PrivateText)>,
    author: Option<(PrivateText, PrivateText)>,
}

impl Found {
    fn of(value: Value<'_>) -> Self {
        let mut found = Self::default();
        found.attached(value);
        found.labels(value.list("label_values"), None);
        found
    }

    /// Reads labels; `of` is the person they describe, when they do.
    fn labels<'j>(&mut self, labels: impl Iterator<Item = Value<'j>>, of: Option<Term>) {
        for entry in labels {
            let [label, title, value, href, inner, list] =
                entry.fields(["label", "title", "value", "href", "dict", "vec"]);
            let words = said(value).or_else(|| said(href));
            let label = said(label).or_else(|| said(title)).unwrap_or_default();
            let term = Term::of(label.expose(), words.as_ref());
            self.attached(entry);
            if let Some(words) = words {
                self.take(term, of, words);
            }
            let person = term.filter(|term| matches!(term, Term::Owner | Term::Author)).or(of);
            // The entries of a list may stand one level deeper still.
            for nested in [inner, list].into_iter().flatten() {
                self.labels(nested.elements(), person);
            }
        }
    }

    fn take(&mut self, term: Option<Term>, of: Option<Term>, words: PrivateText) {
        let person = |slot: &mut Option<(PrivateText, PrivateText)>, handle: bool, words: PrivateText| {
            let (own, name) = slot.get_or_insert_default();
            if handle || own.is_empty() {
                *own = private(words.expose());
            }
            if !handle || name.is_empty() {
                *name = words;
            }
        };
        match (term, of) {
            (Some(Term::Comment), None) => drop(self.comment.get_or_insert(words)),
            (Some(Term::Post), None) => drop(self.post.get_or_insert(words)),
            (Some(Term::Reaction), None) => self.reacted = true,
            (Some(Term::Url), None) => self.links.push(words),
            (Some(Term::Owner), None) => person(&mut self.owner, false, words),
            (Some(Term::Author), None) => person(&mut self.author, false, words),
            (Some(Term::Name | Term::Username), Some(whose)) => {
                let slot = if whose == Term::Author { &mut self.author } else { &mut self.owner };
                person(slot, term == Some(Term::Username), words);
            }
            _ => {}
        }
    }

    /// Files beside an entry or a label.
    fn attached(&mut self, value: Value<'_>) {
        for medium in value.list("media") {
            let [uri, description] = medium.fields(["uri", "description"]);
            self.media.push(kind_of_file(&word(uri)));
            self.attached.extend(files_of(medium));
            self.descriptions.extend(said(description));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::json::Json;

    fn read(text: &str) -> Gathered {
        let json = Json::parse(text, 16).unwrap();
        let mut gathered = Gathered::default();
        gather(json.root(), Platform::Facebook, &mut gathered);
        gathered
    }

    #[test]
    fn the_file_is_read_and_no_word_but_one_means_two_things() {
        assert!(!LABELS._source.is_empty() && LABELS.labels.len() == 8);
        let mut words: Vec<&String> = LABELS.labels.values().flatten().collect();
        assert!(words.iter().all(|word| **word == word.to_lowercase()));
        let count = words.len();
        words.sort();
        words.dedup();
        assert_eq!(words.len() + 1, count, "a Dutch `reactie` is either");
    }

    #[test]
    fn a_post_and_a_comment_are_read_with_what_hangs_on_them() {
        let post = read(
            r#"{"timestamp":1777887000,"label_values":[{"label":"Message","value":"Caf\u00c3\u00a9 open"},
            {"label":"Media","media":[{"uri":"posts/1.jpg","description":"een sluis"}]},{"label":"Geheim","value":"x"},
            {"label":"URL","value":"","href":"https://b.example/"}],"fbid":"4000000001"}"#,
        );
        let (item, _) = &post.items[0];
        assert_eq!((item.kind, item.names[0].expose()), (ItemKind::Post, "4000000001"));
        let said: Vec<&str> = item.passages.iter().map(|passage| passage.text.expose()).collect();
        assert_eq!(said, ["Café open", "een sluis"]);
        assert_eq!(
            (item.media.as_slice(), item.links[0].expose()),
            (&[MediaKind::Image][..], "https://b.example/")
        );
        assert_eq!(item.posted_at.unwrap().to_string(), "2026-05-04T09:30:00Z");

        let comment = read(
            r#"{"timestamp":1777887000,"media":[],"label_values":[{"label":"Reactie","value":"Mooi gedaan"},
            {"title":"Eigenaar","dict":[{"title":"","dict":[{"label":"Naam","value":"Bo B."},{"label":"Gebruikersnaam","value":"bo"}]}]},
            {"label":"Auteur","value":"Fenna V."}],"fbid":7}"#,
        );
        let (item, _) = &comment.items[0];
        assert_eq!((item.kind, item.passages[0].text.expose()), (ItemKind::Reaction, "Mooi gedaan"));
        let owner = &item.mentions[0];
        assert_eq!((owner.handle.expose(), owner.display_name.expose()), ("bo", "Bo B."));
        assert_eq!(item.author.as_ref().unwrap().display_name.expose(), "Fenna V.");
    }

    #[test]
    fn a_reaction_is_an_act_and_the_post_of_someone_else_is_not_read() {
        let act = read(
            r#"{"timestamp":1777887000,"label_values":[{"label":"Reactie","value":"Vind ik leuk"}],"fbid":"1"}"#,
        );
        assert_eq!((act.items.len(), act.acts.len()), (0, 1));
        let saved = read(
            r#"{"timestamp":1777887000,"label_values":[{"label":"URL","value":"https://www.instagram.com/p/x/"},
            {"label":"Caption","value":"Van een ander"},{"title":"Owner","dict":[{"dict":[{"label":"Username","value":"bo"}]}]}],"fbid":"2"}"#,
        );
        assert!(saved.items.is_empty() && saved.acts.is_empty());
    }
}
